// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of all suites.
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/stringhash.h>

#include "../../module/core/join.h"
#include "../../module/core/owner.h"
#include "../../module/core/quirks.h"
#include "fixture.h"

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Where random numbers start; 0: somewhere else each time");

/* The module frees an MDL by its address alone, so find its test here. */
struct fixture_mdl_box {
	struct wdm_mdl mdl;
	struct test_mdl *owner;
};

struct fixture_domain {
	struct wdm_domain *domain;
	struct list_head node;
};

struct fixture_memory {
	void *memory;
	unsigned int order;
	struct list_head node;
};

/**
 * fixture_seed() - Seed the random numbers of a test
 * @test: the test
 * @rng: its generator
 *
 * The seed of each test is independent of the tests before it.
 */
void fixture_seed(struct kunit *test, struct rnd_state *rng)
{
	while (!seed)
		seed = get_random_u32();
	kunit_info(test, "seed=%lu", seed);
	prandom_seed_state(rng, seed ^ full_name_hash(NULL, test->name,
						      strlen(test->name)));
}

u64 fixture_random(struct rnd_state *rng)
{
	return (u64)prandom_u32_state(rng) << 32 | prandom_u32_state(rng);
}

u64 fixture_below(struct rnd_state *rng, u64 n)
{
	return fixture_random(rng) % n;
}

bool fixture_once_in(struct rnd_state *rng, u64 n)
{
	return !fixture_below(rng, n);
}

u32 fixture_perms(struct rnd_state *rng)
{
	return 1 + fixture_below(rng, WDM_PERMS);
}

int fixture_init(struct kunit *test)
{
	struct fixture *fx = kunit_kzalloc(test, sizeof(*fx), GFP_KERNEL);

	if (!fx)
		return -ENOMEM;
	fx->test = test;
	fx->next_pfn = FIXTURE_NO_RAM_PFN;
	INIT_LIST_HEAD(&fx->mdls);
	INIT_LIST_HEAD(&fx->domains);
	INIT_LIST_HEAD(&fx->fakes);
	INIT_LIST_HEAD(&fx->memory);
	fixture_seed(test, &fx->rng);
	test->priv = fx;
	return 0;
}

static void fixture_mdl_free(struct wdm_mdl *mdl)
{
	struct fixture_mdl_box *box = container_of(mdl, struct fixture_mdl_box,
						   mdl);
	struct test_mdl *tm = box->owner;
	struct fake_iommu *fake;
	u64 i;

	/* No translation to its pages may exist, not even a stale one. */
	list_for_each_entry(fake, &tm->fixture->fakes, node)
		for (i = 0; i < tm->nr_pages; i++)
			if (fake_iommu_reaches(fake, PFN_PHYS(tm->pfns[i])))
				fake->reached_freed++;

	tm->freed++;
	tm->mdl = NULL;
	kfree(box);
}

static const struct wdm_mdl_ops fixture_mdl_ops = {
	.free = fixture_mdl_free,
};

static void fixture_mdl_unmapped(struct wdm_mdl *mdl, u64 page, u64 nr_pages)
{
	struct fixture_mdl_box *box = container_of(mdl, struct fixture_mdl_box,
						   mdl);

	atomic64_add(nr_pages, &box->owner->unmapped);
}

static const struct wdm_mdl_ops fixture_once_ops = {
	.free = fixture_mdl_free,
	.unmapped = fixture_mdl_unmapped,
};

void fixture_mdl_once(struct test_mdl *tm)
{
	tm->mdl->ops = &fixture_once_ops;
}

