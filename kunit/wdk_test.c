// SPDX-License-Identifier: GPL-2.0
/*
 * Both kinds of domain through the table of IoGetIommuInterface(1, ...), as code from Windows
 * uses it: every function, on the kind that has it and on the other one.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/iommu.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/preempt.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include <wdm.h>

#include "../module/core/ram.h"
#include "../module/status.h"
#include "../module/wdk/device.h"
#include "support/fixture.h"

#define WDK_PAGES	16
#define WDK_LOGICAL	0x40000000ULL

/**
 * struct wdk - objects of the tests of both suites
 * @io: the table
 * @domain: a domain of the suite's kind
 * @memory: WDK_PAGES pages
 * @mdl: an MDL of them
 * @pdo: an unused edu device, or NULL
 * @attached: it is attached
 */
struct wdk {
	DMA_IOMMU_INTERFACE io;
	PIOMMU_DMA_DOMAIN domain;
	void *memory;
	PMDL mdl;
	struct pci_dev *pdo;
	bool attached;
};

#define WDK(test)	((struct wdk *)(test)->priv)

static int wdk_start(struct kunit *test, BOOLEAN os_managed)
{
	struct wdk *wdk = kunit_kzalloc(test, sizeof(*wdk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, wdk);
	KUNIT_ASSERT_STATUS(test, IoGetIommuInterface(1, &wdk->io),
			    STATUS_SUCCESS);
	wdk->memory = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					       get_order(WDK_PAGES * PAGE_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, wdk->memory);
	wdk->mdl = IoAllocateMdl(wdk->memory, WDK_PAGES * PAGE_SIZE, FALSE,
				 FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, wdk->mdl);
	MmBuildMdlForNonPagedPool(wdk->mdl);
	KUNIT_ASSERT_STATUS(test,
			    wdk->io.CreateDomain(os_managed, &wdk->domain),
			    STATUS_SUCCESS);
	test->priv = wdk;
	return 0;
}

static int wdk_start_os(struct kunit *test)
{
	return wdk_start(test, TRUE);
}

static int wdk_start_caller(struct kunit *test)
{
	return wdk_start(test, FALSE);
}

static void wdk_end(struct kunit *test)
{
	struct wdk *wdk = WDK(test);

	if (!wdk)
		return;
	if (wdk->attached)
		KUNIT_EXPECT_STATUS(test,
				    wdk->io.DetachDevice(wdk->domain,
							 &wdk->pdo->dev, 0),
				    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain),
			    STATUS_SUCCESS);
	pci_dev_put(wdk->pdo);
	IoFreeMdl(wdk->mdl);
	free_pages((unsigned long)wdk->memory,
		   get_order(WDK_PAGES * PAGE_SIZE));
}

