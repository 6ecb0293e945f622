// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains of kernel code: maps and unmaps in atomic context.
 *
 * An operation handles its pages in pieces, each within one region of the mapping table,
 * under wdm_domain.lock, which it releases every 512 pages. It takes no other lock that
 * can be held for long, and never waits. So that no other call sees it half done, an
 * operation of several pieces has a separate pass that marks its pages as busy (unmap)
 * or clears the mark (map): other calls can neither map nor unmap a busy page.
 *
 * Each critical section ends with an IOTLB sync, so what it removed from the table blocks
 * before anything can be mapped there again. An unmap needs no memory: the table is flat
 * and every page is an IOMMU page of its own.
 */
#include <linux/mm.h>

#include "../hwpt_set.h"
#include "../trace.h"
#include "atomic.h"

/* Maximum number of pages per critical section */
#define WDM_ATOMIC_PAGES	((u64)512)

/* The work to do on a piece */
typedef ntstatus_t (*wdm_atomic_fn)(const struct wdm_atomic_op *op,
				    const struct wdm_extent *piece);

/* Get the piece from page @done on: pages of one region and, where it matters, one run. */
static void wdm_atomic_piece(const struct wdm_atomic_op *op, u64 done,
			     struct wdm_extent *piece)
{
	u64 nr = min(op->nr_pages - done, WDM_REGION_PAGES), pfn = 0;

	if (op->frames)
		nr = wdm_frames_run(op->frames, done, nr, &pfn);
	*piece = (struct wdm_extent) {
		.pgno = op->identity ? pfn : op->pgno + done,
		.mdl = &wdm_physical_memory,
		.mdl_page = pfn,
		.perms = op->perms,
		.busy = op->several,
	};
	piece->nr_pages = min(nr, WDM_REGION_PAGES -
				  (piece->pgno & (WDM_REGION_PAGES - 1)));
}

/* Run @fn on all pieces; @done: out: the number of pages done. */
static ntstatus_t wdm_atomic_pass(const struct wdm_atomic_op *op, wdm_atomic_fn fn,
				  u64 *done)
{
	struct wdm_domain *domain = op->domain;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent piece;
	unsigned long flags;
	u64 end;

	*done = 0;
	while (wdm_ok(status) && *done < op->nr_pages) {
		end = min(op->nr_pages, *done + WDM_ATOMIC_PAGES);
		spin_lock_irqsave(&domain->lock, flags);
		while (*done < end) {
			wdm_atomic_piece(op, *done, &piece);
			status = fn(op, &piece);
			if (!wdm_ok(status))
				break;
			*done += piece.nr_pages;
		}
		wdm_hwpts_sync(domain);
		spin_unlock_irqrestore(&domain->lock, flags);
	}
	return status;
}

/* Complete an operation that a caller has described. */
static void wdm_atomic_begin(struct wdm_atomic_op *op)
{
	struct wdm_extent piece;

	if (op->frames)
		op->nr_pages = op->frames->nr_pages;
	wdm_atomic_piece(op, 0, &piece);
	op->pgno = piece.pgno;
	op->several = piece.nr_pages < op->nr_pages;
}

static void wdm_atomic_remove(const struct wdm_atomic_op *op,
			      const struct wdm_extent *ext)
{
	u64 pgno = ext->pgno, last_pgno = wdm_extent_end(ext) - 1;
	struct wdm_domain *domain = op->domain;

	wdm_mappings_remove(&domain->mappings, pgno, last_pgno);
	wdm_hwpts_unmap_gather(domain, pgno << PAGE_SHIFT,
			       ext->nr_pages << PAGE_SHIFT);
	wdm_mdl_unuse(&wdm_physical_memory, ext->nr_pages);
	/* The addresses cannot be reused before the sync at the end of the critical section. */
	while (op->unmap && !op->allocated &&
	       wdm_iova_unmapped_locked(domain, &pgno, last_pgno))
		;
}

static ntstatus_t wdm_atomic_map_piece(const struct wdm_atomic_op *op,
				       const struct wdm_extent *piece)
{
	struct wdm_domain *domain = op->domain;
	ntstatus_t status;

	if (!op->allocated && wdm_iova_space_find(&domain->space, piece->pgno,
						  wdm_extent_end(piece) - 1))
		return STATUS_RESOURCE_IN_USE;
	status = wdm_mappings_insert(&domain->mappings, piece, domain->gfp);
	return wdm_ok(status) ? wdm_hwpts_map_extent(domain, piece) : status;
}

