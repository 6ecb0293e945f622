// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping table: maps page numbers to pages of MDLs.
 *
 * Pages are numbered in regions of 128. The table is a tree of two kinds of blocks. A
 * node covers one region, with an entry of 16 bytes per page. A span covers whole regions
 * that map consecutive pages of one MDL, with a single entry: a large map costs at most
 * one span, and a node at each end.
 *
 * The tree is a red-black tree under one spinlock, which disables interrupts: callers in
 * atomic context use it, too. Taking pages out needs no memory, so that an undo cannot
 * fail. Everything that may need memory comes first: a removal cuts spans at its ends,
 * and a map allocates its blocks, before either changes a mapping. A critical section
 * handles at most one block. Most calls touch a single node, which a hash finds.
 *
 * A flat table has nodes only, so that removing any page needs no memory at all.
 *
 * A token keeps its nodes, so that maps in it need none.
 *
 * Nodes are charged together with the IOMMU's page tables for their region. An empty node
 * is freed once no token keeps it and no hash slot points to it.
 */
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/slab.h>

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

#define WDM_NODE_SIZE	offsetof(struct wdm_map_block, entry[WDM_REGION_PAGES])
#define WDM_SPAN_SIZE	offsetof(struct wdm_map_block, entry[1])

/* Page tables of the IOMMU per page, in bytes */
#define WDM_PAGE_CHARGE	sizeof(u64)
/* A node may be the only one for a page table of the IOMMU. */
#define WDM_NODE_CHARGE	(WDM_NODE_SIZE + WDM_BUDGET_IOMMU_TABLES + \
			 WDM_REGION_PAGES * WDM_PAGE_CHARGE)

static struct kmem_cache *wdm_node_cache;

/**
 * wdm_mappings_init_module() - Create the cache of nodes
 *
 * Return: 0 or -ENOMEM.
 */
int wdm_mappings_init_module(void)
{
	wdm_node_cache = kmem_cache_create("wdm_map_node", WDM_NODE_SIZE, 0,
					   SLAB_ACCOUNT, NULL);
	return wdm_node_cache ? 0 : -ENOMEM;
}

/**
 * wdm_mappings_exit_module() - Undo wdm_mappings_init_module(); all tables are gone
 */
void wdm_mappings_exit_module(void)
{
	kmem_cache_destroy(wdm_node_cache);
}

static unsigned int wdm_region_index(u64 pgno)
{
	return pgno & (WDM_REGION_PAGES - 1);
}

static u64 wdm_region_first(u64 pgno)
{
	return pgno & ~(WDM_REGION_PAGES - 1);
}

static u64 wdm_region_last(u64 pgno)
{
	return pgno | (WDM_REGION_PAGES - 1);
}

/* Check whether pages from the start of a region on go into a span. */
static bool wdm_part_is_whole(const struct wdm_mappings *mappings, u64 pgno,
			      u64 part_last)
{
	return !mappings->flat && part_last - pgno >= WDM_REGION_PAGES - 1;
}

/*
 * Get the end of the leading part of a range that goes into one block: whole regions, or
 * pages of a single region.
 */
static u64 wdm_part_last(const struct wdm_mappings *mappings, u64 pgno, u64 last_pgno)
{
	if (!wdm_region_index(pgno) && wdm_part_is_whole(mappings, pgno, last_pgno))
		return wdm_region_first(last_pgno + 1) - 1;
	return min(last_pgno, wdm_region_last(pgno));
}

/* Blocks that are allocated and charged, but not in the table yet */
struct wdm_map_reserve {
	struct wdm_map_block *node[2];
	struct wdm_map_block *span[2];
	unsigned int nr_nodes;
	unsigned int nr_spans;
};

static bool wdm_reserve_has(const struct wdm_map_reserve *reserve,
			    unsigned int nr_nodes, unsigned int nr_spans)
{
	return reserve->nr_nodes >= nr_nodes && reserve->nr_spans >= nr_spans;
}

/* Called without the lock. */
static ntstatus_t wdm_reserve_fill(struct wdm_mappings *mappings,
				   struct wdm_map_reserve *reserve,
				   unsigned int nr_nodes, unsigned int nr_spans,
				   gfp_t gfp)
{
	struct wdm_map_block *block;

	while (reserve->nr_nodes < nr_nodes) {
		if (!wdm_budget_charge(mappings->budget, WDM_NODE_CHARGE))
			return STATUS_WORKING_SET_QUOTA;
		block = kmem_cache_zalloc(wdm_node_cache, gfp);
		if (!block) {
			wdm_budget_uncharge(mappings->budget, WDM_NODE_CHARGE);
			return STATUS_INSUFFICIENT_RESOURCES;
		}
		reserve->node[reserve->nr_nodes++] = block;
	}
	while (reserve->nr_spans < nr_spans) {
		if (!wdm_budget_charge(mappings->budget, WDM_SPAN_SIZE))
			return STATUS_WORKING_SET_QUOTA;
		block = kmalloc(WDM_SPAN_SIZE, gfp);
		if (!block) {
			wdm_budget_uncharge(mappings->budget, WDM_SPAN_SIZE);
			return STATUS_INSUFFICIENT_RESOURCES;
		}
		block->span = true;
		reserve->span[reserve->nr_spans++] = block;
	}
	return STATUS_SUCCESS;
}

