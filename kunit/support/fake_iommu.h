/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fake iommu_domain without hardware: it behaves like real drivers and records what was
 * asked of it. Like those, it works in any context, unless a map is told that it may sleep.
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
 * @iova: its address
 * @phys: physical address
 * @size: size in bytes
 * @prot: IOMMU_READ, IOMMU_WRITE etc.
 * @serial: number of the map that created it; it changes when the page is unmapped and
 *	mapped again
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
 * struct fake_table - a page table
 * @iova: the first address that it translates
 * @node: in fake_iommu.made; or, once an unmap has made it superfluous, in
 *	fake_iommu.tables
 */
struct fake_table {
	u64 iova;
	struct list_head node;
};

/* Size of what a table of leaves translates */
#define FAKE_TABLE_SPAN		SZ_2M

/**
 * struct fake_iommu - the iommu_domain
 * @domain: the iommu_domain that the module sees
 * @node: in fixture.fakes
 * @adopter: the domain that has adopted it
 * @gathers: set by the test: gather ranges for one sync at any distance, like AMD's driver;
 *	otherwise like iommu_iotlb_gather_add_page()
 * @frees_tables: set by the test: free tables and gather ranges like Intel's driver before
 *	Linux 6.19
 * @lock: guards the members below
 * @pages: struct fake_page by iova
 * @stale: pages that were unmapped and not synced yet
 * @spare: memory for more pages
 * @chunks: the memory of all of them, by the page, as kmemleak is too slow for that many
 *	objects
 * @mapped: number of mapped 4 KiB pages
 * @has_ram: pages of RAM have been mapped; otherwise iova_to_phys finds nothing
 * @serial: the last serial number
 * @nr_map: number of calls of map_pages
 * @nr_unmap: number of calls of unmap_pages
 * @nr_sync: number of calls of iotlb_sync and flush_iotlb_all
 * @unsynced: number of bytes unmapped since the last of these
 * @max_unsynced: the maximum of @unsynced so far
 * @fail_map: if not 0: make the call of map_pages after this many fail
 * @fail_all: likewise all calls after it
 * @torn: number of large pages that an unmap of a part has unmapped
 * @bad_calls: number of calls that the module must not make
 * @aligns_down: set by the test: sync like Intel's driver before Linux 6.10
 * @no_reserves: set by the test: allocate tables only in maps that may sleep
 * @minds_stale: set by the test: count @over_stale
 * @over_stale: number of pages mapped over a stale translation
 * @reached_freed: number of pages of freed MDLs that could still be reached
 * @freed: number of calls of free
 * @made: if @no_reserves: the tables that exist, as struct fake_table
 * @tables: tables that the next sync frees, as struct fake_table
 * @freed_tables: number of tables freed
 * @freed_early: number of those whose own range had not been synced
 * @hook: set by the test: called once, before the call of map_pages or unmap_pages that
 *	@hook_at counts down to
 * @hook_at: number of calls left
 * @hook_data: for @hook
 */
struct fake_iommu {
	struct iommu_domain domain;
	struct list_head node;
	struct wdm_domain *adopter;
	bool gathers;
	bool frees_tables;
	bool aligns_down;
	bool no_reserves;

	spinlock_t lock;	/* guards the members below */
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
	u64 unsynced;
	u64 max_unsynced;
	unsigned int fail_map;
	bool fail_all;
	unsigned int torn;
	unsigned int bad_calls;
	bool minds_stale;
	unsigned int over_stale;
	unsigned int reached_freed;
	unsigned int freed;
	struct list_head made;
	struct list_head tables;
	unsigned int freed_tables;
	unsigned int freed_early;
	void (*hook)(struct fake_iommu *fake);
	unsigned int hook_at;
	void *hook_data;
};

void fake_iommu_init(struct fake_iommu *fake, unsigned long pgsizes);
void fake_iommu_destroy(struct fake_iommu *fake);

/* Make the @nth call of map_pages from now fail, or all from it on; 0: none. */
void fake_iommu_fail_map(struct fake_iommu *fake, unsigned int nth, bool all);

/* Get the IOMMU page at @iova, or else the next one; false if there is none. */
bool fake_iommu_next(struct fake_iommu *fake, u64 iova, struct fake_page *page);
/* Get the IOMMU page at @iova. */
bool fake_iommu_at(struct fake_iommu *fake, u64 iova, struct fake_page *page);
/* Check whether anything has been unmapped and not synced. */
bool fake_iommu_stale(struct fake_iommu *fake);
/* Check whether the page at @iova has. */
bool fake_iommu_stale_at(struct fake_iommu *fake, u64 iova);
/* Check whether any translation to @phys exists, including stale ones. */
bool fake_iommu_reaches(struct fake_iommu *fake, phys_addr_t phys);

#endif /* WDM_KUNIT_FAKE_IOMMU_H */
