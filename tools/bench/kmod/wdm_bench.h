/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/wdm_bench: the floor of the benchmark. It does to an IOMMU domain what a
 * program asks for, with nothing around it, and tells how long that took. It
 * checks no more than that the machine survives; it is for root.
 *
 * One file has one device and one domain. Operations of one file may run at the
 * same time on ranges that do not overlap.
 */
#ifndef WDM_BENCH_H
#define WDM_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define WDM_BENCH_PATH	"/dev/wdm_bench"
#define WDM_BENCH_TYPE	0xDE

/**
 * struct wdm_bench_device - ioctl(WDM_BENCH_DEVICE): take a PCI device
 * @segment: PCI segment (domain)
 * @bus: PCI bus
 * @devfn: (device << 3) | function
 * @reserved: 0
 * @ns: out: how long it took to attach the domain
 *
 * Without one the domain does not exist. Closing the file gives it back; what the
 * domain maps is to be unmapped before.
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
 * struct wdm_bench_pin - ioctl(WDM_BENCH_PIN): memory to map
 * @address: where it starts in the calling process; page aligned
 * @length: bytes; whole pages
 * @flags: WDM_BENCH_PIN_*
 * @pin: out: its number
 * @runs: out: runs of physically contiguous pages
 * @ns: out: how long pinning took
 */
struct wdm_bench_pin {
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 flags;
/* Pin nothing yet: %WDM_BENCH_PIN_MAP does it, page by page. */
#define WDM_BENCH_PIN_LATER	1
	__u32 pin;
	__aligned_u64 runs;
	__aligned_u64 ns;
};

#define WDM_BENCH_PIN		_IOWR(WDM_BENCH_TYPE, 1, struct wdm_bench_pin)

/**
 * struct wdm_bench_unpin - ioctl(WDM_BENCH_UNPIN): let memory go
 * @pin: its number; none of it may be mapped
 * @reserved: 0
 * @ns: out: how long unpinning took
 */
struct wdm_bench_unpin {
	__u32 pin;
	__u32 reserved;
	__aligned_u64 ns;
};

#define WDM_BENCH_UNPIN		_IOWR(WDM_BENCH_TYPE, 2, struct wdm_bench_unpin)

/**
 * struct wdm_bench_page - one page to map, or to unmap
 * @iova: where
 * @page: which page of the pin
 */
struct wdm_bench_page {
	__aligned_u64 iova;
	__aligned_u64 page;
};

/**
 * struct wdm_bench_each - ioctl(WDM_BENCH_EACH): pages, one after another
 * @op: what to do with each
 * @pin: the memory
 * @number: how many
 * @pages: pointer to an array of @number &struct wdm_bench_page
 * @ns: out: how long it took, without the copy of the array
 */
struct wdm_bench_each {
	__u32 op;
/* iommu_map() */
#define WDM_BENCH_MAP			0
/* iommu_unmap(), which syncs the IOTLB */
#define WDM_BENCH_UNMAP			1
/* iommu_unmap_fast(), and one sync in the end */
#define WDM_BENCH_UNMAP_GATHER		2
/* iommu_map() and iommu_unmap() */
#define WDM_BENCH_MAP_UNMAP		3
/* iommu_unmap_fast() and iommu_map(), and one sync in the end */
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
 * struct wdm_bench_whole - ioctl(WDM_BENCH_WHOLE): all of a pin at once
 * @op: what to do
 * @pin: the memory
 * @iova: where it starts
 * @ns: out: how long it took
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
 * @first: one
 * @second: the other, of the same length
 * @different: out: pages that are not equal
 * @ns: out: how long it took
 */
struct wdm_bench_compare {
	__u32 first;
	__u32 second;
	__aligned_u64 different;
	__aligned_u64 ns;
};

#define WDM_BENCH_COMPARE	_IOWR(WDM_BENCH_TYPE, 5, struct wdm_bench_compare)

/* ioctl(WDM_BENCH_NOTHING): what a call costs by itself. */
#define WDM_BENCH_NOTHING	_IOWR(WDM_BENCH_TYPE, 6, struct wdm_bench_each)

#endif /* WDM_BENCH_H */
