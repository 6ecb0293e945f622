// SPDX-License-Identifier: GPL-2.0
/*
 * Reports about domains and devices.
 */
#include <linux/pci.h>

#include "device.h"
#include "join.h"
#include "query.h"
#include "quirks.h"

/**
 * wdm_domain_report() - Report the state of a domain
 * @domain: the domain
 * @report: out: the state
 *
 * Return: STATUS_CANCELLED on a fatal signal.
 */
ntstatus_t wdm_domain_report(struct wdm_domain *domain,
			     struct wdm_domain_report *report)
{
	struct wdm_range none;
	struct wdm_hwpt *hwpt;
	ntstatus_t status;

	*report = (struct wdm_domain_report) {
		.os_managed = wdm_domain_os_managed(domain),
		.page_granular = wdm_domain_os_managed(domain) &&
				 domain->pgsize == WDM_PGSIZE_MIN,
		.aperture_end = U64_MAX,
	};
	report->mapped_pages = wdm_mappings_pages(&domain->mappings);
	report->translated_bytes = report->mapped_pages << PAGE_SHIFT;
	status = domain->ops->report(domain, report);
	if (wdm_ok(status))
		status = wdm_domain_lock(domain, &none);
	if (!wdm_ok(status))
		return status;

	report->nr_devices = atomic_read(&domain->nr_devices);
	list_for_each_entry(hwpt, &domain->hwpts, node) {
		report->nr_hwpts++;
		report->aperture_start = max(report->aperture_start,
					     hwpt->aperture.iova);
		report->aperture_end = min(report->aperture_end,
					   hwpt->aperture.last_iova);
	}
	wdm_domain_unlock(domain, &none);
	return STATUS_SUCCESS;
}

/**
 * wdm_nr_mappings() - Count the input mappings of a device
 * @dev: the device, which the caller keeps in its group
 *
 * Return: on ARM64, the number of stream IDs of a platform device; otherwise 0.
 */
u32 wdm_nr_mappings(struct device *dev)
{
	const struct iommu_fwspec *fwspec;

	if (!IS_ENABLED(CONFIG_ARM64) || dev_is_pci(dev))
		return 0;
	fwspec = dev_iommu_fwspec_get(dev);
	return fwspec ? fwspec->num_ids : 0;
}

static void wdm_probe_report(struct device *dev, void *data)
{
	struct wdm_device_report *report = data;

	report->can_report_faults = wdm_quirk_reports_faults(dev);
	report->max_pasids = wdm_max_pasids(dev);
	report->nr_mappings = wdm_nr_mappings(dev);
}

/**
 * wdm_device_report() - Report the state of a device
 * @device: the device
 * @report: out: the state
 *
 * Return: STATUS_CANCELLED on a fatal signal.
 */
ntstatus_t wdm_device_report(struct wdm_device *device,
			     struct wdm_device_report *report)
{
	struct wdm_group *group = device->group;
	ntstatus_t status;

	status = wdm_group_lock(group);
	if (!wdm_ok(status))
		return status;
	*report = (struct wdm_device_report) {
		.attached = device->attached,
		.revoked = wdm_device_revoked(device),
		.reports_faults = device->faults,
		.group = iommu_group_id(group->iommu_group),
	};
	if (device->attached)
		report->domain = group->attachment->domain->handle;
	wdm_group_call(group, device->dev, wdm_probe_report, report);
	wdm_group_unlock(group);
	report->types = wdm_device_types(device);
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_domain_next(struct wdm_domain *domain, bool caller_space,
				  u64 start, struct wdm_extent *ext)
{
	if (!caller_space)
		return domain->ops->lookup(domain, start >> PAGE_SHIFT, ext);
	return wdm_mappings_find(&domain->mappings, start >> PAGE_SHIFT,
				 U64_MAX >> PAGE_SHIFT, ext) ?
	       STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/**
 * wdm_domain_walk() - List the mappings of a domain
 * @domain: the domain
 * @caller_space: of a caller-managed domain, list the caller's address space
 * @start: in: the first address; out: where to continue, U64_MAX at the end
 * @ext: out: the mappings. Their MDLs may have been freed: do not dereference them
 * @nr: in: capacity of @ext; out: number of mappings written
 *
 * Does not wait for attach and detach, which change nothing that it reads.
 *
 * Return: STATUS_CANCELLED on a fatal signal.
 */
ntstatus_t wdm_domain_walk(struct wdm_domain *domain, bool caller_space,
			   u64 *start, struct wdm_extent *ext,
			   unsigned int *nr)
{
	ntstatus_t status = STATUS_SUCCESS;
	unsigned int room = *nr;
	struct wdm_extent next = { };
	u64 at = *start;

	*nr = 0;
	while (at != U64_MAX) {
		status = wdm_domain_cancelled(domain) ? STATUS_CANCELLED :
			 wdm_domain_next(domain, caller_space, at, &next);
		if (!wdm_ok(status))
			break;
		if (!*nr || !wdm_extent_join(&ext[*nr - 1], &next)) {
			if (*nr == room)
				break;
			ext[(*nr)++] = next;
		}
		/* Nothing follows the last page of all. */
		at = (wdm_extent_end(&next) << PAGE_SHIFT) ?: U64_MAX;
		cond_resched();
	}
	if (status == STATUS_NOT_FOUND) {
		at = U64_MAX;
		status = STATUS_SUCCESS;
	}
	*start = at;
	return status;
}
