// SPDX-License-Identifier: GPL-2.0
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * User memory that stalls: while a call waits for a page of its argument, other
 * calls run, VFIO revokes the group, and the file is closed.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>

#include "ioctl_table.h"
#include "suites.h"

#define PAGE		WDM_PAGE_SIZE

/* Long enough for a busy machine, and far shorter than a stall */
#define WAIT_SECONDS	20

/**
 * struct stall - memory whose first access stalls
 * @fd: the userfaultfd
 * @memory: its pages, each of which stalls until resolve()
 * @pages: number of pages
 */
struct stall {
	int fd;
	unsigned char *memory;
	size_t pages;
};

static void open_stall(struct stall *stall, size_t pages)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	stall->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (stall->fd < 0)
		skip("no userfaultfd: %s", strerror(errno));
	REQUIRE(!ioctl(stall->fd, UFFDIO_API, &api));
	stall->pages = pages;
	stall->memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(stall->memory != MAP_FAILED);
	range.range.start = caller(stall->memory);
	range.range.len = pages * PAGE;
	REQUIRE(!ioctl(stall->fd, UFFDIO_REGISTER, &range));
}

/* Put a page in place. */
static void resolve(struct stall *stall, size_t number, const void *data)
{
	struct uffdio_copy copy = {
		.dst = caller(stall->memory + number * PAGE),
		.src = caller(data),
		.len = PAGE,
	};

	REQUIRE(!ioctl(stall->fd, UFFDIO_COPY, &copy));
}

/* Wait for a stalled access; false if the call ends without one. */
static bool wait_for_stall(const struct stall *stall, const bool *done)
{
	struct pollfd poll_fd = { .fd = stall->fd, .events = POLLIN };
	time_t end = time(NULL) + WAIT_SECONDS;

	while (time(NULL) <= end && !__atomic_load_n(done, __ATOMIC_ACQUIRE)) {
		struct uffd_msg message;

		if (poll(&poll_fd, 1, 50) == 1 &&
		    read(stall->fd, &message, sizeof(message)) == sizeof(message) &&
		    message.event == UFFD_EVENT_PAGEFAULT)
			return true;
	}
	return false;
}

/* A call in a separate thread */
struct stalled_call {
	const struct ioctl_case *call;
	struct ioctl_objects *objects;
	union argument *argument;
	pthread_t thread;
	bool done;
};

