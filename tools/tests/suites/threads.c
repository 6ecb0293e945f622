// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that make all calls with random arguments on shared handles, and check that the
 * results are consistent.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "ioctl_table.h"
#include "suites.h"

#define PAGE		WDM_PAGE_SIZE
#define THREADS		4
#define POOL		24
#define WINDOW		64
#define ARENA_PAGES	32

/**
 * struct hammer - state that the threads share
 * @objects: the file and a device
 * @pool: handles to try; any thread may replace one
 * @highest: the highest handle that was seen
 * @stop: the threads should end
 * @calls: number of calls
 * @successes: number of calls that succeeded
 * @strange: number of inconsistent results
 * @kept: number of times that a cdev was still bound after the program had closed it
 */
struct hammer {
	struct ioctl_objects objects;
	__u32 pool[POOL];
	__u32 highest;
	bool stop;
	unsigned long calls;
	unsigned long successes;
	unsigned long strange;
	unsigned int kept;
};

/* State of one thread */
struct hammering {
	struct hammer *hammer;
	unsigned int seed;
};

static __u32 pick(struct hammering *thread, __u32 limit)
{
	return (__u32)rand_r(&thread->seed) % limit;
}

static __u64 pick_pages(struct hammering *thread, __u32 limit)
{
	return (__u64)pick(thread, limit) * PAGE;
}

static __u32 pick_handle(struct hammering *thread)
{
	return __atomic_load_n(&thread->hammer->pool[pick(thread, POOL)], __ATOMIC_RELAXED);
}

static void keep_handle(struct hammering *thread, __u32 handle)
{
	struct hammer *hammer = thread->hammer;

	if (handle > __atomic_load_n(&hammer->highest, __ATOMIC_RELAXED))
		__atomic_store_n(&hammer->highest, handle, __ATOMIC_RELAXED);
	__atomic_store_n(&hammer->pool[pick(thread, POOL)], handle, __ATOMIC_RELAXED);
}

/* Addresses in a small window, so that the calls collide */
static __u64 pick_address(struct hammering *thread)
{
	return ADDRESS + pick_pages(thread, WINDOW);
}

static void random_configuration(struct hammering *thread,
				 struct wdm_iommu_configure *configure)
{
	configure->type = pick(thread, 2);
	configure->translation_enabled = !!pick(thread, 4);
	if (configure->type == WDM_IOMMU_FORMAT_X64) {
		configure->flags = pick(thread, 2);
		configure->x64.first_level_page_table_root = pick_address(thread);
	} else {
		configure->arm64.ttbr0 = pick_address(thread);
		configure->arm64.input_size0 = 25 + pick(thread, 24);
	}
}

static void random_op(struct hammering *thread, struct wdm_iommu_batch_op *op)
{
	*op = (struct wdm_iommu_batch_op) {
		.op = WDM_IOMMU_BATCH_UNMAP,
		.length = PAGE + pick_pages(thread, 3),
		.logical_address = pick_address(thread),
	};
	if (pick(thread, 2))
		return;
	op->op = WDM_IOMMU_BATCH_MAP;
	op->permissions = 1 + pick(thread, 3);
	op->mdl = pick_handle(thread);
	op->offset = pick_pages(thread, 4);
	op->length = pick_pages(thread, 4);
}

/* Memory to which arguments point */
struct pointees {
	__u64 list[4];
	struct wdm_iommu_mapping mappings[4];
	struct wdm_iommu_batch_op ops[8];
	struct wdm_iommu_range ranges[16];
};

static void random_batch(struct hammering *thread, struct wdm_iommu_batch *batch,
			 struct wdm_iommu_batch_op ops[8])
{
	batch->number = pick(thread, 9);
	batch->ops = caller(ops);
	for (__u32 i = 0; i < batch->number; i++)
		random_op(thread, &ops[i]);
}

