// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls on caller-managed domains: the caller's address space, Configure and
 * the flushes.
 */
#include <linux/mm.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/caller.h"
#include "chardev.h"

static_assert((int)WDM_PT_ARM64 == WDM_IOMMU_FORMAT_ARM64);
static_assert((int)WDM_PT_X64 == WDM_IOMMU_FORMAT_X64);

ntstatus_t wdm_cmd_memory_add(struct wdm_command *cmd)
{
	struct wdm_iommu_memory_add *arg = cmd->arg;
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
	return wdm_domain_memory_add(domain, arg->permissions, &range,
				     arg->caller_address);
}

ntstatus_t wdm_cmd_memory_remove(struct wdm_command *cmd)
{
	struct wdm_iommu_memory_remove *arg = cmd->arg;
	struct wdm_domain *domain;
	ntstatus_t status;
	u64 nr_pages = 0;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	if (PAGE_ALIGNED(arg->length))
		nr_pages = arg->length >> PAGE_SHIFT;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (!wdm_ok(status))
		return status;
	return wdm_domain_memory_remove(domain, arg->caller_address, nr_pages);
}

static void wdm_put_walk_error(struct wdm_iommu_walk_error *out,
			       const struct wdm_walk_error *walk_error)
{
	*out = (struct wdm_iommu_walk_error) {
		.count = walk_error->count,
		.level = walk_error->level,
		.logical_address = walk_error->va,
		.entry = walk_error->raw,
	};
}

/*
 * Look up a domain and check its kind, before all other parameters. Then call @walk, and
 * report the first invalid entry.
 */
static ntstatus_t wdm_command_walk(struct wdm_command *cmd, u32 handle,
				   struct wdm_iommu_walk_error *out,
				   ntstatus_t (*walk)(struct wdm_command *cmd,
						      struct wdm_domain *domain,
						      struct wdm_walk_error *walk_error))
{
	struct wdm_walk_error walk_error = { };
	struct wdm_domain *domain;
	ntstatus_t status;

	status = wdm_command_domain(cmd, handle, &domain);
	if (wdm_ok(status))
		status = wdm_domain_os_managed(domain) ?
			 STATUS_INVALID_PARAMETER_1 : walk(cmd, domain, &walk_error);
	wdm_put_walk_error(out, &walk_error);
	return status;
}

/* Convert the configuration for the core. */
static ntstatus_t wdm_get_config(const struct wdm_iommu_configure *arg,
				 struct wdm_pt_config *config)
{
	if (arg->translation_enabled > 1)
		return STATUS_INVALID_PARAMETER_2;
	config->translation_enabled = arg->translation_enabled;

	switch (arg->type) {
	case WDM_IOMMU_FORMAT_X64:
		if (arg->flags & ~WDM_IOMMU_CONFIGURE_X64_LA57)
			return STATUS_INVALID_PARAMETER;
		config->type = WDM_PT_X64;
		config->x64.root = arg->x64.first_level_page_table_root;
		config->x64.levels =
			arg->flags & WDM_IOMMU_CONFIGURE_X64_LA57 ? 5 : 4;
		return STATUS_SUCCESS;
	case WDM_IOMMU_FORMAT_ARM64:
		if (arg->flags || arg->arm64.reserved)
			return STATUS_INVALID_PARAMETER;
		if (arg->arm64.coherent_table_walks > 1)
			return STATUS_INVALID_PARAMETER_2;
		config->type = WDM_PT_ARM64;
		config->arm64.ttbr0 = arg->arm64.ttbr0;
		config->arm64.ttbr1 = arg->arm64.ttbr1;
		config->arm64.input_size0 = arg->arm64.input_size0;
		config->arm64.input_size1 = arg->arm64.input_size1;
		return STATUS_SUCCESS;
	default:
		return STATUS_INVALID_PARAMETER_2;
	}
}

static ntstatus_t wdm_configure(struct wdm_command *cmd, struct wdm_domain *domain,
				struct wdm_walk_error *walk_error)
{
	struct wdm_pt_config config;
	ntstatus_t status = wdm_get_config(cmd->arg, &config);

	return wdm_ok(status) ? wdm_domain_configure(domain, &config, walk_error) : status;
}

ntstatus_t wdm_cmd_configure(struct wdm_command *cmd)
{
	struct wdm_iommu_configure *arg = cmd->arg;

	return wdm_command_walk(cmd, arg->domain, &arg->walk_error, wdm_configure);
}

static ntstatus_t wdm_flush(struct wdm_command *cmd, struct wdm_domain *domain,
			    struct wdm_walk_error *walk_error)
{
	return wdm_domain_flush(domain, walk_error);
}

ntstatus_t wdm_cmd_flush(struct wdm_command *cmd)
{
	struct wdm_iommu_flush *arg = cmd->arg;

	arg->walk_error = (struct wdm_iommu_walk_error) { };
	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	return wdm_command_walk(cmd, arg->domain, &arg->walk_error, wdm_flush);
}

static ntstatus_t wdm_flush_list(struct wdm_command *cmd, struct wdm_domain *domain,
				 struct wdm_walk_error *walk_error)
{
	const struct wdm_iommu_flush_va_list *arg = cmd->arg;
	size_t size = arg->number * sizeof(u64);
	ntstatus_t status;
	void *vas;

	if (arg->last_level > 1)
		return STATUS_INVALID_PARAMETER_2;
	if (arg->number > WDM_MAX_VA_LIST)
		return STATUS_INVALID_PARAMETER_3;
	status = wdm_command_copy_list(cmd, arg->va_list, size, &vas);
	if (!wdm_ok(status))
		return status;
	status = wdm_domain_flush_list(domain, arg->last_level, vas, arg->number,
				       walk_error);
	wdm_command_free_list(cmd, vas, size);
	return status;
}

ntstatus_t wdm_cmd_flush_va_list(struct wdm_command *cmd)
{
	struct wdm_iommu_flush_va_list *arg = cmd->arg;

	arg->walk_error = (struct wdm_iommu_walk_error) { };
	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	return wdm_command_walk(cmd, arg->domain, &arg->walk_error, wdm_flush_list);
}
