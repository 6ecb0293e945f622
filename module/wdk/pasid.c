// SPDX-License-Identifier: GPL-2.0
/*
 * PASID devices of kernel code: version 3 of the interface.
 */
#include <linux/slab.h>

#include "../core/pasid.h"
#include "device.h"

/**
 * struct _IOMMU_DMA_PASID_DEVICE - a PASID device
 * @node: in wdk_pasids
 * @device: its device, which cannot be deleted before; holds a reference
 * @core: the PASID; NULL once it is deleted
 * @refs: references
 */
struct _IOMMU_DMA_PASID_DEVICE {
	struct list_head node;
	PIOMMU_DMA_DEVICE device;
	struct wdm_pasid *core;
	refcount_t refs;
};

/* Guards wdk_pasids. Held for a change or a lookup only. */
static DEFINE_MUTEX(wdk_pasid_lock);
static LIST_HEAD(wdk_pasids);

static void wdk_pasid_put(PIOMMU_DMA_PASID_DEVICE pasid)
{
	if (!refcount_dec_and_mutex_lock(&pasid->refs, &wdk_pasid_lock))
		return;
	list_del(&pasid->node);
	mutex_unlock(&wdk_pasid_lock);
	wdk_device_put(pasid->device);
	kfree(pasid);
}

/* Look up a PASID device, take a reference, and lock its device. */
static PIOMMU_DMA_PASID_DEVICE wdk_pasid_lock_device(PIOMMU_DMA_PASID_DEVICE handle)
{
	PIOMMU_DMA_PASID_DEVICE pasid, found = NULL;

	mutex_lock(&wdk_pasid_lock);
	list_for_each_entry(pasid, &wdk_pasids, node) {
		if (pasid == handle) {
			refcount_inc(&pasid->refs);
			found = pasid;
			break;
		}
	}
	mutex_unlock(&wdk_pasid_lock);
	if (!found)
		return NULL;
	mutex_lock(&found->device->lock);
	if (found->core)
		return found;
	mutex_unlock(&found->device->lock);
	wdk_pasid_put(found);
	return NULL;
}

static void wdk_pasid_unlock_device(PIOMMU_DMA_PASID_DEVICE pasid)
{
	mutex_unlock(&pasid->device->lock);
	wdk_pasid_put(pasid);
}

static bool wdk_has_tagged_dma(const struct wdk_config *config)
{
	return config->types & BIT(IommuDeviceCreationConfigTypePasid) &&
	       config->pasid.ConfigType == PasidConfigTypePasidTaggedDma;
}

static NTSTATUS wdk_pasid_create(PIOMMU_DMA_DEVICE dev,
				 PIOMMU_DMA_PASID_DEVICE pasid)
{
	NTSTATUS status;

	if (!wdk_has_tagged_dma(&dev->config))
		return STATUS_INVALID_PARAMETER_1;
	status = wdk_device_use(dev);
	if (!wdm_ok(status))
		return status;
	status = wdm_pasid_create(dev->device, &pasid->core);
	if (!wdm_ok(status)) {
		wdk_device_unuse(dev);
		return status;
	}
	refcount_set(&pasid->refs, 1);
	refcount_inc(&dev->refs);
	pasid->device = dev;
	mutex_lock(&wdk_pasid_lock);
	list_add_tail(&pasid->node, &wdk_pasids);
	mutex_unlock(&wdk_pasid_lock);
	return STATUS_SUCCESS;
}

/*
 * Contract: IommuPasidDeviceCreate. Claims the DMA of the device's group, as an attach
 * does: no PASID of a group can be attached before the group is claimed.
 */