/* For calls on OS-managed domains */
static void random_translation(struct hammering *thread, unsigned long request,
			       union argument *argument, struct pointees *pointees)
{
	switch (request) {
	case WDM_IOMMU_MAP:
	case WDM_IOMMU_MAP_IDENTITY:
		argument->map.permissions = 1 + pick(thread, 3);
		argument->map.offset = pick_pages(thread, 4);
		argument->map.length = pick_pages(thread, 4);
		if (request == WDM_IOMMU_MAP)
			argument->map.logical_address = pick_address(thread);
		break;
	case WDM_IOMMU_UNMAP:
		argument->unmap.logical_address = pick_address(thread);
		argument->unmap.length = PAGE + pick_pages(thread, 3);
		break;
	case WDM_IOMMU_UNMAP_IDENTITY:
		argument->unmap_identity.offset = pick_pages(thread, 4);
		argument->unmap_identity.length = pick_pages(thread, 4);
		break;
	case WDM_IOMMU_MAP_USER:
		argument->map_user.permissions = 1 + pick(thread, 3);
		argument->map_user.user_va = caller(thread->hammer->objects.fixture.arena) +
					     pick_pages(thread, 24);
		argument->map_user.length = PAGE + pick_pages(thread, 3);
		argument->map_user.logical_address = pick_address(thread);
		break;
	case WDM_IOMMU_MAP_EX:
		argument->map_ex.permissions = 1 + pick(thread, 3);
		argument->map_ex.flags = pick(thread, 2);
		argument->map_ex.logical_address = pick_address(thread);
		argument->map_ex.memory.length = PAGE + pick_pages(thread, 3);
		break;
	case WDM_IOMMU_BATCH:
		random_batch(thread, &argument->batch, pointees->ops);
		break;
	}
}

static void random_members(struct hammering *thread, unsigned long request,
			   union argument *argument, struct pointees *pointees)
{
	struct fixture *fixture = &thread->hammer->objects.fixture;

	switch (request) {
	case WDM_IOMMU_DOMAIN_CREATE:
		argument->domain_create.os_managed_page_table = pick(thread, 2);
		break;
	case WDM_IOMMU_DEVICE_CREATE:
		name_device(fixture->device, &argument->device_create);
		break;
	case WDM_IOMMU_ATTACH:
		argument->attach.mapping_count = 1;
		break;
	case WDM_IOMMU_MDL_CREATE:
		argument->mdl_create.user_va = caller(fixture->arena) + pick_pages(thread, 24);
		argument->mdl_create.length = PAGE + pick_pages(thread, 8);
		argument->mdl_create.access = 1 + pick(thread, 3);
		break;
	case WDM_IOMMU_MDL_CREATE_FILE:
		argument->mdl_create_file.offset = pick_pages(thread, 4);
		argument->mdl_create_file.length = PAGE + pick_pages(thread, 8);
		argument->mdl_create_file.access = 1 + pick(thread, 3);
		break;
	case WDM_IOMMU_MEMORY_ADD:
		argument->memory_add.permissions = pick(thread, 4) ? WDM_RW : WDM_IOMMU_READ;
		argument->memory_add.caller_address = pick_address(thread);
		break;
	case WDM_IOMMU_MEMORY_REMOVE:
		argument->memory_remove.caller_address = pick_address(thread);
		argument->memory_remove.length = PAGE + pick_pages(thread, 2);
		break;
	case WDM_IOMMU_CONFIGURE:
		random_configuration(thread, &argument->configure);
		break;
	case WDM_IOMMU_FLUSH_VA_LIST:
		argument->flush_va_list.last_level = pick(thread, 2);
		argument->flush_va_list.number = 4;
		argument->flush_va_list.va_list = caller(pointees->list);
		for (unsigned int i = 0; i < 4; i++)
			pointees->list[i] = pick_address(thread);
		break;
	case WDM_IOMMU_QUERY_MAPPINGS:
		argument->query_mappings.what = pick(thread, 2);
		argument->query_mappings.number = 4;
		argument->query_mappings.mappings = caller(pointees->mappings);
		break;
	case WDM_IOMMU_DOMAIN_CREATE_EX:
		argument->domain_create_ex.type = 2 * pick(thread, 2);
		if (!argument->domain_create_ex.type && pick(thread, 4)) {
			argument->domain_create_ex.allocator = WDM_IOMMU_ALLOCATOR_BUDDY;
			argument->domain_create_ex.address_width = 28;
		}
		break;
	case WDM_IOMMU_RESERVE:
		argument->reserve.flags = pick(thread, 2);
		argument->reserve.length = PAGE + pick_pages(thread, 4);
		argument->reserve.logical_address = pick_address(thread);
		break;
	case WDM_IOMMU_MAP_RESERVED:
		argument->map_reserved.permissions = 1 + pick(thread, 3);
		argument->map_reserved.offset = pick_pages(thread, 3);
		argument->map_reserved.memory.length = PAGE + pick_pages(thread, 2);
		break;
	case WDM_IOMMU_UNMAP_RESERVED:
		argument->unmap_reserved.offset = pick_pages(thread, 3);
		argument->unmap_reserved.length = PAGE + pick_pages(thread, 2);
		break;
	case WDM_IOMMU_SET_FAULT_REPORTING:
		argument->set_fault_reporting.enable = pick(thread, 2);
		break;
	case WDM_IOMMU_QUERY_RANGES:
		argument->query_ranges.number = pick(thread, 17);
		argument->query_ranges.ranges = caller(pointees->ranges);
		break;
	default:
		random_translation(thread, request, argument, pointees);
	}
}

