// SPDX-License-Identifier: GPL-2.0
/*
 * Notifiers of the buses whose devices can be attached: PCI and platform.
 */
#include "bus_watch.h"

/**
 * wdm_bus_watch() - Register a notifier with both buses
 * @watch: out: for wdm_bus_unwatch()
 * @notify: called with BUS_NOTIFY_* and the &struct device
 *
 * Return: 0 or a negative errno.
 */
int wdm_bus_watch(struct wdm_bus_watch *watch, notifier_fn_t notify)
{
	int ret;

	watch->pci.notifier_call = notify;
	watch->platform.notifier_call = notify;
	ret = bus_register_notifier(&pci_bus_type, &watch->pci);
	if (ret)
		return ret;
	ret = bus_register_notifier(&platform_bus_type, &watch->platform);
	if (ret)
		bus_unregister_notifier(&pci_bus_type, &watch->pci);
	return ret;
}

/**
 * wdm_bus_unwatch() - Undo wdm_bus_watch()
 * @watch: the watch; its function has finished when this returns
 */
void wdm_bus_unwatch(struct wdm_bus_watch *watch)
{
	bus_unregister_notifier(&platform_bus_type, &watch->platform);
	bus_unregister_notifier(&pci_bus_type, &watch->pci);
}
