/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Support for older kernels. The code is written for the newest kernel (7.3); only this
 * folder checks versions.
 */
#ifndef WDM_COMPAT_H
#define WDM_COMPAT_H

#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/irqdomain.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/version.h>

/* The contract and its page table formats assume 4 KiB pages. */
#if PAGE_SHIFT != 12
#error "wdm_iommu supports kernels with pages of 4 KiB only"
#endif

/* 6.15 introduced a name for it. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define wdm_compat_pragma(x)	_Pragma(#x)
#define unrolled_count(n)	wdm_compat_pragma(GCC unroll n)
#else
#include <linux/unroll.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0) && defined(CONFIG_X86)
#include "sync.h"

#define iommu_iotlb_sync wdm_compat_iotlb_sync
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0) && defined(CONFIG_X86)
#include "unmap.h"

#define iommu_unmap_fast wdm_compat_iommu_unmap_fast
#endif

#if (LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0) && defined(CONFIG_X86)) || \
	defined(WDM_KUNIT)
#include "undo.h"
#else
static inline u64 wdm_map_limit(u64 iova)
{
	return U64_MAX;
}

static inline void wdm_map_failed(struct iommu_domain *domain)
{
}
#endif

/* The namespace of the symbols exported to kernel code. A string since 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define WDM_IOMMU_NS	WDM_IOMMU
#else
#define WDM_IOMMU_NS	"WDM_IOMMU"
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
static inline struct iommu_domain *iommu_paging_domain_alloc(struct device *dev)
{
	struct iommu_domain *domain = iommu_domain_alloc(dev->bus);

	return domain ?: ERR_PTR(-ENOMEM);
}
#endif

#include "direct.h"
#include "pasid.h"

/*
 * iommu_map() takes GFP flags since 6.3. Before that there is one variant for GFP_KERNEL
 * and one for GFP_ATOMIC.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline int wdm_compat_iommu_map(struct iommu_domain *domain,
				       unsigned long iova, phys_addr_t paddr,
				       size_t size, int prot, gfp_t gfp)
{
	if (!gfpflags_allow_blocking(gfp))
		return iommu_map_atomic(domain, iova, paddr, size, prot);
	return iommu_map(domain, iova, paddr, size, prot);
}

#define iommu_map wdm_compat_iommu_map

static inline ssize_t wdm_compat_iommu_map_sg(struct iommu_domain *domain,
					      unsigned long iova,
					      struct scatterlist *sg,
					      unsigned int nents, int prot,
					      gfp_t gfp)
{
	return iommu_map_sg(domain, iova, sg, nents, prot);
}

#define iommu_map_sg wdm_compat_iommu_map_sg

/* These drivers can tell for attached devices only. PASIDs are for newer kernels. */
static inline bool wdm_can_enforce_coherency(struct device *dev)
{
	return true;
}

static inline int wdm_compat_remaps_interrupts(struct device *dev, void *data)
{
	return device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
}

static inline bool iommu_group_has_isolated_msi(struct iommu_group *group)
{
	return irq_domain_check_msi_remap() ||
	       iommu_group_for_each_dev(group, NULL,
					wdm_compat_remaps_interrupts);
}
#else
static inline bool wdm_can_enforce_coherency(struct device *dev)
{
	return device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}
#endif

#endif /* WDM_COMPAT_H */
