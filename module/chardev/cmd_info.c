// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls for all types of objects: info and destroy.
 */
#include <uapi/linux/wdm_iommu.h>

#include "../core/create.h"
#include "../core/policy.h"
#include "../vfio/cdev.h"
#include "../vfio/container.h"
#include "chardev.h"
#include "user_mdl.h"

ntstatus_t wdm_cmd_info(struct wdm_command *cmd)
{
	struct wdm_iommu_info *arg = cmd->arg;

	*arg = (struct wdm_iommu_info) {
		.interface_version = WDM_HAS_PASIDS ? 3 : 2,
		.page_size = PAGE_SIZE,
		.formats = BIT(WDM_IOMMU_FORMAT_ARM64) |
			   BIT(WDM_IOMMU_FORMAT_X64),
		.max_mdl_length = WDM_USER_MDL_MAX_PAGES << PAGE_SHIFT,
		.max_va_list = WDM_MAX_VA_LIST,
		.max_batch = WDM_BATCH_MAX,
		.max_events = WDM_EVENTS_MAX,
		.event_size = sizeof(struct wdm_iommu_event),
		.max_regions = WDM_MAX_REGIONS,
	};
	if (WDM_HAS_VFIO_CONTAINER)
		arg->flags |= WDM_IOMMU_INFO_VFIO_CONTAINER;
	if (WDM_HAS_VFIO_CDEV)
		arg->flags |= WDM_IOMMU_INFO_VFIO_CDEV;
	if (wdm_policy_allows(WDM_POLICY_UNSAFE_INTERRUPTS))
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
