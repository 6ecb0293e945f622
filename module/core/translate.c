// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains: map and unmap.
 *
 * A call takes its range, so that calls on disjoint ranges run side by side.
 * Hardware is filled before the record tells of it, and emptied after the record
 * has forgotten it: of the two steps of a call, only the first can fail, but for
 * a map, whose second step needs memory, and whose first can be undone.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "../compat/compat.h"
#include "domain.h"

static ntstatus_t wdm_check_perms(const struct wdm_mdl *mdl, u32 perms)
{
	if (!perms || perms & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	if (perms & ~mdl->access)
		return STATUS_ACCESS_DENIED;
	return STATUS_SUCCESS;
}

static bool wdm_record_has_any(struct wdm_record *rec, u64 first, u64 last)
{
	struct wdm_extent ext;
	bool any;

	mutex_lock(&rec->lock);
	any = wdm_record_next(rec, first, last, &ext);
	mutex_unlock(&rec->lock);
	return any;
}

/* The range is held. */
static ntstatus_t wdm_map_extent(struct wdm_domain *domain,
				 const struct wdm_extent *ext)
{
	u64 last = ext->first + ext->nr_pages - 1;
	u64 iova = ext->first << PAGE_SHIFT;
	ntstatus_t status;

	if (wdm_record_has_any(&domain->record, ext->first, last))
		return STATUS_RESOURCE_IN_USE;
	if (!wdm_domain_fits(domain, iova, (last << PAGE_SHIFT) | ~PAGE_MASK))
		return STATUS_CONFLICTING_ADDRESSES;

	status = wdm_domain_hw_map(domain, iova, ext->mdl, ext->mdl_page,
				   ext->nr_pages, ext->perms, domain->granule);
	if (wdm_failed(status))
		return status;

	mutex_lock(&domain->record.lock);
	status = wdm_record_insert(&domain->record, ext);
	mutex_unlock(&domain->record.lock);
	if (wdm_failed(status))
		wdm_domain_hw_unmap(domain, iova, ext->nr_pages << PAGE_SHIFT);
	return status;
}

/*
 * Taking away [first, last] must not take along the rest of a large page that
 * sticks out of it. This is what such a page spans on one side of the range.
 */
struct wdm_split {
	struct wdm_extent ext;	/* all that the large page can span */
	u64 cut;		/* the page number at which to split it */
};

/*
 * What a large page spans at most that holds pages @cut - 1 and @cut. There can
 * only be one if both were mapped as neighbours of one run of an MDL.
 */
static bool wdm_find_split_locked(struct wdm_domain *domain, u64 cut,
				  struct wdm_split *split)
{
	u64 first, end, mdl_first, pfn, size = PAGE_SIZE;
	struct wdm_extent whole;
	struct wdm_hw *hw;

	if (!wdm_record_extent(&domain->record, cut - 1, &whole) ||
	    whole.first + whole.nr_pages <= cut)
		return false;

	/* The run around the cut, as far as the extent goes. */
	mdl_first = wdm_mdl_run_first(whole.mdl,
				      whole.mdl_page + (cut - 1 - whole.first));
	mdl_first = max(mdl_first, whole.mdl_page);
	first = whole.first + (mdl_first - whole.mdl_page);
	end = first + wdm_mdl_run(whole.mdl, mdl_first,
				  whole.first + whole.nr_pages - first, &pfn);
	if (end <= cut)
		return false;

	list_for_each_entry(hw, &domain->hws, node)
		size = max(size, wdm_hw_large_page(hw, cut << PAGE_SHIFT,
						   PFN_PHYS(pfn + cut - first),
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

	if (!cut || domain->granule == WDM_GRANULE_PAGE ||
	    list_empty(&domain->hws))
		return false;

	mutex_lock(&domain->record.lock);
	found = wdm_find_split_locked(domain, cut, split);
	mutex_unlock(&domain->record.lock);
	return found;
}

/* Replace what a large page may map by two maps that meet at the cut. */
static ntstatus_t wdm_split_hw(struct wdm_hw *hw, const struct wdm_split *split,
			       enum wdm_granule granule)
{
	const struct wdm_extent *ext = &split->ext;
	u64 left = split->cut - ext->first;
	u64 iova = ext->first << PAGE_SHIFT;
	ntstatus_t status;

	wdm_hw_unmap_sync(hw, iova, ext->nr_pages << PAGE_SHIFT);
	status = wdm_hw_map(hw, iova, ext->mdl, ext->mdl_page, left, ext->perms,
			    granule);
	if (!wdm_failed(status)) {
		status = wdm_hw_map(hw, split->cut << PAGE_SHIFT, ext->mdl,
				    ext->mdl_page + left, ext->nr_pages - left,
				    ext->perms, granule);
		if (!wdm_failed(status))
			return STATUS_SUCCESS;
		wdm_hw_unmap_sync(hw, iova, left << PAGE_SHIFT);
	}

	/* One large page takes no more memory than there was a moment ago. */
	WARN_ON_ONCE(wdm_failed(wdm_hw_map(hw, iova, ext->mdl, ext->mdl_page,
					   ext->nr_pages, ext->perms,
					   WDM_GRANULE_LARGE)));
	return status;
}

static ntstatus_t wdm_split(struct wdm_domain *domain,
			    const struct wdm_split *split,
			    enum wdm_granule granule)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_hw *hw;

	list_for_each_entry(hw, &domain->hws, node) {
		status = wdm_split_hw(hw, split, granule);
		if (wdm_failed(status))
			break;
	}
	return status;
}

/*
 * Hold the pages to unmap, and whatever a large page that sticks out of them
 * spans: no other call may see it half done.
 */
struct wdm_unmap_range {
	struct wdm_range range;
	bool split_first;
	bool split_end;
	struct wdm_split at_first;
	struct wdm_split at_end;
};

static void wdm_find_splits(struct wdm_domain *domain,
			    struct wdm_unmap_range *un, u64 first, u64 last)
{
	un->split_first = wdm_find_split(domain, first, &un->at_first);
	un->split_end = wdm_find_split(domain, last + 1, &un->at_end);
}

static void wdm_widen(const struct wdm_extent *ext, u64 *first, u64 *last)
{
	*first = min(*first, ext->first);
	*last = max(*last, ext->first + ext->nr_pages - 1);
}

static ntstatus_t wdm_unmap_lock(struct wdm_domain *domain,
				 struct wdm_unmap_range *un, u64 first,
				 u64 last)
{
	u64 lock_first = first, lock_last = last;

	for (;;) {
		u64 want_first = first, want_last = last;

		if (wdm_range_lock(&domain->ranges, &un->range, lock_first,
				   lock_last))
			return STATUS_CANCELLED;

		wdm_find_splits(domain, un, first, last);
		if (un->split_first)
			wdm_widen(&un->at_first.ext, &want_first, &want_last);
		if (un->split_end)
			wdm_widen(&un->at_end.ext, &want_first, &want_last);
		if (want_first >= lock_first && want_last <= lock_last)
			return STATUS_SUCCESS;

		/* Wider, and look again: it was not held while looking. */
		wdm_range_unlock(&domain->ranges, &un->range);
		lock_first = min(lock_first, want_first);
		lock_last = max(lock_last, want_last);
	}
}

static ntstatus_t wdm_split_ends(struct wdm_domain *domain,
				 struct wdm_unmap_range *un, u64 first,
				 enum wdm_granule granule)
{
	struct wdm_extent *ext = &un->at_end.ext;
	ntstatus_t status;

	if (un->split_first) {
		status = wdm_split(domain, &un->at_first, granule);
		if (wdm_failed(status))
			return status;
	}
	if (!un->split_end)
		return STATUS_SUCCESS;

	/* The split at the front may have cut this very page. */
	if (un->split_first && ext->first < first) {
		ext->nr_pages -= first - ext->first;
		ext->mdl_page += first - ext->first;
		ext->first = first;
	}
	return wdm_split(domain, &un->at_end, granule);
}

/*
 * The range and whatever it splits are held, and no large page sticks out. After
 * success the caller owes wdm_removal_release().
 */
static ntstatus_t wdm_unmap_pages(struct wdm_domain *domain, u64 first,
				  u64 last, struct wdm_removal *removal,
				  gfp_t gfp)
{
	ntstatus_t status;

	mutex_lock(&domain->record.lock);
	status = wdm_record_remove(&domain->record, first, last, removal, gfp);
	mutex_unlock(&domain->record.lock);
	if (wdm_failed(status))
		return status;

	wdm_domain_hw_unmap(domain, first << PAGE_SHIFT,
			    (last - first + 1) << PAGE_SHIFT);
	if (wdm_domain_stuck(domain))
		wdm_removal_leak(removal);
	return STATUS_SUCCESS;
}

/* Unmap, in identity maps, what is known to be mapped. */
static void wdm_unmap_mapped(struct wdm_domain *domain,
			     const struct wdm_extent *ext)
{
	struct wdm_removal removal;

	/* A page that an MDL has twice is not there the second time. */
	if (!wdm_failed(wdm_unmap_pages(domain, ext->first,
					ext->first + ext->nr_pages - 1,
					&removal, GFP_KERNEL | __GFP_NOFAIL)))
		wdm_removal_release(&removal);
}

/**
 * wdm_domain_map() - Map pages of an MDL
 * @domain: the domain
 * @perms: WDM_READ, WDM_WRITE
 * @mdl: the MDL; the caller holds a reference
 * @mdl_page: its first page to map
 * @nr_pages: pages
 * @logical: where, page aligned
 *
 * Contract: IommuMapLogicalRange. All or nothing.
 *
 * Return: see &struct wdm_iommu_map.
 */
ntstatus_t wdm_domain_map(struct wdm_domain *domain, u32 perms,
			  struct wdm_mdl *mdl, u64 mdl_page, u64 nr_pages,
			  u64 logical)
{
	struct wdm_extent ext = {
		.first = logical >> PAGE_SHIFT,
		.nr_pages = nr_pages,
		.mdl = mdl,
		.mdl_page = mdl_page,
		.perms = perms,
	};
	struct wdm_range range;
	ntstatus_t status;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	status = wdm_check_perms(mdl, perms);
	if (wdm_failed(status))
		return status;
	if (!wdm_mdl_has(mdl, mdl_page, nr_pages))
		return STATUS_INVALID_PARAMETER_3;
	if (!PAGE_ALIGNED(logical) || wdm_pages_wrap(logical, nr_pages))
		return STATUS_INVALID_PARAMETER_4;

	if (down_read_killable(&domain->attach_lock))
		return STATUS_CANCELLED;
	status = STATUS_CANCELLED;
	if (!wdm_range_lock(&domain->ranges, &range, ext.first,
			    ext.first + nr_pages - 1)) {
		status = wdm_map_extent(domain, &ext);
		wdm_range_unlock(&domain->ranges, &range);
	}
	up_read(&domain->attach_lock);
	return status;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_domain_map);

/**
 * wdm_domain_unmap() - Unmap any range of mapped pages
 * @domain: the domain
 * @logical: where, page aligned
 * @nr_pages: pages
 *
 * Contract: IommuUnmapLogicalRange. All or nothing; when it returns, the range
 * blocks. A large page that sticks out of the range is split first; while that
 * happens, all of it blocks for a moment.
 *
 * Return: see &struct wdm_iommu_unmap.
 */
ntstatus_t wdm_domain_unmap(struct wdm_domain *domain, u64 logical,
			    u64 nr_pages)
{
	u64 first = logical >> PAGE_SHIFT, last = first + nr_pages - 1;
	struct wdm_unmap_range un;
	struct wdm_removal removal;
	ntstatus_t status;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!PAGE_ALIGNED(logical))
		return STATUS_INVALID_PARAMETER_2;
	if (!nr_pages || wdm_pages_wrap(logical, nr_pages))
		return STATUS_INVALID_PARAMETER_3;

	if (down_read_killable(&domain->attach_lock))
		return STATUS_CANCELLED;
	status = wdm_unmap_lock(domain, &un, first, last);
	if (wdm_failed(status))
		goto out;

	if (un.split_first || un.split_end) {
		mutex_lock(&domain->record.lock);
		if (!wdm_record_covers(&domain->record, first, last))
			status = STATUS_NOT_FOUND;
		mutex_unlock(&domain->record.lock);
	}
	if (!wdm_failed(status))
		status = wdm_split_ends(domain, &un, first, domain->granule);
	if (!wdm_failed(status))
		status = wdm_unmap_pages(domain, first, last, &removal,
					 GFP_KERNEL_ACCOUNT);
	wdm_range_unlock(&domain->ranges, &un.range);
out:
	up_read(&domain->attach_lock);
	/* What this unpins is unpinned without any lock. */
	if (!wdm_failed(status))
		wdm_removal_release(&removal);
	return status;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_domain_unmap);

/* The next run of an MDL, as the extent that maps it at its own addresses. */
static void wdm_identity_extent(struct wdm_mdl *mdl, u64 mdl_page, u64 nr_pages,
				u32 perms, struct wdm_extent *ext)
{
	ext->mdl = mdl;
	ext->mdl_page = mdl_page;
	ext->nr_pages = wdm_mdl_run(mdl, mdl_page, nr_pages, &ext->first);
	ext->perms = perms;
}

/* Is each of these pages mapped at its physical address? */
static bool wdm_is_identity(struct wdm_domain *domain, u64 first, u64 last)
{
	struct wdm_extent ext;
	u64 pfn, pages;
	bool same = true;

	mutex_lock(&domain->record.lock);
	while (same && first <= last) {
		same = wdm_record_next(&domain->record, first, last, &ext) &&
		       ext.first == first;
		if (!same)
			break;
		pages = wdm_mdl_run(ext.mdl, ext.mdl_page, ext.nr_pages, &pfn);
		same = pfn == first;
		first += pages;
	}
	mutex_unlock(&domain->record.lock);
	return same;
}

/* Everything is held. */
static ntstatus_t wdm_map_identity_locked(struct wdm_domain *domain, u32 perms,
					  struct wdm_mdl *mdl, u64 mdl_page,
					  u64 nr_pages)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent ext;
	u64 done, undone;

	for (done = 0; done < nr_pages; done += ext.nr_pages) {
		wdm_identity_extent(mdl, mdl_page + done, nr_pages - done,
				    perms, &ext);
		status = fatal_signal_pending(current) ? STATUS_CANCELLED :
			 wdm_map_extent(domain, &ext);
		if (wdm_failed(status))
			break;
	}
	if (!wdm_failed(status))
		return status;

	for (undone = 0; undone < done; undone += ext.nr_pages) {
		wdm_identity_extent(mdl, mdl_page + undone, done - undone,
				    perms, &ext);
		wdm_unmap_mapped(domain, &ext);
	}
	return status;
}

