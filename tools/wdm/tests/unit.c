// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tests of libwdm.a that need neither module nor device: the pool, physical addresses,
 * MDLs, levels, locks and events.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "program.h"
#include "tap.h"

#include "private.h"

#include "../../../module/wdk/portable.h"

#define TAG	0x74696e75

static ULONGLONG physical(const void *va)
{
	return MmGetPhysicalAddress(va).QuadPart;
}

/* Call a function in a child. Return the child's status, as waitpid() does. */
static int in_child(void (*function)(void))
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		freopen("/dev/null", "w", stderr);
		function();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status;
}

/* Check that a function ends the program. */
static bool aborts(void (*function)(void))
{
	return WIFSIGNALED(in_child(function));
}

static void test_pool(void)
{
	char *page = ExAllocatePool2(POOL_FLAG_NON_PAGED, 3 * PAGE_SIZE, TAG);
	char *small = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, TAG);
	char *more = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE + 1, TAG);
	ULONGLONG first = physical(page + 5), old;

	tap_ok(!((ULONG_PTR)page % PAGE_SIZE) && !((ULONG_PTR)more % PAGE_SIZE),
	       "blocks of pages are page aligned");
	tap_ok(!page[0] && !page[3 * PAGE_SIZE - 1] && !small[99], "blocks are zeroed");
	tap_ok(first % PAGE_SIZE == 5 && first >= 0x10000000 && first < 0xe0000000,
	       "a physical address");
	tap_ok(physical(page) == first - 5 && physical(page + PAGE_SIZE) == first - 5 + PAGE_SIZE &&
	       physical(page + 2 * PAGE_SIZE) == first - 5 + 2 * PAGE_SIZE,
	       "those of a block are contiguous");
	tap_ok(MmGetVirtualForPhysical(MmGetPhysicalAddress(small + 7)) == small + 7,
	       "an address translates back");
	tap_ok(physical(small) == physical(small), "it is the same when it is asked for again");
	old = physical(page);
	ExFreePool(page);
	tap_ok(!MmGetVirtualForPhysical((PHYSICAL_ADDRESS) { .QuadPart = old }),
	       "a freed block has none");
	page = ExAllocatePool2(POOL_FLAG_NON_PAGED, 3 * PAGE_SIZE, TAG);
	tap_ok(physical(page) != old, "the next block gets others");
	ExFreePool(page);
	ExFreePool(small);
	ExFreePoolWithTag(more, TAG);
	ExFreePool(NULL);
}

static void free_stack(void)
{
	int variable;

	ExFreePool(&variable);
}

static void free_twice(void)
{
	PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 10, TAG);

	ExFreePool(block);
	ExFreePool(block);
}

static void test_mistakes(void)
{
	tap_ok(aborts(free_stack), "freeing what is no block ends the program");
	tap_ok(aborts(free_twice), "so does freeing a block twice");
}

/* Millions of frames: those between 3.5 and 4 GiB are skipped. */
static void test_frames(void)
{
	const SIZE_T bytes = 0x10000000;
	char *block[16], *low;
	ULONGLONG at;
	bool good = true;
	int i;

	for (i = 0; i < 16; i++) {
		block[i] = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, bytes,
					   TAG);
		at = physical(block[i]);
		good = good && (at + bytes <= 0xe0000000 || at >= 0x100000000ULL) &&
		       physical(block[i] + bytes - 1) == at + bytes - 1;
	}
	tap_ok(good, "4 GiB of memory, none of it where a PC has its devices");
	ExFreePool(block[0]);
	low = wdk_pool_alloc(PAGE_SIZE, true, 0xffffffff);
	tap_ok(low && physical(low) <= 0xffffffff, "a block below 4 GiB");
	tap_ok(!wdk_pool_alloc(PAGE_SIZE, true, 0xfffffff), "there is none below 256 MiB");
	ExFreePool(low);
	for (i = 1; i < 16; i++)
		ExFreePool(block[i]);
}

