// SPDX-License-Identifier: GPL-2.0
/*
 * Faults: from an IOMMU driver's interrupt to a handler that may sleep.
 *
 * The IOMMU driver reports in any context. The report queues the fault, and a work item
 * calls the handler. Faults are dropped while the queue is full: a faulting device
 * faults by the thousand.
 */
#include <linux/delay.h>
#include <linux/kfifo.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "device.h"
#include "fault.h"
#include "join.h"

#define WDM_FAULT_QUEUE		64

/**
 * struct wdm_fault_entry - a queued fault
 * @iova: the address
 * @time: when it was reported, in ns of CLOCK_MONOTONIC
 * @write: it was a write
 */
struct wdm_fault_entry {
	u64 iova;
	u64 time;
	bool write;
};

/**
 * struct wdm_fault_handler - a handler of a device's faults
 * @node: in wdm_fault_handlers while @device is attached
 * @device: the device
 * @fn: the function to call
 * @context: for @fn
 * @queue: faults to report; guarded by wdm_fault_lock
 * @dropped: number of faults dropped after those in @queue; guarded by wdm_fault_lock
 * @retired: not 0: it has been replaced, and @work must not wait for other calls
 * @work: calls @fn
 */
struct wdm_fault_handler {
	struct list_head node;
	struct wdm_device *device;
	wdm_fault_fn fn;
	void *context;
	DECLARE_KFIFO(queue, struct wdm_fault_entry, WDM_FAULT_QUEUE);
	u32 dropped;
	atomic_t retired;
	struct work_struct work;
};

static_assert(sizeof(struct wdm_fault_handler) <= WDM_FAULT_HANDLER_SIZE);

/*
 * Guards the list and the queues; taken in interrupt context. The list has the handlers of
 * attached devices only: a device that is detached may have another owner, whose faults it
 * must not get, and there is no bound on the number of such handlers.
 */
static DEFINE_SPINLOCK(wdm_fault_lock);
static LIST_HEAD(wdm_fault_handlers);
static struct workqueue_struct *wdm_fault_wq;

static bool wdm_fault_pop(struct wdm_fault_handler *handler, struct wdm_fault *fault)
{
	struct wdm_fault_entry entry;
	unsigned long flags;
	bool got;

	spin_lock_irqsave(&wdm_fault_lock, flags);
	/* Once the device is revoked, its faults are none of the owner's business. */
	if (wdm_device_revoked(handler->device))
		kfifo_reset(&handler->queue);
	got = kfifo_get(&handler->queue, &entry);
	fault->dropped = 0;
	if (kfifo_is_empty(&handler->queue))
		swap(fault->dropped, handler->dropped);
	spin_unlock_irqrestore(&wdm_fault_lock, flags);
	if (got) {
		fault->iova = entry.iova;
		fault->time = entry.time;
		fault->write = entry.write;
	}
	return got;
}

/*
 * Check whether an address is mapped. The lock of the group is held: do not wait long. Once
 * *@retired is not 0, return false instead of waiting.
 */
static bool wdm_fault_is_mapped(struct wdm_domain *domain, u64 iova,
				const atomic_t *retired)
{
	u64 pgno = iova >> PAGE_SHIFT;
	struct wdm_range all;
	unsigned long flags;
	bool mapped;

	if (wdm_domain_os_managed(domain))
		return wdm_mappings_any(&domain->mappings, pgno, pgno);
	if (domain->atomic) {
		spin_lock_irqsave(&domain->lock, flags);
		mapped = !wdm_ok(domain->ops->check_unused(domain, iova, iova, NULL));
		spin_unlock_irqrestore(&domain->lock, flags);
		return mapped;
	}
	/*
	 * Walks free shadow pages, so keep them out. They hold the empty range, and release
	 * it within a bounded amount of work once all pages are wanted.
	 */
	if (!wdm_ok(wdm_range_lock_all_unless(&domain->ranges, &all, false, retired)))
		return false;
	mapped = !wdm_ok(domain->ops->check_unused(domain, iova, iova, NULL));
	wdm_range_unlock(&domain->ranges, &all);
	return mapped;
}

