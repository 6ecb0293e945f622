// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Domains: create, delete, and the page tables of caller-managed ones.
 */
#include <fcntl.h>
#include <unistd.h>

#include "private.h"

#define ALLOW_PASS_THROUGH	"/sys/module/wdm_iommu/parameters/allow_pass_through"

LIST_ENTRY wdk_domains = { &wdk_domains, &wdk_domains };

static NTSTATUS add_domain(const IOMMU_DMA_DOMAIN *template, PIOMMU_DMA_DOMAIN *out)
{
	PIOMMU_DMA_DOMAIN domain = malloc(sizeof(*domain));

	if (!domain) {
		wdm_destroy(wdk_fd(), template->handle);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*domain = *template;
	InitializeListHead(&domain->scattered);
	wdk_acquire();
	InsertTailList(&wdk_domains, &domain->link);
	wdk_release();
	*out = domain;
	return STATUS_SUCCESS;
}

/* Contract: IommuDomainCreate. */
NTSTATUS wdk_create_domain(BOOLEAN OsManagedPageTable, PIOMMU_DMA_DOMAIN *DomainOut)
{
	IOMMU_DMA_DOMAIN domain = {
		.type = OsManagedPageTable ? DomainTypeTranslate : DomainTypeUnmanaged,
	};
	__u32 status;

	wdm_port_passive("CreateDomain");
	status = wdm_domain_create(wdk_fd(), OsManagedPageTable,
				   OsManagedPageTable ? WDM_IOMMU_DOMAIN_PAGE_GRANULAR : 0,
				   &domain.handle);
	return status ? wdk_status(status) : add_domain(&domain, DomainOut);
}

/* Check whether the administrator allows pass-through domains. */
static bool pass_through_allowed(void)
{
	int file = open(ALLOW_PASS_THROUGH, O_RDONLY | O_CLOEXEC);
	char value = 'N';

	if (file < 0)
		return false;
	if (read(file, &value, 1) != 1)
		value = 'N';
	close(file);
	return value == 'Y';
}

/* Map all of the program's memory one to one, including future memory. */
static NTSTATUS create_pass_through(PIOMMU_DMA_DOMAIN *out)
{
	IOMMU_DMA_DOMAIN template = { .type = DomainTypePassThrough };
	PIOMMU_DMA_DOMAIN domain;
	NTSTATUS status;

	if (!pass_through_allowed())
		return STATUS_NOT_SUPPORTED;
	status = wdk_status(wdm_domain_create(wdk_fd(), false, 0, &template.handle));
	if (!NT_SUCCESS(status))
		return status;
	status = add_domain(&template, &domain);
	if (!NT_SUCCESS(status))
		return status;
	status = wdk_memory_sync(domain);
	if (NT_SUCCESS(status))
		status = wdk_status(wdm_configure_bypass(wdk_fd(), domain->handle, NULL));
	if (!NT_SUCCESS(status)) {
		wdk_delete_domain(domain);
		return status;
	}
	wdk_memory_bypass(domain, true);
	*out = domain;
	return STATUS_SUCCESS;
}

/* A list that does not end exceeds the kernel's maximum. */
static bool copy_regions(const IOMMU_DMA_RESERVED_REGION *region,
			 struct wdm_iommu_domain_create_ex *argument)
{
	__u32 most = wdk_info()->max_regions + 1;
	struct wdm_iommu_region *regions;

	if (!region)
		return true;
	regions = calloc(most, sizeof(*regions));
	if (!regions)
		return false;
	argument->regions = (uintptr_t)regions;
	for (; region && argument->number < most; region = region->RegionNext)
		regions[argument->number++] = (struct wdm_iommu_region) {
			.start = region->Base,
			/* Too many pages for a number of bytes: use a length that is refused. */
			.length = wdk_wraps(0, region->NumberOfPages) ?
				  1 : (__u64)region->NumberOfPages << PAGE_SHIFT,
			.should_map = !!region->ShouldMap,
		};
	return true;
}

/* Contract: IommuDomainCreateEx. */
NTSTATUS wdk_create_domain_ex(IOMMU_DMA_DOMAIN_TYPE DomainType,
			      IOMMU_DMA_DOMAIN_CREATION_FLAGS Flags,
			      PIOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG LogicalAllocatorConfig,
			      PIOMMU_DMA_RESERVED_REGION ReservedRegions,
			      PIOMMU_DMA_DOMAIN *DomainOut)
{
	struct wdm_iommu_domain_create_ex argument = {
		.size = sizeof(argument),
		.type = DomainType,
		.creation_flags = Flags.AsUlonglong,
	};
	IOMMU_DMA_DOMAIN domain = { .type = DomainType };
	NTSTATUS status;

	wdm_port_passive("CreateDomainEx");
	if (DomainType == DomainTypePassThrough)
		return Flags.AsUlonglong ? STATUS_INVALID_PARAMETER_2 :
					   create_pass_through(DomainOut);
	if (DomainType != DomainTypeUnmanaged)
		argument.flags = WDM_IOMMU_DOMAIN_PAGE_GRANULAR;
	if (LogicalAllocatorConfig &&
	    LogicalAllocatorConfig->LogicalAllocatorType != IommuDmaLogicalAllocatorNone) {
		domain.allocates = true;
		argument.allocator = LogicalAllocatorConfig->LogicalAllocatorType;
		argument.address_width =
			LogicalAllocatorConfig->BuddyAllocatorConfig.AddressWidth;
	}
	if (!copy_regions(ReservedRegions, &argument))
		return STATUS_INSUFFICIENT_RESOURCES;
	status = wdk_call(WDM_IOMMU_DOMAIN_CREATE_EX, &argument);
	free((void *)(uintptr_t)argument.regions);
	domain.handle = argument.domain;
	return NT_SUCCESS(status) ? add_domain(&domain, DomainOut) : status;
}

/* Contract: IommuDomainDelete. */
NTSTATUS wdk_delete_domain(PIOMMU_DMA_DOMAIN Domain)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;

	wdm_port_passive("DeleteDomain");
	wdk_acquire();
	if (wdk_contains(&wdk_domains, &Domain->link)) {
		status = wdk_status(wdm_destroy(wdk_fd(), Domain->handle));
		if (status == STATUS_RESOURCE_IN_USE && wdk_forget_scattered(Domain))
			status = wdk_status(wdm_destroy(wdk_fd(), Domain->handle));
	}
	if (NT_SUCCESS(status))
		RemoveEntryList(&Domain->link);
	wdk_release();
	if (NT_SUCCESS(status))
		free(Domain);
	return status;
}

