/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * /dev/wdm_iommu: the DMA remapping interface of the Windows kernel (wdm.h) for
 * programs, for devices that they have opened through VFIO.
 *
 * This file is the manual. "Contract" means Microsoft's reference for wdm.h; each
 * ioctl names the page that it follows.
 */
#ifndef _UAPI_LINUX_WDM_IOMMU_H
#define _UAPI_LINUX_WDM_IOMMU_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Calls
 *
 * **Structures.** Each ioctl takes a pointer to a structure that starts with @size
 * and @status. The program sets @size to the sizeof() of the structure that it was
 * compiled with. Newer modules accept the structures of older programs, and this module
 * accepts longer ones, up to a page, if the part that it does not know is zero. Reserved
 * members and unknown flag bits must be zero. A member marked "out" is written by
 * the call, and need not be initialized.
 *
 * **Results.** A call returns 0 with %STATUS_SUCCESS in @status, or -1 with errno
 * set and an NTSTATUS in @status. wdm_ntstatus.h has the numbers,
 * wdm_ntstatus_table.h the errno and the meaning of each. A failed call has
 * changed nothing, except where its description says otherwise
 * (%WDM_IOMMU_CONFIGURE, the two flushes, and %WDM_IOMMU_BATCH).
 *
 * Some errors have no status:
 *
 * - EFAULT: the structure cannot be read or written. If it becomes inaccessible
 *   during the call, the call may have been carried out.
 * - EINVAL: @size is smaller than the first version of the structure.
 * - ENOTTY: there is no such ioctl.
 *
 * Any ioctl may return these statuses, in addition to those of its own description:
 *
 * - %STATUS_REVISION_MISMATCH: the structure is longer than a page, or the part
 *   that this module does not know is not zero.
 * - %STATUS_INVALID_PARAMETER: a reserved member or an unknown flag is not zero.
 * - %STATUS_INVALID_HANDLE: no object has this handle.
 * - %STATUS_OBJECT_TYPE_MISMATCH: the handle names an object of another type.
 * - %STATUS_INSUFFICIENT_RESOURCES: out of memory.
 * - %STATUS_WORKING_SET_QUOTA: the call exceeds the file's limit on kernel memory; see
 *   "Limits".
 * - %STATUS_CANCELLED: a fatal signal ended the call.
 *
 * **Signals.** Only a fatal signal ends a call. Other signals do not interrupt calls that
 * wait for memory or for other calls.
 *
 * **Handles** are numbers greater than 0. They and the objects that they name
 * belong to one open file description of /dev/wdm_iommu. The last close detaches
 * every device, removes every mapping and unpins every page.
 *
 * **Units.** Addresses and lengths are in bytes. A page has 4 KiB (@page_size of
 * &struct wdm_iommu_info).
 *
 * **Threads.** Any number of threads may make calls at the same time.
 */

/**
 * DOC: Limits
 *
 * **Pinned memory** is limited by RLIMIT_MEMLOCK of the calling process. The limit
 * applies to all pages that the user has pinned, in all processes and through all files,
 * including the pins of io_uring and iommufd; memory locked with mlock() is accounted
 * separately. Each MDL counts all of its pages. They are also part of VmPin of the
 * process that pinned them, until they are unpinned. CAP_IPC_LOCK in the initial user
 * namespace lifts the limit, and pages pinned with it do not count for the user.
 *
 * **Kernel memory** of the objects of a file is limited to 1 MiB, plus four bytes for
 * each byte that the file has pinned. It includes objects, mapping tables, shadow page
 * tables, the IOMMU's page tables, and lists of more than 32 KiB of calls in progress. All
 * files that a user has opened share a second limit of 16 MiB, plus four bytes for each
 * byte pinned through them. An open file takes about 17 KiB of it; open() fails with ENOMEM
 * beyond it. A call that exceeds either limit fails with %STATUS_WORKING_SET_QUOTA.
 * CAP_IPC_LOCK lifts both, and files opened with it do not count for the user. Such memory
 * is also charged to the program's cgroup, as far as the kernel supports it (SECURITY.md).
 *
 * **One page** can be pinned about half a million times in total. Further pins fail with
 * %STATUS_INSUFFICIENT_RESOURCES.
 */

/**
 * DOC: fdinfo
 *
 * /proc/PID/fdinfo/FD of an open /dev/wdm_iommu lists the objects of the file, for readers
 * that may trace the process (PTRACE_MODE_READ). Reading it neither waits for calls nor
 * makes them fail. Each line is a key, a colon, a tab and a value. Later versions may add
 * lines and fields, so look fields up by their names. Numbers are decimal.
 *
 * - wdm-file: number of the open file, as in tracepoints; never reused
 * - wdm-charged: kernel memory of its objects, in bytes ("Limits")
 * - wdm-pinned: memory that it has pinned, in bytes
 * - wdm-faults: number of reported faults of its devices, including lost events
 * - wdm-objects: number of handles of each type: devices, domains, mdls, tokens, pasids
 * - wdm-device: one line each: handle, group (the IOMMU group), domain (the handle of the
 *   domain that it is attached to, or 0), revoked (by VFIO), name (the rest of the line)
 * - wdm-domain: one line each: handle, type (translate, pass-through, unmanaged or
 *   translate-s1), granular (%WDM_IOMMU_DOMAIN_PAGE_GRANULAR), devices (attached), pages
 *   (mapped; of a caller-managed domain, those of the caller's address space). Counters
 *   since it was created: maps and unmaps (successful ones, each operation of a batch
 *   counting as one), syncs (of the IOTLB after unmaps), walks (configures and flushes)
 * - wdm-pasid: one line each: handle, device (its handle), asid
 * - wdm-more: number of devices, domains and PASIDs not listed, beyond 256
 */

/**
 * DOC: Unbind, reset and suspend
 *
 * **Unbind and unplug.** When a device is unplugged or its driver is unbound, VFIO asks the
 * program to release it: it signals the eventfd that the program has set for
 * VFIO_PCI_REQ_IRQ_INDEX, and waits until the device's file and the mappings of its BARs
 * are closed. A device that was opened through its cdev is detached at once, one that was
 * opened through a container after its driver is unbound. The file gets
 * %WDM_IOMMU_EVENT_DEVICE_REVOKED.
 *
 * Domains and MDLs remain usable, and other devices of the group stay attached. A call that
 * needs the device fails with %STATUS_DEVICE_REMOVED; its handle can only be used for
 * %WDM_IOMMU_DESTROY. When the device is bound again, it gets a new handle, and can be
 * attached to the same domain.
 *
 * **Resets** of a device or its bus change neither attachments nor translations. Transfers
 * in progress are lost. Recent kernels block the DMA of a device with ATS during a reset;
 * %WDM_IOMMU_ATTACH returns %STATUS_DEVICE_BUSY then.
 *
 * **Suspend** preserves attachments and translations, but not necessarily the state of a
 * device. The driver of virtio-iommu does not support suspend.
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
	WDM_IOMMU_CMD_QUERY_RANGES,
	WDM_IOMMU_CMD_SET_FAULT_REPORTING,
	WDM_IOMMU_CMD_QUERY_DEVICE,
	WDM_IOMMU_CMD_QUERY_INPUT_MAPPINGS,
	WDM_IOMMU_CMD_DOMAIN_CREATE_EX,
	WDM_IOMMU_CMD_MAP_EX,
	WDM_IOMMU_CMD_RESERVE,
	WDM_IOMMU_CMD_MAP_RESERVED,
	WDM_IOMMU_CMD_UNMAP_RESERVED,
	WDM_IOMMU_CMD_PASID_CREATE,
	WDM_IOMMU_CMD_PASID_ATTACH,
	WDM_IOMMU_CMD_PASID_DETACH,
	WDM_IOMMU_CMD_MDL_CREATE_FILE,
	/* On a VFIO container, not on /dev/wdm_iommu: */
	WDM_IOMMU_CMD_VFIO_BIND = 0x80,
};

/**
 * enum wdm_iommu_permissions - permissions of a mapping
 * @WDM_IOMMU_READ: devices may read
 * @WDM_IOMMU_WRITE: devices may write
 *
 * Contract: IommuMapLogicalRange. Unknown bits are refused. Some IOMMUs cannot
 * forbid reads where they allow writes.
 */
enum wdm_iommu_permissions {
	WDM_IOMMU_READ = 1 << 0,
	WDM_IOMMU_WRITE = 1 << 1,
};

/**
 * enum wdm_iommu_format - formats of a caller's page tables
 * @WDM_IOMMU_FORMAT_ARM64: VMSAv8-64 stage 1, 4 KiB granule
 * @WDM_IOMMU_FORMAT_X64: x86-64 with 4 or 5 levels
 *
 * Contract: DOMAIN_CONFIGURATION_ARCH.
 */
enum wdm_iommu_format {
	WDM_IOMMU_FORMAT_ARM64 = 0,
	WDM_IOMMU_FORMAT_X64 = 1,
};

/**
 * enum wdm_iommu_info_flags - flags of &struct wdm_iommu_info
 * @WDM_IOMMU_INFO_VFIO_CONTAINER: VFIO containers are supported (%WDM_IOMMU_VFIO_BIND)
 * @WDM_IOMMU_INFO_UNSAFE_INTERRUPTS: devices without isolated interrupts are
 *	accepted (module parameter allow_unsafe_interrupts)
 * @WDM_IOMMU_INFO_VFIO_CDEV: VFIO device cdevs are supported (%WDM_IOMMU_DEVICE_CDEV)
 */
