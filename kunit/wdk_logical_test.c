// SPDX-License-Identifier: GPL-2.0
/*
 * CreateDomainEx, the allocator and tokens, as kernel code calls them.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include "../module/core/create.h"
#include "../module/core/frames.h"
#include "../module/core/os/token.h"
#include "../module/wdk/wdk.h"
#include "support/fail_nth.h"
#include "support/fixture.h"

#define BYTES(pages)	((u64)(pages) << PAGE_SHIFT)

static const IOMMU_DMA_DOMAIN_CREATION_FLAGS wdkl_no_flags;

static NTSTATUS wdkl_create(IOMMU_DMA_DOMAIN_TYPE type, ULONG width,
			    PIOMMU_DMA_RESERVED_REGION regions, PIOMMU_DMA_DOMAIN *out)
{
	IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG config = {
		.LogicalAllocatorType = IommuDmaLogicalAllocatorBuddy,
		.BuddyAllocatorConfig.AddressWidth = width,
	};

	return wdk_create_domain_ex(type, wdkl_no_flags, width ? &config : NULL, regions,
				    out);
}

static void wdkl_delete(struct kunit *test, PIOMMU_DMA_DOMAIN domain)
{
	KUNIT_EXPECT_STATUS(test, wdk_delete_domain(domain), STATUS_SUCCESS);
}

/* Expect a status, and no domain unless it is STATUS_SUCCESS. */
static void wdkl_expect_create(struct kunit *test, IOMMU_DMA_DOMAIN_TYPE type,
			       IOMMU_DMA_DOMAIN_CREATION_FLAGS flags,
			       PIOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG config,
			       PIOMMU_DMA_RESERVED_REGION regions, NTSTATUS want)
{
	PIOMMU_DMA_DOMAIN none = (PIOMMU_DMA_DOMAIN)test, domain = none;

	KUNIT_EXPECT_STATUS(test, wdk_create_domain_ex(type, flags, config, regions, &domain),
			    want);
	KUNIT_EXPECT_EQ(test, domain != none, wdm_ok(want));
	if (domain != none)
		wdkl_delete(test, domain);
}

static void wdkl_create_types(struct kunit *test)
{
	IOMMU_DMA_LOGICAL_ALLOCATOR_CONFIG none = { }, bad = {
		.LogicalAllocatorType = IommuDmaLogicalAllocatorMax,
	}, buddy = {
		.LogicalAllocatorType = IommuDmaLogicalAllocatorBuddy,
	};
	IOMMU_DMA_RESERVED_REGION region = { .Base = BYTES(1), .NumberOfPages = 1 };
	const IOMMU_DMA_DOMAIN_CREATION_FLAGS flags = { .AsUlonglong = 1ULL << 63 };

	wdkl_expect_create(test, DomainTypeMax, wdkl_no_flags, NULL, NULL,
			   STATUS_INVALID_PARAMETER_1);
	wdkl_expect_create(test, (IOMMU_DMA_DOMAIN_TYPE)-1, wdkl_no_flags, NULL, NULL,
			   STATUS_INVALID_PARAMETER_1);
	wdkl_expect_create(test, DomainTypeTranslate, flags, NULL, NULL,
			   STATUS_INVALID_PARAMETER_2);
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, &bad, NULL,
			   STATUS_INVALID_PARAMETER_3);
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, &buddy, NULL,
			   STATUS_INVALID_PARAMETER_3);
	buddy.BuddyAllocatorConfig.AddressWidth = 12;
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, &buddy, NULL,
			   STATUS_INVALID_PARAMETER_3);
	buddy.BuddyAllocatorConfig.AddressWidth = 64;
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, &buddy, NULL,
			   STATUS_INVALID_PARAMETER_3);
	buddy.BuddyAllocatorConfig.AddressWidth = 63;
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, &buddy, &region,
			   STATUS_SUCCESS);
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, &none, &region,
			   STATUS_SUCCESS);
	wdkl_expect_create(test, DomainTypeTranslateS1, wdkl_no_flags, &buddy, &region,
			   WDM_HAS_PASID_DOMAINS ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED);
	wdkl_expect_create(test, DomainTypeUnmanaged, wdkl_no_flags, &none, NULL,
			   STATUS_SUCCESS);
	wdkl_expect_create(test, DomainTypeUnmanaged, wdkl_no_flags, &buddy, NULL,
			   STATUS_INVALID_PARAMETER_3);
	wdkl_expect_create(test, DomainTypeUnmanaged, wdkl_no_flags, NULL, &region,
			   STATUS_INVALID_PARAMETER_4);
}

