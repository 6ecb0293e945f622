// SPDX-License-Identifier: GPL-2.0
/*
 * Version 2 of the contract: domains by type, allocated addresses, physical memory,
 * tokens and segments.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "suites.h"
#include "fixture.h"

#define PAGE		WDM_PAGE_SIZE
#define PARAMETER	"/sys/module/wdm_iommu/parameters/allow_pass_through"

static __u32 create(int fd, __u32 width, __u32 *domain)
{
	return wdm_domain_create_ex(fd, WDM_IOMMU_TYPE_TRANSLATE, width, NULL, 0, domain);
}

/* Open a domain with an allocator, and a device in it whose buffer is loaded. */
static void start(struct fixture *fixture, size_t pages, __u32 width)
{
	__u64 address;

	open_fixture(fixture);
	open_arena(fixture, pages);
	open_device(fixture);
	MUST(create(fixture->fd, width, &fixture->domain));
	MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	MUST(wdm_map_anywhere(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, PAGE,
			      &address));
	CHECK_EQUAL(address, PAGE);
	REQUIRE(probe_load(&fixture->probe, address, page(fixture, 0)));
}

static struct wdm_iommu_memory part(const struct fixture *fixture, size_t first, size_t pages)
{
	return (struct wdm_iommu_memory) {
		.type = WDM_IOMMU_MEMORY_MDL,
		.mdl = fixture->mdl,
		.address = first * PAGE,
		.length = pages * PAGE,
	};
}

static void creation(void)
{
	struct wdm_iommu_domain_create_ex argument = { .size = sizeof(argument) };
	const __u32 bad_widths[] = { 1, 12, 64, 0xffffffff };
	struct fixture fixture;
	__u32 domain;

	open_fixture(&fixture);
	argument.type = WDM_IOMMU_TYPE_TRANSLATE_S1 + 1;
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_call(fixture.fd, WDM_IOMMU_DOMAIN_CREATE_EX, &argument));
	argument.type = WDM_IOMMU_TYPE_TRANSLATE;
	argument.creation_flags = 1ULL << 63;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_call(fixture.fd, WDM_IOMMU_DOMAIN_CREATE_EX, &argument));
	argument.creation_flags = 0;
	argument.flags = WDM_IOMMU_DOMAIN_PAGE_GRANULAR << 1;
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_call(fixture.fd, WDM_IOMMU_DOMAIN_CREATE_EX, &argument));
	argument.flags = 0;
	argument.allocator = WDM_IOMMU_ALLOCATOR_BUDDY + 1;
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_call(fixture.fd, WDM_IOMMU_DOMAIN_CREATE_EX, &argument));
	argument.allocator = WDM_IOMMU_ALLOCATOR_BUDDY;
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_call(fixture.fd, WDM_IOMMU_DOMAIN_CREATE_EX, &argument));
	argument.allocator = WDM_IOMMU_ALLOCATOR_NONE;
	argument.address_width = 32;
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_call(fixture.fd, WDM_IOMMU_DOMAIN_CREATE_EX, &argument));
	for (size_t i = 0; i < ARRAY_SIZE(bad_widths); i++)
		EXPECT(STATUS_INVALID_PARAMETER_3, create(fixture.fd, bad_widths[i], &domain));
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_UNMANAGED, 32, NULL, 0, &domain));

	MUST(create(fixture.fd, 13, &domain));
	MUST(create(fixture.fd, 63, &domain));
	MUST(wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_UNMANAGED, 0, NULL, 0, &domain));
	CHECK(!(query(fixture.fd, domain).flags & WDM_IOMMU_DOMAIN_IS_OS_MANAGED));
}

static __u32 create_reserved(int fd, __u32 width, const struct wdm_iommu_region *regions,
			     __u32 number, __u32 *domain)
{
	return wdm_domain_create_ex(fd, WDM_IOMMU_TYPE_TRANSLATE, width, regions, number, domain);
}

static void bad_regions(void)
{
	/* Unaligned, empty, overflowing, with an unknown flag */
	const struct wdm_iommu_region bad[] = {
		{ .start = 0x1001, .length = PAGE },
		{ .start = 0x1000, .length = PAGE + 1 },
		{ .start = 0x1000 },
		{ .start = -PAGE, .length = 2 * PAGE },
		{ .start = 0x1000, .length = PAGE, .should_map = 2 },
	};
	const struct wdm_iommu_region overlapping[] = {
		{ .start = 0xf000, .length = 2 * PAGE },
		{ .start = 0x10000, .length = PAGE },
	};
	struct fixture fixture;
	__u32 domain;

	open_fixture(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(STATUS_INVALID_PARAMETER_4,
		       create_reserved(fixture.fd, 0, &bad[i], 1, &domain));
	/* Beyond the width */
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       create_reserved(fixture.fd, 16, overlapping, 1, &domain));
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       create_reserved(fixture.fd, 0, overlapping, 2, &domain));
	MUST(create_reserved(fixture.fd, 0, overlapping, 1, &domain));
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_UNMANAGED, 0, overlapping, 1,
				    &domain));
	EXPECT(STATUS_ACCESS_VIOLATION, create_reserved(fixture.fd, 0, NULL, 1, &domain));
}

