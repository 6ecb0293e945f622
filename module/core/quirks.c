// SPDX-License-Identifier: GPL-2.0
/*
 * Properties of IOMMU drivers that the IOMMU API does not expose. This is the only place
 * with names of drivers.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "quirks.h"

/* Get the IOMMU of a device; NULL if it has none any more. */
static struct device *wdm_iommu_of(struct device *dev)
{
	if (!dev->iommu || !dev->iommu->iommu_dev)
		return NULL;
	return dev->iommu->iommu_dev->dev;
}

/**
 * wdm_quirk_unmaps_exact() - Check whether the IOMMU driver only unmaps whole calls
 * @dev: a device behind the IOMMU, which the caller keeps in its group
 *
 * The driver of virtio-iommu has no page table. It records each call of iommu_map() as
 * one mapping, and cannot unmap part of it.
 *
 * Return: true if an unmap must cover everything that one call mapped.
 */
bool wdm_quirk_unmaps_exact(struct device *dev)
{
	struct device *iommu = wdm_iommu_of(dev);

	return iommu && iommu->parent && iommu->parent->bus &&
	       !strcmp(iommu->parent->bus->name, "virtio");
}

/**
 * wdm_quirk_reports_faults() - Check whether the IOMMU driver reports faults
 * @dev: a device behind the IOMMU, which the caller keeps in its group
 *
 * Of the drivers for PCI devices, only AMD's calls report_iommu_fault(); its IOMMUs are
 * named ivhd0, ivhd1, ...
 *
 * Return: true if it does.
 */
bool wdm_quirk_reports_faults(struct device *dev)
{
	struct device *iommu = wdm_iommu_of(dev);

	return iommu && str_has_prefix(dev_name(iommu), "ivhd");
}

/**
 * wdm_quirk_aperture() - Get the addresses that an iommu_domain translates
 * @iommu_domain: attached before, so that its aperture is final
 *
 * The IOMMU core computes the end of a mapping as iova + size. For the last page of a
 * 64-bit aperture (virtio's, for one) that is 0, which debug_pagealloc of the IOMMU core
 * (CONFIG_IOMMU_DEBUG_PAGEALLOC) takes for an overflow and warns about. Leave that page
 * out.
 *
 * Return: the addresses that can be mapped.
 */
struct wdm_iova_range wdm_quirk_aperture(const struct iommu_domain *iommu_domain)
{
	return (struct wdm_iova_range) {
		.iova = iommu_domain->geometry.aperture_start,
		.last_iova = min_t(u64, iommu_domain->geometry.aperture_end,
				   U64_MAX - PAGE_SIZE),
	};
}
