/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow pages, and the walks that maintain them. Private to core/shadow.
 */
#ifndef WDM_CORE_SHADOW_PRIVATE_H
#define WDM_CORE_SHADOW_PRIVATE_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/sched.h>

#include "../caller.h"

/**
 * struct wdm_shadow_page - shadow of one of the caller's tables, on one path to it
 * @entries: the caller's table, which the caller may change at any time
 * @seen: snapshot of the entries, on which every decision is based
 * @child: for each entry that refers to a table, its shadow page; NULL at level 0
 * @caller: caller address of the table
 * @va: the first address that it translates, as an index into the tables
 * @iova: the same address as devices use it; not valid for the root
 * @cost: bytes charged to the domain's budget for it
 * @level: level of the table; 0 holds leaves of 4 KiB
 * @perms: permissions that the entries on the path to it grant
 * @live: entries that translate: mapped leaves, and tables with a @child
 * @invalid: entries that block because they cannot be used
 * @pending: scanned entries that wait for the second pass; they block
 * @listed: at level 0: entries that the flush of a list is about to scan. A walk that was
 *	cancelled may leave some, which cost a later one a second look
 * @dirty: in wdm_shadow.dirty
 * @first: while @dirty is linked: the first entry that may be pending or listed
 * @last: and the last one
 *
 * A table that is reached on several paths has a shadow page for each, as its entries
 * translate different addresses.
 */
struct wdm_shadow_page {
	const u64 *entries;
	u64 *seen;
	struct wdm_shadow_page **child;
	u64 caller;
	u64 va;
	u64 iova;
	u32 cost;
	unsigned int level;
	u32 perms;
	DECLARE_BITMAP(live, WDM_PT_ENTRIES);
	DECLARE_BITMAP(invalid, WDM_PT_ENTRIES);
	DECLARE_BITMAP(pending, WDM_PT_ENTRIES);
	DECLARE_BITMAP(listed, WDM_PT_ENTRIES);
	struct list_head dirty;
	unsigned int first;
	unsigned int last;
};

/**
 * struct wdm_partial_leaf - a large leaf of which only a part is mapped
 * @sp: its shadow page, in which it is live; NULL: there is no such leaf
 * @i: index of its entry
 * @start: offset of the first mapped byte
 * @end: offset of the byte after the last mapped one
 */
struct wdm_partial_leaf {
	struct wdm_shadow_page *sp;
	unsigned int i;
	u64 start;
	u64 end;
};

/**
 * struct wdm_shadow - the shadow of a caller-managed domain
 * @lock: serializes walks and changes of the caller's address space. A walk changes the
 *	members below with @lock and the empty range of wdm_domain.ranges held, so either
 *	keeps them from changing; attach and detach hold all pages and do not take @lock.
 *	If the domain is atomic, wdm_domain.lock takes the place of both
 * @nr_walks: if the domain is atomic: number of walks begun
 * @configured: the caller has configured the domain
 * @translating: with TranslationEnabled TRUE
 * @pt: the caller's tables, while @translating
 * @root: shadow page of the root; NULL while the root cannot be used
 * @nr_pages: number of shadow pages
 * @nr_invalid: number of invalid entries
 * @dirty: shadow pages with entries that may be pending or listed. Empty between walks,
 *	unless one was cancelled
 * @partial: the large leaf that is being mapped or zapped
 * @bytes: number of bytes that leaves translate
 * @retry: invalid entries may have become usable
 * @retry_epoch: wdm_domain.epoch when invalid entries were last retried
 * @quota: the smallest charge refused since; 0: none
 * @bypass_start: with TranslationEnabled FALSE: the first page of the caller's address space
 *	that is mapped
 * @bypass_end: the page after the last one
 * @hole_start: the first page between them that is not mapped
 * @hole_end: the page after the last such page
 * @runs: scratch space for the pages of a level 0 table
 */
