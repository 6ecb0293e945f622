// SPDX-License-Identifier: GPL-2.0
/*
 * All functions of the interface from many threads at random, at every level at which
 * they may be called. Lockdep and KASAN watch; in the end nothing may be left.
 *
 * The contract leaves the lifetime of handles to the caller: a handle's lock is held for
 * reading around every call that uses it, and for writing where it is freed. Everything
 * else may race.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>

#include <wdm.h>

#include "../module/core/policy.h"
#include "../module/core/quirks.h"
#include "../module/status.h"
#include "support/fixture.h"
#include "support/interface.h"

static unsigned int stress_seconds = 10;
module_param(stress_seconds, uint, 0444);
MODULE_PARM_DESC(stress_seconds, "How long wdm_iommu_stress runs");

#define STRESS_THREADS	4
#define STRESS_DEVICES	3
#define STRESS_PAGES	32
/* Of the caller's page tables, which are the first pages of the memory */
#define STRESS_TABLES	4
/* Where the domains map: few places, so that calls meet */
#define STRESS_LOGICAL	0x40000000ULL
#define STRESS_SPAN	(2 * STRESS_PAGES)

/**
 * enum stress_fn - what is counted: a function of the interface
 */
enum stress_fn {
	STRESS_CreateDomain,
	STRESS_DeleteDomain,
	STRESS_AttachDevice,
	STRESS_DetachDevice,
	STRESS_FlushDomain,
	STRESS_FlushDomainByVaList,
	STRESS_QueryInputMappings,
	STRESS_MapLogicalRange,
	STRESS_UnmapLogicalRange,
	STRESS_MapIdentityRange,
	STRESS_UnmapIdentityRange,
	STRESS_SetDeviceFaultReporting,
	STRESS_ConfigureDomain,
	STRESS_AttachDeviceEx,
	STRESS_DetachDeviceEx,
	STRESS_SetDeviceFaultReportingEx,
	STRESS_QueryAvailableDomainTypes,
	STRESS_RegisterCallback,
	STRESS_UnregisterCallback,
	STRESS_CreateDevice,
	STRESS_DeleteDevice,
	STRESS_CreatePasidDevice,
	STRESS_QueryDeviceInfo,
	STRESS_NR
};

static const char *const stress_names[] = {
	"CreateDomain", "DeleteDomain", "AttachDevice", "DetachDevice", "FlushDomain",
	"FlushDomainByVaList", "QueryInputMappings", "MapLogicalRange",
	"UnmapLogicalRange", "MapIdentityRange", "UnmapIdentityRange",
	"SetDeviceFaultReporting", "ConfigureDomain", "AttachDeviceEx", "DetachDeviceEx",
	"SetDeviceFaultReportingEx", "QueryAvailableDomainTypes",
	"RegisterInterfaceStateChangeCallback", "UnregisterInterfaceStateChangeCallback",
	"CreateDevice", "DeleteDevice", "CreatePasidDevice", "QueryDeviceInfo",
};

static_assert(ARRAY_SIZE(stress_names) == STRESS_NR);

/**
 * struct stress_slot - a domain that comes and goes
 * @lock: see above
 * @domain: the domain, or NULL
 */
struct stress_slot {
	struct rw_semaphore lock;
	PIOMMU_DMA_DOMAIN domain;
};

/**
 * struct stress - what the threads share
 * @io: the table of version 1
 * @io3: that of version 3
 * @slot: the domains
 * @pdev: the devices
 * @device: what CreateDevice has made of them last, deleted or not
 * @create: keeps @device the last one
 * @nr_devices: how many there are
 * @memory: STRESS_PAGES pages
 * @mdl: MDLs of parts of it; the first is of all
 * @end: when to stop, in jiffies
 * @calls: how often each function was called
 * @good: how often it succeeded
 * @changes: state changes that callbacks were called for
 * @unexpected: answers that the contract does not have
 */
struct stress {
	DMA_IOMMU_INTERFACE io;
	DMA_IOMMU_INTERFACE_V3 io3;
	struct stress_slot slot[4];
	struct pci_dev *pdev[STRESS_DEVICES];
	PIOMMU_DMA_DEVICE device[STRESS_DEVICES];
	struct mutex create;	/* held around CreateDevice */
	unsigned int nr_devices;
	void *memory;
	PMDL mdl[4];
	unsigned long end;
	atomic_t calls[STRESS_NR];
	atomic_t good[STRESS_NR];
	atomic_t changes;
	atomic_t unexpected;
};

