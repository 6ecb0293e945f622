/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Backend: where the translations of a domain come from. An OS-managed domain has
 * a table of mappings (os/), a caller-managed one a shadow of its caller's page
 * tables (shadow/).
 */
#ifndef WDM_CORE_BACKEND_H
#define WDM_CORE_BACKEND_H

#include <linux/types.h>

#include "../status.h"

struct wdm_domain;
struct wdm_domain_report;
struct wdm_extent;
struct wdm_hwpt;
struct wdm_mdl;
struct wdm_pt;
struct wdm_walk_error;

/**
 * struct wdm_backend_ops - the operations of a kind of domain
 * @destroy: free all that the backend has; nothing is attached, and nobody uses
 *	the domain
 * @uses: whether anything is translated from @iova to @last_iova
 * @fill: take a step of filling @hwpt, which the domain has already: map what is
 *	translated from page number @hwpt->filled on in it, as much as may be done
 *	without others in between, and move @hwpt->filled behind it; at the end, to
 *	U64_MAX. On failure, what is below @hwpt->filled is mapped, and nothing
 *	else if wdm_hwpt_must_undo(). May return STATUS_CANCELLED if
 *	wdm_hwpt_gives_way()
 * @clear: unmap everything below @hwpt->filled from @hwpt, which nothing is attached
 *	to
 * @next: find the first run of pages that devices can reach at or above @iova;
 *	STATUS_NOT_FOUND if there is none. Called without locks
 * @report: fill in what only the backend knows. Called without locks
 * @memory_add: see wdm_domain_memory_add(), which has checked the parameters
 * @memory_remove: see wdm_domain_memory_remove(), likewise
 * @configure: see wdm_domain_configure(); @pt is NULL for TranslationEnabled FALSE
 * @flush: see wdm_domain_flush()
 * @flush_list: see wdm_domain_flush_list()
 *
 * @uses, @fill and @clear are called with all pages of the domain locked; and with
 * wdm_domain.lock, in atomic context, if the domain is atomic.
 *
 * The last five are those of a caller-managed domain, and NULL for an OS-managed
 * one. They take what locks they need.
 */
struct wdm_backend_ops {
	void (*destroy)(struct wdm_domain *domain);
	bool (*uses)(struct wdm_domain *domain, u64 iova, u64 last_iova);
	ntstatus_t (*fill)(struct wdm_domain *domain, struct wdm_hwpt *hwpt);
	void (*clear)(struct wdm_domain *domain, struct wdm_hwpt *hwpt);
	ntstatus_t (*next)(struct wdm_domain *domain, u64 iova,
			   struct wdm_extent *ext);
	ntstatus_t (*report)(struct wdm_domain *domain,
			     struct wdm_domain_report *report);
	ntstatus_t (*memory_add)(struct wdm_domain *domain, u32 perms,
				 struct wdm_mdl *mdl, u64 mdl_page,
				 u64 nr_pages, u64 caller);
	ntstatus_t (*memory_remove)(struct wdm_domain *domain, u64 caller,
				    u64 nr_pages);
	ntstatus_t (*configure)(struct wdm_domain *domain,
				const struct wdm_pt *pt,
				struct wdm_walk_error *walk_error);
	ntstatus_t (*flush)(struct wdm_domain *domain,
			    struct wdm_walk_error *walk_error);
	ntstatus_t (*flush_list)(struct wdm_domain *domain, bool last_level,
				 const u64 *vas, size_t nr,
				 struct wdm_walk_error *walk_error);
};

extern const struct wdm_backend_ops wdm_os_backend;
extern const struct wdm_backend_ops wdm_shadow_backend;

#endif /* WDM_CORE_BACKEND_H */
