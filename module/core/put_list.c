// SPDX-License-Identifier: GPL-2.0
/*
 * Put list: deferred release of MDL uses.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "put_list.h"

/**
 * wdm_put_list_grow() - Continue a full list in another chunk
 * @put_list: the list
 * @gfp: for memory
 *
 * Return: STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_put_list_grow(struct wdm_put_list *put_list, gfp_t gfp)
{
	struct wdm_put_chunk **next = put_list->chunk ? &put_list->chunk->next :
							&put_list->chunks;

	if (!*next) {
		*next = kmalloc(sizeof(**next), gfp | __GFP_NOWARN);
		if (!*next)
			return STATUS_INSUFFICIENT_RESOURCES;
		(*next)->next = NULL;
	}
	wdm_put_list_seek(put_list, *next, 0);
	return STATUS_SUCCESS;
}

static void wdm_put_entries_drop(const struct wdm_put_entry *entry, unsigned int nr)
{
	for (; nr--; entry++) {
		wdm_mdl_unmapped(entry->mdl, entry->page, entry->nr_pages);
		cond_resched();
	}
}

/**
 * wdm_put_list_release_list() - Out-of-line part of wdm_put_list_release()
 * @put_list: the list
 */
void wdm_put_list_release_list(struct wdm_put_list *put_list)
{
	const bool drop = !put_list->leak;
	struct wdm_put_chunk *chunk, *next;
	/* Everything before the current chunk is full, and everything behind it unused. */
	bool full = put_list->chunk;

	if (drop && full)
		wdm_put_entries_drop(put_list->few, ARRAY_SIZE(put_list->few));
	if (drop)
		wdm_put_entries_drop(put_list->list, put_list->nr);
	for (chunk = put_list->chunks; chunk; chunk = next) {
		next = chunk->next;
		full = full && chunk != put_list->chunk;
		if (drop && full)
			wdm_put_entries_drop(chunk->entry, ARRAY_SIZE(chunk->entry));
		kfree(chunk);
		cond_resched();
	}
}
