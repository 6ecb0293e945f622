// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of events: its contents, reading it, and its limit.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

#define EVENT		sizeof(struct wdm_iommu_event)
#define MANY		512

#define PARAMETER	"/sys/module/wdm_iommu/parameters/allow_pass_through"
static const __u32 of_pass_through = 1U << WDM_IOMMU_TYPE_PASS_THROUGH;

/* An unmapped address. The compiler knows that read() does not take NULL. */
static void *nowhere(void)
{
	void *memory = get_pages(1);

	munmap(memory, WDM_PAGE_SIZE);
	return memory;
}

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* Open a file with a device; reads do not block. */
static void start(struct fixture *fixture)
{
	REQUIRE(write_text(PARAMETER, "0"));
	open_fixture(fixture);
	open_arena(fixture, 2);
	open_device(fixture);
	REQUIRE(!fcntl(fixture->fd, F_SETFL, O_NONBLOCK));
}

/* Set the module parameter; cases set it to false at the end. */
static void allow_pass_through(bool allowed)
{
	REQUIRE(write_text(PARAMETER, allowed ? "1" : "0"));
}

static bool is_readable(int fd, int timeout)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int number = poll(&poll_fd, 1, timeout);

	REQUIRE(number >= 0);
	CHECK(!number || poll_fd.revents == POLLIN);
	return number;
}

static bool is_empty(int fd)
{
	struct wdm_iommu_event event;

	return !is_readable(fd, 0) && read(fd, &event, EVENT) == -1 && errno == EAGAIN;
}

static void nothing(void)
{
	struct wdm_iommu_event event;
	struct fixture fixture;

	open_fixture(&fixture);
	/* Too small for a record: fails at once, even if the file is blocking */
	for (size_t size = 0; size < EVENT; size++) {
		errno = 0;
		CHECK(read(fixture.fd, &event, size) == -1 && errno == EINVAL);
	}
	REQUIRE(!fcntl(fixture.fd, F_SETFL, O_NONBLOCK));
	CHECK(is_empty(fixture.fd));
	CHECK(read(fixture.fd, nowhere(), EVENT) == -1 && errno == EAGAIN);
	CHECK(write(fixture.fd, &event, EVENT) == -1);
}

static void revoked(void)
{
	struct wdm_iommu_event events[4];
	struct fixture fixture;
	__u64 before, after;

	start(&fixture);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	CHECK(is_empty(fixture.fd));
	before = now();
	take_back(fixture.device);
	after = now();
	CHECK(is_readable(fixture.fd, 0));
	memset(events, 0x5a, sizeof(events));
	REQUIRE(wdm_read_events(fixture.fd, events, 4) == 2);
	CHECK_EQUAL(events[0].type, WDM_IOMMU_EVENT_DEVICE_REVOKED);
	CHECK_EQUAL(events[0].size, EVENT);
	CHECK(events[0].time >= before && events[0].time <= after);
	CHECK_EQUAL(events[0].device, fixture.device->handle);
	CHECK_EQUAL(events[0].domain, 0);
	CHECK(!events[0].reserved[0] && !events[0].reserved[1] && !events[0].reserved[2]);
	CHECK_EQUAL(events[1].type, WDM_IOMMU_EVENT_DOMAIN_TYPES);
	CHECK_EQUAL(events[1].device, fixture.device->handle);
	CHECK_EQUAL(events[1].domain_types.available, 0);
	CHECK_EQUAL(((unsigned char *)&events[2])[0], 0x5a);
	CHECK(is_empty(fixture.fd));
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	CHECK(is_empty(fixture.fd));
}

/* One event for each device of the group */
static void revoked_pair(void)
{
	struct wdm_iommu_event events[8];
	struct wdm_vfio_device *second;
	struct wdm_error error;
	struct fixture fixture;

	open_fixture(&fixture);
	REQUIRE(!fcntl(fixture.fd, F_SETFL, O_NONBLOCK));
	fixture.device = wdm_vfio_open(fixture.fd, options.pair[0].text, &error);
	REQUIRE(fixture.device);
	second = wdm_vfio_open_beside(fixture.device, fixture.fd, options.pair[1].text, &error);
	REQUIRE(second);
	take_back(second);
	take_back(fixture.device);
	REQUIRE(wdm_read_events(fixture.fd, events, 8) == 4);
	CHECK_EQUAL(events[0].type, WDM_IOMMU_EVENT_DEVICE_REVOKED);
	CHECK_EQUAL(events[1].type, WDM_IOMMU_EVENT_DEVICE_REVOKED);
	CHECK_EQUAL(events[0].device + events[1].device, fixture.device->handle + second->handle);
	CHECK(events[0].device != events[1].device);
}