/* Get the handle that a call has created, 0 if none. */
static __u32 new_handle(unsigned long request, const union argument *argument)
{
	switch (request) {
	case WDM_IOMMU_DOMAIN_CREATE:
		return argument->domain_create.domain;
	case WDM_IOMMU_DEVICE_CREATE:
		return argument->device_create.device;
	case WDM_IOMMU_MDL_CREATE:
		return argument->mdl_create.mdl;
	case WDM_IOMMU_MDL_CREATE_FILE:
		return argument->mdl_create_file.mdl;
	case WDM_IOMMU_DOMAIN_CREATE_EX:
		return argument->domain_create_ex.domain;
	case WDM_IOMMU_RESERVE:
		return argument->reserve.token;
	default:
		return 0;
	}
}

/* All of a batch is done, or its status is possible for one of its operations. */
static bool done_makes_sense(__u32 status, const struct wdm_iommu_batch *batch)
{
	if (!status)
		return batch->done == batch->number;
	return batch->done < batch->number || !batch->done;
}

static bool makes_sense(const struct ioctl_case *call, const union argument *argument, __u32 status,
			int error)
{
	if (status == WDM_STATUS_NONE)
		return error == EBADF;
	if (call->request == WDM_IOMMU_BATCH && !done_makes_sense(status, &argument->batch))
		return false;
	return !status || (wdm_status_errno(status) == error && error != EPROTO);
}

static void random_call(struct hammering *thread)
{
	struct hammer *hammer = thread->hammer;
	const struct ioctl_case *call = &ioctl_table[pick(thread, number_of_ioctls)];
	union argument argument = { .size = call->size };
	struct pointees pointees;
	__u32 status;

	/* Rarely, or few objects would exist. */
	if (call->request == WDM_IOMMU_DESTROY && pick(thread, 8))
		return;
	for (unsigned int i = 0; call->handles[i].types; i++)
		*(__u32 *)((char *)&argument + call->handles[i].offset) = pick_handle(thread);
	random_members(thread, call->request, &argument, &pointees);
	errno = 0;
	status = wdm_call(hammer->objects.fixture.fd, call->request, &argument);
	__atomic_add_fetch(&hammer->calls, 1, __ATOMIC_RELAXED);
	if (!makes_sense(call, &argument, status, errno)) {
		tap_diag("%s: %s, errno %d", call->name, wdm_status_name(status), errno);
		__atomic_add_fetch(&hammer->strange, 1, __ATOMIC_RELAXED);
	}
	if (!status) {
		__atomic_add_fetch(&hammer->successes, 1, __ATOMIC_RELAXED);
		if (new_handle(call->request, &argument))
			keep_handle(thread, new_handle(call->request, &argument));
	}
}

static void *hammer_on(void *argument)
{
	struct hammering *thread = argument;

	while (!__atomic_load_n(&thread->hammer->stop, __ATOMIC_RELAXED))
		random_call(thread);
	return NULL;
}

/* Fill memory with entries that lead to the window. */
static void fill_arena(struct fixture *fixture)
{
	__u64 *entries = (__u64 *)fixture->arena;

	for (size_t i = 0; i < fixture->pages * PAGE / sizeof(*entries); i++) {
		const struct wdm_table_format *format =
			i % 2 ? &wdm_format_x64 : &wdm_format_arm64;
		__u64 target = ADDRESS + random_number(WINDOW) * PAGE;

		if (random_number(16))
			entries[i] = 0;
		else if (random_number(2))
			entries[i] = format->leaf(target, 0, WDM_RW);
		else
			entries[i] = format->table(target);
	}
}

