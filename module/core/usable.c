// SPDX-License-Identifier: GPL-2.0
/*
 * The logical addresses that can be mapped, for programs that ask before they map.
 */
#include <linux/slab.h>
#include <linux/sort.h>

#include "device.h"
#include "join.h"
#include "quirks.h"
#include "usable.h"

/* IOMMU pages above 1 GiB are never used, see WDM_HWPT_STEP. */
#define WDM_USABLE_PAGES	GENMASK_ULL(30, PAGE_SHIFT)

static void wdm_usable_start(struct wdm_usable *usable)
{
	*usable = (struct wdm_usable) {
		.aperture_end = U64_MAX,
		.page_sizes = WDM_USABLE_PAGES,
	};
}

static ntstatus_t wdm_usable_alloc(struct wdm_usable *usable, unsigned int max)
{
	usable->ranges = kvcalloc(max, sizeof(*usable->ranges), GFP_KERNEL_ACCOUNT);
	return usable->ranges ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static void wdm_usable_clip(struct wdm_usable *usable,
			    const struct wdm_iova_range *aperture, u64 page_sizes)
{
	usable->aperture_start = max(usable->aperture_start, aperture->iova);
	usable->aperture_end = min(usable->aperture_end, aperture->last_iova);
	usable->page_sizes &= page_sizes;
}

static enum wdm_usable_kind wdm_usable_kind(enum iommu_resv_type type)
{
	switch (type) {
	case IOMMU_RESV_DIRECT:
		return WDM_USABLE_DIRECT;
	case IOMMU_RESV_MSI:
		return WDM_USABLE_MSI;
	case IOMMU_RESV_SW_MSI:
		return WDM_USABLE_SW_MSI;
	default:
		return WDM_USABLE_RESERVED;
	}
}

static void wdm_usable_add(struct wdm_usable *usable, u64 iova, u64 last_iova,
			   enum wdm_usable_kind kind)
{
	usable->ranges[usable->nr++] = (struct wdm_usable_range) {
		.iova = iova,
		.last_iova = last_iova,
		.kind = kind,
	};
}

static void wdm_usable_add_resv(struct wdm_usable *usable, const struct wdm_resv *resv)
{
	unsigned int i;

	for (i = 0; i < resv->nr; i++)
		wdm_usable_add(usable, resv->ranges[i].iova, resv->ranges[i].last_iova,
			       wdm_usable_kind(resv->ranges[i].type));
}

/* Firmware may reserve parts of a page; only whole pages can be mapped. */
static void wdm_usable_add_allowed(struct wdm_usable *usable,
				   const struct wdm_allowed *allowed)
{
	unsigned int i;

	for (i = 0; i < allowed->nr; i++) {
		u64 first = DIV_ROUND_UP_ULL(allowed->ranges[i].iova, PAGE_SIZE);
		/* The page after the last one; 2^52 for the whole address space */
		u64 end = (allowed->ranges[i].last_iova >> PAGE_SHIFT) +
			  !(~allowed->ranges[i].last_iova & ~PAGE_MASK);

		if (first < end)
			wdm_usable_add(usable, first << PAGE_SHIFT,
				       (end << PAGE_SHIFT) - 1, WDM_USABLE_ALLOWED);
	}
}

static int wdm_usable_compare(const void *a, const void *b)
{
	const struct wdm_usable_range *one = a, *other = b;

	if (one->iova != other->iova)
		return one->iova < other->iova ? -1 : 1;
	return (int)one->kind - (int)other->kind;
}

static void wdm_usable_sort(struct wdm_usable *usable)
{
	sort(usable->ranges, usable->nr, sizeof(*usable->ranges),
	     wdm_usable_compare, NULL);
}

/**
 * wdm_domain_usable() - Report the logical addresses of a domain
 * @domain: the domain
 * @usable: out: the addresses, for wdm_usable_destroy()
 *
 * Return: STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, STATUS_CANCELLED.
 */
ntstatus_t wdm_domain_usable(struct wdm_domain *domain,
			     struct wdm_usable *usable)
{
	const struct wdm_attachment *attachment;
	const struct wdm_hwpt *hwpt;
	struct wdm_range none;
	ntstatus_t status;
	unsigned int max;

	wdm_usable_start(usable);
	status = wdm_domain_lock(domain, &none);
	if (!wdm_ok(status))
		return status;
	max = domain->allowed.nr;
	list_for_each_entry(attachment, &domain->attachments, domain_node)
		max += attachment->resv.nr;
	status = wdm_usable_alloc(usable, max);
	if (wdm_ok(status)) {
		list_for_each_entry(hwpt, &domain->hwpts, node)
			wdm_usable_clip(usable, &hwpt->aperture,
					hwpt->domain->pgsize_bitmap);
		wdm_usable_add_allowed(usable, &domain->allowed);
		list_for_each_entry(attachment, &domain->attachments, domain_node)
			wdm_usable_add_resv(usable, &attachment->resv);
	}
	/* The page size of a caller-managed domain is that of its bypass only. */
	if (wdm_domain_os_managed(domain) && domain->pgsize == WDM_PGSIZE_MIN)
		usable->page_sizes &= PAGE_SIZE;
	wdm_domain_unlock(domain, &none);
	if (wdm_ok(status))
		wdm_usable_sort(usable);
	return status;
}

/* Report what an aperture and reserved ranges leave. */
static ntstatus_t wdm_usable_of(struct wdm_usable *usable,
				const struct wdm_iova_range *aperture, u64 page_sizes,
				const struct wdm_resv *resv)
{
	struct wdm_allowed allowed;
	ntstatus_t status;

	status = wdm_allowed_of(&allowed, aperture, resv);
	if (!wdm_ok(status))
		return status;
	status = wdm_usable_alloc(usable, allowed.nr + resv->nr);
	if (wdm_ok(status)) {
		wdm_usable_clip(usable, aperture, page_sizes);
		wdm_usable_add_allowed(usable, &allowed);
		wdm_usable_add_resv(usable, resv);
	}
	wdm_allowed_destroy(&allowed);
	return status;
}

static void wdm_probe_iommu_domain(struct device *dev, void *data)
{
	struct iommu_domain **iommu_domain = data;

	*iommu_domain = device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY) ?
			iommu_paging_domain_alloc(dev) : ERR_PTR(-EOPNOTSUPP);
}

