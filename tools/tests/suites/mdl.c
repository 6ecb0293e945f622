// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs: what can be pinned, how it is counted, and that all of it is unpinned.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "suites.h"
#include "fixture.h"

#define PAGE	WDM_PAGE_SIZE

static void *map_memory(size_t pages, int protection, int flags, int fd)
{
	void *memory = mmap(NULL, pages * PAGE, protection, flags, fd, 0);

	REQUIRE(memory != MAP_FAILED);
	return memory;
}

static void parameters(void)
{
	const __u64 wrong[] = { 0, 1, PAGE - 1, PAGE + 1, 1ULL << 63 | 1 };
	struct wdm_iommu_info info;
	struct fixture fixture;
	char *memory;
	__u32 mdl;

	open_fixture(&fixture);
	memory = get_pages(4);
	MUST(wdm_info(fixture.fd, &info));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_mdl_create(fixture.fd, memory + 1, PAGE, WDM_RW, &mdl));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_mdl_create(fixture.fd, memory + PAGE / 2, PAGE, WDM_RW, &mdl));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT(STATUS_INVALID_PARAMETER_2,
		       wdm_mdl_create(fixture.fd, memory, wrong[i], WDM_RW, &mdl));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_mdl_create(fixture.fd, memory, (info.max_mdl_length | (PAGE - 1)) + 1, WDM_RW,
			      &mdl));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_mdl_create(fixture.fd, memory, -PAGE, WDM_RW, &mdl));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_mdl_create(fixture.fd, (void *)-PAGE, 2 * PAGE, WDM_RW, &mdl));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_mdl_create(fixture.fd, memory, PAGE, 0, &mdl));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_mdl_create(fixture.fd, memory, PAGE, 4, &mdl));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_mdl_create(fixture.fd, memory, PAGE, ~0U, &mdl));
	CHECK_EQUAL(locked_memory(), 0);
}

static void no_memory(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;
	char *memory;
	__u32 mdl;

	open_fixture(&fixture);
	memory = get_pages(64);
	REQUIRE(!munmap(memory + 40 * PAGE, PAGE));
	REQUIRE(!mprotect(memory + 50 * PAGE, PAGE, PROT_NONE));
	REQUIRE(!mprotect(memory + 60 * PAGE, PAGE, PROT_READ));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_mdl_create(fixture.fd, memory, 64 * PAGE, WDM_IOMMU_READ, &mdl));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_mdl_create(fixture.fd, memory + 41 * PAGE, 10 * PAGE, WDM_IOMMU_READ, &mdl));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_mdl_create(fixture.fd, memory + 51 * PAGE, 10 * PAGE, WDM_RW, &mdl));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_mdl_create(fixture.fd, memory + 51 * PAGE, 10 * PAGE, WDM_IOMMU_WRITE, &mdl));
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_mdl_create(fixture.fd, NULL, PAGE, WDM_RW, &mdl));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_mdl_create(fixture.fd, (void *)(1UL << 63), PAGE, WDM_RW, &mdl));
	for (long long i = 1; i <= 2; i++) {
		EXPECT(STATUS_ACCESS_VIOLATION,
		       wdm_mdl_create(fixture.fd, (void *)(-i * PAGE), PAGE, WDM_RW, &mdl));
		EXPECT(STATUS_ACCESS_VIOLATION,
		       wdm_mdl_create(fixture.fd, (void *)(-i * PAGE), PAGE, WDM_IOMMU_READ, &mdl));
	}
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
	/* Read access requires only readable memory. */
	MUST(wdm_mdl_create(fixture.fd, memory + 51 * PAGE, 10 * PAGE, WDM_IOMMU_READ, &mdl));
	CHECK_EQUAL(locked_memory(), 10 * PAGE);
	MUST(wdm_destroy(fixture.fd, mdl));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* Device memory cannot be pinned. */
static void device_memory(void)
{
	struct fixture fixture;
	__u32 status, mdl;

	open_fixture(&fixture);
	open_arena(&fixture, 1);
	open_device(&fixture);
	status = wdm_mdl_create(fixture.fd, fixture.probe.bar0, PAGE, WDM_RW, &mdl);
	CHECK(status == STATUS_ACCESS_VIOLATION || status == STATUS_NOT_SUPPORTED);
	CHECK_EQUAL(locked_memory(), PAGE);
}

