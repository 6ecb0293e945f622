// SPDX-License-Identifier: GPL-2.0
/*
 * W8: change entries of a caller-managed domain's tables and flush them. The other
 * contenders unmap and map each page that changes.
 */
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array_size.h"
#include "bench.h"

#define POOL_PAGES	16384
#define WORKLOAD	"W8"

/* 1 GiB of 4 KiB leaves. */
static size_t leaves(void)
{
	return options.quick ? 8192 : 262144;
}

static void must(const char *what, __u32 status)
{
	char text[160];

	if (status)
		errx(1, "wdm: %s: %s", what,
		     wdm_status_describe(status, errno, text, sizeof(text)));
}

/*
 * The page that each address maps to. It differs from one @generation to the next.
 */
static __u64 page_of(size_t leaf, unsigned int generation)
{
	return (leaf * 5 + generation * 7919) % POOL_PAGES;
}

static struct wdm_bench_page *every_leaf(void)
{
	struct wdm_bench_page *list = allocate(leaves(), sizeof(*list));

	for (size_t i = 0; i < leaves(); i++)
		list[i] = (struct wdm_bench_page) { IOVA_BASE + i * PAGE, page_of(i, 0) };
	return list;
}

/* The entries in random order: any prefix is a random set of entries to change. */
static __u32 *random_places(void)
{
	__u32 *places = allocate(leaves(), sizeof(*places));

	shuffle(places, leaves(), 0x082efa98ec4e6c89);
	return places;
}

/* The numbers of entries that change at once; the last is all of them. */
static size_t change(size_t step)
{
	static const size_t sizes[] = { 1, 64, 4096 };

	return step < ARRAY_SIZE(sizes) ? sizes[step] : leaves();
}

#define STEPS	4

static void variant_of(char *text, size_t size, size_t step)
{
	if (step < STEPS - 1)
		snprintf(text, size, "k=%zu", change(step));
	else
		snprintf(text, size, "all");
}

/* Other contenders: map all leaves, then unmap and map those that change. */
static void replace_pages(const struct job *job, struct session *session)
{
	struct wdm_bench_page *list = allocate(leaves(), sizeof(*list));
	__u32 *places = random_places();
	char variant[16];

	map_each(session, job->list, job->number);
	for (size_t step = 0; step < STEPS; step++) {
		size_t number = change(step);

		for (size_t i = 0; i < number; i++)
			list[i] = (struct wdm_bench_page) {
				IOVA_BASE + places[i] * PAGE, page_of(places[i], step + 1),
			};
		variant_of(variant, sizeof(variant), step);
		record(WORKLOAD, variant, session->contender->name, "replace", "us",
		       replace(session, list, number) / 1e3);
	}
	clear_floor(session, job->list, job->number);
	free(places);
	free(list);
}

/**
 * struct fixture - a caller-managed domain
 * @fd: /dev/wdm_iommu
 * @device: the attached device
 * @domain: handle of the domain
 * @data: memory that the leaves map
 * @memory: memory of the tables
 * @tables: the tables
 * @entries: pointer to each leaf entry
 * @places: entries to change, in order
 * @list: addresses to flush
 * @generation: generation of the entries
 */
struct fixture {
	int fd;
	struct wdm_vfio_device *device;
	__u32 domain;
	const struct memory *data;
	struct memory memory;
	struct wdm_tables tables;
	__u64 **entries;
	__u32 *places;
	__u64 *list;
	unsigned int generation;
};

static void add_memory(struct fixture *fixture, const struct memory *memory)
{
	__u32 mdl;

	must("pin", wdm_mdl_create(fixture->fd, memory->start, memory->pages * PAGE, WDM_RW, &mdl));
	must("add", wdm_memory_add(fixture->fd, fixture->domain, WDM_RW, mdl, 0, 0,
				   (uintptr_t)memory->start));
}

static __u64 leaf(const struct fixture *fixture, size_t place)
{
	__u64 page = page_of(place, fixture->generation);

	return wdm_format_x64.leaf((uintptr_t)fixture->data->start + page * PAGE, WDM_LEVEL_4K,
				   WDM_RW);
}

static void build_tables(struct fixture *fixture)
{
	wdm_tables_init(&fixture->tables, &wdm_format_x64, 48, fixture->memory.start,
			fixture->memory.pages, (uintptr_t)fixture->memory.start);
	fixture->entries = allocate(leaves(), sizeof(*fixture->entries));
	fixture->list = allocate(leaves(), sizeof(*fixture->list));
	fixture->places = random_places();
	for (size_t i = 0; i < leaves(); i++) {
		fixture->entries[i] = wdm_tables_entry(&fixture->tables, IOVA_BASE + i * PAGE,
						       WDM_LEVEL_4K, true);
		if (!fixture->entries[i])
			errx(1, "too few pages for the tables");
		*fixture->entries[i] = leaf(fixture, i);
		fixture->list[i] = IOVA_BASE + fixture->places[i] * PAGE;
	}
}

