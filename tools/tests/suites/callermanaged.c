// SPDX-License-Identifier: GPL-2.0
/*
 * Caller-managed domains: devices are translated by the caller's tables.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "suites.h"
#include "fixture.h"

#define PAGE	WDM_PAGE_SIZE

static __u32 flush_one(struct fixture *fixture, bool last_level, __u64 address)
{
	return wdm_flush_va_list(fixture->fd, fixture->domain, last_level, &address, 1, NULL);
}

static void not_configured(void)
{
	struct wdm_iommu_query_domain state;
	struct fixture fixture;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	open_device(&fixture);
	MUST(wdm_domain_create(fixture.fd, false, 0, &fixture.domain));
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0, ADDRESS));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 0)));
	EXPECT(STATUS_INVALID_DEVICE_STATE, wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT(STATUS_INVALID_DEVICE_STATE, flush_one(&fixture, true, ADDRESS));
	state = query(fixture.fd, fixture.domain);
	CHECK_EQUAL(state.flags, 0);
	CHECK_EQUAL(state.devices, 1);
	CHECK_EQUAL(state.mapped_pages, 4);
	CHECK_EQUAL(state.translated_bytes, 0);
}

static void wrong_kind(void)
{
	struct fixture fixture;
	__u32 os;

	open_fixture(&fixture);
	open_arena(&fixture, 2);
	MUST(wdm_domain_create(fixture.fd, true, 0, &os));
	MUST(wdm_domain_create(fixture.fd, false, 0, &fixture.domain));
	EXPECT(STATUS_INVALID_PARAMETER_1, map_pages(&fixture, 0, 1, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_unmap(fixture.fd, fixture.domain, ADDRESS, PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_map_identity(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_unmap_identity(fixture.fd, fixture.domain, fixture.mdl, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_memory_add(fixture.fd, os, WDM_RW, fixture.mdl, 0, 0, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_memory_remove(fixture.fd, os, ADDRESS, PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_configure_x64(fixture.fd, os, ADDRESS, 0, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_configure_bypass(fixture.fd, os, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_flush(fixture.fd, os, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_flush_va_list(fixture.fd, os, true, NULL, 0, NULL));
}

/* Check that the domain maps ADDRESS to @offset of the arena's MDL. */
static void check_mapping(struct fixture *fixture, __u64 address, __u64 offset)
{
	struct wdm_iommu_mapping mapping;

	if (!CHECK(find_mapping(fixture->fd, fixture->domain, WDM_IOMMU_QUERY_LOGICAL, address,
				&mapping)))
		return;
	CHECK_EQUAL(mapping.mdl, fixture->mdl);
	CHECK_EQUAL(mapping.offset, offset);
	CHECK_EQUAL(mapping.permissions, WDM_RW);
}

/* Changes of entries take effect when they are flushed. */
static void repoint(void)
{
	const __u64 second = ADDRESS + PAGE;
	const __u64 list[] = { second | 0xfff, ADDRESS, ADDRESS + 0x123, second };
	struct fixture fixture;

	open_caller_managed(&fixture, 6, parameter());
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	set_leaf(&fixture, second, page(&fixture, 3));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, second, page(&fixture, 3)));
	check_mapping(&fixture, ADDRESS, PAGE);
	check_mapping(&fixture, second, 3 * PAGE);
	set_leaf(&fixture, second, page(&fixture, 2));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));

	/* Flush only one of two changes. */
	set_leaf(&fixture, ADDRESS, page(&fixture, 3));
	set_leaf(&fixture, second, page(&fixture, 4));
	MUST(flush_one(&fixture, true, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, second, page(&fixture, 2)));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, second, page(&fixture, 4)));

	/* An unsorted list with duplicates */
	set_leaf(&fixture, ADDRESS, page(&fixture, 5));
	*wdm_tables_entry(&fixture.tables, second, WDM_LEVEL_4K, false) = 0;
	MUST(wdm_flush_va_list(fixture.fd, fixture.domain, true, list, ARRAY_SIZE(list), NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 5)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, second, page(&fixture, 4)));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, 2 * PAGE);
}

