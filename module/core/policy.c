// SPDX-License-Identifier: GPL-2.0
/*
 * Policy: what the administrator allows, like DMA Guard on Windows. A change of a
 * parameter applies to later attaches, and detaches nothing.
 */
#include <linux/kstrtox.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>

#include "policy.h"

static bool wdm_policies[WDM_POLICY_MAX];
static BLOCKING_NOTIFIER_HEAD(wdm_types_chain);

/**
 * wdm_policy_allows() - Check whether the administrator allows something
 * @policy: what to check
 *
 * Return: the module parameter.
 */
bool wdm_policy_allows(enum wdm_policy policy)
{
	return READ_ONCE(wdm_policies[policy]);
}

/**
 * wdm_policy_set() - Allow or forbid something
 * @policy: what to change
 * @allowed: the new value
 *
 * Context: may sleep. Calls the notifiers, as wdm_types_changed() does.
 */
void wdm_policy_set(enum wdm_policy policy, bool allowed)
{
	WRITE_ONCE(wdm_policies[policy], allowed);
	wdm_types_changed();
}

/**
 * wdm_types_changed() - Call the notifiers of changed types
 *
 * For changes of anything that the types of several devices depend on, and the removal of a
 * device of kernel code; a revocation notifies the owner only (wdm_owner.device_revoked).
 * Calls the notifiers without an action or data; each compares wdm_device_types() with an
 * earlier result.
 *
 * Context: may sleep. No lock of a group, a domain or an owner is held; locks of VFIO
 * and of providers may be.
 */
void wdm_types_changed(void)
{
	blocking_notifier_call_chain(&wdm_types_chain, 0, NULL);
}

/**
 * wdm_types_register() - Register a notifier of changed types
 * @nb: the notifier; it may sleep, must not take locks of VFIO or of providers, and must
 *	not register or unregister a notifier
 */
void wdm_types_register(struct notifier_block *nb)
{
	blocking_notifier_chain_register(&wdm_types_chain, nb);
}

/**
 * wdm_types_unregister() - Unregister a notifier of changed types
 * @nb: the notifier, which has returned when this does
 */
void wdm_types_unregister(struct notifier_block *nb)
{
	blocking_notifier_chain_unregister(&wdm_types_chain, nb);
}

static int wdm_policy_param_set(const char *val, const struct kernel_param *kp)
{
	const bool *policy = kp->arg;
	bool allowed = true;
	int ret = val ? kstrtobool(val, &allowed) : 0;

	if (!ret)
		wdm_policy_set(policy - wdm_policies, allowed);
	return ret;
}

static const struct kernel_param_ops wdm_policy_param_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = wdm_policy_param_set,
	.get = param_get_bool,
};

module_param_cb(allow_pass_through, &wdm_policy_param_ops,
		&wdm_policies[WDM_POLICY_PASS_THROUGH], 0644);
__MODULE_PARM_TYPE(allow_pass_through, "bool");
MODULE_PARM_DESC(allow_pass_through,
		 "Attach devices to pass-through domains, which give them all of memory, as DMA Guard policy does on Windows (default: no)");

module_param_cb(allow_unsafe_interrupts, &wdm_policy_param_ops,
		&wdm_policies[WDM_POLICY_UNSAFE_INTERRUPTS], 0644);
__MODULE_PARM_TYPE(allow_unsafe_interrupts, "bool");
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Attach devices whose interrupts are not isolated from each other, as VFIO's parameter of this name does (default: no)");
