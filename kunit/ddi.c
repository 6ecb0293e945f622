// SPDX-License-Identifier: GPL-2.0
/*
 * Every function of the interface on every kind of domain, in every state, with every bad
 * argument. Checks that each status is that of ddi_table.h, and that a failed call changes
 * nothing.
 *
 * If several things are wrong, the order of the contract's checks decides: the kind of
 * domain, then the arguments, then the state.
 */
#include "ddi.h"

enum ddi_fn {
#define FN(function, parameters)	DDI_##function,
#include "ddi_table.h"
	DDI_NR
};

/* A function that is missing in the table does not compile here. */
#define DDI_INDEX(function)	DDI_##function,
static const enum ddi_fn ddi_v1[] = { INTERFACE_V1(DDI_INDEX) };
static const enum ddi_fn ddi_v3[] = { INTERFACE_V3(DDI_INDEX) };

static_assert(sizeof(ddi_v1) / sizeof(*ddi_v1) * sizeof(void *) ==
	      sizeof(DMA_IOMMU_INTERFACE_V1));
static_assert(sizeof(ddi_v3) / sizeof(*ddi_v3) * sizeof(void *) ==
	      sizeof(DMA_IOMMU_INTERFACE_V3));

const char *const ddi_kind_names[DDI_KINDS] = {
	"Translate", "Translate with an allocator", "TranslateS1", "PassThrough",
	"Unmanaged",
};

static const char *const ddi_state_names[] = {
	"idle", "attached", "attached elsewhere", "busy", "reserved", "segment mapped",
	"removed",
};

/**
 * struct ddi_cell - the expected result of a function
 * @what: how to interpret it
 * @status: the status, if @what is DDI_STATUS
 * @after: only if all parameters before this one are good
 * @why: the reason, if @what is DDI_NA
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

/* States that are checked before the arguments */
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
 * @parameter: number of the parameter
 * @what: description
 * @id: for ddi_spoil(): line of the row in ddi_table.h
 * @kind: the only kind of domain on which it is bad; DDI_KINDS: on all
 * @late: the state is checked first
 * @status: the expected status; success means that any argument is good
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

/* A call that must not fail */
static void ddi_good(struct ddi *d, const char *what, NTSTATUS status)
{
	ddi_expect(d, NT_SUCCESS(status), "%s, %s: %s", ddi_state_names[d->state], what,
		   ddi_status_name(status));
}

#define ddi_equal(d, left, right)					\
	ddi_expect(d, (left) == (right), "%s is not %s", #left, #right)

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

/* A range in the memory of the good one */
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

/* Arguments that the function accepts in the right state */
static void ddi_arguments(struct ddi *d, struct ddi_args *a)
{
	memset(a, 0, sizeof(*a));
	a->domain = d->domain;
	a->domain_out = DDI_POISON;
	a->device = d->device;
	a->device_out = DDI_POISON;
	a->pasid = DDI_POISON;
	a->pasid_out = DDI_POISON;
	/* After the removal, only its address is left. */
	a->pdo = d->pdo;
	a->mdl = d->mdl;
	a->physical.MapType = MapPhysicalAddressTypeContiguousRange;
	a->physical.ContiguousRange.Base.QuadPart = d->physical;
	a->physical.ContiguousRange.Size = DDI_BYTES;
	a->config.Type = DomainConfigurationX64;
	a->config.X64.FirstLevelPageTableRoot.QuadPart = d->physical;
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

/* Create page tables that map the rest of the memory at DDI_LOGICAL. */
static void ddi_build_tables(struct ddi *d)
{
	static const unsigned int entry[] = { 0, 1, 0, 0 };
	u64 physical = d->physical;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(entry); i++)
		((u64 *)(d->memory + i * PAGE_SIZE))[entry[i]] =
			(physical + (i + 1) * PAGE_SIZE) | 0x7;
}

static bool ddi_has_tokens(struct ddi *d)
{
	return d->io3.ReserveLogicalAddressRange && d->kind < DDI_PASS_THROUGH;
}

/* Check whether a domain of the kind can reach the state. */
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
	ddi_good(d, ddi_functions[fn].name, ddi_call(d, fn, &a));
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

/* Enter a state. */
static void ddi_enter(struct ddi *d)
{
	ddi_good(d, "a domain", ddi_create_domain(d));
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
		ddi_good(d, "an attach elsewhere",
			 d->io.AttachDevice(d->other, d->pdo, 0, 1));
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
		ddi_remove_device(d);
		break;
	default:
		break;
	}
}

/* Free the token and the device, whatever a call has done to them. */
static void ddi_leave_v2(struct ddi *d)
{
	if (d->segment.Size)
		d->io3.UnmapReservedLogicalRange(&d->segment);
	d->segment.Size = 0;
	if (d->token)
		ddi_good(d, "freeing the token",
			 d->io3.FreeReservedLogicalAddressRange(d->token));
	d->token = NULL;
	if (!d->device)
		return;
	d->io3.UnregisterInterfaceStateChangeCallback(ddi_state_change, d->device);
	ddi_good(d, "deleting the device", d->io3.DeleteDevice(d->device));
	d->device = NULL;
}

