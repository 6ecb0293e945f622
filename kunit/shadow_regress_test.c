// SPDX-License-Identifier: GPL-2.0
/*
 * Caller-managed domains: cases that random tests do not reach reliably.
 */
#include <kunit/test.h>

#include "support/fixture.h"
#include "support/caller_tables.h"

static const struct tables_kind cases_kinds[] = {
	{ "x86-64", false, 48, 4, 512 },
	{ "ARM64", true, 48, 4, 512 },
};

static void cases_name(const struct tables_kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(cases, cases_kinds, cases_name);

/* Tables 0 to 3 from the root down; table 3 translates from address 0 on. */
static void cases_chain(struct tables *t)
{
	unsigned int i;

	memset(t->mem, 0, TABLES_NR * PAGE_SIZE);
	for (i = 0; i < 3; i++)
		*tables_entry(t, i, 0) = tables_pointer(t, tables_page(i + 1));
}

static ntstatus_t cases_configure(struct tables *t, bool translate,
				  struct wdm_walk_error *walk_error)
{
	struct wdm_pt_config config;

	tables_config(t, &config);
	config.translation_enabled = translate;
	return wdm_domain_configure(t->domain, &config, walk_error);
}

/* Configure, and check that the IOMMU has what a walk finds. */
static void cases_good(struct tables *t)
{
	struct tables_walk *walk = tables_walk_alloc(t);
	struct wdm_walk_error walk_error;

	KUNIT_ASSERT_STATUS(t->fx->test, cases_configure(t, true, &walk_error),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(t->fx->test, walk_error.count, 0);
	tables_walk(t, walk, 1, 0);
	KUNIT_ASSERT_FALSE(t->fx->test, walk->too_many);
	tables_check(t, walk);
}

static void cases_flush(struct tables *t, ntstatus_t want)
{
	struct wdm_walk_error walk_error;

	KUNIT_EXPECT_STATUS(t->fx->test,
			    wdm_domain_flush(t->domain, &walk_error), want);
}

static u64 cases_page_size(struct tables *t, u64 va)
{
	struct fake_page fp;

	return fake_iommu_at(t->fake, va, &fp) ? fp.size : 0;
}

/* IOMMU pages are never larger than the caller's, and as large as possible. */
static void cases_large(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct test_mdl *giant = fixture_mdl_contiguous(t->fx, WDM_PERMS,
							SZ_1G / SZ_4K,
							SZ_1G / SZ_4K);
	unsigned int i;

	cases_chain(t);
	for (i = 0; i < 512; i++)
		*tables_entry(t, 3, i) =
			tables_pointer(t, TABLES_DATA_A + i * PAGE_SIZE);
	*tables_entry(t, 2, 1) = tables_large(t, TABLES_DATA_A);
	*tables_entry(t, 2, 2) = tables_large(t, TABLES_DATA_B);
	cases_good(t);
	for (i = 0; i < 512; i++)
		KUNIT_EXPECT_EQ(test, cases_page_size(t, i * PAGE_SIZE), SZ_4K);
	KUNIT_EXPECT_EQ(test, cases_page_size(t, SZ_2M), SZ_2M);
	/* The pages after this one are scattered. */
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 3 * 512);

	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_memory_add(t->domain, WDM_PERMS,
						  RANGE(giant->mdl, 0, SZ_1G / SZ_4K),
						  3ULL * SZ_1G),
			    STATUS_SUCCESS);
	*tables_entry(t, 1, 5) = tables_large(t, 3ULL * SZ_1G);
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, cases_page_size(t, 5ULL * SZ_1G), SZ_1G);
	/* Removing part of its memory zaps all of it. */
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(t->domain,
						     3ULL * SZ_1G + SZ_512M, 1),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, cases_page_size(t, 5ULL * SZ_1G), 0);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 3 * 512);
	cases_flush(t, STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 3 * 512);
}

