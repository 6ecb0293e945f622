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

#include "../module/core/query.h"
#include "../module/core/quirks.h"
#include "../module/status.h"
#include "../module/wdk/wdk.h"
#include "support/fixture.h"

#define DDI_PAGES	8
#define DDI_LOGICAL	0x40000000ULL
#define DDI_POISON	((void *)0x5a5a5a5a5a5a5a5aUL)

/* The members of the tables, in their order */
#define DDI_V1(X)							\
	X(CreateDomain) X(DeleteDomain) X(AttachDevice)			\
	X(DetachDevice) X(FlushDomain) X(FlushDomainByVaList)		\
	X(QueryInputMappings) X(MapLogicalRange) X(UnmapLogicalRange)	\
	X(MapIdentityRange) X(UnmapIdentityRange)			\
	X(SetDeviceFaultReporting) X(ConfigureDomain)

enum ddi_fn {
#define FN(function, parameters)	DDI_##function,
#include "ddi_table.h"
	DDI_NR
};

/* A member that is not in the table does not compile here. */
#define DDI_INDEX(function)	DDI_##function,
static const enum ddi_fn ddi_v1[] = { DDI_V1(DDI_INDEX) };

static_assert(ARRAY_SIZE(ddi_v1) * sizeof(void *) == sizeof(DMA_IOMMU_INTERFACE_V1));

enum ddi_kind {
	DDI_TRANSLATE,
	DDI_UNMANAGED,
	DDI_KINDS
};

static const char *const ddi_kind_names[] = {
	"Translate", "Unmanaged",
};

/**
 * enum ddi_state - states of the domain and the device
 * @DDI_IDLE: an empty domain, and a device that is attached to nothing
 * @DDI_ATTACHED: the device is attached to the domain
 * @DDI_ELSEWHERE: the device is attached to another domain
 * @DDI_BUSY: as @DDI_ATTACHED; the domain is configured, or holds what a map would map
 * @DDI_REMOVED: the device was removed from its bus
 * @DDI_STATES: how many there are
 */
enum ddi_state {
	DDI_IDLE,
	DDI_ATTACHED,
	DDI_ELSEWHERE,
	DDI_BUSY,
	DDI_REMOVED,
	DDI_STATES
};

static const char *const ddi_state_names[] = {
	"idle", "attached", "attached elsewhere", "busy", "removed",
};

/**
 * struct ddi_cell - what a function answers
 * @what: how to read it
 * @status: if it is DDI_STATUS
 * @why: if it is DDI_NA
 */
struct ddi_cell {
	enum { DDI_MISSING, DDI_RIGHT, DDI_STATUS, DDI_NA } what;
	NTSTATUS status;
	const char *why;
};

#define RIGHT		{ .what = DDI_RIGHT }
#define ST(name)	{ .what = DDI_STATUS, .status = STATUS_##name }
#define NA(reason)	{ .what = DDI_NA, .why = reason }

