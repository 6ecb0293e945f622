// SPDX-License-Identifier: GPL-2.0
/*
 * Batch: maps and unmaps of a program's OS-managed domain, and tokens. For kernel code,
 * see atomic.c.
 *
 * A batch holds the range of pages that it works on, so batches on disjoint ranges run in
 * parallel. Within the range the mapping table and the hwpts agree whenever the batch
 * yields, so an attach or detach in between finds a consistent state.
 *
 * Unmapped pages stay in the batch's range until the IOTLB is synced: no other call can
 * map a page through which a device may still reach the old memory. The batch itself
 * syncs before it reuses one. So a device never finds two translations of an address,
 * which not all IOMMUs tolerate.
 *
 * Steps that can fail come first. An unmap checks its range and allocates what it needs,
 * and cannot fail after that; nor can the undo of a map, which removes exactly what was
 * inserted.
 */
#include <linux/mm.h>
#include <linux/sizes.h>

#include "../hwpt_set.h"
#include "../split.h"
#include "../trace.h"
#include "batch.h"

/*
 * Maximum number of pages that are mapped or unmapped between two yields. If a large page
 * may span the end of these, a map extends to the end of the largest page, and an unmap to the
 * end of that page.
 */
#define WDM_STEP_PAGES		((u64)SZ_32M >> PAGE_SHIFT)
#define WDM_STEP_MAX_PAGES	WDM_HWPT_STEP_PAGES

/*
 * The same for unmaps of memory that is mostly mapped by large pages. It is short enough
 * even if they turn out to be small: an unmap costs a fraction of a map.
 */
#define WDM_STEP_LARGE_PAGES	((u64)SZ_256M >> PAGE_SHIFT)

/* A run of this many pages is long: a large page can map it. */
#define WDM_RUN_LONG_PAGES	((u64)SZ_2M >> PAGE_SHIFT)

static ntstatus_t wdm_batch_lock(struct wdm_batch *batch)
{
	ntstatus_t status = wdm_range_lock(&batch->domain->ranges, &batch->range,
					   batch->pgno, batch->last_pgno,
					   batch->domain->killable);

	batch->held = wdm_ok(status);
	return status;
}

