/* SPDX-License-Identifier: GPL-2.0 */
/*
 * iommufd's own page tables, in the iommufd that a device's cdev is bound to.
 */
#ifndef IOMMUFD_H
#define IOMMUFD_H

#include "fixture.h"

__u32 make_ioas(struct fixture *fixture);
int attach_pt(const struct wdm_vfio_device *device, __u32 ioas);
int detach_pt(const struct wdm_vfio_device *device);

#endif
