// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow pages: create and zap.
 *
 * A zap proceeds from the leaves up, so at any time the live entries below the root are
 * exactly those that are mapped. So attach and detach can run in between, and a cancelled
 * walk leaves nothing to repair.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "private.h"

/* Get the charge for a large leaf: the IOMMU's tables, if 4 KiB pages map it. */
static u64 wdm_leaf_cost(const struct wdm_shadow_page *sp)
{
	return (wdm_pt_span(sp->level) >> PAGE_SHIFT) * sizeof(u64);
}

static bool wdm_shadow_charge(struct wdm_domain *domain, u64 bytes)
{
	struct wdm_shadow *shadow = domain->shadow;

	if (!bytes || wdm_budget_charge(domain->budget, bytes))
		return true;
	shadow->quota = shadow->quota ? min(shadow->quota, bytes) : bytes;
	return false;
}

/**
 * wdm_leaf_charge() - Charge the budget for a large leaf before it is mapped
 * @domain: the domain
 * @sp: its shadow page
 *
 * wdm_zap_entry() undoes the charge.
 *
 * Return: true if the budget allows it.
 */
bool wdm_leaf_charge(struct wdm_domain *domain, const struct wdm_shadow_page *sp)
{
	return wdm_shadow_charge(domain, wdm_leaf_cost(sp));
}

/**
 * wdm_sp_free() - Free a shadow page
 * @domain: the domain
 * @sp: the shadow page, without live entries and not on the dirty list
 */
void wdm_sp_free(struct wdm_domain *domain, struct wdm_shadow_page *sp)
{
	domain->shadow->nr_pages--;
	wdm_budget_uncharge(domain->budget, sp->cost);
	kfree(sp->child);
	kfree(sp->seen);
	kfree(sp);
}

/**
 * wdm_sp_create() - Create the shadow page of a table, as if the table were empty
 * @walk: the walk
 * @caller: caller address of the table
 * @level: level of the table
 * @va: the first address that it translates
 * @perms: permissions that the entries on the path to it grant
 * @out: out: the shadow page
 *
 * Return:
 * * STATUS_SUCCESS
 * * STATUS_ACCESS_VIOLATION: the table is not in the caller's address space
 * * STATUS_WORKING_SET_QUOTA: the budget is exhausted
 * * STATUS_INSUFFICIENT_RESOURCES: out of memory
 */
