// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl selftest with an NVMe controller: its reads and writes of mapped memory arrive, all
 * others are blocked, in both kinds of domain. Identify is the only command.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "nvme.h"
#include "probe.h"
#include "selftest.h"

#define IOVA		0x4000000ULL
#define TABLE_PAGES	6

/* Pages of the arena, which is mapped at IOVA */
enum page {
	PAGE_SUBMISSIONS,
	PAGE_COMPLETIONS,
	PAGE_DATA,
	PAGE_TABLES,
	PAGES = PAGE_TABLES + TABLE_PAGES,
};

struct test {
	int fd;
	__u32 device;
	unsigned int vendor;
	unsigned char *arena;
	__u32 mdl;
	__u32 domain;
	bool os_managed;
	struct wdm_tables tables;
	struct nvme nvme;
};

static unsigned char *page(const struct test *test, enum page number)
{
	return test->arena + number * WDM_PAGE_SIZE;
}

static __u64 iova(enum page number)
{
	return IOVA + number * WDM_PAGE_SIZE;
}

/* Map a page, or unmap it if the permissions are 0. */
static __u32 set_page(struct test *test, enum page number, __u32 permissions)
{
	__u64 address = iova(number), *entry;

	if (!test->os_managed) {
		entry = wdm_tables_entry(&test->tables, address, WDM_LEVEL_4K, true);
		if (!entry)
			return STATUS_INSUFFICIENT_RESOURCES;
		*entry = permissions ? test->tables.format->leaf((uintptr_t)page(test, number),
								 WDM_LEVEL_4K, permissions) : 0;
		return wdm_flush_va_list(test->fd, test->domain, false, &address, 1, NULL);
	}
	if (!permissions)
		return wdm_unmap(test->fd, test->domain, address, WDM_PAGE_SIZE);
	return wdm_map(test->fd, test->domain, permissions, test->mdl, number * WDM_PAGE_SIZE,
		       WDM_PAGE_SIZE, address);
}

static bool must_set_page(struct test *test, enum page number, __u32 permissions)
{
	__u32 status = set_page(test, number, permissions);

	if (status)
		tap_diag("page %u: %s", number, wdm_status_name(status));
	return !status;
}

/* Make the controller write its description, and check whether it has arrived. */
static enum dma identify(struct test *test, enum nvme_result *result)
{
	unsigned char *data = page(test, PAGE_DATA);
	unsigned char before[WDM_PAGE_SIZE];

	probe_fill(data, WDM_PAGE_SIZE);
	memcpy(before, data, sizeof(before));
	*result = NVME_SILENT;
	if (!nvme_start(&test->nvme))
		return DMA_STUCK;
	*result = nvme_identify(&test->nvme, iova(PAGE_DATA));
	nvme_stop(&test->nvme);
	if (!memcmp(data, before, sizeof(before)))
		return DMA_BLOCKED;
	/* It starts with the vendor's PCI ID. */
	return (data[0] | data[1] << 8) == (int)test->vendor && *result == NVME_DONE ?
	       DMA_ARRIVED : DMA_GARBLED;
}

static void expect(struct test *test, enum dma expected, bool good, const char *what)
{
	static const char * const ends[] = {
		[NVME_DONE] = "succeeded",
		[NVME_ERROR] = "ended with an error",
		[NVME_SILENT] = "did not end",
	};
	enum nvme_result result;
	enum dma dma = identify(test, &result);

	/* A controller need not notice that a write was blocked. */
	good = good && dma == expected;
	if (!good)
		tap_diag("the data %s; the command %s", dma_name(dma), ends[result]);
	tap_ok(good, "%s: %s", test->os_managed ? "OS-managed" : "caller-managed", what);
}

static __u32 fill_domain(struct test *test)
{
	__u32 status;

	if (test->os_managed)
		return STATUS_SUCCESS;
	wdm_tables_init(&test->tables, &wdm_format_x64, 48, page(test, PAGE_TABLES), TABLE_PAGES,
			(uintptr_t)page(test, PAGE_TABLES));
	status = wdm_memory_add(test->fd, test->domain, WDM_RW, test->mdl, 0, 0,
				(uintptr_t)test->arena);
	return status ? status : wdm_tables_configure(&test->tables, test->fd, test->domain, NULL);
}

