// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Queries and events of /dev/wdm_iommu. See ioctls.c.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wdm_iommu_user.h"

/**
 * wdm_query_ranges_sized() - Get the usable logical addresses; see wdm_query_ranges()
 * @fd: /dev/wdm_iommu
 * @object: a domain or a device
 * @ranges: out: the ranges
 * @query: in: @number, the capacity of @ranges; out: the answer
 * @size: sizeof(*@query)
 *
 * Return: NTSTATUS.
 */
__u32 wdm_query_ranges_sized(int fd, __u32 object, struct wdm_iommu_range *ranges,
			     struct wdm_iommu_query_ranges *query, size_t size)
{
	query->size = size;
	query->object = object;
	query->ranges = (uintptr_t)ranges;
	return wdm_call(fd, WDM_IOMMU_QUERY_RANGES, query);
}

/**
 * wdm_get_ranges_sized() - Get the usable logical addresses in an allocated array; see
 *	wdm_get_ranges()
 * @fd: /dev/wdm_iommu
 * @object: a domain or a device
 * @ranges: out: the ranges, for free(); NULL on failure
 * @query: out: the rest of the answer
 * @size: sizeof(*@query)
 *
 * Return: NTSTATUS; %STATUS_INSUFFICIENT_RESOURCES also if this process is out of memory.
 */
__u32 wdm_get_ranges_sized(int fd, __u32 object, struct wdm_iommu_range **ranges,
			   struct wdm_iommu_query_ranges *query, size_t size)
{
	__u32 status;

	memset(query, 0, size);
	query->number = 8;
	*ranges = NULL;
	/* Retry: devices may have been attached in between. */
	do {
		struct wdm_iommu_range *more = realloc(*ranges, query->number * sizeof(*more));

		status = STATUS_INSUFFICIENT_RESOURCES;
		if (!more)
			break;
		*ranges = more;
		status = wdm_query_ranges_sized(fd, object, more, query, size);
	} while (status == STATUS_BUFFER_TOO_SMALL);
	if (status) {
		free(*ranges);
		*ranges = NULL;
	}
	return status;
}

/**
 * wdm_query_device_sized() - Get the state of a device; see wdm_query_device()
 * @fd: /dev/wdm_iommu
 * @device: the device
 * @query: out: the state
 * @size: sizeof(*@query)
 *
 * Return: NTSTATUS.
 */
__u32 wdm_query_device_sized(int fd, __u32 device, struct wdm_iommu_query_device *query,
			     size_t size)
{
	memset(query, 0, size);
	query->size = size;
	query->device = device;
	return wdm_call(fd, WDM_IOMMU_QUERY_DEVICE, query);
}

/**
 * wdm_query_input_mappings() - IommuQueryInputMappings
 * @fd: /dev/wdm_iommu
 * @device: the device
 * @buffer: out: the IDs
 * @length: size of @buffer in bytes
 * @return_length: out: required size in bytes
 *
 * Return: NTSTATUS.
 */
__u32 wdm_query_input_mappings(int fd, __u32 device, __u32 *buffer, __u32 length,
			       __u32 *return_length)
{
	struct wdm_iommu_query_input_mappings argument = {
		.size = sizeof(argument),
		.device = device,
		.buffer_length = length,
		.buffer = (uintptr_t)buffer,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_QUERY_INPUT_MAPPINGS, &argument);

	*return_length = argument.return_length;
	return status;
}

/**
 * wdm_set_fault_reporting() - IommuSetDeviceFaultReporting
 * @fd: /dev/wdm_iommu
 * @device: the device
 * @enable: report its faults as events
 *
 * Return: NTSTATUS.
 */
__u32 wdm_set_fault_reporting(int fd, __u32 device, bool enable)
{
	struct wdm_iommu_set_fault_reporting argument = {
		.size = sizeof(argument),
		.device = device,
		.enable = enable,
	};

	return wdm_call(fd, WDM_IOMMU_SET_FAULT_REPORTING, &argument);
}

/* Read into a temporary buffer if the kernel's records have another size than @size. */
static ssize_t read_records(int fd, void *events, size_t number, size_t size, size_t length)
{
	size_t common = size < length ? size : length;
	char *records = calloc(number, length);
	ssize_t bytes;

	if (!records)
		return -1;
	bytes = read(fd, records, number * length);
	for (ssize_t i = 0; i < bytes / (ssize_t)length; i++) {
		memset((char *)events + i * size, 0, size);
		memcpy((char *)events + i * size, records + i * length, common);
	}
	free(records);
	return bytes;
}

/**
 * wdm_read_events_sized() - Read events; see wdm_read_events()
 * @fd: /dev/wdm_iommu; use poll() to wait
 * @events: out: the events
 * @number: capacity of @events
 * @size: sizeof(*@events)
 *
 * Waits while there is no event, unless @fd has O_NONBLOCK.
 *
 * Return: number of events read, or -1 with errno.
 */
int wdm_read_events_sized(int fd, struct wdm_iommu_event *events, size_t number, size_t size)
{
	struct wdm_iommu_info info;
	ssize_t bytes;

	if (wdm_info(fd, &info))
		return -1;
	if (info.event_size == size)
		bytes = read(fd, events, number * size);
	else
		bytes = read_records(fd, events, number, size, info.event_size);
	return bytes < 0 ? -1 : (int)(bytes / info.event_size);
}
