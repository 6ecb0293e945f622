/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The status of each function of the interface: on each kind of domain, in each state of
 * the domain and the device, and for each bad argument. ddi_test.c includes this file
 * several times, and runs the product of the three.
 *
 * FN(function, parameters)
 * KINDS(function, cell for each kind of domain): RIGHT: the kind has the function. ST():
 *	status of a kind that does not; with success, the function does nothing. AFTER():
 *	likewise, after the checks of earlier parameters. NA(): the function takes no
 *	domain, or the kind has no such object
 * STATES(function, cell for each state): status of the call with good arguments on a right
 *	kind; NA() if there is nothing to call it with
 * ON(function, kind, state, status): an exception to STATES() for a kind
 * FIRST(function, state): the state is checked before the arguments
 * BAD(function, parameter, what, assignment, status): a bad argument, checked before the
 *	state
 * BAD_ON(): likewise, for one kind of domain
 * LATE(): likewise, checked after the state
 * ANY(function, parameter, reason): no argument is bad, or bad ones cannot be recognized
 *
 * Parameters are counted from 1. A missing cell does not compile, or fails.
 */
#ifndef FN
#define FN(function, parameters)
#endif
#ifndef KINDS
#define KINDS(function, translate, allocator, s1, pass_through, unmanaged)
#endif
#ifndef STATES
#define STATES(function, idle, attached, elsewhere, busy, reserved, segment, removed)
#endif
#ifndef ON
#define ON(function, kind, state, status)
#endif
#ifndef FIRST
#define FIRST(function, state)
#endif
#ifndef BAD
#define BAD(function, parameter, what, assignment, status)
#endif
#ifndef BAD_ON
#define BAD_ON(function, kind, parameter, what, assignment, status)
#endif
#ifndef LATE
#define LATE(function, parameter, what, assignment, status)
#endif
#ifndef ANY
#define ANY(function, parameter, reason)
#endif

FN(CreateDomain, 2)
KINDS(CreateDomain, NA("makes one"), NA("makes one"), NA("makes one"), NA("makes one"), NA("makes one"))
STATES(CreateDomain, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
ANY(CreateDomain, 1, "every BOOLEAN is a kind")
ANY(CreateDomain, 2, "an address of kernel code")

FN(DeleteDomain, 1)
KINDS(DeleteDomain, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT)
STATES(DeleteDomain, ST(SUCCESS), ST(RESOURCE_IN_USE), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(SUCCESS))
ANY(DeleteDomain, 1, "a handle of kernel code")

FN(AttachDevice, 4)
KINDS(AttachDevice, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT)
STATES(AttachDevice, ST(SUCCESS), ST(INVALID_PARAMETER), ST(INVALID_PARAMETER), ST(INVALID_PARAMETER), ST(SUCCESS), ST(INVALID_PARAMETER), ST(NOT_FOUND))
ANY(AttachDevice, 1, "a handle of kernel code")
BAD(AttachDevice, 2, "a device behind no IOMMU", a->pdo = d->no_device, NOT_FOUND)
BAD(AttachDevice, 3, "a second input mapping", a->base = 1, INVALID_PARAMETER_3)
BAD(AttachDevice, 3, "the last input mapping", a->base = U32_MAX, INVALID_PARAMETER_3)
BAD(AttachDevice, 4, "no input mapping", a->count = 0, INVALID_PARAMETER_4)
BAD(AttachDevice, 4, "two input mappings", a->count = 2, INVALID_PARAMETER_4)
BAD(AttachDevice, 4, "too many input mappings", a->count = U32_MAX, INVALID_PARAMETER_4)

FN(DetachDevice, 3)
KINDS(DetachDevice, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT)
STATES(DetachDevice, ST(INVALID_PARAMETER_2), ST(SUCCESS), ST(INVALID_PARAMETER_2), ST(SUCCESS), ST(INVALID_PARAMETER_2), ST(SUCCESS), ST(INVALID_PARAMETER_2))
BAD(DetachDevice, 1, "a domain that the device is not in", a->domain = d->third, INVALID_PARAMETER_2)
BAD(DetachDevice, 2, "a device behind no IOMMU", a->pdo = d->no_device, INVALID_PARAMETER_2)
BAD(DetachDevice, 3, "a second input mapping", a->base = 1, INVALID_PARAMETER_3)
BAD(DetachDevice, 3, "the last input mapping", a->base = U32_MAX, INVALID_PARAMETER_3)

FN(FlushDomain, 1)
KINDS(FlushDomain, ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), RIGHT)
STATES(FlushDomain, ST(INVALID_DEVICE_STATE), ST(INVALID_DEVICE_STATE), ST(INVALID_DEVICE_STATE), ST(SUCCESS), NA("a kind with tokens"), NA("a kind with tokens"), ST(INVALID_DEVICE_STATE))
ANY(FlushDomain, 1, "a handle of kernel code")

