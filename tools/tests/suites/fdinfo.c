// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/PID/fdinfo of /dev/wdm_iommu: current after each call, consistent during calls of other
 * threads, bounded in size, and inaccessible to other users.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

#define NOBODY		65534

/* More than are listed */
#define MANY_DOMAINS	300
#define LISTED		256

/* Number of rounds of a thread that creates and deletes */
#define TURNS		400

static char text[65536];

static const char *read_fdinfo(int fd)
{
	char path[64];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	REQUIRE(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	REQUIRE(!ferror(file));
	fclose(file);
	text[size] = 0;
	return text;
}

/* Find the line of this key that contains @with, up to its end; NULL: none. */
static const char *find_line(const char *all, const char *key, const char *with)
{
	static char line[512];
	char start[32];

	snprintf(start, sizeof(start), "%s:\t", key);
	for (const char *at = all; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (strncmp(at, start, strlen(start)))
			continue;
		snprintf(line, sizeof(line), " %.*s ", (int)(strcspn(at, "\n") - strlen(start)),
			 at + strlen(start));
		if (strstr(line, with))
			return line;
	}
	return NULL;
}

/* Get the number after "field=" in a line; without a field, the line's number. */
static long long value(const char *all, const char *key, const char *with, const char *field)
{
	const char *line = find_line(all, key, with), *at = line;
	char start[32];

	REQUIRE(line);
	if (field) {
		snprintf(start, sizeof(start), " %s=", field);
		at = strstr(line, start);
		REQUIRE(at);
		at += strlen(start);
	}
	return atoll(at);
}

static const char *named(__u32 handle)
{
	static char with[32];

	snprintf(with, sizeof(with), " handle=%u ", handle);
	return with;
}

#define NUMBER(key)		value(all, key, "", NULL)
#define OBJECTS(field)		value(all, "wdm-objects", "", field)
#define DOMAIN(handle, field)	value(all, "wdm-domain", named(handle), field)
#define DEVICE(field)		value(all, "wdm-device", "", field)

static void os_managed(void)
{
	struct fixture fixture;
	const char *all;
	long long charged;

	open_fixture(&fixture);
	all = read_fdinfo(fixture.fd);
	CHECK(NUMBER("wdm-file") > 0);
	CHECK_EQUAL(NUMBER("wdm-charged"), 0);
	CHECK_EQUAL(NUMBER("wdm-pinned"), 0);
	CHECK_EQUAL(NUMBER("wdm-faults"), 0);
	CHECK(!find_line(all, "wdm-domain", ""));
	CHECK(!find_line(all, "wdm-device", ""));

	open_arena(&fixture, 4);
	attach_os_managed(&fixture, 0);
	all = read_fdinfo(fixture.fd);
	charged = NUMBER("wdm-charged");
	CHECK(charged > 0);
	CHECK_EQUAL(NUMBER("wdm-pinned"), 4 * WDM_PAGE_SIZE);
	CHECK_EQUAL(OBJECTS("devices"), 1);
	CHECK_EQUAL(OBJECTS("domains"), 1);
	CHECK_EQUAL(OBJECTS("mdls"), 1);
	CHECK_EQUAL(DEVICE("domain"), fixture.domain);
	CHECK_EQUAL(DEVICE("handle"), fixture.device->handle);
	CHECK_EQUAL(DEVICE("group"), wdm_pci_group(options.device.text));
	CHECK_EQUAL(DEVICE("revoked"), 0);
	CHECK(strstr(find_line(all, "wdm-device", ""), options.device.text));
	CHECK(strstr(find_line(all, "wdm-domain", ""), " type=translate "));
	CHECK_EQUAL(DOMAIN(fixture.domain, "devices"), 1);
	CHECK_EQUAL(DOMAIN(fixture.domain, "granular"), 0);
	CHECK_EQUAL(DOMAIN(fixture.domain, "pages"), 1);
	CHECK_EQUAL(DOMAIN(fixture.domain, "maps"), 1);
	CHECK_EQUAL(DOMAIN(fixture.domain, "unmaps"), 0);

	MUST(map_pages(&fixture, 1, 3, ADDRESS));
	EXPECT(STATUS_RESOURCE_IN_USE, map_pages(&fixture, 1, 1, ADDRESS));
	all = read_fdinfo(fixture.fd);
	CHECK_EQUAL(DOMAIN(fixture.domain, "pages"), 4);
	CHECK_EQUAL(DOMAIN(fixture.domain, "maps"), 2);

	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS, WDM_PAGE_SIZE));
	MUST(wdm_unmap(fixture.fd, fixture.domain, ADDRESS + WDM_PAGE_SIZE, 2 * WDM_PAGE_SIZE));
	all = read_fdinfo(fixture.fd);
	CHECK_EQUAL(DOMAIN(fixture.domain, "pages"), 1);
	CHECK_EQUAL(DOMAIN(fixture.domain, "unmaps"), 2);
	CHECK_EQUAL(DOMAIN(fixture.domain, "syncs"), 2);
	CHECK_EQUAL(DOMAIN(fixture.domain, "walks"), 0);

	MUST(wdm_detach(fixture.fd, fixture.device->handle));
	all = read_fdinfo(fixture.fd);
	CHECK_EQUAL(DEVICE("domain"), 0);
	CHECK_EQUAL(DOMAIN(fixture.domain, "devices"), 0);

	MUST(wdm_destroy(fixture.fd, fixture.domain));
	MUST(wdm_destroy(fixture.fd, fixture.device->handle));
	MUST(wdm_destroy(fixture.fd, fixture.mdl));
	all = read_fdinfo(fixture.fd);
	CHECK_EQUAL(OBJECTS("devices"), 0);
	CHECK_EQUAL(OBJECTS("domains"), 0);
	CHECK_EQUAL(OBJECTS("mdls"), 0);
	CHECK_EQUAL(NUMBER("wdm-charged"), 0);
	CHECK_EQUAL(NUMBER("wdm-pinned"), 0);
	CHECK(!find_line(all, "wdm-domain", ""));
	CHECK(!find_line(all, "wdm-device", ""));
}

