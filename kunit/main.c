// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suites of wdm_iommu. Each suite is a file of its own, beside what it
 * shares with the others: fixture.c, fake_iommu.c, page_model.c and caller_tables.c.
 *
 * This module holds the objects of the module under test, too (objects.mk), but for
 * its main.c: it starts what the suites need of it.
 */
#include <linux/module.h>

#include "../module/core/fault.h"
#include "../module/core/mappings.h"
#include "../module/wdk/wdk.h"

static int __init wdm_kunit_init(void)
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
	return 0;

fault:
	wdm_fault_exit();
mappings:
	wdm_mappings_exit_module();
	return ret;
}

static void __exit wdm_kunit_exit(void)
{
	wdk_exit();
	wdm_fault_exit();
	wdm_mappings_exit_module();
}

module_init(wdm_kunit_init);
module_exit(wdm_kunit_exit);

MODULE_DESCRIPTION("KUnit suites of wdm_iommu");
MODULE_LICENSE("GPL");
