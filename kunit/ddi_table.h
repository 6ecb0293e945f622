/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each function of the interface answers: on each kind of domain, in each state of
 * the domain and the device, and for each bad argument. ddi_test.c includes this file
 * several times, and runs the product of the three.
 *
 * FN(function, parameters)
 * KINDS(function, cell for each kind of domain): RIGHT has the function, or ST() the
 *	status; NA() if the function takes no domain
 * STATES(function, cell for each state): what the good call answers, with good arguments
 *	on a right kind
 * BAD(function, parameter, what, assignment, status): an argument that is refused, before
 *	the state is looked at
 * LATE(): likewise, after the state is looked at
 * ANY(function, parameter, reason): no argument is bad, or none can be recognized
 *
 * Parameters are counted from 1. A cell that is left out does not compile, or fails.
 */
#ifndef FN
#define FN(function, parameters)
#endif
#ifndef KINDS
#define KINDS(function, translate, unmanaged)
#endif
#ifndef STATES
#define STATES(function, idle, attached, elsewhere, busy, removed)
#endif
#ifndef BAD
#define BAD(function, parameter, what, assignment, status)
#endif
#ifndef LATE
#define LATE(function, parameter, what, assignment, status)
#endif
#ifndef ANY
#define ANY(function, parameter, reason)
#endif

FN(CreateDomain, 2)
KINDS(CreateDomain, NA("makes one"), NA("makes one"))
STATES(CreateDomain, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
ANY(CreateDomain, 1, "every BOOLEAN is a kind")
ANY(CreateDomain, 2, "an address of kernel code")

FN(DeleteDomain, 1)
KINDS(DeleteDomain, RIGHT, RIGHT)
STATES(DeleteDomain, ST(SUCCESS), ST(RESOURCE_IN_USE), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(SUCCESS))
ANY(DeleteDomain, 1, "a handle of kernel code")

FN(AttachDevice, 4)
KINDS(AttachDevice, RIGHT, RIGHT)
STATES(AttachDevice, ST(SUCCESS), ST(INVALID_PARAMETER), ST(INVALID_PARAMETER), ST(INVALID_PARAMETER), ST(NOT_FOUND))
ANY(AttachDevice, 1, "a handle of kernel code")
BAD(AttachDevice, 2, "a device behind no IOMMU", a->pdo = d->no_device, NOT_FOUND)
BAD(AttachDevice, 3, "a second input mapping", a->base = 1, INVALID_PARAMETER_3)
BAD(AttachDevice, 3, "the last input mapping", a->base = U32_MAX, INVALID_PARAMETER_3)
BAD(AttachDevice, 4, "no input mapping", a->count = 0, INVALID_PARAMETER_4)
BAD(AttachDevice, 4, "two input mappings", a->count = 2, INVALID_PARAMETER_4)
BAD(AttachDevice, 4, "too many input mappings", a->count = U32_MAX, INVALID_PARAMETER_4)

FN(DetachDevice, 3)
KINDS(DetachDevice, RIGHT, RIGHT)
STATES(DetachDevice, ST(INVALID_PARAMETER_2), ST(SUCCESS), ST(INVALID_PARAMETER_2), ST(SUCCESS), ST(INVALID_PARAMETER_2))
BAD(DetachDevice, 1, "a domain that the device is not in", a->domain = d->third, INVALID_PARAMETER_2)
BAD(DetachDevice, 2, "a device behind no IOMMU", a->pdo = d->no_device, INVALID_PARAMETER_2)
BAD(DetachDevice, 3, "a second input mapping", a->base = 1, INVALID_PARAMETER_3)
BAD(DetachDevice, 3, "the last input mapping", a->base = U32_MAX, INVALID_PARAMETER_3)

FN(FlushDomain, 1)
KINDS(FlushDomain, ST(INVALID_PARAMETER_1), RIGHT)
STATES(FlushDomain, ST(INVALID_DEVICE_STATE), ST(INVALID_DEVICE_STATE), ST(INVALID_DEVICE_STATE), ST(SUCCESS), ST(INVALID_DEVICE_STATE))
ANY(FlushDomain, 1, "a handle of kernel code")

FN(FlushDomainByVaList, 4)
KINDS(FlushDomainByVaList, ST(INVALID_PARAMETER_1), RIGHT)
STATES(FlushDomainByVaList, ST(INVALID_DEVICE_STATE), ST(INVALID_DEVICE_STATE), ST(INVALID_DEVICE_STATE), ST(SUCCESS), ST(INVALID_DEVICE_STATE))
ANY(FlushDomainByVaList, 1, "a handle of kernel code")
ANY(FlushDomainByVaList, 2, "a BOOLEAN")
ANY(FlushDomainByVaList, 3, "any number, also 0")
LATE(FlushDomainByVaList, 4, "an address between the two halves", a->va[0] = BIT_ULL(47), INVALID_PARAMETER_4)
LATE(FlushDomainByVaList, 4, "a bad address after a good one", a->va[1] = BIT_ULL(60), INVALID_PARAMETER_4)

FN(QueryInputMappings, 4)
KINDS(QueryInputMappings, NA("takes no domain"), NA("takes no domain"))
STATES(QueryInputMappings, ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL), ST(UNSUCCESSFUL))
BAD(QueryInputMappings, 1, "a device behind no IOMMU", a->pdo = d->no_device, UNSUCCESSFUL)
BAD(QueryInputMappings, 2, "no buffer", a->no_buffer = true, UNSUCCESSFUL)
BAD(QueryInputMappings, 3, "a buffer of no length", a->length = 0, UNSUCCESSFUL)
ANY(QueryInputMappings, 4, "optional")

