/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random calls of all functions of the interface: what the threads of wdm_iommu_stress
 * share.
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

/* Those with PASIDs behind the fake IOMMU come first. */
#define STRESS_FAKES	3
#define STRESS_DEVICES	5
#define STRESS_PAGES	32
/* Of the caller's page tables, which are the first pages of the memory */
#define STRESS_TABLES	4
#define STRESS_MDLS	4
/* Where the domains map: few places, so that calls meet */
#define STRESS_LOGICAL	0x40000000ULL
#define STRESS_SPAN	(2 * STRESS_PAGES)
/* Pages of a token, and the pages of it at which segments start */
#define STRESS_TOKEN	16
#define STRESS_OFFSET	4

/* Each function of each table is counted: those of version 2 are in that of version 3. */
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
 * struct stress_slot - a domain that comes and goes
 * @lock: see stress.c
 * @domain: the domain, or NULL
 * @type: its type
 * @fixed: pages of it that are always mapped
 */
struct stress_slot {
	struct rw_semaphore lock;
	PIOMMU_DMA_DOMAIN domain;
	IOMMU_DMA_DOMAIN_TYPE type;
	unsigned int fixed;
};

/**
 * struct stress_handle - a token, a device or a PASID device
 * @lock: held where it is created, so that no handle is lost
 * @handle: the last one, deleted or not
 */
struct stress_handle {
	struct mutex lock;	/* guards creation */
	void *handle;
};

/**
 * struct stress - what the threads share
 * @v1: the table of version 1
 * @v3: that of version 3
 * @slot: the domains
 * @dev: the devices
 * @nr_devices: how many there are
 * @device: what CreateDevice makes of them
 * @pasid: PASID devices, more than there are PASIDs
 * @token: tokens
 * @memory: STRESS_PAGES pages
 * @mdl: MDLs of parts of it; the first is of all
 * @end: when to stop, in jiffies
 * @calls: how often each function was called
 * @good: how often it succeeded
 * @changes: state changes that callbacks were called for
 * @faults: faults that handlers were called for
 * @unexpected: answers that the contract does not have
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
 * @s: what the threads share
 * @rng: its random numbers
 * @lock: what it holds when it calls from an atomic context
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
 * struct stress_part - a part of the memory, of which there is an MDL
 * @first: its first page
 * @nr: its pages
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
