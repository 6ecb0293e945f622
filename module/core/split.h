/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Splits: unmap pages without unmapping the rest of a large IOMMU page.
 */
#ifndef WDM_CORE_SPLIT_H
#define WDM_CORE_SPLIT_H

#include "domain.h"

/**
 * struct wdm_split - large pages that span a page number
 * @ext: what the largest of them spans; no pages if there is none
 * @cut: the page number at which to split them: the first page after the cut
 */
struct wdm_split {
	struct wdm_extent ext;
	u64 cut;
};

/**
 * struct wdm_splits - large pages that extend beyond the ends of a range
 * @pgno: the first page number of the range
 * @last_pgno: the last page number
 * @front: large pages that start before @pgno
 * @back: large pages that end after @last_pgno
 */
struct wdm_splits {
	u64 pgno;
	u64 last_pgno;
	struct wdm_split front;
	struct wdm_split back;
};

u64 wdm_split_end(struct wdm_domain *domain, u64 cut);
void wdm_splits_find(struct wdm_domain *domain, struct wdm_splits *splits,
		     u64 pgno, u64 last_pgno);
void wdm_splits_span(const struct wdm_splits *splits, u64 *pgno, u64 *last_pgno);
ntstatus_t wdm_splits_do(struct wdm_domain *domain, struct wdm_splits *splits,
			 enum wdm_pgsize pgsize);

#endif /* WDM_CORE_SPLIT_H */
