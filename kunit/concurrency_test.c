// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads on one domain, interleaved at random. At the end the domain and its IOMMUs
 * must agree; lockdep and KASAN check the rest.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "../module/core/os/batch.h"
#include "support/fixture.h"
#include "support/caller_tables.h"

#define CONC_THREADS	4
#define CONC_ROUNDS	150
#define CONC_PAGES	64

struct conc;

/**
 * struct conc_thread - a thread
 * @conc: state shared by the threads
 * @fn: its function
 * @rng: its random numbers
 * @nr: its number
 * @done: it has returned
 */
struct conc_thread {
	struct conc *conc;
	void (*fn)(struct conc_thread *thread);
	struct rnd_state rng;
	unsigned int nr;
	struct completion done;
};

/**
 * struct conc - state shared by the threads
 * @domain: the domain
 * @mdl: what they map
 * @t: the caller of a caller-managed domain
 * @thread: the threads
 * @unexpected: number of statuses that no order of the calls explains
 * @mapped: number of successful maps
 * @refused: number of maps and unmaps that failed because of another thread
 * @stop: the threads have to return
 */
struct conc {
	struct wdm_domain *domain;
	struct wdm_mdl *mdl;
	struct tables *t;
	struct conc_thread thread[CONC_THREADS];
	atomic_t unexpected;
	atomic_t mapped;
	atomic_t refused;
	bool stop;
};

static int conc_run(void *data)
{
	struct conc_thread *thread = data;

	thread->fn(thread);
	complete(&thread->done);
	return 0;
}

static void conc_launch(struct kunit *test, struct conc *conc, unsigned int nr,
			void (*fn)(struct conc_thread *thread))
{
	struct conc_thread *thread = &conc->thread[nr];
	struct task_struct *task;

	thread->conc = conc;
	thread->fn = fn;
	thread->nr = nr;
	prandom_seed_state(&thread->rng, fixture_random(&FIXTURE(test)->rng));
	init_completion(&thread->done);
	task = kthread_run(conc_run, thread, "wdm_conc/%u", nr);
	if (IS_ERR(task)) {
		KUNIT_FAIL(test, "no thread");
		complete(&thread->done);
	}
}

static void conc_wait(struct conc *conc, unsigned int nr)
{
	while (nr--)
		wait_for_completion(&conc->thread[nr].done);
}

static void conc_count(struct conc *conc, ntstatus_t status, ntstatus_t may_be)
{
	if (status == may_be)
		atomic_inc(&conc->refused);
	else if (!wdm_ok(status))
		atomic_inc(&conc->unexpected);
}

/* Ranges that overlap with those of all other threads */
static void conc_map_anywhere(struct conc_thread *thread)
{
	struct conc *conc = thread->conc;
	unsigned int i;
	u64 first, nr;

	for (i = 0; i < CONC_ROUNDS; i++) {
		first = fixture_below(&thread->rng, CONC_PAGES);
		nr = 1 + fixture_below(&thread->rng, CONC_PAGES - first);
		if (fixture_once_in(&thread->rng, 2)) {
			ntstatus_t status;

			status = wdm_domain_map(conc->domain, WDM_PERMS,
						RANGE(conc->mdl, first, nr),
						first << PAGE_SHIFT);
			conc_count(conc, status, STATUS_RESOURCE_IN_USE);
			if (wdm_ok(status))
				atomic_inc(&conc->mapped);
		} else {
			conc_count(conc, wdm_domain_unmap(conc->domain,
							  first << PAGE_SHIFT,
							  nr),
				   STATUS_NOT_FOUND);
		}
	}
}

