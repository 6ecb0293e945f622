// SPDX-License-Identifier: GPL-2.0
/*
 * Logical addresses of an OS-managed domain.
 *
 * A domain with an allocator maps only allocated addresses, reserved regions and tokens.
 * Any other domain maps wherever no reserved region or token has the pages, and ordinary
 * maps are not recorded here.
 */
#include <linux/slab.h>

#include "iova.h"

/**
 * wdm_iova_block_create() - Allocate a block
 * @domain: the domain, to whose budget it is charged
 * @gfp: for memory
 * @out: out: the block
 *
 * Return: STATUS_WORKING_SET_QUOTA, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_iova_block_create(struct wdm_domain *domain, gfp_t gfp,
				 struct wdm_iova_block **out)
{
	struct wdm_iova_block *block;

	if (!wdm_budget_charge(domain->budget, sizeof(*block)))
		return STATUS_WORKING_SET_QUOTA;
	block = kmalloc(sizeof(*block), gfp);
	if (!block) {
		wdm_budget_uncharge(domain->budget, sizeof(*block));
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*out = block;
	return STATUS_SUCCESS;
}

/**
 * wdm_iova_block_destroy() - Free a block
 * @domain: the domain
 * @block: the block, which is not in the space
 */
void wdm_iova_block_destroy(struct wdm_domain *domain, struct wdm_iova_block *block)
{
	kfree(block);
	wdm_budget_uncharge(domain->budget, sizeof(*block));
}

/**
 * wdm_iova_destroy() - Free all blocks of a domain
 * @domain: the domain, which no other call uses and which has no tokens
 */
void wdm_iova_destroy(struct wdm_domain *domain)
{
	struct wdm_iova_block *block, *next;

	rbtree_postorder_for_each_entry_safe(block, next, &domain->space.blocks, rb) {
		if (block->kind != WDM_IOVA_END)
			wdm_iova_block_destroy(domain, block);
		cond_resched();
	}
}

/* Get the whole pages of a range; return false if there are none. */
static bool wdm_iova_pages(const struct wdm_iova_range *range,
			   const struct wdm_limits *limits, u64 *pgno, u64 *last_pgno)
{
	u64 iova = max(range->iova, limits->min);
	u64 last_iova = min(range->last_iova, limits->max);

	if (iova > last_iova || last_iova < PAGE_SIZE - 1)
		return false;
	*pgno = (iova >> PAGE_SHIFT) + !PAGE_ALIGNED(iova);
	/* The last page that ends at or before @last_iova */
	*last_pgno = ((last_iova - (PAGE_SIZE - 1)) >> PAGE_SHIFT);
	return *pgno <= *last_pgno;
}

static ntstatus_t wdm_iova_alloc_locked(struct wdm_domain *domain,
					struct wdm_iova_block *block, u64 nr_pages,
					const struct wdm_limits *limits,
					enum wdm_iova_kind kind)
{
	const struct wdm_iova_range *range;
	u64 at, pgno, last_pgno;

	for (at = limits->min; at <= limits->max; at = range->last_iova + 1) {
		range = wdm_allowed_next(&domain->allowed, at);
		if (!range)
			break;
		if (wdm_iova_pages(range, limits, &pgno, &last_pgno) &&
		    wdm_iova_space_alloc(&domain->space, block, nr_pages, pgno,
					 last_pgno, kind)) {
			block->nr_mapped = nr_pages;
			return STATUS_SUCCESS;
		}
		if (range->last_iova == U64_MAX)
			break;
	}
	return limits->given ? STATUS_INVALID_PARAMETER_MIX :
			       STATUS_INSUFFICIENT_RESOURCES;
}

/**
 * wdm_iova_may_unmap_locked() - Check that pages can be unmapped by address
 * @domain: the domain
 * @pgno: in: the first page number; out: past the pages that were checked
 * @last_pgno: the last page number
 *
 * Checks one block: call it until @pgno is past @last_pgno.
 *
 * Context: wdm_domain.lock is held.
 * Return: false if one is part of a token, or of a reserved region that is always mapped.
 */
bool wdm_iova_may_unmap_locked(struct wdm_domain *domain, u64 *pgno, u64 last_pgno)
{
	const struct wdm_iova_block *block =
		wdm_iova_space_find(&domain->space, *pgno, last_pgno);

	*pgno = (block ? block->last : last_pgno) + 1;
	return !block ||
	       (block->kind != WDM_IOVA_TOKEN && block->kind != WDM_IOVA_FIXED);
}

/**
 * wdm_iova_unmapped_locked() - Return the addresses of unmapped pages to the allocator
 * @domain: the domain
 * @pgno: in: the first page number; out: the page after those that were handled
 * @last_pgno: the last page number; all of these pages were mapped
 *
 * A block goes back when its last page is unmapped. Handles one block per call: call it
 * until it returns false.
 *
 * Context: wdm_domain.lock is held.
 * Return: true if there may be more blocks.
 */
