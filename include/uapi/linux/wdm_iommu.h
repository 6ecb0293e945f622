/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * /dev/wdm_iommu: the DMA remapping interface of the Windows kernel (wdm.h) for
 * programs, for devices whose DMA VFIO has handed to them.
 *
 * This file is the manual. "Contract" below means Microsoft's reference for
 * wdm.h; the page that each ioctl follows is named with it.
 */
#ifndef _UAPI_LINUX_WDM_IOMMU_H
#define _UAPI_LINUX_WDM_IOMMU_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General rules
 *
 * Structures. Each ioctl takes a pointer to a structure which starts with @size
 * and @status. The program sets @size to sizeof() the structure that it was
 * compiled with. A later kernel takes the structures of today; a kernel of
 * today takes longer ones as long as the members that it does not know are
 * zero. Reserved members and unknown flag bits must be zero. A member marked
 * "out" is written by the call, and what it holds before does not matter.
 *
 * Results. A call returns 0 and leaves STATUS_SUCCESS in @status, or it returns
 * -1 with errno set and leaves the NTSTATUS in @status; see wdm_ntstatus.h for
 * the numbers and wdm_ntstatus_table.h for errno and meaning of each. A call
 * that fails has changed nothing, except where its text says otherwise
 * (&WDM_IOMMU_CONFIGURE, the two flushes and &WDM_IOMMU_BATCH).
 *
 * Without a status, because there is no place to write it to:
 *
 *	- EFAULT: the structure cannot be read and written. If it goes away while
 *	  the call is running, the call may have been done
 *	- EINVAL: @size is smaller than the first version of the structure
 *	- ENOTTY: there is no such ioctl
 *
 * Statuses that any ioctl may answer with, beside those in its text:
 *
 *	- STATUS_REVISION_MISMATCH: the structure is longer than this kernel knows,
 *	  and its unknown part is not zero
 *	- STATUS_INVALID_PARAMETER: a reserved member or an unknown flag is not zero
 *	- STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH: a handle that names
 *	  nothing, or an object of another type
 *	- STATUS_INSUFFICIENT_RESOURCES: not enough memory
 *	- STATUS_CANCELLED: a signal ended the call, which has changed nothing, with
 *	  the same exceptions
 *
 * Handles are numbers greater than 0, valid for one open file description of
 * /dev/wdm_iommu, which also owns everything that was made through it. When it
 * is closed, every device is detached, every mapping taken away and every page
 * unpinned.
 *
 * Pages are 4 KiB (@page_size of &struct wdm_iommu_info); addresses and lengths
 * are in bytes unless a member says pages. All calls may be made by any number
 * of threads at the same time.
 */

#define WDM_IOMMU_TYPE	0xDD

enum {
	WDM_IOMMU_CMD_BASE = 0x40,
	WDM_IOMMU_CMD_INFO = WDM_IOMMU_CMD_BASE,
	WDM_IOMMU_CMD_DESTROY,
	WDM_IOMMU_CMD_DOMAIN_CREATE,
	WDM_IOMMU_CMD_DEVICE_CREATE,
	WDM_IOMMU_CMD_ATTACH,
	WDM_IOMMU_CMD_DETACH,
	WDM_IOMMU_CMD_MDL_CREATE,
	WDM_IOMMU_CMD_MAP,
	WDM_IOMMU_CMD_UNMAP,
	WDM_IOMMU_CMD_MAP_IDENTITY,
	WDM_IOMMU_CMD_UNMAP_IDENTITY,
	WDM_IOMMU_CMD_MEMORY_ADD,
	WDM_IOMMU_CMD_MEMORY_REMOVE,
	WDM_IOMMU_CMD_CONFIGURE,
	WDM_IOMMU_CMD_FLUSH,
	WDM_IOMMU_CMD_FLUSH_VA_LIST,
	WDM_IOMMU_CMD_QUERY_DOMAIN,
	WDM_IOMMU_CMD_QUERY_MAPPINGS,
	WDM_IOMMU_CMD_MAP_USER,
	WDM_IOMMU_CMD_BATCH,
	/* On a VFIO container, not on /dev/wdm_iommu: */
	WDM_IOMMU_CMD_VFIO_BIND = 0x80,
};

/*
 * Permissions (contract: IommuMapLogicalRange); all other bits are refused.
 * There are IOMMUs that cannot forbid reading where they allow writing.
 */
#define WDM_IOMMU_READ			(1U << 0)
#define WDM_IOMMU_WRITE			(1U << 1)

/* Formats of page tables (contract: DOMAIN_CONFIGURATION_ARCH). */
#define WDM_IOMMU_FORMAT_ARM64		0
#define WDM_IOMMU_FORMAT_X64		1

