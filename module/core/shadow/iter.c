// SPDX-License-Identifier: GPL-2.0
/*
 * Iteration over the translations of a shadow, for attach and detach, and for reports.
 *
 * Attach and detach hold all pages of the domain, reports hold the shadow's lock: either
 * keeps walks from changing the shadow. If the domain is atomic, wdm_domain.lock does.
 */
#include <linux/mm.h>

#include "private.h"

/*
 * Get the index into the tables at which to start for the logical address @iova; the end
 * of the tables if they translate nothing at or above it.
 */
static u64 wdm_shadow_index(const struct wdm_pt *pt, u64 iova)
{
	u64 size = wdm_pt_size(pt);

	if (wdm_pt_translates(pt, iova))
		return iova & (size - 1);
	/* Skip the hole between the halves of a canonical address space. */
	if (pt->sign_extend)
		return size / 2;
	return size;
}

/*
 * Find the first leaf from @iova to @last_iova, and clip it to start at @iova. Return as
 * wdm_leaf_next().
 */
static ntstatus_t wdm_shadow_leaf(struct wdm_domain *domain, u64 iova, u64 last_iova,
				  bool killable, const atomic_t *revoking,
				  struct wdm_leaf *leaf)
{
	const struct wdm_pt *pt = &domain->shadow->pt;
	u64 last_va = wdm_shadow_index(pt, last_iova);
	u64 start, skip;
	ntstatus_t status;

	if (!wdm_pt_translates(pt, last_iova))
		last_va--;
	status = wdm_leaf_next(domain, wdm_shadow_index(pt, iova), last_va, killable, revoking,
			       leaf);
	if (!wdm_ok(status))
		return status;
	start = wdm_pt_canonical(pt, leaf->va);
	skip = iova > start ? (iova - start) & PAGE_MASK : 0;
	leaf->va += skip;
	leaf->caller += skip;
	leaf->size -= skip;
	return STATUS_SUCCESS;
}

/* Backend operation: check that nothing is translated. */
ntstatus_t wdm_shadow_check_unused(struct wdm_domain *domain, u64 iova, u64 last_iova,
				   const atomic_t *revoking)
{
	struct wdm_leaf leaf;
	ntstatus_t status;

	if (wdm_shadow_bypasses(domain->shadow))
		return wdm_mappings_any(&domain->mappings, iova >> PAGE_SHIFT,
					last_iova >> PAGE_SHIFT) ?
		       STATUS_CONFLICTING_ADDRESSES : STATUS_SUCCESS;
	status = wdm_shadow_leaf(domain, iova, last_iova, true, revoking, &leaf);
	if (wdm_ok(status))
		return STATUS_CONFLICTING_ADDRESSES;
	return status == STATUS_NOT_FOUND ? STATUS_SUCCESS : status;
}

/* Get the pages of one MDL at the start of a leaf, at most @size bytes. */
static bool wdm_leaf_extent(struct wdm_domain *domain, const struct wdm_leaf *leaf,
			    u64 size, struct wdm_extent *ext)
{
	u64 iova = wdm_pt_canonical(&domain->shadow->pt, leaf->va);
	u64 pgno = leaf->caller >> PAGE_SHIFT;

	/* Mapped memory is always part of the caller's address space. */
	if (WARN_ON_ONCE(!wdm_domain_find(domain, pgno, pgno + (size >> PAGE_SHIFT) - 1,
					  ext)))
		return false;
	ext->pgno = iova >> PAGE_SHIFT;
	ext->perms = leaf->perms;
	return true;
}

/* Backend operation: find the next pages to map in a hwpt, or to unmap. */
ntstatus_t wdm_shadow_next(struct wdm_domain *domain, u64 pgno, bool killable,
			   const atomic_t *revoking, struct wdm_mapping *map)
{
	struct wdm_extent ext;
	struct wdm_leaf leaf;
	ntstatus_t status;

	if (wdm_shadow_bypasses(domain->shadow)) {
		if (!wdm_bypass_next(domain, pgno, &ext))
			return STATUS_NOT_FOUND;
		*map = wdm_extent_mapping(&ext, domain->pgsize);
		return STATUS_SUCCESS;
	}
	if (pgno > U64_MAX >> PAGE_SHIFT)
		return STATUS_NOT_FOUND;
	status = wdm_shadow_leaf(domain, pgno << PAGE_SHIFT, U64_MAX, killable, revoking, &leaf);
	if (!wdm_ok(status))
		return status;
	if (!wdm_leaf_extent(domain, &leaf, wdm_leaf_step(domain, &leaf, 0), &ext))
		return STATUS_NOT_FOUND;
	*map = wdm_extent_mapping(&ext, WDM_PGSIZE_ANY);
	return STATUS_SUCCESS;
}

/**
 * struct wdm_shadow_search - arguments of a search for pages that devices can reach
 * @pgno: the first page number
 * @ext: out: the first pages
 */
struct wdm_shadow_search {
	u64 pgno;
	struct wdm_extent *ext;
};

/* Called with nothing held that keeps the list of hwpts stable. */
static ntstatus_t wdm_shadow_find(struct wdm_domain *domain, void *arg)
{
	const struct wdm_shadow_search *search = arg;
	struct wdm_leaf leaf;
	ntstatus_t status;

	if (wdm_shadow_bypasses(domain->shadow))
		return wdm_bypass_next(domain, search->pgno, search->ext) ?
		       STATUS_SUCCESS : STATUS_NOT_FOUND;
	status = wdm_shadow_leaf(domain, search->pgno << PAGE_SHIFT, U64_MAX, true, NULL, &leaf);
	if (!wdm_ok(status))
		return status;
	return wdm_leaf_extent(domain, &leaf, leaf.size, search->ext) ?
	       STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* Backend operation: find the first pages that devices can reach, for reports. */
ntstatus_t wdm_shadow_lookup(struct wdm_domain *domain, u64 pgno,
			     struct wdm_extent *ext)
{
	struct wdm_shadow_search search = { .pgno = pgno, .ext = ext };

	return wdm_shadow_read(domain, wdm_shadow_find, &search);
}
