// SPDX-License-Identifier: GPL-2.0
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * Only a fatal signal ends a call, and it ends every call, whatever other processes do with
 * the same objects.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/io_uring.h>

#include "ioctl_table.h"
#include "suites.h"

#define PAGE		WDM_PAGE_SIZE
#define PIN_LENGTH	(192UL << 20)

static void on_alarm(int number)
{
	(void)number;
}

/* Allocate untouched memory, which takes long to pin. */
static void *untouched_memory(void)
{
	void *memory = mmap(NULL, PIN_LENGTH, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	REQUIRE(memory != MAP_FAILED);
	madvise(memory, PIN_LENGTH, MADV_NOHUGEPAGE);
	return memory;
}

/* Pins must succeed at the first attempt. */
static void pin_often(unsigned int access)
{
	long long before = pinned_pages();
	struct fixture fixture;
	void *memory;
	__u32 mdl;

	open_fixture(&fixture);
	memory = untouched_memory();
	for (unsigned int i = 0; i < 3; i++) {
		madvise(memory, PIN_LENGTH, MADV_DONTNEED);
		MUST(wdm_mdl_create(fixture.fd, memory, PIN_LENGTH, access, &mdl));
		MUST(wdm_destroy(fixture.fd, mdl));
	}
	close(fixture.fd);
	CHECK(pins_are_back(before));
}

/* Use a timer, as profilers do. */
static void timer(void)
{
	const struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	const struct itimerval interval = { { .tv_usec = 1400 }, { .tv_usec = 1400 } };
	const struct itimerval off = { 0 };

	REQUIRE(!sigaction(SIGALRM, &action, NULL));
	REQUIRE(!setitimer(ITIMER_REAL, &interval, NULL));
	pin_often(WDM_RW);
	pin_often(WDM_IOMMU_READ);
	REQUIRE(!setitimer(ITIMER_REAL, &off, NULL));
}

#define TIMEOUTS	256U

/* Set up a ring with timeouts, of which one expires every few milliseconds. */
static bool start_ring(void)
{
	static struct __kernel_timespec times[TIMEOUTS];
	struct io_uring_params params = { 0 };
	struct io_uring_sqe *sqes;
	unsigned int *array, *tail;
	char *ring;
	int fd;

	fd = syscall(SYS_io_uring_setup, TIMEOUTS, &params);
	if (fd < 0)
		return false;
	ring = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(*array),
		    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
	sqes = mmap(NULL, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);
	REQUIRE(ring != MAP_FAILED && sqes != MAP_FAILED);
	array = (unsigned int *)(ring + params.sq_off.array);
	tail = (unsigned int *)(ring + params.sq_off.tail);
	for (unsigned int i = 0; i < TIMEOUTS; i++) {
		times[i].tv_nsec = 3000000LL * (i + 1);
		sqes[i] = (struct io_uring_sqe) {
			.opcode = IORING_OP_TIMEOUT,
			.addr = (uintptr_t)&times[i],
			.len = 1,
		};
		array[i] = i;
	}
	__atomic_store_n(tail, TIMEOUTS, __ATOMIC_RELEASE);
	REQUIRE(syscall(SYS_io_uring_enter, fd, TIMEOUTS, 0, 0, NULL, 0) == TIMEOUTS);
	return true;
}

static void completions(void)
{
	if (!start_ring())
		skip("no io_uring: %s", strerror(errno));
	pin_often(WDM_RW);
}

/* Time limit for a killed process to exit, in seconds */
#define DIES_WITHIN	20

/* State that is shared between processes */
struct shared {
	struct ioctl_objects objects;
	unsigned long calls;
};

/* Many pages and a bypass, so that attaching and flushing take long */
#define BUSY_PAGES	4096UL

/* Keep the objects busy: attach, detach, change and flush in a loop. */
static noreturn void keep_busy(const struct shared *shared, __u32 busy)
{
	const struct ioctl_objects *objects = &shared->objects;
	int fd = objects->fixture.fd;

	for (unsigned int i = 0;; i++) {
		__u32 domain = i % 2 ? objects->os : objects->caller;

		wdm_attach(fd, domain, objects->device);
		wdm_map(fd, objects->os, WDM_RW, busy, 0, 0, 0x10000000);
		wdm_configure_bypass(fd, objects->caller, NULL);
		wdm_memory_add(fd, objects->caller, WDM_RW, busy, 0, 0, 0x10000000);
		wdm_flush(fd, objects->caller, NULL);
		wdm_memory_remove(fd, objects->caller, 0x10000000, BUSY_PAGES * PAGE);
		wdm_unmap(fd, objects->os, 0x10000000, BUSY_PAGES * PAGE);
		wdm_detach(fd, objects->device);
	}
}

/* Call in a loop; any status is allowed. */
static noreturn void call_all_the_time(struct shared *shared, const struct ioctl_case *call,
				       const union argument *template)
{
	for (;;) {
		union argument argument = *template;

		ioctl(shared->objects.fixture.fd, call->request, &argument);
		__atomic_add_fetch(&shared->calls, 1, __ATOMIC_RELAXED);
	}
}

/* Kill a child, and check that it exits in time. */
static void check_dies(pid_t child, const char *name)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	time_t end = time(NULL) + DIES_WITHIN;
	bool dead = false;

	kill(child, SIGKILL);
	while (!dead && time(NULL) <= end) {
		dead = waitpid(child, NULL, WNOHANG) == child;
		nanosleep(&pause, NULL);
	}
	if (!CHECK(dead)) {
		tap_diag("%s cannot be killed", name);
		REQUIRE(waitpid(child, NULL, 0) == child);
	}
}

