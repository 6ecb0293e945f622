// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the library and of wdmctl that need neither module nor device.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array_size.h"
#include "machine.h"
#include "tap.h"
#include "unit.h"
#include "wdm_iommu_user.h"

#define PAGES	12

static void test_status(void)
{
	char text[256];

	tap_ok(!strcmp(wdm_status_name(STATUS_INVALID_PARAMETER_1), "STATUS_INVALID_PARAMETER_1"),
	       "the name of a status");
	tap_ok(wdm_status_errno(STATUS_CONFLICTING_ADDRESSES) == EADDRNOTAVAIL,
	       "its errno");
	tap_ok(wdm_status_errno(0xC0000DEA) == EPROTO, "a status that does not exist");
	wdm_status_describe(STATUS_NOT_FOUND, ENOENT, text, sizeof(text));
	tap_ok(strstr(text, "STATUS_NOT_FOUND (0xC0000225)") && strstr(text, "errno 2"),
	       "a description");
	wdm_status_describe(STATUS_WORKING_SET_QUOTA, ENOMEM, text, sizeof(text));
	tap_ok(strstr(text, "memory. Raise the limit"), "a description with a cure");
	wdm_status_describe(WDM_STATUS_NONE, EFAULT, text, sizeof(text));
	tap_ok(!strcmp(text, strerror(EFAULT)), "a description without a status");
}

static void test_errors(void)
{
	struct wdm_error error;
	char longer[500];

	errno = ENOMEM;
	tap_ok(!wdm_error_set(&error, STATUS_WORKING_SET_QUOTA, "cannot map ring %d", 7) &&
	       errno == ENOMEM && error.error == ENOMEM &&
	       error.status == STATUS_WORKING_SET_QUOTA, "an error");
	tap_ok(!strncmp(error.text, "cannot map ring 7: RLIMIT_MEMLOCK", 33) &&
	       strstr(error.text, ". Raise the limit"), "what failed, the cause, and the cure");
	errno = EFAULT;
	wdm_error_set(&error, WDM_STATUS_NONE, "cannot ask");
	tap_ok(!strcmp(error.text, "cannot ask: Bad address"), "an error without a status");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	wdm_error_set(&error, STATUS_NOT_FOUND, "%s", longer);
	tap_ok(strlen(error.text) == sizeof(error.text) - 1, "a text that is too long");
	tap_ok(!wdm_error_set(NULL, STATUS_NOT_FOUND, "cannot %s", "find"), "nowhere to put it");
	tap_ok(*wdm_status_cure(STATUS_PRIVILEGE_NOT_HELD) && !*wdm_status_cure(STATUS_SUCCESS) &&
	       !*wdm_status_cure(0xC0000DEA), "cures");
	tap_ok(sizeof(error) == 256, "the size that the soname promises");
}

