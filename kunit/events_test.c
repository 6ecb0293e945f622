// SPDX-License-Identifier: GPL-2.0
/*
 * Events: the queue of a file, and the path of a fault from the IOMMU driver's report to
 * the queue.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mman.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include <uapi/linux/wdm_iommu.h>

#include "../module/chardev/chardev.h"
#include "../module/core/device.h"
#include "../module/core/fault.h"
#include "../module/core/policy.h"
#include "../module/core/revoke.h"
#include "support/fixture.h"

#define EVENTS_STEPS	20000
#define EVENT_SIZE	sizeof(struct wdm_iommu_event)

static void __user *events_memory(struct kunit *test)
{
	unsigned long memory = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, memory, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(memory));
	return (void __user *)memory;
}

static void events_push(struct wdm_events *events, u64 number)
{
	wdm_events_push(events, &(struct wdm_iommu_event) {
		.type = WDM_IOMMU_EVENT_FAULT,
		.time = number,
	});
}

/* Random events are added and read; each is read once, or counted at its place. */
static void events_random(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_iommu_event batch[16];
	void __user *memory = events_memory(test);
	struct wdm_events events = { };
	u64 made = 0, seen = 0, lost = 0;
	unsigned int step, i, burst;
	ssize_t got;

	KUNIT_ASSERT_EQ(test, wdm_events_init(&events), 0);
	for (step = 0; step < EVENTS_STEPS; step++) {
		if (fixture_once_in(&fx->rng, 3)) {
			burst = fixture_once_in(&fx->rng, 50) ? 400 : 3;
			for (i = fixture_below(&fx->rng, burst); i; i--)
				events_push(&events, made++);
			continue;
		}
		got = wdm_events_copy(&events, memory,
				      EVENT_SIZE * (1 + fixture_below(&fx->rng, 16)), true);
		KUNIT_ASSERT_EQ(test, got % EVENT_SIZE, 0);
		KUNIT_ASSERT_EQ(test, copy_from_user(batch, memory, got), 0);
		for (i = 0; i < got / EVENT_SIZE; i++) {
			KUNIT_ASSERT_EQ(test, batch[i].size, EVENT_SIZE);
			/* Either way, everything up to here is accounted for. */
			KUNIT_ASSERT_EQ(test, batch[i].time, seen);
			if (batch[i].type == WDM_IOMMU_EVENT_LOST) {
				lost += batch[i].lost.number;
				seen += batch[i].lost.number;
			} else {
				seen++;
			}
		}
		if (!got)
			KUNIT_ASSERT_EQ(test, made, seen);
	}
	KUNIT_EXPECT_GT(test, lost, 0);
	KUNIT_EXPECT_GT(test, seen, lost);
	wdm_events_destroy(&events);
}

