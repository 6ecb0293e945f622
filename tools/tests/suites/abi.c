// SPDX-License-Identifier: GPL-2.0
/*
 * Common properties of all ioctls: sizes, pointers, handles, reserved members. Each call would
 * succeed but for the one thing that is tested.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioctl_table.h"
#include "suites.h"

#define POISON	0x5a5a5a5aU

/* A call that can succeed, and its objects */
struct trial {
	const struct ioctl_case *call;
	struct ioctl_objects objects;
	union argument argument;
};

/* The parameter of each_call() */
struct check {
	void (*test)(struct trial *trial);
};

static void each_call(void)
{
	const struct check *check = parameter();

	for (size_t i = 0; i < number_of_ioctls; i++) {
		struct trial trial = { .call = &ioctl_table[i] };

		if (trial.call->needs_device && !options.has_device)
			continue;
		open_objects(&trial.objects, true);
		prepare_call(trial.call, &trial.objects, &trial.argument);
		check->test(&trial);
		check_nothing_is_left(&trial.objects);
		close_objects(&trial.objects);
	}
}

/* Name the call if the check failed. */
static void about(const struct trial *trial, bool good)
{
	if (!good)
		tap_diag("that was %s", trial->call->name);
}

static int do_ioctl(const struct trial *trial, void *argument)
{
	errno = 0;
	return ioctl(trial->objects.fixture.fd, trial->call->request, argument);
}

static bool unchanged(const struct trial *trial, const struct state *before)
{
	struct state after = get_state(&trial->objects);

	return same_state(before, &after);
}

/* This ioctl fails with @error, writes no status and has no effect. */
static void fails_without_status(const struct trial *trial, void *argument, int error)
{
	struct state before = get_state(&trial->objects);

	about(trial, CHECK(do_ioctl(trial, argument) == -1) && CHECK_EQUAL(errno, error) &&
	      CHECK(unchanged(trial, &before)));
}

static void succeeds(struct trial *trial, void *argument)
{
	__u32 answer;

	errno = 0;
	answer = wdm_call(trial->objects.fixture.fd, trial->call->request, argument);
	about(trial, check_status(HERE("the call"), answer, ioctl_answer(trial->call)));
}

static void fails(struct trial *trial, void *argument, __u32 status)
{
	struct state before = get_state(&trial->objects);

	__u32 answer;

	errno = 0;
	answer = wdm_call(trial->objects.fixture.fd, trial->call->request, argument);
	about(trial, check_status(HERE("the call"), answer, status) &&
	      CHECK(unchanged(trial, &before)));
}

static void test_success(struct trial *trial)
{
	struct state before = get_state(&trial->objects);
	/* An older kernel may not support it. */
	bool changes_nothing = trial->call->changes_nothing || ioctl_answer(trial->call);

	succeeds(trial, &trial->argument);
	about(trial, CHECK(unchanged(trial, &before) == changes_nothing));
}

