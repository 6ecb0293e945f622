// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow: caller-managed domains without nesting hardware.
 *
 * While TranslationEnabled is TRUE, hardware is a picture of the caller's
 * tables (shadow_table.c). While it is FALSE, hardware is a picture of the
 * caller's address space. Until the first Configure it is empty.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../query.h"
#include "private.h"
#include "../trace.h"

/**
 * wdm_shadow_create() - Make the shadow of a domain that is not configured
 *
 * Return: the shadow; NULL when out of memory.
 */
struct wdm_shadow *wdm_shadow_create(void)
{
	struct wdm_shadow *shadow = kzalloc(sizeof(*shadow),
					    GFP_KERNEL_ACCOUNT);

	if (!shadow)
		return NULL;
	shadow->runs = kmalloc_array(WDM_PT_ENTRIES, sizeof(*shadow->runs),
				     GFP_KERNEL_ACCOUNT);
	if (!shadow->runs) {
		kfree(shadow);
		return NULL;
	}
	mutex_init(&shadow->lock);
	INIT_LIST_HEAD(&shadow->touched);
	return shadow;
}

static bool wdm_shadow_bypasses(const struct wdm_shadow *shadow)
{
	return shadow->configured && !shadow->translating;
}

/* Nobody attaches or detaches meanwhile, either. */
static ntstatus_t wdm_shadow_lock(struct wdm_domain *domain,
				  struct wdm_range *none)
{
	ntstatus_t status = wdm_domain_lock(domain, none);

	if (wdm_ok(status) && mutex_lock_killable(&domain->shadow->lock)) {
		wdm_domain_unlock(domain, none);
		status = STATUS_CANCELLED;
	}
	return status;
}

static void wdm_shadow_unlock(struct wdm_domain *domain, struct wdm_range *none)
{
	mutex_unlock(&domain->shadow->lock);
	wdm_domain_unlock(domain, none);
}

/*
 * While TranslationEnabled is FALSE, the caller's address space is mapped by
 * pages: any part of it may be removed later.
 */
#define WDM_BYPASS_PGSIZE	WDM_PGSIZE_MIN

static void wdm_bypass_clear(struct wdm_domain *domain)
{
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		wdm_hwpt_clear_record(domain, hwpt, ULONG_MAX);
}

static ntstatus_t wdm_bypass_fill(struct wdm_domain *domain)
{
	ntstatus_t status;
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node) {
		status = wdm_hwpt_fill_record(domain, hwpt, WDM_BYPASS_PGSIZE);
		if (!wdm_ok(status))
			goto undo;
	}
	return STATUS_SUCCESS;

undo:
	list_for_each_entry_continue_reverse(hwpt, &domain->hwpts, node)
		wdm_hwpt_clear_record(domain, hwpt, ULONG_MAX);
	return status;
}

/* Does the caller's address space, as it stands, suit all attached devices? */
static bool wdm_bypass_fits(struct wdm_domain *domain)
{
	struct wdm_extent ext;
	bool fits = true;
	u64 next = 0;

	wdm_record_lock(&domain->record);
	while (fits && wdm_record_next(&domain->record, next, ULONG_MAX, &ext)) {
		next = ext.first + ext.nr_pages;
		fits = wdm_domain_fits(domain, ext.first << PAGE_SHIFT,
				       (next << PAGE_SHIFT) - 1);
		cond_resched();
	}
	wdm_record_unlock(&domain->record);
	return fits;
}

/* Let nothing through, whatever was configured. */
static void wdm_shadow_block(struct wdm_domain *domain)
{
	struct wdm_shadow *shadow = domain->shadow;
	struct wdm_walk_error walk_error;
	struct wdm_walk walk;

	if (shadow->root) {
		wdm_walk_begin(&walk, domain, &walk_error);
		wdm_table_drop(&walk, shadow->root);
		wdm_walk_sync(&walk);
		shadow->root = NULL;
	} else if (wdm_shadow_bypasses(shadow)) {
		wdm_bypass_clear(domain);
	}
	shadow->configured = false;
	shadow->translating = false;
}

static void wdm_shadow_destroy(struct wdm_domain *domain)
{
	struct wdm_shadow *shadow = domain->shadow;

	mutex_lock(&shadow->lock);
	wdm_shadow_block(domain);
	mutex_unlock(&shadow->lock);
	mutex_destroy(&shadow->lock);
	kfree(shadow->runs);
	kfree(shadow);
	wdm_record_destroy(&domain->record);
}

