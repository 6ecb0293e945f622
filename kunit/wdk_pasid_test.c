// SPDX-License-Identifier: GPL-2.0
/*
 * Version 3 of the interface, behind a fake IOMMU that supports PASIDs.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/random.h>

#include "../module/core/policy.h"
#include "../module/wdk/device.h"
#include "support/fake_driver.h"
#include "support/fixture.h"

#define LOGICAL		0x40000000ULL

/**
 * struct wdk_pasids - objects of the tests
 * @io: the table of version 1
 * @domain: two OS-managed domains; in the first one a page is mapped at LOGICAL
 * @unmanaged: a caller-managed domain
 * @page: the page
 * @mdl: an MDL of it
 * @pdo: a device with PASIDs behind the fake IOMMU
 * @dev: the result of CreateDevice, for tagged DMA
 */
struct wdk_pasids {
	DMA_IOMMU_INTERFACE io;
	PIOMMU_DMA_DOMAIN domain[2];
	PIOMMU_DMA_DOMAIN unmanaged;
	void *page;
	PMDL mdl;
	struct device *pdo;
	PIOMMU_DMA_DEVICE dev;
};

#define WDK(test)	((struct wdk_pasids *)(test)->priv)

static IOMMU_DEVICE_CREATION_CONFIGURATION tagged = {
	.ConfigType = IommuDeviceCreationConfigTypePasid,
	.Pasid.ConfigType = PasidConfigTypePasidTaggedDma,
};

static int wdk_pasids_init(struct kunit *test)
{
	struct wdk_pasids *wdk = kunit_kzalloc(test, sizeof(*wdk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, wdk);
	test->priv = wdk;
	fake_driver_start(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);
	wdk->pdo = fake_driver_add(test, true);
	KUNIT_ASSERT_STATUS(test, IoGetIommuInterface(1, &wdk->io),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDomain(TRUE, &wdk->domain[0]),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDomain(TRUE, &wdk->domain[1]),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk->io.CreateDomain(FALSE, &wdk->unmanaged),
			    STATUS_SUCCESS);
	wdk->page = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, wdk->page);
	wdk->mdl = IoAllocateMdl(wdk->page, PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, wdk->mdl);
	MmBuildMdlForNonPagedPool(wdk->mdl);
	KUNIT_ASSERT_STATUS(test, wdk->io.MapLogicalRange(wdk->domain[0], 3,
							  wdk->mdl, LOGICAL),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdk_create_device(wdk->pdo, &tagged, &wdk->dev),
			    STATUS_SUCCESS);
	return 0;
}

static void wdk_pasids_exit(struct kunit *test)
{
	struct wdk_pasids *wdk = WDK(test);

	wdk_detach_device_ex(wdk->dev);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(wdk->dev), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain[0]),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain[1]),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->unmanaged),
			    STATUS_SUCCESS);
	IoFreeMdl(wdk->mdl);
	free_page((unsigned long)wdk->page);
	fake_driver_stop(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
}

static PIOMMU_DMA_PASID_DEVICE create(struct kunit *test, ULONG *asid)
{
	PIOMMU_DMA_PASID_DEVICE pasid;

	KUNIT_ASSERT_STATUS(test, wdk_create_pasid_device(WDK(test)->dev, &pasid,
							  asid),
			    STATUS_SUCCESS);
	return pasid;
}

static void delete(struct kunit *test, PIOMMU_DMA_PASID_DEVICE pasid)
{
	KUNIT_EXPECT_STATUS(test, wdk_delete_pasid_device(pasid), STATUS_SUCCESS);
}

/* Check whether the device reaches the page with a PASID, or without one (0). */
static bool reaches(struct kunit *test, ULONG asid)
{
	return fake_driver_translate(WDK(test)->pdo, asid, LOGICAL) ==
	       virt_to_phys(WDK(test)->page);
}

