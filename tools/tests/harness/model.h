/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a domain should map, page by page, to compare QUERY_MAPPINGS with.
 */
#ifndef MODEL_H
#define MODEL_H

#include "fixture.h"

/**
 * struct model_page - one page
 * @mdl: 0: not mapped
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @offset: in the MDL
 */
struct model_page {
	__u32 mdl;
	__u32 permissions;
	__u64 offset;
};

/**
 * struct model - some addresses in a row; nothing is mapped below and above
 * @first: the first of them
 * @number: how many pages
 * @pages: what is mapped
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
