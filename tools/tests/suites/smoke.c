// SPDX-License-Identifier: GPL-2.0
/*
 * The shortest test that the module works on a machine.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>

#include "suites.h"
#include "fixture.h"

/* INFO reports the interfaces of VFIO through which devices can be opened, and no others. */
static void providers(int fd, __u32 flags)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	__u32 device;

	CHECK_EQUAL(ioctl(container, VFIO_CHECK_EXTENSION, WDM_IOMMU_VFIO_IOMMU) == 1,
		    !!(flags & WDM_IOMMU_INFO_VFIO_CONTAINER));
	EXPECT(flags & WDM_IOMMU_INFO_VFIO_CDEV ? STATUS_INVALID_HANDLE : STATUS_NOT_SUPPORTED,
	       wdm_device_create_cdev(fd, -1, &device, NULL));
	CHECK(flags & (options.cdev ? WDM_IOMMU_INFO_VFIO_CDEV : WDM_IOMMU_INFO_VFIO_CONTAINER));
}

static void info(void)
{
	struct wdm_iommu_info info;
	struct fixture fixture;

	open_fixture(&fixture);
	MUST(wdm_info(fixture.fd, &info));
	/* 3 if the kernel can attach PASIDs */
	CHECK(info.interface_version == 2 || info.interface_version == 3);
	CHECK(info.max_regions >= 1);
	CHECK_EQUAL(info.page_size, WDM_PAGE_SIZE);
	CHECK_EQUAL(info.formats, 1 << WDM_IOMMU_FORMAT_X64 | 1 << WDM_IOMMU_FORMAT_ARM64);
	CHECK(info.max_mdl_length >= 1ULL << 30);
	CHECK(info.max_va_list >= 1);
	CHECK(info.max_events >= 2);
	CHECK_EQUAL(info.event_size, sizeof(struct wdm_iommu_event));
	providers(fixture.fd, info.flags);
}

static void os_managed(void)
{
	struct fixture fixture;

	open_os_managed(&fixture, 2, 0);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, WDM_PAGE_SIZE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

static void caller_managed(void)
{
	struct fixture fixture;

	open_caller_managed(&fixture, 2, parameter());
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	REQUIRE(wdm_tables_map(&fixture.tables, ADDRESS, caller(page(&fixture, 1)), WDM_LEVEL_4K,
			       WDM_RW));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	*wdm_tables_entry(&fixture.tables, ADDRESS, WDM_LEVEL_4K, false) = 0;
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

static const struct test_case cases[] = {
	{ .name = "info", .run = info },
	{ .name = "an OS-managed domain", .run = os_managed, .needs = NEEDS_DEVICE },
	{ .name = "a caller-managed domain", .run = caller_managed, .needs = NEEDS_DEVICE,
	  .formats = true },
};

const struct suite smoke_suite = { "smoke", cases, ARRAY_SIZE(cases) };
