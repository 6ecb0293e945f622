// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Devices: PDOs, the results of CreateDevice, and PASIDs.
 *
 * wdm_pdo_open() opens the kernel's device: VFIO has claimed its DMA, which blocks until the
 * device is attached. Version 1 names it by its PDO, version 2 by what CreateDevice returned;
 * both are one device, with one attachment.
 */
#include "private.h"

/**
 * struct _IOMMU_DMA_PASID_DEVICE - a PASID device
 * @link: in the list of all of them
 * @handle: for the ioctls
 * @device: its device
 * @domain: the domain that it was attached to, or NULL
 */
struct _IOMMU_DMA_PASID_DEVICE {
	LIST_ENTRY link;
	__u32 handle;
	PIOMMU_DMA_DEVICE device;
	PIOMMU_DMA_DOMAIN domain;
};

/**
 * struct config - configuration of a device
 * @pasid: &enum wdm_iommu_pasid_config
 * @suppress: suppress_pasid_faults
 */
struct config {
	__u32 pasid;
	bool suppress;
};

LIST_ENTRY wdk_pdos = { &wdk_pdos, &wdk_pdos };
LIST_ENTRY wdk_devices = { &wdk_devices, &wdk_devices };
static LIST_ENTRY pasids = { &pasids, &pasids };

/* Find a PDO of the same group, whose container another device has to share. */
static PDEVICE_OBJECT find_group(const char *bdf)
{
	struct wdm_pci_address address;
	struct wdm_bdf name;
	PLIST_ENTRY entry;
	int group;

	if (!wdm_pci_find(bdf, &address))
		return NULL;
	wdm_pci_format(&address, &name);
	group = wdm_pci_group(name.text);
	for (entry = wdk_pdos.Flink; entry != &wdk_pdos; entry = entry->Flink) {
		PDEVICE_OBJECT pdo = CONTAINING_RECORD(entry, DEVICE_OBJECT, link);

		if (pdo->vfio && wdm_vfio_group(pdo->vfio) == group)
			return pdo;
	}
	return NULL;
}

/**
 * wdm_pdo_open() - Open a device through VFIO
 * @bdf: the device, as for wdm_vfio_open()
 * @error: out: description of a failure
 *
 * From then on all DMA of the device is blocked, until it is attached. Of the devices of a
 * group, the one that was opened first must be closed last.
 *
 * Return: the PDO, with a reference for wdm_pdo_close(); NULL on failure.
 */
PDEVICE_OBJECT wdm_pdo_open(const char *bdf, struct wdm_error *error)
{
	PDEVICE_OBJECT pdo = calloc(1, sizeof(*pdo)), beside;

	if (!pdo || wdk_fd() < 0) {
		wdm_error_set(error, WDM_STATUS_NONE, "cannot open " WDM_IOMMU_PATH);
		free(pdo);
		return NULL;
	}
	pdo->refs = 1;
	wdk_acquire();
	beside = find_group(bdf);
	pdo->vfio = beside ? wdm_vfio_open_beside(beside->vfio, wdk_fd(), bdf, error) :
			     wdm_vfio_open(wdk_fd(), bdf, error);
	if (pdo->vfio) {
		pdo->handle = wdm_vfio_handle(pdo->vfio);
		wdm_vfio_address(pdo->vfio, &pdo->address);
		InsertTailList(&wdk_pdos, &pdo->link);
	}
	wdk_release();
	if (pdo->vfio)
		return pdo;
	free(pdo);
	return NULL;
}

/**
 * wdm_pdo_close() - Drop the reference of wdm_pdo_open()
 * @pdo: the PDO; as for ObDereferenceObject()
 */
void wdm_pdo_close(PDEVICE_OBJECT pdo)
{
	ObDereferenceObject(pdo);
}

/**
 * wdm_pdo_device() - Get the device of a PDO, for its BARs, interrupts and so on
 * @pdo: the PDO
 *
 * Return: the device. Do not use its handle: CreateDevice may give the PDO another one.
 */
struct wdm_vfio_device *wdm_pdo_device(PDEVICE_OBJECT pdo)
{
	return pdo->vfio;
}

/**
 * ObReferenceObject() - Take a reference to a PDO
 * @Object: the PDO
 */
