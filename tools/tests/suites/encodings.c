// SPDX-License-Identifier: GPL-2.0
/*
 * The effect of each bit of an entry of a caller's page tables on a device's DMA.
 */
#include "suites.h"
#include "fixture.h"

/* Shares only the top level entry with HOME_ADDRESS */
#define TRY_ADDRESS	0x45000000ULL

/**
 * struct encoding - a change to an entry that allows everything
 * @name: description of the change
 * @level: level of the entry that translates TRY_ADDRESS; 0 is the leaf
 * @set: bits to set
 * @clear: bits to clear
 * @allows: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @refused: the entry is refused, with STATUS_INVALID_PARAMETER
 */
struct encoding {
	const char *name;
	unsigned int level;
	__u64 set;
	__u64 clear;
	__u32 allows;
	bool refused;
};

static const struct encoding x64_leaves[] = {
	{ .name = "as it is", .allows = WDM_RW },
	{ .name = "U/S = 0", .clear = WDM_X64_USER },
	{ .name = "R/W = 0", .clear = WDM_X64_WRITE, .allows = WDM_IOMMU_READ },
	{ .name = "P = 0", .clear = WDM_X64_PRESENT },
	{ .name = "P = 0, and everything else set", .set = ~0ULL, .clear = WDM_X64_PRESENT },
	{ .name = "XD", .set = WDM_X64_NX, .allows = WDM_RW },
	{ .name = "PWT, PCD, A, D, PAT, G", .set = 0x1f8, .allows = WDM_RW },
	{ .name = "bits for software, and keys", .set = 0x7ff0000000000e00, .allows = WDM_RW },
	{}
};

static const struct encoding x64_tables[] = {
	{ .name = "U/S = 0", .level = 1, .clear = WDM_X64_USER },
	{ .name = "U/S = 0 at the top", .level = 3, .clear = WDM_X64_USER },
	{ .name = "R/W = 0", .level = 1, .clear = WDM_X64_WRITE, .allows = WDM_IOMMU_READ },
	{ .name = "R/W = 0 in the middle", .level = 2, .clear = WDM_X64_WRITE,
	  .allows = WDM_IOMMU_READ },
	{ .name = "P = 0", .level = 1, .clear = WDM_X64_PRESENT },
	{ .name = "PWT, PCD, A, XD", .level = 1, .set = WDM_X64_NX | 0x38, .allows = WDM_RW },
	{ .name = "PS at the top", .level = 3, .set = WDM_X64_LARGE, .refused = true },
	{ .name = "2 MiB and reserved bits", .level = 1, .set = WDM_X64_LARGE | 0x2000,
	  .refused = true },
	{ .name = "1 GiB and reserved bits", .level = 2, .set = WDM_X64_LARGE | 0x20000000,
	  .refused = true },
	{}
};

static const struct encoding arm64_leaves[] = {
	{ .name = "as it is", .allows = WDM_RW },
	{ .name = "AP[1] = 0", .clear = WDM_ARM64_AP_EL0 },
	{ .name = "AP[2] = 1", .set = WDM_ARM64_AP_RO, .allows = WDM_IOMMU_READ },
	{ .name = "AP[1] = 0, AP[2] = 1", .set = WDM_ARM64_AP_RO, .clear = WDM_ARM64_AP_EL0 },
	{ .name = "AF = 0", .clear = WDM_ARM64_AF },
	{ .name = "not valid", .clear = WDM_ARM64_VALID },
	{ .name = "not valid, and everything else set", .set = ~0ULL, .clear = WDM_ARM64_VALID },
	{ .name = "PXN, UXN", .set = WDM_ARM64_PXN | WDM_ARM64_UXN, .allows = WDM_RW },
	{ .name = "AttrIndx, NS, SH, nG", .set = 0xb3c, .allows = WDM_RW },
	{ .name = "bits for software, PBHA", .set = 0x7f80000000000000, .allows = WDM_RW },
	{ .name = "the reserved type", .clear = WDM_ARM64_TABLE, .refused = true },
	{ .name = "bit 48 of the address", .set = 1ULL << 48, .refused = true },
	{}
};

