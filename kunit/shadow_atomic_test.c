// SPDX-License-Identifier: GPL-2.0
/*
 * Caller-managed domains of kernel code: flushes with interrupts off, and in interrupts in
 * the middle of other flushes and of attaches. When each returns, the IOMMUs match the
 * tables.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/timer.h>

#include "../module/core/shadow/private.h"
#include "support/caller_tables.h"
#include "support/fail_nth.h"
#include "support/fixture.h"

#define ATOMIC_TABLES	4
#define ATOMIC_LEAVES	(ATOMIC_TABLES * 512)

/* A leaf of 1 GiB, whose memory is scattered pages of 2 MiB */
#define ATOMIC_GIANT_AT	(4ULL * SZ_1G)
#define ATOMIC_GIANT	(SZ_1G / SZ_4K)
#define ATOMIC_GIANT_PGSIZES	(SZ_2M | SZ_1G)

static const struct tables_kind atomic_kind = {
	.name = "x86-64, 4 levels",
	.bits = 48,
	.levels = 4,
	.root_entries = 512,
	.kernel = true,
};

/**
 * struct atomic - a call that is interrupted
 * @t: the caller
 * @walk: what the tables translate
 * @lock: a lock of the caller, under which it flushes
 * @generation: selects the pages that the leaves refer to
 * @irq: the interrupt
 * @fn: its function
 * @status: the worst status of its flushes
 * @mapped: pages that were mapped after each of its flushes, first and last
 * @at_go: number of calls of the IOMMU driver when the interrupt was sent
 * @at_in: the number when it was delivered
 * @at_end: the number when it had finished
 */
struct atomic {
	struct tables *t;
	struct tables_walk *walk;
	spinlock_t lock;	/* see above */
	unsigned int generation;
	struct irq_work irq;
	void (*fn)(struct atomic *at);
	ntstatus_t status;
	u64 mapped[2];
	unsigned int at_go;
	unsigned int at_in;
	unsigned int at_end;
};

/* Maximum number of calls of the IOMMU driver that an interrupt waits for: one piece */
#define ATOMIC_PIECE	520

static unsigned int atomic_calls(const struct atomic *at)
{
	return at->t->fake->nr_map + at->t->fake->nr_unmap;
}

static void atomic_irq(struct irq_work *irq)
{
	struct atomic *at = container_of(irq, struct atomic, irq);

	at->at_in = atomic_calls(at);
	at->fn(at);
	WRITE_ONCE(at->at_end, atomic_calls(at));
}

/* Sent in the IOMMU driver, where interrupts are off; delivered when they are on again */
static void atomic_hook(struct fake_iommu *fake)
{
	struct atomic *at = fake->hook_data;

	at->at_go = atomic_calls(at);
	irq_work_queue(&at->irq);
}

static void atomic_arm(struct atomic *at, struct fake_iommu *fake,
		       unsigned int nth, void (*fn)(struct atomic *at))
{
	at->fn = fn;
	at->at_end = 0;
	at->status = STATUS_SUCCESS;
	fake->hook = atomic_hook;
	fake->hook_data = at;
	fake->hook_at = nth;
}

/* No leaf continues the one before, so each is a call of the driver. */
static void atomic_fill(struct atomic *at, unsigned int generation)
{
	unsigned int i;

	at->generation = generation;
	for (i = 0; i < ATOMIC_LEAVES; i++)
		WRITE_ONCE(*tables_entry(at->t, 3, i),
			   tables_pointer(at->t, TABLES_DATA_A + PAGE_SIZE *
					  ((i * 5 + generation * 7) % 512)));
}

static void atomic_link(struct atomic *at, unsigned int root, bool present)
{
	WRITE_ONCE(*tables_entry(at->t, root, 0),
		   present ? tables_pointer(at->t, tables_page(1)) : 0);
}

static struct atomic *atomic_start(struct kunit *test)
{
	struct atomic *at = kunit_kzalloc(test, sizeof(*at), GFP_KERNEL);
	struct tables *t;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, at);
	t = tables_start(test, &atomic_kind);
	at->t = t;
	at->walk = tables_walk_alloc(t);
	spin_lock_init(&at->lock);
	init_irq_work(&at->irq, atomic_irq);
	t->fake->minds_stale = true;
	/* Three tables above, and the tables of leaves */
	atomic_link(at, 0, true);
	*tables_entry(t, 1, 0) = tables_pointer(t, tables_page(2));
	for (i = 0; i < ATOMIC_TABLES; i++)
		*tables_entry(t, 2, i) = tables_pointer(t, tables_page(i + 3));
	atomic_fill(at, 0);
	return at;
}

