// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: one event per action, with its counts, and none while they are off. And the
 * order of the IOMMU driver's calls, as kprobes see it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

#define TRACING	"/sys/kernel/tracing/"

/* Intel's unmap before Linux 6.19, and the sync that it calls */
#define INTEL_UNMAP	"intel_iommu_unmap_pages"
#define INTEL_SYNC	"intel_iommu_tlb_sync"
#define PROBES		TRACING "events/wdm_probes/"

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

static void start_probes(void)
{
	if (access("/sys/class/iommu/dmar0", F_OK) || !kernel_has_symbol(INTEL_UNMAP))
		skip("only with Intel's IOMMU driver before Linux 6.19");
	put(TRACING "kprobe_events",
	    "p:wdm_probes/unmap " INTEL_UNMAP "\n"
	    "r:wdm_probes/unmapped " INTEL_UNMAP "\n"
	    "p:wdm_probes/sync " INTEL_SYNC "\n");
}

static void stop_probes(void)
{
	put(PROBES "enable", "0");
	put(TRACING "kprobe_events", "\n");
}

/*
 * Check that the probed calls of this process so far are so many unmaps and so many syncs, none of
 * them inside an unmap.
 */
static void check_order(unsigned int unmaps, unsigned int syncs)
{
	unsigned int nr_unmaps = 0, nr_syncs = 0, nested = 0;
	FILE *trace = fopen(TRACING "trace", "r");
	bool inside = false;
	char line[512], self[16];

	REQUIRE(trace);
	snprintf(self, sizeof(self), "-%d ", (int)getpid());
	while (fgets(line, sizeof(line), trace)) {
		if (line[0] == '#' || !strstr(line, self))
			continue;
		if (strstr(line, " unmap: ")) {
			inside = true;
			nr_unmaps++;
		} else if (strstr(line, " unmapped: ")) {
			inside = false;
		} else if (strstr(line, " sync: ")) {
			nr_syncs++;
			nested += inside;
		}
	}
	fclose(trace);
	CHECK_EQUAL(nr_unmaps, unmaps);
	CHECK_EQUAL(nr_syncs, syncs);
	CHECK_EQUAL(nested, 0);
}

/*
 * Intel's driver before Linux 6.19 frees the tables that an unmap leaves with the first sync
 * after it. If the unmap itself calls that sync, for what was gathered before, its own range is
 * not flushed, and the IOMMU may walk the freed tables.
 */
static void freed_tables(void)
{
	struct wdm_iommu_batch_op ops[2] = {
		{ .op = WDM_IOMMU_BATCH_UNMAP, .length = WDM_PAGE_SIZE,
		  .logical_address = ADDRESS },
		{ .op = WDM_IOMMU_BATCH_UNMAP, .length = HUGE_PAGE_SIZE,
		  .logical_address = ADDRESS + 2 * HUGE_PAGE_SIZE },
	};
	struct fixture fixture;
	__u32 done;

	start_probes();
	/* The page of the fixture, and twice 513 pages */
	open_os_managed(&fixture, 514, 0);

	/* A page before a table's range, and the whole range */
	MUST(map_pages(&fixture, 1, 513, ADDRESS + HUGE_PAGE_SIZE - WDM_PAGE_SIZE));
	put(TRACING "trace", "\n");
	put(PROBES "enable", "1");
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + HUGE_PAGE_SIZE - WDM_PAGE_SIZE,
		       513 * WDM_PAGE_SIZE));
	put(PROBES "enable", "0");
	check_order(2, 2);

	/* The same in two operations of a batch, elsewhere */
	MUST(map_pages(&fixture, 1, 1, ops[0].logical_address));
	MUST(map_pages(&fixture, 2, 512, ops[1].logical_address));
	put(TRACING "trace", "\n");
	put(PROBES "enable", "1");
	MUST(wdm_batch(fixture.fd, fixture.domain, ops, ARRAY_SIZE(ops), &done));
	put(PROBES "enable", "0");
	CHECK_EQUAL(done, ARRAY_SIZE(ops));
	check_order(2, 2);
	stop_probes();
}

static const struct test_case cases[] = {
	{ .name = "an OS-managed domain is traced", .run = os_managed, .needs = NEEDS_DEVICE },
	{ .name = "a caller-managed domain is traced", .run = caller_managed,
	  .needs = NEEDS_DEVICE },
	{ .name = "nothing is traced while it is off", .run = off, .needs = NEEDS_DEVICE },
	{ .name = "tables are freed after their range is flushed", .run = freed_tables,
	  .needs = NEEDS_DEVICE },
};

const struct suite trace_suite = { "trace", cases, ARRAY_SIZE(cases) };