/* Replace a table by another one. */
static void repoint_table(void)
{
	const struct wdm_table_format *format = parameter();
	struct fixture fixture;
	__u64 *upper, *other;

	open_caller_managed(&fixture, 6, format);
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	set_leaf(&fixture, ADDRESS + PAGE, page(&fixture, 2));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));

	/* Page 5 becomes a table with the two entries exchanged. */
	other = (__u64 *)page(&fixture, 5);
	memset(other, 0, PAGE);
	other[(ADDRESS / PAGE) % 512] = format->leaf(caller(page(&fixture, 2)), 0, WDM_RW);
	other[(ADDRESS / PAGE) % 512 + 1] = format->leaf(caller(page(&fixture, 1)), 0, WDM_RW);
	upper = wdm_tables_entry(&fixture.tables, ADDRESS, WDM_LEVEL_2M, false);
	*upper = format->table(caller(other));
	MUST(flush_one(&fixture, false, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 1)));
	*upper = 0;
	MUST(flush_one(&fixture, false, ADDRESS));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
	/* All translations through the table are removed with it. */
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 1)));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, PAGE);
}

static void va_lists(void)
{
	const __u64 outside[] = { 0x1000000000000, 0x8000000000000000, 0x00ff000000000000 };
	struct wdm_iommu_walk_error walk_error;
	struct wdm_iommu_info info;
	struct fixture fixture;
	size_t bytes;
	__u64 *list;

	open_caller_managed(&fixture, 2, parameter());
	MUST(wdm_info(fixture.fd, &info));
	bytes = (info.max_va_list * sizeof(*list) + PAGE - 1) & -PAGE;
	list = get_pages(bytes / PAGE + 1);
	for (__u32 i = 0; i < bytes / sizeof(*list); i++)
		list[i] = ADDRESS + (i % 512) * PAGE;
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	MUST(wdm_flush_va_list(fixture.fd, fixture.domain, false, list, info.max_va_list, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_flush_va_list(fixture.fd, fixture.domain, false, list, info.max_va_list + 1,
				 NULL));
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_flush_va_list(fixture.fd, fixture.domain, false, list, ~0U, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
		EXPECT(STATUS_INVALID_PARAMETER_4, flush_one(&fixture, true, outside[i]));

	/* Not present; present in part */
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_flush_va_list(fixture.fd, fixture.domain, true, NULL, 1, &walk_error));
	CHECK_EQUAL(walk_error.count, 0);
	munmap((char *)list + bytes, PAGE);
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_flush_va_list(fixture.fd, fixture.domain, true,
				 list + bytes / sizeof(*list) - 1, 2, &walk_error));
	CHECK_EQUAL(walk_error.count, 0);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

static void last_level(void)
{
	struct wdm_iommu_flush_va_list argument = { .size = sizeof(argument) };
	struct fixture fixture;

	open_caller_managed(&fixture, 2, &wdm_format_x64);
	argument.domain = fixture.domain;
	argument.last_level = 2;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_call(fixture.fd, WDM_IOMMU_FLUSH_VA_LIST, &argument));
}

/* Contiguous caller memory, made of the arena's first 64 pages, repeated */
#define ALIAS		0x10000000000ULL
#define ALIAS_PAGES	64

static void add_alias(struct fixture *fixture, __u64 size, __u64 part)
{
	for (__u64 offset = 0; offset < size; offset += part)
		MUST(wdm_memory_add(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, part,
				    ALIAS + offset));
}

static void leaf_2m(void)
{
	const struct wdm_table_format *format = parameter();
	const __u64 address = 0x9000000, others[] = { 0, 63, 64, 200, 511 };
	struct fixture fixture;
	__u64 *entry;

	open_caller_managed(&fixture, ALIAS_PAGES, format);
	add_alias(&fixture, 2 * HUGE_PAGE_SIZE, ALIAS_PAGES * PAGE);
	REQUIRE(wdm_tables_map(&fixture.tables, address, ALIAS, WDM_LEVEL_2M, WDM_RW));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, HUGE_PAGE_SIZE + PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + others[i] * PAGE,
						 page(&fixture, others[i] % ALIAS_PAGES)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + HUGE_PAGE_SIZE, page(&fixture, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address - PAGE, page(&fixture, 63)));

	/* Flushing any address of a leaf flushes all of it. */
	entry = wdm_tables_entry(&fixture.tables, address, WDM_LEVEL_2M, false);
	*entry = format->leaf(ALIAS, WDM_LEVEL_2M, WDM_IOMMU_READ);
	MUST(flush_one(&fixture, true, address + 300 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, address + 5 * PAGE, page(&fixture, 5)));
	*entry = 0;
	MUST(flush_one(&fixture, true, address + 17 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, read_from(&fixture, address + 5 * PAGE, page(&fixture, 5)));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, PAGE);

	/* Replace it by 4 KiB leaves. */
	set_leaf(&fixture, address + 9 * PAGE, page(&fixture, 3));
	MUST(flush_one(&fixture, false, address + 9 * PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 9 * PAGE, page(&fixture, 3)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + 8 * PAGE, page(&fixture, 8)));
}