/* Lists of maximum length, longer ones, and endless ones */
static void wdkl_create_lists(struct kunit *test)
{
	PIOMMU_DMA_RESERVED_REGION list;
	unsigned int i, nr = WDM_MAX_REGIONS + 1;

	list = kvcalloc(nr, sizeof(*list), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < nr; i++) {
		list[i].Base = BYTES(2 * i);
		list[i].NumberOfPages = 1;
		list[i].RegionNext = i + 1 < nr ? &list[i + 1] : NULL;
	}
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, NULL, list,
			   STATUS_INVALID_PARAMETER_4);
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, NULL, list + 1,
			   STATUS_SUCCESS);
	list[2].RegionNext = &list[1];
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, NULL, list,
			   STATUS_INVALID_PARAMETER_4);
	list[0].RegionNext = &list[0];
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, NULL, list,
			   STATUS_INVALID_PARAMETER_4);
	list[1].RegionNext = NULL;
	list[1].Base++;
	wdkl_expect_create(test, DomainTypeTranslate, wdkl_no_flags, NULL, &list[1],
			   STATUS_INVALID_PARAMETER_4);
	kvfree(list);
}

static IOMMU_MAP_PHYSICAL_ADDRESS wdkl_memory(struct kunit *test, unsigned int order)
{
	void *memory = fixture_memory(FIXTURE(test), order);

	return (IOMMU_MAP_PHYSICAL_ADDRESS) {
		.MapType = MapPhysicalAddressTypeContiguousRange,
		.ContiguousRange.Base.QuadPart = virt_to_phys(memory),
		.ContiguousRange.Size = BYTES(BIT_ULL(order)),
	};
}

static PIOMMU_DMA_DOMAIN wdkl_domain(struct kunit *test, ULONG width,
				     struct fake_iommu **fake)
{
	PIOMMU_DMA_DOMAIN domain;

	KUNIT_ASSERT_STATUS(test, wdkl_create(DomainTypeTranslate, width, NULL, &domain),
			    STATUS_SUCCESS);
	*fake = fixture_fake(FIXTURE(test), FAKE_PGSIZES_X86);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain->core, *fake), STATUS_SUCCESS);
	return domain;
}

static DEFINE_SPINLOCK(wdkl_lock);

/* Drivers map with a spinlock held. */
static NTSTATUS wdkl_map(PIOMMU_DMA_DOMAIN domain, PIOMMU_MAP_PHYSICAL_ADDRESS memory,
			 PIOMMU_DMA_LOGICAL_ADDRESS min, PIOMMU_DMA_LOGICAL_ADDRESS max,
			 PIOMMU_DMA_LOGICAL_ADDRESS out)
{
	unsigned long flags;
	NTSTATUS status;

	spin_lock_irqsave(&wdkl_lock, flags);
	status = wdk_map_logical_range_ex(domain, IOMMU_ACCESS_READ, memory, NULL, min, max,
					  out);
	spin_unlock_irqrestore(&wdkl_lock, flags);
	return status;
}

