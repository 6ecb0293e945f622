/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attach and detach: hwpts come and go with the groups that need them.
 */
#ifndef WDM_CORE_ATTACH_H
#define WDM_CORE_ATTACH_H

#include "domain.h"
#include "owner.h"

bool wdm_unsafe_interrupts_allowed(void);

ntstatus_t wdm_domain_attach(struct wdm_domain *domain, struct wdm_group *group,
			     struct device *dev);
void wdm_domain_detach(struct wdm_domain *domain, struct wdm_group *group);
ntstatus_t wdm_domain_adopt(struct wdm_domain *domain,
			    struct iommu_domain *iommu_domain);
void wdm_domain_disown(struct wdm_domain *domain,
		       struct iommu_domain *iommu_domain);

#endif /* WDM_CORE_ATTACH_H */
