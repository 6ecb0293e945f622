// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suites of wdm_iommu, one file each; they share the files of support/.
 *
 * This module also contains the objects of the module under test (objects.mk), except for
 * main.c, and initializes the parts that the suites need.
 */
#include <linux/module.h>

#include "../module/chardev/events.h"
#include "../module/core/init.h"
#include "../module/wdk/wdk.h"

static int __init wdm_kunit_init(void)
{
	int ret;

	ret = wdm_core_init();
	if (ret)
		return ret;
	ret = wdk_init();
	if (ret)
		goto core;
	ret = wdm_events_init_module();
	if (ret)
		goto wdk;
	return 0;

wdk:
	wdk_exit();
core:
	wdm_core_exit();
	return ret;
}

static void __exit wdm_kunit_exit(void)
{
	wdm_events_exit_module();
	wdk_exit();
	wdm_core_exit();
}

module_init(wdm_kunit_init);
module_exit(wdm_kunit_exit);

MODULE_DESCRIPTION("KUnit suites of wdm_iommu");
MODULE_LICENSE("GPL");
