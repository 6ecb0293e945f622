// SPDX-License-Identifier: GPL-2.0
/*
 * Caller-managed domains: any call yields to attach and detach after a bounded piece of
 * work, and everything is right afterwards.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "support/fixture.h"
#include "support/caller_tables.h"

#define YIELD_TABLES	8
#define YIELD_LEAVES	(YIELD_TABLES * 512)

/* Where more memory is added */
#define YIELD_MORE	(4ULL * SZ_1G)
#define YIELD_GIANT	(SZ_1G / SZ_4K)

static const struct tables_kind yield_kind = {
	"x86-64, 4 levels", false, 48, 4, 512
};

/**
 * struct yield - a call that is interrupted
 * @t: the caller
 * @visitor: an IOMMU that the domain adopts while the call runs
 * @go: the call is in the middle
 * @done: the visitor has been adopted
 * @status: of the adoption
 * @at_go: number of calls of the IOMMU driver when the visitor began to wait
 * @at_in: the number when the call yielded
 * @pages_at_go: number of mapped pages when the visitor began to wait
 * @pages_at_in: the number when the call yielded
 * @call: the call, if it is to be killed
 * @vas: addresses for it
 * @over: it has been killed
 * @victim: the thread that makes it
 */
struct yield {
	struct tables *t;
	struct fake_iommu *visitor;
	struct completion go;
	struct completion done;
	ntstatus_t status;
	unsigned int at_go;
	unsigned int at_in;
	u64 pages_at_go;
	u64 pages_at_in;
	ntstatus_t (*call)(struct yield *y);
	u64 *vas;
	struct completion over;
	struct task_struct *victim;
};

static unsigned int yield_calls(const struct yield *y)
{
	return y->t->fake->nr_map + y->t->fake->nr_unmap;
}

static int yield_visit(void *data)
{
	struct yield *y = data;
	struct wdm_range all;

	wait_for_completion(&y->go);
	wdm_range_lock_all(&y->t->domain->ranges, &all, false);
	y->at_in = yield_calls(y);
	y->pages_at_in = y->t->fake->mapped;
	wdm_domain_unlock(y->t->domain, &all);
	y->status = fixture_adopt(y->t->domain, y->visitor);
	complete(&y->done);
	return 0;
}

/* In the middle of the call: continue once the visitor waits. */
static void yield_hook(struct fake_iommu *fake)
{
	unsigned long end = jiffies + 10 * HZ;
	struct yield *y = fake->hook_data;

	y->at_go = yield_calls(y);
	y->pages_at_go = y->t->fake->mapped;
	complete(&y->go);
	while (!wdm_range_wanted(&y->t->domain->ranges) &&
	       time_before(jiffies, end))
		usleep_range(100, 200);
}

/* The call has returned. If it made too few calls of the driver, a thread still waits. */
static void yield_is_over(struct yield *y)
{
	if (!y->t->fake->hook_at)
		return;
	y->t->fake->hook_at = 0;
	complete(&y->go);
}

static struct yield *yield_start(struct kunit *test)
{
	struct yield *y = kunit_kzalloc(test, sizeof(*y), GFP_KERNEL);
	struct tables *t;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, y);
	t = tables_start(test, &yield_kind);
	y->t = t;
	init_completion(&y->go);
	init_completion(&y->done);
	init_completion(&y->over);
	/* With all page sizes, anything contiguous is one call. */
	t->fake->domain.pgsize_bitmap = FAKE_PGSIZES_AMD;
	y->visitor = fixture_fake(t->fx, FAKE_PGSIZES_AMD);
	t->fake->hook = yield_hook;
	t->fake->hook_data = y;
	/* Three tables above, and the tables of leaves */
	for (i = 0; i < 2; i++)
		*tables_entry(t, i, 0) = tables_pointer(t, tables_page(i + 1));
	for (i = 0; i < YIELD_TABLES; i++)
		*tables_entry(t, 2, i) = tables_pointer(t, tables_page(i + 3));
	return y;
}

