// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls of version 3: PASIDs of devices.
 */
#include <uapi/linux/wdm_iommu.h>

#include "../core/pasid.h"
#include "chardev.h"

static ntstatus_t wdm_command_pasid(struct wdm_command *cmd, u32 handle,
				    struct wdm_pasid **out)
{
	struct wdm_object *object;
	ntstatus_t status;

	status = wdm_command_object(cmd, handle, WDM_OBJECT_PASID, &object);
	if (wdm_ok(status))
		*out = object->pasid;
	return status;
}

ntstatus_t wdm_cmd_pasid_create(struct wdm_command *cmd)
{
	struct wdm_iommu_pasid_create *arg = cmd->arg;
	struct wdm_object *object;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_command_object(cmd, arg->device, WDM_OBJECT_DEVICE, &object);
	if (!wdm_ok(status))
		return status;
	if (object->pasid_config != WDM_IOMMU_PASID_TAGGED_DMA)
		return STATUS_INVALID_PARAMETER_1;
	status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_PASID, &cmd->created);
	if (!wdm_ok(status))
		return status;
	status = wdm_pasid_create(object->device, &cmd->created->pasid);
	if (!wdm_ok(status))
		return status;
	arg->pasid_device = cmd->created->handle;
	arg->asid = cmd->created->pasid->pasid;
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_pasid_attach(struct wdm_command *cmd)
{
	struct wdm_iommu_pasid_attach *arg = cmd->arg;
	struct wdm_domain *domain;
	struct wdm_pasid *pasid;
	ntstatus_t status;

	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (wdm_ok(status))
		status = wdm_command_pasid(cmd, arg->pasid_device, &pasid);
	if (!wdm_ok(status))
		return status;
	return wdm_pasid_attach(pasid, domain);
}

ntstatus_t wdm_cmd_pasid_detach(struct wdm_command *cmd)
{
	struct wdm_iommu_pasid_detach *arg = cmd->arg;
	struct wdm_pasid *pasid;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_command_pasid(cmd, arg->pasid_device, &pasid);
	if (!wdm_ok(status))
		return status;
	return wdm_pasid_detach(pasid);
}
