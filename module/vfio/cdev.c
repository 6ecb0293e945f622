// SPDX-License-Identifier: GPL-2.0
/*
 * Provider: VFIO's device cdevs (/dev/vfio/devices/vfioN), bound to an iommufd.
 *
 * The iommufd claims the DMA of the device's group and leaves the group in its blocking
 * domain as long as the program attaches no page table of its own. The claim ends when
 * the file that the program has bound is released, and VFIO tells nobody. So the core
 * holds this file while the device is attached. In between, a handle only names the
 * device: an attach looks for the file among those that the calling process has open,
 * so it is never another program's.
 *
 * VFIO's driver waits for the release of all files before it is unbound, so when that
 * begins, the device is taken back and the file dropped.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "../compat/vfio_cdev.h"
#include "../core/bus_watch.h"
#include "../core/device.h"
#include "cdev.h"

/**
 * struct wdm_cdev_group - a group, devices of which an owner has been handed
 * @node: in wdm_cdev_groups
 * @group: the group; the provider's reference
 */
struct wdm_cdev_group {
	struct list_head node;
	struct wdm_group *group;
};

/*
 * Guards the list, and the devices whose driver is being unbound, by their address. Held
 * while a device is taken back.
 */
static DEFINE_MUTEX(wdm_cdev_lock);
static LIST_HEAD(wdm_cdev_groups);
static DEFINE_XARRAY(wdm_cdev_unbinds);