/* Attach an unused device, or skip the test. */
static struct device *wdk_attach(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	struct pci_dev *pdev = NULL;
	NTSTATUS status;

	while ((pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		if (!pdev->dev.driver && device_iommu_mapped(&pdev->dev))
			break;
	if (!pdev)
		kunit_skip(test, "no edu device without a driver behind an IOMMU");
	wdk->pdo = pdev;
	status = wdk->io.AttachDevice(wdk->domain, &pdev->dev, 0, 1);
	KUNIT_ASSERT_STATUS(test, status, STATUS_SUCCESS);
	wdk->attached = true;
	return &pdev->dev;
}

static phys_addr_t wdk_page(const struct wdk *wdk, unsigned int nr)
{
	return virt_to_phys(wdk->memory) + nr * PAGE_SIZE;
}

/* Translate an address with the device's IOMMU; 0 if it blocks. */
static phys_addr_t wdk_translate(struct device *dev, u64 iova)
{
	struct iommu_domain *iommu_domain = iommu_get_domain_for_dev(dev);

	return iommu_domain ? iommu_iova_to_phys(iommu_domain, iova) : 0;
}

/* Suite of OS-managed domains */

static void os_managed_interface(struct kunit *test)
{
	static const ULONG unknown[] = { 0, 2, 3, 4, 0x100, 0xFFFFFFFF };
	static const size_t offsets[] = {
		offsetof(DMA_IOMMU_INTERFACE_V1, CreateDomain),
		offsetof(DMA_IOMMU_INTERFACE_V1, DeleteDomain),
		offsetof(DMA_IOMMU_INTERFACE_V1, AttachDevice),
		offsetof(DMA_IOMMU_INTERFACE_V1, DetachDevice),
		offsetof(DMA_IOMMU_INTERFACE_V1, FlushDomain),
		offsetof(DMA_IOMMU_INTERFACE_V1, FlushDomainByVaList),
		offsetof(DMA_IOMMU_INTERFACE_V1, QueryInputMappings),
		offsetof(DMA_IOMMU_INTERFACE_V1, MapLogicalRange),
		offsetof(DMA_IOMMU_INTERFACE_V1, UnmapLogicalRange),
		offsetof(DMA_IOMMU_INTERFACE_V1, MapIdentityRange),
		offsetof(DMA_IOMMU_INTERFACE_V1, UnmapIdentityRange),
		offsetof(DMA_IOMMU_INTERFACE_V1, SetDeviceFaultReporting),
		offsetof(DMA_IOMMU_INTERFACE_V1, ConfigureDomain),
	};
	DMA_IOMMU_INTERFACE io = { .Version = 77 };
	void *const *members = (void *const *)&io.V1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		KUNIT_EXPECT_FALSE(test,
				   NT_SUCCESS(IoGetIommuInterface(unknown[i],
								  &io)));
		KUNIT_EXPECT_EQ(test, io.Version, 77);
	}
	KUNIT_EXPECT_STATUS(test, IoGetIommuInterface(1, &io), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, io.Version, 1);
	KUNIT_EXPECT_EQ(test, sizeof(io.V1), 0x68);
	KUNIT_EXPECT_EQ(test, offsetof(DMA_IOMMU_INTERFACE, V1), 8);
	for (i = 0; i < sizeof(io.V1) / sizeof(void *); i++)
		KUNIT_EXPECT_NOT_NULL(test, members[i]);

	/* The contract's order of members; and the same without "V1." */
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		KUNIT_EXPECT_EQ(test, offsets[i], 8 * i);
	KUNIT_EXPECT_EQ(test, ARRAY_SIZE(offsets) * 8, sizeof(io.V1));
	KUNIT_EXPECT_MEMEQ(test, &io.CreateDomain, &io.V1, sizeof(io.V1));
}

/* Tables of all versions: their sizes, every member, and nothing beyond them. */
static void os_managed_interface_ex(struct kunit *test)
{
	static const struct {
		ULONG version;
		SIZE_T size;
	} rows[] = { { 1, 0x78 }, { 2, 0xc0 }, { 3, 0xe8 } };
	static const ULONG unknown[] = { 0, 4, 0x100, 0xFFFFFFFF };
	DMA_IOMMU_INTERFACE_EX io, poison;
	unsigned int i;

	memset(&poison, 0x5a, sizeof(poison));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		void *const *members = (void *const *)&io.V1;
		SIZE_T j, nr = (rows[i].size - 0x10) / sizeof(void *);

		io = poison;
		KUNIT_ASSERT_STATUS(test,
				    IoGetIommuInterfaceEx(rows[i].version, 0, &io),
				    STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, io.Version, rows[i].version);
		KUNIT_EXPECT_EQ(test, io.Size, rows[i].size);
		for (j = 0; j < nr; j++) {
			KUNIT_EXPECT_NOT_NULL(test, members[j]);
			KUNIT_EXPECT_PTR_NE(test, members[j],
					    ((void **)&poison)[0]);
		}
		KUNIT_EXPECT_MEMEQ(test, (char *)&io + io.Size,
				   (char *)&poison + io.Size,
				   sizeof(io) - io.Size);
		io = poison;
		KUNIT_EXPECT_STATUS(test,
				    IoGetIommuInterfaceEx(rows[i].version, 1, &io),
				    STATUS_INVALID_PARAMETER_2);
		KUNIT_EXPECT_STATUS(test,
				    IoGetIommuInterfaceEx(rows[i].version,
							  BIT_ULL(63), &io),
				    STATUS_INVALID_PARAMETER_2);
		KUNIT_EXPECT_MEMEQ(test, &io, &poison, sizeof(io));
	}
	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		KUNIT_EXPECT_STATUS(test,
				    IoGetIommuInterfaceEx(unknown[i], 0, &io),
				    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_MEMEQ(test, &io, &poison, sizeof(io));
}

/* The usual loop: the highest version first, then lower ones. */
static void os_managed_negotiation(struct kunit *test)
{
	DMA_IOMMU_INTERFACE_EX io, v2;
	ULONG version;
	NTSTATUS status = STATUS_UNSUCCESSFUL;

	for (version = DMA_IOMMU_INTERFACE_EX_VERSION_MAX + 1;
	     version >= DMA_IOMMU_INTERFACE_EX_VERSION_MIN; version--) {
		status = IoGetIommuInterfaceEx(version, 0, &io);
		if (NT_SUCCESS(status))
			break;
		KUNIT_EXPECT_STATUS(test, status, STATUS_INVALID_PARAMETER_1);
	}
	KUNIT_EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, io.Version, DMA_IOMMU_INTERFACE_EX_VERSION_MAX);

	/* Functions that versions share are the same. */
	KUNIT_ASSERT_STATUS(test, IoGetIommuInterfaceEx(2, 0, &v2), STATUS_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, &io.V3, &v2.V2, sizeof(v2.V2));
	KUNIT_EXPECT_PTR_EQ(test, v2.V2.DeleteDomain, WDK(test)->io.DeleteDomain);
	KUNIT_EXPECT_PTR_EQ(test, v2.V2.FlushDomain, WDK(test)->io.FlushDomain);
	KUNIT_EXPECT_PTR_EQ(test, v2.V2.UnmapLogicalRange,
			    WDK(test)->io.UnmapLogicalRange);
}

