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
 * wdm_hwpt_clear_record() - Unmap what is recorded from one hwpt
 * @domain: the domain; nobody attaches or detaches
 * @hwpt: the hwpt
 * @last_pgno: the last page
 */
void wdm_hwpt_clear_record(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			   u64 last_pgno)
{
	struct iommu_iotlb_gather gather;
	struct wdm_record_iter iter;
	u64 first, end;

	iommu_iotlb_gather_init(&gather);
	wdm_record_lock(&domain->record);
	wdm_record_iter_init(&iter, &domain->record, 0, last_pgno);
	while (wdm_record_iter_mapped(&iter, &first, &end))
		wdm_hwpt_unmap(hwpt, first << PAGE_SHIFT,
			       (end - first + 1) << PAGE_SHIFT, &gather);
	wdm_record_unlock(&domain->record);
	iommu_iotlb_sync(hwpt->domain, &gather);
}

/**
 * wdm_hwpt_fill_record() - Map all that is recorded in one hwpt
 * @domain: the domain, all of which is locked
 * @hwpt: the hwpt, which is empty
 * @pgsize: which pages of the IOMMU to use
 *
 * Return: a status; on failure @hwpt is empty again, unless it is being filled by
 * an attach, which frees it. STATUS_CANCELLED also if that attach should give up.
 */
ntstatus_t wdm_hwpt_fill_record(struct wdm_domain *domain,
				struct wdm_hwpt *hwpt, enum wdm_pgsize pgsize)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_record_iter iter;
	struct wdm_extent ext;
	u64 next = 0;

	wdm_record_lock(&domain->record);
	wdm_record_iter_init(&iter, &domain->record, 0, ULONG_MAX);
	while (wdm_record_iter_next(&iter, &ext)) {
		struct wdm_mapping map = wdm_extent_mapping(&ext, pgsize);

		status = wdm_domain_cancelled(domain) ||
			 wdm_hwpt_gives_way(hwpt) ? STATUS_CANCELLED :
			 wdm_hwpt_map(hwpt, &map, domain->killable);
		if (!wdm_ok(status))
			break;
		next = ext.first + ext.nr_pages;
	}
	wdm_record_unlock(&domain->record);
	if (!wdm_ok(status) && next && wdm_hwpt_must_undo(hwpt))
		wdm_hwpt_clear_record(domain, hwpt, next - 1);
	return status;
}
