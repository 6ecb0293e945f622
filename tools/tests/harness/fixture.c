// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "fixture.h"

void open_fixture(struct fixture *fixture)
{
	static struct wdm_vfio_device none;

	*fixture = (struct fixture) { .fd = wdm_open(), .device = &none };
	REQUIRE(fixture->fd >= 0);
}

void open_arena(struct fixture *fixture, size_t pages)
{
	open_arena_at(fixture, get_pages(pages), pages);
}

void open_arena_at(struct fixture *fixture, void *memory, size_t pages)
{
	fixture->pages = pages;
	fixture->arena = memory;
	MUST(wdm_mdl_create(fixture->fd, fixture->arena, pages * WDM_PAGE_SIZE, WDM_RW,
			    &fixture->mdl));
}

struct wdm_vfio_device *open_one(struct fixture *fixture, const char *bdf,
				 const struct wdm_vfio_device *beside, struct probe *probe)
{
	struct wdm_vfio_device *device;
	struct wdm_error error;
	void *bar;

	if (beside)
		device = wdm_vfio_open_beside(beside, fixture->fd, bdf, &error);
	else
		device = wdm_vfio_open(fixture->fd, bdf, &error);
	bar = device ? wdm_bar_map(device, 0, 0, 0, &error) : NULL;
	if (!bar) {
		tap_diag("%s: %s", bdf, error.text);
		REQUIRE(false);
	}
	REQUIRE(wdm_edu_present(bar));
	/* A process that was killed during a transfer leaves it running. */
	REQUIRE(wdm_edu_wait(bar));
	REQUIRE(probe_init(probe, bar, fixture->arena, fixture->pages * WDM_PAGE_SIZE));
	return device;
}

void name_device(const struct wdm_vfio_device *device, struct wdm_iommu_device_create *argument)
{
	if (options.cdev) {
		argument->flags = WDM_IOMMU_DEVICE_CDEV;
		argument->cdev = device->fd;
	} else {
		argument->segment = device->address.segment;
		argument->bus = device->address.bus;
		argument->devfn = device->address.devfn;
	}
}

__u32 create_device(int fd, struct wdm_vfio_device *device)
{
	if (options.cdev)
		return wdm_device_create_cdev(fd, device->fd, &device->handle, NULL);
	return wdm_device_create(fd, &device->address, &device->handle, NULL);
}

bool open_files(struct wdm_vfio_device *device, int fd, struct wdm_error *error)
{
	struct wdm_bdf bdf;

	wdm_pci_format(&device->address, &bdf);
	/* A device that is plugged in again may be in another group. */
	device->group_number = wdm_pci_group(bdf.text);
	if (options.cdev) {
		device->iommufd = wdm_iommufd_open(error);
		device->owns_iommufd = true;
		return device->iommufd >= 0 && wdm__cdev_get(device, bdf.text, error);
	}
	device->container = wdm_container_open(error);
	device->owns_container = true;
	device->group = wdm_group_open(device->group_number, error);
	device->owns_group = true;
	return device->container >= 0 && device->group >= 0 &&
	       wdm_container_add(device->container, device->group, error) &&
	       wdm_container_bind(device->container, fd, error) &&
	       wdm__vfio_get(device, bdf.text, error);
}

void close_files(struct wdm_vfio_device *device)
{
	wdm__vfio_close_files(device);
}

bool bind_driver(const char *bdf)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	return write_text(path, "vfio-pci") && write_text("/sys/bus/pci/drivers_probe", bdf) &&
	       wdm_pci_has_vfio_driver(bdf);
}

bool unbind_driver(const char *bdf)
{
	return write_text("/sys/bus/pci/drivers/vfio-pci/unbind", bdf);
}

/* Forked before any file is open: the child must not hold the files that it waits for. */
pid_t start_unbind(int *start)
{
	int pipes[2];
	pid_t child;
	char byte;

	REQUIRE(!pipe(pipes));
	child = fork();
	REQUIRE(child >= 0);
	*start = pipes[1];
	if (!child) {
		REQUIRE(read(pipes[0], &byte, 1) == 1);
		CHECK(unbind_driver(options.device.text));
		finish();
	}
	return child;
}

