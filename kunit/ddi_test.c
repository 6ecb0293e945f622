// SPDX-License-Identifier: GPL-2.0
/*
 * ddi.c in the kernel.
 */
#include <kunit/test.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../module/compat/pasid.h"
#include "../module/core/policy.h"
#include "../module/core/query.h"
#include "../module/core/quirks.h"
#include "../module/status.h"
#include "../module/wdk/wdk.h"
#include "ddi.h"

/**
 * struct ddi_kernel - the kernel's part of the test
 * @test: the test
 * @d: the common part
 * @pdev: the device; NULL while it is removed
 * @bus: its bus
 */
struct ddi_kernel {
	struct kunit *test;
	struct ddi d;
	struct pci_dev *pdev;
	struct pci_bus *bus;
};

void ddi_fail(struct ddi *d, const char *format, ...)
{
	struct ddi_kernel *k = d->env;
	struct va_format vaf = { .fmt = format };
	va_list args;

	va_start(args, format);
	vaf.va = &args;
	KUNIT_FAIL(k->test, "%pV", &vaf);
	va_end(args);
}

const char *ddi_status_name(NTSTATUS status)
{
	return wdm_status_name(status);
}

static void ddi_find_device(struct ddi_kernel *k)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		if (!pdev->dev.driver && device_iommu_mapped(&pdev->dev))
			break;
	k->pdev = pdev;
	k->d.pdo = pdev ? &pdev->dev : NULL;
}

void ddi_remove_device(struct ddi *d)
{
	struct ddi_kernel *k = d->env;

	pci_stop_and_remove_bus_device_locked(k->pdev);
}

void ddi_restore_device(struct ddi *d)
{
	struct ddi_kernel *k = d->env;

	pci_lock_rescan_remove();
	pci_rescan_bus(k->bus);
	pci_unlock_rescan_remove();
	pci_dev_put(k->pdev);
	ddi_find_device(k);
	KUNIT_ASSERT_NOT_NULL(k->test, k->pdev);
}

bool ddi_has_pasids(struct ddi *d)
{
	return wdm_max_pasids(d->pdo);
}

bool ddi_reports_faults(struct ddi *d)
{
	return wdm_quirk_reports_faults(d->pdo);
}

void ddi_snapshot(struct ddi *d, struct ddi_snapshot *snapshot)
{
	struct iommu_domain *attached = NULL;
	struct wdm_domain_report report;
	u64 *word = snapshot->words;
	unsigned int i;

	memset(snapshot, 0, sizeof(*snapshot));
	for (i = 0; i < 2; i++) {
		wdm_domain_report(i ? d->other->core : d->domain->core, &report);
		*word++ = report.configured;
		*word++ = report.translating;
		*word++ = report.nr_devices;
		*word++ = report.nr_hwpts;
		*word++ = report.mapped_pages;
		*word++ = report.translated_bytes;
		*word++ = report.shadow_tables;
		*word++ = report.invalid_entries;
	}
	if (d->state != DDI_REMOVED)
		attached = iommu_get_domain_for_dev(d->pdo);
	*word++ = (unsigned long)attached;
	if (attached && d->state != DDI_IDLE)
		*word = iommu_iova_to_phys(attached, DDI_LOGICAL);
}

static int ddi_init(struct kunit *test)
{
	struct ddi_kernel *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, k);
	k->test = test;
	k->d.env = k;
	test->priv = k;
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);
	k->d.no_device = kunit_kzalloc(test, sizeof(*k->d.no_device), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, k->d.no_device);
	k->d.memory = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(DDI_BYTES));
	KUNIT_ASSERT_NOT_NULL(test, k->d.memory);
	k->d.physical = virt_to_phys(k->d.memory);
	KUNIT_ASSERT_TRUE(test, ddi_start(&k->d));
	ddi_find_device(k);
	if (k->pdev)
		k->bus = k->pdev->bus;
	return 0;
}

static void ddi_exit(struct kunit *test)
{
	struct ddi_kernel *k = test->priv;

	if (!k)
		return;
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
	pci_dev_put(k->pdev);
	ddi_stop(&k->d);
	free_pages((unsigned long)k->d.memory, get_order(DDI_BYTES));
}

static void ddi_describe(const char *const *kind, char *name)
{
	strscpy(name, *kind, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ddi, ddi_kind_names, ddi_describe);

static void ddi_kind(struct kunit *test)
{
	const char *const *kind = test->param_value;
	struct ddi_kernel *k = test->priv;
	const char *why;

	if (!k->pdev)
		kunit_skip(test, "no edu device without a driver behind an IOMMU");
	k->d.kind = kind - ddi_kind_names;
	/* All of memory is mapped, including pages that are freed during the test. */
	if (k->d.kind == DDI_PASS_THROUGH && IS_ENABLED(CONFIG_IOMMU_DEBUG_PAGEALLOC))
		kunit_skip(test, "the kernel warns of pages that are freed while they are mapped");
	why = ddi_run_kind(&k->d);
	if (why)
		kunit_skip(test, "%s", why);
}

static void ddi_is_complete(struct kunit *test)
{
	struct ddi_kernel *k = test->priv;

	ddi_complete(&k->d);
}

static void ddi_is_ordered(struct kunit *test)
{
	struct ddi_kernel *k = test->priv;

	ddi_order(&k->d);
}

static const struct kunit_attributes ddi_slow = {
	.speed = KUNIT_SPEED_SLOW,
};

static struct kunit_case ddi_cases[] = {
	KUNIT_CASE(ddi_is_complete),
	KUNIT_CASE(ddi_is_ordered),
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
