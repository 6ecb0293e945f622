/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Backend: the source of a domain's translations. The backend of an OS-managed domain
 * (os/) is a table of mappings, that of a caller-managed one (shadow/) a shadow of the
 * caller's page tables.
 */
#ifndef WDM_CORE_BACKEND_H
#define WDM_CORE_BACKEND_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "../status.h"

struct wdm_domain;
struct wdm_domain_report;
struct wdm_extent;
struct wdm_hwpt;
struct wdm_mapping;
struct wdm_mdl_range;
struct wdm_pt;
struct wdm_va_list;
struct wdm_walk_error;

/**
 * struct wdm_backend_ops - the operations of a backend
 * @create: optional: allocate the state of the backend for a new domain
 * @destroy: free everything that the backend has allocated; nothing is attached, and
 *	no other call uses the domain
 * @check_unused: check that nothing is translated from @iova to @last_iova. Return
 *	STATUS_CONFLICTING_ADDRESSES if something is; may return STATUS_CANCELLED once a fatal
 *	signal is pending or, unless @revoking is NULL, *@revoking is not 0
 * @prefill: optional: allocate page tables in a new hwpt, where nothing is mapped yet. Return
 *	STATUS_CANCELLED once *@revoking is not 0
 * @next: find the first translated pages at or above page number @pgno, at most as many
 *	as one map may cover; no IOMMU page spans their end. Return STATUS_NOT_FOUND if
 *	there are none, STATUS_CANCELLED if @killable and a fatal signal is pending, or once
 *	*@revoking is not 0: it may be 0 again when the caller looks. After a bounded search,
 *	return an empty map at the address to continue from
 * @lookup: find the first pages at or above page number @pgno that devices can reach;
 *	STATUS_NOT_FOUND if there are none. Called without locks
 * @report: fill in the members that only the backend knows. Called without locks
 * @memory_add: see wdm_domain_memory_add(), which has checked the parameters
 * @memory_remove: see wdm_domain_memory_remove(), likewise
 * @configure: see wdm_domain_configure(); @pt is NULL for TranslationEnabled FALSE
 * @flush: see wdm_domain_flush(), and wdm_domain_flush_list() if @list is not NULL
 *
 * @check_unused, @prefill and @next are called with all pages of the domain locked; the first
 * and the last also with wdm_domain.lock held, in atomic context, if the domain is atomic.
 *
 * The last four belong to caller-managed domains and are NULL for an OS-managed one.
 * They take the locks that they need.
 */
struct wdm_backend_ops {
	ntstatus_t (*create)(struct wdm_domain *domain);
	void (*destroy)(struct wdm_domain *domain);
	ntstatus_t (*check_unused)(struct wdm_domain *domain, u64 iova, u64 last_iova,
				   const atomic_t *revoking);
	ntstatus_t (*prefill)(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			      const atomic_t *revoking);
	ntstatus_t (*next)(struct wdm_domain *domain, u64 pgno, bool killable,
			   const atomic_t *revoking, struct wdm_mapping *map);
	ntstatus_t (*lookup)(struct wdm_domain *domain, u64 pgno,
			     struct wdm_extent *ext);
	ntstatus_t (*report)(struct wdm_domain *domain,
			     struct wdm_domain_report *report);
	ntstatus_t (*memory_add)(struct wdm_domain *domain, u32 perms,
				 const struct wdm_mdl_range *range, u64 caller);
	ntstatus_t (*memory_remove)(struct wdm_domain *domain, u64 caller,
				    u64 nr_pages);
	ntstatus_t (*configure)(struct wdm_domain *domain,
				const struct wdm_pt *pt,
				struct wdm_walk_error *walk_error);
	ntstatus_t (*flush)(struct wdm_domain *domain,
			    const struct wdm_va_list *list,
			    struct wdm_walk_error *walk_error);
};

extern const struct wdm_backend_ops wdm_os_backend;
extern const struct wdm_backend_ops wdm_shadow_backend;

#endif /* WDM_CORE_BACKEND_H */
