// SPDX-License-Identifier: GPL-2.0
/*
 * Pages: page frames in an order, as runs of contiguous ones.
 */
#include "pages.h"

/**
 * wdm_pages_find() - Find the run that a page is in
 * @pages: the pages
 * @page: number of the page
 *
 * Return: the run.
 */
u32 wdm_pages_find(const struct wdm_pages *pages, u64 page)
{
	/* Each run has a page at least: those before this page, and those behind. */
	u64 more = pages->nr_pages - pages->nr_runs;
	u32 low = page > more ? page - more : 0;
	u32 high = min_t(u64, page + 1, pages->nr_runs), middle;

	while (high - low > 1) {
		middle = low + (high - low) / 2;
		if (pages->runs[middle].page <= page)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/**
 * wdm_pages_iter_init() - Begin to iterate over runs
 * @iter: the iterator
 * @pages: the pages, which must not change meanwhile
 * @page: number of the first page
 * @nr_pages: pages; all of them are there
 */
void wdm_pages_iter_init(struct wdm_pages_iter *iter,
			 const struct wdm_pages *pages, u64 page, u64 nr_pages)
{
	iter->pages = pages;
	iter->page = page;
	iter->left = nr_pages;
	iter->run = nr_pages ? wdm_pages_find(pages, page) : 0;
}

/**
 * wdm_pages_run_first() - Find the start of the contiguous run around a page
 * @pages: the pages
 * @page: number of a page
 *
 * Return: the number of the run's first page.
 */
u64 wdm_pages_run_first(const struct wdm_pages *pages, u64 page)
{
	return pages->runs[wdm_pages_find(pages, page)].page;
}

/**
 * wdm_pages_run() - Find contiguous pages
 * @pages: the pages
 * @page: number of the first page
 * @max_pages: the most pages that are wanted
 * @pfn: out: the page frame of @page
 *
 * Return: how many pages from @page on are physically contiguous, at least 1
 * and at most @max_pages.
 */
u64 wdm_pages_run(const struct wdm_pages *pages, u64 page, u64 max_pages,
		  u64 *pfn)
{
	struct wdm_pages_iter iter;

	wdm_pages_iter_init(&iter, pages, page, max_pages);
	return wdm_pages_iter_next(&iter, pfn);
}
