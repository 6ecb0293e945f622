// SPDX-License-Identifier: GPL-2.0
/*
 * Batches on fake IOMMUs, compared with a model of their pages.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>

#include "../module/core/os/batch.h"
#include "../module/core/os/token.h"
#include "support/fail_nth.h"
#include "support/fixture.h"
#include "support/page_model.h"

/* 8 MiB from 256 MiB on. */
#define BT_FIRST	BIT_ULL(16)
#define BT_PAGES	2048
#define BT_LAST		(BT_FIRST + BT_PAGES - 1)
#define BT_MDLS		3
#define BT_FAKES	2

struct bt_param {
	const char *name;
	u32 flags;
	unsigned int nr_fakes;
	unsigned long pgsizes[BT_FAKES];
};

/* A single IOMMU with large pages */
static const struct bt_param bt_large = {
	"large pages", 0, 1, { FAKE_PGSIZES_X86 }
};

static const struct bt_param bt_params[] = {
	{ "no IOMMU", 0, 0, { } },
	{ "4K only", 0, 1, { FAKE_PGSIZES_4K } },
	{ "4K 2M 1G", 0, 1, { FAKE_PGSIZES_X86 } },
	{ "every power of two", 0, 1, { FAKE_PGSIZES_AMD } },
	{ "two IOMMUs", 0, 2, { FAKE_PGSIZES_X86, FAKE_PGSIZES_AMD } },
	{ "page granular", WDM_DOMAIN_PAGE_GRANULAR, 2,
	  { FAKE_PGSIZES_AMD, FAKE_PGSIZES_X86 } },
};

static void bt_name(const struct bt_param *param, char *desc)
{
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bt, bt_params, bt_name);

/* The kinds of domains, which allocate differently */
static const struct bt_param bt_memory_params[] = {
	{ "no IOMMU", 0, 0, { } },
	{ "two IOMMUs", 0, 2, { FAKE_PGSIZES_X86, FAKE_PGSIZES_AMD } },
	{ "page granular", WDM_DOMAIN_PAGE_GRANULAR, 1, { FAKE_PGSIZES_X86 } },
};

KUNIT_ARRAY_PARAM(bt_memory, bt_memory_params, bt_name);

/**
 * struct bt - a domain, its model, its IOMMUs, and a batch
 * @fx: the fixture
 * @param: the kind of domain
 * @domain: the domain
 * @model: what is mapped
 * @tm: MDLs to map: contiguous, runs of any length, single pages
 * @fake: the IOMMUs
 * @batch: the batch
 */
struct bt {
	struct fixture *fx;
	const struct bt_param *param;
	struct wdm_domain *domain;
	struct page_model model;
	struct test_mdl *tm[BT_MDLS];
	struct fake_iommu *fake[BT_FAKES];
	struct wdm_batch batch;
};

static struct bt *bt_start(struct kunit *test, const struct bt_param *param)
{
	struct bt *bt = kunit_kzalloc(test, sizeof(*bt), GFP_KERNEL);
	struct fixture *fx = FIXTURE(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, bt);
	bt->fx = fx;
	bt->param = param;
	bt->tm[0] = fixture_mdl_contiguous(fx, WDM_PERMS, 1700, 512);
	bt->tm[1] = fixture_mdl_random(fx, WDM_PERMS, 600, 40);
	bt->tm[2] = fixture_mdl_random(fx, WDM_PERMS, 300, 1);
	bt->domain = fixture_domain(fx, true, param->flags);
	page_model_init(fx, &bt->model, BT_FIRST, BT_PAGES);
	for (i = 0; i < param->nr_fakes; i++) {
		bt->fake[i] = fixture_fake(fx, param->pgsizes[i]);
		bt->fake[i]->minds_stale = true;
		bt->fake[i]->gathers = true;
		KUNIT_ASSERT_STATUS(test,
				    fixture_adopt(bt->domain, bt->fake[i]),
				    STATUS_SUCCESS);
	}
	return bt;
}

/* End the batch that a failed test would leave behind with its locks. */
static struct bt *bt_running;

static void bt_stop(struct bt *bt)
{
	wdm_batch_end(&bt->batch);
	bt_running = NULL;
}

/* Give a hint, in pages relative to the window; negative @last: no hint. */
static void bt_begin(struct bt *bt, s64 first, s64 last)
{
	ntstatus_t status;

	if (last < 0)
		status = wdm_batch_begin(&bt->batch, bt->domain, U64_MAX, 0);
	else
		status = wdm_batch_begin(&bt->batch, bt->domain,
					 BT_FIRST + first, BT_FIRST + last);
	KUNIT_ASSERT_STATUS(bt->fx->test, status, STATUS_SUCCESS);
	bt_running = bt;
}

/* Begin a batch that holds all of the window from its first operation on. */
static void bt_begin_all(struct bt *bt)
{
	bt_begin(bt, 0, BT_PAGES - 1);
}

/**
 * struct bt_op - an operation, in pages relative to the window
 * @mdl: what to map; NULL: unmap
 * @first: the first page
 * @nr: number of pages
 * @mdl_page: the first page of @mdl
 * @perms: WDM_READ, WDM_WRITE
 */
struct bt_op {
	struct wdm_mdl *mdl;
	u64 first;
	u64 nr;
	u64 mdl_page;
	u32 perms;
};

static ntstatus_t bt_try(struct bt *bt, const struct bt_op *op)
{
	u64 logical = (BT_FIRST + op->first) << PAGE_SHIFT;

	if (!op->mdl)
		return wdm_batch_unmap(&bt->batch, logical, op->nr);
	return wdm_batch_map(&bt->batch, op->perms, RANGE(op->mdl, op->mdl_page, op->nr),
			     logical);
}

