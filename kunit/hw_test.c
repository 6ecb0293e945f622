// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware domains: pages here and there in memory, mapped by few calls.
 */
#include <kunit/test.h>
#include <linux/kernel.h>

#include "fail_nth.h"
#include "fixture.h"

#define HW_IOVA		SZ_1G
#define HW_PAGES	600

/**
 * struct hwt - a hardware domain
 * @fx: the fixture
 * @fake: its IOMMU
 * @hw: the hardware domain, which owns the IOMMU's domain
 */
struct hwt {
	struct fixture *fx;
	struct fake_iommu *fake;
	struct wdm_hw *hw;
};

static void hw_start(struct kunit *test, struct hwt *t, unsigned long pgsizes)
{
	t->fx = FIXTURE(test);
	t->fake = fixture_fake(t->fx, pgsizes);
	t->fake->minds_stale = true;
	t->hw = wdm_hw_create(&t->fake->domain);
	KUNIT_ASSERT_NOT_NULL(test, t->hw);
}

static void hw_end(struct hwt *t)
{
	KUNIT_EXPECT_EQ(t->fx->test, t->fake->over_stale, 0);
	wdm_hw_destroy(t->hw);
}

/* Nothing is left, be it mapped or stale. */
static void hw_check_empty(struct hwt *t)
{
	KUNIT_ASSERT_EQ(t->fx->test, t->fake->mapped, 0);
	KUNIT_ASSERT_FALSE(t->fx->test, fake_iommu_stale(t->fake));
	KUNIT_ASSERT_EQ(t->fx->test, t->fake->bad_calls, 0);
}

/* Page by page, these are mapped, for reading only, and nothing else is. */
static void hw_check(struct hwt *t, const struct test_mdl *tm, u64 page,
		     u64 nr_pages, u64 max_size)
{
	struct kunit *test = t->fx->test;
	struct fake_page fp;
	u64 i, iova;

	KUNIT_ASSERT_EQ(test, t->fake->mapped, nr_pages);
	KUNIT_ASSERT_EQ(test, t->fake->bad_calls, 0);
	for (i = 0; i < nr_pages; i++) {
		iova = HW_IOVA + (i << PAGE_SHIFT);
		KUNIT_ASSERT_TRUE(test, fake_iommu_at(t->fake, iova, &fp));
		KUNIT_ASSERT_EQ_MSG(test, fp.phys + (iova - fp.iova),
				    PFN_PHYS(tm->pfns[page + i]),
				    "page %llu", i);
		KUNIT_ASSERT_EQ(test, fp.prot, IOMMU_READ | IOMMU_CACHE);
		KUNIT_ASSERT_LE(test, fp.size, max_size);
	}
}

static ntstatus_t hw_map(struct hwt *t, const struct test_mdl *tm, u64 page,
			 u64 nr_pages, enum wdm_granule granule)
{
	return wdm_hw_map(t->hw, HW_IOVA, &tm->mdl->pages, page, nr_pages,
			  WDM_READ, granule);
}

static void hw_unmap(struct hwt *t, u64 nr_pages)
{
	wdm_hw_unmap_sync(t->hw, HW_IOVA, nr_pages << PAGE_SHIFT);
	hw_check_empty(t);
}

/* Numbers around those at which something is full */
static const unsigned int hw_counts[] = {
	1, 2, 7, 8, 9, 15, 16, 17, 127, 128, 129, 130, 255, 256, 257, 384, 500,
};

/* Every page by itself, as many runs as pages */
static void hw_scattered(struct kunit *test)
{
	struct test_mdl *tm;
	struct hwt t;
	unsigned int i;

	hw_start(test, &t, FAKE_PGSIZES_X86);
	tm = fixture_mdl_random(t.fx, WDM_PERMS, HW_PAGES, 1);
	KUNIT_ASSERT_EQ(test, tm->mdl->pages.nr_runs, HW_PAGES);
	for (i = 0; i < ARRAY_SIZE(hw_counts); i++) {
		/* From the start, and from inside */
		KUNIT_ASSERT_STATUS(test, hw_map(&t, tm, 0, hw_counts[i],
						 WDM_GRANULE_LARGE),
				    STATUS_SUCCESS);
		hw_check(&t, tm, 0, hw_counts[i], SZ_4K);
		hw_unmap(&t, hw_counts[i]);
		KUNIT_ASSERT_STATUS(test, hw_map(&t, tm, 77, hw_counts[i],
						 WDM_GRANULE_PAGE),
				    STATUS_SUCCESS);
		hw_check(&t, tm, 77, hw_counts[i], SZ_4K);
		hw_unmap(&t, hw_counts[i]);
	}
	hw_end(&t);
}