/* 1 GiB of the caller's addresses: one huge page, 512 times */
static void leaf_1g(void)
{
	const __u64 address = 0x40000000, size = 0x40000000;
	const struct wdm_table_format *format = parameter();
	struct wdm_tables tables;
	struct fixture fixture;
	void *memory;
	__u32 mdl;

	open_fixture(&fixture);
	open_arena_at(&fixture, get_huge_page(), HUGE_PAGE_SIZE / PAGE);
	open_device(&fixture);
	memory = get_pages(TABLE_PAGES);
	MUST(wdm_mdl_create(fixture.fd, memory, TABLE_PAGES * PAGE, WDM_RW, &mdl));
	MUST(wdm_domain_create(fixture.fd, false, 0, &fixture.domain));
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, mdl, 0, 0, caller(memory)));
	add_alias(&fixture, size, HUGE_PAGE_SIZE);
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	wdm_tables_init(&tables, format, 48, memory, TABLE_PAGES, caller(memory));
	REQUIRE(wdm_tables_map(&tables, address, ALIAS, WDM_LEVEL_1G, WDM_RW));
	MUST(wdm_tables_configure(&tables, fixture.fd, fixture.domain, NULL));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, size);
	REQUIRE(probe_load(&fixture.probe, address, fixture.arena));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + size - PAGE, page(&fixture, 511)));
	EXPECT_DMA(DMA_ARRIVED,
		   write_to(&fixture, address + 77777 * PAGE, page(&fixture, 77777 % 512)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + size, page(&fixture, 0)));
	*wdm_tables_entry(&tables, address, WDM_LEVEL_1G, false) = 0;
	MUST(flush_one(&fixture, true, address + 12345 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address, page(&fixture, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + size - PAGE, page(&fixture, 511)));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, 0);
}

/* A leaf that is only partly in the caller's address space is refused. */
static void leaf_with_hole(void)
{
	const __u64 address = 0x9000000;
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;

	open_caller_managed(&fixture, ALIAS_PAGES, parameter());
	add_alias(&fixture, HUGE_PAGE_SIZE, ALIAS_PAGES * PAGE);
	MUST(wdm_memory_remove(fixture.fd, fixture.domain, ALIAS + 100 * PAGE, PAGE));
	REQUIRE(wdm_tables_map(&fixture.tables, address, ALIAS, WDM_LEVEL_2M, WDM_RW));
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 1);
	CHECK_EQUAL(walk_error.level, WDM_LEVEL_2M);
	CHECK_EQUAL(walk_error.logical_address, address);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address, page(&fixture, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, address + 100 * PAGE, page(&fixture, 36)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	/* Fill the hole with another page; the tables are unchanged. */
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 7 * PAGE, PAGE,
			    ALIAS + 100 * PAGE));
	EXPECT(STATUS_SUCCESS, wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, address + 100 * PAGE, page(&fixture, 7)));
}

/* 16 entries with ARM64's contiguous bit, flushed by one address */
static void contiguous(void)
{
	struct fixture fixture;

	open_caller_managed(&fixture, 33, &wdm_format_arm64);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 16; i++) {
			set_leaf(&fixture, ADDRESS + i * PAGE, page(&fixture, 1 + 16 * round + i));
			*wdm_tables_entry(&fixture.tables, ADDRESS + i * PAGE, WDM_LEVEL_4K,
					  false) |= WDM_ARM64_CONTIGUOUS;
		}
		MUST(flush_one(&fixture, !!round, ADDRESS + 5 * PAGE));
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture,
									 1 + 16 * round)));
		EXPECT_DMA(DMA_ARRIVED,
			   write_to(&fixture, ADDRESS + 15 * PAGE, page(&fixture,
									16 + 16 * round)));
		CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, 17 * PAGE);
	}
}

