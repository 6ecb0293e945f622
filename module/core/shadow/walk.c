// SPDX-License-Identifier: GPL-2.0
/*
 * Walks of the caller's tables: full ones, and to some addresses.
 */
#include "../hwpt_set.h"
#include "../trace.h"
#include "private.h"

/* Finish a scan: zap what is stale, then map what is pending. */
static void wdm_walk_apply(struct wdm_walk *walk)
{
	wdm_walk_unmap_stale(walk);
	if (walk->cancelled)
		return;
	wdm_hwpts_sync(walk->domain);
	wdm_walk_sync(walk);
}

static void wdm_walk_both(struct wdm_walk *walk)
{
	wdm_scan(walk, walk->shadow->root);
	wdm_walk_apply(walk);
}

/* Find the invalid entry with the lowest address below a table. */
static bool wdm_find_invalid(struct wdm_walk *walk, struct wdm_shadow_page *sp,
			     struct wdm_shadow_page **out, unsigned int *out_i)
{
	DECLARE_BITMAP(either, WDM_PT_ENTRIES);
	unsigned int i;

	bitmap_or(either, sp->live, sp->invalid, WDM_PT_ENTRIES);
	for_each_set_bit(i, either, WDM_PT_ENTRIES) {
		if (test_bit(i, sp->invalid)) {
			*out = sp;
			*out_i = i;
			return true;
		}
		if (!sp->child)
			continue;
		if (!wdm_walk_yield(walk))
			return false;
		if (sp->child[i] &&
		    wdm_find_invalid(walk, sp->child[i], out, out_i))
			return true;
		if (walk->cancelled)
			return false;
	}
	return false;
}

/*
 * Check whether an invalid entry may have become usable without having changed. If not,
 * none is retried: trying all of them could take too long.
 */
static bool wdm_walk_retries(struct wdm_walk *walk)
{
	struct wdm_shadow *shadow = walk->shadow;
	struct wdm_domain *domain = walk->domain;
	bool retry = shadow->retry || shadow->retry_epoch != domain->epoch;

	if (!retry && shadow->quota &&
	    wdm_budget_charge(domain->budget, shadow->quota)) {
		wdm_budget_uncharge(domain->budget, shadow->quota);
		retry = true;
	}
	if (retry) {
		shadow->retry = false;
		shadow->retry_epoch = domain->epoch;
		shadow->quota = 0;
	}
	return retry;
}

/* Try the first invalid entry alone. Return true, and report it, if it is still invalid. */
static bool wdm_walk_try_first(struct wdm_walk *walk)
{
	struct wdm_walk_error *walk_error = walk->walk_error;
	struct wdm_shadow *shadow = walk->shadow;
	struct wdm_shadow_page *sp;
	unsigned int i;

	if (!shadow->nr_invalid ||
	    !wdm_find_invalid(walk, shadow->root, &sp, &i) || walk->cancelled)
		return true;
	if (walk_error->count &&
	    walk_error->va <= wdm_pt_canonical(walk->pt, wdm_entry_va(sp, i)))
		return true;
	__clear_bit(i, sp->invalid);
	shadow->nr_invalid--;
	__set_bit(i, sp->pending);
	wdm_sp_dirty(shadow, sp, i);
	wdm_walk_sync(walk);
	return walk->cancelled || test_bit(i, sp->invalid);
}

/* Look for a root that was removed from the address space, and may be back. */
static void wdm_walk_find_root(struct wdm_walk *walk)
{
	const struct wdm_pt *pt = walk->pt;
	ntstatus_t status;

	if (walk->shadow->root)
		return;
	status = wdm_sp_create(walk, pt->root, pt->levels - 1, 0, WDM_PERMS,
			       &walk->shadow->root);
	if (!wdm_ok(status))
		wdm_walk_add_error(walk, status, pt->levels, 0, pt->root);
}

/**
 * wdm_walk_full() - Apply all changes of the tables
 * @walk: the walk; the domain is translating
 */
