// SPDX-License-Identifier: GPL-2.0
/*
 * PASID: create, delete, attach and detach.
 *
 * A PASID is attached to a domain separately from its device. Linux attaches it to all
 * devices of the IOMMU group that have PASIDs, so the numbers are unique in the group.
 * Linux hands a group over only without attached PASIDs: all are detached before it is
 * released.
 *
 * The numbers do not come from iommu_alloc_global_pasid(), because a program could exhaust
 * the PASIDs of the whole system, including those for SVA. They need not: a claimed group
 * has no PASID attached, and only its owner attaches any.
 */
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "attach.h"
#include "pasid.h"
#include "policy.h"

static void wdm_probe_max_pasids(struct device *dev, void *data)
{
	*(u32 *)data = wdm_max_pasids(dev);
}

/* Lower a number of PASIDs to that of a device with PASIDs. */
static int wdm_limit_pasids(struct device *dev, void *data)
{
	u32 max = wdm_max_pasids(dev), *limit = data;

	if (max)
		*limit = min(*limit, max);
	return 0;
}

static ntstatus_t wdm_pasid_alloc(struct wdm_device *device, u32 *out)
{
	struct wdm_group *group = device->group;
	int pasid;
	u32 max;

	lockdep_assert_held(&group->lock);
	if (!wdm_group_call(group, device->dev, wdm_probe_max_pasids, &max))
		return STATUS_DEVICE_REMOVED;
	if (!max)
		return STATUS_INVALID_PARAMETER_1;
	/*
	 * 0 stands for requests without a PASID. Linux attaches no PASID that another device of
	 * the group, if it has PASIDs at all, does not support.
	 */
	iommu_group_for_each_dev(group->iommu_group, &max, wdm_limit_pasids);
	pasid = ida_alloc_range(&group->pasids, 1, max - 1, GFP_KERNEL);
	if (pasid < 0)
		return pasid == -ENOSPC ? STATUS_NONE_MAPPED :
					  STATUS_INSUFFICIENT_RESOURCES;
	*out = pasid;
	return STATUS_SUCCESS;
}

/**
 * wdm_pasid_create() - Create an IOMMU_DMA_PASID_DEVICE
 * @device: the device
 * @out: out: the PASID, not attached
 *
 * Contract: IommuPasidDeviceCreate.
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER_1 if the device or its IOMMU does not
 * support PASIDs, STATUS_NONE_MAPPED if none is free, STATUS_DEVICE_REMOVED,
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_CANCELLED.
 */
ntstatus_t wdm_pasid_create(struct wdm_device *device, struct wdm_pasid **out)
{
	struct wdm_pasid *pasid = kzalloc(sizeof(*pasid), GFP_KERNEL_ACCOUNT);
	ntstatus_t status;

	if (!pasid)
		return STATUS_INSUFFICIENT_RESOURCES;
	pasid->device = device;
	status = wdm_group_lock(device->group);
	if (!wdm_ok(status))
		goto free;
	if (wdm_device_revoked(device))
		status = STATUS_DEVICE_REMOVED;
	else
		status = wdm_pasid_alloc(device, &pasid->pasid);
	if (wdm_ok(status))
		list_add_tail(&pasid->node, &device->pasids);
	wdm_group_unlock(device->group);
	if (!wdm_ok(status))
		goto free;
	*out = pasid;
	return STATUS_SUCCESS;

free:
	kfree(pasid);
	return status;
}

/**
 * wdm_pasid_delete() - Delete an IOMMU_DMA_PASID_DEVICE
 * @pasid: the PASID; freed on success
 *
 * Contract: IommuPasidDeviceDelete.
 *
 * Return: STATUS_SUCCESS; STATUS_RESOURCE_IN_USE if it is attached; STATUS_CANCELLED.
 * Has no effect on failure.
 */
