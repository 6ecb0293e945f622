// SPDX-License-Identifier: GPL-2.0
/*
 * Caller-managed domains: translations are what the caller's tables say.
 */
#include <string.h>
#include <sys/mman.h>

#include "suites.h"
#include "world.h"

#define PAGE	WDM_PAGE_SIZE

static __u32 flush_one(struct world *world, bool last_level, __u64 address)
{
	return wdm_flush_va_list(world->fd, world->domain, last_level, &address, 1, NULL);
}

static void not_configured(void)
{
	struct wdm_iommu_query_domain state;
	struct world world;

	open_world(&world);
	open_arena(&world, 4);
	open_device(&world);
	MUST(wdm_domain_create(world.fd, false, 0, &world.domain));
	MUST(wdm_memory_add(world.fd, world.domain, WDM_RW, world.mdl, 0, 0, ADDRESS));
	MUST(wdm_attach(world.fd, world.domain, world.device.handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 0)));
	EXPECT(STATUS_INVALID_DEVICE_STATE, wdm_flush(world.fd, world.domain, NULL));
	EXPECT(STATUS_INVALID_DEVICE_STATE, flush_one(&world, true, ADDRESS));
	state = query(world.fd, world.domain);
	CHECK_EQUAL(state.flags, 0);
	CHECK_EQUAL(state.devices, 1);
	CHECK_EQUAL(state.mapped_pages, 4);
	CHECK_EQUAL(state.translated_bytes, 0);
}

static void wrong_kind(void)
{
	struct world world;
	__u32 os;

	open_world(&world);
	open_arena(&world, 2);
	MUST(wdm_domain_create(world.fd, true, 0, &os));
	MUST(wdm_domain_create(world.fd, false, 0, &world.domain));
	EXPECT(STATUS_INVALID_PARAMETER_1, map_pages(&world, 0, 1, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_unmap(world.fd, world.domain, ADDRESS, 1));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_map_identity(world.fd, world.domain, WDM_RW, world.mdl, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_unmap_identity(world.fd, world.domain, world.mdl, 0, 0));
	EXPECT(STATUS_INVALID_PARAMETER_1,
	       wdm_memory_add(world.fd, os, WDM_RW, world.mdl, 0, 0, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_memory_remove(world.fd, os, ADDRESS, PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_configure_x64(world.fd, os, ADDRESS, 0, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_configure_bypass(world.fd, os, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_flush(world.fd, os, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_flush_va_list(world.fd, os, true, NULL, 0, NULL));
}

/* Does the domain tell that ADDRESS leads there, in the MDL of the arena? */
static void check_mapping(struct world *world, __u64 address, __u64 offset)
{
	struct wdm_iommu_mapping mapping;

	if (!CHECK(find_mapping(world->fd, world->domain, WDM_IOMMU_QUERY_LOGICAL, address,
				&mapping)))
		return;
	CHECK_EQUAL(mapping.mdl, world->mdl);
	CHECK_EQUAL(mapping.offset, offset);
	CHECK_EQUAL(mapping.permissions, WDM_RW);
}

/* Entries change; what is flushed is followed. */
static void repoint(void)
{
	const __u64 second = ADDRESS + PAGE;
	const __u64 list[] = { second | 0xfff, ADDRESS, ADDRESS + 0x123, second };
	struct world world;

	open_caller_managed(&world, 6, parameter());
	set_leaf(&world, ADDRESS, page(&world, 1));
	set_leaf(&world, second, page(&world, 3));
	MUST(wdm_flush(world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, second, page(&world, 3)));
	check_mapping(&world, ADDRESS, PAGE);
	check_mapping(&world, second, 3 * PAGE);
	set_leaf(&world, second, page(&world, 2));
	MUST(wdm_flush(world.fd, world.domain, NULL));

	/* Only one of two that have changed */
	set_leaf(&world, ADDRESS, page(&world, 3));
	set_leaf(&world, second, page(&world, 4));
	MUST(flush_one(&world, true, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, second, page(&world, 2)));
	MUST(wdm_flush(world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, second, page(&world, 4)));

	/* A list in disorder, with double entries */
	set_leaf(&world, ADDRESS, page(&world, 5));
	*wdm_tables_entry(&world.tables, second, WDM_LEVEL_4K, false) = 0;
	MUST(wdm_flush_va_list(world.fd, world.domain, true, list, ARRAY_SIZE(list), NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 5)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, second, page(&world, 4)));
	CHECK_EQUAL(query(world.fd, world.domain).translated_bytes, 2 * PAGE);
}

/* A table takes the place of another. */
static void repoint_table(void)
{
	const struct wdm_table_format *format = parameter();
	struct world world;
	__u64 *upper, *other;

	open_caller_managed(&world, 6, format);
	set_leaf(&world, ADDRESS, page(&world, 1));
	set_leaf(&world, ADDRESS + PAGE, page(&world, 2));
	MUST(wdm_flush(world.fd, world.domain, NULL));

	/* Page 5 becomes a table in which the two have changed places. */
	other = (__u64 *)page(&world, 5);
	memset(other, 0, PAGE);
	other[(ADDRESS / PAGE) % 512] = format->leaf(caller(page(&world, 2)), 0, WDM_RW);
	other[(ADDRESS / PAGE) % 512 + 1] = format->leaf(caller(page(&world, 1)), 0, WDM_RW);
	upper = wdm_tables_entry(&world.tables, ADDRESS, WDM_LEVEL_2M, false);
	*upper = format->table(caller(other));
	MUST(flush_one(&world, false, ADDRESS));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 2)));
	MUST(wdm_flush(world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + PAGE, page(&world, 1)));
	*upper = 0;
	MUST(flush_one(&world, false, ADDRESS));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 2)));
	/* Every translation through the table has gone with it. */
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS + PAGE, page(&world, 1)));
	CHECK_EQUAL(query(world.fd, world.domain).translated_bytes, PAGE);
}

