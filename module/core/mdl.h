/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MDL: memory that may be mapped, as runs of contiguous pages.
 *
 * An MDL does not know where its memory comes from. Who makes one gives it the
 * runs and says how to release them; the pages stay until the last reference
 * and the last use are gone.
 */
#ifndef WDM_CORE_MDL_H
#define WDM_CORE_MDL_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "../perms.h"
#include "pages.h"

/* A record packs the number of an MDL and a page in it into one word. */
#define WDM_MDL_ID_BITS		29
#define WDM_MDL_PAGE_BITS	31
/* One less than fits: distances are counted modulo what fits. */
#define WDM_MDL_MAX_PAGES	(BIT_ULL(WDM_MDL_PAGE_BITS) - 1)

struct wdm_mdl;

struct wdm_mdl_ops {
	/* The last reference is gone: release the pages and free the MDL. */
	void (*free)(struct wdm_mdl *mdl);
};

/**
 * struct wdm_mdl - memory that may be mapped
 * @refs: references: the maker's, and one for each page that records map, as often
 *	as it is mapped
 * @id: number of the MDL in records, unique in the module
 * @access: what devices may do: WDM_READ, or WDM_READ | WDM_WRITE
 * @handle: what its maker calls it, for reports
 * @pages: the pages; their runs are the maker's memory
 * @ops: the maker
 */
struct wdm_mdl {
	atomic64_t refs;
	u32 id;
	u32 access;
	u32 handle;
	struct wdm_pages pages;
	const struct wdm_mdl_ops *ops;
};

int wdm_mdl_init(struct wdm_mdl *mdl, const struct wdm_mdl_ops *ops, u32 access,
		 const struct wdm_pages *pages);
void wdm_mdl_free(struct wdm_mdl *mdl);

/**
 * wdm_mdl_use() - Count pages that a record is about to map
 * @mdl: the MDL; the caller holds a reference
 * @pages: how many
 */
static inline void wdm_mdl_use(struct wdm_mdl *mdl, u64 pages)
{
	atomic64_add(pages, &mdl->refs);
}

/**
 * wdm_mdl_unuse() - Count pages that no translation leads to any more
 * @mdl: the MDL; may be gone afterwards
 * @pages: how many; the IOTLB has been synced since they were unmapped
 */
static inline void wdm_mdl_unuse(struct wdm_mdl *mdl, u64 pages)
{
	if (atomic64_sub_and_test(pages, &mdl->refs))
		wdm_mdl_free(mdl);
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
 * wdm_mdl_uses() - How many pages do records map?
 * @mdl: the MDL, by its maker
 *
 * Return: pages, each as often as it is mapped.
 */
static inline u64 wdm_mdl_uses(const struct wdm_mdl *mdl)
{
	return atomic64_read(&mdl->refs) - 1;
}

/* mdl_number.c */
int wdm_mdl_number_get(struct wdm_mdl *mdl);
void wdm_mdl_number_put(u32 id);
struct wdm_mdl *wdm_mdl_by_id(u32 id);
void wdm_mdl_exit_module(void);

#endif /* WDM_CORE_MDL_H */
