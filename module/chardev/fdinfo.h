/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/PID/fdinfo of an open /dev/wdm_iommu.
 */
#ifndef WDM_CHARDEV_FDINFO_H
#define WDM_CHARDEV_FDINFO_H

#include "object.h"

struct seq_file;

/* Maximum number of devices, domains and PASIDs that are listed */
#define WDM_FDINFO_MAX	256U

void wdm_fdinfo_show(struct seq_file *m, struct wdm_context *ctx);

#endif /* WDM_CHARDEV_FDINFO_H */
