/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range lock: operations on overlapping ranges of pages take turns, operations
 * on disjoint ranges run side by side.
 *
 * Ranges stand in one list in the order in which they came, and a range waits for
 * those before it that overlap it. Nobody is overtaken, except by urgent ranges:
 * VFIO waits when it takes a group back, and other users of VFIO wait for it. An
 * urgent range is all pages, and waits only for those that hold a range, who ask
 * wdm_range_urgent() while they work and let it pass with wdm_range_yield().
 */
#ifndef WDM_CORE_RANGE_LOCK_H
#define WDM_CORE_RANGE_LOCK_H

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

/**
 * struct wdm_range_lock - a lock for ranges of pages
 * @lock: guards the members below
 * @ranges: the ranges that are held or waited for, oldest first
 * @nr_waiting: how many of them are waited for
 * @nr_all: how many of them are all pages; read without @lock
 * @nr_urgent: how many of them are urgent; read without @lock
 * @wait: the waiters
 * @dep_map: an rwsem for lockdep; all pages are its write side
 */
struct wdm_range_lock {
	spinlock_t lock;		/* the list and its counters */
	struct list_head ranges;
	unsigned int nr_waiting;
	unsigned int nr_all;
	unsigned int nr_urgent;
	wait_queue_head_t wait;
	struct lockdep_map dep_map;
};

/**
 * struct wdm_range - a range that is held or waited for, on the caller's stack
 * @first: the first page number
 * @last: the last page number
 * @urgent: passes ranges that are waited for
 * @held: it is held
 * @node: in wdm_range_lock.ranges
 */
struct wdm_range {
	u64 first;
	u64 last;
	bool urgent;
	bool held;
	struct list_head node;
};

/*
 * A range without any page, behind the last page number. It overlaps nothing but
 * all pages.
 */
#define WDM_RANGE_NONE_FIRST	U64_MAX
#define WDM_RANGE_NONE_LAST	(U64_MAX - 1)

void wdm_range_lock_init(struct wdm_range_lock *ranges);
int wdm_range_lock(struct wdm_range_lock *ranges, struct wdm_range *range,
		   u64 first, u64 last, bool killable);
int wdm_range_lock_all_unless(struct wdm_range_lock *ranges, struct wdm_range *range,
			      bool killable, const atomic_t *stop);
int wdm_range_lock_urgent(struct wdm_range_lock *ranges, struct wdm_range *range,
			  bool killable);
void wdm_range_yield(struct wdm_range_lock *ranges, struct wdm_range *range);
void wdm_range_unlock(struct wdm_range_lock *ranges, struct wdm_range *range);
bool wdm_range_is_locked(struct wdm_range_lock *ranges);

/**
 * wdm_range_lock_none() - Lock the empty range: keep all pages from being locked
 * @ranges: the lock
 * @range: the caller's record of it
 * @killable: a fatal signal ends the wait
 *
 * Return: as wdm_range_lock().
 */
static inline int wdm_range_lock_none(struct wdm_range_lock *ranges,
				      struct wdm_range *range, bool killable)
{
	return wdm_range_lock(ranges, range, WDM_RANGE_NONE_FIRST,
			      WDM_RANGE_NONE_LAST, killable);
}

/**
 * wdm_range_lock_all() - Lock all pages, and the empty range
 * @ranges: the lock
 * @range: the caller's record of it
 * @killable: a fatal signal ends the wait
 *
 * Return: as wdm_range_lock().
 */
static inline int wdm_range_lock_all(struct wdm_range_lock *ranges,
				     struct wdm_range *range, bool killable)
{
	return wdm_range_lock(ranges, range, 0, U64_MAX, killable);
}

/**
 * wdm_range_wanted() - Does anybody wait for all pages, or hold them?
 * @ranges: the lock
 *
 * A caller that holds a range for long and can do without it for a moment asks
 * this, releases the range, and takes it again.
 *
 * Return: whether anybody does.
 */
static inline bool wdm_range_wanted(const struct wdm_range_lock *ranges)
{
	return READ_ONCE(ranges->nr_all);
}

/**
 * wdm_range_urgent() - Does anybody wait for all pages urgently, or hold them so?
 * @ranges: the lock
 *
 * A caller that holds a range asks this after each bounded piece of work, a
 * millisecond at the most, and then lets the waiter in: with wdm_range_yield(), or
 * by undoing what it did.
 *
 * Return: whether anybody does.
 */
static inline bool wdm_range_urgent(const struct wdm_range_lock *ranges)
{
	return READ_ONCE(ranges->nr_urgent);
}

#endif /* WDM_CORE_RANGE_LOCK_H */
