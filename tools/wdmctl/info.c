// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl info: abilities of the kernel and the module.
 */
#include <unistd.h>

#include "json.h"
#include "wdmctl.h"

static void print_json(const struct wdm_iommu_info *info)
{
	json_object(NULL);
	json_number("interface_version", info->interface_version);
	json_number("page_size", info->page_size);
	json_array("formats");
	if (info->formats & 1 << WDM_IOMMU_FORMAT_X64)
		json_text(NULL, "x64");
	if (info->formats & 1 << WDM_IOMMU_FORMAT_ARM64)
		json_text(NULL, "arm64");
	json_end();
	json_bool("vfio_container", info->flags & WDM_IOMMU_INFO_VFIO_CONTAINER);
	json_bool("vfio_cdev", info->flags & WDM_IOMMU_INFO_VFIO_CDEV);
	json_bool("unsafe_interrupts", info->flags & WDM_IOMMU_INFO_UNSAFE_INTERRUPTS);
	json_number("max_mdl_length", info->max_mdl_length);
	json_number("max_va_list", info->max_va_list);
	json_number("max_batch", info->max_batch);
	json_number("max_events", info->max_events);
	json_number("max_regions", info->max_regions);
	json_end();
}

static void print_text(const struct wdm_iommu_info *info)
{
	printf("interface version:    %u\n", info->interface_version);
	printf("page size:            %u bytes\n", info->page_size);
	printf("page table formats:  %s%s\n",
	       info->formats & 1 << WDM_IOMMU_FORMAT_X64 ? " x86-64" : "",
	       info->formats & 1 << WDM_IOMMU_FORMAT_ARM64 ? " ARM64" : "");
	printf("VFIO containers:      %s\n", yes_no(info->flags & WDM_IOMMU_INFO_VFIO_CONTAINER));
	printf("VFIO cdevs:           %s\n", yes_no(info->flags & WDM_IOMMU_INFO_VFIO_CDEV));
	printf("unsafe interrupts:    %s\n",
	       info->flags & WDM_IOMMU_INFO_UNSAFE_INTERRUPTS ? "allowed" : "refused");
	printf("longest MDL:          %llu bytes\n", info->max_mdl_length);
	printf("longest VA list:      %u addresses\n", info->max_va_list);
	printf("longest batch:        %u operations\n", info->max_batch);
	printf("queue of events:      %u events\n", info->max_events);
	printf("reserved regions:     %u in a domain\n", info->max_regions);
}

int cmd_info(const struct options *options)
{
	struct wdm_iommu_info info;
	int fd = wdm_open();
	__u32 status;

	if (fd < 0)
		return report_open();
	status = wdm_info(fd, &info);
	close(fd);
	if (status)
		return report_status("info", status);
	if (options->json)
		print_json(&info);
	else
		print_text(&info);
	return 0;
}
