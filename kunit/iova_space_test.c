// SPDX-License-Identifier: GPL-2.0
/*
 * The logical address space: compared with a bitmap under random operations, at its limits,
 * and with many blocks.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "../module/core/iova_space.h"
#include "support/fixture.h"

/* Operations of one run of iova_space_model() */
#define IOVA_STEPS		250000
/* Blocks that are held at the same time */
#define IOVA_BLOCKS		512
#define IOVA_NO_LIMIT		U64_MAX

struct iova_run {
	struct kunit *test;
	struct rnd_state rng;
	struct wdm_iova_space space;
	unsigned long *model;
	u64 nr_pages;
	struct wdm_iova_block *blocks;
	unsigned int nr_held;
};

static const unsigned int iova_widths[] = { 13, 16, 20, 24 };

static void iova_width_name(const unsigned int *width, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bits", *width);
}

KUNIT_ARRAY_PARAM(iova_width, iova_widths, iova_width_name);

static u64 iova_roundup(u64 nr_pages)
{
	return roundup_pow_of_two(nr_pages);
}

/* The blocks that are held come first in the array. */
static struct wdm_iova_block *iova_spare(struct iova_run *run)
{
	return run->nr_held < IOVA_BLOCKS ? &run->blocks[run->nr_held] : NULL;
}

static void iova_alloc(struct iova_run *run)
{
	u64 nr = 1 + fixture_below(&run->rng, fixture_once_in(&run->rng, 8) ?
				   run->nr_pages : min(run->nr_pages, 20));
	u64 min = 0, max = IOVA_NO_LIMIT, limit, size = iova_roundup(nr), want;
	struct wdm_iova_block *block = iova_spare(run);
	bool got;

	if (!block)
		return;
	if (fixture_once_in(&run->rng, 3))
		min = fixture_below(&run->rng, run->nr_pages);
	if (fixture_once_in(&run->rng, 3))
		max = fixture_below(&run->rng, run->nr_pages + 2);
	limit = min(max, run->nr_pages - 1) + 1;
	want = limit;
	if (size <= limit)
		want = bitmap_find_next_zero_area(run->model, limit, max(min, 1), size,
						  size - 1);

	got = wdm_iova_space_alloc(&run->space, block, nr, min, max,
				   WDM_IOVA_ALLOCATED);
	KUNIT_ASSERT_EQ(run->test, got, want < limit);
	if (!got)
		return;
	KUNIT_ASSERT_EQ(run->test, block->first, want);
	KUNIT_ASSERT_EQ(run->test, block->last, want + size - 1);
	bitmap_set(run->model, want, size);
	run->nr_held++;
}

static void iova_take(struct iova_run *run)
{
	u64 first = fixture_below(&run->rng, run->nr_pages + 2);
	u64 nr = 1 + fixture_below(&run->rng, 10);
	struct wdm_iova_block *block = iova_spare(run);
	bool got, want;

	if (!block)
		return;
	want = first + nr <= run->nr_pages &&
	       find_next_bit(run->model, first + nr, first) == first + nr;
	got = wdm_iova_space_take(&run->space, block, first, first + nr - 1,
				  WDM_IOVA_TOKEN);
	KUNIT_ASSERT_EQ(run->test, got, want);
	if (!got)
		return;
	bitmap_set(run->model, first, nr);
	run->nr_held++;
}

static void iova_drop(struct iova_run *run, unsigned int i)
{
	struct wdm_iova_block *block = &run->blocks[i], *last;

	wdm_iova_space_drop(&run->space, block);
	bitmap_clear(run->model, block->first, block->last - block->first + 1);

	/* Fill the hole with the last block held, which is dropped and taken again. */
	last = &run->blocks[--run->nr_held];
	if (last == block)
		return;
	wdm_iova_space_drop(&run->space, last);
	KUNIT_ASSERT_TRUE(run->test,
			  wdm_iova_space_take(&run->space, block, last->first,
					      last->last, last->kind));
}

static void iova_find(struct iova_run *run)
{
	u64 first = fixture_below(&run->rng, run->nr_pages);
	u64 last = first + fixture_below(&run->rng, 40), bit;
	struct wdm_iova_block *block;

	block = wdm_iova_space_find(&run->space, first, last);
	bit = find_next_bit(run->model, min(last + 1, run->nr_pages), first);
	KUNIT_ASSERT_EQ(run->test, !!block, bit <= last && bit < run->nr_pages);
	if (block)
		KUNIT_ASSERT_EQ(run->test, max(block->first, first), bit);
}

