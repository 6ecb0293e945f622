/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HWPT: one iommu_domain, filled by a domain.
 *
 * A domain of the contract may have devices behind different IOMMUs, while an
 * iommu_domain belongs to one. So a domain has a hwpt for each IOMMU driver, or variant
 * of its page tables, that its devices need.
 */
#ifndef WDM_CORE_HWPT_H
#define WDM_CORE_HWPT_H

#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "../perms.h"
#include "../status.h"
#include "pages.h"
#include "resv.h"

/* The largest IOMMU page used, and the most work between calls of cond_resched() */
#define WDM_HWPT_STEP		((u64)SZ_1G)
#define WDM_HWPT_STEP_PAGES	(WDM_HWPT_STEP >> PAGE_SHIFT)

/* A last-level table covers at least this much in all formats of Linux' IOMMU drivers. */
#define WDM_HWPT_TABLE_PAGES	((u64)SZ_1M >> PAGE_SHIFT)

/*
 * Sync after this many unmapped pages. A sync frees the page tables that have become empty, 512
 * of 4 KiB pages, without a break; until then they exist, although no budget counts them.
 */
#define WDM_HWPT_STALE_PAGES	((u64)SZ_1G >> PAGE_SHIFT)

/**
 * struct wdm_hwpt - a hwpt
 * @node: in wdm_domain.hwpts
 * @domain: the iommu_domain
 * @gfp: for memory that maps allocate; GFP_ATOMIC if calls may be in atomic context
 * @aperture: the addresses that can be mapped; final after the first attach
 * @filled: the first page number that an attach has not filled yet, U64_MAX once the hwpt
 *	is complete: what the domain maps below this is mapped here
 * @users: attachments that use it
 * @coherent: cache coherency is enforced; before the first attach, whether the IOMMU can
 * @exclusive: it maps the direct regions of its only group
 * @unmap_exact: an unmap must cover everything that one call mapped
 * @pasids: it was allocated for PASIDs
 * @sw_msi: the window of software MSIs is set up
 * @reports_faults: the IOMMU driver reports faults
 * @broken: the driver failed to unmap something, so devices may still reach it
 * @nr_gathered: number of pages that a walk of a caller's tables, or a call in atomic context,
 *	has unmapped and not synced yet
 * @gather: what to sync for them; both guarded by wdm_shadow.lock, or by wdm_domain.lock if
 *	the domain is atomic
 * @revoking: while an attach fills it and no other call sees it: the number of groups
 *	and devices being revoked; unless it is 0, the attach backs off. Otherwise NULL
 */
struct wdm_hwpt {
	struct list_head node;
	struct iommu_domain *domain;
	gfp_t gfp;
	struct wdm_iova_range aperture;
	u64 filled;
	unsigned int users;
	bool coherent;
	bool exclusive;
	bool unmap_exact;
	bool pasids;
	bool sw_msi;
	bool reports_faults;
	bool broken;
	u64 nr_gathered;
	struct iommu_iotlb_gather gather;
	const atomic_t *revoking;
};

/*
 * Drivers free the translations of an iommu_domain with it. But debug_pagealloc of the
 * IOMMU core counts translations, and has to see each of them unmapped.
 */
#ifndef WDM_HWPT_FREE_EMPTY
#define WDM_HWPT_FREE_EMPTY	IS_ENABLED(CONFIG_IOMMU_DEBUG_PAGEALLOC)
#endif

/**
 * enum wdm_pgsize - IOMMU page sizes that a map may use
 * @WDM_PGSIZE_ANY: the largest that fit
 * @WDM_PGSIZE_MIN: 4 KiB only
 */
enum wdm_pgsize {
	WDM_PGSIZE_ANY,
	WDM_PGSIZE_MIN,
};

/**
 * struct wdm_mapping - pages, and where to map them
 * @iova: the first logical address, page aligned
 * @pages: the pages
 * @page: number of the first one to map
 * @nr_pages: number of pages
 * @perms: WDM_READ, WDM_WRITE, WDM_SMALL
 * @pgsize: IOMMU page sizes to use
 */
struct wdm_mapping {
	u64 iova;
	const struct wdm_pages *pages;
	u64 page;
	u64 nr_pages;
	u32 perms;
	enum wdm_pgsize pgsize;
};

struct wdm_hwpt *wdm_hwpt_create(struct iommu_domain *domain, gfp_t gfp);
void wdm_hwpt_destroy(struct wdm_hwpt *hwpt);

ntstatus_t wdm_hwpt_map(struct wdm_hwpt *hwpt, const struct wdm_mapping *map,
			bool killable);
