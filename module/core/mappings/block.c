// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks of a mapping table: memory, the tree and the hash.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "block.h"

#define WDM_NODE_SIZE	offsetof(struct wdm_map_block, entry[WDM_REGION_PAGES])
#define WDM_SPAN_SIZE	offsetof(struct wdm_map_block, entry[1])
/* A block may be the only one for a page table of the IOMMU. */
#define WDM_NODE_CHARGE	(WDM_NODE_SIZE + WDM_BUDGET_IOMMU_TABLES + \
			 WDM_REGION_PAGES * WDM_PAGE_CHARGE)
#define WDM_SPAN_CHARGE	(WDM_SPAN_SIZE + WDM_BUDGET_IOMMU_TABLES)

static struct kmem_cache *wdm_node_cache;

/**
 * wdm_mappings_init_module() - Create the cache of nodes
 *
 * Return: 0 or -ENOMEM.
 */
int wdm_mappings_init_module(void)
{
	wdm_node_cache = kmem_cache_create("wdm_map_node", WDM_NODE_SIZE, 0,
					   SLAB_ACCOUNT, NULL);
	return wdm_node_cache ? 0 : -ENOMEM;
}

/**
 * wdm_mappings_exit_module() - Undo wdm_mappings_init_module(); all tables are gone
 */
void wdm_mappings_exit_module(void)
{
	kmem_cache_destroy(wdm_node_cache);
}

/* Get what a block is charged. A span is charged for the pages that it has. */
static u64 wdm_block_charge(const struct wdm_map_block *block)
{
	if (!block->span)
		return WDM_NODE_CHARGE;
	return WDM_SPAN_CHARGE + (block->last + 1 - block->first) * WDM_PAGE_CHARGE;
}

/* Called without the lock, too, for a block that is not in the table. */
void wdm_block_free(struct wdm_mappings *mappings, struct wdm_map_block *block)
{
	wdm_budget_uncharge(mappings->budget, wdm_block_charge(block));
	if (block->span)
		kfree(block);
	else
		kmem_cache_free(wdm_node_cache, block);
}

static ntstatus_t wdm_block_alloc(struct wdm_mappings *mappings,
				  enum wdm_block_kind kind, gfp_t gfp,
				  struct wdm_map_block **out)
{
	const bool span = kind == WDM_SPAN;
	u64 charge = span ? WDM_SPAN_CHARGE : WDM_NODE_CHARGE;
	struct wdm_map_block *block;

	if (!wdm_budget_charge(mappings->budget, charge))
		return STATUS_WORKING_SET_QUOTA;
	block = span ? kzalloc(WDM_SPAN_SIZE, gfp) :
		       kmem_cache_zalloc(wdm_node_cache, gfp);
	if (!block) {
		wdm_budget_uncharge(mappings->budget, charge);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	block->span = span;
	/* It has no pages yet. */
	block->first = block->last + 1;
	*out = block;
	return STATUS_SUCCESS;
}

ntstatus_t wdm_reserve_fill(struct wdm_mappings *mappings, struct wdm_map_reserve *reserve,
			    const struct wdm_map_needs *needs, gfp_t gfp)
{
	enum wdm_block_kind kind;
	ntstatus_t status;
	unsigned int *nr;

	for (kind = 0; kind < WDM_BLOCK_KINDS; kind++) {
		nr = &reserve->has.nr[kind];
		while (*nr < needs->nr[kind]) {
			status = wdm_block_alloc(mappings, kind, gfp,
						 &reserve->block[kind][*nr]);
			if (!wdm_ok(status))
				return status;
			++*nr;
		}
	}
	return STATUS_SUCCESS;
}

static struct wdm_map_block *wdm_reserve_take(struct wdm_map_reserve *reserve,
					      enum wdm_block_kind kind)
{
	return reserve->block[kind][--reserve->has.nr[kind]];
}

void wdm_reserve_drop(struct wdm_mappings *mappings, struct wdm_map_reserve *reserve)
{
	enum wdm_block_kind kind;

	for (kind = 0; kind < WDM_BLOCK_KINDS; kind++)
		while (reserve->has.nr[kind])
			wdm_block_free(mappings, wdm_reserve_take(reserve, kind));
}

static void wdm_block_link(struct wdm_mappings *mappings,
			   struct wdm_map_block *block)
{
	struct rb_node **link = &mappings->blocks.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = block->first < wdm_block_of(parent)->first ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&block->rb, parent, link);
	rb_insert_color(&block->rb, &mappings->blocks);
}

void wdm_block_erase(struct wdm_mappings *mappings,
		     struct wdm_map_block *block)
{
	struct wdm_map_block **recent = wdm_recent(mappings, block->first);

	if (*recent == block)
		*recent = NULL;
	rb_erase(&block->rb, &mappings->blocks);
	wdm_block_free(mappings, block);
}

/* Add a node to the hash. The node that it replaces there is freed if it is empty. */
void wdm_node_remember(struct wdm_mappings *mappings,
		       struct wdm_map_block *node)
{
	struct wdm_map_block **recent = wdm_recent(mappings, node->first);

	if (*recent && wdm_node_is_spare(*recent))
		wdm_block_erase(mappings, *recent);
	*recent = node;
}

/* Find the block of a page, or else the next one. */
struct wdm_map_block *wdm_block_next(struct wdm_mappings *mappings,
				     u64 pgno)
{
	struct wdm_map_block *block = wdm_recent_node(mappings, pgno), *next = NULL;
	struct rb_node *rb = mappings->blocks.rb_node;

	if (block)
		return block;
	while (rb) {
		block = wdm_block_of(rb);
		if (block->last >= pgno) {
			next = block;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return next;
}

struct wdm_map_block *wdm_node_add(struct wdm_mappings *mappings, u64 pgno,
				   struct wdm_map_reserve *reserve)
{
	struct wdm_map_block *node = wdm_reserve_take(reserve, WDM_NODE);

	node->first = wdm_region_first(pgno);
	node->last = wdm_region_last(pgno);
	wdm_block_link(mappings, node);
	return node;
}

void wdm_span_add(struct wdm_mappings *mappings, u64 pgno, u64 last_pgno,
		  struct wdm_map_entry entry,
		  struct wdm_map_reserve *reserve)
{
	struct wdm_map_block *span = wdm_reserve_take(reserve, WDM_SPAN);

	span->first = pgno;
	span->last = last_pgno;
	span->entry[0] = entry;
	wdm_block_link(mappings, span);
}

/**
 * wdm_mappings_init() - Initialize an empty mapping table
 * @mappings: the table
 * @budget: what its memory is charged to; must outlive it. NULL: no limit
 */
void wdm_mappings_init(struct wdm_mappings *mappings, struct wdm_budget *budget)
{
	spin_lock_init(&mappings->lock);
	mappings->blocks = RB_ROOT;
	memset(mappings->recent, 0, sizeof(mappings->recent));
	mappings->nr_pages = 0;
	mappings->budget = budget;
}
