// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains: devices reach what is mapped, and nothing else.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "model.h"
#include "suites.h"

#define PAGE	WDM_PAGE_SIZE

static void replay(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 8);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(map_pages(&fixture, 3, 2, ADDRESS));
	MUST(map_pages(&fixture, 0, 1, HOME_ADDRESS));
	MUST(map_pages(&fixture, 6, 1, ADDRESS + 2 * PAGE));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, PAGE));
	open_device(&fixture);
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 4)));
		MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
		REQUIRE(probe_load(&fixture.probe, HOME_ADDRESS, page(&fixture, 0)));
		EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 3)));
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 4)));
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 6)));
		MUST(wdm_detach(fixture.fd, fixture.device->handle));
	}
}

static void ranges(void)
{
	struct fixture fixture;
	struct model model;
	__u32 other;

	open_os_managed(&fixture, 8, 0);
	MUST(wdm_mdl_create(fixture.fd, page(&fixture, 5), PAGE, WDM_RW, &other));
	MUST(map_pages(&fixture, 1, 2, ADDRESS));
	MUST(map_pages(&fixture, 3, 2, ADDRESS + 2 * PAGE));
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_RW, other, 0, 0, ADDRESS + 4 * PAGE));
	/* From the middle of the first to the middle of the second */
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + PAGE, 2 * PAGE));

	model_init(&model, HOME_ADDRESS, (ADDRESS - HOME_ADDRESS) / PAGE + 16);
	model_set(&model, HOME_ADDRESS, 1, fixture.mdl, 0, WDM_RW);
	model_set(&model, ADDRESS, 1, fixture.mdl, PAGE, WDM_RW);
	model_set(&model, ADDRESS + 3 * PAGE, 1, fixture.mdl, 4 * PAGE, WDM_RW);
	model_set(&model, ADDRESS + 4 * PAGE, 1, other, 0, WDM_RW);
	model_check(&model, fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 4)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 4 * PAGE, page(&fixture, 5)));
	/* Across two MDLs */
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + 3 * PAGE, 2 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 4 * PAGE, page(&fixture, 5)));
	MUST(wdm_destroy(fixture.fd, other));
}

static void overlap(void)
{
	/* First page and number of pages, to map over pages 2 to 4 */
	const unsigned int tries[][2] = { { 2, 3 }, { 0, 3 }, { 4, 2 }, { 3, 1 }, { 0, 8 } };
	struct fixture fixture;
	struct model model;

	open_os_managed(&fixture, 8, 0);
	MUST(map_pages(&fixture, 1, 3, ADDRESS + 2 * PAGE));
	model_init(&model, HOME_ADDRESS, (ADDRESS - HOME_ADDRESS) / PAGE + 16);
	model_set(&model, HOME_ADDRESS, 1, fixture.mdl, 0, WDM_RW);
	model_set(&model, ADDRESS + 2 * PAGE, 3, fixture.mdl, PAGE, WDM_RW);
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		EXPECT(STATUS_RESOURCE_IN_USE,
		       map_pages(&fixture, 0, tries[i][1], ADDRESS + tries[i][0] * PAGE));
		model_check(&model, fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
	}
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 5 * PAGE, page(&fixture, 5)));
}

static void hole(void)
{
	const unsigned int tries[][2] = { { 0, 1 }, { 1, 4 }, { 2, 3 }, { 1, 2 }, { 3, 2 } };
	struct fixture fixture;

	open_os_managed(&fixture, 8, 0);
	/* Map pages 2 and 4, but not 1, 3 and 5. */
	MUST(map_pages(&fixture, 2, 1, ADDRESS + 2 * PAGE));
	MUST(map_pages(&fixture, 4, 1, ADDRESS + 4 * PAGE));
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
		EXPECT(STATUS_NOT_FOUND, wdm_unmap(fixture.fd, fixture.domain,
						   ADDRESS + tries[i][0] * PAGE,
						   tries[i][1] * PAGE));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 3);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 4 * PAGE, page(&fixture, 4)));
}

