// SPDX-License-Identifier: GPL-2.0
/*
 * RAM: physical memory that domains name by address, as it is when a domain is created.
 * Memory added later is not included. Memory cannot go offline while there is such a
 * domain, as devices may use it at any time.
 */
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>

#include "ram.h"

/* An MDL of page frames that it neither pins nor frees */
struct wdm_ram_mdl {
	struct wdm_mdl mdl;
	struct wdm_run run;
};

static void wdm_ram_mdl_free(struct wdm_mdl *mdl)
{
	kfree(container_of(mdl, struct wdm_ram_mdl, mdl));
}

static const struct wdm_mdl_ops wdm_ram_mdl_ops = {
	.free = wdm_ram_mdl_free,
};

/**
 * wdm_ram_mdl_create() - Create an MDL of page frames that need no pin
 * @pfn: the first page frame
 * @nr_pages: number of pages
 *
 * Return: the MDL, with a reference; NULL when out of memory.
 */
struct wdm_mdl *wdm_ram_mdl_create(u64 pfn, u64 nr_pages)
{
	struct wdm_ram_mdl *ram = kzalloc(sizeof(*ram), GFP_KERNEL_ACCOUNT);
	struct wdm_pages pages = { .nr_pages = nr_pages, .nr_runs = 1 };

	if (!ram)
		return NULL;
	ram->run.pfn = pfn;
	pages.runs = &ram->run;
	wdm_mdl_init(&ram->mdl, &wdm_ram_mdl_ops, WDM_PERMS, &pages);
	return &ram->mdl;
}

struct wdm_ram_walk {
	ntstatus_t (*found)(struct wdm_mdl *mdl, u64 pfn, void *data);
	void *data;
	ntstatus_t status;
};

/*
 * Memory goes offline and online by sections. An offline section may be unplugged without
 * another notifier call.
 */
static u64 wdm_ram_online_pages(u64 pfn, u64 end)
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

static int wdm_ram_found(struct resource *res, void *arg)
{
	struct wdm_ram_walk *walk = arg;
	u64 pfn = PFN_UP(res->start);
	u64 end = PFN_DOWN(res->end + 1);
	struct wdm_mdl *mdl;
	u64 nr;

	while (pfn < end) {
		nr = wdm_ram_online_pages(pfn, end);
		if (!nr) {
			pfn = round_up(pfn + 1, PAGES_PER_SECTION);
			continue;
		}
		mdl = wdm_ram_mdl_create(pfn, nr);
		if (!mdl) {
			walk->status = STATUS_INSUFFICIENT_RESOURCES;
			return -ENOMEM;
		}
		walk->status = walk->found(mdl, pfn, walk->data);
		wdm_mdl_put(mdl);
		if (!wdm_ok(walk->status))
			return -ECANCELED;
		pfn += nr;
	}
	return 0;
}

/**
 * wdm_ram_walk() - Iterate over the system's RAM
 * @found: called for each run of page frames, with an MDL that lives until the call
 *	returns and its last use is dropped; a failure ends the walk
 * @data: for @found
 *
 * Context: may sleep; between wdm_ram_get() and wdm_ram_put().
 * Return: STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, or the failure of @found.
 */
ntstatus_t wdm_ram_walk(ntstatus_t (*found)(struct wdm_mdl *mdl, u64 pfn, void *data),
			void *data)
{
	struct wdm_ram_walk walk = {
		.found = found,
		.data = data,
		.status = STATUS_SUCCESS,
	};

	walk_iomem_res_desc(IORES_DESC_NONE,
			    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0,
			    U64_MAX, &walk, wdm_ram_found);
	return walk.status;
}

/* Guards wdm_ram_users and wdm_ram_offlining. */
static DEFINE_MUTEX(wdm_ram_lock);
/* Number of domains that use physical memory */
static unsigned int wdm_ram_users;
/* Memory is going offline and must not be added to a domain. */
static bool wdm_ram_offlining;

/**
 * wdm_ram_notify() - Keep memory that domains use from going offline
 * @nb: unused
 * @action: MEM_GOING_OFFLINE and the like
 * @data: unused
 *
 * Return: what a memory notifier returns.
 */
int wdm_ram_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	int ret = NOTIFY_OK;

	mutex_lock(&wdm_ram_lock);
	switch (action) {
	case MEM_GOING_OFFLINE:
		if (wdm_ram_users)
			ret = notifier_from_errno(-EBUSY);
		else
			wdm_ram_offlining = true;
		break;
	case MEM_OFFLINE:
	case MEM_CANCEL_OFFLINE:
		wdm_ram_offlining = false;
		break;
	}
	mutex_unlock(&wdm_ram_lock);
	return ret;
}

/**
 * wdm_ram_get() - Keep memory from going offline
 *
 * Return: STATUS_SUCCESS, to be followed by wdm_ram_put();
 * STATUS_INSUFFICIENT_RESOURCES while memory is going offline.
 */
ntstatus_t wdm_ram_get(void)
{
	ntstatus_t status = STATUS_INSUFFICIENT_RESOURCES;

	mutex_lock(&wdm_ram_lock);
	if (!wdm_ram_offlining) {
		wdm_ram_users++;
		status = STATUS_SUCCESS;
	}
	mutex_unlock(&wdm_ram_lock);
	return status;
}

/**
 * wdm_ram_put() - Undo wdm_ram_get()
 */
void wdm_ram_put(void)
{
	mutex_lock(&wdm_ram_lock);
	wdm_ram_users--;
	mutex_unlock(&wdm_ram_lock);
}

static struct notifier_block wdm_ram_notifier = {
	.notifier_call = wdm_ram_notify,
};

/**
 * wdm_ram_init() - Register the memory notifier
 *
 * Return: 0 or a negative errno.
 */
int wdm_ram_init(void)
{
	return register_memory_notifier(&wdm_ram_notifier);
}

/**
 * wdm_ram_exit() - Undo wdm_ram_init()
 */
void wdm_ram_exit(void)
{
	unregister_memory_notifier(&wdm_ram_notifier);
}