/* A read that fails to copy removes nothing, not even the count of lost events. */
static void events_bad_memory(struct kunit *test)
{
	void __user *memory = events_memory(test);
	struct wdm_iommu_event event;
	struct wdm_events events = { };
	unsigned int i;

	KUNIT_ASSERT_EQ(test, wdm_events_init(&events), 0);
	KUNIT_EXPECT_TRUE(test, wdm_events_empty(&events));
	KUNIT_EXPECT_EQ(test, wdm_events_copy(&events, memory, EVENT_SIZE, true), 0);
	KUNIT_EXPECT_EQ(test, wdm_events_copy(&events, memory, EVENT_SIZE - 1, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, wdm_events_copy(&events, memory, 0, true), -EINVAL);
	for (i = 0; i < WDM_EVENTS_MAX + 4; i++)
		events_push(&events, i);
	KUNIT_EXPECT_EQ(test, wdm_events_copy(&events, NULL, PAGE_SIZE, true), -EFAULT);
	KUNIT_EXPECT_EQ(test, wdm_events_copy(&events, memory, PAGE_SIZE, true),
			PAGE_SIZE / EVENT_SIZE * EVENT_SIZE);
	KUNIT_ASSERT_EQ(test, copy_from_user(&event, memory, EVENT_SIZE), 0);
	KUNIT_EXPECT_EQ(test, event.time, 0);
	/* Another reader holds the mutex. */
	mutex_lock(&events.reader);
	KUNIT_EXPECT_EQ(test, wdm_events_copy(&events, memory, EVENT_SIZE, true), -EAGAIN);
	mutex_unlock(&events.reader);
	wdm_events_destroy(&events);
}

/**
 * struct events_waiter - a waiter for events
 * @entry: its wait queue entry
 * @woken: number of wake-ups
 */
struct events_waiter {
	struct wait_queue_entry entry;
	unsigned int woken;
};

static int events_woken(struct wait_queue_entry *entry, unsigned int mode,
			int flags, void *key)
{
	container_of(entry, struct events_waiter, entry)->woken++;
	return 0;
}

/* A nonblocking reader that met another one is woken again if events remain. */
static void events_left(struct kunit *test)
{
	struct events_waiter waiter = { };
	void __user *memory = events_memory(test);
	struct wdm_events events = { };

	KUNIT_ASSERT_EQ(test, wdm_events_init(&events), 0);
	init_waitqueue_func_entry(&waiter.entry, events_woken);
	add_wait_queue(&events.wait, &waiter.entry);
	events_push(&events, 0);
	flush_work(&events.wake);
	events_push(&events, 1);
	flush_work(&events.wake);
	KUNIT_EXPECT_EQ(test, waiter.woken, 2);
	KUNIT_EXPECT_EQ(test, wdm_events_copy(&events, memory, EVENT_SIZE, true), EVENT_SIZE);
	KUNIT_EXPECT_EQ(test, waiter.woken, 3);
	KUNIT_EXPECT_EQ(test, wdm_events_copy(&events, memory, EVENT_SIZE, true), EVENT_SIZE);
	KUNIT_EXPECT_EQ(test, waiter.woken, 3);
	remove_wait_queue(&events.wait, &waiter.entry);
	wdm_events_destroy(&events);
}

/**
 * struct events_file - an open file with a device, without VFIO
 * @ctx: the file
 * @pdev: the platform device
 * @group: its group; the test is its provider
 * @device: the device
 */
struct events_file {
	struct wdm_context ctx;
	struct pci_dev *pdev;
	struct wdm_group *group;
	struct wdm_device *device;
};

static void events_forget(struct wdm_group *group)
{
}

static const struct wdm_provider_ops events_provider = {
	.forget = events_forget,
};

static struct events_file *events_open(struct kunit *test)
{
	struct events_file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	struct pci_dev *pdev = NULL;
	struct iommu_group *group;

	KUNIT_ASSERT_NOT_NULL(test, file);
	while ((pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		if (!pdev->dev.driver && device_iommu_mapped(&pdev->dev))
			break;
	if (!pdev)
		kunit_skip(test, "no edu device without a driver behind an IOMMU");
	file->pdev = pdev;
	KUNIT_ASSERT_EQ(test, wdm_events_init(&file->ctx.events), 0);
	file->ctx.owner = wdm_owner_create(false);
	KUNIT_ASSERT_NOT_NULL(test, file->ctx.owner);
	file->ctx.owner->device_revoked = wdm_event_device_revoked;
	file->ctx.owner->data = &file->ctx;
	wdm_context_init(&file->ctx);

	group = iommu_group_get(&pdev->dev);
	KUNIT_ASSERT_EQ(test, iommu_group_claim_dma_owner(group, file), 0);
	KUNIT_ASSERT_STATUS(test,
			    wdm_owner_add_group(file->ctx.owner, group, &events_provider,
						file, &file->group),
			    STATUS_SUCCESS);
	iommu_group_put(group);
	KUNIT_ASSERT_STATUS(test, wdm_device_create(file->group, &pdev->dev, &file->device),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_device_set_handle(file->device, 77), STATUS_SUCCESS);
	return file;
}

static void events_close(struct kunit *test, struct events_file *file)
{
	wdm_group_revoke(file->group);
	iommu_group_release_dma_owner(file->group->iommu_group);
	KUNIT_EXPECT_STATUS(test, wdm_device_delete(file->device), STATUS_SUCCESS);
	wdm_group_put(file->group);
	wdm_owner_close(file->ctx.owner);
	wdm_owner_put(file->ctx.owner);
	wdm_object_delete_all(&file->ctx);
	wdm_events_destroy(&file->ctx.events);
	pci_dev_put(file->pdev);
}

/* Get the next event; wait a little for the work item. */
static struct wdm_iommu_event events_next(struct kunit *test, struct events_file *file,
					  void __user *memory)
{
	struct wdm_iommu_event event = { };
	unsigned int tries;

	for (tries = 0; tries < 1000 && !wdm_events_readable(&file->ctx); tries++)
		usleep_range(1000, 2000);
	KUNIT_ASSERT_EQ(test, wdm_events_read(&file->ctx, memory, EVENT_SIZE, true),
			EVENT_SIZE);
	KUNIT_ASSERT_EQ(test, copy_from_user(&event, memory, EVENT_SIZE), 0);
	return event;
}

static void events_report(struct events_file *file, u64 iova, int flags)
{
	unsigned long irq_flags;

	local_irq_save(irq_flags);
	report_iommu_fault(iommu_get_domain_for_dev(&file->pdev->dev), &file->pdev->dev,
			   iova, flags);
	local_irq_restore(irq_flags);
}

/* The part of wdm_cmd_set_fault_reporting() after the check of its argument */
static ntstatus_t events_enable(struct events_file *file, bool enable)
{
	struct wdm_iommu_set_fault_reporting arg = { .device = 1, .enable = enable };
	struct wdm_command cmd = { .ctx = &file->ctx, .arg = &arg };
	struct wdm_object *object;
	ntstatus_t status;

	status = wdm_object_reserve(&file->ctx, WDM_OBJECT_DEVICE, &object);
	if (!wdm_ok(status))
		return status;
	object->device = file->device;
	arg.device = object->handle;
	wdm_object_publish(&file->ctx, object);
	status = wdm_cmd_set_fault_reporting(&cmd);
	while (cmd.nr_objects)
		wdm_object_put(cmd.objects[--cmd.nr_objects]);
	/* The test deletes the device. */
	object->core = NULL;
	wdm_object_abort(&file->ctx, object);
	return status;
}

static void events_faults(struct kunit *test)
{
	struct fixture *fx = FIXTURE(test);
	struct wdm_domain *domain = fixture_domain(fx, true, 0);
	struct test_mdl *tm = fixture_mdl_random(fx, WDM_PERMS, 1, 1);
	struct events_file *file = events_open(test);
	void __user *memory = events_memory(test);
	struct wdm_iommu_event event;
	unsigned int i, faults = 0;
	struct wdm_range range;
	u64 before, lost = 0;

	domain->handle = 5;
	KUNIT_EXPECT_STATUS(test, events_enable(file, true), STATUS_INVALID_PARAMETER_1);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(file->device, domain), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test,
			    wdm_domain_map(domain, WDM_READ, RANGE(tm->mdl, 0, 1), SZ_1M),
			    STATUS_SUCCESS);
	if (events_enable(file, true) == STATUS_NOT_SUPPORTED) {
		events_close(test, file);
		kunit_skip(test, "this IOMMU driver reports no faults");
	}

	before = ktime_get_ns();
	events_report(file, 0xABCDE123, IOMMU_FAULT_READ);
	event = events_next(test, file, memory);
	KUNIT_EXPECT_EQ(test, event.type, WDM_IOMMU_EVENT_FAULT);
	KUNIT_EXPECT_EQ(test, event.device, 77);
	KUNIT_EXPECT_EQ(test, event.domain, 5);
	KUNIT_EXPECT_GE(test, event.time, before);
	KUNIT_EXPECT_LE(test, event.time, ktime_get_ns());
	KUNIT_EXPECT_EQ(test, event.fault.address, 0xABCDE123);
	KUNIT_EXPECT_EQ(test, event.fault.flags, 0);
	KUNIT_EXPECT_EQ(test, event.fault.kind, WDM_IOMMU_FAULT_TRANSLATION);

	events_report(file, SZ_1M, IOMMU_FAULT_WRITE);
	event = events_next(test, file, memory);
	KUNIT_EXPECT_EQ(test, event.fault.address, SZ_1M);
	KUNIT_EXPECT_EQ(test, event.fault.flags, WDM_IOMMU_FAULT_WRITE);
	KUNIT_EXPECT_EQ(test, event.fault.kind, WDM_IOMMU_FAULT_PERMISSION);

	/* Also during an unmap */
	wdm_range_lock(&domain->ranges, &range, 0, 10, false);
	events_report(file, 0x5000, IOMMU_FAULT_READ);
	for (i = 0; i < 1000 && wdm_events_empty(&file->ctx.events); i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_FALSE(test, wdm_events_empty(&file->ctx.events));
	wdm_range_unlock(&domain->ranges, &range);
	events_next(test, file, memory);

	/* More than both queues hold, without a reader: each is queued or counted. */
	for (i = 0; i < 500; i++)
		events_report(file, 0x5000, IOMMU_FAULT_READ);
	for (i = 0; i < 1000 && faults + lost < 500; i++) {
		event = events_next(test, file, memory);
		if (event.type == WDM_IOMMU_EVENT_LOST)
			lost += event.lost.number;
		else
			faults++;
	}
	KUNIT_EXPECT_EQ(test, faults + lost, 500);
	KUNIT_EXPECT_GT(test, faults, 0);
	KUNIT_EXPECT_GT(test, lost, 0);

	/* None are reported once it is disabled. */
	KUNIT_EXPECT_STATUS(test, events_enable(file, false), STATUS_SUCCESS);
	events_report(file, 0x5000, IOMMU_FAULT_READ);
	KUNIT_EXPECT_FALSE(test, wdm_events_readable(&file->ctx));
	events_close(test, file);
}

/**
 * struct events_retire - a fault handler that is retired while its work item is running
 * @handler: the handler
 * @done: it is freed
 */
struct events_retire {
	struct wdm_fault_handler *handler;
	struct completion done;
};

static int events_retire(void *data)
{
	struct events_retire *retire = data;

	wdm_fault_retire(retire->handler);
	complete_all(&retire->done);
	return 0;
}

/* Retiring a handler does not wait for an attach that holds the lock of the group. */
static void events_retire_in_attach(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct events_retire *retire = kunit_kzalloc(test, sizeof(*retire), GFP_KERNEL);
	struct events_file *file = events_open(test);

	KUNIT_ASSERT_NOT_NULL(test, retire);
	init_completion(&retire->done);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(file->device, domain), STATUS_SUCCESS);
	if (events_enable(file, true) == STATUS_NOT_SUPPORTED) {
		events_close(test, file);
		kunit_skip(test, "this IOMMU driver reports no faults");
	}
	mutex_lock(&file->group->lock);
	events_report(file, 0x5000, IOMMU_FAULT_READ);
	/* Give the work item time to wait for the lock. */
	msleep(50);
	retire->handler = wdm_fault_replace(file->device, NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(kthread_run(events_retire, retire, "wdm_retire")));
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&retire->done, 10 * HZ), 0);
	mutex_unlock(&file->group->lock);
	fixture_wait(test, &retire->done);
	events_close(test, file);
}

