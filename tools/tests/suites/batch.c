// SPDX-License-Identifier: GPL-2.0
/*
 * Batches: many maps and unmaps in one call. The operations are done in order, up to the first
 * that fails, and when the call returns, devices reach what is mapped and nothing else.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model.h"
#include "suites.h"

#define PAGE	WDM_PAGE_SIZE

/* Value of "done" before a call */
#define POISON	0x5a5a5a5aU

static struct wdm_iommu_batch_op map_op(const struct fixture *fixture, size_t first, size_t pages,
					__u64 address)
{
	return (struct wdm_iommu_batch_op) {
		.op = WDM_IOMMU_BATCH_MAP,
		.permissions = WDM_RW,
		.mdl = fixture->mdl,
		.offset = first * PAGE,
		.length = pages * PAGE,
		.logical_address = address,
	};
}

static struct wdm_iommu_batch_op unmap_op(size_t pages, __u64 address)
{
	return (struct wdm_iommu_batch_op) {
		.op = WDM_IOMMU_BATCH_UNMAP,
		.length = pages * PAGE,
		.logical_address = address,
	};
}

/* Check that a batch ends with this status after that many operations. */
static bool batch_ends(struct place place, const struct fixture *fixture,
		       const struct wdm_iommu_batch_op *ops, __u32 number, __u32 status,
		       __u32 done)
{
	struct wdm_iommu_batch argument = {
		.size = sizeof(argument),
		.domain = fixture->domain,
		.number = number,
		.ops = caller(ops),
		.done = POISON,
	};
	__u32 answer;

	errno = 0;
	answer = wdm_call(fixture->fd, WDM_IOMMU_BATCH, &argument);
	return check_status(place, answer, status) & check_number(place, argument.done, done);
}

#define EXPECT_BATCH(status, done, fixture, ops, number) \
	batch_ends(HERE("the batch"), fixture, ops, number, status, done)

/* An array of operations */
#define OPS(...)	((const struct wdm_iommu_batch_op[]) { __VA_ARGS__ })
#define NUMBER(...)	ARRAY_SIZE(OPS(__VA_ARGS__))

#define EXPECT_FAILURE(status, done, fixture, ...) \
	EXPECT_BATCH(status, done, fixture, OPS(__VA_ARGS__), NUMBER(__VA_ARGS__))
#define EXPECT_ALL(fixture, ...) \
	EXPECT_FAILURE(STATUS_SUCCESS, NUMBER(__VA_ARGS__), fixture, __VA_ARGS__)

/* Model some pages from ADDRESS on, and the mappings of open_os_managed(). */
static void window_init(struct model *model, const struct fixture *fixture, size_t pages)
{
	model_init(model, HOME_ADDRESS, (ADDRESS - HOME_ADDRESS) / PAGE + pages);
	if (fixture->device->handle)
		model_set(model, HOME_ADDRESS, 1, fixture->mdl, 0, WDM_RW);
}

/* Check that the domain maps what these operations result in, and nothing else. */
static bool check_window(const struct fixture *fixture, const struct wdm_iommu_batch_op *ops,
			 size_t done)
{
	struct model model;
	bool same;

	window_init(&model, fixture, 600);
	model_apply(&model, ops, done);
	same = model_check(&model, fixture->fd, fixture->domain, WDM_IOMMU_QUERY_LOGICAL);
	free(model.pages);
	return same;
}

static void open_domain(struct fixture *fixture, size_t pages)
{
	open_fixture(fixture);
	open_arena(fixture, pages);
	MUST(wdm_domain_create(fixture->fd, true, 0, &fixture->domain));
}

static void order(void)
{
	struct fixture fixture;
	struct model model;

	open_os_managed(&fixture, 8, 0);
	EXPECT_ALL(&fixture, map_op(&fixture, 1, 1, ADDRESS),
		   map_op(&fixture, 2, 2, ADDRESS + PAGE),
		   unmap_op(2, ADDRESS),
		   map_op(&fixture, 4, 2, ADDRESS),
		   unmap_op(1, ADDRESS + PAGE),
		   map_op(&fixture, 6, 1, ADDRESS + 5 * PAGE));
	window_init(&model, &fixture, 8);
	model_set(&model, ADDRESS, 1, fixture.mdl, 4 * PAGE, WDM_RW);
	model_set(&model, ADDRESS + 2 * PAGE, 1, fixture.mdl, 3 * PAGE, WDM_RW);
	model_set(&model, ADDRESS + 5 * PAGE, 1, fixture.mdl, 6 * PAGE, WDM_RW);
	model_check(&model, fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 4)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 5)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 5 * PAGE, page(&fixture, 6)));
}

/* Do four operations, of which the one at index @at fails. */
static void stop_at(struct fixture *fixture, size_t at, const struct wdm_iommu_batch_op *failing,
		    __u32 status)
{
	const struct wdm_iommu_batch_op good[] = {
		map_op(fixture, 0, 2, ADDRESS),
		map_op(fixture, 2, 1, ADDRESS + 2 * PAGE),
		unmap_op(1, ADDRESS + PAGE),
		map_op(fixture, 5, 1, ADDRESS + PAGE),
	};
	struct wdm_iommu_batch_op ops[ARRAY_SIZE(good) + 1];

	memcpy(ops, good, at * sizeof(*ops));
	ops[at] = *failing;
	memcpy(ops + at + 1, good + at, (ARRAY_SIZE(good) - at) * sizeof(*ops));
	MUST(wdm_domain_create(fixture->fd, true, 0, &fixture->domain));
	MUST(map_pages(fixture, 7, 1, ADDRESS + 9 * PAGE));
	EXPECT_BATCH(status, at, fixture, ops, ARRAY_SIZE(ops));
	/* The mapping that made the operation fail is unchanged. */
	MUST(wdm_unmap(fixture->fd, fixture->domain, ADDRESS + 9 * PAGE, PAGE));
	check_window(fixture, ops, at);
	MUST(wdm_destroy(fixture->fd, fixture->domain));
}

