// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * MDLs of memory of the program. A system address is the memory's own address.
 */
#include "private.h"

#include "../../module/wdk/portable.h"

/**
 * IoAllocateMdl() - Allocate an MDL for a buffer
 * @VirtualAddress: start of the buffer
 * @Length: number of bytes
 * @SecondaryBuffer: must be FALSE: there are no IRPs to add it to
 * @ChargeQuota: ignored
 * @Irp: must be NULL
 *
 * Contract: IoAllocateMdl.
 *
 * Return: the MDL, for IoFreeMdl(); NULL on failure.
 */
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp)
{
	SIZE_T size = MmSizeOfMdl(VirtualAddress, Length);
	PMDL Mdl;

	(void)ChargeQuota;
	if (SecondaryBuffer || Irp)
		return NULL;
	Mdl = calloc(1, size);
	if (!Mdl)
		return NULL;
	MmInitializeMdl(Mdl, VirtualAddress, Length);
	if (size > INT16_MAX)
		Mdl->Size = INT16_MAX;
	return Mdl;
}

/**
 * MmBuildMdlForNonPagedPool() - Fill an MDL with the pages of its buffer
 * @Mdl: an MDL of memory of the program
 *
 * Contract: MmBuildMdlForNonPagedPool.
 */
void MmBuildMdlForNonPagedPool(PMDL Mdl)
{
	ULONG i, nr = wdk_span_pages(Mdl);

	for (i = 0; i < nr; i++)
		MmGetMdlPfnArray(Mdl)[i] =
			MmGetPhysicalAddress((PCHAR)Mdl->StartVa + i * PAGE_SIZE).QuadPart >>
			PAGE_SHIFT;
	Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
	Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

/**
 * IoFreeMdl() - Free an MDL
 * @Mdl: the MDL; its memory stays mapped
 *
 * Contract: IoFreeMdl.
 */
void IoFreeMdl(PMDL Mdl)
{
	free(Mdl);
}

/**
 * IoBuildPartialMdl() - Describe part of another MDL's buffer
 * @SourceMdl: an MDL with its pages
 * @TargetMdl: an MDL with space for the page frames of the part; if it was mapped, after
 *	MmPrepareMdlForReuse()
 * @VirtualAddress: start of the part, in the address range of @SourceMdl
 * @Length: number of bytes; 0 for the rest of the buffer
 *
 * Contract: IoBuildPartialMdl.
 */
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
	wdk_build_partial_mdl(SourceMdl, TargetMdl, VirtualAddress, Length);
}

/* Get the memory of all frames, if it is contiguous. */
static char *find_va(const MDL *Mdl)
{
	ULONG i, nr = wdk_span_pages(Mdl);
	PHYSICAL_ADDRESS address;
	char *first = NULL, *va;

	for (i = 0; i < nr; i++) {
		address.QuadPart = (ULONGLONG)MmGetMdlPfnArray(Mdl)[i] << PAGE_SHIFT;
		va = MmGetVirtualForPhysical(address);
		if (!i)
			first = va;
		if (!va || va != first + i * PAGE_SIZE)
			return NULL;
	}
	return first;
}

/**
 * MmGetSystemAddressForMdlSafe() - Get the address of an MDL's buffer
 * @Mdl: an MDL
 * @Priority: ignored
 *
 * Contract: MmGetSystemAddressForMdlSafe.
 *
 * Return: the address of the first byte; NULL if the page frames are not filled in, or the
 * pages are not contiguous: a program cannot map them a second time.
 */
PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
	char *va;

	(void)Priority;
	if (Mdl->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA))
		return Mdl->MappedSystemVa;
	if (!(Mdl->MdlFlags & __WDM_MDL_HAS_PAGES))
		return NULL;
	va = find_va(Mdl);
	if (!va)
		return NULL;
	Mdl->MappedSystemVa = va + Mdl->ByteOffset;
	Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
	return Mdl->MappedSystemVa;
}

/**
 * MmUnmapLockedPages() - Undo MmGetSystemAddressForMdlSafe()
 * @BaseAddress: its return value
 * @Mdl: the MDL
 *
 * Contract: MmUnmapLockedPages.
 */
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL Mdl)
{
	(void)BaseAddress;
	if (!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))
		return;
	Mdl->MappedSystemVa = NULL;
	Mdl->MdlFlags &= ~MDL_MAPPED_TO_SYSTEM_VA;
}

/**
 * MmProbeAndLockPages() - Assign page frames to the memory that an MDL describes
 * @Mdl: an MDL of memory of the program
 * @AccessMode: KernelMode: as MmBuildMdlForNonPagedPool()
 * @Operation: IoReadAccess if devices only read it
 *
 * Contract: MmProbeAndLockPages, which raises an exception if the memory is not accessible.
 * Here, MDL_PAGES_LOCKED stays clear then, and maps refuse the MDL.
 */
VOID MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
	SIZE_T bytes = (SIZE_T)wdk_span_pages(Mdl) << PAGE_SHIFT;
	bool write = Operation != IoReadAccess;
	ULONG i, nr = wdk_span_pages(Mdl);
	__u32 mdl;

	wdm_port_passive(__func__);
	if (AccessMode == KernelMode) {
		MmBuildMdlForNonPagedPool(Mdl);
		return;
	}
	/* Check that it can be pinned; the maps do the lasting pins. */
	if (wdm_mdl_create(wdk_fd(), Mdl->StartVa, bytes,
			   write ? WDK_PERMISSIONS : IOMMU_ACCESS_READ, &mdl))
		return;
	wdm_destroy(wdk_fd(), mdl);
	wdk_memory_lock(Mdl->StartVa, bytes);
	for (i = 0; i < nr; i++)
		MmGetMdlPfnArray(Mdl)[i] =
			MmGetPhysicalAddress((PCHAR)Mdl->StartVa + i * PAGE_SIZE).QuadPart >>
			PAGE_SHIFT;
	Mdl->MdlFlags |= MDL_PAGES_LOCKED;
	if (write)
		Mdl->MdlFlags |= MDL_WRITE_OPERATION;
}