/**
 * wdm_shadow_memory_add() - Add memory to the caller's address space
 * @domain: a caller-managed domain
 * @perms: the most that page tables may allow
 * @mdl: the MDL; the caller holds a reference
 * @mdl_page: its first page to add
 * @nr_pages: pages
 * @caller_address: where, page aligned
 *
 * Return: see &struct wdm_iommu_memory_add.
 */
ntstatus_t wdm_shadow_memory_add(struct wdm_domain *domain, u32 perms,
				 struct wdm_mdl *mdl, u64 mdl_page,
				 u64 nr_pages, u64 caller_address)
{
	struct wdm_extent ext = {
		.first = caller_address >> PAGE_SHIFT,
		.nr_pages = nr_pages,
		.mdl = mdl,
		.mdl_page = mdl_page,
		.perms = perms,
	};
	struct wdm_put_list put_list;
	struct wdm_range none;
	bool bypasses;
	ntstatus_t status;

	wdm_put_list_init(&put_list);
	if (wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!(perms & WDM_READ) || perms & ~WDM_PERMS)
		return STATUS_INVALID_PARAMETER_2;
	if (!wdm_pages_has(&mdl->pages, mdl_page, nr_pages))
		return STATUS_INVALID_PARAMETER_3;
	if (!PAGE_ALIGNED(caller_address) ||
	    wdm_pages_wrap(caller_address, nr_pages))
		return STATUS_INVALID_PARAMETER_4;
	if (perms & ~mdl->access)
		return STATUS_ACCESS_DENIED;

	status = wdm_shadow_lock(domain, &none);
	if (!wdm_ok(status))
		return status;

	bypasses = wdm_shadow_bypasses(domain->shadow);
	if (bypasses &&
	    !wdm_domain_fits(domain, caller_address,
			     caller_address + (nr_pages << PAGE_SHIFT) - 1)) {
		status = STATUS_CONFLICTING_ADDRESSES;
		goto unlock;
	}

	status = wdm_record_insert(&domain->record, &ext);
	if (wdm_ok(status) && bypasses) {
		struct wdm_mapping map =
			wdm_extent_mapping(&ext, WDM_BYPASS_PGSIZE);

		status = wdm_hwpts_map(domain, &map);
		if (!wdm_ok(status)) {
			wdm_record_remove(&domain->record, ext.first,
					  ext.first + nr_pages - 1, false,
					  &put_list, GFP_KERNEL | __GFP_NOFAIL);
			if (wdm_hwpts_broken(domain))
				wdm_put_list_leak(&put_list);
			wdm_put_list_release(&put_list);
		}
	}
	if (wdm_ok(status))
		domain->shadow->space_pages += nr_pages;
unlock:
	wdm_shadow_unlock(domain, &none);
	return status;
}

/* Take away every translation that uses these pages of the caller's space. */
static void wdm_shadow_forget(struct wdm_domain *domain, u64 first, u64 last)
{
	struct wdm_shadow *shadow = domain->shadow;
	struct wdm_shadow_table *root = shadow->root;
	struct wdm_walk_error walk_error;
	struct wdm_walk walk;

	wdm_walk_begin(&walk, domain, &walk_error);
	if (root && root->caller >= first && root->caller <= last) {
		shadow->root = NULL;
		wdm_table_drop(&walk, root);
	} else if (root) {
		wdm_table_forget(&walk, root, first, last);
	}
	wdm_walk_sync(&walk);
}

/**
 * wdm_shadow_memory_remove() - Take memory out of the caller's address space
 * @domain: a caller-managed domain
 * @caller_address: where, page aligned
 * @nr_pages: pages
 *
 * Return: see &struct wdm_iommu_memory_remove.
 */
