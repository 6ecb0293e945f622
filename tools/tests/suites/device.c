// SPDX-License-Identifier: GPL-2.0
/*
 * Queries of a device, and its fault reporting.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

static const __u32 of_translate = 1U << WDM_IOMMU_TYPE_TRANSLATE;
static const __u32 of_pass_through = 1U << WDM_IOMMU_TYPE_PASS_THROUGH;
static const __u32 of_unmanaged = 1U << WDM_IOMMU_TYPE_UNMANAGED;

static struct wdm_iommu_query_device ask(const struct fixture *fixture)
{
	struct wdm_iommu_query_device answer;

	MUST(wdm_query_device(fixture->fd, fixture->device->handle, &answer));
	CHECK_EQUAL(answer.device, fixture->device->handle);
	CHECK_EQUAL(answer.reserved, 0);
	return answer;
}

static void info(void)
{
	struct wdm_iommu_query_device answer;
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 2);
	open_device(&fixture);
	answer = ask(&fixture);
	CHECK_EQUAL(answer.flags & ~WDM_IOMMU_DEVICE_CAN_REPORT_FAULTS, 0);
	CHECK_EQUAL(answer.domain, 0);
	CHECK_EQUAL(answer.group, fixture.device->group_number);
	CHECK_EQUAL(answer.domain_types & (of_translate | of_unmanaged | of_pass_through),
		    of_translate | of_unmanaged);
	/* The edu device has no PASIDs. */
	CHECK_EQUAL(answer.max_pasids, 0);

	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	answer = ask(&fixture);
	CHECK(answer.flags & WDM_IOMMU_DEVICE_IS_ATTACHED);
	CHECK_EQUAL(answer.domain, fixture.domain);
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	answer = ask(&fixture);
	CHECK(!(answer.flags & WDM_IOMMU_DEVICE_IS_ATTACHED));
	CHECK_EQUAL(answer.domain, 0);
}

static void taken_back(void)
{
	struct wdm_iommu_query_device answer;
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	take_back(fixture.device);
	answer = ask(&fixture);
	CHECK(answer.flags & WDM_IOMMU_DEVICE_IS_REVOKED);
	CHECK(!(answer.flags & WDM_IOMMU_DEVICE_IS_ATTACHED));
	CHECK_EQUAL(answer.domain, 0);
	CHECK_EQUAL(answer.domain_types, 0);
}

static __u32 create(const struct fixture *fixture, struct wdm_iommu_device_create *argument)
{
	argument->size = sizeof(*argument);
	name_device(fixture->device, argument);
	return wdm_call(fixture->fd, WDM_IOMMU_DEVICE_CREATE, argument);
}

/* Configurations that no edu device supports, and names that are not of devices */
static void configurations(void)
{
	static char name[512];
	struct wdm_iommu_pasid_create pasid = { .size = sizeof(pasid) };
	struct wdm_iommu_device_create argument;
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 1);
	open_device(&fixture);
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	for (__u32 config = WDM_IOMMU_PASID_DEFAULT_ONLY; config < 5; config++) {
		argument = (struct wdm_iommu_device_create) { .pasid_config = config };
		EXPECT(STATUS_INVALID_PARAMETER_2, create(&fixture, &argument));
	}
	argument = (struct wdm_iommu_device_create) { .suppress_pasid_faults = 1 };
	EXPECT(STATUS_INVALID_PARAMETER_2, create(&fixture, &argument));
	argument = (struct wdm_iommu_device_create) { .mappings_count = 1 };
	EXPECT(STATUS_INVALID_PARAMETER_2, create(&fixture, &argument));
	argument = (struct wdm_iommu_device_create) { .input_mapping_base = 1 };
	EXPECT(STATUS_INVALID_PARAMETER_2, create(&fixture, &argument));

	argument = (struct wdm_iommu_device_create) { .name = caller("no-such-device") };
	EXPECT(STATUS_INVALID_PARAMETER, create(&fixture, &argument));
	argument = (struct wdm_iommu_device_create) {
		.size = sizeof(argument), .name = caller("no-such-device"),
	};
	EXPECT(STATUS_NO_SUCH_DEVICE, wdm_call(fixture.fd, WDM_IOMMU_DEVICE_CREATE, &argument));
	memset(name, 'x', sizeof(name) - 1);
	argument.name = caller(name);
	EXPECT(STATUS_NO_SUCH_DEVICE, wdm_call(fixture.fd, WDM_IOMMU_DEVICE_CREATE, &argument));
	argument.name = 8;
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_call(fixture.fd, WDM_IOMMU_DEVICE_CREATE, &argument));

	/* The failures have had no effect. */
	MUST(create_device(fixture.fd, fixture.device));
	CHECK_EQUAL(ask(&fixture).flags & (WDM_IOMMU_DEVICE_DEFAULT_PASID |
					   WDM_IOMMU_DEVICE_PASID_TAGGED_DMA |
					   WDM_IOMMU_DEVICE_PASID_FAULTS_SUPPRESSED), 0);
	pasid.device = fixture.device->handle;
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_call(fixture.fd, WDM_IOMMU_PASID_CREATE, &pasid));
}

