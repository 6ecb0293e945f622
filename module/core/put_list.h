/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put list: uses of MDLs by unmapped pages, to be dropped once no device can reach the
 * pages.
 */
#ifndef WDM_CORE_PUT_LIST_H
#define WDM_CORE_PUT_LIST_H

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include "../status.h"
#include "mdl.h"

/**
 * struct wdm_put_entry - uses of an MDL
 * @mdl: the MDL
 * @page: number of the first page in @mdl, if it releases pages one by one
 * @nr_pages: number of uses
 */
struct wdm_put_entry {
	struct wdm_mdl *mdl;
	u64 page;
	u64 nr_pages;
};

/**
 * struct wdm_put_chunk - a page of entries
 * @next: the next chunk of the list, or NULL
 * @entry: the entries
 */
struct wdm_put_chunk {
	struct wdm_put_chunk *next;
	struct wdm_put_entry entry[(PAGE_SIZE - sizeof(void *)) / sizeof(struct wdm_put_entry)];
};

/**
 * struct wdm_put_list - uses of MDLs
 * @leak: never drop the uses
 * @nr: number of entries in @list
 * @max: capacity of @list
 * @list: the last uses: @few, or the entries of @chunk; several entries may be of one MDL
 * @chunk: the chunk of @list; NULL: @list is @few
 * @chunks: the first chunk, which continues @few; the list keeps those behind @chunk for
 *	more entries
 * @few: storage for short lists
 *
 * A list may have an entry for each page of a long range, which is locked while it grows. So
 * growing it copies nothing.
 */
struct wdm_put_list {
	bool leak;
	u32 nr;
	u32 max;
	struct wdm_put_entry *list;
	struct wdm_put_chunk *chunk;
	struct wdm_put_chunk *chunks;
	struct wdm_put_entry few[4];
};

/* Continue after @nr entries of a chunk; NULL: of the few that precede the first chunk. */
static inline void wdm_put_list_seek(struct wdm_put_list *put_list,
				     struct wdm_put_chunk *chunk, u32 nr)
{
	put_list->nr = nr;
	put_list->max = chunk ? ARRAY_SIZE(chunk->entry) : ARRAY_SIZE(put_list->few);
	put_list->list = chunk ? chunk->entry : put_list->few;
	put_list->chunk = chunk;
}

static inline void wdm_put_list_init(struct wdm_put_list *put_list)
{
	put_list->leak = false;
	put_list->chunks = NULL;
	wdm_put_list_seek(put_list, NULL, 0);
}

/* Check whether pages can be added to an entry. */
static inline bool wdm_put_entry_continues(const struct wdm_put_entry *entry,
					   const struct wdm_mdl *mdl, u64 page)
{
	return entry->mdl == mdl &&
	       (!mdl->ops->unmapped || entry->page + entry->nr_pages == page);
}

static inline bool wdm_put_list_is_full(const struct wdm_put_list *put_list)
{
	return put_list->nr == put_list->max;
}

/**
 * wdm_put_list_add() - Add uses of an MDL
 * @put_list: the list
 * @mdl: the MDL
 * @page: number of the first page in @mdl
 * @nr_pages: number of pages
 *
 * Return: false if the list is full and wdm_put_list_grow() has to be called first.
 */
static inline bool wdm_put_list_add(struct wdm_put_list *put_list,
				    struct wdm_mdl *mdl, u64 page, u64 nr_pages)
{
	if (put_list->nr &&
	    wdm_put_entry_continues(&put_list->list[put_list->nr - 1], mdl, page)) {
		put_list->list[put_list->nr - 1].nr_pages += nr_pages;
		return true;
	}
	if (wdm_put_list_is_full(put_list))
		return false;
	put_list->list[put_list->nr++] = (struct wdm_put_entry) {
		.mdl = mdl, .page = page, .nr_pages = nr_pages,
	};
	return true;
}

ntstatus_t wdm_put_list_grow(struct wdm_put_list *put_list, gfp_t gfp);
void wdm_put_list_release_list(struct wdm_put_list *put_list);

/**
 * wdm_put_list_release() - Drop the uses
 * @put_list: the list; call wdm_put_list_init() before using it again
 *
 * Frees MDLs whose last reference is dropped, so call it without locks.
 */
static inline void wdm_put_list_release(struct wdm_put_list *put_list)
{
	if (put_list->nr || put_list->chunks)
		wdm_put_list_release_list(put_list);
}

/* Leak the uses. The caller still has to call wdm_put_list_release(). */
static inline void wdm_put_list_leak(struct wdm_put_list *put_list)
{
	put_list->leak = true;
}

/* A position in the list to roll back to */
struct wdm_put_list_checkpoint {
	struct wdm_put_chunk *chunk;
	u32 nr;
	u64 nr_pages;
};

static inline void wdm_put_list_checkpoint(const struct wdm_put_list *put_list,
					   struct wdm_put_list_checkpoint *checkpoint)
{
	checkpoint->chunk = put_list->chunk;
	checkpoint->nr = put_list->nr;
	checkpoint->nr_pages = put_list->nr ?
			       put_list->list[put_list->nr - 1].nr_pages : 0;
}

/* Roll back. The list keeps its memory: adding the same entries again needs none. */
static inline void wdm_put_list_rollback(struct wdm_put_list *put_list,
					 const struct wdm_put_list_checkpoint *checkpoint)
{
	wdm_put_list_seek(put_list, checkpoint->chunk, checkpoint->nr);
	if (put_list->nr)
		put_list->list[put_list->nr - 1].nr_pages = checkpoint->nr_pages;
}

#endif /* WDM_CORE_PUT_LIST_H */
