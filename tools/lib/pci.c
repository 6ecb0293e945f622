// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * PCI devices in sysfs.
 */
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wdm_iommu_user.h"

#define SYSFS_DEVICES "/sys/bus/pci/devices"

/**
 * wdm_pci_parse() - Parse a PCI address
 * @bdf: "0000:00:03.0", or "00:03.0" for segment 0
 * @address: out: the address
 *
 * Return: true if @bdf is an address.
 */
bool wdm_pci_parse(const char *bdf, struct wdm_pci_address *address)
{
	unsigned int segment = 0, bus, device, function;
	int end = -1;

	if (sscanf(bdf, "%8x:%2x:%2x.%1u%n", &segment, &bus, &device, &function, &end) != 4) {
		segment = 0;
		end = -1;
		if (sscanf(bdf, "%2x:%2x.%1u%n", &bus, &device, &function, &end) != 3)
			return false;
	}
	if (end < 0 || bdf[end] || device > 31 || function > 7)
		return false;
	address->segment = segment;
	address->bus = bus;
	address->devfn = device << 3 | function;
	return true;
}

/**
 * wdm_pci_find() - Get the address of a device by any of its names
 * @name: as for wdm_pci_parse(), or a path of the device in sysfs
 * @address: out: the address
 *
 * Return: true if @name is an address, or a path to one.
 */
bool wdm_pci_find(const char *name, struct wdm_pci_address *address)
{
	char path[PATH_MAX];

	if (strchr(name, '/')) {
		if (!realpath(name, path))
			return false;
		name = basename(path);
	}
	return wdm_pci_parse(name, address);
}

/**
 * wdm_pci_format() - Format an address as in sysfs
 * @address: the address
 * @bdf: out: the text
 */
void wdm_pci_format(const struct wdm_pci_address *address, struct wdm_bdf *bdf)
{
	snprintf(bdf->text, sizeof(bdf->text), "%04x:%02x:%02x.%x", address->segment, address->bus,
		 address->devfn >> 3 & 31, address->devfn & 7);
}

static int is_device(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/**
 * wdm_pci_list() - List all PCI devices, sorted by address
 * @list: out: the addresses, for free()
 *
 * Return: number of devices, or -1 with errno.
 */
int wdm_pci_list(struct wdm_bdf **list)
{
	struct dirent **entries;
	int number = scandir(SYSFS_DEVICES, &entries, is_device, alphasort);

	if (number < 0)
		return -1;
	*list = calloc(number + 1, sizeof(**list));
	for (int i = 0; i < number; i++) {
		if (*list)
			snprintf((*list)[i].text, sizeof((*list)[i].text), "%.16s",
				 entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return *list ? number : -1;
}

/* Get the last component of the target of one of the device's links. */
static bool read_link(const char *bdf, const char *link, char *name, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), SYSFS_DEVICES "/%s/%s", bdf, link);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	snprintf(name, size, "%s", basename(target));
	return true;
}

/**
 * wdm_pci_group() - Get the IOMMU group of a device
 * @bdf: the device, as sysfs names it
 *
 * Return: the number of the group, -1 if there is none.
 */
int wdm_pci_group(const char *bdf)
{
	char group[16];

	return read_link(bdf, "iommu_group", group, sizeof(group)) ? atoi(group) : -1;
}

/**
 * wdm_pci_driver() - Get the driver that a device is bound to
 * @bdf: the device, as sysfs names it
 * @driver: out: its name
 * @size: size of @driver in bytes
 *
 * Return: true if there is one.
 */
bool wdm_pci_driver(const char *bdf, char *driver, size_t size)
{
	return read_link(bdf, "driver", driver, size);
}

/**
 * wdm_pci_attribute() - Read a hexadecimal attribute of a device
 * @bdf: the device, as sysfs names it
 * @name: the attribute: "vendor", "device", "class"
 * @value: out: its value
 *
 * Return: 0, or -1 if there is no such attribute.
 */
int wdm_pci_attribute(const char *bdf, const char *name, unsigned int *value)
{
	char path[PATH_MAX];
	FILE *file;
	int fields;

	snprintf(path, sizeof(path), SYSFS_DEVICES "/%s/%s", bdf, name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	fields = fscanf(file, "%x", value);
	fclose(file);
	return fields == 1 ? 0 : -1;
}

/**
 * wdm_pci_is_edu() - Check whether a device is QEMU's edu device
 * @bdf: the device, as sysfs names it
 *
 * Return: true if it is.
 */
bool wdm_pci_is_edu(const char *bdf)
{
	unsigned int vendor, device;

	return !wdm_pci_attribute(bdf, "vendor", &vendor) && vendor == WDM_EDU_VENDOR &&
	       !wdm_pci_attribute(bdf, "device", &device) && device == WDM_EDU_DEVICE;
}

/**
 * wdm_pci_has_vfio_driver() - Check whether a device is bound to a VFIO driver
 * @bdf: the device, as sysfs names it
 *
 * Return: true if its driver is vfio-pci or one of its variants.
 */
bool wdm_pci_has_vfio_driver(const char *bdf)
{
	char driver[64];

	return wdm_pci_driver(bdf, driver, sizeof(driver)) &&
	       (strstr(driver, "vfio-pci") || strstr(driver, "vfio_pci"));
}
