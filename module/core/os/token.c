// SPDX-License-Identifier: GPL-2.0
/*
 * Tokens: everything that a map in a token needs is allocated when the token is created.
 *
 * The token keeps its nodes of the mapping table. The IOMMU's page tables are allocated
 * by the first map of a page and stay, as no IOMMU driver frees a table when part of what
 * it covers is unmapped. So creating a token, or adding a hwpt to its domain, maps and
 * unmaps one page per table. After that the token's pages are mapped by 4 KiB pages only,
 * and unmapped by less than a table at a time.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sizes.h>

#include "../hwpt_set.h"
#include "batch.h"
#include "token.h"

static size_t wdm_token_bitmap_bytes(u64 nr_pages)
{
	return BITS_TO_LONGS(nr_pages) * sizeof(unsigned long);
}

static size_t wdm_token_bytes(u64 nr_pages)
{
	return sizeof(struct wdm_token) + 3 * wdm_token_bitmap_bytes(nr_pages);
}

/* Calls that found the token in an RCU read-side critical section may still read @freed. */
static void wdm_token_destroy(struct wdm_token *token)
{
	kvfree(token->mapped);
	kfree_rcu(token, rcu);
}

static ntstatus_t wdm_token_alloc(struct wdm_domain *domain, u64 nr_pages,
				  struct wdm_token **out)
{
	struct wdm_token *token;

	if (nr_pages > WDM_TOKEN_MAX_PAGES)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!wdm_budget_charge(domain->budget, wdm_token_bytes(nr_pages)))
		return STATUS_WORKING_SET_QUOTA;
	token = kzalloc(sizeof(*token), GFP_KERNEL_ACCOUNT);
	if (token)
		token->mapped = kvzalloc(3 * wdm_token_bitmap_bytes(nr_pages),
					 GFP_KERNEL_ACCOUNT);
	if (!token || !token->mapped) {
		wdm_budget_uncharge(domain->budget, wdm_token_bytes(nr_pages));
		kfree(token);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	token->starts = token->mapped + BITS_TO_LONGS(nr_pages);
	token->busy = token->starts + BITS_TO_LONGS(nr_pages);
	token->domain = domain;
	INIT_LIST_HEAD(&token->node);
	token->nr_pages = nr_pages;
	*out = token;
	return STATUS_SUCCESS;
}