/* Calls of events_count_fault() */
static atomic_t events_nr_faults;

static void events_count_fault(void *context, const struct wdm_fault *fault)
{
	atomic_inc(&events_nr_faults);
}

/*
 * Faults under the next owner of a device are not reported to the previous one, whether the
 * device was revoked from it or, as programs do with cdevs, only detached.
 */
static void events_next_owner(struct kunit *test, bool revoke)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct events_file *file = events_open(test);
	struct wdm_owner *next = wdm_owner_create(false);
	struct wdm_device *device;
	struct wdm_group *group;
	unsigned int tries;

	KUNIT_ASSERT_NOT_NULL(test, next);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(file->device, domain), STATUS_SUCCESS);
	if (events_enable(file, true) == STATUS_NOT_SUPPORTED) {
		wdm_owner_put(next);
		events_close(test, file);
		kunit_skip(test, "this IOMMU driver reports no faults");
	}
	if (revoke) {
		wdm_group_revoke(file->group);
		events_next(test, file, events_memory(test));
	} else {
		KUNIT_ASSERT_STATUS(test, wdm_device_detach(file->device), STATUS_SUCCESS);
	}

	KUNIT_ASSERT_STATUS(test,
			    wdm_owner_add_group(next, file->group->iommu_group,
						&events_provider, file, &group),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_device_create(group, &file->pdev->dev, &device),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(device, domain), STATUS_SUCCESS);
	atomic_set(&events_nr_faults, 0);
	KUNIT_ASSERT_STATUS(test, wdm_fault_register(device, events_count_fault, NULL),
			    STATUS_SUCCESS);
	events_report(file, 0x5000, IOMMU_FAULT_READ);
	for (tries = 0; tries < 1000 && !atomic_read(&events_nr_faults); tries++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(test, atomic_read(&events_nr_faults), 1);
	/* Give the first handler some time. */
	msleep(50);
	KUNIT_EXPECT_FALSE(test, wdm_events_readable(&file->ctx));

	wdm_group_revoke(group);
	KUNIT_EXPECT_STATUS(test, wdm_device_delete(device), STATUS_SUCCESS);
	wdm_group_put(group);
	wdm_owner_close(next);
	wdm_owner_put(next);

	/* The setting lasts across detach and attach. */
	if (!revoke) {
		KUNIT_ASSERT_STATUS(test, wdm_device_attach(file->device, domain),
				    STATUS_SUCCESS);
		events_report(file, 0x6000, IOMMU_FAULT_READ);
		KUNIT_EXPECT_EQ(test,
				events_next(test, file, events_memory(test)).fault.address,
				0x6000);
	}
	events_close(test, file);
}

