// SPDX-License-Identifier: GPL-2.0
/*
 * The caller's address space: the memory that page tables can refer to.
 */
#include <linux/mm.h>

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
	u64 last_pgno = (caller + size - 1) >> PAGE_SHIFT;
	struct wdm_extent ext;

	do {
		/* A step at a time: a search joins all adjacent memory. */
		if (!wdm_domain_find(walk->domain, pgno,
				     min(last_pgno, pgno | (WDM_HWPT_STEP_PAGES - 1)),
				     &ext) ||
		    ext.pgno != pgno || perms & ~ext.perms)
			return false;
		pgno += ext.nr_pages;
		if (!wdm_walk_yield(walk))
			return false;
	} while (pgno <= last_pgno);
	return true;
}
