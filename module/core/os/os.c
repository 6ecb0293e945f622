// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains: the backend. What is mapped stands in the domain's record.
 */
#include "../hwpt_set.h"
#include "../query.h"

static void wdm_os_destroy(struct wdm_domain *domain)
{
	wdm_record_destroy(&domain->record);
}

static bool wdm_os_uses(struct wdm_domain *domain, u64 iova, u64 last_iova)
{
	struct wdm_record_iter iter;
	u64 pgno, last_pgno;
	bool any;

	if (iova > last_iova)
		return false;
	wdm_record_lock(&domain->record);
	wdm_record_iter_init(&iter, &domain->record, iova >> PAGE_SHIFT,
			     last_iova >> PAGE_SHIFT);
	any = wdm_record_iter_mapped(&iter, &pgno, &last_pgno);
	wdm_record_unlock(&domain->record);
	return any;
}

static ntstatus_t wdm_os_fill(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	return wdm_hwpt_fill_record(domain, hwpt, domain->pgsize);
}

static void wdm_os_clear(struct wdm_domain *domain, struct wdm_hwpt *hwpt)
{
	wdm_hwpt_clear_record(domain, hwpt, ULONG_MAX);
}

static ntstatus_t wdm_os_next(struct wdm_domain *domain, u64 iova,
			      struct wdm_extent *ext)
{
	bool found;

	if (wdm_record_lock_killable(&domain->record))
		return STATUS_CANCELLED;
	found = wdm_record_peek(&domain->record, iova >> PAGE_SHIFT,
				U64_MAX >> PAGE_SHIFT, ext);
	wdm_record_unlock(&domain->record);
	return found ? STATUS_SUCCESS : STATUS_NOT_FOUND;
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
