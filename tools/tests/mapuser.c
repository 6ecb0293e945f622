// SPDX-License-Identifier: GPL-2.0
/*
 * MAP_USER: memory that is pinned for one map, and for as long as any page of it is
 * mapped.
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
#include "world.h"

#define PAGE	WDM_PAGE_SIZE

/* Pages of the arena */
static __u32 map_user(const struct world *world, size_t first, size_t pages, __u64 address)
{
	return wdm_map_user(world->fd, world->domain, WDM_RW, page(world, first), pages * PAGE,
			    address);
}

/* An arena that is not pinned, and a device attached to a domain of one page of it */
static void open_unpinned(struct world *world, void *memory, size_t pages)
{
	open_world(world);
	world->arena = memory;
	world->pages = pages;
	open_device(world);
	MUST(wdm_domain_create(world->fd, true, 0, &world->domain));
	MUST(map_user(world, 0, 1, HOME_ADDRESS));
	MUST(wdm_attach(world->fd, world->domain, world->device.handle));
	REQUIRE(probe_load(&world->probe, HOME_ADDRESS, page(world, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(world, HOME_ADDRESS, page(world, 0)));
}

/* The page at @address is that many bytes into an MDL without a handle. */
static bool is_mapped(const struct world *world, __u64 address, __u64 offset, __u32 permissions)
{
	struct wdm_iommu_mapping mapping;

	return CHECK(find_mapping(world->fd, world->domain, WDM_IOMMU_QUERY_LOGICAL, address,
				  &mapping)) &
	       CHECK_EQUAL(mapping.mdl, 0) & CHECK_EQUAL(mapping.offset, offset) &
	       CHECK_EQUAL(mapping.permissions, permissions);
}

static void maps(void)
{
	long long pinned = pinned_pages();
	struct world world;

	open_unpinned(&world, get_pages(8), 8);
	CHECK_EQUAL(locked_memory(), PAGE);
	MUST(map_user(&world, 2, 3, ADDRESS));
	CHECK_EQUAL(locked_memory(), 4 * PAGE);
	CHECK_EQUAL(pinned_pages(), pinned + 4);
	CHECK_EQUAL(query(world.fd, world.domain).mapped_pages, 4);
	for (size_t i = 0; i < 3; i++) {
		is_mapped(&world, ADDRESS + i * PAGE, i * PAGE, WDM_RW);
		EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + i * PAGE, page(&world, 2 + i)));
	}
	EXPECT_DMA(DMA_ARRIVED, read_from(&world, ADDRESS + PAGE, page(&world, 3)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS + 3 * PAGE, page(&world, 5)));
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 3));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
	for (size_t i = 0; i < 3; i++)
		EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS + i * PAGE, page(&world, 2 + i)));
}

/* All of its pages stay pinned until the last one goes. */
static void partly_unmapped(void)
{
	long long pinned = pinned_pages();
	struct world world;

	open_unpinned(&world, get_pages(8), 8);
	MUST(map_user(&world, 2, 5, ADDRESS));
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS + 2 * PAGE, 1));
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 1));
	CHECK_EQUAL(locked_memory(), 6 * PAGE);
	CHECK_EQUAL(pinned_pages(), pinned + 6);
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + PAGE, page(&world, 3)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS + 2 * PAGE, page(&world, 4)));
	is_mapped(&world, ADDRESS + 3 * PAGE, 3 * PAGE, WDM_RW);
	/* Other memory in the place of one page */
	MUST(map_user(&world, 7, 1, ADDRESS));
	CHECK_EQUAL(locked_memory(), 7 * PAGE);
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 7)));
	is_mapped(&world, ADDRESS, 0, WDM_RW);
	/* The last page of the other, and all but one of the first */
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 2));
	CHECK_EQUAL(locked_memory(), 6 * PAGE);
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS + 3 * PAGE, 1));
	CHECK_EQUAL(locked_memory(), 6 * PAGE);
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS + 4 * PAGE, 1));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
}

