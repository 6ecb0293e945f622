/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WDMCTL_H
#define WDMCTL_H

#include "wdm_iommu_user.h"

/* Each returns an exit status. */
int cmd_info(void);
int cmd_devices(void);
int cmd_ranges(const char *bdf);
int cmd_events(const char *bdf);
int cmd_demo(const char *bdf);
int cmd_selftest(void);

/* report.c */
int report_errno(const char *what);
int report_status(const char *what, __u32 status);
int report_error(const char *what, const struct wdm_error *error);

#endif
