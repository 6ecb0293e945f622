// SPDX-License-Identifier: GPL-2.0
/*
 * Maps in a mapping table, and nodes that tokens keep.
 */
#include <linux/sched.h>

#include "block.h"

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

/* Check that nothing is mapped from @pgno to @last_pgno. */
static bool wdm_range_is_unmapped(struct wdm_mappings *mappings, u64 pgno,
				  u64 last_pgno)
{
	struct wdm_extent ext;

	wdm_mappings_search(mappings, &pgno, last_pgno, UINT_MAX, &ext);
	return !ext.nr_pages;
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

/* Count the blocks that an insertion has to add to the table. */
static void wdm_insert_needs(struct wdm_mappings *mappings,
			     const struct wdm_extent *ext,
			     struct wdm_map_needs *needs)
{
	u64 pgno, part_last, last = wdm_extent_end(ext) - 1;

	*needs = (struct wdm_map_needs) { };
	for (pgno = ext->pgno; pgno <= last; pgno = part_last + 1) {
		part_last = wdm_part_last(mappings, pgno, last);
		if (wdm_part_is_whole(mappings, pgno, part_last))
			needs->nr[WDM_SPAN]++;
		else if (!wdm_block_at(mappings, pgno))
			needs->nr[WDM_NODE]++;
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
	/*
	 * Only now add the nodes to the hash: this can free an empty node, which must not be one
	 * that wdm_insert_needs() has counted on. Only the first and the last part need nodes.
	 */
	wdm_node_at(mappings, ext->pgno);
	wdm_node_at(mappings, last);
	mappings->nr_pages += ext->nr_pages;
}

/* Called without the lock; takes it. */
static ntstatus_t wdm_insert_locked(struct wdm_mappings *mappings,
				    const struct wdm_extent *ext,
				    struct wdm_map_reserve *reserve, gfp_t gfp)
{
	struct wdm_map_needs needs;
	ntstatus_t status;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&mappings->lock, flags);
		if (!wdm_range_is_unmapped(mappings, ext->pgno,
					   wdm_extent_end(ext) - 1)) {
			status = STATUS_RESOURCE_IN_USE;
			break;
		}
		wdm_insert_needs(mappings, ext, &needs);
		if (wdm_reserve_has(reserve, &needs)) {
			wdm_insert(mappings, ext, reserve);
			status = STATUS_SUCCESS;
			break;
		}
		spin_unlock_irqrestore(&mappings->lock, flags);
		status = wdm_reserve_fill(mappings, reserve, &needs, gfp);
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
	struct wdm_map_reserve reserve = { };
	ntstatus_t status;

	if (bytes && !wdm_budget_charge(mappings->budget, bytes))
		return STATUS_WORKING_SET_QUOTA;
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
	const struct wdm_map_needs needs = { .nr[WDM_NODE] = 1 };
	struct wdm_map_reserve reserve = { };
	struct wdm_map_block *node;
	ntstatus_t status = STATUS_SUCCESS;
	unsigned long flags;

	for (;;) {
		spin_lock_irqsave(&mappings->lock, flags);
		node = wdm_block_at(mappings, pgno);
		if (!node && reserve.has.nr[WDM_NODE])
			node = wdm_node_add(mappings, pgno, &reserve);
		if (node)
			node->nr_kept++;
		spin_unlock_irqrestore(&mappings->lock, flags);
		if (node)
			break;
		status = wdm_reserve_fill(mappings, &reserve, &needs, gfp);
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