/* The same memory twice is pinned and counted twice. */
static void twice(void)
{
	long long pinned = pinned_pages();
	struct world world;

	open_unpinned(&world, get_pages(4), 4);
	MUST(map_user(&world, 1, 2, ADDRESS));
	MUST(map_user(&world, 1, 2, ADDRESS + 2 * PAGE));
	CHECK_EQUAL(locked_memory(), 5 * PAGE);
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 2));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	CHECK_EQUAL(pinned_pages(), pinned + 3);
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS + PAGE, page(&world, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + 3 * PAGE, page(&world, 2)));
	/* Across both and in one go */
	MUST(map_user(&world, 1, 2, ADDRESS));
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 4));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
}

/* Nothing of a call that fails stays pinned, counted or mapped. */
static bool fails(const struct world *world, __u32 status, __u32 permissions,
		  const void *address, __u64 length, __u64 logical)
{
	__u64 locked = locked_memory();
	long long pinned = pinned_pages();
	__u64 mapped = query(world->fd, world->domain).mapped_pages;
	bool good;

	good = EXPECT(status, wdm_map_user(world->fd, world->domain, permissions, address, length,
					   logical));
	good &= CHECK_EQUAL(locked_memory(), locked);
	good &= CHECK_EQUAL(query(world->fd, world->domain).mapped_pages, mapped);
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
	struct world world;
	__u32 other;
	char *memory;

	open_world(&world);
	MUST(wdm_info(world.fd, &info));
	memory = get_pages(4);
	MUST(wdm_domain_create(world.fd, true, 0, &world.domain));
	for (size_t i = 0; i < ARRAY_SIZE(bad_permissions); i++)
		fails(&world, STATUS_INVALID_PARAMETER_2, bad_permissions[i], memory, PAGE,
		      ADDRESS);
	for (size_t i = 0; i < ARRAY_SIZE(bad_lengths); i++)
		fails(&world, STATUS_INVALID_PARAMETER_3, WDM_RW, memory, bad_lengths[i], ADDRESS);
	fails(&world, STATUS_INVALID_PARAMETER_3, WDM_RW, memory,
	      (info.max_mdl_length | (PAGE - 1)) + 1, ADDRESS);
	fails(&world, STATUS_INVALID_PARAMETER_3, WDM_RW, memory + 1, PAGE, ADDRESS);
	fails(&world, STATUS_INVALID_PARAMETER_3, WDM_RW, memory + PAGE / 2, PAGE, ADDRESS);
	fails(&world, STATUS_INVALID_PARAMETER_3, WDM_RW, (void *)-PAGE, 2 * PAGE, ADDRESS);
	fails(&world, STATUS_INVALID_PARAMETER_4, WDM_RW, memory, PAGE, ADDRESS + 1);
	fails(&world, STATUS_INVALID_PARAMETER_4, WDM_RW, memory, PAGE, ~0ULL);
	fails(&world, STATUS_INVALID_PARAMETER_4, WDM_RW, memory, 2 * PAGE, -PAGE);
	fails(&world, STATUS_INVALID_PARAMETER_4, WDM_RW, memory, 4 * PAGE, -3 * PAGE);
	/* Up to the last page of all */
	MUST(wdm_map_user(world.fd, world.domain, WDM_RW, memory, 4 * PAGE, -4 * PAGE));

	other = world.domain;
	MUST(wdm_domain_create(world.fd, false, 0, &world.domain));
	fails(&world, STATUS_INVALID_PARAMETER_1, WDM_RW, memory, PAGE, ADDRESS);
	fails(&world, STATUS_INVALID_PARAMETER_1, 0, memory + 1, 1, 1);
	MUST(wdm_domain_delete(world.fd, world.domain));
	MUST(wdm_domain_delete(world.fd, other));
	CHECK_EQUAL(locked_memory(), 0);
	EXPECT(STATUS_INVALID_HANDLE,
	       wdm_map_user(world.fd, other, WDM_RW, memory, PAGE, ADDRESS));
}

