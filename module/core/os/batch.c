// SPDX-License-Identifier: GPL-2.0
/*
 * Batch: maps and unmaps of an OS-managed domain.
 *
 * A batch holds the range of pages that it works on, so that batches on disjoint
 * ranges run side by side. The record is changed first, in one step that either
 * happens or does not, and nobody else sees that hardware follows a moment later.
 *
 * Unmapped pages stay in the batch's range until the IOTLB is synced: nobody can
 * map anything where a device may still reach what was there before. Nor does the
 * batch itself; a device never finds two translations of an address, which not
 * all IOMMUs would take well.
 */
#include <linux/mm.h>

#include "batch.h"
#include "split.h"
#include "../trace.h"

static ntstatus_t wdm_batch_lock(struct wdm_batch *batch)
{
	if (wdm_range_lock(&batch->domain->ranges, &batch->range, batch->first,
			   batch->last, batch->domain->killable))
		return STATUS_CANCELLED;
	batch->held = true;
	return STATUS_SUCCESS;
}

/* From here on, what was unmapped blocks. */
static void wdm_batch_sync(struct wdm_batch *batch)
{
	struct wdm_hwpt *hwpt;
	u64 begin;

	if (batch->stale_first > batch->stale_last)
		return;
	begin = WDM_TRACE_BEGIN(wdm_sync);
	hwpt = list_first_entry(&batch->domain->hwpts, struct wdm_hwpt, node);
	iommu_iotlb_sync(hwpt->domain, &batch->gather);
	if (trace_wdm_sync_enabled())
		trace_wdm_sync(batch->domain, batch->stale_first << PAGE_SHIFT,
			       batch->stale_last - batch->stale_first + 1, 0,
			       STATUS_SUCCESS, wdm_trace_ns(begin));
	batch->stale_first = U64_MAX;
	batch->stale_last = 0;
}

static void wdm_batch_unlock(struct wdm_batch *batch)
{
	wdm_batch_sync(batch);
	wdm_range_unlock(&batch->domain->ranges, &batch->range);
	batch->held = false;
}

/**
 * wdm_batch_begin() - Begin a batch
 * @batch: the batch
 * @domain: the domain
 * @first: the first page number that the operations will touch
 * @last: the last one
 *
 * Pages beyond these may be touched, too, which takes longer; where nothing is
 * known, @first is U64_MAX and @last 0.
 *
 * Return: STATUS_INVALID_PARAMETER_1 if the domain is caller-managed; then no
 * wdm_batch_end() is owed.
 */
ntstatus_t wdm_batch_begin(struct wdm_batch *batch, struct wdm_domain *domain,
			   u64 first, u64 last)
{
	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	batch->domain = domain;
	batch->held = false;
	batch->first = first;
	batch->last = last;
	batch->stale_first = U64_MAX;
	batch->stale_last = 0;
	wdm_put_list_init(&batch->put_list);
	return STATUS_SUCCESS;
}

/**
 * wdm_batch_end() - End a batch
 * @batch: the batch
 *
 * When it returns, what was unmapped blocks, and its pages are let go of.
 */
void wdm_batch_end(struct wdm_batch *batch)
{
	if (batch->held)
		wdm_batch_unlock(batch);
	/* What this unpins is unpinned without any lock. */
	wdm_put_list_release(&batch->put_list);
}

/**
 * wdm_batch_hold() - See to it that nobody else touches some pages
 * @batch: the batch
 * @first: the first page number
 * @last: the last one
 *
 * If somebody waits to attach or detach, he gets it first: VFIO may be waiting,
 * and everybody else for VFIO.
 *
 * Return: STATUS_CANCELLED when a fatal signal came.
 */
ntstatus_t wdm_batch_hold(struct wdm_batch *batch, u64 first, u64 last)
{
	if (batch->held) {
		if (first >= batch->first && last <= batch->last &&
		    !wdm_range_wanted(&batch->domain->ranges))
			return STATUS_SUCCESS;
		wdm_batch_unlock(batch);
		wdm_put_list_release(&batch->put_list);
		wdm_put_list_init(&batch->put_list);
	}
	batch->first = min(batch->first, first);
	batch->last = max(batch->last, last);
	return wdm_batch_lock(batch);
}