FN(MapLogicalRange, 4)
KINDS(MapLogicalRange, RIGHT, ST(INVALID_PARAMETER_1))
STATES(MapLogicalRange, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(SUCCESS))
ANY(MapLogicalRange, 1, "a handle of kernel code")
BAD(MapLogicalRange, 2, "no permission", a->permissions = 0, INVALID_PARAMETER_2)
BAD(MapLogicalRange, 2, "an unknown permission", a->permissions = 4, INVALID_PARAMETER_2)
BAD(MapLogicalRange, 2, "a known and an unknown permission", a->permissions = BIT(31) | 1, INVALID_PARAMETER_2)
BAD(MapLogicalRange, 3, "an MDL that starts in a page", a->mdl = d->odd_mdl[0], INVALID_PARAMETER_3)
BAD(MapLogicalRange, 3, "an MDL of less than a page", a->mdl = d->odd_mdl[1], INVALID_PARAMETER_3)
BAD(MapLogicalRange, 3, "an MDL of nothing", a->mdl = d->odd_mdl[2], INVALID_PARAMETER_3)
BAD(MapLogicalRange, 3, "an MDL without pages", a->mdl = d->odd_mdl[3], INVALID_PARAMETER_3)
BAD(MapLogicalRange, 4, "a byte behind a page", a->logical++, INVALID_PARAMETER_4)
BAD(MapLogicalRange, 4, "a byte before a page", a->logical--, INVALID_PARAMETER_4)
BAD(MapLogicalRange, 4, "a range that wraps", a->logical = -PAGE_SIZE, INVALID_PARAMETER_4)

FN(UnmapLogicalRange, 3)
KINDS(UnmapLogicalRange, RIGHT, ST(INVALID_PARAMETER_1))
STATES(UnmapLogicalRange, ST(NOT_FOUND), ST(NOT_FOUND), ST(NOT_FOUND), ST(SUCCESS), ST(NOT_FOUND))
ANY(UnmapLogicalRange, 1, "a handle of kernel code")
BAD(UnmapLogicalRange, 2, "a byte behind a page", a->logical++, INVALID_PARAMETER_2)
BAD(UnmapLogicalRange, 2, "a byte before a page", a->logical--, INVALID_PARAMETER_2)
BAD(UnmapLogicalRange, 3, "no page", a->pages = 0, INVALID_PARAMETER_3)
BAD(UnmapLogicalRange, 3, "a range that wraps", a->pages = BIT_ULL(52), INVALID_PARAMETER_3)
BAD(UnmapLogicalRange, 3, "bytes that wrap", a->pages = BIT_ULL(52) + 1, INVALID_PARAMETER_3)
BAD(UnmapLogicalRange, 3, "all ones", a->pages = U64_MAX, INVALID_PARAMETER_3)