/* A private range of the thread, in a shared run: nothing may fail. */
static void conc_map_own(struct conc_thread *thread)
{
	struct conc *conc = thread->conc;
	u64 first = CONC_PAGES + thread->nr * 8;
	unsigned int i;

	for (i = 0; i < CONC_ROUNDS; i++) {
		conc_count(conc,
			   wdm_domain_map(conc->domain, WDM_READ, RANGE(conc->mdl, first, 8),
					  first << PAGE_SHIFT),
			   STATUS_SUCCESS);
		conc_count(conc, wdm_domain_unmap(conc->domain,
						  (first + 2) << PAGE_SHIFT, 3),
			   STATUS_SUCCESS);
		conc_count(conc, wdm_domain_unmap(conc->domain,
						  first << PAGE_SHIFT, 2),
			   STATUS_SUCCESS);
		conc_count(conc, wdm_domain_unmap(conc->domain,
						  (first + 5) << PAGE_SHIFT, 3),
			   STATUS_SUCCESS);
	}
}

/* Map or unmap in a range that overlaps with those of all other threads. */
static void conc_batch_op(struct conc_thread *thread, struct wdm_batch *batch)
{
	u64 first = fixture_below(&thread->rng, CONC_PAGES);
	u64 nr = 1 + fixture_below(&thread->rng, CONC_PAGES - first);
	struct conc *conc = thread->conc;
	ntstatus_t status;

	if (fixture_once_in(&thread->rng, 4))
		nr = 1;
	if (fixture_once_in(&thread->rng, 2)) {
		status = wdm_batch_map(batch, WDM_PERMS, RANGE(conc->mdl, first, nr),
				       first << PAGE_SHIFT);
		conc_count(conc, status, STATUS_RESOURCE_IN_USE);
		if (wdm_ok(status))
			atomic_inc(&conc->mapped);
	} else {
		conc_count(conc, wdm_batch_unmap(batch, first << PAGE_SHIFT,
						 nr),
			   STATUS_NOT_FOUND);
	}
}

/* With hints that are right, too small, or missing */
static void conc_batch_anywhere(struct conc_thread *thread)
{
	struct conc *conc = thread->conc;
	struct wdm_batch batch;
	unsigned int i, ops;
	u64 first;

	for (i = 0; i < CONC_ROUNDS / 3; i++) {
		first = fixture_below(&thread->rng, CONC_PAGES);
		switch (fixture_below(&thread->rng, 3)) {
		case 0:
			wdm_batch_begin(&batch, conc->domain, U64_MAX, 0);
			break;
		case 1:
			wdm_batch_begin(&batch, conc->domain, first, first);
			break;
		default:
			wdm_batch_begin(&batch, conc->domain, 0,
					CONC_PAGES - 1);
		}
		for (ops = 1 + fixture_below(&thread->rng, 8); ops; ops--)
			conc_batch_op(thread, &batch);
		wdm_batch_end(&batch);
	}
}

/* In a private range nothing may fail, whatever the hint. */
static void conc_batch_own(struct conc_thread *thread)
{
	u64 first = CONC_PAGES + thread->nr * 8, at = first << PAGE_SHIFT;
	struct conc *conc = thread->conc;
	struct wdm_batch batch;
	unsigned int i;

	for (i = 0; i < CONC_ROUNDS; i++) {
		wdm_batch_begin(&batch, conc->domain, first,
				first + fixture_below(&thread->rng, 8));
		conc_count(conc,
			   wdm_batch_map(&batch, WDM_READ, RANGE(conc->mdl, first, 8), at),
			   STATUS_SUCCESS);
		conc_count(conc, wdm_batch_unmap(&batch, at + 2 * PAGE_SIZE, 3),
			   STATUS_SUCCESS);
		conc_count(conc,
			   wdm_batch_map(&batch, WDM_READ, RANGE(conc->mdl, first + 3, 1),
					 at + 3 * PAGE_SIZE),
			   STATUS_SUCCESS);
		/* Sometimes leave the rest mapped at the end of the batch. */
		if (fixture_once_in(&thread->rng, 2)) {
			wdm_batch_end(&batch);
			wdm_batch_begin(&batch, conc->domain, U64_MAX, 0);
		}
		conc_count(conc, wdm_batch_unmap(&batch, at, 2),
			   STATUS_SUCCESS);
		conc_count(conc, wdm_batch_unmap(&batch, at + 3 * PAGE_SIZE, 1),
			   STATUS_SUCCESS);
		conc_count(conc, wdm_batch_unmap(&batch, at + 5 * PAGE_SIZE, 3),
			   STATUS_SUCCESS);
		wdm_batch_end(&batch);
	}
}

