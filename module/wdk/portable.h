/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The parts of the functions of wdm_port.h that the kernel and programs (tools/wdm) share.
 * Include it after wdm_port.h.
 */
#ifndef WDM_WDK_PORTABLE_H
#define WDM_WDK_PORTABLE_H

/* Longer formats are truncated. */
#define WDK_FORMAT_MAX	256

/*
 * Remove the "l" of %lu and the like, which stand for LONG and ULONG, of 32 bits. Keep %ll
 * and %I64, of 64 bits.
 */
static inline void wdk_format(char *to, size_t room, const char *from)
{
	const char *end = to + room - 4;
	bool directive = false;

	for (; *from && to < end; from++) {
		if (!directive) {
			directive = *from == '%';
		} else if (*from == 'l' && from[1] == 'l') {
			*to++ = *from++;
		} else if (*from == 'l') {
			continue;
		} else if (!strncmp(from, "I64", 3)) {
			*to++ = 'l';
			*to++ = 'l';
			from += 2;
			continue;
		} else if (!strchr("0123456789.*-+ #", *from)) {
			directive = false;
		}
		*to++ = *from;
	}
	*to = '\0';
}

/* Get the number of page frames in an MDL. */
static inline ULONG wdk_span_pages(const MDL *Mdl)
{
	return ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(Mdl),
					      Mdl->ByteCount);
}

/* IoBuildPartialMdl() */
static inline void wdk_build_partial_mdl(PMDL SourceMdl, PMDL TargetMdl,
					 PVOID VirtualAddress, ULONG Length)
{
	ULONG_PTR offset = VirtualAddress - MmGetMdlVirtualAddress(SourceMdl);
	ULONG first = (VirtualAddress - SourceMdl->StartVa) >> PAGE_SHIFT;

	if (!Length)
		Length = SourceMdl->ByteCount - offset;
	TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
	TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
	TargetMdl->ByteCount = Length;
	TargetMdl->MdlFlags &= MDL_ALLOCATED_FIXED_SIZE;
	/* If the source has no page frames, the target has none either. */
	if (SourceMdl->MdlFlags & __WDM_MDL_HAS_PAGES)
		TargetMdl->MdlFlags |= MDL_PARTIAL;
	TargetMdl->MappedSystemVa = NULL;
	if (SourceMdl->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL |
				   MDL_MAPPED_TO_SYSTEM_VA)) {
		TargetMdl->MappedSystemVa = SourceMdl->MappedSystemVa + offset;
		/* Unmapping it is up to the source. */
		TargetMdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
	}
	memcpy(MmGetMdlPfnArray(TargetMdl), MmGetMdlPfnArray(SourceMdl) + first,
	       wdk_span_pages(TargetMdl) * sizeof(PFN_NUMBER));
}

#endif /* WDM_WDK_PORTABLE_H */