static void events_fault_of_next_owner(struct kunit *test)
{
	events_next_owner(test, true);
}

static void events_fault_after_detach(struct kunit *test)
{
	events_next_owner(test, false);
}

/* A device revoked twice is reported once; one without a handle is not reported. */
static void events_revoked(struct kunit *test)
{
	struct events_file *file = events_open(test);
	void __user *memory = events_memory(test);
	struct wdm_iommu_event event;

	wdm_group_revoke(file->group);
	wdm_group_revoke(file->group);
	event = events_next(test, file, memory);
	KUNIT_EXPECT_EQ(test, event.type, WDM_IOMMU_EVENT_DEVICE_REVOKED);
	KUNIT_EXPECT_EQ(test, event.device, 77);
	KUNIT_EXPECT_FALSE(test, wdm_events_readable(&file->ctx));
	KUNIT_EXPECT_STATUS(test, wdm_device_set_handle(file->device, 78),
			    STATUS_DEVICE_REMOVED);
	events_close(test, file);

	file = events_open(test);
	KUNIT_EXPECT_STATUS(test, wdm_device_set_handle(file->device, 0), STATUS_SUCCESS);
	wdm_group_revoke(file->group);
	KUNIT_EXPECT_FALSE(test, wdm_events_readable(&file->ctx));
	events_close(test, file);
}

