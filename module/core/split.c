// SPDX-License-Identifier: GPL-2.0
/*
 * Splits: iommu_unmap() removes a large page as a whole. Before part of one is unmapped,
 * smaller pages replace it.
 *
 * Each hwpt has its own page sizes, and only the page that spans the cut is replaced. If
 * that fails, the page is put back with a single call, into the table that had its entry,
 * which the driver has not freed.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "hwpt_set.h"
#include "split.h"

/* No larger page is used, so nothing farther from a cut matters. */
#define WDM_SPLIT_PAGES	WDM_HWPT_STEP_PAGES

/* Number of attempts to put a page back, a millisecond apart */
#define WDM_SPLIT_TRIES	1000

/*
 * Extend an extent, which ends at the ends of one block, in both directions, clipped to
 * @pgno and @last_pgno.
 */
static void wdm_extent_grow(struct wdm_mappings *mappings, struct wdm_extent *ext,
			    u64 pgno, u64 last_pgno)
{
	struct wdm_extent other;
	u64 before, behind;

	while (ext->pgno > pgno && wdm_mappings_at(mappings, ext->pgno - 1, &other) &&
	       wdm_extent_join(&other, ext))
		*ext = other;
	while (wdm_extent_end(ext) <= last_pgno &&
	       wdm_mappings_at(mappings, wdm_extent_end(ext), &other) &&
	       wdm_extent_join(ext, &other))
		;

	before = ext->pgno < pgno ? pgno - ext->pgno : 0;
	behind = wdm_extent_end(ext) > last_pgno + 1 ?
		 wdm_extent_end(ext) - last_pgno - 1 : 0;
	ext->pgno += before;
	ext->mdl_page += before;
	ext->nr_pages -= before + behind;
}

/* Get what the hwpt's page that spans the cut maps; return false if none spans it. */
static bool wdm_split_clip(const struct wdm_hwpt *hwpt, const struct wdm_split *split,
			   struct wdm_extent *ext)
{
	u64 pfn, size, offset;

	wdm_pages_run(&split->ext.mdl->pages,
		      split->ext.mdl_page + (split->cut - split->ext.pgno), 1, &pfn);
	size = wdm_hwpt_large_page(hwpt, split->cut << PAGE_SHIFT, PFN_PHYS(pfn),
				   split->ext.pgno << PAGE_SHIFT,
				   (wdm_extent_end(&split->ext) << PAGE_SHIFT) - 1);
	size >>= PAGE_SHIFT;
	if (!(split->cut & (size - 1)))
		return false;
	*ext = split->ext;
	offset = (split->cut & ~(size - 1)) - ext->pgno;
	ext->pgno += offset;
	ext->mdl_page += offset;
	ext->nr_pages = size;
	return true;
}

/* Check whether any hwpt has pages that are larger than the cut is aligned. */
static bool wdm_split_possible(const struct wdm_domain *domain, u64 cut)
{
	const struct wdm_hwpt *hwpt;

	if (!cut || domain->pgsize == WDM_PGSIZE_MIN)
		return false;
	list_for_each_entry(hwpt, &domain->hwpts, node)
		if (__fls(hwpt->domain->pgsize_bitmap) > __ffs64(cut) + PAGE_SHIFT)
			return true;
	return false;
}

/*
 * Find what is spanned by large pages that contain pages @cut - 1 and @cut. There can only
 * be such pages if both were mapped as neighbours of one run of an MDL. The caller holds
 * one of the two, which keeps their MDL.
 */
static bool wdm_split_find(struct wdm_domain *domain, u64 cut,
			   struct wdm_split *split)
{
	struct wdm_mappings *mappings = &domain->mappings;
	struct wdm_extent ext, widest = { };
	struct wdm_pages *pages;
	u64 pfn, before, behind;
	struct wdm_hwpt *hwpt;

	split->ext.nr_pages = 0;
	if (!wdm_split_possible(domain, cut))
		return false;
	if (!wdm_mappings_find(mappings, cut - 1, cut, &ext) || ext.nr_pages != 2)
		return false;
	pages = &ext.mdl->pages;
	before = ext.mdl_page + 1 - wdm_pages_run_first(pages, ext.mdl_page + 1);
	if (!before)
		return false;
	behind = wdm_pages_run(pages, ext.mdl_page + 1, WDM_SPLIT_PAGES, &pfn);
	if (!wdm_mappings_at(mappings, cut, &ext))
		return false;
	wdm_extent_grow(mappings, &ext, cut - min3(before, cut, WDM_SPLIT_PAGES),
			cut + behind - 1);
	if (ext.pgno >= cut || wdm_extent_end(&ext) <= cut)
		return false;

	split->cut = cut;
	split->ext = ext;
	list_for_each_entry(hwpt, &domain->hwpts, node)
		if (wdm_split_clip(hwpt, split, &ext) &&
		    ext.nr_pages > widest.nr_pages)
			widest = ext;
	split->ext = widest;
	return widest.nr_pages;
}

/**
 * wdm_split_end() - Get the end of the large pages that may span a cut
 * @domain: the domain, locked against attach and detach
 * @cut: the first page number after the cut; the caller holds this page
 *
 * Large pages are naturally aligned, so the widest one contains those of all other hwpts, and
 * none spans its end.
 *
 * Return: the page number after the widest one; @cut if there is none.
 */
