/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MDLs of user memory.
 */
#ifndef WDM_CHARDEV_USER_MDL_H
#define WDM_CHARDEV_USER_MDL_H

#include <linux/limits.h>
#include <linux/types.h>

#include "../status.h"

/* Runs are counted with 32 bits. */
#define WDM_USER_MDL_MAX_PAGES	((u64)U32_MAX)

struct file;
struct wdm_context;
struct wdm_mdl;

/**
 * struct wdm_user_memory - memory of a program
 * @file: the memfd that contains it; NULL: it is memory of the calling process
 * @start: where it starts: an offset in @file, or a user address
 * @length: number of bytes
 * @access: what devices may do: WDM_READ, or WDM_READ | WDM_WRITE
 * @once: the MDL will be mapped once, as a whole and at consecutive addresses; pages are
 *	unpinned as they are unmapped
 */
struct wdm_user_memory {
	struct file *file;
	u64 start;
	u64 length;
	u32 access;
	bool once;
};

ntstatus_t wdm_user_mdl_create(struct wdm_context *ctx,
			       const struct wdm_user_memory *memory,
			       struct wdm_mdl **out);

#endif /* WDM_CHARDEV_USER_MDL_H */
