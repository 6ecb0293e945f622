/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Splits: taking pages away without the rest of a large page of the IOMMU that
 * they are part of.
 */
#ifndef WDM_CORE_SPLIT_H
#define WDM_CORE_SPLIT_H

#include "../hwpt_set.h"

/**
 * struct wdm_split - a large page that sticks out of a range
 * @ext: all that the large page can span
 * @cut: the page number at which to split it
 */
struct wdm_split {
	struct wdm_extent ext;
	u64 cut;
};

/**
 * struct wdm_splits - what sticks out of a range at its ends
 * @first: the first page number of the range
 * @last: the last one
 * @split_first: a large page starts before @first
 * @split_end: a large page ends behind @last
 * @at_first: that at @first
 * @at_end: that at @last
 */
struct wdm_splits {
	u64 first;
	u64 last;
	bool split_first;
	bool split_end;
	struct wdm_split at_first;
	struct wdm_split at_end;
};

void wdm_splits_find(struct wdm_domain *domain, struct wdm_splits *splits,
		     u64 first, u64 last);
void wdm_splits_span(const struct wdm_splits *splits, u64 *first, u64 *last);
ntstatus_t wdm_splits_do(struct wdm_domain *domain, struct wdm_splits *splits,
			 enum wdm_pgsize pgsize);

#endif /* WDM_CORE_SPLIT_H */
