// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow: caller-managed domains without nesting hardware. It walks the caller's tables and
 * maps each leaf in the hwpts. A snapshot of each table tells later walks what has changed.
 *
 * With TranslationEnabled TRUE, the hwpts are kept equal to the caller's tables; with
 * FALSE, to the caller's address space. Until the first Configure they are empty.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "../query.h"
#include "../trace.h"
#include "private.h"

/* Charge for a shadow with its root, so that configuring another root cannot fail for it */
#define WDM_SHADOW_COST	(WDM_PT_ENTRIES * sizeof(struct wdm_run) + wdm_sp_cost(1))

static ntstatus_t wdm_shadow_create(struct wdm_domain *domain)
{
	struct wdm_shadow *shadow;

	if (!wdm_budget_charge(domain->budget, WDM_SHADOW_COST))
		return STATUS_WORKING_SET_QUOTA;
	shadow = kzalloc(sizeof(*shadow), GFP_KERNEL_ACCOUNT);
	if (!shadow)
		goto uncharge;
	shadow->runs = kmalloc_array(WDM_PT_ENTRIES, sizeof(*shadow->runs),
				     GFP_KERNEL_ACCOUNT);
	if (!shadow->runs)
		goto free;
	mutex_init(&shadow->lock);
	INIT_LIST_HEAD(&shadow->dirty);
	domain->shadow = shadow;
	return STATUS_SUCCESS;

free:
	kfree(shadow);
uncharge:
	wdm_budget_uncharge(domain->budget, WDM_SHADOW_COST);
	return STATUS_INSUFFICIENT_RESOURCES;
}

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
		walk->retry = true;
		wdm_walk_both(walk);
	}
	walk->walk_error->count = walk->shadow->nr_invalid;
}

/* Unmap everything, whatever was configured. Return false if the walk is cancelled. */
static bool wdm_shadow_block(struct wdm_walk *walk)
{
	struct wdm_shadow *shadow = walk->shadow;

	if (shadow->root) {
		if (!wdm_sp_zap(walk, shadow->root))
			return false;
		shadow->root = NULL;
	} else if (wdm_shadow_bypasses(shadow) && !wdm_bypass_unmap(walk)) {
		return false;
	}
	wdm_hwpts_sync(walk->domain);
	shadow->configured = false;
	shadow->translating = false;
	return true;
}

static ntstatus_t wdm_configure_bypass(struct wdm_walk *walk)
{
	struct wdm_shadow *shadow = walk->shadow;
	ntstatus_t status;

	if (!wdm_shadow_bypasses(shadow)) {
		if (!wdm_bypass_fits(walk))
			return STATUS_CONFLICTING_ADDRESSES;
		if (!wdm_shadow_block(walk))
			return STATUS_CANCELLED;
		shadow->configured = true;
	}
	status = wdm_bypass_map(walk);
	if (!wdm_ok(status) && !walk->cancelled)
		wdm_shadow_block(walk);
	return status;
}

static bool wdm_pt_same(const struct wdm_pt *a, const struct wdm_pt *b)
{
	return a->format == b->format && a->root == b->root &&
	       a->levels == b->levels && a->root_entries == b->root_entries;
}

static ntstatus_t wdm_configure_tables(struct wdm_walk *walk,
				       const struct wdm_pt *pt)
{
	struct wdm_shadow *shadow = walk->shadow;
	struct wdm_shadow_page *root;
	ntstatus_t status;

	/* The same tables again: this is a flush. */
	if (!shadow->root || !wdm_pt_same(&shadow->pt, pt)) {
		walk->pt = pt;
		status = wdm_sp_create(walk, pt->root, pt->levels - 1, 0,
				       WDM_PERMS, &root);
		walk->pt = &shadow->pt;
		if (!wdm_ok(status))
			return status;
		if (!wdm_shadow_block(walk)) {
			wdm_sp_free(walk->domain, root);
			return STATUS_CANCELLED;
		}
		shadow->pt = *pt;
		shadow->root = root;
		shadow->configured = true;
		shadow->translating = true;
	}
	wdm_walk_full(walk);
	return walk->walk_error->status;
}

/* Perform a walk with its tracepoint; @nr_vas: number of addresses, 0 for all tables. */
static ntstatus_t wdm_shadow_walk(struct wdm_domain *domain, wdm_walk_fn *fn,
				  void *arg, u64 nr_vas,
				  struct wdm_walk_error *walk_error)
{
	struct wdm_walk walk = { .domain = domain, .walk_error = walk_error };
	ntstatus_t status = wdm_walk(&walk, fn, arg);

	atomic64_inc(&domain->counters.walks);
	if (trace_wdm_walk_enabled())
		trace_wdm_walk(domain, nr_vas, walk.nr_unmapped, walk.nr_mapped,
			       walk_error->count, status,
			       wdm_trace_ns(walk.begin));
	return status;
}

