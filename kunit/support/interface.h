/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All functions of the interface: by name, and in one table.
 */
#ifndef WDM_KUNIT_INTERFACE_H
#define WDM_KUNIT_INTERFACE_H

#ifdef __KERNEL__
#include <linux/string.h>

#include "../../module/status.h"
#include "../../module/wdk/wdk.h"
#else
#include <string.h>
#endif

#include <wdm.h>

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

/* Get the table of the highest version, with NULL for functions that version 2 lacks. */
static inline void interface_get(DMA_IOMMU_INTERFACE_V3 *io)
{
	DMA_IOMMU_INTERFACE_EX ex;

	memset(io, 0, sizeof(*io));
	if (NT_SUCCESS(IoGetIommuInterfaceEx(DMA_IOMMU_INTERFACE_EX_VERSION_3, 0, &ex))) {
		*io = ex.V3;
		return;
	}
	if (NT_SUCCESS(IoGetIommuInterfaceEx(DMA_IOMMU_INTERFACE_EX_VERSION_2, 0, &ex)))
		memcpy(io, &ex.V2, sizeof(ex.V2));
}

#endif /* WDM_KUNIT_INTERFACE_H */