/* Allocate a token's page tables in all hwpts. */
static ntstatus_t wdm_token_prefill(struct wdm_batch *batch, struct wdm_token *token)
{
	u64 at, step_last, last = wdm_token_last(token);
	struct wdm_hwpt *hwpt;
	ntstatus_t status;

	for (at = wdm_token_first(token); at <= last; at = step_last + 1) {
		step_last = min(last, at | (WDM_TOKEN_STEP - 1));
		list_for_each_entry(hwpt, &token->domain->hwpts, node) {
			status = wdm_hwpt_prefill(hwpt, at, step_last);
			if (!wdm_ok(status))
				return status;
		}
		/* A yield lets detaches run, which may free hwpts, but no attach. */
		status = wdm_batch_yield(batch);
		if (!wdm_ok(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/**
 * wdm_tokens_prefill() - Allocate the page tables of all tokens in a new hwpt
 * @domain: the domain, all of which is locked
 * @hwpt: the hwpt, in which nothing is mapped, and which no other call uses yet
 * @revoking: number of groups and devices being revoked; unless it is 0, the attach backs
 *	off
 *
 * Return: a status; STATUS_CANCELLED also if the attach has to back off.
 */
ntstatus_t wdm_tokens_prefill(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			      const atomic_t *revoking)
{
	struct wdm_token *token;
	ntstatus_t status;
	u64 at, step_last;

	list_for_each_entry(token, &domain->tokens, node) {
		for (at = wdm_token_first(token); at <= wdm_token_last(token);
		     at = step_last + 1) {
			step_last = min(wdm_token_last(token), at | (WDM_TOKEN_STEP - 1));
			status = wdm_domain_cancelled(domain) || atomic_read(revoking) ?
				 STATUS_CANCELLED :
				 wdm_hwpt_prefill(hwpt, at, step_last);
			if (!wdm_ok(status))
				return status;
			cond_resched();
		}
	}
	return STATUS_SUCCESS;
}

/**
 * wdm_token_uses() - Check whether a token has pages at or above a page number
 * @block: the block of the token; the allocator may have made it larger than the token
 * @pgno: the page number
 *
 * Context: wdm_domain.lock is held.
 * Return: true if it does, and was created: it must be possible to map them for every device.
 */
bool wdm_token_uses(const struct wdm_iova_block *block, u64 pgno)
{
	const struct wdm_token *token = container_of(block, struct wdm_token, block);

	return !list_empty(&token->node) && pgno <= wdm_token_last(token);
}

/* Take given pages, none of which may be mapped, and hold them. */
static ntstatus_t wdm_token_take(struct wdm_batch *batch, struct wdm_token *token,
				 u64 iova)
{
	u64 pgno = iova >> PAGE_SHIFT, last_pgno = pgno + token->nr_pages - 1;
	struct wdm_domain *domain = token->domain;
	unsigned long flags;
	ntstatus_t status;

	status = wdm_batch_hold(batch, pgno, last_pgno);
	if (!wdm_ok(status))
		return status;
	spin_lock_irqsave(&domain->lock, flags);
	if (!wdm_domain_fits(domain, iova, (last_pgno << PAGE_SHIFT) | ~PAGE_MASK))
		status = STATUS_CONFLICTING_ADDRESSES;
	/* Check the space first, as the table may contain many kept nodes to search. */
	else if (wdm_iova_space_find(&domain->space, pgno, last_pgno) ||
		 wdm_mappings_any(&domain->mappings, pgno, last_pgno) ||
		 !wdm_iova_space_take(&domain->space, &token->block, pgno, last_pgno,
				      WDM_IOVA_TOKEN))
		status = STATUS_RESOURCE_IN_USE;
	spin_unlock_irqrestore(&domain->lock, flags);
	return status;
}

/*
 * Free the token's nodes below a page, step by step. A detach that the range yields to does
 * not look at them.
 */
static void wdm_token_unkeep(struct wdm_token *token, u64 end, struct wdm_range *range)
{
	struct wdm_domain *domain = token->domain;
	u64 at, step_end;

	for (at = wdm_token_first(token); at < end; at = step_end) {
		step_end = min(end, (at | (WDM_TOKEN_STEP - 1)) + 1);
		wdm_mappings_unkeep(&domain->mappings, at, step_end - 1);
		if (wdm_range_urgent(&domain->ranges))
			wdm_range_yield(&domain->ranges, range);
	}
}

/* Allocate everything that maps in the token will need. */
static ntstatus_t wdm_token_prepare(struct wdm_batch *batch, struct wdm_token *token)
{
	u64 at, step_last, last = wdm_token_last(token);
	struct wdm_mappings *mappings = &token->domain->mappings;
	ntstatus_t status = STATUS_SUCCESS;

	for (at = wdm_token_first(token); wdm_ok(status) && at <= last;
	     at = step_last + 1) {
		step_last = min(last, at | (WDM_REGION_PAGES - 1));
		status = wdm_mappings_keep(mappings, at, GFP_KERNEL_ACCOUNT);
		if (!wdm_ok(status))
			break;
		status = wdm_batch_yield(batch);
	}
	if (wdm_ok(status))
		status = wdm_token_prefill(batch, token);
	/* The batch has unmapped nothing that it would have to sync before it yields. */
	if (!wdm_ok(status))
		wdm_token_unkeep(token, at, &batch->range);
	return status;
}

static ntstatus_t wdm_token_make(struct wdm_batch *batch, struct wdm_token *token,
				 const u64 *iova, const struct wdm_limits *limits)
{
	struct wdm_domain *domain = token->domain;
	unsigned long flags;
	ntstatus_t status;

	status = iova ? wdm_token_take(batch, token, *iova) :
			wdm_batch_alloc(batch, &token->block, token->nr_pages, limits,
					WDM_IOVA_TOKEN);
	if (!wdm_ok(status))
		return status;
	status = wdm_token_prepare(batch, token);

	spin_lock_irqsave(&domain->lock, flags);
	if (wdm_ok(status))
		list_add_tail(&token->node, &domain->tokens);
	else
		wdm_iova_space_drop(&domain->space, &token->block);
	spin_unlock_irqrestore(&domain->lock, flags);
	return status;
}

static ntstatus_t wdm_token_check(struct wdm_domain *domain, u64 size, const u64 *iova,
				  const struct wdm_limits *limits)
{
	if (!wdm_domain_maps(domain))
		return STATUS_INVALID_PARAMETER_1;
	if (!size || !PAGE_ALIGNED(size))
		return STATUS_INVALID_PARAMETER_2;
	if (!iova != wdm_iova_space_allocates(&domain->space))
		return STATUS_NOT_SUPPORTED;
	if (iova && (!PAGE_ALIGNED(*iova) || wdm_pages_wrap(*iova, size >> PAGE_SHIFT)))
		return STATUS_INVALID_PARAMETER_3;
	if (!iova && limits->min > limits->max)
		return STATUS_INVALID_PARAMETER_MIX;
	return STATUS_SUCCESS;
}

/**
 * wdm_token_create() - Reserve logical addresses
 * @domain: the domain
 * @size: number of bytes, whole pages
 * @iova: first address, page aligned, in a domain without an allocator; otherwise NULL
 * @limits: limits for the address, in a domain with an allocator
 * @out: out: the token
 *
 * Contract: IommuReserveLogicalAddressRange. Allocates everything that is needed to map
 * pages at these addresses, where nothing but the token's segments can be mapped.
 *
 * Context: may sleep.
 * Return:
 * * STATUS_INVALID_PARAMETER_1: the domain does not map for its caller
 * * STATUS_INVALID_PARAMETER_2: @size
 * * STATUS_INVALID_PARAMETER_3: @iova
 * * STATUS_NOT_SUPPORTED: an address with an allocator, or none without one
 * * STATUS_INVALID_PARAMETER_MIX: nothing is free within @limits
 * * STATUS_RESOURCE_IN_USE: something is mapped or reserved there
 * * STATUS_CONFLICTING_ADDRESSES: not possible for all attached devices
 * * STATUS_INSUFFICIENT_RESOURCES, STATUS_WORKING_SET_QUOTA, STATUS_CANCELLED
 */
ntstatus_t wdm_token_create(struct wdm_domain *domain, u64 size, const u64 *iova,
			    const struct wdm_limits *limits, struct wdm_token **out)
{
	struct wdm_token *token;
	struct wdm_batch batch;
	ntstatus_t status;

	might_sleep();
	status = wdm_token_check(domain, size, iova, limits);
	if (!wdm_ok(status))
		return status;
	status = wdm_token_alloc(domain, size >> PAGE_SHIFT, &token);
	if (!wdm_ok(status))
		return status;
	status = wdm_batch_begin(&batch, domain, U64_MAX, 0);
	if (wdm_ok(status)) {
		status = wdm_token_make(&batch, token, iova, limits);
		wdm_batch_end(&batch);
	}
	if (wdm_ok(status)) {
		*out = token;
	} else {
		wdm_budget_uncharge(domain->budget, wdm_token_bytes(token->nr_pages));
		wdm_token_destroy(token);
	}
	return status;
}

/*
 * Give the pages back; no node is kept for them any more. Once the domain is unlocked after
 * this, it may be deleted.
 */
static void wdm_token_drop(struct wdm_token *token)
{
	struct wdm_domain *domain = token->domain;
	unsigned long flags;

	wdm_budget_uncharge(domain->budget, wdm_token_bytes(token->nr_pages));
	spin_lock_irqsave(&domain->lock, flags);
	list_del(&token->node);
	wdm_iova_space_drop(&domain->space, &token->block);
	spin_unlock_irqrestore(&domain->lock, flags);
}

/* Free the nodes and give the pages back. */
static void wdm_token_remove(struct wdm_token *token, struct wdm_range *none)
{
	wdm_token_unkeep(token, wdm_token_last(token) + 1, none);
	wdm_token_drop(token);
}

/**
 * wdm_token_retire() - Let no call map in a token any more
 * @token: the token. After success, call wdm_token_free() once no new call can find it; its
 *	domain cannot be deleted before that
 *
 * Return: STATUS_RESOURCE_IN_USE while a segment is mapped; STATUS_UNSUCCESSFUL if
 * another call is freeing the token.
 */
ntstatus_t wdm_token_retire(struct wdm_token *token)
{
	struct wdm_domain *domain = token->domain;
	ntstatus_t status = STATUS_SUCCESS;
	unsigned long flags;

	spin_lock_irqsave(&domain->lock, flags);
	if (token->freed)
		status = STATUS_UNSUCCESSFUL;
	else if (token->nr_mapped)
		status = STATUS_RESOURCE_IN_USE;
	else
		token->freed = true;
	spin_unlock_irqrestore(&domain->lock, flags);
	return status;
}

/**
 * wdm_token_free() - Free the addresses of a retired token of kernel code, and the token
 * @token: the token; freed
 *
 * Contract: IommuFreeReservedLogicalAddressRange.
 *
 * Context: may sleep.
 */
void wdm_token_free(struct wdm_token *token)
{
	struct wdm_domain *domain = token->domain;
	struct wdm_range none;

	/* Keep attaches out, which read the list of tokens. */
	wdm_range_lock_none(&domain->ranges, &none, false);
	wdm_token_remove(token, &none);
	wdm_domain_unlock(domain, &none);
	wdm_token_destroy(token);
}

/**
 * wdm_token_delete() - Free reserved addresses
 * @token: the token, which no other call uses; freed on success
 *
 * Context: may sleep.
 * Return: as wdm_token_retire(), or STATUS_CANCELLED.
 */
ntstatus_t wdm_token_delete(struct wdm_token *token)
{
	struct wdm_domain *domain = token->domain;
	struct wdm_range none;
	ntstatus_t status;

	might_sleep();
	status = wdm_domain_lock(domain, &none);
	if (!wdm_ok(status))
		return status;
	status = wdm_token_retire(token);
	if (wdm_ok(status))
		wdm_token_remove(token, &none);
	wdm_domain_unlock(domain, &none);
	if (wdm_ok(status))
		wdm_token_destroy(token);
	return status;
}

/**
 * wdm_token_close() - Free reserved addresses before their domain is deleted
 * @token: the token; freed. Its segments go with the domain, which no other call uses and
 *	to which no device is attached
 *
 * Context: may sleep.
 */
void wdm_token_close(struct wdm_token *token)
{
	struct wdm_domain *domain = token->domain;

	wdm_mappings_unkeep(&domain->mappings, wdm_token_first(token),
			    wdm_token_last(token));
	wdm_token_drop(token);
	wdm_token_destroy(token);
}