#ifdef __x86_64__
/* Call through the entry of 32-bit programs; returns a negative errno. */
static int do_ioctl_32(const struct trial *trial, void *argument)
{
	const int sys_ioctl = 54;
	int result;

	__asm__ volatile("int $0x80"
			 : "=a" (result)
			 : "a" (sys_ioctl), "b" (trial->objects.fixture.fd),
			   "c" (trial->call->request), "d" (argument)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	return result;
}
#else
static int do_ioctl_32(const struct trial *trial, void *argument)
{
	(void)trial;
	(void)argument;
	skip("no entry for 32-bit programs on this architecture");
}
#endif

/* Structures are the same for 32-bit programs, whose pointers are shorter. */
static void test_32_bit(struct trial *trial)
{
	__u32 answer = ioctl_answer(trial->call);
	void *low;
	int result;

#ifdef __x86_64__
	if (access("/proc/sys/abi/vsyscall32", F_OK))
		skip("the kernel runs no 32-bit programs");
#endif
	low = mmap((void *)0x10000000, WDM_PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE((unsigned long)low < 1UL << 32);
	memcpy(low, &trial->argument, trial->call->size);
	result = do_ioctl_32(trial, low);
	about(trial, CHECK_EQUAL(result, answer ? -wdm_status_errno(answer) : 0) &&
	      CHECK_EQUAL(((__u32 *)low)[1], answer));
	munmap(low, WDM_PAGE_SIZE);
}

/* Size of the structure in the first version */
static size_t first_size(const struct trial *trial)
{
	return trial->call->first_size ?: trial->call->size;
}

static void test_too_short(struct trial *trial)
{
	const __u32 sizes[] = { 0, 1, 4, 7, 8, first_size(trial) - 8, first_size(trial) - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		trial->argument.size = sizes[i];
		trial->argument.status = POISON;
		fails_without_status(trial, &trial->argument, EINVAL);
		about(trial, CHECK_EQUAL(trial->argument.status, POISON));
	}
	trial->argument.size = trial->call->size;
	succeeds(trial, &trial->argument);
}

/* Members that an older program's structure lacks are not written. */
static void test_older(struct trial *trial)
{
	size_t size = trial->call->size;
	union argument copy;

	for (__u32 given = first_size(trial); given < size; given++) {
		char *behind = (char *)&trial->argument + given;

		close_objects(&trial->objects);
		open_objects(&trial->objects, true);
		prepare_call(trial->call, &trial->objects, &trial->argument);
		trial->argument.size = given;
		memset(behind, 0x5a, size - given);
		copy = trial->argument;
		succeeds(trial, &trial->argument);
		about(trial, CHECK_EQUAL(trial->argument.size, given));
		about(trial, CHECK(!memcmp(behind, (const char *)&copy + given, size - given)));
	}
}

static void test_longer(struct trial *trial)
{
	unsigned char *memory = get_pages(3);
	union argument *longer = (union argument *)memory;
	const __u32 sizes[] = {
		trial->call->size + 1, trial->call->size + 8, trial->call->size + 9, WDM_PAGE_SIZE,
		3 * WDM_PAGE_SIZE
	};

	memcpy(longer, &trial->argument, trial->call->size);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		longer->size = sizes[i];
		/* The very last byte, then the first */
		memory[sizes[i] - 1] = 1;
		fails(trial, longer, STATUS_REVISION_MISMATCH);
		memory[sizes[i] - 1] = 0;
		memory[trial->call->size] = 0x80;
		fails(trial, longer, STATUS_REVISION_MISMATCH);
		memory[trial->call->size] = 0;
	}
	/* Bytes after @size do not matter. */
	memory[trial->call->size + 8] = 1;
	longer->size = trial->call->size + 8;
	succeeds(trial, longer);
	munmap(memory, 3 * WDM_PAGE_SIZE);
}

/* Sizes that exceed the program's memory */
static void test_endless(struct trial *trial)
{
	const __u32 sizes[] = { 2 * WDM_PAGE_SIZE, 1U << 30, 0x7fffffff, 0x80000000, 0xffffffff };
	unsigned char *memory = get_pages(2);

	munmap(memory + WDM_PAGE_SIZE, WDM_PAGE_SIZE);
	memcpy(memory, &trial->argument, trial->call->size);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memcpy(memory, &sizes[i], sizeof(sizes[i]));
		about(trial, CHECK(do_ioctl(trial, memory) == -1));
		about(trial, CHECK(errno == EFAULT || errno == E2BIG));
	}
	munmap(memory, WDM_PAGE_SIZE);
	succeeds(trial, &trial->argument);
}

static void test_pointers(struct trial *trial)
{
	unsigned char *memory = get_pages(3);
	unsigned char *middle = memory + WDM_PAGE_SIZE;
	void *across = middle - trial->call->size / 2;

	munmap(middle, WDM_PAGE_SIZE);
	fails_without_status(trial, NULL, EFAULT);
	fails_without_status(trial, middle, EFAULT);
	fails_without_status(trial, (void *)-1UL, EFAULT);
	fails_without_status(trial, (void *)(1UL << 63), EFAULT);
	/* The second half of the structure is not mapped. */
	memcpy(across, &trial->argument, trial->call->size / 2);
	fails_without_status(trial, across, EFAULT);
	succeeds(trial, &trial->argument);
	munmap(memory, WDM_PAGE_SIZE);
	munmap(middle + WDM_PAGE_SIZE, WDM_PAGE_SIZE);
}

/* A structure that cannot be written: the call has no effect. */
static void test_read_only(struct trial *trial)
{
	void *memory = get_pages(1);

	memcpy(memory, &trial->argument, trial->call->size);
	mprotect(memory, WDM_PAGE_SIZE, PROT_READ);
	fails_without_status(trial, memory, EFAULT);
	/* Nor is a handle used or destroyed. */
	succeeds(trial, &trial->argument);
	munmap(memory, WDM_PAGE_SIZE);
}

