// SPDX-License-Identifier: GPL-2.0
/*
 * The first pass: scan the caller's tables for changes, and zap what has changed.
 *
 * A scan reads an entry once, into the snapshot, and bases every decision on the
 * snapshot: the caller may write to its tables at any time.
 */
#include <linux/mm.h>

#include "private.h"

/* Number of entries that are compared at a time: a cache line */
#define WDM_LINE	(SMP_CACHE_BYTES / sizeof(u64))

/*
 * Check whether two values of an entry mean the same. They may differ in the accessed,
 * dirty and software bits, and in permissions that the path denies anyway.
 */
static noinline bool wdm_entries_alike(const struct wdm_walk *walk,
				       const struct wdm_shadow_page *sp,
				       u64 a_raw, u64 b_raw)
{
	struct wdm_pt_entry a, b;

	wdm_decode(walk, sp, a_raw, &a);
	wdm_decode(walk, sp, b_raw, &b);
	return a.kind == b.kind && a.address == b.address &&
	       !((a.perms ^ b.perms) & sp->perms);
}

/* Check whether a live entry translates the same with its new value. */
static bool wdm_entry_stays(const struct wdm_walk *walk,
			    const struct wdm_shadow_page *sp, u64 was, u64 is)
{
	/* Fast path: most often the entry refers to another page and need not be decoded. */
	if (!sp->level && (was ^ is) & walk->pt->format->page)
		return false;
	return wdm_entries_alike(walk, sp, was, is);
}

static void wdm_scan_entry(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			   unsigned int i)
{
	u64 is = READ_ONCE(sp->entries[i]);
	u64 was = sp->seen[i];

	if (is == was && !(walk->retry && test_bit(i, sp->invalid)))
		return;

	if (test_bit(i, sp->live)) {
		if (wdm_entry_stays(walk, sp, was, is)) {
			sp->seen[i] = is;
			return;
		}
		/* Update the snapshot only after the zap, which needs the old entry. */
		if (!wdm_zap_entry(walk, sp, i))
			return;
	} else if (__test_and_clear_bit(i, sp->invalid)) {
		walk->shadow->nr_invalid--;
	}
	sp->seen[i] = is;
	/* Zero blocks in any format; the second pass decodes other values. */
	__assign_bit(i, sp->pending, is);
	wdm_sp_dirty(walk->shadow, sp, i);
}

/* Check whether a cache line of entries can be skipped, except for what is below them. */
static bool wdm_entries_same(const struct wdm_walk *walk,
			     const struct wdm_shadow_page *sp, unsigned int i,
			     unsigned int end)
{
	return !(walk->retry && find_next_bit(sp->invalid, end, i) < end) &&
	       !memcmp(&sp->entries[i], &sp->seen[i],
		       (end - i) * sizeof(*sp->entries));
}

/* Scan what is below an entry. Return false if the walk is cancelled. */
static bool wdm_scan_below(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			   unsigned int i)
{
	if (!walk->cancelled && sp->child[i])
		wdm_scan(walk, sp->child[i]);
	return wdm_walk_yield(walk);
}

/* Scan a table and, with @below, what is below it. */
static void wdm_scan_table(struct wdm_walk *walk, struct wdm_shadow_page *sp, bool below)
{
	unsigned int nr = wdm_pt_entries(walk->pt, sp->level);
	unsigned int line = min_t(unsigned int, WDM_LINE, nr);
	unsigned int i, j;
	bool same;

	if (!wdm_sp_is_readable(sp) ||
	    (!below && wdm_entries_same(walk, sp, 0, nr)))
		return;
	for (i = 0; i < nr; i += line) {
		same = wdm_entries_same(walk, sp, i, i + line);
		if (!below && same)
			continue;
		for (j = i; j < i + line; j++) {
			if (!same)
				wdm_scan_entry(walk, sp, j);
			if (below && !wdm_scan_below(walk, sp, j))
				return;
		}
	}
}

/**
 * wdm_scan() - Scan a table and what is below it
 * @walk: the walk, in its first pass
 * @sp: the shadow page
 */
void wdm_scan(struct wdm_walk *walk, struct wdm_shadow_page *sp)
{
	wdm_scan_table(walk, sp, sp->level);
}

/**
 * wdm_scan_new() - Scan a table that the walk has just found
 * @walk: the walk, in its second pass
 * @sp: the shadow page, without live entries
 *
 * Nothing is zapped, and the walk does not yield: the table is live already, so a flush of
 * a list that is overtaken here and starts over would not scan the rest of it.
 */
