// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Entries of x86-64 page tables.
 */
#include "wdm_iommu_user.h"

/* A device's requests are unprivileged: U/S must be set at every level. */
#define COMMON	(WDM_X64_PRESENT | WDM_X64_USER)

static __u64 x64_leaf(__u64 target, unsigned int level, __u32 permissions)
{
	return target | COMMON | (permissions & WDM_IOMMU_WRITE ? WDM_X64_WRITE : 0) |
	       (level ? WDM_X64_LARGE : 0);
}

static __u64 x64_table(__u64 target)
{
	return target | COMMON | WDM_X64_WRITE;
}

/** wdm_format_x64 - x86-64, 4 or 5 levels */
const struct wdm_table_format wdm_format_x64 = {
	.name = "x86-64",
	.number = WDM_IOMMU_FORMAT_X64,
	.leaf = x64_leaf,
	.table = x64_table,
	.target = 0x000ffffffffff000ULL,
};
