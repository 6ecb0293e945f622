// SPDX-License-Identifier: GPL-2.0
/*
 * The floor: tools/bench/kmod does the work in the kernel and measures the time.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static const char *floor_missing(void)
{
	return access(WDM_BENCH_PATH, R_OK | W_OK) ? "wdm_bench.ko is not loaded" : NULL;
}

static void floor_start(struct session *session)
{
	session->fd = open(WDM_BENCH_PATH, O_RDWR | O_CLOEXEC);
	if (session->fd < 0)
		err(1, "floor: open");
}

static __u64 take_device(struct session *session)
{
	struct wdm_bench_device device = { .reserved = 0 };
	struct wdm_pci_address address;

	if (!wdm_pci_parse(options.bdf, &address))
		errx(1, "floor: %s is not a PCI address", options.bdf);
	device.segment = address.segment;
	device.bus = address.bus;
	device.devfn = address.devfn;
	if (ioctl(session->fd, WDM_BENCH_DEVICE, &device))
		err(1, "floor: take the device");
	return device.ns;
}

static void floor_attach(struct session *session)
{
	take_device(session);
}

static __u64 pin_memory(struct session *session, __u32 flags)
{
	struct wdm_bench_pin pin = {
		.address = (uintptr_t)session->memory->start,
		.length = session->memory->pages * PAGE,
		.flags = flags,
	};

	if (ioctl(session->fd, WDM_BENCH_PIN, &pin))
		err(1, "floor: pin");
	session->pin = pin.pin;
	return pin.ns;
}

static __u64 unpin_memory(struct session *session)
{
	struct wdm_bench_unpin unpin = { .pin = session->pin };

	if (ioctl(session->fd, WDM_BENCH_UNPIN, &unpin))
		err(1, "floor: unpin");
	return unpin.ns;
}

static void floor_pin(struct session *session)
{
	pin_memory(session, session->heat == COLD ? WDM_BENCH_PIN_LATER : 0);
}

static __u64 each(struct session *session, __u32 op, const struct wdm_bench_page *list,
		  size_t number)
{
	struct wdm_bench_each argument = {
		.op = op,
		.pin = session->pin,
		.number = number,
		.pages = (uintptr_t)list,
	};

	if (ioctl(session->fd, WDM_BENCH_EACH, &argument))
		err(1, "floor: operation %u", op);
	return argument.ns;
}

static __u64 floor_map_each(struct session *session, const struct wdm_bench_page *list,
			    size_t number)
{
	return each(session, session->heat == COLD ? WDM_BENCH_PIN_MAP : WDM_BENCH_MAP, list,
		    number);
}

static __u64 floor_unmap_each(struct session *session, const struct wdm_bench_page *list,
			      size_t number)
{
	return each(session, session->heat == COLD ? WDM_BENCH_UNMAP_UNPIN : WDM_BENCH_UNMAP,
		    list, number);
}

static __u64 gather_unmap_each(struct session *session, const struct wdm_bench_page *list,
			       size_t number)
{
	return each(session, WDM_BENCH_UNMAP_GATHER, list, number);
}

static __u64 floor_map_unmap(struct session *session, const struct wdm_bench_page *list,
			     size_t number)
{
	return each(session, WDM_BENCH_MAP_UNMAP, list, number);
}

static __u64 floor_replace(struct session *session, const struct wdm_bench_page *list,
			   size_t number)
{
	return each(session, WDM_BENCH_REPLACE_GATHER, list, number);
}

/* The minimum for any contender: an ioctl with an argument of the usual size. */
static __u64 floor_empty_call(struct session *session, size_t number)
{
	struct wdm_bench_each nothing = { .op = 0 };
	__u64 start = now_ns();

	for (size_t i = 0; i < number; i++) {
		if (ioctl(session->fd, WDM_BENCH_NOTHING, &nothing))
			err(1, "floor: do nothing");
	}
	return now_ns() - start;
}

static __u64 whole(struct session *session, __u32 op, __u64 iova)
{
	struct wdm_bench_whole argument = { .op = op, .pin = session->pin, .iova = iova };

	if (ioctl(session->fd, WDM_BENCH_WHOLE, &argument))
		err(1, "floor: operation %u", op);
	return argument.ns;
}

static __u64 map_all(struct session *session, __u32 op, __u64 iova)
{
	__u64 ns = 0;

	if (session->heat == COLD)
		ns = pin_memory(session, 0);
	return ns + whole(session, op, iova);
}

static __u64 floor_map_whole(struct session *session, __u64 iova)
{
	return map_all(session, WDM_BENCH_MAP_SG, iova);
}

static __u64 runs_map_whole(struct session *session, __u64 iova)
{
	return map_all(session, WDM_BENCH_MAP_RUNS, iova);
}

static __u64 floor_unmap_whole(struct session *session, __u64 iova)
{
	__u64 ns = whole(session, WDM_BENCH_UNMAP_RANGE, iova);

	if (session->heat == COLD)
		ns += unpin_memory(session);
	return ns;
}

/* The minimum when a file with live mappings is closed: unmap and unpin. */
static __u64 floor_teardown(struct session *session, const struct wdm_bench_page *list,
			    size_t number)
{
	__u64 ns = each(session, WDM_BENCH_UNMAP_GATHER, list, number);

	return ns + unpin_memory(session);
}

/* memcmp() of equal memory in the kernel, page by page, in nanoseconds. */
__u64 floor_compare(const struct memory *first, const struct memory *second)
{
	struct session session = { .memory = first };
	struct wdm_bench_compare compare = { .ns = 0 };

	floor_start(&session);
	pin_memory(&session, 0);
	compare.first = session.pin;
	session.memory = second;
	pin_memory(&session, 0);
	compare.second = session.pin;
	if (ioctl(session.fd, WDM_BENCH_COMPARE, &compare))
		err(1, "floor: compare");
	if (compare.different)
		errx(1, "floor: equal memory differs");
	close(session.fd);
	return compare.ns;
}

static void floor_finish(struct session *session)
{
	close(session->fd);
}

const struct contender floor_sync = {
	.name = "floor",
	.bit = FLOOR,
	.missing = floor_missing,
	.start = floor_start,
	.attach = floor_attach,
	.pin = floor_pin,
	.map_each = floor_map_each,
	.unmap_each = floor_unmap_each,
	.map_unmap = floor_map_unmap,
	.empty_call = floor_empty_call,
	.replace = floor_replace,
	.map_whole = floor_map_whole,
	.unmap_whole = floor_unmap_whole,
	.teardown = floor_teardown,
	.finish = floor_finish,
};

const struct contender floor_gather = {
	.name = "floor-gather",
	.bit = FLOOR_GATHER,
	.missing = floor_missing,
	.start = floor_start,
	.attach = floor_attach,
	.pin = floor_pin,
	.map_each = floor_map_each,
	.unmap_each = gather_unmap_each,
	.finish = floor_finish,
};

const struct contender floor_runs = {
	.name = "floor-runs",
	.bit = FLOOR_RUNS,
	.missing = floor_missing,
	.start = floor_start,
	.attach = floor_attach,
	.pin = floor_pin,
	.map_whole = runs_map_whole,
	.unmap_whole = floor_unmap_whole,
	.finish = floor_finish,
};