/* WRITE alone implies READ. */
static void write_access(void)
{
	struct fixture fixture;
	__u32 mdl;

	open_fixture(&fixture);
	open_arena(&fixture, 1);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(wdm_mdl_create(fixture.fd, fixture.arena, PAGE, WDM_IOMMU_WRITE, &mdl));
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_RW, mdl, 0, 0, ADDRESS));
}

/*
 * Check that the device and the program see the same memory, of this kind and at @place; and
 * so does @mirror, another mapping of it, unless NULL.
 */
static void check_kind(unsigned char *memory, size_t pages, size_t place,
		       const unsigned char *mirror)
{
	__u64 locked = locked_memory();
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena_at(&fixture, memory, pages);
	CHECK_EQUAL(locked_memory(), locked + pages * PAGE);
	attach_os_managed(&fixture, 0);
	MUST(map_pages(&fixture, place, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, place)));
	if (mirror)
		CHECK(!memcmp(mirror, memory, pages * PAGE));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, page(&fixture, place)));
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), locked);
	CHECK(!munmap(memory, pages * PAGE));
}

static void hugetlb(void)
{
	check_kind(get_huge_page(), HUGE_PAGE_SIZE / PAGE, 333, NULL);
}

static void transparent_huge(void)
{
	unsigned char *memory = map_memory(1024, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1);
	unsigned char *aligned = (unsigned char *)((caller(memory) + HUGE_PAGE_SIZE - 1) &
						   -HUGE_PAGE_SIZE);

	if (madvise(aligned, HUGE_PAGE_SIZE, MADV_HUGEPAGE))
		skip("no transparent huge pages");
	memset(aligned, 1, HUGE_PAGE_SIZE);
	/* Part of it, not from its start */
	check_kind(aligned + 5 * PAGE, 300, 222, NULL);
}

static void shared_memory(void)
{
	int fd = memfd_create("wdm-e2e", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && !ftruncate(fd, 8 * PAGE));
	check_kind(map_memory(8, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 8, 5,
		   map_memory(8, PROT_READ, MAP_SHARED, fd));
}

static void private_file(void)
{
	unsigned char before, now;
	int fd = memfd_create("wdm-e2e", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && !ftruncate(fd, 4 * PAGE));
	REQUIRE(pwrite(fd, "x", 1, PAGE) == 1 && pread(fd, &before, 1, PAGE) == 1);
	check_kind(map_memory(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd), 4, 1, NULL);
	/* The file does not show writes to a private mapping. */
	REQUIRE(pread(fd, &now, 1, PAGE) == 1);
	CHECK_EQUAL(now, before);
}

/* Memory that is first touched by a read-only pin, and then written */
static void untouched(void)
{
	struct fixture fixture;
	unsigned char *memory;
	__u32 mdl;

	open_os_managed(&fixture, 2, 0);
	memory = map_memory(1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	MUST(wdm_mdl_create(fixture.fd, memory, PAGE, WDM_IOMMU_READ, &mdl));
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_IOMMU_READ, mdl, 0, 0, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, memory));
}

/*
 * Pin memory read-only as a whole, make part of it writable, and write to the second page of
 * that: the device must read the new data.
 */
static void check_stays_ours(unsigned char *memory, size_t pages, size_t first, size_t number)
{
	size_t place = first + 1;
	struct fixture fixture;
	__u32 status, mdl;

	open_os_managed(&fixture, 2, 0);
	status = wdm_mdl_create(fixture.fd, memory, pages * PAGE, WDM_IOMMU_READ, &mdl);
	/* Memory that cannot be kept coherent may be refused. */
	if (status == STATUS_NOT_SUPPORTED)
		finish();
	CHECK_EQUAL(status, STATUS_SUCCESS);
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_IOMMU_READ, mdl, 0, 0, ADDRESS));
	REQUIRE(!mprotect(memory + first * PAGE, number * PAGE, PROT_READ | PROT_WRITE));
	memset(memory + place * PAGE, 0x5a, PAGE);
	EXPECT_DMA(DMA_ARRIVED,
		   read_from(&fixture, ADDRESS + place * PAGE, memory + place * PAGE));
}