/* VFIO does not report when a cdev is closed; unbinding its driver waits for that. */
void take_back(struct wdm_vfio_device *device)
{
	struct wdm_bdf bdf;

	close_files(device);
	if (!options.cdev)
		return;
	wdm_pci_format(&device->address, &bdf);
	REQUIRE(unbind_driver(bdf.text) && bind_driver(bdf.text));
}

/* The arena must exist. */
void open_device(struct fixture *fixture)
{
	fixture->device = open_one(fixture, options.device.text, NULL, &fixture->probe);
}

/* Open everything for an OS-managed domain with a device. */
void open_os_managed(struct fixture *fixture, size_t pages, __u32 flags)
{
	open_fixture(fixture);
	open_arena(fixture, pages);
	attach_os_managed(fixture, flags);
}

/* Likewise, with an existing arena */
void attach_os_managed(struct fixture *fixture, __u32 flags)
{
	open_device(fixture);
	MUST(wdm_domain_create(fixture->fd, true, flags, &fixture->domain));
	MUST(map_pages(fixture, 0, 1, HOME_ADDRESS));
	MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	REQUIRE(probe_load(&fixture->probe, HOME_ADDRESS, page(fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, page(fixture, 0)));
}

/* Make tables at the end of the arena that map page 0; they are not configured yet. */
void start_tables(struct fixture *fixture, const struct wdm_table_format *format,
		  unsigned int input_bits)
{
	void *memory = page(fixture, fixture->pages - TABLE_PAGES);

	wdm_tables_init(&fixture->tables, format, input_bits, memory, TABLE_PAGES,
			caller(memory));
	REQUIRE(wdm_tables_map(&fixture->tables, HOME_ADDRESS, caller(fixture->arena),
			       WDM_LEVEL_4K, WDM_RW));
}

/*
 * Open everything for a caller-managed domain with a device. The arena is in the caller's
 * address space at its own addresses; @pages does not include the tables.
 */
void open_caller_managed(struct fixture *fixture, size_t pages,
			 const struct wdm_table_format *format)
{
	open_fixture(fixture);
	open_arena(fixture, pages + TABLE_PAGES);
	open_device(fixture);
	MUST(wdm_domain_create(fixture->fd, false, 0, &fixture->domain));
	MUST(wdm_memory_add(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, 0,
			    caller(fixture->arena)));
	MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	start_tables(fixture, format, 48);
	MUST(wdm_tables_configure(&fixture->tables, fixture->fd, fixture->domain, NULL));
	REQUIRE(probe_load(&fixture->probe, HOME_ADDRESS, page(fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, page(fixture, 0)));
}

void in_every_order(const char names[], void (*run)(const unsigned int order[4]))
{
	for (unsigned int code = 0; code < 256; code++) {
		const unsigned int order[] = { code >> 6, code >> 4 & 3, code >> 2 & 3, code & 3 };

		if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) != 0xf)
			continue;
		tap_diag("%c%c%c%c", names[order[0]], names[order[1]], names[order[2]],
			 names[order[3]]);
		run(order);
	}
}

/* Closing a file in another process takes some time. */
bool pins_are_back(long long before)
{
	const struct timespec pause = { .tv_nsec = 200000000 };

	for (unsigned int i = 0; i < 100; i++) {
		if (pinned_pages() == before)
			return true;
		nanosleep(&pause, NULL);
	}
	tap_diag("%lld pages stay pinned", pinned_pages() - before);
	return false;
}

/* Write a 4 KiB leaf of the caller's tables; nothing is flushed. */
void set_leaf(struct fixture *fixture, __u64 address, const void *target)
{
	REQUIRE(wdm_tables_map(&fixture->tables, address, caller(target), WDM_LEVEL_4K, WDM_RW));
}