FN(FlushDomainByVaList, 4)
KINDS(FlushDomainByVaList, ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), RIGHT)
STATES(FlushDomainByVaList, ST(INVALID_DEVICE_STATE), ST(INVALID_DEVICE_STATE), ST(INVALID_DEVICE_STATE), ST(SUCCESS), NA("a kind with tokens"), NA("a kind with tokens"), ST(INVALID_DEVICE_STATE))
ANY(FlushDomainByVaList, 1, "a handle of kernel code")
ANY(FlushDomainByVaList, 2, "a BOOLEAN")
ANY(FlushDomainByVaList, 3, "any number, also 0")
LATE(FlushDomainByVaList, 4, "an address between the two halves", a->va[0] = BIT_ULL(47), INVALID_PARAMETER_4)
LATE(FlushDomainByVaList, 4, "a bad address after a good one", a->va[1] = BIT_ULL(60), INVALID_PARAMETER_4)

FN(QueryInputMappings, 4)
KINDS(QueryInputMappings, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(QueryInputMappings, ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL))
BAD(QueryInputMappings, 1, "a device behind no IOMMU", a->pdo = d->no_device, UNSUCCESSFUL)
BAD(QueryInputMappings, 2, "no buffer", a->no_buffer = true, UNSUCCESSFUL)
BAD(QueryInputMappings, 3, "a buffer of no length", a->length = 0, UNSUCCESSFUL)
ANY(QueryInputMappings, 4, "optional")

FN(MapLogicalRange, 4)
KINDS(MapLogicalRange, RIGHT, AFTER(4, NOT_SUPPORTED), RIGHT, ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1))
STATES(MapLogicalRange, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(SUCCESS))
ANY(MapLogicalRange, 1, "a handle of kernel code")
BAD(MapLogicalRange, 2, "no permission", a->permissions = 0, INVALID_PARAMETER_2)
BAD(MapLogicalRange, 2, "an unknown permission", a->permissions = 4, INVALID_PARAMETER_2)
BAD(MapLogicalRange, 2, "a known and an unknown permission", a->permissions = BIT(31) | 1, INVALID_PARAMETER_2)
BAD(MapLogicalRange, 3, "an MDL that starts in a page", a->mdl = d->odd_mdl[0], INVALID_PARAMETER_3)
BAD(MapLogicalRange, 3, "an MDL of less than a page", a->mdl = d->odd_mdl[1], INVALID_PARAMETER_3)
BAD(MapLogicalRange, 3, "an MDL of nothing", a->mdl = d->odd_mdl[2], INVALID_PARAMETER_3)
BAD(MapLogicalRange, 3, "an MDL without pages", a->mdl = d->odd_mdl[3], INVALID_PARAMETER_3)
BAD(MapLogicalRange, 4, "a byte past a page", a->logical++, INVALID_PARAMETER_4)
BAD(MapLogicalRange, 4, "a byte before a page", a->logical--, INVALID_PARAMETER_4)
BAD(MapLogicalRange, 4, "a range that wraps", a->logical = -PAGE_SIZE, INVALID_PARAMETER_4)

FN(UnmapLogicalRange, 3)
KINDS(UnmapLogicalRange, RIGHT, RIGHT, RIGHT, ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1))
STATES(UnmapLogicalRange, ST(NOT_FOUND), ST(NOT_FOUND), ST(NOT_FOUND), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(NOT_FOUND))
ANY(UnmapLogicalRange, 1, "a handle of kernel code")
BAD(UnmapLogicalRange, 2, "a byte past a page", a->logical++, INVALID_PARAMETER_2)
BAD(UnmapLogicalRange, 2, "a byte before a page", a->logical--, INVALID_PARAMETER_2)
BAD(UnmapLogicalRange, 3, "no page", a->pages = 0, INVALID_PARAMETER_3)
BAD(UnmapLogicalRange, 3, "a range that wraps", a->pages = BIT_ULL(52), INVALID_PARAMETER_3)
BAD(UnmapLogicalRange, 3, "bytes that wrap", a->pages = BIT_ULL(52) + 1, INVALID_PARAMETER_3)
BAD(UnmapLogicalRange, 3, "all ones", a->pages = U64_MAX, INVALID_PARAMETER_3)

