// SPDX-License-Identifier: GPL-2.0
/*
 * Budget: the kernel memory that the objects of one program may take.
 */
#include <linux/capability.h>

#include "budget.h"

/**
 * wdm_budget_charge() - Account for kernel memory that is about to be allocated
 * @budget: the budget, or NULL for that of kernel code, which has no limit
 * @bytes: how much
 *
 * CAP_IPC_LOCK lifts the limit, as it lifts RLIMIT_MEMLOCK.
 *
 * Return: whether the budget allows it; if not, nothing is charged.
 */
bool wdm_budget_charge(struct wdm_budget *budget, u64 bytes)
{
	u64 limit;
	s64 used;

	if (!budget)
		return true;
	limit = WDM_BUDGET_BASE +
		WDM_BUDGET_RATIO * atomic64_read(&budget->pinned);
	used = atomic64_read(&budget->used);
	do {
		if (used + bytes > limit && !capable(CAP_IPC_LOCK))
			return false;
	} while (!atomic64_try_cmpxchg(&budget->used, &used, used + bytes));
	return true;
}

/**
 * wdm_budget_uncharge() - Take a charge back
 * @budget: the budget, or NULL
 * @bytes: how much of what was charged is freed
 */
void wdm_budget_uncharge(struct wdm_budget *budget, u64 bytes)
{
	if (budget)
		atomic64_sub(bytes, &budget->used);
}