/* No leaf continues the one before, so each is a call of the driver. */
static void yield_fill(struct yield *y, unsigned int generation)
{
	unsigned int i;

	for (i = 0; i < YIELD_LEAVES; i++)
		*tables_entry(y->t, 3, i) =
			tables_pointer(y->t, TABLES_DATA_A + PAGE_SIZE *
				       ((i * 5 + generation * 7) % 512));
}

static ntstatus_t yield_configure(struct yield *y, bool translate)
{
	struct wdm_walk_error walk_error;
	struct wdm_pt_config config;

	tables_config(y->t, &config);
	config.translation_enabled = translate;
	return wdm_domain_configure(y->t->domain, &config, &walk_error);
}

/* Start the visitor at the @nth call of the driver from now. */
static void yield_arm(struct kunit *test, struct yield *y, unsigned int nth)
{
	struct task_struct *task = kthread_run(yield_visit, y, "wdm_visitor");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	y->t->fake->hook_at = nth;
}

/*
 * Check that the call yielded after at most @calls more calls of the driver, and that both
 * IOMMUs have @pages pages in the end.
 */
static void yield_check(struct kunit *test, struct yield *y, unsigned int calls,
			u64 pages)
{
	unsigned int after = yield_calls(y);

	KUNIT_EXPECT_EQ(test, y->t->fake->hook_at, 0);
	yield_is_over(y);
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &y->done));
	KUNIT_EXPECT_STATUS(test, y->status, STATUS_SUCCESS);
	KUNIT_EXPECT_LE(test, y->at_in - y->at_go, calls);
	/* It yielded in the middle. */
	KUNIT_EXPECT_GT(test, after, y->at_in);
	KUNIT_EXPECT_EQ(test, y->t->fake->mapped, pages);
	KUNIT_EXPECT_EQ(test, y->visitor->mapped, pages);
	KUNIT_EXPECT_EQ(test, y->visitor->bad_calls, 0);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(y->t->fake));
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(y->visitor));
}

static void yield_check_leaf(struct kunit *test, struct yield *y,
			     struct fake_iommu *fake, unsigned int i)
{
	u64 caller = *tables_entry(y->t, 3, i) & GENMASK_ULL(51, 12);
	u64 page = (caller - TABLES_DATA_A) >> PAGE_SHIFT;
	struct fake_page fp;

	KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake, i * PAGE_SIZE, &fp));
	KUNIT_ASSERT_EQ(test, fp.phys, PFN_PHYS(y->t->data[1]->pfns[page]));
}

/* Check that both IOMMUs match the tables. */
static void yield_check_leaves(struct kunit *test, struct yield *y)
{
	unsigned int i;

	for (i = 0; i < YIELD_LEAVES; i++) {
		yield_check_leaf(test, y, y->t->fake, i);
		yield_check_leaf(test, y, y->visitor, i);
	}
}

static void yield_in_configure(struct kunit *test)
{
	struct yield *y = yield_start(test);

	yield_fill(y, 0);
	yield_arm(test, y, 1500);
	KUNIT_EXPECT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_check(test, y, 520, YIELD_LEAVES);
	yield_check_leaves(test, y);
}

/*
 * An attach looks for conflicting mappings, and for what to map, and backs off if a group is
 * revoked: even if the revocation has ended when the search returns.
 */
static void yield_in_empty_tables(struct kunit *test)
{
	struct yield *y = yield_start(test);
	struct wdm_domain *domain = y->t->domain;
	atomic_t stop = ATOMIC_INIT(0);
	struct wdm_mapping map;

	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, domain->ops->check_unused(domain, 0, U64_MAX, &stop),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, domain->ops->check_unused(domain, 0, U64_MAX, NULL),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, domain->ops->next(domain, 0, true, &stop, &map),
			    STATUS_NOT_FOUND);
	atomic_set(&stop, 1);
	KUNIT_EXPECT_STATUS(test, domain->ops->check_unused(domain, 0, U64_MAX, &stop),
			    STATUS_CANCELLED);
	KUNIT_EXPECT_STATUS(test, domain->ops->next(domain, 0, true, &stop, &map),
			    STATUS_CANCELLED);
}

