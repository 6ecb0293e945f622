// SPDX-License-Identifier: GPL-2.0
/*
 * Functions of the tables with the n-th allocation failing, for every n: of the module and of
 * the IOMMU core. A call either succeeds, or fails with STATUS_INSUFFICIENT_RESOURCES and
 * changes nothing, so that the next one can succeed.
 */
#include <kunit/test.h>
#include <linux/mm.h>

#include "../module/core/frames.h"
#include "../module/core/policy.h"
#include "../module/wdk/device.h"
#include "support/fail_nth.h"
#include "support/fake_driver.h"
#include "support/fixture.h"
#include "support/interface.h"

#define LOGICAL		0x40000000ULL
#define MANY_PAGES	300
#define NTH_MAX		2000

/**
 * struct wdk_nth - objects of the tests
 * @io: the table
 * @pdo: a device with PASIDs behind the fake IOMMU
 * @page: a page, mapped at LOGICAL in @domain
 * @pfns: its page frame, many times
 * @config: a configuration for tagged DMA
 * @dev: what CreateDevice returned
 * @domain: a domain without an allocator
 * @alloc_domain: a domain with one
 * @made: a domain that a call has created
 * @made_dev: a device that a call has created
 * @pasid: a PASID device
 * @token: a token
 * @segment: a segment
 * @address: an address that the allocator has chosen
 */
struct wdk_nth {
	DMA_IOMMU_INTERFACE_V3 io;
	struct device *pdo;
	void *page;
	unsigned long pfns[MANY_PAGES];
	IOMMU_DEVICE_CREATION_CONFIGURATION config;
	PIOMMU_DMA_DEVICE dev;
	PIOMMU_DMA_DOMAIN domain;
	PIOMMU_DMA_DOMAIN alloc_domain;
	PIOMMU_DMA_DOMAIN made;
	PIOMMU_DMA_DEVICE made_dev;
	PIOMMU_DMA_PASID_DEVICE pasid;
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token;
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment;
	IOMMU_DMA_LOGICAL_ADDRESS address;
};

#define WDK(test)	((struct wdk_nth *)(test)->priv)

/**
 * struct nth_call - a call to try
 * @name: its name
 * @try: makes the call
 * @undo: undoes a successful call
 */
struct nth_call {
	const char *name;
	ntstatus_t (*try)(struct wdk_nth *wdk);
	ntstatus_t (*undo)(struct wdk_nth *wdk);
};

static IOMMU_MAP_PHYSICAL_ADDRESS nth_memory(struct wdk_nth *wdk)
{
	return (IOMMU_MAP_PHYSICAL_ADDRESS) {
		.MapType = MapPhysicalAddressTypeContiguousRange,
		.ContiguousRange.Base.QuadPart = virt_to_phys(wdk->page),
		.ContiguousRange.Size = PAGE_SIZE,
	};
}

static NTSTATUS nth_create(struct wdk_nth *wdk, IOMMU_DMA_DOMAIN_TYPE type)
{
	const IOMMU_DMA_DOMAIN_CREATION_FLAGS flags = { };
	IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG config = {
		.LogicalAllocatorType = IommuDmaLogicalAllocatorBuddy,
		.BuddyAllocatorConfig.AddressWidth = 48,
	};
	IOMMU_DMA_RESERVED_REGION mapped = {
		.Base = virt_to_phys(wdk->page),
		.NumberOfPages = 1,
		.ShouldMap = TRUE,
	}, region = { .NumberOfPages = 1, .RegionNext = &mapped };
	bool given = type == DomainTypeTranslate;

	return wdk->io.CreateDomainEx(type, flags, given ? &config : NULL,
				      given ? &region : NULL, &wdk->made);
}

static NTSTATUS nth_create_translate(struct wdk_nth *wdk)
{
	return nth_create(wdk, DomainTypeTranslate);
}

static NTSTATUS nth_create_unmanaged(struct wdk_nth *wdk)
{
	return nth_create(wdk, DomainTypeUnmanaged);
}

static NTSTATUS nth_create_pass_through(struct wdk_nth *wdk)
{
	return nth_create(wdk, DomainTypePassThrough);
}

static NTSTATUS nth_delete(struct wdk_nth *wdk)
{
	return wdk->io.DeleteDomain(wdk->made);
}

static NTSTATUS nth_attach(struct wdk_nth *wdk)
{
	return wdk->io.AttachDeviceEx(wdk->domain, wdk->dev);
}

