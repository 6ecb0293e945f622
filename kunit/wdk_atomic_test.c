// SPDX-License-Identifier: GPL-2.0
/*
 * The map functions of the WDK's tables in atomic context: with a spinlock held, in a
 * softirq, and racing with attach and detach. Checks what the IOMMUs translate.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include <wdm.h>

#include "../module/core/create.h"
#include "../module/core/hwpt_set.h"
#include "../module/core/os/atomic.h"
#include "../module/wdk/wdk.h"
#include "support/fail_nth.h"
#include "support/fixture.h"

/* Number of pages of a test, and of the longest operation: at least two pieces */
#define AT_ORDER	10
#define AT_PAGES	BIT(AT_ORDER)
/* Logical page numbers that tests use; none of them is that of the memory */
#define AT_LOGICAL		BIT_ULL(32)

/**
 * struct at - a domain of kernel code, and memory to map
 * @fx: the fixture
 * @io: the table of version 1
 * @domain: the domain
 * @fake: its IOMMU
 * @pfn: page frame of the first page of contiguous memory
 * @pfns: the page frames of the memory in another order
 */
struct at {
	struct fixture *fx;
	DMA_IOMMU_INTERFACE io;
	PIOMMU_DMA_DOMAIN domain;
	struct fake_iommu *fake;
	u64 pfn;
	unsigned long *pfns;
};

static struct at *at_of(struct kunit *test)
{
	return FIXTURE(test)->data;
}

static int at_init(struct kunit *test)
{
	struct fixture *fx;
	struct at *at;
	unsigned int i, j;

	if (fixture_init(test))
		return -ENOMEM;
	fx = FIXTURE(test);
	at = kunit_kzalloc(test, sizeof(*at), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, at);
	at->fx = fx;
	at->pfn = page_to_pfn(virt_to_page(fixture_memory(fx, AT_ORDER)));
	at->pfns = kunit_kmalloc_array(test, AT_PAGES, sizeof(*at->pfns),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, at->pfns);
	for (i = 0; i < AT_PAGES; i++) {
		j = fixture_below(&fx->rng, i + 1);
		at->pfns[i] = at->pfns[j];
		at->pfns[j] = at->pfn + i;
	}
	KUNIT_ASSERT_STATUS(test, IoGetIommuInterface(1, &at->io), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, at->io.CreateDomain(TRUE, &at->domain),
			    STATUS_SUCCESS);
	at->fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	at->fake->minds_stale = true;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(at->domain->core, at->fake),
			    STATUS_SUCCESS);
	fx->data = at;
	return 0;
}

static void at_exit(struct kunit *test)
{
	struct at *at = FIXTURE(test) ? at_of(test) : NULL;
	struct fake_iommu *fake;

	if (!at) {
		fixture_exit(test);
		return;
	}
	list_for_each_entry(fake, &at->fx->fakes, node) {
		KUNIT_EXPECT_EQ(test, fake->over_stale, 0);
		if (fake->adopter)
			fixture_disown(fake);
	}
	KUNIT_EXPECT_STATUS(test, at->io.DeleteDomain(at->domain), STATUS_SUCCESS);
	fixture_exit(test);
}

/* Get the page frame that an IOMMU translates a page number to; 0: it blocks. */
static u64 at_translate(struct fake_iommu *fake, u64 pgno)
{
	struct fake_page page;

	if (!fake_iommu_at(fake, pgno << PAGE_SHIFT, &page))
		return 0;
	return (page.phys >> PAGE_SHIFT) + (pgno - (page.iova >> PAGE_SHIFT));
}

/* Check that exactly this is mapped, by 4 KiB pages. @hole: a page that is not, if any */
static void at_check(struct kunit *test, u64 pgno, const unsigned long *pfns,
		     u64 nr_pages, u64 hole)
{
	struct at *at = at_of(test);
	struct fake_page page;
	u64 i, mapped = 0;

	for (i = 0; i < nr_pages; i++) {
		u64 want = i == hole ? 0 : pfns[i];

		KUNIT_ASSERT_EQ(test, at_translate(at->fake, pgno + i), want);
		mapped += !!want;
		if (want && fake_iommu_at(at->fake, (pgno + i) << PAGE_SHIFT, &page))
			KUNIT_ASSERT_EQ(test, page.size, PAGE_SIZE);
	}
	KUNIT_ASSERT_EQ(test, at->fake->mapped, mapped);
	KUNIT_ASSERT_FALSE(test, fake_iommu_stale(at->fake));
	KUNIT_ASSERT_EQ(test, wdm_mappings_pages(&at->domain->core->mappings),
			mapped);
}

static void at_check_empty(struct kunit *test)
{
	at_check(test, 0, NULL, 0, 0);
}

