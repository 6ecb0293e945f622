/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * libwdm.a: internal declarations.
 *
 * A program has one open /dev/wdm_iommu, from the first call that needs it, and one lock for
 * everything below. The lock is not held during maps, unmaps, flushes and callbacks.
 */
#ifndef WDM_PRIVATE_H
#define WDM_PRIVATE_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <wdm_iommu_user.h>
#include <wdm_port.h>

#define WDK_PERMISSIONS	(IOMMU_ACCESS_READ | IOMMU_ACCESS_WRITE)

/**
 * struct _IOMMU_DMA_DOMAIN - a domain
 * @link: in the list of all domains
 * @handle: for the ioctls
 * @type: its type. For the kernel, PassThrough is a domain with translation off
 * @allocates: it has an allocator
 * @bypasses: devices see the program's physical addresses, including new ones
 * @seen: the last page in its address space, as &struct wdk_page.number
 * @scattered: tokens that implement maps of scattered pages; see token.c
 */
struct _IOMMU_DMA_DOMAIN {
	LIST_ENTRY link;
	__u32 handle;
	IOMMU_DMA_DOMAIN_TYPE type;
	bool allocates;
	bool bypasses;
	ULONGLONG seen;
	LIST_ENTRY scattered;
};

/**
 * struct _DEVICE_OBJECT - a PDO
 * @link: in the list of all PDOs
 * @refs: references; dropping the last one closes the device
 * @vfio: the device
 * @handle: for the ioctls; 0 if a new configuration has failed, and the previous one, too
 * @address: its PCI address
 * @pasid: configuration of the kernel's device: &enum wdm_iommu_pasid_config
 * @suppress: likewise, suppress_pasid_faults
 * @domain: the domain that it was attached to, or NULL
 * @faults: its fault handler, if any
 * @device: the result of CreateDevice, or NULL
 */
struct _DEVICE_OBJECT {
	LIST_ENTRY link;
	LONG refs;
	struct wdm_vfio_device *vfio;
	__u32 handle;
	struct wdm_pci_address address;
	__u32 pasid;
	bool suppress;
	PIOMMU_DMA_DOMAIN domain;
	DEVICE_FAULT_CONFIGURATION faults;
	PIOMMU_DMA_DEVICE device;
};

/**
 * struct _IOMMU_DMA_DEVICE - a result of CreateDevice
 * @link: in the list of all of them
 * @pdo: the PDO; holds a reference
 * @callback: its state change callback, or NULL
 * @context: for @callback
 * @registered: @callback may be unregistered
 * @types: argument of the last call of @callback
 * @nr_pasids: number of its PASID devices
 */
struct _IOMMU_DMA_DEVICE {
	LIST_ENTRY link;
	PDEVICE_OBJECT pdo;
	PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK callback;
	PVOID context;
	bool registered;
	ULONG types;
	unsigned int nr_pasids;
};

/**
 * struct wdk_token - a token
 * @head: the part that drivers see, which is never trusted
 * @link: in the list of all tokens, or of a domain's scattered maps
 * @handle: for the ioctls
 * @base: the first address
 * @size: size in bytes
 * @domain: its domain
 * @segments: &struct wdk_segment
 */
struct wdk_token {
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN head;
	LIST_ENTRY link;
	__u32 handle;
	ULONGLONG base;
	SIZE_T size;
	PIOMMU_DMA_DOMAIN domain;
	LIST_ENTRY segments;
};

/**
 * struct wdk_run - pages that are contiguous, virtually and physically
 * @va: the first byte
 * @physical: its physical address
 * @bytes: number of bytes
 */
struct wdk_run {
	char *va;
	ULONGLONG physical;
	SIZE_T bytes;
};

/**
 * struct wdk_memory - memory passed to a map function
 * @pfns: its page frames, or NULL: contiguous from @first on
 * @first: the first one
 * @pages: number of pages
 * @runs: the same as runs, after wdk_memory_find()
 * @nr_runs: number of @runs
 */
struct wdk_memory {
	const PFN_NUMBER *pfns;
	PFN_NUMBER first;
	ULONGLONG pages;
	struct wdk_run *runs;
	size_t nr_runs;
};

extern pthread_mutex_t wdk_lock;
extern LIST_ENTRY wdk_domains;

static inline void wdk_acquire(void)
{
	pthread_mutex_lock(&wdk_lock);
}

static inline void wdk_release(void)
{
	pthread_mutex_unlock(&wdk_lock);
}

static inline bool wdk_wraps(ULONGLONG address, ULONGLONG pages)
{
	return pages > UINT64_MAX >> PAGE_SHIFT ||
	       (pages << PAGE_SHIFT) - 1 > UINT64_MAX - address;
}

/* interface.c */
int wdk_fd(void);
const struct wdm_iommu_info *wdk_info(void);
NTSTATUS wdk_status(__u32 status);
NTSTATUS wdk_call(unsigned long request, void *argument);
bool wdk_contains(const LIST_ENTRY *head, const LIST_ENTRY *entry);

/* domain.c */
IOMMU_DOMAIN_CREATE wdk_create_domain;
IOMMU_DOMAIN_CREATE_EX wdk_create_domain_ex;
IOMMU_DOMAIN_DELETE wdk_delete_domain;
IOMMU_FLUSH_DOMAIN wdk_flush_domain;
IOMMU_FLUSH_DOMAIN_VA_LIST wdk_flush_domain_va_list;
IOMMU_DOMAIN_CONFIGURE wdk_configure_domain;

