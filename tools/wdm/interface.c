// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * IoGetIommuInterface() in a program, and the open /dev/wdm_iommu that its functions use.
 */
#include <errno.h>

#include "private.h"

pthread_mutex_t wdk_lock = PTHREAD_MUTEX_INITIALIZER;

static pthread_once_t opened = PTHREAD_ONCE_INIT;
static struct wdm_iommu_info info;
static int fd = -1;

static void open_once(void)
{
	fd = wdm_open();
	if (fd >= 0)
		wdm_info(fd, &info);
}

/**
 * wdk_fd() - the program's /dev/wdm_iommu
 *
 * Return: a file descriptor; -1 if it cannot be opened.
 */
int wdk_fd(void)
{
	pthread_once(&opened, open_once);
	return fd;
}

/**
 * wdk_info() - what the kernel offers
 *
 * Return: the answer; zeroed if there is none.
 */
const struct wdm_iommu_info *wdk_info(void)
{
	wdk_fd();
	return &info;
}

/**
 * wdk_status() - the answer of a function, from that of an ioctl
 * @status: what the ioctl left
 *
 * Return: the same; STATUS_UNSUCCESSFUL if it left none.
 */
NTSTATUS wdk_status(__u32 status)
{
	return status == WDM_STATUS_NONE ? STATUS_UNSUCCESSFUL : (NTSTATUS)status;
}

/**
 * wdk_call() - do an ioctl
 * @request: WDM_IOMMU_*
 * @argument: its structure
 *
 * Return: its answer.
 */
NTSTATUS wdk_call(unsigned long request, void *argument)
{
	return wdk_status(wdm_call(wdk_fd(), request, argument));
}

/**
 * wdk_contains() - is an object in a list?
 * @head: the list; wdk_lock is held
 * @entry: the object's link, which may be anything
 *
 * Return: whether it is.
 */
bool wdk_contains(const LIST_ENTRY *head, const LIST_ENTRY *entry)
{
	const LIST_ENTRY *e;

	for (e = head->Flink; e != head; e = e->Flink)
		if (e == entry)
			return true;
	return false;
}

static const DMA_IOMMU_INTERFACE version_1 = {
	.Version = DMA_IOMMU_INTERFACE_VERSION_1,
	.V1 = {
		.CreateDomain = wdk_create_domain,
		.DeleteDomain = wdk_delete_domain,
		.AttachDevice = wdk_attach_device,
		.DetachDevice = wdk_detach_device,
		.FlushDomain = wdk_flush_domain,
		.FlushDomainByVaList = wdk_flush_domain_va_list,
		.QueryInputMappings = wdk_query_input_mappings,
		.MapLogicalRange = wdk_map_logical_range,
		.UnmapLogicalRange = wdk_unmap_logical_range,
		.MapIdentityRange = wdk_map_identity_range,
		.UnmapIdentityRange = wdk_unmap_identity_range,
		.SetDeviceFaultReporting = wdk_set_device_fault_reporting,
		.ConfigureDomain = wdk_configure_domain,
	},
};

