// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A PCI device through VFIO's cdev: the cdev, an iommufd, and the device's handle.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vfio_device.h"

/* For headers of Linux before 6.6 */
#ifndef VFIO_DEVICE_BIND_IOMMUFD
struct vfio_device_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

#define VFIO_DEVICE_BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

/* VFIO names the device of @bdf vfioN, the only entry of that directory. */
static bool find_cdev(const char *bdf, char *path, size_t size)
{
	bool found = false;
	struct dirent *entry;
	char folder[64];
	DIR *dir;

	snprintf(folder, sizeof(folder), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(folder);
	if (!dir)
		return false;
	errno = ENOENT;
	while (!found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, size, "/dev/vfio/devices/%s", entry->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

/**
 * wdm_cdev_open() - Open the VFIO cdev of a device
 * @bdf: the device, as sysfs names it
 * @error: what went wrong; may be NULL
 *
 * Return: a file descriptor, or -1.
 */
int wdm_cdev_open(const char *bdf, struct wdm_error *error)
{
	char path[300];
	int cdev;

	if (!find_cdev(bdf, path, sizeof(path))) {
		wdm__fail_errno(error,
				"Bind it to vfio-pci, on a kernel with CONFIG_VFIO_DEVICE_CDEV",
				"%s has no VFIO cdev", bdf);
		return -1;
	}
	cdev = open(path, O_RDWR | O_CLOEXEC);
	if (cdev < 0)
		wdm__fail_errno(error, "Give this user access to the file", "cannot open %s", path);
	return cdev;
}

/**
 * wdm_iommufd_open() - Open an iommufd
 * @error: what went wrong; may be NULL
 *
 * Return: a file descriptor, or -1.
 */
int wdm_iommufd_open(struct wdm_error *error)
{
	int iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (iommufd < 0)
		wdm__fail_errno(error, errno == ENOENT ? "Load iommufd: modprobe iommufd" :
							 "Give this user access to the file",
				"cannot open /dev/iommu");
	return iommufd;
}

static const char *bind_cure(void)
{
	switch (errno) {
	case EBUSY:
		return "Close the program that has the device's group open";
	case EINVAL:
		return "Close the program that has the device open";
	case EPERM:
		return "Bind all of the group to vfio-pci, or set iommufd.allow_unsafe_interrupts";
	default:
		return "";
	}
}

/**
 * wdm_cdev_bind() - Bind a device to an iommufd, which blocks all of its DMA
 * @cdev: the device's cdev
 * @iommufd: the iommufd
 * @error: out: description of a failure; may be NULL
 *
 * Return: true on success.
 */
bool wdm_cdev_bind(int cdev, int iommufd, struct wdm_error *error)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };

	if (ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return wdm__fail_errno(error, bind_cure(), "cannot bind the device to an iommufd");
	return true;
}

/* Open the device, with an iommufd. */
bool wdm__cdev_get(struct wdm_vfio_device *device, const char *bdf, struct wdm_error *error)
{
	device->is_cdev = true;
	device->fd = wdm_cdev_open(bdf, error);
	return device->fd >= 0 && wdm_cdev_bind(device->fd, device->iommufd, error) &&
	       wdm__vfio_start(device, error);
}

/**
 * wdm_device_create_cdev() - IommuDeviceCreate, for a VFIO cdev
 * @fd: /dev/wdm_iommu
 * @cdev: the cdev, bound to an iommufd
 * @device: out: the handle
 * @group: out: the number of its IOMMU group; may be NULL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_device_create_cdev(int fd, int cdev, __u32 *device, __u32 *group)
{
	struct wdm_iommu_device_create argument = {
		.size = sizeof(argument),
		.flags = WDM_IOMMU_DEVICE_CDEV,
		.cdev = cdev,
	};
	__u32 status = wdm_call(fd, WDM_IOMMU_DEVICE_CREATE, &argument);

	*device = argument.device;
	if (group)
		*group = argument.group;
	return status;
}
