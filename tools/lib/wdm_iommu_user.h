/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * libwdm_iommu: the ioctls of /dev/wdm_iommu as functions, and helpers for user-space
 * drivers: VFIO devices with their registers and interrupts, page tables, and QEMU's edu
 * device.
 *
 * The manual of the ioctls is <linux/wdm_iommu.h>. Functions are described at their
 * definition, and in libwdm_iommu(3).
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

/**
 * DOC: Conventions
 *
 * **Building.** Programs include <wdm_iommu_user.h>. "pkg-config --cflags --libs libwdm_iommu"
 * prints the arguments for the compiler; add --static to link with the static library.
 *
 * **Results.** A function that makes one ioctl of /dev/wdm_iommu returns its NTSTATUS, 0 for
 * success, and leaves errno as the call set it. A function that does more returns a bool, a
 * pointer or a number, sets errno on failure, and describes the failure in a &struct wdm_error
 * if the caller passes one. wdm_error_set() creates such a description from an NTSTATUS. The
 * library prints nothing and never ends the program.
 *
 * **Threads.** Any function may be called by any number of threads at the same time, unless
 * its description says otherwise. An object must not be in use when it is closed: a
 * &struct wdm_vfio_device by wdm_vfio_close(), a &struct wdm_tables by another thread that
 * writes it. The library has no global state.
 *
 * **Ownership.** The caller keeps every file descriptor and all memory that it passes in.
 * Memory that a function allocates for the caller is for free(), unless another function is
 * named.
 *
 * **Compatibility.** libwdm_iommu.so.0 keeps its functions, and the structures of this header
 * keep their size. Structures of <linux/wdm_iommu.h> may grow: functions that fill one in take
 * its size, and the inline functions here pass the size that the program was compiled with.
 */

/* The call failed before it could write an NTSTATUS; see errno. */
#define WDM_STATUS_NONE		0xffffffffU

/* status.c */
const char *wdm_status_name(__u32 status);
const char *wdm_status_text(__u32 status);
const char *wdm_status_cure(__u32 status);
int wdm_status_errno(__u32 status);
char *wdm_status_describe(__u32 status, int error, char *text, size_t size);

/**
 * struct wdm_error - description of a failure
 * @error: errno
 * @status: NTSTATUS, or %WDM_STATUS_NONE
 * @text: what failed, the cause and, if known, the cure
 */
struct wdm_error {
	int error;
	__u32 status;
	char text[248];
};

/* error.c */
__attribute__((__format__(__printf__, 3, 4)))
bool wdm_error_set(struct wdm_error *error, __u32 status, const char *format, ...);

/* ioctls.c */
int wdm_open(void);
__u32 wdm_call(int fd, unsigned long request, void *argument);
__u32 wdm_info_sized(int fd, struct wdm_iommu_info *info, size_t size);
__u32 wdm_destroy(int fd, __u32 handle);
__u32 wdm_domain_create(int fd, bool os_managed, __u32 flags, __u32 *domain);
__u32 wdm_attach(int fd, __u32 domain, __u32 device);
__u32 wdm_detach(int fd, __u32 device);
__u32 wdm_mdl_create(int fd, const void *address, __u64 length, __u32 access, __u32 *mdl);
__u32 wdm_mdl_create_file(int fd, int file, __u64 offset, __u64 length, __u32 access,
			  __u32 *mdl);
__u32 wdm_query_domain_sized(int fd, __u32 domain, struct wdm_iommu_query_domain *query,
			     size_t size);
__u32 wdm_query_mappings(int fd, __u32 domain, __u32 what, __u64 *start,
			 struct wdm_iommu_mapping *mappings, __u32 *number);
__u32 wdm_vfio_bind(int container, int fd);

/* queries.c */
__u32 wdm_query_ranges_sized(int fd, __u32 object, struct wdm_iommu_range *ranges,
			     struct wdm_iommu_query_ranges *query, size_t size);
__u32 wdm_get_ranges_sized(int fd, __u32 object, struct wdm_iommu_range **ranges,
			   struct wdm_iommu_query_ranges *query, size_t size);
__u32 wdm_query_device_sized(int fd, __u32 device, struct wdm_iommu_query_device *query,
			     size_t size);
__u32 wdm_query_input_mappings(int fd, __u32 device, __u32 *buffer, __u32 length,
			       __u32 *return_length);
__u32 wdm_set_fault_reporting(int fd, __u32 device, bool enable);
int wdm_read_events_sized(int fd, struct wdm_iommu_event *events, size_t number, size_t size);

/**
 * wdm_info() - Get the abilities of kernel and module
 * @fd: /dev/wdm_iommu
 * @info: out: the abilities
 *
 * Return: NTSTATUS.
 */