static const struct hw_kind {
	const char *name;
	unsigned long pgsizes;
	bool whole_maps;
} hw_kinds[] = {
	{ "4K only", FAKE_PGSIZES_4K, false },
	{ "4K 2M 1G", FAKE_PGSIZES_X86, false },
	{ "every power of two", FAKE_PGSIZES_AMD, false },
	{ "4K 2M 1G, a call a page", FAKE_PGSIZES_X86, true },
	{ "every power of two, a call a page", FAKE_PGSIZES_AMD, true },
};

static void hw_kind_name(const struct hw_kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hw, hw_kinds, hw_kind_name);

/* Runs of all lengths, and any part of them */
static void hw_runs(struct kunit *test)
{
	const struct hw_kind *kind = test->param_value;
	enum wdm_granule granule;
	struct test_mdl *tm;
	struct hwt t;
	unsigned int i;
	u64 page, nr;

	hw_start(test, &t, kind->pgsizes);
	t.hw->whole_maps = kind->whole_maps;
	for (i = 0; i < 40; i++) {
		granule = i % 2 ? WDM_GRANULE_PAGE : WDM_GRANULE_LARGE;
		tm = fixture_mdl_random(t.fx, WDM_PERMS, HW_PAGES,
					1 + i * i / 4);
		page = fixture_below(&t.fx->rng, HW_PAGES);
		nr = 1 + fixture_below(&t.fx->rng, HW_PAGES - page);
		KUNIT_ASSERT_STATUS(test, hw_map(&t, tm, page, nr, granule),
				    STATUS_SUCCESS);
		hw_check(&t, tm, page, nr,
			 granule == WDM_GRANULE_PAGE ? SZ_4K : SZ_1G);
		hw_unmap(&t, nr);
	}
	hw_end(&t);
}

/* Large pages where they are wanted, and nowhere else */
static void hw_granules(struct kunit *test)
{
	const struct hw_kind *kind = test->param_value;
	u64 nr = 3 * 512 + 100;
	struct test_mdl *tm;
	struct fake_page fp;
	struct hwt t;

	hw_start(test, &t, kind->pgsizes);
	t.hw->whole_maps = kind->whole_maps;
	tm = fixture_mdl_contiguous(t.fx, WDM_PERMS, nr, 512);
	KUNIT_ASSERT_STATUS(test, hw_map(&t, tm, 0, nr, WDM_GRANULE_PAGE),
			    STATUS_SUCCESS);
	hw_check(&t, tm, 0, nr, SZ_4K);
	hw_unmap(&t, nr);

	/* From the middle of one, so that the first is cut */
	KUNIT_ASSERT_STATUS(test, hw_map(&t, tm, 512, nr - 512,
					 WDM_GRANULE_LARGE), STATUS_SUCCESS);
	hw_check(&t, tm, 512, nr - 512, SZ_1G);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(t.fake, HW_IOVA + SZ_2M, &fp));
	KUNIT_EXPECT_GE(test, fp.size,
			kind->pgsizes == FAKE_PGSIZES_4K ? SZ_4K : SZ_2M);
	hw_unmap(&t, nr - 512);
	hw_end(&t);
}

/*
 * A run that ends where the next part of memory begins, by page frames, and other
 * ones between them: the pieces must not be joined to what is larger than a page.
 */
