/* SPDX-License-Identifier: GPL-2.0 */
/*
 * OS-managed domains of kernel code: maps and unmaps in atomic context.
 */
#ifndef WDM_CORE_OS_ATOMIC_H
#define WDM_CORE_OS_ATOMIC_H

#include "../domain.h"
#include "../frames.h"
#include "iova.h"

/**
 * struct wdm_atomic_op - a map or an unmap
 * @domain: an OS-managed domain of kernel code
 * @frames: the page frames, at least one; the caller keeps the memory. NULL: unmap
 *	whatever is mapped
 * @identity: page numbers are page frame numbers
 * @pgno: the first page number, unless @identity; the range does not wrap
 * @nr_pages: number of pages, at least one, if @frames is NULL
 * @perms: WDM_READ, WDM_WRITE, WDM_SMALL, for a map
 * @allocated: the page numbers belong to this operation: the allocator has handed them
 *	out to it, or they are those of a segment that the caller has recorded in its token
 * @several: private: the operation has several pieces
 * @unmap: private: it is an unmap
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

ntstatus_t wdm_atomic_map(struct wdm_atomic_op *op);
ntstatus_t wdm_atomic_unmap(struct wdm_atomic_op *op);
ntstatus_t wdm_domain_map_frames_alloc(struct wdm_domain *domain, u32 perms,
				       const struct wdm_frames *frames,
				       const struct wdm_limits *limits, u64 *iova);

#endif /* WDM_CORE_OS_ATOMIC_H */
