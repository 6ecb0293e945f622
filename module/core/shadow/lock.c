// SPDX-License-Identifier: GPL-2.0
/*
 * How a walk locks its domain, yields, and ends.
 *
 * A walk for a program may sleep, and ends on a fatal signal. It holds the shadow's mutex
 * throughout, and the empty range, which it drops when attach or detach waits.
 *
 * Kernel code may flush with interrupts off, and in an interrupt that came in the middle
 * of another flush of the same domain and cannot wait for its end. So such a walk holds
 * wdm_domain.lock only, and drops it after each bounded piece of work. Another walk that
 * gets the lock finishes what is pending, as after a walk that was killed, and may free
 * any shadow page. The walk that it overtakes ends as if it had been killed, without
 * dereferencing a shadow page, and starts over. The second time it does not yield, as two
 * walks could overtake each other forever.
 *
 * Everything but these operations and domain->gfp is common to both kinds of walks.
 */
#include "../hwpt_set.h"
#include "private.h"

/**
 * wdm_walk_unmap() - Unmap whole leaves, or steps of a large one, in all hwpts
 * @walk: the walk, in its first pass
 * @iova: the first logical address
 * @size: number of bytes
 */
void wdm_walk_unmap(struct wdm_walk *walk, u64 iova, u64 size)
{
	u64 nr_pages = size >> PAGE_SHIFT;

	/* A walk that is cancelled in a yield no longer keeps the hwpts from changing. */
	WARN_ON_ONCE(!walk->locked);
	wdm_hwpts_unmap_gather(walk->domain, iova, size);
	walk->nr_unmapped += nr_pages;
	walk->shadow->bytes -= size;
}

/**
 * wdm_walk_unmap_stale() - Unmap what wdm_walk_unmap_later() has put off
 * @walk: the walk, in its first pass or at the end of it
 */
void wdm_walk_unmap_stale(struct wdm_walk *walk)
{
	if (walk->stale_size)
		wdm_walk_unmap(walk, walk->stale_iova, walk->stale_size);
	walk->stale_size = 0;
}

/**
 * wdm_walk_sync_hwpts() - Unmap what has been put off, and sync
 * @walk: the walk, in its first pass or at the end of it
 *
 * When it returns, nothing that was zapped is mapped, and its addresses can be mapped again.
 */
void wdm_walk_sync_hwpts(struct wdm_walk *walk)
{
	wdm_walk_unmap_stale(walk);
	wdm_hwpts_sync(walk->domain);
}

/**
 * wdm_walk_unmap_later() - Unmap leaves of 4 KiB with those that follow them
 * @walk: the walk, in its first pass
 * @iova: the first logical address of the leaves, which are no longer live
 * @size: number of bytes
 *
 * One call of the IOMMU driver for adjacent leaves takes a fraction of a call for each.
 * wdm_walk_yield() bounds how much is put off.
 */
void wdm_walk_unmap_later(struct wdm_walk *walk, u64 iova, u64 size)
{
	/* Nothing is adjacent across the end of the address space. */
	if (!iova || iova != walk->stale_iova + walk->stale_size) {
		wdm_walk_unmap_stale(walk);
		walk->stale_iova = iova;
	}
	walk->stale_size += size;
	walk->work += size >> PAGE_SHIFT;
}

static bool wdm_walk_lock_range(struct wdm_walk *walk)
{
	walk->locked = wdm_ok(wdm_domain_lock(walk->domain, &walk->range));
	return walk->locked;
}

static bool wdm_walk_lock_killable(struct wdm_walk *walk)
{
	if (mutex_lock_killable(&walk->shadow->lock))
		return false;
	if (wdm_walk_lock_range(walk))
		return true;
	mutex_unlock(&walk->shadow->lock);
	return false;
}

/* The mutex stays held, which keeps other walks out. */
static void wdm_walk_yield_killable(struct wdm_walk *walk)
{
	struct wdm_domain *domain = walk->domain;

	if (wdm_range_wanted(&domain->ranges)) {
		wdm_hwpts_sync(walk->domain);
		wdm_domain_unlock(domain, &walk->range);
		walk->cancelled = !wdm_walk_lock_range(walk);
	}
	if (wdm_domain_cancelled(domain))
		walk->cancelled = true;
	cond_resched();
}

static void wdm_walk_unlock_killable(struct wdm_walk *walk)
{
	if (walk->locked)
		wdm_domain_unlock(walk->domain, &walk->range);
	mutex_unlock(&walk->shadow->lock);
}

const struct wdm_walk_ops wdm_walk_killable = {
	.lock = wdm_walk_lock_killable,
	.yield = wdm_walk_yield_killable,
	.unlock = wdm_walk_unlock_killable,
};

static bool wdm_walk_lock_atomic(struct wdm_walk *walk)
	__acquires(&walk->domain->lock)
{
	spin_lock_irqsave(&walk->domain->lock, walk->flags);
	walk->locked = true;
	walk->number = ++walk->shadow->nr_walks;
	return true;
}

static void wdm_walk_yield_atomic(struct wdm_walk *walk)
	__must_hold(&walk->domain->lock)
{
	struct wdm_shadow *shadow = walk->shadow;
	bool retry = shadow->retry;

	if (walk->keeps_lock)
		return;
	wdm_hwpts_sync(walk->domain);
	/* Another walk may look for entries to retry before this one gets there. */
	shadow->retry |= walk->retry;
	spin_unlock_irqrestore(&walk->domain->lock, walk->flags);
	spin_lock_irqsave(&walk->domain->lock, walk->flags);
	walk->cancelled = shadow->nr_walks != walk->number;
	walk->keeps_lock = walk->cancelled;
	/* None did, or this one would be cancelled. */
	if (!walk->cancelled)
		shadow->retry = retry;
}

static void wdm_walk_unlock_atomic(struct wdm_walk *walk)
	__releases(&walk->domain->lock)
{
	spin_unlock_irqrestore(&walk->domain->lock, walk->flags);
}

const struct wdm_walk_ops wdm_walk_atomic = {
	.lock = wdm_walk_lock_atomic,
	.yield = wdm_walk_yield_atomic,
	.unlock = wdm_walk_unlock_atomic,
};

/**
 * wdm_walk_yield_slow() - Out-of-line part of wdm_walk_yield()
 * @walk: the walk
 *
 * Return: as wdm_walk_yield().
 */
bool wdm_walk_yield_slow(struct wdm_walk *walk)
{
	if (walk->cancelled)
		return false;
	wdm_walk_unmap_stale(walk);
	walk->work = 0;
	walk->ops->yield(walk);
	return !walk->cancelled;
}

/**
 * wdm_shadow_read() - Read a shadow while no walk changes it
 * @domain: the domain
 * @fn: reads it; called in atomic context if the domain is atomic
 * @arg: for @fn
 *
 * Return: the status of @fn; STATUS_CANCELLED on a fatal signal.
 */
ntstatus_t wdm_shadow_read(struct wdm_domain *domain,
			   ntstatus_t (*fn)(struct wdm_domain *domain, void *arg),
			   void *arg)
{
	unsigned long flags;
	ntstatus_t status;

	if (domain->atomic) {
		spin_lock_irqsave(&domain->lock, flags);
		status = fn(domain, arg);
		spin_unlock_irqrestore(&domain->lock, flags);
		return status;
	}
	if (mutex_lock_killable(&domain->shadow->lock))
		return STATUS_CANCELLED;
	status = fn(domain, arg);
	mutex_unlock(&domain->shadow->lock);
	return status;
}
