// SPDX-License-Identifier: GPL-2.0
/*
 * An IOMMU driver without hardware.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>

#include <uapi/linux/iommufd.h>

#include "fake_driver.h"

/**
 * struct fake_dev - a device as its IOMMU sees it
 * @at: the iommu_domain that translates, by PASID
 * @snoops: all DMA snoops the caches, whatever the device asks for, by PASID
 */
struct fake_dev {
	struct iommu_domain *at[FAKE_DRIVER_PASIDS];
	bool snoops[FAKE_DRIVER_PASIDS];
};

/**
 * struct fake_domain - a paging iommu_domain
 * @fake: what it maps
 * @pasids: it was allocated for PASIDs
 * @snoops: cache coherency is enforced
 */
struct fake_domain {
	struct fake_iommu fake;
	bool pasids;
	bool snoops;
};

static struct fake_domain *fake_domain_of(struct iommu_domain *domain)
{
	return container_of(domain, struct fake_domain, fake.domain);
}

struct fake_driver fake_driver;

/* As Intel's driver does, if nothing is mapped beyond. */
static void fake_driver_narrow(struct iommu_domain *domain)
{
	domain->geometry.aperture_end = min(domain->geometry.aperture_end,
					    fake_driver.narrow_last);
	domain->pgsize_bitmap &= fake_driver.narrow_pgsizes;
}

static struct iommu_device fake_device;
static struct platform_device *fake_hw;
static struct fwnode_handle *fake_fwnode;
static struct iommu_group *fake_group;
static struct platform_device *fake_devs[16];
static unsigned int fake_nr_devs;
static const struct iommu_ops fake_driver_ops;

static int fake_driver_attach(struct iommu_domain *domain, struct device *dev,
			      u32 pasid)
{
	struct fake_dev *fdev = dev_iommu_priv_get(dev);

	if (domain->type == IOMMU_DOMAIN_UNMANAGED) {
		if (fake_driver.hook)
			fake_driver.hook(dev, pasid);
		if (pasid && fake_driver.refuse_pasids)
			return -EOPNOTSUPP;
		if (fake_driver.fail_attach && !--fake_driver.fail_attach)
			return -ENOMEM;
		if (fake_driver.cannot_snoop && fake_domain_of(domain)->snoops)
			return -EINVAL;
		if (dev == fake_driver.narrow)
			fake_driver_narrow(domain);
	}
	fdev->snoops[pasid] = domain->type == IOMMU_DOMAIN_UNMANAGED &&
			      fake_domain_of(domain)->snoops;
	fdev->at[pasid] = domain;
	return 0;
}

static int fake_driver_attach_dev(struct iommu_domain *domain,
				  struct device *dev, struct iommu_domain *old)
{
	return fake_driver_attach(domain, dev, 0);
}

static int fake_driver_set_dev_pasid(struct iommu_domain *domain,
				     struct device *dev, ioasid_t pasid,
				     struct iommu_domain *old)
{
	return fake_driver_attach(domain, dev, pasid);
}

static const struct iommu_domain_ops fake_static_ops = {
	.attach_dev = fake_driver_attach_dev,
	.set_dev_pasid = fake_driver_set_dev_pasid,
};

static struct iommu_domain fake_identity = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &fake_static_ops,
};

static struct iommu_domain fake_blocked = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &fake_static_ops,
};

static void fake_driver_free(struct iommu_domain *domain)
{
	struct fake_domain *fdom = fake_domain_of(domain);
	unsigned int i, pasid;

	if (fake_driver.on_free)
		fake_driver.on_free();
	/* Check that nothing is attached. */
	for (i = 0; i < fake_nr_devs; i++) {
		struct fake_dev *fdev = platform_get_drvdata(fake_devs[i]);

		for (pasid = 0; pasid < FAKE_DRIVER_PASIDS; pasid++)
			WARN_ON(fdev->at[pasid] == domain);
	}
	WARN_ON(fdom->fake.bad_calls || fdom->fake.torn);
	if (fdom->pasids)
		atomic_dec(&fake_driver.nr_pasid_domains);
	atomic_dec(&fake_driver.nr_domains);
	fake_iommu_destroy(&fdom->fake);
	kfree(fdom);
}

