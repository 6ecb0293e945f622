// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of kernel code: claims, input mappings and faults.
 *
 * The table names devices by their PDO. The first device of an IOMMU group that
 * kernel code attaches claims the group's DMA, as VFIO does; the group is given
 * back when the last one is detached. A PDO that is removed while attached is
 * detached first, so that no call meets an IOMMU group without devices.
 */
#include <linux/iommu.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../core/fault.h"
#include "../core/device.h"
#include "../core/ram.h"
#include "wdk.h"

/**
 * struct wdk_device - a PDO that is attached
 * @node: in wdk_devices
 * @pdo: the PDO
 * @domain: the domain
 * @group: its group, which stays claimed while a device refers to it
 * @device: the device
 * @faults: its fault reporting, or NULL
 */
struct wdk_device {
	struct list_head node;
	struct device *pdo;
	PIOMMU_DMA_DOMAIN domain;
	struct wdm_group *group;
	struct wdm_device *device;
	struct wdk_faults *faults;
};

/**
 * struct wdk_faults - a device's fault reporting
 * @wdev: the device
 * @config: the handler; not changed while it may be called
 */
struct wdk_faults {
	struct wdk_device *wdev;
	DEVICE_FAULT_CONFIGURATION config;
};

/*
 * Guards the list and the devices that are being removed, by their address. A device
 * whose removal has not begun when this is taken stays in its IOMMU group until it is
 * released.
 */
static DEFINE_MUTEX(wdk_lock);
static LIST_HEAD(wdk_devices);
static DEFINE_XARRAY(wdk_removals);
static struct wdm_owner *wdk_owner;

static struct wdk_device *wdk_find(struct device *pdo)
{
	struct wdk_device *wdev;

	lockdep_assert_held(&wdk_lock);
	list_for_each_entry(wdev, &wdk_devices, node)
		if (wdev->pdo == pdo)
			return wdev;
	return NULL;
}

static bool wdk_group_is_used(const struct wdm_group *group)
{
	struct wdk_device *wdev;

	list_for_each_entry(wdev, &wdk_devices, node)
		if (wdev->group == group)
			return true;
	return false;
}

/* Give a group, which is in its blocking domain, back to Linux. */
static void wdk_give_back(struct wdm_group *group)
{
	iommu_group_release_dma_owner(group->iommu_group);
	wdm_group_put(group);
}

static const struct wdm_provider_ops wdk_provider = {
	.forget = wdk_give_back,
};

/* Claim a group, or find the one that is claimed. */
static NTSTATUS wdk_claim(struct iommu_group *iommu_group,
			  struct wdm_group **out)
{
	NTSTATUS status;
	int ret;

	*out = wdm_owner_find_group(wdk_owner, iommu_group);
	if (*out) {
		/* The devices in the list keep it. */
		wdm_group_put(*out);
		return STATUS_SUCCESS;
	}
	ret = iommu_group_claim_dma_owner(iommu_group, wdk_owner);
	if (ret)
		return wdm_status_from_errno(ret);
	status = wdm_owner_add_group(wdk_owner, iommu_group, &wdk_provider,
				     NULL, out);
	if (!wdm_ok(status))
		iommu_group_release_dma_owner(iommu_group);
	return status;
}

/* Give a group back if no device of it is attached any more. */
static void wdk_unclaim(struct wdm_group *group)
{
	if (wdk_group_is_used(group))
		return;
	wdm_group_revoke(group);
	wdk_give_back(group);
}

static void wdk_remove(struct wdk_device *wdev)
{
	struct wdm_group *group = wdev->group;

	list_del(&wdev->node);
	WARN_ON(!wdm_ok(wdm_device_delete(wdev->device)));
	kfree(wdev->faults);
	kfree(wdev);
	wdk_unclaim(group);
}

static NTSTATUS wdk_attach_in_group(PIOMMU_DMA_DOMAIN Domain,
				    struct device *pdo,
				    struct iommu_group *iommu_group)
{
	struct wdk_device *wdev = kzalloc(sizeof(*wdev), GFP_KERNEL);
	NTSTATUS status;

