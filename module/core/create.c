// SPDX-License-Identifier: GPL-2.0
/*
 * Domain: creation by type, with an allocator and reserved regions.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>

#include "caller.h"
#include "create.h"
#include "os/iova.h"
#include "policy.h"
#include "ram.h"

/* Check each region. Overlaps are found when the regions are taken. */
static ntstatus_t wdm_config_check_regions(const struct wdm_domain_config *config)
{
	u64 end = config->width ? BIT_ULL(config->width - PAGE_SHIFT) :
				  BIT_ULL(64 - PAGE_SHIFT);
	const struct wdm_reserved_region *region;
	unsigned int i;

	if (config->nr_regions > WDM_MAX_REGIONS ||
	    (config->nr_regions && config->type == WDM_TYPE_UNMANAGED))
		return STATUS_INVALID_PARAMETER_4;
	for (i = 0; i < config->nr_regions; i++) {
		region = &config->regions[i];
		if (!PAGE_ALIGNED(region->iova) || !region->nr_pages ||
		    region->iova >> PAGE_SHIFT >= end ||
		    region->nr_pages > end - (region->iova >> PAGE_SHIFT))
			return STATUS_INVALID_PARAMETER_4;
	}
	return STATUS_SUCCESS;
}

/* Return true if a domain of this type can be attached to any device. */
static bool wdm_type_available(enum wdm_type type)
{
	switch (type) {
	case WDM_TYPE_PASS_THROUGH:
		return wdm_policy_allows(WDM_POLICY_PASS_THROUGH);
	case WDM_TYPE_TRANSLATE_S1:
		return WDM_HAS_PASID_DOMAINS;
	default:
		return true;
	}
}

static ntstatus_t wdm_config_check(const struct wdm_domain_config *config)
{
	ntstatus_t status = STATUS_SUCCESS;
	u32 known = WDM_DOMAIN_KERNEL;

	if (config->type >= WDM_TYPE_MAX)
		return STATUS_INVALID_PARAMETER_1;
	if (config->type != WDM_TYPE_UNMANAGED)
		known |= WDM_DOMAIN_PAGE_GRANULAR;
	if (config->flags & ~known)
		return STATUS_INVALID_PARAMETER_2;
	/* PassThrough maps nothing for its caller and needs neither. */
	if (config->type != WDM_TYPE_PASS_THROUGH) {
		if (config->width && (config->type == WDM_TYPE_UNMANAGED ||
				      config->width < WDM_IOVA_MIN_WIDTH ||
				      config->width > WDM_IOVA_MAX_WIDTH))
			return STATUS_INVALID_PARAMETER_3;
		status = wdm_config_check_regions(config);
	}
	if (wdm_ok(status) && !wdm_type_available(config->type))
		status = STATUS_NOT_SUPPORTED;
	return status;
}

