// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that are removed while they are attached and busy: unbound from their driver, removed
 * through sysfs, unplugged. The program closes them when VFIO requests it, its domains are
 * unaffected, and the device can be used again when it is back.
 */
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"
#include "suites.h"
#include "traffic.h"

#define WAIT_SECONDS	30

/* As in scripts/e2e */
#define PLUG_ID		"plug"
#define PLUG_DEVICE	"edu,dma_mask=0xffffffffffff,id=" PLUG_ID ",bus=root1"

/* Ways to remove a device: unbind its driver, or remove the device */
enum way {
	UNBIND,
	REMOVE,
	UNPLUG,
};

static bool has_attribute(const char *bdf, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	return !access(path, F_OK);
}

static bool write_attribute(const char *bdf, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	return write_text(path, text);
}

static bool is_there(const char *bdf)
{
	return has_attribute(bdf, "vendor");
}

/* Remove the device and wait; UNPLUG only requests it. */
static void take_away(enum way way, const char *bdf)
{
	switch (way) {
	case UNBIND:
		CHECK(write_text("/sys/bus/pci/drivers/vfio-pci/unbind", bdf));
		break;
	case REMOVE:
		CHECK(write_attribute(bdf, "remove", "1"));
		break;
	case UNPLUG:
		monitor_command("device_del " PLUG_ID);
	}
}

static void ask_back(enum way way, const char *bdf)
{
	switch (way) {
	case UNBIND:
		CHECK(write_text("/sys/bus/pci/drivers_probe", bdf));
		break;
	case REMOVE:
		CHECK(write_text("/sys/bus/pci/rescan", "1"));
		break;
	case UNPLUG:
		monitor_command("device_add " PLUG_DEVICE);
	}
}

/* Bring a device back, which has lost its driver. */
static void give_back(enum way way, const char *bdf)
{
	const struct timespec pause = { .tv_nsec = 500000000 };
	time_t end = time(NULL) + WAIT_SECONDS;

	/* Linux removes an unplugged device after some time. */
	while (way == UNPLUG && is_there(bdf)) {
		REQUIRE(time(NULL) < end);
		nanosleep(&pause, NULL);
	}
	ask_back(way, bdf);
	while (!is_there(bdf)) {
		REQUIRE(time(NULL) < end);
		nanosleep(&pause, NULL);
		/* QEMU frees the slot some time after Linux has removed the device. */
		if (way == UNPLUG)
			ask_back(way, bdf);
	}
	/* Linux adds a plugged in device to sysfs before it allows drivers to bind to it. */
	while (!bind_driver(bdf)) {
		REQUIRE(time(NULL) < end);
		nanosleep(&pause, NULL);
	}
}

/**
 * struct taking - a device that is being removed
 * @way: the way of removal
 * @bdf: the device
 * @request: an eventfd that VFIO signals when it waits for the device's file to be closed
 * @thread: makes the call, in which the kernel waits for VFIO
 * @done: the call has returned
 */
struct taking {
	enum way way;
	const char *bdf;
	int request;
	pthread_t thread;
	bool done;
};

