/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PASID: a separate address space of a device (contract: IOMMU_DMA_PASID_DEVICE).
 */
#ifndef WDM_CORE_PASID_H
#define WDM_CORE_PASID_H

#include "device.h"

struct wdm_attachment;

/**
 * struct wdm_pasid - a PASID of a device
 * @device: the device, which cannot be deleted while it has PASIDs
 * @node: in wdm_device.pasids, guarded by wdm_group.lock
 * @pasid: the number that the device tags its requests with
 * @attachment: its attachment, or NULL; guarded by wdm_group.lock
 */
struct wdm_pasid {
	struct wdm_device *device;
	struct list_head node;
	u32 pasid;
	struct wdm_attachment *attachment;
};

ntstatus_t wdm_pasid_create(struct wdm_device *device, struct wdm_pasid **out);
ntstatus_t wdm_pasid_delete(struct wdm_pasid *pasid);
ntstatus_t wdm_pasid_attach(struct wdm_pasid *pasid, struct wdm_domain *domain);
ntstatus_t wdm_pasid_detach(struct wdm_pasid *pasid);

void wdm_pasids_revoke(struct wdm_device *device);

#endif /* WDM_CORE_PASID_H */
