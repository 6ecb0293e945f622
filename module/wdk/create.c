// SPDX-License-Identifier: GPL-2.0
/*
 * CreateDomainEx of the tables of versions 2 and 3.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "../core/create.h"
#include "wdk.h"

static_assert((int)WDM_TYPE_TRANSLATE == (int)DomainTypeTranslate);
static_assert((int)WDM_TYPE_PASS_THROUGH == (int)DomainTypePassThrough);
static_assert((int)WDM_TYPE_UNMANAGED == (int)DomainTypeUnmanaged);
static_assert((int)WDM_TYPE_TRANSLATE_S1 == (int)DomainTypeTranslateS1);
static_assert((int)WDM_TYPE_MAX == (int)DomainTypeMax);

static NTSTATUS wdk_config_allocator(const IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG *config,
				     unsigned int *width)
{
	if (!config || config->LogicalAllocatorType == IommuDmaLogicalAllocatorNone)
		return STATUS_SUCCESS;
	if (config->LogicalAllocatorType != IommuDmaLogicalAllocatorBuddy)
		return STATUS_INVALID_PARAMETER_3;
	*width = config->BuddyAllocatorConfig.AddressWidth;
	return *width ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
}

/* Count the elements of a list. Stops above the maximum, as the list may not end. */
static unsigned int wdk_count_regions(const IOMMU_DMA_RESERVED_REGION *region)
{
	unsigned int nr = 0;

	for (; region && nr <= WDM_MAX_REGIONS; region = region->RegionNext)
		nr++;
	return nr;
}

static NTSTATUS wdk_copy_regions(const IOMMU_DMA_RESERVED_REGION *region,
				 struct wdm_reserved_region **out, unsigned int *out_nr)
{
	unsigned int i, nr = wdk_count_regions(region);
	struct wdm_reserved_region *regions;

	if (nr > WDM_MAX_REGIONS)
		return STATUS_INVALID_PARAMETER_4;
	if (!nr)
		return STATUS_SUCCESS;
	regions = kvmalloc_array(nr, sizeof(*regions), GFP_KERNEL);
	if (!regions)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < nr; i++, region = region->RegionNext)
		regions[i] = (struct wdm_reserved_region) {
			.iova = region->Base,
			.nr_pages = region->NumberOfPages,
			.map = region->ShouldMap,
		};
	*out = regions;
	*out_nr = nr;
	return STATUS_SUCCESS;
}

/**
 * wdk_create_domain_ex() - Create a domain of a type
 * @DomainType: the type
 * @Flags: must be 0
 * @LogicalAllocatorConfig: the allocator of logical addresses; NULL for none
 * @ReservedRegions: list of logical addresses that are not available to maps, copied by
 *	the call; NULL for none. Where ShouldMap is TRUE, they are mapped one to one
 * @DomainOut: out: the domain
 *
 * Contract: IommuDomainCreateEx. For PassThrough, an allocator and regions are accepted
 * and ignored.
 *
 * Context: PASSIVE_LEVEL.
 * Return: as wdm_domain_create().
 */
NTSTATUS wdk_create_domain_ex(IOMMU_DMA_DOMAIN_TYPE DomainType,
			      IOMMU_DMA_DOMAIN_CREATION_FLAGS Flags,
			      PIOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG LogicalAllocatorConfig,
			      PIOMMU_DMA_RESERVED_REGION ReservedRegions,
			      PIOMMU_DMA_DOMAIN *DomainOut)
{
	struct wdm_domain_config config = {
		.type = (enum wdm_type)DomainType,
		.flags = WDM_DOMAIN_KERNEL,
	};
	struct wdm_reserved_region *regions = NULL;
	NTSTATUS status = STATUS_SUCCESS;

	might_sleep();
	if ((unsigned int)DomainType >= DomainTypeMax)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags.AsUlonglong)
		return STATUS_INVALID_PARAMETER_2;
	if (DomainType != DomainTypePassThrough) {
		status = wdk_config_allocator(LogicalAllocatorConfig, &config.width);
		if (wdm_ok(status) && DomainType == DomainTypeUnmanaged && config.width)
			status = STATUS_INVALID_PARAMETER_3;
		if (wdm_ok(status) && DomainType == DomainTypeUnmanaged && ReservedRegions)
			status = STATUS_INVALID_PARAMETER_4;
		if (!wdm_ok(status))
			return status;
	}
	if (DomainType == DomainTypeUnmanaged)
		return wdk_create_domain(FALSE, DomainOut);

	if (DomainType != DomainTypePassThrough)
		status = wdk_copy_regions(ReservedRegions, &regions, &config.nr_regions);
	if (!wdm_ok(status))
		return status;
	config.regions = regions;
	status = wdk_domain_create(&config, DomainOut);
	kvfree(regions);
	return status;
}
