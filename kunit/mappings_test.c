// SPDX-License-Identifier: GPL-2.0
/*
 * The mapping table, compared with a model under random operations.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sizes.h>

#include "support/fixture.h"
#include "support/page_model.h"

/* Some regions, of which some are whole, and some share a place in the hash */
#define MAPPINGS_WINDOW	(24 * WDM_REGION_PAGES + 20)
#define MAPPINGS_STEPS	1500
#define MAPPINGS_MDLS	3

/* The windows: the lowest page numbers, some in the middle, and the highest */
static const u64 mappings_windows[] = {
	0, BIT_ULL(20) - 180, BIT_ULL(36) + 7, BIT_ULL(52) - MAPPINGS_WINDOW,
};

static void mappings_window_name(const u64 *first, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "from page %#llx", *first);
}

KUNIT_ARRAY_PARAM(mappings_window, mappings_windows, mappings_window_name);

/**
 * struct mappings_run - a run of random operations
 * @fx: the fixture
 * @table: the mapping table
 * @budget: what it is charged to
 * @model: its model
 * @tm: the MDLs
 * @put_list: removed pages that have not been released yet
 * @removed: number of such pages of each MDL
 */
struct mappings_run {
	struct fixture *fx;
	struct wdm_mappings table;
	struct wdm_budget budget;
	struct page_model model;
	struct test_mdl *tm[MAPPINGS_MDLS];
	struct wdm_put_list put_list;
	u64 removed[MAPPINGS_MDLS];
};

static void mappings_start(struct kunit *test, struct mappings_run *run, u64 first)
{
	struct fixture *fx = FIXTURE(test);

	run->fx = fx;
	run->tm[0] = fixture_mdl_random(fx, WDM_PERMS, MAPPINGS_WINDOW, 10);
	run->tm[1] = fixture_mdl_contiguous(fx, WDM_PERMS, MAPPINGS_WINDOW, 512);
	run->tm[2] = fixture_mdl_random(fx, WDM_PERMS, 3, 3);
	page_model_init(fx, &run->model, first, MAPPINGS_WINDOW);
	/* More than any case needs */
	atomic64_set(&run->budget.pinned, SZ_1G);
	wdm_mappings_init(&run->table, &run->budget);
	wdm_put_list_init(&run->put_list);
}

static void mappings_release(struct mappings_run *run)
{
	wdm_put_list_release(&run->put_list);
	wdm_put_list_init(&run->put_list);
	memset(run->removed, 0, sizeof(run->removed));
}

static void mappings_end(struct mappings_run *run)
{
	struct kunit *test = run->fx->test;
	unsigned int i;

	mappings_release(run);
	wdm_mappings_destroy(&run->table);
	KUNIT_EXPECT_EQ(test, atomic64_read(&run->budget.used), 0);
	for (i = 0; i < MAPPINGS_MDLS; i++)
		KUNIT_EXPECT_EQ(test, wdm_mdl_uses(run->tm[i]->mdl), 0);
}

static u64 mappings_removed(const struct mappings_run *run,
			    const struct wdm_mdl *mdl)
{
	const struct wdm_put_list *put_list = &run->put_list;
	const struct wdm_put_entry *entry = put_list->few;
	const struct wdm_put_chunk *chunk = NULL;
	u64 i, max, nr = 0;

	for (;;) {
		max = chunk ? ARRAY_SIZE(chunk->entry) : ARRAY_SIZE(put_list->few);
		if (chunk == put_list->chunk)
			max = put_list->nr;
		for (i = 0; i < max; i++)
			if (entry[i].mdl == mdl)
				nr += entry[i].nr_pages;
		if (chunk == put_list->chunk)
			return nr;
		chunk = chunk ? chunk->next : put_list->chunks;
		entry = chunk->entry;
	}
}

static void mappings_check(struct mappings_run *run)
{
	struct kunit *test = run->fx->test;
	struct wdm_mdl *mdl;
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, page_model_equals(&run->model, &run->table));
	for (i = 0; i < MAPPINGS_MDLS; i++) {
		mdl = run->tm[i]->mdl;
		KUNIT_ASSERT_EQ(test, mappings_removed(run, mdl),
				run->removed[i]);
		KUNIT_ASSERT_EQ(test, wdm_mdl_uses(mdl),
				page_model_uses(&run->model, mdl) +
				run->removed[i]);
	}
}