static void open_fixture(struct fixture *fixture, const struct memory *data)
{
	struct wdm_error error;

	*fixture = (struct fixture) { .data = data };
	/* Three levels above the leaf tables */
	fixture->memory = memory_small_pages(leaves() / 512 + 3);
	fixture->fd = wdm_open();
	fixture->device = wdm_vfio_open(fixture->fd, options.bdf, &error);
	if (!fixture->device)
		errx(1, "wdm: %s", error.text);
	must("create a domain", wdm_domain_create(fixture->fd, false, 0, &fixture->domain));
	must("attach", wdm_attach(fixture->fd, fixture->domain, wdm_vfio_handle(fixture->device)));
	add_memory(fixture, data);
	add_memory(fixture, &fixture->memory);
	build_tables(fixture);
}

static void close_fixture(struct fixture *fixture)
{
	close(fixture->fd);
	wdm_vfio_close(fixture->device);
	free(fixture->entries);
	free(fixture->list);
	free(fixture->places);
	memory_free(&fixture->memory);
}

static void configure(struct fixture *fixture)
{
	struct kernel_memory before = kernel_memory(), after;
	double bytes = fixture->tables.used * PAGE;
	__u64 start = now_ns();

	must("configure",
	     wdm_tables_configure(&fixture->tables, fixture->fd, fixture->domain, NULL));
	record(WORKLOAD, "all", "wdm", "configure", "us", (now_ns() - start) / 1e3);
	after = kernel_memory();
	record(WORKLOAD, "all", "wdm", "shadow memory", "times tables",
	       (after.objects - before.objects) / bytes);
}

/* Change the entries at the first @number places. */
static void edit(struct fixture *fixture, size_t number)
{
	fixture->generation++;
	for (size_t i = 0; i < number; i++)
		*fixture->entries[fixture->places[i]] = leaf(fixture, fixture->places[i]);
}

static double flush_list(struct fixture *fixture, size_t number)
{
	struct wdm_iommu_info info;
	__u64 start;

	must("ask", wdm_info(fixture->fd, &info));
	start = now_ns();
	for (size_t i = 0; i < number; i += info.max_va_list) {
		size_t some = number - i < info.max_va_list ? number - i : info.max_va_list;

		must("flush by list", wdm_flush_va_list(fixture->fd, fixture->domain, true,
							fixture->list + i, some, NULL));
	}
	return (now_ns() - start) / 1e3;
}

static double flush_all(struct fixture *fixture)
{
	__u64 start = now_ns();

	must("flush", wdm_flush(fixture->fd, fixture->domain, NULL));
	return (now_ns() - start) / 1e3;
}

static void flush_changes(const struct memory *data)
{
	struct fixture fixture;
	char variant[16];

	open_fixture(&fixture, data);
	configure(&fixture);
	record(WORKLOAD, "none", "wdm", "full", "us", flush_all(&fixture));
	for (size_t step = 0; step < STEPS; step++) {
		size_t number = change(step);

		variant_of(variant, sizeof(variant), step);
		edit(&fixture, number);
		record(WORKLOAD, variant, "wdm", "list", "us", flush_list(&fixture, number));
		edit(&fixture, number);
		record(WORKLOAD, variant, "wdm", "full", "us", flush_all(&fixture));
	}
	close_fixture(&fixture);
}

/* The minimum for a full flush: compare all tables with a copy. */
static void compare_tables(void)
{
	struct memory first = memory_small_pages(leaves() / 512 + 3);
	struct memory second = memory_small_pages(leaves() / 512 + 3);
	size_t size = first.pages * PAGE;

	for (unsigned int i = 0; i < options.rounds; i++) {
		__u64 start = now_ns();
		int result = memcmp(first.start, second.start, size);
		__u64 ns = now_ns() - start;

		record(WORKLOAD, "none", "floor", "memcmp user", "us", ns / 1e3);
		if (result)
			errx(1, "equal memory differs");
		if (!floor_sync.missing())
			record(WORKLOAD, "none", "floor", "memcmp kernel", "us",
			       floor_compare(&first, &second) / 1e3);
	}
	memory_free(&first);
	memory_free(&second);
}

void w8_caller_managed(void)
{
	struct memory pool = memory_small_pages(POOL_PAGES);
	struct wdm_bench_page *list = every_leaf();
	struct job job = {
		.workload = WORKLOAD,
		.contenders = TYPE1 | IOMMUFD | COPY | FLOOR,
		.heat = PINNED,
		.memory = &pool,
		.body = replace_pages,
		.list = list,
		.number = leaves(),
	};
	bool ours = takes_part(&wdm, WORKLOAD);

	for (unsigned int i = 0; i < options.rounds; i++) {
		run_job(&job, 1);
		if (ours)
			flush_changes(&pool);
	}
	compare_tables();
	free(list);
	memory_free(&pool);
}
