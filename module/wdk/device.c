// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of kernel code: create, delete, and claims of their groups.
 *
 * Version 1 of the interface names devices by their PDO, version 2 by what CreateDevice
 * returned for it; both are one object here. The first device of an IOMMU group that
 * kernel code attaches claims the group's DMA, as VFIO does; detaching the last one
 * releases the group.
 */
#include <linux/acpi.h>
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../core/bus_watch.h"
#include "../core/device.h"
#include "../core/query.h"
#include "../core/revoke.h"
#include "device.h"

/*
 * Guards wdk_devices, the claims of groups, and wdk_removals, the PDOs being removed,
 * keyed by their address. Never held during an attach. If the removal of a device has not
 * begun when this lock or the device's own is taken, the device stays in its IOMMU group
 * until the lock is released.
 */
static DEFINE_MUTEX(wdk_lock);
static LIST_HEAD(wdk_devices);
static DEFINE_XARRAY(wdk_removals);
static struct wdm_owner *wdk_owner;

/* Look up a PDO and take a reference. */
static PIOMMU_DMA_DEVICE wdk_find(struct device *pdo)
{
	PIOMMU_DMA_DEVICE dev;

	lockdep_assert_held(&wdk_lock);
	list_for_each_entry(dev, &wdk_devices, node) {
		if (dev->pdo == pdo) {
			refcount_inc(&dev->refs);
			return dev;
		}
	}
	return NULL;
}

/**
 * wdk_device_lock_pdo() - Lock the device of a PDO
 * @pdo: the PDO
 *
 * Return: the device, with a reference, for wdk_device_unlock(); NULL if the PDO has none.
 */
PIOMMU_DMA_DEVICE wdk_device_lock_pdo(struct device *pdo)
{
	PIOMMU_DMA_DEVICE dev;

	mutex_lock(&wdk_lock);
	dev = wdk_find(pdo);
	mutex_unlock(&wdk_lock);
	if (dev)
		mutex_lock(&dev->lock);
	return dev;
}

/**
 * wdk_device_put() - Drop a reference to a device
 * @dev: the device; may be freed by this. Its lock may be held if this is not the last
 *	reference
 */
void wdk_device_put(PIOMMU_DMA_DEVICE dev)
{
	if (!refcount_dec_and_mutex_lock(&dev->refs, &wdk_lock))
		return;
	list_del(&dev->node);
	mutex_unlock(&wdk_lock);
	iommu_group_put(dev->iommu_group);
	put_device(dev->pdo);
	mutex_destroy(&dev->lock);
	kfree(dev);
}

/* Check whether CreateDevice returned this. */
static bool wdk_device_exists(PIOMMU_DMA_DEVICE handle)
{
	PIOMMU_DMA_DEVICE dev;

	lockdep_assert_held(&wdk_lock);
	list_for_each_entry(dev, &wdk_devices, node)
		if (dev == handle)
			return dev->created;
	return false;
}

/* Look up a device that CreateDevice returned, and take a reference. */
static PIOMMU_DMA_DEVICE wdk_device_get(PIOMMU_DMA_DEVICE handle)
{
	PIOMMU_DMA_DEVICE found = NULL;

	mutex_lock(&wdk_lock);
	if (wdk_device_exists(handle)) {
		refcount_inc(&handle->refs);
		found = handle;
	}
	mutex_unlock(&wdk_lock);
	return found;
}

/**
 * wdk_device_config() - Get the configuration of a device
 * @handle: the device, as passed by a caller
 * @config: out: its configuration
 *
 * Context: may sleep. Does not take the device's lock, so fault handlers may call it.
 * Return: false if the device does not exist.
 */
bool wdk_device_config(PIOMMU_DMA_DEVICE handle, struct wdk_config *config)
{
	bool exists;

	mutex_lock(&wdk_lock);
	exists = wdk_device_exists(handle);
	if (exists)
		*config = handle->config;
	mutex_unlock(&wdk_lock);
	return exists;
}

/**
 * wdk_device_lock() - Lock a device that CreateDevice returned
 * @handle: the device, as passed by a caller
 *
 * Return: the device, with a reference, for wdk_device_unlock(); NULL if it does not
 * exist.
 */
PIOMMU_DMA_DEVICE wdk_device_lock(PIOMMU_DMA_DEVICE handle)
{
	PIOMMU_DMA_DEVICE dev = wdk_device_get(handle);

	if (!dev)
		return NULL;
	mutex_lock(&dev->lock);
	if (dev->created)
		return dev;
	wdk_device_unlock(dev);
	return NULL;
}