static void va_lists(void)
{
	const __u64 outside[] = { 0x1000000000000, 0x8000000000000000, 0x00ff000000000000 };
	struct wdm_iommu_refusal refusal;
	struct wdm_iommu_info info;
	struct world world;
	size_t bytes;
	__u64 *list;

	open_caller_managed(&world, 2, parameter());
	MUST(wdm_info(world.fd, &info));
	bytes = (info.max_va_list * sizeof(*list) + PAGE - 1) & -PAGE;
	list = get_pages(bytes / PAGE + 1);
	for (__u32 i = 0; i < bytes / sizeof(*list); i++)
		list[i] = ADDRESS + (i % 512) * PAGE;
	set_leaf(&world, ADDRESS, page(&world, 1));
	MUST(wdm_flush_va_list(world.fd, world.domain, false, list, info.max_va_list, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_flush_va_list(world.fd, world.domain, false, list, info.max_va_list + 1,
				 NULL));
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_flush_va_list(world.fd, world.domain, false, list, ~0U, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
		EXPECT(STATUS_INVALID_PARAMETER_4, flush_one(&world, true, outside[i]));

	/* Not there at all; there in part */
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_flush_va_list(world.fd, world.domain, true, NULL, 1, &refusal));
	CHECK_EQUAL(refusal.count, 0);
	munmap((char *)list + bytes, PAGE);
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_flush_va_list(world.fd, world.domain, true,
				 list + bytes / sizeof(*list) - 1, 2, &refusal));
	CHECK_EQUAL(refusal.count, 0);
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
}

static void last_level(void)
{
	struct wdm_iommu_flush_va_list argument = { .size = sizeof(argument) };
	struct world world;

	open_caller_managed(&world, 2, &wdm_format_x64);
	argument.domain = world.domain;
	argument.last_level = 2;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_call(world.fd, WDM_IOMMU_FLUSH_VA_LIST, &argument));
}

/* Memory in one piece for callers, made of the arena's first 64 pages, repeated */
#define ALIAS		0x10000000000ULL
#define ALIAS_PAGES	64

static void add_alias(struct world *world, __u64 size, __u64 part)
{
	for (__u64 offset = 0; offset < size; offset += part)
		MUST(wdm_memory_add(world->fd, world->domain, WDM_RW, world->mdl, 0, part,
				    ALIAS + offset));
}

