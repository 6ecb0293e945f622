// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of versions 1 and 2 of the interface, behind a fake IOMMU: create, attach, detach,
 * available types of domains, state changes, faults and removal.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>

#include "../module/core/policy.h"
#include "../module/wdk/device.h"
#include "support/fake_driver.h"
#include "support/fixture.h"

#define TRANSLATE	BIT(DomainTypeTranslate)
#define PASS_THROUGH	BIT(DomainTypePassThrough)
#define UNMANAGED	BIT(DomainTypeUnmanaged)
#define TRANSLATE_S1	BIT(DomainTypeTranslateS1)

#define LOGICAL		0x40000000ULL

/**
 * struct wdk_devices - objects of the tests
 * @io: the table of version 1
 * @domain: an OS-managed domain with a page mapped at LOGICAL
 * @second: another one
 * @page: the page
 * @mdl: an MDL of it
 * @pdo: a device behind the fake IOMMU
 * @dev: the result of CreateDevice, or NULL
 */
struct wdk_devices {
	DMA_IOMMU_INTERFACE io;
	PIOMMU_DMA_DOMAIN domain;
	PIOMMU_DMA_DOMAIN second;
	void *page;
	PMDL mdl;
	struct device *pdo;
	PIOMMU_DMA_DEVICE dev;
};

#define WDK(test)	((struct wdk_devices *)(test)->priv)

static int wdk_devices_init(struct kunit *test)
{
	struct wdk_devices *wdk = kunit_kzalloc(test, sizeof(*wdk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, wdk);
	test->priv = wdk;
	fake_driver_start(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);
	wdk->pdo = fake_driver_add(test, false);
	KUNIT_ASSERT_STATUS(test, IoGetIommuInterface(1, &wdk->io),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDomain(TRUE, &wdk->domain),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDomain(TRUE, &wdk->second),
			    STATUS_SUCCESS);
	wdk->page = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, wdk->page);
	wdk->mdl = IoAllocateMdl(wdk->page, PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, wdk->mdl);
	MmBuildMdlForNonPagedPool(wdk->mdl);
	KUNIT_ASSERT_STATUS(test, wdk->io.MapLogicalRange(wdk->domain, 3, wdk->mdl,
							  LOGICAL),
			    STATUS_SUCCESS);
	return 0;
}

static void wdk_devices_exit(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);

	if (wdk->dev) {
		wdk_detach_device_ex(wdk->dev);
		KUNIT_EXPECT_STATUS(test, wdk_delete_device(wdk->dev),
				    STATUS_SUCCESS);
	}
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->second),
			    STATUS_SUCCESS);
	IoFreeMdl(wdk->mdl);
	free_page((unsigned long)wdk->page);
	fake_driver_stop(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
}

static PIOMMU_DMA_DEVICE create(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);

	KUNIT_ASSERT_STATUS(test, wdk_create_device(wdk->pdo, NULL, &wdk->dev),
			    STATUS_SUCCESS);
	return wdk->dev;
}

/* Check whether the device reaches the page of the domain. */
static bool reaches(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);

	return fake_driver_translate(wdk->pdo, 0, LOGICAL) ==
	       virt_to_phys(wdk->page);
}

static u32 types(PIOMMU_DMA_DEVICE dev)
{
	ULONG mask = 0xdead;

	wdk_query_available_domain_types(dev, &mask);
	return mask;
}

static void devices_create(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PIOMMU_DMA_DEVICE poison = (void *)wdk, dev = poison;
	struct device *unknown = kunit_kzalloc(test, sizeof(*unknown), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, unknown);
	KUNIT_EXPECT_STATUS(test, wdk_create_device(unknown, NULL, &dev),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_PTR_EQ(test, dev, poison);

	create(test);
	KUNIT_EXPECT_STATUS(test, wdk_create_device(wdk->pdo, NULL, &dev),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_PTR_EQ(test, dev, poison);
	/* The device is not claimed. */
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(wdk->pdo));

	dev = wdk->dev;
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev), STATUS_SUCCESS);
	wdk->dev = NULL;
	/* Deleted devices are refused. */
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev), STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(NULL), STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_EQ(test, types(dev), 0);
	create(test);
}

#define ACPI(base, count) {						\
	.ConfigType = IommuDeviceCreationConfigTypeAcpi,		\
	.Acpi = { (base), (count) },					\
}

#define PASID(type) {							\
	.ConfigType = IommuDeviceCreationConfigTypePasid,		\
	.Pasid = { .ConfigType = (type) },				\
}

#define BAD(type) { .ConfigType = (type) }

