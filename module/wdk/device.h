/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices of kernel code. Private to this folder and its tests.
 */
#ifndef WDM_WDK_DEVICE_H
#define WDM_WDK_DEVICE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>

#include "wdk.h"

struct iommu_group;
struct wdk_callback;
struct wdk_faults;
struct wdm_device;
struct wdm_group;

/**
 * struct wdk_config - configuration of a device
 * @types: mask of 1 << type of the configurations that were given
 * @acpi: input mappings
 * @pasid: PASIDs
 */
struct wdk_config {
	u32 types;
	IOMMU_DEVICE_CREATION_CONFIGURATION_ACPI acpi;
	IOMMU_DEVICE_CREATION_CONFIGURATION_PASID pasid;
};

/**
 * struct wdk_ability - what a configuration can ask for
 * @nr_mappings: number of input mappings of the device
 * @needs_acpi: they must be configured
 * @pasids: it supports PASIDs
 */
struct wdk_ability {
	ULONG nr_mappings;
	bool needs_acpi;
	bool pasids;
};

/**
 * struct _IOMMU_DMA_DEVICE - a PDO that kernel code uses
 * @node: in wdk_devices
 * @refs: references; the last one frees it
 * @pdo: the PDO; holds a reference
 * @iommu_group: its IOMMU group; holds a reference
 * @created: CreateDevice returned it; set with both locks held, read with one
 * @group: the group, while its DMA is claimed for this device; guarded by wdk_lock
 * @removed: its removal has begun; set with wdk_lock held, read without
 * @lock: guards the members below; serializes calls on the device
 * @config: its configuration; set like @created
 * @callback: its state change callback, or NULL
 * @nr_users: number of its users, each of which needs its group claimed: its attachment
 *	and its PASID devices
 * @device: the core's device, while there is a user
 * @domain: the domain that it is attached to, or NULL
 * @faults: its fault reporting, or NULL
 *
 * A device attached by its PDO (version 1) and one that was created (version 2) are the
 * same object.
 */
struct _IOMMU_DMA_DEVICE {
	struct list_head node;
	refcount_t refs;
	struct device *pdo;
	struct iommu_group *iommu_group;
	bool created;
	struct wdm_group *group;
	bool removed;

	struct mutex lock;		/* guards the members below */
	struct wdk_config config;
	struct wdk_callback *callback;
	unsigned int nr_users;
	struct wdm_device *device;
	PIOMMU_DMA_DOMAIN domain;
	struct wdk_faults *faults;
};

/* device.c */
bool wdk_device_config(PIOMMU_DMA_DEVICE handle, struct wdk_config *config);
PIOMMU_DMA_DEVICE wdk_device_lock_pdo(struct device *pdo);
PIOMMU_DMA_DEVICE wdk_device_lock(PIOMMU_DMA_DEVICE handle);
void wdk_device_unlock(PIOMMU_DMA_DEVICE dev);
void wdk_device_put(PIOMMU_DMA_DEVICE dev);
NTSTATUS wdk_device_open(struct device *pdo, PIOMMU_DMA_DEVICE *out);
ULONG wdk_pdo_mappings(struct device *pdo);
NTSTATUS wdk_device_use(PIOMMU_DMA_DEVICE dev);
void wdk_device_unuse(PIOMMU_DMA_DEVICE dev);
void wdk_device_unclaim(PIOMMU_DMA_DEVICE dev);
struct wdm_group *wdk_device_group(PIOMMU_DMA_DEVICE dev);
PIOMMU_DMA_DEVICE wdk_removal_begin(struct device *pdo);
PIOMMU_DMA_DEVICE wdk_removal_find(struct device *pdo);
void wdk_removal_end(struct device *pdo);
int wdk_device_init(void);
void wdk_device_exit(void);
u32 wdk_device_types(PIOMMU_DMA_DEVICE dev);

/* config.c */
NTSTATUS wdk_read_configs(PIOMMU_DEVICE_CREATION_CONFIGURATION first,
			  struct wdk_config *config);
NTSTATUS wdk_check_config(const struct wdk_config *config,
			  const struct wdk_ability *ability);
NTSTATUS wdk_check_mappings(ULONG nr, ULONG base, ULONG count);
NTSTATUS wdk_list_mappings(ULONG nr, PINPUT_MAPPING_ELEMENT Buffer,
			   ULONG BufferLength, PULONG ReturnLength);

/* fault.c */
NTSTATUS wdk_set_faults(PIOMMU_DMA_DEVICE DmaDevice,
			const DEVICE_FAULT_CONFIGURATION *config);

#endif /* WDM_WDK_DEVICE_H */