/* A flush that unmaps much does not put off the sync of all of it: drivers free tables there. */
static void cases_syncs_long(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct test_mdl *giant = fixture_mdl_contiguous(t->fx, WDM_PERMS, SZ_1G / SZ_4K,
							SZ_1G / SZ_4K);
	unsigned int i, syncs;

	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_memory_add(t->domain, WDM_PERMS,
						  RANGE(giant->mdl, 0, SZ_1G / SZ_4K),
						  3ULL * SZ_1G),
			    STATUS_SUCCESS);
	cases_chain(t);
	for (i = 4; i < 8; i++)
		*tables_entry(t, 1, i) = tables_large(t, 3ULL * SZ_1G);
	KUNIT_ASSERT_STATUS(test, cases_configure(t, true, &(struct wdm_walk_error) {}),
			    STATUS_SUCCESS);
	for (i = 4; i < 8; i++)
		*tables_entry(t, 1, i) = 0;
	syncs = t->fake->nr_sync;
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 0);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(t->fake));
	KUNIT_EXPECT_GE(test, t->fake->nr_sync - syncs, 4);
}

/* One entry of 512 changes: one map, one unmap, and nothing else is disturbed. */
static void cases_neighbours(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	u64 *serial = kunit_kcalloc(test, 512, sizeof(u64), GFP_KERNEL);
	struct wdm_walk_error walk_error;
	unsigned int i, nr_map, nr_unmap;
	struct fake_page fp;
	u64 va = 77 * PAGE_SIZE;

	KUNIT_ASSERT_NOT_NULL(test, serial);
	cases_chain(t);
	for (i = 0; i < 512; i++)
		*tables_entry(t, 3, i) =
			tables_pointer(t, TABLES_DATA_A + i * PAGE_SIZE);
	cases_good(t);
	for (i = 0; i < 512; i++) {
		KUNIT_ASSERT_TRUE(test, fake_iommu_at(t->fake, i * PAGE_SIZE,
						      &fp));
		serial[i] = fp.serial;
	}
	nr_map = t->fake->nr_map;
	nr_unmap = t->fake->nr_unmap;

	*tables_entry(t, 3, 77) = tables_pointer(t, TABLES_DATA_B);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(t->domain, true, &va, 1,
						  &walk_error),
			    STATUS_SUCCESS);
	*tables_entry(t, 3, 400) = 0;
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->nr_map, nr_map + 1);
	KUNIT_EXPECT_EQ(test, t->fake->nr_unmap, nr_unmap + 2);
	for (i = 0; i < 512; i++) {
		bool there = fake_iommu_at(t->fake, i * PAGE_SIZE, &fp);

		KUNIT_ASSERT_EQ(test, there, i != 400);
		if (there)
			KUNIT_ASSERT_EQ(test, fp.serial == serial[i], i != 77);
	}
}

/* If one of two IOMMUs cannot map a leaf, the other does not keep it. */
static void cases_two_iommus(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct fake_iommu *fakes[] = {
		t->fake, fixture_fake(t->fx, FAKE_PGSIZES_X86),
	};
	/* A single leaf, and two adjacent ones */
	static const u64 vas[] = { SZ_4K, 3 * SZ_4K, 4 * SZ_4K };
	struct wdm_walk_error walk_error;
	unsigned int i, j;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(t->domain, fakes[1]),
			    STATUS_SUCCESS);
	cases_chain(t);
	cases_good(t);
	for (i = 0; i < ARRAY_SIZE(vas); i++)
		*tables_entry(t, 3, vas[i] / SZ_4K) =
			tables_pointer(t, TABLES_DATA_A + vas[i]);

	for (i = 0; i < ARRAY_SIZE(fakes); i++) {
		fake_iommu_fail_map(fakes[i], 1, true);
		KUNIT_EXPECT_STATUS(test,
				    wdm_domain_flush_list(t->domain, true, vas,
							  ARRAY_SIZE(vas),
							  &walk_error),
				    STATUS_INSUFFICIENT_RESOURCES);
		fake_iommu_fail_map(fakes[i], 0, false);
		KUNIT_EXPECT_EQ(test, walk_error.count, ARRAY_SIZE(vas));
		for (j = 0; j < ARRAY_SIZE(fakes); j++) {
			KUNIT_EXPECT_EQ(test, fakes[j]->mapped, 0);
			KUNIT_EXPECT_FALSE(test, fake_iommu_stale(fakes[j]));
		}
	}
	cases_flush(t, STATUS_SUCCESS);
	for (j = 0; j < ARRAY_SIZE(fakes); j++)
		KUNIT_EXPECT_EQ(test, fakes[j]->mapped, ARRAY_SIZE(vas));
}

