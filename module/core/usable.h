/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The logical addresses that can be mapped, for programs that ask before they map.
 */
#ifndef WDM_CORE_USABLE_H
#define WDM_CORE_USABLE_H

#include <linux/types.h>

#include "../status.h"

struct wdm_device;
struct wdm_domain;

/**
 * enum wdm_usable_kind - kinds of ranges
 * @WDM_USABLE_ALLOWED: can be mapped
 * @WDM_USABLE_RESERVED: reserved for the hardware
 * @WDM_USABLE_DIRECT: the firmware requires it to be mapped one to one
 * @WDM_USABLE_MSI: the hardware's window for interrupt messages
 * @WDM_USABLE_SW_MSI: where Linux maps interrupt messages
 *
 * The values are those of &enum wdm_iommu_range_kind.
 */
enum wdm_usable_kind {
	WDM_USABLE_ALLOWED,
	WDM_USABLE_RESERVED,
	WDM_USABLE_DIRECT,
	WDM_USABLE_MSI,
	WDM_USABLE_SW_MSI,
};

/**
 * struct wdm_usable_range - logical addresses of one kind
 * @iova: the first byte
 * @last_iova: the last byte, inclusive
 * @kind: what they are
 */
struct wdm_usable_range {
	u64 iova;
	u64 last_iova;
	enum wdm_usable_kind kind;
};

/**
 * struct wdm_usable - the logical addresses of a domain or a device
 * @ranges: sorted by address. Allowed ranges hold whole pages, and overlap no other;
 *	reserved ones of different devices may overlap
 * @nr: number of @ranges
 * @aperture_start: the first address that the IOMMUs translate
 * @aperture_end: the last one
 * @page_sizes: the page sizes that all of them support, as a bitmap
 */
struct wdm_usable {
	struct wdm_usable_range *ranges;
	unsigned int nr;
	u64 aperture_start;
	u64 aperture_end;
	u64 page_sizes;
};

ntstatus_t wdm_domain_usable(struct wdm_domain *domain,
			     struct wdm_usable *usable);
ntstatus_t wdm_device_usable(struct wdm_device *device,
			     struct wdm_usable *usable);
void wdm_usable_destroy(struct wdm_usable *usable);

#endif /* WDM_CORE_USABLE_H */
