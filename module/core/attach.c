// SPDX-License-Identifier: GPL-2.0
/*
 * Attach and detach: move groups and PASIDs into and out of the hwpts of domains.
 */
#include <linux/iommu.h>
#include <linux/slab.h>

#include "attach.h"
#include "fault.h"
#include "policy.h"
#include "quirks.h"
#include "trace.h"

/*
 * Do not share the iommu_domain of a group with IOMMU_RESV_DIRECT regions: the
 * firmware's mappings must not be visible to other groups.
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
 * Map the regions that the firmware requires, and set up the window of software MSIs.
 * Neither is ever undone: both live as long as the iommu_domain.
 */
static ntstatus_t wdm_hwpt_map_regions(struct wdm_hwpt *hwpt,
				       const struct list_head *regions)
{
	const struct iommu_resv_region *region;
	int ret;

	hwpt->exclusive = wdm_regions_exclusive(regions);
	list_for_each_entry(region, regions, list) {
		ret = 0;
		if (region->type == IOMMU_RESV_SW_MSI && !hwpt->sw_msi) {
			ret = iommu_get_msi_cookie(hwpt->domain, region->start);
			/* Not every IOMMU driver needs a cookie. */
			if (ret == -ENODEV)
				ret = 0;
			hwpt->sw_msi = !ret;
		} else if (region->type == IOMMU_RESV_DIRECT) {
			ret = iommu_map(hwpt->domain, region->start,
					region->start, region->length,
					region->prot, GFP_KERNEL_ACCOUNT);
		}
		if (ret)
			return wdm_status_from_driver(ret);
	}
	return STATUS_SUCCESS;
}

/* Allocate an iommu_domain for a device, and record what its IOMMU driver does. */
static void wdm_hwpt_probe(struct device *dev, void *data)
{
	struct wdm_hwpt *hwpt = data;

	/* Non-coherent DMA is not supported: all maps use IOMMU_CACHE. */
	hwpt->domain = ERR_PTR(-EOPNOTSUPP);
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return;
	hwpt->domain = hwpt->pasids ? wdm_pasid_domain_alloc(dev) :
				      iommu_paging_domain_alloc(dev);
	hwpt->coherent = wdm_can_enforce_coherency(dev);
	hwpt->unmap_exact = wdm_quirk_unmaps_exact(dev);
	hwpt->reports_faults = wdm_quirk_reports_faults(dev);
}

/* Create a hwpt for an attachment, without attaching anything to it. */
static ntstatus_t wdm_hwpt_for(struct wdm_attachment *attachment,
			       struct wdm_hwpt **out)
{
	struct wdm_hwpt *hwpt = wdm_hwpt_create(NULL, attachment->domain->gfp);
	ntstatus_t status = STATUS_DEVICE_REMOVED;

	if (!hwpt)
		return STATUS_INSUFFICIENT_RESOURCES;
	hwpt->pasids = attachment->pasid != WDM_NO_PASID ||
		       attachment->domain->type == WDM_TYPE_TRANSLATE_S1;
	if (wdm_group_call(attachment->group, attachment->dev, wdm_hwpt_probe, hwpt))
		status = wdm_status_from_driver(PTR_ERR_OR_ZERO(hwpt->domain));
	if (!wdm_ok(status)) {
		kfree(hwpt);
		return status;
	}
	if (hwpt->reports_faults)
		wdm_fault_prepare(hwpt->domain);
	*out = hwpt;
	return STATUS_SUCCESS;
}

/*
 * Attach a group or a PASID to the iommu_domain of a hwpt. Do not even try if hot-unplug
 * has taken the last device of the group.
 */
static ntstatus_t wdm_attachment_enter(struct wdm_attachment *attachment,
				       struct wdm_hwpt *hwpt)
{
	struct wdm_group *group = attachment->group;
	int ret;

	if (!wdm_group_has(group, attachment->dev))
		return STATUS_DEVICE_REMOVED;
	if (attachment->pasid == WDM_NO_PASID)
		ret = iommu_attach_group(hwpt->domain, group->iommu_group);
	else
		ret = iommu_attach_device_pasid(hwpt->domain, attachment->dev,
						attachment->pasid, NULL);
	if (!ret)
		attachment->hwpt = hwpt;
	/* -EINVAL: the device and the iommu_domain are incompatible. */
	return ret == -EINVAL ? STATUS_NOT_SUPPORTED :
				wdm_status_from_driver(ret);
}