static inline __u32 wdm_info(int fd, struct wdm_iommu_info *info)
{
	return wdm_info_sized(fd, info, sizeof(*info));
}

/**
 * wdm_query_domain() - Get the state of a domain
 * @fd: /dev/wdm_iommu
 * @domain: the domain
 * @query: out: the state
 *
 * Return: NTSTATUS.
 */
static inline __u32 wdm_query_domain(int fd, __u32 domain, struct wdm_iommu_query_domain *query)
{
	return wdm_query_domain_sized(fd, domain, query, sizeof(*query));
}

/**
 * wdm_query_device() - Get the state of a device
 * @fd: /dev/wdm_iommu
 * @device: the device
 * @query: out: the state
 *
 * Return: NTSTATUS.
 */
static inline __u32 wdm_query_device(int fd, __u32 device, struct wdm_iommu_query_device *query)
{
	return wdm_query_device_sized(fd, device, query, sizeof(*query));
}

/**
 * wdm_query_ranges() - Get the usable logical addresses
 * @fd: /dev/wdm_iommu
 * @object: a domain or a device
 * @ranges: out: the ranges
 * @query: in: @number, the capacity of @ranges; out: the answer
 *
 * Return: NTSTATUS.
 */
static inline __u32 wdm_query_ranges(int fd, __u32 object, struct wdm_iommu_range *ranges,
				     struct wdm_iommu_query_ranges *query)
{
	return wdm_query_ranges_sized(fd, object, ranges, query, sizeof(*query));
}

/**
 * wdm_get_ranges() - Get the usable logical addresses in an allocated array
 * @fd: /dev/wdm_iommu
 * @object: a domain or a device
 * @ranges: out: the ranges, for free(); NULL on failure
 * @query: out: the rest of the answer
 *
 * Return: NTSTATUS; %STATUS_INSUFFICIENT_RESOURCES also if this process is out of memory.
 */
static inline __u32 wdm_get_ranges(int fd, __u32 object, struct wdm_iommu_range **ranges,
				   struct wdm_iommu_query_ranges *query)
{
	return wdm_get_ranges_sized(fd, object, ranges, query, sizeof(*query));
}

/**
 * wdm_read_events() - Read events
 * @fd: /dev/wdm_iommu; use poll() to wait
 * @events: out: the events
 * @number: capacity of @events
 *
 * Waits while there is no event, unless @fd has O_NONBLOCK.
 *
 * Return: number of events read, or -1 with errno.
 */
static inline int wdm_read_events(int fd, struct wdm_iommu_event *events, size_t number)
{
	return wdm_read_events_sized(fd, events, number, sizeof(*events));
}

/* ioctls.c, OS-managed domains */
__u32 wdm_map(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset, __u64 length,
	      __u64 logical_address);
__u32 wdm_unmap(int fd, __u32 domain, __u64 logical_address, __u64 length);
__u32 wdm_map_user(int fd, __u32 domain, __u32 permissions, const void *address, __u64 length,
		   __u64 logical_address);
__u32 wdm_map_user_parallel(int fd, __u32 domain, __u32 permissions, const void *address,
			    __u64 length, __u64 logical_address, unsigned int threads);
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
__u32 wdm_map_user_anywhere(int fd, __u32 domain, __u32 permissions, const void *address,
			    __u64 length, __u64 *logical_address);
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
 * struct wdm_bdf - the address of a PCI device, as in sysfs
 * @text: "0000:00:03.0"; segments of VMD controllers have five digits
 */
struct wdm_bdf {
	char text[sizeof("00000000:00:00.0")];
};

/**
 * struct wdm_pci_address - the address of a PCI function
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
bool wdm_pci_find(const char *name, struct wdm_pci_address *address);
void wdm_pci_format(const struct wdm_pci_address *address, struct wdm_bdf *bdf);
int wdm_pci_list(struct wdm_bdf **list);
int wdm_pci_group(const char *bdf);
bool wdm_pci_driver(const char *bdf, char *driver, size_t size);
int wdm_pci_attribute(const char *bdf, const char *name, unsigned int *value);
bool wdm_pci_has_vfio_driver(const char *bdf);
bool wdm_pci_is_edu(const char *bdf);

/* vfio.c */

/* A PCI device opened through VFIO */
struct wdm_vfio_device;

/**
 * struct wdm_vfio_fds - the files of a device
 * @size: sizeof(struct wdm_vfio_fds)
 * @container: /dev/vfio/vfio, or -1
 * @group: /dev/vfio/N, or -1
 * @device: of VFIO_GROUP_GET_DEVICE_FD, or /dev/vfio/devices/vfioN, or -1
 * @iommufd: /dev/iommu, for a cdev that is not bound to one yet; or -1
 */
