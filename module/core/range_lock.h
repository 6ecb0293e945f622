/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range lock: serializes operations on overlapping ranges of pages, and runs operations on
 * disjoint ranges in parallel.
 *
 * Ranges are queued in one list, and each waits for earlier ranges that overlap it. The
 * order is FIFO, except for urgent ranges: VFIO waits while it revokes a group, and other
 * users of VFIO wait for it. An urgent range covers all pages and waits for held ranges
 * only. Holders poll wdm_range_urgent() while they work, and yield with wdm_range_yield().
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

#include "../status.h"

/**
 * struct wdm_range_lock - a lock for ranges of pages
 * @lock: guards the members below
 * @ranges: the ranges that are held or waited for, oldest first
 * @nr_waiting: how many of them are waited for
 * @nr_all: how many of them cover all pages; read without @lock as a hint
 * @nr_urgent: how many of them are urgent; read without @lock as a hint
 * @wait: the waiters
 * @dep_map: an rwsem for lockdep; all pages are its write side
 */
struct wdm_range_lock {
	spinlock_t lock;		/* guards all members below */
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
 * @urgent: it precedes ranges that are waited for
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
 * The empty range, past the last page number. It overlaps nothing but the range of all
 * pages.
 */
#define WDM_RANGE_NONE_FIRST	U64_MAX
#define WDM_RANGE_NONE_LAST	(U64_MAX - 1)

void wdm_range_lock_init(struct wdm_range_lock *ranges);
ntstatus_t wdm_range_lock(struct wdm_range_lock *ranges, struct wdm_range *range,
			  u64 first, u64 last, bool killable);
ntstatus_t wdm_range_lock_all_unless(struct wdm_range_lock *ranges, struct wdm_range *range,
				     bool killable, const atomic_t *stop);
ntstatus_t wdm_range_lock_urgent(struct wdm_range_lock *ranges, struct wdm_range *range,
				 bool killable);
void wdm_range_yield(struct wdm_range_lock *ranges, struct wdm_range *range);
void wdm_range_unlock(struct wdm_range_lock *ranges, struct wdm_range *range);
bool wdm_range_is_locked(struct wdm_range_lock *ranges);

/**
 * wdm_range_lock_none() - Lock the empty range: keep others from locking all pages
 * @ranges: the lock
 * @range: the caller's queue entry
 * @killable: a fatal signal ends the wait
 *
 * Return: as wdm_range_lock().
 */
static inline ntstatus_t wdm_range_lock_none(struct wdm_range_lock *ranges,
					     struct wdm_range *range, bool killable)
{
	return wdm_range_lock(ranges, range, WDM_RANGE_NONE_FIRST,
			      WDM_RANGE_NONE_LAST, killable);
}

/**
 * wdm_range_lock_all() - Lock all pages, and the empty range
 * @ranges: the lock
 * @range: the caller's queue entry
 * @killable: a fatal signal ends the wait
 *
 * Return: as wdm_range_lock().
 */
static inline ntstatus_t wdm_range_lock_all(struct wdm_range_lock *ranges,
					    struct wdm_range *range, bool killable)
{
	return wdm_range_lock(ranges, range, 0, U64_MAX, killable);
}

/**
 * wdm_range_wanted() - Check whether any caller waits for all pages, or holds them
 * @ranges: the lock
 *
 * Long-running holders that can release their range poll this, release the range, and
 * take it again. The answer is a hint: a stale value delays the yield by one poll.
 *
 * Return: true if there is one.
 */
static inline bool wdm_range_wanted(const struct wdm_range_lock *ranges)
{
	return READ_ONCE(ranges->nr_all);
}

/**
 * wdm_range_urgent() - Check whether any urgent caller waits for all pages, or holds them
 * @ranges: the lock
 *
 * Holders poll this after each bounded piece of work, a millisecond at most. If it
 * returns true, they call wdm_range_yield(), or undo their work and unlock. The answer is
 * a hint: a stale value delays the yield by one poll.
 *
 * Return: true if there is one.
 */
static inline bool wdm_range_urgent(const struct wdm_range_lock *ranges)
{
	return READ_ONCE(ranges->nr_urgent);
}

#endif /* WDM_CORE_RANGE_LOCK_H */
