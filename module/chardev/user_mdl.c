// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs of user memory, which is pinned as long as they exist or are mapped.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../compat/pin.h"
#include "../core/mdl.h"
#include "account.h"
#include "object.h"
#include "user_mdl.h"

/* Pages pinned at a time: 16 MiB, with 32 KiB of pointers */
#define WDM_PIN_BATCH		4096UL

/* Pages whose pointers fit on the stack */
#define WDM_PIN_FEW		16UL

/* Pages unpinned between calls of cond_resched() */
#define WDM_UNPIN_BATCH		16384UL

/*
 * Each pin adds up to GUP_PIN_COUNTING_BIAS to a page's reference count, and mm/gup.c warns
 * when that overflows. Stop early enough for some 380 threads that pin at the same time,
 * as the check comes after the pin.
 */
#define WDM_PIN_MAX_REFS	(INT_MAX / 4)

/**
 * struct wdm_user_mdl - an MDL of user memory
 * @mdl: the MDL
 * @account: the accounts that its pages are charged to
 * @file: the memfd that contains them, or NULL. For a writable MDL it counts as a shared
 *	writable mapping, so that F_SEAL_WRITE is refused
 * @charge: bytes charged to the file's budget for an array of runs. The structure itself is
 *	not charged: it is small and pins at least a page
 * @max_runs: capacity of @mdl.pages.runs
 * @few: storage for the runs of a small MDL
 */
struct wdm_user_mdl {
	struct wdm_mdl mdl;
	struct wdm_account account;
	struct file *file;
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

/* Each folio of a file is pinned once, however many of its pages the MDL has. */
static void wdm_unpin_folios(u64 pfn, u64 nr_pages, bool dirty)
{
	u64 end = pfn + nr_pages;
	struct folio *folio;
	u64 next;

	for (; pfn < end; pfn = next) {
		folio = page_folio(pfn_to_page(pfn));
		next = folio_pfn(folio) + folio_nr_pages(folio);
		if (dirty && !folio_test_dirty(folio)) {
			folio_lock(folio);
			folio_mark_dirty(folio);
			folio_unlock(folio);
		}
		wdm_unpin_folio(folio);
		cond_resched();
	}
}

static void wdm_unpin(struct wdm_user_mdl *umdl, struct wdm_pages_iter *iter)
{
	bool dirty = umdl->mdl.access & WDM_WRITE;
	u64 pfn, nr;

	while ((nr = wdm_pages_iter_next(iter, &pfn))) {
		if (umdl->file)
			wdm_unpin_folios(pfn, nr, dirty);
		else
			wdm_unpin_run(pfn, nr, dirty);
	}
}

static void wdm_unpin_all(struct wdm_user_mdl *umdl)
{
	/* Start at the first run: no search is needed. */
	struct wdm_pages_iter iter = {
		.pages = &umdl->mdl.pages,
		.left = umdl->mdl.pages.nr_pages,
	};

	wdm_unpin(umdl, &iter);
}

static void wdm_free_runs(struct wdm_user_mdl *umdl)
{
	if (umdl->mdl.pages.runs != umdl->few)
		kvfree(umdl->mdl.pages.runs);
}

/* Change the capacity to @max_runs, which is not less than the number of runs. */
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

/* Check contiguous pages; pages of one folio share a count. */
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

/* The struct pages form one array, except with sparse memory without vmemmap. */
static bool wdm_is_nth_page(struct page *page, struct page *first, unsigned long n)
{
	if (IS_ENABLED(CONFIG_SPARSEMEM) && !IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP))
		return page_to_pfn(page) == page_to_pfn(first) + n;
	return page == first + n;
}

/*
 * Count the leading pages that are physically contiguous. With huge pages, this loop is
 * most of the module's share of the pinning, so it takes four pages at a time.
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

/* Add contiguous pages that have been pinned. */
static int wdm_add_run(struct wdm_user_mdl *umdl, u64 pfn, u64 nr_pages)
{
	struct wdm_pages *pages = &umdl->mdl.pages;

	if (unlikely(wdm_pinned_too_often(pfn, nr_pages)))
		return -ENOMEM;
	if (pages->nr_runs == umdl->max_runs && !wdm_pages_continue(pages, pfn) &&
	    wdm_resize_runs(umdl, 2 * umdl->max_runs))
		return -ENOMEM;
	wdm_pages_add(pages, pfn, nr_pages);
	return 0;
}

