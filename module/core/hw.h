/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware domain: one iommu_domain of Linux that a domain fills.
 *
 * A domain of the contract may hold devices behind different IOMMUs, an
 * iommu_domain belongs to one; so a domain has one of these for each IOMMU
 * driver, or variant of its page tables, that its devices need.
 */
#ifndef WDM_CORE_HW_H
#define WDM_CORE_HW_H

#include <linux/iommu.h>
#include <linux/list.h>

#include "../compat/compat.h"
#include "../status.h"
#include "mdl.h"
#include "pages.h"

/**
 * struct wdm_hw - a hardware domain
 * @node: in the list of the domain
 * @domain: Linux' domain
 * @nr_groups: groups that are attached to it
 * @coherent: cache coherency is enforced
 * @exclusive: it holds what the firmware wants mapped for its only group
 * @whole_maps: the IOMMU driver unmaps what one call mapped, or nothing of it
 * @sw_msi: the window of software MSIs is set up
 * @stuck: the driver did not unmap what it was asked to: who knows what devices
 *	can still reach
 * @unmapped: a walk of a caller's tables has unmapped something
 * @gather: what it has not synced yet; both guarded by wdm_shadow.lock
 */
struct wdm_hw {
	struct list_head node;
	struct iommu_domain *domain;
	unsigned int nr_groups;
	bool coherent;
	bool exclusive;
	bool whole_maps;
	bool sw_msi;
	bool stuck;
	bool unmapped;
	struct iommu_iotlb_gather gather;
};

/**
 * enum wdm_granule - which pages of the IOMMU a map may use
 * @WDM_GRANULE_LARGE: the largest that fit
 * @WDM_GRANULE_PAGE: 4 KiB pages only
 */
enum wdm_granule {
	WDM_GRANULE_LARGE,
	WDM_GRANULE_PAGE,
};

struct wdm_hw *wdm_hw_create(struct iommu_domain *domain);
void wdm_hw_destroy(struct wdm_hw *hw);

ntstatus_t wdm_hw_map(struct wdm_hw *hw, u64 iova,
		      const struct wdm_pages *pages, u64 page, u64 nr_pages,
		      u32 perms, enum wdm_granule granule);
ntstatus_t wdm_hw_remap(struct wdm_hw *hw, u64 iova,
			const struct wdm_pages *pages, u64 page, u64 nr_pages,
			u32 perms, enum wdm_granule granule);
void wdm_hw_unmap(struct wdm_hw *hw, u64 iova, u64 size,
		  struct iommu_iotlb_gather *gather);
void wdm_hw_unmap_sync(struct wdm_hw *hw, u64 iova, u64 size);

/* What Linux calls these permissions */
static inline int wdm_prot(u32 perms)
{
	int prot = IOMMU_CACHE;

	if (perms & WDM_READ)
		prot |= IOMMU_READ;
	if (perms & WDM_WRITE)
		prot |= IOMMU_WRITE;
	return prot;
}

/**
 * wdm_hw_map_run() - Map contiguous pages with one call
 * @hw: the hardware domain; nothing is mapped there
 * @iova: where, page aligned
 * @pfn: the first page frame
 * @nr_pages: how many; one call may do so many
 * @perms: WDM_READ, WDM_WRITE
 *
 * Return: a status.
 */
static inline ntstatus_t wdm_hw_map_run(struct wdm_hw *hw, u64 iova, u64 pfn,
					u64 nr_pages, u32 perms)
{
	int ret = iommu_map(hw->domain, iova, PFN_PHYS(pfn),
			    nr_pages << PAGE_SHIFT, wdm_prot(perms),
			    GFP_KERNEL_ACCOUNT);

	return ret ? wdm_status_from_errno(ret) : STATUS_SUCCESS;
}

/**
 * wdm_hw_unmap_page() - Unmap one page
 * @hw: the hardware domain
 * @iova: where, page aligned; no large page is there
 * @gather: as for wdm_hw_unmap()
 */
static inline void wdm_hw_unmap_page(struct wdm_hw *hw, u64 iova,
				     struct iommu_iotlb_gather *gather)
{
	if (WARN_ON_ONCE(iommu_unmap_fast(hw->domain, iova, PAGE_SIZE, gather) !=
			 PAGE_SIZE))
		WRITE_ONCE(hw->stuck, true);
}

u64 wdm_hw_large_page(const struct wdm_hw *hw, u64 iova, phys_addr_t phys,
		      u64 run_first, u64 run_last);

#endif /* WDM_CORE_HW_H */