static void many_regions(void)
{
	static struct wdm_iommu_region regions[4097];
	struct fixture fixture;
	__u32 domain;

	open_fixture(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		regions[i] = (struct wdm_iommu_region) { .start = 2 * i * PAGE, .length = PAGE };
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       create_reserved(fixture.fd, 0, regions, ARRAY_SIZE(regions), &domain));
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       create_reserved(fixture.fd, 0, regions, 0xffffffff, &domain));
	MUST(create_reserved(fixture.fd, 36, regions, ARRAY_SIZE(regions) - 1, &domain));
	MUST(wdm_destroy(fixture.fd, domain));
}

/* Regions that are mapped from the start are not the program's memory. */
static void privileged_creation(void)
{
	const struct wdm_iommu_region mapped = { .start = 0x1000, .length = PAGE,
						 .should_map = 1 };
	struct fixture fixture;
	__u32 domain;

	open_fixture(&fixture);
	REQUIRE(drop_capability(CAP_SYS_RAWIO));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       create_reserved(fixture.fd, 0, &mapped, 1, &domain));
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_PASS_THROUGH, 0, NULL, 0, &domain));
}

/* The lowest free block of a power of two, naturally aligned; reused after an unmap */
static void allocated(void)
{
	const size_t sizes[] = { 1, 2, 3, 4, 5, 1 };
	const __u64 expected[] = { 1, 2, 4, 8, 16, 12 };
	struct fixture fixture;
	__u64 address[6], again;

	open_fixture(&fixture);
	open_arena(&fixture, 8);
	MUST(create(fixture.fd, 32, &fixture.domain));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0,
				      sizes[i] * PAGE, &address[i]));
		CHECK_EQUAL(address[i], expected[i] * PAGE);
	}
	/* A block is not free until all of it is unmapped. */
	MUST(wdm_unmap(fixture.fd, fixture.domain, address[1], PAGE));
	MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE, &again));
	CHECK_EQUAL(again, 13 * PAGE);
	MUST(wdm_unmap(fixture.fd, fixture.domain, address[1] + PAGE, PAGE));
	MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE, &again));
	CHECK_EQUAL(again, address[1]);
	/* Nor is the part that was added by rounding up. */
	MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE, &again));
	CHECK_EQUAL(again, address[1] + PAGE);
	MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE, &again));
	CHECK_EQUAL(again, 14 * PAGE);
}

static void limits(void)
{
	const __u32 both = WDM_IOMMU_ADDRESS_MIN | WDM_IOMMU_ADDRESS_MAX;
	struct wdm_iommu_memory memory;
	struct fixture fixture;
	__u64 address = 7, min;

	open_fixture(&fixture);
	open_arena(&fixture, 8);
	MUST(create(fixture.fd, 24, &fixture.domain));
	memory = part(&fixture, 0, 3);
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			WDM_IOMMU_ADDRESS_MIN, 0x10001, 0));
	CHECK_EQUAL(address, 0x14000);
	/* The limit includes the last byte of the block, of four pages. */
	min = 0x20000;
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, both, min,
			min + 4 * PAGE - 1));
	CHECK_EQUAL(address, min);
	MUST(wdm_unmap(fixture.fd, fixture.domain, min, 3 * PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_MIX,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, both, min,
			  min + 4 * PAGE - 2));
	EXPECT(STATUS_INVALID_PARAMETER_MIX,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, both, min,
			  min - 1));
	EXPECT(STATUS_INVALID_PARAMETER_MIX,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			  WDM_IOMMU_ADDRESS_MIN, 1 << 24, 0));
	EXPECT(STATUS_INVALID_PARAMETER_MIX,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			  WDM_IOMMU_ADDRESS_MAX, 0, 0));
	CHECK_EQUAL(address, min);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 3);

	/* Full: the status differs without limits. */
	MUST(create(fixture.fd, 14, &fixture.domain));
	for (__u64 i = 1; i < 4; i++) {
		MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE,
				      &address));
		CHECK_EQUAL(address, i * PAGE);
	}
	EXPECT(STATUS_INSUFFICIENT_RESOURCES,
	       wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE,
				&address));
}

