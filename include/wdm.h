/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * The DMA remapping interface in the WDK's spelling, for code from Windows. Names, types,
 * values and the order of members are those of the contract, versions 1 to 3; the layouts
 * are asserted below. wdm_port.h has the rest of the WDK that such code usually needs.
 *
 * For programs, libwdm.a implements the functions (docs/windows-user-space.md). The
 * following is about the kernel.
 *
 * A PDEVICE_OBJECT is a struct device on the PCI or the platform bus. Attaching a device
 * claims its DMA: the device has no driver, or a driver that sets driver_managed_dma. A
 * device that is removed while attached is detached. All functions may sleep, unless stated
 * otherwise; no signal ends them.
 *
 * Version 2 names a device by the result of CreateDevice, one per PDO. A device has one
 * attachment, whether it is named by that or by its PDO (version 1). CreateDevice does
 * not affect the device's DMA: the first attach or PASID claims it, and the last one to end
 * releases it. When the PDO is removed the handle stays valid, its available types are 0,
 * and attaches return STATUS_DEVICE_REMOVED. Deleted handles are STATUS_INVALID_HANDLE.
 *
 * Version 3 needs Linux 6.11. A PASID device can be attached if the IOMMU driver can attach
 * page tables to PASIDs; otherwise an attach is STATUS_INVALID_PARAMETER_1.
 *
 * OS-managed domains map page by page: an unmap never disturbs DMA through other
 * pages. Page tables of caller-managed domains contain physical addresses of memory
 * that was online when the domain was created; it cannot go offline until the last such
 * domain is deleted.
 *
 * On ARM64, a platform device has an input mapping for each of its stream IDs,
 * numbered from 0; AttachDevice takes all of them.
 *
 * The symbols are in the namespace WDM_IOMMU: a module that uses them needs
 * MODULE_IMPORT_NS("WDM_IOMMU"), before Linux 6.13 MODULE_IMPORT_NS(WDM_IOMMU).
 */
#ifndef _WDM_H
#define _WDM_H

#include <linux/wdm_ntstatus.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/stddef.h>
#include <linux/types.h>

typedef struct device DEVICE_OBJECT, *PDEVICE_OBJECT;
#else
#include <wdm_user.h>
#endif

/* Plain types; a LONG of Windows has 32 bits everywhere */

#define VOID	void

typedef ntstatus_t NTSTATUS, *PNTSTATUS;
typedef char CHAR, *PCHAR;
typedef __u8 UCHAR, *PUCHAR;
typedef __u8 BOOLEAN, *PBOOLEAN;
typedef __u16 USHORT, *PUSHORT;
typedef __s16 CSHORT;
typedef __s32 LONG, *PLONG;
typedef __u32 ULONG, *PULONG;
typedef __u32 UINT32;
typedef __u64 UINT64;
typedef __s64 LONGLONG, *PLONGLONG;
typedef __u64 ULONGLONG, *PULONGLONG;
typedef __u64 ULONG64, *PULONG64;
typedef unsigned long ULONG_PTR, *PULONG_PTR;
typedef size_t SIZE_T, *PSIZE_T;
typedef void *PVOID;
typedef unsigned long PFN_NUMBER, *PPFN_NUMBER;
typedef struct _IRP *PIRP;

