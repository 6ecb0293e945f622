// SPDX-License-Identifier: GPL-2.0
/*
 * The operations that are timed. Each has a loop of its own, so that no loop tests
 * the operation again for each page.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "../../../module/compat/compat.h"
#include "floor.h"

/* More pages than any workload uses; small enough for one allocation. */
#define MAX_PAGES	(16UL << 20)

typedef int (*each_t)(struct iommu_domain *domain, struct floor_pin *pin,
		      const struct wdm_bench_page *pages, u64 number);

static int map_page(struct iommu_domain *domain, const struct floor_pin *pin,
		    const struct wdm_bench_page *page)
{
	return iommu_map(domain, page->iova,
			 page_to_phys(pin->pages[page->page]), PAGE_SIZE,
			 FLOOR_PROT, GFP_KERNEL);
}

static int unmap_page(struct iommu_domain *domain,
		      const struct wdm_bench_page *page)
{
	return iommu_unmap(domain, page->iova, PAGE_SIZE) == PAGE_SIZE ? 0 :
								     -EIO;
}

static int each_map(struct iommu_domain *domain, struct floor_pin *pin,
		    const struct wdm_bench_page *pages, u64 number)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < number && !ret; i++)
		ret = map_page(domain, pin, &pages[i]);
	return ret;
}

static int each_unmap(struct iommu_domain *domain, struct floor_pin *pin,
		      const struct wdm_bench_page *pages, u64 number)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < number && !ret; i++)
		ret = unmap_page(domain, &pages[i]);
	return ret;
}

static int each_unmap_gather(struct iommu_domain *domain, struct floor_pin *pin,
			     const struct wdm_bench_page *pages, u64 number)
{
	struct iommu_iotlb_gather gather;
	size_t size = PAGE_SIZE;
	u64 i;

	iommu_iotlb_gather_init(&gather);
	for (i = 0; i < number && size == PAGE_SIZE; i++)
		size = iommu_unmap_fast(domain, pages[i].iova, PAGE_SIZE,
					&gather);
	iommu_iotlb_sync(domain, &gather);
	return size == PAGE_SIZE ? 0 : -EIO;
}

static int each_map_unmap(struct iommu_domain *domain, struct floor_pin *pin,
			  const struct wdm_bench_page *pages, u64 number)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < number && !ret; i++) {
		ret = map_page(domain, pin, &pages[i]);
		if (!ret)
			ret = unmap_page(domain, &pages[i]);
	}
	return ret;
}

static int each_replace_gather(struct iommu_domain *domain,
			       struct floor_pin *pin,
			       const struct wdm_bench_page *pages, u64 number)
{
	struct iommu_iotlb_gather gather;
	int ret = 0;
	u64 i;

	iommu_iotlb_gather_init(&gather);
	for (i = 0; i < number && !ret; i++) {
		if (iommu_unmap_fast(domain, pages[i].iova, PAGE_SIZE,
				     &gather) != PAGE_SIZE)
			ret = -EIO;
		else
			ret = map_page(domain, pin, &pages[i]);
	}
	iommu_iotlb_sync(domain, &gather);
	return ret;
}

static int each_pin_map(struct iommu_domain *domain, struct floor_pin *pin,
			const struct wdm_bench_page *pages, u64 number)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < number && !ret; i++) {
		ret = floor_pin_page(pin, pages[i].page);
		if (!ret)
			ret = map_page(domain, pin, &pages[i]);
	}
	return ret;
}

static int each_unmap_unpin(struct iommu_domain *domain, struct floor_pin *pin,
			    const struct wdm_bench_page *pages, u64 number)
{
	int ret = 0;
	u64 i;

	for (i = 0; i < number && !ret; i++) {
		ret = unmap_page(domain, &pages[i]);
		if (!ret)
			floor_unpin_page(pin, pages[i].page);
	}
	return ret;
}

static const each_t each_ops[] = {
	[WDM_BENCH_MAP] = each_map,
	[WDM_BENCH_UNMAP] = each_unmap,
	[WDM_BENCH_UNMAP_GATHER] = each_unmap_gather,
	[WDM_BENCH_MAP_UNMAP] = each_map_unmap,
	[WDM_BENCH_REPLACE_GATHER] = each_replace_gather,
	[WDM_BENCH_PIN_MAP] = each_pin_map,
	[WDM_BENCH_UNMAP_UNPIN] = each_unmap_unpin,
};

/* Check that each page belongs to the pin, and is pinned if it is to be mapped. */
static bool pages_are_good(const struct floor_pin *pin, u32 op,
			   const struct wdm_bench_page *pages, u64 number)
{
	bool mapped = op == WDM_BENCH_MAP || op == WDM_BENCH_MAP_UNMAP ||
		      op == WDM_BENCH_REPLACE_GATHER;
	u64 i;

	for (i = 0; i < number; i++) {
		if (!PAGE_ALIGNED(pages[i].iova) ||
		    pages[i].page >= pin->nr_pages)
			return false;
		if (mapped && !pin->pages[pages[i].page])
			return false;
	}
	return true;
}

