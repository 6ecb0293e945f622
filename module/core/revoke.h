/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Revoke: detach groups and devices from their owners for good.
 */
#ifndef WDM_CORE_REVOKE_H
#define WDM_CORE_REVOKE_H

struct device;
struct wdm_device;
struct wdm_group;
struct wdm_owner;

void wdm_group_revoke(struct wdm_group *group);
void *wdm_group_revoke_device(struct wdm_group *group, struct device *dev);
void wdm_owner_close(struct wdm_owner *owner);

#endif /* WDM_CORE_REVOKE_H */