static const struct encoding arm64_tables[] = {
	{ .name = "APTable[0]", .level = 1, .set = 1ULL << 61 },
	{ .name = "APTable[0] at the top", .level = 3, .set = 1ULL << 61 },
	{ .name = "APTable[1]", .level = 1, .set = 1ULL << 62, .allows = WDM_IOMMU_READ },
	{ .name = "APTable[1] in the middle", .level = 2, .set = 1ULL << 62,
	  .allows = WDM_IOMMU_READ },
	{ .name = "XNTable, PXNTable, NSTable", .level = 1, .set = 0x9800000000000000,
	  .allows = WDM_RW },
	{ .name = "ignored bits", .level = 1, .set = 0x07f0000000000ffc, .allows = WDM_RW },
	{ .name = "not valid", .level = 1, .clear = WDM_ARM64_VALID },
	{ .name = "a block at the top", .level = 3, .clear = WDM_ARM64_TABLE, .refused = true },
	{ .name = "bit 48 of the address", .level = 1, .set = 1ULL << 48, .refused = true },
	{}
};

/* A format and its encodings */
struct set {
	const struct wdm_table_format *format;
	const struct encoding *encodings;
};

static bool try_encoding(struct fixture *fixture, const struct encoding *encoding)
{
	const __u64 list[] = { TRY_ADDRESS };
	__u64 *entry = wdm_tables_entry(&fixture->tables, TRY_ADDRESS, encoding->level, false);
	__u32 expected = encoding->refused ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
	struct wdm_iommu_walk_error walk_error;
	__u64 before = *entry, after;
	bool good;

	*entry = (before | encoding->set) & ~encoding->clear;
	after = *entry;
	good = EXPECT(expected, wdm_flush_va_list(fixture->fd, fixture->domain, !encoding->level,
						  list, 1, &walk_error));
	good &= CHECK_EQUAL(walk_error.count, encoding->refused);
	if (good && encoding->refused) {
		good &= CHECK_EQUAL(walk_error.level, encoding->level);
		good &= CHECK_EQUAL(walk_error.entry, after);
		good &= CHECK_EQUAL(query(fixture->fd, fixture->domain).invalid_entries, 1);
	}
	good &= EXPECT_DMA(encoding->allows & WDM_IOMMU_WRITE ? DMA_ARRIVED : DMA_BLOCKED,
			   write_to(fixture, TRY_ADDRESS, page(fixture, 1)));
	/* Neither accessed nor dirty bits are written. */
	good &= CHECK_EQUAL(*entry, after);
	/* Reads are checked through HOME_ADDRESS, which the top entry translates, too. */
	if (encoding->level < 3)
		good &= EXPECT_DMA(encoding->allows & WDM_IOMMU_READ ? DMA_ARRIVED : DMA_BLOCKED,
				   read_from(fixture, TRY_ADDRESS, page(fixture, 1)));
	*entry = before;
	good &= EXPECT(STATUS_SUCCESS, wdm_flush(fixture->fd, fixture->domain, &walk_error));
	good &= CHECK_EQUAL(walk_error.count, 0);
	return good;
}

static void encodings(void)
{
	const struct set *set = parameter();
	struct fixture fixture;

	open_caller_managed(&fixture, 2, set->format);
	REQUIRE(wdm_tables_map(&fixture.tables, TRY_ADDRESS, caller(page(&fixture, 1)),
			       WDM_LEVEL_4K, WDM_RW));
	MUST(wdm_flush(fixture.fd, fixture.domain, NULL));
	for (const struct encoding *encoding = set->encodings; encoding->name; encoding++) {
		if (!try_encoding(&fixture, encoding))
			tap_diag("that was: %s", encoding->name);
	}
}

#define SET(entry_format, list) \
	.parameter = &(const struct set) { &(entry_format), list }

static const struct test_case cases[] = {
	{ .name = "x86-64, leaves", .run = encodings, .needs = NEEDS_DEVICE,
	  SET(wdm_format_x64, x64_leaves) },
	{ .name = "x86-64, tables", .run = encodings, .needs = NEEDS_DEVICE,
	  SET(wdm_format_x64, x64_tables) },
	{ .name = "ARM64, leaves", .run = encodings, .needs = NEEDS_DEVICE,
	  SET(wdm_format_arm64, arm64_leaves) },
	{ .name = "ARM64, tables", .run = encodings, .needs = NEEDS_DEVICE,
	  SET(wdm_format_arm64, arm64_tables) },
};

const struct suite encodings_suite = { "encodings", cases, ARRAY_SIZE(cases) };
