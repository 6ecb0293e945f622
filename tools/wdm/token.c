// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tokens and segments; and maps of scattered pages in domains that choose the address. There,
 * the kernel maps only contiguous memory of a program with one call, so each such map is a
 * token that the driver does not see, with a segment for each page: any page can be unmapped
 * separately, and the addresses become free with the last one.
 */
#include "private.h"

/**
 * struct wdk_segment - a segment of a token
 * @link: in the token's list
 * @offset: offset in the token
 * @size: size in bytes
 * @step: size of the kernel's segments in bytes
 */
struct wdk_segment {
	LIST_ENTRY link;
	SIZE_T offset;
	SIZE_T size;
	SIZE_T step;
};

/* Tokens of drivers; guarded by wdk_lock, as are their segments */
static LIST_ENTRY tokens = { &tokens, &tokens };

static NTSTATUS reserve(PIOMMU_DMA_DOMAIN domain, SIZE_T size,
			const IOMMU_DMA_LOGICAL_ADDRESS *explicit,
			const IOMMU_DMA_LOGICAL_ADDRESS *min,
			const IOMMU_DMA_LOGICAL_ADDRESS *max, struct wdk_token **out)
{
	struct wdm_iommu_reserve argument = {
		.size = sizeof(argument),
		.domain = domain->handle,
		.flags = (explicit ? WDM_IOMMU_ADDRESS_EXPLICIT : 0) |
			 (min ? WDM_IOMMU_ADDRESS_MIN : 0) | (max ? WDM_IOMMU_ADDRESS_MAX : 0),
		.length = size,
		.logical_address = explicit ? *explicit : 0,
		.min_address = min ? *min : 0,
		.max_address = max ? *max : 0,
	};
	struct wdk_token *token = calloc(1, sizeof(*token));
	NTSTATUS status;

	if (!token)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = wdk_call(WDM_IOMMU_RESERVE, &argument);
	if (!NT_SUCCESS(status)) {
		free(token);
		return status;
	}
	token->base = argument.logical_address;
	token->size = size;
	token->head.LogicalAddressBase = token->base;
	token->head.Size = size;
	token->handle = argument.token;
	token->domain = domain;
	InitializeListHead(&token->segments);
	*out = token;
	return status;
}

/* Free a token that the kernel no longer has. */
static void free_token(struct wdk_token *token)
{
	while (!IsListEmpty(&token->segments))
		free(CONTAINING_RECORD(RemoveHeadList(&token->segments), struct wdk_segment,
				       link));
	free(token);
}

static struct wdk_token *find_token(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN head)
{
	struct wdk_token *token = CONTAINING_RECORD(head, struct wdk_token, head);

	return wdk_contains(&tokens, &token->link) ? token : NULL;
}

/* Contract: IommuReserveLogicalAddressRange. */
NTSTATUS wdk_reserve_logical_address_range(PIOMMU_DMA_DOMAIN Domain, SIZE_T Size,
					   PIOMMU_DMA_LOGICAL_ADDRESS ExplicitLogicalAddress,
					   PIOMMU_DMA_LOGICAL_ADDRESS MinLogicalAddress,
					   PIOMMU_DMA_LOGICAL_ADDRESS MaxLogicalAddress,
					   PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN *LogicalAddressToken)
{
	struct wdk_token *token;
	NTSTATUS status;

	wdm_port_passive("ReserveLogicalAddressRange");
	if (!wdk_maps(Domain))
		return STATUS_INVALID_PARAMETER_1;
	status = reserve(Domain, Size, ExplicitLogicalAddress, MinLogicalAddress,
			 MaxLogicalAddress, &token);
	if (!NT_SUCCESS(status))
		return status;
	wdk_acquire();
	InsertTailList(&tokens, &token->link);
	wdk_release();
	*LogicalAddressToken = &token->head;
	return status;
}

/* Contract: IommuFreeReservedLogicalAddressRange. */
NTSTATUS
wdk_free_reserved_logical_address_range(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN LogicalAddressToken)
{
	NTSTATUS status = STATUS_UNSUCCESSFUL;
	struct wdk_token *token;

	wdm_port_passive("FreeReservedLogicalAddressRange");
	wdk_acquire();
	token = find_token(LogicalAddressToken);
	if (token)
		status = wdk_status(wdm_destroy(wdk_fd(), token->handle));
	if (NT_SUCCESS(status)) {
		RemoveEntryList(&token->link);
		free_token(token);
	}
	wdk_release();
	return status;
}

