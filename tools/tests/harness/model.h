/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The expected mappings of a domain, page by page, to compare QUERY_MAPPINGS with.
 */
#ifndef MODEL_H
#define MODEL_H

#include "fixture.h"

/**
 * struct model_page - one page
 * @mdl: the MDL; 0: not mapped
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @offset: offset in the MDL
 */
struct model_page {
	__u32 mdl;
	__u32 permissions;
	__u64 offset;
};

/**
 * struct model - a range of addresses; nothing is mapped outside of it
 * @first: start of the range
 * @number: number of pages
 * @pages: the expected mappings
 */
struct model {
	__u64 first;
	size_t number;
	struct model_page *pages;
};

void model_init(struct model *model, __u64 first, size_t number);
void model_set(struct model *model, __u64 address, size_t pages, __u32 mdl, __u64 offset,
	       __u32 permissions);
void model_clear(struct model *model, __u64 address, size_t pages);
size_t model_count(const struct model *model, __u64 address, size_t pages);
void model_apply(struct model *model, const struct wdm_iommu_batch_op *ops, size_t number);
bool model_check(const struct model *model, int fd, __u32 domain, __u32 what);
void model_check_dma(const struct model *model, struct fixture *fixture, size_t pages);

#endif
