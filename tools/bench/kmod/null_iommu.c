// SPDX-License-Identifier: GPL-2.0
/*
 * An IOMMU driver that does nothing, for a machine without an IOMMU, to measure the
 * cost of VFIO, groups and domains alone. It probes QEMU's edu devices, and does not
 * restrict their DMA.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8

static struct iommu_device null_iommu;
static const struct iommu_ops null_ops;

static int null_attach(struct iommu_domain *domain, struct device *dev,
		       struct iommu_domain *old)
{
	return 0;
}

static int null_map(struct iommu_domain *domain, unsigned long iova,
		    phys_addr_t paddr, size_t pgsize, size_t pgcount, int prot,
		    gfp_t gfp, size_t *mapped)
{
	*mapped = pgsize * pgcount;
	return 0;
}

static size_t null_unmap(struct iommu_domain *domain, unsigned long iova,
			 size_t pgsize, size_t pgcount,
			 struct iommu_iotlb_gather *gather)
{
	return pgsize * pgcount;
}

static void null_free(struct iommu_domain *domain)
{
	kfree(domain);
}

static bool null_enforce_cache_coherency(struct iommu_domain *domain)
{
	return true;
}

static const struct iommu_domain_ops null_domain_ops = {
	.attach_dev = null_attach,
	.map_pages = null_map,
	.unmap_pages = null_unmap,
	.enforce_cache_coherency = null_enforce_cache_coherency,
	.free = null_free,
};

static const struct iommu_domain_ops null_static_ops = {
	.attach_dev = null_attach,
};

static struct iommu_domain null_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &null_static_ops,
};

static struct iommu_domain null_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &null_static_ops,
};

static struct iommu_domain *null_domain_alloc(struct device *dev)
{
	struct iommu_domain *domain;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL);
	if (!domain)
		return NULL;
	domain->pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G;
	domain->geometry.aperture_end = DMA_BIT_MASK(48);
	domain->geometry.force_aperture = true;
	return domain;
}

static bool null_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY;
}

static struct iommu_device *null_probe(struct device *dev)
{
	struct pci_dev *pdev;

	if (!dev_is_pci(dev))
		return ERR_PTR(-ENODEV);
	pdev = to_pci_dev(dev);
	if (pdev->vendor != EDU_VENDOR || pdev->device != EDU_DEVICE)
		return ERR_PTR(-ENODEV);
	return &null_iommu;
}

/* Otherwise the core asks for a DMA domain. */
static int null_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

static const struct iommu_ops null_ops = {
	.owner = THIS_MODULE,
	.capable = null_capable,
	.identity_domain = &null_identity_domain,
	.blocked_domain = &null_blocked_domain,
	.domain_alloc_paging = null_domain_alloc,
	.default_domain_ops = &null_domain_ops,
	.def_domain_type = null_domain_type,
	.probe_device = null_probe,
	.device_group = generic_device_group,
};

static int __init null_init(void)
{
	int ret;

	ret = iommu_device_sysfs_add(&null_iommu, NULL, NULL, "null_iommu");
	if (ret)
		return ret;
	ret = iommu_device_register(&null_iommu, &null_ops, NULL);
	if (ret)
		iommu_device_sysfs_remove(&null_iommu);
	return ret;
}
module_init(null_init);

/* A device pins the module until it is removed from its bus. */
static void __exit null_exit(void)
{
	iommu_device_unregister(&null_iommu);
	iommu_device_sysfs_remove(&null_iommu);
}
module_exit(null_exit);

MODULE_DESCRIPTION("An IOMMU that does nothing, for wdm-iommu's benchmark");
MODULE_LICENSE("GPL");