static void other_maps(void)
{
	struct wdm_iommu_memory memory = { .type = WDM_IOMMU_MEMORY_MDL };
	struct wdm_iommu_batch_op ops[3];
	struct fixture fixture;
	__u32 token, done, granular, s1;
	const char *all;
	__u64 address;

	open_fixture(&fixture);
	open_arena(&fixture, 4);
	memory.mdl = fixture.mdl;
	MUST(wdm_domain_create(fixture.fd, true, WDM_IOMMU_DOMAIN_PAGE_GRANULAR, &granular));
	MUST(wdm_domain_create_ex(fixture.fd, WDM_IOMMU_TYPE_TRANSLATE, 32, NULL, 0, &s1));
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = (struct wdm_iommu_batch_op) {
			.op = WDM_IOMMU_BATCH_MAP,
			.permissions = WDM_RW,
			.mdl = fixture.mdl,
			.length = WDM_PAGE_SIZE,
			.logical_address = ADDRESS + i * WDM_PAGE_SIZE,
		};
	MUST(wdm_batch(fixture.fd, granular, ops, ARRAY_SIZE(ops), &done));
	MUST(wdm_map_user(fixture.fd, granular, WDM_RW, page(&fixture, 0), WDM_PAGE_SIZE,
			  2 * ADDRESS));
	MUST(wdm_map_identity(fixture.fd, granular, WDM_RW, fixture.mdl, 0, WDM_PAGE_SIZE));
	MUST(wdm_unmap_identity(fixture.fd, granular, fixture.mdl, 0, WDM_PAGE_SIZE));
	MUST(wdm_map_anywhere(fixture.fd, s1, WDM_RW, fixture.mdl, 0, 0, &address));
	MUST(wdm_reserve(fixture.fd, granular, 4 * WDM_PAGE_SIZE, &(__u64){ 3 * ADDRESS },
			 WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0, &token));
	MUST(wdm_map_reserved(fixture.fd, token, 0, WDM_RW, &memory));
	MUST(wdm_unmap_reserved(fixture.fd, token, 0, 4 * WDM_PAGE_SIZE));
	all = read_fdinfo(fixture.fd);
	CHECK_EQUAL(OBJECTS("tokens"), 1);
	CHECK_EQUAL(OBJECTS("domains"), 2);
	CHECK_EQUAL(DOMAIN(granular, "granular"), 1);
	CHECK_EQUAL(DOMAIN(granular, "maps"), 6);
	CHECK_EQUAL(DOMAIN(granular, "unmaps"), 2);
	CHECK_EQUAL(DOMAIN(granular, "pages"), 4);
	CHECK_EQUAL(DOMAIN(s1, "maps"), 1);
	CHECK_EQUAL(DOMAIN(s1, "pages"), 4);
}

static void caller_managed(void)
{
	struct fixture fixture;
	const char *all;

	open_caller_managed(&fixture, 4, parameter());
	all = read_fdinfo(fixture.fd);
	CHECK(strstr(find_line(all, "wdm-domain", ""), " type=unmanaged "));
	CHECK_EQUAL(DOMAIN(fixture.domain, "walks"), 1);
	CHECK_EQUAL(DOMAIN(fixture.domain, "maps"), 0);
	/* The caller's address space */
	CHECK_EQUAL(DOMAIN(fixture.domain, "pages"), fixture.pages);
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	MUST(wdm_flush_va_list(fixture.fd, fixture.domain, true, &(__u64){ ADDRESS }, 1, NULL));
	all = read_fdinfo(fixture.fd);
	CHECK_EQUAL(DOMAIN(fixture.domain, "walks"), 3);
}

