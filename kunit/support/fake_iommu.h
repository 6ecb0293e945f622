/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An iommu_domain made by hand, without hardware: it behaves as real drivers do and
 * records what was asked of it. As they do, it works in any context, if its maps are not
 * told that they may sleep.
 */
#ifndef WDM_KUNIT_FAKE_IOMMU_H
#define WDM_KUNIT_FAKE_IOMMU_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

struct wdm_domain;

#define FAKE_PGSIZES_4K		SZ_4K
#define FAKE_PGSIZES_X86	(SZ_4K | SZ_2M | SZ_1G)
#define FAKE_PGSIZES_AMD	(~0xFFFUL)

/**
 * struct fake_page - an IOMMU page
 * @iova: where
 * @phys: what
 * @size: how large
 * @prot: IOMMU_READ, IOMMU_WRITE and the like
 * @serial: number of the map that made it; it changes when the page is unmapped
 *	and mapped again
 * @rb: in fake_iommu.pages
 * @node: in fake_iommu.stale, once unmapped; in fake_iommu.spare, once synced
 */
struct fake_page {
	u64 iova;
	phys_addr_t phys;
	u64 size;
	int prot;
	u64 serial;
	struct rb_node rb;
	struct list_head node;
};

/**
 * struct fake_table - a page table that an unmap has made superfluous
 * @iova: the first address that it translates
 * @node: in fake_iommu.tables
 */
struct fake_table {
	u64 iova;
	struct list_head node;
};

/* What a table of leaves translates */
#define FAKE_TABLE_SPAN		SZ_2M

/**
 * struct fake_iommu - the iommu_domain
 * @domain: what the module sees
 * @node: in fixture.fakes
 * @adopter: the domain that has adopted it
 * @gathers: to be set: gather ranges for one sync however far apart, as AMD's driver
 *	does; otherwise as iommu_iotlb_gather_add_page() does
 * @frees_tables: to be set: tables are freed, and ranges gathered, as Intel's driver
 *	did it before Linux 6.19
 * @lock: guards the rest
 * @pages: struct fake_page by iova
 * @stale: pages that were unmapped and not yet synced
 * @spare: room for more pages
 * @chunks: the memory of all of them, by the page, as kmemleak is too slow for that
 *	many objects
 * @mapped: 4 KiB pages mapped
 * @has_ram: pages of RAM have been mapped; otherwise iova_to_phys finds nothing
 * @serial: the last serial number
 * @nr_map: calls of map_pages
 * @nr_unmap: calls of unmap_pages
 * @nr_sync: calls of iotlb_sync and flush_iotlb_all
 * @fail_map: if not 0: this many calls of map_pages from now, one fails
 * @fail_all: from then on all fail
 * @torn: large pages unmapped by an unmap of a part
 * @bad_calls: calls that the module must not make
 * @aligns_down: to be set: sync as Intel's driver did before Linux 6.10
 * @minds_stale: to be set: count the next
 * @over_stale: pages mapped over a stale translation
 * @reached_freed: pages of freed MDLs that could still be reached
 * @freed: calls of free
 * @tables: tables that the next sync frees, as struct fake_table
 * @freed_tables: tables that were freed
 * @freed_early: those whose own range had not been synced
 * @hook: to be set: called once, before the call of map_pages or unmap_pages that
 *	@hook_at counts down to
 * @hook_at: how many calls to go
 * @hook_data: for @hook
 */
struct fake_iommu {
	struct iommu_domain domain;
	struct list_head node;
	struct wdm_domain *adopter;
	bool gathers;
	bool frees_tables;
	bool aligns_down;

	spinlock_t lock;	/* guards what follows */
	struct rb_root pages;
	struct list_head stale;
	struct list_head spare;
	struct list_head chunks;
	u64 mapped;
	bool has_ram;
	u64 serial;
	unsigned int nr_map;
	unsigned int nr_unmap;
	unsigned int nr_sync;
	unsigned int fail_map;
	bool fail_all;
	unsigned int torn;
	unsigned int bad_calls;
	bool minds_stale;
	unsigned int over_stale;
	unsigned int reached_freed;
	unsigned int freed;
	struct list_head tables;
	unsigned int freed_tables;
	unsigned int freed_early;
	void (*hook)(struct fake_iommu *fake);
	unsigned int hook_at;
	void *hook_data;
};

void fake_iommu_init(struct fake_iommu *fake, unsigned long pgsizes);
void fake_iommu_destroy(struct fake_iommu *fake);

/* Let the @nth call of map_pages from now fail, or all from it on; 0: none. */
void fake_iommu_fail_map(struct fake_iommu *fake, unsigned int nth, bool all);

/* The IOMMU page at @iova, or else the next one; false if there is none. */
bool fake_iommu_next(struct fake_iommu *fake, u64 iova, struct fake_page *page);
/* The IOMMU page at @iova. */
bool fake_iommu_at(struct fake_iommu *fake, u64 iova, struct fake_page *page);
/* Has anything been unmapped and not been synced? */
bool fake_iommu_stale(struct fake_iommu *fake);
/* Has the page at @iova? */
bool fake_iommu_stale_at(struct fake_iommu *fake, u64 iova);
/* Does any translation, be it a stale one, lead to @phys? */
bool fake_iommu_reaches(struct fake_iommu *fake, phys_addr_t phys);

#endif /* WDM_KUNIT_FAKE_IOMMU_H */
