/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounting of pinned user memory, and of kernel memory by user.
 */
#ifndef WDM_CHARDEV_ACCOUNT_H
#define WDM_CHARDEV_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/types.h>

struct cred;
struct mm_struct;
struct wdm_budget;

/**
 * struct wdm_account - the accounts that pinned pages are charged to
 * @mm: the mm whose VmPin includes them; holds the structure (mmgrab()), not the memory
 * @cred: credentials whose user they count for; NULL if CAP_IPC_LOCK lifts the limit
 * @budget: the budget that they increase
 * @nr_pages: number of pages; falls as pages are unpinned
 */
struct wdm_account {
	struct mm_struct *mm;
	const struct cred *cred;
	struct wdm_budget *budget;
	atomic64_t nr_pages;
};

int wdm_account_open(struct wdm_budget *budget, u64 bytes);
void wdm_account_close(struct wdm_budget *budget, u64 bytes);

bool wdm_account_pages(struct wdm_account *account, struct wdm_budget *budget,
		       u64 nr_pages);
void wdm_unaccount_pages(struct wdm_account *account, u64 nr_pages);
void wdm_account_end(struct wdm_account *account);

#endif /* WDM_CHARDEV_ACCOUNT_H */
