// SPDX-License-Identifier: GPL-2.0
/*
 * Names, numbers and text files for people.
 */
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "wdmctl.h"

const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

/* The types of domains, as fdinfo names them */
const char *type_name(__u32 type)
{
	static const char * const names[] = {
		[WDM_IOMMU_TYPE_TRANSLATE] = "translate",
		[WDM_IOMMU_TYPE_PASS_THROUGH] = "pass-through",
		[WDM_IOMMU_TYPE_UNMANAGED] = "unmanaged",
		[WDM_IOMMU_TYPE_TRANSLATE_S1] = "translate-s1",
	};

	return type < ARRAY_SIZE(names) ? names[type] : NULL;
}

const char *permission_name(__u32 permissions)
{
	static const char * const names[] = { "--", "r-", "-w", "rw" };

	return names[permissions & WDM_RW];
}

/* Exact if a multiple of a unit, and otherwise with one decimal */
const char *size_text(__u64 bytes, char *text, size_t size)
{
	static const char * const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0;
	double value = bytes;

	while (value >= 1024 && unit < ARRAY_SIZE(units) - 1) {
		value /= 1024;
		unit++;
	}
	snprintf(text, size, value == (__u64)value ? "%.0f %s" : "%.1f %s", value, units[unit]);
	return text;
}

/* Get the length of the UTF-8 character at @at; 0 if it is invalid. */
size_t character_size(const unsigned char *at)
{
	size_t size = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 :
		      (at[0] & 0xf0) == 0xe0 ? 3 : at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, and beyond the last character */
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return size;
}

/* Replace what a terminal may act on: bytes below a blank, DEL, and C1 in both encodings. */
void replace_controls(char *text)
{
	unsigned char *at = (unsigned char *)text;
	size_t size;

	for (; *at; at += size) {
		size = character_size(at);
		if (*at < ' ' || (*at >= 0x7f && *at < 0xa0))
			*at = '?';
		else if (*at == 0xc2 && size && at[1] < 0xa0)
			memset(at, '?', size);
		size += !size;
	}
}

/* Read a whole file, which may be in procfs, to be freed; NULL with errno. */
char *read_text(const char *path)
{
	size_t room = 4096, size = 0, got;
	FILE *file = fopen(path, "re");
	char *text, *more;

	if (!file)
		return NULL;
	text = malloc(room);
	while (text && (got = fread(text + size, 1, room - size - 1, file))) {
		size += got;
		if (size + 1 < room)
			continue;
		room *= 2;
		more = realloc(text, room);
		if (!more)
			free(text);
		text = more;
	}
	if (text)
		text[size] = '\0';
	fclose(file);
	return text;
}

const char *range_kind(__u32 kind)
{
	switch (kind) {
	case WDM_IOMMU_RANGE_ALLOWED:
		return "can be mapped";
	case WDM_IOMMU_RANGE_RESERVED:
		return "reserved";
	case WDM_IOMMU_RANGE_DIRECT:
		return "reserved: the firmware's, mapped one to one";
	case WDM_IOMMU_RANGE_MSI:
		return "reserved: interrupt messages";
	case WDM_IOMMU_RANGE_SW_MSI:
		return "reserved: interrupt messages, mapped by Linux";
	default:
		return "unknown";
	}
}