static void mappings_insert(struct mappings_run *run)
{
	struct kunit *test = run->fx->test;
	struct wdm_extent ext;
	ntstatus_t status;
	bool taken;

	page_model_extent(run->fx, &run->model,
			  run->tm[fixture_below(&run->fx->rng, MAPPINGS_MDLS)],
			  &ext);
	taken = page_model_count(&run->model, ext.pgno, ext.nr_pages);
	status = wdm_mappings_insert(&run->table, &ext, GFP_KERNEL);
	KUNIT_ASSERT_STATUS(test, status,
			    taken ? STATUS_RESOURCE_IN_USE : STATUS_SUCCESS);
	if (!taken)
		page_model_insert(&run->model, &ext);
}

/* The put list gets what the model has there. */
static void mappings_expect_removed(struct mappings_run *run, u64 first, u64 nr)
{
	unsigned int i;
	u64 page;

	for (page = first; page < first + nr; page++)
		for (i = 0; i < MAPPINGS_MDLS; i++)
			if (page_model_at(&run->model, page)->mdl ==
			    run->tm[i]->mdl)
				run->removed[i]++;
	page_model_remove(&run->model, first, nr);
}

static void mappings_remove(struct mappings_run *run)
{
	struct kunit *test = run->fx->test;
	ntstatus_t status, want = STATUS_SUCCESS;
	u64 first, nr;

	page_model_range(run->fx, &run->model, &first, &nr);
	if (page_model_count(&run->model, first, nr) < nr)
		want = STATUS_NOT_FOUND;

	/* Keep it for a while: its MDLs must stay in use until released. */
	status = wdm_mappings_take(&run->table, first, first + nr - 1,
				   &run->put_list, GFP_KERNEL);
	KUNIT_ASSERT_STATUS(test, status, want);
	if (wdm_ok(status))
		mappings_expect_removed(run, first, nr);
}

/* Remove part by part, as long unmaps do. */
static void mappings_remove_parts(struct mappings_run *run)
{
	struct wdm_put_list_checkpoint checkpoint;
	struct kunit *test = run->fx->test;
	u64 first, nr, next, end;

	page_model_range(run->fx, &run->model, &first, &nr);
	end = first + nr;
	wdm_put_list_checkpoint(&run->put_list, &checkpoint);
	for (next = first; next < end;) {
		u64 was = next;
		ntstatus_t status = wdm_mappings_prepare(&run->table, &next, end - 1,
							 &run->put_list, GFP_KERNEL);

		KUNIT_ASSERT_EQ(test, next - was,
				page_model_count(&run->model, was, next - was));
		if (wdm_ok(status))
			continue;
		KUNIT_ASSERT_STATUS(test, status, STATUS_NOT_FOUND);
		KUNIT_ASSERT_NULL(test, page_model_at(&run->model, next)->mdl);
		wdm_put_list_rollback(&run->put_list, &checkpoint);
		return;
	}
	for (next = first; next < end; next++) {
		u64 part_first = next;

		next |= WDM_REGION_PAGES - 1;
		if (fixture_once_in(&run->fx->rng, 2))
			next += WDM_REGION_PAGES;
		next = min(next, end - 1);
		wdm_mappings_remove(&run->table, part_first, next);
	}
	mappings_expect_removed(run, first, nr);
}

static void mappings_take(struct mappings_run *run, u64 pgno, u64 last_pgno)
{
	KUNIT_ASSERT_STATUS(run->fx->test,
			    wdm_mappings_take(&run->table, pgno, last_pgno,
					      &run->put_list, GFP_KERNEL),
			    STATUS_SUCCESS);
}

/* Leave nothing but empty nodes. */
static void mappings_empty(struct mappings_run *run)
{
	struct wdm_extent ext = { };

	while (wdm_mappings_next(&run->table, U64_MAX >> PAGE_SHIFT, &ext)) {
		mappings_take(run, ext.pgno, wdm_extent_end(&ext) - 1);
		mappings_expect_removed(run, ext.pgno, ext.nr_pages);
	}
}

