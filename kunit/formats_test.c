// SPDX-License-Identifier: GPL-2.0
/*
 * Page table formats, compared with an independent implementation of the manuals.
 */
#include <kunit/test.h>
#include <linux/log2.h>

#include "../module/formats/format.h"
#include "support/fixture.h"
#include "support/slow_pt.h"

#define FORMATS_RANDOM	100000

struct formats_param {
	const char *name;
	bool arm64;
	const struct wdm_pt_format *format;
	unsigned int levels;
};

static const struct formats_param formats_params[] = {
	{ "x86-64", false, &wdm_pt_x64, 5 },
	{ "ARM64", true, &wdm_pt_arm64, 4 },
};

static void formats_name(const struct formats_param *param, char *desc)
{
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(formats, formats_params, formats_name);

static bool formats_agree(const struct formats_param *param,
			  unsigned int level, u64 raw)
{
	struct slow_entry slow = slow_pt_decode(param->arm64, level, raw);
	struct wdm_pt_entry entry;
	u32 perms = (slow.read ? WDM_READ : 0) | (slow.write ? WDM_WRITE : 0);

	param->format->decode(level, raw, &entry);
	if (slow.reserved)
		return entry.kind == WDM_PT_BAD;
	if (!slow.table && !slow.leaf)
		return entry.kind == WDM_PT_NONE;
	if (entry.kind != (slow.table ? WDM_PT_TABLE : WDM_PT_LEAF))
		return false;
	if (entry.run != (slow.contiguous ? 16 : 1))
		return false;
	/* The walk assumes that 4 KiB leaves which differ here refer to different pages. */
	if (!level && entry.address != (raw & param->format->page))
		return false;
	return entry.address == slow.address && entry.perms == perms;
}

static void formats_check(struct kunit *test, unsigned int level, u64 raw,
			  unsigned int *kinds)
{
	const struct formats_param *param = test->param_value;
	struct wdm_pt_entry entry;

	KUNIT_ASSERT_TRUE_MSG(test, formats_agree(param, level, raw),
			      "%s level %u: %016llx", param->name, level, raw);
	param->format->decode(level, raw, &entry);
	kinds[entry.kind]++;
}

/* All ways to change up to two bits of entries of each kind */
static void formats_bits(struct kunit *test)
{
	static const u64 bases[] = {
		0, 1, 3, 5, 7, 0x87, 0x403, 0x443, 0x4C3, 0x441, 0x4C1,
		0x0000123456789007, 0x0000123440000087, 0x0000123400000441,
		0x0000123456789443, ~0ULL,
	};
	const struct formats_param *param = test->param_value;
	unsigned int kinds[WDM_PT_BAD + 1] = { };
	unsigned int level, i, a, b;

	for (level = 0; level < param->levels; level++)
		for (i = 0; i < ARRAY_SIZE(bases); i++)
			for (a = 0; a < 64; a++)
				for (b = 0; b <= a; b++)
					formats_check(test, level,
						      bases[i] ^ BIT_ULL(a) ^
						      (a == b ? 0 : BIT_ULL(b)),
						      kinds);
	for (i = 0; i <= WDM_PT_BAD; i++)
		KUNIT_EXPECT_GT(test, kinds[i], 100);
}

static void formats_random(struct kunit *test)
{
	const struct formats_param *param = test->param_value;
	struct rnd_state *rng = &FIXTURE(test)->rng;
	unsigned int kinds[WDM_PT_BAD + 1] = { };
	unsigned int i;
	u64 raw;

	for (i = 0; i < FORMATS_RANDOM; i++) {
		raw = fixture_random(rng);
		/* Purely random bits are mostly bad entries. */
		if (fixture_once_in(rng, 2))
			raw &= ~GENMASK_ULL(49, 48);
		if (fixture_once_in(rng, 2))
			raw |= 0x447;
		if (fixture_once_in(rng, 2))
			raw &= ~GENMASK_ULL(29, 12);
		formats_check(test, fixture_below(rng, param->levels), raw,
			      kinds);
	}
	for (i = 0; i <= WDM_PT_BAD; i++)
		KUNIT_EXPECT_GT(test, kinds[i], 100);
}

static void formats_init_x64(struct kunit *test)
{
	struct wdm_pt_config config = {
		.type = WDM_PT_X64, .translation_enabled = true,
	};
	ntstatus_t status;
	struct wdm_pt pt;
	unsigned int levels, bit;
	bool valid;

	for (levels = 0; levels < 10; levels++) {
		for (bit = 0; bit < 64; bit++) {
			config.x64.root = 0x123456000 ^ BIT_ULL(bit);
			config.x64.levels = levels;
			valid = (levels == 4 || levels == 5) && bit >= 12;
			status = wdm_pt_init(&pt, &config);
			KUNIT_EXPECT_STATUS(test, status,
					    valid ? STATUS_SUCCESS :
					    STATUS_INVALID_PARAMETER_2);
			if (!valid || !wdm_ok(status))
				continue;
			KUNIT_EXPECT_PTR_EQ(test, pt.format, &wdm_pt_x64);
			KUNIT_EXPECT_EQ(test, pt.root, config.x64.root);
			KUNIT_EXPECT_EQ(test, pt.levels, levels);
			KUNIT_EXPECT_EQ(test, pt.root_entries, 512);
			KUNIT_EXPECT_TRUE(test, pt.sign_extend);
		}
	}
}

/* The table of the Arm ARM: start level and size of the root */
static void formats_arm64_shape(unsigned int bits, unsigned int *levels,
				unsigned int *entries)
{
	*levels = bits > 39 ? 4 : bits > 30 ? 3 : bits > 21 ? 2 : 1;
	*entries = 1U << (bits - (*levels * 9 + 3));
}

static void formats_init_arm64(struct kunit *test)
{
	struct wdm_pt_config config = {
		.type = WDM_PT_ARM64, .translation_enabled = true,
	};
	unsigned int bits, bit, levels, entries;
	ntstatus_t status;
	struct wdm_pt pt;
	bool valid;

	for (bits = 0; bits < 70; bits++) {
		for (bit = 0; bit < 48; bit++) {
			config.arm64.ttbr0 = BIT_ULL(bit);
			config.arm64.input_size0 = bits;
			valid = bits >= 25 && bits <= 48;
			if (valid) {
				formats_arm64_shape(bits, &levels, &entries);
				valid = BIT_ULL(bit) >= 64 &&
					BIT_ULL(bit) >= entries * 8;
			}
			status = wdm_pt_init(&pt, &config);
			KUNIT_EXPECT_STATUS(test, status,
					    valid ? STATUS_SUCCESS :
					    STATUS_INVALID_PARAMETER_2);
			if (!valid || !wdm_ok(status))
				continue;
			KUNIT_EXPECT_PTR_EQ(test, pt.format, &wdm_pt_arm64);
			KUNIT_EXPECT_EQ(test, pt.root, config.arm64.ttbr0);
			KUNIT_EXPECT_EQ(test, pt.levels, levels);
			KUNIT_EXPECT_EQ(test, pt.root_entries, entries);
			KUNIT_EXPECT_FALSE(test, pt.sign_extend);
		}
	}
}

static void formats_init_refused(struct kunit *test)
{
	struct wdm_pt_config config = {
		.type = WDM_PT_ARM64, .translation_enabled = true,
		.arm64 = { .ttbr0 = 0x1000, .input_size0 = 39 },
	};
	struct wdm_pt pt;

	KUNIT_EXPECT_STATUS(test, wdm_pt_init(&pt, &config), STATUS_SUCCESS);
	config.arm64.ttbr1 = 0x1000;
	KUNIT_EXPECT_STATUS(test, wdm_pt_init(&pt, &config),
			    STATUS_INVALID_PARAMETER_2);
	config.arm64.ttbr1 = 0;
	config.arm64.input_size1 = 39;
	KUNIT_EXPECT_STATUS(test, wdm_pt_init(&pt, &config),
			    STATUS_INVALID_PARAMETER_2);
	config.arm64.input_size1 = 0;
	config.type = 2;
	KUNIT_EXPECT_STATUS(test, wdm_pt_init(&pt, &config),
			    STATUS_INVALID_PARAMETER_2);
	config.type = -1;
	KUNIT_EXPECT_STATUS(test, wdm_pt_init(&pt, &config),
			    STATUS_INVALID_PARAMETER_2);
}

/* Addresses around every power of two, and around its negative */
static void formats_check_addresses(struct kunit *test, const struct wdm_pt *pt,
				    unsigned int bits)
{
	unsigned int bit, i;
	bool wanted;
	u64 va;

	for (bit = 0; bit < 64; bit++) {
		for (i = 0; i < 6; i++) {
			va = BIT_ULL(bit) - 1 + i % 3;
			if (i >= 3)
				va = -va;
			wanted = pt->sign_extend ?
				 (u64)((s64)(va << (64 - bits)) >> (64 - bits)) == va :
				 va < BIT_ULL(bits);
			KUNIT_EXPECT_EQ_MSG(test, wdm_pt_translates(pt, va),
					    wanted, "%016llx, %u bits", va,
					    bits);
		}
	}
}

static void formats_translates(struct kunit *test)
{
	struct wdm_pt_config config = { .type = WDM_PT_X64 };
	struct wdm_pt pt;
	unsigned int i;

	for (i = 4; i <= 5; i++) {
		config.x64.levels = i;
		KUNIT_ASSERT_STATUS(test, wdm_pt_init(&pt, &config),
				    STATUS_SUCCESS);
		formats_check_addresses(test, &pt, i == 4 ? 48 : 57);
	}
	config = (struct wdm_pt_config) { .type = WDM_PT_ARM64 };
	for (i = 25; i <= 48; i++) {
		config.arm64.input_size0 = i;
		KUNIT_ASSERT_STATUS(test, wdm_pt_init(&pt, &config),
				    STATUS_SUCCESS);
		formats_check_addresses(test, &pt, i);
	}
}

static struct kunit_case formats_cases[] = {
	KUNIT_CASE_PARAM(formats_bits, formats_gen_params),
	KUNIT_CASE_PARAM(formats_random, formats_gen_params),
	KUNIT_CASE(formats_init_x64),
	KUNIT_CASE(formats_init_arm64),
	KUNIT_CASE(formats_init_refused),
	KUNIT_CASE(formats_translates),
	{}
};

static struct kunit_suite formats_suite = {
	.name = "wdm_iommu_formats",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = formats_cases,
};

kunit_test_suite(formats_suite);
