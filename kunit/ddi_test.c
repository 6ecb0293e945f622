// SPDX-License-Identifier: GPL-2.0
/*
 * Every function of the interface on every kind of domain, in every state, with every
 * bad argument: what ddi_table.h says is answered, and a call that fails changes nothing.
 *
 * The contract's order of checks decides when several things are wrong: the kind of
 * domain, then the arguments, then the state.
 */
#include <kunit/test.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <wdm.h>

#include "../module/compat/pasid.h"
#include "../module/core/policy.h"
#include "../module/core/query.h"
#include "../module/core/quirks.h"
#include "../module/status.h"
#include "../module/wdk/wdk.h"
#include "support/fixture.h"
#include "support/interface.h"

#define DDI_PAGES	8
#define DDI_BYTES	(DDI_PAGES * PAGE_SIZE)
/* Where everything is mapped and reserved, and the only place that is asked for */
#define DDI_LOGICAL	0x40000000ULL
#define DDI_POISON	((void *)0x5a5a5a5a5a5a5a5aUL)

enum ddi_fn {
#define FN(function, parameters)	DDI_##function,
#include "ddi_table.h"
	DDI_NR
};

/* A member that is not in the table does not compile here. */
#define DDI_INDEX(function)	DDI_##function,
static const enum ddi_fn ddi_v1[] = { INTERFACE_V1(DDI_INDEX) };
static const enum ddi_fn ddi_v3[] = { INTERFACE_V3(DDI_INDEX) };

static_assert(sizeof(ddi_v1) / sizeof(*ddi_v1) * sizeof(void *) ==
	      sizeof(DMA_IOMMU_INTERFACE_V1));
static_assert(sizeof(ddi_v3) / sizeof(*ddi_v3) * sizeof(void *) ==
	      sizeof(DMA_IOMMU_INTERFACE_V3));

/**
 * enum ddi_kind - kinds of domain
 * @DDI_TRANSLATE: Translate
 * @DDI_ALLOCATOR: Translate with an allocator
 * @DDI_S1: TranslateS1
 * @DDI_PASS_THROUGH: PassThrough
 * @DDI_UNMANAGED: Unmanaged
 * @DDI_KINDS: how many there are
 */
enum ddi_kind {
	DDI_TRANSLATE,
	DDI_ALLOCATOR,
	DDI_S1,
	DDI_PASS_THROUGH,
	DDI_UNMANAGED,
	DDI_KINDS
};

static const char *const ddi_kind_names[] = {
	"Translate", "Translate with an allocator", "TranslateS1", "PassThrough",
	"Unmanaged",
};

/**
 * enum ddi_state - states of the domain and the device
 * @DDI_IDLE: an empty domain, and a device that is attached to nothing
 * @DDI_ATTACHED: the device is attached to the domain
 * @DDI_ELSEWHERE: the device is attached to another domain
 * @DDI_BUSY: as @DDI_ATTACHED; the domain is configured, or holds what a map would map;
 *	the device has a callback
 * @DDI_RESERVED: the domain has a token, and no device
 * @DDI_SEGMENT: a segment of the token is mapped, and the device attached
 * @DDI_REMOVED: the device was removed from its bus
 * @DDI_STATES: how many there are
 */
enum ddi_state {
	DDI_IDLE,
	DDI_ATTACHED,
	DDI_ELSEWHERE,
	DDI_BUSY,
	DDI_RESERVED,
	DDI_SEGMENT,
	DDI_REMOVED,
	DDI_STATES
};

static const char *const ddi_state_names[] = {
	"idle", "attached", "attached elsewhere", "busy", "reserved", "segment mapped",
	"removed",
};

/**
 * struct ddi_cell - what a function answers
 * @what: how to read it
 * @status: if it is DDI_STATUS
 * @after: only if all parameters before this one are good
 * @why: if it is DDI_NA
 */
struct ddi_cell {
	enum { DDI_MISSING, DDI_RIGHT, DDI_STATUS, DDI_NA } what;
	NTSTATUS status;
	unsigned int after;
	const char *why;
};