/* @nth: in the first pass, or in the second one */
static void yield_in_flush(struct kunit *test, unsigned int nth)
{
	struct yield *y = yield_start(test);
	struct wdm_walk_error walk_error;

	yield_fill(y, 0);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_fill(y, 1);
	yield_arm(test, y, nth);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(y->t->domain, &walk_error),
			    STATUS_SUCCESS);
	yield_check(test, y, 520, YIELD_LEAVES);
	yield_check_leaves(test, y);
}

static void yield_in_first_pass(struct kunit *test)
{
	yield_in_flush(test, 3);
}

static void yield_in_second_pass(struct kunit *test)
{
	yield_in_flush(test, YIELD_TABLES + 100);
}

static void yield_in_list(struct kunit *test)
{
	u64 *vas = kunit_kmalloc_array(test, YIELD_LEAVES, sizeof(*vas), GFP_KERNEL);
	struct yield *y = yield_start(test);
	struct wdm_walk_error walk_error;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, vas);
	yield_fill(y, 0);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_fill(y, 1);
	for (i = 0; i < YIELD_LEAVES; i++)
		vas[i] = (i * 511ULL % YIELD_LEAVES) << PAGE_SHIFT;
	yield_arm(test, y, YIELD_TABLES + 100);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(y->t->domain, true, vas,
						  YIELD_LEAVES, &walk_error),
			    STATUS_SUCCESS);
	yield_check(test, y, 520, YIELD_LEAVES);
	yield_check_leaves(test, y);
}

/* Every second leaf: each is unmapped by itself. */
static void yield_fill_apart(struct yield *y)
{
	unsigned int i;

	yield_fill(y, 0);
	for (i = 1; i < YIELD_LEAVES; i += 2)
		*tables_entry(y->t, 3, i) = 0;
}

/* Remove all tables of leaves, by a list with an address of each. */
static void yield_in_list_of_tables(struct kunit *test)
{
	struct yield *y = yield_start(test);
	struct wdm_walk_error walk_error;
	u64 vas[YIELD_TABLES];
	unsigned int i;

	yield_fill_apart(y);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	for (i = 0; i < YIELD_TABLES; i++) {
		*tables_entry(y->t, 2, i) = 0;
		vas[i] = i * (u64)SZ_2M;
	}
	yield_arm(test, y, 3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(y->t->domain, false, vas, YIELD_TABLES,
						  &walk_error),
			    STATUS_SUCCESS);
	yield_check(test, y, 260, 0);
}

/* Remove the memory of a table of leaves that many entries refer to. */
static void yield_in_table_remove(struct kunit *test)
{
	struct yield *y = yield_start(test);
	unsigned int i;

	yield_fill_apart(y);
	for (i = 0; i < YIELD_TABLES; i++)
		*tables_entry(y->t, 2, i) = tables_pointer(y->t, TABLES_DATA_C);
	memcpy(page_to_virt(pfn_to_page(y->t->data[3]->pfns[0])), tables_entry(y->t, 3, 0),
	       PAGE_SIZE);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_arm(test, y, 3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(y->t->domain, TABLES_DATA_C, 1),
			    STATUS_SUCCESS);
	yield_check(test, y, 260, 0);
}

/* Remove the tables of leaves, one after the other. */
static void yield_in_zap(struct kunit *test)
{
	struct yield *y = yield_start(test);
	struct wdm_walk_error walk_error;

	yield_fill(y, 0);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	*tables_entry(y->t, 0, 0) = 0;
	yield_arm(test, y, 3);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(y->t->domain, &walk_error),
			    STATUS_SUCCESS);
	yield_check(test, y, 2, 0);
}

/**
 * struct yield_watch - a thread that repeatedly locks all pages of a domain
 * @domain: the domain
 * @before: number of pages of the caller's address space before the call
 * @after: number of pages after it
 * @between: number of times that the thread found a number in between
 * @stop: the thread should end
 * @done: the thread has ended
 */
