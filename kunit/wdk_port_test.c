// SPDX-License-Identifier: GPL-2.0
/*
 * wdm_port.h: the WDK functions mean on Linux what they mean on Windows. Two drivers (ports/)
 * are compiled with it, unchanged.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <wdm_port.h>

#include "support/fixture.h"

typedef struct _ITEM {
	ULONG Number;
	LIST_ENTRY Link;
} ITEM;

static void wdk_port_lists(struct kunit *test)
{
	static const ULONG order[] = { 2, 0, 1 };
	ITEM items[3] = { { .Number = 0 }, { .Number = 1 }, { .Number = 2 } };
	LIST_ENTRY head;
	ULONG i;

	InitializeListHead(&head);
	KUNIT_EXPECT_TRUE(test, IsListEmpty(&head));
	InsertTailList(&head, &items[0].Link);
	InsertTailList(&head, &items[1].Link);
	InsertHeadList(&head, &items[2].Link);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		PLIST_ENTRY entry = RemoveHeadList(&head);

		KUNIT_EXPECT_EQ(test, CONTAINING_RECORD(entry, ITEM, Link)->Number,
				order[i]);
	}
	KUNIT_EXPECT_TRUE(test, IsListEmpty(&head));
	InsertTailList(&head, &items[0].Link);
	InsertTailList(&head, &items[1].Link);
	KUNIT_EXPECT_FALSE(test, RemoveEntryList(&items[0].Link));
	KUNIT_EXPECT_PTR_EQ(test, RemoveTailList(&head), &items[1].Link);
	KUNIT_EXPECT_TRUE(test, IsListEmpty(&head));
}

static void wdk_port_numbers(struct kunit *test)
{
	LARGE_INTEGER number = { .QuadPart = 0x123456789abcdef0 };
	volatile LONG count = 5;

	KUNIT_EXPECT_EQ(test, number.LowPart, 0x9abcdef0);
	KUNIT_EXPECT_EQ(test, number.u.HighPart, 0x12345678);
	/* Rounds down, while Linux' rounds up */
	KUNIT_EXPECT_EQ(test, (ULONG_PTR)PAGE_ALIGN(0x12345), 0x12000UL);
	KUNIT_EXPECT_EQ(test, ROUND_TO_PAGES(0x12345), 0x13000UL);
	KUNIT_EXPECT_EQ(test, BYTES_TO_PAGES(0x12345), 0x13UL);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(0xfff, 2), 2);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(0x1000, 0x1000), 1);
	KUNIT_EXPECT_EQ(test, RtlCompareMemory("abcd", "abxd", 4), 2UL);
	KUNIT_EXPECT_TRUE(test, RtlEqualMemory("abcd", "abcd", 4));

	KUNIT_EXPECT_EQ(test, InterlockedIncrement(&count), 6);
	KUNIT_EXPECT_EQ(test, InterlockedDecrement(&count), 5);
	KUNIT_EXPECT_EQ(test, InterlockedExchange(&count, -7), 5);
	KUNIT_EXPECT_EQ(test, InterlockedExchangeAdd(&count, 3), -7);
	KUNIT_EXPECT_EQ(test, InterlockedCompareExchange(&count, 9, 0), -4);
	KUNIT_EXPECT_EQ(test, InterlockedCompareExchange(&count, 9, -4), -4);
	KUNIT_EXPECT_EQ(test, count, 9);
	KUNIT_EXPECT_TRUE(test, STATUS_UNSUCCESSFUL < 0);
	KUNIT_EXPECT_TRUE(test, NT_SUCCESS(STATUS_PENDING));
}

/* Allocations at DISPATCH_LEVEL must not sleep; lockdep checks that. */
static void wdk_port_levels(struct kunit *test)
{
	KSPIN_LOCK lock;
	KIRQL old;
	PVOID va;

	KeInitializeSpinLock(&lock);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
	KeAcquireSpinLock(&lock, &old);
	va = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, 'tseT');
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeReleaseSpinLock(&lock, old);
	KUNIT_EXPECT_EQ(test, old, PASSIVE_LEVEL);
	KUNIT_EXPECT_NOT_NULL(test, va);
	if (va)
		KUNIT_EXPECT_NULL(test, memchr_inv(va, 0, 100));
	ExFreePoolWithTag(va, 'tseT');

	KeRaiseIrql(DISPATCH_LEVEL, &old);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeLowerIrql(old);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);

	/* Blocks of a page or more are page aligned, as drivers' MDLs expect. */
	va = ExAllocatePool2(POOL_FLAG_NON_PAGED, 3 * PAGE_SIZE, 'tseT');
	KUNIT_EXPECT_EQ(test, BYTE_OFFSET(va), 0);
	ExFreePool(va);
}