static NTSTATUS nth_detach(struct wdk_nth *wdk)
{
	return wdk->io.DetachDeviceEx(wdk->dev);
}

static VOID nth_state_change(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
}

static NTSTATUS nth_register(struct wdk_nth *wdk)
{
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields = { .AsULONG = 1 };

	return wdk->io.RegisterInterfaceStateChangeCallback(nth_state_change, NULL, wdk->dev,
							    &fields);
}

static NTSTATUS nth_unregister(struct wdk_nth *wdk)
{
	return wdk->io.UnregisterInterfaceStateChangeCallback(nth_state_change, wdk->dev);
}

static VOID nth_fault(PVOID context, PFAULT_INFORMATION info)
{
}

static NTSTATUS nth_set_faults(struct wdk_nth *wdk)
{
	DEVICE_FAULT_CONFIGURATION config = { .FaultHandler = nth_fault };

	return wdk->io.SetDeviceFaultReportingEx(wdk->dev, 0, TRUE, &config);
}

static NTSTATUS nth_end_faults(struct wdk_nth *wdk)
{
	return wdk->io.SetDeviceFaultReportingEx(wdk->dev, 0, FALSE, NULL);
}

static NTSTATUS nth_create_pasid(struct wdk_nth *wdk)
{
	ULONG asid;

	return wdk->io.CreatePasidDevice(wdk->dev, &wdk->pasid, &asid);
}

static NTSTATUS nth_delete_pasid(struct wdk_nth *wdk)
{
	return wdk->io.DeletePasidDevice(wdk->pasid);
}

static NTSTATUS nth_attach_pasid(struct wdk_nth *wdk)
{
	return wdk->io.AttachPasidDevice(wdk->domain, wdk->pasid);
}

static NTSTATUS nth_detach_pasid(struct wdk_nth *wdk)
{
	return wdk->io.DetachPasidDevice(wdk->pasid);
}

static NTSTATUS nth_map(struct wdk_nth *wdk)
{
	IOMMU_MAP_PHYSICAL_ADDRESS memory = {
		.MapType = MapPhysicalAddressTypePfn,
		.PfnArray.NumberOfPages = MANY_PAGES,
		.PfnArray.PageFrame = wdk->pfns,
	};
	IOMMU_DMA_LOGICAL_ADDRESS at = 2 * LOGICAL, out;

	return wdk->io.MapLogicalRangeEx(wdk->domain, IOMMU_ACCESS_READ, &memory, &at, NULL,
					 NULL, &out);
}

static NTSTATUS nth_unmap(struct wdk_nth *wdk)
{
	return wdk->io.UnmapLogicalRange(wdk->domain, 2 * LOGICAL, MANY_PAGES);
}

static NTSTATUS nth_alloc(struct wdk_nth *wdk)
{
	IOMMU_MAP_PHYSICAL_ADDRESS memory = nth_memory(wdk);

	return wdk->io.MapLogicalRangeEx(wdk->alloc_domain, IOMMU_ACCESS_READ, &memory, NULL,
					 NULL, NULL, &wdk->address);
}

static NTSTATUS nth_unmap_alloc(struct wdk_nth *wdk)
{
	return wdk->io.UnmapLogicalRange(wdk->alloc_domain, wdk->address, 1);
}

static NTSTATUS nth_reserve(struct wdk_nth *wdk)
{
	IOMMU_DMA_LOGICAL_ADDRESS at = 3 * LOGICAL - PAGE_SIZE;

	return wdk->io.ReserveLogicalAddressRange(wdk->domain, MANY_PAGES * PAGE_SIZE, &at,
						  NULL, NULL, &wdk->token);
}

static NTSTATUS nth_reserve_alloc(struct wdk_nth *wdk)
{
	return wdk->io.ReserveLogicalAddressRange(wdk->alloc_domain, MANY_PAGES * PAGE_SIZE,
						  NULL, NULL, NULL, &wdk->token);
}

static NTSTATUS nth_free(struct wdk_nth *wdk)
{
	return wdk->io.FreeReservedLogicalAddressRange(wdk->token);
}

static NTSTATUS nth_map_reserved(struct wdk_nth *wdk)
{
	IOMMU_MAP_PHYSICAL_ADDRESS memory = nth_memory(wdk);

	return wdk->io.MapReservedLogicalRange(wdk->token, PAGE_SIZE, IOMMU_ACCESS_READ,
					       &memory, &wdk->segment);
}