static ntstatus_t wdm_cdev_check(struct file *file, struct vfio_device *vdev)
{
	int bound = wdm_vfio_cdev_is_bound(file);

	if (bound < 0)
		return wdm_status_from_errno(bound);
	if (!bound) {
		/* The bit may change: it only chooses between two refusals. */
		return data_race(vfio_device_cdev_opened(vdev)) ?
		       STATUS_ACCESS_DENIED : STATUS_INVALID_DEVICE_STATE;
	}
	/* Mediated devices and VFIO's no-IOMMU mode have no IOMMU to program. */
	if (!vfio_iommufd_device_ictx(vdev) ||
	    !device_iommu_capable(vdev->dev, IOMMU_CAP_CACHE_COHERENCY))
		return STATUS_NOT_SUPPORTED;
	/* Nobody tells of unbinds on other buses. */
	return wdm_bus_is_watched(vdev->dev) ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

static bool wdm_cdev_is_for(struct file *file, const struct device *dev)
{
	struct vfio_device *vdev = wdm_vfio_cdev_device(file);

	return vdev && vdev->dev == dev;
}

/* For iterate_fd(): ends it with a number above that of the file descriptor. */
static int wdm_cdev_match(const void *dev, struct file *file, unsigned int fd)
{
	return wdm_cdev_is_for(file, dev) ? fd + 1 : 0;
}

/* Hold the file that the device is bound through, if the calling process has it open. */
static ntstatus_t wdm_cdev_hold(struct device *dev, void **hold)
{
	ntstatus_t status = STATUS_DEVICE_REMOVED;
	struct file *file;
	int next = 0;

	while (!fatal_signal_pending(current)) {
		next = iterate_fd(current->files, next, wdm_cdev_match, dev);
		if (!next)
			return status;
		/* The descriptor may lead to another file by now. */
		file = fget(next - 1);
		if (!file)
			continue;
		if (wdm_cdev_is_for(file, dev)) {
			status = wdm_cdev_check(file, wdm_vfio_cdev_device(file));
			if (wdm_ok(status)) {
				*hold = file;
				return status;
			}
		}
		fput(file);
	}
	return STATUS_CANCELLED;
}

/* fput() has a program's last file released when the call returns, without locks. */
static void wdm_cdev_unhold(void *hold)
{
	fput(hold);
}

static void wdm_cdev_forget(struct wdm_group *group)
{
	struct wdm_cdev_group *cgroup = group->provider_data;

	mutex_lock(&wdm_cdev_lock);
	list_del(&cgroup->node);
	mutex_unlock(&wdm_cdev_lock);
	wdm_group_put(group);
	kfree(cgroup);
}

static const struct wdm_provider_ops wdm_cdev_provider = {
	.forget = wdm_cdev_forget,
	.hold = wdm_cdev_hold,
	.unhold = wdm_cdev_unhold,
};

static ntstatus_t wdm_cdev_add_group(struct wdm_owner *owner,
				     struct iommu_group *iommu_group,
				     struct wdm_group **out)
{
	struct wdm_cdev_group *cgroup = kzalloc(sizeof(*cgroup), GFP_KERNEL_ACCOUNT);
	ntstatus_t status;

	if (!cgroup)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = wdm_owner_add_group(owner, iommu_group, &wdm_cdev_provider, cgroup,
				     &cgroup->group);
	if (!wdm_ok(status)) {
		kfree(cgroup);
		return status;
	}
	list_add_tail(&cgroup->node, &wdm_cdev_groups);
	refcount_inc(&cgroup->group->refs);
	*out = cgroup->group;
	return STATUS_SUCCESS;
}

/* The owner's group, with a reference; it stays with the owner until that is closed. */
static ntstatus_t wdm_cdev_group_get(struct wdm_owner *owner,
				     struct iommu_group *iommu_group,
				     struct wdm_group **out)
{
	ntstatus_t status = STATUS_SUCCESS;

	if (mutex_lock_killable(&wdm_cdev_lock))
		return STATUS_CANCELLED;
	*out = wdm_owner_find_group(owner, iommu_group, &wdm_cdev_provider);
	if (!*out)
		status = wdm_cdev_add_group(owner, iommu_group, out);
	mutex_unlock(&wdm_cdev_lock);
	return status;
}

/*
 * If the unbind began before the device was in its group, nobody has taken it back. The
 * lock makes the unbind find the device, or this find the unbind.
 */
static ntstatus_t wdm_cdev_check_unbind(struct wdm_group *group, struct device *dev)
{
	bool unbinding;

	if (mutex_lock_killable(&wdm_cdev_lock))
		return STATUS_CANCELLED;
	unbinding = xa_load(&wdm_cdev_unbinds, (unsigned long)dev);
	mutex_unlock(&wdm_cdev_lock);
	if (!unbinding)
		return STATUS_SUCCESS;
	/* Nobody can have attached it yet, so nothing is held. */
	wdm_group_revoke_device(group, dev);
	return STATUS_DEVICE_REMOVED;
}

static ntstatus_t wdm_cdev_create(struct wdm_owner *owner, struct device *dev,
				  struct wdm_device **out)
{
	struct iommu_group *iommu_group = iommu_group_get(dev);
	struct wdm_group *group;
	ntstatus_t status;

	if (!iommu_group)
		return STATUS_NOT_FOUND;
	status = wdm_cdev_group_get(owner, iommu_group, &group);
	iommu_group_put(iommu_group);
	if (!wdm_ok(status))
		return status;
	status = wdm_device_create(group, dev, out);
	if (wdm_ok(status))
		status = wdm_cdev_check_unbind(group, dev);
	wdm_group_put(group);
	return status;
}

/**
 * wdm_cdev_device_create() - Make an IOMMU_DMA_DEVICE of a VFIO device cdev
 * @owner: the owner
 * @fd: the cdev, as a file descriptor of the calling process
 * @out: out: the device; may have been created even on failure
 *
 * Context: may sleep; no lock is held.
 * Return: see &struct wdm_iommu_device_create.
 */
ntstatus_t wdm_cdev_device_create(struct wdm_owner *owner, int fd, struct wdm_device **out)
{
	struct file *file = fget(fd);
	struct vfio_device *vdev;
	ntstatus_t status;

	if (!file)
		return STATUS_INVALID_HANDLE;
	vdev = wdm_vfio_cdev_device(file);
	status = vdev ? wdm_cdev_check(file, vdev) : STATUS_OBJECT_TYPE_MISMATCH;
	if (wdm_ok(status))
		status = wdm_cdev_create(owner, vdev->dev, out);
	fput(file);
	return status;
}

/*
 * Take a device back from all owners. A device is bound through at most one file, so every
 * owner holds the same one.
 */
static struct file *wdm_cdev_revoke(struct device *dev)
{
	struct wdm_cdev_group *cgroup;
	struct file *file = NULL;

	lockdep_assert_held(&wdm_cdev_lock);
	list_for_each_entry(cgroup, &wdm_cdev_groups, node) {
		void *hold = wdm_group_revoke_device(cgroup->group, dev);

		if (file && hold)
			fput(hold);
		else
			file = hold ?: file;
	}
	return file;
}

static void wdm_cdev_begin_unbind(struct device *dev)
{
	struct file *file;

	if (!device_iommu_mapped(dev))
		return;
	mutex_lock(&wdm_cdev_lock);
	xa_store(&wdm_cdev_unbinds, (unsigned long)dev, xa_mk_value(0),
		 GFP_KERNEL | __GFP_NOFAIL);
	file = wdm_cdev_revoke(dev);
	mutex_unlock(&wdm_cdev_lock);
	/* Not fput(): this task cannot return to user space before the driver is unbound. */
	if (file)
		__fput_sync(file);
}

static int wdm_cdev_bus_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;

	if (action == BUS_NOTIFY_UNBIND_DRIVER)
		wdm_cdev_begin_unbind(dev);
	else if (action == BUS_NOTIFY_UNBOUND_DRIVER)
		xa_erase(&wdm_cdev_unbinds, (unsigned long)dev);
	return NOTIFY_DONE;
}

static struct wdm_bus_watch wdm_cdev_watch;

/**
 * wdm_cdev_init() - Watch drivers being unbound
 *
 * Return: 0 or a negative errno.
 */
int wdm_cdev_init(void)
{
	return wdm_bus_watch(&wdm_cdev_watch, wdm_cdev_bus_notify);
}

/**
 * wdm_cdev_exit() - Undo wdm_cdev_init(); no file of /dev/wdm_iommu is open
 */
void wdm_cdev_exit(void)
{
	wdm_bus_unwatch(&wdm_cdev_watch);
	xa_destroy(&wdm_cdev_unbinds);
}