/*
 * Look up the domain that the device is attached to, and whether it maps the address. Return
 * false if the handler is retired: the wait for this work item is not killable, so it must
 * not wait for an attach that holds the lock of the group.
 */
static bool wdm_fault_look_up(struct wdm_fault_handler *handler, struct wdm_fault *fault)
{
	struct wdm_device *device = handler->device;
	struct wdm_group *group = device->group;
	struct wdm_domain *domain;

	fault->domain = 0;
	fault->mapped = false;
	while (!mutex_trylock(&group->lock)) {
		if (atomic_read(&handler->retired))
			return false;
		usleep_range(1000, 2000);
	}
	if (device->attached) {
		domain = group->attachment->domain;
		fault->domain = domain->handle;
		fault->mapped = wdm_fault_is_mapped(domain, fault->iova, &handler->retired);
	}
	mutex_unlock(&group->lock);
	return true;
}

static void wdm_fault_work(struct work_struct *work)
{
	struct wdm_fault_handler *handler =
		container_of(work, struct wdm_fault_handler, work);
	struct wdm_fault fault = { .dev = handler->device->dev };
	unsigned int i;

	/* Bounded: a device may fault as fast as the handler returns. */
	for (i = 0; i < WDM_FAULT_QUEUE; i++) {
		if (!wdm_fault_pop(handler, &fault))
			return;
		if (!wdm_fault_look_up(handler, &fault))
			return;
		handler->fn(handler->context, &fault);
		cond_resched();
	}
	queue_work(wdm_fault_wq, work);
}

/*
 * Called by the IOMMU driver, in any context. Do not walk page tables here: they may be
 * changing.
 */
static int wdm_fault_report(struct iommu_domain *iommu_domain, struct device *dev,
			    unsigned long iova, int flags, void *token)
{
	const struct wdm_fault_entry entry = {
		.iova = iova,
		.time = ktime_get_ns(),
		.write = flags & IOMMU_FAULT_WRITE,
	};
	struct wdm_fault_handler *handler;
	unsigned long irq_flags;
	int ret = -ENODEV;

	spin_lock_irqsave(&wdm_fault_lock, irq_flags);
	list_for_each_entry(handler, &wdm_fault_handlers, node) {
		if (handler->device->dev != dev)
			continue;
		if (!kfifo_put(&handler->queue, entry))
			handler->dropped++;
		queue_work(wdm_fault_wq, &handler->work);
		ret = 0;
	}
	spin_unlock_irqrestore(&wdm_fault_lock, irq_flags);
	return ret;
}

/**
 * wdm_fault_prepare() - Register for the faults of an iommu_domain
 * @iommu_domain: new, and not attached
 */
void wdm_fault_prepare(struct iommu_domain *iommu_domain)
{
	iommu_set_fault_handler(iommu_domain, wdm_fault_report, NULL);
}

/**
 * wdm_fault_start() - Report faults of a device that has been attached
 * @device: the device, with or without a handler; the lock of its group is held
 */
void wdm_fault_start(struct wdm_device *device)
{
	lockdep_assert_held(&device->group->lock);
	if (!device->faults)
		return;
	spin_lock_irq(&wdm_fault_lock);
	list_add(&device->faults->node, &wdm_fault_handlers);
	spin_unlock_irq(&wdm_fault_lock);
}

/**
 * wdm_fault_stop() - Report no more faults of a device
 * @device: the device, with or without a handler; the lock of its group is held
 *
 * Call this before the device is detached: once its DMA is blocked, another owner may attach
 * it. Does not wait for a running handler, which still reports what is queued.
 */
void wdm_fault_stop(struct wdm_device *device)
{
	lockdep_assert_held(&device->group->lock);
	if (!device->faults)
		return;
	spin_lock_irq(&wdm_fault_lock);
	list_del_init(&device->faults->node);
	spin_unlock_irq(&wdm_fault_lock);
}