/* Get the expected status of an operation if no allocation and no driver fails. */
static ntstatus_t bt_foretell(const struct bt *bt, const struct bt_op *op)
{
	unsigned int mapped = page_model_count(&bt->model, BT_FIRST + op->first,
					       op->nr);

	if (op->mdl)
		return mapped ? STATUS_RESOURCE_IN_USE : STATUS_SUCCESS;
	return mapped == op->nr ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

static void bt_apply(struct bt *bt, const struct bt_op *op)
{
	struct wdm_extent ext = {
		.pgno = BT_FIRST + op->first,
		.nr_pages = op->nr,
		.mdl = op->mdl,
		.mdl_page = op->mdl_page,
		.perms = op->perms,
	};

	if (op->mdl)
		page_model_insert(&bt->model, &ext);
	else
		page_model_remove(&bt->model, ext.pgno, ext.nr_pages);
}

/* Perform an operation on the domain and on the model. */
static void bt_do(struct bt *bt, const struct bt_op *op)
{
	ntstatus_t want = bt_foretell(bt, op);

	KUNIT_ASSERT_STATUS(bt->fx->test, bt_try(bt, op), want);
	if (wdm_ok(want))
		bt_apply(bt, op);
}

static void bt_map(struct bt *bt, unsigned int mdl, u64 mdl_page, u64 first,
		   u64 nr)
{
	bt_do(bt, &(struct bt_op) {
		bt->tm[mdl]->mdl, first, nr, mdl_page, WDM_PERMS
	});
}

static void bt_unmap(struct bt *bt, u64 first, u64 nr)
{
	bt_do(bt, &(struct bt_op) { NULL, first, nr });
}

/* Check that the IOMMU maps what the model says; stale translations do not count. */
static void bt_check_fake(struct bt *bt, struct fake_iommu *fake)
{
	struct kunit *test = bt->fx->test;
	const struct model_page *mp;
	struct fake_page fp;
	u64 next = 0, phys;
	int prot;

	KUNIT_ASSERT_EQ(test, fake->mapped,
			page_model_count(&bt->model, BT_FIRST, BT_PAGES));
	KUNIT_ASSERT_EQ(test, fake->torn, 0);
	KUNIT_ASSERT_EQ(test, fake->bad_calls, 0);
	KUNIT_ASSERT_EQ(test, fake->over_stale, 0);
	while (fake_iommu_next(fake, next, &fp)) {
		if (bt->param->flags & WDM_DOMAIN_PAGE_GRANULAR)
			KUNIT_ASSERT_EQ(test, fp.size, SZ_4K);
		for (next = fp.iova; next < fp.iova + fp.size;
		     next += PAGE_SIZE) {
			mp = page_model_at(&bt->model, next >> PAGE_SHIFT);
			KUNIT_ASSERT_TRUE(test, mp && mp->mdl);
			phys = PFN_PHYS(fixture_mdl_pfn(bt->fx, mp->mdl,
							mp->mdl_page));
			KUNIT_ASSERT_EQ(test, fp.phys + (next - fp.iova), phys);
			prot = IOMMU_CACHE;
			prot |= mp->perms & WDM_READ ? IOMMU_READ : 0;
			prot |= mp->perms & WDM_WRITE ? IOMMU_WRITE : 0;
			KUNIT_ASSERT_EQ(test, fp.prot, prot);
		}
	}
}

/* Check whether a device may still reach an unmapped page through the first IOMMU. */
static bool bt_stale(struct bt *bt, u64 page)
{
	return fake_iommu_stale_at(bt->fake[0],
				   (BT_FIRST + page) << PAGE_SHIFT);
}

/* Check in the middle of a batch. */
static void bt_check(struct bt *bt)
{
	struct kunit *test = bt->fx->test;
	unsigned int i;

	for (i = 0; i < bt->param->nr_fakes; i++)
		bt_check_fake(bt, bt->fake[i]);
	KUNIT_ASSERT_TRUE(test, page_model_equals(&bt->model, &bt->domain->mappings));
	/* Unmapped pages may still be in use. */
	for (i = 0; i < BT_MDLS; i++)
		KUNIT_ASSERT_GE(test, wdm_mdl_uses(bt->tm[i]->mdl),
				page_model_uses(&bt->model, bt->tm[i]->mdl));
}

/* End the batch, and check that it has left nothing behind. */
static void bt_end(struct bt *bt)
{
	struct kunit *test = bt->fx->test;
	unsigned int i;

	bt_stop(bt);
	bt_check(bt);
	for (i = 0; i < bt->param->nr_fakes; i++)
		KUNIT_ASSERT_FALSE(test, fake_iommu_stale(bt->fake[i]));
	for (i = 0; i < BT_MDLS; i++)
		KUNIT_ASSERT_EQ(test, wdm_mdl_uses(bt->tm[i]->mdl),
				page_model_uses(&bt->model, bt->tm[i]->mdl));
	KUNIT_ASSERT_FALSE(test, wdm_range_is_locked(&bt->domain->ranges));
}

static struct bt_op bt_random_map(struct bt *bt)
{
	struct rnd_state *rng = &bt->fx->rng;
	struct wdm_extent ext;

	page_model_extent(bt->fx, &bt->model,
			  bt->tm[fixture_below(rng, BT_MDLS)], &ext);
	/* Align the extent so that large pages can be used. */
	if (fixture_once_in(rng, 3)) {
		ext.mdl = bt->tm[0]->mdl;
		ext.pgno = BT_FIRST + 512 * fixture_below(rng, 4);
		ext.mdl_page = 512 * fixture_below(rng, 3);
		ext.nr_pages = 512;
	}
	return (struct bt_op) {
		ext.mdl, ext.pgno - BT_FIRST, ext.nr_pages, ext.mdl_page,
		ext.perms
	};
}

/* Pick any range, or everything that is mapped around its start. */
static struct bt_op bt_random_unmap(struct bt *bt)
{
	struct bt_op op = { };
	u64 first, nr;

	page_model_range(bt->fx, &bt->model, &first, &nr);
	op.first = first - BT_FIRST;
	op.nr = nr;
	if (fixture_once_in(&bt->fx->rng, 2))
		return op;
	op.nr = 1;
	while (op.first && page_model_count(&bt->model, first - 1, 1)) {
		op.first--;
		first--;
		op.nr++;
	}
	while (op.first + op.nr < BT_PAGES &&
	       page_model_count(&bt->model, first + op.nr, 1))
		op.nr++;
	return op;
}

/* Sometimes make a call of a driver fail. */
static struct fake_iommu *bt_inject(struct bt *bt)
{
	struct rnd_state *rng = &bt->fx->rng;
	struct fake_iommu *fake;

	if (!bt->param->nr_fakes || !fixture_once_in(rng, 6))
		return NULL;
	fake = bt->fake[fixture_below(rng, bt->param->nr_fakes)];
	fake_iommu_fail_map(fake, 1 + fixture_below(rng, 6), false);
	return fake;
}

static void bt_random_op(struct bt *bt)
{
	struct bt_op op = fixture_once_in(&bt->fx->rng, 2) ?
			  bt_random_map(bt) : bt_random_unmap(bt);
	struct fake_iommu *injected = bt_inject(bt);
	ntstatus_t status, want = bt_foretell(bt, &op);

	status = bt_try(bt, &op);
	if (injected && !injected->fail_map)
		want = STATUS_INSUFFICIENT_RESOURCES;
	if (injected)
		fake_iommu_fail_map(injected, 0, false);
	KUNIT_ASSERT_STATUS(bt->fx->test, status, want);
	if (wdm_ok(status))
		bt_apply(bt, &op);
}

/* Hints that are right, too small, wrong, or missing */
static void bt_random_begin(struct bt *bt)
{
	u64 first = fixture_below(&bt->fx->rng, BT_PAGES);

	switch (fixture_below(&bt->fx->rng, 3)) {
	case 0:
		bt_begin_all(bt);
		break;
	case 1:
		bt_begin(bt, first,
			 first + fixture_below(&bt->fx->rng, BT_PAGES));
		break;
	default:
		bt_begin(bt, 0, -1);
	}
}

static void batch_random(struct kunit *test)
{
	struct bt *bt = bt_start(test, test->param_value);
	unsigned int i, ops;

	for (i = 0; i < 60; i++) {
		if (bt->fake[0])
			bt->fake[0]->gathers = i % 2;
		bt_random_begin(bt);
		for (ops = fixture_below(&bt->fx->rng, 9); ops; ops--) {
			bt_random_op(bt);
			bt_check(bt);
		}
		bt_end(bt);
	}
}

/* Unmap everything. */
static void bt_clear(struct bt *bt)
{
	u64 page, nr;

	bt_begin_all(bt);
	for (page = 0; page < BT_PAGES; page += nr) {
		nr = 0;
		while (page + nr < BT_PAGES &&
		       page_model_count(&bt->model, BT_FIRST + page + nr, 1))
			nr++;
		if (nr)
			bt_unmap(bt, page, nr);
		nr += !nr;
	}
	bt_end(bt);
}

/* Any number of unmaps causes one sync, and all pages stay in use until then. */
static void batch_one_sync(struct kunit *test)
{
	struct bt *bt = bt_start(test, &bt_large);
	struct fake_iommu *fake = bt->fake[0];
	unsigned int nr, syncs;
	u64 page;

	for (nr = 1; nr < 60; nr += nr) {
		bt_begin_all(bt);
		bt_map(bt, 2, 0, 0, 200);
		bt_map(bt, 1, 0, 1000, 400);
		bt_end(bt);

		syncs = fake->nr_sync;
		bt_begin_all(bt);
		/* Scattered, and in no order */
		for (page = 0; page < nr; page++)
			bt_unmap(bt, page * 37 % 200, 1);
		bt_unmap(bt, 1000, 400);
		KUNIT_EXPECT_EQ(test, fake->nr_sync, syncs);
		for (page = 0; page < nr; page++)
			KUNIT_ASSERT_TRUE(test,
					  bt_stale(bt, page * 37 % 200));
		bt_end(bt);
		KUNIT_EXPECT_EQ(test, fake->nr_sync, syncs + 1);

		bt_clear(bt);
	}
}

/* Maps and failed operations need no sync. */
static void batch_no_sync(struct kunit *test)
{
	struct bt *bt = bt_start(test, &bt_large);
	struct fake_iommu *fake = bt->fake[0];
	unsigned int syncs = fake->nr_sync;

	bt_begin_all(bt);
	bt_end(bt);
	bt_begin_all(bt);
	bt_map(bt, 0, 0, 0, 600);
	bt_map(bt, 2, 5, 700, 200);
	bt_map(bt, 1, 0, 650, 100);
	bt_unmap(bt, 600, 10);
	bt_unmap(bt, 595, 10);
	bt_map(bt, 1, 0, 600, 10);
	KUNIT_EXPECT_EQ(test, page_model_count(&bt->model, BT_FIRST, BT_PAGES),
			810);
	bt_end(bt);
	KUNIT_EXPECT_EQ(test, fake->nr_sync, syncs);
}

/* A map over unmapped pages is preceded by a sync. */
static void batch_map_over(struct kunit *test)
{
	static const struct {
		u64 first, nr;
		unsigned int syncs;
	} rows[] = {
		/* Overlapping pages 100 to 119, and 150 */
		{ 100, 1, 1 }, { 119, 1, 1 }, { 100, 20, 1 }, { 90, 11, 1 },
		{ 119, 5, 1 }, { 150, 1, 1 }, { 150, 9, 1 }, { 90, 70, 1 },
		{ 90, 10, 0 }, { 151, 10, 0 }, { 0, 1, 0 },
	};
	struct bt *bt = bt_start(test, &bt_large);
	struct fake_iommu *fake = bt->fake[0];
	unsigned int i, syncs;

	for (i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		u64 first = rows[i / 2].first, nr = rows[i / 2].nr;

		bt_begin_all(bt);
		bt_map(bt, 2, 0, 100, 20);
		bt_map(bt, 2, 50, 150, 1);
		bt_end(bt);

		syncs = fake->nr_sync;
		bt_begin_all(bt);
		/* In both orders */
		bt_unmap(bt, i % 2 ? 150 : 100, i % 2 ? 1 : 20);
		bt_unmap(bt, i % 2 ? 100 : 150, i % 2 ? 20 : 1);
		bt_map(bt, 1, 20, first, nr);
		KUNIT_EXPECT_EQ(test, fake->nr_sync, syncs + rows[i / 2].syncs);
		KUNIT_EXPECT_EQ(test, fake_iommu_stale(fake),
				!rows[i / 2].syncs);
		bt_check(bt);
		/* The following operations need one more sync. */
		bt_unmap(bt, first, nr);
		bt_end(bt);
		KUNIT_EXPECT_EQ(test, fake->nr_sync,
				syncs + rows[i / 2].syncs + 1);
	}
}

/* Repeatedly in one place, with two IOMMUs */
static void batch_same_page(struct kunit *test)
{
	static const struct bt_param two = {
		"two", 0, 2, { FAKE_PGSIZES_X86, FAKE_PGSIZES_X86 }
	};
	struct bt *bt = bt_start(test, &two);
	unsigned int i, syncs[BT_FAKES];

	bt_begin_all(bt);
	for (i = 0; i < BT_FAKES; i++)
		syncs[i] = bt->fake[i]->nr_sync;
	for (i = 0; i < 20; i++) {
		bt_map(bt, 2, i, 77, 3);
		bt_check(bt);
		bt_unmap(bt, 77, 3);
		bt_check(bt);
	}
	bt_end(bt);
	for (i = 0; i < BT_FAKES; i++)
		KUNIT_EXPECT_EQ(test, bt->fake[i]->nr_sync, syncs[i] + 20);
}

/* A list of operations, some of which are long, and some cut large pages */
static unsigned int bt_long_list(struct bt *bt, struct bt_op *ops)
{
	const struct bt_op list[] = {
		{ bt->tm[0]->mdl, 0, 1024, 0, WDM_PERMS },
		{ bt->tm[2]->mdl, 1100, 200, 50, WDM_READ },
		{ NULL, 700, 1 },
		{ bt->tm[1]->mdl, 1500, 300, 0, WDM_WRITE },
		{ NULL, 100, 50 },
		{ bt->tm[2]->mdl, 100, 50, 0, WDM_PERMS },
		{ NULL, 1200, 100 },
		{ bt->tm[2]->mdl, 1200, 100, 200, WDM_PERMS },
		{ NULL, 1000, 24 },
		{ bt->tm[1]->mdl, 1000, 10, 0, WDM_READ },
		{ NULL, 1650, 150 },
	};

	memcpy(ops, list, sizeof(list));
	return ARRAY_SIZE(list);
}

#define BT_OPS	16

/* Perform a list in a batch; a failing operation does not affect the others. */
static void bt_run_list(struct bt *bt, const struct bt_op *ops, unsigned int nr,
			unsigned int *failures)
{
	struct kunit *test = bt->fx->test;
	ntstatus_t want;
	unsigned int i;

	bt_begin_all(bt);
	for (i = 0; i < nr; i++) {
		ntstatus_t status = bt_try(bt, &ops[i]);

		want = bt_foretell(bt, &ops[i]);
		if (status == STATUS_INSUFFICIENT_RESOURCES)
			(*failures)++;
		else
			KUNIT_ASSERT_STATUS(test, status, want);
		if (wdm_ok(status))
			bt_apply(bt, &ops[i]);
		else
			bt_check(bt);
	}
	bt_end(bt);
}

/* Whichever call of the driver fails, exactly one operation is rolled back. */
static void batch_rollback(struct kunit *test)
{
	const struct bt_param *param = test->param_value;
	struct bt *bt = bt_start(test, param);
	unsigned int nr, nth, i, failures, before;
	struct bt_op ops[BT_OPS];

	nr = bt_long_list(bt, ops);
	for (i = 0; i < param->nr_fakes; i++) {
		failures = 0;
		/* Increase the steps, to reach the end in reasonable time. */
		for (nth = 1; ; nth += 1 + nth / 4) {
			before = failures;
			fake_iommu_fail_map(bt->fake[i], nth, false);
			bt_run_list(bt, ops, nr, &failures);
			if (bt->fake[i]->fail_map)
				break;
			KUNIT_ASSERT_EQ(test, failures, before + 1);
			bt_clear(bt);
		}
		fake_iommu_fail_map(bt->fake[i], 0, false);
		KUNIT_EXPECT_EQ(test, failures, before);
		KUNIT_EXPECT_GT(test, failures, 8);
		bt_clear(bt);
	}
	/* Also without an IOMMU, for the mapping table alone */
	if (!param->nr_fakes) {
		failures = 0;
		bt_run_list(bt, ops, nr, &failures);
		KUNIT_EXPECT_EQ(test, failures, 0);
		bt_clear(bt);
	}
}

/* The same for allocations. Checks allocate, so they come afterwards. */
static void batch_no_memory(struct kunit *test)
{
	struct bt *bt = bt_start(test, test->param_value);
	unsigned int nr, nth, i, failures = 0, now;
	ntstatus_t status[BT_OPS];
	struct bt_op ops[BT_OPS];
	bool failed = true;

	memory_may_fail(test);
	nr = bt_long_list(bt, ops);
	/* Each seed skips different allocations. */
	for (nth = 1; failed; nth += 1 + fixture_below(&bt->fx->rng, 2)) {
		bt_begin_all(bt);
		memory_fail_nth(nth);
		for (i = 0; i < nr; i++)
			status[i] = bt_try(bt, &ops[i]);
		failed = memory_failed();
		for (now = 0, i = 0; i < nr; i++) {
			if (status[i] == STATUS_INSUFFICIENT_RESOURCES)
				now++;
			else
				KUNIT_ASSERT_STATUS(test, status[i],
						    bt_foretell(bt, &ops[i]));
			if (wdm_ok(status[i]))
				bt_apply(bt, &ops[i]);
		}
		KUNIT_ASSERT_LE(test, now, failed);
		failures += now;
		bt_end(bt);
		bt_clear(bt);
	}
	KUNIT_EXPECT_GE(test, failures, 1);
}

/*
 * MDLs that only the domain references are freed when the batch ends, and not before: a
 * device may still reach their memory.
 */
static void batch_mdls(struct kunit *test)
{
	struct bt *bt = bt_start(test, &bt_large);
	struct test_mdl *tm[24];
	unsigned int i;

	bt_begin_all(bt);
	for (i = 0; i < ARRAY_SIZE(tm); i++) {
		tm[i] = fixture_mdl_random(bt->fx, WDM_PERMS, 2, 1);
		bt_do(bt, &(struct bt_op) {
			tm[i]->mdl, 2 * i, 2, 0, WDM_READ
		});
	}
	for (i = 0; i < ARRAY_SIZE(tm); i++)
		fixture_mdl_put(tm[i]);
	/* In the batch in which they were mapped, one page of each */
	for (i = 0; i < ARRAY_SIZE(tm); i++)
		bt_unmap(bt, 2 * i + i % 2, 1);
	bt_end(bt);
	for (i = 0; i < ARRAY_SIZE(tm); i++)
		KUNIT_EXPECT_EQ(test, atomic64_read(&tm[i]->mdl->refs), 1);

	bt_begin_all(bt);
	/* Single pages, then many at once, except the last */
	for (i = 0; i < 10; i++)
		bt_unmap(bt, 2 * i + !(i % 2), 1);
	for (; i + 1 < ARRAY_SIZE(tm); i++)
		bt_unmap(bt, 2 * i + !(i % 2), 1);
	/* Not if the operation fails half-way: its last page is not mapped. */
	bt_unmap(bt, 2 * i, 2);
	/* A sync in between changes nothing. */
	bt_map(bt, 0, 0, 0, 4);
	for (i = 0; i < ARRAY_SIZE(tm); i++) {
		KUNIT_ASSERT_EQ(test, tm[i]->freed, 0);
		KUNIT_EXPECT_EQ(test, atomic64_read(&tm[i]->mdl->refs), 1);
	}
	bt_end(bt);
	for (i = 0; i < ARRAY_SIZE(tm); i++)
		KUNIT_EXPECT_EQ(test, tm[i]->freed, i + 1 < ARRAY_SIZE(tm));
	bt_begin_all(bt);
	bt_unmap(bt, 2 * (ARRAY_SIZE(tm) - 1), 1);
	bt_end(bt);
	KUNIT_EXPECT_EQ(test, tm[ARRAY_SIZE(tm) - 1]->freed, 1);
}

/* Unmap pages of a large page, on both sides of what the batch holds. */
static void batch_cut(struct kunit *test)
{
	struct bt *bt = bt_start(test, &bt_large);
	struct fake_iommu *fake = bt->fake[0];
	struct fake_page fp;

	bt_begin_all(bt);
	bt_map(bt, 0, 0, 512, 1024);
	bt_end(bt);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake, (BT_FIRST + 512) <<
					      PAGE_SHIFT, &fp));
	KUNIT_ASSERT_EQ(test, fp.size, SZ_2M);

	bt_begin(bt, 600, 601);
	bt_unmap(bt, 600, 1);
	bt_check(bt);
	/* It is split by now, but the batch cannot know that. */
	bt_unmap(bt, 601, 1);
	bt_check(bt);
	bt_map(bt, 2, 7, 600, 1);
	bt_check(bt);
	/* Across the edge between the two */
	bt_unmap(bt, 1020, 10);
	bt_check(bt);
	bt_unmap(bt, 1535, 1);
	bt_check(bt);
	bt_map(bt, 0, 508, 1020, 10);
	bt_check(bt);
	bt_unmap(bt, 1024, 2);
	bt_end(bt);
}