struct yield_watch {
	struct wdm_domain *domain;
	u64 before;
	u64 after;
	unsigned int between;
	bool stop;
	struct completion done;
};

static int yield_watch(void *data)
{
	struct yield_watch *watch = data;
	struct wdm_range all;
	u64 pages;

	while (!READ_ONCE(watch->stop)) {
		wdm_range_lock_all(&watch->domain->ranges, &all, false);
		pages = wdm_mappings_pages(&watch->domain->mappings);
		wdm_domain_unlock(watch->domain, &all);
		watch->between += pages > watch->after && pages < watch->before;
		cond_resched();
	}
	complete(&watch->done);
	return 0;
}

#define WATCH_PARTS	64
#define WATCH_PAGES	(SZ_64M / SZ_4K)

/* Remove much memory that no table refers to. */
static void yield_in_removal(struct kunit *test)
{
	struct yield *y = yield_start(test);
	struct yield_watch *watch = kunit_kzalloc(test, sizeof(*watch), GFP_KERNEL);
	struct test_mdl *tm = fixture_mdl_contiguous(y->t->fx, WDM_PERMS, WATCH_PAGES, 1);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, watch);
	watch->domain = y->t->domain;
	watch->after = wdm_mappings_pages(&watch->domain->mappings);
	init_completion(&watch->done);
	for (i = 0; i < WATCH_PARTS; i++)
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_memory_add(watch->domain, WDM_PERMS,
							  RANGE(tm->mdl, 0, WATCH_PAGES),
							  YIELD_MORE + i * (u64)SZ_64M),
				    STATUS_SUCCESS);
	watch->before = wdm_mappings_pages(&watch->domain->mappings);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(yield_watch, watch, "wdm_watch")));
	usleep_range(1000, 2000);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(watch->domain, YIELD_MORE,
						     WATCH_PARTS * WATCH_PAGES),
			    STATUS_SUCCESS);
	WRITE_ONCE(watch->stop, true);
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &watch->done));
	KUNIT_EXPECT_GT(test, watch->between, 0);
}

static void yield_mdl_free(struct wdm_mdl *mdl)
{
}

static const struct wdm_mdl_ops yield_mdl_ops = { .free = yield_mdl_free };

#define SEARCH_PAGES	((64ULL * SZ_1G) >> PAGE_SHIFT)

/* Add 64 GiB in parts. */
static void yield_add_space(struct kunit *test, struct wdm_domain *domain, u64 part)
{
	struct wdm_mdl *mdl = kunit_kzalloc(test, sizeof(*mdl), GFP_KERNEL);
	struct wdm_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	struct wdm_pages pages = { .runs = run };
	u64 page;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_ASSERT_NOT_NULL(test, run);
	wdm_pages_add(&pages, FIXTURE_NO_RAM_PFN, SEARCH_PAGES);
	wdm_mdl_init(mdl, &yield_mdl_ops, WDM_PERMS, &pages);
	for (page = 0; page < SEARCH_PAGES; page += part)
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_memory_add(domain, WDM_PERMS,
							  RANGE(mdl, page, part),
							  YIELD_MORE + (page << PAGE_SHIFT)),
				    STATUS_SUCCESS);
}

/* Get the time of the fastest of some searches that an attach performs. */
static u64 yield_time_uses(struct kunit *test, struct wdm_domain *domain, u64 last_iova)
{
	u64 begin, best = U64_MAX;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		begin = ktime_get_ns();
		KUNIT_EXPECT_STATUS(test,
				    domain->ops->check_unused(domain, YIELD_MORE, last_iova,
							      NULL),
				    STATUS_CONFLICTING_ADDRESSES);
		best = min(best, ktime_get_ns() - begin);
	}
	return max(best, 1ULL);
}

