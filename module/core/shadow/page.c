// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow tables: following the caller's page tables.
 *
 * What an entry says is read once in a visit, into the snapshot, and all that is
 * done for it is done by the snapshot: the caller may change its tables all the
 * time.
 * A full walk visits an entry at most once and never what it has just built, and
 * the number of tables is bounded, so time and memory are, too. The recursion is
 * as deep as there are levels.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "private.h"
#include "../trace.h"

/* Entries of a table that are compared at a time: a cache line. */
#define WDM_LINE	(SMP_CACHE_BYTES / sizeof(u64))

/**
 * wdm_walk_begin() - Start a walk
 * @walk: the walk
 * @domain: the domain; its shadow is locked, and nobody attaches or detaches, until the walk
 *	is over
 * @walk_error: for what will be refused
 */
void wdm_walk_begin(struct wdm_walk *walk, struct wdm_domain *domain,
		    struct wdm_walk_error *walk_error)
{
	struct wdm_hwpt *hwpt;

	lockdep_assert_held(&domain->shadow->lock);
	*walk = (struct wdm_walk) {
		.domain = domain,
		.shadow = domain->shadow,
		.pt = &domain->shadow->pt,
		.walk_error = walk_error,
		.begin = WDM_TRACE_BEGIN(wdm_walk),
	};
	*walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
	list_for_each_entry(hwpt, &domain->hwpts, node) {
		hwpt->unmapped = false;
		iommu_iotlb_gather_init(&hwpt->gather);
	}
}

/* The first bit that is set from @i on; @nr, or above it, if none is */
static inline unsigned int wdm_next_bit(const unsigned long *map,
					unsigned int nr, unsigned int i)
{
	/* Where one entry changed, or neighbours did, a search would be a waste. */
	return i >= nr || test_bit(i, map) ? i : find_next_bit(map, nr, i);
}

/* The first address that an entry translates, as an index into the tables */
static u64 wdm_entry_va(const struct wdm_shadow_table *table, unsigned int i)
{
	return table->va + i * wdm_pt_span(table->level);
}

/* Unmap leaves, or a leaf, of any size. */
static void wdm_walk_unmap(struct wdm_walk *walk, u64 iova, u64 size)
{
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &walk->domain->hwpts, node) {
		if (size == PAGE_SIZE)
			wdm_hwpt_unmap_page(hwpt, iova, &hwpt->gather);
		else
			wdm_hwpt_unmap(hwpt, iova, size, &hwpt->gather);
		hwpt->unmapped = true;
	}
	walk->nr_unmapped += size >> PAGE_SHIFT;
	walk->shadow->bytes -= size;
}

/* What devices write to get at an entry of a table of leaves of 4 KiB */
static u64 wdm_leaf_iova(const struct wdm_shadow_table *table, unsigned int i)
{
	return table->iova + ((u64)i << PAGE_SHIFT);
}

/* Unmap the stale leaves of a table, neighbours together. */
static void wdm_table_unmap_stale(struct wdm_walk *walk,
				  struct wdm_shadow_table *table)
{
	unsigned int nr = table->last + 1, i, end;

	for (i = table->first; i < nr; i = end) {
		i = wdm_next_bit(table->stale, nr, i);
		for (end = i; end < nr && test_bit(end, table->stale); end++)
			__clear_bit(end, table->stale);
		if (end > i)
			wdm_walk_unmap(walk, wdm_leaf_iova(table, i),
				       (u64)(end - i) << PAGE_SHIFT);
	}
}

static void wdm_walk_unmap_stale(struct wdm_walk *walk)
{
	struct wdm_shadow_table *table;

	list_for_each_entry(table, &walk->shadow->touched, touched) {
		if (!table->level)
			wdm_table_unmap_stale(walk, table);
		cond_resched();
	}
}

/**
 * wdm_walk_sync() - See to it that what the walk took away is gone
 * @walk: the walk
 *
 * When it returns, no translation that the walk took away is cached.
 */
void wdm_walk_sync(struct wdm_walk *walk)
{
	struct wdm_hwpt *hwpt;

	wdm_walk_unmap_stale(walk);
	list_for_each_entry(hwpt, &walk->domain->hwpts, node) {
		/* An empty gather is not nothing to all kernels and drivers. */
		if (!hwpt->unmapped)
			continue;
		iommu_iotlb_sync(hwpt->domain, &hwpt->gather);
		hwpt->unmapped = false;
	}
}

