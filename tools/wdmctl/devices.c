// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl devices: the PCI devices that VFIO has, and whether we can use them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wdmctl.h"

/* Why nothing at all can be used; NULL if it can. */
static const char *why_nothing(struct wdm_error *error)
{
	int container;

	if (access(WDM_IOMMU_PATH, F_OK))
		return "the module wdm_iommu is not loaded";
	if (access(WDM_IOMMU_PATH, R_OK | W_OK))
		return "no permission for " WDM_IOMMU_PATH;
	container = wdm_container_open(error);
	if (container < 0)
		return error->text;
	close(container);
	return NULL;
}

/* Why this group cannot be used; NULL if it can. */
static const char *why_not(int number, struct wdm_error *error)
{
	int group;

	if (number < 0)
		return "it is behind no IOMMU";
	group = wdm_group_open(number, error);
	if (group < 0)
		return error->text;
	close(group);
	return NULL;
}

static void print_device(const char *bdf, const char *reason)
{
	unsigned int vendor = 0, id = 0;
	char driver[64] = "-";

	wdm_pci_attribute(bdf, "vendor", &vendor);
	wdm_pci_attribute(bdf, "device", &id);
	wdm_pci_driver(bdf, driver, sizeof(driver));
	printf("%s  %04x:%04x  driver %s  group %d", bdf, vendor, id, driver,
	       wdm_pci_group(bdf));
	if (reason)
		printf("  not usable: %s\n", reason);
	else
		printf("  usable\n");
}

static void print_member(const char *bdf)
{
	char driver[64] = "-";

	wdm_pci_driver(bdf, driver, sizeof(driver));
	printf("    with %s  driver %s\n", bdf, driver);
}

int cmd_devices(const struct options *options)
{
	struct wdm_bdf *list;
	int number = wdm_pci_list(&list);
	struct wdm_error error, group_error;
	const char *nothing = why_nothing(&error);
	bool found = false;

	(void)options;
	if (number < 0)
		return report_errno("the list of PCI devices");
	for (int i = 0; i < number; i++) {
		int group = wdm_pci_group(list[i].text);

		if (!wdm_pci_has_vfio_driver(list[i].text))
			continue;
		found = true;
		print_device(list[i].text, nothing ? nothing : why_not(group, &group_error));
		for (int j = 0; group >= 0 && j < number; j++) {
			if (j != i && wdm_pci_group(list[j].text) == group)
				print_member(list[j].text);
		}
	}
	free(list);
	if (!found)
		printf("no PCI device is bound to a VFIO driver\n");
	return 0;
}
