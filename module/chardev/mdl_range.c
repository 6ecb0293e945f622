// SPDX-License-Identifier: GPL-2.0
/*
 * A domain, and a part of an MDL.
 */
#include <linux/mm.h>

#include "../core/mdl.h"
#include "mdl_range.h"

/**
 * wdm_mdl_part() - How many pages is a part of an MDL?
 * @mdl: the MDL
 * @offset: where the part starts, in bytes
 * @length: bytes; 0 means all that is behind @offset
 *
 * Return: pages, which the MDL need not have; 0 if the part is not whole pages.
 */
u64 wdm_mdl_part(const struct wdm_mdl *mdl, u64 offset, u64 length)
{
	u64 page = offset >> PAGE_SHIFT;

	if (!PAGE_ALIGNED(offset) || !PAGE_ALIGNED(length))
		return 0;
	if (length)
		return length >> PAGE_SHIFT;
	return page < mdl->pages.nr_pages ? mdl->pages.nr_pages - page : 0;
}

/**
 * wdm_mdl_range_get() - Look up a domain and a part of an MDL
 * @ctx: the file
 * @domain: handle of the domain
 * @mdl: handle of the MDL
 * @offset: where in the MDL the part starts, in bytes
 * @length: bytes; 0 means all that is behind @offset
 * @range: out: both, held
 *
 * Return: STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.
 */
ntstatus_t wdm_mdl_range_get(struct wdm_context *ctx, u32 domain, u32 mdl,
			     u64 offset, u64 length,
			     struct wdm_mdl_range *range)
{
	ntstatus_t status;

	status = wdm_object_get(ctx, domain, WDM_OBJECT_DOMAIN, &range->domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_object_get(ctx, mdl, WDM_OBJECT_MDL, &range->mdl);
	if (!wdm_ok(status)) {
		wdm_object_put(range->domain);
		return status;
	}

	range->page = offset >> PAGE_SHIFT;
	range->nr_pages = wdm_mdl_part(range->mdl->mdl, offset, length);
	return STATUS_SUCCESS;
}

/**
 * wdm_mdl_range_put() - Done with both
 * @range: what wdm_mdl_range_get() gave
 */
void wdm_mdl_range_put(struct wdm_mdl_range *range)
{
	wdm_object_put(range->mdl);
	wdm_object_put(range->domain);
}
