// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs: runs compared with a plain array, references and uses.
 */
#include <kunit/test.h>
#include <linux/minmax.h>

#include "support/fixture.h"

/* Count the contiguous pages from @page on, one by one. */
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

/* Page frames in descending order, or one repeatedly, are runs of 1. */
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

/* Uses keep an MDL after its creator has dropped its reference. */
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

	/* Repeated use and unuse */
	for (i = 0; i < 5; i++) {
		wdm_mdl_use(mdl, 1 + i);
		wdm_mdl_unuse(mdl, 1 + i);
	}
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(mdl), 0);

	wdm_mdl_use(mdl, 4);
	fixture_mdl_put(tm);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);
	wdm_mdl_unuse(mdl, 1);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);
	wdm_mdl_unuse(mdl, 3);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
}

static struct kunit_case mdl_cases[] = {
	KUNIT_CASE(mdl_runs),
	KUNIT_CASE(mdl_odd_runs),
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
