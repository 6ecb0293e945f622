/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Find out whether a file is a VFIO device cdev, and whether it is bound.
 *
 * VFIO exports no function for either, and struct vfio_device_file is private. Both answers
 * depend on drivers/vfio as it is from 6.6, the first kernel with cdevs, to 7.3. So newer
 * kernels are refused until their sources have been compared.
 */
#ifndef WDM_COMPAT_VFIO_CDEV_H
#define WDM_COMPAT_VFIO_CDEV_H

#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/version.h>
#include <linux/vfio.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0) && !defined(WDM_UNKNOWN_VFIO)
#error "compare drivers/vfio/vfio_main.c with what is said here, then make WDM_UNKNOWN_VFIO=1"
#endif

/*
 * Get the VFIO device of a file, if it is a device cdev; NULL otherwise. Of VFIO's files,
 * only cdevs and groups are character devices: a device opened through its group has an
 * anonymous inode. An open file holds its cdev, which is part of the device.
 */
static inline struct vfio_device *wdm_vfio_cdev_device(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (!vfio_file_is_valid(file) || vfio_file_is_group(file) ||
	    !S_ISCHR(inode->i_mode))
		return NULL;
	return container_of(inode->i_cdev, struct vfio_device, cdev);
}

/*
 * Check whether a device is bound to an iommufd through this cdev file. Returns 1 or 0, or
 * a negative errno if that cannot be found out. While the file is held, 1 remains true.
 *
 * If the file is not bound, VFIO refuses every ioctl but VFIO_DEVICE_BIND_IOMMUFD with
 * -EINVAL, before it does anything else. If it is bound, VFIO resumes the device, which
 * may fail with -EIO, and then reads the argument of VFIO_DEVICE_FEATURE; the pointer
 * passed here is never a valid user address.
 */
static inline int wdm_vfio_cdev_is_bound(struct file *file)
{
	long ret = file->f_op->unlocked_ioctl(file, VFIO_DEVICE_FEATURE, ULONG_MAX);

	switch (ret) {
	case -EFAULT:
		return 1;
	case -EINVAL:
		return 0;
	default:
		/* This VFIO is not the one described above. */
		return WARN_ON_ONCE(ret >= 0) ? -EOPNOTSUPP : ret;
	}
}

#endif /* WDM_COMPAT_VFIO_CDEV_H */