/* Accessed, dirty and software bits change nothing. */
static void cases_ignored_bits(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	const u64 bits = t->kind->arm64 ? BIT_ULL(55) | BIT_ULL(58) | BIT(11) :
				       BIT(5) | BIT(6) | BIT(9) | BIT_ULL(63);
	unsigned int i, nr_map, nr_unmap;

	cases_chain(t);
	*tables_entry(t, 3, 1) = tables_pointer(t, TABLES_DATA_A);
	cases_good(t);
	nr_map = t->fake->nr_map;
	nr_unmap = t->fake->nr_unmap;
	for (i = 0; i < 3; i++)
		*tables_entry(t, i, 0) |= bits & ~BIT(6);
	*tables_entry(t, 3, 1) |= bits;
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->nr_map, nr_map);
	KUNIT_EXPECT_EQ(test, t->fake->nr_unmap, nr_unmap);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 1);
}

/* Each kind of invalid entry is reported with its address and contents. */
static void cases_refusals(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	bool arm64 = t->kind->arm64;
	const struct {
		unsigned int table, index, level;
		u64 va, raw;
		ntstatus_t status;
	} rows[] = {
		{ 3, 9, 0, 9 * SZ_4K, tables_pointer(t, TABLES_END),
		  STATUS_ACCESS_VIOLATION },
		{ 3, 511, 0, 511 * SZ_4K, tables_pointer(t, TABLES_DATA_C),
		  STATUS_ACCESS_VIOLATION },
		{ 2, 3, 1, 3 * SZ_2M, tables_pointer(t, BIT_ULL(40)),
		  STATUS_ACCESS_VIOLATION },
		{ 2, 3, 1, 3 * SZ_2M, tables_large(t, TABLES_DATA_C),
		  STATUS_ACCESS_VIOLATION },
		{ 2, 3, 1, 3 * SZ_2M,
		  tables_large(t, TABLES_DATA_A) | BIT(arm64 ? 15 : 14),
		  STATUS_INVALID_PARAMETER },
		{ 1, 7, 2, 7ULL * SZ_1G, tables_large(t, BIT(29)),
		  STATUS_INVALID_PARAMETER },
		{ 0, 1, 3, BIT_ULL(39), tables_large(t, 0),
		  STATUS_INVALID_PARAMETER },
	};
	struct wdm_walk_error walk_error;
	unsigned int i;
	u64 *entry;

	cases_chain(t);
	*tables_entry(t, 3, 10) = tables_pointer(t, TABLES_DATA_A);
	cases_good(t);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		entry = tables_entry(t, rows[i].table, rows[i].index);
		*entry = rows[i].raw;
		KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
				    rows[i].status);
		KUNIT_EXPECT_EQ(test, walk_error.count, 1);
		KUNIT_EXPECT_EQ(test, walk_error.level, rows[i].level);
		KUNIT_EXPECT_EQ(test, walk_error.va, rows[i].va);
		KUNIT_EXPECT_EQ(test, walk_error.raw, rows[i].raw);
		KUNIT_EXPECT_EQ(test, t->fake->mapped, 1);
		/* It is reported as long as it exists. */
		cases_flush(t, rows[i].status);
		*entry = 0;
		cases_flush(t, STATUS_SUCCESS);
	}
}