static int wdm_get_first_device(struct device *dev, void *data)
{
	*(struct device **)data = get_device(dev);
	return 1;
}

/*
 * Linux attaches a PASID to all devices of the group and accepts any of them for the
 * detach. The attached one cannot leave the group now: its removal first waits for the lock of
 * the group, to revoke it. After an unplug it has no group, so use another one.
 */
static void wdm_attachment_leave_pasid(struct wdm_attachment *attachment)
{
	struct iommu_group *iommu_group = attachment->group->iommu_group;
	struct device *dev = NULL;

	if (wdm_group_has(attachment->group, attachment->dev))
		dev = get_device(attachment->dev);
	else
		iommu_group_for_each_dev(iommu_group, &dev, wdm_get_first_device);
	if (!dev)
		return;
	iommu_detach_device_pasid(attachment->hwpt->domain, dev, attachment->pasid);
	put_device(dev);
}

/* Detach a group or a PASID; its DMA is blocked. */
static void wdm_attachment_leave(struct wdm_attachment *attachment)
{
	if (attachment->pasid == WDM_NO_PASID)
		iommu_detach_group(attachment->hwpt->domain,
				   attachment->group->iommu_group);
	else
		wdm_attachment_leave_pasid(attachment);
	attachment->hwpt = NULL;
}

static void wdm_attachment_destroy(struct wdm_attachment *attachment)
{
	wdm_resv_destroy(&attachment->resv);
	kfree(attachment);
}

/*
 * IOMMUs of one driver may differ. Some drivers attach a device behind a less capable one to
 * an iommu_domain in use, and restrict that, or leave large pages in it that this IOMMU does
 * not have.
 */
static bool wdm_hwpt_can_share(const struct wdm_hwpt *a, const struct wdm_hwpt *b)
{
	return !a->exclusive && !b->exclusive &&
	       a->domain->ops == b->domain->ops && a->coherent == b->coherent &&
	       a->domain->pgsize_bitmap == b->domain->pgsize_bitmap &&
	       wdm_iova_range_same(&a->aperture, &b->aperture) &&
	       a->sw_msi == b->sw_msi && a->pasids == b->pasids;
}

/*
 * If the domain has a compatible hwpt already, move the attachment there from @hwpt,
 * which is new. On success the attachment is in one of the two, on failure in none.
 */
static ntstatus_t wdm_attach_existing(struct wdm_attachment *attachment,
				      struct wdm_hwpt *hwpt)
{
	struct wdm_hwpt *other;
	ntstatus_t status;