/* Look-ups of single pages find exactly the pages of a range. */
static void mappings_iterate(struct mappings_run *run)
{
	struct kunit *test = run->fx->test;
	const struct model_page *page;
	struct wdm_extent ext = { };
	u64 first, nr, i, next;

	page_model_range(run->fx, &run->model, &first, &nr);
	next = first;
	ext.pgno = first;
	while (wdm_mappings_next(&run->table, first + nr - 1, &ext)) {
		KUNIT_EXPECT_GE(test, ext.pgno, next);
		KUNIT_EXPECT_EQ(test, page_model_count(&run->model, next,
						       ext.pgno - next), 0);
		next = wdm_extent_end(&ext);
		KUNIT_EXPECT_LE(test, next, first + nr);
		for (i = 0; i < ext.nr_pages; i++) {
			page = page_model_at(&run->model, ext.pgno + i);
			KUNIT_EXPECT_PTR_EQ(test, ext.mdl, page->mdl);
			KUNIT_EXPECT_EQ(test, ext.mdl_page + i, page->mdl_page);
			KUNIT_EXPECT_EQ(test, ext.perms, page->perms);
		}
	}
	KUNIT_ASSERT_EQ(test, page_model_count(&run->model, next,
					       first + nr - next), 0);
}

/* A look-up reports an extent that contains the page, and nothing beyond its neighbours. */
static void mappings_look_up(struct mappings_run *run)
{
	struct kunit *test = run->fx->test;
	const struct model_page *page;
	struct wdm_extent ext;
	u64 pgno, nr, i;
	bool found;

	page_model_range(run->fx, &run->model, &pgno, &nr);
	found = wdm_mappings_at(&run->table, pgno, &ext);
	KUNIT_ASSERT_EQ(test, found, !!page_model_at(&run->model, pgno)->mdl);
	if (!found)
		return;
	KUNIT_ASSERT_LE(test, ext.pgno, pgno);
	KUNIT_ASSERT_GT(test, wdm_extent_end(&ext), pgno);
	for (i = 0; i < ext.nr_pages; i++) {
		page = page_model_at(&run->model, ext.pgno + i);
		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_PTR_EQ(test, ext.mdl, page->mdl);
		KUNIT_EXPECT_EQ(test, ext.mdl_page + i, page->mdl_page);
		KUNIT_EXPECT_EQ(test, ext.perms, page->perms);
	}
}

static void mappings_look(struct mappings_run *run)
{
	struct kunit *test = run->fx->test;
	struct wdm_extent ext;
	u64 first, nr, i;
	bool found;

	page_model_range(run->fx, &run->model, &first, &nr);
	found = wdm_mappings_find(&run->table, first, first + nr - 1, &ext);

	for (i = 0; i < nr && !page_model_at(&run->model, first + i)->mdl; i++)
		;
	KUNIT_ASSERT_EQ(test, found, i < nr);
	if (!found)
		return;
	KUNIT_ASSERT_EQ(test, ext.pgno, first + i);
	KUNIT_ASSERT_LE(test, wdm_extent_end(&ext), first + nr);
	KUNIT_ASSERT_PTR_EQ(test, ext.mdl,
			    page_model_at(&run->model, ext.pgno)->mdl);
}

static void mappings_random(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	unsigned int step;

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, *(const u64 *)test->param_value);
	for (step = 0; step < MAPPINGS_STEPS; step++) {
		switch (fixture_below(&run->fx->rng, 10)) {
		case 0 ... 3:
			mappings_insert(run);
			break;
		case 4 ... 5:
			mappings_remove(run);
			break;
		case 6:
			mappings_remove_parts(run);
			break;
		case 7:
			mappings_empty(run);
			break;
		case 8:
			mappings_look(run);
			mappings_look_up(run);
			mappings_iterate(run);
			continue;
		default:
			mappings_release(run);
		}
		mappings_check(run);
	}
	mappings_end(run);
}

static void mappings_put(struct mappings_run *run, unsigned int mdl, u64 first,
			 u64 nr, u64 mdl_page, u32 perms)
{
	struct wdm_extent ext = {
		.pgno = run->model.first + first, .nr_pages = nr,
		.mdl = run->tm[mdl]->mdl, .mdl_page = mdl_page, .perms = perms,
	};

	KUNIT_EXPECT_STATUS(run->fx->test, wdm_mappings_insert(&run->table, &ext, GFP_KERNEL),
			    STATUS_SUCCESS);
	page_model_insert(&run->model, &ext);
}

static unsigned int mappings_extents(struct mappings_run *run)
{
	struct wdm_extent ext = { };
	unsigned int nr = 0;

	while (wdm_mappings_next(&run->table, U64_MAX >> PAGE_SHIFT, &ext))
		nr++;
	return nr;
}