static void start(struct hammer *hammer, pthread_t threads[THREADS],
		  struct hammering numbers[THREADS])
{
	struct fixture *fixture = &hammer->objects.fixture;

	memset(hammer, 0, sizeof(*hammer));
	open_fixture(fixture);
	open_arena(fixture, ARENA_PAGES);
	if (options.has_device)
		open_device(fixture);
	fill_arena(fixture);
	hammer->pool[0] = fixture->mdl;
	hammer->pool[1] = fixture->device->handle;
	hammer->highest = fixture->device->handle;
	for (unsigned int i = 0; i < THREADS; i++) {
		numbers[i] = (struct hammering) { hammer, random_number(1U << 31) };
		REQUIRE(!pthread_create(&threads[i], NULL, hammer_on, &numbers[i]));
	}
}

/* Start DMA to random addresses while the threads run. */
static void wait_some_time(struct hammer *hammer, unsigned int seconds)
{
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end) {
		if (options.has_device)
			wdm_edu_write(hammer->objects.fixture.probe.bar0,
				      ADDRESS + random_number(WINDOW) * PAGE, 0, PROBE_BYTES);
		else
			usleep(100000);
	}
}

static void stop(struct hammer *hammer, pthread_t threads[THREADS])
{
	__atomic_store_n(&hammer->stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	tap_diag("%lu calls, %lu of them successful", hammer->calls, hammer->successes);
	CHECK(hammer->calls > 1000 && hammer->successes > 100);
	CHECK_EQUAL(hammer->strange, 0);
}

/* Unmap the remaining segments. */
static void unmap_segments(int fd, __u32 token)
{
	for (__u64 offset = 0; offset < 8 * PAGE; offset += PAGE) {
		for (__u64 length = PAGE; length <= 4 * PAGE; length += PAGE)
			wdm_unmap_reserved(fd, token, offset, length);
	}
}

/* Delete all remaining objects: devices and tokens, then domains, then MDLs. */
static void delete_all(struct hammer *hammer)
{
	int fd = hammer->objects.fixture.fd;

	for (__u32 handle = 1; handle <= hammer->highest; handle++)
		wdm_detach(fd, handle);
	for (__u32 handle = 1; handle <= hammer->highest; handle++)
		unmap_segments(fd, handle);
	for (__u32 handle = 1; handle <= hammer->highest; handle++)
		wdm_destroy(fd, handle);
	for (__u32 handle = 1; handle <= hammer->highest; handle++)
		wdm_destroy(fd, handle);
	for (__u32 handle = 1; handle <= hammer->highest; handle++)
		wdm_destroy(fd, handle);
	for (__u32 handle = 1; handle <= hammer->highest; handle++)
		EXPECT(STATUS_INVALID_HANDLE, wdm_destroy(fd, handle));
	CHECK_EQUAL(locked_memory(), 0);
}

static void hammer_and_delete(void)
{
	struct hammering numbers[THREADS];
	pthread_t threads[THREADS];
	long long pinned = pinned_pages();
	struct hammer hammer;

	start(&hammer, threads, numbers);
	wait_some_time(&hammer, options.seconds);
	stop(&hammer, threads);
	delete_all(&hammer);
	CHECK(pins_are_back(pinned));
}

/* Close the file while the threads run. */
static void hammer_and_close(void)
{
	struct hammering numbers[THREADS];
	pthread_t threads[THREADS];
	long long pinned = pinned_pages();
	struct hammer hammer;

	start(&hammer, threads, numbers);
	wait_some_time(&hammer, (options.seconds + 1) / 2);
	close(hammer.objects.fixture.fd);
	stop(&hammer, threads);
	CHECK_EQUAL(locked_memory(), 0);
	CHECK(pins_are_back(pinned));
}

/* Exit while the threads run: only the kernel cleans up. */
static void hammer_and_exit(void)
{
	struct hammering numbers[THREADS];
	pthread_t threads[THREADS];
	struct hammer hammer;

	start(&hammer, threads, numbers);
	wait_some_time(&hammer, 1);
	finish();
}

/* Create the group's new device; threads may still use the old handle. */
static void add_device(struct hammer *hammer)
{
	struct fixture *fixture = &hammer->objects.fixture;
	struct hammering random = { hammer, 1 };
	struct wdm_vfio_device device = *fixture->device;

	if (!create_device(fixture->fd, &device))
		keep_handle(&random, device.handle);
}

static bool take_back_and_hand_over(struct hammer *hammer)
{
	struct wdm_vfio_device *device = hammer->objects.fixture.device;
	struct wdm_error error;

	ioctl(device->fd, VFIO_DEVICE_RESET);
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_vfio_bind(device->container,
						     hammer->objects.fixture.fd));
	wdm_bar_unmap(device, 0);
	close(device->fd);
	device->fd = -1;
	if (!CHECK(!ioctl(device->group, VFIO_GROUP_UNSET_CONTAINER)) ||
	    !CHECK(wdm_container_add(device->container, device->group, &error)) ||
	    !CHECK(wdm_container_bind(device->container, hammer->objects.fixture.fd, &error)) ||
	    !CHECK(wdm__vfio_get(device, options.device.text, &error)))
		return false;
	add_device(hammer);
	return true;
}