static IOMMU_MAP_PHYSICAL_ADDRESS at_contiguous(u64 base, u64 size)
{
	return (IOMMU_MAP_PHYSICAL_ADDRESS) {
		.MapType = MapPhysicalAddressTypeContiguousRange,
		.ContiguousRange = { .Base.QuadPart = base, .Size = size },
	};
}

static IOMMU_MAP_PHYSICAL_ADDRESS at_array(PPFN_NUMBER pfns, u64 nr)
{
	return (IOMMU_MAP_PHYSICAL_ADDRESS) {
		.MapType = MapPhysicalAddressTypePfn,
		.PfnArray = { .PageFrame = pfns, .NumberOfPages = nr },
	};
}

static IOMMU_MAP_PHYSICAL_ADDRESS at_mdl(PMDL mdl)
{
	return (IOMMU_MAP_PHYSICAL_ADDRESS) {
		.MapType = MapPhysicalAddressTypeMdl, .Mdl.Mdl = mdl,
	};
}

static NTSTATUS at_map(struct at *at, u64 pgno, IOMMU_MAP_PHYSICAL_ADDRESS memory)
{
	IOMMU_DMA_LOGICAL_ADDRESS address = pgno << PAGE_SHIFT, out = 1;
	NTSTATUS status = wdk_map_logical_range_ex(at->domain, 3, &memory, &address,
						   NULL, NULL, &out);

	/* Written on success only */
	if (out != (wdm_ok(status) ? address : 1))
		return STATUS_UNSUCCESSFUL;
	return status;
}

static NTSTATUS at_unmap(struct at *at, u64 pgno, u64 nr)
{
	return wdk_unmap_logical_range(at->domain, pgno << PAGE_SHIFT, nr);
}

static NTSTATUS at_map_identity(struct at *at, IOMMU_MAP_PHYSICAL_ADDRESS memory)
{
	return wdk_map_identity_range_ex(at->domain, 3, &memory);
}

static NTSTATUS at_unmap_identity(struct at *at, IOMMU_MAP_PHYSICAL_ADDRESS memory)
{
	return wdk_unmap_identity_range_ex(at->domain, &memory);
}

/*
 * An MDL is created and mapped, and unmapped and freed, by a driver that holds a spinlock;
 * and the other kinds of memory.
 */
static NTSTATUS at_all_calls(struct at *at)
{
	void *memory = pfn_to_kaddr(at->pfn);
	NTSTATUS status[12];
	unsigned int i;
	PMDL mdl;

	mdl = IoAllocateMdl(memory, 16 * PAGE_SIZE, FALSE, FALSE, NULL);
	if (!mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmBuildMdlForNonPagedPool(mdl);
	status[0] = wdk_map_logical_range(at->domain, 3, mdl, AT_LOGICAL << PAGE_SHIFT);
	status[1] = wdk_unmap_logical_range(at->domain, AT_LOGICAL << PAGE_SHIFT, 16);
	status[2] = wdk_map_identity_range(at->domain, 1, mdl);
	status[3] = wdk_unmap_identity_range(at->domain, mdl);
	status[4] = at_map(at, AT_LOGICAL, at_mdl(mdl));
	IoFreeMdl(mdl);
	status[5] = at_unmap(at, AT_LOGICAL, 16);
	status[6] = at_map(at, AT_LOGICAL, at_array(at->pfns, AT_PAGES));
	status[7] = at_unmap(at, AT_LOGICAL, AT_PAGES);
	status[8] = at_map_identity(at, at_array(at->pfns, AT_PAGES));
	status[9] = at_unmap_identity(at, at_array(at->pfns, AT_PAGES));
	status[10] = at_map_identity(at, at_contiguous(at->pfn << PAGE_SHIFT,
						       AT_PAGES << PAGE_SHIFT));
	status[11] = at_unmap_identity(at, at_contiguous(at->pfn << PAGE_SHIFT,
							 AT_PAGES << PAGE_SHIFT));
	for (i = 0; i < ARRAY_SIZE(status); i++)
		if (!wdm_ok(status[i]))
			return status[i];
	return STATUS_SUCCESS;
}

static void atomic_spinlock(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	struct at *at = at_of(test);
	unsigned long flags;
	NTSTATUS status;

	spin_lock_irqsave(&lock, flags);
	status = at_all_calls(at);
	spin_unlock_irqrestore(&lock, flags);
	KUNIT_EXPECT_STATUS(test, status, STATUS_SUCCESS);
	at_check_empty(test);
}

/* Maps are all or nothing, and can be unmapped page by page. */
static void atomic_maps(struct kunit *test)
{
	static const unsigned int counts[] = { 2, 127, 129, 512, 513, AT_PAGES };
	struct at *at = at_of(test);
	unsigned int i;
	u64 nr, pgno, last;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		nr = counts[i];
		pgno = AT_LOGICAL + fixture_below(&at->fx->rng, 300);
		last = pgno + nr - 1;
		KUNIT_ASSERT_STATUS(test, at_map(at, pgno, at_array(at->pfns, nr)),
				    STATUS_SUCCESS);
		at_check(test, pgno, at->pfns, nr, nr);
		KUNIT_ASSERT_STATUS(test, at_unmap(at, pgno, nr + 1),
				    STATUS_NOT_FOUND);
		KUNIT_ASSERT_STATUS(test, at_map(at, last, at_array(at->pfns, nr)),
				    STATUS_RESOURCE_IN_USE);
		at_check(test, pgno, at->pfns, nr, nr);
		KUNIT_ASSERT_STATUS(test, at_unmap(at, last - 1, 1), STATUS_SUCCESS);
		at_check(test, pgno, at->pfns, nr, nr - 2);
		KUNIT_ASSERT_STATUS(test, at_unmap(at, pgno, nr), STATUS_NOT_FOUND);
		at_check(test, pgno, at->pfns, nr, nr - 2);
		if (nr > 2)
			KUNIT_ASSERT_STATUS(test, at_unmap(at, pgno, nr - 2),
					    STATUS_SUCCESS);

		/* Now only the last page conflicts. */
		KUNIT_ASSERT_STATUS(test, at_map(at, pgno, at_array(at->pfns, nr)),
				    STATUS_RESOURCE_IN_USE);
		at_check(test, last, &at->pfns[nr - 1], 1, 1);
		KUNIT_ASSERT_STATUS(test, at_unmap(at, last, 1), STATUS_SUCCESS);
		at_check_empty(test);
	}
}

