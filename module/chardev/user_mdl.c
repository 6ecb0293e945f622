// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs of user memory, pinned for as long as they exist.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../compat/pin.h"
#include "../core/mdl.h"
#include "account.h"
#include "object.h"
#include "user_mdl.h"

/* Pages pinned at a time: 16 MiB, for 32 KiB of pointers */
#define WDM_PIN_BATCH		4096UL

/* Pages for whose pointers the stack has room */
#define WDM_PIN_FEW		16UL

/* Pages unpinned between two calls of cond_resched() */
#define WDM_UNPIN_BATCH		16384UL

/*
 * Each pin adds up to GUP_PIN_COUNTING_BIAS to a page's reference count, and
 * mm/gup.c warns once that overflows. Stop early, which leaves room for what some
 * 380 threads pin before they look.
 */
#define WDM_PIN_MAX_REFS	(INT_MAX / 4)

/**
 * struct wdm_user_mdl - an MDL of user memory
 * @mdl: the MDL
 * @account: where its pages are counted
 * @charge: bytes of kernel memory charged to the file's budget
 * @max_runs: elements that @mdl.pages.runs has room for
 * @few: room for the runs of a small MDL
 */
struct wdm_user_mdl {
	struct wdm_mdl mdl;
	struct wdm_account account;
	u64 charge;
	u32 max_runs;
	struct wdm_run few[2];
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

static void wdm_unpin_all(struct wdm_mdl *mdl)
{
	bool dirty = mdl->access & WDM_WRITE;
	/* From the first run on, which needs no search */
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

/* Make room for @max_runs runs, which is not less than there are. */
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

/* Contiguous pages; those of one folio are counted together. */
static bool wdm_pinned_too_often(u64 pfn, u64 nr_pages)
{
	u64 end = pfn + nr_pages;
	struct folio *folio;

	for (; pfn < end; pfn = folio_pfn(folio) + folio_nr_pages(folio)) {
		folio = page_folio(pfn_to_page(pfn));
		if (folio_ref_count(folio) > WDM_PIN_MAX_REFS)
			return true;
	}
	return false;
}

/* Struct pages form one array, except in sparse memory without a virtual one. */
static bool wdm_is_nth_page(struct page *page, struct page *first, unsigned long n)
{
	if (IS_ENABLED(CONFIG_SPARSEMEM) && !IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP))
		return page_to_pfn(page) == page_to_pfn(first) + n;
	return page == first + n;
}

/*
 * How many of the pages, from the first one on, are physically contiguous? With huge
 * pages, this loop is most of what the module adds to the pinning: four at a time.
 */
static unsigned long wdm_contiguous(struct page **pinned, unsigned long nr)
{
	struct page *first = pinned[0];
	unsigned long i = 1;

	while (i + 4 <= nr && wdm_is_nth_page(pinned[i], first, i) &&
	       wdm_is_nth_page(pinned[i + 1], first, i + 1) &&
	       wdm_is_nth_page(pinned[i + 2], first, i + 2) &&
	       wdm_is_nth_page(pinned[i + 3], first, i + 3))
		i += 4;
	while (i < nr && wdm_is_nth_page(pinned[i], first, i))
		i++;
	return i;
}

/* Add pinned pages to the MDL; on failure, those that are not added are unpinned. */
static int wdm_add_pages(struct wdm_user_mdl *umdl, struct page **pinned,
			 unsigned long nr)
{
	struct wdm_pages *pages = &umdl->mdl.pages;
	unsigned long i, run;

	for (i = 0; i < nr; i += run) {
		u64 pfn = page_to_pfn(pinned[i]);

		run = wdm_contiguous(&pinned[i], nr - i);
		if (unlikely(wdm_pinned_too_often(pfn, run)))
			goto unpin;
		if (pages->nr_runs == umdl->max_runs &&
		    !wdm_pages_continue(pages, pfn) &&
		    wdm_resize_runs(umdl, 2 * umdl->max_runs))
			goto unpin;
		wdm_pages_add(pages, pfn, run);
	}
	return 0;

unpin:
	unpin_user_pages(&pinned[i], nr - i);
	return -ENOMEM;
}

/* Pin all pages or none. Only a fatal signal ends this early. */
static int wdm_pin_all(struct wdm_user_mdl *umdl, unsigned long user_va,
		       u64 nr_pages)
{
	const u64 *done = &umdl->mdl.pages.nr_pages;
	bool write = umdl->mdl.access & WDM_WRITE;
	u64 max = min_t(u64, nr_pages, WDM_PIN_BATCH);
	struct page *few[WDM_PIN_FEW], **pinned = few;
	int ret = 0;

	if (max > WDM_PIN_FEW) {
		pinned = kvmalloc_array(max, sizeof(*pinned),
					GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!pinned)
			return -ENOMEM;
	}
	while (*done < nr_pages && !ret) {
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		ret = wdm_pin_user_pages(user_va + (*done << PAGE_SHIFT),
					 min(nr_pages - *done, max), write,
					 pinned);
		if (!ret)
			ret = -EFAULT;
		else if (ret > 0)
			ret = wdm_add_pages(umdl, pinned, ret);
		cond_resched();
	}
	if (pinned != few)
		kvfree(pinned);
	if (ret)
		wdm_unpin_all(&umdl->mdl);
	return ret;
}

static void wdm_user_mdl_free(struct wdm_mdl *mdl)
{
	struct wdm_user_mdl *umdl = container_of(mdl, struct wdm_user_mdl, mdl);

	wdm_unpin_all(mdl);
	wdm_budget_uncharge(umdl->account.budget, umdl->charge);
	wdm_unaccount_pages(&umdl->account);
	wdm_free_runs(umdl);
	kfree(umdl);
}

static const struct wdm_mdl_ops wdm_user_mdl_ops = {
	.free = wdm_user_mdl_free,
};

static ntstatus_t wdm_user_mdl_fill(struct wdm_user_mdl *umdl,
				    unsigned long user_va)
{
	struct wdm_mdl *mdl = &umdl->mdl;
	int ret;

	ret = wdm_pin_all(umdl, user_va, umdl->account.nr_pages);
	if (ret)
		return wdm_status_from_errno(ret);

	/* Give back what doubling took too much; without memory, keep it. */
	if (umdl->max_runs > ARRAY_SIZE(umdl->few) &&
	    umdl->max_runs - mdl->pages.nr_runs > umdl->max_runs / 8)
		wdm_resize_runs(umdl, mdl->pages.nr_runs);

	umdl->charge = sizeof(*umdl);
	if (mdl->pages.runs != umdl->few)
		umdl->charge += umdl->max_runs * sizeof(*umdl->few);
	if (!wdm_budget_charge(umdl->account.budget, umdl->charge)) {
		wdm_unpin_all(mdl);
		return STATUS_WORKING_SET_QUOTA;
	}
	wdm_mdl_init(mdl, &wdm_user_mdl_ops, mdl->access, &mdl->pages);
	return STATUS_SUCCESS;
}

/**
 * wdm_user_mdl_create() - Pin memory of the calling process
 * @ctx: the file, whose budget outlives the MDL
 * @user_va: where the memory starts
 * @length: bytes
 * @access: WDM_READ, or WDM_READ | WDM_WRITE
 * @out: out: the MDL
 *
 * Return: see &struct wdm_iommu_mdl_create.
 */
ntstatus_t wdm_user_mdl_create(struct wdm_context *ctx, u64 user_va, u64 length,
			       u32 access, struct wdm_mdl **out)
{
	u64 nr_pages = length >> PAGE_SHIFT;
	struct wdm_user_mdl *umdl;
	ntstatus_t status;

	if (!PAGE_ALIGNED(user_va))
		return STATUS_INVALID_PARAMETER_1;
	if (!length || !PAGE_ALIGNED(length) || user_va + length - 1 < user_va ||
	    nr_pages > WDM_USER_MDL_MAX_PAGES)
		return STATUS_INVALID_PARAMETER_2;

	umdl = kmalloc(sizeof(*umdl), GFP_KERNEL_ACCOUNT);
	if (!umdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	/* What wdm_mdl_init() initializes is left to it. */
	umdl->mdl.access = access;
	umdl->mdl.pages = (struct wdm_pages) { .runs = umdl->few };
	umdl->max_runs = ARRAY_SIZE(umdl->few);

	if (!wdm_account_pages(&umdl->account, &ctx->budget, nr_pages)) {
		status = STATUS_WORKING_SET_QUOTA;
		goto free;
	}
	status = wdm_user_mdl_fill(umdl, user_va);
	if (!wdm_ok(status))
		goto unaccount;
	*out = &umdl->mdl;
	return STATUS_SUCCESS;

unaccount:
	wdm_unaccount_pages(&umdl->account);
	wdm_free_runs(umdl);
free:
	kfree(umdl);
	return status;
}
