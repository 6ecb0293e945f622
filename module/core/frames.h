/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames: page frames that kernel code maps. Kernel code names memory by physical
 * address and keeps it until it is unmapped, so a map neither pins memory nor allocates
 * an object.
 */
#ifndef WDM_CORE_FRAMES_H
#define WDM_CORE_FRAMES_H

#include <linux/types.h>

#include "mdl.h"

/**
 * struct wdm_frames - a sequence of page frames
 * @pfns: the page frames; NULL: they are contiguous
 * @pfn: the first page frame, if @pfns is NULL
 * @nr_pages: number of page frames
 */
struct wdm_frames {
	const unsigned long *pfns;
	u64 pfn;
	u64 nr_pages;
};

/* All of physical memory as one MDL, whose page numbers are page frame numbers */
extern struct wdm_mdl wdm_physical_memory;

/**
 * wdm_frames_run() - Find contiguous page frames
 * @frames: the frames
 * @page: index of the first one
 * @max: upper limit
 * @pfn: out: the page frame at @page
 *
 * Return: number of contiguous frames from @page on, at least 1 and at most @max.
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
