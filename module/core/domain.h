/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Domain: a container for one set of page tables (contract: IOMMU_DMA_DOMAIN).
 *
 * The order of all locks of the module stands in docs/locking.md.
 */
#ifndef WDM_CORE_DOMAIN_H
#define WDM_CORE_DOMAIN_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "../status.h"
#include "backend.h"
#include "budget.h"
#include "hwpt.h"
#include "iova_space.h"
#include "mappings.h"
#include "policy.h"
#include "range_lock.h"
#include "resv.h"

struct wdm_shadow;

/* Flags of wdm_domain_create() */
/* Map every page by itself (WDM_IOMMU_DOMAIN_PAGE_GRANULAR) */
#define WDM_DOMAIN_PAGE_GRANULAR	BIT(0)
/* Kernel code's: no signal ends a call on it. An OS-managed one is page granular */
#define WDM_DOMAIN_KERNEL		BIT(1)

/**
 * struct wdm_counters - what calls of programs have done, for monitors
 * @maps: maps that succeeded
 * @unmaps: unmaps that succeeded
 * @syncs: syncs of the IOTLB after unmaps
 * @walks: configures and flushes of a caller's tables, and parts of long lists
 *
 * A batch is counted at its end.
 */
struct wdm_counters {
	atomic64_t maps;
	atomic64_t unmaps;
	atomic64_t syncs;
	atomic64_t walks;
};

/**
 * struct wdm_domain - a domain
 * @ops: its backend
 * @type: its type
 * @hwpts: its hwpts, as &struct wdm_hwpt
 * @attachments: what is attached, as &struct wdm_attachment
 * @allowed: the logical addresses that all of them can have mapped
 * @nr_devices: the devices that are attached
 * @pgsize: which pages of the IOMMU to use for maps; caller-managed: for the
 *	caller's address space, with TranslationEnabled FALSE
 * @killable: a fatal signal ends calls on it
 * @atomic: kernel code maps, unmaps and flushes in atomic context, under @lock
 * @gfp: how maps allocate memory
 * @lock: guards @space and @tokens, and what is in the tokens. If @atomic, also what is
 *	mapped, @shadow, @hwpts, @attachments and @allowed. The last three change with
 *	all of @ranges locked, too
 * @ranges: the pages that calls are changing. All pages: @hwpts and @attachments change.
 *	No page: the call needs @hwpts and @attachments to stay as they are. If @atomic,
 *	attach and detach lock all pages, and maps and unmaps none
 * @epoch: how often attach and detach have changed @allowed; guarded as that is
 * @mappings: OS-managed: what is mapped, by logical page; caller-managed: the
 *	caller's address space
 * @space: OS-managed: what has taken logical pages, besides ordinary maps
 * @tokens: OS-managed: its tokens, as &struct wdm_token; may be read with @lock or any
 *	range held, and changes with both
 * @uses_ram: it keeps memory from going offline
 * @shadow: the shadow backend's own; NULL for an OS-managed domain
 * @budget: the kernel memory that its owner may still use; NULL: no limit
 * @handle: names it for a program; 0 otherwise
 * @file: number of the open file that it belongs to; 0 otherwise
 * @counters: what calls of programs have done with it
 * @rcu: for freeing it
 *
 * Addresses are in bytes and called iova (logical) or caller (an address of the
 * caller's address space); page numbers are called pgno. A name with last is
 * inclusive, one with end exclusive.
 */
struct wdm_domain {
	const struct wdm_backend_ops *ops;
	enum wdm_type type;
	struct list_head hwpts;
	struct list_head attachments;
	struct wdm_allowed allowed;
	atomic_t nr_devices;
	enum wdm_pgsize pgsize;
	bool killable;
	bool atomic;
	gfp_t gfp;
	spinlock_t lock;		/* see above */
	struct wdm_range_lock ranges;
	u64 epoch;
	struct wdm_mappings mappings;
	struct wdm_iova_space space;
	struct list_head tokens;
	bool uses_ram;
	struct wdm_shadow *shadow;
	struct wdm_budget *budget;
	u32 handle;
	u64 file;
	struct wdm_counters counters;
	struct rcu_head rcu;
};

static inline bool wdm_domain_os_managed(const struct wdm_domain *domain)
{
	return domain->ops == &wdm_os_backend;
}

/* Does it map what its caller asks for? PassThrough has everything mapped from the start. */
static inline bool wdm_domain_maps(const struct wdm_domain *domain)
{
	return wdm_domain_os_managed(domain) && domain->type != WDM_TYPE_PASS_THROUGH;
}

/* Has the calling program been killed? Kernel code's calls run to the end. */
static inline bool wdm_domain_cancelled(const struct wdm_domain *domain)
{
	return domain->killable && fatal_signal_pending(current);
}

/**
 * wdm_domain_lock() - Keep the domain's hwpts and attachments stable
 * @domain: the domain
 * @none: for wdm_domain_unlock()
 *
 * Return: STATUS_SUCCESS; STATUS_CANCELLED when a fatal signal came.
 */
static inline ntstatus_t wdm_domain_lock(struct wdm_domain *domain,
					 struct wdm_range *none)
{
	if (wdm_range_lock_none(&domain->ranges, none, domain->killable))
		return STATUS_CANCELLED;
	return STATUS_SUCCESS;
}

/**
 * wdm_domain_lock_all() - Lock the domain against all calls
 * @domain: the domain
 * @all: for wdm_domain_unlock()
 * @killable: a fatal signal ends the wait
 *
 * Return: as wdm_domain_lock().
 */
static inline ntstatus_t wdm_domain_lock_all(struct wdm_domain *domain,
					     struct wdm_range *all,
					     bool killable)
{
	if (wdm_range_lock_all(&domain->ranges, all, killable))
		return STATUS_CANCELLED;
	return STATUS_SUCCESS;
}

/**
 * wdm_domain_lock_all_unless() - Lock the domain against all calls, or give up
 * @domain: the domain
 * @all: for wdm_domain_unlock()
 * @killable: a fatal signal ends the wait
 * @stop: the wait ends soon after this is not zero
 *
 * Return: as wdm_domain_lock(); STATUS_CANCELLED also when @stop ended the wait.
 */
static inline ntstatus_t wdm_domain_lock_all_unless(struct wdm_domain *domain,
						    struct wdm_range *all,
						    bool killable,
						    const atomic_t *stop)
{
	if (wdm_range_lock_all_unless(&domain->ranges, all, killable, stop))
		return STATUS_CANCELLED;
	return STATUS_SUCCESS;
}

/**
 * wdm_domain_lock_urgent() - Lock the domain against all calls, before any that wait
 * @domain: the domain
 * @all: for wdm_domain_unlock()
 * @killable: a fatal signal ends the wait
 *
 * For detaches, and for taking a group back. Calls in progress let it pass within about a
 * millisecond.
 *
 * Return: as wdm_domain_lock().
 */
static inline ntstatus_t wdm_domain_lock_urgent(struct wdm_domain *domain,
						struct wdm_range *all,
						bool killable)
{
	if (wdm_range_lock_urgent(&domain->ranges, all, killable))
		return STATUS_CANCELLED;
	return STATUS_SUCCESS;
}

static inline void wdm_domain_unlock(struct wdm_domain *domain,
				     struct wdm_range *range)
{
	wdm_range_unlock(&domain->ranges, range);
}

ntstatus_t wdm_domain_create(bool os_managed, u32 flags,
			     struct wdm_budget *budget,
			     struct wdm_domain **out);
ntstatus_t wdm_domain_delete(struct wdm_domain *domain);

#endif /* WDM_CORE_DOMAIN_H */
