/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults: from an IOMMU driver's interrupt to a handler that may sleep.
 */
#ifndef WDM_CORE_FAULT_H
#define WDM_CORE_FAULT_H

#include <linux/iommu.h>
#include <linux/types.h>

#include "../status.h"

struct wdm_device;
struct wdm_fault_handler;

/* Size of a handler in bytes, rounded up, for the budget of programs */
#define WDM_FAULT_HANDLER_SIZE	2048

/**
 * struct wdm_fault - a request of a device that its IOMMU blocked
 * @dev: the device
 * @iova: the address
 * @time: when the IOMMU driver reported it, in ns of CLOCK_MONOTONIC
 * @write: it was a write
 * @mapped: the address is mapped now, so a permission was probably missing
 * @domain: handle of the domain that the device is attached to now; 0 if there is none,
 *	or it has no handle
 * @dropped: number of faults dropped after this one, because the queue was full
 */
struct wdm_fault {
	struct device *dev;
	u64 iova;
	u64 time;
	bool write;
	bool mapped;
	u32 domain;
	u32 dropped;
};

typedef void (*wdm_fault_fn)(void *context, const struct wdm_fault *fault);

ntstatus_t wdm_fault_register(struct wdm_device *device, wdm_fault_fn fn,
			      void *context);
ntstatus_t wdm_fault_unregister(struct wdm_device *device);

struct wdm_fault_handler *wdm_fault_replace(struct wdm_device *device,
					    struct wdm_fault_handler *handler);
void wdm_fault_retire(struct wdm_fault_handler *handler);

void wdm_fault_start(struct wdm_device *device);
void wdm_fault_stop(struct wdm_device *device);

void wdm_fault_prepare(struct iommu_domain *iommu_domain);

int wdm_fault_init(void);
void wdm_fault_exit(void);

#endif /* WDM_CORE_FAULT_H */
