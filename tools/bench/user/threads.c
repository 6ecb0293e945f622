// SPDX-License-Identifier: GPL-2.0
/*
 * W6: one thread, then two, map and unmap single pages of one domain, each thread in
 * its own range.
 */
#include <err.h>
#include <pthread.h>
#include <stdlib.h>

#include "bench.h"

#define THREADS		2
#define APART		0x40000000ULL

struct worker {
	struct session *session;
	const struct wdm_bench_page *list;
	size_t number;
	size_t times;
	pthread_barrier_t *barrier;
	__u64 start;
	__u64 end;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	pthread_barrier_wait(worker->barrier);
	worker->start = now_ns();
	for (size_t i = 0; i < worker->times; i++)
		map_unmap(worker->session, worker->list, worker->number);
	worker->end = now_ns();
	return NULL;
}

/* The time from the start of the first thread to the end of the last. */
static double run_threads(const struct job *job, struct session *session, size_t threads)
{
	struct worker workers[THREADS];
	pthread_barrier_t barrier;
	pthread_t ids[THREADS];
	__u64 start = ~0ULL, end = 0;

	pthread_barrier_init(&barrier, NULL, threads);
	for (size_t i = 0; i < threads; i++) {
		workers[i] = (struct worker) {
			.session = session,
			.list = job->list + i * job->number,
			.number = job->number,
			.times = options.quick ? 1 : 4,
			.barrier = &barrier,
		};
		if (pthread_create(&ids[i], NULL, work, &workers[i]))
			errx(1, "no thread");
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		if (workers[i].start < start)
			start = workers[i].start;
		if (workers[i].end > end)
			end = workers[i].end;
	}
	pthread_barrier_destroy(&barrier);
	return (double)(end - start) / (threads * job->number * workers[0].times);
}

static void scale(const struct job *job, struct session *session)
{
	double one = run_threads(job, session, 1);
	double two = run_threads(job, session, 2);

	report(job, session, "1 thread", "ns/pair", one);
	report(job, session, "2 threads", "ns/pair", two);
	report(job, session, "scaling", "times", one / two);
}

void w6_threads(void)
{
	size_t number = options.quick ? 256 : 4096;
	struct memory memory = memory_small_pages(number * THREADS);
	struct wdm_bench_page *list = allocate(number * THREADS, sizeof(*list));
	struct job job = {
		.workload = "W6",
		.variant = "4k",
		.contenders = TYPE1 | IOMMUFD | COPY | WDM | WDM_BATCH | FLOOR,
		.heat = PINNED,
		.memory = &memory,
		.body = scale,
		.list = list,
		.number = number,
	};

	for (size_t i = 0; i < number * THREADS; i++)
		list[i] = (struct wdm_bench_page) {
			IOVA_BASE + i / number * APART + i % number * 2 * PAGE, i,
		};
	run_job(&job, options.rounds);
	free(list);
	memory_free(&memory);
}
