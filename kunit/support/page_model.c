// SPDX-License-Identifier: GPL-2.0
/*
 * The model of a mapping table.
 */
#include <linux/kernel.h>

#include "page_model.h"

void page_model_init(struct fixture *fx, struct page_model *model, u64 first,
		     unsigned int nr)
{
	model->first = first;
	model->nr = nr;
	model->page = kunit_kcalloc(fx->test, nr, sizeof(*model->page),
				    GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(fx->test, model->page);
}

struct model_page *page_model_at(const struct page_model *model, u64 page)
{
	if (page - model->first >= model->nr)
		return NULL;
	return &model->page[page - model->first];
}

/* Count the mapped pages of a range of the window. */
unsigned int page_model_count(const struct page_model *model, u64 first,
			      u64 nr)
{
	unsigned int count = 0;
	u64 i;

	for (i = 0; i < nr; i++)
		count += !!page_model_at(model, first + i)->mdl;
	return count;
}

void page_model_insert(struct page_model *model, const struct wdm_extent *ext)
{
	u64 i;

	for (i = 0; i < ext->nr_pages; i++)
		*page_model_at(model, ext->pgno + i) = (struct model_page) {
			.mdl = ext->mdl,
			.mdl_page = ext->mdl_page + i,
			.perms = ext->perms,
		};
}

void page_model_remove(struct page_model *model, u64 first, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++)
		page_model_at(model, first + i)->mdl = NULL;
}

u64 page_model_uses(const struct page_model *model, const struct wdm_mdl *mdl)
{
	u64 uses = 0;
	unsigned int i;

	for (i = 0; i < model->nr; i++)
		uses += model->page[i].mdl == mdl;
	return uses;
}

void page_model_range(struct fixture *fx, const struct page_model *model,
		      u64 *first, u64 *nr)
{
	u64 max = fixture_once_in(&fx->rng, 4) ? model->nr : 12;
	u64 start = fixture_below(&fx->rng, model->nr);

	*first = model->first + start;
	*nr = 1 + fixture_below(&fx->rng, min(max, model->nr - start));
}

/*
 * Half of the time the extent continues what is mapped before it, so that adjacent pages
 * can merge.
 */
void page_model_extent(struct fixture *fx, const struct page_model *model,
		       struct test_mdl *tm, struct wdm_extent *ext)
{
	const struct model_page *before;

	page_model_range(fx, model, &ext->pgno, &ext->nr_pages);
	ext->nr_pages = min(ext->nr_pages, tm->nr_pages);
	ext->mdl = tm->mdl;
	ext->mdl_page = fixture_below(&fx->rng,
				      tm->nr_pages - ext->nr_pages + 1);
	ext->perms = fixture_perms(&fx->rng);

	before = page_model_at(model, ext->pgno - 1);
	if (before && before->mdl == tm->mdl &&
	    before->mdl_page + 1 + ext->nr_pages <= tm->nr_pages &&
	    fixture_once_in(&fx->rng, 2)) {
		ext->mdl_page = before->mdl_page + 1;
		ext->perms = before->perms;
	}
}

static bool page_model_is(const struct page_model *model, u64 first,
			  const struct wdm_extent *ext)
{
	const struct model_page *page;
	u64 i;

	/* Check that nothing precedes the extent, and its contents. */
	for (i = first; i < ext->pgno; i++)
		if (page_model_at(model, i)->mdl)
			return false;
	for (i = 0; i < ext->nr_pages; i++) {
		page = page_model_at(model, ext->pgno + i);
		if (page->mdl != ext->mdl || page->perms != ext->perms ||
		    page->mdl_page != ext->mdl_page + i)
			return false;
	}
	return true;
}

static bool page_model_continues(const struct wdm_extent *one,
				 const struct wdm_extent *next)
{
	return one->mdl == next->mdl && one->perms == next->perms &&
	       one->pgno + one->nr_pages == next->pgno &&
	       one->mdl_page + one->nr_pages == next->mdl_page;
}

/**
 * page_model_equals() - Compare a mapping table with the model
 * @model: the model; nothing is mapped outside its window
 * @mappings: the table
 *
 * Adjacent pages that continue each other must be one extent.
 *
 * Return: true if they are equal.
 */
bool page_model_equals(const struct page_model *model,
		       struct wdm_mappings *mappings)
{
	u64 next = model->first, last = model->first + model->nr - 1;
	struct wdm_extent ext, before = { };
	bool equal = true;

	while (equal && next <= last &&
	       wdm_mappings_find(mappings, next, U64_MAX >> PAGE_SHIFT, &ext)) {
		if (ext.pgno + ext.nr_pages - 1 > last ||
		    !page_model_is(model, next, &ext) ||
		    page_model_continues(&before, &ext))
			equal = false;
		next = ext.pgno + ext.nr_pages;
		before = ext;
	}
	if (equal && next <= last &&
	    page_model_count(model, next, last - next + 1))
		equal = false;
	return equal && wdm_mappings_pages(mappings) ==
			page_model_count(model, model->first, model->nr);
}
