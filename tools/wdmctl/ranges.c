// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl ranges: which logical addresses a device can use.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wdmctl.h"

static const char *kind_name(__u32 kind)
{
	switch (kind) {
	case WDM_IOMMU_RANGE_ALLOWED:
		return "can be mapped";
	case WDM_IOMMU_RANGE_RESERVED:
		return "reserved";
	case WDM_IOMMU_RANGE_DIRECT:
		return "reserved: the firmware's, mapped one to one";
	case WDM_IOMMU_RANGE_MSI:
		return "reserved: interrupt messages";
	case WDM_IOMMU_RANGE_SW_MSI:
		return "reserved: interrupt messages, mapped by Linux";
	default:
		return "unknown";
	}
}

static void print_ranges(const struct wdm_iommu_query_ranges *query,
			 const struct wdm_iommu_range *ranges)
{
	printf("aperture:   %#llx to %#llx\n", query->aperture_start, query->aperture_end);
	printf("page sizes: %#llx\n", query->page_sizes);
	for (__u32 i = 0; i < query->number; i++)
		printf("%#18llx to %#18llx  %s\n", ranges[i].start, ranges[i].last,
		       kind_name(ranges[i].kind));
}

int cmd_ranges(const char *bdf)
{
	struct wdm_iommu_query_ranges query;
	struct wdm_vfio_device *device;
	struct wdm_iommu_range *ranges;
	struct wdm_error error;
	__u32 status;
	int fd;

	fd = wdm_open();
	if (fd < 0)
		return report_errno(WDM_IOMMU_PATH);
	device = wdm_vfio_open(fd, bdf, &error);
	if (!device) {
		close(fd);
		return report_error(bdf, &error);
	}
	status = wdm_get_ranges(fd, wdm_vfio_handle(device), &ranges, &query);
	if (!status)
		print_ranges(&query, ranges);
	free(ranges);
	wdm_vfio_close(device);
	close(fd);
	return status ? report_status(bdf, status) : 0;
}
