/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A caller of a caller-managed domain: its address space, its page tables in memory, and a
 * slow walk of the tables.
 */
#ifndef WDM_KUNIT_CALLER_TABLES_H
#define WDM_KUNIT_CALLER_TABLES_H

#include "../../module/core/caller.h"
#include "fixture.h"
#include "page_model.h"

#define TABLES_NR	12		/* pages with tables */
#define TABLES_MAX	200		/* maximum number of tables of a walk */
#define TABLES_LEAVES	2500		/* maximum number of leaves */
#define TABLES_SPAN	(8 * SZ_2M)	/* maximum span of all leaves */

/* The caller's address space, in bytes, in one window of 10 MiB */
#define TABLES_WINDOW	SZ_2M
#define TABLES_AT	SZ_2M		/* the tables */
#define TABLES_DATA_A	SZ_4M		/* 2 MiB, contiguous */
#define TABLES_DATA_B	(3 * SZ_2M)	/* 2 MiB, the same pages in random order */
#define TABLES_DATA_C	SZ_8M		/* 256 KiB, for reading, then a hole */
#define TABLES_END	(5 * SZ_2M)

/**
 * struct tables_kind - a shape of page tables
 * @name: for the report
 * @arm64: ARM64, otherwise x86-64
 * @bits: width of an input address
 * @levels: number of levels
 * @root_entries: number of entries of the root
 * @kernel: the caller is kernel code
 */
struct tables_kind {
	const char *name;
	bool arm64;
	unsigned int bits;
	unsigned int levels;
	unsigned int root_entries;
	bool kernel;
};

/**
 * struct tables - a caller
 * @fx: the fixture
 * @kind: the shape of its tables
 * @domain: a caller-managed domain
 * @fake: an IOMMU that the domain has adopted
 * @narrow: another one, which translates fewer addresses, or NULL
 * @space: its address space
 * @mem: its tables
 * @data: MDLs of tables and data: those of TABLES_AT to TABLES_DATA_C
 * @root: caller address of the root
 */
struct tables {
	struct fixture *fx;
	const struct tables_kind *kind;
	struct wdm_domain *domain;
	struct fake_iommu *fake;
	struct fake_iommu *narrow;
	struct page_model space;
	u64 *mem;
	struct test_mdl *data[4];
	u64 root;
};

/**
 * struct tables_leaf - a leaf that translates
 * @va: the first address, as the device uses it
 * @span: size in bytes
 * @caller: caller address of the memory
 * @perms: what devices may do
 * @path: a hash of the tables on its path
 * @content: a hash of its page frames
 * @serials: a hash of the serial numbers of its maps in the IOMMU
 * @in_part: it, or a table on its path, is in the part of the address space that the walk
 *	was asked about
 */
struct tables_leaf {
	u64 va;
	u64 span;
	u64 caller;
	u32 perms;
	u64 path;
	u64 content;
	u64 serials;
	bool in_part;
};

/**
 * struct tables_walk - what all tables translate, sorted by address
 * @leaf: the leaves
 * @nr: number of leaves
 * @span: size of all leaves in bytes
 * @nr_tables: number of tables, each counted on each path to it
 * @tables: a hash of the tables in the order of the walk
 * @walk_error: the first invalid entry, and the number of them
 * @too_many: the tables exceed the limits of a test; the rest was not walked
 */
struct tables_walk {
	struct tables_leaf *leaf;
	unsigned int nr;
	u64 span;
	unsigned int nr_tables;
	u64 tables;
	struct wdm_walk_error walk_error;
	bool too_many;
};

struct tables *tables_start(struct kunit *test, const struct tables_kind *kind);

/* Make the domain adopt an IOMMU with a random aperture. */
void tables_adopt_narrow(struct tables *t);

/* Add a range of the window to the address space, as tables_start() does. */
ntstatus_t tables_add(struct tables *t, u64 caller, u64 nr_pages);

/* Encode an entry for 4 KiB, or for a table, at @caller with full access. */
u64 tables_pointer(const struct tables *t, u64 caller);
/* Encode an entry for a large page. */
u64 tables_large(const struct tables *t, u64 caller);
/* Get entry @i of the @nr-th page with tables. */
u64 *tables_entry(const struct tables *t, unsigned int nr, unsigned int i);
/* Get the caller address of the @nr-th page with tables. */
u64 tables_page(unsigned int nr);

/* Create a random entry, not always a valid one. */
u64 tables_random_entry(struct tables *t);
/* Create random tables; change them at random. */
void tables_fill(struct tables *t);
void tables_edit(struct tables *t);
/* Clear tables until they are within the limits. */
void tables_prune(struct tables *t, struct tables_walk *walk);

struct tables_walk *tables_walk_alloc(struct tables *t);
/* Walk the tables; leaves that use [@first, @last] are in the part. */
void tables_walk(struct tables *t, struct tables_walk *walk, u64 first,
		 u64 last);

void tables_config(const struct tables *t, struct wdm_pt_config *config);

/* Check whether the IOMMU maps this leaf correctly. Records the serial numbers. */
bool tables_leaf_mapped(struct tables *t, struct tables_leaf *leaf);
/* Check that nothing of it is mapped. */
bool tables_leaf_blocked(struct tables *t, const struct tables_leaf *leaf);
/* Check that the IOMMU maps exactly what the walk found. */
void tables_check(struct tables *t, struct tables_walk *walk);

bool tables_leaf_same(const struct tables_leaf *a, const struct tables_leaf *b);
/* Get the leaf that translates @va. */
struct tables_leaf *tables_find(struct tables_walk *walk, u64 va);

#endif /* WDM_KUNIT_CALLER_TABLES_H */