/**
 * wdk_device_unlock() - Undo wdk_device_lock()
 * @dev: the device
 */
void wdk_device_unlock(PIOMMU_DMA_DEVICE dev)
{
	mutex_unlock(&dev->lock);
	wdk_device_put(dev);
}

/* Check that removals of the device are watched and it is not being removed. */
static bool wdk_is_present(struct device *pdo)
{
	return wdm_bus_is_watched(pdo) &&
	       !xa_load(&wdk_removals, (unsigned long)pdo);
}

/* Get the number of input mappings, which are numbered from 0 in the firmware's order. */
static ULONG wdk_nr_mappings(struct device *pdo)
{
	return wdk_is_present(pdo) ? wdm_nr_mappings(pdo) : 0;
}

/**
 * wdk_pdo_mappings() - Get the number of input mappings of a PDO
 * @pdo: the PDO
 *
 * Return: the number; 0 if it has none, or is being removed.
 */
ULONG wdk_pdo_mappings(struct device *pdo)
{
	ULONG nr;

	mutex_lock(&wdk_lock);
	nr = wdk_nr_mappings(pdo);
	mutex_unlock(&wdk_lock);
	return nr;
}

/**
 * wdk_device_open() - Lock the device of a PDO, or start to use the PDO
 * @pdo: the PDO
 * @out: out: its device, with a reference, for wdk_device_unlock()
 *
 * Return: STATUS_NOT_FOUND if it has no IOMMU or is being removed,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wdk_device_open(struct device *pdo, PIOMMU_DMA_DEVICE *out)
{
	struct iommu_group *iommu_group;
	PIOMMU_DMA_DEVICE dev;
	NTSTATUS status = STATUS_NOT_FOUND;

	mutex_lock(&wdk_lock);
	if (!wdk_is_present(pdo))
		goto unlock;
	dev = wdk_find(pdo);
	if (dev)
		goto found;
	iommu_group = iommu_group_get(pdo);
	if (!iommu_group)
		goto unlock;
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev) {
		iommu_group_put(iommu_group);
		status = STATUS_INSUFFICIENT_RESOURCES;
		goto unlock;
	}
	refcount_set(&dev->refs, 1);
	dev->pdo = get_device(pdo);
	dev->iommu_group = iommu_group;
	mutex_init(&dev->lock);
	list_add_tail(&dev->node, &wdk_devices);
found:
	mutex_unlock(&wdk_lock);
	mutex_lock(&dev->lock);
	if (READ_ONCE(dev->removed)) {
		wdk_device_unlock(dev);
		return STATUS_NOT_FOUND;
	}
	*out = dev;
	return STATUS_SUCCESS;

unlock:
	mutex_unlock(&wdk_lock);
	return status;
}

static bool wdk_group_is_used(const struct wdm_group *group)
{
	PIOMMU_DMA_DEVICE dev;

	list_for_each_entry(dev, &wdk_devices, node)
		if (dev->group == group)
			return true;
	return false;
}

/* Release the claim of a group, which is in its blocking domain. */
static void wdk_release_group(struct wdm_group *group)
{
	iommu_group_release_dma_owner(group->iommu_group);
	wdm_group_put(group);
}

static const struct wdm_provider_ops wdk_provider = {
	.forget = wdk_release_group,
};

/* Claim a group, or get the claimed one. */
static NTSTATUS wdk_claim_group(struct iommu_group *iommu_group,
				struct wdm_group **out)
{
	NTSTATUS status;
	int ret;

	*out = wdm_owner_find_group(wdk_owner, iommu_group, &wdk_provider);
	if (*out) {
		/* The devices in the list hold references. */
		wdm_group_put(*out);
		return STATUS_SUCCESS;
	}
	ret = iommu_group_claim_dma_owner(iommu_group, wdk_owner);
	/* It has an owner, or a driver that does DMA. */
	if (ret == -EPERM)
		return STATUS_DEVICE_BUSY;
	/* The firmware requires direct mappings of one of its devices. */
	if (ret == -EINVAL)
		return STATUS_ACCESS_DENIED;
	if (ret)
		return wdm_status_from_driver(ret);
	status = wdm_owner_add_group(wdk_owner, iommu_group, &wdk_provider,
				     NULL, out);
	if (!wdm_ok(status))
		iommu_group_release_dma_owner(iommu_group);
	return status;
}

