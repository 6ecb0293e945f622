// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctl that reports the logical addresses which a domain or a device can use.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/usable.h"
#include "chardev.h"

static_assert((int)WDM_USABLE_ALLOWED == WDM_IOMMU_RANGE_ALLOWED);
static_assert((int)WDM_USABLE_RESERVED == WDM_IOMMU_RANGE_RESERVED);
static_assert((int)WDM_USABLE_DIRECT == WDM_IOMMU_RANGE_DIRECT);
static_assert((int)WDM_USABLE_MSI == WDM_IOMMU_RANGE_MSI);
static_assert((int)WDM_USABLE_SW_MSI == WDM_IOMMU_RANGE_SW_MSI);

static ntstatus_t wdm_get_usable(struct wdm_command *cmd, u32 handle,
				 struct wdm_usable *usable)
{
	struct wdm_object *object;
	ntstatus_t status;

	status = wdm_command_object(cmd, handle, WDM_OBJECT_ANY, &object);
	if (!wdm_ok(status))
		return status;
	switch (object->type) {
	case WDM_OBJECT_DOMAIN:
		return wdm_domain_usable(object->domain, usable);
	case WDM_OBJECT_DEVICE:
		return wdm_device_usable(object->device, usable);
	default:
		return STATUS_OBJECT_TYPE_MISMATCH;
	}
}

static ntstatus_t wdm_copy_ranges(struct wdm_iommu_range __user *uranges,
				  const struct wdm_usable *usable)
{
	unsigned int i;

	for (i = 0; i < usable->nr; i++) {
		struct wdm_iommu_range range = {
			.start = usable->ranges[i].iova,
			.last = usable->ranges[i].last_iova,
			.kind = usable->ranges[i].kind,
		};

		if (copy_to_user(&uranges[i], &range, sizeof(range)))
			return STATUS_ACCESS_VIOLATION;
	}
	return STATUS_SUCCESS;
}

ntstatus_t wdm_cmd_query_ranges(struct wdm_command *cmd)
{
	struct wdm_iommu_query_ranges *arg = cmd->arg;
	struct wdm_usable usable = { };
	ntstatus_t status;

	status = wdm_get_usable(cmd, arg->object, &usable);
	if (wdm_ok(status) && arg->number < usable.nr) {
		arg->number = usable.nr;
		status = STATUS_BUFFER_TOO_SMALL;
	}
	if (wdm_ok(status))
		status = wdm_copy_ranges(u64_to_user_ptr(arg->ranges), &usable);
	if (wdm_ok(status)) {
		arg->number = usable.nr;
		arg->aperture_start = usable.aperture_start;
		arg->aperture_end = usable.aperture_end;
		arg->page_sizes = usable.page_sizes;
	}
	wdm_usable_destroy(&usable);
	return status;
}
