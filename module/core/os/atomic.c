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

#include "../frames.h"
#include "../hwpt_set.h"
#include "../trace.h"
#include "atomic.h"
#include "iova.h"

/* Maximum number of pages per critical section */
#define WDM_ATOMIC_PAGES	((u64)512)

/**
 * struct wdm_atomic_op - an operation
 * @domain: the domain
 * @frames: the page frames; NULL: whatever is mapped at the page numbers
 * @identity: page numbers are page frame numbers
 * @pgno: the first page number, unless @identity
 * @nr_pages: number of pages
 * @perms: WDM_READ, WDM_WRITE
 * @allocated: the page numbers belong to this operation: the allocator has handed them
 *	out to it, or they are a token's
 * @several: the operation has several pieces
 * @unmap: it is an unmap
 */
struct wdm_atomic_op {
	struct wdm_domain *domain;
	const struct wdm_frames *frames;
	bool identity;
	u64 pgno;
	u64 nr_pages;
	u32 perms;
	bool allocated;
	bool several;
	bool unmap;
};

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

static bool wdm_atomic_is_several(const struct wdm_atomic_op *op)
{
	struct wdm_extent piece;

	wdm_atomic_piece(op, 0, &piece);
	return piece.nr_pages < op->nr_pages;
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
	struct wdm_mapping map = wdm_extent_mapping(piece, domain->pgsize);
	u64 last_pgno = wdm_extent_end(piece) - 1;
	ntstatus_t status;

	if (!op->allocated) {
		status = wdm_iova_check_map_locked(domain, piece->pgno, last_pgno);
		if (!wdm_ok(status))
			return status;
	}
	status = wdm_mappings_insert(&domain->mappings, piece, domain->gfp);
	if (!wdm_ok(status))
		return status;
	if (wdm_extent_fits(domain, piece))
		status = wdm_hwpts_map(domain, &map);
	else
		status = STATUS_CONFLICTING_ADDRESSES;
	if (wdm_ok(status))
		return status;
	wdm_mappings_remove(&domain->mappings, piece->pgno, last_pgno);
	wdm_mdl_unuse(&wdm_physical_memory, piece->nr_pages);
	return status;
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
	u64 pgno = piece->pgno, end = wdm_extent_end(piece);
	struct wdm_extent ext;
	ntstatus_t status = STATUS_SUCCESS;

	/* The caller may pass any page frame number, but only memory is mapped. */
	if (end <= pgno)
		return STATUS_NOT_FOUND;
	if (!op->allocated)
		status = wdm_iova_check_unmap_locked(op->domain, pgno, end - 1);
	if (!wdm_ok(status))
		return status;
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

static ntstatus_t wdm_atomic_map(struct wdm_atomic_op *op)
{
	ntstatus_t status;
	u64 done;

	op->several = wdm_atomic_is_several(op);
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

static ntstatus_t wdm_atomic_unmap(struct wdm_atomic_op *op)
{
	ntstatus_t status;
	u64 done;

	op->unmap = true;
	op->several = wdm_atomic_is_several(op);
	if (!op->several)
		return wdm_atomic_pass(op, wdm_atomic_unmap_piece, &done);
	status = wdm_atomic_pass(op, wdm_atomic_claim_piece, &done);
	op->nr_pages = done;
	wdm_atomic_pass(op, wdm_ok(status) ? wdm_atomic_remove_piece :
					     wdm_atomic_publish_piece, &done);
	return status;
}

/**
 * wdm_domain_map_frames() - Map page frames
 * @domain: an OS-managed domain of kernel code
 * @perms: WDM_READ, WDM_WRITE
 * @frames: the page frames, at least one; the caller keeps the memory
 * @iova: first address, page aligned; the range does not wrap
 *
 * Contract: IommuMapLogicalRange. All or nothing. While the call runs, other maps of its
 * pages fail with STATUS_RESOURCE_IN_USE, and unmaps with STATUS_NOT_FOUND.
 *
 * Context: any but NMI.
 * Return:
 * * STATUS_NOT_SUPPORTED: the domain has an allocator
 * * STATUS_RESOURCE_IN_USE: a page is already mapped, or reserved
 * * STATUS_CONFLICTING_ADDRESSES: an address is reserved, or outside an aperture
 * * STATUS_INSUFFICIENT_RESOURCES: a GFP_ATOMIC allocation failed
 */
ntstatus_t wdm_domain_map_frames(struct wdm_domain *domain, u32 perms,
				 const struct wdm_frames *frames, u64 iova)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_map);
	struct wdm_atomic_op op = {
		.domain = domain,
		.frames = frames,
		.pgno = iova >> PAGE_SHIFT,
		.nr_pages = frames->nr_pages,
		.perms = perms,
	};
	ntstatus_t status = STATUS_NOT_SUPPORTED;

	if (!wdm_iova_space_allocates(&domain->space))
		status = wdm_atomic_map(&op);
	if (trace_wdm_map_enabled())
		trace_wdm_map(domain, iova, frames->nr_pages, perms, status,
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
			.nr_pages = frames->nr_pages,
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

/**
 * wdm_domain_unmap_pages() - Unmap any range of mapped pages
 * @domain: an OS-managed domain of kernel code
 * @iova: first address, page aligned
 * @nr_pages: number of pages, at least one; the range does not wrap
 *
 * Contract: IommuUnmapLogicalRange. All or nothing. When it returns, the range blocks.
 *
 * Context: any but NMI. Needs no memory.
 * Return:
 * * STATUS_NOT_FOUND: a page is not mapped, or a call in progress is mapping or
 *   unmapping it
 * * STATUS_RESOURCE_IN_USE: a page is part of a token, or of a reserved region
 */
ntstatus_t wdm_domain_unmap_pages(struct wdm_domain *domain, u64 iova, u64 nr_pages)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_unmap);
	struct wdm_atomic_op op = {
		.domain = domain,
		.pgno = iova >> PAGE_SHIFT,
		.nr_pages = nr_pages,
	};
	ntstatus_t status = wdm_atomic_unmap(&op);

	if (trace_wdm_unmap_enabled())
		trace_wdm_unmap(domain, iova, nr_pages, 0, status,
				wdm_trace_ns(begin));
	return status;
}

