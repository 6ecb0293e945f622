/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Properties of IOMMU drivers that the IOMMU API does not expose.
 */
#ifndef WDM_CORE_QUIRKS_H
#define WDM_CORE_QUIRKS_H

#include "resv.h"

bool wdm_quirk_unmaps_exact(struct device *dev);
bool wdm_quirk_reports_faults(struct device *dev);
struct wdm_iova_range wdm_quirk_aperture(const struct iommu_domain *iommu_domain);

#endif /* WDM_CORE_QUIRKS_H */
