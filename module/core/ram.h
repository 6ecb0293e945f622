/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RAM: physical memory that domains name by its address.
 */
#ifndef WDM_CORE_RAM_H
#define WDM_CORE_RAM_H

#include "../status.h"
#include "mdl.h"

struct notifier_block;

ntstatus_t wdm_ram_get(void);
void wdm_ram_put(void);
ntstatus_t wdm_ram_walk(ntstatus_t (*found)(struct wdm_mdl *mdl, u64 pfn, void *data),
			void *data);
struct wdm_mdl *wdm_ram_mdl_create(u64 pfn, u64 nr_pages);

int wdm_ram_notify(struct notifier_block *nb, unsigned long action, void *data);
int wdm_ram_init(void);
void wdm_ram_exit(void);

#endif /* WDM_CORE_RAM_H */
