// SPDX-License-Identifier: GPL-2.0
/*
 * The record against a model, under random operations.
 */
#include <kunit/test.h>
#include <linux/kernel.h>

#include "support/fixture.h"
#include "support/page_model.h"

/* Some regions, whole ones among them */
#define RECORD_WINDOW	(5 * WDM_REGION_PAGES + 20)
#define RECORD_STEPS	3000
#define RECORD_MDLS	3

/* The windows: where page numbers start, in the middle, and where they end. */
static const u64 record_windows[] = {
	0, BIT_ULL(20) - 180, BIT_ULL(36) + 7, BIT_ULL(52) - RECORD_WINDOW,
};

static void record_window_name(const u64 *first, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "from page %#llx", *first);
}

KUNIT_ARRAY_PARAM(record_window, record_windows, record_window_name);

/**
 * struct record_run - one run of random operations
 * @fx: the fixture
 * @rec: the record
 * @model: its model
 * @tm: the MDLs
 * @put_list: what was removed and not yet released
 * @removed: how many pages of each MDL that is
 */
struct record_run {
	struct fixture *fx;
	struct wdm_record rec;
	struct page_model model;
	struct test_mdl *tm[RECORD_MDLS];
	struct wdm_put_list put_list;
	u64 removed[RECORD_MDLS];
};

static void record_start(struct kunit *test, struct record_run *run, u64 first)
{
	struct fixture *fx = FIXTURE(test);

	run->fx = fx;
	run->tm[0] = fixture_mdl_random(fx, WDM_PERMS, RECORD_WINDOW, 10);
	run->tm[1] = fixture_mdl_contiguous(fx, WDM_PERMS, RECORD_WINDOW, 512);
	run->tm[2] = fixture_mdl_random(fx, WDM_PERMS, 3, 3);
	page_model_init(fx, &run->model, first, RECORD_WINDOW);
	wdm_record_init(&run->rec);
	wdm_put_list_init(&run->put_list);
}

static void record_release(struct record_run *run)
{
	wdm_put_list_release(&run->put_list);
	wdm_put_list_init(&run->put_list);
	memset(run->removed, 0, sizeof(run->removed));
}

static void record_end(struct record_run *run)
{
	struct kunit *test = run->fx->test;
	unsigned int i;

	record_release(run);
	wdm_record_destroy(&run->rec);
	for (i = 0; i < RECORD_MDLS; i++)
		KUNIT_EXPECT_EQ(test, wdm_mdl_uses(run->tm[i]->mdl), 0);
}

static u64 record_removed(const struct record_run *run,
			  const struct wdm_mdl *mdl)
{
	u64 i, nr = 0;

	for (i = 0; i < run->put_list.nr; i++)
		if (run->put_list.list[i].mdl == mdl)
			nr += run->put_list.list[i].nr_pages;
	return nr;
}

static void record_check(struct record_run *run)
{
	struct kunit *test = run->fx->test;
	struct wdm_mdl *mdl;
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, page_model_equals_record(&run->model,
							 &run->rec));
	for (i = 0; i < RECORD_MDLS; i++) {
		mdl = run->tm[i]->mdl;
		KUNIT_ASSERT_EQ(test, record_removed(run, mdl),
				run->removed[i]);
		KUNIT_ASSERT_EQ(test, wdm_mdl_uses(mdl),
				page_model_uses(&run->model, mdl) +
				run->removed[i]);
	}
}

static void record_insert(struct record_run *run)
{
	struct kunit *test = run->fx->test;
	struct wdm_extent ext;
	ntstatus_t status;
	bool taken;

	page_model_extent(run->fx, &run->model,
			  run->tm[fixture_below(&run->fx->rng, RECORD_MDLS)],
			  &ext);
	taken = page_model_count(&run->model, ext.first, ext.nr_pages);
	status = wdm_record_insert(&run->rec, &ext);
	KUNIT_ASSERT_STATUS(test, status,
			    taken ? STATUS_RESOURCE_IN_USE : STATUS_SUCCESS);
	if (!taken)
		page_model_insert(&run->model, &ext);
}

/* The page frame that a page of the model maps */
static u64 record_pfn(const struct record_run *run,
		      const struct model_page *page)
{
	unsigned int i;

	for (i = 0; i < RECORD_MDLS; i++)
		if (run->tm[i]->mdl == page->mdl)
			return run->tm[i]->pfns[page->mdl_page];
	return 0;
}

