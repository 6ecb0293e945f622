// SPDX-License-Identifier: GPL-2.0
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * wdm_iommu: the DMA remapping interface of the Windows kernel. Initialization and removal.
 */
#include <linux/mm.h>
#include <linux/module.h>

#include "chardev/chardev.h"
#include "core/init.h"
#include "vfio/cdev.h"
#include "vfio/container.h"
#include "wdk/wdk.h"

/* IOVAs are u64 here, and unsigned long in the IOMMU API. */
static_assert(BITS_PER_LONG == 64);

#if !WDM_HAS_VFIO_CONTAINER && !WDM_HAS_VFIO_CDEV
#error "wdm_iommu needs a kernel with CONFIG_VFIO_CONTAINER or CONFIG_VFIO_DEVICE_CDEV"
#endif

static int __init wdm_iommu_init(void)
{
	int ret;

	ret = wdm_core_init();
	if (ret)
		return ret;
	ret = wdk_init();
	if (ret)
		goto core;
	ret = wdm_chardev_init();
	if (ret)
		goto wdk;
	ret = wdm_vfio_init();
	if (ret)
		goto chardev;
	ret = wdm_cdev_init();
	if (ret)
		goto vfio;
	return 0;

vfio:
	wdm_vfio_exit();
chardev:
	wdm_chardev_exit();
wdk:
	wdk_exit();
core:
	wdm_core_exit();
	return ret;
}

static void __exit wdm_iommu_exit(void)
{
	wdm_cdev_exit();
	wdm_vfio_exit();
	wdm_chardev_exit();
	wdk_exit();
	wdm_core_exit();
}

module_init(wdm_iommu_init);
module_exit(wdm_iommu_exit);

MODULE_AUTHOR("wdm-iommu developers");
MODULE_VERSION(WDM_VERSION);
MODULE_DESCRIPTION("DMA remapping interface of the Windows kernel");
MODULE_LICENSE("GPL");
