// SPDX-License-Identifier: GPL-2.0
/*
 * Owner and group: whose DMA may be attached by whom.
 */
#include <linux/slab.h>

#include "owner.h"

/**
 * wdm_owner_create() - Make an owner without groups
 *
 * Return: the owner, with one reference; NULL when out of memory.
 */
struct wdm_owner *wdm_owner_create(void)
{
	struct wdm_owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);

	if (!owner)
		return NULL;
	refcount_set(&owner->refs, 1);
	mutex_init(&owner->lock);
	INIT_LIST_HEAD(&owner->groups);
	return owner;
}

/**
 * wdm_owner_put() - Drop a reference
 * @owner: the owner; may be gone afterwards
 */
void wdm_owner_put(struct wdm_owner *owner)
{
	if (!refcount_dec_and_test(&owner->refs))
		return;
	mutex_destroy(&owner->lock);
	kfree(owner);
}

/**
 * wdm_owner_add_group() - Hand a group to an owner
 * @owner: the owner
 * @iommu_group: a group whose DMA ownership the door has claimed, and which
 *	stands in its blocking domain
 * @out: out: the group, with a reference for the door, which ends the handover
 *	with wdm_group_revoke()
 *
 * Return: STATUS_INVALID_DEVICE_STATE if the owner is gone,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_owner_add_group(struct wdm_owner *owner,
			       struct iommu_group *iommu_group,
			       struct wdm_group **out)
{
	struct wdm_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	ntstatus_t status = STATUS_INVALID_DEVICE_STATE;

	if (!group)
		return STATUS_INSUFFICIENT_RESOURCES;
	refcount_set(&group->refs, 1);
	mutex_init(&group->lock);
	INIT_LIST_HEAD(&group->devices);
	INIT_LIST_HEAD(&group->domain_node);

	mutex_lock(&owner->lock);
	if (!owner->closed) {
		refcount_inc(&owner->refs);
		group->owner = owner;
		group->iommu_group = iommu_group_ref_get(iommu_group);
		list_add_tail(&group->owner_node, &owner->groups);
		status = STATUS_SUCCESS;
	}
	mutex_unlock(&owner->lock);

	if (!wdm_ok(status))
		kfree(group);
	else
		*out = group;
	return status;
}

/**
 * wdm_owner_find_group() - Has this group been handed to this owner?
 * @owner: the owner
 * @iommu_group: the group
 *
 * Return: the group, with a reference; NULL if it has not.
 */
struct wdm_group *wdm_owner_find_group(struct wdm_owner *owner,
				       struct iommu_group *iommu_group)
{
	struct wdm_group *group, *found = NULL;

	mutex_lock(&owner->lock);
	list_for_each_entry(group, &owner->groups, owner_node) {
		if (group->iommu_group == iommu_group) {
			refcount_inc(&group->refs);
			found = group;
			break;
		}
	}
	mutex_unlock(&owner->lock);
	return found;
}

/**
 * wdm_group_put() - Drop a reference
 * @group: the group; may be gone afterwards
 */
void wdm_group_put(struct wdm_group *group)
{
	if (!refcount_dec_and_test(&group->refs))
		return;
	iommu_group_put(group->iommu_group);
	wdm_owner_put(group->owner);
	mutex_destroy(&group->lock);
	wdm_resv_destroy(&group->resv);
	kfree(group);
}

static int wdm_is_device(struct device *dev, void *data)
{
	return dev == data;
}

/**
 * wdm_group_has() - Is a device still part of its IOMMU group?
 * @group: the group
 * @dev: a device that was
 *
 * Return: whether it is; it is not after it was unplugged.
 */
bool wdm_group_has(struct wdm_group *group, struct device *dev)
{
	return iommu_group_for_each_dev(group->iommu_group, dev, wdm_is_device);
}