static ntstatus_t atomic_flush(struct atomic *at)
{
	struct wdm_walk_error walk_error;
	unsigned long flags;
	ntstatus_t status;

	spin_lock_irqsave(&at->lock, flags);
	status = wdm_domain_flush(at->t->domain, &walk_error);
	spin_unlock_irqrestore(&at->lock, flags);
	return status;
}

/* With interrupts on, so that they can be delivered in the middle */
static ntstatus_t atomic_flush_open(struct atomic *at)
{
	struct wdm_walk_error walk_error;

	return wdm_domain_flush(at->t->domain, &walk_error);
}

static ntstatus_t atomic_configure_at(struct atomic *at, u64 root)
{
	struct wdm_walk_error walk_error;
	struct wdm_pt_config config;

	tables_config(at->t, &config);
	config.x64.root = root;
	at->t->root = root;
	return wdm_domain_configure(at->t->domain, &config, &walk_error);
}

static ntstatus_t atomic_configure(struct atomic *at)
{
	return atomic_configure_at(at, at->t->root);
}

/* Check that the IOMMUs match the tables. */
static void atomic_check(struct kunit *test, struct atomic *at)
{
	tables_walk(at->t, at->walk, 1, 0);
	KUNIT_ASSERT_FALSE(test, at->walk->too_many);
	tables_check(at->t, at->walk);
	KUNIT_EXPECT_EQ(test, at->t->fake->over_stale, 0);
}

/*
 * Check that the interrupt was delivered soon and in the middle, as it found something to
 * do, and that its flushes did it.
 */
static void atomic_check_irq(struct kunit *test, struct atomic *at, u64 first,
			     u64 last)
{
	irq_work_sync(&at->irq);
	KUNIT_ASSERT_NE(test, at->at_end, 0);
	KUNIT_EXPECT_LE(test, at->at_in - at->at_go, ATOMIC_PIECE);
	KUNIT_EXPECT_GT(test, at->at_end, at->at_in);
	KUNIT_EXPECT_STATUS(test, at->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, at->mapped[0], first);
	KUNIT_EXPECT_EQ(test, at->mapped[1], last);
	atomic_check(test, at);
}

/* A flush in an interrupt */
static void atomic_irq_flush(struct atomic *at, unsigned int nr)
{
	ntstatus_t status = atomic_flush_open(at);

	if (!wdm_ok(status))
		at->status = status;
	at->mapped[nr] = at->t->fake->mapped;
}

/* A flush, interrupted by a flush */
static void atomic_irq_same(struct atomic *at)
{
	atomic_irq_flush(at, 0);
	atomic_irq_flush(at, 1);
}

/* All leaves change. */
static void atomic_irq_change(struct atomic *at)
{
	atomic_irq_flush(at, 0);
	atomic_fill(at, at->generation + 1);
	atomic_irq_flush(at, 1);
}

/* The tables are removed, with all shadow pages but that of the root, and restored. */
static void atomic_irq_cut(struct atomic *at)
{
	atomic_link(at, 0, false);
	atomic_irq_flush(at, 0);
	atomic_link(at, 0, true);
	atomic_irq_flush(at, 1);
}

static void (* const atomic_irqs[])(struct atomic *at) = {
	atomic_irq_same,
	atomic_irq_change,
	atomic_irq_cut,
};

#define ATOMIC_IRQS	ARRAY_SIZE(atomic_irqs)

static u64 atomic_first(unsigned int irq)
{
	return atomic_irqs[irq] == atomic_irq_cut ? 0 : ATOMIC_LEAVES;
}

/* With interrupts off, a flush is not interrupted, and completes in one go. */
static void atomic_irqs_off(struct kunit *test)
{
	struct atomic *at = atomic_start(test);
	unsigned int i;

	KUNIT_ASSERT_STATUS(test, atomic_flush(at), STATUS_INVALID_DEVICE_STATE);
	KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
	atomic_check(test, at);
	for (i = 1; i < 4; i++) {
		atomic_fill(at, i);
		KUNIT_ASSERT_STATUS(test, atomic_flush(at), STATUS_SUCCESS);
		atomic_check(test, at);
	}
	atomic_link(at, 0, false);
	KUNIT_ASSERT_STATUS(test, atomic_flush(at), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, at->t->fake->mapped, 0);
}

