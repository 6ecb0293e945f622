// SPDX-License-Identifier: GPL-2.0
/*
 * HWPT: one iommu_domain of Linux that a domain fills.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "hwpt.h"
#include "quirks.h"

/**
 * wdm_hwpt_create() - Take over an iommu_domain
 * @domain: empty, of type IOMMU_DOMAIN_UNMANAGED
 *
 * Return: the hwpt, which owns @domain; or NULL, when out of memory.
 */
struct wdm_hwpt *wdm_hwpt_create(struct iommu_domain *domain)
{
	struct wdm_hwpt *hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);

	if (hwpt)
		hwpt->domain = domain;
	return hwpt;
}

/**
 * wdm_hwpt_set_aperture() - Note which addresses a hwpt translates
 * @hwpt: the hwpt; attached, as some drivers finish a domain at its first attach
 */
void wdm_hwpt_set_aperture(struct wdm_hwpt *hwpt)
{
	hwpt->aperture.iova = hwpt->domain->geometry.aperture_start;
	hwpt->aperture.last_iova = wdm_quirk_last_iova(hwpt->domain);
}

/**
 * wdm_hwpt_destroy() - Free a hwpt and its iommu_domain
 * @hwpt: no group is attached, and nothing is mapped
 */
void wdm_hwpt_destroy(struct wdm_hwpt *hwpt)
{
	iommu_domain_free(hwpt->domain);
	kfree(hwpt);
}

/*
 * The largest page that is ever used, and the most that is mapped or unmapped
 * before others may have the CPU.
 */
#define WDM_HWPT_STEP	((u64)SZ_1G)

