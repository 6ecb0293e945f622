// SPDX-License-Identifier: GPL-2.0
/*
 * OS-managed domains on fake IOMMUs, compared with a model of their pages.
 */
#include <kunit/test.h>
#include <linux/kernel.h>

#include "support/fixture.h"
#include "support/page_model.h"

/* 8 MiB from 256 MiB on. */
#define TR_FIRST	BIT_ULL(16)
#define TR_PAGES	2048
#define TR_STEPS	250
#define TR_MDLS		3
#define TR_FAKES	3

struct tr_param {
	const char *name;
	u32 flags;
	unsigned long pgsizes[TR_FAKES];
};

static const struct tr_param tr_params[] = {
	{ "large pages, 4K only", 0,
	  { FAKE_PGSIZES_4K, FAKE_PGSIZES_4K, FAKE_PGSIZES_4K } },
	{ "large pages, 4K 2M 1G", 0,
	  { FAKE_PGSIZES_X86, FAKE_PGSIZES_X86, FAKE_PGSIZES_X86 } },
	{ "large pages, every power of two", 0,
	  { FAKE_PGSIZES_AMD, FAKE_PGSIZES_AMD, FAKE_PGSIZES_AMD } },
	{ "large pages, of all kinds", 0,
	  { FAKE_PGSIZES_X86, FAKE_PGSIZES_AMD, FAKE_PGSIZES_4K } },
	{ "page granular, 4K 2M 1G", WDM_DOMAIN_PAGE_GRANULAR,
	  { FAKE_PGSIZES_X86, FAKE_PGSIZES_X86, FAKE_PGSIZES_X86 } },
	{ "page granular, of all kinds", WDM_DOMAIN_PAGE_GRANULAR,
	  { FAKE_PGSIZES_AMD, FAKE_PGSIZES_X86, FAKE_PGSIZES_4K } },
};

