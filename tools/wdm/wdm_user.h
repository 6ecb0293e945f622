/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * The program's part of wdm.h, which includes this file; and functions to open a PDO.
 */
#ifndef WDM_USER_H
#define WDM_USER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/stddef.h>
#include <linux/types.h>

/* A status of Windows code is signed: "Status < 0" is an error. */
typedef __s32 ntstatus_t;

#undef __WDM_NTSTATUS
#define __WDM_NTSTATUS(value)	((ntstatus_t)(value))

#ifndef __force
#define __force
#endif

#ifndef struct_group_tagged
#define struct_group_tagged(tag, name, members...) __struct_group(tag, name, , members)
#endif

#ifndef PAGE_SIZE
#define PAGE_SHIFT	12
#define PAGE_SIZE	4096UL
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#endif

struct wdm_error;
struct wdm_vfio_device;

/* A PDO: a device that this program has opened through VFIO */
typedef struct _DEVICE_OBJECT DEVICE_OBJECT, *PDEVICE_OBJECT;

PDEVICE_OBJECT wdm_pdo_open(const char *bdf, struct wdm_error *error);
void wdm_pdo_close(PDEVICE_OBJECT pdo);
struct wdm_vfio_device *wdm_pdo_device(PDEVICE_OBJECT pdo);

#endif /* WDM_USER_H */