/* Adjacent pages that continue each other are one extent, others are not. */
static void mappings_merge(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, *(const u64 *)test->param_value);
	mappings_put(run, 0, 10, 10, 10, WDM_PERMS);
	mappings_put(run, 0, 30, 10, 30, WDM_PERMS);
	KUNIT_EXPECT_EQ(test, mappings_extents(run), 2);
	mappings_put(run, 0, 20, 10, 20, WDM_PERMS);
	KUNIT_EXPECT_EQ(test, mappings_extents(run), 1);
	mappings_put(run, 0, 40, 1, 40, WDM_READ);
	KUNIT_EXPECT_EQ(test, mappings_extents(run), 2);
	mappings_put(run, 0, 41, 1, 43, WDM_READ);
	KUNIT_EXPECT_EQ(test, mappings_extents(run), 3);
	mappings_put(run, 1, 42, 1, 4, WDM_READ);
	KUNIT_EXPECT_EQ(test, mappings_extents(run), 4);
	mappings_put(run, 0, 9, 1, 9, WDM_PERMS);
	KUNIT_EXPECT_EQ(test, mappings_extents(run), 4);
	/* The edges of the window, which for some windows are the limits of page numbers */
	mappings_put(run, 0, 0, 1, 5, WDM_WRITE);
	mappings_put(run, 0, MAPPINGS_WINDOW - 1, 1, 6, WDM_WRITE);
	KUNIT_EXPECT_EQ(test, mappings_extents(run), 6);
	mappings_check(run);
	mappings_end(run);
}

/* An MDL lives as long as the table or a put list needs it. */
static void mappings_keeps_mdl(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, 100);
	mappings_put(run, 0, 0, 5, 0, WDM_READ);
	mappings_put(run, 0, 7, 5, 0, WDM_READ);
	fixture_mdl_put(run->tm[0]);
	KUNIT_EXPECT_EQ(test, run->tm[0]->freed, 0);

	KUNIT_EXPECT_STATUS(test,
			    wdm_mappings_take(&run->table, 100, 104,
					      &run->put_list, GFP_KERNEL),
			    STATUS_SUCCESS);
	wdm_put_list_release(&run->put_list);
	KUNIT_EXPECT_EQ(test, run->tm[0]->freed, 0);
	wdm_mappings_destroy(&run->table);
	KUNIT_EXPECT_EQ(test, run->tm[0]->freed, 1);
}

/* Remove up to the end of the window, whose last page is not mapped: nothing happens. */
static void mappings_remove_fails(struct mappings_run *run, u64 pgno)
{
	u64 last_pgno = run->model.first + MAPPINGS_WINDOW - 1;

	KUNIT_EXPECT_STATUS(run->fx->test,
			    wdm_mappings_take(&run->table, pgno, last_pgno, &run->put_list,
					      GFP_KERNEL),
			    STATUS_NOT_FOUND);
	mappings_check(run);
}

/* Neighbours of different MDLs need an entry of the put list each. It grows by pages. */
static void mappings_alternate(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	u64 i, pgno, nr, end;

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, 1000);
	for (i = 0; i < MAPPINGS_WINDOW - 1; i++)
		mappings_put(run, i % 2, i, 1, i, WDM_PERMS);
	pgno = run->model.first;
	end = pgno + MAPPINGS_WINDOW - 1;
	for (; pgno < end; pgno += nr) {
		mappings_remove_fails(run, pgno);
		nr = min(1 + fixture_below(&run->fx->rng, 500), end - pgno);
		mappings_take(run, pgno, pgno + nr - 1);
		mappings_expect_removed(run, pgno, nr);
		mappings_check(run);
		KUNIT_EXPECT_LE(test, run->put_list.max * sizeof(struct wdm_put_entry),
				PAGE_SIZE);
	}
	mappings_end(run);
}

/* Many blocks, spans and nodes */
#define MAPPINGS_REGIONS	2000

static void mappings_fill_regions(struct kunit *test, struct mappings_run *run,
				  u64 pages)
{
	u64 i;

	for (i = 0; i < MAPPINGS_REGIONS; i++) {
		struct wdm_extent ext = {
			.pgno = i * WDM_REGION_PAGES,
			.nr_pages = pages,
			.mdl = run->tm[1]->mdl,
			.mdl_page = i % 2,
			.perms = WDM_PERMS,
		};

		KUNIT_ASSERT_STATUS(test, wdm_mappings_insert(&run->table, &ext,
							      GFP_KERNEL),
				    STATUS_SUCCESS);
	}
	KUNIT_ASSERT_EQ(test, wdm_mappings_pages(&run->table),
			MAPPINGS_REGIONS * pages);
}

