// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "kernel_log.h"

#define DEFAULT_SECONDS	60
/* Report cases that take longer. */
#define LONG_SECONDS	5

#define INDENT		4

struct options options = { .seconds = 5 };

static unsigned int failed_checks;
static const void *current_parameter;

/* In shared memory: a case's process writes it, the harness reads it. */
static char *skip_reason;
#define REASON_SIZE	256

const void *parameter(void)
{
	return current_parameter;
}

double seconds_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

noreturn void finish(void)
{
	fflush(stdout);
	_exit(failed_checks ? TAP_FAIL : TAP_PASS);
}

noreturn void skip(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(skip_reason, REASON_SIZE, format, arguments);
	va_end(arguments);
	fflush(stdout);
	_exit(failed_checks ? TAP_FAIL : TAP_SKIP);
}

bool check(struct place place, bool good)
{
	if (!good) {
		tap_diag("%s:%d: does not hold: %s", place.file, place.line, place.text);
		__atomic_add_fetch(&failed_checks, 1, __ATOMIC_RELAXED);
	}
	return good;
}

bool check_number(struct place place, __u64 value, __u64 expected)
{
	if (value != expected)
		tap_diag("got %#llx, expected %#llx", value, expected);
	return check(place, value == expected);
}

bool check_status(struct place place, __u32 status, __u32 expected)
{
	int error = errno;
	char text[256];

	if (status != expected) {
		tap_diag("expected %s, got %s", wdm_status_name(expected),
			 wdm_status_describe(status, error, text, sizeof(text)));
		return check(place, false);
	}
	if (status && status != WDM_STATUS_NONE && error != wdm_status_errno(status)) {
		tap_diag("the errno of %s is %d, got %d", wdm_status_name(status),
			 wdm_status_errno(status), error);
		return check(place, false);
	}
	return true;
}

bool check_dma(struct place place, enum dma result, enum dma expected)
{
	if (result != expected)
		tap_diag("the transfer %s", dma_name(result));
	return check(place, result == expected);
}

void require(struct place place, bool good)
{
	if (!good) {
		tap_diag("%s:%d: cannot go on: %s: %s", place.file, place.line, place.text,
			 strerror(errno));
		failed_checks++;
		finish();
	}
}

static const char *missing(unsigned int needs)
{
	if (needs & NEEDS_DEVICE && !options.has_device)
		return "no edu device is bound to a VFIO driver";
	if (needs & NEEDS_PAIR && !options.has_pair)
		return "no two edu devices in one IOMMU group";
	if (needs & NEEDS_TWO_GROUPS && !options.has_other)
		return "no edu devices in two IOMMU groups";
	if (needs & NEEDS_STRANGER && !options.has_stranger)
		return "no other device is bound to a VFIO driver";
	if (needs & NEEDS_CONTAINER && options.cdev)
		return "only with a VFIO container";
	if (needs & NEEDS_CDEV && !options.cdev)
		return "only with VFIO's cdevs";
	if (needs & NEEDS_PLUG && !options.has_plug)
		return "no edu device is alone below a port";
	if (needs & NEEDS_BRIDGE && !options.has_bridged)
		return "no two edu devices below a bridge";
	if (needs & NEEDS_NVME && !options.has_nvme)
		return "no NVMe controller is bound to a VFIO driver";
	return NULL;
}

/* Wait for a child to exit; false if it is still running after @seconds. */
static bool wait_for(pid_t child, unsigned int seconds, int *status)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	time_t end = time(NULL) + seconds;

	while (waitpid(child, status, WNOHANG) != child) {
		if (time(NULL) > end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static enum tap_result run_process(const struct test_case *test)
{
	unsigned int seconds = test->seconds ? test->seconds : DEFAULT_SECONDS;
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		return TAP_FAIL;
	if (!child) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		test->run();
		finish();
	}
	setpgid(child, child);
	if (!wait_for(child, seconds, &status)) {
		tap_diag("still running after %u s", seconds);
		kill(-child, SIGKILL);
		if (!wait_for(child, DEFAULT_SECONDS, &status))
			tap_diag("and cannot be killed");
		return TAP_FAIL;
	}
	kill(-child, SIGKILL);
	if (WIFSIGNALED(status))
		tap_diag("ended by signal %d", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : TAP_FAIL;
}

static void run_case(const struct test_case *test, const char *name, const void *parameter)
{
	const char *reason = missing(test->needs);

	time_t start = time(NULL);
	enum tap_result result;

	if (reason) {
		tap_result(TAP_SKIP, name, reason);
		return;
	}
	current_parameter = parameter;
	result = run_process(test);
	if (time(NULL) - start >= LONG_SECONDS)
		tap_diag("the next took %ld s", (long)(time(NULL) - start));
	tap_result(result, name, skip_reason);
}

static void run_with_format(const struct test_case *test, const struct wdm_table_format *format)
{
	char name[256];

	snprintf(name, sizeof(name), "%s, %s", test->name, format->name);
	run_case(test, name, format);
}

static unsigned int count_results(const struct suite *suite)
{
	unsigned int count = suite->number;

	for (size_t i = 0; i < suite->number; i++)
		count += suite->cases[i].formats;
	return count;
}

/* Print the results of a suite, as a subtest; returns its exit status. */
int run_suite(const struct suite *suite)
{
	struct kernel_log *log = kernel_log_open();

	tap_indent(INDENT);
	tap_restart(0);
	tap_header("KTAP version 1");
	tap_diag("Subtest: %s", suite->name);
	tap_plan(count_results(suite) + 1);
	skip_reason = mmap(NULL, REASON_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
	if (skip_reason == MAP_FAILED)
		abort();
	for (size_t i = 0; i < suite->number; i++) {
		const struct test_case *test = &suite->cases[i];

		if (test->formats) {
			run_with_format(test, &wdm_format_x64);
			run_with_format(test, &wdm_format_arm64);
		} else {
			run_case(test, test->name, test->parameter);
		}
	}
	munmap(skip_reason, REASON_SIZE);
	tap_ok(kernel_log_is_clean(log), "nothing bad in the kernel's log");
	tap_indent(0);
	return tap_finish();
}
