// SPDX-License-Identifier: GPL-2.0
/*
 * Attach and detach: hwpts come and go with the groups that need
 * them.
 */
#include <linux/iommu.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "attach.h"
#include "domain.h"
#include "fault.h"
#include "quirks.h"
#include "trace.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Let in devices whose interrupts are not isolated from each other, as VFIO's parameter of this name does (default: no)");

/**
 * wdm_unsafe_interrupts_allowed() - What the module parameter says
 *
 * Return: whether devices without isolated interrupts are let in.
 */
bool wdm_unsafe_interrupts_allowed(void)
{
	return READ_ONCE(allow_unsafe_interrupts);
}

/* Is nothing mapped where the hwpt cannot translate? */
static bool wdm_aperture_fits(struct wdm_domain *domain,
			      const struct wdm_iova_range *aperture)
{
	if (aperture->iova &&
	    domain->ops->uses(domain, 0, aperture->iova - 1))
		return false;
	return aperture->last_iova == U64_MAX ||
	       !domain->ops->uses(domain, aperture->last_iova + 1, U64_MAX);
}

/* Is nothing mapped that is reserved? */
static bool wdm_resv_fits(struct wdm_domain *domain, const struct wdm_resv *resv)
{
	unsigned int i;

	for (i = 0; i < resv->nr; i++)
		if (domain->ops->uses(domain, resv->ranges[i].iova,
				      resv->ranges[i].last_iova))
			return false;
	return true;
}

static void wdm_free_regions(struct list_head *regions)
{
	struct iommu_resv_region *region, *next;

	list_for_each_entry_safe(region, next, regions, list) {
		list_del(&region->list);
		kfree(region);
	}
}

/*
 * A group for which the firmware wants memory mapped shares its iommu_domain with
 * no other group: what is mapped for it is nothing to others.
 */
static bool wdm_regions_exclusive(const struct list_head *regions)
{
	const struct iommu_resv_region *region;

	list_for_each_entry(region, regions, list)
		if (region->type == IOMMU_RESV_DIRECT)
			return true;
	return false;
}

/*
 * The firmware's own maps, and the window of software MSIs. Neither is ever
 * unmapped: they live as long as the iommu_domain.
 */
static ntstatus_t wdm_hwpt_prepare(struct wdm_hwpt *hwpt,
				   const struct list_head *regions)
{
	const struct iommu_resv_region *region;
	int ret;

	hwpt->exclusive = wdm_regions_exclusive(regions);
	list_for_each_entry(region, regions, list) {
		ret = 0;
		if (region->type == IOMMU_RESV_SW_MSI && !hwpt->sw_msi) {
			ret = iommu_get_msi_cookie(hwpt->domain, region->start);
			/* Not every IOMMU driver asks for one. */
			if (ret == -ENODEV)
				ret = 0;
			hwpt->sw_msi = !ret;
		} else if (region->type == IOMMU_RESV_DIRECT) {
			ret = iommu_map(hwpt->domain, region->start,
					region->start, region->length,
					region->prot, GFP_KERNEL_ACCOUNT);
		}
		if (ret)
			return wdm_status_from_errno(ret);
	}
	return STATUS_SUCCESS;
}

/**
 * struct wdm_probe - what is to be known of a device before it is attached
 * @dev: the device
 * @iommu_domain: out: a new iommu_domain for it, or an ERR_PTR()
 * @unmap_exact: out: see &struct wdm_hwpt
 * @reports: out: its IOMMU driver reports faults
 */
struct wdm_probe {
	struct device *dev;
	struct iommu_domain *iommu_domain;
	bool unmap_exact;
	bool reports;
};

/* The group's lock is held, so the device cannot be unplugged meanwhile. */
static int wdm_probe_device(struct device *dev, void *data)
{
	struct wdm_probe *probe = data;

	if (dev != probe->dev)
		return 0;

	/* DMA that is not coherent cannot be offered (IOMMU_CACHE). */
	probe->iommu_domain = ERR_PTR(-EOPNOTSUPP);
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return 1;
	probe->iommu_domain = iommu_paging_domain_alloc(dev);
	probe->unmap_exact = wdm_quirk_unmaps_exact(dev);
	probe->reports = wdm_quirk_reports_faults(dev);
	return 1;
}

/* A hwpt for a group, which nobody is attached to yet. */
static ntstatus_t wdm_hwpt_for_group(struct wdm_group *group, struct device *dev,
				     struct wdm_hwpt **out)
{
	struct wdm_probe probe = { .dev = dev };
	struct wdm_hwpt *hwpt;

	if (!iommu_group_for_each_dev(group->iommu_group, &probe,
				      wdm_probe_device))
		return STATUS_DEVICE_REMOVED;
	if (IS_ERR(probe.iommu_domain))
		return wdm_status_from_errno(PTR_ERR(probe.iommu_domain));