static void wdm_reserve_drop(struct wdm_mappings *mappings,
			     struct wdm_map_reserve *reserve)
{
	while (reserve->nr_nodes) {
		kmem_cache_free(wdm_node_cache,
				reserve->node[--reserve->nr_nodes]);
		wdm_budget_uncharge(mappings->budget, WDM_NODE_CHARGE);
	}
	while (reserve->nr_spans) {
		kfree(reserve->span[--reserve->nr_spans]);
		wdm_budget_uncharge(mappings->budget, WDM_SPAN_SIZE);
	}
}

/* All functions below but those of mappings.h are called with the lock held. */

static struct wdm_map_block *wdm_block_of(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct wdm_map_block, rb);
}

static struct wdm_map_block **wdm_recent(struct wdm_mappings *mappings, u64 pgno)
{
	return &mappings->recent[hash_64(pgno >> WDM_REGION_BITS,
					 WDM_MAPPINGS_RECENT_BITS)];
}

static void wdm_block_link(struct wdm_mappings *mappings,
			   struct wdm_map_block *block)
{
	struct rb_node **link = &mappings->blocks.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = block->first < wdm_block_of(parent)->first ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&block->rb, parent, link);
	rb_insert_color(&block->rb, &mappings->blocks);
}

static void wdm_block_free(struct wdm_mappings *mappings,
			   struct wdm_map_block *block)
{
	u64 pages = block->last - block->first + 1;

	if (block->span) {
		wdm_budget_uncharge(mappings->budget,
				    WDM_SPAN_SIZE + pages * WDM_PAGE_CHARGE);
		kfree(block);
	} else {
		wdm_budget_uncharge(mappings->budget, WDM_NODE_CHARGE);
		kmem_cache_free(wdm_node_cache, block);
	}
}

static void wdm_block_erase(struct wdm_mappings *mappings,
			    struct wdm_map_block *block)
{
	struct wdm_map_block **recent = wdm_recent(mappings, block->first);

	if (*recent == block)
		*recent = NULL;
	rb_erase(&block->rb, &mappings->blocks);
	wdm_block_free(mappings, block);
}

/* Check that nothing is mapped in a node and no token keeps it. */
static bool wdm_node_is_spare(const struct wdm_map_block *node)
{
	return !node->nr_used && !node->nr_kept;
}

/* Add a node to the hash. The node that it replaces there is freed if it is empty. */
static void wdm_node_remember(struct wdm_mappings *mappings,
			      struct wdm_map_block *node)
{
	struct wdm_map_block **recent = wdm_recent(mappings, node->first);

	if (*recent && wdm_node_is_spare(*recent))
		wdm_block_erase(mappings, *recent);
	*recent = node;
}

/* Get the node of a page from the hash, or NULL. */
static struct wdm_map_block *wdm_recent_node(struct wdm_mappings *mappings, u64 pgno)
{
	struct wdm_map_block *node = *wdm_recent(mappings, pgno);

	return node && node->first == wdm_region_first(pgno) ? node : NULL;
}

