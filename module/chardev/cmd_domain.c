// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls that create domains.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/create.h"
#include "chardev.h"

static_assert((int)WDM_TYPE_TRANSLATE == WDM_IOMMU_TYPE_TRANSLATE);
static_assert((int)WDM_TYPE_PASS_THROUGH == WDM_IOMMU_TYPE_PASS_THROUGH);
static_assert((int)WDM_TYPE_UNMANAGED == WDM_IOMMU_TYPE_UNMANAGED);
static_assert((int)WDM_TYPE_TRANSLATE_S1 == WDM_IOMMU_TYPE_TRANSLATE_S1);

static ntstatus_t wdm_create_domain(struct wdm_command *cmd,
				    const struct wdm_domain_config *config, u32 *handle)
{
	struct wdm_domain *domain;
	ntstatus_t status;

	if (wdm_config_names_memory(config) && !capable(CAP_SYS_RAWIO))
		return STATUS_PRIVILEGE_NOT_HELD;
	status = wdm_object_reserve(cmd->ctx, WDM_OBJECT_DOMAIN, &cmd->created);
	if (wdm_ok(status))
		status = wdm_domain_create(config, &cmd->created->domain);
	if (!wdm_ok(status))
		return status;
	/* Tracepoints, events and reports show them. */
	domain = cmd->created->domain;
	domain->file = cmd->ctx->id;
	domain->handle = cmd->created->handle;
	*handle = domain->handle;
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_domain_create(struct wdm_command *cmd)
{
	struct wdm_iommu_domain_create *arg = cmd->arg;
	struct wdm_domain_config config = {
		.type = arg->os_managed_page_table ? WDM_TYPE_TRANSLATE : WDM_TYPE_UNMANAGED,
		.budget = &cmd->ctx->budget,
	};

	if (arg->os_managed_page_table > 1)
		return STATUS_INVALID_PARAMETER_1;
	if (arg->flags & ~WDM_IOMMU_DOMAIN_PAGE_GRANULAR || arg->reserved)
		return STATUS_INVALID_PARAMETER;
	if (arg->flags & WDM_IOMMU_DOMAIN_PAGE_GRANULAR) {
		if (!arg->os_managed_page_table)
			return STATUS_INVALID_PARAMETER;
		config.flags |= WDM_DOMAIN_PAGE_GRANULAR;
	}
	return wdm_create_domain(cmd, &config, &arg->domain);
}

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
	if (arg->type == WDM_IOMMU_TYPE_PASS_THROUGH)
		return wdm_create_domain(cmd, &config, &arg->domain);
	status = wdm_get_width(arg, &config.width);
	if (!wdm_ok(status))
		return status;
	status = wdm_copy_regions(cmd, &regions);
	if (!wdm_ok(status))
		return status;
	config.regions = regions;
	config.nr_regions = arg->number;
	status = wdm_create_domain(cmd, &config, &arg->domain);
	wdm_command_free_list(cmd, regions, wdm_regions_size(arg));
	return status;
}
