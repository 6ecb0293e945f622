// SPDX-License-Identifier: GPL-2.0
/*
 * Out-of-line functions of wdm_port.h: messages, and MDLs of memory other than the
 * caller's non-paged pool.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../compat/pin.h"
#include "wdk.h"

/* Must be last: it redefines PAGE_ALIGN(). */
#include <wdm_port.h>

#include "portable.h"

static ULONG wdk_print(const char *level, const char *format, va_list args)
{
	char linux_format[WDK_FORMAT_MAX];
	struct va_format vaf = { .fmt = linux_format };
	va_list copy;

	wdk_format(linux_format, sizeof(linux_format), format);
	va_copy(copy, args);
	vaf.va = &copy;
	_printk("%s%pV", level, &vaf);
	va_end(copy);
	return 0;
}

/**
 * DbgPrint() - Print a message to the kernel log
 * @Format: as for printf(); %ld and %lu print a LONG and a ULONG
 *
 * Context: any.
 * Return: 0.
 */
ULONG DbgPrint(const char *Format, ...)
{
	va_list args;

	va_start(args, Format);
	wdk_print(KERN_DEBUG, Format, args);
	va_end(args);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(DbgPrint, WDM_IOMMU_NS);

/**
 * DbgPrintEx() - Print a message to the kernel log at a level
 * @ComponentId: ignored
 * @Level: DPFLTR_ERROR_LEVEL etc.; a mask is printed as information
 * @Format: as for DbgPrint()
 *
 * Context: any.
 * Return: 0.
 */
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, const char *Format, ...)
{
	const char *level = Level == DPFLTR_ERROR_LEVEL ? KERN_ERR :
			    Level == DPFLTR_WARNING_LEVEL ? KERN_WARNING :
			    Level == DPFLTR_TRACE_LEVEL ? KERN_DEBUG :
							  KERN_INFO;
	va_list args;

	va_start(args, Format);
	wdk_print(level, Format, args);
	va_end(args);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(DbgPrintEx, WDM_IOMMU_NS);

/**
 * IoBuildPartialMdl() - Describe part of another MDL's buffer
 * @SourceMdl: an MDL with its pages
 * @TargetMdl: an MDL with space for the page frames of the part; if it was mapped, after
 *	MmPrepareMdlForReuse()
 * @VirtualAddress: start of the part, in the address range of @SourceMdl
 * @Length: number of bytes; 0 for the rest of the buffer
 *
 * Contract: IoBuildPartialMdl. @SourceMdl keeps the pages: it has to outlive the use of
 * @TargetMdl.
 *
 * Context: any.
 */
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress,
		       ULONG Length)
{
	wdk_build_partial_mdl(SourceMdl, TargetMdl, VirtualAddress, Length);
}
EXPORT_SYMBOL_NS_GPL(IoBuildPartialMdl, WDM_IOMMU_NS);

/**
 * MmGetSystemAddressForMdlSafe() - Get the kernel address of an MDL's buffer
 * @Mdl: an MDL
 * @Priority: ignored
 *
 * Contract: MmGetSystemAddressForMdlSafe. Pages without contiguous kernel addresses are
 * mapped, until MmUnmapLockedPages(), MmPrepareMdlForReuse(), MmUnlockPages() or
 * MmFreePagesFromMdl().
 *
 * Context: may sleep, unless the pages have an address already.
 * Return: the address of the first byte; NULL when out of memory, or if the page frames are
 * not filled in, for example after MmProbeAndLockPages() has failed.
 */
PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
	const PFN_NUMBER *pfns = MmGetMdlPfnArray(Mdl);
	ULONG i, nr = wdk_span_pages(Mdl);
	struct page **pages;
	void *va;

	if (Mdl->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL |
			     MDL_MAPPED_TO_SYSTEM_VA))
		return Mdl->MappedSystemVa;
	if (!(Mdl->MdlFlags & __WDM_MDL_HAS_PAGES))
		return NULL;

	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (i = 0; i < nr; i++)
		pages[i] = pfn_to_page(pfns[i]);
	va = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!va)
		return NULL;
	Mdl->MappedSystemVa = va + Mdl->ByteOffset;
	Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
	return Mdl->MappedSystemVa;
}
EXPORT_SYMBOL_NS_GPL(MmGetSystemAddressForMdlSafe, WDM_IOMMU_NS);

/**
 * MmUnmapLockedPages() - Undo MmGetSystemAddressForMdlSafe()
 * @BaseAddress: its return value
 * @Mdl: the MDL
 *
 * Contract: MmUnmapLockedPages.
 *
 * Context: may sleep.
 */
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL Mdl)
{
	if (!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))
		return;
	vunmap(PAGE_ALIGN(Mdl->MappedSystemVa));
	Mdl->MappedSystemVa = NULL;
	Mdl->MdlFlags &= ~MDL_MAPPED_TO_SYSTEM_VA;
}
EXPORT_SYMBOL_NS_GPL(MmUnmapLockedPages, WDM_IOMMU_NS);

/**
 * MmProbeAndLockPages() - Pin the user memory that an MDL describes
 * @Mdl: an MDL of memory of the calling process
 * @AccessMode: UserMode; kernel memory needs no pin, see
 *	MmBuildMdlForNonPagedPool()
 * @Operation: IoReadAccess if devices only read it
 *
 * Contract: MmProbeAndLockPages, which raises an exception if the memory is not
 * accessible. Here, MDL_PAGES_LOCKED stays clear then, and maps refuse the MDL.
 *
 * Context: may sleep.
 */
