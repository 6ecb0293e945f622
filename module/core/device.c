// SPDX-License-Identifier: GPL-2.0
/*
 * Device: create, attach, detach, and what takes a device back.
 */
#include <linux/slab.h>

#include "attach.h"
#include "device.h"
#include "domain.h"
#include "fault.h"

static void wdm_group_leave(struct wdm_group *group)
{
	wdm_domain_detach(group->domain, group);
	group->domain = NULL;
	group->nr_attached = 0;
}

/**
 * wdm_group_revoke() - Take a group back from its owner
 * @group: the group
 *
 * When it returns, the group stands in its blocking domain again, and its
 * devices can never be attached any more; they remain as objects. May be called
 * by several threads and more than once.
 */
void wdm_group_revoke(struct wdm_group *group)
{
	struct wdm_device *device;

	mutex_lock(&group->lock);
	group->revoked = true;
	list_for_each_entry(device, &group->devices, node)
		device->attached = false;
	if (group->domain) {
		atomic_sub(group->nr_attached, &group->domain->nr_devices);
		wdm_group_leave(group);
	}
	mutex_unlock(&group->lock);

	/* Last: who finds no group in the list counts on this being done. */
	mutex_lock(&group->owner->lock);
	list_del_init(&group->owner_node);
	mutex_unlock(&group->owner->lock);
}

/**
 * wdm_owner_close() - Take all groups back from an owner, for good
 * @owner: the owner
 */
void wdm_owner_close(struct wdm_owner *owner)
{
	struct wdm_group *group;

	mutex_lock(&owner->lock);
	owner->closed = true;
	while (!list_empty(&owner->groups)) {
		group = list_first_entry(&owner->groups, struct wdm_group,
					 owner_node);
		refcount_inc(&group->refs);
		mutex_unlock(&owner->lock);
		wdm_group_revoke(group);
		wdm_group_put(group);
		mutex_lock(&owner->lock);
	}
	mutex_unlock(&owner->lock);
}

/**
 * wdm_device_create() - Make an IOMMU_DMA_DEVICE
 * @group: the device's group
 * @dev: the device
 * @out: out: the device
 *
 * Contract: IommuDeviceCreate.
 *
 * Return: STATUS_RESOURCE_IN_USE if there is one for @dev,
 * STATUS_DEVICE_REMOVED, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_device_create(struct wdm_group *group, struct device *dev,
			     struct wdm_device **out)
{
	struct wdm_device *device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_device *other;

	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;

	if (mutex_lock_killable(&group->lock)) {
		kfree(device);
		return STATUS_CANCELLED;
	}
	if (group->revoked)
		status = STATUS_DEVICE_REMOVED;
	list_for_each_entry(other, &group->devices, node)
		if (other->dev == dev)
			status = STATUS_RESOURCE_IN_USE;
	if (wdm_ok(status)) {
		refcount_inc(&group->refs);
		device->group = group;
		device->dev = get_device(dev);
		list_add_tail(&device->node, &group->devices);
		*out = device;
	}
	mutex_unlock(&group->lock);

	if (!wdm_ok(status))
		kfree(device);
	return status;
}

/**
 * wdm_device_delete() - Unmake an IOMMU_DMA_DEVICE
 * @device: the device; gone after success
 *
 * Contract: IommuDeviceDelete.
 *
 * Return: STATUS_RESOURCE_IN_USE if it is attached.
 */
ntstatus_t wdm_device_delete(struct wdm_device *device)
{
	struct wdm_group *group = device->group;

	mutex_lock(&group->lock);
	if (device->attached) {
		mutex_unlock(&group->lock);
		return STATUS_RESOURCE_IN_USE;
	}
	list_del(&device->node);
	mutex_unlock(&group->lock);

	wdm_fault_unregister(device);
	put_device(device->dev);
	kfree(device);
	wdm_group_put(group);
	return STATUS_SUCCESS;
}

/**
 * wdm_device_attach() - Attach a device to a domain
 * @device: the device
 * @domain: the domain
 *
 * Contract: IommuDeviceAttach. The first device of a group takes the group
 * along.
 *
 * Return: see &struct wdm_iommu_attach.
 */
ntstatus_t wdm_device_attach(struct wdm_device *device,
			     struct wdm_domain *domain)
{
	struct wdm_group *group = device->group;
	ntstatus_t status = STATUS_SUCCESS;

	if (mutex_lock_killable(&group->lock))
		return STATUS_CANCELLED;

	if (group->revoked)
		status = STATUS_DEVICE_REMOVED;
	else if (device->attached)
		status = STATUS_INVALID_PARAMETER;
	else if (group->domain && group->domain != domain)
		status = STATUS_ACCESS_DENIED;
	else if (!group->domain)
		status = wdm_domain_attach(domain, group, device->dev);
	else if (!wdm_group_has(group, device->dev))
		status = STATUS_DEVICE_REMOVED;

	if (wdm_ok(status)) {
		group->domain = domain;
		group->nr_attached++;
		device->attached = true;
		atomic_inc(&domain->nr_devices);
	}
	mutex_unlock(&group->lock);
	return status;
}

/**
 * wdm_device_detach() - Detach a device from its domain
 * @device: the device
 *
 * Contract: IommuDeviceDetach. The last device of a group takes the group off;
 * when it returns, all its DMA is blocked.
 *
 * Return: STATUS_INVALID_PARAMETER_1 if the device is attached to nothing.
 */
ntstatus_t wdm_device_detach(struct wdm_device *device)
{
	struct wdm_group *group = device->group;
	ntstatus_t status = STATUS_INVALID_PARAMETER_1;

	mutex_lock(&group->lock);
	if (device->attached) {
		device->attached = false;
		atomic_dec(&group->domain->nr_devices);
		if (!--group->nr_attached)
			wdm_group_leave(group);
		status = STATUS_SUCCESS;
	}
	mutex_unlock(&group->lock);
	return status;
}