static void types(void)
{
	struct wdm_iommu_query_device query;
	struct wdm_iommu_event event;
	struct fixture fixture;
	__u64 before;

	start(&fixture);
	before = now();
	for (unsigned int allowed = 1; allowed < 2; allowed--) {
		allow_pass_through(allowed);
		CHECK(is_readable(fixture.fd, 0));
		REQUIRE(wdm_read_events(fixture.fd, &event, 1) == 1);
		CHECK_EQUAL(event.type, WDM_IOMMU_EVENT_DOMAIN_TYPES);
		CHECK_EQUAL(event.device, fixture.device->handle);
		CHECK(event.time >= before && event.time <= now());
		CHECK_EQUAL(!!(event.domain_types.available & of_pass_through), allowed);
		MUST(wdm_query_device(fixture.fd, fixture.device->handle, &query));
		CHECK_EQUAL(event.domain_types.available, query.domain_types);
		/* Writing the same value is not a change. */
		allow_pass_through(allowed);
		CHECK(is_empty(fixture.fd));
	}
	/* Nor are two changes that cancel out before a read. */
	allow_pass_through(true);
	allow_pass_through(false);
	CHECK(is_empty(fixture.fd));
	/* Deleting the device does not cause an event. */
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	allow_pass_through(true);
	CHECK(is_empty(fixture.fd));
	allow_pass_through(false);
}

/* Read one at a time, several at a time, and to unmapped memory. */
static void reads(void)
{
	struct wdm_iommu_event events[8], *half;
	unsigned char *memory = get_pages(2);
	struct fixture fixture;

	start(&fixture);
	munmap(memory + WDM_PAGE_SIZE, WDM_PAGE_SIZE);
	half = (struct wdm_iommu_event *)(memory + WDM_PAGE_SIZE - EVENT / 2);
	for (unsigned int i = 0; i < 5; i++) {
		allow_pass_through(!(i % 2));
		CHECK(is_readable(fixture.fd, 0));
	}
	/* A read that fails removes nothing. */
	errno = 0;
	CHECK(read(fixture.fd, nowhere(), sizeof(events)) == -1 && errno == EFAULT);
	CHECK(read(fixture.fd, (void *)(1UL << 63), EVENT) == -1 && errno == EFAULT);
	CHECK(read(fixture.fd, half, EVENT) == -1 && errno == EFAULT);
	CHECK(read(fixture.fd, half - 1, 2 * EVENT) == -1 && errno == EFAULT);
	mprotect(memory, WDM_PAGE_SIZE, PROT_READ);
	CHECK(read(fixture.fd, memory, EVENT) == -1 && errno == EFAULT);
	/* Only whole records */
	memset(events, 0x5a, sizeof(events));
	CHECK_EQUAL(read(fixture.fd, events, 2 * EVENT - 1), EVENT);
	CHECK_EQUAL(((unsigned char *)&events[1])[0], 0x5a);
	CHECK(events[0].domain_types.available & of_pass_through);
	CHECK_EQUAL(read(fixture.fd, events, 3 * EVENT), 3 * EVENT);
	CHECK(!(events[0].domain_types.available & of_pass_through));
	CHECK(events[1].domain_types.available & of_pass_through);
	CHECK(!(events[2].domain_types.available & of_pass_through));
	CHECK_EQUAL(read(fixture.fd, events, sizeof(events)), EVENT);
	CHECK(events[0].domain_types.available & of_pass_through);
	CHECK(is_empty(fixture.fd));
	allow_pass_through(false);
}

