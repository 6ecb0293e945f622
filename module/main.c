// SPDX-License-Identifier: GPL-2.0
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * wdm_iommu: the DMA remapping interface of the Windows kernel. Initialization and removal.
 */
#include <linux/mm.h>
#include <linux/module.h>

#include "chardev/chardev.h"
#include "core/fault.h"
#include "core/mappings.h"
#include "vfio/container.h"
#include "wdk/wdk.h"

/* Pages of the contract, of its formats and of the kernel are the same. */
static_assert(PAGE_SIZE == 4096);
/* An extent of a record is a word. */
static_assert(BITS_PER_LONG == 64);

static int __init wdm_iommu_init(void)
{
	int ret;

	ret = wdm_mappings_init_module();
	if (ret)
		return ret;
	ret = wdm_fault_init();
	if (ret)
		goto mappings;
	ret = wdk_init();
	if (ret)
		goto fault;
	ret = wdm_chardev_init();
	if (ret)
		goto wdk;
	ret = wdm_vfio_init();
	if (ret)
		goto chardev;
	return 0;

chardev:
	wdm_chardev_exit();
wdk:
	wdk_exit();
fault:
	wdm_fault_exit();
mappings:
	wdm_mappings_exit_module();
	return ret;
}

static void __exit wdm_iommu_exit(void)
{
	wdm_vfio_exit();
	wdm_chardev_exit();
	wdk_exit();
	wdm_fault_exit();
	wdm_mappings_exit_module();
}

module_init(wdm_iommu_init);
module_exit(wdm_iommu_exit);

MODULE_AUTHOR("wdm-iommu developers");
MODULE_VERSION(WDM_VERSION);
MODULE_DESCRIPTION("DMA remapping interface of the Windows kernel");
MODULE_LICENSE("GPL");