static void os_managed_map(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	PIOMMU_DMA_DOMAIN domain = wdk->domain;

	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(domain, 3, wdk->mdl,
						      WDK_LOGICAL),
			    STATUS_SUCCESS);
	/* The MDL remains the caller's; its memory stays mapped. */
	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(domain, 3, wdk->mdl,
						      WDK_LOGICAL),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(domain, 1, wdk->mdl,
						      WDK_LOGICAL + SZ_1M),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->UnmapLogicalRange(domain,
							WDK_LOGICAL + SZ_4K, 3),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->UnmapLogicalRange(domain, WDK_LOGICAL, 2),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, io->UnmapLogicalRange(domain, WDK_LOGICAL, 1),
			    STATUS_SUCCESS);

	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(domain, 0, wdk->mdl, 0),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(domain, 4, wdk->mdl, 0),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(domain, 1, wdk->mdl, 12),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, io->UnmapLogicalRange(domain, 12, 1),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, io->UnmapLogicalRange(domain, 0, 0),
			    STATUS_INVALID_PARAMETER_3);
}

/* MDLs that are not whole pages, or not filled in */
static void os_managed_bad_mdl(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	static const struct {
		ULONG offset, length;
		bool build;
	} rows[] = {
		{ 8, SZ_4K, true }, { 0, SZ_4K - 1, true }, { 0, 0, true },
		{ SZ_2K, SZ_2K, true }, { 0, SZ_4K, false },
	};
	unsigned int i;
	PMDL mdl;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		mdl = IoAllocateMdl(wdk->memory + rows[i].offset,
				    rows[i].length, FALSE, FALSE, NULL);
		KUNIT_ASSERT_NOT_NULL(test, mdl);
		KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), rows[i].length);
		KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(mdl), rows[i].offset);
		KUNIT_EXPECT_PTR_EQ(test, MmGetMdlVirtualAddress(mdl),
				    wdk->memory + rows[i].offset);
		if (rows[i].build)
			MmBuildMdlForNonPagedPool(mdl);
		KUNIT_EXPECT_STATUS(test,
				    wdk->io.MapLogicalRange(wdk->domain, 1, mdl,
							    WDK_LOGICAL),
				    STATUS_INVALID_PARAMETER_3);
		KUNIT_EXPECT_STATUS(test,
				    wdk->io.MapIdentityRange(wdk->domain, 1,
							     mdl),
				    STATUS_INVALID_PARAMETER_3);
		KUNIT_EXPECT_STATUS(test,
				    wdk->io.UnmapIdentityRange(wdk->domain,
							       mdl),
				    STATUS_INVALID_PARAMETER_2);
		IoFreeMdl(mdl);
	}
}

static void os_managed_identity(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;

	KUNIT_EXPECT_STATUS(test, io->UnmapIdentityRange(wdk->domain, wdk->mdl),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, io->MapIdentityRange(wdk->domain, 3,
						       wdk->mdl),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->MapIdentityRange(wdk->domain, 3,
						       wdk->mdl),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(wdk->domain, 3, wdk->mdl,
						      wdk_page(wdk, 1)),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, io->UnmapIdentityRange(wdk->domain, wdk->mdl),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->UnmapIdentityRange(wdk->domain, wdk->mdl),
			    STATUS_NOT_FOUND);
}

/* Functions that this kind does not have */
static void os_managed_refuses(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	DOMAIN_CONFIGURATION config = {
		.Type = DomainConfigurationX64,
		.X64.FirstLevelPageTableRoot.QuadPart = wdk_page(wdk, 0),
		.X64.TranslationEnabled = TRUE,
	};
	u64 va = WDK_LOGICAL;

	KUNIT_EXPECT_STATUS(test, io->FlushDomain(wdk->domain),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, io->FlushDomainByVaList(wdk->domain, TRUE, 1,
							  &va),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, io->FlushDomainByVaList(wdk->domain, FALSE, 0,
							  NULL),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, io->ConfigureDomain(wdk->domain, &config),
			    STATUS_INVALID_PARAMETER_1);
	config.Type = DomainConfigurationArm64;
	KUNIT_EXPECT_STATUS(test, io->ConfigureDomain(wdk->domain, &config),
			    STATUS_INVALID_PARAMETER_1);
}

/* The functions on devices that do not need DMA */
static void os_managed_no_device(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	struct device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	DEVICE_FAULT_CONFIGURATION fault = { };
	INPUT_MAPPING_ELEMENT element = { .InputMappingId = 77 };
	ULONG length = 77;

	/* A device that is on no bus */
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, dev, 0, 1),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, dev, 1, 1),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, dev, 0, 0),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, dev, 0, 2),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_FALSE(test, NT_SUCCESS(io->DetachDevice(wdk->domain, dev,
							     0)));
	KUNIT_EXPECT_FALSE(test, NT_SUCCESS(io->DetachDevice(wdk->domain, dev,
							     1)));
	KUNIT_EXPECT_FALSE(test,
			   NT_SUCCESS(io->SetDeviceFaultReporting(dev, 0, FALSE,
								  NULL)));
	KUNIT_EXPECT_FALSE(test,
			   NT_SUCCESS(io->SetDeviceFaultReporting(dev, 0, TRUE,
								  &fault)));
	if (!IS_ENABLED(CONFIG_ARM64)) {
		KUNIT_EXPECT_STATUS(test,
				    io->QueryInputMappings(dev, &element,
							   sizeof(element),
							   &length),
				    STATUS_UNSUCCESSFUL);
		KUNIT_EXPECT_STATUS(test, io->QueryInputMappings(dev, NULL, 0,
								 NULL),
				    STATUS_UNSUCCESSFUL);
		KUNIT_EXPECT_EQ(test, element.InputMappingId, 77);
		KUNIT_EXPECT_EQ(test, length, 77);
	}
}