/* Names of devices: an address, or a path whose last part is one */
static void test_names(void)
{
	char folder[] = "/tmp/wdm-unit-XXXXXX", path[PATH_MAX], link[PATH_MAX];
	struct wdm_pci_address address;

	if (!tap_ok(mkdtemp(folder), "a folder"))
		return;
	snprintf(path, sizeof(path), "%s/0000:01:02.3", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	tap_ok(!mkdir(path, 0700) && !symlink(path, link) && wdm_pci_find(path, &address) &&
	       address.bus == 1 && address.devfn == 0x13, "a path");
	tap_ok(wdm_pci_find(link, &address) && address.devfn == 0x13, "a link");
	tap_ok(wdm_pci_find("1:2.3", &address) && address.bus == 1, "an address");
	tap_ok(!wdm_pci_find(folder, &address) && !wdm_pci_find("/", &address) &&
	       !wdm_pci_find("./0000:01:02.3", &address), "what is none");
	unlink(link);
	rmdir(path);
	rmdir(folder);
}

static void test_pci(void)
{
	static const char * const wrong[] = {
		"", "00:03", "0000:00:03.0x", "0000:00:20.0", "0000:00:03.8", "x", "0000:00:03.",
	};
	struct wdm_pci_address address;
	struct wdm_bdf bdf;
	bool refused = true;

	tap_ok(wdm_pci_parse("0001:02:1f.7", &address) && address.segment == 1 &&
	       address.bus == 2 && address.devfn == 0xff, "a PCI address");
	wdm_pci_format(&address, &bdf);
	tap_ok(!strcmp(bdf.text, "0001:02:1f.7"), "and back");
	tap_ok(wdm_pci_parse("00:03.1", &address) && !address.segment && address.devfn == 0x19,
	       "a short one");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused = refused && !wdm_pci_parse(wrong[i], &address);
	tap_ok(refused, "what is not a PCI address");
}

/*
 * Walk the tables as the hardware would, knowing nothing of how they were made
 * but the format: 0 if nothing is there.
 */
static __u64 walk(const struct wdm_tables *tables, __u64 address)
{
	bool x64 = tables->format == &wdm_format_x64;
	__u64 *table = tables->memory;

	for (int level = tables->levels - 1; level >= 0; level--) {
		unsigned int shift = 12 + 9 * level;
		__u64 entry = table[(address >> shift) & 511];
		bool leaf = !level || (x64 ? entry & WDM_X64_LARGE : !(entry & WDM_ARM64_TABLE));

		if (!(entry & 1))
			return 0;
		entry &= 0x0000fffffffff000;
		if (leaf)
			return entry + (address & ((1ULL << shift) - 1));
		table = tables->memory + (entry - tables->caller_address) / sizeof(*table);
	}
	return 0;
}

static void test_tables(const struct wdm_table_format *format, unsigned int bits, void *memory)
{
	const __u64 caller = 0x123456000, low = 0x1234000;
	const __u64 high = (1ULL << bits) - 2 * WDM_PAGE_SIZE;
	struct wdm_tables tables;

	memset(memory, 0xff, PAGES * WDM_PAGE_SIZE);
	wdm_tables_init(&tables, format, bits, memory, PAGES, caller);
	tap_ok(wdm_tables_map(&tables, low, 0xabc000, WDM_LEVEL_4K, WDM_RW) &&
	       walk(&tables, low + 0x567) == 0xabc567 && !walk(&tables, low + WDM_PAGE_SIZE),
	       "%s, %u bits: a page", format->name, bits);
	tap_ok(!wdm_tables_entry(&tables, high, WDM_LEVEL_4K, false) && errno == ENOENT,
	       "%s, %u bits: no table", format->name, bits);
	tap_ok(wdm_tables_map(&tables, high, 0x7000, WDM_LEVEL_4K, WDM_RW) &&
	       walk(&tables, high) == 0x7000 && walk(&tables, low) == 0xabc000,
	       "%s, %u bits: a page at the top", format->name, bits);
	tap_ok(wdm_tables_map(&tables, 0x600000, 0x40000000, WDM_LEVEL_2M, WDM_IOMMU_READ) &&
	       walk(&tables, 0x654321) == 0x40054321, "%s, %u bits: 2 MiB", format->name, bits);
	tap_ok(!wdm_tables_entry(&tables, 1ULL << bits, WDM_LEVEL_4K, true) && errno == ERANGE,
	       "%s, %u bits: too high", format->name, bits);
}

static void test_full(void *memory)
{
	struct wdm_tables tables;

	wdm_tables_init(&tables, &wdm_format_x64, 48, memory, 3, 0);
	tap_ok(!wdm_tables_map(&tables, 0x1000, 0x1000, WDM_LEVEL_4K, WDM_RW) && errno == ENOMEM,
	       "no room for tables");
}

/* Entries that refer to no table */
static void test_foreign(const struct wdm_table_format *format, __u64 *memory)
{
	const __u64 caller = 0x123456000, low = 0x200000;
	const __u64 targets[] = { 0, caller - WDM_PAGE_SIZE, caller + 3 * WDM_PAGE_SIZE };
	__u64 before[PAGES * WDM_PAGE_SIZE / sizeof(__u64)];
	__u64 *middle = memory + ARRAY_SIZE(before) / 2;
	struct wdm_tables tables;
	bool refused = true;

	memset(memory, 0, sizeof(before));
	wdm_tables_init(&tables, format, 48, middle, 4, caller);
	tap_ok(wdm_tables_map(&tables, low, 0x40000000, WDM_LEVEL_2M, WDM_RW),
	       "%s: a leaf of 2 MiB", format->name);
	memcpy(before, memory, sizeof(before));
	tap_ok(!wdm_tables_map(&tables, low + WDM_PAGE_SIZE, 0x1000, WDM_LEVEL_4K, WDM_RW) &&
	       errno == EEXIST && !memcmp(before, memory, sizeof(before)),
	       "%s: it is in the way of a page", format->name);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		*wdm_tables_entry(&tables, low, WDM_LEVEL_2M, false) = format->table(targets[i]);
		refused = refused && !wdm_tables_entry(&tables, low, WDM_LEVEL_4K, true) &&
			  errno == EEXIST;
	}
	tap_ok(refused, "%s: tables elsewhere", format->name);
	tables.caller_address++;
	tap_ok(!wdm_tables_entry(&tables, low, WDM_LEVEL_4K, true) && errno == EEXIST,
	       "%s: tables that are not aligned", format->name);
}

