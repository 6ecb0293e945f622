// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl info: what the kernel and the module offer.
 */
#include <stdio.h>
#include <unistd.h>

#include "wdmctl.h"

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

int cmd_info(void)
{
	struct wdm_iommu_info info;
	int fd = wdm_open();
	__u32 status;

	if (fd < 0)
		return report_errno(WDM_IOMMU_PATH);
	status = wdm_info(fd, &info);
	close(fd);
	if (status)
		return report_status("info", status);

	printf("interface version:    %u\n", info.interface_version);
	printf("page size:            %u bytes\n", info.page_size);
	printf("page table formats:  %s%s\n",
	       info.formats & 1 << WDM_IOMMU_FORMAT_X64 ? " x86-64" : "",
	       info.formats & 1 << WDM_IOMMU_FORMAT_ARM64 ? " ARM64" : "");
	printf("VFIO containers:      %s\n", yes_no(info.flags & WDM_IOMMU_INFO_VFIO_CONTAINER));
	printf("VFIO cdevs:           %s\n", yes_no(info.flags & WDM_IOMMU_INFO_VFIO_CDEV));
	printf("unsafe interrupts:    %s\n",
	       info.flags & WDM_IOMMU_INFO_UNSAFE_INTERRUPTS ? "allowed" : "refused");
	printf("longest MDL:          %llu bytes\n", info.max_mdl_length);
	printf("longest VA list:      %u addresses\n", info.max_va_list);
	printf("longest batch:        %u operations\n", info.max_batch);
	return 0;
}