/* Outside the range that the IOMMU translates. */
static void cases_conflict(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct wdm_walk_error walk_error;
	struct fake_iommu *narrow;

	cases_chain(t);
	*tables_entry(t, 3, 1) = tables_pointer(t, TABLES_DATA_A);
	*tables_entry(t, 1, 1) = tables_pointer(t, tables_page(2));
	cases_good(t);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 2);

	/* An IOMMU with a small aperture is refused until everything fits. */
	narrow = fixture_fake(t->fx, FAKE_PGSIZES_X86);
	narrow->domain.geometry.aperture_end = SZ_1G - 1;
	KUNIT_EXPECT_STATUS(test, fixture_adopt(t->domain, narrow),
			    STATUS_CONFLICTING_ADDRESSES);
	KUNIT_EXPECT_EQ(test, narrow->mapped, 0);
	*tables_entry(t, 1, 1) = 0;
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, fixture_adopt(t->domain, narrow),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, narrow->mapped, 1);

	/* From then on such an entry is invalid. */
	*tables_entry(t, 1, 1) = tables_pointer(t, tables_page(2));
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_CONFLICTING_ADDRESSES);
	KUNIT_EXPECT_EQ(test, walk_error.count, 1);
	KUNIT_EXPECT_EQ(test, walk_error.va, SZ_1G + SZ_4K);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 1);
	KUNIT_EXPECT_EQ(test, narrow->mapped, 1);

	/* With two errors, leaves of all sizes report the same one. */
	*tables_entry(t, 1, 1) = tables_large(t, BIT_ULL(40));
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_CONFLICTING_ADDRESSES);
	*tables_entry(t, 1, 1) = tables_pointer(t, tables_page(4));
	*tables_entry(t, 4, 5) = tables_large(t, BIT_ULL(40));
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_CONFLICTING_ADDRESSES);
	*tables_entry(t, 4, 5) = tables_pointer(t, tables_page(5));
	*tables_entry(t, 5, 0) = tables_pointer(t, BIT_ULL(40));
	*tables_entry(t, 5, 1) = tables_pointer(t, BIT_ULL(40));
	*tables_entry(t, 5, 3) = tables_pointer(t, BIT_ULL(40));
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_CONFLICTING_ADDRESSES);
	KUNIT_EXPECT_EQ(test, walk_error.count, 3);
	*tables_entry(t, 1, 1) = tables_pointer(t, tables_page(2));
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_CONFLICTING_ADDRESSES);

	/* With the wide IOMMU alone, a full flush retries the entry. */
	fixture_disown(narrow);
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 2);
}

static void cases_list_parameters(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	u64 vas[] = { 0, BIT_ULL(t->kind->bits) };
	const size_t many = 70000;
	u64 *zeros = kvcalloc(many, sizeof(*zeros), GFP_KERNEL);
	struct wdm_domain *os = fixture_domain(t->fx, true, 0);
	struct wdm_pt_config config = { .type = WDM_PT_X64 };
	struct wdm_walk_error walk_error;

	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(t->domain, true, vas, 1,
						  &walk_error),
			    STATUS_INVALID_DEVICE_STATE);
	cases_chain(t);
	cases_good(t);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(t->domain, true, vas, 1,
						  &walk_error),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(t->domain, true, vas, 2,
						  &walk_error),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, walk_error.count, 0);
	/* The contract does not limit the length of a list. */
	KUNIT_ASSERT_NOT_NULL(test, zeros);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(t->domain, true, zeros, many,
						  &walk_error),
			    STATUS_SUCCESS);
	zeros[many - 1] = vas[1];
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(t->domain, true, zeros, many,
						  &walk_error),
			    STATUS_INVALID_PARAMETER_4);
	kvfree(zeros);

	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(os, &walk_error),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(os, true, vas, 1, &walk_error),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdm_domain_configure(os, &config, &walk_error),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_add(os, WDM_READ, RANGE(t->data[0]->mdl, 0, 1),
						  0),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdm_domain_memory_remove(os, 0, 1),
			    STATUS_INVALID_PARAMETER_1);
}

static void cases_memory_parameters(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct wdm_mdl *rw = t->data[1]->mdl, *ro = t->data[0]->mdl;
	const struct {
		struct wdm_mdl *mdl;
		u32 perms;
		u64 page, nr, at;
		ntstatus_t status;
	} rows[] = {
		{ rw, 0, 0, 1, 0, STATUS_INVALID_PARAMETER_2 },
		{ rw, WDM_WRITE, 0, 1, 0, STATUS_INVALID_PARAMETER_2 },
		{ rw, 8 | WDM_READ, 0, 1, 0, STATUS_INVALID_PARAMETER_2 },
		{ rw, WDM_READ, 0, 0, 0, STATUS_INVALID_PARAMETER_3 },
		{ rw, WDM_READ, 512, 1, 0, STATUS_INVALID_PARAMETER_3 },
		{ rw, WDM_READ, 1, 512, 0, STATUS_INVALID_PARAMETER_3 },
		{ rw, WDM_READ, 0, 1, 1, STATUS_INVALID_PARAMETER_4 },
		{ rw, WDM_READ, 0, 2, -PAGE_SIZE, STATUS_INVALID_PARAMETER_4 },
		{ ro, WDM_PERMS, 0, 1, 0, STATUS_ACCESS_DENIED },
		{ rw, WDM_READ, 0, 512, TABLES_DATA_A - PAGE_SIZE,
		  STATUS_RESOURCE_IN_USE },
		{ rw, WDM_READ, 0, 1, TABLES_DATA_A, STATUS_RESOURCE_IN_USE },
	};
	u64 pages = wdm_mappings_pages(&t->domain->mappings);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		KUNIT_EXPECT_STATUS(test,
				    wdm_domain_memory_add(t->domain, rows[i].perms,
							  RANGE(rows[i].mdl, rows[i].page,
								rows[i].nr),
							  rows[i].at),
				    rows[i].status);
	KUNIT_EXPECT_STATUS(test, wdm_domain_memory_remove(t->domain, 1, 1),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdm_domain_memory_remove(t->domain, 0, 0),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(t->domain, -PAGE_SIZE, 2),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(t->domain, TABLES_DATA_A,
						     1089),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&t->domain->mappings), pages);
}

