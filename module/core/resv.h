/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reserved regions of devices, and the logical addresses that they leave to a domain.
 */
#ifndef WDM_CORE_RESV_H
#define WDM_CORE_RESV_H

#include <linux/iommu.h>
#include <linux/types.h>

#include "../status.h"

struct list_head;
struct wdm_domain;

/**
 * struct wdm_iova_range - logical addresses
 * @iova: the first byte
 * @last_iova: the last byte, inclusive
 */
struct wdm_iova_range {
	u64 iova;
	u64 last_iova;
};

/**
 * struct wdm_resv_range - reserved addresses
 * @iova: the first byte
 * @last_iova: the last byte, inclusive
 * @type: the type, for reports
 */
struct wdm_resv_range {
	u64 iova;
	u64 last_iova;
	enum iommu_resv_type type;
};

/**
 * struct wdm_resv - addresses that must not be mapped for an attachment
 * @ranges: the reserved ranges, in no particular order; may overlap
 * @nr: number of @ranges
 */
struct wdm_resv {
	struct wdm_resv_range *ranges;
	unsigned int nr;
};

/**
 * struct wdm_allowed - addresses that can be mapped for all devices of a domain
 * @widest: the largest of @ranges
 * @ranges: sorted, disjoint and not adjacent; the whole address space while nothing is
 *	attached
 * @nr: number of @ranges
 * @max: capacity of @ranges
 *
 * Changed with all pages of the domain locked and, if the domain is atomic, with
 * wdm_domain.lock held; stable under that lock, wdm_domain_lock() or any other range.
 */
struct wdm_allowed {
	struct wdm_iova_range widest;
	struct wdm_iova_range *ranges;
	unsigned int nr;
	unsigned int max;
};

void wdm_free_regions(struct list_head *regions);
ntstatus_t wdm_resv_init(struct wdm_resv *resv, const struct list_head *regions);
void wdm_resv_destroy(struct wdm_resv *resv);

ntstatus_t wdm_allowed_init(struct wdm_allowed *allowed, unsigned int max);
void wdm_allowed_destroy(struct wdm_allowed *allowed);
ntstatus_t wdm_allowed_reserve(struct wdm_domain *domain,
			       const struct wdm_resv *resv);
void wdm_allowed_update(struct wdm_domain *domain);
ntstatus_t wdm_allowed_of(struct wdm_allowed *allowed,
			  const struct wdm_iova_range *aperture,
			  const struct wdm_resv *resv);
bool wdm_allowed_search(const struct wdm_allowed *allowed, u64 iova,
			u64 last_iova);
const struct wdm_iova_range *wdm_allowed_next(const struct wdm_allowed *allowed,
					      u64 iova);

static inline bool wdm_iova_range_holds(const struct wdm_iova_range *range,
					u64 iova, u64 last_iova)
{
	return iova >= range->iova && last_iova <= range->last_iova;
}

static inline bool wdm_iova_range_same(const struct wdm_iova_range *a,
				       const struct wdm_iova_range *b)
{
	return a->iova == b->iova && a->last_iova == b->last_iova;
}

#endif /* WDM_CORE_RESV_H */