/**
 * struct stress_thread - a thread
 * @s: what the threads share
 * @rng: its random numbers
 * @lock: what it holds when it calls from an atomic context
 * @flags: of @lock
 * @level: how it calls
 * @done: it has returned
 */
struct stress_thread {
	struct stress *s;
	struct rnd_state rng;
	spinlock_t lock;	/* not contended */
	unsigned long flags;
	enum { STRESS_PASSIVE, STRESS_DISPATCH, STRESS_LOCKED, STRESS_LEVELS } level;
	struct completion done;
};

static bool stress_one_of(NTSTATUS status, const NTSTATUS *list)
{
	for (; !wdm_ok(*list); list++)
		if (status == *list)
			return true;
	return false;
}

/* Count a call; @... are the failures that an order of the calls explains */
#define stress_count(t, fn, call, ...) ({				\
	static const NTSTATUS __may_be[] = { __VA_ARGS__, STATUS_SUCCESS };	\
	NTSTATUS __status = (call);					\
									\
	atomic_inc(&(t)->s->calls[fn]);					\
	if (wdm_ok(__status)) {						\
		atomic_inc(&(t)->s->good[fn]);				\
	} else if (!stress_one_of(__status, __may_be)) {		\
		pr_err_ratelimited("%s: %s\n", stress_names[fn],	\
				   wdm_status_name(__status));		\
		atomic_inc(&(t)->s->unexpected);			\
	}								\
	__status;							\
})

static u64 stress_below(struct stress_thread *t, u64 n)
{
	return fixture_below(&t->rng, n);
}

/* Enter one of the contexts from which maps may be called. */
static void stress_raise(struct stress_thread *t)
{
	t->level = STRESS_PASSIVE;
	if (t->level == STRESS_DISPATCH)
		local_bh_disable();
	else if (t->level == STRESS_LOCKED)
		spin_lock_irqsave(&t->lock, t->flags);
}

static void stress_lower(struct stress_thread *t)
{
	if (t->level == STRESS_DISPATCH)
		local_bh_enable();
	else if (t->level == STRESS_LOCKED)
		spin_unlock_irqrestore(&t->lock, t->flags);
}

/* A page of the places that all domains use */
static u64 stress_place(struct stress_thread *t)
{
	return STRESS_LOGICAL + stress_below(t, STRESS_SPAN) * PAGE_SIZE;
}

static PMDL stress_mdl(struct stress_thread *t)
{
	return t->s->mdl[stress_below(t, ARRAY_SIZE(t->s->mdl))];
}

static struct device *stress_device(struct stress_thread *t)
{
	return &t->s->pdev[stress_below(t, t->s->nr_devices)]->dev;
}

static void stress_fault(void *context, PFAULT_INFORMATION info)
{
}

static void stress_state_change(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
	atomic_inc((atomic_t *)context);
}

/*
 * Functions of version 2 that are about devices. A handle of a device that is deleted
 * meanwhile is recognized.
 */