/* Memory at a physical address given by the caller can be mapped if it has pages. */
static ntstatus_t wdm_region_check_pages(const struct wdm_domain *domain,
					 const struct wdm_reserved_region *region)
{
	u64 pfn = region->iova >> PAGE_SHIFT, end = pfn + region->nr_pages;

	if (region->nr_pages > WDM_MDL_MAX_PAGES)
		return STATUS_NOT_SUPPORTED;
	for (; pfn < end; pfn++) {
		if (wdm_domain_cancelled(domain))
			return STATUS_CANCELLED;
		/* Offline memory may be unplugged without a notifier call. */
		if (!pfn_to_online_page(pfn))
			return STATUS_NOT_SUPPORTED;
		cond_resched();
	}
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_map_one_to_one(struct wdm_domain *domain, struct wdm_mdl *mdl,
				     u64 pfn)
{
	struct wdm_extent ext = {
		.pgno = pfn,
		.mdl = mdl,
		.perms = WDM_PERMS,
	};
	u64 end_pgno = pfn + mdl->pages.nr_pages, last_pgno;
	ntstatus_t status = STATUS_SUCCESS;

	for (; wdm_ok(status) && ext.pgno < end_pgno; ext.pgno = last_pgno + 1) {
		last_pgno = end_pgno - 1;
		if (domain->mappings.flat)
			last_pgno = min(last_pgno, ext.pgno | (WDM_REGION_PAGES - 1));
		ext.mdl_page = ext.pgno - pfn;
		ext.nr_pages = last_pgno - ext.pgno + 1;
		status = wdm_mappings_insert(&domain->mappings, &ext,
					     GFP_KERNEL_ACCOUNT);
		cond_resched();
	}
	return status;
}

static ntstatus_t wdm_region_map(struct wdm_domain *domain,
				 const struct wdm_reserved_region *region)
{
	u64 pfn = region->iova >> PAGE_SHIFT;
	struct wdm_mdl *mdl;
	ntstatus_t status;

	status = wdm_region_check_pages(domain, region);
	if (!wdm_ok(status))
		return status;
	mdl = wdm_ram_mdl_create(pfn, region->nr_pages);
	if (!mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = wdm_map_one_to_one(domain, mdl, pfn);
	wdm_mdl_put(mdl);
	return status;
}

static ntstatus_t wdm_region_take(struct wdm_domain *domain,
				  const struct wdm_reserved_region *region)
{
	u64 pgno = region->iova >> PAGE_SHIFT;
	struct wdm_iova_block *block;
	ntstatus_t status;

	status = wdm_iova_block_create(domain, GFP_KERNEL_ACCOUNT, &block);
	if (!wdm_ok(status))
		return status;
	if (!wdm_iova_space_take(&domain->space, block, pgno,
				 pgno + region->nr_pages - 1,
				 region->map ? WDM_IOVA_FIXED : WDM_IOVA_RESERVED)) {
		wdm_iova_block_destroy(domain, block);
		return STATUS_INVALID_PARAMETER_4;
	}
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_domain_take_regions(struct wdm_domain *domain,
					  const struct wdm_domain_config *config)
{
	ntstatus_t status = STATUS_SUCCESS;
	unsigned int i;

	for (i = 0; wdm_ok(status) && i < config->nr_regions; i++)
		status = wdm_region_take(domain, &config->regions[i]);
	for (i = 0; wdm_ok(status) && i < config->nr_regions; i++)
		if (config->regions[i].map)
			status = wdm_region_map(domain, &config->regions[i]);
	return status;
}

static ntstatus_t wdm_domain_add_ram(struct wdm_mdl *mdl, u64 pfn, void *data)
{
	return wdm_map_one_to_one(data, mdl, pfn);
}

/* The page tables of kernel code hold physical addresses. */
static ntstatus_t wdm_domain_add_table_ram(struct wdm_mdl *mdl, u64 pfn, void *data)
{
	struct wdm_mdl_range range = { .mdl = mdl, .nr_pages = mdl->pages.nr_pages };

	return wdm_domain_memory_add(data, WDM_PERMS, &range, pfn << PAGE_SHIFT);
}

/**
 * wdm_config_names_memory() - Check whether a domain maps memory by its physical address
 * @config: the configuration
 *
 * Return: true if it does. A program must be privileged to create one.
 */
bool wdm_config_names_memory(const struct wdm_domain_config *config)
{
	unsigned int i;

	if (config->type == WDM_TYPE_PASS_THROUGH)
		return true;
	if (config->type == WDM_TYPE_UNMANAGED)
		return config->flags & WDM_DOMAIN_KERNEL;
	for (i = 0; i < config->nr_regions; i++)
		if (config->regions[i].map)
			return true;
	return false;
}

/* Set up a new domain according to its type. */
static ntstatus_t wdm_domain_set_up(struct wdm_domain *domain,
				    const struct wdm_domain_config *config)
{
	ntstatus_t status;

	if (wdm_config_names_memory(config)) {
		status = wdm_ram_get();
		if (!wdm_ok(status))
			return status;
		domain->uses_ram = true;
	}
	if (config->type == WDM_TYPE_PASS_THROUGH)
		return wdm_ram_walk(wdm_domain_add_ram, domain);
	if (config->type == WDM_TYPE_UNMANAGED)
		return domain->uses_ram ?
		       wdm_ram_walk(wdm_domain_add_table_ram, domain) : STATUS_SUCCESS;
	return wdm_domain_take_regions(domain, config);
}

/**
 * wdm_domain_create() - Create a domain
 * @config: the configuration
 * @out: out: the domain
 *
 * Contract: IommuDomainCreate, IommuDomainCreateEx. For %WDM_TYPE_PASS_THROUGH and for
 * regions that are mapped, the front end checks that its caller may name physical memory.
 *
 * Context: may sleep.
 * Return:
 * * STATUS_INVALID_PARAMETER_1: the type
 * * STATUS_INVALID_PARAMETER_2: the flags
 * * STATUS_INVALID_PARAMETER_3: the width, or an allocator for a caller-managed domain
 * * STATUS_INVALID_PARAMETER_4: too many regions; a region for a caller-managed domain; or
 *   a region that is not made of whole pages, wraps, overlaps another, or lies beyond the
 *   allocator's width
 * * STATUS_NOT_SUPPORTED: the type is not available here, or memory without struct pages
 * * STATUS_INSUFFICIENT_RESOURCES, STATUS_WORKING_SET_QUOTA
 */
ntstatus_t wdm_domain_create(const struct wdm_domain_config *config,
			     struct wdm_domain **out)
{
	struct wdm_domain *domain;
	ntstatus_t status;

	might_sleep();
	status = wdm_config_check(config);
	if (!wdm_ok(status))
		return status;
	status = wdm_domain_alloc(config, &domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_domain_set_up(domain, config);
	if (wdm_ok(status))
		*out = domain;
	else
		wdm_domain_delete(domain);
	return status;
}