/* Read-only shared memory and private memory in one range */
static void mixed(void)
{
	const bool private_first = parameter();
	int fd = memfd_create("wdm-e2e", MFD_CLOEXEC), read_only;
	unsigned char *memory = map_memory(8, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	size_t shared = private_first ? 4 : 0, private = private_first ? 0 : 4;
	char path[64];

	REQUIRE(fd >= 0 && !ftruncate(fd, 4 * PAGE));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(read_only >= 0);
	REQUIRE(mmap(memory + shared * PAGE, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED,
		     read_only, 0) != MAP_FAILED);
	REQUIRE(mmap(memory + private * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	check_stays_ours(memory, 8, private, 4);
}

/* Likewise, with a private mapping of a file */
static void mixed_file(void)
{
	int fd = memfd_create("wdm-e2e", MFD_CLOEXEC);
	unsigned char *memory = map_memory(8, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	REQUIRE(fd >= 0 && !ftruncate(fd, 8 * PAGE));
	REQUIRE(mmap(memory, 4 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
	REQUIRE(mmap(memory + 4 * PAGE, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd,
		     4 * PAGE) != MAP_FAILED);
	check_stays_ours(memory, 8, 4, 4);
}

/* Private hugetlb memory that is read-only until it is pinned */
static void private_hugetlb(void)
{
	const bool of_file = parameter();
	unsigned char *memory;
	int fd = -1;

	write_text("/proc/sys/vm/nr_hugepages", "4");
	if (of_file) {
		fd = memfd_create("wdm-e2e", MFD_CLOEXEC | MFD_HUGETLB);
		if (fd < 0 || ftruncate(fd, HUGE_PAGE_SIZE))
			skip("no file of huge pages: %s", strerror(errno));
	}
	memory = mmap(NULL, HUGE_PAGE_SIZE, PROT_READ,
		      MAP_PRIVATE | (of_file ? 0 : MAP_ANONYMOUS | MAP_HUGETLB), fd, 0);
	if (memory == MAP_FAILED)
		skip("no huge page: %s", strerror(errno));
	check_stays_ours(memory, HUGE_PAGE_SIZE / PAGE, 0, HUGE_PAGE_SIZE / PAGE);
}

static const bool yes = true;

static void in_use(void)
{
	struct fixture fixture;
	__u32 os, caller_domain;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	MUST(wdm_domain_create(fixture.fd, true, 0, &os));
	MUST(wdm_map(fixture.fd, os, WDM_RW, fixture.mdl, 0, 0, ADDRESS));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.mdl));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.mdl));
	MUST(wdm_unmap(fixture.fd, os, ADDRESS, PAGE));
	MUST(wdm_unmap(fixture.fd, os, ADDRESS + 2 * PAGE, 2 * PAGE));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.mdl));
	CHECK_EQUAL(locked_memory(), 4 * PAGE);
	MUST(wdm_unmap(fixture.fd, os, ADDRESS + PAGE, PAGE));
	MUST(wdm_domain_create(fixture.fd, false, 0, &caller_domain));
	MUST(wdm_memory_add(fixture.fd, caller_domain, WDM_RW, fixture.mdl, 0, PAGE, ADDRESS));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.mdl));
	MUST(wdm_map(fixture.fd, os, WDM_RW, fixture.mdl, PAGE, PAGE, ADDRESS));
	MUST(wdm_destroy(fixture.fd, caller_domain));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.mdl));
	MUST(wdm_destroy(fixture.fd, os));
	MUST(wdm_destroy(fixture.fd, fixture.mdl));
	CHECK_EQUAL(locked_memory(), 0);
	EXPECT(STATUS_INVALID_HANDLE, wdm_destroy(fixture.fd, fixture.mdl));
}

/* An MDL stays valid after the program has unmapped the memory. */
static void unmapped_by_program(void)
{
	struct fixture fixture;
	unsigned char *memory;
	__u32 mdl;

	open_os_managed(&fixture, 2, 0);
	memory = get_pages(4);
	MUST(wdm_mdl_create(fixture.fd, memory, 4 * PAGE, WDM_RW, &mdl));
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_RW, mdl, 0, 0, ADDRESS));
	REQUIRE(!munmap(memory, 4 * PAGE));
	CHECK_EQUAL(locked_memory(), 6 * PAGE);
	/* The transfer uses the pinned memory, which is mapped nowhere else. */
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 4 * PAGE));
	MUST(wdm_destroy(fixture.fd, mdl));
	CHECK_EQUAL(locked_memory(), 2 * PAGE);
}

