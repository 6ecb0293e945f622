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
#include "../trace.h"
#include "private.h"

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

static const struct wdm_walk_ops wdm_walk_killable = {
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

	if (walk->keeps_lock)
		return;
	wdm_hwpts_sync(walk->domain);
	/* Another walk may look for entries to retry before this one gets there. */
	shadow->retry |= walk->retry;
	spin_unlock_irqrestore(&walk->domain->lock, walk->flags);
	spin_lock_irqsave(&walk->domain->lock, walk->flags);
	walk->cancelled = shadow->nr_walks != walk->number;
	walk->keeps_lock = walk->cancelled;
}

static void wdm_walk_unlock_atomic(struct wdm_walk *walk)
	__releases(&walk->domain->lock)
{
	spin_unlock_irqrestore(&walk->domain->lock, walk->flags);
}

static const struct wdm_walk_ops wdm_walk_atomic = {
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
	if (walk->locked) {
		wdm_walk_unmap_stale(walk);
		wdm_hwpts_sync(walk->domain);
	}
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