void wdm_hwpt_unmap_range(struct wdm_hwpt *hwpt, u64 iova, u64 size,
			  struct iommu_iotlb_gather *gather);
void wdm_hwpt_unmap_sync(struct wdm_hwpt *hwpt, u64 iova, u64 size);
ntstatus_t wdm_hwpt_prefill(struct wdm_hwpt *hwpt, u64 pgno, u64 last_pgno);
ntstatus_t wdm_hwpt_map_failed(struct wdm_hwpt *hwpt, int err);

/* Convert permissions to IOMMU_READ etc. */
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
 * wdm_hwpt_map_contig() - Map contiguous pages with one call
 * @hwpt: the hwpt; nothing is mapped there
 * @iova: first address, page aligned
 * @pfn: the first page frame
 * @nr_pages: number of pages, few enough for one call
 * @perms: WDM_READ, WDM_WRITE
 *
 * Context: any, if @hwpt->gfp is GFP_ATOMIC.
 * Return: the errno of the IOMMU driver as a status.
 */
static inline ntstatus_t wdm_hwpt_map_contig(struct wdm_hwpt *hwpt, u64 iova, u64 pfn,
					     u64 nr_pages, u32 perms)
{
	int ret = iommu_map(hwpt->domain, iova, PFN_PHYS(pfn),
			    nr_pages << PAGE_SHIFT, wdm_prot(perms), hwpt->gfp);

	return ret ? wdm_hwpt_map_failed(hwpt, ret) : STATUS_SUCCESS;
}

/**
 * wdm_hwpt_unmap_page() - Unmap one page
 * @hwpt: the hwpt
 * @iova: its address, page aligned; mapped by an IOMMU page of its own
 * @gather: as for wdm_hwpt_unmap()
 */
static inline void wdm_hwpt_unmap_page(struct wdm_hwpt *hwpt, u64 iova,
				       struct iommu_iotlb_gather *gather)
{
	if (WARN_ON_ONCE(iommu_unmap_fast(hwpt->domain, iova, PAGE_SIZE, gather) !=
			 PAGE_SIZE))
		WRITE_ONCE(hwpt->broken, true);
}

/**
 * wdm_hwpt_unmap() - Unmap a range that is mapped throughout
 * @hwpt: the hwpt
 * @iova: first address, page aligned; no IOMMU page extends beyond the range
 * @size: number of bytes
 * @gather: collects what to sync before the pages are unpinned
 *
 * Context: as for wdm_hwpt_map().
 */
static inline void wdm_hwpt_unmap(struct wdm_hwpt *hwpt, u64 iova, u64 size,
				  struct iommu_iotlb_gather *gather)
{
	if (size == PAGE_SIZE)
		wdm_hwpt_unmap_page(hwpt, iova, gather);
	else
		wdm_hwpt_unmap_range(hwpt, iova, size, gather);
}

/**
 * wdm_hwpt_reached() - Count the leading pages that an attach has filled
 * @hwpt: the hwpt
 * @pgno: the first page number
 * @nr_pages: number of pages
 *
 * An attach that fills the hwpt maps each page as the table has it when the attach gets
 * there. So a map or unmap leaves pages alone that the attach has not reached.
 *
 * Return: number of pages from @pgno on that must be mapped in this hwpt.
 */
static inline u64 wdm_hwpt_reached(const struct wdm_hwpt *hwpt, u64 pgno,
				   u64 nr_pages)
{
	return pgno < hwpt->filled ? min(nr_pages, hwpt->filled - pgno) : 0;
}

/* cond_resched(), unless the hwpt is used in atomic context */
static inline void wdm_hwpt_resched(const struct wdm_hwpt *hwpt)
{
	if (gfpflags_allow_blocking(hwpt->gfp))
		cond_resched();
}

/* Check whether a failing map has to undo its work. A hwpt being filled is freed instead. */
static inline bool wdm_hwpt_must_undo(const struct wdm_hwpt *hwpt)
{
	return WDM_HWPT_FREE_EMPTY || !hwpt->revoking;
}

/* Check whether an attach that fills the hwpt has to back off for a revocation. */
static inline bool wdm_hwpt_must_yield(const struct wdm_hwpt *hwpt)
{
	return hwpt->revoking && atomic_read(hwpt->revoking);
}

bool wdm_hwpt_maps_small(const struct wdm_hwpt *hwpt, u64 iova, phys_addr_t phys);
u64 wdm_hwpt_large_page(const struct wdm_hwpt *hwpt, u64 iova, phys_addr_t phys,
			u64 run_first, u64 run_last);

#endif /* WDM_CORE_HWPT_H */
