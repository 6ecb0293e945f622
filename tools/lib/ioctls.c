// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The ioctls of /dev/wdm_iommu, one function each. All of them return the NTSTATUS of the
 * call, or WDM_STATUS_NONE if there is none, and leave errno as the call set it.
 * <linux/wdm_iommu.h> documents the parameters.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "wdm_iommu_user.h"

/* The start of all argument structures */
struct header {
	__u32 size;
	__u32 status;
};

/**
 * wdm_open() - Open /dev/wdm_iommu
 *
 * Return: a file descriptor, or -1 with errno.
 */
int wdm_open(void)
{
	return open(WDM_IOMMU_PATH, O_RDWR | O_CLOEXEC);
}

/**
 * wdm_call() - Make an ioctl and return its NTSTATUS
 * @fd: /dev/wdm_iommu, or a VFIO container for %WDM_IOMMU_VFIO_BIND
 * @request: WDM_IOMMU_*
 * @argument: its structure, with size filled in
 *
 * Return: the NTSTATUS; %WDM_STATUS_NONE if the call wrote none or, with errno EPROTO, one
 * that contradicts its result.
 */
__u32 wdm_call(int fd, unsigned long request, void *argument)
{
	struct header *header = argument;
	int failure;

	header->status = WDM_STATUS_NONE;
	failure = ioctl(fd, request, argument);
	if (!failure == !!header->status) {
		errno = EPROTO;
		return WDM_STATUS_NONE;
	}
	return header->status;
}

/**
 * wdm_info_sized() - Get the abilities of kernel and module; see wdm_info()
 * @fd: /dev/wdm_iommu
 * @info: out: the abilities
 * @size: sizeof(*@info)
 *
 * Return: NTSTATUS.
 */
__u32 wdm_info_sized(int fd, struct wdm_iommu_info *info, size_t size)
{
	memset(info, 0, size);
	info->size = size;
	return wdm_call(fd, WDM_IOMMU_INFO, info);
}

/**
 * wdm_destroy() - Delete an object of any type
 * @fd: /dev/wdm_iommu
 * @handle: the object
 *
 * Contract: IommuDomainDelete, IommuDeviceDelete, IommuPasidDeviceDelete,
 * IommuFreeReservedLogicalAddressRange.
 *
 * Return: NTSTATUS.
 */
__u32 wdm_destroy(int fd, __u32 handle)
{
	struct wdm_iommu_destroy argument = { .size = sizeof(argument), .handle = handle };

	return wdm_call(fd, WDM_IOMMU_DESTROY, &argument);
}

/**
 * wdm_domain_create() - IommuDomainCreate
 * @fd: /dev/wdm_iommu
 * @os_managed: true: the OS owns the page tables; false: the caller does
 * @flags: WDM_IOMMU_DOMAIN_*
 * @domain: out: the handle
 *
 * Return: NTSTATUS.
 */
__u32 wdm_domain_create(int fd, bool os_managed, __u32 flags, __u32 *domain)
{
	struct wdm_iommu_domain_create argument = {
		.size = sizeof(argument),
		.os_managed_page_table = os_managed,
		.flags = flags,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_DOMAIN_CREATE, &argument);

	*domain = argument.domain;
	return status;
}

/**
 * wdm_device_create() - IommuDeviceCreate
 * @fd: /dev/wdm_iommu
 * @address: the PCI device
 * @device: out: the handle
 * @group: out: the number of its IOMMU group; may be NULL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_device_create(int fd, const struct wdm_pci_address *address, __u32 *device,
			__u32 *group)
{
	struct wdm_iommu_device_create argument = {
		.size = sizeof(argument),
		.segment = address->segment,
		.bus = address->bus,
		.devfn = address->devfn,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_DEVICE_CREATE, &argument);

	*device = argument.device;
	if (group)
		*group = argument.group;
	return status;
}

/**
 * wdm_attach() - IommuDeviceAttach
 * @fd: /dev/wdm_iommu
 * @domain: the domain
 * @device: the device
 *
 * Return: NTSTATUS.
 */
__u32 wdm_attach(int fd, __u32 domain, __u32 device)
{
	struct wdm_iommu_attach argument = {
		.size = sizeof(argument),
		.domain = domain,
		.device = device,
		.mapping_count = 1,
	};

	return wdm_call(fd, WDM_IOMMU_ATTACH, &argument);
}

