// SPDX-License-Identifier: GPL-2.0
/*
 * State change callbacks, for changes of the types of domains available to a device.
 */
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "../core/policy.h"
#include "../status.h"
#include "device.h"

/**
 * struct wdk_callback - a state change callback
 * @device: the device, which cannot be deleted while the callback is registered
 * @fn: the function to call
 * @context: for @fn
 * @registered: it can be unregistered; guarded by the device's lock
 * @types: the argument of the last call of @fn; changed by @work only, which never
 *	runs twice at a time
 * @nb: queues @work, as @fn may call anything
 * @work: calls @fn
 */
struct wdk_callback {
	PIOMMU_DMA_DEVICE device;
	PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK fn;
	PVOID context;
	bool registered;
	u32 types;
	struct notifier_block nb;
	struct work_struct work;
};

static void wdk_callback_call(struct wdk_callback *callback, u32 types)
{
	IOMMU_INTERFACE_STATE_CHANGE change = {
		.PresentFields.AvailableDomainTypes = 1,
		.AvailableDomainTypes = types,
	};

	callback->types = types;
	callback->fn(&change, callback->context);
}

static void wdk_callback_work(struct work_struct *work)
{
	struct wdk_callback *callback =
		container_of(work, struct wdk_callback, work);
	u32 types = wdk_device_types(callback->device);

	if (types != callback->types)
		wdk_callback_call(callback, types);
}

static int wdk_callback_notify(struct notifier_block *nb, unsigned long action,
			       void *data)
{
	struct wdk_callback *callback = container_of(nb, struct wdk_callback, nb);

	schedule_work(&callback->work);
	return NOTIFY_OK;
}

/*
 * Set the callback of a device, and get a reference to the device: once the callback is
 * registered, another thread may unregister it and delete the device.
 */
static NTSTATUS wdk_callback_install(PIOMMU_DMA_DEVICE DmaDevice,
				     struct wdk_callback *callback)
{
	PIOMMU_DMA_DEVICE dev = wdk_device_lock(DmaDevice);

	if (!dev)
		return STATUS_INVALID_HANDLE;
	if (dev->callback) {
		wdk_device_unlock(dev);
		return STATUS_UNSUCCESSFUL;
	}
	callback->device = dev;
	dev->callback = callback;
	mutex_unlock(&dev->lock);
	return STATUS_SUCCESS;
}

/*
 * Contract: IommuRegisterInterfaceStateChangeCallback. The callback may sleep, and call any
 * function except the one that unregisters it, which waits for it.
 */
NTSTATUS wdk_register_state_change(PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK StateChangeCallback,
				   PVOID Context, PIOMMU_DMA_DEVICE DmaDevice,
				   PIOMMU_INTERFACE_STATE_CHANGE_FIELDS StateFields)
{
	struct wdk_callback *callback;
	PIOMMU_DMA_DEVICE dev;
	NTSTATUS status;

	might_sleep();
	if (!StateChangeCallback)
		return STATUS_INVALID_PARAMETER_1;
	if (!StateFields || StateFields->AsULONG != 1)
		return STATUS_INVALID_PARAMETER_4;

	callback = kzalloc(sizeof(*callback), GFP_KERNEL);
	if (!callback)
		return STATUS_INSUFFICIENT_RESOURCES;
	callback->fn = StateChangeCallback;
	callback->context = Context;
	callback->nb.notifier_call = wdk_callback_notify;
	INIT_WORK(&callback->work, wdk_callback_work);
	status = wdk_callback_install(DmaDevice, callback);
	if (!wdm_ok(status)) {
		kfree(callback);
		return status;
	}

	dev = callback->device;
	wdk_callback_call(callback, wdk_device_types(dev));
	wdm_types_register(&callback->nb);
	/* Report changes that preceded the registration of the notifier. */
	schedule_work(&callback->work);
	mutex_lock(&dev->lock);
	callback->registered = true;
	wdk_device_unlock(dev);
	return STATUS_SUCCESS;
}

/* Contract: IommuUnregisterInterfaceStateChangeCallback. */
NTSTATUS wdk_unregister_state_change(PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK StateChangeCallback,
				     PIOMMU_DMA_DEVICE DmaDevice)
{
	PIOMMU_DMA_DEVICE dev;
	struct wdk_callback *callback;

	might_sleep();
	dev = wdk_device_lock(DmaDevice);
	if (!dev)
		return STATUS_INVALID_HANDLE;
	callback = dev->callback;
	if (!callback || !callback->registered ||
	    callback->fn != StateChangeCallback) {
		wdk_device_unlock(dev);
		return STATUS_UNSUCCESSFUL;
	}
	callback->registered = false;
	mutex_unlock(&dev->lock);

	/* Without the device's lock, which the callback may be waiting for */
	wdm_types_unregister(&callback->nb);
	cancel_work_sync(&callback->work);
	mutex_lock(&dev->lock);
	dev->callback = NULL;
	wdk_device_unlock(dev);
	kfree(callback);
	return STATUS_SUCCESS;
}
