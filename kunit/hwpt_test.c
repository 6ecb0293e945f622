// SPDX-License-Identifier: GPL-2.0
/*
 * HWPTs: scattered pages, mapped with few calls.
 */
#include <kunit/test.h>
#include <linux/kernel.h>

#include "../module/compat/sync.h"
#include "../module/compat/unmap.h"
#include "support/fail_nth.h"
#include "support/fixture.h"

#define HW_IOVA		SZ_1G
#define HW_PAGES	600

/**
 * struct hwt - a hwpt
 * @fx: the fixture
 * @fake: its IOMMU
 * @hwpt: the hwpt, which owns the IOMMU's domain
 */
struct hwt {
	struct fixture *fx;
	struct fake_iommu *fake;
	struct wdm_hwpt *hwpt;
};

static void hwpt_start(struct kunit *test, struct hwt *t, unsigned long pgsizes)
{
	t->fx = FIXTURE(test);
	t->fake = fixture_fake(t->fx, pgsizes);
	t->fake->minds_stale = true;
	t->hwpt = wdm_hwpt_create(&t->fake->domain, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->hwpt);
}

static void hwpt_end(struct hwt *t)
{
	KUNIT_EXPECT_EQ(t->fx->test, t->fake->over_stale, 0);
	wdm_hwpt_destroy(t->hwpt);
}

/* Check that nothing is left, mapped or stale. */
static void hwpt_check_empty(struct hwt *t)
{
	KUNIT_ASSERT_EQ(t->fx->test, t->fake->mapped, 0);
	KUNIT_ASSERT_FALSE(t->fx->test, fake_iommu_stale(t->fake));
	KUNIT_ASSERT_EQ(t->fx->test, t->fake->bad_calls, 0);
}