static void atomic_identity(struct kunit *test)
{
	struct at *at = at_of(test);
	u64 base = at->pfn << PAGE_SHIFT, i;
	unsigned long twice[] = { at->pfn, at->pfn + 5, at->pfn };
	unsigned long *sorted = kunit_kmalloc_array(test, AT_PAGES, sizeof(*sorted),
						    GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sorted);
	for (i = 0; i < AT_PAGES; i++)
		sorted[i] = at->pfn + i;

	KUNIT_ASSERT_STATUS(test, at_map_identity(at, at_array(at->pfns, AT_PAGES)),
			    STATUS_SUCCESS);
	at_check(test, at->pfn, sorted, AT_PAGES, AT_PAGES);
	KUNIT_EXPECT_STATUS(test, at_map_identity(at, at_contiguous(base, SZ_4K)),
			    STATUS_RESOURCE_IN_USE);
	/* Any part of it, named in any way */
	KUNIT_EXPECT_STATUS(test, at_unmap_identity(at, at_contiguous(base + SZ_4K,
								      SZ_4K)),
			    STATUS_SUCCESS);
	at_check(test, at->pfn, sorted, AT_PAGES, 1);
	KUNIT_EXPECT_STATUS(test, at_unmap_identity(at, at_array(at->pfns, AT_PAGES)),
			    STATUS_NOT_FOUND);
	at_check(test, at->pfn, sorted, AT_PAGES, 1);
	/* Something else is mapped at the address of a page. */
	KUNIT_EXPECT_STATUS(test, at_map(at, at->pfn + 1, at_contiguous(base, SZ_4K)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, at_unmap_identity(at, at_array(at->pfns, AT_PAGES)),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, at_unmap(at, at->pfn, AT_PAGES), STATUS_SUCCESS);
	at_check_empty(test);

	/* A page that is already mapped at its address */
	KUNIT_EXPECT_STATUS(test, at_map_identity(at, at_array(twice, 3)),
			    STATUS_RESOURCE_IN_USE);
	at_check_empty(test);
	KUNIT_EXPECT_STATUS(test, at_map_identity(at, at_array(twice, 2)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, at_unmap_identity(at, at_array(twice, 3)),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, at_unmap_identity(at, at_array(twice, 2)),
			    STATUS_SUCCESS);
	at_check_empty(test);
}

/* Memory that none of the functions accepts */
static void atomic_bad_memory(struct kunit *test)
{
	struct at *at = at_of(test);
	u64 base = at->pfn << PAGE_SHIFT;
	MDL empty = { .MdlFlags = MDL_PAGES_LOCKED };
	MDL part = { .MdlFlags = MDL_PAGES_LOCKED, .ByteCount = SZ_4K - 1 };
	MDL offset = { .MdlFlags = MDL_PAGES_LOCKED, .ByteCount = SZ_4K,
		       .ByteOffset = 8 };
	MDL unfilled = { .ByteCount = SZ_4K };
	IOMMU_MAP_PHYSICAL_ADDRESS rows[] = {
		at_contiguous(base + 1, SZ_4K), at_contiguous(base, SZ_4K + 8),
		at_contiguous(base, 0), at_contiguous(-SZ_4K, SZ_8K),
		at_contiguous(base, -SZ_4K), at_array(NULL, 1),
		at_array(at->pfns, 0), at_mdl(NULL), at_mdl(&empty), at_mdl(&part),
		at_mdl(&offset), at_mdl(&unfilled),
		{ .MapType = MapPhysicalAddressTypeMax },
	};
	IOMMU_DMA_LOGICAL_ADDRESS address = AT_LOGICAL << PAGE_SHIFT, out = 1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_EXPECT_STATUS(test, at_map(at, AT_LOGICAL, rows[i]),
				    STATUS_INVALID_PARAMETER_3);
		KUNIT_EXPECT_STATUS(test, at_map_identity(at, rows[i]),
				    STATUS_INVALID_PARAMETER_3);
		KUNIT_EXPECT_STATUS(test, at_unmap_identity(at, rows[i]),
				    STATUS_INVALID_PARAMETER_2);
	}
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 3, NULL,
							   &address, NULL, NULL,
							   &out),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdk_map_identity_range_ex(at->domain, 3, NULL),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_identity_range_ex(at->domain, NULL),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, out, 1);
	at_check_empty(test);
}