static void wrong_calls(void)
{
	struct wdm_iommu_memory memory, bad;
	__u32 allocating, caller_managed, mdl;
	__u64 address = ADDRESS;
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 8);
	memory = part(&fixture, 0, 1);
	MUST(create(fixture.fd, 32, &allocating));
	MUST(create(fixture.fd, 0, &fixture.domain));
	MUST(wdm_domain_create(fixture.fd, false, 0, &caller_managed));

	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_map(fixture.fd, allocating, WDM_RW, fixture.mdl, 0, PAGE, ADDRESS));
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_map_ex(fixture.fd, allocating, WDM_RW, &memory, &address,
			  WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0));
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_map_ex(fixture.fd, allocating, WDM_RW, &memory, &address,
			  WDM_IOMMU_ADDRESS_IDENTITY, 0, 0));
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_map_ex(fixture.fd, caller_managed, WDM_RW, &memory, &address, 0, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_map_ex(fixture.fd, allocating, 0, &memory, &address, 0, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_map_ex(fixture.fd, allocating, 4, &memory, &address, 0, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_map_ex(fixture.fd, allocating, WDM_RW, &memory, &address, 1 << 4, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			  WDM_IOMMU_ADDRESS_IDENTITY | WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0));
	address++;
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			  WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0));

	/* Invalid memory */
	bad = memory;
	bad.type = WDM_IOMMU_MEMORY_FRAMES + 1;
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
	bad = part(&fixture, 8, 1);
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
	for (__u32 type = WDM_IOMMU_MEMORY_USER; type <= WDM_IOMMU_MEMORY_PHYSICAL; type++) {
		bad = (struct wdm_iommu_memory) { .type = type, .address = 0x1001,
						  .length = PAGE };
		EXPECT(STATUS_INVALID_PARAMETER_3,
		       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
		bad = (struct wdm_iommu_memory) { .type = type, .address = -PAGE,
						  .length = 2 * PAGE };
		EXPECT(STATUS_INVALID_PARAMETER_3,
		       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
		bad.length = PAGE / 2;
		EXPECT(STATUS_INVALID_PARAMETER_3,
		       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
		bad.length = 0;
		EXPECT(STATUS_INVALID_PARAMETER_3,
		       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
		bad = (struct wdm_iommu_memory) { .type = type, .mdl = fixture.mdl,
						  .address = PAGE, .length = PAGE };
		EXPECT(STATUS_INVALID_PARAMETER_3,
		       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
	}
	bad = (struct wdm_iommu_memory) { .type = WDM_IOMMU_MEMORY_USER, .length = PAGE };
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
	bad = (struct wdm_iommu_memory) { .type = WDM_IOMMU_MEMORY_USER, .address = PAGE,
					  .length = (__u64)PAGE << 32 };
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
	MUST(wdm_mdl_create(fixture.fd, fixture.arena, PAGE, WDM_IOMMU_READ, &mdl));
	bad = (struct wdm_iommu_memory) { .type = WDM_IOMMU_MEMORY_MDL, .mdl = mdl };
	EXPECT(STATUS_ACCESS_DENIED,
	       wdm_map_ex(fixture.fd, allocating, WDM_RW, &bad, &address, 0, 0, 0));
	CHECK_EQUAL(query(fixture.fd, allocating).mapped_pages, 0);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);
}

/* An allocated address reaches the memory, until it is unmapped. */
static void dma(void)
{
	struct wdm_iommu_memory memory = { .type = WDM_IOMMU_MEMORY_USER, .length = PAGE };
	struct fixture fixture;
	__u64 address, user;

	start(&fixture, 8, 32);
	MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, PAGE, 3 * PAGE,
			      &address));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 2 * PAGE, page(&fixture, 3)));
	/* The part that was added by rounding up is not mapped. */
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + 3 * PAGE, page(&fixture, 4)));
	memory.address = caller(page(&fixture, 5));
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &user, 0, 0, 0));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, user, page(&fixture, 5)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, user, PAGE));
	MUST(wdm_unmap(fixture.fd, fixture.domain, address, 3 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, user, page(&fixture, 5)));
}

