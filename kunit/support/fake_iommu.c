// SPDX-License-Identifier: GPL-2.0
/*
 * A fake iommu_domain.
 */
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "fake_iommu.h"

static struct fake_iommu *to_fake(struct iommu_domain *domain)
{
	return container_of(domain, struct fake_iommu, domain);
}

/* Memory for pages: a page of the kernel's at a time */
struct fake_chunk {
	struct list_head node;
	struct fake_page page[(PAGE_SIZE - sizeof(struct list_head)) /
			      sizeof(struct fake_page)];
};

static struct fake_page *fake_alloc(struct fake_iommu *fake)
{
	struct fake_chunk *chunk;
	struct fake_page *page;
	unsigned int i;

	if (list_empty(&fake->spare)) {
		chunk = (void *)__get_free_page(GFP_ATOMIC);
		if (!chunk)
			return NULL;
		list_add(&chunk->node, &fake->chunks);
		for (i = 0; i < ARRAY_SIZE(chunk->page); i++)
			list_add(&chunk->page[i].node, &fake->spare);
	}
	page = list_first_entry(&fake->spare, struct fake_page, node);
	list_del(&page->node);
	return page;
}

/* Get the page at @iova, or else the first one after it. */
static struct fake_page *fake_find(struct fake_iommu *fake, u64 iova)
{
	struct rb_node *rb = fake->pages.rb_node;
	struct fake_page *page, *found = NULL;

	while (rb) {
		page = rb_entry(rb, struct fake_page, rb);
		if (page->iova + page->size - 1 >= iova) {
			found = page;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return found;
}

static void fake_insert(struct fake_iommu *fake, struct fake_page *page)
{
	struct rb_node **link = &fake->pages.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (page->iova < rb_entry(parent, struct fake_page, rb)->iova)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&page->rb, parent, link);
	rb_insert_color(&page->rb, &fake->pages);
}

static bool fake_should_fail(struct fake_iommu *fake)
{
	if (!fake->fail_map)
		return false;
	if (fake->fail_map > 1) {
		fake->fail_map--;
		return false;
	}
	if (!fake->fail_all)
		fake->fail_map = 0;
	return true;
}

/* Check whether a stale translation overlaps a range. */
static bool fake_stale_in(struct fake_iommu *fake, u64 iova, u64 size)
{
	const struct fake_page *page;

	list_for_each_entry(page, &fake->stale, node)
		if (page->iova <= iova + size - 1 &&
		    page->iova + page->size - 1 >= iova)
			return true;
	return false;
}

static int fake_map_one(struct fake_iommu *fake, u64 iova, phys_addr_t phys,
			u64 size, int prot)
{
	struct fake_page *page = fake_find(fake, iova);

	if (page && page->iova <= iova + size - 1) {
		fake->bad_calls++;
		return -EEXIST;
	}
	if (fake->minds_stale && fake_stale_in(fake, iova, size))
		fake->over_stale++;
	page = fake_alloc(fake);
	if (!page)
		return -ENOMEM;
	*page = (struct fake_page) {
		.iova = iova,
		.phys = phys,
		.size = size,
		.prot = prot,
		.serial = ++fake->serial,
	};
	fake_insert(fake, page);
	fake->mapped += size / SZ_4K;
	if (pfn_valid(PHYS_PFN(phys)))
		fake->has_ram = true;
	return 0;
}

static bool fake_add_table(struct list_head *list, u64 iova)
{
	struct fake_table *table = kmalloc(sizeof(*table), GFP_ATOMIC);

	if (!table)
		return false;
	table->iova = iova;
	list_add_tail(&table->node, list);
	return true;
}

/* Is there a table for a page, or can one be made? */
static bool fake_has_table(struct fake_iommu *fake, u64 iova, gfp_t gfp)
{
	const struct fake_table *table;

	iova = round_down(iova, FAKE_TABLE_SPAN);
	list_for_each_entry(table, &fake->made, node)
		if (table->iova == iova)
			return true;
	return gfpflags_allow_blocking(gfp) && fake_add_table(&fake->made, iova);
}

static void fake_run_hook(struct fake_iommu *fake)
{
	if (fake->hook_at && !--fake->hook_at)
		fake->hook(fake);
}

static int fake_map_pages(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t phys, size_t pgsize, size_t pgcount,
			  int prot, gfp_t gfp, size_t *mapped)
{
	struct fake_iommu *fake = to_fake(domain);
	const struct iommu_domain_geometry *geo = &domain->geometry;
	size_t i;
	int ret = 0;
	unsigned long flags;

	might_sleep_if(gfpflags_allow_blocking(gfp));
	fake_run_hook(fake);
	spin_lock_irqsave(&fake->lock, flags);
	fake->nr_map++;
	if (!is_power_of_2(pgsize) || !(pgsize & domain->pgsize_bitmap) ||
	    !pgcount || (iova | phys) & (pgsize - 1) ||
	    iova < geo->aperture_start ||
	    iova + pgsize * pgcount - 1 > geo->aperture_end) {
		fake->bad_calls++;
		ret = -EINVAL;
	} else if (fake_should_fail(fake)) {
		/* As real drivers do, with some of the pages mapped. */
		pgcount /= 2;
		ret = -ENOMEM;
	}
	for (i = 0; ret != -EINVAL && i < pgcount; i++) {
		int err = -ENOMEM;

		if (!fake->no_reserves || pgsize >= FAKE_TABLE_SPAN ||
		    fake_has_table(fake, iova + i * pgsize, gfp))
			err = fake_map_one(fake, iova + i * pgsize,
					   phys + i * pgsize, pgsize, prot);
		if (err) {
			ret = err;
			break;
		}
		*mapped += pgsize;
	}
	spin_unlock_irqrestore(&fake->lock, flags);
	return ret;
}

/* The tables that a range covers are to be freed. */
static void fake_drop_tables(struct fake_iommu *fake, u64 iova, u64 size)
{
	u64 at = round_up(iova, FAKE_TABLE_SPAN);

	for (; at + FAKE_TABLE_SPAN <= iova + size; at += FAKE_TABLE_SPAN)
		if (!fake_add_table(&fake->tables, at))
			return;
}

/* A sync frees all tables on the list, whatever range it syncs. */
static void fake_free_tables(struct fake_iommu *fake, u64 first, u64 last)
{
	struct fake_table *table, *tmp;

	list_for_each_entry_safe(table, tmp, &fake->tables, node) {
		if (table->iova < first ||
		    table->iova + FAKE_TABLE_SPAN - 1 > last)
			fake->freed_early++;
		fake->freed_tables++;
		list_del(&table->node);
		kfree(table);
	}
}

static size_t fake_unmap_pages(struct iommu_domain *domain, unsigned long iova,
			       size_t pgsize, size_t pgcount,
			       struct iommu_iotlb_gather *gather)
{
	struct fake_iommu *fake = to_fake(domain);
	u64 next = iova, end = iova + pgsize * pgcount;
	struct fake_page *page;
	unsigned long flags;

