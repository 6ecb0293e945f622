// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs of kernel memory: the WDK functions that create them, and conversion to page
 * frames for the map functions.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../core/frames.h"
#include "wdk.h"

/* An MDL that waits to be freed in process context */
struct wdk_dead_mdl {
	struct rcu_head rcu;
};

static_assert(sizeof(struct wdk_dead_mdl) <= sizeof(MDL));

static ULONG wdk_mdl_pages(const MDL *Mdl)
{
	return DIV_ROUND_UP((u64)Mdl->ByteOffset + Mdl->ByteCount, PAGE_SIZE);
}

/**
 * wdk_mdl_alloc() - Allocate an MDL for a buffer
 * @VirtualAddress: start of the buffer
 * @Length: number of bytes
 * @gfp: for memory
 *
 * Return: the MDL, for IoFreeMdl(); NULL on failure.
 */
PMDL wdk_mdl_alloc(PVOID VirtualAddress, ULONG Length, gfp_t gfp)
{
	ULONG offset = offset_in_page(VirtualAddress);
	size_t pages = DIV_ROUND_UP((u64)offset + Length, PAGE_SIZE);
	size_t size = size_add(sizeof(MDL), size_mul(pages, sizeof(PFN_NUMBER)));
	PMDL Mdl;

	Mdl = gfpflags_allow_blocking(gfp) ? kvzalloc(size, gfp) : kzalloc(size, gfp);
	if (!Mdl)
		return NULL;
	Mdl->Size = min_t(size_t, size, S16_MAX);
	Mdl->StartVa = VirtualAddress - offset;
	Mdl->ByteOffset = offset;
	Mdl->ByteCount = Length;
	return Mdl;
}

/**
 * IoAllocateMdl() - Allocate an MDL for a buffer
 * @VirtualAddress: start of the buffer
 * @Length: number of bytes
 * @SecondaryBuffer: must be FALSE: there are no IRPs to add it to
 * @ChargeQuota: ignored
 * @Irp: must be NULL
 *
 * Contract: IoAllocateMdl. The page frames are not filled in yet; see
 * MmBuildMdlForNonPagedPool().
 *
 * Context: any but NMI.
 * Return: the MDL, for IoFreeMdl(); NULL on failure.
 */
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp)
{
	PMDL Mdl;

	if (SecondaryBuffer || Irp)
		return NULL;
	Mdl = wdk_mdl_alloc(VirtualAddress, Length, GFP_ATOMIC | __GFP_NOWARN);
	/* Retry with GFP_KERNEL if possible: a long MDL may need several pages. */
	if (!Mdl && preemptible() && !rcu_preempt_depth())
		Mdl = wdk_mdl_alloc(VirtualAddress, Length, GFP_KERNEL);
	return Mdl;
}
EXPORT_SYMBOL_NS_GPL(IoAllocateMdl, WDM_IOMMU_NS);

/**
 * MmBuildMdlForNonPagedPool() - Fill an MDL with the pages of its buffer
 * @Mdl: an MDL of kernel memory: of kmalloc(), vmalloc(), alloc_pages() or a
 *	module's own
 *
 * Contract: MmBuildMdlForNonPagedPool.
 *
 * Context: any.
 */
void MmBuildMdlForNonPagedPool(PMDL Mdl)
{
	PPFN_NUMBER pfn = MmGetMdlPfnArray(Mdl);
	ULONG i, nr = wdk_mdl_pages(Mdl);

	for (i = 0; i < nr; i++) {
		void *va = Mdl->StartVa + i * PAGE_SIZE;

		pfn[i] = virt_addr_valid(va) ? PHYS_PFN(virt_to_phys(va)) :
					       vmalloc_to_pfn(va);
	}
	Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
	Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}
EXPORT_SYMBOL_NS_GPL(MmBuildMdlForNonPagedPool, WDM_IOMMU_NS);

/**
 * IoFreeMdl() - Free an MDL
 * @Mdl: the MDL; its memory stays mapped
 *
 * Contract: IoFreeMdl.
 *
 * Context: any but NMI.
 */
void IoFreeMdl(PMDL Mdl)
{
	/* vfree() may sleep, so defer it. The header of a freed MDL can be reused for that. */
	if (is_vmalloc_addr(Mdl))
		kvfree_rcu((struct wdk_dead_mdl *)Mdl, rcu);
	else
		kfree(Mdl);
}
EXPORT_SYMBOL_NS_GPL(IoFreeMdl, WDM_IOMMU_NS);

/**
 * wdk_mdl_frames() - Get the page frames of an MDL
 * @Mdl: the MDL, or NULL
 * @frames: out: the page frames, in the MDL's memory
 *
 * Return: false if it is not made of whole pages, or not filled in.
 */
bool wdk_mdl_frames(const MDL *Mdl, struct wdm_frames *frames)
{
	if (!Mdl || Mdl->ByteOffset || !Mdl->ByteCount ||
	    !PAGE_ALIGNED(Mdl->ByteCount) || !(Mdl->MdlFlags & __WDM_MDL_HAS_PAGES))
		return false;
	*frames = (struct wdm_frames) {
		.pfns = MmGetMdlPfnArray(Mdl),
		.nr_pages = Mdl->ByteCount >> PAGE_SHIFT,
	};
	return true;
}

/**
 * wdk_memory_frames() - Get the page frames of a PhysicalAddressToMap
 * @memory: an MDL, a contiguous range or an array of page frames; or NULL
 * @frames: out: the page frames, in the caller's memory
 *
 * Return: false if it is empty, not made of whole pages, or too large.
 */
bool wdk_memory_frames(const IOMMU_MAP_PHYSICAL_ADDRESS *memory,
		       struct wdm_frames *frames)
{
	u64 base, size;

	if (!memory)
		return false;
	switch (memory->MapType) {
	case MapPhysicalAddressTypeMdl:
		return wdk_mdl_frames(memory->Mdl.Mdl, frames);
	case MapPhysicalAddressTypeContiguousRange:
		base = memory->ContiguousRange.Base.QuadPart;
		size = memory->ContiguousRange.Size;
		*frames = (struct wdm_frames) {
			.pfn = PHYS_PFN(base),
			.nr_pages = size >> PAGE_SHIFT,
		};
		return size && PAGE_ALIGNED(base | size) &&
		       !wdm_pages_wrap(base, frames->nr_pages);
	case MapPhysicalAddressTypePfn:
		*frames = (struct wdm_frames) {
			.pfns = memory->PfnArray.PageFrame,
			.nr_pages = memory->PfnArray.NumberOfPages,
		};
		return frames->pfns && frames->nr_pages &&
		       frames->nr_pages <= U64_MAX >> PAGE_SHIFT;
	default:
		return false;
	}
}
