// SPDX-License-Identifier: GPL-2.0
/*
 * Reserved regions of devices, and the logical addresses that they leave to a domain.
 */
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "join.h"
#include "resv.h"

/* Relaxable regions do not count, as for VFIO's type1. */
static bool wdm_region_is_reserved(const struct iommu_resv_region *region)
{
	return region->type != IOMMU_RESV_DIRECT_RELAXABLE && region->length;
}

/**
 * wdm_free_regions() - Free the list of iommu_get_group_resv_regions()
 * @regions: the list; may be empty
 */
void wdm_free_regions(struct list_head *regions)
{
	struct iommu_resv_region *region, *next;

	list_for_each_entry_safe(region, next, regions, list) {
		list_del(&region->list);
		kfree(region);
	}
}

/**
 * wdm_resv_init() - Record the reserved regions of a group
 * @resv: out: the ranges, for wdm_resv_destroy() after success
 * @regions: the list of iommu_get_group_resv_regions()
 *
 * Return: STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_resv_init(struct wdm_resv *resv, const struct list_head *regions)
{
	const struct iommu_resv_region *region;
	unsigned int nr = 0;

	list_for_each_entry(region, regions, list)
		nr += wdm_region_is_reserved(region);

	resv->nr = 0;
	resv->ranges = kcalloc(nr, sizeof(*resv->ranges), GFP_KERNEL_ACCOUNT);
	if (!resv->ranges)
		return STATUS_INSUFFICIENT_RESOURCES;
	list_for_each_entry(region, regions, list) {
		if (!wdm_region_is_reserved(region))
			continue;
		resv->ranges[resv->nr++] = (struct wdm_resv_range) {
			.iova = region->start,
			.last_iova = region->start + region->length - 1,
			.type = region->type,
		};
	}
	return STATUS_SUCCESS;
}

/**
 * wdm_resv_destroy() - Undo wdm_resv_init()
 * @resv: the reserved ranges
 */
void wdm_resv_destroy(struct wdm_resv *resv)
{
	kfree(resv->ranges);
}

static u64 wdm_iova_range_span(const struct wdm_iova_range *range)
{
	return range->last_iova - range->iova;
}

static void wdm_allowed_set_all(struct wdm_allowed *allowed)
{
	allowed->ranges[0] = (struct wdm_iova_range) { 0, U64_MAX };
	allowed->nr = 1;
}

/**
 * wdm_allowed_init() - Allow the whole address space
 * @allowed: out: the allowed ranges, for wdm_allowed_destroy() after success
 * @max: capacity, at least 1
 *
 * Return: STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_allowed_init(struct wdm_allowed *allowed, unsigned int max)
{
	allowed->ranges = kmalloc_array(max, sizeof(*allowed->ranges), GFP_KERNEL_ACCOUNT);
	if (!allowed->ranges)
		return STATUS_INSUFFICIENT_RESOURCES;
	allowed->max = max;
	wdm_allowed_set_all(allowed);
	allowed->widest = allowed->ranges[0];
	return STATUS_SUCCESS;
}

/**
 * wdm_allowed_destroy() - Free the ranges
 * @allowed: the allowed ranges
 */
void wdm_allowed_destroy(struct wdm_allowed *allowed)
{
	kfree(allowed->ranges);
}

/**
 * wdm_allowed_reserve() - Allocate space for the reserved ranges of one more group
 * @domain: the domain, all of which is locked
 * @resv: the reserved ranges of the group
 *
 * Each reserved range splits at most one allowed range. So after this call,
 * wdm_allowed_update() needs no memory, neither for this attach nor for a detach.
 *
 * Return: STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_allowed_reserve(struct wdm_domain *domain,
			       const struct wdm_resv *resv)
{
	struct wdm_allowed *allowed = &domain->allowed;
	const struct wdm_attachment *attachment;
	struct wdm_iova_range *ranges;
	unsigned int max = 1 + resv->nr;
	unsigned long flags;

	list_for_each_entry(attachment, &domain->attachments, domain_node)
		max += attachment->resv.nr;
	if (max <= allowed->max)
		return STATUS_SUCCESS;
	ranges = kmalloc_array(max, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
	if (!ranges)
		return STATUS_INSUFFICIENT_RESOURCES;
	/* Maps of kernel code read the ranges under this lock. */
	spin_lock_irqsave(&domain->lock, flags);
	memcpy(ranges, allowed->ranges, allowed->nr * sizeof(*ranges));
	swap(ranges, allowed->ranges);
	allowed->max = max;
	spin_unlock_irqrestore(&domain->lock, flags);
	kfree(ranges);
	return STATUS_SUCCESS;
}

static void wdm_allowed_delete(struct wdm_allowed *allowed, unsigned int i)
{
	allowed->nr--;
	memmove(&allowed->ranges[i], &allowed->ranges[i + 1],
		(allowed->nr - i) * sizeof(*allowed->ranges));
}

