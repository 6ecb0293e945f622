/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Removal: pages that a record does not map any more, and that may still be
 * reached by devices. Their MDLs count as used until it is released.
 */
#ifndef WDM_CORE_PUT_LIST_H
#define WDM_CORE_PUT_LIST_H

#include <linux/gfp.h>
#include <linux/kernel.h>

#include "mdl.h"

/**
 * struct wdm_put_entry - pages of an MDL that are no longer recorded
 * @mdl: the MDL
 * @nr_pages: how many, each as often as it was mapped
 */
struct wdm_put_entry {
	struct wdm_mdl *mdl;
	u64 nr_pages;
};

/**
 * struct wdm_put_list - what wdm_record_remove() took out, once or several times
 * @nr: elements of @list
 * @max: elements that there is room for
 * @list: the pages; the same MDL may stand in it more than once
 * @few: room for the common case
 */
struct wdm_put_list {
	u64 nr;
	u64 max;
	struct wdm_put_entry *list;
	struct wdm_put_entry few[4];
};

static inline void wdm_put_list_init(struct wdm_put_list *put_list)
{
	put_list->nr = 0;
	put_list->max = ARRAY_SIZE(put_list->few);
	put_list->list = put_list->few;
}

bool wdm_put_list_add(struct wdm_put_list *put_list, u32 id, u64 nr_pages,
		      gfp_t gfp);
void wdm_put_list_release_list(struct wdm_put_list *put_list);

/**
 * wdm_put_list_release() - Let go of the pages that were taken out of a record
 * @put_list: what wdm_record_remove() gave; needs wdm_put_list_init() to be used
 *	again
 *
 * Takes no lock; MDLs whose last reference this was are freed.
 */
static inline void wdm_put_list_release(struct wdm_put_list *put_list)
{
	if (put_list->nr || put_list->list != put_list->few)
		wdm_put_list_release_list(put_list);
}

/* Have the MDLs count as used for ever; wdm_put_list_release() is still owed. */
static inline void wdm_put_list_leak(struct wdm_put_list *put_list)
{
	put_list->nr = 0;
}

/* What a removal was, should something that is added to it not be to be. */
struct wdm_put_list_checkpoint {
	u64 nr;
	u64 nr_pages;
};

static inline void wdm_put_list_checkpoint(const struct wdm_put_list *put_list,
					   struct wdm_put_list_checkpoint *mark)
{
	mark->nr = put_list->nr;
	mark->nr_pages = mark->nr ? put_list->list[mark->nr - 1].nr_pages : 0;
}

static inline void wdm_put_list_rollback(struct wdm_put_list *put_list,
					 const struct wdm_put_list_checkpoint *mark)
{
	put_list->nr = mark->nr;
	if (mark->nr)
		put_list->list[mark->nr - 1].nr_pages = mark->nr_pages;
}

#endif /* WDM_CORE_PUT_LIST_H */