/**
 * struct wdm_iommu_info - ioctl(WDM_IOMMU_INFO)
 * @size: sizeof(struct wdm_iommu_info)
 * @status: out: NTSTATUS
 * @interface_version: out: the highest version of the contract's interface
 *	tables of which all functions are there (1)
 * @flags: out: WDM_IOMMU_INFO_*
 * @page_size: out: bytes in a page
 * @formats: out: bit (1 << WDM_IOMMU_FORMAT_x) for each format of page tables
 *	that %WDM_IOMMU_CONFIGURE takes
 * @max_mdl_length: out: the longest MDL, in bytes
 * @max_va_list: out: the longest list that %WDM_IOMMU_FLUSH_VA_LIST takes
 * @shadow_extra_tables: out: a caller-managed domain follows at most as many
 *	tables as its caller's address space has pages, and this many more; a
 *	table counts once for each entry through which it is reached
 * @max_batch: out: the most operations that %WDM_IOMMU_BATCH takes
 * @reserved: out: 0
 *
 * What this kernel and this module offer.
 */
struct wdm_iommu_info {
	__u32 size;
	__u32 status;
	__u32 interface_version;
	__u32 flags;
/* Devices come through VFIO containers (%WDM_IOMMU_VFIO_BIND). */
#define WDM_IOMMU_INFO_VFIO_CONTAINER		(1U << 0)
/* Devices without isolated interrupts are let in (module parameter). */
#define WDM_IOMMU_INFO_UNSAFE_INTERRUPTS	(1U << 1)
	__u32 page_size;
	__u32 formats;
	__aligned_u64 max_mdl_length;
	__u32 max_va_list;
	__u32 shadow_extra_tables;
	__u32 max_batch;
	__u32 reserved;
};

#define WDM_IOMMU_INFO _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_INFO)

/**
 * struct wdm_iommu_destroy - ioctl(WDM_IOMMU_DESTROY)
 * @size: sizeof(struct wdm_iommu_destroy)
 * @status: out: NTSTATUS
 * @handle: the domain, device or MDL
 * @reserved: must be 0
 *
 * Deletes an object of any type.
 *
 * A domain must have no device attached (contract: IommuDomainDelete); its
 * mappings, or its caller's address space, go with it. A device must not be
 * attached (IommuDeviceDelete). An MDL must not be mapped, nor be part of a
 * caller's address space; its pages are unpinned.
 *
 * STATUS_RESOURCE_IN_USE: see above, or another thread is using the object.
 */
struct wdm_iommu_destroy {
	__u32 size;
	__u32 status;
	__u32 handle;
	__u32 reserved;
};

#define WDM_IOMMU_DESTROY _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_DESTROY)

/**
 * struct wdm_iommu_domain_create - ioctl(WDM_IOMMU_DOMAIN_CREATE)
 * @size: sizeof(struct wdm_iommu_domain_create)
 * @status: out: NTSTATUS
 * @os_managed_page_table: 1: the OS owns the page tables, and Map and Unmap
 *	work; 0: the caller owns them, and Configure and Flush work
 * @flags: WDM_IOMMU_DOMAIN_*
 * @domain: out: the handle
 * @reserved: must be 0
 *
 * Contract: IommuDomainCreate. A domain starts without devices and lets nothing
 * through; a caller-managed one lets nothing through until it is configured.
 *
 * With the IOMMU's large pages, which an OS-managed domain uses where memory
 * and alignment allow, taking a part of what one large page maps away means to
 * replace the whole page: for a moment, DMA to the rest of it is blocked too.
 * %WDM_IOMMU_DOMAIN_PAGE_GRANULAR maps every 4 KiB page by itself, so that an
 * Unmap never disturbs its neighbours. It is refused for a caller-managed
 * domain, which is as fine-grained as its caller's tables are.
 *
 * STATUS_INVALID_PARAMETER_1: @os_managed_page_table is neither 0 nor 1.
 */
struct wdm_iommu_domain_create {
	__u32 size;
	__u32 status;
	__u32 os_managed_page_table;
	__u32 flags;
#define WDM_IOMMU_DOMAIN_PAGE_GRANULAR	(1U << 0)
	__u32 domain;
	__u32 reserved;
};

#define WDM_IOMMU_DOMAIN_CREATE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_DOMAIN_CREATE)

/**
 * struct wdm_iommu_device_create - ioctl(WDM_IOMMU_DEVICE_CREATE)
 * @size: sizeof(struct wdm_iommu_device_create)
 * @status: out: NTSTATUS
 * @flags: must be 0
 * @segment: PCI segment of the device, which Linux calls its domain; those of
 *	VMD controllers begin at 0x10000
 * @bus: PCI bus
 * @devfn: PCI device and function, (device << 3) | function
 * @reserved: must be 0
 * @device: out: the handle
 * @group: out: the number of the device's IOMMU group
 *
 * Contract: IommuDeviceCreate. Makes an IOMMU_DMA_DEVICE of a PCI device whose
 * IOMMU group is in a VFIO container that is bound to this file
 * (%WDM_IOMMU_VFIO_BIND). A device has at most one handle.
 *
 * STATUS_NO_SUCH_DEVICE: there is no such PCI device;
 * STATUS_NOT_FOUND: it is behind no IOMMU;
 * STATUS_ACCESS_DENIED: VFIO has not handed its group to this file;
 * STATUS_DEVICE_REMOVED: VFIO is just taking it back;
 * STATUS_RESOURCE_IN_USE: the device has a handle.
 */
