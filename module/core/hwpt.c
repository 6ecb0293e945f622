// SPDX-License-Identifier: GPL-2.0
/*
 * HWPT: one iommu_domain, filled by a domain.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "hwpt.h"

/**
 * wdm_hwpt_create() - Take over an iommu_domain
 * @domain: an empty iommu_domain of type IOMMU_DOMAIN_UNMANAGED; NULL: the caller sets it
 * @gfp: for memory that maps allocate
 *
 * Return: the hwpt, which owns @domain; NULL when out of memory.
 */
struct wdm_hwpt *wdm_hwpt_create(struct iommu_domain *domain, gfp_t gfp)
{
	struct wdm_hwpt *hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);

	if (!hwpt)
		return NULL;
	hwpt->domain = domain;
	hwpt->gfp = gfp;
	/* From now on iommu_iotlb_sync() reinitializes it. */
	iommu_iotlb_gather_init(&hwpt->gather);
	return hwpt;
}

/**
 * wdm_hwpt_destroy() - Free a hwpt and its iommu_domain
 * @hwpt: nothing is attached to it. The driver frees its mappings with the iommu_domain;
 *	kernels that require an empty iommu_domain (WDM_HWPT_FREE_EMPTY) get one
 *
 * Context: may take long; call it without locks.
 */
void wdm_hwpt_destroy(struct wdm_hwpt *hwpt)
{
	iommu_domain_free(hwpt->domain);
	kfree(hwpt);
}

/* The step where no IOMMU page of WDM_HWPT_LARGE can be used */
#define WDM_HWPT_SMALL_STEP	((u64)SZ_32M)
#define WDM_HWPT_LARGE		((u64)SZ_2M)

/**
 * wdm_hwpt_map_failed() - Convert the errno of a map
 * @hwpt: the hwpt
 * @err: what iommu_map() returned, which has unmapped what it had mapped
 *
 * Context: as for wdm_hwpt_map().
 * Return: a status.
 */
ntstatus_t wdm_hwpt_map_failed(struct wdm_hwpt *hwpt, int err)
{
	wdm_map_failed(hwpt->domain);
	return wdm_status_from_driver(err);
}

/* Get the size of the largest IOMMU page that fits. */
static u64 wdm_hwpt_page(const struct wdm_hwpt *hwpt, u64 iova, phys_addr_t phys,
			 u64 size)
{
	u64 sizes = hwpt->domain->pgsize_bitmap & (2 * WDM_HWPT_STEP - 1) &
		    GENMASK_ULL(__fls(size), PAGE_SHIFT);

	if (iova | phys)
		sizes &= GENMASK_ULL(__ffs64(iova | phys), 0);
	return BIT_ULL(__fls(sizes));
}

/**
 * wdm_hwpt_maps_small() - Check whether a long run can be mapped by small pages only
 * @hwpt: the hwpt
 * @iova: its first logical address
 * @phys: its first physical address
 *
 * Return: true if no IOMMU page of 2 MiB or more can map any part of the run.
 */
bool wdm_hwpt_maps_small(const struct wdm_hwpt *hwpt, u64 iova, phys_addr_t phys)
{
	u64 sizes = hwpt->domain->pgsize_bitmap & (2 * WDM_HWPT_STEP - 1);

	return sizes < WDM_HWPT_LARGE ||
	       (iova ^ phys) & (BIT_ULL(__ffs64(sizes & ~(WDM_HWPT_LARGE - 1))) - 1);
}

/*
 * How many bytes to map with one call. iommu_map() uses the largest page that fits; to
 * get 4 KiB pages, cut at multiples of half the second page size. If an unmap has to
 * cover what one call mapped, map one page per call.
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
	else if (size > WDM_HWPT_SMALL_STEP && wdm_hwpt_maps_small(hwpt, iova, phys))
		piece = WDM_HWPT_SMALL_STEP;
	return min(size, piece - (iova & (piece - 1)));
}

/* Get how many bytes to map with a call that maps nothing else. */
static u64 wdm_hwpt_call(const struct wdm_hwpt *hwpt, u64 iova, phys_addr_t phys, u64 size,
			 enum wdm_pgsize pgsize)
{
	if (size == PAGE_SIZE)
		return size;
	return min(wdm_hwpt_piece(hwpt, iova, phys, size, pgsize), wdm_map_limit(iova));
}

/**
 * struct wdm_sg_batch - pieces of memory to map with one iommu_map_sg()
 * @hwpt: the hwpt
 * @killable: a fatal signal ends the mapping
 * @prot: IOMMU_READ etc.
 * @iova: where to map the first piece; the others follow
 * @size: bytes of all pieces
 * @limit: how many bytes a call may map there
 * @phys_end: physical end of the last piece, exclusive
 * @nr: number of pieces
 * @max: capacity of @sg
 * @sg: the pieces
 * @few: used as @sg if the allocation fails
 *
 * The IOMMU driver syncs its caches once per call.
 */