static bool open_domain(struct test *test)
{
	__u32 status = wdm_domain_create(test->fd, test->os_managed, 0, &test->domain);

	if (!status)
		status = wdm_attach(test->fd, test->domain, test->device);
	if (!status)
		status = fill_domain(test);
	if (!status)
		status = set_page(test, PAGE_SUBMISSIONS, WDM_RW);
	if (!status)
		status = set_page(test, PAGE_COMPLETIONS, WDM_RW);
	if (status)
		tap_diag("%s", wdm_status_name(status));
	return tap_ok(!status, "%s: create a domain, attach the controller, map its queues",
		      test->os_managed ? "OS-managed" : "caller-managed");
}

static void run_domain(struct test *test, bool os_managed)
{
	test->os_managed = os_managed;
	if (!open_domain(test))
		return;
	expect(test, DMA_BLOCKED, true, "a write to an address that is not mapped is blocked");
	expect(test, DMA_ARRIVED, must_set_page(test, PAGE_DATA, WDM_RW),
	       "a write to an address that is mapped arrives");
	expect(test, DMA_BLOCKED, must_set_page(test, PAGE_DATA, 0),
	       "the same write after an unmap is blocked");
	expect(test, DMA_BLOCKED, must_set_page(test, PAGE_DATA, WDM_IOMMU_READ),
	       "a write to memory that is mapped for reading only is blocked");
	expect(test, DMA_ARRIVED, must_set_page(test, PAGE_DATA, 0) &&
	       must_set_page(test, PAGE_DATA, WDM_RW), "mapped for writing again, it arrives");
	expect(test, DMA_BLOCKED, must_set_page(test, PAGE_SUBMISSIONS, 0),
	       "commands in memory that is not mapped are not read");
	expect(test, DMA_ARRIVED, must_set_page(test, PAGE_SUBMISSIONS, WDM_RW),
	       "mapped again, they are");
	tap_ok(!wdm_detach(test->fd, test->device), "%s: detach the controller",
	       os_managed ? "OS-managed" : "caller-managed");
	expect(test, DMA_BLOCKED, true, "detached, it can neither read nor write");
	tap_ok(!wdm_destroy(test->fd, test->domain), "%s: delete the domain",
	       os_managed ? "OS-managed" : "caller-managed");
}

/**
 * selftest_nvme() - Run the tests with a controller
 * @fd: /dev/wdm_iommu
 * @device: the controller
 * @vendor: its vendor's PCI ID
 */
void selftest_nvme(int fd, struct wdm_vfio_device *device, unsigned int vendor)
{
	struct test test = {
		.fd = fd,
		.device = wdm_vfio_handle(device),
		.vendor = vendor,
		.arena = get_pages(PAGES),
		.nvme = {
			.submissions_address = iova(PAGE_SUBMISSIONS),
			.completions_address = iova(PAGE_COMPLETIONS),
		},
	};
	struct wdm_error error;
	__u32 status;

	test.nvme.submissions = page(&test, PAGE_SUBMISSIONS);
	test.nvme.completions = page(&test, PAGE_COMPLETIONS);
	test.nvme.registers = wdm_bar_map(device, 0, 0, NVME_REGISTERS, &error);
	if (!tap_ok(test.nvme.registers, "map the controller's registers")) {
		tap_diag("%s", error.text);
		return;
	}
	status = wdm_mdl_create(fd, test.arena, PAGES * WDM_PAGE_SIZE, WDM_RW, &test.mdl);
	if (!tap_ok(!status, "pin memory for it")) {
		tap_diag("%s: %s", wdm_status_name(status), wdm_status_cure(status));
		return;
	}
	test.os_managed = true;
	expect(&test, DMA_BLOCKED, true, "attached to no domain, it can neither read nor write");
	run_domain(&test, true);
	run_domain(&test, false);
	tap_ok(!wdm_destroy(fd, test.mdl), "unpin the memory");
}
