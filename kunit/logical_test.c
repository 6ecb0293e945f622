// SPDX-License-Identifier: GPL-2.0
/*
 * Domains by type, their reserved regions, allocator and tokens.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "../module/core/create.h"
#include "../module/core/os/segment.h"
#include "../module/core/os/token.h"
#include "../module/core/policy.h"
#include "../module/core/quirks.h"
#include "support/fail_nth.h"
#include "support/fixture.h"

#define PAGES(n)	((u64)(n) << PAGE_SHIFT)

/* Reserved regions of the domains that are created below */
static const struct wdm_reserved_region logical_regions[] = {
	{ .iova = PAGES(4), .nr_pages = 4 },
	{ .iova = PAGES(32), .nr_pages = 1 },
};

static const struct wdm_reserved_region logical_unaligned[] = {
	{ .iova = PAGES(4) + 1, .nr_pages = 4 },
};

static const struct wdm_reserved_region logical_empty[] = {
	{ .iova = PAGES(4) },
};

static const struct wdm_reserved_region logical_wrapping[] = {
	{ .iova = PAGES(U64_MAX >> PAGE_SHIFT), .nr_pages = 2 },
};

static const struct wdm_reserved_region logical_huge[] = {
	{ .iova = PAGES(1), .nr_pages = U64_MAX },
};

static const struct wdm_reserved_region logical_overlapping[] = {
	{ .iova = PAGES(4), .nr_pages = 4 },
	{ .iova = PAGES(7), .nr_pages = 4 },
};

static const struct wdm_reserved_region logical_last[] = {
	{ .iova = PAGES(255), .nr_pages = 1 },
};

static const struct wdm_reserved_region logical_behind[] = {
	{ .iova = PAGES(255), .nr_pages = 2 },
};

static const struct wdm_reserved_region logical_nowhere[] = {
	{ .iova = PAGES(FIXTURE_NO_RAM_PFN << 20), .nr_pages = 1, .map = true },
};

struct logical_create_case {
	const char *name;
	struct wdm_domain_config config;
	ntstatus_t status;
};

static const struct logical_create_case logical_create_cases[] = {
	{ "Translate", { .type = WDM_TYPE_TRANSLATE }, STATUS_SUCCESS },
	{ "Unmanaged", { .type = WDM_TYPE_UNMANAGED }, STATUS_SUCCESS },
	{ "TranslateS1", { .type = WDM_TYPE_TRANSLATE_S1 },
	  WDM_HAS_PASID_DOMAINS ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED },
	{ "no type", { .type = WDM_TYPE_MAX }, STATUS_INVALID_PARAMETER_1 },
	{ "bad flags", { .type = WDM_TYPE_TRANSLATE, .flags = BIT(31) },
	  STATUS_INVALID_PARAMETER_2 },
	{ "width 12", { .type = WDM_TYPE_TRANSLATE, .width = 12 },
	  STATUS_INVALID_PARAMETER_3 },
	{ "width 13", { .type = WDM_TYPE_TRANSLATE, .width = 13 }, STATUS_SUCCESS },
	{ "width 63", { .type = WDM_TYPE_TRANSLATE, .width = 63 }, STATUS_SUCCESS },
	{ "width 64", { .type = WDM_TYPE_TRANSLATE, .width = 64 },
	  STATUS_INVALID_PARAMETER_3 },
	{ "Unmanaged, width", { .type = WDM_TYPE_UNMANAGED, .width = 20 },
	  STATUS_INVALID_PARAMETER_3 },
	{ "Unmanaged, regions",
	  { .type = WDM_TYPE_UNMANAGED,
	    .regions = logical_regions, .nr_regions = ARRAY_SIZE(logical_regions) },
	  STATUS_INVALID_PARAMETER_4 },
	{ "regions",
	  { .type = WDM_TYPE_TRANSLATE,
	    .regions = logical_regions, .nr_regions = ARRAY_SIZE(logical_regions) },
	  STATUS_SUCCESS },
	{ "unaligned",
	  { .type = WDM_TYPE_TRANSLATE,
	    .regions = logical_unaligned, .nr_regions = ARRAY_SIZE(logical_unaligned) },
	  STATUS_INVALID_PARAMETER_4 },
	{ "no pages",
	  { .type = WDM_TYPE_TRANSLATE,
	    .regions = logical_empty, .nr_regions = ARRAY_SIZE(logical_empty) },
	  STATUS_INVALID_PARAMETER_4 },
	{ "wraps",
	  { .type = WDM_TYPE_TRANSLATE,
	    .regions = logical_wrapping, .nr_regions = ARRAY_SIZE(logical_wrapping) },
	  STATUS_INVALID_PARAMETER_4 },
	{ "huge",
	  { .type = WDM_TYPE_TRANSLATE,
	    .regions = logical_huge, .nr_regions = ARRAY_SIZE(logical_huge) },
	  STATUS_INVALID_PARAMETER_4 },
	{ "overlap",
	  { .type = WDM_TYPE_TRANSLATE,
	    .regions = logical_overlapping, .nr_regions = ARRAY_SIZE(logical_overlapping) },
	  STATUS_INVALID_PARAMETER_4 },
	{ "last page",
	  { .type = WDM_TYPE_TRANSLATE, .width = 20,
	    .regions = logical_last, .nr_regions = ARRAY_SIZE(logical_last) },
	  STATUS_SUCCESS },
	{ "beyond the width",
	  { .type = WDM_TYPE_TRANSLATE, .width = 20,
	    .regions = logical_behind, .nr_regions = ARRAY_SIZE(logical_behind) },
	  STATUS_INVALID_PARAMETER_4 },
	{ "not memory",
	  { .type = WDM_TYPE_TRANSLATE,
	    .regions = logical_nowhere, .nr_regions = ARRAY_SIZE(logical_nowhere) },
	  STATUS_NOT_SUPPORTED },
	{ "too many", { .type = WDM_TYPE_TRANSLATE, .regions = logical_regions,
			.nr_regions = WDM_MAX_REGIONS + 1 },
	  STATUS_INVALID_PARAMETER_4 },
};