struct wdm_shadow {
	struct mutex lock;		/* serializes walks, see above */
	u64 nr_walks;
	bool configured;
	bool translating;
	struct wdm_pt pt;
	struct wdm_shadow_page *root;
	u64 nr_pages;
	u64 nr_invalid;
	struct list_head dirty;
	struct wdm_partial_leaf partial;
	u64 bytes;
	bool retry;
	u64 retry_epoch;
	u64 quota;
	u64 bypass_start;
	u64 bypass_end;
	u64 hole_start;
	u64 hole_end;
	struct wdm_run *runs;
};

struct wdm_walk;

/**
 * struct wdm_walk_ops - how the walks of a kind of domain lock it
 * @lock: lock the domain for a walk; return false on a fatal signal
 * @yield: release the domain for a moment; may set walk->cancelled
 * @unlock: undo @lock
 */
struct wdm_walk_ops {
	bool (*lock)(struct wdm_walk *walk);
	void (*yield)(struct wdm_walk *walk);
	void (*unlock)(struct wdm_walk *walk);
};

/**
 * struct wdm_walk - a walk of the caller's tables
 * @domain: the domain
 * @shadow: its shadow, which is locked
 * @ops: how to lock @domain
 * @pt: the tables
 * @walk_error: the first invalid entry, and the number of invalid entries
 * @range: the empty range of @domain, unless that is atomic
 * @flags: interrupt state before wdm_domain.lock was taken, if @domain is atomic
 * @number: wdm_shadow.nr_walks when the walk began, if @domain is atomic
 * @locked: the domain is locked; always true, unless @cancelled
 * @cancelled: a fatal signal came, or another walk overtook this one: it changes nothing
 *	any more, and dereferences no shadow page
 * @keeps_lock: it does not yield, if @domain is atomic
 * @work: pages processed since the last yield
 * @retry: try invalid entries again even if they have not changed
 * @stale_iova: adjacent leaves of 4 KiB that are no longer live, but still mapped
 * @stale_size: their size in bytes; 0 while the domain is unlocked
 * @path: path cache: by level, the shadow pages on the path to the last address of a
 *	list, or NULL
 * @space: the part of the caller's address space of the last look-up
 * @space_run: the run of its MDL at the last look-up
 * @nr_unmapped: number of pages unmapped
 * @nr_mapped: number of pages mapped
 * @begin: when the walk began, if it is traced
 *
 * A walk has two passes. The first one scans the tables for changes and zaps what has
 * changed; then the IOTLB is flushed; the second one maps. So no device ever finds two
 * translations of an address.
 */
struct wdm_walk {
	struct wdm_domain *domain;
	struct wdm_shadow *shadow;
	const struct wdm_walk_ops *ops;
	const struct wdm_pt *pt;
	struct wdm_walk_error *walk_error;
	struct wdm_range range;
	unsigned long flags;
	u64 number;
	bool locked;
	bool cancelled;
	bool keeps_lock;
	u64 work;
	bool retry;
	u64 stale_iova;
	u64 stale_size;
	struct wdm_shadow_page *path[WDM_PT_MAX_LEVELS];
	struct wdm_extent space;
	u32 space_run;
	u64 nr_unmapped;
	u64 nr_mapped;
	u64 begin;
};

/**
 * struct wdm_leaf - a leaf, or the mapped part of one
 * @va: the first address that it translates, as an index into the tables
 * @size: size in bytes
 * @caller: caller address of its memory
 * @perms: permissions that it grants
 */
struct wdm_leaf {
	u64 va;
	u64 size;
	u64 caller;
	u32 perms;
};

/*
 * The files, from the top down: shadow.c (the backend's operations) and memory.c call
 * walk.c, which calls sync.c, scan.c and page.c. They also call iter.c and bypass.c. All use
 * space.c, leaf.c and lock.c.
 */

/* memory.c */
ntstatus_t wdm_space_add(struct wdm_domain *domain, u32 perms,
			 const struct wdm_mdl_range *range, u64 caller);
ntstatus_t wdm_space_remove(struct wdm_domain *domain, u64 caller,
			    u64 nr_pages);

/* iter.c */
ntstatus_t wdm_shadow_check_unused(struct wdm_domain *domain, u64 iova, u64 last_iova,
				   const atomic_t *revoking);