/* Other arguments, and which of several errors is reported */
static void atomic_bad_arguments(struct kunit *test)
{
	struct at *at = at_of(test);
	u64 base = at->pfn << PAGE_SHIFT;
	IOMMU_MAP_PHYSICAL_ADDRESS good = at_contiguous(base, SZ_8K);
	IOMMU_MAP_PHYSICAL_ADDRESS bad = at_contiguous(base + 1, SZ_8K);
	/* No machine has memory there. */
	IOMMU_MAP_PHYSICAL_ADDRESS no_ram = at_contiguous(BIT_ULL(51), SZ_8K);
	unsigned long far[] = { at->pfn, BIT_ULL(39), BIT_ULL(63), -1UL };
	IOMMU_DMA_LOGICAL_ADDRESS odd = 12, last = -SZ_4K, low = 0, out = 1;
	PIOMMU_DMA_DOMAIN caller;

	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 0, &bad, &odd,
							   NULL, NULL, &out),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 4, &good, &odd,
							   NULL, NULL, &out),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 3, &bad, &odd,
							   NULL, NULL, &out),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 3, &good, &odd,
							   NULL, NULL, &out),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 3, &good, &last,
							   NULL, NULL, &out),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 3, &good, NULL,
							   NULL, NULL, &out),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 3, &bad, NULL,
							   NULL, NULL, &out),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdk_map_identity_range_ex(at->domain, 8, &bad),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(at->domain, 12, 0),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(at->domain, last, 2),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, out, 1);

	KUNIT_EXPECT_STATUS(test, at_map(at, AT_LOGICAL, no_ram), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, at_map(at, AT_LOGICAL, at_array(far, 4)),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, at_map_identity(at, at_array(far, 2)),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, at_unmap_identity(at, at_array(far, 4)),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, at_unmap_identity(at, no_ram), STATUS_NOT_FOUND);
	/* Limits are ignored without an allocator. */
	out = BIT_ULL(40);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(at->domain, 3, &good, &out,
							   &last, &low, &out),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, at_unmap(at, out >> PAGE_SHIFT, 2), STATUS_SUCCESS);
	/* The fake translates 48 bits. */
	KUNIT_EXPECT_STATUS(test, at_map(at, BIT_ULL(36) - 1, good),
			    STATUS_CONFLICTING_ADDRESSES);
	at_check_empty(test);

	KUNIT_ASSERT_STATUS(test, at->io.CreateDomain(FALSE, &caller), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(caller, 0, &bad, &odd, NULL,
							   NULL, &out),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_map_identity_range_ex(caller, 0, &bad),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_identity_range_ex(caller, &bad),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(caller, 12, 0),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, at->io.DeleteDomain(caller), STATUS_SUCCESS);
}