static void atomic_in_configure(struct kunit *test)
{
	struct atomic *at;
	unsigned int i;

	for (i = 0; i < ATOMIC_IRQS; i++) {
		at = atomic_start(test);
		atomic_arm(at, at->t->fake, 700, atomic_irqs[i]);
		KUNIT_EXPECT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
		atomic_check_irq(test, at, atomic_first(i), ATOMIC_LEAVES);
	}
}

/* @nth: in the first pass, or in the second one */
static void atomic_in_flush(struct kunit *test, unsigned int nth)
{
	struct atomic *at;
	unsigned int i;

	for (i = 0; i < ATOMIC_IRQS; i++) {
		at = atomic_start(test);
		KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
		atomic_fill(at, 5);
		atomic_arm(at, at->t->fake, nth, atomic_irqs[i]);
		KUNIT_EXPECT_STATUS(test, atomic_flush_open(at), STATUS_SUCCESS);
		atomic_check_irq(test, at, atomic_first(i), ATOMIC_LEAVES);
	}
}

static void atomic_in_first_pass(struct kunit *test)
{
	atomic_in_flush(test, 1);
}

static void atomic_in_second_pass(struct kunit *test)
{
	atomic_in_flush(test, ATOMIC_TABLES + 100);
}

static void atomic_in_list(struct kunit *test)
{
	u64 *vas = kunit_kmalloc_array(test, ATOMIC_LEAVES, sizeof(*vas), GFP_KERNEL);
	struct wdm_walk_error walk_error;
	unsigned int i, j, nth;
	struct atomic *at;

	KUNIT_ASSERT_NOT_NULL(test, vas);
	for (i = 0; i < ATOMIC_LEAVES; i++)
		vas[i] = (i * 511ULL % ATOMIC_LEAVES) << PAGE_SHIFT;
	for (j = 0; j < 2 * ATOMIC_IRQS; j++) {
		i = j / 2;
		nth = j % 2 ? 1 : ATOMIC_TABLES + 100;
		at = atomic_start(test);
		KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
		atomic_fill(at, 5);
		atomic_arm(at, at->t->fake, nth, atomic_irqs[i]);
		KUNIT_EXPECT_STATUS(test,
				    wdm_domain_flush_list(at->t->domain, true, vas,
							  ATOMIC_LEAVES,
							  &walk_error),
				    STATUS_SUCCESS);
		atomic_check_irq(test, at, atomic_first(i), ATOMIC_LEAVES);
	}
}

/* A flush of an address that nothing translates */
static void atomic_irq_other(struct atomic *at)
{
	const u64 va = SZ_1G;
	struct wdm_walk_error walk_error;

	at->status = wdm_domain_flush_list(at->t->domain, false, &va, 1, &walk_error);
}

/*
 * A table is replaced with a copy, and one address below it is flushed, interrupted in each
 * piece: the rest of the new table is mapped all the same.
 */
static void atomic_in_new_table(struct kunit *test)
{
	const unsigned int last = WDM_PT_ENTRIES - 1;
	struct wdm_walk_error walk_error;
	unsigned int nth, i;
	struct atomic *at;
	const u64 va = 0;

	for (nth = 1; nth <= 2 * ATOMIC_TABLES; nth++) {
		at = atomic_start(test);
		*tables_entry(at->t, 2, last) = tables_pointer(at->t, tables_page(8));
		*tables_entry(at->t, 8, 0) = tables_pointer(at->t, TABLES_DATA_A);
		KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
		for (i = 0; i < WDM_PT_ENTRIES; i++)
			*tables_entry(at->t, 7, i) = *tables_entry(at->t, 2, i);
		*tables_entry(at->t, 1, 0) = tables_pointer(at->t, tables_page(7));
		atomic_arm(at, at->t->fake, nth, atomic_irq_other);
		KUNIT_EXPECT_STATUS(test,
				    wdm_domain_flush_list(at->t->domain, false, &va, 1,
							  &walk_error),
				    STATUS_SUCCESS);
		irq_work_sync(&at->irq);
		KUNIT_EXPECT_NE(test, at->at_end, 0);
		KUNIT_EXPECT_STATUS(test, at->status, STATUS_SUCCESS);
		atomic_check(test, at);
	}
}

/* The flush zaps the tables, and the interrupt restores them. */
static void atomic_irq_link(struct atomic *at)
{
	atomic_link(at, 0, true);
	atomic_irq_same(at);
}

