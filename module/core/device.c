// SPDX-License-Identifier: GPL-2.0
/*
 * Device: create, delete, attach and detach; revocation of groups and devices.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "attach.h"
#include "device.h"
#include "fault.h"
#include "pasid.h"
#include "policy.h"

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

/**
 * wdm_device_hold() - Make the provider keep its claim on a device
 * @device: the device
 * @hold: out: for wdm_device_unhold(); NULL if the provider needs no hold
 *
 * Context: may sleep; no lock is held.
 * Return: STATUS_SUCCESS; otherwise the provider's reason, and *@hold is NULL.
 */
ntstatus_t wdm_device_hold(struct wdm_device *device, void **hold)
{
	const struct wdm_provider_ops *provider = device->group->provider;

	*hold = NULL;
	if (!provider->hold)
		return STATUS_SUCCESS;
	if (wdm_device_revoked(device))
		return STATUS_DEVICE_REMOVED;
	return provider->hold(device->dev, hold);
}

/**
 * wdm_device_unhold() - Undo wdm_device_hold()
 * @device: the device
 * @hold: the hold, or NULL
 */
void wdm_device_unhold(struct wdm_device *device, void *hold)
{
	if (hold)
		device->group->provider->unhold(hold);
}

/**
 * wdm_device_keep() - Keep a hold while a device, or one of its PASIDs, is attached
 * @device: the device; the lock of its group is held
 * @hold: a hold of wdm_device_hold(); set to NULL if the device takes it over
 */
void wdm_device_keep(struct wdm_device *device, void **hold)
{
	lockdep_assert_held(&device->group->lock);
	if (!device->nr_holds++)
		swap(device->hold, *hold);
}

/**
 * wdm_device_unkeep() - Undo wdm_device_keep()
 * @device: the device; the lock of its group is held
 */
void wdm_device_unkeep(struct wdm_device *device)
{
	lockdep_assert_held(&device->group->lock);
	if (--device->nr_holds)
		return;
	wdm_device_unhold(device, device->hold);
	device->hold = NULL;
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
	list_for_each_entry(device, &group->devices, node)
		wdm_pasids_revoke(device);
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
	wdm_types_changed();

	/* Last: a group that is not in the list must not be attached. */
	mutex_lock(&group->owner->lock);
	list_del_init(&group->owner_node);
	mutex_unlock(&group->owner->lock);
}

static ntstatus_t wdm_device_detach_locked(struct wdm_device *device,
					   bool killable)
{
	struct wdm_group *group = device->group;
	struct wdm_attachment *attachment = group->attachment;
	ntstatus_t status;

	if (!device->attached)
		return STATUS_INVALID_PARAMETER_1;
	if (attachment->nr_devices > 1) {
		attachment->nr_devices--;
		atomic_dec(&attachment->domain->nr_devices);
	} else {
		status = wdm_detach(attachment, killable);
		if (!wdm_ok(status))
			return status;
		group->attachment = NULL;
	}
	device->attached = false;
	WRITE_ONCE(device->domain, 0);
	wdm_device_unkeep(device);
	return STATUS_SUCCESS;
}

static void wdm_device_revoke_locked(struct wdm_device *device)
{
	WRITE_ONCE(device->revoked, true);
	wdm_device_detach_locked(device, false);
	wdm_pasids_revoke(device);
}

/**
 * wdm_device_revoke() - Revoke a device from its owner
 * @device: the device
 *
 * When it returns, the device is detached and can never be attached again; it remains as
 * an object. Other devices of its group are not affected.
 *
 * Context: as wdm_group_revoke().
 */