/* Reserved addresses are never allocated, whether the domain or the device reserves them. */
static void reserved(void)
{
	const struct wdm_iommu_region regions[] = {
		{ .start = 3 * PAGE, .length = 2 * PAGE },
		{ .start = 9 * PAGE, .length = PAGE },
	};
	const __u64 expected[] = { 1, 2, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15 };
	const __u32 both = WDM_IOMMU_ADDRESS_MIN | WDM_IOMMU_ADDRESS_MAX;
	const __u64 min = MSI_ADDRESS - PAGE, max = MSI_ADDRESS + MSI_LENGTH + PAGE - 1;
	struct wdm_iommu_memory memory;
	struct fixture fixture;
	__u64 address;

	start(&fixture, 4, 34);
	memory = part(&fixture, 1, 1);
	/* Reserved by the device */
	address = 0;
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, both, min, max));
	CHECK_EQUAL(address, MSI_ADDRESS - PAGE);
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, both, min, max));
	CHECK_EQUAL(address, MSI_ADDRESS + MSI_LENGTH);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address, page(&fixture, 1)));
	EXPECT(STATUS_INVALID_PARAMETER_MIX,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, both, min,
			  max));
	/* Reserved by the domain, all of which is used */
	MUST(wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_TRANSLATE, 16, regions, 2,
				  &fixture.domain));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
		CHECK_EQUAL(address, expected[i] * PAGE);
	}
	EXPECT(STATUS_INSUFFICIENT_RESOURCES,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	/* Without an allocator */
	MUST(wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_TRANSLATE, 0, regions, 2,
				  &fixture.domain));
	EXPECT(STATUS_RESOURCE_IN_USE, map_pages(&fixture, 0, 2, 2 * PAGE));
	EXPECT(STATUS_RESOURCE_IN_USE, map_pages(&fixture, 0, 1, 9 * PAGE));
	MUST(map_pages(&fixture, 0, 1, 2 * PAGE));
	MUST(map_pages(&fixture, 0, 4, 5 * PAGE));
}

/* Memory by its physical address: this program's own, so that its contents can be checked */
static void physical(void)
{
	struct wdm_iommu_memory memory = { .type = WDM_IOMMU_MEMORY_PHYSICAL, .length = PAGE };
	__u64 frames[3], address, physical;
	struct wdm_iommu_region region = { .length = PAGE, .should_map = 1 };
	struct fixture fixture;

	start(&fixture, 8, 32);
	memory.address = physical_address(page(&fixture, 1));
	if (!memory.address)
		skip("where this memory is cannot be known");
	physical = memory.address;
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address, page(&fixture, 1)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, address, PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address, page(&fixture, 1)));

	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = physical_address(page(&fixture, 4 - i)) / PAGE;
	memory = (struct wdm_iommu_memory) {
		.type = WDM_IOMMU_MEMORY_FRAMES, .address = caller(frames), .length = 3 * PAGE,
	};
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		EXPECT_DMA(DMA_ARRIVED,
			   write_to(&fixture, address + i * PAGE, page(&fixture, 4 - i)));
	memory.address = 0;
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	memory.address = 8;
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	/* Not memory: a device's window, beyond all memory, beyond the possible addresses */
	frames[2] = MSI_ADDRESS / PAGE;
	memory.address = caller(frames);
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	frames[2] = ~0ULL;
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	memory = (struct wdm_iommu_memory) {
		.type = WDM_IOMMU_MEMORY_PHYSICAL, .address = 1ULL << 51, .length = PAGE,
	};
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));

	/* One to one, by a call and by a region */
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(create(fixture.fd, 0, &fixture.domain));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	memory.address = physical;
	address = 0;
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			WDM_IOMMU_ADDRESS_IDENTITY, 0, 0));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, physical, page(&fixture, 1)));
	MUST(wdm_unmap(fixture.fd, fixture.domain, physical, PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, physical, page(&fixture, 1)));
	region.start = physical;
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_TRANSLATE, 0, &region, 1,
				  &fixture.domain));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, physical, page(&fixture, 1)));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_unmap(fixture.fd, fixture.domain, physical, PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, physical, page(&fixture, 1)));

	REQUIRE(drop_capability(CAP_SYS_RAWIO));
	for (__u32 type = WDM_IOMMU_MEMORY_PHYSICAL; type <= WDM_IOMMU_MEMORY_FRAMES; type++) {
		memory.type = type;
		EXPECT(STATUS_PRIVILEGE_NOT_HELD,
		       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address, 0, 0, 0));
	}
	memory = part(&fixture, 0, 1);
	EXPECT(STATUS_PRIVILEGE_NOT_HELD,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			  WDM_IOMMU_ADDRESS_IDENTITY, 0, 0));
}

