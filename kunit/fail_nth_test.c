// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of the core with the n-th allocation failing, for every n: the call either
 * succeeds, or fails with STATUS_INSUFFICIENT_RESOURCES and changes nothing.
 */
#include <kunit/test.h>

#include "support/fail_nth.h"
#include "support/fixture.h"
#include "support/caller_tables.h"

#define MEMORY_MAX	500

/**
 * struct memory_call - a call to try
 * @try: makes the call
 * @undo: undoes a successful call
 * @check: checks that a failed call has changed nothing
 */
struct memory_call {
	ntstatus_t (*try)(struct tables *t);
	void (*undo)(struct tables *t);
	void (*check)(struct tables *t);
};

/* Return the number of allocations that the call needs. */
static unsigned int memory_try(struct tables *t,
			       const struct memory_call *call)
{
	struct kunit *test = t->fx->test;
	unsigned int nth, failures = 0;
	ntstatus_t status;
	bool failed;

	for (nth = 1; nth < MEMORY_MAX; nth++) {
		memory_fail_nth(nth);
		status = call->try(t);
		failed = memory_failed();
		if (wdm_ok(status)) {
			call->undo(t);
			if (!failed)
				break;
			continue;
		}
		failures++;
		KUNIT_ASSERT_TRUE(test, failed);
		KUNIT_ASSERT_STATUS(test, status,
				    STATUS_INSUFFICIENT_RESOURCES);
		call->check(t);
	}
	KUNIT_EXPECT_LT(test, nth, MEMORY_MAX);
	kunit_info(test, "%u allocations, %u of them needed", nth - 1,
		   failures);
	return failures;
}

/* Creating a domain of each kind. */
static struct wdm_domain *memory_made;

static ntstatus_t memory_create_os(struct tables *t)
{
	const struct wdm_domain_config config = { .type = WDM_TYPE_TRANSLATE };

	return wdm_domain_create(&config, &memory_made);
}

static ntstatus_t memory_create_caller(struct tables *t)
{
	const struct wdm_domain_config config = { .type = WDM_TYPE_UNMANAGED };

	return wdm_domain_create(&config, &memory_made);
}

static void memory_delete(struct tables *t)
{
	KUNIT_EXPECT_STATUS(t->fx->test, wdm_domain_delete(memory_made),
			    STATUS_SUCCESS);
}

static void memory_nothing(struct tables *t)
{
}

static void memory_create(struct kunit *test)
{
	static const struct memory_call os = {
		memory_create_os, memory_delete, memory_nothing,
	}, caller = {
		memory_create_caller, memory_delete, memory_nothing,
	};
	struct tables t = { .fx = FIXTURE(test) };

	memory_may_fail(test);
	KUNIT_EXPECT_GE(test, memory_try(&t, &os), 1);
	KUNIT_EXPECT_GE(test, memory_try(&t, &caller), 2);
}

/* Map, and unmap what many maps have created, in an OS-managed domain. */
#define MEMORY_PAGES	200

static ntstatus_t memory_map_page(struct tables *t, u64 page)
{
	return wdm_domain_map(t->domain, WDM_READ, RANGE(t->data[0]->mdl, 0, 1),
			      page << PAGE_SHIFT);
}

static ntstatus_t memory_map_one(struct tables *t)
{
	return memory_map_page(t, MEMORY_PAGES);
}

static void memory_unmap_one(struct tables *t)
{
	KUNIT_EXPECT_STATUS(t->fx->test,
			    wdm_domain_unmap(t->domain,
					     MEMORY_PAGES << PAGE_SHIFT, 1),
			    STATUS_SUCCESS);
}

static void memory_check_pages(struct tables *t)
{
	KUNIT_ASSERT_EQ(t->fx->test, wdm_mappings_pages(&t->domain->mappings), MEMORY_PAGES);
	KUNIT_ASSERT_EQ(t->fx->test, t->fake->mapped, MEMORY_PAGES);
	KUNIT_ASSERT_FALSE(t->fx->test, fake_iommu_stale(t->fake));
}

static ntstatus_t memory_unmap_all(struct tables *t)
{
	return wdm_domain_unmap(t->domain, 0, MEMORY_PAGES);
}

static void memory_map_all(struct tables *t)
{
	u64 page;

	KUNIT_ASSERT_EQ(t->fx->test, t->fake->mapped, 0);
	for (page = 0; page < MEMORY_PAGES; page++)
		KUNIT_ASSERT_STATUS(t->fx->test, memory_map_page(t, page),
				    STATUS_SUCCESS);
}

static void memory_map(struct kunit *test)
{
	static const struct memory_call map = {
		memory_map_one, memory_unmap_one, memory_check_pages,
	}, unmap = {
		memory_unmap_all, memory_map_all, memory_check_pages,
	};
	struct fixture *fx = FIXTURE(test);
	struct tables *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	memory_may_fail(test);
	t->fx = fx;
	t->data[0] = fixture_mdl_random(fx, WDM_PERMS, 8, 3);
	t->domain = fixture_domain(fx, true, 0);
	t->fake = fixture_fake(fx, FAKE_PGSIZES_AMD);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(t->domain, t->fake),
			    STATUS_SUCCESS);
	memory_map_all(t);
	memory_try(t, &map);
	memory_try(t, &unmap);
}

/* One leaf below four tables */
static struct tables *memory_flush_start(struct kunit *test)
{
	static const struct tables_kind kind = {
		"x86-64", false, 48, 4, 512
	};
	struct tables *t = tables_start(test, &kind);
	unsigned int i;

	for (i = 0; i < 3; i++)
		*tables_entry(t, i, 1) = tables_pointer(t, tables_page(i + 1));
	*tables_entry(t, 3, 5) = tables_pointer(t, TABLES_DATA_A);
	return t;
}

/* A flush whose allocations fail leaves invalid entries; the next one repairs them. */
static void memory_flush(struct kunit *test)
{
	struct tables *t = memory_flush_start(test);
	struct tables_walk *walk = tables_walk_alloc(t);
	struct wdm_pt_config config;
	struct wdm_walk_error walk_error;
	unsigned int nth, failures = 0;
	ntstatus_t status;
	bool failed;

	memory_may_fail(test);
	tables_config(t, &config);
	for (nth = 1; nth < MEMORY_MAX; nth++) {
		memory_fail_nth(nth);
		status = wdm_domain_configure(t->domain, &config, &walk_error);
		failed = memory_failed();
		if (!wdm_ok(status)) {
			failures++;
			KUNIT_ASSERT_TRUE(test, failed);
			KUNIT_ASSERT_STATUS(test, status,
					    STATUS_INSUFFICIENT_RESOURCES);
			KUNIT_ASSERT_EQ(test, t->fake->mapped, 0);
		}
		/* Without a root it is not configured. */
		if (!wdm_ok(status) && !walk_error.count)
			continue;
		KUNIT_ASSERT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
				    STATUS_SUCCESS);
		tables_walk(t, walk, 1, 0);
		tables_check(t, walk);
		KUNIT_ASSERT_EQ(test, walk->nr, 1);
		if (!failed)
			break;
		/* Start over with a new domain. */
		fixture_disown(t->fake);
		t = memory_flush_start(test);
	}
	KUNIT_EXPECT_LT(test, nth, MEMORY_MAX);
	KUNIT_EXPECT_GE(test, failures, 4);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(memory_create),
	KUNIT_CASE(memory_map),
	KUNIT_CASE(memory_flush),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "wdm_iommu_fail_nth",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