/**
 * wdm_detach() - IommuDeviceDetach
 * @fd: /dev/wdm_iommu
 * @device: the device
 *
 * Return: NTSTATUS.
 */
__u32 wdm_detach(int fd, __u32 device)
{
	struct wdm_iommu_detach argument = { .size = sizeof(argument), .device = device };

	return wdm_call(fd, WDM_IOMMU_DETACH, &argument);
}

/**
 * wdm_mdl_create() - Pin memory of this process
 * @fd: /dev/wdm_iommu
 * @address: start of the memory, page aligned
 * @length: number of bytes, whole pages
 * @access: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @mdl: out: the handle
 *
 * Return: NTSTATUS.
 */
__u32 wdm_mdl_create(int fd, const void *address, __u64 length, __u32 access, __u32 *mdl)
{
	struct wdm_iommu_mdl_create argument = {
		.size = sizeof(argument),
		.user_va = (uintptr_t)address,
		.length = length,
		.access = access,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_MDL_CREATE, &argument);

	*mdl = argument.mdl;
	return status;
}

/**
 * wdm_mdl_create_file() - Pin memory of a memfd, or another file on tmpfs or hugetlbfs
 * @fd: /dev/wdm_iommu
 * @file: the file
 * @offset: offset in the file in bytes, page aligned
 * @length: number of bytes, whole pages
 * @access: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @mdl: out: the handle
 *
 * Return: NTSTATUS; STATUS_NOT_SUPPORTED before Linux 6.11.
 */
__u32 wdm_mdl_create_file(int fd, int file, __u64 offset, __u64 length, __u32 access,
			  __u32 *mdl)
{
	struct wdm_iommu_mdl_create_file argument = {
		.size = sizeof(argument),
		.fd = file,
		.access = access,
		.offset = offset,
		.length = length,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_MDL_CREATE_FILE, &argument);

	*mdl = argument.mdl;
	return status;
}

static __u32 map(int fd, unsigned long request, struct wdm_iommu_map *argument)
{
	argument->size = sizeof(*argument);
	return wdm_call(fd, request, argument);
}

/**
 * wdm_map() - IommuMapLogicalRange
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @mdl: the memory
 * @offset: offset in the MDL, in bytes
 * @length: number of bytes; 0: up to the end of the MDL
 * @logical_address: the address that devices will use
 *
 * Return: NTSTATUS.
 */
__u32 wdm_map(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset, __u64 length,
	      __u64 logical_address)
{
	return map(fd, WDM_IOMMU_MAP, &(struct wdm_iommu_map) {
		.domain = domain,
		.permissions = permissions,
		.mdl = mdl,
		.offset = offset,
		.length = length,
		.logical_address = logical_address,
	});
}

/**
 * wdm_map_identity() - IommuMapIdentityRange
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @mdl: the memory
 * @offset: offset in the MDL, in bytes
 * @length: number of bytes; 0: up to the end of the MDL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_map_identity(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset,
		       __u64 length)
{
	return map(fd, WDM_IOMMU_MAP_IDENTITY, &(struct wdm_iommu_map) {
		.domain = domain,
		.permissions = permissions,
		.mdl = mdl,
		.offset = offset,
		.length = length,
	});
}

/**
 * wdm_unmap() - IommuUnmapLogicalRange
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @logical_address: the first address
 * @length: number of bytes
 *
 * Return: NTSTATUS.
 */
__u32 wdm_unmap(int fd, __u32 domain, __u64 logical_address, __u64 length)
{
	struct wdm_iommu_unmap argument = {
		.size = sizeof(argument),
		.domain = domain,
		.logical_address = logical_address,
		.length = length,
	};

	return wdm_call(fd, WDM_IOMMU_UNMAP, &argument);
}

/**
 * wdm_map_user() - Pin memory of this process and map it, in one call
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @address: start of the memory, page aligned
 * @length: number of bytes, whole pages
 * @logical_address: the address that devices will use
 *
 * Return: NTSTATUS.
 */
__u32 wdm_map_user(int fd, __u32 domain, __u32 permissions, const void *address, __u64 length,
		   __u64 logical_address)
{
	struct wdm_iommu_map_user argument = {
		.size = sizeof(argument),
		.domain = domain,
		.permissions = permissions,
		.user_va = (uintptr_t)address,
		.length = length,
		.logical_address = logical_address,
	};

	return wdm_call(fd, WDM_IOMMU_MAP_USER, &argument);
}