/* Once this returns, everything unmapped so far blocks. */
static void wdm_batch_sync(struct wdm_batch *batch)
{
	struct wdm_hwpt *hwpt;
	u64 begin;

	if (!batch->nr_stale)
		return;
	begin = WDM_TRACE_BEGIN(wdm_sync);
	hwpt = list_first_entry(&batch->domain->hwpts, struct wdm_hwpt, node);
	iommu_iotlb_sync(hwpt->domain, &batch->gather);
	wdm_hwpts_settle(batch->domain, &batch->put_list);
	batch->nr_syncs++;
	if (trace_wdm_sync_enabled())
		trace_wdm_sync(batch->domain, batch->stale_pgno << PAGE_SHIFT,
			       batch->stale_last_pgno - batch->stale_pgno + 1, 0,
			       STATUS_SUCCESS, wdm_trace_ns(begin));
	batch->nr_stale = 0;
	batch->stale_pgno = U64_MAX;
	batch->stale_last_pgno = 0;
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
 * @pgno: the first page number that the operations will touch
 * @last_pgno: the last page number that they will touch
 *
 * The range is a hint: operations may touch pages beyond it, at the price of another
 * range lock. If nothing is known, @pgno is U64_MAX and @last_pgno 0.
 *
 * Return: STATUS_INVALID_PARAMETER_1 if the domain does not map for its caller; then do
 * not call wdm_batch_end().
 */
ntstatus_t wdm_batch_begin(struct wdm_batch *batch, struct wdm_domain *domain,
			   u64 pgno, u64 last_pgno)
{
	if (!wdm_domain_maps(domain))
		return STATUS_INVALID_PARAMETER_1;
	batch->domain = domain;
	batch->held = false;
	batch->pgno = pgno;
	batch->last_pgno = last_pgno;
	batch->nr_stale = 0;
	batch->stale_pgno = U64_MAX;
	batch->stale_last_pgno = 0;
	batch->nr_maps = 0;
	batch->nr_unmaps = 0;
	batch->nr_syncs = 0;
	wdm_put_list_init(&batch->put_list);
	return STATUS_SUCCESS;
}

/* One atomic operation per batch, not per map */
static void wdm_batch_count(const struct wdm_batch *batch)
{
	struct wdm_counters *counters = &batch->domain->counters;

	if (batch->nr_maps)
		atomic64_add(batch->nr_maps, &counters->maps);
	if (batch->nr_unmaps)
		atomic64_add(batch->nr_unmaps, &counters->unmaps);
	if (batch->nr_syncs)
		atomic64_add(batch->nr_syncs, &counters->syncs);
}

/**
 * wdm_batch_end() - End a batch
 * @batch: the batch
 *
 * When it returns, everything that was unmapped blocks, and its MDLs are released.
 */
void wdm_batch_end(struct wdm_batch *batch)
{
	if (batch->held)
		wdm_batch_unlock(batch);
	wdm_batch_count(batch);
	/* This may unpin, so hold no lock. */
	wdm_put_list_release(&batch->put_list);
}

/**
 * wdm_batch_hold() - Lock pages for the next operations
 * @batch: the batch, between two operations
 * @pgno: the first page number
 * @last_pgno: the last page number
 *
 * Yields to calls that wait to attach or detach: VFIO may be waiting for them, and other
 * users of VFIO for VFIO.
 *
 * Return: STATUS_CANCELLED on a fatal signal.
 */
ntstatus_t wdm_batch_hold(struct wdm_batch *batch, u64 pgno, u64 last_pgno)
{
	if (batch->held) {
		if (pgno >= batch->pgno && last_pgno <= batch->last_pgno &&
		    !wdm_range_wanted(&batch->domain->ranges))
			return STATUS_SUCCESS;
		wdm_batch_unlock(batch);
		wdm_put_list_release(&batch->put_list);
		wdm_put_list_init(&batch->put_list);
	}
	batch->pgno = min(batch->pgno, pgno);
	batch->last_pgno = max(batch->last_pgno, last_pgno);
	return wdm_batch_lock(batch);
}

/* Allocate pages, with attaches kept out. */
static ntstatus_t wdm_batch_find(struct wdm_batch *batch, struct wdm_iova_block *block,
				 u64 nr_pages, const struct wdm_limits *limits,
				 enum wdm_iova_kind kind)
{
	struct wdm_domain *domain = batch->domain;
	struct wdm_range none;
	ntstatus_t status;

	if (batch->held)
		return wdm_iova_alloc(domain, block, nr_pages, limits, kind);
	status = wdm_domain_lock(domain, &none);
	if (!wdm_ok(status))
		return status;
	status = wdm_iova_alloc(domain, block, nr_pages, limits, kind);
	wdm_domain_unlock(domain, &none);
	return status;
}

/**
 * wdm_batch_alloc() - Allocate pages, and lock them
 * @batch: the batch, between two operations
 * @block: takes the pages
 * @nr_pages: number of pages, at least 1
 * @limits: limits for the address
 * @kind: what the pages are for
 *
 * Return: as wdm_iova_alloc(), or STATUS_CANCELLED.
 */
ntstatus_t wdm_batch_alloc(struct wdm_batch *batch, struct wdm_iova_block *block,
			   u64 nr_pages, const struct wdm_limits *limits,
			   enum wdm_iova_kind kind)
{
	u64 last_pgno;
	ntstatus_t status;

	for (;;) {
		status = wdm_batch_find(batch, block, nr_pages, limits, kind);
		if (!wdm_ok(status))
			return status;
		last_pgno = block->first + nr_pages - 1;
		status = wdm_batch_hold(batch, block->first, last_pgno);
		/* A device attached before the lock was taken may not allow them. */
		if (wdm_ok(status) &&
		    wdm_domain_fits(batch->domain, block->first << PAGE_SHIFT,
				    (last_pgno << PAGE_SHIFT) | ~PAGE_MASK))
			return status;
		wdm_iova_drop(batch->domain, block);
		if (!wdm_ok(status))
			return status;
	}
}

/**
 * wdm_batch_yield() - Yield in the middle of an operation
 * @batch: the batch, which holds its range; the mapping table and the hwpts agree
 *
 * Lets urgent waiters, which detach or revoke, and other tasks run. The pages stay
 * locked against all others.
 *
 * Return: STATUS_CANCELLED on a fatal signal; an operation that can no longer be undone
 * ignores it.
 */
ntstatus_t wdm_batch_yield(struct wdm_batch *batch)
{
	struct wdm_domain *domain = batch->domain;

	cond_resched();
	if (wdm_range_urgent(&domain->ranges)) {
		/* Sync now, as a detach may free the hwpt. */
		wdm_batch_sync(batch);
		wdm_range_yield(&domain->ranges, &batch->range);
	}
	return wdm_domain_cancelled(domain) ? STATUS_CANCELLED : STATUS_SUCCESS;
}

/* Map one step. */
static ntstatus_t wdm_batch_map_step(struct wdm_batch *batch,
				     const struct wdm_extent *ext)
{
	struct wdm_domain *domain = batch->domain;
	ntstatus_t status;

	status = wdm_mappings_insert(&domain->mappings, ext, GFP_KERNEL_ACCOUNT);
	if (!wdm_ok(status))
		return status;
	if (ext->pgno <= batch->stale_last_pgno &&
	    wdm_extent_end(ext) - 1 >= batch->stale_pgno)
		wdm_batch_sync(batch);
	return wdm_hwpts_map_extent(domain, ext);
}

/* Check whether any hwpt maps a long contiguous run by small pages only. */
static bool wdm_run_maps_small(const struct wdm_domain *domain, u64 pgno, u64 pfn)
{
	const struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		if (domain->pgsize == WDM_PGSIZE_MIN ||
		    wdm_hwpt_maps_small(hwpt, pgno << PAGE_SHIFT, PFN_PHYS(pfn)))
			return true;
	return false;
}

/* Get the number of pages of the next step, so that no large page spans its end. */
static u64 wdm_map_step(const struct wdm_domain *domain, const struct wdm_extent *ext)
{
	const u64 max = WDM_STEP_MAX_PAGES, few = WDM_STEP_PAGES;
	u64 pfn, nr = min(ext->nr_pages, max - (ext->pgno & (max - 1)));

	if (nr <= few ||
	    (wdm_pages_run(&ext->mdl->pages, ext->mdl_page, nr, &pfn) == nr &&
	     !wdm_run_maps_small(domain, ext->pgno, pfn)))
		return nr;
	return few - (ext->pgno & (few - 1));
}

/**
 * wdm_batch_check_unmap() - Check that pages can be unmapped by address
 * @batch: the batch, which holds the pages
 * @pgno: the first page number
 * @last_pgno: the last page number
 *
 * Return: STATUS_RESOURCE_IN_USE if a token or a fixed region has one of the pages,
 * STATUS_CANCELLED.
 */
ntstatus_t wdm_batch_check_unmap(struct wdm_batch *batch, u64 pgno, u64 last_pgno)
{
	struct wdm_domain *domain = batch->domain;
	ntstatus_t status = STATUS_SUCCESS;

	if (!wdm_iova_space_used(&domain->space))
		return status;
	while (wdm_ok(status) && pgno <= last_pgno) {
		status = wdm_iova_check_unmap(domain, &pgno, last_pgno);
		if (wdm_ok(status))
			status = wdm_batch_yield(batch);
	}
	return status;
}

/**
 * wdm_batch_prepare() - Check that pages are mapped, and prepare to remove them
 * @batch: the batch, which holds the pages
 * @pgno: the first page number
 * @last_pgno: the last page number
 *
 * The caller rolls the put list back on failure, and if wdm_batch_remove() does not
 * follow.
 *
 * Return: STATUS_NOT_FOUND if a page is not mapped, STATUS_CANCELLED,
 * STATUS_WORKING_SET_QUOTA, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_batch_prepare(struct wdm_batch *batch, u64 pgno, u64 last_pgno)
{
	ntstatus_t status;

	for (;;) {
		status = wdm_mappings_prepare(&batch->domain->mappings, &pgno,
					      last_pgno, &batch->put_list,
					      GFP_KERNEL_ACCOUNT);
		if (!wdm_ok(status) || pgno > last_pgno)
			return status;
		status = wdm_batch_yield(batch);
		if (!wdm_ok(status))
			return status;
	}
}

static void wdm_batch_unmap_hwpts(struct wdm_batch *batch, u64 pgno, u64 last_pgno)
{
	struct wdm_domain *domain = batch->domain;
	u64 size = (last_pgno - pgno + 1) << PAGE_SHIFT;
	u64 iova = pgno << PAGE_SHIFT;
	struct wdm_hwpt *hwpt;

	if (list_empty(&domain->hwpts))
		return;
	if (!batch->nr_stale)
		iommu_iotlb_gather_init(&batch->gather);
	batch->nr_stale += last_pgno - pgno + 1;
	batch->stale_pgno = min(batch->stale_pgno, pgno);
	batch->stale_last_pgno = max(batch->stale_last_pgno, last_pgno);

	/* The first hwpt gathers; others are rare. */
	list_for_each_entry(hwpt, &domain->hwpts, node) {
		if (list_is_first(&hwpt->node, &domain->hwpts))
			wdm_hwpt_unmap(hwpt, iova, size, &batch->gather);
		else
			wdm_hwpt_unmap_sync(hwpt, iova, size);
	}
	if (batch->nr_stale >= WDM_HWPT_STALE_PAGES)
		wdm_batch_sync(batch);
}

