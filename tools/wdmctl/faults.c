// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl faults: DMA that an IOMMU has blocked. Most drivers write a line to the kernel log.
 * AMD's raises a tracepoint, and skips the log if the program that has the device has enabled
 * fault reports; --follow enables the tracepoint in a separate trace instance.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array_size.h"
#include "fault_log.h"
#include "json.h"
#include "machine.h"
#include "wdmctl.h"

#define INSTANCES	"/sys/kernel/tracing/instances"
#define RECORD		8192

/**
 * struct watch - the sources of reports
 * @json: print JSON
 * @device: only faults of this device, as sysfs names it; empty: all
 * @parser: of the log
 * @number: number of printed faults
 * @instance: directory of the trace instance; empty: there is none
 * @line: incomplete line of the trace
 * @length: its length in bytes
 */
struct watch {
	bool json;
	struct wdm_bdf device;
	struct fault_parser parser;
	unsigned int number;
	char instance[64];
	char line[512];
	size_t length;
};

static atomic_int interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void print_json(const struct fault_report *report, double time)
{
	static const char * const names[] = {
		[ACCESS_READ] = "read",
		[ACCESS_WRITE] = "write",
		[ACCESS_INTERRUPT] = "interrupt",
	};

	json_object(NULL);
	json_format("time", "%.6f", time);
	json_text("device", report->device);
	json_text("access", names[report->access]);
	if (report->has_address)
		json_format("address", "0x%llx", report->address);
	if (report->has_pasid)
		json_number("pasid", report->pasid);
	json_text("reason", report->reason);
	json_text("source", report->source);
	json_end();
}

static void print_text(const struct fault_report *report, double time)
{
	static const char * const names[] = {
		[ACCESS_UNKNOWN] = "access to",
		[ACCESS_READ] = "read from",
		[ACCESS_WRITE] = "write to",
		[ACCESS_INTERRUPT] = "interrupt",
	};

	printf("[%12.6f] %s  %s", time, report->device, names[report->access]);
	if (report->has_address)
		printf(" %#llx", report->address);
	if (report->has_pasid)
		printf(" with PASID %u", report->pasid);
	printf("  blocked: %s (%s)\n", report->reason, report->source);
	fflush(stdout);
}

static void print(struct watch *watch, const struct fault_report *report, double time)
{
	if (*watch->device.text && strcmp(watch->device.text, report->device))
		return;
	watch->number++;
	if (watch->json)
		print_json(report, time);
	else
		print_text(report, time);
}

/* "6,339,5140900,-;text", and continuation lines that start with a blank */
static void take_record(struct watch *watch, char *record)
{
	struct fault_report report;
	char *text = strchr(record, ';'), *time = strchr(record, ',');

	if (!text)
		return;
	*text++ = '\0';
	text[strcspn(text, "\n")] = '\0';
	time = time ? strchr(time + 1, ',') : NULL;
	if (!fault_parse(&watch->parser, text, &report))
		return;
	/* The tracepoint has reported it already. */
	if (!*watch->instance || strcmp(report.source, "AMD"))
		print(watch, &report, time ? strtoull(time + 1, NULL, 10) / 1e6 : 0);
}

/* Read all available records; false on an error. */
static bool drain_log(struct watch *watch, int log)
{
	char record[RECORD];
	ssize_t size;

	for (;;) {
		size = read(log, record, sizeof(record) - 1);
		/* Records were overwritten before they were read. */
		if (size < 0 && errno == EPIPE)
			continue;
		if (size <= 0)
			return size == 0 || errno == EAGAIN || errno == EINTR;
		record[size] = '\0';
		take_record(watch, record);
	}
}

static void take_trace_line(struct watch *watch)
{
	const char *at = strstr(watch->line, ": io_page_fault:");
	struct fault_report report;

	/* The word before is the time. */
	while (at && at > watch->line && at[-1] != ' ')
		at--;
	if (at && fault_parse_trace(watch->line, &report))
		print(watch, &report, strtod(at, NULL));
}

static void drain_trace(struct watch *watch, int trace)
{
	char buffer[1024];
	ssize_t size;

	while ((size = read(trace, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < size; i++) {
			if (buffer[i] != '\n') {
				if (watch->length < sizeof(watch->line) - 1)
					watch->line[watch->length++] = buffer[i];
				continue;
			}
			watch->line[watch->length] = '\0';
			watch->length = 0;
			take_trace_line(watch);
		}
	}
}

/* Without tracing, or permission for it, use the log alone. */
static int open_trace(struct watch *watch)
{
	char path[128];
	int trace = -1;

	snprintf(watch->instance, sizeof(watch->instance), INSTANCES "/wdmctl-%d", getpid());
	if (mkdir(watch->instance, 0700)) {
		*watch->instance = '\0';
		return -1;
	}
	snprintf(path, sizeof(path), "%s/events/iommu/io_page_fault/enable", watch->instance);
	if (write_text(path, "1")) {
		snprintf(path, sizeof(path), "%s/trace_pipe", watch->instance);
		trace = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
	if (trace < 0) {
		rmdir(watch->instance);
		*watch->instance = '\0';
	}
	return trace;
}

static bool follow(struct watch *watch, int log, int trace)
{
	struct pollfd files[] = {
		{ .fd = log, .events = POLLIN },
		{ .fd = trace, .events = POLLIN },
	};

	while (!interrupted) {
		if (poll(files, 2, -1) < 0 && errno != EINTR)
			return false;
		if (!drain_log(watch, log))
			return false;
		if (trace >= 0)
			drain_trace(watch, trace);
	}
	return true;
}

static int watch_faults(struct watch *watch, bool wait)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC), trace = -1;
	static const int signals[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM };
	const struct sigaction action = { .sa_handler = interrupt };
	bool good;

	if (log < 0)
		return report_text("/dev/kmsg: %s; only root may read the kernel log",
				   strerror(errno));
	if (watch->json && !wait)
		json_array(NULL);
	good = drain_log(watch, log);
	if (good && wait) {
		for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
			sigaction(signals[i], &action, NULL);
		trace = open_trace(watch);
		good = follow(watch, log, trace);
	}
	if (!good)
		report_errno("/dev/kmsg");
	if (watch->json && !wait)
		json_end();
	if (good && !wait && !watch->number && !watch->json)
		printf("the kernel log has no report of blocked DMA\n");
	if (trace >= 0)
		close(trace);
	if (*watch->instance)
		rmdir(watch->instance);
	close(log);
	return !good;
}

int cmd_faults(const struct options *options)
{
	struct watch watch = { .json = options->json };
	struct wdm_pci_address address;

	if (options->words[0]) {
		if (!wdm_pci_parse(options->words[0], &address))
			return report_text("%s is not a PCI address", options->words[0]);
		wdm_pci_format(&address, &watch.device);
	}
	return watch_faults(&watch, options->follow);
}