	fake_run_hook(fake);
	spin_lock_irqsave(&fake->lock, flags);
	fake->nr_unmap++;
	while (next - iova < end - iova) {
		page = fake_find(fake, next);
		if (!page || page->iova > next)
			break;
		/* Large pages are unmapped as a whole. */
		if (page->iova < next ||
		    page->iova + page->size - 1 > end - 1)
			fake->torn++;
		rb_erase(&page->rb, &fake->pages);
		fake->mapped -= page->size / SZ_4K;
		list_add_tail(&page->node, &fake->stale);
		next = page->iova + page->size;
	}
	fake->unsynced += next - iova;
	fake->max_unsynced = max(fake->max_unsynced, fake->unsynced);
	if (fake->frees_tables)
		fake_drop_tables(fake, iova, next - iova);
	spin_unlock_irqrestore(&fake->lock, flags);

	if (next == iova)
		return 0;
	if (fake->gathers)
		iommu_iotlb_gather_add_range(gather, iova, next - iova);
	else
		iommu_iotlb_gather_add_page(domain, gather, iova, next - iova);
	return next - iova;
}

static void fake_sync(struct fake_iommu *fake, u64 first, u64 last)
{
	struct fake_page *page, *tmp;
	unsigned long flags;

	spin_lock_irqsave(&fake->lock, flags);
	fake->nr_sync++;
	fake->unsynced = 0;
	list_for_each_entry_safe(page, tmp, &fake->stale, node) {
		if (page->iova < first || page->iova + page->size - 1 > last)
			continue;
		list_move(&page->node, &fake->spare);
	}
	fake_free_tables(fake, first, last);
	spin_unlock_irqrestore(&fake->lock, flags);
}

static void fake_iotlb_sync(struct iommu_domain *domain,
			    struct iommu_iotlb_gather *gather)
{
	struct fake_iommu *fake = to_fake(domain);
	u64 first = gather->start, last = gather->end;