/**
 * wdm_walk_all() - Both passes over all tables
 * @walk: the walk
 */
void wdm_walk_all(struct wdm_walk *walk)
{
	wdm_table_look(walk, walk->shadow->root);
	wdm_walk_sync(walk);
	wdm_walk_follow(walk);
}

static void wdm_refuse(struct wdm_walk *walk, ntstatus_t status,
		       unsigned int level, u64 va, u64 raw)
{
	struct wdm_walk_error *walk_error = walk->walk_error;

	va = wdm_pt_canonical(walk->pt, va);
	if (!walk_error->count++ || va < walk_error->va) {
		walk_error->status = status;
		walk_error->level = level;
		walk_error->va = va;
		walk_error->raw = raw;
	}
}

/**
 * wdm_refuse_root() - Tell that the root cannot be used
 * @walk: the walk
 * @status: why
 */
void wdm_refuse_root(struct wdm_walk *walk, ntstatus_t status)
{
	const struct wdm_pt *pt = walk->pt;

	wdm_refuse(walk, status, pt->levels, 0, pt->root);
}

/* An entry of the table is to be unmapped or followed. */
static void wdm_table_touch(struct wdm_shadow *shadow,
			    struct wdm_shadow_table *table, unsigned int i)
{
	if (list_empty(&table->touched)) {
		list_add_tail(&table->touched, &shadow->touched);
		table->first = i;
		table->last = i;
	}
	table->first = min(table->first, i);
	table->last = max(table->last, i);
}

/* Where the kernel finds a table. A table does not cross a page. */
static const u64 *wdm_table_find(struct wdm_domain *domain, u64 caller)
{
	struct wdm_record *space = &domain->record;
	struct wdm_extent ext;
	const u64 *entries = NULL;
	u32 run = 0;
	u64 pfn;

	wdm_record_lock(space);
	if (wdm_record_next(space, caller >> PAGE_SHIFT, caller >> PAGE_SHIFT,
			    &ext)) {
		pfn = wdm_pages_pfn(&ext.mdl->pages, ext.mdl_page, &run);
		entries = pfn_to_kaddr(pfn) + offset_in_page(caller);
	}
	wdm_record_unlock(space);
	return entries;
}

static void wdm_table_free(struct wdm_shadow *shadow,
			   struct wdm_shadow_table *table)
{
	shadow->nr_tables--;
	kfree(table->child);
	kfree(table->seen);
	kfree(table);
}

/**
 * wdm_table_create() - Make the shadow of a table, as if the table were empty
 * @walk: the walk
 * @caller: caller address of the table
 * @level: its level
 * @va: the first address that it translates
 * @perms: what the entries on the way to it allow
 * @out: out: the shadow
 *
 * Return: STATUS_ACCESS_VIOLATION if the table is not in the caller's address
 * space, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_table_create(struct wdm_walk *walk, u64 caller,
			    unsigned int level, u64 va, u32 perms,
			    struct wdm_shadow_table **out)
{
	struct wdm_shadow *shadow = walk->shadow;
	unsigned int nr = wdm_pt_entries(walk->pt, level);
	struct wdm_shadow_table *table;
	const u64 *entries = wdm_table_find(walk->domain, caller);

	if (!entries)
		return STATUS_ACCESS_VIOLATION;
	/* A root is needed in any case, and there are never more than two. */
	if (level < walk->pt->levels - 1 &&
	    shadow->nr_tables >= shadow->space_pages + WDM_SHADOW_EXTRA_TABLES)
		return STATUS_INSUFFICIENT_RESOURCES;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return STATUS_INSUFFICIENT_RESOURCES;
	shadow->nr_tables++;
	table->entries = entries;
	table->caller = caller;
	table->level = level;
	table->va = va;
	table->iova = wdm_pt_canonical(walk->pt, va);
	table->perms = perms;
	INIT_LIST_HEAD(&table->touched);
	table->seen = kcalloc(nr, sizeof(*table->seen), GFP_KERNEL_ACCOUNT);
	if (level)
		table->child = kcalloc(nr, sizeof(*table->child),
				       GFP_KERNEL_ACCOUNT);
	if (!table->seen || (level && !table->child)) {
		wdm_table_free(shadow, table);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*out = table;
	return STATUS_SUCCESS;
}