/* An invalid root changes nothing. */
static void cases_bad_root(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	u64 good = t->root;
	struct wdm_walk_error walk_error;

	cases_chain(t);
	*tables_entry(t, 3, 1) = tables_pointer(t, TABLES_DATA_A);
	t->root = TABLES_END;
	KUNIT_EXPECT_STATUS(test, cases_configure(t, true, &walk_error),
			    STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, walk_error.count, 0);
	cases_flush(t, STATUS_INVALID_DEVICE_STATE);
	t->root = good;
	cases_good(t);
	t->root = TABLES_END;
	KUNIT_EXPECT_STATUS(test, cases_configure(t, true, &walk_error),
			    STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 1);
	t->root = good + 8;
	KUNIT_EXPECT_STATUS(test, cases_configure(t, true, &walk_error),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 1);

	/* Removing the old root's memory zaps everything; adding it restores everything. */
	t->root = good;
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(t->domain, TABLES_AT, 1),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 0);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, walk_error.level, t->kind->levels);
	KUNIT_EXPECT_EQ(test, walk_error.raw, t->root);
	KUNIT_EXPECT_STATUS(test, tables_add(t, TABLES_AT, 1), STATUS_SUCCESS);
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 1);

	/* Another root, with other tables */
	t->root = tables_page(1);
	cases_good(t);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 0);
}

/* Translation off: memory is mapped when it is added, and unmapped when it is removed. */
static void cases_bypass(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct wdm_walk_error walk_error;
	u64 pages = wdm_mappings_pages(&t->domain->mappings);
	struct wdm_mdl *rw = t->data[1]->mdl;
	u64 top = t->fake->domain.geometry.aperture_end + 1;

	KUNIT_ASSERT_STATUS(test, cases_configure(t, false, &walk_error),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, pages);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_add(t->domain, WDM_READ, RANGE(rw, 0, 9),
						  SZ_1G),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, pages + 9);
	KUNIT_EXPECT_EQ(test, cases_page_size(t, SZ_1G), SZ_4K);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_remove(t->domain, SZ_1G + SZ_4K,
						     3),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, pages + 6);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(t->fake));

	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_add(t->domain, WDM_READ, RANGE(rw, 0, 1), top),
			    STATUS_CONFLICTING_ADDRESSES);
	fake_iommu_fail_map(t->fake, 1, true);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_add(t->domain, WDM_READ, RANGE(rw, 0, 9),
						  SZ_1G + SZ_1M),
			    STATUS_INSUFFICIENT_RESOURCES);
	fake_iommu_fail_map(t->fake, 0, false);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, pages + 6);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&t->domain->mappings), pages + 6);

	/* On again, with memory that devices cannot reach, and off: refused. */
	cases_chain(t);
	*tables_entry(t, 3, 1) = tables_pointer(t, TABLES_DATA_A);
	cases_good(t);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_add(t->domain, WDM_READ, RANGE(rw, 0, 1), top),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, cases_configure(t, false, &walk_error),
			    STATUS_CONFLICTING_ADDRESSES);
	KUNIT_EXPECT_EQ(test, walk_error.count, 0);
	KUNIT_EXPECT_EQ(test, t->fake->mapped, 1);
	cases_flush(t, STATUS_SUCCESS);
}

/*
 * A program can remove any page of its address space, so without translation it is mapped by
 * small pages. That of kernel code is fixed, and mapped by the largest pages that fit.
 */
