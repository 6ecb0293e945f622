/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Blocks of a mapping table, for the files of this folder.
 *
 * Unless they say otherwise, functions are called with wdm_mappings.lock held.
 */
#ifndef WDM_CORE_MAPPINGS_BLOCK_H
#define WDM_CORE_MAPPINGS_BLOCK_H

#include <linux/hash.h>

#include "mappings.h"

/**
 * struct wdm_map_entry - what a page is mapped to
 * @mdl: the MDL; NULL: the page is not mapped
 * @page: page number in @mdl
 * @perms: WDM_READ, WDM_WRITE, WDM_SMALL
 * @busy: a call in progress is mapping or unmapping it
 */
struct wdm_map_entry {
	struct wdm_mdl *mdl;
	u64 page : 60;
	u64 perms : 3;
	u64 busy : 1;
};

/**
 * struct wdm_map_block - a node or a span
 * @rb: in wdm_mappings.blocks
 * @first: the first page number
 * @last: the last page number
 * @nr_used: number of mapped pages of a node
 * @nr_kept: number of tokens that keep a node
 * @span: it is a span
 * @entry: a node: an entry per page; a span: that of the first page
 */
struct wdm_map_block {
	struct rb_node rb;
	u64 first;
	u64 last;
	u32 nr_used;
	u32 nr_kept;
	bool span;
	struct wdm_map_entry entry[];
};

/* Page tables of the IOMMU per page, in bytes */
#define WDM_PAGE_CHARGE	sizeof(u64)

/* Kinds of blocks */
enum wdm_block_kind {
	WDM_NODE,
	WDM_SPAN,
	WDM_BLOCK_KINDS,
};

/**
 * struct wdm_map_needs - numbers of blocks
 * @nr: the numbers, by kind
 */
struct wdm_map_needs {
	unsigned int nr[WDM_BLOCK_KINDS];
};

/**
 * struct wdm_map_reserve - blocks that are charged, but not in the table yet
 * @has: how many there are; all 0 at first
 * @block: the blocks, by kind
 */
struct wdm_map_reserve {
	struct wdm_map_needs has;
	struct wdm_map_block *block[WDM_BLOCK_KINDS][2];
};

static inline bool wdm_reserve_has(const struct wdm_map_reserve *reserve,
				   const struct wdm_map_needs *needs)
{
	return reserve->has.nr[WDM_NODE] >= needs->nr[WDM_NODE] &&
	       reserve->has.nr[WDM_SPAN] >= needs->nr[WDM_SPAN];
}

/* These two are called without the lock. */
ntstatus_t wdm_reserve_fill(struct wdm_mappings *mappings, struct wdm_map_reserve *reserve,
			    const struct wdm_map_needs *needs, gfp_t gfp);
void wdm_reserve_drop(struct wdm_mappings *mappings, struct wdm_map_reserve *reserve);

void wdm_block_free(struct wdm_mappings *mappings, struct wdm_map_block *block);
void wdm_block_erase(struct wdm_mappings *mappings, struct wdm_map_block *block);
struct wdm_map_block *wdm_block_next(struct wdm_mappings *mappings, u64 pgno);
struct wdm_map_block *wdm_node_add(struct wdm_mappings *mappings, u64 pgno,
				   struct wdm_map_reserve *reserve);
void wdm_node_remember(struct wdm_mappings *mappings, struct wdm_map_block *node);
void wdm_span_add(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
		  struct wdm_map_entry entry, struct wdm_map_reserve *reserve);

bool wdm_block_find(const struct wdm_map_block *block, u64 pgno, u64 last_pgno,
		    struct wdm_extent *ext);
bool wdm_mappings_search(struct wdm_mappings *mappings, u64 *pgno, u64 last_pgno,
			 unsigned int nr_blocks, struct wdm_extent *ext);

static inline unsigned int wdm_region_index(u64 pgno)
{
	return pgno & (WDM_REGION_PAGES - 1);
}

static inline u64 wdm_region_first(u64 pgno)
{
	return pgno & ~(WDM_REGION_PAGES - 1);
}

static inline u64 wdm_region_last(u64 pgno)
{
	return pgno | (WDM_REGION_PAGES - 1);
}

static inline struct wdm_map_block *wdm_block_of(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct wdm_map_block, rb);
}

static inline struct wdm_map_block **wdm_recent(struct wdm_mappings *mappings, u64 pgno)
{
	return &mappings->recent[hash_64(pgno >> WDM_REGION_BITS,
					 WDM_MAPPINGS_RECENT_BITS)];
}

/* Check that nothing is mapped in a node and no token keeps it. */
static inline bool wdm_node_is_spare(const struct wdm_map_block *node)
{
	return !node->nr_used && !node->nr_kept;
}

/* Get the node of a page from the hash, or NULL. */
static inline struct wdm_map_block *wdm_recent_node(struct wdm_mappings *mappings, u64 pgno)
{
	struct wdm_map_block *node = *wdm_recent(mappings, pgno);

	return node && node->first == wdm_region_first(pgno) ? node : NULL;
}

static inline struct wdm_map_block *wdm_block_at(struct wdm_mappings *mappings, u64 pgno)
{
	struct wdm_map_block *block = wdm_block_next(mappings, pgno);

	return block && block->first <= pgno ? block : NULL;
}

/* Find the node of a page, and add it to the hash. */
static inline struct wdm_map_block *wdm_node_at(struct wdm_mappings *mappings, u64 pgno)
{
	struct wdm_map_block *node = wdm_recent_node(mappings, pgno);

	if (likely(node))
		return node;
	node = wdm_block_at(mappings, pgno);
	if (!node || node->span)
		return NULL;
	wdm_node_remember(mappings, node);
	return node;
}

static inline bool wdm_entry_continues(const struct wdm_map_entry *entry,
				       const struct wdm_map_entry *next)
{
	return next->mdl && next->mdl == entry->mdl &&
	       next->page == entry->page + 1 && next->perms == entry->perms &&
	       next->busy == entry->busy;
}

static inline void wdm_node_insert(struct wdm_map_block *node, u64 pgno, u64 last_pgno,
				   struct wdm_map_entry entry)
{
	unsigned int i;

	for (i = wdm_region_index(pgno); i <= wdm_region_index(last_pgno); i++) {
		node->entry[i] = entry;
		entry.page++;
	}
	node->nr_used += last_pgno - pgno + 1;
}

#endif /* WDM_CORE_MAPPINGS_BLOCK_H */
