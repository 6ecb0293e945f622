// SPDX-License-Identifier: GPL-2.0
/*
 * Provider: VFIO's container, with the module as an IOMMU backend of VFIO.
 *
 * VFIO claims the DMA of the groups in a container and leaves them in their blocking
 * domain. A program binds the container to its file of /dev/wdm_iommu, which hands the
 * groups to that file. When VFIO detaches a group, it is revoked from its owner before VFIO
 * continues.
 *
 * VFIO calls attach_group, detach_group, open and release with its own locks held, but
 * ioctl without any: an ioctl may race with, or follow, the release of the container. So
 * what VFIO stores for us is not a pointer but a number that is not reused soon, and each
 * call looks it up. The core stores the same number.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include <uapi/linux/wdm_iommu.h>

#include "../chardev/owner_fd.h"
#include "../compat/vfio_driver.h"
#include "../core/bus_watch.h"
#include "../core/owner.h"
#include "../core/revoke.h"
#include "container.h"

/**
 * struct wdm_container - a VFIO container that uses this backend
 * @refs: references: of the table and of calls
 * @id: its number
 * @lock: guards the members below
 * @released: VFIO has released it
 * @owner: the owner that it is bound to, or NULL
 * @groups: its groups, as struct wdm_container_group
 */
struct wdm_container {
	refcount_t refs;
	u32 id;
	struct mutex lock;		/* guards the members below */
	bool released;
	struct wdm_owner *owner;
	struct list_head groups;
};

/**
 * struct wdm_container_group - a group of a container
 * @node: in wdm_container.groups
 * @iommu_group: the group; VFIO keeps a reference
 * @group: the group in the hands of the owner; NULL if it has not been handed over
 */
struct wdm_container_group {
	struct list_head node;
	struct iommu_group *iommu_group;
	struct wdm_group *group;
};

/* The containers by number; guarded by the xarray's lock */
static DEFINE_XARRAY_ALLOC1(wdm_containers);
static u32 wdm_containers_next;

static struct wdm_container *wdm_container_get(void *iommu_data)
{
	struct wdm_container *container;

	xa_lock(&wdm_containers);
	container = xa_load(&wdm_containers, (unsigned long)iommu_data);
	if (container)
		refcount_inc(&container->refs);
	xa_unlock(&wdm_containers);
	return container;
}

static void wdm_container_put(struct wdm_container *container)
{
	if (!refcount_dec_and_test(&container->refs))
		return;
	if (container->owner)
		wdm_owner_put(container->owner);
	mutex_destroy(&container->lock);
	kfree(container);
}

static void *wdm_vfio_open(unsigned long arg)
{
	struct wdm_container *container;
	int ret;

	if (arg != WDM_IOMMU_VFIO_IOMMU)
		return ERR_PTR(-EINVAL);
	container = kzalloc(sizeof(*container), GFP_KERNEL_ACCOUNT);
	if (!container)
		return ERR_PTR(-ENOMEM);
	refcount_set(&container->refs, 1);
	mutex_init(&container->lock);
	INIT_LIST_HEAD(&container->groups);

	ret = xa_alloc_cyclic(&wdm_containers, &container->id, container, xa_limit_31b,
			      &wdm_containers_next, GFP_KERNEL_ACCOUNT);
	if (ret < 0) {
		kfree(container);
		return ERR_PTR(ret);
	}
	return (void *)(unsigned long)container->id;
}

/* Revoke a group from the owner, if it has been handed over. */
static void wdm_container_revoke(struct wdm_container_group *cgroup)
{
	if (!cgroup->group)
		return;
	wdm_group_revoke(cgroup->group);
	wdm_group_put(cgroup->group);
	cgroup->group = NULL;
}

static void wdm_vfio_release(void *iommu_data)
{
	struct wdm_container *container;
	struct wdm_container_group *cgroup, *next;

	container = xa_erase(&wdm_containers, (unsigned long)iommu_data);
	mutex_lock(&container->lock);
	container->released = true;
	list_for_each_entry_safe(cgroup, next, &container->groups, node) {
		list_del(&cgroup->node);
		wdm_container_revoke(cgroup);
		kfree(cgroup);
	}
	mutex_unlock(&container->lock);
	wdm_container_put(container);
}

