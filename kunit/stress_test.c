// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls of all functions of versions 1, 2 and 3 from many threads, see
 * support/stress.c. Lockdep and KASAN check them. Each function must succeed at times, and
 * nothing may be left at the end.
 */
#include <kunit/test.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>

#include <wdm.h>

#include "../module/core/policy.h"
#include "../module/core/query.h"
#include "support/fixture.h"
#include "support/stress.h"

static unsigned int stress_seconds = 10;
module_param(stress_seconds, uint, 0444);
MODULE_PARM_DESC(stress_seconds, "How long wdm_iommu_stress runs");

#define STRESS_THREADS	4

static int stress_thread(void *data)
{
	struct stress_thread *t = data;

	while (time_before(jiffies, t->s->end)) {
		stress_step(t);
		cond_resched();
	}
	complete(&t->done);
	return 0;
}

static void stress_run(struct kunit *test, struct stress *s)
{
	struct stress_thread *threads = kunit_kcalloc(test, STRESS_THREADS,
						      sizeof(*threads), GFP_KERNEL);
	struct task_struct *task;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, threads);
	s->end = jiffies + stress_seconds * HZ;
	for (i = 0; i < STRESS_THREADS; i++) {
		struct stress_thread *t = &threads[i];

		t->s = s;
		prandom_seed_state(&t->rng, fixture_random(&FIXTURE(test)->rng));
		spin_lock_init(&t->lock);
		init_completion(&t->done);
		task = kthread_run(stress_thread, t, "wdm_stress/%u", i);
		if (IS_ERR(task)) {
			KUNIT_FAIL(test, "no thread");
			complete(&t->done);
		}
	}
	for (i = 0; i < STRESS_THREADS; i++)
		wait_for_completion(&threads[i].done);
}

static void stress_start_handles(struct stress_handle *handle, unsigned int nr)
{
	while (nr--)
		mutex_init(&handle[nr].lock);
}

static void stress_start_memory(struct kunit *test, struct stress *s)
{
	u64 physical, *entry;
	unsigned int i;

	s->memory = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					     get_order(STRESS_PAGES * PAGE_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, s->memory);
	physical = virt_to_phys(s->memory);
	for (i = 0; i + 1 < STRESS_TABLES; i++) {
		entry = s->memory + i * PAGE_SIZE;
		/* STRESS_LOGICAL is entry 1 of the second level, and entry 0 of all others. */
		entry[i == 1] = (physical + (i + 1) * PAGE_SIZE) | 0x7;
	}
	for (i = 0; i < ARRAY_SIZE(s->mdl); i++) {
		s->mdl[i] = IoAllocateMdl(s->memory + stress_part[i].first * PAGE_SIZE,
					  stress_part[i].nr * PAGE_SIZE, FALSE, FALSE, NULL);
		KUNIT_ASSERT_NOT_NULL(test, s->mdl[i]);
		MmBuildMdlForNonPagedPool(s->mdl[i]);
	}
}

/* Devices behind the fake IOMMU, two of which share a group, and those of QEMU */
static void stress_start_devices(struct kunit *test, struct stress *s)
{
	struct pci_dev *pdev = NULL;

	for (; s->nr_devices < STRESS_FAKES; s->nr_devices++) {
		fake_driver.shared = s->nr_devices;
		s->dev[s->nr_devices] = get_device(fake_driver_add(test, true));
	}
	while (s->nr_devices < STRESS_DEVICES &&
	       (pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		if (!pdev->dev.driver && device_iommu_mapped(&pdev->dev))
			s->dev[s->nr_devices++] = get_device(&pdev->dev);
	pci_dev_put(pdev);
}

static void stress_start(struct kunit *test, struct stress *s)
{
	DMA_IOMMU_INTERFACE_EX ex;
	unsigned int i;

	KUNIT_ASSERT_STATUS(test, IoGetIommuInterface(1, &s->v1), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, IoGetIommuInterfaceEx(1, 0, &ex), STATUS_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, &ex.V1, &s->v1.V1, sizeof(ex.V1));
	interface_get(&s->v3);
	KUNIT_ASSERT_STATUS(test, IoGetIommuInterfaceEx(2, 0, &ex), STATUS_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, &ex.V2, &s->v3, sizeof(ex.V2));
	for (i = 0; i < ARRAY_SIZE(s->slot); i++)
		init_rwsem(&s->slot[i].lock);
	stress_start_handles(s->device, ARRAY_SIZE(s->device));
	stress_start_handles(s->pasid, ARRAY_SIZE(s->pasid));
	stress_start_handles(s->token, ARRAY_SIZE(s->token));
	stress_start_memory(test, s);
	stress_start_devices(test, s);
}

static bool stress_claimed(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	bool claimed = iommu_group_dma_owner_claimed(group);

	iommu_group_put(group);
	return claimed;
}

static void stress_end_handles(struct kunit *test, struct stress *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->token); i++) {
		if (!s->token[i].handle)
			continue;
		stress_unmap_segments(s, s->token[i].handle);
		KUNIT_EXPECT_STATUS(test,
				    s->v3.FreeReservedLogicalAddressRange(s->token[i].handle),
				    STATUS_SUCCESS);
	}
	for (i = 0; i < ARRAY_SIZE(s->pasid); i++) {
		if (!s->pasid[i].handle)
			continue;
		s->v3.DetachPasidDevice(s->pasid[i].handle);
		KUNIT_EXPECT_STATUS(test, s->v3.DeletePasidDevice(s->pasid[i].handle),
				    STATUS_SUCCESS);
	}
}