	if (fake->aligns_down && first < last) {
		u64 size = roundup_pow_of_two(last - first + 1);

		first &= ~(size - 1);
		last = first + size - 1;
	}
	fake_sync(fake, first, last);
}

static void fake_flush_iotlb_all(struct iommu_domain *domain)
{
	fake_sync(to_fake(domain), 0, U64_MAX);
}

static phys_addr_t fake_iova_to_phys(struct iommu_domain *domain,
				     dma_addr_t iova)
{
	struct fake_page page;

	/*
	 * Before each unmap, debug_pagealloc of the IOMMU core looks up every 4 KiB, to
	 * count the pages of RAM that stay mapped.
	 */
	if (!READ_ONCE(to_fake(domain)->has_ram) ||
	    !fake_iommu_at(to_fake(domain), iova, &page))
		return 0;
	return page.phys + (iova - page.iova);
}

static void fake_free(struct iommu_domain *domain)
{
	to_fake(domain)->freed++;
}

static const struct iommu_domain_ops fake_ops = {
	.map_pages = fake_map_pages,
	.unmap_pages = fake_unmap_pages,
	.flush_iotlb_all = fake_flush_iotlb_all,
	.iotlb_sync = fake_iotlb_sync,
	.iova_to_phys = fake_iova_to_phys,
	.free = fake_free,
};

/**
 * fake_iommu_init() - Initialize an empty one
 * @fake: zeroed
 * @pgsizes: its page sizes
 *
 * Its aperture is 48 bits; change @domain.geometry before it is used.
 */
void fake_iommu_init(struct fake_iommu *fake, unsigned long pgsizes)
{
	fake->domain = (struct iommu_domain) {
		.type = IOMMU_DOMAIN_UNMANAGED,
		.ops = &fake_ops,
		.pgsize_bitmap = pgsizes,
		.geometry = {
			.aperture_start = 0,
			.aperture_end = BIT_ULL(48) - 1,
			.force_aperture = true,
		},
	};
	spin_lock_init(&fake->lock);
	fake->pages = RB_ROOT;
	INIT_LIST_HEAD(&fake->stale);
	INIT_LIST_HEAD(&fake->spare);
	INIT_LIST_HEAD(&fake->chunks);
	INIT_LIST_HEAD(&fake->made);
	INIT_LIST_HEAD(&fake->tables);
}

/**
 * fake_iommu_destroy() - Free all memory
 * @fake: the fake
 */
void fake_iommu_destroy(struct fake_iommu *fake)
{
	struct fake_chunk *chunk, *tmp;

	list_splice_init(&fake->made, &fake->tables);
	fake_free_tables(fake, 0, U64_MAX);
	list_for_each_entry_safe(chunk, tmp, &fake->chunks, node)
		free_page((unsigned long)chunk);
}

void fake_iommu_fail_map(struct fake_iommu *fake, unsigned int nth, bool all)
{
	unsigned long flags;

	spin_lock_irqsave(&fake->lock, flags);
	fake->fail_map = nth;
	fake->fail_all = all;
	spin_unlock_irqrestore(&fake->lock, flags);
}

bool fake_iommu_next(struct fake_iommu *fake, u64 iova, struct fake_page *page)
{
	struct fake_page *found;
	unsigned long flags;

	spin_lock_irqsave(&fake->lock, flags);
	found = fake_find(fake, iova);
	if (found)
		*page = *found;
	spin_unlock_irqrestore(&fake->lock, flags);
	return found;
}

bool fake_iommu_at(struct fake_iommu *fake, u64 iova, struct fake_page *page)
{
	struct fake_page *found;
	unsigned long flags;

	spin_lock_irqsave(&fake->lock, flags);
	found = fake_find(fake, iova);
	if (found && found->iova > iova)
		found = NULL;
	if (found)
		*page = *found;
	spin_unlock_irqrestore(&fake->lock, flags);
	return found;
}

bool fake_iommu_stale(struct fake_iommu *fake)
{
	bool stale;
	unsigned long flags;

	spin_lock_irqsave(&fake->lock, flags);
	stale = !list_empty(&fake->stale);
	spin_unlock_irqrestore(&fake->lock, flags);
	return stale;
}

bool fake_iommu_stale_at(struct fake_iommu *fake, u64 iova)
{
	bool stale;
	unsigned long flags;

	spin_lock_irqsave(&fake->lock, flags);
	stale = fake_stale_in(fake, iova, 1);
	spin_unlock_irqrestore(&fake->lock, flags);
	return stale;
}

static bool fake_page_reaches(const struct fake_page *page, phys_addr_t phys)
{
	return phys >= page->phys && phys - page->phys < page->size;
}

bool fake_iommu_reaches(struct fake_iommu *fake, phys_addr_t phys)
{
	struct fake_page *page;
	bool reaches = false;
	struct rb_node *rb;
	unsigned long flags;

	spin_lock_irqsave(&fake->lock, flags);
	for (rb = rb_first(&fake->pages); rb; rb = rb_next(rb))
		reaches |= fake_page_reaches(rb_entry(rb, struct fake_page, rb),
					     phys);
	list_for_each_entry(page, &fake->stale, node)
		reaches |= fake_page_reaches(page, phys);
	spin_unlock_irqrestore(&fake->lock, flags);
	return reaches;
}
