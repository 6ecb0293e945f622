/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * The DMA remapping interface in the WDK's own spelling, for kernel code that
 * comes from Windows. Names, types and the order of members are the contract's;
 * this is the only header that has them.
 *
 * A PDEVICE_OBJECT is a struct device. Kernel code that attaches a device owns
 * its DMA from then on: the device has no driver, or a driver that declares
 * driver_managed_dma. All functions may sleep, except where said otherwise.
 */
#ifndef _WDM_H
#define _WDM_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/mm.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <linux/wdm_ntstatus.h>

/* Plain types */

typedef ntstatus_t NTSTATUS;
typedef u8 BOOLEAN;
typedef u16 USHORT;
typedef s16 CSHORT;
typedef u32 ULONG;
typedef u64 ULONGLONG;
typedef u64 ULONG64;
typedef size_t SIZE_T;
typedef void *PVOID;
typedef ULONG *PULONG;
typedef unsigned long PFN_NUMBER;
typedef PFN_NUMBER *PPFN_NUMBER;
typedef struct device *PDEVICE_OBJECT;
typedef struct _IRP *PIRP;

typedef union _LARGE_INTEGER {
	s64 QuadPart;
} LARGE_INTEGER, PHYSICAL_ADDRESS;

#ifndef TRUE
#define TRUE	1
#define FALSE	0
#endif

#define NT_SUCCESS(Status)	((__force s32)(Status) >= 0)

/* MDLs of kernel memory */

/**
 * struct _MDL - memory, as page frames; the frames follow the structure
 * @Next: the contract's; NULL
 * @Size: bytes of the structure with its frames, as far as they can be told
 * @MdlFlags: MDL_*
 * @Process: the contract's; NULL
 * @MappedSystemVa: kernel address of the first byte
 * @StartVa: the page that it is in
 * @ByteCount: bytes
 * @ByteOffset: where in @StartVa they start
 */
typedef struct _MDL {
	struct _MDL *Next;
	CSHORT Size;
	CSHORT MdlFlags;
	PVOID Process;
	PVOID MappedSystemVa;
	PVOID StartVa;
	ULONG ByteCount;
	ULONG ByteOffset;
} MDL, *PMDL;

static_assert(sizeof(MDL) == 0x30);

#define MDL_SOURCE_IS_NONPAGED_POOL	0x0004

#define MmGetMdlByteCount(Mdl)		((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl)		((Mdl)->ByteOffset)
#define MmGetMdlPfnArray(Mdl)		((PPFN_NUMBER)((Mdl) + 1))

static inline PVOID MmGetMdlVirtualAddress(const MDL *Mdl)
{
	return Mdl->StartVa + Mdl->ByteOffset;
}

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp);
void MmBuildMdlForNonPagedPool(PMDL Mdl);
void IoFreeMdl(PMDL Mdl);

/* Domains and their configuration */

typedef struct _IOMMU_DMA_DOMAIN *PIOMMU_DMA_DOMAIN;

typedef enum _DOMAIN_CONFIGURATION_TYPE {
	DomainConfigurationArm64 = 0,
	DomainConfigurationX64,
	DomainConfigurationInvalid,
} DOMAIN_CONFIGURATION_TYPE;

typedef struct _DOMAIN_CONFIGURATION_ARM64 {
	PHYSICAL_ADDRESS Ttbr0;
	PHYSICAL_ADDRESS Ttbr1;
	ULONG Mair0;
	ULONG Mair1;
	u8 InputSize0;
	u8 InputSize1;
	BOOLEAN CoherentTableWalks;
	BOOLEAN TranslationEnabled;
} DOMAIN_CONFIGURATION_ARM64, *PDOMAIN_CONFIGURATION_ARM64;

typedef struct _DOMAIN_CONFIGURATION_X64 {
	PHYSICAL_ADDRESS FirstLevelPageTableRoot;
	BOOLEAN TranslationEnabled;
} DOMAIN_CONFIGURATION_X64, *PDOMAIN_CONFIGURATION_X64;

typedef struct _DOMAIN_CONFIGURATION {
	DOMAIN_CONFIGURATION_TYPE Type;
	union {
		DOMAIN_CONFIGURATION_ARM64 Arm64;
		DOMAIN_CONFIGURATION_X64 X64;
	};
} DOMAIN_CONFIGURATION, *PDOMAIN_CONFIGURATION;

