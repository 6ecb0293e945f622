// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A PCI device through VFIO's container: container, group, our IOMMU backend,
 * the bind to /dev/wdm_iommu, and the device with its DMA enabled.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "wdm_iommu_user.h"

static bool fail(struct wdm_error *error, const char *step, int number, __u32 status)
{
	*error = (struct wdm_error) { .step = step, .error = number, .status = status };
	return false;
}

static bool fail_errno(struct wdm_error *error, const char *step)
{
	return fail(error, step, errno, WDM_STATUS_NONE);
}

/**
 * wdm_container_open() - open a VFIO container, and check that VFIO knows us
 * @error: what went wrong
 *
 * Return: a file descriptor, or -1.
 */
int wdm_container_open(struct wdm_error *error)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	if (container < 0) {
		fail_errno(error, "open /dev/vfio/vfio");
		return -1;
	}
	if (ioctl(container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		fail(error, "find VFIO's API version", EPROTO, WDM_STATUS_NONE);
	else if (ioctl(container, VFIO_CHECK_EXTENSION, WDM_IOMMU_VFIO_IOMMU) != 1)
		fail(error, "find wdm_iommu among VFIO's IOMMU backends", ENODEV, WDM_STATUS_NONE);
	else
		return container;
	close(container);
	return -1;
}

/**
 * wdm_group_open() - open a VFIO group that is viable
 * @number: the IOMMU group
 * @error: what went wrong
 *
 * Return: a file descriptor, or -1.
 */
int wdm_group_open(int number, struct wdm_error *error)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[32];
	int group;

	snprintf(path, sizeof(path), "/dev/vfio/%d", number);
	group = open(path, O_RDWR | O_CLOEXEC);
	if (group < 0) {
		fail_errno(error, "open the group");
		return -1;
	}
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status)) {
		fail_errno(error, "get the group's status");
	} else if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		/* A device of the group has a driver that is not VFIO's. */
		fail(error, "find the group viable", EBUSY, WDM_STATUS_NONE);
	} else {
		return group;
	}
	close(group);
	return -1;
}

/**
 * wdm_container_add() - put a group into a container
 * @container: the container
 * @group: the group
 * @error: what went wrong
 *
 * Return: whether it worked.
 */
bool wdm_container_add(int container, int group, struct wdm_error *error)
{
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		return fail_errno(error, "put the group into the container");
	return true;
}

/**
 * wdm_container_bind() - choose our IOMMU backend, and bind it to an open file
 * @container: a container with a group
 * @fd: /dev/wdm_iommu
 * @error: what went wrong
 *
 * Return: whether it worked.
 */
bool wdm_container_bind(int container, int fd, struct wdm_error *error)
{
	__u32 status;

	if (ioctl(container, VFIO_SET_IOMMU, WDM_IOMMU_VFIO_IOMMU))
		return fail_errno(error, "choose wdm_iommu as the container's IOMMU");
	status = wdm_vfio_bind(container, fd);
	if (status)
		return fail(error, "bind the container to /dev/wdm_iommu", errno, status);
	return true;
}

static bool get_region(int device, __u32 index, struct vfio_region_info *region)
{
	*region = (struct vfio_region_info) { .argsz = sizeof(*region), .index = index };
	return !ioctl(device, VFIO_DEVICE_GET_REGION_INFO, region);
}

static bool enable_dma(int device)
{
	struct vfio_region_info config;
	__u16 command;
	off_t where;

	if (!get_region(device, VFIO_PCI_CONFIG_REGION_INDEX, &config))
		return false;
	where = config.offset + PCI_COMMAND;
	if (pread(device, &command, sizeof(command), where) != sizeof(command))
		return false;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return pwrite(device, &command, sizeof(command), where) == sizeof(command);
}