void ObReferenceObject(PDEVICE_OBJECT Object)
{
	InterlockedIncrement(&Object->refs);
}

/**
 * ObDereferenceObject() - Drop a reference to a PDO
 * @Object: the PDO. Dropping the last reference detaches and closes the device
 */
void ObDereferenceObject(PDEVICE_OBJECT Object)
{
	LONG refs;

	wdk_acquire();
	refs = InterlockedDecrement(&Object->refs);
	if (!refs) {
		RemoveEntryList(&Object->link);
		Object->faults.FaultHandler = NULL;
		wdk_events_wait(Object);
		if (Object->domain)
			wdm_detach(wdk_fd(), Object->handle);
		wdm_destroy(wdk_fd(), Object->handle);
		wdm_vfio_close(Object->vfio);
	}
	wdk_release();
	if (!refs)
		free(Object);
}

static bool query(PDEVICE_OBJECT pdo, struct wdm_iommu_query_device *answer)
{
	return !wdm_query_device(wdk_fd(), pdo->handle, answer);
}

/* Check whether VFIO has revoked the device, which then is no longer attached. */
static bool is_removed(PDEVICE_OBJECT pdo)
{
	struct wdm_iommu_query_device answer;

	if (query(pdo, &answer) && !(answer.flags & WDM_IOMMU_DEVICE_IS_REVOKED))
		return false;
	pdo->domain = NULL;
	return true;
}

/**
 * wdk_device_types() - Get the types of domains that a device can be attached to now
 * @pdo: the device
 *
 * Return: a mask of 1 << type; 0 if VFIO has revoked it.
 */
ULONG wdk_device_types(PDEVICE_OBJECT pdo)
{
	struct wdm_iommu_query_device answer;

	return query(pdo, &answer) ? answer.domain_types : 0;
}

static bool pdo_exists(PDEVICE_OBJECT pdo)
{
	return wdk_contains(&wdk_pdos, &pdo->link);
}

/**
 * wdk_device_exists() - Check whether CreateDevice returned this
 * @device: any pointer; wdk_lock is held
 *
 * Return: true if it did, and the device has not been deleted.
 */
bool wdk_device_exists(PIOMMU_DMA_DEVICE device)
{
	return wdk_contains(&wdk_devices, &device->link);
}

static NTSTATUS attach(PDEVICE_OBJECT pdo, PIOMMU_DMA_DOMAIN domain)
{
	NTSTATUS status;

	if (!wdk_contains(&wdk_domains, &domain->link))
		return STATUS_INVALID_HANDLE;
	if (is_removed(pdo))
		return STATUS_DEVICE_REMOVED;
	if (pdo->domain)
		return STATUS_INVALID_PARAMETER;
	/* For the kernel it is not a PassThrough domain. */
	if (domain->type == DomainTypePassThrough &&
	    !(wdk_device_types(pdo) & 1 << DomainTypePassThrough))
		return STATUS_ACCESS_DENIED;
	status = wdk_status(wdm_attach(wdk_fd(), domain->handle, pdo->handle));
	if (NT_SUCCESS(status))
		pdo->domain = domain;
	return status;
}

/* Fault reporting ends with the attachment. */
static NTSTATUS end_faults(PDEVICE_OBJECT pdo)
{
	NTSTATUS status = wdk_status(wdm_set_fault_reporting(wdk_fd(), pdo->handle, false));

	if (!NT_SUCCESS(status))
		return status;
	pdo->faults.FaultHandler = NULL;
	wdk_events_wait(pdo);
	return status;
}

static NTSTATUS detach(PDEVICE_OBJECT pdo)
{
	NTSTATUS status = wdk_status(wdm_detach(wdk_fd(), pdo->handle));

	if (NT_SUCCESS(status)) {
		if (pdo->faults.FaultHandler)
			end_faults(pdo);
		pdo->domain = NULL;
	}
	return status;
}

