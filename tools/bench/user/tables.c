// SPDX-License-Identifier: GPL-2.0
/*
 * W8: a caller-managed domain whose tables change in some places and are flushed,
 * against rivals that unmap and map each page that changes.
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
 * Which page each address leads to, before and after changes. Page @generation of
 * an address is another than the one before.
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

/* Places to change, in an order of their own: a prefix of it is a random set. */
static __u32 *random_places(void)
{
	__u32 *places = allocate(leaves(), sizeof(*places));

	shuffle(places, leaves(), 0x082efa98ec4e6c89);
	return places;
}

/* How many entries change at once; all of them in the end. */
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

/* Rivals: all leaves mapped, then unmaps and maps at the places that change. */
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
 * struct world - a caller-managed domain
 * @fd: /dev/wdm_iommu
 * @device: what is attached to it
 * @domain: its handle
 * @data: what the leaves lead to
 * @memory: where the tables are
 * @tables: the tables
 * @entries: the entry of each leaf
 * @places: where changes are made
 * @list: addresses to flush
 * @generation: of the entries
 */
struct world {
	int fd;
	struct wdm_vfio_device device;
	__u32 domain;
	const struct memory *data;
	struct memory memory;
	struct wdm_tables tables;
	__u64 **entries;
	__u32 *places;
	__u64 *list;
	unsigned int generation;
};

static void add_memory(struct world *world, const struct memory *memory)
{
	__u32 mdl;

	must("pin", wdm_mdl_create(world->fd, memory->start, memory->pages * PAGE, WDM_RW, &mdl));
	must("add", wdm_memory_add(world->fd, world->domain, WDM_RW, mdl, 0, 0,
				   (uintptr_t)memory->start));
}

static __u64 leaf(const struct world *world, size_t place)
{
	__u64 page = page_of(place, world->generation);

	return wdm_format_x64.leaf((uintptr_t)world->data->start + page * PAGE, WDM_LEVEL_4K,
				   WDM_RW);
}

static void build_tables(struct world *world)
{
	wdm_tables_init(&world->tables, &wdm_format_x64, 48, world->memory.start,
			world->memory.pages, (uintptr_t)world->memory.start);
	world->entries = allocate(leaves(), sizeof(*world->entries));
	world->list = allocate(leaves(), sizeof(*world->list));
	world->places = random_places();
	for (size_t i = 0; i < leaves(); i++) {
		world->entries[i] = wdm_tables_entry(&world->tables, IOVA_BASE + i * PAGE,
						     WDM_LEVEL_4K, true);
		if (!world->entries[i])
			errx(1, "too few pages for the tables");
		*world->entries[i] = leaf(world, i);
		world->list[i] = IOVA_BASE + world->places[i] * PAGE;
	}
}

static void open_world(struct world *world, const struct memory *data)
{
	struct wdm_error error;

	*world = (struct world) { .data = data };
	/* Three levels above the tables of leaves */
	world->memory = memory_small_pages(leaves() / 512 + 3);
	world->fd = wdm_open();
	if (!wdm_vfio_open(&world->device, world->fd, options.bdf, &error))
		errx(1, "wdm: cannot %s: %s", error.step, strerror(error.error));
	must("create a domain", wdm_domain_create(world->fd, false, 0, &world->domain));
	must("attach", wdm_attach(world->fd, world->domain, world->device.handle));
	add_memory(world, data);
	add_memory(world, &world->memory);
	build_tables(world);
}

static void close_world(struct world *world)
{
	close(world->fd);
	wdm_vfio_close(&world->device);
	free(world->entries);
	free(world->list);
	free(world->places);
	memory_free(&world->memory);
}

static void configure(struct world *world)
{
	struct kernel_memory before = kernel_memory(), after;
	double bytes = world->tables.used * PAGE;
	__u64 start = now_ns();

	must("configure",
	     wdm_tables_configure(&world->tables, world->fd, world->domain, NULL));
	record(WORKLOAD, "all", "wdm", "configure", "us", (now_ns() - start) / 1e3);
	after = kernel_memory();
	record(WORKLOAD, "all", "wdm", "shadow memory", "times tables",
	       (after.objects - before.objects) / bytes);
}

/* Change the first @number of the places. */
static void edit(struct world *world, size_t number)
{
	world->generation++;
	for (size_t i = 0; i < number; i++)
		*world->entries[world->places[i]] = leaf(world, world->places[i]);
}

static double flush_list(struct world *world, size_t number)
{
	struct wdm_iommu_info info;
	__u64 start;

	must("ask", wdm_info(world->fd, &info));
	start = now_ns();
	for (size_t i = 0; i < number; i += info.max_va_list) {
		size_t some = number - i < info.max_va_list ? number - i : info.max_va_list;

		must("flush by list", wdm_flush_va_list(world->fd, world->domain, true,
							world->list + i, some, NULL));
	}
	return (now_ns() - start) / 1e3;
}

static double flush_all(struct world *world)
{
	__u64 start = now_ns();

	must("flush", wdm_flush(world->fd, world->domain, NULL));
	return (now_ns() - start) / 1e3;
}

static void flush_changes(const struct memory *data)
{
	struct world world;
	char variant[16];

	open_world(&world, data);
	configure(&world);
	record(WORKLOAD, "none", "wdm", "full", "us", flush_all(&world));
	for (size_t step = 0; step < STEPS; step++) {
		size_t number = change(step);

		variant_of(variant, sizeof(variant), step);
		edit(&world, number);
		record(WORKLOAD, variant, "wdm", "list", "us", flush_list(&world, number));
		edit(&world, number);
		record(WORKLOAD, variant, "wdm", "full", "us", flush_all(&world));
	}
	close_world(&world);
}

/* The least that a full flush can do: compare all tables with what they were. */
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
