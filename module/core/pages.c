// SPDX-License-Identifier: GPL-2.0
/*
 * Pages: a sequence of page frames, as runs of contiguous ones.
 */
#include "pages.h"

/**
 * wdm_pages_find() - Find the run of a page
 * @pages: the pages
 * @page: page number
 *
 * Return: the index of the run.
 */
u32 wdm_pages_find(const struct wdm_pages *pages, u64 page)
{
	/* Each run has at least one page, which limits its index from both ends. */
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
 * wdm_pages_iter_init() - Start to iterate over runs
 * @iter: the iterator
 * @pages: the pages, which must not change during the iteration
 * @page: number of the first page
 * @nr_pages: number of pages, all of which exist
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
 * @page: page number
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
 * @max_pages: upper limit
 * @pfn: out: the page frame of @page
 *
 * Return: number of physically contiguous pages from @page on, at least 1 and at most
 * @max_pages.
 */
u64 wdm_pages_run(const struct wdm_pages *pages, u64 page, u64 max_pages,
		  u64 *pfn)
{
	struct wdm_pages_iter iter;

	wdm_pages_iter_init(&iter, pages, page, max_pages);
	return wdm_pages_iter_next(&iter, pfn);
}
