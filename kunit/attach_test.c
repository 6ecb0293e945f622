// SPDX-License-Identifier: GPL-2.0
/*
 * Attachments: the addresses that they allow a domain, attaches that back off for a
 * provider, owners that are closed, and devices that a provider holds.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/tracepoint.h>

#include "../module/core/device.h"
#include "../module/core/hwpt_set.h"
#include "../module/core/policy.h"
#include "../module/core/revoke.h"
#include "../module/core/trace.h"
#include "../module/core/usable.h"
#include "support/fake_driver.h"
#include "support/fixture.h"

/* Allowed ranges */

#define ALLOWED_PAGES	64
#define ALLOWED_PARTS	5

/**
 * struct allowed - a domain with fake hwpts and attachments
 * @domain: the domain
 * @hwpt: hwpts, of which only the aperture matters
 * @attachment: attachments, of which only the reserved ranges matter
 * @resv: storage for these
 * @bad: model: pages that must not be mapped
 */
struct allowed {
	struct wdm_domain *domain;
	struct wdm_hwpt hwpt[ALLOWED_PARTS];
	struct wdm_attachment attachment[ALLOWED_PARTS];
	struct wdm_resv_range resv[ALLOWED_PARTS][ALLOWED_PARTS];
	bool bad[ALLOWED_PAGES];
};

static void allowed_add_hwpt(struct fixture *fx, struct allowed *t,
			     unsigned int i)
{
	struct wdm_iova_range *aperture = &t->hwpt[i].aperture;
	u64 first = fixture_below(&fx->rng, 4);
	u64 last = ALLOWED_PAGES - 1 - fixture_below(&fx->rng, 4);
	u64 page;

	for (page = 0; page < ALLOWED_PAGES; page++)
		t->bad[page] |= page < first || page > last;
	aperture->iova = first << PAGE_SHIFT;
	aperture->last_iova = ((last + 1) << PAGE_SHIFT) - 1;
	list_add_tail(&t->hwpt[i].node, &t->domain->hwpts);
}

static void allowed_add_attachment(struct fixture *fx, struct allowed *t,
				   unsigned int i)
{
	struct wdm_attachment *attachment = &t->attachment[i];
	u64 first, last, page;
	unsigned int j;

	attachment->resv.ranges = t->resv[i];
	attachment->resv.nr = fixture_below(&fx->rng, ALLOWED_PARTS + 1);
	for (j = 0; j < attachment->resv.nr; j++) {
		first = fixture_below(&fx->rng, ALLOWED_PAGES);
		last = min(first + fixture_below(&fx->rng, 8),
			   (u64)ALLOWED_PAGES - 1);
		for (page = first; page <= last; page++)
			t->bad[page] = true;
		t->resv[i][j].iova = first << PAGE_SHIFT;
		t->resv[i][j].last_iova = ((last + 1) << PAGE_SHIFT) - 1;
	}
	KUNIT_ASSERT_STATUS(fx->test,
			    wdm_allowed_reserve(t->domain, &attachment->resv),
			    STATUS_SUCCESS);
	list_add_tail(&attachment->domain_node, &t->domain->attachments);
}

static void allowed_check(struct kunit *test, const struct allowed *t)
{
	const struct wdm_iova_range *range, *last = NULL;
	bool listed[ALLOWED_PAGES] = { };
	u64 a, b, page;
	bool fits;

	for (a = 0; a < ALLOWED_PAGES; a++) {
		fits = true;
		for (b = a; b < ALLOWED_PAGES; b++) {
			fits &= !t->bad[b];
			KUNIT_ASSERT_EQ_MSG(test, fits,
					    wdm_domain_fits(t->domain,
							    a << PAGE_SHIFT,
							    (b << PAGE_SHIFT) +
							    PAGE_SIZE - 1),
					    "pages %llu to %llu", a, b);
		}
	}

	/* From any address on, the list contains exactly what fits, in order. */
	a = ALLOWED_PAGES / 3;
	for (page = a; page < ALLOWED_PAGES; page++) {
		range = wdm_allowed_next(&t->domain->allowed, page << PAGE_SHIFT);
		if (!range)
			break;
		if (last)
			KUNIT_ASSERT_GT(test, range->iova, last->last_iova + 1);
		last = range;
		for (page = max(page, range->iova >> PAGE_SHIFT);
		     page < ALLOWED_PAGES &&
		     page <= range->last_iova >> PAGE_SHIFT; page++)
			listed[page] = true;
	}
	for (page = 0; page < ALLOWED_PAGES; page++)
		KUNIT_ASSERT_EQ_MSG(test, listed[page],
				    page >= a && !t->bad[page],
				    "page %llu", page);
}