/* Calls of events_count_notify() */
static unsigned int events_nr_notified;

static int events_count_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	events_nr_notified++;
	wdm_events_types_changed();
	return NOTIFY_OK;
}

static void events_check_others(struct kunit *test, struct events_file *file,
				struct wdm_events *other, bool whole_group)
{
	wdm_events_add_device(&file->ctx.events);
	atomic64_set(&file->ctx.events.types_changed, 0);
	atomic64_set(&other->types_changed, 0);
	events_nr_notified = 0;
	if (whole_group)
		wdm_group_revoke(file->group);
	else
		wdm_group_revoke_device(file->group, &file->pdev->dev);
	KUNIT_EXPECT_NE(test, atomic64_read(&file->ctx.events.types_changed), 0);
	events_close(test, file);
	KUNIT_EXPECT_EQ(test, atomic64_read(&other->types_changed), 0);
	KUNIT_EXPECT_EQ(test, events_nr_notified, 0);
}

/* A revocation makes its own file compare the types of its devices, and no other file. */
static void events_revoked_others(struct kunit *test)
{
	struct notifier_block nb = { .notifier_call = events_count_notify };
	struct events_file *file = events_open(test);
	struct wdm_events other = { };

	KUNIT_ASSERT_EQ(test, wdm_events_init(&other), 0);
	wdm_events_add_device(&other);
	wdm_types_register(&nb);
	events_check_others(test, file, &other, false);
	events_check_others(test, events_open(test), &other, true);
	/* What the types of all devices depend on makes all files do so. */
	wdm_types_changed();
	KUNIT_EXPECT_EQ(test, events_nr_notified, 1);
	KUNIT_EXPECT_NE(test, atomic64_read(&other.types_changed), 0);
	wdm_types_unregister(&nb);
	wdm_events_destroy(&other);
}

