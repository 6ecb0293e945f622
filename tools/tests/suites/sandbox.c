// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that have only open files or device files: in separate namespaces, as a container's
 * root, and with files that a broker has opened for them.
 */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

#define PAGE		WDM_PAGE_SIZE

/* First of the users of this suite: pinned memory is counted per user */
#define FIRST_USER	5000

#define LIMIT_PAGES	64

#define ROOM		"/tmp/sandbox"

static void become(uid_t user)
{
	const struct rlimit limit = { LIMIT_PAGES * PAGE, LIMIT_PAGES * PAGE };

	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limit));
	REQUIRE(!setgroups(0, NULL));
	REQUIRE(!setresgid(user, user, user));
	REQUIRE(!setresuid(user, user, user));
	/* Otherwise /proc/self belongs to root. */
	REQUIRE(!prctl(PR_SET_DUMPABLE, 1));
}

static int wait_for(pid_t child)
{
	int status;

	REQUIRE(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Wait for a child process, and end the case with its result. */
static noreturn void end_like(pid_t child)
{
	int status = wait_for(child);

	fflush(stdout);
	_exit(status < 0 ? TAP_FAIL : status);
}

/* Calls that expose physical addresses, or access memory that is not the program's */
static void check_refused(const struct fixture *fixture)
{
	const struct wdm_iommu_region region = {
		.start = ADDRESS, .length = PAGE, .should_map = 1,
	};
	const struct wdm_iommu_memory physical = {
		.type = WDM_IOMMU_MEMORY_PHYSICAL, .address = 0x100000, .length = PAGE,
	};
	const __u64 frame = 0x100;
	const struct wdm_iommu_memory frames = {
		.type = WDM_IOMMU_MEMORY_FRAMES, .address = caller(&frame), .length = PAGE,
	};
	const struct wdm_iommu_memory mdl = {
		.type = WDM_IOMMU_MEMORY_MDL, .mdl = fixture->mdl, .length = PAGE,
	};
	__u64 address = ADDRESS + 0x100000;
	__u32 domain;

	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_map_identity(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, PAGE));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_unmap_identity(fixture->fd, fixture->domain, fixture->mdl, 0, PAGE));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_map_ex(fixture->fd, fixture->domain, WDM_RW, &mdl, &address,
			  WDM_IOMMU_ADDRESS_IDENTITY, 0, 0));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_map_ex(fixture->fd, fixture->domain, WDM_RW, &physical, &address,
			  WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_map_ex(fixture->fd, fixture->domain, WDM_RW, &frames, &address,
			  WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_domain_create_ex(fixture->fd, WDM_IOMMU_TYPE_PASS_THROUGH, 0, NULL, 0,
				    &domain));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_domain_create_ex(fixture->fd, WDM_IOMMU_TYPE_TRANSLATE, 0, &region, 1,
				    &domain));
}

static __u32 pin(int fd, size_t pages, __u32 *mdl)
{
	return wdm_mdl_create(fd, get_pages(pages), pages * PAGE, WDM_RW, mdl);
}

/* Check that @pages can be pinned, and no more. */
static void check_limit(int fd, size_t pages)
{
	const struct rlimit more = { 2 * LIMIT_PAGES * PAGE, 2 * LIMIT_PAGES * PAGE };
	__u32 mdl, other;

	CHECK(setrlimit(RLIMIT_MEMLOCK, &more) == -1 && errno == EPERM);
	EXPECT(STATUS_WORKING_SET_QUOTA, pin(fd, pages + 1, &mdl));
	MUST(pin(fd, pages, &mdl));
	EXPECT(STATUS_WORKING_SET_QUOTA, pin(fd, 1, &other));
	MUST(wdm_destroy(fd, mdl));
	MUST(pin(fd, pages, &mdl));
	MUST(wdm_destroy(fd, mdl));
}

/* Use an open device with both kinds of domain. */
static void use(struct fixture *fixture, void *bar)
{
	__u32 os_managed, caller_managed;

	REQUIRE(probe_init(&fixture->probe, bar, fixture->arena, fixture->pages * PAGE));
	MUST(wdm_domain_create(fixture->fd, true, 0, &os_managed));
	fixture->domain = os_managed;
	MUST(map_pages(fixture, 0, 1, HOME_ADDRESS));
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, HOME_ADDRESS, fixture->arena));
	MUST(wdm_attach(fixture->fd, os_managed, fixture->device->handle));
	REQUIRE(probe_load(&fixture->probe, HOME_ADDRESS, fixture->arena));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, fixture->arena));
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, ADDRESS, page(fixture, 1)));
	MUST(map_pages(fixture, 1, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, ADDRESS, page(fixture, 1)));
	MUST(wdm_unmap(fixture->fd, os_managed, ADDRESS, PAGE));
	MUST(wdm_detach(fixture->fd, fixture->device->handle));

	MUST(wdm_domain_create(fixture->fd, false, 0, &caller_managed));
	fixture->domain = caller_managed;
	MUST(wdm_memory_add(fixture->fd, caller_managed, WDM_RW, fixture->mdl, 0, 0,
			    caller(fixture->arena)));
	MUST(wdm_attach(fixture->fd, caller_managed, fixture->device->handle));
	start_tables(fixture, &wdm_format_x64, 48);
	MUST(wdm_tables_configure(&fixture->tables, fixture->fd, caller_managed, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, fixture->arena));
	set_leaf(fixture, ADDRESS, page(fixture, 2));
	MUST(wdm_flush(fixture->fd, caller_managed, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, ADDRESS, page(fixture, 2)));
	MUST(wdm_detach(fixture->fd, fixture->device->handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, HOME_ADDRESS, fixture->arena));
	fixture->domain = os_managed;
}