u64 wdm_split_end(struct wdm_domain *domain, u64 cut)
{
	struct wdm_split split;

	return wdm_split_find(domain, cut, &split) ? wdm_extent_end(&split.ext) : cut;
}

/* The page was there a moment ago, so this needs no page table. */
static void wdm_split_put_back(struct wdm_hwpt *hwpt, const struct wdm_mapping *page)
{
	unsigned int tries;
	u64 pfn;

	wdm_pages_run(page->pages, page->page, 1, &pfn);
	for (tries = 0; tries < WDM_SPLIT_TRIES; tries++) {
		if (wdm_ok(wdm_hwpt_map_contig(hwpt, page->iova, pfn,
					       page->nr_pages, page->perms)))
			return;
		/* Drivers that send each map to a device (virtio) need memory even so. */
		usleep_range(1000, 2000);
	}
	WARN_ONCE(1, "cannot put a page back\n");
	WRITE_ONCE(hwpt->broken, true);
}

/* Replace the page of one hwpt by two maps that meet at the cut. */
static ntstatus_t wdm_split_hwpt(struct wdm_hwpt *hwpt, const struct wdm_split *split,
				 enum wdm_pgsize pgsize)
{
	struct wdm_mapping page, left, right;
	struct wdm_extent ext;
	ntstatus_t status;

	if (!wdm_split_clip(hwpt, split, &ext))
		return STATUS_SUCCESS;
	page = wdm_extent_mapping(&ext, WDM_PGSIZE_ANY);
	left = wdm_extent_mapping(&ext, pgsize);
	right = left;
	left.nr_pages = split->cut - ext.pgno;
	right.iova = split->cut << PAGE_SHIFT;
	right.page += left.nr_pages;
	right.nr_pages -= left.nr_pages;

	wdm_hwpt_unmap_sync(hwpt, page.iova, page.nr_pages << PAGE_SHIFT);
	status = wdm_hwpt_map(hwpt, &left, false);
	if (wdm_ok(status)) {
		status = wdm_hwpt_map(hwpt, &right, false);
		if (wdm_ok(status))
			return STATUS_SUCCESS;
		wdm_hwpt_unmap_sync(hwpt, left.iova, left.nr_pages << PAGE_SHIFT);
	}
	wdm_split_put_back(hwpt, &page);
	return status;
}

static ntstatus_t wdm_split_do(struct wdm_domain *domain,
			       const struct wdm_split *split,
			       enum wdm_pgsize pgsize)
{
	struct wdm_hwpt *hwpt;
	ntstatus_t status;

	if (!split->ext.nr_pages)
		return STATUS_SUCCESS;
	list_for_each_entry(hwpt, &domain->hwpts, node) {
		status = wdm_split_hwpt(hwpt, split, pgsize);
		if (!wdm_ok(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/**
 * wdm_splits_find() - Find what has to be split before a range is unmapped
 * @domain: the domain, locked against attach and detach
 * @splits: out: the large pages that extend beyond the range
 * @pgno: the first page number; the caller holds these pages
 * @last_pgno: the last page number
 */
void wdm_splits_find(struct wdm_domain *domain, struct wdm_splits *splits,
		     u64 pgno, u64 last_pgno)
{
	splits->pgno = pgno;
	splits->last_pgno = last_pgno;
	wdm_split_find(domain, pgno, &splits->front);
	wdm_split_find(domain, last_pgno + 1, &splits->back);
}

/**
 * wdm_splits_span() - Get the range of all pages that splitting touches
 * @splits: the splits
 * @pgno: out: the first page number
 * @last_pgno: out: the last page number
 *
 * The caller has to hold all of these, so that no other call finds a page half split.
 */
void wdm_splits_span(const struct wdm_splits *splits, u64 *pgno, u64 *last_pgno)
{
	*pgno = splits->pgno;
	*last_pgno = splits->last_pgno;
	if (splits->front.ext.nr_pages) {
		*pgno = splits->front.ext.pgno;
		*last_pgno = max(*last_pgno, wdm_extent_end(&splits->front.ext) - 1);
	}
	if (splits->back.ext.nr_pages) {
		*pgno = min(*pgno, splits->back.ext.pgno);
		*last_pgno = max(*last_pgno, wdm_extent_end(&splits->back.ext) - 1);
	}
}

/**
 * wdm_splits_do() - Split the large pages that extend beyond a range
 * @domain: the domain, locked against attach and detach
 * @splits: the splits, whose whole span is held and mapped
 * @pgsize: IOMMU page sizes to use for the parts
 *
 * Return: a status; on failure all translations are unchanged, though some may use
 * smaller pages.
 */
ntstatus_t wdm_splits_do(struct wdm_domain *domain, struct wdm_splits *splits,
			 enum wdm_pgsize pgsize)
{
	struct wdm_extent *back = &splits->back.ext;
	ntstatus_t status;
	u64 done;

	status = wdm_split_do(domain, &splits->front, pgsize);
	if (!wdm_ok(status))
		return status;

	/* The first split may have split this page already. */
	if (splits->front.ext.nr_pages && back->nr_pages &&
	    back->pgno < splits->pgno) {
		done = splits->pgno - back->pgno;
		back->pgno += done;
		back->mdl_page += done;
		back->nr_pages -= done;
	}
	return wdm_split_do(domain, &splits->back, pgsize);
}