ntstatus_t wdm_shadow_memory_remove(struct wdm_domain *domain,
				    u64 caller_address, u64 nr_pages)
{
	u64 first = caller_address >> PAGE_SHIFT, last = first + nr_pages - 1;
	struct wdm_put_list put_list;
	struct wdm_range none;
	ntstatus_t status;

	if (wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!PAGE_ALIGNED(caller_address))
		return STATUS_INVALID_PARAMETER_2;
	if (!nr_pages || wdm_pages_wrap(caller_address, nr_pages))
		return STATUS_INVALID_PARAMETER_3;

	status = wdm_shadow_lock(domain, &none);
	if (!wdm_ok(status))
		return status;

	wdm_put_list_init(&put_list);
	status = wdm_record_remove(&domain->record, first, last, false,
				   &put_list, GFP_KERNEL_ACCOUNT);
	if (wdm_ok(status)) {
		domain->shadow->space_pages -= nr_pages;
		if (wdm_shadow_bypasses(domain->shadow))
			wdm_hwpts_unmap(domain, caller_address,
					nr_pages << PAGE_SHIFT);
		else
			wdm_shadow_forget(domain, caller_address,
					  caller_address +
					  (nr_pages << PAGE_SHIFT) - 1);
		if (wdm_hwpts_broken(domain))
			wdm_put_list_leak(&put_list);
	}
	wdm_shadow_unlock(domain, &none);
	/* What this unpins is unpinned without any lock. */
	wdm_put_list_release(&put_list);
	return status;
}

/* What a walk, of so many addresses or of all tables, has to say. */
static ntstatus_t wdm_walk_status(const struct wdm_walk *walk, u32 addresses)
{
	ntstatus_t status = walk->cancelled ? STATUS_CANCELLED :
					      walk->walk_error->status;

	if (trace_wdm_walk_enabled())
		trace_wdm_walk(walk->domain, addresses, walk->nr_unmapped,
			       walk->nr_mapped, walk->walk_error->count, status,
			       wdm_trace_ns(walk->begin));
	return status;
}

static ntstatus_t wdm_configure_bypass(struct wdm_domain *domain)
{
	struct wdm_shadow *shadow = domain->shadow;
	ntstatus_t status;

	if (wdm_shadow_bypasses(shadow))
		return STATUS_SUCCESS;
	if (!wdm_bypass_fits(domain))
		return STATUS_CONFLICTING_ADDRESSES;

	wdm_shadow_block(domain);
	status = wdm_bypass_fill(domain);
	shadow->configured = wdm_ok(status);
	shadow->generation++;
	return status;
}

static bool wdm_pt_same(const struct wdm_pt *a, const struct wdm_pt *b)
{
	return a->format == b->format && a->root == b->root &&
	       a->levels == b->levels && a->root_entries == b->root_entries;
}

static ntstatus_t wdm_configure_tables(struct wdm_domain *domain,
				       const struct wdm_pt *pt,
				       struct wdm_walk_error *walk_error)
{
	struct wdm_shadow *shadow = domain->shadow;
	struct wdm_shadow_table *root;
	struct wdm_walk walk;
	ntstatus_t status;

	wdm_walk_begin(&walk, domain, walk_error);
	/* The same tables again: only what changed in them. */
	if (!shadow->root || !wdm_pt_same(&shadow->pt, pt)) {
		walk.pt = pt;
		status = wdm_table_create(&walk, pt->root, pt->levels - 1, 0,
					  WDM_PERMS, &root);
		if (!wdm_ok(status))
			return status;

		wdm_shadow_block(domain);
		shadow->pt = *pt;
		shadow->root = root;
		shadow->configured = true;
		shadow->translating = true;
		shadow->generation++;
		wdm_walk_begin(&walk, domain, walk_error);
	}
	wdm_walk_all(&walk);
	if (walk.cancelled)
		wdm_shadow_block(domain);
	return wdm_walk_status(&walk, 0);
}

/**
 * wdm_shadow_configure() - Give a domain the caller's page tables
 * @domain: a caller-managed domain
 * @config: the configuration
 * @walk_error: out: what was refused
 *
 * Contract: IommuDomainConfigure.
 *
 * Return: see &struct wdm_iommu_configure.
 */
ntstatus_t wdm_shadow_configure(struct wdm_domain *domain,
				const struct wdm_pt_config *config,
				struct wdm_walk_error *walk_error)
{
	struct wdm_pt pt;
	struct wdm_range none;
	ntstatus_t status;