/* Contract: IommuDeviceAttach. */
NTSTATUS wdk_attach_device(PIOMMU_DMA_DOMAIN Domain, PDEVICE_OBJECT PhysicalDeviceObject,
			   ULONG InputMappingIdBase, ULONG MappingCount)
{
	NTSTATUS status = STATUS_NOT_FOUND;

	wdm_port_passive("AttachDevice");
	if (InputMappingIdBase)
		return STATUS_INVALID_PARAMETER_3;
	if (MappingCount != 1)
		return STATUS_INVALID_PARAMETER_4;
	wdk_acquire();
	if (pdo_exists(PhysicalDeviceObject) && !is_removed(PhysicalDeviceObject))
		status = attach(PhysicalDeviceObject, Domain);
	wdk_release();
	return status;
}

/* Contract: IommuDeviceDetach. */
NTSTATUS wdk_detach_device(PIOMMU_DMA_DOMAIN Domain, PDEVICE_OBJECT PhysicalDeviceObject,
			   ULONG InputMappingId)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER_2;

	wdm_port_passive("DetachDevice");
	if (InputMappingId)
		return STATUS_INVALID_PARAMETER_3;
	wdk_acquire();
	if (pdo_exists(PhysicalDeviceObject) && !is_removed(PhysicalDeviceObject) &&
	    PhysicalDeviceObject->domain && PhysicalDeviceObject->domain == Domain)
		status = detach(PhysicalDeviceObject);
	wdk_release();
	return status;
}

/* Contract: IommuDeviceAttachEx. */
NTSTATUS wdk_attach_device_ex(PIOMMU_DMA_DOMAIN Domain, PIOMMU_DMA_DEVICE DmaDevice)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;

	wdm_port_passive("AttachDeviceEx");
	wdk_acquire();
	if (wdk_device_exists(DmaDevice))
		status = attach(DmaDevice->pdo, Domain);
	wdk_release();
	return status;
}

/* Contract: IommuDeviceDetachEx. */
NTSTATUS wdk_detach_device_ex(PIOMMU_DMA_DEVICE DmaDevice)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;

	wdm_port_passive("DetachDeviceEx");
	wdk_acquire();
	if (wdk_device_exists(DmaDevice)) {
		status = STATUS_INVALID_PARAMETER_1;
		if (!is_removed(DmaDevice->pdo) && DmaDevice->pdo->domain)
			status = detach(DmaDevice->pdo);
	}
	wdk_release();
	return status;
}

/* Contract: IommuQueryInputMappings. */
NTSTATUS wdk_query_input_mappings(PDEVICE_OBJECT PhysicalDeviceObject,
				  PINPUT_MAPPING_ELEMENT Buffer, ULONG BufferLength,
				  PULONG ReturnLength)
{
	NTSTATUS status = STATUS_UNSUCCESSFUL;
	__u32 length = 0;

	wdm_port_passive("QueryInputMappings");
	wdk_acquire();
	if (pdo_exists(PhysicalDeviceObject))
		status = wdk_status(wdm_query_input_mappings(wdk_fd(),
							     PhysicalDeviceObject->handle,
							     (__u32 *)Buffer, BufferLength,
							     &length));
	wdk_release();
	if (ReturnLength && (NT_SUCCESS(status) || status == STATUS_BUFFER_TOO_SMALL))
		*ReturnLength = length;
	return status == STATUS_ACCESS_VIOLATION ? STATUS_INVALID_PARAMETER_2 : status;
}

static NTSTATUS check_faults(ULONG base, BOOLEAN enable, PDEVICE_FAULT_CONFIGURATION config)
{
	if (base)
		return STATUS_INVALID_PARAMETER_2;
	if (enable && (!config || !config->FaultHandler))
		return STATUS_INVALID_PARAMETER_4;
	return STATUS_SUCCESS;
}

static NTSTATUS set_faults(PDEVICE_OBJECT pdo, PDEVICE_FAULT_CONFIGURATION config)
{
	NTSTATUS status = wdk_events_start();

	if (NT_SUCCESS(status))
		status = wdk_status(wdm_set_fault_reporting(wdk_fd(), pdo->handle, true));
	if (NT_SUCCESS(status)) {
		pdo->faults.FaultHandler = NULL;
		wdk_events_wait(pdo);
		pdo->faults = *config;
	}
	return status;
}