static void stress_devices(struct stress_thread *t, PIOMMU_DMA_DOMAIN domain)
{
	DEVICE_FAULT_CONFIGURATION config = { .FaultHandler = stress_fault };
	IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields = { .AvailableDomainTypes = 1 };
	unsigned int nr = stress_below(t, t->s->nr_devices);
	PIOMMU_DMA_DEVICE device = READ_ONCE(t->s->device[nr]);
	DMA_IOMMU_INTERFACE_V3 *io = &t->s->io3;
	IOMMU_DMA_DEVICE_INFORMATION info;
	PIOMMU_DMA_PASID_DEVICE pasid;
	ULONG n;

	switch (stress_below(t, 12)) {
	case 0:
	case 1:
		/* Or the handle may be overwritten by an older one. */
		mutex_lock(&t->s->create);
		if (wdm_ok(stress_count(t, STRESS_CreateDevice,
					io->CreateDevice(&t->s->pdev[nr]->dev, NULL, &device),
					STATUS_RESOURCE_IN_USE)))
			WRITE_ONCE(t->s->device[nr], device);
		mutex_unlock(&t->s->create);
		break;
	case 2:
		stress_count(t, STRESS_DeleteDevice, io->DeleteDevice(device),
			     STATUS_RESOURCE_IN_USE, STATUS_INVALID_HANDLE);
		break;
	case 3:
	case 4:
		stress_count(t, STRESS_AttachDeviceEx, io->AttachDeviceEx(domain, device),
			     STATUS_INVALID_PARAMETER, STATUS_ACCESS_DENIED,
			     STATUS_RESOURCE_IN_USE, STATUS_INVALID_HANDLE);
		break;
	case 5:
		stress_count(t, STRESS_DetachDeviceEx, io->DetachDeviceEx(device),
			     STATUS_INVALID_PARAMETER_1, STATUS_INVALID_HANDLE);
		break;
	case 6:
		stress_count(t, STRESS_RegisterCallback,
			     io->RegisterInterfaceStateChangeCallback(stress_state_change,
								      &t->s->changes, device,
								      &fields),
			     STATUS_UNSUCCESSFUL, STATUS_INVALID_HANDLE);
		break;
	case 7:
		stress_count(t, STRESS_UnregisterCallback,
			     io->UnregisterInterfaceStateChangeCallback(stress_state_change,
									device),
			     STATUS_UNSUCCESSFUL, STATUS_INVALID_HANDLE);
		break;
	case 8:
		io->QueryAvailableDomainTypes(device, &n);
		stress_count(t, STRESS_QueryAvailableDomainTypes,
			     n ? STATUS_SUCCESS : STATUS_INVALID_HANDLE, STATUS_INVALID_HANDLE);
		break;
	case 9:
		stress_count(t, STRESS_SetDeviceFaultReportingEx,
			     io->SetDeviceFaultReportingEx(device, 0, stress_below(t, 2),
							   &config),
			     STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED,
			     STATUS_INVALID_HANDLE);
		break;
	case 10:
		stress_count(t, STRESS_QueryDeviceInfo,
			     io->QueryDeviceInfo(device, sizeof(info), &n, &info),
			     STATUS_INVALID_HANDLE);
		break;
	default:
		/* edu has no PASIDs. */
		stress_count(t, STRESS_CreatePasidDevice,
			     io->CreatePasidDevice(device, &pasid, &n),
			     STATUS_INVALID_PARAMETER_1, STATUS_INVALID_HANDLE);
		wdm_policy_set(WDM_POLICY_PASS_THROUGH, stress_below(t, 2));
	}
}

/* Functions that take no domain */
static void stress_no_domain(struct stress_thread *t)
{
	DEVICE_FAULT_CONFIGURATION config = { .FaultHandler = stress_fault };
	DMA_IOMMU_INTERFACE *io = &t->s->io;
	INPUT_MAPPING_ELEMENT element;

	if (stress_below(t, 2)) {
		stress_count(t, STRESS_QueryInputMappings,
			     io->QueryInputMappings(stress_device(t), &element,
						    sizeof(element), NULL),
			     STATUS_UNSUCCESSFUL);
		return;
	}
	stress_count(t, STRESS_SetDeviceFaultReporting,
		     io->SetDeviceFaultReporting(stress_device(t), 0, stress_below(t, 2),
						 &config),
		     STATUS_INVALID_PARAMETER_1, STATUS_NOT_SUPPORTED);
}

static void stress_attach(struct stress_thread *t, PIOMMU_DMA_DOMAIN domain)
{
	DMA_IOMMU_INTERFACE *io = &t->s->io;

	if (stress_below(t, 2))
		stress_count(t, STRESS_AttachDevice,
			     io->AttachDevice(domain, stress_device(t), 0, 1),
			     STATUS_INVALID_PARAMETER, STATUS_ACCESS_DENIED,
			     STATUS_RESOURCE_IN_USE);
	else
		stress_count(t, STRESS_DetachDevice,
			     io->DetachDevice(domain, stress_device(t), 0),
			     STATUS_INVALID_PARAMETER_2);
}