static void permissions(void)
{
	const __u32 wrong[] = { 0, 4, WDM_RW | 4, 1U << 31, WDM_RW | 1U << 31, ~0U };
	struct fixture fixture;
	enum dma result;

	open_os_managed(&fixture, 4, 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT(STATUS_INVALID_PARAMETER_2, wdm_map(fixture.fd, fixture.domain, wrong[i],
							   fixture.mdl, 0, 0, ADDRESS));
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_IOMMU_READ, fixture.mdl, PAGE, PAGE, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_IOMMU_WRITE, fixture.mdl, 2 * PAGE, PAGE,
		     ADDRESS + PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	/* Some IOMMU drivers make writable memory readable, too. */
	result = read_from(&fixture, ADDRESS + PAGE, page(&fixture, 2));
	CHECK(result == DMA_BLOCKED || result == DMA_ARRIVED);
	tap_diag("a read of what is mapped for writing only %s", dma_name(result));
}

static void read_only_mdl(void)
{
	struct fixture fixture;
	__u32 mdl;

	open_os_managed(&fixture, 4, 0);
	MUST(wdm_mdl_create(fixture.fd, page(&fixture, 2), PAGE, WDM_IOMMU_READ, &mdl));
	EXPECT(STATUS_ACCESS_DENIED,
	       wdm_map(fixture.fd, fixture.domain, WDM_RW, mdl, 0, 0, ADDRESS));
	EXPECT(STATUS_ACCESS_DENIED,
	       wdm_map(fixture.fd, fixture.domain, WDM_IOMMU_WRITE, mdl, 0, 0, ADDRESS));
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_IOMMU_READ, mdl, 0, 0, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, page(&fixture, 2)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
}

static void lengths(void)
{
	const struct {
		__u64 offset;
		__u64 length;
	} wrong[] = {
		{ 1, PAGE }, { PAGE / 2, PAGE }, { 0, 1 }, { 0, PAGE + 1 }, { 0, 5 * PAGE },
		{ 4 * PAGE, 0 }, { 4 * PAGE, PAGE }, { 3 * PAGE, 2 * PAGE }, { ~0ULL, 1 },
		{ -PAGE, 2 * PAGE }, { PAGE, -PAGE }, { 1ULL << 63, 1ULL << 63 }, { -PAGE, 0 },
		{ 0, -PAGE }, { 0, 1ULL << 63 }, { 5 * PAGE, 0 },
	};
	struct wdm_iommu_mapping mapping;
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (!EXPECT(STATUS_INVALID_PARAMETER_3,
			    wdm_map(fixture.fd, fixture.domain, WDM_RW, fixture.mdl,
				    wrong[i].offset,
				    wrong[i].length, ADDRESS)))
			tap_diag("offset %#llx, length %#llx", wrong[i].offset, wrong[i].length);
	}
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);
	/* 0: to the end of the MDL */
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, PAGE, 0, ADDRESS));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 3);
	CHECK(find_mapping(fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL, ADDRESS + PAGE,
			   &mapping));
	CHECK_EQUAL(mapping.offset, 2 * PAGE);
	CHECK_EQUAL(mapping.mdl, fixture.mdl);
}

static void addresses(void)
{
	const __u64 top = -PAGE;
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	EXPECT(STATUS_INVALID_PARAMETER_4, map_pages(&fixture, 0, 1, ADDRESS + 1));
	EXPECT(STATUS_INVALID_PARAMETER_4, map_pages(&fixture, 0, 1, ~0ULL));
	EXPECT(STATUS_INVALID_PARAMETER_4, map_pages(&fixture, 0, 2, top));
	EXPECT(STATUS_INVALID_PARAMETER_4, map_pages(&fixture, 0, 4, top - 2 * PAGE));
	/* The first and the last page of the address space */
	MUST(map_pages(&fixture, 0, 1, 0));
	MUST(map_pages(&fixture, 1, 2, top - PAGE));
	EXPECT(STATUS_RESOURCE_IN_USE, map_pages(&fixture, 3, 1, top));
	EXPECT(STATUS_RESOURCE_IN_USE, map_pages(&fixture, 3, 1, 0));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 3);

	EXPECT(STATUS_INVALID_PARAMETER_2, wdm_unmap(fixture.fd, fixture.domain, 1, PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_unmap(fixture.fd, fixture.domain, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_unmap(fixture.fd, fixture.domain, top, 2 * PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_unmap(fixture.fd, fixture.domain, PAGE, PAGE / 2));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_unmap(fixture.fd, fixture.domain, 0, PAGE + 1));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_unmap(fixture.fd, fixture.domain, 0, ~0ULL));
	/* The whole address space, with holes */
	EXPECT(STATUS_NOT_FOUND, wdm_unmap(fixture.fd, fixture.domain, 0, -PAGE));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 3);
	MUST(wdm_unmap(fixture.fd, fixture.domain, top, PAGE));
	MUST(wdm_unmap(fixture.fd, fixture.domain, top - PAGE, PAGE));
	MUST(wdm_unmap(fixture.fd, fixture.domain, 0, PAGE));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);
}

