// SPDX-License-Identifier: GPL-2.0
/*
 * Owner and group: who may attach which group.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "owner.h"

/**
 * wdm_owner_create() - Create an owner without groups
 * @killable: a fatal signal ends calls
 *
 * Return: the owner, with one reference; NULL when out of memory.
 */
struct wdm_owner *wdm_owner_create(bool killable)
{
	struct wdm_owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);

	if (!owner)
		return NULL;
	refcount_set(&owner->refs, 1);
	owner->killable = killable;
	mutex_init(&owner->lock);
	INIT_LIST_HEAD(&owner->groups);
	return owner;
}

/**
 * wdm_owner_put() - Drop a reference
 * @owner: the owner; may be freed by this
 */
void wdm_owner_put(struct wdm_owner *owner)
{
	if (!refcount_dec_and_test(&owner->refs))
		return;
	mutex_destroy(&owner->lock);
	kfree(owner);
}

/**
 * wdm_owner_is_closed() - Check whether an owner is closed
 * @owner: the owner
 *
 * Return: true if it is, and gets no more groups.
 */
bool wdm_owner_is_closed(struct wdm_owner *owner)
{
	bool closed;

	mutex_lock(&owner->lock);
	closed = owner->closed;
	mutex_unlock(&owner->lock);
	return closed;
}

/**
 * wdm_owner_add_group() - Hand a group to an owner
 * @owner: the owner
 * @iommu_group: a group in its blocking domain, whose DMA ownership the provider has
 *	claimed
 * @provider: the operations of the provider
 * @provider_data: private to the provider
 * @out: out: the group, with a reference for the provider, which revokes it with
 *	wdm_group_revoke() or, unattached, removes it with wdm_owner_remove_group()
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_DEVICE_STATE if the owner is closed,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_owner_add_group(struct wdm_owner *owner,
			       struct iommu_group *iommu_group,
			       const struct wdm_provider_ops *provider,
			       void *provider_data, struct wdm_group **out)
{
	struct wdm_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	ntstatus_t status = STATUS_INVALID_DEVICE_STATE;

	if (!group)
		return STATUS_INSUFFICIENT_RESOURCES;
	refcount_set(&group->refs, 1);
	mutex_init(&group->lock);
	INIT_LIST_HEAD(&group->devices);
	ida_init(&group->pasids);
	group->provider = provider;
	group->provider_data = provider_data;

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
 * wdm_owner_remove_group() - Take a group from its owner
 * @group: the group; nothing of it is attached, or will be
 *
 * For providers that know this: wdm_group_revoke() makes all attaches of the owner back off,
 * as one of them may hold the lock of the group.
 */
void wdm_owner_remove_group(struct wdm_group *group)
{
	WARN_ON(group->attachment);
	WRITE_ONCE(group->revoked, true);
	mutex_lock(&group->owner->lock);
	list_del_init(&group->owner_node);
	mutex_unlock(&group->owner->lock);
}

/**
 * wdm_owner_find_group() - Find a group of an owner
 * @owner: the owner
 * @iommu_group: the group; only its address is used
 * @provider: the provider of the group; NULL: any provider of whole groups
 *
 * Return: the group, with a reference; NULL if the owner does not have it.
 */
struct wdm_group *wdm_owner_find_group(struct wdm_owner *owner,
				       struct iommu_group *iommu_group,
				       const struct wdm_provider_ops *provider)
{
	struct wdm_group *group, *found = NULL;

	mutex_lock(&owner->lock);
	list_for_each_entry(group, &owner->groups, owner_node) {
		if (group->iommu_group == iommu_group &&
		    (provider ? group->provider == provider : !group->provider->hold)) {
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
 * @group: the group; may be freed by this
 */
void wdm_group_put(struct wdm_group *group)
{
	if (!refcount_dec_and_test(&group->refs))
		return;
	iommu_group_put(group->iommu_group);
	wdm_owner_put(group->owner);
	ida_destroy(&group->pasids);
	mutex_destroy(&group->lock);
	kfree(group);
}

/* The arguments of wdm_group_call() */
struct wdm_group_call {
	struct device *dev;
	void (*fn)(struct device *dev, void *data);
	void *data;
};

static int wdm_group_call_one(struct device *dev, void *data)
{
	const struct wdm_group_call *call = data;

	if (dev != call->dev)
		return 0;
	if (call->fn)
		call->fn(dev, call->data);
	return 1;
}

/**
 * wdm_group_call() - Examine a device while it is part of its IOMMU group
 * @group: the group
 * @dev: a device that was part of it
 * @fn: called with the mutex of the iommu_group held, so the device stays in the group and
 *	keeps its IOMMU. NULL: only check that the device is still there
 * @data: for @fn
 *
 * Return: true; false, without a call of @fn, once the device has been unplugged.
 */
bool wdm_group_call(struct wdm_group *group, struct device *dev,
		    void (*fn)(struct device *dev, void *data), void *data)
{
	struct wdm_group_call call = { .dev = dev, .fn = fn, .data = data };

	return iommu_group_for_each_dev(group->iommu_group, &call, wdm_group_call_one);
}

/**
 * wdm_group_lock() - Lock a group
 * @group: the group
 *
 * Return: STATUS_SUCCESS; STATUS_CANCELLED on a fatal signal, if the owner is killable.
 */
ntstatus_t wdm_group_lock(struct wdm_group *group)
{
	if (!READ_ONCE(group->owner->killable))
		mutex_lock(&group->lock);
	else if (mutex_lock_killable(&group->lock))
		return STATUS_CANCELLED;
	return STATUS_SUCCESS;
}

/**
 * wdm_owner_begin_revoke() - Make attaches of an owner back off
 * @owner: the owner
 */
void wdm_owner_begin_revoke(struct wdm_owner *owner)
{
	/*
	 * Full barrier. Orders the caller's store to ->revoked before the load of the wait
	 * queue in the wake-up; pairs with the barrier of wait_event() in
	 * wdm_group_wait_revokes(), which queues itself before it loads ->revoked.
	 */
	atomic_inc_return(&owner->nr_revoking);
	wake_up_var(&owner->nr_revoking);
}

/**
 * wdm_owner_end_revoke() - Let attaches of an owner proceed
 * @owner: the owner
 */
void wdm_owner_end_revoke(struct wdm_owner *owner)
{
	if (atomic_dec_and_test(&owner->nr_revoking))
		wake_up_var(&owner->nr_revoking);
}

static bool wdm_group_may_attach(struct wdm_group *group)
{
	return READ_ONCE(group->revoked) ||
	       !atomic_read(&group->owner->nr_revoking);
}

/**
 * wdm_group_wait_revokes() - Wait until no group or device of the owner is being revoked
 * @group: the group
 *
 * Context: may sleep; neither the group nor a domain is locked.
 * Return: STATUS_SUCCESS; STATUS_CANCELLED on a fatal signal; STATUS_DEVICE_REMOVED if
 * @group itself is being revoked.
 */
ntstatus_t wdm_group_wait_revokes(struct wdm_group *group)
{
	struct wdm_owner *owner = group->owner;

	if (!READ_ONCE(owner->killable))
		wait_var_event(&owner->nr_revoking,
			       wdm_group_may_attach(group));
	else if (fatal_signal_pending(current) ||
		 wait_var_event_killable(&owner->nr_revoking,
					 wdm_group_may_attach(group)))
		return STATUS_CANCELLED;
	return READ_ONCE(group->revoked) ? STATUS_DEVICE_REMOVED :
					   STATUS_SUCCESS;
}
