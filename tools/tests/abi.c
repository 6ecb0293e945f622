// SPDX-License-Identifier: GPL-2.0
/*
 * What all ioctls have in common: sizes, pointers, handles, reserved members.
 * Each check is made on a call that would succeed but for the one thing.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "suites.h"

#define POISON	0x5a5a5a5aU

/* Check every call, each on a fixture of its own. */
static void for_each_call(void (*test)(const struct call *call, struct fixture *fixture,
				       union argument *argument))
{
	for (size_t i = 0; i < number_of_calls; i++) {
		struct fixture fixture;
		union argument argument;

		if (calls[i].needs_device && !options.has_device)
			continue;
		open_fixture(&fixture);
		prepare_call(&calls[i], &fixture, &argument);
		errno = 0;
		test(&calls[i], &fixture, &argument);
		close_fixture(&fixture);
	}
}

/* Name the call if the check did not hold. */
static void about(const struct call *call, bool good)
{
	if (!good)
		tap_diag("that was %s", call->name);
}

/* This ioctl fails with @error, writes no status and has no effect. */
static bool fails_without_status(const struct call *call, const struct fixture *fixture,
				 void *argument, int error)
{
	struct state before = get_state(fixture), after;

	errno = 0;
	if (!CHECK(ioctl(fixture->world.fd, call->request, argument) == -1) ||
	    !CHECK_EQUAL(errno, error))
		return false;
	after = get_state(fixture);
	return CHECK(same_state(&before, &after));
}

static bool succeeds(const struct call *call, const struct fixture *fixture, void *argument)
{
	return EXPECT(STATUS_SUCCESS, wdm_call(fixture->world.fd, call->request, argument));
}

static bool fails(const struct call *call, const struct fixture *fixture, void *argument,
		  __u32 status)
{
	struct state before = get_state(fixture), after;

	if (!EXPECT(status, wdm_call(fixture->world.fd, call->request, argument)))
		return false;
	after = get_state(fixture);
	return CHECK(same_state(&before, &after));
}

static void test_success(const struct call *call, struct fixture *fixture,
			 union argument *argument)
{
	struct state before = get_state(fixture), after;

	about(call, succeeds(call, fixture, argument));
	after = get_state(fixture);
	about(call, CHECK(same_state(&before, &after) == call->changes_nothing));
}

static void success(void)
{
	for_each_call(test_success);
}

static void test_too_short(const struct call *call, struct fixture *fixture,
			   union argument *argument)
{
	const __u32 sizes[] = { 0, 1, 4, 7, 8, call->size - 8, call->size - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		argument->size = sizes[i];
		argument->status = POISON;
		about(call, fails_without_status(call, fixture, argument, EINVAL));
		about(call, CHECK_EQUAL(argument->status, POISON));
	}
	argument->size = call->size;
	about(call, succeeds(call, fixture, argument));
}

static void too_short(void)
{
	for_each_call(test_too_short);
}

static void test_longer(const struct call *call, struct fixture *fixture,
			union argument *argument)
{
	unsigned char *memory = get_pages(3);
	union argument *longer = (union argument *)memory;
	const __u32 sizes[] = {
		call->size + 1, call->size + 8, call->size + 9, WDM_PAGE_SIZE,
		3 * WDM_PAGE_SIZE
	};

	memcpy(longer, argument, call->size);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		longer->size = sizes[i];
		/* The very last byte, then the first */
		memory[sizes[i] - 1] = 1;
		about(call, fails(call, fixture, longer, STATUS_REVISION_MISMATCH));
		memory[sizes[i] - 1] = 0;
		memory[call->size] = 0x80;
		about(call, fails(call, fixture, longer, STATUS_REVISION_MISMATCH));
		memory[call->size] = 0;
	}
	/* What is behind @size does not matter. */
	memory[call->size + 8] = 1;
	longer->size = call->size + 8;
	about(call, succeeds(call, fixture, longer));
	munmap(memory, 3 * WDM_PAGE_SIZE);
}

static void longer(void)
{
	for_each_call(test_longer);
}

/* Sizes that reach out of the program's memory */
static void test_endless(const struct call *call, struct fixture *fixture,
			 union argument *argument)
{
	const __u32 sizes[] = { 2 * WDM_PAGE_SIZE, 1U << 30, 0x7fffffff, 0x80000000, 0xffffffff };
	unsigned char *memory = get_pages(2);

