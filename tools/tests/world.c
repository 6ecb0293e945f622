// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "world.h"

void open_world(struct world *world)
{
	*world = (struct world) { .fd = wdm_open() };
	REQUIRE(world->fd >= 0);
}

void open_arena(struct world *world, size_t pages)
{
	open_arena_at(world, get_pages(pages), pages);
}

void open_arena_at(struct world *world, void *memory, size_t pages)
{
	world->pages = pages;
	world->arena = memory;
	MUST(wdm_mdl_create(world->fd, world->arena, pages * WDM_PAGE_SIZE, WDM_RW,
			    &world->mdl));
}

void open_one(struct world *world, const char *bdf, const struct wdm_vfio_device *beside,
	      struct wdm_vfio_device *device, struct probe *probe)
{
	struct wdm_error error;
	char text[256];
	bool success;

	if (beside)
		success = wdm_vfio_open_beside(device, beside, world->fd, bdf, &error);
	else
		success = wdm_vfio_open(device, world->fd, bdf, &error);
	if (!success) {
		tap_diag("%s: cannot %s: %s", bdf, error.step,
			 wdm_status_describe(error.status, error.error, text, sizeof(text)));
		REQUIRE(false);
	}
	REQUIRE(wdm_edu_present(device->bar0));
	REQUIRE(probe_init(probe, device->bar0, world->arena, world->pages * WDM_PAGE_SIZE));
}

/* Needs the arena. */
void open_device(struct world *world)
{
	open_one(world, options.device.text, NULL, &world->device, &world->probe);
}

/* An OS-managed domain, with everything else */
void open_os_managed(struct world *world, size_t pages, __u32 flags)
{
	open_world(world);
	open_arena(world, pages);
	attach_os_managed(world, flags);
}

/* The same, with an arena that is open */
void attach_os_managed(struct world *world, __u32 flags)
{
	open_device(world);
	MUST(wdm_domain_create(world->fd, true, flags, &world->domain));
	MUST(map_pages(world, 0, 1, HOME_ADDRESS));
	MUST(wdm_attach(world->fd, world->domain, world->device.handle));
	REQUIRE(probe_load(&world->probe, HOME_ADDRESS, page(world, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(world, HOME_ADDRESS, page(world, 0)));
}

/* Tables at the end of the arena, in which page 0 is mapped; not configured yet */
void start_tables(struct world *world, const struct wdm_table_format *format,
		  unsigned int input_bits)
{
	void *memory = page(world, world->pages - TABLE_PAGES);

	wdm_tables_init(&world->tables, format, input_bits, memory, TABLE_PAGES,
			caller(memory));
	REQUIRE(wdm_tables_map(&world->tables, HOME_ADDRESS, caller(world->arena),
			       WDM_LEVEL_4K, WDM_RW));
}

/*
 * A caller-managed domain, with everything else. The arena stands in the
 * caller's address space at its own addresses; @pages is without the tables.
 */
void open_caller_managed(struct world *world, size_t pages,
			 const struct wdm_table_format *format)
{
	open_world(world);
	open_arena(world, pages + TABLE_PAGES);
	open_device(world);
	MUST(wdm_domain_create(world->fd, false, 0, &world->domain));
	MUST(wdm_memory_add(world->fd, world->domain, WDM_RW, world->mdl, 0, 0,
			    caller(world->arena)));
	MUST(wdm_attach(world->fd, world->domain, world->device.handle));
	start_tables(world, format, 48);
	MUST(wdm_tables_configure(&world->tables, world->fd, world->domain, NULL));
	REQUIRE(probe_load(&world->probe, HOME_ADDRESS, page(world, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(world, HOME_ADDRESS, page(world, 0)));
}

/* Another file's counts take a moment to come back. */
bool pins_are_back(long long before)
{
	const struct timespec pause = { .tv_nsec = 200000000 };

	for (unsigned int i = 0; i < 25; i++) {
		if (pinned_pages() == before)
			return true;
		nanosleep(&pause, NULL);
	}
	tap_diag("%lld pages stay pinned", pinned_pages() - before);
	return false;
}

/* Write a 4 KiB leaf of the caller's tables; nothing is flushed. */
void set_leaf(struct world *world, __u64 address, const void *target)
{
	REQUIRE(wdm_tables_map(&world->tables, address, caller(target), WDM_LEVEL_4K, WDM_RW));
}

unsigned char *page(const struct world *world, size_t number)
{
	return world->arena + number * WDM_PAGE_SIZE;
}

__u64 caller(const void *memory)
{
	return (uintptr_t)memory;
}

/* Pages of the arena, for reading and writing */
__u32 map_pages(struct world *world, size_t first, size_t number, __u64 address)
{
	return wdm_map(world->fd, world->domain, WDM_RW, world->mdl, first * WDM_PAGE_SIZE,
		       number * WDM_PAGE_SIZE, address);
}

enum dma write_to(struct world *world, __u64 address, void *target)
{
	return probe_write(&world->probe, address, target);
}

/* By way of HOME_ADDRESS, which must be mapped. */
enum dma read_from(struct world *world, __u64 address, void *source)
{
	return probe_read(&world->probe, address, source, HOME_ADDRESS, world->arena);
}

/* 2 MiB that the kernel has in one piece; ends the case if there are none. */
void *get_huge_page(void)
{
	void *memory;

	write_text("/proc/sys/vm/nr_hugepages", "4");
	memory = mmap(NULL, HUGE_PAGE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (memory == MAP_FAILED)
		skip("no huge page: %s", strerror(errno));
	memset(memory, 0, HUGE_PAGE_SIZE);
	return memory;
}

__u64 random_number(__u64 limit)
{
	__u64 number;

	probe_fill(&number, sizeof(number));
	return number % limit;
}

/* Of this thread; false if it cannot be done. */
bool drop_capability(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	data[capability / 32].effective &= ~(1U << capability % 32);
	return !syscall(SYS_capset, &header, data);
}

/* The number behind a word that starts a line of a file */
static unsigned long long number_in(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	unsigned long long number = 0;
	size_t length = strlen(word);
	char line[256];
	bool found = false;

	REQUIRE(file);
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, word, length) && sscanf(line + length, "%llu", &number) == 1;
	fclose(file);
	REQUIRE(found);
	return number;
}

/* What counts against RLIMIT_MEMLOCK of this process: VmPin, in bytes */
__u64 locked_memory(void)
{
	return number_in("/proc/self/status", "VmPin:") * 1024;
}

/* Pages of the whole machine that are pinned */
long long pinned_pages(void)
{
	/* Let every CPU say what it has counted. */
	write_text("/proc/sys/vm/stat_refresh", "1");
	return number_in("/proc/vmstat", "nr_foll_pin_acquired ") -
	       number_in("/proc/vmstat", "nr_foll_pin_released ");
}

struct wdm_iommu_query_domain query(int fd, __u32 domain)
{
	struct wdm_iommu_query_domain answer;

	MUST(wdm_query_domain(fd, domain, &answer));
	return answer;
}

/* What the domain says of the page at @address; false: nothing is mapped there. */
bool find_mapping(int fd, __u32 domain, __u32 what, __u64 address,
		  struct wdm_iommu_mapping *mapping)
{
	__u32 number = 1;
	__u64 start = address;

	MUST(wdm_query_mappings(fd, domain, what, &start, mapping, &number));
	if (!number || mapping->address > address ||
	    mapping->address + mapping->length - 1 < address)
		return false;
	mapping->offset += address - mapping->address;
	mapping->address = address;
	mapping->length = WDM_PAGE_SIZE;
	return true;
}
