// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl top: activity of programs per second.
 *
 * The numbers are differences between counters in fdinfo. Tracepoints would report each call,
 * but slow it down, and need root; fdinfo is readable for anybody who may trace the program.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fdinfo.h"
#include "json.h"
#include "wdmctl.h"

struct rates {
	double maps;
	double unmaps;
	double syncs;
	double walks;
	double faults;
};

static atomic_int interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* The same file descriptor earlier; it may refer to another file now. */
static const struct open_file *find_file(const struct open_files *all,
					 const struct open_file *file)
{
	for (size_t i = 0; i < all->number; i++) {
		const struct open_file *old = &all->files[i];

		if (old->pid == file->pid && old->fd == file->fd && old->number == file->number)
			return old;
	}
	return NULL;
}

/* Handles may name another domain now, whose counters started at 0. */
static const struct file_domain *find_domain(const struct open_file *file,
					     const struct file_domain *domain)
{
	for (size_t i = 0; file && i < file->nr_domains; i++) {
		const struct file_domain *old = &file->domains[i];

		if (old->handle == domain->handle && old->maps <= domain->maps &&
		    old->unmaps <= domain->unmaps && old->syncs <= domain->syncs &&
		    old->walks <= domain->walks)
			return old;
	}
	return NULL;
}

static struct rates file_rates(const struct open_file *file, const struct open_file *old,
			       double seconds)
{
	static const struct file_domain none;
	struct rates rates = { };

	if (!old)
		return rates;
	for (size_t i = 0; i < file->nr_domains; i++) {
		const struct file_domain *domain = &file->domains[i];
		const struct file_domain *before = find_domain(old, domain) ?: &none;

		rates.maps += (domain->maps - before->maps) / seconds;
		rates.unmaps += (domain->unmaps - before->unmaps) / seconds;
		rates.syncs += (domain->syncs - before->syncs) / seconds;
		rates.walks += (domain->walks - before->walks) / seconds;
	}
	rates.faults = (file->faults - old->faults) / seconds;
	return rates;
}

static void print_json(const struct open_files *all, const struct open_files *old, double seconds)
{
	json_array(NULL);
	for (size_t i = 0; i < all->number; i++) {
		const struct open_file *file = &all->files[i];
		struct rates rates = file_rates(file, find_file(old, file), seconds);

		json_object(NULL);
		json_number("pid", file->pid);
		json_number("fd", file->fd);
		json_text("command", file->command);
		json_number("file", file->number);
		json_real("maps_per_second", rates.maps);
		json_real("unmaps_per_second", rates.unmaps);
		json_real("syncs_per_second", rates.syncs);
		json_real("flushes_per_second", rates.walks);
		json_real("faults_per_second", rates.faults);
		json_number("pinned", file->pinned);
		json_end();
	}
	json_end();
}

static void print_text(const struct open_files *all, const struct open_files *old, double seconds)
{
	printf("%7s %3s %-16s %9s %9s %9s %9s %9s %10s\n", "PID", "FD", "COMMAND", "MAPS/s",
	       "UNMAPS/s", "SYNCS/s", "FLUSHES/s", "FAULTS/s", "PINNED");
	for (size_t i = 0; i < all->number; i++) {
		const struct open_file *file = &all->files[i];
		struct rates rates = file_rates(file, find_file(old, file), seconds);

		printf("%7d %3d %-16s %9.0f %9.0f %9.0f %9.0f %9.0f %10s\n", file->pid,
		       file->fd, file->command, rates.maps, rates.unmaps, rates.syncs,
		       rates.walks, rates.faults, SIZE_TEXT(file->pinned));
	}
}

/* On a terminal, each list replaces the one before. */
static void print(const struct options *options, const struct open_files *all,
		  const struct open_files *old, double seconds)
{
	if (options->json) {
		print_json(all, old, seconds);
		return;
	}
	if (isatty(STDOUT_FILENO))
		printf("\033[H\033[J");
	print_text(all, old, seconds);
	fflush(stdout);
}

int cmd_top(const struct options *options)
{
	const struct sigaction action = { .sa_handler = interrupt };
	const struct timespec pause = {
		.tv_sec = options->interval,
		.tv_nsec = (options->interval - (time_t)options->interval) * 1e9,
	};
	struct open_files old, all;
	unsigned int count = 0;
	double before = now(), time;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!open_files_read(&old, 0))
		return report_errno("/proc");
	while (!interrupted && !nanosleep(&pause, NULL)) {
		if (!open_files_read(&all, 0))
			return report_errno("/proc");
		time = now();
		print(options, &all, &old, time - before);
		before = time;
		open_files_free(&old);
		old = all;
		if (++count == options->count || ferror(stdout))
			break;
	}
	open_files_free(&old);
	return 0;
}