static void wdkl_alloc(struct kunit *test)
{
	IOMMU_MAP_PHYSICAL_ADDRESS one = wdkl_memory(test, 0), many = wdkl_memory(test, 9);
	IOMMU_DMA_LOGICAL_ADDRESS a = 0, b = 0, min = BYTES(5), max = BYTES(6) - 1, low = 0;
	struct fake_iommu *fake;
	PIOMMU_DMA_DOMAIN domain = wdkl_domain(test, 30, &fake);
	MDL mdl = { };

	KUNIT_EXPECT_STATUS(test, wdkl_map(domain, &one, NULL, NULL, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, BYTES(1));
	KUNIT_EXPECT_STATUS(test, wdkl_map(domain, &many, NULL, NULL, &b), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, b, BYTES(512));
	KUNIT_EXPECT_EQ(test, fake->mapped, 513);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(domain, a, 1), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdkl_map(domain, &one, &min, &max, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, BYTES(5));
	KUNIT_EXPECT_STATUS(test, wdkl_map(domain, &one, &min, &max, &a),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_STATUS(test, wdkl_map(domain, &one, &max, &min, &a),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_STATUS(test, wdkl_map(domain, &one, NULL, &low, &a),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_EQ(test, a, BYTES(5));

	/* Explicit addresses are refused. */
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(domain, IOMMU_ACCESS_READ, &one,
							   &min, NULL, NULL, &a),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, wdk_map_identity_range_ex(domain, IOMMU_ACCESS_READ, &one),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_identity_range_ex(domain, &one),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range(domain, IOMMU_ACCESS_READ, &mdl, 0),
			    STATUS_INVALID_PARAMETER_3);

	/* Unmap most of the large block, then all of it; it becomes free with the rest. */
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(domain, b, 511), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdkl_map(domain, &many, NULL, NULL, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, BYTES(1024));
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(domain, b + BYTES(511), 513),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdkl_map(domain, &many, NULL, NULL, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, BYTES(512));
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(domain, a, 512), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(domain, BYTES(5), 1),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, domain->core->space.nr, 0);
	fixture_disown(fake);
	wdkl_delete(test, domain);
}

static void wdkl_regions(struct kunit *test)
{
	IOMMU_MAP_PHYSICAL_ADDRESS memory = wdkl_memory(test, 8), one = wdkl_memory(test, 0);
	IOMMU_DMA_RESERVED_REGION kept = { .Base = BYTES(16), .NumberOfPages = 2 };
	IOMMU_DMA_RESERVED_REGION mapped = {
		.RegionNext = &kept,
		.Base = memory.ContiguousRange.Base.QuadPart,
		.NumberOfPages = 256,
		.ShouldMap = TRUE,
	};
	struct fake_iommu *fake = fixture_fake(FIXTURE(test), FAKE_PGSIZES_X86);
	IOMMU_DMA_LOGICAL_ADDRESS at = BYTES(17), out = 1;
	PIOMMU_DMA_DOMAIN domain;

	KUNIT_ASSERT_STATUS(test, wdkl_create(DomainTypeTranslate, 0, &mapped, &domain),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain->core, fake), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, 256);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(domain, IOMMU_ACCESS_READ, &one,
							   &at, NULL, NULL, &out),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk_map_identity_range_ex(domain, IOMMU_ACCESS_READ,
							    &memory),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_identity_range_ex(domain, &memory),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(domain, mapped.Base, 1),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_EQ(test, fake->mapped, 256);
	at = BYTES(18);
	KUNIT_EXPECT_STATUS(test, wdk_map_logical_range_ex(domain, IOMMU_ACCESS_READ, &one,
							   &at, NULL, NULL, &out),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, out, at);
	fixture_disown(fake);
	wdkl_delete(test, domain);
}

static NTSTATUS wdkl_map_segment(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token, u64 page,
				 PIOMMU_MAP_PHYSICAL_ADDRESS memory,
				 PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment)
{
	unsigned long flags;
	NTSTATUS status;

	spin_lock_irqsave(&wdkl_lock, flags);
	status = wdk_map_reserved_logical_range(token, BYTES(page), IOMMU_ACCESS_WRITE,
						memory, segment);
	spin_unlock_irqrestore(&wdkl_lock, flags);
	return status;
}

static NTSTATUS wdkl_unmap_segment(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT segment)
{
	unsigned long flags;
	NTSTATUS status;

	spin_lock_irqsave(&wdkl_lock, flags);
	status = wdk_unmap_reserved_logical_range(segment);
	spin_unlock_irqrestore(&wdkl_lock, flags);
	return status;
}

static PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN
wdkl_token(struct kunit *test, PIOMMU_DMA_DOMAIN domain, u64 pages,
	   PIOMMU_DMA_LOGICAL_ADDRESS at)
{
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token;

	KUNIT_ASSERT_STATUS(test, wdk_reserve_logical_address_range(domain, BYTES(pages), at,
								    NULL, NULL, &token),
			    STATUS_SUCCESS);
	return token;
}

static void wdkl_tokens(struct kunit *test)
{
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT s = { };
	IOMMU_MAP_PHYSICAL_ADDRESS memory = wdkl_memory(test, 9);
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token = NULL, other = NULL;
	IOMMU_DMA_LOGICAL_ADDRESS at = BYTES(1000);
	struct fake_iommu *fake;
	PIOMMU_DMA_DOMAIN domain = wdkl_domain(test, 0, &fake);

	KUNIT_EXPECT_STATUS(test, wdk_reserve_logical_address_range(domain, 1, &at, NULL,
								    NULL, &token),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_NULL(test, token);
	token = wdkl_token(test, domain, 1200, &at);
	KUNIT_EXPECT_EQ(test, token->LogicalAddressBase, at);
	KUNIT_EXPECT_EQ(test, token->Size, BYTES(1200));
	KUNIT_EXPECT_STATUS(test, wdk_reserve_logical_address_range(domain, BYTES(1), &at,
								    NULL, NULL, &other),
			    STATUS_RESOURCE_IN_USE);

	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 0, &memory, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_free_reserved_logical_address_range(token),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(&s), STATUS_SUCCESS);
	fixture_disown(fake);

	KUNIT_EXPECT_STATUS(test, wdk_delete_domain(domain), STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk_free_reserved_logical_address_range(token),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_free_reserved_logical_address_range(token),
			    STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 0, &memory, &s),
			    STATUS_UNSUCCESSFUL);
	wdkl_delete(test, domain);
}

