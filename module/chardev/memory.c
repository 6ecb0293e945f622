// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a program names: an MDL, its own memory, or physical memory.
 *
 * Physical memory gets an MDL, too, which lives as long as a page of it is mapped and
 * keeps memory from going offline.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/mdl.h"
#include "../core/ram.h"
#include "memory.h"
#include "user_mdl.h"

/* Number of page frames that are copied at a time */
#define WDM_FRAMES_BATCH	32U

/**
 * struct wdm_phys_mdl - an MDL of physical memory
 * @mdl: the MDL
 * @budget: what its kernel memory is charged to
 * @charge: number of bytes charged
 */
struct wdm_phys_mdl {
	struct wdm_mdl mdl;
	struct wdm_budget *budget;
	u64 charge;
};

static void wdm_phys_mdl_free(struct wdm_mdl *mdl)
{
	struct wdm_phys_mdl *phys = container_of(mdl, struct wdm_phys_mdl, mdl);

	wdm_ram_put();
	wdm_budget_uncharge(phys->budget, phys->charge);
	kvfree(mdl->pages.runs);
	kfree(phys);
}

static const struct wdm_mdl_ops wdm_phys_mdl_ops = {
	.free = wdm_phys_mdl_free,
};

/* Add page frames. Only online memory with struct pages can be mapped. */
static ntstatus_t wdm_phys_add(struct wdm_pages *pages, u64 pfn, u64 nr_pages)
{
	u64 i;

	for (i = 0; i < nr_pages; i++) {
		if (pfn + i > PHYS_PFN(PHYS_ADDR_MAX) || !pfn_to_online_page(pfn + i))
			return STATUS_NOT_SUPPORTED;
		if (fatal_signal_pending(current))
			return STATUS_CANCELLED;
		wdm_pages_add(pages, pfn + i, 1);
		cond_resched();
	}
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_phys_add_frames(struct wdm_pages *pages, const u64 __user *uframes,
				      u64 nr_pages)
{
	u64 frames[WDM_FRAMES_BATCH], done, i, nr;
	ntstatus_t status = STATUS_SUCCESS;

	for (done = 0; done < nr_pages && wdm_ok(status); done += nr) {
		nr = min_t(u64, nr_pages - done, WDM_FRAMES_BATCH);
		if (copy_from_user(frames, uframes + done, nr * sizeof(*frames)))
			return STATUS_ACCESS_VIOLATION;
		for (i = 0; i < nr && wdm_ok(status); i++)
			status = wdm_phys_add(pages, frames[i], 1);
	}
	return status;
}

static ntstatus_t wdm_phys_fill(struct wdm_phys_mdl *phys, u64 max_runs,
				const struct wdm_iommu_memory *arg)
{
	u64 nr_pages = arg->length >> PAGE_SHIFT;
	struct wdm_pages pages = { };
	ntstatus_t status;

	pages.runs = kvmalloc_array(max_runs, sizeof(*pages.runs),
				    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages.runs)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (arg->type == WDM_IOMMU_MEMORY_PHYSICAL)
		status = wdm_phys_add(&pages, PHYS_PFN(arg->address), nr_pages);
	else
		status = wdm_phys_add_frames(&pages, u64_to_user_ptr(arg->address),
					     nr_pages);
	if (wdm_ok(status))
		wdm_mdl_init(&phys->mdl, &wdm_phys_mdl_ops, WDM_PERMS, &pages);
	else
		kvfree(pages.runs);
	return status;
}

static ntstatus_t wdm_phys_mdl_create(struct wdm_budget *budget,
				      const struct wdm_iommu_memory *arg,
				      struct wdm_mdl **out)
{
	u64 max_runs = arg->type == WDM_IOMMU_MEMORY_PHYSICAL ? 1 :
		       arg->length >> PAGE_SHIFT;
	struct wdm_phys_mdl *phys;
	ntstatus_t status;

	phys = kzalloc(sizeof(*phys), GFP_KERNEL_ACCOUNT);
	if (!phys)
		return STATUS_INSUFFICIENT_RESOURCES;
	phys->budget = budget;
	phys->charge = sizeof(*phys) + max_runs * sizeof(struct wdm_run);
	status = STATUS_WORKING_SET_QUOTA;
	if (!wdm_budget_charge(budget, phys->charge))
		goto free;
	status = wdm_ram_get();
	if (!wdm_ok(status))
		goto uncharge;
	status = wdm_phys_fill(phys, max_runs, arg);
	if (!wdm_ok(status))
		goto put_ram;
	*out = &phys->mdl;
	return STATUS_SUCCESS;

put_ram:
	wdm_ram_put();
uncharge:
	wdm_budget_uncharge(budget, phys->charge);
free:
	kfree(phys);
	return status;
}

static bool wdm_memory_is_physical(const struct wdm_iommu_memory *arg)
{
	return arg->type == WDM_IOMMU_MEMORY_PHYSICAL ||
	       arg->type == WDM_IOMMU_MEMORY_FRAMES;
}

/**
 * wdm_memory_permitted() - Check whether the calling program may name memory
 * @arg: the memory
 *
 * Return: false for physical memory without CAP_SYS_RAWIO.
 */
bool wdm_memory_permitted(const struct wdm_iommu_memory *arg)
{
	return !wdm_memory_is_physical(arg) || capable(CAP_SYS_RAWIO);
}

/* Check that memory is whole pages, and not too many. */
static ntstatus_t wdm_memory_check(const struct wdm_iommu_memory *arg)
{
	u64 max = arg->type == WDM_IOMMU_MEMORY_USER ? WDM_USER_MDL_MAX_PAGES :
						       WDM_MDL_MAX_PAGES;
	u64 nr_pages = arg->length >> PAGE_SHIFT;

	if (arg->mdl || !nr_pages || !PAGE_ALIGNED(arg->length) || nr_pages > max)
		return STATUS_INVALID_PARAMETER_3;
	if (arg->type == WDM_IOMMU_MEMORY_FRAMES)
		return arg->address ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
	if (!PAGE_ALIGNED(arg->address) || wdm_pages_wrap(arg->address, nr_pages))
		return STATUS_INVALID_PARAMETER_3;
	return STATUS_SUCCESS;
}

/**
 * wdm_memory_get() - Look up or create the MDL of memory
 * @cmd: the call
 * @arg: the memory, which wdm_memory_permitted() allows
 * @perms: how devices will access it
 * @once: see &struct wdm_user_memory
 * @memory: out: the memory, for wdm_memory_put() after success
 *
 * Return: STATUS_INVALID_PARAMETER_3 for @arg; a status of wdm_object_get() for its MDL;
 * those of &struct wdm_iommu_mdl_create for the program's memory; STATUS_NOT_SUPPORTED
 * for physical addresses without memory; STATUS_ACCESS_VIOLATION if an array cannot be
 * read.
 */
ntstatus_t wdm_memory_get(struct wdm_command *cmd, const struct wdm_iommu_memory *arg,
			  u32 perms, bool once, struct wdm_memory *memory)
{
	struct wdm_user_memory user = {
		.start = arg->address,
		.length = arg->length,
		.access = perms | WDM_READ,
		.once = once,
	};
	ntstatus_t status;

	memory->owned = NULL;
	if (arg->type == WDM_IOMMU_MEMORY_MDL)
		return wdm_command_range(cmd, arg->mdl, arg->address, arg->length,
					 &memory->range);
	if (arg->type > WDM_IOMMU_MEMORY_FRAMES)
		return STATUS_INVALID_PARAMETER_3;
	status = wdm_memory_check(arg);
	if (!wdm_ok(status))
		return status;
	if (arg->type == WDM_IOMMU_MEMORY_USER)
		status = wdm_user_mdl_create(cmd->ctx, &user, &memory->owned);
	else
		status = wdm_phys_mdl_create(&cmd->ctx->budget, arg, &memory->owned);
	if (wdm_ok(status))
		memory->range = (struct wdm_mdl_range) {
			.mdl = memory->owned,
			.nr_pages = memory->owned->pages.nr_pages,
		};
	return status;
}

/**
 * wdm_memory_put() - Undo wdm_memory_get()
 * @memory: the memory
 */
void wdm_memory_put(struct wdm_memory *memory)
{
	if (memory->owned)
		wdm_mdl_put(memory->owned);
}