static void cases_bypass_pages(struct kunit *test)
{
	/* Of a program, and of kernel code */
	static const u64 sizes[] = { SZ_4K, SZ_2M };
	struct tables_kind kind = *(const struct tables_kind *)test->param_value;
	struct wdm_walk_error walk_error;
	struct test_mdl *large;
	struct tables *t;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		kind.kernel = i;
		t = tables_start(test, &kind);
		large = fixture_mdl_contiguous(t->fx, WDM_PERMS, 512, 512);
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_memory_add(t->domain, WDM_PERMS,
							  RANGE(large->mdl, 0, 512), SZ_1G),
				    STATUS_SUCCESS);
		KUNIT_ASSERT_STATUS(test, cases_configure(t, false, &walk_error),
				    STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, cases_page_size(t, SZ_1G), sizes[i]);
	}
}

/* Translation is turned off while leaves translate addresses that the bypass maps. */
static void cases_bypass_replaces(struct kunit *test)
{
	/* First page number of the leaves and their number, relative to the address space */
	static const u64 leaves[][2] = { { 0, 1 }, { 3, 100 }, { 511, 1 } };
	struct tables *t = tables_start(test, test->param_value);
	u64 pages = wdm_mappings_pages(&t->domain->mappings);
	struct wdm_walk_error walk_error;
	struct fake_page page;
	unsigned int i;
	u64 n;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		cases_chain(t);
		*tables_entry(t, 2, TABLES_DATA_A / SZ_2M) =
			tables_pointer(t, tables_page(3));
		for (n = leaves[i][0]; n < leaves[i][0] + leaves[i][1]; n++)
			*tables_entry(t, 3, n) =
				tables_pointer(t, TABLES_DATA_B + n * PAGE_SIZE);
		cases_good(t);

		KUNIT_ASSERT_STATUS(test, cases_configure(t, false, &walk_error),
				    STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, t->fake->mapped, pages);
		for (n = 0; n < 512; n++) {
			u64 va = TABLES_DATA_A + n * PAGE_SIZE;

			KUNIT_ASSERT_TRUE(test, fake_iommu_at(t->fake, va, &page));
			KUNIT_EXPECT_EQ(test, page.phys + (va - page.iova),
					PFN_PHYS(fixture_mdl_pfn(t->fx, t->data[1]->mdl, n)));
		}
		KUNIT_EXPECT_FALSE(test, fake_iommu_stale(t->fake));
	}
}

/* 16 entries that hardware may cache as one are flushed as one. */
static void cases_contiguous(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct tables_walk *walk = tables_walk_alloc(t);
	struct wdm_walk_error walk_error;
	unsigned int i, round;
	u64 va;

	if (!t->kind->arm64)
		kunit_skip(test, "x86 has no such bit");
	cases_chain(t);
	for (i = 32; i < 48; i++)
		*tables_entry(t, 3, i) =
			tables_pointer(t, TABLES_DATA_A + i * PAGE_SIZE) |
			BIT_ULL(52);
	cases_good(t);
	for (round = 0; round < 4; round++) {
		for (i = 32; i < 48; i++)
			*tables_entry(t, 3, i) =
				(round == 3 ? 0 :
				 tables_pointer(t, TABLES_DATA_B +
						(round + i) * PAGE_SIZE)) |
				(round & 1 ? 0 : BIT_ULL(52));
		va = (32 + 5 * round) * PAGE_SIZE;
		/* The third round had no contiguous bit left. */
		if (round == 2)
			*tables_entry(t, 3, 32 + 10) |= BIT_ULL(52);
		KUNIT_EXPECT_STATUS(test,
				    wdm_domain_flush_list(t->domain, round & 1,
							  &va, 1, &walk_error),
				    STATUS_SUCCESS);
		tables_walk(t, walk, 1, 0);
		tables_check(t, walk);
	}
}

/* The budget of a domain without CAP_IPC_LOCK, with one MiB pinned */
#define CASES_BUDGET	(WDM_BUDGET_BASE + WDM_BUDGET_RATIO * (u64)SZ_1M)