static void stops(void)
{
	struct wdm_iommu_batch_op half_mapped, hole = unmap_op(3, ADDRESS + 8 * PAGE);
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 8);
	half_mapped = map_op(&fixture, 0, 2, ADDRESS + 8 * PAGE);
	for (size_t at = 0; at <= 4; at++) {
		stop_at(&fixture, at, &half_mapped, STATUS_RESOURCE_IN_USE);
		stop_at(&fixture, at, &hole, STATUS_NOT_FOUND);
	}
}

/* A device reaches what was mapped before the failure, and only that. */
static void stops_for_devices(void)
{
	struct fixture fixture;

	open_os_managed(&fixture, 8, 0);
	MUST(map_pages(&fixture, 1, 2, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	/* The third fails: half of it is mapped. */
	EXPECT_FAILURE(STATUS_RESOURCE_IN_USE, 2, &fixture, unmap_op(1, ADDRESS),
		       map_op(&fixture, 3, 1, ADDRESS + 2 * PAGE),
		       map_op(&fixture, 4, 2, ADDRESS),
		       unmap_op(1, ADDRESS + PAGE),
		       map_op(&fixture, 6, 1, ADDRESS + 3 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 3)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 6)));
}

/* Map another page at an address that the device has just used. */
static void map_again(void)
{
	struct fixture fixture;

	open_os_managed(&fixture, 8, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_ALL(&fixture, unmap_op(1, ADDRESS), map_op(&fixture, 2, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
	/* First mapped by the batch itself, or before it */
	EXPECT_ALL(&fixture, map_op(&fixture, 1, 1, ADDRESS + PAGE),
		   unmap_op(1, ADDRESS),
		   map_op(&fixture, 3, 1, ADDRESS),
		   unmap_op(2, ADDRESS),
		   map_op(&fixture, 4, 2, ADDRESS),
		   unmap_op(1, ADDRESS),
		   map_op(&fixture, 6, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 6)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 5)));
}

/* Unmap what the device has used, so that its IOMMU may have cached it. */
static void unmapped_blocks(void)
{
	const __u64 far = ADDRESS + 512 * PAGE;
	struct fixture fixture;

	open_os_managed(&fixture, 8, 0);
	MUST(map_pages(&fixture, 1, 6, ADDRESS));
	MUST(map_pages(&fixture, 7, 1, far));
	for (size_t i = 0; i < 6; i++)
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + i * PAGE, page(&fixture,
										    1 + i)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, far, page(&fixture, 7)));
	/* Far apart, not sorted by address, and not all */
	EXPECT_ALL(&fixture, unmap_op(1, ADDRESS + 4 * PAGE), unmap_op(1, far),
		   unmap_op(1, ADDRESS), unmap_op(1, ADDRESS + 2 * PAGE));
	for (size_t i = 0; i < 6; i++)
		EXPECT_DMA(i % 2 ? DMA_ARRIVED : DMA_BLOCKED,
			   write_to(&fixture, ADDRESS + i * PAGE, page(&fixture, 1 + i)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, far, page(&fixture, 7)));
	/* And before a failure */
	EXPECT_FAILURE(STATUS_NOT_FOUND, 1, &fixture, unmap_op(1, ADDRESS + PAGE),
		       unmap_op(2, ADDRESS + 2 * PAGE), unmap_op(1, ADDRESS + 3 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 4)));
}

#define WINDOW	256
#define MEMORY	64

static struct wdm_iommu_batch_op random_op(const struct fixture *fixture)
{
	size_t pages = 1 + random_number(random_number(8) ? 8 : MEMORY);
	__u64 address = ADDRESS + random_number(WINDOW - pages + 1) * PAGE;
	struct wdm_iommu_batch_op op = unmap_op(pages, address);

	if (random_number(2)) {
		op = map_op(fixture, random_number(MEMORY - pages + 1), pages, address);
		op.permissions = 1 + random_number(3);
	}
	return op;
}

