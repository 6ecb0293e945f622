// SPDX-License-Identifier: GPL-2.0
/*
 * Record: which pages of MDLs stand at which page numbers.
 *
 * An extent is a single word of a maple tree: permissions, the number of the
 * MDL, and the distance between page number and page of the MDL. Because it is a
 * distance, a word stays true for any part of its range: cutting a hole is one
 * store of NULL, and neighbours that continue each other have the same word and
 * are stored as one. A mapping takes no memory but its share of a tree node.
 */
#include <linux/bitfield.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../compat/compat.h"
#include "record.h"

#define WDM_EXTENT_PERMS	GENMASK_ULL(1, 0)
#define WDM_EXTENT_ID		GENMASK_ULL(2 + WDM_MDL_ID_BITS - 1, 2)
#define WDM_EXTENT_DELTA	\
	GENMASK_ULL(2 + WDM_MDL_ID_BITS + WDM_MDL_PAGE_BITS - 1, \
		    2 + WDM_MDL_ID_BITS)

static void *wdm_extent_pack(const struct wdm_extent *ext)
{
	u64 delta = (ext->mdl_page - ext->first) & WDM_MDL_MAX_PAGES;

	return xa_mk_value(FIELD_PREP(WDM_EXTENT_PERMS, ext->perms) |
			   FIELD_PREP(WDM_EXTENT_ID, ext->mdl->id) |
			   FIELD_PREP(WDM_EXTENT_DELTA, delta));
}

static void wdm_extent_unpack(const void *entry, u64 first, u64 last,
			      struct wdm_extent *ext)
{
	u64 word = xa_to_value(entry);

	ext->first = first;
	ext->nr_pages = last - first + 1;
	ext->mdl = wdm_mdl_by_id(FIELD_GET(WDM_EXTENT_ID, word));
	ext->mdl_page = (first + FIELD_GET(WDM_EXTENT_DELTA, word)) &
			WDM_MDL_MAX_PAGES;
	ext->perms = FIELD_GET(WDM_EXTENT_PERMS, word);
	ext->handle = ext->mdl->handle;
}

/**
 * wdm_record_init() - Make an empty record
 * @rec: the record
 */
void wdm_record_init(struct wdm_record *rec)
{
	mutex_init(&rec->lock);
	mt_init_flags(&rec->tree, MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&rec->tree, &rec->lock);
	rec->pages = 0;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_record_init);

/**
 * wdm_record_destroy() - Empty a record
 * @rec: the record; no translation leads to its pages any more
 */
void wdm_record_destroy(struct wdm_record *rec)
{
	struct wdm_extent ext;
	u64 next = 0;

	mutex_lock(&rec->lock);
	while (wdm_record_next(rec, next, ULONG_MAX, &ext)) {
		mutex_unlock(&rec->lock);
		next = ext.first + ext.nr_pages;
		wdm_mdl_unuse(ext.mdl, ext.nr_pages);
		cond_resched();
		mutex_lock(&rec->lock);
	}
	__mt_destroy(&rec->tree);
	rec->pages = 0;
	mutex_unlock(&rec->lock);
	mutex_destroy(&rec->lock);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_record_destroy);

/**
 * wdm_record_insert() - Map pages
 * @rec: the record; @rec->lock is held
 * @ext: the pages, all of them inside @ext->mdl, on which the caller holds a
 *	reference
 *
 * Return: STATUS_RESOURCE_IN_USE if any of the pages is mapped,
 * STATUS_INSUFFICIENT_RESOURCES; on failure nothing has changed.
 */
ntstatus_t wdm_record_insert(struct wdm_record *rec,
			     const struct wdm_extent *ext)
{
	MA_STATE(mas, &rec->tree, ext->first, ext->first);
	u64 first = ext->first, last = ext->first + ext->nr_pages - 1;
	void *entry = wdm_extent_pack(ext);

	lockdep_assert_held(&rec->lock);

	if (mas_find(&mas, last))
		return STATUS_RESOURCE_IN_USE;

	/* The same word next to this one means: the same run goes on. */
	if (first) {
		mas_set(&mas, first - 1);
		if (mas_walk(&mas) == entry)
			first = mas.index;
	}
	mas_set(&mas, last + 1);
	if (mas_walk(&mas) == entry)
		last = mas.last;

	mas_set_range(&mas, first, last);
	if (mas_store_gfp(&mas, entry, GFP_KERNEL_ACCOUNT))
		return STATUS_INSUFFICIENT_RESOURCES;

	wdm_mdl_use(ext->mdl, ext->nr_pages);
	rec->pages += ext->nr_pages;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_record_insert);

