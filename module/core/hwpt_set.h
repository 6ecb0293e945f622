/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All hwpts of a domain, which map the same.
 */
#ifndef WDM_CORE_HWPT_SET_H
#define WDM_CORE_HWPT_SET_H

#include "domain.h"

/**
 * wdm_domain_fits() - Check whether addresses can be mapped for all attached devices
 * @domain: the domain, locked at least against attach and detach
 * @iova: the first logical address
 * @last_iova: the last one
 *
 * Return: true if all IOMMUs can translate them and none is reserved.
 */
static inline bool wdm_domain_fits(const struct wdm_domain *domain, u64 iova,
				   u64 last_iova)
{
	const struct wdm_allowed *allowed = &domain->allowed;

	return likely(wdm_iova_range_holds(&allowed->widest, iova,
					   last_iova)) ||
	       wdm_allowed_search(allowed, iova, last_iova);
}

/* Check that an extent of logical pages may be mapped for all attached devices. */
static inline bool wdm_extent_fits(const struct wdm_domain *domain,
				   const struct wdm_extent *ext)
{
	u64 last_pgno = wdm_extent_end(ext) - 1;

	return wdm_domain_fits(domain, ext->pgno << PAGE_SHIFT,
			       (last_pgno << PAGE_SHIFT) | ~PAGE_MASK);
}

ntstatus_t wdm_hwpts_map(struct wdm_domain *domain,
			 const struct wdm_mapping *map);
ntstatus_t wdm_hwpts_map_extent(struct wdm_domain *domain,
				const struct wdm_extent *ext);
void wdm_hwpts_unmap(struct wdm_domain *domain, u64 iova, u64 size);
void wdm_hwpts_unmap_gather(struct wdm_domain *domain, u64 iova, u64 size);
void wdm_hwpts_sync(struct wdm_domain *domain);
bool wdm_hwpts_broken(const struct wdm_domain *domain);

/**
 * wdm_hwpts_settle() - Finish an unmap
 * @domain: the domain, locked against attach and detach
 * @put_list: the MDLs of pages that were unmapped and synced, for
 *	wdm_put_list_release()
 *
 * Leaks the pages if an IOMMU driver has failed to unmap; see wdm_hwpts_broken().
 */
static inline void wdm_hwpts_settle(const struct wdm_domain *domain,
				    struct wdm_put_list *put_list)
{
	if (unlikely(wdm_hwpts_broken(domain)))
		wdm_put_list_leak(put_list);
}

/* Remove what was inserted into the mapping table, but is not mapped. */
static inline void wdm_hwpts_drop_extent(struct wdm_domain *domain,
					 const struct wdm_extent *ext)
{
	wdm_mappings_remove(&domain->mappings, ext->pgno, wdm_extent_end(ext) - 1);
	if (!wdm_hwpts_broken(domain))
		wdm_mdl_unuse(ext->mdl, ext->nr_pages);
}

#endif /* WDM_CORE_HWPT_SET_H */
