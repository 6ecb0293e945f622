/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow: caller-managed domains without nesting hardware.
 *
 * The caller's tables are walked, and each leaf is mapped in the hardware
 * domains; a snapshot of each table tells later what has changed in it.
 */
#ifndef WDM_CORE_SHADOW_H
#define WDM_CORE_SHADOW_H

#include "../../formats/format.h"
#include "../../status.h"
#include "../hwpt_set.h"

/*
 * A shadow follows at most as many tables as the caller's address space has
 * pages, and this many more for tables that are reached on several ways.
 */
#define WDM_SHADOW_EXTRA_TABLES		4096

/* Addresses in one FlushDomainByVaList. */
#define WDM_SHADOW_MAX_VA_LIST		65536

/**
 * struct wdm_walk_error - the first entry that a walk refused, and how many
 * @count: entries that the walk met and refused
 * @status: why the first one was refused
 * @level: level of the table that holds it; that of the root plus 1 for the
 *	root itself
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

struct wdm_shadow *wdm_shadow_create(void);

ntstatus_t wdm_shadow_memory_add(struct wdm_domain *domain, u32 perms,
				 struct wdm_mdl *mdl, u64 mdl_page,
				 u64 nr_pages, u64 caller_address);
ntstatus_t wdm_shadow_memory_remove(struct wdm_domain *domain,
				    u64 caller_address, u64 nr_pages);

ntstatus_t wdm_shadow_configure(struct wdm_domain *domain,
				const struct wdm_pt_config *config,
				struct wdm_walk_error *walk_error);
ntstatus_t wdm_shadow_flush(struct wdm_domain *domain,
			    struct wdm_walk_error *walk_error);
ntstatus_t wdm_shadow_flush_list(struct wdm_domain *domain, bool last_level,
				 const u64 *vas, unsigned int nr,
				 struct wdm_walk_error *walk_error);

#endif /* WDM_CORE_SHADOW_H */
