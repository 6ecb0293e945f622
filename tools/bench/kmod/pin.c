// SPDX-License-Identifier: GPL-2.0
/*
 * Pin and unpin memory of the program, all of it or page by page.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../../../module/compat/compat.h"
#include "floor.h"

#define PIN_FLAGS	(FOLL_WRITE | FOLL_LONGTERM)

/* A page full of page pointers, as VFIO and iommufd pin at once. */
#define PIN_BATCH	(PAGE_SIZE / sizeof(struct page *))

/**
 * floor_pin_page() - Pin one page
 * @pin: the memory, created with %WDM_BENCH_PIN_LATER
 * @page: index of the page
 *
 * Return: 0 or a negative errno.
 */
int floor_pin_page(struct floor_pin *pin, unsigned long page)
{
	int ret;

	if (pin->pages[page])
		return -EBUSY;
	ret = pin_user_pages_fast(pin->address + page * PAGE_SIZE, 1, PIN_FLAGS,
				  &pin->pages[page]);
	if (ret == 1)
		return 0;
	pin->pages[page] = NULL;
	return ret ?: -EFAULT;
}

/**
 * floor_unpin_page() - Unpin one page
 * @pin: the memory
 * @page: index of the page, which need not be pinned
 */
void floor_unpin_page(struct floor_pin *pin, unsigned long page)
{
	if (pin->pages[page])
		unpin_user_pages_dirty_lock(&pin->pages[page], 1, true);
	pin->pages[page] = NULL;
}

static int pin_all(struct floor_pin *pin)
{
	unsigned long done = 0;
	int ret;

	while (done < pin->nr_pages) {
		ret = pin_user_pages_fast(pin->address + done * PAGE_SIZE,
					  min(PIN_BATCH, pin->nr_pages - done),
					  PIN_FLAGS, pin->pages + done);
		if (ret <= 0)
			return ret ?: -EFAULT;
		done += ret;
	}
	return 0;
}

/* One call unpins a contiguous run, and with it a large folio in one step. */
static void unpin_all(struct floor_pin *pin)
{
	struct scatterlist *sg;
	unsigned long i;
	unsigned int n;

	if (pin->sgt.sgl) {
		for_each_sgtable_sg(&pin->sgt, sg, n)
			unpin_user_page_range_dirty_lock(sg_page(sg),
							 sg->length / PAGE_SIZE,
							 true);
		return;
	}
	for (i = 0; i < pin->nr_pages; i++)
		floor_unpin_page(pin, i);
}

static u64 count_runs(const struct floor_pin *pin)
{
	unsigned long i;
	u64 runs = 1;

	for (i = 1; i < pin->nr_pages; i++) {
		if (page_to_pfn(pin->pages[i]) !=
		    page_to_pfn(pin->pages[i - 1]) + 1)
			runs++;
	}
	return runs;
}

/**
 * floor_pin_destroy() - Unpin all of the memory and free the pin
 * @pin: the memory; none of it may be mapped
 */
void floor_pin_destroy(struct floor_pin *pin)
{
	unpin_all(pin);
	sg_free_table(&pin->sgt);
	kvfree(pin->pages);
	kfree(pin);
}

static struct floor_pin *pin_create(const struct wdm_bench_pin *arg)
{
	struct floor_pin *pin;

	if (!arg->length || !PAGE_ALIGNED(arg->address | arg->length) ||
	    arg->flags & ~WDM_BENCH_PIN_LATER || arg->length >> 40)
		return ERR_PTR(-EINVAL);

	pin = kzalloc(sizeof(*pin), GFP_KERNEL);
	if (!pin)
		return ERR_PTR(-ENOMEM);
	pin->address = arg->address;
	pin->nr_pages = arg->length / PAGE_SIZE;
	pin->pages = kvcalloc(pin->nr_pages, sizeof(*pin->pages), GFP_KERNEL);
	if (pin->pages)
		return pin;
	kfree(pin);
	return ERR_PTR(-ENOMEM);
}

static int pin_now(struct floor_pin *pin, struct wdm_bench_pin *arg)
{
	ktime_t start;
	int ret;

	start = ktime_get();
	ret = pin_all(pin);
	arg->ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	if (ret)
		return ret;
	arg->runs = count_runs(pin);
	return sg_alloc_table_from_pages(&pin->sgt, pin->pages, pin->nr_pages,
					 0, pin->nr_pages * PAGE_SIZE,
					 GFP_KERNEL);
}

/**
 * floor_pin() - WDM_BENCH_PIN
 * @floor: the file
 * @arg: the argument
 *
 * Return: 0 or a negative errno.
 */
int floor_pin(struct floor *floor, struct wdm_bench_pin *arg)
{
	struct floor_pin *pin;
	int ret = 0;

	pin = pin_create(arg);
	if (IS_ERR(pin))
		return PTR_ERR(pin);
	arg->ns = 0;
	arg->runs = 0;
	if (!(arg->flags & WDM_BENCH_PIN_LATER))
		ret = pin_now(pin, arg);
	if (!ret) {
		down_write(&floor->lock);
		ret = xa_alloc(&floor->pins, &arg->pin, pin, xa_limit_31b,
			       GFP_KERNEL);
		up_write(&floor->lock);
	}
	if (ret)
		floor_pin_destroy(pin);
	return ret;
}

/**
 * floor_unpin() - WDM_BENCH_UNPIN
 * @floor: the file
 * @arg: the argument
 *
 * Return: 0 or a negative errno.
 */
int floor_unpin(struct floor *floor, struct wdm_bench_unpin *arg)
{
	struct floor_pin *pin;
	ktime_t start;

	down_write(&floor->lock);
	pin = xa_erase(&floor->pins, arg->pin);
	up_write(&floor->lock);
	if (!pin)
		return -ENOENT;

	start = ktime_get();
	unpin_all(pin);
	arg->ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	sg_free_table(&pin->sgt);
	kvfree(pin->pages);
	kfree(pin);
	return 0;
}