	munmap(memory + WDM_PAGE_SIZE, WDM_PAGE_SIZE);
	memcpy(memory, argument, call->size);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memcpy(memory, &sizes[i], sizeof(sizes[i]));
		errno = 0;
		about(call, CHECK(ioctl(fixture->world.fd, call->request, memory) == -1));
		about(call, CHECK(errno == EFAULT || errno == E2BIG));
	}
	munmap(memory, WDM_PAGE_SIZE);
	about(call, succeeds(call, fixture, argument));
}

static void endless(void)
{
	for_each_call(test_endless);
}

static void test_pointers(const struct call *call, struct fixture *fixture,
			  union argument *argument)
{
	unsigned char *memory = get_pages(3);
	unsigned char *middle = memory + WDM_PAGE_SIZE;
	void *across = middle - call->size / 2;

	munmap(middle, WDM_PAGE_SIZE);
	about(call, fails_without_status(call, fixture, NULL, EFAULT));
	about(call, fails_without_status(call, fixture, middle, EFAULT));
	about(call, fails_without_status(call, fixture, (void *)-1UL, EFAULT));
	about(call, fails_without_status(call, fixture, (void *)(1UL << 63), EFAULT));
	/* The second half of the structure is not there. */
	memcpy(across, argument, call->size / 2);
	about(call, fails_without_status(call, fixture, across, EFAULT));
	about(call, succeeds(call, fixture, argument));
	munmap(memory, WDM_PAGE_SIZE);
	munmap(middle + WDM_PAGE_SIZE, WDM_PAGE_SIZE);
}

static void pointers(void)
{
	for_each_call(test_pointers);
}

/* A structure that can be read and not written: the call has no effect. */
static void test_read_only(const struct call *call, struct fixture *fixture,
			   union argument *argument)
{
	void *memory = get_pages(1);

	memcpy(memory, argument, call->size);
	mprotect(memory, WDM_PAGE_SIZE, PROT_READ);
	about(call, fails_without_status(call, fixture, memory, EFAULT));
	/* Also not that a handle has gone, or is in use */
	about(call, succeeds(call, fixture, argument));
	munmap(memory, WDM_PAGE_SIZE);
}

static void read_only(void)
{
	for_each_call(test_read_only);
}

static void test_misaligned(const struct call *call, struct fixture *fixture,
			    union argument *argument)
{
	char *memory = get_pages(1);

	memcpy(memory + 1, argument, call->size);
	about(call, succeeds(call, fixture, memory + 1));
	munmap(memory, WDM_PAGE_SIZE);
}

static void misaligned(void)
{
	for_each_call(test_misaligned);
}

static void test_zero(const struct call *call, struct fixture *fixture,
		      union argument *argument)
{
	for (const size_t *offset = call->zero; *offset; offset++) {
		const __u32 values[] = { 1, 1U << 31 };
		__u32 *member = (__u32 *)((char *)argument + *offset);

		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			*member = values[i];
			about(call, fails(call, fixture, argument, STATUS_INVALID_PARAMETER));
		}
		*member = 0;
	}
	about(call, succeeds(call, fixture, argument));
}

static void zero(void)
{
	for_each_call(test_zero);
}

static __u32 handle_of(const struct fixture *fixture, unsigned int type)
{
	switch (type) {
	case OBJECT_DOMAIN:
		return fixture->os;
	case OBJECT_DEVICE:
		return fixture->device;
	default:
		return fixture->spare;
	}
}

static void test_handles(const struct call *call, struct fixture *fixture,
			 union argument *argument)
{
	const __u32 unknown[] = { 0, 0x7fffffff, 0x80000000, 0xffffffff, 1000 };
	const unsigned int types[] = { OBJECT_DOMAIN, OBJECT_DEVICE, OBJECT_MDL };

	for (size_t i = 0; call->handles[i].types; i++) {
		__u32 *handle = (__u32 *)((char *)argument + call->handles[i].offset);
		__u32 right = *handle;

		for (size_t j = 0; j < ARRAY_SIZE(unknown); j++) {
			*handle = unknown[j];
			about(call, fails(call, fixture, argument, STATUS_INVALID_HANDLE));
		}
		for (size_t j = 0; j < ARRAY_SIZE(types); j++) {
			*handle = handle_of(fixture, types[j]);
			if (*handle && !(call->handles[i].types & types[j]))
				about(call, fails(call, fixture, argument,
						  STATUS_OBJECT_TYPE_MISMATCH));
		}
		*handle = right;
	}
	about(call, succeeds(call, fixture, argument));
}

static void handles(void)
{
	for_each_call(test_handles);
}

