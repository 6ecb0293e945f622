// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suites of wdm_iommu. Each suite is a file of its own, beside what it
 * shares with the others: fixture.c, fake_iommu.c, page_model.c and caller_tables.c.
 *
 * This module holds the objects of the module under test, too (objects.mk), but for
 * its main.c: it starts what the suites need of it.
 */
#include <linux/module.h>

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
		wdm_core_exit();
	return ret;
}

static void __exit wdm_kunit_exit(void)
{
	wdk_exit();
	wdm_core_exit();
}

module_init(wdm_kunit_init);
module_exit(wdm_kunit_exit);

MODULE_DESCRIPTION("KUnit suites of wdm_iommu");
MODULE_LICENSE("GPL");
