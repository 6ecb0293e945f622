/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All hwpts of a domain: what is mapped in one is mapped in each.
 */
#ifndef WDM_CORE_HWPT_SET_H
#define WDM_CORE_HWPT_SET_H

#include "domain.h"

/**
 * wdm_domain_fits() - May these addresses be mapped for all attached devices?
 * @domain: the domain; locked, at least against attach and detach
 * @iova: the first logical address
 * @last_iova: the last one
 *
 * Return: whether all IOMMUs can translate them and none is reserved.
 */
static inline bool wdm_domain_fits(const struct wdm_domain *domain, u64 iova,
				   u64 last_iova)
{
	const struct wdm_allowed *allowed = &domain->allowed;

	return likely(wdm_iova_range_holds(&allowed->widest, iova,
					   last_iova)) ||
	       wdm_allowed_search(allowed, iova, last_iova);
}

ntstatus_t wdm_hwpts_map(struct wdm_domain *domain,
			 const struct wdm_mapping *map);
void wdm_hwpts_unmap(struct wdm_domain *domain, u64 iova, u64 size);
void wdm_hwpts_unmap_gather(struct wdm_domain *domain, u64 iova, u64 size);
void wdm_hwpts_sync(struct wdm_domain *domain);
bool wdm_hwpts_broken(const struct wdm_domain *domain);

/**
 * wdm_hwpts_settle() - Finish unmapping pages
 * @domain: the domain; nobody attaches or detaches
 * @put_list: the MDLs of pages that were unmapped and synced, for
 *	wdm_put_list_release()
 *
 * If an IOMMU driver failed, the pages stay pinned: better a leak than a device in
 * somebody else's memory.
 */
static inline void wdm_hwpts_settle(const struct wdm_domain *domain,
				    struct wdm_put_list *put_list)
{
	if (unlikely(wdm_hwpts_broken(domain)))
		wdm_put_list_leak(put_list);
}

#endif /* WDM_CORE_HWPT_SET_H */
