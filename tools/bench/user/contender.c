// SPDX-License-Identifier: GPL-2.0
/*
 * The contenders' turns, and what they have in common.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array_size.h"
#include "bench.h"

static const struct contender *const contenders[] = {
	&type1, &iommufd, &copy, &wdm, &wdm_batch_calls, &floor_sync, &floor_gather, &floor_runs,
};

/* Fallbacks for contenders that have no operations on lists. */

__u64 map_each(struct session *session, const struct wdm_bench_page *list, size_t number)
{
	const struct contender *contender = session->contender;
	__u64 start;

	if (contender->map_each)
		return contender->map_each(session, list, number);
	start = now_ns();
	for (size_t i = 0; i < number; i++)
		contender->map(session, list[i].page, 1, list[i].iova);
	return now_ns() - start;
}

__u64 unmap_each(struct session *session, const struct wdm_bench_page *list, size_t number)
{
	const struct contender *contender = session->contender;
	__u64 start;

	if (contender->unmap_each)
		return contender->unmap_each(session, list, number);
	start = now_ns();
	for (size_t i = 0; i < number; i++)
		contender->unmap(session, list[i].iova, 1);
	return now_ns() - start;
}

__u64 map_unmap(struct session *session, const struct wdm_bench_page *list, size_t number)
{
	const struct contender *contender = session->contender;
	__u64 start;

	if (contender->map_unmap)
		return contender->map_unmap(session, list, number);
	start = now_ns();
	for (size_t i = 0; i < number; i++) {
		contender->map(session, list[i].page, 1, list[i].iova);
		contender->unmap(session, list[i].iova, 1);
	}
	return now_ns() - start;
}

__u64 replace(struct session *session, const struct wdm_bench_page *list, size_t number)
{
	const struct contender *contender = session->contender;
	__u64 start;

	if (contender->replace)
		return contender->replace(session, list, number);
	start = now_ns();
	for (size_t i = 0; i < number; i++) {
		contender->unmap(session, list[i].iova, 1);
		contender->map(session, list[i].page, 1, list[i].iova);
	}
	return now_ns() - start;
}

__u64 map_whole(struct session *session, __u64 iova)
{
	__u64 start;

	if (session->contender->map_whole)
		return session->contender->map_whole(session, iova);
	start = now_ns();
	session->contender->map(session, 0, session->memory->pages, iova);
	return now_ns() - start;
}

__u64 unmap_whole(struct session *session, __u64 iova)
{
	__u64 start;

	if (session->contender->unmap_whole)
		return session->contender->unmap_whole(session, iova);
	start = now_ns();
	session->contender->unmap(session, iova, session->memory->pages);
	return now_ns() - start;
}

void session_attach(struct session *session)
{
	if (!session->attached && session->contender->attach)
		session->contender->attach(session);
	session->attached = true;
}

/* The floor does not know what is mapped, so unmap it; the others clean up themselves. */
void clear_floor(struct session *session, const struct wdm_bench_page *list, size_t number)
{
	if (session->contender->bit & FLOOR)
		unmap_each(session, list, number);
}

/* Is the device behind the null IOMMU driver? */
bool iommu_is_null(void)
{
	char path[64], target[256];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu", options.bdf);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = 0;
	return strstr(target, "null_iommu");
}

static bool is_listed(const char *name)
{
	const char *at = options.contenders;
	size_t length = strlen(name);

	if (!at)
		return true;
	for (; (at = strstr(at, name)); at += length) {
		if ((at == options.contenders || at[-1] == ',') &&
		    (!at[length] || at[length] == ','))
			return true;
	}
	return false;
}

/* Can a contender run, and is it wanted? If not, print why, once for a workload. */
bool takes_part(const struct contender *contender, const char *workload)
{
	const char *reason = is_listed(contender->name) ? contender->missing() : "not asked for";
	static const char *last;
	static unsigned int said;

	if (!last || strcmp(last, workload))
		said = 0;
	last = workload;
	if (reason && !(said & contender->bit))
		printf("# skipped: %s %s: %s\n", workload, contender->name, reason);
	said |= contender->bit;
	return !reason;
}

void report(const struct job *job, const struct session *session, const char *figure,
	    const char *unit, double value)
{
	record(job->workload, job->variant, session->contender->name, figure, unit, value);
}

static void take_turn(const struct job *job, const struct contender *contender)
{
	struct session session = {
		.contender = contender,
		.heat = job->heat,
		.memory = job->memory,
		.fd = -1,
		.group = -1,
		.device = -1,
	};

	contender->start(&session);
	if (!job->unattached)
		session_attach(&session);
	contender->pin(&session);
	job->body(job, &session);
	contender->finish(&session);
	free(session.batch);
}

/* Run each contender in turn, round by round. */
void run_job(const struct job *job, unsigned int rounds)
{
	unsigned int present = 0;

	for (size_t i = 0; i < ARRAY_SIZE(contenders); i++) {
		if (job->contenders & contenders[i]->bit &&
		    takes_part(contenders[i], job->workload))
			present |= contenders[i]->bit;
	}
	for (unsigned int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(contenders); i++) {
			if (present & contenders[i]->bit)
				take_turn(job, contenders[i]);
		}
	}
}
