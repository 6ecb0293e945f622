// SPDX-License-Identifier: GPL-2.0
/*
 * Attach and detach: hardware domains come and go with the groups that need
 * them.
 */
#include <linux/iommu.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "attach.h"
#include "domain.h"
#include "fault.h"
#include "group.h"
#include "shadow.h"
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

/**
 * wdm_domain_uses() - Does a domain map anything in these logical addresses?
 * @domain: the domain; nobody attaches or detaches
 * @first: the first address
 * @last: the last one
 *
 * Return: whether it does.
 */
bool wdm_domain_uses(struct wdm_domain *domain, u64 first, u64 last)
{
	struct wdm_record_iter iter;
	bool any;

	if (first > last)
		return false;
	if (domain->shadow)
		return wdm_shadow_uses(domain, first, last);

	wdm_record_lock(&domain->record);
	wdm_record_iter_init(&iter, &domain->record, first >> PAGE_SHIFT,
			     last >> PAGE_SHIFT);
	any = wdm_record_iter_mapped(&iter, &first, &last);
	wdm_record_unlock(&domain->record);
	return any;
}

static bool wdm_aperture_fits(struct wdm_domain *domain,
			      const struct iommu_domain_geometry *geo)
{
	if (geo->aperture_start &&
	    wdm_domain_uses(domain, 0, geo->aperture_start - 1))
		return false;
	return geo->aperture_end == U64_MAX ||
	       !wdm_domain_uses(domain, geo->aperture_end + 1, U64_MAX);
}

/* What type1 looks at, too: regions that may be relaxed are no obstacle. */
static bool wdm_region_counts(const struct iommu_resv_region *region)
{
	return region->type != IOMMU_RESV_DIRECT_RELAXABLE && region->length;
}

/* Take down what is reserved for the group, and check it against the domain. */
static ntstatus_t wdm_group_read_resv(struct wdm_group *group,
				      const struct list_head *regions,
				      struct wdm_domain *domain)
{
	const struct iommu_resv_region *region;
	struct wdm_resv *resv;
	unsigned int nr = 0;

	list_for_each_entry(region, regions, list)
		nr++;

	kfree(group->resv);
	group->nr_resv = 0;
	group->resv = kcalloc(nr, sizeof(*resv), GFP_KERNEL_ACCOUNT);
	if (!group->resv)
		return STATUS_INSUFFICIENT_RESOURCES;

