/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wdm-bench: VFIO type1, iommufd, this module and the floor take turns at the same
 * work, with the same memory and the same device. The floor is the kernel's IOMMU API
 * alone.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "wdm_bench.h"
#include "wdm_iommu_user.h"

#define PAGE		WDM_PAGE_SIZE

/* Where mappings start: above reserved regions, and within any aperture. */
#define IOVA_BASE	0x100000000ULL

/**
 * struct options - command line options
 * @env: first column of every row
 * @bdf: the device
 * @rounds: number of rounds of each workload
 * @quick: use small counts, to test the benchmark itself
 * @contenders: names, separated by commas; NULL for all
 */
struct options {
	const char *env;
	const char *bdf;
	unsigned int rounds;
	bool quick;
	const char *contenders;
};

extern struct options options;

/* memory.c */

/**
 * struct memory - memory of this process to map
 * @start: address
 * @pages: number of pages
 * @runs: number of physically contiguous runs
 */
struct memory {
	unsigned char *start;
	size_t pages;
	size_t runs;
};

struct memory memory_small_pages(size_t pages);
struct memory memory_huge_pages(size_t pages);
void memory_free(struct memory *memory);
void *allocate(size_t number, size_t size);
void shuffle(__u32 *numbers, size_t number, __u64 seed);
__u64 random_next(__u64 *state);
__u64 now_ns(void);

/**
 * struct kernel_memory - memory that the kernel uses, in bytes
 * @objects: slabs and vmalloc
 * @tables: IOMMU page tables, if the kernel counts them
 */
struct kernel_memory {
	double objects;
	double tables;
};

struct kernel_memory kernel_memory(void);

/* results.c */
void record(const char *workload, const char *variant, const char *contender,
	    const char *figure, const char *unit, double value);
void results_print(const char *workload);

/* contender.c */

/* What a contender does before the clock starts. */
enum heat {
	COLD,	/* nothing: a map pins and an unmap unpins, if possible */
	PINNED,	/* pin the memory, if possible */
};

/**
 * struct session - a contender that owns the device
 * @contender: the contender
 * @heat: what it does before the clock starts
 * @memory: memory to map
 * @attached: the device is attached to the domain
 * @fd: container, iommufd, /dev/wdm_iommu or /dev/wdm_bench
 * @group: VFIO group (type1)
 * @device: VFIO device (iommufd)
 * @device_id: ID of the device (iommufd)
 * @ioas: IOAS that the device is attached to (iommufd)
 * @source: IOAS that memory is copied from (copy)
 * @source_hwpt: page table of @source, which pins the memory (copy)
 * @domain: handle of the domain (wdm)
 * @mdl: handle of an MDL for all of the memory (wdm)
 * @vfio: the device (wdm)
 * @batch: buffer for a batch (wdm)
 * @pin: number of the pin (floor)
 */
struct session {
	const struct contender *contender;
	enum heat heat;
	const struct memory *memory;
	bool attached;
	int fd;
	int group;
	int device;
	__u32 device_id;
	__u32 ioas;
	__u32 source;
	__u32 source_hwpt;
	__u32 domain;
	__u32 mdl;
	struct wdm_vfio_device *vfio;
	struct wdm_iommu_batch_op *batch;
	__u32 pin;
};

/**
 * struct contender - a way to map memory for a device
 * @name: column of the results
 * @bit: for sets of contenders
 * @missing: return why this kernel lacks it, NULL if it does not
 * @start: open the device and create an empty domain; attach it if @attach is NULL
 * @attach: attach the device to the domain
 * @pin: prepare the memory as the session's heat says
 * @map: map pages of the memory
 * @unmap: unmap the pages of one @map
 * @map_each: map a list of pages; return nanoseconds. NULL: call @map in a loop
 * @unmap_each: unmap a list of pages; return nanoseconds. NULL: call @unmap in a loop
 * @map_unmap: map and unmap each page of a list; return nanoseconds. NULL: likewise
 * @replace: unmap and map each page of a list; return nanoseconds. NULL: likewise
 * @map_whole: map all of the memory; return nanoseconds. NULL: call @map
 * @unmap_whole: unmap all of the memory; return nanoseconds. NULL: call @unmap
 * @empty_call: make a number of calls that do nothing; return nanoseconds. May be NULL
 * @teardown: destroy the domain with its mappings; return nanoseconds
 * @finish: close what is still open
 */