static struct conc *conc_start(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct conc *conc = kunit_kzalloc(test, sizeof(*conc), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, conc);
	conc->domain = fixture_domain(fx, true, 0);
	conc->mdl = fixture_mdl_contiguous(fx, WDM_PERMS, 2 * CONC_PAGES,
					   512)->mdl;
	return conc;
}

/* Check that the domain and the IOMMU agree. */
static void conc_check(struct kunit *test, struct conc *conc,
		       struct fake_iommu *fake)
{
	struct test_mdl *tm = fixture_mdl_find(FIXTURE(test), conc->mdl);
	struct wdm_extent ext;
	struct fake_page fp;
	u64 page;

	KUNIT_EXPECT_EQ(test, atomic_read(&conc->unexpected), 0);
	KUNIT_EXPECT_EQ(test, fake->mapped, wdm_mappings_pages(&conc->domain->mappings));
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(conc->mdl), fake->mapped);
	KUNIT_EXPECT_EQ(test, fake->torn, 0);
	KUNIT_EXPECT_EQ(test, fake->over_stale, 0);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(fake));
	for (page = 0; page < 2 * CONC_PAGES; page++) {
		bool mapped;

		mapped = wdm_mappings_find(&conc->domain->mappings, page, page, &ext);
		KUNIT_ASSERT_EQ(test, mapped,
				fake_iommu_at(fake, page << PAGE_SHIFT, &fp));
		if (mapped)
			KUNIT_ASSERT_EQ(test, fp.phys + (page << PAGE_SHIFT) -
					fp.iova, PFN_PHYS(tm->pfns[page]));
	}
}

/* An IOMMU that detects maps over stale translations */
static struct fake_iommu *conc_fake(struct kunit *test, struct conc *conc,
				    unsigned long pgsizes)
{
	struct fake_iommu *fake = fixture_fake(FIXTURE(test), pgsizes);

	fake->minds_stale = true;
	fake->gathers = true;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(conc->domain, fake),
			    STATUS_SUCCESS);
	return fake;
}

/* Overlapping calls, while IOMMUs are added and removed */
static void conc_overlap(struct kunit *test,
			 void (*fn)(struct conc_thread *thread))
{
	struct conc *conc = conc_start(test);
	struct fake_iommu *fake = conc_fake(test, conc, FAKE_PGSIZES_AMD);
	struct fake_iommu *visitor;
	unsigned int i;

	for (i = 0; i < CONC_THREADS; i++)
		conc_launch(test, conc, i, fn);
	for (i = 0; i < 10; i++) {
		visitor = conc_fake(test, conc, FAKE_PGSIZES_X86);
		cond_resched();
		fixture_disown(visitor);
		KUNIT_EXPECT_EQ(test, visitor->over_stale, 0);
	}
	conc_wait(conc, CONC_THREADS);
	KUNIT_EXPECT_GT(test, atomic_read(&conc->mapped), 10);
	KUNIT_EXPECT_GT(test, atomic_read(&conc->refused), 10);
	conc_check(test, conc, fake);
}

static void concurrency_overlap(struct kunit *test)
{
	conc_overlap(test, conc_map_anywhere);
}

static void concurrency_batches(struct kunit *test)
{
	conc_overlap(test, conc_batch_anywhere);
}

/* Neighbours in one run of memory, which may share an extent */
static void conc_disjoint(struct kunit *test,
			  void (*even)(struct conc_thread *thread),
			  void (*odd)(struct conc_thread *thread))
{
	struct conc *conc = conc_start(test);
	struct fake_iommu *fake = conc_fake(test, conc, FAKE_PGSIZES_AMD);
	unsigned int i;

	for (i = 0; i < CONC_THREADS; i++)
		conc_launch(test, conc, i, i % 2 ? odd : even);
	conc_wait(conc, CONC_THREADS);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&conc->domain->mappings), 0);
	conc_check(test, conc, fake);
}