/* A table with many regions, spans and nodes, is emptied region by region, */
static void mappings_many_regions(struct kunit *test)
{
	static const u64 pages[] = { WDM_REGION_PAGES, 3 };
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	const u64 all = MAPPINGS_REGIONS * WDM_REGION_PAGES;
	unsigned int way;
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, 0);
	for (way = 0; way < ARRAY_SIZE(pages); way++) {
		mappings_fill_regions(test, run, pages[way]);
		for (i = 0; i < MAPPINGS_REGIONS; i++)
			mappings_take(run, i * WDM_REGION_PAGES,
				      i * WDM_REGION_PAGES + pages[way] - 1);
		mappings_release(run);
		KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&run->table), 0);
		KUNIT_EXPECT_EQ(test, wdm_mdl_uses(run->tm[1]->mdl), 0);
		/* Unneeded nodes are freed, except for those in the hash. */
		KUNIT_EXPECT_LT(test, atomic64_read(&run->budget.used), SZ_256K);
	}

	/* or at once, */
	mappings_fill_regions(test, run, WDM_REGION_PAGES);
	mappings_take(run, 5, all - 6);
	mappings_release(run);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&run->table), 10);
	mappings_take(run, 0, 4);
	mappings_take(run, all - 5, all - 1);
	mappings_release(run);

	/* or with the table. */
	mappings_fill_regions(test, run, 3);
	mappings_end(run);
}

/* Addresses that are used once, in ascending order, leave nothing behind. */
static void mappings_used_once(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	s64 used = 0;
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, 0);
	for (i = 0; i < 2000; i++) {
		struct wdm_extent ext = {
			.pgno = i * 300, .nr_pages = 1 + i % 200,
			.mdl = run->tm[0]->mdl, .perms = WDM_READ,
		};

		KUNIT_ASSERT_STATUS(test, wdm_mappings_insert(&run->table, &ext,
							      GFP_KERNEL),
				    STATUS_SUCCESS);
		mappings_take(run, ext.pgno, wdm_extent_end(&ext) - 1);
		mappings_release(run);
		if (i == 100)
			used = atomic64_read(&run->budget.used);
	}
	KUNIT_EXPECT_LE(test, atomic64_read(&run->budget.used), used + SZ_64K);
	mappings_end(run);
}

/*
 * A map of several regions uses the empty node of its last region, also if its first region's
 * node takes the place of that one in the hash, which happens for some distances.
 */
static void mappings_ends_in_empty_node(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	struct wdm_extent ext = { .perms = WDM_PERMS };
	const u64 all = U64_MAX >> PAGE_SHIFT;
	struct wdm_extent found;
	u64 first, last;

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, 0);
	ext.mdl = run->tm[1]->mdl;
	for (last = 2; last < MAPPINGS_WINDOW / WDM_REGION_PAGES; last++) {
		for (first = 0; first < last - 1; first++) {
			ext.pgno = last * WDM_REGION_PAGES;
			ext.nr_pages = 1;
			KUNIT_ASSERT_STATUS(test, wdm_mappings_insert(&run->table, &ext,
								      GFP_KERNEL),
					    STATUS_SUCCESS);
			mappings_take(run, ext.pgno, ext.pgno);
			ext.pgno = first * WDM_REGION_PAGES + WDM_REGION_PAGES / 2;
			ext.nr_pages = (last - first) * WDM_REGION_PAGES;
			KUNIT_ASSERT_STATUS(test, wdm_mappings_insert(&run->table, &ext,
								      GFP_KERNEL),
					    STATUS_SUCCESS);
			KUNIT_ASSERT_TRUE(test, wdm_mappings_find(&run->table, 0, all, &found));
			KUNIT_ASSERT_EQ(test, found.nr_pages, ext.nr_pages);
			mappings_take(run, ext.pgno, wdm_extent_end(&ext) - 1);
			mappings_release(run);
		}
	}
	mappings_end(run);
}

/* The suites run with all capabilities. */
static const struct cred *mappings_unprivileged(struct kunit *test)
{
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cap_lower(cred->cap_effective, CAP_IPC_LOCK);
	return cred;
}

