// SPDX-License-Identifier: GPL-2.0
/*
 * The ranges that can be mapped are reported correctly and completely.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

#define PAGE		WDM_PAGE_SIZE
#define MAX_RANGES	64
#define UNTOUCHED	0x5a

struct ranges {
	struct wdm_iommu_query_ranges query;
	struct wdm_iommu_range range[MAX_RANGES];
};

static __u32 ask(int fd, __u32 object, struct ranges *ranges)
{
	memset(ranges, 0, sizeof(*ranges));
	ranges->query.number = MAX_RANGES;
	return wdm_query_ranges(fd, object, ranges->range, &ranges->query);
}

static bool is_allowed(const struct wdm_iommu_range *range)
{
	return range->kind == WDM_IOMMU_RANGE_ALLOWED;
}

/* Sorted; allowed ranges consist of whole pages in the aperture, and do not overlap. */
static bool is_sound(const struct ranges *ranges)
{
	for (__u32 i = 0; i < ranges->query.number; i++) {
		const struct wdm_iommu_range *one = &ranges->range[i];

		if (one->start > one->last || one->kind > WDM_IOMMU_RANGE_SW_MSI || one->reserved)
			return false;
		if (i && one->start < one[-1].start)
			return false;
		if (!is_allowed(one))
			continue;
		if (one->start % PAGE || (one->last + 1) % PAGE ||
		    one->start < ranges->query.aperture_start ||
		    one->last > ranges->query.aperture_end)
			return false;
		for (__u32 j = 0; j < ranges->query.number; j++) {
			const struct wdm_iommu_range *other = &ranges->range[j];

			if (j != i && one->start <= other->last && other->start <= one->last)
				return false;
		}
	}
	return ranges->query.page_sizes & PAGE;
}

static bool is_everything(const struct ranges *ranges)
{
	return ranges->query.number == 1 &&
	       is_allowed(&ranges->range[0]) && !ranges->range[0].start &&
	       ranges->range[0].last == ~0ULL && !ranges->query.aperture_start &&
	       ranges->query.aperture_end == ~0ULL;
}

static void nothing_attached(void)
{
	struct fixture fixture;
	struct ranges ranges;
	__u32 domain;

	open_fixture(&fixture);
	for (unsigned int os_managed = 0; os_managed < 2; os_managed++) {
		MUST(wdm_domain_create(fixture.fd, os_managed, 0, &domain));
		MUST(ask(fixture.fd, domain, &ranges));
		CHECK(is_sound(&ranges));
		CHECK(is_everything(&ranges));
		CHECK_EQUAL(ranges.query.page_sizes, 0x7ffff000);
	}
	MUST(wdm_domain_create(fixture.fd, true, WDM_IOMMU_DOMAIN_PAGE_GRANULAR, &domain));
	MUST(ask(fixture.fd, domain, &ranges));
	CHECK_EQUAL(ranges.query.page_sizes, PAGE);
}

/* Both ends of an allowed range can be mapped, and the pages next to it cannot. */
static void check_ends(const struct fixture *fixture, const struct wdm_iommu_range *range)
{
	__u64 last_page = range->last + 1 - PAGE;

	MUST(wdm_map(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, PAGE, range->start));
	MUST(wdm_unmap(fixture->fd, fixture->domain, range->start, PAGE));
	MUST(wdm_map(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, PAGE, last_page));
	MUST(wdm_unmap(fixture->fd, fixture->domain, last_page, PAGE));
	if (range->start)
		EXPECT(STATUS_CONFLICTING_ADDRESSES,
		       wdm_map(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, PAGE,
			       range->start - PAGE));
	if (range->last != ~0ULL)
		EXPECT(STATUS_CONFLICTING_ADDRESSES,
		       wdm_map(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, PAGE,
			       range->last + 1));
}