static void pass_through(void)
{
	struct wdm_iommu_memory memory;
	struct fixture fixture;
	__u64 address = 0;
	__u32 domain;

	if (kernel_has_symbol("iommu_debug_init"))
		skip("the kernel warns of pages that it frees while they are mapped");
	REQUIRE(write_text(PARAMETER, "0"));
	open_fixture(&fixture);
	open_arena(&fixture, 4);
	open_device(&fixture);
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_PASS_THROUGH, 0, NULL, 0, &domain));
	REQUIRE(write_text(PARAMETER, "1"));
	/* An allocator and regions mean nothing, so nothing is wrong with them. */
	MUST(wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_PASS_THROUGH, 3, NULL, 1, &domain));
	MUST(wdm_destroy(fixture.fd, domain));
	MUST(wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_PASS_THROUGH, 0, NULL, 0, &domain));
	fixture.domain = domain;
	memory = part(&fixture, 0, 1);
	EXPECT(STATUS_INVALID_PARAMETER_1, map_pages(&fixture, 0, 1, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_map_ex(fixture.fd, domain, WDM_RW, &memory, &address, 0, 0, 0));
	MUST(wdm_map_ex(fixture.fd, domain, WDM_RW, &memory, &address, WDM_IOMMU_ADDRESS_IDENTITY,
			0, 0));
	MUST(wdm_attach(fixture.fd, domain, fixture.device->handle));
	address = physical_address(page(&fixture, 1));
	if (address) {
		REQUIRE(probe_load(&fixture.probe, physical_address(page(&fixture, 0)),
				   page(&fixture, 0)));
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address, page(&fixture, 1)));
	}
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	/* A device for which the administrator no longer allows it */
	REQUIRE(write_text(PARAMETER, "0"));
	EXPECT(STATUS_ACCESS_DENIED, wdm_attach(fixture.fd, domain, fixture.device->handle));
	MUST(wdm_destroy(fixture.fd, domain));
}

static void tokens(void)
{
	struct wdm_iommu_memory memory;
	__u64 address = ADDRESS;
	struct fixture fixture;
	__u32 token, other;

	open_os_managed(&fixture, 8, 0);
	memory = part(&fixture, 1, 2);
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_reserve(fixture.fd, fixture.domain, 0, &address, WDM_IOMMU_ADDRESS_EXPLICIT,
			   0, 0, &token));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_reserve(fixture.fd, fixture.domain, PAGE + 1, &address,
			   WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0, &token));
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_reserve(fixture.fd, fixture.domain, PAGE, &address, 0, 0, 0, &token));
	address = ADDRESS + 1;
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_reserve(fixture.fd, fixture.domain, PAGE, &address, WDM_IOMMU_ADDRESS_EXPLICIT,
			   0, 0, &token));
	address = HOME_ADDRESS;
	EXPECT(STATUS_RESOURCE_IN_USE,
	       wdm_reserve(fixture.fd, fixture.domain, PAGE, &address, WDM_IOMMU_ADDRESS_EXPLICIT,
			   0, 0, &token));
	address = MSI_ADDRESS;
	EXPECT(STATUS_CONFLICTING_ADDRESSES,
	       wdm_reserve(fixture.fd, fixture.domain, PAGE, &address, WDM_IOMMU_ADDRESS_EXPLICIT,
			   0, 0, &token));
	address = ADDRESS;
	MUST(wdm_reserve(fixture.fd, fixture.domain, 8 * PAGE, &address,
			 WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0, &token));
	CHECK_EQUAL(address, ADDRESS);
	EXPECT(STATUS_RESOURCE_IN_USE,
	       wdm_reserve(fixture.fd, fixture.domain, PAGE, &address, WDM_IOMMU_ADDRESS_EXPLICIT,
			   0, 0, &other));
	EXPECT(STATUS_RESOURCE_IN_USE, map_pages(&fixture, 1, 1, ADDRESS + 7 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));

	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_map_reserved(fixture.fd, token, 1, WDM_RW, &memory));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_map_reserved(fixture.fd, token, 8 * PAGE, WDM_RW, &memory));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_map_reserved(fixture.fd, token, 0, 0, &memory));
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       wdm_map_reserved(fixture.fd, token, 7 * PAGE, WDM_RW, &memory));
	memory.length = PAGE + 1;
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       wdm_map_reserved(fixture.fd, token, 0, WDM_RW, &memory));
	memory.length = 2 * PAGE;
	MUST(wdm_map_reserved(fixture.fd, token, PAGE, WDM_RW, &memory));
	EXPECT(STATUS_RESOURCE_IN_USE,
	       wdm_map_reserved(fixture.fd, token, 2 * PAGE, WDM_RW, &memory));
	MUST(wdm_map_reserved(fixture.fd, token, 3 * PAGE, WDM_IOMMU_READ, &memory));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + 2 * PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + 3 * PAGE, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));

	EXPECT(STATUS_RESOURCE_IN_USE, wdm_unmap(fixture.fd, fixture.domain, ADDRESS + PAGE, PAGE));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, token));
	EXPECT(STATUS_INVALID_PARAMETER, wdm_unmap_reserved(fixture.fd, token, PAGE, PAGE));
	EXPECT(STATUS_INVALID_PARAMETER, wdm_unmap_reserved(fixture.fd, token, 0, 2 * PAGE));
	EXPECT(STATUS_INVALID_PARAMETER, wdm_unmap_reserved(fixture.fd, token, PAGE, 4 * PAGE));
	EXPECT(STATUS_INVALID_PARAMETER, wdm_unmap_reserved(fixture.fd, token, PAGE, -PAGE));
	MUST(wdm_unmap_reserved(fixture.fd, token, PAGE, 2 * PAGE));
	EXPECT(STATUS_INVALID_PARAMETER, wdm_unmap_reserved(fixture.fd, token, PAGE, 2 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 1)));
	MUST(wdm_unmap_reserved(fixture.fd, token, 3 * PAGE, 2 * PAGE));

	/* A token keeps its domain, and frees its addresses when it is destroyed. */
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(fixture.fd, fixture.domain));
	MUST(wdm_destroy(fixture.fd, token));
	MUST(map_pages(&fixture, 1, 2, ADDRESS));
	MUST(wdm_destroy(fixture.fd, fixture.domain));
}

