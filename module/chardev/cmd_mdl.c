// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls on MDLs: create, from memory of the calling process or of a memfd.
 */
#include <linux/file.h>

#include <uapi/linux/wdm_iommu.h>

#include "chardev.h"
#include "user_mdl.h"

static ntstatus_t wdm_create_mdl(struct wdm_command *cmd,
				 struct wdm_user_memory *memory, u32 *handle)
{
	ntstatus_t status;

	if (!memory->access || memory->access & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_3;
	/* Some IOMMUs cannot forbid reading where they allow writing. */
	memory->access |= WDM_READ;

	status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_MDL, &cmd->created);
	if (!wdm_ok(status))
		return status;
	status = wdm_user_mdl_create(cmd->ctx, memory, &cmd->created->mdl);
	if (!wdm_ok(status))
		return status;
	cmd->created->mdl->handle = cmd->created->handle;
	*handle = cmd->created->handle;
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_mdl_create(struct wdm_command *cmd)
{
	struct wdm_iommu_mdl_create *arg = cmd->arg;
	struct wdm_user_memory memory = {
		.start = arg->user_va,
		.length = arg->length,
		.access = arg->access,
	};

	return wdm_create_mdl(cmd, &memory, &arg->mdl);
}

ntstatus_t wdm_cmd_mdl_create_file(struct wdm_command *cmd)
{
	struct wdm_iommu_mdl_create_file *arg = cmd->arg;
	struct wdm_user_memory memory = {
		.start = arg->offset,
		.length = arg->length,
		.access = arg->access,
	};
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	memory.file = fget(arg->fd);
	if (!memory.file)
		return STATUS_INVALID_HANDLE;
	status = wdm_create_mdl(cmd, &memory, &arg->mdl);
	fput(memory.file);
	return status;
}
