// SPDX-License-Identifier: GPL-2.0
/*
 * All hwpts of a domain: what is mapped in one is mapped in each.
 */
#include "hwpt_set.h"

/**
 * wdm_hwpts_map() - Map pages in all hwpts, or in none
 * @domain: the domain, which is locked
 * @map: what to map
 *
 * Return: as wdm_hwpt_map().
 */
ntstatus_t wdm_hwpts_map(struct wdm_domain *domain,
			 const struct wdm_mapping *map)
{
	ntstatus_t status;
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node) {
		status = wdm_hwpt_map(hwpt, map, domain->killable);
		if (!wdm_ok(status))
			goto undo;
	}
	return STATUS_SUCCESS;

undo:
	list_for_each_entry_continue_reverse(hwpt, &domain->hwpts, node)
		wdm_hwpt_unmap_sync(hwpt, map->iova,
				    map->nr_pages << PAGE_SHIFT);
	return status;
}

/**
 * wdm_hwpts_unmap() - Unmap a range in all hwpts
 * @domain: the domain; nobody attaches or detaches
 * @iova: as for wdm_hwpt_unmap()
 * @size: bytes
 *
 * When it returns, the range blocks.
 */
void wdm_hwpts_unmap(struct wdm_domain *domain, u64 iova, u64 size)
{
	struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		wdm_hwpt_unmap_sync(hwpt, iova, size);
}

/**
 * wdm_hwpts_broken() - Has an IOMMU driver failed to unmap something?
 * @domain: the domain; nobody attaches or detaches
 *
 * Return: whether it has. Then no page may be let go of: better a leak than a
 * device in somebody else's memory.
 */
bool wdm_hwpts_broken(const struct wdm_domain *domain)
{
	const struct wdm_hwpt *hwpt;

	list_for_each_entry(hwpt, &domain->hwpts, node)
		if (READ_ONCE(hwpt->broken))
			return true;
	return false;
}

/**
 * wdm_hwpt_clear() - Unmap what the mapping table holds from one hwpt
 * @domain: the domain; nobody attaches or detaches
 * @hwpt: the hwpt
 * @last_pgno: the last page number
 */
void wdm_hwpt_clear(struct wdm_domain *domain, struct wdm_hwpt *hwpt, u64 last_pgno)
{
	struct iommu_iotlb_gather gather;
	struct wdm_extent ext = { };
	u64 pgno = 0, end = 0;

	/* Unmap neighbouring extents together. */
	iommu_iotlb_gather_init(&gather);
	while (wdm_mappings_next(&domain->mappings, last_pgno, &ext)) {
		if (ext.pgno != end) {
			wdm_hwpt_unmap(hwpt, pgno << PAGE_SHIFT,
				       (end - pgno) << PAGE_SHIFT, &gather);
			pgno = ext.pgno;
		}
		end = wdm_extent_end(&ext);
		cond_resched();
	}
	wdm_hwpt_unmap(hwpt, pgno << PAGE_SHIFT, (end - pgno) << PAGE_SHIFT, &gather);
	iommu_iotlb_sync(hwpt->domain, &gather);
}

/**
 * wdm_hwpt_fill() - Map what the mapping table holds in one hwpt
 * @domain: the domain, all of which is locked
 * @hwpt: the hwpt, which is empty
 * @pgsize: which pages of the IOMMU to use
 *
 * Return: a status; on failure @hwpt is empty again, unless it is being filled by
 * an attach, which frees it. STATUS_CANCELLED also if that attach should give up.
 */
ntstatus_t wdm_hwpt_fill(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			 enum wdm_pgsize pgsize)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_extent ext = { };

	while (wdm_mappings_next(&domain->mappings, U64_MAX >> PAGE_SHIFT, &ext)) {
		struct wdm_mapping map = wdm_extent_mapping(&ext, pgsize);

		status = wdm_domain_cancelled(domain) ||
			 wdm_hwpt_gives_way(hwpt) ? STATUS_CANCELLED :
			 wdm_hwpt_map(hwpt, &map, domain->killable);
		if (!wdm_ok(status))
			break;
		cond_resched();
	}
	if (!wdm_ok(status) && ext.pgno && wdm_hwpt_must_undo(hwpt))
		wdm_hwpt_clear(domain, hwpt, ext.pgno - 1);
	return status;
}