/**
 * wdm_batch() - Perform many maps and unmaps in one call
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @ops: the operations
 * @number: number of operations
 * @done: out: number of completed operations; may be NULL
 *
 * Return: NTSTATUS; on failure, that of operation @done.
 */
__u32 wdm_batch(int fd, __u32 domain, const struct wdm_iommu_batch_op *ops, __u32 number,
		__u32 *done)
{
	struct wdm_iommu_batch argument = {
		.size = sizeof(argument),
		.domain = domain,
		.number = number,
		.ops = (uintptr_t)ops,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_BATCH, &argument);

	if (done)
		*done = argument.done;
	return status;
}

/**
 * wdm_unmap_identity() - IommuUnmapIdentityRange
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @mdl: the memory
 * @offset: offset in the MDL, in bytes
 * @length: number of bytes; 0: up to the end of the MDL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_unmap_identity(int fd, __u32 domain, __u32 mdl, __u64 offset, __u64 length)
{
	struct wdm_iommu_unmap_identity argument = {
		.size = sizeof(argument),
		.domain = domain,
		.mdl = mdl,
		.offset = offset,
		.length = length,
	};

	return wdm_call(fd, WDM_IOMMU_UNMAP_IDENTITY, &argument);
}

/**
 * wdm_memory_add() - Add memory to the caller's address space
 * @fd: /dev/wdm_iommu
 * @domain: a caller-managed domain
 * @permissions: upper bound for what page tables can grant
 * @mdl: the memory
 * @offset: offset in the MDL, in bytes
 * @length: number of bytes; 0: up to the end of the MDL
 * @caller_address: its caller address
 *
 * Return: NTSTATUS.
 */
__u32 wdm_memory_add(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset,
		     __u64 length, __u64 caller_address)
{
	struct wdm_iommu_memory_add argument = {
		.size = sizeof(argument),
		.domain = domain,
		.permissions = permissions,
		.mdl = mdl,
		.offset = offset,
		.length = length,
		.caller_address = caller_address,
	};

	return wdm_call(fd, WDM_IOMMU_MEMORY_ADD, &argument);
}

/**
 * wdm_memory_remove() - Remove memory from the caller's address space
 * @fd: /dev/wdm_iommu
 * @domain: a caller-managed domain
 * @caller_address: the first address
 * @length: number of bytes
 *
 * Return: NTSTATUS.
 */
__u32 wdm_memory_remove(int fd, __u32 domain, __u64 caller_address, __u64 length)
{
	struct wdm_iommu_memory_remove argument = {
		.size = sizeof(argument),
		.domain = domain,
		.caller_address = caller_address,
		.length = length,
	};

	return wdm_call(fd, WDM_IOMMU_MEMORY_REMOVE, &argument);
}

static __u32 configure(int fd, struct wdm_iommu_configure *argument,
		       struct wdm_iommu_walk_error *walk_error)
{
	__u32 status;

	argument->size = sizeof(*argument);
	status = wdm_call(fd, WDM_IOMMU_CONFIGURE, argument);
	if (walk_error)
		*walk_error = argument->walk_error;
	return status;
}

