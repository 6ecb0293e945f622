// SPDX-License-Identifier: GPL-2.0
/*
 * Caller-managed domains: whatever the caller's tables contain, the IOMMU matches the result
 * of a slow walk.
 */
#include <kunit/test.h>
#include <linux/minmax.h>

#include "support/fixture.h"
#include "support/caller_tables.h"

#define SHADOW_STEPS	40

static const struct tables_kind shadow_kinds[] = {
	{ "x86-64, 4 levels", false, 48, 4, 512 },
	{ "x86-64, 5 levels", false, 57, 5, 512 },
	{ "ARM64, 48 bits", true, 48, 4, 512 },
	{ "ARM64, 42 bits", true, 42, 4, 8 },
	{ "ARM64, 39 bits", true, 39, 3, 512 },
	{ "ARM64, 31 bits", true, 31, 3, 2 },
	{ "ARM64, 25 bits", true, 25, 2, 16 },
	{ "x86-64, kernel code", false, 48, 4, 512, true },
	{ "ARM64, kernel code", true, 39, 3, 512, true },
};

static void shadow_name(const struct tables_kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(shadow, shadow_kinds, shadow_name);

/**
 * struct shadow_run - a run of random steps
 * @t: the caller
 * @was: what was translated before the step, and what the IOMMU has
 * @is: what the tables translate now
 * @vas: a list of addresses
 * @nr_vas: number of addresses
 * @stale_tables: a flush by list may have left changes in tables that were not on the
 *	list
 */
struct shadow_run {
	struct tables *t;
	struct tables_walk *was;
	struct tables_walk *is;
	u64 *vas;
	unsigned int nr_vas;
	bool stale_tables;
};

static void shadow_expect(struct tables *t, ntstatus_t status,
			  const struct wdm_walk_error *got,
			  const struct tables_walk *walk)
{
	const struct wdm_walk_error *want = &walk->walk_error;
	struct kunit *test = t->fx->test;

	KUNIT_ASSERT_STATUS(test, status, want->status);
	KUNIT_ASSERT_EQ(test, got->count, want->count);
	if (!want->count)
		return;
	KUNIT_ASSERT_STATUS(test, got->status, want->status);
	KUNIT_ASSERT_EQ(test, got->level, want->level);
	KUNIT_ASSERT_EQ(test, got->va, want->va);
	KUNIT_ASSERT_EQ(test, got->raw, want->raw);
}

static void shadow_report(struct tables *t, const struct tables_walk *walk)
{
	struct kunit *test = t->fx->test;
	struct wdm_domain_report report;

	KUNIT_ASSERT_STATUS(test, wdm_domain_report(t->domain, &report),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, report.configured);
	KUNIT_ASSERT_TRUE(test, report.translating);
	KUNIT_ASSERT_FALSE(test, report.os_managed);
	KUNIT_ASSERT_EQ(test, report.translated_bytes, walk->span);
	KUNIT_ASSERT_EQ(test, report.shadow_tables, walk->nr_tables);
	KUNIT_ASSERT_EQ(test, report.mapped_pages,
			page_model_count(&t->space, t->space.first,
					 t->space.nr));
}

/* Kernel code flushes in any context. */
static ntstatus_t shadow_flush(struct tables *t,
			       struct wdm_walk_error *walk_error)
{
	unsigned long flags;
	ntstatus_t status;

	if (!t->kind->kernel)
		return wdm_domain_flush(t->domain, walk_error);
	local_irq_save(flags);
	status = wdm_domain_flush(t->domain, walk_error);
	local_irq_restore(flags);
	return status;
}

static ntstatus_t shadow_configure(struct tables *t,
				   struct wdm_walk_error *walk_error)
{
	struct wdm_pt_config config;

	tables_config(t, &config);
	return wdm_domain_configure(t->domain, &config, walk_error);
}

static const struct tables_kind shadow_two_kinds[] = {
	{ "x86-64, 4 levels", false, 48, 4, 512 },
	{ "ARM64, 39 bits", true, 39, 3, 512 },
	{ "x86-64, kernel code", false, 48, 4, 512, true },
};

KUNIT_ARRAY_PARAM(shadow_two, shadow_two_kinds, shadow_name);

static struct shadow_run *shadow_start(struct kunit *test, bool narrow)
{
	struct shadow_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	struct wdm_walk_error walk_error;
	ntstatus_t status;

	KUNIT_ASSERT_NOT_NULL(test, run);
	run->t = tables_start(test, test->param_value);
	if (narrow)
		tables_adopt_narrow(run->t);
	run->was = tables_walk_alloc(run->t);
	run->is = tables_walk_alloc(run->t);
	run->vas = kunit_kmalloc_array(test, 2 * TABLES_LEAVES + 64,
				       sizeof(u64), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, run->vas);

	tables_fill(run->t);
	tables_prune(run->t, run->is);
	status = shadow_configure(run->t, &walk_error);
	shadow_expect(run->t, status, &walk_error, run->is);
	tables_check(run->t, run->is);
	shadow_report(run->t, run->is);
	return run;
}

/* Translations that are the same before and after were not disturbed in between. */
static void shadow_undisturbed(struct shadow_run *run)
{
	struct tables_leaf *was, *is;
	unsigned int i;

	for (i = 0; i < run->is->nr; i++) {
		is = &run->is->leaf[i];
		was = tables_find(run->was, is->va);
		if (was && tables_leaf_same(was, is) && was->path == is->path)
			KUNIT_ASSERT_EQ_MSG(run->t->fx->test, was->serials,
					    is->serials, "%016llx was disturbed",
					    is->va);
	}
}

/* Check that everything matches the tables; the next step starts from here. */
static void shadow_exact(struct shadow_run *run)
{
	tables_check(run->t, run->is);
	shadow_undisturbed(run);
	swap(run->was, run->is);
}

static void shadow_full_flush(struct shadow_run *run)
{
	struct tables *t = run->t;
	struct wdm_walk_error walk_error;
	ntstatus_t status;

	tables_walk(t, run->is, 1, 0);
	status = shadow_flush(t, &walk_error);
	shadow_expect(t, status, &walk_error, run->is);
	shadow_report(t, run->is);
	/* A table that was left stale is zapped now, with everything that it maps. */
	if (run->stale_tables)
		run->was->nr = 0;
	shadow_exact(run);
	run->stale_tables = false;
}

/* A flush without changes does nothing. */
static void shadow_idle_flush(struct shadow_run *run)
{
	struct fake_iommu *fake = run->t->fake;
	unsigned int nr_map, nr_unmap;

	shadow_full_flush(run);
	nr_map = fake->nr_map;
	nr_unmap = fake->nr_unmap;
	shadow_full_flush(run);
	KUNIT_ASSERT_EQ(run->t->fx->test, fake->nr_map, nr_map);
	KUNIT_ASSERT_EQ(run->t->fx->test, fake->nr_unmap, nr_unmap);
}

/* List an address of each leaf of @a that @b does not have. */
static void shadow_list_changes(struct shadow_run *run, struct tables_walk *a,
				struct tables_walk *b)
{
	struct rnd_state *rng = &run->t->fx->rng;
	struct tables_leaf *leaf, *other;
	unsigned int i;

	for (i = 0; i < a->nr; i++) {
		leaf = &a->leaf[i];
		other = tables_find(b, leaf->va);
		if (!other || !tables_leaf_same(leaf, other))
			run->vas[run->nr_vas++] =
				leaf->va + fixture_below(rng, leaf->span);
	}
}

static void shadow_flush_list(struct shadow_run *run, bool last_level)
{
	struct tables *t = run->t;
	struct kunit *test = t->fx->test;
	struct wdm_walk_error walk_error;
	unsigned long flags;
	ntstatus_t status;

	if (t->kind->kernel)
		local_irq_save(flags);
	status = wdm_domain_flush_list(t->domain, last_level, run->vas,
				       run->nr_vas, &walk_error);
	if (t->kind->kernel)
		local_irq_restore(flags);
	KUNIT_ASSERT_STATUS(test, status, walk_error.status);
	KUNIT_ASSERT_EQ(test, !wdm_ok(status), !!walk_error.count);
	if (!run->is->walk_error.count)
		KUNIT_ASSERT_STATUS(test, status, STATUS_SUCCESS);
}

/* If every address that changed is in the list, everything is right. */
static void shadow_list_flush(struct shadow_run *run)
{
	bool last_level;

	tables_walk(run->t, run->is, 1, 0);
	last_level = !run->stale_tables &&
		     run->was->tables == run->is->tables;
	if (!last_level)
		run->stale_tables = true;
	run->nr_vas = 0;
	shadow_list_changes(run, run->was, run->is);
	shadow_list_changes(run, run->is, run->was);
	shadow_flush_list(run, last_level);
	tables_check(run->t, run->is);
	/* Leaves below tables that were not scanned stay as they were. */
	swap(run->was, run->is);
}

/*
 * If some addresses are in the list, these are right, and the others are in their old or
 * their new state.
 */
static void shadow_some_flush(struct shadow_run *run)
{
	struct tables *t = run->t;
	struct kunit *test = t->fx->test;
	struct tables_leaf *leaf;
	unsigned int i, kept = 0;

	tables_walk(t, run->is, 1, 0);
	run->nr_vas = 0;
	shadow_list_changes(run, run->was, run->is);
	shadow_list_changes(run, run->is, run->was);
	for (i = 0; i < run->nr_vas; i++)
		if (fixture_once_in(&t->fx->rng, 2))
			run->vas[kept++] = run->vas[i];
	run->nr_vas = kept;
	shadow_flush_list(run, false);

	for (i = 0; i < run->nr_vas; i++) {
		struct tables_leaf page = { .va = run->vas[i] & PAGE_MASK,
					    .span = PAGE_SIZE };

		leaf = tables_find(run->is, page.va);
		KUNIT_ASSERT_TRUE(test, leaf ? tables_leaf_mapped(t, leaf) :
				  tables_leaf_blocked(t, &page));
	}
	for (i = 0; i < run->is->nr; i++) {
		leaf = tables_find(run->was, run->is->leaf[i].va);
		if (leaf && tables_leaf_same(leaf, &run->is->leaf[i]))
			KUNIT_ASSERT_TRUE(test,
					  tables_leaf_mapped(t, &run->is->leaf[i]));
	}
	KUNIT_ASSERT_FALSE(test, fake_iommu_stale(t->fake));
	/* Addresses that were not in the list may have been mapped by now. */
	run->was->nr = 0;
	shadow_full_flush(run);
}

/* The IOMMU driver runs out of memory; the next flush completes the work. */
static void shadow_failing_flush(struct shadow_run *run)
{
	struct tables *t = run->t;
	struct kunit *test = t->fx->test;
	struct wdm_walk_error walk_error;
	ntstatus_t status;
	unsigned int i;
	u64 mapped = 0;
	bool failed;

	tables_walk(t, run->is, 1, 0);
	fake_iommu_fail_map(t->fake, 1 + fixture_below(&t->fx->rng, 8),
			    fixture_once_in(&t->fx->rng, 2));
	status = shadow_flush(t, &walk_error);
	failed = walk_error.count > run->is->walk_error.count;
	fake_iommu_fail_map(t->fake, 0, false);
	if (!run->is->walk_error.count && failed)
		KUNIT_ASSERT_STATUS(test, status,
				    STATUS_INSUFFICIENT_RESOURCES);
	for (i = 0; i < run->is->nr; i++) {
		struct tables_leaf *leaf = &run->is->leaf[i];

		if (tables_leaf_mapped(t, leaf))
			mapped += leaf->span >> PAGE_SHIFT;
		else
			KUNIT_ASSERT_TRUE(test, tables_leaf_blocked(t, leaf));
	}
	KUNIT_ASSERT_EQ(test, t->fake->mapped, mapped);
	KUNIT_ASSERT_EQ(test, failed, mapped < run->is->span >> PAGE_SHIFT);
	run->was->nr = 0;
	shadow_full_flush(run);
}

/* Remove a random part of the address space, and perhaps add it again. */
static void shadow_memory(struct shadow_run *run)
{
	static const struct {
		u64 caller;
		u64 nr_pages;
	} pieces[] = {
		{ TABLES_AT + SZ_4K, 3 }, { TABLES_AT + 7 * SZ_4K, 1 },
		{ TABLES_DATA_A, 512 }, { TABLES_DATA_A + SZ_1M, 17 },
		{ TABLES_DATA_B + SZ_64K, 100 }, { TABLES_DATA_C, 64 },
		{ TABLES_AT, 1 },
	};
	struct tables *t = run->t;
	struct kunit *test = t->fx->test;
	unsigned int i = fixture_below(&t->fx->rng, ARRAY_SIZE(pieces));
	u64 caller = pieces[i].caller, nr = pieces[i].nr_pages, mapped = 0;
	struct tables_leaf *leaf;

	tables_walk(t, run->was, caller, caller + (nr << PAGE_SHIFT) - 1);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_memory_remove(t->domain, caller, nr),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_FALSE(test, fake_iommu_stale(t->fake));
	for (i = 0; i < run->was->nr; i++) {
		leaf = &run->was->leaf[i];
		if (leaf->in_part) {
			KUNIT_ASSERT_TRUE(test, tables_leaf_blocked(t, leaf));
			continue;
		}
		KUNIT_ASSERT_TRUE(test, tables_leaf_mapped(t, leaf));
		mapped += leaf->span >> PAGE_SHIFT;
	}
	KUNIT_ASSERT_EQ(test, t->fake->mapped, mapped);

	page_model_remove(&t->space, caller >> PAGE_SHIFT, nr);
	run->was->nr = 0;
	if (fixture_once_in(&t->fx->rng, 2))
		shadow_full_flush(run);
	KUNIT_ASSERT_STATUS(test, tables_add(t, caller, nr), STATUS_SUCCESS);
	tables_walk(t, run->is, 1, 0);
	if (run->is->too_many)
		tables_prune(t, run->is);
	run->was->nr = 0;
	shadow_full_flush(run);
}

/* Turn translation off, so that devices see the address space, and on again. */
static void shadow_bypass(struct shadow_run *run)
{
	struct tables *t = run->t;
	struct kunit *test = t->fx->test;
	struct wdm_pt_config config;
	struct wdm_walk_error walk_error;
	const struct model_page *mp;
	struct fake_page fp;
	ntstatus_t status;
	u64 page;

	tables_config(t, &config);
	config.translation_enabled = false;
	KUNIT_ASSERT_STATUS(test, wdm_domain_configure(t->domain, &config,
						       &walk_error),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, t->fake->mapped,
			page_model_count(&t->space, t->space.first,
					 t->space.nr));
	for (page = t->space.first; page < t->space.first + t->space.nr;
	     page++) {
		mp = page_model_at(&t->space, page);
		KUNIT_ASSERT_EQ(test, !!mp->mdl,
				fake_iommu_at(t->fake, page << PAGE_SHIFT,
					      &fp));
		if (mp->mdl)
			KUNIT_ASSERT_EQ(test, fp.phys +
					((page << PAGE_SHIFT) - fp.iova),
					PFN_PHYS(fixture_mdl_pfn(t->fx, mp->mdl,
								 mp->mdl_page)));
	}
	KUNIT_ASSERT_FALSE(test, fake_iommu_stale(t->fake));
	KUNIT_ASSERT_STATUS(test, wdm_domain_flush(t->domain, &walk_error),
			    STATUS_SUCCESS);

	run->was->nr = 0;
	tables_walk(t, run->is, 1, 0);
	status = shadow_configure(t, &walk_error);
	shadow_expect(t, status, &walk_error, run->is);
	shadow_exact(run);
	run->stale_tables = false;
}

/* Add another IOMMU, which is filled. */
static void shadow_replace_fake(struct shadow_run *run)
{
	struct tables *t = run->t;
	struct fake_iommu *old = t->fake;

	tables_walk(t, run->is, 1, 0);
	t->fake = fixture_fake(t->fx, fixture_once_in(&t->fx->rng, 2) ?
			       FAKE_PGSIZES_AMD : FAKE_PGSIZES_4K);
	t->fake->domain.geometry = old->domain.geometry;
	KUNIT_ASSERT_STATUS(t->fx->test, fixture_adopt(t->domain, t->fake),
			    STATUS_SUCCESS);
	run->was->nr = 0;
	shadow_exact(run);
	fixture_disown(old);
	KUNIT_ASSERT_EQ(t->fx->test, old->mapped, 0);
	KUNIT_ASSERT_FALSE(t->fx->test, fake_iommu_stale(old));
}

static void shadow_steps(struct kunit *test, bool narrow)
{
	struct shadow_run *run = shadow_start(test, narrow);
	struct tables *t = run->t;
	unsigned int step;

	/* The first step starts from here. */
	swap(run->was, run->is);
	for (step = 0; step < SHADOW_STEPS; step++) {
		if (fixture_once_in(&t->fx->rng, 12)) {
			shadow_full_flush(run);
			/* The address space of kernel code is fixed. */
			if (!t->kind->kernel)
				shadow_memory(run);
		} else if (fixture_once_in(&t->fx->rng, 20)) {
			shadow_full_flush(run);
			/* Not every aperture contains the address space. */
			if (!narrow)
				shadow_bypass(run);
		} else if (fixture_once_in(&t->fx->rng, 20)) {
			shadow_full_flush(run);
			shadow_replace_fake(run);
		}

		tables_edit(t);
		tables_prune(t, run->is);
		switch (fixture_below(&t->fx->rng, 8)) {
		case 0 ... 1:
			shadow_full_flush(run);
			break;
		case 2 ... 4:
			shadow_list_flush(run);
			break;
		case 5:
			shadow_some_flush(run);
			break;
		case 6:
			shadow_failing_flush(run);
			break;
		default:
			shadow_idle_flush(run);
		}
	}
}

static void shadow_random(struct kunit *test)
{
	shadow_steps(test, false);
}

static void shadow_random_two(struct kunit *test)
{
	shadow_steps(test, true);
}

static struct kunit_case shadow_cases[] = {
	KUNIT_CASE_PARAM(shadow_random, shadow_gen_params),
	KUNIT_CASE_PARAM(shadow_random_two, shadow_two_gen_params),
	{}
};

static struct kunit_suite shadow_suite = {
	.name = "wdm_iommu_shadow",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = shadow_cases,
};

kunit_test_suite(shadow_suite);
