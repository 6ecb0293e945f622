// SPDX-License-Identifier: GPL-2.0
/*
 * Groups of several devices. If some have a host driver, the group cannot be used; if it is in
 * use, host drivers cannot bind to its other devices; through cdevs, they share an iommufd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "suites.h"
#include "traffic.h"

/* A host driver for the third device of the pair's group */
#define HOST_DRIVER	"virtio-pci"

static bool is_host_driven(const char *bdf)
{
	char driver[64];

	return wdm_pci_driver(bdf, driver, sizeof(driver)) && !strcmp(driver, HOST_DRIVER);
}

/* Bind a device to a driver, or to none; may be refused. */
static void set_driver(const char *bdf, const char *driver)
{
	char path[128], old[64];

	if (wdm_pci_driver(bdf, old, sizeof(old))) {
		snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/unbind", old);
		REQUIRE(write_text(path, bdf));
	}
	if (!driver)
		return;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	REQUIRE(write_text(path, driver));
	write_text("/sys/bus/pci/drivers_probe", bdf);
}

/* Find a device to which a host driver can bind. */
static const char *find_third(void)
{
	const char *bdf = options.stranger.text;

	if (wdm_pci_group(bdf) != wdm_pci_group(options.pair[0].text))
		skip("no other device in the group of %s", options.pair[0].text);
	if (access("/sys/bus/pci/drivers/" HOST_DRIVER, F_OK))
		skip("the kernel has no " HOST_DRIVER);
	return bdf;
}

static void not_viable(void)
{
	const char *third = find_third();
	struct wdm_vfio_device *device;
	struct wdm_pci_address address;
	struct fixture fixture;
	struct wdm_error error;
	__u32 handle;

	open_fixture(&fixture);
	open_arena(&fixture, 1);
	set_driver(third, HOST_DRIVER);
	REQUIRE(is_host_driven(third));
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(!wdm_vfio_open(fixture.fd, options.pair[i].text, &error));
		CHECK_EQUAL(error.error, options.cdev ? EPERM : EBUSY);
		tap_diag("%s", error.text);
	}
	CHECK(is_host_driven(third));

	/* Without a driver, it does not prevent use of the group. */
	set_driver(third, NULL);
	device = wdm_vfio_open(fixture.fd, options.pair[0].text, &error);
	CHECK(device);
	/* It cannot be used itself: nothing would revoke it. */
	REQUIRE(wdm_pci_parse(third, &address));
	EXPECT(STATUS_ACCESS_DENIED, wdm_device_create(fixture.fd, &address, &handle, NULL));
	set_driver(third, "vfio-pci");
	CHECK(wdm_pci_has_vfio_driver(third));
	if (!options.cdev)
		MUST(wdm_device_create(fixture.fd, &address, &handle, NULL));
	wdm_vfio_close(device);
}

static void attached(void)
{
	const char *third = find_third();
	struct traffic traffic;
	struct fixture fixture;

	options.device = options.pair[0];
	traffic_open(&traffic, &fixture, true);
	traffic_start(&traffic);
	set_driver(third, HOST_DRIVER);
	CHECK(!is_host_driven(third));
	traffic_check(&traffic);
	set_driver(third, "vfio-pci");
	CHECK(wdm_pci_has_vfio_driver(third));
	traffic_check(&traffic);
	traffic_stop_device(&traffic);
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, fixture.arena));
	/* The group still belongs to VFIO while it is not attached. */
	set_driver(third, HOST_DRIVER);
	CHECK(!is_host_driven(third));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, fixture.arena));
	traffic_stop(&traffic);
	wdm_vfio_close(fixture.device);

	set_driver(third, HOST_DRIVER);
	CHECK(is_host_driven(third));
	set_driver(third, "vfio-pci");
	CHECK(wdm_pci_has_vfio_driver(third));
}

/* The group belongs to the iommufd to which the first device is bound. */
static void check_other_iommufd(struct fixture *fixture)
{
	struct wdm_error error;
	int cdev = wdm_cdev_open(options.pair[1].text, &error);
	int iommufd = wdm_iommufd_open(&error);
	__u32 handle;

	REQUIRE(cdev >= 0 && iommufd >= 0);
	CHECK(!wdm_cdev_bind(cdev, iommufd, &error));
	CHECK_EQUAL(error.error, EPERM);
	EXPECT(STATUS_INVALID_DEVICE_STATE,
	       wdm_device_create_cdev(fixture->fd, cdev, &handle, NULL));
	close(iommufd);
	close(cdev);
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, fixture->arena));
}

