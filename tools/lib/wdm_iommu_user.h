/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * libwdm_iommu: the ioctls of /dev/wdm_iommu as functions, and what a program
 * needs around them: a VFIO device, page tables, and QEMU's edu device.
 *
 * The manual of the ioctls is <linux/wdm_iommu.h>.
 */
#ifndef WDM_IOMMU_USER_H
#define WDM_IOMMU_USER_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>
#include <linux/wdm_iommu.h>
#include <linux/wdm_ntstatus.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WDM_IOMMU_PATH		"/dev/wdm_iommu"
#define WDM_PAGE_SHIFT		12
#define WDM_PAGE_SIZE		4096UL
#define WDM_RW			(WDM_IOMMU_READ | WDM_IOMMU_WRITE)

/* The call failed before it could write an NTSTATUS; errno says why. */
#define WDM_STATUS_NONE		0xffffffffU

/* status.c */
const char *wdm_status_name(__u32 status);
const char *wdm_status_meaning(__u32 status);
int wdm_status_errno(__u32 status);
char *wdm_status_describe(__u32 status, int error, char *text, size_t size);

/* ioctls.c */
int wdm_open(void);
__u32 wdm_call(int fd, unsigned long request, void *argument);
__u32 wdm_info(int fd, struct wdm_iommu_info *info);
__u32 wdm_destroy(int fd, __u32 handle);
__u32 wdm_domain_create(int fd, bool os_managed, __u32 flags, __u32 *domain);
__u32 wdm_attach(int fd, __u32 domain, __u32 device);
__u32 wdm_detach(int fd, __u32 device);
__u32 wdm_mdl_create(int fd, const void *address, __u64 length, __u32 access, __u32 *mdl);
__u32 wdm_query_domain(int fd, __u32 domain, struct wdm_iommu_query_domain *query);
__u32 wdm_query_mappings(int fd, __u32 domain, __u32 what, __u64 *start,
			 struct wdm_iommu_mapping *mappings, __u32 *number);
__u32 wdm_vfio_bind(int container, int fd);

/* queries.c */
__u32 wdm_query_ranges(int fd, __u32 object, struct wdm_iommu_range *ranges,
		       struct wdm_iommu_query_ranges *query);
__u32 wdm_get_ranges(int fd, __u32 object, struct wdm_iommu_range **ranges,
		     struct wdm_iommu_query_ranges *query);
__u32 wdm_query_device(int fd, __u32 device, struct wdm_iommu_query_device *query);
__u32 wdm_query_input_mappings(int fd, __u32 device, __u32 *buffer, __u32 length,
			       __u32 *return_length);
__u32 wdm_set_fault_reporting(int fd, __u32 device, bool enable);
int wdm_read_events(int fd, struct wdm_iommu_event *events, size_t number);

/* ioctls.c, OS-managed domains */
__u32 wdm_map(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset, __u64 length,
	      __u64 logical_address);
__u32 wdm_unmap(int fd, __u32 domain, __u64 logical_address, __u64 length);
__u32 wdm_map_user(int fd, __u32 domain, __u32 permissions, const void *address, __u64 length,
		   __u64 logical_address);
__u32 wdm_batch(int fd, __u32 domain, const struct wdm_iommu_batch_op *ops, __u32 number,
		__u32 *done);
__u32 wdm_map_identity(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset,
		       __u64 length);
__u32 wdm_unmap_identity(int fd, __u32 domain, __u32 mdl, __u64 offset, __u64 length);

/* ioctls.c, caller-managed domains; @walk_error may be NULL */
__u32 wdm_memory_add(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset,
		     __u64 length, __u64 caller_address);
__u32 wdm_memory_remove(int fd, __u32 domain, __u64 caller_address, __u64 length);
__u32 wdm_configure_x64(int fd, __u32 domain, __u64 root, __u32 flags,
			struct wdm_iommu_walk_error *walk_error);
__u32 wdm_configure_arm64(int fd, __u32 domain, __u64 root, __u32 input_size,
			  struct wdm_iommu_walk_error *walk_error);