/* Pin and add up to @max of the missing pages. */
static int wdm_pin_user(struct wdm_user_mdl *umdl, const struct wdm_user_memory *memory,
			void **pinned, u64 max)
{
	u64 done = umdl->mdl.pages.nr_pages << PAGE_SHIFT;
	struct page **pages = (struct page **)pinned;
	unsigned long i, run;
	int nr;

	nr = wdm_pin_user_pages(memory->start + done,
				min((memory->length - done) >> PAGE_SHIFT, max),
				memory->access & WDM_WRITE, pages);
	/* -EOVERFLOW: the last page of the address space, which no process has */
	if (nr <= 0)
		return nr && nr != -EOVERFLOW ? nr : -EFAULT;
	for (i = 0; i < nr; i += run) {
		run = wdm_contiguous(&pages[i], nr - i);
		if (wdm_add_run(umdl, page_to_pfn(pages[i]), run)) {
			unpin_user_pages(&pages[i], nr - i);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Same for up to @max folios of a file. */
static int wdm_pin_file(struct wdm_user_mdl *umdl, const struct wdm_user_memory *memory,
			void **pinned, u64 max)
{
	u64 left = (memory->length >> PAGE_SHIFT) - umdl->mdl.pages.nr_pages;
	u64 start = memory->start + (umdl->mdl.pages.nr_pages << PAGE_SHIFT);
	/* Holes are filled by whole folios. So bound the pages, and not only the folios. */
	u64 end = start + min(left, max) * PAGE_SIZE;
	struct folio **folios = (struct folio **)pinned;
	pgoff_t offset;
	u64 first, run;
	long i, nr;

	nr = wdm_pin_memfd(memory->file, start, end - 1, folios, min(left, max), &offset);
	if (nr <= 0)
		return nr ?: -EFAULT;
	first = offset >> PAGE_SHIFT;
	for (i = 0; i < nr; i++) {
		run = min(folio_nr_pages(folios[i]) - first, left);
		if (wdm_add_run(umdl, folio_pfn(folios[i]) + first, run)) {
			wdm_unpin_memfd(&folios[i], nr - i);
			return -ENOMEM;
		}
		left -= run;
		first = 0;
	}
	return 0;
}

/* Pin all pages or none. Only a fatal signal interrupts this. */
static int wdm_pin_all(struct wdm_user_mdl *umdl, const struct wdm_user_memory *memory)
{
	const u64 *done = &umdl->mdl.pages.nr_pages;
	u64 nr_pages = memory->length >> PAGE_SHIFT;
	u64 max = min_t(u64, nr_pages, WDM_PIN_BATCH);
	void *few[WDM_PIN_FEW] __uninitialized, **pinned = few;
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
		if (memory->file)
			ret = wdm_pin_file(umdl, memory, pinned, max);
		else
			ret = wdm_pin_user(umdl, memory, pinned, max);
		cond_resched();
	}
	if (pinned != few)
		kvfree(pinned);
	if (ret)
		wdm_unpin_all(umdl);
	return ret;
}

static void wdm_user_mdl_put_file(struct wdm_user_mdl *umdl)
{
	if (!umdl->file)
		return;
	if (umdl->mdl.access & WDM_WRITE)
		mapping_unmap_writable(umdl->file->f_mapping);
	fput(umdl->file);
}

static void wdm_user_mdl_free(struct wdm_mdl *mdl)
{
	struct wdm_user_mdl *umdl = container_of(mdl, struct wdm_user_mdl, mdl);
	u64 left = atomic64_read(&umdl->account.nr_pages);

	/* Pages that are unpinned in parts are all unpinned by now. */
	if (left && !WARN_ON_ONCE(left != mdl->pages.nr_pages))
		wdm_unpin_all(umdl);
	if (umdl->charge)
		wdm_budget_uncharge(umdl->account.budget, umdl->charge);
	wdm_account_end(&umdl->account);
	wdm_user_mdl_put_file(umdl);
	wdm_free_runs(umdl);
	kfree(umdl);
}

static void wdm_user_mdl_unmapped(struct wdm_mdl *mdl, u64 page, u64 nr_pages)
{
	struct wdm_user_mdl *umdl = container_of(mdl, struct wdm_user_mdl, mdl);
	struct wdm_pages_iter iter;

	/* The last page drops the last reference, or wdm_cmd_map_user() is about to. */
	if (nr_pages == mdl->pages.nr_pages)
		return;
	wdm_pages_iter_init(&iter, &mdl->pages, page, nr_pages);
	wdm_unpin(umdl, &iter);
	wdm_unaccount_pages(&umdl->account, nr_pages);
}

static const struct wdm_mdl_ops wdm_user_mdl_ops = {
	.free = wdm_user_mdl_free,
};

static const struct wdm_mdl_ops wdm_once_mdl_ops = {
	.free = wdm_user_mdl_free,
	.unmapped = wdm_user_mdl_unmapped,
};

static ntstatus_t wdm_user_mdl_fill(struct wdm_user_mdl *umdl,
				    const struct wdm_user_memory *memory)
{
	struct wdm_mdl *mdl = &umdl->mdl;
	int ret;

	ret = wdm_pin_all(umdl, memory);
	/* The file was truncated. */
	if (ret == -EINVAL && memory->file)
		return STATUS_INVALID_PARAMETER_2;
	if (ret)
		return wdm_status_from_errno(ret);

	/* Trim the array, which grew by doubling; on failure keep it as it is. */
	if (umdl->max_runs > ARRAY_SIZE(umdl->few) &&
	    umdl->max_runs - mdl->pages.nr_runs > umdl->max_runs / 8)
		wdm_resize_runs(umdl, mdl->pages.nr_runs);

	if (mdl->pages.runs != umdl->few) {
		umdl->charge = umdl->max_runs * sizeof(*umdl->few);
		if (!wdm_budget_charge(umdl->account.budget, umdl->charge)) {
			wdm_unpin_all(umdl);
			return STATUS_WORKING_SET_QUOTA;
		}
	}
	wdm_mdl_init(mdl, memory->once ? &wdm_once_mdl_ops : &wdm_user_mdl_ops,
		     mdl->access, &mdl->pages);
	return STATUS_SUCCESS;
}

/* Check that the file is a memfd that permits this access, and take a reference. */
static ntstatus_t wdm_user_mdl_get_file(struct wdm_user_mdl *umdl,
					const struct wdm_user_memory *memory)
{
	struct file *file = memory->file;
	u64 size = i_size_read(file_inode(file));
	bool write = memory->access & WDM_WRITE;

	if (!WDM_CAN_PIN_MEMFD)
		return STATUS_NOT_SUPPORTED;
	if (!wdm_is_memfd(file))
		return STATUS_OBJECT_TYPE_MISMATCH;
	if (memory->length > size || memory->start > size - memory->length)
		return STATUS_INVALID_PARAMETER_2;
	if (!(file->f_mode & FMODE_READ) || (write && !(file->f_mode & FMODE_WRITE)) ||
	    (write && wdm_memfd_is_sealed(file)) ||
	    (write && mapping_map_writable(file->f_mapping)))
		return STATUS_ACCESS_DENIED;
	umdl->file = get_file(file);
	return STATUS_SUCCESS;
}

/**
 * wdm_user_mdl_create() - Pin memory of a program
 * @ctx: the file, whose budget outlives the MDL
 * @memory: the memory
 * @out: out: the MDL
 *
 * Return: see &struct wdm_iommu_mdl_create and &struct wdm_iommu_mdl_create_file.
 */
ntstatus_t wdm_user_mdl_create(struct wdm_context *ctx,
			       const struct wdm_user_memory *memory,
			       struct wdm_mdl **out)
{
	u64 length = memory->length, nr_pages = length >> PAGE_SHIFT;
	struct wdm_user_mdl *umdl;
	ntstatus_t status;

	if (!PAGE_ALIGNED(memory->start))
		return STATUS_INVALID_PARAMETER_1;
	if (!length || !PAGE_ALIGNED(length) ||
	    memory->start + length - 1 < memory->start ||
	    nr_pages > WDM_USER_MDL_MAX_PAGES)
		return STATUS_INVALID_PARAMETER_2;

	umdl = kmalloc(sizeof(*umdl), GFP_KERNEL_ACCOUNT);
	if (!umdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	/* wdm_mdl_init() sets the rest later. */
	umdl->mdl.access = memory->access;
	umdl->mdl.pages = (struct wdm_pages) { .runs = umdl->few };
	umdl->max_runs = ARRAY_SIZE(umdl->few);
	umdl->file = NULL;
	umdl->charge = 0;

	if (memory->file) {
		status = wdm_user_mdl_get_file(umdl, memory);
		if (!wdm_ok(status))
			goto free;
	}
	if (!wdm_account_pages(&umdl->account, &ctx->budget, nr_pages)) {
		status = STATUS_WORKING_SET_QUOTA;
		goto put_file;
	}
	status = wdm_user_mdl_fill(umdl, memory);
	if (!wdm_ok(status))
		goto unaccount;
	*out = &umdl->mdl;
	return STATUS_SUCCESS;

unaccount:
	wdm_account_end(&umdl->account);
	wdm_free_runs(umdl);
put_file:
	wdm_user_mdl_put_file(umdl);
free:
	kfree(umdl);
	return status;
}