#define RIGHT		{ .what = DDI_RIGHT }
#define ST(name)	{ .what = DDI_STATUS, .status = STATUS_##name }
#define AFTER(parameter, name)						\
	{ .what = DDI_STATUS, .status = STATUS_##name, .after = parameter }
#define NA(reason)	{ .what = DDI_NA, .why = reason }

static const struct ddi_cell ddi_kinds[DDI_NR][DDI_KINDS] = {
#define KINDS(function, translate, allocator, s1, pass_through, unmanaged)	\
	[DDI_##function] = { translate, allocator, s1, pass_through, unmanaged },
#include "ddi_table.h"
};

static const struct ddi_cell ddi_states[DDI_NR][DDI_STATES] = {
#define STATES(function, idle, attached, elsewhere, busy, reserved, segment, removed)	\
	[DDI_##function] = { idle, attached, elsewhere, busy, reserved, segment, removed },
#include "ddi_table.h"
};

/* Exceptions to the states */
static const struct {
	enum ddi_fn fn;
	enum ddi_kind kind;
	enum ddi_state state;
	NTSTATUS status;
} ddi_on[] = {
#define ON(function, kind, state, name)					\
	{ DDI_##function, DDI_##kind, DDI_##state, STATUS_##name },
#include "ddi_table.h"
};

/* States that come before the arguments */
static const struct {
	enum ddi_fn fn;
	enum ddi_state state;
} ddi_first[] = {
#define FIRST(function, state)	{ DDI_##function, DDI_##state },
#include "ddi_table.h"
};

static const struct {
	const char *name;
	unsigned int parameters;
} ddi_functions[] = {
#define FN(function, parameters)	{ #function, parameters },
#include "ddi_table.h"
};

/**
 * struct ddi_bad - a bad argument
 * @fn: the function
 * @parameter: which one
 * @what: in words
 * @id: for ddi_spoil(): the row's line in ddi_table.h
 * @kind: the only kind of domain on which it is bad; DDI_KINDS: on all
 * @late: the state comes first
 * @status: the answer; success means that any argument is good
 */
struct ddi_bad {
	enum ddi_fn fn;
	unsigned int parameter;
	const char *what;
	unsigned int id;
	enum ddi_kind kind;
	bool late;
	NTSTATUS status;
};

static const struct ddi_bad ddi_bad[] = {
#define BAD(function, parameter, what, assignment, name)		\
	{ DDI_##function, parameter, what, __LINE__, DDI_KINDS, false, STATUS_##name },
#define BAD_ON(function, kind, parameter, what, assignment, name)	\
	{ DDI_##function, parameter, what, __LINE__, DDI_##kind, false, STATUS_##name },
#define LATE(function, parameter, what, assignment, name)		\
	{ DDI_##function, parameter, what, __LINE__, DDI_KINDS, true, STATUS_##name },
#define ANY(function, parameter, reason)				\
	{ DDI_##function, parameter, reason, 0, DDI_KINDS, false, STATUS_SUCCESS },
#include "ddi_table.h"
};

/**
 * struct ddi_args - arguments of all functions, in and out
 */
struct ddi_args {
	PIOMMU_DMA_DOMAIN domain;
	PIOMMU_DMA_DOMAIN domain_out;
	PIOMMU_DMA_DEVICE device;
	PIOMMU_DMA_DEVICE device_out;
	PIOMMU_DMA_PASID_DEVICE pasid;
	PIOMMU_DMA_PASID_DEVICE pasid_out;
	PDEVICE_OBJECT pdo;
	PMDL mdl;
	IOMMU_MAP_PHYSICAL_ADDRESS physical;
	DOMAIN_CONFIGURATION config;
	DEVICE_FAULT_CONFIGURATION faults;
	INPUT_MAPPING_ELEMENT elements[2];
	IOMMU_DMA_DOMAIN_TYPE type;
	IOMMU_DMA_DOMAIN_CREATION_FLAGS creation;
	IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG allocator;
	IOMMU_DMA_RESERVED_REGION region[2];
	IOMMU_DEVICE_CREATION_CONFIGURATION dev_config[2];
	unsigned int nr_regions;
	unsigned int nr_configs;
	PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK callback;
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields;
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token;
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment;
	IOMMU_DMA_DEVICE_INFORMATION information;
	ULONGLONG logical;
	ULONGLONG logical_out;
	ULONGLONG minimum;
	ULONGLONG maximum;
	ULONGLONG pages;
	ULONGLONG va[2];
	SIZE_T size;
	SIZE_T offset;
	ULONG base;
	ULONG count;
	ULONG permissions;
	ULONG length;
	ULONG return_length;
	ULONG types;
	bool no_buffer;
	bool no_faults;
	bool no_explicit;
};

/**
 * struct ddi_snapshot - what no call that fails changes
 */
struct ddi_snapshot {
	struct wdm_domain_report report[2];
	struct iommu_domain *attached;
	phys_addr_t translated;
};

/**
 * struct ddi - the domains and the device that functions are called with
 * @test: the test
 * @io: the table of version 1
 * @io3: that of version 3; NULL for functions that are not there
 * @kind: of @domain
 * @state: the state
 * @domain: a domain of the kind
 * @other: one that the device is attached to when it is elsewhere
 * @third: one that it is never attached to
 * @device: the device for version 2
 * @token: in DDI_RESERVED and DDI_SEGMENT
 * @segment: in DDI_SEGMENT
 * @pfn: a page of @memory
 * @memory: DDI_PAGES pages; the first ones hold page tables
 * @mdl: an MDL of it
 * @odd_mdl: MDLs that no function takes
 * @no_device: a device of no bus
 * @pdev: a device that nobody uses; NULL while it is removed
 * @bus: its bus
 */
struct ddi {
	struct kunit *test;
	DMA_IOMMU_INTERFACE io;
	DMA_IOMMU_INTERFACE_V3 io3;
	enum ddi_kind kind;
	enum ddi_state state;
	PIOMMU_DMA_DOMAIN domain;
	PIOMMU_DMA_DOMAIN other;
	PIOMMU_DMA_DOMAIN third;
	PIOMMU_DMA_DEVICE device;
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token;
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment;
	PFN_NUMBER pfn[1];
	void *memory;
	PMDL mdl;
	PMDL odd_mdl[4];
	struct device *no_device;
	struct pci_dev *pdev;
	struct pci_bus *bus;
};

static void ddi_fault(void *context, PFAULT_INFORMATION info)
{
}

static void ddi_config_arm64(struct ddi_args *a, UCHAR size, u64 ttbr1)
{
	u64 root = a->config.X64.FirstLevelPageTableRoot.QuadPart;

	memset(&a->config, 0, sizeof(a->config));
	a->config.Type = DomainConfigurationArm64;
	a->config.Arm64.Ttbr0.QuadPart = root;
	a->config.Arm64.Ttbr1.QuadPart = ttbr1 ? root + ttbr1 : 0;
	a->config.Arm64.InputSize0 = size;
	a->config.Arm64.TranslationEnabled = TRUE;
}

static void ddi_state_change(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
}

static void ddi_physical_mdl(struct ddi_args *a, PMDL mdl)
{
	a->physical.MapType = MapPhysicalAddressTypeMdl;
	a->physical.Mdl.Mdl = mdl;
}

/* A range in the good one's memory */
static void ddi_physical_range(struct ddi_args *a, u64 offset, SIZE_T size)
{
	a->physical.ContiguousRange.Base.QuadPart += offset;
	a->physical.ContiguousRange.Size = size;
}

static void ddi_physical_pfns(struct ddi_args *a, PPFN_NUMBER pfn, SIZE_T nr)
{
	a->physical.MapType = MapPhysicalAddressTypePfn;
	a->physical.PfnArray.PageFrame = pfn;
	a->physical.PfnArray.NumberOfPages = nr;
}

static void ddi_allocator(struct ddi_args *a, IOMMU_DMA_LOGICAL_ALLOCATOR_TYPE type,
			  ULONG width)
{
	a->allocator.LogicalAllocatorType = type;
	a->allocator.BuddyAllocatorConfig.AddressWidth = width;
}

/* Append region @nr to the list. */
static void ddi_region(struct ddi_args *a, unsigned int nr, u64 base, SIZE_T pages)
{
	a->region[nr].Base = base;
	a->region[nr].NumberOfPages = pages;
	if (nr)
		a->region[nr - 1].RegionNext = &a->region[nr];
	a->nr_regions = nr + 1;
}

/* Append configuration @nr to the list. */
static void ddi_device_config(struct ddi_args *a, unsigned int nr,
			      IOMMU_DEVICE_CREATION_CONFIGURATION_TYPE type)
{
	a->dev_config[nr].ConfigType = type;
	if (type == IommuDeviceCreationConfigTypeAcpi)
		a->dev_config[nr].Acpi.MappingsCount = 1;
	if (nr)
		a->dev_config[nr - 1].NextConfiguration.Flink =
			&a->dev_config[nr].NextConfiguration;
	a->nr_configs = nr + 1;
}

static void ddi_spoil(struct ddi *d, const struct ddi_bad *bad, struct ddi_args *a)
{
	switch (bad->id) {
#define BAD(function, parameter, what, assignment, name)		\
	case __LINE__:							\
		assignment;						\
		break;
#define BAD_ON(function, kind, parameter, what, assignment, name)	\
	case __LINE__:							\
		assignment;						\
		break;
#define LATE	BAD
#include "ddi_table.h"
	}
}

/* Arguments that the function takes in the right state */
static void ddi_arguments(struct ddi *d, struct ddi_args *a)
{
	memset(a, 0, sizeof(*a));
	a->domain = d->domain;
	a->domain_out = DDI_POISON;
	a->device = d->device;
	a->device_out = DDI_POISON;
	a->pasid = DDI_POISON;
	a->pasid_out = DDI_POISON;
	/* Once it is removed, only its address is left. */
	a->pdo = &d->pdev->dev;
	a->mdl = d->mdl;
	a->physical.MapType = MapPhysicalAddressTypeContiguousRange;
	a->physical.ContiguousRange.Base.QuadPart = virt_to_phys(d->memory);
	a->physical.ContiguousRange.Size = DDI_BYTES;
	a->config.Type = DomainConfigurationX64;
	a->config.X64.FirstLevelPageTableRoot.QuadPart = virt_to_phys(d->memory);
	a->config.X64.TranslationEnabled = TRUE;
	a->faults.FaultHandler = ddi_fault;
	memset(a->elements, 0x5a, sizeof(a->elements));
	a->callback = ddi_state_change;
	a->fields.AvailableDomainTypes = 1;
	a->token = d->token ?: DDI_POISON;
	a->segment = d->segment;
	memset(&a->information, 0x5a, sizeof(a->information));
	a->logical = DDI_LOGICAL;
	a->logical_out = 0x5a5a5a5a5a5a5a5a;
	a->minimum = DDI_LOGICAL;
	a->maximum = DDI_LOGICAL + DDI_BYTES - 1;
	a->no_explicit = d->kind == DDI_ALLOCATOR;
	a->pages = DDI_PAGES;
	a->va[0] = DDI_LOGICAL;
	a->va[1] = DDI_LOGICAL + PAGE_SIZE;
	a->size = DDI_BYTES;
	a->count = 1;
	a->permissions = IOMMU_ACCESS_READ | IOMMU_ACCESS_WRITE;
	a->length = sizeof(a->elements);
	a->return_length = 0x5a5a5a5a;
	a->types = 0x5a5a5a5a;
}

static NTSTATUS ddi_call_v1(struct ddi *d, enum ddi_fn fn, struct ddi_args *a)
{
	DMA_IOMMU_INTERFACE *io = &d->io;

	switch (fn) {
	case DDI_CreateDomain:
		return io->CreateDomain(d->kind == DDI_TRANSLATE, &a->domain_out);
	case DDI_DeleteDomain:
		return io->DeleteDomain(a->domain);
	case DDI_AttachDevice:
		return io->AttachDevice(a->domain, a->pdo, a->base, a->count);
	case DDI_DetachDevice:
		return io->DetachDevice(a->domain, a->pdo, a->base);
	case DDI_FlushDomain:
		return io->FlushDomain(a->domain);
	case DDI_FlushDomainByVaList:
		return io->FlushDomainByVaList(a->domain, TRUE, ARRAY_SIZE(a->va), a->va);
	case DDI_QueryInputMappings:
		return io->QueryInputMappings(a->pdo, a->no_buffer ? NULL : a->elements,
					      a->length, &a->return_length);
	case DDI_MapLogicalRange:
		return io->MapLogicalRange(a->domain, a->permissions, a->mdl, a->logical);
	case DDI_UnmapLogicalRange:
		return io->UnmapLogicalRange(a->domain, a->logical, a->pages);
	case DDI_MapIdentityRange:
		return io->MapIdentityRange(a->domain, a->permissions, a->mdl);
	case DDI_UnmapIdentityRange:
		return io->UnmapIdentityRange(a->domain, a->mdl);
	case DDI_SetDeviceFaultReporting:
		return io->SetDeviceFaultReporting(a->pdo, a->base, TRUE,
						   a->no_faults ? NULL : &a->faults);
	case DDI_ConfigureDomain:
		return io->ConfigureDomain(a->domain, &a->config);
	default:
		return STATUS_NOT_IMPLEMENTED;
	}
}

static NTSTATUS ddi_call_v2(struct ddi *d, enum ddi_fn fn, struct ddi_args *a)
{
	DMA_IOMMU_INTERFACE_V3 *io = &d->io3;

	switch (fn) {
	case DDI_CreateDomainEx:
		return io->CreateDomainEx(a->type, a->creation, &a->allocator,
					  a->nr_regions ? a->region : NULL,
					  &a->domain_out);
	case DDI_AttachDeviceEx:
		return io->AttachDeviceEx(a->domain, a->device);
	case DDI_DetachDeviceEx:
		return io->DetachDeviceEx(a->device);
	case DDI_MapLogicalRangeEx:
		return io->MapLogicalRangeEx(a->domain, a->permissions, &a->physical,
					     a->no_explicit ? NULL : &a->logical,
					     &a->minimum, &a->maximum, &a->logical_out);
	case DDI_MapIdentityRangeEx:
		return io->MapIdentityRangeEx(a->domain, a->permissions, &a->physical);
	case DDI_UnmapIdentityRangeEx:
		return io->UnmapIdentityRangeEx(a->domain, &a->physical);
	case DDI_SetDeviceFaultReportingEx:
		return io->SetDeviceFaultReportingEx(a->device, a->base, TRUE,
						     a->no_faults ? NULL : &a->faults);
	case DDI_QueryAvailableDomainTypes:
		io->QueryAvailableDomainTypes(a->device, &a->types);
		return STATUS_SUCCESS;
	case DDI_RegisterInterfaceStateChangeCallback:
		return io->RegisterInterfaceStateChangeCallback(a->callback, d, a->device,
								&a->fields);
	case DDI_UnregisterInterfaceStateChangeCallback:
		return io->UnregisterInterfaceStateChangeCallback(a->callback, a->device);
	case DDI_ReserveLogicalAddressRange:
		return io->ReserveLogicalAddressRange(a->domain, a->size,
						      a->no_explicit ? NULL : &a->logical,
						      &a->minimum, &a->maximum, &a->token);
	case DDI_FreeReservedLogicalAddressRange:
		return io->FreeReservedLogicalAddressRange(a->token);
	case DDI_MapReservedLogicalRange:
		return io->MapReservedLogicalRange(a->token, a->offset, a->permissions,
						   &a->physical, &a->segment);
	case DDI_UnmapReservedLogicalRange:
		return io->UnmapReservedLogicalRange(&a->segment);
	case DDI_CreateDevice:
		return io->CreateDevice(a->pdo, a->nr_configs ? a->dev_config : NULL,
					&a->device_out);
	case DDI_DeleteDevice:
		return io->DeleteDevice(a->device);
	case DDI_CreatePasidDevice:
		return io->CreatePasidDevice(a->device, &a->pasid_out, &a->return_length);
	case DDI_DeletePasidDevice:
		return io->DeletePasidDevice(a->pasid);
	case DDI_AttachPasidDevice:
		return io->AttachPasidDevice(a->domain, a->pasid);
	case DDI_DetachPasidDevice:
		return io->DetachPasidDevice(a->pasid);
	case DDI_QueryDeviceInfo:
		return io->QueryDeviceInfo(a->device, a->size, &a->return_length,
					   &a->information);
	default:
		return ddi_call_v1(d, fn, a);
	}
}

static NTSTATUS ddi_call(struct ddi *d, enum ddi_fn fn, struct ddi_args *a)
{
	return ddi_call_v2(d, fn, a);
}

/* Page tables that map the rest of the memory at DDI_LOGICAL */
static void ddi_build_tables(struct ddi *d)
{
	static const unsigned int entry[] = { 0, 1, 0, 0 };
	u64 physical = virt_to_phys(d->memory);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(entry); i++)
		((u64 *)(d->memory + i * PAGE_SIZE))[entry[i]] =
			(physical + (i + 1) * PAGE_SIZE) | 0x7;
}

static bool ddi_has_tokens(struct ddi *d)
{
	return d->io3.ReserveLogicalAddressRange && d->kind < DDI_PASS_THROUGH;
}

/* Can a domain of the kind reach the state? */
static bool ddi_reachable(struct ddi *d)
{
	return ddi_has_tokens(d) || (d->state != DDI_RESERVED && d->state != DDI_SEGMENT);
}

static NTSTATUS ddi_create_domain(struct ddi *d)
{
	static const IOMMU_DMA_DOMAIN_TYPE types[] = {
		[DDI_TRANSLATE] = DomainTypeTranslate,
		[DDI_ALLOCATOR] = DomainTypeTranslate,
		[DDI_S1] = DomainTypeTranslateS1,
		[DDI_PASS_THROUGH] = DomainTypePassThrough,
		[DDI_UNMANAGED] = DomainTypeUnmanaged,
	};
	IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG allocator = {
		.LogicalAllocatorType = IommuDmaLogicalAllocatorBuddy,
		.BuddyAllocatorConfig.AddressWidth = 39,
	};
	IOMMU_DMA_DOMAIN_CREATION_FLAGS flags = { };

	if (d->kind == DDI_TRANSLATE || d->kind == DDI_UNMANAGED)
		return d->io.CreateDomain(d->kind == DDI_TRANSLATE, &d->domain);
	if (!d->io3.CreateDomainEx)
		return STATUS_NOT_SUPPORTED;
	return d->io3.CreateDomainEx(types[d->kind], flags,
				     d->kind == DDI_ALLOCATOR ? &allocator : NULL, NULL,
				     &d->domain);
}

/* Call a function with good arguments, to reach a state. */
static void ddi_do(struct ddi *d, enum ddi_fn fn)
{
	struct ddi_args a;

	ddi_arguments(d, &a);
	KUNIT_EXPECT_STATUS(d->test, ddi_call(d, fn, &a), STATUS_SUCCESS);
	if (fn == DDI_ReserveLogicalAddressRange)
		d->token = a.token;
	else if (fn == DDI_MapReservedLogicalRange)
		d->segment = a.segment;
	else if (fn == DDI_CreateDevice)
		d->device = a.device_out;
}

static void ddi_make_busy(struct ddi *d)
{
	if (d->kind == DDI_UNMANAGED) {
		ddi_do(d, DDI_ConfigureDomain);
	} else if (d->kind == DDI_ALLOCATOR) {
		ddi_do(d, DDI_MapLogicalRangeEx);
	} else if (d->kind != DDI_PASS_THROUGH) {
		ddi_do(d, DDI_MapLogicalRange);
		ddi_do(d, DDI_MapIdentityRange);
	}
	if (d->device)
		ddi_do(d, DDI_RegisterInterfaceStateChangeCallback);
}

static void ddi_find_device(struct ddi *d)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		if (!pdev->dev.driver && device_iommu_mapped(&pdev->dev))
			break;
	d->pdev = pdev;
}

/* Reach the state, from none. */
static void ddi_enter(struct ddi *d)
{
	struct kunit *test = d->test;

	KUNIT_ASSERT_STATUS(test, ddi_create_domain(d), STATUS_SUCCESS);
	if (d->io3.CreateDevice)
		ddi_do(d, DDI_CreateDevice);
	switch (d->state) {
	case DDI_BUSY:
		ddi_make_busy(d);
		fallthrough;
	case DDI_ATTACHED:
		ddi_do(d, DDI_AttachDevice);
		break;
	case DDI_ELSEWHERE:
		KUNIT_EXPECT_STATUS(test, d->io.AttachDevice(d->other, &d->pdev->dev, 0, 1),
				    STATUS_SUCCESS);
		break;
	case DDI_RESERVED:
		ddi_do(d, DDI_ReserveLogicalAddressRange);
		break;
	case DDI_SEGMENT:
		ddi_do(d, DDI_ReserveLogicalAddressRange);
		ddi_do(d, DDI_MapReservedLogicalRange);
		ddi_do(d, DDI_AttachDevice);
		break;
	case DDI_REMOVED:
		pci_stop_and_remove_bus_device_locked(d->pdev);
		break;
	default:
		break;
	}
}

/* Free the token and the device, whatever a call made of them. */
static void ddi_leave_v2(struct ddi *d)
{
	if (d->segment.Size)
		d->io3.UnmapReservedLogicalRange(&d->segment);
	d->segment.Size = 0;
	if (d->token)
		KUNIT_EXPECT_STATUS(d->test,
				    d->io3.FreeReservedLogicalAddressRange(d->token),
				    STATUS_SUCCESS);
	d->token = NULL;
	if (!d->device)
		return;
	d->io3.UnregisterInterfaceStateChangeCallback(ddi_state_change, d->device);
	KUNIT_EXPECT_STATUS(d->test, d->io3.DeleteDevice(d->device), STATUS_SUCCESS);
	d->device = NULL;
}

/* Leave the state, whatever a call made of it. */
static void ddi_leave(struct ddi *d)
{
	d->io.DetachDevice(d->other, &d->pdev->dev, 0);
	if (d->domain)
		d->io.DetachDevice(d->domain, &d->pdev->dev, 0);
	ddi_leave_v2(d);
	if (d->domain)
		KUNIT_EXPECT_STATUS(d->test, d->io.DeleteDomain(d->domain), STATUS_SUCCESS);
	d->domain = NULL;
	if (d->state == DDI_REMOVED) {
		pci_lock_rescan_remove();
		pci_rescan_bus(d->bus);
		pci_unlock_rescan_remove();
		pci_dev_put(d->pdev);
		ddi_find_device(d);
		KUNIT_ASSERT_NOT_NULL(d->test, d->pdev);
	}
}

static void ddi_snapshot(struct ddi *d, struct ddi_snapshot *snapshot)
{
	struct iommu_domain *attached = NULL;

	memset(snapshot, 0, sizeof(*snapshot));
	wdm_domain_report(d->domain->core, &snapshot->report[0]);
	wdm_domain_report(d->other->core, &snapshot->report[1]);
	if (d->state != DDI_REMOVED)
		attached = iommu_get_domain_for_dev(&d->pdev->dev);
	snapshot->attached = attached;
	if (attached && d->state != DDI_IDLE)
		snapshot->translated = iommu_iova_to_phys(attached, DDI_LOGICAL);
}

static bool ddi_same_report(const struct wdm_domain_report *a,
			    const struct wdm_domain_report *b)
{
	return a->configured == b->configured && a->translating == b->translating &&
	       a->nr_devices == b->nr_devices && a->nr_hwpts == b->nr_hwpts &&
	       a->mapped_pages == b->mapped_pages &&
	       a->translated_bytes == b->translated_bytes &&
	       a->shadow_tables == b->shadow_tables &&
	       a->invalid_entries == b->invalid_entries;
}

static bool ddi_same(const struct ddi_snapshot *a, const struct ddi_snapshot *b)
{
	return ddi_same_report(&a->report[0], &b->report[0]) &&
	       ddi_same_report(&a->report[1], &b->report[1]) &&
	       a->attached == b->attached && a->translated == b->translated;
}

/* What the good call answers in the state */
static NTSTATUS ddi_state_status(struct ddi *d, enum ddi_fn fn)
{
	bool reports = fn != DDI_SetDeviceFaultReporting && fn != DDI_SetDeviceFaultReportingEx;
	NTSTATUS status = ddi_states[fn][d->state].status;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ddi_on); i++)
		if (ddi_on[i].fn == fn && ddi_on[i].kind == d->kind &&
		    ddi_on[i].state == d->state)
			return ddi_on[i].status;
	/* Where the IOMMU driver reports no faults, there are none to hand on. */
	if (!reports && wdm_ok(status) && !wdm_quirk_reports_faults(&d->pdev->dev))
		return STATUS_NOT_SUPPORTED;
	return status;
}

static bool ddi_state_first(struct ddi *d, enum ddi_fn fn)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ddi_first); i++)
		if (ddi_first[i].fn == fn && ddi_first[i].state == d->state)
			return true;
	return false;
}

/* What the call answers. False: there is no such call, as the table says. */
static bool ddi_expected(struct ddi *d, enum ddi_fn fn, const struct ddi_bad *bad,
			 NTSTATUS *status)
{
	const struct ddi_cell *kind = &ddi_kinds[fn][d->kind];
	NTSTATUS state = ddi_state_status(d, fn);

	/* A function that takes no domain needs one kind only. */
	if ((kind->what == DDI_NA && d->kind) || ddi_states[fn][d->state].what == DDI_NA)
		return false;
	if (bad && bad->kind != DDI_KINDS && bad->kind != d->kind)
		return false;
	if (kind->what == DDI_STATUS && !wdm_ok(kind->status) &&
	    (!bad || bad->parameter >= kind->after)) {
		*status = kind->status;
		return true;
	}
	if (kind->what == DDI_STATUS)
		state = kind->status;
	*status = state;
	if (bad && !ddi_state_first(d, fn) && (!bad->late || wdm_ok(state)))
		*status = bad->status;
	return true;
}

static void ddi_succeeded(struct ddi *d, enum ddi_fn fn, struct ddi_args *a)
{
	switch (fn) {
	case DDI_CreateDomain:
	case DDI_CreateDomainEx:
		KUNIT_EXPECT_STATUS(d->test, d->io.DeleteDomain(a->domain_out),
				    STATUS_SUCCESS);
		break;
	case DDI_DeleteDomain:
		d->domain = NULL;
		break;
	case DDI_DeleteDevice:
		d->device = NULL;
		break;
	case DDI_MapLogicalRangeEx:
		KUNIT_EXPECT_EQ(d->test, a->logical_out, DDI_LOGICAL);
		break;
	case DDI_ReserveLogicalAddressRange:
		KUNIT_EXPECT_EQ(d->test, a->token->LogicalAddressBase, DDI_LOGICAL);
		KUNIT_EXPECT_EQ(d->test, a->token->Size, DDI_BYTES);
		d->token = a->token;
		break;
	case DDI_FreeReservedLogicalAddressRange:
		d->token = NULL;
		break;
	case DDI_MapReservedLogicalRange:
		KUNIT_EXPECT_PTR_EQ(d->test, a->segment.OwningToken, d->token);
		KUNIT_EXPECT_EQ(d->test, a->segment.Size, DDI_BYTES);
		d->segment = a->segment;
		break;
	case DDI_UnmapReservedLogicalRange:
		KUNIT_EXPECT_EQ(d->test, a->segment.Size, 0);
		d->segment = a->segment;
		break;
	case DDI_QueryAvailableDomainTypes:
		KUNIT_EXPECT_EQ(d->test, !!(a->types & BIT(DomainTypeTranslate)),
				d->state != DDI_REMOVED);
		break;
	case DDI_QueryDeviceInfo:
		KUNIT_EXPECT_EQ(d->test, a->return_length, sizeof(a->information));
		break;
	default:
		break;
	}
	/* It may have changed anything. */
	ddi_leave(d);
	ddi_enter(d);
}

static void ddi_try(struct ddi *d, enum ddi_fn fn, const struct ddi_bad *bad)
{
	const char *what = bad ? bad->what : "good arguments";
	struct ddi_snapshot before, after;
	struct ddi_args args, copy;
	NTSTATUS expected, status;

	if (!ddi_expected(d, fn, bad, &expected))
		return;
	ddi_arguments(d, &args);
	if (bad)
		ddi_spoil(d, bad, &args);
	memcpy(&copy, &args, sizeof(args));
	ddi_snapshot(d, &before);
	status = ddi_call(d, fn, &args);
	KUNIT_EXPECT_TRUE_MSG(d->test, status == expected, "%s, %s, %s: %s, not %s",
			      ddi_functions[fn].name, ddi_state_names[d->state], what,
			      wdm_status_name(status), wdm_status_name(expected));
	if (wdm_ok(status)) {
		ddi_succeeded(d, fn, &args);
		return;
	}
	/* The only answer beside a failure */
	if (status == STATUS_BUFFER_TOO_SMALL)
		copy.return_length = 0;
	ddi_snapshot(d, &after);
	KUNIT_EXPECT_TRUE_MSG(d->test, ddi_same(&before, &after), "%s, %s, %s: a change",
			      ddi_functions[fn].name, ddi_state_names[d->state], what);
	KUNIT_EXPECT_TRUE_MSG(d->test, !memcmp(&copy, &args, sizeof(args)),
			      "%s, %s, %s: an argument is written",
			      ddi_functions[fn].name, ddi_state_names[d->state], what);
}

static void ddi_start_mdls(struct ddi *d)
{
	static const struct {
		ULONG offset, length;
		bool build;
	} odd[ARRAY_SIZE(d->odd_mdl)] = {
		{ 8, PAGE_SIZE, true }, { 0, PAGE_SIZE - 1, true }, { 0, 0, true },
		{ 0, PAGE_SIZE, false },
	};
	unsigned int i;

	d->mdl = IoAllocateMdl(d->memory, DDI_PAGES * PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(d->test, d->mdl);
	MmBuildMdlForNonPagedPool(d->mdl);
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		d->odd_mdl[i] = IoAllocateMdl(d->memory + odd[i].offset, odd[i].length,
					      FALSE, FALSE, NULL);
		KUNIT_ASSERT_NOT_NULL(d->test, d->odd_mdl[i]);
		if (odd[i].build)
			MmBuildMdlForNonPagedPool(d->odd_mdl[i]);
	}
}

static int ddi_init(struct kunit *test)
{
	struct ddi *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->test = test;
	test->priv = d;
	KUNIT_ASSERT_STATUS(test, IoGetIommuInterface(1, &d->io), STATUS_SUCCESS);
	interface_get(&d->io3);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);
	d->no_device = kunit_kzalloc(test, sizeof(*d->no_device), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d->no_device);
	d->memory = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					     get_order(DDI_PAGES * PAGE_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, d->memory);
	d->pfn[0] = PHYS_PFN(virt_to_phys(d->memory));
	ddi_build_tables(d);
	ddi_start_mdls(d);
	KUNIT_ASSERT_STATUS(test, d->io.CreateDomain(TRUE, &d->other), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, d->io.CreateDomain(TRUE, &d->third), STATUS_SUCCESS);
	ddi_find_device(d);
	if (d->pdev)
		d->bus = d->pdev->bus;
	return 0;
}