/* A map that the IOMMU driver fails at any point leaves nothing in any IOMMU. */
static void atomic_driver_fails(struct kunit *test)
{
	struct at *at = at_of(test);
	struct fake_iommu *other = fixture_fake(at->fx, FAKE_PGSIZES_4K);
	unsigned int nth, failed = 0;
	NTSTATUS status;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(at->domain->core, other),
			    STATUS_SUCCESS);
	for (nth = 1; nth < 2 * AT_PAGES; nth += 1 + nth / 3) {
		fake_iommu_fail_map(nth % 2 ? at->fake : other, nth, false);
		status = at_map(at, AT_LOGICAL, at_array(at->pfns, AT_PAGES));
		fake_iommu_fail_map(nth % 2 ? at->fake : other, 0, false);
		if (wdm_ok(status)) {
			KUNIT_ASSERT_STATUS(test, at_unmap(at, AT_LOGICAL, AT_PAGES),
					    STATUS_SUCCESS);
		} else {
			failed++;
			KUNIT_ASSERT_STATUS(test, status,
					    STATUS_INSUFFICIENT_RESOURCES);
		}
		at_check_empty(test);
		KUNIT_ASSERT_EQ(test, other->mapped, 0);
	}
	KUNIT_EXPECT_GT(test, failed, 5);

	/* Nor does an attach that the driver fails. */
	fixture_disown(other);
	KUNIT_ASSERT_STATUS(test, at_map(at, AT_LOGICAL, at_array(at->pfns, AT_PAGES)),
			    STATUS_SUCCESS);
	fake_iommu_fail_map(other, 9, true);
	KUNIT_EXPECT_STATUS(test, fixture_adopt_domain(at->domain->core, &other->domain),
			    STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, other->mapped, 0);
	at_check(test, AT_LOGICAL, at->pfns, AT_PAGES, AT_PAGES);
	KUNIT_EXPECT_STATUS(test, at_unmap(at, AT_LOGICAL, AT_PAGES), STATUS_SUCCESS);
}

/* Where a step of an attach finds no memory, what may sleep finds it. */
static void atomic_attach_memory(struct kunit *test)
{
	static const u64 starts[] = {
		AT_LOGICAL, AT_LOGICAL + BIT(20), AT_LOGICAL + BIT(20) + AT_PAGES + 7,
	};
	struct at *at = at_of(test);
	struct fake_iommu *other = fixture_fake(at->fx, FAKE_PGSIZES_X86);
	struct fake_iommu *none = fixture_fake(at->fx, FAKE_PGSIZES_X86);
	unsigned int i;
	u64 page;

	other->no_reserves = true;
	none->no_reserves = true;
	for (i = 0; i < ARRAY_SIZE(starts); i++)
		KUNIT_ASSERT_STATUS(test,
				    at_map(at, starts[i], at_array(at->pfns, AT_PAGES - i)),
				    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(at->domain->core, other),
			    STATUS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(starts); i++)
		for (page = 0; page < AT_PAGES - i; page++)
			KUNIT_ASSERT_EQ(test, at_translate(other, starts[i] + page),
					at->pfns[page]);
	KUNIT_EXPECT_EQ(test, other->mapped, at->fake->mapped);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(other));

	fake_iommu_fail_map(none, 20, true);
	KUNIT_EXPECT_STATUS(test, fixture_adopt_domain(at->domain->core, &none->domain),
			    STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, none->mapped, 0);
	for (i = 0; i < ARRAY_SIZE(starts); i++)
		KUNIT_EXPECT_STATUS(test, at_unmap(at, starts[i], AT_PAGES - i),
				    STATUS_SUCCESS);
}

static NTSTATUS at_unmap_either(struct at *at, u64 pgno)
{
	return pgno ? at_unmap(at, pgno, 700) :
		      at_unmap_identity(at, at_array(at->pfns, 700));
}

/* With each allocation failing: a failed map leaves nothing, and an unmap needs none. */
static void atomic_no_memory(struct kunit *test)
{
	static const u64 starts[] = { AT_LOGICAL, AT_LOGICAL + 100, 0 };
	struct at *at = at_of(test);
	unsigned int nth, i, failures = 0;
	NTSTATUS status;
	bool failed;

	memory_may_fail(test);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		for (nth = 1; nth < 100; nth++) {
			memory_fail_nth(nth);
			status = starts[i] ?
				 at_map(at, starts[i], at_array(at->pfns, 700)) :
				 at_map_identity(at, at_array(at->pfns, 700));
			failed = memory_failed();
			if (wdm_ok(status) && !failed)
				break;
			/* The kernel tolerates the failure of some of its allocations. */
			if (wdm_ok(status)) {
				KUNIT_ASSERT_STATUS(test,
						    at_unmap_either(at, starts[i]),
						    STATUS_SUCCESS);
				continue;
			}
			failures++;
			KUNIT_ASSERT_TRUE(test, failed);
			KUNIT_ASSERT_STATUS(test, status,
					    STATUS_INSUFFICIENT_RESOURCES);
			at_check_empty(test);
		}
		KUNIT_ASSERT_LT(test, nth, 100);

		memory_fail_nth(1);
		status = at_unmap_either(at, starts[i]);
		failed = memory_failed();
		KUNIT_EXPECT_STATUS(test, status, STATUS_SUCCESS);
		KUNIT_EXPECT_FALSE(test, failed);
		at_check_empty(test);
	}
	KUNIT_EXPECT_GE(test, failures, ARRAY_SIZE(starts));
}