/* Take away what an entry translates; of a leaf of 4 KiB, note that it is stale. */
static void wdm_entry_drop(struct wdm_walk *walk,
			   struct wdm_shadow_table *table, unsigned int i)
{
	__clear_bit(i, table->live);
	if (!table->level) {
		__set_bit(i, table->stale);
	} else if (table->child[i]) {
		wdm_table_drop(walk, table->child[i]);
		table->child[i] = NULL;
	} else {
		wdm_walk_unmap(walk,
			       wdm_pt_canonical(walk->pt, wdm_entry_va(table, i)),
			       wdm_pt_span(table->level));
	}
}

/* Unmap all leaves of a table of leaves of 4 KiB. */
static void wdm_leaves_drop(struct wdm_walk *walk,
			    struct wdm_shadow_table *table)
{
	unsigned int i, end;

	bitmap_or(table->live, table->live, table->stale, WDM_PT_ENTRIES);
	for_each_set_bitrange(i, end, table->live, WDM_PT_ENTRIES)
		wdm_walk_unmap(walk, wdm_leaf_iova(table, i),
			       (u64)(end - i) << PAGE_SHIFT);
}

/**
 * wdm_table_drop() - Take away what a table translates, and its shadow
 * @walk: the walk
 * @table: the shadow; gone afterwards
 */
void wdm_table_drop(struct wdm_walk *walk, struct wdm_shadow_table *table)
{
	unsigned int i;

	if (table->level)
		for_each_set_bit(i, table->live, WDM_PT_ENTRIES)
			wdm_entry_drop(walk, table, i);
	else
		wdm_leaves_drop(walk, table);
	walk->shadow->nr_invalid -= bitmap_weight(table->refused,
						  WDM_PT_ENTRIES);
	list_del(&table->touched);
	if (walk->way[table->level] == table)
		walk->way[table->level] = NULL;
	wdm_table_free(walk->shadow, table);
	cond_resched();
}

/* Does the caller's address space have these pages, and allow this? */
static bool wdm_space_allows(struct wdm_domain *domain, u64 address, u64 size,
			     u32 perms)
{
	u64 page = address >> PAGE_SHIFT, last = (address + size - 1) >> PAGE_SHIFT;
	struct wdm_extent ext;
	bool allowed = true;

	wdm_record_lock(&domain->record);
	while (allowed && page <= last) {
		allowed = wdm_record_next(&domain->record, page, last, &ext) &&
			  ext.first == page && !(perms & ~ext.perms);
		if (allowed)
			page += ext.nr_pages;
		cond_resched();
	}
	wdm_record_unlock(&domain->record);
	return allowed;
}

/**
 * wdm_leaf_map() - Map the memory of a leaf
 * @domain: the domain
 * @hwpt: the hwpt to map it in, or NULL for all of them
 * @leaf: the leaf; the caller's address space has its memory
 *
 * Maps all of it or nothing. A leaf of 4 KiB is a page of 4 KiB, so that its
 * neighbours never notice when it changes; for larger leaves, the IOMMU's larger
 * pages are used.
 *
 * Return: a status.
 */
ntstatus_t wdm_leaf_map(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			const struct wdm_leaf *leaf)
{
	u64 iova = wdm_pt_canonical(&domain->shadow->pt, leaf->va);
	u64 first = leaf->address >> PAGE_SHIFT;
	u64 last = first + (leaf->size >> PAGE_SHIFT) - 1;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent ext;
	u64 done = 0;

	wdm_record_lock(&domain->record);
	while (wdm_ok(status) &&
	       wdm_record_next(&domain->record, first + done, last, &ext)) {
		struct wdm_mapping map = wdm_extent_mapping(&ext, WDM_PGSIZE_ANY);

		map.iova = iova + (done << PAGE_SHIFT);
		map.perms = leaf->perms;
		if (wdm_domain_cancelled(domain))
			status = STATUS_CANCELLED;
		else if (hwpt)
			status = wdm_hwpt_map(hwpt, &map, domain->killable);
		else
			status = wdm_hwpts_map(domain, &map);
		if (wdm_ok(status))
			done += ext.nr_pages;
	}
	wdm_record_unlock(&domain->record);

	if (!wdm_ok(status) && done) {
		if (hwpt)
			wdm_hwpt_unmap_sync(hwpt, iova, done << PAGE_SHIFT);
		else
			wdm_hwpts_unmap(domain, iova, done << PAGE_SHIFT);
	}
	return status;
}