static void *take(void *data)
{
	struct taking *taking = data;

	take_away(taking->way, taking->bdf);
	__atomic_store_n(&taking->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void start_taking(struct taking *taking, enum way way, const char *bdf)
{
	taking->way = way;
	taking->bdf = bdf;
	taking->done = false;
	REQUIRE(!pthread_create(&taking->thread, NULL, take, taking));
}

static bool is_taken(const struct taking *taking)
{
	if (taking->way == UNPLUG)
		return !is_there(taking->bdf);
	return __atomic_load_n(&taking->done, __ATOMIC_ACQUIRE);
}

static void finish_taking(struct taking *taking)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	time_t end = time(NULL) + WAIT_SECONDS;

	while (!is_taken(taking)) {
		REQUIRE(time(NULL) <= end);
		nanosleep(&pause, NULL);
	}
	pthread_join(taking->thread, NULL);
}

/* Wait for VFIO's request to close the device, which it repeats every ten seconds. */
static void wait_for_request(int request)
{
	struct pollfd poll_fd = { .fd = request, .events = POLLIN };

	REQUIRE(poll(&poll_fd, 1, WAIT_SECONDS * 1000) == 1);
	close(request);
}

static void close_device(struct wdm_vfio_device *device)
{
	wdm_bar_unmap(device, 0);
	close(device->fd);
	device->fd = -1;
}

static void drop_events(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct wdm_iommu_event events[4];

	while (poll(&poll_fd, 1, 0) == 1)
		REQUIRE(wdm_read_events(fd, events, 4) > 0);
}

static void check_event(int fd, __u32 device)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	struct wdm_iommu_event events[4];

	REQUIRE(poll(&poll_fd, 1, WAIT_SECONDS * 1000) == 1);
	REQUIRE(wdm_read_events(fd, events, 4) > 0);
	CHECK_EQUAL(events[0].type, WDM_IOMMU_EVENT_DEVICE_REVOKED);
	CHECK_EQUAL(events[0].device, device);
}

/* Check the results of all calls for a device that is gone. */
static void check_gone(int fd, __u32 domain, __u32 device)
{
	struct wdm_iommu_query_device answer;

	EXPECT(STATUS_DEVICE_REMOVED, wdm_attach(fd, domain, device));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_detach(fd, device));
	MUST(wdm_query_device(fd, device, &answer));
	CHECK_EQUAL(answer.domain_types, 0);
	CHECK(!(answer.flags & WDM_IOMMU_DEVICE_IS_ATTACHED));
	EXPECT(STATUS_DEVICE_REMOVED, wdm_attach(fd, domain, device));
}

/* Use the device again with the same file and domain, whose mappings are unchanged. */
static void use_again(struct fixture *fixture, const char *bdf)
{
	struct wdm_error error;

	fixture->device = wdm_vfio_open(fixture->fd, bdf, &error);
	REQUIRE(fixture->device);
	fixture->probe.bar0 = wdm_bar_map(fixture->device, 0, 0, 0, &error);
	REQUIRE(fixture->probe.bar0);
	MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	REQUIRE(probe_load(&fixture->probe, HOME_ADDRESS, page(fixture, 0)));
}

static __u32 create_again(const struct fixture *fixture)
{
	__u32 handle;

	return wdm_device_create(fixture->fd, &fixture->device->address, &handle, NULL);
}

/* The kernel removes a device's attributes before it deletes the device. */
static __u32 create_when_gone(const struct fixture *fixture)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	time_t end = time(NULL) + WAIT_SECONDS;
	__u32 status;

	while ((status = create_again(fixture)) == STATUS_ACCESS_DENIED && time(NULL) <= end)
		nanosleep(&pause, NULL);
	return status;
}

/*
 * A container keeps the device attached until the program closes it; a cdev is detached before
 * VFIO sends its request.
 */
static void check_asked_for(struct traffic *traffic)
{
	struct fixture *fixture = traffic->fixture;

	CHECK_EQUAL(query(fixture->fd, fixture->domain).devices, !options.cdev);
	if (!options.cdev) {
		traffic_check(traffic);
		return;
	}
	pthread_mutex_lock(&traffic->memory);
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, HOME_ADDRESS, fixture->arena));
	pthread_mutex_unlock(&traffic->memory);
}

