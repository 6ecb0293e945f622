// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls on domains as such: info, create, delete, reports.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/attach.h"
#include "../core/query.h"
#include "../core/shadow/shadow.h"
#include "chardev.h"

/* Runs that QUERY_MAPPINGS collects at a time. */
#define WDM_QUERY_BATCH		64

ntstatus_t wdm_cmd_info(struct wdm_command *cmd)
{
	struct wdm_iommu_info *arg = cmd->arg;

	*arg = (struct wdm_iommu_info) {
		.interface_version = 1,
		.flags = WDM_IOMMU_INFO_VFIO_CONTAINER,
		.page_size = PAGE_SIZE,
		.formats = BIT(WDM_IOMMU_FORMAT_ARM64) |
			   BIT(WDM_IOMMU_FORMAT_X64),
		.max_mdl_length = WDM_MDL_MAX_PAGES << PAGE_SHIFT,
		.max_va_list = WDM_SHADOW_MAX_VA_LIST,
		.shadow_extra_tables = WDM_SHADOW_EXTRA_TABLES,
		.max_batch = WDM_BATCH_MAX,
	};
	if (wdm_unsafe_interrupts_allowed())
		arg->flags |= WDM_IOMMU_INFO_UNSAFE_INTERRUPTS;
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_destroy(struct wdm_command *cmd)
{
	struct wdm_iommu_destroy *arg = cmd->arg;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	return wdm_object_delete(cmd->ctx, arg->handle, WDM_OBJECT_ANY);
}

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
	status = wdm_domain_create(arg->os_managed_page_table, flags, NULL,
				   &cmd->created->domain);
	if (wdm_ok(status))
		arg->domain = cmd->created->handle;
	return status;
}

ntstatus_t wdm_cmd_query_domain(struct wdm_command *cmd)
{
	struct wdm_iommu_query_domain *arg = cmd->arg;
	struct wdm_domain_report report;
	struct wdm_object *object;
	ntstatus_t status;

	status = wdm_object_get(cmd->ctx, arg->domain, WDM_OBJECT_DOMAIN,
				&object);
	if (!wdm_ok(status))
		return status;
	status = wdm_domain_report(object->domain, &report);
	wdm_object_put(object);
	if (!wdm_ok(status))
		return status;

	*arg = (struct wdm_iommu_query_domain) {
		.domain = arg->domain,
		.devices = report.nr_devices,
		.hwpts = report.nr_hwpts,
		.mapped_pages = report.mapped_pages,
		.translated_bytes = report.translated_bytes,
		.shadow_tables = report.shadow_tables,
		.invalid_entries = report.invalid_entries,
		.aperture_start = report.aperture_start,
		.aperture_end = report.aperture_end,
	};
	if (report.os_managed)
		arg->flags |= WDM_IOMMU_DOMAIN_IS_OS_MANAGED;
	if (report.page_granular)
		arg->flags |= WDM_IOMMU_DOMAIN_IS_PAGE_GRANULAR;
	if (report.configured)
		arg->flags |= WDM_IOMMU_DOMAIN_IS_CONFIGURED;
	if (report.translating)
		arg->flags |= WDM_IOMMU_DOMAIN_IS_TRANSLATING;
	return STATUS_SUCCESS;
}

/* One batch of runs, as the program sees them. */
static ntstatus_t wdm_query_batch(struct wdm_domain *domain, bool caller_space,
				  u64 *start, struct wdm_extent *ext,
				  struct wdm_iommu_mapping __user *umap,
				  unsigned int *nr)
{
	ntstatus_t status;
	unsigned int i;

	status = wdm_domain_walk(domain, caller_space, start, ext, nr);
	if (!wdm_ok(status))
		return status;

	for (i = 0; i < *nr; i++) {
		struct wdm_iommu_mapping map = {
			.address = ext[i].first << PAGE_SHIFT,
			.length = ext[i].nr_pages << PAGE_SHIFT,
			.offset = ext[i].mdl_page << PAGE_SHIFT,
			.mdl = ext[i].handle,
			.permissions = ext[i].perms,
		};

		if (copy_to_user(&umap[i], &map, sizeof(map)))
			return STATUS_ACCESS_VIOLATION;
	}
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_query_mappings(struct wdm_command *cmd)
{
	struct wdm_iommu_query_mappings *arg = cmd->arg;
	struct wdm_iommu_mapping __user *umap =
		u64_to_user_ptr(arg->mappings);
	bool caller_space = arg->what == WDM_IOMMU_QUERY_CALLER;
	u32 done = 0, room = arg->number;
	u64 start = arg->start;
	struct wdm_object *object;
	struct wdm_extent *ext;
	ntstatus_t status;
	unsigned int nr;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	if (arg->what > WDM_IOMMU_QUERY_CALLER)
		return STATUS_INVALID_PARAMETER_2;
	if (!room)
		return STATUS_INVALID_PARAMETER_3;
	status = wdm_object_get(cmd->ctx, arg->domain, WDM_OBJECT_DOMAIN,
				&object);
	if (!wdm_ok(status))
		return status;

	ext = kcalloc(WDM_QUERY_BATCH, sizeof(*ext), GFP_KERNEL_ACCOUNT);
	if (!ext)
		status = STATUS_INSUFFICIENT_RESOURCES;
	else if (caller_space && wdm_domain_os_managed(object->domain))
		status = STATUS_INVALID_PARAMETER_2;

	while (wdm_ok(status) && done < room && start != U64_MAX) {
		nr = min_t(u32, room - done, WDM_QUERY_BATCH);
		status = wdm_query_batch(object->domain, caller_space, &start,
					 ext, &umap[done], &nr);
		done += nr;
	}
	kfree(ext);
	wdm_object_put(object);
	if (!wdm_ok(status))
		return status;
	arg->number = done;
	arg->start = start;
	return STATUS_SUCCESS;
}