/* With an allocator, and a device that is attached later */
static void token_allocated(void)
{
	struct wdm_iommu_memory memory;
	struct fixture fixture;
	__u64 address = 0, next;
	__u32 token;

	start(&fixture, 8, 32);
	EXPECT(STATUS_NOT_SUPPORTED,
	       wdm_reserve(fixture.fd, fixture.domain, PAGE, &address, WDM_IOMMU_ADDRESS_EXPLICIT,
			   0, 0, &token));
	EXPECT(STATUS_INVALID_PARAMETER_MIX,
	       wdm_reserve(fixture.fd, fixture.domain, PAGE, &address, WDM_IOMMU_ADDRESS_MAX, 0,
			   PAGE - 2, &token));
	MUST(wdm_reserve(fixture.fd, fixture.domain, 4 * PAGE, &address, WDM_IOMMU_ADDRESS_MIN,
			 ADDRESS, 0, &token));
	CHECK_EQUAL(address, ADDRESS);
	MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE, &next));
	CHECK(next < address || next >= address + 4 * PAGE);
	memory = part(&fixture, 2, 4);
	MUST(wdm_map_reserved(fixture.fd, token, 0, WDM_RW, &memory));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 3 * PAGE, page(&fixture, 5)));
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 3 * PAGE, page(&fixture, 5)));
	MUST(wdm_unmap_reserved(fixture.fd, token, 0, 4 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address, page(&fixture, 2)));
	MUST(wdm_destroy(fixture.fd, token));
}

static void leave_open(bool killed)
{
	struct wdm_iommu_memory memory;
	struct fixture fixture;
	__u64 address = 0;
	__u32 token;

	start(&fixture, 8, 32);
	MUST(wdm_reserve(fixture.fd, fixture.domain, 8 * PAGE, &address, 0, 0, 0, &token));
	memory = part(&fixture, 0, 3);
	MUST(wdm_map_reserved(fixture.fd, token, 0, WDM_RW, &memory));
	MUST(wdm_map_reserved(fixture.fd, token, 5 * PAGE, WDM_RW, &memory));
	memory = (struct wdm_iommu_memory) {
		.type = WDM_IOMMU_MEMORY_USER, .address = caller(page(&fixture, 0)), .length = PAGE,
	};
	MUST(wdm_map_reserved(fixture.fd, token, 4 * PAGE, WDM_RW, &memory));
	if (killed)
		raise(SIGKILL);
	close(fixture.fd);
	CHECK_EQUAL(locked_memory(), 0);
}

/* Closing the file deletes tokens and their segments. */
static void closed(void)
{
	long long pinned = pinned_pages();
	int status;
	pid_t child;

	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		leave_open(true);
		_exit(1);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(pins_are_back(pinned));
	leave_open(false);
	CHECK(pins_are_back(pinned));
}

#define SEGMENT		(64UL << 20)
#define KILLS		12

