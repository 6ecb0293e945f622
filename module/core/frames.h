/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames: the page frames that kernel code maps. It names memory by physical
 * addresses and keeps it until it is unmapped, so there is nothing to pin and no
 * object to allocate for a map.
 */
#ifndef WDM_CORE_FRAMES_H
#define WDM_CORE_FRAMES_H

#include <linux/types.h>

#include "mdl.h"

/**
 * struct wdm_frames - page frames in an order
 * @pfns: the page frames; NULL: they are contiguous
 * @pfn: if they are: the first one
 * @nr_pages: how many
 */
struct wdm_frames {
	const unsigned long *pfns;
	u64 pfn;
	u64 nr_pages;
};

/* All of physical memory; a page's number is its page frame */
extern struct wdm_mdl wdm_physical_memory;

/**
 * wdm_frames_run() - Find contiguous page frames
 * @frames: the frames
 * @page: index of the first one
 * @max: the most that are wanted
 * @pfn: out: the page frame at @page
 *
 * Return: how many frames from @page on are contiguous, at least 1 and at most @max.
 */
static inline u64 wdm_frames_run(const struct wdm_frames *frames, u64 page, u64 max,
				 u64 *pfn)
{
	u64 nr;

	if (!frames->pfns) {
		*pfn = frames->pfn + page;
		return max;
	}
	*pfn = frames->pfns[page];
	for (nr = 1; nr < max && frames->pfns[page + nr] == *pfn + nr; nr++)
		;
	return nr;
}

bool wdm_frames_are_memory(const struct wdm_frames *frames);

#endif /* WDM_CORE_FRAMES_H */
