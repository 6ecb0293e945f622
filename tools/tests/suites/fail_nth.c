// SPDX-License-Identifier: GPL-2.0
/*
 * Every call with its n-th allocation failing, for every n. The same call is repeated on the
 * same objects until it succeeds, so effects of failures would show in the end, too.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ioctl_table.h"
#include "model.h"
#include "suites.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define MANY		2000

/* Make allocations fail that may sleep, without reports in the log. */
static void set_up(void)
{
	if (!write_text("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") ||
	    !write_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N"))
		skip("this kernel injects no failures");
	write_text("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_text("/sys/kernel/debug/failslab/verbose", "0");
	write_text("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	/*
	 * If a result suddenly cannot be written, the call's effect cannot be undone. So restrict
	 * such failures to a function that does not exist.
	 */
	write_text("/sys/kernel/debug/fail_usercopy/require-start", "1");
	write_text("/sys/kernel/debug/fail_usercopy/require-end", "2");
}

/* Make the call with its n-th possible failure injected; false: it has fewer. */
static bool call_with_failure(int fail, unsigned int n, int fd, const struct ioctl_case *call,
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

/* A call and its objects */
struct attempt {
	const struct ioctl_case *call;
	bool attached;
	struct ioctl_objects objects;
	union argument argument;
	struct state before;
};

/* Calls that do more if their domain has a device */
static bool takes_a_device(const struct ioctl_case *call)
{
	return !call->needs_device && call->handles[0].types & OBJECT_DOMAIN &&
	       call->request != WDM_IOMMU_DESTROY;
}

static void start(struct attempt *attempt)
{
	const struct ioctl_case *call = attempt->call;
	struct ioctl_objects *objects = &attempt->objects;
	const char *argument = (const char *)&attempt->argument;

	open_objects(objects, call->needs_device || attempt->attached);
	prepare_call(call, objects, &attempt->argument);
	if (attempt->attached)
		MUST(wdm_attach(objects->fixture.fd,
				*(const __u32 *)(argument + call->handles[0].offset),
				objects->device));
	attempt->before = get_state(&attempt->objects);
}

/* A call that fails has no effect, except for these. */
static bool may_change(const struct ioctl_case *call)
{
	return call->request == WDM_IOMMU_CONFIGURE || call->request == WDM_IOMMU_FLUSH ||
	       call->request == WDM_IOMMU_FLUSH_VA_LIST;
}

static bool is_unchanged(const struct attempt *attempt)
{
	struct state after = get_state(&attempt->objects);

	return may_change(attempt->call) || same_state(&attempt->before, &after);
}

/* Get the number of failures until the call succeeds without one. */
static unsigned int fail_until_success(const struct ioctl_case *call, bool attached, int fail)
{
	struct attempt attempt = { .call = call, .attached = attached };
	unsigned int failures = 0;

	start(&attempt);
	for (unsigned int n = 1; n < MANY; n++) {
		union argument copy = attempt.argument;
		__u32 status;
		bool injected = call_with_failure(fail, n, attempt.objects.fixture.fd, call, &copy,
						  &status);

		if (!injected) {
			CHECK_EQUAL(status, ioctl_answer(call));
			check_nothing_is_left(&attempt.objects);
			close_objects(&attempt.objects);
			return failures;
		}
		failures++;
		if (!status) {
			/* The kernel has recovered from the failure. */
			close_objects(&attempt.objects);
			start(&attempt);
		} else if (!CHECK(is_good_failure(status, errno)) ||
			   !CHECK(is_unchanged(&attempt))) {
			tap_diag("%s, errno %d", wdm_status_name(status), errno);
			break;
		}
	}
	tap_diag("that was %s, after %u failures", call->name, failures);
	CHECK(!"it succeeds in the end");
	close_objects(&attempt.objects);
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
	for (size_t i = 0; i < number_of_ioctls; i++) {
		long long pinned = pinned_pages();
		unsigned int failures;

		if (attached ? !takes_a_device(&ioctl_table[i]) :
			       ioctl_table[i].needs_device && !options.has_device)
			continue;
		failures = fail_until_success(&ioctl_table[i], attached, fail);
		tap_diag("%s: %u failures", ioctl_table[i].name, failures);
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

#define BATCH_WINDOW	600

/* Map two MDLs next to each other, page by page; then replace some of the pages. */
static size_t make_batch(const struct fixture *fixture, __u32 other, struct wdm_iommu_batch_op *ops)
{
	const size_t pages = 14;
	size_t number = 0;

	for (size_t i = 0; i < pages; i++)
		ops[number++] = (struct wdm_iommu_batch_op) {
			.permissions = WDM_RW,
			.mdl = i % 2 ? other : fixture->mdl,
			.length = WDM_PAGE_SIZE,
			.logical_address = ADDRESS + (249 + i) * WDM_PAGE_SIZE,
		};
	/* A range in which a table of the IOMMU ends, and a node of the record */
	ops[number++] = (struct wdm_iommu_batch_op) {
		.permissions = WDM_IOMMU_READ,
		.mdl = fixture->mdl,
		.length = fixture->pages * WDM_PAGE_SIZE,
		.logical_address = ADDRESS + 500 * WDM_PAGE_SIZE,
	};
	for (size_t i = 0; i < 10; i++)
		ops[number++] = (struct wdm_iommu_batch_op) {
			.op = WDM_IOMMU_BATCH_UNMAP,
			.length = WDM_PAGE_SIZE,
			.logical_address = ops[i].logical_address,
		};
	for (size_t i = 3; i < 5; i++) {
		ops[number] = ops[i];
		ops[number++].mdl = fixture->mdl;
	}
	ops[number++] = (struct wdm_iommu_batch_op) {
		.op = WDM_IOMMU_BATCH_UNMAP,
		.length = (fixture->pages - 2) * WDM_PAGE_SIZE,
		.logical_address = ADDRESS + 501 * WDM_PAGE_SIZE,
	};
	return number;
}

/* Unmap everything, except for what was mapped before the batch. */
static void unmap_all(const struct fixture *fixture, const struct model *model)
{
	for (size_t i = 0; i < BATCH_WINDOW; i++) {
		__u64 address = ADDRESS + i * WDM_PAGE_SIZE;

		if (model_count(model, address, 1))
			MUST(wdm_unmap(fixture->fd, fixture->domain, address, WDM_PAGE_SIZE));
	}
}

/* Memory that a domain has cached would avoid allocations: begin with a new one. */
static void renew_domain(struct fixture *fixture)
{
	__u32 device = fixture->device->handle;

	if (device)
		MUST(wdm_detach(fixture->fd, device));
	MUST(wdm_destroy(fixture->fd, fixture->domain));
	MUST(wdm_domain_create(fixture->fd, true, 0, &fixture->domain));
	if (device) {
		MUST(map_pages(fixture, 0, 1, HOME_ADDRESS));
		MUST(wdm_attach(fixture->fd, fixture->domain, device));
	}
}

/* The operations that are reported as done are done, and the others are not. */
static unsigned int fail_in_batch(struct fixture *fixture, __u32 other, int fail)
{
	static const struct ioctl_case call = { .name = "BATCH", .request = WDM_IOMMU_BATCH };
	const size_t before = (ADDRESS - HOME_ADDRESS) / WDM_PAGE_SIZE;
	struct wdm_iommu_batch_op ops[64];
	size_t number = make_batch(fixture, other, ops);
	unsigned int failures = 0;
	bool injected = true;

	for (unsigned int n = 1; injected && CHECK(n < MANY); n++) {
		union argument argument = { .batch = {
			.size = sizeof(argument.batch),
			.domain = fixture->domain,
			.number = number,
			.ops = caller(ops),
		} };
		struct model model;
		__u32 status;

		injected = call_with_failure(fail, n, fixture->fd, &call, &argument, &status);
		if (status) {
			failures++;
			CHECK(injected);
			CHECK_EQUAL(status, STATUS_INSUFFICIENT_RESOURCES);
		}
		CHECK(status ? argument.batch.done < number : argument.batch.done == number);
		model_init(&model, HOME_ADDRESS, before + BATCH_WINDOW);
		if (fixture->device->handle)
			model_set(&model, HOME_ADDRESS, 1, fixture->mdl, 0, WDM_RW);
		model_apply(&model, ops, argument.batch.done);
		injected &= model_check(&model, fixture->fd, fixture->domain,
					WDM_IOMMU_QUERY_LOGICAL);
		unmap_all(fixture, &model);
		free(model.pages);
		renew_domain(fixture);
	}
	return failures;
}

static void batch(bool attached)
{
	struct fixture fixture;
	unsigned int failures;
	__u32 other;
	int fail;

	set_up();
	fail = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fail < 0)
		skip("no " FAIL_NTH);
	if (attached) {
		open_os_managed(&fixture, 32, 0);
	} else {
		open_fixture(&fixture);
		open_arena(&fixture, 32);
		MUST(wdm_domain_create(fixture.fd, true, 0, &fixture.domain));
	}
	MUST(wdm_mdl_create(fixture.fd, page(&fixture, 1), WDM_PAGE_SIZE, WDM_RW, &other));
	failures = fail_in_batch(&fixture, other, fail);
	tap_diag("%u failures", failures);
	CHECK(failures > 1);
	/* The failures have leaked no use count. */
	MUST(wdm_destroy(fixture.fd, other));
	if (attached)
		EXPECT_DMA(DMA_ARRIVED, write_to(&fixture, HOME_ADDRESS, page(&fixture, 0)));
	else
		MUST(wdm_destroy(fixture.fd, fixture.mdl));
}

static void batch_detached(void)
{
	batch(false);
}

static void batch_attached(void)
{
	batch(true);
}

static const struct test_case cases[] = {
	{ .name = "every call, every failure", .run = every_call, .seconds = 240 },
	{ .name = "every call on a domain that holds a device, every failure",
	  .run = every_attached, .needs = NEEDS_DEVICE, .seconds = 240 },
	{ .name = "a long batch, every failure", .run = batch_detached, .seconds = 120 },
	{ .name = "a long batch on a domain that holds a device, every failure",
	  .run = batch_attached, .needs = NEEDS_DEVICE, .seconds = 240 },
};

const struct suite fail_nth_suite = { "fail_nth", cases, ARRAY_SIZE(cases) };
