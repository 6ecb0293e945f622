/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Notifiers of the buses whose devices can be attached: PCI and platform.
 */
#ifndef WDM_CORE_BUS_WATCH_H
#define WDM_CORE_BUS_WATCH_H

#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

/**
 * struct wdm_bus_watch - a notifier block per bus, as each can be in one chain only
 * @pci: for the PCI bus
 * @platform: for the platform bus
 */
struct wdm_bus_watch {
	struct notifier_block pci;
	struct notifier_block platform;
};

int wdm_bus_watch(struct wdm_bus_watch *watch, notifier_fn_t notify);
void wdm_bus_unwatch(struct wdm_bus_watch *watch);

static inline bool wdm_bus_is_watched(const struct device *dev)
{
	return dev_is_pci(dev) || dev_is_platform(dev);
}

#endif /* WDM_CORE_BUS_WATCH_H */