/* Lists of one or two configurations, with all kinds of ends. */
static void devices_configs(struct kunit *test)
{
	static const struct wdk_ability pci = { };
	static const struct wdk_ability pci_pasids = { .pasids = true };
	static const struct wdk_ability acpi_1 = { 1, true, false };
	static const struct wdk_ability acpi_3 = { 3, true, true };
	static const struct wdk_ability tree_3 = { 3, false, false };
	static const struct {
		unsigned int nr;
		IOMMU_DEVICE_CREATION_CONFIGURATION config[2];
		const struct wdk_ability *ability;
		bool valid;
	} rows[] = {
		{ 0, { }, &pci, true },
		{ 0, { }, &acpi_1, false },
		{ 0, { }, &tree_3, true },
		{ 1, { BAD(IommuDeviceCreationConfigTypeNone) }, &pci, false },
		{ 1, { BAD(IommuDeviceCreationConfigTypeDeviceId) }, &pci, false },
		{ 1, { BAD(IommuDeviceCreationConfigTypeMax) }, &pci, false },
		{ 1, { BAD(-1) }, &pci, false },
		{ 1, { ACPI(0, 1) }, &pci, false },
		{ 1, { ACPI(0, 1) }, &pci_pasids, false },
		{ 1, { ACPI(0, 0) }, &pci, false },
		{ 1, { ACPI(0, 1) }, &acpi_1, true },
		{ 1, { ACPI(0, 1) }, &acpi_3, false },
		{ 1, { ACPI(0, 3) }, &acpi_3, true },
		{ 1, { ACPI(1, 2) }, &acpi_3, false },
		{ 1, { ACPI(1, 3) }, &acpi_3, false },
		{ 1, { ACPI(0, 4) }, &acpi_3, false },
		{ 1, { ACPI(0, 3) }, &tree_3, true },
		{ 1, { ACPI(0, 2) }, &tree_3, false },
		{ 1, { PASID(PasidConfigTypeDefaultPasidOnly) }, &pci, false },
		{ 1, { PASID(PasidConfigTypeDefaultPasidOnly) }, &pci_pasids, true },
		{ 1, { PASID(PasidConfigTypePasidTaggedDma) }, &pci_pasids, true },
		{ 1, { PASID(PasidConfigTypeMax) }, &pci_pasids, false },
		{ 1, { PASID(-1) }, &pci_pasids, false },
		{ 1, { PASID(PasidConfigTypePasidTaggedDma) }, &acpi_3, false },
		{ 2, { PASID(1), PASID(1) }, &pci_pasids, false },
		{ 2, { ACPI(0, 3), ACPI(0, 3) }, &acpi_3, false },
		{ 2, { ACPI(0, 3), PASID(1) }, &acpi_3, true },
		{ 2, { PASID(0), ACPI(0, 3) }, &acpi_3, true },
		{ 2, { PASID(1), BAD(0) }, &pci_pasids, false },
	};
	unsigned int i, ring;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (ring = 0; ring < 2; ring++) {
			IOMMU_DEVICE_CREATION_CONFIGURATION c[2];
			struct wdk_config config;
			NTSTATUS status;

			memcpy(c, rows[i].config, sizeof(c));
			if (rows[i].nr == 2)
				c[0].NextConfiguration.Flink =
					&c[1].NextConfiguration;
			if (ring && rows[i].nr)
				c[rows[i].nr - 1].NextConfiguration.Flink =
					&c[0].NextConfiguration;
			status = wdk_read_configs(rows[i].nr ? c : NULL, &config);
			if (wdm_ok(status))
				status = wdk_check_config(&config,
							  rows[i].ability);
			KUNIT_EXPECT_TRUE_MSG(test,
					      status == (rows[i].valid ?
							 STATUS_SUCCESS :
							 STATUS_INVALID_PARAMETER_2),
					      "row %u: %s", i,
					      wdm_status_name(status));
		}
	}
}

/* Lists that never end */
static void devices_config_loops(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	IOMMU_DEVICE_CREATION_CONFIGURATION c[2] = { ACPI(0, 1), PASID(1) };
	PIOMMU_DMA_DEVICE dev = NULL;
	struct wdk_config config;

	/* The second element refers to itself. */
	c[0].NextConfiguration.Flink = &c[1].NextConfiguration;
	c[1].NextConfiguration.Flink = &c[1].NextConfiguration;
	KUNIT_EXPECT_STATUS(test, wdk_read_configs(c, &config),
			    STATUS_INVALID_PARAMETER_2);

	/* A list that does not fit or cannot be read creates no device. */
	KUNIT_EXPECT_STATUS(test, wdk_create_device(wdk->pdo, c, &dev),
			    STATUS_INVALID_PARAMETER_2);
	c[1].NextConfiguration.Flink = NULL;
	KUNIT_EXPECT_STATUS(test, wdk_create_device(wdk->pdo, &c[1], &dev),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_NULL(test, dev);
	create(test);
}

static void devices_attach(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PIOMMU_DMA_DEVICE dev = create(test);

	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, reaches(test));
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->second, dev),
			    STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev), STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev),
			    STATUS_INVALID_PARAMETER_1);
	/* Released to Linux */
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(wdk->pdo));

	fake_driver.fail_attach = 1;
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(wdk->pdo));
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->second, dev),
			    STATUS_SUCCESS);
}

