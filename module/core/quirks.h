/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Properties of IOMMU drivers that the IOMMU API does not expose.
 */
#ifndef WDM_CORE_QUIRKS_H
#define WDM_CORE_QUIRKS_H

#include <linux/types.h>

struct device;
struct iommu_domain;

bool wdm_quirk_unmaps_exact(struct device *dev);
bool wdm_quirk_reports_faults(struct device *dev);
u64 wdm_quirk_last_iova(const struct iommu_domain *iommu_domain);

#endif /* WDM_CORE_QUIRKS_H */
