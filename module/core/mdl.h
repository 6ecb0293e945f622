/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MDL: memory that may be mapped, as runs of contiguous pages.
 *
 * An MDL does not know where its memory comes from. Its maker provides the runs and
 * an operation that releases them; the pages stay until the last reference and the
 * last use are gone.
 */
#ifndef WDM_CORE_MDL_H
#define WDM_CORE_MDL_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "../perms.h"
#include "pages.h"

/* Any page frame can be the number of a page. */
#define WDM_MDL_MAX_PAGES	BIT_ULL(64 - PAGE_SHIFT)

struct wdm_mdl;

/**
 * struct wdm_mdl_ops - the operations of an MDL's maker
 * @free: release the pages and free the MDL; its last reference is gone
 * @unmapped: release pages that were mapped and no longer are; may be called from
 *	several threads, for different pages. Optional, and only for an MDL that is mapped
 *	once, as a whole: its neighbouring pages are neighbours in the mapping table, too
 */
struct wdm_mdl_ops {
	void (*free)(struct wdm_mdl *mdl);
	void (*unmapped)(struct wdm_mdl *mdl, u64 page, u64 nr_pages);
};

/**
 * struct wdm_mdl - memory that may be mapped
 * @refs: references: the maker's, and one for each page that mapping tables map, as
 *	often as it is mapped
 * @access: what devices may do: WDM_READ, or WDM_READ | WDM_WRITE
 * @handle: the maker's name for it, for reports
 * @pages: the pages; their runs are the maker's memory
 * @ops: the maker's operations
 */
struct wdm_mdl {
	atomic64_t refs;
	u32 access;
	u32 handle;
	struct wdm_pages pages;
	const struct wdm_mdl_ops *ops;
};

/**
 * wdm_mdl_init() - Initialize an MDL
 * @mdl: the MDL, in its maker's memory
 * @ops: the maker's operations
 * @access: WDM_READ, or WDM_READ | WDM_WRITE
 * @pages: its pages, at most %WDM_MDL_MAX_PAGES; their runs stay the maker's
 *	memory and must live as long as the MDL
 *
 * The caller gets the first reference.
 */
static inline void wdm_mdl_init(struct wdm_mdl *mdl, const struct wdm_mdl_ops *ops,
				u32 access, const struct wdm_pages *pages)
{
	atomic64_set(&mdl->refs, 1);
	mdl->access = access;
	mdl->handle = 0;
	mdl->pages = *pages;
	mdl->ops = ops;
}

/**
 * wdm_mdl_use() - Count pages that a mapping table is about to map
 * @mdl: the MDL; the caller has a reference
 * @pages: how many
 */
static inline void wdm_mdl_use(struct wdm_mdl *mdl, u64 pages)
{
	atomic64_add(pages, &mdl->refs);
}

/**
 * wdm_mdl_unuse() - Drop the count of pages that are no longer mapped
 * @mdl: the MDL; may be gone afterwards
 * @pages: how many; the IOTLB has been synced since they were unmapped
 */
static inline void wdm_mdl_unuse(struct wdm_mdl *mdl, u64 pages)
{
	if (atomic64_sub_and_test(pages, &mdl->refs))
		mdl->ops->free(mdl);
}

/**
 * wdm_mdl_unmapped() - Drop the count of pages that were mapped, and release them if the
 * MDL does so one by one
 * @mdl: the MDL; may be gone afterwards
 * @page: the first one
 * @nr_pages: how many; the IOTLB has been synced since they were unmapped
 */
static inline void wdm_mdl_unmapped(struct wdm_mdl *mdl, u64 page, u64 nr_pages)
{
	if (mdl->ops->unmapped)
		mdl->ops->unmapped(mdl, page, nr_pages);
	wdm_mdl_unuse(mdl, nr_pages);
}

/**
 * wdm_mdl_put() - Drop the maker's reference
 * @mdl: the MDL; may be gone afterwards
 */
static inline void wdm_mdl_put(struct wdm_mdl *mdl)
{
	wdm_mdl_unuse(mdl, 1);
}

/**
 * wdm_mdl_uses() - Count the pages that mapping tables map
 * @mdl: the MDL; the caller has the maker's reference
 *
 * Return: pages, each as often as it is mapped.
 */
static inline u64 wdm_mdl_uses(const struct wdm_mdl *mdl)
{
	return atomic64_read(&mdl->refs) - 1;
}

#endif /* WDM_CORE_MDL_H */