/* Predict the status of an operation on the model's mappings. */
static __u32 foretell(const struct model *model, const struct wdm_iommu_batch_op *op)
{
	size_t pages = op->length / PAGE, mapped;

	mapped = model_count(model, op->logical_address, pages);
	if (op->op == WDM_IOMMU_BATCH_MAP)
		return mapped ? STATUS_RESOURCE_IN_USE : STATUS_SUCCESS;
	return mapped == pages ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* Do a random number of operations of which only the last may fail. */
static bool random_batch(const struct fixture *fixture, struct model *model)
{
	struct wdm_iommu_batch_op ops[40];
	size_t number = 0, length = 1 + random_number(ARRAY_SIZE(ops));
	__u32 status = STATUS_SUCCESS;

	while (number < length && !status) {
		ops[number] = random_op(fixture);
		status = foretell(model, &ops[number]);
		/* Some batches are long. */
		if (status && random_number(8)) {
			status = STATUS_SUCCESS;
			continue;
		}
		if (!status)
			model_apply(model, &ops[number], 1);
		number++;
	}
	return EXPECT_BATCH(status, status ? number - 1 : number, fixture, ops, number);
}

static void random_batches(void)
{
	struct fixture fixture;
	struct model model;

	open_os_managed(&fixture, MEMORY, 0);
	window_init(&model, &fixture, WINDOW);
	for (unsigned int i = 0; i < 300; i++) {
		if (!random_batch(&fixture, &model))
			break;
		if (i % 20 == 0)
			model_check(&model, fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
	}
	model_check(&model, fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
	model_check_dma(&model, &fixture, WINDOW);
}

/* Replaced by the handle of the arena's MDL in the tables below */
#define ARENA	0xaaaaaaaaU

/* An operation that is always wrong, in one respect only */
struct wrong_op {
	struct wdm_iommu_batch_op op;
	__u32 status;
};

/* Put it between two others, and then first: it fails, and what follows is not done. */
static void check_wrong(const struct fixture *fixture, const struct wrong_op *wrong)
{
	bool map = wrong->op.op == WDM_IOMMU_BATCH_MAP;
	__u64 before = map ? ADDRESS + 100 * PAGE : ADDRESS;
	struct wdm_iommu_batch_op ops[] = {
		/* Something that can be unmapped */
		map_op(fixture, 0, 2, before),
		wrong->op,
		map_op(fixture, 2, 1, ADDRESS + 200 * PAGE),
	};
	bool good;

	if (wrong->op.mdl == ARENA)
		ops[1].mdl = fixture->mdl;
	good = EXPECT_BATCH(wrong->status, 1, fixture, ops, ARRAY_SIZE(ops));
	good &= check_window(fixture, ops, 1);
	if (map)
		MUST(wdm_unmap(fixture->fd, fixture->domain, before, 2 * PAGE));
	good &= EXPECT_BATCH(wrong->status, 0, fixture, ops + 1, 2);
	good &= check_window(fixture, ops, !map);
	if (!map)
		MUST(wdm_unmap(fixture->fd, fixture->domain, before, 2 * PAGE));
	if (!good)
		tap_diag("op %u, permissions %#x, MDL %#x, %#llx + %#llx at %#llx", wrong->op.op,
			 wrong->op.permissions, wrong->op.mdl, wrong->op.offset, wrong->op.length,
			 wrong->op.logical_address);
}

#define MAP_AT(address, ...) \
	{ .op = WDM_IOMMU_BATCH_MAP, .mdl = ARENA, .logical_address = address, __VA_ARGS__ }
#define MAP(...) \
	MAP_AT(ADDRESS, __VA_ARGS__)
#define UNMAP_AT(address, ...) \
	{ .op = WDM_IOMMU_BATCH_UNMAP, .logical_address = address, __VA_ARGS__ }
#define UNMAP(...) \
	UNMAP_AT(ADDRESS, __VA_ARGS__)

/* The arena has four pages. */
static const struct wrong_op wrong_maps[] = {
	{ MAP(.permissions = 3, .reserved = 1), STATUS_INVALID_PARAMETER },
	{ MAP(.permissions = 3, .reserved = 1U << 31), STATUS_INVALID_PARAMETER },
	{ MAP(.permissions = 0), STATUS_INVALID_PARAMETER_2 },
	{ MAP(.permissions = 4), STATUS_INVALID_PARAMETER_2 },
	{ MAP(.permissions = 7), STATUS_INVALID_PARAMETER_2 },
	{ MAP(.permissions = 1U << 31 | 1), STATUS_INVALID_PARAMETER_2 },
	{ MAP(.permissions = 3, .offset = 1, .length = PAGE), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .offset = 1), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .offset = 4 * PAGE), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .offset = 4 * PAGE, .length = PAGE), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .offset = -PAGE, .length = 2 * PAGE), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .offset = PAGE, .length = 4 * PAGE), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .length = 1), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .length = PAGE + 1), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .length = 5 * PAGE), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .length = ~0ULL), STATUS_INVALID_PARAMETER_3 },
	{ MAP(.permissions = 3, .length = -PAGE), STATUS_INVALID_PARAMETER_3 },
	{ MAP_AT(ADDRESS + 1, .permissions = 3, .length = PAGE), STATUS_INVALID_PARAMETER_4 },
	{ MAP_AT(~0ULL, .permissions = 3, .length = PAGE), STATUS_INVALID_PARAMETER_4 },
	{ MAP_AT(-PAGE, .permissions = 3, .length = 2 * PAGE), STATUS_INVALID_PARAMETER_4 },
	{ MAP_AT(-3 * PAGE, .permissions = 3), STATUS_INVALID_PARAMETER_4 },
};

static const struct wrong_op wrong_unmaps[] = {
	{ UNMAP(.length = PAGE, .reserved = 1), STATUS_INVALID_PARAMETER },
	{ UNMAP(.length = PAGE, .permissions = 1), STATUS_INVALID_PARAMETER },
	{ UNMAP(.length = PAGE, .permissions = 1U << 31), STATUS_INVALID_PARAMETER },
	{ UNMAP(.length = PAGE, .mdl = ARENA), STATUS_INVALID_PARAMETER },
	{ UNMAP(.length = PAGE, .offset = PAGE), STATUS_INVALID_PARAMETER },
	{ UNMAP(.length = PAGE, .offset = 1ULL << 63), STATUS_INVALID_PARAMETER },
	{ UNMAP(.length = 0), STATUS_INVALID_PARAMETER_3 },
	{ UNMAP(.length = 1), STATUS_INVALID_PARAMETER_3 },
	{ UNMAP(.length = PAGE - 1), STATUS_INVALID_PARAMETER_3 },
	{ UNMAP(.length = PAGE + 1), STATUS_INVALID_PARAMETER_3 },
	{ UNMAP(.length = ~0ULL), STATUS_INVALID_PARAMETER_3 },
	{ UNMAP(.length = -PAGE), STATUS_INVALID_PARAMETER_3 },
	{ UNMAP_AT(ADDRESS + 1, .length = PAGE), STATUS_INVALID_PARAMETER_2 },
	{ UNMAP_AT(ADDRESS + PAGE - 1, .length = PAGE), STATUS_INVALID_PARAMETER_2 },
	{ UNMAP_AT(-PAGE, .length = 2 * PAGE), STATUS_INVALID_PARAMETER_3 },
	{ UNMAP_AT(ADDRESS + PAGE, .length = 2 * PAGE), STATUS_NOT_FOUND },
	{ UNMAP_AT(ADDRESS - PAGE, .length = 2 * PAGE), STATUS_NOT_FOUND },
	/* The whole address space */
	{ UNMAP_AT(0, .length = -PAGE), STATUS_NOT_FOUND },
	/* Neither map nor unmap */
	{ { .op = 2, .length = PAGE, .logical_address = ADDRESS }, STATUS_INVALID_PARAMETER },
	{ { .op = 1U << 31, .length = PAGE, .logical_address = ADDRESS },
	  STATUS_INVALID_PARAMETER },
	{ { .op = ~0U, .length = PAGE, .logical_address = ADDRESS }, STATUS_INVALID_PARAMETER },
};

