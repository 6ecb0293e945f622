// SPDX-License-Identifier: GPL-2.0
/*
 * The caller's address space: adding and removing memory.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "model.h"
#include "suites.h"

#define PAGE	WDM_PAGE_SIZE

/* The arena is at LOW, which devices can use one to one. */
#define LOW	0x9000000ULL

static void set_low_leaf(struct fixture *fixture, __u64 address, unsigned int number)
{
	REQUIRE(wdm_tables_map(&fixture->tables, address, LOW + number * PAGE, WDM_LEVEL_4K,
			       WDM_RW));
}

static void open_low(struct fixture *fixture, const struct wdm_table_format *format)
{
	open_fixture(fixture);
	open_arena(fixture, 4 + TABLE_PAGES);
	open_device(fixture);
	MUST(wdm_domain_create(fixture->fd, false, 0, &fixture->domain));
	MUST(wdm_memory_add(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, 0, LOW));
	wdm_tables_init(&fixture->tables, format, 48, page(fixture, 4), TABLE_PAGES,
			LOW + 4 * PAGE);
	set_low_leaf(fixture, HOME_ADDRESS, 0);
	set_low_leaf(fixture, ADDRESS, 1);
	MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
	MUST(wdm_tables_configure(&fixture->tables, fixture->fd, fixture->domain, NULL));
	REQUIRE(probe_load(&fixture->probe, HOME_ADDRESS, page(fixture, 0)));
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, ADDRESS, page(fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, LOW, page(fixture, 0)));
}

static void bypass(void)
{
	const __u64 more = LOW + 0x100000;
	struct wdm_iommu_query_domain state;
	struct fixture fixture;

	open_low(&fixture, parameter());
	MUST(wdm_configure_bypass(fixture.fd, fixture.domain, NULL));
	state = query(fixture.fd, fixture.domain);
	CHECK_EQUAL(state.flags, WDM_IOMMU_DOMAIN_IS_CONFIGURED);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, LOW + PAGE, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	/* Memory is added and removed with immediate effect. */
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_IOMMU_READ, fixture.mdl, 2 * PAGE, PAGE,
			    more));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, more, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED,
		   probe_read(&fixture.probe, more, page(&fixture, 2), LOW, page(&fixture, 0)));
	MUST(wdm_memory_remove(fixture.fd, fixture.domain, LOW + PAGE, PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, LOW + PAGE, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, LOW, page(&fixture, 0)));

	/* Add it again. */
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, PAGE, PAGE,
			    LOW + PAGE));
	MUST(wdm_tables_configure(&fixture.tables, fixture.fd, fixture.domain, NULL));
	CHECK(query(fixture.fd, fixture.domain).flags & WDM_IOMMU_DOMAIN_IS_TRANSLATING);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, LOW, page(&fixture, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, more, page(&fixture, 2)));
}

/* A caller's address space that the device cannot use one to one */
static void bypass_conflict(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;
	__u64 beyond;

	open_low(&fixture, parameter());
	beyond = query(fixture.fd, fixture.domain).aperture_end + 1;
	if (!beyond)
		skip("the IOMMU translates every address");
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 2 * PAGE, PAGE,
			    beyond));
	EXPECT(STATUS_CONFLICTING_ADDRESSES,
	       wdm_configure_bypass(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 0);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	MUST(wdm_memory_remove(fixture.fd, fixture.domain, beyond, PAGE));
	MUST(wdm_configure_bypass(fixture.fd, fixture.domain, NULL));
	EXPECT(STATUS_CONFLICTING_ADDRESSES,
	       wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 2 * PAGE, PAGE,
			      beyond));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).mapped_pages, 4 + TABLE_PAGES);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, LOW + PAGE, page(&fixture, 1)));
}

static void memory_remove(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;
	struct wdm_iommu_mapping mapping;

	open_caller_managed(&fixture, 4, parameter());
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	set_leaf(&fixture, ADDRESS + PAGE, page(&fixture, 2));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	MUST(wdm_memory_remove(fixture.fd, fixture.domain, caller(page(&fixture, 1)), PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	CHECK(!find_mapping(fixture.fd, fixture.domain, WDM_IOMMU_QUERY_CALLER,
			    caller(page(&fixture, 1)), &mapping));
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 1);
	CHECK_EQUAL(walk_error.level, 0);
	CHECK_EQUAL(walk_error.logical_address, ADDRESS);
	/* Replace it by another page. */
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 3 * PAGE, PAGE,
			    caller(page(&fixture, 1))));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 3)));
}