struct contender {
	const char *name;
	unsigned int bit;
	const char *(*missing)(void);
	void (*start)(struct session *session);
	void (*attach)(struct session *session);
	void (*pin)(struct session *session);
	void (*map)(struct session *session, size_t page, size_t pages, __u64 iova);
	void (*unmap)(struct session *session, __u64 iova, size_t pages);
	__u64 (*map_each)(struct session *session, const struct wdm_bench_page *list,
			  size_t number);
	__u64 (*unmap_each)(struct session *session, const struct wdm_bench_page *list,
			    size_t number);
	__u64 (*map_unmap)(struct session *session, const struct wdm_bench_page *list,
			   size_t number);
	__u64 (*replace)(struct session *session, const struct wdm_bench_page *list,
			 size_t number);
	__u64 (*map_whole)(struct session *session, __u64 iova);
	__u64 (*unmap_whole)(struct session *session, __u64 iova);
	__u64 (*empty_call)(struct session *session, size_t number);
	__u64 (*teardown)(struct session *session, const struct wdm_bench_page *list,
			  size_t number);
	void (*finish)(struct session *session);
};

#define TYPE1		0x01
#define IOMMUFD		0x02
#define COPY		0x04
#define WDM		0x08
#define WDM_BATCH	0x10
#define FLOOR		0x20
#define FLOOR_GATHER	0x40
#define FLOOR_RUNS	0x80

extern const struct contender type1, iommufd, copy, wdm, wdm_batch_calls;
extern const struct contender floor_sync, floor_gather, floor_runs;

__u64 map_each(struct session *session, const struct wdm_bench_page *list, size_t number);
__u64 unmap_each(struct session *session, const struct wdm_bench_page *list, size_t number);
__u64 map_unmap(struct session *session, const struct wdm_bench_page *list, size_t number);
__u64 replace(struct session *session, const struct wdm_bench_page *list, size_t number);
__u64 map_whole(struct session *session, __u64 iova);
__u64 unmap_whole(struct session *session, __u64 iova);
bool iommu_is_null(void);
void clear_floor(struct session *session, const struct wdm_bench_page *list, size_t number);
void session_attach(struct session *session);
__u64 floor_compare(const struct memory *first, const struct memory *second);

/**
 * struct job - a workload, or a variant of one
 * @workload: name
 * @variant: name
 * @contenders: set of contenders that take part
 * @heat: what they do before the clock starts
 * @memory: memory to map
 * @unattached: start with the device detached
 * @body: the work of one contender in one round
 * @list: argument of @body
 * @number: length of @list, or number of repetitions, for @body
 */
struct job {
	const char *workload;
	const char *variant;
	unsigned int contenders;
	enum heat heat;
	const struct memory *memory;
	bool unattached;
	void (*body)(const struct job *job, struct session *session);
	const struct wdm_bench_page *list;
	size_t number;
};

void run_job(const struct job *job, unsigned int rounds);
bool takes_part(const struct contender *contender, const char *workload);
void report(const struct job *job, const struct session *session, const char *figure,
	    const char *unit, double value);

/* Workloads */
void w1_cold_pages(void);
void w2_pinned_pages(void);
void w3_batches(void);
void w4_cold_buffer(void);
void w5_pinned_buffer(void);
void w6_threads(void);
void w7_live_mappings(void);
void w8_caller_managed(void);
void w9_attach_and_close(void);

#endif