static void logical_create_name(const struct logical_create_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(logical_create, logical_create_cases, logical_create_name);

/* Whatever the status, a failure leaves nothing behind and writes nothing. */
static void logical_create(struct kunit *test)
{
	const struct logical_create_case *c = test->param_value;
	struct wdm_domain *none = (struct wdm_domain *)test, *domain = none;

	KUNIT_EXPECT_STATUS(test, wdm_domain_create(&c->config, &domain), c->status);
	if (domain == none)
		return;
	KUNIT_EXPECT_STATUS(test, c->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, domain->type, c->config.type);
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(domain), STATUS_SUCCESS);
}

static struct wdm_domain *logical_domain(struct kunit *test, unsigned int width)
{
	const struct wdm_domain_config config = {
		.type = WDM_TYPE_TRANSLATE,
		.width = width,
		.regions = logical_regions,
		.nr_regions = ARRAY_SIZE(logical_regions),
	};

	return fixture_domain_ex(FIXTURE(test), &config);
}

static ntstatus_t logical_map(struct wdm_domain *domain, struct test_mdl *tm,
			      u64 nr_pages, u64 *pgno)
{
	const struct wdm_limits limits = WDM_NO_LIMITS;
	ntstatus_t status;
	u64 iova;

	status = wdm_domain_map_alloc(domain, WDM_PERMS, RANGE(tm->mdl, 0, nr_pages), &limits,
				      &iova);
	if (wdm_ok(status))
		*pgno = iova >> PAGE_SHIFT;
	return status;
}

static ntstatus_t logical_map_within(struct wdm_domain *domain, struct test_mdl *tm,
				     u64 nr_pages, u64 min, u64 max, u64 *iova)
{
	const struct wdm_limits limits = { .min = min, .max = max, .given = true };

	return wdm_domain_map_alloc(domain, WDM_PERMS, RANGE(tm->mdl, 0, nr_pages), &limits,
				    iova);
}

/* The lowest addresses are allocated first; one is free again after its last page. */
static void logical_alloc_low(struct kunit *test)
{
	struct wdm_domain *domain = logical_domain(test, 20);
	struct fake_iommu *fake = fixture_fake(FIXTURE(test), FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_random(FIXTURE(test), WDM_PERMS, 300, 4);
	u64 a, b, c;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 1, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, 1);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 2, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, 2);
	/* Pages 4 to 7 are reserved. Pages added by rounding up are taken, but not mapped. */
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 3, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, 8);
	KUNIT_EXPECT_EQ(test, fake->mapped, 6);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, PAGES(8), 4),
			    STATUS_NOT_FOUND);

	/* Unmapping part of a block does not free it. */
	KUNIT_ASSERT_STATUS(test, wdm_domain_unmap(domain, PAGES(9), 2), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 1, &b), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, b, 12);
	KUNIT_ASSERT_STATUS(test, wdm_domain_unmap(domain, PAGES(8), 1), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 4, &c), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, c, 8);

	/* One unmap of three blocks, one of them in part, which stays taken */
	KUNIT_ASSERT_STATUS(test, wdm_domain_unmap(domain, PAGES(1), 3), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_domain_unmap(domain, PAGES(9), 4), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 1, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, 1);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 2, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, 2);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 1, &a), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a, 12);

	/* More than there is */
	KUNIT_EXPECT_STATUS(test, logical_map(domain, tm, 257, &a),
			    STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_STATUS(test, logical_map(domain, tm, 129, &a),
			    STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, a, 12);
}

static void logical_alloc_limits(struct kunit *test)
{
	struct wdm_domain *domain = logical_domain(test, 20);
	struct test_mdl *tm = fixture_mdl_random(FIXTURE(test), WDM_PERMS, 8, 4);
	u64 iova = 1;

	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 1, 2, 1, &iova),
			    STATUS_INVALID_PARAMETER_MIX);
	/* The limits apply to the first and the last byte. */
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 2, PAGES(16) + 1,
						     PAGES(20) - 2, &iova),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 2, PAGES(16) + 1,
						     PAGES(19), &iova),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_EQ(test, iova, 1);
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 2, PAGES(16) + 1,
						     PAGES(20) - 1, &iova),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, iova, PAGES(18));
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 1, 0, PAGE_SIZE - 1,
						     &iova),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 1, 0, PAGES(1) - 2,
						     &iova),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 1, 0, PAGES(2) - 1,
						     &iova),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, iova, PAGES(1));
	/* The space ends before the limit. */
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 4, PAGES(251), U64_MAX,
						     &iova),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, iova, PAGES(252));
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 4, PAGES(251), U64_MAX,
						     &iova),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_STATUS(test, logical_map_within(domain, tm, 4, U64_MAX, U64_MAX,
						     &iova),
			    STATUS_INVALID_PARAMETER_MIX);
}