static void attached(void)
{
	struct wdm_iommu_query_domain report;
	struct ranges before, domain, device;
	struct fixture fixture;
	bool has_msi = false;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	open_device(&fixture);
	MUST(ask(fixture.fd, fixture.device->handle, &before));
	CHECK(is_sound(&before));
	CHECK(before.query.number >= 1);
	MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	MUST(ask(fixture.fd, fixture.domain, &domain));
	MUST(ask(fixture.fd, fixture.device->handle, &device));
	CHECK(is_sound(&domain));

	/* The domain has no other device; and the result was right from the start. */
	CHECK_EQUAL(device.query.number, domain.query.number);
	CHECK(!memcmp(device.range, domain.range, sizeof(domain.range)));
	CHECK_EQUAL(device.query.page_sizes, domain.query.page_sizes);
	CHECK_EQUAL(before.query.aperture_start, domain.query.aperture_start);
	CHECK_EQUAL(before.query.aperture_end, domain.query.aperture_end);
	CHECK_EQUAL(before.query.page_sizes, domain.query.page_sizes);
	CHECK(!memcmp(before.range, domain.range, sizeof(domain.range)));
	report = query(fixture.fd, fixture.domain);
	CHECK_EQUAL(domain.query.aperture_start, report.aperture_start);
	CHECK_EQUAL(domain.query.aperture_end, report.aperture_end);

	for (__u32 i = 0; i < domain.query.number; i++) {
		const struct wdm_iommu_range *range = &domain.range[i];

		tap_diag("%#llx to %#llx: kind %u", range->start, range->last, range->kind);
		has_msi |= range->kind == MSI_KIND && range->start == MSI_ADDRESS &&
			   range->last == MSI_ADDRESS + MSI_LENGTH - 1;
		if (is_allowed(range))
			check_ends(&fixture, range);
	}
	tap_diag("page sizes %#llx", domain.query.page_sizes);
	CHECK(has_msi);
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	MUST(ask(fixture.fd, fixture.domain, &domain));
	CHECK(is_everything(&domain));
}

/* DMA reaches the first and the last page of allowed ranges. */
static void dma(void)
{
	struct fixture fixture;
	struct ranges ranges;

	open_os_managed(&fixture, 4, 0);
	MUST(ask(fixture.fd, fixture.domain, &ranges));
	for (__u32 i = 0; i < ranges.query.number; i++) {
		const struct wdm_iommu_range *range = &ranges.range[i];
		const __u64 pages[] = { range->start, range->last + 1 - PAGE };

		if (!is_allowed(range))
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(pages); j++) {
			/* edu cannot use it. */
			if (pages[j] >> 48)
				continue;
			EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, pages[j], page(&fixture, 1)));
			MUST(map_pages(&fixture, 1, 1, pages[j]));
			EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, pages[j], page(&fixture, 1)));
			MUST(wdm_unmap(fixture.fd, fixture.domain, pages[j], PAGE));
		}
	}
}

/* With two devices, only what both allow remains. */
static void two_devices(void)
{
	struct ranges one, other, both;
	struct wdm_vfio_device *second;
	struct fixture fixture;
	struct probe probe;
	__u32 reserved = 0;

	open_os_managed(&fixture, 4, 0);
	second = open_one(&fixture, options.other.text, NULL, &probe);
	MUST(wdm_attach(fixture.fd, fixture.domain, second->handle));
	MUST(ask(fixture.fd, fixture.device->handle, &one));
	MUST(ask(fixture.fd, second->handle, &other));
	MUST(ask(fixture.fd, fixture.domain, &both));
	CHECK(is_sound(&both));
	CHECK(both.query.aperture_end <= one.query.aperture_end &&
	      both.query.aperture_end <= other.query.aperture_end);
	for (__u32 i = 0; i < one.query.number; i++)
		reserved += !is_allowed(&one.range[i]);
	for (__u32 i = 0; i < other.query.number; i++)
		reserved += !is_allowed(&other.range[i]);
	for (__u32 i = 0; i < both.query.number; i++)
		reserved -= !is_allowed(&both.range[i]);
	CHECK_EQUAL(reserved, 0);
}

static void buffers(void)
{
	struct wdm_iommu_query_ranges query = { .number = 0 };
	struct wdm_iommu_range *ranges;
	unsigned char *memory = get_pages(2);
	struct fixture fixture;
	__u32 number;

	open_os_managed(&fixture, 2, 0);
	/* Too small: reports the number, and writes nothing to the array. */
	EXPECT(STATUS_BUFFER_TOO_SMALL,
	       wdm_query_ranges(fixture.fd, fixture.domain, NULL, &query));
	number = query.number;
	REQUIRE(number > 1 && number < MAX_RANGES);
	memset(memory, UNTOUCHED, PAGE);
	query = (struct wdm_iommu_query_ranges) { .number = number - 1 };
	ranges = (struct wdm_iommu_range *)memory;
	EXPECT(STATUS_BUFFER_TOO_SMALL,
	       wdm_query_ranges(fixture.fd, fixture.domain, ranges, &query));
	CHECK_EQUAL(query.number, number);
	CHECK_EQUAL(query.aperture_end, 0);
	for (size_t i = 0; i < PAGE; i++)
		REQUIRE(memory[i] == UNTOUCHED);

	/* Exactly large enough: nothing after it is written. */
	MUST(wdm_query_ranges(fixture.fd, fixture.domain, ranges, &query));
	CHECK_EQUAL(query.number, number);
	CHECK_EQUAL(((unsigned char *)&ranges[number])[0], UNTOUCHED);
	query.number = 0xffffffff;
	MUST(wdm_query_ranges(fixture.fd, fixture.domain, ranges, &query));
	CHECK_EQUAL(query.number, number);
	CHECK_EQUAL(((unsigned char *)&ranges[number])[0], UNTOUCHED);

	/* Unmapped, mapped in part, not writable, of the kernel */
	munmap(memory + PAGE, PAGE);
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_query_ranges(fixture.fd, fixture.domain, NULL, &query));
	query.number = number;
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_query_ranges(fixture.fd, fixture.domain,
				(void *)(memory + PAGE - sizeof(*ranges)), &query));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_query_ranges(fixture.fd, fixture.domain, (void *)(1UL << 63), &query));
	mprotect(memory, PAGE, PROT_READ);
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_query_ranges(fixture.fd, fixture.domain, ranges, &query));
	EXPECT(STATUS_OBJECT_TYPE_MISMATCH,
	       wdm_query_ranges(fixture.fd, fixture.mdl, ranges, &query));
}

