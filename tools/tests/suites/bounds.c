// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of what a program can make the kernel allocate, and of how long it can make others
 * wait.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "suites.h"
#include "fixture.h"

#define PAGE	WDM_PAGE_SIZE
#define ENTRIES	512

/* Limits of pinned memory and kernel memory for the program in this suite */
#define PINNED		(16 * PAGE)
#define MOST_MEMORY	(16LL << 20)

/*
 * Time limit of a call with that, even on an emulated IOMMU with caching mode and sanitizers,
 * where it took 16 s. Without the limits it takes some 80 times as long.
 */
#define MOST_SECONDS	60.0

static long long memory_of(const char *word)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long long kib = -1;

	REQUIRE(file);
	while (kib < 0 && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, word, strlen(word)))
			sscanf(line + strlen(word), "%lld", &kib);
	}
	fclose(file);
	REQUIRE(kib >= 0);
	return kib * 1024;
}

/* Become a program that may not pin more than PINNED. */
static void become_nobody(void)
{
	const struct rlimit limits = { PINNED, PINNED };

	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limits));
	REQUIRE(drop_capability(CAP_IPC_LOCK));
}

static __u64 *table_at(const struct fixture *fixture, size_t number)
{
	return (__u64 *)page(fixture, number);
}

static void fill_table(__u64 *table, unsigned int number, __u64 entry)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		table[i] = i < number ? entry : 0;
}

/* Configure tables, and measure the time. */
static double configure(struct fixture *fixture, __u32 *status)
{
	long long free = memory_of("MemFree:"), slab = memory_of("Slab:");
	struct wdm_iommu_walk_error walk_error;
	double start = seconds_now(), seconds;

	*status = wdm_configure_x64(fixture->fd, fixture->domain, caller(page(fixture, 0)), 0,
				    &walk_error);
	seconds = seconds_now() - start;
	free -= memory_of("MemFree:");
	slab = memory_of("Slab:") - slab;
	tap_diag("%s, %llu invalid, %llu tables, %lld KiB, %lld KiB of slab, %.3f s",
		 wdm_status_name(*status), walk_error.count,
		 query(fixture->fd, fixture->domain).shadow_tables, free >> 10, slab >> 10,
		 seconds);
	CHECK(free < MOST_MEMORY);
	CHECK(slab < MOST_MEMORY);
	CHECK(seconds < MOST_SECONDS);
	return seconds;
}

/* Make four tables: all entries lead to the next table, those of the last one to a page. */
static void make_fan(const struct fixture *fixture)
{
	const struct wdm_table_format *format = &wdm_format_x64;

	for (unsigned int i = 0; i < 3; i++) {
		fill_table(table_at(fixture, i), ENTRIES,
			   format->table(caller(page(fixture, i + 1))));
	}
	fill_table(table_at(fixture, 3), ENTRIES,
		   format->leaf(caller(page(fixture, 4)), 0, WDM_RW));
}

static void aliased_tables(void)
{
	const __u64 aliases = 1ULL << 40;
	struct fixture fixture;
	double first, least;
	unsigned int added;
	__u32 status;

	open_fixture(&fixture);
	become_nobody();
	open_arena(&fixture, PINNED / PAGE);
	MUST(wdm_domain_create(fixture.fd, false, 0, &fixture.domain));
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0,
			    caller(fixture.arena)));
	/* More addresses for the same pages use up the limit of tables. */
	for (added = 0; added < 4000; added++) {
		status = wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0,
					aliases + added * HUGE_PAGE_SIZE);
		if (status)
			break;
	}
	CHECK_EQUAL(status, STATUS_WORKING_SET_QUOTA);
	for (unsigned int i = added / 2; i < added; i++)
		MUST(wdm_memory_remove(fixture.fd, fixture.domain, aliases + i * HUGE_PAGE_SIZE,
				       PINNED));
	make_fan(&fixture);
	first = configure(&fixture, &status);
	CHECK(status == STATUS_WORKING_SET_QUOTA);

	/* Tables over the limit are not tried repeatedly, */
	least = first;
	for (unsigned int i = 0; i < 3; i++) {
		struct wdm_iommu_walk_error walk_error;
		double start = seconds_now(), seconds;

		EXPECT(STATUS_WORKING_SET_QUOTA,
		       wdm_flush(fixture.fd, fixture.domain, &walk_error));
		CHECK_EQUAL(walk_error.count,
			    query(fixture.fd, fixture.domain).invalid_entries);
		seconds = seconds_now() - start;
		if (seconds < least)
			least = seconds;
	}
	CHECK(least < first / 2);
	/* another root can be configured, */
	fill_table(table_at(&fixture, 5), 0, 0);
	MUST(wdm_configure_x64(fixture.fd, fixture.domain, caller(page(&fixture, 5)), 0, NULL));
	configure(&fixture, &status);
	/* and the domain remains usable. */
	fill_table(table_at(&fixture, 0), 0, 0);
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).shadow_tables, 1);
	fill_table(table_at(&fixture, 0), 1, wdm_format_x64.table(caller(page(&fixture, 1))));
	fill_table(table_at(&fixture, 1), 1, wdm_format_x64.table(caller(page(&fixture, 2))));
	fill_table(table_at(&fixture, 2), 1, wdm_format_x64.table(caller(page(&fixture, 3))));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, ENTRIES * PAGE);
}

