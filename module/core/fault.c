// SPDX-License-Identifier: GPL-2.0
/*
 * Faults: from the interrupt of an IOMMU driver to a handler that may sleep.
 *
 * The IOMMU driver's report, in any context, leaves the fault in a small queue; a
 * work item calls the handler. While the queue is full, faults are dropped: a
 * device that faults does so by the thousand.
 */
#include <linux/kfifo.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "attach.h"
#include "device.h"
#include "fault.h"

#define WDM_FAULT_QUEUE		64

/**
 * struct wdm_fault_entry - a fault that its handler has not been called for
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
 * @node: in wdm_fault_handlers
 * @device: the device
 * @fn: the function to call
 * @context: for @fn
 * @queue: faults that @fn has not been called for; guarded by wdm_fault_lock
 * @dropped: faults that found @queue full, and came after those in it; guarded by
 *	wdm_fault_lock
 * @work: calls @fn
 */
struct wdm_fault_handler {
	struct list_head node;
	struct wdm_device *device;
	wdm_fault_fn fn;
	void *context;
	DECLARE_KFIFO(queue, struct wdm_fault_entry, WDM_FAULT_QUEUE);
	u32 dropped;
	struct work_struct work;
};

static_assert(sizeof(struct wdm_fault_handler) <= WDM_FAULT_HANDLER_SIZE);

/* Guards the list and the queues; taken in interrupt context. */
static DEFINE_SPINLOCK(wdm_fault_lock);
static LIST_HEAD(wdm_fault_handlers);
static struct workqueue_struct *wdm_fault_wq;

static bool wdm_fault_pop(struct wdm_fault_handler *handler, struct wdm_fault *fault)
{
	struct wdm_fault_entry entry;
	unsigned long flags;
	bool got;

	spin_lock_irqsave(&wdm_fault_lock, flags);
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

/* Is an address mapped now? The lock of the group is held: do not wait for long. */
static bool wdm_fault_is_mapped(struct wdm_domain *domain, u64 iova)
{
	u64 pgno = iova >> PAGE_SHIFT;
	struct wdm_range all;
	unsigned long flags;
	bool mapped;

	if (wdm_domain_os_managed(domain))
		return wdm_mappings_any(&domain->mappings, pgno, pgno);
	if (domain->atomic) {
		spin_lock_irqsave(&domain->lock, flags);
		mapped = domain->ops->uses(domain, iova, iova);
		spin_unlock_irqrestore(&domain->lock, flags);
		return mapped;
	}
	/*
	 * A walk frees shadow pages, and has the empty range. It gives way to all pages
	 * after a bounded piece of work.
	 */
	wdm_range_lock_all(&domain->ranges, &all, false);
	mapped = domain->ops->uses(domain, iova, iova);
	wdm_range_unlock(&domain->ranges, &all);
	return mapped;
}

/* The domain that the device is attached to, and whether it maps the address, now */
static void wdm_fault_look_up(struct wdm_device *device, struct wdm_fault *fault)
{
	struct wdm_group *group = device->group;
	struct wdm_domain *domain;

	fault->domain = 0;
	fault->mapped = false;
	mutex_lock(&group->lock);
	if (device->attached) {
		domain = group->attachment->domain;
		fault->domain = domain->handle;
		fault->mapped = wdm_fault_is_mapped(domain, fault->iova);
	}
	mutex_unlock(&group->lock);
}

static void wdm_fault_work(struct work_struct *work)
{
	struct wdm_fault_handler *handler =
		container_of(work, struct wdm_fault_handler, work);
	struct wdm_fault fault = { .dev = handler->device->dev };
	unsigned int i;

	/* A device may fault as fast as its handler returns: let others run, too. */
	for (i = 0; i < WDM_FAULT_QUEUE; i++) {
		if (!wdm_fault_pop(handler, &fault))
			return;
		wdm_fault_look_up(handler->device, &fault);
		handler->fn(handler->context, &fault);
		cond_resched();
	}
	queue_work(wdm_fault_wq, work);
}

/*
 * Called by the IOMMU driver, in any context. Leave the page tables alone: they may
 * be changing.
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
		/* Once it is taken back, its faults are the next owner's. */
		if (handler->device->dev != dev ||
		    wdm_device_revoked(handler->device))
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
 * wdm_fault_prepare() - Ask for the faults of an iommu_domain
 * @iommu_domain: new, and not attached
 */
void wdm_fault_prepare(struct iommu_domain *iommu_domain)
{
	iommu_set_fault_handler(iommu_domain, wdm_fault_report, NULL);
}

/**
 * wdm_fault_retire() - Free a handler that wdm_fault_replace() took out of place
 * @handler: the handler, or NULL
 *
 * When it returns, the handler is not running.
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
 * @device: the device; the lock of its group is held
 * @handler: the handler, or NULL
 *
 * Return: the old handler, or NULL; for wdm_fault_retire() without the lock.
 */
struct wdm_fault_handler *wdm_fault_replace(struct wdm_device *device,
					    struct wdm_fault_handler *handler)
{
	struct wdm_fault_handler *old = device->faults;

	lockdep_assert_held(&device->group->lock);
	device->faults = handler;
	spin_lock_irq(&wdm_fault_lock);
	if (old)
		list_del(&old->node);
	if (handler)
		list_add(&handler->node, &wdm_fault_handlers);
	spin_unlock_irq(&wdm_fault_lock);
	return old;
}

/**
 * wdm_fault_register() - Call a handler for each fault of a device
 * @device: the device
 * @fn: the handler; may sleep
 * @context: for @fn
 *
 * Contract: IommuSetDeviceFaultReporting with Enable TRUE. Replaces a handler that
 * was there, which is not running any more when this returns. Without effect on
 * failure.
 *
 * Return: STATUS_SUCCESS, STATUS_INVALID_PARAMETER_1 if the device is not attached,
 * STATUS_NOT_SUPPORTED where the IOMMU driver does not report faults,
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
 * wdm_fault_unregister() - Remove the fault handler of a device
 * @device: the device
 *
 * Contract: IommuSetDeviceFaultReporting with Enable FALSE. When it returns, the
 * handler is not running and will not be called again; so it must not be called
 * from the handler.
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
 * wdm_fault_exit() - Undo wdm_fault_init(); no device is left
 */
void wdm_fault_exit(void)
{
	destroy_workqueue(wdm_fault_wq);
}
