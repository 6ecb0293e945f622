// SPDX-License-Identifier: GPL-2.0
/*
 * Names of PCI devices, from the list that pciutils and hwdata install.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "host.h"
#include "wdmctl.h"

static const char *all_names(void)
{
	static const char * const paths[] = {
		"/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids",
	};
	static char *text;

	for (size_t i = 0; !text && i < ARRAY_SIZE(paths); i++)
		text = read_text(paths[i]);
	if (!text)
		text = strdup("");
	return text ? text : "";
}

/*
 * Find the name after "PREFIX" at the start of a line, and the start of its own list; NULL if
 * there is none. A line with fewer tabs than @tabs ends the search.
 */
static const char *find_name(const char *text, unsigned int tabs, const char *prefix, char *name,
			     size_t size)
{
	size_t length = strlen(prefix);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (*line == '#' || *line == '\n')
			continue;
		if (strspn(line, "\t") < tabs)
			return NULL;
		if (strncmp(line, prefix, length) || strncmp(line + length, "  ", 2))
			continue;
		line += length + 2;
		snprintf(name, size, "%.*s", (int)strcspn(line, "\n"), line);
		line += strcspn(line, "\n");
		return line + (*line == '\n');
	}
	return NULL;
}

/* Get the name of a part, given that of the whole; empty if unknown. */
static void find_part(const char *whole, const char *part, char *name, size_t size)
{
	const char *list;

	*name = '\0';
	list = find_name(all_names(), 0, whole, name, size);
	if (list && part)
		find_name(list, 1, part, name, size);
}

void pci_vendor_name(unsigned int vendor, char *name, size_t size)
{
	char whole[8];

	snprintf(whole, sizeof(whole), "%04x", vendor & 0xffff);
	find_part(whole, NULL, name, size);
}

void pci_device_name(unsigned int vendor, unsigned int device, char *name, size_t size)
{
	char whole[8], part[8], owner[128];
	const char *list;

	snprintf(whole, sizeof(whole), "%04x", vendor & 0xffff);
	snprintf(part, sizeof(part), "\t%04x", device & 0xffff);
	*name = '\0';
	list = find_name(all_names(), 0, whole, owner, sizeof(owner));
	if (list)
		find_name(list, 1, part, name, size);
}

/* @class: as in sysfs, with the programming interface */
void pci_class_name(unsigned int class, char *name, size_t size)
{
	char whole[8], part[8];

	snprintf(whole, sizeof(whole), "C %02x", class >> 16 & 0xff);
	snprintf(part, sizeof(part), "\t%02x", class >> 8 & 0xff);
	find_part(whole, part, name, size);
}