static void attach_allowed(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct allowed *t;
	unsigned int round, nr, i;

	for (round = 0; round < 200; round++) {
		t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t);
		t->domain = fixture_domain(fx, true, 0);
		allowed_check(test, t);
		nr = fixture_below(&fx->rng, ALLOWED_PARTS + 1);
		for (i = 0; i < nr; i++)
			allowed_add_hwpt(fx, t, i);
		nr = fixture_below(&fx->rng, ALLOWED_PARTS + 1);
		for (i = 0; i < nr; i++)
			allowed_add_attachment(fx, t, i);
		wdm_allowed_update(t->domain);
		allowed_check(test, t);

		/* Without attachments, everything is allowed again. */
		INIT_LIST_HEAD(&t->domain->hwpts);
		INIT_LIST_HEAD(&t->domain->attachments);
		wdm_allowed_update(t->domain);
		KUNIT_ASSERT_TRUE(test, wdm_domain_fits(t->domain, 0, U64_MAX));
	}
}

/* For the last page of all, the kernel takes the end for an overflow. */
static void attach_last_page(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct fake_iommu *fake = fixture_fake(fx, FAKE_PGSIZES_4K);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 2, 1);
	u64 last = U64_MAX - PAGE_SIZE + 1;

	fake->domain.geometry.aperture_end = U64_MAX;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(domain, fake), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1), last),
			    STATUS_CONFLICTING_ADDRESSES);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 2),
					   last - PAGE_SIZE),
			    STATUS_CONFLICTING_ADDRESSES);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1),
					   last - PAGE_SIZE),
			    STATUS_SUCCESS);
	fixture_disown(fake);
	/* If that page is already mapped, such an IOMMU cannot be added. */
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1), last),
			    STATUS_SUCCESS);
	fake = fixture_fake(fx, FAKE_PGSIZES_4K);
	fake->domain.geometry.aperture_end = U64_MAX;
	KUNIT_EXPECT_STATUS(test, fixture_adopt(domain, fake),
			    STATUS_CONFLICTING_ADDRESSES);
	KUNIT_EXPECT_STATUS(test, wdm_domain_unmap(domain, last - PAGE_SIZE, 2),
			    STATUS_SUCCESS);
}

/* Groups with an unused device */

/**
 * struct attach_group - a claimed group in the hands of an owner
 * @dev: its device
 * @owner: the owner
 * @group: the group; the test is its provider
 * @device: the device
 * @forgotten: number of calls of the provider's forget
 * @holds: number of holds of a provider of single devices
 * @refuse: the provider does not hold the device
 * @attached: completed when the attaching thread has finished
 * @status: its status
 * @domain: the domain that it attaches to
 */
struct attach_group {
	struct device *dev;
	struct wdm_owner *owner;
	struct wdm_group *group;
	struct wdm_device *device;
	unsigned int forgotten;
	unsigned int holds;
	bool refuse;
	struct completion attached;
	ntstatus_t status;
	struct wdm_domain *domain;
};

static void attach_forget(struct wdm_group *group)
{
	struct attach_group *t = group->provider_data;

	t->forgotten++;
}

static const struct wdm_provider_ops attach_provider = {
	.forget = attach_forget,
};

/* The hold does not identify the device, so use a constant. */
static struct attach_group *attach_held;

static ntstatus_t attach_hold(struct device *dev, void **hold)
{
	if (attach_held->refuse)
		return STATUS_NOT_FOUND;
	attach_held->holds++;
	*hold = attach_held;
	return STATUS_SUCCESS;
}

