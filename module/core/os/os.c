// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains: the backend. The mapping table holds what is mapped.
 */
#include "../hwpt_set.h"
#include "../query.h"

static void wdm_os_destroy(struct wdm_domain *domain)
{
	wdm_mappings_destroy(&domain->mappings);
}

static bool wdm_os_uses(struct wdm_domain *domain, u64 iova, u64 last_iova)
{
	struct wdm_extent ext;

	return iova <= last_iova &&
	       wdm_mappings_find(&domain->mappings, iova >> PAGE_SHIFT,
				 last_iova >> PAGE_SHIFT, &ext);
}

static ntstatus_t wdm_os_fill(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	return wdm_hwpt_fill(domain, hwpt, domain->pgsize);
}

static void wdm_os_clear(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	wdm_hwpt_clear(domain, hwpt, U64_MAX >> PAGE_SHIFT);
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
