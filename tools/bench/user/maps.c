// SPDX-License-Identifier: GPL-2.0
/*
 * W1 to W5: maps and unmaps, of single pages and of whole buffers.
 */
#include <stdlib.h>

#include "bench.h"

static size_t pages_of_list(void)
{
	return options.quick ? 256 : 4096;
}

/* Use every other page of the domain, so that mappings never merge. */
static struct wdm_bench_page *sparse_list(size_t number)
{
	struct wdm_bench_page *list = allocate(number, sizeof(*list));

	for (size_t i = 0; i < number; i++)
		list[i] = (struct wdm_bench_page) { IOVA_BASE + 2 * i * PAGE, i };
	return list;
}

static void each_page(const struct job *job, struct session *session)
{
	double map = map_each(session, job->list, job->number);
	double unmap = unmap_each(session, job->list, job->number);

	report(job, session, "map", "ns/page", map / job->number);
	report(job, session, "unmap", "ns/page", unmap / job->number);
	report(job, session, "sum", "ns/page", (map + unmap) / job->number);
	if (session->contender->empty_call)
		report(job, session, "empty call", "ns/call",
		       (double)session->contender->empty_call(session, job->number) /
		       job->number);
}

static void page_by_page(const char *workload, enum heat heat, unsigned int contenders)
{
	size_t number = pages_of_list();
	struct memory memory = memory_small_pages(number);
	struct wdm_bench_page *list = sparse_list(number);
	struct job job = {
		.workload = workload,
		.variant = "4k",
		.contenders = contenders,
		.heat = heat,
		.memory = &memory,
		.body = each_page,
		.list = list,
		.number = number,
	};

	run_job(&job, options.rounds);
	free(list);
	memory_free(&memory);
}

void w1_cold_pages(void)
{
	page_by_page("W1", COLD, TYPE1 | IOMMUFD | WDM | FLOOR);
}

void w2_pinned_pages(void)
{
	page_by_page("W2", PINNED, TYPE1 | IOMMUFD | COPY | WDM | FLOOR | FLOOR_GATHER);
}

/* The other contenders have no batches: compare with W2. */
void w3_batches(void)
{
	page_by_page("W3", PINNED, WDM_BATCH | FLOOR_GATHER);
}

/* Contenders that pin in every map repeat less often; the cost of a page is constant. */
static size_t times(const struct job *job, const struct session *session)
{
	bool pins = session->contender->bit & (TYPE1 | IOMMUFD);

	return pins && job->number > 10 ? job->number / 10 : job->number;
}

static void whole_buffer(const struct job *job, struct session *session)
{
	size_t number = times(job, session);
	double pages = job->memory->pages * number;
	double map = 0, unmap = 0;

	for (size_t i = 0; i < number; i++) {
		map += map_whole(session, IOVA_BASE);
		unmap += unmap_whole(session, IOVA_BASE);
	}
	report(job, session, "map", "ns/page", map / pages);
	report(job, session, "unmap", "ns/page", unmap / pages);
}

static void buffer(const char *workload, enum heat heat, size_t pages, size_t number)
{
	struct memory memory = memory_small_pages(pages);
	struct job job = {
		.workload = workload,
		.variant = "4k",
		.contenders = TYPE1 | IOMMUFD | COPY | WDM | FLOOR | FLOOR_RUNS,
		.heat = heat,
		.memory = &memory,
		.body = whole_buffer,
		.number = number,
	};

	run_job(&job, options.rounds);
	memory_free(&memory);

	memory = memory_huge_pages(pages);
	job.variant = "thp";
	run_job(&job, options.rounds);
	memory_free(&memory);
}

void w4_cold_buffer(void)
{
	buffer("W4", COLD, options.quick ? 1024 : 65536, 1);
}

void w5_pinned_buffer(void)
{
	buffer("W5", PINNED, options.quick ? 1024 : 16384, options.quick ? 2 : 100);
}
