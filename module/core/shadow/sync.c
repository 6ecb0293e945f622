// SPDX-License-Identifier: GPL-2.0
/*
 * The second pass: map what the first pass found pending.
 */
#include <linux/mm.h>

#include "../hwpt_set.h"
#include "private.h"

/**
 * wdm_walk_add_error() - Count an invalid entry, and report it if it is the first
 * @walk: the walk
 * @status: why it is invalid
 * @level: level of the table that contains it
 * @va: the first address that it would translate, as an index into the tables
 * @raw: the entry
 */
void wdm_walk_add_error(struct wdm_walk *walk, ntstatus_t status,
			unsigned int level, u64 va, u64 raw)
{
	struct wdm_walk_error *walk_error = walk->walk_error;

	va = wdm_pt_canonical(walk->pt, va);
	if (!walk_error->count++ || va < walk_error->va) {
		walk_error->status = status;
		walk_error->level = level;
		walk_error->va = va;
		walk_error->raw = raw;
	}
}

static void wdm_entry_invalidate(struct wdm_walk *walk, struct wdm_shadow_page *sp,
				 unsigned int i, ntstatus_t status)
{
	if (status == STATUS_CANCELLED || walk->cancelled) {
		/* Leave it pending. */
		walk->cancelled = true;
		return;
	}
	if (status == STATUS_INSUFFICIENT_RESOURCES)
		walk->shadow->retry = true;
	__clear_bit(i, sp->pending);
	__set_bit(i, sp->invalid);
	walk->shadow->nr_invalid++;
	wdm_walk_add_error(walk, status, sp->level, wdm_entry_va(sp, i),
			   sp->seen[i]);
}

static void wdm_entry_set_live(struct wdm_shadow_page *sp, unsigned int i)
{
	__clear_bit(i, sp->pending);
	__set_bit(i, sp->live);
}

static void wdm_walk_mapped(struct wdm_walk *walk, u64 nr_pages)
{
	walk->nr_mapped += nr_pages;
	walk->work += nr_pages;
	walk->shadow->bytes += nr_pages << PAGE_SHIFT;
}

static ntstatus_t wdm_sync_table(struct wdm_walk *walk,
				 struct wdm_shadow_page *sp, unsigned int i,
				 const struct wdm_pt_entry *entry)
{
	struct wdm_shadow_page *child;
	ntstatus_t status;

	status = wdm_sp_create(walk, entry->address, sp->level - 1,
			       wdm_entry_va(sp, i), entry->perms & sp->perms,
			       &child);
	if (!wdm_ok(status))
		return status;
	sp->child[i] = child;
	wdm_entry_set_live(sp, i);
	/* It joins the dirty list. */
	wdm_scan_new(walk, child);
	return STATUS_SUCCESS;
}

/*
 * Map a step of a large leaf, all or nothing, with the largest pages that its memory allows.
 * The memory is in the caller's address space.
 */
static ntstatus_t wdm_leaf_map(struct wdm_domain *domain, const struct wdm_leaf *leaf,
			       u64 offset, u64 size)
{
	u64 iova = wdm_pt_canonical(&domain->shadow->pt, leaf->va) + offset;
	u64 pgno = (leaf->caller + offset) >> PAGE_SHIFT;
	u64 last_pgno = pgno + (size >> PAGE_SHIFT) - 1;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent ext;
	u64 done = 0;

	while (wdm_ok(status) && wdm_domain_find(domain, pgno + done, last_pgno, &ext)) {
		struct wdm_mapping map = wdm_extent_mapping(&ext, WDM_PGSIZE_ANY);

		map.iova = iova + (done << PAGE_SHIFT);
		map.perms = leaf->perms;
		status = wdm_domain_cancelled(domain) ? STATUS_CANCELLED :
							wdm_hwpts_map(domain, &map);
		if (wdm_ok(status))
			done += ext.nr_pages;
	}
	if (!wdm_ok(status) && done)
		wdm_hwpts_unmap(domain, iova, done << PAGE_SHIFT);
	return status;
}

/* Map a large leaf step by step; it is live from the first step on. */
static ntstatus_t wdm_sync_large(struct wdm_walk *walk,
				 struct wdm_shadow_page *sp, unsigned int i)
{
	struct wdm_partial_leaf *part = &walk->shadow->partial;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_leaf leaf;
	u64 iova, size;

