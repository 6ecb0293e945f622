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

#include "../compat/compat.h"
#include "shadow_table.h"

/* Entries of a table that are compared at a time: a cache line. */
#define WDM_LINE	(SMP_CACHE_BYTES / sizeof(u64))

/**
 * wdm_walk_begin() - Start a walk
 * @walk: the walk
 * @domain: the domain; attach_lock and the shadow's lock are held until
 *	wdm_walk_end()
 * @refusal: for what will be refused
 */
void wdm_walk_begin(struct wdm_walk *walk, struct wdm_domain *domain,
		    struct wdm_refusal *refusal)
{
	struct wdm_hw *hw;

	lockdep_assert_held(&domain->shadow->lock);
	*walk = (struct wdm_walk) {
		.domain = domain,
		.shadow = domain->shadow,
		.pt = &domain->shadow->pt,
		.refusal = refusal,
	};
	*refusal = (struct wdm_refusal) { .status = STATUS_SUCCESS };
	list_for_each_entry(hw, &domain->hws, node) {
		hw->unmapped = false;
		iommu_iotlb_gather_init(&hw->gather);
	}
}

/**
 * wdm_walk_end() - End a walk
 * @walk: the walk
 *
 * When it returns, no translation that the walk took away is cached.
 */
void wdm_walk_end(struct wdm_walk *walk)
{
	struct wdm_hw *hw;

	/* An empty gather is not nothing to all kernels and drivers. */
	list_for_each_entry(hw, &walk->domain->hws, node)
		if (hw->unmapped)
			iommu_iotlb_sync(hw->domain, &hw->gather);
}