/* Out of memory for a split: the large page stays, and so do earlier operations. */
static void batch_cut_fails(struct kunit *test)
{
	struct bt *bt = bt_start(test, &bt_large);
	struct fake_iommu *fake = bt->fake[0];
	unsigned int nth, failures = 0;
	ntstatus_t status;

	bt_begin_all(bt);
	bt_map(bt, 0, 0, 0, 512);
	bt_map(bt, 2, 0, 600, 10);
	bt_end(bt);
	for (nth = 1; ; nth++) {
		const struct bt_op cut = { NULL, 100, 50 };

		bt_begin(bt, 600, 610);
		bt_unmap(bt, 605, 1);
		fake_iommu_fail_map(fake, nth, false);
		status = bt_try(bt, &cut);
		fake_iommu_fail_map(fake, 0, false);
		if (wdm_ok(status))
			break;
		failures++;
		KUNIT_ASSERT_STATUS(test, status,
				    STATUS_INSUFFICIENT_RESOURCES);
		bt_check(bt);
		bt_map(bt, 2, nth, 605, 1);
		bt_end(bt);
	}
	page_model_remove(&bt->model, BT_FIRST + 100, 50);
	bt_end(bt);
	KUNIT_EXPECT_GE(test, failures, 1);
}

/* A call of another thread */
struct bt_call {
	struct bt *bt;
	struct fake_iommu *adopt;	/* NULL: map or unmap a page */
	bool unmap;
	u64 page;
	ntstatus_t status;
	struct completion done;
};

