// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl run-demo: both kinds of domain, with real DMA of QEMU's edu device; a line per step.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "probe.h"
#include "tap.h"
#include "wdmctl.h"

/* Addresses that devices use; below edu's default limit of 28 bits. */
#define HOME_ADDRESS	0x4000000ULL
#define PAGE_ADDRESS	0x4200000ULL

#define TABLE_PAGES	8

/*
 * Memory for the device, page by page, and for page tables. It is one MDL, and one arena in
 * which DMA is watched.
 */
struct memory {
	unsigned char home[WDM_PAGE_SIZE];
	unsigned char page[WDM_PAGE_SIZE];
	unsigned char other[WDM_PAGE_SIZE];
	unsigned char tables[TABLE_PAGES][WDM_PAGE_SIZE];
};

struct demo {
	int fd;
	struct wdm_vfio_device *device;
	__u32 handle;
	struct memory *memory;
	__u32 mdl;
	__u32 domain;
	struct probe probe;
	size_t early_slot;
	unsigned char early_secret[PROBE_BYTES];
};

/* Print a line: whether the call returned the expected status. */
static bool expect(const char *what, __u32 status, __u32 expected)
{
	int error = errno;
	char text[256];

	if (status != expected) {
		wdm_status_describe(status, error, text, sizeof(text));
		tap_diag("expected %s, got %s", wdm_status_name(expected), text);
	}
	return tap_ok(status == expected, "%s", what);
}

static bool expect_dma(const char *what, enum dma result, enum dma expected)
{
	if (result != expected)
		tap_diag("the transfer %s", dma_name(result));
	return tap_ok(result == expected, "%s", what);
}

static __u64 offset_of(const struct demo *demo, const void *page)
{
	return (const unsigned char *)page - (const unsigned char *)demo->memory;
}

static enum dma write_page(struct demo *demo)
{
	return probe_write(&demo->probe, PAGE_ADDRESS, demo->memory->page);
}

static enum dma read_page(struct demo *demo)
{
	return probe_read(&demo->probe, PAGE_ADDRESS, demo->memory->page, HOME_ADDRESS,
			  demo->memory->home);
}

static void before_attach(struct demo *demo)
{
	unsigned char *page = demo->memory->page;
	__u64 physical = physical_address(page);
	__u64 address = physical ? physical : PAGE_ADDRESS;

	tap_diag("no domain is attached");
	expect_dma("a write by the device to the memory's physical address is blocked",
		   probe_write(&demo->probe, address, page), DMA_BLOCKED);
	/* The result of this read shows once the device can write. */
	tap_ok(probe_read_into(&demo->probe, address, page, &demo->early_slot),
	       "the device tries to read it");
	memcpy(demo->early_secret, page, PROBE_BYTES);
}

static void map_page(struct demo *demo, const char *what, __u32 permissions)
{
	expect(what, wdm_map(demo->fd, demo->domain, permissions, demo->mdl,
			     offset_of(demo, demo->memory->page), WDM_PAGE_SIZE, PAGE_ADDRESS),
	       STATUS_SUCCESS);
}

static void unmap_page(struct demo *demo, const char *what)
{
	expect(what, wdm_unmap(demo->fd, demo->domain, PAGE_ADDRESS, WDM_PAGE_SIZE),
	       STATUS_SUCCESS);
}

