// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls that report the state of a domain or a device.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/query.h"
#include "chardev.h"

/* Number of mappings that QUERY_MAPPINGS collects at a time */
#define WDM_QUERY_BATCH		64

ntstatus_t wdm_cmd_query_domain(struct wdm_command *cmd)
{
	struct wdm_iommu_query_domain *arg = cmd->arg;
	struct wdm_domain_report report;
	struct wdm_domain *domain;
	ntstatus_t status;

	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_domain_report(domain, &report);
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

ntstatus_t wdm_cmd_query_device(struct wdm_command *cmd)
{
	struct wdm_iommu_query_device *arg = cmd->arg;
	struct wdm_device_report report;
	struct wdm_object *object;
	ntstatus_t status;

	status = wdm_command_object(cmd, arg->device, WDM_OBJECT_DEVICE, &object);
	if (!wdm_ok(status))
		return status;
	status = wdm_device_report(object->device, &report);
	if (!wdm_ok(status))
		return status;

	*arg = (struct wdm_iommu_query_device) {
		.device = arg->device,
		.domain = report.domain,
		.group = report.group,
		.domain_types = report.types,
		.max_pasids = report.max_pasids,
	};
	if (report.attached)
		arg->flags |= WDM_IOMMU_DEVICE_IS_ATTACHED;
	if (report.revoked)
		arg->flags |= WDM_IOMMU_DEVICE_IS_REVOKED;
	if (report.can_report_faults)
		arg->flags |= WDM_IOMMU_DEVICE_CAN_REPORT_FAULTS;
	if (report.reports_faults)
		arg->flags |= WDM_IOMMU_DEVICE_REPORTS_FAULTS;
	/* Tagged DMA includes the default PASID. */
	if (object->pasid_config != WDM_IOMMU_PASID_NONE)
		arg->flags |= WDM_IOMMU_DEVICE_DEFAULT_PASID;
	if (object->pasid_config == WDM_IOMMU_PASID_TAGGED_DMA)
		arg->flags |= WDM_IOMMU_DEVICE_PASID_TAGGED_DMA;
	if (object->suppress_faults)
		arg->flags |= WDM_IOMMU_DEVICE_PASID_FAULTS_SUPPRESSED;
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_copy_input_mappings(u32 __user *ubuffer, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (put_user(i, &ubuffer[i]))
			return STATUS_ACCESS_VIOLATION;
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_query_input_mappings(struct wdm_command *cmd)
{
	struct wdm_iommu_query_input_mappings *arg = cmd->arg;
	struct wdm_device_report report;
	struct wdm_device *device;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	status = wdm_command_device(cmd, arg->device, &device);
	if (wdm_ok(status))
		status = wdm_device_report(device, &report);
	if (!wdm_ok(status))
		return status;
	if (!report.nr_mappings)
		return STATUS_UNSUCCESSFUL;
	arg->return_length = report.nr_mappings * sizeof(u32);
	if (arg->buffer_length < arg->return_length)
		return STATUS_BUFFER_TOO_SMALL;
	return wdm_copy_input_mappings(u64_to_user_ptr(arg->buffer), report.nr_mappings);
}

/* Copy up to @nr mappings to the program; set @nr to the number copied. */
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
			.address = ext[i].pgno << PAGE_SHIFT,
			.length = ext[i].nr_pages << PAGE_SHIFT,
			.offset = ext[i].mdl_page << PAGE_SHIFT,
			.mdl = ext[i].handle,
			.permissions = ext[i].perms & WDM_PERMS,
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
	struct wdm_domain *domain;
	u64 start = arg->start;
	struct wdm_extent *ext;
	ntstatus_t status;
	unsigned int nr;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	if (arg->what > WDM_IOMMU_QUERY_CALLER)
		return STATUS_INVALID_PARAMETER_2;
	if (!room)
		return STATUS_INVALID_PARAMETER_3;
	status = wdm_command_domain(cmd, arg->domain, &domain);
	if (!wdm_ok(status))
		return status;
	if (caller_space && wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_2;
	ext = kcalloc(WDM_QUERY_BATCH, sizeof(*ext), GFP_KERNEL_ACCOUNT);
	if (!ext)
		return STATUS_INSUFFICIENT_RESOURCES;

	while (wdm_ok(status) && done < room && start != U64_MAX) {
		nr = min_t(u32, room - done, WDM_QUERY_BATCH);
		status = fatal_signal_pending(current) ? STATUS_CANCELLED :
			 wdm_query_batch(domain, caller_space, &start, ext,
					 &umap[done], &nr);
		done += nr;
		cond_resched();
	}
	kfree(ext);
	if (!wdm_ok(status))
		return status;
	arg->number = done;
	arg->start = start;
	return STATUS_SUCCESS;
}