ntstatus_t wdm_shadow_next(struct wdm_domain *domain, u64 pgno, bool killable,
			   const atomic_t *revoking, struct wdm_mapping *map);
ntstatus_t wdm_shadow_lookup(struct wdm_domain *domain, u64 pgno,
			     struct wdm_extent *ext);

/* walk.c */
typedef ntstatus_t wdm_walk_fn(struct wdm_walk *walk, void *arg);
ntstatus_t wdm_walk(struct wdm_walk *walk, wdm_walk_fn *fn, void *arg);
void wdm_walk_full(struct wdm_walk *walk);
ntstatus_t wdm_walk_list(struct wdm_walk *walk, const struct wdm_va_list *list);

/* sync.c */
void wdm_walk_sync(struct wdm_walk *walk);
void wdm_walk_add_error(struct wdm_walk *walk, ntstatus_t status,
			unsigned int level, u64 va, u64 raw);

/* scan.c */
void wdm_scan(struct wdm_walk *walk, struct wdm_shadow_page *sp);
void wdm_scan_new(struct wdm_walk *walk, struct wdm_shadow_page *sp);
void wdm_scan_list(struct wdm_walk *walk, const u64 *vas, size_t nr,
		   bool last_level);

/* page.c */
ntstatus_t wdm_sp_create(struct wdm_walk *walk, u64 caller, unsigned int level,
			 u64 va, u32 perms, struct wdm_shadow_page **out);
void wdm_sp_free(struct wdm_domain *domain, struct wdm_shadow_page *sp);
void wdm_sp_free_all(struct wdm_domain *domain, struct wdm_shadow_page *sp);
bool wdm_leaf_charge(struct wdm_domain *domain,
		     const struct wdm_shadow_page *sp);
bool wdm_sp_zap(struct wdm_walk *walk, struct wdm_shadow_page *sp);
bool wdm_zap_entry_slow(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			unsigned int i);
bool wdm_zap_users(struct wdm_walk *walk, struct wdm_shadow_page *sp,
		   u64 caller, u64 last_caller);
bool wdm_zap_partial(struct wdm_walk *walk);

/* bypass.c */
bool wdm_bypass_next(struct wdm_domain *domain, u64 pgno,
		     struct wdm_extent *ext);
bool wdm_bypass_fits(struct wdm_walk *walk);
ntstatus_t wdm_bypass_map(struct wdm_walk *walk);
bool wdm_bypass_unmap(struct wdm_walk *walk);
bool wdm_bypass_retreat(struct wdm_walk *walk, u64 pgno);

/* space.c */
const u64 *wdm_space_table(struct wdm_domain *domain, u64 caller);
bool wdm_space_search(struct wdm_walk *walk, u64 pgno);
bool wdm_space_allows(struct wdm_walk *walk, u64 caller, u64 size, u32 perms);

/* leaf.c */
void wdm_entry_leaf(const struct wdm_pt *pt, const struct wdm_shadow_page *sp,
		    unsigned int i, struct wdm_leaf *leaf);
ntstatus_t wdm_leaf_next(const struct wdm_domain *domain, u64 va, u64 last_va,
			 bool killable, const atomic_t *revoking, struct wdm_leaf *leaf);
u64 wdm_leaf_step(struct wdm_domain *domain, const struct wdm_leaf *leaf,
		  u64 offset);

/* lock.c */
extern const struct wdm_walk_ops wdm_walk_killable;
extern const struct wdm_walk_ops wdm_walk_atomic;
bool wdm_walk_yield_slow(struct wdm_walk *walk);
void wdm_walk_unmap(struct wdm_walk *walk, u64 iova, u64 size);
void wdm_walk_unmap_stale(struct wdm_walk *walk);
void wdm_walk_sync_hwpts(struct wdm_walk *walk);
void wdm_walk_unmap_later(struct wdm_walk *walk, u64 iova, u64 size);
ntstatus_t wdm_shadow_read(struct wdm_domain *domain,
			   ntstatus_t (*fn)(struct wdm_domain *domain, void *arg),
			   void *arg);