static void test_mdls(void)
{
	static const PHYSICAL_ADDRESS zero, all = { .QuadPart = -1 };
	char *memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4 * PAGE_SIZE, TAG);
	PMDL mdl = IoAllocateMdl(memory, 4 * PAGE_SIZE, FALSE, FALSE, NULL);
	PMDL part = IoAllocateMdl(memory, PAGE_SIZE, FALSE, FALSE, NULL), pages;
	struct wdk_memory found;
	char *va;

	tap_ok(!wdk_mdl_memory(mdl, &found), "an MDL without pages");
	MmBuildMdlForNonPagedPool(mdl);
	tap_ok(wdk_mdl_memory(mdl, &found) && found.pages == 4 &&
	       NT_SUCCESS(wdk_memory_find(&found)) && found.nr_runs == 1 &&
	       found.runs->va == memory && found.runs->bytes == 4 * PAGE_SIZE,
	       "an MDL is one run of memory");
	free(found.runs);
	IoBuildPartialMdl(mdl, part, memory + 2 * PAGE_SIZE, PAGE_SIZE);
	tap_ok(MmGetMdlPfnArray(part)[0] == MmGetMdlPfnArray(mdl)[2] &&
	       MmGetSystemAddressForMdlSafe(part, NormalPagePriority) == memory + 2 * PAGE_SIZE,
	       "a part of one");
	/* Pages in another order */
	MmGetMdlPfnArray(mdl)[0] = MmGetMdlPfnArray(mdl)[3];
	tap_ok(wdk_mdl_memory(mdl, &found) && NT_SUCCESS(wdk_memory_find(&found)) &&
	       found.nr_runs == 2 && found.runs[0].va == memory + 3 * PAGE_SIZE,
	       "pages that are not contiguous are two runs");
	free(found.runs);
	MmGetMdlPfnArray(mdl)[1] = 1;
	tap_ok(wdk_mdl_memory(mdl, &found) && wdk_memory_find(&found) == STATUS_NOT_SUPPORTED,
	       "a frame that is no memory");
	free(found.runs);
	/* As after MmUnlockPages(): the page frames are still there. */
	part->MdlFlags = 0;
	tap_ok(!MmGetSystemAddressForMdlSafe(part, NormalPagePriority),
	       "no address without pages");
	IoFreeMdl(part);
	IoFreeMdl(mdl);
	ExFreePool(memory);

	pages = MmAllocatePagesForMdlEx(zero, all, zero, 2 * PAGE_SIZE, MmCached, 0);
	va = pages ? MmGetSystemAddressForMdlSafe(pages, NormalPagePriority) : NULL;
	tap_ok(va && !va[2 * PAGE_SIZE - 1], "pages of an MDL, zeroed");
	tap_ok(pages && physical(va) >> PAGE_SHIFT == MmGetMdlPfnArray(pages)[0],
	       "their frames are those of the memory");
	MmUnmapLockedPages(va, pages);
	part = IoAllocateMdl(NULL, PAGE_SIZE, FALSE, FALSE, NULL);
	IoBuildPartialMdl(pages, part, (char *)MmGetMdlVirtualAddress(pages) + PAGE_SIZE,
			  PAGE_SIZE);
	tap_ok(MmGetSystemAddressForMdlSafe(part, NormalPagePriority) == va + PAGE_SIZE &&
	       part->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA, "a part of pages that are not mapped");
	MmPrepareMdlForReuse(part);
	tap_ok(!(part->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) && !part->MappedSystemVa,
	       "it is unmapped for reuse");
	IoFreeMdl(part);
	MmFreePagesFromMdl(pages);
	IoFreeMdl(pages);
}

static void lock_twice(void)
{
	KSPIN_LOCK lock;
	KIRQL old;

	KeInitializeSpinLock(&lock);
	KeAcquireSpinLock(&lock, &old);
	KeAcquireSpinLock(&lock, &old);
}

static void lower_too_far(void)
{
	KeLowerIrql(DISPATCH_LEVEL);
}

