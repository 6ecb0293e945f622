/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segments: pages that are mapped in a token.
 */
#ifndef WDM_CORE_OS_SEGMENT_H
#define WDM_CORE_OS_SEGMENT_H

#include "token.h"

struct wdm_frames;

ntstatus_t wdm_token_map(struct wdm_token *token, u64 offset, u32 perms,
			 const struct wdm_mdl_range *range);
ntstatus_t wdm_token_unmap(struct wdm_token *token, u64 offset, u64 size);

ntstatus_t wdm_token_map_frames(struct wdm_token *token, u64 offset, u32 perms,
				const struct wdm_frames *frames);
ntstatus_t wdm_token_unmap_frames(struct wdm_token *token, u64 offset, u64 size);

#endif /* WDM_CORE_OS_SEGMENT_H */