/* Check that exactly these pages are mapped, for reading only. */
static void hwpt_check(struct hwt *t, const struct test_mdl *tm, u64 page,
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

static ntstatus_t hwpt_map(struct hwt *t, const struct test_mdl *tm, u64 page,
			   u64 nr_pages, enum wdm_pgsize pgsize)
{
	struct wdm_mapping map = {
		.iova = HW_IOVA,
		.pages = &tm->mdl->pages,
		.page = page,
		.nr_pages = nr_pages,
		.perms = WDM_READ,
		.pgsize = pgsize,
	};

	return wdm_hwpt_map(t->hwpt, &map, true);
}

static void hwpt_unmap(struct hwt *t, u64 nr_pages)
{
	wdm_hwpt_unmap_sync(t->hwpt, HW_IOVA, nr_pages << PAGE_SHIFT);
	hwpt_check_empty(t);
}

/* Numbers around those at which a list is full */
static const unsigned int hwpt_counts[] = {
	1, 2, 7, 8, 9, 15, 16, 17, 127, 128, 129, 130, 255, 256, 257, 384, 500,
};

/* Separate pages: as many runs as pages */
static void hwpt_scattered(struct kunit *test)
{
	struct test_mdl *tm;
	struct hwt t;
	unsigned int i;

	hwpt_start(test, &t, FAKE_PGSIZES_X86);
	tm = fixture_mdl_random(t.fx, WDM_PERMS, HW_PAGES, 1);
	KUNIT_ASSERT_EQ(test, tm->mdl->pages.nr_runs, HW_PAGES);
	for (i = 0; i < ARRAY_SIZE(hwpt_counts); i++) {
		/* From the start, and from the middle */
		KUNIT_ASSERT_STATUS(test, hwpt_map(&t, tm, 0, hwpt_counts[i],
						   WDM_PGSIZE_ANY),
				    STATUS_SUCCESS);
		hwpt_check(&t, tm, 0, hwpt_counts[i], SZ_4K);
		hwpt_unmap(&t, hwpt_counts[i]);
		KUNIT_ASSERT_STATUS(test, hwpt_map(&t, tm, 77, hwpt_counts[i],
						   WDM_PGSIZE_MIN),
				    STATUS_SUCCESS);
		hwpt_check(&t, tm, 77, hwpt_counts[i], SZ_4K);
		hwpt_unmap(&t, hwpt_counts[i]);
	}
	hwpt_end(&t);
}

static const struct hwpt_kind {
	const char *name;
	unsigned long pgsizes;
	bool unmap_exact;
} hwpt_kinds[] = {
	{ "4K only", FAKE_PGSIZES_4K, false },
	{ "4K 2M 1G", FAKE_PGSIZES_X86, false },
	{ "every power of two", FAKE_PGSIZES_AMD, false },
	{ "4K 2M 1G, a call a page", FAKE_PGSIZES_X86, true },
	{ "every power of two, a call a page", FAKE_PGSIZES_AMD, true },
};

static void hwpt_kind_name(const struct hwpt_kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hwpt, hwpt_kinds, hwpt_kind_name);

/* Runs of all lengths, and any part of them */
static void hwpt_runs(struct kunit *test)
{
	const struct hwpt_kind *kind = test->param_value;
	enum wdm_pgsize pgsize;
	struct test_mdl *tm;
	struct hwt t;
	unsigned int i;
	u64 page, nr;

	hwpt_start(test, &t, kind->pgsizes);
	t.hwpt->unmap_exact = kind->unmap_exact;
	for (i = 0; i < 40; i++) {
		pgsize = i % 2 ? WDM_PGSIZE_MIN : WDM_PGSIZE_ANY;
		tm = fixture_mdl_random(t.fx, WDM_PERMS, HW_PAGES,
					1 + i * i / 4);
		page = fixture_below(&t.fx->rng, HW_PAGES);
		nr = 1 + fixture_below(&t.fx->rng, HW_PAGES - page);
		KUNIT_ASSERT_STATUS(test, hwpt_map(&t, tm, page, nr, pgsize),
				    STATUS_SUCCESS);
		hwpt_check(&t, tm, page, nr,
			   pgsize == WDM_PGSIZE_MIN ? SZ_4K : SZ_1G);
		hwpt_unmap(&t, nr);
	}
	hwpt_end(&t);
}

/* Large pages where they are allowed, and nowhere else */
static void hwpt_pgsizes(struct kunit *test)
{
	const struct hwpt_kind *kind = test->param_value;
	u64 nr = 3 * 512 + 100;
	struct test_mdl *tm;
	struct fake_page fp;
	struct hwt t;

	hwpt_start(test, &t, kind->pgsizes);
	t.hwpt->unmap_exact = kind->unmap_exact;
	tm = fixture_mdl_contiguous(t.fx, WDM_PERMS, nr, 512);
	KUNIT_ASSERT_STATUS(test, hwpt_map(&t, tm, 0, nr, WDM_PGSIZE_MIN),
			    STATUS_SUCCESS);
	hwpt_check(&t, tm, 0, nr, SZ_4K);
	hwpt_unmap(&t, nr);

	/* Start in the middle of one, so that the first is cut. */
	KUNIT_ASSERT_STATUS(test, hwpt_map(&t, tm, 512, nr - 512,
					   WDM_PGSIZE_ANY), STATUS_SUCCESS);
	hwpt_check(&t, tm, 512, nr - 512, SZ_1G);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(t.fake, HW_IOVA + SZ_2M, &fp));
	KUNIT_EXPECT_GE(test, fp.size,
			kind->pgsizes == FAKE_PGSIZES_4K ? SZ_4K : SZ_2M);
	hwpt_unmap(&t, nr - 512);
	hwpt_end(&t);
}

/*
 * Pages that are contiguous with others, but not in this order: no pieces may be merged
 * into larger pages than wanted.
 */