/* A device has one attachment, whichever version attaches it. */
static void devices_attach_both(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	DMA_IOMMU_INTERFACE *io = &wdk->io;
	PIOMMU_DMA_DEVICE dev;

	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, wdk->pdo, 0, 1),
			    STATUS_SUCCESS);
	dev = create(test);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev), STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_TRUE(test, reaches(test));
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev), STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, reaches(test));
	KUNIT_EXPECT_STATUS(test, io->DetachDevice(wdk->domain, wdk->pdo, 0),
			    STATUS_INVALID_PARAMETER_2);

	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io->AttachDevice(wdk->domain, wdk->pdo, 0, 1),
			    STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_STATUS(test, io->DetachDevice(wdk->second, wdk->pdo, 0),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, io->DetachDevice(wdk->domain, wdk->pdo, 0),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev),
			    STATUS_INVALID_PARAMETER_1);
}

/* The first device of a group claims it, the last one releases it. */
static void devices_group(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PIOMMU_DMA_DEVICE dev[2];
	struct device *pdo[2];
	unsigned int i;

	fake_driver.shared = true;
	for (i = 0; i < 2; i++) {
		pdo[i] = fake_driver_add(test, false);
		KUNIT_ASSERT_STATUS(test, wdk_create_device(pdo[i], NULL, &dev[i]),
				    STATUS_SUCCESS);
	}
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev[0]),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->second, dev[1]),
			    STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev[1]),
			    STATUS_SUCCESS);
	/* Unplugging one does not affect the other. */
	fake_driver_remove(pdo[0]);
	KUNIT_EXPECT_NOT_NULL(test, fake_driver_at(pdo[1], 0));
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev[1]), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(pdo[1]));
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev[i]),
				    STATUS_SUCCESS);
}

/* A group of another owner, such as VFIO, or of a driver that does DMA */
static void devices_claimed(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PIOMMU_DMA_DEVICE dev = create(test);
	struct iommu_group *group = iommu_group_get(wdk->pdo);

	KUNIT_ASSERT_NOT_NULL(test, group);
	KUNIT_ASSERT_EQ(test, iommu_group_claim_dma_owner(group, test), 0);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev), STATUS_DEVICE_BUSY);
	KUNIT_EXPECT_STATUS(test, wdk->io.AttachDevice(wdk->domain, wdk->pdo, 0, 1),
			    STATUS_DEVICE_BUSY);
	iommu_group_release_dma_owner(group);
	iommu_group_put(group);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, reaches(test));
}

static void devices_types(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	struct device *pdo = fake_driver_add(test, true);
	PIOMMU_DMA_DEVICE dev = create(test), pasids;

	KUNIT_ASSERT_STATUS(test, wdk_create_device(pdo, NULL, &pasids),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, types(dev), TRANSLATE | UNMANAGED);
	KUNIT_EXPECT_EQ(test, types(pasids), TRANSLATE | UNMANAGED | TRANSLATE_S1);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);
	KUNIT_EXPECT_EQ(test, types(dev), TRANSLATE | UNMANAGED | PASS_THROUGH);

	/* The fake has no isolated interrupts. */
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
	KUNIT_EXPECT_EQ(test, types(dev), 0);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_ACCESS_DENIED);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);

	fake_driver.incoherent = true;
	KUNIT_EXPECT_EQ(test, types(dev), 0);
	fake_driver.incoherent = false;
	KUNIT_EXPECT_NE(test, types(dev), 0);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(pasids), STATUS_SUCCESS);
}

/**
 * struct changes - what a state change callback has seen
 * @test: the test, for a callback that calls functions
 * @nr: number of calls
 * @running: number of calls that are running
 * @overlaps: number of calls that began while another was running
 * @bad: number of calls that could not sleep, or had a wrong field
 * @types: the last mask
 * @called: completed by each call
 */
struct changes {
	struct kunit *test;
	atomic_t nr;
	atomic_t running;
	atomic_t overlaps;
	atomic_t bad;
	u32 types;
	struct completion called;
};

static void changes_init(struct changes *changes, struct kunit *test)
{
	memset(changes, 0, sizeof(*changes));
	changes->test = test;
	init_completion(&changes->called);
}

static void on_change(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
	struct changes *changes = context;

	if (atomic_inc_return(&changes->running) > 1)
		atomic_inc(&changes->overlaps);
	if (!in_task() || irqs_disabled() || change->PresentFields.AsULONG != 1)
		atomic_inc(&changes->bad);
	WRITE_ONCE(changes->types, change->AvailableDomainTypes);
	atomic_inc(&changes->nr);
	complete(&changes->called);
	atomic_dec(&changes->running);
}