NTSTATUS wdk_create_pasid_device(PIOMMU_DMA_DEVICE DmaDevice,
				 PIOMMU_DMA_PASID_DEVICE *PasidDeviceOut,
				 PULONG AsidOut)
{
	PIOMMU_DMA_PASID_DEVICE pasid;
	PIOMMU_DMA_DEVICE dev;
	NTSTATUS status;

	might_sleep();
	dev = wdk_device_lock(DmaDevice);
	if (!dev)
		return STATUS_INVALID_HANDLE;
	pasid = kzalloc(sizeof(*pasid), GFP_KERNEL);
	status = pasid ? wdk_pasid_create(dev, pasid) :
			 STATUS_INSUFFICIENT_RESOURCES;
	if (wdm_ok(status)) {
		*PasidDeviceOut = pasid;
		*AsidOut = pasid->core->pasid;
	} else {
		kfree(pasid);
	}
	wdk_device_unlock(dev);
	return status;
}

/* Contract: IommuPasidDeviceDelete. */
NTSTATUS wdk_delete_pasid_device(PIOMMU_DMA_PASID_DEVICE PasidDevice)
{
	PIOMMU_DMA_PASID_DEVICE pasid;
	NTSTATUS status;

	might_sleep();
	pasid = wdk_pasid_lock_device(PasidDevice);
	if (!pasid)
		return STATUS_INVALID_HANDLE;
	status = wdm_pasid_delete(pasid->core);
	if (wdm_ok(status)) {
		pasid->core = NULL;
		wdk_device_unuse(pasid->device);
		wdk_pasid_put(pasid);
	}
	wdk_pasid_unlock_device(pasid);
	return status;
}

/* Contract: IommuDomainAttachPasidDevice. */
NTSTATUS wdk_attach_pasid_device(PIOMMU_DMA_DOMAIN Domain,
				 PIOMMU_DMA_PASID_DEVICE PasidDevice)
{
	PIOMMU_DMA_PASID_DEVICE pasid;
	NTSTATUS status;

	might_sleep();
	if (!wdk_domain_get(Domain))
		return STATUS_INVALID_HANDLE;
	pasid = wdk_pasid_lock_device(PasidDevice);
	if (!pasid) {
		status = STATUS_INVALID_HANDLE;
	} else {
		status = READ_ONCE(pasid->device->removed) ?
			STATUS_DEVICE_REMOVED :
			wdm_pasid_attach(pasid->core, Domain->core);
		wdk_pasid_unlock_device(pasid);
	}
	wdk_domain_put(Domain);
	return status;
}

/* Contract: IommuDomainDetachPasidDevice. */
NTSTATUS wdk_detach_pasid_device(PIOMMU_DMA_PASID_DEVICE PasidDevice)
{
	PIOMMU_DMA_PASID_DEVICE pasid;
	NTSTATUS status;

	might_sleep();
	pasid = wdk_pasid_lock_device(PasidDevice);
	if (!pasid)
		return STATUS_INVALID_HANDLE;
	status = wdm_pasid_detach(pasid->core);
	wdk_pasid_unlock_device(pasid);
	return status;
}

/* Contract: IommuDeviceQueryInformation. Takes no device lock; fault handlers may call it. */
NTSTATUS wdk_query_device_info(PIOMMU_DMA_DEVICE DmaDevice, ULONG Size,
			       PULONG BytesWritten,
			       PIOMMU_DMA_DEVICE_INFORMATION Buffer)
{
	struct wdk_config config;

	might_sleep();
	if (!wdk_device_config(DmaDevice, &config))
		return STATUS_INVALID_HANDLE;
	if (Size < sizeof(*Buffer)) {
		*BytesWritten = 0;
		return STATUS_BUFFER_TOO_SMALL;
	}
	*Buffer = (IOMMU_DMA_DEVICE_INFORMATION) { };
	if (config.types & BIT(IommuDeviceCreationConfigTypePasid)) {
		/* Tagged DMA includes the default PASID. */
		Buffer->DefaultPasidEnabled = TRUE;
		Buffer->PasidTaggedDmaEnabled = wdk_has_tagged_dma(&config);
		Buffer->PasidFaultsSuppressed = !!config.pasid.SuppressPasidFaults;
	}
	*BytesWritten = sizeof(*Buffer);
	return STATUS_SUCCESS;
}