/*
 * As Intel's driver does with first-stage tables: for attached devices, and if their IOMMUs can
 * do it, but without a look at attached PASIDs.
 */
static bool fake_driver_enforce(struct iommu_domain *domain)
{
	struct fake_dev *fdev;
	unsigned int i;

	for (i = 0; i < fake_nr_devs; i++) {
		fdev = platform_get_drvdata(fake_devs[i]);
		if (fdev->at[0] != domain)
			continue;
		if (fake_driver.cannot_snoop)
			return false;
		fdev->snoops[0] = true;
	}
	fake_domain_of(domain)->snoops = true;
	return true;
}

/* The operations of a fake_iommu, plus those of a driver */
static struct iommu_domain_ops fake_paging_ops;

static struct iommu_domain *
fake_driver_alloc_paging(struct device *dev, u32 flags,
			 const struct iommu_user_data *user_data)
{
	struct fake_domain *fdom;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(-EOPNOTSUPP);
	fdom = kzalloc(sizeof(*fdom), GFP_KERNEL);
	if (!fdom)
		return ERR_PTR(-ENOMEM);
	fake_iommu_init(&fdom->fake, FAKE_PGSIZES_X86);
	fdom->fake.domain.ops = &fake_paging_ops;
	fdom->pasids = flags & IOMMU_HWPT_ALLOC_PASID;
	atomic_inc(&fake_driver.nr_domains);
	atomic_inc(&fake_driver.nr_allocs);
	if (fdom->pasids)
		atomic_inc(&fake_driver.nr_pasid_domains);
	return &fdom->fake.domain;
}

static bool fake_driver_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return !fake_driver.incoherent;
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
		return !fake_driver.cannot_snoop;
	default:
		return false;
	}
}

static struct iommu_device *fake_driver_probe(struct device *dev)
{
	dev_iommu_priv_set(dev, dev_get_drvdata(dev));
	return &fake_device;
}

static struct iommu_group *fake_driver_group(struct device *dev)
{
	if (!fake_driver.shared)
		return iommu_group_alloc();
	if (!fake_group)
		fake_group = iommu_group_alloc();
	return IS_ERR(fake_group) ? fake_group : iommu_group_ref_get(fake_group);
}

static int fake_driver_def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

static void fake_driver_get_resv_regions(struct device *dev, struct list_head *head)
{
	struct iommu_resv_region *region;

	if (!fake_driver.direct)
		return;
	region = iommu_alloc_resv_region(SZ_1M, SZ_64K, IOMMU_READ | IOMMU_WRITE,
					 IOMMU_RESV_DIRECT, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, head);
}

static const struct iommu_ops fake_driver_ops = {
	.owner = THIS_MODULE,
	.identity_domain = &fake_identity,
	.blocked_domain = &fake_blocked,
	.release_domain = &fake_blocked,
	.capable = fake_driver_capable,
	.probe_device = fake_driver_probe,
	.device_group = fake_driver_group,
	.def_domain_type = fake_driver_def_domain_type,
	.get_resv_regions = fake_driver_get_resv_regions,
	.domain_alloc_paging_flags = fake_driver_alloc_paging,
};

/* Once: iommu_domains are in use while others are allocated. */
static void fake_driver_set_ops(struct kunit *test)
{
	struct fake_iommu *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake_iommu_init(fake, FAKE_PGSIZES_X86);
	fake_paging_ops = *fake->domain.ops;
	fake_paging_ops.attach_dev = fake_driver_attach_dev;
	fake_paging_ops.set_dev_pasid = fake_driver_set_dev_pasid;
	fake_paging_ops.enforce_cache_coherency = fake_driver_enforce;
	fake_paging_ops.free = fake_driver_free;
}

/**
 * fake_driver_start() - Register the driver
 * @test: the test
 */
void fake_driver_start(struct kunit *test)
{
	struct platform_device_info info = {
		.name = "wdm-fake-iommu",
		.id = PLATFORM_DEVID_NONE,
	};

	memset(&fake_driver, 0, sizeof(fake_driver));
	fake_driver_set_ops(test);
	fake_fwnode = fwnode_create_software_node(NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake_fwnode);
	info.fwnode = fake_fwnode;
	fake_hw = platform_device_register_full(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fake_hw);
	fake_device.max_pasids = FAKE_DRIVER_PASIDS;
	/* The prefix of the drivers that report faults (quirks.c) */
	KUNIT_ASSERT_EQ(test, iommu_device_sysfs_add(&fake_device, NULL, NULL,
						     "ivhd-fake"), 0);
	KUNIT_ASSERT_EQ(test, iommu_device_register(&fake_device, &fake_driver_ops,
						    &fake_hw->dev), 0);
}