ntstatus_t wdm_pasid_delete(struct wdm_pasid *pasid)
{
	struct wdm_group *group = pasid->device->group;
	ntstatus_t status;

	/* Once it is off the list, the PASID no longer keeps its device, nor the group. */
	refcount_inc(&group->refs);
	status = wdm_group_lock(group);
	if (!wdm_ok(status))
		goto put;
	if (pasid->attachment) {
		status = STATUS_RESOURCE_IN_USE;
	} else {
		list_del(&pasid->node);
		ida_free(&group->pasids, pasid->pasid);
	}
	wdm_group_unlock(group);
put:
	wdm_group_put(group);
	if (!wdm_ok(status))
		return status;
	kfree(pasid);
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_pasid_attach_locked(void *data, struct wdm_domain *domain,
					  ntstatus_t held)
{
	struct wdm_pasid *pasid = data;
	struct wdm_device *device = pasid->device;
	ntstatus_t status;

	/* Leave the remaining types to the IOMMU driver. */
	if (domain->type == WDM_TYPE_PASS_THROUGH)
		return STATUS_INVALID_PARAMETER_1;
	if (pasid->attachment)
		return STATUS_UNSUCCESSFUL;
	if (!wdm_ok(held))
		return held;
	if (!(wdm_device_types(device) & BIT(domain->type)))
		return STATUS_ACCESS_DENIED;
	status = wdm_attach(domain, device->group, device->dev, pasid->pasid,
			    &pasid->attachment);
	if (wdm_ok(status))
		pasid->attachment->nr_devices = 1;
	return status == STATUS_NOT_SUPPORTED ? STATUS_INVALID_PARAMETER_1 :
						status;
}

/**
 * wdm_pasid_attach() - Attach a PASID to a domain
 * @pasid: the PASID
 * @domain: the domain
 *
 * Contract: IommuDomainAttachPasidDevice. The device need not be attached.
 *
 * Return: STATUS_SUCCESS, or without effect:
 *
 * * STATUS_INVALID_PARAMETER_1: domains of this type cannot be attached to a PASID, or
 *   the IOMMU does not support its page tables for PASIDs
 * * STATUS_UNSUCCESSFUL: it is already attached
 * * STATUS_ACCESS_DENIED: the type is not available to the device now
 * * STATUS_CONFLICTING_ADDRESSES: something is mapped outside the aperture
 * * STATUS_DEVICE_REMOVED, STATUS_INSUFFICIENT_RESOURCES, STATUS_CANCELLED
 */
ntstatus_t wdm_pasid_attach(struct wdm_pasid *pasid, struct wdm_domain *domain)
{
	return wdm_device_attach_held(pasid->device, domain, wdm_pasid_attach_locked, pasid);
}

static ntstatus_t wdm_pasid_detach_locked(struct wdm_pasid *pasid, bool killable)
{
	ntstatus_t status;

	if (!pasid->attachment)
		return STATUS_INVALID_PARAMETER_1;
	status = wdm_detach(pasid->attachment, killable);
	if (!wdm_ok(status))
		return status;
	pasid->attachment = NULL;
	wdm_device_unkeep(pasid->device);
	return STATUS_SUCCESS;
}

/**
 * wdm_pasid_detach() - Detach a PASID from its domain
 * @pasid: the PASID
 *
 * Contract: IommuDomainDetachPasidDevice. When it returns, all DMA with the PASID is
 * blocked.
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER_1 if it is not attached,
 * STATUS_CANCELLED.
 */
ntstatus_t wdm_pasid_detach(struct wdm_pasid *pasid)
{
	struct wdm_group *group = pasid->device->group;
	ntstatus_t status;

	status = wdm_group_lock(group);
	if (!wdm_ok(status))
		return status;
	status = wdm_pasid_detach_locked(pasid, true);
	wdm_group_unlock(group);
	return status;
}

/**
 * wdm_pasids_revoke() - Detach all PASIDs of a device that is being revoked
 * @device: the device; the lock of its group is held
 */
void wdm_pasids_revoke(struct wdm_device *device)
{
	struct wdm_pasid *pasid;

	lockdep_assert_held(&device->group->lock);
	list_for_each_entry(pasid, &device->pasids, node)
		wdm_pasid_detach_locked(pasid, false);
}