static void wdkl_segments_bad(struct kunit *test)
{
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT s = { };
	IOMMU_MAP_PHYSICAL_ADDRESS memory = wdkl_memory(test, 9), odd = memory;
	IOMMU_DMA_LOGICAL_ADDRESS at = BYTES(1000);
	struct fake_iommu *fake;
	PIOMMU_DMA_DOMAIN domain = wdkl_domain(test, 0, &fake);
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token = wdkl_token(test, domain, 1200, &at);

	odd.ContiguousRange.Size++;
	KUNIT_EXPECT_STATUS(test, wdk_map_reserved_logical_range(token, 0, 4, &memory, &s),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 0, &odd, &s),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 0, NULL, &s),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 0, &memory, NULL),
			    STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_STATUS(test, wdk_map_reserved_logical_range(token, 1, IOMMU_ACCESS_READ,
								 &memory, &s),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 1200, &memory, &s),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 1199, &memory, &s),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(NULL, 0, &memory, &s),
			    STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_NULL(test, s.OwningToken);
	KUNIT_EXPECT_EQ(test, fake->mapped, 0);
	fixture_disown(fake);
	KUNIT_EXPECT_STATUS(test, wdk_free_reserved_logical_address_range(token),
			    STATUS_SUCCESS);
	wdkl_delete(test, domain);
}

static void wdkl_segments(struct kunit *test)
{
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT s = { }, t = { }, other = { };
	IOMMU_MAP_PHYSICAL_ADDRESS memory = wdkl_memory(test, 9);
	IOMMU_DMA_LOGICAL_ADDRESS at = BYTES(1000);
	struct fake_iommu *fake;
	PIOMMU_DMA_DOMAIN domain = wdkl_domain(test, 0, &fake);
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token = wdkl_token(test, domain, 1200, &at);

	/* Changes that drivers make to the token have no effect. */
	token->LogicalAddressBase = 0;
	token->Size = 1;
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 100, &memory, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, s.OwningToken, token);
	KUNIT_EXPECT_EQ(test, s.Offset, BYTES(100));
	KUNIT_EXPECT_EQ(test, s.Size, BYTES(512));
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 612, &memory, &t), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, 1024);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 0, &memory, &other),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdk_unmap_logical_range(domain, BYTES(1100), 1),
			    STATUS_RESOURCE_IN_USE);

	/* A segment that differs from the mapped one */
	other = s;
	other.Size -= PAGE_SIZE;
	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(&other), STATUS_INVALID_PARAMETER);
	other = s;
	other.Offset += PAGE_SIZE;
	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(&other), STATUS_INVALID_PARAMETER);
	other = s;
	other.OwningToken++;
	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(&other), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(NULL), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, fake->mapped, 1024);

	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(&s), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, s.Size, 0);
	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(&s), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, fake->mapped, 512);
	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(&t), STATUS_SUCCESS);
	fixture_disown(fake);
	KUNIT_EXPECT_STATUS(test, wdk_free_reserved_logical_address_range(token),
			    STATUS_SUCCESS);
	wdkl_delete(test, domain);
}