	*walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
	if (wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (config->type != WDM_PT_X64 && config->type != WDM_PT_ARM64)
		return STATUS_INVALID_PARAMETER_2;
	if (config->translation_enabled) {
		status = wdm_pt_init(&pt, config);
		if (!wdm_ok(status))
			return status;
	}

	status = wdm_shadow_lock(domain, &none);
	if (!wdm_ok(status))
		return status;
	status = config->translation_enabled ?
		 wdm_configure_tables(domain, &pt, walk_error) :
		 wdm_configure_bypass(domain);
	wdm_shadow_unlock(domain, &none);
	return status;
}

/* A root that was lost with its memory may be there again. */
static void wdm_shadow_find_root(struct wdm_walk *walk)
{
	struct wdm_shadow *shadow = walk->shadow;
	ntstatus_t status;

	if (shadow->root)
		return;
	status = wdm_table_create(walk, shadow->pt.root, shadow->pt.levels - 1,
				  0, WDM_PERMS, &shadow->root);
	if (!wdm_ok(status))
		wdm_refuse_root(walk, status);
}

/**
 * wdm_shadow_flush() - Follow whatever changed in the caller's page tables
 * @domain: a caller-managed domain
 * @walk_error: out: what was refused
 *
 * Contract: IommuFlushDomain.
 *
 * Return: see &struct wdm_iommu_flush.
 */
ntstatus_t wdm_shadow_flush(struct wdm_domain *domain,
			    struct wdm_walk_error *walk_error)
{
	struct wdm_walk walk;
	struct wdm_range none;
	ntstatus_t status;

	*walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
	if (wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	status = wdm_shadow_lock(domain, &none);
	if (!wdm_ok(status))
		return status;

	if (!domain->shadow->configured) {
		status = STATUS_INVALID_DEVICE_STATE;
	} else if (domain->shadow->translating) {
		wdm_walk_begin(&walk, domain, walk_error);
		wdm_shadow_find_root(&walk);
		if (domain->shadow->root)
			wdm_walk_all(&walk);
		status = wdm_walk_status(&walk, 0);
	}
	wdm_shadow_unlock(domain, &none);
	return status;
}

/* Addresses that are looked at before others may have the CPU. */
#define WDM_FLUSH_STEP	64U

/**
 * struct wdm_list_flush - a list of addresses that is being flushed
 * @last_level: only leaf entries changed
 * @vas: the addresses
 * @nr: how many
 * @done: how many of them have been flushed
 * @generation: wdm_shadow.generation when this began
 */
struct wdm_list_flush {
	bool last_level;
	const u64 *vas;
	unsigned int nr;
	unsigned int done;
	u64 generation;
};

/* Does somebody want to attach or detach? */
static bool wdm_walk_in_the_way(const struct wdm_walk *walk)
{
	return wdm_range_wanted(&walk->domain->ranges);
}

/*
 * Flush the list, or a part of it where somebody else wants to get at the domain:
 * VFIO may be waiting to take a device back, and everybody else for VFIO.
 */
static void wdm_flush_vas(struct wdm_walk *walk, struct wdm_list_flush *list)
{
	unsigned int nr;

	do {
		nr = min(list->nr - list->done, WDM_FLUSH_STEP);
		wdm_table_look_vas(walk, list->vas + list->done, nr,
				   list->last_level);
		list->done += nr;
		if (fatal_signal_pending(current))
			walk->cancelled = true;
		if (wdm_walk_in_the_way(walk))
			break;
		cond_resched();
	} while (list->done < list->nr && !walk->cancelled);
	wdm_walk_sync(walk);
	wdm_walk_follow(walk);
}

static bool wdm_vas_valid(const struct wdm_pt *pt, const u64 *vas,
			  unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!wdm_pt_translates(pt, vas[i]))
			return false;
	return true;
}

/* Flush a part of the list. Everything of the shadow is held. */
static ntstatus_t wdm_flush_part(struct wdm_domain *domain,
				 struct wdm_list_flush *list,
				 struct wdm_walk_error *walk_error)
{
	struct wdm_shadow *shadow = domain->shadow;
	unsigned int done = list->done;
	struct wdm_walk walk;

	if (!list->done) {
		if (!shadow->configured)
			return STATUS_INVALID_DEVICE_STATE;
		if (shadow->translating &&
		    !wdm_vas_valid(&shadow->pt, list->vas, list->nr))
			return STATUS_INVALID_PARAMETER_4;
		list->generation = shadow->generation;
	}

