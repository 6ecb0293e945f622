/* SPDX-License-Identifier: GPL-2.0 */
/*
 * OS-managed domains: identity maps, of pages at their physical addresses.
 */
#ifndef WDM_CORE_OS_IDENTITY_H
#define WDM_CORE_OS_IDENTITY_H

#include "../domain.h"

ntstatus_t wdm_domain_map_identity(struct wdm_domain *domain, u32 perms,
				   struct wdm_mdl *mdl, u64 mdl_page,
				   u64 nr_pages);
ntstatus_t wdm_domain_unmap_identity(struct wdm_domain *domain,
				     struct wdm_mdl *mdl, u64 mdl_page,
				     u64 nr_pages);

#endif /* WDM_CORE_OS_IDENTITY_H */