struct wdm_iommu_device_create {
	__u32 size;
	__u32 status;
	__u32 flags;
	__u32 segment;
	__u8 bus;
	__u8 devfn;
	__u16 reserved;
	__u32 device;
	__u32 group;
};

#define WDM_IOMMU_DEVICE_CREATE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_DEVICE_CREATE)

/**
 * struct wdm_iommu_attach - ioctl(WDM_IOMMU_ATTACH)
 * @size: sizeof(struct wdm_iommu_attach)
 * @status: out: NTSTATUS
 * @domain: the domain
 * @device: the device
 * @input_mapping_id_base: must be 0
 * @mapping_count: must be 1
 *
 * Contract: IommuDeviceAttach. From here on the device's DMA goes through the
 * domain. The unit is the IOMMU group: the first device of a group takes the
 * whole group along, and the group leaves when its last device is detached.
 * What is mapped in the domain is there when the call returns.
 *
 * STATUS_INVALID_PARAMETER: the device is attached already;
 * STATUS_INVALID_PARAMETER_3, STATUS_INVALID_PARAMETER_4: base or count;
 * STATUS_ACCESS_DENIED: a device of the same group is in another domain, or the
 * group's interrupts are not isolated;
 * STATUS_CONFLICTING_ADDRESSES: the domain maps an address that is reserved for
 * this device, or that its IOMMU cannot translate;
 * STATUS_NOT_SUPPORTED: the IOMMU cannot map 4 KiB pages, or the device's DMA is
 * not coherent;
 * STATUS_DEVICE_BUSY: the IOMMU core does not let the group go;
 * STATUS_DEVICE_REMOVED: VFIO has taken the device back, or it was unplugged.
 */
struct wdm_iommu_attach {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 device;
	__u32 input_mapping_id_base;
	__u32 mapping_count;
};

#define WDM_IOMMU_ATTACH _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_ATTACH)

/**
 * struct wdm_iommu_detach - ioctl(WDM_IOMMU_DETACH)
 * @size: sizeof(struct wdm_iommu_detach)
 * @status: out: NTSTATUS
 * @device: the device
 * @input_mapping_id: must be 0
 *
 * Contract: IommuDeviceDetach. When the last device of its group is detached,
 * all DMA of the group is blocked.
 *
 * STATUS_INVALID_PARAMETER_1: the device is attached to nothing;
 * STATUS_INVALID_PARAMETER_3: @input_mapping_id.
 */
struct wdm_iommu_detach {
	__u32 size;
	__u32 status;
	__u32 device;
	__u32 input_mapping_id;
};

#define WDM_IOMMU_DETACH _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_DETACH)

/**
 * struct wdm_iommu_mdl_create - ioctl(WDM_IOMMU_MDL_CREATE)
 * @size: sizeof(struct wdm_iommu_mdl_create)
 * @status: out: NTSTATUS
 * @user_va: where the memory starts in the calling process; page aligned
 * @length: bytes; whole pages
 * @access: what devices may do with it: %WDM_IOMMU_READ, or both bits;
 *	%WDM_IOMMU_WRITE alone is taken as both
 * @mdl: out: the handle
 *
 * Pins memory of the calling process for as long as the MDL exists, as
 * pin_user_pages() does with FOLL_LONGTERM, and counts it as pinned memory of
 * the process (VmPin), which RLIMIT_MEMLOCK bounds unless it has CAP_IPC_LOCK.
 * Memory that it locks with mlock() is counted apart (VmLck). A signal ends the
 * call early, with nothing pinned.
 *
 * STATUS_INVALID_PARAMETER_1: @user_va is not page aligned;
 * STATUS_INVALID_PARAMETER_2: @length is 0, not whole pages, longer than
 * @max_mdl_length, or the range wraps;
 * STATUS_INVALID_PARAMETER_3: @access;
 * STATUS_ACCESS_VIOLATION: the memory does not exist, or not for this access, or
 * cannot be pinned for long;
 * STATUS_NOT_SUPPORTED: likewise, for some kinds of memory (DAX);
 * STATUS_WORKING_SET_QUOTA: more than RLIMIT_MEMLOCK allows.
 */
struct wdm_iommu_mdl_create {
	__u32 size;
	__u32 status;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__u32 access;
	__u32 mdl;
};

#define WDM_IOMMU_MDL_CREATE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MDL_CREATE)

