// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Questions to /dev/wdm_iommu, and its events. See ioctls.c.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

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

/**
 * wdm_query_device() - the state of a device
 * @fd: /dev/wdm_iommu
 * @device: the device
 * @query: the answer
 *
 * Return: NTSTATUS.
 */
__u32 wdm_query_device(int fd, __u32 device, struct wdm_iommu_query_device *query)
{
	*query = (struct wdm_iommu_query_device) { .size = sizeof(*query), .device = device };
	return wdm_call(fd, WDM_IOMMU_QUERY_DEVICE, query);
}

/**
 * wdm_query_input_mappings() - IommuQueryInputMappings
 * @fd: /dev/wdm_iommu
 * @device: the device
 * @buffer: room for the IDs
 * @length: bytes of @buffer
 * @return_length: bytes that the answer needs
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

/**
 * wdm_read_events() - read events
 * @fd: /dev/wdm_iommu; poll() tells when there are any
 * @events: room for them
 * @number: how many fit
 *
 * Waits for an event if there is none and @fd has no O_NONBLOCK.
 *
 * Return: how many were read, or -1 with errno; EPROTO: the kernel's records are longer.
 */
int wdm_read_events(int fd, struct wdm_iommu_event *events, size_t number)
{
	ssize_t size = read(fd, events, number * sizeof(*events));

	if (size < 0)
		return -1;
	if (size % sizeof(*events) || (size && events->size != sizeof(*events))) {
		errno = EPROTO;
		return -1;
	}
	return size / sizeof(*events);
}
