/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front end for kernel code, in the WDK's spelling. Private to this folder and its
 * tests, except for init and exit.
 */
#ifndef WDM_WDK_WDK_H
#define WDM_WDK_WDK_H

#include <linux/gfp_types.h>
#include <linux/list.h>

#include <wdm.h>

struct wdm_domain;
struct wdm_domain_config;
struct wdm_frames;
struct wdm_limits;

/**
 * struct _IOMMU_DMA_DOMAIN - a domain of kernel code
 * @core: the domain
 * @node: in the list of all domains
 * @nr_users: number of attaches in progress, which keep it from being deleted
 */
struct _IOMMU_DMA_DOMAIN {
	struct wdm_domain *core;
	struct list_head node;
	unsigned int nr_users;
};

/* domain.c */
NTSTATUS wdk_domain_create(const struct wdm_domain_config *config,
			   PIOMMU_DMA_DOMAIN *DomainOut);
bool wdk_domain_get(PIOMMU_DMA_DOMAIN Domain);
void wdk_domain_put(PIOMMU_DMA_DOMAIN Domain);

/* attach.c */
IOMMU_DOMAIN_ATTACH_DEVICE wdk_attach_device;
IOMMU_DOMAIN_DETACH_DEVICE wdk_detach_device;
IOMMU_DOMAIN_ATTACH_DEVICE_EX wdk_attach_device_ex;
IOMMU_DOMAIN_DETACH_DEVICE_EX wdk_detach_device_ex;

/* device.c */
IOMMU_QUERY_INPUT_MAPPINGS wdk_query_input_mappings;
IOMMU_DEVICE_CREATE wdk_create_device;
IOMMU_DEVICE_DELETE wdk_delete_device;
IOMMU_DEVICE_QUERY_DOMAIN_TYPES wdk_query_available_domain_types;

/* fault.c */
IOMMU_SET_DEVICE_FAULT_REPORTING wdk_set_device_fault_reporting;
IOMMU_SET_DEVICE_FAULT_REPORTING_EX wdk_set_device_fault_reporting_ex;

/* pasid.c */
IOMMU_PASID_DEVICE_CREATE wdk_create_pasid_device;
IOMMU_PASID_DEVICE_DELETE wdk_delete_pasid_device;
IOMMU_DOMAIN_ATTACH_PASID_DEVICE wdk_attach_pasid_device;
IOMMU_DOMAIN_DETACH_PASID_DEVICE wdk_detach_pasid_device;
IOMMU_DEVICE_QUERY_INFORMATION wdk_query_device_info;

/* state.c */
IOMMU_REGISTER_INTERFACE_STATE_CHANGE_CALLBACK wdk_register_state_change;
IOMMU_UNREGISTER_INTERFACE_STATE_CHANGE_CALLBACK wdk_unregister_state_change;

/* create.c */
IOMMU_DOMAIN_CREATE_EX wdk_create_domain_ex;

/* domain.c */
IOMMU_DOMAIN_CREATE wdk_create_domain;
IOMMU_DOMAIN_DELETE wdk_delete_domain;
IOMMU_FLUSH_DOMAIN wdk_flush_domain;
IOMMU_FLUSH_DOMAIN_VA_LIST wdk_flush_domain_va_list;
IOMMU_DOMAIN_CONFIGURE wdk_configure_domain;

/* map.c */
IOMMU_MAP_LOGICAL_RANGE wdk_map_logical_range;
IOMMU_MAP_LOGICAL_RANGE_EX wdk_map_logical_range_ex;
IOMMU_UNMAP_LOGICAL_RANGE wdk_unmap_logical_range;
IOMMU_MAP_IDENTITY_RANGE wdk_map_identity_range;
IOMMU_MAP_IDENTITY_RANGE_EX wdk_map_identity_range_ex;
IOMMU_UNMAP_IDENTITY_RANGE wdk_unmap_identity_range;
IOMMU_UNMAP_IDENTITY_RANGE_EX wdk_unmap_identity_range_ex;
struct wdm_limits wdk_limits(const IOMMU_DMA_LOGICAL_ADDRESS *min,
			     const IOMMU_DMA_LOGICAL_ADDRESS *max);

/* mdl.c */
PMDL wdk_mdl_alloc(PVOID VirtualAddress, ULONG Length, gfp_t gfp);
bool wdk_mdl_frames(const MDL *Mdl, struct wdm_frames *frames);
bool wdk_memory_frames(const IOMMU_MAP_PHYSICAL_ADDRESS *memory,
		       struct wdm_frames *frames);

/* token.c */
IOMMU_RESERVE_LOGICAL_ADDRESS_RANGE wdk_reserve_logical_address_range;
IOMMU_FREE_RESERVED_LOGICAL_ADDRESS_RANGE wdk_free_reserved_logical_address_range;
IOMMU_MAP_RESERVED_LOGICAL_RANGE wdk_map_reserved_logical_range;
IOMMU_UNMAP_RESERVED_LOGICAL_RANGE wdk_unmap_reserved_logical_range;

/* attach.c */
int wdk_init(void);
void wdk_exit(void);

#endif /* WDM_WDK_WDK_H */