/* Map and unmap memory as a long segment of a token until killed; @rounds: how often. */
static void map_segments(unsigned int *rounds)
{
	struct wdm_iommu_memory memory = { .type = WDM_IOMMU_MEMORY_USER, .length = SEGMENT };
	struct fixture fixture;
	__u64 address = 0;
	void *buffer;
	__u32 token;

	start(&fixture, 1, 32);
	buffer = mmap(NULL, SEGMENT, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	REQUIRE(buffer != MAP_FAILED);
	memory.address = caller(buffer);
	MUST(wdm_reserve(fixture.fd, fixture.domain, SEGMENT, &address, 0, 0, 0, &token));
	for (;; __atomic_add_fetch(rounds, 1, __ATOMIC_RELEASE)) {
		MUST(wdm_map_reserved(fixture.fd, token, 0, WDM_RW, &memory));
		MUST(wdm_unmap_reserved(fixture.fd, token, 0, SEGMENT));
	}
}

/* A process that is killed while it maps a segment leaves nothing pinned. */
static void killed_in_segments(void)
{
	long long pinned = pinned_pages();
	unsigned int *rounds = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	REQUIRE(rounds != MAP_FAILED);
	for (unsigned int i = 0; i < KILLS; i++) {
		*rounds = 0;
		child = fork();
		REQUIRE(child >= 0);
		if (!child) {
			map_segments(rounds);
			_exit(1);
		}
		while (!__atomic_load_n(rounds, __ATOMIC_ACQUIRE) && !waitpid(child, NULL, WNOHANG))
			usleep(1000);
		usleep(random_number(200000));
		kill(child, SIGKILL);
		REQUIRE(waitpid(child, NULL, 0) == child);
		if (!CHECK(pins_are_back(pinned)))
			return;
	}
}

/* Map one page of a file at two addresses, so that an identity map of both fails. */
static void identity_twice(void)
{
	struct wdm_iommu_memory memory = { .type = WDM_IOMMU_MEMORY_USER, .length = 2 * PAGE };
	int file = memfd_create("wdm-e2e", MFD_CLOEXEC);
	long long pinned = pinned_pages();
	struct fixture fixture;
	unsigned char *twice;
	__u64 address = 0;

	open_fixture(&fixture);
	MUST(create(fixture.fd, 0, &fixture.domain));
	REQUIRE(file >= 0 && !ftruncate(file, PAGE));
	twice = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	REQUIRE(twice != MAP_FAILED);
	REQUIRE(mmap(twice + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
		     0) == twice + PAGE);
	memory.address = caller(twice);
	EXPECT(STATUS_RESOURCE_IN_USE,
	       wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			  WDM_IOMMU_ADDRESS_IDENTITY, 0, 0));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
	close(file);
}

#define SEARCHED	1024UL

/* Find two pages of memory, and a third one, of which the second follows the first one. */
static bool find_neighbours(unsigned char *memory, unsigned char *found[3])
{
	static __u64 physical[SEARCHED];

	for (size_t i = 0; i < SEARCHED; i++) {
		memory[i * PAGE] = 1;
		physical[i] = physical_address(memory + i * PAGE);
		if (!physical[i])
			return false;
	}
	for (size_t i = 0; i < SEARCHED; i++)
		for (size_t j = 1; j < SEARCHED; j++)
			if (physical[j] == physical[i] + PAGE &&
			    physical[0] != physical[i] && physical[0] - physical[j] != PAGE &&
			    physical[i] - physical[0] != PAGE) {
				found[0] = memory + i * PAGE;
				found[1] = memory + j * PAGE;
				found[2] = memory;
				return true;
			}
	return false;
}

/* In an identity map, pages are mapped in the order of their physical addresses. */
static void identity_reversed(void)
{
	struct wdm_iommu_memory memory = { .type = WDM_IOMMU_MEMORY_USER, .length = 3 * PAGE };
	int file = memfd_create("wdm-e2e", MFD_CLOEXEC);
	unsigned char *all, *found[3], *reversed;
	long long pinned, locked;
	struct fixture fixture;
	__u64 first, third;
	__u64 address = 0;
	__u32 mdl;

	open_fixture(&fixture);
	MUST(create(fixture.fd, 0, &fixture.domain));
	REQUIRE(file >= 0 && !ftruncate(file, SEARCHED * PAGE));
	all = mmap(NULL, SEARCHED * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	reversed = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(all != MAP_FAILED && reversed != MAP_FAILED);
	/* Pin the pages, so that none moves. */
	MUST(wdm_mdl_create(fixture.fd, all, SEARCHED * PAGE, WDM_RW, &mdl));
	pinned = pinned_pages();
	locked = locked_memory();
	if (!find_neighbours(all, found))
		skip("no two pages are known to be next to each other");
	first = physical_address(found[0]);
	third = physical_address(found[2]);
	for (size_t i = 0; i < 3; i++) {
		unsigned char *source = found[i < 2 ? 1 - i : 2];

		REQUIRE(mmap(reversed + i * PAGE, PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED, file, source - all) == reversed + i * PAGE);
		reversed[i * PAGE] = 2;
	}
	memory.address = caller(reversed);
	MUST(wdm_map_ex(fixture.fd, fixture.domain, WDM_RW, &memory, &address,
			WDM_IOMMU_ADDRESS_IDENTITY, 0, 0));
	/* The third one stays mapped, and pinned. */
	MUST(wdm_unmap(fixture.fd, fixture.domain, first, 2 * PAGE));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 1);
	CHECK_EQUAL(pinned_pages(), pinned + 3);
	CHECK_EQUAL(locked_memory(), locked + 3 * PAGE);
	MUST(wdm_unmap(fixture.fd, fixture.domain, third, PAGE));
	CHECK_EQUAL(locked_memory(), locked);
	CHECK(pins_are_back(pinned));
	close(file);
}

