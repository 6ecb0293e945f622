// SPDX-License-Identifier: GPL-2.0
/*
 * Put list: deferred release of MDL uses.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "put_list.h"

/**
 * wdm_put_list_grow() - Double the capacity of a list
 * @put_list: the list
 * @gfp: for memory
 *
 * Return: STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_put_list_grow(struct wdm_put_list *put_list, gfp_t gfp)
{
	struct wdm_put_entry *list;

	list = kvmalloc_array(put_list->max * 2, sizeof(*list), gfp | __GFP_NOWARN);
	if (!list)
		return STATUS_INSUFFICIENT_RESOURCES;
	memcpy(list, put_list->list, put_list->nr * sizeof(*list));
	if (put_list->list != put_list->few)
		kvfree(put_list->list);
	put_list->list = list;
	put_list->max *= 2;
	return STATUS_SUCCESS;
}

/**
 * wdm_put_list_release_list() - Out-of-line part of wdm_put_list_release()
 * @put_list: the list
 */
void wdm_put_list_release_list(struct wdm_put_list *put_list)
{
	u64 i;

	for (i = 0; i < put_list->nr && !put_list->leak; i++) {
		struct wdm_put_entry *entry = &put_list->list[i];

		wdm_mdl_unmapped(entry->mdl, entry->page, entry->nr_pages);
		cond_resched();
	}
	if (put_list->list != put_list->few)
		kvfree(put_list->list);
}