static void no_memory(void)
{
	struct world world;
	char *memory;

	open_world(&world);
	MUST(wdm_domain_create(world.fd, true, 0, &world.domain));
	memory = get_pages(64);
	REQUIRE(!munmap(memory + 40 * PAGE, PAGE));
	REQUIRE(!mprotect(memory + 50 * PAGE, PAGE, PROT_NONE));
	REQUIRE(!mprotect(memory + 60 * PAGE, PAGE, PROT_READ));
	/* Some pages are good, before the first that is not. */
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_IOMMU_READ, memory, 64 * PAGE, ADDRESS);
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_IOMMU_READ, memory + 41 * PAGE, 10 * PAGE,
	      ADDRESS);
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_RW, memory + 51 * PAGE, 10 * PAGE, ADDRESS);
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_IOMMU_WRITE, memory + 51 * PAGE, 10 * PAGE,
	      ADDRESS);
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_RW, memory + 60 * PAGE, PAGE, ADDRESS);
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_RW, NULL, PAGE, ADDRESS);
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_RW, (void *)(1UL << 63), PAGE, ADDRESS);
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_RW, (void *)(-2 * PAGE), PAGE, ADDRESS);
	/* For reading, memory that can be read is enough. */
	MUST(wdm_map_user(world.fd, world.domain, WDM_IOMMU_READ, memory + 51 * PAGE, 10 * PAGE,
			  ADDRESS));
	CHECK_EQUAL(locked_memory(), 10 * PAGE);
}

/* What is in the way, of the domain or of its device */
static void refused(void)
{
	struct world world;
	__u64 beyond;

	open_unpinned(&world, get_pages(8), 8);
	MUST(map_user(&world, 1, 1, ADDRESS + PAGE));
	/* At the first page, at the last one, and by itself */
	fails(&world, STATUS_RESOURCE_IN_USE, WDM_RW, page(&world, 2), 3 * PAGE, ADDRESS + PAGE);
	fails(&world, STATUS_RESOURCE_IN_USE, WDM_RW, page(&world, 2), 2 * PAGE, ADDRESS);
	fails(&world, STATUS_RESOURCE_IN_USE, WDM_RW, page(&world, 2), PAGE, ADDRESS + PAGE);
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + PAGE, page(&world, 1)));

	beyond = query(world.fd, world.domain).aperture_end + 1;
	if (beyond) {
		fails(&world, STATUS_CONFLICTING_ADDRESSES, WDM_RW, page(&world, 2), PAGE, beyond);
		fails(&world, STATUS_CONFLICTING_ADDRESSES, WDM_RW, page(&world, 2), 2 * PAGE,
		      beyond - PAGE);
	}
}

static void device_memory(void)
{
	struct world world;
	__u32 status;

	open_unpinned(&world, get_pages(1), 1);
	status = wdm_map_user(world.fd, world.domain, WDM_RW, world.device.bar0, PAGE, ADDRESS);
	CHECK(status == STATUS_ACCESS_VIOLATION || status == STATUS_NOT_SUPPORTED);
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK_EQUAL(query(world.fd, world.domain).mapped_pages, 1);
}

static void permissions(void)
{
	struct world world;

	open_unpinned(&world, get_pages(4), 4);
	MUST(wdm_map_user(world.fd, world.domain, WDM_IOMMU_READ, page(&world, 1), PAGE, ADDRESS));
	is_mapped(&world, ADDRESS, 0, WDM_IOMMU_READ);
	EXPECT_DMA(DMA_ARRIVED, read_from(&world, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
	/* Writing alone: whether the device may read, too, is the IOMMU's affair. */
	MUST(wdm_map_user(world.fd, world.domain, WDM_IOMMU_WRITE, page(&world, 2), PAGE,
			  ADDRESS + PAGE));
	is_mapped(&world, ADDRESS + PAGE, 0, WDM_IOMMU_WRITE);
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + PAGE, page(&world, 2)));
}