#define ARENA_PAGES	(4 + TABLE_PAGES)

/**
 * struct handed - the device files in the sandbox, in addition to /dev/wdm_iommu
 * @shared: file of VFIO's containers, or of iommufd
 * @device: file of the device's group, or its cdev
 */
struct handed {
	const char *shared;
	char device[32];
};

static void find_files(struct handed *handed)
{
	struct wdm_error error;
	char link[32];
	ssize_t length;
	int fd;

	handed->shared = options.cdev ? "/dev/iommu" : "/dev/vfio/vfio";
	fd = options.cdev ? wdm_cdev_open(options.device.text, &error) :
			    wdm_group_open(wdm_pci_group(options.device.text), &error);
	REQUIRE(fd >= 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, handed->device, sizeof(handed->device) - 1);
	REQUIRE(length > 0);
	handed->device[length] = '\0';
	close(fd);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

/* Without sysfs: names of files, and the device's address, are arguments. */
static void run_inside(const struct handed *handed, size_t pinned_outside)
{
	struct wdm_vfio_fds fds = { sizeof(fds), -1, -1, -1, -1 };
	struct wdm_vfio_device *device;
	struct fixture fixture;
	struct wdm_error error;
	void *bar;

	CHECK(access("/sys", F_OK) && access("/proc", F_OK) && access("/dev/null", F_OK));
	CHECK(!getuid() && getpid() == 1);
	open_fixture(&fixture);
	check_limit(fixture.fd, LIMIT_PAGES - pinned_outside);
	open_arena(&fixture, ARENA_PAGES);
	*(options.cdev ? &fds.iommufd : &fds.container) = open_file(handed->shared);
	*(options.cdev ? &fds.device : &fds.group) = open_file(handed->device);
	device = wdm_vfio_open_fds(fixture.fd, &fds, options.device.text, &error);
	if (!device)
		tap_diag("%s", error.text);
	REQUIRE(device);
	fixture.device = device;
	bar = wdm_bar_map(device, 0, 0, 0, &error);
	REQUIRE(bar);
	use(&fixture, bar);
	check_refused(&fixture);
	check_limit(fixture.fd, LIMIT_PAGES - pinned_outside - ARENA_PAGES);
}

static void bind_file(const char *path)
{
	char target[128];

	snprintf(target, sizeof(target), ROOM "%s", path);
	REQUIRE(mknod(target, S_IFREG | 0600, 0) == 0);
	REQUIRE(!mount(path, target, NULL, MS_BIND, NULL));
}

/* Enter namespaces in which this user is root, and that contain only three files. */
static void enter_room(uid_t user, const struct handed *handed)
{
	char map[32];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID))
		skip("no user namespace: %s", strerror(errno));
	snprintf(map, sizeof(map), "0 %u 1", user);
	REQUIRE(write_text("/proc/self/setgroups", "deny"));
	REQUIRE(write_text("/proc/self/uid_map", map));
	REQUIRE(write_text("/proc/self/gid_map", map));
	REQUIRE(!mount("none", ROOM, "tmpfs", 0, NULL));
	REQUIRE(!mkdir(ROOM "/dev", 0700) && !mkdir(ROOM "/dev/vfio", 0700) &&
		!mkdir(ROOM "/dev/vfio/devices", 0700));
	bind_file("/dev/wdm_iommu");
	bind_file(handed->shared);
	bind_file(handed->device);
	REQUIRE(!chroot(ROOM) && !chdir("/"));
}

/* Give the user access to its files, as a container's manager does. */
static void hand_over(uid_t user, const struct handed *handed)
{
	REQUIRE(!chown("/dev/wdm_iommu", user, user));
	REQUIRE(!chown(handed->device, user, user));
	REQUIRE(!chmod(handed->shared, 0666));
	if (mkdir(ROOM, 0755))
		REQUIRE(errno == EEXIST);
}