/**
 * wdm_configure_x64() - IommuDomainConfigure with x86-64 page tables
 * @fd: /dev/wdm_iommu
 * @domain: a caller-managed domain
 * @root: caller address of the root table
 * @flags: WDM_IOMMU_CONFIGURE_*
 * @walk_error: out: the invalid entries; may be NULL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_configure_x64(int fd, __u32 domain, __u64 root, __u32 flags,
			struct wdm_iommu_walk_error *walk_error)
{
	struct wdm_iommu_configure argument = {
		.domain = domain,
		.type = WDM_IOMMU_FORMAT_X64,
		.flags = flags,
		.translation_enabled = 1,
		.x64.first_level_page_table_root = root,
	};

	return configure(fd, &argument, walk_error);
}

/**
 * wdm_configure_arm64() - IommuDomainConfigure with ARM64 page tables
 * @fd: /dev/wdm_iommu
 * @domain: a caller-managed domain
 * @root: caller address of the root table
 * @input_size: width of an input address in bits
 * @walk_error: out: the invalid entries; may be NULL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_configure_arm64(int fd, __u32 domain, __u64 root, __u32 input_size,
			  struct wdm_iommu_walk_error *walk_error)
{
	struct wdm_iommu_configure argument = {
		.domain = domain,
		.type = WDM_IOMMU_FORMAT_ARM64,
		.translation_enabled = 1,
		.arm64.ttbr0 = root,
		.arm64.input_size0 = input_size,
		.arm64.coherent_table_walks = 1,
	};

	return configure(fd, &argument, walk_error);
}

/**
 * wdm_configure_bypass() - IommuDomainConfigure with TranslationEnabled FALSE
 * @fd: /dev/wdm_iommu
 * @domain: a caller-managed domain
 * @walk_error: out: the invalid entries; may be NULL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_configure_bypass(int fd, __u32 domain, struct wdm_iommu_walk_error *walk_error)
{
	struct wdm_iommu_configure argument = {
		.domain = domain,
		.type = WDM_IOMMU_FORMAT_X64,
	};

	return configure(fd, &argument, walk_error);
}

/**
 * wdm_flush() - IommuFlushDomain
 * @fd: /dev/wdm_iommu
 * @domain: a caller-managed domain
 * @walk_error: out: the invalid entries; may be NULL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_flush(int fd, __u32 domain, struct wdm_iommu_walk_error *walk_error)
{
	struct wdm_iommu_flush argument = { .size = sizeof(argument), .domain = domain };
	__u32 status = wdm_call(fd, WDM_IOMMU_FLUSH, &argument);

	if (walk_error)
		*walk_error = argument.walk_error;
	return status;
}

/**
 * wdm_flush_va_list() - IommuFlushDomainByVaList
 * @fd: /dev/wdm_iommu
 * @domain: a caller-managed domain
 * @last_level: only leaf entries have changed
 * @list: input addresses
 * @number: number of addresses
 * @walk_error: out: the invalid entries; may be NULL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_flush_va_list(int fd, __u32 domain, bool last_level, const __u64 *list, __u32 number,
			struct wdm_iommu_walk_error *walk_error)
{
	struct wdm_iommu_flush_va_list argument = {
		.size = sizeof(argument),
		.domain = domain,
		.last_level = last_level,
		.number = number,
		.va_list = (uintptr_t)list,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_FLUSH_VA_LIST, &argument);

	if (walk_error)
		*walk_error = argument.walk_error;
	return status;
}

/**
 * wdm_query_domain_sized() - Get the state of a domain; see wdm_query_domain()
 * @fd: /dev/wdm_iommu
 * @domain: the domain
 * @query: out: the state
 * @size: sizeof(*@query)
 *
 * Return: NTSTATUS.
 */
__u32 wdm_query_domain_sized(int fd, __u32 domain, struct wdm_iommu_query_domain *query,
			     size_t size)
{
	memset(query, 0, size);
	query->size = size;
	query->domain = domain;
	return wdm_call(fd, WDM_IOMMU_QUERY_DOMAIN, query);
}

/**
 * wdm_query_mappings() - List mappings of a domain
 * @fd: /dev/wdm_iommu
 * @domain: the domain
 * @what: WDM_IOMMU_QUERY_*
 * @start: in: the first address; out: where to continue, ~0 at the end
 * @mappings: out: the mappings
 * @number: in: capacity of @mappings; out: number of mappings
 *
 * Return: NTSTATUS.
 */
__u32 wdm_query_mappings(int fd, __u32 domain, __u32 what, __u64 *start,
			 struct wdm_iommu_mapping *mappings, __u32 *number)
{
	struct wdm_iommu_query_mappings argument = {
		.size = sizeof(argument),
		.domain = domain,
		.what = what,
		.number = *number,
		.start = *start,
		.mappings = (uintptr_t)mappings,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_QUERY_MAPPINGS, &argument);

	*start = argument.start;
	*number = argument.number;
	return status;
}

/**
 * wdm_vfio_bind() - Bind a VFIO container to a file of /dev/wdm_iommu
 * @container: the container
 * @fd: /dev/wdm_iommu
 *
 * Return: NTSTATUS.
 */
__u32 wdm_vfio_bind(int container, int fd)
{
	struct wdm_iommu_vfio_bind argument = { .size = sizeof(argument), .fd = fd };

	return wdm_call(container, WDM_IOMMU_VFIO_BIND, &argument);
}