/* Query up to the last page of the address space. */
static void query_end(void)
{
	struct wdm_iommu_mapping mapping;
	struct fixture fixture;
	__u64 start = 0;
	__u32 number = 1;

	open_fixture(&fixture);
	open_arena(&fixture, 1);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(map_pages(&fixture, 0, 1, -PAGE));
	MUST(wdm_query_mappings(fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL, &start,
				&mapping, &number));
	CHECK_EQUAL(number, 1);
	CHECK_EQUAL(mapping.address, -PAGE);
	CHECK_EQUAL(mapping.length, PAGE);
	CHECK_EQUAL(start, ~0ULL);
	/* A query that starts inside of the mapping finds it again. */
	number = 1;
	start = -PAGE;
	MUST(wdm_query_mappings(fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL, &start,
				&mapping, &number));
	CHECK_EQUAL(number, 1);
}

/* @address cannot be mapped while the device is attached, and prevents its attach. */
static void check_conflict(struct fixture *fixture, __u64 address)
{
	MUST(wdm_detach(fixture->fd, fixture->device->handle));
	MUST(map_pages(fixture, 1, 2, address));
	EXPECT(STATUS_CONFLICTING_ADDRESSES,
	       wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_detach(fixture->fd, fixture->device->handle));
	CHECK_EQUAL(query(fixture->fd, fixture->domain).devices, 0);
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, HOME_ADDRESS, page(fixture, 0)));
	MUST(wdm_unmap(fixture->fd, fixture->domain, address, 2 * PAGE));
	MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	EXPECT(STATUS_CONFLICTING_ADDRESSES, map_pages(fixture, 1, 2, address));
	CHECK_EQUAL(query(fixture->fd, fixture->domain).mapped_pages, 1);
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, page(fixture, 0)));
}

static void reserved_region(void)
{
	unsigned long long first, last;
	struct fixture fixture;
	char path[64], type[16];
	FILE *file;
	int fields;

	open_os_managed(&fixture, 4, 0);
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/reserved_regions",
		 fixture.device->group_number);
	file = fopen(path, "re");
	REQUIRE(file);
	fields = fscanf(file, "%llx %llx %15s", &first, &last, type);
	fclose(file);
	if (fields != 3)
		skip("the group has no reserved region");
	check_conflict(&fixture, first);
	check_conflict(&fixture, first - PAGE);
	check_conflict(&fixture, last + 1 - PAGE);
	/* The addresses next to it can be mapped. */
	MUST(map_pages(&fixture, 1, 2, first - 2 * PAGE));
	MUST(map_pages(&fixture, 1, 2, last + 1));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, first - PAGE, page(&fixture, 2)));
}

static void aperture(void)
{
	struct wdm_iommu_query_domain before;
	struct fixture fixture;
	__u64 end;

	open_os_managed(&fixture, 4, 0);
	before = query(fixture.fd, fixture.domain);
	end = before.aperture_end;
	if (end == ~0ULL)
		skip("the IOMMU translates every address");
	CHECK(before.aperture_start < HOME_ADDRESS);
	CHECK_EQUAL(end & (PAGE - 1), PAGE - 1);
	/* Two pages; after virtio's aperture there is one. */
	if (end + 1 <= -2 * PAGE)
		check_conflict(&fixture, end + 1);
	check_conflict(&fixture, end + 1 - PAGE);
	check_conflict(&fixture, -2 * PAGE);
	MUST(map_pages(&fixture, 1, 2, end + 1 - 2 * PAGE));
	if (end >> 48 == 0)
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, end + 1 - PAGE, page(&fixture, 2)));
}

struct disturber {
	struct fixture *fixture;
	__u64 address;
	size_t page;
	bool stop;
	unsigned int rounds;
	__u32 status;
};