/* A map or cut beyond the budget changes nothing. */
static void mappings_refused(struct kunit *test, struct mappings_run *run,
			     const struct wdm_extent *ext,
			     const struct wdm_extent *large)
{
	s64 used = atomic64_read(&run->budget.used);
	u64 pages = wdm_mappings_pages(&run->table);
	struct wdm_extent found;

	KUNIT_EXPECT_STATUS(test, wdm_mappings_insert(&run->table, ext, GFP_KERNEL),
			    STATUS_WORKING_SET_QUOTA);
	KUNIT_EXPECT_FALSE(test, wdm_mappings_at(&run->table, ext->pgno, &found));
	KUNIT_EXPECT_STATUS(test,
			    wdm_mappings_take(&run->table, large->pgno + 200,
					      large->pgno + 200, &run->put_list,
					      GFP_KERNEL),
			    STATUS_WORKING_SET_QUOTA);
	KUNIT_EXPECT_TRUE(test, wdm_mappings_at(&run->table, large->pgno + 200,
						&found));
	KUNIT_EXPECT_EQ(test, run->put_list.nr, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&run->budget.used), used);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&run->table), pages);
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(ext->mdl), pages);
}

static void mappings_charges(struct kunit *test, struct mappings_run *run,
			     struct wdm_extent *ext, const struct wdm_extent *large)
{
	s64 used, nr, first = ext->pgno;
	ntstatus_t status;

	/* The IOMMU needs 8 bytes per page; the table needs less. */
	used = atomic64_read(&run->budget.used);
	KUNIT_ASSERT_STATUS(test, wdm_mappings_insert(&run->table, large, GFP_KERNEL),
			    STATUS_SUCCESS);
	used = atomic64_read(&run->budget.used) - used;
	KUNIT_EXPECT_GE(test, used, large->nr_pages * sizeof(u64));
	KUNIT_EXPECT_LT(test, used, large->nr_pages * 2 * sizeof(u64));

	/* Scattered pages are charged for tables of the IOMMU, up to the budget. */
	used = atomic64_read(&run->budget.used) - used;
	for (nr = 0;; nr++, ext->pgno += WDM_REGION_PAGES) {
		status = wdm_mappings_insert(&run->table, ext, GFP_KERNEL);
		if (!wdm_ok(status) || ext->pgno >= large->pgno)
			break;
		KUNIT_EXPECT_GE(test, atomic64_read(&run->budget.used),
				used + nr * SZ_8K);
	}
	KUNIT_EXPECT_GT(test, nr, 50);
	mappings_refused(test, run, ext, large);

	/* Everything mapped can be removed, and the budget used for something else. */
	mappings_take(run, large->pgno, wdm_extent_end(large) - 1);
	for (; ext->pgno > first; ext->pgno -= WDM_REGION_PAGES)
		mappings_take(run, ext->pgno - WDM_REGION_PAGES,
			      ext->pgno - WDM_REGION_PAGES);
	mappings_release(run);
}

/* So are scattered ranges that are long enough for a span. */
static void mappings_charges_spans(struct kunit *test, struct mappings_run *run,
				   struct wdm_mdl *mdl)
{
	/* Far from the empty nodes that are left */
	struct wdm_extent ext = {
		.pgno = BIT_ULL(40), .nr_pages = WDM_REGION_PAGES,
		.mdl = mdl, .perms = WDM_READ,
	};
	s64 used = atomic64_read(&run->budget.used), nr;
	ntstatus_t status = STATUS_SUCCESS;

	for (nr = 0; nr < 1000; nr++, ext.pgno += SZ_1G >> PAGE_SHIFT) {
		status = wdm_mappings_insert(&run->table, &ext, GFP_KERNEL);
		if (!wdm_ok(status))
			break;
		KUNIT_EXPECT_GE(test, atomic64_read(&run->budget.used),
				used + (nr + 1) * SZ_8K);
	}
	KUNIT_EXPECT_STATUS(test, status, STATUS_WORKING_SET_QUOTA);
	KUNIT_EXPECT_GT(test, nr, 50);
	while (nr--) {
		ext.pgno -= SZ_1G >> PAGE_SHIFT;
		mappings_take(run, ext.pgno, wdm_extent_end(&ext) - 1);
	}
	mappings_release(run);
	KUNIT_EXPECT_EQ(test, atomic64_read(&run->budget.used), used);
}