static void wdm_decode(const struct wdm_walk *walk,
		       const struct wdm_shadow_table *table, u64 raw,
		       struct wdm_pt_entry *entry)
{
	walk->pt->format->decode(table->level, raw, entry);
}

/* The first pass: see what changed, and take away what is no longer there. */

/*
 * Do two values of an entry mean the same, but for accessed, dirty, what is left to
 * software, and permissions that the way to the table does not give anyway?
 */
static noinline bool wdm_entries_alike(const struct wdm_walk *walk,
				       const struct wdm_shadow_table *table,
				       u64 a_raw, u64 b_raw)
{
	struct wdm_pt_entry a, b;

	wdm_decode(walk, table, a_raw, &a);
	wdm_decode(walk, table, b_raw, &b);
	return a.kind == b.kind && a.address == b.address &&
	       !((a.perms ^ b.perms) & table->perms);
}

/* Does an entry that is live translate the same with another value? */
static bool wdm_entry_stays(const struct wdm_walk *walk,
			    const struct wdm_shadow_table *table, u64 was,
			    u64 is)
{
	/* Most often it leads to another page, and need not be decoded. */
	if (!table->level && (was ^ is) & walk->pt->format->page)
		return false;
	return wdm_entries_alike(walk, table, was, is);
}

static void wdm_entry_look(struct wdm_walk *walk,
			   struct wdm_shadow_table *table, unsigned int i)
{
	u64 is = READ_ONCE(table->entries[i]);
	u64 was = table->seen[i];

	if (is == was && !test_bit(i, table->refused))
		return;

	table->seen[i] = is;
	if (test_bit(i, table->live)) {
		if (wdm_entry_stays(walk, table, was, is))
			return;
		wdm_entry_drop(walk, table, i);
	} else if (__test_and_clear_bit(i, table->refused)) {
		walk->shadow->nr_invalid--;
	}
	/* Zero blocks in any format; of other values, the second pass will tell. */
	__assign_bit(i, table->due, is);
	wdm_table_touch(walk->shadow, table, i);
}

/* Can these entries be passed over, but for what is below them? */
static bool wdm_entries_same(const struct wdm_shadow_table *table,
			     unsigned int i, unsigned int end)
{
	return find_next_bit(table->refused, end, i) >= end &&
	       !memcmp(&table->entries[i], &table->seen[i],
		       (end - i) * sizeof(*table->entries));
}

/**
 * wdm_table_look() - See what changed in a table and below it
 * @walk: the walk, in its first pass
 * @table: the shadow
 */
void wdm_table_look(struct wdm_walk *walk, struct wdm_shadow_table *table)
{
	unsigned int nr = wdm_pt_entries(walk->pt, table->level);
	unsigned int line = min_t(unsigned int, WDM_LINE, nr);
	unsigned int i, j;

	if (!table->child && wdm_entries_same(table, 0, nr))
		return;
	for (i = 0; i < nr; i += line) {
		if (walk->cancelled || wdm_domain_cancelled(walk->domain)) {
			walk->cancelled = true;
			return;
		}
		if (!wdm_entries_same(table, i, i + line))
			for (j = i; j < i + line; j++)
				wdm_entry_look(walk, table, j);
		for (j = i; table->child && j < i + line; j++)
			if (table->child[j])
				wdm_table_look(walk, table->child[j]);
	}
	cond_resched();
}

/*
 * Hardware may cache several entries as one: then a flush of one of them is a
 * flush of all.
 */
static void wdm_entry_look_run(struct wdm_walk *walk,
			       struct wdm_shadow_table *table, unsigned int i)
{
	struct wdm_pt_entry was, is;
	unsigned int run, j;

