/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The setup of most cases: an open /dev/wdm_iommu, memory with an MDL, an edu device, and a
 * domain of either kind. A case ends if one of them is missing.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <sys/types.h>

#include "harness.h"

/* Addresses that devices use; below edu's default limit of 28 bits. */
#define HOME_ADDRESS	0x4000000ULL
#define ADDRESS		0x5000000ULL

#define HUGE_PAGE_SIZE	0x200000UL

/* Target of devices' interrupt messages: reserved for every device */
#ifdef __aarch64__
#define MSI_ADDRESS	0x8000000ULL
#define MSI_KIND	WDM_IOMMU_RANGE_SW_MSI
#else
#define MSI_ADDRESS	0xfee00000ULL
#define MSI_KIND	WDM_IOMMU_RANGE_MSI
#endif
#define MSI_LENGTH	0x100000ULL

/* Number of table pages at the end of the arena of a caller-managed domain */
#define TABLE_PAGES	12

/**
 * struct fixture - the setup of a case
 * @fd: /dev/wdm_iommu
 * @arena: memory for devices, watched by @probe
 * @pages: size of @arena in pages
 * @mdl: all of @arena, readable and writable
 * @device: an edu device; zeroed if there is none
 * @probe: probe of @device
 * @domain: @device is attached to it, page 0 of the arena is mapped at
 *	%HOME_ADDRESS, and the device's buffer is loaded
 * @tables: tables of a caller-managed domain
 */
struct fixture {
	int fd;
	unsigned char *arena;
	size_t pages;
	__u32 mdl;
	struct wdm_vfio_device *device;
	struct probe probe;
	__u32 domain;
	struct wdm_tables tables;
};

void open_fixture(struct fixture *fixture);
void open_arena(struct fixture *fixture, size_t pages);
void open_arena_at(struct fixture *fixture, void *memory, size_t pages);
void open_device(struct fixture *fixture);
void open_os_managed(struct fixture *fixture, size_t pages, __u32 flags);
void attach_os_managed(struct fixture *fixture, __u32 flags);
void open_caller_managed(struct fixture *fixture, size_t pages,
			 const struct wdm_table_format *format);
void start_tables(struct fixture *fixture, const struct wdm_table_format *format,
		  unsigned int input_bits);

/* Open any device, with a probe that watches the same arena. */
struct wdm_vfio_device *open_one(struct fixture *fixture, const char *bdf,
				 const struct wdm_vfio_device *beside, struct probe *probe);

/* Name the device for its provider: its cdev, or a group in a container. */
void name_device(const struct wdm_vfio_device *device, struct wdm_iommu_device_create *argument);
__u32 create_device(int fd, struct wdm_vfio_device *device);

/* Open the files of a device, but create no handle, so that threads can share the fixture. */
bool open_files(struct wdm_vfio_device *device, int fd, struct wdm_error *error);
void close_files(struct wdm_vfio_device *device);

/* Close a device's files, and make VFIO revoke it. */
void take_back(struct wdm_vfio_device *device);
bool bind_driver(const char *bdf);
bool unbind_driver(const char *bdf);
/* Start a process that unbinds the driver once a byte is written to @start. */
pid_t start_unbind(int *start);

void set_leaf(struct fixture *fixture, __u64 address, const void *target);
unsigned char *page(const struct fixture *fixture, size_t number);
__u64 caller(const void *memory);
__u32 map_pages(struct fixture *fixture, size_t first, size_t number, __u64 address);
enum dma write_to(struct fixture *fixture, __u64 address, void *target);
enum dma read_from(struct fixture *fixture, __u64 address, void *source);

/* Run a case for each order of four files, which are named by letters. */
void in_every_order(const char names[], void (*run)(const unsigned int order[4]));

/* Other helpers */
void *get_huge_page(void);
__u64 random_number(__u64 limit);
bool drop_capability(unsigned int capability);
__u64 locked_memory(void);
__u64 fdinfo_number(int fd, const char *key);
long long pinned_pages(void);
bool pins_are_back(long long before);
unsigned long long kernel_memory(void);
bool kernel_memory_is_below(unsigned long long bound);
void wait_until_busy(pid_t process, unsigned int milliseconds);
struct wdm_iommu_query_domain query(int fd, __u32 domain);
int request_eventfd(struct wdm_vfio_device *device);
bool find_mapping(int fd, __u32 domain, __u32 what, __u64 address,
		  struct wdm_iommu_mapping *mapping);

#endif
