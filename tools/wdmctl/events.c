// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl events: print what happens to a device, a line each.
 */
#include <stdio.h>
#include <unistd.h>

#include "wdmctl.h"

static void print_types(__u32 types)
{
	static const char * const names[] = {
		[WDM_IOMMU_TYPE_TRANSLATE] = "translate",
		[WDM_IOMMU_TYPE_PASS_THROUGH] = "pass-through",
		[WDM_IOMMU_TYPE_UNMANAGED] = "unmanaged",
		[WDM_IOMMU_TYPE_TRANSLATE_S1] = "translate-s1",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (types & 1U << i)
			printf(" %s", names[i]);
	}
	printf("%s\n", types ? "" : " none");
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
		       event->fault.kind == WDM_IOMMU_FAULT_PERMISSION ? "no permission" :
								     "not mapped");
		break;
	case WDM_IOMMU_EVENT_DEVICE_REVOKED:
		printf("VFIO has taken the device back\n");
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
static int print_events(int fd, __u32 device)
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
	printf("types of domains:");
	print_types(query.domain_types);
	status = wdm_set_fault_reporting(fd, device, true);
	printf("faults: %s\n", status ? "not reported by this IOMMU driver" : "reported");
	fflush(stdout);
	for (;;) {
		number = wdm_read_events(fd, events, sizeof(events) / sizeof(*events));
		if (number < 0)
			return report_errno("events");
		for (int i = 0; i < number; i++) {
			print_event(&events[i]);
			if (events[i].type == WDM_IOMMU_EVENT_DEVICE_REVOKED)
				return 0;
		}
	}
}

int cmd_events(const char *bdf)
{
	struct wdm_vfio_device *device;
	struct wdm_error error;
	int fd, result;

	fd = wdm_open();
	if (fd < 0)
		return report_errno(WDM_IOMMU_PATH);
	device = wdm_vfio_open(fd, bdf, &error);
	if (!device) {
		close(fd);
		return report_error(bdf, &error);
	}
	result = print_events(fd, wdm_vfio_handle(device));
	wdm_vfio_close(device);
	close(fd);
	return result;
}
