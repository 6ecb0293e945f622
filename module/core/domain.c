// SPDX-License-Identifier: GPL-2.0
/*
 * Domain: create and delete.
 */
#include <linux/slab.h>

#include "domain.h"
#include "ram.h"

/**
 * wdm_domain_create() - Create a domain
 * @os_managed: true: the OS owns the page tables; false: the caller does
 * @flags: WDM_DOMAIN_KERNEL; for an OS-managed domain, WDM_DOMAIN_PAGE_GRANULAR
 * @budget: what its kernel memory is charged to; must outlive it. NULL: no limit
 * @out: out: the domain
 *
 * Contract: IommuDomainCreate.
 *
 * Return: STATUS_INVALID_PARAMETER for @flags, STATUS_INSUFFICIENT_RESOURCES,
 * STATUS_WORKING_SET_QUOTA.
 */
ntstatus_t wdm_domain_create(bool os_managed, u32 flags,
			     struct wdm_budget *budget,
			     struct wdm_domain **out)
{
	ntstatus_t status = STATUS_INSUFFICIENT_RESOURCES;
	u32 known = WDM_DOMAIN_KERNEL;
	struct wdm_domain *domain;

	if (os_managed)
		known |= WDM_DOMAIN_PAGE_GRANULAR;
	if (flags & ~known)
		return STATUS_INVALID_PARAMETER;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	if (!domain)
		return status;
	domain->budget = budget;
	if (!wdm_ok(wdm_allowed_init(&domain->allowed)))
		goto free;
	domain->ops = os_managed ? &wdm_os_backend : &wdm_shadow_backend;
	if (domain->ops->create) {
		status = domain->ops->create(domain);
		if (!wdm_ok(status))
			goto allowed;
	}

	INIT_LIST_HEAD(&domain->hwpts);
	INIT_LIST_HEAD(&domain->attachments);
	INIT_LIST_HEAD(&domain->tokens);
	domain->type = os_managed ? WDM_TYPE_TRANSLATE : WDM_TYPE_UNMANAGED;
	domain->killable = !(flags & WDM_DOMAIN_KERNEL);
	domain->atomic = !domain->killable;
	domain->gfp = domain->atomic ? GFP_ATOMIC : GFP_KERNEL_ACCOUNT;
	domain->pgsize = flags & WDM_DOMAIN_PAGE_GRANULAR ||
			 os_managed == domain->atomic ?
			 WDM_PGSIZE_MIN : WDM_PGSIZE_ANY;
	spin_lock_init(&domain->lock);
	wdm_range_lock_init(&domain->ranges);
	wdm_iova_space_init(&domain->space, 0);
	wdm_mappings_init(&domain->mappings, budget);
	domain->mappings.flat = os_managed && domain->atomic;
	*out = domain;
	return STATUS_SUCCESS;

allowed:
	wdm_allowed_destroy(&domain->allowed);
free:
	kfree(domain);
	return status;
}

/**
 * wdm_domain_delete() - Delete a domain and everything that is mapped in it
 * @domain: the domain; freed on success. No other call uses it
 *
 * Contract: IommuDomainDelete.
 *
 * Return: STATUS_RESOURCE_IN_USE if a device is attached or a token exists.
 */
ntstatus_t wdm_domain_delete(struct wdm_domain *domain)
{
	struct wdm_range all;
	bool used;

	/* A token that is being deleted has left the list, but still has nodes. */
	wdm_range_lock_all(&domain->ranges, &all, false);
	used = !list_empty(&domain->hwpts) || !list_empty(&domain->tokens);
	wdm_domain_unlock(domain, &all);
	if (used)
		return STATUS_RESOURCE_IN_USE;

	domain->ops->destroy(domain);
	wdm_allowed_destroy(&domain->allowed);
	if (domain->uses_ram)
		wdm_ram_put();
	/* The thread that detached the last device may still be in wdm_range_unlock(). */
	kfree_rcu(domain, rcu);
	return STATUS_SUCCESS;
}
