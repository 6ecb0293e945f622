// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs of user memory: pinned for long, and counted against RLIMIT_MEMLOCK of
 * the process that made them.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../core/mdl.h"
#include "user_mdl.h"

/*
 * Pages that are pinned at a time. They are some huge pages, which are taken as
 * such, and 32 KiB of pointers.
 */
#define WDM_PIN_BATCH		4096UL

/* Pages whose order is looked at in one go. */
#define WDM_LOOK_BATCH		8

/* Pages that are pinned without memory for pointers to them. */
#define WDM_PIN_FEW		16UL

/* Pages that are unpinned before others may have the CPU. */
#define WDM_UNPIN_BATCH		16384UL

/**
 * struct wdm_user_mdl - an MDL of user memory
 * @mdl: the MDL
 * @mm: whose pinned memory it counts as; the struct is held, not the memory
 * @nr_pages: pages that are to be pinned
 * @max_runs: elements that there is room for in @mdl.pages.runs
 * @few: room for the runs of a small MDL
 */
struct wdm_user_mdl {
	struct wdm_mdl mdl;
	struct mm_struct *mm;
	u64 nr_pages;
	u32 max_runs;
	struct wdm_run few[2];
};

/*
 * Count pages as pinned by the calling process, if it may have so many. As with
 * RDMA and vDPA that is a number of its own, which takes no lock: locked memory
 * would need mmap_lock for writing, at each map and unmap.
 */
static bool wdm_account(struct mm_struct *mm, u64 nr_pages)
{
	u64 limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	s64 pinned = atomic64_read(&mm->pinned_vm);

	do {
		if (pinned + nr_pages > limit && !capable(CAP_IPC_LOCK))
			return false;
	} while (!atomic64_try_cmpxchg(&mm->pinned_vm, &pinned,
				       pinned + nr_pages));
	return true;
}

static void wdm_unaccount(struct mm_struct *mm, u64 nr_pages)
{
	atomic64_sub(nr_pages, &mm->pinned_vm);
}

static void wdm_unpin_run(u64 pfn, u64 nr_pages, bool dirty)
{
	while (nr_pages) {
		unsigned long nr = min_t(u64, nr_pages, WDM_UNPIN_BATCH);

		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), nr, dirty);
		pfn += nr;
		nr_pages -= nr;
		cond_resched();
	}
}

static void wdm_unpin_all(struct wdm_mdl *mdl)
{
	bool dirty = mdl->access & WDM_WRITE;
	/* From the first run on, which needs no search. */
	struct wdm_pages_iter iter = {
		.pages = &mdl->pages,
		.left = mdl->pages.nr_pages,
	};
	u64 pfn, nr;

	while ((nr = wdm_pages_iter_next(&iter, &pfn)))
		wdm_unpin_run(pfn, nr, dirty);
}

static void wdm_free_runs(struct wdm_user_mdl *umdl)
{
	if (umdl->mdl.pages.runs != umdl->few)
		kvfree(umdl->mdl.pages.runs);
}

/* Make room for exactly so many runs, which is not less than there are. */
static int wdm_resize_runs(struct wdm_user_mdl *umdl, u32 max_runs)
{
	struct wdm_pages *pages = &umdl->mdl.pages;
	struct wdm_run *runs;

	runs = kvmalloc_array(max_runs, sizeof(*runs),
			      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!runs)
		return -ENOMEM;
	memcpy(runs, pages->runs, array_size(pages->nr_runs, sizeof(*runs)));
	wdm_free_runs(umdl);
	pages->runs = runs;
	umdl->max_runs = max_runs;
	return 0;
}

/*
 * Room for another run. How many there will be is guessed from those that there
 * are, so that an MDL grows a few times only; but not too boldly, as the first
 * pages may be unlike the others.
 */
static int wdm_grow_runs(struct wdm_user_mdl *umdl)
{
	struct wdm_pages *pages = &umdl->mdl.pages;
	u64 guess = div64_u64(umdl->nr_pages * pages->nr_runs, pages->nr_pages);

	u64 least = 2ULL * umdl->max_runs;

	guess = clamp(guess + guess / 16, least, 64 * least);
	return wdm_resize_runs(umdl, min(guess, umdl->nr_pages));
}