struct test_mdl *fixture_mdl(struct fixture *fx, u32 access, const u64 *pfns,
			     u64 nr_pages)
{
	struct kunit *test = fx->test;
	struct fixture_mdl_box *box;
	struct wdm_pages pages = { };
	struct test_mdl *tm;
	u64 i;

	tm = kunit_kzalloc(test, sizeof(*tm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tm);
	tm->pfns = kunit_kmalloc_array(test, nr_pages, sizeof(u64), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tm->pfns);
	pages.runs = kunit_kmalloc_array(test, nr_pages, sizeof(*pages.runs),
					 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pages.runs);
	tm->fixture = fx;
	tm->nr_pages = nr_pages;
	memcpy(tm->pfns, pfns, nr_pages * sizeof(u64));
	for (i = 0; i < nr_pages; i++)
		wdm_pages_add(&pages, pfns[i], 1);

	box = kzalloc(sizeof(*box), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, box);
	box->owner = tm;
	wdm_mdl_init(&box->mdl, &fixture_mdl_ops, access, &pages);
	tm->mdl = &box->mdl;
	list_add(&tm->node, &fx->mdls);
	return tm;
}

struct test_mdl *fixture_mdl_random(struct fixture *fx, u32 access,
				    u64 nr_pages, u64 max_run)
{
	u64 *pfns = kunit_kmalloc_array(fx->test, nr_pages, sizeof(*pfns),
					GFP_KERNEL);
	u64 i, left = 0;

	KUNIT_ASSERT_NOT_NULL(fx->test, pfns);
	for (i = 0; i < nr_pages; i++) {
		if (!left) {
			left = 1 + fixture_below(&fx->rng, max_run);
			fx->next_pfn += 1 + fixture_below(&fx->rng, 32);
		}
		pfns[i] = fx->next_pfn++;
		left--;
	}
	return fixture_mdl(fx, access, pfns, nr_pages);
}

struct test_mdl *fixture_mdl_contiguous(struct fixture *fx, u32 access,
					u64 nr_pages, u64 align)
{
	u64 *pfns = kunit_kmalloc_array(fx->test, nr_pages, sizeof(*pfns),
					GFP_KERNEL);
	u64 i;

	KUNIT_ASSERT_NOT_NULL(fx->test, pfns);
	fx->next_pfn = roundup(fx->next_pfn + 1, align);
	for (i = 0; i < nr_pages; i++)
		pfns[i] = fx->next_pfn++;
	return fixture_mdl(fx, access, pfns, nr_pages);
}

void *fixture_memory(struct fixture *fx, unsigned int order)
{
	struct fixture_memory *mem = kunit_kzalloc(fx->test, sizeof(*mem),
						   GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(fx->test, mem);
	mem->order = order;
	mem->memory = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, order);
	KUNIT_ASSERT_NOT_NULL(fx->test, mem->memory);
	list_add(&mem->node, &fx->memory);
	return mem->memory;
}

struct test_mdl *fixture_mdl_of(struct fixture *fx, u32 access, void *memory,
				u64 nr_pages)
{
	u64 *pfns = kunit_kmalloc_array(fx->test, nr_pages, sizeof(*pfns),
					GFP_KERNEL);
	u64 i;

	KUNIT_ASSERT_NOT_NULL(fx->test, pfns);
	for (i = 0; i < nr_pages; i++)
		pfns[i] = page_to_pfn(virt_to_page(memory)) + i;
	return fixture_mdl(fx, access, pfns, nr_pages);
}

void fixture_mdl_put(struct test_mdl *tm)
{
	tm->put = true;
	wdm_mdl_put(tm->mdl);
}

struct test_mdl *fixture_mdl_find(struct fixture *fx,
				  const struct wdm_mdl *mdl)
{
	struct test_mdl *tm;

	list_for_each_entry(tm, &fx->mdls, node)
		if (tm->mdl == mdl)
			return tm;
	return NULL;
}

u64 fixture_mdl_pfn(struct fixture *fx, const struct wdm_mdl *mdl, u64 page)
{
	return fixture_mdl_find(fx, mdl)->pfns[page];
}

struct wdm_budget *fixture_budget(struct fixture *fx, u64 pinned)
{
	struct wdm_budget *budget = kunit_kzalloc(fx->test, sizeof(*budget),
						  GFP_KERNEL);
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(fx->test, budget);
	KUNIT_ASSERT_NOT_NULL(fx->test, cred);
	KUNIT_ASSERT_NULL(fx->test, fx->cred);
	cap_clear(cred->cap_effective);
	fx->cred = override_creds(cred);
	atomic64_set(&budget->pinned, pinned);
	return budget;
}

static struct wdm_domain *
fixture_made_domain(struct fixture *fx, const struct wdm_domain_config *config,
		    ntstatus_t (*make)(const struct wdm_domain_config *config,
				       struct wdm_domain **out))
{
	struct fixture_domain *fd = kunit_kzalloc(fx->test, sizeof(*fd), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(fx->test, fd);
	KUNIT_ASSERT_STATUS(fx->test, make(config, &fd->domain), STATUS_SUCCESS);
	list_add(&fd->node, &fx->domains);
	return fd->domain;
}

struct wdm_domain *fixture_domain(struct fixture *fx, bool os_managed,
				  u32 flags)
{
	const struct wdm_domain_config config = {
		.type = os_managed ? WDM_TYPE_TRANSLATE : WDM_TYPE_UNMANAGED,
		.flags = flags,
	};

	/* Without the RAM that kernel code's page tables can refer to */
	return fixture_made_domain(fx, &config, wdm_domain_alloc);
}

struct wdm_domain *fixture_domain_ex(struct fixture *fx,
				     const struct wdm_domain_config *config)
{
	return fixture_made_domain(fx, config, wdm_domain_create);
}

struct fake_iommu *fixture_fake(struct fixture *fx, unsigned long pgsizes)
{
	struct fake_iommu *fake = kunit_kzalloc(fx->test, sizeof(*fake),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(fx->test, fake);
	fake_iommu_init(fake, pgsizes);
	list_add(&fake->node, &fx->fakes);
	return fake;
}

/* The group of all adopted iommu_domains, which have no devices */
static struct wdm_owner fixture_owner;
static struct wdm_group fixture_group = { .owner = &fixture_owner };

/* An attachment without reserved ranges, so the domain does not keep it */
static struct wdm_attachment fixture_attachment(struct wdm_domain *domain,
						struct wdm_hwpt *hwpt)
{
	return (struct wdm_attachment) {
		.domain = domain,
		.hwpt = hwpt,
		.group = &fixture_group,
	};
}

/**
 * fixture_adopt_domain() - Fill an iommu_domain without attaching anything to it
 * @domain: the domain
 * @iommu_domain: the iommu_domain; belongs to the domain after success
 *
 * Return: as wdm_domain_join(), wdm_domain_fill().
 */
ntstatus_t fixture_adopt_domain(struct wdm_domain *domain,
				struct iommu_domain *iommu_domain)
{
	struct wdm_hwpt *hwpt = wdm_hwpt_create(iommu_domain, domain->gfp);
	struct wdm_attachment attachment = fixture_attachment(domain, hwpt);
	struct wdm_range all;
	ntstatus_t status;

	if (!hwpt)
		return STATUS_INSUFFICIENT_RESOURCES;
	wdm_range_lock_all(&domain->ranges, &all, false);
	hwpt->aperture = wdm_quirk_aperture(iommu_domain);
	status = wdm_domain_join(&attachment);
	if (wdm_ok(status)) {
		status = wdm_domain_fill(&attachment);
		if (!wdm_ok(status))
			wdm_domain_leave(&attachment, hwpt);
	}
	wdm_domain_unlock(domain, &all);
	if (!wdm_ok(status))
		kfree(hwpt);
	return status;
}

/**
 * fixture_disown_domain() - Empty and free an adopted iommu_domain
 * @domain: the domain
 * @iommu_domain: the iommu_domain; freed
 */
void fixture_disown_domain(struct wdm_domain *domain, struct iommu_domain *iommu_domain)
{
	struct wdm_attachment attachment;
	struct wdm_hwpt *hwpt;
	struct wdm_range all;

	wdm_range_lock_all(&domain->ranges, &all, false);
	list_for_each_entry(hwpt, &domain->hwpts, node)
		if (hwpt->domain == iommu_domain)
			break;
	attachment = fixture_attachment(domain, hwpt);
	wdm_domain_leave(&attachment, hwpt);
	wdm_domain_unlock(domain, &all);
	wdm_hwpt_destroy(hwpt);
}

ntstatus_t fixture_adopt(struct wdm_domain *domain, struct fake_iommu *fake)
{
	ntstatus_t status = fixture_adopt_domain(domain, &fake->domain);

	if (wdm_ok(status))
		fake->adopter = domain;
	return status;
}

void fixture_disown(struct fake_iommu *fake)
{
	fixture_disown_domain(fake->adopter, &fake->domain);
	fake->adopter = NULL;
}

static void fixture_check_fake(struct kunit *test, struct fake_iommu *fake)
{
	bool adopted = fake->adopter;

	if (adopted)
		fixture_disown(fake);
	KUNIT_EXPECT_EQ(test, fake->freed, adopted || fake->freed);
	KUNIT_EXPECT_EQ_MSG(test, fake->mapped, 0, "pages are left mapped");
	KUNIT_EXPECT_FALSE_MSG(test, fake_iommu_stale(fake),
			       "unmapped pages are not synced");
	KUNIT_EXPECT_EQ_MSG(test, fake->torn, 0,
			    "a large page was unmapped through a part of it");
	KUNIT_EXPECT_EQ_MSG(test, fake->bad_calls, 0,
			    "a call that no IOMMU driver may get");
}

/**
 * fixture_exit() - Clean up, and check that the module has done so, too
 * @test: the test
 */
void fixture_exit(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct fixture_domain *fd;
	struct fixture_memory *mem;
	struct fake_iommu *fake;
	struct test_mdl *tm;

	if (!fx)
		return;
	if (fx->cred)
		put_cred(revert_creds(fx->cred));
	list_for_each_entry(fake, &fx->fakes, node)
		fixture_check_fake(test, fake);
	list_for_each_entry(fd, &fx->domains, node)
		KUNIT_EXPECT_STATUS(test, wdm_domain_delete(fd->domain),
				    STATUS_SUCCESS);
	list_for_each_entry(tm, &fx->mdls, node) {
		if (!tm->put)
			fixture_mdl_put(tm);
		KUNIT_EXPECT_EQ_MSG(test, tm->freed, 1, "an MDL is not freed");
	}
	list_for_each_entry(fake, &fx->fakes, node) {
		KUNIT_EXPECT_EQ_MSG(test, fake->reached_freed, 0,
				    "freed pages can be reached");
		fake_iommu_destroy(fake);
	}
	list_for_each_entry(mem, &fx->memory, node)
		free_pages((unsigned long)mem->memory, mem->order);
}

bool fixture_wait(struct kunit *test, struct completion *done)
{
	bool in_time = wait_for_completion_timeout(done, 60 * HZ);

	KUNIT_EXPECT_TRUE_MSG(test, in_time, "a thread hangs");
	return in_time;
}