/* The owner that the container is bound to has been closed. */
static void wdm_container_forget(struct wdm_group *group)
{
	struct wdm_container *container = wdm_container_get(group->provider_data);
	struct wdm_container_group *cgroup;

	/* If the container was released, its groups have been revoked. */
	if (!container)
		return;
	mutex_lock(&container->lock);
	list_for_each_entry(cgroup, &container->groups, node) {
		if (cgroup->group == group) {
			wdm_group_put(group);
			cgroup->group = NULL;
		}
	}
	mutex_unlock(&container->lock);
	wdm_container_put(container);
}

static const struct wdm_provider_ops wdm_container_provider = {
	.forget = wdm_container_forget,
};

/* Get the first container whose number is at least @id, with a reference. */
static struct wdm_container *wdm_container_next(unsigned long id)
{
	struct wdm_container *container;

	xa_lock(&wdm_containers);
	container = xa_find(&wdm_containers, &id, ULONG_MAX, XA_PRESENT);
	if (container)
		refcount_inc(&container->refs);
	xa_unlock(&wdm_containers);
	return container;
}

/*
 * The driver of a device is unbound, or it has none and is deleted, but VFIO keeps its group for
 * other devices in it. VFIO detaches whole groups only, so revoke this device here.
 */
static void wdm_container_revoke_device(struct device *dev)
{
	struct wdm_container_group *cgroup;
	struct wdm_container *container;
	unsigned long id = 0;

	if (!device_iommu_mapped(dev))
		return;
	while ((container = wdm_container_next(id))) {
		mutex_lock(&container->lock);
		list_for_each_entry(cgroup, &container->groups, node)
			if (cgroup->group)
				wdm_group_revoke_device(cgroup->group, dev);
		mutex_unlock(&container->lock);
		id = container->id + 1UL;
		wdm_container_put(container);
	}
}

static int wdm_container_bus_notify(struct notifier_block *nb, unsigned long action,
				    void *data)
{
	struct device *dev = data;

	/*
	 * A device whose probe fails has a driver until then, and is not unbound from it. Once it
	 * is being deleted, no other probe begins.
	 */
	if (action == BUS_NOTIFY_UNBOUND_DRIVER ||
	    (action == BUS_NOTIFY_DEL_DEVICE && !READ_ONCE(dev->driver)))
		wdm_container_revoke_device(dev);
	return NOTIFY_DONE;
}

static struct wdm_bus_watch wdm_container_watch;

static ntstatus_t wdm_container_hand_over(struct wdm_container *container,
					  struct wdm_container_group *cgroup)
{
	return wdm_owner_add_group(container->owner, cgroup->iommu_group,
				   &wdm_container_provider,
				   (void *)(unsigned long)container->id,
				   &cgroup->group);
}

static int wdm_vfio_attach_group(void *iommu_data, struct iommu_group *group,
				 enum vfio_group_type type)
{
	struct wdm_container_group *cgroup;
	struct wdm_container *container;
	int ret = 0;

	/* Mediated devices, and devices in no-IOMMU mode, have no IOMMU to program. */
	if (type != VFIO_IOMMU)
		return -EOPNOTSUPP;
	cgroup = kzalloc(sizeof(*cgroup), GFP_KERNEL_ACCOUNT);
	if (!cgroup)
		return -ENOMEM;
	cgroup->iommu_group = group;

	container = wdm_container_get(iommu_data);
	mutex_lock(&container->lock);
	list_add_tail(&cgroup->node, &container->groups);
	/* A closed owner gets no more groups. That is not an error of VFIO's call. */
	if (container->owner &&
	    wdm_container_hand_over(container, cgroup) ==
	    STATUS_INSUFFICIENT_RESOURCES) {
		list_del(&cgroup->node);
		kfree(cgroup);
		ret = -ENOMEM;
	}
	mutex_unlock(&container->lock);
	wdm_container_put(container);
	return ret;
}

static void wdm_vfio_detach_group(void *iommu_data, struct iommu_group *group)
{
	struct wdm_container *container = wdm_container_get(iommu_data);
	struct wdm_container_group *cgroup, *next;

	mutex_lock(&container->lock);
	list_for_each_entry_safe(cgroup, next, &container->groups, node) {
		if (cgroup->iommu_group != group)
			continue;
		list_del(&cgroup->node);
		wdm_container_revoke(cgroup);
		kfree(cgroup);
	}
	mutex_unlock(&container->lock);
	wdm_container_put(container);
}