/**
 * struct wdm_iommu_map - ioctl(WDM_IOMMU_MAP) and ioctl(WDM_IOMMU_MAP_IDENTITY)
 * @size: sizeof(struct wdm_iommu_map)
 * @status: out: NTSTATUS
 * @domain: an OS-managed domain
 * @permissions: %WDM_IOMMU_READ and %WDM_IOMMU_WRITE, at least one
 * @mdl: the MDL
 * @reserved: must be 0
 * @offset: where in the MDL to start, in bytes
 * @length: bytes; 0 means from @offset to the end of the MDL
 * @logical_address: the address that devices will use; must be 0 for
 *	%WDM_IOMMU_MAP_IDENTITY
 *
 * Contract: IommuMapLogicalRange; IommuMapIdentityRange, where each page gets
 * its own physical address, and which needs CAP_SYS_RAWIO. All or nothing.
 *
 * STATUS_INVALID_PARAMETER_1: the domain is caller-managed;
 * STATUS_INVALID_PARAMETER_2: @permissions;
 * STATUS_INVALID_PARAMETER_3: @offset or @length: not whole pages, or not
 * inside the MDL;
 * STATUS_INVALID_PARAMETER_4: @logical_address is not page aligned, or the range
 * wraps;
 * STATUS_ACCESS_DENIED: the MDL was not made for writing by devices;
 * STATUS_RESOURCE_IN_USE: a page of the range is mapped (Windows: IN_USE);
 * STATUS_CONFLICTING_ADDRESSES: a reserved region of an attached device, or
 * outside what its IOMMU translates;
 * STATUS_PRIVILEGE_NOT_HELD: an identity map without CAP_SYS_RAWIO.
 */
struct wdm_iommu_map {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 permissions;
	__u32 mdl;
	__u32 reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 logical_address;
};

#define WDM_IOMMU_MAP _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MAP)
#define WDM_IOMMU_MAP_IDENTITY _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MAP_IDENTITY)

/**
 * struct wdm_iommu_unmap - ioctl(WDM_IOMMU_UNMAP)
 * @size: sizeof(struct wdm_iommu_unmap)
 * @status: out: NTSTATUS
 * @domain: an OS-managed domain
 * @reserved: must be 0
 * @logical_address: where to start; page aligned
 * @length: bytes; whole pages, at least one
 *
 * Contract: IommuUnmapLogicalRange. Any range of pages will do, across several
 * maps or inside one, as long as every page of it is mapped. When the call
 * returns, DMA to the range is blocked.
 *
 * STATUS_INVALID_PARAMETER_1: the domain is caller-managed;
 * STATUS_INVALID_PARAMETER_2: @logical_address is not page aligned;
 * STATUS_INVALID_PARAMETER_3: @length is 0, not whole pages, or the range wraps;
 * STATUS_NOT_FOUND: a page of the range is not mapped.
 */
struct wdm_iommu_unmap {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 reserved;
	__aligned_u64 logical_address;
	__aligned_u64 length;
};

#define WDM_IOMMU_UNMAP _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_UNMAP)

/**
 * struct wdm_iommu_unmap_identity - ioctl(WDM_IOMMU_UNMAP_IDENTITY)
 * @size: sizeof(struct wdm_iommu_unmap_identity)
 * @status: out: NTSTATUS
 * @domain: an OS-managed domain
 * @mdl: the MDL
 * @offset: where in the MDL to start, in bytes
 * @length: bytes; 0 means from @offset to the end of the MDL
 *
 * Contract: IommuUnmapIdentityRange. Needs CAP_SYS_RAWIO. All or nothing.
 *
 * STATUS_INVALID_PARAMETER_1: the domain is caller-managed;
 * STATUS_INVALID_PARAMETER_2: @offset or @length;
 * STATUS_NOT_FOUND: a page is not mapped at its physical address;
 * STATUS_PRIVILEGE_NOT_HELD: no CAP_SYS_RAWIO.
 */
struct wdm_iommu_unmap_identity {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 mdl;
	__aligned_u64 offset;
	__aligned_u64 length;
};

#define WDM_IOMMU_UNMAP_IDENTITY \
	_IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_UNMAP_IDENTITY)

/**
 * struct wdm_iommu_memory_add - ioctl(WDM_IOMMU_MEMORY_ADD)
 * @size: sizeof(struct wdm_iommu_memory_add)
 * @status: out: NTSTATUS
 * @domain: a caller-managed domain
 * @permissions: the most that page tables may allow for this memory:
 *	%WDM_IOMMU_READ, or both bits
 * @mdl: the MDL
 * @reserved: must be 0
 * @offset: where in the MDL to start, in bytes
 * @length: bytes; 0 means from @offset to the end of the MDL
 * @caller_address: where the memory stands in the caller's address space; page
 *	aligned
 *
 * Makes memory part of the address space that the domain's page tables, and
 * their root, use: guest-physical addresses of a VMM, or a program's own
 * virtual addresses. It has no effect on tables that were walked before; the
 * next flush looks again at entries that were refused.
 *
 * While TranslationEnabled is FALSE, devices reach the memory at once.
 *
 * STATUS_INVALID_PARAMETER_1: the domain is OS-managed;
 * STATUS_INVALID_PARAMETER_2: @permissions;
 * STATUS_INVALID_PARAMETER_3: @offset or @length;
 * STATUS_INVALID_PARAMETER_4: @caller_address is not page aligned, or the range
 * wraps;
 * STATUS_ACCESS_DENIED: the MDL was not made for writing by devices;
 * STATUS_RESOURCE_IN_USE: a page of the range is part of the address space;
 * STATUS_CONFLICTING_ADDRESSES: as for %WDM_IOMMU_MAP, while TranslationEnabled
 * is FALSE.
 */
