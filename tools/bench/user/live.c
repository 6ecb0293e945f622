// SPDX-License-Identifier: GPL-2.0
/*
 * W7 and W9: domains with many live mappings of single pages. W7 measures another map
 * and unmap, and the memory that each mapping takes; W9 the time to attach a device
 * and to close the domain.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define POOL_PAGES	16384
#define PAIRS		1000

/*
 * Map every other page of the domain. Repeat the pages of the pool in an order in
 * which no two neighbours are contiguous.
 */
static struct wdm_bench_page *live_list(size_t number)
{
	struct wdm_bench_page *list = allocate(number, sizeof(*list));
	__u32 *order = allocate(POOL_PAGES, sizeof(*order));

	shuffle(order, POOL_PAGES, 0x13198a2e03707344);
	for (size_t i = 0; i < number; i++)
		list[i] = (struct wdm_bench_page) {
			IOVA_BASE + 2 * i * PAGE, order[i % POOL_PAGES],
		};
	free(order);
	return list;
}

/* Pick holes among the first @number live mappings, in random order. */
static struct wdm_bench_page *hole_list(size_t number)
{
	struct wdm_bench_page *list = allocate(PAIRS, sizeof(*list));
	__u32 *order = allocate(PAIRS, sizeof(*order));

	shuffle(order, PAIRS, 0xa4093822299f31d0);
	for (size_t i = 0; i < PAIRS; i++)
		list[i] = (struct wdm_bench_page) {
			IOVA_BASE + (2 * (order[i] * number / PAIRS) + 1) * PAGE,
			i * 13 % POOL_PAGES,
		};
	free(order);
	return list;
}

static void figure(char *text, size_t size, const char *what, size_t number)
{
	snprintf(text, size, "%s at %zu", what, number);
}

static void report_memory(const struct job *job, const struct session *session,
			  const struct kernel_memory *before, size_t number)
{
	struct kernel_memory after = kernel_memory();
	char text[32];

	figure(text, sizeof(text), "memory", number);
	report(job, session, text, "bytes/mapping", (after.objects - before->objects) / number);
	figure(text, sizeof(text), "tables", number);
	report(job, session, text, "bytes/mapping", (after.tables - before->tables) / number);
}

/* Fill a session step by step, and measure at each size. */
static void fill_and_measure(const struct job *job, struct session *session)
{
	struct kernel_memory before = kernel_memory();
	size_t mapped = 0;
	char text[32];

	for (size_t number = 1000; number <= job->number; number *= 10) {
		struct wdm_bench_page *holes = hole_list(number);

		map_each(session, job->list + mapped, number - mapped);
		mapped = number;
		report_memory(job, session, &before, number);
		figure(text, sizeof(text), "pair", number);
		for (unsigned int i = 0; i < options.rounds; i++)
			report(job, session, text, "ns/pair",
			       (double)map_unmap(session, holes, PAIRS) / PAIRS);
		free(holes);
	}
	clear_floor(session, job->list, job->number);
}

void w7_live_mappings(void)
{
	size_t number = options.quick ? 10000 : 1000000;
	struct memory memory = memory_small_pages(POOL_PAGES);
	struct wdm_bench_page *list = live_list(number);
	struct job job = {
		.workload = "W7",
		.variant = "4k",
		.contenders = TYPE1 | IOMMUFD | COPY | WDM | FLOOR,
		.heat = PINNED,
		.memory = &memory,
		.body = fill_and_measure,
		.list = list,
		.number = number,
	};

	run_job(&job, 1);
	free(list);
	memory_free(&memory);
}

static void attach_and_close(const struct job *job, struct session *session)
{
	const struct contender *contender = session->contender;
	__u64 start;

	if (contender->bit & FLOOR) {
		/* Its attach creates the domain, so that filling it is the same work */
		start = now_ns();
		session_attach(session);
		start = now_ns() - start;
		report(job, session, "attach", "ns/mapping",
		       (double)(start + map_each(session, job->list, job->number)) / job->number);
	} else {
		map_each(session, job->list, job->number);
		if (contender->attach) {
			start = now_ns();
			session_attach(session);
			report(job, session, "attach", "ns/mapping",
			       (double)(now_ns() - start) / job->number);
		}
	}
	report(job, session, "close", "ns/mapping",
	       (double)contender->teardown(session, job->list, job->number) / job->number);
}

void w9_attach_and_close(void)
{
	size_t number = options.quick ? 1000 : 100000;
	struct memory memory = memory_small_pages(POOL_PAGES);
	struct wdm_bench_page *list = live_list(number);
	struct job job = {
		.workload = "W9",
		.variant = "4k",
		.contenders = TYPE1 | IOMMUFD | COPY | WDM | FLOOR,
		.heat = PINNED,
		.memory = &memory,
		.unattached = true,
		.body = attach_and_close,
		.list = list,
		.number = number,
	};

	printf("# skipped: W9 type1 attach: a container has no mappings before its first group\n");
	run_job(&job, options.rounds);
	free(list);
	memory_free(&memory);
}
