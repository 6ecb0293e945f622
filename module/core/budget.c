// SPDX-License-Identifier: GPL-2.0
/*
 * Budget: a limit on the kernel memory of one program's objects.
 */
#include <linux/capability.h>

#include "budget.h"

/**
 * wdm_budget_pin() - Raise a budget by user memory that is pinned
 * @budget: the budget
 * @bytes: number of bytes; negative when they are unpinned
 */
void wdm_budget_pin(struct wdm_budget *budget, s64 bytes)
{
	for (; budget; budget = budget->user)
		atomic64_add(bytes, &budget->pinned);
}

static bool wdm_budget_take(struct wdm_budget *budget, u64 base, u64 bytes)
{
	u64 limit = base + WDM_BUDGET_RATIO * atomic64_read(&budget->pinned);
	s64 used = atomic64_read(&budget->used);

	do {
		if (used + bytes > limit && !capable(CAP_IPC_LOCK))
			return false;
	} while (!atomic64_try_cmpxchg(&budget->used, &used, used + bytes));
	return true;
}

/**
 * wdm_budget_charge_user() - Charge the budget that all files of a user share
 * @user: the budget
 * @bytes: number of bytes
 *
 * Return: as wdm_budget_charge().
 */
bool wdm_budget_charge_user(struct wdm_budget *user, u64 bytes)
{
	return wdm_budget_take(user, WDM_BUDGET_USER_BASE, bytes);
}

/**
 * wdm_budget_charge() - Charge kernel memory before it is allocated
 * @budget: the budget; NULL for kernel code, which has no limit
 * @bytes: number of bytes
 *
 * CAP_IPC_LOCK lifts the limit, as it lifts RLIMIT_MEMLOCK.
 *
 * Return: true if the budget allows it; otherwise nothing is charged.
 */
bool wdm_budget_charge(struct wdm_budget *budget, u64 bytes)
{
	if (!budget)
		return true;
	if (!wdm_budget_take(budget, WDM_BUDGET_BASE, bytes))
		return false;
	if (!budget->user || wdm_budget_charge_user(budget->user, bytes))
		return true;
	atomic64_sub(bytes, &budget->used);
	return false;
}

/**
 * wdm_budget_uncharge() - Undo a charge, or part of one
 * @budget: the budget, or NULL
 * @bytes: number of charged bytes that are freed
 */
void wdm_budget_uncharge(struct wdm_budget *budget, u64 bytes)
{
	for (; budget; budget = budget->user)
		atomic64_sub(bytes, &budget->used);
}