static void wrong_ops(void)
{
	struct fixture fixture;

	open_domain(&fixture, 4);
	for (size_t i = 0; i < ARRAY_SIZE(wrong_maps); i++)
		check_wrong(&fixture, &wrong_maps[i]);
	for (size_t i = 0; i < ARRAY_SIZE(wrong_unmaps); i++)
		check_wrong(&fixture, &wrong_unmaps[i]);
}

static void check_wrong_mdl(const struct fixture *fixture, __u32 mdl, __u32 permissions,
			    __u32 status)
{
	struct wrong_op wrong = { MAP(.permissions = permissions, .length = PAGE), status };

	wrong.op.mdl = mdl;
	check_wrong(fixture, &wrong);
}

static void wrong_mdls(void)
{
	struct fixture fixture, other;
	__u32 stranger, read_only;

	open_os_managed(&fixture, 4, 0);
	open_fixture(&other);
	/* A handle that this file does not have */
	for (unsigned int i = 0; i < 8; i++)
		MUST(wdm_mdl_create(other.fd, fixture.arena, PAGE, WDM_RW, &stranger));
	MUST(wdm_mdl_create(fixture.fd, fixture.arena, PAGE, WDM_IOMMU_READ, &read_only));
	check_wrong_mdl(&fixture, 0, WDM_RW, STATUS_INVALID_HANDLE);
	check_wrong_mdl(&fixture, 1000, WDM_RW, STATUS_INVALID_HANDLE);
	check_wrong_mdl(&fixture, ~0U, WDM_RW, STATUS_INVALID_HANDLE);
	check_wrong_mdl(&fixture, stranger, WDM_RW, STATUS_INVALID_HANDLE);
	check_wrong_mdl(&fixture, fixture.domain, WDM_RW, STATUS_OBJECT_TYPE_MISMATCH);
	check_wrong_mdl(&fixture, fixture.device->handle, WDM_RW, STATUS_OBJECT_TYPE_MISMATCH);
	check_wrong_mdl(&fixture, read_only, WDM_RW, STATUS_ACCESS_DENIED);
	check_wrong_mdl(&fixture, read_only, WDM_IOMMU_WRITE, STATUS_ACCESS_DENIED);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 0)));
	/* A handle that has just been destroyed */
	MUST(wdm_destroy(fixture.fd, read_only));
	check_wrong_mdl(&fixture, read_only, WDM_IOMMU_READ, STATUS_INVALID_HANDLE);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

/* Addresses that the attached device cannot use */
static void conflicts(void)
{
	struct fixture fixture;
	__u64 beyond;

	open_os_managed(&fixture, 4, 0);
	beyond = query(fixture.fd, fixture.domain).aperture_end + 1;
	if (!beyond)
		skip("the IOMMU translates every address");
	EXPECT_FAILURE(STATUS_CONFLICTING_ADDRESSES, 1, &fixture, map_op(&fixture, 1, 1, ADDRESS),
		       map_op(&fixture, 2, 1, beyond), map_op(&fixture, 3, 1, ADDRESS + PAGE));
	check_window(&fixture, OPS(map_op(&fixture, 1, 1, ADDRESS)), 1);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 3)));
}

static void wrong_domains(void)
{
	struct fixture fixture, wrong, other;

	open_domain(&fixture, 4);
	wrong = fixture;
	MUST(wdm_domain_create(fixture.fd, false, 0, &wrong.domain));
	MUST(wdm_memory_add(fixture.fd, wrong.domain, WDM_RW, fixture.mdl, 0, 0, ADDRESS));
	/* Checked before everything else */
	EXPECT_FAILURE(STATUS_INVALID_PARAMETER_1, 0, &wrong, unmap_op(1, ADDRESS));
	EXPECT_FAILURE(STATUS_INVALID_PARAMETER_1, 0, &wrong, map_op(&fixture, 0, 1, 2 * ADDRESS));
	EXPECT_BATCH(STATUS_INVALID_PARAMETER_1, 0, &wrong, NULL, 0);
	EXPECT_BATCH(STATUS_INVALID_PARAMETER_1, 0, &wrong, NULL, 1);
	EXPECT_BATCH(STATUS_INVALID_PARAMETER_1, 0, &wrong, NULL, ~0U);
	CHECK_EQUAL(query(fixture.fd, wrong.domain).mapped_pages, 4);

	open_fixture(&other);
	other.domain = wrong.domain;
	EXPECT_FAILURE(STATUS_INVALID_HANDLE, 0, &other, map_op(&fixture, 0, 1, ADDRESS));
	wrong.domain = fixture.mdl;
	EXPECT_FAILURE(STATUS_OBJECT_TYPE_MISMATCH, 0, &wrong, map_op(&fixture, 0, 1, ADDRESS));
	MUST(wdm_destroy(fixture.fd, fixture.domain));
	EXPECT_BATCH(STATUS_INVALID_HANDLE, 0, &fixture, NULL, 0);
}