static void attach_unhold(void *hold)
{
	struct attach_group *t = hold;

	t->holds--;
}

static const struct wdm_provider_ops attach_device_provider = {
	.forget = attach_forget,
	.hold = attach_hold,
	.unhold = attach_unhold,
};

static struct attach_group *attach_start_on(struct kunit *test, struct device *dev,
					    const struct wdm_provider_ops *provider)
{
	struct attach_group *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct iommu_group *group;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->dev = dev;
	attach_held = t;
	init_completion(&t->attached);
	t->owner = wdm_owner_create(false);
	KUNIT_ASSERT_NOT_NULL(test, t->owner);
	group = iommu_group_get(dev);
	KUNIT_ASSERT_EQ(test, iommu_group_claim_dma_owner(group, t), 0);
	KUNIT_ASSERT_STATUS(test,
			    wdm_owner_add_group(t->owner, group, provider, t, &t->group),
			    STATUS_SUCCESS);
	iommu_group_put(group);
	KUNIT_ASSERT_STATUS(test, wdm_device_create(t->group, dev, &t->device),
			    STATUS_SUCCESS);
	return t;
}

static struct attach_group *attach_start_with(struct kunit *test,
					      const struct wdm_provider_ops *provider)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		if (!pdev->dev.driver && device_iommu_mapped(&pdev->dev))
			break;
	if (!pdev)
		kunit_skip(test, "no edu device without a driver behind an IOMMU");
	return attach_start_on(test, &pdev->dev, provider);
}

static struct attach_group *attach_start(struct kunit *test)
{
	return attach_start_with(test, &attach_provider);
}

static void attach_end(struct kunit *test, struct attach_group *t)
{
	wdm_group_revoke(t->group);
	iommu_group_release_dma_owner(t->group->iommu_group);
	KUNIT_EXPECT_STATUS(test, wdm_device_delete(t->device), STATUS_SUCCESS);
	wdm_group_put(t->group);
	wdm_owner_close(t->owner);
	wdm_owner_put(t->owner);
	put_device(t->dev);
}

static int attach_thread(void *data)
{
	struct attach_group *t = data;

	t->status = wdm_device_attach(t->device, t->domain);
	complete(&t->attached);
	return 0;
}

/* A domain whose hwpt takes long to fill: scattered pages at many addresses */
static struct wdm_domain *attach_large_domain(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 2048, 1);
	u64 i;

	for (i = 0; i < 60; i++)
		KUNIT_ASSERT_STATUS(test,
				    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 2048),
						   SZ_8G + i * SZ_8M),
				    STATUS_SUCCESS);
	return domain;
}

/* What a provider can revoke: a group or a device */
static void attach_take_group(struct attach_group *t)
{
	wdm_group_revoke(t->group);
}

static void attach_take_device(struct attach_group *t)
{
	wdm_group_revoke_device(t->group, t->device->dev);
}

/* Revoke while a hwpt is being filled; check that the attach ends at once. */
static bool attach_revoke_is_quick(struct kunit *test, struct wdm_domain *domain,
				   void (*take_back)(struct attach_group *t))
{
	struct attach_group *t = attach_start(test);
	u64 fill, revoke;
	unsigned int i;
	ktime_t start;
	bool removed;

	t->domain = domain;
	start = ktime_get();
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(t->device, domain),
			    STATUS_SUCCESS);
	fill = ktime_us_delta(ktime_get(), start);
	KUNIT_EXPECT_EQ(test, atomic_read(&domain->nr_devices), 1);
	KUNIT_ASSERT_STATUS(test, wdm_device_detach(t->device), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&domain->nr_devices), 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(attach_thread, t,
						    "wdm_attach")));
	/* An attach that starts after the revocation would fail at once. */
	for (i = 0; i < 10000 && !wdm_range_is_locked(&domain->ranges); i++)
		usleep_range(100, 200);
	KUNIT_EXPECT_TRUE(test, wdm_range_is_locked(&domain->ranges));
	usleep_range(fill / 8, fill / 7);
	start = ktime_get();
	take_back(t);
	revoke = ktime_us_delta(ktime_get(), start);
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &t->attached));
	kunit_info(test, "fill %llu us, revoke %llu us", fill, revoke);
	removed = t->status == STATUS_DEVICE_REMOVED;
	KUNIT_EXPECT_TRUE(test, removed || t->status == STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, list_empty(&domain->hwpts));
	KUNIT_EXPECT_STATUS(test, wdm_device_attach(t->device, domain),
			    STATUS_DEVICE_REMOVED);
	attach_end(test, t);
	return removed && revoke < fill / 3;
}