static NTSTATUS wdk_claim(PIOMMU_DMA_DEVICE dev)
{
	NTSTATUS status;

	mutex_lock(&wdk_lock);
	status = wdk_claim_group(dev->iommu_group, &dev->group);
	if (!wdm_ok(status))
		dev->group = NULL;
	mutex_unlock(&wdk_lock);
	return status;
}

/**
 * wdk_device_unclaim() - Drop a device's claim of its group
 * @dev: the device; may have no claim
 *
 * Releases the group with the last claim.
 */
void wdk_device_unclaim(PIOMMU_DMA_DEVICE dev)
{
	struct wdm_group *group;

	mutex_lock(&wdk_lock);
	group = dev->group;
	dev->group = NULL;
	/* A device whose claim is dropped is detached, or revoked. */
	if (group && !wdk_group_is_used(group)) {
		wdm_owner_remove_group(group);
		wdk_release_group(group);
	}
	mutex_unlock(&wdk_lock);
}

/**
 * wdk_device_use() - Claim the DMA of a device's group
 * @dev: the device; its lock is held
 *
 * dev->device, the core's device, exists until wdk_device_unuse().
 *
 * Return: STATUS_SUCCESS, STATUS_DEVICE_REMOVED, STATUS_DEVICE_BUSY if the group has another
 * owner, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wdk_device_use(PIOMMU_DMA_DEVICE dev)
{
	NTSTATUS status;

	lockdep_assert_held(&dev->lock);
	if (READ_ONCE(dev->removed))
		return STATUS_DEVICE_REMOVED;
	if (!dev->nr_users) {
		status = wdk_claim(dev);
		if (!wdm_ok(status))
			return status;
		status = wdm_device_create(dev->group, dev->pdo, &dev->device);
		if (!wdm_ok(status)) {
			wdk_device_unclaim(dev);
			return status;
		}
		refcount_inc(&dev->refs);
	}
	dev->nr_users++;
	/* wdk_take_back() either finds the core device or has set this before. */
	if (READ_ONCE(dev->removed)) {
		wdk_device_unuse(dev);
		return STATUS_DEVICE_REMOVED;
	}
	return STATUS_SUCCESS;
}

/**
 * wdk_device_unuse() - Undo wdk_device_use()
 * @dev: the device; its lock and a reference are held
 */
void wdk_device_unuse(PIOMMU_DMA_DEVICE dev)
{
	lockdep_assert_held(&dev->lock);
	if (--dev->nr_users)
		return;
	WARN_ON(!wdm_ok(wdm_device_delete(dev->device)));
	dev->device = NULL;
	wdk_device_unclaim(dev);
	wdk_device_put(dev);
}

/**
 * wdk_device_types() - Get the types of domains that a device can be attached to now
 * @dev: the device
 *
 * Return: as wdm_types_of(); 0 if it has been removed.
 */
u32 wdk_device_types(PIOMMU_DMA_DEVICE dev)
{
	if (READ_ONCE(dev->removed))
		return 0;
	return wdm_types_of(dev->iommu_group, dev->pdo);
}

static NTSTATUS wdk_create(PIOMMU_DMA_DEVICE dev,
			   const struct wdk_config *config)
{
	struct wdk_ability ability = {
		.nr_mappings = wdk_nr_mappings(dev->pdo),
		.pasids = wdm_max_pasids(dev->pdo),
	};
	NTSTATUS status;

	ability.needs_acpi = ability.nr_mappings && has_acpi_companion(dev->pdo);
	status = wdk_check_config(config, &ability);
	if (!wdm_ok(status))
		return status;
	if (dev->created)
		return STATUS_RESOURCE_IN_USE;
	refcount_inc(&dev->refs);
	mutex_lock(&wdk_lock);
	dev->config = *config;
	dev->created = true;
	mutex_unlock(&wdk_lock);
	return STATUS_SUCCESS;
}

/* Contract: IommuDeviceCreate. Does not claim the device, which keeps working as before. */
NTSTATUS wdk_create_device(PDEVICE_OBJECT DeviceObject,
			   PIOMMU_DEVICE_CREATION_CONFIGURATION DeviceConfig,
			   PIOMMU_DMA_DEVICE *DmaDeviceOut)
{
	struct wdk_config config;
	PIOMMU_DMA_DEVICE dev;
	NTSTATUS status;

	might_sleep();
	status = wdk_device_open(DeviceObject, &dev);
	if (!wdm_ok(status))
		return status;
	status = wdk_read_configs(DeviceConfig, &config);
	if (wdm_ok(status))
		status = wdk_create(dev, &config);
	if (wdm_ok(status))
		*DmaDeviceOut = dev;
	wdk_device_unlock(dev);
	return status;
}