static void for_pasids(void)
{
	struct fixture fixture;
	__u32 status, domain;

	open_fixture(&fixture);
	open_arena(&fixture, 2);
	status = wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_TRANSLATE_S1, 0, NULL, 0,
				      &domain);
	tap_diag("%s", wdm_status_name(status));
	if (!CHECK(status == STATUS_SUCCESS || status == STATUS_NOT_SUPPORTED) || status)
		return;
	MUST(wdm_map(fixture.fd, domain, WDM_RW, fixture.mdl, 0, PAGE, ADDRESS));
}

#define THREADS	4

/* Threads that allocate from one domain; @taken: by page, the thread that has mapped it */
struct crowd {
	const struct fixture *fixture;
	unsigned char taken[1 << 12];
	unsigned int bad;
};

static void *allocate(void *argument)
{
	struct crowd *crowd = argument;
	const struct fixture *fixture = crowd->fixture;

	for (unsigned int i = 0; i < 500; i++) {
		__u64 pages = 1 + random_number(4), address;

		if (wdm_map_anywhere(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0,
				     pages * PAGE, &address)) {
			__atomic_add_fetch(&crowd->bad, 1, __ATOMIC_RELAXED);
			continue;
		}
		for (__u64 j = 0; j < pages; j++)
			crowd->bad += __atomic_exchange_n(&crowd->taken[address / PAGE + j], 1,
							  __ATOMIC_RELAXED);
		for (__u64 j = 0; j < pages; j++)
			__atomic_store_n(&crowd->taken[address / PAGE + j], 0, __ATOMIC_RELAXED);
		if (wdm_unmap(fixture->fd, fixture->domain, address, pages * PAGE))
			__atomic_add_fetch(&crowd->bad, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t threads[THREADS];
	struct fixture fixture;
	static struct crowd crowd;
	__u64 address;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	MUST(create(fixture.fd, 24, &fixture.domain));
	crowd.fixture = &fixture;
	for (unsigned int i = 0; i < THREADS; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, allocate, &crowd));
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQUAL(crowd.bad, 0);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 0);
	MUST(wdm_map_anywhere(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE, &address));
	CHECK_EQUAL(address, PAGE);
}

static const struct test_case cases[] = {
	{ .name = "create domains", .run = creation },
	{ .name = "regions that cannot be reserved", .run = bad_regions },
	{ .name = "as many regions as there may be", .run = many_regions },
	{ .name = "regions and domains that need a privilege", .run = privileged_creation },
	{ .name = "allocated addresses", .run = allocated },
	{ .name = "limits", .run = limits },
	{ .name = "wrong calls", .run = wrong_calls },
	{ .name = "DMA to allocated addresses", .run = dma, .needs = NEEDS_DEVICE },
	{ .name = "reserved addresses", .run = reserved, .needs = NEEDS_DEVICE },
	{ .name = "physical memory", .run = physical, .needs = NEEDS_DEVICE },
	{ .name = "a pass-through domain", .run = pass_through, .needs = NEEDS_DEVICE },
	{ .name = "tokens and segments", .run = tokens, .needs = NEEDS_DEVICE },
	{ .name = "a token at an allocated address", .run = token_allocated,
	  .needs = NEEDS_DEVICE },
	{ .name = "tokens of a file that is closed", .run = closed, .needs = NEEDS_DEVICE },
	{ .name = "killed while mapping a segment", .run = killed_in_segments,
	  .needs = NEEDS_DEVICE, .seconds = 300 },
	{ .name = "identity map of a page that is there twice", .run = identity_twice },
	{ .name = "identity map of pages in reverse order", .run = identity_reversed },
	{ .name = "a domain for PASIDs", .run = for_pasids },
	{ .name = "threads that allocate", .run = threads },
};

const struct suite version2_suite = { "version2", cases, ARRAY_SIZE(cases) };