static void stress_map(struct stress_thread *t, PIOMMU_DMA_DOMAIN domain)
{
	DMA_IOMMU_INTERFACE *io = &t->s->io;
	ULONG permissions = fixture_perms(&t->rng);
	u64 logical = stress_place(t), pages = 1 + stress_below(t, STRESS_PAGES);
	PMDL mdl = stress_mdl(t);

	switch (stress_below(t, 5)) {
	case 0:
	case 1:
		stress_raise(t);
		stress_count(t, STRESS_MapLogicalRange,
			     io->MapLogicalRange(domain, permissions, mdl, logical),
			     STATUS_INVALID_PARAMETER_1, STATUS_RESOURCE_IN_USE);
		break;
	case 2:
		stress_raise(t);
		stress_count(t, STRESS_UnmapLogicalRange,
			     io->UnmapLogicalRange(domain, logical, pages),
			     STATUS_INVALID_PARAMETER_1, STATUS_NOT_FOUND,
			     STATUS_RESOURCE_IN_USE);
		break;
	case 3:
		stress_raise(t);
		stress_count(t, STRESS_MapIdentityRange,
			     io->MapIdentityRange(domain, permissions, mdl),
			     STATUS_INVALID_PARAMETER_1, STATUS_RESOURCE_IN_USE);
		break;
	default:
		stress_raise(t);
		stress_count(t, STRESS_UnmapIdentityRange,
			     io->UnmapIdentityRange(domain, mdl),
			     STATUS_INVALID_PARAMETER_1, STATUS_NOT_FOUND,
			     STATUS_RESOURCE_IN_USE);
		break;
	}
	stress_lower(t);
}

/* Change a leaf of the caller's page tables, or take it away. */
static void stress_edit(struct stress_thread *t)
{
	u64 *leaf = t->s->memory + (STRESS_TABLES - 1) * PAGE_SIZE;
	u64 page = virt_to_phys(t->s->memory) + stress_below(t, STRESS_PAGES) * PAGE_SIZE;

	WRITE_ONCE(leaf[stress_below(t, STRESS_SPAN)], stress_below(t, 3) ? page | 0x7 : 0);
}

static void stress_flush(struct stress_thread *t, PIOMMU_DMA_DOMAIN domain)
{
	DMA_IOMMU_INTERFACE *io = &t->s->io;
	DOMAIN_CONFIGURATION config = {
		.Type = DomainConfigurationX64,
		.X64.FirstLevelPageTableRoot.QuadPart = virt_to_phys(t->s->memory),
		.X64.TranslationEnabled = TRUE,
	};
	u64 va[4];
	unsigned int i;

	stress_edit(t);
	for (i = 0; i < ARRAY_SIZE(va); i++)
		va[i] = stress_place(t);
	switch (stress_below(t, 4)) {
	case 0:
		stress_count(t, STRESS_ConfigureDomain,
			     io->ConfigureDomain(domain, &config),
			     STATUS_INVALID_PARAMETER_1);
		break;
	case 1:
		stress_raise(t);
		stress_count(t, STRESS_FlushDomain, io->FlushDomain(domain),
			     STATUS_INVALID_PARAMETER_1, STATUS_INVALID_DEVICE_STATE);
		stress_lower(t);
		break;
	default:
		stress_count(t, STRESS_FlushDomainByVaList,
			     io->FlushDomainByVaList(domain, stress_below(t, 2),
						     ARRAY_SIZE(va), va),
			     STATUS_INVALID_PARAMETER_1, STATUS_INVALID_DEVICE_STATE);
	}
}

/* Delete a slot's domain, or fill an empty slot. */
static void stress_replace(struct stress_thread *t, struct stress_slot *slot)
{
	DMA_IOMMU_INTERFACE *io = &t->s->io;

	down_write(&slot->lock);
	if (!slot->domain)
		stress_count(t, STRESS_CreateDomain,
			     io->CreateDomain(stress_below(t, 2), &slot->domain),
			     STATUS_INSUFFICIENT_RESOURCES);
	else if (wdm_ok(stress_count(t, STRESS_DeleteDomain,
				     io->DeleteDomain(slot->domain),
				     STATUS_RESOURCE_IN_USE)))
		slot->domain = NULL;
	up_write(&slot->lock);
}

static void stress_step(struct stress_thread *t)
{
	struct stress_slot *slot = &t->s->slot[stress_below(t, ARRAY_SIZE(t->s->slot))];
	u64 dice = stress_below(t, 100);

	if (dice < 3) {
		stress_replace(t, slot);
		return;
	}
	if (dice < 10 && t->s->nr_devices) {
		stress_no_domain(t);
		return;
	}
	down_read(&slot->lock);
	if (!slot->domain)
		goto unlock;
	if (dice < 15 && t->s->nr_devices)
		stress_attach(t, slot->domain);
	else if (dice < 25 && t->s->nr_devices)
		stress_devices(t, slot->domain);
	else if (dice < 75)
		stress_map(t, slot->domain);
	else
		stress_flush(t, slot->domain);
unlock:
	up_read(&slot->lock);
}

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