static __u32 max_batch(const struct fixture *fixture)
{
	struct wdm_iommu_info info;

	MUST(wdm_info(fixture->fd, &info));
	REQUIRE(info.max_batch > 1);
	return info.max_batch;
}

static struct wdm_iommu_batch_op *get_ops(size_t number)
{
	struct wdm_iommu_batch_op *ops = calloc(number, sizeof(*ops));

	REQUIRE(ops);
	return ops;
}

/* Make an array of three operations at the end of mapped memory. */
static struct wdm_iommu_batch_op *ops_at_edge(const struct fixture *fixture)
{
	unsigned char *memory = get_pages(2);
	struct wdm_iommu_batch_op *ops = (void *)(memory + PAGE);

	REQUIRE(!munmap(memory + PAGE, PAGE));
	ops -= 3;
	for (size_t i = 0; i < 3; i++)
		ops[i] = map_op(fixture, i, 1, ADDRESS + i * PAGE);
	return ops;
}

static void arrays(void)
{
	struct fixture fixture;
	struct wdm_iommu_batch_op *ops, *edge;
	__u32 max;

	open_domain(&fixture, 4);
	max = max_batch(&fixture);
	ops = get_ops(max + 1);
	for (__u32 i = 0; i <= max; i++)
		ops[i] = map_op(&fixture, 0, 1, ADDRESS + i * PAGE);
	/* Without operations, the array does not matter. */
	EXPECT_BATCH(STATUS_SUCCESS, 0, &fixture, ops, 0);
	EXPECT_BATCH(STATUS_SUCCESS, 0, &fixture, NULL, 0);
	EXPECT_BATCH(STATUS_INVALID_PARAMETER_2, 0, &fixture, ops, max + 1);
	EXPECT_BATCH(STATUS_INVALID_PARAMETER_2, 0, &fixture, ops, ~0U);
	EXPECT_BATCH(STATUS_INVALID_PARAMETER_2, 0, &fixture, NULL, max + 1);
	EXPECT_BATCH(STATUS_ACCESS_VIOLATION, 0, &fixture, NULL, 1);
	EXPECT_BATCH(STATUS_ACCESS_VIOLATION, 0, &fixture, (void *)-1UL, 1);
	EXPECT_BATCH(STATUS_ACCESS_VIOLATION, 0, &fixture, (void *)(1UL << 63), 1);
	EXPECT_BATCH(STATUS_ACCESS_VIOLATION, 0, &fixture, (void *)-PAGE, max);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);

	edge = ops_at_edge(&fixture);
	EXPECT_BATCH(STATUS_ACCESS_VIOLATION, 0, &fixture, edge, 4);
	EXPECT_BATCH(STATUS_ACCESS_VIOLATION, 0, &fixture, edge + 3, 1);
	EXPECT_BATCH(STATUS_ACCESS_VIOLATION, 0, &fixture, (void *)((char *)edge + 1), 3);
	/* Even the readable operations are not done. */
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);
	/* The kernel does not write to the array. */
	REQUIRE(!mprotect((void *)(caller(edge) & -PAGE), PAGE, PROT_READ));
	EXPECT_BATCH(STATUS_SUCCESS, 3, &fixture, edge, 3);
	check_window(&fixture, edge, 3);
	/* An unaligned array */
	memcpy((char *)ops + 1, OPS(unmap_op(3, ADDRESS)), sizeof(*ops));
	EXPECT_BATCH(STATUS_SUCCESS, 1, &fixture, (void *)((char *)ops + 1), 1);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);
}

static struct wdm_iommu_batch_op map_of(__u32 mdl, size_t pages, __u64 address)
{
	return (struct wdm_iommu_batch_op) {
		.permissions = WDM_RW,
		.mdl = mdl,
		.length = pages * PAGE,
		.logical_address = address,
	};
}

static void several_mdls(void)
{
	struct fixture fixture;
	struct model model;
	__u32 one, three;

	open_os_managed(&fixture, 8, 0);
	MUST(wdm_mdl_create(fixture.fd, page(&fixture, 4), PAGE, WDM_RW, &one));
	MUST(wdm_mdl_create(fixture.fd, page(&fixture, 5), 3 * PAGE, WDM_RW, &three));
	/* Length 0: to the end of the MDL */
	EXPECT_ALL(&fixture, map_op(&fixture, 1, 1, ADDRESS),
		   map_of(one, 1, ADDRESS + PAGE),
		   map_op(&fixture, 2, 1, ADDRESS + 2 * PAGE),
		   map_of(three, 0, ADDRESS + 3 * PAGE),
		   map_op(&fixture, 6, 0, ADDRESS + 6 * PAGE),
		   map_of(one, 1, ADDRESS + 8 * PAGE));
	window_init(&model, &fixture, 16);
	model_set(&model, ADDRESS, 1, fixture.mdl, PAGE, WDM_RW);
	model_set(&model, ADDRESS + PAGE, 1, one, 0, WDM_RW);
	model_set(&model, ADDRESS + 2 * PAGE, 1, fixture.mdl, 2 * PAGE, WDM_RW);
	model_set(&model, ADDRESS + 3 * PAGE, 3, three, 0, WDM_RW);
	model_set(&model, ADDRESS + 6 * PAGE, 2, fixture.mdl, 6 * PAGE, WDM_RW);
	model_set(&model, ADDRESS + 8 * PAGE, 1, one, 0, WDM_RW);
	model_check(&model, fixture.fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 4)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 5 * PAGE, page(&fixture, 7)));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, one));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, three));
	/* A page of each remains, then none. */
	EXPECT_ALL(&fixture, unmap_op(1, ADDRESS + PAGE), unmap_op(2, ADDRESS + 3 * PAGE));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, one));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, three));
	EXPECT_ALL(&fixture, unmap_op(4, ADDRESS + 5 * PAGE));
	MUST(wdm_destroy(fixture.fd, one));
	MUST(wdm_destroy(fixture.fd, three));
	CHECK_EQUAL(locked_memory(), 8 * PAGE);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 4)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 2)));
}

