/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range lock: operations on overlapping ranges of pages take turns, operations
 * on disjoint ones run side by side.
 */
#ifndef WDM_CORE_RANGE_LOCK_H
#define WDM_CORE_RANGE_LOCK_H

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct wdm_range_lock {
	spinlock_t lock;		/* guards @held */
	struct list_head held;
	wait_queue_head_t wait;
};

/**
 * struct wdm_range - one holder, on the holder's stack
 * @first: the first page number
 * @last: the last one
 * @node: in wdm_range_lock.held
 */
struct wdm_range {
	u64 first;
	u64 last;
	struct list_head node;
};

void wdm_range_lock_init(struct wdm_range_lock *ranges);
int wdm_range_wait(struct wdm_range_lock *ranges, struct wdm_range *range);

static inline bool wdm_range_trylock(struct wdm_range_lock *ranges,
				     struct wdm_range *range)
{
	const struct wdm_range *other;
	bool free = true;

	spin_lock(&ranges->lock);
	list_for_each_entry(other, &ranges->held, node) {
		free = range->last < other->first || range->first > other->last;
		if (!free)
			break;
	}
	if (free)
		list_add(&range->node, &ranges->held);
	spin_unlock(&ranges->lock);
	return free;
}

/**
 * wdm_range_lock() - Wait until nobody holds a page of a range, and take it
 * @ranges: the lock
 * @range: the holder's record of it
 * @first: the first page number
 * @last: the last one
 *
 * Return: 0, or -ERESTARTSYS when a fatal signal came first.
 */
static inline int wdm_range_lock(struct wdm_range_lock *ranges,
				 struct wdm_range *range, u64 first, u64 last)
{
	might_sleep();
	range->first = first;
	range->last = last;
	return wdm_range_trylock(ranges, range) ?
	       0 : wdm_range_wait(ranges, range);
}

/**
 * wdm_range_unlock() - Let go of a range
 * @ranges: the lock
 * @range: what wdm_range_lock() took
 */
static inline void wdm_range_unlock(struct wdm_range_lock *ranges,
				    struct wdm_range *range)
{
	spin_lock(&ranges->lock);
	list_del(&range->node);
	spin_unlock(&ranges->lock);
	/* A waiter puts itself on the queue before it looks at the list. */
	if (wq_has_sleeper(&ranges->wait))
		wake_up_all(&ranges->wait);
}

#endif /* WDM_CORE_RANGE_LOCK_H */
