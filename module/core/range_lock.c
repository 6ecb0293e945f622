// SPDX-License-Identifier: GPL-2.0
/*
 * Range lock, on the kernel's interval tree.
 */
#include <linux/interval_tree_generic.h>

#include "../compat/compat.h"
#include "range_lock.h"

#define RANGE_FIRST(range)	((range)->first)
#define RANGE_LAST(range)	((range)->last)

INTERVAL_TREE_DEFINE(struct wdm_range, node, u64, subtree_last,
		     RANGE_FIRST, RANGE_LAST,
		     static __maybe_unused, wdm_range_tree)

/**
 * wdm_range_lock_init() - Make a range lock that nobody holds
 * @ranges: the lock
 */
void wdm_range_lock_init(struct wdm_range_lock *ranges)
{
	spin_lock_init(&ranges->lock);
	ranges->held = RB_ROOT_CACHED;
	init_waitqueue_head(&ranges->wait);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_range_lock_init);

static bool wdm_range_trylock(struct wdm_range_lock *ranges,
			      struct wdm_range *range)
{
	bool free;

	spin_lock(&ranges->lock);
	free = !wdm_range_tree_iter_first(&ranges->held, range->first,
					  range->last);
	if (free)
		wdm_range_tree_insert(range, &ranges->held);
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
int wdm_range_lock(struct wdm_range_lock *ranges, struct wdm_range *range,
		   u64 first, u64 last)
{
	might_sleep();
	range->first = first;
	range->last = last;
	if (wdm_range_trylock(ranges, range))
		return 0;
	return wait_event_killable(ranges->wait,
				   wdm_range_trylock(ranges, range));
}
EXPORT_SYMBOL_IF_KUNIT(wdm_range_lock);

/**
 * wdm_range_unlock() - Let go of a range
 * @ranges: the lock
 * @range: what wdm_range_lock() took
 */
void wdm_range_unlock(struct wdm_range_lock *ranges, struct wdm_range *range)
{
	spin_lock(&ranges->lock);
	wdm_range_tree_remove(range, &ranges->held);
	spin_unlock(&ranges->lock);
	/* A waiter puts itself on the queue before it looks at the tree. */
	if (wq_has_sleeper(&ranges->wait))
		wake_up_all(&ranges->wait);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_range_unlock);
