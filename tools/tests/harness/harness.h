/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end-to-end tests: suites of cases. Each case runs in a process of its own,
 * so whatever it leaves open is closed in the end, and one that hangs is killed.
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

/* What a case cannot do without. */
enum need {
	NEEDS_DEVICE = 1,	/* an edu device */
	NEEDS_PAIR = 2,		/* two in one IOMMU group */
	NEEDS_TWO_GROUPS = 4,	/* two in different ones */
	NEEDS_STRANGER = 8,	/* a device with a VFIO driver that is no edu */
	NEEDS_CONTAINER = 16,	/* devices opened through a VFIO container */
	NEEDS_CDEV = 32,	/* devices opened through their VFIO cdev */
	NEEDS_PLUG = 64,	/* an edu device alone behind a port */
	NEEDS_BRIDGE = 128,	/* two behind a bridge to conventional PCI */
	NEEDS_NVME = 256,	/* an NVMe controller */
};

/**
 * struct test_case - one result
 * @name: what holds
 * @run: the test
 * @needs: NEEDS_*
 * @seconds: how long it may take; 0: a minute
 * @parameter: for @run, see parameter()
 * @formats: run once for each format of page tables, which is the parameter
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
 * @seconds: how long threads hammer
 * @cdev: open devices through their VFIO cdev, not through a container
 * @device: an edu device, in a group without others if there is one
 * @has_device: whether there is one
 * @pair: two edu devices of one group
 * @has_pair: whether there are
 * @other: an edu device of a group that is not @device's
 * @has_other: whether there is one
 * @stranger: a device with a VFIO driver that is no edu device
 * @has_stranger: whether there is one
 * @plug: an edu device alone in its group, and not on the root bus
 * @has_plug: whether there is one
 * @bridged: two edu devices of one group, not on the root bus
 * @has_bridged: whether there are
 * @nvme: an NVMe controller with a VFIO driver
 * @has_nvme: whether there is one
 * @single: an edu device of each group that has one
 * @singles: how many there are
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

/* Ends of a case, and of a process that it has forked */
noreturn void finish(void);
PRINTF_LIKE(1, 2) noreturn void skip(const char *format, ...);

/* Where a check stands, and what it says. */
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

/* A check that fails lets the case fail and go on. */
#define CHECK(condition)		check(HERE(#condition), condition)
#define CHECK_EQUAL(value, expected)	check_number(HERE(#value), value, expected)
/* The NTSTATUS, and the errno that goes with it */
#define EXPECT(status, call)		(errno = 0, check_status(HERE(#call), call, status))
#define EXPECT_DMA(result, call)	check_dma(HERE(#call), call, result)

/* One that fails ends the case. */
#define REQUIRE(condition)		require(HERE(#condition), condition)
#define MUST(call) \
	(errno = 0, require(HERE(#call), check_status(HERE(#call), call, STATUS_SUCCESS)))

#endif