/* The status can be written, but not the second half: calls with other results have no effect. */
static void test_half_read_only(struct trial *trial)
{
	struct state before = get_state(&trial->objects);
	unsigned char *memory = get_pages(2);
	unsigned char *middle = memory + WDM_PAGE_SIZE;
	void *across = middle - trial->call->size / 2;
	__u32 status;

	memcpy(across, &trial->argument, trial->call->size);
	mprotect(middle, WDM_PAGE_SIZE, PROT_READ);
	if (do_ioctl(trial, across) == -1 && errno == EFAULT) {
		about(trial, CHECK(unchanged(trial, &before)));
		succeeds(trial, &trial->argument);
	} else {
		/* This call has no other result. */
		memcpy(&status, (char *)across + sizeof(__u32), sizeof(status));
		about(trial, check_status(HERE("the call"), status, ioctl_answer(trial->call)));
	}
	munmap(memory, 2 * WDM_PAGE_SIZE);
}

static void test_misaligned(struct trial *trial)
{
	char *memory = get_pages(1);

	memcpy(memory + 1, &trial->argument, trial->call->size);
	succeeds(trial, memory + 1);
	munmap(memory, WDM_PAGE_SIZE);
}

static __u32 *member(struct trial *trial, size_t offset)
{
	return (__u32 *)((char *)&trial->argument + offset);
}

static void test_zero(struct trial *trial)
{
	for (const size_t *offset = trial->call->zero; *offset; offset++) {
		const __u32 values[] = { 1, 1U << 31 };
		__u32 *zero = member(trial, *offset);

		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			*zero = values[i];
			fails(trial, &trial->argument, STATUS_INVALID_PARAMETER);
		}
		*zero = 0;
	}
	succeeds(trial, &trial->argument);
}

static __u32 handle_of(const struct ioctl_objects *objects, unsigned int type)
{
	switch (type) {
	case OBJECT_DOMAIN:
		return objects->os;
	case OBJECT_DEVICE:
		return objects->device;
	case OBJECT_TOKEN:
		return objects->token;
	default:
		return objects->spare;
	}
}

static void test_handles(struct trial *trial)
{
	const __u32 unknown[] = { 0, 0x7fffffff, 0x80000000, 0xffffffff, 1000 };
	const unsigned int types[] = {
		OBJECT_DOMAIN, OBJECT_DEVICE, OBJECT_MDL, OBJECT_TOKEN
	};

	for (size_t i = 0; trial->call->handles[i].types; i++) {
		__u32 *handle = member(trial, trial->call->handles[i].offset);
		__u32 right = *handle;

		for (size_t j = 0; j < ARRAY_SIZE(unknown); j++) {
			*handle = unknown[j];
			fails(trial, &trial->argument, STATUS_INVALID_HANDLE);
		}
		for (size_t j = 0; j < ARRAY_SIZE(types); j++) {
			*handle = handle_of(&trial->objects, types[j]);
			if (*handle && !(trial->call->handles[i].types & types[j]))
				fails(trial, &trial->argument, STATUS_OBJECT_TYPE_MISMATCH);
		}
		*handle = right;
	}
	succeeds(trial, &trial->argument);
}

/* A handle is valid for one open file, not for another. */
static void other_file(void)
{
	struct ioctl_objects objects;
	struct fixture other;
	__u32 domain;

	open_objects(&objects, false);
	open_fixture(&other);
	EXPECT(STATUS_INVALID_HANDLE, wdm_destroy(other.fd, objects.os));
	EXPECT(STATUS_INVALID_HANDLE, wdm_destroy(other.fd, objects.spare));
	MUST(wdm_domain_create(other.fd, true, 0, &domain));
	EXPECT(STATUS_INVALID_HANDLE,
	       wdm_map(other.fd, domain, WDM_RW, objects.spare, 0, 0, ADDRESS));
	EXPECT(STATUS_INVALID_HANDLE, wdm_destroy(other.fd, objects.token));
	MUST(wdm_destroy(objects.fixture.fd, objects.spare));
	EXPECT(STATUS_RESOURCE_IN_USE, wdm_destroy(objects.fixture.fd, objects.os));
	MUST(wdm_destroy(objects.fixture.fd, objects.token));
	MUST(wdm_destroy(objects.fixture.fd, objects.os));
	EXPECT(STATUS_INVALID_HANDLE, wdm_destroy(objects.fixture.fd, objects.os));
}

