// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The memory of a program as physical memory.
 *
 * Windows code puts physical addresses into page tables, MDLs and calls. A program does not
 * know those of its machine, and need not: the library assigns a fake page frame to each page
 * of the program whose address is asked for. Maps translate frames back to memory of the
 * program; caller-managed domains use the same frames as their caller's address space. Frames
 * are where a PC has RAM, from 256 MiB on and not between 3.5 and 4 GiB, so that identity maps
 * work with IOMMUs of few address bits and avoid interrupt windows.
 *
 * A page keeps its frame as long as something holds it: a block of the pool, a locked MDL, or
 * for other memory the end of the program. malloc() may return freed memory again: a new block
 * of whole pages gets new frames. A page is pinned when a caller-managed domain needs it.
 */
#include <search.h>

#include "private.h"

#define FIRST_FRAME	(0x10000000UL >> PAGE_SHIFT)
#define FIRST_HOLE	(0xe0000000UL >> PAGE_SHIFT)
#define BEHIND_HOLE	(0x100000000UL >> PAGE_SHIFT)
#define MAX_FRAMES	0x1000000UL

/**
 * struct wdk_page - a page of the program with a frame
 * @virtual: number of the page. Not an address, which leak checkers would take for a reference
 * @frame: number of its frame
 * @users: number of holders
 * @number: sequence number, in order of creation
 * @mdl: its pin, or 0
 * @access: access that the pin allows
 * @link: in the list of all pages, sorted by @number
 */
struct wdk_page {
	ULONG_PTR virtual;
	PFN_NUMBER frame;
	ULONG users;
	ULONGLONG number;
	__u32 mdl;
	__u32 access;
	LIST_ENTRY link;
};

/**
 * struct wdk_block - a block of the pool
 * @start: its address, inverted, for the same reason
 * @size: size in bytes
 * @held: it holds its pages
 */
struct wdk_block {
	ULONG_PTR start;
	SIZE_T size;
	bool held;
};

/* All guarded by wdk_lock */
static void *pages_by_address, *blocks;
static LIST_ENTRY pages = { &pages, &pages };
static ULONGLONG last_number;
static struct wdk_page **frames;
static size_t nr_frames;
static PFN_NUMBER next_frame = FIRST_FRAME;

/* Defined only in programs built with ASAN */
#pragma weak __asan_poison_memory_region
#pragma weak __asan_unpoison_memory_region

static int compare_pages(const void *a, const void *b)
{
	ULONG_PTR x = ((const struct wdk_page *)a)->virtual;
	ULONG_PTR y = ((const struct wdk_page *)b)->virtual;

	return (x > y) - (x < y);
}

/* Overlapping blocks compare equal. */
static int compare_blocks(const void *a, const void *b)
{
	const struct wdk_block *x = a, *y = b;

	if (~x->start + x->size <= ~y->start)
		return -1;
	return ~y->start + y->size <= ~x->start;
}

static struct wdk_page *find_page(ULONG_PTR virtual)
{
	struct wdk_page key = { .virtual = virtual }, **found;

	found = tfind(&key, &pages_by_address, compare_pages);
	return found ? *found : NULL;
}

static struct wdk_block *find_block(const void *va)
{
	struct wdk_block key = { .start = ~(ULONG_PTR)va, .size = 1 }, **found;

	found = tfind(&key, &blocks, compare_blocks);
	return found ? *found : NULL;
}

static struct wdk_page *page_of_frame(PFN_NUMBER frame)
{
	return frame >= FIRST_FRAME && frame - FIRST_FRAME < nr_frames ?
		frames[frame - FIRST_FRAME] : NULL;
}

/* Find @count contiguous free frames between @from and @to; 0 if there are none. */
static PFN_NUMBER find_frames(PFN_NUMBER from, PFN_NUMBER last, size_t count)
{
	PFN_NUMBER frame;
	size_t row = 0;

	for (frame = from; frame <= last; frame++) {
		if ((frame >= FIRST_HOLE && frame < BEHIND_HOLE) || page_of_frame(frame))
			row = 0;
		else if (++row == count)
			return frame - count + 1;
	}
	return 0;
}