static int wdk_port_setter(void *data)
{
	KeSetEvent(data, IO_NO_INCREMENT, FALSE);
	return 0;
}

static void wdk_port_events(struct kunit *test)
{
	LARGE_INTEGER now = { }, soon = { .QuadPart = -20 * 10000 };
	LARGE_INTEGER never = { .QuadPart = S64_MIN };
	KEVENT one, all;

	KeInitializeEvent(&one, SynchronizationEvent, TRUE);
	KeInitializeEvent(&all, NotificationEvent, FALSE);
	KUNIT_EXPECT_STATUS(test, KeWaitForSingleObject(&one, Executive, KernelMode,
							FALSE, NULL),
			    STATUS_SUCCESS);
	/* The wait has reset it. */
	KUNIT_EXPECT_TRUE(test, KeWaitForSingleObject(&one, Executive, KernelMode,
						      FALSE, &now) == STATUS_TIMEOUT);
	KUNIT_EXPECT_TRUE(test, KeWaitForSingleObject(&all, Executive, KernelMode,
						      FALSE, &soon) == STATUS_TIMEOUT);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(wdk_port_setter, &all, "wdk_port")));
	KUNIT_EXPECT_STATUS(test, KeWaitForSingleObject(&all, Executive, KernelMode,
							FALSE, &never),
			    STATUS_SUCCESS);
	/* It stays set. */
	KUNIT_EXPECT_STATUS(test, KeWaitForSingleObject(&all, Executive, KernelMode,
							FALSE, &now),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, KeResetEvent(&all), 1);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&all), 0);
}

/*
 * A waiter may free an event, most often one on its stack, as soon as it finds it set. So the
 * event must not be set before the setter has the lock under which it wakes the waiters.
 */
static void wdk_port_event_lifetime(struct kunit *test)
{
	struct task_struct *setter;
	unsigned long flags;
	unsigned int i;
	LONG early = 0;
	KEVENT event;

	if (num_online_cpus() < 2)
		kunit_skip(test, "the setter needs another CPU");
	KeInitializeEvent(&event, NotificationEvent, FALSE);
	setter = kthread_create(wdk_port_setter, &event, "wdk_port");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, setter);

	spin_lock_irqsave(&event.wait.lock, flags);
	wake_up_process(setter);
	for (i = 0; i < 100 && !early; i++) {
		mdelay(1);
		early = KeReadStateEvent(&event);
	}
	spin_unlock_irqrestore(&event.wait.lock, flags);
	KUNIT_EXPECT_EQ(test, early, 0);
	KUNIT_EXPECT_STATUS(test, KeWaitForSingleObject(&event, Executive, KernelMode,
							FALSE, NULL),
			    STATUS_SUCCESS);
}