static const DMA_IOMMU_INTERFACE_V3 version_3 = {
	.CreateDomainEx = wdk_create_domain_ex,
	.DeleteDomain = wdk_delete_domain,
	.AttachDeviceEx = wdk_attach_device_ex,
	.DetachDeviceEx = wdk_detach_device_ex,
	.FlushDomain = wdk_flush_domain,
	.FlushDomainByVaList = wdk_flush_domain_va_list,
	.QueryInputMappings = wdk_query_input_mappings,
	.MapLogicalRangeEx = wdk_map_logical_range_ex,
	.UnmapLogicalRange = wdk_unmap_logical_range,
	.MapIdentityRangeEx = wdk_map_identity_range_ex,
	.UnmapIdentityRangeEx = wdk_unmap_identity_range_ex,
	.SetDeviceFaultReportingEx = wdk_set_device_fault_reporting_ex,
	.ConfigureDomain = wdk_configure_domain,
	.QueryAvailableDomainTypes = wdk_query_available_domain_types,
	.RegisterInterfaceStateChangeCallback = wdk_register_state_change,
	.UnregisterInterfaceStateChangeCallback = wdk_unregister_state_change,
	.ReserveLogicalAddressRange = wdk_reserve_logical_address_range,
	.FreeReservedLogicalAddressRange = wdk_free_reserved_logical_address_range,
	.MapReservedLogicalRange = wdk_map_reserved_logical_range,
	.UnmapReservedLogicalRange = wdk_unmap_reserved_logical_range,
	.CreateDevice = wdk_create_device,
	.DeleteDevice = wdk_delete_device,
	.CreatePasidDevice = wdk_create_pasid_device,
	.DeletePasidDevice = wdk_delete_pasid_device,
	.AttachPasidDevice = wdk_attach_pasid_device,
	.DetachPasidDevice = wdk_detach_pasid_device,
	.QueryDeviceInfo = wdk_query_device_info,
};

/**
 * IoGetIommuInterface() - the table of functions of a version
 * @Version: DMA_IOMMU_INTERFACE_VERSION_1
 * @InterfaceOut: out: the table
 *
 * Contract: IoGetIommuInterface.
 *
 * Return: STATUS_SUCCESS; STATUS_NOT_SUPPORTED for a version that is not there, or if
 * /dev/wdm_iommu cannot be opened, with errno. Then nothing is written.
 */
NTSTATUS IoGetIommuInterface(ULONG Version, PDMA_IOMMU_INTERFACE InterfaceOut)
{
	wdm_port_passive(__func__);
	if (Version != DMA_IOMMU_INTERFACE_VERSION_1 || wdk_fd() < 0)
		return STATUS_NOT_SUPPORTED;
	*InterfaceOut = version_1;
	return STATUS_SUCCESS;
}

/**
 * IoGetIommuInterfaceEx() - get the table of functions of a version
 * @Version: DMA_IOMMU_INTERFACE_EX_VERSION_1, _2 or _3; 3 only on kernels that can attach
 *	PASIDs
 * @Flags: must be 0
 * @InterfaceOut: out: the table, and how many bytes of the structure it fills
 *
 * Contract: IoGetIommuInterfaceEx.
 *
 * Return: STATUS_SUCCESS, or without having written anything:
 *
 * * STATUS_INVALID_PARAMETER_1: there is no such version
 * * STATUS_INVALID_PARAMETER_2: @Flags
 * * STATUS_NOT_SUPPORTED: /dev/wdm_iommu cannot be opened; errno says why
 */
NTSTATUS IoGetIommuInterfaceEx(ULONG Version, ULONGLONG Flags,
			       PDMA_IOMMU_INTERFACE_EX InterfaceOut)
{
	wdm_port_passive(__func__);
	if (wdk_fd() < 0)
		return STATUS_NOT_SUPPORTED;
	if (!Version || Version > wdk_info()->interface_version ||
	    Version > DMA_IOMMU_INTERFACE_EX_VERSION_MAX)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags)
		return STATUS_INVALID_PARAMETER_2;

	InterfaceOut->Version = Version;
	InterfaceOut->Size = offsetof(DMA_IOMMU_INTERFACE_EX, V1);
	if (Version == DMA_IOMMU_INTERFACE_EX_VERSION_1) {
		InterfaceOut->V1 = version_1.V1;
		InterfaceOut->Size += sizeof(InterfaceOut->V1);
	} else if (Version == DMA_IOMMU_INTERFACE_EX_VERSION_2) {
		/* Version 3 is version 2 and five functions. */
		memcpy(&InterfaceOut->V2, &version_3, sizeof(InterfaceOut->V2));
		InterfaceOut->Size += sizeof(InterfaceOut->V2);
	} else {
		InterfaceOut->V3 = version_3;
		InterfaceOut->Size += sizeof(InterfaceOut->V3);
	}
	return STATUS_SUCCESS;
}