static void unknown_ioctls(void)
{
	struct ioctl_objects objects;
	union argument argument = { .info.size = sizeof(argument.info) };

	open_objects(&objects, false);
	for (unsigned int number = 0; number < 256; number++) {
		unsigned long request = _IO(WDM_IOMMU_TYPE, number);
		bool known = false;

		for (size_t i = 0; i < number_of_ioctls; i++)
			known |= ioctl_table[i].request == request;
		if (known)
			continue;
		errno = 0;
		CHECK(ioctl(objects.fixture.fd, request, &argument) == -1);
		CHECK_EQUAL(errno, ENOTTY);
	}
	/* The right number with another type, direction or size */
	CHECK(ioctl(objects.fixture.fd, _IO(WDM_IOMMU_TYPE + 1, WDM_IOMMU_CMD_INFO),
		    &argument) == -1 && errno == ENOTTY);
	errno = 0;
	CHECK(ioctl(objects.fixture.fd, _IOWR(WDM_IOMMU_TYPE, WDM_IOMMU_CMD_INFO,
					      struct wdm_iommu_info),
		    &argument) == -1 && errno == ENOTTY);
}

/* write() and mmap() are not supported; read() needs a buffer for an event. */
static void other_calls(void)
{
	struct fixture fixture;
	char byte = 0;

	open_fixture(&fixture);
	CHECK(read(fixture.fd, &byte, 1) == -1 && errno == EINVAL);
	CHECK(write(fixture.fd, &byte, 1) == -1);
	CHECK(mmap(NULL, WDM_PAGE_SIZE, PROT_READ, MAP_SHARED, fixture.fd, 0) == MAP_FAILED);
}

/* Values that are always wrong */
static void parameters(void)
{
	struct wdm_iommu_domain_create create = { .size = sizeof(create) };
	struct wdm_iommu_mapping mapping;
	struct ioctl_objects objects;
	__u32 handle, number = 0;
	__u64 start = 0;
	int fd;

	open_objects(&objects, false);
	fd = objects.fixture.fd;
	create.os_managed_page_table = 2;
	EXPECT(STATUS_INVALID_PARAMETER_1, wdm_call(fd, WDM_IOMMU_DOMAIN_CREATE, &create));
	create.os_managed_page_table = 1;
	create.flags = WDM_IOMMU_DOMAIN_PAGE_GRANULAR << 1;
	EXPECT(STATUS_INVALID_PARAMETER, wdm_call(fd, WDM_IOMMU_DOMAIN_CREATE, &create));
	EXPECT(STATUS_INVALID_PARAMETER,
	       wdm_domain_create(fd, false, WDM_IOMMU_DOMAIN_PAGE_GRANULAR, &handle));

	EXPECT(STATUS_INVALID_PARAMETER_3,
	       wdm_query_mappings(fd, objects.os, WDM_IOMMU_QUERY_LOGICAL, &start, &mapping,
				  &number));
	number = 1;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_query_mappings(fd, objects.os, WDM_IOMMU_QUERY_CALLER, &start, &mapping,
				  &number));
	number = 1;
	EXPECT(STATUS_INVALID_PARAMETER_2,
	       wdm_query_mappings(fd, objects.os, 2, &start, &mapping, &number));
	number = 1;
	EXPECT(STATUS_ACCESS_VIOLATION,
	       wdm_query_mappings(fd, objects.os, WDM_IOMMU_QUERY_LOGICAL, &start, NULL,
				  &number));
}

#define EACH_CALL(function) \
	.run = each_call, .parameter = &(const struct check) { function }

static const struct test_case cases[] = {
	{ .name = "every call succeeds, and does something", EACH_CALL(test_success) },
	{ .name = "a program of 32 bits", EACH_CALL(test_32_bit) },
	{ .name = "a structure that is too short", EACH_CALL(test_too_short) },
	{ .name = "a structure of an older version", EACH_CALL(test_older) },
	{ .name = "a structure that is longer", EACH_CALL(test_longer) },
	{ .name = "a structure that does not end", EACH_CALL(test_endless) },
	{ .name = "bad pointers", EACH_CALL(test_pointers) },
	{ .name = "a structure that cannot be written", EACH_CALL(test_read_only) },
	{ .name = "a structure whose second half cannot be written",
	  EACH_CALL(test_half_read_only) },
	{ .name = "a structure that is not aligned", EACH_CALL(test_misaligned) },
	{ .name = "members that must be zero", EACH_CALL(test_zero) },
	{ .name = "handles of nothing and of other types", EACH_CALL(test_handles) },
	{ .name = "handles of another file", .run = other_file },
	{ .name = "unknown ioctls", .run = unknown_ioctls },
	{ .name = "other system calls", .run = other_calls },
	{ .name = "wrong parameters", .run = parameters },
};

const struct suite abi_suite = { "abi", cases, ARRAY_SIZE(cases) };
