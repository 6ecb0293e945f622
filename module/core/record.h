/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Record: which pages of MDLs stand at which page numbers.
 *
 * An OS-managed domain has one of logical pages, a caller-managed domain one of
 * its caller's address space.
 */
#ifndef WDM_CORE_RECORD_H
#define WDM_CORE_RECORD_H

#include <linux/maple_tree.h>
#include <linux/mutex.h>

#include "../status.h"
#include "mdl.h"

/**
 * struct wdm_record - a map from page numbers to pages of MDLs
 * @lock: guards everything here; innermost of the module's locks
 * @tree: the extents, each one packed into a word
 * @pages: pages mapped
 */
struct wdm_record {
	struct mutex lock;		/* guards what follows */
	struct maple_tree tree;
	u64 pages;
};

/**
 * struct wdm_extent - neighbouring pages of a record that map neighbouring pages
 * of one MDL with the same permissions
 * @first: the first page number
 * @nr_pages: pages
 * @mdl: the MDL
 * @mdl_page: what @first maps: the number of a page in @mdl
 * @perms: WDM_READ, WDM_WRITE
 * @handle: out: wdm_mdl.handle, for who does not keep @mdl from going away
 */
struct wdm_extent {
	u64 first;
	u64 nr_pages;
	struct wdm_mdl *mdl;
	u64 mdl_page;
	u32 perms;
	u32 handle;
};

void wdm_record_init(struct wdm_record *rec);
void wdm_record_destroy(struct wdm_record *rec);

ntstatus_t wdm_record_insert(struct wdm_record *rec,
			     const struct wdm_extent *ext);
bool wdm_record_next(struct wdm_record *rec, u64 first, u64 last,
		     struct wdm_extent *ext);
bool wdm_record_extent(struct wdm_record *rec, u64 page,
		       struct wdm_extent *ext);
bool wdm_record_covers(struct wdm_record *rec, u64 first, u64 last);

/**
 * struct wdm_removal - what wdm_record_remove() took out
 * @nr: extents
 * @ext: the extents
 * @few: room for the common case
 */
struct wdm_removal {
	u64 nr;
	struct wdm_extent *ext;
	struct wdm_extent few[2];
};

ntstatus_t wdm_record_remove(struct wdm_record *rec, u64 first, u64 last,
			     struct wdm_removal *removal, gfp_t gfp);
void wdm_removal_release(struct wdm_removal *removal);

/* Have the MDLs count as used for ever; wdm_removal_release() is still owed. */
static inline void wdm_removal_leak(struct wdm_removal *removal)
{
	removal->nr = 0;
}

#endif /* WDM_CORE_RECORD_H */
