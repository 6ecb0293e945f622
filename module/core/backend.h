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

/**
 * struct wdm_backend_ops - the operations of a kind of domain
 * @destroy: free all that the backend has; nothing is attached, and nobody uses
 *	the domain
 * @uses: whether anything is translated from @iova to @last_iova; called with all
 *	pages of the domain locked
 * @fill: map everything in @hwpt, which is empty. Returns STATUS_CANCELLED, within
 *	a bounded amount of work, if wdm_hwpt_gives_way(). On failure @hwpt is empty
 *	again if wdm_hwpt_must_undo(). Called with all pages locked
 * @clear: unmap everything from @hwpt, which nothing is attached to. Called with
 *	all pages locked
 * @next: find the first run of pages that devices can reach at or above @iova;
 *	STATUS_NOT_FOUND if there is none. Called with the domain locked
 * @report: fill in what only the backend knows. Called with the domain locked
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
};

extern const struct wdm_backend_ops wdm_os_backend;
extern const struct wdm_backend_ops wdm_shadow_backend;

#endif /* WDM_CORE_BACKEND_H */
