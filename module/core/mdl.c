// SPDX-License-Identifier: GPL-2.0
/*
 * MDL: memory that may be mapped.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/xarray.h>

#include "../compat/compat.h"
#include "mdl.h"

/* All MDLs by their number, so that a record needs no pointer a mapping. */
static DEFINE_XARRAY_ALLOC1(wdm_mdl_ids);

/**
 * wdm_mdl_init() - Make an MDL usable
 * @mdl: the MDL, in its maker's memory
 * @ops: how to free it
 * @access: WDM_READ, or WDM_READ | WDM_WRITE
 * @runs: its pages; stays the maker's memory, must live as long as the MDL
 * @nr_runs: elements of @runs
 * @nr_pages: pages, at most %WDM_MDL_MAX_PAGES
 *
 * The caller gets the first reference. On failure @mdl is still the caller's to
 * free.
 *
 * Return: 0, or -ENOMEM, which may also mean that no number is left.
 */
int wdm_mdl_init(struct wdm_mdl *mdl, const struct wdm_mdl_ops *ops, u32 access,
		 struct wdm_run *runs, u32 nr_runs, u64 nr_pages)
{
	refcount_set(&mdl->refs, 1);
	atomic64_set(&mdl->uses, 0);
	mdl->access = access;
	mdl->handle = 0;
	mdl->runs = runs;
	mdl->nr_runs = nr_runs;
	mdl->nr_pages = nr_pages;
	mdl->ops = ops;
	if (xa_alloc(&wdm_mdl_ids, &mdl->id, mdl,
		     XA_LIMIT(1, BIT(WDM_MDL_ID_BITS) - 1), GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_mdl_init);

/**
 * wdm_mdl_put() - Drop a reference
 * @mdl: the MDL; may be gone afterwards
 */
void wdm_mdl_put(struct wdm_mdl *mdl)
{
	if (!refcount_dec_and_test(&mdl->refs))
		return;
	xa_erase(&wdm_mdl_ids, mdl->id);
	mdl->ops->free(mdl);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_mdl_put);

/**
 * wdm_mdl_use() - Count pages that a record is about to map
 * @mdl: the MDL; the caller holds a reference
 * @pages: how many
 */
void wdm_mdl_use(struct wdm_mdl *mdl, u64 pages)
{
	if (atomic64_add_return(pages, &mdl->uses) == pages)
		refcount_inc(&mdl->refs);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_mdl_use);

/**
 * wdm_mdl_unuse() - Count pages that no translation leads to any more
 * @mdl: the MDL; may be gone afterwards
 * @pages: how many; the IOTLB has been synced since they were unmapped
 */
void wdm_mdl_unuse(struct wdm_mdl *mdl, u64 pages)
{
	if (!atomic64_sub_return(pages, &mdl->uses))
		wdm_mdl_put(mdl);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_mdl_unuse);

/**
 * wdm_mdl_by_id() - The MDL that a record means
 * @id: its number
 *
 * The MDL stays as long as the record counts it as used, so the caller holds
 * the record's lock, or else keeps the mapping from going away.
 *
 * Return: the MDL.
 */
struct wdm_mdl *wdm_mdl_by_id(u32 id)
{
	return xa_load(&wdm_mdl_ids, id);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_mdl_by_id);

/* The last run that starts at or before @page. */
static u32 wdm_mdl_find(const struct wdm_mdl *mdl, u64 page)
{
	u32 low = 0, high = mdl->nr_runs;

	while (high - low > 1) {
		u32 mid = low + (high - low) / 2;

		if (mdl->runs[mid].page <= page)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/**
 * wdm_mdl_run_first() - Where does the contiguous run around a page start?
 * @mdl: the MDL
 * @page: number of a page
 *
 * Return: the number of the run's first page.
 */
u64 wdm_mdl_run_first(const struct wdm_mdl *mdl, u64 page)
{
	return mdl->runs[wdm_mdl_find(mdl, page)].page;
}

/**
 * wdm_mdl_run() - Find contiguous pages
 * @mdl: the MDL
 * @page: number of the first page
 * @max_pages: how many pages are wanted at most
 * @pfn: out: the page frame of @page
 *
 * Return: how many pages from @page on are physically contiguous, at least 1
 * and at most @max_pages.
 */
u64 wdm_mdl_run(const struct wdm_mdl *mdl, u64 page, u64 max_pages, u64 *pfn)
{
	u32 i = wdm_mdl_find(mdl, page);
	u64 end = i + 1 < mdl->nr_runs ? mdl->runs[i + 1].page : mdl->nr_pages;

	*pfn = mdl->runs[i].pfn + (page - mdl->runs[i].page);
	return min(end - page, max_pages);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_mdl_run);