/* Removing a table's memory removes all its translations. */
static void table_remove(void)
{
	struct fixture fixture;
	__u64 table;

	open_caller_managed(&fixture, 4, parameter());
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	set_leaf(&fixture, ADDRESS + PAGE, page(&fixture, 2));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	table = caller(wdm_tables_entry(&fixture.tables, ADDRESS, WDM_LEVEL_4K, false)) & -PAGE;
	MUST(wdm_memory_remove(fixture.fd, fixture.domain, table, PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS + PAGE, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, NULL));
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl,
			    table - caller(fixture.arena), PAGE, table));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	/* The root: no translation remains. */
	MUST(wdm_memory_remove(fixture.fd, fixture.domain, fixture.tables.caller_address, PAGE));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, 0);
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, NULL));
}

static void memory_parameters(void)
{
	const __u64 base = 0x100000, size = 4 * PAGE;
	struct fixture fixture;
	struct model model;
	__u32 mdl;
	int fd;

	open_fixture(&fixture);
	fd = fixture.fd;
	open_arena(&fixture, 4);
	MUST(wdm_domain_create(fd, false, 0, &fixture.domain));
	MUST(wdm_memory_add(fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0, base));
	EXPECT(STATUS_RESOURCE_IN_USE,
	       wdm_memory_add(fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0, base + size - PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_memory_add(fd, fixture.domain, 0, fixture.mdl, 0, 0, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_memory_add(fd, fixture.domain, WDM_RW | 4, fixture.mdl, 0, 0, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_memory_add(fd, fixture.domain, WDM_RW, fixture.mdl, 1, PAGE, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_memory_add(fd, fixture.domain, WDM_RW, fixture.mdl, PAGE, size, ADDRESS));
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       wdm_memory_add(fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0, ADDRESS + 8));
	EXPECT(STATUS_INVALID_PARAMETER_4,
	       wdm_memory_add(fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0, -PAGE));
	MUST(wdm_mdl_create(fd, page(&fixture, 0), PAGE, WDM_IOMMU_READ, &mdl));
	EXPECT(STATUS_ACCESS_DENIED,
	       wdm_memory_add(fd, fixture.domain, WDM_RW, mdl, 0, 0, ADDRESS));
	MUST(wdm_memory_add(fd, fixture.domain, WDM_RW, fixture.mdl, 0, PAGE, -PAGE));

	EXPECT(STATUS_INVALID_PARAMETER_2, wdm_memory_remove(fd, fixture.domain, base + 1, PAGE));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_memory_remove(fd, fixture.domain, base, 0));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_memory_remove(fd, fixture.domain, base, 1));
	EXPECT(STATUS_INVALID_PARAMETER_3, wdm_memory_remove(fd, fixture.domain, base, -PAGE));
	EXPECT(STATUS_NOT_FOUND, wdm_memory_remove(fd, fixture.domain, base - PAGE, 2 * PAGE));
	EXPECT(STATUS_NOT_FOUND, wdm_memory_remove(fd, fixture.domain, base, size + PAGE));
	MUST(wdm_memory_remove(fd, fixture.domain, -PAGE, PAGE));
	MUST(wdm_memory_remove(fd, fixture.domain, base + PAGE, PAGE));
	EXPECT(STATUS_NOT_FOUND, wdm_memory_remove(fd, fixture.domain, base, size));
	model_init(&model, base, 8);
	model_set(&model, base, 1, fixture.mdl, 0, WDM_RW);
	model_set(&model, base + 2 * PAGE, 2, fixture.mdl, 2 * PAGE, WDM_RW);
	model_check(&model, fd, fixture.domain, WDM_IOMMU_QUERY_CALLER);
	MUST(wdm_configure_bypass(fd, fixture.domain, NULL));
	model_check(&model, fd, fixture.domain, WDM_IOMMU_QUERY_LOGICAL);
}

/* Memory that was added read-only */
static void memory_read_only(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;

	open_caller_managed(&fixture, 4, parameter());
	MUST(wdm_memory_remove(fixture.fd, fixture.domain, caller(page(&fixture, 1)), PAGE));
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_IOMMU_READ, fixture.mdl, PAGE, PAGE,
			    caller(page(&fixture, 1))));
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 1);
	CHECK_EQUAL(walk_error.logical_address, ADDRESS);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	REQUIRE(wdm_tables_map(&fixture.tables, ADDRESS, caller(page(&fixture, 1)), WDM_LEVEL_4K,
			       WDM_IOMMU_READ));
	EXPECT(STATUS_SUCCESS, wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, read_from(&fixture, ADDRESS, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

/* The program unmaps the memory; the MDL keeps it. */
static void unmapped_by_program(void)
{
	struct fixture fixture;
	void *tables;

	open_caller_managed(&fixture, 4, parameter());
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	tables = page(&fixture, 4);
	REQUIRE(!munmap(tables, TABLE_PAGES * PAGE));
	/* The probe cannot read memory that is not mapped. */
	fixture.probe.size = 4 * PAGE;
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
	/* The MDL describes the old memory, not what is mapped at its addresses now. */
	REQUIRE(mmap(tables, TABLE_PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == tables);
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, ADDRESS, page(&fixture, 1)));
}

static bool is_mapped(const struct fixture *fixture, __u64 address)
{
	struct wdm_iommu_mapping mapping;

	return find_mapping(fixture->fd, fixture->domain, WDM_IOMMU_QUERY_LOGICAL, address,
			    &mapping);
}

/*
 * A table in a page that memory failure has poisoned is not read again: the entries seen last
 * remain, and new references to it are refused. The probe would read the page.
 */
static void poisoned_table(void)
{
	const struct wdm_table_format *format = parameter();
	const __u64 other = ADDRESS + (1ULL << 30);
	struct wdm_iommu_walk_error walk_error;
	const __u64 vas[] = { ADDRESS };
	struct fixture fixture;
	__u64 *entry, *upper;
	void *leaves;

	open_low(&fixture, format);
	entry = wdm_tables_entry(&fixture.tables, ADDRESS, WDM_LEVEL_4K, false);
	upper = wdm_tables_entry(&fixture.tables, other, WDM_LEVEL_1G, true);
	leaves = (void *)((uintptr_t)entry & ~(PAGE - 1));
	/* The process that maps the page may get a signal. */
	signal(SIGBUS, SIG_IGN);
	if (madvise(leaves, PAGE, MADV_HWPOISON))
		skip("no memory failures: %s", strerror(errno));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	MUST(wdm_flush_va_list(fixture.fd, fixture.domain, false, vas, 1, NULL));
	CHECK(is_mapped(&fixture, ADDRESS));

	*upper = format->table(LOW + ((unsigned char *)leaves - fixture.arena));
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 1);
	CHECK_EQUAL(walk_error.logical_address, other & ~((1ULL << 30) - 1));
	*upper = 0;
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	CHECK(is_mapped(&fixture, ADDRESS));
	MUST(wdm_memory_remove(fixture.fd, fixture.domain, LOW, fixture.pages * PAGE));
	CHECK(!is_mapped(&fixture, ADDRESS));
}

static const struct test_case cases[] = {
	{ .name = "TranslationEnabled FALSE and back", .run = bypass, .needs = NEEDS_DEVICE,
	  .formats = true },
	{ .name = "an address space that does not fit TranslationEnabled FALSE",
	  .run = bypass_conflict, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "memory that is removed", .run = memory_remove,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "memory of tables that is removed", .run = table_remove,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "parameters of add and remove", .run = memory_parameters },
	{ .name = "memory for reading only", .run = memory_read_only,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "memory that the program unmaps", .run = unmapped_by_program,
	  .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "a table in memory that fails", .run = poisoned_table,
	  .needs = NEEDS_DEVICE, .formats = true },
};

const struct suite callermemory_suite = { "callermemory", cases, ARRAY_SIZE(cases) };