static void tr_name(const struct tr_param *param, char *desc)
{
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(tr, tr_params, tr_name);

/**
 * struct tr - a domain, its model, its IOMMUs
 * @fx: the fixture
 * @param: the kind of domain
 * @domain: the domain
 * @model: what is mapped
 * @tm: MDLs to map
 * @fake: IOMMUs that the domain has adopted, or NULL
 * @serial: for each IOMMU, serial number of the map of each page at the last check; 0 if
 *	it was not mapped
 * @cut_first: first page of the window that the last step may have disturbed
 * @cut_last: the last one
 * @checks: number of full comparisons
 */
struct tr {
	struct fixture *fx;
	const struct tr_param *param;
	struct wdm_domain *domain;
	struct page_model model;
	struct test_mdl *tm[TR_MDLS];
	struct fake_iommu *fake[TR_FAKES];
	u64 *serial[TR_FAKES];
	u64 cut_first;
	u64 cut_last;
	unsigned int checks;
};

static struct tr *tr_start(struct kunit *test, const struct tr_param *param)
{
	struct fixture *fx = FIXTURE(test);
	struct tr *tr = kunit_kzalloc(test, sizeof(*tr), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, tr);
	tr->fx = fx;
	tr->param = param;
	tr->tm[0] = fixture_mdl_contiguous(fx, WDM_PERMS, 1700, 512);
	tr->tm[1] = fixture_mdl_random(fx, WDM_PERMS, 600, 40);
	tr->tm[2] = fixture_mdl_contiguous(fx, WDM_PERMS, 100, 1);
	tr->domain = fixture_domain(fx, true, param->flags);
	page_model_init(fx, &tr->model, TR_FIRST, TR_PAGES);
	for (i = 0; i < TR_FAKES; i++) {
		tr->serial[i] = kunit_kcalloc(test, TR_PAGES, sizeof(u64),
					      GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, tr->serial[i]);
	}
	return tr;
}

static bool tr_granular(const struct tr *tr)
{
	return tr->param->flags & WDM_DOMAIN_PAGE_GRANULAR;
}

/* Check that a 4 KiB page of an IOMMU is as in the model, and undisturbed. */
static bool tr_page_right(struct tr *tr, unsigned int nr, u64 page,
			  const struct fake_page *fp)
{
	const struct model_page *mp = page_model_at(&tr->model, page);
	u64 offset = (page << PAGE_SHIFT) - fp->iova;
	u64 *serial;
	int prot = IOMMU_CACHE;

	if (!mp || !mp->mdl)
		return false;
	prot |= mp->perms & WDM_READ ? IOMMU_READ : 0;
	prot |= mp->perms & WDM_WRITE ? IOMMU_WRITE : 0;
	if (fp->prot != prot ||
	    fp->phys + offset != PFN_PHYS(fixture_mdl_pfn(tr->fx, mp->mdl,
							  mp->mdl_page)))
		return false;

	serial = &tr->serial[nr][page - TR_FIRST];
	if (*serial && *serial != fp->serial &&
	    (page < tr->cut_first || page > tr->cut_last))
		return false;
	*serial = fp->serial;
	return true;
}

static void tr_check_pages(struct tr *tr, unsigned int nr)
{
	struct kunit *test = tr->fx->test;
	struct fake_iommu *fake = tr->fake[nr];
	struct fake_page fp;
	u64 next = 0, page;

	while (fake_iommu_next(fake, next, &fp)) {
		if (tr_granular(tr))
			KUNIT_ASSERT_EQ(test, fp.size, SZ_4K);
		for (next = fp.iova; next < fp.iova + fp.size;
		     next += PAGE_SIZE) {
			page = next >> PAGE_SHIFT;
			KUNIT_ASSERT_TRUE_MSG(test,
					      tr_page_right(tr, nr, page, &fp),
					      "IOMMU %u page %#llx", nr, page);
		}
	}
}

static void tr_check_fake(struct tr *tr, unsigned int nr)
{
	struct kunit *test = tr->fx->test;
	struct fake_iommu *fake = tr->fake[nr];

	KUNIT_ASSERT_EQ(test, fake->mapped,
			page_model_count(&tr->model, TR_FIRST, TR_PAGES));
	KUNIT_ASSERT_FALSE(test, fake_iommu_stale(fake));
	KUNIT_ASSERT_EQ(test, fake->torn, 0);
	KUNIT_ASSERT_EQ(test, fake->bad_calls, 0);
}

static void tr_check(struct tr *tr)
{
	struct kunit *test = tr->fx->test;
	unsigned int i;

	/* Numbers each time; pages of one IOMMU in turn, and sometimes of all */
	for (i = 0; i < TR_FAKES; i++) {
		if (!tr->fake[i])
			continue;
		tr_check_fake(tr, i);
		if (tr->checks % TR_FAKES == i || !(tr->checks % 16))
			tr_check_pages(tr, i);
		else
			memset(tr->serial[i], 0, TR_PAGES * sizeof(u64));
	}
	tr->checks++;
	KUNIT_ASSERT_TRUE(test, page_model_equals(&tr->model, &tr->domain->mappings));
	for (i = 0; i < TR_MDLS; i++)
		KUNIT_ASSERT_EQ(test, wdm_mdl_uses(tr->tm[i]->mdl),
				page_model_uses(&tr->model, tr->tm[i]->mdl));
	tr->cut_first = U64_MAX;
	tr->cut_last = 0;
}

/* Forget the serial numbers of pages that are about to be unmapped. */
static void tr_forget(struct tr *tr, u64 first, u64 nr)
{
	unsigned int i;

	for (i = 0; i < TR_FAKES; i++)
		memset(&tr->serial[i][first - TR_FIRST], 0,
		       nr * sizeof(u64));
}

/* Align every third extent so that large pages can be used. */
static void tr_extent(struct tr *tr, struct wdm_extent *ext)
{
	struct rnd_state *rng = &tr->fx->rng;

	page_model_extent(tr->fx, &tr->model,
			  tr->tm[fixture_below(rng, TR_MDLS)], ext);
	if (!fixture_once_in(rng, 3))
		return;
	ext->mdl = tr->tm[0]->mdl;
	ext->pgno = TR_FIRST + 512 * fixture_below(rng, 4);
	ext->mdl_page = 512 * fixture_below(rng, 3);
	ext->nr_pages = min(TR_FIRST + TR_PAGES - ext->pgno,
			    tr->tm[0]->nr_pages - ext->mdl_page);
	if (fixture_once_in(rng, 2))
		ext->nr_pages = 512;
}

/* Sometimes make a call of map_pages fail. */
static bool tr_inject(struct tr *tr)
{
	struct rnd_state *rng = &tr->fx->rng;
	struct fake_iommu *fake = tr->fake[fixture_below(rng, TR_FAKES)];

	if (!fake || !fixture_once_in(rng, 4))
		return false;
	fake_iommu_fail_map(fake, 1 + fixture_below(rng, 6), false);
	return true;
}

/* Reset the failure; return true if it has happened. */
static bool tr_injected(struct tr *tr)
{
	bool happened = true;
	unsigned int i;

	for (i = 0; i < TR_FAKES; i++) {
		if (!tr->fake[i])
			continue;
		if (tr->fake[i]->fail_map)
			happened = false;
		fake_iommu_fail_map(tr->fake[i], 0, false);
	}
	return happened;
}

static void tr_map(struct tr *tr)
{
	struct wdm_extent ext;
	ntstatus_t status, want = STATUS_SUCCESS;
	bool inject;

	tr_extent(tr, &ext);
	inject = tr_inject(tr);
	status = wdm_domain_map(tr->domain, ext.perms,
				RANGE(ext.mdl, ext.mdl_page, ext.nr_pages),
				ext.pgno << PAGE_SHIFT);
	if (page_model_count(&tr->model, ext.pgno, ext.nr_pages))
		want = STATUS_RESOURCE_IN_USE;
	if (inject && tr_injected(tr))
		want = STATUS_INSUFFICIENT_RESOURCES;
	KUNIT_ASSERT_STATUS(tr->fx->test, status, want);
	if (wdm_ok(status))
		page_model_insert(&tr->model, &ext);
}

static bool tr_mapped(const struct tr *tr, u64 page)
{
	const struct model_page *mp = page_model_at(&tr->model, page);

	return mp && mp->mdl;
}

static void tr_widen(struct tr *tr, u64 *first, u64 *nr)
{
	*nr = 1;
	while (tr_mapped(tr, *first - 1)) {
		(*first)--;
		(*nr)++;
	}
	while (tr_mapped(tr, *first + *nr))
		(*nr)++;
}

static void tr_unmap(struct tr *tr)
{
	ntstatus_t status, want = STATUS_SUCCESS;
	bool inject;
	u64 first, nr;

	page_model_range(tr->fx, &tr->model, &first, &nr);
	if (fixture_once_in(&tr->fx->rng, 3)) {
		first = round_down(first, 64);
		nr = 1 + fixture_below(&tr->fx->rng, 64);
	}
	/* Or everything mapped around there, to make space for large pages. */
	if (fixture_once_in(&tr->fx->rng, 4))
		tr_widen(tr, &first, &nr);
	/* Large pages around the ends may block for a moment. */
	if (!tr_granular(tr)) {
		tr->cut_first = round_down(first, 1024);
		tr->cut_last = round_up(first + nr, 1024) - 1;
	}
	inject = tr_inject(tr);
	status = wdm_domain_unmap(tr->domain, first << PAGE_SHIFT, nr);
	if (page_model_count(&tr->model, first, nr) != nr)
		want = STATUS_NOT_FOUND;
	if (inject && tr_injected(tr))
		want = STATUS_INSUFFICIENT_RESOURCES;
	KUNIT_ASSERT_STATUS(tr->fx->test, status, want);
	if (!wdm_ok(status))
		return;
	page_model_remove(&tr->model, first, nr);
	tr_forget(tr, first, nr);
}

/* Add an IOMMU, which is filled, or remove one. */
static void tr_adopt(struct tr *tr)
{
	struct kunit *test = tr->fx->test;
	unsigned int nr = fixture_below(&tr->fx->rng, TR_FAKES);
	struct fake_iommu *fake = tr->fake[nr];
	ntstatus_t status;
	bool failed;

	memset(tr->serial[nr], 0, TR_PAGES * sizeof(u64));
	if (fake) {
		fixture_disown(fake);
		KUNIT_ASSERT_EQ(test, fake->mapped, 0);
		KUNIT_ASSERT_FALSE(test, fake_iommu_stale(fake));
		KUNIT_ASSERT_EQ(test, fake->freed, 1);
		tr->fake[nr] = NULL;
		return;
	}
	fake = fixture_fake(tr->fx, tr->param->pgsizes[nr]);
	if (fixture_once_in(&tr->fx->rng, 3))
		fake_iommu_fail_map(fake,
				    1 + fixture_below(&tr->fx->rng, 10), false);
	failed = fake->fail_map;
	status = fixture_adopt(tr->domain, fake);
	failed &= !fake->fail_map;
	fake_iommu_fail_map(fake, 0, false);
	KUNIT_ASSERT_STATUS(test, status, failed ?
			    STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS);
	if (!failed) {
		tr->fake[nr] = fake;
		return;
	}
	KUNIT_ASSERT_EQ(test, fake->mapped, 0);
	KUNIT_ASSERT_FALSE(test, fake_iommu_stale(fake));
	KUNIT_ASSERT_EQ(test, fake->freed, 0);
}

static void translate_random(struct kunit *test)
{
	struct tr *tr = tr_start(test, test->param_value);
	unsigned int step;

	for (step = 0; step < TR_STEPS; step++) {
		switch (fixture_below(&tr->fx->rng, 16)) {
		case 0:
			tr_adopt(tr);
			break;
		case 1 ... 8:
			tr_map(tr);
			break;
		default:
			tr_unmap(tr);
		}
		tr_check(tr);
	}
}

/* Whichever call of the IOMMU driver fails, nothing of the map remains. */
static void translate_rollback(struct kunit *test)
{
	const struct tr_param *param = test->param_value;
	struct tr *tr = tr_start(test, param);
	struct wdm_extent ext = {
		.pgno = TR_FIRST + 5, .nr_pages = 300, .mdl = tr->tm[1]->mdl,
		.perms = WDM_READ,
	};
	unsigned int nr, i, failures;
	ntstatus_t status;

	for (i = 0; i < TR_FAKES; i++) {
		tr->fake[i] = fixture_fake(tr->fx, param->pgsizes[i]);
		KUNIT_ASSERT_STATUS(test,
				    fixture_adopt(tr->domain, tr->fake[i]),
				    STATUS_SUCCESS);
	}
	for (i = 0; i < TR_FAKES; i++) {
		failures = 0;
		/* Increase the steps, to reach the end in reasonable time. */
		for (nr = 1; ; nr += 1 + nr / 8) {
			fake_iommu_fail_map(tr->fake[i], nr, true);
			status = wdm_domain_map(tr->domain, ext.perms,
						RANGE(ext.mdl, 0, ext.nr_pages),
						ext.pgno << PAGE_SHIFT);
			fake_iommu_fail_map(tr->fake[i], 0, false);
			if (wdm_ok(status))
				break;
			failures++;
			KUNIT_ASSERT_STATUS(test, status,
					    STATUS_INSUFFICIENT_RESOURCES);
			tr_check(tr);
		}
		KUNIT_EXPECT_GT(test, failures, 3);
		page_model_insert(&tr->model, &ext);
		tr_check(tr);
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_unmap(tr->domain,
						     ext.pgno << PAGE_SHIFT,
						     ext.nr_pages),
				    STATUS_SUCCESS);
		page_model_remove(&tr->model, ext.pgno, ext.nr_pages);
		tr_forget(tr, ext.pgno, ext.nr_pages);
		tr_check(tr);
	}
}