struct wdm_sg_batch {
	struct wdm_hwpt *hwpt;
	bool killable;
	int prot;
	u64 iova;
	u64 size;
	u64 limit;
	phys_addr_t phys_end;
	unsigned int nr;
	unsigned int max;
	struct scatterlist *sg;
	struct scatterlist few[8];
};

/* Pieces per call: as many as fit into a page */
#define WDM_SG_BATCH_MAX	((u64)(PAGE_SIZE / sizeof(struct scatterlist)))

static void wdm_sg_batch_start(struct wdm_sg_batch *batch, u64 iova)
{
	batch->iova = iova;
	batch->size = 0;
	batch->limit = wdm_map_limit(iova);
	batch->nr = 0;
}

static void wdm_sg_batch_begin(struct wdm_sg_batch *batch, struct wdm_hwpt *hwpt, u64 iova,
			       u64 nr_pieces, int prot)
{
	batch->hwpt = hwpt;
	batch->prot = prot;
	wdm_sg_batch_start(batch, iova);
	batch->max = min(nr_pieces, WDM_SG_BATCH_MAX);
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
	if (got < 0) {
		wdm_map_failed(batch->hwpt->domain);
		return got;
	}
	wdm_sg_batch_start(batch, batch->iova + batch->size);
	return 0;
}

/*
 * Prepare for another piece. iommu_map_sg() merges contiguous pieces and would then use larger
 * pages than wanted, so map those with separate calls. Do not gather much, either: the pieces may
 * consist of small pages, and an attach that fills the hwpt backs off between calls only.
 */
static int wdm_sg_batch_prepare(struct wdm_sg_batch *batch, phys_addr_t phys)
{
	if (batch->nr == batch->max ||
	    batch->size >= min(batch->limit, WDM_HWPT_SMALL_STEP) ||
	    (batch->nr && (batch->hwpt->unmap_exact || phys == batch->phys_end)))
		return wdm_sg_batch_flush(batch);
	return 0;
}

static void wdm_sg_batch_add(struct wdm_sg_batch *batch, phys_addr_t phys, u64 size)
{
	sg_set_page(&batch->sg[batch->nr++], pfn_to_page(PHYS_PFN(phys)), size,
		    0);
	batch->size += size;
	batch->phys_end = phys + size;
}

/* Map runs. On failure, everything below @batch->iova is mapped. */
static int wdm_hwpt_map_runs(struct wdm_sg_batch *batch, struct wdm_pages_iter *iter,
			     enum wdm_pgsize pgsize)
{
	u64 pfn, nr, piece;
	int ret;

