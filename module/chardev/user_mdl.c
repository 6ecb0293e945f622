// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs of user memory: pinned for long, and counted against RLIMIT_MEMLOCK of
 * the process that made them.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "../core/mdl.h"
#include "user_mdl.h"

/* Pages that are pinned at a time: what a page can hold pointers to. */
#define WDM_PIN_BATCH		(PAGE_SIZE / sizeof(struct page *))

/* Pages that are unpinned before others may have the CPU. */
#define WDM_UNPIN_BATCH		16384UL

/**
 * struct wdm_user_mdl - an MDL of user memory
 * @mdl: the MDL
 * @mm: whose locked memory it counts as; the struct is held, not the memory
 * @capacity: elements that there is room for in @mdl.runs
 */
struct wdm_user_mdl {
	struct wdm_mdl mdl;
	struct mm_struct *mm;
	u32 capacity;
};

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

static void wdm_unpin_all(struct wdm_mdl *mdl, u64 nr_pages)
{
	bool dirty = mdl->access & WDM_WRITE;
	u32 i;

	for (i = 0; i < mdl->nr_runs; i++) {
		u64 end = i + 1 < mdl->nr_runs ? mdl->runs[i + 1].page :
						 nr_pages;

		wdm_unpin_run(mdl->runs[i].pfn, end - mdl->runs[i].page, dirty);
	}
}

/* Make room for as many runs again, or for exactly those that there are. */
static int wdm_resize_runs(struct wdm_user_mdl *umdl, u32 capacity)
{
	struct wdm_run *runs = kvmalloc_array(capacity, sizeof(*runs),
					      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);

	if (!runs)
		return -ENOMEM;
	if (umdl->mdl.nr_runs)
		memcpy(runs, umdl->mdl.runs,
		       array_size(umdl->mdl.nr_runs, sizeof(*runs)));
	kvfree(umdl->mdl.runs);
	umdl->mdl.runs = runs;
	umdl->capacity = capacity;
	return 0;
}

/*
 * Take down pinned pages. @done counts the pages of the MDL; those that there is
 * no room for are unpinned.
 */
static int wdm_add_pages(struct wdm_user_mdl *umdl, u64 *done,
			 struct page **pages, unsigned long nr, u64 *next_pfn)
{
	struct wdm_mdl *mdl = &umdl->mdl;
	unsigned long i;

	for (i = 0; i < nr; i++, (*done)++) {
		u64 pfn = page_to_pfn(pages[i]);

		if (!mdl->nr_runs || pfn != *next_pfn) {
			if (mdl->nr_runs == umdl->capacity &&
			    wdm_resize_runs(umdl, umdl->capacity * 2)) {
				unpin_user_pages(&pages[i], nr - i);
				return -ENOMEM;
			}
			mdl->runs[mdl->nr_runs].page = *done;
			mdl->runs[mdl->nr_runs].pfn = pfn;
			mdl->nr_runs++;
		}
		*next_pfn = pfn + 1;
	}
	return 0;
}

/* Pin everything, or nothing. */
static int wdm_pin_all(struct wdm_user_mdl *umdl, unsigned long address,
		       u64 nr_pages)
{
	unsigned int flags = FOLL_LONGTERM;
	u64 done = 0, next_pfn = 0;
	struct page **pages;
	int ret = 0;

	if (umdl->mdl.access & WDM_WRITE)
		flags |= FOLL_WRITE;
	pages = kmalloc_array(min_t(u64, nr_pages, WDM_PIN_BATCH),
			      sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;

	while (done < nr_pages && !ret) {
		int nr = min_t(u64, nr_pages - done, WDM_PIN_BATCH);

		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		nr = pin_user_pages_fast(address + (done << PAGE_SHIFT), nr,
					 flags, pages);
		if (nr > 0)
			ret = wdm_add_pages(umdl, &done, pages, nr, &next_pfn);
		else
			ret = nr ?: -EFAULT;
		cond_resched();
	}
	kfree(pages);
	if (ret)
		wdm_unpin_all(&umdl->mdl, done);
	return ret;
}

static void wdm_user_mdl_release(struct wdm_user_mdl *umdl)
{
	mmdrop(umdl->mm);
	kvfree(umdl->mdl.runs);
	kfree(umdl);
}

static void wdm_user_mdl_free(struct wdm_mdl *mdl)
{
	struct wdm_user_mdl *umdl = container_of(mdl, struct wdm_user_mdl, mdl);

	wdm_unpin_all(mdl, mdl->nr_pages);
	account_locked_vm(umdl->mm, mdl->nr_pages, false);
	wdm_user_mdl_release(umdl);
}

static const struct wdm_mdl_ops wdm_user_mdl_ops = {
	.free = wdm_user_mdl_free,
};

static struct wdm_user_mdl *wdm_user_mdl_alloc(u64 nr_pages, u32 access)
{
	struct wdm_user_mdl *umdl = kzalloc(sizeof(*umdl), GFP_KERNEL_ACCOUNT);

	if (!umdl)
		return NULL;
	if (wdm_resize_runs(umdl, min(nr_pages, 8ULL))) {
		kfree(umdl);
		return NULL;
	}
	umdl->mdl.access = access;
	umdl->mm = current->mm;
	mmgrab(umdl->mm);
	return umdl;
}

static ntstatus_t wdm_user_mdl_fill(struct wdm_user_mdl *umdl,
				    unsigned long address, u64 nr_pages)
{
	struct wdm_mdl *mdl = &umdl->mdl;
	int ret;

	ret = wdm_pin_all(umdl, address, nr_pages);
	if (ret)
		return wdm_status_from_errno(ret);

	/* Memory that is not needed can only be kept if there is no other. */
	if (mdl->nr_runs < umdl->capacity)
		wdm_resize_runs(umdl, mdl->nr_runs);
	ret = wdm_mdl_init(mdl, &wdm_user_mdl_ops, mdl->access, mdl->runs,
			   mdl->nr_runs, nr_pages);
	if (ret)
		wdm_unpin_all(mdl, nr_pages);
	return wdm_status_from_errno(ret);
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
	int ret;

	if (!PAGE_ALIGNED(address))
		return STATUS_INVALID_PARAMETER_1;
	if (!length || !PAGE_ALIGNED(length) || address + length - 1 < address ||
	    nr_pages > WDM_MDL_MAX_PAGES)
		return STATUS_INVALID_PARAMETER_2;

	umdl = wdm_user_mdl_alloc(nr_pages, access);
	if (!umdl)
		return STATUS_INSUFFICIENT_RESOURCES;

	ret = account_locked_vm(umdl->mm, nr_pages, true);
	if (ret) {
		status = ret == -ENOMEM ? STATUS_WORKING_SET_QUOTA :
					  wdm_status_from_errno(ret);
		goto release;
	}
	status = wdm_user_mdl_fill(umdl, address, nr_pages);
	if (wdm_failed(status))
		goto unaccount;
	*out = &umdl->mdl;
	return STATUS_SUCCESS;

unaccount:
	account_locked_vm(umdl->mm, nr_pages, false);
release:
	wdm_user_mdl_release(umdl);
	return status;
}