static void other_change(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
}

/* Wait until the callback has been called with a mask. */
static void expect_change(struct kunit *test, struct changes *changes, u32 want)
{
	unsigned long end = jiffies + 20 * HZ;

	while (READ_ONCE(changes->types) != want && time_before(jiffies, end))
		wait_for_completion_timeout(&changes->called, HZ);
	KUNIT_EXPECT_EQ(test, READ_ONCE(changes->types), want);
}

static void devices_changes(struct kunit *test)
{
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields = { .AvailableDomainTypes = 1 };
	PIOMMU_DMA_DEVICE dev = create(test);
	struct changes changes;
	int nr;

	changes_init(&changes, test);
	KUNIT_EXPECT_STATUS(test, wdk_register_state_change(NULL, &changes, dev,
							    &fields),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_register_state_change(on_change, &changes,
							    dev, NULL),
			    STATUS_INVALID_PARAMETER_4);
	fields.AsULONG = 0;
	KUNIT_EXPECT_STATUS(test, wdk_register_state_change(on_change, &changes,
							    dev, &fields),
			    STATUS_INVALID_PARAMETER_4);
	fields.AsULONG = 3;
	KUNIT_EXPECT_STATUS(test, wdk_register_state_change(on_change, &changes,
							    dev, &fields),
			    STATUS_INVALID_PARAMETER_4);
	fields.AsULONG = 1;
	KUNIT_EXPECT_STATUS(test, wdk_unregister_state_change(on_change, dev),
			    STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, atomic_read(&changes.nr), 0);

	/* Called once before the registration returns, then at each change */
	KUNIT_ASSERT_STATUS(test, wdk_register_state_change(on_change, &changes,
							    dev, &fields),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&changes.nr), 1);
	KUNIT_EXPECT_EQ(test, changes.types, TRANSLATE | UNMANAGED);
	KUNIT_EXPECT_STATUS(test, wdk_register_state_change(other_change, NULL,
							    dev, &fields),
			    STATUS_UNSUCCESSFUL);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);
	expect_change(test, &changes, TRANSLATE | UNMANAGED | PASS_THROUGH);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
	expect_change(test, &changes, 0);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);
	expect_change(test, &changes, TRANSLATE | UNMANAGED | PASS_THROUGH);
	KUNIT_EXPECT_EQ(test, atomic_read(&changes.nr), 4);
	/* Not called if the types stay the same */
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);

	KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev), STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk_unregister_state_change(other_change, dev),
			    STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_STATUS(test, wdk_unregister_state_change(on_change, dev),
			    STATUS_SUCCESS);
	nr = atomic_read(&changes.nr);
	KUNIT_EXPECT_EQ(test, nr, 4);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&changes.nr), nr);
	KUNIT_EXPECT_EQ(test, atomic_read(&changes.overlaps), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&changes.bad), 0);
	KUNIT_EXPECT_STATUS(test, wdk_unregister_state_change(on_change, dev),
			    STATUS_UNSUCCESSFUL);
}

/* A callback may call almost any function. */
static void on_change_calls(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
	struct changes *changes = context;
	struct kunit *test = changes->test;
	struct wdk_devices *wdk = WDK(test);

	/* The policy may have changed again. */
	KUNIT_EXPECT_EQ(test, types(wdk->dev) | BIT(DomainTypePassThrough),
			change->AvailableDomainTypes | BIT(DomainTypePassThrough));
	if (change->AvailableDomainTypes) {
		KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain,
							       wdk->dev),
				    STATUS_SUCCESS);
		KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(wdk->dev),
				    STATUS_SUCCESS);
	}
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(wdk->dev),
			    STATUS_RESOURCE_IN_USE);
	on_change(change, context);
}

static int toggle_policy(void *data)
{
	while (!kthread_should_stop()) {
		wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);
		cond_resched();
		wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
		cond_resched();
	}
	return 0;
}

/* Register and unregister while the policy keeps changing. */
static void devices_changes_race(struct kunit *test)
{
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields = { .AvailableDomainTypes = 1 };
	PIOMMU_DMA_DEVICE dev = create(test);
	struct task_struct *thread;
	struct changes changes;
	int i, nr;

	changes_init(&changes, test);
	thread = kthread_run(toggle_policy, NULL, "toggle");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
	for (i = 0; i < 50; i++) {
		KUNIT_EXPECT_STATUS(test, wdk_register_state_change(on_change_calls,
								    &changes, dev,
								    &fields),
				    STATUS_SUCCESS);
		cond_resched();
		KUNIT_EXPECT_STATUS(test,
				    wdk_unregister_state_change(on_change_calls, dev),
				    STATUS_SUCCESS);
		/* It has returned. */
		KUNIT_EXPECT_EQ(test, atomic_read(&changes.running), 0);
		nr = atomic_read(&changes.nr);
		cond_resched();
		KUNIT_EXPECT_EQ(test, atomic_read(&changes.nr), nr);
	}
	kthread_stop(thread);
	KUNIT_EXPECT_GE(test, atomic_read(&changes.nr), 50);
	KUNIT_EXPECT_EQ(test, atomic_read(&changes.overlaps), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&changes.bad), 0);
}