	if (!wdev)
		return STATUS_INSUFFICIENT_RESOURCES;
	wdev->pdo = pdo;
	wdev->domain = Domain;
	status = wdk_claim(iommu_group, &wdev->group);
	if (!wdm_ok(status))
		goto free;
	status = wdm_device_create(wdev->group, pdo, &wdev->device);
	if (!wdm_ok(status)) {
		wdk_unclaim(wdev->group);
		goto free;
	}
	list_add_tail(&wdev->node, &wdk_devices);

	status = wdm_device_attach(wdev->device, Domain->core);
	if (!wdm_ok(status))
		wdk_remove(wdev);
	return status;

free:
	kfree(wdev);
	return status;
}

/* Is the device's removal being watched, and has it not begun? */
static bool wdk_is_present(struct device *pdo)
{
	lockdep_assert_held(&wdk_lock);
	return (dev_is_pci(pdo) || dev_is_platform(pdo)) &&
	       !xa_load(&wdk_removals, (unsigned long)pdo);
}

/*
 * How many input mappings a device has: on ARM64, a platform device has one for
 * each of its stream IDs. They are numbered from 0 in the firmware's order.
 */
static ULONG wdk_nr_mappings(struct device *pdo)
{
	struct iommu_fwspec *fwspec;

	if (!IS_ENABLED(CONFIG_ARM64) || !wdk_is_present(pdo) ||
	    dev_is_pci(pdo))
		return 0;
	fwspec = dev_iommu_fwspec_get(pdo);
	return fwspec ? fwspec->num_ids : 0;
}

/**
 * wdk_check_mappings() - May these input mappings of a device be attached?
 * @nr: how many the device has; 0 is treated as 1
 * @base: the first one to attach
 * @count: how many
 *
 * Linux attaches a device with all of its streams, so a part of them would bring
 * the others into the domain, too.
 *
 * Return: STATUS_SUCCESS for all of them, STATUS_INVALID_PARAMETER_3,
 * STATUS_INVALID_PARAMETER_4, STATUS_NOT_SUPPORTED for a part.
 */
NTSTATUS wdk_check_mappings(ULONG nr, ULONG base, ULONG count)
{
	nr = max(nr, 1U);
	if (base >= nr)
		return STATUS_INVALID_PARAMETER_3;
	if (!count || (u64)base + count > nr)
		return STATUS_INVALID_PARAMETER_4;
	return count == nr ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

/* Contract: IommuDeviceAttach. */
NTSTATUS wdk_attach_device(PIOMMU_DMA_DOMAIN Domain,
			   PDEVICE_OBJECT PhysicalDeviceObject,
			   ULONG InputMappingIdBase, ULONG MappingCount)
{
	struct iommu_group *iommu_group;
	NTSTATUS status;

	mutex_lock(&wdk_lock);
	status = wdk_check_mappings(wdk_nr_mappings(PhysicalDeviceObject),
				    InputMappingIdBase, MappingCount);
	if (!wdm_ok(status))
		goto unlock;
	status = STATUS_NOT_FOUND;
	if (!wdk_is_present(PhysicalDeviceObject))
		goto unlock;
	iommu_group = iommu_group_get(PhysicalDeviceObject);
	if (!iommu_group)
		goto unlock;

	if (wdk_find(PhysicalDeviceObject))
		status = STATUS_INVALID_PARAMETER;
	else
		status = wdk_attach_in_group(Domain, PhysicalDeviceObject,
					     iommu_group);
	iommu_group_put(iommu_group);
unlock:
	mutex_unlock(&wdk_lock);
	return status;
}

/* Contract: IommuDeviceDetach. */
NTSTATUS wdk_detach_device(PIOMMU_DMA_DOMAIN Domain,
			   PDEVICE_OBJECT PhysicalDeviceObject,
			   ULONG InputMappingId)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER_2;
	struct wdk_device *wdev;

	if (InputMappingId)
		return STATUS_INVALID_PARAMETER_3;

	mutex_lock(&wdk_lock);
	wdev = wdk_find(PhysicalDeviceObject);
	if (wdev && wdev->domain == Domain) {
		status = wdm_device_detach(wdev->device);
		wdk_remove(wdev);
	}
	mutex_unlock(&wdk_lock);
	return status;
}