/*
 * Get the end of the pages from @pgno on, up to @end, that are one span of the mapping table
 * and consist of long runs. The first of them stands for all: it is aligned to large pages.
 */
static u64 wdm_long_runs_end(struct wdm_domain *domain, u64 pgno, u64 end)
{
	const struct wdm_pages *pages;
	struct wdm_extent ext;
	u32 run = 0, last;
	u64 page, pfn;

	if (!wdm_mappings_at(&domain->mappings, pgno, &ext))
		return pgno;
	end = min(end, wdm_extent_end(&ext));
	pages = &ext.mdl->pages;
	page = ext.mdl_page + (pgno - ext.pgno);
	pfn = wdm_pages_pfn(pages, page, &run);
	last = wdm_pages_find(pages, page + (end - pgno) - 1);
	return (last - run) * WDM_RUN_LONG_PAGES > end - pgno ||
	       wdm_run_maps_small(domain, pgno, pfn) ? pgno : end;
}

/* Get the last page of the next step, so that no large page spans its end. */
static u64 wdm_unmap_step(struct wdm_batch *batch, u64 pgno, u64 last_pgno)
{
	u64 end = (pgno | (WDM_STEP_PAGES - 1)) + 1, long_end;

	if (end > last_pgno)
		return last_pgno;
	long_end = wdm_long_runs_end(batch->domain, pgno,
				     min(pgno | (WDM_STEP_LARGE_PAGES - 1), last_pgno) + 1);
	if (long_end > last_pgno)
		return last_pgno;
	end = max(end, ALIGN_DOWN(long_end, WDM_STEP_PAGES));
	return min(last_pgno, wdm_split_end(batch->domain, end) - 1);
}

