// SPDX-License-Identifier: GPL-2.0
/*
 * wdm_iommu: the DMA remapping interface of the Windows kernel. Start and stop.
 */
#include <linux/module.h>

#include "core/fault.h"

static int __init wdm_iommu_init(void)
{
	return wdm_fault_init();
}

static void __exit wdm_iommu_exit(void)
{
	wdm_fault_exit();
}

module_init(wdm_iommu_init);
module_exit(wdm_iommu_exit);

MODULE_DESCRIPTION("DMA remapping interface of the Windows kernel");
MODULE_LICENSE("GPL");
