// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves: what is mapped of them, and in which steps.
 */
#include <linux/mm.h>

#include "private.h"

/**
 * wdm_entry_leaf() - Describe the leaf of an entry
 * @pt: the tables
 * @sp: the shadow page
 * @i: index of the entry, which is a leaf
 * @leaf: out: all of the leaf
 */
void wdm_entry_leaf(const struct wdm_pt *pt, const struct wdm_shadow_page *sp,
		    unsigned int i, struct wdm_leaf *leaf)
{
	struct wdm_pt_entry entry;

	pt->format->decode(sp->level, sp->seen[i], &entry);
	*leaf = (struct wdm_leaf) {
		.va = wdm_entry_va(sp, i),
		.size = wdm_pt_span(sp->level),
		.caller = entry.address,
		.perms = entry.perms & sp->perms,
	};
}

/* Find the first live leaf at or above @va, or where to continue the search. */
static bool wdm_leaf_find(const struct wdm_shadow *shadow, u64 *va,
			  const struct wdm_shadow_page **out, unsigned int *out_i)
{
	const struct wdm_shadow_page *sp = shadow->root;
	unsigned int i, nr;

	for (;;) {
		nr = wdm_pt_entries(&shadow->pt, sp->level);
		i = (*va - sp->va) >> wdm_pt_shift(sp->level);
		i = find_next_bit(sp->live, nr, i);
		if (i >= nr) {
			*va = sp->va + nr * wdm_pt_span(sp->level);
			return false;
		}
		*va = max(*va, wdm_entry_va(sp, i));
		if (!sp->child || !sp->child[i])
			break;
		sp = sp->child[i];
	}
	*out = sp;
	*out_i = i;
	return true;
}

/**
 * wdm_leaf_next() - Find the next mapped leaf
 * @domain: the domain, whose shadow does not change
 * @va: first address, as an index into the tables
 * @last_va: last address
 * @killable: a fatal signal ends the search
 * @revoking: so does *@revoking once it is not 0; may be NULL
 * @leaf: out: the first leaf that translates @va or an address above it
 *
 * Tables that translate nothing are passed over one by one.
 *
 * Return: STATUS_SUCCESS if a leaf translates an address up to @last_va; STATUS_NOT_FOUND if
 * none does; STATUS_CANCELLED if the search was ended.
 */
ntstatus_t wdm_leaf_next(const struct wdm_domain *domain, u64 va, u64 last_va,
			 bool killable, const atomic_t *revoking, struct wdm_leaf *leaf)
{
	const struct wdm_shadow *shadow = domain->shadow;
	const struct wdm_partial_leaf *part = &shadow->partial;
	const struct wdm_shadow_page *sp;
	unsigned int i;

	if (!shadow->root)
		return STATUS_NOT_FOUND;
	last_va = min(last_va, wdm_pt_size(&shadow->pt) - 1);
	while (va <= last_va) {
		if ((killable && wdm_domain_cancelled(domain)) ||
		    (revoking && atomic_read(revoking)))
			return STATUS_CANCELLED;
		if (!domain->atomic)
			cond_resched();
		if (!wdm_leaf_find(shadow, &va, &sp, &i))
			continue;
		wdm_entry_leaf(&shadow->pt, sp, i, leaf);
		if (sp != part->sp || i != part->i)
			break;
		leaf->size = part->end - part->start;
		leaf->caller += part->start;
		leaf->va += part->start;
		if (va < leaf->va + leaf->size)
			break;
		va = wdm_entry_va(sp, i) + wdm_pt_span(sp->level);
	}
	return va <= last_va && leaf->va <= last_va ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* Get the largest page size that an IOMMU of the domain can have used, at least a step. */
static u64 wdm_leaf_page(const struct wdm_domain *domain)
{
	u64 sizes = WDM_STEP_SIZE;
	const struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		sizes |= hwpt->domain->pgsize_bitmap;
	return BIT_ULL(__fls(sizes & (2 * (u64)SZ_1G - 1)));
}

/**
 * wdm_leaf_step() - Get how much of a leaf to map or unmap at a time
 * @domain: the domain
 * @leaf: the leaf, or a part of it that starts and ends between steps
 * @offset: number of bytes that are done
 *
 * A contiguous run that the IOMMU can map with larger pages is one step. Everything else
 * is cut at multiples of WDM_STEP_SIZE. No IOMMU page spans two steps, and the steps of a
 * leaf stay the same until a hwpt is added or removed.
 *
 * Return: number of bytes, at least a page.
 */
u64 wdm_leaf_step(struct wdm_domain *domain, const struct wdm_leaf *leaf,
		  u64 offset)
{
	u64 iova = wdm_pt_canonical(&domain->shadow->pt, leaf->va) + offset;
	u64 pgno = (leaf->caller + offset) >> PAGE_SHIFT;
	u64 left = leaf->size - offset, pfn, nr_pages, page;
	struct wdm_extent ext;

	if (leaf->size > WDM_STEP_SIZE && IS_ALIGNED(iova, WDM_STEP_SIZE) &&
	    wdm_domain_find(domain, pgno, pgno + (left >> PAGE_SHIFT) - 1, &ext)) {
		nr_pages = wdm_pages_run(&ext.mdl->pages, ext.mdl_page,
					 ext.nr_pages, &pfn);
		page = wdm_leaf_page(domain);
		if (nr_pages >= WDM_STEP_PAGES &&
		    IS_ALIGNED(pfn, WDM_STEP_PAGES))
			return min(ALIGN_DOWN(nr_pages, WDM_STEP_PAGES) << PAGE_SHIFT,
				   page - (iova & (page - 1)));
	}
	return min(left, WDM_STEP_SIZE - (iova & (WDM_STEP_SIZE - 1)));
}
