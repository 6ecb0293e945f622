// SPDX-License-Identifier: GPL-2.0
/*
 * Accounting of pinned user memory.
 *
 * Pins belong to an open file and may outlive the process that made them, so
 * RLIMIT_MEMLOCK is checked against all that the user has pinned, as iommufd and
 * io_uring do: a process that exits or calls exec() takes nothing back. VmPin of
 * the process shows its share.
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
 * wdm_account_pages() - Count pages that the calling process is about to pin
 * @account: out: where they are counted, for wdm_account_end()
 * @budget: the budget that they increase
 * @nr_pages: how many
 *
 * CAP_IPC_LOCK in the initial user namespace lifts the limit, and such pages
 * do not count for the user.
 *
 * Return: false if RLIMIT_MEMLOCK does not allow so many; nothing is counted.
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
 * wdm_unaccount_pages() - Uncount pages that are unpinned
 * @account: where they are counted
 * @nr_pages: how many
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
 * wdm_account_end() - Uncount all pages that are left
 * @account: where they are counted
 */
void wdm_account_end(struct wdm_account *account)
{
	wdm_unaccount_pages(account, atomic64_read(&account->nr_pages));
	mmdrop(account->mm);
	if (account->cred)
		put_cred(account->cred);
}