/* PCI devices have no input mappings, as in Windows. */
static void input_mappings(void)
{
	__u32 buffer[4] = { 1, 2, 3, 4 }, length = 5;
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	EXPECT(STATUS_UNSUCCESSFUL,
	       wdm_query_input_mappings(fixture.fd, fixture.device->handle, buffer,
					sizeof(buffer), &length));
	CHECK_EQUAL(length, 0);
	CHECK(buffer[0] == 1 && buffer[1] == 2 && buffer[2] == 3 && buffer[3] == 4);
	EXPECT(STATUS_UNSUCCESSFUL,
	       wdm_query_input_mappings(fixture.fd, fixture.device->handle, NULL, 0, &length));
}

static void fault_reporting(void)
{
	struct wdm_iommu_set_fault_reporting argument = { .size = sizeof(argument) };
	struct wdm_iommu_query_device answer;
	struct fixture fixture;
	bool can;

	open_os_managed(&fixture, 2, 0);
	can = ask(&fixture).flags & WDM_IOMMU_DEVICE_CAN_REPORT_FAULTS;
	tap_diag("faults are %sreported", can ? "" : "not ");
	argument.device = fixture.device->handle;
	argument.enable = 1;
	argument.input_mapping_id_base = 1;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_call(fixture.fd, WDM_IOMMU_SET_FAULT_REPORTING, &argument));
	argument.input_mapping_id_base = 0;
	argument.enable = 2;
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_call(fixture.fd, WDM_IOMMU_SET_FAULT_REPORTING, &argument));
	CHECK(!(ask(&fixture).flags & WDM_IOMMU_DEVICE_REPORTS_FAULTS));

	/* Fails at once, not only when a fault is reported. */
	EXPECT(can ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED,
	       wdm_set_fault_reporting(fixture.fd, fixture.device->handle, true));
	answer = ask(&fixture);
	CHECK_EQUAL(!!(answer.flags & WDM_IOMMU_DEVICE_REPORTS_FAULTS), can);
	if (can)
		MUST(wdm_set_fault_reporting(fixture.fd, fixture.device->handle, true));
	/* It persists across a detach, and can be disabled any time. */
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_set_fault_reporting(fixture.fd, fixture.device->handle, true));
	CHECK_EQUAL(!!(ask(&fixture).flags & WDM_IOMMU_DEVICE_REPORTS_FAULTS), can);
	MUST(wdm_set_fault_reporting(fixture.fd, fixture.device->handle, false));
	MUST(wdm_set_fault_reporting(fixture.fd, fixture.device->handle, false));
	CHECK(!(ask(&fixture).flags & WDM_IOMMU_DEVICE_REPORTS_FAULTS));

	/* Deleting the device, and closing the file, end it, too. */
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	wdm_set_fault_reporting(fixture.fd, fixture.device->handle, true);
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	MUST(create_device(fixture.fd, fixture.device));
	CHECK(!(ask(&fixture).flags & WDM_IOMMU_DEVICE_REPORTS_FAULTS));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	wdm_set_fault_reporting(fixture.fd, fixture.device->handle, true);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

static const struct test_case cases[] = {
	{ .name = "the state of a device", .run = info, .needs = NEEDS_DEVICE },
	{ .name = "a device that VFIO has taken back", .run = taken_back, .needs = NEEDS_DEVICE },
	{ .name = "configurations", .run = configurations, .needs = NEEDS_DEVICE },
	{ .name = "input mappings", .run = input_mappings, .needs = NEEDS_DEVICE },
	{ .name = "fault reporting", .run = fault_reporting, .needs = NEEDS_DEVICE },
};

const struct suite device_suite = { "device", cases, ARRAY_SIZE(cases) };