/*
 * A busy machine can delay either thread, so one of several tries must be quick: none is if
 * revoking waits until the hwpt is full.
 */
static void attach_check_fill(struct kunit *test, void (*take_back)(struct attach_group *t))
{
	struct wdm_domain *domain = attach_large_domain(test);
	bool quick = false;
	unsigned int i;

	for (i = 0; i < 3 && !quick; i++)
		quick = attach_revoke_is_quick(test, domain, take_back);
	KUNIT_EXPECT_TRUE(test, quick);
}

/* Revoking a group that is being attached does not wait until the hwpt is filled. */
static void attach_gives_way(struct kunit *test)
{
	attach_check_fill(test, attach_take_group);
	attach_check_fill(test, attach_take_device);
}

/*
 * Nor does it wait for the attach of another group, or of another device of the group,
 * which succeeds in the end.
 */
static void attach_tries_again(struct kunit *test)
{
	struct wdm_domain *domain = attach_large_domain(test);
	struct attach_group *t = attach_start(test);
	unsigned int i;

	t->domain = domain;
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(attach_thread, t,
						    "wdm_attach")));
	for (i = 0; i < 5; i++) {
		struct wdm_range all;

		usleep_range(1000, 2000);
		/* The effect on @owner of revoking another group or device */
		wdm_owner_begin_revoke(t->owner);
		if (i % 2) {
			mutex_lock(&t->group->lock);
			mutex_unlock(&t->group->lock);
		}
		wdm_range_lock_all(&domain->ranges, &all, false);
		wdm_domain_unlock(domain, &all);
		wdm_owner_end_revoke(t->owner);
	}
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &t->attached));
	KUNIT_EXPECT_STATUS(test, t->status, STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, 0,
			iommu_iova_to_phys(iommu_get_domain_for_dev(t->dev),
					   SZ_8G + 59 * (u64)SZ_8M));
	attach_end(test, t);
}

static int attach_usable_thread(void *data)
{
	struct attach_group *t = data;
	struct wdm_usable usable;

	t->status = wdm_device_usable(t->device, &usable);
	wdm_usable_destroy(&usable);
	complete(&t->attached);
	return 0;
}

/* Nor does it wait for a query that probes the device's IOMMU. */
static void attach_query_gives_way(struct kunit *test)
{
	struct attach_group *t = attach_start(test);

	wdm_owner_begin_revoke(t->owner);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(attach_usable_thread, t,
						    "wdm_usable")));
	usleep_range(50000, 60000);
	KUNIT_EXPECT_FALSE(test, completion_done(&t->attached));
	/* The query has released the lock. */
	KUNIT_EXPECT_TRUE(test, mutex_trylock(&t->group->lock));
	mutex_unlock(&t->group->lock);
	wdm_owner_end_revoke(t->owner);
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &t->attached));
	KUNIT_EXPECT_STATUS(test, t->status, STATUS_SUCCESS);
	attach_end(test, t);
}

/* A call that holds pages for long, and yields to urgent ranges only */

#define ATTACH_BUSY_MS	10000

/**
 * struct attach_busy - the call
 * @domain: the domain
 * @begun: it holds its pages
 * @ended: it has released them
 * @stop: it has to end early
 */
struct attach_busy {
	struct wdm_domain *domain;
	struct completion begun;
	struct completion ended;
	bool stop;
};