__u32 wdm_configure_bypass(int fd, __u32 domain, struct wdm_iommu_walk_error *walk_error);
__u32 wdm_flush(int fd, __u32 domain, struct wdm_iommu_walk_error *walk_error);
__u32 wdm_flush_va_list(int fd, __u32 domain, bool last_level, const __u64 *list, __u32 number,
			struct wdm_iommu_walk_error *walk_error);

/* version2.c */
__u32 wdm_domain_create_ex(int fd, __u32 type, __u32 width, const struct wdm_iommu_region *regions,
			   __u32 number, __u32 *domain);
__u32 wdm_map_ex(int fd, __u32 domain, __u32 permissions, const struct wdm_iommu_memory *memory,
		 __u64 *address, __u32 flags, __u64 min, __u64 max);
__u32 wdm_map_anywhere(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset,
		       __u64 length, __u64 *address);
__u32 wdm_reserve(int fd, __u32 domain, __u64 length, __u64 *address, __u32 flags, __u64 min,
		  __u64 max, __u32 *token);
__u32 wdm_map_reserved(int fd, __u32 token, __u64 offset, __u32 permissions,
		       const struct wdm_iommu_memory *memory);
__u32 wdm_unmap_reserved(int fd, __u32 token, __u64 offset, __u64 length);
__u32 wdm_pasid_create(int fd, __u32 device, __u32 *pasid_device, __u32 *asid);
__u32 wdm_pasid_attach(int fd, __u32 domain, __u32 pasid_device);
__u32 wdm_pasid_detach(int fd, __u32 pasid_device);

/* pci.c */

/**
 * struct wdm_bdf - the address of a PCI device as sysfs writes it
 * @text: "0000:00:03.0"; segments of VMD controllers have five digits
 */
struct wdm_bdf {
	char text[sizeof("00000000:00:00.0")];
};

/**
 * struct wdm_pci_address - where a PCI function is
 * @segment: PCI segment (domain)
 * @bus: bus number
 * @devfn: (device << 3) | function
 */
struct wdm_pci_address {
	__u32 segment;
	__u8 bus;
	__u8 devfn;
};

bool wdm_pci_parse(const char *bdf, struct wdm_pci_address *address);
void wdm_pci_format(const struct wdm_pci_address *address, struct wdm_bdf *bdf);
int wdm_pci_list(struct wdm_bdf **list);
int wdm_pci_group(const char *bdf);
bool wdm_pci_driver(const char *bdf, char *driver, size_t size);
int wdm_pci_attribute(const char *bdf, const char *name, unsigned int *value);
bool wdm_pci_has_vfio_driver(const char *bdf);
bool wdm_pci_is_edu(const char *bdf);

/* vfio.c */

/**
 * struct wdm_error - where opening a device went wrong
 * @step: what was tried, as a phrase
 * @error: errno
 * @status: NTSTATUS, or %WDM_STATUS_NONE
 */
struct wdm_error {
	const char *step;
	int error;
	__u32 status;
};

/**
 * struct wdm_vfio_device - a PCI device opened through a VFIO container
 * @container: fd of /dev/vfio/vfio
 * @group: fd of /dev/vfio/N
 * @fd: the device's own fd
 * @group_number: N
 * @owns_container: closing the device closes @container
 * @owns_group: closing the device closes @group
 * @bar: the first memory BAR that VFIO lets programs map, or NULL
 * @bar_size: its size
 * @bar_index: which one it is, 0 to 5, or -1
 * @handle: the IOMMU_DMA_DEVICE
 * @address: where the device is
 */
struct wdm_vfio_device {
	int container;
	int group;
	int fd;
	int group_number;
	bool owns_container;
	bool owns_group;
	void *bar;
	size_t bar_size;
	int bar_index;
	__u32 handle;
	struct wdm_pci_address address;
};

int wdm_container_open(struct wdm_error *error);
int wdm_group_open(int number, struct wdm_error *error);
bool wdm_container_add(int container, int group, struct wdm_error *error);
bool wdm_container_bind(int container, int fd, struct wdm_error *error);
bool wdm_vfio_get(struct wdm_vfio_device *device, const char *bdf, struct wdm_error *error);
__u32 wdm_device_create(int fd, const struct wdm_pci_address *address, __u32 *device,
			__u32 *group);
