// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Entries of ARM64 page tables: VMSAv8-64 stage 1, 4 KiB granule.
 */
#include "wdm_iommu_user.h"

static __u64 arm64_leaf(__u64 target, unsigned int level, __u32 permissions)
{
	/* A device's requests count as unprivileged: AP[1] must be set. */
	return target | WDM_ARM64_VALID | WDM_ARM64_AF | WDM_ARM64_AP_EL0 | WDM_ARM64_SH_INNER |
	       (permissions & WDM_IOMMU_WRITE ? 0 : WDM_ARM64_AP_RO) |
	       (level ? 0 : WDM_ARM64_TABLE);
}

static __u64 arm64_table(__u64 target)
{
	return target | WDM_ARM64_VALID | WDM_ARM64_TABLE;
}

/** wdm_format_arm64 - ARM64 stage 1 with the 4 KiB granule */
const struct wdm_table_format wdm_format_arm64 = {
	.name = "ARM64",
	.number = WDM_IOMMU_FORMAT_ARM64,
	.leaf = arm64_leaf,
	.table = arm64_table,
	.target = 0x0000fffffffff000ULL,
};
