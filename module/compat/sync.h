/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IOTLB syncs for Intel's IOMMU driver before Linux 6.10, with first-stage tables.
 *
 * It rounds the number of pages up to a power of two, and the address down to a multiple
 * of that, and flushes no more: of 2 pages from page 3 on, pages 2 and 3. A device goes on
 * reaching the rest. So widen the range to one that is aligned. With second-stage tables
 * the driver does the same by itself, so that costs nothing there.
 *
 * KUnit tests this on newer kernels, too.
 */
#ifndef WDM_COMPAT_SYNC_H
#define WDM_COMPAT_SYNC_H

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/iommu.h>
#include <linux/sizes.h>

/* What hardware flushes at once, at most; beyond that, flush everything. */
#define WDM_COMPAT_SYNC_MAX	SZ_1G

static inline void wdm_compat_iotlb_sync(struct iommu_domain *domain,
					 struct iommu_iotlb_gather *gather)
{
	unsigned long mask;

	/* Nothing is gathered if the start is beyond the end. */
	if (gather->start < gather->end) {
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