FN(MapIdentityRange, 3)
KINDS(MapIdentityRange, RIGHT, ST(INVALID_PARAMETER_1))
STATES(MapIdentityRange, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(RESOURCE_IN_USE), ST(SUCCESS))
ANY(MapIdentityRange, 1, "a handle of kernel code")
BAD(MapIdentityRange, 2, "no permission", a->permissions = 0, INVALID_PARAMETER_2)
BAD(MapIdentityRange, 2, "an unknown permission", a->permissions = 4, INVALID_PARAMETER_2)
BAD(MapIdentityRange, 2, "a known and an unknown permission", a->permissions = BIT(31) | 1, INVALID_PARAMETER_2)
BAD(MapIdentityRange, 3, "an MDL that starts in a page", a->mdl = d->odd_mdl[0], INVALID_PARAMETER_3)
BAD(MapIdentityRange, 3, "an MDL of less than a page", a->mdl = d->odd_mdl[1], INVALID_PARAMETER_3)
BAD(MapIdentityRange, 3, "an MDL of nothing", a->mdl = d->odd_mdl[2], INVALID_PARAMETER_3)
BAD(MapIdentityRange, 3, "an MDL without pages", a->mdl = d->odd_mdl[3], INVALID_PARAMETER_3)

FN(UnmapIdentityRange, 2)
KINDS(UnmapIdentityRange, RIGHT, ST(INVALID_PARAMETER_1))
STATES(UnmapIdentityRange, ST(NOT_FOUND), ST(NOT_FOUND), ST(NOT_FOUND), ST(SUCCESS), ST(NOT_FOUND))
ANY(UnmapIdentityRange, 1, "a handle of kernel code")
BAD(UnmapIdentityRange, 2, "an MDL that starts in a page", a->mdl = d->odd_mdl[0], INVALID_PARAMETER_2)
BAD(UnmapIdentityRange, 2, "an MDL of less than a page", a->mdl = d->odd_mdl[1], INVALID_PARAMETER_2)
BAD(UnmapIdentityRange, 2, "an MDL of nothing", a->mdl = d->odd_mdl[2], INVALID_PARAMETER_2)
BAD(UnmapIdentityRange, 2, "an MDL without pages", a->mdl = d->odd_mdl[3], INVALID_PARAMETER_2)

FN(SetDeviceFaultReporting, 4)
KINDS(SetDeviceFaultReporting, NA("takes no domain"), NA("takes no domain"))
STATES(SetDeviceFaultReporting, ST(INVALID_PARAMETER_1), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(INVALID_PARAMETER_1))
BAD(SetDeviceFaultReporting, 1, "a device behind no IOMMU", a->pdo = d->no_device, INVALID_PARAMETER_1)
BAD(SetDeviceFaultReporting, 2, "a second input mapping", a->base = 1, INVALID_PARAMETER_2)
BAD(SetDeviceFaultReporting, 2, "the last input mapping", a->base = U32_MAX, INVALID_PARAMETER_2)
ANY(SetDeviceFaultReporting, 3, "a BOOLEAN")
BAD(SetDeviceFaultReporting, 4, "no configuration", a->no_faults = true, INVALID_PARAMETER_4)
BAD(SetDeviceFaultReporting, 4, "no handler", a->faults.FaultHandler = NULL, INVALID_PARAMETER_4)

FN(ConfigureDomain, 2)
KINDS(ConfigureDomain, ST(INVALID_PARAMETER_1), RIGHT)
STATES(ConfigureDomain, ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS), ST(SUCCESS))
ANY(ConfigureDomain, 1, "a handle of kernel code")
BAD(ConfigureDomain, 2, "the invalid architecture", a->config.Type = DomainConfigurationInvalid, INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "an unknown architecture", a->config.Type = -1, INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "a root that is not aligned", a->config.X64.FirstLevelPageTableRoot.QuadPart += 64, INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "a root outside of memory", a->config.X64.FirstLevelPageTableRoot.QuadPart = BIT_ULL(51), ACCESS_VIOLATION)
BAD(ConfigureDomain, 2, "too large an input size", ddi_config_arm64(a, 49, 0), INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "too small an input size", ddi_config_arm64(a, 15, 0), INVALID_PARAMETER_2)
BAD(ConfigureDomain, 2, "two roots", ddi_config_arm64(a, 48, PAGE_SIZE), INVALID_PARAMETER_2)

#undef FN
#undef KINDS
#undef STATES
#undef BAD
#undef LATE
#undef ANY