/* Without CAP_IPC_LOCK, with a limit of 64 pages */
static void limit(void)
{
	const struct rlimit limits = { 64 * PAGE, 64 * PAGE };
	long long pinned = pinned_pages();
	struct fixture fixture;
	__u32 first, second, third;
	char *memory;

	open_fixture(&fixture);
	memory = get_pages(256);
	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limits));
	REQUIRE(drop_capability(CAP_IPC_LOCK));
	EXPECT(STATUS_WORKING_SET_QUOTA,
	       wdm_mdl_create(fixture.fd, memory, 65 * PAGE, WDM_RW, &first));
	CHECK_EQUAL(locked_memory(), 0);
	MUST(wdm_mdl_create(fixture.fd, memory, 40 * PAGE, WDM_RW, &first));
	EXPECT(STATUS_WORKING_SET_QUOTA,
	       wdm_mdl_create(fixture.fd, memory + 40 * PAGE, 25 * PAGE, WDM_RW, &second));
	CHECK_EQUAL(locked_memory(), 40 * PAGE);
	/* The same memory counts once per MDL. */
	MUST(wdm_mdl_create(fixture.fd, memory, 24 * PAGE, WDM_RW, &second));
	CHECK_EQUAL(locked_memory(), 64 * PAGE);
	EXPECT(STATUS_WORKING_SET_QUOTA, wdm_mdl_create(fixture.fd, memory, PAGE, WDM_RW, &third));
	/* Memory for which a call failed for another reason does not count. */
	MUST(wdm_destroy(fixture.fd, second));
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_mdl_create(fixture.fd, NULL, PAGE, WDM_RW, &third));
	CHECK_EQUAL(locked_memory(), 40 * PAGE);
	MUST(wdm_mdl_create(fixture.fd, memory, 24 * PAGE, WDM_RW, &second));
	/* Locked memory is counted separately. */
	CHECK(!mlock(memory + 64 * PAGE, 64 * PAGE));
	CHECK(mlock(memory + 128 * PAGE, PAGE));
	CHECK_EQUAL(locked_memory(), 64 * PAGE);
	MUST(wdm_destroy(fixture.fd, second));
	MUST(wdm_mdl_create(fixture.fd, memory + 64 * PAGE, 24 * PAGE, WDM_RW, &second));
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

#define LIMIT_THREADS	4

struct limit_thread {
	pthread_t thread;
	int fd;
	char *memory;
	unsigned int wrong;
};

static void *pin_own_share(void *data)
{
	struct limit_thread *own = data;
	__u32 mdl, none;

	for (unsigned int i = 0; i < 500; i++) {
		own->wrong += wdm_mdl_create(own->fd, own->memory, 16 * PAGE, WDM_RW, &mdl) !=
			      STATUS_SUCCESS;
		/* More than is ever left */
		own->wrong += wdm_mdl_create(own->fd, own->memory, 64 * PAGE, WDM_RW, &none) !=
			      STATUS_WORKING_SET_QUOTA;
		own->wrong += wdm_destroy(own->fd, mdl) != STATUS_SUCCESS;
	}
	return NULL;
}

/* Requests that are refused do not make others fail that fit. */
static void limit_of_threads(void)
{
	const struct rlimit limits = { LIMIT_THREADS * 16 * PAGE, LIMIT_THREADS * 16 * PAGE };
	struct limit_thread threads[LIMIT_THREADS];
	long long pinned = pinned_pages();
	struct fixture fixture;
	char *memory;

	open_fixture(&fixture);
	memory = get_pages(LIMIT_THREADS * 64);
	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limits));
	REQUIRE(drop_capability(CAP_IPC_LOCK));
	for (unsigned int i = 0; i < LIMIT_THREADS; i++) {
		threads[i].fd = fixture.fd;
		threads[i].memory = memory + i * 64 * PAGE;
		threads[i].wrong = 0;
		REQUIRE(!pthread_create(&threads[i].thread, NULL, pin_own_share, &threads[i]));
	}
	for (unsigned int i = 0; i < LIMIT_THREADS; i++)
		REQUIRE(!pthread_join(threads[i].thread, NULL));
	for (unsigned int i = 0; i < LIMIT_THREADS; i++)
		CHECK_EQUAL(threads[i].wrong, 0);
	CHECK_EQUAL(locked_memory(), 0);
	close(fixture.fd);
	CHECK(pins_are_back(pinned));
}

