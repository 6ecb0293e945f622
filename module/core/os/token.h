/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Token: logical pages that are reserved, so that mapping in them needs no memory
 * (contract: IOMMU_DMA_LOGICAL_ADDRESS_TOKEN).
 */
#ifndef WDM_CORE_OS_TOKEN_H
#define WDM_CORE_OS_TOKEN_H

#include "iova.h"

struct wdm_frames;

/* Pages of one token, at most: 256 GiB */
#define WDM_TOKEN_MAX_PAGES	BIT_ULL(26)

/**
 * struct wdm_token - a token
 * @block: has taken its pages
 * @domain: the domain
 * @node: in wdm_domain.tokens
 * @nr_pages: how many pages it has, from the first of @block on
 * @nr_mapped: how many of them are part of segments
 * @mapped: a bit for each page: it is part of a segment
 * @starts: a bit for each page: a segment starts there
 * @busy: a bit for each page: a segment starts there, and a call is not through with
 *	mapping or unmapping it
 * @freed: it is being freed
 * @rcu: for freeing it
 *
 * What changes after the token was made is guarded by wdm_domain.lock.
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

ntstatus_t wdm_token_map(struct wdm_token *token, u64 offset, u32 perms,
			 struct wdm_mdl *mdl, u64 mdl_page, u64 nr_pages);
ntstatus_t wdm_token_unmap(struct wdm_token *token, u64 offset, u64 size);

ntstatus_t wdm_token_map_frames(struct wdm_token *token, u64 offset, u32 perms,
				const struct wdm_frames *frames);
ntstatus_t wdm_token_unmap_frames(struct wdm_token *token, u64 offset, u64 size);

bool wdm_tokens_use(struct wdm_domain *domain, u64 iova, u64 last_iova);
ntstatus_t wdm_tokens_prefill(struct wdm_domain *domain, struct wdm_hwpt *hwpt,
			      const atomic_t *revoking);

#endif /* WDM_CORE_OS_TOKEN_H */
