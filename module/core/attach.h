/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attach and detach: move groups and PASIDs into and out of the hwpts of domains.
 */
#ifndef WDM_CORE_ATTACH_H
#define WDM_CORE_ATTACH_H

#include "join.h"
#include "owner.h"

ntstatus_t wdm_attach(struct wdm_domain *domain, struct wdm_group *group,
		      struct device *dev, u32 pasid,
		      struct wdm_attachment **out);
bool wdm_attach_again(struct wdm_domain *domain, struct wdm_group *group,
		      ntstatus_t *status);
ntstatus_t wdm_detach(struct wdm_attachment *attachment, bool killable);

#endif /* WDM_CORE_ATTACH_H */