/* In bypass, an attach does not look at all parts of the address space. */
static void yield_bypass_uses(struct kunit *test)
{
	const struct wdm_pt_config bypass = { .type = WDM_PT_X64 };
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), false, 0);
	struct wdm_walk_error walk_error;
	u64 one, all;

	yield_add_space(test, domain, SEARCH_PAGES >> 11);
	KUNIT_ASSERT_STATUS(test, wdm_domain_configure(domain, &bypass, &walk_error),
			    STATUS_SUCCESS);
	one = yield_time_uses(test, domain, YIELD_MORE);
	all = yield_time_uses(test, domain, U64_MAX);
	KUNIT_EXPECT_LT(test, all, 200 * one);
}

/* Remove the memory of half of the leaves. */
static void yield_in_memory_remove(struct kunit *test)
{
	struct yield *y = yield_start(test);

	yield_fill(y, 0);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_arm(test, y, 3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(y->t->domain,
						     TABLES_DATA_A, 256),
			    STATUS_SUCCESS);
	yield_check(test, y, 100, YIELD_LEAVES / 2);
}

/* Add an MDL of @nr pages: runs of @run, each aligned to a multiple of it. */
static void yield_add(struct kunit *test, struct yield *y, u64 nr, u64 run)
{
	u64 *pfns = kvmalloc_array(nr, sizeof(*pfns), GFP_KERNEL), i;
	struct test_mdl *more;

	KUNIT_ASSERT_NOT_NULL(test, pfns);
	for (i = 0; i < nr; i++)
		pfns[i] = FIXTURE_NO_RAM_PFN + i + i / run * run;
	more = fixture_mdl(y->t->fx, WDM_PERMS, pfns, nr);
	kvfree(pfns);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_memory_add(y->t->domain, WDM_PERMS,
						  RANGE(more->mdl, 0, nr), YIELD_MORE),
			    STATUS_SUCCESS);
}

/* Memory for a leaf of 1 GiB, in runs too short for 2 MiB */
static void yield_add_giant(struct kunit *test, struct yield *y)
{
	yield_add(test, y, YIELD_GIANT, SZ_1M / SZ_4K);
}

static void yield_in_large_map(struct kunit *test)
{
	struct yield *y = yield_start(test);
	struct wdm_walk_error walk_error;

	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_add_giant(test, y);
	*tables_entry(y->t, 1, 7) = tables_large(y->t, YIELD_MORE);
	yield_arm(test, y, 100);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(y->t->domain, &walk_error),
			    STATUS_SUCCESS);
	yield_check(test, y, 4, YIELD_GIANT);
}

static void yield_in_large_zap(struct kunit *test)
{
	struct yield *y = yield_start(test);
	struct wdm_walk_error walk_error;

	yield_add_giant(test, y);
	*tables_entry(y->t, 1, 7) = tables_large(y->t, YIELD_MORE);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	*tables_entry(y->t, 1, 7) = 0;
	yield_arm(test, y, 100);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(y->t->domain, &walk_error),
			    STATUS_SUCCESS);
	yield_check(test, y, 2, 0);
}

/* Remove one page of a large leaf's memory. */
static void yield_in_large_remove(struct kunit *test)
{
	struct yield *y = yield_start(test);

	yield_add_giant(test, y);
	*tables_entry(y->t, 1, 7) = tables_large(y->t, YIELD_MORE);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_arm(test, y, 100);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(y->t->domain,
						     YIELD_MORE + SZ_512M, 1),
			    STATUS_SUCCESS);
	yield_check(test, y, 2, 0);
}

/*
 * Contiguous memory, and IOMMUs that map it with one call but without large pages. With
 * 4 KiB pages this would take half a minute.
 */
static void yield_in_small_pages(struct kunit *test)
{
	struct yield *y = yield_start(test);
	struct wdm_walk_error walk_error;

	y->t->fake->domain.pgsize_bitmap = SZ_64K;
	y->visitor->domain.pgsize_bitmap = SZ_64K;
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_add(test, y, YIELD_GIANT, YIELD_GIANT);
	*tables_entry(y->t, 1, 7) = tables_large(y->t, YIELD_MORE);
	yield_arm(test, y, 3);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(y->t->domain, &walk_error),
			    STATUS_SUCCESS);
	yield_check(test, y, 4, YIELD_GIANT);
	KUNIT_EXPECT_LE(test, y->pages_at_in - y->pages_at_go, 2 * 512);
}

