// SPDX-License-Identifier: GPL-2.0
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * Limits of pinned memory and of kernel memory: RLIMIT_MEMLOCK of the user, across
 * processes, exec() and files.
 */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "suites.h"
#include "fixture.h"

#define PAGE		WDM_PAGE_SIZE

/* First of the unprivileged users, one per case, so that counts do not mix */
#define FIRST_USER	4000

/* RLIMIT_MEMLOCK in pages, and the share that a process pins at a time */
#define LIMIT_PAGES	64
#define SHARE_PAGES	16
#define SHARES		(LIMIT_PAGES / SHARE_PAGES)

static void become(uid_t user)
{
	const struct rlimit limit = { LIMIT_PAGES * PAGE, LIMIT_PAGES * PAGE };

	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limit));
	REQUIRE(!setgroups(0, NULL));
	REQUIRE(!setresgid(user, user, user));
	REQUIRE(!setresuid(user, user, user));
}

static int open_file(void)
{
	int fd = wdm_open();

	REQUIRE(fd >= 0);
	return fd;
}

static __u32 pin_share(int fd, __u32 *mdl)
{
	return wdm_mdl_create(fd, get_pages(SHARE_PAGES), SHARE_PAGES * PAGE, WDM_RW, mdl);
}

/* Pin shares until one exceeds the limit. */
static unsigned int pin_shares(int fd)
{
	unsigned int pinned = 0;
	__u32 status, mdl;

	while (!(status = pin_share(fd, &mdl)))
		pinned++;
	CHECK_EQUAL(status, STATUS_WORKING_SET_QUOTA);
	return pinned;
}

static int exit_status(pid_t child)
{
	int status;

	REQUIRE(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Exit status of the child: 0 if it pins a share, 1 if that is refused, 2 if a check fails */
static int pin_in_child(int fd)
{
	pid_t child = fork();
	__u32 status, mdl;
	bool good;

	REQUIRE(child >= 0);
	if (!child) {
		status = pin_share(fd, &mdl);
		if (!status)
			good = CHECK_EQUAL(locked_memory(), SHARE_PAGES * PAGE);
		else
			good = CHECK_EQUAL(status, STATUS_WORKING_SET_QUOTA);
		if (!good)
			_exit(2);
		_exit(status ? 1 : 0);
	}
	return exit_status(child);
}

/* Children pin into their parent's file, and exit. */
static void children(void)
{
	int file = open_file(), other = open_file();
	unsigned int pinned = 0;

	become(FIRST_USER);
	for (unsigned int i = 0; i < 40; i++) {
		int result = pin_in_child(file);

		CHECK(result == 0 || result == 1);
		pinned += !result;
		CHECK_EQUAL(locked_memory(), 0);
	}
	CHECK_EQUAL(pinned, SHARES);
	CHECK_EQUAL(pin_shares(other), 0);
	close(file);
	CHECK_EQUAL(pin_shares(other), SHARES);
	CHECK_EQUAL(locked_memory(), LIMIT_PAGES * PAGE);
	close(other);
	CHECK_EQUAL(locked_memory(), 0);
}

#define EXEC_FD		"WDM_E2E_EXEC_FD"
#define EXEC_LEFT	"WDM_E2E_EXEC_LEFT"
#define EXEC_PINNED	"WDM_E2E_EXEC_PINNED"

static unsigned int number_of(const char *name)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 10) : 0;
}

static void set_number(const char *name, unsigned int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	REQUIRE(!setenv(name, text, 1));
}

static noreturn void exec_self(void)
{
	execl("/proc/self/exe", EXEC_NAME, (char *)NULL);
	_exit(255);
}

/* Pin a share and execute this program again, some times; exits with the number of shares. */
int exec_main(void)
{
	unsigned int left = number_of(EXEC_LEFT), pinned = number_of(EXEC_PINNED);
	int fd = number_of(EXEC_FD);
	__u32 mdl;

	if (locked_memory())
		return 254;
	if (!left)
		return pinned;
	pinned += !pin_share(fd, &mdl);
	set_number(EXEC_LEFT, left - 1);
	set_number(EXEC_PINNED, pinned);
	exec_self();
}

static void exec(void)
{
	int file = open_file(), other = open_file();
	pid_t child;

	become(FIRST_USER + 1);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		REQUIRE(!fcntl(file, F_SETFD, 0));
		set_number(EXEC_FD, file);
		set_number(EXEC_LEFT, 30);
		set_number(EXEC_PINNED, 0);
		exec_self();
	}
	CHECK_EQUAL(exit_status(child), SHARES);
	CHECK_EQUAL(pin_shares(other), 0);
	close(file);
	CHECK_EQUAL(pin_shares(other), SHARES);
}

