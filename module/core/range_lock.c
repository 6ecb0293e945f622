// SPDX-License-Identifier: GPL-2.0
/*
 * Range lock. There are only as many ranges as calls in progress, so a list is faster
 * than a tree.
 */
#include <linux/jiffies.h>

#include "range_lock.h"

#define WDM_RANGE_POLL_MS	1

static bool wdm_range_overlaps(const struct wdm_range *range,
			       const struct wdm_range *other)
{
	return range->last >= other->first && range->first <= other->last;
}

static bool wdm_range_is_all(const struct wdm_range *range)
{
	return !range->first && range->last == U64_MAX;
}

/* Called with the spinlock held. */
static bool wdm_range_is_free(struct wdm_range_lock *ranges,
			      const struct wdm_range *range)
{
	const struct wdm_range *other;

	if (ranges->nr_urgent)
		return false;
	list_for_each_entry(other, &ranges->ranges, node) {
		if (other == range)
			break;
		if (wdm_range_overlaps(range, other))
			return false;
	}
	return true;
}

/* An urgent range waits for held ranges and for older urgent ones only. */
static bool wdm_range_is_free_urgent(struct wdm_range_lock *ranges,
				     const struct wdm_range *range)
{
	const struct wdm_range *other;
	bool older = true;

	list_for_each_entry(other, &ranges->ranges, node) {
		if (other == range)
			older = false;
		else if (other->held || (older && other->urgent))
			return false;
	}
	return true;
}

static __always_inline bool wdm_range_try(struct wdm_range_lock *ranges,
					  struct wdm_range *range)
{
	range->held = range->urgent ? wdm_range_is_free_urgent(ranges, range) :
				      wdm_range_is_free(ranges, range);
	return range->held;
}

/* The condition of a wait: take the range if it is free now. */
static bool wdm_range_try_again(struct wdm_range_lock *ranges,
				struct wdm_range *range)
{
	bool held;

	spin_lock(&ranges->lock);
	held = wdm_range_try(ranges, range);
	if (held)
		ranges->nr_waiting--;
	spin_unlock(&ranges->lock);
	return held;
}

static __always_inline void wdm_range_add(struct wdm_range_lock *ranges,
					  struct wdm_range *range)
{
	list_add_tail(&range->node, &ranges->ranges);
	if (wdm_range_is_all(range))
		WRITE_ONCE(ranges->nr_all, ranges->nr_all + 1);
	if (range->urgent)
		WRITE_ONCE(ranges->nr_urgent, ranges->nr_urgent + 1);
}

/*
 * Wake up with the spinlock held: the next holder may free the lock, so nothing touches
 * it once the spinlock is released.
 */
static __always_inline void wdm_range_del(struct wdm_range_lock *ranges,
					  struct wdm_range *range)
{
	list_del(&range->node);
	if (wdm_range_is_all(range))
		WRITE_ONCE(ranges->nr_all, ranges->nr_all - 1);
	if (range->urgent)
		WRITE_ONCE(ranges->nr_urgent, ranges->nr_urgent - 1);
	if (ranges->nr_waiting)
		wake_up_all(&ranges->wait);
}

/* Stop waiting for a range. */
static void wdm_range_give_up(struct wdm_range_lock *ranges, struct wdm_range *range)
{
	/* Before the unlock, as in wdm_range_unlock() */
	rwsem_release(&ranges->dep_map, _RET_IP_);
	spin_lock(&ranges->lock);
	ranges->nr_waiting--;
	wdm_range_del(ranges, range);
	spin_unlock(&ranges->lock);
}

/*
 * Poll @stop, if there is one. Its setter does not know which lock the range waits for, so it
 * cannot wake this waiter.
 */
static ntstatus_t wdm_range_wait(struct wdm_range_lock *ranges, struct wdm_range *range,
				 bool killable, const atomic_t *stop)
{
	long poll = stop ? msecs_to_jiffies(WDM_RANGE_POLL_MS) : MAX_SCHEDULE_TIMEOUT;
	long ret = 0;

	while (!ret && !(stop && atomic_read(stop)))
		ret = killable ?
			wait_event_killable_timeout(ranges->wait,
						    wdm_range_try_again(ranges, range),
						    poll) :
			wait_event_timeout(ranges->wait,
					   wdm_range_try_again(ranges, range), poll);
	if (ret > 0)
		return STATUS_SUCCESS;
	wdm_range_give_up(ranges, range);
	return STATUS_CANCELLED;
}

/* Queue a range. Return false if the caller has to wait for it. */
static __always_inline bool wdm_range_enter(struct wdm_range_lock *ranges,
					    struct wdm_range *range)
{
	bool held;

	spin_lock(&ranges->lock);
	wdm_range_add(ranges, range);
	held = wdm_range_try(ranges, range);
	if (!held)
		ranges->nr_waiting++;
	spin_unlock(&ranges->lock);
	return held;
}