/* Called with wdk_lock held. If the PDO is NULL, returns @none. */
static NTSTATUS report_faults(PDEVICE_OBJECT pdo, ULONG base, BOOLEAN enable,
			      PDEVICE_FAULT_CONFIGURATION config, NTSTATUS none)
{
	NTSTATUS status = check_faults(base, enable, config);

	if (!NT_SUCCESS(status))
		return status;
	if (!pdo)
		return none;
	if (is_removed(pdo) || !pdo->domain)
		return STATUS_INVALID_PARAMETER_1;
	return enable ? set_faults(pdo, config) : end_faults(pdo);
}

/* Contract: IommuSetDeviceFaultReporting. */
NTSTATUS wdk_set_device_fault_reporting(PDEVICE_OBJECT PhysicalDeviceObject,
					ULONG InputMappingIdBase, BOOLEAN Enable,
					PDEVICE_FAULT_CONFIGURATION FaultConfig)
{
	NTSTATUS status;

	wdm_port_passive("SetDeviceFaultReporting");
	wdk_acquire();
	status = report_faults(pdo_exists(PhysicalDeviceObject) ? PhysicalDeviceObject : NULL,
			       InputMappingIdBase, Enable, FaultConfig,
			       STATUS_INVALID_PARAMETER_1);
	wdk_release();
	return status;
}

/* Contract: IommuSetDeviceFaultReportingEx. */
NTSTATUS wdk_set_device_fault_reporting_ex(PIOMMU_DMA_DEVICE DmaDevice,
					   ULONG InputMappingIdBase, BOOLEAN Enable,
					   PDEVICE_FAULT_CONFIGURATION FaultConfig)
{
	NTSTATUS status;

	wdm_port_passive("SetDeviceFaultReportingEx");
	wdk_acquire();
	status = report_faults(wdk_device_exists(DmaDevice) ? DmaDevice->pdo : NULL,
			       InputMappingIdBase, Enable, FaultConfig, STATUS_INVALID_HANDLE);
	wdk_release();
	return status;
}

/*
 * Read a list of configurations, which ends with a link that is NULL or points back to the
 * first element. No type may occur twice, which also bounds lists that never end. PDOs of
 * programs are PCI devices, which have no input mappings to configure.
 */
static bool read_configs(PIOMMU_DEVICE_CREATION_CONFIGURATION first, struct config *config)
{
	PIOMMU_DEVICE_CREATION_CONFIGURATION from = first;
	LIST_ENTRY *next;

	*config = (struct config) { WDM_IOMMU_PASID_NONE, false };
	while (from) {
		if (from->ConfigType != IommuDeviceCreationConfigTypePasid || config->pasid ||
		    (ULONG)from->Pasid.ConfigType >= PasidConfigTypeMax)
			return false;
		config->pasid = from->Pasid.ConfigType + WDM_IOMMU_PASID_DEFAULT_ONLY;
		config->suppress = !!from->Pasid.SuppressPasidFaults;
		next = from->NextConfiguration.Flink;
		if (!next || next == &first->NextConfiguration)
			break;
		from = CONTAINING_RECORD(next, IOMMU_DEVICE_CREATION_CONFIGURATION,
					 NextConfiguration);
	}
	return true;
}

/* Create the kernel's device, which is named as it was opened: by its cdev, or its address. */
static NTSTATUS create_handle(PDEVICE_OBJECT pdo, const struct config *config)
{
	struct wdm_iommu_device_create argument = {
		.size = sizeof(argument),
		.pasid_config = config->pasid,
		.suppress_pasid_faults = config->suppress,
	};
	struct wdm_vfio_fds files = { .size = sizeof(files) };
	NTSTATUS status;

	wdm_vfio_get_fds(pdo->vfio, &files);
	if (files.group < 0) {
		argument.flags = WDM_IOMMU_DEVICE_CDEV;
		argument.cdev = files.device;
	} else {
		argument.segment = pdo->address.segment;
		argument.bus = pdo->address.bus;
		argument.devfn = pdo->address.devfn;
	}
	status = wdk_call(WDM_IOMMU_DEVICE_CREATE, &argument);
	if (NT_SUCCESS(status)) {
		pdo->handle = argument.device;
		pdo->pasid = config->pasid;
		pdo->suppress = config->suppress;
	}
	return status;
}