/**
 * MmUnlockPages() - Undo MmProbeAndLockPages()
 * @Mdl: the MDL, whose pages are not mapped any more
 *
 * Contract: MmUnlockPages.
 */
VOID MmUnlockPages(PMDL Mdl)
{
	wdm_port_passive(__func__);
	MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
	if (!(Mdl->MdlFlags & MDL_PAGES_LOCKED))
		return;
	wdk_memory_unlock(Mdl->StartVa, MmGetMdlPfnArray(Mdl), wdk_span_pages(Mdl));
	Mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
}

/**
 * MmAllocatePagesForMdlEx() - Allocate zeroed pages, and an MDL for them
 * @LowAddress: ignored
 * @HighAddress: the highest acceptable physical address
 * @SkipBytes: must be 0
 * @TotalBytes: number of bytes; rounded up to whole pages
 * @CacheType: ignored, as DMA is coherent
 * @Flags: ignored: it allocates all pages, or none
 *
 * Contract: MmAllocatePagesForMdlEx. Free the pages with MmFreePagesFromMdl(), and then the
 * MDL with IoFreeMdl().
 *
 * Return: the MDL; NULL on failure.
 */
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
			     PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
			     MEMORY_CACHING_TYPE CacheType, ULONG Flags)
{
	SIZE_T bytes = ROUND_TO_PAGES(TotalBytes);
	PFN_NUMBER frame;
	PMDL Mdl;
	char *memory;
	ULONG i;

	(void)LowAddress;
	(void)CacheType;
	(void)Flags;
	wdm_port_passive(__func__);
	/* ByteCount is a ULONG, and holds whole pages. */
	if (!bytes || TotalBytes > (UINT32_MAX & PAGE_MASK) || SkipBytes.QuadPart)
		return NULL;
	Mdl = IoAllocateMdl(NULL, bytes, FALSE, FALSE, NULL);
	if (!Mdl)
		return NULL;
	memory = wdk_pool_alloc(bytes, true, HighAddress.QuadPart);
	if (!memory) {
		IoFreeMdl(Mdl);
		return NULL;
	}
	frame = (ULONGLONG)MmGetPhysicalAddress(memory).QuadPart >> PAGE_SHIFT;
	for (i = 0; i < bytes >> PAGE_SHIFT; i++)
		MmGetMdlPfnArray(Mdl)[i] = frame + i;
	Mdl->MdlFlags |= MDL_PAGES_LOCKED;
	return Mdl;
}

/**
 * MmFreePagesFromMdl() - Free the pages of MmAllocatePagesForMdlEx()
 * @Mdl: the MDL, which is not freed and whose pages are not mapped any more
 *
 * Contract: MmFreePagesFromMdl.
 */
VOID MmFreePagesFromMdl(PMDL Mdl)
{
	wdm_port_passive(__func__);
	MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
	if (Mdl->ByteCount)
		ExFreePool(find_va(Mdl));
	Mdl->ByteCount = 0;
	Mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
}

/**
 * wdk_mdl_memory() - Get the page frames of an MDL
 * @Mdl: the MDL, or NULL
 * @memory: out: the page frames, in the MDL's memory
 *
 * Return: false if it is not made of whole pages, or not filled in.
 */
bool wdk_mdl_memory(const MDL *Mdl, struct wdk_memory *memory)
{
	if (!Mdl || Mdl->ByteOffset || !Mdl->ByteCount || Mdl->ByteCount % PAGE_SIZE ||
	    !(Mdl->MdlFlags & __WDM_MDL_HAS_PAGES))
		return false;
	*memory = (struct wdk_memory) {
		.pfns = MmGetMdlPfnArray(Mdl),
		.pages = Mdl->ByteCount >> PAGE_SHIFT,
	};
	return true;
}

/**
 * wdk_memory_of() - Get the page frames of a PhysicalAddressToMap
 * @physical: an MDL, a contiguous range or an array of page frames; or NULL
 * @memory: out: the page frames, in the caller's memory
 *
 * Return: false if it is empty, not made of whole pages, or too large.
 */
bool wdk_memory_of(const IOMMU_MAP_PHYSICAL_ADDRESS *physical, struct wdk_memory *memory)
{
	ULONGLONG base, size;

	if (!physical)
		return false;
	switch (physical->MapType) {
	case MapPhysicalAddressTypeMdl:
		return wdk_mdl_memory(physical->Mdl.Mdl, memory);
	case MapPhysicalAddressTypeContiguousRange:
		base = physical->ContiguousRange.Base.QuadPart;
		size = physical->ContiguousRange.Size;
		*memory = (struct wdk_memory) {
			.first = base >> PAGE_SHIFT,
			.pages = size >> PAGE_SHIFT,
		};
		return size && !((base | size) % PAGE_SIZE) && !wdk_wraps(base, memory->pages);
	case MapPhysicalAddressTypePfn:
		*memory = (struct wdk_memory) {
			.pfns = physical->PfnArray.PageFrame,
			.pages = physical->PfnArray.NumberOfPages,
		};
		return memory->pfns && memory->pages && !wdk_wraps(0, memory->pages);
	default:
		return false;
	}
}