static int attach_busy_thread(void *data)
{
	struct attach_busy *busy = data;
	struct wdm_range range;
	unsigned int i;

	wdm_range_lock(&busy->domain->ranges, &range, 0, 10, false);
	complete(&busy->begun);
	for (i = 0; i < ATTACH_BUSY_MS && !READ_ONCE(busy->stop); i++) {
		usleep_range(1000, 1100);
		if (wdm_range_urgent(&busy->domain->ranges))
			wdm_range_yield(&busy->domain->ranges, &range);
	}
	wdm_range_unlock(&busy->domain->ranges, &range);
	complete(&busy->ended);
	return 0;
}

static void attach_busy_start(struct kunit *test, struct attach_busy *busy,
			      struct wdm_domain *domain)
{
	busy->domain = domain;
	busy->stop = false;
	init_completion(&busy->begun);
	init_completion(&busy->ended);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(attach_busy_thread, busy,
						    "wdm_busy")));
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &busy->begun));
}

/* Check that the call is in progress, and end it. */
static void attach_busy_end(struct kunit *test, struct attach_busy *busy)
{
	KUNIT_EXPECT_FALSE(test, completion_done(&busy->ended));
	WRITE_ONCE(busy->stop, true);
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &busy->ended));
}

static void attach_check_busy(struct kunit *test, void (*take_back)(struct attach_group *t))
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct attach_group *t = attach_start(test);
	struct attach_busy *busy = kunit_kzalloc(test, sizeof(*busy), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, busy);
	t->domain = domain;
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(t->device, domain),
			    STATUS_SUCCESS);
	attach_busy_start(test, busy, domain);
	KUNIT_EXPECT_STATUS(test, wdm_device_detach(t->device), STATUS_SUCCESS);
	attach_busy_end(test, busy);

	/* An attach waits for the call, and backs off. */
	attach_busy_start(test, busy, domain);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(attach_thread, t,
						    "wdm_attach")));
	for (i = 0; i < 1000 && !wdm_range_wanted(&domain->ranges); i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, wdm_range_wanted(&domain->ranges));
	take_back(t);
	KUNIT_ASSERT_TRUE(test, fixture_wait(test, &t->attached));
	KUNIT_EXPECT_STATUS(test, t->status, STATUS_DEVICE_REMOVED);
	attach_busy_end(test, busy);
	attach_end(test, t);
}

/* Neither a detach nor a revocation waits for such a call. */
static void attach_passes_busy(struct kunit *test)
{
	attach_check_busy(test, attach_take_group);
	attach_check_busy(test, attach_take_device);
}

/* A closed owner has no groups; each provider forgets its group once. */
static void attach_owner_closed(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct attach_group *t = attach_start(test);
	struct wdm_group *group;

	KUNIT_ASSERT_STATUS(test, wdm_device_attach(t->device, domain),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, wdm_owner_is_closed(t->owner));
	wdm_owner_close(t->owner);
	KUNIT_EXPECT_TRUE(test, wdm_owner_is_closed(t->owner));
	KUNIT_EXPECT_EQ(test, t->forgotten, 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&domain->hwpts));
	KUNIT_EXPECT_TRUE(test, list_empty(&domain->attachments));
	KUNIT_EXPECT_EQ(test, atomic_read(&domain->nr_devices), 0);
	KUNIT_EXPECT_STATUS(test, wdm_device_attach(t->device, domain),
			    STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_STATUS(test,
			    wdm_owner_add_group(t->owner, t->group->iommu_group,
						&attach_provider, t, &group),
			    STATUS_INVALID_DEVICE_STATE);
	attach_end(test, t);
	KUNIT_EXPECT_EQ(test, t->forgotten, 1);
}