/* Check that exactly the model's pages are taken. */
static void iova_check(struct iova_run *run)
{
	struct wdm_iova_block *block;
	u64 pgno;

	for (pgno = 0; pgno < run->nr_pages; pgno++) {
		block = wdm_iova_space_find(&run->space, pgno, pgno);
		KUNIT_ASSERT_EQ(run->test, !!block, test_bit(pgno, run->model));
	}
	KUNIT_ASSERT_EQ(run->test, run->space.nr, run->nr_held);
}

static void iova_run_init(struct kunit *test, struct iova_run *run, unsigned int width)
{
	run->test = test;
	run->nr_pages = BIT_ULL(width - PAGE_SHIFT);
	run->model = kunit_kcalloc(test, BITS_TO_LONGS(run->nr_pages), sizeof(long),
				   GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, run->model);
	run->blocks = kunit_kcalloc(test, IOVA_BLOCKS, sizeof(*run->blocks), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, run->blocks);
	run->nr_held = 0;
	fixture_seed(test, &run->rng);
	wdm_iova_space_init(&run->space, width);
}

static void iova_space_model(struct kunit *test)
{
	unsigned int width = *(const unsigned int *)test->param_value;
	struct iova_run run;
	unsigned int i;

	iova_run_init(test, &run, width);
	for (i = 0; i < IOVA_STEPS; i++) {
		/* Alternate between full and nearly empty. */
		bool fill = i / 1000 % 2;
		u64 what = fixture_below(&run.rng, 8);

		if (what < (fill ? 5 : 2))
			iova_alloc(&run);
		else if (what == 5)
			iova_take(&run);
		else if (what == 6)
			iova_find(&run);
		else if (run.nr_held)
			iova_drop(&run, fixture_below(&run.rng, run.nr_held));
		if (!(i % 10000)) {
			iova_check(&run);
			cond_resched();
		}
	}
	while (run.nr_held)
		iova_drop(&run, run.nr_held - 1);
	iova_check(&run);

	/* Nothing is lost: the upper half is one free block again. */
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&run.space, run.blocks,
						     run.nr_pages / 2, 0, IOVA_NO_LIMIT,
						     WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_EQ(test, run.blocks[0].first, run.nr_pages / 2);
}

/* The limits of the space, and blocks that no space can hold */
static void iova_space_edges(struct kunit *test)
{
	struct wdm_iova_block a, b, c;
	struct wdm_iova_space space;
	u64 half = BIT_ULL(WDM_IOVA_MAX_WIDTH - PAGE_SHIFT - 1);
	u64 last = 2 * half - 1;

	wdm_iova_space_init(&space, WDM_IOVA_MAX_WIDTH);
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_allocates(&space));
	KUNIT_EXPECT_EQ(test, wdm_iova_space_last(&space), last);
	/* All of it would start at 0, and so would any other block of that size. */
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &a, half + 1, 0,
						      IOVA_NO_LIMIT, WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &a, BIT_ULL(52), 0,
						      IOVA_NO_LIMIT, WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&space, &a, half, 0, IOVA_NO_LIMIT,
						     WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_EQ(test, a.first, half);
	KUNIT_EXPECT_EQ(test, a.last, last);

	/* The lowest pages are allocated first, and a hole is reused. */
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&space, &b, 1, 0, IOVA_NO_LIMIT,
						     WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_EQ(test, b.first, 1);
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&space, &c, 3, 0, IOVA_NO_LIMIT,
						     WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_EQ(test, c.first, 4);
	KUNIT_EXPECT_EQ(test, c.last, 7);
	wdm_iova_space_drop(&space, &b);
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&space, &b, 1, 1, 1,
						     WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_EQ(test, b.first, 1);
	wdm_iova_space_drop(&space, &b);

	/* The limits are inclusive: 2 and 3 are the only two pages between 1 and 4. */
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &b, 2, 1, 2,
						      WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &b, 2, 3, 7,
						      WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&space, &b, 2, 1, 3,
						     WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_EQ(test, b.first, 2);
	wdm_iova_space_drop(&space, &b);
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &b, 1, 3, 2,
						      WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &b, 1, last + 1, IOVA_NO_LIMIT,
						      WDM_IOVA_ALLOCATED));

	/* Explicit pages may include page 0, but must not exceed the end. */
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_take(&space, &b, 0, 3, WDM_IOVA_FIXED));
	wdm_iova_space_drop(&space, &b);
	wdm_iova_space_drop(&space, &a);
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_take(&space, &b, last, last + 1,
						     WDM_IOVA_TOKEN));
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_take(&space, &b, last + 1, U64_MAX,
						     WDM_IOVA_TOKEN));
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_take(&space, &b, last, last,
						    WDM_IOVA_TOKEN));
	KUNIT_EXPECT_PTR_EQ(test, wdm_iova_space_find(&space, 8, U64_MAX), &b);
	KUNIT_EXPECT_NULL(test, wdm_iova_space_find(&space, last + 1, U64_MAX));

	/* Without an allocator, every page that has an address can be taken. */
	wdm_iova_space_init(&space, 0);
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_allocates(&space));
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_take(&space, &a, U64_MAX >> PAGE_SHIFT,
						    U64_MAX >> PAGE_SHIFT, WDM_IOVA_TOKEN));
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_take(&space, &b, 1,
						     U64_MAX >> PAGE_SHIFT, WDM_IOVA_TOKEN));
}