/* Functions that only one kind of domain has */
static void logical_alloc_kinds(struct kunit *test)
{
	struct wdm_domain *with = logical_domain(test, 20);
	struct wdm_domain *without = logical_domain(test, 0);
	struct wdm_domain *caller = fixture_domain(FIXTURE(test), false, 0);
	struct test_mdl *tm = fixture_mdl_random(FIXTURE(test), WDM_PERMS, 8, 1);
	struct test_mdl *ro = fixture_mdl_random(FIXTURE(test), WDM_READ, 8, 1);
	const struct wdm_limits limits = WDM_NO_LIMITS;
	u64 iova = 1;

	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(with, WDM_PERMS, RANGE(tm->mdl, 0, 1), PAGES(8)),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_identity(with, WDM_PERMS, RANGE(tm->mdl, 0, 1)),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(with, RANGE(tm->mdl, 0, 1)),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_alloc(without, WDM_PERMS, RANGE(tm->mdl, 0, 1),
						 &limits, &iova),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_alloc(caller, WDM_PERMS, RANGE(tm->mdl, 0, 1),
						 &limits, &iova),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_alloc(with, 0, RANGE(tm->mdl, 0, 1), &limits,
						 &iova),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_alloc(with, WDM_SMALL | WDM_READ,
						 RANGE(tm->mdl, 0, 1), &limits, &iova),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_alloc(with, WDM_PERMS, RANGE(tm->mdl, 8, 1),
						 &limits, &iova),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_alloc(with, WDM_PERMS, RANGE(tm->mdl, 0, 0),
						 &limits, &iova),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_alloc(with, WDM_PERMS, RANGE(ro->mdl, 0, 1),
						 &limits, &iova),
			    STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_EQ(test, iova, 1);

	/* Reserved regions cannot be mapped over. */
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(without, WDM_PERMS, RANGE(tm->mdl, 0, 2),
					   PAGES(7)),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(without, WDM_PERMS, RANGE(tm->mdl, 0, 8),
					   PAGES(30)),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(without, WDM_PERMS, RANGE(tm->mdl, 0, 8),
					   PAGES(8)),
			    STATUS_SUCCESS);
}

/* Addresses that a device does not allow are not allocated. */
static void logical_alloc_allowed(struct kunit *test)
{
	struct wdm_domain *domain = logical_domain(test, 32);
	struct fake_iommu *fake = fixture_fake(FIXTURE(test), FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_random(FIXTURE(test), WDM_PERMS, 64, 4);
	u64 pgno;

	fake->domain.geometry.aperture_start = PAGES(40) + 1;
	fake->domain.geometry.aperture_end = PAGES(64) + 99;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 1, &pgno), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pgno, 41);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 16, &pgno), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pgno, 48);
	KUNIT_EXPECT_STATUS(test, logical_map(domain, tm, 16, &pgno),
			    STATUS_INSUFFICIENT_RESOURCES);
	fixture_disown(fake);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 16, &pgno), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pgno, 16);
}

/* A failed map frees its address, and does not write one. */
static void logical_alloc_fails(struct kunit *test)
{
	struct wdm_domain *domain = logical_domain(test, 20);
	struct fake_iommu *fake = fixture_fake(FIXTURE(test), FAKE_PGSIZES_4K);
	struct test_mdl *tm = fixture_mdl_random(FIXTURE(test), WDM_PERMS, 8, 1);
	u64 pgno = 99, nr = domain->space.nr;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	fake_iommu_fail_map(fake, 3, true);
	KUNIT_EXPECT_FALSE(test, wdm_ok(logical_map(domain, tm, 8, &pgno)));
	fake_iommu_fail_map(fake, 0, false);
	KUNIT_EXPECT_EQ(test, pgno, 99);
	KUNIT_EXPECT_EQ(test, fake->mapped, 0);
	KUNIT_EXPECT_EQ(test, domain->space.nr, nr);
	KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 8, &pgno), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pgno, 8);
}

#define LOGICAL_ROUNDS		1500
#define LOGICAL_MAPS		24

/* Random maps and unmaps: no two overlap, and nothing is lost. */
static void logical_alloc_random(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = logical_domain(test, 22);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 80, 40);
	struct { u64 pgno; u64 left; } maps[LOGICAL_MAPS] = { };
	u64 nr, pages = 0, blocks = domain->space.nr;
	ntstatus_t status;
	unsigned int i, round;

	for (round = 0; round < LOGICAL_ROUNDS; round++) {
		if (round == LOGICAL_ROUNDS / 3)
			KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake),
					    STATUS_SUCCESS);
		i = fixture_below(&fx->rng, LOGICAL_MAPS);
		if (!maps[i].left) {
			nr = 1 + fixture_below(&fx->rng, 80);
			status = logical_map(domain, tm, nr, &maps[i].pgno);
			if (status == STATUS_INSUFFICIENT_RESOURCES)
				continue;
			KUNIT_ASSERT_STATUS(test, status, STATUS_SUCCESS);
			KUNIT_ASSERT_EQ(test, maps[i].pgno % roundup_pow_of_two(nr), 0);
			maps[i].left = nr;
			pages += nr;
			blocks++;
		} else {
			nr = 1 + fixture_below(&fx->rng, maps[i].left);
			KUNIT_ASSERT_STATUS(test, wdm_domain_unmap(domain,
								   PAGES(maps[i].pgno),
								   nr),
					    STATUS_SUCCESS);
			maps[i].pgno += nr;
			maps[i].left -= nr;
			pages -= nr;
			blocks -= !maps[i].left;
		}
		KUNIT_ASSERT_EQ(test, wdm_mappings_pages(&domain->mappings), pages);
		KUNIT_ASSERT_EQ(test, domain->space.nr, blocks);
	}
}

