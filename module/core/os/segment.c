// SPDX-License-Identifier: GPL-2.0
/*
 * Segments: pages that are mapped in a token, without allocating anything.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "../hwpt_set.h"
#include "atomic.h"
#include "batch.h"
#include "segment.h"

/* Record a segment before it is mapped. */
static ntstatus_t wdm_token_claim(struct wdm_token *token, u64 page, u64 nr_pages)
{
	struct wdm_domain *domain = token->domain;
	ntstatus_t status = STATUS_SUCCESS;
	unsigned long flags;

	spin_lock_irqsave(&domain->lock, flags);
	if (token->freed) {
		status = STATUS_UNSUCCESSFUL;
	} else if (find_next_bit(token->mapped, page + nr_pages, page) < page + nr_pages) {
		status = STATUS_RESOURCE_IN_USE;
	} else {
		bitmap_set(token->mapped, page, nr_pages);
		__set_bit(page, token->starts);
		__set_bit(page, token->busy);
		token->nr_mapped += nr_pages;
	}
	spin_unlock_irqrestore(&domain->lock, flags);
	return status;
}

/* Record that a segment is mapped and can be unmapped, or that it is not mapped. */
static void wdm_token_settle(struct wdm_token *token, u64 page, u64 nr_pages,
			     bool mapped)
{
	struct wdm_domain *domain = token->domain;
	unsigned long flags;

	spin_lock_irqsave(&domain->lock, flags);
	__clear_bit(page, token->busy);
	if (!mapped) {
		bitmap_clear(token->mapped, page, nr_pages);
		__clear_bit(page, token->starts);
		token->nr_mapped -= nr_pages;
	}
	spin_unlock_irqrestore(&domain->lock, flags);
}

/* Check that these pages are exactly one segment. Called with wdm_domain.lock held. */
static bool wdm_token_has_segment(const struct wdm_token *token, u64 page, u64 nr_pages)
{
	u64 end = page + nr_pages;

	return !token->freed && test_bit(page, token->starts) &&
	       !test_bit(page, token->busy) &&
	       find_next_zero_bit(token->mapped, end, page) == end &&
	       find_next_bit(token->starts, end, page + 1) == end &&
	       (end == token->nr_pages || !test_bit(end, token->mapped) ||
		test_bit(end, token->starts));
}

/* Start unmapping a segment. Only one call can succeed. */
static bool wdm_token_open_segment(struct wdm_token *token, u64 page, u64 nr_pages)
{
	struct wdm_domain *domain = token->domain;
	unsigned long flags;
	bool has;

	spin_lock_irqsave(&domain->lock, flags);
	has = wdm_token_has_segment(token, page, nr_pages);
	if (has)
		__set_bit(page, token->busy);
	spin_unlock_irqrestore(&domain->lock, flags);
	return has;
}

/* Unmap pages without covering a page table, and sync. */
static void wdm_token_unmap_hwpts(struct wdm_domain *domain, u64 pgno, u64 nr_pages)
{
	struct iommu_iotlb_gather gather;
	u64 at, part, last, end;
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node) {
		end = pgno + wdm_hwpt_reached(hwpt, pgno, nr_pages);
		iommu_iotlb_gather_init(&gather);
		for (at = pgno; at < end; at += part) {
			last = at | (WDM_TABLE_PART - 1);
			part = min(end, last + 1) - at;
			wdm_hwpt_unmap(hwpt, at << PAGE_SHIFT, part << PAGE_SHIFT,
				       &gather);
		}
		iommu_iotlb_sync(hwpt->domain, &gather);
	}
}

/*
 * Unmap mapped pages. Removing them from the table needs no memory: there is no span to
 * cut, and all pages of a segment belong to one MDL.
 */
static void wdm_token_unmap_pages(struct wdm_domain *domain, u64 pgno, u64 nr_pages,
				  struct wdm_put_list *put_list)
{
	ntstatus_t status;

	status = wdm_mappings_take(&domain->mappings, pgno, pgno + nr_pages - 1,
				   put_list, GFP_NOWAIT);
	WARN_ON_ONCE(!wdm_ok(status));
	wdm_token_unmap_hwpts(domain, pgno, nr_pages);
	wdm_hwpts_settle(domain, put_list);
}

/* Unmap the pages of a segment, in steps. */
static void wdm_token_unmap_steps(struct wdm_batch *batch, u64 pgno, u64 nr_pages)
{
	u64 step;

	for (; nr_pages; pgno += step, nr_pages -= step) {
		step = min(nr_pages, WDM_TOKEN_STEP);
		wdm_token_unmap_pages(batch->domain, pgno, step, &batch->put_list);
		batch->nr_syncs++;
		wdm_batch_yield(batch);
	}
}

