// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware domain: one iommu_domain of Linux that a domain fills.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "hw.h"

/**
 * wdm_hw_create() - Take over an iommu_domain
 * @domain: empty, of type IOMMU_DOMAIN_UNMANAGED
 *
 * Return: the hardware domain, which owns @domain; or NULL, when out of memory.
 */
struct wdm_hw *wdm_hw_create(struct iommu_domain *domain)
{
	struct wdm_hw *hw = kzalloc(sizeof(*hw), GFP_KERNEL_ACCOUNT);

	if (hw)
		hw->domain = domain;
	return hw;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_create);

/**
 * wdm_hw_destroy() - Free a hardware domain and its iommu_domain
 * @hw: no group is attached, and nothing is mapped
 */
void wdm_hw_destroy(struct wdm_hw *hw)
{
	iommu_domain_free(hw->domain);
	kfree(hw);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_destroy);

/*
 * The largest page that is ever used, and the most that is mapped or unmapped
 * before others may have the CPU.
 */
#define WDM_HW_STEP	((u64)SZ_1G)

/* The largest of the IOMMU's pages that fits. */
static u64 wdm_hw_page(const struct wdm_hw *hw, u64 iova, phys_addr_t phys,
		       u64 size)
{
	u64 sizes = hw->domain->pgsize_bitmap & (2 * WDM_HW_STEP - 1) &
		    GENMASK_ULL(__fls(size), PAGE_SHIFT);

	if (iova | phys)
		sizes &= GENMASK_ULL(__ffs64(iova | phys), 0);
	return BIT_ULL(__fls(sizes));
}

/*
 * How much to map with one call. iommu_map() takes the largest page that fits
 * into it. Pieces that are smaller than the second page size, cut at multiples
 * of half of it, leave it nothing but 4 KiB pages. Where a call is what can be
 * unmapped, a call is a page.
 */
static u64 wdm_hw_piece(const struct wdm_hw *hw, u64 iova, phys_addr_t phys,
			u64 size, enum wdm_granule granule)
{
	unsigned long larger = hw->domain->pgsize_bitmap & ~(2 * PAGE_SIZE - 1);
	u64 piece = WDM_HW_STEP;

	if (hw->whole_maps)
		return granule == WDM_GRANULE_PAGE ?
		       PAGE_SIZE : wdm_hw_page(hw, iova, phys, size);
	if (granule == WDM_GRANULE_PAGE && larger)
		piece = BIT_ULL(__ffs(larger)) / 2;
	return min(size, piece - (iova & (piece - 1)));
}

/**
 * wdm_hw_map() - Map pages of an MDL
 * @hw: the hardware domain; nothing is mapped in the range
 * @iova: where, page aligned
 * @mdl: the MDL
 * @mdl_page: its first page to map
 * @nr_pages: pages
 * @perms: WDM_READ, WDM_WRITE
 * @granule: which pages of the IOMMU to use
 *
 * Maps everything or nothing. May be called for disjoint ranges side by side.
 *
 * Return: a status; STATUS_CANCELLED when a fatal signal came.
 */
ntstatus_t wdm_hw_map(struct wdm_hw *hw, u64 iova, const struct wdm_mdl *mdl,
		      u64 mdl_page, u64 nr_pages, u32 perms,
		      enum wdm_granule granule)
{
	u64 done = 0;
	int prot = IOMMU_CACHE;
	int ret = 0;

	if (perms & WDM_READ)
		prot |= IOMMU_READ;
	if (perms & WDM_WRITE)
		prot |= IOMMU_WRITE;

	while (done < nr_pages) {
		u64 pfn, run, piece;

		run = wdm_mdl_run(mdl, mdl_page + done, nr_pages - done, &pfn);
		run <<= PAGE_SHIFT;
		piece = wdm_hw_piece(hw, iova + (done << PAGE_SHIFT),
				     PFN_PHYS(pfn), run, granule);
		ret = iommu_map(hw->domain, iova + (done << PAGE_SHIFT),
				PFN_PHYS(pfn), piece, prot, GFP_KERNEL_ACCOUNT);
		if (ret)
			break;
		done += piece >> PAGE_SHIFT;
		if (fatal_signal_pending(current) && done < nr_pages) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}

	if (ret && done)
		wdm_hw_unmap_sync(hw, iova, done << PAGE_SHIFT);
	return wdm_status_from_errno(ret);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_map);

/**
 * wdm_hw_unmap() - Unmap a range that is mapped throughout
 * @hw: the hardware domain
 * @iova: where, page aligned; no large page may stick out of the range
 * @size: bytes
 * @gather: collects what is to be synced; until it is, the pages stay pinned
 */
void wdm_hw_unmap(struct wdm_hw *hw, u64 iova, u64 size,
		  struct iommu_iotlb_gather *gather)
{
	while (size) {
		u64 part = min(size, WDM_HW_STEP - (iova & (WDM_HW_STEP - 1)));
		size_t got = iommu_unmap_fast(hw->domain, iova, part, gather);

		/* Page by page, as it was mapped, it can be unmapped. */
		if (WARN_ON_ONCE(got < part || got > size)) {
			WRITE_ONCE(hw->stuck, true);
			return;
		}
		iova += got;
		size -= got;
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_unmap);

/**
 * wdm_hw_unmap_sync() - Unmap a range, and wait until no translation is cached
 * @hw: the hardware domain
 * @iova: as for wdm_hw_unmap()
 * @size: bytes
 */
void wdm_hw_unmap_sync(struct wdm_hw *hw, u64 iova, u64 size)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	wdm_hw_unmap(hw, iova, size, &gather);
	iommu_iotlb_sync(hw->domain, &gather);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_unmap_sync);

/**
 * wdm_hw_large_page() - The largest page of the IOMMU that may span an address
 * @hw: the hardware domain
 * @iova: an address that is mapped
 * @phys: what it maps
 * @run_first: first address of the contiguous run that was mapped around it
 * @run_last: last address of the run
 *
 * The IOMMU API cannot be asked which page it took; this is the largest that it
 * can have taken.
 *
 * Return: its size, at least PAGE_SIZE.
 */
u64 wdm_hw_large_page(const struct wdm_hw *hw, u64 iova, phys_addr_t phys,
		      u64 run_first, u64 run_last)
{
	unsigned long sizes = hw->domain->pgsize_bitmap &
			      (2 * WDM_HW_STEP - 1) & ~(PAGE_SIZE - 1);

	while (sizes) {
		unsigned int shift = __fls(sizes);
		u64 size = BIT_ULL(shift);
		u64 start = iova & ~(size - 1);

		if (start >= run_first && start + size - 1 <= run_last &&
		    !((iova ^ phys) & (size - 1)))
			return size;
		sizes &= ~BIT(shift);
	}
	return PAGE_SIZE;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_large_page);
