// SPDX-License-Identifier: GPL-2.0
/*
 * Logical address space: reserved and allocated logical pages, and the allocator.
 *
 * The contract's allocator prefers low addresses and hands out naturally aligned powers
 * of two. Neither of the kernel's allocators does: struct iova_domain prefers high
 * addresses, and searches linearly when its per-CPU caches are empty; the maple tree
 * finds gaps without regard to alignment, and needs memory to erase. So this is a
 * red-black tree of the pages that are taken. Each block knows the largest aligned power
 * of two in the gap before it, and each subtree the largest of its blocks: the lowest gap
 * that is large enough is found in O(log n), and freeing needs no memory.
 */
#include <linux/bitops.h>
#include <linux/rbtree_augmented.h>

#include "iova_space.h"

static struct wdm_iova_block *wdm_iova_block_of(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct wdm_iova_block, rb);
}

static u8 wdm_iova_own_rank(struct wdm_iova_block *block)
{
	return block->gap_rank;
}

RB_DECLARE_CALLBACKS_MAX(static, wdm_iova_ranks, struct wdm_iova_block, rb, u8, max_rank,
			 wdm_iova_own_rank)

/* Get the order of the smallest power of two that is not less than @nr_pages. */
static unsigned int wdm_iova_order(u64 nr_pages)
{
	return nr_pages > 1 ? fls64(nr_pages - 1) : 0;
}

static u8 wdm_iova_gap_rank(u64 first, u64 end)
{
	unsigned int order;

	if (first == end)
		return 0;
	/* A block that fits by its size may not fit by its alignment. */
	order = fls64(end - first) - 1;
	if (round_up(first, BIT_ULL(order)) + BIT_ULL(order) > end)
		order--;
	return order + 1;
}

/* Set the start of the gap before a block, without propagating its rank. */
static void wdm_iova_set_gap(struct wdm_iova_block *block, u64 gap_first)
{
	block->gap_first = gap_first;
	block->gap_rank = wdm_iova_gap_rank(gap_first, block->first);
}

/**
 * wdm_iova_space_init() - Initialize an address space in which nothing is taken
 * @space: the space
 * @width: the width of addresses that the allocator hands out, from
 *	%WDM_IOVA_MIN_WIDTH to %WDM_IOVA_MAX_WIDTH bits; 0: no allocator, and 64-bit
 *	addresses
 */
void wdm_iova_space_init(struct wdm_iova_space *space, unsigned int width)
{
	struct wdm_iova_block *end = &space->end;

	*space = (struct wdm_iova_space) { .width = width };
	end->first = BIT_ULL((width ?: 64) - PAGE_SHIFT);
	end->last = U64_MAX;
	end->kind = WDM_IOVA_END;
	wdm_iova_set_gap(end, 0);
	end->max_rank = end->gap_rank;
	rb_link_node(&end->rb, NULL, &space->blocks.rb_node);
	rb_insert_color(&end->rb, &space->blocks);
}

/* Find the first block that starts after @pgno, which is a page of the space. */
static struct wdm_iova_block *wdm_iova_after(struct wdm_iova_space *space, u64 pgno)
{
	struct rb_node *rb = space->blocks.rb_node;
	struct wdm_iova_block *block, *found = NULL;

