// SPDX-License-Identifier: GPL-2.0
/*
 * The meaning of page table entries.
 */
#include "slow_pt.h"

/* Bits @high to @low of @raw, in the manuals' notation */
static u64 field(u64 raw, unsigned int high, unsigned int low)
{
	return raw << (63 - high) >> (63 - high + low);
}

/*
 * Intel SDM volume 3, "4-Level Paging and 5-Level Paging", for an access in user
 * mode, with MAXPHYADDR = 52 and nothing reserved above bit 51.
 */
static struct slow_entry slow_x64(unsigned int level, u64 raw)
{
	struct slow_entry entry = { };
	bool page_size = field(raw, 7, 7);
	bool user = field(raw, 2, 2);

	if (!field(raw, 0, 0))
		return entry;

	/* PML5E and PML4E: "Reserved (must be 0)" */
	if (level >= 3 && page_size) {
		entry.reserved = true;
		return entry;
	}
	if (!user)
		return entry;

	entry.read = true;
	entry.write = field(raw, 1, 1);
	if (level == 2 && page_size) {
		/* A page of 1 GiB: bit 12 is PAT, 29:13 are reserved */
		entry.reserved = field(raw, 29, 13);
		entry.leaf = !entry.reserved;
		entry.address = field(raw, 51, 30) << 30;
	} else if (level == 1 && page_size) {
		/* A page of 2 MiB: bit 12 is PAT, 20:13 are reserved */
		entry.reserved = field(raw, 20, 13);
		entry.leaf = !entry.reserved;
		entry.address = field(raw, 51, 21) << 21;
	} else {
		entry.leaf = level == 0;
		entry.table = level != 0;
		entry.address = field(raw, 51, 12) << 12;
	}
	return entry;
}

/* Arm ARM, D8.3 "Translation table descriptor formats", 4 KiB granule. */
static struct slow_entry slow_arm64(unsigned int level, u64 raw)
{
	struct slow_entry entry = { };
	unsigned int arm_level = 3 - level;
	unsigned int type = field(raw, 1, 0);

	if (type != 1 && type != 3)
		return entry;
	/* Addresses have 48 bits here */
	if (field(raw, 49, 48)) {
		entry.reserved = true;
		return entry;
	}

	if (arm_level != 3 && type == 3) {
		/* APTable[1:0] is 62:61: no EL0 access, no writes */
		entry.table = !field(raw, 61, 61);
		entry.read = entry.table;
		entry.write = entry.table && !field(raw, 62, 62);
		entry.address = field(raw, 47, 12) << 12;
		return entry;
	}

	switch (arm_level) {
	case 3:
		entry.reserved = type == 1;
		entry.address = field(raw, 47, 12) << 12;
		break;
	case 2:
		/* nT is 16 */
		entry.reserved = field(raw, 20, 17) || field(raw, 15, 12);
		entry.address = field(raw, 47, 21) << 21;
		break;
	case 1:
		entry.reserved = field(raw, 29, 17) || field(raw, 15, 12);
		entry.address = field(raw, 47, 30) << 30;
		break;
	default:
		entry.reserved = true;
	}
	if (entry.reserved)
		return entry;

	/* AF is 10; AP[2:1] is 7:6: read-only, accessible to EL0 */
	entry.leaf = field(raw, 10, 10) && field(raw, 6, 6);
	entry.read = entry.leaf;
	entry.write = entry.leaf && !field(raw, 7, 7);
	entry.contiguous = field(raw, 52, 52);
	return entry;
}

struct slow_entry slow_pt_decode(bool arm64, unsigned int level, u64 raw)
{
	return arm64 ? slow_arm64(level, raw) : slow_x64(level, raw);
}