FN(MapIdentityRange, 3)
KINDS(MapIdentityRange, RIGHT, AFTER(4, NOT_SUPPORTED), RIGHT, ST(SUCCESS), ST(INVALID_PARAMETER_1))
STATES(MapIdentityRange, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
ANY(MapIdentityRange, 1, "a handle of kernel code")
BAD(MapIdentityRange, 2, "no permission", a->permissions = 0, INVALID_PARAMETER_2)
BAD(MapIdentityRange, 2, "an unknown permission", a->permissions = 4, INVALID_PARAMETER_2)
BAD(MapIdentityRange, 2, "a known and an unknown permission", a->permissions = BIT(31) | 1, INVALID_PARAMETER_2)
BAD(MapIdentityRange, 3, "an MDL that starts in a page", a->mdl = d->odd_mdl[0], INVALID_PARAMETER_3)
BAD(MapIdentityRange, 3, "an MDL of less than a page", a->mdl = d->odd_mdl[1], INVALID_PARAMETER_3)
BAD(MapIdentityRange, 3, "an MDL of nothing", a->mdl = d->odd_mdl[2], INVALID_PARAMETER_3)
BAD(MapIdentityRange, 3, "an MDL without pages", a->mdl = d->odd_mdl[3], INVALID_PARAMETER_3)

FN(UnmapIdentityRange, 2)
KINDS(UnmapIdentityRange, RIGHT, AFTER(3, NOT_SUPPORTED), RIGHT, ST(SUCCESS), ST(INVALID_PARAMETER_1))
STATES(UnmapIdentityRange, ST(NOT_FOUND), ST(NOT_FOUND), ST(NOT_FOUND), ST(SUCCESS), ST(NOT_FOUND), ST(NOT_FOUND), ST(NOT_FOUND))
ANY(UnmapIdentityRange, 1, "a handle of kernel code")
BAD(UnmapIdentityRange, 2, "an MDL that starts in a page", a->mdl = d->odd_mdl[0], INVALID_PARAMETER_2)
BAD(UnmapIdentityRange, 2, "an MDL of less than a page", a->mdl = d->odd_mdl[1], INVALID_PARAMETER_2)
BAD(UnmapIdentityRange, 2, "an MDL of nothing", a->mdl = d->odd_mdl[2], INVALID_PARAMETER_2)
BAD(UnmapIdentityRange, 2, "an MDL without pages", a->mdl = d->odd_mdl[3], INVALID_PARAMETER_2)

FN(SetDeviceFaultReporting, 4)
KINDS(SetDeviceFaultReporting, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(SetDeviceFaultReporting, ST(INVALID_PARAMETER_1), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(INVALID_PARAMETER_1), ST(SUCCESS), ST(INVALID_PARAMETER_1))
BAD(SetDeviceFaultReporting, 1, "a device behind no IOMMU", a->pdo = d->no_device, INVALID_PARAMETER_1)
BAD(SetDeviceFaultReporting, 2, "a second input mapping", a->base = 1, INVALID_PARAMETER_2)
BAD(SetDeviceFaultReporting, 2, "the last input mapping", a->base = U32_MAX, INVALID_PARAMETER_2)
ANY(SetDeviceFaultReporting, 3, "a BOOLEAN")
BAD(SetDeviceFaultReporting, 4, "no configuration", a->no_faults = true, INVALID_PARAMETER_4)
BAD(SetDeviceFaultReporting, 4, "no handler", a->faults.FaultHandler = NULL, INVALID_PARAMETER_4)

FN(ConfigureDomain, 2)
KINDS(ConfigureDomain, ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), RIGHT)
STATES(ConfigureDomain, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), NA("a kind with tokens"), NA("a kind with tokens"), ST(SUCCESS))
ANY(ConfigureDomain, 1, "a handle of kernel code")
BAD(ConfigureDomain, 2, "the invalid architecture", a->config.Type = DomainConfigurationInvalid, INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "an unknown architecture", a->config.Type = -1, INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "a root that is not aligned", a->config.X64.FirstLevelPageTableRoot.QuadPart += 64, INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "a root outside of memory", a->config.X64.FirstLevelPageTableRoot.QuadPart = BIT_ULL(51), ACCESS_VIOLATION)
BAD(ConfigureDomain, 2, "too large an input size", ddi_config_arm64(a, 49, 0), INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "too small an input size", ddi_config_arm64(a, 15, 0), INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "two roots", ddi_config_arm64(a, 48, PAGE_SIZE), INVALID_PARAMETER_2)