	while (rb) {
		space->steps++;
		block = wdm_iova_block_of(rb);
		if (block->first > pgno) {
			found = block;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return found;
}

static bool wdm_iova_has_rank(struct rb_node *rb, u8 rank)
{
	return rb && wdm_iova_block_of(rb)->max_rank >= rank;
}

/* Find the first block of a subtree with a gap of @rank or more; there is one. */
static struct wdm_iova_block *wdm_iova_first_gap(struct wdm_iova_space *space,
						 struct rb_node *rb, u8 rank)
{
	while (wdm_iova_has_rank(rb->rb_left, rank) ||
	       wdm_iova_block_of(rb)->gap_rank < rank) {
		space->steps++;
		rb = wdm_iova_has_rank(rb->rb_left, rank) ? rb->rb_left : rb->rb_right;
	}
	return wdm_iova_block_of(rb);
}

/* Find the next block after @block with a gap of @rank or more. */
static struct wdm_iova_block *wdm_iova_next_gap(struct wdm_iova_space *space,
						struct wdm_iova_block *block, u8 rank)
{
	struct rb_node *rb = &block->rb, *parent;

	if (wdm_iova_has_rank(rb->rb_right, rank))
		return wdm_iova_first_gap(space, rb->rb_right, rank);
	for (; (parent = rb_parent(rb)); rb = parent) {
		space->steps++;
		if (rb == parent->rb_right)
			continue;
		if (wdm_iova_block_of(parent)->gap_rank >= rank)
			return wdm_iova_block_of(parent);
		if (wdm_iova_has_rank(parent->rb_right, rank))
			return wdm_iova_first_gap(space, parent->rb_right, rank);
	}
	return NULL;
}

/* Insert a block, whose pages are free, before @next. */
static void wdm_iova_insert(struct wdm_iova_space *space, struct wdm_iova_block *block,
			    struct wdm_iova_block *next)
{
	struct rb_node **link = &next->rb.rb_left, *parent = &next->rb;

	if (*link) {
		parent = rb_prev(&next->rb);
		link = &parent->rb_right;
	}
	wdm_iova_set_gap(block, next->gap_first);
	wdm_iova_set_gap(next, block->last + 1);
	block->max_rank = block->gap_rank;
	rb_link_node(&block->rb, parent, link);
	wdm_iova_ranks_propagate(&next->rb, NULL);
	wdm_iova_ranks_propagate(parent, NULL);
	rb_insert_augmented(&block->rb, &space->blocks, &wdm_iova_ranks);
	WRITE_ONCE(space->nr, space->nr + 1);
}

/**
 * wdm_iova_space_take() - Take given pages
 * @space: the space
 * @block: the block; on success, used until wdm_iova_space_drop()
 * @first: the first page number
 * @last: the last page number
 * @kind: what takes them
 *
 * Return: false if one of the pages is taken already, or is outside of the space.
 */
bool wdm_iova_space_take(struct wdm_iova_space *space, struct wdm_iova_block *block,
			 u64 first, u64 last, enum wdm_iova_kind kind)
{
	struct wdm_iova_block *next;

	if (last > wdm_iova_space_last(space))
		return false;
	next = wdm_iova_after(space, first);
	if (first < next->gap_first || last >= next->first)
		return false;
	block->first = first;
	block->last = last;
	block->nr_mapped = 0;
	block->kind = kind;
	wdm_iova_insert(space, block, next);
	return true;
}

/**
 * wdm_iova_space_alloc() - Allocate the lowest free pages
 * @space: the space
 * @block: the block; on success, used until wdm_iova_space_drop()
 * @nr_pages: number of pages, at least 1; rounded up to a power of two, to which the block
 *	is aligned
 * @min: the lowest acceptable first page number; page 0 is never allocated
 * @max: the highest acceptable last page number
 * @kind: what the pages are for
 *
 * Return: true if such a block was free.
 */
bool wdm_iova_space_alloc(struct wdm_iova_space *space, struct wdm_iova_block *block,
			  u64 nr_pages, u64 min, u64 max, enum wdm_iova_kind kind)
{
	unsigned int order = wdm_iova_order(nr_pages);
	struct wdm_iova_block *next;
	u64 first;

	min = max_t(u64, min, 1);
	max = min(max, wdm_iova_space_last(space));
	if (min > max || max - min < BIT_ULL(order) - 1)
		return false;

	/*
	 * A gap of this rank holds the block, unless @min or @max cuts it. Each cuts only
	 * one gap, so the loop looks at no more than three.
	 */
	for (next = wdm_iova_after(space, min); next && next->gap_first <= max;
	     next = wdm_iova_next_gap(space, next, order + 1)) {
		first = round_up(max(min, next->gap_first), BIT_ULL(order));
		if (first + BIT_ULL(order) > min(next->first, max + 1))
			continue;
		block->first = first;
		block->last = first + BIT_ULL(order) - 1;
		block->nr_mapped = 0;
		block->kind = kind;
		wdm_iova_insert(space, block, next);
		return true;
	}
	return false;
}

/**
 * wdm_iova_space_drop() - Give pages back
 * @space: the space
 * @block: the block that has taken them; the caller's memory again
 */
void wdm_iova_space_drop(struct wdm_iova_space *space, struct wdm_iova_block *block)
{
	struct wdm_iova_block *next = wdm_iova_block_of(rb_next(&block->rb));

	/* Rebalance before the gaps join, so that the tree is correct throughout. */
	rb_erase_augmented(&block->rb, &space->blocks, &wdm_iova_ranks);
	wdm_iova_set_gap(next, block->gap_first);
	wdm_iova_ranks_propagate(&next->rb, NULL);
	WRITE_ONCE(space->nr, space->nr - 1);
}

/**
 * wdm_iova_space_find() - Find the first block that overlaps a range
 * @space: the space
 * @first: the first page number
 * @last: the last page number
 *
 * Return: the block, or NULL.
 */
struct wdm_iova_block *wdm_iova_space_find(struct wdm_iova_space *space, u64 first,
					   u64 last)
{
	struct wdm_iova_block *next;

	if (!space->nr || first > wdm_iova_space_last(space))
		return NULL;
	next = wdm_iova_after(space, first);
	if (first < next->gap_first)
		next = wdm_iova_block_of(rb_prev(&next->rb));
	return next->first <= last && next->kind != WDM_IOVA_END ? next : NULL;
}