/* Unmap a page in the middle of a large one; then without memory to do so. */
static void translate_split(struct kunit *test)
{
	static const struct tr_param param = { "split", 0 };
	struct tr *tr = tr_start(test, &param);
	struct wdm_extent ext = {
		.pgno = TR_FIRST, .nr_pages = 1024, .mdl = tr->tm[0]->mdl,
		.perms = WDM_PERMS,
	};
	struct fake_iommu *fake = fixture_fake(tr->fx, FAKE_PGSIZES_X86);
	struct fake_page fp;
	u64 iova = TR_FIRST << PAGE_SHIFT;

	tr->fake[0] = fake;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(tr->domain, fake),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(tr->domain, ext.perms,
					   RANGE(ext.mdl, 0, ext.nr_pages), iova),
			    STATUS_SUCCESS);
	page_model_insert(&tr->model, &ext);
	tr_check(tr);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake, iova, &fp));
	KUNIT_EXPECT_EQ(test, fp.size, SZ_2M);

	fake_iommu_fail_map(fake, 1, false);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_unmap(tr->domain, iova + SZ_1M, 1),
			    STATUS_INSUFFICIENT_RESOURCES);
	tr->cut_first = TR_FIRST;
	tr->cut_last = TR_FIRST + 511;
	tr_check(tr);

	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_unmap(tr->domain, iova + SZ_1M, 1),
			    STATUS_SUCCESS);
	page_model_remove(&tr->model, TR_FIRST + 256, 1);
	tr_forget(tr, TR_FIRST + 256, 1);
	tr->cut_first = TR_FIRST;
	tr->cut_last = TR_FIRST + 511;
	tr_check(tr);
	/* The other large page is unchanged. */
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake, iova + SZ_2M, &fp));
	KUNIT_EXPECT_EQ(test, fp.size, SZ_2M);

	/* An unmap across the hole fails; unmaps around it succeed. */
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(tr->domain, iova, 1024),
			    STATUS_NOT_FOUND);
	tr_check(tr);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(tr->domain, iova, 256),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_unmap(tr->domain, iova + SZ_1M + SZ_4K,
					     1024 - 257),
			    STATUS_SUCCESS);
	page_model_remove(&tr->model, TR_FIRST, 1024);
	tr_check(tr);
}

