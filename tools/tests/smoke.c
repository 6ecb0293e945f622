// SPDX-License-Identifier: GPL-2.0
/*
 * The shortest proof that a machine's module works.
 */
#include "suites.h"
#include "world.h"

static void info(void)
{
	struct wdm_iommu_info info;
	struct world world;

	open_world(&world);
	MUST(wdm_info(world.fd, &info));
	CHECK_EQUAL(info.interface_version, 1);
	CHECK_EQUAL(info.page_size, WDM_PAGE_SIZE);
	CHECK_EQUAL(info.formats, 1 << WDM_IOMMU_FORMAT_X64 | 1 << WDM_IOMMU_FORMAT_ARM64);
	CHECK(info.max_mdl_length >= 1ULL << 30);
	CHECK(info.max_va_list >= 1);
	CHECK(info.flags & WDM_IOMMU_INFO_VFIO_CONTAINER);
}

static void os_managed(void)
{
	struct world world;

	open_os_managed(&world, 2, 0);
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
	MUST(map_pages(&world, 1, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
	MUST(wdm_unmap(world.fd, world.domain, ADDRESS, 1));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
}

static void caller_managed(void)
{
	struct world world;

	open_caller_managed(&world, 2, parameter());
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
	REQUIRE(wdm_tables_map(&world.tables, ADDRESS, caller(page(&world, 1)), WDM_LEVEL_4K,
			       WDM_RW));
	MUST(wdm_flush(world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
	*wdm_tables_entry(&world.tables, ADDRESS, WDM_LEVEL_4K, false) = 0;
	MUST(wdm_flush(world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
}

static const struct test_case cases[] = {
	{ .name = "info", .run = info },
	{ .name = "an OS-managed domain", .run = os_managed, .needs = NEEDS_DEVICE },
	{ .name = "a caller-managed domain", .run = caller_managed, .needs = NEEDS_DEVICE,
	  .formats = true },
};

const struct suite smoke_suite = { "smoke", cases, ARRAY_SIZE(cases) };
