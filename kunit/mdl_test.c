// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs: runs against a plain array, numbers, references and uses.
 */
#include <kunit/test.h>
#include <linux/minmax.h>

#include "support/fixture.h"

/* How many pages from @page on are contiguous, counted one by one. */
static u64 mdl_slow_run(const struct test_mdl *tm, u64 page, u64 max_pages)
{
	u64 nr = 1;

	while (nr < max_pages && page + nr < tm->nr_pages &&
	       tm->pfns[page + nr] == tm->pfns[page + nr - 1] + 1)
		nr++;
	return nr;
}

static void mdl_check_runs(struct kunit *test, struct test_mdl *tm)
{
	static const u64 limits[] = { 1, 2, 5, U32_MAX, WDM_MDL_MAX_PAGES };
	u64 page, pfn, run;
	unsigned int i;

	for (page = 0; page < tm->nr_pages; page++) {
		for (i = 0; i < ARRAY_SIZE(limits); i++) {
			pfn = 0;
			run = wdm_pages_run(&tm->mdl->pages, page,
					    limits[i], &pfn);
			KUNIT_ASSERT_EQ(test, pfn, tm->pfns[page]);
			KUNIT_ASSERT_EQ(test, run,
					mdl_slow_run(tm, page, limits[i]));
		}
	}
}

static void mdl_runs(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	unsigned int i;

	mdl_check_runs(test, fixture_mdl_random(fx, WDM_PERMS, 1, 1));
	mdl_check_runs(test, fixture_mdl_contiguous(fx, WDM_PERMS, 100, 1));
	for (i = 0; i < 30; i++)
		mdl_check_runs(test, fixture_mdl_random(fx, WDM_PERMS,
							1 + fixture_below(&fx->rng, 200),
							1 + fixture_below(&fx->rng, 40)));
}

/* Page frames in falling order, or one again and again, are runs of 1. */
static void mdl_odd_runs(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	u64 pfns[16];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pfns); i++)
		pfns[i] = FIXTURE_NO_RAM_PFN - i;
	mdl_check_runs(test, fixture_mdl(fx, WDM_READ, pfns, ARRAY_SIZE(pfns)));
	for (i = 0; i < ARRAY_SIZE(pfns); i++)
		pfns[i] = FIXTURE_NO_RAM_PFN;
	mdl_check_runs(test, fixture_mdl(fx, WDM_READ, pfns, ARRAY_SIZE(pfns)));
}

static void mdl_numbers(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct test_mdl *tm[20];
	unsigned int i, j;
	u32 id;

	for (i = 0; i < ARRAY_SIZE(tm); i++) {
		tm[i] = fixture_mdl_random(fx, WDM_READ, 3, 2);
		KUNIT_EXPECT_EQ(test, tm[i]->mdl->access, WDM_READ);
		KUNIT_EXPECT_EQ(test, tm[i]->mdl->pages.nr_pages, 3);
		KUNIT_EXPECT_NE(test, tm[i]->mdl->id, 0);
		KUNIT_EXPECT_LT(test, tm[i]->mdl->id, BIT(WDM_MDL_ID_BITS));
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, tm[i]->mdl->id, tm[j]->mdl->id);
	}
	for (i = 0; i < ARRAY_SIZE(tm); i++)
		KUNIT_EXPECT_PTR_EQ(test, wdm_mdl_by_id(tm[i]->mdl->id),
				    tm[i]->mdl);

	/* What was given back is given out again. */
	id = tm[7]->mdl->id;
	fixture_mdl_put(tm[7]);
	KUNIT_EXPECT_EQ(test, tm[7]->freed, 1);
	tm[7] = fixture_mdl_random(fx, WDM_READ, 3, 2);
	KUNIT_EXPECT_EQ(test, tm[7]->mdl->id, id);
	KUNIT_EXPECT_PTR_EQ(test, wdm_mdl_by_id(id), tm[7]->mdl);
}

/* More than a block of numbers, coming and going in any order */
static void mdl_many_numbers(struct kunit *test)
{
	const unsigned int nr = 1100;
	struct fixture *fx = FIXTURE(test);
	struct test_mdl **tm = kunit_kcalloc(test, nr, sizeof(*tm), GFP_KERNEL);
	unsigned int i, turn;
	u32 highest = 0;

	KUNIT_ASSERT_NOT_NULL(test, tm);
	for (turn = 0; turn < 4 * nr; turn++) {
		i = turn < nr ? turn : fixture_below(&fx->rng, nr);
		if (tm[i]) {
			KUNIT_ASSERT_PTR_EQ(test, wdm_mdl_by_id(tm[i]->mdl->id),
					    tm[i]->mdl);
			fixture_mdl_put(tm[i]);
			tm[i] = NULL;
			continue;
		}
		tm[i] = fixture_mdl_random(fx, WDM_READ, 1, 1);
		KUNIT_ASSERT_NE(test, tm[i]->mdl->id, 0);
		highest = max(highest, tm[i]->mdl->id);
	}
	/* Numbers are not taken while others are free. */
	KUNIT_EXPECT_LT(test, highest, 2 * nr);
	for (i = 0; i < nr; i++) {
		if (!tm[i])
			continue;
		KUNIT_ASSERT_PTR_EQ(test, wdm_mdl_by_id(tm[i]->mdl->id),
				    tm[i]->mdl);
		fixture_mdl_put(tm[i]);
	}
}

/* Uses keep an MDL after its maker has let go of it, references too. */
static void mdl_lifetime(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 10, 3);
	struct wdm_mdl *mdl = tm->mdl;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(mdl), 0);
	wdm_mdl_use(mdl, 7);
	KUNIT_EXPECT_NE(test, wdm_mdl_uses(mdl), 0);
	wdm_mdl_use(mdl, 3);
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(mdl), 10);
	wdm_mdl_unuse(mdl, 10);
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(mdl), 0);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);

	/* In use and out again, as often as one likes. */
	for (i = 0; i < 5; i++) {
		wdm_mdl_use(mdl, 1 + i);
		wdm_mdl_unuse(mdl, 1 + i);
	}
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(mdl), 0);

	wdm_mdl_use(mdl, 4);
	fixture_mdl_put(tm);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);
	KUNIT_EXPECT_PTR_EQ(test, wdm_mdl_by_id(mdl->id), mdl);
	wdm_mdl_unuse(mdl, 1);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);
	wdm_mdl_unuse(mdl, 3);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
}

static struct kunit_case mdl_cases[] = {
	KUNIT_CASE(mdl_runs),
	KUNIT_CASE(mdl_odd_runs),
	KUNIT_CASE(mdl_numbers),
	KUNIT_CASE_SLOW(mdl_many_numbers),
	KUNIT_CASE(mdl_lifetime),
	{}
};

static struct kunit_suite mdl_suite = {
	.name = "wdm_iommu_mdl",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = mdl_cases,
};

kunit_test_suite(mdl_suite);