/* Mapped before the device is attached, while it is, and after it was */
static void os_managed_device(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	struct device *dev;
	unsigned int i;

	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(wdk->domain, 1, wdk->mdl,
						      WDK_LOGICAL),
			    STATUS_SUCCESS);
	dev = wdk_attach(test);
	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(wdk->domain, 3, wdk->mdl,
						      WDK_LOGICAL + SZ_2M),
			    STATUS_SUCCESS);
	for (i = 0; i < WDK_PAGES; i++) {
		KUNIT_EXPECT_EQ(test, wdk_page(wdk, i),
				wdk_translate(dev,
					      WDK_LOGICAL + i * PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, wdk_page(wdk, i),
				wdk_translate(dev, WDK_LOGICAL + SZ_2M +
					      i * PAGE_SIZE));
	}
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL + SZ_1M), 0);
	KUNIT_EXPECT_STATUS(test, io->UnmapLogicalRange(wdk->domain,
							WDK_LOGICAL + SZ_4K, 2),
			    STATUS_SUCCESS);
	for (i = 0; i < WDK_PAGES; i++)
		KUNIT_EXPECT_EQ(test, i == 1 || i == 2 ? 0 : wdk_page(wdk, i),
				wdk_translate(dev,
					      WDK_LOGICAL + i * PAGE_SIZE));

	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, dev, 0, 1),
			    STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_STATUS(test, io->DeleteDomain(wdk->domain),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, io->DetachDevice(wdk->domain, dev, 0),
			    STATUS_SUCCESS);
	wdk->attached = false;
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL), 0);
	KUNIT_EXPECT_FALSE(test, NT_SUCCESS(io->DetachDevice(wdk->domain, dev,
							     0)));
	/* Attached again, the mappings are still there. */
	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, dev, 0, 1),
			    STATUS_SUCCESS);
	wdk->attached = true;
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL),
			wdk_page(wdk, 0));
}

/**
 * struct wdk_faults - what a fault handler has seen
 * @called: it was called
 * @count: number of calls
 * @in_process: every call could have slept
 * @info: the last fault
 */
struct wdk_faults {
	struct completion called;
	atomic_t count;
	bool in_process;
	FAULT_INFORMATION info;
};

static void wdk_fault_handler(PVOID context, PFAULT_INFORMATION info)
{
	struct wdk_faults *faults = context;

	faults->in_process = in_task() && !irqs_disabled() && preemptible();
	faults->info = *info;
	atomic_inc(&faults->count);
	complete(&faults->called);
}

/* From the IOMMU driver's report, in interrupt context, to the handler */
static void os_managed_faults(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	struct device *dev = wdk_attach(test);
	struct wdk_faults *faults = kunit_kzalloc(test, sizeof(*faults),
						  GFP_KERNEL);
	DEVICE_FAULT_CONFIGURATION config = {
		.FaultHandler = wdk_fault_handler,
		.FaultContext = faults,
	};
	unsigned long flags;
	NTSTATUS status;

	KUNIT_ASSERT_NOT_NULL(test, faults);
	init_completion(&faults->called);
	status = wdk->io.SetDeviceFaultReporting(dev, 0, TRUE, &config);
	if (status == STATUS_NOT_SUPPORTED)
		kunit_skip(test, "this IOMMU driver reports no faults");
	KUNIT_ASSERT_STATUS(test, status, STATUS_SUCCESS);

	local_irq_save(flags);
	report_iommu_fault(iommu_get_domain_for_dev(dev), dev, 0xABCDE000,
			   IOMMU_FAULT_WRITE);
	local_irq_restore(flags);
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&faults->called,
						    msecs_to_jiffies(10000)));
	KUNIT_EXPECT_TRUE(test, faults->in_process);
	KUNIT_EXPECT_EQ(test, faults->info.Type, FaultInformationX64);
	KUNIT_EXPECT_PTR_EQ(test, faults->info.X64.DomainHandle, wdk->domain);
	KUNIT_EXPECT_EQ(test, (u64)faults->info.X64.FaultAddress, 0xABCDE000);
	KUNIT_EXPECT_TRUE(test, faults->info.X64.Flags.FaultAddressValid);
	KUNIT_EXPECT_TRUE(test, !faults->info.X64.Flags.Reserved);
	KUNIT_EXPECT_EQ(test, faults->info.X64.Type, TranslationFault);

	KUNIT_EXPECT_STATUS(test, wdk->io.SetDeviceFaultReporting(dev, 0, FALSE,
								  NULL),
			    STATUS_SUCCESS);
	report_iommu_fault(iommu_get_domain_for_dev(dev), dev, 0xABCDE000, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&faults->count), 1);
}