/* Leave the state, whatever a call has done to it. */
static void ddi_leave(struct ddi *d)
{
	d->io.DetachDevice(d->other, d->pdo, 0);
	if (d->domain)
		d->io.DetachDevice(d->domain, d->pdo, 0);
	ddi_leave_v2(d);
	if (d->domain)
		ddi_good(d, "deleting the domain", d->io.DeleteDomain(d->domain));
	d->domain = NULL;
	if (d->state == DDI_REMOVED)
		ddi_restore_device(d);
}

/* Get the status of the good call in the state. */
static NTSTATUS ddi_state_status(struct ddi *d, enum ddi_fn fn)
{
	bool reports = fn != DDI_SetDeviceFaultReporting && fn != DDI_SetDeviceFaultReportingEx;
	NTSTATUS status = ddi_states[fn][d->state].status;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ddi_on); i++)
		if (ddi_on[i].fn == fn && ddi_on[i].kind == d->kind &&
		    ddi_on[i].state == d->state)
			return ddi_on[i].status;
	/* If the IOMMU driver does not report faults, they cannot be enabled. */
	if (!reports && NT_SUCCESS(status) && !ddi_reports_faults(d))
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

/* Get the expected status of a call. Return false if the table has no such call. */
static bool ddi_expected(struct ddi *d, enum ddi_fn fn, const struct ddi_bad *bad,
			 NTSTATUS *status)
{
	const struct ddi_cell *kind = &ddi_kinds[fn][d->kind];
	NTSTATUS state = ddi_state_status(d, fn);

	/* A function without a domain needs one kind only. */
	if ((kind->what == DDI_NA && d->kind) || ddi_states[fn][d->state].what == DDI_NA)
		return false;
	if (bad && bad->kind != DDI_KINDS && bad->kind != d->kind)
		return false;
	if (kind->what == DDI_STATUS && !NT_SUCCESS(kind->status) &&
	    (!bad || bad->parameter >= kind->after)) {
		*status = kind->status;
		return true;
	}
	if (kind->what == DDI_STATUS)
		state = kind->status;
	*status = state;
	if (bad && !ddi_state_first(d, fn) && (!bad->late || NT_SUCCESS(state)))
		*status = bad->status;
	return true;
}

static void ddi_succeeded(struct ddi *d, enum ddi_fn fn, struct ddi_args *a)
{
	switch (fn) {
	case DDI_CreateDomain:
	case DDI_CreateDomainEx:
		ddi_good(d, "deleting a new domain", d->io.DeleteDomain(a->domain_out));
		break;
	case DDI_DeleteDomain:
		d->domain = NULL;
		break;
	case DDI_DeleteDevice:
		d->device = NULL;
		break;
	case DDI_MapLogicalRangeEx:
		ddi_equal(d, (u64)a->logical_out, (u64)DDI_LOGICAL);
		break;
	case DDI_ReserveLogicalAddressRange:
		ddi_equal(d, (u64)a->token->LogicalAddressBase, (u64)DDI_LOGICAL);
		ddi_equal(d, (u64)a->token->Size, (u64)DDI_BYTES);
		d->token = a->token;
		break;
	case DDI_FreeReservedLogicalAddressRange:
		d->token = NULL;
		break;
	case DDI_MapReservedLogicalRange:
		ddi_equal(d, (u64)a->segment.OwningToken, (u64)d->token);
		ddi_equal(d, (u64)a->segment.Size, (u64)DDI_BYTES);
		d->segment = a->segment;
		break;
	case DDI_UnmapReservedLogicalRange:
		ddi_equal(d, (u64)a->segment.Size, (u64)0);
		d->segment = a->segment;
		break;
	case DDI_QueryAvailableDomainTypes:
		ddi_equal(d, !!(a->types & BIT(DomainTypeTranslate)),
			  d->state != DDI_REMOVED);
		break;
	case DDI_QueryDeviceInfo:
		ddi_equal(d, (u64)a->return_length, (u64)sizeof(a->information));
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
	ddi_expect(d, status == expected, "%s, %s, %s: %s, not %s", ddi_functions[fn].name,
		   ddi_state_names[d->state], what, ddi_status_name(status),
		   ddi_status_name(expected));
	if (NT_SUCCESS(status)) {
		ddi_succeeded(d, fn, &args);
		return;
	}
	/* The only result of a failed call */
	if (status == STATUS_BUFFER_TOO_SMALL)
		copy.return_length = 0;
	ddi_snapshot(d, &after);
	ddi_expect(d, !memcmp(&before, &after, sizeof(before)), "%s, %s, %s: a change",
		   ddi_functions[fn].name, ddi_state_names[d->state], what);
	ddi_expect(d, !memcmp(&copy, &args, sizeof(args)), "%s, %s, %s: an argument is written",
		   ddi_functions[fn].name, ddi_state_names[d->state], what);
}

static bool ddi_start_mdls(struct ddi *d)
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
	if (!d->mdl)
		return false;
	MmBuildMdlForNonPagedPool(d->mdl);
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		d->odd_mdl[i] = IoAllocateMdl(d->memory + odd[i].offset, odd[i].length,
					      FALSE, FALSE, NULL);
		if (!d->odd_mdl[i])
			return false;
		if (odd[i].build)
			MmBuildMdlForNonPagedPool(d->odd_mdl[i]);
	}
	return true;
}

