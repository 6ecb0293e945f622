// SPDX-License-Identifier: GPL-2.0
/*
 * Malicious page tables and batches: calls end in bounded time with a status, and can be killed,
 * and afterwards translations still match the tables, or the reported mappings.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "suites.h"
#include "fixture.h"

#define PAGE	WDM_PAGE_SIZE
#define ENTRIES	512

/* Time limit of a call, even on a slow emulator with sanitizers */
#define LIMIT_SECONDS	60

/* Time limit for a killed process to exit */
#define KILL_SECONDS	20

static __u64 *table_at(const struct fixture *fixture, size_t number)
{
	return (__u64 *)page(fixture, number);
}

/* Make the first entries of a table lead to the same target, and clear the others. */
static void fill_table(__u64 *table, unsigned int number, __u64 entry)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		table[i] = i < number ? entry : 0;
}

/* HOME_ADDRESS is translated, and the tables are no larger than at the start. */
static void check_recovered(struct fixture *fixture)
{
	start_tables(fixture, fixture->tables.format, 48);
	MUST(wdm_tables_configure(&fixture->tables, fixture->fd, fixture->domain, NULL));
	CHECK_EQUAL(query(fixture->fd, fixture->domain).translated_bytes, PAGE);
	CHECK_EQUAL(query(fixture->fd, fixture->domain).invalid_entries, 0);
	EXPECT_DMA(DMA_ARRIVED, write_to(fixture, HOME_ADDRESS, page(fixture, 0)));
	EXPECT_DMA(DMA_BLOCKED, write_to(fixture, ADDRESS, page(fixture, 1)));
}

/*
 * Make tables of four levels that translate to page 1: all entries of a table lead to the only
 * table of the next level; the last table has some leaves. They are pages 2 to 5 of the arena.
 */
static void make_fan(struct fixture *fixture, unsigned int leaves)
{
	const struct wdm_table_format *format = fixture->tables.format;

	for (unsigned int number = 2; number < 5; number++) {
		fill_table(table_at(fixture, number), ENTRIES,
			   format->table(caller(page(fixture, number + 1))));
	}
	fill_table(table_at(fixture, 5), leaves, format->leaf(caller(page(fixture, 1)), 0, WDM_RW));
}

/* Configure with the root at page 2, and check the time. */
static __u32 configure_fan(struct fixture *fixture, struct wdm_iommu_walk_error *walk_error)
{
	struct wdm_tables tables = fixture->tables;
	time_t start = time(NULL);
	__u32 status;

	tables.caller_address = caller(page(fixture, 2));
	status = wdm_tables_configure(&tables, fixture->fd, fixture->domain, walk_error);
	CHECK(time(NULL) - start < LIMIT_SECONDS);
	tap_diag("%s after %ld s, %llu tables", wdm_status_name(status),
		 (long)(time(NULL) - start), query(fixture->fd, fixture->domain).shadow_tables);
	return status;
}

/*
 * Without CAP_IPC_LOCK, a file may use 1 MiB plus four bytes for each byte that it has
 * pinned; a table takes at least two pages.
 */
static void check_bounds(struct fixture *fixture)
{
	struct wdm_iommu_query_domain state = query(fixture->fd, fixture->domain);
	__u64 pinned = fixture->pages * PAGE;

	CHECK(state.shadow_tables <= ((1 << 20) + 4 * pinned) / (2 * PAGE));
}

/* Open with the limits that do not apply to root. */
static void open_bounded(struct fixture *fixture, size_t pages,
			 const struct wdm_table_format *format)
{
	REQUIRE(drop_capability(CAP_IPC_LOCK));
	open_caller_managed(fixture, pages, format);
}

/* Every entry leads to the same table. */
static void fan(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;

	open_bounded(&fixture, 6, parameter());
	make_fan(&fixture, 8);
	/* Some entries are refused: too many tables, or beyond the IOMMU's limit. */
	CHECK(configure_fan(&fixture, &walk_error));
	CHECK(walk_error.count > 0);
	check_bounds(&fixture);
	check_recovered(&fixture);
}