static __always_inline ntstatus_t __wdm_range_lock(struct wdm_range_lock *ranges,
						   struct wdm_range *range, bool killable,
						   const atomic_t *stop)
{
	might_sleep();
	if (wdm_range_is_all(range))
		rwsem_acquire(&ranges->dep_map, 0, 0, _RET_IP_);
	else
		rwsem_acquire_read(&ranges->dep_map, 0, 0, _RET_IP_);
	return likely(wdm_range_enter(ranges, range)) ?
		STATUS_SUCCESS : wdm_range_wait(ranges, range, killable, stop);
}

/**
 * wdm_range_lock_init() - Initialize a range lock
 * @ranges: the lock
 */
void wdm_range_lock_init(struct wdm_range_lock *ranges)
{
	static struct lock_class_key key;

	spin_lock_init(&ranges->lock);
	INIT_LIST_HEAD(&ranges->ranges);
	ranges->nr_waiting = 0;
	ranges->nr_all = 0;
	ranges->nr_urgent = 0;
	init_waitqueue_head(&ranges->wait);
	lockdep_init_map(&ranges->dep_map, "wdm_range_lock", &key, 0);
}

/**
 * wdm_range_lock() - Lock a range of pages
 * @ranges: the lock
 * @range: the caller's queue entry, for wdm_range_unlock()
 * @first: the first page number
 * @last: the last page number
 * @killable: a fatal signal ends the wait
 *
 * Waits for all older ranges that overlap this one, and for urgent ones.
 *
 * Return: STATUS_SUCCESS; STATUS_CANCELLED on a fatal signal.
 */
ntstatus_t wdm_range_lock(struct wdm_range_lock *ranges, struct wdm_range *range,
			  u64 first, u64 last, bool killable)
{
	range->first = first;
	range->last = last;
	range->urgent = false;
	return __wdm_range_lock(ranges, range, killable, NULL);
}

/**
 * wdm_range_lock_all_unless() - Lock all pages, or back off
 * @ranges: the lock
 * @range: the caller's queue entry
 * @killable: a fatal signal ends the wait
 * @stop: the wait ends within %WDM_RANGE_POLL_MS, or two jiffies if they are longer, once this
 *	is not 0
 *
 * Return: as wdm_range_lock(); STATUS_CANCELLED also if @stop ended the wait.
 */
ntstatus_t wdm_range_lock_all_unless(struct wdm_range_lock *ranges, struct wdm_range *range,
				     bool killable, const atomic_t *stop)
{
	range->first = 0;
	range->last = U64_MAX;
	range->urgent = false;
	return __wdm_range_lock(ranges, range, killable, stop);
}

/**
 * wdm_range_lock_urgent() - Lock all pages, ahead of other waiters
 * @ranges: the lock
 * @range: the caller's queue entry
 * @killable: a fatal signal ends the wait
 *
 * For detaches and revocations. Waits for held ranges, and for older urgent ones; calls that
 * hold a range yield within about a millisecond.
 *
 * Return: as wdm_range_lock().
 */
ntstatus_t wdm_range_lock_urgent(struct wdm_range_lock *ranges, struct wdm_range *range,
				 bool killable)
{
	range->first = 0;
	range->last = U64_MAX;
	range->urgent = true;
	return __wdm_range_lock(ranges, range, killable, NULL);
}

/**
 * wdm_range_yield() - Yield to urgent ranges
 * @ranges: the lock
 * @range: a held range, but not all pages
 *
 * The range keeps its place in the queue, so only urgent ranges are locked in between.
 */
void wdm_range_yield(struct wdm_range_lock *ranges, struct wdm_range *range)
{
	rwsem_release(&ranges->dep_map, _RET_IP_);
	rwsem_acquire_read(&ranges->dep_map, 0, 0, _RET_IP_);
	spin_lock(&ranges->lock);
	range->held = false;
	ranges->nr_waiting++;
	wake_up_all(&ranges->wait);
	spin_unlock(&ranges->lock);
	wait_event(ranges->wait, wdm_range_try_again(ranges, range));
}

/**
 * wdm_range_unlock() - Unlock a range of pages
 * @ranges: the lock; its next holder may free it
 * @range: the range
 */
void wdm_range_unlock(struct wdm_range_lock *ranges, struct wdm_range *range)
{
	rwsem_release(&ranges->dep_map, _RET_IP_);
	spin_lock(&ranges->lock);
	wdm_range_del(ranges, range);
	spin_unlock(&ranges->lock);
}

/**
 * wdm_range_is_locked() - Check whether any range is held or waited for
 * @ranges: the lock
 *
 * For tests.
 *
 * Return: true if there is one.
 */
bool wdm_range_is_locked(struct wdm_range_lock *ranges)
{
	return !list_empty_careful(&ranges->ranges);
}