/* Map the first @bytes of the runs in pieces of @step. */
static NTSTATUS map_pieces(struct wdk_token *token, SIZE_T offset, ULONG permissions,
			   const struct wdk_memory *memory, SIZE_T step)
{
	NTSTATUS status = STATUS_SUCCESS;
	SIZE_T done = 0, at;
	size_t i;

	for (i = 0; i < memory->nr_runs && NT_SUCCESS(status); i++) {
		for (at = 0; at < memory->runs[i].bytes; at += step) {
			struct wdm_iommu_memory piece =
				wdk_user_memory(memory->runs[i].va + at, step);

			status = wdk_status(wdm_map_reserved(wdk_fd(), token->handle,
							     offset + done, permissions,
							     &piece));
			if (!NT_SUCCESS(status))
				break;
			done += step;
		}
	}
	/* All or nothing */
	while (!NT_SUCCESS(status) && done) {
		done -= step;
		wdm_unmap_reserved(wdk_fd(), token->handle, offset + done, step);
	}
	return status;
}

static NTSTATUS map_segment(struct wdk_token *token, SIZE_T offset, ULONG permissions,
			    const struct wdk_memory *memory, SIZE_T step)
{
	struct wdk_segment *segment = malloc(sizeof(*segment));
	NTSTATUS status;

	if (!segment)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = map_pieces(token, offset, permissions, memory, step);
	if (!NT_SUCCESS(status)) {
		free(segment);
		return status;
	}
	segment->offset = offset;
	segment->size = memory->pages << PAGE_SHIFT;
	segment->step = step;
	InsertTailList(&token->segments, &segment->link);
	return status;
}

/* Limit to the pages after @offset; a piece must not end in the middle. */
static NTSTATUS check_segment(const struct wdk_token *token, SIZE_T offset,
			      const struct wdk_memory *memory)
{
	if (offset % PAGE_SIZE || offset >= token->size)
		return STATUS_INVALID_PARAMETER_2;
	if (memory->pages > (token->size - offset) >> PAGE_SHIFT)
		return STATUS_INVALID_PARAMETER_4;
	return STATUS_SUCCESS;
}

static NTSTATUS map_reserved(struct wdk_token *token, SIZE_T offset, ULONG permissions,
			     struct wdk_memory *memory)
{
	NTSTATUS status = check_segment(token, offset, memory);
	SIZE_T step = PAGE_SIZE;

	if (NT_SUCCESS(status) && memory->nr_runs == 1)
		step = memory->pages << PAGE_SHIFT;
	if (NT_SUCCESS(status))
		status = map_segment(token, offset, permissions, memory, step);
	return status;
}

/* Contract: IommuMapReservedLogicalRange. */
NTSTATUS
wdk_map_reserved_logical_range(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN LogicalAddressToken,
			       SIZE_T Offset, ULONG Permissions,
			       PIOMMU_MAP_PHYSICAL_ADDRESS PhysicalAddressToMap,
			       PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT MappedSegment)
{
	struct wdk_memory memory = { .pages = 0 };
	struct wdk_token *token;
	NTSTATUS status = STATUS_SUCCESS;
	bool exists;

	wdk_acquire();
	exists = find_token(LogicalAddressToken);
	wdk_release();
	if (!exists)
		return STATUS_UNSUCCESSFUL;
	if (!Permissions || Permissions & ~WDK_PERMISSIONS)
		return STATUS_INVALID_PARAMETER_3;
	if (!wdk_memory_of(PhysicalAddressToMap, &memory))
		return STATUS_INVALID_PARAMETER_4;
	if (!MappedSegment)
		return STATUS_INVALID_PARAMETER_5;
	status = wdk_memory_find(&memory);
	wdk_acquire();
	token = find_token(LogicalAddressToken);
	if (!token)
		status = STATUS_UNSUCCESSFUL;
	else if (NT_SUCCESS(status))
		status = map_reserved(token, Offset, Permissions, &memory);
	wdk_release();
	free(memory.runs);
	if (NT_SUCCESS(status)) {
		MappedSegment->OwningToken = LogicalAddressToken;
		MappedSegment->Offset = Offset;
		MappedSegment->Size = memory.pages << PAGE_SHIFT;
	}
	return status;
}

static NTSTATUS unmap_segment(struct wdk_token *token, struct wdk_segment *segment)
{
	NTSTATUS status = STATUS_SUCCESS;
	SIZE_T at;

	for (at = 0; at < segment->size && NT_SUCCESS(status); at += segment->step)
		status = wdk_status(wdm_unmap_reserved(wdk_fd(), token->handle,
						       segment->offset + at, segment->step));
	RemoveEntryList(&segment->link);
	free(segment);
	return status;
}

/* Contract: IommuUnmapReservedLogicalRange. */
NTSTATUS
wdk_unmap_reserved_logical_range(PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN_MAPPED_SEGMENT MappedSegment)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER;
	struct wdk_token *token;
	PLIST_ENTRY entry;

	if (!MappedSegment)
		return status;
	wdk_acquire();
	token = find_token(MappedSegment->OwningToken);
	for (entry = token ? token->segments.Flink : NULL;
	     token && entry != &token->segments; entry = entry->Flink) {
		struct wdk_segment *segment = CONTAINING_RECORD(entry, struct wdk_segment, link);

		if (segment->offset == MappedSegment->Offset &&
		    segment->size == MappedSegment->Size) {
			status = unmap_segment(token, segment);
			break;
		}
	}
	if (NT_SUCCESS(status))
		MappedSegment->Size = 0;
	wdk_release();
	return status;
}

