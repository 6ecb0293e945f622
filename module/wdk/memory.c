// SPDX-License-Identifier: GPL-2.0
/*
 * The address space of kernel code's page tables: physical memory, as it is when a
 * domain is created. Memory that comes later is not part of it. Memory does not go
 * while there is such a domain: its tables may be read at any time.
 */
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>

#include "../core/caller.h"
#include "wdk.h"

/* A run of RAM at its own address. The memory is not ours to free. */
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
	wdm_mdl_init(&ram->mdl, &wdk_ram_ops, WDM_PERMS, &pages);
	status = wdm_domain_memory_add(domain, WDM_PERMS, &ram->mdl, 0,
				       nr_pages, pfn << PAGE_SHIFT);
	wdm_mdl_put(&ram->mdl);
	return status;
}

struct wdk_ram_walk {
	struct wdm_domain *domain;
	NTSTATUS status;
};

/*
 * Memory goes offline, and comes online, by sections. One that is offline may be
 * unplugged without another notice.
 */
static u64 wdk_online_pages(u64 pfn, u64 end)
{
	u64 at = pfn, next;

	while (at < end && pfn_to_online_page(at)) {
		next = min(end, round_up(at + 1, PAGES_PER_SECTION));
		if (next - pfn > WDM_MDL_MAX_PAGES)
			return at > pfn ? at - pfn : WDM_MDL_MAX_PAGES;
		at = next;
	}
	return at - pfn;
}

static int wdk_found_ram(struct resource *res, void *arg)
{
	struct wdk_ram_walk *walk = arg;
	u64 pfn = PFN_UP(res->start);
	u64 end = PFN_DOWN(res->end + 1);
	u64 nr;

	while (pfn < end) {
		nr = wdk_online_pages(pfn, end);
		if (!nr) {
			pfn = round_up(pfn + 1, PAGES_PER_SECTION);
			continue;
		}
		walk->status = wdk_add_ram(walk->domain, pfn, nr);
		if (!wdm_ok(walk->status))
			return -ENOMEM;
		pfn += nr;
	}
	return 0;
}

/* Guards the two below. */
static DEFINE_MUTEX(wdk_memory_lock);
/* Domains whose address space is physical memory */
static unsigned int wdk_nr_spaces;
/* Some memory is going offline, and must not get into an address space. */
static bool wdk_offlining;

/**
 * wdk_memory_notify() - Keep memory that page tables can use from going offline
 * @nb: unused
 * @action: MEM_GOING_OFFLINE and the like
 * @data: unused
 *
 * Return: what a memory notifier returns.
 */
int wdk_memory_notify(struct notifier_block *nb, unsigned long action,
		      void *data)
{
	int ret = NOTIFY_OK;

	mutex_lock(&wdk_memory_lock);
	switch (action) {
	case MEM_GOING_OFFLINE:
		if (wdk_nr_spaces)
			ret = notifier_from_errno(-EBUSY);
		else
			wdk_offlining = true;
		break;
	case MEM_OFFLINE:
	case MEM_CANCEL_OFFLINE:
		wdk_offlining = false;
		break;
	}
	mutex_unlock(&wdk_memory_lock);
	return ret;
}

/**
 * wdk_add_physical_memory() - Let page tables use all of the system's RAM
 * @domain: a caller-managed domain of kernel code
 *
 * No memory goes offline until wdk_put_physical_memory().
 *
 * Return: STATUS_SUCCESS; STATUS_INSUFFICIENT_RESOURCES, also while memory is going
 * offline.
 */
NTSTATUS wdk_add_physical_memory(struct wdm_domain *domain)
{
	struct wdk_ram_walk walk = {
		.domain = domain,
		.status = STATUS_INSUFFICIENT_RESOURCES,
	};

	mutex_lock(&wdk_memory_lock);
	if (!wdk_offlining) {
		wdk_nr_spaces++;
		walk.status = STATUS_SUCCESS;
	}
	mutex_unlock(&wdk_memory_lock);
	if (!wdm_ok(walk.status))
		return walk.status;

	walk_iomem_res_desc(IORES_DESC_NONE,
			    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0,
			    U64_MAX, &walk, wdk_found_ram);
	if (!wdm_ok(walk.status))
		wdk_put_physical_memory();
	return walk.status;
}

/**
 * wdk_put_physical_memory() - A domain that used physical memory is gone
 */
void wdk_put_physical_memory(void)
{
	mutex_lock(&wdk_memory_lock);
	wdk_nr_spaces--;
	mutex_unlock(&wdk_memory_lock);
}

static struct notifier_block wdk_memory_notifier = {
	.notifier_call = wdk_memory_notify,
};

/**
 * wdk_memory_init() - Watch memory go offline
 *
 * Return: 0 or a negative errno.
 */
int wdk_memory_init(void)
{
	return register_memory_notifier(&wdk_memory_notifier);
}

/**
 * wdk_memory_exit() - Undo wdk_memory_init()
 */
void wdk_memory_exit(void)
{
	unregister_memory_notifier(&wdk_memory_notifier);
}
