// SPDX-License-Identifier: GPL-2.0
/*
 * MAP_USER: memory that is pinned by a map, each page for as long as it is mapped.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "suites.h"
#include "fixture.h"

#define PAGE	WDM_PAGE_SIZE

/* Map pages of the arena. */
static __u32 map_user(const struct fixture *fixture, size_t first, size_t pages, __u64 address)
{
	return wdm_map_user(fixture->fd, fixture->domain, WDM_RW, page(fixture, first),
			    pages * PAGE,
			    address);
}

/* Open an arena that is not pinned, and a device in a domain that maps one page of it. */
static void open_unpinned(struct fixture *fixture, void *memory, size_t pages)
{
	open_fixture(fixture);
	fixture->arena = memory;
	fixture->pages = pages;
	open_device(fixture);
	MUST(wdm_domain_create(fixture->fd, true, 0, &fixture->domain));
	MUST(map_user(fixture, 0, 1, HOME_ADDRESS));
	MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	REQUIRE(probe_load(&fixture->probe, HOME_ADDRESS, page(fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, page(fixture, 0)));
}

/* Check that @address maps the page at @offset of an MDL without a handle. */
static bool is_mapped(const struct fixture *fixture, __u64 address, __u64 offset, __u32 permissions)
{
	struct wdm_iommu_mapping mapping;

	return CHECK(find_mapping(fixture->fd, fixture->domain, WDM_IOMMU_QUERY_LOGICAL, address,
				  &mapping)) &
	       CHECK_EQUAL(mapping.mdl, 0) & CHECK_EQUAL(mapping.offset, offset) &
	       CHECK_EQUAL(mapping.permissions, permissions);
}

static void maps(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;

	open_unpinned(&fixture, get_pages(8), 8);
	CHECK_EQUAL(locked_memory(), PAGE);
	MUST(map_user(&fixture, 2, 3, ADDRESS));
	CHECK_EQUAL(locked_memory(), 4 * PAGE);
	CHECK_EQUAL(pinned_pages(), pinned + 4);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 4);
	for (size_t i = 0; i < 3; i++) {
		is_mapped(&fixture, ADDRESS + i * PAGE, i * PAGE, WDM_RW);
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + i * PAGE, page(&fixture,
										    2 + i)));
	}
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS + PAGE, page(&fixture, 3)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 5)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 3 * PAGE));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
	for (size_t i = 0; i < 3; i++)
		EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + i * PAGE, page(&fixture,
										    2 + i)));
}

/* What is unmapped is unpinned, and nothing else. */
static void partly_unmapped(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;

	open_unpinned(&fixture, get_pages(8), 8);
	MUST(map_user(&fixture, 2, 5, ADDRESS));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + 2 * PAGE, PAGE));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, PAGE));
	CHECK_EQUAL(locked_memory(), 4 * PAGE);
	CHECK(pins_are_back(pinned + 4));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 3)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 4)));
	is_mapped(&fixture, ADDRESS + 3 * PAGE, 3 * PAGE, WDM_RW);
	/* Replace one page by other memory. */
	MUST(map_user(&fixture, 7, 1, ADDRESS));
	CHECK_EQUAL(locked_memory(), 5 * PAGE);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 7)));
	is_mapped(&fixture, ADDRESS, 0, WDM_RW);
	/* The only page of the second map, and pages of the first one by one */
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 2 * PAGE));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + 3 * PAGE, PAGE));
	CHECK_EQUAL(locked_memory(), 2 * PAGE);
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + 4 * PAGE, PAGE));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
}

/* Mapping the same memory twice pins and counts it twice. */
static void twice(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;

	open_unpinned(&fixture, get_pages(4), 4);
	MUST(map_user(&fixture, 1, 2, ADDRESS));
	MUST(map_user(&fixture, 1, 2, ADDRESS + 2 * PAGE));
	CHECK_EQUAL(locked_memory(), 5 * PAGE);
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 2 * PAGE));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	CHECK_EQUAL(pinned_pages(), pinned + 3);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 2)));
	/* Across both with one call */
	MUST(map_user(&fixture, 1, 2, ADDRESS));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 4 * PAGE));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
}

