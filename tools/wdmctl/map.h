/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a domain of another process maps, and a picture of it.
 */
#ifndef MAP_H
#define MAP_H

#include "fdinfo.h"
#include "wdmctl.h"

/**
 * struct map - the mappings of a domain
 * @file: the file that it belongs to
 * @domain: its fdinfo
 * @query: its state
 * @runs: what devices can reach, by address
 * @number: number of @runs
 * @complete: @runs has all of them
 * @caller: of a caller-managed domain: its caller's address space
 * @nr_caller: number of @caller
 * @ranges: addresses that can be mapped
 * @usable: the rest of that answer
 */
struct map {
	const struct open_file *file;
	const struct file_domain *domain;
	struct wdm_iommu_query_domain query;
	struct wdm_iommu_mapping *runs;
	size_t number;
	bool complete;
	struct wdm_iommu_mapping *caller;
	size_t nr_caller;
	struct wdm_iommu_range *ranges;
	struct wdm_iommu_query_ranges usable;
};

__u64 map_bytes(const struct map *map);
__u64 map_largest_page(const struct map *map, const struct wdm_iommu_mapping *run);

/* svg.c */
bool svg_write(const char *path, const struct map *maps, size_t number);

#endif