	/* Configured anew in between: everything has been followed since. */
	if (!shadow->translating || list->generation != shadow->generation ||
	    !list->nr) {
		list->done = list->nr;
		return STATUS_SUCCESS;
	}

	wdm_walk_begin(&walk, domain, walk_error);
	if (shadow->root) {
		wdm_flush_vas(&walk, list);
	} else {
		wdm_shadow_find_root(&walk);
		if (shadow->root)
			wdm_walk_all(&walk);
		list->done = list->nr;
	}
	return wdm_walk_status(&walk, list->done - done);
}

/* Of what the parts of a list refused, that at the lowest address is told of. */
static void wdm_walk_error_add(struct wdm_walk_error *walk_error,
			       const struct wdm_walk_error *part)
{
	u64 count = walk_error->count + part->count;

	if (part->count && (!walk_error->count || part->va < walk_error->va))
		*walk_error = *part;
	walk_error->count = count;
}

/**
 * wdm_shadow_flush_list() - Follow what changed on the way to some addresses
 * @domain: a caller-managed domain
 * @last_level: only leaf entries changed
 * @vas: the addresses
 * @nr: how many
 * @walk_error: out: what was refused
 *
 * Contract: IommuFlushDomainByVaList.
 *
 * Return: see &struct wdm_iommu_flush_va_list.
 */
ntstatus_t wdm_shadow_flush_list(struct wdm_domain *domain, bool last_level,
				 const u64 *vas, unsigned int nr,
				 struct wdm_walk_error *walk_error)
{
	struct wdm_list_flush list = {
		.last_level = last_level,
		.vas = vas,
		.nr = nr,
	};
	struct wdm_walk_error part;
	struct wdm_range none;
	ntstatus_t status;

