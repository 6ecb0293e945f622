// SPDX-License-Identifier: GPL-2.0
/*
 * Join and leave: add attachments and hwpts to a domain and remove them, and fill new
 * hwpts.
 */
#include "join.h"
#include "owner.h"

/* Maximum number of pages that small maps fill under wdm_domain.lock */
#define WDM_FILL_PAGES	512

/* Check that nothing is mapped outside the aperture. */
static bool wdm_aperture_fits(struct wdm_domain *domain,
			      const struct wdm_iova_range *aperture, const atomic_t *revoking)
{
	if (aperture->iova &&
	    domain->ops->uses(domain, 0, aperture->iova - 1, revoking))
		return false;
	return aperture->last_iova == U64_MAX ||
	       !domain->ops->uses(domain, aperture->last_iova + 1, U64_MAX, revoking);
}

/* Check that nothing is mapped in a reserved region. */
static bool wdm_resv_fits(struct wdm_domain *domain, const struct wdm_resv *resv,
			  const atomic_t *revoking)
{
	unsigned int i;

	for (i = 0; i < resv->nr; i++)
		if (domain->ops->uses(domain, resv->ranges[i].iova,
				      resv->ranges[i].last_iova, revoking))
			return false;
	return true;
}

/*
 * Change state that maps and unmaps depend on. The caller holds all pages, which keeps
 * out everything but the maps and unmaps of an atomic domain.
 */
static ntstatus_t wdm_domain_change(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
				    struct wdm_attachment *attachment,
				    ntstatus_t (*change)(struct wdm_domain *domain,
							 struct wdm_hwpt *hwpt,
							 struct wdm_attachment *attachment))
{
	unsigned long flags;
	ntstatus_t status;

	if (!domain->atomic)
		return change(domain, hwpt, attachment);
	spin_lock_irqsave(&domain->lock, flags);
	status = change(domain, hwpt, attachment);
	spin_unlock_irqrestore(&domain->lock, flags);
	return status;
}

static ntstatus_t wdm_join_locked(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
				  struct wdm_attachment *attachment)
{
	const atomic_t *revoking = attachment ? &attachment->group->owner->nr_revoking : NULL;

	if (!wdm_aperture_fits(domain, &hwpt->aperture, revoking) ||
	    (attachment && !wdm_resv_fits(domain, &attachment->resv, revoking)))
		return wdm_domain_cancelled(domain) || (revoking && atomic_read(revoking)) ?
		       STATUS_CANCELLED : STATUS_CONFLICTING_ADDRESSES;
	if (!hwpt->users++)
		list_add_tail(&hwpt->node, &domain->hwpts);
	if (attachment)
		list_add_tail(&attachment->domain_node, &domain->attachments);
	wdm_allowed_update(domain);
	return STATUS_SUCCESS;
}

/**
 * wdm_domain_join() - Add a hwpt, unless the domain has it, and an attachment
 * @domain: the domain, all of which is locked, after wdm_allowed_reserve()
 * @hwpt: the hwpt
 * @attachment: the attachment, which uses @hwpt; may be NULL
 *
 * Return: STATUS_CONFLICTING_ADDRESSES if an address is mapped that the attachment does
 * not allow; then nothing has changed.
 */
ntstatus_t wdm_domain_join(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			   struct wdm_attachment *attachment)
{
	return wdm_domain_change(domain, hwpt, attachment, wdm_join_locked);
}

/* Unmap everything. Not in steps: only debug kernels and tests get here. */
static void wdm_hwpt_clear(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	struct iommu_iotlb_gather gather;
	struct wdm_mapping map;
	u64 pgno = 0, nr_pages;

	iommu_iotlb_gather_init(&gather);
	while (domain->ops->next(domain, pgno, false, NULL, &map)) {
		pgno = map.iova >> PAGE_SHIFT;
		if (!map.nr_pages)
			continue;
		nr_pages = wdm_hwpt_reached(hwpt, pgno, map.nr_pages);
		if (!nr_pages)
			break;
		wdm_hwpt_unmap(hwpt, map.iova, nr_pages << PAGE_SHIFT, &gather);
		pgno += map.nr_pages;
		wdm_hwpt_resched(hwpt);
	}
	iommu_iotlb_sync(hwpt->domain, &gather);
}