static int bt_call_run(void *data)
{
	struct bt_call *call = data;
	struct bt *bt = call->bt;
	u64 logical = (BT_FIRST + call->page) << PAGE_SHIFT;

	if (call->adopt)
		call->status = fixture_adopt(bt->domain, call->adopt);
	else if (call->unmap)
		call->status = wdm_domain_unmap(bt->domain, logical, 1);
	else
		call->status = wdm_domain_map(bt->domain, WDM_PERMS,
					      RANGE(bt->tm[2]->mdl, 0, 1), logical);
	complete(&call->done);
	return 0;
}

static void bt_call_start(struct bt *bt, struct bt_call *call)
{
	struct task_struct *task;

	call->bt = bt;
	init_completion(&call->done);
	task = kthread_run(bt_call_run, call, "wdm_batch");
	KUNIT_ASSERT_FALSE(bt->fx->test, IS_ERR(task));
}

/* Check that the call has returned, or returns soon. */
static bool bt_call_done(struct bt_call *call)
{
	return wait_for_completion_timeout(&call->done, 20 * HZ);
}

/*
 * Check whether another thread can map or unmap this page now. If it cannot, it must when
 * the batch ends, which this does then.
 */
static void bt_other(struct bt *bt, u64 page, bool unmap, bool at_once)
{
	struct bt_call *call = kunit_kzalloc(bt->fx->test, sizeof(*call),
					     GFP_KERNEL);
	struct kunit *test = bt->fx->test;
	bool ended;

	KUNIT_ASSERT_NOT_NULL(test, call);
	call->page = page;
	call->unmap = unmap;
	bt_call_start(bt, call);
	if (at_once)
		ended = bt_call_done(call);
	else
		ended = wait_for_completion_timeout(&call->done, HZ / 10);
	bt_stop(bt);
	if (!ended)
		KUNIT_ASSERT_TRUE(test, bt_call_done(call));
	KUNIT_EXPECT_EQ_MSG(test, ended, at_once, "page %llu", page);
	KUNIT_EXPECT_STATUS(test, call->status, STATUS_SUCCESS);
}