/* Flush one address of a run of 16 large leaves: all refer to @to, or block. */
static void cases_flush_run(struct tables *t, unsigned int level, u64 raw,
			    const struct test_mdl *to)
{
	struct kunit *test = t->fx->test;
	u64 span = wdm_pt_span(level), va = 32 * span + 11 * span + 5 * SZ_4K;
	struct wdm_walk_error walk_error;
	struct fake_page fp;
	unsigned int i;

	for (i = 32; i < 48; i++)
		*tables_entry(t, 3 - level, i) = raw;
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_flush_list(t->domain, true, &va, 1,
						  &walk_error), STATUS_SUCCESS);
	for (i = 32; i < 48; i++) {
		KUNIT_ASSERT_EQ(test, fake_iommu_at(t->fake, i * span, &fp), !!to);
		if (to)
			KUNIT_ASSERT_EQ(test, fp.phys, PFN_PHYS(to->pfns[0]));
	}
	KUNIT_EXPECT_EQ(test, t->fake->mapped, to ? 16 * span / SZ_4K : 0);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(t->fake));
}

/* At 2 MiB and 1 GiB, with the bit set before the change, after it, or both */
static void cases_contiguous_large(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	const u64 at = 4ULL * SZ_1G, nr = SZ_1G / SZ_4K, bit = BIT_ULL(52);
	struct test_mdl *memory[2];
	unsigned int i, level;
	u64 raw[2];

	if (!t->kind->arm64)
		kunit_skip(test, "x86 has no such bit");
	for (i = 0; i < 2; i++) {
		memory[i] = fixture_mdl_contiguous(t->fx, WDM_PERMS, nr, nr);
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_memory_add(t->domain, WDM_PERMS,
							  RANGE(memory[i]->mdl, 0, nr),
							  at + i * (u64)SZ_1G),
				    STATUS_SUCCESS);
		raw[i] = tables_large(t, at + i * (u64)SZ_1G);
	}
	cases_chain(t);
	cases_good(t);
	/* debug_pagealloc looks at each of the smallest pages: see fake_iova_to_phys() */
	t->fake->domain.pgsize_bitmap = SZ_2M | SZ_1G;
	for (level = 1; level <= 2; level++) {
		cases_flush_run(t, level, raw[0] | bit, memory[0]);
		cases_flush_run(t, level, raw[1] | bit, memory[1]);
		cases_flush_run(t, level, raw[0], memory[0]);
		cases_flush_run(t, level, raw[1] | bit, memory[1]);
		cases_flush_run(t, level, 0, NULL);
	}
}

/*
 * Every entry of a table refers to the table itself. The budget bounds the walk, and
 * everything can be freed again.
 */
static void cases_bounds(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct wdm_budget *budget = fixture_budget(t->fx, SZ_1M);
	struct wdm_domain_report report;
	struct wdm_walk_error walk_error;
	unsigned int i;
	u64 raw;

	/* No IOMMU: the charge is for tables, not for what they map. */
	fixture_disown(t->fake);
	t->domain->budget = budget;
	/* As a page, this table is not a leaf for ARM64, because AF is clear. */
	raw = t->kind->arm64 ? TABLES_AT | 0x3 : tables_pointer(t, TABLES_AT);
	for (i = 0; i < 512; i++)
		*tables_entry(t, 0, i) = raw;
	KUNIT_EXPECT_STATUS(test, cases_configure(t, true, &walk_error),
			    STATUS_WORKING_SET_QUOTA);
	KUNIT_EXPECT_GT(test, walk_error.count, 0);
	KUNIT_EXPECT_STATUS(test, wdm_domain_report(t->domain, &report),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_GT(test, report.shadow_tables,
			CASES_BUDGET / (16 * SZ_1K));
	KUNIT_EXPECT_LT(test, report.shadow_tables, CASES_BUDGET / SZ_8K);
	KUNIT_EXPECT_EQ(test, report.invalid_entries, walk_error.count);
	KUNIT_EXPECT_LE(test, atomic64_read(&budget->used), CASES_BUDGET);

	cases_flush(t, walk_error.status);
	memset(t->mem, 0, PAGE_SIZE);
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_report(t->domain, &report),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, report.shadow_tables, 1);
	KUNIT_EXPECT_EQ(test, report.invalid_entries, 0);
	KUNIT_EXPECT_EQ(test, report.translated_bytes, 0);
	KUNIT_EXPECT_LT(test, atomic64_read(&budget->used), SZ_16K);

	/* A leaf of 1 GiB may take 2 MiB of the IOMMU's tables: two fit into the budget. */
	cases_chain(t);
	for (i = 3; i < 6; i++)
		*tables_entry(t, 1, i) = tables_large(t, 4ULL * SZ_1G);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_memory_add(t->domain, WDM_PERMS,
						  RANGE(fixture_mdl_contiguous(t->fx,
									       WDM_PERMS,
									       SZ_1G / SZ_4K,
									       512)
								->mdl,
							0, SZ_1G / SZ_4K),
						  4ULL * SZ_1G),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_WORKING_SET_QUOTA);
	KUNIT_EXPECT_EQ(test, walk_error.count, 1);
	KUNIT_EXPECT_EQ(test, walk_error.va, 5ULL * SZ_1G);
	/* When one is removed, the third fits, without having changed. */
	*tables_entry(t, 1, 3) = 0;
	cases_flush(t, STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_report(t->domain, &report),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, report.translated_bytes, 2ULL * SZ_1G);
}