/* Each leaf of 2 MiB over scattered pages needs a table of the IOMMU. */
static void aliased_leaves(void)
{
	const struct wdm_table_format *format = &wdm_format_x64;
	const __u64 memory = 1ULL << 40;
	struct fixture fixture;
	__u32 status;

	open_fixture(&fixture);
	become_nobody();
	open_arena(&fixture, PINNED / PAGE);
	open_device(&fixture);
	MUST(wdm_domain_create(fixture.fd, false, 0, &fixture.domain));
	MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0,
			    caller(fixture.arena)));
	for (__u64 at = 0; at < HUGE_PAGE_SIZE; at += PINNED)
		MUST(wdm_memory_add(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0,
				    memory + at));
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));
	fill_table(table_at(&fixture, 0), 1, format->table(caller(page(&fixture, 1))));
	fill_table(table_at(&fixture, 1), 32, format->table(caller(page(&fixture, 2))));
	fill_table(table_at(&fixture, 2), ENTRIES, format->leaf(memory, WDM_LEVEL_2M, WDM_RW));
	configure(&fixture, &status);
	CHECK(status == STATUS_WORKING_SET_QUOTA || status == STATUS_CONFLICTING_ADDRESSES);
	CHECK(query(fixture.fd, fixture.domain).translated_bytes > 0);
	CHECK(query(fixture.fd, fixture.domain).translated_bytes < 1ULL << 30);
}

/* Pages of the mappings below, and what each takes at least: a page table */
#define ISLAND		128
#define ISLANDS		8192
#define MOST_ISLANDS	(((1 << 20) + 4 * ISLAND * PAGE) / PAGE)

/* Each mapping that lies far from all others needs tables of the IOMMU for itself. */
static void islands(void)
{
	const struct rlimit limits = { ISLAND * PAGE, ISLAND * PAGE };
	__u32 status = STATUS_SUCCESS;
	struct fixture fixture;
	__u64 aperture, stride;
	unsigned int number;

	open_fixture(&fixture);
	REQUIRE(!setrlimit(RLIMIT_MEMLOCK, &limits));
	REQUIRE(drop_capability(CAP_IPC_LOCK));
	open_arena(&fixture, ISLAND);
	attach_os_managed(&fixture, WDM_IOMMU_DOMAIN_PAGE_GRANULAR);
	aperture = query(fixture.fd, fixture.domain).aperture_end;
	stride = 1ULL << 30;
	while (stride > HUGE_PAGE_SIZE && stride > aperture / ISLANDS)
		stride /= 2;
	for (number = 0; number < ISLANDS / 2 && !status; number++) {
		status = wdm_map(fixture.fd, fixture.domain, WDM_RW, fixture.mdl, 0, 0,
				 (4ULL << 30) + number * stride);
	}
	tap_diag("%u mappings at distances of %llu MiB: %s", number, stride >> 20,
		 wdm_status_name(status));
	CHECK_EQUAL(status, STATUS_WORKING_SET_QUOTA);
	CHECK(number > 64);
	CHECK(number < MOST_ISLANDS);
}

