/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Maps that fail halfway, with Intel's IOMMU driver before Linux 6.19.
 *
 * The IOMMU core itself unmaps what it has mapped, without the workarounds of unmap.h and
 * sync.h. If a map begins inside a page table and continues in the next ones, those are freed
 * before they are flushed. So end a call that begins inside a table with that table. Before
 * Linux 6.10 the flush may miss pages, too: flush everything.
 *
 * KUnit tests this on newer kernels, too.
 */
#ifndef WDM_COMPAT_UNDO_H
#define WDM_COMPAT_UNDO_H

#include <linux/iommu.h>
#include <linux/sizes.h>

/* Get how many bytes one call may map, from an address on. */
static inline u64 wdm_map_limit(u64 iova)
{
	u64 offset = iova & (SZ_2M - 1);

	return offset ? SZ_2M - offset : U64_MAX;
}

/* A map has failed, and is unmapped again. */
static inline void wdm_map_failed(struct iommu_domain *domain)
{
	iommu_flush_iotlb_all(domain);
}

#endif /* WDM_COMPAT_UNDO_H */
