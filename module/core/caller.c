// SPDX-License-Identifier: GPL-2.0
/*
 * Caller-managed domains: check parameters, then call the backend.
 */
#include <linux/mm.h>

#include "caller.h"

/**
 * wdm_domain_memory_add() - Add memory to the caller's address space
 * @domain: a caller-managed domain
 * @perms: upper bound for what page tables can grant: WDM_READ, optionally WDM_WRITE
 * @range: the pages to add
 * @caller: caller address, page aligned
 *
 * Return: see &struct wdm_iommu_memory_add.
 */
ntstatus_t wdm_domain_memory_add(struct wdm_domain *domain, u32 perms,
				 const struct wdm_mdl_range *range, u64 caller)
{
	if (!domain->ops->memory_add)
		return STATUS_INVALID_PARAMETER_1;
	if (!(perms & WDM_READ) || perms & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	if (!wdm_mdl_range_exists(range))
		return STATUS_INVALID_PARAMETER_3;
	if (!PAGE_ALIGNED(caller) || wdm_pages_wrap(caller, range->nr_pages))
		return STATUS_INVALID_PARAMETER_4;
	if (perms & ~range->mdl->access)
		return STATUS_ACCESS_DENIED;
	return domain->ops->memory_add(domain, perms, range, caller);
}

/**
 * wdm_domain_memory_remove() - Remove memory from the caller's address space
 * @domain: a caller-managed domain
 * @caller: caller address, page aligned
 * @nr_pages: number of pages
 *
 * When it returns, no device reaches the memory through @domain.
 *
 * Return: see &struct wdm_iommu_memory_remove.
 */
ntstatus_t wdm_domain_memory_remove(struct wdm_domain *domain, u64 caller,
				    u64 nr_pages)
{
	if (!domain->ops->memory_remove)
		return STATUS_INVALID_PARAMETER_1;
	if (!PAGE_ALIGNED(caller))
		return STATUS_INVALID_PARAMETER_2;
	if (!nr_pages || wdm_pages_wrap(caller, nr_pages))
		return STATUS_INVALID_PARAMETER_3;
	return domain->ops->memory_remove(domain, caller, nr_pages);
}

/**
 * wdm_domain_configure() - Set the caller's page tables
 * @domain: a caller-managed domain
 * @config: the configuration
 * @walk_error: out: the first invalid entry
 *
 * Contract: IommuDomainConfigure.
 *
 * Return: see &struct wdm_iommu_configure.
 */
ntstatus_t wdm_domain_configure(struct wdm_domain *domain,
				const struct wdm_pt_config *config,
				struct wdm_walk_error *walk_error)
{
	struct wdm_pt pt;
	ntstatus_t status;

	*walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
	if (!domain->ops->configure)
		return STATUS_INVALID_PARAMETER_1;
	if (config->type != WDM_PT_X64 && config->type != WDM_PT_ARM64)
		return STATUS_INVALID_PARAMETER_2;
	if (!config->translation_enabled)
		return domain->ops->configure(domain, NULL, walk_error);
	status = wdm_pt_init(&pt, config);
	if (!wdm_ok(status))
		return status;
	return domain->ops->configure(domain, &pt, walk_error);
}

/**
 * wdm_domain_flush() - Apply all changes of the caller's page tables
 * @domain: a caller-managed domain
 * @walk_error: out: the first invalid entry
 *
 * Contract: IommuFlushDomain.
 *
 * Return: see &struct wdm_iommu_flush.
 */
ntstatus_t wdm_domain_flush(struct wdm_domain *domain,
			    struct wdm_walk_error *walk_error)
{
	*walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
	if (!domain->ops->flush)
		return STATUS_INVALID_PARAMETER_1;
	return domain->ops->flush(domain, NULL, walk_error);
}

/**
 * wdm_domain_flush_list() - Apply the changes on the paths to a list of addresses
 * @domain: a caller-managed domain
 * @last_level: only leaf entries have changed
 * @vas: the input addresses
 * @nr: number of addresses, not limited
 * @walk_error: out: the first invalid entry
 *
 * Contract: IommuFlushDomainByVaList.
 *
 * Return: see &struct wdm_iommu_flush_va_list.
 */
ntstatus_t wdm_domain_flush_list(struct wdm_domain *domain, bool last_level,
				 const u64 *vas, size_t nr,
				 struct wdm_walk_error *walk_error)
{
	const struct wdm_va_list list = { .last_level = last_level, .vas = vas, .nr = nr };

	*walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
	if (!domain->ops->flush)
		return STATUS_INVALID_PARAMETER_1;
	return domain->ops->flush(domain, &list, walk_error);
}
