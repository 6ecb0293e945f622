/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owner, group and device: whose DMA may be attached by whom.
 *
 * An owner is whoever may attach devices: an open file of /dev/wdm_iommu, or
 * the kernel code that uses the WDK table. Doors (VFIO's container) hand IOMMU
 * groups to an owner and take them back. A device is an IOMMU_DMA_DEVICE of the
 * contract; the unit that can be attached is its group.
 */
#ifndef WDM_CORE_OWNER_H
#define WDM_CORE_OWNER_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>

#include "../status.h"
#include "resv.h"

struct wdm_domain;
struct wdm_fault_handler;
struct wdm_hwpt;

/**
 * struct wdm_owner - who may attach devices
 * @refs: references
 * @lock: guards @groups and @closed; taken before wdm_group.lock
 * @groups: the groups that doors have handed over
 * @closed: the owner is gone, and gets no more groups
 */
struct wdm_owner {
	refcount_t refs;
	struct mutex lock;		/* guards what follows */
	struct list_head groups;
	bool closed;
};

/**
 * struct wdm_group - an IOMMU group in the hands of an owner
 * @refs: references
 * @owner: the owner; holds a reference
 * @owner_node: in wdm_owner.groups, guarded by wdm_owner.lock
 * @iommu_group: Linux' group; holds a reference
 * @lock: guards what follows; taken before wdm_domain.ranges
 * @revoked: the door has taken the group back
 * @devices: the IOMMU_DMA_DEVICEs
 * @nr_attached: how many of them are attached
 * @domain: the domain that they are attached to, or NULL
 * @hwpt: the hwpt that serves them
 * @domain_node: in wdm_domain.groups, guarded by wdm_domain.ranges
 * @resv: addresses that must not be mapped while the group is attached; written
 *	before the group is in wdm_domain.groups
 */
struct wdm_group {
	refcount_t refs;
	struct wdm_owner *owner;
	struct list_head owner_node;
	struct iommu_group *iommu_group;

	struct mutex lock;		/* guards what follows */
	bool revoked;
	struct list_head devices;
	unsigned int nr_attached;
	struct wdm_domain *domain;
	struct wdm_hwpt *hwpt;
	struct list_head domain_node;
	struct wdm_resv resv;
};

struct wdm_owner *wdm_owner_create(void);
void wdm_owner_put(struct wdm_owner *owner);
void wdm_owner_close(struct wdm_owner *owner);

ntstatus_t wdm_owner_add_group(struct wdm_owner *owner,
			       struct iommu_group *iommu_group,
			       struct wdm_group **out);
struct wdm_group *wdm_owner_find_group(struct wdm_owner *owner,
				       struct iommu_group *iommu_group);
void wdm_group_revoke(struct wdm_group *group);
void wdm_group_put(struct wdm_group *group);
bool wdm_group_has(struct wdm_group *group, struct device *dev);

#endif /* WDM_CORE_OWNER_H */