struct wdm_iommu_memory_add {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 permissions;
	__u32 mdl;
	__u32 reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 caller_address;
};

#define WDM_IOMMU_MEMORY_ADD _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MEMORY_ADD)

/**
 * struct wdm_iommu_memory_remove - ioctl(WDM_IOMMU_MEMORY_REMOVE)
 * @size: sizeof(struct wdm_iommu_memory_remove)
 * @status: out: NTSTATUS
 * @domain: a caller-managed domain
 * @reserved: must be 0
 * @caller_address: where to start; page aligned
 * @length: bytes; whole pages
 *
 * Takes memory out of the caller's address space, with every translation that
 * leads to it or through page tables in it; when the call returns, these block. Any range of pages
 * will do, as long as every page of it is part of the address space.
 *
 * STATUS_INVALID_PARAMETER_1: the domain is OS-managed;
 * STATUS_INVALID_PARAMETER_2: @caller_address is not page aligned;
 * STATUS_INVALID_PARAMETER_3: @length is 0 or not whole pages, or the range
 * wraps;
 * STATUS_NOT_FOUND: a page of the range is not part of the address space.
 */
struct wdm_iommu_memory_remove {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 reserved;
	__aligned_u64 caller_address;
	__aligned_u64 length;
};

#define WDM_IOMMU_MEMORY_REMOVE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MEMORY_REMOVE)

/**
 * struct wdm_iommu_walk_error - what a walk of the caller's page tables refused
 * @count: entries that the walk met and that block because they were refused;
 *	0: none, and if the call failed with anything but STATUS_CANCELLED it has
 *	changed nothing
 * @reserved: 0
 * @level: level of the table that holds the first of them: 0 for the tables of
 *	4 KiB entries, one more for each level above; for the root itself, the
 *	number of levels
 * @logical_address: the first address that this entry would translate
 * @entry: what the entry held, or the root
 *
 * The status of the call is that of the first refused entry:
 *
 * STATUS_INVALID_PARAMETER: a reserved bit is set, or the encoding is reserved;
 * STATUS_ACCESS_VIOLATION: it leads out of the caller's address space, or
 * allows writing to memory that was added for reading only;
 * STATUS_CONFLICTING_ADDRESSES: it translates an address that is reserved for an
 * attached device, or that its IOMMU cannot translate;
 * STATUS_INSUFFICIENT_RESOURCES: too many tables (@shadow_extra_tables of
 * &struct wdm_iommu_info), or no memory.
 */
struct wdm_iommu_walk_error {
	__aligned_u64 count;
	__u32 level;
	__u32 reserved;
	__aligned_u64 logical_address;
	__aligned_u64 entry;
};

/**
 * struct wdm_iommu_configure - ioctl(WDM_IOMMU_CONFIGURE)
 * @size: sizeof(struct wdm_iommu_configure)
 * @status: out: NTSTATUS
 * @domain: a caller-managed domain
 * @type: %WDM_IOMMU_FORMAT_ARM64 or %WDM_IOMMU_FORMAT_X64
 * @flags: WDM_IOMMU_CONFIGURE_*
 * @translation_enabled: 1: the tables translate; 0: devices see the caller's
 *	address space one to one, and roots and sizes are not looked at
 * @arm64: for %WDM_IOMMU_FORMAT_ARM64
 * @arm64.ttbr0: caller address of the root for addresses from 0 up; aligned to
 *	the size of the root table, but at least to 64 bytes
 * @arm64.ttbr1: must be 0
 * @arm64.mair0: memory attributes, not looked at
 * @arm64.mair1: memory attributes, not looked at
 * @arm64.input_size0: bits of an input address, 25 to 48
 * @arm64.input_size1: must be 0
 * @arm64.coherent_table_walks: 0 or 1; the walk is coherent in any case
 * @arm64.reserved: must be 0
 * @x64: for %WDM_IOMMU_FORMAT_X64
 * @x64.first_level_page_table_root: caller address of the root table, page
 *	aligned
 * @walk_error: out: what was refused
 *
 * Contract: IommuDomainConfigure. Walks the caller's page tables and lets
 * devices use what they translate; replaces what was configured before. A
 * request of a device without a PASID counts as an unprivileged access.
 * Accessed and dirty bits are neither set nor asked for, but for AF of ARM64:
 * an entry with AF = 0 blocks.
 *
 * If the root cannot be used, nothing changes and the status is one of
 * STATUS_INVALID_PARAMETER_1: the domain is OS-managed;
 * STATUS_INVALID_PARAMETER_2: a member of the configuration;
 * STATUS_ACCESS_VIOLATION: the root is outside of the caller's address space,
 * with @walk_error.count 0;
 * STATUS_CONFLICTING_ADDRESSES: @translation_enabled is 0, and the caller's
 * address space does not fit the devices; with @walk_error.count 0.
 * If some entries cannot be used, the domain is configured, those entries block,
 * and @status and @walk_error tell of the first.
 * STATUS_CANCELLED (a fatal signal), or STATUS_INSUFFICIENT_RESOURCES with
 * @walk_error.count 0 and @translation_enabled 0: what was configured before may be
 * gone, and then the domain lets nothing through.
 */
