// SPDX-License-Identifier: GPL-2.0
/*
 * Removal: pages that a record does not map any more.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "removal.h"

/* Make room for twice as many. */
static bool wdm_removal_grow(struct wdm_removal *removal, gfp_t gfp)
{
	struct wdm_removed *list;

	if (!gfp)
		return false;
	list = kvmalloc_array(removal->max * 2, sizeof(*list),
			      gfp | __GFP_NOWARN);
	if (!list)
		return false;
	memcpy(list, removal->list, removal->nr * sizeof(*list));
	if (removal->list != removal->few)
		kvfree(removal->list);
	removal->list = list;
	removal->max *= 2;
	return true;
}

/**
 * wdm_removal_add() - Add pages that are about to be taken out of a record
 * @removal: the removal
 * @id: the number of their MDL
 * @nr_pages: how many
 * @gfp: how to allocate memory, 0 for not at all
 *
 * Return: whether there was room for them.
 */
bool wdm_removal_add(struct wdm_removal *removal, u32 id, u64 nr_pages,
		     gfp_t gfp)
{
	struct wdm_removed *last;

	if (removal->nr) {
		last = &removal->list[removal->nr - 1];
		if (last->mdl->id == id) {
			last->nr_pages += nr_pages;
			return true;
		}
	}
	if (removal->nr == removal->max && !wdm_removal_grow(removal, gfp))
		return false;
	removal->list[removal->nr++] = (struct wdm_removed) {
		.mdl = wdm_mdl_by_id(id),
		.nr_pages = nr_pages,
	};
	return true;
}

/**
 * wdm_removal_release_list() - What wdm_removal_release() does, if there is any
 * @removal: the removal
 */
void wdm_removal_release_list(struct wdm_removal *removal)
{
	u64 i;

	for (i = 0; i < removal->nr; i++) {
		wdm_mdl_unuse(removal->list[i].mdl, removal->list[i].nr_pages);
		cond_resched();
	}
	if (removal->list != removal->few)
		kvfree(removal->list);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_removal_release_list);
