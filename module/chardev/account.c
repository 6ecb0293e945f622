// SPDX-License-Identifier: GPL-2.0
/*
 * Accounting of pinned user memory.
 *
 * Pins belong to an open file and may outlive the process that made them. So the limit,
 * RLIMIT_MEMLOCK, applies to everything that the user has pinned, as with iommufd and
 * io_uring: a process cannot get pages back by exiting or calling exec(). VmPin of the
 * process shows its own share.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "../core/budget.h"
#include "account.h"

static bool wdm_account_user(struct user_struct *user, u64 nr_pages)
{
	u64 limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	long locked = atomic_long_read(&user->locked_vm);

	do {
		if (locked + nr_pages > limit)
			return false;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &locked,
					  locked + nr_pages));
	return true;
}

/**
 * wdm_account_pages() - Account for pages that the calling process is about to pin
 * @account: out: the accounts that were charged, for wdm_account_end()
 * @budget: the budget to increase
 * @nr_pages: number of pages
 *
 * CAP_IPC_LOCK in the initial user namespace lifts the limit, and such pages do not count
 * for the user.
 *
 * Return: false if RLIMIT_MEMLOCK does not allow the pages; nothing is charged then.
 */
bool wdm_account_pages(struct wdm_account *account, struct wdm_budget *budget,
		       u64 nr_pages)
{
	const struct cred *cred = NULL;

	if (!capable(CAP_IPC_LOCK)) {
		if (!wdm_account_user(current_user(), nr_pages))
			return false;
		/* Unlike free_uid(), put_cred() is exported by all kernels. */
		cred = get_current_cred();
	}
	*account = (struct wdm_account) {
		.mm = current->mm,
		.cred = cred,
		.budget = budget,
		.nr_pages = ATOMIC64_INIT(nr_pages),
	};
	mmgrab(account->mm);
	atomic64_add(nr_pages, &account->mm->pinned_vm);
	atomic64_add(nr_pages << PAGE_SHIFT, &budget->pinned);
	return true;
}

/**
 * wdm_unaccount_pages() - Undo wdm_account_pages() for pages that are unpinned
 * @account: the accounts
 * @nr_pages: number of pages
 */
void wdm_unaccount_pages(struct wdm_account *account, u64 nr_pages)
{
	atomic64_sub(nr_pages, &account->nr_pages);
	atomic64_sub(nr_pages << PAGE_SHIFT, &account->budget->pinned);
	atomic64_sub(nr_pages, &account->mm->pinned_vm);
	if (account->cred)
		atomic_long_sub(nr_pages, &account->cred->user->locked_vm);
}

/**
 * wdm_account_end() - Undo wdm_account_pages() for all remaining pages
 * @account: the accounts
 */
void wdm_account_end(struct wdm_account *account)
{
	wdm_unaccount_pages(account, atomic64_read(&account->nr_pages));
	mmdrop(account->mm);
	if (account->cred)
		put_cred(account->cred);
}
