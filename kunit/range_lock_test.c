// SPDX-License-Identifier: GPL-2.0
/*
 * The range lock: who holds a page holds it alone, and nobody waits for pages
 * that are free.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "../module/core/range_lock.h"
#include "support/fixture.h"

/* Places that are locked, each some pages: ranges of a few are small, others large */
#define RANGE_PAGES	24
#define RANGE_SPREAD	(BIT_ULL(WDM_RANGE_BLOCK_BITS) / 8)
#define RANGE_THREADS	4
#define RANGE_ROUNDS	400

/**
 * struct range_shared - what the threads share
 * @lock: the lock
 * @holder: which thread holds a place, plus 1; no lock but ours guards it
 * @guests: who holds no page, and keeps out who wants all
 * @violations: places that had a holder already, or lost one
 * @waits: ranges that somebody else held a place of, shortly before
 */
struct range_shared {
	struct wdm_range_lock lock;
	unsigned int holder[RANGE_PAGES];
	atomic_t guests;
	atomic_t violations;
	atomic_t waits;
};

struct range_thread {
	struct range_shared *shared;
	struct rnd_state rng;
	unsigned int id;
	struct completion done;
};

static void range_set(struct range_shared *shared, u64 first, u64 last,
		      unsigned int was, unsigned int is)
{
	u64 i;

	for (i = first; i <= last; i++) {
		if (READ_ONCE(shared->holder[i]) != was)
			atomic_inc(&shared->violations);
		WRITE_ONCE(shared->holder[i], is);
	}
}

static void range_pause(struct range_thread *thread)
{
	cond_resched();
	if (fixture_once_in(&thread->rng, 4))
		usleep_range(10, 50);
}

static void range_round(struct range_thread *thread)
{
	struct range_shared *shared = thread->shared;
	u64 first = fixture_below(&thread->rng, RANGE_PAGES);
	u64 last = first + fixture_below(&thread->rng, RANGE_PAGES - first);
	struct wdm_range range;
	u64 i;

	if (fixture_once_in(&thread->rng, 2))
		last = first;
	for (i = first; i <= last; i++) {
		if (READ_ONCE(shared->holder[i])) {
			atomic_inc(&shared->waits);
			break;
		}
	}
	if (wdm_range_lock(&shared->lock, &range, first * RANGE_SPREAD,
			   (last + 1) * RANGE_SPREAD - 1, true)) {
		atomic_inc(&shared->violations);
		return;
	}
	range_set(shared, first, last, 0, thread->id);
	range_pause(thread);
	range_set(shared, first, last, thread->id, 0);
	wdm_range_unlock(&shared->lock, &range);
}

static void range_round_all(struct range_thread *thread)
{
	struct range_shared *shared = thread->shared;
	struct wdm_range range;

	wdm_range_lock_all(&shared->lock, &range, false);
	range_set(shared, 0, RANGE_PAGES - 1, 0, thread->id);
	range_pause(thread);
	if (atomic_read(&shared->guests) || !wdm_range_wanted(&shared->lock))
		atomic_inc(&shared->violations);
	range_set(shared, 0, RANGE_PAGES - 1, thread->id, 0);
	wdm_range_unlock(&shared->lock, &range);
}

static void range_round_none(struct range_thread *thread)
{
	struct range_shared *shared = thread->shared;
	struct wdm_range range;

	wdm_range_lock_none(&shared->lock, &range, false);
	atomic_inc(&shared->guests);
	range_pause(thread);
	atomic_dec(&shared->guests);
	wdm_range_unlock(&shared->lock, &range);
}

static int range_thread(void *data)
{
	struct range_thread *thread = data;
	unsigned int i;

	for (i = 0; i < RANGE_ROUNDS; i++) {
		switch (fixture_below(&thread->rng, 16)) {
		case 0:
			range_round_all(thread);
			break;
		case 1:
			range_round_none(thread);
			break;
		default:
			range_round(thread);
		}
	}
	complete(&thread->done);
	return 0;
}

static void range_exclusion(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct range_shared *shared;
	struct range_thread *threads, *thread;
	struct task_struct *task;
	unsigned int i;

	shared = kunit_kzalloc(test, sizeof(*shared), GFP_KERNEL);
	threads = kunit_kcalloc(test, RANGE_THREADS, sizeof(*threads),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, shared);
	KUNIT_ASSERT_NOT_NULL(test, threads);
	wdm_range_lock_init(&shared->lock);
	for (i = 0; i < RANGE_THREADS; i++) {
		thread = &threads[i];
		thread->shared = shared;
		thread->id = i + 1;
		init_completion(&thread->done);
		prandom_seed_state(&thread->rng, fixture_random(&fx->rng));
		task = kthread_run(range_thread, thread, "wdm_range/%u", i);
		if (IS_ERR(task)) {
			KUNIT_FAIL(test, "no thread");
			complete(&thread->done);
		}
	}
	for (i = 0; i < RANGE_THREADS; i++)
		wait_for_completion(&threads[i].done);
	KUNIT_EXPECT_EQ(test, atomic_read(&shared->violations), 0);
	/* Or else nothing was tested. */
	KUNIT_EXPECT_GT(test, atomic_read(&shared->waits), 0);
	KUNIT_EXPECT_TRUE(test, !wdm_range_is_locked(&shared->lock));
}

struct range_waiter {
	struct wdm_range_lock *lock;
	u64 first;
	u64 last;
	struct completion started;
	struct completion got;
};

