// SPDX-License-Identifier: GPL-2.0
/*
 * The map functions of the tables. Kernel code may call them up to DISPATCH_LEVEL: with a
 * spinlock held, and in softirqs.
 *
 * All check their arguments in the same order: kind of domain, permissions, memory,
 * addresses. Then the core checks what is mapped.
 */
#include <linux/mm.h>

#include "../core/os/atomic.h"
#include "wdk.h"

/* Check arguments of a function that requires a domain which maps on request. */
static NTSTATUS wdk_check_map(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions)
{
	if (!wdm_domain_maps(Domain->core))
		return STATUS_INVALID_PARAMETER_1;
	if (!Permissions || Permissions & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	return STATUS_SUCCESS;
}

/* Check arguments of an identity map, which a PassThrough domain has already. */
static NTSTATUS wdk_check_identity(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions)
{
	if (!wdm_domain_os_managed(Domain->core))
		return STATUS_INVALID_PARAMETER_1;
	if (!Permissions || Permissions & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	return STATUS_SUCCESS;
}

/**
 * wdk_limits() - Convert the limits for an address that the allocator chooses
 * @min: the lowest address, or NULL
 * @max: the last address, inclusive, or NULL
 *
 * Return: the limits.
 */
struct wdm_limits wdk_limits(const IOMMU_DMA_LOGICAL_ADDRESS *min,
			     const IOMMU_DMA_LOGICAL_ADDRESS *max)
{
	return (struct wdm_limits) {
		.min = min ? *min : 0,
		.max = max ? *max : U64_MAX,
		.given = min || max,
	};
}

static NTSTATUS wdk_map_at(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
			   const struct wdm_frames *frames, u64 iova)
{
	struct wdm_atomic_op op = {
		.domain = Domain->core,
		.frames = frames,
		.pgno = iova >> PAGE_SHIFT,
		.perms = Permissions,
	};

	if (!wdm_frames_are_memory(frames))
		return STATUS_NOT_SUPPORTED;
	if (wdm_iova_space_allocates(&Domain->core->space))
		return STATUS_NOT_SUPPORTED;
	if (!PAGE_ALIGNED(iova) || wdm_pages_wrap(iova, frames->nr_pages))
		return STATUS_INVALID_PARAMETER_4;
	return wdm_atomic_map(&op);
}

static NTSTATUS wdk_map_identity(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
				 const struct wdm_frames *frames)
{
	struct wdm_atomic_op op = {
		.domain = Domain->core,
		.frames = frames,
		.identity = true,
		.perms = Permissions,
	};

	if (!wdm_frames_are_memory(frames))
		return STATUS_NOT_SUPPORTED;
	if (!wdm_domain_maps(Domain->core))
		return STATUS_SUCCESS;
	return wdm_atomic_map(&op);
}

static NTSTATUS wdk_unmap_identity(PIOMMU_DMA_DOMAIN Domain,
				   const struct wdm_frames *frames)
{
	struct wdm_atomic_op op = {
		.domain = Domain->core,
		.frames = frames,
		.identity = true,
	};

	if (!wdm_domain_maps(Domain->core))
		return STATUS_SUCCESS;
	return wdm_atomic_unmap(&op);
}

/* Contract: IommuMapLogicalRange. */
NTSTATUS wdk_map_logical_range(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions, PMDL Mdl,
			       ULONGLONG LogicalAddress)
{
	NTSTATUS status = wdk_check_map(Domain, Permissions);
	struct wdm_frames frames;

	if (!wdm_ok(status))
		return status;
	if (!wdk_mdl_frames(Mdl, &frames))
		return STATUS_INVALID_PARAMETER_3;
	return wdk_map_at(Domain, Permissions, &frames, LogicalAddress);
}

/*
 * Contract: IommuMapLogicalRangeEx. Without a logical allocator, the address is required
 * and the limits are ignored; with one, an address is refused.
 */
NTSTATUS wdk_map_logical_range_ex(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
				  PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap,
				  PIOMMU_DMA_LOGICAL_ADDRESS ExplicitLogicalAddress,
				  PIOMMU_DMA_LOGICAL_ADDRESS MinLogicalAddress,
				  PIOMMU_DMA_LOGICAL_ADDRESS MaxLogicalAddress,
				  PIOMMU_DMA_LOGICAL_ADDRESS LogicalAddressOut)
{
	NTSTATUS status = wdk_check_map(Domain, Permissions);
	struct wdm_limits limits;
	struct wdm_frames frames;
	u64 iova;

	if (!wdm_ok(status))
		return status;
	if (!wdk_memory_frames(PhysicalAddressToMap, &frames))
		return STATUS_INVALID_PARAMETER_3;
	if (ExplicitLogicalAddress) {
		iova = *ExplicitLogicalAddress;
		status = wdk_map_at(Domain, Permissions, &frames, iova);
	} else if (wdm_frames_are_memory(&frames)) {
		limits = wdk_limits(MinLogicalAddress, MaxLogicalAddress);
		status = wdm_domain_map_frames_alloc(Domain->core, Permissions,
						     &frames, &limits, &iova);
	} else {
		status = STATUS_NOT_SUPPORTED;
	}
	if (wdm_ok(status))
		*LogicalAddressOut = iova;
	return status;
}

/* Contract: IommuUnmapLogicalRange. */
NTSTATUS wdk_unmap_logical_range(PIOMMU_DMA_DOMAIN Domain, ULONGLONG LogicalAddress,
				 ULONGLONG NumberOfPages)
{
	struct wdm_atomic_op op = {
		.domain = Domain->core,
		.pgno = LogicalAddress >> PAGE_SHIFT,
		.nr_pages = NumberOfPages,
	};

	if (!wdm_domain_maps(Domain->core))
		return STATUS_INVALID_PARAMETER_1;
	if (!PAGE_ALIGNED(LogicalAddress))
		return STATUS_INVALID_PARAMETER_2;
	if (!NumberOfPages || wdm_pages_wrap(LogicalAddress, NumberOfPages))
		return STATUS_INVALID_PARAMETER_3;
	return wdm_atomic_unmap(&op);
}

/* Contract: IommuMapIdentityRange. */
NTSTATUS wdk_map_identity_range(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions, PMDL Mdl)
{
	NTSTATUS status = wdk_check_identity(Domain, Permissions);
	struct wdm_frames frames;

	if (!wdm_ok(status))
		return status;
	if (!wdk_mdl_frames(Mdl, &frames))
		return STATUS_INVALID_PARAMETER_3;
	return wdk_map_identity(Domain, Permissions, &frames);
}

/* Contract: IommuMapIdentityRangeEx. */
NTSTATUS wdk_map_identity_range_ex(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
				   PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap)
{
	NTSTATUS status = wdk_check_identity(Domain, Permissions);
	struct wdm_frames frames;

	if (!wdm_ok(status))
		return status;
	if (!wdk_memory_frames(PhysicalAddressToMap, &frames))
		return STATUS_INVALID_PARAMETER_3;
	return wdk_map_identity(Domain, Permissions, &frames);
}

/* Contract: IommuUnmapIdentityRange. */
NTSTATUS wdk_unmap_identity_range(PIOMMU_DMA_DOMAIN Domain, PMDL Mdl)
{
	struct wdm_frames frames;

	if (!wdm_domain_os_managed(Domain->core))
		return STATUS_INVALID_PARAMETER_1;
	if (!wdk_mdl_frames(Mdl, &frames))
		return STATUS_INVALID_PARAMETER_2;
	return wdk_unmap_identity(Domain, &frames);
}

/* Contract: IommuUnmapIdentityRangeEx. */
NTSTATUS wdk_unmap_identity_range_ex(PIOMMU_DMA_DOMAIN Domain,
				     PIOMMU_MAP_PHYSICAL_ADDRESS MappedPhysicalAddress)
{
	struct wdm_frames frames;

	if (!wdm_domain_os_managed(Domain->core))
		return STATUS_INVALID_PARAMETER_1;
	if (!wdk_memory_frames(MappedPhysicalAddress, &frames))
		return STATUS_INVALID_PARAMETER_2;
	return wdk_unmap_identity(Domain, &frames);
}