/**
 * wdm_domain_map_identity() - Map pages of an MDL at their physical addresses
 * @domain: the domain
 * @perms: WDM_READ, WDM_WRITE
 * @mdl: the MDL; the caller holds a reference, and was allowed to
 * @mdl_page: its first page to map
 * @nr_pages: pages
 *
 * Contract: IommuMapIdentityRange. All or nothing.
 *
 * Return: see &struct wdm_iommu_map.
 */
ntstatus_t wdm_domain_map_identity(struct wdm_domain *domain, u32 perms,
				   struct wdm_mdl *mdl, u64 mdl_page,
				   u64 nr_pages)
{
	struct wdm_range all;
	ntstatus_t status;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	status = wdm_check_perms(mdl, perms);
	if (wdm_failed(status))
		return status;
	if (!wdm_mdl_has(mdl, mdl_page, nr_pages))
		return STATUS_INVALID_PARAMETER_3;

	if (down_read_killable(&domain->attach_lock))
		return STATUS_CANCELLED;
	/* The pages may lie anywhere: everything else waits. */
	status = STATUS_CANCELLED;
	if (!wdm_range_lock(&domain->ranges, &all, 0, U64_MAX)) {
		status = wdm_map_identity_locked(domain, perms, mdl, mdl_page,
						 nr_pages);
		wdm_range_unlock(&domain->ranges, &all);
	}
	up_read(&domain->attach_lock);
	return status;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_domain_map_identity);