static void *disturb(void *argument)
{
	struct disturber *disturber = argument;

	while (!__atomic_load_n(&disturber->stop, __ATOMIC_RELAXED) && !disturber->status) {
		disturber->status = wdm_unmap(disturber->fixture->fd, disturber->fixture->domain,
					      disturber->address, PAGE);
		if (!disturber->status)
			disturber->status = map_pages(disturber->fixture, disturber->page, 1,
						      disturber->address);
		disturber->rounds++;
	}
	return NULL;
}

/* Contiguous memory, for which large pages could be used */
static void page_granular(void)
{
	struct fixture fixture;
	struct disturber disturber = {
		.fixture = &fixture, .address = 2 * ADDRESS + 8 * PAGE, .page = 8
	};
	pthread_t thread;

	open_fixture(&fixture);
	open_arena_at(&fixture, get_huge_page(), HUGE_PAGE_SIZE / PAGE);
	attach_os_managed(&fixture, WDM_IOMMU_DOMAIN_PAGE_GRANULAR);
	CHECK(query(fixture.fd, fixture.domain).flags & WDM_IOMMU_DOMAIN_IS_PAGE_GRANULAR);
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0, 2 * ADDRESS));
	REQUIRE(!pthread_create(&thread, NULL, disturb, &disturber));
	for (unsigned int i = 0; i < 8; i++) {
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, 2 * ADDRESS + 7 * PAGE, page(&fixture,
											7)));
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, 2 * ADDRESS + 9 * PAGE, page(&fixture,
											9)));
	}
	__atomic_store_n(&disturber.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK_EQUAL(disturber.status, STATUS_SUCCESS);
	CHECK(disturber.rounds > 16);
}

/* Unmap a page in the middle of what one large page may map. */
static void large_pages(void)
{
	const __u64 address = 2 * ADDRESS;
	struct fixture fixture;
	size_t pages = HUGE_PAGE_SIZE / PAGE;

	open_fixture(&fixture);
	open_arena_at(&fixture, get_huge_page(), pages);
	attach_os_managed(&fixture, 0);
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0, address));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 300 * PAGE, page(&fixture, 300)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, address + 300 * PAGE, PAGE));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, pages);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + 300 * PAGE, page(&fixture, 300)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 299 * PAGE, page(&fixture, 299)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 301 * PAGE, page(&fixture, 301)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 511 * PAGE, page(&fixture, 511)));
	MUST(map_pages(&fixture, 17, 1, address + 300 * PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 300 * PAGE, page(&fixture, 17)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, address, pages * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + 301 * PAGE, page(&fixture, 301)));
}

#define WINDOW	256
#define MEMORY	64

/* Do a random map or unmap in the domain and in the model. */
static void random_step(struct fixture *fixture, struct model *model)
{
	size_t pages = 1 + random_number(random_number(8) ? 8 : MEMORY);
	__u64 address = ADDRESS + random_number(WINDOW - pages + 1) * PAGE;
	size_t mapped = model_count(model, address, pages);

	if (random_number(2)) {
		__u64 offset = random_number(MEMORY - pages + 1) * PAGE;
		__u32 permissions = 1 + random_number(3);

		EXPECT(mapped ? STATUS_RESOURCE_IN_USE : STATUS_SUCCESS,
		       wdm_map(fixture->fd, fixture->domain, permissions, fixture->mdl, offset,
			       pages * PAGE, address));
		if (!mapped)
			model_set(model, address, pages, fixture->mdl, offset, permissions);
	} else {
		EXPECT(mapped == pages ? STATUS_SUCCESS : STATUS_NOT_FOUND,
		       wdm_unmap(fixture->fd, fixture->domain, address, pages * PAGE));
		if (mapped == pages)
			model_clear(model, address, pages);
	}
}

