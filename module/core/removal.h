/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Removal: pages that a record does not map any more, and that may still be
 * reached by devices. Their MDLs count as used until it is released.
 */
#ifndef WDM_CORE_REMOVAL_H
#define WDM_CORE_REMOVAL_H

#include <linux/gfp.h>
#include <linux/kernel.h>

#include "mdl.h"

/**
 * struct wdm_removed - pages of an MDL that are no longer recorded
 * @mdl: the MDL
 * @nr_pages: how many, each as often as it was mapped
 */
struct wdm_removed {
	struct wdm_mdl *mdl;
	u64 nr_pages;
};

/**
 * struct wdm_removal - what wdm_record_remove() took out, once or several times
 * @nr: elements of @list
 * @max: elements that there is room for
 * @list: the pages; the same MDL may stand in it more than once
 * @few: room for the common case
 */
struct wdm_removal {
	u64 nr;
	u64 max;
	struct wdm_removed *list;
	struct wdm_removed few[4];
};

static inline void wdm_removal_init(struct wdm_removal *removal)
{
	removal->nr = 0;
	removal->max = ARRAY_SIZE(removal->few);
	removal->list = removal->few;
}

bool wdm_removal_add(struct wdm_removal *removal, u32 id, u64 nr_pages,
		     gfp_t gfp);
void wdm_removal_release_list(struct wdm_removal *removal);

/**
 * wdm_removal_release() - Let go of the pages that were taken out of a record
 * @removal: what wdm_record_remove() gave; needs wdm_removal_init() to be used
 *	again
 *
 * Takes no lock; MDLs whose last reference this was are freed.
 */
static inline void wdm_removal_release(struct wdm_removal *removal)
{
	if (removal->nr || removal->list != removal->few)
		wdm_removal_release_list(removal);
}

/* Have the MDLs count as used for ever; wdm_removal_release() is still owed. */
static inline void wdm_removal_leak(struct wdm_removal *removal)
{
	removal->nr = 0;
}

/* What a removal was, should something that is added to it not be to be. */
struct wdm_removal_mark {
	u64 nr;
	u64 nr_pages;
};

static inline void wdm_removal_mark(const struct wdm_removal *removal,
				    struct wdm_removal_mark *mark)
{
	mark->nr = removal->nr;
	mark->nr_pages = mark->nr ? removal->list[mark->nr - 1].nr_pages : 0;
}

static inline void wdm_removal_back(struct wdm_removal *removal,
				    const struct wdm_removal_mark *mark)
{
	removal->nr = mark->nr;
	if (mark->nr)
		removal->list[mark->nr - 1].nr_pages = mark->nr_pages;
}

#endif /* WDM_CORE_REMOVAL_H */
