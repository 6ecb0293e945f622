// SPDX-License-Identifier: GPL-2.0
/*
 * Look-ups in a mapping table.
 */
#include <linux/sched.h>

#include "block.h"

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

/* Find the first extent of a block from @pgno to @last_pgno. */
bool wdm_block_find(const struct wdm_map_block *block, u64 pgno,
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

/**
 * wdm_mappings_search() - Search a number of blocks for mapped pages
 * @mappings: the table
 * @pgno: in: first page number of the range; out: where to continue
 * @last_pgno: last page number of the range
 * @nr_blocks: number of blocks
 * @ext: out: the first extent of the range, clipped to it and to a block; no pages if none
 *	was found
 *
 * Return: true if the search is over.
 */
bool wdm_mappings_search(struct wdm_mappings *mappings, u64 *pgno, u64 last_pgno,
			 unsigned int nr_blocks, struct wdm_extent *ext)
{
	struct wdm_map_block *block = wdm_block_next(mappings, *pgno);

	ext->nr_pages = 0;
	for (;;) {
		if (!block || block->first > last_pgno ||
		    wdm_block_find(block, *pgno, last_pgno, ext))
			return true;
		if (!nr_blocks--)
			return false;
		*pgno = block->last + 1;
		block = wdm_block_of(rb_next(&block->rb));
	}
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
	unsigned long flags;
	bool over;

	spin_lock_irqsave(&mappings->lock, flags);
	over = wdm_mappings_search(mappings, pgno, last_pgno, WDM_LOOK_BLOCKS, ext);
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

	/* An extent may continue in the next block, which one look finds. */
	while (!wdm_region_index(wdm_extent_end(ext)) && wdm_extent_end(ext) <= last_pgno) {
		pgno = wdm_extent_end(ext);
		wdm_mappings_look(mappings, &pgno, last_pgno, &next);
		if (!next.nr_pages || !wdm_extent_join(ext, &next))
			break;
		cond_resched();
	}
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