/* A call that fails leaves nothing pinned, counted or mapped. */
static bool fails(const struct fixture *fixture, __u32 status, __u32 permissions,
		  const void *address, __u64 length, __u64 logical)
{
	__u64 locked = locked_memory();
	long long pinned = pinned_pages();
	__u64 mapped = query(fixture->fd, fixture->domain).mapped_pages;
	bool good;

	good = EXPECT(status, wdm_map_user(fixture->fd, fixture->domain, permissions, address,
					   length,
					   logical));
	good &= CHECK_EQUAL(locked_memory(), locked);
	good &= CHECK_EQUAL(query(fixture->fd, fixture->domain).mapped_pages, mapped);
	good &= CHECK(pins_are_back(pinned));
	if (!good)
		tap_diag("permissions %#x, %p + %#llx at %#llx", permissions, address, length,
			 logical);
	return good;
}

static void parameters(void)
{
	const __u32 bad_permissions[] = { 0, 4, WDM_RW | 4, 1U << 31, WDM_RW | 1U << 31, ~0U };
	const __u64 bad_lengths[] = {
		0, 1, PAGE - 1, PAGE + 1, -PAGE, 1ULL << 63 | 1, ~0ULL
	};
	struct wdm_iommu_info info;
	struct fixture fixture;
	__u32 other;
	char *memory;

	open_fixture(&fixture);
	MUST(wdm_info(fixture.fd, &info));
	memory = get_pages(4);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	for (size_t i = 0; i < ARRAY_SIZE(bad_permissions); i++)
		fails(&fixture, STATUS_INVALID_PARAMETER_2, bad_permissions[i], memory, PAGE,
		      ADDRESS);
	for (size_t i = 0; i < ARRAY_SIZE(bad_lengths); i++)
		fails(&fixture, STATUS_INVALID_PARAMETER_3, WDM_RW, memory, bad_lengths[i],
		      ADDRESS);
	fails(&fixture, STATUS_INVALID_PARAMETER_3, WDM_RW, memory,
	      (info.max_mdl_length | (PAGE - 1)) + 1, ADDRESS);
	fails(&fixture, STATUS_INVALID_PARAMETER_3, WDM_RW, memory + 1, PAGE, ADDRESS);
	fails(&fixture, STATUS_INVALID_PARAMETER_3, WDM_RW, memory + PAGE / 2, PAGE, ADDRESS);
	fails(&fixture, STATUS_INVALID_PARAMETER_3, WDM_RW, (void *)-PAGE, 2 * PAGE, ADDRESS);
	fails(&fixture, STATUS_INVALID_PARAMETER_4, WDM_RW, memory, PAGE, ADDRESS + 1);
	fails(&fixture, STATUS_INVALID_PARAMETER_4, WDM_RW, memory, PAGE, ~0ULL);
	fails(&fixture, STATUS_INVALID_PARAMETER_4, WDM_RW, memory, 2 * PAGE, -PAGE);
	fails(&fixture, STATUS_INVALID_PARAMETER_4, WDM_RW, memory, 4 * PAGE, -3 * PAGE);
	/* Up to the last page of the address space */
	MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_RW, memory, 4 * PAGE, -4 * PAGE));

	other = fixture.domain;
	MUST(wdm_domain_create(fixture.fd, false, 0, &fixture.domain));
	fails(&fixture, STATUS_INVALID_PARAMETER_1, WDM_RW, memory, PAGE, ADDRESS);
	fails(&fixture, STATUS_INVALID_PARAMETER_1, 0, memory + 1, 1, 1);
	MUST(wdm_destroy(fixture.fd, fixture.domain));
	MUST(wdm_destroy(fixture.fd, other));
	CHECK_EQUAL(locked_memory(), 0);
	EXPECT(STATUS_INVALID_HANDLE,
	       wdm_map_user(fixture.fd, other, WDM_RW, memory, PAGE, ADDRESS));
}