static void bt_other_maps(struct bt *bt, u64 page, bool at_once)
{
	bt_other(bt, page, false, at_once);
	KUNIT_EXPECT_STATUS(bt->fx->test,
			    wdm_domain_unmap(bt->domain,
					     (BT_FIRST + page) << PAGE_SHIFT,
					     1),
			    STATUS_SUCCESS);
}

/* A batch locks out others from its hint and from the pages that it has touched. */
static void batch_holds(struct kunit *test)
{
	static const struct {
		s64 first, last;
		u64 other;
		bool at_once;
	} rows[] = {
		/* The batch maps page 100, and then unmaps it. */
		{ 0, -1, 100, false }, { 0, -1, 99, true }, { 0, -1, 101, true },
		{ 90, 110, 90, false }, { 90, 110, 110, false },
		{ 90, 110, 89, true }, { 90, 110, 111, true },
		/* Beyond the hint: everything in between, too */
		{ 200, 210, 150, false }, { 200, 210, 205, false },
		{ 200, 210, 211, true }, { 200, 210, 99, true },
		{ 10, 20, 50, false }, { 10, 20, 9, true },
	};
	struct bt *bt = bt_start(test, &bt_large);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bt_begin(bt, rows[i].first, rows[i].last);
		bt_map(bt, 1, 0, 100, 1);
		bt_unmap(bt, 100, 1);
		KUNIT_ASSERT_TRUE(test, fake_iommu_stale(bt->fake[0]));
		bt_other_maps(bt, rows[i].other, rows[i].at_once);
		bt_check(bt);
	}
	/* An empty batch, and one that has not started, lock out nobody. */
	bt_begin_all(bt);
	bt_other_maps(bt, 100, true);
}

/* A split holds the whole large page, and nothing else. */
static void batch_holds_cut(struct kunit *test)
{
	static const struct {
		u64 other;
		bool at_once;
	} rows[] = {
		{ 512, false }, { 599, false }, { 1023, false },
		{ 511, true }, { 1024, true },
	};
	struct bt *bt = bt_start(test, &bt_large);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bt_begin_all(bt);
		bt_map(bt, 0, 0, 512, 512);
		bt_map(bt, 2, 0, 511, 1);
		bt_map(bt, 2, 7, 1024, 1);
		bt_end(bt);
		bt_begin(bt, 600, 600);
		bt_unmap(bt, 600, 1);
		bt_other(bt, rows[i].other, true, rows[i].at_once);
		page_model_remove(&bt->model, BT_FIRST + rows[i].other, 1);
		bt_check(bt);
		bt_clear(bt);
	}
}

/*
 * To reach beyond the range that it holds, a batch releases it: unmapped pages block, and
 * their MDLs are released.
 */
static void batch_beyond_hint(struct kunit *test)
{
	struct bt *bt = bt_start(test, &bt_large);
	struct test_mdl *tm = fixture_mdl_random(bt->fx, WDM_PERMS, 1, 1);
	struct fake_iommu *fake = bt->fake[0];
	unsigned int syncs;

	bt_begin_all(bt);
	bt_do(bt, &(struct bt_op) { tm->mdl, 100, 1, 0, WDM_READ });
	bt_map(bt, 2, 0, 105, 1);
	bt_map(bt, 2, 0, 299, 2);
	fixture_mdl_put(tm);
	bt_end(bt);

	syncs = fake->nr_sync;
	bt_begin(bt, 100, 110);
	bt_unmap(bt, 100, 1);
	bt_unmap(bt, 105, 1);
	KUNIT_EXPECT_EQ(test, fake->nr_sync, syncs);
	KUNIT_EXPECT_EQ(test, tm->freed, 0);
	bt_unmap(bt, 300, 1);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
	KUNIT_EXPECT_FALSE(test, bt_stale(bt, 100));
	KUNIT_EXPECT_TRUE(test, bt_stale(bt, 300));
	/* From then on, both ranges are held. */
	bt_map(bt, 1, 0, 105, 1);
	bt_unmap(bt, 299, 1);
	bt_unmap(bt, 105, 1);
	KUNIT_EXPECT_EQ(test, fake->nr_sync, syncs + 1);
	bt_end(bt);
	KUNIT_EXPECT_EQ(test, fake->nr_sync, syncs + 2);
}