/* Replace pages in the middle of what one large page may map. */
static void large_page(__u32 flags)
{
	const size_t touched[] = { 0, 1, 2, 299, 300, 301, 302, 303, 510, 511 };
	const size_t pages = HUGE_PAGE_SIZE / PAGE;
	const __u64 address = 2 * ADDRESS;
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena_at(&fixture, get_huge_page(), pages);
	attach_os_managed(&fixture, flags);
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0, address));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 300 * PAGE, page(&fixture, 300)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 302 * PAGE, page(&fixture, 302)));
	EXPECT_ALL(&fixture, unmap_op(1, address + 300 * PAGE),
		   unmap_op(2, address),
		   map_op(&fixture, 17, 1, address + 300 * PAGE),
		   unmap_op(1, address + 302 * PAGE),
		   unmap_op(1, address + 511 * PAGE),
		   map_op(&fixture, 0, 1, address));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 1 + pages - 3);
	for (size_t i = 0; i < ARRAY_SIZE(touched); i++) {
		size_t at = touched[i];
		bool gone = at == 1 || at == 302 || at == 511;

		EXPECT_DMA(gone ? DMA_BLOCKED : DMA_ARRIVED,
			   write_to(&fixture, address + at * PAGE,
				    page(&fixture, at == 300 ? 17 : at)));
	}
	/* In one batch: the rest of it, then all of it, and a part again */
	EXPECT_ALL(&fixture, unmap_op(1, address),
		   unmap_op(300, address + 2 * PAGE),
		   unmap_op(208, address + 303 * PAGE),
		   map_op(&fixture, 0, pages, address),
		   unmap_op(1, address + 100 * PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 300 * PAGE, page(&fixture, 300)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 101 * PAGE, page(&fixture, 101)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + 100 * PAGE, page(&fixture, 100)));
}

static void large_pages(void)
{
	large_page(0);
}

static void page_granular(void)
{
	large_page(WDM_IOMMU_DOMAIN_PAGE_GRANULAR);
}

/* The maximum number of operations */
static void longest(void)
{
	/* Above all addresses that are reserved for a device */
	const __u64 first = 1ULL << 32;
	struct wdm_iommu_batch_op *ops;
	struct fixture fixture;
	__u32 max, some;

	open_os_managed(&fixture, 2, 0);
	max = max_batch(&fixture);
	some = max / 2 + 1;
	ops = get_ops(max);
	for (__u32 i = 0; i < max; i++)
		ops[i] = map_op(&fixture, i % 2, 1, first + i * PAGE);
	EXPECT_BATCH(STATUS_SUCCESS, max, &fixture, ops, max);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, max + 1);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, first, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, first + some * PAGE,
					 page(&fixture, some % 2)));
	/* In reverse, and the last one fails. */
	for (__u32 i = 0; i < max; i++)
		ops[i] = unmap_op(1, first + (max - 1 - i) * PAGE);
	ops[max - 1].logical_address = first - PAGE;
	EXPECT_BATCH(STATUS_NOT_FOUND, max - 1, &fixture, ops, max);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 2);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, first, page(&fixture, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, first + some * PAGE,
					 page(&fixture, some % 2)));
}

/*
 * A long batch: it maps the page at FIRST_MARK, is busy at BUSY, and finally maps the page at
 * LAST_MARK, so that an observer sees its progress.
 */
#define FIRST_MARK	(ADDRESS)
#define BUSY		(ADDRESS + PAGE)
#define LAST_MARK	(ADDRESS + 2 * PAGE)

/**
 * struct long_batch - a batch for a thread or a process
 * @fixture: the fixture; page 1 of the arena is mapped at all three addresses
 * @number: number of operations
 * @ops: the operations
 * @status: the resulting status
 * @done: the resulting number of operations
 */
struct long_batch {
	struct fixture *fixture;
	__u32 number;
	struct wdm_iommu_batch_op *ops;
	__u32 status;
	__u32 done;
};

static void long_batch_init(struct long_batch *batch, struct fixture *fixture)
{
	__u32 number = max_batch(fixture) & ~1U;
	struct wdm_iommu_batch_op *ops = get_ops(number);

	ops[0] = map_op(fixture, 1, 1, FIRST_MARK);
	for (__u32 i = 1; i + 2 < number; i += 2) {
		ops[i] = map_op(fixture, 1, 1, BUSY);
		ops[i + 1] = unmap_op(1, BUSY);
	}
	ops[number - 1] = map_op(fixture, 1, 1, LAST_MARK);
	*batch = (struct long_batch) { .fixture = fixture, .number = number, .ops = ops };
}

static void *long_batch_run(void *argument)
{
	struct long_batch *batch = argument;

	batch->status = wdm_batch(batch->fixture->fd, batch->fixture->domain, batch->ops,
				  batch->number, &batch->done);
	return NULL;
}

