// SPDX-License-Identifier: GPL-2.0
/*
 * Tokens of the tables of versions 2 and 3: reserved logical addresses.
 *
 * A token is named by its address. A driver that frees a token while another thread maps
 * in it is promised a status, so the address is looked up before it is dereferenced, and a
 * token is freed after an RCU grace period.
 */
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "../core/frames.h"
#include "../core/os/segment.h"
#include "../core/os/token.h"
#include "wdk.h"

/**
 * struct wdk_token - a token of kernel code
 * @head: the part that drivers see, which is never trusted
 * @core: the token
 * @node: in wdk_tokens
 * @rcu: frees it
 */
struct wdk_token {
	IOMMU_DMA_LOGICAL_ADDRESS_TOKEN head;
	struct wdm_token *core;
	struct hlist_node node;
	struct rcu_head rcu;
};

/* All tokens, by address; changed with wdk_token_lock held, read under RCU */
static DEFINE_HASHTABLE(wdk_tokens, 8);
static DEFINE_MUTEX(wdk_token_lock);

/* Called with wdk_token_lock held, or in an RCU read-side critical section. */
static struct wdk_token *wdk_token_find(const IOMMU_DMA_LOGICAL_ADDRESS_TOKEN *head)
{
	struct wdk_token *token;

	hash_for_each_possible_rcu(wdk_tokens, token, node, (unsigned long)head,
				   lockdep_is_held(&wdk_token_lock))
		if (&token->head == head)
			return token;
	return NULL;
}

/**
 * wdk_reserve_logical_address_range() - Reserve logical addresses
 * @Domain: the domain
 * @Size: number of bytes
 * @ExplicitLogicalAddress: first address, in a domain without an allocator; otherwise NULL
 * @MinLogicalAddress: the lowest address for the allocator, or NULL
 * @MaxLogicalAddress: the last one, inclusive, or NULL
 * @LogicalAddressToken: out: the token
 *
 * Contract: IommuReserveLogicalAddressRange.
 *
 * Context: PASSIVE_LEVEL.
 * Return: as wdm_token_create().
 */
NTSTATUS wdk_reserve_logical_address_range(PIOMMU_DMA_DOMAIN Domain, SIZE_T Size,
					   PIOMMU_DMA_LOGICAL_ADDRESS ExplicitLogicalAddress,
					   PIOMMU_DMA_LOGICAL_ADDRESS MinLogicalAddress,
					   PIOMMU_DMA_LOGICAL_ADDRESS MaxLogicalAddress,
					   PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN *LogicalAddressToken)
{
	struct wdm_limits limits = wdk_limits(MinLogicalAddress, MaxLogicalAddress);
	u64 iova = ExplicitLogicalAddress ? *ExplicitLogicalAddress : 0;
	struct wdk_token *token;
	NTSTATUS status;

	might_sleep();
	token = kzalloc(sizeof(*token), GFP_KERNEL);
	if (!token)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = wdm_token_create(Domain->core, Size, ExplicitLogicalAddress ? &iova : NULL,
				  &limits, &token->core);
	if (!wdm_ok(status)) {
		kfree(token);
		return status;
	}
	token->head.LogicalAddressBase = wdm_token_iova(token->core);
	token->head.Size = Size;
	mutex_lock(&wdk_token_lock);
	hash_add_rcu(wdk_tokens, &token->node, (unsigned long)&token->head);
	mutex_unlock(&wdk_token_lock);
	*LogicalAddressToken = &token->head;
	return STATUS_SUCCESS;
}

/**
 * wdk_free_reserved_logical_address_range() - Free reserved logical addresses
 * @LogicalAddressToken: the token
 *
 * Contract: IommuFreeReservedLogicalAddressRange.
 *
 * Context: PASSIVE_LEVEL.
 * Return: STATUS_RESOURCE_IN_USE while a segment is mapped; STATUS_UNSUCCESSFUL if there
 * is no such token, or it is being freed.
 */
NTSTATUS
wdk_free_reserved_logical_address_range(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN LogicalAddressToken)
{
	NTSTATUS status = STATUS_UNSUCCESSFUL;
	struct wdk_token *token;

	might_sleep();
	mutex_lock(&wdk_token_lock);
	token = wdk_token_find(LogicalAddressToken);
	if (token)
		status = wdm_token_retire(token->core);
	if (wdm_ok(status))
		hash_del_rcu(&token->node);
	mutex_unlock(&wdk_token_lock);
	if (wdm_ok(status)) {
		wdm_token_free(token->core);
		kfree_rcu(token, rcu);
	}
	return status;
}

/**
 * wdk_map_reserved_logical_range() - Map memory as a segment of a token
 * @LogicalAddressToken: the token
 * @Offset: offset in the token, in bytes
 * @Permissions: IOMMU_ACCESS_READ, IOMMU_ACCESS_WRITE
 * @PhysicalAddressToMap: the memory, which the caller keeps
 * @MappedSegment: out: the segment, for wdk_unmap_reserved_logical_range()
 *
 * Contract: IommuMapReservedLogicalRange. Does not allocate memory itself.
 *
 * Context: up to DISPATCH_LEVEL.
 * Return: as wdm_token_map_frames(); STATUS_INVALID_PARAMETER_5 without @MappedSegment.
 */
NTSTATUS
wdk_map_reserved_logical_range(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN LogicalAddressToken,
			       SIZE_T Offset, ULONG Permissions,
			       PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap,
			       PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT MappedSegment)
{
	struct wdk_token *token;
	struct wdm_frames frames;
	NTSTATUS status;

	rcu_read_lock();
	token = wdk_token_find(LogicalAddressToken);
	if (!token)
		status = STATUS_UNSUCCESSFUL;
	else if (!Permissions || Permissions & ~WDM_PERMS)
		status = STATUS_INVALID_PARAMETER_3;
	else if (!wdk_memory_frames(PhysicalAddressToMap, &frames))
		status = STATUS_INVALID_PARAMETER_4;
	else if (!MappedSegment)
		status = STATUS_INVALID_PARAMETER_5;
	else
		status = wdm_token_map_frames(token->core, Offset, Permissions, &frames);
	if (wdm_ok(status)) {
		MappedSegment->OwningToken = LogicalAddressToken;
		MappedSegment->Offset = Offset;
		MappedSegment->Size = frames.nr_pages << PAGE_SHIFT;
	}
	rcu_read_unlock();
	return status;
}

/**
 * wdk_unmap_reserved_logical_range() - Unmap a segment
 * @MappedSegment: the segment, as filled in by the map; on success its Size becomes 0
 *
 * Contract: IommuUnmapReservedLogicalRange. When it returns, the segment blocks.
 *
 * Context: up to DISPATCH_LEVEL.
 * Return: STATUS_INVALID_PARAMETER if there is no such segment.
 */
NTSTATUS
wdk_unmap_reserved_logical_range(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT MappedSegment)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER;
	struct wdk_token *token;

	if (!MappedSegment)
		return status;
	rcu_read_lock();
	token = wdk_token_find(MappedSegment->OwningToken);
	if (token)
		status = wdm_token_unmap_frames(token->core, MappedSegment->Offset,
						MappedSegment->Size);
	if (wdm_ok(status))
		MappedSegment->Size = 0;
	rcu_read_unlock();
	return status;
}
