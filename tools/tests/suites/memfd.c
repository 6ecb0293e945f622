// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs of files: memory that is mapped by no process, or by several.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/memfd.h>

#include "fixture.h"
#include "suites.h"

#define PAGE	WDM_PAGE_SIZE

/* More pages than are pinned at a time */
#define MANY_PAGES	5000

static int open_memfd(size_t pages, unsigned int flags)
{
	int file = memfd_create("wdm-e2e", MFD_CLOEXEC | flags);

	REQUIRE(file >= 0 && !ftruncate(file, pages * PAGE));
	return file;
}

/* Open the same file with other access rights. */
static int reopen(int file, int flags)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	again = open(path, flags | O_CLOEXEC);
	REQUIRE(again >= 0);
	return again;
}

static void *map_file(int file, size_t pages)
{
	void *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	REQUIRE(memory != MAP_FAILED);
	return memory;
}

static void open_with_memfds(struct fixture *fixture)
{
	open_fixture(fixture);
	if (!kernel_is_at_least(6, 11))
		skip("needs Linux 6.11");
}

/* Open a device whose domain maps page 0 of the arena, which is a mapping of the file. */
static void open_file(struct fixture *fixture, int file, size_t pages)
{
	open_with_memfds(fixture);
	fixture->arena = map_file(file, pages);
	fixture->pages = pages;
	MUST(wdm_mdl_create_file(fixture->fd, file, 0, pages * PAGE, WDM_RW, &fixture->mdl));
	attach_os_managed(fixture, 0);
}

static void old_kernel(void)
{
	struct fixture fixture;
	__u32 mdl;

	open_fixture(&fixture);
	if (kernel_is_at_least(6, 11))
		skip("for kernels before Linux 6.11");
	EXPECT(STATUS_NOT_SUPPORTED, wdm_mdl_create_file(fixture.fd, open_memfd(1, 0), 0, PAGE,
							 WDM_RW, &mdl));
	CHECK_EQUAL(locked_memory(), 0);
}

/* A call that fails leaves nothing pinned or counted. */
static void fails(int fd, __u32 status, int file, __u64 offset, __u64 length, __u32 access)
{
	__u64 locked = locked_memory();
	__u32 mdl;

	if (!(EXPECT(status, wdm_mdl_create_file(fd, file, offset, length, access, &mdl)) &
	      CHECK_EQUAL(locked_memory(), locked)))
		tap_diag("file %d, %#llx + %#llx, access %#x", file, offset, length, access);
}

static void parameters(void)
{
	const __u64 lengths[] = {
		0, 1, PAGE - 1, PAGE + 1, 5 * PAGE, -PAGE, 1ULL << 63, 1ULL << 63 | 1, ~0ULL
	};
	const __u64 offsets[] = { 4 * PAGE, 1ULL << 63, -PAGE, -2 * PAGE };
	long long pinned = pinned_pages();
	struct fixture fixture;
	int file, fd;

	open_with_memfds(&fixture);
	fd = fixture.fd;
	file = open_memfd(4, 0);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		fails(fd, STATUS_INVALID_PARAMETER_2, file, 0, lengths[i], WDM_RW);
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++)
		fails(fd, STATUS_INVALID_PARAMETER_2, file, offsets[i], PAGE, WDM_RW);
	fails(fd, STATUS_INVALID_PARAMETER_2, file, 3 * PAGE, 2 * PAGE, WDM_RW);
	fails(fd, STATUS_INVALID_PARAMETER_1, file, 1, PAGE, WDM_RW);
	fails(fd, STATUS_INVALID_PARAMETER_1, file, ~0ULL, PAGE, WDM_RW);
	fails(fd, STATUS_INVALID_PARAMETER_3, file, 0, PAGE, 0);
	fails(fd, STATUS_INVALID_PARAMETER_3, file, 0, PAGE, 4);
	fails(fd, STATUS_INVALID_HANDLE, -1, 0, PAGE, WDM_RW);
	fails(fd, STATUS_INVALID_HANDLE, 1000, 0, PAGE, WDM_RW);
	/* O_PATH gives no access to memory. */
	fails(fd, STATUS_INVALID_HANDLE, reopen(file, O_PATH), 0, PAGE, WDM_RW);
	fails(fd, STATUS_OBJECT_TYPE_MISMATCH, fd, 0, PAGE, WDM_RW);
	fails(fd, STATUS_OBJECT_TYPE_MISMATCH, open("/dev/zero", O_RDWR), 0, PAGE, WDM_RW);
	fails(fd, STATUS_OBJECT_TYPE_MISMATCH, open("/proc/version", O_RDONLY), 0, PAGE,
	      WDM_IOMMU_READ);
	CHECK(pins_are_back(pinned));
	/* The whole file */
	MUST(wdm_mdl_create_file(fd, file, 0, 4 * PAGE, WDM_RW, &fixture.mdl));
	CHECK_EQUAL(locked_memory(), 4 * PAGE);
}

