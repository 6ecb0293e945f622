// SPDX-License-Identifier: GPL-2.0
/*
 * Attach and detach of devices of kernel code, by their caller or because they are removed.
 *
 * A PDO that is removed is detached first, so that no call meets an IOMMU group without
 * devices.
 */
#include <linux/device.h>
#include <linux/kernel.h>

#include "../core/bus_watch.h"
#include "../core/device.h"
#include "../core/policy.h"
#include "../core/revoke.h"
#include "device.h"

static NTSTATUS wdk_attach_domain(PIOMMU_DMA_DEVICE dev, PIOMMU_DMA_DOMAIN Domain)
{
	NTSTATUS status;

	if (READ_ONCE(dev->removed))
		return STATUS_DEVICE_REMOVED;
	if (dev->domain)
		return STATUS_INVALID_PARAMETER;
	status = wdk_device_use(dev);
	if (!wdm_ok(status))
		return status;
	status = wdm_device_attach(dev->device, Domain->core);
	if (wdm_ok(status))
		dev->domain = Domain;
	else
		wdk_device_unuse(dev);
	return status;
}

static NTSTATUS wdk_attach(PIOMMU_DMA_DEVICE dev, PIOMMU_DMA_DOMAIN Domain)
{
	NTSTATUS status;

	if (!wdk_domain_get(Domain))
		return STATUS_INVALID_HANDLE;
	status = wdk_attach_domain(dev, Domain);
	wdk_domain_put(Domain);
	return status;
}

/* Called once the core's device is detached. */
static void wdk_end_attachment(PIOMMU_DMA_DEVICE dev)
{
	wdk_set_faults(dev, NULL);
	dev->domain = NULL;
	wdk_device_unuse(dev);
}

/*
 * Calls of kernel code are not cancelled, so the core's detach fails only if a removal has
 * detached the device just now.
 */
static NTSTATUS wdk_detach(PIOMMU_DMA_DEVICE dev)
{
	wdm_device_detach(dev->device);
	wdk_end_attachment(dev);
	return STATUS_SUCCESS;
}

/* Contract: IommuDeviceAttach. */
NTSTATUS wdk_attach_device(PIOMMU_DMA_DOMAIN Domain,
			   PDEVICE_OBJECT PhysicalDeviceObject,
			   ULONG InputMappingIdBase, ULONG MappingCount)
{
	PIOMMU_DMA_DEVICE dev;
	NTSTATUS status;

	might_sleep();
	status = wdk_check_mappings(wdk_pdo_mappings(PhysicalDeviceObject),
				    InputMappingIdBase, MappingCount);
	if (!wdm_ok(status))
		return status;
	status = wdk_device_open(PhysicalDeviceObject, &dev);
	if (!wdm_ok(status))
		return status;
	status = wdk_attach(dev, Domain);
	wdk_device_unlock(dev);
	return status;
}

/* Contract: IommuDeviceDetach. */
NTSTATUS wdk_detach_device(PIOMMU_DMA_DOMAIN Domain,
			   PDEVICE_OBJECT PhysicalDeviceObject,
			   ULONG InputMappingId)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER_2;
	PIOMMU_DMA_DEVICE dev;

	might_sleep();
	if (InputMappingId)
		return STATUS_INVALID_PARAMETER_3;
	dev = wdk_device_lock_pdo(PhysicalDeviceObject);
	if (!dev)
		return status;
	if (dev->domain && dev->domain == Domain)
		status = wdk_detach(dev);
	wdk_device_unlock(dev);
	return status;
}

/* Contract: IommuDeviceAttachEx. */
NTSTATUS wdk_attach_device_ex(PIOMMU_DMA_DOMAIN Domain,
			      PIOMMU_DMA_DEVICE DmaDevice)
{
	PIOMMU_DMA_DEVICE dev;
	NTSTATUS status;

	might_sleep();
	dev = wdk_device_lock(DmaDevice);
	if (!dev)
		return STATUS_INVALID_HANDLE;
	status = wdk_attach(dev, Domain);
	wdk_device_unlock(dev);
	return status;
}

/* Contract: IommuDeviceDetachEx. */
NTSTATUS wdk_detach_device_ex(PIOMMU_DMA_DEVICE DmaDevice)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;
	PIOMMU_DMA_DEVICE dev;

	might_sleep();
	dev = wdk_device_lock(DmaDevice);
	if (!dev)
		return STATUS_INVALID_HANDLE;
	if (dev->domain)
		status = wdk_detach(dev);
	wdk_device_unlock(dev);
	return status;
}

/*
 * Revoke a device before it leaves its group. What CreateDevice and CreatePasidDevice
 * returned remains valid, and calls with it return STATUS_DEVICE_REMOVED.
 *
 * An attach in progress holds the device's lock while it fills a hwpt. Revoke the core device
 * first, without that lock: the attach backs off, and does not retry.
 */
static void wdk_take_back(PIOMMU_DMA_DEVICE dev)
{
	struct wdm_group *group = wdk_device_group(dev);

	if (group) {
		wdm_group_revoke_device(group, dev->pdo);
		wdm_group_put(group);
	}

	mutex_lock(&dev->lock);
	if (dev->domain)
		dev_notice(dev->pdo, "removed while attached to a domain\n");
	wdk_device_unclaim(dev);
	if (dev->domain)
		wdk_end_attachment(dev);
	mutex_unlock(&dev->lock);
}

static void wdk_begin_removal(struct device *pdo)
{
	PIOMMU_DMA_DEVICE dev;

	if (!device_iommu_mapped(pdo))
		return;
	dev = wdk_removal_begin(pdo);
	if (!dev)
		return;
	/*
	 * On some buses the driver is unbound after this. Its device may do DMA until then,
	 * and must not get Linux' default domain.
	 */
	if (!READ_ONCE(pdo->driver))
		wdk_take_back(dev);
	wdk_device_put(dev);
	wdm_types_changed();
}

/* Called once the driver of a device that is being removed is unbound. */
static void wdk_end_unbind(struct device *pdo)
{
	PIOMMU_DMA_DEVICE dev = wdk_removal_find(pdo);

	if (!dev)
		return;
	wdk_take_back(dev);
	wdk_device_put(dev);
}

static int wdk_bus_notify(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	struct device *dev = data;

	if (action == BUS_NOTIFY_DEL_DEVICE)
		wdk_begin_removal(dev);
	else if (action == BUS_NOTIFY_UNBOUND_DRIVER)
		wdk_end_unbind(dev);
	else if (action == BUS_NOTIFY_REMOVED_DEVICE)
		wdk_removal_end(dev);
	return NOTIFY_DONE;
}

static struct wdm_bus_watch wdk_watch;

/**
 * wdk_init() - Set up the front end for kernel code
 *
 * Return: 0 or a negative errno.
 */
int wdk_init(void)
{
	int ret = wdk_device_init();

	if (ret)
		return ret;
	ret = wdm_bus_watch(&wdk_watch, wdk_bus_notify);
	if (ret)
		wdk_device_exit();
	return ret;
}

/**
 * wdk_exit() - Undo wdk_init(); no module uses the table any more
 */
void wdk_exit(void)
{
	wdm_bus_unwatch(&wdk_watch);
	wdk_device_exit();
}