static void os_managed(struct demo *demo)
{
	const __u64 list[] = { PAGE_ADDRESS };

	tap_diag("an OS-managed domain");
	expect("create an OS-managed domain",
	       wdm_domain_create(demo->fd, true, 0, &demo->domain), STATUS_SUCCESS);
	expect("map a page before any device is attached",
	       wdm_map(demo->fd, demo->domain, WDM_RW, demo->mdl,
		       offset_of(demo, demo->memory->home), WDM_PAGE_SIZE, HOME_ADDRESS),
	       STATUS_SUCCESS);
	expect("attach the device", wdm_attach(demo->fd, demo->domain, demo->handle),
	       STATUS_SUCCESS);
	expect_dma("what the device tried to read before it was attached has not arrived",
		   probe_read_result(&demo->probe, demo->early_slot, demo->early_secret,
				     HOME_ADDRESS, demo->memory->home), DMA_BLOCKED);
	tap_ok(probe_load(&demo->probe, HOME_ADDRESS, demo->memory->home),
	       "the device reads a page full of random bytes");
	expect_dma("a write by the device to an address that is not mapped is blocked",
		   write_page(demo), DMA_BLOCKED);

	map_page(demo, "map a second page", WDM_RW);
	expect_dma("a write by the device arrives", write_page(demo), DMA_ARRIVED);
	expect_dma("a read by the device arrives", read_page(demo), DMA_ARRIVED);
	unmap_page(demo, "unmap it");
	expect_dma("the same write is blocked", write_page(demo), DMA_BLOCKED);
	expect_dma("the same read is blocked", read_page(demo), DMA_BLOCKED);

	map_page(demo, "map it for reading only", WDM_IOMMU_READ);
	expect_dma("a read by the device arrives", read_page(demo), DMA_ARRIVED);
	expect_dma("a write by the device is blocked", write_page(demo), DMA_BLOCKED);
	unmap_page(demo, "unmap it");

	expect("Configure answers STATUS_INVALID_PARAMETER_1",
	       wdm_configure_x64(demo->fd, demo->domain, PAGE_ADDRESS, 0, NULL),
	       STATUS_INVALID_PARAMETER_1);
	expect("Flush answers STATUS_INVALID_PARAMETER_1",
	       wdm_flush(demo->fd, demo->domain, NULL), STATUS_INVALID_PARAMETER_1);
	expect("FlushByVaList answers STATUS_INVALID_PARAMETER_1",
	       wdm_flush_va_list(demo->fd, demo->domain, true, list, 1, NULL),
	       STATUS_INVALID_PARAMETER_1);
}

static void leave(struct demo *demo)
{
	expect("detach the device", wdm_detach(demo->fd, demo->handle), STATUS_SUCCESS);
	expect_dma("a write by the device is blocked",
		   probe_write(&demo->probe, HOME_ADDRESS, demo->memory->home), DMA_BLOCKED);
	expect("delete the domain", wdm_destroy(demo->fd, demo->domain), STATUS_SUCCESS);
}