static void stress_start(struct kunit *test, struct stress *s)
{
	static const struct {
		unsigned int first, nr;
	} part[ARRAY_SIZE(s->mdl)] = {
		{ 0, STRESS_PAGES }, { 0, 1 }, { 5, 3 }, { STRESS_PAGES / 2, STRESS_PAGES / 2 },
	};
	struct pci_dev *pdev = NULL;
	u64 physical, *entry;
	unsigned int i;

	KUNIT_ASSERT_STATUS(test, IoGetIommuInterface(1, &s->io), STATUS_SUCCESS);
	interface_get(&s->io3);
	mutex_init(&s->create);
	s->memory = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					     get_order(STRESS_PAGES * PAGE_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, s->memory);
	physical = virt_to_phys(s->memory);
	for (i = 0; i + 1 < STRESS_TABLES; i++) {
		entry = s->memory + i * PAGE_SIZE;
		/* STRESS_LOGICAL is entry 1 of the second level, and 0 of all others. */
		entry[i == 1] = (physical + (i + 1) * PAGE_SIZE) | 0x7;
	}
	for (i = 0; i < ARRAY_SIZE(s->mdl); i++) {
		s->mdl[i] = IoAllocateMdl(s->memory + part[i].first * PAGE_SIZE,
					  part[i].nr * PAGE_SIZE, FALSE, FALSE, NULL);
		KUNIT_ASSERT_NOT_NULL(test, s->mdl[i]);
		MmBuildMdlForNonPagedPool(s->mdl[i]);
	}
	for (i = 0; i < ARRAY_SIZE(s->slot); i++)
		init_rwsem(&s->slot[i].lock);
	while (s->nr_devices < STRESS_DEVICES &&
	       (pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		if (!pdev->dev.driver && device_iommu_mapped(&pdev->dev))
			s->pdev[s->nr_devices++] = pci_dev_get(pdev);
	pci_dev_put(pdev);
}

static bool stress_claimed(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	bool claimed = iommu_group_dma_owner_claimed(group);

	iommu_group_put(group);
	return claimed;
}

static void stress_end(struct kunit *test, struct stress *s)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(s->slot); i++) {
		if (!s->slot[i].domain)
			continue;
		for (j = 0; j < s->nr_devices; j++)
			s->io.DetachDevice(s->slot[i].domain, &s->pdev[j]->dev, 0);
		KUNIT_EXPECT_STATUS(test, s->io.DeleteDomain(s->slot[i].domain),
				    STATUS_SUCCESS);
	}
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
	for (j = 0; j < s->nr_devices; j++) {
		s->io3.UnregisterInterfaceStateChangeCallback(stress_state_change, s->device[j]);
		s->io3.DeleteDevice(s->device[j]);
		KUNIT_EXPECT_STATUS(test, s->io3.DeleteDevice(s->device[j]),
				    STATUS_INVALID_HANDLE);
		KUNIT_EXPECT_FALSE(test, stress_claimed(&s->pdev[j]->dev));
		pci_dev_put(s->pdev[j]);
	}
	for (i = 0; i < ARRAY_SIZE(s->mdl); i++)
		IoFreeMdl(s->mdl[i]);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(s->memory)), 1);
	free_pages((unsigned long)s->memory, get_order(STRESS_PAGES * PAGE_SIZE));
}

/* Has the function an effect on this machine? */
static bool stress_works(struct stress *s, enum stress_fn fn)
{
	switch (fn) {
	case STRESS_QueryInputMappings:
	case STRESS_CreatePasidDevice:
		return false;
	case STRESS_SetDeviceFaultReporting:
	case STRESS_SetDeviceFaultReportingEx:
		return s->nr_devices && wdm_quirk_reports_faults(&s->pdev[0]->dev);
	case STRESS_AttachDevice:
	case STRESS_DetachDevice:
		return s->nr_devices;
	default:
		return fn <= STRESS_ConfigureDomain || s->nr_devices;
	}
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
		if (stress_works(s, fn))
			KUNIT_EXPECT_GT_MSG(test, atomic_read(&s->good[fn]), 0,
					    "%s never succeeds", stress_names[fn]);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&s->unexpected), 0);
	stress_end(test, s);
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE_SLOW(stress_all),
	{}
};

static struct kunit_suite stress_suite = {
	.name = "wdm_iommu_stress",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = stress_cases,
};

kunit_test_suite(stress_suite);