static int do_each(struct floor *floor, struct wdm_bench_each *arg,
		   const struct wdm_bench_page *pages)
{
	struct floor_pin *pin = xa_load(&floor->pins, arg->pin);
	ktime_t start;
	int ret;

	if (!pin || !floor->domain)
		return -ENOENT;
	if (!pages_are_good(pin, arg->op, pages, arg->number))
		return -EINVAL;

	start = ktime_get();
	ret = each_ops[arg->op](floor->domain, pin, pages, arg->number);
	arg->ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	return ret;
}

/**
 * floor_each() - WDM_BENCH_EACH
 * @floor: the file
 * @arg: the argument
 *
 * Return: 0, or a negative errno; some pages may have been processed then.
 */
int floor_each(struct floor *floor, struct wdm_bench_each *arg)
{
	struct wdm_bench_page *pages;
	size_t size;
	int ret;

	if (arg->op >= ARRAY_SIZE(each_ops) || !arg->number ||
	    arg->number > MAX_PAGES)
		return -EINVAL;
	size = arg->number * sizeof(*pages);
	pages = kvmalloc(size, GFP_KERNEL);
	if (!pages)
		return -ENOMEM;

	ret = -EFAULT;
	if (copy_from_user(pages, u64_to_user_ptr(arg->pages), size))
		goto out;
	if (arg->op == WDM_BENCH_PIN_MAP || arg->op == WDM_BENCH_UNMAP_UNPIN) {
		down_write(&floor->lock);
		ret = do_each(floor, arg, pages);
		up_write(&floor->lock);
	} else {
		down_read(&floor->lock);
		ret = do_each(floor, arg, pages);
		up_read(&floor->lock);
	}
out:
	kvfree(pages);
	return ret;
}

static int map_sg(struct iommu_domain *domain, struct floor_pin *pin, u64 iova)
{
	ssize_t mapped;

	if (!pin->sgt.sgl)
		return -EINVAL;
	mapped = iommu_map_sg(domain, iova, pin->sgt.sgl, pin->sgt.orig_nents,
			      FLOOR_PROT, GFP_KERNEL);
	if (mapped < 0)
		return mapped;
	return mapped == pin->nr_pages * PAGE_SIZE ? 0 : -EIO;
}

static int map_runs(struct iommu_domain *domain, struct floor_pin *pin,
		    u64 iova)
{
	struct scatterlist *sg;
	unsigned int i;
	int ret = 0;

	if (!pin->sgt.sgl)
		return -EINVAL;
	for_each_sgtable_sg(&pin->sgt, sg, i) {
		ret = iommu_map(domain, iova, sg_phys(sg), sg->length,
				FLOOR_PROT, GFP_KERNEL);
		if (ret)
			break;
		iova += sg->length;
	}
	return ret;
}

static int unmap_range(struct iommu_domain *domain, struct floor_pin *pin,
		       u64 iova)
{
	size_t size = pin->nr_pages * PAGE_SIZE;

	return iommu_unmap(domain, iova, size) == size ? 0 : -EIO;
}

static int do_whole(struct floor *floor, struct wdm_bench_whole *arg)
{
	struct floor_pin *pin = xa_load(&floor->pins, arg->pin);
	ktime_t start;
	int ret;

	if (!pin || !floor->domain)
		return -ENOENT;

	start = ktime_get();
	switch (arg->op) {
	case WDM_BENCH_MAP_SG:
		ret = map_sg(floor->domain, pin, arg->iova);
		break;
	case WDM_BENCH_MAP_RUNS:
		ret = map_runs(floor->domain, pin, arg->iova);
		break;
	case WDM_BENCH_UNMAP_RANGE:
		ret = unmap_range(floor->domain, pin, arg->iova);
		break;
	default:
		ret = -EINVAL;
	}
	arg->ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	return ret;
}

/**
 * floor_whole() - WDM_BENCH_WHOLE
 * @floor: the file
 * @arg: the argument
 *
 * Return: 0, or a negative errno; some pages may have been processed then.
 */
int floor_whole(struct floor *floor, struct wdm_bench_whole *arg)
{
	int ret;

	down_read(&floor->lock);
	ret = do_whole(floor, arg);
	up_read(&floor->lock);
	return ret;
}

/* Pages of a pin may be missing. */
static bool comparable(const struct floor_pin *a, const struct floor_pin *b)
{
	return a && b && a->nr_pages == b->nr_pages && a->sgt.sgl && b->sgt.sgl;
}

/**
 * floor_compare() - WDM_BENCH_COMPARE
 * @floor: the file
 * @arg: the argument
 *
 * Return: 0 or a negative errno.
 */
int floor_compare(struct floor *floor, struct wdm_bench_compare *arg)
{
	struct floor_pin *first, *second;
	u64 different = 0;
	int ret = -ENOENT;
	unsigned long i;
	ktime_t start;

	down_read(&floor->lock);
	first = xa_load(&floor->pins, arg->first);
	second = xa_load(&floor->pins, arg->second);
	if (!comparable(first, second))
		goto out;

	start = ktime_get();
	for (i = 0; i < first->nr_pages; i++)
		different += !!memcmp(page_address(first->pages[i]),
				      page_address(second->pages[i]),
				      PAGE_SIZE);
	arg->ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	arg->different = different;
	ret = 0;
out:
	up_read(&floor->lock);
	return ret;
}
