// SPDX-License-Identifier: GPL-2.0
/*
 * NTSTATUS: conversion to errno and back, in one place.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "status.h"

struct wdm_status_row {
	ntstatus_t status;
	int err;
	const char *name;
};

static const struct wdm_status_row wdm_status_table[] = {
#define WDM_NTSTATUS_ROW(_status, _err, _meaning) \
	{ .status = (_status), .err = -(_err), .name = #_status },
#include <linux/wdm_ntstatus_table.h>
#undef WDM_NTSTATUS_ROW
};

static const struct wdm_status_row *wdm_status_find(ntstatus_t status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wdm_status_table); i++)
		if (wdm_status_table[i].status == status)
			return &wdm_status_table[i];
	return NULL;
}

/**
 * wdm_status_to_errno() - Convert a status to the result of an ioctl
 * @status: any NTSTATUS
 *
 * Return: 0 for STATUS_SUCCESS, a negative errno otherwise; -EIO for a status that is not
 * in the table.
 */
int wdm_status_to_errno(ntstatus_t status)
{
	const struct wdm_status_row *row = wdm_status_find(status);

	return row ? row->err : -EIO;
}

/**
 * wdm_status_from_errno() - Convert an errno of the kernel to a status
 * @err: 0 or a negative errno
 *
 * Return: the status; STATUS_UNSUCCESSFUL for an errno without an equivalent.
 */
ntstatus_t wdm_status_from_errno(int err)
{
	switch (err) {
	case 0:
		return STATUS_SUCCESS;
	case -ENOMEM:
	case -ENOSPC:
	case -EDQUOT:
		return STATUS_INSUFFICIENT_RESOURCES;
	case -EFAULT:
	case -EHWPOISON:
		return STATUS_ACCESS_VIOLATION;
	case -EINTR:
	case -ERESTARTSYS:
	case -EAGAIN:
		return STATUS_CANCELLED;
	case -EBUSY:
		return STATUS_DEVICE_BUSY;
	case -ENODEV:
		return STATUS_NO_SUCH_DEVICE;
	case -EPERM:
	case -EACCES:
		return STATUS_ACCESS_DENIED;
	case -EOPNOTSUPP:
		return STATUS_NOT_SUPPORTED;
	case -EINVAL:
		return STATUS_INVALID_PARAMETER;
	default:
		return STATUS_UNSUCCESSFUL;
	}
}

/**
 * wdm_status_from_driver() - Convert an errno of an IOMMU driver to a status
 * @err: 0 or a negative errno
 *
 * A driver's -EAGAIN and -EINTR must not become STATUS_CANCELLED, which means a fatal
 * signal, or makes an attach back off and retry.
 *
 * Return: as wdm_status_from_errno(), but STATUS_DEVICE_BUSY for STATUS_CANCELLED.
 */
ntstatus_t wdm_status_from_driver(int err)
{
	ntstatus_t status = wdm_status_from_errno(err);

	return status == STATUS_CANCELLED ? STATUS_DEVICE_BUSY : status;
}

/**
 * wdm_status_name() - Get the name of a status, for printing
 * @status: any NTSTATUS
 *
 * Return: "STATUS_..." or "STATUS_?".
 */
const char *wdm_status_name(ntstatus_t status)
{
	const struct wdm_status_row *row = wdm_status_find(status);

	return row ? row->name : "STATUS_?";
}
