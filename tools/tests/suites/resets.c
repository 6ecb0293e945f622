// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that are reset while they are attached and busy: through VFIO and sysfs, alone (FLR),
 * with their bus, and together with others. Attachments and translations are unaffected.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "nvme.h"
#include "suites.h"
#include "traffic.h"

#define ROUNDS		3

/* Pages of the arena for an NVMe controller, and their address */
#define NVME_PAGE	(TRAFFIC_PAGES + 1)
#define NVME_ADDRESS	0x7000000ULL

static bool reset_by_vfio(struct wdm_vfio_device *device)
{
	return !ioctl(device->fd, VFIO_DEVICE_RESET);
}

static bool reset_by_sysfs(struct wdm_vfio_device *device)
{
	struct wdm_bdf bdf;
	char path[128];

	wdm_pci_format(&device->address, &bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", bdf.text);
	return write_text(path, "1");
}

static bool reset_by_bus(struct wdm_vfio_device *device)
{
	return wdm_vfio_hot_reset(device, NULL, 0, NULL);
}

typedef bool (*reset_function)(struct wdm_vfio_device *device);

/* Map pages of the arena for the device that is reset. */
static void map_nvme(struct traffic *traffic)
{
	struct fixture *fixture = traffic->fixture;

	if (traffic->os_managed) {
		MUST(map_pages(fixture, NVME_PAGE, NVME_PAGES, NVME_ADDRESS));
		return;
	}
	for (unsigned int i = 0; i < NVME_PAGES; i++)
		set_leaf(fixture, NVME_ADDRESS + i * WDM_PAGE_SIZE, page(fixture, NVME_PAGE + i));
	MUST(wdm_flush(fixture->fd, fixture->domain, NULL));
}

/* Identify writes the vendor's ID, or nothing if it is blocked. */
static void check_identify(struct nvme *nvme)
{
	unsigned char *data = nvme->memory + 2 * WDM_PAGE_SIZE;

	memset(data, 0, WDM_PAGE_SIZE);
	CHECK(nvme_identify(nvme, NVME_ADDRESS + 2 * WDM_PAGE_SIZE));
	CHECK_EQUAL(data[0] | data[1] << 8, 0x1b36);
	memset(data, 0, WDM_PAGE_SIZE);
	nvme_identify(nvme, ADDRESS);
	CHECK(!data[0] && !memcmp(data, data + 1, WDM_PAGE_SIZE - 1));
}

/* Reset a controller alone, in the domain of a busy edu device. */
static void check_flr(reset_function reset, bool os_managed)
{
	struct wdm_vfio_device *device;
	struct traffic traffic;
	struct fixture fixture;
	struct wdm_error error;
	struct nvme nvme;

	traffic_open(&traffic, &fixture, os_managed);
	map_nvme(&traffic);
	device = wdm_vfio_open(fixture.fd, options.nvme.text, &error);
	REQUIRE(device);
	MUST(wdm_attach(fixture.fd, fixture.domain, device->handle));
	nvme = (struct nvme) {
		.bar = wdm_bar_map(device, 0, 0, 0, &error),
		.memory = page(&fixture, NVME_PAGE),
		.address = NVME_ADDRESS,
	};
	REQUIRE(nvme.bar);
	traffic_start(&traffic);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		/* The probe of the edu device examines this memory. */
		pthread_mutex_lock(&traffic.memory);
		REQUIRE(nvme_start(&nvme));
		check_identify(&nvme);
		pthread_mutex_unlock(&traffic.memory);
		REQUIRE(reset(device));
		CHECK(!nvme_is_ready(&nvme));
		CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 2);
		traffic_check(&traffic);
	}
	/* A detached device reaches nothing after a reset, either. */
	MUST(wdm_detach(fixture.fd, device->handle));
	REQUIRE(reset(device));
	pthread_mutex_lock(&traffic.memory);
	memset(nvme.memory, 0, NVME_PAGES * WDM_PAGE_SIZE);
	nvme_start(&nvme);
	CHECK(!nvme_identify(&nvme, NVME_ADDRESS + 2 * WDM_PAGE_SIZE));
	pthread_mutex_unlock(&traffic.memory);
	traffic_stop_device(&traffic);
	traffic_stop(&traffic);
	wdm_vfio_close(device);
	wdm_vfio_close(fixture.device);
	close(fixture.fd);
}

static void flr(void)
{
	check_flr(reset_by_vfio, true);
	check_flr(reset_by_sysfs, false);
}