static void no_memory(void)
{
	struct fixture fixture;
	char *memory;

	open_fixture(&fixture);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	memory = get_pages(64);
	REQUIRE(!munmap(memory + 40 * PAGE, PAGE));
	REQUIRE(!mprotect(memory + 50 * PAGE, PAGE, PROT_NONE));
	REQUIRE(!mprotect(memory + 60 * PAGE, PAGE, PROT_READ));
	/* The first bad page comes after some good ones. */
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_IOMMU_READ, memory, 64 * PAGE, ADDRESS);
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_IOMMU_READ, memory + 41 * PAGE, 10 * PAGE,
	      ADDRESS);
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_RW, memory + 51 * PAGE, 10 * PAGE, ADDRESS);
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_IOMMU_WRITE, memory + 51 * PAGE, 10 * PAGE,
	      ADDRESS);
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_RW, memory + 60 * PAGE, PAGE, ADDRESS);
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_RW, NULL, PAGE, ADDRESS);
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_RW, (void *)(1UL << 63), PAGE, ADDRESS);
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_RW, (void *)(-2 * PAGE), PAGE, ADDRESS);
	/* Read permission requires only readable memory. */
	MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_IOMMU_READ, memory + 51 * PAGE, 10 * PAGE,
			  ADDRESS));
	CHECK_EQUAL(locked_memory(), 10 * PAGE);
}

/* Conflicts with mappings of the domain, or with its device */
static void refused(void)
{
	struct fixture fixture;
	__u64 beyond;

	open_unpinned(&fixture, get_pages(8), 8);
	MUST(map_user(&fixture, 1, 1, ADDRESS + PAGE));
	/* At the first page, at the last one, and with the whole range */
	fails(&fixture, STATUS_RESOURCE_IN_USE, WDM_RW, page(&fixture, 2), 3 * PAGE,
	      ADDRESS + PAGE);
	fails(&fixture, STATUS_RESOURCE_IN_USE, WDM_RW, page(&fixture, 2), 2 * PAGE, ADDRESS);
	fails(&fixture, STATUS_RESOURCE_IN_USE, WDM_RW, page(&fixture, 2), PAGE, ADDRESS + PAGE);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 1)));

	beyond = query(fixture.fd, fixture.domain).aperture_end + 1;
	if (beyond) {
		fails(&fixture, STATUS_CONFLICTING_ADDRESSES, WDM_RW, page(&fixture, 2), PAGE,
		      beyond);
		fails(&fixture, STATUS_CONFLICTING_ADDRESSES, WDM_RW, page(&fixture, 2), 2 * PAGE,
		      beyond - PAGE);
	}
}

static void device_memory(void)
{
	struct fixture fixture;
	__u32 status;

	open_unpinned(&fixture, get_pages(1), 1);
	status = wdm_map_user(fixture.fd, fixture.domain, WDM_RW, fixture.probe.bar0, PAGE,
			      ADDRESS);
	CHECK(status == STATUS_ACCESS_VIOLATION || status == STATUS_NOT_SUPPORTED);
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 1);
}

static void permissions(void)
{
	struct fixture fixture;

	open_unpinned(&fixture, get_pages(4), 4);
	MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_IOMMU_READ, page(&fixture, 1), PAGE,
			  ADDRESS));
	is_mapped(&fixture, ADDRESS, 0, WDM_IOMMU_READ);
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	/* Write only: it depends on the IOMMU whether the device may read, too. */
	MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_IOMMU_WRITE, page(&fixture, 2), PAGE,
			  ADDRESS + PAGE));
	is_mapped(&fixture, ADDRESS + PAGE, 0, WDM_IOMMU_WRITE);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
}

/* Memory that the program can only read, mapped read-only */
static void read_only_memory(void)
{
	struct fixture fixture;
	unsigned char *memory = get_pages(2);

	open_unpinned(&fixture, memory, 2);
	memset(page(&fixture, 1), 0x11, PAGE);
	REQUIRE(!mprotect(page(&fixture, 1), PAGE, PROT_READ));
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_RW, page(&fixture, 1), PAGE, ADDRESS);
	fails(&fixture, STATUS_ACCESS_VIOLATION, WDM_IOMMU_WRITE, page(&fixture, 1), PAGE, ADDRESS);
	MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_IOMMU_READ, page(&fixture, 1), PAGE,
			  ADDRESS));
	REQUIRE(!mprotect(page(&fixture, 1), PAGE, PROT_READ | PROT_WRITE));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