/**
 * ddi_start() - Create the arguments of the functions
 * @d: with @memory, @physical and the devices; the rest is zero
 *
 * Return: false if out of memory; ddi_stop() has to be called in any case.
 */
bool ddi_start(struct ddi *d)
{
	d->pfn[0] = d->physical >> PAGE_SHIFT;
	if (!NT_SUCCESS(IoGetIommuInterface(1, &d->io)))
		return false;
	interface_get(&d->io3);
	ddi_build_tables(d);
	return ddi_start_mdls(d) && NT_SUCCESS(d->io.CreateDomain(TRUE, &d->other)) &&
	       NT_SUCCESS(d->io.CreateDomain(TRUE, &d->third));
}

/**
 * ddi_stop() - Undo ddi_start()
 * @d: the test
 */
void ddi_stop(struct ddi *d)
{
	unsigned int i;

	if (d->third)
		ddi_good(d, "deleting the third domain", d->io.DeleteDomain(d->third));
	if (d->other)
		ddi_good(d, "deleting the other domain", d->io.DeleteDomain(d->other));
	for (i = 0; i < ARRAY_SIZE(d->odd_mdl); i++)
		if (d->odd_mdl[i])
			IoFreeMdl(d->odd_mdl[i]);
	if (d->mdl)
		IoFreeMdl(d->mdl);
}

/* Check whether one of the available versions has the function. */
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

/**
 * ddi_run_kind() - Try all functions on a kind of domain
 * @d: with its @kind
 *
 * Return: the reason if it was skipped, or NULL.
 */
const char *ddi_run_kind(struct ddi *d)
{
	unsigned int i, fn;

	if (d->kind == DDI_S1 && !ddi_has_pasids(d))
		return "the device has no PASIDs";
	if (ddi_create_domain(d) == STATUS_NOT_SUPPORTED)
		return "this kind of domain cannot be had";
	ddi_good(d, "deleting an empty domain", d->io.DeleteDomain(d->domain));
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
	return NULL;
}

/**
 * ddi_complete() - Check that every function has a cell for each kind, state and parameter
 * @d: for failures
 */
void ddi_complete(struct ddi *d)
{
	unsigned int i, parameters;
	enum ddi_fn fn;

	for (fn = 0; fn < DDI_NR; fn++) {
		for (i = 0; i < DDI_KINDS; i++)
			ddi_expect(d, ddi_kinds[fn][i].what != DDI_MISSING,
				   "%s: no cell for %s", ddi_functions[fn].name,
				   ddi_kind_names[i]);
		for (i = 0; i < DDI_STATES; i++)
			ddi_expect(d, ddi_states[fn][i].what != DDI_MISSING,
				   "%s: no cell for %s", ddi_functions[fn].name,
				   ddi_state_names[i]);
		parameters = 0;
		for (i = 0; i < ARRAY_SIZE(ddi_bad); i++)
			if (ddi_bad[i].fn == fn)
				parameters |= BIT(ddi_bad[i].parameter);
		ddi_expect(d, parameters == GENMASK(ddi_functions[fn].parameters, 1),
			   "%s: parameters without a row", ddi_functions[fn].name);
	}
}

/**
 * ddi_order() - Check that the lists of members are in the tables' order
 * @d: for failures
 */
void ddi_order(struct ddi *d)
{
#define DDI_OFFSET_V1(function)	offsetof(DMA_IOMMU_INTERFACE_V1, function),
#define DDI_OFFSET_V2(function)	offsetof(DMA_IOMMU_INTERFACE_V2, function),
#define DDI_OFFSET_V3(function)	offsetof(DMA_IOMMU_INTERFACE_V3, function),
	static const size_t v1[] = { INTERFACE_V1(DDI_OFFSET_V1) };
	static const size_t v2[] = { INTERFACE_V2(DDI_OFFSET_V2) };
	static const size_t v3[] = { INTERFACE_V3(DDI_OFFSET_V3) };
	unsigned int i;

	ddi_equal(d, ARRAY_SIZE(v2) * sizeof(void *), sizeof(DMA_IOMMU_INTERFACE_V2));
	for (i = 0; i < ARRAY_SIZE(v1); i++)
		ddi_equal(d, v1[i], i * sizeof(void *));
	for (i = 0; i < ARRAY_SIZE(v2); i++)
		ddi_equal(d, v2[i], i * sizeof(void *));
	for (i = 0; i < ARRAY_SIZE(v3); i++)
		ddi_equal(d, v3[i], i * sizeof(void *));
}