/* On success the container takes over the reference to @owner. */
static ntstatus_t wdm_container_bind(struct wdm_container *container,
				     struct wdm_owner *owner)
{
	struct wdm_container_group *cgroup;
	ntstatus_t status = STATUS_SUCCESS;

	if (container->released)
		return STATUS_INVALID_DEVICE_STATE;
	if (container->owner && !wdm_owner_is_closed(container->owner))
		return STATUS_RESOURCE_IN_USE;

	if (container->owner)
		wdm_owner_put(container->owner);
	container->owner = owner;
	list_for_each_entry(cgroup, &container->groups, node) {
		/* The close of the old owner may not have reached the group yet. */
		wdm_container_revoke(cgroup);
		status = wdm_container_hand_over(container, cgroup);
		if (!wdm_ok(status))
			break;
	}
	if (wdm_ok(status))
		return status;

	list_for_each_entry(cgroup, &container->groups, node)
		wdm_container_revoke(cgroup);
	container->owner = NULL;
	return status;
}

static ntstatus_t wdm_vfio_do_bind(void *iommu_data,
				   const struct wdm_iommu_vfio_bind *arg)
{
	struct wdm_container *container;
	struct wdm_owner *owner;
	ntstatus_t status;

	if (arg->flags)
		return STATUS_INVALID_PARAMETER;
	container = wdm_container_get(iommu_data);
	if (!container)
		return STATUS_INVALID_DEVICE_STATE;
	owner = wdm_chardev_owner_get(arg->fd);
	if (!owner) {
		wdm_container_put(container);
		return STATUS_INVALID_HANDLE;
	}

	status = STATUS_CANCELLED;
	if (!mutex_lock_killable(&container->lock)) {
		status = wdm_container_bind(container, owner);
		mutex_unlock(&container->lock);
	}
	if (!wdm_ok(status))
		wdm_owner_put(owner);
	wdm_container_put(container);
	return status;
}

static long wdm_vfio_bind(void *iommu_data,
			  struct wdm_iommu_vfio_bind __user *uarg)
{
	const size_t min_size = offsetofend(struct wdm_iommu_vfio_bind, flags);
	struct wdm_iommu_vfio_bind arg;
	ntstatus_t status;
	u32 usize;
	int ret;

	if (get_user(usize, &uarg->size))
		return -EFAULT;
	if (usize < min_size)
		return -EINVAL;
	ret = usize > PAGE_SIZE ? -E2BIG :
	      copy_struct_from_user(&arg, sizeof(arg), uarg, usize);
	if (ret && ret != -E2BIG)
		return ret;
	if (put_user((__force u32)STATUS_UNSUCCESSFUL, &uarg->status))
		return -EFAULT;

	status = ret ? STATUS_REVISION_MISMATCH :
		       wdm_vfio_do_bind(iommu_data, &arg);
	if (put_user((__force u32)status, &uarg->status))
		return -EFAULT;
	return wdm_status_to_errno(status);
}

static long wdm_vfio_ioctl(void *iommu_data, unsigned int cmd,
			   unsigned long arg)
{
	switch (cmd) {
	case VFIO_CHECK_EXTENSION:
		return arg == WDM_IOMMU_VFIO_IOMMU;
	case WDM_IOMMU_VFIO_BIND:
		return wdm_vfio_bind(iommu_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct vfio_iommu_driver_ops wdm_vfio_ops = {
	.name = "wdm-iommu",
	.owner = THIS_MODULE,
	.open = wdm_vfio_open,
	.release = wdm_vfio_release,
	.ioctl = wdm_vfio_ioctl,
	.attach_group = wdm_vfio_attach_group,
	.detach_group = wdm_vfio_detach_group,
};

/**
 * wdm_vfio_init() - Register with VFIO, and for unbinds of drivers
 *
 * Return: 0 or a negative errno.
 */
int wdm_vfio_init(void)
{
	int ret = wdm_bus_watch(&wdm_container_watch, wdm_container_bus_notify);

	if (ret)
		return ret;
	ret = vfio_register_iommu_driver(&wdm_vfio_ops);
	if (ret)
		wdm_bus_unwatch(&wdm_container_watch);
	return ret;
}

/**
 * wdm_vfio_exit() - Undo wdm_vfio_init(); no container is open
 */
void wdm_vfio_exit(void)
{
	vfio_unregister_iommu_driver(&wdm_vfio_ops);
	wdm_bus_unwatch(&wdm_container_watch);
}