void wdm_device_revoke(struct wdm_device *device)
{
	struct wdm_group *group = device->group;

	wdm_group_lock_to_revoke(group);
	wdm_device_revoke_locked(device);
	wdm_group_unlock_revoked(group);
	wdm_types_changed();
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
 * Same as wdm_device_revoke(), and notifies the owner. Does not wait for groups that do
 * not contain the device.
 *
 * Return: the hold on the device, for the provider to release, or NULL.
 */
void *wdm_group_revoke_device(struct wdm_group *group, struct device *dev)
{
	const struct wdm_owner *owner = group->owner;
	struct wdm_device *device;
	bool found = false;
	void *hold = NULL;

	if (!wdm_group_is_of(group, dev))
		return NULL;
	wdm_group_lock_to_revoke(group);
	list_for_each_entry(device, &group->devices, node) {
		if (device->dev != dev || device->revoked)
			continue;
		swap(hold, device->hold);
		wdm_device_revoke_locked(device);
		if (owner->device_revoked && !group->announced)
			owner->device_revoked(owner->data, device);
		found = true;
		break;
	}
	wdm_group_unlock_revoked(group);
	if (found)
		wdm_types_changed();
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

/**
 * wdm_device_create() - Create an IOMMU_DMA_DEVICE
 * @group: the device's group
 * @dev: the device
 * @out: out: the device
 *
 * Contract: IommuDeviceCreate.
 *
 * Return: STATUS_SUCCESS, STATUS_RESOURCE_IN_USE if @dev has one,
 * STATUS_DEVICE_REMOVED, STATUS_INSUFFICIENT_RESOURCES, STATUS_CANCELLED.
 */
ntstatus_t wdm_device_create(struct wdm_group *group, struct device *dev,
			     struct wdm_device **out)
{
	struct wdm_device *device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	struct wdm_device *other;
	ntstatus_t status;

	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;

	status = wdm_group_lock(group);
	if (!wdm_ok(status)) {
		kfree(device);
		return status;
	}
	if (group->revoked)
		status = STATUS_DEVICE_REMOVED;
	list_for_each_entry(other, &group->devices, node)
		if (other->dev == dev && !other->revoked)
			status = STATUS_RESOURCE_IN_USE;
	if (wdm_ok(status)) {
		refcount_inc(&group->refs);
		device->group = group;
		device->dev = get_device(dev);
		INIT_LIST_HEAD(&device->pasids);
		list_add_tail(&device->node, &group->devices);
		*out = device;
	}
	wdm_group_unlock(group);

	if (!wdm_ok(status))
		kfree(device);
	return status;
}

/**
 * wdm_device_set_handle() - Set the handle of a new device
 * @device: the device
 * @handle: its handle
 *
 * Return: STATUS_SUCCESS, STATUS_DEVICE_REMOVED, STATUS_CANCELLED.
 */
ntstatus_t wdm_device_set_handle(struct wdm_device *device, u32 handle)
{
	ntstatus_t status;

	status = wdm_group_lock(device->group);
	if (!wdm_ok(status))
		return status;
	/* The event of a revocation was skipped for lack of a handle: report it now. */
	if (wdm_device_revoked(device))
		status = STATUS_DEVICE_REMOVED;
	device->handle = handle;
	wdm_group_unlock(device->group);
	return status;
}

/**
 * wdm_device_delete() - Delete an IOMMU_DMA_DEVICE
 * @device: the device; freed on success
 *
 * Contract: IommuDeviceDelete.
 *
 * Return: STATUS_SUCCESS; STATUS_RESOURCE_IN_USE if it is attached or has PASIDs;
 * STATUS_CANCELLED. Has no effect on failure.
 */
ntstatus_t wdm_device_delete(struct wdm_device *device)
{
	struct wdm_group *group = device->group;
	struct wdm_fault_handler *handler;
	ntstatus_t status;

	status = wdm_group_lock(group);
	if (!wdm_ok(status))
		return status;
	if (device->attached || !list_empty(&device->pasids)) {
		wdm_group_unlock(group);
		return STATUS_RESOURCE_IN_USE;
	}
	list_del(&device->node);
	handler = wdm_fault_replace(device, NULL);
	wdm_group_unlock(group);

	wdm_fault_retire(handler);
	put_device(device->dev);
	kfree(device);
	wdm_group_put(group);
	return STATUS_SUCCESS;
}

/**
 * struct wdm_types_probe - what the available types of a device depend on
 * @dev: the device
 * @types: out: see wdm_types_of()
 * @untrusted: out: a device of the group is at an external port
 */
struct wdm_types_probe {
	struct device *dev;
	u32 types;
	bool untrusted;
};

/* Called with the mutex of the iommu_group held, so the device stays in the group. */
static int wdm_types_probe_device(struct device *dev, void *data)
{
	struct wdm_types_probe *probe = data;

	if (dev_is_pci(dev) && to_pci_dev(dev)->untrusted)
		probe->untrusted = true;
	if (dev != probe->dev || !device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return 0;
	probe->types = BIT(WDM_TYPE_TRANSLATE) | BIT(WDM_TYPE_UNMANAGED);
	if (wdm_policy_allows(WDM_POLICY_PASS_THROUGH))
		probe->types |= BIT(WDM_TYPE_PASS_THROUGH);
	if (WDM_HAS_PASID_DOMAINS && wdm_max_pasids(dev))
		probe->types |= BIT(WDM_TYPE_TRANSLATE_S1);
	return 0;
}

/**
 * wdm_types_of() - Get the types of domains that a device can be attached to now
 * @iommu_group: its group
 * @dev: the device
 *
 * Context: may sleep.
 * Return: a mask of BIT(type); 0 if there are none, or @dev has left the group.
 */
u32 wdm_types_of(struct iommu_group *iommu_group, struct device *dev)
{
	struct wdm_types_probe probe = { .dev = dev };

	if (!wdm_policy_allows(WDM_POLICY_UNSAFE_INTERRUPTS) &&
	    !iommu_group_has_isolated_msi(iommu_group))
		return 0;
	iommu_group_for_each_dev(iommu_group, &probe, wdm_types_probe_device);
	/* A device at an external port never gets access to all of memory. */
	if (probe.untrusted)
		probe.types &= ~BIT(WDM_TYPE_PASS_THROUGH);
	return probe.types;
}

/**
 * wdm_device_types() - Get the types of domains that a device can be attached to now
 * @device: the device
 *
 * Contract: IommuDeviceQueryAvailableDomainTypes. wdm_types_register() registers for
 * changes.
 *
 * Context: may sleep. Needs no lock.
 * Return: a mask of BIT(type); 0 if its provider has revoked it.
 */
u32 wdm_device_types(struct wdm_device *device)
{
	if (wdm_device_revoked(device))
		return 0;
	return wdm_types_of(device->group->iommu_group, device->dev);
}

/* Check whether the type is available to the device now. An attach checks the rest. */
static bool wdm_device_allows(struct wdm_device *device, enum wdm_type type)
{
	return type == WDM_TYPE_TRANSLATE || type == WDM_TYPE_UNMANAGED ||
	       wdm_types_of(device->group->iommu_group, device->dev) & BIT(type);
}

/* @held: a hold of wdm_device_hold() */
static ntstatus_t wdm_device_attach_locked(struct wdm_device *device,
					   struct wdm_domain *domain, ntstatus_t held)
{
	struct wdm_group *group = device->group;

	if (wdm_device_revoked(device))
		return STATUS_DEVICE_REMOVED;
	if (device->attached)
		return STATUS_INVALID_PARAMETER;
	if (!wdm_ok(held))
		return held;
	if (!wdm_device_allows(device, domain->type))
		return STATUS_ACCESS_DENIED;
	if (!group->attachment)
		return wdm_attach(domain, group, device->dev, WDM_NO_PASID,
				  &group->attachment);
	if (group->attachment->domain != domain)
		return STATUS_ACCESS_DENIED;
	return wdm_group_has(group, device->dev) ? STATUS_SUCCESS :
						   STATUS_DEVICE_REMOVED;
}

/* @hold: in, out: for wdm_device_keep() */
static ntstatus_t wdm_device_try_attach(struct wdm_device *device, struct wdm_domain *domain,
					ntstatus_t held, void **hold)
{
	struct wdm_group *group = device->group;
	ntstatus_t status;

	status = wdm_group_lock(group);
	if (!wdm_ok(status))
		return status;
	status = wdm_device_attach_locked(device, domain, held);
	if (wdm_ok(status)) {
		group->attachment->nr_devices++;
		device->attached = true;
		WRITE_ONCE(device->domain, domain->handle);
		wdm_device_keep(device, hold);
		atomic_inc(&domain->nr_devices);
	}
	wdm_group_unlock(group);
	return status;
}

/**
 * wdm_device_attach() - Attach a device to a domain
 * @device: the device
 * @domain: the domain
 *
 * Contract: IommuDeviceAttach. The first device of a group attaches the group.
 *
 * Return: see &struct wdm_iommu_attach.
 */
ntstatus_t wdm_device_attach(struct wdm_device *device,
			     struct wdm_domain *domain)
{
	ntstatus_t status, held;
	void *hold;

	held = wdm_device_hold(device, &hold);
	do {
		status = wdm_device_try_attach(device, domain, held, &hold);
	} while (wdm_attach_again(domain, device->group, &status));
	wdm_device_unhold(device, hold);
	return status;
}

/**
 * wdm_device_detach() - Detach a device from its domain
 * @device: the device
 *
 * Contract: IommuDeviceDetach. The last device of a group detaches the group; after
 * that, all DMA of the group is blocked.
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER_1 if the device is not attached,
 * STATUS_CANCELLED.
 */
ntstatus_t wdm_device_detach(struct wdm_device *device)
{
	ntstatus_t status;

	status = wdm_group_lock(device->group);
	if (!wdm_ok(status))
		return status;
	status = wdm_device_detach_locked(device, true);
	wdm_group_unlock(device->group);
	return status;
}
