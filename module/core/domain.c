// SPDX-License-Identifier: GPL-2.0
/*
 * Domain: allocate and delete. See create.c for what a new domain maps.
 */
#include <linux/slab.h>

#include "create.h"
#include "ram.h"

/**
 * wdm_domain_alloc() - Allocate a domain in which nothing is mapped or reserved
 * @config: its configuration, which has been checked; the regions are not used
 * @out: out: the domain
 *
 * Return: STATUS_INSUFFICIENT_RESOURCES, STATUS_WORKING_SET_QUOTA.
 */
ntstatus_t wdm_domain_alloc(const struct wdm_domain_config *config,
			    struct wdm_domain **out)
{
	bool os_managed = config->type != WDM_TYPE_UNMANAGED;
	bool maps = os_managed && config->type != WDM_TYPE_PASS_THROUGH;
	ntstatus_t status = STATUS_INSUFFICIENT_RESOURCES;
	struct wdm_domain *domain;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	if (!domain)
		return status;
	domain->budget = config->budget;
	if (!wdm_ok(wdm_allowed_init(&domain->allowed, 1)))
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
	domain->type = config->type;
	domain->killable = !(config->flags & WDM_DOMAIN_KERNEL);
	/* Nothing is mapped or unmapped in a PassThrough domain once it is created. */
	domain->atomic = !domain->killable && config->type != WDM_TYPE_PASS_THROUGH;
	domain->gfp = domain->atomic ? GFP_ATOMIC : GFP_KERNEL_ACCOUNT;
	domain->pgsize = os_managed == domain->atomic ||
			 (maps && config->flags & WDM_DOMAIN_PAGE_GRANULAR) ?
			 WDM_PGSIZE_MIN : WDM_PGSIZE_ANY;
	spin_lock_init(&domain->lock);
	wdm_range_lock_init(&domain->ranges);
	wdm_iova_space_init(&domain->space, maps ? config->width : 0);
	wdm_mappings_init(&domain->mappings, config->budget);
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
	unsigned long flags;
	bool used;

	/* Do not wait for calls that use a token: they may hold its pages for long. */
	spin_lock_irqsave(&domain->lock, flags);
	used = !list_empty(&domain->tokens);
	spin_unlock_irqrestore(&domain->lock, flags);
	if (used)
		return STATUS_RESOURCE_IN_USE;

	/* The call that deleted the last token may still hold its range of this domain. */
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