/* Memory that the program can only read, mapped for reading */
static void read_only_memory(void)
{
	struct world world;
	unsigned char *memory = get_pages(2);

	open_unpinned(&world, memory, 2);
	memset(page(&world, 1), 0x11, PAGE);
	REQUIRE(!mprotect(page(&world, 1), PAGE, PROT_READ));
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_RW, page(&world, 1), PAGE, ADDRESS);
	fails(&world, STATUS_ACCESS_VIOLATION, WDM_IOMMU_WRITE, page(&world, 1), PAGE, ADDRESS);
	MUST(wdm_map_user(world.fd, world.domain, WDM_IOMMU_READ, page(&world, 1), PAGE, ADDRESS));
	REQUIRE(!mprotect(page(&world, 1), PAGE, PROT_READ | PROT_WRITE));
	EXPECT_DMA(DMA_ARRIVED, read_from(&world, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
}

/* Pinned for reading where nothing was yet, and written by the program afterwards */
static void untouched(void)
{
	struct world world;
	void *memory;

	open_unpinned(&world, get_pages(1), 1);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	MUST(wdm_map_user(world.fd, world.domain, WDM_IOMMU_READ, memory, PAGE, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, read_from(&world, ADDRESS, memory));
}

/* Without CAP_IPC_LOCK, and with a limit of 64 pages */
static void limit(void)
{
	const struct rlimit limits = { 64 * PAGE, 64 * PAGE };
	long long pinned = pinned_pages();
	struct world world;

	open_world(&world);
	world.arena = get_pages(256);
	MUST(wdm_domain_create(world.fd, true, 0, &world.domain));
	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limits));
	REQUIRE(drop_capability(CAP_IPC_LOCK));
	fails(&world, STATUS_WORKING_SET_QUOTA, WDM_RW, world.arena, 65 * PAGE, ADDRESS);
	MUST(map_user(&world, 0, 40, ADDRESS));
	fails(&world, STATUS_WORKING_SET_QUOTA, WDM_RW, page(&world, 40), 25 * PAGE, 2 * ADDRESS);
	MUST(map_user(&world, 40, 24, 2 * ADDRESS));
	fails(&world, STATUS_WORKING_SET_QUOTA, WDM_RW, page(&world, 64), PAGE, 3 * ADDRESS);
	/* What is still pinned counts, however little of it is mapped. */
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 39));
	fails(&world, STATUS_WORKING_SET_QUOTA, WDM_RW, page(&world, 64), PAGE, 3 * ADDRESS);
	/* What fails for another reason does not. */
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS + 39 * PAGE, 1));
	for (unsigned int i = 0; i < 3; i++)
		fails(&world, STATUS_RESOURCE_IN_USE, WDM_RW, page(&world, 64), 24 * PAGE,
		      2 * ADDRESS);
	MUST(map_user(&world, 64, 40, ADDRESS));
	CHECK_EQUAL(locked_memory(), 64 * PAGE);
	MUST(wdm_domain_delete(world.fd, world.domain));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* Three ways in which all of it goes at once */