/* A provider of single devices holds a device exactly while it is attached. */
static void attach_holds(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct wdm_domain *other = fixture_domain(FIXTURE(test), true, 0);
	struct attach_group *t = attach_start_with(test, &attach_device_provider);
	struct wdm_usable usable;

	t->refuse = true;
	KUNIT_EXPECT_STATUS(test, wdm_device_attach(t->device, domain), STATUS_NOT_FOUND);
	KUNIT_EXPECT_STATUS(test, wdm_device_usable(t->device, &usable), STATUS_NOT_FOUND);
	t->refuse = false;
	KUNIT_ASSERT_STATUS(test, wdm_device_usable(t->device, &usable), STATUS_SUCCESS);
	wdm_usable_destroy(&usable);
	KUNIT_EXPECT_EQ(test, t->holds, 0);

	KUNIT_ASSERT_STATUS(test, wdm_device_attach(t->device, domain), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->holds, 1);
	/* Another attach does not hold it again, nor does one that fails. */
	KUNIT_EXPECT_STATUS(test, wdm_device_attach(t->device, other),
			    STATUS_INVALID_PARAMETER);
	t->refuse = true;
	KUNIT_EXPECT_STATUS(test, wdm_device_attach(t->device, other),
			    STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_STATUS(test, wdm_device_usable(t->device, &usable), STATUS_SUCCESS);
	wdm_usable_destroy(&usable);
	KUNIT_EXPECT_EQ(test, t->holds, 1);
	KUNIT_EXPECT_STATUS(test, wdm_device_detach(t->device), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->holds, 0);

	t->refuse = false;
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(t->device, domain), STATUS_SUCCESS);
	wdm_owner_close(t->owner);
	KUNIT_EXPECT_EQ(test, t->holds, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&domain->nr_devices), 0);
	attach_end(test, t);
}

/* When a device is revoked, the provider releases the hold. */
static void attach_holds_revoked(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct attach_group *t = attach_start_with(test, &attach_device_provider);
	struct device *stranger = kunit_device_register(test, "wdm-stranger");
	struct wdm_device *old = t->device;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stranger);
	KUNIT_EXPECT_PTR_EQ(test, wdm_owner_find_group(t->owner, t->group->iommu_group, NULL),
			    NULL);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(old, domain), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, wdm_group_revoke_device(t->group, stranger), NULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&domain->nr_devices), 1);
	KUNIT_EXPECT_STATUS(test, wdm_device_create(t->group, t->dev, &t->device),
			    STATUS_RESOURCE_IN_USE);

	KUNIT_EXPECT_PTR_EQ(test, wdm_group_revoke_device(t->group, t->dev), (void *)t);
	KUNIT_EXPECT_EQ(test, t->holds, 1);
	attach_unhold(t);
	KUNIT_EXPECT_EQ(test, atomic_read(&domain->nr_devices), 0);
	KUNIT_EXPECT_PTR_EQ(test, wdm_group_revoke_device(t->group, t->dev), NULL);
	KUNIT_EXPECT_STATUS(test, wdm_device_attach(old, domain), STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, t->holds, 0);

	/* A later device of the same name is independent of it. */
	KUNIT_ASSERT_STATUS(test, wdm_device_create(t->group, t->dev, &t->device),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_device_delete(old), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(t->device, domain), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, t->holds, 1);
	attach_end(test, t);
	KUNIT_EXPECT_EQ(test, t->holds, 0);
}

/* Devices behind a fake IOMMU */

static void attach_fake_start(struct kunit *test)
{
	fake_driver_start(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);
}

