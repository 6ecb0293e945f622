/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policy: what the administrator allows, and notifiers for changes of the types of
 * domains that devices can be attached to.
 */
#ifndef WDM_CORE_POLICY_H
#define WDM_CORE_POLICY_H

#include <linux/types.h>

struct notifier_block;

/**
 * enum wdm_policy - what the administrator can allow; each is a module parameter
 * @WDM_POLICY_PASS_THROUGH: domains of WDM_TYPE_PASS_THROUGH
 * @WDM_POLICY_UNSAFE_INTERRUPTS: devices whose interrupts are not isolated
 * @WDM_POLICY_MAX: number of policies
 */
enum wdm_policy {
	WDM_POLICY_PASS_THROUGH,
	WDM_POLICY_UNSAFE_INTERRUPTS,
	WDM_POLICY_MAX,
};

bool wdm_policy_allows(enum wdm_policy policy);
void wdm_policy_set(enum wdm_policy policy, bool allowed);

void wdm_types_changed(void);
void wdm_types_register(struct notifier_block *nb);
void wdm_types_unregister(struct notifier_block *nb);

#endif /* WDM_CORE_POLICY_H */