/* A device that is removed while it is attached and watched. */
static void devices_removed(struct kunit *test)
{
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields = { .AvailableDomainTypes = 1 };
	struct wdk_devices *wdk = WDK(test);
	PIOMMU_DMA_DEVICE dev = create(test), other = NULL;
	struct changes changes;

	changes_init(&changes, test);
	KUNIT_ASSERT_STATUS(test, wdk_register_state_change(on_change, &changes,
							    dev, &fields),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_SUCCESS);
	fake_driver_remove(wdk->pdo);
	expect_change(test, &changes, 0);

	/* The handle stays valid, and calls report the removal. */
	KUNIT_EXPECT_EQ(test, types(dev), 0);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_set_device_fault_reporting_ex(dev, 0, FALSE,
								    NULL),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk->io.AttachDevice(wdk->domain, wdk->pdo, 0, 1),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, wdk_create_device(wdk->pdo, NULL, &other),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev), STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk_unregister_state_change(on_change, dev),
			    STATUS_SUCCESS);
	/* A callback can be registered, and is called at once. */
	KUNIT_EXPECT_STATUS(test, wdk_register_state_change(on_change, &changes,
							    dev, &fields),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, changes.types, 0);
	KUNIT_EXPECT_STATUS(test, wdk_unregister_state_change(on_change, dev),
			    STATUS_SUCCESS);
}

static struct completion attach_begun, attach_may_end;
static bool attach_timed_out;
static struct device *attach_slow;

static void slow_attach(struct device *dev, u32 pasid)
{
	if (dev != attach_slow)
		return;
	complete(&attach_begun);
	attach_timed_out = !wait_for_completion_timeout(&attach_may_end, 20 * HZ);
}

static int attach_thread(void *data)
{
	struct wdk_devices *wdk = data;

	return !wdm_ok(wdk_attach_device_ex(wdk->domain, wdk->dev));
}

/* While one device is being attached, others are attached and detached. */
static void devices_attach_slow(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	struct device *pdo = fake_driver_add(test, false);
	PIOMMU_DMA_DEVICE dev;
	struct task_struct *thread;

	create(test);
	KUNIT_ASSERT_STATUS(test, wdk_create_device(pdo, NULL, &dev),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk_attach_device_ex(wdk->second, dev),
			    STATUS_SUCCESS);
	init_completion(&attach_begun);
	init_completion(&attach_may_end);
	attach_slow = wdk->pdo;
	fake_driver.hook = slow_attach;
	thread = kthread_run(attach_thread, wdk, "attach");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
	get_task_struct(thread);
	wait_for_completion(&attach_begun);

	fake_driver_remove(pdo);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev), STATUS_SUCCESS);
	/* Its domain is not affected. */
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain),
			    STATUS_RESOURCE_IN_USE);
	fake_driver.hook = NULL;
	complete(&attach_may_end);
	KUNIT_EXPECT_EQ(test, kthread_stop(thread), 0);
	put_task_struct(thread);
	KUNIT_EXPECT_FALSE(test, attach_timed_out);
	KUNIT_EXPECT_TRUE(test, reaches(test));
}

#define LARGE_PAGES	2048
#define LARGE_MAPS	40

