// SPDX-License-Identifier: GPL-2.0
/*
 * Domain: life, and what both kinds share.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "domain.h"
#include "group.h"
#include "shadow.h"

/**
 * wdm_domain_create() - Create a domain
 * @os_managed: TRUE: the OS owns the page tables; FALSE: the caller does
 * @flags: WDM_DOMAIN_PAGE_GRANULAR, for an OS-managed domain
 * @out: out: the domain
 *
 * Contract: IommuDomainCreate.
 *
 * Return: STATUS_INVALID_PARAMETER for @flags, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_domain_create(bool os_managed, u32 flags,
			     struct wdm_domain **out)
{
	struct wdm_domain *domain;

	if (flags & ~(os_managed ? WDM_DOMAIN_PAGE_GRANULAR : 0))
		return STATUS_INVALID_PARAMETER;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	if (!domain)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!os_managed) {
		domain->shadow = wdm_shadow_create();
		if (!domain->shadow) {
			kfree(domain);
			return STATUS_INSUFFICIENT_RESOURCES;
		}
	}

	INIT_LIST_HEAD(&domain->hws);
	INIT_LIST_HEAD(&domain->groups);
	domain->granule = flags & WDM_DOMAIN_PAGE_GRANULAR ?
			  WDM_GRANULE_PAGE : WDM_GRANULE_LARGE;
	wdm_range_lock_init(&domain->ranges);
	wdm_record_init(&domain->record);
	*out = domain;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_domain_create);

/**
 * wdm_domain_delete() - Delete a domain with everything that is mapped in it
 * @domain: the domain; gone after success. Nobody else uses it
 *
 * Contract: IommuDomainDelete.
 *
 * Return: STATUS_RESOURCE_IN_USE if a device is attached.
 */
ntstatus_t wdm_domain_delete(struct wdm_domain *domain)
{
	struct wdm_range none;
	bool attached;

	wdm_range_lock_none(&domain->ranges, &none);
	attached = !list_empty(&domain->hws);
	wdm_range_unlock(&domain->ranges, &none);
	if (attached)
		return STATUS_RESOURCE_IN_USE;

	if (domain->shadow)
		wdm_shadow_destroy(domain);
	wdm_record_destroy(&domain->record);
	/* Who detached the last device may not be all out of the lock yet. */
	kfree_rcu(domain, rcu);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_domain_delete);

/**
 * wdm_domain_fits() - May these addresses be mapped for the attached devices?
 * @domain: the domain; nobody attaches or detaches
 * @first: the first logical address
 * @last: the last one
 *
 * Return: whether all IOMMUs can translate them and none is reserved.
 */
bool wdm_domain_fits(const struct wdm_domain *domain, u64 first, u64 last)
{
	const struct wdm_group *group;
	const struct wdm_hw *hw;
	unsigned int i;

	list_for_each_entry(hw, &domain->hws, node)
		if (first < hw->domain->geometry.aperture_start ||
		    last > hw->domain->geometry.aperture_end)
			return false;

	list_for_each_entry(group, &domain->groups, domain_node)
		for (i = 0; i < group->nr_resv; i++)
			if (first <= group->resv[i].last &&
			    last >= group->resv[i].first)
				return false;
	return true;
}

/**
 * wdm_domain_hw_map() - Map pages in all hardware domains, or in none
 * @domain: the domain; nobody attaches or detaches
 * @iova: as for wdm_hw_map()
 * @pages: likewise
 * @page: likewise
 * @nr_pages: likewise
 * @perms: likewise
 * @granule: likewise
 *
 * Return: a status.
 */
ntstatus_t wdm_domain_hw_map(struct wdm_domain *domain, u64 iova,
			     const struct wdm_pages *pages, u64 page,
			     u64 nr_pages, u32 perms, enum wdm_granule granule)
{
	ntstatus_t status;
	struct wdm_hw *hw;

	list_for_each_entry(hw, &domain->hws, node) {
		status = wdm_hw_map(hw, iova, pages, page, nr_pages, perms,
				    granule);
		if (wdm_failed(status))
			goto undo;
	}
	return STATUS_SUCCESS;

undo:
	list_for_each_entry_continue_reverse(hw, &domain->hws, node)
		wdm_hw_unmap_sync(hw, iova, nr_pages << PAGE_SHIFT);
	return status;
}

/**
 * wdm_domain_hw_unmap() - Unmap a range in all hardware domains
 * @domain: the domain; nobody attaches or detaches
 * @iova: as for wdm_hw_unmap()
 * @size: bytes
 *
 * When it returns, the range blocks.
 */
void wdm_domain_hw_unmap(struct wdm_domain *domain, u64 iova, u64 size)
{
	struct wdm_hw *hw;

	list_for_each_entry(hw, &domain->hws, node)
		wdm_hw_unmap_sync(hw, iova, size);
}

/**
 * wdm_domain_stuck() - Has an IOMMU driver failed to unmap something?
 * @domain: the domain; nobody attaches or detaches
 *
 * Return: whether it has. Then no page may be let go of: better a leak than a
 * device in somebody else's memory.
 */
bool wdm_domain_stuck(const struct wdm_domain *domain)
{
	const struct wdm_hw *hw;

	list_for_each_entry(hw, &domain->hws, node)
		if (READ_ONCE(hw->stuck))
			return true;
	return false;
}

/**
 * wdm_domain_hw_clear() - Unmap what is recorded from one hardware domain
 * @domain: the domain; nobody attaches or detaches
 * @hw: the hardware domain
 * @last: the last page number
 */
void wdm_domain_hw_clear(struct wdm_domain *domain, struct wdm_hw *hw,
			 u64 last)
{
	struct iommu_iotlb_gather gather;
	struct wdm_record_iter iter;
	u64 first, end;

	iommu_iotlb_gather_init(&gather);
	wdm_record_lock(&domain->record);
	wdm_record_iter_init(&iter, &domain->record, 0, last);
	while (wdm_record_iter_mapped(&iter, &first, &end))
		wdm_hw_unmap(hw, first << PAGE_SHIFT,
			     (end - first + 1) << PAGE_SHIFT, &gather);
	wdm_record_unlock(&domain->record);
	iommu_iotlb_sync(hw->domain, &gather);
}

/**
 * wdm_domain_hw_fill() - Map all that is recorded in one hardware domain
 * @domain: the domain; nobody attaches or detaches
 * @hw: the hardware domain, which is empty
 * @granule: which pages of the IOMMU to use
 *
 * Return: a status; on failure @hw is empty again.
 */
ntstatus_t wdm_domain_hw_fill(struct wdm_domain *domain, struct wdm_hw *hw,
			      enum wdm_granule granule)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_record_iter iter;
	struct wdm_extent ext;
	u64 next = 0;

	wdm_record_lock(&domain->record);
	wdm_record_iter_init(&iter, &domain->record, 0, ULONG_MAX);
	while (wdm_record_iter_next(&iter, &ext)) {
		status = fatal_signal_pending(current) ? STATUS_CANCELLED :
			 wdm_hw_map(hw, ext.first << PAGE_SHIFT,
				    &ext.mdl->pages, ext.mdl_page, ext.nr_pages,
				    ext.perms, granule);
		if (wdm_failed(status))
			break;
		next = ext.first + ext.nr_pages;
	}
	wdm_record_unlock(&domain->record);
	if (wdm_failed(status) && next)
		wdm_domain_hw_clear(domain, hw, next - 1);
	return status;
}
