// SPDX-License-Identifier: GPL-2.0
/*
 * MDL: memory that may be mapped.
 */
#include <linux/kernel.h>

#include "mdl.h"

/**
 * wdm_mdl_init() - Make an MDL usable
 * @mdl: the MDL, in its maker's memory
 * @ops: how to free it
 * @access: WDM_READ, or WDM_READ | WDM_WRITE
 * @pages: its pages, at most %WDM_MDL_MAX_PAGES; their runs stay the maker's
 *	memory and must live as long as the MDL
 *
 * The caller gets the first reference. On failure @mdl is still the caller's to
 * free.
 *
 * Return: 0, or -ENOMEM, which may also mean that no number is left.
 */
int wdm_mdl_init(struct wdm_mdl *mdl, const struct wdm_mdl_ops *ops, u32 access,
		 const struct wdm_pages *pages)
{
	atomic64_set(&mdl->refs, 1);
	mdl->access = access;
	mdl->handle = 0;
	mdl->pages = *pages;
	mdl->ops = ops;
	return wdm_mdl_number_get(mdl);
}

/**
 * wdm_mdl_free() - The last reference is gone
 * @mdl: the MDL
 */
void wdm_mdl_free(struct wdm_mdl *mdl)
{
	wdm_mdl_number_put(mdl->id);
	mdl->ops->free(mdl);
}