/* Find the block of a page, or else the next one. */
static struct wdm_map_block *wdm_block_next(struct wdm_mappings *mappings,
					    u64 pgno)
{
	struct wdm_map_block *block = wdm_recent_node(mappings, pgno), *next = NULL;
	struct rb_node *rb = mappings->blocks.rb_node;

	if (block)
		return block;
	while (rb) {
		block = wdm_block_of(rb);
		if (block->last >= pgno) {
			next = block;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return next;
}

static struct wdm_map_block *wdm_block_at(struct wdm_mappings *mappings, u64 pgno)
{
	struct wdm_map_block *block = wdm_block_next(mappings, pgno);

	return block && block->first <= pgno ? block : NULL;
}

/* Find the node of a page, and add it to the hash. */
static struct wdm_map_block *wdm_node_at(struct wdm_mappings *mappings, u64 pgno)
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

/* Get the extent of a block from a mapped page on. */
static void wdm_block_extent(const struct wdm_map_block *block, u64 pgno,
			     u64 nr_pages, struct wdm_extent *ext)
{
	u64 offset = pgno - block->first;
	const struct wdm_map_entry *entry = &block->entry[block->span ? 0 : offset];

	ext->pgno = pgno;
	ext->nr_pages = nr_pages;
	ext->mdl = entry->mdl;
	ext->mdl_page = entry->page + (block->span ? offset : 0);
	ext->perms = entry->perms;
	ext->busy = entry->busy;
	ext->handle = entry->mdl->handle;
}

static bool wdm_entry_continues(const struct wdm_map_entry *entry,
				const struct wdm_map_entry *next)
{
	return next->mdl && next->mdl == entry->mdl &&
	       next->page == entry->page + 1 && next->perms == entry->perms &&
	       next->busy == entry->busy;
}

/* Find the first extent of a block from @pgno to @last_pgno. */
static bool wdm_block_find(const struct wdm_map_block *block, u64 pgno,
			   u64 last_pgno, struct wdm_extent *ext)
{
	unsigned int i, j, last;

	if (!block->span && !block->nr_used)
		return false;
	pgno = max(pgno, block->first);
	last_pgno = min(last_pgno, block->last);
	if (block->span) {
		wdm_block_extent(block, pgno, last_pgno - pgno + 1, ext);
		return true;
	}
	i = wdm_region_index(pgno);
	last = wdm_region_index(last_pgno);
	while (!block->entry[i].mdl)
		if (i++ == last)
			return false;
	for (j = i; j < last; j++)
		if (!wdm_entry_continues(&block->entry[j], &block->entry[j + 1]))
			break;
	wdm_block_extent(block, block->first + i, j - i + 1, ext);
	return true;
}

/* Blocks per critical section when searching */
#define WDM_LOOK_BLOCKS	64

/**
 * wdm_mappings_look() - Search a bounded number of blocks for mapped pages
 * @mappings: the table
 * @pgno: in: first page number of the range; out: where to continue
 * @last_pgno: last page number of the range, at least *@pgno
 * @ext: out: as for wdm_mappings_peek(); no pages if none was found
 *
 * A token keeps nodes in which nothing is mapped, and may have many.
 *
 * Context: any.
 * Return: true if the search is over.
 */
bool wdm_mappings_look(struct wdm_mappings *mappings, u64 *pgno, u64 last_pgno,
		       struct wdm_extent *ext)
{
	unsigned int left = WDM_LOOK_BLOCKS;
	struct wdm_map_block *block;
	unsigned long flags;
	bool over;

	ext->nr_pages = 0;
	spin_lock_irqsave(&mappings->lock, flags);
	block = wdm_block_next(mappings, *pgno);
	for (;;) {
		over = !block || block->first > last_pgno ||
		       wdm_block_find(block, *pgno, last_pgno, ext);
		if (over || !left--)
			break;
		*pgno = block->last + 1;
		block = wdm_block_of(rb_next(&block->rb));
	}
	spin_unlock_irqrestore(&mappings->lock, flags);
	return over;
}

static __always_inline bool wdm_peek(struct wdm_mappings *mappings, u64 pgno,
				     u64 last_pgno, struct wdm_extent *ext,
				     bool may_sleep)
{
	if (pgno > last_pgno)
		return false;
	while (!wdm_mappings_look(mappings, &pgno, last_pgno, ext))
		if (may_sleep)
			cond_resched();
	return ext->nr_pages;
}

/**
 * wdm_mappings_peek() - Find the next mapped pages within one block
 * @mappings: the table
 * @pgno: first page number of the range
 * @last_pgno: last page number of the range
 * @ext: out: the first extent of the range, clipped to it and to a block
 *
 * Context: any.
 * Return: true if there is one.
 */
bool wdm_mappings_peek(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
		       struct wdm_extent *ext)
{
	return wdm_peek(mappings, pgno, last_pgno, ext, false);
}

/**
 * wdm_extent_join() - Append an extent
 * @ext: the extent
 * @next: the extent to append
 *
 * Return: true if @next continues @ext, which then includes it.
 */
bool wdm_extent_join(struct wdm_extent *ext, const struct wdm_extent *next)
{
	if (wdm_extent_end(ext) != next->pgno || ext->mdl != next->mdl ||
	    ext->mdl_page + ext->nr_pages != next->mdl_page ||
	    ext->perms != next->perms || ext->busy != next->busy)
		return false;
	ext->nr_pages += next->nr_pages;
	return true;
}

/**
 * wdm_mappings_find() - Find the next mapped pages
 * @mappings: the table
 * @pgno: first page number of the range
 * @last_pgno: last page number of the range
 * @ext: out: the first extent of the range, clipped to it
 *
 * While other calls change these pages, each page is reported in a state that it had
 * during the call, and the MDL may have been freed: do not dereference it.
 *
 * Return: true if there is one.
 */
bool wdm_mappings_find(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
		       struct wdm_extent *ext)
{
	struct wdm_extent next;

	if (pgno > last_pgno || !wdm_peek(mappings, pgno, last_pgno, ext, true))
		return false;

	/* An extent may continue in the next block. */
	while (!wdm_region_index(wdm_extent_end(ext)) &&
	       wdm_extent_end(ext) <= last_pgno &&
	       wdm_mappings_peek(mappings, wdm_extent_end(ext), last_pgno, &next) &&
	       wdm_extent_join(ext, &next))
		cond_resched();
	return true;
}

/**
 * wdm_mappings_at() - Look up a page
 * @mappings: the table
 * @pgno: the page number
 * @ext: out: the extent that contains the page, clipped to a block
 *
 * Return: true if the page is mapped.
 */
bool wdm_mappings_at(struct wdm_mappings *mappings, u64 pgno,
		     struct wdm_extent *ext)
{
	struct wdm_map_block *block;
	unsigned int i = wdm_region_index(pgno);
	bool found = false;
	u64 first = pgno;
	unsigned long flags;

	spin_lock_irqsave(&mappings->lock, flags);
	block = wdm_block_at(mappings, pgno);
	if (block && (block->span || block->entry[i].mdl)) {
		if (block->span)
			first = block->first;
		else
			while (i && wdm_entry_continues(&block->entry[i - 1],
							&block->entry[i])) {
				i--;
				first--;
			}
		found = wdm_block_find(block, first, block->last, ext);
	}
	spin_unlock_irqrestore(&mappings->lock, flags);
	return found;
}

/* Check that nothing is mapped from @pgno to @last_pgno. */
static bool wdm_range_is_unmapped(struct wdm_mappings *mappings, u64 pgno,
				  u64 last_pgno)
{
	struct wdm_map_block *block;
	struct wdm_extent ext;

	for (block = wdm_block_next(mappings, pgno);
	     block && block->first <= last_pgno;
	     block = wdm_block_of(rb_next(&block->rb)))
		if (block->span || wdm_block_find(block, pgno, last_pgno, &ext))
			return false;
	return true;
}

/**
 * wdm_mappings_any() - Check whether anything is mapped in a range
 * @mappings: the table
 * @pgno: the first page number
 * @last_pgno: the last page number
 *
 * Context: any.
 * Return: true if a page is mapped.
 */
bool wdm_mappings_any(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno)
{
	struct wdm_extent ext;

	return wdm_mappings_peek(mappings, pgno, last_pgno, &ext);
}

static struct wdm_map_entry wdm_extent_entry(const struct wdm_extent *ext)
{
	return (struct wdm_map_entry) {
		.mdl = ext->mdl,
		.page = ext->mdl_page,
		.perms = ext->perms,
		.busy = ext->busy,
	};
}

static void wdm_node_insert(struct wdm_map_block *node, u64 pgno, u64 last_pgno,
			    struct wdm_map_entry entry)
{
	unsigned int i;

	for (i = wdm_region_index(pgno); i <= wdm_region_index(last_pgno); i++) {
		node->entry[i] = entry;
		entry.page++;
	}
	node->nr_used += last_pgno - pgno + 1;
}

static struct wdm_map_block *wdm_node_add(struct wdm_mappings *mappings, u64 pgno,
					  struct wdm_map_reserve *reserve)
{
	struct wdm_map_block *node = reserve->node[--reserve->nr_nodes];

	node->first = wdm_region_first(pgno);
	node->last = wdm_region_last(pgno);
	wdm_block_link(mappings, node);
	return node;
}

static void wdm_span_add(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
			 struct wdm_map_entry entry,
			 struct wdm_map_reserve *reserve)
{
	struct wdm_map_block *span = reserve->span[--reserve->nr_spans];

	span->first = pgno;
	span->last = last_pgno;
	span->entry[0] = entry;
	wdm_block_link(mappings, span);
}

/* Count the blocks that an insertion has to add to the table. */
static void wdm_insert_needs(struct wdm_mappings *mappings,
			     const struct wdm_extent *ext,
			     unsigned int *nr_nodes, unsigned int *nr_spans)
{
	u64 pgno, part_last, last = wdm_extent_end(ext) - 1;

	*nr_nodes = 0;
	*nr_spans = 0;
	for (pgno = ext->pgno; pgno <= last; pgno = part_last + 1) {
		part_last = wdm_part_last(mappings, pgno, last);
		if (wdm_part_is_whole(mappings, pgno, part_last))
			*nr_spans += 1;
		else if (!wdm_block_at(mappings, pgno))
			*nr_nodes += 1;
	}
}

static void wdm_insert_part(struct wdm_mappings *mappings, u64 pgno, u64 part_last,
			    struct wdm_map_entry entry,
			    struct wdm_map_reserve *reserve)
{
	struct wdm_map_block *block;

	if (wdm_part_is_whole(mappings, pgno, part_last)) {
		/* Free empty nodes in the place of a span. */
		while ((block = wdm_block_next(mappings, pgno)) &&
		       block->first <= part_last)
			wdm_block_erase(mappings, block);
		wdm_span_add(mappings, pgno, part_last, entry, reserve);
		return;
	}
	block = wdm_block_at(mappings, pgno);
	if (!block)
		block = wdm_node_add(mappings, pgno, reserve);
	wdm_node_insert(block, pgno, part_last, entry);
	if (*wdm_recent(mappings, pgno) != block)
		wdm_node_remember(mappings, block);
}

/* Insert an extent. Its blocks are in the table or in the reserve. */
static void wdm_insert(struct wdm_mappings *mappings, const struct wdm_extent *ext,
		       struct wdm_map_reserve *reserve)
{
	u64 pgno, part_last, last = wdm_extent_end(ext) - 1;
	struct wdm_map_entry entry = wdm_extent_entry(ext);

	for (pgno = ext->pgno; pgno <= last; pgno = part_last + 1) {
		part_last = wdm_part_last(mappings, pgno, last);
		wdm_insert_part(mappings, pgno, part_last, entry, reserve);
		entry.page += part_last - pgno + 1;
	}
	mappings->nr_pages += ext->nr_pages;
}

/* Called without the lock; takes it. */
static ntstatus_t wdm_insert_locked(struct wdm_mappings *mappings,
				    const struct wdm_extent *ext,
				    struct wdm_map_reserve *reserve, gfp_t gfp)
{
	unsigned int nr_nodes, nr_spans;
	ntstatus_t status;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&mappings->lock, flags);
		if (!wdm_range_is_unmapped(mappings, ext->pgno,
					   wdm_extent_end(ext) - 1)) {
			status = STATUS_RESOURCE_IN_USE;
			break;
		}
		wdm_insert_needs(mappings, ext, &nr_nodes, &nr_spans);
		if (wdm_reserve_has(reserve, nr_nodes, nr_spans)) {
			wdm_insert(mappings, ext, reserve);
			status = STATUS_SUCCESS;
			break;
		}
		spin_unlock_irqrestore(&mappings->lock, flags);
		status = wdm_reserve_fill(mappings, reserve, nr_nodes, nr_spans,
					  gfp);
		if (!wdm_ok(status))
			return status;
	}
	spin_unlock_irqrestore(&mappings->lock, flags);
	return status;
}