static void atomic_in_zap(struct kunit *test)
{
	struct atomic *at = atomic_start(test);

	KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
	atomic_link(at, 0, false);
	atomic_arm(at, at->t->fake, 2, atomic_irq_link);
	KUNIT_EXPECT_STATUS(test, atomic_flush_open(at), STATUS_SUCCESS);
	irq_work_sync(&at->irq);
	KUNIT_EXPECT_EQ(test, at->mapped[0], ATOMIC_LEAVES);
	KUNIT_EXPECT_EQ(test, at->mapped[1], ATOMIC_LEAVES);
	atomic_check(test, at);
}

/* Configure switches to another root, and the interrupt flushes the old one. */
static void atomic_in_reconfigure(struct kunit *test)
{
	struct atomic *at;
	unsigned int nth;

	for (nth = 2; nth < 1000; nth += 700) {
		at = atomic_start(test);
		KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
		atomic_link(at, 8, true);
		atomic_arm(at, at->t->fake, nth, atomic_irq_same);
		KUNIT_EXPECT_STATUS(test, atomic_configure_at(at, tables_page(8)),
				    STATUS_SUCCESS);
		atomic_check_irq(test, at, ATOMIC_LEAVES, ATOMIC_LEAVES);
	}
}

/*
 * Leaves of 1 GiB, and an IOMMU without pages below 2 MiB: debug_pagealloc of the IOMMU core
 * looks at each of the smallest pages.
 */
static struct atomic *atomic_start_giant(struct kunit *test)
{
	struct atomic *at = atomic_start(test);
	u64 *pfns = kvmalloc_array(ATOMIC_GIANT, sizeof(*pfns), GFP_KERNEL), i;
	struct test_mdl *giant;

	at->t->fake->domain.pgsize_bitmap = ATOMIC_GIANT_PGSIZES;
	memset(tables_entry(at->t, 2, 0), 0, PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	for (i = 0; i < ATOMIC_GIANT; i++)
		pfns[i] = FIXTURE_NO_RAM_PFN + i + i / 512 * 512;
	giant = fixture_mdl(at->t->fx, WDM_PERMS, pfns, ATOMIC_GIANT);
	kvfree(pfns);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_memory_add(at->t->domain, WDM_PERMS,
						  RANGE(giant->mdl, 0, ATOMIC_GIANT),
						  ATOMIC_GIANT_AT),
			    STATUS_SUCCESS);
	return at;
}

static void atomic_giant(struct atomic *at, unsigned int i, bool present)
{
	WRITE_ONCE(*tables_entry(at->t, 1, i),
		   present ? tables_large(at->t, ATOMIC_GIANT_AT) : 0);
}

static void atomic_in_large_map(struct kunit *test)
{
	struct atomic *at = atomic_start_giant(test);

	KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
	atomic_giant(at, 7, true);
	atomic_arm(at, at->t->fake, 100, atomic_irq_same);
	KUNIT_EXPECT_STATUS(test, atomic_flush_open(at), STATUS_SUCCESS);
	irq_work_sync(&at->irq);
	KUNIT_EXPECT_STATUS(test, at->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, at->mapped[0], ATOMIC_GIANT);
	KUNIT_EXPECT_EQ(test, at->mapped[1], ATOMIC_GIANT);
	KUNIT_EXPECT_EQ(test, at->t->fake->mapped, ATOMIC_GIANT);
}

static void atomic_in_large_zap(struct kunit *test)
{
	struct atomic *at = atomic_start_giant(test);

	atomic_giant(at, 7, true);
	KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
	atomic_giant(at, 7, false);
	atomic_arm(at, at->t->fake, 100, atomic_irq_same);
	KUNIT_EXPECT_STATUS(test, atomic_flush_open(at), STATUS_SUCCESS);
	irq_work_sync(&at->irq);
	KUNIT_EXPECT_STATUS(test, at->status, STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, at->at_end, 0);
	KUNIT_EXPECT_EQ(test, at->mapped[0], 0);
	atomic_check(test, at);
}

