/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page tables of the iommufd that a device's cdev is bound to: iommufd's own, beside the
 * domains of /dev/wdm_iommu.
 */
#ifndef IOMMUFD_H
#define IOMMUFD_H

#include "fixture.h"

__u32 make_ioas(struct fixture *fixture);
int attach_pt(const struct wdm_vfio_device *device, __u32 ioas);
int detach_pt(const struct wdm_vfio_device *device);

#endif
