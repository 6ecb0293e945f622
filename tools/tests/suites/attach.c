// SPDX-License-Identifier: GPL-2.0
/*
 * Devices, groups and containers: which can be attached to what.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "suites.h"
#include "fixture.h"

#define PAGE	WDM_PAGE_SIZE

/* Create another domain, with page @number of the arena at ADDRESS. */
static __u32 new_domain(const struct fixture *fixture, size_t number)
{
	__u32 domain;

	MUST(wdm_domain_create(fixture->fd, true, 0, &domain));
	MUST(wdm_map(fixture->fd, domain, WDM_RW, fixture->mdl, number * PAGE, PAGE, ADDRESS));
	return domain;
}

static void twice(void)
{
	struct fixture fixture;
	__u32 other;

	open_os_managed(&fixture, 4, 0);
	other = new_domain(&fixture, 1);
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	EXPECT(STATUS_INVALID_PARAMETER, wdm_attach(fixture.fd, other, fixture.device->handle));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 1);
	CHECK_EQUAL(query(fixture.fd, other).devices, 0);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_detach(fixture.fd, fixture.device->handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

static void mapping_ids(void)
{
	struct wdm_iommu_attach attach = { .size = sizeof(attach), .mapping_count = 1 };
	struct wdm_iommu_detach detach = { .size = sizeof(detach), .input_mapping_id = 1 };
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	detach.device = fixture.device->handle;
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_call(fixture.fd, WDM_IOMMU_DETACH, &detach));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	attach.domain = fixture.domain;
	attach.device = fixture.device->handle;
	attach.input_mapping_id_base = 1;
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_call(fixture.fd, WDM_IOMMU_ATTACH, &attach));
	attach.input_mapping_id_base = 0;
	attach.mapping_count = 0;
	EXPECT(STATUS_INVALID_PARAMETER_4, wdm_call(fixture.fd, WDM_IOMMU_ATTACH, &attach));
	attach.mapping_count = 2;
	EXPECT(STATUS_INVALID_PARAMETER_4, wdm_call(fixture.fd, WDM_IOMMU_ATTACH, &attach));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

static void delete_attached(void)
{
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.domain));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.domain));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.device->handle));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.device->handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	MUST(wdm_destroy(fixture.fd, fixture.domain));
	MUST(wdm_destroy(fixture.fd, fixture.mdl));
}

static void move(void)
{
	struct fixture fixture;
	__u32 other;

	open_os_managed(&fixture, 4, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	other = new_domain(&fixture, 2);
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
		MUST(wdm_detach(fixture.fd, fixture.device->handle));
		MUST(wdm_attach(fixture.fd, other, fixture.device->handle));
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
		MUST(wdm_detach(fixture.fd, fixture.device->handle));
		MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	}
}

static void handles(void)
{
	struct wdm_pci_address nowhere = { .bus = 0xfe, .devfn = 0xff }, bridge = { .bus = 0 };
	struct fixture fixture, other;
	__u32 second, group;
	struct wdm_bdf bdf;

	open_fixture(&fixture);
	open_arena(&fixture, 1);
	open_device(&fixture);
	EXPECT(STATUS_RESOURCE_IN_USE,
	       wdm_device_create(fixture.fd, &fixture.device->address, &second, NULL));
	EXPECT(STATUS_NO_SUCH_DEVICE, wdm_device_create(fixture.fd, &nowhere, &second, NULL));
	nowhere.segment = 0xffff;
	EXPECT(STATUS_NO_SUCH_DEVICE, wdm_device_create(fixture.fd, &nowhere, &second, NULL));
	/* A segment is not truncated to 16 bits: VMD's segments start here. */
	nowhere = fixture.device->address;
	nowhere.segment += 0x10000;
	EXPECT(STATUS_NO_SUCH_DEVICE, wdm_device_create(fixture.fd, &nowhere, &second, NULL));
	/* VFIO does not have the host bridge. */
	wdm_pci_format(&bridge, &bdf);
	EXPECT(wdm_pci_group(bdf.text) < 0 ? STATUS_NOT_FOUND : STATUS_ACCESS_DENIED,
	       wdm_device_create(fixture.fd, &bridge, &second, NULL));
	/* Devices belong to the file that their container is bound to. */
	open_fixture(&other);
	EXPECT(STATUS_ACCESS_DENIED,
	       wdm_device_create(other.fd, &fixture.device->address, &second, NULL));
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	EXPECT(STATUS_ACCESS_DENIED,
	       wdm_device_create(other.fd, &fixture.device->address, &second, NULL));
	MUST(wdm_device_create(fixture.fd, &fixture.device->address, &second, &group));
	CHECK_EQUAL(group, fixture.device->group_number);
}

