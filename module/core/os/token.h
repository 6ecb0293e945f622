/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Token: reserved logical pages, in which a map needs no memory (contract:
 * IOMMU_DMA_LOGICAL_ADDRESS_TOKEN).
 */
#ifndef WDM_CORE_OS_TOKEN_H
#define WDM_CORE_OS_TOKEN_H

#include <linux/sizes.h>

#include "iova.h"

/* Maximum number of pages of a token: 256 GiB */
#define WDM_TOKEN_MAX_PAGES	BIT_ULL(26)

/**
 * struct wdm_token - a token
 * @block: has taken its pages
 * @domain: the domain
 * @node: in wdm_domain.tokens; empty while it is being created
 * @nr_pages: number of pages, from the first of @block on
 * @nr_mapped: number of pages that are part of segments
 * @mapped: a bit per page: it is part of a segment
 * @starts: a bit per page: a segment starts there
 * @busy: a bit per page: a segment starts there that a call in progress is mapping or
 *	unmapping
 * @freed: it is being freed
 * @rcu: frees it
 *
 * Members that change after the token was created are guarded by wdm_domain.lock.
 */
struct wdm_token {
	struct wdm_iova_block block;
	struct wdm_domain *domain;
	struct list_head node;
	u64 nr_pages;
	u64 nr_mapped;
	unsigned long *mapped;
	unsigned long *starts;
	unsigned long *busy;
	bool freed;
	struct rcu_head rcu;
};

/* An unmap of this much does not cover a whole last-level table. */
#define WDM_TABLE_PART		(WDM_HWPT_TABLE_PAGES / 2)

/* Maximum number of pages that are mapped or unmapped between two yields */
#define WDM_TOKEN_STEP		((u64)SZ_32M >> PAGE_SHIFT)

/* The first page number of a token */
static inline u64 wdm_token_first(const struct wdm_token *token)
{
	return token->block.first;
}

/* The last page number of a token, inclusive */
static inline u64 wdm_token_last(const struct wdm_token *token)
{
	return token->block.first + token->nr_pages - 1;
}

static inline u64 wdm_token_iova(const struct wdm_token *token)
{
	return token->block.first << PAGE_SHIFT;
}

ntstatus_t wdm_token_create(struct wdm_domain *domain, u64 size, const u64 *iova,
			    const struct wdm_limits *limits, struct wdm_token **out);
ntstatus_t wdm_token_retire(struct wdm_token *token);
void wdm_token_free(struct wdm_token *token);
ntstatus_t wdm_token_delete(struct wdm_token *token);
void wdm_token_close(struct wdm_token *token);

bool wdm_token_uses(const struct wdm_iova_block *block, u64 pgno);
ntstatus_t wdm_tokens_prefill(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			      const atomic_t *revoking);

#endif /* WDM_CORE_OS_TOKEN_H */
