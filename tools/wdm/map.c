// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Maps of OS-managed domains. Each run of pages is pinned and mapped by one ioctl.
 *
 * All functions check their arguments in the same order: kind of domain, permissions, memory,
 * addresses; then the kernel checks what is mapped.
 */
#include "private.h"

/**
 * wdk_maps() - Check whether a domain maps on request
 * @domain: the domain
 *
 * Return: false for caller-managed domains, and for PassThrough.
 */
bool wdk_maps(PIOMMU_DMA_DOMAIN domain)
{
	return domain->type == DomainTypeTranslate || domain->type == DomainTypeTranslateS1;
}

static NTSTATUS check_permissions(ULONG permissions)
{
	return permissions && !(permissions & ~WDK_PERMISSIONS) ?
		STATUS_SUCCESS : STATUS_INVALID_PARAMETER_2;
}

/* Check arguments of an identity map, which a PassThrough domain has already. */
static bool maps_identity(PIOMMU_DMA_DOMAIN domain)
{
	return domain->type != DomainTypeUnmanaged;
}

/**
 * wdk_user_memory() - Describe memory of the program for an ioctl
 * @va: start of the memory
 * @bytes: number of bytes
 *
 * Return: the description.
 */
struct wdm_iommu_memory wdk_user_memory(const void *va, SIZE_T bytes)
{
	return (struct wdm_iommu_memory) {
		.type = WDM_IOMMU_MEMORY_USER,
		.address = (uintptr_t)va,
		.length = bytes,
	};
}

static NTSTATUS map_run(PIOMMU_DMA_DOMAIN domain, ULONG permissions,
			const struct wdk_run *run, __u64 address)
{
	struct wdm_iommu_memory memory = wdk_user_memory(run->va, run->bytes);

	return wdk_status(wdm_map_ex(wdk_fd(), domain->handle, permissions, &memory,
				     &address, WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0));
}

/* Map runs one after the other, or with @identity each at its physical address. */
static NTSTATUS map_runs(PIOMMU_DMA_DOMAIN domain, ULONG permissions,
			 const struct wdk_memory *memory, bool identity, ULONGLONG address)
{
	NTSTATUS status = STATUS_SUCCESS;
	ULONGLONG at = address;
	size_t i;

	for (i = 0; i < memory->nr_runs; i++) {
		status = map_run(domain, permissions, &memory->runs[i],
				 identity ? memory->runs[i].physical : at);
		if (!NT_SUCCESS(status))
			break;
		at += memory->runs[i].bytes;
	}
	/* All or nothing */
	while (!NT_SUCCESS(status) && i--) {
		at -= memory->runs[i].bytes;
		wdm_unmap(wdk_fd(), domain->handle,
			  identity ? memory->runs[i].physical : at, memory->runs[i].bytes);
	}
	return status;
}

static NTSTATUS map_at(PIOMMU_DMA_DOMAIN domain, ULONG permissions,
		       struct wdk_memory *memory, ULONGLONG address)
{
	NTSTATUS status = wdk_memory_find(memory);

	if (NT_SUCCESS(status) && domain->allocates)
		status = STATUS_NOT_SUPPORTED;
	if (NT_SUCCESS(status) &&
	    (address % PAGE_SIZE || wdk_wraps(address, memory->pages)))
		status = STATUS_INVALID_PARAMETER_4;
	if (NT_SUCCESS(status))
		status = map_runs(domain, permissions, memory, false, address);
	free(memory->runs);
	return status;
}