static void reconfigure(void)
{
	const struct wdm_table_format *format = parameter();
	struct wdm_tables other;
	struct fixture fixture;

	open_caller_managed(&fixture, 12, format);
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	wdm_tables_init(&other, format, 48, page(&fixture, 6), 6, caller(page(&fixture, 6)));
	REQUIRE(wdm_tables_map(&other, ADDRESS, caller(page(&fixture, 2)), WDM_LEVEL_4K, WDM_RW));
	MUST(wdm_tables_configure(&other, fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	/* The old tables are no longer read. */
	set_leaf(&fixture, ADDRESS, page(&fixture, 3));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 2)));
	MUST(wdm_tables_configure(&fixture.tables, fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

static __u32 try_arm64(struct fixture *fixture, const struct wdm_iommu_configure *change)
{
	struct wdm_iommu_configure argument = *change;

	argument.size = sizeof(argument);
	argument.domain = fixture->domain;
	return wdm_call(fixture->fd, WDM_IOMMU_CONFIGURE, &argument);
}

/* A refused configuration has no effect. */
static void wrong_configurations(void)
{
	const __u32 flag = WDM_IOMMU_CONFIGURE_X64_LA57;
	struct wdm_iommu_configure good = { .type = WDM_IOMMU_FORMAT_ARM64 }, bad;
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;
	__u64 root;

	open_caller_managed(&fixture, 4, parameter());
	root = fixture.tables.caller_address;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_x64(fixture.fd, fixture.domain, root + 8, 0, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_x64(fixture.fd, fixture.domain, root + 2048, flag, NULL));
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_configure_x64(fixture.fd, fixture.domain, root, flag << 1, NULL));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_configure_x64(fixture.fd, fixture.domain, 0, 0, &walk_error));
	CHECK_EQUAL(walk_error.count, 0);
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_configure_x64(fixture.fd, fixture.domain, -PAGE, 0, &walk_error));
	CHECK_EQUAL(walk_error.count, 0);
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_configure_arm64(fixture.fd, fixture.domain, PAGE, 48, &walk_error));
	CHECK_EQUAL(walk_error.count, 0);
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(fixture.fd, fixture.domain, root, 24, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(fixture.fd, fixture.domain, root, 49, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(fixture.fd, fixture.domain, root, ~0U, NULL));
	/* 25 bits: 16 entries, 128 bytes */
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(fixture.fd, fixture.domain, root + 64, 25, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(fixture.fd, fixture.domain, root + 32, 31, NULL));

	good.translation_enabled = 1;
	good.arm64.ttbr0 = root;
	good.arm64.input_size0 = 48;
	bad = good;
	bad.type = 2;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&fixture, &bad));
	bad = good;
	bad.translation_enabled = 2;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&fixture, &bad));
	bad = good;
	bad.arm64.ttbr1 = root;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&fixture, &bad));
	bad = good;
	bad.arm64.input_size1 = 48;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&fixture, &bad));
	bad = good;
	bad.arm64.coherent_table_walks = 2;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&fixture, &bad));
	bad = good;
	bad.arm64.reserved = 1;
	EXPECT(STATUS_INVALID_PARAMETER, try_arm64(&fixture, &bad));

	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

/* Five-level tables, and the top level entries that four levels lack */
static void five_levels(void)
{
	struct fixture fixture;
	__u64 *root;

	open_caller_managed(&fixture, 4, &wdm_format_x64);
	start_tables(&fixture, &wdm_format_x64, 57);
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	CHECK_EQUAL(fixture.tables.levels, 5);
	MUST(wdm_tables_configure(&fixture.tables, fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT(STATUS_SUCCESS, flush_one(&fixture, true, 1ULL << 50));
	EXPECT(STATUS_INVALID_PARAMETER_4, flush_one(&fixture, true, 1ULL << 57));
	/* A root of five levels, not of four: read as such, it is one level off. */
	root = (__u64 *)page(&fixture, fixture.pages - TABLE_PAGES);
	root[0] &= ~WDM_X64_PRESENT;
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

/* Every input size; entries after the end of a short root are not read. */
static void input_sizes(void)
{
	struct fixture fixture;

	open_caller_managed(&fixture, 4, &wdm_format_arm64);
	for (unsigned int bits = 25; bits <= 48; bits++) {
		/* In the last quarter, and outside the reserved regions of any IOMMU */
		const __u64 last = 3ULL << (bits - 2);
		const bool reachable = last < query(fixture.fd, fixture.domain).aperture_end;
		struct wdm_tables *tables = &fixture.tables;
		unsigned int entries, top;
		void *memory = page(&fixture, fixture.pages - TABLE_PAGES);

		wdm_tables_init(tables, &wdm_format_arm64, bits, memory, TABLE_PAGES,
				caller(memory));
		top = tables->levels - 1;
		entries = 1U << (bits - 12 - 9 * top);
		set_leaf(&fixture, 0x1000000, page(&fixture, 1));
		if (reachable)
			set_leaf(&fixture, last, page(&fixture, 2));
		/* An entry after the end, which would translate 1 << bits */
		if (entries < 512)
			tables->memory[entries] = tables->memory[0x1000000ULL >> (12 + 9 * top)];
		MUST(wdm_tables_configure(tables, fixture.fd, fixture.domain, NULL));
		CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes,
			    (1 + reachable) * PAGE);
		EXPECT(STATUS_INVALID_PARAMETER_4, flush_one(&fixture, true, 1ULL << bits));
		if (bits % 9 == 3 || bits == 25 || bits == 31)
			EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, 0x1000000, page(&fixture, 1)));
		if (bits < 39)
			EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, last, page(&fixture, 2)));
	}
}

