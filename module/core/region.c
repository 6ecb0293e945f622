// SPDX-License-Identifier: GPL-2.0
/*
 * Region: 256 pages of a record, and what is in them.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "region.h"

/* Empty tables that stay, beside as many as there are others. */
#define WDM_SPARE_WORDS		16

static struct kmem_cache *wdm_words_cache;

/**
 * wdm_record_init_module() - Get ready for records
 *
 * Return: 0 or -ENOMEM.
 */
int wdm_record_init_module(void)
{
	wdm_words_cache = KMEM_CACHE(wdm_words, SLAB_ACCOUNT);
	return wdm_words_cache ? 0 : -ENOMEM;
}

/**
 * wdm_record_exit_module() - There are no more records
 */
void wdm_record_exit_module(void)
{
	kmem_cache_destroy(wdm_words_cache);
}

/**
 * wdm_region_find() - Search the tree for what is in the region of a page
 * @rec: the record, which is locked
 * @page: the page number
 *
 * Return: NULL, a word, or a table.
 */
void *wdm_region_find(struct wdm_record *rec, u64 page)
{
	MA_STATE(mas, &rec->tree, page, page);

	return mas_walk(&mas);
}

/**
 * wdm_region_store() - Change what is in some regions
 * @rec: the record, which is locked for writing
 * @first: the first page of the first region
 * @last: the last page of the last one
 * @entry: NULL, a word, or, for one region, a table
 * @gfp: how to allocate memory
 *
 * Return: 0 or -ENOMEM.
 */
int wdm_region_store(struct wdm_record *rec, u64 first, u64 last, void *entry,
		     gfp_t gfp)
{
	MA_STATE(mas, &rec->tree, first, last);

	return mas_store_gfp(&mas, entry, gfp);
}

/**
 * wdm_region_expand() - Give a region a table; what it maps does not change
 * @rec: the record, which is locked for writing
 * @page: a page of the region
 * @gfp: how to allocate memory
 *
 * Return: the table, or NULL when out of memory.
 */
struct wdm_words *wdm_region_expand(struct wdm_record *rec, u64 page, gfp_t gfp)
{
	struct wdm_words *words;
	unsigned int i;
	void *entry;

	entry = wdm_region_load(rec, page, &words);
	if (words)
		return words;
	words = kmem_cache_alloc(wdm_words_cache, gfp);
	if (!words)
		return NULL;
	spin_lock_init(&words->lock);
	words->first = wdm_region_first(page);
	for (i = 0; i < WDM_REGION_PAGES; i++)
		words->word[i] = entry;
	words->used = entry ? WDM_REGION_PAGES : 0;
	if (wdm_region_store(rec, wdm_region_first(page),
			     wdm_region_last(page), words, gfp)) {
		kmem_cache_free(wdm_words_cache, words);
		return NULL;
	}
	rec->nr_words++;
	if (!entry)
		atomic64_inc(&rec->nr_empty);
	return words;
}

static void wdm_words_free(struct wdm_record *rec, struct wdm_words *words)
{
	struct wdm_words **recent = wdm_region_recent(rec, words->first);

	if (*recent == words)
		*recent = NULL;
	rec->nr_words--;
	if (!words->used)
		atomic64_dec(&rec->nr_empty);
	kmem_cache_free(wdm_words_cache, words);
}

/**
 * wdm_words_free_list() - Free tables that no region has any more
 * @rec: the record, which is locked for writing
 * @list: what wdm_words_list() gave
 */
void wdm_words_free_list(struct wdm_record *rec, struct wdm_words *list)
{
	struct wdm_words *words;

	while ((words = list)) {
		list = words->next;
		wdm_words_free(rec, words);
	}
}

/**
 * wdm_words_list() - Take down the tables of regions that are about to be replaced
 * @rec: the record, which is locked for writing
 * @first: the first page of the first region
 * @last: the last page of the last one
 *
 * Return: a list for wdm_words_free_list().
 */
struct wdm_words *wdm_words_list(struct wdm_record *rec, u64 first, u64 last)
{
	MA_STATE(mas, &rec->tree, first, first);
	struct wdm_words *list = NULL, *words;
	void *entry;

	mas_for_each(&mas, entry, last) {
		if (xa_is_value(entry))
			continue;
		words = entry;
		words->next = list;
		list = words;
		cond_resched();
	}
	return list;
}

/**
 * wdm_words_spare() - Can a table go?
 * @rec: the record, which is locked
 * @words: the table, which is locked, too, unless @rec is for writing
 *
 * A table that is empty now will soon be needed again, if pages are mapped and
 * unmapped in turn; so some stay.
 *
 * Return: whether it is one too many.
 */
bool wdm_words_spare(const struct wdm_record *rec,
		     const struct wdm_words *words)
{
	return !words->used && atomic64_read(&rec->nr_empty) >
			       WDM_SPARE_WORDS + READ_ONCE(rec->nr_words) / 2;
}

/**
 * wdm_region_trim() - Free the table of a region if it is one too many
 * @rec: the record, which is locked for writing
 * @page: a page of the region
 * @gfp: how to allocate memory, which may be needed even for this
 */
void wdm_region_trim(struct wdm_record *rec, u64 page, gfp_t gfp)
{
	struct wdm_words *words;

	wdm_region_load(rec, page, &words);
	if (words && wdm_words_spare(rec, words) &&
	    !wdm_region_store(rec, wdm_region_first(page),
			      wdm_region_last(page), NULL, gfp))
		wdm_words_free(rec, words);
}