static bool is_mapped(const struct fixture *fixture, __u64 address)
{
	struct wdm_iommu_mapping mapping;

	return find_mapping(fixture->fd, fixture->domain, WDM_IOMMU_QUERY_LOGICAL, address,
			    &mapping);
}

/* Wait until it has started; the harness has the timeout. */
static void wait_for_begin(const struct fixture *fixture)
{
	while (!is_mapped(fixture, FIRST_MARK))
		;
}

/* Check that it is complete, and remove its mappings. */
static void check_long_batch(struct long_batch *batch)
{
	CHECK_EQUAL(batch->status, STATUS_SUCCESS);
	CHECK_EQUAL(batch->done, batch->number);
	CHECK(!is_mapped(batch->fixture, BUSY));
	MUST(wdm_unmap(batch->fixture->fd, batch->fixture->domain, FIRST_MARK, PAGE));
	MUST(wdm_unmap(batch->fixture->fd, batch->fixture->domain, LAST_MARK, PAGE));
}

#define TRIES	10

/* Changes of the array after the start of the call have no effect. */
static void changed_array(void)
{
	struct long_batch batch;
	unsigned int in_time = 0;
	struct fixture fixture;
	pthread_t thread;

	open_os_managed(&fixture, 2, 0);
	long_batch_init(&batch, &fixture);
	for (unsigned int i = 0; i < TRIES && !in_time; i++) {
		struct wdm_iommu_batch_op *last = &batch.ops[batch.number - 1];
		const struct wdm_iommu_batch_op before = *last;

		REQUIRE(!pthread_create(&thread, NULL, long_batch_run, &batch));
		wait_for_begin(&fixture);
		*last = map_op(&fixture, 0, 1, LAST_MARK + PAGE);
		batch.ops[batch.number - 2].op = ~0U;
		in_time += !is_mapped(&fixture, LAST_MARK);
		REQUIRE(!pthread_join(thread, NULL));
		CHECK(!is_mapped(&fixture, LAST_MARK + PAGE));
		check_long_batch(&batch);
		*last = before;
		batch.ops[batch.number - 2].op = WDM_IOMMU_BATCH_UNMAP;
	}
	CHECK(in_time > 0);
}

/* Attach and detach do not wait for the end of the batch. */
static void attach_meanwhile(void)
{
	struct long_batch batch;
	unsigned int in_time = 0;
	struct fixture fixture;
	pthread_t thread;

	open_os_managed(&fixture, 2, 0);
	long_batch_init(&batch, &fixture);
	for (unsigned int i = 0; i < TRIES && !in_time; i++) {
		REQUIRE(!pthread_create(&thread, NULL, long_batch_run, &batch));
		wait_for_begin(&fixture);
		MUST(wdm_detach(fixture.fd, fixture.device->handle));
		MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
		in_time += !is_mapped(&fixture, LAST_MARK);
		REQUIRE(!pthread_join(thread, NULL));
		/* The new hardware domain has the mappings from before and after the attach. */
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, FIRST_MARK, page(&fixture, 1)));
		EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, BUSY, page(&fixture, 1)));
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, LAST_MARK, page(&fixture, 1)));
		check_long_batch(&batch);
	}
	CHECK(in_time > 0);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, LAST_MARK, page(&fixture, 1)));
}

/* VFIO revokes the device during a batch. */
static void close_meanwhile(void)
{
	struct long_batch batch;
	struct fixture fixture;
	pthread_t thread;

	open_os_managed(&fixture, 2, 0);
	long_batch_init(&batch, &fixture);
	REQUIRE(!pthread_create(&thread, NULL, long_batch_run, &batch));
	wait_for_begin(&fixture);
	take_back(fixture.device);
	tap_diag("the batch %s", is_mapped(&fixture, LAST_MARK) ? "has ended" : "is running");
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 0);
	REQUIRE(!pthread_join(thread, NULL));
	check_long_batch(&batch);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 1);
	EXPECT(STATUS_DEVICE_REMOVED,
	       wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
}

/* The call itself holds the last reference to the file. */
static void file_closed_meanwhile(void)
{
	long long pinned = pinned_pages();
	struct long_batch batch;
	struct fixture fixture;
	pthread_t thread;

	open_os_managed(&fixture, 2, 0);
	long_batch_init(&batch, &fixture);
	REQUIRE(!pthread_create(&thread, NULL, long_batch_run, &batch));
	wait_for_begin(&fixture);
	close(fixture.fd);
	REQUIRE(!pthread_join(thread, NULL));
	CHECK_EQUAL(batch.status, STATUS_SUCCESS);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, LAST_MARK, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* A killed process does not complete its batch. */
static void killed(void)
{
	struct long_batch batch;
	struct fixture fixture;
	unsigned int in_time = 0;

	open_os_managed(&fixture, 2, 0);
	long_batch_init(&batch, &fixture);
	for (unsigned int i = 0; i < TRIES && !in_time; i++) {
		pid_t child = fork();
		int status;

		REQUIRE(child >= 0);
		if (!child) {
			long_batch_run(&batch);
			for (;;)
				pause();
		}
		wait_for_begin(&fixture);
		kill(child, SIGKILL);
		REQUIRE(waitpid(child, &status, 0) == child);
		CHECK(WIFSIGNALED(status));
		in_time += !is_mapped(&fixture, LAST_MARK);
		/* The page that it was working on may be mapped or not. */
		MUST(wdm_unmap(fixture.fd, fixture.domain, FIRST_MARK, PAGE));
		if (is_mapped(&fixture, BUSY))
			MUST(wdm_unmap(fixture.fd, fixture.domain, BUSY, PAGE));
		if (is_mapped(&fixture, LAST_MARK))
			MUST(wdm_unmap(fixture.fd, fixture.domain, LAST_MARK, PAGE));
		CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 1);
		EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, BUSY, page(&fixture, 1)));
	}
	CHECK(in_time > 0);
	/* No lock is held, and no page is pinned. */
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(wdm_destroy(fixture.fd, fixture.domain));
	MUST(wdm_destroy(fixture.fd, fixture.mdl));
}