/* A waiting attach runs between two operations. */
static void batch_adopt(struct kunit *test)
{
	struct bt *bt = bt_start(test, &bt_large);
	struct test_mdl *tm = fixture_mdl_random(bt->fx, WDM_PERMS, 1, 1);
	struct bt_call *call = kunit_kzalloc(test, sizeof(*call), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, call);
	bt_begin_all(bt);
	bt_map(bt, 0, 0, 0, 700);
	bt_do(bt, &(struct bt_op) { tm->mdl, 800, 1, 0, WDM_READ });
	fixture_mdl_put(tm);
	bt_unmap(bt, 800, 1);
	bt_unmap(bt, 600, 50);
	/* It has not run yet. */
	call->adopt = fixture_fake(bt->fx, FAKE_PGSIZES_AMD);
	call->adopt->minds_stale = true;
	bt_call_start(bt, call);
	for (i = 0; i < 2000 && !wdm_range_wanted(&bt->domain->ranges); i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_FALSE(test, completion_done(&call->done));
	KUNIT_EXPECT_EQ(test, tm->freed, 0);

	bt_map(bt, 2, 0, 1000, 10);
	/* It has run before that map, even if it has not returned yet. */
	if (list_is_singular(&bt->domain->hwpts)) {
		KUNIT_FAIL(test, "the batch lets nobody in");
		bt_stop(bt);
		KUNIT_EXPECT_TRUE(test, bt_call_done(call));
		return;
	}
	KUNIT_ASSERT_TRUE(test, bt_call_done(call));
	bt_unmap(bt, 1000, 10);
	KUNIT_EXPECT_STATUS(test, call->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, tm->freed, 1);
	/* Everything unmapped earlier blocks. */
	KUNIT_EXPECT_FALSE(test, bt_stale(bt, 600));
	/* Both IOMMUs have the earlier and the later operations. */
	bt_check(bt);
	bt_check_fake(bt, call->adopt);
	bt_unmap(bt, 100, 5);
	bt_map(bt, 1, 0, 100, 5);
	bt_check(bt);
	bt_check_fake(bt, call->adopt);
	bt_end(bt);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(call->adopt));
}

static void batch_parameters(struct kunit *test)
{
	struct bt *bt = bt_start(test, &bt_large);
	struct wdm_domain *caller = fixture_domain(bt->fx, false, 0);
	struct wdm_mdl *ro = fixture_mdl_random(bt->fx, WDM_READ, 4, 2)->mdl;
	struct wdm_mdl *mdl = bt->tm[2]->mdl;
	u64 at = BT_FIRST << PAGE_SHIFT, top = -PAGE_SIZE;
	struct wdm_batch *batch = &bt->batch;
	unsigned int i;

	KUNIT_EXPECT_STATUS(test, wdm_batch_begin(batch, caller, 0, 10),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_FALSE(test, wdm_range_is_locked(&caller->ranges));
	/* First without a held range, then between operations */
	bt_begin(bt, 0, -1);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_STATUS(test, wdm_batch_map(batch, 0, RANGE(mdl, 0, 1), at),
				    STATUS_INVALID_PARAMETER_2);
		KUNIT_EXPECT_STATUS(test, wdm_batch_map(batch, 5, RANGE(mdl, 0, 1), at),
				    STATUS_INVALID_PARAMETER_2);
		KUNIT_EXPECT_STATUS(test, wdm_batch_map(batch, 2, RANGE(ro, 0, 1), at),
				    STATUS_ACCESS_DENIED);
		KUNIT_EXPECT_STATUS(test, wdm_batch_map(batch, 3, RANGE(mdl, 0, 0), at),
				    STATUS_INVALID_PARAMETER_3);
		KUNIT_EXPECT_STATUS(test, wdm_batch_map(batch, 3, RANGE(mdl, 299, 2), at),
				    STATUS_INVALID_PARAMETER_3);
		KUNIT_EXPECT_STATUS(test, wdm_batch_map(batch, 3, RANGE(mdl, 0, 1), at + 1),
				    STATUS_INVALID_PARAMETER_4);
		KUNIT_EXPECT_STATUS(test, wdm_batch_map(batch, 3, RANGE(mdl, 0, 2), top),
				    STATUS_INVALID_PARAMETER_4);
		KUNIT_EXPECT_STATUS(test, wdm_batch_unmap(batch, at + 1, 1),
				    STATUS_INVALID_PARAMETER_2);
		KUNIT_EXPECT_STATUS(test, wdm_batch_unmap(batch, at, 0),
				    STATUS_INVALID_PARAMETER_3);
		KUNIT_EXPECT_STATUS(test, wdm_batch_unmap(batch, top, 2),
				    STATUS_INVALID_PARAMETER_3);
		KUNIT_EXPECT_STATUS(test, wdm_batch_unmap(batch, at, U64_MAX),
				    STATUS_INVALID_PARAMETER_3);
		/* The aperture ends below. */
		KUNIT_EXPECT_STATUS(test, wdm_batch_map(batch, 3, RANGE(mdl, 0, 1), top),
				    STATUS_CONFLICTING_ADDRESSES);
		bt_check(bt);
		bt_map(bt, 2, 0, i, 1);
	}
	bt_end(bt);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&bt->domain->mappings), 2);
}

/* A thread that revokes a group in the middle of an operation */
struct batch_taker {
	struct kunit *test;
	struct wdm_domain *domain;
	u64 pages;
	u64 blocks;
	u64 charged;
	struct completion done;
};

static int batch_taker(void *data)
{
	struct batch_taker *taker = data;
	struct wdm_range all;

	wdm_range_lock_urgent(&taker->domain->ranges, &all, false);
	taker->pages = wdm_mappings_pages(&taker->domain->mappings);
	taker->blocks = taker->domain->space.nr;
	if (taker->domain->budget)
		taker->charged = atomic64_read(&taker->domain->budget->used);
	wdm_domain_unlock(taker->domain, &all);
	complete(&taker->done);
	return 0;
}

static void batch_taker_start(struct kunit *test, struct batch_taker *taker)
{
	struct task_struct *task;
	unsigned int i;

	init_completion(&taker->done);
	task = kthread_run(batch_taker, taker, "wdm_taker");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < 2000 && !wdm_range_urgent(&taker->domain->ranges); i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_FALSE(test, completion_done(&taker->done));
}

/* The revocation runs during the operation, not after it. */
static void batch_taker_end(struct kunit *test, struct batch_taker *taker)
{
	bool urgent = wdm_range_urgent(&taker->domain->ranges);

	KUNIT_EXPECT_FALSE(test, urgent);
	if (!urgent)
		fixture_wait(test, &taker->done);
}

#define STEP_PAGES	20000