#define YIELD_SPREAD	4096

static void yield_in_bypass(struct kunit *test)
{
	struct yield *y = yield_start(test);
	u64 pages;

	yield_add(test, y, YIELD_SPREAD, 1);
	pages = wdm_mappings_pages(&y->t->domain->mappings);
	yield_arm(test, y, 2000);
	KUNIT_EXPECT_STATUS(test, yield_configure(y, false), STATUS_SUCCESS);
	yield_check(test, y, 520, pages);
}

static void yield_in_bypass_end(struct kunit *test)
{
	struct yield *y = yield_start(test);

	yield_add(test, y, YIELD_SPREAD, 1);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, false), STATUS_SUCCESS);
	memset(y->t->mem, 0, TABLES_NR * PAGE_SIZE);
	yield_arm(test, y, 10);
	KUNIT_EXPECT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_check(test, y, 2, 0);
}

static void yield_in_bypass_add(struct kunit *test)
{
	struct yield *y = yield_start(test);
	u64 pages = wdm_mappings_pages(&y->t->domain->mappings);

	KUNIT_ASSERT_STATUS(test, yield_configure(y, false), STATUS_SUCCESS);
	yield_arm(test, y, 700);
	yield_add(test, y, YIELD_SPREAD, 1);
	yield_check(test, y, 520, pages + YIELD_SPREAD);
}

static void yield_in_bypass_remove(struct kunit *test)
{
	struct yield *y = yield_start(test);
	u64 pages = wdm_mappings_pages(&y->t->domain->mappings);

	yield_add(test, y, YIELD_SPREAD, 1);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, false), STATUS_SUCCESS);
	yield_arm(test, y, 3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(y->t->domain, YIELD_MORE,
						     YIELD_SPREAD),
			    STATUS_SUCCESS);
	yield_check(test, y, 2, pages);
}

/* Lock the domain when the call yields, and kill the call while it waits. */
static int yield_kill(void *data)
{
	struct yield *y = data;
	struct wdm_range all;

	wait_for_completion(&y->go);
	wdm_range_lock_all(&y->t->domain->ranges, &all, false);
	y->at_in = yield_calls(y);
	send_sig(SIGKILL, y->victim, 1);
	/* It ends without the domain, and changes nothing any more. */
	wait_for_completion_timeout(&y->done, 30 * HZ);
	y->at_in = yield_calls(y) - y->at_in;
	wdm_domain_unlock(y->t->domain, &all);
	complete(&y->over);
	return 0;
}

static int yield_victim(void *data)
{
	struct yield *y = data;

	allow_signal(SIGKILL);
	y->status = y->call(y);
	complete(&y->done);
	yield_is_over(y);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* Kill a call when it yields after the @nth call of the driver. */
static void yield_killed(struct kunit *test, struct yield *y, unsigned int nth,
			 ntstatus_t (*call)(struct yield *y))
{
	struct task_struct *task;

	y->call = call;
	y->t->fake->hook_at = nth;
	y->victim = kthread_create(yield_victim, y, "wdm_victim");
	KUNIT_ASSERT_FALSE(test, IS_ERR(y->victim));
	task = kthread_run(yield_kill, y, "wdm_visitor");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wake_up_process(y->victim);
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &y->over));
	kthread_stop(y->victim);
	KUNIT_EXPECT_STATUS(test, y->status, STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, y->at_in, 0);
}

static ntstatus_t yield_call_flush(struct yield *y)
{
	struct wdm_walk_error walk_error;

	return wdm_domain_flush(y->t->domain, &walk_error);
}