static void check_way(enum way way, bool os_managed)
{
	const char *bdf = options.device.text;
	long long pinned = pinned_pages();
	struct traffic traffic;
	struct fixture fixture;
	struct taking taking;

	traffic_open(&traffic, &fixture, os_managed);
	traffic_start(&traffic);
	taking.request = request_eventfd(fixture.device);
	start_taking(&taking, way, bdf);
	wait_for_request(taking.request);

	CHECK(!is_taken(&taking));
	check_asked_for(&traffic);

	traffic_stop_device(&traffic);
	close_device(fixture.device);
	finish_taking(&taking);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 0);
	check_event(fixture.fd, fixture.device->handle);
	check_gone(fixture.fd, fixture.domain, fixture.device->handle);
	if (way == UNBIND)
		EXPECT(STATUS_ACCESS_DENIED, create_again(&fixture));
	else
		EXPECT(STATUS_NO_SUCH_DEVICE, create_when_gone(&fixture));
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	wdm_vfio_close(fixture.device);

	give_back(way, bdf);
	use_again(&fixture, bdf);
	traffic_check(&traffic);
	traffic_start_device(&traffic);
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	traffic_check(&traffic);
	traffic_stop_device(&traffic);
	traffic_stop(&traffic);
	wdm_vfio_close(fixture.device);
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

static void taken(void)
{
	enum way way = *(const enum way *)parameter();
	glob_t slots;

	if (way == UNPLUG) {
		if (glob("/sys/bus/pci/slots/*", 0, NULL, &slots))
			skip("the kernel has no driver for slots");
		globfree(&slots);
		monitor_open();
		options.device = options.plug;
	}
	check_way(way, true);
	check_way(way, false);
}

/* Kill the program after VFIO's request for the device. */
static void killed(void)
{
	const char *bdf = options.device.text;
	long long pinned = pinned_pages();

	for (unsigned int i = 0; i < 2; i++) {
		struct traffic traffic;
		struct fixture fixture;
		struct taking taking;
		int ready[2];
		pid_t child;
		char byte;

		REQUIRE(!pipe(ready));
		child = fork();
		REQUIRE(child >= 0);
		if (!child) {
			traffic_open(&traffic, &fixture, i);
			traffic_start(&traffic);
			taking.request = request_eventfd(fixture.device);
			REQUIRE(write(ready[1], "x", 1) == 1);
			wait_for_request(taking.request);
			REQUIRE(write(ready[1], "x", 1) == 1);
			for (;;)
				pause();
		}
		close(ready[1]);
		REQUIRE(read(ready[0], &byte, 1) == 1);
		start_taking(&taking, REMOVE, bdf);
		REQUIRE(read(ready[0], &byte, 1) == 1);
		close(ready[0]);
		CHECK(!is_taken(&taking));
		kill(child, SIGKILL);
		REQUIRE(waitpid(child, NULL, 0) == child);
		finish_taking(&taking);
		CHECK(pins_are_back(pinned));
		give_back(REMOVE, bdf);

		open_os_managed(&fixture, 1, 0);
		probe_free(&fixture.probe);
		wdm_vfio_close(fixture.device);
		close(fixture.fd);
	}
}

/* One of two devices of a group is removed, and returns into the group, which is in use. */
static void member(void)
{
	const char *bdf = options.pair[1].text;
	struct wdm_vfio_device *second;
	struct traffic traffic;
	struct fixture fixture;
	struct taking taking;
	struct probe probe;
	__u32 handle;

	options.device = options.pair[0];
	traffic_open(&traffic, &fixture, true);
	second = open_one(&fixture, bdf, fixture.device, &probe);
	MUST(wdm_attach(fixture.fd, fixture.domain, second->handle));
	REQUIRE(probe_load(&probe, HOME_ADDRESS, fixture.arena));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, HOME_ADDRESS, fixture.arena));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 2);
	traffic_start(&traffic);

	taking.request = request_eventfd(second);
	start_taking(&taking, REMOVE, bdf);
	wait_for_request(taking.request);
	handle = second->handle;
	wdm_vfio_close(second);
	finish_taking(&taking);
	traffic_check(&traffic);
	/* VFIO keeps the group, but not this device. */
	check_event(fixture.fd, handle);
	check_gone(fixture.fd, fixture.domain, handle);
	MUST(wdm_destroy(fixture.fd, handle));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 1);
	traffic_check(&traffic);

	give_back(REMOVE, bdf);
	traffic_check(&traffic);
	probe_free(&probe);
	pthread_mutex_lock(&traffic.memory);
	second = open_one(&fixture, bdf, fixture.device, &probe);
	MUST(wdm_attach(fixture.fd, fixture.domain, second->handle));
	REQUIRE(probe_load(&probe, HOME_ADDRESS, fixture.arena));
	EXPECT_DMA(DMA_ARRIVED, probe_write(&probe, HOME_ADDRESS, fixture.arena));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&probe, ADDRESS, page(&fixture, TRAFFIC_PAGES)));
	pthread_mutex_unlock(&traffic.memory);
	traffic_stop_device(&traffic);
	traffic_stop(&traffic);
}