/*
 * Until the batch ends, devices may reach what it has unmapped: the memory must not be freed.
 */
static void delete_meanwhile(void)
{
	struct long_batch batch;
	struct fixture fixture;
	pthread_t thread;
	__u32 other, status;

	open_os_managed(&fixture, 2, 0);
	MUST(wdm_mdl_create(fixture.fd, page(&fixture, 1), PAGE, WDM_RW, &other));
	long_batch_init(&batch, &fixture);
	batch.ops[2] = batch.ops[0];
	batch.ops[0] = map_of(other, 1, BUSY);
	batch.ops[1] = unmap_op(1, BUSY);
	REQUIRE(!pthread_create(&thread, NULL, long_batch_run, &batch));
	wait_for_begin(&fixture);
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, other));
	do {
		status = wdm_destroy(fixture.fd, other);
	} while (status == STATUS_RESOURCE_IN_USE);
	CHECK_EQUAL(status, STATUS_SUCCESS);
	CHECK(is_mapped(&fixture, LAST_MARK));
	REQUIRE(!pthread_join(thread, NULL));
	check_long_batch(&batch);
}

/* A thread with a separate part of the window */
struct worker {
	struct fixture *fixture;
	size_t first;
	__u32 status;
	unsigned int rounds;
};

#define WORKERS		3
#define PART		37
#define ROUNDS		60

static void *work(void *argument)
{
	struct worker *worker = argument;
	__u64 address = ADDRESS + worker->first * PAGE;
	const struct wdm_iommu_batch_op ops[] = {
		map_op(worker->fixture, worker->first, PART, address),
		unmap_op(PART - 20, address + 3 * PAGE),
		map_op(worker->fixture, worker->first + 3, 5, address + 3 * PAGE),
		unmap_op(8, address),
		unmap_op(17, address + (PART - 17) * PAGE),
	};

	while (!worker->status && worker->rounds < ROUNDS) {
		worker->status = wdm_batch(worker->fixture->fd, worker->fixture->domain, ops,
					   ARRAY_SIZE(ops), NULL);
		worker->rounds++;
	}
	return NULL;
}

/* Threads with adjacent pages of the same memory do not affect each other. */
static void side_by_side(void)
{
	struct worker workers[WORKERS];
	pthread_t threads[WORKERS];
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena_at(&fixture, get_huge_page(), HUGE_PAGE_SIZE / PAGE);
	attach_os_managed(&fixture, 0);
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker) { .fixture = &fixture, .first = 1 + i * PART };
		REQUIRE(!pthread_create(&threads[i], NULL, work, &workers[i]));
	}
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	for (size_t i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		CHECK_EQUAL(workers[i].status, STATUS_SUCCESS);
		CHECK_EQUAL(workers[i].rounds, ROUNDS);
	}
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 1);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 4 * PAGE, page(&fixture, 4)));
}

static const struct test_case cases[] = {
	{ .name = "one operation after the other", .run = order, .needs = NEEDS_DEVICE },
	{ .name = "the first failure ends it", .run = stops },
	{ .name = "devices see what was done before a failure", .run = stops_for_devices,
	  .needs = NEEDS_DEVICE },
	{ .name = "another page in the place of one", .run = map_again, .needs = NEEDS_DEVICE },
	{ .name = "what is unmapped blocks", .run = unmapped_blocks, .needs = NEEDS_DEVICE },
	{ .name = "random batches against a model", .run = random_batches,
	  .needs = NEEDS_DEVICE },
	{ .name = "operations that are wrong", .run = wrong_ops },
	{ .name = "MDLs that are wrong", .run = wrong_mdls, .needs = NEEDS_DEVICE },
	{ .name = "addresses that a device cannot have", .run = conflicts,
	  .needs = NEEDS_DEVICE },
	{ .name = "domains that are wrong", .run = wrong_domains },
	{ .name = "arrays", .run = arrays },
	{ .name = "several MDLs", .run = several_mdls, .needs = NEEDS_DEVICE },
	{ .name = "large pages: unmapping parts", .run = large_pages, .needs = NEEDS_DEVICE },
	{ .name = "page-granular: unmapping parts", .run = page_granular,
	  .needs = NEEDS_DEVICE },
	{ .name = "the longest batch", .run = longest, .needs = NEEDS_DEVICE, .seconds = 120 },
	{ .name = "an array that changes during a batch", .run = changed_array,
	  .needs = NEEDS_DEVICE, .seconds = 180 },
	{ .name = "detached and attached during a batch", .run = attach_meanwhile,
	  .needs = NEEDS_DEVICE, .seconds = 180 },
	{ .name = "VFIO revokes the device during a batch", .run = close_meanwhile,
	  .needs = NEEDS_DEVICE, .seconds = 120 },
	{ .name = "the file is closed during a batch", .run = file_closed_meanwhile,
	  .needs = NEEDS_DEVICE, .seconds = 120 },
	{ .name = "an MDL is deleted during a batch", .run = delete_meanwhile,
	  .needs = NEEDS_DEVICE, .seconds = 120 },
	{ .name = "SIGKILL", .run = killed, .needs = NEEDS_DEVICE, .seconds = 120 },
	{ .name = "threads side by side", .run = side_by_side, .needs = NEEDS_DEVICE },
};

const struct suite batch_suite = { "batch", cases, ARRAY_SIZE(cases) };
