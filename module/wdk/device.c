// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of kernel code: who claims what, input mappings and faults.
 *
 * The table names devices by their PDO. The first device of an IOMMU group that
 * kernel code attaches claims the group's DMA, as VFIO does; when the last one is
 * detached, the group goes back.
 */
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../core/domain.h"
#include "../core/fault.h"
#include "../core/device.h"
#include "wdk.h"

/**
 * struct wdk_device - a PDO that is attached
 * @node: in wdk_devices
 * @pdo: the PDO
 * @domain: the domain
 * @group: its group; a claim for each device
 * @device: the device
 * @faults: who is told of its faults, or NULL
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

/* Guards the list; taken before wdm_owner.lock and wdm_group.lock. */
static DEFINE_MUTEX(wdk_lock);
static LIST_HEAD(wdk_devices);
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
		/* The list's claim is enough. */
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
	wdm_fault_unregister(wdev->device);
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

/* Contract: IommuDeviceAttach. */
NTSTATUS wdk_attach_device(PIOMMU_DMA_DOMAIN Domain,
			   PDEVICE_OBJECT PhysicalDeviceObject,
			   ULONG InputMappingIdBase, ULONG MappingCount)
{
	struct iommu_group *iommu_group;
	NTSTATUS status;

	if (InputMappingIdBase)
		return STATUS_INVALID_PARAMETER_3;
	if (MappingCount != 1)
		return STATUS_INVALID_PARAMETER_4;
	iommu_group = iommu_group_get(PhysicalDeviceObject);
	if (!iommu_group)
		return STATUS_NOT_FOUND;

	mutex_lock(&wdk_lock);
	if (wdk_find(PhysicalDeviceObject))
		status = STATUS_INVALID_PARAMETER;
	else
		status = wdk_attach_in_group(Domain, PhysicalDeviceObject,
					     iommu_group);
	mutex_unlock(&wdk_lock);
	iommu_group_put(iommu_group);
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

/*
 * Contract: IommuQueryInputMappings. Stream IDs exist on ARM64 only; everywhere
 * else the answer is Windows', too.
 */
NTSTATUS wdk_query_input_mappings(PDEVICE_OBJECT PhysicalDeviceObject,
				  PINPUT_MAPPING_ELEMENT Buffer,
				  ULONG BufferLength, PULONG ReturnLength)
{
	struct iommu_fwspec *fwspec =
		dev_iommu_fwspec_get(PhysicalDeviceObject);
	ULONG need;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_ARM64) || !fwspec || !fwspec->num_ids)
		return STATUS_UNSUCCESSFUL;

	need = fwspec->num_ids * sizeof(*Buffer);
	if (ReturnLength)
		*ReturnLength = need;
	if (BufferLength < need)
		return STATUS_BUFFER_TOO_SMALL;
	for (i = 0; i < fwspec->num_ids; i++)
		Buffer[i].InputMappingId = fwspec->ids[i];
	return STATUS_SUCCESS;
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
		wdm_fault_unregister(wdev->device);
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
	/* The one that there was is not running any more. */
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

/**
 * wdk_init() - Get ready for kernel code
 *
 * Return: 0 or -ENOMEM.
 */
int wdk_init(void)
{
	wdk_owner = wdm_owner_create(false);
	return wdk_owner ? 0 : -ENOMEM;
}

/**
 * wdk_exit() - No module uses the table any more
 */
void wdk_exit(void)
{
	WARN_ON(!list_empty(&wdk_devices));
	wdm_owner_close(wdk_owner);
	wdm_owner_put(wdk_owner);
}