static NTSTATUS nth_unmap_reserved(struct wdk_nth *wdk)
{
	return wdk->io.UnmapReservedLogicalRange(&wdk->segment);
}

static NTSTATUS nth_create_device(struct wdk_nth *wdk)
{
	return wdk->io.CreateDevice(wdk->pdo, &wdk->config, &wdk->made_dev);
}

static NTSTATUS nth_delete_device(struct wdk_nth *wdk)
{
	return wdk->io.DeleteDevice(wdk->made_dev);
}

/* Return the number of failures. */
static unsigned int nth_try(struct kunit *test, const struct nth_call *call)
{
	struct wdk_nth *wdk = WDK(test);
	int before = atomic_read(&fake_driver.nr_domains);
	u64 uses = wdm_mdl_uses(&wdm_physical_memory);
	unsigned int nth, failures = 0;
	NTSTATUS status;
	bool failed;

	for (nth = 1; nth < NTH_MAX; nth++) {
		memory_fail_nth(nth);
		status = call->try(wdk);
		failed = memory_failed();
		if (wdm_ok(status))
			KUNIT_EXPECT_STATUS(test, call->undo(wdk), STATUS_SUCCESS);
		KUNIT_ASSERT_EQ_MSG(test, atomic_read(&fake_driver.nr_domains), before,
				    "%s, %u", call->name, nth);
		KUNIT_ASSERT_EQ_MSG(test, wdm_mdl_uses(&wdm_physical_memory), uses,
				    "%s, %u", call->name, nth);
		if (!failed)
			break;
		if (wdm_ok(status))
			continue;
		failures++;
		KUNIT_ASSERT_TRUE_MSG(test, status == STATUS_INSUFFICIENT_RESOURCES,
				      "%s, %u: %s", call->name, nth, wdm_status_name(status));
	}
	KUNIT_ASSERT_STATUS(test, status, STATUS_SUCCESS);
	kunit_info(test, "%s: %u allocations, %u of them needed", call->name, nth - 1,
		   failures);
	return failures;
}

static void nth_domains(struct kunit *test)
{
	static const struct nth_call calls[] = {
		{ "CreateDomainEx(Translate)", nth_create_translate, nth_delete },
		{ "CreateDomainEx(Unmanaged)", nth_create_unmanaged, nth_delete },
		{ "CreateDomainEx(PassThrough)", nth_create_pass_through, nth_delete },
	};
	unsigned int i;

	memory_may_fail(test);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		KUNIT_EXPECT_GE(test, nth_try(test, &calls[i]), 3);
}

static void nth_maps(struct kunit *test)
{
	static const struct nth_call calls[] = {
		{ "MapLogicalRangeEx", nth_map, nth_unmap },
		{ "MapLogicalRangeEx, allocator", nth_alloc, nth_unmap_alloc },
		{ "ReserveLogicalAddressRange", nth_reserve, nth_free },
		{ "ReserveLogicalAddressRange, allocator", nth_reserve_alloc, nth_free },
	}, segment = { "MapReservedLogicalRange", nth_map_reserved, nth_unmap_reserved };
	struct wdk_nth *wdk = WDK(test);
	unsigned int i;

	memory_may_fail(test);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		KUNIT_EXPECT_GE(test, nth_try(test, &calls[i]), 1);
	/* With a hwpt; some need no memory now, as the table remembers its last node. */
	KUNIT_ASSERT_STATUS(test, nth_attach(wdk), STATUS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		nth_try(test, &calls[i]);
	KUNIT_ASSERT_STATUS(test, nth_reserve(wdk), STATUS_SUCCESS);
	nth_try(test, &segment);
	KUNIT_EXPECT_STATUS(test, nth_free(wdk), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, nth_detach(wdk), STATUS_SUCCESS);
}

static void nth_devices(struct kunit *test)
{
	static const struct nth_call create = {
		"CreateDevice", nth_create_device, nth_delete_device,
	}, attach = {
		"AttachDeviceEx", nth_attach, nth_detach,
	}, changes = {
		"RegisterInterfaceStateChangeCallback", nth_register, nth_unregister,
	}, faults = {
		"SetDeviceFaultReportingEx", nth_set_faults, nth_end_faults,
	};
	struct wdk_nth *wdk = WDK(test);

	memory_may_fail(test);
	KUNIT_ASSERT_STATUS(test, wdk->io.DeleteDevice(wdk->dev), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, nth_try(test, &create), 1);
	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDevice(wdk->pdo, &wdk->config, &wdk->dev),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, nth_try(test, &changes), 1);
	KUNIT_ASSERT_STATUS(test, nth_reserve(wdk), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, nth_try(test, &attach), 5);
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(wdk->pdo));
	KUNIT_ASSERT_STATUS(test, nth_attach(wdk), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, nth_try(test, &faults), 2);
	KUNIT_EXPECT_STATUS(test, nth_detach(wdk), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, nth_free(wdk), STATUS_SUCCESS);
}