/* The smallest space has one page to allocate. */
static void iova_space_smallest(struct kunit *test)
{
	struct wdm_iova_block a, b;
	struct wdm_iova_space space;

	wdm_iova_space_init(&space, WDM_IOVA_MIN_WIDTH);
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &a, 2, 0, IOVA_NO_LIMIT,
						      WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&space, &a, 1, 0, IOVA_NO_LIMIT,
						     WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_EQ(test, a.first, 1);
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &b, 1, 0, IOVA_NO_LIMIT,
						      WDM_IOVA_ALLOCATED));
}

static const unsigned int iova_counts[] = { 1000, 100000 };

static void iova_count_name(const unsigned int *nr, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u blocks", *nr);
}

KUNIT_ARRAY_PARAM(iova_count, iova_counts, iova_count_name);

/* Maximum number of blocks that an allocation may visit: a few times the tree's height */
static u64 iova_max_steps(unsigned int nr)
{
	return 8 * ilog2(nr);
}

/*
 * Every other page is free: a linear search for two pages would visit all gaps.
 */
static void iova_space_many(struct kunit *test)
{
	unsigned int i, nr = *(const unsigned int *)test->param_value;
	struct wdm_iova_block *blocks, a, b;
	struct wdm_iova_space space;
	u64 steps, most = 0;

	blocks = kvmalloc_array(nr, sizeof(*blocks), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, blocks);
	wdm_iova_space_init(&space, 48);
	for (i = 0; i < nr; i++) {
		steps = space.steps;
		if (!wdm_iova_space_take(&space, &blocks[i], 2 * i, 2 * i,
					 WDM_IOVA_ALLOCATED))
			break;
		most = max(most, space.steps - steps);
		if (!(i % 1024))
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, i, nr);

	steps = space.steps;
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&space, &a, 2, 0, IOVA_NO_LIMIT,
						     WDM_IOVA_ALLOCATED));
	KUNIT_EXPECT_EQ(test, a.first, 2 * nr);
	most = max(most, space.steps - steps);

	/* Two pages, in the only gap for them, in the middle of the others */
	wdm_iova_space_drop(&space, &blocks[nr / 2]);
	steps = space.steps;
	KUNIT_EXPECT_TRUE(test, wdm_iova_space_alloc(&space, &b, 2, 0, IOVA_NO_LIMIT,
						     WDM_IOVA_ALLOCATED));
	most = max(most, space.steps - steps);
	KUNIT_EXPECT_EQ(test, b.first, nr);

	/* Nothing is free within the limits: the search does not look beyond them. */
	steps = space.steps;
	KUNIT_EXPECT_FALSE(test, wdm_iova_space_alloc(&space, &a, 2, nr / 4, nr - 1,
						      WDM_IOVA_ALLOCATED));
	most = max(most, space.steps - steps);

	kunit_info(test, "%u blocks: at most %llu steps\n", nr, most);
	KUNIT_EXPECT_LE(test, most, iova_max_steps(nr));
	kvfree(blocks);
}

static struct kunit_case iova_space_cases[] = {
	KUNIT_CASE_PARAM(iova_space_model, iova_width_gen_params),
	KUNIT_CASE(iova_space_edges),
	KUNIT_CASE(iova_space_smallest),
	KUNIT_CASE_PARAM(iova_space_many, iova_count_gen_params),
	{}
};

static struct kunit_suite iova_space_suite = {
	.name = "wdm_iommu_iova_space",
	.test_cases = iova_space_cases,
};

kunit_test_suite(iova_space_suite);
