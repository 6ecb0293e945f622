// SPDX-License-Identifier: GPL-2.0
/*
 * Devices, groups and containers: who may be attached to what.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "suites.h"
#include "world.h"

#define PAGE	WDM_PAGE_SIZE

/* A domain of its own, with page @number of the arena at ADDRESS */
static __u32 new_domain(const struct world *world, size_t number)
{
	__u32 domain;

	MUST(wdm_domain_create(world->fd, true, 0, &domain));
	MUST(wdm_map(world->fd, domain, WDM_RW, world->mdl, number * PAGE, PAGE, ADDRESS));
	return domain;
}

static void twice(void)
{
	struct world world;
	__u32 other;

	open_os_managed(&world, 4, 0);
	other = new_domain(&world, 1);
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_attach(world.fd, world.domain, world.device.handle));
	EXPECT(STATUS_INVALID_PARAMETER, wdm_attach(world.fd, other, world.device.handle));
	CHECK_EQUAL(query(world.fd, world.domain).devices, 1);
	CHECK_EQUAL(query(world.fd, other).devices, 0);
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
	MUST(wdm_detach(world.fd, world.device.handle));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_detach(world.fd, world.device.handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
}

static void mapping_ids(void)
{
	struct wdm_iommu_attach attach = { .size = sizeof(attach), .mapping_count = 1 };
	struct wdm_iommu_detach detach = { .size = sizeof(detach), .input_mapping_id = 1 };
	struct world world;

	open_os_managed(&world, 2, 0);
	detach.device = world.device.handle;
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_call(world.fd, WDM_IOMMU_DETACH, &detach));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
	MUST(wdm_detach(world.fd, world.device.handle));
	attach.domain = world.domain;
	attach.device = world.device.handle;
	attach.input_mapping_id_base = 1;
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_call(world.fd, WDM_IOMMU_ATTACH, &attach));
	attach.input_mapping_id_base = 0;
	attach.mapping_count = 0;
	EXPECT(STATUS_INVALID_PARAMETER_4, wdm_call(world.fd, WDM_IOMMU_ATTACH, &attach));
	attach.mapping_count = 2;
	EXPECT(STATUS_INVALID_PARAMETER_4, wdm_call(world.fd, WDM_IOMMU_ATTACH, &attach));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
}

static void delete_attached(void)
{
	struct world world;

	open_os_managed(&world, 2, 0);
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_domain_delete(world.fd, world.domain));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_close(world.fd, world.domain));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_device_delete(world.fd, world.device.handle));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_close(world.fd, world.device.handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
	MUST(wdm_detach(world.fd, world.device.handle));
	MUST(wdm_device_delete(world.fd, world.device.handle));
	MUST(wdm_close(world.fd, world.domain));
	MUST(wdm_mdl_delete(world.fd, world.mdl));
}

static void move(void)
{
	struct world world;
	__u32 other;

	open_os_managed(&world, 4, 0);
	MUST(map_pages(&world, 1, 1, ADDRESS));
	other = new_domain(&world, 2);
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
		MUST(wdm_detach(world.fd, world.device.handle));
		MUST(wdm_attach(world.fd, other, world.device.handle));
		EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 2)));
		MUST(wdm_detach(world.fd, world.device.handle));
		MUST(wdm_attach(world.fd, world.domain, world.device.handle));
	}
}