/* The bits, against the manuals */
static void test_entries(void)
{
	tap_ok(wdm_format_x64.leaf(0x5000, 0, WDM_RW) == 0x5007, "x86-64: a page");
	tap_ok(wdm_format_x64.leaf(0x5000, 0, WDM_IOMMU_READ) == 0x5005, "x86-64: to read");
	tap_ok(wdm_format_x64.leaf(0x200000, 1, WDM_RW) == 0x200087, "x86-64: 2 MiB");
	tap_ok(wdm_format_x64.table(0x6000) == 0x6007, "x86-64: a table");
	tap_ok(wdm_format_arm64.leaf(0x5000, 0, WDM_RW) == 0x5743, "ARM64: a page");
	tap_ok(wdm_format_arm64.leaf(0x5000, 0, WDM_IOMMU_READ) == 0x57c3, "ARM64: to read");
	tap_ok(wdm_format_arm64.leaf(0x200000, 1, WDM_RW) == 0x200741, "ARM64: 2 MiB");
	tap_ok(wdm_format_arm64.table(0x6000) == 0x6003, "ARM64: a table");
}

/* Any length and number of threads, without a file that could map anything */
static void test_parallel(void)
{
	static const __u64 lengths[] = {
		0, 1, 4096, 0x1fffff, 0x200000, 0x200001, 0x800000, 0x800003, 0x2000001,
		1ULL << 63, ~0ULL - 0x200000, ~0ULL - 4096, ~0ULL,
	};
	static const unsigned int threads[] = { 0, 1, 2, 3, 4, 5, 17 };
	bool refused = true;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(threads); j++)
			refused = refused &&
				  wdm_map_user_parallel(-1, 1, WDM_RW, NULL, lengths[i], 0,
							threads[j]) == WDM_STATUS_NONE &&
				  errno == EBADF;
	}
	tap_ok(refused, "parts of any length");
}

int main(void)
{
	void *memory = get_pages(PAGES);

	tap_header("TAP version 13");
	test_status();
	test_errors();
	test_pci();
	test_names();
	test_entries();
	test_tables(&wdm_format_x64, 48, memory);
	test_tables(&wdm_format_x64, 57, memory);
	test_tables(&wdm_format_arm64, 25, memory);
	test_tables(&wdm_format_arm64, 39, memory);
	test_tables(&wdm_format_arm64, 48, memory);
	test_full(memory);
	test_foreign(&wdm_format_x64, memory);
	test_foreign(&wdm_format_arm64, memory);
	test_region();
	test_parallel();
	test_wdmctl();
	return tap_finish();
}