static void translate_parameters(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct wdm_mdl *mdl = fixture_mdl_random(fx, WDM_PERMS, 10, 3)->mdl;
	struct wdm_mdl *ro = fixture_mdl_random(fx, WDM_READ, 10, 3)->mdl;
	const struct {
		struct wdm_mdl *mdl;
		u32 perms;
		u64 page, nr, logical;
		ntstatus_t status;
	} rows[] = {
		{ mdl, 0, 0, 1, 0, STATUS_INVALID_PARAMETER_2 },
		{ mdl, 4, 0, 1, 0, STATUS_INVALID_PARAMETER_2 },
		{ mdl, 7, 0, 1, 0, STATUS_INVALID_PARAMETER_2 },
		{ mdl, BIT(31) | 1, 0, 1, 0, STATUS_INVALID_PARAMETER_2 },
		{ ro, WDM_WRITE, 0, 1, 0, STATUS_ACCESS_DENIED },
		{ ro, WDM_PERMS, 0, 1, 0, STATUS_ACCESS_DENIED },
		{ mdl, 3, 0, 0, 0, STATUS_INVALID_PARAMETER_3 },
		{ mdl, 3, 0, 11, 0, STATUS_INVALID_PARAMETER_3 },
		{ mdl, 3, 10, 1, 0, STATUS_INVALID_PARAMETER_3 },
		{ mdl, 3, 5, 6, 0, STATUS_INVALID_PARAMETER_3 },
		{ mdl, 3, U64_MAX, 2, 0, STATUS_INVALID_PARAMETER_3 },
		{ mdl, 3, 1, U64_MAX, 0, STATUS_INVALID_PARAMETER_3 },
		{ mdl, 3, 0, 1, 1, STATUS_INVALID_PARAMETER_4 },
		{ mdl, 3, 0, 1, SZ_2K, STATUS_INVALID_PARAMETER_4 },
		{ mdl, 3, 0, 2, -PAGE_SIZE, STATUS_INVALID_PARAMETER_4 },
		{ mdl, 3, 0, 10, -9 * PAGE_SIZE, STATUS_INVALID_PARAMETER_4 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_EXPECT_STATUS(test,
				    wdm_domain_map(domain, rows[i].perms,
						   RANGE(rows[i].mdl, rows[i].page,
							 rows[i].nr),
						   rows[i].logical),
				    rows[i].status);
		if (rows[i].logical)
			continue;
		KUNIT_EXPECT_STATUS(test,
				    wdm_domain_map_identity(domain, rows[i].perms,
							    RANGE(rows[i].mdl, rows[i].page,
								  rows[i].nr)),
				    rows[i].status);
	}
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&domain->mappings), 0);

	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, SZ_2K, 1),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, 0, 0),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, SZ_4K, U64_MAX),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, -SZ_4K, 2),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, 0, 1),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(mdl, 0, 11)),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(mdl, 0, 0)),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(mdl, 0, 10)),
			    STATUS_NOT_FOUND);
}

