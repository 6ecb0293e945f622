// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Resets: of one function, and of all functions on a bus or in a slot.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "vfio_device.h"

/* For headers of Linux before 6.6, where group_id is not yet a union with devid */
#ifndef VFIO_PCI_DEVID_NOT_OWNED
#define VFIO_PCI_DEVID_NOT_OWNED	-1
#endif

/**
 * wdm_vfio_reset() - Reset a device
 * @device: the device
 * @error: out: description of a failure; may be NULL
 *
 * Uses the kernel's method for resetting this function alone. Configuration space and the
 * attachment to a domain are preserved; registers are as after power-on.
 *
 * Context: no thread may be using the device.
 *
 * Return: true on success; errno is ENOTTY if the function cannot be reset separately.
 */
bool wdm_vfio_reset(struct wdm_vfio_device *device, struct wdm_error *error)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	if (ioctl(device->fd, VFIO_DEVICE_GET_INFO, &info))
		return wdm__fail_errno(error, "", "cannot query the device");
	if (!(info.flags & VFIO_DEVICE_FLAGS_RESET))
		return wdm__fail(error, ENOTTY,
				 "wdm_vfio_hot_reset() resets it with the others on its bus",
				 "the kernel cannot reset this function by itself");
	return !ioctl(device->fd, VFIO_DEVICE_RESET) ||
	       wdm__fail_errno(error, "", "cannot reset the device");
}

/* Get the functions affected by a hot reset, for free(); NULL on failure. */
static struct vfio_pci_hot_reset_info *get_affected(const struct wdm_vfio_device *device,
						    struct wdm_error *error)
{
	struct vfio_pci_hot_reset_info *info = NULL, *larger;
	__u32 count = 8;
	size_t size;
	int saved;

	/* Retry: functions may have been plugged in between. */
	do {
		size = sizeof(*info) + count * sizeof(info->devices[0]);
		larger = realloc(info, size);
		if (!larger)
			break;
		info = larger;
		info->argsz = size;
		info->flags = 0;
		info->count = 0;
		if (!ioctl(device->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info))
			return info;
		if (info->count > count)
			count = info->count;
	} while (errno == ENOSPC || errno == EAGAIN);
	wdm__fail_errno(error, errno == ENODEV ? "wdm_vfio_reset() may work" : "",
			"the bus or slot of the device cannot be reset");
	saved = errno;
	free(info);
	errno = saved;
	return NULL;
}

static void get_address(const struct vfio_pci_dependent_device *affected,
			struct wdm_pci_address *address)
{
	*address = (struct wdm_pci_address) {
		.segment = affected->segment,
		.bus = affected->bus,
		.devfn = affected->devfn,
	};
}

/**
 * wdm_vfio_hot_reset_list() - List the functions that wdm_vfio_hot_reset() resets
 * @device: the device
 * @list: out: their addresses, including that of @device, for free(); NULL on failure
 * @error: out: description of a failure; may be NULL
 *
 * Context: any thread.
 *
 * Return: number of functions, or -1; errno is ENODEV if the kernel can reset neither the bus
 * nor the slot of the device, for example on a root bus.
 */
int wdm_vfio_hot_reset_list(struct wdm_vfio_device *device, struct wdm_pci_address **list,
			    struct wdm_error *error)
{
	struct vfio_pci_hot_reset_info *info = get_affected(device, error);
	int saved, count = -1;

	*list = NULL;
	if (!info)
		return -1;
	*list = calloc(info->count, sizeof(**list));
	if (*list) {
		count = info->count;
		for (int i = 0; i < count; i++)
			get_address(&info->devices[i], &(*list)[i]);
	} else {
		wdm__fail_errno(error, "", "cannot list the functions of a bus");
	}
	saved = errno;
	free(info);
	errno = saved;
	return count;
}

