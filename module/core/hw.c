// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware domain: one iommu_domain of Linux that a domain fills.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "hw.h"

/**
 * wdm_hw_create() - Take over an iommu_domain
 * @domain: empty, of type IOMMU_DOMAIN_UNMANAGED
 *
 * Return: the hardware domain, which owns @domain; or NULL, when out of memory.
 */
struct wdm_hw *wdm_hw_create(struct iommu_domain *domain)
{
	struct wdm_hw *hw = kzalloc(sizeof(*hw), GFP_KERNEL_ACCOUNT);

	if (hw)
		hw->domain = domain;
	return hw;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_create);

/**
 * wdm_hw_destroy() - Free a hardware domain and its iommu_domain
 * @hw: no group is attached, and nothing is mapped
 */
void wdm_hw_destroy(struct wdm_hw *hw)
{
	iommu_domain_free(hw->domain);
	kfree(hw);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_destroy);

/*
 * The largest page that is ever used, and the most that is mapped or unmapped
 * before others may have the CPU.
 */
#define WDM_HW_STEP	((u64)SZ_1G)

/* The largest of the IOMMU's pages that fits. */
static u64 wdm_hw_page(const struct wdm_hw *hw, u64 iova, phys_addr_t phys,
		       u64 size)
{
	u64 sizes = hw->domain->pgsize_bitmap & (2 * WDM_HW_STEP - 1) &
		    GENMASK_ULL(__fls(size), PAGE_SHIFT);

	if (iova | phys)
		sizes &= GENMASK_ULL(__ffs64(iova | phys), 0);
	return BIT_ULL(__fls(sizes));
}

/*
 * How much to map with one call. iommu_map() takes the largest page that fits
 * into it. Pieces that are smaller than the second page size, cut at multiples
 * of half of it, leave it nothing but 4 KiB pages. Where a call is what can be
 * unmapped, a call is a page.
 */
static u64 wdm_hw_piece(const struct wdm_hw *hw, u64 iova, phys_addr_t phys,
			u64 size, enum wdm_granule granule)
{
	unsigned long larger = hw->domain->pgsize_bitmap & ~(2 * PAGE_SIZE - 1);
	u64 piece = WDM_HW_STEP;

	if (size == PAGE_SIZE)
		return size;
	if (hw->whole_maps)
		return granule == WDM_GRANULE_PAGE ?
		       PAGE_SIZE : wdm_hw_page(hw, iova, phys, size);
	if (granule == WDM_GRANULE_PAGE && larger)
		piece = BIT_ULL(__ffs(larger)) / 2;
	return min(size, piece - (iova & (piece - 1)));
}

/**
 * struct wdm_feed - pieces of memory on their way into a hardware domain
 * @hw: the hardware domain
 * @killable: a fatal signal ends it
 * @prot: IOMMU_READ and the like
 * @iova: where the first piece goes; each other one goes behind the one before
 * @size: bytes of all pieces
 * @phys_end: where the last piece ends
 * @nr: how many pieces there are
 * @max: how many there is room for
 * @sg: the pieces
 * @few: room for some, where there is no memory for more
 *
 * One call for many pieces, so that the IOMMU driver has to see to its caches
 * once and not for each of them.
 */
struct wdm_feed {
	struct wdm_hw *hw;
	bool killable;
	int prot;
	u64 iova;
	u64 size;
	phys_addr_t phys_end;
	unsigned int nr;
	unsigned int max;
	struct scatterlist *sg;
	struct scatterlist few[8];
};

/* Pieces that go into one call: what a page can describe. */
#define WDM_FEED_MAX	((u64)(PAGE_SIZE / sizeof(struct scatterlist)))

static void wdm_feed_begin(struct wdm_feed *feed, struct wdm_hw *hw, u64 iova,
			   u64 nr_pages, int prot)
{
	feed->hw = hw;
	feed->prot = prot;
	feed->iova = iova;
	feed->size = 0;
	feed->nr = 0;
	feed->max = min(nr_pages, WDM_FEED_MAX);
	feed->sg = NULL;
	if (feed->max > ARRAY_SIZE(feed->few))
		feed->sg = kmalloc_array(feed->max, sizeof(*feed->sg),
					 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!feed->sg) {
		feed->max = ARRAY_SIZE(feed->few);
		feed->sg = feed->few;
	}
	sg_init_table(feed->sg, feed->max);
}