/*
 * Let the IOMMU driver finalize an iommu_domain for a group that is not attached: several
 * older drivers know the aperture only after an attach. The iommu_domain is empty and
 * blocks all DMA, as the group's blocking domain does.
 */
static ntstatus_t wdm_usable_finish(struct wdm_device *device,
				    struct iommu_domain *iommu_domain)
{
	struct iommu_group *iommu_group = device->group->iommu_group;
	int ret;

	if (!wdm_group_has(device->group, device->dev))
		return STATUS_DEVICE_REMOVED;
	ret = iommu_attach_group(iommu_domain, iommu_group);
	if (ret)
		return ret == -EINVAL ? STATUS_NOT_SUPPORTED :
					wdm_status_from_driver(ret);
	iommu_detach_group(iommu_domain, iommu_group);
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_usable_try(struct wdm_device *device, struct wdm_usable *usable,
				 const struct wdm_resv *resv)
{
	struct iommu_domain *iommu_domain;
	struct wdm_iova_range aperture;
	ntstatus_t status;

	if (!wdm_group_call(device->group, device->dev, wdm_probe_iommu_domain,
			    &iommu_domain))
		return STATUS_DEVICE_REMOVED;
	if (IS_ERR(iommu_domain))
		return wdm_status_from_driver(PTR_ERR(iommu_domain));
	status = wdm_usable_finish(device, iommu_domain);
	if (wdm_ok(status)) {
		aperture = wdm_quirk_aperture(iommu_domain);
		status = wdm_usable_of(usable, &aperture, iommu_domain->pgsize_bitmap,
				       resv);
	}
	iommu_domain_free(iommu_domain);
	return status;
}

/* Called if the group is not attached. */
static ntstatus_t wdm_usable_probe(struct wdm_device *device, struct wdm_usable *usable)
{
	struct wdm_resv resv = { };
	LIST_HEAD(regions);
	ntstatus_t status;
	int ret;

	ret = iommu_get_group_resv_regions(device->group->iommu_group, &regions);
	status = ret ? wdm_status_from_driver(ret) : wdm_resv_init(&resv, &regions);
	wdm_free_regions(&regions);
	if (!wdm_ok(status))
		return status;
	status = wdm_usable_try(device, usable, &resv);
	wdm_resv_destroy(&resv);
	return status;
}

/* STATUS_CANCELLED: gave way to a provider that takes a group or a device back */
static ntstatus_t wdm_device_usable_locked(struct wdm_device *device,
					   struct wdm_usable *usable, ntstatus_t held)
{
	const struct wdm_group *group = device->group;
	const struct wdm_attachment *attachment = group->attachment;

	if (wdm_device_revoked(device))
		return STATUS_DEVICE_REMOVED;
	if (attachment)
		return wdm_usable_of(usable, &attachment->hwpt->aperture,
				     attachment->hwpt->domain->pgsize_bitmap,
				     &attachment->resv);
	if (!wdm_ok(held))
		return held;
	/* Many threads may have come before the provider, and each takes its time. */
	if (atomic_read(&group->owner->nr_revoking))
		return STATUS_CANCELLED;
	return wdm_usable_probe(device, usable);
}

/**
 * wdm_device_usable() - Report the logical addresses of a device, whatever its domain
 * @device: the device; need not be attached
 * @usable: out: the addresses, for wdm_usable_destroy()
 *
 * Return: STATUS_SUCCESS, STATUS_DEVICE_REMOVED, STATUS_NOT_SUPPORTED,
 * STATUS_DEVICE_BUSY, STATUS_INSUFFICIENT_RESOURCES, STATUS_CANCELLED.
 */
ntstatus_t wdm_device_usable(struct wdm_device *device,
			     struct wdm_usable *usable)
{
	ntstatus_t status, held;
	void *hold;

	wdm_usable_start(usable);
	held = wdm_device_hold(device, &hold);
	for (;;) {
		status = wdm_group_lock(device->group);
		if (!wdm_ok(status))
			break;
		status = wdm_device_usable_locked(device, usable, held);
		wdm_group_unlock(device->group);
		if (status != STATUS_CANCELLED)
			break;
		/* Cancelled again, it was for a signal. */
		status = wdm_group_wait_revokes(device->group);
		if (!wdm_ok(status))
			break;
	}
	if (wdm_ok(status))
		wdm_usable_sort(usable);
	wdm_device_unhold(device, hold);
	return status;
}

/**
 * wdm_usable_destroy() - Free a report
 * @usable: the report
 */
void wdm_usable_destroy(struct wdm_usable *usable)
{
	kvfree(usable->ranges);
}
