// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls on OS-managed domains: map and unmap.
 */
#include <linux/capability.h>
#include <linux/mm.h>

#include <uapi/linux/wdm_iommu.h>

#include "../compat/compat.h"
#include "../core/domain.h"
#include "chardev.h"
#include "mdl_range.h"

static_assert(WDM_READ == WDM_IOMMU_READ);
static_assert(WDM_WRITE == WDM_IOMMU_WRITE);

ntstatus_t wdm_cmd_map(struct wdm_command *cmd)
{
	struct wdm_iommu_map *arg = cmd->arg;
	struct wdm_mdl_range range;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_mdl_range_get(cmd->ctx, arg->domain, arg->mdl, arg->offset,
				   arg->length, &range);
	if (wdm_failed(status))
		return status;
	status = wdm_domain_map(range.domain->domain, arg->permissions,
				range.mdl->mdl, range.page, range.nr_pages,
				arg->logical_address);
	wdm_mdl_range_put(cmd->ctx, &range);
	return status;
}

ntstatus_t wdm_cmd_map_identity(struct wdm_command *cmd)
{
	struct wdm_iommu_map *arg = cmd->arg;
	struct wdm_mdl_range range;
	ntstatus_t status;

	if (arg->reserved || arg->logical_address)
		return STATUS_INVALID_PARAMETER;
	if (!capable(CAP_SYS_RAWIO))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = wdm_mdl_range_get(cmd->ctx, arg->domain, arg->mdl, arg->offset,
				   arg->length, &range);
	if (wdm_failed(status))
		return status;
	status = wdm_domain_map_identity(range.domain->domain,
					 arg->permissions, range.mdl->mdl,
					 range.page, range.nr_pages);
	wdm_mdl_range_put(cmd->ctx, &range);
	return status;
}

ntstatus_t wdm_cmd_unmap(struct wdm_command *cmd)
{
	struct wdm_iommu_unmap *arg = cmd->arg;
	struct wdm_object *domain;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_object_get(cmd->ctx, arg->domain, WDM_OBJECT_DOMAIN,
				&domain);
	if (wdm_failed(status))
		return status;
	status = wdm_domain_unmap(domain->domain, arg->logical_address,
				  arg->number_of_pages);
	wdm_object_put(cmd->ctx, domain);
	return status;
}

ntstatus_t wdm_cmd_unmap_identity(struct wdm_command *cmd)
{
	struct wdm_iommu_unmap_identity *arg = cmd->arg;
	struct wdm_mdl_range range;
	ntstatus_t status;

	if (!capable(CAP_SYS_RAWIO))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = wdm_mdl_range_get(cmd->ctx, arg->domain, arg->mdl, arg->offset,
				   arg->length, &range);
	if (wdm_failed(status))
		return status;
	status = wdm_domain_unmap_identity(range.domain->domain,
					   range.mdl->mdl, range.page,
					   range.nr_pages);
	wdm_mdl_range_put(cmd->ctx, &range);
	return status;
}