static void batch_check_take(struct kunit *test, u32 flags, const struct test_mdl *tm,
			     unsigned long pgsizes, u64 pgno)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, flags);
	struct fake_iommu *fake = fixture_fake(fx, pgsizes);
	struct wdm_extent ext = {
		.pgno = pgno, .nr_pages = STEP_PAGES,
		.mdl = tm->mdl, .perms = WDM_READ,
	};
	u64 last_pgno = wdm_extent_end(&ext) - 1;
	struct batch_taker *taker = kunit_kzalloc(test, sizeof(*taker), GFP_KERNEL);
	struct wdm_batch *batch = kunit_kzalloc(test, sizeof(*batch), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, taker);
	KUNIT_ASSERT_NOT_NULL(test, batch);
	taker->domain = domain;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_batch_begin(batch, domain, ext.pgno, last_pgno),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_batch_hold(batch, ext.pgno, last_pgno),
			    STATUS_SUCCESS);

	batch_taker_start(test, taker);
	KUNIT_EXPECT_STATUS(test, wdm_batch_map_extent(batch, &ext), STATUS_SUCCESS);
	batch_taker_end(test, taker);
	KUNIT_EXPECT_GT(test, taker->pages, 0);
	KUNIT_EXPECT_LT(test, taker->pages, STEP_PAGES);

	KUNIT_EXPECT_STATUS(test, wdm_batch_prepare(batch, ext.pgno, last_pgno),
			    STATUS_SUCCESS);
	batch_taker_start(test, taker);
	wdm_batch_remove(batch, ext.pgno, last_pgno);
	batch_taker_end(test, taker);
	KUNIT_EXPECT_GT(test, taker->pages, 0);
	KUNIT_EXPECT_LT(test, taker->pages, STEP_PAGES);
	wdm_batch_end(batch);
	KUNIT_EXPECT_EQ(test, fake->mapped, 0);
	KUNIT_EXPECT_EQ(test, fake->torn, 0);
}

/* Long maps and unmaps yield to revocations. */
static void batch_yields(struct kunit *test)
{
	batch_check_take(test, WDM_DOMAIN_PAGE_GRANULAR,
			 fixture_mdl_random(FIXTURE(test), WDM_PERMS, STEP_PAGES, 4),
			 FAKE_PGSIZES_AMD, BT_FIRST);
}

/* So do those of contiguous memory, if no large page can map it. */
static void batch_yields_contiguous(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, STEP_PAGES, 512);

	batch_check_take(test, WDM_DOMAIN_PAGE_GRANULAR, tm, FAKE_PGSIZES_X86, 512 * 64);
	batch_check_take(test, 0, tm, FAKE_PGSIZES_4K, 512 * 64);
	batch_check_take(test, 0, tm, FAKE_PGSIZES_X86, 512 * 64 + 1);
	batch_check_take(test, 0, tm, FAKE_PGSIZES_AMD, 512 * 64 + 256);
}

/* A step that ends inside a page of medium size extends to the end of that page only. */
static void batch_yields_medium(struct kunit *test)
{
	const u64 medium = SZ_64M >> PAGE_SHIFT;
	struct fixture *fx = FIXTURE(test);
	u64 *pfns = kunit_kmalloc_array(test, STEP_PAGES, sizeof(*pfns), GFP_KERNEL);
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, pfns);
	/* So many single pages follow it that a step is short. */
	fx->next_pfn = roundup(fx->next_pfn, medium);
	for (i = 0; i < STEP_PAGES; i++) {
		pfns[i] = fx->next_pfn;
		fx->next_pfn += i < medium ? 1 : 2;
	}
	batch_check_take(test, 0, fixture_mdl(fx, WDM_PERMS, pfns, STEP_PAGES),
			 SZ_4K | SZ_2M | SZ_64M, medium * 8);
}

/* Map all pages of an MDL, and unmap them: first all but a few at both ends. */
static void batch_check_steps(struct kunit *test, unsigned long pgsizes,
			      const struct test_mdl *tm, u64 pgno)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct fake_iommu *fake = fixture_fake(fx, pgsizes);
	u64 iova = pgno << PAGE_SHIFT, few = 5, rest = STEP_PAGES - few;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, STEP_PAGES),
					   iova), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_unmap(domain, iova + (few << PAGE_SHIFT), rest - few),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, 2 * few);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&domain->mappings), 2 * few);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, iova, few), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_unmap(domain, iova + (rest << PAGE_SHIFT), few),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, 0);
	KUNIT_EXPECT_EQ(test, fake->torn, 0);
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(tm->mdl), 0);
}

/* The steps of a long unmap end where no large page does, wherever the runs end. */
static void batch_steps(struct kunit *test)
{
	static const u64 pgnos[] = { 0, 100, 512 * 3 + 1, 512 * 64 };
	static const unsigned long pgsizes[] = { FAKE_PGSIZES_X86, FAKE_PGSIZES_AMD };
	struct fixture *fx = FIXTURE(test);
	struct test_mdl *tm[3];
	unsigned int i, j, k;

	tm[0] = fixture_mdl_random(fx, WDM_PERMS, STEP_PAGES, 4);
	tm[1] = fixture_mdl_random(fx, WDM_PERMS, STEP_PAGES, 2000);
	tm[2] = fixture_mdl_contiguous(fx, WDM_PERMS, STEP_PAGES, 512 * 64);
	for (i = 0; i < ARRAY_SIZE(pgnos); i++)
		for (j = 0; j < ARRAY_SIZE(pgsizes); j++)
			for (k = 0; k < ARRAY_SIZE(tm); k++)
				batch_check_steps(test, pgsizes[j], tm[k], pgnos[i]);
}

/* An unmap syncs after each GiB or so, as the sync frees all page tables of what it unmaps. */
static void batch_syncs_long(struct kunit *test)
{
	const u64 part = SZ_1G >> PAGE_SHIFT, nr_parts = 8, few = part / 128;
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct fake_iommu *fake = fixture_fake(fx, SZ_4K | SZ_2M);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, part, 512);
	struct wdm_batch *batch = kunit_kzalloc(test, sizeof(*batch), GFP_KERNEL);
	unsigned int way, syncs;
	u64 i, counted;

	KUNIT_ASSERT_NOT_NULL(test, batch);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	fake->gathers = true;
	for (way = 0; way < 2; way++) {
		for (i = 0; i < nr_parts; i++)
			KUNIT_ASSERT_STATUS(test,
					    wdm_domain_map(domain, WDM_READ,
							   RANGE(tm->mdl, 0, part),
							   SZ_1G * i),
					    STATUS_SUCCESS);
		syncs = fake->nr_sync;
		counted = atomic64_read(&domain->counters.syncs);
		KUNIT_ASSERT_STATUS(test,
				    wdm_batch_begin(batch, domain, 0, nr_parts * part - 1),
				    STATUS_SUCCESS);
		/* With one operation, then with many */
		if (!way)
			KUNIT_EXPECT_STATUS(test,
					    wdm_batch_unmap(batch, 0, nr_parts * part),
					    STATUS_SUCCESS);
		for (i = 0; way && i < nr_parts * part; i += few)
			KUNIT_EXPECT_STATUS(test,
					    wdm_batch_unmap(batch, i << PAGE_SHIFT, few),
					    STATUS_SUCCESS);
		wdm_batch_end(batch);
		KUNIT_EXPECT_EQ(test, fake->mapped, 0);
		KUNIT_EXPECT_LE(test, fake->max_unsynced, (u64)SZ_1G + SZ_256M);
		/* No more often than that, either */
		KUNIT_EXPECT_LE(test, fake->nr_sync - syncs, nr_parts);
		KUNIT_EXPECT_EQ(test, atomic64_read(&domain->counters.syncs) - counted,
				fake->nr_sync - syncs);
	}
}