/* All ways for a driver to get an MDL, which is then mapped and checked */
static void wdk_port_mdls(struct kunit *test)
{
	PHYSICAL_ADDRESS zero = { }, any = { .QuadPart = -1 };
	DMA_IOMMU_INTERFACE io;
	PIOMMU_DMA_DOMAIN domain;
	PMDL pages, part, empty;
	UCHAR *va;

	KUNIT_ASSERT_STATUS(test, IoGetIommuInterface(1, &io), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, io.CreateDomain(TRUE, &domain), STATUS_SUCCESS);
	pages = MmAllocatePagesForMdlEx(zero, any, zero, 4 * PAGE_SIZE, MmCached,
					MM_ALLOCATE_FULLY_REQUIRED);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	va = MmGetSystemAddressForMdlSafe(pages, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_NULL(test, memchr_inv(va, 0, 4 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, (u64)MmGetPhysicalAddress(va + PAGE_SIZE + 5).QuadPart,
			PFN_PHYS(MmGetMdlPfnArray(pages)[1]) + 5);
	KUNIT_EXPECT_STATUS(test, io.MapLogicalRange(domain, IOMMU_ACCESS_READ, pages,
						     0x100000),
			    STATUS_SUCCESS);

	part = IoAllocateMdl(NULL, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, part);
	IoBuildPartialMdl(pages, part, MmGetMdlVirtualAddress(pages) + PAGE_SIZE,
			  2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(part)[0], MmGetMdlPfnArray(pages)[1]);
	KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(part)[1], MmGetMdlPfnArray(pages)[2]);
	KUNIT_EXPECT_PTR_EQ(test, (UCHAR *)MmGetSystemAddressForMdlSafe(part, 0),
			    va + PAGE_SIZE);
	KUNIT_EXPECT_STATUS(test, io.MapLogicalRange(domain, IOMMU_ACCESS_READ, part,
						     0x200000),
			    STATUS_SUCCESS);

	/* The page frames of this one are not filled in. */
	empty = IoAllocateMdl(NULL, PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, empty);
	KUNIT_EXPECT_STATUS(test, io.MapLogicalRange(domain, IOMMU_ACCESS_READ, empty,
						     0x300000),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(empty, NormalPagePriority));

	KUNIT_EXPECT_STATUS(test, io.UnmapLogicalRange(domain, 0x100000, 4),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io.UnmapLogicalRange(domain, 0x200000, 2),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, io.DeleteDomain(domain), STATUS_SUCCESS);
	IoFreeMdl(empty);
	IoFreeMdl(part);
	MmFreePagesFromMdl(pages);
	IoFreeMdl(pages);
}

/* Drivers of large transfers use one partial MDL for part after part. */
static void wdk_port_partial_mdl(struct kunit *test)
{
	PHYSICAL_ADDRESS zero = { }, any = { .QuadPart = -1 };
	PMDL pages, part;
	UCHAR *va, *all;
	ULONG i;

	pages = MmAllocatePagesForMdlEx(zero, any, zero, 4 * PAGE_SIZE, MmCached,
					MM_ALLOCATE_FULLY_REQUIRED);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	part = IoAllocateMdl(NULL, PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, part);
	MmPrepareMdlForReuse(part);
	for (i = 0; i < 4; i++) {
		IoBuildPartialMdl(pages, part, MmGetMdlVirtualAddress(pages) + i * PAGE_SIZE,
				  PAGE_SIZE);
		va = MmGetSystemAddressForMdlSafe(part, NormalPagePriority);
		KUNIT_ASSERT_NOT_NULL(test, va);
		KUNIT_EXPECT_TRUE(test, part->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
		*va = i + 1;
		MmPrepareMdlForReuse(part);
		KUNIT_EXPECT_FALSE(test, part->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
	}

	/* Of a source that is mapped, a part has no mapping of its own. */
	all = MmGetSystemAddressForMdlSafe(pages, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, all);
	IoBuildPartialMdl(pages, part, MmGetMdlVirtualAddress(pages) + 3 * PAGE_SIZE, PAGE_SIZE);
	MmPrepareMdlForReuse(part);
	KUNIT_EXPECT_PTR_EQ(test, (UCHAR *)MmGetSystemAddressForMdlSafe(part, 0),
			    all + 3 * PAGE_SIZE);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, all[i * PAGE_SIZE], i + 1);
	IoFreeMdl(part);
	MmFreePagesFromMdl(pages);
	IoFreeMdl(pages);
}

static struct kunit_case wdk_port_cases[] = {
	KUNIT_CASE(wdk_port_lists),
	KUNIT_CASE(wdk_port_numbers),
	KUNIT_CASE(wdk_port_levels),
	KUNIT_CASE(wdk_port_events),
	KUNIT_CASE(wdk_port_event_lifetime),
	KUNIT_CASE(wdk_port_mdls),
	KUNIT_CASE(wdk_port_partial_mdl),
	{}
};

static struct kunit_suite wdk_port_suite = {
	.name = "wdm_iommu_wdk_port",
	.test_cases = wdk_port_cases,
};

kunit_test_suite(wdk_port_suite);
