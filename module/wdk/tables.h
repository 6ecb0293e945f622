/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The tables that IoGetIommuInterface() and IoGetIommuInterfaceEx() return. The kernel and
 * programs (tools/wdm) have functions of the same names, to be declared before this is
 * included.
 */
#ifndef WDM_WDK_TABLES_H
#define WDM_WDK_TABLES_H

static const DMA_IOMMU_INTERFACE wdk_interface_v1 = {
	.Version = DMA_IOMMU_INTERFACE_VERSION_1,
	.V1 = {
		.CreateDomain = wdk_create_domain,
		.DeleteDomain = wdk_delete_domain,
		.AttachDevice = wdk_attach_device,
		.DetachDevice = wdk_detach_device,
		.FlushDomain = wdk_flush_domain,
		.FlushDomainByVaList = wdk_flush_domain_va_list,
		.QueryInputMappings = wdk_query_input_mappings,
		.MapLogicalRange = wdk_map_logical_range,
		.UnmapLogicalRange = wdk_unmap_logical_range,
		.MapIdentityRange = wdk_map_identity_range,
		.UnmapIdentityRange = wdk_unmap_identity_range,
		.SetDeviceFaultReporting = wdk_set_device_fault_reporting,
		.ConfigureDomain = wdk_configure_domain,
	},
};

static const DMA_IOMMU_INTERFACE_V3 wdk_interface_v3 = {
	.CreateDomainEx = wdk_create_domain_ex,
	.DeleteDomain = wdk_delete_domain,
	.AttachDeviceEx = wdk_attach_device_ex,
	.DetachDeviceEx = wdk_detach_device_ex,
	.FlushDomain = wdk_flush_domain,
	.FlushDomainByVaList = wdk_flush_domain_va_list,
	.QueryInputMappings = wdk_query_input_mappings,
	.MapLogicalRangeEx = wdk_map_logical_range_ex,
	.UnmapLogicalRange = wdk_unmap_logical_range,
	.MapIdentityRangeEx = wdk_map_identity_range_ex,
	.UnmapIdentityRangeEx = wdk_unmap_identity_range_ex,
	.SetDeviceFaultReportingEx = wdk_set_device_fault_reporting_ex,
	.ConfigureDomain = wdk_configure_domain,
	.QueryAvailableDomainTypes = wdk_query_available_domain_types,
	.RegisterInterfaceStateChangeCallback = wdk_register_state_change,
	.UnregisterInterfaceStateChangeCallback = wdk_unregister_state_change,
	.ReserveLogicalAddressRange = wdk_reserve_logical_address_range,
	.FreeReservedLogicalAddressRange = wdk_free_reserved_logical_address_range,
	.MapReservedLogicalRange = wdk_map_reserved_logical_range,
	.UnmapReservedLogicalRange = wdk_unmap_reserved_logical_range,
	.CreateDevice = wdk_create_device,
	.DeleteDevice = wdk_delete_device,
	.CreatePasidDevice = wdk_create_pasid_device,
	.DeletePasidDevice = wdk_delete_pasid_device,
	.AttachPasidDevice = wdk_attach_pasid_device,
	.DetachPasidDevice = wdk_detach_pasid_device,
	.QueryDeviceInfo = wdk_query_device_info,
};

#endif /* WDM_WDK_TABLES_H */
