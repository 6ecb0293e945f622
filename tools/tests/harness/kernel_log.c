// SPDX-License-Identifier: GPL-2.0
/*
 * Check that the kernel log has no warning, bug or lock report after a suite.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array_size.h"
#include "kernel_log.h"
#include "tap.h"

/**
 * struct kernel_log - the kernel log since it was opened
 * @fd: /dev/kmsg
 * @in_oom: the lines belong to a report of the OOM killer
 * @bad_in_oom: one of them would be an error elsewhere
 */
struct kernel_log {
	int fd;
	bool in_oom;
	bool bad_in_oom;
};

static const char * const bad[] = {
	"WARNING:", "BUG:", "Oops", "KASAN:", "UBSAN:", "Call Trace:", "Kernel panic",
	"general protection fault", "suspicious RCU", "possible circular", "possible recursive",
	"possible irq lock", "inconsistent lock", "blocked for more than", "detected stall",
	"self-detected stall", "soft lockup", "hard LOCKUP", "workqueue lockup", "refcount_t:",
	"list_add corruption", "list_del corruption", "held lock freed", "lock held when",
	"locks still held", "new suspected memory leaks", "unreferenced object", "Bad page state",
	"page allocation failure", "segfault at",
};

/* Open the log at its end. Never NULL. */
struct kernel_log *kernel_log_open(void)
{
	struct kernel_log *log = calloc(1, sizeof(*log));

	if (!log)
		abort();
	log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log->fd >= 0)
		lseek(log->fd, 0, SEEK_END);
	return log;
}

static bool has_bad_word(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (strstr(line, bad[i]))
			return true;
	}
	return false;
}

/*
 * Tests may hit a cgroup's limit, for which the OOM killer's report has a call trace. It is
 * an error only if the whole machine is out of memory.
 */
static bool is_bad(struct kernel_log *log, const char *line)
{
	bool is_bad_oom = false;

	if (strstr(line, "invoked oom-killer"))
		log->in_oom = true;
	if (!log->in_oom)
		return has_bad_word(line);
	log->bad_in_oom |= has_bad_word(line);
	if (strstr(line, "oom-kill:constraint=")) {
		is_bad_oom = !strstr(line, "CONSTRAINT_MEMCG");
		log->in_oom = false;
		log->bad_in_oom = false;
	}
	return is_bad_oom;
}

/* Check everything since the log was opened, and close it. */
bool kernel_log_is_clean(struct kernel_log *log)
{
	char record[8192];
	bool clean = log->fd >= 0;
	ssize_t length;

	if (!clean)
		tap_diag("cannot read /dev/kmsg: %s", strerror(errno));
	while (log->fd >= 0) {
		length = read(log->fd, record, sizeof(record) - 1);
		/* EPIPE: records were overwritten; continue with the oldest one left. */
		if (length < 0 && errno == EPIPE)
			continue;
		if (length <= 0)
			break;
		record[length] = '\0';
		if (is_bad(log, record)) {
			tap_diag("kernel: %.*s", (int)strcspn(record, "\n"), record);
			clean = false;
		}
	}
	if (log->bad_in_oom) {
		tap_diag("kernel: the OOM killer's report has no end");
		clean = false;
	}
	if (log->fd >= 0)
		close(log->fd);
	free(log);
	return clean;
}