static void keep_from(const struct handed *handed)
{
	REQUIRE(!chown("/dev/wdm_iommu", 0, 0) && !chown(handed->device, 0, 0));
}

static void namespaces(void)
{
	const uid_t user = FIRST_USER;
	long long pinned = pinned_pages();
	struct handed handed;
	int status;
	pid_t child;
	__u32 mdl;

	find_files(&handed);
	hand_over(user, &handed);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		int fd;

		become(user);
		/* Use up part of the limit outside of the sandbox. */
		fd = wdm_open();
		REQUIRE(fd >= 0);
		MUST(pin(fd, 8, &mdl));
		enter_room(user, &handed);
		/* The first process of the new namespace */
		child = fork();
		REQUIRE(child >= 0);
		if (!child) {
			close(fd);
			run_inside(&handed, 8);
			finish();
		}
		end_like(child);
	}
	status = wait_for(child);
	keep_from(&handed);
	CHECK(pins_are_back(pinned));
	if (status != TAP_PASS)
		_exit(status < 0 ? TAP_FAIL : status);
}

/* Files that a broker passes on: /dev/wdm_iommu, and the device; and the device's handle */
enum { FILE_WDM, FILE_DEVICE, FILES };

union control {
	char space[CMSG_SPACE(FILES * sizeof(int))];
	struct cmsghdr align;
};

static void send_files(int sock, const int files[FILES], __u32 handle)
{
	struct iovec data = { &handle, sizeof(handle) };
	union control control = { 0 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control.space, .msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(FILES * sizeof(int));
	memcpy(CMSG_DATA(header), files, FILES * sizeof(int));
	REQUIRE(sendmsg(sock, &message, 0) == sizeof(handle));
}

static void receive_files(int sock, int files[FILES], __u32 *handle)
{
	struct iovec data = { handle, sizeof(*handle) };
	union control control;
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control.space, .msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *header;

	REQUIRE(recvmsg(sock, &message, 0) == sizeof(*handle));
	header = CMSG_FIRSTHDR(&message);
	REQUIRE(header && header->cmsg_type == SCM_RIGHTS);
	memcpy(files, CMSG_DATA(header), FILES * sizeof(int));
}

/* Open everything with privileges, pass it on, and exit. */
static noreturn void run_broker(int sock)
{
	struct fixture fixture;
	struct wdm_error error;
	__u32 mdl;

	open_fixture(&fixture);
	fixture.device = wdm_vfio_open(fixture.fd, options.device.text, &error);
	REQUIRE(fixture.device);
	/* Its pins count for its own user. */
	MUST(pin(fixture.fd, LIMIT_PAGES, &mdl));
	send_files(sock, (int[FILES]) { fixture.fd, fixture.device->fd }, fixture.device->handle);
	finish();
}

/* Without privileges, cannot open anything; pins count for its own user. */
static noreturn void run_client(int sock)
{
	struct wdm_vfio_device *device = wdm__vfio_new();
	struct fixture fixture = { .device = device };
	struct wdm_error error;
	int files[FILES];
	void *bar;
	char byte;

	REQUIRE(device);

	become(FIRST_USER + 1);
	CHECK(wdm_open() == -1 && errno == EACCES);
	receive_files(sock, files, &device->handle);
	/* Wait for the exit of the broker. */
	REQUIRE(read(sock, &byte, 1) == 0);
	fixture.fd = files[FILE_WDM];
	device->fd = files[FILE_DEVICE];
	bar = wdm_bar_map(device, 0, 0, 0, &error);
	REQUIRE(bar);
	check_limit(fixture.fd, LIMIT_PAGES);
	open_arena(&fixture, ARENA_PAGES);
	CHECK_EQUAL(locked_memory(), ARENA_PAGES * PAGE);
	use(&fixture, bar);
	check_refused(&fixture);
	check_limit(fixture.fd, LIMIT_PAGES - ARENA_PAGES);
	finish();
}

static void broker(void)
{
	long long pinned = pinned_pages();
	pid_t server, client;
	int socks[2];

	REQUIRE(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks));
	server = fork();
	REQUIRE(server >= 0);
	if (!server) {
		close(socks[1]);
		run_broker(socks[0]);
	}
	client = fork();
	REQUIRE(client >= 0);
	if (!client) {
		close(socks[0]);
		run_client(socks[1]);
	}
	close(socks[0]);
	close(socks[1]);
	CHECK_EQUAL(wait_for(server), 0);
	CHECK_EQUAL(wait_for(client), 0);
	CHECK(pins_are_back(pinned));
}

static const struct test_case cases[] = {
	{ .name = "a container with three device files", .run = namespaces,
	  .needs = NEEDS_DEVICE },
	{ .name = "files that a broker has opened", .run = broker,
	  .needs = NEEDS_DEVICE },
};

const struct suite sandbox_suite = { "sandbox", cases, ARRAY_SIZE(cases) };