#define OTHER_DRIVER	"/sys/bus/pci/drivers/virtio-pci"

/* A driver probes a device again and again, and fails, as the group belongs to VFIO. */
static void *fail_probes(void *data)
{
	const bool *stop = data;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED))
		write_text(OTHER_DRIVER "/bind", options.pair[1].text);
	return NULL;
}

static bool create_in_probe(int fd, __u32 *handle)
{
	time_t end = time(NULL) + WAIT_SECONDS;
	struct wdm_pci_address address;
	__u32 status = STATUS_ACCESS_DENIED;
	bool stop = false;
	pthread_t thread;

	REQUIRE(wdm_pci_parse(options.pair[1].text, &address));
	REQUIRE(!pthread_create(&thread, NULL, fail_probes, &stop));
	while (status == STATUS_ACCESS_DENIED && time(NULL) < end)
		status = wdm_device_create(fd, &address, handle, NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return !status;
}

/*
 * A device is created while a driver probes it, and removed after that has failed: it has no
 * driver to be unbound from, but is revoked all the same.
 */
static void failed_probe(void)
{
	const char *bdf = options.pair[1].text;
	struct fixture fixture;
	__u32 handle;

	if (access(OTHER_DRIVER, F_OK))
		skip("the kernel has no virtio-pci");
	options.device = options.pair[0];
	REQUIRE(unbind_driver(bdf));
	REQUIRE(write_attribute(bdf, "driver_override", "virtio-pci"));
	open_os_managed(&fixture, 1, 0);
	if (create_in_probe(fixture.fd, &handle)) {
		MUST(wdm_attach(fixture.fd, fixture.domain, handle));
		CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 2);
		/* Of changes of the types of domains */
		drop_events(fixture.fd);
		take_away(REMOVE, bdf);
		check_event(fixture.fd, handle);
		check_gone(fixture.fd, fixture.domain, handle);
		CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 1);
		MUST(wdm_destroy(fixture.fd, handle));
		give_back(REMOVE, bdf);
	} else {
		REQUIRE(bind_driver(bdf));
		skip("no device could be created while it was probed");
	}
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	EXPECT_DMA(DMA_BLOCKED, probe_write(&fixture.probe, ADDRESS, fixture.arena));
}

static const enum way ways[] = { UNBIND, REMOVE, UNPLUG };

static const struct test_case cases[] = {
	{ .name = "unbound from its driver and bound again", .run = taken,
	  .needs = NEEDS_DEVICE, .seconds = 180, .parameter = &ways[0] },
	{ .name = "removed and found again", .run = taken,
	  .needs = NEEDS_DEVICE, .seconds = 180, .parameter = &ways[1] },
	{ .name = "unplugged and plugged in again", .run = taken,
	  .needs = NEEDS_PLUG, .seconds = 180, .parameter = &ways[2] },
	{ .name = "the program is killed while VFIO waits for it", .run = killed,
	  .needs = NEEDS_DEVICE, .seconds = 180 },
	{ .name = "one of two devices of a group", .run = member,
	  .needs = NEEDS_PAIR, .seconds = 180 },
	{ .name = "a device whose probe fails", .run = failed_probe,
	  .needs = NEEDS_PAIR | NEEDS_CONTAINER, .seconds = 180 },
};

const struct suite unplug_suite = { "unplug", cases, ARRAY_SIZE(cases) };