/* Contract: IommuDeviceDelete. */
NTSTATUS wdk_delete_device(PIOMMU_DMA_DEVICE DmaDevice)
{
	PIOMMU_DMA_DEVICE dev;

	might_sleep();
	dev = wdk_device_lock(DmaDevice);
	if (!dev)
		return STATUS_INVALID_HANDLE;
	if (dev->nr_users || dev->callback) {
		wdk_device_unlock(dev);
		return STATUS_RESOURCE_IN_USE;
	}
	mutex_lock(&wdk_lock);
	dev->created = false;
	mutex_unlock(&wdk_lock);
	wdk_device_put(dev);
	wdk_device_unlock(dev);
	return STATUS_SUCCESS;
}

/* Contract: IommuDeviceQueryDomainTypes. Takes no device lock; fault handlers may call it. */
VOID wdk_query_available_domain_types(PIOMMU_DMA_DEVICE DmaDevice,
				      PULONG AvailableDomains)
{
	PIOMMU_DMA_DEVICE dev;

	might_sleep();
	*AvailableDomains = 0;
	dev = wdk_device_get(DmaDevice);
	if (!dev)
		return;
	*AvailableDomains = wdk_device_types(dev);
	wdk_device_put(dev);
}

/*
 * Contract: IommuQueryInputMappings. Only devices on ARM64 have any; for others, the
 * answer is that of Windows.
 */
NTSTATUS wdk_query_input_mappings(PDEVICE_OBJECT PhysicalDeviceObject,
				  PINPUT_MAPPING_ELEMENT Buffer,
				  ULONG BufferLength, PULONG ReturnLength)
{
	might_sleep();
	return wdk_list_mappings(wdk_pdo_mappings(PhysicalDeviceObject), Buffer,
				 BufferLength, ReturnLength);
}

/**
 * wdk_removal_begin() - Let no call use a PDO any more
 * @pdo: the PDO; its removal has begun
 *
 * Return: its device, with a reference, or NULL.
 */
PIOMMU_DMA_DEVICE wdk_removal_begin(struct device *pdo)
{
	PIOMMU_DMA_DEVICE dev;

	mutex_lock(&wdk_lock);
	/* Must not fail, or a later attach may meet a group without devices. */
	xa_store(&wdk_removals, (unsigned long)pdo, xa_mk_value(0),
		 GFP_KERNEL | __GFP_NOFAIL);
	dev = wdk_find(pdo);
	if (dev)
		WRITE_ONCE(dev->removed, true);
	mutex_unlock(&wdk_lock);
	return dev;
}

/**
 * wdk_removal_find() - Find the device of a PDO that is being removed
 * @pdo: a PDO
 *
 * Return: its device, with a reference; NULL if it has none, or is not being removed.
 */
PIOMMU_DMA_DEVICE wdk_removal_find(struct device *pdo)
{
	PIOMMU_DMA_DEVICE dev;

	if (!xa_load(&wdk_removals, (unsigned long)pdo))
		return NULL;
	mutex_lock(&wdk_lock);
	dev = wdk_find(pdo);
	mutex_unlock(&wdk_lock);
	return dev;
}

/**
 * wdk_removal_end() - Forget a PDO that has been removed
 * @pdo: the PDO
 */
void wdk_removal_end(struct device *pdo)
{
	xa_erase(&wdk_removals, (unsigned long)pdo);
}

/**
 * wdk_device_group() - Get the group that is claimed for a device
 * @dev: the device
 *
 * Return: the group, with a reference, or NULL.
 */
struct wdm_group *wdk_device_group(PIOMMU_DMA_DEVICE dev)
{
	struct wdm_group *group;

	mutex_lock(&wdk_lock);
	group = dev->group;
	if (group)
		refcount_inc(&group->refs);
	mutex_unlock(&wdk_lock);
	return group;
}

/**
 * wdk_device_init() - Create the owner of all devices of kernel code
 *
 * Return: 0 or -ENOMEM.
 */
int wdk_device_init(void)
{
	wdk_owner = wdm_owner_create(false);
	return wdk_owner ? 0 : -ENOMEM;
}

/**
 * wdk_device_exit() - Undo wdk_device_init(); no module uses the table any more
 */
void wdk_device_exit(void)
{
	WARN_ON(!list_empty(&wdk_devices));
	xa_destroy(&wdk_removals);
	wdm_owner_close(wdk_owner);
	wdm_owner_put(wdk_owner);
}
