/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages: page frames in an order, as runs of contiguous ones.
 */
#ifndef WDM_CORE_PAGES_H
#define WDM_CORE_PAGES_H

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/types.h>

/**
 * struct wdm_run - physically contiguous pages
 * @page: number of the run's first page
 * @pfn: its page frame; the run ends where the next one starts
 */
struct wdm_run {
	u64 page;
	u64 pfn;
};

/**
 * struct wdm_pages - pages, numbered from 0
 * @nr_pages: how many
 * @runs: where they are, in order; memory of whoever made the pages
 * @nr_runs: elements of @runs
 */
struct wdm_pages {
	u64 nr_pages;
	struct wdm_run *runs;
	u32 nr_runs;
};

/* Does a page frame continue the last run? */
static inline bool wdm_pages_continue(const struct wdm_pages *pages, u64 pfn)
{
	const struct wdm_run *last;

	if (!pages->nr_runs)
		return false;
	last = &pages->runs[pages->nr_runs - 1];
	return pfn == last->pfn + (pages->nr_pages - last->page);
}

/* Add contiguous pages; there is room for one more run, if they need one. */
static inline void wdm_pages_add(struct wdm_pages *pages, u64 pfn, u64 nr_pages)
{
	if (!wdm_pages_continue(pages, pfn))
		pages->runs[pages->nr_runs++] = (struct wdm_run) {
			.page = pages->nr_pages,
			.pfn = pfn,
		};
	pages->nr_pages += nr_pages;
}

/* Are these pages there, and is it at least one? */
static inline bool wdm_pages_has(const struct wdm_pages *pages, u64 page,
				 u64 nr_pages)
{
	return nr_pages && nr_pages <= pages->nr_pages &&
	       page <= pages->nr_pages - nr_pages;
}

/* Is a page in a run? */
static inline bool wdm_pages_in_run(const struct wdm_pages *pages, u64 page,
				    u32 run)
{
	return page >= pages->runs[run].page &&
	       (run + 1 == pages->nr_runs || page < pages->runs[run + 1].page);
}

u32 wdm_pages_find(const struct wdm_pages *pages, u64 page);

/**
 * wdm_pages_pfn() - The page frame of a page
 * @pages: the pages
 * @page: number of a page
 * @run: in: the run that it may be in, any number will do; out: the run that it
 *	is in
 *
 * Return: the page frame.
 */
static inline u64 wdm_pages_pfn(const struct wdm_pages *pages, u64 page,
				u32 *run)
{
	if (*run >= pages->nr_runs || !wdm_pages_in_run(pages, page, *run))
		*run = wdm_pages_find(pages, page);
	return pages->runs[*run].pfn + (page - pages->runs[*run].page);
}

/* Would that many pages from @address on go over the top of 64 bits? */
static inline bool wdm_pages_wrap(u64 address, u64 nr_pages)
{
	return nr_pages > BIT_ULL(64 - PAGE_SHIFT) - (address >> PAGE_SHIFT);
}

u64 wdm_pages_run_first(const struct wdm_pages *pages, u64 page);
u64 wdm_pages_run(const struct wdm_pages *pages, u64 page, u64 max_pages,
		  u64 *pfn);

/**
 * struct wdm_pages_iter - an iterator over runs
 * @pages: the pages
 * @page: number of the next page
 * @left: how many pages are left
 * @run: the run that @page is part of
 */
struct wdm_pages_iter {
	const struct wdm_pages *pages;
	u64 page;
	u64 left;
	u32 run;
};

void wdm_pages_iter_init(struct wdm_pages_iter *iter,
			 const struct wdm_pages *pages, u64 page, u64 nr_pages);

/**
 * wdm_pages_iter_next() - Get the next run
 * @iter: the iterator
 * @pfn: out: the page frame of its first page
 *
 * Return: how many pages are physically contiguous from there on; 0 at the end.
 */
static inline u64 wdm_pages_iter_next(struct wdm_pages_iter *iter, u64 *pfn)
{
	const struct wdm_pages *pages = iter->pages;
	const struct wdm_run *run = &pages->runs[iter->run];
	u64 end, nr;

	if (!iter->left)
		return 0;
	end = iter->run + 1 < pages->nr_runs ? run[1].page : pages->nr_pages;
	nr = min(end - iter->page, iter->left);
	*pfn = run->pfn + (iter->page - run->page);
	iter->page += nr;
	iter->left -= nr;
	iter->run++;
	return nr;
}

#endif /* WDM_CORE_PAGES_H */