/**
 * wdm_batch_remove() - Unmap pages
 * @batch: the batch, which holds the pages
 * @pgno: the first page number
 * @last_pgno: the last page number; see wdm_mappings_remove(). No large page extends
 *	beyond the range
 */
void wdm_batch_remove(struct wdm_batch *batch, u64 pgno, u64 last_pgno)
{
	u64 step_last;

	for (;;) {
		step_last = wdm_unmap_step(batch, pgno, last_pgno);
		wdm_mappings_remove(&batch->domain->mappings, pgno, step_last);
		wdm_batch_unmap_hwpts(batch, pgno, step_last);
		if (step_last == last_pgno)
			return;
		wdm_batch_yield(batch);
		pgno = step_last + 1;
	}
}

/**
 * wdm_batch_undo() - Drop the uses of pages of a map that has failed
 * @batch: the batch, which holds the pages; wdm_batch_remove() has unmapped them
 * @mdl: the MDL, to which the caller has a reference
 * @nr_pages: number of pages
 *
 * Does not add to the put list, which would release pages of an MDL that is mapped once:
 * they still belong to the caller. But the list records whether a hwpt was broken, even one
 * that was dropped at a yield.
 */
void wdm_batch_undo(struct wdm_batch *batch, struct wdm_mdl *mdl, u64 nr_pages)
{
	wdm_batch_sync(batch);
	if (!batch->put_list.leak)
		wdm_mdl_unuse(mdl, nr_pages);
}

/* Out of line, as the copy of the extent makes the stack frame of each map larger. */
static noinline ntstatus_t wdm_batch_map_steps(struct wdm_batch *batch,
					       const struct wdm_extent *ext)
{
	struct wdm_extent step = *ext;
	ntstatus_t status;
	u64 done = 0;

	for (;;) {
		step.nr_pages = ext->nr_pages - done;
		step.nr_pages = wdm_map_step(batch->domain, &step);
		status = wdm_batch_map_step(batch, &step);
		if (!wdm_ok(status))
			break;
		done += step.nr_pages;
		if (done == ext->nr_pages)
			return STATUS_SUCCESS;
		status = wdm_batch_yield(batch);
		if (!wdm_ok(status))
			break;
		step.pgno += step.nr_pages;
		step.mdl_page += step.nr_pages;
	}
	if (done) {
		wdm_batch_remove(batch, ext->pgno, ext->pgno + done - 1);
		wdm_batch_undo(batch, ext->mdl, done);
	}
	return status;
}

