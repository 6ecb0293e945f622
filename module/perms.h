/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Permissions of a mapping, and the access that an MDL allows.
 */
#ifndef WDM_PERMS_H
#define WDM_PERMS_H

#include <linux/bits.h>

/* The contract's bits; same as WDM_IOMMU_READ and WDM_IOMMU_WRITE */
#define WDM_READ	BIT(0)
#define WDM_WRITE	BIT(1)
#define WDM_PERMS	(WDM_READ | WDM_WRITE)

/* Mapping tables only: map by 4 KiB pages, whatever the domain uses otherwise */
#define WDM_SMALL	BIT(2)

#endif /* WDM_PERMS_H */
