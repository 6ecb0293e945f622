// SPDX-License-Identifier: GPL-2.0
/*
 * The address space of kernel code's page tables: physical memory.
 */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../core/shadow/shadow.h"
#include "wdk.h"

/*
 * One piece of RAM, of which a run is one: it is where it is. Its memory is
 * nobody's to release.
 */
struct wdk_ram {
	struct wdm_mdl mdl;
	struct wdm_run run;
};

static void wdk_ram_free(struct wdm_mdl *mdl)
{
	kfree(container_of(mdl, struct wdk_ram, mdl));
}

static const struct wdm_mdl_ops wdk_ram_ops = {
	.free = wdk_ram_free,
};

static NTSTATUS wdk_add_ram(struct wdm_domain *domain, u64 pfn, u64 nr_pages)
{
	struct wdk_ram *ram = kzalloc(sizeof(*ram), GFP_KERNEL);
	struct wdm_pages pages = { .nr_pages = nr_pages, .nr_runs = 1 };
	NTSTATUS status;

	if (!ram)
		return STATUS_INSUFFICIENT_RESOURCES;
	ram->run.pfn = pfn;
	pages.runs = &ram->run;
	if (wdm_mdl_init(&ram->mdl, &wdk_ram_ops, WDM_PERMS, &pages)) {
		kfree(ram);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	status = wdm_shadow_memory_add(domain, WDM_PERMS, &ram->mdl, 0,
				       nr_pages, pfn << PAGE_SHIFT);
	wdm_mdl_put(&ram->mdl);
	return status;
}

struct wdk_ram_walk {
	struct wdm_domain *domain;
	NTSTATUS status;
};

static int wdk_found_ram(struct resource *res, void *arg)
{
	struct wdk_ram_walk *walk = arg;
	u64 pfn = PFN_UP(res->start);
	u64 end = PFN_DOWN(res->end + 1);

	while (pfn < end) {
		u64 nr = min(end - pfn, WDM_MDL_MAX_PAGES);

		walk->status = wdk_add_ram(walk->domain, pfn, nr);
		if (!wdm_ok(walk->status))
			return -ENOMEM;
		pfn += nr;
	}
	return 0;
}

/**
 * wdk_add_physical_memory() - Let page tables use all of the system's RAM
 * @domain: a caller-managed domain of kernel code
 *
 * Return: STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wdk_add_physical_memory(struct wdm_domain *domain)
{
	struct wdk_ram_walk walk = {
		.domain = domain,
		.status = STATUS_SUCCESS,
	};

	walk_iomem_res_desc(IORES_DESC_NONE,
			    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0,
			    U64_MAX, &walk, wdk_found_ram);
	return walk.status;
}