/* Reuse frames as late as possible, so that code with a stale address fails. */
static PFN_NUMBER take_frames(size_t count, PFN_NUMBER highest)
{
	PFN_NUMBER last = FIRST_FRAME + MAX_FRAMES - 1, frame;
	struct wdk_page **more;
	size_t need;

	if (last > highest)
		last = highest;
	frame = find_frames(next_frame, last, count);
	if (!frame)
		frame = find_frames(FIRST_FRAME, last, count);
	if (!frame)
		return 0;
	need = frame + count - FIRST_FRAME;
	if (need > nr_frames) {
		more = realloc(frames, 2 * need * sizeof(*frames));
		if (!more)
			return 0;
		memset(more + nr_frames, 0, (2 * need - nr_frames) * sizeof(*frames));
		frames = more;
		nr_frames = 2 * need;
	}
	next_frame = frame + count;
	return frame;
}

static bool add_page(ULONG_PTR virtual, PFN_NUMBER frame)
{
	struct wdk_page *page = calloc(1, sizeof(*page));

	if (!page)
		return false;
	page->virtual = virtual;
	page->frame = frame;
	page->users = 1;
	if (!tsearch(page, &pages_by_address, compare_pages)) {
		free(page);
		return false;
	}
	page->number = ++last_number;
	frames[frame - FIRST_FRAME] = page;
	InsertTailList(&pages, &page->link);
	return true;
}

/* Remove the page from all domains. */
static void remove_page(struct wdk_page *page)
{
	PLIST_ENTRY entry;

	for (entry = wdk_domains.Flink; entry != &wdk_domains; entry = entry->Flink) {
		PIOMMU_DMA_DOMAIN domain = CONTAINING_RECORD(entry, IOMMU_DMA_DOMAIN, link);

		if (!wdk_maps(domain) && page->mdl && page->number <= domain->seen)
			wdm_memory_remove(wdk_fd(), domain->handle,
					  (__u64)page->frame << PAGE_SHIFT, PAGE_SIZE);
	}
	if (page->mdl)
		wdm_destroy(wdk_fd(), page->mdl);
	tdelete(page, &pages_by_address, compare_pages);
	frames[page->frame - FIRST_FRAME] = NULL;
	RemoveEntryList(&page->link);
	free(page);
}

static ULONG_PTR page_number(const void *va)
{
	return (ULONG_PTR)va >> PAGE_SHIFT;
}