/**
 * wdk_map_scattered() - Map scattered pages at an address that the domain chooses
 * @domain: the domain
 * @permissions: what devices may do
 * @memory: the pages
 * @min: the lowest address, or NULL
 * @max: the last one, inclusive, or NULL
 * @address: out: the address
 *
 * Return: as the ioctls RESERVE and MAP_RESERVED.
 */
NTSTATUS wdk_map_scattered(PIOMMU_DMA_DOMAIN domain, ULONG permissions,
			   const struct wdk_memory *memory,
			   const IOMMU_DMA_LOGICAL_ADDRESS *min,
			   const IOMMU_DMA_LOGICAL_ADDRESS *max, ULONGLONG *address)
{
	struct wdk_token *token;
	NTSTATUS status;

	status = reserve(domain, memory->pages << PAGE_SHIFT, NULL, min, max, &token);
	if (!NT_SUCCESS(status))
		return status;
	wdk_acquire();
	status = map_segment(token, 0, permissions, memory, PAGE_SIZE);
	if (NT_SUCCESS(status)) {
		*address = token->base;
		InsertTailList(&domain->scattered, &token->link);
	} else {
		wdm_destroy(wdk_fd(), token->handle);
		free_token(token);
	}
	wdk_release();
	return status;
}

/* Find the lowest token of @list with an address from @address to @last, inclusive. */
static struct wdk_token *next_token(const LIST_ENTRY *list, PIOMMU_DMA_DOMAIN domain,
				    ULONGLONG address, ULONGLONG last)
{
	struct wdk_token *lowest = NULL;
	const LIST_ENTRY *entry;

	for (entry = list->Flink; entry != list; entry = entry->Flink) {
		struct wdk_token *token = CONTAINING_RECORD(entry, struct wdk_token, link);

		if (token->domain == domain && token->base <= last &&
		    token->base + (token->size - 1) >= address &&
		    (!lowest || token->base < lowest->base))
			lowest = token;
	}
	return lowest;
}

/* Unmap pages of one scattered map, all of which are mapped. */
static void unmap_pages(struct wdk_token *token, ULONGLONG address, ULONGLONG length)
{
	SIZE_T offset = address - token->base, end = offset + length;

	for (; offset < end; offset += PAGE_SIZE)
		wdm_unmap_reserved(wdk_fd(), token->handle, offset, PAGE_SIZE);
	/* RESOURCE_IN_USE: some of its pages are still mapped. */
	if (!wdm_destroy(wdk_fd(), token->handle)) {
		RemoveEntryList(&token->link);
		free_token(token);
	}
}

/**
 * wdk_unmap_scattered() - Unmap a range that is a token for the kernel
 * @domain: the domain
 * @address: the first address
 * @length: number of bytes; the range may end with the last page of the address space
 *
 * Return: STATUS_RESOURCE_IN_USE if a driver's token is in the range; STATUS_NOT_FOUND if part
 * of it is not mapped. Has no effect on failure.
 */
NTSTATUS wdk_unmap_scattered(PIOMMU_DMA_DOMAIN domain, ULONGLONG address, ULONGLONG length)
{
	ULONGLONG last = address + length - 1, part;
	NTSTATUS status = STATUS_SUCCESS;
	struct wdk_token *token;

	wdk_acquire();
	if (next_token(&tokens, domain, address, last))
		status = STATUS_RESOURCE_IN_USE;
	else if (!wdk_is_mapped(domain, address, length))
		status = STATUS_NOT_FOUND;
	while (NT_SUCCESS(status) && length) {
		token = next_token(&domain->scattered, domain, address, last);
		if (token && token->base <= address) {
			part = token->size - (address - token->base);
			if (part > length)
				part = length;
			unmap_pages(token, address, part);
		} else {
			part = token ? token->base - address : length;
			status = wdk_status(wdm_unmap(wdk_fd(), domain->handle, address, part));
		}
		address += part;
		length -= part;
	}
	wdk_release();
	return status;
}

/**
 * wdk_forget_scattered() - Free the tokens of scattered maps
 * @domain: a domain that is to be deleted; wdk_lock is held
 *
 * Return: true if there were any, which kept the domain from being deleted.
 */
bool wdk_forget_scattered(PIOMMU_DMA_DOMAIN domain)
{
	struct wdm_iommu_query_domain query;

	if (IsListEmpty(&domain->scattered) || next_token(&tokens, domain, 0, UINT64_MAX) ||
	    wdk_has_pasids(domain) || wdm_query_domain(wdk_fd(), domain->handle, &query) ||
	    query.devices)
		return false;
	while (!IsListEmpty(&domain->scattered)) {
		struct wdk_token *token = CONTAINING_RECORD(domain->scattered.Flink,
							    struct wdk_token, link);

		unmap_pages(token, token->base, token->size);
	}
	return true;
}