void wdm_scan_new(struct wdm_walk *walk, struct wdm_shadow_page *sp)
{
	wdm_scan_table(walk, sp, false);
}

/*
 * Scan all entries that hardware may have cached as one: flushing one of them flushes
 * them all.
 */
static void wdm_scan_run(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			 unsigned int i)
{
	unsigned int level = sp->level, run, j;
	struct wdm_pt_entry was, is;

	wdm_decode(walk, sp, sp->seen[i], &was);
	wdm_decode(walk, sp, READ_ONCE(sp->entries[i]), &is);
	run = min(max(was.run, is.run), wdm_pt_entries(walk->pt, level));
	i -= i % run;
	for (j = i; j < i + run && !walk->cancelled; j++) {
		wdm_scan_entry(walk, sp, j);
		/* It may have zapped a table. */
		if (level && !wdm_walk_yield(walk))
			return;
	}
}

static void wdm_scan_one(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			 unsigned int i)
{
	if (walk->pt->format->max_run > 1)
		wdm_scan_run(walk, sp, i);
	else
		wdm_scan_entry(walk, sp, i);
}

/* Scan the listed entries of a level 0 table. */
static void wdm_scan_listed(struct wdm_walk *walk, struct wdm_shadow_page *sp)
{
	unsigned int i;

	for (i = sp->first; i <= sp->last; i++) {
		i = wdm_next_bit(sp->listed, sp->last + 1, i);
		if (i > sp->last)
			return;
		__clear_bit(i, sp->listed);
		wdm_scan_one(walk, sp, i);
		walk->work++;
	}
}

/*
 * Find the lowest shadow page on the path to the last address that is also on the path to
 * this one. The entries above it have been scanned for the last address.
 */
static struct wdm_shadow_page *wdm_path_find(const struct wdm_walk *walk,
					     u64 va)
{
	struct wdm_shadow_page *sp;
	unsigned int level;

	for (level = 0; level < walk->pt->levels - 1; level++) {
		sp = walk->path[level];
		if (sp && (va ^ sp->va) < wdm_pt_span(level + 1))
			return sp;
	}
	return walk->shadow->root;
}

/* Scan the path to an address, and list its entry in the level 0 table. */
static void wdm_scan_path(struct wdm_walk *walk, u64 va, bool last_level)
{
	struct wdm_shadow_page *sp = wdm_path_find(walk, va);
	const struct wdm_pt *pt = walk->pt;
	unsigned int i;

	while (sp->level) {
		i = wdm_pt_index(pt, sp->level, va);
		if (!last_level || !sp->child[i]) {
			wdm_scan_one(walk, sp, i);
			/* It may have zapped a table. */
			if (walk->cancelled || !wdm_walk_yield(walk))
				return;
		}
		sp = sp->child[i];
		if (!sp || !wdm_sp_is_readable(sp))
			return;
		walk->path[sp->level] = sp;
	}
	i = wdm_pt_index(pt, 0, va);
	__set_bit(i, sp->listed);
	wdm_sp_dirty(walk->shadow, sp, i);
}

/* Number of addresses of a list that are scanned between two yields */
#define WDM_SCAN_STEP	64

/**
 * wdm_scan_list() - Scan the paths to a list of addresses
 * @walk: the walk, in its first pass
 * @vas: the addresses, which the tables can translate
 * @nr: number of addresses
 * @last_level: scan leaf entries only
 *
 * Entries of level 0 tables are scanned table by table, in the order of their addresses, so
 * that adjacent ones are unmapped together, whatever the order of the list.
 */
void wdm_scan_list(struct wdm_walk *walk, const u64 *vas, size_t nr,
		   bool last_level)
{
	u64 mask = (wdm_pt_size(walk->pt) - 1) & PAGE_MASK;
	struct wdm_shadow_page *sp;
	size_t i;

	/* The tables below it are checked when they are put on the path. */
	if (!wdm_sp_is_readable(walk->shadow->root))
		return;
	for (i = 0; i < nr && !walk->cancelled; i++) {
		if (!(i % WDM_SCAN_STEP)) {
			walk->work += WDM_SCAN_STEP;
			if (!wdm_walk_yield(walk))
				return;
		}
		wdm_scan_path(walk, vas[i] & mask, last_level);
	}
	if (walk->cancelled)
		return;
	list_for_each_entry(sp, &walk->shadow->dirty, dirty) {
		if (sp->level || !wdm_sp_is_readable(sp))
			continue;
		wdm_scan_listed(walk, sp);
		if (!wdm_walk_yield(walk))
			return;
	}
}
