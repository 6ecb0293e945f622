// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl events: print the events of a device, one per line.
 */
#include <stdio.h>
#include <unistd.h>

#include "json.h"
#include "wdmctl.h"

static void print_types(__u32 types)
{
	for (__u32 i = 0; type_name(i); i++) {
		if (types & 1U << i)
			printf(" %s", type_name(i));
	}
	printf("%s\n", types ? "" : " none");
}

static const char *fault_kind(const struct wdm_iommu_event *event)
{
	return event->fault.kind == WDM_IOMMU_FAULT_PERMISSION ? "no permission" : "not mapped";
}

/* One object per line, so that a reader need not wait for the end */
static void json_event(const struct wdm_iommu_event *event)
{
	json_object(NULL);
	json_format("time", "%llu.%09llu", event->time / 1000000000, event->time % 1000000000);
	switch (event->type) {
	case WDM_IOMMU_EVENT_LOST:
		json_text("event", "lost");
		json_number("number", event->lost.number);
		break;
	case WDM_IOMMU_EVENT_FAULT:
		json_text("event", "fault");
		json_format("address", "0x%llx", event->fault.address);
		json_bool("write", event->fault.flags & WDM_IOMMU_FAULT_WRITE);
		json_text("reason", fault_kind(event));
		break;
	case WDM_IOMMU_EVENT_DEVICE_REVOKED:
		json_text("event", "revoked");
		break;
	case WDM_IOMMU_EVENT_DOMAIN_TYPES:
		json_text("event", "domain-types");
		json_array("types");
		for (__u32 i = 0; type_name(i); i++) {
			if (event->domain_types.available & 1U << i)
				json_text(NULL, type_name(i));
		}
		json_end();
		break;
	default:
		json_number("event", event->type);
	}
	json_end();
}

static void print_event(const struct wdm_iommu_event *event)
{
	printf("%llu.%09llu ", event->time / 1000000000, event->time % 1000000000);
	switch (event->type) {
	case WDM_IOMMU_EVENT_LOST:
		printf("lost %llu events\n", event->lost.number);
		break;
	case WDM_IOMMU_EVENT_FAULT:
		printf("fault: %s %#llx, %s\n",
		       event->fault.flags & WDM_IOMMU_FAULT_WRITE ? "write to" : "read from",
		       event->fault.address,
		       fault_kind(event));
		break;
	case WDM_IOMMU_EVENT_DEVICE_REVOKED:
		printf("VFIO has revoked the device\n");
		break;
	case WDM_IOMMU_EVENT_DOMAIN_TYPES:
		printf("types of domains:");
		print_types(event->domain_types.available);
		break;
	default:
		printf("event of type %u\n", event->type);
	}
	fflush(stdout);
}

/* Until the device is gone. An empty domain blocks all DMA, so each access is a fault. */
static int print_events(int fd, __u32 device, bool json)
{
	struct wdm_iommu_query_device query;
	struct wdm_iommu_event events[16];
	__u32 domain, status;
	int number;

	status = wdm_domain_create(fd, true, 0, &domain);
	if (!status)
		status = wdm_attach(fd, domain, device);
	if (!status)
		status = wdm_query_device(fd, device, &query);
	if (status)
		return report_status("attach", status);
	status = wdm_set_fault_reporting(fd, device, true);
	if (!json) {
		printf("types of domains:");
		print_types(query.domain_types);
		printf("faults: %s\n", status ? "not reported by this IOMMU driver" : "reported");
		fflush(stdout);
	}
	for (;;) {
		number = wdm_read_events(fd, events, sizeof(events) / sizeof(*events));
		if (number < 0)
			return report_errno("events");
		for (int i = 0; i < number; i++) {
			if (json)
				json_event(&events[i]);
			else
				print_event(&events[i]);
			if (events[i].type == WDM_IOMMU_EVENT_DEVICE_REVOKED)
				return 0;
		}
	}
}

int cmd_events(const struct options *options)
{
	const char *bdf = options->words[0];
	struct wdm_vfio_device *device;
	struct wdm_error error;
	int fd, result;

	fd = wdm_open();
	if (fd < 0)
		return report_open();
	device = wdm_vfio_open(fd, bdf, &error);
	if (!device) {
		close(fd);
		return report_error(bdf, &error);
	}
	result = print_events(fd, wdm_vfio_handle(device), options->json);
	wdm_vfio_close(device);
	close(fd);
	return result;
}