/* Pinned for reading before its first use, and then written by the program */
static void untouched(void)
{
	struct fixture fixture;
	void *memory;

	open_unpinned(&fixture, get_pages(1), 1);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_IOMMU_READ, memory, PAGE, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, memory));
}

/* Without CAP_IPC_LOCK, with a limit of 64 pages */
static void limit(void)
{
	const struct rlimit limits = { 64 * PAGE, 64 * PAGE };
	long long pinned = pinned_pages();
	struct fixture fixture;

	open_fixture(&fixture);
	fixture.arena = get_pages(256);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limits));
	REQUIRE(drop_capability(CAP_IPC_LOCK));
	fails(&fixture, STATUS_WORKING_SET_QUOTA, WDM_RW, fixture.arena, 65 * PAGE, ADDRESS);
	MUST(map_user(&fixture, 0, 40, ADDRESS));
	fails(&fixture, STATUS_WORKING_SET_QUOTA, WDM_RW, page(&fixture, 40), 25 * PAGE,
	      2 * ADDRESS);
	MUST(map_user(&fixture, 40, 24, 2 * ADDRESS));
	fails(&fixture, STATUS_WORKING_SET_QUOTA, WDM_RW, page(&fixture, 64), PAGE, 3 * ADDRESS);
	/* Unmapped memory does not count. */
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 39 * PAGE));
	fails(&fixture, STATUS_WORKING_SET_QUOTA, WDM_RW, page(&fixture, 64), 40 * PAGE,
	      3 * ADDRESS);
	MUST(map_user(&fixture, 64, 39, 3 * ADDRESS));
	MUST(wdm_unmap(fixture.fd, fixture.domain, 3 * ADDRESS, 39 * PAGE));
	/* Nor does memory for which a call failed for another reason. */
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + 39 * PAGE, PAGE));
	for (unsigned int i = 0; i < 3; i++)
		fails(&fixture, STATUS_RESOURCE_IN_USE, WDM_RW, page(&fixture, 64), 24 * PAGE,
		      2 * ADDRESS);
	MUST(map_user(&fixture, 64, 40, ADDRESS));
	CHECK_EQUAL(locked_memory(), 64 * PAGE);
	MUST(wdm_destroy(fixture.fd, fixture.domain));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* Three ways to release all of it at once */
static void given_back(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;
	__u32 other;

	open_unpinned(&fixture, get_pages(16), 16);
	MUST(wdm_domain_create(fixture.fd, true, 0, &other));
	MUST(wdm_map_user(fixture.fd, other, WDM_RW, page(&fixture, 3), 5 * PAGE, ADDRESS));
	MUST(wdm_unmap(fixture.fd, other, ADDRESS + PAGE, PAGE));
	MUST(map_user(&fixture, 8, 2, ADDRESS));
	CHECK_EQUAL(locked_memory(), 7 * PAGE);
	MUST(wdm_destroy(fixture.fd, other));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	CHECK(pins_are_back(pinned + 3));

	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	MUST(wdm_destroy(fixture.fd, fixture.domain));
	CHECK_EQUAL(locked_memory(), 0);

	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(map_user(&fixture, 0, 16, ADDRESS));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 8 * PAGE, page(&fixture, 8)));
	close(fixture.fd);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 8 * PAGE, page(&fixture, 8)));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* A batch releases what it unmaps when it returns, and nothing else. */
