// SPDX-License-Identifier: GPL-2.0
/*
 * Regions of which only parts can be mapped. No device here has one, so a file stands for
 * the device's: what is mapped and what is read through the file must be the same bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "unit.h"
#include "vfio_device.h"

#define BAR		2
#define BAR_SIZE	0x10000ULL
#define BAR_OFFSET	(2ULL << 40)	/* where in the file, as for VFIO */

/* What VFIO answers for a region with capabilities: one that is not ours, then the areas */
struct answer {
	struct vfio_region_info info;
	struct vfio_info_cap_header other;
	__u64 padding;
	struct vfio_region_info_cap_sparse_mmap sparse;
	struct vfio_region_sparse_mmap_area areas[4];
};

static struct answer make_answer(void)
{
	return (struct answer) {
		.info = {
			.argsz = sizeof(struct answer),
			.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
				 VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS,
			.index = BAR,
			.cap_offset = offsetof(struct answer, other),
			.size = BAR_SIZE,
			.offset = BAR_OFFSET,
		},
		.other = {
			.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
			.next = offsetof(struct answer, sparse),
		},
		.sparse = {
			.header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
			.nr_areas = 4,
		},
		/* The second is empty, the last beyond the region: VFIO's drivers have both */
		.areas = { { 0, 0x2000 }, { 0, 0 }, { 0x8000, 0x4000 }, { 0xf000, 0x2000 } },
	};
}

static bool fill(struct wdm_vfio_device *device, const struct answer *answer)
{
	struct wdm_region *region = &device->regions[BAR];

	free(region->areas);
	*region = (struct wdm_region) { 0 };
	device->known = 1U << BAR;
	return wdm__region_fill(region, &answer->info);
}

static void test_areas(struct wdm_vfio_device *device)
{
	const struct answer answer = make_answer();
	__u64 offset, length;
	char *first, *second;

	tap_ok(fill(device, &answer) && device->regions[BAR].number == 2, "two parts of a BAR");
	tap_ok(wdm_bar_area(device, BAR, 1, &offset, &length) && offset == 0x8000 &&
	       length == 0x4000 && !wdm_bar_area(device, BAR, 2, &offset, &length),
	       "where they are");
	first = wdm_bar_map(device, BAR, 0x1000, 0x1000, NULL);
	second = wdm_bar_map(device, BAR, 0x9000, 0x3000, NULL);
	tap_ok(first && second, "both can be mapped");
	tap_ok(!wdm_bar_map(device, BAR, 0, 0, NULL) && errno == ENXIO &&
	       !wdm_bar_map(device, BAR, 0x1000, 0x1001, NULL) && errno == ENXIO &&
	       !wdm_bar_map(device, BAR, 0x7fff, 2, NULL) && errno == ENXIO &&
	       !wdm_bar_map(device, BAR, 0xf000, 0, NULL) && errno == ENXIO,
	       "what is not within one cannot");
	first[0x10] = 0x5a;
	second[0x20] = 0x7b;
}

/* The same register by its mapping and by the file */
static void test_registers(struct wdm_vfio_device *device)
{
	__u64 number = 0x1122334455667788, back = 0;
	__u8 byte, expected[8];
	bool good = true;

	tap_ok(wdm_bar_read8(device, BAR, 0x1010, &byte, NULL) && byte == 0x5a &&
	       wdm_bar_read8(device, BAR, 0x9020, &byte, NULL) && byte == 0x7b,
	       "registers that are mapped");
	for (unsigned int width = 1; width <= 8; width *= 2) {
		for (__u64 offset = 0x1f00; offset < 0x2100; offset += 0x100) {
			good &= wdm_bar_write(device, BAR, offset, &number, width, NULL);
			good &= wdm_bar_read(device, BAR, offset, &back, width, NULL);
			good &= !memcmp(&number, &back, width);
			good &= pread64(device->fd, expected, width, BAR_OFFSET + offset) ==
				(ssize_t)width && !memcmp(&number, expected, width);
		}
	}
	tap_ok(good, "all widths, mapped and not");
	tap_ok(!wdm_bar_read8(device, BAR, BAR_SIZE, &byte, NULL) && errno == ERANGE,
	       "no register beyond the BAR");
	wdm_bar_unmap(device, BAR);
	tap_ok(wdm_bar_read8(device, BAR, 0x1010, &byte, NULL) && byte == 0x5a,
	       "registers that are no longer mapped");
}

/* Lists of capabilities that no kernel makes: no part can be mapped, or all of the BAR */
static void test_lists(struct wdm_vfio_device *device)
{
	struct answer answer = make_answer();

	answer.sparse.nr_areas = 0;
	tap_ok(fill(device, &answer) && !device->regions[BAR].number, "no part");
	answer.sparse.nr_areas = 5;
	tap_ok(fill(device, &answer) && device->regions[BAR].number == 1,
	       "more areas than there is room for");
	answer = make_answer();
	answer.other.next = answer.info.cap_offset;
	tap_ok(fill(device, &answer) && device->regions[BAR].number == 1, "a circle");
	answer.other.next = sizeof(answer);
	tap_ok(fill(device, &answer) && device->regions[BAR].number == 1, "a list that leads out");
	answer = make_answer();
	answer.info.flags &= ~VFIO_REGION_INFO_FLAG_MMAP;
	tap_ok(fill(device, &answer) && !device->regions[BAR].number &&
	       !wdm_bar_map(device, BAR, 0, 1, NULL) && errno == ENXIO, "a BAR without mmap");
}

/* More than a program of 32 bits can map */
static void test_large(struct wdm_vfio_device *device)
{
	struct answer answer = make_answer();
	bool mapped;

	answer.info.size = 1ULL << 33;
	answer.areas[0].size = (1ULL << 32) + WDM_PAGE_SIZE;
	errno = 0;
	mapped = fill(device, &answer) && wdm_bar_map(device, BAR, 0, 1, NULL);
	tap_ok(sizeof(size_t) == 8 ? mapped : !mapped && errno == EOVERFLOW,
	       "a part of more than 4 GiB");
}

void test_region(void)
{
	struct wdm_vfio_device *device = wdm__vfio_new();

	device->fd = memfd_create("device", MFD_CLOEXEC);
	if (!tap_ok(device->fd >= 0 && !ftruncate64(device->fd, BAR_OFFSET + BAR_SIZE),
		    "a file in place of a device"))
		return;
	test_areas(device);
	test_registers(device);
	test_lists(device);
	test_large(device);
	wdm_vfio_close(device);
}