static ntstatus_t wdm_walk_configure(struct wdm_walk *walk, void *pt)
{
	return pt ? wdm_configure_tables(walk, pt) : wdm_configure_bypass(walk);
}

static ntstatus_t wdm_shadow_configure(struct wdm_domain *domain,
				       const struct wdm_pt *pt,
				       struct wdm_walk_error *walk_error)
{
	return wdm_shadow_walk(domain, wdm_walk_configure, (void *)pt, 0,
			       walk_error);
}

static ntstatus_t wdm_walk_flush(struct wdm_walk *walk, void *unused)
{
	if (!walk->shadow->configured)
		return STATUS_INVALID_DEVICE_STATE;
	if (!walk->shadow->translating)
		return wdm_bypass_map(walk);
	wdm_walk_full(walk);
	return walk->walk_error->status;
}

static ntstatus_t wdm_shadow_flush(struct wdm_domain *domain,
				   struct wdm_walk_error *walk_error)
{
	return wdm_shadow_walk(domain, wdm_walk_flush, NULL, 0, walk_error);
}

/* Number of addresses of a list to scan before applying what is pending */
#define WDM_LIST_PART	((size_t)65536)

/**
 * struct wdm_va_list - addresses to flush
 * @last_level: only leaf entries have changed
 * @vas: the addresses
 * @nr: number of addresses
 */
struct wdm_va_list {
	bool last_level;
	const u64 *vas;
	size_t nr;
};

static ntstatus_t wdm_walk_list(struct wdm_walk *walk, void *arg)
{
	const struct wdm_va_list *list = arg;
	size_t i, part;

	for (i = 0; i < list->nr; i++) {
		if (!wdm_pt_translates(walk->pt, list->vas[i]))
			return STATUS_INVALID_PARAMETER_4;
		if (!(i % WDM_STEP_PAGES) && !wdm_walk_yield(walk))
			return STATUS_CANCELLED;
	}
	if (list->nr && !walk->shadow->root)
		return wdm_walk_flush(walk, NULL);
	/* Retry the entries on the list: they are few, and the caller named them. */
	walk->retry = true;
	for (i = 0; i < list->nr && !walk->cancelled; i += part) {
		part = min(list->nr - i, WDM_LIST_PART);
		wdm_scan_list(walk, list->vas + i, part, list->last_level);
		wdm_walk_apply(walk);
	}
	return walk->walk_error->status;
}

static ntstatus_t wdm_walk_flush_list(struct wdm_walk *walk, void *arg)
{
	if (!walk->shadow->configured || !walk->shadow->translating)
		return wdm_walk_flush(walk, NULL);
	return wdm_walk_list(walk, arg);
}

static ntstatus_t wdm_shadow_flush_list(struct wdm_domain *domain,
					bool last_level, const u64 *vas,
					size_t nr,
					struct wdm_walk_error *walk_error)
{
	struct wdm_va_list list = {
		.last_level = last_level,
		.vas = vas,
		.nr = nr,
	};

	return wdm_shadow_walk(domain, wdm_walk_flush_list, &list, nr, walk_error);
}

static void wdm_shadow_destroy(struct wdm_domain *domain)
{
	struct wdm_shadow *shadow = domain->shadow;

	/* No hwpt is left, so nothing needs to be unmapped. */
	if (shadow->root)
		wdm_sp_free_all(domain, shadow->root);
	mutex_destroy(&shadow->lock);
	kfree(shadow->runs);
	kfree(shadow);
	wdm_budget_uncharge(domain->budget, WDM_SHADOW_COST);
	wdm_mappings_destroy(&domain->mappings);
}

static ntstatus_t wdm_shadow_report_locked(struct wdm_domain *domain, void *arg)
{
	const struct wdm_shadow *shadow = domain->shadow;
	struct wdm_domain_report *report = arg;

	report->configured = shadow->configured;
	report->translating = shadow->translating;
	report->shadow_tables = shadow->nr_pages;
	report->invalid_entries = shadow->nr_invalid;
	report->translated_bytes = wdm_shadow_bypasses(shadow) ?
				   report->mapped_pages << PAGE_SHIFT :
				   shadow->bytes;
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_shadow_report(struct wdm_domain *domain,
				    struct wdm_domain_report *report)
{
	return wdm_shadow_read(domain, wdm_shadow_report_locked, report);
}

const struct wdm_backend_ops wdm_shadow_backend = {
	.create = wdm_shadow_create,
	.destroy = wdm_shadow_destroy,
	.uses = wdm_shadow_uses,
	.next = wdm_shadow_next,
	.lookup = wdm_shadow_lookup,
	.report = wdm_shadow_report,
	.memory_add = wdm_space_add,
	.memory_remove = wdm_space_remove,
	.configure = wdm_shadow_configure,
	.flush = wdm_shadow_flush,
	.flush_list = wdm_shadow_flush_list,
};