static void hwpt_pieces(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	u64 base = FIXTURE_NO_RAM_PFN + 1024, *pfns, i, nr = 0;
	struct test_mdl *tm;
	struct hwt t;

	hwpt_start(test, &t, FAKE_PGSIZES_AMD);
	pfns = kunit_kmalloc_array(test, HW_PAGES, sizeof(*pfns), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	for (i = 0; i < 200; i++)
		pfns[nr++] = base + 2 * i;
	for (i = 0; i < 200; i++)
		pfns[nr++] = base + 4096 + i;
	for (i = 0; i < 200; i++)
		pfns[nr++] = base + 2 * i + 1;
	tm = fixture_mdl(fx, WDM_PERMS, pfns, nr);
	KUNIT_ASSERT_STATUS(test, hwpt_map(&t, tm, 0, nr, WDM_PGSIZE_MIN),
			    STATUS_SUCCESS);
	hwpt_check(&t, tm, 0, nr, SZ_4K);
	hwpt_unmap(&t, nr);
	KUNIT_ASSERT_STATUS(test, hwpt_map(&t, tm, 0, nr, WDM_PGSIZE_ANY),
			    STATUS_SUCCESS);
	hwpt_check(&t, tm, 0, nr, SZ_512K);
	hwpt_unmap(&t, nr);
	hwpt_end(&t);
}

/* Whichever call of the driver fails, nothing stays mapped. */
static void hwpt_map_fails(struct kunit *test)
{
	static const enum wdm_pgsize pgsizes[] = {
		WDM_PGSIZE_ANY, WDM_PGSIZE_MIN,
	};
	struct test_mdl *tm;
	unsigned int i, nth, failures = 0;
	ntstatus_t status;
	struct hwt t;

	hwpt_start(test, &t, FAKE_PGSIZES_AMD);
	tm = fixture_mdl_random(t.fx, WDM_PERMS, HW_PAGES, 3);
	for (i = 0; i < 4; i++) {
		for (nth = 1; ; nth += 1 + nth / 16) {
			/* Only this call, or all from this one on */
			fake_iommu_fail_map(t.fake, nth, i / 2);
			status = hwpt_map(&t, tm, 0, HW_PAGES, pgsizes[i % 2]);
			fake_iommu_fail_map(t.fake, 0, false);
			if (wdm_ok(status))
				break;
			failures++;
			KUNIT_ASSERT_STATUS(test, status,
					    STATUS_INSUFFICIENT_RESOURCES);
			hwpt_check_empty(&t);
		}
		hwpt_check(&t, tm, 0, HW_PAGES, i % 2 ? SZ_4K : SZ_1G);
		hwpt_unmap(&t, HW_PAGES);
	}
	KUNIT_EXPECT_GT(test, failures, 50);
	hwpt_end(&t);
}

/* Mapping works without memory for a list. */
static void hwpt_no_memory(struct kunit *test)
{
	struct test_mdl *tm;
	unsigned int i, failed = 0;
	ntstatus_t status;
	struct hwt t;

	memory_may_fail(test);
	hwpt_start(test, &t, FAKE_PGSIZES_X86);
	tm = fixture_mdl_random(t.fx, WDM_PERMS, HW_PAGES, 2);
	for (i = 0; i < ARRAY_SIZE(hwpt_counts); i++) {
		/* Few pieces need no list; the allocation of a page table would fail instead. */
		if (hwpt_counts[i] > 8)
			memory_fail_nth(1);
		status = hwpt_map(&t, tm, 5, hwpt_counts[i], WDM_PGSIZE_ANY);
		failed += hwpt_counts[i] > 8 && memory_failed();
		KUNIT_ASSERT_STATUS(test, status, STATUS_SUCCESS);
		hwpt_check(&t, tm, 5, hwpt_counts[i], SZ_4K);
		hwpt_unmap(&t, hwpt_counts[i]);
	}
	KUNIT_EXPECT_GE(test, failed, 8);
	/* The driver fails as well. */
	for (i = 1; i <= 400; i += 21) {
		memory_fail_nth(1);
		fake_iommu_fail_map(t.fake, i, false);
		status = hwpt_map(&t, tm, 5, 500, WDM_PGSIZE_ANY);
		fake_iommu_fail_map(t.fake, 0, false);
		KUNIT_ASSERT_TRUE(test, memory_failed());
		if (wdm_ok(status)) {
			hwpt_unmap(&t, 500);
			break;
		}
		KUNIT_ASSERT_STATUS(test, status,
				    STATUS_INSUFFICIENT_RESOURCES);
		hwpt_check_empty(&t);
	}
	KUNIT_EXPECT_GT(test, i, 200);
	hwpt_end(&t);
}

typedef size_t hwpt_unmap_fn(struct iommu_domain *domain, unsigned long iova,
			     size_t size, struct iommu_iotlb_gather *gather);

/**
 * struct hwpt_range - a range to unmap
 * @iova: the first byte
 * @size: number of bytes
 */
struct hwpt_range {
	u64 iova;
	u64 size;
};

/* Unmap ranges with one gather. Return the number of syncs. */
static unsigned int hwpt_unmap_ranges(struct kunit *test, hwpt_unmap_fn *unmap,
				      struct fake_iommu *fake,
				      const struct hwpt_range *ranges,
				      unsigned int nr)
{
	unsigned int i, syncs = fake->nr_sync;
	struct iommu_iotlb_gather gather;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, 0,
				iommu_map(&fake->domain, ranges[i].iova,
					  PFN_PHYS(FIXTURE_NO_RAM_PFN) +
					  ranges[i].iova, ranges[i].size,
					  IOMMU_READ, GFP_KERNEL));
	iommu_iotlb_gather_init(&gather);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, ranges[i].size,
				unmap(&fake->domain, ranges[i].iova,
				      ranges[i].size, &gather));
	iommu_iotlb_sync(&fake->domain, &gather);
	KUNIT_ASSERT_FALSE(test, fake_iommu_stale(fake));
	KUNIT_ASSERT_EQ(test, fake->mapped, 0);
	return fake->nr_sync - syncs;
}