	wdm_entry_leaf(walk->pt, sp, i, &leaf);
	iova = wdm_pt_canonical(walk->pt, leaf.va);
	if (!wdm_domain_fits(walk->domain, iova, iova + leaf.size - 1))
		return STATUS_CONFLICTING_ADDRESSES;
	if (!wdm_space_allows(walk, leaf.caller, leaf.size, leaf.perms))
		return STATUS_ACCESS_VIOLATION;
	if (!wdm_leaf_charge(walk->domain, sp))
		return STATUS_WORKING_SET_QUOTA;

	__set_bit(i, sp->live);
	*part = (struct wdm_partial_leaf) { .sp = sp, .i = i };
	while (wdm_ok(status) && part->end < leaf.size) {
		if (!wdm_walk_yield(walk))
			return STATUS_CANCELLED;
		size = wdm_leaf_step(walk->domain, &leaf, part->end);
		/* A device may have been attached since the last step. */
		status = wdm_domain_fits(walk->domain, iova,
					 iova + leaf.size - 1) ?
			 wdm_leaf_map(walk->domain, &leaf, part->end, size) :
			 STATUS_CONFLICTING_ADDRESSES;
		if (wdm_ok(status)) {
			part->end += size;
			wdm_walk_mapped(walk, size >> PAGE_SHIFT);
		}
	}
	if (!wdm_ok(status)) {
		if (!wdm_zap_partial(walk))
			return STATUS_CANCELLED;
		/* Flush before anything else is mapped at these addresses. */
		wdm_hwpts_sync(walk->domain);
		return status;
	}
	part->sp = NULL;
	__clear_bit(i, sp->pending);
	return STATUS_SUCCESS;
}

/* Get the page frame of a page of the caller's address space. */
static inline bool wdm_space_pfn(struct wdm_walk *walk, u64 pgno, u32 perms,
				 u64 *pfn)
{
	const struct wdm_extent *space = &walk->space;

	/* Fast path: the space does not change during a walk, so look at the last part first. */
	if (pgno - space->pgno >= space->nr_pages &&
	    !wdm_space_search(walk, pgno))
		return false;
	*pfn = wdm_pages_pfn(&space->mdl->pages,
			     space->mdl_page + (pgno - space->pgno),
			     &walk->space_run);
	return !(perms & ~space->perms);
}

/* Decode an entry of a table of leaves, and check it. */
static inline ntstatus_t wdm_leaf_resolve(struct wdm_walk *walk,
					  const struct wdm_shadow_page *sp,
					  unsigned int i,
					  struct wdm_pt_entry *entry, u64 *pfn)
{
	u64 iova = wdm_entry_iova(sp, i);

	wdm_decode(walk, sp, sp->seen[i], entry);
	entry->perms &= sp->perms;
	if (entry->kind != WDM_PT_LEAF)
		return STATUS_INVALID_PARAMETER;
	if (!wdm_domain_fits(walk->domain, iova, iova + PAGE_SIZE - 1))
		return STATUS_CONFLICTING_ADDRESSES;
	if (!wdm_space_pfn(walk, entry->address >> PAGE_SHIFT, entry->perms,
			   pfn))
		return STATUS_ACCESS_VIOLATION;
	return STATUS_SUCCESS;
}

/* Map one page in all hwpts, or in none. */
static ntstatus_t wdm_map_page(struct wdm_walk *walk, u64 iova, u64 pfn,
			       u32 perms)
{
	struct list_head *hwpts = &walk->domain->hwpts;
	ntstatus_t status;
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, hwpts, node) {
		if (!wdm_hwpt_reached(hwpt, iova >> PAGE_SHIFT, 1))
			continue;
		status = wdm_hwpt_map_contig(hwpt, iova, pfn, 1, perms);
		if (!wdm_ok(status))
			goto undo;
	}
	return STATUS_SUCCESS;

undo:
	list_for_each_entry_continue_reverse(hwpt, hwpts, node)
		if (wdm_hwpt_reached(hwpt, iova >> PAGE_SHIFT, 1))
			wdm_hwpt_unmap_sync(hwpt, iova, PAGE_SIZE);
	return status;
}

/* Apply a single entry of a level 0 table. */
static void wdm_sync_leaf(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			  unsigned int i)
{
	struct wdm_pt_entry entry __uninitialized;
	u64 pfn __uninitialized;
	ntstatus_t status;

	status = wdm_leaf_resolve(walk, sp, i, &entry, &pfn);
	if (wdm_ok(status))
		status = wdm_map_page(walk, wdm_entry_iova(sp, i), pfn,
				      entry.perms);
	if (wdm_ok(status)) {
		wdm_walk_mapped(walk, 1);
		wdm_entry_set_live(sp, i);
	} else if (entry.kind == WDM_PT_NONE) {
		__clear_bit(i, sp->pending);
	} else {
		wdm_entry_invalidate(walk, sp, i, status);
	}
}