/* The limits of addresses, and of what an IOMMU can translate */
static void translate_aperture(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 10, 3);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	static const struct {
		u64 logical;
		bool fits;
	} rows[] = {
		{ 0, false }, { SZ_1M - 10 * SZ_4K, false },
		{ SZ_1M - SZ_4K, false }, { SZ_1M, true },
		{ SZ_1G - 10 * SZ_4K, true }, { SZ_1G - 9 * SZ_4K, false },
		{ SZ_1G, false }, { -10 * PAGE_SIZE, false },
	};
	struct fake_iommu *late;
	ntstatus_t status;
	unsigned int i;

	fake->domain.geometry.aperture_start = SZ_1M;
	fake->domain.geometry.aperture_end = SZ_1G - 1;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		status = wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 10),
					rows[i].logical);
		KUNIT_EXPECT_STATUS(test, status, rows[i].fits ?
				    STATUS_SUCCESS :
				    STATUS_CONFLICTING_ADDRESSES);
		KUNIT_EXPECT_EQ(test, fake->mapped, rows[i].fits ? 10 : 0);
		if (wdm_ok(status))
			KUNIT_EXPECT_STATUS(test,
					    wdm_domain_unmap(domain,
							     rows[i].logical,
							     10),
					    STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&domain->mappings), 0);
	fixture_disown(fake);

	/* Without a device everything can be mapped, but then no device can be attached. */
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].fits)
			continue;
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1),
						   rows[i].logical),
				    STATUS_SUCCESS);
		late = fixture_fake(fx, FAKE_PGSIZES_X86);
		late->domain.geometry = fake->domain.geometry;
		/* Pages just inside the window's limits fit. */
		status = fixture_adopt(domain, late);
		KUNIT_EXPECT_STATUS(test, status,
				    rows[i].logical >= SZ_1M &&
				    rows[i].logical < SZ_1G ? STATUS_SUCCESS :
				    STATUS_CONFLICTING_ADDRESSES);
		if (wdm_ok(status))
			fixture_disown(late);
		KUNIT_EXPECT_EQ(test, late->mapped, 0);
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_unmap(domain, rows[i].logical,
						     1),
				    STATUS_SUCCESS);
	}
}

