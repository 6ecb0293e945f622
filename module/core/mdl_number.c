// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers of MDLs: a record tells of MDLs by number, so that it needs no pointer a
 * mapping.
 *
 * A number is asked for at each cold map and looked up at each unmap, and with an
 * xarray each of these took as long as a good part of the work in the IOMMU. So
 * numbers come in blocks of 512, with a list of those that are free, and blocks
 * stand in a table of two levels: as it never shrinks, looking a number up takes no
 * lock.
 */
#include <linux/atomic.h>
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "mdl.h"

#define WDM_MDL_BLOCK_BITS	9
#define WDM_MDL_BLOCK_SLOTS	BIT(WDM_MDL_BLOCK_BITS)
#define WDM_MDL_TABLE_BITS	10
#define WDM_MDL_TABLE_BLOCKS	BIT(WDM_MDL_TABLE_BITS)
#define WDM_MDL_TABLES \
	BIT(WDM_MDL_ID_BITS - WDM_MDL_BLOCK_BITS - WDM_MDL_TABLE_BITS)

/**
 * union wdm_mdl_slot - what a number means
 * @mdl: the MDL that has it
 * @next: if none has: another such slot of the block; 0 at the end
 */
union wdm_mdl_slot {
	struct wdm_mdl *mdl;
	unsigned long next;
};

/**
 * struct wdm_mdl_block_head - about a block, in place of its first slots
 * @link: in wdm_mdl_blocks_free, if a slot is free
 * @index: number of the block
 * @nr_used: slots of MDLs
 * @free: a slot that is free; 0 for none
 */
struct wdm_mdl_block_head {
	struct list_head link;
	u32 index;
	u16 nr_used;
	u16 free;
};

#define WDM_MDL_BLOCK_FIRST \
	DIV_ROUND_UP(sizeof(struct wdm_mdl_block_head), \
		     sizeof(union wdm_mdl_slot))

union wdm_mdl_block {
	struct wdm_mdl_block_head head;
	union wdm_mdl_slot slots[WDM_MDL_BLOCK_SLOTS];
};

/* Blocks by their number, which is the upper part of an MDL's. */
static union wdm_mdl_block **wdm_mdl_tables[WDM_MDL_TABLES];
static DEFINE_IDA(wdm_mdl_block_indices);

/* Guards the slots, and what is below. Who has an MDL may read its slot. */
static DEFINE_SPINLOCK(wdm_mdl_lock);
static LIST_HEAD(wdm_mdl_blocks_free);
/* Blocks without MDLs. One is kept, for the next. */
static unsigned int wdm_mdl_blocks_empty;

/* Where a block stands; its table is there. */
static union wdm_mdl_block **wdm_mdl_block(u32 index)
{
	return &wdm_mdl_tables[index >> WDM_MDL_TABLE_BITS]
			      [index % WDM_MDL_TABLE_BLOCKS];
}

