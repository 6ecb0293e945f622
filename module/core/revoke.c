// SPDX-License-Identifier: GPL-2.0
/*
 * Revoke: detach groups and devices from their owners for good.
 */
#include "attach.h"
#include "fault.h"
#include "pasid.h"
#include "revoke.h"

/*
 * Notify the owner once. The front end is still there: before it goes away it closes the
 * owner, which waits for the group's lock.
 */
static void wdm_group_announce_revoked(struct wdm_group *group)
{
	const struct wdm_owner *owner = group->owner;
	struct wdm_device *device;

	if (group->announced)
		return;
	group->announced = true;
	if (!owner->device_revoked)
		return;
	list_for_each_entry(device, &group->devices, node)
		if (!device->revoked)
			owner->device_revoked(owner->data, device);
}

/* Lock a group to revoke it or one of its devices. Attaches that hold the lock back off. */
static void wdm_group_lock_to_revoke(struct wdm_group *group)
{
	wdm_owner_begin_revoke(group->owner);
	mutex_lock(&group->lock);
}

static void wdm_group_unlock_revoked(struct wdm_group *group)
{
	mutex_unlock(&group->lock);
	wdm_owner_end_revoke(group->owner);
}

/**
 * wdm_group_revoke() - Revoke a group from its owner
 * @group: the group
 *
 * When it returns, the group is in its blocking domain, and its devices can never be
 * attached again; they remain as objects. May be called by several threads and more
 * than once.
 *
 * Context: may sleep, not interruptible. Waits for at most one call on the group and one
 * on its domain; long calls yield.
 */
void wdm_group_revoke(struct wdm_group *group)
{
	struct wdm_device *device;

	/* Set before the lock is taken, so that an attach of this group backs off, too. */
	WRITE_ONCE(group->revoked, true);
	wdm_group_lock_to_revoke(group);
	list_for_each_entry(device, &group->devices, node) {
		wdm_fault_stop(device);
		wdm_pasids_revoke(device);
	}
	if (group->attachment) {
		wdm_detach(group->attachment, false);
		group->attachment = NULL;
	}
	list_for_each_entry(device, &group->devices, node) {
		if (device->attached)
			wdm_device_unkeep(device);
		device->attached = false;
		WRITE_ONCE(device->domain, 0);
	}
	wdm_group_announce_revoked(group);
	wdm_group_unlock_revoked(group);

	/* Last: a group that is not in the list must not be attached. */
	wdm_owner_remove_group(group);
}

/* The driver core removes a device from its group only after its driver is unbound. */
static bool wdm_group_is_of(const struct wdm_group *group, struct device *dev)
{
	struct iommu_group *iommu_group = iommu_group_get(dev);

	iommu_group_put(iommu_group);
	return iommu_group == group->iommu_group;
}

/**
 * wdm_group_revoke_device() - Revoke a device of a group from its owner
 * @group: the group
 * @dev: the device, which need be neither in the group nor an IOMMU_DMA_DEVICE of the
 *	owner
 *
 * When it returns, the device is detached and can never be attached again; it remains as
 * an object. Other devices of the group are not affected. Notifies the owner. Does not wait
 * for groups that do not contain the device.
 *
 * Context: as wdm_group_revoke().
 * Return: the hold on the device, for the provider to release, or NULL.
 */
void *wdm_group_revoke_device(struct wdm_group *group, struct device *dev)
{
	const struct wdm_owner *owner = group->owner;
	struct wdm_device *device;
	void *hold = NULL;

	if (!wdm_group_is_of(group, dev))
		return NULL;
	wdm_group_lock_to_revoke(group);
	list_for_each_entry(device, &group->devices, node) {
		if (device->dev != dev || device->revoked)
			continue;
		swap(hold, device->hold);
		WRITE_ONCE(device->revoked, true);
		wdm_device_detach_locked(device, false);
		wdm_pasids_revoke(device);
		if (owner->device_revoked && !group->announced)
			owner->device_revoked(owner->data, device);
		break;
	}
	wdm_group_unlock_revoked(group);
	return hold;
}

/**
 * wdm_owner_close() - Revoke all groups of an owner, for good
 * @owner: the owner; no other call on it is running
 *
 * From now on, no call on the owner's devices is cancelled, so deleting them does not
 * fail.
 *
 * Context: may sleep, not interruptible.
 */
void wdm_owner_close(struct wdm_owner *owner)
{
	struct wdm_group *group;

	WRITE_ONCE(owner->killable, false);
	mutex_lock(&owner->lock);
	owner->closed = true;
	while (!list_empty(&owner->groups)) {
		group = list_first_entry(&owner->groups, struct wdm_group,
					 owner_node);
		refcount_inc(&group->refs);
		mutex_unlock(&owner->lock);
		wdm_group_revoke(group);
		group->provider->forget(group);
		wdm_group_put(group);
		mutex_lock(&owner->lock);
	}
	mutex_unlock(&owner->lock);
}