enum wdm_iommu_info_flags {
	WDM_IOMMU_INFO_VFIO_CONTAINER = 1 << 0,
	WDM_IOMMU_INFO_UNSAFE_INTERRUPTS = 1 << 1,
	WDM_IOMMU_INFO_VFIO_CDEV = 1 << 2,
};

/**
 * struct wdm_iommu_info - ioctl(WDM_IOMMU_INFO)
 * @size: sizeof(struct wdm_iommu_info)
 * @status: out: NTSTATUS
 * @interface_version: out: the highest version of the contract's interface
 *	that is complete: 3, or 2 on kernels before 6.11, which attach no PASIDs
 * @flags: out: &enum wdm_iommu_info_flags
 * @page_size: out: size of a page in bytes
 * @formats: out: bit (1 << format) for each &enum wdm_iommu_format that
 *	%WDM_IOMMU_CONFIGURE accepts
 * @max_mdl_length: out: maximum length of an MDL, in bytes
 * @max_va_list: out: maximum number of addresses of %WDM_IOMMU_FLUSH_VA_LIST
 * @max_batch: out: maximum number of operations of %WDM_IOMMU_BATCH
 * @max_events: out: capacity of the event queue, in records
 * @event_size: out: sizeof(struct wdm_iommu_event) in this module
 * @max_regions: out: maximum number of reserved regions of %WDM_IOMMU_DOMAIN_CREATE_EX
 * @reserved: out: 0
 *
 * Reports the abilities of this kernel and this module.
 */
struct wdm_iommu_info {
	__u32 size;
	__u32 status;
	__u32 interface_version;
	__u32 flags;
	__u32 page_size;
	__u32 formats;
	__aligned_u64 max_mdl_length;
	__u32 max_va_list;
	__u32 max_batch;
	__u32 max_events;
	__u32 event_size;
	__u32 max_regions;
	__u32 reserved;
};

#define WDM_IOMMU_INFO _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_INFO)

/**
 * struct wdm_iommu_destroy - ioctl(WDM_IOMMU_DESTROY)
 * @size: sizeof(struct wdm_iommu_destroy)
 * @status: out: NTSTATUS
 * @handle: the object
 * @reserved: must be 0
 *
 * Deletes an object of any type.
 *
 * - A domain must have no devices attached and no tokens; its mappings, or its caller's
 *   address space, are removed. Contract: IommuDomainDelete.
 * - A device must not be attached, and must have no PASIDs. Contract: IommuDeviceDelete.
 * - A PASID must not be attached. Contract: IommuPasidDeviceDelete.
 * - An MDL must neither be mapped nor be part of a caller's address space; its pages are
 *   unpinned.
 * - A token must have no segment mapped; its addresses become free. Contract:
 *   IommuFreeReservedLogicalAddressRange.
 *
 * An object that cannot be deleted stays usable throughout.
 *
 * Statuses:
 *
 * - %STATUS_RESOURCE_IN_USE: as above, or another call is using the object.
 */
struct wdm_iommu_destroy {
	__u32 size;
	__u32 status;
	__u32 handle;
	__u32 reserved;
};

#define WDM_IOMMU_DESTROY _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_DESTROY)

/**
 * enum wdm_iommu_domain_type - types of domains
 * @WDM_IOMMU_TYPE_TRANSLATE: the OS owns the page tables
 * @WDM_IOMMU_TYPE_PASS_THROUGH: all of memory, one to one
 * @WDM_IOMMU_TYPE_UNMANAGED: the caller owns the page tables
 * @WDM_IOMMU_TYPE_TRANSLATE_S1: as %WDM_IOMMU_TYPE_TRANSLATE, and devices with a PASID
 *	can be attached
 *
 * Contract: IOMMU_DMA_DOMAIN_TYPE.
 */
enum wdm_iommu_domain_type {
	WDM_IOMMU_TYPE_TRANSLATE = 0,
	WDM_IOMMU_TYPE_PASS_THROUGH = 1,
	WDM_IOMMU_TYPE_UNMANAGED = 2,
	WDM_IOMMU_TYPE_TRANSLATE_S1 = 3,
};

/**
 * enum wdm_iommu_domain_flags - flags of %WDM_IOMMU_DOMAIN_CREATE
 * @WDM_IOMMU_DOMAIN_PAGE_GRANULAR: map every 4 KiB page separately
 *
 * By default, an OS-managed domain uses the IOMMU's large pages where memory and
 * alignment allow. Unmapping part of a large page replaces the whole page, and for a
 * moment DMA to the rest of it is blocked, too. In a page-granular domain, an unmap never
 * disturbs neighbouring pages.
 *
 * The flag is invalid for a caller-managed domain, whose granularity is that of its
 * caller's page tables.
 */
enum wdm_iommu_domain_flags {
	WDM_IOMMU_DOMAIN_PAGE_GRANULAR = 1 << 0,
};

/**
 * struct wdm_iommu_domain_create - ioctl(WDM_IOMMU_DOMAIN_CREATE)
 * @size: sizeof(struct wdm_iommu_domain_create)
 * @status: out: NTSTATUS
 * @os_managed_page_table: 1: the OS owns the page tables, and the program maps and
 *	unmaps; 0: the caller owns them, and the program configures and flushes
 * @flags: &enum wdm_iommu_domain_flags
 * @domain: out: the handle
 * @reserved: must be 0
 *
 * Contract: IommuDomainCreate. A new domain has no devices and no mappings; a
 * caller-managed one blocks all DMA until it is configured.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: @os_managed_page_table is neither 0 nor 1.
 */
struct wdm_iommu_domain_create {
	__u32 size;
	__u32 status;
	__u32 os_managed_page_table;
	__u32 flags;
	__u32 domain;
	__u32 reserved;
};

#define WDM_IOMMU_DOMAIN_CREATE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_DOMAIN_CREATE)

/**
 * enum wdm_iommu_pasid_config - how a device uses PASIDs
 * @WDM_IOMMU_PASID_NONE: not specified
 * @WDM_IOMMU_PASID_DEFAULT_ONLY: with the default PASID
 * @WDM_IOMMU_PASID_TAGGED_DMA: with PASIDs of %WDM_IOMMU_PASID_CREATE, too
 *
 * Contract: IOMMU_PASID_CONFIGURATION_TYPE, whose values are lower by one.
 */
enum wdm_iommu_pasid_config {
	WDM_IOMMU_PASID_NONE = 0,
	WDM_IOMMU_PASID_DEFAULT_ONLY = 1,
	WDM_IOMMU_PASID_TAGGED_DMA = 2,
};

/**
 * enum wdm_iommu_device_flags - flags of %WDM_IOMMU_DEVICE_CREATE
 * @WDM_IOMMU_DEVICE_CDEV: @cdev names the device; @segment, @bus, @devfn and @name must
 *	be 0
 */
enum wdm_iommu_device_flags {
	WDM_IOMMU_DEVICE_CDEV = 1 << 0,
};