/* The interrupt comes between two steps of filling another IOMMU. */
static void atomic_in_attach(struct kunit *test)
{
	struct fake_iommu *visitor;
	unsigned int i, nth;
	struct atomic *at;

	for (i = 0; i < ATOMIC_IRQS; i++)
		for (nth = 1; nth < ATOMIC_LEAVES; nth += 900) {
			at = atomic_start(test);
			KUNIT_ASSERT_STATUS(test, atomic_configure(at),
					    STATUS_SUCCESS);
			visitor = fixture_fake(at->t->fx, FAKE_PGSIZES_AMD);
			visitor->minds_stale = true;
			atomic_arm(at, visitor, nth, atomic_irqs[i]);
			KUNIT_ASSERT_STATUS(test,
					    fixture_adopt(at->t->domain, visitor),
					    STATUS_SUCCESS);
			irq_work_sync(&at->irq);
			KUNIT_EXPECT_EQ(test, at->mapped[1], ATOMIC_LEAVES);
			KUNIT_EXPECT_EQ(test, visitor->over_stale, 0);
			at->t->narrow = visitor;
			atomic_check(test, at);
			KUNIT_ASSERT_STATUS(test, atomic_flush(at),
					    STATUS_SUCCESS);
			atomic_check(test, at);
		}
}

/* Likewise with leaves of 1 GiB, the second of which the interrupt adds, */
static void atomic_irq_bring(struct atomic *at)
{
	atomic_giant(at, 7, true);
	atomic_irq_same(at);
}

/* or removes. */
static void atomic_irq_take(struct atomic *at)
{
	atomic_giant(at, 7, false);
	atomic_irq_same(at);
}

static void atomic_in_attach_large(struct kunit *test)
{
	struct fake_iommu *visitor;
	struct atomic *at;
	unsigned int take;

	for (take = 0; take < 2; take++) {
		at = atomic_start_giant(test);
		atomic_giant(at, 6, true);
		atomic_giant(at, 7, take);
		KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
		visitor = fixture_fake(at->t->fx, ATOMIC_GIANT_PGSIZES);
		/* In the middle of the first leaf, or of the second one */
		atomic_arm(at, visitor, take ? 512 + 100 : 100,
			   take ? atomic_irq_take : atomic_irq_bring);
		KUNIT_ASSERT_STATUS(test, fixture_adopt(at->t->domain, visitor),
				    STATUS_SUCCESS);
		irq_work_sync(&at->irq);
		KUNIT_EXPECT_EQ(test, at->mapped[1],
				(take ? 1 : 2) * ATOMIC_GIANT);
		KUNIT_EXPECT_EQ(test, at->t->fake->mapped, at->mapped[1]);
		KUNIT_EXPECT_EQ(test, visitor->mapped, at->mapped[1]);
		KUNIT_EXPECT_FALSE(test, fake_iommu_stale(visitor));
	}
}

/* Check that each leaf is right, or blocks. */
static u64 atomic_count_mapped(struct kunit *test, struct atomic *at)
{
	struct tables_leaf *leaf;
	u64 mapped = 0;
	unsigned int i;

	tables_walk(at->t, at->walk, 1, 0);
	for (i = 0; i < at->walk->nr; i++) {
		leaf = &at->walk->leaf[i];
		if (tables_leaf_mapped(at->t, leaf))
			mapped++;
		else
			KUNIT_ASSERT_TRUE(test,
					  tables_leaf_blocked(at->t, leaf));
	}
	return mapped;
}

/* The nth allocation of a flush fails; the next flush completes it. */
static void atomic_no_memory(struct kunit *test)
{
	struct atomic *at = atomic_start(test);
	unsigned int nth, refused = 0;
	ntstatus_t status;
	bool failed;

	memory_may_fail(test);
	KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
	for (nth = 1; nth < 100; nth++) {
		atomic_link(at, 0, false);
		KUNIT_ASSERT_STATUS(test, atomic_flush(at), STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, at->t->fake->mapped, 0);
		atomic_link(at, 0, true);
		memory_fail_nth(nth);
		status = atomic_flush(at);
		failed = memory_failed();
		KUNIT_ASSERT_EQ(test, atomic_count_mapped(test, at),
				at->t->fake->mapped);
		/* Allocations of kmemleak fail as well, without consequences. */
		if (!wdm_ok(status)) {
			KUNIT_ASSERT_STATUS(test, status,
					    STATUS_INSUFFICIENT_RESOURCES);
			KUNIT_ASSERT_TRUE(test, failed);
			KUNIT_ASSERT_LT(test, at->t->fake->mapped,
					ATOMIC_LEAVES);
			refused++;
		} else {
			KUNIT_ASSERT_EQ(test, at->t->fake->mapped,
					ATOMIC_LEAVES);
		}
		KUNIT_ASSERT_STATUS(test, atomic_flush(at), STATUS_SUCCESS);
		atomic_check(test, at);
		if (!failed)
			break;
	}
	/* Two or three for each table below the root */
	KUNIT_EXPECT_GE(test, refused, 2 * (ATOMIC_TABLES + 2));
	KUNIT_EXPECT_FALSE(test, failed);
}

