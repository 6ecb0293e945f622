// SPDX-License-Identifier: GPL-2.0
/*
 * All hwpts of a domain, which map the same.
 */
#include "hwpt_set.h"

/* Map the pages that an attach in progress, if there is one, has passed. */
static ntstatus_t wdm_hwpt_map_reached(struct wdm_hwpt *hwpt,
				       const struct wdm_mapping *map, bool killable)
{
	u64 nr_pages = wdm_hwpt_reached(hwpt, map->iova >> PAGE_SHIFT, map->nr_pages);

	if (likely(nr_pages == map->nr_pages))
		return wdm_hwpt_map(hwpt, map, killable);
	if (nr_pages) {
		struct wdm_mapping part = *map;

		part.nr_pages = nr_pages;
		return wdm_hwpt_map(hwpt, &part, killable);
	}
	return STATUS_SUCCESS;
}

static void wdm_hwpt_unmap_reached(struct wdm_hwpt *hwpt, u64 iova, u64 size)
{
	u64 nr_pages = wdm_hwpt_reached(hwpt, iova >> PAGE_SHIFT, size >> PAGE_SHIFT);

	if (nr_pages)
		wdm_hwpt_unmap_sync(hwpt, iova, nr_pages << PAGE_SHIFT);
}

/**
 * wdm_hwpts_map() - Map pages in all hwpts, or in none
 * @domain: the domain, which is locked
 * @map: what to map
 *
 * Context: wdm_domain.lock is held if the domain is atomic; otherwise may sleep.
 * Return: as wdm_hwpt_map().
 */
ntstatus_t wdm_hwpts_map(struct wdm_domain *domain,
			 const struct wdm_mapping *map)
{
	ntstatus_t status;
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node) {
		status = wdm_hwpt_map_reached(hwpt, map, domain->killable);
		if (!wdm_ok(status))
			goto undo;
	}
	return STATUS_SUCCESS;

undo:
	list_for_each_entry_continue_reverse(hwpt, &domain->hwpts, node)
		wdm_hwpt_unmap_reached(hwpt, map->iova, map->nr_pages << PAGE_SHIFT);
	return status;
}

/**
 * wdm_hwpts_map_extent() - Map what was just inserted into the mapping table
 * @domain: the domain, which is locked
 * @ext: what was inserted; removed again on failure
 *
 * Context: as for wdm_hwpts_map().
 * Return: as wdm_hwpt_map(); STATUS_CONFLICTING_ADDRESSES.
 */
ntstatus_t wdm_hwpts_map_extent(struct wdm_domain *domain,
				const struct wdm_extent *ext)
{
	struct wdm_mapping map = wdm_extent_mapping(ext, domain->pgsize);
	ntstatus_t status = STATUS_CONFLICTING_ADDRESSES;

	if (wdm_extent_fits(domain, ext))
		status = wdm_hwpts_map(domain, &map);
	if (!wdm_ok(status))
		wdm_hwpts_drop_extent(domain, ext);
	return status;
}

/**
 * wdm_hwpts_unmap() - Unmap a range in all hwpts, and sync
 * @domain: the domain, locked against attach and detach
 * @iova: as for wdm_hwpt_unmap()
 * @size: number of bytes
 *
 * When it returns, the range blocks.
 *
 * Context: as for wdm_hwpts_map().
 */
void wdm_hwpts_unmap(struct wdm_domain *domain, u64 iova, u64 size)
{
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		wdm_hwpt_unmap_reached(hwpt, iova, size);
}

static void wdm_hwpt_sync_gathered(struct wdm_hwpt *hwpt)
{
	/* Some kernels and drivers flush something for an empty gather. */
	if (!hwpt->nr_gathered)
		return;
	iommu_iotlb_sync(hwpt->domain, &hwpt->gather);
	hwpt->nr_gathered = 0;
}

/**
 * wdm_hwpts_unmap_gather() - Unmap a range in all hwpts, for a later wdm_hwpts_sync()
 * @domain: the domain; the lock that guards wdm_hwpt.gather is held
 * @iova: as for wdm_hwpt_unmap()
 * @size: number of bytes
 */
void wdm_hwpts_unmap_gather(struct wdm_domain *domain, u64 iova, u64 size)
{
	struct wdm_hwpt *hwpt;
	u64 nr_pages;

	list_for_each_entry(hwpt, &domain->hwpts, node) {
		nr_pages = wdm_hwpt_reached(hwpt, iova >> PAGE_SHIFT,
					    size >> PAGE_SHIFT);
		if (!nr_pages)
			continue;
		wdm_hwpt_unmap(hwpt, iova, nr_pages << PAGE_SHIFT, &hwpt->gather);
		hwpt->nr_gathered += nr_pages;
		if (hwpt->nr_gathered >= WDM_HWPT_STALE_PAGES)
			wdm_hwpt_sync_gathered(hwpt);
	}
}

/**
 * wdm_hwpts_sync() - Sync what wdm_hwpts_unmap_gather() has unmapped; then it blocks
 * @domain: the domain; the lock that guards wdm_hwpt.gather has been held since
 */
void wdm_hwpts_sync(struct wdm_domain *domain)
{
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		wdm_hwpt_sync_gathered(hwpt);
}

/**
 * wdm_hwpts_broken() - Check whether an IOMMU driver has failed to unmap something
 * @domain: the domain, locked against attach and detach
 *
 * Return: true if one has. Then no page may be unpinned: better a leak than a device
 * that reaches memory of another owner.
 */
bool wdm_hwpts_broken(const struct wdm_domain *domain)
{
	const struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		if (READ_ONCE(hwpt->broken))
			return true;
	return false;
}