/* The largest of the IOMMU's pages that fits. */
static u64 wdm_hwpt_page(const struct wdm_hwpt *hwpt, u64 iova, phys_addr_t phys,
			 u64 size)
{
	u64 sizes = hwpt->domain->pgsize_bitmap & (2 * WDM_HWPT_STEP - 1) &
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
static u64 wdm_hwpt_piece(const struct wdm_hwpt *hwpt, u64 iova, phys_addr_t phys,
			  u64 size, enum wdm_pgsize pgsize)
{
	unsigned long larger = hwpt->domain->pgsize_bitmap & ~(2 * PAGE_SIZE - 1);
	u64 piece = WDM_HWPT_STEP;

	if (size == PAGE_SIZE)
		return size;
	if (hwpt->unmap_exact)
		return pgsize == WDM_PGSIZE_MIN ?
		       PAGE_SIZE : wdm_hwpt_page(hwpt, iova, phys, size);
	if (pgsize == WDM_PGSIZE_MIN && larger)
		piece = BIT_ULL(__ffs(larger)) / 2;
	return min(size, piece - (iova & (piece - 1)));
}

/**
 * struct wdm_sg_batch - pieces of memory on their way into a hwpt
 * @hwpt: the hwpt
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
struct wdm_sg_batch {
	struct wdm_hwpt *hwpt;
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
#define WDM_SG_BATCH_MAX	((u64)(PAGE_SIZE / sizeof(struct scatterlist)))

static void wdm_sg_batch_begin(struct wdm_sg_batch *batch, struct wdm_hwpt *hwpt, u64 iova,
			       u64 nr_pages, int prot)
{
	batch->hwpt = hwpt;
	batch->prot = prot;
	batch->iova = iova;
	batch->size = 0;
	batch->nr = 0;
	batch->max = min(nr_pages, WDM_SG_BATCH_MAX);
	batch->sg = NULL;
	if (batch->max > ARRAY_SIZE(batch->few))
		batch->sg = kmalloc_array(batch->max, sizeof(*batch->sg),
					  GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!batch->sg) {
		batch->max = ARRAY_SIZE(batch->few);
		batch->sg = batch->few;
	}
	sg_init_table(batch->sg, batch->max);
}

static void wdm_sg_batch_end(struct wdm_sg_batch *batch)
{
	if (batch->sg != batch->few)
		kfree(batch->sg);
}

/* Map the pieces, all or none. */
static int wdm_sg_batch_flush(struct wdm_sg_batch *batch)
{
	ssize_t got;

	if (!batch->nr)
		return 0;
	got = iommu_map_sg(batch->hwpt->domain, batch->iova, batch->sg, batch->nr,
			   batch->prot, GFP_KERNEL_ACCOUNT);
	if (got < 0)
		return got;
	batch->iova += batch->size;
	batch->size = 0;
	batch->nr = 0;
	return 0;
}

/*
 * Add a piece. Pieces that continue each other would be made one, and then be
 * given larger pages than they are to have: such go into two calls.
 */
static int wdm_sg_batch_add(struct wdm_sg_batch *batch, phys_addr_t phys, u64 size)
{
	int ret;

	if (batch->nr == batch->max ||
	    (batch->nr && (batch->hwpt->unmap_exact || phys == batch->phys_end))) {
		ret = wdm_sg_batch_flush(batch);
		if (ret)
			return ret;
	}
	sg_set_page(&batch->sg[batch->nr++], pfn_to_page(PHYS_PFN(phys)), size,
		    0);
	batch->size += size;
	batch->phys_end = phys + size;
	return 0;
}

/* Map some runs. What has been mapped if this fails is below @batch->iova. */
static int wdm_hwpt_map_runs(struct wdm_sg_batch *batch, struct wdm_pages_iter *iter,
			     enum wdm_pgsize pgsize)
{
	u64 pfn, nr, piece;
	int ret;

	while ((nr = wdm_pages_iter_next(iter, &pfn))) {
		phys_addr_t phys = PFN_PHYS(pfn);
		u64 left = nr << PAGE_SHIFT;

		for (; left; left -= piece, phys += piece) {
			piece = wdm_hwpt_piece(batch->hwpt, batch->iova + batch->size,
					       phys, left, pgsize);
			ret = wdm_sg_batch_add(batch, phys, piece);
			if (ret)
				return ret;
			if ((batch->killable && fatal_signal_pending(current)) ||
			    wdm_hwpt_gives_way(batch->hwpt))
				return -EINTR;
			cond_resched();
		}
	}
	return wdm_sg_batch_flush(batch);
}

static ntstatus_t wdm_hwpt_map_list(struct wdm_hwpt *hwpt,
				    const struct wdm_mapping *map,
				    bool killable)
{
	struct wdm_sg_batch batch __uninitialized;
	struct wdm_pages_iter iter;
	int ret;

	wdm_sg_batch_begin(&batch, hwpt, map->iova, map->nr_pages,
			   wdm_prot(map->perms));
	batch.killable = killable;
	wdm_pages_iter_init(&iter, map->pages, map->page, map->nr_pages);
	ret = wdm_hwpt_map_runs(&batch, &iter, map->pgsize);
	if (ret && batch.iova != map->iova && wdm_hwpt_must_undo(hwpt))
		wdm_hwpt_unmap_sync(hwpt, map->iova, batch.iova - map->iova);
	wdm_sg_batch_end(&batch);
	return wdm_status_from_errno(ret);
}

/**
 * wdm_hwpt_map() - Map pages
 * @hwpt: the hwpt; nothing is mapped in the range
 * @map: what to map
 * @killable: a fatal signal ends the call
 *
 * Maps everything or nothing. May be called for disjoint ranges side by side.
 *
 * Return: a status; STATUS_CANCELLED when a fatal signal came.
 */
ntstatus_t wdm_hwpt_map(struct wdm_hwpt *hwpt, const struct wdm_mapping *map,
			bool killable)
{
	u64 pfn, nr = 1;
	u32 run = 0;

	if (map->nr_pages == 1)
		pfn = wdm_pages_pfn(map->pages, map->page, &run);
	else
		nr = wdm_pages_run(map->pages, map->page, map->nr_pages, &pfn);
	if (nr < map->nr_pages ||
	    wdm_hwpt_piece(hwpt, map->iova, PFN_PHYS(pfn), nr << PAGE_SHIFT,
			   map->pgsize) < nr << PAGE_SHIFT)
		return wdm_hwpt_map_list(hwpt, map, killable);

	/* What one call can do needs no list of pieces. */
	return wdm_hwpt_map_contig(hwpt, map->iova, pfn, nr, map->perms);
}

/**
 * wdm_hwpt_unmap() - Unmap a range that is mapped throughout
 * @hwpt: the hwpt
 * @iova: where, page aligned; no large page may stick out of the range
 * @size: bytes
 * @gather: collects what is to be synced; until it is, the pages stay pinned
 */
void wdm_hwpt_unmap(struct wdm_hwpt *hwpt, u64 iova, u64 size,
		    struct iommu_iotlb_gather *gather)
{
	while (size) {
		u64 part = min(size, WDM_HWPT_STEP - (iova & (WDM_HWPT_STEP - 1)));
		size_t got = iommu_unmap_fast(hwpt->domain, iova, part, gather);

		/* Page by page, as it was mapped, it can be unmapped. */
		if (WARN_ON_ONCE(got < part || got > size)) {
			WRITE_ONCE(hwpt->broken, true);
			return;
		}
		iova += got;
		size -= got;
		cond_resched();
	}
}

/**
 * wdm_hwpt_unmap_sync() - Unmap a range, and wait until no translation is cached
 * @hwpt: the hwpt
 * @iova: as for wdm_hwpt_unmap()
 * @size: bytes
 */
void wdm_hwpt_unmap_sync(struct wdm_hwpt *hwpt, u64 iova, u64 size)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	wdm_hwpt_unmap(hwpt, iova, size, &gather);
	iommu_iotlb_sync(hwpt->domain, &gather);
}

/**
 * wdm_hwpt_large_page() - The largest page of the IOMMU that may span an address
 * @hwpt: the hwpt
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
u64 wdm_hwpt_large_page(const struct wdm_hwpt *hwpt, u64 iova, phys_addr_t phys,
			u64 run_first, u64 run_last)
{
	unsigned long sizes = hwpt->domain->pgsize_bitmap &
			      (2 * WDM_HWPT_STEP - 1) & ~(PAGE_SIZE - 1);

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
