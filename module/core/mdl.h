/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MDL: memory that can be mapped, as runs of contiguous pages.
 *
 * An MDL does not know where its memory comes from. Its creator provides the runs and
 * an operation that releases them. The pages stay until the last reference and the
 * last use are dropped.
 */
#ifndef WDM_CORE_MDL_H
#define WDM_CORE_MDL_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "../perms.h"
#include "pages.h"

/* Page frame numbers are valid page numbers (wdm_physical_memory). */
#define WDM_MDL_MAX_PAGES	BIT_ULL(64 - PAGE_SHIFT)

struct wdm_mdl;

/**
 * struct wdm_mdl_ops - the operations of an MDL's creator
 * @free: release the pages and free the MDL, whose last reference was dropped
 * @unmapped: optional: release pages that have been unmapped; may be called by several
 *	threads for different pages. Only for an MDL that is mapped once, as a whole and at
 *	consecutive addresses: pages that are neighbours in the mapping table are so in the
 *	MDL
 */
struct wdm_mdl_ops {
	void (*free)(struct wdm_mdl *mdl);
	void (*unmapped)(struct wdm_mdl *mdl, u64 page, u64 nr_pages);
};

/**
 * struct wdm_mdl - memory that can be mapped
 * @refs: references: the creator's, and one per page mapped in a mapping table, for each
 *	time that it is mapped
 * @access: what devices may do: WDM_READ, or WDM_READ | WDM_WRITE
 * @handle: the creator's name for it, for reports
 * @pages: the pages; the creator owns the memory of their runs
 * @ops: the creator's operations
 */
struct wdm_mdl {
	atomic64_t refs;
	u32 access;
	u32 handle;
	struct wdm_pages pages;
	const struct wdm_mdl_ops *ops;
};

/**
 * struct wdm_mdl_range - pages of an MDL that a call names
 * @mdl: the MDL; the caller has a reference
 * @page: the first page
 * @nr_pages: number of pages, perhaps more than the MDL has
 */
struct wdm_mdl_range {
	struct wdm_mdl *mdl;
	u64 page;
	u64 nr_pages;
};

/* Check that the MDL has all of these pages, and that they are at least one. */
static inline bool wdm_mdl_range_exists(const struct wdm_mdl_range *range)
{
	return wdm_pages_has(&range->mdl->pages, range->page, range->nr_pages);
}

/**
 * wdm_mdl_init() - Initialize an MDL
 * @mdl: the MDL, in memory of its creator
 * @ops: the creator's operations
 * @access: WDM_READ, or WDM_READ | WDM_WRITE
 * @pages: its pages, at most %WDM_MDL_MAX_PAGES; the creator owns the memory of their runs,
 *	which must live as long as the MDL
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
 * wdm_mdl_use() - Count pages before they are mapped in a mapping table
 * @mdl: the MDL; the caller has a reference
 * @pages: number of pages
 */
static inline void wdm_mdl_use(struct wdm_mdl *mdl, u64 pages)
{
	atomic64_add(pages, &mdl->refs);
}

/**
 * wdm_mdl_unuse() - Undo wdm_mdl_use() for pages that are no longer mapped
 * @mdl: the MDL; may be freed by this
 * @pages: number of pages; the IOTLB has been synced since they were unmapped
 */
static inline void wdm_mdl_unuse(struct wdm_mdl *mdl, u64 pages)
{
	if (atomic64_sub_and_test(pages, &mdl->refs))
		mdl->ops->free(mdl);
}

/**
 * wdm_mdl_unmapped() - As wdm_mdl_unuse(), but release the pages if the MDL has an
 * operation for that
 * @mdl: the MDL; may be freed by this
 * @page: the first page
 * @nr_pages: number of pages; the IOTLB has been synced since they were unmapped
 */
static inline void wdm_mdl_unmapped(struct wdm_mdl *mdl, u64 page, u64 nr_pages)
{
	if (mdl->ops->unmapped)
		mdl->ops->unmapped(mdl, page, nr_pages);
	wdm_mdl_unuse(mdl, nr_pages);
}

/**
 * wdm_mdl_put() - Drop the creator's reference
 * @mdl: the MDL; may be freed by this
 */
static inline void wdm_mdl_put(struct wdm_mdl *mdl)
{
	wdm_mdl_unuse(mdl, 1);
}

/**
 * wdm_mdl_uses() - Count the uses of an MDL
 * @mdl: the MDL; the caller has the creator's reference
 *
 * Return: the number of mapped pages, each counted as often as it is mapped.
 */
static inline u64 wdm_mdl_uses(const struct wdm_mdl *mdl)
{
	return atomic64_read(&mdl->refs) - 1;
}

#endif /* WDM_CORE_MDL_H */
