/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations for IOMMU backends of VFIO's containers. The kernel's are in
 * drivers/vfio/vfio.h, which is not installed with its headers; the symbols are exported.
 *
 * Nothing checks that the two declarations agree: a kernel that adds a member would read
 * past the end of ours. So kernels newer than the last one whose drivers/vfio/vfio.h was
 * compared are refused.
 */
#ifndef WDM_COMPAT_VFIO_DRIVER_H
#define WDM_COMPAT_VFIO_DRIVER_H

#include <linux/types.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0) && !defined(WDM_UNKNOWN_VFIO)
#error "compare struct vfio_iommu_driver_ops with drivers/vfio/vfio.h, then make WDM_UNKNOWN_VFIO=1"
#endif

struct iommu_domain;
struct iommu_group;
struct module;
struct page;
struct vfio_device;

enum vfio_group_type {
	VFIO_IOMMU,		/* a device behind an IOMMU */
	VFIO_EMULATED_IOMMU,	/* no DMA of its own (mdev) */
	VFIO_NO_IOMMU,		/* unprotected */
};

struct vfio_iommu_driver_ops {
	char *name;
	struct module *owner;
	void *(*open)(unsigned long arg);
	void (*release)(void *iommu_data);
	long (*ioctl)(void *iommu_data, unsigned int cmd, unsigned long arg);
	int (*attach_group)(void *iommu_data, struct iommu_group *group,
			    enum vfio_group_type type);
	void (*detach_group)(void *iommu_data, struct iommu_group *group);
	int (*pin_pages)(void *iommu_data, struct iommu_group *group,
			 dma_addr_t user_iova, int npage, int prot,
			 struct page **pages);
	void (*unpin_pages)(void *iommu_data, dma_addr_t user_iova, int npage);
	void (*register_device)(void *iommu_data, struct vfio_device *vdev);
	void (*unregister_device)(void *iommu_data, struct vfio_device *vdev);
	int (*dma_rw)(void *iommu_data, dma_addr_t user_iova, void *data,
		      size_t count, bool write);
	struct iommu_domain *(*group_iommu_domain)(void *iommu_data,
						   struct iommu_group *group);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	void (*notify)(void *iommu_data, int event);
#endif
};

int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops);
void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops);

#endif /* WDM_COMPAT_VFIO_DRIVER_H */