/* A device that is revoked while it is being created has no handle, and causes no event. */
static void events_revoked_unborn(struct kunit *test)
{
	struct events_file *file = events_open(test);

	KUNIT_EXPECT_STATUS(test, wdm_device_set_handle(file->device, 0), STATUS_SUCCESS);
	/* wdm_group_revoke() sets this first, and then waits for the lock. */
	WRITE_ONCE(file->group->revoked, true);
	KUNIT_EXPECT_STATUS(test, wdm_device_set_handle(file->device, 5),
			    STATUS_DEVICE_REMOVED);
	wdm_group_revoke(file->group);
	KUNIT_EXPECT_FALSE(test, wdm_events_readable(&file->ctx));
	events_close(test, file);
}

#define EVENTS_DOMAINS	10000

/* Get the shortest time that poll() takes to compare the types of a file's devices, in ns. */
static u64 events_time_poll(struct wdm_context *ctx)
{
	u64 least = U64_MAX, start;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		wdm_events_recheck_types(&ctx->events, ktime_get_ns());
		start = ktime_get_ns();
		wdm_events_readable(ctx);
		least = min(least, ktime_get_ns() - start);
	}
	return least;
}

/* poll() looks at the devices of a file only, however many domains it has. */
static void events_many_domains(struct kunit *test)
{
	struct wdm_object **objects =
		kunit_kcalloc(test, EVENTS_DOMAINS, sizeof(*objects), GFP_KERNEL);
	struct events_file *file = events_open(test);
	struct wdm_object *device;
	u64 few, many;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, objects);
	KUNIT_ASSERT_STATUS(test, wdm_object_reserve(&file->ctx, WDM_OBJECT_DEVICE, &device),
			    STATUS_SUCCESS);
	device->device = file->device;
	wdm_object_publish(&file->ctx, device);
	few = events_time_poll(&file->ctx);
	for (i = 0; i < EVENTS_DOMAINS; i++) {
		KUNIT_ASSERT_STATUS(test,
				    wdm_object_reserve(&file->ctx, WDM_OBJECT_DOMAIN,
						       &objects[i]),
				    STATUS_SUCCESS);
		wdm_object_publish(&file->ctx, objects[i]);
	}
	many = events_time_poll(&file->ctx);
	kunit_info(test, "poll() takes %llu ns, with %u domains %llu ns", few, EVENTS_DOMAINS,
		   many);
	KUNIT_EXPECT_LT(test, many, 20 * few);
	/* The device is still found: the program knew of no types. */
	KUNIT_EXPECT_NE(test, device->types, 0);

	while (i)
		wdm_object_abort(&file->ctx, objects[--i]);
	device->core = NULL;
	wdm_object_abort(&file->ctx, device);
	events_close(test, file);
}

