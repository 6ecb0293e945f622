// SPDX-License-Identifier: GPL-2.0
/*
 * MDLs of kernel memory: the WDK's functions that make them, and their pages in
 * the core's words.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../core/mdl.h"
#include "wdk.h"

/* Each of these says that the page frames are there. */
#define WDK_MDL_HAS_PAGES \
	(MDL_SOURCE_IS_NONPAGED_POOL | MDL_PAGES_LOCKED | MDL_PARTIAL)

static ULONG wdk_mdl_pages(const MDL *Mdl)
{
	return DIV_ROUND_UP((u64)Mdl->ByteOffset + Mdl->ByteCount, PAGE_SIZE);
}

/**
 * IoAllocateMdl() - Allocate an MDL for a buffer
 * @VirtualAddress: where the buffer starts
 * @Length: bytes
 * @SecondaryBuffer: must be FALSE: there are no IRPs to add it to
 * @ChargeQuota: not looked at
 * @Irp: must be NULL
 *
 * Contract: IoAllocateMdl. The MDL does not know its pages yet; see
 * MmBuildMdlForNonPagedPool().
 *
 * Return: the MDL, for IoFreeMdl(); NULL on failure.
 */
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp)
{
	ULONG offset = offset_in_page(VirtualAddress);
	size_t pages = DIV_ROUND_UP((u64)offset + Length, PAGE_SIZE);
	size_t size = size_add(sizeof(MDL), size_mul(pages, sizeof(PFN_NUMBER)));
	PMDL Mdl;

	if (SecondaryBuffer || Irp)
		return NULL;
	Mdl = kvzalloc(size, GFP_KERNEL);
	if (!Mdl)
		return NULL;
	Mdl->Size = min_t(size_t, size, S16_MAX);
	Mdl->StartVa = VirtualAddress - offset;
	Mdl->ByteOffset = offset;
	Mdl->ByteCount = Length;
	return Mdl;
}
EXPORT_SYMBOL_NS_GPL(IoAllocateMdl, WDM_IOMMU_NS);

/**
 * MmBuildMdlForNonPagedPool() - Fill an MDL with the pages of its buffer
 * @Mdl: an MDL of kernel memory: of kmalloc(), vmalloc(), alloc_pages() or a
 *	module's own
 *
 * Contract: MmBuildMdlForNonPagedPool.
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
 * @Mdl: the MDL; what is mapped of its memory stays so
 *
 * Contract: IoFreeMdl.
 */
void IoFreeMdl(PMDL Mdl)
{
	kvfree(Mdl);
}
EXPORT_SYMBOL_NS_GPL(IoFreeMdl, WDM_IOMMU_NS);

static void wdk_core_mdl_free(struct wdm_mdl *mdl)
{
	kvfree(mdl->pages.runs);
	kfree(mdl);
}

static const struct wdm_mdl_ops wdk_core_mdl_ops = {
	.free = wdk_core_mdl_free,
};

static u32 wdk_count_runs(const PFN_NUMBER *pfn, ULONG nr)
{
	u32 runs = 1;
	ULONG i;

	for (i = 1; i < nr; i++)
		if (pfn[i] != pfn[i - 1] + 1)
			runs++;
	return runs;
}

/**
 * wdk_mdl_to_core() - The pages of an MDL as the core knows them
 * @Mdl: the MDL
 * @out: out: the pages, with a reference; maps take their own
 *
 * The memory is the caller's, which must keep it until it is unmapped.
 *
 * Return: STATUS_INVALID_PARAMETER_3 if it is not whole pages or has not been
 * filled, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wdk_mdl_to_core(PMDL Mdl, struct wdm_mdl **out)
{
	const PFN_NUMBER *pfn = MmGetMdlPfnArray(Mdl);
	ULONG i, nr = Mdl->ByteCount >> PAGE_SHIFT;
	struct wdm_pages pages = { };
	struct wdm_mdl *mdl;

	if (Mdl->ByteOffset || !nr || !PAGE_ALIGNED(Mdl->ByteCount) ||
	    !(Mdl->MdlFlags & WDK_MDL_HAS_PAGES))
		return STATUS_INVALID_PARAMETER_3;

	mdl = kzalloc(sizeof(*mdl), GFP_KERNEL);
	pages.runs = kvmalloc_array(wdk_count_runs(pfn, nr),
				    sizeof(*pages.runs), GFP_KERNEL);
	if (!mdl || !pages.runs)
		goto nomem;
	for (i = 0; i < nr; i++)
		wdm_pages_add(&pages, pfn[i], 1);
	wdm_mdl_init(mdl, &wdk_core_mdl_ops, WDM_PERMS, &pages);
	*out = mdl;
	return STATUS_SUCCESS;

nomem:
	kvfree(pages.runs);
	kfree(mdl);
	return STATUS_INSUFFICIENT_RESOURCES;
}