void wdm_walk_full(struct wdm_walk *walk)
{
	if (walk->cancelled)
		return;
	wdm_walk_find_root(walk);
	if (!walk->shadow->root)
		return;
	walk->retry = wdm_walk_retries(walk);
	wdm_walk_both(walk);
	if (!walk->retry && !walk->cancelled && !wdm_walk_try_first(walk)) {
		/* This tries everything again that has failed. */
		walk->retry = true;
		*walk->walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
		wdm_walk_both(walk);
	}
	walk->walk_error->count = walk->shadow->nr_invalid;
}

/* Number of addresses of a list to scan before applying what is pending */
#define WDM_LIST_PART	((size_t)65536)

/**
 * wdm_walk_list() - Follow changes on the paths to some addresses
 * @walk: the walk; the domain is translating
 * @list: the addresses
 *
 * Return: the status of the walk, STATUS_INVALID_PARAMETER_4 if the tables do not translate
 * an address.
 */
ntstatus_t wdm_walk_list(struct wdm_walk *walk, const struct wdm_va_list *list)
{
	size_t i, part;

	for (i = 0; i < list->nr; i++) {
		if (!wdm_pt_translates(walk->pt, list->vas[i]))
			return STATUS_INVALID_PARAMETER_4;
		if (!(i % WDM_STEP_PAGES) && !wdm_walk_yield(walk))
			return STATUS_CANCELLED;
	}
	if (list->nr && !walk->shadow->root) {
		wdm_walk_full(walk);
		return walk->walk_error->status;
	}
	/* Retry the entries on the list: they are few, and the caller named them. */
	walk->retry = true;
	for (i = 0; i < list->nr && !walk->cancelled; i += part) {
		part = min(list->nr - i, WDM_LIST_PART);
		wdm_scan_list(walk, list->vas + i, part, list->last_level);
		wdm_walk_apply(walk);
	}
	return walk->walk_error->status;
}

/* Lock the domain, and reset the walk. */
static bool wdm_walk_lock(struct wdm_walk *walk)
{
	walk->cancelled = false;
	walk->retry = false;
	walk->work = 0;
	memset(walk->path, 0, sizeof(walk->path));
	walk->space.nr_pages = 0;
	*walk->walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
	if (!walk->ops->lock(walk))
		return false;
	walk->begin = WDM_TRACE_BEGIN(wdm_walk);
	/* There can be only one partial leaf, so finish it first. */
	wdm_zap_partial(walk);
	return true;
}

static void wdm_walk_unlock(struct wdm_walk *walk)
{
	if (walk->locked)
		wdm_walk_sync_hwpts(walk);
	/* It may not have reached all invalid entries that it was to retry. */
	if (walk->cancelled)
		walk->shadow->retry = true;
	walk->ops->unlock(walk);
}

/**
 * wdm_walk() - Walk a caller's tables, or change its address space
 * @walk: the walk; @domain and @walk_error are set, optionally @keeps_lock, and the rest
 *	is zero
 * @fn: the work; called again if the walk is overtaken
 * @arg: for @fn
 *
 * Return: the status of @fn; STATUS_CANCELLED on a fatal signal.
 */
ntstatus_t wdm_walk(struct wdm_walk *walk, wdm_walk_fn *fn, void *arg)
{
	ntstatus_t status = STATUS_CANCELLED;

	walk->shadow = walk->domain->shadow;
	walk->pt = &walk->shadow->pt;
	walk->ops = walk->domain->atomic ? &wdm_walk_atomic : &wdm_walk_killable;
	do {
		if (!wdm_walk_lock(walk))
			break;
		if (!walk->cancelled)
			status = fn(walk, arg);
		if (walk->cancelled)
			status = STATUS_CANCELLED;
		wdm_walk_unlock(walk);
	} while (walk->cancelled && walk->domain->atomic);
	return status;
}