/* Capabilities in a user namespace do not lift the user's limits. */
static void user_namespace(void)
{
	int file = open_file();

	become(FIRST_USER + 2);
	if (unshare(CLONE_NEWUSER))
		skip("no user namespace: %s", strerror(errno));
	CHECK_EQUAL(pin_shares(file), SHARES);
}

/* Pass a file descriptor through a socket. */
static void send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 }, byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	REQUIRE(sendmsg(socket, &message, 0) == 1);
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	REQUIRE(recvmsg(socket, &message, 0) == 1);
	header = CMSG_FIRSTHDR(&message);
	REQUIRE(header && header->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Pins count for the user that makes them, not for those that open and close the file. */
static void passed_on(void)
{
	int sockets[2], file, other, status;
	pid_t child;
	__u32 mdl;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		skip("no sockets: %s", strerror(errno));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		become(FIRST_USER + 3);
		file = receive_fd(sockets[1]);
		CHECK_EQUAL(pin_shares(file), SHARES);
		CHECK_EQUAL(locked_memory(), LIMIT_PAGES * PAGE);
		close(file);
		CHECK_EQUAL(locked_memory(), LIMIT_PAGES * PAGE);
		finish();
	}
	file = open_file();
	other = open_file();
	send_fd(sockets[0], file);
	status = exit_status(child);
	CHECK_EQUAL(status, 0);
	CHECK_EQUAL(locked_memory(), 0);
	/* That user has no share left; another user has. */
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		become(FIRST_USER + 3);
		EXPECT(STATUS_WORKING_SET_QUOTA, pin_share(other, &mdl));
		close(file);
		finish();
	}
	CHECK_EQUAL(exit_status(child), 0);
	close(file);
	become(FIRST_USER + 3);
	CHECK_EQUAL(pin_shares(other), SHARES);
}

/* The last close, in another user's process, uncharges what this one has pinned. */
static void closed_by_another(void)
{
	int file = open_file(), other = open_file(), go[2];
	pid_t child;
	char byte;

	REQUIRE(!pipe(go));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		become(FIRST_USER + 5);
		close(go[1]);
		CHECK(read(go[0], &byte, 1) == 0);
		close(file);
		finish();
	}
	become(FIRST_USER + 4);
	CHECK_EQUAL(pin_shares(file), SHARES);
	close(file);
	CHECK_EQUAL(pin_shares(other), 0);
	close(go[1]);
	CHECK_EQUAL(exit_status(child), 0);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK_EQUAL(pin_shares(other), SHARES);
}

/* Well above the limit of a file that has pinned nothing */
#define BOUND		(8ULL << 20)

static bool is_bounded(unsigned long long before)
{
	return kernel_memory_is_below(before + BOUND);
}

#define MANY_OBJECTS	200000

static void domains_without_end(void)
{
	bool os_managed = parameter();
	unsigned long long before;
	unsigned int number = 0;
	__u32 status, domain, first = 0;
	int file = open_file();

	become(FIRST_USER + 6);
	before = kernel_memory();
	do {
		status = wdm_domain_create(file, os_managed, 0, &domain);
		if (!number)
			first = domain;
	} while (!status && number++ < MANY_OBJECTS);
	tap_diag("%u domains", number);
	CHECK_EQUAL(status, STATUS_WORKING_SET_QUOTA);
	CHECK_EQUAL(errno, wdm_status_errno(STATUS_WORKING_SET_QUOTA));
	CHECK(number > 32);
	CHECK(is_bounded(before));
	/* After a destroy, another one can be created. */
	MUST(wdm_destroy(file, first));
	MUST(wdm_domain_create(file, os_managed, 0, &domain));
}

static const bool yes = true;

static void mdls_without_end(void)
{
	void *memory = get_pages(1);
	unsigned long long before;
	unsigned int number = 0;
	int file = open_file();
	__u32 status, mdl;

	become(FIRST_USER + 7);
	before = kernel_memory();
	do {
		status = wdm_mdl_create(file, memory, PAGE, WDM_RW, &mdl);
	} while (!status && number++ < MANY_OBJECTS);
	CHECK_EQUAL(status, STATUS_WORKING_SET_QUOTA);
	CHECK_EQUAL(number, LIMIT_PAGES);
	CHECK(is_bounded(before));
}