/* Clear the busy mark: the map is complete. */
static ntstatus_t wdm_atomic_publish_piece(const struct wdm_atomic_op *op,
					   const struct wdm_extent *piece)
{
	wdm_mappings_mark(&op->domain->mappings, piece->pgno,
			  wdm_extent_end(piece) - 1, false);
	return STATUS_SUCCESS;
}

/* Check that a piece is mapped throughout, and not busy. */
static ntstatus_t wdm_atomic_check_piece(const struct wdm_atomic_op *op,
					 const struct wdm_extent *piece)
{
	u64 pgno = piece->pgno, end = wdm_extent_end(piece), checked = pgno;
	struct wdm_extent ext;

	/* The caller may pass any page frame number, but only memory is mapped. */
	if (end <= pgno)
		return STATUS_NOT_FOUND;
	while (!op->allocated && checked < end)
		if (!wdm_iova_may_unmap_locked(op->domain, &checked, end - 1))
			return STATUS_RESOURCE_IN_USE;
	while (pgno < end) {
		if (!wdm_mappings_peek(&op->domain->mappings, pgno, end - 1, &ext) ||
		    ext.pgno != pgno || ext.busy ||
		    (op->identity && ext.mdl_page != pgno))
			return STATUS_NOT_FOUND;
		pgno = wdm_extent_end(&ext);
	}
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_atomic_claim_piece(const struct wdm_atomic_op *op,
					 const struct wdm_extent *piece)
{
	ntstatus_t status = wdm_atomic_check_piece(op, piece);

	if (wdm_ok(status))
		wdm_mappings_mark(&op->domain->mappings, piece->pgno,
				  wdm_extent_end(piece) - 1, true);
	return status;
}

/* Remove busy pages, which belong to this operation. */
static ntstatus_t wdm_atomic_remove_piece(const struct wdm_atomic_op *op,
					  const struct wdm_extent *piece)
{
	u64 last_pgno = wdm_extent_end(piece) - 1;
	struct wdm_extent ext = { .pgno = piece->pgno };

	/* Stops early only if the caller has changed its array of page frames. */
	while (wdm_extent_end(&ext) <= last_pgno &&
	       wdm_mappings_peek(&op->domain->mappings, wdm_extent_end(&ext),
				 last_pgno, &ext))
		if (ext.busy)
			wdm_atomic_remove(op, &ext);
	return STATUS_SUCCESS;
}

/* Check a piece and remove it in the same critical section. */
static ntstatus_t wdm_atomic_unmap_piece(const struct wdm_atomic_op *op,
					 const struct wdm_extent *piece)
{
	ntstatus_t status = wdm_atomic_check_piece(op, piece);

	if (wdm_ok(status))
		wdm_atomic_remove(op, piece);
	return status;
}

static ntstatus_t wdm_atomic_map_all(struct wdm_atomic_op *op)
{
	ntstatus_t status;
	u64 done;

	status = wdm_atomic_pass(op, wdm_atomic_map_piece, &done);
	if (!op->several)
		return status;
	op->nr_pages = done;
	/* Identity maps are scattered, all others are one range. */
	if (!op->identity)
		op->frames = NULL;
	wdm_atomic_pass(op, wdm_ok(status) ? wdm_atomic_publish_piece :
					     wdm_atomic_remove_piece, &done);
	return status;
}

/**
 * wdm_atomic_map() - Map page frames
 * @op: what to map where; not used after the call
 *
 * Contract: IommuMapLogicalRange, IommuMapIdentityRange. All or nothing. While the call
 * runs, other maps of its pages fail with STATUS_RESOURCE_IN_USE, and unmaps with
 * STATUS_NOT_FOUND. In a token, the mapping table needs no memory.
 *
 * Context: any but NMI.
 * Return:
 * * STATUS_NOT_SUPPORTED: the domain has an allocator, which did not choose the address
 * * STATUS_RESOURCE_IN_USE: a page is already mapped, or reserved; so is a page frame that
 *   occurs twice in an identity map
 * * STATUS_CONFLICTING_ADDRESSES: an address is reserved, or outside an aperture
 * * STATUS_INSUFFICIENT_RESOURCES: a GFP_ATOMIC allocation failed
 */
ntstatus_t wdm_atomic_map(struct wdm_atomic_op *op)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_map), nr_pages;
	ntstatus_t status = STATUS_NOT_SUPPORTED;

	wdm_atomic_begin(op);
	nr_pages = op->nr_pages;
	if (op->allocated || !wdm_iova_space_allocates(&op->domain->space))
		status = wdm_atomic_map_all(op);
	if (trace_wdm_map_enabled())
		trace_wdm_map(op->domain, op->pgno << PAGE_SHIFT, nr_pages, op->perms,
			      status, wdm_trace_ns(begin));
	return status;
}