/* The first device is attached, so no other owner can attach the second. */
static void check_other_owners(struct fixture *fixture, struct wdm_vfio_device *second,
			       __u32 ioas)
{
	struct fixture other;
	__u32 handle;

	CHECK_EQUAL(attach_pt(second, ioas), EBUSY);
	open_fixture(&other);
	MUST(wdm_device_create_cdev(other.fd, second->fd, &handle, NULL));
	MUST(wdm_domain_create(other.fd, true, 0, &other.domain));
	EXPECT(STATUS_DEVICE_BUSY, wdm_attach(other.fd, other.domain, handle));
	CHECK_EQUAL(query(other.fd, other.domain).devices, 0);
	close(other.fd);
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, fixture->arena));
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, ADDRESS, page(fixture, 1)));
}

/* A page table of the iommufd, attached to one device, claims the other one, too. */
static void check_page_table(struct fixture *fixture, struct wdm_vfio_device *second, __u32 ioas)
{
	MUST(wdm_detach(fixture->fd, fixture->device->handle));
	CHECK_EQUAL(attach_pt(second, ioas), 0);
	EXPECT(STATUS_DEVICE_BUSY,
	       wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	CHECK_EQUAL(query(fixture->fd, fixture->domain).devices, 0);
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, HOME_ADDRESS, fixture->arena));
	CHECK_EQUAL(detach_pt(second), 0);
	MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, fixture->arena));
}

/* Both are attached; each claims its cdev, and either of them the group. */
static void check_closed_cdevs(struct fixture *fixture, struct wdm_vfio_device *second,
			       struct probe *probe)
{
	int iommufd = fcntl(fixture->device->iommufd, F_DUPFD_CLOEXEC, 0), cdev;
	struct wdm_vfio_device *device;
	struct wdm_error error;

	REQUIRE(iommufd >= 0);
	second->iommufd = -1;
	close_files(fixture->device);
	cdev = wdm_cdev_open(options.pair[0].text, &error);
	REQUIRE(cdev >= 0);
	CHECK(!wdm_cdev_bind(cdev, iommufd, &error));
	CHECK_EQUAL(error.error, EINVAL);
	CHECK_EQUAL(query(fixture->fd, fixture->domain).devices, 2);

	MUST(wdm_detach(fixture->fd, fixture->device->handle));
	CHECK(wdm_cdev_bind(cdev, iommufd, &error));
	EXPECT_DMA(DMA_ARRIVED, probe_write(probe, HOME_ADDRESS, fixture->arena));
	close(cdev);
	close(iommufd);
	EXPECT_DMA(DMA_ARRIVED, probe_write(probe, HOME_ADDRESS, fixture->arena));
	CHECK(!wdm_vfio_open(fixture->fd, options.pair[0].text, &error));
	CHECK_EQUAL(error.error, EPERM);

	close_files(second);
	CHECK_EQUAL(query(fixture->fd, fixture->domain).devices, 1);
	MUST(wdm_detach(fixture->fd, second->handle));
	MUST(wdm_destroy(fixture->fd, fixture->device->handle));
	device = wdm_vfio_open(fixture->fd, options.pair[0].text, &error);
	CHECK(device);
	wdm_vfio_close(device);
}

static void cdevs(void)
{
	struct wdm_vfio_device *second;
	struct fixture fixture;
	struct probe probe;
	__u32 ioas;

	options.device = options.pair[0];
	open_os_managed(&fixture, 2, 0);
	check_other_iommufd(&fixture);
	second = open_one(&fixture, options.pair[1].text, fixture.device, &probe);
	ioas = make_ioas(&fixture);
	check_other_owners(&fixture, second, ioas);
	check_page_table(&fixture, second, ioas);

	MUST(wdm_attach(fixture.fd, fixture.domain, second->handle));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 2);
	REQUIRE(probe_load(&probe, HOME_ADDRESS, fixture.arena));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, HOME_ADDRESS, fixture.arena));
	check_closed_cdevs(&fixture, second, &probe);
}

static const struct test_case cases[] = {
	{ .name = "a device of the group has another driver", .run = not_viable,
	  .needs = NEEDS_PAIR | NEEDS_STRANGER },
	{ .name = "a device of an attached group gets no other driver", .run = attached,
	  .needs = NEEDS_PAIR | NEEDS_STRANGER },
	{ .name = "two devices of a group, through cdevs", .run = cdevs,
	  .needs = NEEDS_PAIR | NEEDS_CDEV },
};

const struct suite groups_suite = { "groups", cases, ARRAY_SIZE(cases) };