bool wdm_iova_unmapped_locked(struct wdm_domain *domain, u64 *pgno, u64 last_pgno)
{
	struct wdm_iova_block *block;
	u64 block_pgno, block_last_pgno;

	if (!wdm_iova_space_allocates(&domain->space) || *pgno > last_pgno)
		return false;
	block = wdm_iova_space_find(&domain->space, *pgno, last_pgno);
	if (WARN_ON_ONCE(!block || block->kind != WDM_IOVA_ALLOCATED))
		return false;
	block_pgno = max(*pgno, block->first);
	block_last_pgno = min(last_pgno, block->last);
	*pgno = block_last_pgno + 1;
	block->nr_mapped -= block_last_pgno - block_pgno + 1;
	if (!block->nr_mapped) {
		wdm_iova_space_drop(&domain->space, block);
		wdm_iova_block_destroy(domain, block);
	}
	return true;
}

/**
 * wdm_iova_alloc() - Allocate the lowest free addresses
 * @domain: the domain, which has an allocator
 * @block: takes the pages
 * @nr_pages: number of pages, at least 1; see wdm_iova_space_alloc()
 * @limits: limits for the address
 * @kind: what the pages are for
 *
 * Allocates only addresses that can be mapped for all attached devices.
 *
 * Context: wdm_domain.allowed is stable, or the domain is atomic.
 * Return: STATUS_INVALID_PARAMETER_MIX if none are free within limits given by the
 * caller, STATUS_INSUFFICIENT_RESOURCES if none are free at all.
 */
ntstatus_t wdm_iova_alloc(struct wdm_domain *domain, struct wdm_iova_block *block,
			  u64 nr_pages, const struct wdm_limits *limits,
			  enum wdm_iova_kind kind)
{
	unsigned long flags;
	ntstatus_t status;

	spin_lock_irqsave(&domain->lock, flags);
	status = wdm_iova_alloc_locked(domain, block, nr_pages, limits, kind);
	spin_unlock_irqrestore(&domain->lock, flags);
	return status;
}

/**
 * wdm_iova_drop() - Give back the pages of a block
 * @domain: the domain
 * @block: the block; the caller's memory again
 */
void wdm_iova_drop(struct wdm_domain *domain, struct wdm_iova_block *block)
{
	unsigned long flags;

	spin_lock_irqsave(&domain->lock, flags);
	wdm_iova_space_drop(&domain->space, block);
	spin_unlock_irqrestore(&domain->lock, flags);
}

/**
 * wdm_iova_check_map() - Check that a caller may map at an address of its choice
 * @domain: the domain
 * @pgno: the first page number
 * @last_pgno: the last page number; the caller holds these pages
 *
 * Return: STATUS_RESOURCE_IN_USE if a reserved region or a token has one of the pages.
 */
ntstatus_t wdm_iova_check_map(struct wdm_domain *domain, u64 pgno, u64 last_pgno)
{
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&domain->lock, flags);
	taken = wdm_iova_space_find(&domain->space, pgno, last_pgno);
	spin_unlock_irqrestore(&domain->lock, flags);
	return taken ? STATUS_RESOURCE_IN_USE : STATUS_SUCCESS;
}

/**
 * wdm_iova_check_unmap() - Check that pages can be unmapped by address
 * @domain: the domain
 * @pgno: in: the first page number; out: past the pages that were checked
 * @last_pgno: the last page number; the caller holds these pages
 *
 * Checks one block, like wdm_iova_may_unmap_locked(): a program decides how many there are.
 *
 * Return: STATUS_RESOURCE_IN_USE if they cannot.
 */
ntstatus_t wdm_iova_check_unmap(struct wdm_domain *domain, u64 *pgno, u64 last_pgno)
{
	unsigned long flags;
	bool allowed;

	spin_lock_irqsave(&domain->lock, flags);
	allowed = wdm_iova_may_unmap_locked(domain, pgno, last_pgno);
	spin_unlock_irqrestore(&domain->lock, flags);
	return allowed ? STATUS_SUCCESS : STATUS_RESOURCE_IN_USE;
}

/**
 * wdm_iova_unmapped() - Return the addresses of unmapped pages to the allocator
 * @domain: the domain
 * @pgno: as for wdm_iova_unmapped_locked()
 * @last_pgno: the last page number; all of these pages were mapped, and the caller holds
 *	them until the IOTLB is synced
 *
 * Return: as wdm_iova_unmapped_locked().
 */
bool wdm_iova_unmapped(struct wdm_domain *domain, u64 *pgno, u64 last_pgno)
{
	unsigned long flags;
	bool more;

	spin_lock_irqsave(&domain->lock, flags);
	more = wdm_iova_unmapped_locked(domain, pgno, last_pgno);
	spin_unlock_irqrestore(&domain->lock, flags);
	return more;
}
