/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owner, provider and group: who may attach which group.
 *
 * An owner may attach devices: an open file of /dev/wdm_iommu, or the kernel code that
 * uses the WDK table. A provider (VFIO's container, VFIO's cdevs, the WDK front end) hands
 * IOMMU groups, or devices of them, to an owner and revokes them. A device (device.h) is
 * an IOMMU_DMA_DEVICE of the contract; an attachment (attach.h) ties its group to a
 * domain.
 */
#ifndef WDM_CORE_OWNER_H
#define WDM_CORE_OWNER_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>

#include "../status.h"

struct wdm_attachment;
struct wdm_device;
struct wdm_group;

/**
 * struct wdm_provider_ops - the operations of a provider of groups
 * @forget: the owner is closed and the group revoked: drop the reference that
 *	wdm_owner_add_group() returned. Called without locks, while the core has its own
 *	reference; may race with a revocation by the provider
 * @hold: optional: keep the provider's claim on a device until @unhold. Called without
 *	locks. Returns the reason if it cannot, or a pointer for @unhold
 * @unhold: undo @hold; wdm_group.lock may be held
 *
 * A provider of whole groups revokes them with wdm_group_revoke(). A provider of single
 * devices has @hold, because nothing notifies it when a program releases a device: the
 * core holds a device while it, or a PASID of it, is attached. Such a provider revokes a
 * device with wdm_group_revoke_device().
 */
struct wdm_provider_ops {
	void (*forget)(struct wdm_group *group);
	ntstatus_t (*hold)(struct device *dev, void **hold);
	void (*unhold)(void *hold);
};

/**
 * struct wdm_owner - an owner of groups, which may attach their devices
 * @refs: references
 * @nr_revoking: number of groups and devices being revoked. Unless it is 0, attaches that
 *	wait for their domain, or fill a hwpt, back off, so that no provider waits for
 *	them
 * @killable: a fatal signal ends calls; false for kernel code, and once the owner is
 *	closed
 * @device_revoked: optional: called for each device that a provider revokes, before the
 *	owner is closed; wdm_group.lock is held
 * @data: private to the front end
 * @lock: guards @groups and @closed
 * @groups: the groups that providers have handed over
 * @closed: the owner gets no more groups
 */
struct wdm_owner {
	refcount_t refs;
	atomic_t nr_revoking;
	bool killable;
	void (*device_revoked)(void *data, struct wdm_device *device);
	void *data;
	struct mutex lock;		/* guards @groups and @closed */
	struct list_head groups;
	bool closed;
};

/**
 * struct wdm_group - an IOMMU group in the hands of an owner
 * @refs: references
 * @owner: the owner; holds a reference
 * @owner_node: in wdm_owner.groups, guarded by wdm_owner.lock
 * @iommu_group: Linux' group; holds a reference
 * @provider: the operations of its provider
 * @provider_data: private to the provider
 * @lock: guards all members below
 * @revoked: the provider has revoked the group, or is about to; set without @lock, never
 *	cleared
 * @announced: the owner has been notified of that
 * @devices: its IOMMU_DMA_DEVICEs
 * @attachment: its attachment, or NULL
 * @pasids: the PASIDs allocated to its devices
 */
struct wdm_group {
	refcount_t refs;
	struct wdm_owner *owner;
	struct list_head owner_node;
	struct iommu_group *iommu_group;
	const struct wdm_provider_ops *provider;
	void *provider_data;

	struct mutex lock;		/* guards all members below */
	bool revoked;
	bool announced;
	struct list_head devices;
	struct wdm_attachment *attachment;
	struct ida pasids;
};

struct wdm_owner *wdm_owner_create(bool killable);
void wdm_owner_put(struct wdm_owner *owner);
bool wdm_owner_is_closed(struct wdm_owner *owner);

ntstatus_t wdm_owner_add_group(struct wdm_owner *owner,
			       struct iommu_group *iommu_group,
			       const struct wdm_provider_ops *provider,
			       void *provider_data, struct wdm_group **out);
void wdm_owner_remove_group(struct wdm_group *group);
struct wdm_group *wdm_owner_find_group(struct wdm_owner *owner,
				       struct iommu_group *iommu_group,
				       const struct wdm_provider_ops *provider);
void wdm_group_put(struct wdm_group *group);
bool wdm_group_call(struct wdm_group *group, struct device *dev,
		    void (*fn)(struct device *dev, void *data), void *data);
ntstatus_t wdm_group_lock(struct wdm_group *group);

void wdm_owner_begin_revoke(struct wdm_owner *owner);
void wdm_owner_end_revoke(struct wdm_owner *owner);
ntstatus_t wdm_group_wait_revokes(struct wdm_group *group);

/* Check whether a device is still part of its IOMMU group. */
static inline bool wdm_group_has(struct wdm_group *group, struct device *dev)
{
	return wdm_group_call(group, dev, NULL, NULL);
}

static inline void wdm_group_unlock(struct wdm_group *group)
{
	mutex_unlock(&group->lock);
}

#endif /* WDM_CORE_OWNER_H */