static void pasid_create(struct kunit *test)
{
	struct wdk_pasids *wdk = WDK(test);
	PIOMMU_DMA_PASID_DEVICE pasid[FAKE_DRIVER_PASIDS], poison = (void *)wdk;
	ULONG asid[FAKE_DRIVER_PASIDS], used = BIT(0);
	unsigned int i;

	for (i = 1; i < FAKE_DRIVER_PASIDS; i++) {
		pasid[i] = create(test, &asid[i]);
		KUNIT_ASSERT_LT(test, asid[i], FAKE_DRIVER_PASIDS);
		KUNIT_EXPECT_FALSE(test, used & BIT(asid[i]));
		used |= BIT(asid[i]);
	}
	pasid[0] = poison;
	asid[0] = 77;
	KUNIT_EXPECT_STATUS(test, wdk_create_pasid_device(wdk->dev, &pasid[0],
							  &asid[0]),
			    STATUS_NONE_MAPPED);
	KUNIT_EXPECT_PTR_EQ(test, pasid[0], poison);
	KUNIT_EXPECT_EQ(test, asid[0], 77);

	/* The device cannot be deleted while it has PASIDs. */
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(wdk->dev),
			    STATUS_RESOURCE_IN_USE);
	delete(test, pasid[3]);
	KUNIT_EXPECT_STATUS(test, wdk_delete_pasid_device(pasid[3]),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], pasid[3]),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(pasid[3]),
			    STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_STATUS(test, wdk_delete_pasid_device(NULL),
			    STATUS_INVALID_HANDLE);
	pasid[3] = create(test, &asid[0]);
	KUNIT_EXPECT_EQ(test, asid[0], asid[3]);
	for (i = 1; i < FAKE_DRIVER_PASIDS; i++)
		delete(test, pasid[i]);
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(wdk->pdo));
}

/* What a device was configured for, and the effects */
static void pasid_info(struct kunit *test)
{
	static const struct {
		bool pasids;
		IOMMU_DEVICE_CREATION_CONFIGURATION_PASID config;
		IOMMU_DMA_DEVICE_INFORMATION info;
	} rows[] = {
		{ false, { }, { 0, 0, 0 } },
		{ true, { PasidConfigTypeDefaultPasidOnly, FALSE }, { 1, 0, 0 } },
		{ true, { PasidConfigTypeDefaultPasidOnly, TRUE }, { 1, 0, 1 } },
		{ true, { PasidConfigTypePasidTaggedDma, FALSE }, { 1, 1, 0 } },
		{ true, { PasidConfigTypePasidTaggedDma, 7 }, { 1, 1, 1 } },
	};
	struct wdk_pasids *wdk = WDK(test);
	IOMMU_DMA_DEVICE_INFORMATION info[2];
	PIOMMU_DMA_PASID_DEVICE pasid;
	PIOMMU_DMA_DEVICE other;
	ULONG written, asid;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		IOMMU_DEVICE_CREATION_CONFIGURATION config = tagged;
		struct device *pdo = fake_driver_add(test, true);
		PIOMMU_DMA_DEVICE dev;

		config.Pasid = rows[i].config;
		KUNIT_ASSERT_STATUS(test,
				    wdk_create_device(pdo, rows[i].pasids ? &config :
									    NULL,
						      &dev),
				    STATUS_SUCCESS);
		memset(info, 0x5a, sizeof(info));
		written = 77;
		KUNIT_EXPECT_STATUS(test, wdk_query_device_info(dev, 2, &written,
								info),
				    STATUS_BUFFER_TOO_SMALL);
		KUNIT_EXPECT_EQ(test, written, 0);
		KUNIT_EXPECT_EQ(test, info[0].DefaultPasidEnabled, 0x5a);
		KUNIT_EXPECT_STATUS(test, wdk_query_device_info(dev, sizeof(info),
								&written, info),
				    STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, written, 3);
		KUNIT_EXPECT_MEMEQ(test, &info[0], &rows[i].info, 3);
		KUNIT_EXPECT_EQ(test, info[1].DefaultPasidEnabled, 0x5a);

		if (!rows[i].info.PasidTaggedDmaEnabled) {
			KUNIT_EXPECT_STATUS(test,
					    wdk_create_pasid_device(dev, &pasid,
								    &asid),
					    STATUS_INVALID_PARAMETER_1);
			KUNIT_EXPECT_TRUE(test, fake_driver_identity(pdo));
		}
		KUNIT_EXPECT_STATUS(test, wdk_delete_device(dev), STATUS_SUCCESS);
		KUNIT_EXPECT_STATUS(test, wdk_query_device_info(dev, 3, &written,
								info),
				    STATUS_INVALID_HANDLE);
	}
	/* A device without PASIDs cannot be configured for them. */
	wdk->pdo = fake_driver_add(test, false);
	KUNIT_EXPECT_STATUS(test, wdk_create_device(wdk->pdo, &tagged, &other),
			    STATUS_INVALID_PARAMETER_2);
}