/**
 * wdk_list_mappings() - List the input mappings of a device
 * @nr: how many it has
 * @Buffer: out: the mappings; may be NULL if @BufferLength is too short
 * @BufferLength: bytes
 * @ReturnLength: out: bytes needed; may be NULL
 *
 * Return: STATUS_SUCCESS, STATUS_UNSUCCESSFUL if there is none,
 * STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER_2.
 */
NTSTATUS wdk_list_mappings(ULONG nr, PINPUT_MAPPING_ELEMENT Buffer,
			   ULONG BufferLength, PULONG ReturnLength)
{
	ULONG i, need = nr * sizeof(*Buffer);

	if (!nr)
		return STATUS_UNSUCCESSFUL;
	if (ReturnLength)
		*ReturnLength = need;
	if (BufferLength < need)
		return STATUS_BUFFER_TOO_SMALL;
	if (!Buffer)
		return STATUS_INVALID_PARAMETER_2;
	for (i = 0; i < nr; i++)
		Buffer[i].InputMappingId = i;
	return STATUS_SUCCESS;
}

/*
 * Contract: IommuQueryInputMappings. Only devices on ARM64 have any; for others,
 * Windows answers the same.
 */
NTSTATUS wdk_query_input_mappings(PDEVICE_OBJECT PhysicalDeviceObject,
				  PINPUT_MAPPING_ELEMENT Buffer,
				  ULONG BufferLength, PULONG ReturnLength)
{
	ULONG nr;

	mutex_lock(&wdk_lock);
	nr = wdk_nr_mappings(PhysicalDeviceObject);
	mutex_unlock(&wdk_lock);
	return wdk_list_mappings(nr, Buffer, BufferLength, ReturnLength);
}

/* A fault in the contract's words. */
static void wdk_fault(void *context, const struct wdm_fault *fault)
{
	struct wdk_faults *faults = context;
	FAULT_INFORMATION info = {
		.Type = FaultInformationX64,
		.X64 = {
			.DomainHandle = faults->wdev->domain,
			.FaultAddress = (PVOID)(unsigned long)fault->iova,
			.Flags.FaultAddressValid = 1,
			.Type = fault->mapped ? PermissionFault :
						TranslationFault,
		},
	};

	if (dev_is_pci(fault->dev))
		info.X64.PciSegment =
			pci_domain_nr(to_pci_dev(fault->dev)->bus);
	faults->config.FaultHandler(faults->config.FaultContext, &info);
}

/* Replace, or (@config is NULL) end, a device's fault reporting. */
static NTSTATUS wdk_set_faults(struct wdk_device *wdev,
			       const DEVICE_FAULT_CONFIGURATION *config)
{
	struct wdk_faults *faults = NULL;
	NTSTATUS status;

	if (!config) {
		status = wdm_fault_unregister(wdev->device);
		if (!wdm_ok(status))
			return status;
	} else {
		faults = kzalloc(sizeof(*faults), GFP_KERNEL);
		if (!faults)
			return STATUS_INSUFFICIENT_RESOURCES;
		faults->wdev = wdev;
		faults->config = *config;
		status = wdm_fault_register(wdev->device, wdk_fault, faults);
		if (!wdm_ok(status)) {
			kfree(faults);
			return status;
		}
	}
	/* The old handler is not running any more. */
	kfree(wdev->faults);
	wdev->faults = faults;
	return STATUS_SUCCESS;
}