/**
 * struct wdm_iommu_device_create - ioctl(WDM_IOMMU_DEVICE_CREATE)
 * @size: sizeof(struct wdm_iommu_device_create)
 * @status: out: NTSTATUS
 * @flags: &enum wdm_iommu_device_flags
 * @segment: PCI segment, called domain by Linux; those of VMD controllers start
 *	at 0x10000
 * @bus: PCI bus
 * @devfn: PCI device and function, (device << 3) | function
 * @reserved: must be 0
 * @device: out: the handle
 * @group: out: the number of the device's IOMMU group
 * @pasid_config: &enum wdm_iommu_pasid_config
 * @suppress_pasid_faults: 0 or 1; only reported back (%WDM_IOMMU_QUERY_DEVICE)
 * @input_mapping_base: must be 0
 * @mappings_count: 0, or all input mappings of the device
 *	(%WDM_IOMMU_QUERY_INPUT_MAPPINGS)
 * @reserved2: must be 0
 * @name: 0; or pointer to the name of a platform device, as for VFIO_GROUP_GET_DEVICE_FD,
 *	of at most 255 bytes. Then @segment, @bus and @devfn must be 0
 * @cdev: with %WDM_IOMMU_DEVICE_CDEV: file descriptor of the device's cdev,
 *	/dev/vfio/devices/vfioN, bound to an iommufd (VFIO_DEVICE_BIND_IOMMUFD); otherwise 0
 * @reserved3: must be 0
 *
 * Contract: IommuDeviceCreate. Creates an IOMMU_DMA_DEVICE for a device whose
 * IOMMU group is in a VFIO container that is bound to this file
 * (%WDM_IOMMU_VFIO_BIND), or for the device of a VFIO cdev. A device has at most one handle.
 *
 * **Devices of a cdev.** The handle does not keep the cdev open. While the device, or a PASID
 * of it, is attached, it stays bound to the iommufd whatever files the program closes, and
 * VFIO_DEVICE_ATTACH_IOMMUFD_PT fails with EBUSY. The calls that need the device's DMA
 * (%WDM_IOMMU_ATTACH, %WDM_IOMMU_PASID_ATTACH, and %WDM_IOMMU_QUERY_RANGES of a device that is
 * not attached) look for the bound cdev among the open files of the calling process, and
 * otherwise fail with:
 *
 * - %STATUS_DEVICE_REMOVED: the process does not have the cdev open.
 * - %STATUS_INVALID_DEVICE_STATE: the cdev is not bound.
 * - %STATUS_ACCESS_DENIED: the cdev is bound, but not through a file of the process.
 * - %STATUS_DEVICE_BUSY: a page table of the iommufd is attached to the group.
 *
 * When the device is unbound from its VFIO driver, or unplugged, it is detached for good, and
 * the unbind waits only for the program's own files.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_HANDLE: @cdev is not an open file.
 * - %STATUS_OBJECT_TYPE_MISMATCH: @cdev is not a VFIO device cdev, but for example a group, or
 *   a device that was opened through its group.
 * - %STATUS_INVALID_DEVICE_STATE: the cdev is not bound to an iommufd.
 * - %STATUS_ACCESS_DENIED: the device is bound, but not through @cdev.
 * - %STATUS_NOT_SUPPORTED: the kernel has no VFIO cdevs (%WDM_IOMMU_INFO_VFIO_CDEV), or the
 *   device is a mediated one, has no IOMMU, or is on a bus other than PCI and platform.
 * - %STATUS_INVALID_PARAMETER_2: @pasid_config or @suppress_pasid_faults; the device or its
 *   IOMMU does not support PASIDs; or the device does not have these input mappings.
 * - %STATUS_NO_SUCH_DEVICE: there is no such device.
 * - %STATUS_ACCESS_VIOLATION: @name cannot be read.
 * - %STATUS_NOT_FOUND: the device is not behind an IOMMU.
 * - %STATUS_ACCESS_DENIED: VFIO has not handed its group to this file of /dev/wdm_iommu, or
 *   the device has no driver: bind it to a VFIO driver.
 * - %STATUS_DEVICE_REMOVED: VFIO is revoking the group or the device.
 * - %STATUS_RESOURCE_IN_USE: the device already has a handle.
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
	__u32 pasid_config;
	__u32 suppress_pasid_faults;
	__u32 input_mapping_base;
	__u32 mappings_count;
	__u32 reserved2;
	__aligned_u64 name;
	__s32 cdev;
	__u32 reserved3;
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
 * Contract: IommuDeviceAttach. When the call returns, the domain translates the device's
 * DMA. The unit is the IOMMU group: attaching the first device of a group attaches the
 * group, and detaching the last one detaches it.
 *
 * On ARM64 the IOMMU also translates interrupt messages. Linux maps the interrupt
 * controller into the domain when VFIO enables the interrupts, at an address that programs
 * cannot map (%WDM_IOMMU_RANGE_SW_MSI): enable MSI and MSI-X again after each attach.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER: the device is already attached.
 * - %STATUS_INVALID_PARAMETER_3: @input_mapping_id_base.
 * - %STATUS_INVALID_PARAMETER_4: @mapping_count.
 * - %STATUS_ACCESS_DENIED: a device of the same group is in another domain, the group's
 *   interrupts are not isolated, or the type of the domain is not available to the device
 *   now: see @domain_types of &struct wdm_iommu_query_device.
 * - %STATUS_CONFLICTING_ADDRESSES: the domain maps an address that is reserved for
 *   this device, or that its IOMMU cannot translate.
 * - %STATUS_NOT_SUPPORTED: the IOMMU cannot map 4 KiB pages, or the device's DMA is
 *   not coherent.
 * - %STATUS_DEVICE_BUSY: the group is attached to something else, or a device of the group
 *   is being reset.
 * - %STATUS_DEVICE_REMOVED: VFIO has revoked the device, or it was unplugged.
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
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the device is not attached.
 * - %STATUS_INVALID_PARAMETER_3: @input_mapping_id.
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
 * @access: what devices may do with it: %WDM_IOMMU_READ, or both permissions;
 *	%WDM_IOMMU_WRITE alone counts as both
 * @mdl: out: the handle
 *
 * Pins memory of the calling process as long as the MDL exists, with pin_user_pages()
 * and FOLL_LONGTERM. Devices see what the process writes later, even to private memory
 * that was pinned for reading only. See "Limits" for the amount of pinned memory.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: @user_va is not page aligned.
 * - %STATUS_INVALID_PARAMETER_2: @length is 0, not whole pages, or longer than
 *   @max_mdl_length, or the range wraps.
 * - %STATUS_INVALID_PARAMETER_3: @access.
 * - %STATUS_ACCESS_VIOLATION: the memory does not exist or does not allow this
 *   access, or it cannot be pinned long-term.
 * - %STATUS_NOT_SUPPORTED: this kind of memory cannot be pinned long-term: DAX, and
 *   before Linux 6.2 private hugetlb that the process can only read and has no copy
 *   of yet.
 * - %STATUS_WORKING_SET_QUOTA: RLIMIT_MEMLOCK is exceeded.
 * - %STATUS_INSUFFICIENT_RESOURCES: out of memory, or a page has too many pins.
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
 * struct wdm_iommu_mdl_create_file - ioctl(WDM_IOMMU_MDL_CREATE_FILE)
 * @size: sizeof(struct wdm_iommu_mdl_create_file)
 * @status: out: NTSTATUS
 * @fd: a memfd, or another file on tmpfs or hugetlbfs
 * @access: as for %WDM_IOMMU_MDL_CREATE
 * @offset: where the memory starts in the file; in bytes, page aligned
 * @length: bytes; whole pages
 * @mdl: out: the handle
 * @reserved: must be 0
 *
 * Same as %WDM_IOMMU_MDL_CREATE, for memory that need not be mapped in a process, or is
 * mapped in several: it survives exec(), and devices of one process see what another
 * writes. Holes of the file are filled. The MDL holds a reference to the file. Pages that
 * are truncated or punched out while they are pinned stay part of the MDL, but not of the
 * file; F_SEAL_SHRINK prevents that. While an MDL of the file exists, F_SEAL_WRITE cannot
 * be added (EBUSY); for an MDL that is only read, add it before.
 *
 * Statuses, in addition to those of %WDM_IOMMU_MDL_CREATE:
 *
 * - %STATUS_INVALID_HANDLE: @fd is not open.
 * - %STATUS_OBJECT_TYPE_MISMATCH: @fd is a file of another kind.
 * - %STATUS_INVALID_PARAMETER_1: @offset is not page aligned.
 * - %STATUS_INVALID_PARAMETER_2: as there, or the range is not within the file.
 * - %STATUS_ACCESS_DENIED: @fd is not open for this access, or the file is sealed against
 *   writing.
 * - %STATUS_NOT_SUPPORTED: before Linux 6.11.
 */
struct wdm_iommu_mdl_create_file {
	__u32 size;
	__u32 status;
	__s32 fd;
	__u32 access;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 mdl;
	__u32 reserved;
};