static void attach_fake_end(struct kunit *test)
{
	fake_driver_stop(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
}

static struct attach_group *attach_start_fake(struct kunit *test)
{
	return attach_start_on(test, get_device(fake_driver_add(test, false)),
			       &attach_provider);
}

/**
 * struct attach_doomed - a domain that is deleted as soon as nothing is attached to it
 * @domain: the domain; NULL once it is deleted
 * @status: of the delete
 * @traced: how often a detach from it was traced
 * @late: that was after the delete
 */
static struct attach_doomed {
	struct wdm_domain *domain;
	ntstatus_t status;
	unsigned int traced;
	bool late;
} attach_doomed;

static void attach_delete_doomed(void)
{
	attach_doomed.status = wdm_domain_delete(attach_doomed.domain);
	attach_doomed.domain = NULL;
}

static void attach_trace_detach(void *data, const struct wdm_domain *domain, int group,
				ntstatus_t status, u64 ns)
{
	attach_doomed.traced++;
	attach_doomed.late = domain != attach_doomed.domain;
}

/* What traces a detach looks at the domain, which others may delete from then on. */
static void attach_trace(struct kunit *test)
{
	const struct wdm_domain_config config = { .type = WDM_TYPE_TRANSLATE };
	struct attach_group *t;

	attach_fake_start(test);
	t = attach_start_fake(test);
	attach_doomed = (struct attach_doomed) { .status = STATUS_UNSUCCESSFUL };
	KUNIT_ASSERT_STATUS(test, wdm_domain_create(&config, &attach_doomed.domain),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(t->device, attach_doomed.domain),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, register_trace_wdm_detach(attach_trace_detach, NULL), 0);
	fake_driver.on_free = attach_delete_doomed;
	KUNIT_EXPECT_STATUS(test, wdm_device_detach(t->device), STATUS_SUCCESS);
	fake_driver.on_free = NULL;
	unregister_trace_wdm_detach(attach_trace_detach, NULL);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_STATUS(test, attach_doomed.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, attach_doomed.traced, 1);
	KUNIT_EXPECT_FALSE(test, attach_doomed.late);
	attach_end(test, t);
	attach_fake_end(test);
}

static const struct attach_narrow {
	const char *name;
	u64 last;
	unsigned long pgsizes;
} attach_narrows[] = {
	{ "39 bits", BIT_ULL(39) - 1, FAKE_PGSIZES_X86 },
	{ "4 KiB pages", BIT_ULL(48) - 1, FAKE_PGSIZES_4K },
};

static void attach_narrow_name(const struct attach_narrow *narrow, char *desc)
{
	strscpy(desc, narrow->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(attach_narrow, attach_narrows, attach_narrow_name);

/* Two IOMMUs of one driver, of which one can do less: each translates what it can. */
static void attach_unlike(struct kunit *test)
{
	const struct attach_narrow *narrow = test->param_value;
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct test_mdl *tm = fixture_mdl_contiguous(fx, WDM_PERMS, 512, 512);
	struct attach_group *wide, *less;
	struct fake_page page;

	attach_fake_start(test);
	wide = attach_start_fake(test);
	less = attach_start_fake(test);
	fake_driver.narrow = less->dev;
	fake_driver.narrow_last = narrow->last;
	fake_driver.narrow_pgsizes = narrow->pgsizes;
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 512), SZ_1G),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(wide->device, domain),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(less->device, domain),
			    STATUS_SUCCESS);

	KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake_driver_at(wide->dev, 0), SZ_1G, &page));
	KUNIT_EXPECT_EQ(test, page.size, SZ_2M);
	KUNIT_ASSERT_TRUE(test, fake_iommu_at(fake_driver_at(less->dev, 0), SZ_1G, &page));
	KUNIT_EXPECT_EQ(test, page.size, narrow->pgsizes & SZ_2M ?: SZ_4K);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1),
					   narrow->last + 1),
			    STATUS_CONFLICTING_ADDRESSES);
	/* What the narrow one forbids is possible again without it. */
	KUNIT_EXPECT_STATUS(test, wdm_device_detach(less->device), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1),
					   BIT_ULL(47)),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake_driver_translate(wide->dev, 0, BIT_ULL(47)),
			PFN_PHYS(tm->pfns[0]));
	attach_end(test, less);
	attach_end(test, wide);
	attach_fake_end(test);
}

static struct kunit_case attach_cases[] = {
	KUNIT_CASE(attach_allowed),
	KUNIT_CASE(attach_last_page),
	KUNIT_CASE(attach_gives_way),
	KUNIT_CASE(attach_tries_again),
	KUNIT_CASE(attach_query_gives_way),
	KUNIT_CASE(attach_passes_busy),
	KUNIT_CASE(attach_owner_closed),
	KUNIT_CASE(attach_holds),
	KUNIT_CASE(attach_holds_revoked),
	KUNIT_CASE(attach_trace),
	KUNIT_CASE_PARAM(attach_unlike, attach_narrow_gen_params),
	{}
};

static struct kunit_suite attach_suite = {
	.name = "wdm_iommu_attach",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = attach_cases,
};

kunit_test_suite(attach_suite);