static void leaf_2m(void)
{
	const struct wdm_table_format *format = parameter();
	const __u64 address = 0x8000000, others[] = { 0, 63, 64, 200, 511 };
	struct world world;
	__u64 *entry;

	open_caller_managed(&world, ALIAS_PAGES, format);
	add_alias(&world, 2 * HUGE_PAGE_SIZE, ALIAS_PAGES * PAGE);
	REQUIRE(wdm_tables_map(&world.tables, address, ALIAS, WDM_LEVEL_2M, WDM_RW));
	MUST(wdm_flush(world.fd, world.domain, NULL));
	CHECK_EQUAL(query(world.fd, world.domain).translated_bytes, HUGE_PAGE_SIZE + PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		EXPECT_DMA(DMA_ARRIVED, write_to(&world, address + others[i] * PAGE,
						 page(&world, others[i] % ALIAS_PAGES)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address + HUGE_PAGE_SIZE, page(&world, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address - PAGE, page(&world, 63)));

	/* Any address in it stands for all of it. */
	entry = wdm_tables_entry(&world.tables, address, WDM_LEVEL_2M, false);
	*entry = format->leaf(ALIAS, WDM_LEVEL_2M, WDM_IOMMU_READ);
	MUST(flush_one(&world, true, address + 300 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address, page(&world, 0)));
	EXPECT_DMA(DMA_ARRIVED, read_from(&world, address + 5 * PAGE, page(&world, 5)));
	*entry = 0;
	MUST(flush_one(&world, true, address + 17 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, read_from(&world, address + 5 * PAGE, page(&world, 5)));
	CHECK_EQUAL(query(world.fd, world.domain).translated_bytes, PAGE);

	/* 4 KiB leaves in its place */
	set_leaf(&world, address + 9 * PAGE, page(&world, 3));
	MUST(flush_one(&world, false, address + 9 * PAGE));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, address + 9 * PAGE, page(&world, 3)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address + 8 * PAGE, page(&world, 8)));
}

/* 1 GiB of the caller's addresses: a huge page 512 times */
static void leaf_1g(void)
{
	const __u64 address = 0x40000000, size = 0x40000000;
	const struct wdm_table_format *format = parameter();
	struct wdm_tables tables;
	struct world world;
	void *memory;
	__u32 mdl;

	open_world(&world);
	open_arena_at(&world, get_huge_page(), HUGE_PAGE_SIZE / PAGE);
	open_device(&world);
	memory = get_pages(TABLE_PAGES);
	MUST(wdm_mdl_create(world.fd, memory, TABLE_PAGES * PAGE, WDM_RW, &mdl));
	MUST(wdm_domain_create(world.fd, false, 0, &world.domain));
	MUST(wdm_memory_add(world.fd, world.domain, WDM_RW, mdl, 0, 0, caller(memory)));
	add_alias(&world, size, HUGE_PAGE_SIZE);
	MUST(wdm_attach(world.fd, world.domain, world.device.handle));
	wdm_tables_init(&tables, format, 48, memory, TABLE_PAGES, caller(memory));
	REQUIRE(wdm_tables_map(&tables, address, ALIAS, WDM_LEVEL_1G, WDM_RW));
	MUST(wdm_tables_configure(&tables, world.fd, world.domain, NULL));
	CHECK_EQUAL(query(world.fd, world.domain).translated_bytes, size);
	REQUIRE(probe_load(&world.probe, address, world.arena));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, address, page(&world, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, address + size - PAGE, page(&world, 511)));
	EXPECT_DMA(DMA_ARRIVED,
		   write_to(&world, address + 77777 * PAGE, page(&world, 77777 % 512)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address + size, page(&world, 0)));
	*wdm_tables_entry(&tables, address, WDM_LEVEL_1G, false) = 0;
	MUST(flush_one(&world, true, address + 12345 * PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address, page(&world, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address + size - PAGE, page(&world, 511)));
	CHECK_EQUAL(query(world.fd, world.domain).translated_bytes, 0);
}

/* A leaf that is in the caller's address space only in part is refused. */
static void leaf_with_hole(void)
{
	const __u64 address = 0x8000000;
	struct wdm_iommu_refusal refusal;
	struct world world;

	open_caller_managed(&world, ALIAS_PAGES, parameter());
	add_alias(&world, HUGE_PAGE_SIZE, ALIAS_PAGES * PAGE);
	MUST(wdm_memory_remove(world.fd, world.domain, ALIAS + 100 * PAGE, PAGE));
	REQUIRE(wdm_tables_map(&world.tables, address, ALIAS, WDM_LEVEL_2M, WDM_RW));
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(world.fd, world.domain, &refusal));
	CHECK_EQUAL(refusal.count, 1);
	CHECK_EQUAL(refusal.level, WDM_LEVEL_2M);
	CHECK_EQUAL(refusal.logical_address, address);
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address, page(&world, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, address + 100 * PAGE, page(&world, 36)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
	/* The hole is filled, with another page; nothing in the tables has changed. */
	MUST(wdm_memory_add(world.fd, world.domain, WDM_RW, world.mdl, 7 * PAGE, PAGE,
			    ALIAS + 100 * PAGE));
	EXPECT(STATUS_SUCCESS, wdm_flush(world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, address, page(&world, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, address + 100 * PAGE, page(&world, 7)));
}

/* 16 entries with the contiguous bit of ARM64, flushed by one address */
static void contiguous(void)
{
	struct world world;

	open_caller_managed(&world, 33, &wdm_format_arm64);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 16; i++) {
			set_leaf(&world, ADDRESS + i * PAGE, page(&world, 1 + 16 * round + i));
			*wdm_tables_entry(&world.tables, ADDRESS + i * PAGE, WDM_LEVEL_4K,
					  false) |= WDM_ARM64_CONTIGUOUS;
		}
		MUST(flush_one(&world, !!round, ADDRESS + 5 * PAGE));
		EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1 + 16 * round)));
		EXPECT_DMA(DMA_ARRIVED,
			   write_to(&world, ADDRESS + 15 * PAGE, page(&world, 16 + 16 * round)));
		CHECK_EQUAL(query(world.fd, world.domain).translated_bytes, 17 * PAGE);
	}
}