typedef struct _INPUT_MAPPING_ELEMENT {
	ULONG InputMappingId;
} INPUT_MAPPING_ELEMENT, *PINPUT_MAPPING_ELEMENT;

/* Faults */

typedef enum _FAULT_INFORMATION_ARCH {
	FaultInformationInvalid = 0,
	FaultInformationArm64,
	FaultInformationX64,
} FAULT_INFORMATION_ARCH;

typedef enum _FAULT_INFORMATION_X64_TYPE {
	UnsupportedUpstreamTransaction = 0,
	AddressSizeFault,
	TlbMatchConflict,
	ExternalFault,
	PermissionFault,
	AccessFlagFault,
	TranslationFault,
} FAULT_INFORMATION_X64_TYPE, FAULT_INFORMATION_ARM64_TYPE;

/* Bits of FAULT_INFORMATION_X64.Flags and FAULT_INFORMATION_ARM64.Flags */
#define FAULT_X64_ADDRESS_VALID		0x1
#define FAULT_ARM64_WRITE_NOT_READ	0x1
#define FAULT_ARM64_INSTRUCTION		0x2
#define FAULT_ARM64_PRIVILEGED		0x4
#define FAULT_ARM64_ADDRESS_VALID	0x8

typedef struct _FAULT_INFORMATION_X64 {
	PVOID DomainHandle;
	PVOID FaultAddress;
	ULONG Flags;
	FAULT_INFORMATION_X64_TYPE Type;
	ULONG64 IommuBaseAddress;
	ULONG PciSegment;
} FAULT_INFORMATION_X64, *PFAULT_INFORMATION_X64;

static_assert(sizeof(FAULT_INFORMATION_X64) == 0x28);

typedef struct _FAULT_INFORMATION_ARM64 {
	PVOID DomainHandle;
	PVOID FaultAddress;
	PDEVICE_OBJECT PhysicalDeviceObject;
	ULONG InputMappingId;
	ULONG Flags;
	FAULT_INFORMATION_ARM64_TYPE Type;
	ULONG64 IommuBaseAddress;
} FAULT_INFORMATION_ARM64, *PFAULT_INFORMATION_ARM64;

typedef struct _FAULT_INFORMATION {
	FAULT_INFORMATION_ARCH Type;
	union {
		FAULT_INFORMATION_ARM64 Arm64;
		FAULT_INFORMATION_X64 X64;
	};
} FAULT_INFORMATION, *PFAULT_INFORMATION;

typedef void IOMMU_DEVICE_FAULT_HANDLER(PVOID Context,
					PFAULT_INFORMATION FaultInformation);
typedef IOMMU_DEVICE_FAULT_HANDLER *PIOMMU_DEVICE_FAULT_HANDLER;

typedef struct _DEVICE_FAULT_CONFIGURATION {
	PIOMMU_DEVICE_FAULT_HANDLER FaultHandler;
	PVOID FaultContext;
} DEVICE_FAULT_CONFIGURATION, *PDEVICE_FAULT_CONFIGURATION;

/*
 * The functions of version 1. A fault handler may sleep, but must not call
 * AttachDevice, DetachDevice or SetDeviceFaultReporting: those wait for it.
 */

typedef NTSTATUS IOMMU_DOMAIN_CREATE(BOOLEAN OsManagedPageTable,
				     PIOMMU_DMA_DOMAIN *DomainOut);
typedef NTSTATUS IOMMU_DOMAIN_DELETE(PIOMMU_DMA_DOMAIN Domain);
typedef NTSTATUS IOMMU_DOMAIN_ATTACH_DEVICE(PIOMMU_DMA_DOMAIN Domain,
					    PDEVICE_OBJECT PhysicalDeviceObject,
					    ULONG InputMappingIdBase,
					    ULONG MappingCount);
typedef NTSTATUS IOMMU_DOMAIN_DETACH_DEVICE(PIOMMU_DMA_DOMAIN Domain,
					    PDEVICE_OBJECT PhysicalDeviceObject,
					    ULONG InputMappingId);
