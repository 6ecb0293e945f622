// SPDX-License-Identifier: GPL-2.0
/*
 * Fault reporting of kernel code.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "../core/fault.h"
#include "device.h"

/**
 * struct wdk_faults - fault reporting of a device
 * @device: the device, which is attached as long as the handler may be called
 * @config: the handler; does not change while it may be called
 */
struct wdk_faults {
	PIOMMU_DMA_DEVICE device;
	DEVICE_FAULT_CONFIGURATION config;
};

/* Pass a fault on, converted to the contract's structure. */
static void wdk_fault(void *context, const struct wdm_fault *fault)
{
	struct wdk_faults *faults = context;
	FAULT_INFORMATION info = {
		.Type = FaultInformationX64,
		.X64 = {
			.DomainHandle = faults->device->domain,
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

/**
 * wdk_set_faults() - Replace or end a device's fault reporting
 * @DmaDevice: the device; its lock is held, and it has a user
 * @config: the new handler; NULL: end reporting
 *
 * When it returns, the old handler has returned.
 *
 * Return: as wdm_fault_register().
 */
NTSTATUS wdk_set_faults(PIOMMU_DMA_DEVICE DmaDevice,
			const DEVICE_FAULT_CONFIGURATION *config)
{
	struct wdk_faults *faults = NULL;
	NTSTATUS status;

	if (!config) {
		status = wdm_fault_unregister(DmaDevice->device);
		if (!wdm_ok(status))
			return status;
	} else {
		faults = kzalloc(sizeof(*faults), GFP_KERNEL);
		if (!faults)
			return STATUS_INSUFFICIENT_RESOURCES;
		faults->device = DmaDevice;
		faults->config = *config;
		status = wdm_fault_register(DmaDevice->device, wdk_fault, faults);
		if (!wdm_ok(status)) {
			kfree(faults);
			return status;
		}
	}
	/* The old handler has returned. */
	kfree(DmaDevice->faults);
	DmaDevice->faults = faults;
	return STATUS_SUCCESS;
}

static NTSTATUS wdk_check_faults(ULONG InputMappingIdBase, BOOLEAN Enable,
				 PDEVICE_FAULT_CONFIGURATION FaultConfig)
{
	if (InputMappingIdBase)
		return STATUS_INVALID_PARAMETER_2;
	if (Enable && (!FaultConfig || !FaultConfig->FaultHandler))
		return STATUS_INVALID_PARAMETER_4;
	return STATUS_SUCCESS;
}

/* Unlocks @dev. If @dev is NULL, returns @none. */
static NTSTATUS wdk_report_faults(PIOMMU_DMA_DEVICE dev, ULONG InputMappingIdBase,
				  BOOLEAN Enable, PDEVICE_FAULT_CONFIGURATION FaultConfig,
				  NTSTATUS none)
{
	NTSTATUS status = wdk_check_faults(InputMappingIdBase, Enable, FaultConfig);

	if (!dev)
		return wdm_ok(status) ? none : status;
	if (wdm_ok(status))
		status = dev->domain ? wdk_set_faults(dev, Enable ? FaultConfig : NULL) :
				       STATUS_INVALID_PARAMETER_1;
	wdk_device_unlock(dev);
	return status;
}

/*
 * Contract: IommuSetDeviceFaultReporting. The handler may sleep. It must not call functions
 * on its device except the queries: the others take the device's lock, which a detach
 * holds while it waits for the handler.
 */
NTSTATUS wdk_set_device_fault_reporting(PDEVICE_OBJECT PhysicalDeviceObject,
					ULONG InputMappingIdBase,
					BOOLEAN Enable,
					PDEVICE_FAULT_CONFIGURATION FaultConfig)
{
	might_sleep();
	return wdk_report_faults(wdk_device_lock_pdo(PhysicalDeviceObject),
				 InputMappingIdBase, Enable, FaultConfig,
				 STATUS_INVALID_PARAMETER_1);
}

/*
 * Contract: IommuSetDeviceFaultReportingEx, which Windows does not implement. Same as that
 * of version 1.
 */
NTSTATUS wdk_set_device_fault_reporting_ex(PIOMMU_DMA_DEVICE DmaDevice,
					   ULONG InputMappingIdBase,
					   BOOLEAN Enable,
					   PDEVICE_FAULT_CONFIGURATION FaultConfig)
{
	might_sleep();
	return wdk_report_faults(wdk_device_lock(DmaDevice), InputMappingIdBase, Enable,
				 FaultConfig, STATUS_INVALID_HANDLE);
}
