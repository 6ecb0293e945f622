// SPDX-License-Identifier: GPL-2.0
/*
 * x86-64 page tables of 4 or 5 levels, for devices without a PASID.
 */
#include "../perms.h"
#include "format.h"

#define X64_PRESENT	BIT_ULL(0)
#define X64_WRITE	BIT_ULL(1)
#define X64_USER	BIT_ULL(2)
#define X64_PS		BIT_ULL(7)	/* levels 1 and 2; PAT at level 0 */
#define X64_ADDRESS	GENMASK_ULL(51, 12)
#define X64_PAT_LARGE	BIT_ULL(12)

/*
 * Ignored: PWT, PCD, G, A and D, protection keys, software bits, and XD: a device does not
 * execute.
 */
static void wdm_x64_decode(unsigned int level, u64 raw,
			   struct wdm_pt_entry *entry)
{
	u64 low = wdm_pt_span(level) - 1;

	*entry = (struct wdm_pt_entry) { .kind = WDM_PT_NONE, .run = 1 };

	if (!(raw & X64_PRESENT))
		return;

	if (level > 2 && raw & X64_PS) {
		entry->kind = WDM_PT_BAD;
		return;
	}

	/* A device cannot use supervisor pages, nor anything below a supervisor table. */
	if (!(raw & X64_USER))
		return;

	entry->perms = WDM_READ | (raw & X64_WRITE ? WDM_WRITE : 0);
	entry->address = raw & X64_ADDRESS;

	if (!level) {
		entry->kind = WDM_PT_LEAF;
	} else if (!(raw & X64_PS)) {
		entry->kind = WDM_PT_TABLE;
	} else if (raw & X64_ADDRESS & low & ~X64_PAT_LARGE) {
		entry->kind = WDM_PT_BAD;
	} else {
		entry->kind = WDM_PT_LEAF;
		entry->address &= ~low;
	}
}

const struct wdm_pt_format wdm_pt_x64 = {
	.decode = wdm_x64_decode,
	.max_run = 1,
	.page = X64_ADDRESS,
};
