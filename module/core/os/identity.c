// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains: identity maps, of pages at their physical addresses.
 */
#include <linux/mm.h>

#include "../split.h"
#include "batch.h"
#include "identity.h"

/*
 * Get the run of a range from page @done on as the extent that maps it at its physical
 * address. Return false at the end of the range.
 */
static bool wdm_identity_run(const struct wdm_mdl_range *range, u64 done, u32 perms,
			     struct wdm_extent *run)
{
	u64 page = range->page + done;

	if (done == range->nr_pages)
		return false;
	*run = (struct wdm_extent) { .mdl = range->mdl, .mdl_page = page, .perms = perms };
	run->nr_pages = wdm_pages_run(&range->mdl->pages, page, range->nr_pages - done,
				      &run->pgno);
	return true;
}

/* The runs may lie anywhere, so hold all page numbers. */
static ntstatus_t wdm_identity_begin(struct wdm_batch *batch,
				     struct wdm_domain *domain)
{
	if (wdm_iova_space_allocates(&domain->space))
		return STATUS_NOT_SUPPORTED;
	return wdm_batch_begin_held(batch, domain, 0, U64_MAX >> PAGE_SHIFT);
}

/* Remove the mapped pages of a run. They are prepared, so this needs no memory. */
static void wdm_identity_remove(struct wdm_batch *batch, const struct wdm_extent *run)
{
	struct wdm_mappings *mappings = &batch->domain->mappings;
	u64 pgno, last_pgno, run_last = wdm_extent_end(run) - 1;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent ext = { .pgno = run->pgno };

	/* A page that occurs twice in the MDL has been removed the first time. */
	while (wdm_mappings_next(mappings, run_last, &ext)) {
		last_pgno = wdm_extent_end(&ext) - 1;
		for (pgno = ext.pgno; wdm_ok(status) && pgno <= last_pgno;)
			status = wdm_mappings_prepare(mappings, &pgno, last_pgno,
						      &batch->put_list, GFP_KERNEL);
		if (WARN_ON_ONCE(!wdm_ok(status)))
			return;
		wdm_batch_remove(batch, ext.pgno, last_pgno);
	}
}

static void wdm_identity_remove_runs(struct wdm_batch *batch,
				     const struct wdm_mdl_range *range)
{
	struct wdm_extent run;
	u64 done;

	for (done = 0; wdm_identity_run(range, done, 0, &run); done += run.nr_pages) {
		wdm_identity_remove(batch, &run);
		wdm_batch_yield(batch);
	}
}

/* Unmap the runs that were mapped before one that cannot be. */
static void wdm_identity_undo_runs(struct wdm_batch *batch,
				   const struct wdm_mdl_range *range)
{
	struct wdm_extent run;
	u64 done;

	for (done = 0; wdm_identity_run(range, done, 0, &run); done += run.nr_pages) {
		wdm_batch_remove(batch, run.pgno, wdm_extent_end(&run) - 1);
		wdm_batch_yield(batch);
	}
	wdm_batch_undo(batch, range->mdl, done);
}

static ntstatus_t wdm_identity_map_runs(struct wdm_batch *batch, u32 perms,
					const struct wdm_mdl_range *range)
{
	struct wdm_mdl_range mapped = *range;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent run;
	u64 done;

	for (done = 0; wdm_identity_run(range, done, perms, &run); done += run.nr_pages) {
		status = wdm_batch_yield(batch);
		if (wdm_ok(status))
			status = wdm_batch_check_map(batch, run.pgno,
						     wdm_extent_end(&run) - 1);
		if (wdm_ok(status))
			status = wdm_batch_map_extent(batch, &run);
		if (!wdm_ok(status))
			break;
	}
	if (!wdm_ok(status)) {
		mapped.nr_pages = done;
		wdm_identity_undo_runs(batch, &mapped);
	}
	return status;
}

/**
 * wdm_domain_map_identity() - Map pages of an MDL at their physical addresses
 * @domain: the domain
 * @perms: WDM_READ, WDM_WRITE
 * @range: the pages of an MDL; the caller is privileged to do this
 *
 * Contract: IommuMapIdentityRange. All or nothing.
 *
 * Return: see &struct wdm_iommu_map.
 */