/* Lost events are counted where they are missing. */
static void overflow(void)
{
	static struct wdm_iommu_event events[MANY];
	struct wdm_iommu_info info;
	struct fixture fixture;
	unsigned int made, lost = 0;
	int number;

	start(&fixture);
	MUST(wdm_info(fixture.fd, &info));
	REQUIRE(info.max_events + 50 < MANY);
	for (made = 0; made < info.max_events + 45; made++) {
		allow_pass_through(!(made % 2));
		CHECK(is_readable(fixture.fd, 0));
	}
	number = wdm_read_events(fixture.fd, events, 2);
	CHECK_EQUAL(number, 2);
	/* There is space for one more after the count; then another is lost. */
	allow_pass_through(!(made++ % 2));
	CHECK(is_readable(fixture.fd, 0));
	allow_pass_through(!(made++ % 2));
	CHECK(is_readable(fixture.fd, 0));
	number = wdm_read_events(fixture.fd, events, MANY);
	REQUIRE(number > 0);
	tap_diag("%u made, 2 + %d read", made, number);
	for (int i = 0; i < number; i++) {
		CHECK_EQUAL(events[i].size, EVENT);
		CHECK(!i || events[i].time >= events[i - 1].time);
		if (events[i].type == WDM_IOMMU_EVENT_LOST) {
			lost += events[i].lost.number;
			/* Not among the earlier ones */
			CHECK(i >= (int)info.max_events - 3);
			CHECK_EQUAL(events[i].device, 0);
		} else {
			CHECK_EQUAL(events[i].type, WDM_IOMMU_EVENT_DOMAIN_TYPES);
			made--;
		}
	}
	CHECK_EQUAL(made - 2, lost);
	CHECK(lost >= 45);
	CHECK(is_empty(fixture.fd));
	/* Later events are queued again. */
	allow_pass_through(true);
	allow_pass_through(false);
	take_back(fixture.device);
	CHECK(wdm_read_events(fixture.fd, events, MANY) >= 1);
}

struct reader {
	int fd;
	bool started;
	bool done;
	ssize_t result;
	int error;
	struct wdm_iommu_event event;
};

static void *read_one(void *argument)
{
	struct reader *reader = argument;

	__atomic_store_n(&reader->started, true, __ATOMIC_RELEASE);
	reader->result = read(reader->fd, &reader->event, EVENT);
	reader->error = errno;
	__atomic_store_n(&reader->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void start_reader(struct reader *reader, pthread_t *thread, int fd)
{
	*reader = (struct reader) { .fd = fd };
	REQUIRE(!pthread_create(thread, NULL, read_one, reader));
	while (!__atomic_load_n(&reader->started, __ATOMIC_ACQUIRE))
		usleep(1000);
	usleep(100000);
	CHECK(!__atomic_load_n(&reader->done, __ATOMIC_ACQUIRE));
}

static void ignore(int number)
{
	(void)number;
}

static void waiting(void)
{
	const struct sigaction action = { .sa_handler = ignore };
	struct fixture fixture;
	struct reader reader;
	pthread_t thread;

	start(&fixture);
	REQUIRE(!fcntl(fixture.fd, F_SETFL, 0));
	start_reader(&reader, &thread, fixture.fd);
	/* Other calls do not wait for the reader. */
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	allow_pass_through(true);
	pthread_join(thread, NULL);
	allow_pass_through(false);
	CHECK_EQUAL(reader.result, EVENT);
	CHECK_EQUAL(reader.event.type, WDM_IOMMU_EVENT_DOMAIN_TYPES);
	/* The change back to the old value */
	CHECK_EQUAL(read(fixture.fd, &reader.event, EVENT), EVENT);

	/* Any signal ends a blocking read. */
	REQUIRE(!sigaction(SIGUSR1, &action, NULL));
	start_reader(&reader, &thread, fixture.fd);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	CHECK_EQUAL(reader.result, -1);
	CHECK_EQUAL(reader.error, EINTR);

	/* A read does not block if there is an event. */
	start_reader(&reader, &thread, fixture.fd);
	take_back(fixture.device);
	pthread_join(thread, NULL);
	CHECK_EQUAL(reader.event.type, WDM_IOMMU_EVENT_DEVICE_REVOKED);
	CHECK_EQUAL(read(fixture.fd, &reader.event, EVENT), EVENT);
}

static void with_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct wdm_iommu_event record;
	struct fixture fixture;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	start(&fixture);
	REQUIRE(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fixture.fd, &event));
	CHECK_EQUAL(epoll_wait(epoll, &event, 1, 0), 0);
	for (unsigned int i = 0; i < 4; i++) {
		allow_pass_through(!(i % 2));
		CHECK_EQUAL(epoll_wait(epoll, &event, 1, 5000), 1);
		CHECK_EQUAL(event.events, EPOLLIN);
		CHECK_EQUAL(wdm_read_events(fixture.fd, &record, 1), 1);
		CHECK_EQUAL(epoll_wait(epoll, &event, 1, 0), 0);
	}
	/* Closing the file removes it from the epoll set. */
	close(fixture.fd);
	allow_pass_through(true);
	CHECK_EQUAL(epoll_wait(epoll, &event, 1, 0), 0);
	allow_pass_through(false);
}

