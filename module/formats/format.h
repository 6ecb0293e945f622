/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page table formats of callers.
 *
 * A format defines the meaning of an 8-byte entry; the walks (core/shadow) are common to
 * all. Tables have 512 entries (a root may have fewer). Levels count up from 0, the tables
 * of 4 KiB leaves.
 */
#ifndef WDM_FORMATS_FORMAT_H
#define WDM_FORMATS_FORMAT_H

#include <linux/bits.h>
#include <linux/types.h>

#include "../status.h"

#define WDM_PT_INDEX_BITS	9
#define WDM_PT_ENTRIES		BIT(WDM_PT_INDEX_BITS)
#define WDM_PT_MAX_LEVELS	5

/* Get the lowest address bit that indexes the tables of a level. */
static inline unsigned int wdm_pt_shift(unsigned int level)
{
	return 12 + WDM_PT_INDEX_BITS * level;
}

/* Get the number of bytes that an entry of a level translates. */
static inline u64 wdm_pt_span(unsigned int level)
{
	return BIT_ULL(wdm_pt_shift(level));
}

/* DOMAIN_CONFIGURATION_ARCH of the contract */
enum wdm_pt_type {
	WDM_PT_ARM64 = 0,
	WDM_PT_X64 = 1,
};

/**
 * struct wdm_pt_config - DOMAIN_CONFIGURATION of the contract
 * @type: selects @arm64 or @x64
 * @translation_enabled: false: devices see the caller's address space one to one
 * @arm64: Arm64
 * @x64: X64, and the number of levels: 4 or 5
 */
struct wdm_pt_config {
	enum wdm_pt_type type;
	bool translation_enabled;
	union {
		struct {
			u64 ttbr0;
			u64 ttbr1;
			u32 input_size0;
			u32 input_size1;
		} arm64;
		struct {
			u64 root;
			unsigned int levels;
		} x64;
	};
};

enum wdm_pt_kind {
	WDM_PT_NONE,		/* blocks, as the caller intends */
	WDM_PT_TABLE,
	WDM_PT_LEAF,
	WDM_PT_BAD,		/* blocks, and is reported */
};

/**
 * struct wdm_pt_entry - a decoded entry
 * @kind: what it is; %WDM_PT_NONE also for a table or leaf to which devices have no
 *	access at all
 * @address: caller address of the table or of the leaf's memory
 * @perms: upper bound for the permissions: WDM_READ, WDM_WRITE
 * @run: leaves only: number of entries, including this one, that hardware may cache as one
 *	translation: 1, or 16 with the contiguous bit of ARM64
 */
struct wdm_pt_entry {
	enum wdm_pt_kind kind;
	u64 address;
	u32 perms;
	unsigned int run;
};

struct wdm_pt;

/**
 * struct wdm_pt_format - a format
 * @decode: decode entry @raw of a table of level @level; zero is WDM_PT_NONE
 * @max_run: maximum number of entries that hardware may cache as one translation
 * @page: the address bits of a 4 KiB leaf
 */
struct wdm_pt_format {
	void (*decode)(unsigned int level, u64 raw, struct wdm_pt_entry *entry);
	unsigned int max_run;
	u64 page;
};

/**
 * struct wdm_pt - a set of page tables, as configured
 * @format: the format
 * @root: caller address of the root table
 * @levels: number of levels; the root is at level @levels - 1
 * @root_entries: number of entries of the root table
 * @sign_extend: addresses are canonical: the upper half of the tables translates the top
 *	of the 64-bit space
 */
struct wdm_pt {
	const struct wdm_pt_format *format;
	u64 root;
	unsigned int levels;
	unsigned int root_entries;
	bool sign_extend;
};

extern const struct wdm_pt_format wdm_pt_x64;
extern const struct wdm_pt_format wdm_pt_arm64;

ntstatus_t wdm_pt_init(struct wdm_pt *pt, const struct wdm_pt_config *config);

/* Get the number of entries of a table of a level. */
static inline unsigned int wdm_pt_entries(const struct wdm_pt *pt,
					  unsigned int level)
{
	return level == pt->levels - 1 ? pt->root_entries : WDM_PT_ENTRIES;
}

/* Get the index of the entry of a table of a level on the path to an address. */
static inline unsigned int wdm_pt_index(const struct wdm_pt *pt,
					unsigned int level, u64 va)
{
	return (va >> wdm_pt_shift(level)) & (wdm_pt_entries(pt, level) - 1);
}

/* Get the number of bytes that the tables translate. */
static inline u64 wdm_pt_size(const struct wdm_pt *pt)
{
	return wdm_pt_span(pt->levels - 1) * pt->root_entries;
}

/* Convert an index into the tables to an address as devices use it. */
static inline u64 wdm_pt_canonical(const struct wdm_pt *pt, u64 va)
{
	unsigned int bits = wdm_pt_shift(pt->levels);

	if (pt->sign_extend && va & BIT_ULL(bits - 1))
		va |= ~(BIT_ULL(bits) - 1);
	return va;
}

/**
 * wdm_pt_translates() - Check whether the tables can have an entry for an address
 * @pt: the page tables
 * @va: an input address
 *
 * Return: true if @va has no more bits than the tables translate, or is canonical if the
 * format requires that.
 */
static inline bool wdm_pt_translates(const struct wdm_pt *pt, u64 va)
{
	return wdm_pt_canonical(pt, va & (wdm_pt_size(pt) - 1)) == va;
}

#endif /* WDM_FORMATS_FORMAT_H */
