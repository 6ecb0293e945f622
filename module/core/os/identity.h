/* SPDX-License-Identifier: GPL-2.0 */
/*
 * OS-managed domains: identity maps, of pages at their physical addresses.
 */
#ifndef WDM_CORE_OS_IDENTITY_H
#define WDM_CORE_OS_IDENTITY_H

#include "../domain.h"

ntstatus_t wdm_domain_map_identity(struct wdm_domain *domain, u32 perms,
				   const struct wdm_mdl_range *range);
ntstatus_t wdm_domain_unmap_identity(struct wdm_domain *domain,
				     const struct wdm_mdl_range *range);

#endif /* WDM_CORE_OS_IDENTITY_H */
