/* SPDX-License-Identifier: GPL-2.0 */
/*
 * OS-managed domains of kernel code: maps and unmaps in atomic context.
 */
#ifndef WDM_CORE_OS_ATOMIC_H
#define WDM_CORE_OS_ATOMIC_H

#include "../domain.h"
#include "../frames.h"
#include "iova.h"

ntstatus_t wdm_domain_map_frames(struct wdm_domain *domain, u32 perms,
				 const struct wdm_frames *frames, u64 iova);
ntstatus_t wdm_domain_map_frames_alloc(struct wdm_domain *domain, u32 perms,
				       const struct wdm_frames *frames,
				       const struct wdm_limits *limits, u64 *iova);
ntstatus_t wdm_domain_unmap_pages(struct wdm_domain *domain, u64 iova, u64 nr_pages);
ntstatus_t wdm_domain_map_frames_identity(struct wdm_domain *domain, u32 perms,
					  const struct wdm_frames *frames);
ntstatus_t wdm_domain_unmap_frames_identity(struct wdm_domain *domain,
					    const struct wdm_frames *frames);

/* For token.c */
ntstatus_t wdm_domain_map_segment(struct wdm_domain *domain, u32 perms,
				  const struct wdm_frames *frames, u64 pgno);
ntstatus_t wdm_domain_unmap_segment(struct wdm_domain *domain, u64 pgno, u64 nr_pages);

#endif /* WDM_CORE_OS_ATOMIC_H */
