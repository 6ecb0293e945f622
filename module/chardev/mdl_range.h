/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A domain, and a part of an MDL: what most ioctls are about.
 */
#ifndef WDM_CHARDEV_MDL_RANGE_H
#define WDM_CHARDEV_MDL_RANGE_H

#include "object.h"

/**
 * struct wdm_mdl_range - a domain, and a part of an MDL
 * @domain: the domain; held
 * @mdl: the MDL; held
 * @page: number of the first page of the part
 * @nr_pages: pages; 0 if offset and length do not name whole pages of the MDL,
 *	which the core answers with the number of that parameter
 */
struct wdm_mdl_range {
	struct wdm_object *domain;
	struct wdm_object *mdl;
	u64 page;
	u64 nr_pages;
};

u64 wdm_mdl_part(const struct wdm_mdl *mdl, u64 offset, u64 length);

ntstatus_t wdm_mdl_range_get(struct wdm_context *ctx, u32 domain, u32 mdl,
			     u64 offset, u64 length,
			     struct wdm_mdl_range *range);
void wdm_mdl_range_put(struct wdm_mdl_range *range);

#endif /* WDM_CHARDEV_MDL_RANGE_H */