	wdm_decode(walk, table, table->seen[i], &was);
	wdm_decode(walk, table, READ_ONCE(table->entries[i]), &is);
	run = min(max(was.run, is.run),
		  wdm_pt_entries(walk->pt, table->level));
	i -= i % run;
	for (j = i; j < i + run; j++)
		wdm_entry_look(walk, table, j);
}

static void wdm_entry_look_va(struct wdm_walk *walk,
			      struct wdm_shadow_table *table, unsigned int i)
{
	if (walk->pt->format->max_run > 1)
		wdm_entry_look_run(walk, table, i);
	else
		wdm_entry_look(walk, table, i);
}

/*
 * The lowest table on the way to the last address that is on the way to this one,
 * too. What is above it was looked at then, if it had to be.
 */
static struct wdm_shadow_table *wdm_walk_near(const struct wdm_walk *walk,
					      u64 va)
{
	struct wdm_shadow_table *table;
	unsigned int level;

	for (level = 0; level < walk->pt->levels - 1; level++) {
		table = walk->way[level];
		if (table && (va ^ table->va) < wdm_pt_span(level + 1))
			return table;
	}
	return walk->shadow->root;
}

static void wdm_table_look_va(struct wdm_walk *walk, u64 va, bool last_level)
{
	struct wdm_shadow_table *table = wdm_walk_near(walk, va);
	const struct wdm_pt *pt = walk->pt;
	unsigned int i;

	while (table->level) {
		i = wdm_pt_index(pt, table->level, va);
		if (!last_level || !table->child[i])
			wdm_entry_look_va(walk, table, i);
		table = table->child[i];
		if (!table)
			return;
		walk->way[table->level] = table;
	}
	wdm_entry_look_va(walk, table, wdm_pt_index(pt, 0, va));
}

/**
 * wdm_table_look_vas() - See what changed on the way to some addresses
 * @walk: the walk, in its first pass
 * @vas: the addresses; the tables translate them
 * @nr: how many
 * @last_level: only leaf entries are looked at
 */
void wdm_table_look_vas(struct wdm_walk *walk, const u64 *vas, unsigned int nr,
			bool last_level)
{
	u64 mask = (wdm_pt_size(walk->pt) - 1) & PAGE_MASK;
	unsigned int i;

	for (i = 0; i < nr; i++)
		wdm_table_look_va(walk, vas[i] & mask, last_level);
}

/* The second pass: follow what was seen to be due. */

static void wdm_entry_refuse(struct wdm_walk *walk,
			     struct wdm_shadow_table *table, unsigned int i,
			     ntstatus_t status)
{
	if (status == STATUS_CANCELLED) {
		/* It stays due. */
		walk->cancelled = true;
		return;
	}
	__clear_bit(i, table->due);
	__set_bit(i, table->refused);
	walk->shadow->nr_invalid++;
	wdm_refuse(walk, status, table->level, wdm_entry_va(table, i),
		   table->seen[i]);
}

/* The entry has been followed. */
static void wdm_entry_live(struct wdm_shadow_table *table, unsigned int i)
{
	__clear_bit(i, table->due);
	__set_bit(i, table->live);
}

static void wdm_walk_mapped(struct wdm_walk *walk, u64 nr_pages)
{
	walk->nr_mapped += nr_pages;
	walk->shadow->bytes += nr_pages << PAGE_SHIFT;
}