/* The calls of a driver that holds a spinlock, on a domain with an allocator */
static NTSTATUS at_alloc_calls(struct at *at, u64 *iova)
{
	struct wdm_frames frames = { .pfns = at->pfns, .nr_pages = 700 };
	struct wdm_limits limits = WDM_NO_LIMITS;
	struct wdm_domain *domain = at->domain->core;
	struct wdm_atomic_op op = {
		.domain = domain,
		.frames = &frames,
		.pgno = SZ_1G >> PAGE_SHIFT,
		.perms = WDM_PERMS,
	};
	NTSTATUS status;

	status = wdm_atomic_map(&op);
	if (status != STATUS_NOT_SUPPORTED)
		return STATUS_UNSUCCESSFUL;
	op.identity = true;
	status = wdm_atomic_map(&op);
	if (status != STATUS_NOT_SUPPORTED)
		return STATUS_UNSUCCESSFUL;
	status = wdm_domain_map_frames_alloc(domain, 3, &frames, &limits, iova);
	if (!wdm_ok(status))
		return status;
	frames.nr_pages = 1;
	return wdm_domain_map_frames_alloc(domain, 3, &frames, &limits, iova + 1);
}

static void atomic_allocator(struct kunit *test)
{
	struct at *at = at_of(test);
	struct wdm_domain_config config = {
		.type = WDM_TYPE_TRANSLATE, .flags = WDM_DOMAIN_KERNEL, .width = 40,
	};
	struct _IOMMU_DMA_DOMAIN other = { }, *before = at->domain;
	static DEFINE_SPINLOCK(lock);
	u64 iova[2], again[2] = { };
	unsigned long flags;
	NTSTATUS status;

	KUNIT_ASSERT_STATUS(test, wdm_domain_create(&config, &other.core),
			    STATUS_SUCCESS);
	at->domain = &other;
	spin_lock_irqsave(&lock, flags);
	status = at_alloc_calls(at, iova);
	spin_unlock_irqrestore(&lock, flags);
	KUNIT_EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(iova[0], SZ_4M));
	KUNIT_EXPECT_NE(test, iova[0], 0);
	KUNIT_EXPECT_EQ(test, iova[1], PAGE_SIZE);

	/* An address becomes free with the last page of its block. */
	KUNIT_EXPECT_STATUS(test, at_unmap(at, PFN_DOWN(iova[1]), 1),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, at_unmap(at, PFN_DOWN(iova[0]), 701),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, at_unmap(at, PFN_DOWN(iova[0]), 600),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, at_alloc_calls(at, again), STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, again[0], iova[0]);
	KUNIT_EXPECT_EQ(test, again[1], iova[1]);
	KUNIT_EXPECT_STATUS(test, at_unmap(at, PFN_DOWN(again[0]), 700),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, at_unmap(at, PFN_DOWN(again[1]), 1),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, at_unmap(at, PFN_DOWN(iova[0]) + 600, 100),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, at_alloc_calls(at, again), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, again[0], iova[0]);

	at->domain = before;
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(other.core), STATUS_SUCCESS);
}

/* Threads and a softirq */

#define AT_THREADS	3
#define AT_ROUNDS	200
/* Number of pages of the window of a thread, and of the shared one */
#define AT_WINDOW	700
/* Page numbers of the windows, the last of which is shared */
#define AT_FIRST(nr)	(AT_LOGICAL + (nr) * 1000)

struct at_race;

/**
 * struct at_thread - a thread or a softirq, with a private window
 * @race: shared state
 * @rng: its random numbers
 * @nr: its number
 * @pfns: what it has mapped in its window; 0: nothing
 * @done: it has finished
 * @timer: of the softirq
 */
struct at_thread {
	struct at_race *race;
	struct rnd_state rng;
	unsigned int nr;
	unsigned long pfns[AT_WINDOW];
	struct completion done;
	struct hrtimer timer;
};

/**
 * struct at_race - shared state
 * @at: the domain
 * @lock: the lock of a driver, held with interrupts disabled
 * @thread: the threads; the last one is the softirq
 * @unexpected: number of statuses that no order of the calls explains
 * @maps: number of successful maps
 * @refused: number of calls that failed because of others
 * @atomic: number of calls in the softirq
 * @stop: the softirq has to end
 */