unsigned char *page(const struct fixture *fixture, size_t number)
{
	return fixture->arena + number * WDM_PAGE_SIZE;
}

__u64 caller(const void *memory)
{
	return (uintptr_t)memory;
}

/* Map pages of the arena, readable and writable. */
__u32 map_pages(struct fixture *fixture, size_t first, size_t number, __u64 address)
{
	return wdm_map(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, first * WDM_PAGE_SIZE,
		       number * WDM_PAGE_SIZE, address);
}

enum dma write_to(struct fixture *fixture, __u64 address, void *target)
{
	return probe_write(&fixture->probe, address, target);
}

/* Check through HOME_ADDRESS, which must be mapped. */
enum dma read_from(struct fixture *fixture, __u64 address, void *source)
{
	return probe_read(&fixture->probe, address, source, HOME_ADDRESS, fixture->arena);
}

/* Allocate a huge page; skips the case if there is none. */
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

/* Drop a capability of this thread; false on failure. */
bool drop_capability(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	data[capability / 32].effective &= ~(1U << capability % 32);
	return !syscall(SYS_capset, &header, data);
}

/* Get the number after a word at the start of a line of a file. */
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

/* Get the memory that this process has pinned, VmPin, in bytes. */
__u64 locked_memory(void)
{
	return number_in("/proc/self/status", "VmPin:") * 1024;
}

/* Get a number from a file's fdinfo: "wdm-charged:", "wdm-pinned:". */
__u64 fdinfo_number(int fd, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return number_in(path, key);
}

/* Get the number of pinned pages of the whole machine. */
long long pinned_pages(void)
{
	/* Fold the counters of all CPUs. */
	write_text("/proc/sys/vm/stat_refresh", "1");
	return number_in("/proc/vmstat", "nr_foll_pin_acquired ") -
	       number_in("/proc/vmstat", "nr_foll_pin_released ");
}

/* Get the size of unreclaimable kernel memory in bytes. */
unsigned long long kernel_memory(void)
{
	unsigned long long slab = 0, number;
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	REQUIRE(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "SUnreclaim: %llu", &number) == 1 ||
		    sscanf(line, "VmallocUsed: %llu", &number) == 1)
			slab += number * 1024;
	}
	fclose(file);
	return slab;
}

/* Check whether it falls below @bound. Memory of others may be freed with a delay. */
bool kernel_memory_is_below(unsigned long long bound)
{
	for (unsigned int i = 0; i < 20 && kernel_memory() >= bound; i++)
		usleep(500000);
	tap_diag("%lld KiB below the bound", (long long)(bound - kernel_memory()) / 1024);
	return kernel_memory() < bound;
}

/* Get the system time of a process in milliseconds. */
static unsigned long system_time(pid_t process)
{
	unsigned long ticks;
	char path[32], line[512];
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", process);
	file = fopen(path, "re");
	REQUIRE(file && fgets(line, sizeof(line), file));
	fclose(file);
	/* The command's name, in parentheses, may contain anything. */
	end = strrchr(line, ')');
	REQUIRE(end && sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %lu",
			      &ticks) == 1);
	return ticks * 1000 / sysconf(_SC_CLK_TCK);
}

/* Wait until a process has used that much system time, independent of other load. */
void wait_until_busy(pid_t process, unsigned int milliseconds)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	time_t end = time(NULL) + 60;

	while (system_time(process) < milliseconds) {
		REQUIRE(time(NULL) < end);
		nanosleep(&pause, NULL);
	}
}

struct wdm_iommu_query_domain query(int fd, __u32 domain)
{
	struct wdm_iommu_query_domain answer;

	MUST(wdm_query_domain(fd, domain, &answer));
	return answer;
}

/* Find the mapping that the domain reports at @address; false: none. */
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

/* Create an eventfd that VFIO signals when it waits for the device's file to be closed. */
int request_eventfd(struct wdm_vfio_device *device)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	REQUIRE(fd >= 0 && wdm_irq_enable(device, WDM_IRQ_REQUEST, 0, 1, &fd, NULL));
	return fd;
}