static ntstatus_t yield_call_list(struct yield *y)
{
	struct wdm_walk_error walk_error;

	return wdm_domain_flush_list(y->t->domain, true, y->vas, YIELD_LEAVES,
				     &walk_error);
}

static ntstatus_t yield_call_remove(struct yield *y)
{
	return wdm_domain_memory_remove(y->t->domain, YIELD_MORE, YIELD_SPREAD);
}

/* A killed walk leaves a domain that the next flush completes. */
static void yield_killed_walk(struct kunit *test, unsigned int nth,
			      ntstatus_t (*call)(struct yield *y))
{
	struct yield *y = yield_start(test);
	unsigned int i;

	y->vas = kunit_kmalloc_array(test, YIELD_LEAVES, sizeof(*y->vas),
				     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, y->vas);
	for (i = 0; i < YIELD_LEAVES; i++)
		y->vas[i] = (i * 511ULL % YIELD_LEAVES) << PAGE_SHIFT;
	yield_fill(y, 0);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, true), STATUS_SUCCESS);
	yield_fill(y, 1);
	yield_killed(test, y, nth, call);
	KUNIT_EXPECT_STATUS(test, yield_call_flush(y), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, y->t->fake->mapped, YIELD_LEAVES);
	for (i = 0; i < YIELD_LEAVES; i++)
		yield_check_leaf(test, y, y->t->fake, i);
}

static void yield_killed_in_flush(struct kunit *test)
{
	yield_killed_walk(test, 2, yield_call_flush);
	yield_killed_walk(test, YIELD_TABLES + 100, yield_call_flush);
}

static void yield_killed_in_list(struct kunit *test)
{
	/* While it scans, and while it maps */
	yield_killed_walk(test, 2, yield_call_list);
	yield_killed_walk(test, YIELD_TABLES + 100, yield_call_list);
}

static void yield_killed_in_bypass_remove(struct kunit *test)
{
	struct yield *y = yield_start(test);
	u64 pages = wdm_mappings_pages(&y->t->domain->mappings);

	yield_add(test, y, YIELD_SPREAD, 1);
	KUNIT_ASSERT_STATUS(test, yield_configure(y, false), STATUS_SUCCESS);
	yield_killed(test, y, 3, yield_call_remove);
	/* The memory was not removed, and the next call maps it again. */
	KUNIT_EXPECT_STATUS(test, yield_call_flush(y), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, y->t->fake->mapped, pages + YIELD_SPREAD);
	KUNIT_EXPECT_STATUS(test, yield_call_remove(y), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, y->t->fake->mapped, pages);
}

static struct kunit_case yield_cases[] = {
	KUNIT_CASE(yield_in_configure),
	KUNIT_CASE(yield_in_empty_tables),
	KUNIT_CASE(yield_in_first_pass),
	KUNIT_CASE(yield_in_second_pass),
	KUNIT_CASE(yield_in_list),
	KUNIT_CASE(yield_in_list_of_tables),
	KUNIT_CASE(yield_in_table_remove),
	KUNIT_CASE(yield_in_zap),
	KUNIT_CASE(yield_in_memory_remove),
	KUNIT_CASE(yield_in_removal),
	KUNIT_CASE_SLOW(yield_bypass_uses),
	KUNIT_CASE(yield_in_large_map),
	KUNIT_CASE(yield_in_large_zap),
	KUNIT_CASE(yield_in_large_remove),
	KUNIT_CASE(yield_in_small_pages),
	KUNIT_CASE(yield_in_bypass),
	KUNIT_CASE(yield_in_bypass_end),
	KUNIT_CASE(yield_in_bypass_add),
	KUNIT_CASE(yield_in_bypass_remove),
	KUNIT_CASE(yield_killed_in_flush),
	KUNIT_CASE(yield_killed_in_list),
	KUNIT_CASE(yield_killed_in_bypass_remove),
	{}
};

static struct kunit_suite yield_suite = {
	.name = "wdm_iommu_shadow_yield",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = yield_cases,
};

kunit_test_suite(yield_suite);