/* Does an extent go on from the page before this one, also physically? */
static bool record_goes_on(const struct record_run *run, u64 page)
{
	const struct page_model *model = &run->model;
	const struct model_page *was, *is;

	if (page == model->first || page == model->first + model->nr)
		return false;
	was = page_model_at(model, page - 1);
	is = page_model_at(model, page);
	return was->mdl && was->mdl == is->mdl && was->perms == is->perms &&
	       was->mdl_page + 1 == is->mdl_page &&
	       record_pfn(run, was) + 1 == record_pfn(run, is);
}

/* What the model has there comes out. */
static void record_expect_removed(struct record_run *run, u64 first, u64 nr)
{
	unsigned int i;
	u64 page;

	for (page = first; page < first + nr; page++)
		for (i = 0; i < RECORD_MDLS; i++)
			if (page_model_at(&run->model, page)->mdl ==
			    run->tm[i]->mdl)
				run->removed[i]++;
	page_model_remove(&run->model, first, nr);
}

static void record_remove(struct record_run *run)
{
	struct kunit *test = run->fx->test;
	bool whole = fixture_once_in(&run->fx->rng, 2);
	ntstatus_t status, want = STATUS_SUCCESS;
	u64 first, nr;

	page_model_range(run->fx, &run->model, &first, &nr);
	if (page_model_count(&run->model, first, nr) < nr)
		want = STATUS_NOT_FOUND;
	else if (whole && (record_goes_on(run, first) ||
			   record_goes_on(run, first + nr)))
		want = STATUS_RESOURCE_IN_USE;

	/* It is kept for a while: its MDLs must stay in use until released. */
	status = wdm_record_remove(&run->rec, first, first + nr - 1, whole,
				   &run->put_list, GFP_KERNEL);
	KUNIT_ASSERT_STATUS(test, status, want);
	if (wdm_ok(status))
		record_expect_removed(run, first, nr);
}

/* The iterator finds every page of a range, and nothing else. */
static void record_iterate(struct record_run *run)
{
	struct kunit *test = run->fx->test;
	struct wdm_record_iter iter;
	const struct model_page *page;
	struct wdm_extent ext;
	u64 first, nr, i, next;

	page_model_range(run->fx, &run->model, &first, &nr);
	next = first;
	wdm_record_lock(&run->rec);
	wdm_record_iter_init(&iter, &run->rec, first, first + nr - 1);
	while (wdm_record_iter_next(&iter, &ext)) {
		KUNIT_EXPECT_GE(test, ext.first, next);
		KUNIT_EXPECT_EQ(test, page_model_count(&run->model, next,
						       ext.first - next), 0);
		next = ext.first + ext.nr_pages;
		KUNIT_EXPECT_LE(test, next, first + nr);
		for (i = 0; i < ext.nr_pages; i++) {
			page = page_model_at(&run->model, ext.first + i);
			KUNIT_EXPECT_PTR_EQ(test, ext.mdl, page->mdl);
			KUNIT_EXPECT_EQ(test, ext.mdl_page + i, page->mdl_page);
			KUNIT_EXPECT_EQ(test, ext.perms, page->perms);
		}
	}
	wdm_record_unlock(&run->rec);
	KUNIT_ASSERT_EQ(test, page_model_count(&run->model, next,
					       first + nr - next), 0);
}

/* So does the one that does not ask what is mapped. */
static void record_iterate_mapped(struct record_run *run)
{
	struct kunit *test = run->fx->test;
	u64 first, nr, next, start, end;
	struct wdm_record_iter iter;

	page_model_range(run->fx, &run->model, &first, &nr);
	next = first;
	wdm_record_lock(&run->rec);
	wdm_record_iter_init(&iter, &run->rec, first, first + nr - 1);
	while (wdm_record_iter_mapped(&iter, &start, &end)) {
		KUNIT_EXPECT_EQ(test, page_model_count(&run->model, next,
						       start - next), 0);
		KUNIT_EXPECT_LT(test, end, first + nr);
		KUNIT_EXPECT_EQ(test, page_model_count(&run->model, start,
						       end - start + 1),
				end - start + 1);
		/* As much as there is */
		KUNIT_EXPECT_TRUE(test, start == first || start > next);
		next = end + 1;
	}
	wdm_record_unlock(&run->rec);
	KUNIT_ASSERT_EQ(test, page_model_count(&run->model, next,
					       first + nr - next), 0);
}