/* Ranges of any size, some of them adjacent */
static void hwpt_random_ranges(struct fixture *fx, struct hwpt_range *ranges,
			       unsigned int nr)
{
	u64 next = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (fixture_once_in(&fx->rng, 2))
			next += fixture_below(&fx->rng, 1024) << PAGE_SHIFT;
		if (fixture_once_in(&fx->rng, 3))
			next = round_up(next, SZ_2M);
		ranges[i].iova = next;
		ranges[i].size = fixture_once_in(&fx->rng, 3) ? SZ_2M :
				 (1 + fixture_below(&fx->rng, 1200)) << PAGE_SHIFT;
		next += ranges[i].size;
	}
}

/*
 * With a driver that frees tables like Intel's before Linux 6.19, the unmap of compat/
 * frees no table before its own range is flushed, without additional syncs.
 */
static void hwpt_tables(struct kunit *test)
{
	static const struct hwpt_range across = { SZ_2M - SZ_4K, 513 * SZ_4K };
	static const struct hwpt_range apart[] = {
		{ SZ_64M, SZ_4K }, { SZ_128M, SZ_2M },
	};
	struct fixture *fx = FIXTURE(test);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct fake_iommu *plain = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct hwpt_range ranges[8];
	unsigned int i, nr, syncs;

	fake->frees_tables = true;
	plain->frees_tables = true;
	/* The driver's bug shows easily. */
	hwpt_unmap_ranges(test, iommu_unmap_fast, plain, &across, 1);
	KUNIT_EXPECT_EQ(test, plain->freed_early, 1);
	hwpt_unmap_ranges(test, iommu_unmap_fast, plain, apart, 2);
	KUNIT_EXPECT_EQ(test, plain->freed_early, 2);

	hwpt_unmap_ranges(test, wdm_compat_iommu_unmap_fast, fake, &across, 1);
	hwpt_unmap_ranges(test, wdm_compat_iommu_unmap_fast, fake, apart, 2);
	for (i = 0; i < 100; i++) {
		nr = 1 + fixture_below(&fx->rng, ARRAY_SIZE(ranges));
		hwpt_random_ranges(fx, ranges, nr);
		syncs = hwpt_unmap_ranges(test, wdm_compat_iommu_unmap_fast,
					  fake, ranges, nr);
		KUNIT_ASSERT_LE(test, syncs,
				hwpt_unmap_ranges(test, iommu_unmap_fast, plain,
						  ranges, nr));
		KUNIT_ASSERT_EQ(test, fake->freed_early, 0);
	}
	KUNIT_EXPECT_GT(test, fake->freed_tables, 100);

	/* A driver that ignores the size gets no additional syncs. */
	fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	fake->gathers = true;
	KUNIT_EXPECT_EQ(test, 1,
			hwpt_unmap_ranges(test, wdm_compat_iommu_unmap_fast,
					  fake, apart, 2));
}

