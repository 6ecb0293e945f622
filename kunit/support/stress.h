/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random calls of all functions of the interface: state shared by the threads of
 * wdm_iommu_stress.
 */
#ifndef WDM_KUNIT_STRESS_H
#define WDM_KUNIT_STRESS_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>

#include <wdm.h>

#include "fake_driver.h"
#include "interface.h"

/* Devices with PASIDs, behind the fake IOMMU, come first. */
#define STRESS_FAKES	3
#define STRESS_DEVICES	5
#define STRESS_PAGES	32
/* Number of pages of the caller's page tables, the first pages of the memory */
#define STRESS_TABLES	4
#define STRESS_MDLS	4
/* Where the domains map: few addresses, so that calls conflict */
#define STRESS_LOGICAL	0x40000000ULL
#define STRESS_SPAN	(2 * STRESS_PAGES)
/* Number of pages of a token, and the pages at which segments start */
#define STRESS_TOKEN	16
#define STRESS_OFFSET	4

/* Calls are counted by function of each table; version 3 includes version 2. */
enum stress_fn {
#define STRESS_V1(function)	STRESS_v1_##function,
#define STRESS_V3(function)	STRESS_v3_##function,
	INTERFACE_V1(STRESS_V1)
	INTERFACE_V3(STRESS_V3)
	STRESS_NR
};

static_assert(STRESS_NR * sizeof(void *) ==
	      sizeof(DMA_IOMMU_INTERFACE_V1) + sizeof(DMA_IOMMU_INTERFACE_V3));

/**
 * struct stress_slot - a domain that is created and deleted
 * @lock: see stress.c
 * @domain: the domain, or NULL
 * @type: its type
 * @fixed: number of pages that are always mapped
 */
struct stress_slot {
	struct rw_semaphore lock;
	PIOMMU_DMA_DOMAIN domain;
	IOMMU_DMA_DOMAIN_TYPE type;
	unsigned int fixed;
};

/**
 * struct stress_handle - a token, a device or a PASID device
 * @lock: held while it is created, so that no handle is lost
 * @handle: the last one, deleted or not
 */
struct stress_handle {
	struct mutex lock;	/* guards creation */
	void *handle;
};

/**
 * struct stress - state shared by the threads
 * @v1: the table of version 1
 * @v3: that of version 3
 * @slot: the domains
 * @dev: the devices
 * @nr_devices: number of devices
 * @device: the results of CreateDevice
 * @pasid: PASID devices, more than there are PASIDs
 * @token: tokens
 * @memory: STRESS_PAGES pages
 * @mdl: MDLs of parts of it; the first is of all
 * @end: when to stop, in jiffies
 * @calls: number of calls of each function
 * @good: number of successful ones
 * @changes: number of state changes that callbacks were called for
 * @faults: number of faults that handlers were called for
 * @unexpected: number of statuses that the contract does not allow
 */
struct stress {
	DMA_IOMMU_INTERFACE v1;
	DMA_IOMMU_INTERFACE_V3 v3;
	struct stress_slot slot[6];
	struct device *dev[STRESS_DEVICES];
	unsigned int nr_devices;
	struct stress_handle device[STRESS_DEVICES];
	struct stress_handle pasid[FAKE_DRIVER_PASIDS];
	struct stress_handle token[6];
	void *memory;
	PMDL mdl[STRESS_MDLS];
	unsigned long end;
	atomic_t calls[STRESS_NR];
	atomic_t good[STRESS_NR];
	atomic_t changes;
	atomic_t faults;
	atomic_t unexpected;
};

/**
 * struct stress_thread - a thread
 * @s: state shared by the threads
 * @rng: its random numbers
 * @lock: held for calls in atomic context
 * @flags: of @lock
 * @level: how it calls: it may sleep, softirqs are disabled, or interrupts are
 * @segment: the last one that it has mapped
 * @done: it has returned
 */
struct stress_thread {
	struct stress *s;
	struct rnd_state rng;
	spinlock_t lock;	/* not contended */
	unsigned long flags;
	enum { STRESS_PASSIVE, STRESS_DISPATCH, STRESS_LOCKED, STRESS_LEVELS } level;
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment;
	struct completion done;
};

/**
 * struct stress_part - a part of the memory that has an MDL
 * @first: its first page
 * @nr: number of pages
 */
struct stress_part {
	unsigned int first;
	unsigned int nr;
};

extern const struct stress_part stress_part[STRESS_MDLS];
extern const char *const stress_names[STRESS_NR];

IOMMU_INTERFACE_STATE_CHANGE_CALLBACK stress_state_change;
/* Unmap all segments that a token may have. */
void stress_unmap_segments(struct stress *s, PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token);
/* Call a function. */
void stress_step(struct stress_thread *t);

#endif /* WDM_KUNIT_STRESS_H */