static void *make_call(void *data)
{
	struct stalled_call *stalled = data;

	ioctl(stalled->objects->fixture.fd, stalled->call->request, stalled->argument);
	__atomic_store_n(&stalled->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* During a stalled call, others proceed, and the group can be revoked. */
static void check_others(struct ioctl_objects *objects)
{
	struct fixture *fixture = &objects->fixture;
	double start = seconds_now();
	__u32 domain;

	MUST(wdm_domain_create(fixture->fd, true, 0, &domain));
	MUST(wdm_destroy(fixture->fd, domain));
	MUST(wdm_map(fixture->fd, objects->os, WDM_RW, fixture->mdl, 0, PAGE, 0x7f00000));
	MUST(wdm_unmap(fixture->fd, objects->os, 0x7f00000, PAGE));
	query(fixture->fd, objects->caller);
	MUST(wdm_attach(fixture->fd, objects->os, objects->device));
	take_back(fixture->device);
	CHECK_EQUAL(query(fixture->fd, objects->os).devices, 0);
	CHECK(seconds_now() - start < WAIT_SECONDS);
}

/* Find a pointer in the argument of a call. */
static __u64 *pointer_of(unsigned long request, union argument *argument)
{
	switch (request) {
	case WDM_IOMMU_BATCH:
		return (__u64 *)&argument->batch.ops;
	case WDM_IOMMU_FLUSH_VA_LIST:
		return (__u64 *)&argument->flush_va_list.va_list;
	case WDM_IOMMU_QUERY_MAPPINGS:
		return (__u64 *)&argument->query_mappings.mappings;
	case WDM_IOMMU_QUERY_RANGES:
		return (__u64 *)&argument->query_ranges.ranges;
	case WDM_IOMMU_DOMAIN_CREATE_EX:
		return (__u64 *)&argument->domain_create_ex.regions;
	case WDM_IOMMU_MDL_CREATE:
		return (__u64 *)&argument->mdl_create.user_va;
	case WDM_IOMMU_MAP_USER:
		return (__u64 *)&argument->map_user.user_va;
	default:
		return NULL;
	}
}

/* Its argument, or what the argument points to, stalls; then the file is closed. */
static void stall_call(const struct ioctl_case *call, bool pointer)
{
	alignas(PAGE) unsigned char data[PAGE] = { 0 };
	struct ioctl_objects objects;
	union argument argument;
	struct stall stall;
	struct stalled_call stalled = { .call = call, .objects = &objects };

	open_objects(&objects, false);
	open_device(&objects.fixture);
	objects.device = objects.fixture.device->handle;
	open_stall(&stall, 2);
	prepare_call(call, &objects, &argument);
	if (pointer) {
		__u64 *member = pointer_of(call->request, &argument);

		if (call->request == WDM_IOMMU_BATCH || call->request == WDM_IOMMU_FLUSH_VA_LIST)
			memcpy(data, (void *)(uintptr_t)*member, sizeof(__u64));
		*member = caller(stall.memory);
		stalled.argument = &argument;
	} else {
		memcpy(data, &argument, sizeof(argument));
		stalled.argument = (union argument *)stall.memory;
	}
	REQUIRE(!pthread_create(&stalled.thread, NULL, make_call, &stalled));
	if (wait_for_stall(&stall, &stalled.done)) {
		check_others(&objects);
		/* The call keeps the file open, and nothing else waits for the call. */
		close(objects.fixture.fd);
		resolve(&stall, 0, data);
		if (!stalled.done && wait_for_stall(&stall, &stalled.done))
			resolve(&stall, 1, data);
	} else {
		/* On an older kernel, a pin does not wait for such memory. */
		CHECK(stalled.done);
		check_others(&objects);
		close(objects.fixture.fd);
	}
	pthread_join(stalled.thread, NULL);
	CHECK_EQUAL(locked_memory(), 0);
	probe_free(&objects.fixture.probe);
	munmap(objects.fixture.arena, FIXTURE_PAGES * PAGE);
	munmap(stall.memory, stall.pages * PAGE);
	close(stall.fd);
}

/* One call of each kind that takes a pointer, and one that does not */
static bool is_worth_it(const struct ioctl_case *call)
{
	return call->request == WDM_IOMMU_MAP || call->request == WDM_IOMMU_FLUSH;
}

static void arguments(void)
{
	for (size_t i = 0; i < number_of_ioctls; i++) {
		if (is_worth_it(&ioctl_table[i])) {
			tap_diag("%s", ioctl_table[i].name);
			stall_call(&ioctl_table[i], false);
		}
	}
}

static void pointers(void)
{
	union argument argument;

	for (size_t i = 0; i < number_of_ioctls; i++) {
		if (pointer_of(ioctl_table[i].request, &argument)) {
			tap_diag("%s", ioctl_table[i].name);
			stall_call(&ioctl_table[i], true);
		}
	}
}

/* On an older kernel, a pin fails instead of waiting for such memory. */
static bool may_not_stall(const struct ioctl_case *call)
{
	return call->request == WDM_IOMMU_MDL_CREATE || call->request == WDM_IOMMU_MAP_USER;
}

/* Make the call in a thread, report through the pipe that it stalls or is done, and wait. */
static noreturn void stall_until_killed(const struct ioctl_case *call, int report)
{
	struct ioctl_objects objects;
	union argument argument;
	struct stall stall;
	struct stalled_call stalled = {
		.call = call, .objects = &objects, .argument = &argument,
	};

	open_objects(&objects, call->needs_device);
	open_stall(&stall, 2);
	prepare_call(call, &objects, &argument);
	*pointer_of(call->request, &argument) = caller(stall.memory);
	REQUIRE(!pthread_create(&stalled.thread, NULL, make_call, &stalled));
	if (!wait_for_stall(&stall, &stalled.done))
		REQUIRE(may_not_stall(call) && __atomic_load_n(&stalled.done, __ATOMIC_ACQUIRE));
	REQUIRE(write(report, "x", 1) == 1);
	for (;;)
		sleep(1);
}

/* A stalled call can be killed, whatever it waits for. */
static void killed(void)
{
	union argument none;

	for (size_t i = 0; i < number_of_ioctls; i++) {
		const struct ioctl_case *call = &ioctl_table[i];
		int report[2], status;
		double start;
		pid_t child;
		char byte;

		if (!pointer_of(call->request, &none) ||
		    (call->needs_device && !options.has_device))
			continue;
		tap_diag("%s", call->name);
		REQUIRE(!pipe(report));
		child = fork();
		REQUIRE(child >= 0);
		if (!child) {
			close(report[0]);
			stall_until_killed(call, report[1]);
		}
		close(report[1]);
		if (read(report[0], &byte, 1) != 1) {
			/* It has skipped, or failed. */
			REQUIRE(waitpid(child, &status, 0) == child);
			REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) != TAP_PASS);
			_exit(WEXITSTATUS(status));
		}
		close(report[0]);
		start = seconds_now();
		kill(child, SIGKILL);
		REQUIRE(waitpid(child, &status, 0) == child);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		CHECK(seconds_now() - start < WAIT_SECONDS);
	}
}

