// SPDX-License-Identifier: GPL-2.0
/*
 * The caller's address space: the memory that page tables can refer to, and what devices
 * see of it while TranslationEnabled is FALSE (bypass).
 */
#include <linux/mm.h>

#include "../os/split.h"
#include "private.h"

/**
 * wdm_space_search() - Find the part of the space that contains a page
 * @walk: the walk; out: @walk->space, empty if there is none
 * @pgno: the page number
 *
 * Return: true if there is one.
 */
bool wdm_space_search(struct wdm_walk *walk, u64 pgno)
{
	if (wdm_mappings_at(&walk->domain->mappings, pgno, &walk->space))
		return true;
	walk->space.nr_pages = 0;
	return false;
}

/**
 * wdm_space_table() - Find one of the caller's tables
 * @domain: the domain
 * @caller: caller address of the table, which lies within a page
 *
 * Return: the table; NULL if it is not in the space, or cannot be read.
 */
const u64 *wdm_space_table(struct wdm_domain *domain, u64 caller)
{
	u64 pgno = caller >> PAGE_SHIFT, pfn;
	struct wdm_extent ext;
	u32 run = 0;

	if (!wdm_domain_find(domain, pgno, pgno, &ext))
		return NULL;
	pfn = wdm_pages_pfn(&ext.mdl->pages, ext.mdl_page, &run);
	if (is_page_hwpoison(pfn_to_page(pfn)))
		return NULL;
	return pfn_to_kaddr(pfn) + offset_in_page(caller);
}

/**
 * wdm_space_allows() - Check that a range has memory with some permissions
 * @walk: the walk
 * @caller: the first caller address
 * @size: number of bytes
 * @perms: WDM_READ, WDM_WRITE; 0: only check that there is memory
 *
 * Return: true if all of it has; false also if the walk is cancelled.
 */
bool wdm_space_allows(struct wdm_walk *walk, u64 caller, u64 size, u32 perms)
{
	u64 pgno = caller >> PAGE_SHIFT;
	u64 last = (caller + size - 1) >> PAGE_SHIFT;
	struct wdm_extent ext;

	do {
		if (!wdm_domain_find(walk->domain, pgno, last, &ext) ||
		    ext.pgno != pgno || perms & ~ext.perms)
			return false;
		pgno += ext.nr_pages;
		if (!wdm_walk_yield(walk))
			return false;
	} while (pgno <= last);
	return true;
}

/*
 * Bypass: the pages of the space from bypass_start to bypass_end - 1 are mapped one to
 * one, except those of the hole. Between calls that is all of them, without a hole. It is
 * less between the steps of a call, where attach and detach can run, and after a
 * cancelled call, whose work the next one finishes.
 */

/* Get the maximum number of pages to map or unmap at a time. */
static u64 wdm_bypass_step(const struct wdm_domain *domain)
{
	return domain->pgsize == WDM_PGSIZE_MIN ? WDM_STEP_PAGES :
						  SZ_1G >> PAGE_SHIFT;
}

/* Find memory from @pgno on, clipped to a step. */
static bool wdm_space_step(struct wdm_domain *domain, u64 pgno, u64 end,
			   struct wdm_extent *ext)
{
	u64 step = wdm_bypass_step(domain);
	u64 last = min(end - 1, pgno | (step - 1));

	if (pgno >= end)
		return false;
	/* Search the step only at first: a search joins all adjacent memory. */
	if (!wdm_domain_find(domain, pgno, last, ext) &&
	    (last == end - 1 || !wdm_domain_find(domain, last + 1, end - 1, ext)))
		return false;
	ext->nr_pages = min(ext->nr_pages, step - (ext->pgno & (step - 1)));
	return true;
}

/**
 * wdm_bypass_next() - Find memory that is mapped one to one
 * @domain: the domain
 * @pgno: the first page number
 * @ext: out: the first pages from there on, at most a step
 *
 * Return: true if there are any.
 */
bool wdm_bypass_next(struct wdm_domain *domain, u64 pgno,
		     struct wdm_extent *ext)
{
	struct wdm_shadow *shadow = domain->shadow;

	pgno = max(pgno, shadow->bypass_start);
	if (shadow->hole_start >= shadow->hole_end)
		return wdm_space_step(domain, pgno, shadow->bypass_end, ext);
	return wdm_space_step(domain, pgno,
			      min(shadow->hole_start, shadow->bypass_end),
			      ext) ||
	       wdm_space_step(domain, max(pgno, shadow->hole_end),
			      shadow->bypass_end, ext);
}

static bool wdm_extent_fits(const struct wdm_domain *domain,
			    const struct wdm_extent *ext)
{
	u64 iova = ext->pgno << PAGE_SHIFT;

	return wdm_domain_fits(domain, iova,
			       iova + (ext->nr_pages << PAGE_SHIFT) - 1);
}

/**
 * wdm_bypass_fits() - Check whether all of the space can be mapped one to one
 * @walk: the walk
 *
 * Return: true if it fits all attached devices; false also if the walk is cancelled.
 */