static void pasid_attach(struct kunit *test)
{
	struct wdk_pasids *wdk = WDK(test);
	PIOMMU_DMA_PASID_DEVICE a, b;
	ULONG asid_a, asid_b;

	a = create(test, &asid_a);
	b = create(test, &asid_b);
	KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(a),
			    STATUS_INVALID_PARAMETER_1);

	/* The device itself need not be attached, and blocks. */
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], a),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, reaches(test, asid_a));
	KUNIT_EXPECT_FALSE(test, reaches(test, asid_b));
	KUNIT_EXPECT_FALSE(test, reaches(test, 0));
	KUNIT_EXPECT_FALSE(test, fake_driver_identity(wdk->pdo));
	KUNIT_EXPECT_GT(test, atomic_read(&fake_driver.nr_pasid_domains), 0);
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], a),
			    STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[1], a),
			    STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_STATUS(test, wdk_delete_pasid_device(a),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk->io.DeleteDomain(wdk->domain[0]),
			    STATUS_RESOURCE_IN_USE);

	/* PASIDs may have different domains; those of one domain share page tables. */
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain[1], wdk->dev),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], b),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, reaches(test, asid_b));
	KUNIT_EXPECT_PTR_EQ(test, fake_driver_at(wdk->pdo, asid_a),
			    fake_driver_at(wdk->pdo, asid_b));
	KUNIT_EXPECT_FALSE(test, reaches(test, 0));

	/* Maps and unmaps affect all of them. */
	KUNIT_EXPECT_STATUS(test, wdk->io.UnmapLogicalRange(wdk->domain[0], LOGICAL,
							    1),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, reaches(test, asid_a));
	KUNIT_EXPECT_STATUS(test, wdk->io.MapLogicalRange(wdk->domain[0], 1,
							  wdk->mdl, LOGICAL),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, reaches(test, asid_a));

	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(wdk->dev), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, reaches(test, asid_a));
	KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(a), STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, reaches(test, asid_a));
	KUNIT_EXPECT_TRUE(test, reaches(test, asid_b));
	KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(a),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(b), STATUS_SUCCESS);
	delete(test, a);
	KUNIT_EXPECT_FALSE(test, fake_driver_identity(wdk->pdo));
	delete(test, b);
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(wdk->pdo));
}

/* The device and its PASID in one domain, and in a caller-managed domain */
static void pasid_attach_types(struct kunit *test)
{
	struct wdk_pasids *wdk = WDK(test);
	PIOMMU_DMA_PASID_DEVICE pasid;
	ULONG asid;

	pasid = create(test, &asid);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain[0], wdk->dev),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], pasid),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, reaches(test, 0));
	KUNIT_EXPECT_TRUE(test, reaches(test, asid));
	KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(pasid), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, reaches(test, 0));

	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->unmanaged, pasid),
			    STATUS_SUCCESS);
	/* Not configured: all DMA blocks. */
	KUNIT_EXPECT_FALSE(test, reaches(test, asid));
	KUNIT_EXPECT_NOT_NULL(test, fake_driver_at(wdk->pdo, asid));
	KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(pasid), STATUS_SUCCESS);

	/* Failures leave nothing behind. */
	fake_driver.refuse_pasids = true;
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], pasid),
			    STATUS_INVALID_PARAMETER_1);
	fake_driver.refuse_pasids = false;
	fake_driver.fail_attach = 1;
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], pasid),
			    STATUS_INSUFFICIENT_RESOURCES);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], pasid),
			    STATUS_ACCESS_DENIED);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);
	KUNIT_EXPECT_NULL(test, fake_driver_at(wdk->pdo, asid));
	delete(test, pasid);
}