/**
 * fake_driver_stop() - Remove the devices and the driver
 * @test: the test
 */
void fake_driver_stop(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < fake_nr_devs; i++) {
		fake_driver_remove(&fake_devs[i]->dev);
		kfree(platform_get_drvdata(fake_devs[i]));
		platform_device_put(fake_devs[i]);
	}
	fake_nr_devs = 0;
	if (fake_group)
		iommu_group_put(fake_group);
	fake_group = NULL;
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_driver.nr_domains), 0);
	iommu_device_unregister(&fake_device);
	iommu_device_sysfs_remove(&fake_device);
	platform_device_unregister(fake_hw);
	fwnode_remove_software_node(fake_fwnode);
}

/* The firmware's description of a device behind the IOMMU: freed by the IOMMU core */
static void fake_driver_set_fwspec(struct kunit *test, struct device *dev)
{
	struct iommu_fwspec *fwspec;

	dev->iommu = kzalloc(sizeof(*dev->iommu), GFP_KERNEL);
	fwspec = kzalloc(struct_size(fwspec, ids, 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->iommu);
	KUNIT_ASSERT_NOT_NULL(test, fwspec);
	mutex_init(&dev->iommu->lock);
	fwspec->iommu_fwnode = fwnode_handle_get(fake_fwnode);
	fwspec->num_ids = 1;
	dev->iommu->fwspec = fwspec;
}

struct device *fake_driver_add(struct kunit *test, bool pasids)
{
	const struct property_entry properties[] = {
		PROPERTY_ENTRY_U32("pasid-num-bits",
				   fake_driver.pasid_bits ?: ilog2(FAKE_DRIVER_PASIDS)),
		{ }
	};
	struct platform_device *pdev;
	struct fake_dev *fdev;

	KUNIT_ASSERT_LT(test, fake_nr_devs, ARRAY_SIZE(fake_devs));
	pdev = platform_device_alloc("wdm-fake", PLATFORM_DEVID_AUTO);
	fdev = kzalloc(sizeof(*fdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_NOT_NULL(test, fdev);
	if (pasids)
		KUNIT_ASSERT_EQ(test, device_create_managed_software_node(&pdev->dev,
									  properties,
									  NULL),
				0);
	platform_set_drvdata(pdev, fdev);
	fake_driver_set_fwspec(test, &pdev->dev);
	KUNIT_ASSERT_EQ(test, platform_device_add(pdev), 0);
	KUNIT_ASSERT_TRUE(test, device_iommu_mapped(&pdev->dev));
	fake_devs[fake_nr_devs++] = pdev;
	return &pdev->dev;
}

void fake_driver_remove(struct device *dev)
{
	if (device_is_registered(dev))
		platform_device_del(to_platform_device(dev));
}

static struct iommu_domain *fake_driver_get(struct device *dev, u32 pasid)
{
	struct fake_dev *fdev = dev_get_drvdata(dev);

	return fdev->at[pasid];
}

struct fake_iommu *fake_driver_at(struct device *dev, u32 pasid)
{
	struct iommu_domain *domain = fake_driver_get(dev, pasid);

	if (!domain || domain->type != IOMMU_DOMAIN_UNMANAGED)
		return NULL;
	return container_of(domain, struct fake_iommu, domain);
}

bool fake_driver_identity(struct device *dev)
{
	return fake_driver_get(dev, 0) == &fake_identity;
}

phys_addr_t fake_driver_translate(struct device *dev, u32 pasid, u64 iova)
{
	struct fake_iommu *fake = fake_driver_at(dev, pasid);
	struct fake_page page;

	if (!fake || !fake_iommu_at(fake, iova, &page))
		return 0;
	return page.phys + (iova - page.iova);
}

bool fake_driver_snoops(struct device *dev, u32 pasid)
{
	struct fake_dev *fdev = dev_get_drvdata(dev);

	return fdev->snoops[pasid];
}