static void test_levels(void)
{
	unsigned int before = wdm_port_level_errors();
	KSPIN_LOCK lock = { .mutex = PTHREAD_MUTEX_INITIALIZER };
	KIRQL old, older;

	KeRaiseIrql(APC_LEVEL, &older);
	PAGED_CODE();
	tap_ok(wdm_port_level_errors() == before, "PAGED_CODE() below DISPATCH_LEVEL");
	KeAcquireSpinLock(&lock, &old);
	tap_ok(old == APC_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL, "a lock raises the level");
	fputs("# a report follows\n", stderr);
	PAGED_CODE();
	tap_ok(wdm_port_level_errors() == before + 1, "PAGED_CODE() at DISPATCH_LEVEL");
	KeReleaseSpinLock(&lock, old);
	KeLowerIrql(older);
	tap_ok(KeGetCurrentIrql() == PASSIVE_LEVEL, "and back");
	tap_ok(aborts(lock_twice), "taking a lock twice ends the program");
	tap_ok(aborts(lower_too_far), "so does lowering the level to a higher one");
}

static void *set_soon(void *event)
{
	usleep(20000);
	KeSetEvent(event, IO_NO_INCREMENT, FALSE);
	return NULL;
}

static void test_events(void)
{
	LARGE_INTEGER soon = { .QuadPart = -10000 }, now = { .QuadPart = 0 };
	LARGE_INTEGER absolute = { .QuadPart = 1 };
	KEVENT event, all;
	pthread_t thread;

	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	KeInitializeEvent(&all, NotificationEvent, TRUE);
	tap_ok(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &soon) ==
	       STATUS_TIMEOUT, "a wait of 1 ms");
	pthread_create(&thread, NULL, set_soon, &event);
	tap_ok(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL) ==
	       STATUS_SUCCESS, "a wait for another thread");
	pthread_join(thread, NULL);
	tap_ok(!KeReadStateEvent(&event), "which takes a synchronization event");
	tap_ok(KeWaitForSingleObject(&all, Executive, KernelMode, FALSE, &now) ==
	       STATUS_SUCCESS && KeResetEvent(&all) == 1 && !KeReadStateEvent(&all),
	       "a notification event stays set");
	tap_ok(KeWaitForSingleObject(&all, Executive, KernelMode, FALSE, &absolute) ==
	       STATUS_NOT_SUPPORTED, "absolute times are not supported");
}

/* In a child, as a program opens the module's file once. */
static void find_no_module(void)
{
	DMA_IOMMU_INTERFACE io = { .Version = 7 };
	struct wdm_error error;
	int i;

	for (i = 0; i < 2; i++) {
		errno = 0;
		if (IoGetIommuInterface(1, &io) != STATUS_NOT_SUPPORTED || io.Version != 7 ||
		    errno != ENOENT)
			_exit(1);
	}
	errno = 0;
	if (wdm_pdo_open("0000:00:03.0", &error) || error.error != ENOENT)
		_exit(1);
}

static void test_rest(void)
{
	LONG count = 5;
	char format[64];

	tap_ok(InterlockedCompareExchange(&count, 9, 0) == 5 && count == 5 &&
	       InterlockedCompareExchange(&count, 9, 5) == 5 && count == 9 &&
	       InterlockedExchangeAdd(&count, 3) == 9 && InterlockedIncrement(&count) == 13,
	       "interlocked functions");
	wdk_format(format, sizeof(format), "%lu %-8lx %llu %I64x %5.2s 100%%l");
	tap_ok(!strcmp(format, "%u %-8x %llu %llx %5.2s 100%%l"), "formats: \"%s\"", format);
	tap_ok(STATUS_UNSUCCESSFUL < 0 && NT_SUCCESS(STATUS_PENDING), "errors are negative");
	if (access(WDM_IOMMU_PATH, F_OK))
		tap_ok(!in_child(find_no_module),
		       "no interface without the module, and errno says why, each time");
}

int main(void)
{
	tap_header("TAP version 13");
	test_pool();
	test_mistakes();
	test_frames();
	test_mdls();
	test_levels();
	test_events();
	test_rest();
	test_calls();
	return tap_finish();
}