static bool reopen(struct hammer *hammer)
{
	struct fixture *fixture = &hammer->objects.fixture;
	struct wdm_error error;

	if (!CHECK(open_files(fixture->device, fixture->fd, &error))) {
		tap_diag("%s", error.text);
		return false;
	}
	add_device(hammer);
	return true;
}

#define WAIT_SECONDS	20

/*
 * An attached cdev stays bound, and VFIO refuses to bind it again. Without its files, threads
 * cannot attach it, but one may have found them just before they were closed.
 */
static bool close_and_reopen(struct hammer *hammer)
{
	struct fixture *fixture = &hammer->objects.fixture;
	time_t end = time(NULL) + WAIT_SECONDS;
	struct wdm_error error;

	close_files(fixture->device);
	while (!open_files(fixture->device, fixture->fd, &error)) {
		close_files(fixture->device);
		if (!CHECK_EQUAL(error.error, EINVAL) || !CHECK(time(NULL) <= end))
			return false;
		hammer->kept++;
		for (__u32 handle = 1; handle <= hammer->highest; handle++)
			wdm_detach(fixture->fd, handle);
	}
	add_device(hammer);
	return true;
}

#define DEVICES	"/sys/bus/pci/devices/"

static bool unbind_and_bind(struct hammer *hammer)
{
	close_files(hammer->objects.fixture.device);
	return CHECK(unbind_driver(options.device.text) && bind_driver(options.device.text)) &&
	       reopen(hammer);
}

static bool remove_and_rescan(struct hammer *hammer)
{
	char path[128];

	close_files(hammer->objects.fixture.device);
	snprintf(path, sizeof(path), DEVICES "%s/remove", options.device.text);
	return CHECK(write_text(path, "1") && write_text("/sys/bus/pci/rescan", "1") &&
		     bind_driver(options.device.text)) &&
	       reopen(hammer);
}

/* VFIO revokes the group and opens it again, while the threads make all calls. */
static void hammer_and_take_back(void)
{
	struct hammering numbers[THREADS];
	pthread_t threads[THREADS];
	long long pinned = pinned_pages();
	time_t end = time(NULL) + 2 * options.seconds;
	unsigned int rounds = 0;
	struct hammer hammer;
	bool good = true;

	start(&hammer, threads, numbers);
	while (good && (time(NULL) < end || rounds < 6)) {
		usleep(200000);
		switch (rounds++ % 3) {
		case 0:
			good = options.cdev ? close_and_reopen(&hammer) :
					      take_back_and_hand_over(&hammer);
			break;
		case 1:
			good = unbind_and_bind(&hammer);
			break;
		default:
			good = remove_and_rescan(&hammer);
		}
	}
	tap_diag("%u rounds, cdev kept %u times", rounds, hammer.kept);
	stop(&hammer, threads);
	wdm_vfio_close(hammer.objects.fixture.device);
	delete_all(&hammer);
	CHECK(pins_are_back(pinned));
}

static const struct test_case cases[] = {
	{ .name = "all at once, then delete everything", .run = hammer_and_delete,
	  .seconds = 120 },
	{ .name = "all at once, and the file is closed", .run = hammer_and_close,
	  .seconds = 120 },
	{ .name = "all at once, and the process ends", .run = hammer_and_exit,
	  .seconds = 120 },
	{ .name = "all at once, and VFIO revokes the group", .run = hammer_and_take_back,
	  .needs = NEEDS_DEVICE, .seconds = 360 },
};

const struct suite threads_suite = { "threads", cases, ARRAY_SIZE(cases) };
