/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Record: which pages of MDLs stand at which page numbers.
 *
 * An OS-managed domain has one of logical pages, a caller-managed domain one of
 * its caller's address space.
 */
#ifndef WDM_CORE_RECORD_H
#define WDM_CORE_RECORD_H

#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "../status.h"
#include "hwpt.h"
#include "mdl.h"
#include "put_list.h"

struct wdm_words;

/* A region is so many pages, and the first of them a multiple of it. */
#define WDM_REGION_BITS		8
#define WDM_REGION_PAGES	BIT_ULL(WDM_REGION_BITS)

/* Tables that are found without a search, by a hash of their regions. */
#define WDM_RECORD_RECENT_BITS	4
#define WDM_RECORD_RECENT	BIT(WDM_RECORD_RECENT_BITS)

/**
 * struct wdm_record - a map from page numbers to pages of MDLs
 * @lock: guards @tree: which regions there are, and what is in them but for the
 *	words of tables, which have a lock each. Innermost of the module's mutexes
 * @tree: regions, see record.c; looked at under RCU, too
 * @recent: tables that were looked at lately, or NULL
 * @nr_words: regions with tables
 * @idle_lock: guards @idle and @nr_idle; innermost
 * @idle: tables that were empty when they were put there
 * @nr_idle: how many
 *
 * Who changes pages, or relies on what an extent's MDL is, keeps everybody else
 * from changing these pages meanwhile; different pages may be changed side by side.
 */
struct wdm_record {
	struct mutex lock;		/* see above */
	struct maple_tree tree;
	struct wdm_words *recent[WDM_RECORD_RECENT];
	u64 nr_words;
	spinlock_t idle_lock;		/* see above */
	struct list_head idle;
	u64 nr_idle;
};

/**
 * struct wdm_extent - neighbouring pages of a record that map neighbouring pages
 * of one MDL with the same permissions
 * @first: the first page number
 * @nr_pages: pages
 * @mdl: the MDL
 * @mdl_page: what @first maps: the number of a page in @mdl
 * @perms: WDM_READ, WDM_WRITE
 * @handle: out, of wdm_record_peek(): wdm_mdl.handle
 */
struct wdm_extent {
	u64 first;
	u64 nr_pages;
	struct wdm_mdl *mdl;
	u64 mdl_page;
	u32 perms;
	u32 handle;
};

/* An extent of logical pages, for an hwpt */
static inline struct wdm_mapping wdm_extent_mapping(const struct wdm_extent *ext,
						    enum wdm_pgsize pgsize)
{
	return (struct wdm_mapping) {
		.iova = ext->first << PAGE_SHIFT,
		.pages = &ext->mdl->pages,
		.page = ext->mdl_page,
		.nr_pages = ext->nr_pages,
		.perms = ext->perms,
		.pgsize = pgsize,
	};
}

int wdm_record_init_module(void);
void wdm_record_exit_module(void);

void wdm_record_init(struct wdm_record *rec);
void wdm_record_destroy(struct wdm_record *rec);

/* For looking at a record: its tree does not change meanwhile. */
static inline void wdm_record_lock(struct wdm_record *rec)
{
	mutex_lock(&rec->lock);
}

static inline int wdm_record_lock_killable(struct wdm_record *rec)
{
	return mutex_lock_killable(&rec->lock);
}

static inline void wdm_record_unlock(struct wdm_record *rec)
{
	mutex_unlock(&rec->lock);
}

u64 wdm_record_pages(struct wdm_record *rec);

ntstatus_t wdm_record_insert(struct wdm_record *rec,
			     const struct wdm_extent *ext);
bool wdm_record_next(struct wdm_record *rec, u64 first, u64 last,
		     struct wdm_extent *ext);
bool wdm_record_extent(struct wdm_record *rec, u64 page,
		       struct wdm_extent *ext);
bool wdm_record_peek(struct wdm_record *rec, u64 first, u64 last,
		     struct wdm_extent *ext);
bool wdm_record_joint(struct wdm_record *rec, u64 page, struct wdm_extent *ext);
bool wdm_record_grow(struct wdm_record *rec, u64 first, u64 last,
		     struct wdm_extent *ext);

/**
 * struct wdm_piece - neighbouring pages with one word
 * @first: the first page number
 * @last: the last one
 * @word: what they map, see record.c; NULL for nothing
 */
struct wdm_piece {
	u64 first;
	u64 last;
	void *word;
};

/**
 * struct wdm_record_iter - a look at one extent after another
 * @mas: where the tree was left
 * @first: page number to start at; extents are cut to it
 * @last: last page number of interest; likewise
 * @words: the region that is being looked at, if it has words
 * @base: its first page number
 * @next: where to go on in it
 * @tables: a region was met that has words
 * @done: nothing follows
 * @ahead: a piece that was found to be part of the next extent
 * @mdl: the MDL of the extent before: most often, it is that of the next one, too
 * @id: its number
 *
 * The record is locked from wdm_record_iter_init() to the last look. Each iterator
 * is used for extents or for ranges.
 */
struct wdm_record_iter {
	struct ma_state mas;
	u64 first;
	u64 last;
	struct wdm_words *words;
	u64 base;
	unsigned int next;
	bool tables;
	bool done;
	struct wdm_piece ahead;
	struct wdm_mdl *mdl;
	u32 id;
};

void wdm_record_iter_init(struct wdm_record_iter *iter, struct wdm_record *rec,
			  u64 first, u64 last);
bool wdm_record_iter_next(struct wdm_record_iter *iter, struct wdm_extent *ext);
bool wdm_record_iter_mapped(struct wdm_record_iter *iter, u64 *first, u64 *last);

ntstatus_t wdm_record_remove(struct wdm_record *rec, u64 first, u64 last,
			     bool whole, struct wdm_put_list *put_list,
			     gfp_t gfp);

#endif /* WDM_CORE_RECORD_H */
