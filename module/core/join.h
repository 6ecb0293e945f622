/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Join and leave: add attachments and hwpts to a domain and remove them, and fill new
 * hwpts.
 */
#ifndef WDM_CORE_JOIN_H
#define WDM_CORE_JOIN_H

#include "domain.h"

struct device;
struct wdm_group;

/* Requests without a PASID: those of the whole group */
#define WDM_NO_PASID	0

/**
 * struct wdm_attachment - a group, or a PASID of a device, attached to a domain
 * @domain: the domain
 * @hwpt: the hwpt that translates for it
 * @domain_node: in wdm_domain.attachments if @resv has any ranges; guarded by
 *	wdm_domain.ranges
 * @resv: the addresses that must not be mapped while it is attached
 * @group: the attached group, or the group of @dev
 * @dev: the device whose PASID is attached
 * @pasid: the PASID; WDM_NO_PASID: @group is attached
 * @nr_devices: number of attached IOMMU_DMA_DEVICEs of @group, 1 for a PASID; guarded by
 *	wdm_group.lock
 *
 * Only core/attach.c distinguishes the two kinds, in the functions that test @pasid.
 */
struct wdm_attachment {
	struct wdm_domain *domain;
	struct wdm_hwpt *hwpt;
	struct list_head domain_node;
	struct wdm_resv resv;
	struct wdm_group *group;
	struct device *dev;
	u32 pasid;
	unsigned int nr_devices;
};

ntstatus_t wdm_domain_join(struct wdm_attachment *attachment);
ntstatus_t wdm_domain_fill(struct wdm_attachment *attachment);
void wdm_domain_leave(struct wdm_attachment *attachment, struct wdm_hwpt *hwpt);

#endif /* WDM_CORE_JOIN_H */