/**
 * struct events_race - a device that is deleted while a program asks for events
 * @file: the file
 * @handle: its handle
 * @status: of the delete
 * @deleted: the delete has returned
 * @asked: the program has its answer
 */
struct events_race {
	struct events_file *file;
	u32 handle;
	ntstatus_t status;
	struct completion deleted;
	struct completion asked;
};

static int events_delete(void *data)
{
	struct events_race *race = data;

	race->status = wdm_object_delete(&race->file->ctx, race->handle, WDM_OBJECT_DEVICE);
	complete(&race->deleted);
	return 0;
}

static int events_ask(void *data)
{
	struct events_race *race = data;

	wdm_events_readable(&race->file->ctx);
	complete_all(&race->asked);
	return 0;
}

/*
 * A delete waits for the lock of the group, which an attach may hold for long. poll() does not
 * wait for the delete, and nothing is missed if it is refused.
 */
static void events_during_delete(struct kunit *test)
{
	struct wdm_domain *domain = fixture_domain(FIXTURE(test), true, 0);
	struct events_race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	struct events_file *file = events_open(test);
	struct wdm_iommu_event event;
	struct wdm_object *object;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, race);
	KUNIT_ASSERT_STATUS(test, wdm_device_attach(file->device, domain), STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, wdm_object_reserve(&file->ctx, WDM_OBJECT_DEVICE, &object),
			    STATUS_SUCCESS);
	object->device = file->device;
	wdm_object_publish(&file->ctx, object);
	race->file = file;
	race->handle = object->handle;
	init_completion(&race->deleted);
	init_completion(&race->asked);

	mutex_lock(&file->group->lock);
	KUNIT_EXPECT_FALSE(test, IS_ERR(kthread_run(events_delete, race, "wdm_delete")));
	for (i = 0; i < 10000 && refcount_read(&object->users); i++)
		usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(test, refcount_read(&object->users), 0);
	wdm_events_recheck_types(&file->ctx.events, ktime_get_ns());
	KUNIT_EXPECT_FALSE(test, IS_ERR(kthread_run(events_ask, race, "wdm_ask")));
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&race->asked, 10 * HZ), 0);
	mutex_unlock(&file->group->lock);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&race->deleted, 20 * HZ), 0);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&race->asked, 20 * HZ), 0);
	KUNIT_EXPECT_STATUS(test, race->status, STATUS_RESOURCE_IN_USE);

	/* The program knew of no types. */
	event = events_next(test, file, events_memory(test));
	KUNIT_EXPECT_EQ(test, event.type, WDM_IOMMU_EVENT_DOMAIN_TYPES);
	KUNIT_EXPECT_EQ(test, event.device, race->handle);
	object->core = NULL;
	wdm_object_abort(&file->ctx, object);
	events_close(test, file);
}

static struct kunit_case events_cases[] = {
	KUNIT_CASE(events_random),
	KUNIT_CASE(events_bad_memory),
	KUNIT_CASE(events_left),
	KUNIT_CASE(events_faults),
	KUNIT_CASE(events_fault_of_next_owner),
	KUNIT_CASE(events_fault_after_detach),
	KUNIT_CASE(events_retire_in_attach),
	KUNIT_CASE(events_revoked),
	KUNIT_CASE(events_revoked_others),
	KUNIT_CASE(events_revoked_unborn),
	KUNIT_CASE(events_many_domains),
	KUNIT_CASE(events_during_delete),
	{}
};

static struct kunit_suite events_suite = {
	.name = "wdm_iommu_events",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = events_cases,
};

kunit_test_suite(events_suite);
