// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A PCI device through VFIO: its cdev and an iommufd (cdev.c), or container, group, the
 * module's IOMMU backend and the bind to /dev/wdm_iommu; and the device with its DMA enabled.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vfio_device.h"

static const char access_cure[] = "Give this user access to the file";

/**
 * wdm_container_open() - Open a VFIO container, and check that VFIO knows the module
 * @error: out: description of a failure; may be NULL
 *
 * Return: a file descriptor, or -1.
 */
int wdm_container_open(struct wdm_error *error)
{
	static const char path[] = "/dev/vfio/vfio";
	int container = open(path, O_RDWR | O_CLOEXEC);

	if (container < 0) {
		wdm__fail_errno(error, errno == ENOENT ? "Load VFIO: modprobe vfio-pci" :
							 access_cure, "cannot open %s", path);
		return -1;
	}
	if (ioctl(container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		wdm__fail(error, EPROTO, "", "VFIO's API has another version");
	else if (ioctl(container, VFIO_CHECK_EXTENSION, WDM_IOMMU_VFIO_IOMMU) != 1)
		wdm__fail(error, ENODEV, "Load the module: modprobe wdm_iommu",
			  "VFIO does not know wdm_iommu");
	else
		return container;
	close(container);
	return -1;
}

static const char *group_cure(void)
{
	switch (errno) {
	case ENOENT:
		return "Bind the device to vfio-pci";
	case EBUSY:
		return "Close the program that has the group open";
	default:
		return access_cure;
	}
}

/**
 * wdm_group_open() - Open a VFIO group, and check that it is viable
 * @number: the IOMMU group
 * @error: out: description of a failure; may be NULL
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
		wdm__fail_errno(error, group_cure(), "cannot open IOMMU group %s", path);
		return -1;
	}
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		wdm__fail_errno(error, "", "cannot get the status of IOMMU group %d", number);
	else if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		wdm__fail(error, EBUSY,
			  "Bind all devices of the group to vfio-pci, or unbind their drivers",
			  "a device of IOMMU group %d has another driver", number);
	else
		return group;
	close(group);
	return -1;
}

/**
 * wdm_container_add() - Add a group to a container
 * @container: the container
 * @group: the group
 * @error: out: description of a failure; may be NULL
 *
 * Return: true on success.
 */
bool wdm_container_add(int container, int group, struct wdm_error *error)
{
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		return wdm__fail_errno(error, "", "cannot add the group to the container");
	return true;
}

/**
 * wdm_container_bind() - Select the module as IOMMU backend, and bind a container to a file
 * @container: a container with a group
 * @fd: /dev/wdm_iommu
 * @error: out: description of a failure; may be NULL
 *
 * Return: true on success.
 */
bool wdm_container_bind(int container, int fd, struct wdm_error *error)
{
	__u32 status;

	if (ioctl(container, VFIO_SET_IOMMU, WDM_IOMMU_VFIO_IOMMU))
		return wdm__fail_errno(error, "", "cannot select the container's IOMMU backend");
	status = wdm_vfio_bind(container, fd);
	if (status)
		return wdm_error_set(error, status,
				     "cannot bind the container to " WDM_IOMMU_PATH);
	return true;
}

/* Enable memory and I/O decoding, and bus mastering. */
bool wdm__vfio_start(struct wdm_vfio_device *device, struct wdm_error *error)
{
	__u16 command;

	return wdm_config_read16(device, PCI_COMMAND, &command, error) &&
	       wdm_config_write16(device, PCI_COMMAND,
				  command | PCI_COMMAND_MEMORY | PCI_COMMAND_IO |
				  PCI_COMMAND_MASTER, error);
}

bool wdm__vfio_get(struct wdm_vfio_device *device, const char *bdf, struct wdm_error *error)
{
	device->fd = ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (device->fd < 0)
		return wdm__fail_errno(error, errno == ENODEV ? "Bind the device to vfio-pci" : "",
				  "cannot get %s from its IOMMU group", bdf);
	return wdm__vfio_start(device, error);
}

struct wdm_vfio_device *wdm__vfio_new(void)
{
	struct wdm_vfio_device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->container = -1;
	device->group = -1;
	device->iommufd = -1;
	device->fd = -1;
	pthread_mutex_init(&device->lock, NULL);
	return device;
}

/* @bdf: the device, as sysfs names it */
static struct wdm_vfio_device *name_device(const char *name, struct wdm_bdf *bdf,
					   struct wdm_error *error)
{
	struct wdm_vfio_device *device = wdm__vfio_new();

	if (!device) {
		wdm__fail_errno(error, "", "cannot open %s", name);
	} else if (!wdm_pci_find(name, &device->address)) {
		wdm__fail(error, EINVAL, "Name it 0000:00:03.0, 00:03.0 or by its path in /sys",
			  "cannot find a PCI device in '%s'", name);
	} else {
		wdm_pci_format(&device->address, bdf);
		return device;
	}
	wdm_vfio_close(device);
	return NULL;
}

static struct wdm_vfio_device *start_device(const char *name, struct wdm_bdf *bdf,
					    struct wdm_error *error)
{
	struct wdm_vfio_device *device = name_device(name, bdf, error);

	if (device) {
		device->group_number = wdm_pci_group(bdf->text);
		if (device->group_number >= 0)
			return device;
		wdm__fail(error, ENODEV, "Check the address, and switch the IOMMU on",
			  "%s does not exist, or is not behind an IOMMU", bdf->text);
	}
	wdm_vfio_close(device);
	return NULL;
}

static bool create_handle(struct wdm_vfio_device *device, int fd, const struct wdm_bdf *bdf,
			  struct wdm_error *error)
{
	__u32 group, status;

	if (device->is_cdev)
		status = wdm_device_create_cdev(fd, device->fd, &device->handle, &group);
	else
		status = wdm_device_create(fd, &device->address, &device->handle, &group);
	if (status)
		return wdm_error_set(error, status, "cannot make %s a device of " WDM_IOMMU_PATH,
				     bdf->text);
	device->group_number = group;
	return true;
}

static bool open_cdev(struct wdm_vfio_device *device, int fd, const struct wdm_bdf *bdf,
		      struct wdm_error *error)
{
	device->iommufd = wdm_iommufd_open(error);
	if (device->iommufd < 0)
		return false;
	device->owns_iommufd = true;
	return wdm__cdev_get(device, bdf->text, error) && create_handle(device, fd, bdf, error);
}

static bool open_in_container(struct wdm_vfio_device *device, int fd, const struct wdm_bdf *bdf,
			      struct wdm_error *error)
{
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
	       wdm__vfio_get(device, bdf->text, error) &&
	       create_handle(device, fd, bdf, error);
}

/* Check whether the user's choice allows opening the device through @provider. */
static bool may_use(const char *provider)
{
	const char *chosen = secure_getenv("WDM_PROVIDER");

	return !chosen || !strcmp(chosen, provider);
}

static bool open_device(struct wdm_vfio_device *device, int fd, const struct wdm_bdf *bdf,
			struct wdm_error *error)
{
	struct wdm_iommu_info info;
	__u32 status = wdm_info(fd, &info);
	bool cdev, container;

	if (status)
		return wdm_error_set(error, status, "cannot use " WDM_IOMMU_PATH);
	cdev = info.flags & WDM_IOMMU_INFO_VFIO_CDEV && may_use("cdev");
	container = info.flags & WDM_IOMMU_INFO_VFIO_CONTAINER && may_use("container");
	if (!cdev && !container)
		return wdm__fail(error, ENODEV, "Unset WDM_PROVIDER",
				 "the module does not support the interface that WDM_PROVIDER selects");
	if (cdev && open_cdev(device, fd, bdf, error))
		return true;
	if (!container)
		return false;
	/* The caller gets one error: that of the second attempt. */
	wdm__vfio_close_files(device);
	return open_in_container(device, fd, bdf, error);
}

static bool open_beside(struct wdm_vfio_device *device, const struct wdm_vfio_device *first,
			int fd, const struct wdm_bdf *bdf, struct wdm_error *error)
{
	if (first->is_cdev && first->iommufd < 0)
		return open_cdev(device, fd, bdf, error);
	if (first->is_cdev) {
		device->iommufd = first->iommufd;
		return wdm__cdev_get(device, bdf->text, error) &&
		       create_handle(device, fd, bdf, error);
	}
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
	return wdm__vfio_get(device, bdf->text, error) && create_handle(device, fd, bdf, error);
}

static void close_fd(int *fd, bool owned)
{
	if (owned && *fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Undo everything after a failure, in reverse order. */
static struct wdm_vfio_device *opened(struct wdm_vfio_device *device, int fd, bool success)
{
	int error = errno;

	if (success)
		return device;
	if (device->handle)
		wdm_destroy(fd, device->handle);
	close_fd(&device->fd, true);
	/* The caller's file would keep the group in the container. */
	if (device->added_group)
		ioctl(device->group, VFIO_GROUP_UNSET_CONTAINER);
	wdm_vfio_close(device);
	errno = error;
	return NULL;
}

/**
 * wdm_vfio_open() - Open a device, with a new iommufd or container
 * @fd: /dev/wdm_iommu
 * @name: the device: "0000:00:03.0", "00:03.0" for segment 0, or a path in /sys
 * @error: out: description of a failure; may be NULL
 *
 * Opens the device's VFIO cdev, or if that cannot be used, its group. The environment
 * variable WDM_PROVIDER, "cdev" or "container", restricts it to one of the two. From then on
 * all DMA of the device is blocked, until it is attached to a domain. Its registers and bus
 * mastering are enabled.
 *
 * Return: the device, for wdm_vfio_close(); on failure NULL with errno, and nothing is open.
 */
struct wdm_vfio_device *wdm_vfio_open(int fd, const char *name, struct wdm_error *error)
{
	struct wdm_bdf bdf;
	struct wdm_vfio_device *device = start_device(name, &bdf, error);

	return device ? opened(device, fd, open_device(device, fd, &bdf, error)) : NULL;
}

/**
 * wdm_vfio_open_beside() - Open another device with the same iommufd or container
 * @first: an open device, which must be closed after this one
 * @fd: /dev/wdm_iommu
 * @name: the device, as for wdm_vfio_open(); of the same group or of another
 * @error: out: description of a failure; may be NULL
 *
 * This is the only way to open a second device of an IOMMU group.
 *
 * Return: as wdm_vfio_open().
 */
struct wdm_vfio_device *wdm_vfio_open_beside(const struct wdm_vfio_device *first, int fd,
					     const char *name, struct wdm_error *error)
{
	struct wdm_bdf bdf;
	struct wdm_vfio_device *device = start_device(name, &bdf, error);

	return device ? opened(device, fd, open_beside(device, first, fd, &bdf, error)) : NULL;
}

/* Duplicate each fd, so that the caller may close its own at any time. */
static bool copy_fd(int *copy, int fd)
{
	*copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 || *copy >= 0;
}

/* Add the group to the container, unless it is in one. */
static bool add_group(struct wdm_vfio_device *device, struct wdm_error *error)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(device->group, VFIO_GROUP_GET_STATUS, &status))
		return wdm__fail_errno(error, "", "the fd of the group refers to another file");
	if (status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET)
		return true;
	device->added_group = wdm_container_add(device->container, device->group, error);
	return device->added_group;
}

/* The container may already be bound, to @fd for another device, or to another file. */
static bool bind_and_create(struct wdm_vfio_device *device, int fd, const struct wdm_bdf *bdf,
			    struct wdm_error *error)
{
	static const char text[] = "cannot bind the container to " WDM_IOMMU_PATH;
	__u32 status;

	/* Fails if the container has an IOMMU; if it is another one, the bind fails, too. */
	ioctl(device->container, VFIO_SET_IOMMU, WDM_IOMMU_VFIO_IOMMU);
	status = wdm_vfio_bind(device->container, fd);
	if (status && status != STATUS_RESOURCE_IN_USE)
		return wdm_error_set(error, status, "%s", text);
	if (create_handle(device, fd, bdf, error))
		return true;
	if (!status || errno != wdm_status_errno(STATUS_ACCESS_DENIED))
		return false;
	errno = wdm_status_errno(status);
	return wdm_error_set(error, status, "%s", text);
}

/* The iommufd of a bound cdev need not be passed. */
static bool open_cdev_fds(struct wdm_vfio_device *device, int fd, const struct wdm_bdf *bdf,
			  struct wdm_error *error)
{
	device->is_cdev = true;
	if (device->iommufd >= 0 && !wdm_cdev_bind(device->fd, device->iommufd, error))
		return false;
	return create_handle(device, fd, bdf, error) && wdm__vfio_start(device, error);
}

static bool open_group_fds(struct wdm_vfio_device *device, int fd, const struct wdm_bdf *bdf,
			   struct wdm_error *error)
{
	if (device->container < 0)
		device->container = wdm_container_open(error);
	if (device->container < 0)
		return false;
	if (device->group >= 0 && !add_group(device, error))
		return false;
	return bind_and_create(device, fd, bdf, error) &&
	       (device->fd < 0 ? wdm__vfio_get(device, bdf->text, error) :
				 wdm__vfio_start(device, error));
}

static bool open_fds(struct wdm_vfio_device *device, int fd, const struct wdm_vfio_fds *fds,
		     const struct wdm_bdf *bdf, struct wdm_error *error)
{
	bool by_group = fds->size >= sizeof(*fds) && (fds->container >= 0 || fds->group >= 0);

	if (fds->size < sizeof(*fds) || (fds->device < 0 && fds->group < 0) ||
	    (by_group && fds->iommufd >= 0))
		return wdm__fail(error, EINVAL,
				 "Pass those of the group, of container and device, or of a cdev",
				 "%s cannot be opened with these fds", bdf->text);
	device->owns_container = true;
	device->owns_group = true;
	device->owns_iommufd = true;
	if (!copy_fd(&device->container, fds->container) ||
	    !copy_fd(&device->group, fds->group) || !copy_fd(&device->fd, fds->device) ||
	    !copy_fd(&device->iommufd, fds->iommufd))
		return wdm__fail_errno(error, "", "cannot use the fds of %s", bdf->text);
	return by_group ? open_group_fds(device, fd, bdf, error) :
			  open_cdev_fds(device, fd, bdf, error);
}

/**
 * wdm_vfio_open_fds() - Open a device with files that another process has opened
 * @fd: /dev/wdm_iommu
 * @fds: the files: that of the group, which is sufficient; those of a container and a device;
 *	or a cdev, with the iommufd to bind it to if it is not bound
 * @name: the device of these files, as for wdm_vfio_open(); an address needs no sysfs
 * @error: out: description of a failure; may be NULL
 *
 * For programs without permission to open VFIO's files, which get them from a broker
 * (SCM_RIGHTS). The group may be in a container or not; open further devices of a container
 * the same way. The fds remain the caller's, and may be closed. Does not detect that a file
 * and @name belong to different devices.
 *
 * Return: as wdm_vfio_open(). On failure, a container of the caller may have been bound to
 * @fd, or a cdev to its iommufd. A cdev stays bound until the caller closes the file; a
 * container, if it has another group.
 */
struct wdm_vfio_device *wdm_vfio_open_fds(int fd, const struct wdm_vfio_fds *fds,
					  const char *name, struct wdm_error *error)
{
	struct wdm_bdf bdf;
	struct wdm_vfio_device *device = name_device(name, &bdf, error);

	return device ? opened(device, fd, open_fds(device, fd, fds, &bdf, error)) : NULL;
}

/**
 * wdm_vfio_get_fds() - Get the files of a device, to pass them to another process
 * @device: the device
 * @fds: in: @size; out: the files, which wdm_vfio_close() closes
 *
 * Return: true on success; false if @size is too small.
 */
bool wdm_vfio_get_fds(const struct wdm_vfio_device *device, struct wdm_vfio_fds *fds)
{
	if (fds->size < sizeof(*fds)) {
		errno = EINVAL;
		return false;
	}
	/* Set members that only a newer program knows to -1. */
	memset(fds + 1, 0xff, fds->size - sizeof(*fds));
	fds->container = device->container;
	fds->group = device->group;
	fds->device = device->fd;
	/* A bound cdev does not need its iommufd any more. */
	fds->iommufd = -1;
	return true;
}

/* Close all of a device's files, and unmap its BARs. */
void wdm__vfio_close_files(struct wdm_vfio_device *device)
{
	for (unsigned int i = 0; i < WDM_REGIONS; i++)
		wdm_bar_unmap(device, i);
	close_fd(&device->fd, true);
	close_fd(&device->group, device->owns_group);
	close_fd(&device->container, device->owns_container);
	close_fd(&device->iommufd, device->owns_iommufd);
	device->owns_group = false;
	device->owns_container = false;
	device->owns_iommufd = false;
	device->is_cdev = false;
}

/**
 * wdm_vfio_close() - Close a device
 * @device: the device, or NULL
 *
 * Unmaps its BARs. Closing the last device of an IOMMU group returns the group to VFIO, which
 * detaches it; a device opened through its cdev stays attached until wdm_detach(). The handle
 * stays valid until wdm_destroy().
 */
void wdm_vfio_close(struct wdm_vfio_device *device)
{
	if (!device)
		return;
	wdm__vfio_close_files(device);
	for (unsigned int i = 0; i < WDM_REGIONS; i++)
		free(device->regions[i].areas);
	pthread_mutex_destroy(&device->lock);
	free(device);
}

/**
 * wdm_vfio_handle() - Get the handle of a device, for wdm_attach() and others
 * @device: the device
 *
 * Return: the IOMMU_DMA_DEVICE.
 */
__u32 wdm_vfio_handle(const struct wdm_vfio_device *device)
{
	return device->handle;
}

/**
 * wdm_vfio_group() - Get the number of a device's IOMMU group
 * @device: the device
 *
 * Return: the number.
 */
int wdm_vfio_group(const struct wdm_vfio_device *device)
{
	return device->group_number;
}

/**
 * wdm_vfio_address() - Get the PCI address of a device
 * @device: the device
 * @address: out: the address
 */
void wdm_vfio_address(const struct wdm_vfio_device *device, struct wdm_pci_address *address)
{
	*address = device->address;
}

/**
 * wdm_vfio_fd() - Get the file of a device, for VFIO ioctls that this library lacks
 * @device: the device
 *
 * Return: a file descriptor, which wdm_vfio_close() closes.
 */
int wdm_vfio_fd(const struct wdm_vfio_device *device)
{
	return device->fd;
}
