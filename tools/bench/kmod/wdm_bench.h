/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/wdm_bench: the floor of the benchmark. It performs IOMMU operations on behalf
 * of a program with no bookkeeping, and returns how long they took. It validates only
 * what keeps the machine alive, and is for root.
 *
 * A file has one device and one domain. Operations on a file may run in parallel on
 * ranges that do not overlap.
 */
#ifndef WDM_BENCH_H
#define WDM_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define WDM_BENCH_PATH	"/dev/wdm_bench"
#define WDM_BENCH_TYPE	0xDE

/**
 * struct wdm_bench_device - ioctl(WDM_BENCH_DEVICE): claim a PCI device
 * @segment: PCI segment (domain)
 * @bus: PCI bus
 * @devfn: (device << 3) | function
 * @reserved: 0
 * @ns: out: time to attach the domain, in nanoseconds
 *
 * This creates the domain and attaches the device. Closing the file releases both;
 * the domain must be empty by then.
 */
struct wdm_bench_device {
	__u32 segment;
	__u32 bus;
	__u32 devfn;
	__u32 reserved;
	__aligned_u64 ns;
};

#define WDM_BENCH_DEVICE	_IOWR(WDM_BENCH_TYPE, 0, struct wdm_bench_device)

/**
 * struct wdm_bench_pin - ioctl(WDM_BENCH_PIN): pin memory to map
 * @address: address in the calling process; page aligned
 * @length: length in bytes; whole pages
 * @flags: WDM_BENCH_PIN_*
 * @pin: out: number of the pin
 * @runs: out: number of physically contiguous runs
 * @ns: out: time to pin, in nanoseconds
 */
struct wdm_bench_pin {
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 flags;
/* Pin nothing yet: %WDM_BENCH_PIN_MAP pins page by page. */
#define WDM_BENCH_PIN_LATER	1
	__u32 pin;
	__aligned_u64 runs;
	__aligned_u64 ns;
};

#define WDM_BENCH_PIN		_IOWR(WDM_BENCH_TYPE, 1, struct wdm_bench_pin)

/**
 * struct wdm_bench_unpin - ioctl(WDM_BENCH_UNPIN): unpin memory
 * @pin: number of the pin; none of it may be mapped
 * @reserved: 0
 * @ns: out: time to unpin, in nanoseconds
 */
struct wdm_bench_unpin {
	__u32 pin;
	__u32 reserved;
	__aligned_u64 ns;
};

#define WDM_BENCH_UNPIN		_IOWR(WDM_BENCH_TYPE, 2, struct wdm_bench_unpin)

/**
 * struct wdm_bench_page - a page to map or unmap
 * @iova: I/O virtual address, in bytes
 * @page: index of the page in the pin
 */
struct wdm_bench_page {
	__aligned_u64 iova;
	__aligned_u64 page;
};

/**
 * struct wdm_bench_each - ioctl(WDM_BENCH_EACH): process pages one by one
 * @op: operation, WDM_BENCH_*
 * @pin: number of the pin
 * @number: number of pages
 * @pages: pointer to an array of @number &struct wdm_bench_page
 * @ns: out: time in nanoseconds, without the copy of the array
 */
struct wdm_bench_each {
	__u32 op;
/* iommu_map() */
#define WDM_BENCH_MAP			0
/* iommu_unmap(), which syncs the IOTLB */
#define WDM_BENCH_UNMAP			1
/* iommu_unmap_fast(), and one sync at the end */
#define WDM_BENCH_UNMAP_GATHER		2
/* iommu_map() and iommu_unmap() */
#define WDM_BENCH_MAP_UNMAP		3
/* iommu_unmap_fast() and iommu_map(), and one sync at the end */
#define WDM_BENCH_REPLACE_GATHER	4
/* Pin the page and iommu_map() */
#define WDM_BENCH_PIN_MAP		5
/* iommu_unmap() and unpin the page */
#define WDM_BENCH_UNMAP_UNPIN		6
	__u32 pin;
	__aligned_u64 number;
	__aligned_u64 pages;
	__aligned_u64 ns;
};

#define WDM_BENCH_EACH		_IOWR(WDM_BENCH_TYPE, 3, struct wdm_bench_each)

/**
 * struct wdm_bench_whole - ioctl(WDM_BENCH_WHOLE): process all of a pin at once
 * @op: operation, WDM_BENCH_*
 * @pin: number of the pin
 * @iova: I/O virtual address of its first page, in bytes
 * @ns: out: time in nanoseconds
 */
struct wdm_bench_whole {
	__u32 op;
/* iommu_map_sg() */
#define WDM_BENCH_MAP_SG		0
/* iommu_map() of each physically contiguous run */
#define WDM_BENCH_MAP_RUNS		1
/* One iommu_unmap() */
#define WDM_BENCH_UNMAP_RANGE		2
	__u32 pin;
	__aligned_u64 iova;
	__aligned_u64 ns;
};

#define WDM_BENCH_WHOLE		_IOWR(WDM_BENCH_TYPE, 4, struct wdm_bench_whole)

/**
 * struct wdm_bench_compare - ioctl(WDM_BENCH_COMPARE): memcmp() of two pins
 * @first: number of a pin
 * @second: number of another pin of the same length
 * @different: out: number of pages that differ
 * @ns: out: time in nanoseconds
 */
struct wdm_bench_compare {
	__u32 first;
	__u32 second;
	__aligned_u64 different;
	__aligned_u64 ns;
};

#define WDM_BENCH_COMPARE	_IOWR(WDM_BENCH_TYPE, 5, struct wdm_bench_compare)

/* ioctl(WDM_BENCH_NOTHING): the cost of an ioctl alone. */
#define WDM_BENCH_NOTHING	_IOWR(WDM_BENCH_TYPE, 6, struct wdm_bench_each)

#endif /* WDM_BENCH_H */
