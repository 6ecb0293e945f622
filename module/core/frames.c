// SPDX-License-Identifier: GPL-2.0
/*
 * Frames: page frames that kernel code maps.
 */
#include <linux/bug.h>
#include <linux/math.h>
#include <linux/mm.h>

#include "frames.h"

static struct wdm_run wdm_physical_run = { };

/* The first reference is never dropped. */
static void wdm_physical_free(struct wdm_mdl *mdl)
{
	WARN_ON_ONCE(1);
}

static const struct wdm_mdl_ops wdm_physical_ops = {
	.free = wdm_physical_free,
};

struct wdm_mdl wdm_physical_memory = {
	.refs = ATOMIC64_INIT(1),
	.access = WDM_PERMS,
	.pages = {
		.nr_pages = WDM_MDL_MAX_PAGES,
		.runs = &wdm_physical_run,
		.nr_runs = 1,
	},
	.ops = &wdm_physical_ops,
};

/**
 * wdm_frames_are_memory() - Check whether all frames are memory
 * @frames: the frames
 *
 * Return: true if each has a struct page. Registers of devices have none, and
 * IOMMU_CACHE would be wrong for them.
 */
bool wdm_frames_are_memory(const struct wdm_frames *frames)
{
	u64 i, pfn;

	for (i = 0; i < frames->nr_pages; i++) {
		wdm_frames_run(frames, i, 1, &pfn);
		if (!pfn_valid(pfn))
			return false;
	}
	return true;
}