/* Wait until a call has returned; false if none has after 24 s. */
static bool wait_for_call(const struct shared *shared)
{
	const struct timespec pause = { .tv_nsec = 60000000 };
	bool called = false;

	for (unsigned int i = 0; i < 400 && !called; i++) {
		nanosleep(&pause, NULL);
		called = __atomic_load_n(&shared->calls, __ATOMIC_RELAXED);
	}
	return CHECK(called);
}

/* Prepare an argument with which the call would succeed if it ran alone. */
static union argument fill_in(const struct ioctl_case *call, struct ioctl_objects *objects)
{
	union argument argument;

	prepare_call(call, objects, &argument);
	return argument;
}

static void killed_in_each_call(void)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t busy_process, child;
	void *memory;
	__u32 busy;

	REQUIRE(shared != MAP_FAILED);
	open_objects(&shared->objects, true);
	memory = get_pages(BUSY_PAGES);
	MUST(wdm_mdl_create(shared->objects.fixture.fd, memory, BUSY_PAGES * PAGE, WDM_RW, &busy));

	for (size_t i = 0; i < number_of_ioctls; i++) {
		const struct ioctl_case *call = &ioctl_table[i];
		union argument argument;

		/* Preparing the first of these deletes objects that others need. */
		if (call->request == WDM_IOMMU_DEVICE_CREATE || call->request == WDM_IOMMU_DETACH)
			argument = (union argument) { .size = call->size };
		else
			argument = fill_in(call, &shared->objects);
		if (call->request == WDM_IOMMU_DETACH)
			argument.detach.device = shared->objects.device;
		if (call->request == WDM_IOMMU_DESTROY)
			argument.destroy.handle = i % 2 ? shared->objects.device :
							  shared->objects.os;

		busy_process = fork();
		REQUIRE(busy_process >= 0);
		if (!busy_process)
			keep_busy(shared, busy);
		shared->calls = 0;
		child = fork();
		REQUIRE(child >= 0);
		if (!child)
			call_all_the_time(shared, call, &argument);
		if (!wait_for_call(shared))
			tap_diag("no call of %s returns", call->name);
		check_dies(child, call->name);
		check_dies(busy_process, "the busy process");
		close_objects(&shared->objects);
		open_objects(&shared->objects, true);
		MUST(wdm_mdl_create(shared->objects.fixture.fd, memory, BUSY_PAGES * PAGE, WDM_RW,
				    &busy));
	}
}

static const struct test_case cases[] = {
	{ .name = "a timer does not end a pin", .run = timer, .seconds = 180 },
	{ .name = "completions of io_uring do not end a pin", .run = completions,
	  .seconds = 180 },
	{ .name = "SIGKILL ends each call", .run = killed_in_each_call, .needs = NEEDS_DEVICE,
	  .seconds = 300 },
};

const struct suite signals_suite = { "signals", cases, ARRAY_SIZE(cases) };