/**
 * wdm_batch_map_extent() - Map an extent whose parameters have been checked
 * @batch: the batch, which holds the pages
 * @ext: what to map; the caller has a reference to the MDL
 *
 * Return: a status; has no effect on failure.
 */
ntstatus_t wdm_batch_map_extent(struct wdm_batch *batch,
				const struct wdm_extent *ext)
{
	if (likely(wdm_map_step(batch->domain, ext) == ext->nr_pages))
		return wdm_batch_map_step(batch, ext);
	return wdm_batch_map_steps(batch, ext);
}

/* Find the large pages that extend beyond a range, and hold all of their pages. */
static ntstatus_t wdm_batch_find_splits(struct wdm_batch *batch, u64 pgno,
					u64 last_pgno, struct wdm_splits *splits)
{
	u64 span_pgno, span_last_pgno;
	ntstatus_t status;

	for (;;) {
		wdm_splits_find(batch->domain, splits, pgno, last_pgno);
		wdm_splits_span(splits, &span_pgno, &span_last_pgno);
		if (span_pgno >= batch->pgno && span_last_pgno <= batch->last_pgno)
			return STATUS_SUCCESS;
		/* They were found without being held: look again. */
		status = wdm_batch_hold(batch, span_pgno, span_last_pgno);
		if (!wdm_ok(status))
			return status;
	}
}

/* Out of line, to keep the splits out of the stack frame of each unmap */
static noinline ntstatus_t wdm_batch_unmap_steps(struct wdm_batch *batch, u64 pgno,
						 u64 last_pgno)
{
	struct wdm_domain *domain = batch->domain;
	struct wdm_put_list_checkpoint checkpoint;
	struct wdm_splits splits;
	ntstatus_t status;

	status = wdm_batch_find_splits(batch, pgno, last_pgno, &splits);
	/* A token may have been created before the pages were held. */
	if (wdm_ok(status))
		status = wdm_batch_check_unmap(batch, pgno, last_pgno);
	if (!wdm_ok(status))
		return status;
	wdm_put_list_checkpoint(&batch->put_list, &checkpoint);
	status = wdm_batch_prepare(batch, pgno, last_pgno);
	if (wdm_ok(status))
		status = wdm_splits_do(domain, &splits, domain->pgsize);
	if (wdm_ok(status))
		wdm_batch_remove(batch, pgno, last_pgno);
	else
		wdm_put_list_rollback(&batch->put_list, &checkpoint);
	return status;
}