static ntstatus_t wdm_atomic_unmap_all(struct wdm_atomic_op *op)
{
	ntstatus_t status;
	u64 done;

	if (!op->several)
		return wdm_atomic_pass(op, wdm_atomic_unmap_piece, &done);
	status = wdm_atomic_pass(op, wdm_atomic_claim_piece, &done);
	op->nr_pages = done;
	wdm_atomic_pass(op, wdm_ok(status) ? wdm_atomic_remove_piece :
					     wdm_atomic_publish_piece, &done);
	return status;
}

/**
 * wdm_atomic_unmap() - Unmap page frames
 * @op: what to unmap; not used after the call
 *
 * Contract: IommuUnmapLogicalRange, IommuUnmapIdentityRange. All or nothing. When it
 * returns, the pages block. A call of the IOMMU driver unmaps at most one region of the
 * mapping table. That is less than a page table of the IOMMU covers, so the driver keeps
 * the tables of a token.
 *
 * Context: any but NMI. Needs no memory.
 * Return:
 * * STATUS_NOT_SUPPORTED: an identity map in a domain with an allocator
 * * STATUS_NOT_FOUND: a page is not mapped, or a call in progress is mapping or unmapping
 *   it; something else is mapped at the address of a page frame
 * * STATUS_RESOURCE_IN_USE: a page is part of a token, or of a reserved region
 */
ntstatus_t wdm_atomic_unmap(struct wdm_atomic_op *op)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_unmap), nr_pages;
	ntstatus_t status = STATUS_NOT_SUPPORTED;

	op->unmap = true;
	wdm_atomic_begin(op);
	nr_pages = op->nr_pages;
	if (!op->identity || !wdm_iova_space_allocates(&op->domain->space))
		status = wdm_atomic_unmap_all(op);
	if (trace_wdm_unmap_enabled())
		trace_wdm_unmap(op->domain, op->pgno << PAGE_SHIFT, nr_pages, 0, status,
				wdm_trace_ns(begin));
	return status;
}

/* Map where the allocator finds space. */
static ntstatus_t wdm_atomic_map_block(struct wdm_domain *domain, u32 perms,
				       const struct wdm_frames *frames,
				       const struct wdm_limits *limits,
				       struct wdm_iova_block *block, u64 *first)
{
	ntstatus_t status;

	do {
		struct wdm_atomic_op op = {
			.domain = domain,
			.frames = frames,
			.perms = perms,
			.allocated = true,
		};

		status = wdm_iova_alloc(domain, block, frames->nr_pages, limits,
					WDM_IOVA_ALLOCATED);
		if (!wdm_ok(status))
			return status;
		/* Read it now: once mapped, another call may unmap it and free the block. */
		*first = block->first;
		op.pgno = *first;
		status = wdm_atomic_map(&op);
		if (!wdm_ok(status))
			wdm_iova_drop(domain, block);
		/* A device that does not allow the address may have been attached since. */
	} while (status == STATUS_CONFLICTING_ADDRESSES);
	return status;
}

/**
 * wdm_domain_map_frames_alloc() - Map page frames at an allocated address
 * @domain: an OS-managed domain of kernel code
 * @perms: WDM_READ, WDM_WRITE
 * @frames: the page frames, at least one; the caller keeps the memory
 * @limits: limits for the address
 * @iova: out: the address; not written on failure
 *
 * Contract: IommuMapLogicalRangeEx, in a domain with an allocator. See
 * wdm_batch_map_alloc(), the counterpart for programs.
 *
 * Context: any but NMI.
 * Return:
 * * STATUS_NOT_SUPPORTED: the domain has no allocator
 * * STATUS_INVALID_PARAMETER_MIX: no space within @limits, if they are given
 * * STATUS_INSUFFICIENT_RESOURCES: out of memory, or no space at all
 */
ntstatus_t wdm_domain_map_frames_alloc(struct wdm_domain *domain, u32 perms,
				       const struct wdm_frames *frames,
				       const struct wdm_limits *limits, u64 *iova)
{
	struct wdm_iova_block *block;
	ntstatus_t status;
	u64 first;

	if (!wdm_iova_space_allocates(&domain->space))
		return STATUS_NOT_SUPPORTED;
	if (limits->min > limits->max)
		return STATUS_INVALID_PARAMETER_MIX;
	status = wdm_iova_block_create(domain, domain->gfp, &block);
	if (!wdm_ok(status))
		return status;
	status = wdm_atomic_map_block(domain, perms, frames, limits, block, &first);
	if (wdm_ok(status))
		*iova = first << PAGE_SHIFT;
	else
		wdm_iova_block_destroy(domain, block);
	return status;
}