/* Everything is held. */
static ntstatus_t wdm_unmap_identity_locked(struct wdm_domain *domain,
					    struct wdm_mdl *mdl, u64 mdl_page,
					    u64 nr_pages)
{
	struct wdm_unmap_range un;
	struct wdm_extent ext;
	ntstatus_t status;
	u64 done;

	for (done = 0; done < nr_pages; done += ext.nr_pages) {
		wdm_identity_extent(mdl, mdl_page + done, nr_pages - done, 0,
				    &ext);
		if (!wdm_is_identity(domain, ext.first,
				     ext.first + ext.nr_pages - 1))
			return STATUS_NOT_FOUND;
	}

	/*
	 * What may fail comes first, and does not change what is mapped. Into
	 * pages, or the cuts for one run would be gone after those for the next.
	 */
	for (done = 0; done < nr_pages; done += ext.nr_pages) {
		wdm_identity_extent(mdl, mdl_page + done, nr_pages - done, 0,
				    &ext);
		wdm_find_splits(domain, &un, ext.first,
				ext.first + ext.nr_pages - 1);
		status = wdm_split_ends(domain, &un, ext.first,
					WDM_GRANULE_PAGE);
		if (wdm_failed(status))
			return status;
	}

	for (done = 0; done < nr_pages; done += ext.nr_pages) {
		wdm_identity_extent(mdl, mdl_page + done, nr_pages - done, 0,
				    &ext);
		wdm_unmap_mapped(domain, &ext);
	}
	return STATUS_SUCCESS;
}

/**
 * wdm_domain_unmap_identity() - Unmap what wdm_domain_map_identity() mapped
 * @domain: the domain
 * @mdl: the MDL; the caller holds a reference, and was allowed to
 * @mdl_page: its first page to unmap
 * @nr_pages: pages
 *
 * Contract: IommuUnmapIdentityRange. All or nothing.
 *
 * Return: see &struct wdm_iommu_unmap_identity.
 */
ntstatus_t wdm_domain_unmap_identity(struct wdm_domain *domain,
				     struct wdm_mdl *mdl, u64 mdl_page,
				     u64 nr_pages)
{
	struct wdm_range all;
	ntstatus_t status;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!wdm_mdl_has(mdl, mdl_page, nr_pages))
		return STATUS_INVALID_PARAMETER_2;

	if (down_read_killable(&domain->attach_lock))
		return STATUS_CANCELLED;
	status = STATUS_CANCELLED;
	if (!wdm_range_lock(&domain->ranges, &all, 0, U64_MAX)) {
		status = wdm_unmap_identity_locked(domain, mdl, mdl_page,
						   nr_pages);
		wdm_range_unlock(&domain->ranges, &all);
	}
	up_read(&domain->attach_lock);
	return status;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_domain_unmap_identity);
