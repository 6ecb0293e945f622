// SPDX-License-Identifier: GPL-2.0
/*
 * Range lock. Who holds a range is in the kernel, in a call of its own: there are
 * few at a time, and a list of them is quicker than a tree.
 */
#include "range_lock.h"

static void wdm_range_list_init(struct wdm_range_list *list)
{
	spin_lock_init(&list->lock);
	INIT_LIST_HEAD(&list->ranges);
}

/**
 * wdm_range_lock_init() - Make a range lock that nobody holds
 * @ranges: the lock
 */
void wdm_range_lock_init(struct wdm_range_lock *ranges)
{
	static struct lock_class_key key;
	unsigned int i;

	for (i = 0; i < WDM_RANGE_LISTS; i++)
		wdm_range_list_init(&ranges->small[i]);
	/* Taken with one of the others held, so it is a class of its own. */
	spin_lock_init(&ranges->large.lock);
	INIT_LIST_HEAD(&ranges->large.ranges);
	ranges->nr_large = 0;
	ranges->nr_all = 0;
	init_waitqueue_head(&ranges->wait);
	lockdep_init_map(&ranges->dep_map, "wdm_range_lock", &key, 0);
}

/**
 * wdm_range_is_locked() - Does anybody hold or claim anything?
 * @ranges: the lock
 *
 * For tests.
 *
 * Return: whether somebody does.
 */
bool wdm_range_is_locked(struct wdm_range_lock *ranges)
{
	unsigned int i;

	for (i = 0; i < WDM_RANGE_LISTS; i++)
		if (!list_empty_careful(&ranges->small[i].ranges))
			return true;
	return !list_empty_careful(&ranges->large.ranges);
}

/**
 * wdm_range_claimed() - Does anybody hold or claim a large range with a page of this?
 * @ranges: the lock
 * @range: a small range
 *
 * Return: whether somebody does.
 */
bool wdm_range_claimed(struct wdm_range_lock *ranges,
		       const struct wdm_range *range)
{
	bool claimed;

	spin_lock(&ranges->large.lock);
	claimed = wdm_range_list_has(&ranges->large, range);
	spin_unlock(&ranges->large.lock);
	return claimed;
}

/* Whoever comes now and wants a page of the range waits until it is let go of. */
static void wdm_range_claim(struct wdm_range_lock *ranges,
			    struct wdm_range *range)
{
	range->list = &ranges->large;
	spin_lock(&ranges->large.lock);
	list_add_tail(&range->node, &ranges->large.ranges);
	WRITE_ONCE(ranges->nr_large, ranges->nr_large + 1);
	if (wdm_range_is_all(range))
		WRITE_ONCE(ranges->nr_all, ranges->nr_all + 1);
	spin_unlock(&ranges->large.lock);
}

/**
 * wdm_range_unlock_large() - Let go of a large range, or give up its claim
 * @ranges: the lock
 * @range: the range
 *
 * Return: whether there are others, who may be waiting.
 */
bool wdm_range_unlock_large(struct wdm_range_lock *ranges,
			    struct wdm_range *range)
{
	bool others;

	spin_lock(&ranges->large.lock);
	list_del(&range->node);
	/* Who sees none left sees what was done. */
	smp_store_release(&ranges->nr_large, ranges->nr_large - 1);
	if (wdm_range_is_all(range))
		WRITE_ONCE(ranges->nr_all, ranges->nr_all - 1);
	others = ranges->nr_large;
	spin_unlock(&ranges->large.lock);
	return others;
}

/* Are all those gone that were there before the claim and have a page of it? */
static bool wdm_range_is_free(struct wdm_range_lock *ranges,
			      struct wdm_range *range)
{
	const struct wdm_range *other = range;
	bool free = true;
	unsigned int i;

	spin_lock(&ranges->large.lock);
	list_for_each_entry_continue_reverse(other, &ranges->large.ranges, node) {
		free = !wdm_range_overlaps(range, other);
		if (!free)
			break;
	}
	spin_unlock(&ranges->large.lock);

	for (i = 0; free && i < WDM_RANGE_LISTS; i++) {
		struct wdm_range_list *list = &ranges->small[i];

		spin_lock(&list->lock);
		free = !wdm_range_list_has(list, range);
		spin_unlock(&list->lock);
	}
	return free;
}

/**
 * wdm_range_lock_slow() - Take a range that is large, or that somebody holds
 * @ranges: the lock
 * @range: the range
 * @killable: a fatal signal ends it
 *
 * Return: as wdm_range_lock().
 */
int wdm_range_lock_slow(struct wdm_range_lock *ranges, struct wdm_range *range,
			bool killable)
{
	int ret = 0;

	wdm_range_claim(ranges, range);
	if (killable)
		ret = wait_event_killable(ranges->wait,
					  wdm_range_is_free(ranges, range));
	else
		wait_event(ranges->wait, wdm_range_is_free(ranges, range));
	if (ret) {
		wdm_range_unlock_large(ranges, range);
		wake_up_all(&ranges->wait);
	}
	return ret;
}
