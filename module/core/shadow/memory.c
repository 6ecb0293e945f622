// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is added to the caller's address space, or removed from it.
 */
#include <linux/mm.h>

#include "../hwpt_set.h"
#include "../split.h"
#include "private.h"

/* Unmap memory in bypass, or zap what uses it, before it is removed. */
static ntstatus_t wdm_space_release(struct wdm_walk *walk, u64 pgno, u64 end)
{
	struct wdm_shadow *shadow = walk->shadow;
	struct wdm_shadow_page *root = shadow->root;
	u64 caller = pgno << PAGE_SHIFT, last_caller = (end << PAGE_SHIFT) - 1;
	struct wdm_splits splits;
	ntstatus_t status;

	if (wdm_shadow_bypasses(shadow)) {
		status = wdm_bypass_map(walk);
		if (!wdm_ok(status))
			return status;
		wdm_splits_find(walk->domain, &splits, pgno, end - 1);
		status = wdm_splits_do(walk->domain, &splits,
				       walk->domain->pgsize);
		if (!wdm_ok(status))
			return status;
		shadow->hole_start = end;
		shadow->hole_end = end;
		return wdm_bypass_retreat(walk, pgno) ? STATUS_SUCCESS :
							STATUS_CANCELLED;
	}
	if (root && root->caller >= caller && root->caller <= last_caller) {
		if (!wdm_sp_zap(walk, root))
			return STATUS_CANCELLED;
		shadow->root = NULL;
	} else if (root && !wdm_zap_users(walk, root, caller, last_caller)) {
		return STATUS_CANCELLED;
	}
	wdm_walk_unmap_stale(walk);
	if (!walk->cancelled)
		wdm_hwpts_sync(walk->domain);
	return walk->cancelled ? STATUS_CANCELLED : STATUS_SUCCESS;
}

/**
 * struct wdm_space_part - a part of the caller's address space to remove
 * @caller: the first caller address
 * @nr_pages: number of pages
 * @put_list: out: the uses of its MDLs
 */
struct wdm_space_part {
	u64 caller;
	u64 nr_pages;
	struct wdm_put_list put_list;
};

/* Pages to remove before others may run: whole regions of the mapping table */
#define WDM_REMOVE_PAGES	((u64)SZ_1G >> PAGE_SHIFT)

/* Remove memory from the caller's address space, after the last use of it was zapped. */
static ntstatus_t wdm_space_take(struct wdm_walk *walk, u64 pgno, u64 last_pgno,
				 struct wdm_put_list *put_list)
{
	struct wdm_mappings *mappings = &walk->domain->mappings;
	struct wdm_put_list_checkpoint checkpoint;
	ntstatus_t status = STATUS_SUCCESS;
	u64 part_last, next = pgno;

	wdm_put_list_checkpoint(put_list, &checkpoint);
	while (wdm_ok(status) && next <= last_pgno) {
		status = wdm_mappings_prepare(mappings, &next, last_pgno, put_list,
					      walk->domain->gfp);
		if (wdm_ok(status) && !wdm_walk_yield(walk))
			status = STATUS_CANCELLED;
	}
	if (!wdm_ok(status)) {
		wdm_put_list_rollback(put_list, &checkpoint);
		return status;
	}
	wdm_hwpts_settle(walk->domain, put_list);
	/* Complete it even if the walk is cancelled: wdm_shadow.lock keeps other walks out. */
	for (; pgno <= last_pgno; pgno = part_last + 1) {
		part_last = min(last_pgno, pgno | (WDM_REMOVE_PAGES - 1));
		wdm_mappings_remove(mappings, pgno, part_last);
		wdm_walk_yield(walk);
	}
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_walk_remove(struct wdm_walk *walk, void *arg)
{
	struct wdm_space_part *part = arg;
	struct wdm_domain *domain = walk->domain;
	u64 pgno = part->caller >> PAGE_SHIFT, end = pgno + part->nr_pages;
	ntstatus_t status;

	if (!wdm_space_allows(walk, part->caller, part->nr_pages << PAGE_SHIFT, 0))
		return STATUS_NOT_FOUND;
	status = wdm_space_release(walk, pgno, end);
	if (wdm_ok(status))
		status = wdm_space_take(walk, pgno, end - 1, &part->put_list);
	walk->space.nr_pages = 0;
	/* Resolve what was zapped: it is invalid now, or as before if the removal failed. */
	if (wdm_shadow_bypasses(domain->shadow))
		wdm_bypass_map(walk);
	else if (!domain->shadow->root && domain->shadow->translating)
		wdm_walk_full(walk);
	else
		wdm_walk_sync(walk);
	return status;
}

/* Backend operation: see wdm_domain_memory_remove(). */
ntstatus_t wdm_space_remove(struct wdm_domain *domain, u64 caller,
			    u64 nr_pages)
{
	struct wdm_space_part part = { .caller = caller, .nr_pages = nr_pages };
	struct wdm_walk_error walk_error;
	struct wdm_walk walk = { .domain = domain, .walk_error = &walk_error };
	ntstatus_t status;

	/* The address space of kernel code is fixed. */
	if (domain->atomic)
		return STATUS_NOT_SUPPORTED;
	wdm_put_list_init(&part.put_list);
	status = wdm_walk(&walk, wdm_walk_remove, &part);
	/* This may unpin, so hold no lock. */
	wdm_put_list_release(&part.put_list);
	return status;
}

/* Map added memory; on failure remove it again. */
static ntstatus_t wdm_space_map_added(struct wdm_walk *walk,
				      const struct wdm_extent *ext)
{
	struct wdm_shadow *shadow = walk->shadow;
	ntstatus_t status;

	shadow->hole_start = ext->pgno;
	shadow->hole_end = wdm_extent_end(ext);
	status = wdm_bypass_map(walk);
	if (wdm_ok(status) || !wdm_bypass_retreat(walk, ext->pgno))
		return status;
	wdm_hwpts_drop_extent(walk->domain, ext);
	shadow->hole_end = shadow->hole_start;
	return status;
}

static ntstatus_t wdm_walk_add(struct wdm_walk *walk, void *arg)
{
	struct wdm_domain *domain = walk->domain;
	bool bypasses = wdm_shadow_bypasses(domain->shadow);
	const struct wdm_extent *ext = arg;
	ntstatus_t status = STATUS_SUCCESS;

	if (bypasses)
		status = wdm_bypass_map(walk);
	if (wdm_ok(status) && bypasses && !wdm_extent_fits(domain, ext))
		status = STATUS_CONFLICTING_ADDRESSES;
	if (wdm_ok(status))
		status = wdm_mappings_insert(&domain->mappings, ext, domain->gfp);
	if (!wdm_ok(status))
		return status;
	domain->shadow->retry = true;
	return bypasses ? wdm_space_map_added(walk, ext) : STATUS_SUCCESS;
}

/* Backend operation: see wdm_domain_memory_add(). */
ntstatus_t wdm_space_add(struct wdm_domain *domain, u32 perms,
			 const struct wdm_mdl_range *range, u64 caller)
{
	struct wdm_extent ext = wdm_range_extent(range, caller >> PAGE_SHIFT, perms);
	struct wdm_walk_error walk_error;
	/* Do not restart when overtaken: the memory would be added twice. */
	struct wdm_walk walk = {
		.domain = domain,
		.walk_error = &walk_error,
		.keeps_lock = true,
	};

	return wdm_walk(&walk, wdm_walk_add, &ext);
}