/* A device that is removed while it is attached, and added again */
static void os_managed_removed(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	struct device *dev = wdk_attach(test);
	struct pci_bus *bus = wdk->pdo->bus;
	DEVICE_FAULT_CONFIGURATION config = {
		.FaultHandler = wdk_fault_handler,
	};

	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(wdk->domain, 3, wdk->mdl,
						      WDK_LOGICAL),
			    STATUS_SUCCESS);
	pci_stop_and_remove_bus_device_locked(wdk->pdo);
	wdk->attached = false;

	/* It was detached, and cannot be attached any more. */
	KUNIT_EXPECT_STATUS(test, io->DetachDevice(wdk->domain, dev, 0),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, dev, 0, 1),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, io->SetDeviceFaultReporting(dev, 0, TRUE,
							      &config),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(wdk->domain, 3, wdk->mdl,
						      WDK_LOGICAL + SZ_1M),
			    STATUS_SUCCESS);

	pci_lock_rescan_remove();
	pci_rescan_bus(bus);
	pci_unlock_rescan_remove();
	pci_dev_put(wdk->pdo);
	wdk->pdo = NULL;
	dev = wdk_attach(test);
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL + SZ_1M),
			wdk_page(wdk, 0));
}

/* The rules for several input mappings: all of them or none */
static void os_managed_mappings(struct kunit *test)
{
	static const struct {
		ULONG nr, base, count;
		NTSTATUS status;
	} rows[] = {
		{ 0, 0, 1, STATUS_SUCCESS },
		{ 0, 1, 1, STATUS_INVALID_PARAMETER_3 },
		{ 0, 0, 0, STATUS_INVALID_PARAMETER_4 },
		{ 0, 0, 2, STATUS_INVALID_PARAMETER_4 },
		{ 1, 0, 1, STATUS_SUCCESS },
		{ 1, 1, 1, STATUS_INVALID_PARAMETER_3 },
		{ 1, 0, 2, STATUS_INVALID_PARAMETER_4 },
		{ 3, 0, 3, STATUS_SUCCESS },
		{ 3, 0, 1, STATUS_NOT_SUPPORTED },
		{ 3, 1, 2, STATUS_NOT_SUPPORTED },
		{ 3, 0, 0, STATUS_INVALID_PARAMETER_4 },
		{ 3, 1, 3, STATUS_INVALID_PARAMETER_4 },
		{ 3, 2, U32_MAX, STATUS_INVALID_PARAMETER_4 },
		{ 3, 3, 1, STATUS_INVALID_PARAMETER_3 },
		{ 3, U32_MAX, 1, STATUS_INVALID_PARAMETER_3 },
	};
	INPUT_MAPPING_ELEMENT element[4];
	ULONG length = 77;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_STATUS(test,
				    wdk_check_mappings(rows[i].nr, rows[i].base,
						       rows[i].count),
				    rows[i].status);

	KUNIT_EXPECT_STATUS(test, wdk_list_mappings(0, element, sizeof(element),
						    &length),
			    STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, length, 77);
	memset(element, 0x55, sizeof(element));
	KUNIT_EXPECT_STATUS(test, wdk_list_mappings(3, NULL, 0, &length),
			    STATUS_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, length, 12);
	KUNIT_EXPECT_STATUS(test, wdk_list_mappings(3, element, 11, NULL),
			    STATUS_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, element[0].InputMappingId, 0x55555555);
	KUNIT_EXPECT_STATUS(test, wdk_list_mappings(3, NULL, 12, NULL),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdk_list_mappings(3, element, 16, &length),
			    STATUS_SUCCESS);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, element[i].InputMappingId, i);
		/* What is listed can be attached. */
		KUNIT_EXPECT_STATUS(test,
				    wdk_check_mappings(3, element[0].InputMappingId,
						       3),
				    STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, element[3].InputMappingId, 0x55555555);
}

/* An unmap of a part must not need a split. */
static void os_managed_granular(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	struct wdm_domain_report report;

	KUNIT_EXPECT_STATUS(test, wdm_domain_report(wdk->domain->core, &report),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, report.page_granular);
}

/**
 * struct wdk_killed - a thread with a fatal signal pending
 * @wdk: the objects
 * @fn: its function
 * @failed: number of calls that did not succeed
 * @pending: the signal was pending until the end
 * @done: it has finished
 */
struct wdk_killed {
	struct wdk *wdk;
	unsigned int (*fn)(struct wdk *wdk);
	unsigned int failed;
	bool pending;
	struct completion done;
};

static int wdk_killed_thread(void *data)
{
	struct wdk_killed *killed = data;

	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	killed->failed = killed->fn(killed->wdk);
	killed->pending = fatal_signal_pending(current);
	complete(&killed->done);
	return 0;
}