/*
 * Contract: IommuSetDeviceFaultReporting. The handler is called where it may
 * sleep, but must not attach or detach a device or set its fault reporting: those
 * wait for it.
 */
NTSTATUS wdk_set_device_fault_reporting(PDEVICE_OBJECT PhysicalDeviceObject,
					ULONG InputMappingIdBase,
					BOOLEAN Enable,
					PDEVICE_FAULT_CONFIGURATION FaultConfig)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;
	struct wdk_device *wdev;

	if (InputMappingIdBase)
		return STATUS_INVALID_PARAMETER_2;
	if (Enable && (!FaultConfig || !FaultConfig->FaultHandler))
		return STATUS_INVALID_PARAMETER_4;

	mutex_lock(&wdk_lock);
	wdev = wdk_find(PhysicalDeviceObject);
	if (wdev)
		status = wdk_set_faults(wdev, Enable ? FaultConfig : NULL);
	mutex_unlock(&wdk_lock);
	return status;
}

/* Detach a device that its driver did not detach, before it leaves its group. */
static void wdk_detach_removed(struct device *dev)
{
	struct wdk_device *wdev = wdk_find(dev);

	if (!wdev)
		return;
	dev_notice(dev, "removed while attached to a domain\n");
	wdm_device_detach(wdev->device);
	wdk_remove(wdev);
}

static void wdk_begin_removal(struct device *dev)
{
	if (!device_iommu_mapped(dev))
		return;
	mutex_lock(&wdk_lock);
	/* Should this fail, an attach from now on may meet a group without devices. */
	xa_store(&wdk_removals, (unsigned long)dev, xa_mk_value(0),
		 GFP_KERNEL | __GFP_NOFAIL);
	/*
	 * On some buses the driver is unbound only after this. Its device may be
	 * busy until then, and must not get Linux' default domain.
	 */
	if (!READ_ONCE(dev->driver))
		wdk_detach_removed(dev);
	mutex_unlock(&wdk_lock);
}

/* The driver of a device that is being removed has gone. */
static void wdk_end_unbind(struct device *dev)
{
	if (!xa_load(&wdk_removals, (unsigned long)dev))
		return;
	mutex_lock(&wdk_lock);
	wdk_detach_removed(dev);
	mutex_unlock(&wdk_lock);
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
		xa_erase(&wdk_removals, (unsigned long)dev);
	return NOTIFY_DONE;
}

static struct notifier_block wdk_pci_notifier = {
	.notifier_call = wdk_bus_notify,
};

static struct notifier_block wdk_platform_notifier = {
	.notifier_call = wdk_bus_notify,
};

/**
 * wdk_init() - Set up the front end for kernel code
 *
 * Return: 0 or a negative errno.
 */
int wdk_init(void)
{
	int ret;

	wdk_owner = wdm_owner_create(false);
	if (!wdk_owner)
		return -ENOMEM;
	ret = bus_register_notifier(&pci_bus_type, &wdk_pci_notifier);
	if (ret)
		goto owner;
	ret = bus_register_notifier(&platform_bus_type, &wdk_platform_notifier);
	if (ret)
		goto pci;
	ret = wdm_ram_init();
	if (ret)
		goto platform;
	return 0;

platform:
	bus_unregister_notifier(&platform_bus_type, &wdk_platform_notifier);
pci:
	bus_unregister_notifier(&pci_bus_type, &wdk_pci_notifier);
owner:
	wdm_owner_put(wdk_owner);
	return ret;
}

/**
 * wdk_exit() - Undo wdk_init(); no module uses the table any more
 */
void wdk_exit(void)
{
	WARN_ON(!list_empty(&wdk_devices));
	wdm_ram_exit();
	bus_unregister_notifier(&platform_bus_type, &wdk_platform_notifier);
	bus_unregister_notifier(&pci_bus_type, &wdk_pci_notifier);
	xa_destroy(&wdk_removals);
	wdm_owner_close(wdk_owner);
	wdm_owner_put(wdk_owner);
}