/* The IOMMU driver is out of memory; the next flush completes the work. */
static void atomic_no_driver_memory(struct kunit *test)
{
	struct atomic *at = atomic_start(test);
	unsigned int i;

	KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
	for (i = 1; i < 20; i += 6) {
		atomic_fill(at, i);
		fake_iommu_fail_map(at->t->fake, i * 100, true);
		KUNIT_ASSERT_STATUS(test, atomic_flush(at),
				    STATUS_INSUFFICIENT_RESOURCES);
		fake_iommu_fail_map(at->t->fake, 0, false);
		KUNIT_ASSERT_EQ(test, atomic_count_mapped(test, at),
				at->t->fake->mapped);
		KUNIT_ASSERT_STATUS(test, atomic_flush(at), STATUS_SUCCESS);
		atomic_check(test, at);
	}
}

/* Nor does an attach fail for memory that what may sleep finds. */
static void atomic_attach_memory(struct kunit *test)
{
	struct atomic *at = atomic_start(test);
	struct fake_iommu *visitor = fixture_fake(at->t->fx, FAKE_PGSIZES_X86);

	KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
	visitor->no_reserves = true;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(at->t->domain, visitor), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, visitor->mapped, ATOMIC_LEAVES);
	at->t->narrow = visitor;
	atomic_check(test, at);
}

/**
 * struct storm - everything at the same time
 * @at: the caller
 * @timer: flushes in softirqs, and sends interrupts
 * @threads: number of running threads
 * @stop: everything has to stop
 */
struct storm {
	struct atomic *at;
	struct timer_list timer;
	struct task_struct *threads[3];
	bool stop;
};

static void storm_timer(struct timer_list *timer)
{
	struct storm *storm = container_of(timer, struct storm, timer);

	irq_work_queue(&storm->at->irq);
	atomic_flush_open(storm->at);
	if (!READ_ONCE(storm->stop))
		mod_timer(timer, jiffies + 3);
}

/* In an interrupt */
static void storm_irq(struct atomic *at)
{
	u64 va = (u64)(at->at_in % 16) << PAGE_SHIFT;
	struct wdm_walk_error walk_error;

	wdm_domain_flush_list(at->t->domain, at->at_in % 2, &va, 1, &walk_error);
	atomic_flush_open(at);
}

static int storm_edit(void *data)
{
	struct storm *storm = data;
	struct tables *t = storm->at->t;
	struct rnd_state rng;
	u64 page, *entry;

	prandom_seed_state(&rng, 1);
	while (!kthread_should_stop()) {
		entry = tables_entry(t, fixture_below(&rng, TABLES_NR),
				     fixture_below(&rng, 16));
		page = TABLES_AT + PAGE_SIZE * fixture_below(&rng, 1024);
		WRITE_ONCE(*entry, fixture_once_in(&rng, 3) ? 0 :
			   tables_pointer(t, page));
		if (fixture_once_in(&rng, 16))
			schedule_timeout_idle(1);
	}
	return 0;
}

static int storm_flush(void *data)
{
	struct storm *storm = data;
	struct wdm_walk_error walk_error;
	struct atomic *at = storm->at;
	struct rnd_state rng;
	u64 vas[8];
	unsigned int i;

	prandom_seed_state(&rng, 2);
	while (!kthread_should_stop()) {
		for (i = 0; i < ARRAY_SIZE(vas); i++)
			vas[i] = fixture_below(&rng, 16) << 12 |
				 fixture_below(&rng, 16) << 21;
		wdm_domain_flush_list(at->t->domain, fixture_once_in(&rng, 2),
				      vas, ARRAY_SIZE(vas), &walk_error);
		atomic_flush(at);
		schedule_timeout_idle(1);
	}
	return 0;
}

static int storm_configure(void *data)
{
	struct storm *storm = data;
	struct wdm_walk_error walk_error;
	struct wdm_pt_config config;
	struct atomic *at = storm->at;
	unsigned int i = 0;

	tables_config(at->t, &config);
	while (!kthread_should_stop()) {
		config.x64.root = tables_page(i++ % 2);
		wdm_domain_configure(at->t->domain, &config, &walk_error);
		schedule_timeout_idle(5);
	}
	return 0;
}

