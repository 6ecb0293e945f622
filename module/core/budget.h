/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Budget: the kernel memory that the objects of one program may take.
 *
 * A domain costs the kernel memory that is not the program's own: tables of
 * mappings, shadow pages, the IOMMU's page tables. Without a bound, a program
 * with a few pinned pages can map them again and again until the kernel has no
 * memory left, and the OOM killer finds nobody to blame. So what all domains of
 * a file take is bounded by what the file has pinned, which RLIMIT_MEMLOCK
 * bounds in turn.
 *
 * Charges are made for whole nodes, shadow pages and large mappings, not for
 * each page that is mapped: a map that fits into a node costs no atomic here.
 */
#ifndef WDM_CORE_BUDGET_H
#define WDM_CORE_BUDGET_H

#include <linux/atomic.h>
#include <linux/sizes.h>
#include <linux/types.h>

/* What a file may use without having pinned anything, */
#define WDM_BUDGET_BASE		((u64)SZ_1M)
/* and how many bytes for each byte that it has pinned. */
#define WDM_BUDGET_RATIO	4

/* The IOMMU's own tables for the pages of one table that is reached by itself */
#define WDM_BUDGET_IOMMU_TABLES	(2 * (u64)SZ_4K)

/**
 * struct wdm_budget - kernel memory that may be used
 * @used: bytes that are charged
 * @pinned: bytes of user memory that are pinned
 */
struct wdm_budget {
	atomic64_t used;
	atomic64_t pinned;
};

bool wdm_budget_charge(struct wdm_budget *budget, u64 bytes);
void wdm_budget_uncharge(struct wdm_budget *budget, u64 bytes);

#endif /* WDM_CORE_BUDGET_H */
