/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Logical addresses of an OS-managed domain: the allocator, and what reserved regions
 * and tokens keep others from mapping.
 */
#ifndef WDM_CORE_OS_IOVA_H
#define WDM_CORE_OS_IOVA_H

#include "../domain.h"

/**
 * struct wdm_limits - limits for an address that the allocator chooses
 * @min: lowest acceptable address of the first byte
 * @max: highest acceptable address of the last byte
 * @given: the caller has set at least one of them
 */
struct wdm_limits {
	u64 min;
	u64 max;
	bool given;
};

#define WDM_NO_LIMITS	((struct wdm_limits) { .max = U64_MAX })

ntstatus_t wdm_iova_block_create(struct wdm_domain *domain, gfp_t gfp,
				 struct wdm_iova_block **out);
void wdm_iova_block_destroy(struct wdm_domain *domain, struct wdm_iova_block *block);

/* These are called with wdm_domain.lock held. */
bool wdm_iova_may_unmap_locked(struct wdm_domain *domain, u64 *pgno, u64 last_pgno);
bool wdm_iova_unmapped_locked(struct wdm_domain *domain, u64 *pgno, u64 last_pgno);

void wdm_iova_destroy(struct wdm_domain *domain);

/* These take it. */
ntstatus_t wdm_iova_alloc(struct wdm_domain *domain, struct wdm_iova_block *block,
			  u64 nr_pages, const struct wdm_limits *limits,
			  enum wdm_iova_kind kind);
void wdm_iova_drop(struct wdm_domain *domain, struct wdm_iova_block *block);
ntstatus_t wdm_iova_check_map(struct wdm_domain *domain, u64 pgno, u64 last_pgno);
ntstatus_t wdm_iova_check_unmap(struct wdm_domain *domain, u64 *pgno, u64 last_pgno);
bool wdm_iova_unmapped(struct wdm_domain *domain, u64 *pgno, u64 last_pgno);

#endif /* WDM_CORE_OS_IOVA_H */
