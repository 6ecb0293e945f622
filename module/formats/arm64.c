// SPDX-License-Identifier: GPL-2.0
/*
 * ARM64 (VMSAv8-64) stage 1 page tables with the 4 KiB granule, for devices without a
 * PASID: their requests count as EL0 accesses.
 */
#include "../perms.h"
#include "format.h"

#define ARM64_VALID		BIT_ULL(0)
#define ARM64_TABLE		BIT_ULL(1)	/* at level 0: a page */
#define ARM64_AP_EL0		BIT_ULL(6)	/* AP[1] */
#define ARM64_AP_RDONLY		BIT_ULL(7)	/* AP[2] */
#define ARM64_AF		BIT_ULL(10)
#define ARM64_NT		BIT_ULL(16)	/* blocks only */
#define ARM64_ADDRESS		GENMASK_ULL(47, 12)
#define ARM64_ADDRESS_RES0	GENMASK_ULL(49, 48)
#define ARM64_CONTIGUOUS	BIT_ULL(52)
#define ARM64_APTABLE_NO_EL0	BIT_ULL(61)	/* APTable[0] */
#define ARM64_APTABLE_RDONLY	BIT_ULL(62)	/* APTable[1] */

#define ARM64_CONTIGUOUS_RUN	16

static void wdm_arm64_decode_table(u64 raw, struct wdm_pt_entry *entry)
{
	if (raw & ARM64_APTABLE_NO_EL0)
		return;
	entry->kind = WDM_PT_TABLE;
	entry->address = raw & ARM64_ADDRESS;
	entry->perms = raw & ARM64_APTABLE_RDONLY ? WDM_READ : WDM_PERMS;
}

static void wdm_arm64_decode_leaf(unsigned int level, u64 raw,
				  struct wdm_pt_entry *entry)
{
	u64 low = wdm_pt_span(level) - 1;

	/* The low address bits of a block are RES0, except for nT. */
	if (raw & ARM64_ADDRESS & low & ~ARM64_NT) {
		entry->kind = WDM_PT_BAD;
		return;
	}
	if (!(raw & ARM64_AF) || !(raw & ARM64_AP_EL0))
		return;
	entry->kind = WDM_PT_LEAF;
	entry->address = raw & ARM64_ADDRESS & ~low;
	entry->perms = raw & ARM64_AP_RDONLY ? WDM_READ : WDM_PERMS;
	if (raw & ARM64_CONTIGUOUS)
		entry->run = ARM64_CONTIGUOUS_RUN;
}

/*
 * Ignored: AttrIndx, SH, NS, nG, GP, PXN, UXN, PBHA, software bits, and DBM: without
 * hardware management of the dirty state, AP[2] alone controls writes.
 */
static void wdm_arm64_decode(unsigned int level, u64 raw,
			     struct wdm_pt_entry *entry)
{
	*entry = (struct wdm_pt_entry) { .kind = WDM_PT_NONE, .run = 1 };

	if (!(raw & ARM64_VALID))
		return;

	if (raw & ARM64_ADDRESS_RES0) {
		entry->kind = WDM_PT_BAD;
	} else if (level && raw & ARM64_TABLE) {
		wdm_arm64_decode_table(raw, entry);
	} else if (level == 3 || (!level && !(raw & ARM64_TABLE))) {
		/* No blocks of 512 GiB; at level 0 this encoding is reserved. */
		entry->kind = WDM_PT_BAD;
	} else {
		wdm_arm64_decode_leaf(level, raw, entry);
	}
}

const struct wdm_pt_format wdm_pt_arm64 = {
	.decode = wdm_arm64_decode,
	.max_run = ARM64_CONTIGUOUS_RUN,
	.page = ARM64_ADDRESS,
};
