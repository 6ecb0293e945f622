/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers that query the machine.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "wdm_iommu_user.h"

size_t find_edu(struct wdm_bdf *found, size_t most);
void *get_pages(size_t pages);
bool kernel_is_at_least(unsigned int version, unsigned int patchlevel);
bool kernel_has_symbol(const char *name);
bool write_text(const char *path, const char *text);
__u64 physical_address(const void *address);

#endif
