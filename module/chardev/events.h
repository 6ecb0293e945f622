/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The event queue of an open file.
 */
#ifndef WDM_CHARDEV_EVENTS_H
#define WDM_CHARDEV_EVENTS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct wdm_iommu_event;

/* Capacity of a queue, in events */
#define WDM_EVENTS_MAX		256U

/**
 * struct wdm_events - an event queue
 * @ring: the events, WDM_EVENTS_MAX
 * @lock: guards the positions, and the events between them
 * @head: position of the next event to add; counts up, like @tail
 * @tail: position of the next event to read
 * @reader: serializes readers. Held across copies to user memory, which may fault slowly;
 *	only other readers wait for it
 * @wait: readers and pollers of an empty queue
 * @wake: wakes them
 * @node: in the list of the queues of files with devices, once there is a device
 * @types: serializes comparisons of the devices' types, so that an older result cannot
 *	overtake a newer one, and keeps deletes of devices out
 * @types_changed: when the types of domains that devices can be attached to may have
 *	changed, in ns of CLOCK_MONOTONIC; 0 once a reader compares them. Set without a
 *	lock, cleared with @types held
 */
struct wdm_events {
	struct wdm_iommu_event *ring;
	spinlock_t lock;		/* guards @head, @tail and the events */
	u32 head;
	u32 tail;
	struct mutex reader;		/* one reader at a time */
	wait_queue_head_t wait;
	struct work_struct wake;
	struct list_head node;
	struct mutex types;		/* one comparison or delete at a time */
	atomic64_t types_changed;
};

int wdm_events_init_module(void);
void wdm_events_exit_module(void);
int wdm_events_init(struct wdm_events *events);
void wdm_events_destroy(struct wdm_events *events);
void wdm_events_push(struct wdm_events *events,
		     const struct wdm_iommu_event *event);
void wdm_events_lost(struct wdm_events *events, u64 time, u64 number);
ssize_t wdm_events_copy(struct wdm_events *events, char __user *buffer,
			size_t size, bool nonblock);
bool wdm_events_empty(struct wdm_events *events);
void wdm_events_add_device(struct wdm_events *events);
void wdm_events_recheck_types(struct wdm_events *events, u64 time);
void wdm_events_types_changed(void);

#endif /* WDM_CHARDEV_EVENTS_H */