static void record_look(struct record_run *run)
{
	struct kunit *test = run->fx->test;
	struct wdm_extent ext;
	u64 first, nr, i;
	bool found;

	page_model_range(run->fx, &run->model, &first, &nr);
	wdm_record_lock(&run->rec);
	found = wdm_record_next(&run->rec, first, first + nr - 1, &ext);
	wdm_record_unlock(&run->rec);

	for (i = 0; i < nr && !page_model_at(&run->model, first + i)->mdl; i++)
		;
	KUNIT_ASSERT_EQ(test, found, i < nr);
	if (!found)
		return;
	KUNIT_ASSERT_EQ(test, ext.first, first + i);
	KUNIT_ASSERT_LE(test, ext.first + ext.nr_pages, first + nr);
	KUNIT_ASSERT_PTR_EQ(test, ext.mdl,
			    page_model_at(&run->model, ext.first)->mdl);
}

static void record_random(struct kunit *test)
{
	struct record_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	unsigned int step;

	KUNIT_ASSERT_NOT_NULL(test, run);
	record_start(test, run, *(const u64 *)test->param_value);
	for (step = 0; step < RECORD_STEPS; step++) {
		switch (fixture_below(&run->fx->rng, 8)) {
		case 0 ... 3:
			record_insert(run);
			break;
		case 4 ... 5:
			record_remove(run);
			break;
		case 6:
			record_look(run);
			record_iterate(run);
			record_iterate_mapped(run);
			continue;
		default:
			record_release(run);
		}
		record_check(run);
	}
	record_end(run);
}

static void record_put(struct record_run *run, unsigned int mdl, u64 first,
		       u64 nr, u64 mdl_page, u32 perms)
{
	struct wdm_extent ext = {
		.first = run->model.first + first, .nr_pages = nr,
		.mdl = run->tm[mdl]->mdl, .mdl_page = mdl_page, .perms = perms,
	};

	KUNIT_EXPECT_STATUS(run->fx->test, wdm_record_insert(&run->rec, &ext),
			    STATUS_SUCCESS);
	page_model_insert(&run->model, &ext);
}

static unsigned int record_extents(struct record_run *run)
{
	struct wdm_extent ext;
	unsigned int nr = 0;
	u64 next = 0;

	wdm_record_lock(&run->rec);
	while (wdm_record_next(&run->rec, next, ULONG_MAX, &ext)) {
		next = ext.first + ext.nr_pages;
		nr++;
	}
	wdm_record_unlock(&run->rec);
	return nr;
}

/* What continues its neighbour is one extent, and nothing else is. */
static void record_merge(struct kunit *test)
{
	struct record_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, run);
	record_start(test, run, *(const u64 *)test->param_value);
	record_put(run, 0, 10, 10, 10, WDM_PERMS);
	record_put(run, 0, 30, 10, 30, WDM_PERMS);
	KUNIT_EXPECT_EQ(test, record_extents(run), 2);
	record_put(run, 0, 20, 10, 20, WDM_PERMS);
	KUNIT_EXPECT_EQ(test, record_extents(run), 1);
	record_put(run, 0, 40, 1, 40, WDM_READ);
	KUNIT_EXPECT_EQ(test, record_extents(run), 2);
	record_put(run, 0, 41, 1, 43, WDM_READ);
	KUNIT_EXPECT_EQ(test, record_extents(run), 3);
	record_put(run, 1, 42, 1, 4, WDM_READ);
	KUNIT_EXPECT_EQ(test, record_extents(run), 4);
	record_put(run, 0, 9, 1, 9, WDM_PERMS);
	KUNIT_EXPECT_EQ(test, record_extents(run), 4);
	/* The window's edges, which for some windows are those of the world. */
	record_put(run, 0, 0, 1, 5, WDM_WRITE);
	record_put(run, 0, RECORD_WINDOW - 1, 1, 6, WDM_WRITE);
	KUNIT_EXPECT_EQ(test, record_extents(run), 6);
	record_check(run);
	record_end(run);
}

