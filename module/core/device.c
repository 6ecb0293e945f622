// SPDX-License-Identifier: GPL-2.0
/*
 * Device: create, delete, attach and detach.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "attach.h"
#include "device.h"
#include "fault.h"
#include "policy.h"

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

/* Keep a hold while a device, or one of its PASIDs, is attached. The device may take it over. */
static void wdm_device_keep(struct wdm_device *device, void **hold)
{
	if (!device->nr_holds++)
		swap(device->hold, *hold);
}

/**
 * wdm_device_unkeep() - Undo what wdm_device_attach_held() kept, after a detach
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
 * @handle: its handle; not set on failure
 *
 * Return: STATUS_SUCCESS, STATUS_DEVICE_REMOVED, STATUS_CANCELLED.
 */
ntstatus_t wdm_device_set_handle(struct wdm_device *device, u32 handle)
{
	ntstatus_t status;

	status = wdm_group_lock(device->group);
	if (!wdm_ok(status))
		return status;
	/*
	 * The status reports the revocation. There is no event: its handle would be none that
	 * the program has, and soon that of another object.
	 */
	if (wdm_device_revoked(device))
		status = STATUS_DEVICE_REMOVED;
	else
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
 * @direct: out: Linux does not block a device of the group, so it cannot be claimed
 */
struct wdm_types_probe {
	struct device *dev;
	u32 types;
	bool untrusted;
	bool direct;
};

/* Called with the mutex of the iommu_group held, so the device stays in the group. */
static int wdm_types_probe_device(struct device *dev, void *data)
{
	struct wdm_types_probe *probe = data;

	if (dev_is_pci(dev) && to_pci_dev(dev)->untrusted)
		probe->untrusted = true;
	if (wdm_requires_direct(dev))
		probe->direct = true;
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
	if (probe.direct)
		return 0;
	/* A device at an external port never gets access to all of memory. */
	if (probe.untrusted)
		probe.types &= ~BIT(WDM_TYPE_PASS_THROUGH);
	return probe.types;
}

/**
 * wdm_device_types() - Get the types of domains that a device can be attached to now
 * @device: the device
 *
 * Contract: IommuDeviceQueryAvailableDomainTypes. They change when the provider revokes the
 * device (wdm_owner.device_revoked), and for the reasons that wdm_types_register() registers
 * for.
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

/**
 * wdm_device_attach_held() - Attach a device, or a PASID of it, with the provider's claim kept
 * @device: the device
 * @domain: the domain
 * @attach: attaches it. Called with the lock of the group held and the result of the
 *	provider's hold operation, and again after it backed off
 * @data: for @attach
 *
 * Return: STATUS_DEVICE_REMOVED, STATUS_CANCELLED, the status of @attach.
 */
ntstatus_t wdm_device_attach_held(struct wdm_device *device, struct wdm_domain *domain,
				  ntstatus_t (*attach)(void *data,
						       struct wdm_domain *domain,
						       ntstatus_t held),
				  void *data)
{
	struct wdm_group *group = device->group;
	ntstatus_t status, held;
	void *hold;

	held = wdm_device_hold(device, &hold);
	do {
		status = wdm_group_lock(group);
		if (!wdm_ok(status))
			break;
		status = wdm_device_revoked(device) ? STATUS_DEVICE_REMOVED :
						      attach(data, domain, held);
		if (wdm_ok(status)) {
			wdm_device_keep(device, &hold);
			atomic_inc(&domain->nr_devices);
		}
		wdm_group_unlock(group);
	} while (wdm_attach_again(domain, group, &status));
	wdm_device_unhold(device, hold);
	return status;
}

static ntstatus_t wdm_device_attach_locked(void *data, struct wdm_domain *domain,
					   ntstatus_t held)
{
	struct wdm_device *device = data;
	struct wdm_group *group = device->group;
	ntstatus_t status = STATUS_SUCCESS;

	if (device->attached)
		return STATUS_INVALID_PARAMETER;
	if (!wdm_ok(held))
		return held;
	if (!wdm_device_allows(device, domain->type))
		return STATUS_ACCESS_DENIED;
	if (!group->attachment)
		status = wdm_attach(domain, group, device->dev, WDM_NO_PASID,
				    &group->attachment);
	else if (group->attachment->domain != domain)
		status = STATUS_ACCESS_DENIED;
	else if (!wdm_group_has(group, device->dev))
		status = STATUS_DEVICE_REMOVED;
	if (!wdm_ok(status))
		return status;
	group->attachment->nr_devices++;
	device->attached = true;
	WRITE_ONCE(device->domain, domain->handle);
	wdm_fault_start(device);
	return STATUS_SUCCESS;
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
	return wdm_device_attach_held(device, domain, wdm_device_attach_locked, device);
}

/**
 * wdm_device_detach_locked() - Detach a device
 * @device: the device; the lock of its group is held
 * @killable: a fatal signal ends the wait for the domain, if that is killable
 *
 * Return: as wdm_device_detach().
 */
ntstatus_t wdm_device_detach_locked(struct wdm_device *device, bool killable)
{
	struct wdm_group *group = device->group;
	struct wdm_attachment *attachment = group->attachment;
	ntstatus_t status;

	if (!device->attached)
		return STATUS_INVALID_PARAMETER_1;
	wdm_fault_stop(device);
	if (attachment->nr_devices > 1) {
		attachment->nr_devices--;
		atomic_dec(&attachment->domain->nr_devices);
	} else {
		status = wdm_detach(attachment, killable);
		if (!wdm_ok(status)) {
			wdm_fault_start(device);
			return status;
		}
		group->attachment = NULL;
	}
	device->attached = false;
	WRITE_ONCE(device->domain, 0);
	wdm_device_unkeep(device);
	return STATUS_SUCCESS;
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