static void given_back(void)
{
	long long pinned = pinned_pages();
	struct world world;
	__u32 other;

	open_unpinned(&world, get_pages(16), 16);
	MUST(wdm_domain_create(world.fd, true, 0, &other));
	MUST(wdm_map_user(world.fd, other, WDM_RW, page(&world, 3), 5 * PAGE, ADDRESS));
	MUST(wdm_unmap(world.fd, other, ADDRESS + PAGE, 1));
	MUST(map_user(&world, 8, 2, ADDRESS));
	CHECK_EQUAL(locked_memory(), 8 * PAGE);
	MUST(wdm_domain_delete(world.fd, other));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	CHECK(pins_are_back(pinned + 3));

	MUST(wdm_detach(world.fd, world.device.handle));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	MUST(wdm_domain_delete(world.fd, world.domain));
	CHECK_EQUAL(locked_memory(), 0);

	MUST(wdm_domain_create(world.fd, true, 0, &world.domain));
	MUST(map_user(&world, 0, 16, ADDRESS));
	MUST(wdm_attach(world.fd, world.domain, world.device.handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + 8 * PAGE, page(&world, 8)));
	close(world.fd);
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS + 8 * PAGE, page(&world, 8)));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* A batch gives it back when it returns, and what is left of it stays. */
static void unmapped_by_batch(void)
{
	const struct wdm_iommu_batch_op ops[] = {
		{ WDM_IOMMU_BATCH_UNMAP, .length = PAGE, .logical_address = ADDRESS + PAGE },
		{ WDM_IOMMU_BATCH_UNMAP, .length = PAGE, .logical_address = ADDRESS + 4 * PAGE },
		{ WDM_IOMMU_BATCH_UNMAP, .length = PAGE, .logical_address = ADDRESS },
		{ WDM_IOMMU_BATCH_UNMAP, .length = PAGE, .logical_address = ADDRESS + 2 * PAGE },
	};
	long long pinned = pinned_pages();
	struct world world;

	open_unpinned(&world, get_pages(8), 8);
	MUST(map_user(&world, 1, 3, ADDRESS));
	MUST(map_user(&world, 4, 2, ADDRESS + 3 * PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
	MUST(wdm_batch(world.fd, world.domain, ops, 3, NULL));
	CHECK_EQUAL(locked_memory(), 6 * PAGE);
	MUST(wdm_batch(world.fd, world.domain, ops + 3, 1, NULL));
	CHECK_EQUAL(locked_memory(), 3 * PAGE);
	CHECK(pins_are_back(pinned + 3));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + 3 * PAGE, page(&world, 4)));
}

/* The memory outlives its place in the program, as memory of the device alone. */
static void unmapped_by_program(void)
{
	long long pinned = pinned_pages();
	struct world world;
	unsigned char *memory;

	open_unpinned(&world, get_pages(2), 2);
	memory = get_pages(4);
	MUST(wdm_map_user(world.fd, world.domain, WDM_RW, memory, 4 * PAGE, ADDRESS));
	REQUIRE(!munmap(memory, 4 * PAGE));
	CHECK_EQUAL(locked_memory(), 5 * PAGE);
	CHECK_EQUAL(pinned_pages(), pinned + 5);
	/* It goes to memory that nobody else has. */
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
	/* And comes from there: what the device has written, it reads back. */
	REQUIRE(wdm_edu_write(world.device.bar0, ADDRESS + PAGE, 0, PROBE_BYTES));
	REQUIRE(wdm_edu_read(world.device.bar0, HOME_ADDRESS, 0, PROBE_BYTES));
	REQUIRE(wdm_edu_read(world.device.bar0, ADDRESS + PAGE, 0, PROBE_BYTES));
	memset(page(&world, 0), 0, PROBE_BYTES);
	REQUIRE(wdm_edu_write(world.device.bar0, HOME_ADDRESS, 0, PROBE_BYTES));
	CHECK(!memcmp(page(&world, 0), world.probe.device, PROBE_BYTES));
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 4));
	CHECK_EQUAL(locked_memory(), PAGE);
	CHECK(pins_are_back(pinned + 1));
}