/* Map the page so often that an attach takes long. */
static PMDL map_large(struct kunit *test, PIOMMU_DMA_DOMAIN domain)
{
	struct wdk_devices *wdk = WDK(test);
	PMDL mdl = IoAllocateMdl(wdk->page, LARGE_PAGES * PAGE_SIZE, FALSE, FALSE, NULL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	for (i = 0; i < LARGE_PAGES; i++)
		MmGetMdlPfnArray(mdl)[i] = page_to_pfn(virt_to_page(wdk->page));
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	for (i = 0; i < LARGE_MAPS; i++)
		KUNIT_ASSERT_STATUS(test,
				    wdk->io.MapLogicalRange(domain, 3, mdl,
							    SZ_8G + i * (u64)SZ_16M),
				    STATUS_SUCCESS);
	return mdl;
}

static int attach_second_thread(void *data)
{
	struct wdk_devices *wdk = data;
	NTSTATUS status = wdk_attach_device_ex(wdk->second, wdk->dev);

	return status != STATUS_DEVICE_REMOVED;
}

/* Remove a device while its hwpt is being filled; check that the attach ends at once. */
static bool removal_is_quick(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PIOMMU_DMA_DEVICE dev = create(test);
	struct task_struct *thread;
	u64 fill, removal;
	ktime_t start;
	bool removed;

	start = ktime_get();
	KUNIT_ASSERT_STATUS(test, wdk_attach_device_ex(wdk->second, dev),
			    STATUS_SUCCESS);
	fill = ktime_us_delta(ktime_get(), start);
	KUNIT_ASSERT_STATUS(test, wdk_detach_device_ex(dev), STATUS_SUCCESS);

	init_completion(&attach_begun);
	init_completion(&attach_may_end);
	complete(&attach_may_end);
	attach_slow = wdk->pdo;
	fake_driver.hook = slow_attach;
	thread = kthread_run(attach_second_thread, wdk, "attach");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
	get_task_struct(thread);
	wait_for_completion(&attach_begun);
	usleep_range(fill / 8, fill / 7);
	start = ktime_get();
	fake_driver_remove(wdk->pdo);
	removal = ktime_us_delta(ktime_get(), start);
	fake_driver.hook = NULL;
	removed = !kthread_stop(thread);
	put_task_struct(thread);
	kunit_info(test, "fill %llu us, removal %llu us", fill, removal);
	KUNIT_ASSERT_STATUS(test, wdk_delete_device(dev), STATUS_SUCCESS);
	wdk->dev = NULL;
	return removed && removal < fill / 3;
}

/*
 * A removal does not wait until the hwpt of an attach is full. A busy machine can delay either
 * thread, so one of several tries must be quick: none is if removals wait.
 */
static void devices_removed_filling(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PMDL mdl = map_large(test, wdk->second);
	bool quick = false;
	unsigned int i;

	for (i = 0; i < 3 && !quick; i++) {
		if (i)
			wdk->pdo = fake_driver_add(test, false);
		quick = removal_is_quick(test);
	}
	KUNIT_EXPECT_TRUE(test, quick);
	IoFreeMdl(mdl);
}

/* A thread that attaches a device and detaches it, over and over */
struct attach_rounds {
	PIOMMU_DMA_DOMAIN domain;
	PIOMMU_DMA_DEVICE dev;
	unsigned int nr;
};

static int attach_rounds_thread(void *data)
{
	struct attach_rounds *rounds = data;
	NTSTATUS status = STATUS_SUCCESS;

	while (!kthread_should_stop()) {
		if (wdm_ok(status))
			status = wdk_attach_device_ex(rounds->domain, rounds->dev);
		if (wdm_ok(status)) {
			rounds->nr++;
			status = wdk_detach_device_ex(rounds->dev);
		}
		cond_resched();
	}
	return !wdm_ok(status);
}

/* A detach, and the end of the claim of a group, make no other attach start over. */
static void devices_detach_beside(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PMDL mdl = map_large(test, wdk->second);
	struct attach_rounds rounds = { .domain = wdk->domain };
	struct task_struct *thread;
	int i, before;

	KUNIT_ASSERT_STATUS(test, wdk_create_device(fake_driver_add(test, false), NULL,
						    &rounds.dev),
			    STATUS_SUCCESS);
	create(test);
	before = atomic_read(&fake_driver.nr_allocs);
	thread = kthread_run(attach_rounds_thread, &rounds, "rounds");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
	get_task_struct(thread);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->second, wdk->dev),
				    STATUS_SUCCESS);
		KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(wdk->dev), STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, kthread_stop(thread), 0);
	put_task_struct(thread);
	kunit_info(test, "%u rounds", rounds.nr);
	KUNIT_EXPECT_GT(test, rounds.nr, 100);
	/* One iommu_domain for each attach */
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_driver.nr_allocs) - before, rounds.nr + 4);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(rounds.dev), STATUS_SUCCESS);
	IoFreeMdl(mdl);
}

/* Linux does not give up the direct mappings of a device, so it cannot be claimed. */
static void devices_direct(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	struct device *pdo;

	fake_driver.direct = true;
	pdo = fake_driver_add(test, false);
	fake_driver.direct = false;
	KUNIT_ASSERT_STATUS(test, wdk_create_device(pdo, NULL, &wdk->dev),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, types(wdk->dev), 0);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain, wdk->dev),
			    STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_STATUS(test, wdk->io.AttachDevice(wdk->domain, pdo, 0, 1),
			    STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(pdo));
}

static struct completion delete_begun;

/*
 * The driver deletes a device as soon as its callback can be unregistered, which may be before
 * the call that registered it has returned.
 */
static int delete_thread(void *data)
{
	PIOMMU_DMA_DEVICE dev = data;
	NTSTATUS status;
	bool stop;

	complete(&delete_begun);
	do {
		cond_resched();
		stop = kthread_should_stop();
		status = wdk_unregister_state_change(on_change, dev);
	} while (status == STATUS_UNSUCCESSFUL && !stop);
	return !wdm_ok(status) || !wdm_ok(wdk_delete_device(dev));
}