static void batch_taker_hook(struct fake_iommu *fake)
{
	struct batch_taker *taker = fake->hook_data;

	batch_taker_start(taker->test, taker);
}

#define BLOCKS		300

/* An unmap of many allocated blocks yields between them. */
static void batch_yields_blocks(struct kunit *test)
{
	const struct wdm_domain_config config = { .type = WDM_TYPE_TRANSLATE, .width = 40 };
	const struct wdm_limits limits = WDM_NO_LIMITS;
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain_ex(fx, &config);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 1, 1);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_4K);
	struct batch_taker *taker = kunit_kzalloc(test, sizeof(*taker), GFP_KERNEL);
	u64 first = U64_MAX, iova, i;

	KUNIT_ASSERT_NOT_NULL(test, taker);
	taker->test = test;
	taker->domain = domain;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	for (i = 0; i < BLOCKS; i++) {
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_map_alloc(domain, WDM_READ,
							 RANGE(tm->mdl, 0, 1), &limits,
							 &iova), STATUS_SUCCESS);
		first = min(first, iova);
	}
	KUNIT_ASSERT_EQ(test, domain->space.nr, BLOCKS);
	/* The last call of the driver is the only one; from then on, no page is mapped. */
	fake->hook = batch_taker_hook;
	fake->hook_data = taker;
	fake->hook_at = 1;
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, first, BLOCKS), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, fake->hook_at, 0);
	batch_taker_end(test, taker);
	KUNIT_EXPECT_EQ(test, taker->pages, 0);
	KUNIT_EXPECT_GE(test, taker->blocks, BLOCKS - 1);
	KUNIT_EXPECT_EQ(test, domain->space.nr, 0);
}

/* So does a token that cannot be created, while it frees its nodes. */
static void batch_yields_token(struct kunit *test)
{
	const u64 nr_nodes = 1024, iova = SZ_1G;
	const struct wdm_limits limits = WDM_NO_LIMITS;
	struct fixture *fx = FIXTURE(test);
	const struct wdm_domain_config config = {
		.type = WDM_TYPE_TRANSLATE,
		.budget = fixture_budget(fx, SZ_64M),
	};
	struct wdm_domain *domain = fixture_domain_ex(fx, &config);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_4K);
	struct batch_taker *taker = kunit_kzalloc(test, sizeof(*taker), GFP_KERNEL);
	struct wdm_token *token;

	KUNIT_ASSERT_NOT_NULL(test, taker);
	taker->test = test;
	taker->domain = domain;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	/* All nodes are there when the IOMMU driver gets its first call, which fails. */
	fake->hook = batch_taker_hook;
	fake->hook_data = taker;
	fake->hook_at = 1;
	fake_iommu_fail_map(fake, 1, true);
	KUNIT_EXPECT_STATUS(test,
			    wdm_token_create(domain, nr_nodes << (PAGE_SHIFT + WDM_REGION_BITS),
					     &iova, &limits, &token),
			    STATUS_INSUFFICIENT_RESOURCES);
	fake_iommu_fail_map(fake, 0, false);
	KUNIT_ASSERT_EQ(test, fake->hook_at, 0);
	batch_taker_end(test, taker);
	/* A node charges more than 2 KiB. */
	KUNIT_EXPECT_GT(test, taker->charged, nr_nodes / 2 * SZ_2K);
	KUNIT_EXPECT_EQ(test, domain->space.nr, 0);
}

/* A split replaces only the page that spans the cut, in each hwpt. */
static void batch_cut_sizes(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	const u64 pages = SZ_2M >> PAGE_SHIFT, cut = pages / 2 + 5;
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct fake_iommu *large = fixture_fake(fx, SZ_4K | SZ_64K | SZ_2M);
	struct fake_iommu *small = fixture_fake(fx, SZ_4K | SZ_64K);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, pages, pages);
	struct fake_page was, is;
	u64 at;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, large), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, small), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, pages), SZ_2M),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(large, SZ_2M, &was));
	KUNIT_ASSERT_EQ(test, was.size, SZ_2M);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(small, SZ_2M, &was));
	KUNIT_ASSERT_EQ(test, was.size, SZ_64K);

	KUNIT_ASSERT_STATUS(test, wdm_domain_unmap(domain, SZ_2M + (cut << PAGE_SHIFT), 1),
			    STATUS_SUCCESS);
	for (at = SZ_2M; at < 2 * SZ_2M; at += SZ_64K) {
		KUNIT_ASSERT_TRUE(test, fake_iommu_at(small, at, &is));
		if (at >> 16 == (SZ_2M + (cut << PAGE_SHIFT)) >> 16)
			continue;
		/* No other page has been unmapped, even for a moment. */
		KUNIT_EXPECT_EQ(test, is.size, SZ_64K);
		KUNIT_EXPECT_EQ(test, is.serial, was.serial + ((at - SZ_2M) >> 16));
	}
	KUNIT_EXPECT_EQ(test, small->mapped, pages - 1);
	KUNIT_EXPECT_EQ(test, large->mapped, pages - 1);
	KUNIT_EXPECT_EQ(test, large->torn + small->torn, 0);
}

static void batch_exit(struct kunit *test)
{
	if (bt_running)
		bt_stop(bt_running);
	fixture_exit(test);
}

static struct kunit_case batch_cases[] = {
	KUNIT_CASE_PARAM(batch_random, bt_gen_params),
	KUNIT_CASE(batch_one_sync),
	KUNIT_CASE(batch_no_sync),
	KUNIT_CASE(batch_map_over),
	KUNIT_CASE(batch_same_page),
	KUNIT_CASE_PARAM(batch_rollback, bt_gen_params),
	KUNIT_CASE_PARAM(batch_no_memory, bt_memory_gen_params),
	KUNIT_CASE(batch_mdls),
	KUNIT_CASE(batch_cut),
	KUNIT_CASE(batch_cut_fails),
	KUNIT_CASE(batch_holds),
	KUNIT_CASE(batch_holds_cut),
	KUNIT_CASE(batch_beyond_hint),
	KUNIT_CASE(batch_adopt),
	KUNIT_CASE(batch_parameters),
	KUNIT_CASE(batch_yields),
	KUNIT_CASE(batch_yields_contiguous),
	KUNIT_CASE(batch_yields_medium),
	KUNIT_CASE(batch_yields_blocks),
	KUNIT_CASE(batch_yields_token),
	KUNIT_CASE_SLOW(batch_steps),
	KUNIT_CASE_SLOW(batch_syncs_long),
	KUNIT_CASE(batch_cut_sizes),
	{}
};

static struct kunit_suite batch_suite = {
	.name = "wdm_iommu_batch",
	.init = fixture_init,
	.exit = batch_exit,
	.test_cases = batch_cases,
};

kunit_test_suite(batch_suite);
