// SPDX-License-Identifier: GPL-2.0
/*
 * A group whose devices do not all belong to VFIO: it cannot be used, or its other
 * devices cannot get a driver of Linux' own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suites.h"
#include "traffic.h"

/* A driver of Linux' own for the third device of the pair's group */
#define HOST_DRIVER	"virtio-pci"

static bool is_host_driven(const char *bdf)
{
	char driver[64];

	return wdm_pci_driver(bdf, driver, sizeof(driver)) && !strcmp(driver, HOST_DRIVER);
}

/* Bind a device to a driver, or to none; it may be refused. */
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

/* The device that a driver of Linux' own could have */
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
	struct fixture fixture;
	struct wdm_error error;

	open_fixture(&fixture);
	open_arena(&fixture, 1);
	set_driver(third, HOST_DRIVER);
	REQUIRE(is_host_driven(third));
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(!wdm_vfio_open(fixture.fd, options.pair[i].text, &error));
		CHECK_EQUAL(error.error, EBUSY);
		tap_diag("%s", error.text);
	}
	CHECK(is_host_driven(third));

	/* Without any driver, it is in nobody's way. */
	set_driver(third, NULL);
	device = wdm_vfio_open(fixture.fd, options.pair[0].text, &error);
	CHECK(device);
	wdm_vfio_close(device);
	set_driver(third, "vfio-pci");
	CHECK(wdm_pci_has_vfio_driver(third));
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
	/* Not attached, the group is still VFIO's. */
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

static const struct test_case cases[] = {
	{ .name = "a device of the group has another driver", .run = not_viable,
	  .needs = NEEDS_PAIR | NEEDS_STRANGER | NEEDS_CONTAINER },
	{ .name = "a device of an attached group gets no other driver", .run = attached,
	  .needs = NEEDS_PAIR | NEEDS_STRANGER },
};

const struct suite groups_suite = { "groups", cases, ARRAY_SIZE(cases) };