static void hw_pieces(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	u64 base = FIXTURE_NO_RAM_PFN + 1024, *pfns, i, nr = 0;
	struct test_mdl *tm;
	struct hwt t;

	hw_start(test, &t, FAKE_PGSIZES_AMD);
	pfns = kunit_kmalloc_array(test, HW_PAGES, sizeof(*pfns), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	for (i = 0; i < 200; i++)
		pfns[nr++] = base + 2 * i;
	for (i = 0; i < 200; i++)
		pfns[nr++] = base + 4096 + i;
	for (i = 0; i < 200; i++)
		pfns[nr++] = base + 2 * i + 1;
	tm = fixture_mdl(fx, WDM_PERMS, pfns, nr);
	KUNIT_ASSERT_STATUS(test, hw_map(&t, tm, 0, nr, WDM_GRANULE_PAGE),
			    STATUS_SUCCESS);
	hw_check(&t, tm, 0, nr, SZ_4K);
	hw_unmap(&t, nr);
	KUNIT_ASSERT_STATUS(test, hw_map(&t, tm, 0, nr, WDM_GRANULE_LARGE),
			    STATUS_SUCCESS);
	hw_check(&t, tm, 0, nr, SZ_512K);
	hw_unmap(&t, nr);
	hw_end(&t);
}

/* Whichever call of the driver fails, nothing is left. */
static void hw_map_fails(struct kunit *test)
{
	static const enum wdm_granule granules[] = {
		WDM_GRANULE_LARGE, WDM_GRANULE_PAGE,
	};
	struct test_mdl *tm;
	unsigned int i, nth, failures = 0;
	ntstatus_t status;
	struct hwt t;

	hw_start(test, &t, FAKE_PGSIZES_AMD);
	tm = fixture_mdl_random(t.fx, WDM_PERMS, HW_PAGES, 3);
	for (i = 0; i < 4; i++) {
		for (nth = 1; ; nth += 1 + nth / 16) {
			/* Only this one, or all from it on */
			fake_iommu_fail_map(t.fake, nth, i / 2);
			status = hw_map(&t, tm, 0, HW_PAGES, granules[i % 2]);
			fake_iommu_fail_map(t.fake, 0, false);
			if (!wdm_failed(status))
				break;
			failures++;
			KUNIT_ASSERT_STATUS(test, status,
					    STATUS_INSUFFICIENT_RESOURCES);
			hw_check_empty(&t);
		}
		hw_check(&t, tm, 0, HW_PAGES, i % 2 ? SZ_4K : SZ_1G);
		hw_unmap(&t, HW_PAGES);
	}
	KUNIT_EXPECT_GT(test, failures, 50);
	hw_end(&t);
}

/* It does without memory for a list, and more slowly. */
static void hw_no_memory(struct kunit *test)
{
	struct test_mdl *tm;
	unsigned int i, failed = 0;
	ntstatus_t status;
	struct hwt t;

	memory_may_fail(test);
	hw_start(test, &t, FAKE_PGSIZES_X86);
	tm = fixture_mdl_random(t.fx, WDM_PERMS, HW_PAGES, 2);
	for (i = 0; i < ARRAY_SIZE(hw_counts); i++) {
		memory_fail_nth(1);
		status = hw_map(&t, tm, 5, hw_counts[i], WDM_GRANULE_LARGE);
		failed += memory_failed();
		KUNIT_ASSERT_STATUS(test, status, STATUS_SUCCESS);
		hw_check(&t, tm, 5, hw_counts[i], SZ_4K);
		hw_unmap(&t, hw_counts[i]);
	}
	KUNIT_EXPECT_GE(test, failed, 8);
	/* And the driver fails, too. */
	for (i = 1; i <= 400; i += 21) {
		memory_fail_nth(1);
		fake_iommu_fail_map(t.fake, i, false);
		status = hw_map(&t, tm, 5, 500, WDM_GRANULE_LARGE);
		fake_iommu_fail_map(t.fake, 0, false);
		KUNIT_ASSERT_TRUE(test, memory_failed());
		if (!wdm_failed(status)) {
			hw_unmap(&t, 500);
			break;
		}
		KUNIT_ASSERT_STATUS(test, status,
				    STATUS_INSUFFICIENT_RESOURCES);
		hw_check_empty(&t);
	}
	KUNIT_EXPECT_GT(test, i, 200);
	hw_end(&t);
}

static struct kunit_case hw_cases[] = {
	KUNIT_CASE(hw_scattered),
	KUNIT_CASE_PARAM(hw_runs, hw_gen_params),
	KUNIT_CASE_PARAM(hw_granules, hw_gen_params),
	KUNIT_CASE(hw_pieces),
	KUNIT_CASE(hw_map_fails),
	KUNIT_CASE(hw_no_memory),
	{}
};

static struct kunit_suite hw_suite = {
	.name = "wdm_iommu_hw",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = hw_cases,
};

kunit_test_suite(hw_suite);