/* All calls of the thread succeed, though others keep attaching. */
static void wdk_run_killed(struct kunit *test,
			   unsigned int (*fn)(struct wdk *wdk))
{
	struct wdk *wdk = WDK(test);
	struct wdk_killed killed = { .wdk = wdk, .fn = fn };
	struct wdm_domain *domain = wdk->domain->core;
	struct task_struct *thread;
	unsigned int waits = 0;
	struct wdm_range all;

	init_completion(&killed.done);
	/* Before it starts, or it may finish before it has to wait. */
	wdm_range_lock_all(&domain->ranges, &all, false);
	thread = kthread_run(wdk_killed_thread, &killed, "wdk_killed");
	for (;;) {
		/* Like an attach; long enough to make the thread wait */
		usleep_range(500, 1000);
		wdm_domain_unlock(domain, &all);
		waits++;
		if (IS_ERR(thread) || try_wait_for_completion(&killed.done))
			break;
		wdm_range_lock_all(&domain->ranges, &all, false);
	}
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	KUNIT_EXPECT_TRUE(test, killed.pending);
	KUNIT_EXPECT_EQ(test, killed.failed, 0);
	KUNIT_EXPECT_GT(test, waits, 1);
}

/* For calls that must not wait at all: all pages stay locked, as by an attach. */
static void wdk_run_at_once(struct kunit *test, unsigned int (*fn)(struct wdk *wdk))
{
	struct wdk *wdk = WDK(test);
	struct wdk_killed killed = { .wdk = wdk, .fn = fn };
	struct wdm_domain *domain = wdk->domain->core;
	struct task_struct *thread;
	struct wdm_range all;
	bool done = false;

	init_completion(&killed.done);
	wdm_range_lock_all(&domain->ranges, &all, false);
	thread = kthread_run(wdk_killed_thread, &killed, "wdk_killed");
	if (!IS_ERR(thread))
		done = wait_for_completion_timeout(&killed.done,
						   msecs_to_jiffies(60000));
	wdm_domain_unlock(domain, &all);
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	KUNIT_EXPECT_TRUE(test, done);
	if (!done)
		wait_for_completion(&killed.done);
	KUNIT_EXPECT_TRUE(test, killed.pending);
	KUNIT_EXPECT_EQ(test, killed.failed, 0);
}

static unsigned int os_managed_killed_maps(struct wdk *wdk)
{
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	unsigned int i, failed = 0;

	for (i = 0; i < 20; i++) {
		failed += !NT_SUCCESS(io->MapLogicalRange(wdk->domain, 3,
							  wdk->mdl,
							  WDK_LOGICAL));
		failed += !NT_SUCCESS(io->UnmapLogicalRange(wdk->domain,
							    WDK_LOGICAL,
							    WDK_PAGES));
		failed += !NT_SUCCESS(io->MapIdentityRange(wdk->domain, 3,
							   wdk->mdl));
		failed += !NT_SUCCESS(io->UnmapIdentityRange(wdk->domain,
							     wdk->mdl));
	}
	return failed;
}

static unsigned int os_managed_killed_attaches(struct wdk *wdk)
{
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	unsigned int failed = 0;

	failed += !NT_SUCCESS(io->DetachDevice(wdk->domain, &wdk->pdo->dev, 0));
	failed += !NT_SUCCESS(io->AttachDevice(wdk->domain, &wdk->pdo->dev, 0, 1));
	return failed;
}

static void os_managed_killed(struct kunit *test)
{
	wdk_run_at_once(test, os_managed_killed_maps);
	wdk_attach(test);
	wdk_run_at_once(test, os_managed_killed_maps);
	wdk_run_killed(test, os_managed_killed_attaches);
}

static struct kunit_case os_managed_cases[] = {
	KUNIT_CASE(os_managed_interface),
	KUNIT_CASE(os_managed_interface_ex),
	KUNIT_CASE(os_managed_negotiation),
	KUNIT_CASE(os_managed_map),
	KUNIT_CASE(os_managed_bad_mdl),
	KUNIT_CASE(os_managed_identity),
	KUNIT_CASE(os_managed_refuses),
	KUNIT_CASE(os_managed_no_device),
	KUNIT_CASE(os_managed_device),
	KUNIT_CASE(os_managed_faults),
	KUNIT_CASE(os_managed_removed),
	KUNIT_CASE(os_managed_mappings),
	KUNIT_CASE(os_managed_granular),
	KUNIT_CASE(os_managed_killed),
	{}
};

static struct kunit_suite os_managed_suite = {
	.name = "iommu_domain_os_managed",
	.init = wdk_start_os,
	.exit = wdk_end,
	.test_cases = os_managed_cases,
};

/* Suite of caller-managed domains. Caller addresses are physical here. */

/*
 * Tables in the first pages of the memory: page 0 is the root, followed by the lower levels;
 * they map page 8 at WDK_LOGICAL, which is 1 GiB.
 */
static u64 *wdk_table(struct wdk *wdk, unsigned int nr)
{
	return wdk->memory + nr * PAGE_SIZE;
}

static u64 wdk_entry(const struct wdk *wdk, bool arm64, unsigned int page)
{
	return wdk_page(wdk, page) | (arm64 ? 0x443 : 0x007);
}

static void wdk_build_tables(struct wdk *wdk, bool arm64)
{
	memset(wdk->memory, 0, WDK_PAGES * PAGE_SIZE);
	wdk_table(wdk, 0)[0] = wdk_entry(wdk, arm64, 1);
	wdk_table(wdk, 1)[1] = wdk_entry(wdk, arm64, 2);
	wdk_table(wdk, 2)[0] = wdk_entry(wdk, arm64, 3);
	wdk_table(wdk, 3)[0] = wdk_entry(wdk, arm64, 8);
}