/*
 * Is this the n-th page after another? Struct pages are one array, but for
 * sparse memory without a map of all of them.
 */
static bool wdm_is_nth_page(struct page *page, struct page *first,
			    unsigned long n)
{
	if (IS_ENABLED(CONFIG_SPARSEMEM) &&
	    !IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP))
		return page_to_pfn(page) == page_to_pfn(first) + n;
	return page == first + n;
}

static bool wdm_all_contiguous(struct page **pinned, struct page *first,
			       unsigned long n)
{
	unsigned int i;

	unrolled_count(WDM_LOOK_BATCH)
	for (i = 0; i < WDM_LOOK_BATCH; i++)
		if (!wdm_is_nth_page(pinned[i], first, n + i))
			return false;
	return true;
}

/*
 * How many of the pages are physically contiguous? Of huge pages this looks at
 * each pointer, which is most of what they take: so several at a time.
 */
static unsigned long wdm_contiguous(struct page **pinned, unsigned long nr)
{
	struct page *first = pinned[0];
	unsigned long i = 1;

	while (nr - i >= WDM_LOOK_BATCH &&
	       wdm_all_contiguous(&pinned[i], first, i))
		i += WDM_LOOK_BATCH;
	while (i < nr && wdm_is_nth_page(pinned[i], first, i))
		i++;
	return i;
}

/* Take down pinned pages; those that there is no room for are unpinned. */
static int wdm_add_pages(struct wdm_user_mdl *umdl, struct page **pinned,
			 unsigned long nr)
{
	struct wdm_pages *pages = &umdl->mdl.pages;
	unsigned long i, run;

	for (i = 0; i < nr; i += run) {
		u64 pfn = page_to_pfn(pinned[i]);

		if (pages->nr_runs == umdl->max_runs &&
		    !wdm_pages_continue(pages, pfn) && wdm_grow_runs(umdl)) {
			unpin_user_pages(&pinned[i], nr - i);
			return -ENOMEM;
		}
		run = wdm_contiguous(&pinned[i], nr - i);
		wdm_pages_add(pages, pfn, run);
	}
	return 0;
}

/* Pin up to that many pages. Returns how many, at least one, or an errno. */
static int wdm_pin_some(struct wdm_user_mdl *umdl, unsigned long address,
			int nr, struct page **pinned)
{
	unsigned int flags = FOLL_LONGTERM;

	if (umdl->mdl.access & WDM_WRITE)
		flags |= FOLL_WRITE;
	if (signal_pending(current))
		return -EINTR;
	return pin_user_pages_fast(address, nr, flags, pinned) ?: -EFAULT;
}

/* A page by itself is common, and needs none of what many pages need. */
static int wdm_pin_one(struct wdm_user_mdl *umdl, unsigned long address)
{
	struct page *page;
	int ret;

	ret = wdm_pin_some(umdl, address, 1, &page);
	if (ret < 0)
		return ret;
	wdm_pages_add(&umdl->mdl.pages, page_to_pfn(page), 1);
	return 0;
}

/* Pin all of many pages, or nothing. */
static int wdm_pin_many(struct wdm_user_mdl *umdl, unsigned long address)
{
	const u64 *done = &umdl->mdl.pages.nr_pages;
	struct page *few[WDM_PIN_FEW] __uninitialized, **pinned = few;
	u64 nr_pages = umdl->nr_pages;
	u64 max = min_t(u64, nr_pages, WDM_PIN_BATCH);
	int ret = 0;

	if (max > WDM_PIN_FEW) {
		pinned = kvmalloc_array(max, sizeof(*pinned),
					GFP_KERNEL_ACCOUNT);
		if (!pinned)
			return -ENOMEM;
	}
	while (*done < nr_pages && !ret) {
		ret = wdm_pin_some(umdl, address + (*done << PAGE_SHIFT),
				   min(nr_pages - *done, max), pinned);
		if (ret > 0)
			ret = wdm_add_pages(umdl, pinned, ret);
		cond_resched();
	}
	if (pinned != few)
		kvfree(pinned);
	if (ret)
		wdm_unpin_all(&umdl->mdl);
	return ret;
}