/* Tables may contain addresses that were assigned after the last flush. */
static NTSTATUS prepare(PIOMMU_DMA_DOMAIN domain)
{
	if (domain->type != DomainTypeUnmanaged)
		return STATUS_INVALID_PARAMETER_1;
	return wdk_memory_sync(domain);
}

/* Contract: IommuDomainConfigure. */
NTSTATUS wdk_configure_domain(PIOMMU_DMA_DOMAIN Domain, PDOMAIN_CONFIGURATION Configuration)
{
	struct wdm_iommu_configure argument = {
		.size = sizeof(argument),
		.domain = Domain->handle,
	};
	NTSTATUS status = prepare(Domain);

	if (!NT_SUCCESS(status))
		return status;
	switch (Configuration->Type) {
	case DomainConfigurationX64:
		argument.type = WDM_IOMMU_FORMAT_X64;
		argument.translation_enabled = !!Configuration->X64.TranslationEnabled;
		argument.x64.first_level_page_table_root =
			Configuration->X64.FirstLevelPageTableRoot.QuadPart;
		break;
	case DomainConfigurationArm64:
		argument.type = WDM_IOMMU_FORMAT_ARM64;
		argument.translation_enabled = !!Configuration->Arm64.TranslationEnabled;
		argument.arm64.ttbr0 = Configuration->Arm64.Ttbr0.QuadPart;
		argument.arm64.ttbr1 = Configuration->Arm64.Ttbr1.QuadPart;
		argument.arm64.mair0 = Configuration->Arm64.Mair0;
		argument.arm64.mair1 = Configuration->Arm64.Mair1;
		argument.arm64.input_size0 = Configuration->Arm64.InputSize0;
		argument.arm64.input_size1 = Configuration->Arm64.InputSize1;
		argument.arm64.coherent_table_walks =
			!!Configuration->Arm64.CoherentTableWalks;
		break;
	default:
		return STATUS_INVALID_PARAMETER_2;
	}
	status = wdk_call(WDM_IOMMU_CONFIGURE, &argument);
	/* With invalid entries it fails, but the configuration is in effect. */
	if (NT_SUCCESS(status) || argument.walk_error.count)
		wdk_memory_bypass(Domain, !argument.translation_enabled);
	return status;
}

/* Contract: IommuFlushDomain. */
NTSTATUS wdk_flush_domain(PIOMMU_DMA_DOMAIN Domain)
{
	NTSTATUS status = prepare(Domain);

	return NT_SUCCESS(status) ? wdk_status(wdm_flush(wdk_fd(), Domain->handle, NULL)) :
				    status;
}

/*
 * Contract: IommuFlushDomainByVaList. Splits lists that are too long for one ioctl. Invalid
 * entries of one part do not keep the others from being flushed.
 */
NTSTATUS wdk_flush_domain_va_list(PIOMMU_DMA_DOMAIN Domain, BOOLEAN LastLevel, ULONG Number,
				  PVOID VaList)
{
	NTSTATUS status = prepare(Domain), first = STATUS_SUCCESS;
	ULONG most = wdk_info()->max_va_list, part;
	struct wdm_iommu_walk_error error;
	const __u64 *list = VaList;
	__u64 lowest = 0;

	if (!NT_SUCCESS(status))
		return status;
	do {
		part = Number < most ? Number : most;
		status = wdk_status(wdm_flush_va_list(wdk_fd(), Domain->handle, LastLevel,
						      list, part, &error));
		if (!NT_SUCCESS(status) && !error.count)
			return status;
		/* As in one call, report the invalid entry with the lowest address. */
		if (!NT_SUCCESS(status) &&
		    (NT_SUCCESS(first) || error.logical_address < lowest)) {
			first = status;
			lowest = error.logical_address;
		}
		list += part;
		Number -= part;
	} while (Number);
	return first;
}
