/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unmap for Intel's IOMMU driver before Linux 6.19.
 *
 * Its unmap first puts the page tables that a range covers on gather->freelist, and then
 * adds the range to the gather. If the range is disjoint from the gathered one, or of
 * another page size, adding it syncs the old range only, and then frees the whole list.
 * That includes the tables of the new range, which is not flushed yet: a device may walk
 * freed memory. So sync before the driver would.
 *
 * KUnit tests this on newer kernels as well.
 */
#ifndef WDM_COMPAT_UNMAP_H
#define WDM_COMPAT_UNMAP_H

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/iommu.h>

/* Get how much the IOMMU core passes to the driver at a time: pages of one size. */
static inline size_t wdm_compat_unmap_piece(unsigned long pgsizes,
					    unsigned long iova, size_t size)
{
	unsigned long fit = pgsizes & GENMASK(__fls(size), 0);
	unsigned int shift;
	size_t next, offset;

	if (size == PAGE_SIZE)
		return size;
	if (iova)
		fit &= GENMASK(__ffs(iova), 0);
	shift = __fls(fit);
	pgsizes &= ~GENMASK(shift, 0);
	if (pgsizes) {
		next = BIT(__ffs(pgsizes));
		offset = next - (iova & (next - 1));
		/* Stop where a page of the next size fits. */
		if (offset + next <= size)
			size = offset;
	}
	return size >> shift << shift;
}

/* Check whether the driver would sync what is gathered before it adds this piece. */
static inline bool wdm_compat_must_sync(struct iommu_iotlb_gather *gather,
					unsigned long iova, size_t size)
{
	/* Drivers that gather ranges of any page size leave @pgsize at 0. */
	return gather->pgsize &&
	       (gather->pgsize != size ||
		iommu_iotlb_gather_is_disjoint(gather, iova, size));
}

static inline size_t
wdm_compat_iommu_unmap_fast(struct iommu_domain *domain, unsigned long iova,
			    size_t size, struct iommu_iotlb_gather *gather)
{
	size_t done = 0, piece, got;

	while (done < size) {
		piece = wdm_compat_unmap_piece(domain->pgsize_bitmap,
					       iova + done, size - done);
		if (wdm_compat_must_sync(gather, iova + done, piece))
			iommu_iotlb_sync(domain, gather);
		got = iommu_unmap_fast(domain, iova + done, piece, gather);
		if (!got)
			break;
		done += got;
	}
	return done;
}

#endif /* WDM_COMPAT_UNMAP_H */