static void reconfigure(void)
{
	const struct wdm_table_format *format = parameter();
	struct wdm_tables other;
	struct world world;

	open_caller_managed(&world, 12, format);
	set_leaf(&world, ADDRESS, page(&world, 1));
	MUST(wdm_flush(world.fd, world.domain, NULL));
	wdm_tables_init(&other, format, 48, page(&world, 6), 6, caller(page(&world, 6)));
	REQUIRE(wdm_tables_map(&other, ADDRESS, caller(page(&world, 2)), WDM_LEVEL_4K, WDM_RW));
	MUST(wdm_tables_configure(&other, world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 2)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
	/* The old tables are not looked at any more. */
	set_leaf(&world, ADDRESS, page(&world, 3));
	MUST(wdm_flush(world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 2)));
	MUST(wdm_tables_configure(&world.tables, world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 3)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
}

static __u32 try_arm64(struct world *world, const struct wdm_iommu_configure *change)
{
	struct wdm_iommu_configure argument = *change;

	argument.size = sizeof(argument);
	argument.domain = world->domain;
	return wdm_call(world->fd, WDM_IOMMU_CONFIGURE, &argument);
}

/* A configuration that cannot be used changes nothing. */
static void wrong_configurations(void)
{
	const __u32 flag = WDM_IOMMU_CONFIGURE_X64_LA57;
	struct wdm_iommu_configure good = { .type = WDM_IOMMU_FORMAT_ARM64 }, bad;
	struct wdm_iommu_refusal refusal;
	struct world world;
	__u64 root;

	open_caller_managed(&world, 4, parameter());
	root = world.tables.caller_address;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_x64(world.fd, world.domain, root + 8, 0, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_x64(world.fd, world.domain, root + 2048, flag, NULL));
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_configure_x64(world.fd, world.domain, root, flag << 1, NULL));
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_configure_x64(world.fd, world.domain, 0, 0, &refusal));
	CHECK_EQUAL(refusal.count, 0);
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_configure_x64(world.fd, world.domain, -PAGE, 0, &refusal));
	CHECK_EQUAL(refusal.count, 0);
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_configure_arm64(world.fd, world.domain, PAGE, 48, &refusal));
	CHECK_EQUAL(refusal.count, 0);
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(world.fd, world.domain, root, 24, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(world.fd, world.domain, root, 49, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(world.fd, world.domain, root, ~0U, NULL));
	/* 25 bits: 16 entries, 128 bytes */
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(world.fd, world.domain, root + 64, 25, NULL));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_configure_arm64(world.fd, world.domain, root + 32, 31, NULL));

	good.translation_enabled = 1;
	good.arm64.ttbr0 = root;
	good.arm64.input_size0 = 48;
	bad = good;
	bad.type = 2;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&world, &bad));
	bad = good;
	bad.translation_enabled = 2;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&world, &bad));
	bad = good;
	bad.arm64.ttbr1 = root;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&world, &bad));
	bad = good;
	bad.arm64.input_size1 = 48;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&world, &bad));
	bad = good;
	bad.arm64.coherent_table_walks = 2;
	EXPECT(STATUS_INVALID_PARAMETER_2, try_arm64(&world, &bad));
	bad = good;
	bad.arm64.reserved = 1;
	EXPECT(STATUS_INVALID_PARAMETER, try_arm64(&world, &bad));

	EXPECT_DMA(DMA_ARRIVED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
}