/* The kernel configures PASIDs when it creates a device, so recreate the device. */
static NTSTATUS configure(PDEVICE_OBJECT pdo, const struct config *config)
{
	const struct config before = { pdo->pasid, pdo->suppress };
	NTSTATUS status;

	if (config->pasid == before.pasid && config->suppress == before.suppress)
		return STATUS_SUCCESS;
	if (pdo->domain)
		return STATUS_RESOURCE_IN_USE;
	status = wdk_status(wdm_destroy(wdk_fd(), pdo->handle));
	if (!NT_SUCCESS(status))
		return status;
	/* Without a handle, the device counts as removed. */
	pdo->handle = 0;
	status = create_handle(pdo, config);
	if (!NT_SUCCESS(status))
		create_handle(pdo, &before);
	return status;
}

static NTSTATUS create_device(PDEVICE_OBJECT pdo, const struct config *config,
			      PIOMMU_DMA_DEVICE *out)
{
	PIOMMU_DMA_DEVICE device;
	NTSTATUS status;

	if (pdo->device)
		return STATUS_RESOURCE_IN_USE;
	status = configure(pdo, config);
	if (!NT_SUCCESS(status))
		return status;
	device = calloc(1, sizeof(*device));
	if (!device)
		return STATUS_INSUFFICIENT_RESOURCES;
	ObReferenceObject(pdo);
	device->pdo = pdo;
	pdo->device = device;
	InsertTailList(&wdk_devices, &device->link);
	*out = device;
	return STATUS_SUCCESS;
}

/* Contract: IommuDeviceCreate. */
NTSTATUS wdk_create_device(PDEVICE_OBJECT DeviceObject,
			   PIOMMU_DEVICE_CREATION_CONFIGURATION DeviceConfig,
			   PIOMMU_DMA_DEVICE *DmaDeviceOut)
{
	struct wdm_iommu_query_device answer;
	NTSTATUS status = STATUS_NOT_FOUND;
	struct config config;

	wdm_port_passive("CreateDevice");
	wdk_acquire();
	if (pdo_exists(DeviceObject) && !is_removed(DeviceObject) &&
	    query(DeviceObject, &answer)) {
		if (!read_configs(DeviceConfig, &config) ||
		    (config.pasid && !answer.max_pasids))
			status = STATUS_INVALID_PARAMETER_2;
		else
			status = create_device(DeviceObject, &config, DmaDeviceOut);
	}
	wdk_release();
	return status;
}

/* Contract: IommuDeviceDelete. */
NTSTATUS wdk_delete_device(PIOMMU_DMA_DEVICE DmaDevice)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;
	PDEVICE_OBJECT pdo = NULL;

	wdm_port_passive("DeleteDevice");
	wdk_acquire();
	if (wdk_device_exists(DmaDevice)) {
		pdo = DmaDevice->pdo;
		is_removed(pdo);
		status = pdo->domain || DmaDevice->nr_pasids || DmaDevice->callback ?
			STATUS_RESOURCE_IN_USE : STATUS_SUCCESS;
	}
	if (NT_SUCCESS(status)) {
		RemoveEntryList(&DmaDevice->link);
		pdo->device = NULL;
	}
	wdk_release();
	if (NT_SUCCESS(status)) {
		free(DmaDevice);
		ObDereferenceObject(pdo);
	}
	return status;
}

/* Contract: IommuDeviceQueryDomainTypes. */
VOID wdk_query_available_domain_types(PIOMMU_DMA_DEVICE DmaDevice, PULONG AvailableDomains)
{
	wdm_port_passive("QueryAvailableDomainTypes");
	wdk_acquire();
	*AvailableDomains = wdk_device_exists(DmaDevice) ? wdk_device_types(DmaDevice->pdo) : 0;
	wdk_release();
}

/* Contract: IommuDeviceQueryInformation. */
NTSTATUS wdk_query_device_info(PIOMMU_DMA_DEVICE DmaDevice, ULONG Size, PULONG BytesWritten,
			       PIOMMU_DMA_DEVICE_INFORMATION Buffer)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;

	wdm_port_passive("QueryDeviceInfo");
	wdk_acquire();
	if (wdk_device_exists(DmaDevice)) {
		status = STATUS_BUFFER_TOO_SMALL;
		*BytesWritten = 0;
		if (Size >= sizeof(*Buffer)) {
			Buffer->DefaultPasidEnabled = !!DmaDevice->pdo->pasid;
			Buffer->PasidTaggedDmaEnabled =
				DmaDevice->pdo->pasid == WDM_IOMMU_PASID_TAGGED_DMA;
			Buffer->PasidFaultsSuppressed = DmaDevice->pdo->suppress;
			*BytesWritten = sizeof(*Buffer);
			status = STATUS_SUCCESS;
		}
	}
	wdk_release();
	return status;
}