/* Unmap pages that belong to no token and no reserved region. */
static ntstatus_t wdm_batch_unmap_free(struct wdm_batch *batch, u64 pgno, u64 last_pgno)
{
	struct wdm_domain *domain = batch->domain;

	if (!wdm_mappings_take_few(&domain->mappings, pgno, last_pgno,
				   domain->pgsize == WDM_PGSIZE_ANY &&
				   !list_empty(&domain->hwpts), &batch->put_list))
		return wdm_batch_unmap_steps(batch, pgno, last_pgno);
	wdm_batch_unmap_hwpts(batch, pgno, last_pgno);
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_batch_unmap_pages(struct wdm_batch *batch, u64 pgno,
					u64 last_pgno)
{
	ntstatus_t status = wdm_batch_check_unmap(batch, pgno, last_pgno);

	if (wdm_ok(status))
		status = wdm_batch_unmap_free(batch, pgno, last_pgno);
	/* The next user of the addresses waits for the batch, and so for its sync. */
	if (wdm_ok(status) && wdm_iova_space_allocates(&batch->domain->space))
		while (wdm_iova_unmapped(batch->domain, &pgno, last_pgno))
			wdm_batch_yield(batch);
	return status;
}

/**
 * wdm_check_map() - Check the permissions and the pages of a map
 * @perms: WDM_READ, WDM_WRITE
 * @range: the pages of an MDL
 *
 * Return: STATUS_INVALID_PARAMETER_2 for @perms, STATUS_INVALID_PARAMETER_3 for @range,
 * STATUS_ACCESS_DENIED if the MDL does not allow @perms.
 */
ntstatus_t wdm_check_map(u32 perms, const struct wdm_mdl_range *range)
{
	if (!perms || perms & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	if (perms & ~range->mdl->access)
		return STATUS_ACCESS_DENIED;
	return wdm_mdl_range_exists(range) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
}

/**
 * wdm_batch_map() - Map pages of an MDL
 * @batch: the batch
 * @perms: WDM_READ, WDM_WRITE
 * @range: the pages of an MDL
 * @iova: first address, page aligned
 *
 * Contract: IommuMapLogicalRange. All or nothing.
 *
 * Return: see &struct wdm_iommu_map.
 */
ntstatus_t wdm_batch_map(struct wdm_batch *batch, u32 perms,
			 const struct wdm_mdl_range *range, u64 iova)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_map);
	struct wdm_extent ext = wdm_range_extent(range, iova >> PAGE_SHIFT, perms);
	ntstatus_t status;

	status = wdm_check_map(perms, range);
	if (!wdm_ok(status))
		return status;
	if (wdm_iova_space_allocates(&batch->domain->space))
		return STATUS_NOT_SUPPORTED;
	if (!PAGE_ALIGNED(iova) || wdm_pages_wrap(iova, range->nr_pages))
		return STATUS_INVALID_PARAMETER_4;

	status = wdm_batch_hold(batch, ext.pgno, wdm_extent_end(&ext) - 1);
	if (wdm_ok(status))
		status = wdm_batch_check_map(batch, ext.pgno, wdm_extent_end(&ext) - 1);
	if (wdm_ok(status))
		status = wdm_batch_map_extent(batch, &ext);
	batch->nr_maps += wdm_ok(status);
	if (trace_wdm_map_enabled())
		trace_wdm_map(batch->domain, iova, ext.nr_pages, perms, status,
			      wdm_trace_ns(begin));
	return status;
}

/* Map at an address that has been allocated for the extent. */
static ntstatus_t wdm_batch_map_block(struct wdm_batch *batch, struct wdm_extent *ext,
				      const struct wdm_limits *limits)
{
	struct wdm_domain *domain = batch->domain;
	struct wdm_iova_block *block;
	ntstatus_t status;

	status = wdm_iova_block_create(domain, GFP_KERNEL_ACCOUNT, &block);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_alloc(batch, block, ext->nr_pages, limits,
				 WDM_IOVA_ALLOCATED);
	if (wdm_ok(status)) {
		ext->pgno = block->first;
		status = wdm_batch_map_extent(batch, ext);
		if (wdm_ok(status))
			return status;
		wdm_iova_drop(domain, block);
	}
	wdm_iova_block_destroy(domain, block);
	return status;
}

/**
 * wdm_batch_map_alloc() - Map pages of an MDL at an allocated address
 * @batch: the batch
 * @perms: WDM_READ, WDM_WRITE
 * @range: the pages of an MDL
 * @limits: limits for the address
 * @iova: out: the address
 *
 * Contract: IommuMapLogicalRangeEx, in a domain with an allocator. All or nothing. The
 * allocator rounds the number of pages up to a power of two and aligns the address to
 * it; the pages added by rounding stay unused. The address goes back to the allocator
 * when its last page is unmapped.
 *
 * Return:
 * * STATUS_INVALID_PARAMETER_2: @perms
 * * STATUS_INVALID_PARAMETER_3: @range
 * * STATUS_NOT_SUPPORTED: the domain has no allocator
 * * STATUS_INVALID_PARAMETER_MIX: no space within @limits, if they are given
 * * STATUS_ACCESS_DENIED: the MDL does not allow @perms
 * * STATUS_INSUFFICIENT_RESOURCES: out of memory, or no space at all
 * * STATUS_WORKING_SET_QUOTA, STATUS_CANCELLED
 */