#define WDM_IOMMU_MDL_CREATE_FILE \
	_IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MDL_CREATE_FILE)

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
 * Contract: IommuMapLogicalRange; or IommuMapIdentityRange, which maps each page at
 * its physical address and needs CAP_SYS_RAWIO. All or nothing.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is caller-managed, or, for %WDM_IOMMU_MAP, a
 *   pass-through domain, in which an identity map succeeds without effect.
 * - %STATUS_INVALID_PARAMETER_2: @permissions.
 * - %STATUS_INVALID_PARAMETER_3: @offset or @length are not whole pages, or not
 *   within the MDL.
 * - %STATUS_INVALID_PARAMETER_4: @logical_address is not page aligned, or the range
 *   wraps.
 * - %STATUS_ACCESS_DENIED: the MDL does not allow devices to write.
 * - %STATUS_RESOURCE_IN_USE: a page of the range is already mapped (Windows: IN_USE), or is
 *   part of a token or of a reserved region of %WDM_IOMMU_DOMAIN_CREATE_EX.
 * - %STATUS_NOT_SUPPORTED: the domain has an allocator.
 * - %STATUS_CONFLICTING_ADDRESSES: an address is reserved for an attached device, or
 *   its IOMMU cannot translate it.
 * - %STATUS_PRIVILEGE_NOT_HELD: an identity map without CAP_SYS_RAWIO.
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
 * Contract: IommuUnmapLogicalRange. The range may be part of one map or span several, but
 * every page of it must be mapped. When the call returns, DMA to the range is blocked.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is caller-managed, or a pass-through domain.
 * - %STATUS_INVALID_PARAMETER_2: @logical_address is not page aligned.
 * - %STATUS_INVALID_PARAMETER_3: @length is 0 or not whole pages, or the range wraps.
 * - %STATUS_NOT_FOUND: a page of the range is not mapped.
 * - %STATUS_RESOURCE_IN_USE: a page of the range is part of a token, or of a reserved region
 *   with @should_map (&struct wdm_iommu_region).
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
 * Contract: IommuUnmapIdentityRange. Needs CAP_SYS_RAWIO. All or nothing. In a pass-through
 * domain it succeeds without effect.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is caller-managed.
 * - %STATUS_INVALID_PARAMETER_2: @offset or @length.
 * - %STATUS_NOT_FOUND: a page is not mapped at its physical address.
 * - %STATUS_NOT_SUPPORTED: the domain has an allocator.
 * - %STATUS_RESOURCE_IN_USE: as for %WDM_IOMMU_UNMAP.
 * - %STATUS_PRIVILEGE_NOT_HELD: no CAP_SYS_RAWIO.
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
 * @permissions: upper bound for what page tables can grant for this memory:
 *	%WDM_IOMMU_READ, or both permissions
 * @mdl: the MDL
 * @reserved: must be 0
 * @offset: where in the MDL to start, in bytes
 * @length: bytes; 0 means from @offset to the end of the MDL
 * @caller_address: address of the memory in the caller's address space; page aligned
 *
 * Adds memory to the address space that the domain's page tables, and their root,
 * refer to: guest-physical addresses of a VMM, or a program's own virtual
 * addresses. Tables that were walked before are not affected; the next flush retries
 * invalid entries.
 *
 * While TranslationEnabled is FALSE, devices have access to the memory at once.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is OS-managed.
 * - %STATUS_INVALID_PARAMETER_2: @permissions.
 * - %STATUS_INVALID_PARAMETER_3: @offset or @length.
 * - %STATUS_INVALID_PARAMETER_4: @caller_address is not page aligned, or the range
 *   wraps.
 * - %STATUS_ACCESS_DENIED: the MDL does not allow devices to write.
 * - %STATUS_RESOURCE_IN_USE: a page of the range is part of the address space.
 * - %STATUS_CONFLICTING_ADDRESSES: as for %WDM_IOMMU_MAP, while TranslationEnabled
 *   is FALSE.
 * - %STATUS_CANCELLED: while TranslationEnabled is FALSE, the memory may have been added.
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
 * Removes memory from the caller's address space. When the call returns, every
 * translation to it, or through page tables in it, blocks. The range need not match that
 * of a %WDM_IOMMU_MEMORY_ADD, but every page of it must be part of the address space.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is OS-managed.
 * - %STATUS_INVALID_PARAMETER_2: @caller_address is not page aligned.
 * - %STATUS_INVALID_PARAMETER_3: @length is 0 or not whole pages, or the range
 *   wraps.
 * - %STATUS_NOT_FOUND: a page of the range is not part of the address space.
 * - %STATUS_WORKING_SET_QUOTA, %STATUS_INSUFFICIENT_RESOURCES: the memory has not been
 *   removed. Translations to it have blocked for a moment; some may until the next flush.
 * - %STATUS_CANCELLED: the memory may have been removed.
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
 * struct wdm_iommu_walk_error - invalid entries of the caller's page tables
 * @count: number of invalid entries that the walk found, which block. If it is 0 and the
 *	call failed with anything but %STATUS_CANCELLED, the call has changed nothing
 * @reserved: 0
 * @level: level of the table that contains the first one: 0 for tables of 4 KiB
 *	entries, one more for each level above; the number of levels for the root
 *	itself
 * @logical_address: the first address that this entry would translate
 * @entry: contents of the entry, or the root
 *
 * The first invalid entry is the one with the lowest address. Its status is that of
 * the call:
 *
 * - %STATUS_INVALID_PARAMETER: a reserved bit is set, or the encoding is reserved.
 * - %STATUS_CONFLICTING_ADDRESSES: it translates an address that is reserved for an
 *   attached device, or that its IOMMU cannot translate.
 * - %STATUS_ACCESS_VIOLATION: it refers to an address outside the caller's address space,
 *   or grants write access to memory that was added for reading only.
 * - %STATUS_WORKING_SET_QUOTA: it needs more kernel memory than the file may use
 *   (see "Limits"): up to 13 KiB for a table, once for each path to it; 8 bytes for each
 *   page of a leaf of 2 MiB or 1 GiB.
 * - %STATUS_INSUFFICIENT_RESOURCES: out of memory.
 *
 * A flush that lists an address of an invalid entry retries the entry. So does a full
 * flush if the entry, the caller's address space, the attached devices or the memory
 * that the file uses have changed.
 */
struct wdm_iommu_walk_error {
	__aligned_u64 count;
	__u32 level;
	__u32 reserved;
	__aligned_u64 logical_address;
	__aligned_u64 entry;
};

/**
 * enum wdm_iommu_configure_flags - flags of %WDM_IOMMU_CONFIGURE
 * @WDM_IOMMU_CONFIGURE_X64_LA57: x86-64: the root table is that of 5 levels
 */
enum wdm_iommu_configure_flags {
	WDM_IOMMU_CONFIGURE_X64_LA57 = 1 << 0,
};

/**
 * struct wdm_iommu_configure - ioctl(WDM_IOMMU_CONFIGURE)
 * @size: sizeof(struct wdm_iommu_configure)
 * @status: out: NTSTATUS
 * @domain: a caller-managed domain
 * @type: &enum wdm_iommu_format
 * @flags: &enum wdm_iommu_configure_flags
 * @translation_enabled: 1: the tables translate; 0: devices see the caller's
 *	address space one to one, and roots and sizes are ignored
 * @arm64: for %WDM_IOMMU_FORMAT_ARM64
 * @arm64.ttbr0: caller address of the root table for addresses from 0 up; aligned
 *	to the size of that table, but at least to 64 bytes
 * @arm64.ttbr1: must be 0
 * @arm64.mair0: memory attributes, ignored
 * @arm64.mair1: memory attributes, ignored
 * @arm64.input_size0: bits of an input address, 25 to 48
 * @arm64.input_size1: must be 0
 * @arm64.coherent_table_walks: 0 or 1; the walk is coherent in any case
 * @arm64.reserved: must be 0
 * @x64: for %WDM_IOMMU_FORMAT_X64
 * @x64.first_level_page_table_root: caller address of the root table, page
 *	aligned
 * @walk_error: out: the invalid entries
 *
 * Contract: IommuDomainConfigure. Walks the caller's page tables and applies their
 * translations, which replace an earlier configuration. A request of a device without a
 * PASID counts as an unprivileged access. Accessed and dirty bits are neither set nor
 * required, except for AF of ARM64: an entry with AF = 0 blocks.
 *
 * Invalid entries block, the domain is configured with all others, and @status and
 * @walk_error describe the first. The other statuses, with @walk_error.count 0:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is OS-managed.
 * - %STATUS_INVALID_PARAMETER_2: a member of the configuration.
 * - %STATUS_ACCESS_VIOLATION: the root is outside the caller's address space.
 * - %STATUS_CONFLICTING_ADDRESSES: @translation_enabled is 0, and the devices cannot
 *   use all addresses of the caller's address space.
 *
 * After these, the earlier configuration may be lost:
 *
 * - %STATUS_INSUFFICIENT_RESOURCES, with @walk_error.count 0 and @translation_enabled 0:
 *   the domain may block all DMA.
 * - %STATUS_CONFLICTING_ADDRESSES, likewise, if a device was attached meanwhile that cannot
 *   use all of those addresses.
 * - %STATUS_CANCELLED: parts of the old and of the new configuration may be in effect.
 *   The next flush or Configure completes it.
 */
