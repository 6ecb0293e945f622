/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Range lock: operations on overlapping ranges of pages take turns, operations
 * on disjoint ones run side by side.
 */
#ifndef WDM_CORE_RANGE_LOCK_H
#define WDM_CORE_RANGE_LOCK_H

#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct wdm_range_lock {
	spinlock_t lock;		/* guards @held */
	struct rb_root_cached held;
	wait_queue_head_t wait;
};

/**
 * struct wdm_range - one holder, on the holder's stack
 * @first: the first page number
 * @last: the last one
 * @node: in the tree of held ranges
 * @subtree_last: the tree's
 */
struct wdm_range {
	u64 first;
	u64 last;
	struct rb_node node;
	u64 subtree_last;
};

void wdm_range_lock_init(struct wdm_range_lock *ranges);
int wdm_range_lock(struct wdm_range_lock *ranges, struct wdm_range *range,
		   u64 first, u64 last);
void wdm_range_unlock(struct wdm_range_lock *ranges, struct wdm_range *range);

#endif /* WDM_CORE_RANGE_LOCK_H */