/* A root that is its own table on every level */
static void self(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;
	__u64 *root;

	open_bounded(&fixture, 6, parameter());
	root = table_at(&fixture, 2);
	/* More than 16 entries would add nothing new, but millions of leaves. */
	fill_table(root, 16, fixture.tables.format->table(caller(root)));
	configure_fan(&fixture, &walk_error);
	check_bounds(&fixture);

	/* An entry that leads back, and one that leads to the good tables */
	fill_table(root, 0, 0);
	root[1] = fixture.tables.format->table(caller(root));
	root[0] = fixture.tables.memory[0];
	configure_fan(&fixture, &walk_error);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	check_bounds(&fixture);
	check_recovered(&fixture);
}

/* The call ends with its process, and another one can use the file. */
static void killed(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;
	time_t start;
	pid_t child;
	int status;

	/* Enough pages for a long walk */
	open_bounded(&fixture, 1000, parameter());
	make_fan(&fixture, ENTRIES);
	child = fork();
	if (!child) {
		for (;;)
			configure_fan(&fixture, &walk_error);
	}
	wait_until_busy(child, 200);
	start = time(NULL);
	kill(child, SIGKILL);
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(time(NULL) - start < KILL_SECONDS);
	check_bounds(&fixture);
	check_recovered(&fixture);
}

/* A gigabyte of 4 KiB leaves in three tables */
static void gigabyte(void)
{
	const struct wdm_table_format *format = &wdm_format_x64;
	struct fixture fixture;
	__u64 *upper;

	open_caller_managed(&fixture, 6, format);
	fill_table(table_at(&fixture, 5), ENTRIES,
		   format->leaf(caller(page(&fixture, 1)), 0, WDM_RW));
	fill_table(table_at(&fixture, 4), ENTRIES, format->table(caller(page(&fixture, 5))));
	/* The second gigabyte, which contains no reserved region */
	upper = wdm_tables_entry(&fixture.tables, 0x40000000, WDM_LEVEL_1G, true);
	*upper = format->table(caller(page(&fixture, 4)));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	CHECK_EQUAL(query(fixture.fd, fixture.domain).translated_bytes, (1ULL << 30) + PAGE);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, 0x40000000, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, 0x7ffff000, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, 0x5a5a5000, page(&fixture, 1)));
	/* Changing one page changes 512 translations. */
	table_at(&fixture, 5)[7] = format->leaf(caller(page(&fixture, 2)), 0, WDM_RW);
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, 0x40007000, page(&fixture, 2)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, 0x7fe07000, page(&fixture, 2)));
	*upper = 0;
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, 0x40000000, page(&fixture, 1)));
	check_recovered(&fixture);
}

/* Two bad entries among good ones */
static void some_bad(void)
{
	const struct wdm_table_format *format = parameter();
	const __u64 outside = ADDRESS + PAGE, table = 0xc000000, good = ADDRESS + 2 * PAGE;
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;
	__u64 *leaf, *upper;

	open_caller_managed(&fixture, 4, format);
	REQUIRE(wdm_tables_map(&fixture.tables, good, caller(page(&fixture, 1)), WDM_LEVEL_4K,
			       WDM_RW));
	leaf = wdm_tables_entry(&fixture.tables, outside, WDM_LEVEL_4K, true);
	*leaf = format->leaf(0x123456789000, WDM_LEVEL_4K, WDM_RW);
	upper = wdm_tables_entry(&fixture.tables, table, WDM_LEVEL_2M, true);
	*upper = format->table(0xfffffffff000);
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 2);
	CHECK_EQUAL(walk_error.level, WDM_LEVEL_4K);
	CHECK_EQUAL(walk_error.logical_address, outside);
	CHECK_EQUAL(walk_error.entry, *leaf);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).invalid_entries, 2);
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, outside, page(&fixture, 1)));
	EXPECT_DMA(DMA_BLOCKED, write_to(&fixture, table, page(&fixture, 1)));
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, good, page(&fixture, 1)));

	*leaf = 0;
	EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 1);
	CHECK_EQUAL(walk_error.level, WDM_LEVEL_2M);
	CHECK_EQUAL(walk_error.logical_address, table);
	CHECK_EQUAL(walk_error.entry, *upper);
	*upper = 0;
	EXPECT(STATUS_SUCCESS, wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 0);
	CHECK_EQUAL(query(fixture.fd, fixture.domain).invalid_entries, 0);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, good, page(&fixture, 1)));
}