struct wdm_vfio_fds {
	__u32 size;
	__s32 container;
	__s32 group;
	__s32 device;
	__s32 iommufd;
};

int wdm_cdev_open(const char *bdf, struct wdm_error *error);
int wdm_iommufd_open(struct wdm_error *error);
bool wdm_cdev_bind(int cdev, int iommufd, struct wdm_error *error);
__u32 wdm_device_create_cdev(int fd, int cdev, __u32 *device, __u32 *group);
int wdm_container_open(struct wdm_error *error);
int wdm_group_open(int number, struct wdm_error *error);
bool wdm_container_add(int container, int group, struct wdm_error *error);
bool wdm_container_bind(int container, int fd, struct wdm_error *error);
__u32 wdm_device_create(int fd, const struct wdm_pci_address *address, __u32 *device,
			__u32 *group);
struct wdm_vfio_device *wdm_vfio_open(int fd, const char *name, struct wdm_error *error);
struct wdm_vfio_device *wdm_vfio_open_beside(const struct wdm_vfio_device *first, int fd,
					     const char *name, struct wdm_error *error);
struct wdm_vfio_device *wdm_vfio_open_fds(int fd, const struct wdm_vfio_fds *fds,
					  const char *name, struct wdm_error *error);
bool wdm_vfio_get_fds(const struct wdm_vfio_device *device, struct wdm_vfio_fds *fds);
void wdm_vfio_close(struct wdm_vfio_device *device);
__u32 wdm_vfio_handle(const struct wdm_vfio_device *device);
int wdm_vfio_group(const struct wdm_vfio_device *device);
int wdm_vfio_fd(const struct wdm_vfio_device *device);
void wdm_vfio_address(const struct wdm_vfio_device *device, struct wdm_pci_address *address);

/* bar.c */

/* Flags of &struct wdm_bar_info */
#define WDM_BAR_READ		0x1	/* it can be read */
#define WDM_BAR_WRITE		0x2	/* it can be written */
#define WDM_BAR_MAP		0x4	/* part of it can be mapped, see wdm_bar_area() */
#define WDM_BAR_PORTS		0x8	/* I/O ports */
#define WDM_BAR_64		0x10	/* a 64-bit address, which occupies the next BAR, too */
#define WDM_BAR_PREFETCH	0x20	/* prefetchable */

/**
 * struct wdm_bar_info - properties of a BAR
 * @size: size in bytes; 0: the device has no such BAR
 * @flags: WDM_BAR_*
 * @reserved: 0
 */
struct wdm_bar_info {
	__u64 size;
	__u32 flags;
	__u32 reserved;
};

bool wdm_bar_info(struct wdm_vfio_device *device, unsigned int index, struct wdm_bar_info *info,
		  struct wdm_error *error);
bool wdm_bar_area(struct wdm_vfio_device *device, unsigned int index, unsigned int number,
		  __u64 *offset, __u64 *length);
void *wdm_bar_map(struct wdm_vfio_device *device, unsigned int index, __u64 offset,
		  __u64 length, struct wdm_error *error);
void wdm_bar_unmap(struct wdm_vfio_device *device, unsigned int index);
bool wdm_bar_read(struct wdm_vfio_device *device, unsigned int index, __u64 offset,
		  void *value, size_t width, struct wdm_error *error);
bool wdm_bar_write(struct wdm_vfio_device *device, unsigned int index, __u64 offset,
		   const void *value, size_t width, struct wdm_error *error);

/* config.c */
bool wdm_config_read(struct wdm_vfio_device *device, unsigned int offset, void *value,
		     size_t width, struct wdm_error *error);
bool wdm_config_write(struct wdm_vfio_device *device, unsigned int offset, const void *value,
		      size_t width, struct wdm_error *error);
unsigned int wdm_config_capability(struct wdm_vfio_device *device, __u8 id);
unsigned int wdm_config_extended_capability(struct wdm_vfio_device *device, __u16 id);
bool wdm_bus_master(struct wdm_vfio_device *device, bool enable, struct wdm_error *error);

/* wdm_bar_read8() to wdm_bar_write64(), wdm_config_read8() to wdm_config_write32() */
#define WDM_BAR_ACCESSORS(bits)								\
static inline bool wdm_bar_read##bits(struct wdm_vfio_device *device, unsigned int index,	\
				      __u64 offset, __u##bits *value,			\
				      struct wdm_error *error)				\
{											\
	return wdm_bar_read(device, index, offset, value, sizeof(*value), error);	\
}											\
static inline bool wdm_bar_write##bits(struct wdm_vfio_device *device, unsigned int index,	\
				       __u64 offset, __u##bits value,			\
				       struct wdm_error *error)				\
{											\
	return wdm_bar_write(device, index, offset, &value, sizeof(value), error);	\
}

