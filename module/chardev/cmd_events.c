// SPDX-License-Identifier: GPL-2.0
/*
 * Events: their sources, read(), and the ioctl that enables fault reporting.
 */
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/device.h"
#include "../core/fault.h"
#include "chardev.h"

/**
 * wdm_event_device_revoked() - Queue the event that VFIO has revoked a device
 * @data: the file, which is open
 * @device: the device; the lock of its group is held
 *
 * The types of no other file's devices have changed: do not touch their queues. An unbind
 * revokes a device from any number of files.
 */
void wdm_event_device_revoked(void *data, struct wdm_device *device)
{
	struct wdm_context *ctx = data;
	const struct wdm_iommu_event event = {
		.type = WDM_IOMMU_EVENT_DEVICE_REVOKED,
		.time = ktime_get_ns(),
		.device = device->handle,
	};

	/* Without a handle it is being created, and that call returns a status. */
	if (!device->handle)
		return;
	wdm_events_push(&ctx->events, &event);
	wdm_events_recheck_types(&ctx->events, event.time);
}

/* In process context; the handler is retired before the file is closed. */
static void wdm_event_fault(void *context, const struct wdm_fault *fault)
{
	struct wdm_device *device = context;
	struct wdm_context *ctx = device->group->owner->data;
	const struct wdm_iommu_event event = {
		.type = WDM_IOMMU_EVENT_FAULT,
		.time = fault->time,
		.device = device->handle,
		.domain = fault->domain,
		.fault = {
			.address = fault->iova,
			.flags = fault->write ? WDM_IOMMU_FAULT_WRITE : 0,
			.kind = fault->mapped ? WDM_IOMMU_FAULT_PERMISSION :
						WDM_IOMMU_FAULT_TRANSLATION,
		},
	};

	atomic64_add(1 + fault->dropped, &ctx->nr_faults);
	wdm_events_push(&ctx->events, &event);
	if (fault->dropped)
		wdm_events_lost(&ctx->events, fault->time, fault->dropped);
}

static ntstatus_t wdm_event_types_locked(struct wdm_context *ctx, u64 time)
{
	struct wdm_object *object;
	unsigned long handle;
	u32 types;

	/* epoll_ctl() may hold a lock of all programs: do not look at all objects. */
	xa_for_each_marked(&ctx->objects, handle, object, WDM_OBJECT_IS_DEVICE) {
		if (fatal_signal_pending(current))
			return STATUS_CANCELLED;
		cond_resched();
		/*
		 * Nor wait for a delete, which may wait for an attach. If it is refused,
		 * wdm_object_revive() asks again.
		 */
		if (!wdm_ok(wdm_object_get_nowait(ctx, handle, WDM_OBJECT_DEVICE, &object)))
			continue;
		types = wdm_device_types(object->device);
		if (xchg(&object->types, types) != types)
			wdm_events_push(&ctx->events, &(struct wdm_iommu_event) {
				.type = WDM_IOMMU_EVENT_DOMAIN_TYPES,
				.time = time,
				.device = handle,
				.domain_types.available = types,
			});
		wdm_object_put(object);
	}
	return STATUS_SUCCESS;
}

/*
 * Compare the types of all devices with what the program knows. The notifier cannot do
 * this: getting the types sleeps, and a reference for that would make a delete of the
 * device fail. Return false on a fatal signal; another reader has to do it then.
 */
static bool wdm_event_types(struct wdm_context *ctx)
{
	struct wdm_events *events = &ctx->events;
	ntstatus_t status = STATUS_SUCCESS;
	u64 time;

	if (mutex_lock_killable(&events->types))
		return false;
	/*
	 * Full barrier; pairs with atomic64_set_release() in wdm_events_recheck_types(). The
	 * types are read after this, so a change that they miss sets it again.
	 */
	time = atomic64_xchg(&events->types_changed, 0);
	if (time)
		status = wdm_event_types_locked(ctx, time);
	mutex_unlock(&events->types);
	if (wdm_ok(status))
		return true;
	wdm_events_recheck_types(events, time);
	return false;
}

/**
 * wdm_events_readable() - Check whether there is an event to read
 * @ctx: the file
 *
 * Return: true if there is one.
 */
bool wdm_events_readable(struct wdm_context *ctx)
{
	wdm_event_types(ctx);
	return !wdm_events_empty(&ctx->events);
}

/**
 * wdm_events_read() - Read events
 * @ctx: the file
 * @buffer: destination
 * @size: size of @buffer in bytes
 * @nonblock: do not wait
 *
 * Return: as wdm_events_copy(), but -EAGAIN if there is no event and @nonblock.
 */
ssize_t wdm_events_read(struct wdm_context *ctx, char __user *buffer,
			size_t size, bool nonblock)
{
	struct wdm_events *events = &ctx->events;
	ssize_t ret;

	do {
		if (!wdm_event_types(ctx))
			return -ERESTARTSYS;
		ret = wdm_events_copy(events, buffer, size, nonblock);
		if (ret)
			return ret;
		if (nonblock)
			return -EAGAIN;
		ret = wait_event_interruptible(events->wait,
					       atomic64_read(&events->types_changed) ||
					       !wdm_events_empty(events));
	} while (!ret);
	return ret;
}

ntstatus_t wdm_cmd_set_fault_reporting(struct wdm_command *cmd)
{
	struct wdm_iommu_set_fault_reporting *arg = cmd->arg;
	struct wdm_device *device;
	ntstatus_t status;

	if (arg->reserved)
		return STATUS_INVALID_PARAMETER;
	if (arg->input_mapping_id_base)
		return STATUS_INVALID_PARAMETER_2;
	if (arg->enable > 1)
		return STATUS_INVALID_PARAMETER_3;
	status = wdm_command_device(cmd, arg->device, &device);
	if (!wdm_ok(status))
		return status;
	return arg->enable ? wdm_fault_register(device, wdm_event_fault, device) :
			     wdm_fault_unregister(device);
}
