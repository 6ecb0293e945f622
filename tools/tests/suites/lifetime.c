// SPDX-License-Identifier: GPL-2.0
/*
 * Files closed in any order, processes killed, devices revoked: DMA works exactly as long as it
 * should, and all resources are freed.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "suites.h"
#include "fixture.h"

#define PAGE	WDM_PAGE_SIZE

/* The four files */
enum file {
	FILE_WDM,
	FILE_CONTAINER,
	FILE_GROUP,
	FILE_DEVICE,
	FILES
};

static void close_file(struct fixture *fixture, enum file file)
{
	switch (file) {
	case FILE_WDM:
		close(fixture->fd);
		break;
	case FILE_CONTAINER:
		close(fixture->device->container);
		fixture->device->container = -1;
		break;
	case FILE_GROUP:
		close(fixture->device->group);
		fixture->device->group = -1;
		break;
	default:
		/* A mapping of the BAR is a reference, too. */
		wdm_bar_unmap(fixture->device, 0);
		close(fixture->device->fd);
		fixture->device->fd = -1;
	}
}

/* VFIO owns the group as long as its file or the device's is open. */
static void check_files(struct fixture *fixture, const bool open[FILES])
{
	bool has_group = open[FILE_GROUP] || open[FILE_DEVICE];
	bool attached = open[FILE_WDM] && has_group;

	if (open[FILE_WDM])
		CHECK_EQUAL(query(fixture->fd, fixture->domain).devices, attached);
	else
		CHECK_EQUAL(locked_memory(), 0);
	if (open[FILE_DEVICE])
		EXPECT_DMA(attached ? DMA_ARRIVED : DMA_BLOCKED,
			   write_to(fixture, ADDRESS, page(fixture, 1)));
	if (open[FILE_WDM] && !has_group)
		EXPECT(STATUS_DEVICE_REMOVED,
		       wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
}

static void close_in_order(const unsigned int order[FILES])
{
	bool open[FILES] = { true, true, true, true };
	long long pinned = pinned_pages();
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	for (unsigned int i = 0; i < FILES; i++) {
		close_file(&fixture, order[i]);
		open[order[i]] = false;
		if (i + 1 < FILES)
			check_files(&fixture, open);
	}
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
	probe_free(&fixture.probe);
	munmap(fixture.arena, 2 * PAGE);
}

static void orders(void)
{
	in_every_order("WCGD", close_in_order);
}

/* Without any detach, unmap or delete, and caller-managed */
static void close_caller_managed(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;

	open_caller_managed(&fixture, 2, parameter());
	REQUIRE(wdm_tables_map(&fixture.tables, ADDRESS, caller(page(&fixture, 1)), WDM_LEVEL_4K,
			       WDM_RW));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	close(fixture.fd);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* Closing the file during a transfer: it ends before, or is blocked. */
static void close_during_transfer(void)
{
	struct fixture fixture;
	unsigned char copy[PAGE];

	open_os_managed(&fixture, 2, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	wdm_edu_start(fixture.probe.bar0, ADDRESS, 0, PROBE_BYTES, true);
	close(fixture.fd);
	memcpy(copy, page(&fixture, 1), PAGE);
	REQUIRE(wdm_edu_wait(fixture.probe.bar0));
	CHECK(!memcmp(copy, page(&fixture, 1), PAGE));
}

/* Check that the device is free for us, and for vfio_iommu_type1 if it is loaded. */
static void check_available(void)
{
	struct wdm_error error;
	struct fixture fixture;
	int container, group, number;

	open_os_managed(&fixture, 1, 0);
	close(fixture.fd);
	probe_free(&fixture.probe);
	number = fixture.device->group_number;
	wdm_vfio_close(fixture.device);

	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) == 1) {
		group = wdm_group_open(number, &error);
		REQUIRE(group >= 0 && wdm_container_add(container, group, &error));
		CHECK(!ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
		/* Our backend is set for another container, not for this one. */
		EXPECT(WDM_STATUS_NONE, wdm_vfio_bind(container, container));
		close(group);
	}
	close(container);
}

/* Start a child that opens and attaches everything, and then reports. */
static pid_t start_child(void (*open)(struct fixture *fixture))
{
	int ready[2];
	pid_t child;
	char byte;

	REQUIRE(!pipe(ready));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		struct fixture fixture;

		open(&fixture);
		REQUIRE(write(ready[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return child;
}

static void child_os_managed(struct fixture *fixture)
{
	open_os_managed(fixture, 64, 0);
	MUST(map_pages(fixture, 1, 63, ADDRESS));
}

static void child_caller_managed(struct fixture *fixture)
{
	open_caller_managed(fixture, 64, &wdm_format_x64);
}

static void killed(void)
{
	void (*const children[])(struct fixture *fixture) = {
		child_os_managed, child_caller_managed
	};

	for (unsigned int i = 0; i < 4; i++) {
		long long pinned = pinned_pages();
		pid_t child = start_child(children[i % 2]);

		kill(child, SIGKILL);
		REQUIRE(waitpid(child, NULL, 0) == child);
		CHECK(pins_are_back(pinned));
		check_available();
	}
}

static void unset_container(void)
{
	struct wdm_error error;
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	/* Not while the device is open */
	CHECK(ioctl(fixture.device->group, VFIO_GROUP_UNSET_CONTAINER) == -1);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	close_file(&fixture, FILE_DEVICE);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 1);
	CHECK(!ioctl(fixture.device->group, VFIO_GROUP_UNSET_CONTAINER));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 0);
	EXPECT(STATUS_DEVICE_REMOVED,
	       wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_detach(fixture.fd, fixture.device->handle));

	/* Add the group again; the old handle is invalid, a new one works. */
	REQUIRE(wdm_container_add(fixture.device->container, fixture.device->group, &error));
	REQUIRE(wdm_container_bind(fixture.device->container, fixture.fd, &error));
	REQUIRE(wdm__vfio_get(fixture.device, options.device.text, &error));
	fixture.probe.bar0 = wdm_bar_map(fixture.device, 0, 0, 0, &error);
	REQUIRE(fixture.probe.bar0);
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	MUST(wdm_device_create(fixture.fd, &fixture.device->address, &fixture.device->handle,
			       NULL));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	REQUIRE(probe_load(&fixture.probe, HOME_ADDRESS, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

/* A container survives the file to which it is bound, and can be bound to another. */
static void tie_again(void)
{
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	close(fixture.fd);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	fixture.fd = wdm_open();
	REQUIRE(fixture.fd >= 0);
	MUST(wdm_vfio_bind(fixture.device->container, fixture.fd));
	MUST(wdm_device_create(fixture.fd, &fixture.device->address, &fixture.device->handle,
			       NULL));
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(wdm_mdl_create(fixture.fd, fixture.arena, 2 * PAGE, WDM_RW, &fixture.mdl));
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

static void unbind(void)
{
	struct pollfd request = { .events = POLLIN };
	struct fixture fixture;
	pid_t child;
	int status, start;

	child = start_unbind(&start);
	open_os_managed(&fixture, 2, 0);
	request.fd = request_eventfd(fixture.device);
	REQUIRE(write(start, "x", 1) == 1);
	REQUIRE(poll(&request, 1, 30000) == 1);
	CHECK(waitpid(child, &status, WNOHANG) == 0);
	close_file(&fixture, FILE_DEVICE);
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	/* None of this may hang or crash; the device is gone, or its group is in use. */
	wdm_attach(fixture.fd, fixture.domain, fixture.device->handle);
	wdm_detach(fixture.fd, fixture.device->handle);
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	close(fixture.device->group);
	close(fixture.device->container);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).devices, 0);
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(write_text("/sys/bus/pci/drivers_probe", options.device.text));
	CHECK(wdm_pci_has_vfio_driver(options.device.text));
	check_available();
}

static bool can_be_removed(void)
{
	return !syscall(SYS_delete_module, "wdm_iommu", O_NONBLOCK);
}

/* rmmod fails only while something uses the module. */
static void rmmod(void)
{
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	if (can_be_removed()) {
		CHECK(!"the module went away with everything open");
		finish();
	}
	if (errno != EWOULDBLOCK && errno != EBUSY)
		skip("the module cannot be removed at all: %s", strerror(errno));
	close_file(&fixture, FILE_DEVICE);
	close_file(&fixture, FILE_CONTAINER);
	close_file(&fixture, FILE_GROUP);
	/* Only /dev/wdm_iommu is open. */
	CHECK(!can_be_removed());
	close(fixture.fd);

	/* Only the container */
	open_os_managed(&fixture, 2, 0);
	close(fixture.fd);
	CHECK(!can_be_removed());
	close_file(&fixture, FILE_DEVICE);
	CHECK(!can_be_removed());
}

static void many_times(void)
{
	time_t end = time(NULL) + 20;
	long long pinned = pinned_pages();

	/* With all debug options, each takes half a second and more. */
	for (unsigned int i = 0; i < 50 && (i < 10 || time(NULL) < end); i++) {
		struct fixture fixture;

		open_fixture(&fixture);
		open_arena(&fixture, 16);
		open_device(&fixture);
		MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
		MUST(map_pages(&fixture, 0, 16, ADDRESS));
		MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
		if (i % 2)
			close(fixture.fd);
		probe_free(&fixture.probe);
		wdm_vfio_close(fixture.device);
		if (i % 2 == 0)
			close(fixture.fd);
		munmap(fixture.arena, 16 * PAGE);
		CHECK_EQUAL(locked_memory(), 0);
	}
	CHECK(pins_are_back(pinned));
}

static const struct test_case cases[] = {
	{ .name = "files closed in every order", .run = orders,
	  .needs = NEEDS_DEVICE | NEEDS_CONTAINER,
	  .seconds = 180 },
	{ .name = "a caller-managed domain, closed", .run = close_caller_managed,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "closed during a transfer", .run = close_during_transfer,
	  .needs = NEEDS_DEVICE },
	{ .name = "a process that is killed", .run = killed, .needs = NEEDS_DEVICE },
	{ .name = "a group that leaves its container", .run = unset_container,
	  .needs = NEEDS_DEVICE | NEEDS_CONTAINER },
	{ .name = "a container that gets another file", .run = tie_again,
	  .needs = NEEDS_DEVICE | NEEDS_CONTAINER },
	{ .name = "a device that is unbound from its driver", .run = unbind,
	  .needs = NEEDS_DEVICE },
	{ .name = "the module cannot go while it is used", .run = rmmod,
	  .needs = NEEDS_DEVICE | NEEDS_CONTAINER },
	{ .name = "many times", .run = many_times, .needs = NEEDS_DEVICE },
};

const struct suite lifetime_suite = { "lifetime", cases, ARRAY_SIZE(cases) };