struct wdm_iommu_configure {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 type;
	__u32 flags;
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
 * @walk_error: out: the invalid entries
 *
 * Contract: IommuFlushDomain. When the call returns, translations equal the
 * caller's tables as they were at some time during the call. Invalid entries block,
 * without affecting others; @status and @walk_error describe the first. The other
 * statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is OS-managed.
 * - %STATUS_INVALID_DEVICE_STATE: the domain is not configured.
 * - %STATUS_CANCELLED: some of the changes may be in effect.
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
 * @last_level: 1: only leaf entries have changed; 0: any entry on the path to the
 *	addresses may have changed
 * @number: number of addresses, at most @max_va_list of &struct wdm_iommu_info
 * @reserved: must be 0
 * @va_list: pointer to an array of @number __u64, the input addresses to flush;
 *	bits 0 to 11 are ignored
 * @walk_error: out: the invalid entries
 *
 * Contract: IommuFlushDomainByVaList. Same as %WDM_IOMMU_FLUSH, but only for the entries
 * that translate the listed addresses. An address in a leaf of 2 MiB or 1 GiB, or in
 * a run of entries with the contiguous bit of ARM64, stands for all of it. If the
 * memory of the root table was removed and has been added again, the call flushes all
 * tables. Statuses in addition to those of invalid entries:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is OS-managed.
 * - %STATUS_INVALID_PARAMETER_2: @last_level is neither 0 nor 1.
 * - %STATUS_INVALID_PARAMETER_3: @number.
 * - %STATUS_INVALID_PARAMETER_4: an address that the format cannot translate.
 * - %STATUS_ACCESS_VIOLATION: @va_list cannot be read; with @walk_error.count 0.
 * - %STATUS_INVALID_DEVICE_STATE: the domain is not configured.
 * - %STATUS_CANCELLED: some of the changes may be in effect.
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
 * enum wdm_iommu_domain_state - flags of &struct wdm_iommu_query_domain
 * @WDM_IOMMU_DOMAIN_IS_OS_MANAGED: the OS owns the page tables
 * @WDM_IOMMU_DOMAIN_IS_PAGE_GRANULAR: %WDM_IOMMU_DOMAIN_PAGE_GRANULAR
 * @WDM_IOMMU_DOMAIN_IS_CONFIGURED: caller-managed: configured
 * @WDM_IOMMU_DOMAIN_IS_TRANSLATING: caller-managed: with TranslationEnabled TRUE
 */
enum wdm_iommu_domain_state {
	WDM_IOMMU_DOMAIN_IS_OS_MANAGED = 1 << 0,
	WDM_IOMMU_DOMAIN_IS_PAGE_GRANULAR = 1 << 1,
	WDM_IOMMU_DOMAIN_IS_CONFIGURED = 1 << 2,
	WDM_IOMMU_DOMAIN_IS_TRANSLATING = 1 << 3,
};

/**
 * struct wdm_iommu_query_domain - ioctl(WDM_IOMMU_QUERY_DOMAIN)
 * @size: sizeof(struct wdm_iommu_query_domain)
 * @status: out: NTSTATUS
 * @domain: the domain
 * @flags: out: &enum wdm_iommu_domain_state
 * @devices: out: number of attached devices
 * @hwpts: out: number of page tables of the IOMMU (iommu_domains); devices behind IOMMUs
 *	of one kind share one
 * @mapped_pages: out: OS-managed: number of mapped pages; caller-managed: number of pages
 *	of the caller's address space
 * @translated_bytes: out: caller-managed: bytes of logical addresses that the
 *	caller's tables translate; OS-managed: bytes mapped
 * @shadow_tables: out: caller-managed: number of shadowed tables
 * @invalid_entries: out: caller-managed: number of invalid entries, which block
 * @aperture_start: out: the first address that all attached devices can use
 * @aperture_end: out: the last one
 *
 * A report for tools and tests; not part of the contract.
 */
struct wdm_iommu_query_domain {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 flags;
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
 * enum wdm_iommu_query - address spaces that %WDM_IOMMU_QUERY_MAPPINGS reports
 * @WDM_IOMMU_QUERY_LOGICAL: logical addresses, which devices use
 * @WDM_IOMMU_QUERY_CALLER: the caller's address space of a caller-managed domain
 */
enum wdm_iommu_query {
	WDM_IOMMU_QUERY_LOGICAL = 0,
	WDM_IOMMU_QUERY_CALLER = 1,
};

/**
 * struct wdm_iommu_mapping - a range of pages that %WDM_IOMMU_QUERY_MAPPINGS reports
 * @address: the first address of the range, in the requested address space
 * @length: bytes
 * @offset: start of the range in the MDL, in bytes
 * @mdl: handle of the MDL, or 0 if it has none
 * @permissions: &enum wdm_iommu_permissions
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
 * @what: &enum wdm_iommu_query
 * @number: in: capacity of @mappings in elements; out: number of elements written, less
 *	than the capacity only at the end
 * @reserved: must be 0
 * @start: in: the first address; out: where to continue, or ~0 at the end
 * @mappings: pointer to an array of &struct wdm_iommu_mapping
 *
 * Reports a domain's mappings, sorted by address. Adjacent ranges of one MDL with the
 * same permissions may be reported as one, even if several calls mapped them.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_2: @what, or %WDM_IOMMU_QUERY_CALLER for an
 *   OS-managed domain.
 * - %STATUS_INVALID_PARAMETER_3: @number is 0.
 * - %STATUS_ACCESS_VIOLATION: @mappings cannot be written.
 */
struct wdm_iommu_query_mappings {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 what;
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
 * once. Contract: IommuMapLogicalRange. The MDL has no handle: unmapping any part of it
 * unpins that part. All or nothing.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is caller-managed, or a pass-through domain.
 * - %STATUS_INVALID_PARAMETER_2: @permissions.
 * - %STATUS_INVALID_PARAMETER_3: @user_va is not page aligned; @length is 0, not
 *   whole pages, or longer than @max_mdl_length; or the range wraps.
 * - %STATUS_INVALID_PARAMETER_4: @logical_address is not page aligned, or the range
 *   wraps.
 * - %STATUS_ACCESS_VIOLATION, %STATUS_NOT_SUPPORTED, %STATUS_WORKING_SET_QUOTA: as
 *   for %WDM_IOMMU_MDL_CREATE.
 * - %STATUS_RESOURCE_IN_USE, %STATUS_NOT_SUPPORTED, %STATUS_CONFLICTING_ADDRESSES: also as for
 *   %WDM_IOMMU_MAP.
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
 * enum wdm_iommu_batch_type - operations of %WDM_IOMMU_BATCH
 * @WDM_IOMMU_BATCH_MAP: as %WDM_IOMMU_MAP
 * @WDM_IOMMU_BATCH_UNMAP: as %WDM_IOMMU_UNMAP
 */
enum wdm_iommu_batch_type {
	WDM_IOMMU_BATCH_MAP = 0,
	WDM_IOMMU_BATCH_UNMAP = 1,
};

/**
 * struct wdm_iommu_batch_op - one operation of a batch
 * @op: &enum wdm_iommu_batch_type
 * @permissions: as for %WDM_IOMMU_MAP; 0 for an unmap
 * @mdl: the MDL; 0 for an unmap
 * @reserved: must be 0
 * @offset: as for %WDM_IOMMU_MAP; 0 for an unmap
 * @length: bytes; for a map, 0 means from @offset to the end of the MDL
 * @logical_address: where, page aligned
 */
struct wdm_iommu_batch_op {
	__u32 op;
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
 * @number: number of operations, at most @max_batch of &struct wdm_iommu_info
 * @ops: pointer to an array of @number &struct wdm_iommu_batch_op
 * @done: out: number of completed operations
 * @reserved: must be 0
 *
 * Performs the operations in the order of the array, with one lookup of the domain and
 * one IOTLB invalidation for all of them, or one for each GiB that they unmap. The first
 * failure ends the call: @status is its status and @done the index of the operation. The
 * operations before it are complete; it and those after it have changed nothing.
 *
 * DMA to unmapped ranges is blocked when the call returns; until then, a device may reach
 * the previous page. If the batch maps other memory at the same address, it invalidates
 * the IOTLB before that.
 *
 * Statuses of an operation are those of %WDM_IOMMU_MAP and %WDM_IOMMU_UNMAP, and
 *
 * - %STATUS_INVALID_PARAMETER_3: its @length is not whole pages.
 * - %STATUS_INVALID_PARAMETER: @op is unknown, or a member that must be 0 is not.
 *
 * With @done 0 also:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is caller-managed, or a pass-through domain.
 * - %STATUS_INVALID_PARAMETER_2: @number is larger than @max_batch.
 * - %STATUS_ACCESS_VIOLATION: @ops cannot be read.
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

/**
 * enum wdm_iommu_range_kind - what &struct wdm_iommu_range describes
 * @WDM_IOMMU_RANGE_ALLOWED: these addresses can be mapped
 * @WDM_IOMMU_RANGE_RESERVED: reserved for the hardware
 * @WDM_IOMMU_RANGE_DIRECT: required by the firmware; mapped one to one while the device is
 *	attached
 * @WDM_IOMMU_RANGE_MSI: interrupt messages, which the IOMMU does not translate
 * @WDM_IOMMU_RANGE_SW_MSI: where Linux maps the interrupt controller for the device
 */
enum wdm_iommu_range_kind {
	WDM_IOMMU_RANGE_ALLOWED = 0,
	WDM_IOMMU_RANGE_RESERVED = 1,
	WDM_IOMMU_RANGE_DIRECT = 2,
	WDM_IOMMU_RANGE_MSI = 3,
	WDM_IOMMU_RANGE_SW_MSI = 4,
};

/**
 * struct wdm_iommu_range - logical addresses that %WDM_IOMMU_QUERY_RANGES reports
 * @start: the first byte
 * @last: the last byte, inclusive
 * @kind: &enum wdm_iommu_range_kind
 * @reserved: 0
 */
struct wdm_iommu_range {
	__aligned_u64 start;
	__aligned_u64 last;
	__u32 kind;
	__u32 reserved;
};

/**
 * struct wdm_iommu_query_ranges - ioctl(WDM_IOMMU_QUERY_RANGES)
 * @size: sizeof(struct wdm_iommu_query_ranges)
 * @status: out: NTSTATUS
 * @object: a domain or a device
 * @number: in: capacity of @ranges in elements; out: number of ranges, also with
 *	%STATUS_BUFFER_TOO_SMALL
 * @ranges: pointer to an array of &struct wdm_iommu_range
 * @aperture_start: out: the first address that the IOMMUs translate
 * @aperture_end: out: the last one
 * @page_sizes: out: bit (1 << n) for each size of 2^n bytes that the IOMMUs can map
 *	with one entry, up to 1 GiB: align large buffers to these
 *
 * Reports the addresses that can be mapped. For a domain, those that all attached devices
 * allow, which is every address while none is attached. For a device, those that a domain
 * with this device alone could map. The device need not be attached: if it is not, the call
 * attaches its group to an empty domain for a moment, because some IOMMU drivers know the
 * answer only then. All DMA stays blocked.
 *
 * The ranges are sorted by address. Allowed ranges contain whole pages, and overlap no
 * other range; ranges reserved for different devices may overlap. Regions that the firmware
 * lets the OS reuse count as allowed. Attaching and detaching devices change the answer for
 * a domain. It includes neither mappings (%WDM_IOMMU_QUERY_MAPPINGS) nor the reserved
 * regions of %WDM_IOMMU_DOMAIN_CREATE_EX and tokens.
 *
 * Not part of the contract.
 *
 * Statuses:
 *
 * - %STATUS_BUFFER_TOO_SMALL: @number is the required capacity. Nothing else was written.
 * - %STATUS_ACCESS_VIOLATION: @ranges cannot be written.
 * - %STATUS_NOT_SUPPORTED, %STATUS_DEVICE_BUSY: as for %WDM_IOMMU_ATTACH.
 * - %STATUS_DEVICE_REMOVED: VFIO has revoked the device, or it was unplugged.
 */
struct wdm_iommu_query_ranges {
	__u32 size;
	__u32 status;
	__u32 object;
	__u32 number;
	__aligned_u64 ranges;
	__aligned_u64 aperture_start;
	__aligned_u64 aperture_end;
	__aligned_u64 page_sizes;
};

#define WDM_IOMMU_QUERY_RANGES _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_QUERY_RANGES)

/**
 * DOC: Events
 *
 * Each open file description has one event queue, from which read() takes whole records
 * (&struct wdm_iommu_event), as many as are available and fit. It waits while there is
 * none, or fails with EAGAIN if the file has O_NONBLOCK; a buffer too small for a record is
 * EINVAL. A read that fails with EFAULT has removed nothing. poll(), select() and epoll
 * report POLLIN while there is a record. Threads and processes that share the file share
 * the queue.
 *
 * The queue holds 256 records (@max_events of &struct wdm_iommu_info). When it is full, new
 * events are lost, and a record of type %WDM_IOMMU_EVENT_LOST counts them in their place.
 *
 * Newer modules may append members to the record. A program has to step by @size, and to
 * skip types that it does not know.
 */

/**
 * enum wdm_iommu_event_type - types of events
 * @WDM_IOMMU_EVENT_LOST: events were lost
 * @WDM_IOMMU_EVENT_FAULT: the IOMMU has blocked a request of a device
 *	(%WDM_IOMMU_SET_FAULT_REPORTING)
 * @WDM_IOMMU_EVENT_DEVICE_REVOKED: VFIO has revoked a device; it is detached, its DMA is
 *	blocked, and its handle can only be used for %WDM_IOMMU_DESTROY
 * @WDM_IOMMU_EVENT_DOMAIN_TYPES: the types of domains that a device can be attached to
 *	have changed since this event or %WDM_IOMMU_DEVICE_CREATE last reported them: a
 *	module parameter was written, or VFIO has revoked the device (contract:
 *	RegisterInterfaceStateChangeCallback)
 */
enum wdm_iommu_event_type {
	WDM_IOMMU_EVENT_LOST = 0,
	WDM_IOMMU_EVENT_FAULT = 1,
	WDM_IOMMU_EVENT_DEVICE_REVOKED = 2,
	WDM_IOMMU_EVENT_DOMAIN_TYPES = 3,
};

/**
 * enum wdm_iommu_fault_flags - flags of a fault
 * @WDM_IOMMU_FAULT_WRITE: the device was writing; otherwise it was reading
 */
enum wdm_iommu_fault_flags {
	WDM_IOMMU_FAULT_WRITE = 1 << 0,
};

/**
 * enum wdm_iommu_fault_kind - kinds of faults
 * @WDM_IOMMU_FAULT_PERMISSION: the address is mapped, without the permission
 * @WDM_IOMMU_FAULT_TRANSLATION: the address is not mapped
 *
 * Contract: FAULT_INFORMATION_ARM64_TYPE, with its values. The kernel looks up the address
 * shortly after the fault, and so may find a mapping that has changed since.
 */
enum wdm_iommu_fault_kind {
	WDM_IOMMU_FAULT_PERMISSION = 4,
	WDM_IOMMU_FAULT_TRANSLATION = 6,
};

/**
 * struct wdm_iommu_event - a record that read() returns
 * @type: &enum wdm_iommu_event_type
 * @size: size of the record in bytes
 * @time: when it happened, in nanoseconds of CLOCK_MONOTONIC
 * @device: handle of the device, or 0. Handles are reused: an event of a device that has been
 *	destroyed since may name an object that was created after @time
 * @domain: %WDM_IOMMU_EVENT_FAULT: handle of the domain that the device was attached to
 *	shortly after the fault, or 0
 * @lost: for %WDM_IOMMU_EVENT_LOST
 * @lost.number: number of lost events; @time is that of the first
 * @fault: for %WDM_IOMMU_EVENT_FAULT
 * @fault.address: the logical address
 * @fault.flags: &enum wdm_iommu_fault_flags
 * @fault.kind: &enum wdm_iommu_fault_kind
 * @domain_types: for %WDM_IOMMU_EVENT_DOMAIN_TYPES
 * @domain_types.available: bit (1 << type) for each type, as &enum wdm_iommu_domain_type;
 *	none if the device was revoked
 * @domain_types.reserved: 0
 * @reserved: of other types: 0
 */
struct wdm_iommu_event {
	__u32 type;
	__u32 size;
	__aligned_u64 time;
	__u32 device;
	__u32 domain;
	union {
		struct {
			__aligned_u64 number;
		} lost;
		struct {
			__aligned_u64 address;
			__u32 flags;
			__u32 kind;
		} fault;
		struct {
			__u32 available;
			__u32 reserved;
		} domain_types;
		__aligned_u64 reserved[3];
	};
};

/**
 * struct wdm_iommu_set_fault_reporting - ioctl(WDM_IOMMU_SET_FAULT_REPORTING)
 * @size: sizeof(struct wdm_iommu_set_fault_reporting)
 * @status: out: NTSTATUS
 * @device: the device
 * @input_mapping_id_base: must be 0
 * @enable: 1: report faults of the device as events; 0: stop
 * @reserved: must be 0
 *
 * Contract: IommuSetDeviceFaultReporting. The setting lasts until the device is deleted,
 * across detach and attach; no faults are reported while the device is detached. When a call
 * with @enable 0 returns, no more faults are added to the queue. Of the IOMMU drivers for PCI
 * devices, only AMD's reports faults.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the device is not attached; only if @enable is 1.
 * - %STATUS_INVALID_PARAMETER_2: @input_mapping_id_base.
 * - %STATUS_INVALID_PARAMETER_3: @enable is neither 0 nor 1.
 * - %STATUS_NOT_SUPPORTED: the IOMMU driver does not report faults.
 */
struct wdm_iommu_set_fault_reporting {
	__u32 size;
	__u32 status;
	__u32 device;
	__u32 input_mapping_id_base;
	__u32 enable;
	__u32 reserved;
};

#define WDM_IOMMU_SET_FAULT_REPORTING \
	_IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_SET_FAULT_REPORTING)

/**
 * enum wdm_iommu_device_state - flags of &struct wdm_iommu_query_device
 * @WDM_IOMMU_DEVICE_IS_ATTACHED: attached to a domain
 * @WDM_IOMMU_DEVICE_IS_REVOKED: VFIO has revoked it
 * @WDM_IOMMU_DEVICE_CAN_REPORT_FAULTS: %WDM_IOMMU_SET_FAULT_REPORTING works for it
 * @WDM_IOMMU_DEVICE_REPORTS_FAULTS: its faults are reported as events
 * @WDM_IOMMU_DEVICE_DEFAULT_PASID: created with a configuration for PASIDs
 * @WDM_IOMMU_DEVICE_PASID_TAGGED_DMA: created with %WDM_IOMMU_PASID_TAGGED_DMA
 * @WDM_IOMMU_DEVICE_PASID_FAULTS_SUPPRESSED: created with @suppress_pasid_faults
 */
enum wdm_iommu_device_state {
	WDM_IOMMU_DEVICE_IS_ATTACHED = 1 << 0,
	WDM_IOMMU_DEVICE_IS_REVOKED = 1 << 1,
	WDM_IOMMU_DEVICE_CAN_REPORT_FAULTS = 1 << 2,
	WDM_IOMMU_DEVICE_REPORTS_FAULTS = 1 << 3,
	WDM_IOMMU_DEVICE_DEFAULT_PASID = 1 << 4,
	WDM_IOMMU_DEVICE_PASID_TAGGED_DMA = 1 << 5,
	WDM_IOMMU_DEVICE_PASID_FAULTS_SUPPRESSED = 1 << 6,
};

/**
 * struct wdm_iommu_query_device - ioctl(WDM_IOMMU_QUERY_DEVICE)
 * @size: sizeof(struct wdm_iommu_query_device)
 * @status: out: NTSTATUS
 * @device: the device
 * @flags: out: &enum wdm_iommu_device_state
 * @domain: out: handle of the domain that it is attached to, or 0
 * @group: out: the number of its IOMMU group
 * @domain_types: out: bit (1 << type) for each &enum wdm_iommu_domain_type that it can be
 *	attached to now; none if VFIO has revoked it, or the administrator does not allow it
 * @max_pasids: out: the device and its IOMMU support PASIDs below this number; 0: none
 * @reserved: out: 0
 *
 * Contract: IommuDeviceQueryDomainTypes, IommuDeviceQueryInformation.
 * %WDM_IOMMU_EVENT_DOMAIN_TYPES reports changes of @domain_types.
 */
struct wdm_iommu_query_device {
	__u32 size;
	__u32 status;
	__u32 device;
	__u32 flags;
	__u32 domain;
	__u32 group;
	__u32 domain_types;
	__u32 max_pasids;
	__aligned_u64 reserved;
};

#define WDM_IOMMU_QUERY_DEVICE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_QUERY_DEVICE)

/**
 * struct wdm_iommu_query_input_mappings - ioctl(WDM_IOMMU_QUERY_INPUT_MAPPINGS)
 * @size: sizeof(struct wdm_iommu_query_input_mappings)
 * @status: out: NTSTATUS
 * @device: the device
 * @buffer_length: size of @buffer in bytes
 * @return_length: out: required size in bytes, also with %STATUS_BUFFER_TOO_SMALL
 * @reserved: must be 0
 * @buffer: pointer to an array of __u32, the input mapping IDs
 *
 * Contract: IommuQueryInputMappings. On Linux, an input mapping ID is the index of one of
 * the stream IDs by which an SMMU identifies a device. Only platform devices on ARM64 have
 * them.
 *
 * Statuses:
 *
 * - %STATUS_UNSUCCESSFUL: not a platform device on ARM64.
 * - %STATUS_BUFFER_TOO_SMALL: @return_length is the required size. Nothing was written to
 *   @buffer.
 * - %STATUS_ACCESS_VIOLATION: @buffer cannot be written.
 */
struct wdm_iommu_query_input_mappings {
	__u32 size;
	__u32 status;
	__u32 device;
	__u32 buffer_length;
	__u32 return_length;
	__u32 reserved;
	__aligned_u64 buffer;
};

#define WDM_IOMMU_QUERY_INPUT_MAPPINGS \
	_IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_QUERY_INPUT_MAPPINGS)

/**
 * enum wdm_iommu_allocator - allocators of logical addresses
 * @WDM_IOMMU_ALLOCATOR_NONE: the program chooses addresses
 * @WDM_IOMMU_ALLOCATOR_BUDDY: the domain does: the lowest free block, with a power of two
 *	of pages and naturally aligned, and never address 0
 *
 * Contract: IOMMU_DMA_LOGICAL_ALLOCATOR_TYPE.
 */
enum wdm_iommu_allocator {
	WDM_IOMMU_ALLOCATOR_NONE = 0,
	WDM_IOMMU_ALLOCATOR_BUDDY = 1,
};

/**
 * struct wdm_iommu_region - a reserved region of a new domain
 * @start: the first byte; page aligned
 * @length: bytes; whole pages
 * @should_map: 1: map them one to one, for reading and writing, for as long as the domain
 *	exists; 0: never map them
 * @reserved: must be 0
 *
 * Contract: IOMMU_DMA_RESERVED_REGION.
 */
struct wdm_iommu_region {
	__aligned_u64 start;
	__aligned_u64 length;
	__u32 should_map;
	__u32 reserved;
};

/**
 * struct wdm_iommu_domain_create_ex - ioctl(WDM_IOMMU_DOMAIN_CREATE_EX)
 * @size: sizeof(struct wdm_iommu_domain_create_ex)
 * @status: out: NTSTATUS
 * @type: &enum wdm_iommu_domain_type
 * @flags: &enum wdm_iommu_domain_flags
 * @creation_flags: the contract's flags; none are defined, must be 0
 * @allocator: &enum wdm_iommu_allocator
 * @address_width: width of the allocated addresses in bits, 13 to 63; 0 for
 *	%WDM_IOMMU_ALLOCATOR_NONE
 * @regions: pointer to an array of @number &struct wdm_iommu_region, in any order
 * @number: number of regions, at most @max_regions of &struct wdm_iommu_info
 * @domain: out: the handle
 *
 * Contract: IommuDomainCreateEx. Same as %WDM_IOMMU_DOMAIN_CREATE, by type:
 * %WDM_IOMMU_TYPE_TRANSLATE is an OS-managed domain and %WDM_IOMMU_TYPE_UNMANAGED a
 * caller-managed one. %WDM_IOMMU_TYPE_PASS_THROUGH maps all RAM one to one from the
 * start, and nothing else can be mapped in it; allocator and regions are ignored. It and
 * regions with @should_map need CAP_SYS_RAWIO.
 *
 * In a domain with an allocator, maps and reservations get their address from it:
 * %WDM_IOMMU_MAP, identity maps and explicit addresses are %STATUS_NOT_SUPPORTED there.
 * An address becomes free when the last page of its map is unmapped.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: @type.
 * - %STATUS_INVALID_PARAMETER_2: @creation_flags.
 * - %STATUS_INVALID_PARAMETER_3: @allocator or @address_width, or an allocator for a
 *   caller-managed domain.
 * - %STATUS_INVALID_PARAMETER_4: a region that is not whole pages, wraps, overlaps another
 *   or is not within @address_width; too many; or regions for a caller-managed domain.
 * - %STATUS_PRIVILEGE_NOT_HELD: no CAP_SYS_RAWIO, see above.
 * - %STATUS_NOT_SUPPORTED: the type is not available (%WDM_IOMMU_TYPE_PASS_THROUGH: module
 *   parameter allow_pass_through; %WDM_IOMMU_TYPE_TRANSLATE_S1: Linux 6.13), or a region to
 *   be mapped is not memory.
 * - %STATUS_ACCESS_VIOLATION: @regions cannot be read.
 */
struct wdm_iommu_domain_create_ex {
	__u32 size;
	__u32 status;
	__u32 type;
	__u32 flags;
	__aligned_u64 creation_flags;
	__u32 allocator;
	__u32 address_width;
	__aligned_u64 regions;
	__u32 number;
	__u32 domain;
};

#define WDM_IOMMU_DOMAIN_CREATE_EX \
	_IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_DOMAIN_CREATE_EX)

/**
 * enum wdm_iommu_memory_type - what &struct wdm_iommu_memory names
 * @WDM_IOMMU_MEMORY_MDL: an MDL, or part of one
 * @WDM_IOMMU_MEMORY_USER: memory of the calling process, as for %WDM_IOMMU_MAP_USER
 * @WDM_IOMMU_MEMORY_PHYSICAL: a range of physical addresses; needs CAP_SYS_RAWIO
 * @WDM_IOMMU_MEMORY_FRAMES: an array of page frame numbers; needs CAP_SYS_RAWIO
 *
 * Contract: IOMMU_MAP_PHYSICAL_ADDRESS_TYPE, which lacks %WDM_IOMMU_MEMORY_USER.
 */
enum wdm_iommu_memory_type {
	WDM_IOMMU_MEMORY_MDL = 0,
	WDM_IOMMU_MEMORY_USER = 1,
	WDM_IOMMU_MEMORY_PHYSICAL = 2,
	WDM_IOMMU_MEMORY_FRAMES = 3,
};

/**
 * struct wdm_iommu_memory - memory to map
 * @type: &enum wdm_iommu_memory_type
 * @mdl: the MDL; 0 for other types
 * @address: %WDM_IOMMU_MEMORY_MDL: offset in the MDL, in bytes;
 *	%WDM_IOMMU_MEMORY_USER: address in the calling process;
 *	%WDM_IOMMU_MEMORY_PHYSICAL: the physical address;
 *	%WDM_IOMMU_MEMORY_FRAMES: pointer to an array of __u64
 * @length: bytes, whole pages; for an MDL, 0 means up to its end
 *
 * Contract: IOMMU_MAP_PHYSICAL_ADDRESS. Physical memory must be online RAM; it stays
 * online as long as it is mapped. Its owner must not free it during that time.
 */
struct wdm_iommu_memory {
	__u32 type;
	__u32 mdl;
	__aligned_u64 address;
	__aligned_u64 length;
};

/**
 * enum wdm_iommu_address_flags - where to map or to reserve
 * @WDM_IOMMU_ADDRESS_EXPLICIT: at @logical_address; only without an allocator
 * @WDM_IOMMU_ADDRESS_MIN: the first byte is not below @min_address; ignored without an
 *	allocator
 * @WDM_IOMMU_ADDRESS_MAX: the last byte, of the length rounded up to a power of two, is
 *	not above @max_address; ignored without an allocator
 * @WDM_IOMMU_ADDRESS_IDENTITY: %WDM_IOMMU_MAP_EX only, and not with other flags: each page
 *	at its physical address, like %WDM_IOMMU_MAP_IDENTITY; needs CAP_SYS_RAWIO
 */
enum wdm_iommu_address_flags {
	WDM_IOMMU_ADDRESS_EXPLICIT = 1 << 0,
	WDM_IOMMU_ADDRESS_MIN = 1 << 1,
	WDM_IOMMU_ADDRESS_MAX = 1 << 2,
	WDM_IOMMU_ADDRESS_IDENTITY = 1 << 3,
};

/**
 * struct wdm_iommu_map_ex - ioctl(WDM_IOMMU_MAP_EX)
 * @size: sizeof(struct wdm_iommu_map_ex)
 * @status: out: NTSTATUS
 * @domain: an OS-managed domain
 * @permissions: %WDM_IOMMU_READ and %WDM_IOMMU_WRITE, at least one
 * @flags: &enum wdm_iommu_address_flags
 * @reserved: must be 0
 * @memory: the memory
 * @logical_address: in: with %WDM_IOMMU_ADDRESS_EXPLICIT; out: where the memory is mapped,
 *	except for identity maps
 * @min_address: with %WDM_IOMMU_ADDRESS_MIN
 * @max_address: with %WDM_IOMMU_ADDRESS_MAX
 *
 * Contract: IommuMapLogicalRangeEx, or IommuMapIdentityRangeEx. All or nothing. An
 * allocated address is a multiple of the length, rounded up to a power of two.
 * %WDM_IOMMU_UNMAP unmaps it. Memory of the process is unpinned as it is unmapped; with
 * %WDM_IOMMU_ADDRESS_IDENTITY, all of it once its last page is unmapped. An identity map in a
 * pass-through domain succeeds without effect.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is caller-managed, or a pass-through domain.
 * - %STATUS_INVALID_PARAMETER_2: @permissions.
 * - %STATUS_INVALID_PARAMETER_3: @memory.
 * - %STATUS_INVALID_PARAMETER_4: @logical_address is not page aligned, or the range wraps.
 * - %STATUS_INVALID_PARAMETER_MIX: nothing is free within the limits, or they exclude each
 *   other.
 * - %STATUS_NOT_SUPPORTED: an explicit address or an identity map with an allocator, or no
 *   explicit address without one; or physical addresses without memory.
 * - %STATUS_PRIVILEGE_NOT_HELD: physical memory or an identity map without CAP_SYS_RAWIO.
 * - %STATUS_RESOURCE_IN_USE: a page of the range is mapped, reserved, or part of a token
 *   (Windows: IN_USE).
 * - %STATUS_INSUFFICIENT_RESOURCES: out of memory, or no address is free at all.
 * - %STATUS_ACCESS_VIOLATION: an array of page frames cannot be read.
 * - %STATUS_ACCESS_DENIED, %STATUS_CONFLICTING_ADDRESSES: as for %WDM_IOMMU_MAP.
 * - those of %WDM_IOMMU_MAP_USER for memory of the process.
 */
struct wdm_iommu_map_ex {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 permissions;
	__u32 flags;
	__u32 reserved;
	struct wdm_iommu_memory memory;
	__aligned_u64 logical_address;
	__aligned_u64 min_address;
	__aligned_u64 max_address;
};

#define WDM_IOMMU_MAP_EX _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MAP_EX)

/**
 * struct wdm_iommu_reserve - ioctl(WDM_IOMMU_RESERVE)
 * @size: sizeof(struct wdm_iommu_reserve)
 * @status: out: NTSTATUS
 * @domain: an OS-managed domain
 * @flags: &enum wdm_iommu_address_flags, without %WDM_IOMMU_ADDRESS_IDENTITY
 * @length: bytes; whole pages
 * @logical_address: in: with %WDM_IOMMU_ADDRESS_EXPLICIT; out: the first address
 * @min_address: with %WDM_IOMMU_ADDRESS_MIN
 * @max_address: with %WDM_IOMMU_ADDRESS_MAX
 * @token: out: the handle of the token
 * @reserved: must be 0
 *
 * Contract: IommuReserveLogicalAddressRange. Allocates everything that maps in the range
 * will need, so that they need no memory; nothing else can be mapped there.
 * %WDM_IOMMU_DESTROY frees the token.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the domain is caller-managed, or a pass-through domain.
 * - %STATUS_INVALID_PARAMETER_2: @length is 0 or not whole pages.
 * - %STATUS_INVALID_PARAMETER_3: @logical_address is not page aligned, or the range wraps.
 * - %STATUS_INVALID_PARAMETER_MIX, %STATUS_NOT_SUPPORTED, %STATUS_RESOURCE_IN_USE,
 *   %STATUS_CONFLICTING_ADDRESSES: as for %WDM_IOMMU_MAP_EX.
 * - %STATUS_INSUFFICIENT_RESOURCES: out of memory, no address is free at all, or @length is
 *   more than 256 GiB.
 */
struct wdm_iommu_reserve {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 flags;
	__u32 token;
	__u32 reserved;
	__aligned_u64 length;
	__aligned_u64 logical_address;
	__aligned_u64 min_address;
	__aligned_u64 max_address;
};

#define WDM_IOMMU_RESERVE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_RESERVE)

/**
 * struct wdm_iommu_map_reserved - ioctl(WDM_IOMMU_MAP_RESERVED)
 * @size: sizeof(struct wdm_iommu_map_reserved)
 * @status: out: NTSTATUS
 * @token: the token
 * @permissions: %WDM_IOMMU_READ and %WDM_IOMMU_WRITE, at least one
 * @offset: offset in the token, in bytes; page aligned
 * @memory: the memory
 * @length: out: bytes that were mapped; identifies the segment together with @token and
 *	@offset
 *
 * Contract: IommuMapReservedLogicalRange. All or nothing. Several segments may be mapped in
 * a token.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_2: @offset is not page aligned, or beyond the token.
 * - %STATUS_INVALID_PARAMETER_3: @permissions.
 * - %STATUS_INVALID_PARAMETER_4: @memory, or the segment ends beyond the token.
 * - %STATUS_RESOURCE_IN_USE: a page belongs to another segment.
 * - %STATUS_PRIVILEGE_NOT_HELD, %STATUS_NOT_SUPPORTED, %STATUS_ACCESS_VIOLATION,
 *   %STATUS_ACCESS_DENIED: as for %WDM_IOMMU_MAP_EX.
 */
struct wdm_iommu_map_reserved {
	__u32 size;
	__u32 status;
	__u32 token;
	__u32 permissions;
	__aligned_u64 offset;
	struct wdm_iommu_memory memory;
	__aligned_u64 length;
};

#define WDM_IOMMU_MAP_RESERVED _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_MAP_RESERVED)

/**
 * struct wdm_iommu_unmap_reserved - ioctl(WDM_IOMMU_UNMAP_RESERVED)
 * @size: sizeof(struct wdm_iommu_unmap_reserved)
 * @status: out: NTSTATUS
 * @token: the token
 * @reserved: must be 0
 * @offset: offset of the segment in the token, in bytes
 * @length: length of the segment, in bytes
 *
 * Contract: IommuUnmapReservedLogicalRange. When the call returns, DMA to the segment is
 * blocked.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER: there is no such segment; it cannot be unmapped in parts.
 */
struct wdm_iommu_unmap_reserved {
	__u32 size;
	__u32 status;
	__u32 token;
	__u32 reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
};

#define WDM_IOMMU_UNMAP_RESERVED \
	_IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_UNMAP_RESERVED)

