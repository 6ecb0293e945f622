// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suites of wdm_iommu. Each suite is a file of its own, beside what it
 * shares with the others: fixture.c, fake_iommu.c, page_model.c and tables.c.
 */
#include <linux/module.h>

#include "../module/compat/compat.h"

MODULE_DESCRIPTION("KUnit suites of wdm_iommu");
MODULE_LICENSE("GPL");
WDM_MODULE_IMPORT_KUNIT_NS;
