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

/* How often the call failed before it succeeded */
static unsigned int fail_until_success(struct fixture *fixture, const struct call *call,
				       const union argument *argument, int fail)
{
	bool keeps = call->request != WDM_IOMMU_CONFIGURE && call->request != WDM_IOMMU_FLUSH &&
		     call->request != WDM_IOMMU_FLUSH_VA_LIST;
	struct state before = get_state(fixture), after;
	unsigned int failures = 0;

	for (unsigned int n = 1; n < MANY; n++) {
		union argument copy = *argument;
		__u32 status;
		bool injected = call_with_failure(fail, n, fixture->world.fd, call, &copy,
						  &status);

		/* Some failures can be made up for. */
		if (!status)
			return failures;
		if (!CHECK(injected) || !CHECK(is_good_failure(status, errno))) {
			tap_diag("%s, errno %d", wdm_status_name(status), errno);
			break;
		}
		failures++;
		after = get_state(fixture);
		if (keeps && !CHECK(same_state(&before, &after)))
			break;
	}
	tap_diag("that was %s, after %u failures", call->name, failures);
	CHECK(!"it succeeds in the end");
	return failures;
}

static void every_call(void)
{
	unsigned int total = 0;
	int fail;

	set_up();
	fail = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fail < 0)
		skip("no " FAIL_NTH);
	for (size_t i = 0; i < number_of_calls; i++) {
		long long pinned = pinned_pages();
		struct fixture fixture;
		union argument argument;

		if (calls[i].needs_device && !options.has_device)
			continue;
		open_fixture(&fixture, calls[i].needs_device);
		prepare_call(&calls[i], &fixture, &argument);
		total += fail_until_success(&fixture, &calls[i], &argument, fail);
		close_fixture(&fixture);
		CHECK_EQUAL(locked_memory(), 0);
		CHECK(pins_are_back(pinned));
	}
	tap_diag("%u failures", total);
	CHECK(total > number_of_calls);
}

static const struct test_case cases[] = {
	{ .name = "every call, every failure", .run = every_call, .seconds = 240 },
};

const struct suite fail_nth_suite = { "fail_nth", cases, ARRAY_SIZE(cases) };