static size_t span(const void *va, SIZE_T bytes)
{
	return ((ULONG_PTR)va % PAGE_SIZE + bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static void drop_page(struct wdk_page *page)
{
	if (!--page->users)
		remove_page(page);
}

/* Call a function for each page of a range that has a frame. */
static void each_page(const void *va, SIZE_T bytes, void (*fn)(struct wdk_page *page))
{
	ULONG_PTR virtual = page_number(va), end = virtual + span(va, bytes);

	for (; virtual < end; virtual++) {
		struct wdk_page *page = find_page(virtual);

		if (page)
			fn(page);
	}
}

/* Hold all pages of a range. New adjacent pages get adjacent frames. */
static bool hold(const void *va, SIZE_T bytes, PFN_NUMBER highest)
{
	ULONG_PTR first = page_number(va), end = first + span(va, bytes), virtual = first;
	PFN_NUMBER frame;
	size_t row;

	while (virtual < end) {
		struct wdk_page *page = find_page(virtual);

		if (page) {
			page->users++;
			virtual++;
			continue;
		}
		row = 1;
		while (virtual + row < end && !find_page(virtual + row))
			row++;
		frame = take_frames(row, highest);
		for (; row; row--, virtual++, frame++)
			if (!frame || !add_page(virtual, frame))
				goto undo;
	}
	return true;

undo:
	if (virtual > first)
		each_page(va, ((virtual - first) << PAGE_SHIFT) - (ULONG_PTR)va % PAGE_SIZE,
			  drop_page);
	return false;
}

static NTSTATUS pin(struct wdk_page *page)
{
	void *va = (void *)(page->virtual << PAGE_SHIFT);
	__u32 status;

	page->access = WDK_PERMISSIONS;
	status = wdm_mdl_create(wdk_fd(), va, PAGE_SIZE, page->access, &page->mdl);
	if ((NTSTATUS)status == STATUS_ACCESS_VIOLATION) {
		page->access = IOMMU_ACCESS_READ;
		status = wdm_mdl_create(wdk_fd(), va, PAGE_SIZE, page->access, &page->mdl);
	}
	if (status)
		page->mdl = 0;
	return wdk_status(status);
}

/* Add all pages to a caller's address space; called with wdk_lock held. */
static NTSTATUS sync_domain(PIOMMU_DMA_DOMAIN domain)
{
	NTSTATUS status = STATUS_SUCCESS;
	PLIST_ENTRY entry;

	if (domain->seen == last_number)
		return status;
	for (entry = pages.Flink; entry != &pages; entry = entry->Flink) {
		struct wdk_page *page = CONTAINING_RECORD(entry, struct wdk_page, link);

		if (page->number <= domain->seen)
			continue;
		if (!page->mdl)
			status = pin(page);
		if (NT_SUCCESS(status))
			status = wdk_status(wdm_memory_add(wdk_fd(), domain->handle,
							   page->access, page->mdl, 0, 0,
							   (__u64)page->frame << PAGE_SHIFT));
		/* Skip memory that the program has unmapped. */
		if (!NT_SUCCESS(status) && status != STATUS_ACCESS_VIOLATION)
			return status;
		status = STATUS_SUCCESS;
		domain->seen = page->number;
	}
	domain->seen = last_number;
	return status;
}

/**
 * wdk_memory_sync() - Add all memory with frames to a caller's address space
 * @domain: a domain that does not map on request
 *
 * Return: STATUS_SUCCESS; STATUS_WORKING_SET_QUOTA and other statuses of the ioctls
 * MDL_CREATE and MEMORY_ADD.
 */
NTSTATUS wdk_memory_sync(PIOMMU_DMA_DOMAIN domain)
{
	NTSTATUS status;

	wdk_acquire();
	status = sync_domain(domain);
	wdk_release();
	return status;
}

/* Devices of domains that do not translate reach new memory at once. */
static void sync_bypassing(void)
{
	PLIST_ENTRY entry;

	for (entry = wdk_domains.Flink; entry != &wdk_domains; entry = entry->Flink) {
		PIOMMU_DMA_DOMAIN domain = CONTAINING_RECORD(entry, IOMMU_DMA_DOMAIN, link);
		NTSTATUS status = domain->bypasses ? sync_domain(domain) : STATUS_SUCCESS;

		if (!NT_SUCCESS(status))
			fprintf(stderr, "libwdm: devices cannot reach new memory: %s: %s\n",
				wdm_status_name(status), wdm_status_text(status));
	}
}

/**
 * wdk_memory_bypass() - Set whether a domain's devices see the program's physical addresses
 * @domain: a domain that does not map on request
 * @bypasses: they do
 *
 * Call it after the domain was configured.
 */
void wdk_memory_bypass(PIOMMU_DMA_DOMAIN domain, bool bypasses)
{
	wdk_acquire();
	domain->bypasses = bypasses;
	/* Other threads may have got addresses since wdk_memory_sync(). */
	sync_bypassing();
	wdk_release();
}

static _Noreturn void out_of_frames(void)
{
	fprintf(stderr, "libwdm: out of memory or of physical addresses (%lu pages)\n",
		MAX_FRAMES);
	abort();
}

static PFN_NUMBER frame_of(const void *va)
{
	struct wdk_block *block = find_block(va);
	struct wdk_page *page;
	bool held = true;

	if (block && !block->held) {
		held = hold((void *)~block->start, block->size, -1UL);
		block->held = held;
	} else if (!block && !find_page(page_number(va))) {
		held = hold(va, 1, -1UL);
	}
	page = find_page(page_number(va));
	if (!held || !page)
		out_of_frames();
	return page->frame;
}

/**
 * MmGetPhysicalAddress() - Get the physical address of memory of the program
 * @Va: the memory
 *
 * Contract: MmGetPhysicalAddress. Memory that is neither part of the pool nor locked by an MDL
 * keeps its address until the program ends, and must stay mapped. If it is freed, the address
 * may become invalid.
 *
 * Return: the address, which is assigned by this library.
 */
PHYSICAL_ADDRESS MmGetPhysicalAddress(const void *Va)
{
	PHYSICAL_ADDRESS address;

	wdk_acquire();
	address.QuadPart = (ULONGLONG)frame_of(Va) << PAGE_SHIFT | BYTE_OFFSET(Va);
	sync_bypassing();
	wdk_release();
	return address;
}

/**
 * MmGetVirtualForPhysical() - Get the memory at a physical address
 * @PhysicalAddress: a result of MmGetPhysicalAddress(), or an address in the same page
 *
 * Contract: MmGetVirtualForPhysical.
 *
 * Return: the memory; NULL if there is none.
 */
PVOID MmGetVirtualForPhysical(PHYSICAL_ADDRESS PhysicalAddress)
{
	struct wdk_page *page;
	char *va = NULL;

	wdk_acquire();
	page = page_of_frame((ULONGLONG)PhysicalAddress.QuadPart >> PAGE_SHIFT);
	if (page)
		va = (char *)(page->virtual << PAGE_SHIFT) +
		     PhysicalAddress.QuadPart % PAGE_SIZE;
	wdk_release();
	return va;
}

/**
 * wdk_memory_lock() - Assign frames to memory, for an MDL that locks its pages
 * @va: the memory
 * @bytes: number of bytes
 */
void wdk_memory_lock(const void *va, SIZE_T bytes)
{
	wdk_acquire();
	if (!hold(va, bytes, -1UL))
		out_of_frames();
	sync_bypassing();
	wdk_release();
}

/**
 * wdk_memory_unlock() - Undo wdk_memory_lock()
 * @va: the memory
 * @frames: its page frames; pages that have others by now, as the memory was freed, are skipped
 * @number: number of @frames
 */
void wdk_memory_unlock(const void *va, const PFN_NUMBER *frames, size_t number)
{
	size_t i;

	wdk_acquire();
	for (i = 0; i < number; i++) {
		struct wdk_page *page = find_page(page_number(va) + i);

		if (page && page->frame == frames[i])
			drop_page(page);
	}
	wdk_release();
}

static bool add_run(struct wdk_memory *memory, size_t *room, struct wdk_page *page)
{
	struct wdk_run *last = memory->nr_runs ? &memory->runs[memory->nr_runs - 1] : NULL;
	char *va = (char *)(page->virtual << PAGE_SHIFT);
	ULONGLONG physical = (ULONGLONG)page->frame << PAGE_SHIFT;

	if (last && last->va + last->bytes == va && last->physical + last->bytes == physical) {
		last->bytes += PAGE_SIZE;
		return true;
	}
	if (memory->nr_runs == *room) {
		size_t more = *room ? 2 * *room : 8;
		struct wdk_run *runs = realloc(memory->runs, more * sizeof(*runs));

		if (!runs)
			return false;
		memory->runs = runs;
		*room = more;
	}
	memory->runs[memory->nr_runs++] = (struct wdk_run) { va, physical, PAGE_SIZE };
	return true;
}

/**
 * wdk_memory_find() - Find the memory of the program for page frames
 * @memory: the frames; out: @runs, for free(), also on failure
 *
 * Return: STATUS_SUCCESS; STATUS_NOT_SUPPORTED if a frame is not memory;
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wdk_memory_find(struct wdk_memory *memory)
{
	NTSTATUS status = STATUS_SUCCESS;
	size_t room = 0;
	ULONGLONG i;

	memory->runs = NULL;
	memory->nr_runs = 0;
	wdk_acquire();
	for (i = 0; i < memory->pages && NT_SUCCESS(status); i++) {
		PFN_NUMBER frame = memory->pfns ? memory->pfns[i] : memory->first + i;
		struct wdk_page *page = page_of_frame(frame);

		if (!page)
			status = STATUS_NOT_SUPPORTED;
		else if (!add_run(memory, &room, page))
			status = STATUS_INSUFFICIENT_RESOURCES;
	}
	wdk_release();
	return status;
}

/* Blocks of a page or more consist of whole pages; smaller ones do not cross a page. */
static void *allocate(SIZE_T size, bool zero)
{
	SIZE_T whole = size < PAGE_SIZE ? size : ROUND_TO_PAGES(size), align = 16;
	char *memory;

	if (whole < size)
		return NULL;
	while (align < size && align < PAGE_SIZE)
		align *= 2;
	if (posix_memalign((void **)&memory, align, whole))
		return NULL;
	if (zero)
		memset(memory, 0, whole);
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(memory + size, whole - size);
	return memory;
}

static void release(void *memory, SIZE_T size)
{
	if (__asan_unpoison_memory_region && size >= PAGE_SIZE)
		__asan_unpoison_memory_region(memory, ROUND_TO_PAGES(size));
	free(memory);
}

/**
 * wdk_pool_alloc() - Allocate a block of the pool
 * @size: number of bytes
 * @zero: zero it
 * @highest: highest physical address; -1: assign addresses when they are asked for
 *
 * Return: the block, for ExFreePool(), or NULL.
 */
PVOID wdk_pool_alloc(SIZE_T size, bool zero, ULONGLONG highest)
{
	struct wdk_block *block = calloc(1, sizeof(*block)), **place;
	void *memory = allocate(size ? size : 1, zero);

	if (!block || !memory)
		goto free;
	block->start = ~(ULONG_PTR)memory;
	block->size = size ? size : 1;
	wdk_acquire();
	/* Pages that are left from memory that was freed */
	if (size >= PAGE_SIZE)
		each_page(memory, size, remove_page);
	place = tsearch(block, &blocks, compare_blocks);
	if (place && highest != UINT64_MAX) {
		/* The last byte of frame n is n * PAGE_SIZE + PAGE_SIZE - 1. */
		block->held = hold(memory, size, ((highest + 1) >> PAGE_SHIFT) - 1);
		if (!block->held) {
			tdelete(block, &blocks, compare_blocks);
			place = NULL;
		}
		sync_bypassing();
	}
	wdk_release();
	if (place)
		return memory;
free:
	if (memory)
		release(memory, size);
	free(block);
	return NULL;
}

/**
 * ExAllocatePool2() - Allocate memory
 * @Flags: POOL_FLAG_UNINITIALIZED: not zeroed; other flags are ignored
 * @Size: number of bytes; blocks of a page or more are page aligned
 * @Tag: ignored
 *
 * Contract: ExAllocatePool2. The memory comes from malloc(), so that valgrind and ASAN know its
 * bounds.
 *
 * Return: the block, or NULL.
 */
PVOID ExAllocatePool2(ULONG64 Flags, SIZE_T Size, ULONG Tag)
{
	(void)Tag;
	return wdk_pool_alloc(Size, !(Flags & POOL_FLAG_UNINITIALIZED), UINT64_MAX);
}

/**
 * ExFreePool() - Free a block
 * @Pointer: a result of ExAllocatePool2(), or NULL; anything else ends the program
 *
 * Contract: ExFreePool. Caller-managed domains lose the memory; in OS-managed ones it stays
 * mapped until it is unmapped.
 */
void ExFreePool(PVOID Pointer)
{
	struct wdk_block *block;
	SIZE_T size;

	if (!Pointer)
		return;
	wdk_acquire();
	block = find_block(Pointer);
	if (!block || block->start != ~(ULONG_PTR)Pointer) {
		fprintf(stderr, "libwdm: %s(%p): no block of the pool\n", __func__, Pointer);
		abort();
	}
	if (block->held)
		each_page(Pointer, block->size, drop_page);
	size = block->size;
	tdelete(block, &blocks, compare_blocks);
	wdk_release();
	free(block);
	release(Pointer, size);
}