/* An MDL lives as long as the record or a removal needs it. */
static void record_keeps_mdl(struct kunit *test)
{
	struct record_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, run);
	record_start(test, run, 100);
	record_put(run, 0, 0, 5, 0, WDM_READ);
	record_put(run, 0, 7, 5, 0, WDM_READ);
	fixture_mdl_put(run->tm[0]);
	KUNIT_EXPECT_EQ(test, run->tm[0]->freed, 0);

	KUNIT_EXPECT_STATUS(test,
			    wdm_record_remove(&run->rec, 100, 104, true,
					      &run->put_list, GFP_KERNEL),
			    STATUS_SUCCESS);
	wdm_put_list_release(&run->put_list);
	KUNIT_EXPECT_EQ(test, run->tm[0]->freed, 0);
	wdm_record_destroy(&run->rec);
	KUNIT_EXPECT_EQ(test, run->tm[0]->freed, 1);
}

/* So many regions that the tree has several levels, and its nodes full ones. */
#define RECORD_REGIONS	4000

static void record_fill_regions(struct kunit *test, struct record_run *run,
				u64 pages)
{
	u64 i;

	for (i = 0; i < RECORD_REGIONS; i++) {
		struct wdm_extent ext = {
			.first = i * WDM_REGION_PAGES,
			.nr_pages = pages,
			.mdl = run->tm[1]->mdl,
			.mdl_page = i % 2,
			.perms = WDM_PERMS,
		};

		KUNIT_ASSERT_STATUS(test, wdm_record_insert(&run->rec, &ext),
				    STATUS_SUCCESS);
	}
	KUNIT_ASSERT_EQ(test, wdm_record_pages(&run->rec), RECORD_REGIONS * pages);
}

/* A record with many regions, whole ones and tables, goes region by region, */
static void record_many_regions(struct kunit *test)
{
	static const u64 pages[] = { WDM_REGION_PAGES, 3 };
	struct record_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);
	unsigned int way;
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, run);
	record_start(test, run, 0);
	for (way = 0; way < ARRAY_SIZE(pages); way++) {
		record_fill_regions(test, run, pages[way]);
		for (i = 0; i < RECORD_REGIONS; i++)
			KUNIT_ASSERT_STATUS(test,
					    wdm_record_remove(&run->rec, i * WDM_REGION_PAGES,
							      i * WDM_REGION_PAGES +
							      pages[way] - 1, false,
							      &run->put_list,
							      GFP_KERNEL),
					    STATUS_SUCCESS);
		record_release(run);
		KUNIT_EXPECT_EQ(test, wdm_record_pages(&run->rec), 0);
		KUNIT_EXPECT_EQ(test, wdm_mdl_uses(run->tm[1]->mdl), 0);
		/* Tables that nothing needs do not stay, but for some. */
		KUNIT_EXPECT_LT(test, run->rec.nr_words, 50);
	}

	/* or at once, */
	record_fill_regions(test, run, WDM_REGION_PAGES);
	KUNIT_EXPECT_STATUS(test,
			    wdm_record_remove(&run->rec, 5,
					      RECORD_REGIONS * WDM_REGION_PAGES - 6,
					      false, &run->put_list, GFP_KERNEL),
			    STATUS_SUCCESS);
	record_release(run);
	KUNIT_EXPECT_EQ(test, wdm_record_pages(&run->rec), 10);
	KUNIT_EXPECT_STATUS(test,
			    wdm_record_remove(&run->rec, 0, 4, false,
					      &run->put_list, GFP_KERNEL),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test,
			    wdm_record_remove(&run->rec,
					      RECORD_REGIONS * WDM_REGION_PAGES - 5,
					      RECORD_REGIONS * WDM_REGION_PAGES - 1,
					      false, &run->put_list, GFP_KERNEL),
			    STATUS_SUCCESS);
	record_release(run);

	/* or with the record. */
	record_fill_regions(test, run, 3);
	record_end(run);
	/* Its nodes and tables are freed under RCU. */
	rcu_barrier();
}

static struct kunit_case record_cases[] = {
	KUNIT_CASE(record_many_regions),
	KUNIT_CASE_PARAM(record_random, record_window_gen_params),
	KUNIT_CASE_PARAM(record_merge, record_window_gen_params),
	KUNIT_CASE(record_keeps_mdl),
	{}
};

static struct kunit_suite record_suite = {
	.name = "wdm_iommu_record",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = record_cases,
};

kunit_test_suite(record_suite);
