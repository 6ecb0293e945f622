/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of all suites: random numbers, memory, domains, and the order in which they are
 * freed at the end of a test.
 *
 * A suite has .init = fixture_init and .exit = fixture_exit, and uses FIXTURE() in its tests.
 * Objects created with the functions below are freed automatically. The test fails if
 * something is still mapped then, or an MDL is not freed exactly once.
 */
#ifndef WDM_KUNIT_FIXTURE_H
#define WDM_KUNIT_FIXTURE_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/prandom.h>

#include "../../module/core/attach.h"
#include "../../module/core/create.h"
#include "../../module/core/mdl.h"
#include "../../module/core/os/batch.h"
#include "../../module/core/os/identity.h"
#include "../../module/core/query.h"
#include "fake_iommu.h"

/* Pages of an MDL, as an argument */
#define RANGE(_mdl, _page, _nr_pages)					\
	(&(const struct wdm_mdl_range) {				\
		.mdl = (_mdl), .page = (_page), .nr_pages = (_nr_pages) })

/* A page frame that does not exist on the machines of the tests */
#define FIXTURE_NO_RAM_PFN	BIT_ULL(26)

/**
 * struct fixture - the objects of one test
 * @test: the test
 * @rng: its random numbers
 * @mdls: struct test_mdl
 * @domains: struct fixture_domain
 * @fakes: struct fake_iommu
 * @memory: struct fixture_memory
 * @cred: credentials before fixture_budget(), or NULL
 * @next_pfn: next page frame for memory that does not exist
 * @data: private to the suite
 */
struct fixture {
	struct kunit *test;
	struct rnd_state rng;
	struct list_head mdls;
	struct list_head domains;
	struct list_head fakes;
	struct list_head memory;
	const struct cred *cred;
	u64 next_pfn;
	void *data;
};

#define FIXTURE(test)	((struct fixture *)(test)->priv)

int fixture_init(struct kunit *test);
void fixture_exit(struct kunit *test);

void fixture_seed(struct kunit *test, struct rnd_state *rng);

u64 fixture_random(struct rnd_state *rng);
/* Get a random number below @n. */
u64 fixture_below(struct rnd_state *rng, u64 n);
/* Return true once in @n times. */
bool fixture_once_in(struct rnd_state *rng, u64 n);
/* Get random permissions: WDM_READ, WDM_WRITE or both. */
u32 fixture_perms(struct rnd_state *rng);

/**
 * struct test_mdl - an MDL of a test, with its pages as a plain array
 * @mdl: the MDL; its memory is freed when the module frees it
 * @node: in fixture.mdls
 * @fixture: the fixture
 * @pfns: the page frames
 * @nr_pages: number of @pfns
 * @put: the creator's reference was dropped
 * @unmapped: with fixture_mdl_once(): number of pages that were released one by one
 * @freed: number of times that the module has freed it
 */
struct test_mdl {
	struct wdm_mdl *mdl;
	struct list_head node;
	struct fixture *fixture;
	u64 *pfns;
	u64 nr_pages;
	bool put;
	atomic64_t unmapped;
	unsigned int freed;
};

/* Create an MDL of the pages in @pfns. */
struct test_mdl *fixture_mdl(struct fixture *fx, u32 access, const u64 *pfns,
			     u64 nr_pages);
/* Create an MDL of runs of at most @max_run page frames that do not exist. */
struct test_mdl *fixture_mdl_random(struct fixture *fx, u32 access,
				    u64 nr_pages, u64 max_run);
/* Create an MDL of one run of such page frames, the first a multiple of @align. */
struct test_mdl *fixture_mdl_contiguous(struct fixture *fx, u32 access,
					u64 nr_pages, u64 align);
/* Allocate contiguous zeroed memory of 2^@order pages. */
void *fixture_memory(struct fixture *fx, unsigned int order);
/* Create an MDL of such memory. */
struct test_mdl *fixture_mdl_of(struct fixture *fx, u32 access, void *memory,
				u64 nr_pages);

/* Make an MDL release its pages as they are unmapped; it must be mapped once. */
void fixture_mdl_once(struct test_mdl *tm);

/* Drop the creator's reference now rather than at the end of the test. */
void fixture_mdl_put(struct test_mdl *tm);

struct test_mdl *fixture_mdl_find(struct fixture *fx,
				  const struct wdm_mdl *mdl);
u64 fixture_mdl_pfn(struct fixture *fx, const struct wdm_mdl *mdl, u64 page);

/* Get the budget of a program without CAP_IPC_LOCK that has pinned so many bytes. */
struct wdm_budget *fixture_budget(struct fixture *fx, u64 pinned);

struct wdm_domain *fixture_domain(struct fixture *fx, bool os_managed,
				  u32 flags);
struct wdm_domain *fixture_domain_ex(struct fixture *fx,
				     const struct wdm_domain_config *config);
ntstatus_t fixture_adopt_domain(struct wdm_domain *domain,
				struct iommu_domain *iommu_domain);
void fixture_disown_domain(struct wdm_domain *domain, struct iommu_domain *iommu_domain);
struct fake_iommu *fixture_fake(struct fixture *fx, unsigned long pgsizes);
ntstatus_t fixture_adopt(struct wdm_domain *domain, struct fake_iommu *fake);

/* Wait for another thread. If it takes a minute, the case fails, and does not hang. */
bool fixture_wait(struct kunit *test, struct completion *done);
void fixture_disown(struct fake_iommu *fake);

/* Expect a status; a failure prints names. */
#define KUNIT_EXPECT_STATUS(test, got, want) do {			\
	ntstatus_t __got = (got), __want = (want);			\
									\
	KUNIT_EXPECT_TRUE_MSG(test, __got == __want, "%s, not %s",	\
			      wdm_status_name(__got),			\
			      wdm_status_name(__want));			\
} while (0)

#define KUNIT_ASSERT_STATUS(test, got, want) do {			\
	ntstatus_t __got = (got), __want = (want);			\
									\
	KUNIT_ASSERT_TRUE_MSG(test, __got == __want, "%s, not %s",	\
			      wdm_status_name(__got),			\
			      wdm_status_name(__want));			\
} while (0)

#endif /* WDM_KUNIT_FIXTURE_H */
