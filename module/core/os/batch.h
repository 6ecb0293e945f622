/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Batch: a sequence of maps and unmaps in an OS-managed domain that share one IOTLB
 * sync, unless they unmap more than a GiB. A single call is a batch of one.
 */
#ifndef WDM_CORE_OS_BATCH_H
#define WDM_CORE_OS_BATCH_H

#include "iova.h"

/**
 * struct wdm_batch - a batch in progress
 * @domain: the domain
 * @held: @range is held
 * @pgno: the first page number of @range
 * @last_pgno: the last page number of @range
 * @range: the pages that no other call may change
 * @nr_stale: number of pages that were unmapped and not synced yet
 * @stale_pgno: the first such page
 * @stale_last_pgno: the last such page; below @stale_pgno if there is none
 * @gather: what to sync in the first hwpt
 * @put_list: the MDLs of unmapped pages
 * @nr_maps: number of successful maps, not yet added to the domain's counters
 * @nr_unmaps: likewise, unmaps
 * @nr_syncs: likewise, syncs
 */
struct wdm_batch {
	struct wdm_domain *domain;
	bool held;
	u64 pgno;
	u64 last_pgno;
	struct wdm_range range;
	u64 nr_stale;
	u64 stale_pgno;
	u64 stale_last_pgno;
	struct iommu_iotlb_gather gather;
	struct wdm_put_list put_list;
	u32 nr_maps;
	u32 nr_unmaps;
	u32 nr_syncs;
};

ntstatus_t wdm_batch_begin(struct wdm_batch *batch, struct wdm_domain *domain,
			   u64 pgno, u64 last_pgno);
void wdm_batch_end(struct wdm_batch *batch);
ntstatus_t wdm_batch_hold(struct wdm_batch *batch, u64 pgno, u64 last_pgno);

ntstatus_t wdm_batch_map(struct wdm_batch *batch, u32 perms,
			 const struct wdm_mdl_range *range, u64 iova);
ntstatus_t wdm_batch_map_alloc(struct wdm_batch *batch, u32 perms,
			       const struct wdm_mdl_range *range,
			       const struct wdm_limits *limits, u64 *iova);
ntstatus_t wdm_batch_unmap(struct wdm_batch *batch, u64 iova, u64 nr_pages);

/**
 * wdm_batch_begin_held() - Begin a batch, and lock its pages
 * @batch: the batch
 * @domain: the domain
 * @pgno: the first page number
 * @last_pgno: the last page number
 *
 * Return: as wdm_batch_begin(); STATUS_CANCELLED on a fatal signal. On failure, do not call
 * wdm_batch_end().
 */
static inline ntstatus_t wdm_batch_begin_held(struct wdm_batch *batch,
					      struct wdm_domain *domain,
					      u64 pgno, u64 last_pgno)
{
	ntstatus_t status = wdm_batch_begin(batch, domain, pgno, last_pgno);

	if (!wdm_ok(status))
		return status;
	status = wdm_batch_hold(batch, pgno, last_pgno);
	if (!wdm_ok(status))
		wdm_batch_end(batch);
	return status;
}

/**
 * wdm_batch_check_map() - Check that pages can be mapped at an address of the caller's choice
 * @batch: the batch, which holds the pages
 * @pgno: the first page number
 * @last_pgno: the last page number
 *
 * Return: STATUS_RESOURCE_IN_USE if a reserved region or a token has one of the pages.
 */
static inline ntstatus_t wdm_batch_check_map(struct wdm_batch *batch, u64 pgno, u64 last_pgno)
{
	if (!wdm_iova_space_used(&batch->domain->space))
		return STATUS_SUCCESS;
	return wdm_iova_check_map(batch->domain, pgno, last_pgno);
}

/* For identity.c and token.c */
ntstatus_t wdm_check_map(u32 perms, const struct wdm_mdl_range *range);
ntstatus_t wdm_batch_alloc(struct wdm_batch *batch, struct wdm_iova_block *block,
			   u64 nr_pages, const struct wdm_limits *limits,
			   enum wdm_iova_kind kind);
ntstatus_t wdm_batch_yield(struct wdm_batch *batch);
ntstatus_t wdm_batch_map_extent(struct wdm_batch *batch,
				const struct wdm_extent *ext);
ntstatus_t wdm_batch_check_unmap(struct wdm_batch *batch, u64 pgno, u64 last_pgno);
ntstatus_t wdm_batch_prepare(struct wdm_batch *batch, u64 pgno, u64 last_pgno);
void wdm_batch_remove(struct wdm_batch *batch, u64 pgno, u64 last_pgno);
void wdm_batch_undo(struct wdm_batch *batch, struct wdm_mdl *mdl, u64 nr_pages);

ntstatus_t wdm_domain_map(struct wdm_domain *domain, u32 perms,
			  const struct wdm_mdl_range *range, u64 iova);
ntstatus_t wdm_domain_map_alloc(struct wdm_domain *domain, u32 perms,
				const struct wdm_mdl_range *range,
				const struct wdm_limits *limits, u64 *iova);
ntstatus_t wdm_domain_unmap(struct wdm_domain *domain, u64 iova, u64 nr_pages);

#endif /* WDM_CORE_OS_BATCH_H */