static void unmapped_by_batch(void)
{
	const struct wdm_iommu_batch_op ops[] = {
		{ WDM_IOMMU_BATCH_UNMAP, .length = PAGE, .logical_address = ADDRESS + PAGE },
		{ WDM_IOMMU_BATCH_UNMAP, .length = PAGE, .logical_address = ADDRESS + 4 * PAGE },
		{ WDM_IOMMU_BATCH_UNMAP, .length = PAGE, .logical_address = ADDRESS },
		{ WDM_IOMMU_BATCH_UNMAP, .length = PAGE, .logical_address = ADDRESS + 2 * PAGE },
	};
	long long pinned = pinned_pages();
	struct fixture fixture;

	open_unpinned(&fixture, get_pages(8), 8);
	MUST(map_user(&fixture, 1, 3, ADDRESS));
	MUST(map_user(&fixture, 4, 2, ADDRESS + 3 * PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	MUST(wdm_batch(fixture.fd, fixture.domain, ops, 3, NULL));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	CHECK(pins_are_back(pinned + 3));
	MUST(wdm_batch(fixture.fd, fixture.domain, ops + 3, 1, NULL));
	CHECK_EQUAL(locked_memory(), 2 * PAGE);
	CHECK(pins_are_back(pinned + 2));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 4)));
}

/* Memory stays mapped for the device after the program has unmapped it. */
static void unmapped_by_program(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;
	unsigned char *memory;

	open_unpinned(&fixture, get_pages(2), 2);
	memory = get_pages(4);
	MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_RW, memory, 4 * PAGE, ADDRESS));
	REQUIRE(!munmap(memory, 4 * PAGE));
	CHECK_EQUAL(locked_memory(), 5 * PAGE);
	CHECK_EQUAL(pinned_pages(), pinned + 5);
	/* The transfer uses the pinned memory, which is mapped nowhere else. */
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	/* The device reads back what it has written. */
	REQUIRE(wdm_edu_write(fixture.probe.bar0, ADDRESS + PAGE, 0, PROBE_BYTES));
	REQUIRE(wdm_edu_read(fixture.probe.bar0, HOME_ADDRESS, 0, PROBE_BYTES));
	REQUIRE(wdm_edu_read(fixture.probe.bar0, ADDRESS + PAGE, 0, PROBE_BYTES));
	memset(page(&fixture, 0), 0, PROBE_BYTES);
	REQUIRE(wdm_edu_write(fixture.probe.bar0, HOME_ADDRESS, 0, PROBE_BYTES));
	CHECK(!memcmp(page(&fixture, 0), fixture.probe.device, PROBE_BYTES));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 4 * PAGE));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
}

/* Another mapping of the same file shows the device's writes. */
static void shared_memory(void)
{
	int fd = memfd_create("wdm-e2e", MFD_CLOEXEC);
	unsigned char *arena, *memory;
	struct fixture fixture;

	REQUIRE(fd >= 0 && !ftruncate(fd, 4 * PAGE));
	arena = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(arena != MAP_FAILED && memory != MAP_FAILED);
	open_unpinned(&fixture, arena, 4);
	MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_RW, memory, 3 * PAGE, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 2)));
	REQUIRE(!munmap(memory, 4 * PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS + PAGE, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 3)));
}

/* Map part of what one large page may map. */
static void huge_page(void)
{
	const size_t pages = HUGE_PAGE_SIZE / PAGE;
	const __u64 address = 2 * ADDRESS;
	struct fixture fixture;

	open_unpinned(&fixture, get_huge_page(), pages);
	MUST(map_user(&fixture, 0, pages, address));
	CHECK_EQUAL(locked_memory(), (1 + pages) * PAGE);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 300 * PAGE, page(&fixture, 300)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, address + 300 * PAGE, PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + 300 * PAGE, page(&fixture, 300)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 299 * PAGE, page(&fixture, 299)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 511 * PAGE, page(&fixture, 511)));
	CHECK_EQUAL(locked_memory(), pages * PAGE);
	MUST(wdm_unmap(fixture.fd, fixture.domain, address, 300 * PAGE));
	MUST(wdm_unmap(fixture.fd, fixture.domain, address + 301 * PAGE, 211 * PAGE));
	CHECK_EQUAL(locked_memory(), PAGE);
}

/* Another process unmaps: the memory is uncharged from the one that mapped it. */
static void unmapped_by_another(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;
	pid_t child;
	int status;

	open_fixture(&fixture);
	fixture.arena = get_pages(8);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(map_user(&fixture, 0, 8, ADDRESS));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		/* It also maps memory of its own, and leaves it mapped. */
		MUST(map_user(&fixture, 0, 3, 2 * ADDRESS));
		CHECK_EQUAL(locked_memory(), 3 * PAGE);
		MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, 8 * PAGE));
		CHECK_EQUAL(locked_memory(), 3 * PAGE);
		finish();
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned + 3));
	MUST(wdm_unmap(fixture.fd, fixture.domain, 2 * ADDRESS, 3 * PAGE));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