static void ddi_exit(struct kunit *test)
{
	struct ddi *d = test->priv;
	unsigned int i;

	if (!d)
		return;
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
	pci_dev_put(d->pdev);
	if (d->third)
		KUNIT_EXPECT_STATUS(test, d->io.DeleteDomain(d->third), STATUS_SUCCESS);
	if (d->other)
		KUNIT_EXPECT_STATUS(test, d->io.DeleteDomain(d->other), STATUS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(d->odd_mdl); i++)
		IoFreeMdl(d->odd_mdl[i]);
	IoFreeMdl(d->mdl);
	free_pages((unsigned long)d->memory, get_order(DDI_PAGES * PAGE_SIZE));
}

static void ddi_describe(const char *const *kind, char *name)
{
	strscpy(name, *kind, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ddi, ddi_kind_names, ddi_describe);

/* Has one of the versions that there are the function? */
static bool ddi_exists(struct ddi *d, enum ddi_fn fn)
{
	void *const *members = (void *const *)&d->io3;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ddi_v1); i++)
		if (ddi_v1[i] == fn)
			return true;
	for (i = 0; i < ARRAY_SIZE(ddi_v3); i++)
		if (ddi_v3[i] == fn)
			return members[i];
	return false;
}

static void ddi_kind(struct kunit *test)
{
	const char *const *kind = test->param_value;
	struct ddi *d = test->priv;
	enum ddi_fn fn;
	unsigned int i;

	if (!d->pdev)
		kunit_skip(test, "no edu device without a driver behind an IOMMU");
	d->kind = kind - ddi_kind_names;
	/* All of memory is mapped, also what is freed meanwhile. */
	if (d->kind == DDI_PASS_THROUGH && IS_ENABLED(CONFIG_IOMMU_DEBUG_PAGEALLOC))
		kunit_skip(test, "the kernel warns of pages that are freed while they are mapped");
	if (d->kind == DDI_S1 && !wdm_max_pasids(&d->pdev->dev))
		kunit_skip(test, "the device has no PASIDs");
	if (ddi_create_domain(d) == STATUS_NOT_SUPPORTED)
		kunit_skip(test, "this kind of domain cannot be had");
	KUNIT_EXPECT_STATUS(test, d->io.DeleteDomain(d->domain), STATUS_SUCCESS);
	for (d->state = 0; d->state < DDI_STATES; d->state++) {
		if (!ddi_reachable(d))
			continue;
		ddi_enter(d);
		for (i = 0; i < ARRAY_SIZE(ddi_bad); i++)
			if (ddi_bad[i].id && ddi_exists(d, ddi_bad[i].fn))
				ddi_try(d, ddi_bad[i].fn, &ddi_bad[i]);
		for (fn = 0; fn < DDI_NR; fn++)
			if (ddi_exists(d, fn))
				ddi_try(d, fn, NULL);
		ddi_leave(d);
	}
}