/* Pollers: a kernel with sanitizers takes a millisecond for each when they go */
#define EPOLLS		100
#define DESCRIPTORS	200
/* How much longer an event may take with all of them; to wake them takes over 20 times as long */
#define MOST_TIMES	8

/* An event does not hold up its cause until all pollers are woken up. */
static void many_pollers(void)
{
	const struct rlimit limit = { 4096, 4096 };
	struct epoll_event event = { .events = EPOLLIN };
	int epolls[EPOLLS], copies[DESCRIPTORS];
	__u64 start_time, idle = 0, busy = 0;
	struct wdm_iommu_event record;
	struct fixture fixture;

	start(&fixture);
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit));
	for (unsigned int i = 0; i < DESCRIPTORS; i++)
		REQUIRE((copies[i] = dup(fixture.fd)) >= 0);
	for (unsigned int i = 0; i < EPOLLS; i++)
		REQUIRE((epolls[i] = epoll_create1(EPOLL_CLOEXEC)) >= 0);
	for (unsigned int pass = 0; pass < 2; pass++) {
		__u64 *least = pass ? &busy : &idle;

		/* Least of several, as the writer may be preempted */
		for (unsigned int i = 0; i < 6; i++) {
			__u64 time;

			start_time = now();
			allow_pass_through(!(i % 2));
			time = now() - start_time;
			if (!i || time < *least)
				*least = time;
			CHECK(is_readable(fixture.fd, 0));
			CHECK_EQUAL(wdm_read_events(fixture.fd, &record, 1), 1);
			usleep(300000);
		}
		for (unsigned int i = 0; !pass && i < EPOLLS; i++) {
			for (unsigned int j = 0; j < DESCRIPTORS; j++)
				REQUIRE(!epoll_ctl(epolls[i], EPOLL_CTL_ADD, copies[j], &event));
		}
	}
	tap_diag("an event takes its source %llu us, with %u pollers %llu us", idle / 1000,
		 EPOLLS * DESCRIPTORS, busy / 1000);
	CHECK(busy < MOST_TIMES * idle);
	/* They are woken up. */
	allow_pass_through(true);
	CHECK_EQUAL(epoll_wait(epolls[EPOLLS - 1], &event, 1, 5000), 1);
	allow_pass_through(false);
}

/* The queue belongs to the file, not to the process. */
static void with_fork(void)
{
	struct wdm_iommu_event event;
	struct fixture fixture, other;
	int status;
	pid_t child;

	start(&fixture);
	open_fixture(&other);
	REQUIRE(!fcntl(other.fd, F_SETFL, O_NONBLOCK));
	allow_pass_through(true);
	child = fork();
	REQUIRE(child >= 0);
	if (!child)
		_exit(wdm_read_events(fixture.fd, &event, 1) == 1 ? 0 : 1);
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK(is_empty(fixture.fd));
	CHECK(is_empty(other.fd));
	allow_pass_through(false);

	/* A process that is killed while it waits does not consume events. */
	REQUIRE(wdm_read_events(fixture.fd, &event, 1) == 1);
	REQUIRE(!fcntl(fixture.fd, F_SETFL, 0));
	child = fork();
	REQUIRE(child >= 0);
	if (!child)
		_exit(read(fixture.fd, &event, EVENT) == EVENT);
	usleep(200000);
	kill(child, SIGKILL);
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status));
	take_back(fixture.device);
	REQUIRE(read(fixture.fd, &event, EVENT) == EVENT);
	CHECK_EQUAL(event.type, WDM_IOMMU_EVENT_DEVICE_REVOKED);
}

#define READERS	4

