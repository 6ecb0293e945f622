/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow: the backend of caller-managed domains without nesting hardware.
 *
 * It walks the caller's tables and maps each leaf in the hwpts. A snapshot of each table
 * tells later walks what has changed.
 */
#ifndef WDM_CORE_SHADOW_H
#define WDM_CORE_SHADOW_H

#include "../../status.h"

struct wdm_domain;

ntstatus_t wdm_shadow_create(struct wdm_domain *domain);

#endif /* WDM_CORE_SHADOW_H */