/* Another mapping of the same file shows what the device writes. */
static void shared_memory(void)
{
	int fd = memfd_create("wdm-e2e", MFD_CLOEXEC);
	unsigned char *arena, *memory;
	struct world world;

	REQUIRE(fd >= 0 && !ftruncate(fd, 4 * PAGE));
	arena = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(arena != MAP_FAILED && memory != MAP_FAILED);
	open_unpinned(&world, arena, 4);
	MUST(wdm_map_user(world.fd, world.domain, WDM_RW, memory, 3 * PAGE, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + 2 * PAGE, page(&world, 2)));
	REQUIRE(!munmap(memory, 4 * PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + 2 * PAGE, page(&world, 2)));
	EXPECT_DMA(DMA_ARRIVED, read_from(&world, ADDRESS + PAGE, page(&world, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS + 3 * PAGE, page(&world, 3)));
}

/* A part of what one large page may map */
static void huge_page(void)
{
	const size_t pages = HUGE_PAGE_SIZE / PAGE;
	const __u64 address = 2 * ADDRESS;
	struct world world;

	open_unpinned(&world, get_huge_page(), pages);
	MUST(map_user(&world, 0, pages, address));
	CHECK_EQUAL(locked_memory(), (1 + pages) * PAGE);
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, address + 300 * PAGE, page(&world, 300)));
	MUST(wdm_unmap(world.fd, world.domain, address + 300 * PAGE, 1));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address + 300 * PAGE, page(&world, 300)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, address + 299 * PAGE, page(&world, 299)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, address + 511 * PAGE, page(&world, 511)));
	CHECK_EQUAL(locked_memory(), (1 + pages) * PAGE);
	MUST(wdm_unmap(world.fd, world.domain, address, 300));
	MUST(wdm_unmap(world.fd, world.domain, address + 301 * PAGE, 211));
	CHECK_EQUAL(locked_memory(), PAGE);
}

/* Another process unmaps: the locked memory is that of the one that mapped. */
static void unmapped_by_another(void)
{
	long long pinned = pinned_pages();
	struct world world;
	pid_t child;
	int status;

	open_world(&world);
	world.arena = get_pages(8);
	MUST(wdm_domain_create(world.fd, true, 0, &world.domain));
	MUST(map_user(&world, 0, 8, ADDRESS));
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		/* And maps memory of its own, which it leaves behind. */
		MUST(map_user(&world, 0, 3, 2 * ADDRESS));
		CHECK_EQUAL(locked_memory(), 3 * PAGE);
		MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 8));
		CHECK_EQUAL(locked_memory(), 3 * PAGE);
		finish();
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned + 3));
	MUST(wdm_unmap(world.fd, world.domain, 2 * ADDRESS, 3));
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

static void on_alarm(int number)
{
	(void)number;
}

#define MANY_PAGES	(64 * 1024 * 1024 / PAGE)

static void interrupted(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	long long pinned = pinned_pages();
	unsigned int cancelled = 0;
	struct world world;
	void *memory;

	open_world(&world);
	MUST(wdm_domain_create(world.fd, true, 0, &world.domain));
	REQUIRE(!sigaction(SIGALRM, &action, NULL));
	memory = mmap(NULL, MANY_PAGES * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	madvise(memory, MANY_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (unsigned int i = 0; i < 12; i++) {
		struct itimerval timer = { .it_value.tv_usec = 500 << i % 6 };
		__u32 status;

		madvise(memory, MANY_PAGES * PAGE, MADV_DONTNEED);
		setitimer(ITIMER_REAL, &timer, NULL);
		status = wdm_map_user(world.fd, world.domain, WDM_RW, memory, MANY_PAGES * PAGE,
				      ADDRESS);
		if (status == STATUS_CANCELLED) {
			cancelled++;
			CHECK_EQUAL(errno, EINTR);
			CHECK_EQUAL(query(world.fd, world.domain).mapped_pages, 0);
		} else {
			CHECK_EQUAL(status, STATUS_SUCCESS);
			MUST(wdm_unmap(world.fd, world.domain, ADDRESS, MANY_PAGES));
		}
		CHECK_EQUAL(locked_memory(), 0);
	}
	CHECK(cancelled > 0);
	CHECK(pins_are_back(pinned));
}

/* As a program does it that maps a buffer for each transfer */
static void many_times(void)
{
	long long pinned = pinned_pages();
	struct world world;

	open_unpinned(&world, get_pages(32), 32);
	for (unsigned int i = 0; i < 500; i++) {
		size_t first = 1 + i % 16, pages = 1 + i % 15;

		MUST(map_user(&world, first, pages, ADDRESS));
		CHECK_EQUAL(locked_memory(), (1 + pages) * PAGE);
		if (i % 64 == 0)
			EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + (pages - 1) * PAGE,
							 page(&world, first + pages - 1)));
		MUST(wdm_unmap(world.fd, world.domain, ADDRESS, pages));
	}
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
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
