// SPDX-License-Identifier: GPL-2.0
/*
 * Removal: pages that a record does not map any more.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "put_list.h"

/* Make room for twice as many. */
static bool wdm_put_list_grow(struct wdm_put_list *put_list, gfp_t gfp)
{
	struct wdm_put_entry *list;

	if (!gfp)
		return false;
	list = kvmalloc_array(put_list->max * 2, sizeof(*list),
			      gfp | __GFP_NOWARN);
	if (!list)
		return false;
	memcpy(list, put_list->list, put_list->nr * sizeof(*list));
	if (put_list->list != put_list->few)
		kvfree(put_list->list);
	put_list->list = list;
	put_list->max *= 2;
	return true;
}

/**
 * wdm_put_list_add() - Add pages that are about to be taken out of a record
 * @put_list: the removal
 * @id: the number of their MDL
 * @nr_pages: how many
 * @gfp: how to allocate memory, 0 for not at all
 *
 * Return: whether there was room for them.
 */
bool wdm_put_list_add(struct wdm_put_list *put_list, u32 id, u64 nr_pages,
		      gfp_t gfp)
{
	struct wdm_put_entry *last;

	if (put_list->nr) {
		last = &put_list->list[put_list->nr - 1];
		if (last->mdl->id == id) {
			last->nr_pages += nr_pages;
			return true;
		}
	}
	if (put_list->nr == put_list->max && !wdm_put_list_grow(put_list, gfp))
		return false;
	put_list->list[put_list->nr++] = (struct wdm_put_entry) {
		.mdl = wdm_mdl_by_id(id),
		.nr_pages = nr_pages,
	};
	return true;
}

/**
 * wdm_put_list_release_list() - What wdm_put_list_release() does, if there is any
 * @put_list: the removal
 */
void wdm_put_list_release_list(struct wdm_put_list *put_list)
{
	u64 i;

	for (i = 0; i < put_list->nr; i++) {
		wdm_mdl_unuse(put_list->list[i].mdl, put_list->list[i].nr_pages);
		cond_resched();
	}
	if (put_list->list != put_list->few)
		kvfree(put_list->list);
}
