/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Domain: one set of translations (contract: IOMMU_DMA_DOMAIN).
 *
 * docs/locking.md documents the lock order of the module.
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
#include "mappings/mappings.h"
#include "range_lock.h"
#include "resv.h"

struct wdm_domain_config;
struct wdm_shadow;

/**
 * enum wdm_type - types of domains (contract: IOMMU_DMA_DOMAIN_TYPE)
 * @WDM_TYPE_TRANSLATE: the OS manages the page tables
 * @WDM_TYPE_PASS_THROUGH: all of memory, one to one
 * @WDM_TYPE_UNMANAGED: the caller manages the page tables
 * @WDM_TYPE_TRANSLATE_S1: as @WDM_TYPE_TRANSLATE, but for PASIDs as well
 * @WDM_TYPE_MAX: number of types
 */
enum wdm_type {
	WDM_TYPE_TRANSLATE,
	WDM_TYPE_PASS_THROUGH,
	WDM_TYPE_UNMANAGED,
	WDM_TYPE_TRANSLATE_S1,
	WDM_TYPE_MAX,
};

/* Flags of struct wdm_domain_config */
/* Map every page separately (WDM_IOMMU_DOMAIN_PAGE_GRANULAR) */
#define WDM_DOMAIN_PAGE_GRANULAR	BIT(0)
/* For kernel code: calls ignore signals; OS-managed domains are page granular */
#define WDM_DOMAIN_KERNEL		BIT(1)

/**
 * struct wdm_counters - statistics of a program's calls, for monitoring
 * @maps: successful maps
 * @unmaps: successful unmaps
 * @syncs: IOTLB syncs after unmaps
 * @walks: configures and flushes of a caller's tables
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
 * @attachments: what is attached and has reserved ranges, as &struct wdm_attachment. PASIDs,
 *	of which there may be many, have none
 * @allowed: the logical addresses that can be mapped for all attachments
 * @nr_devices: number of attached devices
 * @pgsize: the IOMMU page sizes that maps use; caller-managed: that bypass
 *	(TranslationEnabled FALSE) uses
 * @killable: a fatal signal ends calls on it
 * @atomic: kernel code maps, unmaps and flushes in atomic context, under @lock
 * @gfp: for memory that maps allocate
 * @lock: guards @space, @tokens and the contents of tokens. If @atomic, also the
 *	mappings, @shadow, @hwpts, @attachments and @allowed; changing the last three
 *	takes all of @ranges as well
 * @ranges: the pages that calls are changing. All pages: @hwpts and @attachments change.
 *	The empty range: @hwpts and @attachments must not change. If @atomic, attach and
 *	detach lock all pages, and maps and unmaps none
 * @epoch: number of changes of @allowed by attach and detach; guarded like @allowed
 * @mappings: OS-managed: what is mapped, by logical page; caller-managed: the
 *	caller's address space
 * @space: OS-managed: logical pages that are reserved or allocated
 * @tokens: OS-managed: its tokens, as &struct wdm_token; read with @lock or any range
 *	held, changed with both
 * @uses_ram: it keeps memory from going offline
 * @shadow: private to the shadow backend; NULL for an OS-managed domain
 * @budget: what its kernel memory is charged to; NULL: no limit
 * @handle: the program's handle, or 0
 * @file: number of the open file that it belongs to, or 0
 * @counters: statistics of a program's calls
 * @rcu: frees it
 *
 * Addresses are in bytes and called iova (logical) or caller (an address of the
 * caller's address space); page numbers are called pgno. In names, last is inclusive
 * and end exclusive.
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
	spinlock_t lock;		/* see @lock above */
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
	return domain->type != WDM_TYPE_UNMANAGED;
}

/* Check whether the domain maps on request. PassThrough has everything mapped already. */
static inline bool wdm_domain_maps(const struct wdm_domain *domain)
{
	return wdm_domain_os_managed(domain) && domain->type != WDM_TYPE_PASS_THROUGH;
}

/*
 * Find the first extent of a range in the mapping table. In an atomic domain, stay within
 * one block of the table: wdm_domain.lock is held.
 */
static inline bool wdm_domain_find(struct wdm_domain *domain, u64 pgno, u64 last_pgno,
				   struct wdm_extent *ext)
{
	if (domain->atomic)
		return wdm_mappings_peek(&domain->mappings, pgno, last_pgno, ext);
	return wdm_mappings_find(&domain->mappings, pgno, last_pgno, ext);
}

/* Check whether the calling program was killed. Calls of kernel code run to the end. */
static inline bool wdm_domain_cancelled(const struct wdm_domain *domain)
{
	return domain->killable && fatal_signal_pending(current);
}

/**
 * wdm_domain_lock() - Keep a domain's hwpts and attachments stable
 * @domain: the domain
 * @none: for wdm_domain_unlock()
 *
 * Return: STATUS_SUCCESS; STATUS_CANCELLED on a fatal signal.
 */
static inline ntstatus_t wdm_domain_lock(struct wdm_domain *domain,
					 struct wdm_range *none)
{
	return wdm_range_lock_none(&domain->ranges, none, domain->killable);
}

static inline void wdm_domain_unlock(struct wdm_domain *domain,
				     struct wdm_range *range)
{
	wdm_range_unlock(&domain->ranges, range);
}

ntstatus_t wdm_domain_alloc(const struct wdm_domain_config *config,
			    struct wdm_domain **out);
ntstatus_t wdm_domain_delete(struct wdm_domain *domain);

#endif /* WDM_CORE_DOMAIN_H */