VOID MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE AccessMode,
			 LOCK_OPERATION Operation)
{
	bool write = Operation != IoReadAccess;
	ULONG i, nr = wdk_span_pages(Mdl);
	struct page **pages;
	int got = 0, ret;

	if (AccessMode == KernelMode) {
		MmBuildMdlForNonPagedPool(Mdl);
		return;
	}
	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return;
	while (got < nr) {
		ret = wdm_pin_user_pages((unsigned long)Mdl->StartVa +
					 got * PAGE_SIZE, nr - got, write,
					 pages + got);
		if (ret <= 0) {
			unpin_user_pages(pages, got);
			goto free;
		}
		got += ret;
	}
	for (i = 0; i < nr; i++)
		MmGetMdlPfnArray(Mdl)[i] = page_to_pfn(pages[i]);
	Mdl->MdlFlags |= MDL_PAGES_LOCKED;
	if (write)
		Mdl->MdlFlags |= MDL_WRITE_OPERATION;
free:
	kvfree(pages);
}
EXPORT_SYMBOL_NS_GPL(MmProbeAndLockPages, WDM_IOMMU_NS);

/**
 * MmUnlockPages() - Unpin the pages of MmProbeAndLockPages()
 * @Mdl: the MDL, whose pages are not mapped any more
 *
 * Contract: MmUnlockPages.
 *
 * Context: may sleep.
 */
VOID MmUnlockPages(PMDL Mdl)
{
	bool dirty = Mdl->MdlFlags & MDL_WRITE_OPERATION;
	ULONG i, nr = wdk_span_pages(Mdl);

	MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
	if (!(Mdl->MdlFlags & MDL_PAGES_LOCKED))
		return;
	for (i = 0; i < nr; i++)
		unpin_user_page_range_dirty_lock(pfn_to_page(MmGetMdlPfnArray(Mdl)[i]),
						 1, dirty);
	Mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
}
EXPORT_SYMBOL_NS_GPL(MmUnlockPages, WDM_IOMMU_NS);

/* Get the zone flag for pages at or below an address. */
static gfp_t wdk_zone(u64 highest)
{
	if (highest >> 52)
		return 0;
	return highest >= DMA_BIT_MASK(32) ? GFP_DMA32 : GFP_DMA;
}

/**
 * MmAllocatePagesForMdlEx() - Allocate zeroed pages, and an MDL for them
 * @LowAddress: ignored
 * @HighAddress: the highest acceptable physical address
 * @SkipBytes: must be 0
 * @TotalBytes: number of bytes; rounded up to whole pages
 * @CacheType: MmCached; other types are treated the same, as DMA is coherent
 * @Flags: MM_ALLOCATE_*; without MM_ALLOCATE_FULLY_REQUIRED, it may allocate fewer pages
 *
 * Contract: MmAllocatePagesForMdlEx. Free the pages with MmFreePagesFromMdl(), and then
 * the MDL with IoFreeMdl().
 *
 * Context: may sleep.
 * Return: the MDL; NULL on failure.
 */
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress,
			     PHYSICAL_ADDRESS HighAddress,
			     PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
			     MEMORY_CACHING_TYPE CacheType, ULONG Flags)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
		    wdk_zone(HighAddress.QuadPart);
	ULONG i, nr = BYTES_TO_PAGES(TotalBytes);
	struct page *page;
	PMDL Mdl;

	/* ByteCount is a ULONG, and holds whole pages. */
	if (!nr || TotalBytes > (U32_MAX & PAGE_MASK) || SkipBytes.QuadPart)
		return NULL;
	Mdl = wdk_mdl_alloc(NULL, nr << PAGE_SHIFT, GFP_KERNEL);
	if (!Mdl)
		return NULL;
	for (i = 0; i < nr; i++) {
		page = alloc_page(gfp);
		if (!page)
			break;
		MmGetMdlPfnArray(Mdl)[i] = page_to_pfn(page);
		if (page_to_phys(page) > (u64)HighAddress.QuadPart) {
			__free_page(page);
			break;
		}
	}
	Mdl->ByteCount = i << PAGE_SHIFT;
	if (!i || (i < nr && Flags & MM_ALLOCATE_FULLY_REQUIRED)) {
		MmFreePagesFromMdl(Mdl);
		IoFreeMdl(Mdl);
		return NULL;
	}
	Mdl->MdlFlags |= MDL_PAGES_LOCKED;
	return Mdl;
}
EXPORT_SYMBOL_NS_GPL(MmAllocatePagesForMdlEx, WDM_IOMMU_NS);

/**
 * MmFreePagesFromMdl() - Free the pages of MmAllocatePagesForMdlEx()
 * @Mdl: the MDL, which is not freed and whose pages are not mapped any more
 *
 * Contract: MmFreePagesFromMdl.
 *
 * Context: may sleep.
 */
VOID MmFreePagesFromMdl(PMDL Mdl)
{
	ULONG i;

	MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
	for (i = 0; i < Mdl->ByteCount >> PAGE_SHIFT; i++)
		__free_page(pfn_to_page(MmGetMdlPfnArray(Mdl)[i]));
	Mdl->ByteCount = 0;
	Mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
}
EXPORT_SYMBOL_NS_GPL(MmFreePagesFromMdl, WDM_IOMMU_NS);
