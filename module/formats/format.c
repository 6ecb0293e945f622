// SPDX-License-Identifier: GPL-2.0
/*
 * Configurations: validate them, and derive the shape of the tables.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "format.h"

static ntstatus_t wdm_pt_init_x64(struct wdm_pt *pt,
				  const struct wdm_pt_config *config)
{
	if (config->x64.levels != 4 && config->x64.levels != 5)
		return STATUS_INVALID_PARAMETER_2;
	if (config->x64.root & GENMASK_ULL(11, 0))
		return STATUS_INVALID_PARAMETER_2;

	*pt = (struct wdm_pt) {
		.format = &wdm_pt_x64,
		.root = config->x64.root,
		.levels = config->x64.levels,
		.root_entries = WDM_PT_ENTRIES,
		.sign_extend = true,
	};
	return STATUS_SUCCESS;
}

static ntstatus_t wdm_pt_init_arm64(struct wdm_pt *pt,
				    const struct wdm_pt_config *config)
{
	unsigned int bits = config->arm64.input_size0;
	unsigned int levels, root_entries;
	u64 align;

	if (bits < 25 || bits > 48)
		return STATUS_INVALID_PARAMETER_2;
	if (config->arm64.ttbr1 || config->arm64.input_size1)
		return STATUS_INVALID_PARAMETER_2;

	levels = DIV_ROUND_UP(bits - 12, WDM_PT_INDEX_BITS);
	root_entries = BIT(bits - wdm_pt_shift(levels - 1));
	align = max_t(u64, root_entries * sizeof(u64), 64);
	if (config->arm64.ttbr0 & (align - 1))
		return STATUS_INVALID_PARAMETER_2;

	*pt = (struct wdm_pt) {
		.format = &wdm_pt_arm64,
		.root = config->arm64.ttbr0,
		.levels = levels,
		.root_entries = root_entries,
	};
	return STATUS_SUCCESS;
}

/**
 * wdm_pt_init() - Validate a configuration
 * @pt: out: the page tables that it describes
 * @config: the configuration, with TranslationEnabled TRUE
 *
 * Contract: DOMAIN_CONFIGURATION.
 *
 * Return: STATUS_SUCCESS or STATUS_INVALID_PARAMETER_2.
 */
ntstatus_t wdm_pt_init(struct wdm_pt *pt, const struct wdm_pt_config *config)
{
	switch (config->type) {
	case WDM_PT_X64:
		return wdm_pt_init_x64(pt, config);
	case WDM_PT_ARM64:
		return wdm_pt_init_arm64(pt, config);
	default:
		return STATUS_INVALID_PARAMETER_2;
	}
}