static void binds(void)
{
	struct wdm_iommu_vfio_bind bind = { .size = sizeof(bind), .flags = 1 };
	struct wdm_error error;
	struct fixture fixture;
	int container, group, other;

	open_fixture(&fixture);
	container = wdm_container_open(&error);
	group = wdm_group_open(wdm_pci_group(options.device.text), &error);
	REQUIRE(container >= 0 && group >= 0);
	/* Without a group there is no backend: VFIO itself refuses. */
	EXPECT(WDM_STATUS_NONE, wdm_vfio_bind(container, fixture.fd));
	CHECK(ioctl(container, VFIO_SET_IOMMU, WDM_IOMMU_VFIO_IOMMU) == -1);
	REQUIRE(wdm_container_add(container, group, &error));
	REQUIRE(!ioctl(container, VFIO_SET_IOMMU, WDM_IOMMU_VFIO_IOMMU));

	EXPECT(STATUS_INVALID_HANDLE, wdm_vfio_bind(container, -1));
	EXPECT(STATUS_INVALID_HANDLE, wdm_vfio_bind(container, 1000000));
	EXPECT(STATUS_INVALID_HANDLE, wdm_vfio_bind(container, container));
	EXPECT(STATUS_INVALID_HANDLE, wdm_vfio_bind(container, group));
	bind.fd = fixture.fd;
	EXPECT(STATUS_INVALID_PARAMETER, wdm_call(container, WDM_IOMMU_VFIO_BIND, &bind));
	bind.flags = 0;
	bind.size = sizeof(bind) - 1;
	CHECK(ioctl(container, WDM_IOMMU_VFIO_BIND, &bind) == -1 && errno == EINVAL);
	CHECK(ioctl(container, WDM_IOMMU_VFIO_BIND, NULL) == -1 && errno == EFAULT);
	/* This backend does not support type1's ioctls. */
	CHECK(ioctl(container, VFIO_IOMMU_MAP_DMA, &bind) == -1);
	CHECK(ioctl(container, VFIO_IOMMU_GET_INFO, &bind) == -1);

	MUST(wdm_vfio_bind(container, fixture.fd));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_vfio_bind(container, fixture.fd));
	other = wdm_open();
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_vfio_bind(container, other));
}

/* Two devices of one group share a domain. */
static void pair(void)
{
	struct wdm_vfio_device *first, *second;
	struct probe first_probe, second_probe;
	struct fixture fixture;
	__u32 domain, other;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	first = open_one(&fixture, options.pair[0].text, NULL, &first_probe);
	second = open_one(&fixture, options.pair[1].text, first, &second_probe);
	domain = new_domain(&fixture, 1);
	other = new_domain(&fixture, 2);
	EXPECT_DMA(DMA_BLOCKED, probe_write(&first_probe, ADDRESS, page(&fixture, 1)));
	MUST(wdm_attach(fixture.fd, domain, first->handle));
	REQUIRE(probe_load(&first_probe, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&first_probe, ADDRESS, page(&fixture, 1)));

	EXPECT(STATUS_ACCESS_DENIED, wdm_attach(fixture.fd, other, second->handle));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_detach(fixture.fd, second->handle));
	MUST(wdm_attach(fixture.fd, domain, second->handle));
	CHECK_EQUAL(query(fixture.fd, domain).devices, 2);
	CHECK_EQUAL(query(fixture.fd, domain).hwpts, 1);
	REQUIRE(probe_load(&second_probe, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&second_probe, ADDRESS, page(&fixture, 1)));

	/* The group stays until its last device is detached. */
	MUST(wdm_detach(fixture.fd, first->handle));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&second_probe, ADDRESS, page(&fixture, 1)));
	EXPECT(STATUS_ACCESS_DENIED, wdm_attach(fixture.fd, other, first->handle));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, domain));
	MUST(wdm_detach(fixture.fd, second->handle));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&second_probe, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&first_probe, ADDRESS, page(&fixture, 1)));
	MUST(wdm_attach(fixture.fd, other, first->handle));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&first_probe, ADDRESS, page(&fixture, 2)));
	EXPECT(STATUS_ACCESS_DENIED, wdm_attach(fixture.fd, domain, second->handle));
	/* Both are revoked with the group. */
	MUST(wdm_attach(fixture.fd, other, second->handle));
	take_back(second);
	take_back(first);
	CHECK_EQUAL(query(fixture.fd, other).devices, 0);
	MUST(wdm_destroy(fixture.fd, other));
}