/* The record tells of it already. */
static ntstatus_t wdm_batch_map_hwpts(struct wdm_batch *batch,
				      const struct wdm_extent *ext)
{
	struct wdm_domain *domain = batch->domain;
	u64 first = ext->first, last = first + ext->nr_pages - 1;
	struct wdm_mapping map = wdm_extent_mapping(ext, domain->pgsize);

	if (!wdm_domain_fits(domain, map.iova, (last << PAGE_SHIFT) | ~PAGE_MASK))
		return STATUS_CONFLICTING_ADDRESSES;
	if (first <= batch->stale_last && last >= batch->stale_first)
		wdm_batch_sync(batch);
	return wdm_hwpts_map(domain, &map);
}

/**
 * wdm_batch_map_extent() - Map what has been checked
 * @batch: the batch, which holds the pages
 * @ext: what to map; the caller holds a reference on the MDL
 *
 * Return: a status; without effect when it fails.
 */
ntstatus_t wdm_batch_map_extent(struct wdm_batch *batch,
				const struct wdm_extent *ext)
{
	struct wdm_domain *domain = batch->domain;
	struct wdm_put_list undo;
	ntstatus_t status;

	status = wdm_record_insert(&domain->record, ext);
	if (!wdm_ok(status))
		return status;

	status = wdm_batch_map_hwpts(batch, ext);
	if (wdm_ok(status))
		return status;

	/* No MDL goes: the caller has a reference. */
	wdm_put_list_init(&undo);
	wdm_record_remove(&domain->record, ext->first,
			  ext->first + ext->nr_pages - 1, false, &undo,
			  GFP_KERNEL | __GFP_NOFAIL);
	if (wdm_hwpts_broken(domain))
		wdm_put_list_leak(&undo);
	wdm_put_list_release(&undo);
	return status;
}

static void wdm_batch_unmap_hwpts(struct wdm_batch *batch, u64 first, u64 last)
{
	struct wdm_domain *domain = batch->domain;
	u64 iova = first << PAGE_SHIFT;
	u64 size = (last - first + 1) << PAGE_SHIFT;
	bool broken = false;
	struct wdm_hwpt *hwpt;

	if (list_empty(&domain->hwpts))
		return;
	if (batch->stale_first > batch->stale_last)
		iommu_iotlb_gather_init(&batch->gather);
	batch->stale_first = min(batch->stale_first, first);
	batch->stale_last = max(batch->stale_last, last);

	/* Few domains have more than one hwpt. */
	list_for_each_entry(hwpt, &domain->hwpts, node) {
		if (list_is_first(&hwpt->node, &domain->hwpts))
			wdm_hwpt_unmap(hwpt, iova, size, &batch->gather);
		else
			wdm_hwpt_unmap_sync(hwpt, iova, size);
		broken |= READ_ONCE(hwpt->broken);
	}
	/* Better a leak than a device in somebody else's memory */
	if (unlikely(broken))
		wdm_put_list_leak(&batch->put_list);
}

/**
 * wdm_batch_remove() - Unmap pages out of which no large page sticks
 * @batch: the batch, which holds the pages
 * @first: the first page number
 * @last: the last one
 * @whole: only if no extent of the record sticks out
 * @gfp: how to allocate memory
 *
 * Return: a status, that of wdm_record_remove() if it fails.
 */
ntstatus_t wdm_batch_remove(struct wdm_batch *batch, u64 first, u64 last,
			    bool whole, gfp_t gfp)
{
	ntstatus_t status;

	status = wdm_record_remove(&batch->domain->record, first, last, whole,
				   &batch->put_list, gfp);
	if (wdm_ok(status))
		wdm_batch_unmap_hwpts(batch, first, last);
	return status;
}

/* A large page may stick out of what is to be unmapped, and has to be split. */
static ntstatus_t wdm_batch_unmap_cut(struct wdm_batch *batch, u64 first,
				      u64 last)
{
	struct wdm_domain *domain = batch->domain;
	u64 span_first, span_last;
	struct wdm_splits splits __uninitialized;
	ntstatus_t status;

	wdm_splits_find(domain, &splits, first, last);
	wdm_splits_span(&splits, &span_first, &span_last);
	if (span_first < batch->first || span_last > batch->last) {
		/* It was not held while it was looked at: begin anew. */
		status = wdm_batch_hold(batch, span_first, span_last);
		return !wdm_ok(status) ? status : STATUS_RESOURCE_IN_USE;
	}
	status = wdm_splits_do(domain, &splits, domain->pgsize);
	if (!wdm_ok(status))
		return status;
	return wdm_batch_remove(batch, first, last, false, GFP_KERNEL_ACCOUNT);
}

