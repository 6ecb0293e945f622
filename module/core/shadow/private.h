/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow tables: the caller's page tables as they were seen, and what became of
 * each entry. Private to shadow.c and shadow_table.c.
 */
#ifndef WDM_CORE_SHADOW_TABLE_H
#define WDM_CORE_SHADOW_TABLE_H

#include <linux/bitmap.h>
#include <linux/list.h>

#include "shadow.h"

/**
 * struct wdm_shadow_table - one of the caller's tables, on one way to it
 * @entries: the caller's table itself, which the caller may change at any time
 * @seen: the entries as they were last seen; all decisions are made on these
 * @child: for each entry that leads to a table, the shadow of that one; NULL at
 *	level 0
 * @caller: caller address of the table
 * @va: the first address that it translates, as an index into the tables
 * @iova: the same, as devices write it; of use below the root
 * @level: its level
 * @perms: what the entries on the way to it allow at most
 * @live: entries that translate: leaves that are mapped, tables that are followed
 * @refused: entries that block because they were refused
 * @due: entries that block because they were seen, and not followed yet
 * @stale: leaves of 4 KiB that are no longer live, and not unmapped yet
 * @touched: in wdm_shadow.touched
 * @first: while it is in there: all entries that are due or stale are from here
 * @last: to here
 *
 * A table that is reached on several ways has as many shadows: what is below it
 * stands at different addresses.
 */
struct wdm_shadow_table {
	const u64 *entries;
	u64 *seen;
	struct wdm_shadow_table **child;
	u64 caller;
	u64 va;
	u64 iova;
	unsigned int level;
	u32 perms;
	DECLARE_BITMAP(live, WDM_PT_ENTRIES);
	DECLARE_BITMAP(refused, WDM_PT_ENTRIES);
	DECLARE_BITMAP(due, WDM_PT_ENTRIES);
	DECLARE_BITMAP(stale, WDM_PT_ENTRIES);
	struct list_head touched;
	unsigned int first;
	unsigned int last;
};

/**
 * struct wdm_shadow - what a caller-managed domain translates
 * @lock: guards everything here and changes of the caller's address space;
 *	taken before wdm_record.lock
 * @configured: the caller has configured the domain
 * @translating: it has done so with TranslationEnabled TRUE
 * @pt: the caller's tables, while @translating
 * @root: the shadow of the root; NULL while it cannot be used
 * @generation: counts the configurations
 * @space_pages: pages of the caller's address space
 * @nr_tables: shadows of tables
 * @nr_invalid: entries that are refused
 * @touched: tables that may have entries that are due or stale; after a walk, none
 *	is stale, and none is due unless the walk was cancelled
 * @bytes: what leaves translate
 * @runs: room for the pages of a table of leaves
 */
struct wdm_shadow {
	struct mutex lock;		/* guards what follows */
	bool configured;
	bool translating;
	struct wdm_pt pt;
	struct wdm_shadow_table *root;
	u64 generation;
	u64 space_pages;
	u64 nr_tables;
	u64 nr_invalid;
	struct list_head touched;
	u64 bytes;
	struct wdm_run *runs;
};

/**
 * struct wdm_walk - one walk of the caller's tables
 * @domain: the domain; its shadow is locked, and nobody attaches or detaches
 * @shadow: its shadow
 * @pt: the tables that are walked
 * @walk_error: what was refused
 * @cancelled: a fatal signal came; what was not seen yet stays as it is
 * @way: by level, the tables on the way to the last address of a list, or NULL
 * @leaves_fit: all leaves of the table that is being followed fit the devices
 * @fits: so does all that a table of level 1 translates,
 * @fits_va: around this address
 * @space: the part of the caller's address space where memory was found last
 * @space_run: the run of its MDL that it was in
 * @nr_unmapped: pages that the walk has taken away
 * @nr_mapped: pages that it has mapped
 * @begin: when it began, if somebody traces it
 *
 * A walk has two passes. The first one sees what changed, and takes away; then
 * the IOTLB is synced; the second one maps. So no device ever finds two
 * translations of an address.
 */
struct wdm_walk {
	struct wdm_domain *domain;
	struct wdm_shadow *shadow;
	const struct wdm_pt *pt;
	struct wdm_walk_error *walk_error;
	bool cancelled;
	struct wdm_shadow_table *way[WDM_PT_MAX_LEVELS];
	bool leaves_fit;
	bool fits;
	u64 fits_va;
	struct wdm_extent space;
	u32 space_run;
	u64 nr_unmapped;
	u64 nr_mapped;
	u64 begin;
};

/**
 * struct wdm_leaf - a leaf that is mapped
 * @va: what it translates, as an index into the tables (not canonical)
 * @size: bytes
 * @address: caller address of its memory
 * @perms: what it allows
 */
struct wdm_leaf {
	u64 va;
	u64 size;
	u64 address;
	u32 perms;
};

void wdm_walk_begin(struct wdm_walk *walk, struct wdm_domain *domain,
		    struct wdm_walk_error *walk_error);
void wdm_walk_sync(struct wdm_walk *walk);
void wdm_walk_follow(struct wdm_walk *walk);
void wdm_walk_all(struct wdm_walk *walk);

ntstatus_t wdm_table_create(struct wdm_walk *walk, u64 caller,
			    unsigned int level, u64 va, u32 perms,
			    struct wdm_shadow_table **out);
void wdm_table_drop(struct wdm_walk *walk, struct wdm_shadow_table *table);
void wdm_table_look(struct wdm_walk *walk, struct wdm_shadow_table *table);
void wdm_table_look_vas(struct wdm_walk *walk, const u64 *vas, unsigned int nr,
			bool last_level);
void wdm_table_forget(struct wdm_walk *walk, struct wdm_shadow_table *table,
		      u64 first, u64 last);

void wdm_refuse_root(struct wdm_walk *walk, ntstatus_t status);

bool wdm_leaf_next(const struct wdm_shadow *shadow, u64 va,
		   struct wdm_leaf *leaf);
ntstatus_t wdm_leaf_map(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			const struct wdm_leaf *leaf);

#endif /* WDM_CORE_SHADOW_TABLE_H */
