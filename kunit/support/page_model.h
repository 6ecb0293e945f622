/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model of a mapping table: an array with an element per page.
 */
#ifndef WDM_KUNIT_PAGE_MODEL_H
#define WDM_KUNIT_PAGE_MODEL_H

#include "../../module/core/mappings/mappings.h"
#include "fixture.h"

struct model_page {
	struct wdm_mdl *mdl;	/* NULL: not mapped */
	u64 mdl_page;
	u32 perms;
};

/**
 * struct page_model - the pages of a window
 * @first: page number of the window's first page
 * @nr: number of pages
 * @page: the pages
 */
struct page_model {
	u64 first;
	unsigned int nr;
	struct model_page *page;
};

void page_model_init(struct fixture *fx, struct page_model *model, u64 first,
		     unsigned int nr);
struct model_page *page_model_at(const struct page_model *model, u64 page);
unsigned int page_model_count(const struct page_model *model, u64 first,
			      u64 nr);
void page_model_insert(struct page_model *model, const struct wdm_extent *ext);
void page_model_remove(struct page_model *model, u64 first, u64 nr);
u64 page_model_uses(const struct page_model *model, const struct wdm_mdl *mdl);

/* Pick a random range of the window, mostly a short one. */
void page_model_range(struct fixture *fx, const struct page_model *model,
		      u64 *first, u64 *nr);
/* Pick a random extent for the window. */
void page_model_extent(struct fixture *fx, const struct page_model *model,
		       struct test_mdl *tm, struct wdm_extent *ext);

/* Check that the table equals the model in all of the window. */
bool page_model_equals(const struct page_model *model,
		       struct wdm_mappings *mappings);

#endif /* WDM_KUNIT_PAGE_MODEL_H */