/* Attach two PASIDs and their device; check whether cache coherency is enforced for each. */
static void pasid_check_coherency(struct kunit *test, bool enforced)
{
	struct wdk_pasids *wdk = WDK(test);
	PIOMMU_DMA_PASID_DEVICE pasid[2];
	unsigned int i;
	ULONG asid;

	for (i = 0; i < ARRAY_SIZE(pasid); i++) {
		pasid[i] = create(test, &asid);
		KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], pasid[i]),
				    STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, fake_driver_snoops(wdk->pdo, asid), enforced);
		KUNIT_EXPECT_TRUE(test, reaches(test, asid));
	}
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain[0], wdk->dev),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake_driver_snoops(wdk->pdo, 0), enforced);
	KUNIT_EXPECT_STATUS(test, wdk_detach_device_ex(wdk->dev), STATUS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(pasid); i++) {
		KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(pasid[i]), STATUS_SUCCESS);
		delete(test, pasid[i]);
	}
}

/* Cache coherency is enforced for all PASIDs of an iommu_domain, if the IOMMU can do that. */
static void pasid_coherent(struct kunit *test)
{
	pasid_check_coherency(test, true);
	fake_driver.cannot_snoop = true;
	pasid_check_coherency(test, false);
}

/* PASIDs are detached before their group is released. */
static void pasid_removed(struct kunit *test)
{
	struct wdk_pasids *wdk = WDK(test);
	PIOMMU_DMA_PASID_DEVICE pasid, other;
	ULONG asid, unused;

	pasid = create(test, &asid);
	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], pasid),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_attach_device_ex(wdk->domain[1], wdk->dev),
			    STATUS_SUCCESS);
	fake_driver_remove(wdk->pdo);
	KUNIT_EXPECT_FALSE(test, reaches(test, asid));
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_driver.nr_domains), 0);

	KUNIT_EXPECT_STATUS(test, wdk_attach_pasid_device(wdk->domain[0], pasid),
			    STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_STATUS(test, wdk_detach_pasid_device(pasid),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_create_pasid_device(wdk->dev, &other, &unused),
			    STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_STATUS(test, wdk_delete_device(wdk->dev),
			    STATUS_RESOURCE_IN_USE);
	delete(test, pasid);
}

static DECLARE_COMPLETION(race_done);

static int race_thread(void *data)
{
	struct wdk_pasids *wdk = data;
	PIOMMU_DMA_PASID_DEVICE pasid = NULL;
	ULONG asid;
	unsigned int i;

	for (i = 0; i < 150; i++) {
		switch (get_random_u32() % 6) {
		case 0:
			if (!pasid &&
			    !wdm_ok(wdk_create_pasid_device(wdk->dev, &pasid, &asid)))
				pasid = NULL;
			break;
		case 1:
			if (wdm_ok(wdk_delete_pasid_device(pasid)))
				pasid = NULL;
			break;
		case 2:
			wdk_attach_pasid_device(wdk->domain[i & 1], pasid);
			break;
		case 3:
			wdk_detach_pasid_device(pasid);
			break;
		case 4:
			wdk_attach_device_ex(wdk->domain[i & 1], wdk->dev);
			break;
		case 5:
			wdk_detach_device_ex(wdk->dev);
			break;
		}
		cond_resched();
	}
	wdk_detach_pasid_device(pasid);
	wdk_delete_pasid_device(pasid);
	complete(&race_done);
	return 0;
}

/* Several threads, each with a PASID of the same device */
static void pasid_race(struct kunit *test)
{
	struct wdk_pasids *wdk = WDK(test);
	struct task_struct *threads[4];
	unsigned int i;

	reinit_completion(&race_done);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i] = kthread_create(race_thread, wdk, "pasid%u", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, threads[i]);
		get_task_struct(threads[i]);
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		wake_up_process(threads[i]);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		wait_for_completion(&race_done);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		kthread_stop(threads[i]);
		put_task_struct(threads[i]);
	}
}

static struct kunit_case wdk_pasid_cases[] = {
	KUNIT_CASE(pasid_create),
	KUNIT_CASE(pasid_info),
	KUNIT_CASE(pasid_attach),
	KUNIT_CASE(pasid_attach_types),
	KUNIT_CASE(pasid_coherent),
	KUNIT_CASE(pasid_removed),
	KUNIT_CASE(pasid_race),
	{}
};

static struct kunit_suite wdk_pasid_suite = {
	.name = "wdm_iommu_wdk_pasid",
	.init = wdk_pasids_init,
	.exit = wdk_pasids_exit,
	.test_cases = wdk_pasid_cases,
};

kunit_test_suite(wdk_pasid_suite);