static void devices_registered_deleted(struct kunit *test)
{
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields = { .AvailableDomainTypes = 1 };
	struct wdk_devices *wdk = WDK(test);
	struct task_struct *thread;
	struct changes changes;
	unsigned int i;

	changes_init(&changes, test);
	for (i = 0; i < 500; i++) {
		thread = kthread_create(delete_thread, create(test), "delete");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
		get_task_struct(thread);
		init_completion(&delete_begun);
		wake_up_process(thread);
		wait_for_completion(&delete_begun);
		KUNIT_EXPECT_STATUS(test, wdk_register_state_change(on_change, &changes,
								    wdk->dev, &fields),
				    STATUS_SUCCESS);
		wdk->dev = NULL;
		KUNIT_EXPECT_EQ(test, kthread_stop(thread), 0);
		put_task_struct(thread);
	}
}

/* A deleted domain is recognized. */
static void devices_no_domain(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PIOMMU_DMA_DEVICE dev = create(test);
	PIOMMU_DMA_DOMAIN domain;

	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDomain(TRUE, &domain), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(domain), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(domain, dev),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(domain), STATUS_INVALID_HANDLE);
}

static struct completion faulted;

static void on_fault(PVOID context, PFAULT_INFORMATION info)
{
	*(FAULT_INFORMATION *)context = *info;
	complete(&faulted);
}

static void devices_faults(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	PIOMMU_DMA_DEVICE dev = create(test);
	FAULT_INFORMATION info = { };
	DEVICE_FAULT_CONFIGURATION config = { .FaultContext = &info };
	struct iommu_domain *iommu_domain;

	init_completion(&faulted);
	KUNIT_EXPECT_STATUS(test, wdk_set_device_fault_reporting_ex(dev, 1, FALSE,
								    NULL),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdk_set_device_fault_reporting_ex(dev, 0, TRUE,
								    NULL),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, wdk_set_device_fault_reporting_ex(dev, 0, TRUE,
								    &config),
			    STATUS_INVALID_PARAMETER_4);
	config.FaultHandler = on_fault;
	KUNIT_EXPECT_STATUS(test, wdk_set_device_fault_reporting_ex(dev, 0, TRUE,
								    &config),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_set_device_fault_reporting_ex(dev, 0, FALSE,
								    NULL),
			    STATUS_INVALID_PARAMETER_1);

	KUNIT_ASSERT_STATUS(test, wdk_attach_device_ex(wdk->domain, dev),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_set_device_fault_reporting_ex(dev, 0, TRUE,
								    &config),
			    STATUS_SUCCESS);
	iommu_domain = &fake_driver_at(wdk->pdo, 0)->domain;
	KUNIT_EXPECT_EQ(test, report_iommu_fault(iommu_domain, wdk->pdo,
						 LOGICAL + PAGE_SIZE,
						 IOMMU_FAULT_WRITE), 0);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&faulted, 20 * HZ), 0);
	KUNIT_EXPECT_PTR_EQ(test, info.X64.DomainHandle, (PVOID)wdk->domain);
	KUNIT_EXPECT_PTR_EQ(test, info.X64.FaultAddress,
			    (PVOID)(LOGICAL + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, info.X64.Type, TranslationFault);

	/* Both versions set the same handler. */
	KUNIT_EXPECT_STATUS(test, wdk->io.SetDeviceFaultReporting(wdk->pdo, 0, FALSE,
								  NULL),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, report_iommu_fault(iommu_domain, wdk->pdo, LOGICAL,
						 IOMMU_FAULT_WRITE), -ENODEV);
	/* A detach ends it. */
	KUNIT_EXPECT_STATUS(test, wdk_set_device_fault_reporting_ex(dev, 0, TRUE,
								    &config),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(dev), STATUS_SUCCESS);
}

/**
 * struct fault_queries - queries of a fault handler while its device is being detached
 * @dev: the device
 * @begun: the handler runs
 * @locked: the detach has the device's lock
 * @types: out: the types of domains
 * @size: out: size of the device's information in bytes
 * @status: out: the status of that query
 */
struct fault_queries {
	PIOMMU_DMA_DEVICE dev;
	struct completion begun;
	bool locked;
	ULONG types;
	ULONG size;
	NTSTATUS status;
};

static void on_fault_query(PVOID context, PFAULT_INFORMATION info)
{
	struct fault_queries *queries = context;
	IOMMU_DMA_DEVICE_INFORMATION information;
	unsigned int i;

	complete(&queries->begun);
	for (i = 0; i < 10000 && !mutex_is_locked(&queries->dev->lock); i++)
		usleep_range(1000, 2000);
	queries->locked = mutex_is_locked(&queries->dev->lock);
	wdk_query_available_domain_types(queries->dev, &queries->types);
	queries->status = wdk_query_device_info(queries->dev, sizeof(information),
						&queries->size, &information);
}

