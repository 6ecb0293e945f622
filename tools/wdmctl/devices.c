// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl devices: the PCI devices, and whether they can be used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "json.h"
#include "wdmctl.h"

/**
 * struct entry - a device
 * @bdf: its address
 * @vendor: its vendor ID
 * @device: its device ID
 * @group: its IOMMU group, or -1
 * @driver: its driver; empty: none
 * @name: its name, or that of its vendor; empty: unknown
 * @class: the name of its class; empty: unknown
 * @verdict: whether it can be used
 */
struct entry {
	const char *bdf;
	unsigned int vendor;
	unsigned int device;
	int group;
	char driver[64];
	char name[128];
	char class[64];
	struct verdict verdict;
};

static void look(struct entry *entry, const char *bdf, const struct verdict *host)
{
	unsigned int class = 0;

	*entry = (struct entry) { .bdf = bdf, .group = wdm_pci_group(bdf) };
	wdm_pci_attribute(bdf, "vendor", &entry->vendor);
	wdm_pci_attribute(bdf, "device", &entry->device);
	wdm_pci_attribute(bdf, "class", &class);
	wdm_pci_driver(bdf, entry->driver, sizeof(entry->driver));
	pci_class_name(class, entry->class, sizeof(entry->class));
	pci_device_name(entry->vendor, entry->device, entry->name, sizeof(entry->name));
	if (!*entry->name)
		pci_vendor_name(entry->vendor, entry->name, sizeof(entry->name));
	if (host)
		entry->verdict = *host;
	else
		device_verdict(&entry->verdict, bdf);
}

static void json_entry(const struct entry *entry, const struct wdm_bdf *list, int number)
{
	json_object(NULL);
	json_text("address", entry->bdf);
	json_format("vendor", "%04x", entry->vendor);
	json_format("device", "%04x", entry->device);
	json_text("name", *entry->name ? entry->name : NULL);
	json_text("class", *entry->class ? entry->class : NULL);
	json_text("driver", *entry->driver ? entry->driver : NULL);
	if (entry->group >= 0)
		json_number("group", entry->group);
	else
		json_text("group", NULL);
	json_array("with");
	for (int i = 0; i < number && entry->group >= 0; i++) {
		if (strcmp(list[i].text, entry->bdf) && wdm_pci_group(list[i].text) == entry->group)
			json_text(NULL, list[i].text);
	}
	json_end();
	json_bool("usable", entry->verdict.grade == GRADE_OK);
	json_text("reason", entry->verdict.grade == GRADE_OK ? NULL : entry->verdict.what);
	json_text("cure", *entry->verdict.cure ? entry->verdict.cure : NULL);
	json_end();
}

static void print_entry(const struct entry *entry, const struct wdm_bdf *list, int number)
{
	char driver[64];

	printf("%s  %04x:%04x  driver %s  ", entry->bdf, entry->vendor, entry->device,
	       *entry->driver ? entry->driver : "-");
	if (entry->group >= 0)
		printf("group %d  ", entry->group);
	printf("%s%s%s%s\n", entry->class, *entry->class && *entry->name ? ": " : "",
	       entry->name, *entry->class || *entry->name ? "" : "(unknown)");
	for (int i = 0; i < number && entry->group >= 0; i++) {
		if (!strcmp(list[i].text, entry->bdf) ||
		    wdm_pci_group(list[i].text) != entry->group)
			continue;
		snprintf(driver, sizeof(driver), "-");
		wdm_pci_driver(list[i].text, driver, sizeof(driver));
		printf("    with %s  driver %s\n", list[i].text, driver);
	}
	if (entry->verdict.grade == GRADE_OK)
		printf("    usable\n");
	else
		printf("    not usable: %s\n", entry->verdict.what);
	if (*entry->verdict.cure)
		printf("    cure: %s\n", entry->verdict.cure);
}

int cmd_devices(const struct options *options)
{
	struct wdm_bdf *list;
	int number = wdm_pci_list(&list);
	struct verdict host;
	struct entry entry;
	bool ready, any = false;

	if (number < 0)
		return report_errno("the list of PCI devices");
	ready = host_ready(&host);
	if (options->json)
		json_array(NULL);
	else if (!ready)
		printf("no device can be used: %s\ncure: %s\n", host.what, host.cure);
	for (int i = 0; i < number; i++) {
		if (device_is_bridge(list[i].text))
			continue;
		any = true;
		look(&entry, list[i].text, ready ? NULL : &host);
		/* Printed once, above */
		if (!options->json && !ready)
			*entry.verdict.cure = '\0';
		if (options->json)
			json_entry(&entry, list, number);
		else
			print_entry(&entry, list, number);
	}
	if (options->json)
		json_end();
	else if (!any)
		printf("there is no PCI device but bridges\n");
	free(list);
	return 0;
}