/* Another process closes the file last: the memory is uncharged from this one. */
static void closed_by_another(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;
	int to_child[2], status;
	pid_t child;
	char byte;

	open_fixture(&fixture);
	REQUIRE(!pipe(to_child));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		close(to_child[1]);
		/* Wait until the parent has closed its end. */
		CHECK(read(to_child[0], &byte, 1) == 0);
		close(fixture.fd);
		finish();
	}
	open_arena(&fixture, 16);
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 16 * PAGE);
	close(to_child[1]);
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* An MDL stays valid after the exit of the process that created it. */
static void made_by_another(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;
	__u32 *mdl;
	pid_t child;
	int status;

	open_os_managed(&fixture, 2, 0);
	mdl = map_memory(1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		MUST(wdm_mdl_create(fixture.fd, mdl, PAGE, WDM_RW, mdl + 1));
		CHECK_EQUAL(locked_memory(), PAGE);
		finish();
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK_EQUAL(locked_memory(), 2 * PAGE);
	MUST(wdm_map(fixture.fd, fixture.domain, WDM_IOMMU_READ, mdl[1], 0, 0, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS + 64 * sizeof(*mdl), mdl + 64));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, PAGE));
	MUST(wdm_destroy(fixture.fd, mdl[1]));
	CHECK_EQUAL(locked_memory(), 2 * PAGE);
	close(fixture.fd);
	CHECK(pins_are_back(pinned));
}

#define MANY_PAGES	(128 * 1024 * 1024 / PAGE)

static void killed(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;
	time_t start;
	void *memory;
	pid_t child;
	__u32 mdl;

	open_fixture(&fixture);
	memory = map_memory(MANY_PAGES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	madvise(memory, MANY_PAGES * PAGE, MADV_NOHUGEPAGE);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		for (;;) {
			if (!wdm_mdl_create(fixture.fd, memory, MANY_PAGES * PAGE, WDM_RW, &mdl))
				wdm_destroy(fixture.fd, mdl);
		}
	}
	wait_until_busy(child, 50);
	start = time(NULL);
	kill(child, SIGKILL);
	REQUIRE(waitpid(child, NULL, 0) == child);
	CHECK(time(NULL) - start < 10);
	close(fixture.fd);
	CHECK(pins_are_back(pinned));
}

static const struct test_case cases[] = {
	{ .name = "parameters", .run = parameters },
	{ .name = "memory that is not there, or not for this access", .run = no_memory },
	{ .name = "a device's memory", .run = device_memory, .needs = NEEDS_DEVICE },
	{ .name = "access for writing", .run = write_access },
	{ .name = "hugetlb", .run = hugetlb, .needs = NEEDS_DEVICE },
	{ .name = "transparent huge pages", .run = transparent_huge, .needs = NEEDS_DEVICE },
	{ .name = "shared memory", .run = shared_memory, .needs = NEEDS_DEVICE },
	{ .name = "a private mapping of a file", .run = private_file, .needs = NEEDS_DEVICE },
	{ .name = "memory that is written after it was pinned for reading", .run = untouched,
	  .needs = NEEDS_DEVICE },
	{ .name = "shared memory before private memory", .run = mixed, .needs = NEEDS_DEVICE },
	{ .name = "private memory before shared memory", .run = mixed, .needs = NEEDS_DEVICE,
	  .parameter = &yes },
	{ .name = "a file's pages, shared and private", .run = mixed_file,
	  .needs = NEEDS_DEVICE },
	{ .name = "private hugetlb", .run = private_hugetlb, .needs = NEEDS_DEVICE },
	{ .name = "private hugetlb of a file", .run = private_hugetlb, .needs = NEEDS_DEVICE,
	  .parameter = &yes },
	{ .name = "an MDL that is in use", .run = in_use },
	{ .name = "memory that the program unmaps", .run = unmapped_by_program,
	  .needs = NEEDS_DEVICE },
	{ .name = "RLIMIT_MEMLOCK", .run = limit },
	{ .name = "RLIMIT_MEMLOCK of threads", .run = limit_of_threads },
	{ .name = "another process closes last", .run = closed_by_another },
	{ .name = "another process made it", .run = made_by_another, .needs = NEEDS_DEVICE },
	{ .name = "SIGKILL", .run = killed },
};

const struct suite mdl_suite = { "mdl", cases, ARRAY_SIZE(cases) };
