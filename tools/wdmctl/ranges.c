// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl ranges: logical addresses that a device can use.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"
#include "wdmctl.h"

static void print_ranges(const struct wdm_iommu_query_ranges *query,
			 const struct wdm_iommu_range *ranges)
{
	printf("aperture:   %#llx to %#llx\n", query->aperture_start, query->aperture_end);
	printf("page sizes: %#llx\n", query->page_sizes);
	for (__u32 i = 0; i < query->number; i++)
		printf("%#18llx to %#18llx  %s\n", ranges[i].start, ranges[i].last,
		       range_kind(ranges[i].kind));
}

static void print_json(const struct wdm_iommu_query_ranges *query,
		       const struct wdm_iommu_range *ranges)
{
	json_object(NULL);
	json_format("aperture_start", "0x%llx", query->aperture_start);
	json_format("aperture_end", "0x%llx", query->aperture_end);
	json_format("page_sizes", "0x%llx", query->page_sizes);
	json_array("ranges");
	for (__u32 i = 0; i < query->number; i++) {
		json_object(NULL);
		json_format("start", "0x%llx", ranges[i].start);
		json_format("last", "0x%llx", ranges[i].last);
		json_bool("can_be_mapped", ranges[i].kind == WDM_IOMMU_RANGE_ALLOWED);
		json_text("kind", range_kind(ranges[i].kind));
		json_end();
	}
	json_end();
	json_end();
}

int cmd_ranges(const struct options *options)
{
	const char *bdf = options->words[0];
	struct wdm_iommu_query_ranges query;
	struct wdm_vfio_device *device;
	struct wdm_iommu_range *ranges;
	struct wdm_error error;
	__u32 status;
	int fd;

	fd = wdm_open();
	if (fd < 0)
		return report_open();
	device = wdm_vfio_open(fd, bdf, &error);
	if (!device) {
		close(fd);
		return report_error(bdf, &error);
	}
	status = wdm_get_ranges(fd, wdm_vfio_handle(device), &ranges, &query);
	if (!status && options->json)
		print_json(&query, ranges);
	else if (!status)
		print_ranges(&query, ranges);
	free(ranges);
	wdm_vfio_close(device);
	close(fd);
	return status ? report_status(bdf, status) : 0;
}