ntstatus_t wdm_batch_map_alloc(struct wdm_batch *batch, u32 perms,
			       const struct wdm_mdl_range *range,
			       const struct wdm_limits *limits, u64 *iova)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_map);
	struct wdm_extent ext = wdm_range_extent(range, 0, perms);
	ntstatus_t status;

	status = wdm_check_map(perms, range);
	if (!wdm_ok(status))
		return status;
	if (!wdm_iova_space_allocates(&batch->domain->space))
		return STATUS_NOT_SUPPORTED;
	if (limits->min > limits->max)
		return STATUS_INVALID_PARAMETER_MIX;

	status = wdm_batch_map_block(batch, &ext, limits);
	batch->nr_maps += wdm_ok(status);
	if (wdm_ok(status))
		*iova = ext.pgno << PAGE_SHIFT;
	if (trace_wdm_map_enabled())
		trace_wdm_map(batch->domain, ext.pgno << PAGE_SHIFT, ext.nr_pages, perms,
			      status, wdm_trace_ns(begin));
	return status;
}

/**
 * wdm_batch_unmap() - Unmap any range of mapped pages
 * @batch: the batch
 * @iova: first address, page aligned
 * @nr_pages: number of pages
 *
 * Contract: IommuUnmapLogicalRange. All or nothing. The range blocks once the batch has
 * ended.
 *
 * Return: see &struct wdm_iommu_unmap.
 */
ntstatus_t wdm_batch_unmap(struct wdm_batch *batch, u64 iova, u64 nr_pages)
{
	u64 pgno = iova >> PAGE_SHIFT, last_pgno = pgno + nr_pages - 1;
	u64 begin = WDM_TRACE_BEGIN(wdm_unmap);
	ntstatus_t status;

	if (!PAGE_ALIGNED(iova))
		return STATUS_INVALID_PARAMETER_2;
	if (!nr_pages || wdm_pages_wrap(iova, nr_pages))
		return STATUS_INVALID_PARAMETER_3;

	status = wdm_batch_hold(batch, pgno, last_pgno);
	if (wdm_ok(status))
		status = wdm_batch_unmap_pages(batch, pgno, last_pgno);
	batch->nr_unmaps += wdm_ok(status);
	if (trace_wdm_unmap_enabled())
		trace_wdm_unmap(batch->domain, iova, nr_pages, 0, status,
				wdm_trace_ns(begin));
	return status;
}

/**
 * wdm_domain_map() - Map pages of an MDL
 * @domain: the domain
 * @perms: WDM_READ, WDM_WRITE
 * @range: the pages of an MDL
 * @iova: first address, page aligned
 *
 * Contract: IommuMapLogicalRange. All or nothing.
 *
 * Return: see &struct wdm_iommu_map.
 */
ntstatus_t wdm_domain_map(struct wdm_domain *domain, u32 perms,
			  const struct wdm_mdl_range *range, u64 iova)
{
	/* Large, and wdm_batch_begin() sets every member that is read */
	struct wdm_batch batch __uninitialized;
	ntstatus_t status;

	status = wdm_batch_begin(&batch, domain, U64_MAX, 0);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_map(&batch, perms, range, iova);
	wdm_batch_end(&batch);
	return status;
}

/**
 * wdm_domain_map_alloc() - Map pages of an MDL at an allocated address
 * @domain: the domain
 * @perms: see wdm_batch_map_alloc()
 * @range: likewise
 * @limits: likewise
 * @iova: likewise
 *
 * Return: as wdm_batch_map_alloc(); STATUS_INVALID_PARAMETER_1 if the domain does not map
 * for its caller.
 */
ntstatus_t wdm_domain_map_alloc(struct wdm_domain *domain, u32 perms,
				const struct wdm_mdl_range *range,
				const struct wdm_limits *limits, u64 *iova)
{
	struct wdm_batch batch;
	ntstatus_t status;

	status = wdm_batch_begin(&batch, domain, U64_MAX, 0);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_map_alloc(&batch, perms, range, limits, iova);
	wdm_batch_end(&batch);
	return status;
}

/**
 * wdm_domain_unmap() - Unmap any range of mapped pages
 * @domain: the domain
 * @iova: first address, page aligned
 * @nr_pages: number of pages
 *
 * Contract: IommuUnmapLogicalRange. All or nothing; when it returns, the range blocks.
 * A large page that extends beyond the range is split first, and all of it blocks for a
 * moment.
 *
 * Return: see &struct wdm_iommu_unmap.
 */
ntstatus_t wdm_domain_unmap(struct wdm_domain *domain, u64 iova, u64 nr_pages)
{
	struct wdm_batch batch __uninitialized;
	ntstatus_t status;

	status = wdm_batch_begin(&batch, domain, U64_MAX, 0);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_unmap(&batch, iova, nr_pages);
	wdm_batch_end(&batch);
	return status;
}
