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

#include "../hwpt_set.h"
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
	/* The bypass may map at the same addresses. */
	wdm_walk_sync_hwpts(walk);
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

static ntstatus_t wdm_walk_flush(struct wdm_walk *walk, void *list)
{
	if (!walk->shadow->configured)
		return STATUS_INVALID_DEVICE_STATE;
	if (!walk->shadow->translating)
		return wdm_bypass_map(walk);
	if (list)
		return wdm_walk_list(walk, list);
	wdm_walk_full(walk);
	return walk->walk_error->status;
}

static ntstatus_t wdm_shadow_flush(struct wdm_domain *domain,
				   const struct wdm_va_list *list,
				   struct wdm_walk_error *walk_error)
{
	return wdm_shadow_walk(domain, wdm_walk_flush, (void *)list,
			       list ? list->nr : 0, walk_error);
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
	.check_unused = wdm_shadow_check_unused,
	.next = wdm_shadow_next,
	.lookup = wdm_shadow_lookup,
	.report = wdm_shadow_report,
	.memory_add = wdm_space_add,
	.memory_remove = wdm_space_remove,
	.configure = wdm_shadow_configure,
	.flush = wdm_shadow_flush,
};
