/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attach and detach: attachments, and the hwpts created and freed with them.
 */
#ifndef WDM_CORE_ATTACH_H
#define WDM_CORE_ATTACH_H

#include "domain.h"
#include "owner.h"
#include "resv.h"

/* Requests without a PASID: those of the whole group */
#define WDM_NO_PASID	0

/**
 * struct wdm_attachment - a group, or a PASID of a device, attached to a domain
 * @domain: the domain
 * @hwpt: the hwpt that translates for it
 * @domain_node: in wdm_domain.attachments, guarded by wdm_domain.ranges
 * @resv: the addresses that must not be mapped while it is attached
 * @group: the attached group, or the group of @dev
 * @dev: the device whose PASID is attached
 * @pasid: the PASID; WDM_NO_PASID: @group is attached
 * @nr_devices: number of attached IOMMU_DMA_DEVICEs of @group, 1 for a PASID; guarded by
 *	wdm_group.lock
 *
 * Only wdm_attachment_enter() and wdm_attachment_leave() distinguish the two kinds.
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

void wdm_free_regions(struct list_head *regions);

ntstatus_t wdm_attach(struct wdm_domain *domain, struct wdm_group *group,
		      struct device *dev, u32 pasid,
		      struct wdm_attachment **out);
bool wdm_attach_again(struct wdm_domain *domain, struct wdm_group *group,
		      ntstatus_t *status);
ntstatus_t wdm_detach(struct wdm_attachment *attachment, bool killable);

ntstatus_t wdm_domain_adopt(struct wdm_domain *domain,
			    struct iommu_domain *iommu_domain);
void wdm_domain_disown(struct wdm_domain *domain,
		       struct iommu_domain *iommu_domain);

#endif /* WDM_CORE_ATTACH_H */