/* Shared state of threads that race for the queue */
struct race {
	int fd;
	bool stop;
	unsigned int read;
	unsigned int lost;
	unsigned int bad;
};

static void *race_on(void *argument)
{
	struct wdm_iommu_event events[3];
	struct race *race = argument;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		int number = wdm_read_events(race->fd, events, ARRAY_SIZE(events));

		if (number < 0 && errno != EAGAIN)
			__atomic_add_fetch(&race->bad, 1, __ATOMIC_RELAXED);
		for (int i = 0; i < number; i++) {
			if (events[i].type == WDM_IOMMU_EVENT_LOST)
				__atomic_add_fetch(&race->lost, events[i].lost.number,
						   __ATOMIC_RELAXED);
			else if (events[i].type != WDM_IOMMU_EVENT_DOMAIN_TYPES ||
				 events[i].size != EVENT)
				__atomic_add_fetch(&race->bad, 1, __ATOMIC_RELAXED);
			else
				__atomic_add_fetch(&race->read, 1, __ATOMIC_RELAXED);
		}
		if (number <= 0)
			usleep(random_number(2000));
	}
	return NULL;
}

static void races(void)
{
	time_t end = time(NULL) + options.seconds;
	pthread_t threads[READERS];
	struct fixture fixture;
	unsigned int made = 0;
	struct race race = { 0 };

	start(&fixture);
	race.fd = fixture.fd;
	for (unsigned int i = 0; i < READERS; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, race_on, &race));
	/* The last change is one back. */
	for (; made < 2000 && (made % 2 || time(NULL) < end); made++) {
		allow_pass_through(!(made % 2));
		is_readable(fixture.fd, 0);
	}
	usleep(200000);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	tap_diag("%u changes, %u read, %u lost", made, race.read, race.lost);
	/* Two changes may cancel out, in pairs; nothing is reported twice. */
	CHECK(race.read + race.lost <= made && race.read > 10);
	CHECK_EQUAL((made - race.read - race.lost) % 2, 0);
	CHECK_EQUAL(race.bad, 0);
	CHECK(is_empty(fixture.fd));
}

static void *read_on(void *argument)
{
	struct race *race = argument;
	struct wdm_iommu_event event;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		if (wdm_read_events(race->fd, &event, 1) > 0)
			race->read++;
	}
	return NULL;
}

/* A thread that reads events looks at all devices, but no call fails for that. */
static void destroyed(void)
{
	time_t end = time(NULL) + options.seconds;
	struct fixture fixture;
	struct race race = { 0 };
	pthread_t thread;

	start(&fixture);
	race.fd = fixture.fd;
	REQUIRE(!pthread_create(&thread, NULL, read_on, &race));
	for (unsigned int i = 0; i < 2000 && (i % 2 || time(NULL) < end); i++) {
		allow_pass_through(!(i % 2));
		MUST(wdm_destroy(fixture.fd, fixture.device->handle));
		MUST(create_device(fixture.fd, fixture.device));
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	tap_diag("%u events read", race.read);
	CHECK(race.read);
}

static const struct test_case cases[] = {
	{ .name = "an empty queue", .run = nothing },
	{ .name = "a device that VFIO takes back", .run = revoked, .needs = NEEDS_DEVICE },
	{ .name = "two devices that VFIO takes back", .run = revoked_pair, .needs = NEEDS_PAIR },
	{ .name = "types of domains that change", .run = types, .needs = NEEDS_DEVICE },
	{ .name = "reads of any size, and bad pointers", .run = reads, .needs = NEEDS_DEVICE },
	{ .name = "a queue that is full", .run = overflow, .needs = NEEDS_DEVICE },
	{ .name = "a read that waits", .run = waiting, .needs = NEEDS_DEVICE },
	{ .name = "epoll", .run = with_epoll, .needs = NEEDS_DEVICE },
	{ .name = "many pollers", .run = many_pollers, .needs = NEEDS_DEVICE, .seconds = 120 },
	{ .name = "a queue that processes share", .run = with_fork, .needs = NEEDS_DEVICE },
	{ .name = "threads that race for the queue", .run = races, .needs = NEEDS_DEVICE },
	{ .name = "devices destroyed while a thread reads", .run = destroyed,
	  .needs = NEEDS_DEVICE },
};

const struct suite events_suite = { "events", cases, ARRAY_SIZE(cases) };