/* Maps and unmaps are fully uncharged. */
static void budget_comes_back(void)
{
	int file = open_file();
	__u32 domain, mdl;
	void *memory;

	become(FIRST_USER + 8);
	memory = get_pages(SHARE_PAGES);
	for (unsigned int i = 0; i < 3000; i++) {
		MUST(wdm_domain_create(file, i % 2, 0, &domain));
		MUST(wdm_mdl_create(file, memory, SHARE_PAGES * PAGE, WDM_RW, &mdl));
		if (i % 2)
			MUST(wdm_map(file, domain, WDM_RW, mdl, 0, 0, ADDRESS));
		else
			MUST(wdm_memory_add(file, domain, WDM_RW, mdl, 0, 0, ADDRESS));
		MUST(wdm_destroy(file, domain));
		MUST(wdm_destroy(file, mdl));
	}
}

/* Limit of all files of a user, with RLIMIT_MEMLOCK used up, plus a margin */
#define USER_BOUND	((16ULL << 20) + 4 * LIMIT_PAGES * PAGE + BOUND)
#define MANY_FILES	64

/*
 * Fill a file with all that its user can pin, then unpin it. Caller-managed domains consist
 * of few large objects: debug options make small ones several times as large.
 */
static __u32 fill_file(int file)
{
	__u32 mdl, domain, status;

	MUST(wdm_mdl_create(file, get_pages(LIMIT_PAGES), LIMIT_PAGES * PAGE, WDM_RW, &mdl));
	while (!(status = wdm_domain_create(file, false, 0, &domain)))
		;
	MUST(wdm_destroy(file, mdl));
	return status;
}

static void use_many_files(void)
{
	unsigned long long before;
	int files[MANY_FILES], nr;
	__u32 domain;

	become(FIRST_USER + 9);
	before = kernel_memory();
	for (nr = 0; nr < MANY_FILES; nr++) {
		files[nr] = wdm_open();
		if (files[nr] < 0)
			break;
		CHECK_EQUAL(fill_file(files[nr]), STATUS_WORKING_SET_QUOTA);
	}
	tap_diag("%d files", nr);
	CHECK(nr == MANY_FILES || errno == ENOMEM);
	CHECK(kernel_memory_is_below(before + USER_BOUND));
	EXPECT(STATUS_WORKING_SET_QUOTA, wdm_domain_create(files[0], false, 0, &domain));
	while (nr)
		close(files[--nr]);
	files[0] = open_file();
	CHECK_EQUAL(fill_file(files[0]), STATUS_WORKING_SET_QUOTA);
	CHECK(is_bounded(before));
}

/* A user with many files can take more than with one, but not in proportion. */
static void many_files(void)
{
	struct stat node;
	pid_t child;
	int status;

	REQUIRE(!stat(WDM_IOMMU_PATH, &node) && !chmod(WDM_IOMMU_PATH, 0666));
	child = fork();
	if (!child) {
		use_many_files();
		finish();
	}
	REQUIRE(child > 0);
	status = exit_status(child);
	CHECK(!chmod(WDM_IOMMU_PATH, node.st_mode & 07777));
	CHECK_EQUAL(status, 0);
}

#define ALIASES		16384U

