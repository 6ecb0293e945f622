/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attach and detach: attachments, and the hwpts that come and go with them.
 */
#ifndef WDM_CORE_ATTACH_H
#define WDM_CORE_ATTACH_H

#include "domain.h"
#include "owner.h"
#include "resv.h"

/**
 * struct wdm_attachment - what ties a group to a domain
 * @domain: the domain
 * @hwpt: the hwpt that translates for it
 * @domain_node: in wdm_domain.attachments, guarded by wdm_domain.ranges
 * @resv: addresses that must not be mapped meanwhile
 * @group: what is attached
 * @nr_devices: how many IOMMU_DMA_DEVICEs of @group are; guarded by
 *	wdm_group.lock
 *
 * A device with a PASID, once supported, is attached by the same structure with a
 * device and a PASID in place of @group. Only wdm_attachment_enter() and
 * wdm_attachment_leave() ask what is attached.
 */
struct wdm_attachment {
	struct wdm_domain *domain;
	struct wdm_hwpt *hwpt;
	struct list_head domain_node;
	struct wdm_resv resv;
	struct wdm_group *group;
	unsigned int nr_devices;
};

ntstatus_t wdm_attach(struct wdm_domain *domain, struct wdm_group *group,
		      struct device *dev, struct wdm_attachment **out);
ntstatus_t wdm_detach(struct wdm_attachment *attachment, bool urgent);

ntstatus_t wdm_domain_adopt(struct wdm_domain *domain,
			    struct iommu_domain *iommu_domain);
void wdm_domain_disown(struct wdm_domain *domain,
		       struct iommu_domain *iommu_domain);

#endif /* WDM_CORE_ATTACH_H */
