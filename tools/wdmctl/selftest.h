/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "wdmctl.h"

void selftest_nvme(int fd, struct wdm_vfio_device *device, unsigned int vendor);

#endif
