/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PASIDs: the attach function takes a handle since 6.11, and domains can be allocated for
 * PASIDs since 6.13. Before 6.11 PASIDs are not supported here.
 */
#ifndef WDM_COMPAT_PASID_H
#define WDM_COMPAT_PASID_H

#include <linux/iommu.h>

#define WDM_HAS_PASIDS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0))

#if WDM_HAS_PASIDS
/* Get the number of PASIDs of a device, which is part of an IOMMU group; 0: none. */
static inline u32 wdm_max_pasids(struct device *dev)
{
	return dev->iommu ? dev->iommu->max_pasids : 0;
}

#else
#define iommu_attach_device_pasid	wdm_compat_attach_device_pasid
#define iommu_detach_device_pasid	wdm_compat_detach_device_pasid

static inline u32 wdm_max_pasids(struct device *dev)
{
	return 0;
}

static inline int iommu_attach_device_pasid(struct iommu_domain *domain,
					    struct device *dev, u32 pasid,
					    void *handle)
{
	return -EOPNOTSUPP;
}

static inline void iommu_detach_device_pasid(struct iommu_domain *domain,
					     struct device *dev, u32 pasid)
{
}
#endif

/*
 * Whether an iommu_domain can be allocated for PASIDs. Otherwise only the attach tells
 * whether one supports a PASID.
 */
#define WDM_HAS_PASID_DOMAINS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0))

#if WDM_HAS_PASID_DOMAINS
#include <uapi/linux/iommufd.h>
#endif

static inline struct iommu_domain *wdm_pasid_domain_alloc(struct device *dev)
{
#if WDM_HAS_PASID_DOMAINS
	return iommu_paging_domain_alloc_flags(dev, IOMMU_HWPT_ALLOC_PASID);
#else
	return iommu_paging_domain_alloc(dev);
#endif
}

#endif /* WDM_COMPAT_PASID_H */
