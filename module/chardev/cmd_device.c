// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls on devices: create, attach, detach.
 */
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/device.h"
#include "../core/query.h"
#include "../vfio/cdev.h"
#include "chardev.h"

/* Maximum length of a device name, with its NUL */
#define WDM_MAX_NAME	256

/* Get a device of a group that VFIO has handed to this owner. */
static ntstatus_t wdm_device_of_owner(struct wdm_owner *owner,
				      struct device *dev,
				      struct wdm_device **out)
{
	/*
	 * Only to compare it with the groups of the owner, which exist: the device may be another
	 * program's, or unplugged just now, so iommu_group_get() may meet a freed group.
	 */
	struct iommu_group *iommu_group = READ_ONCE(dev->iommu_group);
	struct wdm_group *group;
	ntstatus_t status;

	if (!iommu_group)
		return STATUS_NOT_FOUND;

	group = wdm_owner_find_group(owner, iommu_group, NULL);
	if (!group)
		return STATUS_ACCESS_DENIED;

	status = wdm_device_create(group, dev, out);
	wdm_group_put(group);
	/*
	 * A device is revoked when it is unbound from its driver, so one that has none already
	 * may never be revoked. The driver core clears dev->driver before that takes the lock of
	 * the group, as wdm_device_create() does.
	 */
	if (wdm_ok(status) && !READ_ONCE(dev->driver))
		return STATUS_ACCESS_DENIED;
	return status;
}

/* Get the device that a call names, with a reference. */
static ntstatus_t wdm_find_device(const struct wdm_iommu_device_create *arg,
				  struct device **out)
{
	struct pci_dev *pdev;
	char *name;

	if (!arg->name) {
		pdev = pci_get_domain_bus_and_slot(arg->segment, arg->bus, arg->devfn);
		*out = pdev ? &pdev->dev : NULL;
	} else {
		if (arg->segment || arg->bus || arg->devfn)
			return STATUS_INVALID_PARAMETER;
		name = strndup_user(u64_to_user_ptr(arg->name), WDM_MAX_NAME);
		if (IS_ERR(name))
			return PTR_ERR(name) == -EINVAL ? STATUS_NO_SUCH_DEVICE :
				wdm_status_from_errno(PTR_ERR(name));
		*out = bus_find_device_by_name(&platform_bus_type, NULL, name);
		kfree(name);
	}
	return *out ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

static ntstatus_t wdm_create_named(struct wdm_command *cmd)
{
	const struct wdm_iommu_device_create *arg = cmd->arg;
	struct device *dev;
	ntstatus_t status;

	if (arg->cdev)
		return STATUS_INVALID_PARAMETER;
	status = wdm_find_device(arg, &dev);
	if (!wdm_ok(status))
		return status;
	status = wdm_device_of_owner(cmd->ctx->owner, dev, &cmd->created->device);
	put_device(dev);
	return status;
}

static ntstatus_t wdm_create_of_cdev(struct wdm_command *cmd)
{
	const struct wdm_iommu_device_create *arg = cmd->arg;

	if (arg->segment || arg->bus || arg->devfn || arg->name)
		return STATUS_INVALID_PARAMETER;
	return wdm_cdev_device_create(cmd->ctx->owner, arg->cdev, &cmd->created->device);
}

/* Check a configuration against the device; it is parameter 2 of the contract. */
static ntstatus_t wdm_check_config(const struct wdm_iommu_device_create *arg,
				   const struct wdm_device_report *report)
{
	/* Linux attaches all stream IDs of a device. */
	if ((arg->mappings_count && arg->mappings_count != report->nr_mappings) ||
	    arg->input_mapping_base)
		return STATUS_INVALID_PARAMETER_2;
	if (arg->pasid_config != WDM_IOMMU_PASID_NONE && !report->max_pasids)
		return STATUS_INVALID_PARAMETER_2;
	return STATUS_SUCCESS;
}

/* Check what is invalid for any device. */
static bool wdm_config_valid(const struct wdm_iommu_device_create *arg)
{
	if (arg->pasid_config > WDM_IOMMU_PASID_TAGGED_DMA || arg->suppress_pasid_faults > 1)
		return false;
	return arg->pasid_config != WDM_IOMMU_PASID_NONE || !arg->suppress_pasid_faults;
}

ntstatus_t wdm_cmd_device_create(struct wdm_command *cmd)
{
	struct wdm_iommu_device_create *arg = cmd->arg;
	struct wdm_device_report report;
	ntstatus_t status;

	if (arg->flags & ~WDM_IOMMU_DEVICE_CDEV || arg->reserved || arg->reserved2 ||
	    arg->reserved3)
		return STATUS_INVALID_PARAMETER;
	if (!wdm_config_valid(arg))
		return STATUS_INVALID_PARAMETER_2;

	status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_DEVICE, &cmd->created);
	if (!wdm_ok(status))
		return status;
	status = arg->flags & WDM_IOMMU_DEVICE_CDEV ? wdm_create_of_cdev(cmd) :
						      wdm_create_named(cmd);
	if (wdm_ok(status))
		status = wdm_device_report(cmd->created->device, &report);
	if (wdm_ok(status))
		status = wdm_check_config(arg, &report);
	if (wdm_ok(status))
		status = wdm_device_set_handle(cmd->created->device,
					       cmd->created->handle);
	if (!wdm_ok(status))
		return status;
	cmd->created->types = wdm_device_types(cmd->created->device);
	cmd->created->pasid_config = arg->pasid_config;
	cmd->created->suppress_faults = arg->suppress_pasid_faults;
	arg->device = cmd->created->handle;
	arg->group = report.group;
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_attach(struct wdm_command *cmd)
{
	struct wdm_iommu_attach *arg = cmd->arg;
	struct wdm_domain *domain;
	struct wdm_device *device;
	ntstatus_t status;

	if (arg->input_mapping_id_base)
		return STATUS_INVALID_PARAMETER_3;
	if (arg->mapping_count != 1)
		return STATUS_INVALID_PARAMETER_4;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_command_device(cmd, arg->device, &device);
	if (!wdm_ok(status))
		return status;
	return wdm_device_attach(device, domain);
}

ntstatus_t wdm_cmd_detach(struct wdm_command *cmd)
{
	struct wdm_iommu_detach *arg = cmd->arg;
	struct wdm_device *device;
	ntstatus_t status;

	if (arg->input_mapping_id)
		return STATUS_INVALID_PARAMETER_3;
	status = wdm_command_device(cmd, arg->device, &device);
	if (!wdm_ok(status))
		return status;
	return wdm_device_detach(device);
}