typedef union _LARGE_INTEGER {
	struct {
		ULONG LowPart;
		LONG HighPart;
	};
	struct {
		ULONG LowPart;
		LONG HighPart;
	} u;
	LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER, PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

typedef struct _LIST_ENTRY {
	struct _LIST_ENTRY *Flink;
	struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

#ifndef TRUE
#define TRUE	1
#define FALSE	0
#endif

#define NT_SUCCESS(Status)	((__force __s32)(Status) >= 0)

/* MDLs */

/**
 * struct _MDL - memory, as page frames; the frames follow the structure
 * @Next: not used, NULL
 * @Size: size of the structure with its frames in bytes, at most S16_MAX
 * @MdlFlags: MDL_*
 * @Process: not used, NULL
 * @MappedSystemVa: kernel address of the first byte
 * @StartVa: address of the first page of the buffer
 * @ByteCount: number of bytes
 * @ByteOffset: offset of the first byte from @StartVa
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

#define MDL_MAPPED_TO_SYSTEM_VA		0x0001
#define MDL_PAGES_LOCKED		0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL	0x0004
#define MDL_ALLOCATED_FIXED_SIZE	0x0008
#define MDL_PARTIAL			0x0010
#define MDL_WRITE_OPERATION		0x0080
#define MDL_IO_SPACE			0x0800

/* Not part of the WDK: each of these flags means that the page frames are filled in. */
#define __WDM_MDL_HAS_PAGES \
	(MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL)

#define MmGetMdlByteCount(Mdl)		((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl)		((Mdl)->ByteOffset)
#define MmGetMdlPfnArray(Mdl)		((PPFN_NUMBER)((Mdl) + 1))

static inline PVOID MmGetMdlVirtualAddress(const MDL *Mdl)
{
	return (PCHAR)Mdl->StartVa + Mdl->ByteOffset;
}

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp);
void MmBuildMdlForNonPagedPool(PMDL Mdl);
void IoFreeMdl(PMDL Mdl);

/* Objects: opaque to their users */

typedef struct _IOMMU_DMA_DOMAIN IOMMU_DMA_DOMAIN, *PIOMMU_DMA_DOMAIN;
typedef struct _IOMMU_DMA_DEVICE IOMMU_DMA_DEVICE, *PIOMMU_DMA_DEVICE;
typedef struct _IOMMU_DMA_PASID_DEVICE IOMMU_DMA_PASID_DEVICE;
typedef struct _IOMMU_DMA_PASID_DEVICE *PIOMMU_DMA_PASID_DEVICE;

/* Permissions of a map */

#define IOMMU_ACCESS_NONE	0x00
#define IOMMU_ACCESS_READ	0x01
#define IOMMU_ACCESS_WRITE	0x02

/* Versions of the interface */

#define DMA_IOMMU_INTERFACE_VERSION_1		(1UL)
#define DMA_IOMMU_INTERFACE_VERSION		DMA_IOMMU_INTERFACE_VERSION_1
#define DMA_IOMMU_INTERFACE_EX_VERSION_1	(1UL)
#define DMA_IOMMU_INTERFACE_EX_VERSION_2	(2UL)
#define DMA_IOMMU_INTERFACE_EX_VERSION_3	(3UL)
#define DMA_IOMMU_INTERFACE_EX_VERSION_MIN	DMA_IOMMU_INTERFACE_EX_VERSION_1
#define DMA_IOMMU_INTERFACE_EX_VERSION_MAX	DMA_IOMMU_INTERFACE_EX_VERSION_3
#define DMA_IOMMU_INTERFACE_EX_VERSION		DMA_IOMMU_INTERFACE_EX_VERSION_1

/* Configuration of a domain whose page tables are the caller's */

typedef enum _DOMAIN_CONFIGURATION_ARCH {
	DomainConfigurationArm64,
	DomainConfigurationX64,
	DomainConfigurationInvalid,
} DOMAIN_CONFIGURATION_ARCH, *PDOMAIN_CONFIGURATION_ARCH;

typedef struct _DOMAIN_CONFIGURATION_ARM64 {
	PHYSICAL_ADDRESS Ttbr0;
	PHYSICAL_ADDRESS Ttbr1;
	ULONG Mair0;
	ULONG Mair1;
	UCHAR InputSize0;
	UCHAR InputSize1;
	BOOLEAN CoherentTableWalks;
	BOOLEAN TranslationEnabled;
} DOMAIN_CONFIGURATION_ARM64, *PDOMAIN_CONFIGURATION_ARM64;

typedef struct _DOMAIN_CONFIGURATION_X64 {
	PHYSICAL_ADDRESS FirstLevelPageTableRoot;
	BOOLEAN TranslationEnabled;
} DOMAIN_CONFIGURATION_X64, *PDOMAIN_CONFIGURATION_X64;

typedef struct _DOMAIN_CONFIGURATION {
	DOMAIN_CONFIGURATION_ARCH Type;
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
	FaultInformationInvalid,
	FaultInformationArm64,
	FaultInformationX64,
} FAULT_INFORMATION_ARCH, *PFAULT_INFORMATION_ARCH;

typedef enum _FAULT_INFORMATION_ARM64_TYPE {
	UnsupportedUpstreamTransaction,
	AddressSizeFault,
	TlbMatchConflict,
	ExternalFault,
	PermissionFault,
	AccessFlagFault,
	TranslationFault,
	MaxFaultType,
} FAULT_INFORMATION_ARM64_TYPE, *PFAULT_INFORMATION_ARM64_TYPE;

typedef FAULT_INFORMATION_ARM64_TYPE FAULT_INFORMATION_X64_TYPE;
typedef FAULT_INFORMATION_X64_TYPE *PFAULT_INFORMATION_X64_TYPE;

typedef struct _FAULT_INFORMATION_X64_FLAGS {
	ULONG FaultAddressValid : 1;
	ULONG Reserved : 31;
} FAULT_INFORMATION_X64_FLAGS, *PFAULT_INFORMATION_X64_FLAGS;

typedef struct _FAULT_INFORMATION_ARM64_FLAGS {
	ULONG WriteNotRead : 1;
	ULONG InstructionNotData : 1;
	ULONG Privileged : 1;
	ULONG FaultAddressValid : 1;
	ULONG Reserved : 28;
} FAULT_INFORMATION_ARM64_FLAGS, *PFAULT_INFORMATION_ARM64_FLAGS;

typedef struct _FAULT_INFORMATION_X64 {
	PVOID DomainHandle;
	PVOID FaultAddress;
	FAULT_INFORMATION_X64_FLAGS Flags;
	FAULT_INFORMATION_X64_TYPE Type;
	ULONG64 IommuBaseAddress;
	ULONG PciSegment;
} FAULT_INFORMATION_X64, *PFAULT_INFORMATION_X64;

typedef struct _FAULT_INFORMATION_ARM64 {
	PVOID DomainHandle;
	PVOID FaultAddress;
	PDEVICE_OBJECT PhysicalDeviceObject;
	ULONG InputMappingId;
	FAULT_INFORMATION_ARM64_FLAGS Flags;
	FAULT_INFORMATION_ARM64_TYPE Type;
	ULONG64 IommuBaseAddress;
} FAULT_INFORMATION_ARM64, *PFAULT_INFORMATION_ARM64;

typedef struct _FAULT_INFORMATION {
	FAULT_INFORMATION_ARCH Type;
	BOOLEAN IsStage1;
	union {
		FAULT_INFORMATION_ARM64 Arm64;
		FAULT_INFORMATION_X64 X64;
	};
} FAULT_INFORMATION, *PFAULT_INFORMATION;

typedef VOID IOMMU_DEVICE_FAULT_HANDLER(PVOID Context,
					PFAULT_INFORMATION FaultInformation);
typedef IOMMU_DEVICE_FAULT_HANDLER *PIOMMU_DEVICE_FAULT_HANDLER;

typedef struct _DEVICE_FAULT_CONFIGURATION {
	PIOMMU_DEVICE_FAULT_HANDLER FaultHandler;
	PVOID FaultContext;
} DEVICE_FAULT_CONFIGURATION, *PDEVICE_FAULT_CONFIGURATION;

/* Logical addresses, and how domains of version 2 hand them out */

typedef ULONGLONG IOMMU_DMA_LOGICAL_ADDRESS, *PIOMMU_DMA_LOGICAL_ADDRESS;

typedef enum _IOMMU_DMA_DOMAIN_TYPE {
	DomainTypeTranslate,
	DomainTypePassThrough,
	DomainTypeUnmanaged,
	DomainTypeTranslateS1,
	DomainTypeMax,
} IOMMU_DMA_DOMAIN_TYPE, *PIOMMU_DMA_DOMAIN_TYPE;

typedef union _IOMMU_DMA_DOMAIN_CREATION_FLAGS {
	struct {
		ULONGLONG Reserved : 64;
	};
	ULONGLONG AsUlonglong;
} IOMMU_DMA_DOMAIN_CREATION_FLAGS, *PIOMMU_DMA_DOMAIN_CREATION_FLAGS;

typedef enum _IOMMU_DMA_LOGICAL_ALLOCATOR_TYPE {
	IommuDmaLogicalAllocatorNone,
	IommuDmaLogicalAllocatorBuddy,
	IommuDmaLogicalAllocatorMax,
} IOMMU_DMA_LOGICAL_ALLOCATOR_TYPE, *PIOMMU_DMA_LOGICAL_ALLOCATOR_TYPE;

typedef struct _IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG {
	IOMMU_DMA_LOGICAL_ALLOCATOR_TYPE LogicalAllocatorType;
	union {
		struct {
			ULONG AddressWidth;
		} BuddyAllocatorConfig;
	};
} IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG, *PIOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG;

typedef struct _IOMMU_DMA_RESERVED_REGION {
	struct _IOMMU_DMA_RESERVED_REGION *RegionNext;
	IOMMU_DMA_LOGICAL_ADDRESS Base;
	SIZE_T NumberOfPages;
	BOOLEAN ShouldMap;
} IOMMU_DMA_RESERVED_REGION, *PIOMMU_DMA_RESERVED_REGION;

typedef enum _IOMMU_MAP_PHYSICAL_ADDRESS_TYPE {
	MapPhysicalAddressTypeMdl,
	MapPhysicalAddressTypeContiguousRange,
	MapPhysicalAddressTypePfn,
	MapPhysicalAddressTypeMax,
} IOMMU_MAP_PHYSICAL_ADDRESS_TYPE, *PIOMMU_MAP_PHYSICAL_ADDRESS_TYPE;

typedef struct _IOMMU_MAP_PHYSICAL_ADDRESS {
	IOMMU_MAP_PHYSICAL_ADDRESS_TYPE MapType;
	union {
		struct {
			PMDL Mdl;
		} Mdl;
		struct {
			PHYSICAL_ADDRESS Base;
			SIZE_T Size;
		} ContiguousRange;
		struct {
			PPFN_NUMBER PageFrame;
			SIZE_T NumberOfPages;
		} PfnArray;
	};
} IOMMU_MAP_PHYSICAL_ADDRESS, *PIOMMU_MAP_PHYSICAL_ADDRESS;

typedef struct _IOMMU_DMA_LOGICAL_ADDRESS_TOKEN {
	IOMMU_DMA_LOGICAL_ADDRESS LogicalAddressBase;
	SIZE_T Size;
} IOMMU_DMA_LOGICAL_ADDRESS_TOKEN, *PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN;

typedef struct _IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT {
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN OwningToken;
	SIZE_T Offset;
	SIZE_T Size;
} IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT;
typedef IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT
	*PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT;

/* Changes of what a device may be attached to */

typedef union _IOMMU_INTERFACE_STATE_CHANGE_FIELDS {
	struct {
		ULONG AvailableDomainTypes : 1;
		ULONG Reserved : 31;
	};
	ULONG AsULONG;
} IOMMU_INTERFACE_STATE_CHANGE_FIELDS, *PIOMMU_INTERFACE_STATE_CHANGE_FIELDS;

typedef struct _IOMMU_INTERFACE_STATE_CHANGE {
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS PresentFields;
	ULONG AvailableDomainTypes;
} IOMMU_INTERFACE_STATE_CHANGE, *PIOMMU_INTERFACE_STATE_CHANGE;

typedef VOID IOMMU_INTERFACE_STATE_CHANGE_CALLBACK(PIOMMU_INTERFACE_STATE_CHANGE StateChange,
						   PVOID Context);
typedef IOMMU_INTERFACE_STATE_CHANGE_CALLBACK *PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK;

/* Devices of versions 2 and 3 */

typedef enum _IOMMU_DEVICE_CREATION_CONFIGURATION_TYPE {
	IommuDeviceCreationConfigTypeNone,
	IommuDeviceCreationConfigTypeAcpi,
	IommuDeviceCreationConfigTypeDeviceId,
	IommuDeviceCreationConfigTypePasid,
	IommuDeviceCreationConfigTypeMax,
} IOMMU_DEVICE_CREATION_CONFIGURATION_TYPE, *PIOMMU_DEVICE_CREATION_CONFIGURATION_TYPE;

typedef struct _IOMMU_DEVICE_CREATION_CONFIGURATION_ACPI {
	UINT32 InputMappingBase;
	UINT32 MappingsCount;
} IOMMU_DEVICE_CREATION_CONFIGURATION_ACPI, *PIOMMU_DEVICE_CREATION_CONFIGURATION_ACPI;

typedef enum _IOMMU_PASID_CONFIGURATION_TYPE {
	PasidConfigTypeDefaultPasidOnly,
	PasidConfigTypePasidTaggedDma,
	PasidConfigTypeMax,
} IOMMU_PASID_CONFIGURATION_TYPE, *PIOMMU_PASID_CONFIGURATION_TYPE;

typedef struct _IOMMU_DEVICE_CREATION_CONFIGURATION_PASID {
	IOMMU_PASID_CONFIGURATION_TYPE ConfigType;
	BOOLEAN SuppressPasidFaults;
} IOMMU_DEVICE_CREATION_CONFIGURATION_PASID, *PIOMMU_DEVICE_CREATION_CONFIGURATION_PASID;

typedef struct _IOMMU_DEVICE_CREATION_CONFIGURATION {
	LIST_ENTRY NextConfiguration;
	IOMMU_DEVICE_CREATION_CONFIGURATION_TYPE ConfigType;
	union {
		IOMMU_DEVICE_CREATION_CONFIGURATION_ACPI Acpi;
		PVOID DeviceId;
		IOMMU_DEVICE_CREATION_CONFIGURATION_PASID Pasid;
	};
} IOMMU_DEVICE_CREATION_CONFIGURATION, *PIOMMU_DEVICE_CREATION_CONFIGURATION;

typedef struct _IOMMU_DMA_DEVICE_INFORMATION {
	BOOLEAN DefaultPasidEnabled;
	BOOLEAN PasidTaggedDmaEnabled;
	BOOLEAN PasidFaultsSuppressed;
} IOMMU_DMA_DEVICE_INFORMATION, *PIOMMU_DMA_DEVICE_INFORMATION;

/*
 * Functions. A fault handler may sleep. Of the functions on its device and the device's
 * PASID devices, it may call QueryAvailableDomainTypes and QueryDeviceInfo only: the others
 * wait for a detach, which waits for the handler. A state change callback may sleep, and
 * may call any function except UnregisterInterfaceStateChangeCallback for its device, which
 * waits for it.
 */

/* Version 1 */

typedef NTSTATUS IOMMU_DOMAIN_CREATE(BOOLEAN OsManagedPageTable,
				     PIOMMU_DMA_DOMAIN *DomainOut);
typedef IOMMU_DOMAIN_CREATE *PIOMMU_DOMAIN_CREATE;

typedef NTSTATUS IOMMU_DOMAIN_DELETE(PIOMMU_DMA_DOMAIN Domain);
typedef IOMMU_DOMAIN_DELETE *PIOMMU_DOMAIN_DELETE;

typedef NTSTATUS IOMMU_DOMAIN_ATTACH_DEVICE(PIOMMU_DMA_DOMAIN Domain,
					    PDEVICE_OBJECT PhysicalDeviceObject,
					    ULONG InputMappingIdBase,
					    ULONG MappingCount);
typedef IOMMU_DOMAIN_ATTACH_DEVICE *PIOMMU_DOMAIN_ATTACH_DEVICE;

typedef NTSTATUS IOMMU_DOMAIN_DETACH_DEVICE(PIOMMU_DMA_DOMAIN Domain,
					    PDEVICE_OBJECT PhysicalDeviceObject,
					    ULONG InputMappingId);
typedef IOMMU_DOMAIN_DETACH_DEVICE *PIOMMU_DOMAIN_DETACH_DEVICE;

/*
 * FlushDomain, FlushDomainByVaList and ConfigureDomain: any level, interrupts may be off.
 * A flush is complete when it returns. It compares each table with a snapshot, and takes
 * some 1,500 instructions for each 4 KiB page whose entry has changed. If interrupts are on
 * when it is called, it disables them for 512 such pages or one large page at a time, or
 * throughout if another flush of the domain has overtaken it. FlushDomainByVaList looks at
 * the listed addresses only.
 *
 * STATUS_INSUFFICIENT_RESOURCES: out of memory for some entries, which block; the next
 * flush retries them.
 */
typedef NTSTATUS IOMMU_FLUSH_DOMAIN(PIOMMU_DMA_DOMAIN Domain);
typedef IOMMU_FLUSH_DOMAIN *PIOMMU_FLUSH_DOMAIN;

typedef NTSTATUS IOMMU_FLUSH_DOMAIN_VA_LIST(PIOMMU_DMA_DOMAIN Domain, BOOLEAN LastLevel,
					    ULONG Number, PVOID VaList);
typedef IOMMU_FLUSH_DOMAIN_VA_LIST *PIOMMU_FLUSH_DOMAIN_VA_LIST;

typedef NTSTATUS IOMMU_QUERY_INPUT_MAPPINGS(PDEVICE_OBJECT PhysicalDeviceObject,
					    PINPUT_MAPPING_ELEMENT Buffer,
					    ULONG BufferLength, PULONG ReturnLength);
typedef IOMMU_QUERY_INPUT_MAPPINGS *PIOMMU_QUERY_INPUT_MAPPINGS;

typedef NTSTATUS IOMMU_MAP_LOGICAL_RANGE(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
					 PMDL Mdl, ULONGLONG LogicalAddress);
typedef IOMMU_MAP_LOGICAL_RANGE *PIOMMU_MAP_LOGICAL_RANGE;

typedef NTSTATUS IOMMU_UNMAP_LOGICAL_RANGE(PIOMMU_DMA_DOMAIN Domain,
					   ULONGLONG LogicalAddress,
					   ULONGLONG NumberOfPages);
typedef IOMMU_UNMAP_LOGICAL_RANGE *PIOMMU_UNMAP_LOGICAL_RANGE;

typedef NTSTATUS IOMMU_MAP_IDENTITY_RANGE(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
					  PMDL Mdl);
typedef IOMMU_MAP_IDENTITY_RANGE *PIOMMU_MAP_IDENTITY_RANGE;

typedef NTSTATUS IOMMU_UNMAP_IDENTITY_RANGE(PIOMMU_DMA_DOMAIN Domain, PMDL Mdl);
typedef IOMMU_UNMAP_IDENTITY_RANGE *PIOMMU_UNMAP_IDENTITY_RANGE;

typedef NTSTATUS
IOMMU_SET_DEVICE_FAULT_REPORTING(PDEVICE_OBJECT PhysicalDeviceObject,
				 ULONG InputMappingIdBase, BOOLEAN Enable,
				 PDEVICE_FAULT_CONFIGURATION FaultConfig);
typedef IOMMU_SET_DEVICE_FAULT_REPORTING *PIOMMU_SET_DEVICE_FAULT_REPORTING;

typedef NTSTATUS IOMMU_DOMAIN_CONFIGURE(PIOMMU_DMA_DOMAIN Domain,
					PDOMAIN_CONFIGURATION Configuration);
typedef IOMMU_DOMAIN_CONFIGURE *PIOMMU_DOMAIN_CONFIGURE;

/* Version 2 */

typedef NTSTATUS IOMMU_DOMAIN_CREATE_EX(IOMMU_DMA_DOMAIN_TYPE DomainType,
					IOMMU_DMA_DOMAIN_CREATION_FLAGS Flags,
					PIOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG LogicalAllocatorConfig,
					PIOMMU_DMA_RESERVED_REGION ReservedRegions,
					PIOMMU_DMA_DOMAIN *DomainOut);
typedef IOMMU_DOMAIN_CREATE_EX *PIOMMU_DOMAIN_CREATE_EX;

typedef NTSTATUS
IOMMU_DOMAIN_ATTACH_DEVICE_EX(PIOMMU_DMA_DOMAIN Domain, PIOMMU_DMA_DEVICE DmaDevice);
typedef IOMMU_DOMAIN_ATTACH_DEVICE_EX *PIOMMU_DOMAIN_ATTACH_DEVICE_EX;

typedef NTSTATUS
IOMMU_DOMAIN_DETACH_DEVICE_EX(PIOMMU_DMA_DEVICE DmaDevice);
typedef IOMMU_DOMAIN_DETACH_DEVICE_EX *PIOMMU_DOMAIN_DETACH_DEVICE_EX;

typedef NTSTATUS IOMMU_MAP_LOGICAL_RANGE_EX(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
					    PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap,
					    PIOMMU_DMA_LOGICAL_ADDRESS ExplicitLogicalAddress,
					    PIOMMU_DMA_LOGICAL_ADDRESS MinLogicalAddress,
					    PIOMMU_DMA_LOGICAL_ADDRESS MaxLogicalAddress,
					    PIOMMU_DMA_LOGICAL_ADDRESS LogicalAddressOut);
typedef IOMMU_MAP_LOGICAL_RANGE_EX *PIOMMU_MAP_LOGICAL_RANGE_EX;

typedef NTSTATUS
IOMMU_MAP_IDENTITY_RANGE_EX(PIOMMU_DMA_DOMAIN Domain, ULONG Permissions,
			    PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap);
typedef IOMMU_MAP_IDENTITY_RANGE_EX *PIOMMU_MAP_IDENTITY_RANGE_EX;

typedef NTSTATUS
IOMMU_UNMAP_IDENTITY_RANGE_EX(PIOMMU_DMA_DOMAIN Domain,
			      PIOMMU_MAP_PHYSICAL_ADDRESS MappedPhysicalAddress);
typedef IOMMU_UNMAP_IDENTITY_RANGE_EX *PIOMMU_UNMAP_IDENTITY_RANGE_EX;

typedef NTSTATUS
IOMMU_SET_DEVICE_FAULT_REPORTING_EX(PIOMMU_DMA_DEVICE DmaDevice,
				    ULONG InputMappingIdBase, BOOLEAN Enable,
				    PDEVICE_FAULT_CONFIGURATION FaultConfig);
typedef IOMMU_SET_DEVICE_FAULT_REPORTING_EX *PIOMMU_SET_DEVICE_FAULT_REPORTING_EX;

typedef VOID
IOMMU_DEVICE_QUERY_DOMAIN_TYPES(PIOMMU_DMA_DEVICE DmaDevice, PULONG AvailableDomains);
typedef IOMMU_DEVICE_QUERY_DOMAIN_TYPES *PIOMMU_DEVICE_QUERY_DOMAIN_TYPES;

typedef NTSTATUS
IOMMU_REGISTER_INTERFACE_STATE_CHANGE_CALLBACK(PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK StateChangeCallback,
					       PVOID Context,
					       PIOMMU_DMA_DEVICE DmaDevice,
					       PIOMMU_INTERFACE_STATE_CHANGE_FIELDS StateFields);
typedef IOMMU_REGISTER_INTERFACE_STATE_CHANGE_CALLBACK *PIOMMU_REGISTER_INTERFACE_STATE_CHANGE_CALLBACK;

typedef NTSTATUS
IOMMU_UNREGISTER_INTERFACE_STATE_CHANGE_CALLBACK(PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK StateChangeCallback,
						 PIOMMU_DMA_DEVICE DmaDevice);
typedef IOMMU_UNREGISTER_INTERFACE_STATE_CHANGE_CALLBACK *PIOMMU_UNREGISTER_INTERFACE_STATE_CHANGE_CALLBACK;

typedef NTSTATUS
IOMMU_RESERVE_LOGICAL_ADDRESS_RANGE(PIOMMU_DMA_DOMAIN Domain, SIZE_T Size,
				    PIOMMU_DMA_LOGICAL_ADDRESS ExplicitLogicalAddress,
				    PIOMMU_DMA_LOGICAL_ADDRESS MinLogicalAddress,
				    PIOMMU_DMA_LOGICAL_ADDRESS MaxLogicalAddress,
				    PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN *LogicalAddressToken);
typedef IOMMU_RESERVE_LOGICAL_ADDRESS_RANGE *PIOMMU_RESERVE_LOGICAL_ADDRESS_RANGE;

typedef NTSTATUS
IOMMU_FREE_RESERVED_LOGICAL_ADDRESS_RANGE(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN LogicalAddressToken);
typedef IOMMU_FREE_RESERVED_LOGICAL_ADDRESS_RANGE *PIOMMU_FREE_RESERVED_LOGICAL_ADDRESS_RANGE;

typedef NTSTATUS
IOMMU_MAP_RESERVED_LOGICAL_RANGE(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN LogicalAddressToken,
				 SIZE_T Offset, ULONG Permissions,
				 PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap,
				 PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT MappedSegment);
typedef IOMMU_MAP_RESERVED_LOGICAL_RANGE *PIOMMU_MAP_RESERVED_LOGICAL_RANGE;

typedef NTSTATUS
IOMMU_UNMAP_RESERVED_LOGICAL_RANGE(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT MappedSegment);
typedef IOMMU_UNMAP_RESERVED_LOGICAL_RANGE *PIOMMU_UNMAP_RESERVED_LOGICAL_RANGE;

typedef NTSTATUS IOMMU_DEVICE_CREATE(PDEVICE_OBJECT DeviceObject,
				     PIOMMU_DEVICE_CREATION_CONFIGURATION DeviceConfig,
				     PIOMMU_DMA_DEVICE *DmaDeviceOut);
typedef IOMMU_DEVICE_CREATE *PIOMMU_DEVICE_CREATE;

typedef NTSTATUS IOMMU_DEVICE_DELETE(PIOMMU_DMA_DEVICE DmaDevice);
typedef IOMMU_DEVICE_DELETE *PIOMMU_DEVICE_DELETE;

/* Version 3 */

typedef NTSTATUS IOMMU_PASID_DEVICE_CREATE(PIOMMU_DMA_DEVICE DmaDevice,
					   PIOMMU_DMA_PASID_DEVICE *PasidDeviceOut,
					   PULONG AsidOut);
typedef IOMMU_PASID_DEVICE_CREATE *PIOMMU_PASID_DEVICE_CREATE;

typedef NTSTATUS IOMMU_PASID_DEVICE_DELETE(PIOMMU_DMA_PASID_DEVICE PasidDevice);
typedef IOMMU_PASID_DEVICE_DELETE *PIOMMU_PASID_DEVICE_DELETE;

typedef NTSTATUS
IOMMU_DOMAIN_ATTACH_PASID_DEVICE(PIOMMU_DMA_DOMAIN Domain,
				 PIOMMU_DMA_PASID_DEVICE PasidDevice);
typedef IOMMU_DOMAIN_ATTACH_PASID_DEVICE *PIOMMU_DOMAIN_ATTACH_PASID_DEVICE;

typedef NTSTATUS
IOMMU_DOMAIN_DETACH_PASID_DEVICE(PIOMMU_DMA_PASID_DEVICE PasidDevice);
typedef IOMMU_DOMAIN_DETACH_PASID_DEVICE *PIOMMU_DOMAIN_DETACH_PASID_DEVICE;

typedef NTSTATUS
IOMMU_DEVICE_QUERY_INFORMATION(PIOMMU_DMA_DEVICE DmaDevice, ULONG Size,
			       PULONG BytesWritten,
			       PIOMMU_DMA_DEVICE_INFORMATION Buffer);
typedef IOMMU_DEVICE_QUERY_INFORMATION *PIOMMU_DEVICE_QUERY_INFORMATION;

/* Tables: the order of the members is binary interface */

/* The members of version 1 are also accessible as one member, V1. */
typedef struct _DMA_IOMMU_INTERFACE {
	ULONG Version;
	struct_group_tagged(_DMA_IOMMU_INTERFACE_V1, V1,
		PIOMMU_DOMAIN_CREATE CreateDomain;
		PIOMMU_DOMAIN_DELETE DeleteDomain;
		PIOMMU_DOMAIN_ATTACH_DEVICE AttachDevice;
		PIOMMU_DOMAIN_DETACH_DEVICE DetachDevice;
		PIOMMU_FLUSH_DOMAIN FlushDomain;
		PIOMMU_FLUSH_DOMAIN_VA_LIST FlushDomainByVaList;
		PIOMMU_QUERY_INPUT_MAPPINGS QueryInputMappings;
		PIOMMU_MAP_LOGICAL_RANGE MapLogicalRange;
		PIOMMU_UNMAP_LOGICAL_RANGE UnmapLogicalRange;
		PIOMMU_MAP_IDENTITY_RANGE MapIdentityRange;
		PIOMMU_UNMAP_IDENTITY_RANGE UnmapIdentityRange;
		PIOMMU_SET_DEVICE_FAULT_REPORTING SetDeviceFaultReporting;
		PIOMMU_DOMAIN_CONFIGURE ConfigureDomain;
	);
} DMA_IOMMU_INTERFACE, *PDMA_IOMMU_INTERFACE;

typedef struct _DMA_IOMMU_INTERFACE_V1 DMA_IOMMU_INTERFACE_V1;
typedef struct _DMA_IOMMU_INTERFACE_V1 *PDMA_IOMMU_INTERFACE_V1;

typedef struct _DMA_IOMMU_INTERFACE_V2 {
	PIOMMU_DOMAIN_CREATE_EX CreateDomainEx;
	PIOMMU_DOMAIN_DELETE DeleteDomain;
	PIOMMU_DOMAIN_ATTACH_DEVICE_EX AttachDeviceEx;
	PIOMMU_DOMAIN_DETACH_DEVICE_EX DetachDeviceEx;
	PIOMMU_FLUSH_DOMAIN FlushDomain;
	PIOMMU_FLUSH_DOMAIN_VA_LIST FlushDomainByVaList;
	PIOMMU_QUERY_INPUT_MAPPINGS QueryInputMappings;
	PIOMMU_MAP_LOGICAL_RANGE_EX MapLogicalRangeEx;
	PIOMMU_UNMAP_LOGICAL_RANGE UnmapLogicalRange;
	PIOMMU_MAP_IDENTITY_RANGE_EX MapIdentityRangeEx;
	PIOMMU_UNMAP_IDENTITY_RANGE_EX UnmapIdentityRangeEx;
	PIOMMU_SET_DEVICE_FAULT_REPORTING_EX SetDeviceFaultReportingEx;
	PIOMMU_DOMAIN_CONFIGURE ConfigureDomain;
	PIOMMU_DEVICE_QUERY_DOMAIN_TYPES QueryAvailableDomainTypes;
	PIOMMU_REGISTER_INTERFACE_STATE_CHANGE_CALLBACK RegisterInterfaceStateChangeCallback;
	PIOMMU_UNREGISTER_INTERFACE_STATE_CHANGE_CALLBACK UnregisterInterfaceStateChangeCallback;
	PIOMMU_RESERVE_LOGICAL_ADDRESS_RANGE ReserveLogicalAddressRange;
	PIOMMU_FREE_RESERVED_LOGICAL_ADDRESS_RANGE FreeReservedLogicalAddressRange;
	PIOMMU_MAP_RESERVED_LOGICAL_RANGE MapReservedLogicalRange;
	PIOMMU_UNMAP_RESERVED_LOGICAL_RANGE UnmapReservedLogicalRange;
	PIOMMU_DEVICE_CREATE CreateDevice;
	PIOMMU_DEVICE_DELETE DeleteDevice;
} DMA_IOMMU_INTERFACE_V2, *PDMA_IOMMU_INTERFACE_V2;

typedef struct _DMA_IOMMU_INTERFACE_V3 {
	PIOMMU_DOMAIN_CREATE_EX CreateDomainEx;
	PIOMMU_DOMAIN_DELETE DeleteDomain;
	PIOMMU_DOMAIN_ATTACH_DEVICE_EX AttachDeviceEx;
	PIOMMU_DOMAIN_DETACH_DEVICE_EX DetachDeviceEx;
	PIOMMU_FLUSH_DOMAIN FlushDomain;
	PIOMMU_FLUSH_DOMAIN_VA_LIST FlushDomainByVaList;
	PIOMMU_QUERY_INPUT_MAPPINGS QueryInputMappings;
	PIOMMU_MAP_LOGICAL_RANGE_EX MapLogicalRangeEx;
	PIOMMU_UNMAP_LOGICAL_RANGE UnmapLogicalRange;
	PIOMMU_MAP_IDENTITY_RANGE_EX MapIdentityRangeEx;
	PIOMMU_UNMAP_IDENTITY_RANGE_EX UnmapIdentityRangeEx;
	PIOMMU_SET_DEVICE_FAULT_REPORTING_EX SetDeviceFaultReportingEx;
	PIOMMU_DOMAIN_CONFIGURE ConfigureDomain;
	PIOMMU_DEVICE_QUERY_DOMAIN_TYPES QueryAvailableDomainTypes;
	PIOMMU_REGISTER_INTERFACE_STATE_CHANGE_CALLBACK RegisterInterfaceStateChangeCallback;
	PIOMMU_UNREGISTER_INTERFACE_STATE_CHANGE_CALLBACK UnregisterInterfaceStateChangeCallback;
	PIOMMU_RESERVE_LOGICAL_ADDRESS_RANGE ReserveLogicalAddressRange;
	PIOMMU_FREE_RESERVED_LOGICAL_ADDRESS_RANGE FreeReservedLogicalAddressRange;
	PIOMMU_MAP_RESERVED_LOGICAL_RANGE MapReservedLogicalRange;
	PIOMMU_UNMAP_RESERVED_LOGICAL_RANGE UnmapReservedLogicalRange;
	PIOMMU_DEVICE_CREATE CreateDevice;
	PIOMMU_DEVICE_DELETE DeleteDevice;
	PIOMMU_PASID_DEVICE_CREATE CreatePasidDevice;
	PIOMMU_PASID_DEVICE_DELETE DeletePasidDevice;
	PIOMMU_DOMAIN_ATTACH_PASID_DEVICE AttachPasidDevice;
	PIOMMU_DOMAIN_DETACH_PASID_DEVICE DetachPasidDevice;
	PIOMMU_DEVICE_QUERY_INFORMATION QueryDeviceInfo;
} DMA_IOMMU_INTERFACE_V3, *PDMA_IOMMU_INTERFACE_V3;

/* Members beyond @Size do not exist. */
typedef struct _DMA_IOMMU_INTERFACE_EX {
	SIZE_T Size;
	ULONG Version;
	union {
		DMA_IOMMU_INTERFACE_V1 V1;
		DMA_IOMMU_INTERFACE_V2 V2;
		DMA_IOMMU_INTERFACE_V3 V3;
	};
} DMA_IOMMU_INTERFACE_EX, *PDMA_IOMMU_INTERFACE_EX;

NTSTATUS IoGetIommuInterface(ULONG Version, PDMA_IOMMU_INTERFACE InterfaceOut);
NTSTATUS IoGetIommuInterfaceEx(ULONG Version, ULONGLONG Flags,
			       PDMA_IOMMU_INTERFACE_EX InterfaceOut);

/* Layouts of x64, and of every LP64 machine */

static_assert(sizeof(DOMAIN_CONFIGURATION_ARM64) == 0x20);
static_assert(offsetof(DOMAIN_CONFIGURATION_ARM64, InputSize0) == 0x18);
static_assert(offsetof(DOMAIN_CONFIGURATION_ARM64, TranslationEnabled) == 0x1b);
static_assert(sizeof(DOMAIN_CONFIGURATION_X64) == 0x10);
static_assert(offsetof(DOMAIN_CONFIGURATION_X64, TranslationEnabled) == 0x08);
static_assert(sizeof(DOMAIN_CONFIGURATION) == 0x28);
static_assert(offsetof(DOMAIN_CONFIGURATION, Arm64) == 0x08);
static_assert(offsetof(DOMAIN_CONFIGURATION, X64) == 0x08);
static_assert(sizeof(FAULT_INFORMATION_X64_FLAGS) == 4);
static_assert(sizeof(FAULT_INFORMATION_ARM64_FLAGS) == 4);
static_assert(sizeof(FAULT_INFORMATION_X64) == 0x28);
static_assert(offsetof(FAULT_INFORMATION_X64, Flags) == 0x10);
static_assert(offsetof(FAULT_INFORMATION_X64, Type) == 0x14);
static_assert(offsetof(FAULT_INFORMATION_X64, IommuBaseAddress) == 0x18);
static_assert(offsetof(FAULT_INFORMATION_X64, PciSegment) == 0x20);
static_assert(sizeof(FAULT_INFORMATION_ARM64) == 0x30);
static_assert(offsetof(FAULT_INFORMATION_ARM64, PhysicalDeviceObject) == 0x10);
static_assert(offsetof(FAULT_INFORMATION_ARM64, InputMappingId) == 0x18);
static_assert(offsetof(FAULT_INFORMATION_ARM64, Flags) == 0x1c);
static_assert(offsetof(FAULT_INFORMATION_ARM64, Type) == 0x20);
static_assert(offsetof(FAULT_INFORMATION_ARM64, IommuBaseAddress) == 0x28);
static_assert(sizeof(FAULT_INFORMATION) == 0x38);
static_assert(offsetof(FAULT_INFORMATION, IsStage1) == 0x04);
static_assert(offsetof(FAULT_INFORMATION, Arm64) == 0x08);
static_assert(offsetof(FAULT_INFORMATION, X64) == 0x08);
static_assert(sizeof(DEVICE_FAULT_CONFIGURATION) == 0x10);
static_assert(sizeof(INPUT_MAPPING_ELEMENT) == 4);
static_assert(sizeof(IOMMU_DMA_DOMAIN_CREATION_FLAGS) == 8);
static_assert(sizeof(IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG) == 8);
static_assert(offsetof(IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG, BuddyAllocatorConfig) == 4);
static_assert(sizeof(IOMMU_DMA_RESERVED_REGION) == 0x20);
static_assert(offsetof(IOMMU_DMA_RESERVED_REGION, Base) == 0x08);
static_assert(offsetof(IOMMU_DMA_RESERVED_REGION, NumberOfPages) == 0x10);
static_assert(offsetof(IOMMU_DMA_RESERVED_REGION, ShouldMap) == 0x18);
static_assert(sizeof(IOMMU_MAP_PHYSICAL_ADDRESS) == 0x18);
static_assert(offsetof(IOMMU_MAP_PHYSICAL_ADDRESS, Mdl) == 0x08);
static_assert(offsetof(IOMMU_MAP_PHYSICAL_ADDRESS, ContiguousRange.Size) == 0x10);
static_assert(offsetof(IOMMU_MAP_PHYSICAL_ADDRESS, PfnArray.NumberOfPages) == 0x10);
static_assert(sizeof(IOMMU_DMA_LOGICAL_ADDRESS_TOKEN) == 0x10);
static_assert(offsetof(IOMMU_DMA_LOGICAL_ADDRESS_TOKEN, Size) == 0x08);
static_assert(sizeof(IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT) == 0x18);
static_assert(offsetof(IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT, Offset) == 0x08);
static_assert(offsetof(IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT, Size) == 0x10);
static_assert(sizeof(IOMMU_INTERFACE_STATE_CHANGE_FIELDS) == 4);
static_assert(sizeof(IOMMU_INTERFACE_STATE_CHANGE) == 8);
static_assert(offsetof(IOMMU_INTERFACE_STATE_CHANGE, AvailableDomainTypes) == 4);
static_assert(sizeof(IOMMU_DEVICE_CREATION_CONFIGURATION_ACPI) == 8);
static_assert(sizeof(IOMMU_DEVICE_CREATION_CONFIGURATION_PASID) == 8);
static_assert(offsetof(IOMMU_DEVICE_CREATION_CONFIGURATION_PASID, SuppressPasidFaults) == 4);
static_assert(sizeof(IOMMU_DEVICE_CREATION_CONFIGURATION) == 0x20);
static_assert(offsetof(IOMMU_DEVICE_CREATION_CONFIGURATION, ConfigType) == 0x10);
static_assert(offsetof(IOMMU_DEVICE_CREATION_CONFIGURATION, Acpi) == 0x18);
static_assert(offsetof(IOMMU_DEVICE_CREATION_CONFIGURATION, Pasid) == 0x18);
static_assert(sizeof(IOMMU_DMA_DEVICE_INFORMATION) == 3);
static_assert(sizeof(DMA_IOMMU_INTERFACE_V1) == 0x68);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V1, ConfigureDomain) == 0x60);
static_assert(sizeof(DMA_IOMMU_INTERFACE_V2) == 0xb0);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V2, ConfigureDomain) == 0x60);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V2, ReserveLogicalAddressRange) == 0x80);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V2, CreateDevice) == 0xa0);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V2, DeleteDevice) == 0xa8);
static_assert(sizeof(DMA_IOMMU_INTERFACE_V3) == 0xd8);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V3, DeleteDevice) == 0xa8);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V3, CreatePasidDevice) == 0xb0);
static_assert(offsetof(DMA_IOMMU_INTERFACE_V3, QueryDeviceInfo) == 0xd0);
static_assert(sizeof(DMA_IOMMU_INTERFACE_EX) == 0xe8);
static_assert(offsetof(DMA_IOMMU_INTERFACE_EX, Version) == 0x08);
static_assert(offsetof(DMA_IOMMU_INTERFACE_EX, V1) == 0x10);
static_assert(offsetof(DMA_IOMMU_INTERFACE_EX, V3) == 0x10);
static_assert(offsetof(DMA_IOMMU_INTERFACE, CreateDomain) == 8);
static_assert(sizeof(DMA_IOMMU_INTERFACE) == 0x70);

#endif /* _WDM_H */
