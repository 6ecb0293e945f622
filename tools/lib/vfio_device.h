/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Declarations shared by the library's files and its tests. Not installed.
 */
#ifndef VFIO_DEVICE_H
#define VFIO_DEVICE_H

#include <assert.h>
#include <pthread.h>
#include <sys/types.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "wdm_iommu_user.h"

static_assert(sizeof(off_t) == 8, "VFIO's offsets need -D_FILE_OFFSET_BITS=64");

/* BARs, followed by the expansion ROM */
#define WDM_REGIONS	(PCI_STD_NUM_BARS + 1)

/**
 * struct wdm_area - part of a region that programs can map
 * @offset: offset in the region
 * @size: size in bytes
 * @memory: address of the mapping, or NULL
 */
struct wdm_area {
	__u64 offset;
	__u64 size;
	void *memory;
};

/**
 * struct wdm_region - a region of a device, as VFIO describes it
 * @size: size in bytes; 0: there is none
 * @offset: offset in the device's file
 * @flags: VFIO_REGION_INFO_FLAG_*
 * @number: number of @areas
 * @areas: the parts that can be mapped
 */
struct wdm_region {
	__u64 size;
	__u64 offset;
	__u32 flags;
	__u32 number;
	struct wdm_area *areas;
};

/**
 * struct wdm_vfio_device - a PCI device opened through VFIO
 * @container: fd of /dev/vfio/vfio
 * @group: fd of /dev/vfio/N
 * @iommufd: fd of /dev/iommu; -1 for a device of a container, or if only a broker has it
 * @fd: the device's own fd
 * @is_cdev: @fd is its cdev, and @container and @group are -1
 * @group_number: N
 * @owns_container: closing the device closes @container
 * @owns_group: closing the device closes @group
 * @owns_iommufd: closing the device closes @iommufd
 * @added_group: @group was in no container before
 * @handle: the IOMMU_DMA_DEVICE
 * @address: where the device is
 * @lock: guards @regions and the @memory of their areas
 * @known: bit (1 << index) for each of @regions that is filled in
 * @regions: BARs and ROM
 */
struct wdm_vfio_device {
	int container;
	int group;
	int iommufd;
	int fd;
	int group_number;
	bool is_cdev;
	bool owns_container;
	bool owns_group;
	bool owns_iommufd;
	bool added_group;
	__u32 handle;
	struct wdm_pci_address address;
	pthread_mutex_t lock;
	__u32 known;
	struct wdm_region regions[WDM_REGIONS];
};

struct wdm_vfio_device *wdm__vfio_new(void);
bool wdm__vfio_start(struct wdm_vfio_device *device, struct wdm_error *error);
bool wdm__vfio_get(struct wdm_vfio_device *device, const char *bdf, struct wdm_error *error);
void wdm__vfio_close_files(struct wdm_vfio_device *device);

/* cdev.c */
bool wdm__cdev_get(struct wdm_vfio_device *device, const char *bdf, struct wdm_error *error);

bool wdm__region_fill(struct wdm_region *region, const struct vfio_region_info *info);
bool wdm__good_width(__u64 offset, size_t width, struct wdm_error *error);
bool wdm__pread(const struct wdm_vfio_device *device, void *value, size_t width, __u64 where,
		struct wdm_error *error);
bool wdm__pwrite(const struct wdm_vfio_device *device, const void *value, size_t width,
		 __u64 where, struct wdm_error *error);

/*
 * error.c: fill in @error, which may be NULL, set errno, and return false. @format says what
 * failed, @cure what helps; the second function looks up the cure of an errno.
 */
__attribute__((__format__(__printf__, 4, 5)))
bool wdm__fail(struct wdm_error *error, int number, const char *cure, const char *format, ...);
__attribute__((__format__(__printf__, 3, 4)))
bool wdm__fail_errno(struct wdm_error *error, const char *cure, const char *format, ...);

#endif