/* Unmap the first steps of a segment that cannot be mapped. All have the same size. */
static void wdm_token_undo(struct wdm_batch *batch, const struct wdm_extent *ext,
			   u64 nr_pages)
{
	u64 pgno, end = ext->pgno + nr_pages;

	for (pgno = ext->pgno; pgno < end; pgno += WDM_TABLE_PART) {
		wdm_batch_remove(batch, pgno, pgno + WDM_TABLE_PART - 1);
		wdm_batch_yield(batch);
	}
	wdm_batch_undo(batch, ext->mdl, nr_pages);
}

/* Map a segment, in steps. */
static ntstatus_t wdm_token_map_steps(struct wdm_batch *batch,
				      const struct wdm_extent *ext)
{
	struct wdm_extent step = *ext;
	ntstatus_t status;
	u64 done;

	for (done = 0; done < ext->nr_pages; done += step.nr_pages) {
		step.pgno = ext->pgno + done;
		step.mdl_page = ext->mdl_page + done;
		/* The undo of a step must not cover a page table, either. */
		step.nr_pages = min(ext->nr_pages - done, WDM_TABLE_PART);
		status = wdm_batch_yield(batch);
		if (wdm_ok(status)) {
			/* The nodes and the page tables exist. */
			wdm_mappings_insert_kept(&batch->domain->mappings, &step);
			status = wdm_hwpts_map_extent(batch->domain, &step);
		}
		if (!wdm_ok(status)) {
			wdm_token_undo(batch, ext, done);
			return status;
		}
	}
	return STATUS_SUCCESS;
}

/**
 * wdm_token_check_segment() - Check the position of a segment
 * @token: the token
 * @offset: offset in the token, in bytes
 * @nr_pages: number of pages, at least 1
 *
 * Return: STATUS_INVALID_PARAMETER_2 for @offset, STATUS_INVALID_PARAMETER_4 if the
 * segment ends beyond the token.
 */
