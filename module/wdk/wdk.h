/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front end for kernel code, in the WDK's spelling. Private to this folder,
 * but for init and exit.
 */
#ifndef WDM_WDK_WDK_H
#define WDM_WDK_WDK_H

#include <wdm.h>

struct wdm_domain;
struct wdm_mdl;

/**
 * struct _IOMMU_DMA_DOMAIN - what kernel code holds as a PIOMMU_DMA_DOMAIN
 * @core: the domain
 */
struct _IOMMU_DMA_DOMAIN {
	struct wdm_domain *core;
};

/* device.c */
IOMMU_DOMAIN_ATTACH_DEVICE wdk_attach_device;
IOMMU_DOMAIN_DETACH_DEVICE wdk_detach_device;
IOMMU_QUERY_INPUT_MAPPINGS wdk_query_input_mappings;
IOMMU_SET_DEVICE_FAULT_REPORTING wdk_set_device_fault_reporting;

/* mdl.c */
NTSTATUS wdk_mdl_to_core(PMDL Mdl, struct wdm_mdl **out);

/* memory.c */
NTSTATUS wdk_add_physical_memory(struct wdm_domain *domain);

int wdk_init(void);
void wdk_exit(void);

#endif /* WDM_WDK_WDK_H */