static void concurrency_disjoint(struct kunit *test)
{
	conc_disjoint(test, conc_map_own, conc_map_own);
}

static void concurrency_disjoint_batches(struct kunit *test)
{
	conc_disjoint(test, conc_batch_own, conc_batch_own);
}

static void concurrency_disjoint_mixed(struct kunit *test)
{
	conc_disjoint(test, conc_map_own, conc_batch_own);
}

/* A caller that keeps changing its tables */
static void conc_edit(struct conc_thread *thread)
{
	struct tables *t = thread->conc->t;
	struct rnd_state *rng = &thread->rng;
	u64 page, *entry;

	while (!READ_ONCE(thread->conc->stop)) {
		entry = tables_entry(t, fixture_below(rng, TABLES_NR),
				     fixture_below(rng, 16));
		page = TABLES_AT + PAGE_SIZE * fixture_below(rng, 1024);
		WRITE_ONCE(*entry, fixture_once_in(rng, 3) ? 0 :
			   tables_pointer(t, page));
		cond_resched();
	}
}

/* Another thread that flushes */
static void conc_flush(struct conc_thread *thread)
{
	struct tables *t = thread->conc->t;
	struct rnd_state *rng = &thread->rng;
	struct wdm_walk_error walk_error;
	u64 vas[8];
	unsigned int i;

	while (!READ_ONCE(thread->conc->stop)) {
		for (i = 0; i < ARRAY_SIZE(vas); i++)
			vas[i] = fixture_below(rng, 16) << 12 |
				 fixture_below(rng, 16) << 21;
		wdm_domain_flush_list(t->domain, fixture_once_in(rng, 2), vas,
				      ARRAY_SIZE(vas), &walk_error);
		if (fixture_once_in(rng, 4))
			wdm_domain_flush(t->domain, &walk_error);
		cond_resched();
	}
}

static void concurrency_tables(struct kunit *test)
{
	static const struct tables_kind kind = {
		"x86-64", false, 48, 4, 512
	};
	struct conc *conc = kunit_kzalloc(test, sizeof(*conc), GFP_KERNEL);
	struct tables *t = tables_start(test, &kind);
	struct tables_walk *walk = tables_walk_alloc(t);
	struct wdm_pt_config config;
	struct wdm_walk_error walk_error;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, conc);
	conc->t = t;
	tables_config(t, &config);
	wdm_domain_configure(t->domain, &config, &walk_error);
	conc_launch(test, conc, 0, conc_edit);
	conc_launch(test, conc, 1, conc_flush);
	for (i = 0; i < 15; i++) {
		wdm_domain_flush(t->domain, &walk_error);
		wdm_domain_memory_remove(t->domain, TABLES_DATA_B, 100);
		wdm_domain_flush(t->domain, &walk_error);
		tables_add(t, TABLES_DATA_B, 100);
		cond_resched();
	}
	WRITE_ONCE(conc->stop, true);
	conc_wait(conc, 2);

	/* Without further changes, a flush brings everything up to date. */
	tables_prune(t, walk);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    walk->walk_error.status);
	KUNIT_EXPECT_EQ(test, walk_error.count, walk->walk_error.count);
	tables_check(t, walk);
}

static struct kunit_case concurrency_cases[] = {
	KUNIT_CASE(concurrency_overlap),
	KUNIT_CASE(concurrency_batches),
	KUNIT_CASE(concurrency_disjoint),
	KUNIT_CASE(concurrency_disjoint_batches),
	KUNIT_CASE(concurrency_disjoint_mixed),
	KUNIT_CASE(concurrency_tables),
	{}
};

static struct kunit_suite concurrency_suite = {
	.name = "wdm_iommu_concurrency",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = concurrency_cases,
};

kunit_test_suite(concurrency_suite);