static NTSTATUS map_anywhere(PIOMMU_DMA_DOMAIN domain, ULONG permissions,
			     struct wdk_memory *memory, const IOMMU_DMA_LOGICAL_ADDRESS *min,
			     const IOMMU_DMA_LOGICAL_ADDRESS *max, ULONGLONG *address)
{
	__u32 flags = (min ? WDM_IOMMU_ADDRESS_MIN : 0) | (max ? WDM_IOMMU_ADDRESS_MAX : 0);
	NTSTATUS status = wdk_memory_find(memory);
	struct wdm_iommu_memory user;
	__u64 found = 0;

	if (NT_SUCCESS(status) && memory->nr_runs > 1) {
		status = wdk_map_scattered(domain, permissions, memory, min, max, address);
	} else if (NT_SUCCESS(status)) {
		user = wdk_user_memory(memory->runs->va, memory->runs->bytes);
		status = wdk_status(wdm_map_ex(wdk_fd(), domain->handle, permissions, &user,
					       &found, flags, min ? *min : 0,
					       max ? *max : 0));
		if (NT_SUCCESS(status))
			*address = found;
	}
	free(memory->runs);
	return status;
}

/* Contract: IommuMapLogicalRange. */
NTSTATUS wdk_map_logical_range(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions, PMDL Mdl,
			       ULONGLONG LogicalAddress)
{
	struct wdk_memory memory;
	NTSTATUS status;

	if (!wdk_maps(Domain))
		return STATUS_INVALID_PARAMETER_1;
	status = check_permissions(Permissions);
	if (!NT_SUCCESS(status))
		return status;
	if (!wdk_mdl_memory(Mdl, &memory))
		return STATUS_INVALID_PARAMETER_3;
	return map_at(Domain, Permissions, &memory, LogicalAddress);
}

/* Contract: IommuMapLogicalRangeEx. */
NTSTATUS wdk_map_logical_range_ex(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
				  PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap,
				  PIOMMU_DMA_LOGICAL_ADDRESS ExplicitLogicalAddress,
				  PIOMMU_DMA_LOGICAL_ADDRESS MinLogicalAddress,
				  PIOMMU_DMA_LOGICAL_ADDRESS MaxLogicalAddress,
				  PIOMMU_DMA_LOGICAL_ADDRESS LogicalAddressOut)
{
	struct wdk_memory memory;
	NTSTATUS status;

	if (!wdk_maps(Domain))
		return STATUS_INVALID_PARAMETER_1;
	status = check_permissions(Permissions);
	if (!NT_SUCCESS(status))
		return status;
	if (!wdk_memory_of(PhysicalAddressToMap, &memory))
		return STATUS_INVALID_PARAMETER_3;
	if (!ExplicitLogicalAddress)
		return map_anywhere(Domain, Permissions, &memory, MinLogicalAddress,
				    MaxLogicalAddress, LogicalAddressOut);
	status = map_at(Domain, Permissions, &memory, *ExplicitLogicalAddress);
	if (NT_SUCCESS(status))
		*LogicalAddressOut = *ExplicitLogicalAddress;
	return status;
}

/* Contract: IommuUnmapLogicalRange. */
NTSTATUS wdk_unmap_logical_range(PIOMMU_DMA_DOMAIN Domain, ULONGLONG LogicalAddress,
				 ULONGLONG NumberOfPages)
{
	ULONGLONG bytes = NumberOfPages << PAGE_SHIFT;
	NTSTATUS status;

	if (!wdk_maps(Domain))
		return STATUS_INVALID_PARAMETER_1;
	if (LogicalAddress % PAGE_SIZE)
		return STATUS_INVALID_PARAMETER_2;
	if (!NumberOfPages || wdk_wraps(LogicalAddress, NumberOfPages))
		return STATUS_INVALID_PARAMETER_3;
	status = wdk_status(wdm_unmap(wdk_fd(), Domain->handle, LogicalAddress, bytes));
	return status == STATUS_RESOURCE_IN_USE ?
		wdk_unmap_scattered(Domain, LogicalAddress, bytes) : status;
}

/**
 * wdk_is_mapped() - Check whether all of a range is mapped
 * @domain: an OS-managed domain
 * @start: the first address
 * @length: number of bytes
 *
 * Return: true if every page is mapped.
 */
