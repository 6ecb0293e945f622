// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls of version 2 on OS-managed domains: map at allocated addresses, reserve addresses
 * and map segments of them.
 */
#include <linux/capability.h>
#include <linux/mm.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/os/batch.h"
#include "../core/os/identity.h"
#include "../core/os/segment.h"
#include "../core/os/token.h"
#include "memory.h"

#define WDM_LIMIT_FLAGS		(WDM_IOMMU_ADDRESS_EXPLICIT | WDM_IOMMU_ADDRESS_MIN | \
				 WDM_IOMMU_ADDRESS_MAX)

static void wdm_get_limits(u32 flags, u64 min, u64 max, struct wdm_limits *limits)
{
	*limits = WDM_NO_LIMITS;
	if (flags & WDM_IOMMU_ADDRESS_MIN)
		limits->min = min;
	if (flags & WDM_IOMMU_ADDRESS_MAX)
		limits->max = max;
	limits->given = flags & (WDM_IOMMU_ADDRESS_MIN | WDM_IOMMU_ADDRESS_MAX);
}

static ntstatus_t wdm_map_ex_do(struct wdm_domain *domain,
				const struct wdm_mdl_range *range,
				struct wdm_iommu_map_ex *arg)
{
	struct wdm_limits limits;

	if (arg->flags & WDM_IOMMU_ADDRESS_IDENTITY)
		return wdm_domain_map_identity(domain, arg->permissions, range);
	if (arg->flags & WDM_IOMMU_ADDRESS_EXPLICIT)
		return wdm_domain_map(domain, arg->permissions, range,
				      arg->logical_address);
	wdm_get_limits(arg->flags, arg->min_address, arg->max_address, &limits);
	return wdm_domain_map_alloc(domain, arg->permissions, range, &limits,
				    &arg->logical_address);
}

/* Check the parameters that do not depend on the memory: pinning may take long. */
static ntstatus_t wdm_map_ex_check(const struct wdm_domain *domain,
				   const struct wdm_iommu_map_ex *arg)
{
	bool identity = arg->flags & WDM_IOMMU_ADDRESS_IDENTITY;

	if (identity ? !wdm_domain_os_managed(domain) : !wdm_domain_maps(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!arg->permissions || arg->permissions & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_map_ex(struct wdm_command *cmd)
{
	struct wdm_iommu_map_ex *arg = cmd->arg;
	bool identity = arg->flags & WDM_IOMMU_ADDRESS_IDENTITY;
	struct wdm_domain *domain;
	struct wdm_memory memory;
	ntstatus_t status;

	if (arg->flags & ~(WDM_LIMIT_FLAGS | WDM_IOMMU_ADDRESS_IDENTITY) ||
	    (identity && arg->flags & WDM_LIMIT_FLAGS) || arg->reserved)
		return STATUS_INVALID_PARAMETER;
	if (!wdm_memory_permitted(&arg->memory) ||
	    (identity && !capable(CAP_SYS_RAWIO)))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (wdm_ok(status))
		status = wdm_map_ex_check(domain, arg);
	if (wdm_ok(status))
		status = wdm_memory_get(cmd, &arg->memory, arg->permissions, !identity,
					&memory);
	if (!wdm_ok(status))
		return status;
	status = wdm_map_ex_do(domain, &memory.range, arg);
	wdm_memory_put(&memory);
	return status;
}

ntstatus_t wdm_cmd_reserve(struct wdm_command *cmd)
{
	struct wdm_iommu_reserve *arg = cmd->arg;
	bool is_explicit = arg->flags & WDM_IOMMU_ADDRESS_EXPLICIT;
	struct wdm_domain *domain;
	struct wdm_limits limits;
	ntstatus_t status;

	if (arg->flags & ~WDM_LIMIT_FLAGS || arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (wdm_ok(status))
		status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_TOKEN, &cmd->created);
	if (!wdm_ok(status))
		return status;
	wdm_get_limits(arg->flags, arg->min_address, arg->max_address, &limits);
	status = wdm_token_create(domain, arg->length,
				  is_explicit ? &arg->logical_address : NULL, &limits,
				  &cmd->created->token);
	if (!wdm_ok(status))
		return status;
	arg->token = cmd->created->handle;
	arg->logical_address = wdm_token_iova(cmd->created->token);
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_command_token(struct wdm_command *cmd, u32 handle,
				    struct wdm_token **out)
{
	struct wdm_object *object;
	ntstatus_t status;

	status = wdm_command_object(cmd, handle, WDM_OBJECT_TOKEN, &object);
	if (wdm_ok(status))
		*out = object->token;
	return status;
}

ntstatus_t wdm_cmd_map_reserved(struct wdm_command *cmd)
{
	struct wdm_iommu_map_reserved *arg = cmd->arg;
	struct wdm_memory memory;
	struct wdm_token *token;
	ntstatus_t status;

	if (!wdm_memory_permitted(&arg->memory))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = wdm_command_token(cmd, arg->token, &token);
	if (!wdm_ok(status))
		return status;
	if (!PAGE_ALIGNED(arg->offset) || arg->offset >> PAGE_SHIFT >= token->nr_pages)
		return STATUS_INVALID_PARAMETER_2;
	if (!arg->permissions || arg->permissions & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_3;
	status = wdm_memory_get(cmd, &arg->memory, arg->permissions, true, &memory);
	/* Here the memory is parameter 4. */
	if (status == STATUS_INVALID_PARAMETER_3)
		status = STATUS_INVALID_PARAMETER_4;
	if (!wdm_ok(status))
		return status;
	status = wdm_token_map(token, arg->offset, arg->permissions, &memory.range);
	if (wdm_ok(status))
		arg->length = memory.range.nr_pages << PAGE_SHIFT;
	wdm_memory_put(&memory);
	return status;
}

ntstatus_t wdm_cmd_unmap_reserved(struct wdm_command *cmd)
{
	struct wdm_iommu_unmap_reserved *arg = cmd->arg;
	struct wdm_token *token;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_command_token(cmd, arg->token, &token);
	if (!wdm_ok(status))
		return status;
	return wdm_token_unmap(token, arg->offset, arg->length);
}
