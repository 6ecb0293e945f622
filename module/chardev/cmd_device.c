// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls on devices: create, attach, detach.
 */
#include <linux/iommu.h>
#include <linux/pci.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/device.h"
#include "chardev.h"

/* Only the owner that VFIO handed the group to may have a device of it. */
static ntstatus_t wdm_device_of_owner(struct wdm_owner *owner,
				      struct device *dev,
				      struct wdm_device **out, u32 *number)
{
	struct iommu_group *iommu_group = iommu_group_get(dev);
	struct wdm_group *group;
	ntstatus_t status;

	if (!iommu_group)
		return STATUS_NOT_FOUND;

	group = wdm_owner_find_group(owner, iommu_group);
	*number = iommu_group_id(iommu_group);
	iommu_group_put(iommu_group);
	if (!group)
		return STATUS_ACCESS_DENIED;

	status = wdm_device_create(group, dev, out);
	wdm_group_put(group);
	return status;
}

ntstatus_t wdm_cmd_device_create(struct wdm_command *cmd)
{
	struct wdm_iommu_device_create *arg = cmd->arg;
	struct pci_dev *pdev;
	ntstatus_t status;
	u32 group;

	if (arg->flags || arg->reserved)
		return STATUS_INVALID_PARAMETER;
	pdev = pci_get_domain_bus_and_slot(arg->segment, arg->bus, arg->devfn);
	if (!pdev)
		return STATUS_NO_SUCH_DEVICE;

	status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_DEVICE, &cmd->created);
	if (wdm_ok(status))
		status = wdm_device_of_owner(cmd->ctx->owner, &pdev->dev,
					     &cmd->created->device, &group);
	pci_dev_put(pdev);
	if (wdm_ok(status))
		status = wdm_device_set_handle(cmd->created->device,
					       cmd->created->handle);
	if (!wdm_ok(status))
		return status;
	cmd->created->types = wdm_device_types(cmd->created->device);
	arg->device = cmd->created->handle;
	arg->group = group;
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