/**
 * struct wdm_iommu_pasid_create - ioctl(WDM_IOMMU_PASID_CREATE)
 * @size: sizeof(struct wdm_iommu_pasid_create)
 * @status: out: NTSTATUS
 * @device: a device that was created with %WDM_IOMMU_PASID_TAGGED_DMA
 * @pasid_device: out: the handle
 * @asid: out: the PASID, with which the device has to tag its requests
 * @reserved: must be 0
 *
 * Contract: IommuPasidDeviceCreate. %WDM_IOMMU_DESTROY deletes it.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the device was not created with
 *   %WDM_IOMMU_PASID_TAGGED_DMA.
 * - %STATUS_NONE_MAPPED: no PASID is left.
 * - %STATUS_DEVICE_REMOVED: VFIO has revoked the device.
 */
struct wdm_iommu_pasid_create {
	__u32 size;
	__u32 status;
	__u32 device;
	__u32 pasid_device;
	__u32 asid;
	__u32 reserved;
};

#define WDM_IOMMU_PASID_CREATE _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_PASID_CREATE)

/**
 * struct wdm_iommu_pasid_attach - ioctl(WDM_IOMMU_PASID_ATTACH)
 * @size: sizeof(struct wdm_iommu_pasid_attach)
 * @status: out: NTSTATUS
 * @domain: the domain
 * @pasid_device: the PASID
 *
 * Contract: IommuDomainAttachPasidDevice. The device itself need not be attached.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: this type of domain cannot be attached to a PASID.
 * - %STATUS_UNSUCCESSFUL: the PASID is already attached.
 * - %STATUS_ACCESS_DENIED: the type of domain is not available to the device now.
 * - %STATUS_CONFLICTING_ADDRESSES: the domain maps an address that the IOMMU cannot
 *   translate.
 * - %STATUS_DEVICE_REMOVED: VFIO has revoked the device.
 */
