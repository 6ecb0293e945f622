/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Domain: creation by type, with an allocator and reserved regions.
 */
#ifndef WDM_CORE_CREATE_H
#define WDM_CORE_CREATE_H

#include "domain.h"

/* Maximum number of reserved regions of a domain */
#define WDM_MAX_REGIONS		4096

/**
 * struct wdm_reserved_region - logical addresses not available to maps
 * @iova: the first byte, page aligned
 * @nr_pages: number of pages, at least 1
 * @map: map them one to one, readable and writable; otherwise never map them
 */
struct wdm_reserved_region {
	u64 iova;
	u64 nr_pages;
	bool map;
};

/**
 * struct wdm_domain_config - configuration of a new domain
 * @type: its type
 * @flags: WDM_DOMAIN_KERNEL; WDM_DOMAIN_PAGE_GRANULAR, not for %WDM_TYPE_UNMANAGED
 * @width: the width of addresses that it allocates, in bits, from %WDM_IOVA_MIN_WIDTH to
 *	%WDM_IOVA_MAX_WIDTH; 0: it has no allocator
 * @regions: its reserved regions, in any order; not used after the call
 * @nr_regions: number of @regions, at most %WDM_MAX_REGIONS
 * @budget: what its kernel memory is charged to; must outlive it. NULL: no limit
 */
struct wdm_domain_config {
	enum wdm_type type;
	u32 flags;
	unsigned int width;
	const struct wdm_reserved_region *regions;
	unsigned int nr_regions;
	struct wdm_budget *budget;
};

bool wdm_config_names_memory(const struct wdm_domain_config *config);
ntstatus_t wdm_domain_create(const struct wdm_domain_config *config,
			     struct wdm_domain **out);

#endif /* WDM_CORE_CREATE_H */