struct wdm_iommu_configure {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 type;
	__u32 flags;
/* X64: the root is that of 5 levels. */
#define WDM_IOMMU_CONFIGURE_X64_LA57	(1U << 0)
	__u32 translation_enabled;
	union {
		struct {
			__aligned_u64 ttbr0;
			__aligned_u64 ttbr1;
			__u32 mair0;
			__u32 mair1;
			__u32 input_size0;
			__u32 input_size1;
			__u32 coherent_table_walks;
			__u32 reserved;
		} arm64;
		struct {
			__aligned_u64 first_level_page_table_root;
		} x64;
	};
	struct wdm_iommu_walk_error walk_error;
};

#define WDM_IOMMU_CONFIGURE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_CONFIGURE)

/**
 * struct wdm_iommu_flush - ioctl(WDM_IOMMU_FLUSH)
 * @size: sizeof(struct wdm_iommu_flush)
 * @status: out: NTSTATUS
 * @domain: a caller-managed domain
 * @reserved: must be 0
 * @walk_error: out: what was refused
 *
 * Contract: IommuFlushDomain. When the call returns, translations equal the
 * caller's tables as they were at some time during the call, whatever changed
 * in them. Entries that cannot be used block and do not keep the others from
 * being followed; @status and @walk_error tell of the first.
 *
 * STATUS_INVALID_PARAMETER_1: the domain is OS-managed;
 * STATUS_INVALID_DEVICE_STATE: the domain is not configured;
 * STATUS_CANCELLED: a fatal signal; a part of the tables has been followed.
 */
struct wdm_iommu_flush {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 reserved;
	struct wdm_iommu_walk_error walk_error;
};

#define WDM_IOMMU_FLUSH _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_FLUSH)

/**
 * struct wdm_iommu_flush_va_list - ioctl(WDM_IOMMU_FLUSH_VA_LIST)
 * @size: sizeof(struct wdm_iommu_flush_va_list)
 * @status: out: NTSTATUS
 * @domain: a caller-managed domain
 * @last_level: 1: of the tables only leaf entries have changed; 0: any entry on
 *	the way to the addresses may have
 * @number: how many addresses, at most @max_va_list of &struct wdm_iommu_info
 * @reserved: must be 0
 * @va_list: pointer to an array of @number __u64, the input addresses whose
 *	translations to flush; bits 0 to 11 are ignored
 * @walk_error: out: what was refused
 *
 * Contract: IommuFlushDomainByVaList. As %WDM_IOMMU_FLUSH, for the entries that
 * translate the listed addresses only. With a leaf of 2 MiB or 1 GiB, or a run
 * of entries with the contiguous bit of ARM64, any address in it stands for
 * all of it. If the root had been lost with its memory and is there again, all of
 * the tables are followed.
 *
 * STATUS_INVALID_PARAMETER_1: the domain is OS-managed;
 * STATUS_INVALID_PARAMETER_2: @last_level is neither 0 nor 1;
 * STATUS_INVALID_PARAMETER_3: @number;
 * STATUS_INVALID_PARAMETER_4: an address that the format cannot translate;
 * STATUS_ACCESS_VIOLATION: @va_list cannot be read, with @walk_error.count 0;
 * STATUS_INVALID_DEVICE_STATE: the domain is not configured;
 * STATUS_CANCELLED: a fatal signal; a part of the list has been followed.
 */
struct wdm_iommu_flush_va_list {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 last_level;
	__u32 number;
	__u32 reserved;
	__aligned_u64 va_list;
	struct wdm_iommu_walk_error walk_error;
};

#define WDM_IOMMU_FLUSH_VA_LIST _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_FLUSH_VA_LIST)