static unsigned int alarms;

static void on_alarm(int number)
{
	(void)number;
	__atomic_add_fetch(&alarms, 1, __ATOMIC_RELAXED);
}

#define MANY_PAGES	(64 * 1024 * 1024 / PAGE)

/* Only a fatal signal ends a call. */
static void interrupted(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	long long pinned = pinned_pages();
	struct fixture fixture;
	void *memory;

	open_fixture(&fixture);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	REQUIRE(!sigaction(SIGALRM, &action, NULL));
	memory = mmap(NULL, MANY_PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	madvise(memory, MANY_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (unsigned int i = 0; i < 12; i++) {
		struct itimerval timer = { .it_value.tv_usec = 500 << i % 6 };

		madvise(memory, MANY_PAGES * PAGE, MADV_DONTNEED);
		setitimer(ITIMER_REAL, &timer, NULL);
		MUST(wdm_map_user(fixture.fd, fixture.domain, WDM_RW, memory, MANY_PAGES * PAGE,
				  ADDRESS));
		CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, MANY_PAGES);
		MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, MANY_PAGES * PAGE));
		CHECK_EQUAL(locked_memory(), 0);
	}
	CHECK(__atomic_load_n(&alarms, __ATOMIC_RELAXED) > 0);
	CHECK(pins_are_back(pinned));
}

/* Map a buffer for each transfer. */
static void many_times(void)
{
	long long pinned = pinned_pages();
	struct fixture fixture;

	open_unpinned(&fixture, get_pages(32), 32);
	for (unsigned int i = 0; i < 500; i++) {
		size_t first = 1 + i % 16, pages = 1 + i % 15;

		MUST(map_user(&fixture, first, pages, ADDRESS));
		CHECK_EQUAL(locked_memory(), (1 + pages) * PAGE);
		if (i % 64 == 0)
			EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + (pages - 1) * PAGE,
							 page(&fixture, first + pages - 1)));
		MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, pages * PAGE));
	}
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
}

static const struct test_case cases[] = {
	{ .name = "mapped and unmapped", .run = maps, .needs = NEEDS_DEVICE },
	{ .name = "unmapped in parts", .run = partly_unmapped, .needs = NEEDS_DEVICE },
	{ .name = "the same memory twice", .run = twice, .needs = NEEDS_DEVICE },
	{ .name = "parameters", .run = parameters },
	{ .name = "memory that is not there, or not for this access", .run = no_memory },
	{ .name = "addresses that are taken", .run = refused, .needs = NEEDS_DEVICE },
	{ .name = "a device's memory", .run = device_memory, .needs = NEEDS_DEVICE },
	{ .name = "permissions", .run = permissions, .needs = NEEDS_DEVICE },
	{ .name = "memory that can only be read", .run = read_only_memory,
	  .needs = NEEDS_DEVICE },
	{ .name = "memory that is written after it was pinned for reading", .run = untouched,
	  .needs = NEEDS_DEVICE },
	{ .name = "RLIMIT_MEMLOCK", .run = limit },
	{ .name = "domains and files that go", .run = given_back, .needs = NEEDS_DEVICE },
	{ .name = "unmapped by batches", .run = unmapped_by_batch, .needs = NEEDS_DEVICE },
	{ .name = "memory that the program unmaps", .run = unmapped_by_program,
	  .needs = NEEDS_DEVICE },
	{ .name = "shared memory", .run = shared_memory, .needs = NEEDS_DEVICE },
	{ .name = "hugetlb", .run = huge_page, .needs = NEEDS_DEVICE },
	{ .name = "another process unmaps", .run = unmapped_by_another },
	{ .name = "a signal", .run = interrupted },
	{ .name = "many times", .run = many_times, .needs = NEEDS_DEVICE },
};

const struct suite mapuser_suite = { "mapuser", cases, ARRAY_SIZE(cases) };
