// SPDX-License-Identifier: GPL-2.0
/*
 * Unmaps in a mapping table.
 */
#include <linux/sched.h>

#include "block.h"

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

/* Get the end of the entries from @i to @last that have the same MDL, exclusive. */
static unsigned int wdm_node_run(const struct wdm_map_block *node, unsigned int i,
				 unsigned int last)
{
	const struct wdm_mdl *mdl = node->entry[i].mdl;

	while (++i <= last && node->entry[i].mdl == mdl)
		;
	return i;
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

		j = wdm_node_run(block, i, last);
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
	struct wdm_map_reserve reserve = { };
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_map_block *block;
	struct wdm_map_needs needs;
	u64 edge, nr = 0;
	unsigned long flags;
	bool cut;

again:
	spin_lock_irqsave(&mappings->lock, flags);
	block = wdm_block_at(mappings, *pgno);
	edge = block ? wdm_span_edge(block, *pgno, last_pgno) : 0;
	if (edge) {
		needs.nr[WDM_NODE] = wdm_region_index(edge) ? 1 : 0;
		needs.nr[WDM_SPAN] = needs.nr[WDM_NODE] + 1;
		cut = wdm_reserve_has(&reserve, &needs);
		if (cut)
			wdm_span_cut(mappings, block, edge, &reserve);
	} else if (block) {
		if (!block->span && *wdm_recent(mappings, *pgno) != block)
			wdm_node_remember(mappings, block);
		nr = wdm_block_collect(block, *pgno, last_pgno, put_list);
	}
	spin_unlock_irqrestore(&mappings->lock, flags);

	if (edge) {
		/* Look again: a span may have to be cut at both ends. */
		if (!cut)
			status = wdm_reserve_fill(mappings, &reserve, &needs, gfp);
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
		last = block ? min(last_pgno, block->last) : last_pgno;
		if (!WARN_ON_ONCE(!block))
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

		j = wdm_node_run(block, i, WDM_REGION_PAGES - 1);
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