/**
 * struct wdm_iommu_query_domain - ioctl(WDM_IOMMU_QUERY_DOMAIN)
 * @size: sizeof(struct wdm_iommu_query_domain)
 * @status: out: NTSTATUS
 * @domain: the domain
 * @flags: out: WDM_IOMMU_DOMAIN_IS_*
 * @devices: out: attached devices
 * @hwpts: out: Linux iommu_domains that the domain fills; devices
 *	behind IOMMUs of one kind share one
 * @mapped_pages: out: OS-managed: pages mapped; caller-managed: pages of the
 *	caller's address space
 * @translated_bytes: out: caller-managed: bytes of logical addresses that the
 *	caller's tables translate; OS-managed: bytes mapped
 * @shadow_tables: out: caller-managed: tables that are followed
 * @invalid_entries: out: caller-managed: entries that block because they were
 *	refused
 * @aperture_start: out: the first address that all attached devices can use
 * @aperture_end: out: the last one
 *
 * A report for tools and tests; the contract has no such call.
 */
struct wdm_iommu_query_domain {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 flags;
#define WDM_IOMMU_DOMAIN_IS_OS_MANAGED		(1U << 0)
#define WDM_IOMMU_DOMAIN_IS_PAGE_GRANULAR	(1U << 1)
#define WDM_IOMMU_DOMAIN_IS_CONFIGURED		(1U << 2)
#define WDM_IOMMU_DOMAIN_IS_TRANSLATING		(1U << 3)
	__u32 devices;
	__u32 hwpts;
	__aligned_u64 mapped_pages;
	__aligned_u64 translated_bytes;
	__aligned_u64 shadow_tables;
	__aligned_u64 invalid_entries;
	__aligned_u64 aperture_start;
	__aligned_u64 aperture_end;
};

#define WDM_IOMMU_QUERY_DOMAIN _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_QUERY_DOMAIN)

/**
 * struct wdm_iommu_mapping - one run of pages that QUERY_MAPPINGS reports
 * @address: the first address of the run: logical for
 *	%WDM_IOMMU_QUERY_LOGICAL, a caller address for %WDM_IOMMU_QUERY_CALLER
 * @length: bytes
 * @offset: where in the MDL the run starts
 * @mdl: handle of the MDL, 0 if the MDL has none
 * @permissions: %WDM_IOMMU_READ, %WDM_IOMMU_WRITE
 */
struct wdm_iommu_mapping {
	__aligned_u64 address;
	__aligned_u64 length;
	__aligned_u64 offset;
	__u32 mdl;
	__u32 permissions;
};

/**
 * struct wdm_iommu_query_mappings - ioctl(WDM_IOMMU_QUERY_MAPPINGS)
 * @size: sizeof(struct wdm_iommu_query_mappings)
 * @status: out: NTSTATUS
 * @domain: the domain
 * @what: %WDM_IOMMU_QUERY_LOGICAL: what devices can reach;
 *	%WDM_IOMMU_QUERY_CALLER: the caller's address space (caller-managed)
 * @number: in: how many elements @mappings has room for; out: how many were
 *	written, fewer than there is room for only at the end
 * @reserved: must be 0
 * @start: in: the address to start at; out: where to go on, or, at the end, ~0
 * @mappings: pointer to an array of &struct wdm_iommu_mapping
 *
 * Walks a domain's mappings in the order of addresses. Neighbouring runs of one
 * MDL with the same permissions may be reported as one, however many calls made
 * them.
 *
 * STATUS_INVALID_PARAMETER_2: @what, or %WDM_IOMMU_QUERY_CALLER for an
 * OS-managed domain;
 * STATUS_INVALID_PARAMETER_3: @number is 0;
 * STATUS_ACCESS_VIOLATION: @mappings cannot be written.
 */
struct wdm_iommu_query_mappings {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 what;
#define WDM_IOMMU_QUERY_LOGICAL		0
#define WDM_IOMMU_QUERY_CALLER		1
	__u32 number;
	__u32 reserved;
	__aligned_u64 start;
	__aligned_u64 mappings;
};

#define WDM_IOMMU_QUERY_MAPPINGS \
	_IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_QUERY_MAPPINGS)

/**
 * struct wdm_iommu_map_user - ioctl(WDM_IOMMU_MAP_USER)
 * @size: sizeof(struct wdm_iommu_map_user)
 * @status: out: NTSTATUS
 * @domain: an OS-managed domain
 * @permissions: %WDM_IOMMU_READ and %WDM_IOMMU_WRITE, at least one
 * @user_va: where the memory starts in the calling process; page aligned
 * @length: bytes; whole pages
 * @logical_address: the address that devices will use
 *
 * %WDM_IOMMU_MDL_CREATE and %WDM_IOMMU_MAP in one call, for memory that is mapped
 * once. Contract: IommuMapLogicalRange. The MDL has no handle: it is there as long
 * as any page of it is mapped, and the last %WDM_IOMMU_UNMAP of it unpins all of
 * its pages. All or nothing.
 *
 * STATUS_INVALID_PARAMETER_1: the domain is caller-managed;
 * STATUS_INVALID_PARAMETER_2: @permissions;
 * STATUS_INVALID_PARAMETER_3: @user_va is not page aligned, or @length is 0, not
 * whole pages, longer than @max_mdl_length, or the range wraps;
 * STATUS_INVALID_PARAMETER_4: @logical_address is not page aligned, or the range
 * wraps;
 * STATUS_ACCESS_VIOLATION, STATUS_NOT_SUPPORTED, STATUS_WORKING_SET_QUOTA: as for
 * %WDM_IOMMU_MDL_CREATE;
 * STATUS_RESOURCE_IN_USE, STATUS_CONFLICTING_ADDRESSES: as for %WDM_IOMMU_MAP.
 */
