// SPDX-License-Identifier: GPL-2.0
/*
 * Join and leave: add attachments and hwpts to a domain and remove them, and fill new
 * hwpts.
 */
#include "join.h"
#include "owner.h"

/* Maximum number of pages that small maps fill under wdm_domain.lock */
#define WDM_FILL_PAGES	512

/*
 * Check that nothing is mapped outside the aperture of a hwpt, or in a reserved region. Return
 * STATUS_CONFLICTING_ADDRESSES if something is, STATUS_CANCELLED if the attach has to back off.
 */
static ntstatus_t wdm_attachment_check(const struct wdm_attachment *attachment)
{
	const atomic_t *revoking = &attachment->group->owner->nr_revoking;
	const struct wdm_iova_range *aperture = &attachment->hwpt->aperture;
	const struct wdm_resv *resv = &attachment->resv;
	struct wdm_domain *domain = attachment->domain;
	ntstatus_t status = STATUS_SUCCESS;
	unsigned int i;

	if (aperture->iova)
		status = domain->ops->check_unused(domain, 0, aperture->iova - 1, revoking);
	if (wdm_ok(status) && aperture->last_iova != U64_MAX)
		status = domain->ops->check_unused(domain, aperture->last_iova + 1, U64_MAX,
						   revoking);
	for (i = 0; wdm_ok(status) && i < resv->nr; i++)
		status = domain->ops->check_unused(domain, resv->ranges[i].iova,
						   resv->ranges[i].last_iova, revoking);
	return status;
}

/*
 * Change state that maps and unmaps depend on. The caller holds all pages, which keeps
 * out everything but the maps and unmaps of an atomic domain.
 */
static ntstatus_t wdm_domain_change(struct wdm_attachment *attachment,
				    struct wdm_hwpt *hwpt,
				    ntstatus_t (*change)(struct wdm_attachment *attachment,
							 struct wdm_hwpt *hwpt))
{
	struct wdm_domain *domain = attachment->domain;
	unsigned long flags;
	ntstatus_t status;

	if (!domain->atomic)
		return change(attachment, hwpt);
	spin_lock_irqsave(&domain->lock, flags);
	status = change(attachment, hwpt);
	spin_unlock_irqrestore(&domain->lock, flags);
	return status;
}

static bool wdm_attach_must_stop(const struct wdm_attachment *attachment)
{
	return wdm_domain_cancelled(attachment->domain) ||
	       atomic_read(&attachment->group->owner->nr_revoking);
}

/*
 * Many PASIDs may share a hwpt. One that joins or leaves it changes nothing: it has no
 * reserved ranges.
 */
static ntstatus_t wdm_join_locked(struct wdm_attachment *attachment,
				  struct wdm_hwpt *hwpt)
{
	struct wdm_domain *domain = attachment->domain;
	ntstatus_t status = wdm_attachment_check(attachment);
	bool first;

	if (!wdm_ok(status))
		return status;
	first = !hwpt->users++;
	if (first)
		list_add_tail(&hwpt->node, &domain->hwpts);
	if (attachment->resv.nr)
		list_add_tail(&attachment->domain_node, &domain->attachments);
	if (first || attachment->resv.nr)
		wdm_allowed_update(domain);
	return STATUS_SUCCESS;
}

/**
 * wdm_domain_join() - Add an attachment to its domain, and its hwpt if that is new
 * @attachment: the attachment, which uses the hwpt. All of its domain is locked, after
 *	wdm_allowed_reserve()
 *
 * Return: STATUS_CONFLICTING_ADDRESSES if an address is mapped that the attachment does
 * not allow; STATUS_CANCELLED if the attach has to back off. Has no effect then.
 */
ntstatus_t wdm_domain_join(struct wdm_attachment *attachment)
{
	return wdm_domain_change(attachment, attachment->hwpt, wdm_join_locked);
}

/* Unmap everything. Not in steps: only debug kernels and tests get here. */
static void wdm_hwpt_clear(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	struct iommu_iotlb_gather gather;
	struct wdm_mapping map;
	u64 pgno = 0, nr_pages;

	iommu_iotlb_gather_init(&gather);
	while (wdm_ok(domain->ops->next(domain, pgno, false, NULL, &map))) {
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

static ntstatus_t wdm_leave_locked(struct wdm_attachment *attachment,
				   struct wdm_hwpt *hwpt)
{
	bool last = !--hwpt->users;

	if (last) {
		list_del(&hwpt->node);
		if (WDM_HWPT_FREE_EMPTY)
			wdm_hwpt_clear(attachment->domain, hwpt);
	}
	if (attachment->resv.nr)
		list_del(&attachment->domain_node);
	if (last || attachment->resv.nr)
		wdm_allowed_update(attachment->domain);
	return STATUS_SUCCESS;
}

/**
 * wdm_domain_leave() - Undo wdm_domain_join()
 * @attachment: the attachment, which has left the hwpt. All of its domain is locked
 * @hwpt: the hwpt; with its last user, it is removed, and unmaps may ignore it
 */
void wdm_domain_leave(struct wdm_attachment *attachment, struct wdm_hwpt *hwpt)
{
	wdm_domain_change(attachment, hwpt, wdm_leave_locked);
}

/* Perform a bounded step of filling a hwpt: one large map, or some small ones. */
static ntstatus_t wdm_fill_locked(struct wdm_attachment *attachment,
				  struct wdm_hwpt *hwpt)
{
	struct wdm_domain *domain = attachment->domain;
	struct wdm_mapping map;
	ntstatus_t status;
	u64 nr_pages;

	for (nr_pages = 0; nr_pages < WDM_FILL_PAGES && !wdm_hwpt_must_yield(hwpt);
	     nr_pages += map.nr_pages) {
		status = domain->ops->next(domain, hwpt->filled, true, hwpt->revoking, &map);
		if (status == STATUS_NOT_FOUND) {
			hwpt->filled = U64_MAX;
			return STATUS_SUCCESS;
		}
		if (!wdm_ok(status))
			return status;
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
 * @attachment: the attachment, after wdm_domain_join(); a hwpt that it shares is complete
 *	already. All of its domain is locked
 *
 * Maps and unmaps of an atomic domain run between the steps and skip what is not filled
 * yet. On failure, the caller removes the hwpt.
 *
 * Return: as wdm_hwpt_map(); STATUS_CANCELLED also if the attach has to back off.
 */
ntstatus_t wdm_domain_fill(struct wdm_attachment *attachment)
{
	const atomic_t *revoking = &attachment->group->owner->nr_revoking;
	struct wdm_domain *domain = attachment->domain;
	struct wdm_hwpt *hwpt = attachment->hwpt;
	ntstatus_t status = STATUS_SUCCESS;
	u64 tried = U64_MAX;

	if (!hwpt->filled && domain->ops->prefill)
		status = domain->ops->prefill(domain, hwpt, revoking);
	if (!domain->atomic)
		hwpt->revoking = revoking;
	while (wdm_ok(status) && hwpt->filled != U64_MAX) {
		status = wdm_attach_must_stop(attachment) ? STATUS_CANCELLED :
			 wdm_domain_change(attachment, hwpt, wdm_fill_locked);
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