static void replay(void)
{
	struct fixture fixture;

	open_caller_managed(&fixture, 4, parameter());
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	/* Change entries while no device is attached. */
	set_leaf(&fixture, ADDRESS + PAGE, page(&fixture, 2));
	*wdm_tables_entry(&fixture.tables, ADDRESS, WDM_LEVEL_4K, false) = 0;
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

/* A leaf of each size over a region that is reserved for the device, and next to it */
static void reserved_window(void)
{
	const struct wdm_table_format *format = parameter();
	struct wdm_iommu_walk_error walk_error;
	unsigned long long first, last;
	struct fixture fixture;
	char path[64];
	FILE *file;
	int fields;

	open_caller_managed(&fixture, 4, format);
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/reserved_regions",
		 fixture.device->group_number);
	file = fopen(path, "re");
	REQUIRE(file);
	fields = fscanf(file, "%llx %llx", &first, &last);
	fclose(file);
	if (fields != 2 || first < HOME_ADDRESS + 0x40000000)
		skip("the group has no reserved region far up");
	for (unsigned int level = 0; level < 3; level++) {
		__u64 address = first & -(PAGE << 9 * level), *entry;

		start_tables(&fixture, format, 48);
		entry = wdm_tables_entry(&fixture.tables, address, level, true);
		*entry = format->leaf(0, level, WDM_RW);
		EXPECT(STATUS_CONFLICTING_ADDRESSES,
		       wdm_flush(fixture.fd, fixture.domain, &walk_error));
		CHECK_EQUAL(walk_error.count, 1);
		CHECK_EQUAL(walk_error.level, level);
		CHECK_EQUAL(walk_error.logical_address, address);
		*entry = 0;
		MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	}
	start_tables(&fixture, format, 48);
	set_leaf(&fixture, first - PAGE, page(&fixture, 1));
	set_leaf(&fixture, last + 1, page(&fixture, 2));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, first - PAGE, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, last + 1, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

static const struct test_case cases[] = {
	{ .name = "attached and not configured", .run = not_configured, .needs = NEEDS_DEVICE },
	{ .name = "calls for the other kind of domain", .run = wrong_kind },
	{ .name = "leaves that change", .run = repoint, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "tables that change", .run = repoint_table,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "lists of addresses", .run = va_lists, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "LastLevel", .run = last_level, .needs = NEEDS_DEVICE },
	{ .name = "leaves of 2 MiB", .run = leaf_2m, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "leaves of 1 GiB", .run = leaf_1g, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "a leaf with a hole", .run = leaf_with_hole,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "the contiguous bit", .run = contiguous, .needs = NEEDS_DEVICE },
	{ .name = "leaves over a reserved region", .run = reserved_window,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "another root", .run = reconfigure, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "configurations that cannot be used", .run = wrong_configurations,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "5 levels", .run = five_levels, .needs = NEEDS_DEVICE },
	{ .name = "InputSize", .run = input_sizes, .needs = NEEDS_DEVICE },
	{ .name = "tables that change without a device", .run = replay,
	  .needs = NEEDS_DEVICE, .formats = true },
};

const struct suite callermanaged_suite = { "callermanaged", cases, ARRAY_SIZE(cases) };