/* Get the file of an IOMMU group through which one of the devices was opened, or -1. */
static int group_file(const struct wdm_vfio_device *device,
		      struct wdm_vfio_device * const *others, unsigned int number, __u32 group)
{
	if (device->group >= 0 && device->group_number == (int)group)
		return device->group;
	for (unsigned int i = 0; i < number; i++) {
		if (others[i]->group >= 0 && others[i]->group_number == (int)group)
			return others[i]->group;
	}
	return -1;
}

static bool add_file(struct vfio_pci_hot_reset *reset, int file)
{
	for (__u32 i = 0; i < reset->count; i++) {
		if (reset->group_fds[i] == file)
			return true;
	}
	if (file < 0)
		return false;
	reset->group_fds[reset->count++] = file;
	return true;
}

/*
 * VFIO requires proof that the caller owns everything affected: the files of the groups. For
 * cdevs, the iommufd is proof.
 */
static bool prove_ownership(const struct wdm_vfio_device *device,
			    struct wdm_vfio_device * const *others, unsigned int number,
			    const struct vfio_pci_hot_reset_info *info,
			    struct vfio_pci_hot_reset *reset, struct wdm_error *error)
{
	for (__u32 i = 0; i < info->count; i++) {
		__u32 id = info->devices[i].group_id;
		struct wdm_pci_address address;
		struct wdm_bdf bdf;

		if (device->is_cdev ? (int)id != VFIO_PCI_DEVID_NOT_OWNED :
				      add_file(reset, group_file(device, others, number, id)))
			continue;
		get_address(&info->devices[i], &address);
		wdm_pci_format(&address, &bdf);
		return wdm__fail(error, EPERM,
				 "Bind it to vfio-pci, open it too, by the file of its group or by its cdev, and pass it",
				 "a reset of the bus or slot would reset %s, too", bdf.text);
	}
	return true;
}

static const char *hot_reset_cure(void)
{
	switch (errno) {
	case EAGAIN:
	case EBUSY:
		return "Let no thread use the devices, and try again";
	case EINVAL:
		return "Bind all functions of wdm_vfio_hot_reset_list() to vfio-pci";
	default:
		return "";
	}
}

/**
 * wdm_vfio_hot_reset() - Reset a device together with all others on its bus or in its slot
 * @device: the device
 * @others: other devices, opened by wdm_vfio_open_beside() or wdm_vfio_open_fds(); may be
 *	NULL if there are none
 * @number: number of @others
 * @error: out: description of a failure; may be NULL
 *
 * For functions that wdm_vfio_reset() cannot reset, and errors that only a reset of the link
 * clears. Every function of wdm_vfio_hot_reset_list() must be bound to vfio-pci, and its IOMMU
 * group must be that of @device or of one of @others, opened by the group's file or through
 * cdevs bound to the same iommufd. Configuration space and attachments to domains are
 * preserved; registers are as after power-on.
 *
 * Context: no thread may be using any of the devices.
 *
 * Return: true on success; errno is ENODEV if the kernel can reset neither the bus nor the
 * slot, EPERM if one of the functions is not among the devices, and EAGAIN or EBUSY if one is
 * in use.
 */
bool wdm_vfio_hot_reset(struct wdm_vfio_device *device, struct wdm_vfio_device * const *others,
			unsigned int number, struct wdm_error *error)
{
	struct vfio_pci_hot_reset_info *info = get_affected(device, error);
	struct vfio_pci_hot_reset *reset;
	bool done = false;
	int saved;

	if (!info)
		return false;
	reset = calloc(1, sizeof(*reset) + info->count * sizeof(reset->group_fds[0]));
	if (!reset) {
		wdm__fail_errno(error, "", "cannot reset the bus or slot");
	} else if (prove_ownership(device, others, number, info, reset, error)) {
		reset->argsz = sizeof(*reset) + reset->count * sizeof(reset->group_fds[0]);
		done = !ioctl(device->fd, VFIO_DEVICE_PCI_HOT_RESET, reset) ||
		       wdm__fail_errno(error, hot_reset_cure(), "cannot reset the bus or slot");
	}
	saved = errno;
	free(reset);
	free(info);
	errno = saved;
	return done;
}
