/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end-to-end tests: suites of cases. Each case runs in a separate process, so that all it
 * leaves open is closed in the end, and one that hangs can be killed.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "array_size.h"
#include "machine.h"
#include "probe.h"
#include "tap.h"
#include "vfio_device.h"

/* Requirements of a case */
enum need {
	NEEDS_DEVICE = 1,	/* an edu device */
	NEEDS_PAIR = 2,		/* two in one IOMMU group */
	NEEDS_TWO_GROUPS = 4,	/* two in different ones */
	NEEDS_STRANGER = 8,	/* a device with a VFIO driver, not edu */
	NEEDS_CONTAINER = 16,	/* devices opened through a VFIO container */
	NEEDS_CDEV = 32,	/* devices opened through their VFIO cdev */
	NEEDS_PLUG = 64,	/* an edu device alone below a port */
	NEEDS_BRIDGE = 128,	/* two below a bridge to conventional PCI */
	NEEDS_NVME = 256,	/* an NVMe controller */
};

/**
 * struct test_case - one result
 * @name: the property that is tested
 * @run: the test
 * @needs: NEEDS_*
 * @seconds: time limit; 0: a minute
 * @parameter: argument of @run, see parameter()
 * @formats: run once per page table format, which is the parameter
 */
struct test_case {
	const char *name;
	void (*run)(void);
	unsigned int needs;
	unsigned int seconds;
	const void *parameter;
	bool formats;
};

struct suite {
	const char *name;
	const struct test_case *cases;
	size_t number;
};

#define MAX_DEVICES	8

/**
 * struct options - options of the program, and the devices that it found
 * @seconds: duration of tests with competing threads
 * @cdev: open devices through their VFIO cdev, not through a container
 * @device: an edu device, alone in its group if possible
 * @has_device: @device is valid
 * @pair: two edu devices of one group
 * @has_pair: @pair is valid
 * @other: an edu device of another group than @device
 * @has_other: @other is valid
 * @stranger: a device with a VFIO driver that is not an edu device
 * @has_stranger: @stranger is valid
 * @plug: an edu device alone in its group, and not on the root bus
 * @has_plug: @plug is valid
 * @bridged: two edu devices of one group, not on the root bus
 * @has_bridged: @bridged is valid
 * @nvme: an NVMe controller with a VFIO driver
 * @has_nvme: @nvme is valid
 * @single: an edu device of each group that has one
 * @singles: number of valid elements of @single
 */
struct options {
	unsigned int seconds;
	bool cdev;
	struct wdm_bdf device;
	bool has_device;
	struct wdm_bdf pair[2];
	bool has_pair;
	struct wdm_bdf other;
	bool has_other;
	struct wdm_bdf stranger;
	bool has_stranger;
	struct wdm_bdf plug;
	bool has_plug;
	struct wdm_bdf bridged[2];
	bool has_bridged;
	struct wdm_bdf nvme;
	bool has_nvme;
	struct wdm_bdf single[MAX_DEVICES];
	size_t singles;
};

extern struct options options;

int run_suite(const struct suite *suite);
const void *parameter(void);

/* End a case, or a process that it has forked. */
noreturn void finish(void);
PRINTF_LIKE(1, 2) noreturn void skip(const char *format, ...);

/* Get the time of CLOCK_MONOTONIC in seconds. */
double seconds_now(void);

/* Position and text of a check */
struct place {
	const char *file;
	int line;
	const char *text;
};

#define HERE(text)	((struct place) { __FILE__, __LINE__, text })

bool check(struct place place, bool good);
bool check_number(struct place place, __u64 value, __u64 expected);
bool check_status(struct place place, __u32 status, __u32 expected);
bool check_dma(struct place place, enum dma result, enum dma expected);
void require(struct place place, bool good);

/* If it is false, the case fails and continues. */
#define CHECK(condition)		check(HERE(#condition), condition)
#define CHECK_EQUAL(value, expected)	check_number(HERE(#value), value, expected)
/* Expect an NTSTATUS, and the matching errno. */
#define EXPECT(status, call)		(errno = 0, check_status(HERE(#call), call, status))
#define EXPECT_DMA(result, call)	check_dma(HERE(#call), call, result)

/* If it is false, the case fails and ends. */
#define REQUIRE(condition)		require(HERE(#condition), condition)
#define MUST(call) \
	(errno = 0, require(HERE(#call), check_status(HERE(#call), call, STATUS_SUCCESS)))

#endif