static void random_operations(void)
{
	struct fixture fixture;
	struct model model;

	open_os_managed(&fixture, MEMORY, 0);
	model_init(&model, HOME_ADDRESS, (ADDRESS - HOME_ADDRESS) / PAGE + WINDOW);
	model_set(&model, HOME_ADDRESS, 1, fixture.mdl, 0, WDM_RW);
	for (unsigned int i = 0; i < 2000; i++) {
		random_step(&fixture, &model);
		if (i % 100 == 0)
			model_check(&model, fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
	}
	model_check(&model, fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
	model_check_dma(&model, &fixture, WINDOW);
}

static void identity(void)
{
	struct fixture fixture;
	__u64 physical;

	open_os_managed(&fixture, 4, 0);
	physical = physical_address(page(&fixture, 1));
	if (!physical)
		skip("/proc/self/pagemap does not say where memory is");
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, physical, page(&fixture, 1)));
	EXPECT(STATUS_NOT_FOUND,
	       wdm_unmap_identity(fixture.fd, fixture.domain, fixture.mdl, PAGE, PAGE));
	MUST(wdm_map_identity(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, PAGE, PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, physical, page(&fixture, 1)));
	/* All or nothing: page 1 is mapped, page 2 is not. */
	EXPECT(STATUS_RESOURCE_IN_USE,
	       wdm_map_identity(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, PAGE, 2 * PAGE));
	EXPECT(STATUS_NOT_FOUND,
	       wdm_unmap_identity(fixture.fd, fixture.domain, fixture.mdl, PAGE, 2 * PAGE));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 2);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, physical, page(&fixture, 1)));
	MUST(wdm_unmap_identity(fixture.fd, fixture.domain, fixture.mdl, PAGE, PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, physical, page(&fixture, 1)));

	/* At the physical address of another page */
	MUST(map_pages(&fixture, 3, 1, physical));
	EXPECT(STATUS_NOT_FOUND,
	       wdm_unmap_identity(fixture.fd, fixture.domain, fixture.mdl, PAGE, PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, physical, page(&fixture, 3)));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_unmap_identity(fixture.fd, fixture.domain, fixture.mdl, 1, PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_unmap_identity(fixture.fd, fixture.domain, fixture.mdl, 0, 5 * PAGE));
}

static void identity_privilege(void)
{
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 2);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(wdm_map_identity(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE));
	REQUIRE(drop_capability(CAP_SYS_RAWIO));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_map_identity(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, PAGE, PAGE));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_unmap_identity(fixture.fd, fixture.domain, fixture.mdl, 0, PAGE));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 1);
}

/* Two domains with the same memory at the same addresses */
static void two_domains(void)
{
	struct fixture fixture;
	__u32 other;

	open_os_managed(&fixture, 4, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	MUST(wdm_domain_create(fixture.fd, true, 0, &other));
	MUST(wdm_map(fixture.fd, other, WDM_RW, fixture.mdl, PAGE, PAGE, ADDRESS));
	MUST(wdm_map(fixture.fd, other, WDM_RW, fixture.mdl, 2 * PAGE, PAGE, ADDRESS + PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	MUST(wdm_unmap(fixture.fd, other, ADDRESS, PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	MUST(wdm_destroy(fixture.fd, other));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

static const struct test_case cases[] = {
	{ .name = "what was mapped before attaching is there", .run = replay,
	  .needs = NEEDS_DEVICE },
	{ .name = "unmap across maps and inside them", .run = ranges, .needs = NEEDS_DEVICE },
	{ .name = "an overlap is refused", .run = overlap, .needs = NEEDS_DEVICE },
	{ .name = "unmapping a hole is refused", .run = hole, .needs = NEEDS_DEVICE },
	{ .name = "permissions", .run = permissions, .needs = NEEDS_DEVICE },
	{ .name = "an MDL for reading only", .run = read_only_mdl, .needs = NEEDS_DEVICE },
	{ .name = "offsets and lengths", .run = lengths },
	{ .name = "the ends of the address space", .run = addresses },
	{ .name = "queries at the end of the address space", .run = query_end },
	{ .name = "reserved regions", .run = reserved_region, .needs = NEEDS_DEVICE },
	{ .name = "the aperture", .run = aperture, .needs = NEEDS_DEVICE },
	{ .name = "page-granular: unmapping disturbs no neighbour", .run = page_granular,
	  .needs = NEEDS_DEVICE },
	{ .name = "large pages: unmapping a part", .run = large_pages, .needs = NEEDS_DEVICE },
	{ .name = "random maps and unmaps against a model", .run = random_operations,
	  .needs = NEEDS_DEVICE },
	{ .name = "identity maps", .run = identity, .needs = NEEDS_DEVICE },
	{ .name = "identity maps need CAP_SYS_RAWIO", .run = identity_privilege },
	{ .name = "two domains do not know of each other", .run = two_domains,
	  .needs = NEEDS_DEVICE },
};

const struct suite osmap_suite = { "osmap", cases, ARRAY_SIZE(cases) };