	list_for_each_entry(region, regions, list) {
		if (!wdm_region_counts(region))
			continue;
		resv = &group->resv[group->nr_resv++];
		resv->first = region->start;
		resv->last = region->start + region->length - 1;
		if (wdm_domain_uses(domain, resv->first, resv->last))
			return STATUS_CONFLICTING_ADDRESSES;
	}
	return STATUS_SUCCESS;
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
static ntstatus_t wdm_hw_prepare(struct wdm_hw *hw,
				 const struct list_head *regions)
{
	const struct iommu_resv_region *region;
	int ret;

	hw->exclusive = wdm_regions_exclusive(regions);
	list_for_each_entry(region, regions, list) {
		ret = 0;
		if (region->type == IOMMU_RESV_SW_MSI && !hw->sw_msi) {
			ret = iommu_get_msi_cookie(hw->domain, region->start);
			/* Not every IOMMU driver asks for one. */
			if (ret == -ENODEV)
				ret = 0;
			hw->sw_msi = !ret;
		} else if (region->type == IOMMU_RESV_DIRECT) {
			ret = iommu_map(hw->domain, region->start,
					region->start, region->length,
					region->prot, GFP_KERNEL_ACCOUNT);
		}
		if (ret)
			return wdm_status_from_errno(ret);
	}
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_hw_fill(struct wdm_domain *domain, struct wdm_hw *hw)
{
	if (domain->shadow)
		return wdm_shadow_replay(domain, hw);
	return wdm_domain_hw_fill(domain, hw, domain->granule);
}

/* Unmap everything from a hardware domain that nobody is attached to. */
static void wdm_hw_empty(struct wdm_domain *domain, struct wdm_hw *hw)
{
	if (domain->shadow)
		wdm_shadow_clear(domain, hw);
	else
		wdm_domain_hw_clear(domain, hw, ULONG_MAX);
}

/**
 * struct wdm_probe - what is to be known of a device before it is attached
 * @dev: the device
 * @hw_domain: out: a new iommu_domain for it, or an ERR_PTR()
 * @whole_maps: out: see &struct wdm_hw
 * @reports: out: its IOMMU driver reports faults
 */
struct wdm_probe {
	struct device *dev;
	struct iommu_domain *hw_domain;
	bool whole_maps;
	bool reports;
};

/*
 * The IOMMU driver of virtio keeps one mapping for each call, which it cannot
 * unmap a part of, instead of a page table. The IOMMU API does not tell.
 */
static bool wdm_maps_whole(struct device *dev)
{
	struct device *iommu = dev->iommu->iommu_dev->dev;

	return iommu && iommu->parent && iommu->parent->bus &&
	       !strcmp(iommu->parent->bus->name, "virtio");
}

/* The group's lock is held, so the device cannot be unplugged meanwhile. */
static int wdm_probe_device(struct device *dev, void *data)
{
	struct wdm_probe *probe = data;

	if (dev != probe->dev)
		return 0;

	/* DMA that is not coherent cannot be offered (IOMMU_CACHE). */
	probe->hw_domain = ERR_PTR(-EOPNOTSUPP);
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return 1;
	probe->hw_domain = iommu_paging_domain_alloc(dev);
	probe->whole_maps = wdm_maps_whole(dev);
	probe->reports = wdm_fault_reported_for(dev);
	return 1;
}

/* A hardware domain for a group, which nobody is attached to yet. */
static ntstatus_t wdm_hw_for_group(struct wdm_group *group, struct device *dev,
				   struct wdm_hw **out)
{
	struct wdm_probe probe = { .dev = dev };
	struct wdm_hw *hw;

	if (!iommu_group_for_each_dev(group->iommu_group, &probe,
				      wdm_probe_device))
		return STATUS_DEVICE_REMOVED;
	if (IS_ERR(probe.hw_domain))
		return wdm_status_from_errno(PTR_ERR(probe.hw_domain));

	hw = wdm_hw_create(probe.hw_domain);
	if (!hw) {
		iommu_domain_free(probe.hw_domain);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	hw->whole_maps = probe.whole_maps;
	if (probe.reports)
		wdm_fault_prepare(hw->domain);
	*out = hw;
	return STATUS_SUCCESS;
}

/*
 * iommu_attach_group() with answers that a caller can use. A group that lost its
 * last device, by hot-unplug, must not even be tried.
 */
static ntstatus_t wdm_attach_iommu_group(struct wdm_hw *hw,
					 struct wdm_group *group,
					 struct device *dev)
{
	int ret;

	if (!wdm_group_has(group, dev))
		return STATUS_DEVICE_REMOVED;
	ret = iommu_attach_group(hw->domain, group->iommu_group);
	/* What the IOMMU core says when domain and group do not fit. */
	return ret == -EINVAL ? STATUS_NOT_SUPPORTED :
				wdm_status_from_errno(ret);
}

static bool wdm_hw_usable(const struct wdm_hw *hw)
{
	return hw->domain->pgsize_bitmap & PAGE_SIZE;
}

/*
 * Move the group from @hw, which is new, to a hardware domain of the same kind
 * that the domain has already. The group is in one of the two afterwards, unless
 * this fails. @joined tells whether it was moved.
 */
static ntstatus_t wdm_attach_existing(struct wdm_domain *domain,
				      struct wdm_group *group,
				      struct device *dev, struct wdm_hw *hw,
				      bool *joined)
{
	struct wdm_hw *other;
	ntstatus_t status;

	*joined = false;
	list_for_each_entry(other, &domain->hws, node) {
		if (other->exclusive || hw->exclusive ||
		    other->domain->ops != hw->domain->ops ||
		    other->coherent != hw->coherent ||
		    other->sw_msi != hw->sw_msi)
			continue;
		iommu_detach_group(hw->domain, group->iommu_group);
		status = wdm_attach_iommu_group(other, group, dev);
		if (!wdm_failed(status)) {
			other->nr_groups++;
			group->hw = other;
			*joined = true;
			return STATUS_SUCCESS;
		}
		status = wdm_attach_iommu_group(hw, group, dev);
		if (wdm_failed(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/* Fill a hardware domain that the group is attached to. */
static ntstatus_t wdm_attach_new(struct wdm_domain *domain,
				 struct wdm_group *group, struct wdm_hw *hw)
{
	ntstatus_t status;

	if (!wdm_aperture_fits(domain, &hw->domain->geometry))
		return STATUS_CONFLICTING_ADDRESSES;
	status = wdm_hw_fill(domain, hw);
	if (wdm_failed(status))
		return status;

	hw->nr_groups = 1;
	list_add_tail(&hw->node, &domain->hws);
	group->hw = hw;
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_attach_locked(struct wdm_domain *domain,
				    struct wdm_group *group, struct device *dev,
				    const struct list_head *regions)
{
	struct wdm_hw *hw;
	bool joined;
	ntstatus_t status;

	status = wdm_group_read_resv(group, regions, domain);
	if (wdm_failed(status))
		return status;
	status = wdm_hw_for_group(group, dev, &hw);
	if (wdm_failed(status))
		return status;
	status = wdm_attach_iommu_group(hw, group, dev);
	if (wdm_failed(status))
		goto free;

	/*
	 * Some drivers finish a domain at its first attach, and coherency can
	 * only be enforced between that and the first map.
	 */
	if (hw->domain->ops->enforce_cache_coherency)
		hw->coherent =
			hw->domain->ops->enforce_cache_coherency(hw->domain);
	status = STATUS_NOT_SUPPORTED;
	if (!wdm_hw_usable(hw))
		goto detach;
	status = wdm_hw_prepare(hw, regions);
	if (wdm_failed(status))
		goto detach;

	status = wdm_attach_existing(domain, group, dev, hw, &joined);
	if (!wdm_failed(status) && !joined)
		status = wdm_attach_new(domain, group, hw);
	if (wdm_failed(status))
		goto detach;
	list_add_tail(&group->domain_node, &domain->groups);
	if (joined)
		wdm_hw_destroy(hw);
	return STATUS_SUCCESS;

detach:
	iommu_detach_group(hw->domain, group->iommu_group);
free:
	wdm_hw_destroy(hw);
	return status;
}

/**
 * wdm_domain_attach() - Attach a group
 * @domain: the domain
 * @group: the group, in its blocking domain; its lock is held
 * @dev: a device of the group
 *
 * Makes the checks that VFIO's type1 makes, and fills a hardware domain for the
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

	status = STATUS_CANCELLED;
	if (!wdm_range_lock_all_killable(&domain->ranges, &all)) {
		status = wdm_attach_locked(domain, group, dev, &regions);
		wdm_range_unlock(&domain->ranges, &all);
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
	struct wdm_hw *hw = group->hw;
	struct wdm_range all;

	lockdep_assert_held(&group->lock);

	wdm_range_lock_all(&domain->ranges, &all);
	iommu_detach_group(hw->domain, group->iommu_group);
	list_del_init(&group->domain_node);
	group->hw = NULL;
	if (!--hw->nr_groups) {
		list_del(&hw->node);
		wdm_hw_empty(domain, hw);
		wdm_hw_destroy(hw);
	}
	wdm_range_unlock(&domain->ranges, &all);
	if (trace_wdm_detach_enabled())
		trace_wdm_detach(domain, iommu_group_id(group->iommu_group),
				 STATUS_SUCCESS, wdm_trace_ns(begin));
}

/**
 * wdm_domain_adopt() - Fill an iommu_domain that no group is attached to
 * @domain: the domain
 * @hw_domain: the iommu_domain; the domain's after success
 *
 * For tests, which make iommu_domains by hand.
 *
 * Return: as wdm_domain_attach().
 */
ntstatus_t wdm_domain_adopt(struct wdm_domain *domain,
			    struct iommu_domain *hw_domain)
{
	struct wdm_hw *hw = wdm_hw_create(hw_domain);
	ntstatus_t status = STATUS_CONFLICTING_ADDRESSES;
	struct wdm_range all;

	if (!hw)
		return STATUS_INSUFFICIENT_RESOURCES;

	wdm_range_lock_all(&domain->ranges, &all);
	if (wdm_aperture_fits(domain, &hw_domain->geometry))
		status = wdm_hw_fill(domain, hw);
	if (!wdm_failed(status))
		list_add_tail(&hw->node, &domain->hws);
	wdm_range_unlock(&domain->ranges, &all);

	if (wdm_failed(status))
		kfree(hw);
	return status;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_domain_adopt);

/**
 * wdm_domain_disown() - Empty and free what wdm_domain_adopt() took
 * @domain: the domain
 * @hw_domain: the iommu_domain; gone afterwards
 */
void wdm_domain_disown(struct wdm_domain *domain,
		       struct iommu_domain *hw_domain)
{
	struct wdm_hw *hw, *next;
	struct wdm_range all;

	wdm_range_lock_all(&domain->ranges, &all);
	list_for_each_entry_safe(hw, next, &domain->hws, node) {
		if (hw->domain != hw_domain)
			continue;
		list_del(&hw->node);
		wdm_hw_empty(domain, hw);
		wdm_hw_destroy(hw);
		break;
	}
	wdm_range_unlock(&domain->ranges, &all);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_domain_disown);