/* A map that fails in the middle leaves nothing of the segment. */
static void wdkl_token_undo(struct kunit *test)
{
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT s = { };
	IOMMU_MAP_PHYSICAL_ADDRESS memory = wdkl_memory(test, 10);
	struct fake_iommu *fake;
	PIOMMU_DMA_DOMAIN domain = wdkl_domain(test, 40, &fake);
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token = wdkl_token(test, domain, 1024, NULL);

	fake_iommu_fail_map(fake, 6, true);
	KUNIT_EXPECT_FALSE(test, wdm_ok(wdkl_map_segment(token, 0, &memory, &s)));
	fake_iommu_fail_map(fake, 0, false);
	KUNIT_EXPECT_EQ(test, fake->mapped, 0);
	KUNIT_EXPECT_EQ(test, s.Size, 0);
	KUNIT_EXPECT_STATUS(test, wdkl_map_segment(token, 0, &memory, &s), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdkl_unmap_segment(&s), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdk_free_reserved_logical_address_range(token),
			    STATUS_SUCCESS);
	fixture_disown(fake);
	wdkl_delete(test, domain);
}

#define WDKL_RACES	300

struct wdkl_race {
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token;
	PIOMMU_MAP_PHYSICAL_ADDRESS memory;
	bool stop;
	unsigned int mapped;
	unsigned int refused;
	unsigned int bad;
	struct completion done;
};

/* Map and unmap in whatever token exists, until told to stop. */
static int wdkl_race_map(void *data)
{
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT s;
	struct wdkl_race *race = data;
	NTSTATUS status;

	while (!READ_ONCE(race->stop)) {
		status = wdkl_map_segment(READ_ONCE(race->token), 0, race->memory, &s);
		if (status == STATUS_UNSUCCESSFUL)
			race->refused++;
		else if (wdm_ok(status) && wdm_ok(wdkl_unmap_segment(&s)))
			race->mapped++;
		else
			race->bad++;
		cond_resched();
	}
	complete(&race->done);
	return 0;
}

/* Frees race with maps: each map finds a token or gets a status. */
static void wdkl_token_race(struct kunit *test)
{
	IOMMU_MAP_PHYSICAL_ADDRESS memory = wdkl_memory(test, 4);
	struct wdkl_race race = { .memory = &memory };
	struct fake_iommu *fake;
	PIOMMU_DMA_DOMAIN domain = wdkl_domain(test, 32, &fake);
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token;
	struct task_struct *task;
	NTSTATUS status;
	unsigned int i;

	init_completion(&race.done);
	task = kthread_run(wdkl_race_map, &race, "wdkl_race");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < WDKL_RACES; i++) {
		status = wdk_reserve_logical_address_range(domain, BYTES(16), NULL, NULL,
							   NULL, &token);
		KUNIT_EXPECT_STATUS(test, status, STATUS_SUCCESS);
		if (!wdm_ok(status))
			break;
		WRITE_ONCE(race.token, token);
		cond_resched();
		while (wdk_free_reserved_logical_address_range(token) ==
		       STATUS_RESOURCE_IN_USE)
			cond_resched();
	}
	WRITE_ONCE(race.stop, true);
	wait_for_completion(&race.done);
	KUNIT_EXPECT_EQ(test, race.bad, 0);
	KUNIT_EXPECT_GT(test, race.refused, 0);
	kunit_info(test, "%u maps, %u without a token\n", race.mapped, race.refused);
	fixture_disown(fake);
	wdkl_delete(test, domain);
}

static struct kunit_case wdkl_cases[] = {
	KUNIT_CASE(wdkl_create_types),
	KUNIT_CASE(wdkl_create_lists),
	KUNIT_CASE(wdkl_alloc),
	KUNIT_CASE(wdkl_regions),
	KUNIT_CASE(wdkl_tokens),
	KUNIT_CASE(wdkl_segments_bad),
	KUNIT_CASE(wdkl_segments),
	KUNIT_CASE(wdkl_token_undo),
	KUNIT_CASE(wdkl_token_race),
	{}
};

static struct kunit_suite wdkl_suite = {
	.name = "wdm_iommu_wdk_logical",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = wdkl_cases,
};

kunit_test_suite(wdkl_suite);
