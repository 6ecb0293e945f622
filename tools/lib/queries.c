// SPDX-License-Identifier: GPL-2.0
/*
 * Questions to /dev/wdm_iommu: what can be mapped. See ioctls.c.
 */
#include <stdint.h>
#include <stdlib.h>

#include "wdm_iommu_user.h"

/**
 * wdm_query_ranges() - what can be mapped
 * @fd: /dev/wdm_iommu
 * @object: a domain or a device
 * @ranges: room for the answer
 * @query: in: @number, the elements of @ranges; out: the answer
 *
 * Return: NTSTATUS.
 */
__u32 wdm_query_ranges(int fd, __u32 object, struct wdm_iommu_range *ranges,
		       struct wdm_iommu_query_ranges *query)
{
	query->size = sizeof(*query);
	query->object = object;
	query->ranges = (uintptr_t)ranges;
	return wdm_call(fd, WDM_IOMMU_QUERY_RANGES, query);
}

/**
 * wdm_get_ranges() - what can be mapped, in memory of the right size
 * @fd: /dev/wdm_iommu
 * @object: a domain or a device
 * @ranges: the ranges, for free(); NULL on failure
 * @query: the rest of the answer
 *
 * Return: NTSTATUS; %STATUS_INSUFFICIENT_RESOURCES, too, if this process is out of
 * memory.
 */
__u32 wdm_get_ranges(int fd, __u32 object, struct wdm_iommu_range **ranges,
		     struct wdm_iommu_query_ranges *query)
{
	__u32 status;

	*query = (struct wdm_iommu_query_ranges) { .number = 8 };
	*ranges = NULL;
	/* Devices may be attached in between. */
	do {
		struct wdm_iommu_range *more = realloc(*ranges, query->number * sizeof(*more));

		status = STATUS_INSUFFICIENT_RESOURCES;
		if (!more)
			break;
		*ranges = more;
		status = wdm_query_ranges(fd, object, more, query);
	} while (status == STATUS_BUFFER_TOO_SMALL);
	if (status) {
		free(*ranges);
		*ranges = NULL;
	}
	return status;
}
