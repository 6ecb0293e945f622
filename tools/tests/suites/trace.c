// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: one event per action, with its counts, and none while they are off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

#define TRACING	"/sys/kernel/tracing/"

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_TRUNC);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* Start with an empty buffer, and our events on or off. */
static void start_tracing(bool on)
{
	if (access(TRACING "events/wdm_iommu", F_OK))
		skip("the kernel has no tracepoints");
	put(TRACING "events/wdm_iommu/enable", on ? "1" : "0");
	put(TRACING "trace", "\n");
}

/* Find the last event of this name; returns the text after the name, or NULL. */
static const char *find_event(const char *name)
{
	static char line[512], found[512];
	FILE *trace = fopen(TRACING "trace", "r");
	bool any = false;
	char *at;

	REQUIRE(trace);
	while (fgets(line, sizeof(line), trace)) {
		at = strstr(line, name);
		/* "wdm_map: file=…", with the space */
		if (line[0] == '#' || !at || at[strlen(name)] != ':')
			continue;
		strcpy(found, at + strlen(name) + 1);
		any = true;
	}
	fclose(trace);
	return any ? found : NULL;
}

/* Get the number in a field of the last event. */
static unsigned long long event_value(const char *name, const char *field)
{
	const char *event = find_event(name), *at;
	unsigned long long value = 0;
	char key[32];

	REQUIRE(event);
	snprintf(key, sizeof(key), " %s=", field);
	at = strstr(event, key);
	REQUIRE(at);
	REQUIRE(sscanf(at + strlen(key), "%lli", (long long *)&value) == 1);
	return value;
}

static void stop_tracing(void)
{
	put(TRACING "events/wdm_iommu/enable", "0");
}

/* Get the number of an open file from its fdinfo. */
static unsigned long long file_number(int fd)
{
	unsigned long long number = 0;
	char path[64], line[128];
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	REQUIRE(info);
	while (fgets(line, sizeof(line), info) &&
	       sscanf(line, "wdm-file:\t%llu", &number) != 1)
		;
	fclose(info);
	REQUIRE(number);
	return number;
}

static void os_managed(void)
{
	struct fixture fixture;

	start_tracing(true);
	open_os_managed(&fixture, 4, 0);
	CHECK_EQUAL(event_value("wdm_attach", "status"), STATUS_SUCCESS);
	CHECK_EQUAL(event_value("wdm_attach", "group"),
		    (unsigned long long)wdm_pci_group(options.device.text));
	CHECK(event_value("wdm_attach", "ns") > 0);

	CHECK_EQUAL(event_value("wdm_attach", "handle"), fixture.domain);

	MUST(map_pages(&fixture, 1, 3, ADDRESS));
	CHECK_EQUAL(event_value("wdm_map", "file"), file_number(fixture.fd));
	CHECK_EQUAL(event_value("wdm_map", "handle"), fixture.domain);
	CHECK_EQUAL(event_value("wdm_map", "address"), ADDRESS);
	CHECK_EQUAL(event_value("wdm_map", "pages"), 3);
	CHECK_EQUAL(event_value("wdm_map", "perms"), WDM_RW);
	CHECK_EQUAL(event_value("wdm_map", "status"), STATUS_SUCCESS);
	CHECK(event_value("wdm_map", "ns") > 0);
	EXPECT(STATUS_RESOURCE_IN_USE, map_pages(&fixture, 1, 1, ADDRESS));
	CHECK_EQUAL(event_value("wdm_map", "status"), STATUS_RESOURCE_IN_USE);

	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + WDM_PAGE_SIZE, 2 * WDM_PAGE_SIZE));
	CHECK_EQUAL(event_value("wdm_unmap", "address"), ADDRESS + WDM_PAGE_SIZE);
	CHECK_EQUAL(event_value("wdm_unmap", "pages"), 2);
	CHECK_EQUAL(event_value("wdm_sync", "pages"), 2);
	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	CHECK(event_value("wdm_detach", "ns") > 0);
	stop_tracing();
}

static void caller_managed(void)
{
	struct fixture fixture;

	start_tracing(true);
	open_caller_managed(&fixture, 4, &wdm_format_x64);
	set_leaf(&fixture, ADDRESS, page(&fixture, 1));
	set_leaf(&fixture, ADDRESS + WDM_PAGE_SIZE, page(&fixture, 2));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	CHECK_EQUAL(event_value("wdm_walk", "addresses"), 0);

	/* Another page, then none */
	set_leaf(&fixture, ADDRESS, page(&fixture, 3));
	*wdm_tables_entry(&fixture.tables, ADDRESS + WDM_PAGE_SIZE, WDM_LEVEL_4K, false) = 0;
	MUST(wdm_flush_va_list(fixture.fd, fixture.domain, true,
			       (__u64 []) { ADDRESS, ADDRESS + WDM_PAGE_SIZE, ADDRESS }, 3, NULL));
	CHECK_EQUAL(event_value("wdm_walk", "addresses"), 3);
	CHECK_EQUAL(event_value("wdm_walk", "unmapped"), 2);
	CHECK_EQUAL(event_value("wdm_walk", "mapped"), 1);
	CHECK_EQUAL(event_value("wdm_walk", "invalid"), 0);

	/* First without a change, then with a bad entry */
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	CHECK_EQUAL(event_value("wdm_walk", "unmapped"), 0);
	CHECK_EQUAL(event_value("wdm_walk", "mapped"), 0);
	*wdm_tables_entry(&fixture.tables, ADDRESS, WDM_LEVEL_4K, false) |= 1ULL << 50;
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, NULL));
	CHECK_EQUAL(event_value("wdm_walk", "unmapped"), 1);
	CHECK_EQUAL(event_value("wdm_walk", "invalid"), 1);
	CHECK_EQUAL(event_value("wdm_walk", "status"), STATUS_ACCESS_VIOLATION);
	stop_tracing();
}

static void off(void)
{
	struct fixture fixture;

	start_tracing(false);
	open_os_managed(&fixture, 2, 0);
	MUST(map_pages(&fixture, 1, 1, ADDRESS));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, WDM_PAGE_SIZE));
	CHECK(!find_event("wdm_map"));
	CHECK(!find_event("wdm_unmap"));
	CHECK(!find_event("wdm_attach"));
}

static const struct test_case cases[] = {
	{ .name = "an OS-managed domain is traced", .run = os_managed, .needs = NEEDS_DEVICE },
	{ .name = "a caller-managed domain is traced", .run = caller_managed,
	  .needs = NEEDS_DEVICE },
	{ .name = "nothing is traced while it is off", .run = off, .needs = NEEDS_DEVICE },
};

const struct suite trace_suite = { "trace", cases, ARRAY_SIZE(cases) };
