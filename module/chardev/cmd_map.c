// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls on OS-managed domains: map and unmap.
 */
#include <linux/capability.h>
#include <linux/mm.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/os/batch.h"
#include "../core/os/identity.h"
#include "chardev.h"
#include "user_mdl.h"

static_assert(WDM_READ == WDM_IOMMU_READ);
static_assert(WDM_WRITE == WDM_IOMMU_WRITE);

ntstatus_t wdm_cmd_map(struct wdm_command *cmd)
{
	struct wdm_iommu_map *arg = cmd->arg;
	struct wdm_mdl_range range;
	struct wdm_domain *domain;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (wdm_ok(status))
		status = wdm_command_range(cmd, arg->mdl, arg->offset, arg->length,
					   &range);
	if (!wdm_ok(status))
		return status;
	return wdm_domain_map(domain, arg->permissions, &range, arg->logical_address);
}

/* Check the parameters that do not depend on the memory, before it is pinned. */
static ntstatus_t wdm_map_user_check(struct wdm_domain *domain,
				     const struct wdm_iommu_map_user *arg)
{
	if (!wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!arg->permissions || arg->permissions & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	return STATUS_SUCCESS;
}

/*
 * The MDL has no handle: its pages are unpinned as they are unmapped. It is freed with the
 * last one, or here if mapping it fails.
 */
ntstatus_t wdm_cmd_map_user(struct wdm_command *cmd)
{
	struct wdm_iommu_map_user *arg = cmd->arg;
	struct wdm_user_memory memory;
	struct wdm_mdl_range range;
	struct wdm_domain *domain;
	struct wdm_mdl *mdl;
	ntstatus_t status;

	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_map_user_check(domain, arg);
	if (!wdm_ok(status))
		return status;
	memory = (struct wdm_user_memory) {
		.start = arg->user_va,
		.length = arg->length,
		.access = arg->permissions | WDM_READ,
		.once = true,
	};
	status = wdm_user_mdl_create(cmd->ctx, &memory, &mdl);
	/* Both concern the memory, which is a single parameter of the contract. */
	if (status == STATUS_INVALID_PARAMETER_1 ||
	    status == STATUS_INVALID_PARAMETER_2)
		status = STATUS_INVALID_PARAMETER_3;
	if (!wdm_ok(status))
		return status;
	wdm_mdl_range_init(&range, mdl, 0, 0);
	status = wdm_domain_map(domain, arg->permissions, &range, arg->logical_address);
	wdm_mdl_put(mdl);
	return status;
}

ntstatus_t wdm_cmd_map_identity(struct wdm_command *cmd)
{
	struct wdm_iommu_map *arg = cmd->arg;
	struct wdm_mdl_range range;
	struct wdm_domain *domain;
	ntstatus_t status;

	if (arg->reserved || arg->logical_address)
		return STATUS_INVALID_PARAMETER;
	if (!capable(CAP_SYS_RAWIO))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (wdm_ok(status))
		status = wdm_command_range(cmd, arg->mdl, arg->offset, arg->length,
					   &range);
	if (!wdm_ok(status))
		return status;
	return wdm_domain_map_identity(domain, arg->permissions, &range);
}

ntstatus_t wdm_cmd_unmap(struct wdm_command *cmd)
{
	struct wdm_iommu_unmap *arg = cmd->arg;
	struct wdm_domain *domain;
	u64 nr_pages = 0;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	/* The core checks the domain first, and then refuses 0 pages. */
	if (PAGE_ALIGNED(arg->length))
		nr_pages = arg->length >> PAGE_SHIFT;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (!wdm_ok(status))
		return status;
	return wdm_domain_unmap(domain, arg->logical_address, nr_pages);
}

ntstatus_t wdm_cmd_unmap_identity(struct wdm_command *cmd)
{
	struct wdm_iommu_unmap_identity *arg = cmd->arg;
	struct wdm_mdl_range range;
	struct wdm_domain *domain;
	ntstatus_t status;

	if (!capable(CAP_SYS_RAWIO))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (wdm_ok(status))
		status = wdm_command_range(cmd, arg->mdl, arg->offset, arg->length,
					   &range);
	if (!wdm_ok(status))
		return status;
	return wdm_domain_unmap_identity(domain, &range);
}