static void wdk_fill_config(struct wdk *wdk, bool arm64,
			    DOMAIN_CONFIGURATION *config)
{
	memset(config, 0, sizeof(*config));
	if (arm64) {
		config->Type = DomainConfigurationArm64;
		config->Arm64.Ttbr0.QuadPart = wdk_page(wdk, 0);
		config->Arm64.InputSize0 = 48;
		config->Arm64.TranslationEnabled = TRUE;
	} else {
		config->Type = DomainConfigurationX64;
		config->X64.FirstLevelPageTableRoot.QuadPart = wdk_page(wdk, 0);
		config->X64.TranslationEnabled = TRUE;
	}
}

/* Functions that this kind does not have */
static void caller_managed_refuses(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;

	KUNIT_EXPECT_STATUS(test, io->MapLogicalRange(wdk->domain, 3, wdk->mdl,
						      WDK_LOGICAL),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, io->UnmapLogicalRange(wdk->domain,
							WDK_LOGICAL, 1),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, io->MapIdentityRange(wdk->domain, 3,
						       wdk->mdl),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, io->UnmapIdentityRange(wdk->domain, wdk->mdl),
			    STATUS_INVALID_PARAMETER_1);
}

static void caller_managed_not_configured(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	u64 va = WDK_LOGICAL;

	KUNIT_EXPECT_STATUS(test, wdk->io.FlushDomain(wdk->domain),
			    STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_STATUS(test, wdk->io.FlushDomainByVaList(wdk->domain, TRUE,
							      1, &va),
			    STATUS_INVALID_DEVICE_STATE);
}

static void caller_managed_bad_config(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	DOMAIN_CONFIGURATION config;
	unsigned int type;

	for (type = 2; type < 5; type++) {
		memset(&config, 0, sizeof(config));
		config.Type = type;
		KUNIT_EXPECT_STATUS(test, wdk->io.ConfigureDomain(wdk->domain,
								  &config),
				    STATUS_INVALID_PARAMETER_2);
	}
	wdk_fill_config(wdk, false, &config);
	config.X64.FirstLevelPageTableRoot.QuadPart += 64;
	KUNIT_EXPECT_STATUS(test, wdk->io.ConfigureDomain(wdk->domain, &config),
			    STATUS_INVALID_PARAMETER_2);
	/* No machine has memory up there. */
	config.X64.FirstLevelPageTableRoot.QuadPart = BIT_ULL(51);
	KUNIT_EXPECT_STATUS(test, wdk->io.ConfigureDomain(wdk->domain, &config),
			    STATUS_ACCESS_VIOLATION);
	wdk_fill_config(wdk, true, &config);
	config.Arm64.InputSize0 = 49;
	KUNIT_EXPECT_STATUS(test, wdk->io.ConfigureDomain(wdk->domain, &config),
			    STATUS_INVALID_PARAMETER_2);
	wdk_fill_config(wdk, true, &config);
	config.Arm64.Ttbr1.QuadPart = wdk_page(wdk, 0);
	KUNIT_EXPECT_STATUS(test, wdk->io.ConfigureDomain(wdk->domain, &config),
			    STATUS_INVALID_PARAMETER_2);
	/* None of them has configured it. */
	KUNIT_EXPECT_STATUS(test, wdk->io.FlushDomain(wdk->domain),
			    STATUS_INVALID_DEVICE_STATE);
}

static void wdk_check_configure(struct kunit *test, bool arm64)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	u64 vas[] = { WDK_LOGICAL, WDK_LOGICAL + SZ_4K };
	u64 odd = BIT_ULL(60);
	DOMAIN_CONFIGURATION config;

	wdk_build_tables(wdk, arm64);
	wdk_fill_config(wdk, arm64, &config);
	KUNIT_EXPECT_STATUS(test, io->ConfigureDomain(wdk->domain, &config),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->FlushDomain(wdk->domain),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->FlushDomainByVaList(wdk->domain, TRUE, 2,
							  vas),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->FlushDomainByVaList(wdk->domain, FALSE, 0,
							  NULL),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->FlushDomainByVaList(wdk->domain, FALSE, 1,
							  &odd),
			    STATUS_INVALID_PARAMETER_4);

	/* A reserved encoding blocks and is reported, until it is corrected. */
	wdk_table(wdk, 3)[1] = arm64 ? 0x1 : BIT_ULL(51) | 0x7;
	KUNIT_EXPECT_STATUS(test, io->FlushDomain(wdk->domain), arm64 ?
			    STATUS_INVALID_PARAMETER : STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_FALSE(test,
			   NT_SUCCESS(io->FlushDomainByVaList(wdk->domain, TRUE,
							      2, vas)));
	wdk_table(wdk, 3)[1] = 0;
	KUNIT_EXPECT_STATUS(test, io->FlushDomainByVaList(wdk->domain, TRUE, 2,
							  vas),
			    STATUS_SUCCESS);
}

static void caller_managed_configure(struct kunit *test)
{
	wdk_check_configure(test, false);
	/* Another format in the same domain. */
	wdk_check_configure(test, true);
}

static void wdk_check_device(struct kunit *test, struct device *dev, bool arm64)
{
	struct wdk *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	u64 vas[] = { WDK_LOGICAL, WDK_LOGICAL + SZ_4K };
	DOMAIN_CONFIGURATION config;

	wdk_build_tables(wdk, arm64);
	wdk_fill_config(wdk, arm64, &config);
	KUNIT_EXPECT_STATUS(test, io->ConfigureDomain(wdk->domain, &config),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL),
			wdk_page(wdk, 8));
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL + SZ_4K), 0);

	/* A change takes effect at a flush, and not before. */
	wdk_table(wdk, 3)[0] = wdk_entry(wdk, arm64, 9);
	wdk_table(wdk, 3)[1] = wdk_entry(wdk, arm64, 10);
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL),
			wdk_page(wdk, 8));
	KUNIT_EXPECT_STATUS(test, io->FlushDomainByVaList(wdk->domain, TRUE, 1,
							  vas),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL),
			wdk_page(wdk, 9));
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL + SZ_4K), 0);
	KUNIT_EXPECT_STATUS(test, io->FlushDomain(wdk->domain),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL + SZ_4K),
			wdk_page(wdk, 10));

	wdk_table(wdk, 1)[1] = 0;
	KUNIT_EXPECT_STATUS(test, io->FlushDomainByVaList(wdk->domain, FALSE, 2,
							  vas),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL), 0);
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL + SZ_4K), 0);
}