/* A region of the test's own memory, mapped one to one */
static void logical_region_mapped(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 8, 1);
	u64 phys = virt_to_phys(fixture_memory(fx, 1));
	const struct wdm_reserved_region region = {
		.iova = phys, .nr_pages = 2, .map = true,
	};
	const struct wdm_domain_config config = {
		.type = WDM_TYPE_TRANSLATE, .regions = &region, .nr_regions = 1,
	};
	struct wdm_domain *domain = fixture_domain_ex(fx, &config);
	struct fake_page page;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake, phys + PAGE_SIZE, &page));
	KUNIT_EXPECT_EQ(test, page.phys, page.iova);
	KUNIT_EXPECT_EQ(test, page.prot & (IOMMU_READ | IOMMU_WRITE),
			IOMMU_READ | IOMMU_WRITE);
	KUNIT_EXPECT_EQ(test, fake->mapped, 2);

	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, phys, 1),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1),
					   phys - PAGE_SIZE),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, phys - PAGE_SIZE, 2),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_EQ(test, fake->mapped, 3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1), phys),
			    STATUS_RESOURCE_IN_USE);
}

/* PassThrough has all RAM mapped; maps succeed without effect. */
static void logical_pass_through(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	const struct wdm_domain_config config = { .type = WDM_TYPE_PASS_THROUGH };
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 8, 1);
	const struct wdm_limits limits = WDM_NO_LIMITS;
	u64 phys = virt_to_phys(fixture_memory(fx, 0)), iova = 0;
	bool allowed = wdm_policy_allows(WDM_POLICY_PASS_THROUGH);
	struct wdm_token *token;
	struct wdm_domain *domain;
	struct wdm_extent ext;
	struct fake_page page;
	u64 pfn;

	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
	KUNIT_EXPECT_STATUS(test, wdm_domain_create(&config, &domain),
			    STATUS_NOT_SUPPORTED);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);
	domain = fixture_domain_ex(fx, &config);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, allowed);
	KUNIT_ASSERT_TRUE(test, wdm_mappings_at(&domain->mappings, phys >> PAGE_SHIFT,
						&ext));
	wdm_pages_run(&ext.mdl->pages, ext.mdl_page, 1, &pfn);
	KUNIT_EXPECT_EQ(test, pfn, ext.pgno);
	KUNIT_EXPECT_EQ(test, ext.perms, WDM_PERMS);

	/* debug_pagealloc of the IOMMU core would report each of them. */
	if (!IS_ENABLED(CONFIG_IOMMU_DEBUG_PAGEALLOC)) {
		KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
		KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake, phys, &page));
		KUNIT_EXPECT_EQ(test, page.phys, page.iova);
		/* Large pages reduce their number. */
		KUNIT_EXPECT_GT(test, fake->mapped, 64 * fake->nr_map);
	}

	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_identity(domain, WDM_READ, RANGE(tm->mdl, 0, 1)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap_identity(domain, RANGE(tm->mdl, 0, 1)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_map_identity(domain, 0, RANGE(tm->mdl, 0, 1)),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_identity(domain, WDM_READ, RANGE(tm->mdl, 8, 1)),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1), 0),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map_alloc(domain, WDM_READ, RANGE(tm->mdl, 0, 1),
						 &limits, &iova),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, phys, 1),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(domain, PAGE_SIZE, &iova, &limits,
						   &token),
			    STATUS_INVALID_PARAMETER_1);
}

static struct wdm_token *logical_token(struct kunit *test, struct wdm_domain *domain,
				       u64 nr_pages, u64 pgno)
{
	const struct wdm_limits limits = WDM_NO_LIMITS;
	struct wdm_token *token = NULL;
	u64 iova = PAGES(pgno);

	KUNIT_ASSERT_STATUS(test,
			    wdm_token_create(domain, PAGES(nr_pages),
					     domain->space.width ? NULL : &iova, &limits,
					     &token),
			    STATUS_SUCCESS);
	return token;
}

static void logical_token_statuses(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *with = logical_domain(test, 20);
	struct wdm_domain *without = logical_domain(test, 0);
	struct wdm_domain *caller = fixture_domain(fx, false, 0);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 8, 1);
	struct wdm_token *none = (struct wdm_token *)test, *token = none, *other;
	const struct wdm_limits limits = WDM_NO_LIMITS, few = {
		.min = PAGES(4), .max = PAGES(8) - 1, .given = true,
	}, crossed = { .min = 2, .max = 1, .given = true };
	u64 iova = PAGES(64), bad = PAGES(64) + 8, resv = PAGES(6), top = PAGES(BIT_ULL(48));
	u64 last = PAGES(U64_MAX >> PAGE_SHIFT);

	KUNIT_ASSERT_STATUS(test, fixture_adopt(without, fake), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(caller, PAGE_SIZE, &iova, &limits, &token),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, 0, &iova, &limits, &token),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, PAGE_SIZE + 1, &iova, &limits,
						   &token),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, PAGE_SIZE, NULL, &limits, &token),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(with, PAGE_SIZE, &iova, &limits, &token),
			    STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, PAGE_SIZE, &bad, &limits, &token),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, PAGES(2), &last, &limits, &token),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(with, PAGE_SIZE, NULL, &crossed, &token),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(with, PAGE_SIZE, NULL, &few, &token),
			    STATUS_INVALID_PARAMETER_MIX);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(with, PAGES(256), NULL, &limits, &token),
			    STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(with, PAGES(BIT_ULL(50)), NULL, &limits,
						   &token),
			    STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, PAGES(4), &resv, &limits, &token),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, PAGES(4), &top, &limits, &token),
			    STATUS_CONFLICTING_ADDRESSES);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(without, WDM_READ, RANGE(tm->mdl, 0, 1),
					   PAGES(67)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, PAGES(4), &iova, &limits, &token),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_PTR_EQ(test, token, none);

	token = logical_token(test, without, 3, 64);
	KUNIT_EXPECT_EQ(test, wdm_token_iova(token), iova);
	/* Nothing else can be mapped or reserved there. */
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(without, WDM_READ, RANGE(tm->mdl, 0, 1),
					   PAGES(66)),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(without, PAGES(1), &iova, &limits, &other),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(without, PAGES(66), 2),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(without, WDM_READ, RANGE(tm->mdl, 0, 1),
					   PAGES(66)),
			    STATUS_SUCCESS);

	/* The allocator's lowest addresses, which nothing else can get */
	token = logical_token(test, with, 3, 0);
	KUNIT_EXPECT_EQ(test, wdm_token_iova(token), PAGES(8));
	other = logical_token(test, with, 1, 0);
	KUNIT_EXPECT_EQ(test, wdm_token_iova(other), PAGES(1));
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(other), STATUS_SUCCESS);
}