/**
 * wdm_record_next() - Find the next mapped pages
 * @rec: the record; @rec->lock is held
 * @first: page number to start at
 * @last: last page number of interest
 * @ext: out: the first extent that is not all below @first, cut to
 *	[@first, @last]
 *
 * Return: whether there is one.
 */
bool wdm_record_next(struct wdm_record *rec, u64 first, u64 last,
		     struct wdm_extent *ext)
{
	MA_STATE(mas, &rec->tree, first, first);
	void *entry;

	lockdep_assert_held(&rec->lock);

	if (first > last)
		return false;
	entry = mas_find(&mas, last);
	if (!entry)
		return false;
	wdm_extent_unpack(entry, max_t(u64, mas.index, first),
			  min_t(u64, mas.last, last), ext);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_record_next);

/**
 * wdm_record_extent() - Find the whole extent that a page is part of
 * @rec: the record; @rec->lock is held
 * @page: page number
 * @ext: out: the extent
 *
 * Return: whether @page is mapped.
 */
bool wdm_record_extent(struct wdm_record *rec, u64 page, struct wdm_extent *ext)
{
	MA_STATE(mas, &rec->tree, page, page);
	void *entry;

	lockdep_assert_held(&rec->lock);

	entry = mas_walk(&mas);
	if (!entry)
		return false;
	wdm_extent_unpack(entry, mas.index, mas.last, ext);
	return true;
}

/* How many extents cover every page of a range? 0 if there is a hole. */
static u64 wdm_record_count(struct wdm_record *rec, u64 first, u64 last)
{
	struct wdm_extent ext;
	u64 nr = 0;

	while (wdm_record_next(rec, first, last, &ext) && ext.first == first) {
		first += ext.nr_pages;
		nr++;
		if (first > last)
			return nr;
		cond_resched();
	}
	return 0;
}

/**
 * wdm_record_covers() - Is every page of a range mapped?
 * @rec: the record; @rec->lock is held
 * @first: the first page number
 * @last: the last one
 *
 * Return: whether it is.
 */
bool wdm_record_covers(struct wdm_record *rec, u64 first, u64 last)
{
	return wdm_record_count(rec, first, last);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_record_covers);

/**
 * wdm_record_remove() - Take pages out
 * @rec: the record; @rec->lock is held
 * @first: the first page number
 * @last: the last one
 * @removal: out: what was there. Its MDLs count as used until
 *	wdm_removal_release(), which the caller owes after success, once no
 *	translation leads to the pages any more
 * @gfp: how to allocate memory
 *
 * Return: STATUS_NOT_FOUND if not every page is mapped,
 * STATUS_INSUFFICIENT_RESOURCES; on failure nothing has changed.
 */
ntstatus_t wdm_record_remove(struct wdm_record *rec, u64 first, u64 last,
			     struct wdm_removal *removal, gfp_t gfp)
{
	MA_STATE(mas, &rec->tree, first, last);
	u64 next = first;
	u64 nr;

	lockdep_assert_held(&rec->lock);

	nr = wdm_record_count(rec, first, last);
	if (!nr)
		return STATUS_NOT_FOUND;

	removal->nr = 0;
	removal->ext = removal->few;
	if (nr > ARRAY_SIZE(removal->few)) {
		removal->ext = kvmalloc_array(nr, sizeof(*removal->ext),
					      gfp | __GFP_NOWARN);
		if (!removal->ext)
			return STATUS_INSUFFICIENT_RESOURCES;
	}

	while (removal->nr < nr &&
	       wdm_record_next(rec, next, last, &removal->ext[removal->nr])) {
		next += removal->ext[removal->nr].nr_pages;
		removal->nr++;
		cond_resched();
	}

	if (mas_store_gfp(&mas, NULL, gfp)) {
		if (removal->ext != removal->few)
			kvfree(removal->ext);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	rec->pages -= last - first + 1;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_IF_KUNIT(wdm_record_remove);

/**
 * wdm_removal_release() - Let go of the pages that were taken out of a record
 * @removal: what wdm_record_remove() gave
 *
 * Takes no lock; MDLs whose last reference this was are freed.
 */
void wdm_removal_release(struct wdm_removal *removal)
{
	u64 i;

	for (i = 0; i < removal->nr; i++) {
		wdm_mdl_unuse(removal->ext[i].mdl, removal->ext[i].nr_pages);
		cond_resched();
	}
	if (removal->ext != removal->few)
		kvfree(removal->ext);
}
EXPORT_SYMBOL_IF_KUNIT(wdm_removal_release);