bool wdk_is_mapped(PIOMMU_DMA_DOMAIN domain, ULONGLONG start, ULONGLONG length)
{
	/* Zeroed for valgrind, which does not see what an ioctl writes */
	struct wdm_iommu_mapping mappings[64] = { { .mdl = 0 } };
	ULONGLONG at = start, last = start + length - 1;
	__u64 next = start;
	__u32 number, i;

	do {
		number = RTL_NUMBER_OF(mappings);
		if (wdm_query_mappings(wdk_fd(), domain->handle, WDM_IOMMU_QUERY_LOGICAL,
				       &next, mappings, &number))
			return false;
		for (i = 0; i < number; i++) {
			if (mappings[i].address > at)
				return false;
			at = mappings[i].address + mappings[i].length;
			if (at - 1 >= last)
				return true;
		}
	} while (number && next != UINT64_MAX);
	return false;
}

static NTSTATUS map_identity(PIOMMU_DMA_DOMAIN domain, ULONG permissions,
			     struct wdk_memory *memory)
{
	NTSTATUS status = wdk_memory_find(memory);

	if (NT_SUCCESS(status) && wdk_maps(domain))
		status = map_runs(domain, permissions, memory, true, 0);
	free(memory->runs);
	return status;
}

static NTSTATUS unmap_identity(PIOMMU_DMA_DOMAIN domain, struct wdk_memory *memory)
{
	NTSTATUS status = STATUS_SUCCESS;
	size_t i;

	if (!wdk_maps(domain))
		return status;
	if (domain->allocates)
		return STATUS_NOT_SUPPORTED;
	/* Only memory can be mapped. */
	status = wdk_memory_find(memory);
	if (status == STATUS_NOT_SUPPORTED)
		status = STATUS_NOT_FOUND;
	for (i = 0; NT_SUCCESS(status) && i < memory->nr_runs; i++)
		if (!wdk_is_mapped(domain, memory->runs[i].physical, memory->runs[i].bytes))
			status = STATUS_NOT_FOUND;
	for (i = 0; NT_SUCCESS(status) && i < memory->nr_runs; i++)
		status = wdk_status(wdm_unmap(wdk_fd(), domain->handle,
					      memory->runs[i].physical,
					      memory->runs[i].bytes));
	free(memory->runs);
	return status;
}

/* Contract: IommuMapIdentityRange. */
NTSTATUS wdk_map_identity_range(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions, PMDL Mdl)
{
	IOMMU_MAP_PHYSICAL_ADDRESS physical = { .MapType = MapPhysicalAddressTypeMdl };

	physical.Mdl.Mdl = Mdl;
	return wdk_map_identity_range_ex(Domain, Permissions, &physical);
}

/* Contract: IommuMapIdentityRangeEx. */
NTSTATUS wdk_map_identity_range_ex(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
				   PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap)
{
	struct wdk_memory memory;
	NTSTATUS status;

	if (!maps_identity(Domain))
		return STATUS_INVALID_PARAMETER_1;
	status = check_permissions(Permissions);
	if (!NT_SUCCESS(status))
		return status;
	if (!wdk_memory_of(PhysicalAddressToMap, &memory))
		return STATUS_INVALID_PARAMETER_3;
	return map_identity(Domain, Permissions, &memory);
}

/* Contract: IommuUnmapIdentityRange. */
NTSTATUS wdk_unmap_identity_range(PIOMMU_DMA_DOMAIN Domain, PMDL Mdl)
{
	IOMMU_MAP_PHYSICAL_ADDRESS physical = { .MapType = MapPhysicalAddressTypeMdl };

	physical.Mdl.Mdl = Mdl;
	return wdk_unmap_identity_range_ex(Domain, &physical);
}

/* Contract: IommuUnmapIdentityRangeEx. */
NTSTATUS wdk_unmap_identity_range_ex(PIOMMU_DMA_DOMAIN Domain,
				     PIOMMU_MAP_PHYSICAL_ADDRESS MappedPhysicalAddress)
{
	struct wdk_memory memory;

	if (!maps_identity(Domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!wdk_memory_of(MappedPhysicalAddress, &memory))
		return STATUS_INVALID_PARAMETER_2;
	return unmap_identity(Domain, &memory);
}