/* A domain cannot be deleted between the two steps of freeing its token, which still uses it. */
static void logical_token_keeps_domain(struct kunit *test)
{
	const struct wdm_domain_config config = {
		.type = WDM_TYPE_TRANSLATE,
		.flags = WDM_DOMAIN_KERNEL,
	};
	struct wdm_domain *domain;
	struct wdm_token *token;

	KUNIT_ASSERT_STATUS(test, wdm_domain_create(&config, &domain), STATUS_SUCCESS);
	token = logical_token(test, domain, 3, 64);
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(domain), STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_token_retire(token), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(domain), STATUS_RESOURCE_IN_USE);
	wdm_token_free(token);
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(domain), STATUS_SUCCESS);
}

/**
 * struct logical_delete - a thread that deletes a domain
 * @domain: the domain
 * @status: what it got
 * @done: it has ended
 */
struct logical_delete {
	struct wdm_domain *domain;
	ntstatus_t status;
	struct completion done;
};

static int logical_delete_thread(void *data)
{
	struct logical_delete *t = data;

	t->status = wdm_domain_delete(t->domain);
	complete(&t->done);
	return 0;
}

/* A domain that has a token is in use, and does not wait for calls on the token to say so. */
static void logical_token_in_use(struct kunit *test)
{
	struct logical_delete *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct wdm_token *token;
	struct wdm_range range;
	bool in_time;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->domain = logical_domain(test, 0);
	init_completion(&t->done);
	token = logical_token(test, t->domain, 3, 64);
	KUNIT_ASSERT_STATUS(test, wdm_range_lock(&t->domain->ranges, &range, 64, 66, false),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(logical_delete_thread, t,
						    "wdm_delete")));
	in_time = fixture_wait(test, &t->done);
	wdm_range_unlock(&t->domain->ranges, &range);
	/* If it has waited after all, it ends now. */
	if (!in_time)
		fixture_wait(test, &t->done);
	KUNIT_EXPECT_STATUS(test, t->status, STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
}

static ntstatus_t logical_segment(struct wdm_token *token, struct test_mdl *tm, u64 page,
				  u64 nr_pages)
{
	return wdm_token_map(token, PAGES(page), WDM_PERMS, RANGE(tm->mdl, 0, nr_pages));
}

static void logical_token_arguments(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = logical_domain(test, 0);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, 16, 16);
	struct test_mdl *ro = fixture_mdl_random(fx, WDM_READ, 16, 1);
	struct wdm_token *token = logical_token(test, domain, 10, 120);

	KUNIT_EXPECT_STATUS(test, wdm_token_map(token, 1, WDM_READ, RANGE(tm->mdl, 0, 1)),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, logical_segment(token, tm, 10, 1),
			    STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_STATUS(test, wdm_token_map(token, 0, 0, RANGE(tm->mdl, 0, 1)),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test,
			    wdm_token_map(token, 0, WDM_SMALL | WDM_READ,
					  RANGE(tm->mdl, 0, 1)),
			    STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_STATUS(test, wdm_token_map(token, 0, WDM_READ, RANGE(tm->mdl, 16, 1)),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, logical_segment(token, tm, 0, 0),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, logical_segment(token, tm, 9, 2),
			    STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_STATUS(test, logical_segment(token, ro, 0, 1), STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
}

/* A token with segments of pages 2 to 4 and 5 to 6 */
static struct wdm_token *logical_two_segments(struct kunit *test, struct wdm_domain *domain,
					      struct test_mdl *tm)
{
	struct wdm_token *token = logical_token(test, domain, 10, 120);

	KUNIT_ASSERT_STATUS(test, logical_segment(token, tm, 2, 3), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, logical_segment(token, tm, 5, 2), STATUS_SUCCESS);
	return token;
}

static void logical_token_segments(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = logical_domain(test, 0);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, 16, 16);
	/* The first page and the length of what is not a segment, in bytes */
	static const u64 none[][2] = {
		{ PAGES(2), PAGES(2) }, { PAGES(3), PAGES(2) }, { PAGES(2), PAGES(5) },
		{ PAGES(2), PAGES(3) + 1 }, { PAGES(2), 0 }, { PAGES(0), PAGES(1) },
		{ PAGES(10), PAGES(1) },
	};
	struct wdm_token *token;
	struct fake_page page;
	unsigned int i;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	token = logical_two_segments(test, domain, tm);
	KUNIT_EXPECT_EQ(test, fake->mapped, 5);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake, PAGES(123), &page));
	KUNIT_EXPECT_EQ(test, page.phys, PAGES(tm->pfns[1]));
	KUNIT_EXPECT_STATUS(test, logical_segment(token, tm, 0, 3),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, logical_segment(token, tm, 6, 1),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, PAGES(122), 1),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_RESOURCE_IN_USE);

	for (i = 0; i < ARRAY_SIZE(none); i++)
		KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, none[i][0], none[i][1]),
				    STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, fake->mapped, 5);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, PAGES(2), PAGES(3)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, PAGES(2), PAGES(3)),
			    STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, fake->mapped, 2);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, PAGES(5), PAGES(2)),
			    STATUS_SUCCESS);
	fixture_disown(fake);
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(domain), STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
}

