/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WDM_STATUS_H
#define WDM_STATUS_H

#include <linux/wdm_ntstatus.h>

/* STATUS_SUCCESS is the only status of this module that is not a failure. */
static inline bool wdm_ok(ntstatus_t status)
{
	return status == STATUS_SUCCESS;
}

int wdm_status_to_errno(ntstatus_t status);
ntstatus_t wdm_status_from_errno(int err);
ntstatus_t wdm_status_from_driver(int err);
const char *wdm_status_name(ntstatus_t status);

#endif /* WDM_STATUS_H */
