// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains: the backend, on top of the mapping table.
 */
#include "../query.h"
#include "iova.h"
#include "token.h"

static void wdm_os_destroy(struct wdm_domain *domain)
{
	wdm_mappings_destroy(&domain->mappings);
	wdm_iova_destroy(domain);
}

/*
 * Check the first block of a range, and advance past it. Allocated pages may be those of a
 * map in progress that gives them back if they no longer fit.
 */
static bool wdm_os_block_uses_locked(struct wdm_domain *domain, u64 *pgno, u64 last_pgno)
{
	const struct wdm_iova_block *block =
		wdm_iova_space_find(&domain->space, *pgno, last_pgno);
	u64 first = *pgno;

	*pgno = (block ? block->last : last_pgno) + 1;
	if (!block)
		return false;
	if (block->kind == WDM_IOVA_TOKEN)
		return wdm_token_uses(block, first);
	return block->kind == WDM_IOVA_ALLOCATED &&
	       wdm_mappings_any(&domain->mappings, max(first, block->first),
				min(last_pgno, block->last));
}

static bool wdm_os_block_uses(struct wdm_domain *domain, u64 *pgno, u64 last_pgno)
{
	unsigned long flags;
	bool uses;

	if (domain->atomic)
		return wdm_os_block_uses_locked(domain, pgno, last_pgno);
	spin_lock_irqsave(&domain->lock, flags);
	uses = wdm_os_block_uses_locked(domain, pgno, last_pgno);
	spin_unlock_irqrestore(&domain->lock, flags);
	cond_resched();
	return uses;
}

/*
 * A domain may have a million tokens and allocated blocks, but the first of them that lies
 * in the range ends the search. Only reserved regions, of which there are a few thousand at
 * most, do not. Where no token has pages, the table has no empty nodes to search either.
 */
static ntstatus_t wdm_os_check_unused(struct wdm_domain *domain, u64 iova, u64 last_iova,
				      const atomic_t *revoking)
{
	u64 pgno = iova >> PAGE_SHIFT, last_pgno = last_iova >> PAGE_SHIFT;
	u64 next = pgno;

	if (iova > last_iova)
		return STATUS_SUCCESS;
	while (next <= last_pgno)
		if (wdm_os_block_uses(domain, &next, last_pgno))
			return STATUS_CONFLICTING_ADDRESSES;
	return wdm_mappings_any(&domain->mappings, pgno, last_pgno) ?
	       STATUS_CONFLICTING_ADDRESSES : STATUS_SUCCESS;
}

/*
 * An extent may continue in the next block of the table. In an atomic domain every page is an
 * IOMMU page of its own, so what one block has will do.
 */
static ntstatus_t wdm_os_next(struct wdm_domain *domain, u64 pgno, bool killable,
			      const atomic_t *revoking, struct wdm_mapping *map)
{
	const u64 last_pgno = U64_MAX >> PAGE_SHIFT;
	struct wdm_extent ext;

	if (pgno > last_pgno)
		return STATUS_NOT_FOUND;
	if (!wdm_mappings_look(&domain->mappings, &pgno, last_pgno, &ext)) {
		*map = (struct wdm_mapping) {
			.iova = min(pgno, last_pgno) << PAGE_SHIFT,
		};
		return STATUS_SUCCESS;
	}
	if (!ext.nr_pages)
		return STATUS_NOT_FOUND;
	if (!domain->atomic && !(wdm_extent_end(&ext) & (WDM_REGION_PAGES - 1)))
		wdm_mappings_find(&domain->mappings, ext.pgno,
				  ext.pgno | (WDM_HWPT_STEP_PAGES - 1), &ext);
	*map = wdm_extent_mapping(&ext, domain->pgsize);
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_os_lookup(struct wdm_domain *domain, u64 pgno,
				struct wdm_extent *ext)
{
	return wdm_domain_find(domain, pgno, U64_MAX >> PAGE_SHIFT, ext) ?
	       STATUS_SUCCESS : STATUS_NOT_FOUND;
}

static ntstatus_t wdm_os_report(struct wdm_domain *domain,
				struct wdm_domain_report *report)
{
	return STATUS_SUCCESS;
}

const struct wdm_backend_ops wdm_os_backend = {
	.destroy = wdm_os_destroy,
	.check_unused = wdm_os_check_unused,
	.prefill = wdm_tokens_prefill,
	.next = wdm_os_next,
	.lookup = wdm_os_lookup,
	.report = wdm_os_report,
};