static void wdm_allowed_split(struct wdm_allowed *allowed, unsigned int i,
			      u64 iova, u64 last_iova)
{
	if (WARN_ON_ONCE(allowed->nr == allowed->max))
		return;
	memmove(&allowed->ranges[i + 1], &allowed->ranges[i],
		(allowed->nr - i) * sizeof(*allowed->ranges));
	allowed->nr++;
	allowed->ranges[i].last_iova = iova - 1;
	allowed->ranges[i + 1].iova = last_iova + 1;
}

/* Punch a hole into the allowed ranges. */
static void wdm_allowed_punch(struct wdm_allowed *allowed, u64 iova, u64 last_iova)
{
	unsigned int i = 0;

	while (i < allowed->nr) {
		struct wdm_iova_range *range = &allowed->ranges[i];
		bool below = range->iova < iova, above = range->last_iova > last_iova;

		if (range->last_iova < iova || range->iova > last_iova) {
			i++;
		} else if (below && above) {
			wdm_allowed_split(allowed, i, iova, last_iova);
			return;
		} else if (below) {
			range->last_iova = iova - 1;
			i++;
		} else if (above) {
			range->iova = last_iova + 1;
			i++;
		} else {
			wdm_allowed_delete(allowed, i);
		}
	}
}

static void wdm_allowed_clip(struct wdm_allowed *allowed,
			     const struct wdm_iova_range *aperture)
{
	if (aperture->iova)
		wdm_allowed_punch(allowed, 0, aperture->iova - 1);
	if (aperture->last_iova != U64_MAX)
		wdm_allowed_punch(allowed, aperture->last_iova + 1, U64_MAX);
}

static void wdm_allowed_exclude(struct wdm_allowed *allowed, const struct wdm_resv *resv)
{
	unsigned int i;

	for (i = 0; i < resv->nr; i++)
		wdm_allowed_punch(allowed, resv->ranges[i].iova,
				  resv->ranges[i].last_iova);
}

/**
 * wdm_allowed_update() - Compute the allowed ranges after an attach or a detach
 * @domain: the domain, all of which is locked; if it is atomic, wdm_domain.lock is held
 *
 * These are the addresses in the aperture of each hwpt and in no reserved range of an
 * attached group. wdm_allowed_reserve() has allocated the space.
 */
void wdm_allowed_update(struct wdm_domain *domain)
{
	struct wdm_allowed *allowed = &domain->allowed;
	const struct wdm_attachment *attachment;
	const struct wdm_hwpt *hwpt;
	unsigned int i;

	domain->epoch++;
	wdm_allowed_set_all(allowed);
	list_for_each_entry(hwpt, &domain->hwpts, node)
		wdm_allowed_clip(allowed, &hwpt->aperture);
	list_for_each_entry(attachment, &domain->attachments, domain_node)
		wdm_allowed_exclude(allowed, &attachment->resv);

	/* If no range is left, nothing fits into an empty one. */
	allowed->widest = allowed->nr ? allowed->ranges[0] :
			  (struct wdm_iova_range) { U64_MAX, 0 };
	for (i = 1; i < allowed->nr; i++)
		if (wdm_iova_range_span(&allowed->ranges[i]) >
		    wdm_iova_range_span(&allowed->widest))
			allowed->widest = allowed->ranges[i];
}

/**
 * wdm_allowed_of() - Compute the addresses that an aperture and a group allow
 * @allowed: out: the allowed ranges, for wdm_allowed_destroy() after success
 * @aperture: the aperture
 * @resv: the reserved ranges of the group
 *
 * Return: STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_allowed_of(struct wdm_allowed *allowed,
			  const struct wdm_iova_range *aperture,
			  const struct wdm_resv *resv)
{
	ntstatus_t status = wdm_allowed_init(allowed, 1 + resv->nr);

	if (!wdm_ok(status))
		return status;
	wdm_allowed_clip(allowed, aperture);
	wdm_allowed_exclude(allowed, resv);
	return STATUS_SUCCESS;
}

/**
 * wdm_allowed_next() - Find the first allowed range that ends at or above an address
 * @allowed: the allowed ranges, of which there are a few
 * @iova: the address
 *
 * Return: the range; NULL if there is none.
 */
const struct wdm_iova_range *wdm_allowed_next(const struct wdm_allowed *allowed, u64 iova)
{
	unsigned int i;

	for (i = 0; i < allowed->nr; i++)
		if (allowed->ranges[i].last_iova >= iova)
			return &allowed->ranges[i];
	return NULL;
}

/**
 * wdm_allowed_search() - Check whether one allowed range contains all addresses
 * @allowed: the allowed ranges
 * @iova: the first logical address
 * @last_iova: the last one
 *
 * Return: true if one does.
 */
bool wdm_allowed_search(const struct wdm_allowed *allowed, u64 iova,
			u64 last_iova)
{
	const struct wdm_iova_range *range = wdm_allowed_next(allowed, iova);

	return range && wdm_iova_range_holds(range, iova, last_iova);
}
