/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapping table: maps page numbers to pages of MDLs.
 *
 * Pages are numbered in regions of 128. The table is a tree of two kinds of blocks. A
 * node covers one region, with an entry of 16 bytes per page. A span covers whole regions
 * that map consecutive pages of one MDL, with a single entry: a large map costs at most
 * one span, and a node at each end.
 *
 * The tree is a red-black tree under one spinlock, which disables interrupts: callers in
 * atomic context use it, too. Taking pages out needs no memory, so that an undo cannot
 * fail. Everything that may need memory comes first: a removal cuts spans at its ends,
 * and a map allocates its blocks, before either changes a mapping. A critical section
 * handles at most one block. Most calls touch a single node, which a hash finds.
 *
 * A flat table has nodes only, so that removing any page needs no memory at all.
 *
 * A token keeps its nodes, so that maps in it need none.
 *
 * Blocks are charged together with the IOMMU's page tables for their pages. An empty node
 * is freed once no token keeps it and no hash slot points to it.
 *
 * An OS-managed domain has one for its logical pages, a caller-managed domain one for
 * its caller's address space.
 */
#ifndef WDM_CORE_MAPPINGS_H
#define WDM_CORE_MAPPINGS_H

#include <linux/gfp.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include "../../status.h"
#include "../budget.h"
#include "../hwpt.h"
#include "../mdl.h"
#include "../put_list.h"

struct wdm_map_block;

/* Order of the number of pages in a region; regions are naturally aligned. */
#define WDM_REGION_BITS		7
#define WDM_REGION_PAGES	BIT_ULL(WDM_REGION_BITS)

/* Order of the number of nodes in the hash */
#define WDM_MAPPINGS_RECENT_BITS	4
#define WDM_MAPPINGS_RECENT		BIT(WDM_MAPPINGS_RECENT_BITS)

/**
 * struct wdm_mappings - a mapping table
 * @lock: guards all members below and the contents of the blocks
 * @blocks: the blocks, by page number
 * @recent: hash of recently used nodes; slots may be NULL
 * @nr_pages: number of mapped pages
 * @flat: there are no spans, so that a removal never needs memory
 * @budget: what the blocks are charged to, or NULL
 *
 * A caller that changes pages, or dereferences the MDL of an extent, has to keep other
 * calls from changing these pages: by a range lock for OS-managed domains of programs,
 * by wdm_domain.lock for those of kernel code. Other pages may be changed at the same
 * time, and all pages may be looked up.
 */
struct wdm_mappings {
	spinlock_t lock;		/* all of the table */
	struct rb_root blocks;
	struct wdm_map_block *recent[WDM_MAPPINGS_RECENT];
	u64 nr_pages;
	bool flat;
	struct wdm_budget *budget;
};

/**
 * struct wdm_extent - consecutive pages that map consecutive pages of one MDL with the
 * same permissions
 * @pgno: the first page number
 * @nr_pages: number of pages
 * @mdl: the MDL
 * @mdl_page: page number in @mdl that @pgno is mapped to
 * @perms: WDM_READ, WDM_WRITE, WDM_SMALL
 * @busy: a call in progress is mapping or unmapping these pages
 * @handle: result of a look-up: wdm_mdl.handle of @mdl
 */
struct wdm_extent {
	u64 pgno;
	u64 nr_pages;
	struct wdm_mdl *mdl;
	u64 mdl_page;
	u32 perms;
	bool busy;
	u32 handle;
};

/* Place pages of an MDL at a page number. */
static inline struct wdm_extent wdm_range_extent(const struct wdm_mdl_range *range,
						 u64 pgno, u32 perms)
{
	return (struct wdm_extent) {
		.pgno = pgno,
		.nr_pages = range->nr_pages,
		.mdl = range->mdl,
		.mdl_page = range->page,
		.perms = perms,
	};
}

/* Convert an extent of logical pages for a hwpt. */
static inline struct wdm_mapping wdm_extent_mapping(const struct wdm_extent *ext,
						    enum wdm_pgsize pgsize)
{
	return (struct wdm_mapping) {
		.iova = ext->pgno << PAGE_SHIFT,
		.pages = &ext->mdl->pages,
		.page = ext->mdl_page,
		.nr_pages = ext->nr_pages,
		.perms = ext->perms,
		.pgsize = ext->perms & WDM_SMALL ? WDM_PGSIZE_MIN : pgsize,
	};
}

/* Get the page number after an extent. */
static inline u64 wdm_extent_end(const struct wdm_extent *ext)
{
	return ext->pgno + ext->nr_pages;
}

bool wdm_extent_join(struct wdm_extent *ext, const struct wdm_extent *next);

int wdm_mappings_init_module(void);
void wdm_mappings_exit_module(void);

void wdm_mappings_init(struct wdm_mappings *mappings, struct wdm_budget *budget);
void wdm_mappings_destroy(struct wdm_mappings *mappings);
u64 wdm_mappings_pages(struct wdm_mappings *mappings);

bool wdm_mappings_find(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
		       struct wdm_extent *ext);
bool wdm_mappings_peek(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
		       struct wdm_extent *ext);
bool wdm_mappings_look(struct wdm_mappings *mappings, u64 *pgno, u64 last_pgno,
		       struct wdm_extent *ext);
bool wdm_mappings_any(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno);
bool wdm_mappings_at(struct wdm_mappings *mappings, u64 pgno,
		     struct wdm_extent *ext);

/* Advance to the next extent, up to @last_pgno. Start with an extent of 0 pages. */
static inline bool wdm_mappings_next(struct wdm_mappings *mappings, u64 last_pgno,
				     struct wdm_extent *ext)
{
	return wdm_mappings_find(mappings, wdm_extent_end(ext), last_pgno, ext);
}

ntstatus_t wdm_mappings_insert(struct wdm_mappings *mappings,
			       const struct wdm_extent *ext, gfp_t gfp);
ntstatus_t wdm_mappings_keep(struct wdm_mappings *mappings, u64 pgno, gfp_t gfp);
void wdm_mappings_unkeep(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno);
void wdm_mappings_insert_kept(struct wdm_mappings *mappings,
			      const struct wdm_extent *ext);
ntstatus_t wdm_mappings_prepare(struct wdm_mappings *mappings, u64 *pgno,
				u64 last_pgno, struct wdm_put_list *put_list,
				gfp_t gfp);
void wdm_mappings_mark(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
		       bool busy);
void wdm_mappings_remove(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno);
bool wdm_mappings_take_few(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
			   bool whole, struct wdm_put_list *put_list);
ntstatus_t wdm_mappings_take(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
			     struct wdm_put_list *put_list, gfp_t gfp);

#endif /* WDM_CORE_MAPPINGS_H */
