// SPDX-License-Identifier: GPL-2.0
/*
 * Splits: iommu_unmap() takes a large page away as a whole. Where only a part of
 * one is to go, it is replaced by smaller ones before.
 */
#include <linux/mm.h>
#include <linux/sizes.h>

#include "split.h"

/* No larger page is used: what is farther from a cut does not matter. */
#define WDM_SPLIT_PAGES	((u64)SZ_1G >> PAGE_SHIFT)

/*
 * What a large page spans at most that holds pages @cut - 1 and @cut. There can
 * only be one if both were mapped as neighbours of one run of an MDL.
 */
static bool wdm_find_split_locked(struct wdm_domain *domain, u64 cut,
				  struct wdm_split *split)
{
	u64 first, end, mdl_first, before, pfn, size = PAGE_SIZE;
	struct wdm_extent whole;
	struct wdm_hwpt *hwpt;

	/* The physical run around the cut, one side of which is held, */
	if (!wdm_record_joint(&domain->record, cut, &whole))
		return false;
	mdl_first = wdm_pages_run_first(&whole.mdl->pages, whole.mdl_page);
	before = min3(whole.mdl_page - mdl_first, cut, WDM_SPLIT_PAGES);
	if (!before)
		return false;
	end = cut + wdm_pages_run(&whole.mdl->pages, whole.mdl_page,
				  WDM_SPLIT_PAGES, &pfn);

	/* as far as one extent is mapped to it. */
	if (!wdm_record_grow(&domain->record, cut - before, end - 1, &whole))
		return false;
	first = whole.first;
	end = first + whole.nr_pages;
	if (first == cut)
		return false;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		size = max(size, wdm_hwpt_large_page(hwpt, cut << PAGE_SHIFT,
						     PFN_PHYS(pfn),
						   first << PAGE_SHIFT,
						   (end << PAGE_SHIFT) - 1));
	size >>= PAGE_SHIFT;
	if (!(cut & (size - 1)))
		return false;

	split->cut = cut;
	split->ext = whole;
	split->ext.first = cut & ~(size - 1);
	split->ext.nr_pages = size;
	split->ext.mdl_page += split->ext.first - whole.first;
	return true;
}

static bool wdm_find_split(struct wdm_domain *domain, u64 cut,
			   struct wdm_split *split)
{
	bool found;

	if (!cut || domain->pgsize == WDM_PGSIZE_MIN ||
	    list_empty(&domain->hwpts))
		return false;

	wdm_record_lock(&domain->record);
	found = wdm_find_split_locked(domain, cut, split);
	wdm_record_unlock(&domain->record);
	return found;
}

/* Replace what a large page may map by two maps that meet at the cut. */
static ntstatus_t wdm_split_hwpt(struct wdm_hwpt *hwpt, const struct wdm_split *split,
				 enum wdm_pgsize pgsize)
{
	const struct wdm_extent *ext = &split->ext;
	struct wdm_mapping whole = wdm_extent_mapping(ext, WDM_PGSIZE_ANY);
	struct wdm_mapping left = wdm_extent_mapping(ext, pgsize), right = left;
	ntstatus_t status;

	left.nr_pages = split->cut - ext->first;
	right.iova = split->cut << PAGE_SHIFT;
	right.page += left.nr_pages;
	right.nr_pages -= left.nr_pages;

	wdm_hwpt_unmap_sync(hwpt, whole.iova, whole.nr_pages << PAGE_SHIFT);
	status = wdm_hwpt_map(hwpt, &left, false);
	if (wdm_ok(status)) {
		status = wdm_hwpt_map(hwpt, &right, false);
		if (wdm_ok(status))
			return STATUS_SUCCESS;
		wdm_hwpt_unmap_sync(hwpt, left.iova,
				    left.nr_pages << PAGE_SHIFT);
	}

	/* One large page takes no more memory than there was a moment ago. */
	WARN_ON_ONCE(!wdm_ok(wdm_hwpt_map(hwpt, &whole, false)));
	return status;
}

static ntstatus_t wdm_split(struct wdm_domain *domain,
			    const struct wdm_split *split,
			    enum wdm_pgsize pgsize)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node) {
		status = wdm_split_hwpt(hwpt, split, pgsize);
		if (!wdm_ok(status))
			break;
	}
	return status;
}

/**
 * wdm_splits_find() - Find what has to be split before a range is unmapped
 * @domain: the domain; nobody attaches or detaches
 * @splits: out: what sticks out of the range
 * @first: the first page number
 * @last: the last one
 */
void wdm_splits_find(struct wdm_domain *domain, struct wdm_splits *splits,
		     u64 first, u64 last)
{
	splits->first = first;
	splits->last = last;
	splits->split_first = wdm_find_split(domain, first, &splits->at_first);
	splits->split_end = wdm_find_split(domain, last + 1, &splits->at_end);
}

static void wdm_widen(const struct wdm_extent *ext, u64 *first, u64 *last)
{
	*first = min(*first, ext->first);
	*last = max(*last, ext->first + ext->nr_pages - 1);
}

/**
 * wdm_splits_span() - All pages that splitting touches, and the range itself
 * @splits: the splits
 * @first: out: the first page number
 * @last: out: the last one
 *
 * Nobody else may see these half done: they are to be held.
 */
void wdm_splits_span(const struct wdm_splits *splits, u64 *first, u64 *last)
{
	*first = splits->first;
	*last = splits->last;
	if (splits->split_first)
		wdm_widen(&splits->at_first.ext, first, last);
	if (splits->split_end)
		wdm_widen(&splits->at_end.ext, first, last);
}

/**
 * wdm_splits_do() - Split what sticks out of a range
 * @domain: the domain; nobody attaches or detaches
 * @splits: the splits, whose whole span is held and mapped
 * @pgsize: which pages of the IOMMU to use for the parts
 *
 * Return: a status; on failure every translation is what it was, some perhaps by
 * smaller pages.
 */
ntstatus_t wdm_splits_do(struct wdm_domain *domain, struct wdm_splits *splits,
			 enum wdm_pgsize pgsize)
{
	struct wdm_extent *ext = &splits->at_end.ext;
	u64 first = splits->first;
	ntstatus_t status;

	if (splits->split_first) {
		status = wdm_split(domain, &splits->at_first, pgsize);
		if (!wdm_ok(status))
			return status;
	}
	if (!splits->split_end)
		return STATUS_SUCCESS;

	/* The split at the front may have cut this very page. */
	if (splits->split_first && ext->first < first) {
		ext->nr_pages -= first - ext->first;
		ext->mdl_page += first - ext->first;
		ext->first = first;
	}
	return wdm_split(domain, &splits->at_end, pgsize);
}
