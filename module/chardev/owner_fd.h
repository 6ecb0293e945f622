/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owners by file descriptor of /dev/wdm_iommu, for providers of groups.
 */
#ifndef WDM_CHARDEV_OWNER_FD_H
#define WDM_CHARDEV_OWNER_FD_H

struct wdm_owner;

struct wdm_owner *wdm_chardev_owner_get(int fd);

#endif /* WDM_CHARDEV_OWNER_FD_H */