struct at_race {
	struct at *at;
	spinlock_t lock;	/* of a driver */
	struct at_thread thread[AT_THREADS + 1];
	atomic_t unexpected;
	atomic_t maps;
	atomic_t refused;
	atomic_t atomic;
	bool stop;
};

/* Map or unmap part of the private window. Must succeed. */
static void at_own_call(struct at_thread *thread, u64 most)
{
	struct at_race *race = thread->race;
	struct at *at = race->at;
	u64 nr = 1 + fixture_below(&thread->rng, most);
	u64 first = fixture_below(&thread->rng, AT_WINDOW - nr + 1);
	u64 from = fixture_below(&thread->rng, AT_PAGES - nr + 1), i, mapped = 0;
	NTSTATUS status, want;

	for (i = first; i < first + nr; i++)
		mapped += !!thread->pfns[i];
	if (fixture_once_in(&thread->rng, 2)) {
		want = mapped ? STATUS_RESOURCE_IN_USE : STATUS_SUCCESS;
		status = at_map(at, AT_FIRST(thread->nr) + first,
				at_array(at->pfns + from, nr));
		if (wdm_ok(status))
			memcpy(thread->pfns + first, at->pfns + from,
			       nr * sizeof(*at->pfns));
	} else {
		want = mapped < nr ? STATUS_NOT_FOUND : STATUS_SUCCESS;
		status = at_unmap(at, AT_FIRST(thread->nr) + first, nr);
		if (wdm_ok(status))
			memset(thread->pfns + first, 0, nr * sizeof(*at->pfns));
	}
	if (status != want)
		atomic_inc(&race->unexpected);
	else if (wdm_ok(status))
		atomic_inc(&race->maps);
}

/* Map or unmap part of the shared window, which others use, too. */
static void at_common_call(struct at_thread *thread, u64 most)
{
	struct at_race *race = thread->race;
	u64 nr = 1 + fixture_below(&thread->rng, most);
	u64 first = AT_FIRST(AT_THREADS + 1) +
		    fixture_below(&thread->rng, AT_WINDOW - nr + 1);
	NTSTATUS status, failure;

	if (fixture_once_in(&thread->rng, 2)) {
		failure = STATUS_RESOURCE_IN_USE;
		status = at_map(race->at, first, at_array(race->at->pfns, nr));
	} else {
		failure = STATUS_NOT_FOUND;
		status = at_unmap(race->at, first, nr);
	}
	if (status == failure)
		atomic_inc(&race->refused);
	else if (!wdm_ok(status))
		atomic_inc(&race->unexpected);
}

static void at_identity_calls(struct at_thread *thread)
{
	struct at_race *race = thread->race;
	IOMMU_MAP_PHYSICAL_ADDRESS memory = at_array(race->at->pfns, AT_WINDOW);
	NTSTATUS status = at_map_identity(race->at, memory);

	/* Only one thread can map it, and only that one can unmap it. */
	if (status == STATUS_RESOURCE_IN_USE)
		atomic_inc(&race->refused);
	else if (!wdm_ok(status) || !wdm_ok(at_unmap_identity(race->at, memory)))
		atomic_inc(&race->unexpected);
}

static int at_run(void *data)
{
	struct at_thread *thread = data;
	struct at_race *race = thread->race;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < AT_ROUNDS; i++) {
		at_own_call(thread, fixture_once_in(&thread->rng, 4) ? AT_WINDOW : 20);
		at_common_call(thread, AT_WINDOW);
		spin_lock_irqsave(&race->lock, flags);
		at_own_call(thread, 20);
		at_common_call(thread, 20);
		spin_unlock_irqrestore(&race->lock, flags);
		if (fixture_once_in(&thread->rng, 16))
			at_identity_calls(thread);
		cond_resched();
	}
	complete(&thread->done);
	return 0;
}

static enum hrtimer_restart at_softirq(struct hrtimer *timer)
{
	struct at_thread *thread = container_of(timer, struct at_thread, timer);
	struct at_race *race = thread->race;

