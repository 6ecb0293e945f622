/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's part of the ports. tools/wdm/tests/program.h is the counterpart for programs.
 */
#ifndef WDM_FOO_KERNEL_H
#define WDM_FOO_KERNEL_H

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/types.h>

/* Print a line of the results; "wdm_foo: " marks them in the log. */
#define port_say(fmt, ...)	pr_info("wdm_foo: " fmt "\n", ##__VA_ARGS__)

#endif /* WDM_FOO_KERNEL_H */
