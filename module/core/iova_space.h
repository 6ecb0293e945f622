/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Logical address space: reserved and allocated logical pages of an OS-managed domain,
 * and the allocator.
 *
 * Blocks take pages: allocations, reserved regions, and tokens. Other mapped pages are
 * recorded in the mapping table only.
 */
#ifndef WDM_CORE_IOVA_SPACE_H
#define WDM_CORE_IOVA_SPACE_H

#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/* Limits for the width of addresses of an allocator, in bits */
#define WDM_IOVA_MIN_WIDTH	13
#define WDM_IOVA_MAX_WIDTH	63

/**
 * enum wdm_iova_kind - what a block is
 * @WDM_IOVA_ALLOCATED: a map at an address that the allocator chose
 * @WDM_IOVA_RESERVED: a reserved region that is never mapped
 * @WDM_IOVA_FIXED: a reserved region that is always mapped
 * @WDM_IOVA_TOKEN: a token
 * @WDM_IOVA_END: the sentinel after the last page
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
 * @gap_first: first page of the gap before the block
 * @first: the block's first page
 * @last: its last page
 * @nr_mapped: of @WDM_IOVA_ALLOCATED: number of mapped pages
 * @gap_rank: 1 + the order of the largest free aligned block in the gap; 0 if the gap
 *	is empty
 * @max_rank: the largest @gap_rank of the subtree
 * @kind: what the block is
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
 * @blocks: the blocks, as &struct wdm_iova_block, by page number; @end is the last one
 * @end: sentinel after the last page
 * @nr: number of blocks besides @end; written under the caller's lock, read without
 * @steps: number of blocks that searches have visited, for tests
 * @width: the width of addresses in bits; 0 if there is no allocator
 *
 * The caller serializes all calls. They never allocate memory: the caller provides each
 * block.
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

/* Check whether the space has an allocator. */
static inline bool wdm_iova_space_allocates(const struct wdm_iova_space *space)
{
	return space->width;
}

/*
 * Check whether any addresses are taken. A racing call can take some, but not pages that the
 * caller holds: an old value is good enough for a check of these.
 */
static inline bool wdm_iova_space_used(const struct wdm_iova_space *space)
{
	return READ_ONCE(space->nr);
}

/* Get the last page of the space. */
static inline u64 wdm_iova_space_last(const struct wdm_iova_space *space)
{
	return space->end.first - 1;
}

#endif /* WDM_CORE_IOVA_SPACE_H */
