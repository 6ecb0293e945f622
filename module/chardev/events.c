// SPDX-License-Identifier: GPL-2.0
/*
 * The event queue of an open file, which is bounded and emptied by read().
 *
 * The last free slot is reserved for an event that counts lost events, so a reader learns
 * of a loss at its place in the queue, and adding an event never needs memory.
 */
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <uapi/linux/wdm_iommu.h>

#include "events.h"

/* Number of events that a read copies at a time, through the stack */
#define WDM_EVENTS_BATCH	4U

/*
 * Guards the list of the queues of files with devices, for wdm_events_types_changed(). The
 * list may be long.
 */
static DEFINE_MUTEX(wdm_events_lock);
static LIST_HEAD(wdm_events_with_devices);

static struct workqueue_struct *wdm_events_wq;

/**
 * wdm_events_init_module() - Set up event queues
 *
 * Return: 0 or -ENOMEM.
 */
int wdm_events_init_module(void)
{
	wdm_events_wq = alloc_workqueue("wdm_iommu_events", WQ_UNBOUND, 0);
	return wdm_events_wq ? 0 : -ENOMEM;
}

/**
 * wdm_events_exit_module() - Undo wdm_events_init_module(); all queues are gone
 */
void wdm_events_exit_module(void)
{
	destroy_workqueue(wdm_events_wq);
}

static void wdm_events_wake_work(struct work_struct *work)
{
	struct wdm_events *events = container_of(work, struct wdm_events, wake);

	wake_up_interruptible(&events->wait);
}

/*
 * A file can have hundreds of thousands of pollers (epoll), and waking them takes long. The
 * source of an event may hold locks that others wait for, such as VFIO's: do not wake them
 * here.
 */
static void wdm_events_wake(struct wdm_events *events)
{
	/* Full barrier; pairs with that of a waiter, which then looks at the queue. */
	if (wq_has_sleeper(&events->wait))
		queue_work(wdm_events_wq, &events->wake);
}

/**
 * wdm_events_init() - Initialize an empty queue
 * @events: zeroed; for wdm_events_destroy() after success
 *
 * Return: 0 or -ENOMEM.
 */
int wdm_events_init(struct wdm_events *events)
{
	events->ring = kvcalloc(WDM_EVENTS_MAX, sizeof(*events->ring),
				GFP_KERNEL_ACCOUNT);
	if (!events->ring)
		return -ENOMEM;
	spin_lock_init(&events->lock);
	mutex_init(&events->reader);
	mutex_init(&events->types);
	init_waitqueue_head(&events->wait);
	INIT_WORK(&events->wake, wdm_events_wake_work);
	INIT_LIST_HEAD(&events->node);
	return 0;
}

/**
 * wdm_events_destroy() - Free a queue
 * @events: the queue, which no other call uses
 */
void wdm_events_destroy(struct wdm_events *events)
{
	mutex_lock(&wdm_events_lock);
	list_del(&events->node);
	mutex_unlock(&wdm_events_lock);
	cancel_work_sync(&events->wake);
	mutex_destroy(&events->types);
	mutex_destroy(&events->reader);
	kvfree(events->ring);
}

static struct wdm_iommu_event *wdm_events_at(struct wdm_events *events, u32 position)
{
	return &events->ring[position % WDM_EVENTS_MAX];
}

/* Count lost events in the newest event, or in a new one. */
static void wdm_events_count_lost(struct wdm_events *events, u64 time, u64 number)
{
	struct wdm_iommu_event *newest = wdm_events_at(events, events->head - 1);

	if (events->head != events->tail && newest->type == WDM_IOMMU_EVENT_LOST) {
		newest->lost.number += number;
		return;
	}
	*wdm_events_at(events, events->head++) = (struct wdm_iommu_event) {
		.type = WDM_IOMMU_EVENT_LOST,
		.size = sizeof(*newest),
		.time = time,
		.lost.number = number,
	};
}

/**
 * wdm_events_push() - Add an event, or count it as lost
 * @events: the queue
 * @event: the event; @size is filled in here
 *
 * Context: process context; does not sleep.
 */
void wdm_events_push(struct wdm_events *events,
		     const struct wdm_iommu_event *event)
{
	struct wdm_iommu_event *slot;

	spin_lock(&events->lock);
	if (events->head - events->tail < WDM_EVENTS_MAX - 1) {
		slot = wdm_events_at(events, events->head++);
		*slot = *event;
		slot->size = sizeof(*slot);
	} else {
		wdm_events_count_lost(events, event->time, 1);
	}
	spin_unlock(&events->lock);
	wdm_events_wake(events);
}

/**
 * wdm_events_lost() - Count events that were lost before they reached the queue
 * @events: the queue
 * @time: when, in ns of CLOCK_MONOTONIC
 * @number: number of events
 *
 * Context: process context; does not sleep.
 */
void wdm_events_lost(struct wdm_events *events, u64 time, u64 number)
{
	spin_lock(&events->lock);
	wdm_events_count_lost(events, time, number);
	spin_unlock(&events->lock);
	wdm_events_wake(events);
}