static void devices_fault_queries(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	struct fault_queries queries = { .dev = create(test) };
	DEVICE_FAULT_CONFIGURATION config = {
		.FaultHandler = on_fault_query,
		.FaultContext = &queries,
	};
	ULONG types;

	init_completion(&queries.begun);
	wdk_query_available_domain_types(queries.dev, &types);
	KUNIT_ASSERT_STATUS(test, wdk_attach_device_ex(wdk->domain, queries.dev),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk_set_device_fault_reporting_ex(queries.dev, 0, TRUE,
								    &config),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test,
			report_iommu_fault(&fake_driver_at(wdk->pdo, 0)->domain, wdk->pdo,
					   LOGICAL, IOMMU_FAULT_WRITE), 0);
	wait_for_completion(&queries.begun);
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(queries.dev), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, queries.locked);
	KUNIT_EXPECT_EQ(test, queries.types, types);
	KUNIT_EXPECT_NE(test, types, 0);
	KUNIT_EXPECT_STATUS(test, queries.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, queries.size, sizeof(IOMMU_DMA_DEVICE_INFORMATION));
}

static void other_fault(PVOID context, PFAULT_INFORMATION info)
{
}

static DEFINE_MUTEX(race_lock);
static DECLARE_COMPLETION(race_done);

/* Attach, detach, faults, queries and deletes of one device, from several threads */
static int race_thread(void *data)
{
	struct wdk_devices *wdk = data;
	DEVICE_FAULT_CONFIGURATION config = { other_fault, NULL };
	unsigned int i;

	for (i = 0; i < 100; i++) {
		PIOMMU_DMA_DEVICE dev = READ_ONCE(wdk->dev), made;

		switch (get_random_u32() % 7) {
		case 0:
			wdk_attach_device_ex(wdk->domain, dev);
			break;
		case 1:
			wdk_detach_device_ex(dev);
			break;
		case 2:
			wdk->io.AttachDevice(wdk->second, wdk->pdo, 0, 1);
			break;
		case 3:
			wdk->io.DetachDevice(wdk->second, wdk->pdo, 0);
			break;
		case 4:
			wdk_set_device_fault_reporting_ex(dev, 0, i & 1, &config);
			break;
		case 5:
			types(dev);
			break;
		case 6:
			/* The thread that deletes it creates it again. */
			mutex_lock(&race_lock);
			if (wdm_ok(wdk_delete_device(wdk->dev)) &&
			    wdm_ok(wdk_create_device(wdk->pdo, NULL, &made)))
				WRITE_ONCE(wdk->dev, made);
			mutex_unlock(&race_lock);
			break;
		}
		cond_resched();
	}
	complete(&race_done);
	return 0;
}

static void devices_race(struct kunit *test)
{
	struct wdk_devices *wdk = WDK(test);
	struct task_struct *threads[4];
	unsigned int i;

	create(test);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i] = kthread_create(race_thread, wdk, "race%u", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, threads[i]);
		get_task_struct(threads[i]);
	}
	reinit_completion(&race_done);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		wake_up_process(threads[i]);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		wait_for_completion(&race_done);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		kthread_stop(threads[i]);
		put_task_struct(threads[i]);
	}
	wdk->io.DetachDevice(wdk->second, wdk->pdo, 0);
}

static struct kunit_case wdk_device_cases[] = {
	KUNIT_CASE(devices_create),
	KUNIT_CASE(devices_configs),
	KUNIT_CASE(devices_config_loops),
	KUNIT_CASE(devices_attach),
	KUNIT_CASE(devices_attach_both),
	KUNIT_CASE(devices_group),
	KUNIT_CASE(devices_claimed),
	KUNIT_CASE(devices_types),
	KUNIT_CASE(devices_changes),
	KUNIT_CASE(devices_changes_race),
	KUNIT_CASE(devices_removed),
	KUNIT_CASE(devices_attach_slow),
	KUNIT_CASE_SLOW(devices_removed_filling),
	KUNIT_CASE_SLOW(devices_detach_beside),
	KUNIT_CASE(devices_direct),
	KUNIT_CASE(devices_registered_deleted),
	KUNIT_CASE(devices_no_domain),
	KUNIT_CASE(devices_faults),
	KUNIT_CASE(devices_fault_queries),
	KUNIT_CASE(devices_race),
	{}
};

static struct kunit_suite wdk_device_suite = {
	.name = "wdm_iommu_wdk_device",
	.init = wdk_devices_init,
	.exit = wdk_devices_exit,
	.test_cases = wdk_device_cases,
};

kunit_test_suite(wdk_device_suite);