/*
 * Most maps are of a few pages in an existing node: this fast path saves a fifth of the
 * table's share of a map of one page (W2 of the benchmark).
 */
static bool wdm_insert_quick(struct wdm_mappings *mappings,
			     const struct wdm_extent *ext)
{
	u64 last = wdm_extent_end(ext) - 1;
	struct wdm_map_block *node;
	bool done = false;
	unsigned int i;
	unsigned long flags;

	if (wdm_region_first(ext->pgno) != wdm_region_first(last))
		return false;
	spin_lock_irqsave(&mappings->lock, flags);
	node = wdm_node_at(mappings, ext->pgno);
	if (node) {
		for (i = wdm_region_index(ext->pgno); i <= wdm_region_index(last); i++)
			if (node->entry[i].mdl)
				break;
		done = i > wdm_region_index(last);
	}
	if (done) {
		wdm_mdl_use(ext->mdl, ext->nr_pages);
		wdm_node_insert(node, ext->pgno, last, wdm_extent_entry(ext));
		mappings->nr_pages += ext->nr_pages;
	}
	spin_unlock_irqrestore(&mappings->lock, flags);
	return done;
}

/* Count the pages of an extent that go into a span. */
static u64 wdm_span_pages(const struct wdm_mappings *mappings,
			  const struct wdm_extent *ext)
{
	u64 first = wdm_region_first(ext->pgno + WDM_REGION_PAGES - 1);
	u64 end = wdm_region_first(wdm_extent_end(ext));

	return end > first && !mappings->flat ? end - first : 0;
}