static void nth_pasids(struct kunit *test)
{
	static const struct nth_call create = {
		"CreatePasidDevice", nth_create_pasid, nth_delete_pasid,
	}, attach = {
		"AttachPasidDevice", nth_attach_pasid, nth_detach_pasid,
	};
	struct wdk_nth *wdk = WDK(test);

	memory_may_fail(test);
	KUNIT_EXPECT_GE(test, nth_try(test, &create), 3);
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(wdk->pdo));
	KUNIT_ASSERT_STATUS(test, nth_create_pasid(wdk), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, nth_try(test, &attach), 3);
	KUNIT_EXPECT_STATUS(test, nth_delete_pasid(wdk), STATUS_SUCCESS);
}

static int wdk_nth_init(struct kunit *test)
{
	struct wdk_nth *wdk = kunit_kzalloc(test, sizeof(*wdk), GFP_KERNEL);
	IOMMU_DMA_LOGICAL_ADDRESS at = LOGICAL, out;
	IOMMU_MAP_PHYSICAL_ADDRESS memory;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, wdk);
	test->priv = wdk;
	fake_driver_start(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);
	interface_get(&wdk->io);
	wdk->pdo = fake_driver_add(test, true);
	wdk->page = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, wdk->page);
	for (i = 0; i < MANY_PAGES; i++)
		wdk->pfns[i] = PHYS_PFN(virt_to_phys(wdk->page));
	wdk->config.ConfigType = IommuDeviceCreationConfigTypePasid;
	wdk->config.Pasid.ConfigType = PasidConfigTypePasidTaggedDma;
	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDevice(wdk->pdo, &wdk->config, &wdk->dev),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, nth_create_translate(wdk), STATUS_SUCCESS);
	wdk->alloc_domain = wdk->made;
	KUNIT_ASSERT_STATUS(test, wdk_create_domain(TRUE, &wdk->domain), STATUS_SUCCESS);
	memory = nth_memory(wdk);
	KUNIT_ASSERT_STATUS(test, wdk->io.MapLogicalRangeEx(wdk->domain, IOMMU_ACCESS_READ,
							    &memory, &at, NULL, NULL, &out),
			    STATUS_SUCCESS);
	return 0;
}

static void wdk_nth_exit(struct kunit *test)
{
	struct wdk_nth *wdk = WDK(test);

	memory_failed();
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDevice(wdk->dev), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->alloc_domain), STATUS_SUCCESS);
	free_page((unsigned long)wdk->page);
	fake_driver_stop(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
}

/* IoAllocateMdl() retries with an allocation that may sleep, but not where it must not. */
static void nth_mdls(struct kunit *test)
{
	PMDL mdl;

	rcu_read_lock();
	memory_fail_nth(1);
	mdl = IoAllocateMdl(NULL, PAGE_SIZE, FALSE, FALSE, NULL);
	memory_failed();
	rcu_read_unlock();
	KUNIT_EXPECT_NULL(test, mdl);

	memory_fail_nth(1);
	mdl = IoAllocateMdl(NULL, PAGE_SIZE, FALSE, FALSE, NULL);
	memory_failed();
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	IoFreeMdl(mdl);
}

static struct kunit_case wdk_nth_cases[] = {
	KUNIT_CASE(nth_domains),
	KUNIT_CASE(nth_maps),
	KUNIT_CASE(nth_devices),
	KUNIT_CASE(nth_pasids),
	KUNIT_CASE(nth_mdls),
	{}
};

static struct kunit_suite wdk_nth_suite = {
	.name = "wdm_iommu_wdk_fail_nth",
	.init = wdk_nth_init,
	.exit = wdk_nth_exit,
	.test_cases = wdk_nth_cases,
};

kunit_test_suite(wdk_nth_suite);