static void wdm_refuse(struct wdm_walk *walk, ntstatus_t status,
		       unsigned int level, u64 va, u64 raw)
{
	struct wdm_refusal *refusal = walk->refusal;

	if (!refusal->count++) {
		refusal->status = status;
		refusal->level = level;
		refusal->va = wdm_pt_canonical(walk->pt, va);
		refusal->raw = raw;
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

static void wdm_walk_unmap(struct wdm_walk *walk, u64 va, u64 size)
{
	u64 iova = wdm_pt_canonical(walk->pt, va);
	struct wdm_hw *hw;

	list_for_each_entry(hw, &walk->domain->hws, node) {
		wdm_hw_unmap(hw, iova, size, &hw->gather);
		hw->unmapped = true;
	}
	walk->shadow->bytes -= size;
}

/* Where the kernel finds a table. A table does not cross a page. */
static const u64 *wdm_table_find(struct wdm_domain *domain, u64 caller)
{
	struct wdm_record *space = &domain->record;
	struct wdm_extent ext;
	const u64 *entries = NULL;
	u64 pfn;

	mutex_lock(&space->lock);
	if (wdm_record_next(space, caller >> PAGE_SHIFT, caller >> PAGE_SHIFT,
			    &ext)) {
		wdm_mdl_run(ext.mdl, ext.mdl_page, 1, &pfn);
		entries = pfn_to_kaddr(pfn) + offset_in_page(caller);
	}
	mutex_unlock(&space->lock);
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
 * @perms: what the entries on the way to it allow
 * @out: out: the shadow
 *
 * Return: STATUS_ACCESS_VIOLATION if the table is not in the caller's address
 * space, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_table_create(struct wdm_walk *walk, u64 caller,
			    unsigned int level, u32 perms,
			    struct wdm_shadow_table **out)
{
	struct wdm_shadow *shadow = walk->shadow;
	struct wdm_record *space = &walk->domain->record;
	unsigned int nr = wdm_pt_entries(walk->pt, level);
	struct wdm_shadow_table *table;
	const u64 *entries = wdm_table_find(walk->domain, caller);

	if (!entries)
		return STATUS_ACCESS_VIOLATION;
	/* A root is needed in any case, and there are never more than two. */
	if (level < walk->pt->levels - 1 &&
	    shadow->nr_tables >= space->pages + WDM_SHADOW_EXTRA_TABLES)
		return STATUS_INSUFFICIENT_RESOURCES;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return STATUS_INSUFFICIENT_RESOURCES;
	shadow->nr_tables++;
	table->entries = entries;
	table->caller = caller;
	table->level = level;
	table->perms = perms;
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

/* Take away what an entry translates. */
static void wdm_entry_drop(struct wdm_walk *walk,
			   struct wdm_shadow_table *table, unsigned int i,
			   u64 va)
{
	if (!test_bit(i, table->live))
		return;
	if (table->child && table->child[i]) {
		wdm_table_drop(walk, table->child[i], va);
		table->child[i] = NULL;
	} else {
		wdm_walk_unmap(walk, va, wdm_pt_span(table->level));
	}
	__clear_bit(i, table->live);
}

/**
 * wdm_table_drop() - Take away what a table translates, and its shadow
 * @walk: the walk
 * @table: the shadow; gone afterwards
 * @va: the first address that the table translates
 */
void wdm_table_drop(struct wdm_walk *walk, struct wdm_shadow_table *table,
		    u64 va)
{
	u64 span = wdm_pt_span(table->level);
	unsigned int i, end;

	for (i = 0; (i = find_next_bit(table->live, WDM_PT_ENTRIES, i)) <
		    WDM_PT_ENTRIES; i = end) {
		end = i + 1;
		if (table->child && table->child[i]) {
			wdm_table_drop(walk, table->child[i], va + i * span);
			continue;
		}
		/* Neighbouring leaves go together. */
		while (end < WDM_PT_ENTRIES && test_bit(end, table->live) &&
		       !(table->child && table->child[end]))
			end++;
		wdm_walk_unmap(walk, va + i * span, (end - i) * span);
	}
	walk->shadow->nr_refused -= bitmap_weight(table->refused,
						  WDM_PT_ENTRIES);
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

	mutex_lock(&domain->record.lock);
	while (allowed && page <= last) {
		allowed = wdm_record_next(&domain->record, page, last, &ext) &&
			  ext.first == page && !(perms & ~ext.perms);
		if (allowed)
			page += ext.nr_pages;
		cond_resched();
	}
	mutex_unlock(&domain->record.lock);
	return allowed;
}

/**
 * wdm_leaf_map() - Map the memory of a leaf
 * @domain: the domain
 * @hw: the hardware domain to map it in, or NULL for all of them
 * @leaf: the leaf; the caller's address space has its memory
 *
 * Maps all of it or nothing. A leaf of 4 KiB is a page of 4 KiB, so that its
 * neighbours never notice when it changes; for larger leaves, the IOMMU's larger
 * pages are used.
 *
 * Return: a status.
 */
ntstatus_t wdm_leaf_map(struct wdm_domain *domain, struct wdm_hw *hw,
			const struct wdm_leaf *leaf)
{
	u64 iova = wdm_pt_canonical(&domain->shadow->pt, leaf->va);
	u64 first = leaf->address >> PAGE_SHIFT;
	u64 last = first + (leaf->size >> PAGE_SHIFT) - 1;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent ext;
	u64 done = 0;

	mutex_lock(&domain->record.lock);
	while (!wdm_failed(status) &&
	       wdm_record_next(&domain->record, first + done, last, &ext)) {
		u64 at = iova + (done << PAGE_SHIFT);

		if (fatal_signal_pending(current))
			status = STATUS_CANCELLED;
		else if (hw)
			status = wdm_hw_map(hw, at, ext.mdl, ext.mdl_page,
					    ext.nr_pages, leaf->perms,
					    WDM_GRANULE_LARGE);
		else
			status = wdm_domain_hw_map(domain, at, ext.mdl,
						   ext.mdl_page, ext.nr_pages,
						   leaf->perms,
						   WDM_GRANULE_LARGE);
		if (!wdm_failed(status))
			done += ext.nr_pages;
	}
	mutex_unlock(&domain->record.lock);

	if (wdm_failed(status) && done) {
		if (hw)
			wdm_hw_unmap_sync(hw, iova, done << PAGE_SHIFT);
		else
			wdm_domain_hw_unmap(domain, iova, done << PAGE_SHIFT);
	}
	return status;
}

static ntstatus_t wdm_follow_leaf(struct wdm_walk *walk,
				  struct wdm_shadow_table *table,
				  unsigned int i, u64 va,
				  const struct wdm_pt_entry *entry)
{
	struct wdm_leaf leaf = {
		.va = va,
		.size = wdm_pt_span(table->level),
		.address = entry->address,
		.perms = entry->perms & table->perms,
	};
	u64 iova = wdm_pt_canonical(walk->pt, va);
	ntstatus_t status;

	if (!wdm_domain_fits(walk->domain, iova, iova + leaf.size - 1))
		return STATUS_CONFLICTING_ADDRESSES;
	if (!wdm_space_allows(walk->domain, leaf.address, leaf.size,
			      leaf.perms))
		return STATUS_ACCESS_VIOLATION;

	status = wdm_leaf_map(walk->domain, NULL, &leaf);
	if (status == STATUS_CANCELLED)
		walk->cancelled = true;
	if (wdm_failed(status))
		return status;
	walk->shadow->bytes += leaf.size;
	__set_bit(i, table->live);
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_follow_table(struct wdm_walk *walk,
				   struct wdm_shadow_table *table,
				   unsigned int i, u64 va,
				   const struct wdm_pt_entry *entry)
{
	struct wdm_shadow_table *child;
	ntstatus_t status;

	status = wdm_table_create(walk, entry->address, table->level - 1,
				  entry->perms & table->perms, &child);
	if (wdm_failed(status))
		return status;
	table->child[i] = child;
	__set_bit(i, table->live);
	wdm_table_sync(walk, child, va);
	return STATUS_SUCCESS;
}

/* Do what an entry that blocks says now. */
static void wdm_entry_follow(struct wdm_walk *walk,
			     struct wdm_shadow_table *table, unsigned int i,
			     u64 va, const struct wdm_pt_entry *entry)
{
	ntstatus_t status = STATUS_SUCCESS;

	switch (entry->kind) {
	case WDM_PT_NONE:
		break;
	case WDM_PT_TABLE:
		status = wdm_follow_table(walk, table, i, va, entry);
		break;
	case WDM_PT_LEAF:
		status = wdm_follow_leaf(walk, table, i, va, entry);
		break;
	case WDM_PT_BAD:
		status = STATUS_INVALID_PARAMETER;
		break;
	}
	if (!wdm_failed(status))
		return;

	__set_bit(i, table->refused);
	walk->shadow->nr_refused++;
	wdm_refuse(walk, status, table->level, va, table->seen[i]);
}

static void wdm_decode(const struct wdm_walk *walk,
		       const struct wdm_shadow_table *table, u64 raw,
		       struct wdm_pt_entry *entry)
{
	walk->pt->format->decode(table->level, raw, entry);
}

/*
 * Look at an entry, and follow it if it changed or was refused before. Returns
 * the shadow of the table that it leads to if that one has not been looked at
 * yet.
 */
static struct wdm_shadow_table *
wdm_entry_sync(struct wdm_walk *walk, struct wdm_shadow_table *table,
	       unsigned int i, u64 va)
{
	u64 raw = READ_ONCE(table->entries[i]);
	struct wdm_pt_entry was, is;

	if (raw == table->seen[i] && !test_bit(i, table->refused))
		return table->child ? table->child[i] : NULL;

	wdm_decode(walk, table, table->seen[i], &was);
	wdm_decode(walk, table, raw, &is);
	table->seen[i] = raw;

	/*
	 * Accessed, dirty, what is left to software, a permission that the way
	 * to this table does not give anyway: the same translation.
	 */
	if (test_bit(i, table->live) && was.kind == is.kind &&
	    was.address == is.address &&
	    !((was.perms ^ is.perms) & table->perms))
		return table->child ? table->child[i] : NULL;

	if (__test_and_clear_bit(i, table->refused))
		walk->shadow->nr_refused--;
	wdm_entry_drop(walk, table, i, va);
	wdm_entry_follow(walk, table, i, va, &is);
	return NULL;
}

/* Can a line of entries be passed over? */
static bool wdm_line_same(const struct wdm_shadow_table *table, unsigned int i,
			  unsigned int nr)
{
	unsigned int j;

	for (j = i; j < i + nr; j++)
		if (test_bit(j, table->refused) ||
		    (table->child && table->child[j]))
			return false;
	return !memcmp(&table->entries[i], &table->seen[i],
		       nr * sizeof(*table->entries));
}

/**
 * wdm_table_sync() - Follow everything that changed in a table and below it
 * @walk: the walk
 * @table: the shadow
 * @va: the first address that the table translates
 */
void wdm_table_sync(struct wdm_walk *walk, struct wdm_shadow_table *table,
		    u64 va)
{
	unsigned int nr = wdm_pt_entries(walk->pt, table->level);
	unsigned int line = min_t(unsigned int, WDM_LINE, nr);
	u64 span = wdm_pt_span(table->level);
	struct wdm_shadow_table *child;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (!(i % line) && wdm_line_same(table, i, line)) {
			i += line - 1;
			continue;
		}
		if (walk->cancelled || fatal_signal_pending(current)) {
			walk->cancelled = true;
			return;
		}
		child = wdm_entry_sync(walk, table, i, va + i * span);
		if (child)
			wdm_table_sync(walk, child, va + i * span);
	}
	cond_resched();
}

/*
 * Hardware may cache several entries as one: then all of them are flushed.
 * Returns whether this is such a case.
 */
static bool wdm_entry_sync_run(struct wdm_walk *walk,
			       struct wdm_shadow_table *table, unsigned int i,
			       u64 va)
{
	u64 span = wdm_pt_span(table->level);
	struct wdm_pt_entry was, is;
	unsigned int run, j;

	wdm_decode(walk, table, table->seen[i], &was);
	wdm_decode(walk, table, READ_ONCE(table->entries[i]), &is);
	run = min(max(was.run, is.run),
		  wdm_pt_entries(walk->pt, table->level));
	if (run == 1)
		return false;

	va -= (i % run) * span;
	i -= i % run;
	for (j = 0; j < run; j++)
		wdm_entry_sync(walk, table, i + j, va + j * span);
	return true;
}

/**
 * wdm_table_sync_va() - Follow what changed on the way to an address
 * @walk: the walk
 * @va: the address, as an index into the tables
 * @last_level: only leaf entries are looked at
 */
void wdm_table_sync_va(struct wdm_walk *walk, u64 va, bool last_level)
{
	struct wdm_shadow_table *table = walk->shadow->root;
	const struct wdm_pt *pt = walk->pt;

	while (table) {
		unsigned int i = wdm_pt_index(pt, table->level, va);
		u64 at = va & ~(wdm_pt_span(table->level) - 1);

		if (last_level && table->child && table->child[i]) {
			table = table->child[i];
			continue;
		}
		if (wdm_entry_sync_run(walk, table, i, at))
			return;
		table = wdm_entry_sync(walk, table, i, at);
	}
}

/**
 * wdm_table_forget() - Take away what uses a part of the caller's address space
 * @walk: the walk
 * @table: the shadow of a table that is not in that part
 * @va: the first address that the table translates
 * @first: the first caller address that is going away
 * @last: the last one
 *
 * The entries block as if they had been refused.
 */
void wdm_table_forget(struct wdm_walk *walk, struct wdm_shadow_table *table,
		      u64 va, u64 first, u64 last)
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
			wdm_entry_drop(walk, table, i, va + i * span);
			__set_bit(i, table->refused);
			walk->shadow->nr_refused++;
		} else if (child) {
			wdm_table_forget(walk, child, va + i * span, first,
					 last);
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