	list_for_each_entry(other, &attachment->domain->hwpts, node) {
		if (!wdm_hwpt_can_share(other, hwpt))
			continue;
		wdm_attachment_leave(attachment);
		status = wdm_attachment_enter(attachment, other);
		if (wdm_ok(status))
			return status;
		status = wdm_attachment_enter(attachment, hwpt);
		if (!wdm_ok(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/* Complete a new hwpt after its first attach. */
static ntstatus_t wdm_hwpt_finish(struct wdm_hwpt *hwpt,
				  const struct list_head *regions)
{
	const struct iommu_domain_ops *ops = hwpt->domain->ops;

	/*
	 * Some drivers finalize a domain at its first attach. Coherency can be enforced
	 * only between that attach and the first map. Intel's driver looks at the IOMMUs of
	 * attached devices for that, but not of PASIDs.
	 */
	hwpt->aperture = wdm_quirk_aperture(hwpt->domain);
	if (hwpt->coherent)
		hwpt->coherent = ops->enforce_cache_coherency &&
				 ops->enforce_cache_coherency(hwpt->domain);
	if (!(hwpt->domain->pgsize_bitmap & PAGE_SIZE))
		return STATUS_NOT_SUPPORTED;
	return wdm_hwpt_map_regions(hwpt, regions);
}

/*
 * Intel's driver enforces coherency for devices that are attached, but not for PASIDs: those
 * get it when they are attached. So attach the first one of an iommu_domain once more.
 */
static ntstatus_t wdm_attachment_enforce(struct wdm_attachment *attachment,
					 struct wdm_hwpt *hwpt)
{
	if (attachment->pasid == WDM_NO_PASID || attachment->hwpt != hwpt || !hwpt->coherent)
		return STATUS_SUCCESS;
	wdm_attachment_leave(attachment);
	return wdm_attachment_enter(attachment, hwpt);
}

/* Attach to @hwpt, which is new, or to a compatible one of the domain. */
static ntstatus_t wdm_attach_hwpt(struct wdm_attachment *attachment,
				  struct wdm_hwpt *hwpt,
				  const struct list_head *regions)
{
	ntstatus_t status;

	status = wdm_attachment_enter(attachment, hwpt);
	if (wdm_ok(status))
		status = wdm_hwpt_finish(hwpt, regions);
	if (wdm_ok(status))
		status = wdm_attach_existing(attachment, hwpt);
	if (wdm_ok(status))
		status = wdm_attachment_enforce(attachment, hwpt);
	if (wdm_ok(status))
		status = wdm_domain_join(attachment);
	if (wdm_ok(status)) {
		status = wdm_domain_fill(attachment);
		if (wdm_ok(status))
			return status;
		/* Only a new hwpt is filled, so this one is not shared. */
		wdm_attachment_leave(attachment);
		wdm_domain_leave(attachment, hwpt);
	} else if (attachment->hwpt) {
		wdm_attachment_leave(attachment);
	}
	return status;
}

/* Return: STATUS_CANCELLED also without a fatal signal, if the attach backed off. */
static ntstatus_t wdm_attach_once(struct wdm_attachment *attachment,
				  const struct list_head *regions)
{
	struct wdm_domain *domain = attachment->domain;
	struct wdm_hwpt *hwpt = NULL;
	struct wdm_range all;
	ntstatus_t status;

	status = wdm_range_lock_all_unless(&domain->ranges, &all, domain->killable,
					   &attachment->group->owner->nr_revoking);
	if (!wdm_ok(status))
		return status;
	status = wdm_allowed_reserve(domain, &attachment->resv);
	if (wdm_ok(status))
		status = wdm_hwpt_for(attachment, &hwpt);
	if (wdm_ok(status))
		status = wdm_attach_hwpt(attachment, hwpt, regions);
	wdm_domain_unlock(domain, &all);
	/* The attach failed, or an existing hwpt serves as well. */
	if (hwpt && attachment->hwpt != hwpt)
		wdm_hwpt_destroy(hwpt);
	return status;
}

static ntstatus_t wdm_attach_regions(struct wdm_domain *domain,
				     struct wdm_group *group,
				     struct device *dev, u32 pasid,
				     const struct list_head *regions,
				     struct wdm_attachment **out)
{
	struct wdm_attachment *attachment = kzalloc(sizeof(*attachment), GFP_KERNEL_ACCOUNT);
	ntstatus_t status;

	if (!attachment)
		return STATUS_INSUFFICIENT_RESOURCES;
	attachment->domain = domain;
	attachment->group = group;
	attachment->dev = dev;
	attachment->pasid = pasid;
	status = wdm_resv_init(&attachment->resv, regions);
	if (wdm_ok(status))
		status = wdm_attach_once(attachment, regions);
	if (wdm_ok(status))
		*out = attachment;
	else
		wdm_attachment_destroy(attachment);
	return status;
}

/**
 * wdm_attach() - Attach a group, or a PASID of a device, to a domain
 * @domain: the domain
 * @group: the group, in its blocking domain
 * @dev: a device of the group
 * @pasid: a PASID of @dev; WDM_NO_PASID: attach the group
 * @out: out: the attachment, for wdm_detach()
 *
 * Performs the checks of VFIO's type1, and maps the contents of the domain in a hwpt for
 * the group. Has no effect on failure.
 *
 * Backs off while a provider revokes a group or a device of the same owner, which may be
 * @group itself. The caller then unlocks the group and asks wdm_attach_again() whether to
 * retry.
 *
 * Context: may sleep; wdm_group.lock is held.
 * Return: see &struct wdm_iommu_attach; STATUS_CANCELLED also if it backed off.
 */
ntstatus_t wdm_attach(struct wdm_domain *domain, struct wdm_group *group,
		      struct device *dev, u32 pasid,
		      struct wdm_attachment **out)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_attach);
	ntstatus_t status = STATUS_SUCCESS;
	LIST_HEAD(regions);

	lockdep_assert_held(&group->lock);

	if (!wdm_policy_allows(WDM_POLICY_UNSAFE_INTERRUPTS) &&
	    !iommu_group_has_isolated_msi(group->iommu_group)) {
		dev_notice_ratelimited(dev,
				       "interrupts are not isolated; see the module's parameter allow_unsafe_interrupts\n");
		return STATUS_ACCESS_DENIED;
	}

	/*
	 * The regions apply to requests without a PASID only. On failure the list may
	 * hold some regions, too.
	 */
	if (pasid == WDM_NO_PASID)
		status = wdm_status_from_driver(iommu_get_group_resv_regions(group->iommu_group,
									     &regions));
	if (wdm_ok(status))
		status = wdm_attach_regions(domain, group, dev, pasid, &regions,
					    out);
	wdm_free_regions(&regions);
	if (trace_wdm_attach_enabled())
		trace_wdm_attach(domain, iommu_group_id(group->iommu_group),
				 status, wdm_trace_ns(begin));
	return status;
}

/**
 * wdm_attach_again() - Check whether to retry an attach that backed off
 * @domain: the domain
 * @group: the group, not locked by the caller
 * @status: in: status of the attach; out: status of the call, unless it is retried
 *
 * Waits until no group or device of the owner is being revoked.
 *
 * Context: may sleep.
 * Return: true if the caller has to retry.
 */
bool wdm_attach_again(struct wdm_domain *domain, struct wdm_group *group,
		      ntstatus_t *status)
{
	if (*status != STATUS_CANCELLED || wdm_domain_cancelled(domain))
		return false;
	*status = wdm_group_wait_revokes(group);
	return wdm_ok(*status);
}

/**
 * wdm_detach() - Detach a group, or a PASID of a device
 * @attachment: the attachment; freed on success
 * @killable: a fatal signal ends the wait, if the domain is killable
 *
 * Takes priority over other calls that wait for the domain, because a revocation of the
 * group waits for wdm_group.lock. A program cannot starve others this way: its attaches
 * wait for their turn.
 *
 * When it returns, the group is in its blocking domain. The time does not depend on how
 * much is mapped: the driver frees the translations of the hwpt with the iommu_domain,
 * after the domain is unlocked, as with VFIO's type1.
 *
 * Context: may sleep; wdm_group.lock is held.
 * Return: STATUS_SUCCESS; STATUS_CANCELLED on a fatal signal.
 */
ntstatus_t wdm_detach(struct wdm_attachment *attachment, bool killable)
{
	u64 begin = WDM_TRACE_BEGIN(wdm_detach);
	struct wdm_domain *domain = attachment->domain;
	struct wdm_hwpt *hwpt = attachment->hwpt;
	struct wdm_range all;
	ntstatus_t status;
	bool last;

	lockdep_assert_held(&attachment->group->lock);

	status = wdm_range_lock_urgent(&domain->ranges, &all, killable && domain->killable);
	if (!wdm_ok(status))
		return status;
	wdm_attachment_leave(attachment);
	wdm_domain_leave(attachment, hwpt);
	last = !hwpt->users;
	atomic_sub(attachment->nr_devices, &domain->nr_devices);
	/* Once it is unlocked, the domain may be deleted. */
	if (trace_wdm_detach_enabled())
		trace_wdm_detach(domain,
				 iommu_group_id(attachment->group->iommu_group),
				 STATUS_SUCCESS, wdm_trace_ns(begin));
	wdm_domain_unlock(domain, &all);
	if (last)
		wdm_hwpt_destroy(hwpt);
	wdm_attachment_destroy(attachment);
	return STATUS_SUCCESS;
}