	if (in_serving_softirq())
		atomic_inc(&race->atomic);
	at_own_call(thread, 20);
	at_common_call(thread, 20);
	if (READ_ONCE(race->stop)) {
		complete(&thread->done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ms_to_ktime(1));
	return HRTIMER_RESTART;
}

static void at_launch(struct kunit *test, struct at_race *race)
{
	struct at_thread *thread;
	unsigned int i;

	for (i = 0; i <= AT_THREADS; i++) {
		thread = &race->thread[i];
		thread->race = race;
		thread->nr = i;
		prandom_seed_state(&thread->rng, fixture_random(&race->at->fx->rng));
		init_completion(&thread->done);
		if (i < AT_THREADS &&
		    IS_ERR(kthread_run(at_run, thread, "wdm_atomic/%u", i))) {
			KUNIT_FAIL(test, "no thread");
			complete(&thread->done);
		}
	}
	hrtimer_setup(&thread->timer, at_softirq, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
	hrtimer_start(&thread->timer, ms_to_ktime(1), HRTIMER_MODE_REL_SOFT);
}

/* Check that an IOMMU translates exactly what the table has. */
static void at_check_table(struct kunit *test, struct at *at, struct fake_iommu *fake)
{
	struct wdm_mappings *mappings = &at->domain->core->mappings;
	struct wdm_extent ext = { };
	u64 i, mapped = 0;

	while (wdm_mappings_next(mappings, U64_MAX >> PAGE_SHIFT, &ext)) {
		KUNIT_ASSERT_FALSE(test, ext.busy);
		for (i = 0; i < ext.nr_pages; i++)
			KUNIT_ASSERT_EQ(test, at_translate(fake, ext.pgno + i),
					ext.mdl_page + i);
		mapped += ext.nr_pages;
	}
	KUNIT_EXPECT_EQ(test, fake->mapped, mapped);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(fake));
}

/* Check that an IOMMU translates what a thread has mapped in its window. */
static void at_check_own(struct kunit *test, struct at_thread *thread,
			 struct fake_iommu *fake)
{
	unsigned int i;

	for (i = 0; i < AT_WINDOW; i++)
		KUNIT_ASSERT_EQ(test, at_translate(fake, AT_FIRST(thread->nr) + i),
				thread->pfns[i]);
}

/*
 * Threads and a softirq map and unmap, while IOMMUs are added and removed. One is there all
 * the time, one is added last.
 */
static void atomic_race(struct kunit *test)
{
	struct at *at = at_of(test);
	struct at_race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	struct fake_iommu *fake;
	unsigned int i, attaches = 0;

	KUNIT_ASSERT_NOT_NULL(test, race);
	race->at = at;
	spin_lock_init(&race->lock);
	at_launch(test, race);
	for (i = 0; i < AT_THREADS; i++) {
		while (!try_wait_for_completion(&race->thread[i].done)) {
			fake = fixture_fake(at->fx, FAKE_PGSIZES_4K);
			fake->minds_stale = true;
			fake->gathers = fixture_once_in(&at->fx->rng, 2);
			KUNIT_EXPECT_STATUS(test, fixture_adopt(at->domain->core, fake),
					    STATUS_SUCCESS);
			KUNIT_EXPECT_STATUS(test, at->io.FlushDomain(at->domain),
					    STATUS_INVALID_PARAMETER_1);
			cond_resched();
			fixture_disown(fake);
			attaches++;
		}
	}
	WRITE_ONCE(race->stop, true);
	wait_for_completion(&race->thread[AT_THREADS].done);
	hrtimer_cancel(&race->thread[AT_THREADS].timer);
	kunit_info(test, "%u attaches, %d calls succeeded, %d refused, %d softirqs",
		   attaches, atomic_read(&race->maps), atomic_read(&race->refused),
		   atomic_read(&race->atomic));

	KUNIT_EXPECT_EQ(test, atomic_read(&race->unexpected), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&race->maps), AT_ROUNDS);
	KUNIT_EXPECT_GT(test, atomic_read(&race->atomic), 1);
	KUNIT_EXPECT_GT(test, attaches, 1);
	fake = fixture_fake(at->fx, FAKE_PGSIZES_4K);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(at->domain->core, fake),
			    STATUS_SUCCESS);
	at_check_table(test, at, at->fake);
	at_check_table(test, at, fake);
	for (i = 0; i <= AT_THREADS; i++) {
		at_check_own(test, &race->thread[i], at->fake);
		at_check_own(test, &race->thread[i], fake);
	}
}

static struct kunit_case atomic_cases[] = {
	KUNIT_CASE(atomic_spinlock),
	KUNIT_CASE(atomic_maps),
	KUNIT_CASE(atomic_identity),
	KUNIT_CASE(atomic_bad_memory),
	KUNIT_CASE(atomic_bad_arguments),
	KUNIT_CASE(atomic_driver_fails),
	KUNIT_CASE(atomic_attach_memory),
	KUNIT_CASE(atomic_no_memory),
	KUNIT_CASE(atomic_allocator),
	KUNIT_CASE(atomic_race),
	{}
};

static struct kunit_suite atomic_suite = {
	.name = "wdm_iommu_wdk_atomic",
	.init = at_init,
	.exit = at_exit,
	.test_cases = atomic_cases,
};

kunit_test_suite(atomic_suite);
