// SPDX-License-Identifier: GPL-2.0
/*
 * The range lock: a page has one holder at a time, and free pages are never waited for.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "../module/core/range_lock.h"
#include "support/fixture.h"

/* Number of places that are locked, and of the pages of each */
#define RANGE_PAGES	24
#define RANGE_SPREAD	64
#define RANGE_THREADS	4
/* A place whose holder yields to urgent ranges */
#define RANGE_YIELDED	(RANGE_THREADS + 1)
#define RANGE_ROUNDS	200

/**
 * struct range_shared - state shared by the threads
 * @lock: the lock
 * @holder: thread that holds a place, plus 1; guarded only by the lock under test
 * @guests: number of holders of the empty range, who exclude holders of all pages
 * @violations: number of places that already had a holder, or lost one
 * @waits: number of attempts at a range of which another thread held a place
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

/* Only urgent ranges are locked in between. */
static void range_yield(struct range_thread *thread, struct wdm_range *range,
			u64 first, u64 last)
{
	struct range_shared *shared = thread->shared;

	range_set(shared, first, last, thread->id, RANGE_YIELDED);
	wdm_range_yield(&shared->lock, range);
	range_set(shared, first, last, RANGE_YIELDED, thread->id);
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
	if (!wdm_ok(wdm_range_lock(&shared->lock, &range, first * RANGE_SPREAD,
				   (last + 1) * RANGE_SPREAD - 1, true))) {
		atomic_inc(&shared->violations);
		return;
	}
	range_set(shared, first, last, 0, thread->id);
	range_pause(thread);
	if (fixture_once_in(&thread->rng, 8))
		range_yield(thread, &range, first, last);
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

/* Others may hold a range, but each of them has yielded. */
static void range_round_urgent(struct range_thread *thread)
{
	struct range_shared *shared = thread->shared;
	unsigned int was[RANGE_PAGES], i;
	struct wdm_range range;

	wdm_range_lock_urgent(&shared->lock, &range, false);
	for (i = 0; i < RANGE_PAGES; i++) {
		was[i] = READ_ONCE(shared->holder[i]);
		if (was[i] && was[i] != RANGE_YIELDED)
			atomic_inc(&shared->violations);
		WRITE_ONCE(shared->holder[i], thread->id);
	}
	range_pause(thread);
	if (atomic_read(&shared->guests) || !wdm_range_urgent(&shared->lock))
		atomic_inc(&shared->violations);
	for (i = 0; i < RANGE_PAGES; i++)
		range_set(shared, i, i, thread->id, was[i]);
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
		case 2:
			range_round_urgent(thread);
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
	/* Otherwise nothing was tested. */
	KUNIT_EXPECT_GT(test, atomic_read(&shared->waits), 0);
	KUNIT_EXPECT_TRUE(test, !wdm_range_is_locked(&shared->lock));
}

struct range_waiter {
	struct wdm_range_lock *lock;
	u64 first;
	u64 last;
	bool urgent;
	ntstatus_t status;
	struct task_struct *task;
	struct completion started;
	struct completion got;
};

static int range_waiter(void *data)
{
	struct range_waiter *waiter = data;
	struct wdm_range range;

	allow_signal(SIGKILL);
	complete(&waiter->started);
	waiter->status = waiter->urgent ?
			 wdm_range_lock_urgent(waiter->lock, &range, true) :
			 wdm_range_lock(waiter->lock, &range, waiter->first,
					waiter->last, true);
	if (wdm_ok(waiter->status))
		wdm_range_unlock(waiter->lock, &range);
	complete(&waiter->got);
	return 0;
}

/* Check whether another thread has to wait for the range. If so it is left waiting. */
static bool range_waits(struct kunit *test, struct range_waiter *waiter)
{
	struct task_struct *task;

	init_completion(&waiter->started);
	init_completion(&waiter->got);
	task = kthread_run(range_waiter, waiter, "wdm_range_waiter");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	waiter->task = task;
	wait_for_completion(&waiter->started);
	return !wait_for_completion_timeout(&waiter->got,
					    msecs_to_jiffies(100));
}

/**
 * struct range_case - a range to lock while another one is held
 * @first: the first page number
 * @last: the last one
 * @waits: locking it waits
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
		KUNIT_ASSERT_STATUS(test, wdm_range_lock(lock, &range, first, last, true),
				    STATUS_SUCCESS);
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

/* Large, small and empty ranges run in parallel where possible. */
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

/* All pages are locked before ranges that are queued later. */
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
	KUNIT_ASSERT_STATUS(test, wdm_range_lock(lock, &range, 7, 7, true), STATUS_SUCCESS);
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

/* A fatal signal ends a wait, and a waiter that has left blocks nobody. */
static void range_killed(struct kunit *test)
{
	struct range_waiter *waiters;
	struct wdm_range_lock *lock;
	struct wdm_range range;
	bool waits[2];

	lock = kunit_kzalloc(test, sizeof(*lock), GFP_KERNEL);
	waiters = kunit_kcalloc(test, 2, sizeof(*waiters), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lock);
	KUNIT_ASSERT_NOT_NULL(test, waiters);
	wdm_range_lock_init(lock);
	KUNIT_ASSERT_STATUS(test, wdm_range_lock(lock, &range, 7, 7, true), STATUS_SUCCESS);
	waiters[0] = (struct range_waiter) { .lock = lock, .last = U64_MAX };
	waiters[1] = (struct range_waiter) { .lock = lock, .first = 8, .last = 9 };
	waits[0] = range_waits(test, &waiters[0]);
	waits[1] = range_waits(test, &waiters[1]);
	KUNIT_EXPECT_TRUE(test, waits[0] && waits[1]);
	if (waits[0]) {
		send_sig(SIGKILL, waiters[0].task, 1);
		wait_for_completion(&waiters[0].got);
		KUNIT_EXPECT_STATUS(test, waiters[0].status, STATUS_CANCELLED);
	}
	KUNIT_EXPECT_FALSE(test, wdm_range_wanted(lock));

	/* Only the first waiter blocked the second. */
	if (waits[1])
		wait_for_completion(&waiters[1].got);
	KUNIT_EXPECT_STATUS(test, waiters[1].status, STATUS_SUCCESS);
	wdm_range_unlock(lock, &range);
	KUNIT_EXPECT_FALSE(test, wdm_range_is_locked(lock));
}

/* An urgent range precedes all waiters and holders that yield; others do not. */
static void range_urgent(struct kunit *test)
{
	struct range_waiter *waiters;
	struct wdm_range_lock *lock;
	struct wdm_range range;
	bool waits[3];
	unsigned int i;

	lock = kunit_kzalloc(test, sizeof(*lock), GFP_KERNEL);
	waiters = kunit_kcalloc(test, 3, sizeof(*waiters), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lock);
	KUNIT_ASSERT_NOT_NULL(test, waiters);
	wdm_range_lock_init(lock);
	KUNIT_ASSERT_STATUS(test, wdm_range_lock(lock, &range, 7, 7, true), STATUS_SUCCESS);
	waiters[0] = (struct range_waiter) { .lock = lock, .first = 7, .last = 9 };
	waiters[1] = (struct range_waiter) { .lock = lock, .last = U64_MAX };
	waiters[2] = (struct range_waiter) { .lock = lock, .urgent = true };
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_FALSE(test, wdm_range_urgent(lock));
		waits[i] = range_waits(test, &waiters[i]);
		KUNIT_EXPECT_TRUE_MSG(test, waits[i], "%u", i);
	}
	KUNIT_EXPECT_TRUE(test, wdm_range_urgent(lock));
	wdm_range_yield(lock, &range);
	KUNIT_EXPECT_FALSE(test, wdm_range_urgent(lock));
	if (waits[2])
		wait_for_completion(&waiters[2].got);
	KUNIT_EXPECT_FALSE(test, completion_done(&waiters[0].got));
	KUNIT_EXPECT_FALSE(test, completion_done(&waiters[1].got));

	wdm_range_unlock(lock, &range);
	for (i = 0; i < 2; i++)
		if (waits[i])
			wait_for_completion(&waiters[i].got);
	KUNIT_EXPECT_FALSE(test, wdm_range_is_locked(lock));
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE(range_exclusion),
	KUNIT_CASE(range_overlap),
	KUNIT_CASE(range_large),
	KUNIT_CASE(range_all_first),
	KUNIT_CASE(range_killed),
	KUNIT_CASE(range_urgent),
	{}
};

static struct kunit_suite range_suite = {
	.name = "wdm_iommu_range_lock",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = range_cases,
};

kunit_test_suite(range_suite);
