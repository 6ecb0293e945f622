// SPDX-License-Identifier: GPL-2.0
/*
 * Every call with its n-th allocation failing, for every n. The same call is
 * made again on the same objects until it succeeds, so an effect that a failure
 * leaves would show in the end, too.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"
#include "suites.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define MANY		2000

/* Let allocations fail that may sleep, and say nothing of it in the log. */
static void set_up(void)
{
	if (!write_text("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") ||
	    !write_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N"))
		skip("this kernel injects no failures");
	write_text("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_text("/sys/kernel/debug/failslab/verbose", "0");
	write_text("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	/*
	 * An answer that cannot be written where it could be written a moment before
	 * cannot be taken back; so no failures of that kind, by a place in the code
	 * that there is not.
	 */
	write_text("/sys/kernel/debug/fail_usercopy/require-start", "1");
	write_text("/sys/kernel/debug/fail_usercopy/require-end", "2");
}

/* Make the call with its n-th chance to fail taken; false: it had fewer. */
static bool call_with_failure(int fail, unsigned int n, int fd, const struct call *call,
			      union argument *argument, __u32 *status)
{
	char text[16];
	int error;

	snprintf(text, sizeof(text), "%u", n);
	REQUIRE(pwrite(fail, text, strlen(text), 0) == (ssize_t)strlen(text));
	*status = wdm_call(fd, call->request, argument);
	error = errno;
	memset(text, 0, sizeof(text));
	REQUIRE(pread(fail, text, sizeof(text) - 1, 0) > 0);
	REQUIRE(pwrite(fail, "0", 1, 0) == 1);
	errno = error;
	return !atoi(text);
}

static bool is_good_failure(__u32 status, int error)
{
	return wdm_status_errno(status) == error && error != EPROTO;
}

/* A call, and what it is made on */
struct attempt {
	const struct call *call;
	bool attached;
	struct fixture fixture;
	union argument argument;
	struct state before;
};

/* Calls that do more when their domain holds a device */
static bool takes_a_device(const struct call *call)
{
	return !call->needs_device && call->handles[0].types == OBJECT_DOMAIN &&
	       call->request != WDM_IOMMU_DOMAIN_DELETE;
}

static void start(struct attempt *attempt)
{
	const struct call *call = attempt->call;
	struct fixture *fixture = &attempt->fixture;
	const char *argument = (const char *)&attempt->argument;

	open_fixture(fixture, call->needs_device || attempt->attached);
	prepare_call(call, fixture, &attempt->argument);
	if (attempt->attached)
		MUST(wdm_attach(fixture->world.fd,
				*(const __u32 *)(argument + call->handles[0].offset),
				fixture->device));
	attempt->before = get_state(&attempt->fixture);
}

/* A call that fails has changed nothing, but for these. */
static bool may_change(const struct call *call)
{
	return call->request == WDM_IOMMU_CONFIGURE || call->request == WDM_IOMMU_FLUSH ||
	       call->request == WDM_IOMMU_FLUSH_VA_LIST;
}

static bool is_unchanged(const struct attempt *attempt)
{
	struct state after = get_state(&attempt->fixture);

	return may_change(attempt->call) || same_state(&attempt->before, &after);
}

/* How many failures the call has met when it succeeds without any */
static unsigned int fail_until_success(const struct call *call, bool attached, int fail)
{
	struct attempt attempt = { .call = call, .attached = attached };
	unsigned int failures = 0;

	start(&attempt);
	for (unsigned int n = 1; n < MANY; n++) {
		union argument copy = attempt.argument;
		__u32 status;
		bool injected = call_with_failure(fail, n, attempt.fixture.world.fd, call, &copy,
						  &status);

		if (!injected) {
			CHECK_EQUAL(status, STATUS_SUCCESS);
			close_fixture(&attempt.fixture);
			return failures;
		}
		failures++;
		if (!status) {
			/* The kernel has made up for it. */
			close_fixture(&attempt.fixture);
			start(&attempt);
		} else if (!CHECK(is_good_failure(status, errno)) ||
			   !CHECK(is_unchanged(&attempt))) {
			tap_diag("%s, errno %d", wdm_status_name(status), errno);
			break;
		}
	}
	tap_diag("that was %s, after %u failures", call->name, failures);
	CHECK(!"it succeeds in the end");
	close_fixture(&attempt.fixture);
	return failures;
}

static void try_all(bool attached)
{
	unsigned int total = 0;
	int fail;

	set_up();
	fail = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fail < 0)
		skip("no " FAIL_NTH);
	for (size_t i = 0; i < number_of_calls; i++) {
		long long pinned = pinned_pages();
		unsigned int failures;

		if (attached ? !takes_a_device(&calls[i]) :
			       calls[i].needs_device && !options.has_device)
			continue;
		failures = fail_until_success(&calls[i], attached, fail);
		tap_diag("%s: %u failures", calls[i].name, failures);
		total += failures;
		CHECK_EQUAL(locked_memory(), 0);
		CHECK(pins_are_back(pinned));
	}
	CHECK(total > 10);
}

static void every_call(void)
{
	try_all(false);
}

static void every_attached(void)
{
	try_all(true);
}

static const struct test_case cases[] = {
	{ .name = "every call, every failure", .run = every_call, .seconds = 240 },
	{ .name = "every call on a domain that holds a device, every failure",
	  .run = every_attached, .needs = NEEDS_DEVICE, .seconds = 240 },
};

const struct suite fail_nth_suite = { "fail_nth", cases, ARRAY_SIZE(cases) };