/* Unmap ranges with one sync. Return whether a device still reaches some of them. */
static bool hwpt_sync_misses(struct kunit *test, struct fake_iommu *fake,
			     void (*sync)(struct iommu_domain *domain,
					  struct iommu_iotlb_gather *gather),
			     const struct hwpt_range *ranges, unsigned int nr)
{
	struct iommu_iotlb_gather gather;
	unsigned int i;
	bool misses;

	iommu_iotlb_gather_init(&gather);
	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				iommu_map(&fake->domain, ranges[i].iova,
					  PFN_PHYS(FIXTURE_NO_RAM_PFN) + ranges[i].iova,
					  ranges[i].size, IOMMU_READ, GFP_KERNEL));
		KUNIT_ASSERT_EQ(test, ranges[i].size,
				iommu_unmap_fast(&fake->domain, ranges[i].iova,
						 ranges[i].size, &gather));
	}
	sync(&fake->domain, &gather);
	misses = fake_iommu_stale(fake);
	iommu_flush_iotlb_all(&fake->domain);
	return misses;
}

/* With a driver that flushes like Intel's before Linux 6.10, compat/ misses no page. */
static void hwpt_sync(struct kunit *test)
{
	static const struct hwpt_range apart[] = { { SZ_4K, SZ_4K }, { SZ_2G, SZ_2M } };
	static const struct hwpt_range across = { 3 * SZ_4K, 2 * SZ_4K };
	struct fixture *fx = FIXTURE(test);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct hwpt_range ranges[4];
	unsigned int i, nr, syncs;

	fake->gathers = true;
	fake->aligns_down = true;
	/* The driver's bug shows easily. */
	KUNIT_EXPECT_TRUE(test, hwpt_sync_misses(test, fake, iommu_iotlb_sync, &across, 1));

	syncs = fake->nr_sync;
	KUNIT_EXPECT_FALSE(test, hwpt_sync_misses(test, fake, wdm_compat_iotlb_sync,
						  &across, 1));
	KUNIT_EXPECT_EQ(test, fake->nr_sync - syncs, 2);
	KUNIT_EXPECT_FALSE(test, hwpt_sync_misses(test, fake, wdm_compat_iotlb_sync,
						  apart, ARRAY_SIZE(apart)));
	KUNIT_EXPECT_EQ(test, fake->nr_sync - syncs, 5);
	for (i = 0; i < 100; i++) {
		nr = 1 + fixture_below(&fx->rng, ARRAY_SIZE(ranges));
		hwpt_random_ranges(fx, ranges, nr);
		KUNIT_ASSERT_FALSE(test, hwpt_sync_misses(test, fake,
							  wdm_compat_iotlb_sync,
							  ranges, nr));
	}
}

/*
 * A map that fails halfway is undone by the IOMMU core, with drivers like these: no table is
 * freed before its own range is flushed, and no page can be reached any more.
 */