/**
 * wdm_fault_retire() - Free a handler that wdm_fault_replace() has removed
 * @handler: the handler, or NULL
 *
 * Waits until the handler has returned.
 */
void wdm_fault_retire(struct wdm_fault_handler *handler)
{
	if (!handler)
		return;
	cancel_work_sync(&handler->work);
	kfree(handler);
}

/**
 * wdm_fault_replace() - Replace the fault handler of a device
 * @device: the device, attached unless @handler is NULL; the lock of its group is held
 * @handler: the handler, or NULL
 *
 * Return: the old handler, or NULL; for wdm_fault_retire() once the lock is released.
 */
struct wdm_fault_handler *wdm_fault_replace(struct wdm_device *device,
					    struct wdm_fault_handler *handler)
{
	struct wdm_fault_handler *old = device->faults;

	wdm_fault_stop(device);
	if (old)
		atomic_set(&old->retired, 1);
	device->faults = handler;
	wdm_fault_start(device);
	return old;
}

/**
 * wdm_fault_register() - Register a handler for the faults of a device
 * @device: the device
 * @fn: the handler; may sleep
 * @context: for @fn
 *
 * Contract: IommuSetDeviceFaultReporting with Enable TRUE. Replaces an existing handler,
 * which has returned when this does. Has no effect on failure.
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER_1 if the device is not attached,
 * STATUS_NOT_SUPPORTED if the IOMMU driver does not report faults,
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_CANCELLED.
 */
ntstatus_t wdm_fault_register(struct wdm_device *device, wdm_fault_fn fn,
			      void *context)
{
	struct wdm_group *group = device->group;
	struct wdm_fault_handler *handler, *old = NULL;
	ntstatus_t status;

	handler = kzalloc(sizeof(*handler), GFP_KERNEL_ACCOUNT);
	if (!handler)
		return STATUS_INSUFFICIENT_RESOURCES;
	handler->device = device;
	handler->fn = fn;
	handler->context = context;
	INIT_KFIFO(handler->queue);
	INIT_WORK(&handler->work, wdm_fault_work);

	status = wdm_group_lock(group);
	if (wdm_ok(status)) {
		if (!device->attached)
			status = STATUS_INVALID_PARAMETER_1;
		else if (!group->attachment->hwpt->reports_faults)
			status = STATUS_NOT_SUPPORTED;
		else
			old = wdm_fault_replace(device, handler);
		wdm_group_unlock(group);
	}

	if (!wdm_ok(status))
		kfree(handler);
	wdm_fault_retire(old);
	return status;
}

/**
 * wdm_fault_unregister() - Unregister the fault handler of a device
 * @device: the device
 *
 * Contract: IommuSetDeviceFaultReporting with Enable FALSE. When it returns, the
 * handler has returned and will not be called again. Must not be called from the handler.
 *
 * Return: STATUS_SUCCESS, STATUS_CANCELLED.
 */
ntstatus_t wdm_fault_unregister(struct wdm_device *device)
{
	struct wdm_group *group = device->group;
	struct wdm_fault_handler *old;
	ntstatus_t status;

	status = wdm_group_lock(group);
	if (!wdm_ok(status))
		return status;
	old = wdm_fault_replace(device, NULL);
	wdm_group_unlock(group);
	wdm_fault_retire(old);
	return STATUS_SUCCESS;
}

/**
 * wdm_fault_init() - Set up fault reporting
 *
 * Return: 0 or -ENOMEM.
 */
int wdm_fault_init(void)
{
	wdm_fault_wq = alloc_workqueue("wdm_iommu_fault", WQ_UNBOUND, 0);
	return wdm_fault_wq ? 0 : -ENOMEM;
}

/**
 * wdm_fault_exit() - Undo wdm_fault_init(); all devices are gone
 */
void wdm_fault_exit(void)
{
	destroy_workqueue(wdm_fault_wq);
}