/* Out of line, to keep the reserve out of the stack frame of wdm_insert_quick() */
static noinline ntstatus_t wdm_insert_slow(struct wdm_mappings *mappings,
					   const struct wdm_extent *ext, gfp_t gfp)
{
	u64 bytes = wdm_span_pages(mappings, ext) * WDM_PAGE_CHARGE;
	struct wdm_map_reserve reserve;
	ntstatus_t status;

	if (bytes && !wdm_budget_charge(mappings->budget, bytes))
		return STATUS_WORKING_SET_QUOTA;
	reserve.nr_nodes = 0;
	reserve.nr_spans = 0;
	/* An entry counts as a use of its MDL from the moment that others can find it. */
	wdm_mdl_use(ext->mdl, ext->nr_pages);
	status = wdm_insert_locked(mappings, ext, &reserve, gfp);
	if (!wdm_ok(status)) {
		wdm_mdl_unuse(ext->mdl, ext->nr_pages);
		if (bytes)
			wdm_budget_uncharge(mappings->budget, bytes);
	}
	wdm_reserve_drop(mappings, &reserve);
	return status;
}

/**
 * wdm_mappings_insert() - Map pages
 * @mappings: the table
 * @ext: the pages, which no other call changes, and what to map: existing pages of an
 *	MDL to which the caller has a reference. In a flat table, all are of one region
 * @gfp: for memory
 *
 * Return:
 * * STATUS_RESOURCE_IN_USE: a page is already mapped
 * * STATUS_WORKING_SET_QUOTA: the budget is exhausted
 * * STATUS_INSUFFICIENT_RESOURCES
 *
 * Has no effect on failure.
 */
ntstatus_t wdm_mappings_insert(struct wdm_mappings *mappings,
			       const struct wdm_extent *ext, gfp_t gfp)
{
	return wdm_insert_quick(mappings, ext) ? STATUS_SUCCESS :
						 wdm_insert_slow(mappings, ext, gfp);
}

/**
 * wdm_mappings_keep() - Allocate a node for a region, and keep it
 * @mappings: the table
 * @pgno: a page number of the region. At least one page of the region is unmapped and,
 *	until wdm_mappings_unkeep(), is mapped by wdm_mappings_insert_kept() only
 * @gfp: for memory
 *
 * Return: STATUS_WORKING_SET_QUOTA, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_mappings_keep(struct wdm_mappings *mappings, u64 pgno, gfp_t gfp)
{
	struct wdm_map_reserve reserve;
	struct wdm_map_block *node;
	ntstatus_t status = STATUS_SUCCESS;
	unsigned long flags;

	reserve.nr_nodes = 0;
	reserve.nr_spans = 0;
	for (;;) {
		spin_lock_irqsave(&mappings->lock, flags);
		node = wdm_block_at(mappings, pgno);
		if (!node && reserve.nr_nodes)
			node = wdm_node_add(mappings, pgno, &reserve);
		if (node)
			node->nr_kept++;
		spin_unlock_irqrestore(&mappings->lock, flags);
		if (node)
			break;
		status = wdm_reserve_fill(mappings, &reserve, 1, 0, gfp);
		if (!wdm_ok(status))
			break;
	}
	wdm_reserve_drop(mappings, &reserve);
	return status;
}

/**
 * wdm_mappings_unkeep() - Undo wdm_mappings_keep() for a range
 * @mappings: the table
 * @pgno: the first page number
 * @last_pgno: the last page number; wdm_mappings_keep() was called for each region of
 *	the range
 *
 * Context: may sleep.
 */
