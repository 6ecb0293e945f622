/* SPDX-License-Identifier: GPL-2.0 */
/*
 * State of an open file of /dev/wdm_bench.
 */
#ifndef WDM_BENCH_FLOOR_H
#define WDM_BENCH_FLOOR_H

#include <linux/iommu.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/xarray.h>

#include "wdm_bench.h"

/* Map for reading and writing, as the other contenders do. */
#define FLOOR_PROT	(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

/**
 * struct floor_pin - memory to map
 * @address: address in the process, in bytes
 * @nr_pages: number of pages
 * @pages: the pages; NULL for a page that is not pinned
 * @sgt: all pages, unless they are pinned one by one
 */
struct floor_pin {
	unsigned long address;
	unsigned long nr_pages;
	struct page **pages;
	struct sg_table sgt;
};

/**
 * struct floor - an open file
 * @lock: held for writing to add or remove the device or memory, for reading by
 *	operations, which may run in parallel
 * @group: the device's IOMMU group, or NULL
 * @domain: the domain that the group is attached to
 * @pins: &struct floor_pin by number
 */
struct floor {
	struct rw_semaphore lock;
	struct iommu_group *group;
	struct iommu_domain *domain;
	struct xarray pins;
};

int floor_pin(struct floor *floor, struct wdm_bench_pin *arg);
int floor_unpin(struct floor *floor, struct wdm_bench_unpin *arg);
int floor_pin_page(struct floor_pin *pin, unsigned long page);
void floor_unpin_page(struct floor_pin *pin, unsigned long page);
void floor_pin_destroy(struct floor_pin *pin);

int floor_each(struct floor *floor, struct wdm_bench_each *arg);
int floor_whole(struct floor *floor, struct wdm_bench_whole *arg);
int floor_compare(struct floor *floor, struct wdm_bench_compare *arg);

#endif /* WDM_BENCH_FLOOR_H */