static const struct ddi_cell ddi_kinds[DDI_NR][DDI_KINDS] = {
#define KINDS(function, translate, unmanaged)				\
	[DDI_##function] = { translate, unmanaged },
#include "ddi_table.h"
};

static const struct ddi_cell ddi_states[DDI_NR][DDI_STATES] = {
#define STATES(function, idle, attached, elsewhere, busy, removed)	\
	[DDI_##function] = { idle, attached, elsewhere, busy, removed },
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
 * @late: the state comes first
 * @status: the answer; success means that any argument is good
 */
struct ddi_bad {
	enum ddi_fn fn;
	unsigned int parameter;
	const char *what;
	unsigned int id;
	bool late;
	NTSTATUS status;
};

static const struct ddi_bad ddi_bad[] = {
#define BAD(function, parameter, what, assignment, name)		\
	{ DDI_##function, parameter, what, __LINE__, false, STATUS_##name },
#define LATE(function, parameter, what, assignment, name)		\
	{ DDI_##function, parameter, what, __LINE__, true, STATUS_##name },
#define ANY(function, parameter, reason)				\
	{ DDI_##function, parameter, reason, 0, false, STATUS_SUCCESS },
#include "ddi_table.h"
};

/**
 * struct ddi_args - arguments of all functions, in and out
 */
struct ddi_args {
	PIOMMU_DMA_DOMAIN domain;
	PIOMMU_DMA_DOMAIN domain_out;
	PDEVICE_OBJECT pdo;
	PMDL mdl;
	DOMAIN_CONFIGURATION config;
	DEVICE_FAULT_CONFIGURATION faults;
	INPUT_MAPPING_ELEMENT elements[2];
	ULONGLONG logical;
	ULONGLONG pages;
	ULONGLONG va[2];
	ULONG base;
	ULONG count;
	ULONG permissions;
	ULONG length;
	ULONG return_length;
	bool no_buffer;
	bool no_faults;
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
 * @io: the table
 * @kind: of @domain
 * @state: the state
 * @domain: a domain of the kind
 * @other: one that the device is attached to when it is elsewhere
 * @third: one that it is never attached to
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
	enum ddi_kind kind;
	enum ddi_state state;
	PIOMMU_DMA_DOMAIN domain;
	PIOMMU_DMA_DOMAIN other;
	PIOMMU_DMA_DOMAIN third;
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

static void ddi_spoil(struct ddi *d, const struct ddi_bad *bad, struct ddi_args *a)
{
	switch (bad->id) {
#define BAD(function, parameter, what, assignment, name)		\
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
	/* Once it is removed, only its address is left. */
	a->pdo = &d->pdev->dev;
	a->mdl = d->mdl;
	a->config.Type = DomainConfigurationX64;
	a->config.X64.FirstLevelPageTableRoot.QuadPart = virt_to_phys(d->memory);
	a->config.X64.TranslationEnabled = TRUE;
	a->faults.FaultHandler = ddi_fault;
	memset(a->elements, 0x5a, sizeof(a->elements));
	a->logical = DDI_LOGICAL;
	a->pages = DDI_PAGES;
	a->va[0] = DDI_LOGICAL;
	a->va[1] = DDI_LOGICAL + PAGE_SIZE;
	a->count = 1;
	a->permissions = IOMMU_ACCESS_READ | IOMMU_ACCESS_WRITE;
	a->length = sizeof(a->elements);
	a->return_length = 0x5a5a5a5a;
}

static NTSTATUS ddi_call(struct ddi *d, enum ddi_fn fn, struct ddi_args *a)
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
	case DDI_NR:
		break;
	}
	return STATUS_NOT_IMPLEMENTED;
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

static void ddi_make_busy(struct ddi *d)
{
	struct ddi_args a;

	ddi_arguments(d, &a);
	if (d->kind == DDI_UNMANAGED) {
		KUNIT_EXPECT_STATUS(d->test, ddi_call(d, DDI_ConfigureDomain, &a),
				    STATUS_SUCCESS);
		return;
	}
	KUNIT_EXPECT_STATUS(d->test, ddi_call(d, DDI_MapLogicalRange, &a),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(d->test, ddi_call(d, DDI_MapIdentityRange, &a),
			    STATUS_SUCCESS);
}

static void ddi_find_device(struct ddi *d)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		if (!pdev->dev.driver && device_iommu_mapped(&pdev->dev))
			break;
	d->pdev = pdev;
}

/* Reach the state, from none */
static void ddi_enter(struct ddi *d)
{
	struct kunit *test = d->test;

	KUNIT_ASSERT_STATUS(test, d->io.CreateDomain(d->kind == DDI_TRANSLATE, &d->domain),
			    STATUS_SUCCESS);
	if (d->state == DDI_BUSY)
		ddi_make_busy(d);
	if (d->state == DDI_ATTACHED || d->state == DDI_BUSY)
		KUNIT_ASSERT_STATUS(test, d->io.AttachDevice(d->domain, &d->pdev->dev, 0, 1),
				    STATUS_SUCCESS);
	if (d->state == DDI_ELSEWHERE)
		KUNIT_ASSERT_STATUS(test, d->io.AttachDevice(d->other, &d->pdev->dev, 0, 1),
				    STATUS_SUCCESS);
	if (d->state == DDI_REMOVED)
		pci_stop_and_remove_bus_device_locked(d->pdev);
}

/* Leave the state, whatever a call made of it */
static void ddi_leave(struct ddi *d)
{
	if (d->state == DDI_REMOVED) {
		pci_lock_rescan_remove();
		pci_rescan_bus(d->bus);
		pci_unlock_rescan_remove();
		pci_dev_put(d->pdev);
		ddi_find_device(d);
		KUNIT_ASSERT_NOT_NULL(d->test, d->pdev);
	}
	d->io.DetachDevice(d->other, &d->pdev->dev, 0);
	if (!d->domain)
		return;
	d->io.DetachDevice(d->domain, &d->pdev->dev, 0);
	KUNIT_EXPECT_STATUS(d->test, d->io.DeleteDomain(d->domain), STATUS_SUCCESS);
	d->domain = NULL;
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

/*
 * What the call answers. False: there is no such call, as the table says.
 */
static bool ddi_expected(struct ddi *d, enum ddi_fn fn, const struct ddi_bad *bad,
			 NTSTATUS *status)
{
	const struct ddi_cell *kind = &ddi_kinds[fn][d->kind];
	const struct ddi_cell *state = &ddi_states[fn][d->state];

	/* A function that takes no domain needs one kind only. */
	if (kind->what == DDI_NA && d->kind)
		return false;
	if (kind->what == DDI_STATUS && !wdm_ok(kind->status)) {
		*status = kind->status;
		return true;
	}
	if (bad && !bad->late) {
		*status = bad->status;
		return true;
	}
	if (state->what == DDI_NA)
		return false;
	*status = kind->what == DDI_STATUS ? kind->status : state->status;
	if (bad && wdm_ok(*status))
		*status = bad->status;
	/* Where the IOMMU driver reports none, there is nothing to hand on. */
	if (fn == DDI_SetDeviceFaultReporting && wdm_ok(*status) &&
	    !wdm_quirk_reports_faults(&d->pdev->dev))
		*status = STATUS_NOT_SUPPORTED;
	return true;
}

static void ddi_succeeded(struct ddi *d, enum ddi_fn fn, struct ddi_args *a)
{
	if (fn == DDI_CreateDomain)
		KUNIT_EXPECT_STATUS(d->test, d->io.DeleteDomain(a->domain_out),
				    STATUS_SUCCESS);
	if (fn == DDI_DeleteDomain)
		d->domain = NULL;
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
	d->no_device = kunit_kzalloc(test, sizeof(*d->no_device), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d->no_device);
	d->memory = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					     get_order(DDI_PAGES * PAGE_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, d->memory);
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

static void ddi_kind(struct kunit *test)
{
	const char *const *kind = test->param_value;
	struct ddi *d = test->priv;
	enum ddi_fn fn;
	unsigned int i;

	if (!d->pdev)
		kunit_skip(test, "no edu device without a driver behind an IOMMU");
	d->kind = kind - ddi_kind_names;
	for (d->state = 0; d->state < DDI_STATES; d->state++) {
		ddi_enter(d);
		for (i = 0; i < ARRAY_SIZE(ddi_bad); i++)
			if (ddi_bad[i].id)
				ddi_try(d, ddi_bad[i].fn, &ddi_bad[i]);
		for (fn = 0; fn < DDI_NR; fn++)
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
	static const size_t v1[] = { DDI_V1(DDI_OFFSET_V1) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v1); i++)
		KUNIT_EXPECT_EQ(test, v1[i], i * sizeof(void *));
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