/* Flushes in threads, softirqs and interrupts while IOMMUs are added and removed. */
static void atomic_storm(struct kunit *test)
{
	static int (* const fns[])(void *data) = {
		storm_edit, storm_flush, storm_configure,
	};
	struct storm *storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);
	struct atomic *at = atomic_start(test);
	unsigned long limit = jiffies + 120 * HZ;
	struct fake_iommu *visitor;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, storm);
	storm->at = at;
	at->fn = storm_irq;
	/* A full table would create 512 others, one level up. */
	memset(at->t->mem, 0, TABLES_NR * PAGE_SIZE);
	KUNIT_ASSERT_STATUS(test, atomic_configure(at), STATUS_SUCCESS);
	timer_setup(&storm->timer, storm_timer, 0);
	mod_timer(&storm->timer, jiffies + 1);
	for (i = 0; i < ARRAY_SIZE(fns); i++)
		storm->threads[i] = kthread_run(fns[i], storm, "wdm_storm/%u", i);

	/* On a busy machine it takes longer until an interrupt finds something mapped. */
	for (i = 0; i < 40 || (!READ_ONCE(at->at_end) && time_before(jiffies, limit)); i++) {
		visitor = fixture_fake(at->t->fx, FAKE_PGSIZES_AMD);
		visitor->minds_stale = true;
		KUNIT_EXPECT_STATUS(test, fixture_adopt(at->t->domain, visitor),
				    STATUS_SUCCESS);
		schedule_timeout_idle(i % 3);
		fixture_disown(visitor);
		KUNIT_EXPECT_EQ(test, visitor->mapped, 0);
		KUNIT_EXPECT_EQ(test, visitor->over_stale, 0);
	}

	for (i = 0; i < ARRAY_SIZE(fns); i++)
		if (!IS_ERR(storm->threads[i]))
			kthread_stop(storm->threads[i]);
	WRITE_ONCE(storm->stop, true);
	timer_shutdown_sync(&storm->timer);
	irq_work_sync(&at->irq);
	KUNIT_EXPECT_NE(test, at->at_end, 0);

	/* Without further changes, everything is up to date after a Configure. */
	tables_prune(at->t, at->walk);
	KUNIT_EXPECT_STATUS(test, atomic_configure(at), at->walk->walk_error.status);
	atomic_check(test, at);
}

/* A flush that yields does not make later ones try all invalid entries again. */
static void atomic_retries_once(struct kunit *test)
{
	struct atomic *at = atomic_start(test);
	struct wdm_walk_error walk_error;

	*tables_entry(at->t, 3, 0) = tables_pointer(at->t, TABLES_END);
	KUNIT_EXPECT_STATUS(test, atomic_configure(at), STATUS_ACCESS_VIOLATION);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(at->t->domain,
						fixture_fake(at->t->fx, FAKE_PGSIZES_X86)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(at->t->domain, &walk_error),
			    STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, walk_error.count, 1);
	KUNIT_EXPECT_FALSE(test, at->t->domain->shadow->retry);
}

static struct kunit_case atomic_cases[] = {
	KUNIT_CASE(atomic_irqs_off),
	KUNIT_CASE(atomic_in_configure),
	KUNIT_CASE(atomic_in_first_pass),
	KUNIT_CASE(atomic_in_second_pass),
	KUNIT_CASE(atomic_in_list),
	KUNIT_CASE(atomic_in_new_table),
	KUNIT_CASE(atomic_in_zap),
	KUNIT_CASE(atomic_in_reconfigure),
	KUNIT_CASE(atomic_in_large_map),
	KUNIT_CASE(atomic_in_large_zap),
	KUNIT_CASE(atomic_in_attach),
	KUNIT_CASE(atomic_in_attach_large),
	KUNIT_CASE(atomic_retries_once),
	KUNIT_CASE(atomic_no_memory),
	KUNIT_CASE(atomic_no_driver_memory),
	KUNIT_CASE(atomic_attach_memory),
	KUNIT_CASE(atomic_storm),
	{}
};

static struct kunit_suite atomic_suite = {
	.name = "wdm_iommu_shadow_atomic",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = atomic_cases,
};

kunit_test_suite(atomic_suite);
