// SPDX-License-Identifier: GPL-2.0
/*
 * Range lock. Who holds a range is in the kernel, in a call of its own: there are
 * few at a time, and a list of them is quicker than a tree.
 */
#include "../compat/compat.h"
#include "range_lock.h"

/**
 * wdm_range_lock_init() - Make a range lock that nobody holds
 * @ranges: the lock
 */
void wdm_range_lock_init(struct wdm_range_lock *ranges)
{
	spin_lock_init(&ranges->lock);
	INIT_LIST_HEAD(&ranges->held);
	init_waitqueue_head(&ranges->wait);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_range_lock_init);

/**
 * wdm_range_wait() - Wait for a range that somebody holds
 * @ranges: the lock
 * @range: the range
 *
 * Return: as wdm_range_lock().
 */
int wdm_range_wait(struct wdm_range_lock *ranges, struct wdm_range *range)
{
	return wait_event_killable(ranges->wait,
				   wdm_range_trylock(ranges, range));
}
EXPORT_SYMBOL_IF_KUNIT(wdm_range_wait);