static void taken_back(void)
{
	struct fixture fixture;
	struct ranges ranges;

	open_os_managed(&fixture, 2, 0);
	take_back(fixture.device);
	EXPECT(STATUS_DEVICE_REMOVED, ask(fixture.fd, fixture.device->handle, &ranges));
	MUST(ask(fixture.fd, fixture.domain, &ranges));
	CHECK(is_everything(&ranges));
}

/* A thread that queries while the device is attached and detached */
struct asker {
	const struct fixture *fixture;
	bool stop;
	unsigned int rounds;
	unsigned int bad;
};

static void *keep_asking(void *argument)
{
	struct asker *asker = argument;
	struct ranges ranges;

	while (!__atomic_load_n(&asker->stop, __ATOMIC_RELAXED)) {
		__u32 object = asker->rounds++ % 2 ? asker->fixture->domain :
			       asker->fixture->device->handle;

		asker->bad += ask(asker->fixture->fd, object, &ranges) || !is_sound(&ranges);
	}
	return NULL;
}

static void races(void)
{
	struct fixture fixture;
	struct asker asker = { .fixture = &fixture };
	unsigned int rounds = 0;
	pthread_t thread;

	open_os_managed(&fixture, 2, 0);
	REQUIRE(!pthread_create(&thread, NULL, keep_asking, &asker));
	while (rounds++ < 50 ||
	       (rounds < 5000 && __atomic_load_n(&asker.rounds, __ATOMIC_RELAXED) < 20)) {
		MUST(wdm_detach(fixture.fd, fixture.device->handle));
		MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	}
	__atomic_store_n(&asker.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	tap_diag("%u answers", asker.rounds);
	CHECK(asker.rounds > 10);
	CHECK_EQUAL(asker.bad, 0);
}

static void library(void)
{
	struct wdm_iommu_query_ranges query;
	struct wdm_iommu_range *ranges;
	struct fixture fixture;
	struct ranges expected;

	open_os_managed(&fixture, 2, 0);
	MUST(ask(fixture.fd, fixture.domain, &expected));
	MUST(wdm_get_ranges(fixture.fd, fixture.domain, &ranges, &query));
	CHECK_EQUAL(query.number, expected.query.number);
	CHECK(!memcmp(ranges, expected.range, query.number * sizeof(*ranges)));
	free(ranges);
	EXPECT(STATUS_INVALID_HANDLE, wdm_get_ranges(fixture.fd, 1000, &ranges, &query));
	CHECK(!ranges);
}

static const struct test_case cases[] = {
	{ .name = "a domain without devices", .run = nothing_attached },
	{ .name = "a device, before and after it is attached", .run = attached,
	  .needs = NEEDS_DEVICE },
	{ .name = "DMA at the ends of what is allowed", .run = dma, .needs = NEEDS_DEVICE },
	{ .name = "a domain with two devices", .run = two_devices, .needs = NEEDS_TWO_GROUPS },
	{ .name = "buffers of any size, and none", .run = buffers, .needs = NEEDS_DEVICE },
	{ .name = "a device that VFIO has taken back", .run = taken_back, .needs = NEEDS_DEVICE },
	{ .name = "while the device comes and goes", .run = races, .needs = NEEDS_DEVICE },
	{ .name = "the library", .run = library, .needs = NEEDS_DEVICE },
};

const struct suite ranges_suite = { "ranges", cases, ARRAY_SIZE(cases) };