/**
 * struct cases_quota - a budget that is exhausted until the first map
 * @budget: the budget
 * @taken: what was charged to exhaust it
 */
struct cases_quota {
	struct wdm_budget *budget;
	u64 taken;
};

static void cases_return_quota(struct fake_iommu *fake)
{
	struct cases_quota *quota = fake->hook_data;

	wdm_budget_uncharge(quota->budget, quota->taken);
}

/*
 * The budget returns in the middle of a flush, after an entry was refused for it, and before
 * the flush tries the invalid entries again: that all are valid in the end is what it reports.
 */
static void cases_quota_returns(struct kunit *test)
{
	struct tables *t = tables_start(test, test->param_value);
	struct cases_quota quota = { .budget = fixture_budget(t->fx, SZ_1M) };
	struct wdm_walk_error walk_error;
	u64 bytes;

	t->domain->budget = quota.budget;
	cases_chain(t);
	/* The leaves are below the last of the entries. */
	*tables_entry(t, 0, 2) = *tables_entry(t, 0, 0);
	*tables_entry(t, 0, 0) = 0;
	cases_good(t);
	for (bytes = SZ_16M; bytes; bytes /= 2) {
		while (wdm_budget_charge(quota.budget, bytes))
			quota.taken += bytes;
	}
	*tables_entry(t, 0, 0) = tables_pointer(t, tables_page(4));
	cases_flush(t, STATUS_WORKING_SET_QUOTA);

	*tables_entry(t, 0, 1) = tables_pointer(t, tables_page(4));
	*tables_entry(t, 3, 0) = tables_pointer(t, TABLES_DATA_A);
	t->fake->hook = cases_return_quota;
	t->fake->hook_data = &quota;
	t->fake->hook_at = 1;
	KUNIT_EXPECT_STATUS(test, wdm_domain_flush(t->domain, &walk_error), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->fake->hook_at, 0);
	KUNIT_EXPECT_EQ(test, walk_error.count, 0);
	memset(t->mem, 0, TABLES_NR * PAGE_SIZE);
	cases_flush(t, STATUS_SUCCESS);
}

static struct kunit_case cases_cases[] = {
	KUNIT_CASE_PARAM(cases_large, cases_gen_params),
	KUNIT_CASE_PARAM(cases_syncs_long, cases_gen_params),
	KUNIT_CASE_PARAM(cases_neighbours, cases_gen_params),
	KUNIT_CASE_PARAM(cases_two_iommus, cases_gen_params),
	KUNIT_CASE_PARAM(cases_ignored_bits, cases_gen_params),
	KUNIT_CASE_PARAM(cases_refusals, cases_gen_params),
	KUNIT_CASE_PARAM(cases_conflict, cases_gen_params),
	KUNIT_CASE_PARAM(cases_list_parameters, cases_gen_params),
	KUNIT_CASE_PARAM(cases_memory_parameters, cases_gen_params),
	KUNIT_CASE_PARAM(cases_bad_root, cases_gen_params),
	KUNIT_CASE_PARAM(cases_bypass, cases_gen_params),
	KUNIT_CASE_PARAM(cases_bypass_pages, cases_gen_params),
	KUNIT_CASE_PARAM(cases_bypass_replaces, cases_gen_params),
	KUNIT_CASE_PARAM(cases_contiguous, cases_gen_params),
	KUNIT_CASE_PARAM(cases_contiguous_large, cases_gen_params),
	KUNIT_CASE_PARAM(cases_quota_returns, cases_gen_params),
	KUNIT_CASE_PARAM(cases_bounds, cases_gen_params),
	{}
};

static struct kunit_suite cases_suite = {
	.name = "wdm_iommu_shadow_regress",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = cases_cases,
};

kunit_test_suite(cases_suite);
