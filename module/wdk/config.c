// SPDX-License-Identifier: GPL-2.0
/*
 * Creation configurations and input mappings: checks that do not depend on a device.
 */
#include <linux/bits.h>
#include <linux/container_of.h>

#include "../status.h"
#include "device.h"

/* Copy one configuration. */
static NTSTATUS wdk_read_config(const IOMMU_DEVICE_CREATION_CONFIGURATION *from,
				struct wdk_config *config)
{
	/* DeviceId has no public meaning. */
	if ((from->ConfigType != IommuDeviceCreationConfigTypeAcpi &&
	     from->ConfigType != IommuDeviceCreationConfigTypePasid) ||
	    config->types & BIT(from->ConfigType))
		return STATUS_INVALID_PARAMETER_2;
	config->types |= BIT(from->ConfigType);

	if (from->ConfigType == IommuDeviceCreationConfigTypeAcpi) {
		config->acpi = from->Acpi;
		return STATUS_SUCCESS;
	}
	if ((u32)from->Pasid.ConfigType >= PasidConfigTypeMax)
		return STATUS_INVALID_PARAMETER_2;
	config->pasid = from->Pasid;
	return STATUS_SUCCESS;
}

/**
 * wdk_read_configs() - Read a list of creation configurations
 * @first: the first one, which is not a separate list head; NULL: there is none
 * @config: out: the configurations
 *
 * The list ends with a link that is NULL or points back to @first. No type may occur
 * twice, which also bounds lists that never end.
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER_2.
 */
NTSTATUS wdk_read_configs(PIOMMU_DEVICE_CREATION_CONFIGURATION first,
			  struct wdk_config *config)
{
	PIOMMU_DEVICE_CREATION_CONFIGURATION from = first;
	LIST_ENTRY *next;
	NTSTATUS status;

	*config = (struct wdk_config) { };
	while (from) {
		status = wdk_read_config(from, config);
		if (!wdm_ok(status))
			return status;
		next = from->NextConfiguration.Flink;
		if (!next || next == &first->NextConfiguration)
			break;
		from = container_of(next, IOMMU_DEVICE_CREATION_CONFIGURATION,
				    NextConfiguration);
	}
	return STATUS_SUCCESS;
}

/**
 * wdk_check_config() - Check a configuration against a device
 * @config: the configuration
 * @ability: what the device supports
 *
 * Linux attaches all stream IDs of a device, so a configuration has to name all of its
 * input mappings.
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER_2.
 */
NTSTATUS wdk_check_config(const struct wdk_config *config,
			  const struct wdk_ability *ability)
{
	bool acpi = config->types & BIT(IommuDeviceCreationConfigTypeAcpi);

	if (!acpi && ability->needs_acpi)
		return STATUS_INVALID_PARAMETER_2;
	if (acpi && (!ability->nr_mappings || config->acpi.InputMappingBase ||
		     config->acpi.MappingsCount != ability->nr_mappings))
		return STATUS_INVALID_PARAMETER_2;
	if (config->types & BIT(IommuDeviceCreationConfigTypePasid) &&
	    !ability->pasids)
		return STATUS_INVALID_PARAMETER_2;
	return STATUS_SUCCESS;
}

/**
 * wdk_check_mappings() - Check which input mappings of a device are to be attached
 * @nr: number of input mappings of the device; 0 is treated as 1
 * @base: the first one to attach
 * @count: number of input mappings to attach
 *
 * Linux attaches all stream IDs of a device, so a subset would bring the others into the
 * domain, too.
 *
 * Return: STATUS_SUCCESS for all of them, STATUS_INVALID_PARAMETER_3,
 * STATUS_INVALID_PARAMETER_4, STATUS_NOT_SUPPORTED for a subset.
 */
NTSTATUS wdk_check_mappings(ULONG nr, ULONG base, ULONG count)
{
	nr = max(nr, 1U);
	if (base >= nr)
		return STATUS_INVALID_PARAMETER_3;
	if (!count || (u64)base + count > nr)
		return STATUS_INVALID_PARAMETER_4;
	return count == nr ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

/**
 * wdk_list_mappings() - List the input mappings of a device
 * @nr: number of input mappings
 * @Buffer: out: the mappings; may be NULL if @BufferLength is too short
 * @BufferLength: size of @Buffer in bytes
 * @ReturnLength: out: required size in bytes; may be NULL
 *
 * Return: STATUS_SUCCESS, STATUS_UNSUCCESSFUL if there is none,
 * STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER_2.
 */
NTSTATUS wdk_list_mappings(ULONG nr, PINPUT_MAPPING_ELEMENT Buffer,
			   ULONG BufferLength, PULONG ReturnLength)
{
	ULONG i, need = nr * sizeof(*Buffer);

	if (!nr)
		return STATUS_UNSUCCESSFUL;
	if (ReturnLength)
		*ReturnLength = need;
	if (BufferLength < need)
		return STATUS_BUFFER_TOO_SMALL;
	if (!Buffer)
		return STATUS_INVALID_PARAMETER_2;
	for (i = 0; i < nr; i++)
		Buffer[i].InputMappingId = i;
	return STATUS_SUCCESS;
}