static void hwpt_undo(struct kunit *test)
{
	struct test_mdl *tm, *scattered;
	unsigned int nth, failed = 0;
	struct fake_iommu *plain;
	ntstatus_t status;
	struct hwt t;

	hwpt_start(test, &t, FAKE_PGSIZES_X86);
	/* Not aligned like its address: pages of 4 KiB only */
	tm = fixture_mdl_contiguous(t.fx, WDM_PERMS, 4 * 512, 512);
	scattered = fixture_mdl_random(t.fx, WDM_PERMS, 4 * 512, 40);
	plain = fixture_fake(t.fx, FAKE_PGSIZES_X86);
	plain->frees_tables = true;
	fake_iommu_fail_map(plain, 1, false);
	KUNIT_EXPECT_NE(test, 0,
			iommu_map(&plain->domain, SZ_2M - 3 * SZ_4K,
				  PFN_PHYS(tm->pfns[0]), 4 * SZ_2M, IOMMU_READ,
				  GFP_KERNEL));
	KUNIT_EXPECT_GT(test, plain->freed_early, 0);

	for (nth = 1; nth <= 80; nth++) {
		struct wdm_mapping map = {
			.iova = HW_IOVA + SZ_2M - 3 * SZ_4K,
			.pages = nth <= 2 ? &tm->mdl->pages : &scattered->mdl->pages,
			.page = 1,
			.nr_pages = 3 * 512 + 10,
			.perms = WDM_READ,
			.pgsize = WDM_PGSIZE_ANY,
		};

		t.fake->frees_tables = nth % 2;
		t.fake->aligns_down = !(nth % 2);
		fake_iommu_fail_map(t.fake, nth, true);
		status = wdm_hwpt_map(t.hwpt, &map, true);
		fake_iommu_fail_map(t.fake, 0, false);
		if (wdm_ok(status)) {
			wdm_hwpt_unmap_sync(t.hwpt, map.iova, map.nr_pages << PAGE_SHIFT);
			break;
		}
		failed++;
		KUNIT_ASSERT_EQ(test, t.fake->mapped, 0);
		KUNIT_ASSERT_FALSE(test, fake_iommu_stale(t.fake));
		KUNIT_ASSERT_EQ(test, t.fake->freed_early, 0);
	}
	KUNIT_EXPECT_GT(test, failed, 20);
	iommu_flush_iotlb_all(&t.fake->domain);
	hwpt_end(&t);
}

static void hwpt_revoke(struct fake_iommu *fake)
{
	atomic_inc(fake->hook_data);
}

/* An attach that fills a hwpt backs off soon, whatever the length of the runs. */
static void hwpt_backs_off(struct kunit *test)
{
	const u64 nr_pages = SZ_256M >> PAGE_SHIFT, run = SZ_2M >> PAGE_SHIFT;
	u64 *pfns = kvmalloc_array(nr_pages, sizeof(*pfns), GFP_KERNEL);
	atomic_t revoking = ATOMIC_INIT(0);
	struct test_mdl *tm;
	struct hwt t;
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, pfns);
	hwpt_start(test, &t, FAKE_PGSIZES_4K);
	for (i = 0; i < nr_pages; i++)
		pfns[i] = FIXTURE_NO_RAM_PFN + i + i / run;
	tm = fixture_mdl(t.fx, WDM_PERMS, pfns, nr_pages);
	kvfree(pfns);
	KUNIT_ASSERT_EQ(test, tm->mdl->pages.nr_runs, nr_pages / run);
	t.hwpt->revoking = &revoking;
	t.fake->hook = hwpt_revoke;
	t.fake->hook_data = &revoking;
	t.fake->hook_at = 1;
	KUNIT_EXPECT_STATUS(test, hwpt_map(&t, tm, 0, nr_pages, WDM_PGSIZE_ANY),
			    STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, atomic_read(&revoking), 1);
	KUNIT_EXPECT_LE(test, t.fake->mapped, SZ_64M >> PAGE_SHIFT);
	/* Only debug kernels undo what was mapped in a hwpt that is freed anyway. */
	if (t.fake->mapped)
		wdm_hwpt_unmap_sync(t.hwpt, HW_IOVA, t.fake->mapped << PAGE_SHIFT);
	hwpt_check_empty(&t);
	hwpt_end(&t);
}

static struct kunit_case hwpt_cases[] = {
	KUNIT_CASE(hwpt_scattered),
	KUNIT_CASE_PARAM(hwpt_runs, hwpt_gen_params),
	KUNIT_CASE_PARAM(hwpt_pgsizes, hwpt_gen_params),
	KUNIT_CASE(hwpt_pieces),
	KUNIT_CASE(hwpt_map_fails),
	KUNIT_CASE(hwpt_no_memory),
	KUNIT_CASE(hwpt_tables),
	KUNIT_CASE(hwpt_sync),
	KUNIT_CASE(hwpt_undo),
	KUNIT_CASE(hwpt_backs_off),
	{}
};

static struct kunit_suite hwpt_suite = {
	.name = "wdm_iommu_hwpt",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = hwpt_cases,
};

kunit_test_suite(hwpt_suite);