void wdm_mappings_unkeep(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno)
{
	struct wdm_map_block *node;
	unsigned long flags;

	for (; pgno <= last_pgno; pgno = wdm_region_last(pgno) + 1) {
		spin_lock_irqsave(&mappings->lock, flags);
		node = wdm_block_at(mappings, pgno);
		node->nr_kept--;
		if (wdm_node_is_spare(node) && *wdm_recent(mappings, pgno) != node)
			wdm_block_erase(mappings, node);
		spin_unlock_irqrestore(&mappings->lock, flags);
		cond_resched();
	}
}

/**
 * wdm_mappings_insert_kept() - Map pages whose nodes are kept
 * @mappings: the table
 * @ext: the pages, which are unmapped and which no other call changes; all of their nodes
 *	are kept. The caller has a reference to the MDL, and limits the number of pages
 *
 * Needs no memory.
 */
void wdm_mappings_insert_kept(struct wdm_mappings *mappings,
			      const struct wdm_extent *ext)
{
	u64 pgno, part_last, last = wdm_extent_end(ext) - 1;
	unsigned long flags;
	struct wdm_map_entry entry = wdm_extent_entry(ext);

	wdm_mdl_use(ext->mdl, ext->nr_pages);
	for (pgno = ext->pgno; pgno <= last; pgno = part_last + 1) {
		part_last = min(last, wdm_region_last(pgno));
		spin_lock_irqsave(&mappings->lock, flags);
		wdm_node_insert(wdm_block_at(mappings, pgno), pgno, part_last, entry);
		mappings->nr_pages += part_last - pgno + 1;
		spin_unlock_irqrestore(&mappings->lock, flags);
		entry.page += part_last - pgno + 1;
	}
}

/* Get where a span has to be cut before a range of it can be removed; 0: nowhere. */
static u64 wdm_span_edge(const struct wdm_map_block *block, u64 pgno, u64 last_pgno)
{
	if (!block->span)
		return 0;
	if (block->first < pgno)
		return pgno;
	return block->last > last_pgno ? last_pgno + 1 : 0;
}

/* Split a span; the second one starts at @pgno, the start of a region. */
static struct wdm_map_block *wdm_span_split(struct wdm_mappings *mappings,
					    struct wdm_map_block *span, u64 pgno,
					    struct wdm_map_reserve *reserve)
{
	struct wdm_map_entry entry = span->entry[0];
	u64 last = span->last;

	entry.page += pgno - span->first;
	span->last = pgno - 1;
	wdm_span_add(mappings, pgno, last, entry, reserve);
	return wdm_block_at(mappings, pgno);
}

/* Cut a span at a page: at the start of a region, or by giving the region a node. */
static void wdm_span_cut(struct wdm_mappings *mappings, struct wdm_map_block *span,
			 u64 pgno, struct wdm_map_reserve *reserve)
{
	u64 first = wdm_region_first(pgno), last = wdm_region_last(pgno);
	struct wdm_map_entry entry;

	if (first > span->first)
		span = wdm_span_split(mappings, span, first, reserve);
	if (first == pgno)
		return;
	if (last < span->last)
		wdm_span_split(mappings, span, last + 1, reserve);
	entry = span->entry[0];
	wdm_block_erase(mappings, span);
	wdm_node_insert(wdm_node_add(mappings, first, reserve), first, last, entry);
}

/*
 * Add the MDLs of a block's pages to a list. Return the number of pages up to a hole or
 * up to where the list is full.
 */
static u64 wdm_block_collect(const struct wdm_map_block *block, u64 pgno,
			     u64 last_pgno, struct wdm_put_list *put_list)
{
	unsigned int i, j, last;

	last_pgno = min(last_pgno, block->last);
	if (block->span) {
		const struct wdm_map_entry *entry = &block->entry[0];
		u64 page = entry->page + (pgno - block->first);
		u64 nr = last_pgno - pgno + 1;

		return wdm_put_list_add(put_list, entry->mdl, page, nr) ? nr : 0;
	}
	last = wdm_region_index(last_pgno);
	for (i = wdm_region_index(pgno); i <= last; i = j) {
		struct wdm_mdl *mdl = block->entry[i].mdl;

		for (j = i + 1; j <= last && block->entry[j].mdl == mdl; j++)
			;
		if (!mdl || !wdm_put_list_add(put_list, mdl, block->entry[i].page, j - i))
			break;
	}
	return i - wdm_region_index(pgno);
}

