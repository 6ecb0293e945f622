// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctl on MDLs: create, from memory of the calling process.
 */
#include <uapi/linux/wdm_iommu.h>

#include "../core/mdl.h"
#include "chardev.h"
#include "user_mdl.h"

ntstatus_t wdm_cmd_mdl_create(struct wdm_command *cmd)
{
	struct wdm_iommu_mdl_create *arg = cmd->arg;
	u32 access = arg->access;
	ntstatus_t status;

	if (!access || access & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_3;
	/* Some IOMMUs cannot forbid reading where they allow writing. */
	access |= WDM_READ;

	status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_MDL, &cmd->created);
	if (!wdm_ok(status))
		return status;
	status = wdm_user_mdl_create(cmd->ctx, arg->user_va, arg->length,
				     access, &cmd->created->mdl);
	if (!wdm_ok(status))
		return status;
	cmd->created->mdl->handle = cmd->created->handle;
	arg->mdl = cmd->created->handle;
	return STATUS_SUCCESS;
}
