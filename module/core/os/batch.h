/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Batch: maps and unmaps of an OS-managed domain, one after the other, for which
 * the IOTLB is synced once. A single call is a batch of one.
 */
#ifndef WDM_CORE_BATCH_H
#define WDM_CORE_BATCH_H

#include "../hwpt_set.h"

/**
 * struct wdm_batch - operations on a domain
 * @domain: the domain
 * @held: @range is held
 * @first: the first page that no other call may touch while they are
 * @last: the last one
 * @range: the domain's record of these pages
 * @stale_first: first page of all that was unmapped and not synced yet
 * @stale_last: last page; below @stale_first if there is none
 * @gather: what is to be synced, for the first hwpt
 * @put_list: pages that were unmapped; their MDLs count as used until the end
 */
struct wdm_batch {
	struct wdm_domain *domain;
	bool held;
	u64 first;
	u64 last;
	struct wdm_range range;
	u64 stale_first;
	u64 stale_last;
	struct iommu_iotlb_gather gather;
	struct wdm_put_list put_list;
};

ntstatus_t wdm_batch_begin(struct wdm_batch *batch, struct wdm_domain *domain,
			   u64 first, u64 last);
void wdm_batch_end(struct wdm_batch *batch);

ntstatus_t wdm_batch_map(struct wdm_batch *batch, u32 perms,
			 struct wdm_mdl *mdl, u64 mdl_page, u64 nr_pages,
			 u64 logical);
ntstatus_t wdm_batch_unmap(struct wdm_batch *batch, u64 logical, u64 nr_pages);

/* For identity.c, which makes checks of its own */
ntstatus_t wdm_check_perms(const struct wdm_mdl *mdl, u32 perms);
ntstatus_t wdm_batch_hold(struct wdm_batch *batch, u64 first, u64 last);
ntstatus_t wdm_batch_map_extent(struct wdm_batch *batch,
				const struct wdm_extent *ext);
ntstatus_t wdm_batch_remove(struct wdm_batch *batch, u64 first, u64 last,
			    bool whole, gfp_t gfp);

ntstatus_t wdm_domain_map(struct wdm_domain *domain, u32 perms,
			  struct wdm_mdl *mdl, u64 mdl_page, u64 nr_pages,
			  u64 logical);
ntstatus_t wdm_domain_unmap(struct wdm_domain *domain, u64 logical,
			    u64 nr_pages);

#endif /* WDM_CORE_BATCH_H */
