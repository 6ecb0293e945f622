// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The ioctls of the contract's versions 2 and 3, one function each. See ioctls.c.
 */
#include <stdint.h>

#include "wdm_iommu_user.h"

/**
 * wdm_domain_create_ex() - IommuDomainCreateEx
 * @fd: /dev/wdm_iommu
 * @type: WDM_IOMMU_TYPE_*
 * @width: width of allocated addresses in bits; 0: the domain has no allocator
 * @regions: reserved regions
 * @number: number of @regions
 * @domain: out: the handle
 *
 * Return: NTSTATUS.
 */
__u32 wdm_domain_create_ex(int fd, __u32 type, __u32 width, const struct wdm_iommu_region *regions,
			   __u32 number, __u32 *domain)
{
	struct wdm_iommu_domain_create_ex argument = {
		.size = sizeof(argument),
		.type = type,
		.allocator = width ? WDM_IOMMU_ALLOCATOR_BUDDY : WDM_IOMMU_ALLOCATOR_NONE,
		.address_width = width,
		.regions = (uintptr_t)regions,
		.number = number,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_DOMAIN_CREATE_EX, &argument);

	*domain = argument.domain;
	return status;
}

/**
 * wdm_map_ex() - IommuMapLogicalRangeEx
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @memory: the memory
 * @address: the address; in, if @flags has WDM_IOMMU_ADDRESS_EXPLICIT; otherwise out, as the
 *	domain chooses it; not used if @flags has WDM_IOMMU_ADDRESS_IDENTITY
 * @flags: WDM_IOMMU_ADDRESS_*
 * @min: with WDM_IOMMU_ADDRESS_MIN
 * @max: with WDM_IOMMU_ADDRESS_MAX
 *
 * Return: NTSTATUS.
 */
__u32 wdm_map_ex(int fd, __u32 domain, __u32 permissions, const struct wdm_iommu_memory *memory,
		 __u64 *address, __u32 flags, __u64 min, __u64 max)
{
	struct wdm_iommu_map_ex argument = {
		.size = sizeof(argument),
		.domain = domain,
		.permissions = permissions,
		.flags = flags,
		.memory = *memory,
		.logical_address = *address,
		.min_address = min,
		.max_address = max,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_MAP_EX, &argument);

	if (!status)
		*address = argument.logical_address;
	return status;
}

/**
 * wdm_map_anywhere() - Map an MDL at an address that the domain chooses
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain with an allocator
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @mdl: the memory
 * @offset: offset in the MDL, in bytes
 * @length: number of bytes; 0: up to the end of the MDL
 * @address: out: the address
 *
 * Return: NTSTATUS.
 */
__u32 wdm_map_anywhere(int fd, __u32 domain, __u32 permissions, __u32 mdl, __u64 offset,
		       __u64 length, __u64 *address)
{
	const struct wdm_iommu_memory memory = {
		.type = WDM_IOMMU_MEMORY_MDL,
		.mdl = mdl,
		.address = offset,
		.length = length,
	};

	*address = 0;
	return wdm_map_ex(fd, domain, permissions, &memory, address, 0, 0, 0);
}

/**
 * wdm_map_user_anywhere() - Pin memory of this process and map it at an address that the
 *	domain chooses
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain with an allocator: wdm_domain_create_ex() with a width
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @address: start of the memory, page aligned
 * @length: number of bytes, whole pages
 * @logical_address: out: the address that devices use
 *
 * The logical address becomes free when all of it is unmapped by wdm_unmap().
 *
 * Return: NTSTATUS.
 */
__u32 wdm_map_user_anywhere(int fd, __u32 domain, __u32 permissions, const void *address,
			    __u64 length, __u64 *logical_address)
{
	const struct wdm_iommu_memory memory = {
		.type = WDM_IOMMU_MEMORY_USER,
		.address = (uintptr_t)address,
		.length = length,
	};

	*logical_address = 0;
	return wdm_map_ex(fd, domain, permissions, &memory, logical_address, 0, 0, 0);
}