/* Maximum number of bytes to map or unmap at a time, unless larger pages are used */
#define WDM_STEP_SIZE	((u64)SZ_2M)
#define WDM_STEP_PAGES	(WDM_STEP_SIZE >> PAGE_SHIFT)

/* Get the charge for a shadow page: itself, and the IOMMU's table for its leaves. */
static inline u64 wdm_sp_cost(unsigned int level)
{
	u64 entries = WDM_PT_ENTRIES * sizeof(u64);

	return sizeof(struct wdm_shadow_page) + SZ_4K +
	       (level ? 2 * entries : entries);
}

static inline bool wdm_shadow_bypasses(const struct wdm_shadow *shadow)
{
	return shadow->configured && !shadow->translating;
}

/*
 * Check whether the caller's table can be read. The kernel unmaps a page with an
 * uncorrectable memory error; its snapshot stays valid.
 */
static inline bool wdm_sp_is_readable(const struct wdm_shadow_page *sp)
{
	return !is_page_hwpoison(virt_to_page(sp->entries));
}

/**
 * wdm_walk_yield() - Yield the domain and the CPU
 * @walk: the walk; each leaf is mapped in all hwpts, or stale, or in none
 *
 * A walk calls this after each bounded piece of work: at most WDM_STEP_PAGES pages, or
 * one step of a large leaf. This counts the pages, and yields after enough of them or
 * when all pages of the domain are wanted. Stale leaves are unmapped before that.
 *
 * Return: true if the walk may continue; false once it is cancelled.
 */
static inline bool wdm_walk_yield(struct wdm_walk *walk)
{
	if (likely(++walk->work < WDM_STEP_PAGES && !walk->cancelled &&
		   !wdm_domain_cancelled(walk->domain) &&
		   !wdm_range_wanted(&walk->domain->ranges)))
		return true;
	return wdm_walk_yield_slow(walk);
}

static inline void wdm_decode(const struct wdm_walk *walk,
			      const struct wdm_shadow_page *sp, u64 raw,
			      struct wdm_pt_entry *entry)
{
	walk->pt->format->decode(sp->level, raw, entry);
}

/* Get the first address that an entry translates, as an index into the tables. */
static inline u64 wdm_entry_va(const struct wdm_shadow_page *sp, unsigned int i)
{
	return sp->va + i * wdm_pt_span(sp->level);
}

/* Get the logical address of an entry of a level 0 table. */
static inline u64 wdm_entry_iova(const struct wdm_shadow_page *sp,
				 unsigned int i)
{
	return sp->iova + ((u64)i << PAGE_SHIFT);
}

/* Find the first set bit from @i on; return @nr or more if there is none. */
static inline unsigned int wdm_next_bit(const unsigned long *map,
					unsigned int nr, unsigned int i)
{
	/* Fast path for one change, or adjacent ones */
	return i >= nr || test_bit(i, map) ? i : find_next_bit(map, nr, i);
}

/* Put a shadow page on the dirty list because of an entry. */
static inline void wdm_sp_dirty(struct wdm_shadow *shadow,
				struct wdm_shadow_page *sp, unsigned int i)
{
	if (list_empty(&sp->dirty)) {
		list_add_tail(&sp->dirty, &shadow->dirty);
		sp->first = i;
		sp->last = i;
	}
	sp->first = min(sp->first, i);
	sp->last = max(sp->last, i);
}

/**
 * wdm_zap_entry() - Zap what a live entry translates
 * @walk: the walk, in its first pass
 * @sp: the shadow page
 * @i: index of the entry
 *
 * A leaf of 4 KiB is unmapped together with those that follow it, by
 * wdm_walk_unmap_stale() at the latest.
 *
 * Return: true if the entry is no longer live; false if the walk is cancelled.
 */
static inline bool wdm_zap_entry(struct wdm_walk *walk,
				 struct wdm_shadow_page *sp, unsigned int i)
{
	if (sp->level)
		return wdm_zap_entry_slow(walk, sp, i);
	__clear_bit(i, sp->live);
	wdm_walk_unmap_later(walk, wdm_entry_iova(sp, i), PAGE_SIZE);
	return true;
}

#endif /* WDM_CORE_SHADOW_PRIVATE_H */
