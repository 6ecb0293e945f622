// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * PCI configuration space as VFIO presents it, parts of which are virtual.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vfio_device.h"

bool wdm__pread(const struct wdm_vfio_device *device, void *value, size_t width, __u64 where,
		struct wdm_error *error)
{
	ssize_t done = pread(device->fd, value, width, where);

	if (done < 0)
		return wdm__fail_errno(error, "", "cannot read from the device");
	return done == (ssize_t)width ||
	       wdm__fail(error, EIO, "", "short read from the device");
}

bool wdm__pwrite(const struct wdm_vfio_device *device, const void *value, size_t width,
		 __u64 where, struct wdm_error *error)
{
	ssize_t done = pwrite(device->fd, value, width, where);

	if (done < 0)
		return wdm__fail_errno(error, "", "cannot write to the device");
	return done == (ssize_t)width ||
	       wdm__fail(error, EIO, "", "short write to the device");
}

/* Get the offset of configuration space in the device's file, if it contains these bytes. */
static bool find_config(const struct wdm_vfio_device *device, unsigned int offset, size_t width,
			__u64 *where, struct wdm_error *error)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};

	if (!wdm__good_width(offset, width, error))
		return false;
	if (ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		return wdm__fail_errno(error, "", "cannot query configuration space");
	if (offset >= info.size)
		return wdm__fail(error, ERANGE, "",
				 "configuration space has %llu bytes: offset %#x exceeds it",
				 info.size, offset);
	*where = info.offset + offset;
	return true;
}

/**
 * wdm_config_read() - Read a register of configuration space
 * @device: the device
 * @offset: offset of the register in bytes; a multiple of @width
 * @value: out: the value, in the CPU's byte order
 * @width: 1, 2, 4 or 8 bytes
 * @error: out: description of a failure; may be NULL
 *
 * wdm_config_read8(), wdm_config_read16() and wdm_config_read32() are variants with a fixed
 * width.
 *
 * Context: any thread.
 *
 * Return: true on success.
 */
bool wdm_config_read(struct wdm_vfio_device *device, unsigned int offset, void *value,
		     size_t width, struct wdm_error *error)
{
	__u64 where;

	return find_config(device, offset, width, &where, error) &&
	       wdm__pread(device, value, width, where, error);
}

/**
 * wdm_config_write() - Write a register of configuration space
 * @device: the device
 * @offset: offset of the register in bytes; a multiple of @width
 * @value: the value, in the CPU's byte order
 * @width: 1, 2, 4 or 8 bytes
 * @error: out: description of a failure; may be NULL
 *
 * Same as wdm_config_read(), with wdm_config_write8(), wdm_config_write16() and
 * wdm_config_write32(). VFIO ignores writes to registers that programs may not change.
 *
 * Context: any thread. Changing part of a register is not atomic.
 *
 * Return: true on success.
 */
bool wdm_config_write(struct wdm_vfio_device *device, unsigned int offset, const void *value,
		      size_t width, struct wdm_error *error)
{
	__u64 where;

	return find_config(device, offset, width, &where, error) &&
	       wdm__pwrite(device, value, width, where, error);
}

/**
 * wdm_config_capability() - Find a capability
 * @device: the device
 * @id: PCI_CAP_ID_*
 *
 * Context: any thread.
 *
 * Return: its offset in configuration space; 0 if there is none, or it cannot be read.
 */
unsigned int wdm_config_capability(struct wdm_vfio_device *device, __u8 id)
{
	__u16 status, header;
	__u8 at;

	if (!wdm_config_read16(device, PCI_STATUS, &status, NULL) ||
	    !(status & PCI_STATUS_CAP_LIST) ||
	    !wdm_config_read8(device, PCI_CAPABILITY_LIST, &at, NULL))
		return 0;
	/* Bounded, as a broken list may be circular. */
	for (unsigned int left = (PCI_CFG_SPACE_SIZE - PCI_STD_HEADER_SIZEOF) / 4; left; left--) {
		at &= ~3;
		if (at < PCI_STD_HEADER_SIZEOF || !wdm_config_read16(device, at, &header, NULL))
			return 0;
		if ((header & 0xff) == id)
			return at;
		at = header >> 8;
	}
	return 0;
}

/**
 * wdm_config_extended_capability() - Find an extended capability
 * @device: the device
 * @id: PCI_EXT_CAP_ID_*
 *
 * Context: any thread.
 *
 * Return: its offset in configuration space; 0 if there is none, or it cannot be read.
 */
unsigned int wdm_config_extended_capability(struct wdm_vfio_device *device, __u16 id)
{
	unsigned int at = PCI_CFG_SPACE_SIZE;
	__u32 header;

	for (unsigned int left = (PCI_CFG_SPACE_EXP_SIZE - PCI_CFG_SPACE_SIZE) / 8; left; left--) {
		if (at < PCI_CFG_SPACE_SIZE || !wdm_config_read32(device, at, &header, NULL) ||
		    !header)
			return 0;
		if (PCI_EXT_CAP_ID(header) == id)
			return at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

/**
 * wdm_bus_master() - Enable or disable bus mastering: DMA and interrupt messages
 * @device: the device
 * @enable: the new setting
 * @error: out: description of a failure; may be NULL
 *
 * wdm_vfio_open() enables it; the domain decides what the DMA reaches.
 *
 * Context: one thread at a time, and none that writes the command register.
 *
 * Return: true on success.
 */
bool wdm_bus_master(struct wdm_vfio_device *device, bool enable, struct wdm_error *error)
{
	__u16 command;

	if (!wdm_config_read16(device, PCI_COMMAND, &command, error))
		return false;
	command &= ~PCI_COMMAND_MASTER;
	if (enable)
		command |= PCI_COMMAND_MASTER;
	return wdm_config_write16(device, PCI_COMMAND, command, error);
}