static ntstatus_t wdm_leave_locked(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
				   struct wdm_attachment *attachment)
{
	if (attachment)
		list_del(&attachment->domain_node);
	if (!--hwpt->users) {
		list_del(&hwpt->node);
		if (WDM_HWPT_FREE_EMPTY || !attachment)
			wdm_hwpt_clear(domain, hwpt);
	}
	wdm_allowed_update(domain);
	return STATUS_SUCCESS;
}

/**
 * wdm_domain_leave() - Undo wdm_domain_join()
 * @domain: the domain, all of which is locked
 * @hwpt: the hwpt; with its last user, it is removed, and unmaps may ignore it
 * @attachment: the attachment, which has left @hwpt; may be NULL
 */
void wdm_domain_leave(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
		      struct wdm_attachment *attachment)
{
	wdm_domain_change(domain, hwpt, attachment, wdm_leave_locked);
}

/* Perform a bounded step of filling a hwpt: one large map, or some small ones. */
static ntstatus_t wdm_fill_locked(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
				  struct wdm_attachment *unused)
{
	struct wdm_mapping map;
	ntstatus_t status;
	u64 nr_pages;

	for (nr_pages = 0; nr_pages < WDM_FILL_PAGES && !wdm_hwpt_must_yield(hwpt);
	     nr_pages += map.nr_pages) {
		if (!domain->ops->next(domain, hwpt->filled, true, hwpt->revoking,
				       &map)) {
			if (wdm_domain_cancelled(domain) || wdm_hwpt_must_yield(hwpt))
				return STATUS_CANCELLED;
			hwpt->filled = U64_MAX;
			return STATUS_SUCCESS;
		}
		hwpt->filled = map.iova >> PAGE_SHIFT;
		if (!map.nr_pages)
			break;
		status = wdm_hwpt_map(hwpt, &map, domain->killable);
		if (!wdm_ok(status))
			return status;
		hwpt->filled += map.nr_pages;
	}
	return STATUS_SUCCESS;
}

/*
 * A step that fills an atomic domain's hwpt cannot wait for memory. Allocate the page tables
 * that it lacks with nothing locked: no other call maps in this hwpt from @filled on.
 */
static ntstatus_t wdm_fill_make_tables(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	struct wdm_extent ext;
	ntstatus_t status;
	u64 last_pgno;

	status = domain->ops->lookup(domain, hwpt->filled, &ext);
	if (!wdm_ok(status))
		return status == STATUS_NOT_FOUND ? STATUS_SUCCESS : status;
	last_pgno = min(wdm_extent_end(&ext) - 1, ext.pgno | (WDM_HWPT_STEP_PAGES - 1));
	status = wdm_hwpt_prefill(hwpt, ext.pgno, ext.pgno);
	if (wdm_ok(status))
		status = wdm_hwpt_prefill(hwpt, last_pgno, last_pgno);
	return status;
}

/**
 * wdm_domain_fill() - Map the contents of a domain in a new hwpt, step by step
 * @domain: the domain, all of which is locked
 * @hwpt: the hwpt, which is in the domain's list; a shared one is complete already
 * @revoking: number of groups and devices being revoked; unless it is 0, the attach backs
 *	off. May be NULL
 *
 * Maps and unmaps of an atomic domain run between the steps and skip what is not filled
 * yet. On failure, the caller removes the hwpt.
 *
 * Return: as wdm_hwpt_map(); STATUS_CANCELLED also if the attach has to back off.
 */
ntstatus_t wdm_domain_fill(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			   const atomic_t *revoking)
{
	ntstatus_t status = STATUS_SUCCESS;
	u64 tried = U64_MAX;

	if (!hwpt->filled && domain->ops->prepare)
		status = domain->ops->prepare(domain, hwpt, revoking);
	if (!domain->atomic)
		hwpt->revoking = revoking;
	while (wdm_ok(status) && hwpt->filled != U64_MAX) {
		if (wdm_domain_cancelled(domain) ||
		    (revoking && atomic_read(revoking)))
			status = STATUS_CANCELLED;
		else
			status = wdm_domain_change(domain, hwpt, NULL,
						   wdm_fill_locked);
		if (status == STATUS_INSUFFICIENT_RESOURCES && domain->atomic &&
		    tried != hwpt->filled) {
			tried = hwpt->filled;
			status = wdm_fill_make_tables(domain, hwpt);
		}
		cond_resched();
	}
	hwpt->revoking = NULL;
	return status;
}