/* A hwpt that is added gets the mappings. A device that does not allow them is refused. */
static void logical_token_attach(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = logical_domain(test, 0);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, 16, 16);
	struct wdm_token *token = logical_two_segments(test, domain, tm);

	fake->domain.geometry.aperture_end = PAGES(128) - 1;
	KUNIT_EXPECT_STATUS(test, fixture_adopt(domain, fake),
			    STATUS_CONFLICTING_ADDRESSES);
	fake->domain.geometry.aperture_end = PAGES(130) - 1;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, 5);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, PAGES(5), PAGES(2)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, PAGES(2), PAGES(3)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, 0);
	fixture_disown(fake);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
}

static bool logical_uses(struct wdm_domain *domain, u64 pgno, u64 last_pgno)
{
	u64 iova = PAGES(pgno), last_iova = PAGES(last_pgno + 1) - 1;
	unsigned long flags;
	ntstatus_t status;

	if (!domain->atomic)
		return !wdm_ok(domain->ops->check_unused(domain, iova, last_iova, NULL));
	spin_lock_irqsave(&domain->lock, flags);
	status = domain->ops->check_unused(domain, iova, last_iova, NULL);
	spin_unlock_irqrestore(&domain->lock, flags);
	return !wdm_ok(status);
}

#define LOGICAL_TOKENS	8

/* Check all ranges of 256 pages with random tokens, and maps of which a part is unmapped. */
static void logical_check_uses(struct kunit *test, unsigned int width, u32 flags)
{
	const struct wdm_domain_config config = {
		.type = WDM_TYPE_TRANSLATE, .width = width, .flags = flags,
		.regions = logical_regions,
		.nr_regions = ARRAY_SIZE(logical_regions),
	};
	const struct wdm_limits limits = WDM_NO_LIMITS;
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain_ex(fx, &config);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 8, 4);
	struct wdm_token *tokens[LOGICAL_TOKENS];
	bool used[256] = { }, uses;
	unsigned int i, nr = 0;
	u64 nr_pages, iova, pgno, first, last;

	for (i = 0; i < 40 && nr < LOGICAL_TOKENS; i++) {
		nr_pages = 1 + fixture_below(&fx->rng, 7);
		iova = PAGES(1 + fixture_below(&fx->rng, 247));
		if (wdm_ok(wdm_token_create(domain, PAGES(nr_pages), width ? NULL : &iova,
					    &limits, &tokens[nr]))) {
			pgno = wdm_token_first(tokens[nr++]);
			memset(&used[pgno], true, nr_pages);
		}
		nr_pages = 1 + fixture_below(&fx->rng, 7);
		pgno = 1 + fixture_below(&fx->rng, 247);
		if (!wdm_ok(width ? logical_map(domain, tm, nr_pages, &pgno) :
			    wdm_domain_map(domain, WDM_PERMS, RANGE(tm->mdl, 0, nr_pages),
					   PAGES(pgno))))
			continue;
		first = fixture_below(&fx->rng, nr_pages);
		memset(&used[pgno], true, nr_pages);
		used[pgno + first] = false;
		KUNIT_ASSERT_STATUS(test, wdm_domain_unmap(domain, PAGES(pgno + first), 1),
				    STATUS_SUCCESS);
	}
	for (first = 0; first < ARRAY_SIZE(used); first++) {
		uses = false;
		for (last = first; last < ARRAY_SIZE(used); last++) {
			uses |= used[last];
			KUNIT_ASSERT_EQ_MSG(test, logical_uses(domain, first, last), uses,
					    "pages %llu to %llu", first, last);
		}
	}
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_STATUS(test, wdm_token_delete(tokens[i]), STATUS_SUCCESS);
}

static void logical_uses_random(struct kunit *test)
{
	unsigned int round;

	for (round = 0; round < 4; round++) {
		logical_check_uses(test, 0, 0);
		logical_check_uses(test, 20, 0);
		logical_check_uses(test, 0, WDM_DOMAIN_KERNEL);
		logical_check_uses(test, 20, WDM_DOMAIN_KERNEL);
	}
}

/* An attach searches many tokens and allocated pages in a few steps. */
static void logical_uses_steps(struct kunit *test)
{
	const struct wdm_domain_config config = { .type = WDM_TYPE_TRANSLATE, .width = 40 };
	const u64 nr = 4096, top = BIT_ULL(20);
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain_ex(fx, &config);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 1, 1);
	struct wdm_token **tokens = kunit_kcalloc(test, nr, sizeof(*tokens), GFP_KERNEL);
	u64 i, pgno, steps;

	KUNIT_ASSERT_NOT_NULL(test, tokens);
	for (i = 0; i < nr; i++) {
		tokens[i] = logical_token(test, domain, 1, 0);
		KUNIT_ASSERT_STATUS(test, logical_map(domain, tm, 1, &pgno), STATUS_SUCCESS);
	}
	steps = domain->space.steps;
	KUNIT_EXPECT_FALSE(test, logical_uses(domain, 0, 0));
	KUNIT_EXPECT_TRUE(test, logical_uses(domain, nr, nr));
	KUNIT_EXPECT_TRUE(test, logical_uses(domain, 0, U64_MAX >> PAGE_SHIFT));
	KUNIT_EXPECT_FALSE(test, logical_uses(domain, top, U64_MAX >> PAGE_SHIFT));
	steps = domain->space.steps - steps;
	KUNIT_EXPECT_GT(test, steps, 0);
	KUNIT_EXPECT_LT(test, steps, 100);
	for (i = 0; i < nr; i++)
		KUNIT_EXPECT_STATUS(test, wdm_token_delete(tokens[i]), STATUS_SUCCESS);
}