static void wdm_feed_end(struct wdm_feed *feed)
{
	if (feed->sg != feed->few)
		kfree(feed->sg);
}

/* Map the pieces, all or none. */
static int wdm_feed_flush(struct wdm_feed *feed)
{
	ssize_t got;

	if (!feed->nr)
		return 0;
	got = iommu_map_sg(feed->hw->domain, feed->iova, feed->sg, feed->nr,
			   feed->prot, GFP_KERNEL_ACCOUNT);
	if (got < 0)
		return got;
	feed->iova += feed->size;
	feed->size = 0;
	feed->nr = 0;
	return 0;
}

/*
 * Add a piece. Pieces that continue each other would be made one, and then be
 * given larger pages than they are to have: such go into two calls.
 */
static int wdm_feed_add(struct wdm_feed *feed, phys_addr_t phys, u64 size)
{
	int ret;

	if (feed->nr == feed->max ||
	    (feed->nr && (feed->hw->whole_maps || phys == feed->phys_end))) {
		ret = wdm_feed_flush(feed);
		if (ret)
			return ret;
	}
	sg_set_page(&feed->sg[feed->nr++], pfn_to_page(PHYS_PFN(phys)), size,
		    0);
	feed->size += size;
	feed->phys_end = phys + size;
	return 0;
}

/* Map some runs. What has been mapped if this fails is below @feed->iova. */
static int wdm_hw_map_runs(struct wdm_feed *feed, struct wdm_pages_iter *iter,
			   enum wdm_granule granule)
{
	u64 pfn, nr, piece;
	int ret;