/**
 * wdm_domain_map_frames_identity() - Map page frames at their physical addresses
 * @domain: an OS-managed domain of kernel code
 * @perms: WDM_READ, WDM_WRITE
 * @frames: the page frames, at least one
 *
 * Contract: IommuMapIdentityRange. All or nothing.
 *
 * Context: any but NMI.
 * Return: as wdm_domain_map_frames(). A page frame that occurs twice is already mapped
 * the second time.
 */
ntstatus_t wdm_domain_map_frames_identity(struct wdm_domain *domain, u32 perms,
					  const struct wdm_frames *frames)
{
	struct wdm_atomic_op op = {
		.domain = domain,
		.frames = frames,
		.identity = true,
		.nr_pages = frames->nr_pages,
		.perms = perms,
	};

	if (wdm_iova_space_allocates(&domain->space))
		return STATUS_NOT_SUPPORTED;
	return wdm_atomic_map(&op);
}

/**
 * wdm_domain_unmap_frames_identity() - Unmap page frames from their physical addresses
 * @domain: an OS-managed domain of kernel code
 * @frames: the page frames, at least one
 *
 * Contract: IommuUnmapIdentityRange. All or nothing.
 *
 * Context: any but NMI. Needs no memory.
 * Return: as wdm_domain_unmap_pages(); STATUS_NOT_FOUND also if something else is mapped
 * at the address of a page frame.
 */
ntstatus_t wdm_domain_unmap_frames_identity(struct wdm_domain *domain,
					    const struct wdm_frames *frames)
{
	struct wdm_atomic_op op = {
		.domain = domain,
		.frames = frames,
		.identity = true,
		.nr_pages = frames->nr_pages,
	};

	if (wdm_iova_space_allocates(&domain->space))
		return STATUS_NOT_SUPPORTED;
	return wdm_atomic_unmap(&op);
}

/**
 * wdm_domain_map_segment() - Map page frames at addresses of a token
 * @domain: an OS-managed domain of kernel code
 * @perms: WDM_READ, WDM_WRITE, WDM_SMALL
 * @frames: the page frames, at least one
 * @pgno: the first page number; the caller has recorded the segment in the token
 *
 * All or nothing. The mapping table needs no memory, as the token keeps its nodes.
 *
 * Context: any but NMI.
 * Return: the errno of the IOMMU driver as a status.
 */
ntstatus_t wdm_domain_map_segment(struct wdm_domain *domain, u32 perms,
				  const struct wdm_frames *frames, u64 pgno)
{
	struct wdm_atomic_op op = {
		.domain = domain,
		.frames = frames,
		.pgno = pgno,
		.nr_pages = frames->nr_pages,
		.perms = perms,
		.allocated = true,
	};

	return wdm_atomic_map(&op);
}

/**
 * wdm_domain_unmap_segment() - Undo wdm_domain_map_segment()
 * @domain: the domain
 * @pgno: the first page number
 * @nr_pages: number of pages, at least one
 *
 * Unmaps at most one region of the mapping table per call of the driver. That is less
 * than a page table of the IOMMU covers, so the driver keeps the table.
 *
 * Context: any but NMI. Needs no memory.
 * Return: STATUS_SUCCESS.
 */
ntstatus_t wdm_domain_unmap_segment(struct wdm_domain *domain, u64 pgno, u64 nr_pages)
{
	struct wdm_atomic_op op = {
		.domain = domain,
		.pgno = pgno,
		.nr_pages = nr_pages,
		.allocated = true,
	};

	return wdm_atomic_unmap(&op);
}
