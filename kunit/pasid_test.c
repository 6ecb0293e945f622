// SPDX-License-Identifier: GPL-2.0
/*
 * PASIDs from the point of view of a provider and an owner: revoked groups, and domains of
 * each type.
 */
#include <kunit/test.h>

#include "../module/core/create.h"
#include "../module/core/pasid.h"
#include "../module/core/policy.h"
#include "../module/core/revoke.h"
#include "support/fake_driver.h"
#include "support/fixture.h"

#define LOGICAL		0x40000000ULL

/**
 * struct pasid_group - a group with one device, in the hands of an owner
 * @fx: the fixture
 * @dev: Linux' device
 * @owner: the owner
 * @iommu_group: Linux' group
 * @group: the group; NULL once it has been revoked
 * @device: the device
 * @mdl: memory
 */
struct pasid_group {
	struct fixture *fx;
	struct device *dev;
	struct wdm_owner *owner;
	struct iommu_group *iommu_group;
	struct wdm_group *group;
	struct wdm_device *device;
	struct test_mdl *mdl;
};

static void pasid_forget(struct wdm_group *group)
{
}

static const struct wdm_provider_ops pasid_provider = {
	.forget = pasid_forget,
};

static int pasid_init(struct kunit *test)
{
	int ret = fixture_init(test);

	if (ret)
		return ret;
	fake_driver_start(test);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, true);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, true);
	return 0;
}

static void pasid_exit(struct kunit *test)
{
	fixture_exit(test);
	fake_driver_stop(test);
	wdm_policy_set(WDM_POLICY_PASS_THROUGH, false);
	wdm_policy_set(WDM_POLICY_UNSAFE_INTERRUPTS, false);
}

static void pasid_group_start(struct kunit *test, struct pasid_group *g,
			      bool pasids)
{
	*g = (struct pasid_group) { .fx = FIXTURE(test) };
	g->dev = fake_driver_add(test, pasids);
	g->owner = wdm_owner_create(true);
	KUNIT_ASSERT_NOT_NULL(test, g->owner);
	g->iommu_group = iommu_group_get(g->dev);
	KUNIT_ASSERT_EQ(test, iommu_group_claim_dma_owner(g->iommu_group, g), 0);
	KUNIT_ASSERT_STATUS(test, wdm_owner_add_group(g->owner, g->iommu_group,
						      &pasid_provider, NULL,
						      &g->group),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_device_create(g->group, g->dev, &g->device),
			    STATUS_SUCCESS);
	g->mdl = fixture_mdl_random(g->fx, WDM_READ | WDM_WRITE, 8, 8);
}

/* Revoke a group like VFIO: nothing may be attached after that. */
static void pasid_group_take_back(struct pasid_group *g)
{
	wdm_group_revoke(g->group);
	iommu_group_release_dma_owner(g->iommu_group);
	wdm_group_put(g->group);
	g->group = NULL;
}

static void pasid_group_end(struct kunit *test, struct pasid_group *g)
{
	if (g->group)
		pasid_group_take_back(g);
	KUNIT_EXPECT_TRUE(test, fake_driver_identity(g->dev));
	KUNIT_EXPECT_STATUS(test, wdm_device_delete(g->device), STATUS_SUCCESS);
	iommu_group_put(g->iommu_group);
	wdm_owner_close(g->owner);
	wdm_owner_put(g->owner);
}

static struct wdm_pasid *pasid_create(struct kunit *test, struct pasid_group *g)
{
	struct wdm_pasid *pasid;

	KUNIT_ASSERT_STATUS(test, wdm_pasid_create(g->device, &pasid),
			    STATUS_SUCCESS);
	return pasid;
}

static struct wdm_domain *pasid_domain(struct kunit *test, enum wdm_type type)
{
	const struct wdm_domain_config config = { .type = type };
	struct wdm_domain *domain;

	KUNIT_ASSERT_STATUS(test, wdm_domain_create(&config, &domain),
			    STATUS_SUCCESS);
	return domain;
}

static bool pasid_reaches(struct pasid_group *g, u32 pasid)
{
	return fake_driver_translate(g->dev, pasid, LOGICAL) ==
	       PFN_PHYS(g->mdl->pfns[0]);
}

