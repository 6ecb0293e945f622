/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The meaning of page table entries, implemented field by field from the architectures'
 * manuals. Shares nothing with module/formats.
 */
#ifndef WDM_KUNIT_SLOW_PT_H
#define WDM_KUNIT_SLOW_PT_H

#include <linux/types.h>

/**
 * struct slow_entry - the meaning of an entry
 * @table: it refers to a table at @address
 * @leaf: it maps memory at @address
 * @reserved: it is invalid: a reserved bit or encoding
 * @address: see above
 * @read: a device may read
 * @write: a device may write
 * @contiguous: leaves: one of 16 that hardware may cache as one
 *
 * An entry that is none of the three blocks without being reported.
 */
struct slow_entry {
	bool table;
	bool leaf;
	bool reserved;
	u64 address;
	bool read;
	bool write;
	bool contiguous;
};

/* @level: 0 for the tables of 4 KiB entries */
struct slow_entry slow_pt_decode(bool arm64, unsigned int level, u64 raw);

#endif /* WDM_KUNIT_SLOW_PT_H */
