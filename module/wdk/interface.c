// SPDX-License-Identifier: GPL-2.0
/*
 * IoGetIommuInterface(), and the functions of its tables that operate on domains.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "../core/caller.h"
#include "wdk.h"
#include "tables.h"

/* Guards the list of domains and their users. Held while a domain is deleted. */
static DEFINE_MUTEX(wdk_domain_lock);
static LIST_HEAD(wdk_domains);

static bool wdk_domain_exists(PIOMMU_DMA_DOMAIN handle)
{
	PIOMMU_DMA_DOMAIN Domain;

	lockdep_assert_held(&wdk_domain_lock);
	list_for_each_entry(Domain, &wdk_domains, node)
		if (Domain == handle)
			return true;
	return false;
}

/**
 * wdk_domain_add() - Make a new domain known to attaches
 * @Domain: the domain
 */
void wdk_domain_add(PIOMMU_DMA_DOMAIN Domain)
{
	mutex_lock(&wdk_domain_lock);
	list_add(&Domain->node, &wdk_domains);
	mutex_unlock(&wdk_domain_lock);
}

/**
 * wdk_domain_get() - Keep a domain from being deleted
 * @Domain: the domain, as passed by a caller
 *
 * An attach may race with DeleteDomain. Maps do not look up the domain: they may run in
 * atomic context, and their caller has to keep the domain.
 *
 * Return: false if the domain does not exist.
 */
bool wdk_domain_get(PIOMMU_DMA_DOMAIN Domain)
{
	bool exists;

	mutex_lock(&wdk_domain_lock);
	exists = wdk_domain_exists(Domain);
	if (exists)
		Domain->nr_users++;
	mutex_unlock(&wdk_domain_lock);
	return exists;
}

/**
 * wdk_domain_put() - Undo wdk_domain_get()
 * @Domain: the domain
 */
void wdk_domain_put(PIOMMU_DMA_DOMAIN Domain)
{
	mutex_lock(&wdk_domain_lock);
	Domain->nr_users--;
	mutex_unlock(&wdk_domain_lock);
}

NTSTATUS wdk_create_domain(BOOLEAN OsManagedPageTable, PIOMMU_DMA_DOMAIN *DomainOut)
{
	PIOMMU_DMA_DOMAIN Domain;
	NTSTATUS status;

	might_sleep();
	Domain = kzalloc(sizeof(*Domain), GFP_KERNEL);
	if (!Domain)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = wdm_domain_create(OsManagedPageTable, WDM_DOMAIN_KERNEL, NULL,
				   &Domain->core);
	if (!wdm_ok(status))
		goto free;

	/* Kernel code's page tables hold physical addresses. */
	if (!OsManagedPageTable) {
		status = wdk_add_physical_memory(Domain->core);
		if (!wdm_ok(status))
			goto delete;
	}
	wdk_domain_add(Domain);
	*DomainOut = Domain;
	return STATUS_SUCCESS;

delete:
	wdm_domain_delete(Domain->core);
free:
	kfree(Domain);
	return status;
}

static NTSTATUS wdk_domain_delete(PIOMMU_DMA_DOMAIN Domain)
{
	bool os_managed;
	NTSTATUS status;

	if (!wdk_domain_exists(Domain))
		return STATUS_INVALID_HANDLE;
	if (Domain->nr_users)
		return STATUS_RESOURCE_IN_USE;
	os_managed = wdm_domain_os_managed(Domain->core);
	status = wdm_domain_delete(Domain->core);
	if (!wdm_ok(status))
		return status;
	if (!os_managed)
		wdk_put_physical_memory();
	list_del(&Domain->node);
	kfree(Domain);
	return STATUS_SUCCESS;
}

NTSTATUS wdk_delete_domain(PIOMMU_DMA_DOMAIN Domain)
{
	NTSTATUS status;

	might_sleep();
	mutex_lock(&wdk_domain_lock);
	status = wdk_domain_delete(Domain);
	mutex_unlock(&wdk_domain_lock);
	return status;
}

NTSTATUS wdk_flush_domain(PIOMMU_DMA_DOMAIN Domain)
{
	struct wdm_walk_error walk_error;

	return wdm_domain_flush(Domain->core, &walk_error);
}

NTSTATUS wdk_flush_domain_va_list(PIOMMU_DMA_DOMAIN Domain, BOOLEAN LastLevel,
				  ULONG Number, PVOID VaList)
{
	struct wdm_walk_error walk_error;

	return wdm_domain_flush_list(Domain->core, LastLevel, VaList, Number,
				     &walk_error);
}