#define STALLED_CALLS	64
/* Three quarters of the limit of a file that has pinned nothing */
#define STALLED_OPS	(768U * 1024 / sizeof(struct wdm_iommu_batch_op))
#define STALLED_BOUND	(16ULL << 20)

/**
 * struct stalled_batch - a batch whose operations stall
 * @fd: the file
 * @domain: the domain
 * @ops: the operations
 * @status: status of the call
 * @done: the call has returned
 * @thread: makes the call
 */
struct stalled_batch {
	int fd;
	__u32 domain;
	const struct wdm_iommu_batch_op *ops;
	__u32 status;
	bool done;
	pthread_t thread;
};

static void *make_batch(void *data)
{
	struct stalled_batch *batch = data;
	__u32 done;

	batch->status = wdm_batch(batch->fd, batch->domain, batch->ops, STALLED_OPS, &done);
	__atomic_store_n(&batch->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The copied operations of stalled calls count towards the file's limit. */
static void many_lists(void)
{
	static struct stalled_batch batches[STALLED_CALLS];
	unsigned int refused = 0, stalled = 0;
	unsigned long long before;
	struct stall stall;
	int fd = wdm_open();
	__u32 domain, done;

	REQUIRE(fd >= 0);
	MUST(wdm_domain_create(fd, true, 0, &domain));
	open_stall(&stall, STALLED_OPS * sizeof(struct wdm_iommu_batch_op) / PAGE);
	REQUIRE(drop_capability(CAP_IPC_LOCK));
	before = kernel_memory();
	for (size_t i = 0; i < STALLED_CALLS; i++) {
		batches[i] = (struct stalled_batch) {
			.fd = fd, .domain = domain, .ops = (void *)stall.memory,
		};
		REQUIRE(!pthread_create(&batches[i].thread, NULL, make_batch, &batches[i]));
	}
	usleep(500000);
	CHECK(kernel_memory() < before + STALLED_BOUND);
	for (size_t i = 0; i < STALLED_CALLS; i++)
		stalled += !__atomic_load_n(&batches[i].done, __ATOMIC_ACQUIRE);
	CHECK_EQUAL(stalled, 1);
	/* Closing it resolves the memory with zeros, which are not a valid MDL. */
	close(stall.fd);
	for (size_t i = 0; i < STALLED_CALLS; i++) {
		pthread_join(batches[i].thread, NULL);
		refused += batches[i].status == STATUS_WORKING_SET_QUOTA;
	}
	CHECK_EQUAL(refused, STALLED_CALLS - 1);
	/* The file is charged for nothing any more. */
	EXPECT(STATUS_INVALID_HANDLE,
	       wdm_batch(fd, domain, (void *)stall.memory, STALLED_OPS, &done));
}

static const struct test_case cases[] = {
	{ .name = "arguments that stall", .run = arguments, .needs = NEEDS_DEVICE,
	  .seconds = 120 },
	{ .name = "pointers of arguments that stall", .run = pointers, .needs = NEEDS_DEVICE,
	  .seconds = 180 },
	{ .name = "a stalled call is killed", .run = killed },
	{ .name = "lists of many calls that stall", .run = many_lists },
};

const struct suite stalls_suite = { "stalls", cases, ARRAY_SIZE(cases) };