static void pasid_revoke(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct wdm_pasid *a, *b, *none;
	struct pasid_group g;

	pasid_group_start(test, &g, true);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(g.mdl->mdl, 0, 8),
					   LOGICAL),
			    STATUS_SUCCESS);
	a = pasid_create(test, &g);
	b = pasid_create(test, &g);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_attach(a, domain), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_device_attach(g.device, domain),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&domain->nr_devices), 2);
	KUNIT_EXPECT_TRUE(test, pasid_reaches(&g, a->pasid));
	KUNIT_EXPECT_FALSE(test, pasid_reaches(&g, b->pasid));
	KUNIT_EXPECT_STATUS(test, wdm_device_delete(g.device),
			    STATUS_RESOURCE_IN_USE);

	pasid_group_take_back(&g);
	KUNIT_EXPECT_FALSE(test, pasid_reaches(&g, a->pasid));
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_driver.nr_domains), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&domain->nr_devices), 0);
	KUNIT_EXPECT_EQ(test, wdm_device_types(g.device), 0);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_attach(b, domain),
			    STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_detach(a), STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_create(g.device, &none),
			    STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_STATUS(test, wdm_device_delete(g.device),
			    STATUS_RESOURCE_IN_USE);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(a), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(b), STATUS_SUCCESS);
	pasid_group_end(test, &g);
}

/* A device and its PASIDs share the page tables of a domain that supports both. */
static void pasid_translate_s1(struct kunit *test)
{
	struct wdm_domain *domain = pasid_domain(test, WDM_TYPE_TRANSLATE_S1);
	struct wdm_pasid *pasid;
	struct pasid_group g;

	pasid_group_start(test, &g, true);
	pasid = pasid_create(test, &g);
	KUNIT_EXPECT_STATUS(test, wdm_device_attach(g.device, domain),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_attach(pasid, domain), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, fake_driver_at(g.dev, 0),
			    fake_driver_at(g.dev, pasid->pasid));
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_driver.nr_pasid_domains), 1);
	KUNIT_EXPECT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(g.mdl->mdl, 0, 8),
					   LOGICAL),
			    STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, pasid_reaches(&g, 0));
	KUNIT_EXPECT_TRUE(test, pasid_reaches(&g, pasid->pasid));
	KUNIT_EXPECT_STATUS(test, wdm_pasid_detach(pasid), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, pasid_reaches(&g, 0));
	KUNIT_EXPECT_STATUS(test, wdm_device_detach(g.device), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(pasid), STATUS_SUCCESS);
	pasid_group_end(test, &g);
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(domain), STATUS_SUCCESS);
}

static void pasid_pass_through(struct kunit *test)
{
	struct wdm_domain *domain = pasid_domain(test, WDM_TYPE_PASS_THROUGH);
	struct wdm_pasid *pasid;
	struct pasid_group g;

	pasid_group_start(test, &g, true);
	pasid = pasid_create(test, &g);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_attach(pasid, domain),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(pasid), STATUS_SUCCESS);
	pasid_group_end(test, &g);
	KUNIT_EXPECT_STATUS(test, wdm_domain_delete(domain), STATUS_SUCCESS);
}

/* A device with PASIDs whose IOMMU driver has no page tables for them; one without */
static void pasid_refused(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct wdm_pasid *pasid;
	struct pasid_group g;

	pasid_group_start(test, &g, true);
	pasid = pasid_create(test, &g);
	fake_driver.refuse_pasids = true;
	KUNIT_EXPECT_STATUS(test, wdm_pasid_attach(pasid, domain),
			    STATUS_INVALID_PARAMETER_1);
	fake_driver.refuse_pasids = false;
	KUNIT_EXPECT_STATUS(test, wdm_pasid_attach(pasid, domain), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_detach(pasid), STATUS_SUCCESS);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(pasid), STATUS_SUCCESS);
	pasid_group_end(test, &g);

	pasid_group_start(test, &g, false);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_create(g.device, &pasid),
			    STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_FALSE(test, wdm_device_types(g.device) &
				 BIT(WDM_TYPE_TRANSLATE_S1));
	pasid_group_end(test, &g);
}

/* A group can exhaust its own PASIDs, but not the system's. */
static void pasid_numbers(struct kunit *test)
{
	struct wdm_pasid *pasids[FAKE_DRIVER_PASIDS], *none;
	struct pasid_group g;
	unsigned int i;
	u32 global;

	pasid_group_start(test, &g, true);
	for (i = 1; i < FAKE_DRIVER_PASIDS; i++) {
		pasids[i] = pasid_create(test, &g);
		KUNIT_EXPECT_EQ(test, pasids[i]->pasid, i);
	}
	KUNIT_EXPECT_STATUS(test, wdm_pasid_create(g.device, &none), STATUS_NONE_MAPPED);
	global = iommu_alloc_global_pasid(g.dev);
	KUNIT_EXPECT_NE(test, global, IOMMU_PASID_INVALID);
	if (global != IOMMU_PASID_INVALID)
		iommu_free_global_pasid(global);
	/* A deleted one is free again. */
	KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(pasids[3]), STATUS_SUCCESS);
	pasids[3] = pasid_create(test, &g);
	KUNIT_EXPECT_EQ(test, pasids[3]->pasid, 3);
	for (i = 1; i < FAKE_DRIVER_PASIDS; i++)
		KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(pasids[i]), STATUS_SUCCESS);
	pasid_group_end(test, &g);
}

