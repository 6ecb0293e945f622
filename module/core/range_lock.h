/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range lock: operations on overlapping ranges of pages take turns, operations
 * on disjoint ones run side by side.
 *
 * Most ranges are small. They are kept in lists by their address, each under a
 * spinlock of its own, so that operations here and there do not even share a
 * cache line. A range that is too large for one list is first claimed, in one list
 * of such ranges, and then waits for the small ones that were there before it;
 * those that come later see the claim, and make one, too. Claims are served in
 * their order: everybody gets what he waits for, however many others come.
 */
#ifndef WDM_CORE_RANGE_LOCK_H
#define WDM_CORE_RANGE_LOCK_H

#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

/* A small range is in one block of so many pages, */
#define WDM_RANGE_BLOCK_BITS	9
/* and blocks share so many lists. */
#define WDM_RANGE_LIST_BITS	3
#define WDM_RANGE_LISTS		BIT(WDM_RANGE_LIST_BITS)

/**
 * struct wdm_range_list - ranges that are held
 * @lock: guards @ranges
 * @ranges: the ranges
 */
struct wdm_range_list {
	spinlock_t lock;		/* see above */
	struct list_head ranges;
} ____cacheline_aligned_in_smp;

/**
 * struct wdm_range_lock - a lock for ranges of pages
 * @small: ranges that are in one block, by a hash of its number
 * @large: all others, and what somebody had to wait for, held and claimed, in the
 *	order in which they came
 * @nr_large: how many these are
 * @nr_all: how many of them are of all pages
 * @wait: who waits for a range
 * @dep_map: for lockdep, an rwsem: held for writing by who holds all pages
 */
struct wdm_range_lock {
	struct wdm_range_list small[WDM_RANGE_LISTS];
	struct wdm_range_list large;
	unsigned int nr_large;
	unsigned int nr_all;
	wait_queue_head_t wait;
	struct lockdep_map dep_map;
};

/**
 * struct wdm_range - one holder, on the holder's stack
 * @first: the first page number
 * @last: the last one
 * @node: in a list of the lock
 * @list: which one
 */
struct wdm_range {
	u64 first;
	u64 last;
	struct list_head node;
	struct wdm_range_list *list;
};

void wdm_range_lock_init(struct wdm_range_lock *ranges);
bool wdm_range_is_locked(struct wdm_range_lock *ranges);

int wdm_range_lock_slow(struct wdm_range_lock *ranges, struct wdm_range *range,
			bool killable);
bool wdm_range_unlock_large(struct wdm_range_lock *ranges,
			    struct wdm_range *range);
bool wdm_range_claimed(struct wdm_range_lock *ranges,
		       const struct wdm_range *range);

/* Does a range have any page of another, or all? An empty one is part of all. */
static inline bool wdm_range_overlaps(const struct wdm_range *range,
				      const struct wdm_range *other)
{
	return range->last >= other->first && range->first <= other->last;
}

static inline bool wdm_range_is_all(const struct wdm_range *range)
{
	return !range->first && range->last == U64_MAX;
}

static inline bool wdm_range_is_small(const struct wdm_range *range)
{
	return range->first >> WDM_RANGE_BLOCK_BITS ==
	       range->last >> WDM_RANGE_BLOCK_BITS;
}

static inline bool wdm_range_list_has(const struct wdm_range_list *list,
				      const struct wdm_range *range)
{
	const struct wdm_range *other;

	list_for_each_entry(other, &list->ranges, node)
		if (wdm_range_overlaps(range, other))
			return true;
	return false;
}

/* Take a small range, if nobody holds or has claimed a page of it. */
static inline bool wdm_range_trylock_small(struct wdm_range_lock *ranges,
					   struct wdm_range *range)
{
	struct wdm_range_list *list =
		&ranges->small[hash_64(range->first >> WDM_RANGE_BLOCK_BITS,
				       WDM_RANGE_LIST_BITS)];
	bool free;