/* Memory is charged, and uncharged when it is freed. */
static void mappings_budget(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	struct wdm_extent ext = { .nr_pages = 1, .perms = WDM_READ };
	struct wdm_extent large = {
		.pgno = 1 << 20, .nr_pages = 1 << 14, .perms = WDM_READ,
	};
	const struct cred *cred, *saved;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, 0);
	ext.mdl = fixture_mdl_contiguous(run->fx, WDM_READ, large.nr_pages, 1)->mdl;
	large.mdl = ext.mdl;
	atomic64_set(&run->budget.pinned, SZ_256K);
	cred = mappings_unprivileged(test);
	saved = override_creds(cred);
	for (i = 0; i < 3; i++)
		mappings_charges(test, run, &ext, &large);
	mappings_charges_spans(test, run, ext.mdl);
	revert_creds(saved);
	put_cred(cred);
	mappings_end(run);
}

/* Map pages of a contiguous MDL, and return what the budget is charged. */
static s64 mappings_charge_of(struct mappings_run *run, u64 pgno, u64 nr_pages)
{
	s64 used = atomic64_read(&run->budget.used);
	struct wdm_extent ext = {
		.pgno = pgno, .nr_pages = nr_pages,
		.mdl = run->tm[1]->mdl, .perms = WDM_READ,
	};

	KUNIT_EXPECT_STATUS(run->fx->test, wdm_mappings_insert(&run->table, &ext, GFP_KERNEL),
			    STATUS_SUCCESS);
	return atomic64_read(&run->budget.used) - used;
}

/* A removal that cuts a span once needs no more than a node and two spans. */
static void mappings_budget_of_cut(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	const u64 large = BIT_ULL(20), pgno = large + 200;
	const struct cred *cred, *saved;
	s64 room, others, used;

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, 0);
	room = mappings_charge_of(run, 0, 1);
	room += 2 * (mappings_charge_of(run, BIT_ULL(10), WDM_REGION_PAGES) -
		     WDM_REGION_PAGES * sizeof(u64));
	mappings_charge_of(run, large, 8 * WDM_REGION_PAGES);

	cred = mappings_unprivileged(test);
	saved = override_creds(cred);
	atomic64_set(&run->budget.pinned, 0);
	others = WDM_BUDGET_BASE - atomic64_read(&run->budget.used) - room;
	KUNIT_EXPECT_TRUE(test, wdm_budget_charge(&run->budget, others + 1));
	used = atomic64_read(&run->budget.used);
	KUNIT_EXPECT_STATUS(test,
			    wdm_mappings_take(&run->table, pgno, pgno, &run->put_list,
					      GFP_KERNEL),
			    STATUS_WORKING_SET_QUOTA);
	KUNIT_EXPECT_EQ(test, atomic64_read(&run->budget.used), used);
	wdm_budget_uncharge(&run->budget, 1);
	KUNIT_EXPECT_STATUS(test,
			    wdm_mappings_take(&run->table, pgno, pgno, &run->put_list,
					      GFP_KERNEL),
			    STATUS_SUCCESS);
	wdm_budget_uncharge(&run->budget, others);
	revert_creds(saved);
	put_cred(cred);
	mappings_end(run);
}

/* Keep empty nodes for regions, as tokens do. */
static void mappings_keep(struct mappings_run *run, u64 pgno, u64 nr_regions)
{
	for (; nr_regions; nr_regions--, pgno += WDM_REGION_PAGES)
		KUNIT_ASSERT_STATUS(run->fx->test,
				    wdm_mappings_keep(&run->table, pgno, GFP_KERNEL),
				    STATUS_SUCCESS);
}

/* Get the least time of some calls that find the last page of a region, in nanoseconds. */
static u64 mappings_time_find(struct mappings_run *run, u64 pgno)
{
	struct wdm_extent ext;
	unsigned int i;
	u64 best = U64_MAX, begin;

	for (i = 0; i < 5; i++) {
		begin = ktime_get_ns();
		KUNIT_EXPECT_TRUE(run->fx->test,
				  wdm_mappings_find(&run->table, pgno, U64_MAX >> PAGE_SHIFT,
						    &ext));
		best = min(best, ktime_get_ns() - begin);
		KUNIT_EXPECT_EQ(run->fx->test, ext.pgno, pgno);
		KUNIT_EXPECT_EQ(run->fx->test, ext.nr_pages, 1);
	}
	return best;
}