/* Pin one page until the kernel's count of pins is half full. */
static void pinned_too_often(void)
{
	long long before = pinned_pages();
	struct fixture fixture;
	unsigned int number = 0;
	char *memory;
	__u32 status, mdl, last = 0;
	int fd;

	open_fixture(&fixture);
	fd = memfd_create("wdm-e2e", MFD_CLOEXEC);
	REQUIRE(fd >= 0 && !ftruncate(fd, PAGE));
	memory = mmap(NULL, ALIASES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	for (unsigned int i = 0; i < ALIASES; i++)
		REQUIRE(mmap(memory + i * PAGE, PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) != MAP_FAILED);
	do {
		status = wdm_mdl_create(fixture.fd, memory, ALIASES * PAGE, WDM_RW, &mdl);
		if (!status)
			last = mdl;
	} while (!status && ++number < (1U << 22) / ALIASES);
	tap_diag("%u pins", number * ALIASES);
	CHECK_EQUAL(status, STATUS_INSUFFICIENT_RESOURCES);
	CHECK(number * ALIASES > 500000);
	/* Other memory is not affected. */
	open_arena(&fixture, 4);
	MUST(wdm_destroy(fixture.fd, last));
	MUST(wdm_mdl_create(fixture.fd, memory, PAGE, WDM_RW, &mdl));
	close(fixture.fd);
	CHECK(pins_are_back(before));
}

#define CGROUP		"/sys/fs/cgroup/wdm-e2e"
#define CGROUP_BYTES	(24U << 20)

/* Ways to make the kernel allocate until a call fails; they return the last status. */
static __u32 many_domains(int file)
{
	__u32 status, domain = 0;

	while (!(status = wdm_domain_create(file, domain % 2, 0, &domain)))
		;
	return status;
}

static __u32 many_mdls(int file)
{
	void *memory = get_pages(1);
	__u32 status, mdl;

	while (!(status = wdm_mdl_create(file, memory, PAGE, WDM_RW, &mdl)))
		;
	return status;
}

static __u32 much_pinned(int file)
{
	__u32 status, mdl;

	while (!(status = wdm_mdl_create(file, get_pages(512), 512 * PAGE, WDM_RW, &mdl)))
		;
	return status;
}

/* A page every 2 MiB, so that each needs separate tables */
static __u32 many_tables(int file)
{
	__u64 address = HUGE_PAGE_SIZE;
	__u32 status, domain, mdl;

	MUST(wdm_domain_create(file, true, 0, &domain));
	MUST(wdm_mdl_create(file, get_pages(1), PAGE, WDM_RW, &mdl));
	while (!(status = wdm_map(file, domain, WDM_RW, mdl, 0, 0, address)))
		address += HUGE_PAGE_SIZE;
	return status;
}

static __u32 much_caller_memory(int file)
{
	__u64 address = HUGE_PAGE_SIZE;
	__u32 status, domain, mdl;

	MUST(wdm_domain_create(file, false, 0, &domain));
	MUST(wdm_mdl_create(file, get_pages(1), PAGE, WDM_RW, &mdl));
	while (!(status = wdm_memory_add(file, domain, WDM_RW, mdl, 0, 0, address)))
		address += HUGE_PAGE_SIZE;
	return status;
}

/* Without other limits, the cgroup's applies: the call fails, or its process is killed. */
static void allocate_in_cgroup(void)
{
	static __u32 (*const ways[])(int file) = {
		many_domains, many_mdls, much_pinned, many_tables, much_caller_memory,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		pid_t child = fork();
		int status;

		REQUIRE(child >= 0);
		if (!child) {
			REQUIRE(write_text(CGROUP "/cgroup.procs", "0"));
			EXPECT(STATUS_INSUFFICIENT_RESOURCES, ways[i](open_file()));
			finish();
		}
		REQUIRE(waitpid(child, &status, 0) == child);
		if (WIFSIGNALED(status))
			CHECK_EQUAL(WTERMSIG(status), SIGKILL);
		else
			CHECK_EQUAL(WEXITSTATUS(status), 0);
		tap_diag("way %zu: %s", i, WIFSIGNALED(status) ? "killed" : "failed");
	}
}

static void limited_cgroup(void)
{
	long long pinned = pinned_pages();
	unsigned long long before;
	char limit[16];

	if (!write_text("/sys/fs/cgroup/cgroup.subtree_control", "+memory") ||
	    (mkdir(CGROUP, 0755) && errno != EEXIST))
		skip("no memory cgroup: %s", strerror(errno));
	snprintf(limit, sizeof(limit), "%u", CGROUP_BYTES);
	REQUIRE(write_text(CGROUP "/memory.max", limit));
	/* KASAN's quarantine keeps much of the memory that the first round frees. */
	allocate_in_cgroup();
	before = kernel_memory();
	allocate_in_cgroup();
	CHECK(is_bounded(before));
	/* Killed processes may still be exiting, and the next case counts pins, too. */
	CHECK(pins_are_back(pinned));
	CHECK(!rmdir(CGROUP));
}

static const struct test_case cases[] = {
	{ .name = "children that pin and exit", .run = children },
	{ .name = "exec() with the file open", .run = exec },
	{ .name = "capabilities of a user namespace", .run = user_namespace },
	{ .name = "a file that is passed on", .run = passed_on },
	{ .name = "a file that another user closes", .run = closed_by_another },
	{ .name = "OS-managed domains without end", .run = domains_without_end,
	  .parameter = &yes },
	{ .name = "caller-managed domains without end", .run = domains_without_end },
	{ .name = "MDLs without end", .run = mdls_without_end },
	{ .name = "objects that come and go", .run = budget_comes_back, .seconds = 180 },
	{ .name = "many files of a user", .run = many_files, .seconds = 180 },
	{ .name = "a cgroup's limit", .run = limited_cgroup, .seconds = 900 },
	{ .name = "a page that is pinned too often", .run = pinned_too_often, .seconds = 180 },
};

const struct suite limits_suite = { "limits", cases, ARRAY_SIZE(cases) };