/* Tables stay, whoever needed them first: 8 KiB for half a million MDLs. */
static int wdm_mdl_table_add(u32 index)
{
	union wdm_mdl_block ***place, **table;

	place = &wdm_mdl_tables[index >> WDM_MDL_TABLE_BITS];
	if (READ_ONCE(*place))
		return 0;
	table = kcalloc(WDM_MDL_TABLE_BLOCKS, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	if (cmpxchg(place, NULL, table))
		kfree(table);
	return 0;
}

static void wdm_mdl_block_free(union wdm_mdl_block *block)
{
	*wdm_mdl_block(block->head.index) = NULL;
	ida_free(&wdm_mdl_block_indices, block->head.index);
	kfree(block);
}

static void wdm_mdl_block_init(union wdm_mdl_block *block, u32 index)
{
	unsigned int i;

	block->head.index = index;
	block->head.nr_used = 0;
	block->head.free = WDM_MDL_BLOCK_FIRST;
	for (i = WDM_MDL_BLOCK_FIRST; i < WDM_MDL_BLOCK_SLOTS - 1; i++)
		block->slots[i].next = i + 1;
	block->slots[i].next = 0;
}

static int wdm_mdl_block_add(void)
{
	const u32 last = WDM_MDL_TABLES * WDM_MDL_TABLE_BLOCKS - 1;
	union wdm_mdl_block *block;
	int index;

	block = kmalloc(sizeof(*block), GFP_KERNEL_ACCOUNT);
	if (!block)
		return -ENOMEM;
	index = ida_alloc_max(&wdm_mdl_block_indices, last, GFP_KERNEL);
	if (index < 0)
		goto free;
	if (wdm_mdl_table_add(index))
		goto free_index;

	wdm_mdl_block_init(block, index);
	*wdm_mdl_block(index) = block;
	spin_lock(&wdm_mdl_lock);
	list_add(&block->head.link, &wdm_mdl_blocks_free);
	wdm_mdl_blocks_empty++;
	spin_unlock(&wdm_mdl_lock);
	return 0;

free_index:
	ida_free(&wdm_mdl_block_indices, index);
free:
	kfree(block);
	return -ENOMEM;
}

/* Called with wdm_mdl_lock held, and a slot is free. */
static u32 wdm_mdl_slot_get(struct wdm_mdl *mdl)
{
	union wdm_mdl_block *block = list_first_entry(&wdm_mdl_blocks_free,
						      union wdm_mdl_block,
						      head.link);
	struct wdm_mdl_block_head *head = &block->head;
	unsigned int slot = head->free;

	head->free = block->slots[slot].next;
	block->slots[slot].mdl = mdl;
	if (!head->free)
		list_del(&head->link);
	if (!head->nr_used++)
		wdm_mdl_blocks_empty--;
	return head->index << WDM_MDL_BLOCK_BITS | slot;
}

/**
 * wdm_mdl_number_get() - Give an MDL a number
 * @mdl: the MDL
 *
 * Return: 0, or -ENOMEM, which may also mean that no number is left.
 */
int wdm_mdl_number_get(struct wdm_mdl *mdl)
{
	spin_lock(&wdm_mdl_lock);
	while (list_empty(&wdm_mdl_blocks_free)) {
		spin_unlock(&wdm_mdl_lock);
		if (wdm_mdl_block_add())
			return -ENOMEM;
		spin_lock(&wdm_mdl_lock);
	}
	mdl->id = wdm_mdl_slot_get(mdl);
	spin_unlock(&wdm_mdl_lock);
	return 0;
}

/**
 * wdm_mdl_number_put() - A number is no longer needed
 * @id: the number
 */
void wdm_mdl_number_put(u32 id)
{
	union wdm_mdl_block *block = *wdm_mdl_block(id >> WDM_MDL_BLOCK_BITS);
	struct wdm_mdl_block_head *head = &block->head;
	unsigned int slot = id % WDM_MDL_BLOCK_SLOTS;
	bool drop = false;

	spin_lock(&wdm_mdl_lock);
	if (!head->free)
		list_add(&head->link, &wdm_mdl_blocks_free);
	block->slots[slot].next = head->free;
	head->free = slot;
	if (!--head->nr_used) {
		drop = wdm_mdl_blocks_empty;
		if (drop)
			list_del(&head->link);
		else
			wdm_mdl_blocks_empty++;
	}
	spin_unlock(&wdm_mdl_lock);
	if (drop)
		wdm_mdl_block_free(block);
}

/**
 * wdm_mdl_by_id() - The MDL that a record means
 * @id: its number
 *
 * The MDL stays as long as the record counts it as used, so the caller keeps the
 * mapping from going away: he holds its pages, or the table that the word stands in,
 * or, if it stands in none, the record.
 *
 * Return: the MDL.
 */
struct wdm_mdl *wdm_mdl_by_id(u32 id)
{
	union wdm_mdl_block *block = *wdm_mdl_block(id >> WDM_MDL_BLOCK_BITS);

	return block->slots[id % WDM_MDL_BLOCK_SLOTS].mdl;
}

/**
 * wdm_mdl_exit_module() - No MDL is left, and none will be made
 */
void wdm_mdl_exit_module(void)
{
	union wdm_mdl_block *block, *next;
	unsigned int i;

	list_for_each_entry_safe(block, next, &wdm_mdl_blocks_free, head.link)
		wdm_mdl_block_free(block);
	for (i = 0; i < WDM_MDL_TABLES; i++)
		kfree(wdm_mdl_tables[i]);
}