static void caller_managed_device(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	struct device *dev = wdk_attach(test);

	/* Attached and not configured: all DMA blocks. */
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL), 0);
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, wdk_page(wdk, 8)), 0);
	wdk_check_device(test, dev, false);
	wdk_check_device(test, dev, true);

	/* A device attached later gets the configuration. */
	wdk_build_tables(wdk, true);
	KUNIT_EXPECT_STATUS(test, wdk->io.FlushDomain(wdk->domain),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DetachDevice(wdk->domain, dev, 0),
			    STATUS_SUCCESS);
	wdk->attached = false;
	KUNIT_EXPECT_STATUS(test, wdk->io.AttachDevice(wdk->domain, dev, 0, 1),
			    STATUS_SUCCESS);
	wdk->attached = true;
	KUNIT_EXPECT_EQ(test, wdk_translate(dev, WDK_LOGICAL),
			wdk_page(wdk, 8));
}

/* Memory cannot go offline while page tables can refer to it. */
static void caller_managed_memory(struct kunit *test)
{
	struct wdk *wdk = WDK(test);
	PIOMMU_DMA_DOMAIN second;
	int ret;

	ret = wdm_ram_notify(NULL, MEM_GOING_OFFLINE, NULL);
	KUNIT_EXPECT_EQ(test, notifier_to_errno(ret), -EBUSY);
	wdm_ram_notify(NULL, MEM_CANCEL_OFFLINE, NULL);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain),
			    STATUS_SUCCESS);
	ret = wdm_ram_notify(NULL, MEM_GOING_OFFLINE, NULL);
	KUNIT_EXPECT_EQ(test, notifier_to_errno(ret), 0);
	/* While memory is going offline, a domain cannot be created. */
	KUNIT_EXPECT_STATUS(test, wdk->io.CreateDomain(FALSE, &second),
			    STATUS_INSUFFICIENT_RESOURCES);
	wdm_ram_notify(NULL, MEM_OFFLINE, NULL);
	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDomain(FALSE, &wdk->domain),
			    STATUS_SUCCESS);
}

static unsigned int caller_managed_killed_calls(struct wdk *wdk)
{
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	DOMAIN_CONFIGURATION config;
	unsigned int i, failed = 0;
	u64 va = WDK_LOGICAL;

	wdk_build_tables(wdk, false);
	for (i = 0; i < 10; i++) {
		wdk_fill_config(wdk, false, &config);
		failed += !NT_SUCCESS(io->ConfigureDomain(wdk->domain, &config));
		failed += !NT_SUCCESS(io->FlushDomain(wdk->domain));
		failed += !NT_SUCCESS(io->FlushDomainByVaList(wdk->domain, TRUE,
							      1, &va));
	}
	return failed;
}

static void caller_managed_killed(struct kunit *test)
{
	wdk_run_killed(test, caller_managed_killed_calls);
	wdk_attach(test);
	wdk_run_killed(test, caller_managed_killed_calls);
}

static struct kunit_case caller_managed_cases[] = {
	KUNIT_CASE(caller_managed_refuses),
	KUNIT_CASE(caller_managed_killed),
	KUNIT_CASE(caller_managed_not_configured),
	KUNIT_CASE(caller_managed_bad_config),
	KUNIT_CASE(caller_managed_configure),
	KUNIT_CASE(caller_managed_device),
	KUNIT_CASE(caller_managed_memory),
	{}
};

static struct kunit_suite caller_managed_suite = {
	.name = "iommu_domain_caller_managed",
	.init = wdk_start_caller,
	.exit = wdk_end,
	.test_cases = caller_managed_cases,
};

kunit_test_suites(&os_managed_suite, &caller_managed_suite);
