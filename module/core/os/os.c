// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains: the backend, on top of the mapping table.
 */
#include "../hwpt_set.h"
#include "../query.h"
#include "iova.h"
#include "token.h"

static void wdm_os_destroy(struct wdm_domain *domain)
{
	wdm_mappings_destroy(&domain->mappings);
	wdm_iova_destroy(domain);
}

static bool wdm_os_uses(struct wdm_domain *domain, u64 iova, u64 last_iova)
{
	return iova <= last_iova &&
	       (wdm_tokens_use(domain, iova, last_iova) ||
		wdm_mappings_any(&domain->mappings, iova >> PAGE_SHIFT,
				 last_iova >> PAGE_SHIFT));
}

/*
 * Find the next extent to map or unmap in a hwpt. In an atomic domain every page is an
 * IOMMU page of its own, so an extent within one block of the table will do.
 */
static bool wdm_os_step(struct wdm_domain *domain, u64 pgno, u64 last_pgno,
			struct wdm_extent *ext)
{
	if (domain->atomic)
		return wdm_mappings_peek(&domain->mappings, pgno, last_pgno, ext);
	return wdm_mappings_find(&domain->mappings, pgno, last_pgno, ext);
}

static ntstatus_t wdm_os_fill(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	struct wdm_mapping map;
	struct wdm_extent ext;
	ntstatus_t status;

	if (!wdm_os_step(domain, hwpt->filled, U64_MAX >> PAGE_SHIFT, &ext)) {
		hwpt->filled = U64_MAX;
		return STATUS_SUCCESS;
	}
	map = wdm_extent_mapping(&ext, domain->pgsize);
	status = wdm_hwpt_map(hwpt, &map, domain->killable);
	if (wdm_ok(status))
		hwpt->filled = wdm_extent_end(&ext);
	return status;
}

static void wdm_os_clear(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	u64 last_pgno = min(hwpt->filled - 1, U64_MAX >> PAGE_SHIFT);
	struct iommu_iotlb_gather gather;
	u64 pgno = 0, end = 0;
	struct wdm_extent ext;

	if (!hwpt->filled)
		return;
	/* Unmap adjacent extents with one call. */
	iommu_iotlb_gather_init(&gather);
	while (end <= last_pgno && wdm_os_step(domain, end, last_pgno, &ext)) {
		if (ext.pgno != end) {
			wdm_hwpt_unmap(hwpt, pgno << PAGE_SHIFT,
				       (end - pgno) << PAGE_SHIFT, &gather);
			pgno = ext.pgno;
		}
		end = wdm_extent_end(&ext);
		wdm_hwpt_resched(hwpt);
	}
	wdm_hwpt_unmap(hwpt, pgno << PAGE_SHIFT, (end - pgno) << PAGE_SHIFT, &gather);
	iommu_iotlb_sync(hwpt->domain, &gather);
}

static ntstatus_t wdm_os_next(struct wdm_domain *domain, u64 iova,
			      struct wdm_extent *ext)
{
	return wdm_mappings_find(&domain->mappings, iova >> PAGE_SHIFT,
				 U64_MAX >> PAGE_SHIFT, ext) ?
	       STATUS_SUCCESS : STATUS_NOT_FOUND;
}

static ntstatus_t wdm_os_report(struct wdm_domain *domain,
				struct wdm_domain_report *report)
{
	return STATUS_SUCCESS;
}

const struct wdm_backend_ops wdm_os_backend = {
	.destroy = wdm_os_destroy,
	.uses = wdm_os_uses,
	.fill = wdm_os_fill,
	.clear = wdm_os_clear,
	.next = wdm_os_next,
	.report = wdm_os_report,
};
