// SPDX-License-Identifier: GPL-2.0
/*
 * Budget: a limit on the kernel memory of one program's objects.
 */
#include <linux/capability.h>

#include "budget.h"

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
 * wdm_budget_uncharge() - Undo a charge, or part of one
 * @budget: the budget, or NULL
 * @bytes: number of charged bytes that are freed
 */
void wdm_budget_uncharge(struct wdm_budget *budget, u64 bytes)
{
	if (budget)
		atomic64_sub(bytes, &budget->used);
}
