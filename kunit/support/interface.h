/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All functions of the interface: by name, and in one table.
 */
#ifndef WDM_KUNIT_INTERFACE_H
#define WDM_KUNIT_INTERFACE_H

#include <linux/string.h>

#include <wdm.h>

#include "../../module/status.h"
#include "../../module/wdk/wdk.h"

/* The members of the tables, in their order */
#define INTERFACE_V1(X)							\
	X(CreateDomain) X(DeleteDomain) X(AttachDevice)			\
	X(DetachDevice) X(FlushDomain) X(FlushDomainByVaList)		\
	X(QueryInputMappings) X(MapLogicalRange) X(UnmapLogicalRange)	\
	X(MapIdentityRange) X(UnmapIdentityRange)			\
	X(SetDeviceFaultReporting) X(ConfigureDomain)

#define INTERFACE_V2(X)							\
	X(CreateDomainEx) X(DeleteDomain) X(AttachDeviceEx)		\
	X(DetachDeviceEx) X(FlushDomain) X(FlushDomainByVaList)		\
	X(QueryInputMappings) X(MapLogicalRangeEx) X(UnmapLogicalRange)	\
	X(MapIdentityRangeEx) X(UnmapIdentityRangeEx)			\
	X(SetDeviceFaultReportingEx) X(ConfigureDomain)			\
	X(QueryAvailableDomainTypes)					\
	X(RegisterInterfaceStateChangeCallback)				\
	X(UnregisterInterfaceStateChangeCallback)			\
	X(ReserveLogicalAddressRange)					\
	X(FreeReservedLogicalAddressRange)				\
	X(MapReservedLogicalRange) X(UnmapReservedLogicalRange)		\
	X(CreateDevice) X(DeleteDevice)

#define INTERFACE_V3(X)							\
	INTERFACE_V2(X) X(CreatePasidDevice) X(DeletePasidDevice)		\
	X(AttachPasidDevice) X(DetachPasidDevice) X(QueryDeviceInfo)

/*
 * The table of the highest version. As long as the entry point has no more than version 1,
 * the functions of the others that are there, and NULL for the rest.
 */
static inline void interface_get(DMA_IOMMU_INTERFACE_V3 *io)
{
	DMA_IOMMU_INTERFACE_EX ex;

	memset(io, 0, sizeof(*io));
	if (wdm_ok(IoGetIommuInterfaceEx(DMA_IOMMU_INTERFACE_EX_VERSION_3, 0, &ex))) {
		*io = ex.V3;
		return;
	}
	if (wdm_ok(IoGetIommuInterfaceEx(DMA_IOMMU_INTERFACE_EX_VERSION_2, 0, &ex))) {
		memcpy(io, &ex.V2, sizeof(ex.V2));
		return;
	}
	io->AttachDeviceEx = wdk_attach_device_ex;
	io->DetachDeviceEx = wdk_detach_device_ex;
	io->SetDeviceFaultReportingEx = wdk_set_device_fault_reporting_ex;
	io->QueryAvailableDomainTypes = wdk_query_available_domain_types;
	io->RegisterInterfaceStateChangeCallback = wdk_register_state_change;
	io->UnregisterInterfaceStateChangeCallback = wdk_unregister_state_change;
	io->CreateDevice = wdk_create_device;
	io->DeleteDevice = wdk_delete_device;
	io->CreatePasidDevice = wdk_create_pasid_device;
	io->DeletePasidDevice = wdk_delete_pasid_device;
	io->AttachPasidDevice = wdk_attach_pasid_device;
	io->DetachPasidDevice = wdk_detach_pasid_device;
	io->QueryDeviceInfo = wdk_query_device_info;
}

#endif /* WDM_KUNIT_INTERFACE_H */