static void wdm_user_mdl_release(struct wdm_user_mdl *umdl)
{
	mmdrop(umdl->mm);
	wdm_free_runs(umdl);
	kfree(umdl);
}

static void wdm_user_mdl_free(struct wdm_mdl *mdl)
{
	struct wdm_user_mdl *umdl = container_of(mdl, struct wdm_user_mdl, mdl);

	wdm_unpin_all(mdl);
	wdm_unaccount(umdl->mm, mdl->pages.nr_pages);
	wdm_user_mdl_release(umdl);
}

static const struct wdm_mdl_ops wdm_user_mdl_ops = {
	.free = wdm_user_mdl_free,
};

static struct wdm_user_mdl *wdm_user_mdl_alloc(u64 nr_pages, u32 access)
{
	struct wdm_user_mdl *umdl = kmalloc(sizeof(*umdl), GFP_KERNEL_ACCOUNT);

	if (!umdl)
		return NULL;
	/* The rest of it is up to wdm_mdl_init(). */
	umdl->mdl.access = access;
	umdl->mdl.pages = (struct wdm_pages) { .runs = umdl->few };
	umdl->max_runs = ARRAY_SIZE(umdl->few);
	umdl->nr_pages = nr_pages;
	umdl->mm = current->mm;
	mmgrab(umdl->mm);
	return umdl;
}

static ntstatus_t wdm_user_mdl_fill(struct wdm_user_mdl *umdl,
				    unsigned long address)
{
	struct wdm_mdl *mdl = &umdl->mdl;
	int ret;

	ret = umdl->nr_pages == 1 ? wdm_pin_one(umdl, address) :
				    wdm_pin_many(umdl, address);
	if (ret)
		return wdm_status_from_errno(ret);

	/* Where that fails, what is not needed is kept. */
	if (umdl->max_runs > ARRAY_SIZE(umdl->few) &&
	    umdl->max_runs - mdl->pages.nr_runs > umdl->max_runs / 8)
		wdm_resize_runs(umdl, mdl->pages.nr_runs);
	if (wdm_mdl_init(mdl, &wdm_user_mdl_ops, mdl->access, &mdl->pages)) {
		wdm_unpin_all(mdl);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	return STATUS_SUCCESS;
}

/**
 * wdm_user_mdl_create() - Pin memory of the calling process
 * @address: where it starts
 * @length: bytes
 * @access: WDM_READ, or WDM_READ | WDM_WRITE
 * @out: out: the MDL
 *
 * Return: see &struct wdm_iommu_mdl_create.
 */
ntstatus_t wdm_user_mdl_create(u64 address, u64 length, u32 access,
			       struct wdm_mdl **out)
{
	u64 nr_pages = length >> PAGE_SHIFT;
	struct wdm_user_mdl *umdl;
	ntstatus_t status;

	if (!PAGE_ALIGNED(address))
		return STATUS_INVALID_PARAMETER_1;
	if (!length || !PAGE_ALIGNED(length) || address + length - 1 < address ||
	    nr_pages > WDM_MDL_MAX_PAGES)
		return STATUS_INVALID_PARAMETER_2;

	umdl = wdm_user_mdl_alloc(nr_pages, access);
	if (!umdl)
		return STATUS_INSUFFICIENT_RESOURCES;

	if (!wdm_account(umdl->mm, nr_pages)) {
		status = STATUS_WORKING_SET_QUOTA;
		goto release;
	}
	status = wdm_user_mdl_fill(umdl, address);
	if (!wdm_ok(status))
		goto unaccount;
	*out = &umdl->mdl;
	return STATUS_SUCCESS;

unaccount:
	wdm_unaccount(umdl->mm, nr_pages);
release:
	wdm_user_mdl_release(umdl);
	return status;
}