/* Whether an extent continues does not depend on how many empty nodes follow it. */
static void mappings_find_before_kept(struct kunit *test)
{
	const u64 few = 128, many = 8192, last = WDM_REGION_PAGES - 1;
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	u64 fast, slow;

	KUNIT_ASSERT_NOT_NULL(test, run);
	mappings_start(test, run, 0);
	mappings_charge_of(run, last, 1);
	mappings_keep(run, WDM_REGION_PAGES, few);
	fast = mappings_time_find(run, last);
	mappings_keep(run, (1 + few) * WDM_REGION_PAGES, many - few);
	slow = mappings_time_find(run, last);
	KUNIT_EXPECT_LT(test, slow, 16 * fast);
	wdm_mappings_unkeep(&run->table, WDM_REGION_PAGES,
			    (1 + many) * WDM_REGION_PAGES - 1);
	mappings_end(run);
}

/* Pages that stay mapped are found, whatever happens to their neighbours. */
struct mappings_toggle {
	struct wdm_mappings *table;
	struct wdm_mdl *mdl;
	struct completion done;
	bool stop;
};

static int mappings_toggle(void *data)
{
	struct mappings_toggle *toggle = data;
	struct wdm_extent ext = { .mdl = toggle->mdl, .perms = WDM_READ };
	struct wdm_put_list put_list;

	while (!READ_ONCE(toggle->stop)) {
		/* The first pages of a region, a single page, and many regions */
		for (ext.pgno = 0; ext.pgno < 8 * WDM_REGION_PAGES; ext.pgno += 64) {
			ext.nr_pages = ext.pgno % 128 ? 1 : 63;
			if (wdm_ok(wdm_mappings_insert(toggle->table, &ext,
						       GFP_KERNEL))) {
				wdm_put_list_init(&put_list);
				wdm_mappings_take(toggle->table, ext.pgno,
						  wdm_extent_end(&ext) - 1,
						  &put_list, GFP_KERNEL);
				wdm_put_list_release(&put_list);
			}
		}
		cond_resched();
	}
	complete(&toggle->done);
	return 0;
}

static void mappings_find_concurrent(struct kunit *test)
{
	struct mappings_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	struct mappings_toggle *toggle;
	struct task_struct *task;
	struct wdm_extent ext;
	unsigned int round;
	u64 i, found;

	toggle = kunit_kzalloc(test, sizeof(*toggle), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, run);
	KUNIT_ASSERT_NOT_NULL(test, toggle);
	mappings_start(test, run, 0);
	for (i = 0; i < 8; i++)
		mappings_put(run, 0, i * WDM_REGION_PAGES + 65, 63, i, WDM_PERMS);
	toggle->table = &run->table;
	toggle->mdl = run->tm[1]->mdl;
	init_completion(&toggle->done);
	task = kthread_run(mappings_toggle, toggle, "wdm_toggle");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (round = 0; round < 300; round++) {
		found = 0;
		ext = (struct wdm_extent) { };
		while (wdm_mappings_next(&run->table, U64_MAX >> PAGE_SHIFT, &ext))
			if (ext.mdl == run->tm[0]->mdl)
				found += ext.nr_pages;
		KUNIT_EXPECT_EQ(test, found, 8 * 63);
		if (found != 8 * 63)
			break;
		cond_resched();
	}
	WRITE_ONCE(toggle->stop, true);
	fixture_wait(test, &toggle->done);
	mappings_end(run);
}

static struct kunit_case mappings_cases[] = {
	KUNIT_CASE_SLOW(mappings_many_regions),
	KUNIT_CASE_SLOW(mappings_used_once),
	KUNIT_CASE(mappings_ends_in_empty_node),
	KUNIT_CASE(mappings_budget),
	KUNIT_CASE(mappings_budget_of_cut),
	KUNIT_CASE_SLOW(mappings_find_before_kept),
	KUNIT_CASE(mappings_find_concurrent),
	KUNIT_CASE_PARAM(mappings_random, mappings_window_gen_params),
	KUNIT_CASE_PARAM(mappings_merge, mappings_window_gen_params),
	KUNIT_CASE(mappings_keeps_mdl),
	KUNIT_CASE(mappings_alternate),
	{}
};

static struct kunit_suite mappings_suite = {
	.name = "wdm_iommu_mappings",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = mappings_cases,
};

kunit_test_suite(mappings_suite);