/*
 * An attach or detach of a PASID whose hwpt stays does not recompute what its domain can map, or
 * the revocation of many would take forever.
 */
static void pasid_many(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct wdm_pasid *pasids[FAKE_DRIVER_PASIDS];
	struct pasid_group g;
	unsigned int i;
	u64 epoch;

	pasid_group_start(test, &g, true);
	for (i = 1; i < FAKE_DRIVER_PASIDS; i++) {
		pasids[i] = pasid_create(test, &g);
		KUNIT_ASSERT_STATUS(test, wdm_pasid_attach(pasids[i], domain),
				    STATUS_SUCCESS);
		if (i == 1)
			epoch = domain->epoch;
	}
	KUNIT_EXPECT_EQ(test, domain->epoch, epoch);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&domain->hwpts));
	KUNIT_EXPECT_TRUE(test, list_empty(&domain->attachments));
	KUNIT_EXPECT_STATUS(test, wdm_pasid_detach(pasids[1]), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, domain->epoch, epoch);
	pasid_group_take_back(&g);
	KUNIT_EXPECT_EQ(test, domain->epoch, epoch + 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&domain->hwpts));
	for (i = 1; i < FAKE_DRIVER_PASIDS; i++)
		KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(pasids[i]), STATUS_SUCCESS);
	pasid_group_end(test, &g);
}

/* A group has the PASIDs that all of its devices with PASIDs support. */
static void pasid_group_numbers(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct wdm_pasid *pasids[4], *none;
	struct pasid_group g;
	unsigned int i;

	fake_driver.shared = true;
	fake_driver_add(test, false);
	fake_driver.pasid_bits = ilog2(ARRAY_SIZE(pasids));
	fake_driver_add(test, true);
	fake_driver.pasid_bits = 0;
	pasid_group_start(test, &g, true);
	for (i = 1; i < ARRAY_SIZE(pasids); i++) {
		pasids[i] = pasid_create(test, &g);
		KUNIT_EXPECT_STATUS(test, wdm_pasid_attach(pasids[i], domain),
				    STATUS_SUCCESS);
	}
	KUNIT_EXPECT_STATUS(test, wdm_pasid_create(g.device, &none), STATUS_NONE_MAPPED);
	for (i = 1; i < ARRAY_SIZE(pasids); i++) {
		KUNIT_EXPECT_STATUS(test, wdm_pasid_detach(pasids[i]), STATUS_SUCCESS);
		KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(pasids[i]), STATUS_SUCCESS);
	}
	pasid_group_end(test, &g);
}

/* Closing an owner detaches PASIDs that are still attached. */
static void pasid_owner_closed(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct wdm_pasid *pasid;
	struct pasid_group g;

	pasid_group_start(test, &g, true);
	pasid = pasid_create(test, &g);
	KUNIT_EXPECT_STATUS(test, wdm_pasid_attach(pasid, domain), STATUS_SUCCESS);
	wdm_owner_close(g.owner);
	KUNIT_EXPECT_NULL(test, fake_driver_at(g.dev, pasid->pasid));
	KUNIT_EXPECT_STATUS(test, wdm_pasid_delete(pasid), STATUS_SUCCESS);
	pasid_group_end(test, &g);
}

static struct kunit_case pasid_cases[] = {
	KUNIT_CASE(pasid_revoke),
	KUNIT_CASE(pasid_translate_s1),
	KUNIT_CASE(pasid_pass_through),
	KUNIT_CASE(pasid_refused),
	KUNIT_CASE(pasid_numbers),
	KUNIT_CASE(pasid_group_numbers),
	KUNIT_CASE(pasid_many),
	KUNIT_CASE(pasid_owner_closed),
	{}
};

static struct kunit_suite pasid_suite = {
	.name = "wdm_iommu_pasid",
	.init = pasid_init,
	.exit = pasid_exit,
	.test_cases = pasid_cases,
};

kunit_test_suite(pasid_suite);
