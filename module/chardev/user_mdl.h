/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MDLs of user memory.
 */
#ifndef WDM_CHARDEV_USER_MDL_H
#define WDM_CHARDEV_USER_MDL_H

#include <linux/limits.h>
#include <linux/types.h>

#include "../status.h"

/* The runs are counted with 32 bits. */
#define WDM_USER_MDL_MAX_PAGES	((u64)U32_MAX)

struct wdm_context;
struct wdm_mdl;

ntstatus_t wdm_user_mdl_create(struct wdm_context *ctx, u64 user_va, u64 length,
			       u32 access, struct wdm_mdl **out);

#endif /* WDM_CHARDEV_USER_MDL_H */