bool wdm_vfio_open(struct wdm_vfio_device *device, int fd, const char *bdf,
		   struct wdm_error *error);
bool wdm_vfio_open_beside(struct wdm_vfio_device *device, const struct wdm_vfio_device *first,
			  int fd, const char *bdf, struct wdm_error *error);
void wdm_vfio_close(struct wdm_vfio_device *device);

/* tables.c */

/* Which entry of which level: 0 holds the entries of 4 KiB. */
#define WDM_LEVEL_4K	0
#define WDM_LEVEL_2M	1
#define WDM_LEVEL_1G	2

/**
 * struct wdm_table_format - how one format of page tables encodes its entries
 * @name: for messages
 * @number: WDM_IOMMU_FORMAT_*
 * @leaf: the entry of @level that translates to caller address @target with
 *	WDM_IOMMU_READ and WDM_IOMMU_WRITE
 * @table: the entry that leads to the table at caller address @target
 * @target: bits of an entry that hold an address
 */
struct wdm_table_format {
	const char *name;
	__u32 number;
	__u64 (*leaf)(__u64 target, unsigned int level, __u32 permissions);
	__u64 (*table)(__u64 target);
	__u64 target;
};

extern const struct wdm_table_format wdm_format_x64;
extern const struct wdm_table_format wdm_format_arm64;

/* Bits of entries, for programs that make their own */
#define WDM_X64_PRESENT		0x1ULL
#define WDM_X64_WRITE		0x2ULL
#define WDM_X64_USER		0x4ULL
#define WDM_X64_ACCESSED	0x20ULL
#define WDM_X64_DIRTY		0x40ULL
#define WDM_X64_LARGE		0x80ULL
#define WDM_X64_NX		0x8000000000000000ULL

#define WDM_ARM64_VALID		0x1ULL
#define WDM_ARM64_TABLE		0x2ULL	/* in the last level: a page */
#define WDM_ARM64_AP_EL0	0x40ULL	/* AP[1] */
#define WDM_ARM64_AP_RO		0x80ULL	/* AP[2] */
#define WDM_ARM64_SH_INNER	0x300ULL
#define WDM_ARM64_AF		0x400ULL
#define WDM_ARM64_CONTIGUOUS	0x10000000000000ULL
#define WDM_ARM64_PXN		0x20000000000000ULL
#define WDM_ARM64_UXN		0x40000000000000ULL

/**
 * struct wdm_tables - page tables in the program's own memory
 * @format: their encoding
 * @memory: where the tables live, page aligned; the root is the first page
 * @pages: how many there are
 * @used: how many are taken
 * @caller_address: caller address of @memory
 * @levels: from the root to the entries of 4 KiB
 * @input_bits: width of an input address
 */
struct wdm_tables {
	const struct wdm_table_format *format;
	__u64 *memory;
	size_t pages;
	size_t used;
	__u64 caller_address;
	unsigned int levels;
	unsigned int input_bits;
};

void wdm_tables_init(struct wdm_tables *tables, const struct wdm_table_format *format,
		     unsigned int input_bits, void *memory, size_t pages, __u64 caller_address);
__u64 *wdm_tables_entry(struct wdm_tables *tables, __u64 address, unsigned int level,
			bool create);
bool wdm_tables_map(struct wdm_tables *tables, __u64 address, __u64 target, unsigned int level,
		    __u32 permissions);
__u32 wdm_tables_configure(const struct wdm_tables *tables, int fd, __u32 domain,
			   struct wdm_iommu_walk_error *walk_error);

/* edu.c */

#define WDM_EDU_VENDOR		0x1234
#define WDM_EDU_DEVICE		0x11e8

/* QEMU stops the machine at a transfer that reaches the buffer's last byte. */
#define WDM_EDU_BUFFER		4095

bool wdm_edu_present(void *bar0);
bool wdm_edu_read(void *bar0, __u64 address, size_t offset, size_t length);
bool wdm_edu_write(void *bar0, __u64 address, size_t offset, size_t length);
void wdm_edu_start(void *bar0, __u64 address, size_t offset, size_t length, bool to_memory);
bool wdm_edu_wait(void *bar0);

#ifdef __cplusplus
}
#endif

#endif /* WDM_IOMMU_USER_H */
