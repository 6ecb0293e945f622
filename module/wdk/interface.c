// SPDX-License-Identifier: GPL-2.0
/*
 * IoGetIommuInterface() and IoGetIommuInterfaceEx().
 */
#include <linux/kernel.h>

#include "wdk.h"
#include "tables.h"

/* The highest version: version 3 needs a kernel that can attach PASIDs. */
#define WDK_VERSION_MAX	(WDM_HAS_PASIDS ? DMA_IOMMU_INTERFACE_EX_VERSION_3 : \
					  DMA_IOMMU_INTERFACE_EX_VERSION_2)

/* Version 3 is version 2 followed by five functions. */
static_assert(offsetofend(DMA_IOMMU_INTERFACE_V3, DeleteDevice) ==
	      sizeof(DMA_IOMMU_INTERFACE_V2));

/**
 * IoGetIommuInterface() - Get the table of functions of version 1
 * @Version: DMA_IOMMU_INTERFACE_VERSION_1
 * @InterfaceOut: out: the table
 *
 * Contract: IoGetIommuInterface.
 *
 * Return: STATUS_SUCCESS; STATUS_NOT_SUPPORTED for any other version, with nothing
 * written.
 */
NTSTATUS IoGetIommuInterface(ULONG Version, PDMA_IOMMU_INTERFACE InterfaceOut)
{
	might_sleep();
	if (Version != DMA_IOMMU_INTERFACE_VERSION_1)
		return STATUS_NOT_SUPPORTED;
	*InterfaceOut = wdk_interface_v1;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_NS_GPL(IoGetIommuInterface, WDM_IOMMU_NS);

/**
 * IoGetIommuInterfaceEx() - Get the table of functions of version 1, 2 or 3
 * @Version: DMA_IOMMU_INTERFACE_EX_VERSION_1, _2 or _3; 3 only on kernels that can attach
 *	PASIDs
 * @Flags: must be 0
 * @InterfaceOut: out: the table, and how many bytes of the structure it fills; the rest
 *	is not written
 *
 * Contract: IoGetIommuInterfaceEx. Code that supports several versions asks for the
 * highest first, and then for lower ones until a call succeeds.
 *
 * Context: may sleep, as in the contract.
 * Return: STATUS_SUCCESS; otherwise nothing is written:
 *
 * * STATUS_INVALID_PARAMETER_1: there is no such version
 * * STATUS_INVALID_PARAMETER_2: @Flags
 */
NTSTATUS IoGetIommuInterfaceEx(ULONG Version, ULONGLONG Flags,
			       PDMA_IOMMU_INTERFACE_EX InterfaceOut)
{
	might_sleep();
	if (!Version || Version > WDK_VERSION_MAX)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags)
		return STATUS_INVALID_PARAMETER_2;

	InterfaceOut->Version = Version;
	switch (Version) {
	case DMA_IOMMU_INTERFACE_EX_VERSION_1:
		InterfaceOut->Size = offsetofend(DMA_IOMMU_INTERFACE_EX, V1);
		InterfaceOut->V1 = wdk_interface_v1.V1;
		break;
	case DMA_IOMMU_INTERFACE_EX_VERSION_2:
		InterfaceOut->Size = offsetofend(DMA_IOMMU_INTERFACE_EX, V2);
		memcpy(&InterfaceOut->V2, &wdk_interface_v3,
		       sizeof(InterfaceOut->V2));
		break;
	case DMA_IOMMU_INTERFACE_EX_VERSION_3:
		InterfaceOut->Size = offsetofend(DMA_IOMMU_INTERFACE_EX, V3);
		InterfaceOut->V3 = wdk_interface_v3;
		break;
	}
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_NS_GPL(IoGetIommuInterfaceEx, WDM_IOMMU_NS);