/* Access that the file descriptor, or a seal, denies */
static void access_rights(void)
{
	struct fixture fixture;
	int file, sealed;
	__u32 mdl;

	open_with_memfds(&fixture);
	file = open_memfd(4, MFD_ALLOW_SEALING);
	fails(fixture.fd, STATUS_ACCESS_DENIED, reopen(file, O_RDONLY), 0, PAGE, WDM_RW);
	fails(fixture.fd, STATUS_ACCESS_DENIED, reopen(file, O_RDONLY), 0, PAGE, WDM_IOMMU_WRITE);
	fails(fixture.fd, STATUS_ACCESS_DENIED, reopen(file, O_WRONLY), 0, PAGE, WDM_IOMMU_WRITE);
	MUST(wdm_mdl_create_file(fixture.fd, reopen(file, O_RDONLY), 0, PAGE, WDM_IOMMU_READ,
				 &mdl));

	/* Seal while an MDL reads it: some kernels cannot seal pinned pages. */
	MUST(wdm_destroy(fixture.fd, mdl));
	MUST(wdm_mdl_create_file(fixture.fd, file, 0, PAGE, WDM_RW, &mdl));
	CHECK(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) && errno == EBUSY);
	MUST(wdm_destroy(fixture.fd, mdl));
	CHECK(!fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	fails(fixture.fd, STATUS_ACCESS_DENIED, file, 0, PAGE, WDM_RW);
	MUST(wdm_mdl_create_file(fixture.fd, file, 0, PAGE, WDM_IOMMU_READ, &mdl));

	sealed = open_memfd(4, MFD_ALLOW_SEALING);
	REQUIRE(!fcntl(sealed, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	fails(fixture.fd, STATUS_ACCESS_DENIED, sealed, 0, PAGE, WDM_RW);
	MUST(wdm_mdl_create_file(fixture.fd, sealed, 0, PAGE, WDM_IOMMU_READ, &mdl));
}

/* The file shows the device's writes, and the device reads what is written to the file. */
static void reads_and_writes(void)
{
	unsigned char data[PROBE_BYTES], seen[PROBE_BYTES];
	long long pinned = pinned_pages();
	int file = open_memfd(8, 0);
	struct fixture fixture;

	open_file(&fixture, file, 8);
	CHECK_EQUAL(locked_memory(), 8 * PAGE);
	MUST(map_pages(&fixture, 3, 2, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 4)));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, page(&fixture, 3)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 5)));
	/* No process maps it, or has it open. */
	REQUIRE(!munmap(fixture.arena, 8 * PAGE));
	probe_fill(data, sizeof(data));
	REQUIRE(pwrite(file, data, sizeof(data), 3 * PAGE) == sizeof(data));
	REQUIRE(wdm_edu_read(fixture.probe.bar0, ADDRESS, 0, PROBE_BYTES));
	REQUIRE(wdm_edu_write(fixture.probe.bar0, ADDRESS + PAGE, 0, PROBE_BYTES));
	REQUIRE(pread(file, seen, sizeof(seen), 4 * PAGE) == sizeof(seen));
	CHECK(!memcmp(data, seen, sizeof(data)));
	close(file);
	REQUIRE(wdm_edu_read(fixture.probe.bar0, ADDRESS + PAGE, 0, PROBE_BYTES));
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* Part of a folio, and folios that are larger than a page */
static void hugetlb(void)
{
	const size_t pages = 2 * HUGE_PAGE_SIZE / PAGE;
	long long pinned = pinned_pages();
	struct fixture fixture;
	int file;

	write_text("/proc/sys/vm/nr_hugepages", "4");
	file = memfd_create("wdm-e2e", MFD_CLOEXEC | MFD_HUGETLB);
	if (file < 0 || ftruncate(file, pages * PAGE))
		skip("no huge pages: %s", strerror(errno));
	open_file(&fixture, file, pages);
	MUST(map_pages(&fixture, 500, 30, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 11 * PAGE, page(&fixture, 511)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 12 * PAGE, page(&fixture, 512)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 30 * PAGE));
	MUST(wdm_unmap(fixture.fd, fixture.domain, HOME_ADDRESS, PAGE));
	MUST(wdm_destroy(fixture.fd, fixture.mdl));
	CHECK(pins_are_back(pinned));

	MUST(wdm_mdl_create_file(fixture.fd, file, 510 * PAGE, 4 * PAGE, WDM_RW, &fixture.mdl));
	CHECK_EQUAL(locked_memory(), 4 * PAGE);
	MUST(map_pages(&fixture, 0, 4, ADDRESS));
	for (size_t i = 0; i < 4; i++)
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + i * PAGE,
						 page(&fixture, 510 + i)));
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* Holes, in more pages than are pinned at a time */
static void many_pages(void)
{
	long long pinned = pinned_pages();
	int file = open_memfd(MANY_PAGES, 0);
	struct fixture fixture;
	size_t last = MANY_PAGES - 1;

	/* Some pages exist, in an arbitrary order. */
	for (size_t i = 0; i < MANY_PAGES; i += 7)
		REQUIRE(pwrite(file, "x", 1, (MANY_PAGES - 1 - i) * PAGE) == 1);
	open_file(&fixture, file, MANY_PAGES);
	CHECK_EQUAL(pinned_pages(), pinned + MANY_PAGES);
	MUST(map_pages(&fixture, 0, MANY_PAGES, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + last * PAGE, page(&fixture, last)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 4096 * PAGE, page(&fixture, 4096)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 4095 * PAGE, page(&fixture, 4095)));
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* Pages that are truncated stay mapped for the device. */
static void truncated(void)
{
	long long pinned = pinned_pages();
	int file = open_memfd(4, 0);
	struct fixture fixture;

	open_file(&fixture, file, 4);
	MUST(map_pages(&fixture, 1, 2, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	REQUIRE(!ftruncate(file, 0));
	REQUIRE(!ftruncate(file, 4 * PAGE));
	CHECK_EQUAL(locked_memory(), 4 * PAGE);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	REQUIRE(wdm_edu_write(fixture.probe.bar0, ADDRESS + PAGE, 0, PROBE_BYTES));
	close(fixture.fd);
	CHECK(pins_are_back(pinned));
}

/* After the exit of the process that created it */
static void made_by_another(void)
{
	int file = open_memfd(8, 0);
	struct fixture fixture;
	pid_t child;
	int status;

	open_with_memfds(&fixture);
	fixture.arena = map_file(file, 8);
	fixture.pages = 8;
	child = fork();
	REQUIRE(child >= 0);
	if (!child)
		_exit(wdm_mdl_create_file(fixture.fd, file, 0, 8 * PAGE, WDM_RW, &fixture.mdl) ||
		      fixture.mdl != 1);
	REQUIRE(waitpid(child, &status, 0) == child);
	REQUIRE(!status);
	fixture.mdl = 1;
	attach_os_managed(&fixture, 0);
	MUST(map_pages(&fixture, 5, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 5)));
}

static void limit(void)
{
	const struct rlimit limits = { 64 * PAGE, 64 * PAGE };
	long long pinned = pinned_pages();
	int file = open_memfd(128, 0);
	struct fixture fixture;
	__u32 first, second;

	open_with_memfds(&fixture);
	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limits));
	REQUIRE(drop_capability(CAP_IPC_LOCK));
	fails(fixture.fd, STATUS_WORKING_SET_QUOTA, file, 0, 65 * PAGE, WDM_RW);
	MUST(wdm_mdl_create_file(fixture.fd, file, 0, 40 * PAGE, WDM_RW, &first));
	fails(fixture.fd, STATUS_WORKING_SET_QUOTA, file, 0, 25 * PAGE, WDM_RW);
	MUST(wdm_mdl_create_file(fixture.fd, file, 0, 24 * PAGE, WDM_IOMMU_READ, &second));
	MUST(wdm_destroy(fixture.fd, first));
	CHECK_EQUAL(locked_memory(), 24 * PAGE);
	MUST(wdm_mdl_create_file(fixture.fd, file, 64 * PAGE, 40 * PAGE, WDM_RW, &first));
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/**
 * struct race - a file that changes while it is pinned
 * @file: the file
 * @over: the thread should end
 */
struct race {
	int file;
	atomic_bool over;
};

static void *change_file(void *argument)
{
	struct race *race = argument;

	while (!race->over) {
		fallocate(race->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 64 * PAGE);
		if (ftruncate(race->file, 16 * PAGE) || ftruncate(race->file, 64 * PAGE))
			break;
	}
	return NULL;
}

/* The file is truncated and grows during the pin: all pages are pinned, or none. */
static void changing(void)
{
	struct race race = { .file = open_memfd(64, 0) };
	long long pinned = pinned_pages();
	struct fixture fixture;
	unsigned int made = 0;
	pthread_t thread;
	__u32 status, mdl;

	open_with_memfds(&fixture);
	REQUIRE(!pthread_create(&thread, NULL, change_file, &race));
	for (unsigned int i = 0; i < 300; i++) {
		status = wdm_mdl_create_file(fixture.fd, race.file, 0, 64 * PAGE, WDM_RW, &mdl);
		if (!status) {
			CHECK_EQUAL(locked_memory(), 64 * PAGE);
			MUST(wdm_destroy(fixture.fd, mdl));
			made++;
		} else {
			CHECK_EQUAL(status, STATUS_INVALID_PARAMETER_2);
		}
	}
	race.over = true;
	pthread_join(thread, NULL);
	tap_diag("%u of 300 were pinned", made);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

static const struct test_case cases[] = {
	{ .name = "kernels that cannot pin files", .run = old_kernel },
	{ .name = "parameters", .run = parameters },
	{ .name = "access rights and seals", .run = access_rights },
	{ .name = "reads and writes", .run = reads_and_writes, .needs = NEEDS_DEVICE },
	{ .name = "hugetlb", .run = hugetlb, .needs = NEEDS_DEVICE },
	{ .name = "many pages with holes", .run = many_pages, .needs = NEEDS_DEVICE },
	{ .name = "a file that is truncated", .run = truncated, .needs = NEEDS_DEVICE },
	{ .name = "another process made it", .run = made_by_another, .needs = NEEDS_DEVICE },
	{ .name = "RLIMIT_MEMLOCK", .run = limit },
	{ .name = "a file that changes while it is pinned", .run = changing },
};

const struct suite memfd_suite = { "memfd", cases, ARRAY_SIZE(cases) };
