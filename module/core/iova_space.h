/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Logical address space: which logical pages of an OS-managed domain are taken, and
 * an allocator of the others.
 *
 * Pages are taken by blocks: what the allocator has handed out, reserved regions, and
 * tokens. Whatever else is mapped stands in the mapping table only.
 */
#ifndef WDM_CORE_IOVA_SPACE_H
#define WDM_CORE_IOVA_SPACE_H

#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/* Widths of addresses that an allocator can have, in bits */
#define WDM_IOVA_MIN_WIDTH	13
#define WDM_IOVA_MAX_WIDTH	63

/**
 * enum wdm_iova_kind - what has taken pages
 * @WDM_IOVA_ALLOCATED: a map to which the allocator gave the address
 * @WDM_IOVA_RESERVED: a reserved region that is never mapped
 * @WDM_IOVA_FIXED: a reserved region that is always mapped
 * @WDM_IOVA_TOKEN: a token
 * @WDM_IOVA_END: nothing: the pages behind the last one
 */
enum wdm_iova_kind {
	WDM_IOVA_ALLOCATED,
	WDM_IOVA_RESERVED,
	WDM_IOVA_FIXED,
	WDM_IOVA_TOKEN,
	WDM_IOVA_END,
};

/**
 * struct wdm_iova_block - pages that are taken
 * @rb: in wdm_iova_space.blocks
 * @gap_first: the first page of the gap before the block
 * @first: the block's first page
 * @last: its last page
 * @nr_mapped: of @WDM_IOVA_ALLOCATED: how many pages are mapped
 * @gap_rank: 1 + the order of the largest free aligned block in the gap; 0 if the gap
 *	is empty
 * @max_rank: the largest @gap_rank of the subtree
 * @kind: what has taken them
 */
struct wdm_iova_block {
	struct rb_node rb;
	u64 gap_first;
	u64 first;
	u64 last;
	u64 nr_mapped;
	u8 gap_rank;
	u8 max_rank;
	u8 kind;
};

/**
 * struct wdm_iova_space - the logical pages of a domain
 * @blocks: what is taken, as &struct wdm_iova_block, by page number; the last one is
 *	@end
 * @end: the block behind the last page
 * @nr: how many blocks there are besides @end; may be read without serialization
 * @steps: how many blocks searches have looked at, for tests
 * @width: the width of addresses in bits; 0 if there is no allocator
 *
 * The caller serializes all calls. Nothing in here allocates memory: a block is the
 * memory of whoever takes the pages.
 */
struct wdm_iova_space {
	struct rb_root blocks;
	struct wdm_iova_block end;
	u64 nr;
	u64 steps;
	unsigned int width;
};

void wdm_iova_space_init(struct wdm_iova_space *space, unsigned int width);
bool wdm_iova_space_take(struct wdm_iova_space *space, struct wdm_iova_block *block,
			 u64 first, u64 last, enum wdm_iova_kind kind);
bool wdm_iova_space_alloc(struct wdm_iova_space *space, struct wdm_iova_block *block,
			  u64 nr_pages, u64 min, u64 max, enum wdm_iova_kind kind);
void wdm_iova_space_drop(struct wdm_iova_space *space, struct wdm_iova_block *block);
struct wdm_iova_block *wdm_iova_space_find(struct wdm_iova_space *space, u64 first,
					   u64 last);

/* Does the space have an allocator? */
static inline bool wdm_iova_space_allocates(const struct wdm_iova_space *space)
{
	return space->width;
}

/* The last page of the space */
static inline u64 wdm_iova_space_last(const struct wdm_iova_space *space)
{
	return space->end.first - 1;
}

#endif /* WDM_CORE_IOVA_SPACE_H */
