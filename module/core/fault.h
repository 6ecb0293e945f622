/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults: from the interrupt of an IOMMU driver to a handler that may sleep.
 */
#ifndef WDM_CORE_FAULT_H
#define WDM_CORE_FAULT_H

#include <linux/iommu.h>
#include <linux/types.h>

#include "../status.h"

struct wdm_device;
struct wdm_fault_handler;

/**
 * struct wdm_fault - a request of a device that its IOMMU blocked
 * @dev: the device
 * @iova: the address
 * @mapped: the address is mapped by now, so probably a permission was missing
 */
struct wdm_fault {
	struct device *dev;
	u64 iova;
	bool mapped;
};

typedef void (*wdm_fault_fn)(void *context, const struct wdm_fault *fault);

ntstatus_t wdm_fault_register(struct wdm_device *device, wdm_fault_fn fn,
			      void *context);
ntstatus_t wdm_fault_unregister(struct wdm_device *device);

struct wdm_fault_handler *wdm_fault_replace(struct wdm_device *device,
					    struct wdm_fault_handler *handler);
void wdm_fault_retire(struct wdm_fault_handler *handler);

void wdm_fault_prepare(struct iommu_domain *iommu_domain);

int wdm_fault_init(void);
void wdm_fault_exit(void);

#endif /* WDM_CORE_FAULT_H */