#define WDM_CONFIG_ACCESSORS(bits)							\
static inline bool wdm_config_read##bits(struct wdm_vfio_device *device,		\
					 unsigned int offset, __u##bits *value,		\
					 struct wdm_error *error)			\
{											\
	return wdm_config_read(device, offset, value, sizeof(*value), error);		\
}											\
static inline bool wdm_config_write##bits(struct wdm_vfio_device *device,		\
					  unsigned int offset, __u##bits value,		\
					  struct wdm_error *error)			\
{											\
	return wdm_config_write(device, offset, &value, sizeof(value), error);		\
}

WDM_BAR_ACCESSORS(8)
WDM_BAR_ACCESSORS(16)
WDM_BAR_ACCESSORS(32)
WDM_BAR_ACCESSORS(64)
WDM_CONFIG_ACCESSORS(8)
WDM_CONFIG_ACCESSORS(16)
WDM_CONFIG_ACCESSORS(32)

#undef WDM_BAR_ACCESSORS
#undef WDM_CONFIG_ACCESSORS

/* irq.c */

/**
 * enum wdm_irq_type - types of interrupts
 * @WDM_IRQ_INTX: the interrupt line
 * @WDM_IRQ_MSI: MSI
 * @WDM_IRQ_MSIX: MSI-X
 * @WDM_IRQ_ERROR: an unrecoverable PCI Express error
 * @WDM_IRQ_REQUEST: the kernel asks for the device, to unbind or unplug it
 *
 * The values are VFIO's.
 */
enum wdm_irq_type {
	WDM_IRQ_INTX = 0,
	WDM_IRQ_MSI = 1,
	WDM_IRQ_MSIX = 2,
	WDM_IRQ_ERROR = 3,
	WDM_IRQ_REQUEST = 4,
};

int wdm_irq_count(struct wdm_vfio_device *device, enum wdm_irq_type type,
		  struct wdm_error *error);
bool wdm_irq_enable(struct wdm_vfio_device *device, enum wdm_irq_type type, unsigned int first,
		    unsigned int number, const int *eventfds, struct wdm_error *error);
bool wdm_irq_disable(struct wdm_vfio_device *device, enum wdm_irq_type type,
		     struct wdm_error *error);
bool wdm_irq_mask(struct wdm_vfio_device *device, struct wdm_error *error);
bool wdm_irq_unmask(struct wdm_vfio_device *device, struct wdm_error *error);
bool wdm_irq_unmask_eventfd(struct wdm_vfio_device *device, int eventfd,
			    struct wdm_error *error);

/* reset.c */
bool wdm_vfio_reset(struct wdm_vfio_device *device, struct wdm_error *error);
int wdm_vfio_hot_reset_list(struct wdm_vfio_device *device, struct wdm_pci_address **list,
			    struct wdm_error *error);
bool wdm_vfio_hot_reset(struct wdm_vfio_device *device, struct wdm_vfio_device * const *others,
			unsigned int number, struct wdm_error *error);

/* tables.c */

/* Levels of tables: 0 contains the entries for 4 KiB. */
#define WDM_LEVEL_4K	0
#define WDM_LEVEL_2M	1
#define WDM_LEVEL_1G	2

/**
 * struct wdm_table_format - encoding of a page table format
 * @name: for messages
 * @number: WDM_IOMMU_FORMAT_*
 * @leaf: encode an entry of @level that translates to caller address @target with
 *	WDM_IOMMU_READ and WDM_IOMMU_WRITE
 * @table: encode an entry that refers to the table at caller address @target
 * @target: the address bits of an entry
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

/* Bits of entries, for programs that encode their own */
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
 * struct wdm_tables - page tables in the program's memory
 * @format: their format
 * @memory: memory for the tables, page aligned; the root is the first page
 * @pages: size of @memory in pages
 * @used: number of pages in use
 * @caller_address: caller address of @memory
 * @levels: number of levels
 * @input_bits: width of an input address in bits
 * @reserved: 0
 */
struct wdm_tables {
	const struct wdm_table_format *format;
	__u64 *memory;
	size_t pages;
	size_t used;
	__u64 caller_address;
	unsigned int levels;
	unsigned int input_bits;
	__u64 reserved[4];
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

/* QEMU stops the machine on a transfer that reaches the buffer's last byte. */
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
