/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The test of ddi_table.h: in the kernel by KUnit, in programs with libwdm.a.
 */
#ifndef WDM_KUNIT_DDI_H
#define WDM_KUNIT_DDI_H

#ifdef __KERNEL__
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#else
#include "program.h"
#endif

#include <wdm.h>

#include "support/interface.h"

#define DDI_PAGES	8
#define DDI_BYTES	(DDI_PAGES * PAGE_SIZE)
/* Where everything is mapped and reserved */
#define DDI_LOGICAL	0x40000000ULL
#define DDI_POISON	((void *)0x5a5a5a5a5a5a5a5aUL)

/**
 * enum ddi_kind - kinds of domain
 * @DDI_TRANSLATE: Translate
 * @DDI_ALLOCATOR: Translate with an allocator
 * @DDI_S1: TranslateS1
 * @DDI_PASS_THROUGH: PassThrough
 * @DDI_UNMANAGED: Unmanaged
 * @DDI_KINDS: number of kinds
 */
enum ddi_kind {
	DDI_TRANSLATE,
	DDI_ALLOCATOR,
	DDI_S1,
	DDI_PASS_THROUGH,
	DDI_UNMANAGED,
	DDI_KINDS
};

/**
 * enum ddi_state - states of the domain and the device
 * @DDI_IDLE: an empty domain, and a device that is attached to nothing
 * @DDI_ATTACHED: the device is attached to the domain
 * @DDI_ELSEWHERE: the device is attached to another domain
 * @DDI_BUSY: as @DDI_ATTACHED; the domain is configured, or holds what a map would map;
 *	the device has a callback
 * @DDI_RESERVED: the domain has a token, and no device
 * @DDI_SEGMENT: a segment of the token is mapped, and the device attached
 * @DDI_REMOVED: the device was removed from its bus
 * @DDI_STATES: number of states
 */
enum ddi_state {
	DDI_IDLE,
	DDI_ATTACHED,
	DDI_ELSEWHERE,
	DDI_BUSY,
	DDI_RESERVED,
	DDI_SEGMENT,
	DDI_REMOVED,
	DDI_STATES
};

/**
 * struct ddi_snapshot - state that a failed call must not change
 * @words: reports about the two domains and the device, in any order
 */
struct ddi_snapshot {
	u64 words[20];
};

/**
 * struct ddi - the domains and the device that functions are called with
 * @env: of the kernel or of the program
 * @io: the table of version 1
 * @io3: the table of version 3; NULL for functions that are not available
 * @kind: of @domain
 * @state: the state
 * @domain: a domain of the kind
 * @other: the domain that the device is attached to in DDI_ELSEWHERE
 * @third: a domain that it is never attached to
 * @device: the device for version 2
 * @token: in DDI_RESERVED and DDI_SEGMENT
 * @segment: in DDI_SEGMENT
 * @pfn: a page of @memory
 * @memory: DDI_PAGES pages; the first ones hold page tables
 * @physical: their physical address
 * @mdl: an MDL of it
 * @odd_mdl: MDLs that no function accepts
 * @pdo: an unused device; once it is removed, only its address is left
 * @no_device: a device that is on no bus
 */
struct ddi {
	void *env;
	DMA_IOMMU_INTERFACE io;
	DMA_IOMMU_INTERFACE_V3 io3;
	enum ddi_kind kind;
	enum ddi_state state;
	PIOMMU_DMA_DOMAIN domain;
	PIOMMU_DMA_DOMAIN other;
	PIOMMU_DMA_DOMAIN third;
	PIOMMU_DMA_DEVICE device;
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token;
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment;
	PFN_NUMBER pfn[1];
	void *memory;
	u64 physical;
	PMDL mdl;
	PMDL odd_mdl[4];
	PDEVICE_OBJECT pdo;
	PDEVICE_OBJECT no_device;
};

/* ddi.c */
extern const char *const ddi_kind_names[DDI_KINDS];
bool ddi_start(struct ddi *d);
void ddi_stop(struct ddi *d);
const char *ddi_run_kind(struct ddi *d);
void ddi_complete(struct ddi *d);
void ddi_order(struct ddi *d);

/* ddi_test.c, and tools/wdm/tests/ddi.c */
#define ddi_expect(d, condition, format, ...)					\
	do {								\
		if (!(condition))					\
			ddi_fail(d, format, ##__VA_ARGS__);		\
	} while (0)

__attribute__((__format__(__printf__, 2, 3)))
void ddi_fail(struct ddi *d, const char *format, ...);
const char *ddi_status_name(NTSTATUS status);
void ddi_snapshot(struct ddi *d, struct ddi_snapshot *snapshot);
void ddi_remove_device(struct ddi *d);
void ddi_restore_device(struct ddi *d);
bool ddi_has_pasids(struct ddi *d);
bool ddi_reports_faults(struct ddi *d);

#endif /* WDM_KUNIT_DDI_H */