static ntstatus_t wdm_token_check_segment(const struct wdm_token *token, u64 offset,
					  u64 nr_pages)
{
	if (!PAGE_ALIGNED(offset) || offset >> PAGE_SHIFT >= token->nr_pages)
		return STATUS_INVALID_PARAMETER_2;
	if (nr_pages > token->nr_pages - (offset >> PAGE_SHIFT))
		return STATUS_INVALID_PARAMETER_4;
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_token_check_map(const struct wdm_token *token, u64 offset,
				      u32 perms, const struct wdm_mdl_range *range)
{
	if (!perms || perms & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_3;
	if (perms & ~range->mdl->access)
		return STATUS_ACCESS_DENIED;
	if (!wdm_mdl_range_exists(range))
		return STATUS_INVALID_PARAMETER_4;
	return wdm_token_check_segment(token, offset, range->nr_pages);
}

static ntstatus_t wdm_token_map_held(struct wdm_batch *batch, struct wdm_token *token,
				     const struct wdm_extent *ext)
{
	u64 page = ext->pgno - wdm_token_first(token);
	ntstatus_t status = wdm_token_claim(token, page, ext->nr_pages);

	if (!wdm_ok(status))
		return status;
	status = wdm_token_map_steps(batch, ext);
	wdm_token_settle(token, page, ext->nr_pages, wdm_ok(status));
	return status;
}

/**
 * wdm_token_map() - Map pages of an MDL as a segment of a token
 * @token: the token, which the caller keeps from being freed
 * @offset: offset in the token, in bytes
 * @perms: WDM_READ, WDM_WRITE
 * @range: the pages of an MDL
 *
 * Contract: IommuMapReservedLogicalRange. All or nothing. Allocates nothing, unless the
 * IOMMU driver does not keep its page tables.
 *
 * Context: may sleep.
 * Return:
 * * STATUS_INVALID_PARAMETER_2: @offset is not page aligned, or beyond the token
 * * STATUS_INVALID_PARAMETER_3: @perms
 * * STATUS_INVALID_PARAMETER_4: @range, or the segment ends beyond the token
 * * STATUS_ACCESS_DENIED: the MDL does not allow @perms
 * * STATUS_UNSUCCESSFUL: the token is being freed
 * * STATUS_RESOURCE_IN_USE: another segment has one of the pages
 * * STATUS_INSUFFICIENT_RESOURCES, STATUS_CANCELLED
 */
ntstatus_t wdm_token_map(struct wdm_token *token, u64 offset, u32 perms,
			 const struct wdm_mdl_range *range)
{
	u64 pgno = wdm_token_first(token) + (offset >> PAGE_SHIFT);
	struct wdm_extent ext = wdm_range_extent(range, pgno, perms | WDM_SMALL);
	struct wdm_batch batch;
	ntstatus_t status;

	status = wdm_token_check_map(token, offset, perms, range);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_begin_held(&batch, token->domain, ext.pgno,
				      wdm_extent_end(&ext) - 1);
	if (!wdm_ok(status))
		return status;
	status = wdm_token_map_held(&batch, token, &ext);
	batch.nr_maps += wdm_ok(status);
	wdm_batch_end(&batch);
	return status;
}

/**
 * wdm_token_unmap() - Unmap a segment
 * @token: the token, which the caller keeps from being freed
 * @offset: offset of the segment in the token, in bytes
 * @size: size of the segment in bytes
 *
 * Contract: IommuUnmapReservedLogicalRange. When it returns, the pages block. The page
 * tables stay.
 *
 * Context: may sleep.
 * Return: STATUS_INVALID_PARAMETER if there is no such segment; STATUS_CANCELLED.
 */
ntstatus_t wdm_token_unmap(struct wdm_token *token, u64 offset, u64 size)
{
	u64 page = offset >> PAGE_SHIFT, nr_pages = size >> PAGE_SHIFT;
	u64 pgno = wdm_token_first(token) + page;
	struct wdm_batch batch;
	ntstatus_t status;

	if (!PAGE_ALIGNED(offset | size) || !nr_pages ||
	    !wdm_ok(wdm_token_check_segment(token, offset, nr_pages)))
		return STATUS_INVALID_PARAMETER;
	status = wdm_batch_begin_held(&batch, token->domain, pgno, pgno + nr_pages - 1);
	if (!wdm_ok(status))
		return status;
	if (wdm_token_open_segment(token, page, nr_pages)) {
		wdm_token_unmap_steps(&batch, pgno, nr_pages);
		wdm_token_settle(token, page, nr_pages, false);
		batch.nr_unmaps++;
	} else {
		status = STATUS_INVALID_PARAMETER;
	}
	wdm_batch_end(&batch);
	return status;
}

/**
 * wdm_token_map_frames() - Map page frames as a segment of a token
 * @token: a token of a domain of kernel code. The caller is in an RCU read-side critical
 *	section; the token may be freed after that
 * @offset: offset in the token, in bytes
 * @perms: WDM_READ, WDM_WRITE
 * @frames: the page frames, at least one
 *
 * Contract: IommuMapReservedLogicalRange. As wdm_token_map().
 *
 * Context: any but NMI.
 * Return: as wdm_token_map(); STATUS_NOT_SUPPORTED if @frames are not memory.
 */
ntstatus_t wdm_token_map_frames(struct wdm_token *token, u64 offset, u32 perms,
				const struct wdm_frames *frames)
{
	u64 page = offset >> PAGE_SHIFT;
	struct wdm_atomic_op op = {
		.domain = token->domain,
		.frames = frames,
		.pgno = wdm_token_first(token) + page,
		.perms = perms | WDM_SMALL,
		.allocated = true,
	};
	ntstatus_t status;

	if (!perms || perms & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_3;
	status = wdm_token_check_segment(token, offset, frames->nr_pages);
	if (wdm_ok(status) && !wdm_frames_are_memory(frames))
		status = STATUS_NOT_SUPPORTED;
	if (wdm_ok(status))
		status = wdm_token_claim(token, page, frames->nr_pages);
	if (!wdm_ok(status))
		return status;
	status = wdm_atomic_map(&op);
	wdm_token_settle(token, page, frames->nr_pages, wdm_ok(status));
	return status;
}

/**
 * wdm_token_unmap_frames() - Unmap a segment
 * @token: see wdm_token_map_frames()
 * @offset: offset of the segment in the token, in bytes
 * @size: size of the segment in bytes
 *
 * Contract: IommuUnmapReservedLogicalRange. When it returns, the pages block. The page
 * tables stay.
 *
 * Context: any but NMI.
 * Return: STATUS_INVALID_PARAMETER if there is no such segment.
 */
ntstatus_t wdm_token_unmap_frames(struct wdm_token *token, u64 offset, u64 size)
{
	u64 page = offset >> PAGE_SHIFT, nr_pages = size >> PAGE_SHIFT;
	struct wdm_atomic_op op = {
		.domain = token->domain,
		.pgno = wdm_token_first(token) + page,
		.nr_pages = nr_pages,
		.allocated = true,
	};

	if (!PAGE_ALIGNED(offset | size) || !nr_pages ||
	    !wdm_ok(wdm_token_check_segment(token, offset, nr_pages)) ||
	    !wdm_token_open_segment(token, page, nr_pages))
		return STATUS_INVALID_PARAMETER;
	WARN_ON_ONCE(!wdm_ok(wdm_atomic_unmap(&op)));
	wdm_token_settle(token, page, nr_pages, false);
	return STATUS_SUCCESS;
}