static void handles(void)
{
	struct wdm_pci_address nowhere = { .bus = 0xfe, .devfn = 0xff }, bridge = { .bus = 0 };
	struct world world, other;
	__u32 second, group;
	struct wdm_bdf bdf;

	open_world(&world);
	open_arena(&world, 1);
	open_device(&world);
	EXPECT(STATUS_RESOURCE_IN_USE,
	       wdm_device_create(world.fd, &world.device.address, &second, NULL));
	EXPECT(STATUS_NO_SUCH_DEVICE, wdm_device_create(world.fd, &nowhere, &second, NULL));
	nowhere.segment = 0xffff;
	EXPECT(STATUS_NO_SUCH_DEVICE, wdm_device_create(world.fd, &nowhere, &second, NULL));
	/* The host bridge is not VFIO's. */
	wdm_pci_format(&bridge, &bdf);
	EXPECT(wdm_pci_group(bdf.text) < 0 ? STATUS_NOT_FOUND : STATUS_ACCESS_DENIED,
	       wdm_device_create(world.fd, &bridge, &second, NULL));
	/* Devices belong to the file that their container is tied to. */
	open_world(&other);
	EXPECT(STATUS_ACCESS_DENIED,
	       wdm_device_create(other.fd, &world.device.address, &second, NULL));
	MUST(wdm_device_delete(world.fd, world.device.handle));
	EXPECT(STATUS_ACCESS_DENIED,
	       wdm_device_create(other.fd, &world.device.address, &second, NULL));
	MUST(wdm_device_create(world.fd, &world.device.address, &second, &group));
	CHECK_EQUAL(group, world.device.group_number);
}

static void ties(void)
{
	struct wdm_iommu_vfio_tie tie = { .size = sizeof(tie), .flags = 1 };
	struct wdm_error error;
	struct world world;
	int container, group, other;

	open_world(&world);
	container = wdm_container_open(&error);
	group = wdm_group_open(wdm_pci_group(options.device.text), &error);
	REQUIRE(container >= 0 && group >= 0);
	/* No group, no backend: VFIO itself says no. */
	EXPECT(WDM_STATUS_NONE, wdm_vfio_tie(container, world.fd));
	CHECK(ioctl(container, VFIO_SET_IOMMU, WDM_IOMMU_VFIO_IOMMU) == -1);
	REQUIRE(wdm_container_add(container, group, &error));
	REQUIRE(!ioctl(container, VFIO_SET_IOMMU, WDM_IOMMU_VFIO_IOMMU));

	EXPECT(STATUS_INVALID_HANDLE, wdm_vfio_tie(container, -1));
	EXPECT(STATUS_INVALID_HANDLE, wdm_vfio_tie(container, 1000000));
	EXPECT(STATUS_INVALID_HANDLE, wdm_vfio_tie(container, container));
	EXPECT(STATUS_INVALID_HANDLE, wdm_vfio_tie(container, group));
	tie.fd = world.fd;
	EXPECT(STATUS_INVALID_PARAMETER, wdm_call(container, WDM_IOMMU_VFIO_TIE, &tie));
	tie.flags = 0;
	tie.size = sizeof(tie) - 1;
	CHECK(ioctl(container, WDM_IOMMU_VFIO_TIE, &tie) == -1 && errno == EINVAL);
	CHECK(ioctl(container, WDM_IOMMU_VFIO_TIE, NULL) == -1 && errno == EFAULT);
	/* What type1 would do, this backend does not. */
	CHECK(ioctl(container, VFIO_IOMMU_MAP_DMA, &tie) == -1);
	CHECK(ioctl(container, VFIO_IOMMU_GET_INFO, &tie) == -1);

	MUST(wdm_vfio_tie(container, world.fd));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_vfio_tie(container, world.fd));
	other = wdm_open();
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_vfio_tie(container, other));
}