ntstatus_t wdm_domain_map_identity(struct wdm_domain *domain, u32 perms,
				   const struct wdm_mdl_range *range)
{
	struct wdm_batch batch;
	ntstatus_t status;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	status = wdm_check_map(perms, range);
	if (!wdm_ok(status))
		return status;
	if (domain->type == WDM_TYPE_PASS_THROUGH)
		return STATUS_SUCCESS;

	status = wdm_identity_begin(&batch, domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_identity_map_runs(&batch, perms, range);
	batch.nr_maps += wdm_ok(status);
	wdm_batch_end(&batch);
	return status;
}

/* Check that each page of a run is mapped at its physical address. */
static bool wdm_is_identity(struct wdm_domain *domain, const struct wdm_extent *run)
{
	u64 pfn, pgno = run->pgno, end = wdm_extent_end(run);
	struct wdm_extent ext;

	while (pgno < end) {
		if (!wdm_mappings_find(&domain->mappings, pgno, end - 1, &ext) ||
		    ext.pgno != pgno)
			return false;
		pgno += wdm_pages_run(&ext.mdl->pages, ext.mdl_page, ext.nr_pages,
				      &pfn);
		if (pfn != ext.pgno)
			return false;
	}
	return true;
}

static ntstatus_t wdm_identity_check_runs(struct wdm_batch *batch,
					  const struct wdm_mdl_range *range)
{
	struct wdm_extent run;
	ntstatus_t status;
	u64 done;

	for (done = 0; wdm_identity_run(range, done, 0, &run); done += run.nr_pages) {
		status = wdm_batch_check_unmap(batch, run.pgno,
					       wdm_extent_end(&run) - 1);
		if (!wdm_ok(status))
			return status;
		if (!wdm_is_identity(batch->domain, &run))
			return STATUS_NOT_FOUND;
		status = wdm_batch_yield(batch);
		if (!wdm_ok(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/*
 * Perform everything that can fail, without changing what is mapped. Split into 4 KiB
 * pages: larger ones might span the cuts of the next run.
 */
static ntstatus_t wdm_identity_prepare_runs(struct wdm_batch *batch,
					    const struct wdm_mdl_range *range)
{
	struct wdm_domain *domain = batch->domain;
	struct wdm_put_list_checkpoint checkpoint;
	struct wdm_splits splits;
	struct wdm_extent run;
	ntstatus_t status = STATUS_SUCCESS;
	u64 done;

	wdm_put_list_checkpoint(&batch->put_list, &checkpoint);
	for (done = 0; wdm_ok(status) && wdm_identity_run(range, done, 0, &run);
	     done += run.nr_pages) {
		status = wdm_batch_yield(batch);
		if (wdm_ok(status))
			status = wdm_batch_prepare(batch, run.pgno,
						   wdm_extent_end(&run) - 1);
		if (!wdm_ok(status))
			break;
		wdm_splits_find(domain, &splits, run.pgno, wdm_extent_end(&run) - 1);
		status = wdm_splits_do(domain, &splits, WDM_PGSIZE_MIN);
	}
	/* The list keeps its capacity for the removal, which adds the pages again. */
	wdm_put_list_rollback(&batch->put_list, &checkpoint);
	return status;
}

/**
 * wdm_domain_unmap_identity() - Undo wdm_domain_map_identity()
 * @domain: the domain
 * @range: the pages of an MDL; the caller is privileged to do this
 *
 * Contract: IommuUnmapIdentityRange. All or nothing.
 *
 * Return: see &struct wdm_iommu_unmap_identity.
 */
ntstatus_t wdm_domain_unmap_identity(struct wdm_domain *domain,
				     const struct wdm_mdl_range *range)
{
	struct wdm_batch batch;
	ntstatus_t status;

	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!wdm_mdl_range_exists(range))
		return STATUS_INVALID_PARAMETER_2;
	if (domain->type == WDM_TYPE_PASS_THROUGH)
		return STATUS_SUCCESS;

	status = wdm_identity_begin(&batch, domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_identity_check_runs(&batch, range);
	if (wdm_ok(status))
		status = wdm_identity_prepare_runs(&batch, range);
	if (wdm_ok(status))
		wdm_identity_remove_runs(&batch, range);
	batch.nr_unmaps += wdm_ok(status);
	wdm_batch_end(&batch);
	return status;
}