/* Check that exactly the pages of an MDL are mapped at their own addresses. */
static void tr_check_identity(struct kunit *test, struct fake_iommu *fake,
			      const struct test_mdl *tm, u64 first, u64 nr)
{
	struct fake_page fp;
	phys_addr_t phys;
	u64 i;

	KUNIT_EXPECT_EQ(test, fake->mapped, nr);
	KUNIT_EXPECT_FALSE(test, fake_iommu_stale(fake));
	for (i = first; i < first + nr; i++) {
		phys = PFN_PHYS(tm->pfns[i]);
		KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake, phys, &fp));
		KUNIT_ASSERT_EQ(test, fp.iova, fp.phys);
	}
}

static void translate_identity(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 700, 300);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_AMD);
	unsigned int nr, failures = 0;
	ntstatus_t status;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	for (nr = 1; ; nr++) {
		fake_iommu_fail_map(fake, nr, true);
		status = wdm_domain_map_identity(domain, WDM_READ, RANGE(tm->mdl, 0, 700));
		fake_iommu_fail_map(fake, 0, false);
		if (wdm_ok(status))
			break;
		failures++;
		KUNIT_ASSERT_STATUS(test, status,
				    STATUS_INSUFFICIENT_RESOURCES);
		tr_check_identity(test, fake, tm, 0, 0);
		KUNIT_ASSERT_EQ(test, wdm_mappings_pages(&domain->mappings), 0);
	}
	KUNIT_EXPECT_GT(test, failures, 3);
	tr_check_identity(test, fake, tm, 0, 700);

	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_identity(domain, WDM_READ, RANGE(tm->mdl, 699, 1)),
			    STATUS_RESOURCE_IN_USE);
	/* Part of it, ending in the middle of large pages */
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(tm->mdl, 0, 333)),
			    STATUS_SUCCESS);
	tr_check_identity(test, fake, tm, 333, 367);
	/* Unmapping all of it fails as part is missing, and unmaps nothing. */
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(tm->mdl, 0, 700)),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_identity(domain, WDM_READ,
						    RANGE(tm->mdl, 300, 50)),
			    STATUS_RESOURCE_IN_USE);
	tr_check_identity(test, fake, tm, 333, 367);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(tm->mdl, 333, 367)),
			    STATUS_SUCCESS);
	tr_check_identity(test, fake, tm, 0, 0);
}