/* A failed map leaves nothing behind, and the segment can be mapped again. */
static void logical_token_undo(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = logical_domain(test, 20);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_4K);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 16, 1);
	struct wdm_token *token;
	u64 uses = wdm_mdl_uses(tm->mdl);

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	token = logical_token(test, domain, 16, 0);
	fake_iommu_fail_map(fake, 5, true);
	KUNIT_EXPECT_FALSE(test, wdm_ok(logical_segment(token, tm, 0, 16)));
	fake_iommu_fail_map(fake, 0, false);
	KUNIT_EXPECT_EQ(test, fake->mapped, 0);
	KUNIT_EXPECT_EQ(test, wdm_mdl_uses(tm->mdl), uses);
	KUNIT_EXPECT_STATUS(test, logical_segment(token, tm, 0, 16), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, 0, PAGES(16)), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
}

/*
 * A segment that cannot be mapped after its first steps leaves the pages to the MDL's creator.
 * One that was mapped gives them back.
 */
static void logical_token_undo_once(struct kunit *test)
{
	const u64 nr_pages = 4 * WDM_TABLE_PART + 5;
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = logical_domain(test, 0);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, nr_pages, 512);
	struct wdm_token *token;
	unsigned int step;

	fixture_mdl_once(tm);
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	token = logical_token(test, domain, nr_pages, 300);
	for (step = 1; step <= 5; step++) {
		fake_iommu_fail_map(fake, step, true);
		KUNIT_EXPECT_STATUS(test, logical_segment(token, tm, 0, nr_pages),
				    STATUS_INSUFFICIENT_RESOURCES);
		fake_iommu_fail_map(fake, 0, false);
		KUNIT_EXPECT_EQ(test, atomic64_read(&tm->unmapped), 0);
		KUNIT_EXPECT_EQ(test, wdm_mdl_uses(tm->mdl), 0);
		KUNIT_EXPECT_EQ(test, fake->mapped, 0);
		KUNIT_EXPECT_FALSE(test, fake_iommu_stale(fake));
		KUNIT_EXPECT_EQ(test, wdm_mappings_pages(&domain->mappings), 0);
	}
	KUNIT_EXPECT_STATUS(test, logical_segment(token, tm, 0, nr_pages), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, nr_pages);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, 0, PAGES(nr_pages)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic64_read(&tm->unmapped), nr_pages);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
}

/* Pages of a token and its neighbours, from one run of an MDL, with and without large pages */
static void logical_token_neighbours(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = logical_domain(test, 0);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_AMD);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, 1024, 1024);
	struct wdm_token *token;

	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	token = logical_token(test, domain, 512, 1024 + 256);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_PERMS, RANGE(tm->mdl, 0, 256),
					   PAGES(1024)),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_PERMS, RANGE(tm->mdl, 768, 256),
					   PAGES(1024 + 768)),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test,
			    wdm_token_map(token, 0, WDM_PERMS, RANGE(tm->mdl, 256, 300)),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test,
			    wdm_token_map(token, PAGES(300), WDM_PERMS,
					  RANGE(tm->mdl, 556, 212)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, 1024);
	/* Splits do not affect the token, nor the token its neighbours. */
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, PAGES(1024 + 255), 1),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, PAGES(1024 + 768), 1),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, 0, PAGES(300)), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake->mapped, 1024 - 302);
	KUNIT_EXPECT_STATUS(test, wdm_token_unmap(token, PAGES(300), PAGES(212)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
}

/* A step of an attach, which may disable interrupts, does not search all of a token. */
static void logical_token_fill(struct kunit *test)
{
	static const u32 flags[] = { 0, WDM_DOMAIN_KERNEL };
	const u64 nr_pages = SZ_1G >> PAGE_SHIFT, first = BIT_ULL(20);
	struct fixture *fx = FIXTURE(test);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 1, 1);
	unsigned int i, steps, found;
	struct wdm_mapping map;
	struct wdm_domain *domain;
	struct fake_iommu *fake;
	struct wdm_token *token;
	struct fake_page page;
	u64 pgno;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		domain = fixture_domain(fx, true, flags[i]);
		token = logical_token(test, domain, nr_pages, first);
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1),
						   PAGES(first + nr_pages)),
				    STATUS_SUCCESS);
		pgno = 0;
		found = 0;
		for (steps = 0; wdm_ok(domain->ops->next(domain, pgno, false, NULL, &map));
		     steps++) {
			pgno = (map.iova >> PAGE_SHIFT) + map.nr_pages;
			found += map.nr_pages;
		}
		KUNIT_EXPECT_EQ(test, found, 1);
		KUNIT_EXPECT_EQ(test, pgno, first + nr_pages + 1);
		KUNIT_EXPECT_GE(test, steps, nr_pages / WDM_REGION_PAGES / 128);

		fake = fixture_fake(fx, FAKE_PGSIZES_X86);
		KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
		KUNIT_EXPECT_TRUE(test,
				  fake_iommu_at(fake, PAGES(first + nr_pages), &page));
		fixture_disown(fake);
		KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
	}
}