static ntstatus_t wdm_batch_unmap_pages(struct wdm_batch *batch, u64 first,
					u64 last)
{
	struct wdm_domain *domain = batch->domain;
	ntstatus_t status;

	do {
		bool whole = domain->pgsize == WDM_PGSIZE_ANY &&
			     !list_empty(&domain->hwpts);

		status = wdm_batch_remove(batch, first, last, whole,
					  GFP_KERNEL_ACCOUNT);
		if (status == STATUS_RESOURCE_IN_USE)
			status = wdm_batch_unmap_cut(batch, first, last);
	} while (status == STATUS_RESOURCE_IN_USE);
	return status;
}

/**
 * wdm_check_perms() - May pages of an MDL be mapped like this?
 * @mdl: the MDL
 * @perms: WDM_READ, WDM_WRITE
 *
 * Return: STATUS_INVALID_PARAMETER_2, STATUS_ACCESS_DENIED.
 */
ntstatus_t wdm_check_perms(const struct wdm_mdl *mdl, u32 perms)
{
	if (!perms || perms & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	if (perms & ~mdl->access)
		return STATUS_ACCESS_DENIED;
	return STATUS_SUCCESS;
}

/**
 * wdm_batch_map() - Map pages of an MDL
 * @batch: the batch
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
ntstatus_t wdm_batch_map(struct wdm_batch *batch, u32 perms,
			 struct wdm_mdl *mdl, u64 mdl_page, u64 nr_pages,
			 u64 logical)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_map);
	struct wdm_extent ext = {
		.first = logical >> PAGE_SHIFT,
		.nr_pages = nr_pages,
		.mdl = mdl,
		.mdl_page = mdl_page,
		.perms = perms,
	};
	ntstatus_t status;

	status = wdm_check_perms(mdl, perms);
	if (!wdm_ok(status))
		return status;
	if (!wdm_pages_has(&mdl->pages, mdl_page, nr_pages))
		return STATUS_INVALID_PARAMETER_3;
	if (!PAGE_ALIGNED(logical) || wdm_pages_wrap(logical, nr_pages))
		return STATUS_INVALID_PARAMETER_4;

	status = wdm_batch_hold(batch, ext.first, ext.first + nr_pages - 1);
	if (wdm_ok(status))
		status = wdm_batch_map_extent(batch, &ext);
	if (trace_wdm_map_enabled())
		trace_wdm_map(batch->domain, logical, nr_pages, perms, status,
			      wdm_trace_ns(begin));
	return status;
}

/**
 * wdm_batch_unmap() - Unmap any range of mapped pages
 * @batch: the batch
 * @logical: where, page aligned
 * @nr_pages: pages
 *
 * Contract: IommuUnmapLogicalRange. All or nothing. The range blocks when the
 * batch has ended.
 *
 * Return: see &struct wdm_iommu_unmap.
 */
ntstatus_t wdm_batch_unmap(struct wdm_batch *batch, u64 logical, u64 nr_pages)
{
	u64 first = logical >> PAGE_SHIFT, last = first + nr_pages - 1;
	u64 begin = WDM_TRACE_BEGIN(wdm_unmap);
	ntstatus_t status;

	if (!PAGE_ALIGNED(logical))
		return STATUS_INVALID_PARAMETER_2;
	if (!nr_pages || wdm_pages_wrap(logical, nr_pages))
		return STATUS_INVALID_PARAMETER_3;

	status = wdm_batch_hold(batch, first, last);
	if (wdm_ok(status))
		status = wdm_batch_unmap_pages(batch, first, last);
	if (trace_wdm_unmap_enabled())
		trace_wdm_unmap(batch->domain, logical, nr_pages, 0, status,
				wdm_trace_ns(begin));
	return status;
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
	struct wdm_batch batch __uninitialized;
	ntstatus_t status;

	status = wdm_batch_begin(&batch, domain, U64_MAX, 0);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_map(&batch, perms, mdl, mdl_page, nr_pages, logical);
	wdm_batch_end(&batch);
	return status;
}

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
	struct wdm_batch batch __uninitialized;
	ntstatus_t status;

	status = wdm_batch_begin(&batch, domain, U64_MAX, 0);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_unmap(&batch, logical, nr_pages);
	wdm_batch_end(&batch);
	return status;
}
