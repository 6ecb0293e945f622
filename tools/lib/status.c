// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * NTSTATUS values as text and as errno.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "array_size.h"
#include "wdm_iommu_user.h"

/* What a program or its user can do about a status, if that does not depend on the call */
static const struct {
	__u32 status;
	const char *cure;
} cures[] = {
	{ STATUS_DEVICE_BUSY, "Close the program that uses the device, or unbind its driver" },
	{ STATUS_INVALID_DEVICE_REQUEST, "Load a newer module" },
	{ STATUS_CONFLICTING_ADDRESSES, "'wdmctl ranges' lists the addresses that can be used" },
	{ STATUS_REVISION_MISMATCH, "Load a newer module" },
	{ STATUS_PRIVILEGE_NOT_HELD, "Run it with CAP_SYS_RAWIO" },
	{ STATUS_WORKING_SET_QUOTA,
	  "Raise the limit (ulimit -l, LimitMEMLOCK=), or run it with CAP_IPC_LOCK" },
	{ STATUS_NOT_SUPPORTED, "'wdmctl info' shows what is supported" },
	{ STATUS_DEVICE_REMOVED, "Open the device again" },
};

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
 * wdm_status_name() - Get the name of an NTSTATUS
 * @status: the status
 *
 * Return: the name, such as "STATUS_SUCCESS"; never NULL.
 */
const char *wdm_status_name(__u32 status)
{
	return find_row(status)->name;
}

/**
 * wdm_status_text() - Get the meaning of an NTSTATUS
 * @status: the status
 *
 * Return: a phrase, never NULL.
 */
const char *wdm_status_text(__u32 status)
{
	return find_row(status)->meaning;
}

/**
 * wdm_status_cure() - Get the cure for an NTSTATUS
 * @status: the status
 *
 * Return: a sentence without its full stop; "" if it depends on the call.
 */
const char *wdm_status_cure(__u32 status)
{
	for (size_t i = 0; i < ARRAY_SIZE(cures); i++) {
		if (cures[i].status == status)
			return cures[i].cure;
	}
	return "";
}

/**
 * wdm_status_errno() - Convert an NTSTATUS to an errno
 * @status: the status
 *
 * Return: errno; 0 for success and for %WDM_STATUS_NONE; EPROTO for a status that is not in
 * the table.
 */
int wdm_status_errno(__u32 status)
{
	return find_row(status)->error;
}

/**
 * wdm_status_describe() - Format name, number, meaning, errno and cure in one line
 * @status: the status that a call returned
 * @error: errno after the call
 * @text: out: the line
 * @size: size of @text in bytes
 *
 * Return: @text.
 */
char *wdm_status_describe(__u32 status, int error, char *text, size_t size)
{
	const struct row *row = find_row(status);
	const char *cure = wdm_status_cure(status);

	if (status == WDM_STATUS_NONE)
		snprintf(text, size, "%s", strerror(error));
	else if (status == STATUS_SUCCESS)
		snprintf(text, size, "%s", row->name);
	else
		snprintf(text, size, "%s (0x%08X): %s; errno %d, %s%s%s", row->name, status,
			 row->meaning, error, strerror(error), *cure ? ". " : "", cure);
	return text;
}