	while ((nr = wdm_pages_iter_next(iter, &pfn))) {
		phys_addr_t phys = PFN_PHYS(pfn);
		u64 left = nr << PAGE_SHIFT;

		for (; left; left -= piece, phys += piece) {
			piece = wdm_hw_piece(feed->hw, feed->iova + feed->size,
					     phys, left, granule);
			ret = wdm_feed_add(feed, phys, piece);
			if (ret)
				return ret;
			if (feed->killable && fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
	}
	return wdm_feed_flush(feed);
}

static ntstatus_t wdm_hw_map_list(struct wdm_hw *hw, u64 iova,
				  const struct wdm_pages *pages, u64 page,
				  u64 nr_pages, u32 perms,
				  enum wdm_granule granule, bool killable)
{
	struct wdm_feed feed __uninitialized;
	struct wdm_pages_iter iter;
	int ret;

	wdm_feed_begin(&feed, hw, iova, nr_pages, wdm_prot(perms));
	feed.killable = killable;
	wdm_pages_iter_init(&iter, pages, page, nr_pages);
	ret = wdm_hw_map_runs(&feed, &iter, granule);
	if (ret && feed.iova != iova)
		wdm_hw_unmap_sync(hw, iova, feed.iova - iova);
	wdm_feed_end(&feed);
	return wdm_status_from_errno(ret);
}

static ntstatus_t wdm_hw_do_map(struct wdm_hw *hw, u64 iova,
				const struct wdm_pages *pages, u64 page,
				u64 nr_pages, u32 perms,
				enum wdm_granule granule, bool killable)
{
	u64 pfn, nr = 1;
	u32 run = 0;

	if (nr_pages == 1)
		pfn = wdm_pages_pfn(pages, page, &run);
	else
		nr = wdm_pages_run(pages, page, nr_pages, &pfn);
	if (nr < nr_pages ||
	    wdm_hw_piece(hw, iova, PFN_PHYS(pfn), nr << PAGE_SHIFT, granule) <
	    nr << PAGE_SHIFT)
		return wdm_hw_map_list(hw, iova, pages, page, nr_pages, perms,
				       granule, killable);

	/* What one call can do needs no list of pieces. */
	return wdm_hw_map_run(hw, iova, pfn, nr, perms);
}

/**
 * wdm_hw_map() - Map pages
 * @hw: the hardware domain; nothing is mapped in the range
 * @iova: where, page aligned
 * @pages: the pages
 * @page: number of the first one to map
 * @nr_pages: how many
 * @perms: WDM_READ, WDM_WRITE
 * @granule: which pages of the IOMMU to use
 *
 * Maps everything or nothing. May be called for disjoint ranges side by side.
 *
 * Return: a status; STATUS_CANCELLED when a fatal signal came.
 */
ntstatus_t wdm_hw_map(struct wdm_hw *hw, u64 iova,
		      const struct wdm_pages *pages, u64 page, u64 nr_pages,
		      u32 perms, enum wdm_granule granule)
{
	return wdm_hw_do_map(hw, iova, pages, page, nr_pages, perms, granule,
			     true);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_map);

/**
 * wdm_hw_remap() - Map pages that were mapped a moment ago
 * @hw: as for wdm_hw_map()
 * @iova: likewise
 * @pages: likewise
 * @page: likewise
 * @nr_pages: likewise; not more than the largest page of the IOMMU has
 * @perms: likewise
 * @granule: likewise
 *
 * As wdm_hw_map(), but no signal keeps it from putting back what was there.
 *
 * Return: a status.
 */
ntstatus_t wdm_hw_remap(struct wdm_hw *hw, u64 iova,
			const struct wdm_pages *pages, u64 page, u64 nr_pages,
			u32 perms, enum wdm_granule granule)
{
	return wdm_hw_do_map(hw, iova, pages, page, nr_pages, perms, granule,
			     false);
}

/**
 * wdm_hw_unmap() - Unmap a range that is mapped throughout
 * @hw: the hardware domain
 * @iova: where, page aligned; no large page may stick out of the range
 * @size: bytes
 * @gather: collects what is to be synced; until it is, the pages stay pinned
 */
void wdm_hw_unmap(struct wdm_hw *hw, u64 iova, u64 size,
		  struct iommu_iotlb_gather *gather)
{
	while (size) {
		u64 part = min(size, WDM_HW_STEP - (iova & (WDM_HW_STEP - 1)));
		size_t got = iommu_unmap_fast(hw->domain, iova, part, gather);

		/* Page by page, as it was mapped, it can be unmapped. */
		if (WARN_ON_ONCE(got < part || got > size)) {
			WRITE_ONCE(hw->stuck, true);
			return;
		}
		iova += got;
		size -= got;
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_unmap);

/**
 * wdm_hw_unmap_sync() - Unmap a range, and wait until no translation is cached
 * @hw: the hardware domain
 * @iova: as for wdm_hw_unmap()
 * @size: bytes
 */
void wdm_hw_unmap_sync(struct wdm_hw *hw, u64 iova, u64 size)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	wdm_hw_unmap(hw, iova, size, &gather);
	iommu_iotlb_sync(hw->domain, &gather);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_unmap_sync);

/**
 * wdm_hw_large_page() - The largest page of the IOMMU that may span an address
 * @hw: the hardware domain
 * @iova: an address that is mapped
 * @phys: what it maps
 * @run_first: first address of the contiguous run that was mapped around it
 * @run_last: last address of the run
 *
 * The IOMMU API cannot be asked which page it took; this is the largest that it
 * can have taken.
 *
 * Return: its size, at least PAGE_SIZE.
 */
u64 wdm_hw_large_page(const struct wdm_hw *hw, u64 iova, phys_addr_t phys,
		      u64 run_first, u64 run_last)
{
	unsigned long sizes = hw->domain->pgsize_bitmap &
			      (2 * WDM_HW_STEP - 1) & ~(PAGE_SIZE - 1);

	while (sizes) {
		unsigned int shift = __fls(sizes);
		u64 size = BIT_ULL(shift);
		u64 start = iova & ~(size - 1);

		if (start >= run_first && start + size - 1 <= run_last &&
		    !((iova ^ phys) & (size - 1)))
			return size;
		sizes &= ~BIT(shift);
	}
	return PAGE_SIZE;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_hw_large_page);