static void *create_and_delete(void *argument)
{
	const struct fixture *fixture = argument;
	size_t refused = 0;
	__u32 domain;

	for (int i = 0; i < TURNS; i++) {
		MUST(wdm_domain_create(fixture->fd, true, 0, &domain));
		MUST(wdm_map(fixture->fd, domain, WDM_RW, fixture->mdl, 0, 0, ADDRESS));
		MUST(wdm_map(fixture->fd, fixture->domain, WDM_RW, fixture->mdl, 0, 0,
			     ADDRESS));
		MUST(wdm_unmap(fixture->fd, fixture->domain, ADDRESS,
			       fixture->pages * WDM_PAGE_SIZE));
		refused += wdm_destroy(fixture->fd, domain) != STATUS_SUCCESS;
	}
	return (void *)refused;
}

/* Reading makes no call fail, and never shows a count that decreases. */
static void beside_calls(void)
{
	long long maps, last = 0, turns = 0;
	struct fixture fixture;
	pthread_t thread;
	const char *all;
	void *refused;

	open_os_managed(&fixture, 4, 0);
	REQUIRE(!pthread_create(&thread, NULL, create_and_delete, &fixture));
	do {
		all = read_fdinfo(fixture.fd);
		maps = DOMAIN(fixture.domain, "maps");
		CHECK(maps >= last);
		last = maps;
		turns++;
		CHECK(OBJECTS("domains") <= 2);
	} while (maps < TURNS + 1);
	REQUIRE(!pthread_join(thread, &refused));
	CHECK_EQUAL((uintptr_t)refused, 0);
	all = read_fdinfo(fixture.fd);
	CHECK_EQUAL(DOMAIN(fixture.domain, "unmaps"), TURNS);
	CHECK_EQUAL(OBJECTS("domains"), 1);
	CHECK(turns > 1);
}

static void bounded(void)
{
	struct fixture fixture;
	unsigned int lines = 0;
	const char *all, *at;
	__u32 domain = 0;

	open_fixture(&fixture);
	for (int i = 0; i < MANY_DOMAINS; i++)
		MUST(wdm_domain_create(fixture.fd, true, 0, &domain));
	all = read_fdinfo(fixture.fd);
	for (at = all; (at = strstr(at, "wdm-domain:")); at++)
		lines++;
	CHECK_EQUAL(lines, LISTED);
	CHECK_EQUAL(NUMBER("wdm-more"), MANY_DOMAINS - LISTED);
	CHECK_EQUAL(OBJECTS("domains"), MANY_DOMAINS);
	for (int i = LISTED; i < MANY_DOMAINS; i++)
		MUST(wdm_destroy(fixture.fd, domain--));
	all = read_fdinfo(fixture.fd);
	CHECK(!find_line(all, "wdm-more", ""));
	CHECK(find_line(all, "wdm-domain", named(domain)));
}

/* Each file has a different number, and numbers of closed files are not reused. */
static void numbers(void)
{
	int first = wdm_open(), second = wdm_open();
	long long number, other;

	REQUIRE(first >= 0 && second >= 0);
	number = value(read_fdinfo(first), "wdm-file", "", NULL);
	other = value(read_fdinfo(second), "wdm-file", "", NULL);
	CHECK(number != other);
	close(second);
	second = wdm_open();
	REQUIRE(second >= 0);
	CHECK(value(read_fdinfo(second), "wdm-file", "", NULL) != other);
}

/* Other users have no access, as to any other process. */
static void other_users(void)
{
	struct fixture fixture;
	char path[64];
	int status;
	pid_t child;

	open_fixture(&fixture);
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", getpid(), fixture.fd);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(2);
		_exit(open(path, O_RDONLY) >= 0 || errno != EACCES);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

static const struct test_case cases[] = {
	{ .name = "an OS-managed domain and its device, call by call", .run = os_managed,
	  .needs = NEEDS_DEVICE },
	{ .name = "every way to map and unmap counts once", .run = other_maps },
	{ .name = "a caller-managed domain", .run = caller_managed, .needs = NEEDS_DEVICE,
	  .formats = true },
	{ .name = "a reader makes no concurrent call fail", .run = beside_calls,
	  .needs = NEEDS_DEVICE },
	{ .name = "300 domains: 256 are listed, and the rest counted", .run = bounded },
	{ .name = "numbers of files", .run = numbers },
	{ .name = "other users cannot read it", .run = other_users },
};

const struct suite fdinfo_suite = { "fdinfo", cases, ARRAY_SIZE(cases) };