FN(CreateDomainEx, 5)
KINDS(CreateDomainEx, NA("makes one"), NA("makes one"), NA("makes one"), NA("makes one"), NA("makes one"))
STATES(CreateDomainEx, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
BAD(CreateDomainEx, 1, "the first type that is none", a->type = DomainTypeMax, INVALID_PARAMETER_1)
BAD(CreateDomainEx, 1, "a negative type", a->type = -1, INVALID_PARAMETER_1)
BAD(CreateDomainEx, 2, "the first flag", a->creation.AsUlonglong = 1, INVALID_PARAMETER_2)
BAD(CreateDomainEx, 2, "the last flag", a->creation.AsUlonglong = BIT_ULL(63), INVALID_PARAMETER_2)
BAD(CreateDomainEx, 3, "an unknown allocator", ddi_allocator(a, IommuDmaLogicalAllocatorMax, 39), INVALID_PARAMETER_3)
BAD(CreateDomainEx, 3, "a negative allocator", ddi_allocator(a, -1, 39), INVALID_PARAMETER_3)
BAD(CreateDomainEx, 3, "too narrow an allocator", ddi_allocator(a, IommuDmaLogicalAllocatorBuddy, 12), INVALID_PARAMETER_3)
BAD(CreateDomainEx, 3, "too wide an allocator", ddi_allocator(a, IommuDmaLogicalAllocatorBuddy, 64), INVALID_PARAMETER_3)
BAD(CreateDomainEx, 3, "an allocator for the caller's tables", a->type = DomainTypeUnmanaged; ddi_allocator(a, IommuDmaLogicalAllocatorBuddy, 39), INVALID_PARAMETER_3)
BAD(CreateDomainEx, 4, "a region that starts in a page", ddi_region(a, 0, 8, 1), INVALID_PARAMETER_4)
BAD(CreateDomainEx, 4, "a region of nothing", ddi_region(a, 0, 0, 0), INVALID_PARAMETER_4)
BAD(CreateDomainEx, 4, "a region that wraps", ddi_region(a, 0, -PAGE_SIZE, 2), INVALID_PARAMETER_4)
BAD(CreateDomainEx, 4, "a region whose size wraps", ddi_region(a, 0, 0, BIT_ULL(52) + 1), INVALID_PARAMETER_4)
BAD(CreateDomainEx, 4, "two regions that overlap", ddi_region(a, 0, SZ_1M, 2); ddi_region(a, 1, SZ_1M + PAGE_SIZE, 1), INVALID_PARAMETER_4)
BAD(CreateDomainEx, 4, "a list that never ends", ddi_region(a, 0, SZ_1M, 1); a->region[0].RegionNext = &a->region[0], INVALID_PARAMETER_4)
BAD(CreateDomainEx, 4, "a region above the allocator", ddi_allocator(a, IommuDmaLogicalAllocatorBuddy, 20); ddi_region(a, 0, SZ_1M, 1), INVALID_PARAMETER_4)
BAD(CreateDomainEx, 4, "a region for the caller's tables", a->type = DomainTypeUnmanaged; ddi_region(a, 0, SZ_1M, 1), INVALID_PARAMETER_4)
ANY(CreateDomainEx, 5, "an address of kernel code")

FN(AttachDeviceEx, 2)
KINDS(AttachDeviceEx, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT)
STATES(AttachDeviceEx, ST(SUCCESS), ST(INVALID_PARAMETER), ST(INVALID_PARAMETER), ST(INVALID_PARAMETER), ST(SUCCESS), ST(INVALID_PARAMETER), ST(DEVICE_REMOVED))
ANY(AttachDeviceEx, 1, "a handle of kernel code")
BAD(AttachDeviceEx, 2, "a device that does not exist", a->device = DDI_POISON, INVALID_HANDLE)

FN(DetachDeviceEx, 1)
KINDS(DetachDeviceEx, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(DetachDeviceEx, ST(INVALID_PARAMETER_1), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(INVALID_PARAMETER_1), ST(SUCCESS), ST(INVALID_PARAMETER_1))
BAD(DetachDeviceEx, 1, "a device that does not exist", a->device = DDI_POISON, INVALID_HANDLE)

FN(MapLogicalRangeEx, 7)
KINDS(MapLogicalRangeEx, RIGHT, RIGHT, RIGHT, ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1))
STATES(MapLogicalRangeEx, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(SUCCESS))
ON(MapLogicalRangeEx, ALLOCATOR, BUSY, INVALID_PARAMETER_MIX)
ON(MapLogicalRangeEx, ALLOCATOR, RESERVED, INVALID_PARAMETER_MIX)
ON(MapLogicalRangeEx, ALLOCATOR, SEGMENT, INVALID_PARAMETER_MIX)
ANY(MapLogicalRangeEx, 1, "a handle of kernel code")
BAD(MapLogicalRangeEx, 2, "no permission", a->permissions = 0, INVALID_PARAMETER_2)
BAD(MapLogicalRangeEx, 2, "an unknown permission", a->permissions = 4, INVALID_PARAMETER_2)
BAD(MapLogicalRangeEx, 2, "a known and an unknown permission", a->permissions = BIT(31) | 1, INVALID_PARAMETER_2)
BAD(MapLogicalRangeEx, 3, "an unknown kind of memory", a->physical.MapType = MapPhysicalAddressTypeMax, INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "a negative kind of memory", a->physical.MapType = -1, INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "an MDL that starts in a page", ddi_physical_mdl(a, d->odd_mdl[0]), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "an MDL of less than a page", ddi_physical_mdl(a, d->odd_mdl[1]), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "an MDL of nothing", ddi_physical_mdl(a, d->odd_mdl[2]), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "an MDL without pages", ddi_physical_mdl(a, d->odd_mdl[3]), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "a range that starts in a page", ddi_physical_range(a, 8, PAGE_SIZE), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "a range of less than a page", ddi_physical_range(a, 0, PAGE_SIZE - 1), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "a range of nothing", ddi_physical_range(a, 0, 0), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "a range that wraps", ddi_physical_range(a, 0, -PAGE_SIZE), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "no page frames", ddi_physical_pfns(a, NULL, 1), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "an array of nothing", ddi_physical_pfns(a, d->pfn, 0), INVALID_PARAMETER_3)
BAD(MapLogicalRangeEx, 3, "an array whose size wraps", ddi_physical_pfns(a, d->pfn, BIT_ULL(52)), INVALID_PARAMETER_3)
BAD_ON(MapLogicalRangeEx, TRANSLATE, 4, "no address", a->no_explicit = true, NOT_SUPPORTED)
BAD_ON(MapLogicalRangeEx, TRANSLATE, 4, "a byte past a page", a->logical++, INVALID_PARAMETER_4)
BAD_ON(MapLogicalRangeEx, TRANSLATE, 4, "a byte before a page", a->logical--, INVALID_PARAMETER_4)
BAD_ON(MapLogicalRangeEx, TRANSLATE, 4, "a range that wraps", a->logical = -PAGE_SIZE, INVALID_PARAMETER_4)
BAD_ON(MapLogicalRangeEx, ALLOCATOR, 4, "an address", a->no_explicit = false, NOT_SUPPORTED)
BAD_ON(MapLogicalRangeEx, ALLOCATOR, 5, "a lowest address above the highest", a->minimum = a->maximum + 1, INVALID_PARAMETER_MIX)
BAD_ON(MapLogicalRangeEx, ALLOCATOR, 6, "a highest address one byte too low", a->maximum--, INVALID_PARAMETER_MIX)
ANY(MapLogicalRangeEx, 7, "an address of kernel code")

FN(MapIdentityRangeEx, 3)
KINDS(MapIdentityRangeEx, RIGHT, AFTER(4, NOT_SUPPORTED), RIGHT, ST(SUCCESS), ST(INVALID_PARAMETER_1))
STATES(MapIdentityRangeEx, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
ANY(MapIdentityRangeEx, 1, "a handle of kernel code")
BAD(MapIdentityRangeEx, 2, "no permission", a->permissions = 0, INVALID_PARAMETER_2)
BAD(MapIdentityRangeEx, 2, "an unknown permission", a->permissions = 4, INVALID_PARAMETER_2)
BAD(MapIdentityRangeEx, 2, "a known and an unknown permission", a->permissions = BIT(31) | 1, INVALID_PARAMETER_2)
BAD(MapIdentityRangeEx, 3, "an unknown kind of memory", a->physical.MapType = MapPhysicalAddressTypeMax, INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "a negative kind of memory", a->physical.MapType = -1, INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "an MDL that starts in a page", ddi_physical_mdl(a, d->odd_mdl[0]), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "an MDL of less than a page", ddi_physical_mdl(a, d->odd_mdl[1]), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "an MDL of nothing", ddi_physical_mdl(a, d->odd_mdl[2]), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "an MDL without pages", ddi_physical_mdl(a, d->odd_mdl[3]), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "a range that starts in a page", ddi_physical_range(a, 8, PAGE_SIZE), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "a range of less than a page", ddi_physical_range(a, 0, PAGE_SIZE - 1), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "a range of nothing", ddi_physical_range(a, 0, 0), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "a range that wraps", ddi_physical_range(a, 0, -PAGE_SIZE), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "no page frames", ddi_physical_pfns(a, NULL, 1), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "an array of nothing", ddi_physical_pfns(a, d->pfn, 0), INVALID_PARAMETER_3)
BAD(MapIdentityRangeEx, 3, "an array whose size wraps", ddi_physical_pfns(a, d->pfn, BIT_ULL(52)), INVALID_PARAMETER_3)

FN(UnmapIdentityRangeEx, 2)
KINDS(UnmapIdentityRangeEx, RIGHT, AFTER(3, NOT_SUPPORTED), RIGHT, ST(SUCCESS), ST(INVALID_PARAMETER_1))
STATES(UnmapIdentityRangeEx, ST(NOT_FOUND), ST(NOT_FOUND), ST(NOT_FOUND), ST(SUCCESS), ST(NOT_FOUND), ST(NOT_FOUND), ST(NOT_FOUND))
ANY(UnmapIdentityRangeEx, 1, "a handle of kernel code")
BAD(UnmapIdentityRangeEx, 2, "an unknown kind of memory", a->physical.MapType = MapPhysicalAddressTypeMax, INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "a negative kind of memory", a->physical.MapType = -1, INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "an MDL that starts in a page", ddi_physical_mdl(a, d->odd_mdl[0]), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "an MDL of less than a page", ddi_physical_mdl(a, d->odd_mdl[1]), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "an MDL of nothing", ddi_physical_mdl(a, d->odd_mdl[2]), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "an MDL without pages", ddi_physical_mdl(a, d->odd_mdl[3]), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "a range that starts in a page", ddi_physical_range(a, 8, PAGE_SIZE), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "a range of less than a page", ddi_physical_range(a, 0, PAGE_SIZE - 1), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "a range of nothing", ddi_physical_range(a, 0, 0), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "a range that wraps", ddi_physical_range(a, 0, -PAGE_SIZE), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "no page frames", ddi_physical_pfns(a, NULL, 1), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "an array of nothing", ddi_physical_pfns(a, d->pfn, 0), INVALID_PARAMETER_2)
BAD(UnmapIdentityRangeEx, 2, "an array whose size wraps", ddi_physical_pfns(a, d->pfn, BIT_ULL(52)), INVALID_PARAMETER_2)

FN(SetDeviceFaultReportingEx, 4)
KINDS(SetDeviceFaultReportingEx, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(SetDeviceFaultReportingEx, ST(INVALID_PARAMETER_1), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(INVALID_PARAMETER_1), ST(SUCCESS), ST(INVALID_PARAMETER_1))
BAD(SetDeviceFaultReportingEx, 1, "a device that does not exist", a->device = DDI_POISON, INVALID_HANDLE)
BAD(SetDeviceFaultReportingEx, 2, "a second input mapping", a->base = 1, INVALID_PARAMETER_2)
BAD(SetDeviceFaultReportingEx, 2, "the last input mapping", a->base = U32_MAX, INVALID_PARAMETER_2)
ANY(SetDeviceFaultReportingEx, 3, "a BOOLEAN")
BAD(SetDeviceFaultReportingEx, 4, "no configuration", a->no_faults = true, INVALID_PARAMETER_4)
BAD(SetDeviceFaultReportingEx, 4, "no handler", a->faults.FaultHandler = NULL, INVALID_PARAMETER_4)

FN(QueryAvailableDomainTypes, 2)
KINDS(QueryAvailableDomainTypes, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(QueryAvailableDomainTypes, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
ANY(QueryAvailableDomainTypes, 1, "it returns nothing; the mask is 0")
ANY(QueryAvailableDomainTypes, 2, "an address of kernel code")

FN(RegisterInterfaceStateChangeCallback, 4)
KINDS(RegisterInterfaceStateChangeCallback, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(RegisterInterfaceStateChangeCallback, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(UNSUCCESSFUL), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
BAD(RegisterInterfaceStateChangeCallback, 1, "no callback", a->callback = NULL, INVALID_PARAMETER_1)
ANY(RegisterInterfaceStateChangeCallback, 2, "the caller's own")
BAD(RegisterInterfaceStateChangeCallback, 3, "a device that does not exist", a->device = DDI_POISON, INVALID_HANDLE)
BAD(RegisterInterfaceStateChangeCallback, 4, "no field", a->fields.AsULONG = 0, INVALID_PARAMETER_4)
BAD(RegisterInterfaceStateChangeCallback, 4, "an unknown field", a->fields.AsULONG = 2, INVALID_PARAMETER_4)
BAD(RegisterInterfaceStateChangeCallback, 4, "a known and an unknown field", a->fields.AsULONG = BIT(31) | 1, INVALID_PARAMETER_4)

FN(UnregisterInterfaceStateChangeCallback, 2)
KINDS(UnregisterInterfaceStateChangeCallback, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(UnregisterInterfaceStateChangeCallback, ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(SUCCESS), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL))
BAD(UnregisterInterfaceStateChangeCallback, 1, "another callback", a->callback = DDI_POISON, UNSUCCESSFUL)
BAD(UnregisterInterfaceStateChangeCallback, 2, "a device that does not exist", a->device = DDI_POISON, INVALID_HANDLE)

FN(ReserveLogicalAddressRange, 6)
KINDS(ReserveLogicalAddressRange, RIGHT, RIGHT, RIGHT, ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1))
STATES(ReserveLogicalAddressRange, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(SUCCESS))
ON(ReserveLogicalAddressRange, ALLOCATOR, BUSY, INVALID_PARAMETER_MIX)
ON(ReserveLogicalAddressRange, ALLOCATOR, RESERVED, INVALID_PARAMETER_MIX)
ON(ReserveLogicalAddressRange, ALLOCATOR, SEGMENT, INVALID_PARAMETER_MIX)
ANY(ReserveLogicalAddressRange, 1, "a handle of kernel code")
BAD(ReserveLogicalAddressRange, 2, "nothing", a->size = 0, INVALID_PARAMETER_2)
BAD(ReserveLogicalAddressRange, 2, "a byte", a->size = 1, INVALID_PARAMETER_2)
BAD(ReserveLogicalAddressRange, 2, "a page and a byte", a->size = PAGE_SIZE + 1, INVALID_PARAMETER_2)
BAD_ON(ReserveLogicalAddressRange, TRANSLATE, 3, "no address", a->no_explicit = true, NOT_SUPPORTED)
BAD_ON(ReserveLogicalAddressRange, TRANSLATE, 3, "a byte past a page", a->logical++, INVALID_PARAMETER_3)
BAD_ON(ReserveLogicalAddressRange, TRANSLATE, 3, "a byte before a page", a->logical--, INVALID_PARAMETER_3)
BAD_ON(ReserveLogicalAddressRange, ALLOCATOR, 3, "an address", a->no_explicit = false, NOT_SUPPORTED)
BAD_ON(ReserveLogicalAddressRange, ALLOCATOR, 4, "a lowest address above the highest", a->minimum = a->maximum + 1, INVALID_PARAMETER_MIX)
BAD_ON(ReserveLogicalAddressRange, ALLOCATOR, 5, "a highest address one byte too low", a->maximum--, INVALID_PARAMETER_MIX)
ANY(ReserveLogicalAddressRange, 6, "an address of kernel code")

FN(FreeReservedLogicalAddressRange, 1)
KINDS(FreeReservedLogicalAddressRange, RIGHT, RIGHT, RIGHT, NA("has no tokens"), NA("has no tokens"))
STATES(FreeReservedLogicalAddressRange, NA("no token"), NA("no token"), NA("no token"), NA("no token"), ST(SUCCESS), ST(RESOURCE_IN_USE), NA("no token"))
ANY(FreeReservedLogicalAddressRange, 1, "an object of kernel code")

FN(MapReservedLogicalRange, 5)
KINDS(MapReservedLogicalRange, RIGHT, RIGHT, RIGHT, NA("has no tokens"), NA("has no tokens"))
STATES(MapReservedLogicalRange, NA("no token"), NA("no token"), NA("no token"), NA("no token"), ST(SUCCESS), ST(RESOURCE_IN_USE), NA("no token"))
ANY(MapReservedLogicalRange, 1, "an object of kernel code")
BAD(MapReservedLogicalRange, 2, "a byte past a page", a->offset = 1, INVALID_PARAMETER_2)
BAD(MapReservedLogicalRange, 2, "a byte before a page", a->offset = PAGE_SIZE - 1, INVALID_PARAMETER_2)
BAD(MapReservedLogicalRange, 2, "the end of the token", a->offset = DDI_BYTES, INVALID_PARAMETER_2)
BAD(MapReservedLogicalRange, 2, "the last page of all", a->offset = -PAGE_SIZE, INVALID_PARAMETER_2)
BAD(MapReservedLogicalRange, 3, "no permission", a->permissions = 0, INVALID_PARAMETER_3)
BAD(MapReservedLogicalRange, 3, "an unknown permission", a->permissions = 4, INVALID_PARAMETER_3)
BAD(MapReservedLogicalRange, 3, "a known and an unknown permission", a->permissions = BIT(31) | 1, INVALID_PARAMETER_3)
BAD(MapReservedLogicalRange, 4, "an unknown kind of memory", a->physical.MapType = MapPhysicalAddressTypeMax, INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "a negative kind of memory", a->physical.MapType = -1, INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "an MDL that starts in a page", ddi_physical_mdl(a, d->odd_mdl[0]), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "an MDL of less than a page", ddi_physical_mdl(a, d->odd_mdl[1]), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "an MDL of nothing", ddi_physical_mdl(a, d->odd_mdl[2]), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "an MDL without pages", ddi_physical_mdl(a, d->odd_mdl[3]), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "a range that starts in a page", ddi_physical_range(a, 8, PAGE_SIZE), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "a range of less than a page", ddi_physical_range(a, 0, PAGE_SIZE - 1), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "a range of nothing", ddi_physical_range(a, 0, 0), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "a range that wraps", ddi_physical_range(a, 0, -PAGE_SIZE), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "no page frames", ddi_physical_pfns(a, NULL, 1), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "an array of nothing", ddi_physical_pfns(a, d->pfn, 0), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "an array whose size wraps", ddi_physical_pfns(a, d->pfn, BIT_ULL(52)), INVALID_PARAMETER_4)
BAD(MapReservedLogicalRange, 4, "more than is left of the token", a->offset = PAGE_SIZE, INVALID_PARAMETER_4)
ANY(MapReservedLogicalRange, 5, "an address of kernel code")

FN(UnmapReservedLogicalRange, 1)
KINDS(UnmapReservedLogicalRange, RIGHT, RIGHT, RIGHT, NA("has no tokens"), NA("has no tokens"))
STATES(UnmapReservedLogicalRange, NA("no token"), NA("no token"), NA("no token"), NA("no token"), ST(INVALID_PARAMETER), ST(SUCCESS), NA("no token"))
BAD(UnmapReservedLogicalRange, 1, "another offset", a->segment.Offset = PAGE_SIZE, INVALID_PARAMETER)
BAD(UnmapReservedLogicalRange, 1, "another size", a->segment.Size -= PAGE_SIZE, INVALID_PARAMETER)
BAD(UnmapReservedLogicalRange, 1, "no size", a->segment.Size = 0, INVALID_PARAMETER)

FN(CreateDevice, 3)
KINDS(CreateDevice, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(CreateDevice, ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(NOT_FOUND))
FIRST(CreateDevice, REMOVED)
BAD(CreateDevice, 1, "a device behind no IOMMU", a->pdo = d->no_device, NOT_FOUND)
BAD(CreateDevice, 2, "the type of none", ddi_device_config(a, 0, IommuDeviceCreationConfigTypeNone), INVALID_PARAMETER_2)
BAD(CreateDevice, 2, "a device ID", ddi_device_config(a, 0, IommuDeviceCreationConfigTypeDeviceId), INVALID_PARAMETER_2)
BAD(CreateDevice, 2, "an unknown type", ddi_device_config(a, 0, IommuDeviceCreationConfigTypeMax), INVALID_PARAMETER_2)
BAD(CreateDevice, 2, "input mappings of a PCI device", ddi_device_config(a, 0, IommuDeviceCreationConfigTypeAcpi), INVALID_PARAMETER_2)
BAD(CreateDevice, 2, "PASIDs of a device without them", ddi_device_config(a, 0, IommuDeviceCreationConfigTypePasid), INVALID_PARAMETER_2)
BAD(CreateDevice, 2, "an unknown use of PASIDs", ddi_device_config(a, 0, IommuDeviceCreationConfigTypePasid); a->dev_config[0].Pasid.ConfigType = PasidConfigTypeMax, INVALID_PARAMETER_2)
BAD(CreateDevice, 2, "a type that comes twice", ddi_device_config(a, 0, IommuDeviceCreationConfigTypePasid); ddi_device_config(a, 1, IommuDeviceCreationConfigTypePasid), INVALID_PARAMETER_2)
BAD(CreateDevice, 2, "a list that never ends", ddi_device_config(a, 0, IommuDeviceCreationConfigTypePasid); ddi_device_config(a, 1, IommuDeviceCreationConfigTypeAcpi); a->dev_config[1].NextConfiguration.Flink = &a->dev_config[1].NextConfiguration, INVALID_PARAMETER_2)
ANY(CreateDevice, 3, "an address of kernel code")

FN(DeleteDevice, 1)
KINDS(DeleteDevice, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(DeleteDevice, ST(SUCCESS), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(RESOURCE_IN_USE), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(SUCCESS))
BAD(DeleteDevice, 1, "a device that does not exist", a->device = DDI_POISON, INVALID_HANDLE)

FN(CreatePasidDevice, 3)
KINDS(CreatePasidDevice, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(CreatePasidDevice, ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1), ST(INVALID_PARAMETER_1))
BAD(CreatePasidDevice, 1, "a device that does not exist", a->device = DDI_POISON, INVALID_HANDLE)
ANY(CreatePasidDevice, 2, "an address of kernel code")
ANY(CreatePasidDevice, 3, "an address of kernel code")

/* No device of the guest has PASIDs; wdk_pasid_test.c uses a fake one. */
FN(DeletePasidDevice, 1)
KINDS(DeletePasidDevice, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(DeletePasidDevice, ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE))
BAD(DeletePasidDevice, 1, "a device that does not exist", a->pasid = DDI_POISON, INVALID_HANDLE)

FN(AttachPasidDevice, 2)
KINDS(AttachPasidDevice, RIGHT, RIGHT, RIGHT, NA("needs a device with PASIDs"), RIGHT)
STATES(AttachPasidDevice, ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE))
ANY(AttachPasidDevice, 1, "a handle of kernel code")
BAD(AttachPasidDevice, 2, "a device that does not exist", a->pasid = DDI_POISON, INVALID_HANDLE)

FN(DetachPasidDevice, 1)
KINDS(DetachPasidDevice, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(DetachPasidDevice, ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE), ST(INVALID_HANDLE))
BAD(DetachPasidDevice, 1, "a device that does not exist", a->pasid = DDI_POISON, INVALID_HANDLE)

FN(QueryDeviceInfo, 4)
KINDS(QueryDeviceInfo, NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"), NA("takes no domain"))
STATES(QueryDeviceInfo, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
BAD(QueryDeviceInfo, 1, "a device that does not exist", a->device = DDI_POISON, INVALID_HANDLE)
BAD(QueryDeviceInfo, 2, "a byte too few", a->size = 2, BUFFER_TOO_SMALL)
BAD(QueryDeviceInfo, 2, "no byte", a->size = 0, BUFFER_TOO_SMALL)
ANY(QueryDeviceInfo, 3, "an address of kernel code")
ANY(QueryDeviceInfo, 4, "an address of kernel code")

#undef FN
#undef KINDS
#undef STATES
#undef ON
#undef FIRST
#undef BAD
#undef BAD_ON
#undef LATE
#undef ANY
