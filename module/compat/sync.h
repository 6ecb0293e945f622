/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IOTLB syncs for Intel's IOMMU driver before Linux 6.10, with first-stage tables.
 *
 * It rounds the number of pages up to a power of two and the address down to a multiple of
 * that, and flushes no more: for 2 pages from page 3 on, it flushes pages 2 and 3. Devices
 * keep access to the rest. So widen the range to an aligned one. With second-stage tables
 * the driver does the same itself, so this costs nothing there.
 *
 * KUnit tests this on newer kernels as well.
 */
#ifndef WDM_COMPAT_SYNC_H
#define WDM_COMPAT_SYNC_H

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/iommu.h>
#include <linux/sizes.h>

/* The most that hardware flushes at once; beyond that, flush everything. */
#define WDM_COMPAT_SYNC_MAX	SZ_1G

static inline void wdm_compat_iotlb_sync(struct iommu_domain *domain,
					 struct iommu_iotlb_gather *gather)
{
	unsigned long mask;

	/* A single page is aligned. In an empty gather, @end - @start is 0 - ULONG_MAX = 1. */
	if (gather->end - gather->start >= PAGE_SIZE) {
		mask = GENMASK(__fls(gather->start ^ gather->end), 0);
		if (mask < WDM_COMPAT_SYNC_MAX) {
			gather->start &= ~mask;
			gather->end |= mask;
		} else {
			iommu_flush_iotlb_all(domain);
		}
	}
	iommu_iotlb_sync(domain, gather);
}

#endif /* WDM_COMPAT_SYNC_H */
