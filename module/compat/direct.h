/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Direct mappings: since 6.6 Linux does not block a device whose firmware requires them.
 */
#ifndef WDM_COMPAT_DIRECT_H
#define WDM_COMPAT_DIRECT_H

#include <linux/iommu.h>

/* Check whether a device, which is part of an IOMMU group, cannot be blocked. */
static inline bool wdm_requires_direct(const struct device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return dev->iommu && dev->iommu->require_direct;
#else
	return false;
#endif
}

#endif /* WDM_COMPAT_DIRECT_H */
