// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains: maps of pages at their own physical addresses.
 */
#include <linux/mm.h>

#include "batch.h"
#include "identity.h"
#include "split.h"

/* The next run of an MDL, as the extent that maps it at its own addresses. */
static void wdm_identity_extent(struct wdm_mdl *mdl, u64 mdl_page, u64 nr_pages,
				u32 perms, struct wdm_extent *ext)
{
	ext->mdl = mdl;
	ext->mdl_page = mdl_page;
	ext->nr_pages = wdm_pages_run(&mdl->pages, mdl_page, nr_pages, &ext->first);
	ext->perms = perms;
}

/* Is each of these pages mapped at its physical address? */
static bool wdm_is_identity(struct wdm_domain *domain, u64 first, u64 last)
{
	struct wdm_extent ext;
	u64 pfn, pages;
	bool same = true;

	wdm_record_lock(&domain->record);
	while (same && first <= last) {
		same = wdm_record_next(&domain->record, first, last, &ext) &&
		       ext.first == first;
		if (!same)
			break;
		pages = wdm_pages_run(&ext.mdl->pages, ext.mdl_page, ext.nr_pages, &pfn);
		same = pfn == first;
		first += pages;
	}
	wdm_record_unlock(&domain->record);
	return same;
}

/* The pages may lie anywhere: everything else waits. */
static ntstatus_t wdm_identity_begin(struct wdm_batch *batch,
				     struct wdm_domain *domain)
{
	ntstatus_t status;

	status = wdm_batch_begin(batch, domain, 0, U64_MAX);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_hold(batch, 0, U64_MAX);
	if (!wdm_ok(status))
		wdm_batch_end(batch);
	return status;
}

/*
 * Unmap what is known to be mapped; but pages that an MDL has twice are not there
 * the second time.
 */
static void wdm_unmap_mapped(struct wdm_batch *batch,
			     const struct wdm_extent *ext)
{
	u64 page, end = ext->first + ext->nr_pages;

	if (wdm_ok(wdm_batch_remove(batch, ext->first, end - 1, false,
				    GFP_KERNEL | __GFP_NOFAIL)))
		return;
	for (page = ext->first; page < end; page++) {
		wdm_batch_remove(batch, page, page, false,
				 GFP_KERNEL | __GFP_NOFAIL);
		cond_resched();
	}
}

/* Everything is held. */
static ntstatus_t wdm_map_identity_locked(struct wdm_batch *batch, u32 perms,
					  struct wdm_mdl *mdl, u64 mdl_page,
					  u64 nr_pages)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent ext;
	u64 done, undone;

	for (done = 0; done < nr_pages; done += ext.nr_pages) {
		wdm_identity_extent(mdl, mdl_page + done, nr_pages - done,
				    perms, &ext);
		status = wdm_domain_cancelled(batch->domain) ? STATUS_CANCELLED :
			 wdm_batch_map_extent(batch, &ext);
		if (!wdm_ok(status))
			break;
	}
	if (wdm_ok(status))
		return status;

	for (undone = 0; undone < done; undone += ext.nr_pages) {
		wdm_identity_extent(mdl, mdl_page + undone, done - undone,
				    perms, &ext);
		wdm_unmap_mapped(batch, &ext);
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
	struct wdm_batch batch __uninitialized;
	ntstatus_t status;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	status = wdm_check_perms(mdl, perms);
	if (!wdm_ok(status))
		return status;
	if (!wdm_pages_has(&mdl->pages, mdl_page, nr_pages))
		return STATUS_INVALID_PARAMETER_3;

	status = wdm_identity_begin(&batch, domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_map_identity_locked(&batch, perms, mdl, mdl_page,
					 nr_pages);
	wdm_batch_end(&batch);
	return status;
}

/* Everything is held. */
static ntstatus_t wdm_unmap_identity_locked(struct wdm_batch *batch,
					    struct wdm_mdl *mdl, u64 mdl_page,
					    u64 nr_pages)
{
	struct wdm_domain *domain = batch->domain;
	struct wdm_splits splits;
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
		wdm_splits_find(domain, &splits, ext.first,
				ext.first + ext.nr_pages - 1);
		status = wdm_splits_do(domain, &splits, WDM_PGSIZE_MIN);
		if (!wdm_ok(status))
			return status;
	}

	for (done = 0; done < nr_pages; done += ext.nr_pages) {
		wdm_identity_extent(mdl, mdl_page + done, nr_pages - done, 0,
				    &ext);
		wdm_unmap_mapped(batch, &ext);
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
	struct wdm_batch batch __uninitialized;
	ntstatus_t status;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!wdm_pages_has(&mdl->pages, mdl_page, nr_pages))
		return STATUS_INVALID_PARAMETER_2;

	status = wdm_identity_begin(&batch, domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_unmap_identity_locked(&batch, mdl, mdl_page, nr_pages);
	wdm_batch_end(&batch);
	return status;
}