/* A BAR may be absent, I/O ports, or memory that VFIO does not let programs map. */
static bool map_bar(struct wdm_vfio_device *device, unsigned int index)
{
	struct vfio_region_info bar;
	void *memory;

	if (!get_region(device->fd, VFIO_PCI_BAR0_REGION_INDEX + index, &bar) || !bar.size ||
	    !(bar.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return false;
	memory = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd, bar.offset);
	if (memory == MAP_FAILED)
		return false;
	device->bar = memory;
	device->bar_size = bar.size;
	device->bar_index = index;
	return true;
}

/* The first one that can be mapped; a device can be used without. */
static void map_first_bar(struct wdm_vfio_device *device)
{
	unsigned int index = 0;

	while (index < PCI_STD_NUM_BARS && !map_bar(device, index))
		index++;
}

/**
 * wdm_vfio_get() - get a device out of its group: fd, bus mastering, a BAR
 * @device: its group is open and in a container that has an IOMMU
 * @bdf: the device, as sysfs names it
 * @error: what went wrong
 *
 * Return: whether it worked; if not, wdm_vfio_close() is still to be called.
 */
bool wdm_vfio_get(struct wdm_vfio_device *device, const char *bdf, struct wdm_error *error)
{
	device->fd = ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (device->fd < 0)
		return fail_errno(error, "get the device out of its group");
	if (!enable_dma(device->fd))
		return fail_errno(error, "enable bus mastering");
	map_first_bar(device);
	return true;
}

/* @name: the device, as sysfs names it */
static bool start_device(struct wdm_vfio_device *device, const char *bdf,
			 struct wdm_bdf *name, struct wdm_error *error)
{
	*device = (struct wdm_vfio_device) {
		.container = -1, .group = -1, .fd = -1, .bar_index = -1,
	};
	if (!wdm_pci_parse(bdf, &device->address))
		return fail(error, "read the PCI address", EINVAL, WDM_STATUS_NONE);
	wdm_pci_format(&device->address, name);
	device->group_number = wdm_pci_group(name->text);
	if (device->group_number < 0)
		return fail(error, "find the device's IOMMU group", ENODEV, WDM_STATUS_NONE);
	return true;
}

/* The last steps: the device's fd, and its handle. */
static bool finish_device(struct wdm_vfio_device *device, int fd,
			  const struct wdm_bdf *name, struct wdm_error *error)
{
	__u32 status;

	if (!wdm_vfio_get(device, name->text, error))
		return false;
	status = wdm_device_create(fd, &device->address, &device->handle, NULL);
	if (status)
		return fail(error, "create the device's handle", errno, status);
	return true;
}

static bool open_device(struct wdm_vfio_device *device, int fd, const char *bdf,
			struct wdm_error *error)
{
	struct wdm_bdf name;

	if (!start_device(device, bdf, &name, error))
		return false;
	device->container = wdm_container_open(error);
	if (device->container < 0)
		return false;
	device->owns_container = true;
	device->group = wdm_group_open(device->group_number, error);
	if (device->group < 0)
		return false;
	device->owns_group = true;
	return wdm_container_add(device->container, device->group, error) &&
	       wdm_container_bind(device->container, fd, error) &&
	       finish_device(device, fd, &name, error);
}

static bool open_beside(struct wdm_vfio_device *device, const struct wdm_vfio_device *first,
			int fd, const char *bdf, struct wdm_error *error)
{
	struct wdm_bdf name;

	if (!start_device(device, bdf, &name, error))
		return false;
	device->container = first->container;
	if (device->group_number == first->group_number) {
		device->group = first->group;
	} else {
		device->group = wdm_group_open(device->group_number, error);
		if (device->group < 0)
			return false;
		device->owns_group = true;
		if (!wdm_container_add(device->container, device->group, error))
			return false;
	}
	return finish_device(device, fd, &name, error);
}

/* Leave nothing open after a failure. */
static bool opened(struct wdm_vfio_device *device, bool success)
{
	int error = errno;

	if (!success)
		wdm_vfio_close(device);
	errno = error;
	return success;
}

/**
 * wdm_vfio_open() - open a device, with a container of its own
 * @device: to be filled in
 * @fd: /dev/wdm_iommu
 * @bdf: the device: "0000:00:03.0", or "00:03.0" of segment 0
 * @error: what went wrong
 *
 * From here on all DMA of the device is blocked, until it is attached.
 *
 * Return: whether it worked; if not, nothing is open.
 */
bool wdm_vfio_open(struct wdm_vfio_device *device, int fd, const char *bdf,
		   struct wdm_error *error)
{
	return opened(device, open_device(device, fd, bdf, error));
}

/**
 * wdm_vfio_open_beside() - open a further device in the same container
 * @device: to be filled in
 * @first: a device that is open, and must be closed after @device
 * @fd: /dev/wdm_iommu
 * @bdf: the device, as for wdm_vfio_open(); of the same group or of another
 * @error: what went wrong
 *
 * Return: whether it worked; if not, nothing has changed.
 */
bool wdm_vfio_open_beside(struct wdm_vfio_device *device, const struct wdm_vfio_device *first,
			  int fd, const char *bdf, struct wdm_error *error)
{
	return opened(device, open_beside(device, first, fd, bdf, error));
}

static void close_fd(int *fd, bool owned)
{
	if (owned && *fd >= 0)
		close(*fd);
	*fd = -1;
}

/**
 * wdm_vfio_close() - close what belongs to a device
 * @device: the device; its handle stays
 *
 * Also good for a device that is open in part, or closed.
 */
void wdm_vfio_close(struct wdm_vfio_device *device)
{
	if (device->bar)
		munmap(device->bar, device->bar_size);
	device->bar = NULL;
	device->bar_index = -1;
	close_fd(&device->fd, true);
	close_fd(&device->group, device->owns_group);
	close_fd(&device->container, device->owns_container);
}