static void stress_end_devices(struct kunit *test, struct stress *s)
{
	unsigned int i, j;

	for (i = 0; i < s->nr_devices; i++) {
		PIOMMU_DMA_DEVICE device = s->device[i].handle;

		for (j = 0; j < ARRAY_SIZE(s->slot); j++)
			if (s->slot[j].domain)
				s->v1.DetachDevice(s->slot[j].domain, s->dev[i], 0);
		s->v3.UnregisterInterfaceStateChangeCallback(stress_state_change, device);
		s->v3.DeleteDevice(device);
		KUNIT_EXPECT_STATUS(test, s->v3.DeleteDevice(device), STATUS_INVALID_HANDLE);
	}
	for (i = 0; i < s->nr_devices; i++) {
		KUNIT_EXPECT_FALSE(test, stress_claimed(s->dev[i]));
		put_device(s->dev[i]);
	}
}

/* Unmap every page that may be mapped, and check that nothing else is left. */
static void stress_end_domain(struct kunit *test, struct stress *s, struct stress_slot *slot)
{
	u64 physical = virt_to_phys(s->memory);
	struct wdm_domain_report report;
	unsigned int i;

	for (i = 0; i < STRESS_SPAN + STRESS_PAGES; i++) {
		s->v1.UnmapLogicalRange(slot->domain, STRESS_LOGICAL + i * PAGE_SIZE, 1);
		s->v1.UnmapLogicalRange(slot->domain, physical + i * PAGE_SIZE, 1);
	}
	KUNIT_EXPECT_STATUS(test, wdm_domain_report(slot->domain->core, &report),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, report.nr_devices, 0);
	KUNIT_EXPECT_EQ(test, report.nr_hwpts, 0);
	if (slot->type == DomainTypeTranslate || slot->type == DomainTypeTranslateS1)
		KUNIT_EXPECT_EQ(test, report.mapped_pages, slot->fixed);
	KUNIT_EXPECT_STATUS(test, s->v1.DeleteDomain(slot->domain), STATUS_SUCCESS);
}

static void stress_end(struct kunit *test, struct stress *s)
{
	unsigned int i;

	stress_end_handles(test, s);
	stress_end_devices(test, s);
	for (i = 0; i < ARRAY_SIZE(s->slot); i++)
		if (s->slot[i].domain)
			stress_end_domain(test, s, &s->slot[i]);
	for (i = 0; i < ARRAY_SIZE(s->mdl); i++)
		IoFreeMdl(s->mdl[i]);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(s->memory)), 1);
	free_pages((unsigned long)s->memory, get_order(STRESS_PAGES * PAGE_SIZE));
}

static void stress_all(struct kunit *test)
{
	struct stress *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	enum stress_fn fn;

	KUNIT_ASSERT_NOT_NULL(test, s);
	stress_start(test, s);
	stress_run(test, s);
	for (fn = 0; fn < STRESS_NR; fn++) {
		kunit_info(test, "%s: %d calls, %d succeeded", stress_names[fn],
			   atomic_read(&s->calls[fn]), atomic_read(&s->good[fn]));
		KUNIT_EXPECT_GT_MSG(test, atomic_read(&s->calls[fn]), 0,
				    "%s is never called", stress_names[fn]);
		/* Only platform devices on ARM64 have input mappings. */
		if (fn != STRESS_v1_QueryInputMappings && fn != STRESS_v3_QueryInputMappings)
			KUNIT_EXPECT_GT_MSG(test, atomic_read(&s->good[fn]), 0,
					    "%s never succeeds", stress_names[fn]);
	}
	kunit_info(test, "%d state changes, %d faults", atomic_read(&s->changes),
		   atomic_read(&s->faults));
	KUNIT_EXPECT_GT(test, atomic_read(&s->changes), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&s->faults), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->unexpected), 0);
	stress_end(test, s);
}

static int stress_init(struct kunit *test)
{
	int ret = fixture_init(test);

	if (ret)
		return ret;
	fake_driver_start(test);
	/* The devices of the fake IOMMU have no isolated interrupts. */
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);
	return 0;
}

static void stress_exit(struct kunit *test)
{
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
	fake_driver_stop(test);
	fixture_exit(test);
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE_SLOW(stress_all),
	{}
};

static struct kunit_suite stress_suite = {
	.name = "wdm_iommu_stress",
	.init = stress_init,
	.exit = stress_exit,
	.test_cases = stress_cases,
};

kunit_test_suite(stress_suite);
