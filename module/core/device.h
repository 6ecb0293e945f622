/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device: an IOMMU_DMA_DEVICE of the contract. What is attached is its IOMMU group.
 */
#ifndef WDM_CORE_DEVICE_H
#define WDM_CORE_DEVICE_H

#include "owner.h"

struct wdm_domain;
struct wdm_fault_handler;

/**
 * struct wdm_device - an IOMMU_DMA_DEVICE
 * @group: its group; holds a reference
 * @dev: Linux' device; holds a reference
 * @node: in wdm_group.devices
 * @handle: the program's handle, or 0; guarded by wdm_group.lock
 * @domain: handle of the domain that it is attached to, or 0; written with wdm_group.lock
 *	held, read without
 * @attached: it counts in wdm_attachment.nr_devices of its group; guarded by
 *	wdm_group.lock
 * @hold: the provider's hold, while @nr_holds is not 0; guarded by wdm_group.lock
 * @nr_holds: how many of the device and its PASIDs are attached; guarded by wdm_group.lock
 * @pasids: its PASIDs, as &struct wdm_pasid; guarded by wdm_group.lock
 * @revoked: its provider has revoked it, but not the rest of its group; written with
 *	wdm_group.lock held, read without
 * @faults: its fault handler, or NULL; private to core/fault.c
 */
struct wdm_device {
	struct wdm_group *group;
	struct device *dev;
	struct list_head node;
	struct list_head pasids;
	u32 handle;
	u32 domain;
	bool attached;
	bool revoked;
	void *hold;
	unsigned int nr_holds;
	struct wdm_fault_handler *faults;
};

ntstatus_t wdm_device_create(struct wdm_group *group, struct device *dev,
			     struct wdm_device **out);
ntstatus_t wdm_device_set_handle(struct wdm_device *device, u32 handle);
ntstatus_t wdm_device_delete(struct wdm_device *device);

ntstatus_t wdm_device_hold(struct wdm_device *device, void **hold);
void wdm_device_unhold(struct wdm_device *device, void *hold);
void wdm_device_unkeep(struct wdm_device *device);

/* Check whether the provider has revoked the device or its whole group. */
static inline bool wdm_device_revoked(const struct wdm_device *device)
{
	return READ_ONCE(device->group->revoked) || READ_ONCE(device->revoked);
}

u32 wdm_types_of(struct iommu_group *iommu_group, struct device *dev);
u32 wdm_device_types(struct wdm_device *device);

ntstatus_t wdm_device_attach_held(struct wdm_device *device, struct wdm_domain *domain,
				  ntstatus_t (*attach)(void *data,
						       struct wdm_domain *domain,
						       ntstatus_t held),
				  void *data);
ntstatus_t wdm_device_attach(struct wdm_device *device,
			     struct wdm_domain *domain);
ntstatus_t wdm_device_detach_locked(struct wdm_device *device, bool killable);
ntstatus_t wdm_device_detach(struct wdm_device *device);

#endif /* WDM_CORE_DEVICE_H */