	while ((nr = wdm_pages_iter_next(iter, &pfn))) {
		phys_addr_t phys = PFN_PHYS(pfn);
		u64 left = nr << PAGE_SHIFT;

		for (; left; left -= piece, phys += piece) {
			ret = wdm_sg_batch_prepare(batch, phys);
			if (ret)
				return ret;
			piece = wdm_hwpt_piece(batch->hwpt, batch->iova + batch->size,
					       phys, left, pgsize);
			piece = min(piece, batch->limit - batch->size);
			wdm_sg_batch_add(batch, phys, piece);
			if ((batch->killable && fatal_signal_pending(current)) ||
			    wdm_hwpt_must_yield(batch->hwpt))
				return -ECANCELED;
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
	u64 nr_pieces;
	int ret;

	/* One piece per run: contiguous pieces are mapped with separate calls. */
	nr_pieces = min_t(u64, map->nr_pages, map->pages->nr_runs);
	/* Maps in tokens must not allocate. */
	if (map->perms & WDM_SMALL)
		nr_pieces = 0;
	wdm_sg_batch_begin(&batch, hwpt, map->iova, nr_pieces,
			   wdm_prot(map->perms));
	batch.killable = killable;
	wdm_pages_iter_init(&iter, map->pages, map->page, map->nr_pages);
	ret = wdm_hwpt_map_runs(&batch, &iter, map->pgsize);
	if (ret && batch.iova != map->iova && wdm_hwpt_must_undo(hwpt))
		wdm_hwpt_unmap_sync(hwpt, map->iova, batch.iova - map->iova);
	wdm_sg_batch_end(&batch);
	return ret == -ECANCELED ? STATUS_CANCELLED : wdm_status_from_driver(ret);
}

/*
 * Map without a scatterlist, which needs memory and, before Linux 6.3, a context that
 * may sleep.
 */
static ntstatus_t wdm_hwpt_map_atomic(struct wdm_hwpt *hwpt,
				      const struct wdm_mapping *map)
{
	struct wdm_pages_iter iter;
	u64 pfn, nr, piece, iova = map->iova;
	ntstatus_t status;

	wdm_pages_iter_init(&iter, map->pages, map->page, map->nr_pages);
	while ((nr = wdm_pages_iter_next(&iter, &pfn))) {
		for (; nr; nr -= piece, pfn += piece) {
			piece = wdm_hwpt_call(hwpt, iova, PFN_PHYS(pfn),
					      nr << PAGE_SHIFT, map->pgsize) >>
				PAGE_SHIFT;
			status = wdm_hwpt_map_contig(hwpt, iova, pfn, piece,
						     map->perms);
			if (!wdm_ok(status))
				goto undo;
			iova += piece << PAGE_SHIFT;
		}
	}
	return STATUS_SUCCESS;

undo:
	if (iova != map->iova)
		wdm_hwpt_unmap_sync(hwpt, map->iova, iova - map->iova);
	return status;
}

/**
 * wdm_hwpt_map() - Map pages
 * @hwpt: the hwpt; nothing is mapped in the range
 * @map: what to map
 * @killable: a fatal signal ends the call
 *
 * All or nothing, unless wdm_hwpt_must_undo() is false.
 *
 * Context: may sleep; any context, if @hwpt->gfp is GFP_ATOMIC. Calls for disjoint ranges
 * may run in parallel.
 * Return: STATUS_SUCCESS; STATUS_CANCELLED on a fatal signal, or if the attach that fills
 * the hwpt has to back off; otherwise the errno of the IOMMU driver as a status.
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
	    wdm_hwpt_call(hwpt, map->iova, PFN_PHYS(pfn), nr << PAGE_SHIFT,
			  map->pgsize) < nr << PAGE_SHIFT)
		return gfpflags_allow_blocking(hwpt->gfp) ?
		       wdm_hwpt_map_list(hwpt, map, killable) :
		       wdm_hwpt_map_atomic(hwpt, map);

	/* One call is enough. */
	return wdm_hwpt_map_contig(hwpt, map->iova, pfn, nr, map->perms);
}

/**
 * wdm_hwpt_unmap_range() - As wdm_hwpt_unmap(), for any number of pages
 * @hwpt: the hwpt
 * @iova: as for wdm_hwpt_unmap()
 * @size: likewise
 * @gather: likewise
 *
 * Context: as for wdm_hwpt_map().
 */
void wdm_hwpt_unmap_range(struct wdm_hwpt *hwpt, u64 iova, u64 size,
			  struct iommu_iotlb_gather *gather)
{
	while (size) {
		u64 part = min(size, WDM_HWPT_STEP - (iova & (WDM_HWPT_STEP - 1)));
		size_t got = iommu_unmap_fast(hwpt->domain, iova, part, gather);

		/* What several calls mapped can be unmapped with calls for the same parts. */
		if (WARN_ON_ONCE(got < part || got > size)) {
			WRITE_ONCE(hwpt->broken, true);
			return;
		}
		iova += got;
		size -= got;
		wdm_hwpt_resched(hwpt);
	}
}

/**
 * wdm_hwpt_unmap_sync() - Unmap a range and sync the IOTLB
 * @hwpt: the hwpt
 * @iova: as for wdm_hwpt_unmap()
 * @size: number of bytes
 */
void wdm_hwpt_unmap_sync(struct wdm_hwpt *hwpt, u64 iova, u64 size)
{
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	wdm_hwpt_unmap(hwpt, iova, size, &gather);
	iommu_iotlb_sync(hwpt->domain, &gather);
}

/**
 * wdm_hwpt_prefill() - Make the IOMMU driver allocate page tables
 * @hwpt: the hwpt
 * @pgno: first page number
 * @last_pgno: last page number; nothing is mapped in these pages, and no other call maps
 *	there
 *
 * Maps a page of zeros in each table, read-only, and unmaps it: no driver frees a table
 * when a part of it is unmapped. Devices can read zeros there meanwhile.
 *
 * Context: may sleep.
 * Return: a status.
 */
ntstatus_t wdm_hwpt_prefill(struct wdm_hwpt *hwpt, u64 pgno, u64 last_pgno)
{
	struct iommu_iotlb_gather gather;
	phys_addr_t zeros = page_to_phys(ZERO_PAGE(0));
	int ret = 0;

	iommu_iotlb_gather_init(&gather);
	for (; pgno <= last_pgno; pgno = (pgno | (WDM_HWPT_TABLE_PAGES - 1)) + 1) {
		ret = iommu_map(hwpt->domain, pgno << PAGE_SHIFT, zeros, PAGE_SIZE,
				wdm_prot(WDM_READ), GFP_KERNEL_ACCOUNT);
		if (ret)
			break;
		wdm_hwpt_unmap_page(hwpt, pgno << PAGE_SHIFT, &gather);
	}
	iommu_iotlb_sync(hwpt->domain, &gather);
	return ret ? wdm_status_from_driver(ret) : STATUS_SUCCESS;
}

/**
 * wdm_hwpt_large_page() - Get the size of the largest IOMMU page that may span an address
 * @hwpt: the hwpt
 * @iova: a mapped address
 * @phys: the physical address that it is mapped to
 * @run_first: first address of the contiguous run mapped around it
 * @run_last: last address of the run, inclusive
 *
 * The IOMMU API does not report the page size it used. This is the largest that is
 * possible.
 *
 * Return: size in bytes, at least PAGE_SIZE.
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