typedef NTSTATUS IOMMU_FLUSH_DOMAIN(PIOMMU_DMA_DOMAIN Domain);
typedef NTSTATUS IOMMU_FLUSH_DOMAIN_VA_LIST(PIOMMU_DMA_DOMAIN Domain,
					    BOOLEAN LastLevel, ULONG Number,
					    PVOID VaList);
typedef NTSTATUS
IOMMU_QUERY_INPUT_MAPPINGS(PDEVICE_OBJECT PhysicalDeviceObject,
			   PINPUT_MAPPING_ELEMENT Buffer, ULONG BufferLength,
			   PULONG ReturnLength);
typedef NTSTATUS IOMMU_MAP_LOGICAL_RANGE(PIOMMU_DMA_DOMAIN Domain,
					 ULONG Permissions, PMDL Mdl,
					 ULONGLONG LogicalAddress);
typedef NTSTATUS IOMMU_UNMAP_LOGICAL_RANGE(PIOMMU_DMA_DOMAIN Domain,
					   ULONGLONG LogicalAddress,
					   ULONGLONG NumberOfPages);
typedef NTSTATUS IOMMU_MAP_IDENTITY_RANGE(PIOMMU_DMA_DOMAIN Domain,
					  ULONG Permissions, PMDL Mdl);
typedef NTSTATUS IOMMU_UNMAP_IDENTITY_RANGE(PIOMMU_DMA_DOMAIN Domain, PMDL Mdl);
typedef NTSTATUS
IOMMU_SET_DEVICE_FAULT_REPORTING(PDEVICE_OBJECT PhysicalDeviceObject,
				 ULONG InputMappingIdBase, BOOLEAN Enable,
				 PDEVICE_FAULT_CONFIGURATION FaultConfig);
typedef NTSTATUS IOMMU_DOMAIN_CONFIGURE(PIOMMU_DMA_DOMAIN Domain,
					PDOMAIN_CONFIGURATION Configuration);

/* Permissions of a map */
#define IOMMU_PERMISSION_READ	0x1
#define IOMMU_PERMISSION_WRITE	0x2

#define DMA_IOMMU_INTERFACE_VERSION_1	1

/* The members of version 1 are V1 together, and members of the table, too. */
typedef struct _DMA_IOMMU_INTERFACE {
	ULONG Version;
	struct_group_tagged(_DMA_IOMMU_INTERFACE_V1, V1,
		IOMMU_DOMAIN_CREATE *CreateDomain;
		IOMMU_DOMAIN_DELETE *DeleteDomain;
		IOMMU_DOMAIN_ATTACH_DEVICE *AttachDevice;
		IOMMU_DOMAIN_DETACH_DEVICE *DetachDevice;
		IOMMU_FLUSH_DOMAIN *FlushDomain;
		IOMMU_FLUSH_DOMAIN_VA_LIST *FlushDomainByVaList;
		IOMMU_QUERY_INPUT_MAPPINGS *QueryInputMappings;
		IOMMU_MAP_LOGICAL_RANGE *MapLogicalRange;
		IOMMU_UNMAP_LOGICAL_RANGE *UnmapLogicalRange;
		IOMMU_MAP_IDENTITY_RANGE *MapIdentityRange;
		IOMMU_UNMAP_IDENTITY_RANGE *UnmapIdentityRange;
		IOMMU_SET_DEVICE_FAULT_REPORTING *SetDeviceFaultReporting;
		IOMMU_DOMAIN_CONFIGURE *ConfigureDomain;
	);
} DMA_IOMMU_INTERFACE, *PDMA_IOMMU_INTERFACE;

typedef struct _DMA_IOMMU_INTERFACE_V1 DMA_IOMMU_INTERFACE_V1;
typedef struct _DMA_IOMMU_INTERFACE_V1 *PDMA_IOMMU_INTERFACE_V1;

static_assert(sizeof(DMA_IOMMU_INTERFACE_V1) == 0x68);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V1, ConfigureDomain) == 0x60);
static_assert(offsetof(DMA_IOMMU_INTERFACE, CreateDomain) == 8);
static_assert(sizeof(DMA_IOMMU_INTERFACE) == 8 + 0x68);

NTSTATUS IoGetIommuInterface(ULONG Version, PDMA_IOMMU_INTERFACE InterfaceOut);

#endif /* _WDM_H */