/* A map that fails at its second run leaves the pages to the MDL's creator. */
static void translate_identity_undo(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_AMD);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, 300, 512);
	/* Runs that are next to each other, which an IOMMU driver can sync together */
	u64 pfns[] = { tm->pfns[5], tm->pfns[4], tm->pfns[3], tm->pfns[2], tm->pfns[1],
		       tm->pfns[299] };
	struct test_mdl *once = fixture_mdl(fx, WDM_PERMS, pfns, ARRAY_SIZE(pfns));
	const struct wdm_mdl_range *all = RANGE(once->mdl, 0, ARRAY_SIZE(pfns));
	unsigned int syncs;

	fixture_mdl_once(once);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map_identity(domain, WDM_READ, RANGE(tm->mdl, 299, 1)),
			    STATUS_SUCCESS);
	syncs = fake->nr_sync;
	KUNIT_EXPECT_STATUS(test, wdm_domain_map_identity(domain, WDM_READ, all),
			    STATUS_RESOURCE_IN_USE);
	/* One for all runs */
	KUNIT_EXPECT_EQ(test, fake->nr_sync, syncs + 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&once->unmapped), 0);
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(once->mdl), 0);
	tr_check_identity(test, fake, tm, 299, 1);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_unmap_identity(domain, RANGE(tm->mdl, 299, 1)),
			    STATUS_SUCCESS);
}

/* Identity unmaps unmap only what is mapped at its own address. */
static void translate_not_identity(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, 4, 4);
	struct test_mdl *other = fixture_mdl_contiguous(fx, WDM_PERMS, 4, 4);
	u64 logical = PFN_PHYS(tm->pfns[0]);

	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(other->mdl, 0, 4),
					   logical),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(tm->mdl, 0, 4)),
			    STATUS_NOT_FOUND);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&domain->mappings), 4);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, logical, 4),
			    STATUS_SUCCESS);
	/* Mapped by Map, at the address of an identity map: accepted. */
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 4), logical),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(tm->mdl, 0, 4)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&domain->mappings), 0);
}

static struct kunit_case translate_cases[] = {
	KUNIT_CASE_PARAM(translate_random, tr_gen_params),
	KUNIT_CASE_PARAM(translate_rollback, tr_gen_params),
	KUNIT_CASE(translate_split),
	KUNIT_CASE(translate_parameters),
	KUNIT_CASE(translate_aperture),
	KUNIT_CASE(translate_identity),
	KUNIT_CASE(translate_identity_undo),
	KUNIT_CASE(translate_not_identity),
	{}
};

static struct kunit_suite translate_suite = {
	.name = "wdm_iommu_os_managed",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = translate_cases,
};

kunit_test_suite(translate_suite);
