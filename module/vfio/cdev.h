/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Provider: VFIO's device cdevs.
 */
#ifndef WDM_VFIO_CDEV_H
#define WDM_VFIO_CDEV_H

#include "../status.h"

struct wdm_device;
struct wdm_owner;

#define WDM_HAS_VFIO_CDEV	IS_ENABLED(CONFIG_VFIO_DEVICE_CDEV)

#if WDM_HAS_VFIO_CDEV
int wdm_cdev_init(void);
void wdm_cdev_exit(void);
ntstatus_t wdm_cdev_device_create(struct wdm_owner *owner, int fd, struct wdm_device **out);
#else
static inline int wdm_cdev_init(void)
{
	return 0;
}

static inline void wdm_cdev_exit(void)
{
}

static inline ntstatus_t wdm_cdev_device_create(struct wdm_owner *owner, int fd,
						struct wdm_device **out)
{
	return STATUS_NOT_SUPPORTED;
}
#endif

#endif /* WDM_VFIO_CDEV_H */