static unsigned int wdm_events_peek(struct wdm_events *events,
				    struct wdm_iommu_event *batch, unsigned int max)
{
	unsigned int nr, i;

	spin_lock(&events->lock);
	nr = min(max, events->head - events->tail);
	for (i = 0; i < nr; i++)
		batch[i] = *wdm_events_at(events, events->tail + i);
	spin_unlock(&events->lock);
	return nr;
}

/*
 * Remove events that have been read. If more events were lost since a LOST event was
 * copied, it stays with the difference. It is the newest: nothing could be added after it.
 */
static void wdm_events_consume(struct wdm_events *events,
			       const struct wdm_iommu_event *batch, unsigned int nr)
{
	struct wdm_iommu_event *last;

	spin_lock(&events->lock);
	events->tail += nr;
	last = wdm_events_at(events, events->tail - 1);
	if (last->type == WDM_IOMMU_EVENT_LOST &&
	    last->lost.number > batch[nr - 1].lost.number) {
		last->lost.number -= batch[nr - 1].lost.number;
		events->tail--;
	}
	spin_unlock(&events->lock);
}

/* Remove only what has been copied. */
static ssize_t wdm_events_copy_locked(struct wdm_events *events, char __user *buffer,
				      size_t max)
{
	struct wdm_iommu_event batch[WDM_EVENTS_BATCH];
	size_t done = 0;
	unsigned int nr;

	while (done < max) {
		nr = wdm_events_peek(events, batch,
				     min_t(size_t, max - done, WDM_EVENTS_BATCH));
		if (!nr)
			break;
		if (copy_to_user(buffer + done * sizeof(*batch), batch,
				 nr * sizeof(*batch)))
			return done * sizeof(*batch) ?: -EFAULT;
		wdm_events_consume(events, batch, nr);
		done += nr;
	}
	return done * sizeof(*batch);
}

/**
 * wdm_events_copy() - Read as many events as there are and fit
 * @events: the queue
 * @buffer: destination
 * @size: size of @buffer in bytes
 * @nonblock: do not wait for another reader, which may be stuck in a page fault
 *
 * Return: number of bytes, 0 if there is no event; -EINVAL if @buffer is too small for
 * one; -EAGAIN; -ERESTARTSYS on a signal; -EFAULT.
 */
ssize_t wdm_events_copy(struct wdm_events *events, char __user *buffer,
			size_t size, bool nonblock)
{
	size_t max = min_t(size_t, size, INT_MAX) / sizeof(struct wdm_iommu_event);
	ssize_t ret;

	if (!max)
		return -EINVAL;
	if (nonblock && !mutex_trylock(&events->reader))
		return -EAGAIN;
	if (!nonblock && mutex_lock_interruptible(&events->reader))
		return -ERESTARTSYS;
	ret = wdm_events_copy_locked(events, buffer, max);
	mutex_unlock(&events->reader);
	/* Wake others again: a nonblocking reader that met this one has used up its wake-up. */
	if (!wdm_events_empty(events))
		wake_up_interruptible(&events->wait);
	return ret;
}

/**
 * wdm_events_empty() - Check whether there is nothing to read
 * @events: the queue
 *
 * Return: true if it is empty.
 */
bool wdm_events_empty(struct wdm_events *events)
{
	bool empty;

	spin_lock(&events->lock);
	empty = events->head == events->tail;
	spin_unlock(&events->lock);
	return empty;
}

/**
 * wdm_events_recheck_types() - Make the readers of a queue compare their devices' types
 * @events: the queue
 * @time: when the types may have changed, in ns of CLOCK_MONOTONIC
 *
 * Context: process context; does not sleep.
 */
void wdm_events_recheck_types(struct wdm_events *events, u64 time)
{
	/*
	 * Orders the change before this store; pairs with atomic64_xchg() in
	 * wdm_event_types(), which may run before the wake-up and reads the types after it.
	 */
	atomic64_set_release(&events->types_changed, time);
	wdm_events_wake(events);
}

/**
 * wdm_events_add_device() - Make a queue notice changes of its devices' types
 * @events: the queue of a file to which a device has been added
 */
void wdm_events_add_device(struct wdm_events *events)
{
	mutex_lock(&wdm_events_lock);
	if (list_empty(&events->node))
		list_add(&events->node, &wdm_events_with_devices);
	mutex_unlock(&wdm_events_lock);
	/* Before it was added, changes of its types went unnoticed. */
	wdm_events_recheck_types(events, ktime_get_ns());
}

/**
 * wdm_events_types_changed() - Make the readers of all queues compare their devices' types
 *
 * Context: may sleep.
 */
void wdm_events_types_changed(void)
{
	struct wdm_events *events;

	mutex_lock(&wdm_events_lock);
	list_for_each_entry(events, &wdm_events_with_devices, node) {
		wdm_events_recheck_types(events, ktime_get_ns());
		cond_resched();
	}
	mutex_unlock(&wdm_events_lock);
}
