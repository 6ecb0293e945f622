/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The floor: what an open file of /dev/wdm_bench has.
 */
#ifndef WDM_BENCH_FLOOR_H
#define WDM_BENCH_FLOOR_H

#include <linux/iommu.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/xarray.h>

#include "wdm_bench.h"

/* The floor's maps let a device read and write, as those of its rivals do. */
#define FLOOR_PROT	(IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

/**
 * struct floor_pin - memory to map
 * @address: where it is in the process
 * @nr_pages: how long it is
 * @pages: its pages; NULL where a page is not pinned
 * @sgt: all of them, unless they are pinned one by one
 */
struct floor_pin {
	unsigned long address;
	unsigned long nr_pages;
	struct page **pages;
	struct sg_table sgt;
};

/**
 * struct floor - an open file
 * @lock: held for writing where a device or memory comes or goes, so that
 *	operations hold it for reading, side by side
 * @group: the device's IOMMU group, or NULL
 * @domain: the domain it is attached to
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
