// SPDX-License-Identifier: GPL-2.0
/*
 * Provider: VFIO's device cdevs (/dev/vfio/devices/vfioN), bound to an iommufd.
 *
 * The iommufd claims the DMA of the device's group and leaves the group in its blocking
 * domain until the program attaches a page table of the iommufd. The claim ends when the
 * file that the program has bound is released, of which VFIO notifies nobody. So the core
 * holds this file while the device is attached. At other times a handle only names the
 * device: an attach looks for the file among the open files of the calling process, so it
 * never uses another program's.
 *
 * VFIO's driver waits for the release of all files before it is unbound. So the device is
 * revoked and its file dropped when an unbind begins.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "../compat/vfio_cdev.h"
#include "../core/bus_watch.h"
#include "../core/device.h"
#include "../core/revoke.h"
#include "cdev.h"

/* The groups by number, with the provider's references; guarded by the xarray's lock */
static DEFINE_XARRAY_ALLOC(wdm_cdev_groups);

/* Held from looking up a group to adding it, so that an owner has each group once */
static DEFINE_MUTEX(wdm_cdev_lock);

/*
 * The devices whose driver is being unbound, keyed by their address. An unbind adds its
 * device here and then looks for it in the groups; a call that creates a device adds it to
 * its group and then looks for it here. The locks of the groups order the two, so either
 * the unbind finds the device, or the call finds the unbind.
 */
static DEFINE_XARRAY(wdm_cdev_unbinds);

static ntstatus_t wdm_cdev_check(struct file *file, struct vfio_device *vdev)
{
	int bound = wdm_vfio_cdev_is_bound(file);

	if (bound < 0)
		return wdm_status_from_errno(bound);
	if (!bound) {
		/* The value may change; it only selects one of two failures. */
		return data_race(vfio_device_cdev_opened(vdev)) ?
		       STATUS_ACCESS_DENIED : STATUS_INVALID_DEVICE_STATE;
	}
	/* Mediated devices, and devices in no-IOMMU mode, have no IOMMU to program. */
	if (!vfio_iommufd_device_ictx(vdev) ||
	    !device_iommu_capable(vdev->dev, IOMMU_CAP_CACHE_COHERENCY))
		return STATUS_NOT_SUPPORTED;
	/* There is no notifier for unbinds on other buses. */
	return wdm_bus_is_watched(vdev->dev) ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

static bool wdm_cdev_is_for(struct file *file, const struct device *dev)
{
	struct vfio_device *vdev = wdm_vfio_cdev_device(file);

	return vdev && vdev->dev == dev;
}

/* Files to look at between two chances to reschedule: iterate_fd() holds a spinlock. */
#define WDM_CDEV_BATCH	1000

/**
 * struct wdm_cdev_search - a search among the files of the calling process
 * @dev: the device
 * @left: number of files to look at before a chance to reschedule
 */
struct wdm_cdev_search {
	const struct device *dev;
	unsigned int left;
};

/* For iterate_fd(), which stops at a nonzero result: the file descriptor plus 1 */
static int wdm_cdev_match(const void *data, struct file *file, unsigned int fd)
{
	struct wdm_cdev_search *search = (void *)data;

	return wdm_cdev_is_for(file, search->dev) || !--search->left ? fd + 1 : 0;
}

/* Hold the file through which the device is bound, if the calling process has it open. */
static ntstatus_t wdm_cdev_hold(struct device *dev, void **hold)
{
	struct wdm_cdev_search search = { .dev = dev };
	ntstatus_t status = STATUS_DEVICE_REMOVED;
	struct file *file;
	int next = 0;

	while (!fatal_signal_pending(current)) {
		cond_resched();
		search.left = WDM_CDEV_BATCH;
		next = iterate_fd(current->files, next, wdm_cdev_match, &search);
		if (!next)
			return status;
		/* The descriptor may refer to another file by now, or end a batch. */
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

/* May be called with locks held: fput() defers the release to the return to user space. */
static void wdm_cdev_unhold(void *hold)
{
	fput(hold);
}

static void wdm_cdev_forget(struct wdm_group *group)
{
	xa_erase(&wdm_cdev_groups, (unsigned long)group->provider_data);
	wdm_group_put(group);
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
	ntstatus_t status;
	u32 id;

	/* Reserve the entry first, so that storing the group cannot fail. */
	if (xa_alloc(&wdm_cdev_groups, &id, NULL, xa_limit_32b, GFP_KERNEL_ACCOUNT))
		return STATUS_INSUFFICIENT_RESOURCES;
	status = wdm_owner_add_group(owner, iommu_group, &wdm_cdev_provider,
				     (void *)(unsigned long)id, out);
	if (!wdm_ok(status)) {
		xa_erase(&wdm_cdev_groups, id);
		return status;
	}
	refcount_inc(&(*out)->refs);
	xa_store(&wdm_cdev_groups, id, *out, GFP_KERNEL_ACCOUNT);
	return STATUS_SUCCESS;
}

/* Get the first group whose number is at least *@id, with a reference. */
static struct wdm_group *wdm_cdev_next_group(unsigned long *id)
{
	struct wdm_group *group;

	xa_lock(&wdm_cdev_groups);
	group = xa_find(&wdm_cdev_groups, id, ULONG_MAX, XA_PRESENT);
	if (group)
		refcount_inc(&group->refs);
	xa_unlock(&wdm_cdev_groups);
	return group;
}

/* Get the owner's group, with a reference; the owner keeps it until it is closed. */
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
	if (wdm_ok(status) && xa_load(&wdm_cdev_unbinds, (unsigned long)dev)) {
		/* Nobody can have attached it yet, so nothing is held. */
		wdm_group_revoke_device(group, dev);
		status = STATUS_DEVICE_REMOVED;
	}
	wdm_group_put(group);
	return status;
}

/**
 * wdm_cdev_device_create() - Create an IOMMU_DMA_DEVICE for a VFIO device cdev
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
 * Revoke a device from all owners. A device is bound through at most one file, so every
 * owner holds the same file.
 */
static struct file *wdm_cdev_revoke(struct device *dev)
{
	struct file *file = NULL;
	struct wdm_group *group;
	unsigned long id;

	for (id = 0; (group = wdm_cdev_next_group(&id)); id++) {
		void *hold = wdm_group_revoke_device(group, dev);

		if (file && hold)
			fput(hold);
		else
			file = hold ?: file;
		wdm_group_put(group);
		cond_resched();
	}
	return file;
}

static void wdm_cdev_begin_unbind(struct device *dev)
{
	struct file *file;

	if (!device_iommu_mapped(dev))
		return;
	xa_store(&wdm_cdev_unbinds, (unsigned long)dev, xa_mk_value(0),
		 GFP_KERNEL | __GFP_NOFAIL);
	file = wdm_cdev_revoke(dev);
	/* Not fput(): its work would wait for this task, which waits for the file in VFIO. */
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
 * wdm_cdev_init() - Register for unbinds of drivers
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