static int range_waiter(void *data)
{
	struct range_waiter *waiter = data;
	struct wdm_range range;

	complete(&waiter->started);
	if (!wdm_range_lock(waiter->lock, &range, waiter->first, waiter->last,
			    true))
		wdm_range_unlock(waiter->lock, &range);
	complete(&waiter->got);
	return 0;
}

/* Does another thread have to wait for [first, last]? Leaves it waiting then. */
static bool range_waits(struct kunit *test, struct range_waiter *waiter)
{
	struct task_struct *task;

	init_completion(&waiter->started);
	init_completion(&waiter->got);
	task = kthread_run(range_waiter, waiter, "wdm_range_waiter");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&waiter->started);
	return !wait_for_completion_timeout(&waiter->got,
					    msecs_to_jiffies(100));
}

/**
 * struct range_case - a range, while another one is held
 * @first: the first page number
 * @last: the last one
 * @waits: does who wants it wait?
 */
struct range_case {
	u64 first;
	u64 last;
	bool waits;
};

static void range_try(struct kunit *test, u64 first, u64 last,
		      const struct range_case *cases, unsigned int nr)
{
	struct wdm_range_lock *lock;
	struct range_waiter *waiter;
	struct wdm_range range;
	unsigned int i;
	bool waits;

	lock = kunit_kzalloc(test, sizeof(*lock), GFP_KERNEL);
	waiter = kunit_kzalloc(test, sizeof(*waiter), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lock);
	KUNIT_ASSERT_NOT_NULL(test, waiter);
	wdm_range_lock_init(lock);
	waiter->lock = lock;
	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, wdm_range_lock(lock, &range, first, last, true), 0);
		waiter->first = cases[i].first;
		waiter->last = cases[i].last;
		waits = range_waits(test, waiter);
		KUNIT_EXPECT_EQ_MSG(test, waits, cases[i].waits, "%u", i);
		wdm_range_unlock(lock, &range);
		if (waits)
			wait_for_completion(&waiter->got);
	}
	KUNIT_EXPECT_FALSE(test, wdm_range_is_locked(lock));
}

static void range_overlap(struct kunit *test)
{
	static const struct range_case cases[] = {
		{ 0, 9, false },
		{ 21, 30, false },
		{ 21, BIT_ULL(52) - 1, false },
		{ WDM_RANGE_NONE_FIRST, WDM_RANGE_NONE_LAST, false },
		{ 0, 10, true },
		{ 20, 20, true },
		{ 12, 13, true },
		{ 0, U64_MAX, true },
	};

	range_try(test, 10, 20, cases, ARRAY_SIZE(cases));
}

/* Large and small ranges, and none, side by side where they can be. */
static void range_large(struct kunit *test)
{
	static const struct range_case cases[] = {
		{ 0, 999, false },
		{ 999, 999, false },
		{ 5001, 5001, false },
		{ 5001, BIT_ULL(52) - 1, false },
		{ WDM_RANGE_NONE_FIRST, WDM_RANGE_NONE_LAST, false },
		{ 1000, 1000, true },
		{ 5000, 5000, true },
		{ 0, 1000, true },
		{ 3000, 8000, true },
		{ 0, U64_MAX, true },
	};

	range_try(test, 1000, 5000, cases, ARRAY_SIZE(cases));
}

/* Who wants all pages gets them before those who come later. */
static void range_all_first(struct kunit *test)
{
	struct range_waiter *waiters;
	struct wdm_range_lock *lock;
	struct wdm_range range;
	unsigned int i;
	bool waits[3];

	lock = kunit_kzalloc(test, sizeof(*lock), GFP_KERNEL);
	waiters = kunit_kcalloc(test, 3, sizeof(*waiters), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lock);
	KUNIT_ASSERT_NOT_NULL(test, waiters);
	wdm_range_lock_init(lock);
	KUNIT_ASSERT_EQ(test, wdm_range_lock(lock, &range, 7, 7, true), 0);
	KUNIT_EXPECT_FALSE(test, wdm_range_wanted(lock));

	waiters[0] = (struct range_waiter) { .lock = lock, .last = U64_MAX };
	waiters[1] = (struct range_waiter) {
		.lock = lock, .first = 1 << 20, .last = 1 << 20,
	};
	waiters[2] = (struct range_waiter) {
		.lock = lock,
		.first = WDM_RANGE_NONE_FIRST, .last = WDM_RANGE_NONE_LAST,
	};
	for (i = 0; i < 3; i++) {
		waits[i] = range_waits(test, &waiters[i]);
		KUNIT_EXPECT_TRUE_MSG(test, waits[i], "%u", i);
		KUNIT_EXPECT_TRUE(test, wdm_range_wanted(lock));
	}
	wdm_range_unlock(lock, &range);
	for (i = 0; i < 3; i++)
		if (waits[i])
			wait_for_completion(&waiters[i].got);
	KUNIT_EXPECT_FALSE(test, wdm_range_wanted(lock));
	KUNIT_EXPECT_FALSE(test, wdm_range_is_locked(lock));
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE(range_exclusion),
	KUNIT_CASE(range_overlap),
	KUNIT_CASE(range_large),
	KUNIT_CASE(range_all_first),
	{}
};

static struct kunit_suite range_suite = {
	.name = "wdm_iommu_range_lock",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = range_cases,
};

kunit_test_suite(range_suite);