	hwpt = wdm_hwpt_create(probe.iommu_domain);
	if (!hwpt) {
		iommu_domain_free(probe.iommu_domain);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	hwpt->unmap_exact = probe.unmap_exact;
	if (probe.reports)
		wdm_fault_prepare(hwpt->domain);
	*out = hwpt;
	return STATUS_SUCCESS;
}

/*
 * iommu_attach_group() with answers that a caller can use. A group that lost its
 * last device, by hot-unplug, must not even be tried.
 */
static ntstatus_t wdm_attach_iommu_group(struct wdm_hwpt *hwpt,
					 struct wdm_group *group,
					 struct device *dev)
{
	int ret;

	if (!wdm_group_has(group, dev))
		return STATUS_DEVICE_REMOVED;
	ret = iommu_attach_group(hwpt->domain, group->iommu_group);
	/* What the IOMMU core says when domain and group do not fit. */
	return ret == -EINVAL ? STATUS_NOT_SUPPORTED :
				wdm_status_from_errno(ret);
}

static bool wdm_hwpt_usable(const struct wdm_hwpt *hwpt)
{
	return hwpt->domain->pgsize_bitmap & PAGE_SIZE;
}

/*
 * Move the group from @hwpt, which is new, to a hwpt of the same kind
 * that the domain has already. The group is in one of the two afterwards, unless
 * this fails. @joined tells whether it was moved.
 */
static ntstatus_t wdm_attach_existing(struct wdm_domain *domain,
				      struct wdm_group *group,
				      struct device *dev, struct wdm_hwpt *hwpt,
				      bool *joined)
{
	struct wdm_hwpt *other;
	ntstatus_t status;

	*joined = false;
	list_for_each_entry(other, &domain->hwpts, node) {
		if (other->exclusive || hwpt->exclusive ||
		    other->domain->ops != hwpt->domain->ops ||
		    other->coherent != hwpt->coherent ||
		    other->sw_msi != hwpt->sw_msi)
			continue;
		iommu_detach_group(hwpt->domain, group->iommu_group);
		status = wdm_attach_iommu_group(other, group, dev);
		if (wdm_ok(status)) {
			other->nr_groups++;
			group->hwpt = other;
			*joined = true;
			return STATUS_SUCCESS;
		}
		status = wdm_attach_iommu_group(hwpt, group, dev);
		if (!wdm_ok(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/* Fill a hwpt that the group is attached to. */
static ntstatus_t wdm_attach_new(struct wdm_domain *domain,
				 struct wdm_group *group, struct wdm_hwpt *hwpt)
{
	ntstatus_t status;

	if (!wdm_aperture_fits(domain, &hwpt->aperture))
		return STATUS_CONFLICTING_ADDRESSES;
	status = domain->ops->fill(domain, hwpt);
	if (!wdm_ok(status))
		return status;

	hwpt->nr_groups = 1;
	list_add_tail(&hwpt->node, &domain->hwpts);
	group->hwpt = hwpt;
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_attach_locked(struct wdm_domain *domain,
				    struct wdm_group *group, struct device *dev,
				    const struct list_head *regions)
{
	struct wdm_hwpt *hwpt;
	bool joined;
	ntstatus_t status;

	wdm_resv_destroy(&group->resv);
	status = wdm_resv_init(&group->resv, regions);
	if (!wdm_ok(status))
		return status;
	if (!wdm_resv_fits(domain, &group->resv))
		return STATUS_CONFLICTING_ADDRESSES;
	status = wdm_allowed_reserve(domain, &group->resv);
	if (!wdm_ok(status))
		return status;
	status = wdm_hwpt_for_group(group, dev, &hwpt);
	if (!wdm_ok(status))
		return status;
	status = wdm_attach_iommu_group(hwpt, group, dev);
	if (!wdm_ok(status))
		goto free;

	/*
	 * Some drivers finish a domain at its first attach, and coherency can
	 * only be enforced between that and the first map.
	 */
	wdm_hwpt_set_aperture(hwpt);
	if (hwpt->domain->ops->enforce_cache_coherency)
		hwpt->coherent =
			hwpt->domain->ops->enforce_cache_coherency(hwpt->domain);
	status = STATUS_NOT_SUPPORTED;
	if (!wdm_hwpt_usable(hwpt))
		goto detach;
	status = wdm_hwpt_prepare(hwpt, regions);
	if (!wdm_ok(status))
		goto detach;

	status = wdm_attach_existing(domain, group, dev, hwpt, &joined);
	if (wdm_ok(status) && !joined)
		status = wdm_attach_new(domain, group, hwpt);
	if (!wdm_ok(status))
		goto detach;
	list_add_tail(&group->domain_node, &domain->groups);
	wdm_allowed_update(domain);
	if (joined)
		wdm_hwpt_destroy(hwpt);
	return STATUS_SUCCESS;

detach:
	iommu_detach_group(hwpt->domain, group->iommu_group);
free:
	wdm_hwpt_destroy(hwpt);
	return status;
}

/**
 * wdm_domain_attach() - Attach a group
 * @domain: the domain
 * @group: the group, in its blocking domain; its lock is held
 * @dev: a device of the group
 *
 * Makes the checks that VFIO's type1 makes, and fills a hwpt for the
 * group from what is mapped. Without effect when it fails.
 *
 * Return: see &struct wdm_iommu_attach.
 */
ntstatus_t wdm_domain_attach(struct wdm_domain *domain, struct wdm_group *group,
			     struct device *dev)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_attach);
	LIST_HEAD(regions);
	struct wdm_range all;
	ntstatus_t status;
	int ret;

	lockdep_assert_held(&group->lock);

	if (!wdm_unsafe_interrupts_allowed() &&
	    !iommu_group_has_isolated_msi(group->iommu_group)) {
		dev_notice_ratelimited(dev,
				       "interrupts are not isolated; see the module's parameter allow_unsafe_interrupts\n");
		return STATUS_ACCESS_DENIED;
	}

	/* What it found before it failed is on the list all the same. */
	ret = iommu_get_group_resv_regions(group->iommu_group, &regions);
	if (ret) {
		wdm_free_regions(&regions);
		return wdm_status_from_errno(ret);
	}

	status = wdm_domain_lock_all(domain, &all, domain->killable);
	if (wdm_ok(status)) {
		status = wdm_attach_locked(domain, group, dev, &regions);
		wdm_domain_unlock(domain, &all);
	}
	wdm_free_regions(&regions);
	if (trace_wdm_attach_enabled())
		trace_wdm_attach(domain, iommu_group_id(group->iommu_group),
				 status, wdm_trace_ns(begin));
	return status;
}

/**
 * wdm_domain_detach() - Detach a group
 * @domain: the domain
 * @group: the group; its lock is held
 *
 * When it returns, the group stands in its blocking domain.
 */
void wdm_domain_detach(struct wdm_domain *domain, struct wdm_group *group)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_detach);
	struct wdm_hwpt *hwpt = group->hwpt;
	struct wdm_range all;

	lockdep_assert_held(&group->lock);

	wdm_domain_lock_urgent(domain, &all, false);
	iommu_detach_group(hwpt->domain, group->iommu_group);
	list_del_init(&group->domain_node);
	group->hwpt = NULL;
	if (!--hwpt->nr_groups) {
		list_del(&hwpt->node);
		domain->ops->clear(domain, hwpt);
		wdm_hwpt_destroy(hwpt);
	}
	wdm_allowed_update(domain);
	wdm_domain_unlock(domain, &all);
	if (trace_wdm_detach_enabled())
		trace_wdm_detach(domain, iommu_group_id(group->iommu_group),
				 STATUS_SUCCESS, wdm_trace_ns(begin));
}

/**
 * wdm_domain_adopt() - Fill an iommu_domain that no group is attached to
 * @domain: the domain
 * @iommu_domain: the iommu_domain; the domain's after success
 *
 * For tests, which make iommu_domains by hand.
 *
 * Return: as wdm_domain_attach().
 */
ntstatus_t wdm_domain_adopt(struct wdm_domain *domain,
			    struct iommu_domain *iommu_domain)
{
	struct wdm_hwpt *hwpt = wdm_hwpt_create(iommu_domain);
	ntstatus_t status = STATUS_CONFLICTING_ADDRESSES;
	struct wdm_range all;

	if (!hwpt)
		return STATUS_INSUFFICIENT_RESOURCES;

	wdm_domain_lock_all(domain, &all, false);
	wdm_hwpt_set_aperture(hwpt);
	if (wdm_aperture_fits(domain, &hwpt->aperture))
		status = domain->ops->fill(domain, hwpt);
	if (wdm_ok(status)) {
		list_add_tail(&hwpt->node, &domain->hwpts);
		wdm_allowed_update(domain);
	}
	wdm_domain_unlock(domain, &all);

	if (!wdm_ok(status))
		kfree(hwpt);
	return status;
}

/**
 * wdm_domain_disown() - Empty and free what wdm_domain_adopt() took
 * @domain: the domain
 * @iommu_domain: the iommu_domain; gone afterwards
 */
void wdm_domain_disown(struct wdm_domain *domain,
		       struct iommu_domain *iommu_domain)
{
	struct wdm_hwpt *hwpt, *next;
	struct wdm_range all;

	wdm_domain_lock_all(domain, &all, false);
	list_for_each_entry_safe(hwpt, next, &domain->hwpts, node) {
		if (hwpt->domain != iommu_domain)
			continue;
		list_del(&hwpt->node);
		domain->ops->clear(domain, hwpt);
		wdm_hwpt_destroy(hwpt);
		break;
	}
	wdm_allowed_update(domain);
	wdm_domain_unlock(domain, &all);
}