/* A device without FLR is reset with its bus; a transfer that it has started continues. */
static void bus_reset(void)
{
	static const reset_function resets[] = { reset_by_vfio, reset_by_sysfs, reset_by_bus };

	options.device = options.plug;
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(resets); i++) {
		struct traffic traffic;
		struct fixture fixture;

		traffic_open(&traffic, &fixture, i % 2);
		traffic_start(&traffic);
		for (unsigned int round = 0; round < ROUNDS; round++) {
			REQUIRE(resets[i / 2](fixture.device));
			CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 1);
			traffic_check(&traffic);
		}
		traffic_stop_device(&traffic);
		MUST(wdm_detach(fixture.fd, fixture.device->handle));
		REQUIRE(resets[i / 2](fixture.device));
		traffic_stop(&traffic);
		EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, fixture.arena));
		wdm_vfio_close(fixture.device);
		close(fixture.fd);
	}
}

/* Two devices below one bridge are reset together by the owner of their group. */
static void together(void)
{
	struct wdm_vfio_device *second;
	struct traffic traffic;
	struct fixture fixture;
	struct probe probe;

	options.device = options.bridged[0];
	traffic_open(&traffic, &fixture, true);
	second = open_one(&fixture, options.bridged[1].text, fixture.device, &probe);
	MUST(wdm_attach(fixture.fd, fixture.domain, second->handle));
	REQUIRE(probe_load(&probe, HOME_ADDRESS, fixture.arena));
	traffic_start(&traffic);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		REQUIRE(reset_by_bus(second));
		CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 2);
		traffic_check(&traffic);
		pthread_mutex_lock(&traffic.memory);
		EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, HOME_ADDRESS, fixture.arena));
		EXPECT_DMA(DMA_BLOCKED,
			   probe_write(&probe, ADDRESS, page(&fixture, TRAFFIC_PAGES)));
		pthread_mutex_unlock(&traffic.memory);
	}
	traffic_stop_device(&traffic);
	traffic_stop(&traffic);
}

/**
 * struct resetter - a thread that resets a device repeatedly
 * @device: the device
 * @stop: it should end
 * @resets: number of resets
 */
struct resetter {
	struct wdm_vfio_device *device;
	bool stop;
	unsigned int resets;
};

static void *reset_again(void *data)
{
	struct resetter *resetter = data;

	while (!__atomic_load_n(&resetter->stop, __ATOMIC_ACQUIRE)) {
		if (CHECK(reset_by_vfio(resetter->device)))
			resetter->resets++;
	}
	return NULL;
}

/* Attach and detach race with resets: each succeeds, or reports that the device is busy. */
static void meanwhile(void)
{
	struct fixture fixture;
	struct resetter resetter = { 0 };
	unsigned int attached = 0, busy = 0;
	struct wdm_error error;
	pthread_t thread;
	__u32 status;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	fixture.device = wdm_vfio_open(fixture.fd, options.nvme.text, &error);
	REQUIRE(fixture.device);
	resetter.device = fixture.device;
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(map_pages(&fixture, 0, 4, ADDRESS));
	REQUIRE(!pthread_create(&thread, NULL, reset_again, &resetter));
	while (attached < 200 || __atomic_load_n(&resetter.resets, __ATOMIC_RELAXED) < 10) {
		status = wdm_attach(fixture.fd, fixture.domain, fixture.device->handle);
		if (status == STATUS_DEVICE_BUSY) {
			busy++;
			continue;
		}
		MUST(status);
		attached++;
		MUST(wdm_detach(fixture.fd, fixture.device->handle));
	}
	__atomic_store_n(&resetter.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	tap_diag("%u attached, %u busy, %u resets", attached, busy, resetter.resets);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 0);
}

static const struct test_case cases[] = {
	{ .name = "function level resets", .run = flr, .needs = NEEDS_DEVICE | NEEDS_NVME,
	  .seconds = 120 },
	{ .name = "resets of a bus with one device", .run = bus_reset, .needs = NEEDS_PLUG,
	  .seconds = 180 },
	{ .name = "two devices that are reset together", .run = together, .needs = NEEDS_BRIDGE,
	  .seconds = 120 },
	{ .name = "attach and detach during resets", .run = meanwhile, .needs = NEEDS_NVME,
	  .seconds = 120 },
};

const struct suite resets_suite = { "resets", cases, ARRAY_SIZE(cases) };