/* Attach two devices, the second in the first one's container or in another. */
static void check_two_groups(bool same_container)
{
	struct wdm_vfio_device *second;
	struct probe probe;
	struct fixture fixture;
	__u32 other;

	open_os_managed(&fixture, 4, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	second = open_one(&fixture, options.other.text, same_container ? fixture.device : NULL,
			  &probe);
	other = new_domain(&fixture, 2);
	EXPECT_DMA(DMA_BLOCKED, probe_write(&probe, ADDRESS, page(&fixture, 1)));

	MUST(wdm_attach(fixture.fd, fixture.domain, second->handle));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 2);
	REQUIRE(probe_load(&probe, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	MUST(map_pages(&fixture, 3, 1, ADDRESS + PAGE));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, ADDRESS + PAGE, page(&fixture, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 3)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, PAGE));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&probe, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));

	/* Different domains */
	MUST(wdm_detach(fixture.fd, second->handle));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&probe, ADDRESS + PAGE, page(&fixture, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 3)));
	MUST(wdm_attach(fixture.fd, other, second->handle));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, ADDRESS, page(&fixture, 2)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 2)));

	/* One group is revoked, the other remains. */
	take_back(second);
	CHECK_EQUAL(query(fixture.fd, other).devices, 0);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 3)));
}

static void two_groups(void)
{
	check_two_groups(true);
}

static void two_containers(void)
{
	check_two_groups(false);
}

/* A device that is not edu, and may lack BAR 0, as QEMU's virtio devices do. */
static void stranger(void)
{
	struct wdm_vfio_device *device;
	struct wdm_error error;
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 1);
	device = wdm_vfio_open(fixture.fd, options.stranger.text, &error);
	if (!device)
		tap_diag("%s: %s", options.stranger.text, error.text);
	REQUIRE(device);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(map_pages(&fixture, 0, 1, ADDRESS));
	MUST(wdm_attach(fixture.fd, fixture.domain, device->handle));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 1);
	MUST(wdm_detach(fixture.fd, device->handle));
	wdm_vfio_close(device);
}

static const struct test_case cases[] = {
	{ .name = "attach twice, detach twice", .run = twice, .needs = NEEDS_DEVICE },
	{ .name = "base and count", .run = mapping_ids, .needs = NEEDS_DEVICE },
	{ .name = "delete what is attached", .run = delete_attached, .needs = NEEDS_DEVICE },
	{ .name = "from one domain to another and back", .run = move, .needs = NEEDS_DEVICE },
	{ .name = "handles of devices", .run = handles,
	  .needs = NEEDS_DEVICE | NEEDS_CONTAINER },
	{ .name = "binds", .run = binds, .needs = NEEDS_DEVICE | NEEDS_CONTAINER },
	{ .name = "two devices of one group", .run = pair, .needs = NEEDS_PAIR },
	{ .name = "two groups in one container or iommufd", .run = two_groups,
	  .needs = NEEDS_TWO_GROUPS },
	{ .name = "two groups in two of them", .run = two_containers,
	  .needs = NEEDS_TWO_GROUPS },
	{ .name = "a device without a BAR 0", .run = stranger, .needs = NEEDS_STRANGER },
};

const struct suite attach_suite = { "attach", cases, ARRAY_SIZE(cases) };