/**
 * wdm_reserve() - IommuReserveLogicalAddressRange
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @length: number of bytes, whole pages
 * @address: the address; as for wdm_map_ex()
 * @flags: WDM_IOMMU_ADDRESS_*
 * @min: with WDM_IOMMU_ADDRESS_MIN
 * @max: with WDM_IOMMU_ADDRESS_MAX
 * @token: out: the handle, for wdm_destroy()
 *
 * Return: NTSTATUS.
 */
__u32 wdm_reserve(int fd, __u32 domain, __u64 length, __u64 *address, __u32 flags, __u64 min,
		  __u64 max, __u32 *token)
{
	struct wdm_iommu_reserve argument = {
		.size = sizeof(argument),
		.domain = domain,
		.flags = flags,
		.length = length,
		.logical_address = *address,
		.min_address = min,
		.max_address = max,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_RESERVE, &argument);

	*token = argument.token;
	if (!status)
		*address = argument.logical_address;
	return status;
}

/**
 * wdm_map_reserved() - IommuMapReservedLogicalRange
 * @fd: /dev/wdm_iommu
 * @token: the token
 * @offset: offset in the token, in bytes
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @memory: the memory
 *
 * Return: NTSTATUS.
 */
__u32 wdm_map_reserved(int fd, __u32 token, __u64 offset, __u32 permissions,
		       const struct wdm_iommu_memory *memory)
{
	struct wdm_iommu_map_reserved argument = {
		.size = sizeof(argument),
		.token = token,
		.permissions = permissions,
		.offset = offset,
		.memory = *memory,
	};

	return wdm_call(fd, WDM_IOMMU_MAP_RESERVED, &argument);
}

/**
 * wdm_unmap_reserved() - IommuUnmapReservedLogicalRange
 * @fd: /dev/wdm_iommu
 * @token: the token
 * @offset: offset of the segment in the token, in bytes
 * @length: length of the segment in bytes
 *
 * Return: NTSTATUS.
 */
__u32 wdm_unmap_reserved(int fd, __u32 token, __u64 offset, __u64 length)
{
	struct wdm_iommu_unmap_reserved argument = {
		.size = sizeof(argument),
		.token = token,
		.offset = offset,
		.length = length,
	};

	return wdm_call(fd, WDM_IOMMU_UNMAP_RESERVED, &argument);
}

/**
 * wdm_pasid_create() - IommuPasidDeviceCreate
 * @fd: /dev/wdm_iommu
 * @device: a device that was created with WDM_IOMMU_PASID_TAGGED_DMA
 * @pasid_device: out: the handle, for wdm_destroy()
 * @asid: out: the PASID
 *
 * Return: NTSTATUS.
 */
__u32 wdm_pasid_create(int fd, __u32 device, __u32 *pasid_device, __u32 *asid)
{
	struct wdm_iommu_pasid_create argument = { .size = sizeof(argument), .device = device };
	__u32 status = wdm_call(fd, WDM_IOMMU_PASID_CREATE, &argument);

	*pasid_device = argument.pasid_device;
	*asid = argument.asid;
	return status;
}

/**
 * wdm_pasid_attach() - IommuDomainAttachPasidDevice
 * @fd: /dev/wdm_iommu
 * @domain: the domain
 * @pasid_device: the PASID
 *
 * Return: NTSTATUS.
 */
__u32 wdm_pasid_attach(int fd, __u32 domain, __u32 pasid_device)
{
	struct wdm_iommu_pasid_attach argument = {
		.size = sizeof(argument),
		.domain = domain,
		.pasid_device = pasid_device,
	};

	return wdm_call(fd, WDM_IOMMU_PASID_ATTACH, &argument);
}

/**
 * wdm_pasid_detach() - IommuDomainDetachPasidDevice
 * @fd: /dev/wdm_iommu
 * @pasid_device: the PASID
 *
 * Return: NTSTATUS.
 */
__u32 wdm_pasid_detach(int fd, __u32 pasid_device)
{
	struct wdm_iommu_pasid_detach argument = {
		.size = sizeof(argument),
		.pasid_device = pasid_device,
	};

	return wdm_call(fd, WDM_IOMMU_PASID_DETACH, &argument);
}
