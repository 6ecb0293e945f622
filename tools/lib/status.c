// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * NTSTATUS values for people and for errno.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "array_size.h"
#include "wdm_iommu_user.h"

struct row {
	__u32 status;
	int error;
	const char *name;
	const char *meaning;
};

static const struct row rows[] = {
#define WDM_NTSTATUS_ROW(status, error, meaning) { status, error, #status, meaning },
#include <linux/wdm_ntstatus_table.h>
#undef WDM_NTSTATUS_ROW
};

static const struct row none = { WDM_STATUS_NONE, 0, "no NTSTATUS", "the call wrote no status" };
static const struct row unknown = { 0, EPROTO, "unknown NTSTATUS", "not in the table" };

static const struct row *find_row(__u32 status)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].status == status)
			return &rows[i];
	}
	return status == WDM_STATUS_NONE ? &none : &unknown;
}

/**
 * wdm_status_name() - the name of an NTSTATUS
 * @status: what a call returned
 *
 * Return: "STATUS_...", never NULL.
 */
const char *wdm_status_name(__u32 status)
{
	return find_row(status)->name;
}

/**
 * wdm_status_meaning() - what an NTSTATUS means
 * @status: what a call returned
 *
 * Return: a phrase, never NULL.
 */
const char *wdm_status_meaning(__u32 status)
{
	return find_row(status)->meaning;
}

/**
 * wdm_status_errno() - the errno that goes with an NTSTATUS
 * @status: what a call returned
 *
 * Return: errno, 0 for success and for %WDM_STATUS_NONE, EPROTO for a status
 * that is not in the table.
 */
int wdm_status_errno(__u32 status)
{
	return find_row(status)->error;
}

/**
 * wdm_status_describe() - name, number, meaning and errno in one line
 * @status: what a call returned
 * @error: errno after the call
 * @text: where to write
 * @size: bytes of @text
 *
 * Return: @text.
 */
char *wdm_status_describe(__u32 status, int error, char *text, size_t size)
{
	const struct row *row = find_row(status);

	if (status == WDM_STATUS_NONE)
		snprintf(text, size, "%s", strerror(error));
	else if (status == STATUS_SUCCESS)
		snprintf(text, size, "%s", row->name);
	else
		snprintf(text, size, "%s (0x%08X): %s; errno %d, %s", row->name, status,
			 row->meaning, error, strerror(error));
	return text;
}