	spin_lock(&list->lock);
	free = !wdm_range_list_has(list, range);
	if (free) {
		list_add(&range->node, &list->ranges);
		/*
		 * Who makes a claim looks into this list then, with its lock: he
		 * sees this range, or else this sees the claim. And if there is
		 * none any more, what was done under it is done.
		 */
		if (unlikely(smp_load_acquire(&ranges->nr_large)) &&
		    wdm_range_claimed(ranges, range)) {
			list_del(&range->node);
			free = false;
		}
	}
	spin_unlock(&list->lock);
	range->list = list;
	return free;
}

static inline int __wdm_range_lock(struct wdm_range_lock *ranges,
				   struct wdm_range *range, u64 first, u64 last,
				   bool killable)
{
	might_sleep();
	range->first = first;
	range->last = last;
	if (likely(wdm_range_is_small(range)) &&
	    wdm_range_trylock_small(ranges, range))
		return 0;
	return wdm_range_lock_slow(ranges, range, killable);
}

/**
 * wdm_range_lock() - Wait until nobody holds a page of a range, and take it
 * @ranges: the lock
 * @range: the holder's record of it
 * @first: the first page number
 * @last: the last one
 * @killable: a fatal signal ends the wait
 *
 * Return: 0, or -ERESTARTSYS when a fatal signal came first.
 */
static inline int wdm_range_lock(struct wdm_range_lock *ranges,
				 struct wdm_range *range, u64 first, u64 last,
				 bool killable)
{
	int ret;

	rwsem_acquire_read(&ranges->dep_map, 0, 0, _THIS_IP_);
	ret = __wdm_range_lock(ranges, range, first, last, killable);
	if (ret)
		rwsem_release(&ranges->dep_map, _THIS_IP_);
	return ret;
}

/*
 * A range without any page, behind the last one. It overlaps with nothing but
 * with all pages.
 */
#define WDM_RANGE_NONE_FIRST	U64_MAX
#define WDM_RANGE_NONE_LAST	(U64_MAX - 1)

/**
 * wdm_range_lock_none() - Wait until nobody holds all pages, and keep it so
 * @ranges: the lock
 * @range: the holder's record of it
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
 * wdm_range_lock_all() - Wait until nobody holds anything, and take all pages
 * @ranges: the lock
 * @range: the holder's record of it
 * @killable: a fatal signal ends the wait
 *
 * Return: as wdm_range_lock().
 */
static inline int wdm_range_lock_all(struct wdm_range_lock *ranges,
				     struct wdm_range *range, bool killable)
{
	int ret;

	rwsem_acquire(&ranges->dep_map, 0, 0, _THIS_IP_);
	ret = __wdm_range_lock(ranges, range, 0, U64_MAX, killable);
	if (ret)
		rwsem_release(&ranges->dep_map, _THIS_IP_);
	return ret;
}

/**
 * wdm_range_unlock() - Let go of a range, of none, or of all
 * @ranges: the lock; a grace period of RCU after the last unlock it may be gone
 * @range: what was taken
 */
static inline void wdm_range_unlock(struct wdm_range_lock *ranges,
				    struct wdm_range *range)
{
	struct wdm_range_list *list = range->list;
	bool claimed;

	rwsem_release(&ranges->dep_map, _THIS_IP_);
	rcu_read_lock();
	if (unlikely(list == &ranges->large)) {
		claimed = wdm_range_unlock_large(ranges, range);
	} else {
		spin_lock(&list->lock);
		list_del(&range->node);
		/* Who waits has a claim, and has looked into this list since. */
		claimed = READ_ONCE(ranges->nr_large);
		spin_unlock(&list->lock);
	}
	if (unlikely(claimed))
		wake_up_all(&ranges->wait);
	rcu_read_unlock();
}

/**
 * wdm_range_wanted() - Does anybody wait for all pages, or have them?
 * @ranges: the lock
 *
 * Who holds a range for long, and could do without for a moment, asks.
 *
 * Return: whether somebody does.
 */
static inline bool wdm_range_wanted(const struct wdm_range_lock *ranges)
{
	return READ_ONCE(ranges->nr_all);
}

#endif /* WDM_CORE_RANGE_LOCK_H */
