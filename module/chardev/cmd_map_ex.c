// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls of version 2 on OS-managed domains: create by type, map at allocated addresses,
 * reserve addresses and map segments of them.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/create.h"
#include "../core/os/batch.h"
#include "../core/os/identity.h"
#include "../core/os/segment.h"
#include "../core/os/token.h"
#include "memory.h"

static_assert((int)WDM_TYPE_TRANSLATE == WDM_IOMMU_TYPE_TRANSLATE);
static_assert((int)WDM_TYPE_PASS_THROUGH == WDM_IOMMU_TYPE_PASS_THROUGH);
static_assert((int)WDM_TYPE_UNMANAGED == WDM_IOMMU_TYPE_UNMANAGED);
static_assert((int)WDM_TYPE_TRANSLATE_S1 == WDM_IOMMU_TYPE_TRANSLATE_S1);

#define WDM_LIMIT_FLAGS		(WDM_IOMMU_ADDRESS_EXPLICIT | WDM_IOMMU_ADDRESS_MIN | \
				 WDM_IOMMU_ADDRESS_MAX)

static size_t wdm_regions_size(const struct wdm_iommu_domain_create_ex *arg)
{
	return arg->number * sizeof(struct wdm_reserved_region);
}

/* Convert the regions for the core. The caller frees them with wdm_command_free_list(). */
static ntstatus_t wdm_copy_regions(struct wdm_command *cmd,
				   struct wdm_reserved_region **out)
{
	const struct wdm_iommu_domain_create_ex *arg = cmd->arg;
	const struct wdm_iommu_region __user *uregions = u64_to_user_ptr(arg->regions);
	struct wdm_reserved_region *regions;
	struct wdm_iommu_region region;
	ntstatus_t status;
	void *list;
	u32 i;

	if (arg->number > WDM_MAX_REGIONS)
		return STATUS_INVALID_PARAMETER_4;
	status = wdm_command_alloc_list(cmd, wdm_regions_size(arg), &list);
	if (!wdm_ok(status))
		return status;
	regions = list;
	for (i = 0; i < arg->number; i++) {
		status = STATUS_ACCESS_VIOLATION;
		if (copy_from_user(&region, &uregions[i], sizeof(region)))
			goto free;
		status = STATUS_INVALID_PARAMETER_4;
		if (region.should_map > 1 || region.reserved ||
		    !PAGE_ALIGNED(region.length))
			goto free;
		regions[i] = (struct wdm_reserved_region) {
			.iova = region.start,
			.nr_pages = region.length >> PAGE_SHIFT,
			.map = region.should_map,
		};
		cond_resched();
	}
	*out = regions;
	return STATUS_SUCCESS;

free:
	wdm_command_free_list(cmd, regions, wdm_regions_size(arg));
	return status;
}

/* Get the width of the allocator, parameter 3 of the contract. */
static ntstatus_t wdm_get_width(const struct wdm_iommu_domain_create_ex *arg,
				unsigned int *width)
{
	switch (arg->allocator) {
	case WDM_IOMMU_ALLOCATOR_NONE:
		*width = 0;
		return arg->address_width ? STATUS_INVALID_PARAMETER_3 : STATUS_SUCCESS;
	case WDM_IOMMU_ALLOCATOR_BUDDY:
		*width = arg->address_width;
		return arg->address_width ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
	default:
		return STATUS_INVALID_PARAMETER_3;
	}
}

static ntstatus_t wdm_create_ex(struct wdm_command *cmd,
				const struct wdm_domain_config *config)
{
	struct wdm_iommu_domain_create_ex *arg = cmd->arg;
	ntstatus_t status;

	if (wdm_config_names_memory(config) && !capable(CAP_SYS_RAWIO))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_DOMAIN, &cmd->created);
	if (!wdm_ok(status))
		return status;
	status = wdm_domain_create_ex(config, &cmd->created->domain);
	if (!wdm_ok(status))
		return status;
	arg->domain = wdm_command_name_domain(cmd);
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_domain_create_ex(struct wdm_command *cmd)
{
	struct wdm_iommu_domain_create_ex *arg = cmd->arg;
	struct wdm_domain_config config = {
		.type = arg->type,
		.budget = &cmd->ctx->budget,
	};
	struct wdm_reserved_region *regions;
	ntstatus_t status;

	if (arg->flags & ~WDM_IOMMU_DOMAIN_PAGE_GRANULAR)
		return STATUS_INVALID_PARAMETER;
	if (arg->type > WDM_IOMMU_TYPE_TRANSLATE_S1)
		return STATUS_INVALID_PARAMETER_1;
	if (arg->creation_flags)
		return STATUS_INVALID_PARAMETER_2;
	if (arg->flags & WDM_IOMMU_DOMAIN_PAGE_GRANULAR) {
		if (arg->type == WDM_IOMMU_TYPE_UNMANAGED)
			return STATUS_INVALID_PARAMETER;
		config.flags |= WDM_DOMAIN_PAGE_GRANULAR;
	}
	status = wdm_get_width(arg, &config.width);
	if (!wdm_ok(status))
		return status;
	status = wdm_copy_regions(cmd, &regions);
	if (!wdm_ok(status))
		return status;
	config.regions = regions;
	config.nr_regions = arg->number;
	status = wdm_create_ex(cmd, &config);
	wdm_command_free_list(cmd, regions, wdm_regions_size(arg));
	return status;
}

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
		status = wdm_memory_get(cmd, &arg->memory, arg->permissions, &memory);
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
	status = wdm_memory_get(cmd, &arg->memory, arg->permissions, &memory);
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