/*
 * Collect the pages of adjacent pending leaves from entry @i on with the same permissions,
 * up to the first that cannot be mapped.
 */
static void wdm_collect_leaves(struct wdm_walk *walk,
			       const struct wdm_shadow_page *sp, unsigned int i,
			       struct wdm_pages *pages, u32 *perms)
{
	struct wdm_pt_entry entry;
	u64 pfn;

	for (; i <= sp->last && test_bit(i, sp->pending); i++) {
		if (!wdm_ok(wdm_leaf_resolve(walk, sp, i, &entry, &pfn)) ||
		    (pages->nr_pages && entry.perms != *perms))
			return;
		*perms = entry.perms;
		wdm_pages_add(pages, pfn, 1);
	}
}

/*
 * Map @nr adjacent leaves, at least one, from entry @i on with one call of the IOMMU
 * driver, all or none.
 */
static bool wdm_sync_together(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			      unsigned int i, unsigned int *nr)
{
	struct wdm_pages pages = { .runs = walk->shadow->runs };
	struct wdm_mapping map = {
		.iova = wdm_entry_iova(sp, i),
		.pages = &pages,
		.pgsize = WDM_PGSIZE_MIN,
	};
	ntstatus_t status;

	wdm_collect_leaves(walk, sp, i, &pages, &map.perms);
	*nr = max_t(unsigned int, pages.nr_pages, 1);
	if (*nr == 1)
		return false;
	map.nr_pages = *nr;
	status = wdm_hwpts_map(walk->domain, &map);
	if (status == STATUS_CANCELLED)
		walk->cancelled = true;
	if (!wdm_ok(status))
		return false;
	wdm_walk_mapped(walk, *nr);
	bitmap_clear(sp->pending, i, *nr);
	bitmap_set(sp->live, i, *nr);
	return true;
}

/* Apply pending leaves from entry @i on. Return the number of entries done. */
static unsigned int wdm_sync_leaves(struct wdm_walk *walk,
				    struct wdm_shadow_page *sp, unsigned int i)
{
	unsigned int nr = 1, j;

	if (i < sp->last && test_bit(i + 1, sp->pending) &&
	    wdm_sync_together(walk, sp, i, &nr))
		return nr;
	/* One by one, so that only those that cannot be mapped become invalid */
	for (j = i; j < i + nr && !walk->cancelled; j++)
		wdm_sync_leaf(walk, sp, j);
	return nr;
}

/* Apply an entry that is not a leaf of 4 KiB. */
static void wdm_sync_entry(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			   unsigned int i)
{
	struct wdm_pt_entry entry;
	ntstatus_t status;

	wdm_decode(walk, sp, sp->seen[i], &entry);
	switch (entry.kind) {
	case WDM_PT_NONE:
		__clear_bit(i, sp->pending);
		return;
	case WDM_PT_TABLE:
		status = wdm_sync_table(walk, sp, i, &entry);
		break;
	case WDM_PT_LEAF:
		status = wdm_sync_large(walk, sp, i);
		break;
	default:
		status = STATUS_INVALID_PARAMETER;
	}
	if (!wdm_ok(status))
		wdm_entry_invalidate(walk, sp, i, status);
}

static void wdm_sync_page(struct wdm_walk *walk, struct wdm_shadow_page *sp)
{
	unsigned int i = sp->first;

	do {
		i = wdm_next_bit(sp->pending, sp->last + 1, i);
		if (i <= sp->last && sp->level)
			wdm_sync_entry(walk, sp, i++);
		else if (i <= sp->last)
			i += wdm_sync_leaves(walk, sp, i);
	} while (wdm_walk_yield(walk) && i <= sp->last);
}

/**
 * wdm_walk_sync() - Apply what is pending
 * @walk: the walk, after its first pass and wdm_hwpts_sync()
 *
 * Tables found on the way join the dirty list and are applied, too.
 */
void wdm_walk_sync(struct wdm_walk *walk)
{
	struct list_head *dirty = &walk->shadow->dirty;
	struct wdm_shadow_page *sp;

	while (!walk->cancelled && !list_empty(dirty)) {
		sp = list_first_entry(dirty, struct wdm_shadow_page, dirty);
		wdm_sync_page(walk, sp);
		if (!walk->cancelled)
			list_del_init(&sp->dirty);
	}
}