bool wdm_bypass_fits(struct wdm_walk *walk)
{
	struct wdm_extent ext;
	u64 pgno = 0;

	while (wdm_domain_find(walk->domain, pgno, ULONG_MAX, &ext)) {
		if (!wdm_extent_fits(walk->domain, &ext) ||
		    !wdm_walk_yield(walk))
			return false;
		pgno = wdm_extent_end(&ext);
	}
	return true;
}

/* Map memory from *@pgno up to @end, and advance *@pgno. */
static ntstatus_t wdm_bypass_advance(struct wdm_walk *walk, u64 *pgno, u64 end)
{
	struct wdm_domain *domain = walk->domain;
	struct wdm_extent ext;
	ntstatus_t status;

	while (wdm_space_step(domain, *pgno, end, &ext)) {
		struct wdm_mapping map = wdm_extent_mapping(&ext, domain->pgsize);

		if (!wdm_extent_fits(domain, &ext))
			return STATUS_CONFLICTING_ADDRESSES;
		status = wdm_hwpts_map(domain, &map);
		if (!wdm_ok(status))
			return status;
		walk->nr_mapped += ext.nr_pages;
		walk->work += ext.nr_pages;
		*pgno = wdm_extent_end(&ext);
		if (!wdm_walk_yield(walk))
			return STATUS_CANCELLED;
	}
	*pgno = end;
	return STATUS_SUCCESS;
}

/**
 * wdm_bypass_unmap() - Unmap the space
 * @walk: the walk
 *
 * Return: true if all of it is unmapped; false if the walk is cancelled.
 */
bool wdm_bypass_unmap(struct wdm_walk *walk)
{
	struct wdm_shadow *shadow = walk->shadow;
	struct wdm_extent ext;

	while (wdm_bypass_next(walk->domain, 0, &ext)) {
		wdm_hwpts_unmap(walk->domain, ext.pgno << PAGE_SHIFT,
				ext.nr_pages << PAGE_SHIFT);
		walk->nr_unmapped += ext.nr_pages;
		walk->work += ext.nr_pages;
		shadow->bypass_start = wdm_extent_end(&ext);
		if (!wdm_walk_yield(walk))
			return false;
	}
	shadow->bypass_start = 0;
	shadow->bypass_end = 0;
	shadow->hole_end = 0;
	return true;
}

/**
 * wdm_bypass_map() - Map what is missing of the space
 * @walk: the walk
 *
 * Return: a status.
 */
ntstatus_t wdm_bypass_map(struct wdm_walk *walk)
{
	struct wdm_shadow *shadow = walk->shadow;
	ntstatus_t status;

	if (walk->cancelled || (shadow->bypass_start && !wdm_bypass_unmap(walk)))
		return STATUS_CANCELLED;
	status = wdm_bypass_advance(walk, &shadow->bypass_end, U64_MAX);
	if (wdm_ok(status) && shadow->hole_start < shadow->hole_end)
		status = wdm_bypass_advance(walk, &shadow->hole_start,
					    shadow->hole_end);
	return status;
}

/* Unmap the pages before the hole from @pgno on, all of which are mapped. */
static bool wdm_bypass_retreat(struct wdm_walk *walk, u64 pgno)
{
	struct wdm_shadow *shadow = walk->shadow;
	u64 step = wdm_bypass_step(walk->domain), start;

	while (shadow->hole_start > pgno) {
		/* The domain is not locked then; the next call finishes the hole. */
		if (walk->cancelled)
			return false;
		start = max(pgno, ALIGN_DOWN(shadow->hole_start - 1, step));
		wdm_hwpts_unmap(walk->domain, start << PAGE_SHIFT,
				(shadow->hole_start - start) << PAGE_SHIFT);
		walk->nr_unmapped += shadow->hole_start - start;
		walk->work += shadow->hole_start - start;
		shadow->hole_start = start;
		if (!wdm_walk_yield(walk))
			return false;
	}
	return true;
}

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

static ntstatus_t wdm_walk_remove(struct wdm_walk *walk, void *arg)
{
	struct wdm_space_part *part = arg;
	struct wdm_domain *domain = walk->domain;
	u64 pgno = part->caller >> PAGE_SHIFT, end = pgno + part->nr_pages;
	ntstatus_t status;

	if (!wdm_space_allows(walk, part->caller, part->nr_pages << PAGE_SHIFT, 0))
		return STATUS_NOT_FOUND;
	status = wdm_space_release(walk, pgno, end);
	if (wdm_ok(status)) {
		status = wdm_mappings_take(&domain->mappings, pgno, end - 1,
					   &part->put_list, domain->gfp);
		wdm_hwpts_settle(domain, &part->put_list);
	}
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
	u64 end = wdm_extent_end(ext);
	ntstatus_t status;

	shadow->hole_start = ext->pgno;
	shadow->hole_end = end;
	status = wdm_bypass_map(walk);
	if (wdm_ok(status) || !wdm_bypass_retreat(walk, ext->pgno))
		return status;
	wdm_mappings_remove(&walk->domain->mappings, ext->pgno, end - 1);
	if (!wdm_hwpts_broken(walk->domain))
		wdm_mdl_unuse(ext->mdl, ext->nr_pages);
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