/* A handle is valid for one open file, not for another. */
static void other_file(void)
{
	struct fixture fixture;
	struct world other;
	__u32 domain;

	open_fixture(&fixture);
	open_world(&other);
	EXPECT(STATUS_INVALID_HANDLE, wdm_domain_delete(other.fd, fixture.os));
	EXPECT(STATUS_INVALID_HANDLE, wdm_mdl_delete(other.fd, fixture.spare));
	MUST(wdm_domain_create(other.fd, true, 0, &domain));
	EXPECT(STATUS_INVALID_HANDLE,
	       wdm_map(other.fd, domain, WDM_RW, fixture.world.mdl, 0, 0, ADDRESS));
	MUST(wdm_mdl_delete(fixture.world.fd, fixture.spare));
	MUST(wdm_domain_delete(fixture.world.fd, fixture.os));
	EXPECT(STATUS_INVALID_HANDLE, wdm_domain_delete(fixture.world.fd, fixture.os));
}

static void unknown_ioctls(void)
{
	struct fixture fixture;
	union argument argument = { .info.size = sizeof(argument.info) };

	open_fixture(&fixture);
	for (unsigned int number = 0; number < 256; number++) {
		unsigned long request = _IO(WDM_IOMMU_TYPE, number);
		bool known = false;

		for (size_t i = 0; i < number_of_calls; i++)
			known |= calls[i].request == request;
		if (known)
			continue;
		errno = 0;
		CHECK(ioctl(fixture.world.fd, request, &argument) == -1);
		CHECK_EQUAL(errno, ENOTTY);
	}
	/* The right number with another type, direction or size */
	CHECK(ioctl(fixture.world.fd, _IO(WDM_IOMMU_TYPE + 1, WDM_IOMMU_CMD_INFO),
		    &argument) == -1 && errno == ENOTTY);
	errno = 0;
	CHECK(ioctl(fixture.world.fd, _IOWR(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_INFO,
					    struct wdm_iommu_info),
		    &argument) == -1 && errno == ENOTTY);
}

/* Read, write, map: there is nothing of that. */
static void other_calls(void)
{
	struct world world;
	char byte = 0;

	open_world(&world);
	CHECK(read(world.fd, &byte, 1) == -1);
	CHECK(write(world.fd, &byte, 1) == -1);
	CHECK(mmap(NULL, WDM_PAGE_SIZE, PROT_READ, MAP_SHARED, world.fd, 0) == MAP_FAILED);
}

/* Values that are wrong by themselves */
static void parameters(void)
{
	struct wdm_iommu_domain_create create = { .size = sizeof(create) };
	struct wdm_iommu_mapping mapping;
	struct fixture fixture;
	__u32 handle, number = 0;
	__u64 start = 0;
	int fd;

	open_fixture(&fixture);
	fd = fixture.world.fd;
	create.os_managed_page_table = 2;
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_call(fd, WDM_IOMMU_DOMAIN_CREATE, &create));
	create.os_managed_page_table = 1;
	create.flags = WDM_IOMMU_DOMAIN_PAGE_GRANULAR << 1;
	EXPECT(STATUS_INVALID_PARAMETER, wdm_call(fd, WDM_IOMMU_DOMAIN_CREATE, &create));
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_domain_create(fd, false, WDM_IOMMU_DOMAIN_PAGE_GRANULAR, &handle));

	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_query_mappings(fd, fixture.os, WDM_IOMMU_QUERY_LOGICAL, &start, &mapping,
				  &number));
	number = 1;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_query_mappings(fd, fixture.os, WDM_IOMMU_QUERY_CALLER, &start, &mapping,
				  &number));
	number = 1;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_query_mappings(fd, fixture.os, 2, &start, &mapping, &number));
	number = 1;
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_query_mappings(fd, fixture.os, WDM_IOMMU_QUERY_LOGICAL, &start, NULL,
				  &number));
}

static const struct test_case cases[] = {
	{ .name = "every call succeeds, and does something", .run = success },
	{ .name = "a structure that is too short", .run = too_short },
	{ .name = "a structure that is longer", .run = longer },
	{ .name = "a structure that does not end", .run = endless },
	{ .name = "bad pointers", .run = pointers },
	{ .name = "a structure that cannot be written", .run = read_only },
	{ .name = "a structure that is not aligned", .run = misaligned },
	{ .name = "members that must be zero", .run = zero },
	{ .name = "handles of nothing and of other types", .run = handles },
	{ .name = "handles of another file", .run = other_file },
	{ .name = "unknown ioctls", .run = unknown_ioctls },
	{ .name = "other system calls", .run = other_calls },
	{ .name = "wrong parameters", .run = parameters },
};

const struct suite abi_suite = { "abi", cases, ARRAY_SIZE(cases) };