/**
 * wdm_mappings_prepare() - Prepare to remove pages
 * @mappings: the table
 * @pgno: in: the first page number; out: the page after those that are prepared now
 * @last_pgno: the last page number; no other call changes these pages
 * @put_list: out: the MDLs of the pages are added. If wdm_mappings_remove() follows, they
 *	stay in use until wdm_put_list_release(); otherwise use
 *	wdm_put_list_rollback()
 * @gfp: for memory
 *
 * Handles at most one block: call it until @pgno is past @last_pgno. Does not change
 * what is mapped.
 *
 * Return:
 * * STATUS_NOT_FOUND: @pgno is not mapped
 * * STATUS_WORKING_SET_QUOTA: the budget does not allow cutting a span
 * * STATUS_INSUFFICIENT_RESOURCES
 */
ntstatus_t wdm_mappings_prepare(struct wdm_mappings *mappings, u64 *pgno,
				u64 last_pgno, struct wdm_put_list *put_list,
				gfp_t gfp)
{
	struct wdm_map_reserve reserve;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_map_block *block;
	unsigned int nr_nodes = 0, nr_spans = 0;
	u64 edge, nr = 0;
	unsigned long flags;

	reserve.nr_nodes = 0;
	reserve.nr_spans = 0;
again:
	spin_lock_irqsave(&mappings->lock, flags);
	block = wdm_block_at(mappings, *pgno);
	edge = block ? wdm_span_edge(block, *pgno, last_pgno) : 0;
	if (edge) {
		nr_nodes = wdm_region_index(edge) ? 1 : 0;
		nr_spans = nr_nodes + 1;
		if (wdm_reserve_has(&reserve, nr_nodes, nr_spans))
			wdm_span_cut(mappings, block, edge, &reserve);
	} else if (block) {
		if (!block->span && *wdm_recent(mappings, *pgno) != block)
			wdm_node_remember(mappings, block);
		nr = wdm_block_collect(block, *pgno, last_pgno, put_list);
	}
	spin_unlock_irqrestore(&mappings->lock, flags);

	if (edge) {
		/* Look again: a span may have to be cut at both ends. */
		status = wdm_reserve_fill(mappings, &reserve, nr_nodes, nr_spans,
					  gfp);
		if (wdm_ok(status))
			goto again;
	} else if (!nr) {
		if (block && wdm_put_list_is_full(put_list)) {
			status = wdm_put_list_grow(put_list, gfp);
			if (wdm_ok(status))
				goto again;
		} else {
			status = STATUS_NOT_FOUND;
		}
	}
	wdm_reserve_drop(mappings, &reserve);
	*pgno += nr;
	return status;
}

static void wdm_block_remove(struct wdm_mappings *mappings,
			     struct wdm_map_block *block, u64 pgno, u64 last_pgno)
{
	u64 nr = last_pgno - pgno + 1;

	mappings->nr_pages -= nr;
	if (block->span) {
		if (last_pgno == block->last) {
			wdm_block_erase(mappings, block);
			return;
		}
		block->first += nr;
		block->entry[0].page += nr;
		wdm_budget_uncharge(mappings->budget, nr * WDM_PAGE_CHARGE);
		return;
	}
	memset(&block->entry[wdm_region_index(pgno)], 0, nr * sizeof(block->entry[0]));
	block->nr_used -= nr;
	if (wdm_node_is_spare(block) && *wdm_recent(mappings, pgno) != block)
		wdm_block_erase(mappings, block);
}

/**
 * wdm_mappings_remove() - Remove pages
 * @mappings: the table
 * @pgno: the first page number
 * @last_pgno: the last page number. One call inserted all of these pages, or
 *	wdm_mappings_prepare() has prepared them, and no other call changes them
 *
 * May be called for consecutive parts, from the first page on; each but the last part
 * ends at the end of a region. The MDLs stay in use.
 *
 * Context: may sleep; any, for pages of one region.
 */
void wdm_mappings_remove(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno)
{
	struct wdm_map_block *block;
	u64 last;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&mappings->lock, flags);
		block = wdm_block_at(mappings, pgno);
		if (WARN_ON_ONCE(!block)) {
			spin_unlock_irqrestore(&mappings->lock, flags);
			return;
		}
		last = min(last_pgno, block->last);
		wdm_block_remove(mappings, block, pgno, last);
		spin_unlock_irqrestore(&mappings->lock, flags);
		if (last == last_pgno)
			return;
		pgno = last + 1;
		cond_resched();
	}
}

/**
 * wdm_mappings_mark() - Mark pages as busy, or clear the mark
 * @mappings: the table, which is flat
 * @pgno: the first page number
 * @last_pgno: the last page number, of the same region; pages that are not mapped are
 *	skipped
 * @busy: see &struct wdm_extent
 *
 * Context: any.
 */
void wdm_mappings_mark(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
		       bool busy)
{
	struct wdm_map_block *node;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&mappings->lock, flags);
	node = wdm_block_at(mappings, pgno);
	if (node)
		for (i = wdm_region_index(pgno); i <= wdm_region_index(last_pgno); i++)
			if (node->entry[i].mdl)
				node->entry[i].busy = busy;
	spin_unlock_irqrestore(&mappings->lock, flags);
}