	*walk_error = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
	if (wdm_domain_os_managed(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (nr > WDM_SHADOW_MAX_VA_LIST)
		return STATUS_INVALID_PARAMETER_3;

	do {
		status = wdm_shadow_lock(domain, &none);
		if (!wdm_ok(status))
			return status;
		part = (struct wdm_walk_error) { .status = STATUS_SUCCESS };
		status = wdm_flush_part(domain, &list, &part);
		wdm_shadow_unlock(domain, &none);

		wdm_walk_error_add(walk_error, &part);
		/* What was refused does not keep the rest from being done. */
		if (!wdm_ok(status) &&
		    (!part.count || status == STATUS_CANCELLED))
			return status;
	} while (list.done < list.nr);
	return walk_error->status;
}

/*
 * Where to start looking in the tables for what devices address as @address; the
 * end of the tables if there is nothing at or above it.
 */
static u64 wdm_shadow_index(const struct wdm_pt *pt, u64 address)
{
	u64 size = wdm_pt_size(pt);

	if (wdm_pt_translates(pt, address))
		return address & (size - 1);
	/* The hole between the halves of a canonical space. */
	if (pt->sign_extend)
		return size / 2;
	return size;
}

/* Unmap all leaves below @end from one hwpt. */
static void wdm_leaves_clear(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			     u64 end)
{
	struct wdm_shadow *shadow = domain->shadow;
	struct iommu_iotlb_gather gather;
	struct wdm_leaf leaf;
	u64 va = 0;

	iommu_iotlb_gather_init(&gather);
	while (wdm_leaf_next(shadow, va, &leaf) && leaf.va < end) {
		wdm_hwpt_unmap(hwpt, wdm_pt_canonical(&shadow->pt, leaf.va),
			       leaf.size, &gather);
		va = leaf.va + leaf.size;
	}
	iommu_iotlb_sync(hwpt->domain, &gather);
}

/* The next translation of tables, cut to one extent of the caller's space. */
static bool wdm_leaf_extent(struct wdm_domain *domain, u64 first, u64 last,
			    struct wdm_extent *ext)
{
	const struct wdm_pt *pt = &domain->shadow->pt;
	u64 start, offset, page, pages;
	struct wdm_leaf leaf;
	bool found;

	if (!wdm_leaf_next(domain->shadow, wdm_shadow_index(pt, first), &leaf))
		return false;
	start = wdm_pt_canonical(pt, leaf.va);
	offset = first > start ? (first - start) & PAGE_MASK : 0;
	start += offset;
	if (start > last)
		return false;

	page = (leaf.address + offset) >> PAGE_SHIFT;
	pages = (min(leaf.size - offset - 1, last - start) >> PAGE_SHIFT) + 1;
	wdm_record_lock(&domain->record);
	found = wdm_record_peek(&domain->record, page, page + pages - 1, ext);
	wdm_record_unlock(&domain->record);
	/* What is mapped is part of the caller's address space. */
	if (WARN_ON_ONCE(!found))
		return false;
	ext->first = start >> PAGE_SHIFT;
	ext->perms = leaf.perms;
	return true;
}

/* The next run of pages that devices can reach; the shadow's lock is held. */
static bool wdm_shadow_next_locked(struct wdm_domain *domain, u64 first,
				   u64 last, struct wdm_extent *ext)
{
	bool found;

	if (!wdm_shadow_bypasses(domain->shadow))
		return wdm_leaf_extent(domain, first, last, ext);

	wdm_record_lock(&domain->record);
	found = wdm_record_peek(&domain->record, first >> PAGE_SHIFT,
				last >> PAGE_SHIFT, ext);
	wdm_record_unlock(&domain->record);
	return found;
}

static bool wdm_shadow_uses(struct wdm_domain *domain, u64 first, u64 last)
{
	struct wdm_extent ext;
	bool found;

	mutex_lock(&domain->shadow->lock);
	found = wdm_shadow_next_locked(domain, first, last, &ext);
	mutex_unlock(&domain->shadow->lock);
	return found;
}

static ntstatus_t wdm_shadow_next(struct wdm_domain *domain, u64 first,
				  struct wdm_extent *ext)
{
	bool found;

	if (mutex_lock_killable(&domain->shadow->lock))
		return STATUS_CANCELLED;
	found = wdm_shadow_next_locked(domain, first, U64_MAX, ext);
	mutex_unlock(&domain->shadow->lock);
	return found ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

static void wdm_shadow_clear(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	struct wdm_shadow *shadow = domain->shadow;

	mutex_lock(&shadow->lock);
	if (wdm_shadow_bypasses(shadow))
		wdm_hwpt_clear_record(domain, hwpt, ULONG_MAX);
	else
		wdm_leaves_clear(domain, hwpt, U64_MAX);
	mutex_unlock(&shadow->lock);
}

static ntstatus_t wdm_shadow_fill(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	struct wdm_shadow *shadow = domain->shadow;
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_leaf leaf;
	u64 va = 0;

	mutex_lock(&shadow->lock);
	if (wdm_shadow_bypasses(shadow)) {
		status = wdm_hwpt_fill_record(domain, hwpt, WDM_BYPASS_PGSIZE);
		goto unlock;
	}
	while (wdm_leaf_next(shadow, va, &leaf)) {
		status = wdm_domain_cancelled(domain) ||
			 wdm_hwpt_gives_way(hwpt) ? STATUS_CANCELLED :
			 wdm_leaf_map(domain, hwpt, &leaf);
		if (!wdm_ok(status)) {
			if (wdm_hwpt_must_undo(hwpt))
				wdm_leaves_clear(domain, hwpt, leaf.va);
			break;
		}
		va = leaf.va + leaf.size;
		cond_resched();
	}
unlock:
	mutex_unlock(&shadow->lock);
	return status;
}

static ntstatus_t wdm_shadow_report(struct wdm_domain *domain,
				    struct wdm_domain_report *report)
{
	struct wdm_shadow *shadow = domain->shadow;

	if (mutex_lock_killable(&shadow->lock))
		return STATUS_CANCELLED;
	report->configured = shadow->configured;
	report->translating = shadow->translating;
	report->shadow_tables = shadow->nr_tables;
	report->invalid_entries = shadow->nr_invalid;
	report->translated_bytes = wdm_shadow_bypasses(shadow) ?
				   report->mapped_pages << PAGE_SHIFT :
				   shadow->bytes;
	mutex_unlock(&shadow->lock);
	return STATUS_SUCCESS;
}

const struct wdm_backend_ops wdm_shadow_backend = {
	.destroy = wdm_shadow_destroy,
	.uses = wdm_shadow_uses,
	.fill = wdm_shadow_fill,
	.clear = wdm_shadow_clear,
	.next = wdm_shadow_next,
	.report = wdm_shadow_report,
};