/* Two devices of one group go together. */
static void pair(void)
{
	struct wdm_vfio_device first, second;
	struct probe first_probe, second_probe;
	struct world world;
	__u32 domain, other;

	open_world(&world);
	open_arena(&world, 4);
	open_one(&world, options.pair[0].text, NULL, &first, &first_probe);
	open_one(&world, options.pair[1].text, &first, &second, &second_probe);
	domain = new_domain(&world, 1);
	other = new_domain(&world, 2);
	EXPECT_DMA(DMA_BLOCKED, probe_write(&first_probe, ADDRESS, page(&world, 1)));
	MUST(wdm_attach(world.fd, domain, first.handle));
	REQUIRE(probe_load(&first_probe, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&first_probe, ADDRESS, page(&world, 1)));

	EXPECT(STATUS_ACCESS_DENIED, wdm_attach(world.fd, other, second.handle));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_detach(world.fd, second.handle));
	MUST(wdm_attach(world.fd, domain, second.handle));
	CHECK_EQUAL(query(world.fd, domain).devices, 2);
	CHECK_EQUAL(query(world.fd, domain).hardware_domains, 1);
	REQUIRE(probe_load(&second_probe, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&second_probe, ADDRESS, page(&world, 1)));

	/* The group stays until its last device is detached. */
	MUST(wdm_detach(world.fd, first.handle));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&second_probe, ADDRESS, page(&world, 1)));
	EXPECT(STATUS_ACCESS_DENIED, wdm_attach(world.fd, other, first.handle));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_domain_delete(world.fd, domain));
	MUST(wdm_detach(world.fd, second.handle));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&second_probe, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&first_probe, ADDRESS, page(&world, 1)));
	MUST(wdm_attach(world.fd, other, first.handle));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&first_probe, ADDRESS, page(&world, 2)));
	EXPECT(STATUS_ACCESS_DENIED, wdm_attach(world.fd, domain, second.handle));
	/* Both go when the group does. */
	MUST(wdm_attach(world.fd, other, second.handle));
	wdm_vfio_close(&second);
	wdm_vfio_close(&first);
	CHECK_EQUAL(query(world.fd, other).devices, 0);
	MUST(wdm_domain_delete(world.fd, other));
}

/* The second device as @beside says: in the first one's container, or in its own */
static void check_two_groups(bool same_container)
{
	struct wdm_vfio_device second;
	struct probe probe;
	struct world world;
	__u32 other;

	open_os_managed(&world, 4, 0);
	MUST(map_pages(&world, 1, 1, ADDRESS));
	open_one(&world, options.other.text, same_container ? &world.device : NULL, &second,
		 &probe);
	other = new_domain(&world, 2);
	EXPECT_DMA(DMA_BLOCKED, probe_write(&probe, ADDRESS, page(&world, 1)));

	MUST(wdm_attach(world.fd, world.domain, second.handle));
	CHECK_EQUAL(query(world.fd, world.domain).devices, 2);
	REQUIRE(probe_load(&probe, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
	MUST(map_pages(&world, 3, 1, ADDRESS + PAGE));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, ADDRESS + PAGE, page(&world, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + PAGE, page(&world, 3)));
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 1));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&probe, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));

	/* Each in a domain of its own */
	MUST(wdm_detach(world.fd, second.handle));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&probe, ADDRESS + PAGE, page(&world, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + PAGE, page(&world, 3)));
	MUST(wdm_attach(world.fd, other, second.handle));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, ADDRESS, page(&world, 2)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 2)));

	/* One group leaves, the other stays. */
	wdm_vfio_close(&second);
	CHECK_EQUAL(query(world.fd, other).devices, 0);
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + PAGE, page(&world, 3)));
}

static void two_groups(void)
{
	check_two_groups(true);
}

static void two_containers(void)
{
	check_two_groups(false);
}

static const struct test_case cases[] = {
	{ .name = "attach twice, detach twice", .run = twice, .needs = NEEDS_DEVICE },
	{ .name = "base and count", .run = mapping_ids, .needs = NEEDS_DEVICE },
	{ .name = "delete what is attached", .run = delete_attached, .needs = NEEDS_DEVICE },
	{ .name = "from one domain to another and back", .run = move, .needs = NEEDS_DEVICE },
	{ .name = "handles of devices", .run = handles, .needs = NEEDS_DEVICE },
	{ .name = "ties", .run = ties, .needs = NEEDS_DEVICE },
	{ .name = "two devices of one group", .run = pair, .needs = NEEDS_PAIR },
	{ .name = "two groups in one container", .run = two_groups, .needs = NEEDS_TWO_GROUPS },
	{ .name = "two groups in two containers", .run = two_containers,
	  .needs = NEEDS_TWO_GROUPS },
};

const struct suite attach_suite = { "attach", cases, ARRAY_SIZE(cases) };