struct wdm_iommu_pasid_attach {
	__u32 size;
	__u32 status;
	__u32 domain;
	__u32 pasid_device;
};

#define WDM_IOMMU_PASID_ATTACH _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_PASID_ATTACH)

/**
 * struct wdm_iommu_pasid_detach - ioctl(WDM_IOMMU_PASID_DETACH)
 * @size: sizeof(struct wdm_iommu_pasid_detach)
 * @status: out: NTSTATUS
 * @pasid_device: the PASID
 * @reserved: must be 0
 *
 * Contract: IommuDomainDetachPasidDevice.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_PARAMETER_1: the PASID is not attached.
 */
struct wdm_iommu_pasid_detach {
	__u32 size;
	__u32 status;
	__u32 pasid_device;
	__u32 reserved;
};

#define WDM_IOMMU_PASID_DETACH _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_PASID_DETACH)

/* The argument of VFIO_CHECK_EXTENSION and VFIO_SET_IOMMU that selects this module */
#define WDM_IOMMU_VFIO_IOMMU	0x57444D31

/**
 * struct wdm_iommu_vfio_bind - ioctl(WDM_IOMMU_VFIO_BIND) on a VFIO container
 * @size: sizeof(struct wdm_iommu_vfio_bind)
 * @status: out: NTSTATUS
 * @fd: file descriptor of /dev/wdm_iommu
 * @flags: must be 0
 *
 * Call it after VFIO_SET_IOMMU(%WDM_IOMMU_VFIO_IOMMU). From then on, devices of the
 * container's groups, and of groups that join it later, can become IOMMU_DMA_DEVICEs of
 * that file and of no other. Neither file keeps the other open. When VFIO takes a group
 * back (VFIO_GROUP_UNSET_CONTAINER, or the last close of the group), the group's devices
 * are detached first.
 *
 * Statuses:
 *
 * - %STATUS_INVALID_HANDLE: @fd is not an open /dev/wdm_iommu.
 * - %STATUS_RESOURCE_IN_USE: the container is already bound to an open file.
 * - %STATUS_INVALID_DEVICE_STATE: VFIO has released the container.
 */
struct wdm_iommu_vfio_bind {
	__u32 size;
	__u32 status;
	__s32 fd;
	__u32 flags;
};

#define WDM_IOMMU_VFIO_BIND _IO(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_VFIO_BIND)

#endif /* _UAPI_LINUX_WDM_IOMMU_H */