NTSTATUS wdk_configure_domain(PIOMMU_DMA_DOMAIN Domain,
			      PDOMAIN_CONFIGURATION Configuration)
{
	struct wdm_pt_config config = { };
	struct wdm_walk_error walk_error;

	if (wdm_domain_os_managed(Domain->core))
		return STATUS_INVALID_PARAMETER_1;

	switch (Configuration->Type) {
	case DomainConfigurationX64:
		config.type = WDM_PT_X64;
		config.translation_enabled =
			Configuration->X64.TranslationEnabled;
		config.x64.root =
			Configuration->X64.FirstLevelPageTableRoot.QuadPart;
		config.x64.levels = 4;
		break;
	case DomainConfigurationArm64:
		config.type = WDM_PT_ARM64;
		config.translation_enabled =
			Configuration->Arm64.TranslationEnabled;
		config.arm64.ttbr0 = Configuration->Arm64.Ttbr0.QuadPart;
		config.arm64.ttbr1 = Configuration->Arm64.Ttbr1.QuadPart;
		config.arm64.input_size0 = Configuration->Arm64.InputSize0;
		config.arm64.input_size1 = Configuration->Arm64.InputSize1;
		break;
	default:
		return STATUS_INVALID_PARAMETER_2;
	}
	return wdm_domain_configure(Domain->core, &config, &walk_error);
}

/* The highest version: version 3 needs a kernel that can attach PASIDs. */
#define WDK_VERSION_MAX	(WDM_HAS_PASIDS ? DMA_IOMMU_INTERFACE_EX_VERSION_3 : \
					  DMA_IOMMU_INTERFACE_EX_VERSION_2)

/* Version 3 is version 2 followed by five functions. */
static_assert(offsetofend(DMA_IOMMU_INTERFACE_V3, DeleteDevice) ==
	      sizeof(DMA_IOMMU_INTERFACE_V2));

/**
 * IoGetIommuInterface() - Get the table of functions of version 1
 * @Version: DMA_IOMMU_INTERFACE_VERSION_1
 * @InterfaceOut: out: the table
 *
 * Contract: IoGetIommuInterface.
 *
 * Return: STATUS_SUCCESS; STATUS_NOT_SUPPORTED for any other version, with nothing
 * written.
 */
NTSTATUS IoGetIommuInterface(ULONG Version, PDMA_IOMMU_INTERFACE InterfaceOut)
{
	might_sleep();
	if (Version != DMA_IOMMU_INTERFACE_VERSION_1)
		return STATUS_NOT_SUPPORTED;
	*InterfaceOut = wdk_interface_v1;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_NS_GPL(IoGetIommuInterface, WDM_IOMMU_NS);

/**
 * IoGetIommuInterfaceEx() - Get the table of functions of version 1, 2 or 3
 * @Version: DMA_IOMMU_INTERFACE_EX_VERSION_1, _2 or _3; 3 only on kernels that can attach
 *	PASIDs
 * @Flags: must be 0
 * @InterfaceOut: out: the table, and how many bytes of the structure it fills; the rest
 *	is not written
 *
 * Contract: IoGetIommuInterfaceEx. Code that supports several versions asks for the
 * highest first, and then for lower ones until a call succeeds.
 *
 * Context: may sleep, as in the contract.
 * Return: STATUS_SUCCESS; otherwise nothing is written:
 *
 * * STATUS_INVALID_PARAMETER_1: there is no such version
 * * STATUS_INVALID_PARAMETER_2: @Flags
 */
NTSTATUS IoGetIommuInterfaceEx(ULONG Version, ULONGLONG Flags,
			       PDMA_IOMMU_INTERFACE_EX InterfaceOut)
{
	might_sleep();
	if (!Version || Version > WDK_VERSION_MAX)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags)
		return STATUS_INVALID_PARAMETER_2;

	InterfaceOut->Version = Version;
	switch (Version) {
	case DMA_IOMMU_INTERFACE_EX_VERSION_1:
		InterfaceOut->Size = offsetofend(DMA_IOMMU_INTERFACE_EX, V1);
		InterfaceOut->V1 = wdk_interface_v1.V1;
		break;
	case DMA_IOMMU_INTERFACE_EX_VERSION_2:
		InterfaceOut->Size = offsetofend(DMA_IOMMU_INTERFACE_EX, V2);
		memcpy(&InterfaceOut->V2, &wdk_interface_v3,
		       sizeof(InterfaceOut->V2));
		break;
	case DMA_IOMMU_INTERFACE_EX_VERSION_3:
		InterfaceOut->Size = offsetofend(DMA_IOMMU_INTERFACE_EX, V3);
		InterfaceOut->V3 = wdk_interface_v3;
		break;
	}
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_NS_GPL(IoGetIommuInterfaceEx, WDM_IOMMU_NS);