/* Leaves at the limits of what can be encoded */
static void far_targets(void)
{
	const struct wdm_table_format *format = parameter();
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;

	open_caller_managed(&fixture, 2, format);
	for (unsigned int level = 0; level < 3; level++) {
		__u64 size = PAGE << 9 * level;
		__u64 *entry = wdm_tables_entry(&fixture.tables, 0x40000000, level, true);

		*entry = format->leaf(format->target & -size, level, WDM_RW);
		EXPECT(STATUS_ACCESS_VIOLATION, wdm_flush(fixture.fd, fixture.domain, &walk_error));
		CHECK_EQUAL(walk_error.count, 1);
		CHECK_EQUAL(walk_error.level, level);
		*entry = 0;
		MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
		start_tables(&fixture, format, 48);
		MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	}
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

/* Translations that a device must not have, or cannot have */
static void far_addresses(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;
	__u64 beyond;

	open_caller_managed(&fixture, 4, parameter());
	beyond = query(fixture.fd, fixture.domain).aperture_end + 1;
	if (!beyond || beyond >= 1ULL << 47)
		skip("the IOMMU translates all that the tables do");
	REQUIRE(wdm_tables_map(&fixture.tables, beyond, caller(page(&fixture, 1)), WDM_LEVEL_4K,
			       WDM_RW));
	EXPECT(STATUS_CONFLICTING_ADDRESSES, wdm_flush(fixture.fd, fixture.domain, &walk_error));
	CHECK_EQUAL(walk_error.count, 1);
	CHECK_EQUAL(walk_error.logical_address, beyond);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

static __u64 random_entry(const struct fixture *fixture)
{
	__u64 target = caller(page(fixture, random_number(fixture->pages)));
	const struct wdm_table_format *format = fixture->tables.format;

	switch (random_number(8)) {
	case 0:
		return random_number(~0ULL);
	case 1:
		return 0;
	case 2:
		return format->leaf(target, random_number(3), 1 + random_number(3));
	case 3:
		return format->leaf(target, 0, 1 + random_number(3)) ^
		       1ULL << random_number(64);
	default:
		return format->table(target);
	}
}

/* Fill a page with random entries, but the lower half of the top table sparsely. */
static void fill_random(struct fixture *fixture, size_t number)
{
	__u64 *table = table_at(fixture, number);

	for (unsigned int i = 0; i < ENTRIES; i++)
		table[i] = random_number(32) ? 0 : random_entry(fixture);
}

/* Random tables: any status is allowed, and devices reach only the arena. */
static void noise(void)
{
	struct wdm_iommu_walk_error walk_error;
	struct fixture fixture;

	open_bounded(&fixture, 6, parameter());
	for (unsigned int round = 0; round < 20; round++) {
		for (size_t i = 2; i < 6; i++)
			fill_random(&fixture, i);
		if (round % 2)
			configure_fan(&fixture, &walk_error);
		else
			wdm_flush(fixture.fd, fixture.domain, &walk_error);
		check_bounds(&fixture);
	}
	check_recovered(&fixture);
}

struct scribbler {
	struct fixture *fixture;
	bool stop;
	unsigned long writes;
};

#define LEAVES	64

static void *scribble(void *argument)
{
	struct scribbler *scribbler = argument;
	struct fixture *fixture = scribbler->fixture;
	const struct wdm_table_format *format = fixture->tables.format;
	__u64 *upper = wdm_tables_entry(&fixture->tables, ADDRESS, WDM_LEVEL_2M, false);
	__u64 *leaves = wdm_tables_entry(&fixture->tables, ADDRESS, WDM_LEVEL_4K, false);
	const __u64 good = *upper;

	while (!__atomic_load_n(&scribbler->stop, __ATOMIC_RELAXED)) {
		__u64 target = caller(page(fixture, 1 + scribbler->writes % 8));
		__u64 entry = scribbler->writes % 5 ? format->leaf(target, 0, WDM_RW) : 0;

		__atomic_store_n(&leaves[(scribbler->writes * 7) % LEAVES], entry,
				 __ATOMIC_RELAXED);
		if (scribbler->writes % 64 == 0) {
			__atomic_store_n(upper, format->table(target), __ATOMIC_RELAXED);
			__atomic_store_n(upper, 0, __ATOMIC_RELAXED);
			__atomic_store_n(upper, good, __ATOMIC_RELAXED);
		}
		scribbler->writes++;
	}
	return NULL;
}

/* After the last flush, translations match the tables, entry by entry. */
static void check_leaves(struct fixture *fixture)
{
	for (unsigned int i = 0; i < LEAVES; i++) {
		__u64 address = ADDRESS + i * PAGE;
		__u64 entry = *wdm_tables_entry(&fixture->tables, address, WDM_LEVEL_4K, false);
		struct wdm_iommu_mapping mapping;
		bool found = find_mapping(fixture->fd, fixture->domain, WDM_IOMMU_QUERY_LOGICAL,
					  address, &mapping);

		if (CHECK(found == !!entry) && found)
			CHECK_EQUAL(mapping.offset, (entry & fixture->tables.format->target) -
						    caller(fixture->arena));
		if (i % 16)
			continue;
		EXPECT_DMA(found ? DMA_ARRIVED : DMA_BLOCKED,
			   write_to(fixture, address,
				    found ? fixture->arena + mapping.offset : page(fixture, 1)));
	}
}

/* Tables that another thread changes during walks */
static void changing(void)
{
	struct fixture fixture;
	struct scribbler scribbler = { .fixture = &fixture };
	unsigned int flushes = 0;
	pthread_t thread;
	time_t end;

	open_caller_managed(&fixture, 9, parameter());
	for (unsigned int i = 1; i < 9; i++)
		memset(page(&fixture, i), 0, PAGE);
	REQUIRE(wdm_tables_entry(&fixture.tables, ADDRESS, WDM_LEVEL_4K, true));
	REQUIRE(!pthread_create(&thread, NULL, scribble, &scribbler));
	end = time(NULL) + 3;
	while (time(NULL) < end) {
		__u64 list[] = { ADDRESS + random_number(LEAVES) * PAGE, ADDRESS };
		struct wdm_iommu_walk_error walk_error;

		if (flushes++ % 2)
			wdm_flush(fixture.fd, fixture.domain, &walk_error);
		else
			wdm_flush_va_list(fixture.fd, fixture.domain, random_number(2), list, 2,
					  &walk_error);
	}
	__atomic_store_n(&scribbler.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK(flushes > 10 && scribbler.writes > 1000);
	EXPECT(STATUS_SUCCESS, wdm_flush(fixture.fd, fixture.domain, NULL));
	check_leaves(&fixture);
	EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
}

#define WINDOW_PAGES	128
#define NOISE_OPS	256

static __u64 noise_length(void)
{
	switch (random_number(8)) {
	case 0:
		return 0;
	case 1:
		return random_number(~0ULL);
	case 2:
		return -PAGE * random_number(1000);
	default:
		return PAGE * (1 + random_number(4));
	}
}

/* Make an operation that is likely to be valid. */
static struct wdm_iommu_batch_op noise_op(const struct fixture *fixture)
{
	struct wdm_iommu_batch_op op = {
		.op = random_number(2),
		.length = noise_length(),
		.logical_address = ADDRESS + PAGE * random_number(WINDOW_PAGES),
	};

	if (op.op == WDM_IOMMU_BATCH_MAP) {
		op.permissions = 1 + random_number(3);
		op.mdl = fixture->mdl;
		op.offset = PAGE * random_number(fixture->pages);
	}
	if (random_number(8))
		return op;
	switch (random_number(5)) {
	case 0:
		op.op = random_number(~0U);
		break;
	case 1:
		op.permissions = random_number(~0U);
		break;
	case 2:
		op.mdl = random_number(6);
		break;
	case 3:
		op.offset = random_number(~0ULL);
		break;
	default:
		/* Up to the limit of devices */
		op.logical_address = random_number(1ULL << 47);
	}
	return op;
}

struct noise {
	struct fixture *fixture;
	struct wdm_iommu_batch_op *ops;
	bool stop;
};

/* Overwrite operations with others, one word at a time. */
static void *make_noise(void *argument)
{
	struct noise *noise = argument;
	const size_t words_each = sizeof(*noise->ops) / sizeof(__u64);
	__u64 *words = (__u64 *)noise->ops;

	while (!__atomic_load_n(&noise->stop, __ATOMIC_RELAXED)) {
		struct wdm_iommu_batch_op op = noise_op(noise->fixture);
		size_t at = random_number(NOISE_OPS), word = random_number(words_each);

		__atomic_store_n(&words[at * words_each + word], ((const __u64 *)&op)[word],
				 __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Devices reach what the domain reports as mapped, and nothing else. */
static void check_said(struct fixture *fixture)
{
	struct wdm_iommu_mapping mapping;

	for (unsigned int i = 0; i < 12; i++) {
		__u64 address = ADDRESS + PAGE * random_number(WINDOW_PAGES);
		bool arrives = find_mapping(fixture->fd, fixture->domain, WDM_IOMMU_QUERY_LOGICAL,
					    address, &mapping) &&
			       mapping.permissions & WDM_IOMMU_WRITE;

		EXPECT_DMA(arrives ? DMA_ARRIVED : DMA_BLOCKED,
			   write_to(fixture, address,
				    arrives ? fixture->arena + mapping.offset : fixture->arena));
	}
}

/* Everything that is mapped is reported. */
static void unmap_said(struct fixture *fixture)
{
	struct wdm_iommu_mapping mapping;
	__u64 start = 0;

	while (start != ~0ULL) {
		__u32 number = 1;

		MUST(wdm_query_mappings(fixture->fd, fixture->domain, WDM_IOMMU_QUERY_LOGICAL,
					&start,
					&mapping, &number));
		if (number)
			MUST(wdm_unmap(fixture->fd, fixture->domain, mapping.address,
				       mapping.length));
	}
	CHECK_EQUAL(query(fixture->fd, fixture->domain).mapped_pages, 0);
	MUST(wdm_destroy(fixture->fd, fixture->mdl));
}

/* Do the whole array, continuing after each failure; returns the number of successes. */
static unsigned long do_noise(const struct noise *noise)
{
	unsigned long operations = 0;
	__u32 first, done, status;

	for (first = 0; first < NOISE_OPS; first += done + 1) {
		errno = 0;
		status = wdm_batch(noise->fixture->fd, noise->fixture->domain, noise->ops + first,
				   NOISE_OPS - first, &done);
		if (!status)
			CHECK_EQUAL(done, NOISE_OPS - first);
		else if (!CHECK(wdm_status_errno(status) == errno && errno != EPROTO) ||
			 !CHECK(done < NOISE_OPS - first))
			break;
		operations += done;
	}
	return operations;
}

/* Batches of random operations that change during the call: any status is allowed. */
static void batch_noise(void)
{
	struct fixture fixture;
	struct noise noise = { .fixture = &fixture };
	unsigned long operations = 0;
	pthread_t thread;
	time_t end;

	open_os_managed(&fixture, 8, 0);
	noise.ops = calloc(NOISE_OPS, sizeof(*noise.ops));
	REQUIRE(noise.ops);
	REQUIRE(!pthread_create(&thread, NULL, make_noise, &noise));
	for (end = time(NULL) + 3; time(NULL) < end || operations < 500;)
		operations += do_noise(&noise);
	__atomic_store_n(&noise.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	tap_diag("%lu operations", operations);
	check_said(&fixture);
	unmap_said(&fixture);
}

static const struct test_case cases[] = {
	{ .name = "some bad entries", .run = some_bad, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "targets far away", .run = far_targets, .needs = NEEDS_DEVICE,
	  .formats = true },
	{ .name = "addresses far away", .run = far_addresses, .needs = NEEDS_DEVICE,
	  .formats = true },
	{ .name = "a gigabyte of 4 KiB leaves", .run = gigabyte, .needs = NEEDS_DEVICE,
	  .seconds = 120 },
	{ .name = "all entries lead to one table", .run = fan, .needs = NEEDS_DEVICE,
	  .formats = true, .seconds = 120 },
	{ .name = "tables that lead to themselves", .run = self, .needs = NEEDS_DEVICE,
	  .formats = true, .seconds = 120 },
	{ .name = "a walk that is killed", .run = killed, .needs = NEEDS_DEVICE,
	  .formats = true },
	{ .name = "noise", .run = noise, .needs = NEEDS_DEVICE, .formats = true },
	{ .name = "tables that change during flushes", .run = changing, .needs = NEEDS_DEVICE,
	  .formats = true },
	{ .name = "noise in batches", .run = batch_noise, .needs = NEEDS_DEVICE },
};

const struct suite hostile_suite = { "hostile", cases, ARRAY_SIZE(cases) };