ntstatus_t wdm_sp_create(struct wdm_walk *walk, u64 caller, unsigned int level,
			 u64 va, u32 perms, struct wdm_shadow_page **out)
{
	const u64 *entries = wdm_space_table(walk->domain, caller);
	unsigned int nr = wdm_pt_entries(walk->pt, level);
	gfp_t gfp = walk->domain->gfp | __GFP_NOWARN;
	struct wdm_shadow_page *sp;
	u64 cost = 0;

	if (!entries)
		return STATUS_ACCESS_VIOLATION;
	/* The root is charged as part of the shadow, see WDM_SHADOW_COST. */
	if (level < walk->pt->levels - 1)
		cost = wdm_sp_cost(level);
	if (!wdm_shadow_charge(walk->domain, cost))
		return STATUS_WORKING_SET_QUOTA;

	sp = kzalloc(sizeof(*sp), gfp);
	if (!sp) {
		wdm_budget_uncharge(walk->domain->budget, cost);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	walk->shadow->nr_pages++;
	sp->cost = cost;
	sp->entries = entries;
	sp->caller = caller;
	sp->level = level;
	sp->va = va;
	sp->iova = wdm_pt_canonical(walk->pt, va);
	sp->perms = perms;
	INIT_LIST_HEAD(&sp->dirty);
	sp->seen = kcalloc(nr, sizeof(*sp->seen), gfp);
	if (level)
		sp->child = kcalloc(nr, sizeof(*sp->child), gfp);
	if (!sp->seen || (level && !sp->child)) {
		wdm_sp_free(walk->domain, sp);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*out = sp;
	return STATUS_SUCCESS;
}

/**
 * wdm_sp_free_all() - Free a shadow page and all those below it
 * @domain: the domain, which has no hwpt
 * @sp: the shadow page
 */
void wdm_sp_free_all(struct wdm_domain *domain, struct wdm_shadow_page *sp)
{
	unsigned int i;

	if (sp->level)
		for_each_set_bit(i, sp->live, WDM_PT_ENTRIES) {
			if (sp->child[i])
				wdm_sp_free_all(domain, sp->child[i]);
			else
				wdm_budget_uncharge(domain->budget,
						    wdm_leaf_cost(sp));
		}
	cond_resched();
	wdm_sp_free(domain, sp);
}

/* Zap a large leaf step by step; it stays live until all of it is unmapped. */
static bool wdm_zap_large(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			  unsigned int i)
{
	struct wdm_partial_leaf *part = &walk->shadow->partial;
	struct wdm_leaf leaf;
	u64 iova, size;

	wdm_entry_leaf(walk->pt, sp, i, &leaf);
	iova = wdm_pt_canonical(walk->pt, leaf.va);
	if (!part->sp)
		*part = (struct wdm_partial_leaf) {
			.sp = sp, .i = i, .end = leaf.size,
		};
	/* If this is cancelled, the next walk maps the leaf again. */
	__set_bit(i, sp->pending);
	wdm_sp_dirty(walk->shadow, sp, i);

	while (part->start < part->end) {
		size = min(wdm_leaf_step(walk->domain, &leaf, part->start),
			   part->end - part->start);
		wdm_walk_unmap(walk, iova + part->start, size);
		walk->work += size >> PAGE_SHIFT;
		part->start += size;
		if (part->start < part->end && !wdm_walk_yield(walk))
			return false;
	}
	part->sp = NULL;
	__clear_bit(i, sp->live);
	wdm_budget_uncharge(walk->domain->budget, wdm_leaf_cost(sp));
	return true;
}

/**
 * wdm_zap_partial() - Zap the partly mapped large leaf, if there is one
 * @walk: the walk
 *
 * Return: true if there is none left; false if the walk is cancelled.
 */
bool wdm_zap_partial(struct wdm_walk *walk)
{
	struct wdm_partial_leaf *part = &walk->shadow->partial;

	return !part->sp || wdm_zap_large(walk, part->sp, part->i);
}

/**
 * wdm_zap_entry_slow() - wdm_zap_entry() for everything but leaves of 4 KiB
 * @walk: the walk
 * @sp: the shadow page
 * @i: index of the entry
 *
 * Return: as wdm_zap_entry().
 */
bool wdm_zap_entry_slow(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			unsigned int i)
{
	if (!sp->child[i])
		return wdm_zap_large(walk, sp, i);
	if (!wdm_sp_zap(walk, sp->child[i]))
		return false;
	sp->child[i] = NULL;
	__clear_bit(i, sp->live);
	return true;
}

/* Unmap all leaves of a level 0 table. */
static void wdm_zap_leaves(struct wdm_walk *walk, struct wdm_shadow_page *sp)
{
	unsigned int i, end;

	for_each_set_bitrange(i, end, sp->live, WDM_PT_ENTRIES)
		wdm_walk_unmap_later(walk, wdm_entry_iova(sp, i),
				     (u64)(end - i) << PAGE_SHIFT);
}

/**
 * wdm_sp_zap() - Zap everything that a table translates, and free its shadow page
 * @walk: the walk
 * @sp: the shadow page; freed on success
 *
 * Return: false if the walk is cancelled; zapped entries are pending then.
 */
bool wdm_sp_zap(struct wdm_walk *walk, struct wdm_shadow_page *sp)
{
	unsigned int i;

	if (sp->level) {
		for_each_set_bit(i, sp->live, WDM_PT_ENTRIES) {
			if (!wdm_zap_entry_slow(walk, sp, i))
				return false;
			__set_bit(i, sp->pending);
			wdm_sp_dirty(walk->shadow, sp, i);
			if (!wdm_walk_yield(walk))
				return false;
		}
	} else {
		wdm_zap_leaves(walk, sp);
	}
	walk->shadow->nr_invalid -= bitmap_weight(sp->invalid, WDM_PT_ENTRIES);
	list_del(&sp->dirty);
	if (walk->path[sp->level] == sp)
		walk->path[sp->level] = NULL;
	wdm_sp_free(walk->domain, sp);
	return true;
}

/**
 * wdm_zap_users() - Zap everything that uses part of the caller's address space
 * @walk: the walk
 * @sp: the shadow page of a table that is not in that part
 * @caller: the first caller address of the part
 * @last_caller: the last one
 *
 * The entries become pending.
 *
 * Return: false if the walk is cancelled.
 */
bool wdm_zap_users(struct wdm_walk *walk, struct wdm_shadow_page *sp,
		   u64 caller, u64 last_caller)
{
	u64 span = wdm_pt_span(sp->level);
	struct wdm_pt_entry entry;
	unsigned int i;

	for_each_set_bit(i, sp->live, WDM_PT_ENTRIES) {
		struct wdm_shadow_page *child = sp->child ? sp->child[i] : NULL;
		u64 last;

		wdm_decode(walk, sp, sp->seen[i], &entry);
		last = entry.address + (child ? PAGE_SIZE : span) - 1;
		if (entry.address <= last_caller && last >= caller) {
			if (!wdm_zap_entry(walk, sp, i))
				return false;
			__set_bit(i, sp->pending);
			wdm_sp_dirty(walk->shadow, sp, i);
			if (!wdm_walk_yield(walk))
				return false;
		} else if (child && !wdm_zap_users(walk, child, caller,
						   last_caller)) {
			return false;
		}
	}
	return wdm_walk_yield(walk);
}
