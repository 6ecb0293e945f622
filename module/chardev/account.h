/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accounting of pinned user memory.
 */
#ifndef WDM_CHARDEV_ACCOUNT_H
#define WDM_CHARDEV_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/types.h>

struct cred;
struct mm_struct;
struct wdm_budget;

/**
 * struct wdm_account - where pinned pages are counted
 * @mm: the process whose VmPin shows them; holds the structure, not the memory
 * @cred: whose user RLIMIT_MEMLOCK counts them for; NULL if CAP_IPC_LOCK lifts
 *	the limit
 * @budget: the budget that they increase
 * @nr_pages: how many; falls as pages are unpinned
 */
struct wdm_account {
	struct mm_struct *mm;
	const struct cred *cred;
	struct wdm_budget *budget;
	atomic64_t nr_pages;
};

bool wdm_account_pages(struct wdm_account *account, struct wdm_budget *budget,
		       u64 nr_pages);
void wdm_unaccount_pages(struct wdm_account *account, u64 nr_pages);
void wdm_account_end(struct wdm_account *account);

#endif /* WDM_CHARDEV_ACCOUNT_H */
