/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Budget: a limit on the kernel memory of one program's objects.
 *
 * A domain makes the kernel allocate memory that is not the program's own: mapping
 * tables, shadow pages, page tables of the IOMMU. Without a limit, a program could map
 * a few pinned pages repeatedly until the kernel runs out of memory, with no
 * process for the OOM killer to blame. So the memory of all objects of a file is
 * limited by what the file has pinned, which RLIMIT_MEMLOCK limits in turn. A user can
 * open many files, so all files of a user share a second budget.
 *
 * Nodes, shadow pages and large mappings are charged as a whole, not page by page:
 * a map that fits into an existing node costs no atomic operation here.
 */
#ifndef WDM_CORE_BUDGET_H
#define WDM_CORE_BUDGET_H

#include <linux/atomic.h>
#include <linux/sizes.h>
#include <linux/types.h>

/* The budget of a file that has pinned nothing, in bytes */
#define WDM_BUDGET_BASE		((u64)SZ_1M)
/* The budget of all files of a user who has pinned nothing, in bytes */
#define WDM_BUDGET_USER_BASE	((u64)SZ_16M)
/* Bytes of budget for each byte that is pinned */
#define WDM_BUDGET_RATIO	4

/* Page tables of the IOMMU for a block that shares none with its neighbours, in bytes */
#define WDM_BUDGET_IOMMU_TABLES	(2 * (u64)SZ_4K)

/**
 * struct wdm_budget - a limit on kernel memory
 * @used: bytes charged
 * @pinned: bytes of user memory pinned
 * @user: a second budget to charge, that of all files of a user; may be NULL
 */
struct wdm_budget {
	atomic64_t used;
	atomic64_t pinned;
	struct wdm_budget *user;
};

void wdm_budget_pin(struct wdm_budget *budget, s64 bytes);
bool wdm_budget_charge_user(struct wdm_budget *user, u64 bytes);
bool wdm_budget_charge(struct wdm_budget *budget, u64 bytes);
void wdm_budget_uncharge(struct wdm_budget *budget, u64 bytes);

#endif /* WDM_CORE_BUDGET_H */