struct wdm_iommu_map_user {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 permissions;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 logical_address;
};

#define WDM_IOMMU_MAP_USER _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MAP_USER)

/**
 * struct wdm_iommu_batch_op - one operation of a batch
 * @op: %WDM_IOMMU_BATCH_MAP or %WDM_IOMMU_BATCH_UNMAP
 * @permissions: as for %WDM_IOMMU_MAP; 0 for an unmap
 * @mdl: the MDL; 0 for an unmap
 * @reserved: must be 0
 * @offset: as for %WDM_IOMMU_MAP; 0 for an unmap
 * @length: bytes; for a map, 0 means from @offset to the end of the MDL
 * @logical_address: where, page aligned
 */
struct wdm_iommu_batch_op {
	__u32 op;
#define WDM_IOMMU_BATCH_MAP	0
#define WDM_IOMMU_BATCH_UNMAP	1
	__u32 permissions;
	__u32 mdl;
	__u32 reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 logical_address;
};

/**
 * struct wdm_iommu_batch - ioctl(WDM_IOMMU_BATCH)
 * @size: sizeof(struct wdm_iommu_batch)
 * @status: out: NTSTATUS
 * @domain: an OS-managed domain
 * @number: how many operations, at most @max_batch of &struct wdm_iommu_info
 * @ops: pointer to an array of @number &struct wdm_iommu_batch_op
 * @done: out: how many operations were done
 * @reserved: must be 0
 *
 * Maps and unmaps, in the order of the array, as %WDM_IOMMU_MAP and
 * %WDM_IOMMU_UNMAP do, with one lookup of the domain and one invalidation of the
 * IOTLB for all of them. The first operation that fails ends the call: @status is
 * its status, @done its place in the array; those before it have been done, and
 * nothing is left of it and of those behind it.
 *
 * What is unmapped blocks when the call returns; until then a device may reach
 * what was there before. Where the batch maps something else in its place, there
 * is one invalidation more before that.
 *
 * The operations' statuses are those of %WDM_IOMMU_MAP and %WDM_IOMMU_UNMAP;
 * STATUS_INVALID_PARAMETER_3, too, for a @length that is not whole pages, and
 * STATUS_INVALID_PARAMETER for an unknown @op or a member that must be 0. With
 * @done 0, also
 * STATUS_INVALID_PARAMETER_1: the domain is caller-managed;
 * STATUS_INVALID_PARAMETER_2: @number is larger than @max_batch;
 * STATUS_ACCESS_VIOLATION: @ops cannot be read.
 */
struct wdm_iommu_batch {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 number;
	__aligned_u64 ops;
	__u32 done;
	__u32 reserved;
};

#define WDM_IOMMU_BATCH _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_BATCH)

/*
 * What VFIO_CHECK_EXTENSION and VFIO_SET_IOMMU of a VFIO container call this
 * module.
 */
#define WDM_IOMMU_VFIO_IOMMU	0x57444D31

/**
 * struct wdm_iommu_vfio_bind - ioctl(WDM_IOMMU_VFIO_BIND) on a VFIO container
 * @size: sizeof(struct wdm_iommu_vfio_bind)
 * @status: out: NTSTATUS
 * @fd: file descriptor of /dev/wdm_iommu
 * @flags: must be 0
 *
 * After VFIO_SET_IOMMU(%WDM_IOMMU_VFIO_IOMMU): from here on the devices of the
 * container's groups, and of groups that join it later, can become
 * IOMMU_DMA_DEVICEs of that file and of no other. Neither file keeps the other
 * open. When VFIO takes a group back (VFIO_GROUP_UNSET_CONTAINER, the last close
 * of the group), its devices are detached first.
 *
 * STATUS_INVALID_HANDLE: @fd is not an open /dev/wdm_iommu;
 * STATUS_RESOURCE_IN_USE: the container is bound to a file that is open;
 * STATUS_INVALID_DEVICE_STATE: the container has lost its groups.
 */
struct wdm_iommu_vfio_bind {
	__u32 size;
	__u32 status;
	__s32 fd;
	__u32 flags;
};

#define WDM_IOMMU_VFIO_BIND _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_VFIO_BIND)

#endif /* _UAPI_LINUX_WDM_IOMMU_H */
