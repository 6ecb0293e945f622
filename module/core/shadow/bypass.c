// SPDX-License-Identifier: GPL-2.0
/*
 * Bypass: the pages of the space from bypass_start to bypass_end - 1 are mapped one to
 * one, except those of the hole. Between calls that is all of them, without a hole. It is
 * less between the steps of a call, where attach and detach can run, and after a
 * cancelled call, whose work the next one finishes.
 */
#include <linux/mm.h>

#include "../hwpt_set.h"
#include "private.h"

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

	/* Find the start first: wdm_domain_find() joins all adjacent memory. */
	return pgno < end &&
	       wdm_mappings_peek(&domain->mappings, pgno, end - 1, ext) &&
	       wdm_domain_find(domain, ext->pgno,
			       min(end - 1, ext->pgno | (step - 1)), ext);
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

	while (wdm_space_step(walk->domain, pgno, U64_MAX, &ext)) {
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

/**
 * wdm_bypass_retreat() - Unmap the pages below the hole, and extend it by them
 * @walk: the walk
 * @pgno: the page number to stop at; all pages from there to the hole are mapped
 *
 * Return: true if all are unmapped; false if the walk is cancelled.
 */
bool wdm_bypass_retreat(struct wdm_walk *walk, u64 pgno)
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