static ntstatus_t wdm_follow_table(struct wdm_walk *walk,
				   struct wdm_shadow_table *table,
				   unsigned int i,
				   const struct wdm_pt_entry *entry)
{
	struct wdm_shadow_table *child;
	ntstatus_t status;

	status = wdm_table_create(walk, entry->address, table->level - 1,
				  wdm_entry_va(table, i),
				  entry->perms & table->perms, &child);
	if (!wdm_ok(status))
		return status;
	table->child[i] = child;
	wdm_entry_live(table, i);
	/* All of it is new: there is nothing to take away, and its turn comes. */
	wdm_table_look(walk, child);
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_follow_large(struct wdm_walk *walk,
				   struct wdm_shadow_table *table,
				   unsigned int i,
				   const struct wdm_pt_entry *entry)
{
	struct wdm_leaf leaf = {
		.va = wdm_entry_va(table, i),
		.size = wdm_pt_span(table->level),
		.address = entry->address,
		.perms = entry->perms & table->perms,
	};
	u64 iova = wdm_pt_canonical(walk->pt, leaf.va);
	ntstatus_t status;

	if (!wdm_domain_fits(walk->domain, iova, iova + leaf.size - 1))
		return STATUS_CONFLICTING_ADDRESSES;
	if (!wdm_space_allows(walk->domain, leaf.address, leaf.size,
			      leaf.perms))
		return STATUS_ACCESS_VIOLATION;

	status = wdm_leaf_map(walk->domain, NULL, &leaf);
	if (!wdm_ok(status))
		return status;
	wdm_walk_mapped(walk, leaf.size >> PAGE_SHIFT);
	wdm_entry_live(table, i);
	return STATUS_SUCCESS;
}

/* Look a page of the caller's address space up, for wdm_space_find(). */
static noinline bool wdm_space_search(struct wdm_walk *walk, u64 page)
{
	struct wdm_record *record = &walk->domain->record;
	bool found;

	wdm_record_lock(record);
	found = wdm_record_extent(record, page, &walk->space);
	wdm_record_unlock(record);
	if (!found)
		walk->space.nr_pages = 0;
	return found;
}

/* The page frame behind a page of the caller's address space. */
static inline bool wdm_space_find(struct wdm_walk *walk, u64 page, u32 perms,
				  u64 *pfn)
{
	const struct wdm_extent *space = &walk->space;

	/* It does not change during a walk: most often the last find will do. */
	if (page - space->first >= space->nr_pages &&
	    !wdm_space_search(walk, page))
		return false;
	*pfn = wdm_pages_pfn(&space->mdl->pages,
			     space->mdl_page + (page - space->first),
			     &walk->space_run);
	return !(perms & ~space->perms);
}

/* What an entry of a table of leaves says, and the page that it leads to */
static inline ntstatus_t wdm_leaf_find(struct wdm_walk *walk,
				       const struct wdm_shadow_table *table,
				       unsigned int i,
				       struct wdm_pt_entry *entry, u64 *pfn)
{
	wdm_decode(walk, table, table->seen[i], entry);
	entry->perms &= table->perms;
	if (entry->kind != WDM_PT_LEAF)
		return STATUS_INVALID_PARAMETER;
	if (!wdm_space_find(walk, entry->address >> PAGE_SHIFT, entry->perms,
			    pfn))
		return STATUS_ACCESS_VIOLATION;
	return STATUS_SUCCESS;
}

/* Map one page in all hwpts, or in none. */
static ntstatus_t wdm_map_page(struct wdm_walk *walk, u64 iova, u64 pfn,
			       u32 perms)
{
	struct list_head *hwpts = &walk->domain->hwpts;
	ntstatus_t status;
	struct wdm_hwpt *hwpt;

	if (!walk->leaves_fit &&
	    !wdm_domain_fits(walk->domain, iova, iova + PAGE_SIZE - 1))
		return STATUS_CONFLICTING_ADDRESSES;

	list_for_each_entry(hwpt, hwpts, node) {
		status = wdm_hwpt_map_contig(hwpt, iova, pfn, 1, perms);
		if (!wdm_ok(status))
			goto undo;
	}
	return STATUS_SUCCESS;

undo:
	list_for_each_entry_continue_reverse(hwpt, hwpts, node)
		wdm_hwpt_unmap_sync(hwpt, iova, PAGE_SIZE);
	return status;
}

/* Follow an entry of a table of leaves by itself. */
static void wdm_follow_leaf(struct wdm_walk *walk,
			    struct wdm_shadow_table *table, unsigned int i)
{
	struct wdm_pt_entry entry __uninitialized;
	u64 pfn __uninitialized;
	ntstatus_t status;

	status = wdm_leaf_find(walk, table, i, &entry, &pfn);
	if (wdm_ok(status))
		status = wdm_map_page(walk, wdm_leaf_iova(table, i), pfn,
				      entry.perms);
	if (wdm_ok(status)) {
		wdm_walk_mapped(walk, 1);
		wdm_entry_live(table, i);
	} else if (entry.kind == WDM_PT_NONE) {
		__clear_bit(i, table->due);
	} else {
		wdm_entry_refuse(walk, table, i, status);
	}
}

/*
 * Neighbouring leaves of 4 KiB that are due, allow the same, and lead to memory
 * that is there: as many as there are from entry @i on.
 */
static void wdm_collect_leaves(struct wdm_walk *walk,
			       const struct wdm_shadow_table *table,
			       unsigned int i, struct wdm_pages *pages,
			       u32 *perms)
{
	struct wdm_pt_entry entry;
	u64 pfn;

	for (; i <= table->last && test_bit(i, table->due); i++) {
		if (!wdm_ok(wdm_leaf_find(walk, table, i, &entry, &pfn)) ||
		    (pages->nr_pages && entry.perms != *perms))
			return;
		*perms = entry.perms;
		wdm_pages_add(pages, pfn, 1);
	}
}

/*
 * Map neighbouring leaves from entry @i on with one call of the IOMMU driver: all
 * or none. @nr is how many there are, at least one.
 */
static bool wdm_map_together(struct wdm_walk *walk,
			     struct wdm_shadow_table *table, unsigned int i,
			     unsigned int *nr)
{
	struct wdm_pages pages = { .runs = walk->shadow->runs };
	u64 iova = wdm_leaf_iova(table, i);
	struct wdm_mapping map = { .iova = iova, .pgsize = WDM_PGSIZE_MIN };
	ntstatus_t status;
	u32 perms = 0;

	wdm_collect_leaves(walk, table, i, &pages, &perms);
	*nr = max_t(unsigned int, pages.nr_pages, 1);
	if (*nr == 1 ||
	    (!walk->leaves_fit &&
	     !wdm_domain_fits(walk->domain, iova,
			      iova + (pages.nr_pages << PAGE_SHIFT) - 1)))
		return false;
	map.pages = &pages;
	map.nr_pages = *nr;
	map.perms = perms;
	status = wdm_hwpts_map(walk->domain, &map);
	if (status == STATUS_CANCELLED)
		walk->cancelled = true;
	if (!wdm_ok(status))
		return false;
	wdm_walk_mapped(walk, *nr);
	bitmap_clear(table->due, i, *nr);
	bitmap_set(table->live, i, *nr);
	return true;
}

/* Follow the 4 KiB leaves from entry @i on; how many were followed or blocked. */
static unsigned int wdm_follow_leaves(struct wdm_walk *walk,
				      struct wdm_shadow_table *table,
				      unsigned int i)
{
	unsigned int nr = 1, j;

	if (i < table->last && test_bit(i + 1, table->due) &&
	    wdm_map_together(walk, table, i, &nr))
		return nr;
	/* One by one: only those that cannot be mapped are refused. */
	for (j = i; j < i + nr && !walk->cancelled; j++)
		wdm_follow_leaf(walk, table, j);
	return nr;
}

/* Follow an entry that is not a leaf of 4 KiB. */
static void wdm_entry_follow(struct wdm_walk *walk,
			     struct wdm_shadow_table *table, unsigned int i)
{
	struct wdm_pt_entry entry;
	ntstatus_t status;

	wdm_decode(walk, table, table->seen[i], &entry);
	switch (entry.kind) {
	case WDM_PT_NONE:
		__clear_bit(i, table->due);
		return;
	case WDM_PT_TABLE:
		status = wdm_follow_table(walk, table, i, &entry);
		break;
	case WDM_PT_LEAF:
		status = wdm_follow_large(walk, table, i, &entry);
		break;
	default:
		status = STATUS_INVALID_PARAMETER;
	}
	if (!wdm_ok(status))
		wdm_entry_refuse(walk, table, i, status);
}

/* Do all addresses around this one that an entry of a level translates fit? */
static bool wdm_span_fits(const struct wdm_walk *walk, u64 va,
			  unsigned int level)
{
	u64 span = wdm_pt_span(level);
	u64 iova = wdm_pt_canonical(walk->pt, va & ~(span - 1));

	return wdm_domain_fits(walk->domain, iova, iova + span - 1);
}

/* Do all leaves of a table fit the devices? Then none has to be asked about. */
static bool wdm_leaves_fit(struct wdm_walk *walk,
			   const struct wdm_shadow_table *table)
{
	/* What fits around one table tells of the next one, too. */
	if (walk->fits && (table->va ^ walk->fits_va) < wdm_pt_span(2))
		return true;
	walk->fits = wdm_span_fits(walk, table->va, 2);
	walk->fits_va = table->va;
	return walk->fits || wdm_span_fits(walk, table->va, 1);
}

/* Follow what is due in a table. */
static void wdm_table_follow(struct wdm_walk *walk,
			     struct wdm_shadow_table *table)
{
	unsigned int i = table->first;

	walk->leaves_fit = !table->level && wdm_leaves_fit(walk, table);
	while (!walk->cancelled) {
		i = wdm_next_bit(table->due, table->last + 1, i);
		if (i > table->last)
			break;
		if (table->level)
			wdm_entry_follow(walk, table, i++);
		else
			i += wdm_follow_leaves(walk, table, i);
		if (wdm_domain_cancelled(walk->domain))
			walk->cancelled = true;
	}
}

/**
 * wdm_walk_follow() - Follow what is due
 * @walk: the walk, after its first pass and wdm_walk_sync()
 *
 * Tables that are found on the way are followed, too.
 */
void wdm_walk_follow(struct wdm_walk *walk)
{
	struct list_head *touched = &walk->shadow->touched;
	struct wdm_shadow_table *table;

	while (!walk->cancelled && !list_empty(touched)) {
		table = list_first_entry(touched, struct wdm_shadow_table,
					 touched);
		wdm_table_follow(walk, table);
		if (!walk->cancelled)
			list_del_init(&table->touched);
		cond_resched();
	}
}

/**
 * wdm_table_forget() - Take away what uses a part of the caller's address space
 * @walk: the walk
 * @table: the shadow of a table that is not in that part
 * @first: the first caller address that is going away
 * @last: the last one
 *
 * The entries block as if they had been refused.
 */
void wdm_table_forget(struct wdm_walk *walk, struct wdm_shadow_table *table,
		      u64 first, u64 last)
{
	u64 span = wdm_pt_span(table->level);
	struct wdm_pt_entry entry;
	unsigned int i;

	for_each_set_bit(i, table->live, WDM_PT_ENTRIES) {
		struct wdm_shadow_table *child =
			table->child ? table->child[i] : NULL;
		u64 used_last;

		wdm_decode(walk, table, table->seen[i], &entry);
		used_last = entry.address + (child ? PAGE_SIZE : span) - 1;
		if (entry.address <= last && used_last >= first) {
			wdm_entry_drop(walk, table, i);
			wdm_table_touch(walk->shadow, table, i);
			__set_bit(i, table->refused);
			walk->shadow->nr_invalid++;
		} else if (child) {
			wdm_table_forget(walk, child, first, last);
		}
	}
	cond_resched();
}

/**
 * wdm_leaf_next() - Find the next leaf that is mapped
 * @shadow: the shadow
 * @va: where to start, as an index into the tables
 * @leaf: out: the first leaf that translates @va or something above it
 *
 * Return: whether there is one.
 */
bool wdm_leaf_next(const struct wdm_shadow *shadow, u64 va,
		   struct wdm_leaf *leaf)
{
	const struct wdm_pt *pt = &shadow->pt;
	const struct wdm_shadow_table *table;
	struct wdm_pt_entry entry;
	unsigned int i, start;
	u64 base, span;

again:
	table = shadow->root;
	base = 0;
	while (table) {
		span = wdm_pt_span(table->level);
		if (va - base >= span * wdm_pt_entries(pt, table->level))
			return false;
		start = (va - base) >> wdm_pt_shift(table->level);
		i = find_next_bit(table->live, WDM_PT_ENTRIES, start);
		if (i == WDM_PT_ENTRIES) {
			/* Nothing more below this table: go on behind it. */
			if (table == shadow->root)
				return false;
			va = base + span * WDM_PT_ENTRIES;
			goto again;
		}
		base += i * span;
		va = max(va, base);
		if (table->child && table->child[i]) {
			table = table->child[i];
			continue;
		}
		pt->format->decode(table->level, table->seen[i], &entry);
		*leaf = (struct wdm_leaf) {
			.va = base,
			.size = span,
			.address = entry.address,
			.perms = entry.perms & table->perms,
		};
		return true;
	}
	return false;
}