/**
 * wdk_has_pasids() - Check whether a PASID is attached to a domain
 * @domain: the domain; wdk_lock is held
 *
 * Return: true if one is.
 */
bool wdk_has_pasids(PIOMMU_DMA_DOMAIN domain)
{
	PLIST_ENTRY entry;

	for (entry = pasids.Flink; entry != &pasids; entry = entry->Flink)
		if (CONTAINING_RECORD(entry, IOMMU_DMA_PASID_DEVICE, link)->domain == domain)
			return true;
	return false;
}

/* Contract: IommuPasidDeviceCreate. */
NTSTATUS wdk_create_pasid_device(PIOMMU_DMA_DEVICE DmaDevice,
				 PIOMMU_DMA_PASID_DEVICE *PasidDeviceOut, PULONG AsidOut)
{
	PIOMMU_DMA_PASID_DEVICE pasid = calloc(1, sizeof(*pasid));
	NTSTATUS status = STATUS_INVALID_HANDLE;
	__u32 asid;

	wdm_port_passive("CreatePasidDevice");
	if (!pasid)
		return STATUS_INSUFFICIENT_RESOURCES;
	wdk_acquire();
	if (wdk_device_exists(DmaDevice))
		status = wdk_status(wdm_pasid_create(wdk_fd(), DmaDevice->pdo->handle,
						     &pasid->handle, &asid));
	if (NT_SUCCESS(status)) {
		pasid->device = DmaDevice;
		DmaDevice->nr_pasids++;
		InsertTailList(&pasids, &pasid->link);
		*PasidDeviceOut = pasid;
		*AsidOut = asid;
	}
	wdk_release();
	if (!NT_SUCCESS(status))
		free(pasid);
	return status;
}

/* Contract: IommuPasidDeviceDelete. */
NTSTATUS wdk_delete_pasid_device(PIOMMU_DMA_PASID_DEVICE PasidDevice)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;

	wdm_port_passive("DeletePasidDevice");
	wdk_acquire();
	if (wdk_contains(&pasids, &PasidDevice->link))
		status = wdk_status(wdm_destroy(wdk_fd(), PasidDevice->handle));
	if (NT_SUCCESS(status)) {
		PasidDevice->device->nr_pasids--;
		RemoveEntryList(&PasidDevice->link);
	}
	wdk_release();
	if (NT_SUCCESS(status))
		free(PasidDevice);
	return status;
}

/* Contract: IommuDomainAttachPasidDevice. */
NTSTATUS wdk_attach_pasid_device(PIOMMU_DMA_DOMAIN Domain, PIOMMU_DMA_PASID_DEVICE PasidDevice)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;

	wdm_port_passive("AttachPasidDevice");
	wdk_acquire();
	if (wdk_contains(&wdk_domains, &Domain->link) &&
	    wdk_contains(&pasids, &PasidDevice->link))
		status = Domain->type == DomainTypePassThrough ? STATUS_INVALID_PARAMETER_1 :
			wdk_status(wdm_pasid_attach(wdk_fd(), Domain->handle,
						    PasidDevice->handle));
	if (NT_SUCCESS(status))
		PasidDevice->domain = Domain;
	wdk_release();
	return status;
}

/* Contract: IommuDomainDetachPasidDevice. */
NTSTATUS wdk_detach_pasid_device(PIOMMU_DMA_PASID_DEVICE PasidDevice)
{
	NTSTATUS status = STATUS_INVALID_HANDLE;

	wdm_port_passive("DetachPasidDevice");
	wdk_acquire();
	if (wdk_contains(&pasids, &PasidDevice->link))
		status = wdk_status(wdm_pasid_detach(wdk_fd(), PasidDevice->handle));
	if (NT_SUCCESS(status))
		PasidDevice->domain = NULL;
	wdk_release();
	return status;
}