/* A program's tokens and regions are limited by its budget. */
static void logical_budget(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	const struct wdm_limits limits = WDM_NO_LIMITS;
	struct wdm_budget *budget = fixture_budget(fx, 0);
	struct wdm_domain_config config = {
		.type = WDM_TYPE_TRANSLATE, .width = 48, .budget = budget,
		.regions = logical_regions,
		.nr_regions = ARRAY_SIZE(logical_regions),
	};
	struct wdm_domain *domain;
	struct wdm_token *token;
	u64 used;

	KUNIT_ASSERT_STATUS(test, wdm_domain_create(&config, &domain), STATUS_SUCCESS);
	used = atomic64_read(&budget->used);
	KUNIT_EXPECT_GT(test, used, 0);
	KUNIT_EXPECT_STATUS(test, wdm_token_create(domain, SZ_1G, NULL, &limits, &token),
			    STATUS_WORKING_SET_QUOTA);
	KUNIT_EXPECT_EQ(test, atomic64_read(&budget->used), used);
	token = logical_token(test, domain, 100, 0);
	KUNIT_EXPECT_GT(test, atomic64_read(&budget->used), used);
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
	/* A node may stay, to be reused. */
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(domain), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic64_read(&budget->used), 0);
}

#define LOGICAL_TOKEN_PAGES	1500

/* An address for which the IOMMU has no page table */
#define LOGICAL_FAR		BIT_ULL(38)

/* Check whether the allocations of an IOMMU's page tables can be made to fail. */
static bool logical_tables_may_fail(struct iommu_domain *domain, u64 phys)
{
	bool failed;
	int ret;

	memory_fail_nth(1);
	ret = iommu_map(domain, LOGICAL_FAR, phys, PAGE_SIZE, IOMMU_READ, GFP_KERNEL);
	failed = memory_failed();
	if (!ret)
		iommu_unmap(domain, LOGICAL_FAR, PAGE_SIZE);
	return failed && ret;
}

/* Get an iommu_domain of a driver that keeps its tables; NULL if no device has one. */
static struct iommu_domain *logical_real_iommu(struct pci_dev **pdev)
{
	struct iommu_domain *domain;

	while ((*pdev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, *pdev))) {
		if (!device_iommu_mapped(&(*pdev)->dev) ||
		    wdm_quirk_unmaps_exact(&(*pdev)->dev))
			continue;
		domain = iommu_paging_domain_alloc(&(*pdev)->dev);
		if (!IS_ERR(domain))
			return domain;
	}
	return NULL;
}

/*
 * With a real driver: no map in a token needs memory, neither after the token was created
 * nor after its pages were unmapped.
 */
static void logical_token_no_memory(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = logical_domain(test, 0);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, LOGICAL_TOKEN_PAGES,
						     512);
	u64 phys = virt_to_phys(fixture_memory(fx, 0));
	struct pci_dev *pdev = NULL;
	struct iommu_domain *real;
	struct wdm_token *token;
	ntstatus_t status;
	unsigned int i;
	bool failed;

	memory_may_fail(test);
	real = logical_real_iommu(&pdev);
	if (!real)
		kunit_skip(test, "no device has an IOMMU that keeps its tables");
	if (!logical_tables_may_fail(real, phys)) {
		iommu_domain_free(real);
		pci_dev_put(pdev);
		kunit_skip(test, "fail_page_alloc spares the tables of an IOMMU");
	}
	status = fixture_adopt_domain(domain, real);
	KUNIT_ASSERT_STATUS(test, status, STATUS_SUCCESS);

	/* In the middle of one table, and across the next ones */
	token = logical_token(test, domain, LOGICAL_TOKEN_PAGES, 8 * 512 + 300);
	for (i = 0; i < 3; i++) {
		memory_fail_nth(1);
		status = wdm_token_map(token, 0, WDM_PERMS,
				       RANGE(tm->mdl, 0, LOGICAL_TOKEN_PAGES));
		failed = memory_failed();
		KUNIT_EXPECT_STATUS(test, status, STATUS_SUCCESS);
		KUNIT_EXPECT_FALSE(test, failed);
		if (!wdm_ok(status))
			break;
		memory_fail_nth(1);
		status = wdm_token_unmap(token, 0, PAGES(LOGICAL_TOKEN_PAGES));
		failed = memory_failed();
		KUNIT_EXPECT_STATUS(test, status, STATUS_SUCCESS);
		KUNIT_EXPECT_FALSE(test, failed);
	}
	KUNIT_EXPECT_STATUS(test, wdm_token_delete(token), STATUS_SUCCESS);
	fixture_disown_domain(domain, real);
	pci_dev_put(pdev);
}

static struct kunit_case logical_cases[] = {
	KUNIT_CASE_PARAM(logical_create, logical_create_gen_params),
	KUNIT_CASE(logical_alloc_low),
	KUNIT_CASE(logical_alloc_limits),
	KUNIT_CASE(logical_alloc_kinds),
	KUNIT_CASE(logical_alloc_allowed),
	KUNIT_CASE(logical_alloc_fails),
	KUNIT_CASE(logical_alloc_random),
	KUNIT_CASE(logical_region_mapped),
	KUNIT_CASE(logical_pass_through),
	KUNIT_CASE(logical_token_statuses),
	KUNIT_CASE(logical_token_keeps_domain),
	KUNIT_CASE(logical_token_in_use),
	KUNIT_CASE(logical_token_arguments),
	KUNIT_CASE(logical_token_segments),
	KUNIT_CASE(logical_token_attach),
	KUNIT_CASE_SLOW(logical_uses_random),
	KUNIT_CASE_SLOW(logical_uses_steps),
	KUNIT_CASE(logical_token_undo),
	KUNIT_CASE(logical_token_undo_once),
	KUNIT_CASE(logical_token_neighbours),
	KUNIT_CASE_SLOW(logical_token_fill),
	KUNIT_CASE(logical_budget),
	KUNIT_CASE(logical_token_no_memory),
	{}
};

static struct kunit_suite logical_suite = {
	.name = "wdm_iommu_logical",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = logical_cases,
};

kunit_test_suite(logical_suite);
