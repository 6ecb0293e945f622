/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that a program names: an MDL, its own memory, or physical memory.
 */
#ifndef WDM_CHARDEV_MEMORY_H
#define WDM_CHARDEV_MEMORY_H

#include "chardev.h"

struct wdm_iommu_memory;

/**
 * struct wdm_memory - memory to map
 * @range: the pages
 * @owned: the MDL, if it was created for this call, which drops its reference at the end
 */
struct wdm_memory {
	struct wdm_mdl_range range;
	struct wdm_mdl *owned;
};

bool wdm_memory_permitted(const struct wdm_iommu_memory *arg);
ntstatus_t wdm_memory_get(struct wdm_command *cmd, const struct wdm_iommu_memory *arg,
			  u32 perms, bool once, struct wdm_memory *memory);
void wdm_memory_put(struct wdm_memory *memory);

#endif /* WDM_CHARDEV_MEMORY_H */
