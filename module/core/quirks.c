// SPDX-License-Identifier: GPL-2.0
/*
 * What the IOMMU API does not tell about IOMMU drivers. Names of drivers stand
 * here and nowhere else.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "quirks.h"

/* The IOMMU that a device is behind; NULL if it is behind none any more */
static struct device *wdm_iommu_of(struct device *dev)
{
	if (!dev->iommu || !dev->iommu->iommu_dev)
		return NULL;
	return dev->iommu->iommu_dev->dev;
}

/**
 * wdm_quirk_unmaps_exact() - Does the IOMMU driver only unmap whole calls?
 * @dev: a device behind the IOMMU; it stays in its group meanwhile
 *
 * The driver of virtio keeps one mapping for each call of iommu_map() where
 * others have a page table, and cannot unmap a part of one.
 *
 * Return: whether an unmap must cover all that one call mapped.
 */
bool wdm_quirk_unmaps_exact(struct device *dev)
{
	struct device *iommu = wdm_iommu_of(dev);

	return iommu && iommu->parent && iommu->parent->bus &&
	       !strcmp(iommu->parent->bus->name, "virtio");
}

/**
 * wdm_quirk_reports_faults() - Does the IOMMU driver report faults?
 * @dev: a device behind the IOMMU; it stays in its group meanwhile
 *
 * Of the drivers for PCI devices, only AMD's calls report_iommu_fault(); its
 * IOMMUs are named ivhd0, ivhd1, ...
 *
 * Return: whether it does.
 */
bool wdm_quirk_reports_faults(struct device *dev)
{
	struct device *iommu = wdm_iommu_of(dev);

	return iommu && str_has_prefix(dev_name(iommu), "ivhd");
}

/**
 * wdm_quirk_last_iova() - The last address that may be mapped
 * @iommu_domain: attached once, so that its aperture is final
 *
 * The IOMMU API computes the end of a mapping as iova + size. For the last page
 * of a 64-bit aperture (virtio's, and others') that is 0, which the kernel's
 * check of freed pages (CONFIG_IOMMU_DEBUG_PAGEALLOC) takes for an overflow and
 * warns about. Leave that page out.
 *
 * Return: the last byte.
 */
u64 wdm_quirk_last_iova(const struct iommu_domain *iommu_domain)
{
	return min_t(u64, iommu_domain->geometry.aperture_end,
		     U64_MAX - PAGE_SIZE);
}
