// SPDX-License-Identifier: GPL-2.0
/*
 * Suspend the machine while devices are attached and busy. The IOMMU loses its state in
 * suspend to RAM, and its driver restores it.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "suites.h"
#include "traffic.h"

#define ALARM	"/sys/class/rtc/rtc0/wakealarm"

#define LPC_BRIDGE	"/sys/bus/pci/devices/0000:00:1f.0/config"
#define LPC_ID		0x29188086
#define LPC_REGISTERS	0x40

/* Enough time to suspend before the alarm, on a busy machine */
#define ALARM_SECONDS	"+12"

/**
 * struct sleep_state - one way to suspend
 * @state: for /sys/power/state
 * @kind: for /sys/power/mem_sleep
 * @test: for /sys/power/pm_test: the phase at which it stops; "none" for all phases
 */
struct sleep_state {
	const char *state;
	const char *kind;
	const char *test;
};

static const struct sleep_state to_ram = { "mem", "deep", "none" };
static const struct sleep_state tests[] = {
	{ "freeze", NULL, "devices" },
	{ "mem", "deep", "freezer" },
	{ "mem", "deep", "platform" },
	{ "mem", "deep", "core" },
};

static bool file_has(const char *path, const char *word)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strstr(text, word);
}

static void check_possible(const struct sleep_state *sleep_state)
{
	glob_t found;

	if (!file_has("/sys/power/state", sleep_state->state))
		skip("the kernel or the firmware cannot do it: %s", sleep_state->state);
	if (sleep_state->kind && !file_has("/sys/power/mem_sleep", sleep_state->kind))
		skip("the kernel or the firmware cannot do it: %s", sleep_state->kind);
	if (!file_has("/sys/power/pm_test", "none"))
		skip("the kernel has no CONFIG_PM_DEBUG");
	if (!glob("/sys/class/iommu/virtio*", 0, NULL, &found))
		skip("the driver of the virtio IOMMU cannot set it up again");
}

/**
 * struct bridge - registers of q35's LPC bridge, at LPC_REGISTERS of its config space
 * @fd: the config space, or -1
 * @values: PMBASE and ACPI_CNTL, which locate ACPI's registers
 *
 * SeaBIOS does not restore them after suspend to RAM, and without ACPI's registers the
 * machine can neither suspend again nor power off.
 */
struct bridge {
	int fd;
	unsigned char values[8];
};

static void bridge_save(struct bridge *bridge)
{
	__u32 id;

	bridge->fd = open(LPC_BRIDGE, O_RDWR | O_CLOEXEC);
	if (bridge->fd < 0)
		return;
	REQUIRE(pread(bridge->fd, &id, sizeof(id), 0) == sizeof(id));
	REQUIRE(pread(bridge->fd, bridge->values, sizeof(bridge->values), LPC_REGISTERS) ==
		sizeof(bridge->values));
	if (id != LPC_ID) {
		close(bridge->fd);
		bridge->fd = -1;
	}
}

static void bridge_restore(struct bridge *bridge)
{
	if (bridge->fd < 0)
		return;
	CHECK(pwrite(bridge->fd, bridge->values, sizeof(bridge->values), LPC_REGISTERS) ==
	      sizeof(bridge->values));
	close(bridge->fd);
}

static time_t seconds_of(clockid_t clock)
{
	struct timespec now;

	REQUIRE(!clock_gettime(clock, &now));
	return now.tv_sec;
}

/* Get the total time that the machine has been suspended. */
static time_t asleep(void)
{
	return seconds_of(CLOCK_BOOTTIME) - seconds_of(CLOCK_MONOTONIC);
}

/* Suspend, and return when the machine is awake again. */
static void sleep_once(const struct sleep_state *sleep_state)
{
	bool whole = !strcmp(sleep_state->test, "none");
	time_t before = asleep();
	struct bridge bridge;

	if (sleep_state->kind && !write_text("/sys/power/mem_sleep", sleep_state->kind))
		skip("the machine has no %s: %s", sleep_state->kind, strerror(errno));
	write_text("/sys/module/suspend/parameters/pm_test_delay", "1");
	REQUIRE(write_text("/sys/power/pm_test", sleep_state->test));
	if (whole) {
		/* A pending alarm must be cleared first. */
		write_text(ALARM, "0");
		if (!write_text(ALARM, ALARM_SECONDS))
			skip("no clock can wake the machine: %s", strerror(errno));
	}
	bridge_save(&bridge);
	REQUIRE(write_text("/sys/power/state", sleep_state->state));
	bridge_restore(&bridge);
	CHECK(!whole || asleep() > before);
	REQUIRE(write_text("/sys/power/pm_test", "none"));
}

/* Suspend with a domain of each kind with a busy device. */
static void check_sleep(const struct sleep_state *states, size_t number)
{
	struct traffic traffic, caller_traffic;
	struct fixture os, caller_managed;

	check_possible(&states[0]);
	traffic_open(&traffic, &os, true);
	options.device = options.pair[0];
	traffic_open(&caller_traffic, &caller_managed, false);
	traffic_start(&traffic);
	traffic_start(&caller_traffic);
	for (size_t i = 0; i < number; i++) {
		unsigned long calls = traffic.calls, transfers = traffic.transfers;

		tap_diag("%s, %s", states[i].state, states[i].test);
		sleep_once(&states[i]);
		traffic_check(&traffic);
		traffic_check(&caller_traffic);
		CHECK(__atomic_load_n(&traffic.calls, __ATOMIC_RELAXED) > calls);
		CHECK(__atomic_load_n(&traffic.transfers, __ATOMIC_RELAXED) > transfers);
	}
	traffic_stop_device(&traffic);
	traffic_stop_device(&caller_traffic);
	traffic_stop(&traffic);
	traffic_stop(&caller_traffic);

	/* The detached device stays detached, and the attached one works. */
	MUST(wdm_detach(os.fd, os.device->handle));
	EXPECT_DMA(DMA_BLOCKED, write_to(&os, HOME_ADDRESS, os.arena));
	sleep_once(&states[number - 1]);
	EXPECT_DMA(DMA_BLOCKED, write_to(&os, HOME_ADDRESS, os.arena));
	MUST(wdm_attach(os.fd, os.domain, os.device->handle));
	EXPECT_DMA(DMA_ARRIVED, write_to(&os, HOME_ADDRESS, os.arena));
}

static void suspend_to_ram(void)
{
	check_sleep(&to_ram, 1);
}

static void test_levels(void)
{
	check_sleep(tests, ARRAY_SIZE(tests));
}

static const struct test_case cases[] = {
	{ .name = "suspend to RAM", .run = suspend_to_ram,
	  .needs = NEEDS_DEVICE | NEEDS_PAIR, .seconds = 180 },
	{ .name = "the kernel's test levels, and suspend to idle", .run = test_levels,
	  .needs = NEEDS_DEVICE | NEEDS_PAIR, .seconds = 180 },
};

const struct suite suspend_suite = { "suspend", cases, ARRAY_SIZE(cases) };