#define FLUSHERS	8

/**
 * struct flushers - threads that flush a gigabyte
 * @fixture: a caller-managed domain
 * @entry: the entry that translates the gigabyte
 * @flip: bits to invert, which switches @entry to another table
 * @stop: they should return
 * @flushes: number of flushes they have done
 */
struct flushers {
	struct fixture *fixture;
	__u64 *entry;
	__u64 flip;
	bool stop;
	unsigned int flushes;
};

static void *flush_gigabyte(void *argument)
{
	struct flushers *flushers = argument;

	while (!__atomic_load_n(&flushers->stop, __ATOMIC_RELAXED)) {
		__atomic_fetch_xor(flushers->entry, flushers->flip, __ATOMIC_RELAXED);
		wdm_flush(flushers->fixture->fd, flushers->fixture->domain, NULL);
		__atomic_fetch_add(&flushers->flushes, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static double flush_once(struct flushers *flushers)
{
	double start;

	*flushers->entry ^= flushers->flip;
	start = seconds_now();
	MUST(wdm_flush(flushers->fixture->fd, flushers->fixture->domain, NULL));
	return seconds_now() - start;
}

static double close_device(struct fixture *fixture)
{
	double start = seconds_now();

	take_back(fixture->device);
	return seconds_now() - start;
}

/* VFIO revokes the group while threads flush a gigabyte. */
static void group_goes_back(void)
{
	const struct wdm_table_format *format = &wdm_format_x64;
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct flushers flushers = { };
	pthread_t threads[FLUSHERS];
	struct fixture fixture;
	double flush, idle, wait;

	open_caller_managed(&fixture, 8, format);
	/* Two tables with the same leaves, of which one at a time is used */
	for (unsigned int i = 0; i < ENTRIES; i++) {
		table_at(&fixture, 4)[i] =
			format->leaf(caller(page(&fixture, i % 2)), 0, WDM_RW);
	}
	fill_table(table_at(&fixture, 2), ENTRIES, format->table(caller(page(&fixture, 4))));
	fill_table(table_at(&fixture, 3), ENTRIES, format->table(caller(page(&fixture, 4))));
	flushers.fixture = &fixture;
	flushers.entry = wdm_tables_entry(&fixture.tables, 0x40000000, WDM_LEVEL_1G, true);
	flushers.flip = format->table(caller(page(&fixture, 2))) ^
			format->table(caller(page(&fixture, 3)));
	*flushers.entry = format->table(caller(page(&fixture, 2)));
	flush_once(&flushers);
	flush = flush_once(&flushers);

	/* Measure without flushers: VFIO resets the device, too. */
	idle = close_device(&fixture);
	open_device(&fixture);
	MUST(wdm_attach(fixture.fd, fixture.domain, fixture.device->handle));

	for (unsigned int i = 0; i < FLUSHERS; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, flush_gigabyte, &flushers));
	/* The first flush has ended, so the others wait for the next one. */
	while (!__atomic_load_n(&flushers.flushes, __ATOMIC_RELAXED))
		nanosleep(&pause, NULL);
	wait = close_device(&fixture);
	__atomic_store_n(&flushers.stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < FLUSHERS; i++)
		pthread_join(threads[i], NULL);
	tap_diag("a flush takes %.3f s, to close the device %.3f s, and with %u flushes %.3f s",
		 flush, idle, FLUSHERS, wait);
	CHECK(wait < idle + flush / 2);
	CHECK(flushers.flushes);
}

static const struct test_case cases[] = {
	{ .name = "memory for tables that lead to each other", .run = aliased_tables,
	  .seconds = 180 },
	{ .name = "memory for large leaves of the same pages", .run = aliased_leaves,
	  .needs = NEEDS_DEVICE, .seconds = 300 },
	{ .name = "memory for mappings that lie far apart", .run = islands,
	  .needs = NEEDS_DEVICE, .seconds = 120 },
	{ .name = "a group goes back while others flush", .run = group_goes_back,
	  .needs = NEEDS_DEVICE, .seconds = 180 },
};

const struct suite bounds_suite = { "bounds", cases, ARRAY_SIZE(cases) };