/* Every function has a cell for each kind, each state and each parameter. */
static void ddi_complete(struct kunit *test)
{
	unsigned int i, parameters;
	enum ddi_fn fn;

	for (fn = 0; fn < DDI_NR; fn++) {
		for (i = 0; i < DDI_KINDS; i++)
			KUNIT_EXPECT_NE_MSG(test, ddi_kinds[fn][i].what, DDI_MISSING,
					    "%s: no cell for %s", ddi_functions[fn].name,
					    ddi_kind_names[i]);
		for (i = 0; i < DDI_STATES; i++)
			KUNIT_EXPECT_NE_MSG(test, ddi_states[fn][i].what, DDI_MISSING,
					    "%s: no cell for %s", ddi_functions[fn].name,
					    ddi_state_names[i]);
		parameters = 0;
		for (i = 0; i < ARRAY_SIZE(ddi_bad); i++)
			if (ddi_bad[i].fn == fn)
				parameters |= BIT(ddi_bad[i].parameter);
		KUNIT_EXPECT_EQ_MSG(test, parameters,
				    GENMASK(ddi_functions[fn].parameters, 1),
				    "%s: parameters without a row", ddi_functions[fn].name);
	}
}

/* The lists of members are in the tables' order. */
static void ddi_order(struct kunit *test)
{
#define DDI_OFFSET_V1(function)	offsetof(DMA_IOMMU_INTERFACE_V1, function),
#define DDI_OFFSET_V2(function)	offsetof(DMA_IOMMU_INTERFACE_V2, function),
#define DDI_OFFSET_V3(function)	offsetof(DMA_IOMMU_INTERFACE_V3, function),
	static const size_t v1[] = { INTERFACE_V1(DDI_OFFSET_V1) };
	static const size_t v2[] = { INTERFACE_V2(DDI_OFFSET_V2) };
	static const size_t v3[] = { INTERFACE_V3(DDI_OFFSET_V3) };
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(v2) * sizeof(void *),
			sizeof(DMA_IOMMU_INTERFACE_V2));
	for (i = 0; i < ARRAY_SIZE(v1); i++)
		KUNIT_EXPECT_EQ(test, v1[i], i * sizeof(void *));
	for (i = 0; i < ARRAY_SIZE(v2); i++)
		KUNIT_EXPECT_EQ(test, v2[i], i * sizeof(void *));
	for (i = 0; i < ARRAY_SIZE(v3); i++)
		KUNIT_EXPECT_EQ(test, v3[i], i * sizeof(void *));
}

static const struct kunit_attributes ddi_slow = {
	.speed = KUNIT_SPEED_SLOW,
};

static struct kunit_case ddi_cases[] = {
	KUNIT_CASE(ddi_complete),
	KUNIT_CASE(ddi_order),
	KUNIT_CASE_PARAM_ATTR(ddi_kind, ddi_gen_params, ddi_slow),
	{}
};

static struct kunit_suite ddi_suite = {
	.name = "wdm_iommu_ddi",
	.init = ddi_init,
	.exit = ddi_exit,
	.test_cases = ddi_cases,
};

kunit_test_suite(ddi_suite);
