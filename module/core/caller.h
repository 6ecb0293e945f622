/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Caller-managed domains, independent of the backend: the caller's address space, its
 * page tables, and flushes.
 */
#ifndef WDM_CORE_CALLER_H
#define WDM_CORE_CALLER_H

#include "../formats/format.h"
#include "../status.h"
#include "domain.h"

/**
 * struct wdm_walk_error - the first invalid entry, and the number of invalid entries
 * @count: number of invalid entries found by the walk
 * @status: why the first one is invalid
 * @level: level of the table that contains it; for the root itself, the level of the
 *	root plus 1
 * @va: the first address that it would translate
 * @raw: the entry
 */
struct wdm_walk_error {
	u64 count;
	ntstatus_t status;
	unsigned int level;
	u64 va;
	u64 raw;
};

/**
 * struct wdm_va_list - addresses to flush
 * @last_level: only leaf entries have changed
 * @vas: the addresses
 * @nr: number of addresses
 */
struct wdm_va_list {
	bool last_level;
	const u64 *vas;
	size_t nr;
};

ntstatus_t wdm_domain_memory_add(struct wdm_domain *domain, u32 perms,
				 const struct wdm_mdl_range *range, u64 caller);
ntstatus_t wdm_domain_memory_remove(struct wdm_domain *domain, u64 caller,
				    u64 nr_pages);
ntstatus_t wdm_domain_configure(struct wdm_domain *domain,
				const struct wdm_pt_config *config,
				struct wdm_walk_error *walk_error);
ntstatus_t wdm_domain_flush(struct wdm_domain *domain,
			    struct wdm_walk_error *walk_error);
ntstatus_t wdm_domain_flush_list(struct wdm_domain *domain, bool last_level,
				 const u64 *vas, size_t nr,
				 struct wdm_walk_error *walk_error);

#endif /* WDM_CORE_CALLER_H */
