// SPDX-License-Identifier: GPL-2.0
/*
 * Domains of kernel code, and the functions of the tables for caller-managed ones.
 */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "../core/caller.h"
#include "../core/create.h"
#include "wdk.h"

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

/**
 * wdk_domain_create() - Create a domain and make it known to attaches
 * @config: its configuration
 * @DomainOut: out: the domain
 *
 * Return: as wdm_domain_create().
 */
NTSTATUS wdk_domain_create(const struct wdm_domain_config *config,
			   PIOMMU_DMA_DOMAIN *DomainOut)
{
	PIOMMU_DMA_DOMAIN Domain = kzalloc(sizeof(*Domain), GFP_KERNEL);
	NTSTATUS status;

	if (!Domain)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = wdm_domain_create(config, &Domain->core);
	if (!wdm_ok(status)) {
		kfree(Domain);
		return status;
	}
	mutex_lock(&wdk_domain_lock);
	list_add(&Domain->node, &wdk_domains);
	mutex_unlock(&wdk_domain_lock);
	*DomainOut = Domain;
	return STATUS_SUCCESS;
}

NTSTATUS wdk_create_domain(BOOLEAN OsManagedPageTable, PIOMMU_DMA_DOMAIN *DomainOut)
{
	const struct wdm_domain_config config = {
		.type = OsManagedPageTable ? WDM_TYPE_TRANSLATE : WDM_TYPE_UNMANAGED,
		.flags = WDM_DOMAIN_KERNEL,
	};

	might_sleep();
	return wdk_domain_create(&config, DomainOut);
}

static NTSTATUS wdk_domain_delete(PIOMMU_DMA_DOMAIN Domain)
{
	NTSTATUS status;

	if (!wdk_domain_exists(Domain))
		return STATUS_INVALID_HANDLE;
	if (Domain->nr_users)
		return STATUS_RESOURCE_IN_USE;
	status = wdm_domain_delete(Domain->core);
	if (!wdm_ok(status))
		return status;
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