static void caller_managed(struct demo *demo, const struct wdm_table_format *format)
{
	const __u64 list[] = { PAGE_ADDRESS };
	struct memory *memory = demo->memory;
	struct wdm_tables tables;
	unsigned char before[WDM_PAGE_SIZE];
	enum dma dma;
	__u64 *entry;

	tap_diag("a caller-managed domain with page tables in the %s format", format->name);
	expect("create a caller-managed domain",
	       wdm_domain_create(demo->fd, false, 0, &demo->domain), STATUS_SUCCESS);
	expect("add the program's memory to its address space, at its own addresses",
	       wdm_memory_add(demo->fd, demo->domain, WDM_RW, demo->mdl, 0, 0,
			      (uintptr_t)memory), STATUS_SUCCESS);
	expect("attach the device", wdm_attach(demo->fd, demo->domain, demo->handle),
	       STATUS_SUCCESS);
	expect_dma("not configured yet: a write by the device is blocked", write_page(demo),
		   DMA_BLOCKED);

	wdm_tables_init(&tables, format, 48, memory->tables, TABLE_PAGES,
			(uintptr_t)memory->tables);
	wdm_tables_map(&tables, HOME_ADDRESS, (uintptr_t)memory->home, WDM_LEVEL_4K, WDM_RW);
	wdm_tables_map(&tables, PAGE_ADDRESS, (uintptr_t)memory->page, WDM_LEVEL_4K, WDM_RW);
	expect("configure it with page tables in the program's memory",
	       wdm_tables_configure(&tables, demo->fd, demo->domain, NULL), STATUS_SUCCESS);
	expect_dma("a write by the device arrives", write_page(demo), DMA_ARRIVED);
	expect_dma("a read by the device arrives", read_page(demo), DMA_ARRIVED);

	entry = wdm_tables_entry(&tables, PAGE_ADDRESS, WDM_LEVEL_4K, false);
	*entry = format->leaf((uintptr_t)memory->other, WDM_LEVEL_4K, WDM_RW);
	expect("point an entry at another page, and flush its address",
	       wdm_flush_va_list(demo->fd, demo->domain, true, list, 1, NULL), STATUS_SUCCESS);
	memcpy(before, memory->page, sizeof(before));
	dma = probe_write(&demo->probe, PAGE_ADDRESS, memory->other);
	expect_dma("a write by the device arrives in the other page", dma, DMA_ARRIVED);
	tap_ok(dma == DMA_ARRIVED && !memcmp(before, memory->page, sizeof(before)),
	       "and no longer in the first");

	*entry = 0;
	expect("clear the entry, and flush the domain",
	       wdm_flush(demo->fd, demo->domain, NULL), STATUS_SUCCESS);
	expect_dma("the same write is blocked",
		   probe_write(&demo->probe, PAGE_ADDRESS, memory->other), DMA_BLOCKED);

	expect("Map answers STATUS_INVALID_PARAMETER_1",
	       wdm_map(demo->fd, demo->domain, WDM_RW, demo->mdl, 0, 0, PAGE_ADDRESS),
	       STATUS_INVALID_PARAMETER_1);
	expect("Unmap answers STATUS_INVALID_PARAMETER_1",
	       wdm_unmap(demo->fd, demo->domain, PAGE_ADDRESS, WDM_PAGE_SIZE),
	       STATUS_INVALID_PARAMETER_1);
}

static bool start(struct demo *demo, const char *bdf)
{
	struct wdm_error error;
	void *bar;

	demo->fd = wdm_open();
	if (!tap_ok(demo->fd >= 0, "open " WDM_IOMMU_PATH))
		return report_open(), false;
	demo->device = wdm_vfio_open(demo->fd, bdf, &error);
	if (!tap_ok(demo->device,
		    "open %s through VFIO, with its DMA given to " WDM_IOMMU_PATH, bdf))
		return report_error(bdf, &error), false;
	demo->handle = wdm_vfio_handle(demo->device);
	bar = wdm_bar_map(demo->device, 0, 0, 0, NULL);
	if (!tap_ok(wdm_edu_present(bar), "it is an edu device"))
		return false;
	return expect("make an MDL of the program's memory",
		      wdm_mdl_create(demo->fd, demo->memory, sizeof(*demo->memory), WDM_RW,
				     &demo->mdl), STATUS_SUCCESS) &&
	       probe_init(&demo->probe, bar, demo->memory, sizeof(*demo->memory));
}

static void run(struct demo *demo, const char *bdf)
{
	if (start(demo, bdf)) {
		before_attach(demo);
		os_managed(demo);
		leave(demo);
		caller_managed(demo, &wdm_format_x64);
		leave(demo);
		caller_managed(demo, &wdm_format_arm64);
		leave(demo);
		expect("delete the MDL", wdm_destroy(demo->fd, demo->mdl), STATUS_SUCCESS);
	}
	probe_free(&demo->probe);
	wdm_vfio_close(demo->device);
	if (demo->fd >= 0)
		close(demo->fd);
}

int cmd_demo(const struct options *options)
{
	const char *bdf = options->words[0];
	struct wdm_bdf found;
	struct demo demo = {
		.fd = -1,
		.memory = get_pages(sizeof(struct memory) / WDM_PAGE_SIZE),
	};

	if (!bdf && find_edu(&found, 1))
		bdf = found.text;
	if (!bdf) {
		fprintf(stderr, "wdmctl: no edu device is bound to a VFIO driver\n");
		return 1;
	}
	tap_header("TAP version 13");
	run(&demo, bdf);
	return tap_finish();
}
