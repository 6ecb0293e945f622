// SPDX-License-Identifier: GPL-2.0
/*
 * Pages: page frames in an order, as runs of contiguous ones.
 */
#include "pages.h"

/**
 * wdm_pages_search() - Find a run near a guess
 * @pages: the pages
 * @page: number of a page
 * @guess: a run that it is not in
 *
 * By steps that double, and then by bisection: where most runs are of one length,
 * a guess is off by little.
 *
 * Return: the run that it is in.
 */
u32 wdm_pages_search(const struct wdm_pages *pages, u64 page, u32 guess)
{
	u32 low = 0, high = pages->nr_runs, step;

	if (pages->runs[guess].page <= page) {
		low = guess;
		for (step = 1; high - low > step; step *= 2) {
			if (pages->runs[low + step].page > page) {
				high = low + step;
				break;
			}
			low += step;
		}
	} else {
		high = guess;
		for (step = 1; high - low > step; step *= 2) {
			if (pages->runs[high - step].page <= page) {
				low = high - step;
				break;
			}
			high -= step;
		}
	}
	while (high - low > 1) {
		u32 mid = low + (high - low) / 2;

		if (pages->runs[mid].page <= page)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/**
 * wdm_pages_iter_init() - Begin to look at runs
 * @iter: the iterator
 * @pages: the pages; they do not change meanwhile
 * @page: number of the first one of interest
 * @nr_pages: how many are; all of them are there
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
 * wdm_pages_run_first() - Where does the contiguous run around a page start?
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
 * @max_pages: how many pages are wanted at most
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