/* map.c */
IOMMU_MAP_LOGICAL_RANGE wdk_map_logical_range;
IOMMU_MAP_LOGICAL_RANGE_EX wdk_map_logical_range_ex;
IOMMU_UNMAP_LOGICAL_RANGE wdk_unmap_logical_range;
IOMMU_MAP_IDENTITY_RANGE wdk_map_identity_range;
IOMMU_MAP_IDENTITY_RANGE_EX wdk_map_identity_range_ex;
IOMMU_UNMAP_IDENTITY_RANGE wdk_unmap_identity_range;
IOMMU_UNMAP_IDENTITY_RANGE_EX wdk_unmap_identity_range_ex;
bool wdk_maps(PIOMMU_DMA_DOMAIN domain);
bool wdk_is_mapped(PIOMMU_DMA_DOMAIN domain, ULONGLONG start, ULONGLONG length);
struct wdm_iommu_memory wdk_user_memory(const void *va, SIZE_T bytes);

/* token.c */
IOMMU_RESERVE_LOGICAL_ADDRESS_RANGE wdk_reserve_logical_address_range;
IOMMU_FREE_RESERVED_LOGICAL_ADDRESS_RANGE wdk_free_reserved_logical_address_range;
IOMMU_MAP_RESERVED_LOGICAL_RANGE wdk_map_reserved_logical_range;
IOMMU_UNMAP_RESERVED_LOGICAL_RANGE wdk_unmap_reserved_logical_range;
NTSTATUS wdk_map_scattered(PIOMMU_DMA_DOMAIN domain, ULONG permissions,
			   const struct wdk_memory *memory,
			   const IOMMU_DMA_LOGICAL_ADDRESS *min,
			   const IOMMU_DMA_LOGICAL_ADDRESS *max, ULONGLONG *address);
NTSTATUS wdk_unmap_scattered(PIOMMU_DMA_DOMAIN domain, ULONGLONG address, ULONGLONG length);
bool wdk_forget_scattered(PIOMMU_DMA_DOMAIN domain);

/* device.c */
IOMMU_DOMAIN_ATTACH_DEVICE wdk_attach_device;
IOMMU_DOMAIN_DETACH_DEVICE wdk_detach_device;
IOMMU_QUERY_INPUT_MAPPINGS wdk_query_input_mappings;
IOMMU_SET_DEVICE_FAULT_REPORTING wdk_set_device_fault_reporting;
IOMMU_DEVICE_CREATE wdk_create_device;
IOMMU_DEVICE_DELETE wdk_delete_device;
IOMMU_DOMAIN_ATTACH_DEVICE_EX wdk_attach_device_ex;
IOMMU_DOMAIN_DETACH_DEVICE_EX wdk_detach_device_ex;
IOMMU_SET_DEVICE_FAULT_REPORTING_EX wdk_set_device_fault_reporting_ex;
IOMMU_DEVICE_QUERY_DOMAIN_TYPES wdk_query_available_domain_types;
IOMMU_PASID_DEVICE_CREATE wdk_create_pasid_device;
IOMMU_PASID_DEVICE_DELETE wdk_delete_pasid_device;
IOMMU_DOMAIN_ATTACH_PASID_DEVICE wdk_attach_pasid_device;
IOMMU_DOMAIN_DETACH_PASID_DEVICE wdk_detach_pasid_device;
IOMMU_DEVICE_QUERY_INFORMATION wdk_query_device_info;
extern LIST_ENTRY wdk_pdos, wdk_devices;
bool wdk_device_exists(PIOMMU_DMA_DEVICE device);
ULONG wdk_device_types(PDEVICE_OBJECT pdo);
bool wdk_has_pasids(PIOMMU_DMA_DOMAIN domain);

/* events.c */
IOMMU_REGISTER_INTERFACE_STATE_CHANGE_CALLBACK wdk_register_state_change;
IOMMU_UNREGISTER_INTERFACE_STATE_CHANGE_CALLBACK wdk_unregister_state_change;
NTSTATUS wdk_events_start(void);
void wdk_events_wait(const void *object);
void wdk_events_deliver(const struct wdm_iommu_event *event);

/* memory.c */
void wdk_memory_lock(const void *va, SIZE_T bytes);
void wdk_memory_unlock(const void *va, const PFN_NUMBER *frames, size_t number);
NTSTATUS wdk_memory_find(struct wdk_memory *memory);
NTSTATUS wdk_memory_sync(PIOMMU_DMA_DOMAIN domain);
void wdk_memory_bypass(PIOMMU_DMA_DOMAIN domain, bool bypasses);
PVOID wdk_pool_alloc(SIZE_T size, bool zero, ULONGLONG highest);

/* Of AddressSanitizer, if the program is built with it */
void __asan_poison_memory_region(const void *address, size_t size);
void __asan_unpoison_memory_region(const void *address, size_t size);

/* mdl.c */
bool wdk_mdl_memory(const MDL *Mdl, struct wdk_memory *memory);
bool wdk_memory_of(const IOMMU_MAP_PHYSICAL_ADDRESS *physical, struct wdk_memory *memory);

#endif /* WDM_PRIVATE_H */
