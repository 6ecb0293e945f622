// SPDX-License-Identifier: GPL-2.0
/*
 * Accounting of pinned user memory, and of kernel memory per user.
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
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../core/budget.h"
#include "account.h"

/**
 * struct wdm_user - a user who has files open
 * @uid: the user
 * @nr_files: number of files; guarded by the lock of wdm_users
 * @budget: the budget that the files share
 */
struct wdm_user {
	kuid_t uid;
	unsigned long nr_files;
	struct wdm_budget budget;
};

/* The users by number */
static DEFINE_XARRAY(wdm_users);

static struct wdm_user *wdm_user_get(kuid_t uid)
{
	struct wdm_user *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT), *user;

	if (!new)
		return NULL;
	new->uid = uid;
	xa_lock(&wdm_users);
	user = __xa_cmpxchg(&wdm_users, __kuid_val(uid), NULL, new, GFP_KERNEL_ACCOUNT);
	if (!user)
		swap(user, new);
	else if (xa_is_err(user))
		user = NULL;
	if (user)
		user->nr_files++;
	xa_unlock(&wdm_users);
	kfree(new);
	return user;
}

static void wdm_user_put(struct wdm_user *user)
{
	bool last;

	xa_lock(&wdm_users);
	last = !--user->nr_files;
	if (last)
		__xa_erase(&wdm_users, __kuid_val(user->uid));
	xa_unlock(&wdm_users);
	if (last)
		kfree(user);
}

/**
 * wdm_account_open() - Give a new file the budget of its user
 * @budget: the budget of the file, unused
 * @bytes: size of the file's own memory
 *
 * A process with CAP_IPC_LOCK may hand out files, and its files do not count for its user:
 * it limits their number itself.
 *
 * Return: 0; -ENOMEM also if the user's budget does not allow another file.
 */
int wdm_account_open(struct wdm_budget *budget, u64 bytes)
{
	struct wdm_user *user;

	if (capable(CAP_IPC_LOCK))
		return 0;
	user = wdm_user_get(current_user()->uid);
	if (!user)
		return -ENOMEM;
	if (!wdm_budget_charge_user(&user->budget, bytes)) {
		wdm_user_put(user);
		return -ENOMEM;
	}
	budget->user = &user->budget;
	return 0;
}

/**
 * wdm_account_close() - Undo wdm_account_open()
 * @budget: the budget of the file, unused again
 * @bytes: as for wdm_account_open()
 */
void wdm_account_close(struct wdm_budget *budget, u64 bytes)
{
	if (!budget->user)
		return;
	wdm_budget_uncharge(budget->user, bytes);
	wdm_user_put(container_of(budget->user, struct wdm_user, budget));
}

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
	wdm_budget_pin(budget, nr_pages << PAGE_SHIFT);
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
	wdm_budget_pin(account->budget, -(s64)(nr_pages << PAGE_SHIFT));
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
