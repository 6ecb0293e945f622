// SPDX-License-Identifier: GPL-2.0
/*
 * The address space of kernel code's page tables: physical memory.
 */
#include "../core/caller.h"
#include "../core/ram.h"
#include "wdk.h"

static NTSTATUS wdk_add_ram(struct wdm_mdl *mdl, u64 pfn, void *data)
{
	struct wdm_mdl_range range = { .mdl = mdl, .nr_pages = mdl->pages.nr_pages };

	return wdm_domain_memory_add(data, WDM_PERMS, &range, pfn << PAGE_SHIFT);
}

/**
 * wdk_add_physical_memory() - Add all of the system's RAM to an address space
 * @domain: a caller-managed domain of kernel code
 *
 * Keeps memory from going offline until wdk_put_physical_memory().
 *
 * Return: STATUS_SUCCESS; STATUS_INSUFFICIENT_RESOURCES, also while memory is going
 * offline.
 */
NTSTATUS wdk_add_physical_memory(struct wdm_domain *domain)
{
	NTSTATUS status = wdm_ram_get();

	if (!wdm_ok(status))
		return status;
	status = wdm_ram_walk(wdk_add_ram, domain);
	if (!wdm_ok(status))
		wdm_ram_put();
	return status;
}

/**
 * wdk_put_physical_memory() - Undo wdk_add_physical_memory() for a deleted domain
 */
void wdk_put_physical_memory(void)
{
	wdm_ram_put();
}