/* Check whether a page of a node continues the previous one, physically as well. */
static __always_inline bool wdm_node_is_contiguous(const struct wdm_map_block *node,
						   unsigned int i)
{
	const struct wdm_map_entry *entry = &node->entry[i];

	return wdm_entry_continues(entry - 1, entry) &&
	       wdm_pages_run_first(&entry->mdl->pages, entry->page) < entry->page;
}

/**
 * wdm_mappings_take_few() - Remove pages of one node, if that needs no preparation
 * @mappings: the table
 * @pgno: the first page number
 * @last_pgno: the last page number; no other call changes these pages
 * @whole: only if no large page can extend beyond the range
 * @put_list: out: the MDLs of the pages are added
 *
 * One critical section in place of four saves a tenth of an unmap of one page (W2 of the
 * benchmark).
 *
 * Return: true if the pages were removed; otherwise use the steps of
 * wdm_mappings_prepare().
 */
bool wdm_mappings_take_few(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
			   bool whole, struct wdm_put_list *put_list)
{
	unsigned int i = wdm_region_index(pgno), last = wdm_region_index(last_pgno);
	struct wdm_put_list_checkpoint checkpoint;
	u64 nr = last_pgno - pgno + 1;
	struct wdm_map_block *node;
	bool done = false;
	unsigned long flags;

	if (wdm_region_first(pgno) != wdm_region_first(last_pgno) ||
	    (whole && (!i || last == WDM_REGION_PAGES - 1)))
		return false;
	wdm_put_list_checkpoint(put_list, &checkpoint);
	spin_lock_irqsave(&mappings->lock, flags);
	node = wdm_node_at(mappings, pgno);
	if (node && !(whole && (wdm_node_is_contiguous(node, i) ||
				wdm_node_is_contiguous(node, last + 1))))
		done = wdm_block_collect(node, pgno, last_pgno, put_list) == nr;
	if (done)
		wdm_block_remove(mappings, node, pgno, last_pgno);
	spin_unlock_irqrestore(&mappings->lock, flags);
	if (!done)
		wdm_put_list_rollback(put_list, &checkpoint);
	return done;
}

/**
 * wdm_mappings_take() - Prepare to remove pages, and remove them
 * @mappings: the table
 * @pgno: the first page number
 * @last_pgno: the last page number; no other call changes these pages
 * @put_list: out: the MDLs of the pages are added
 * @gfp: for memory
 *
 * Return: as wdm_mappings_prepare(); has no effect on failure.
 */
ntstatus_t wdm_mappings_take(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
			     struct wdm_put_list *put_list, gfp_t gfp)
{
	struct wdm_put_list_checkpoint checkpoint;
	ntstatus_t status = STATUS_SUCCESS;
	u64 next = pgno;

	wdm_put_list_checkpoint(put_list, &checkpoint);
	while (wdm_ok(status) && next <= last_pgno) {
		status = wdm_mappings_prepare(mappings, &next, last_pgno, put_list,
					      gfp);
		cond_resched();
	}
	if (wdm_ok(status))
		wdm_mappings_remove(mappings, pgno, last_pgno);
	else
		wdm_put_list_rollback(put_list, &checkpoint);
	return status;
}

/**
 * wdm_mappings_init() - Initialize an empty mapping table
 * @mappings: the table
 * @budget: what its memory is charged to; must outlive it. NULL: no limit
 */
void wdm_mappings_init(struct wdm_mappings *mappings, struct wdm_budget *budget)
{
	spin_lock_init(&mappings->lock);
	mappings->blocks = RB_ROOT;
	memset(mappings->recent, 0, sizeof(mappings->recent));
	mappings->nr_pages = 0;
	mappings->budget = budget;
}

static void wdm_block_unmapped(const struct wdm_map_block *block)
{
	unsigned int i, j;

	if (block->span) {
		wdm_mdl_unmapped(block->entry[0].mdl, block->entry[0].page,
				 block->last - block->first + 1);
		return;
	}
	for (i = 0; i < WDM_REGION_PAGES; i = j) {
		struct wdm_mdl *mdl = block->entry[i].mdl;

		for (j = i + 1; j < WDM_REGION_PAGES && block->entry[j].mdl == mdl; j++)
			;
		if (mdl)
			wdm_mdl_unmapped(mdl, block->entry[i].page, j - i);
	}
}

/**
 * wdm_mappings_destroy() - Empty a mapping table
 * @mappings: the table, which no other call uses; no device can reach its pages
 *
 * Frees MDLs whose last use is dropped.
 */
void wdm_mappings_destroy(struct wdm_mappings *mappings)
{
	struct wdm_map_block *block, *next;

	rbtree_postorder_for_each_entry_safe(block, next, &mappings->blocks, rb) {
		wdm_block_unmapped(block);
		wdm_block_free(mappings, block);
		cond_resched();
	}
	wdm_mappings_init(mappings, mappings->budget);
}

/**
 * wdm_mappings_pages() - Count the mapped pages
 * @mappings: the table
 *
 * Return: the number of mapped pages.
 */
u64 wdm_mappings_pages(struct wdm_mappings *mappings)
{
	u64 nr_pages;
	unsigned long flags;

	spin_lock_irqsave(&mappings->lock, flags);
	nr_pages = mappings->nr_pages;
	spin_unlock_irqrestore(&mappings->lock, flags);
	return nr_pages;
}
