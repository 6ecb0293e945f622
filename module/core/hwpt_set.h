/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All hwpts of a domain: what is mapped in one is mapped in each.
 */
#ifndef WDM_CORE_HWPT_SET_H
#define WDM_CORE_HWPT_SET_H

#include "domain.h"

bool wdm_domain_fits(const struct wdm_domain *domain, u64 iova, u64 last_iova);
ntstatus_t wdm_hwpts_map(struct wdm_domain *domain,
			 const struct wdm_mapping *map);
void wdm_hwpts_unmap(struct wdm_domain *domain, u64 iova, u64 size);
bool wdm_hwpts_broken(const struct wdm_domain *domain);

ntstatus_t wdm_hwpt_fill_record(struct wdm_domain *domain,
				struct wdm_hwpt *hwpt, enum wdm_pgsize pgsize);
void wdm_hwpt_clear_record(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			   u64 last_pgno);

#endif /* WDM_CORE_HWPT_SET_H */
