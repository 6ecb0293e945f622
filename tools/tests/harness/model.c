// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "model.h"

void model_init(struct model *model, __u64 first, size_t number)
{
	*model = (struct model) { .first = first, .number = number };
	model->pages = calloc(number, sizeof(*model->pages));
	REQUIRE(model->pages);
}

static struct model_page *page_at(const struct model *model, __u64 address)
{
	return &model->pages[(address - model->first) / WDM_PAGE_SIZE];
}

void model_set(struct model *model, __u64 address, size_t pages, __u32 mdl, __u64 offset,
	       __u32 permissions)
{
	for (size_t i = 0; i < pages; i++) {
		page_at(model, address)[i] = (struct model_page) {
			.mdl = mdl,
			.permissions = permissions,
			.offset = offset + i * WDM_PAGE_SIZE,
		};
	}
}

void model_clear(struct model *model, __u64 address, size_t pages)
{
	memset(page_at(model, address), 0, pages * sizeof(*model->pages));
}

/* Count the mapped pages in a range. */
size_t model_count(const struct model *model, __u64 address, size_t pages)
{
	size_t count = 0;

	for (size_t i = 0; i < pages; i++)
		count += !!page_at(model, address)[i].mdl;
	return count;
}

/* Apply a batch of which no operation fails; no operation has length 0. */
void model_apply(struct model *model, const struct wdm_iommu_batch_op *ops, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		const struct wdm_iommu_batch_op *op = &ops[i];

		if (op->op == WDM_IOMMU_BATCH_MAP)
			model_set(model, op->logical_address, op->length / WDM_PAGE_SIZE, op->mdl,
				  op->offset, op->permissions);
		else
			model_clear(model, op->logical_address, op->length / WDM_PAGE_SIZE);
	}
}

static bool add_run(struct model *found, const struct wdm_iommu_mapping *run)
{
	__u64 end = found->first + found->number * WDM_PAGE_SIZE;

	if (!run->length || run->length % WDM_PAGE_SIZE || run->address % WDM_PAGE_SIZE ||
	    run->address < found->first || run->address >= end ||
	    run->length > end - run->address)
		return false;
	model_set(found, run->address, run->length / WDM_PAGE_SIZE, run->mdl, run->offset,
		  run->permissions);
	return true;
}

/* Query all mappings of the domain, few at a time, by address. */
static bool get_all(struct model *found, int fd, __u32 domain, __u32 what)
{
	struct wdm_iommu_mapping runs[3];
	__u64 start = 0, next = 0;
	__u32 number;

	do {
		number = ARRAY_SIZE(runs);
		MUST(wdm_query_mappings(fd, domain, what, &start, runs, &number));
		if (!CHECK(number <= ARRAY_SIZE(runs)) ||
		    !CHECK(number == ARRAY_SIZE(runs) || start == ~0ULL))
			return false;
		for (__u32 i = 0; i < number; i++) {
			if (!CHECK(runs[i].address >= next) || !CHECK(add_run(found, &runs[i])))
				return false;
			next = runs[i].address + runs[i].length;
		}
	} while (start != ~0ULL);
	return true;
}

/* Check that the domain maps what the model says, and nothing else. */
bool model_check(const struct model *model, int fd, __u32 domain, __u32 what)
{
	struct model found;
	bool same;

	model_init(&found, model->first, model->number);
	same = get_all(&found, fd, domain, what);
	for (size_t i = 0; same && i < model->number; i++) {
		same = !memcmp(&found.pages[i], &model->pages[i], sizeof(*found.pages));
		if (!same)
			tap_diag("page %zu: expected MDL %u + %#llx, %u; got MDL %u + %#llx, %u", i,
				 model->pages[i].mdl, model->pages[i].offset,
				 model->pages[i].permissions, found.pages[i].mdl,
				 found.pages[i].offset, found.pages[i].permissions);
	}
	free(found.pages);
	return CHECK(same);
}

/* Check the same by DMA, at some pages from ADDRESS on, which map the arena. */
void model_check_dma(const struct model *model, struct fixture *fixture, size_t pages)
{
	for (unsigned int i = 0; i < 12; i++) {
		__u64 address = ADDRESS + random_number(pages) * WDM_PAGE_SIZE;
		const struct model_page *at =
			&model->pages[(address - model->first) / WDM_PAGE_SIZE];
		bool writable = at->permissions & WDM_IOMMU_WRITE;

		EXPECT_DMA(writable ? DMA_ARRIVED : DMA_BLOCKED,
			   write_to(fixture, address, fixture->arena + at->offset));
	}
}
