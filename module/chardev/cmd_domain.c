// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctl on domains: create.
 */
#include <uapi/linux/wdm_iommu.h>

#include "../core/domain.h"
#include "chardev.h"

ntstatus_t wdm_cmd_domain_create(struct wdm_command *cmd)
{
	struct wdm_iommu_domain_create *arg = cmd->arg;
	u32 flags = 0;
	ntstatus_t status;

	if (arg->os_managed_page_table > 1)
		return STATUS_INVALID_PARAMETER_1;
	if (arg->flags & ~WDM_IOMMU_DOMAIN_PAGE_GRANULAR || arg->reserved)
		return STATUS_INVALID_PARAMETER;
	if (arg->flags & WDM_IOMMU_DOMAIN_PAGE_GRANULAR)
		flags |= WDM_DOMAIN_PAGE_GRANULAR;

	status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_DOMAIN, &cmd->created);
	if (!wdm_ok(status))
		return status;
	status = wdm_domain_create(arg->os_managed_page_table, flags,
				   &cmd->ctx->budget, &cmd->created->domain);
	if (!wdm_ok(status))
		return status;
	arg->domain = wdm_command_name_domain(cmd);
	return STATUS_SUCCESS;
}