/* Tables of 5 levels, and what their top level has that 4 levels have not */
static void five_levels(void)
{
	struct world world;
	__u64 *root;

	open_caller_managed(&world, 4, &wdm_format_x64);
	start_tables(&world, &wdm_format_x64, 57);
	set_leaf(&world, ADDRESS, page(&world, 1));
	CHECK_EQUAL(world.tables.levels, 5);
	MUST(wdm_tables_configure(&world.tables, world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS, page(&world, 1)));
	EXPECT(STATUS_SUCCESS, flush_one(&world, true, 1ULL << 50));
	EXPECT(STATUS_INVALID_PARAMETER_4, flush_one(&world, true, 1ULL << 57));
	/* The root is not the one of 4 levels: read as such, it is one level off. */
	root = (__u64 *)page(&world, world.pages - TABLE_PAGES);
	root[0] &= ~WDM_X64_PRESENT;
	MUST(wdm_flush(world.fd, world.domain, NULL));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
}

/* Every width, and that what stands behind a short root is not looked at */
static void input_sizes(void)
{
	struct world world;

	open_caller_managed(&world, 4, &wdm_format_arm64);
	for (unsigned int bits = 25; bits <= 48; bits++) {
		/* In the last quarter, and off the reserved regions of any IOMMU */
		const __u64 last = 3ULL << (bits - 2);
		const bool reachable = last < query(world.fd, world.domain).aperture_end;
		struct wdm_tables *tables = &world.tables;
		unsigned int entries, top;
		void *memory = page(&world, world.pages - TABLE_PAGES);

		wdm_tables_init(tables, &wdm_format_arm64, bits, memory, TABLE_PAGES,
				caller(memory));
		top = tables->levels - 1;
		entries = 1U << (bits - 12 - 9 * top);
		set_leaf(&world, 0x1000000, page(&world, 1));
		if (reachable)
			set_leaf(&world, last, page(&world, 2));
		/* A bait: it would translate 1 << bits */
		if (entries < 512)
			tables->memory[entries] = tables->memory[0x1000000ULL >> (12 + 9 * top)];
		MUST(wdm_tables_configure(tables, world.fd, world.domain, NULL));
		CHECK_EQUAL(query(world.fd, world.domain).translated_bytes,
			    (1 + reachable) * PAGE);
		EXPECT(STATUS_INVALID_PARAMETER_4, flush_one(&world, true, 1ULL << bits));
		if (bits % 9 == 3 || bits == 25 || bits == 31)
			EXPECT_DMA(DMA_ARRIVED, write_to(&world, 0x1000000, page(&world, 1)));
		if (bits < 39)
			EXPECT_DMA(DMA_ARRIVED, write_to(&world, last, page(&world, 2)));
	}
}

static void replay(void)
{
	struct world world;

	open_caller_managed(&world, 4, parameter());
	set_leaf(&world, ADDRESS, page(&world, 1));
	MUST(wdm_flush(world.fd, world.domain, NULL));
	MUST(wdm_detach(world.fd, world.device.handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
	/* Changes without any device */
	set_leaf(&world, ADDRESS + PAGE, page(&world, 2));
	*wdm_tables_entry(&world.tables, ADDRESS, WDM_LEVEL_4K, false) = 0;
	MUST(wdm_flush(world.fd, world.domain, NULL));
	MUST(wdm_attach(world.fd, world.domain, world.device.handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&world, ADDRESS, page(&world, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, ADDRESS + PAGE, page(&world, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&world, HOME_ADDRESS, page(&world, 0)));
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
	{ .name = "another root", .run = reconfigure, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "configurations that cannot be used", .run = wrong_configurations,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "5 levels", .run = five_levels, .needs = NEEDS_DEVICE },
	{ .name = "InputSize", .run = input_sizes, .needs = NEEDS_DEVICE },
	{ .name = "tables that change without a device", .run = replay,
	  .needs = NEEDS_DEVICE, .formats = true },
};

const struct suite callermanaged_suite = { "callermanaged", cases, ARRAY_SIZE(cases) };
