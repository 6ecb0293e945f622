// SPDX-License-Identifier: GPL-2.0
/*
 * Region: 256 pages of a record, and what is in them.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "region.h"

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
	/* The last tables may not be freed yet. */
	rcu_barrier();
	kmem_cache_destroy(wdm_words_cache);
}

/**
 * wdm_region_find() - Search the tree for what is in the region of a page
 * @rec: the record, which is locked, or else RCU is held
 * @page: the page number
 *
 * Return: NULL, a word that it shares with others, or a table.
 */
void *wdm_region_find(struct wdm_record *rec, u64 page)
{
	MA_STATE(mas, &rec->tree, page, page);

	return mas_walk(&mas);
}

/**
 * wdm_region_word() - What a page maps
 * @rec: the record, which need not be locked
 * @page: the page number
 *
 * Return: the word, or NULL.
 */
void *wdm_region_word(struct wdm_record *rec, u64 page)
{
	struct wdm_words *words;
	void *entry;

	rcu_read_lock();
	entry = wdm_region_find(rec, page);
	if (entry && !xa_is_value(entry)) {
		words = entry;
		entry = READ_ONCE(words->word[wdm_region_index(page)]);
	}
	rcu_read_unlock();
	return entry;
}

/**
 * wdm_region_store() - Change what is in some regions
 * @rec: the record, which is locked
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
 * @rec: the record, which is locked
 * @page: a page of the region
 * @gfp: how to allocate memory
 *
 * Return: the table, or NULL when out of memory.
 */
struct wdm_words *wdm_region_expand(struct wdm_record *rec, u64 page, gfp_t gfp)
{
	void *entry = wdm_region_find(rec, page);
	struct wdm_words *words;
	unsigned int i;

	if (entry && !xa_is_value(entry))
		return entry;
	words = kmem_cache_alloc(wdm_words_cache, gfp);
	if (!words)
		return NULL;
	spin_lock_init(&words->lock);
	words->dead = false;
	INIT_LIST_HEAD(&words->idle);
	words->first = wdm_region_first(page);
	for (i = 0; i < WDM_REGION_PAGES; i++)
		words->word[i] = entry;
	words->used = entry ? WDM_REGION_PAGES : 0;
	if (wdm_region_store(rec, wdm_region_first(page),
			     wdm_region_last(page), words, gfp)) {
		kmem_cache_free(wdm_words_cache, words);
		return NULL;
	}
	WRITE_ONCE(rec->nr_words, rec->nr_words + 1);
	return words;
}

static void wdm_words_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(wdm_words_cache,
			container_of(rcu, struct wdm_words, rcu));
}

/* Take a table off the list of those that are empty, if it is on it. */
static void wdm_words_not_idle(struct wdm_record *rec, struct wdm_words *words)
{
	spin_lock(&rec->idle_lock);
	if (!list_empty(&words->idle)) {
		list_del_init(&words->idle);
		WRITE_ONCE(rec->nr_idle, rec->nr_idle - 1);
	}
	spin_unlock(&rec->idle_lock);
}

/* From now on nobody finds the table; it is locked, and the record is. */
static void wdm_words_kill(struct wdm_record *rec, struct wdm_words *words)
{
	struct wdm_words **recent = wdm_region_recent(rec, words->first);

	words->dead = true;
	if (*recent == words)
		WRITE_ONCE(*recent, NULL);
	wdm_words_not_idle(rec, words);
}

/* Free a table that no region has any more. */
static void wdm_words_free(struct wdm_record *rec, struct wdm_words *words)
{
	WRITE_ONCE(rec->nr_words, rec->nr_words - 1);
	call_rcu(&words->rcu, wdm_words_free_rcu);
}

/**
 * wdm_words_free_list() - Free tables that no region has any more
 * @rec: the record, which is locked
 * @list: what wdm_words_list() gave
 */
void wdm_words_free_list(struct wdm_record *rec, struct wdm_words *list)
{
	struct wdm_words *words;

	while ((words = list)) {
		list = words->next;
		spin_lock(&words->lock);
		wdm_words_kill(rec, words);
		spin_unlock(&words->lock);
		wdm_words_free(rec, words);
		cond_resched();
	}
}

/**
 * wdm_words_list() - Take down the tables of regions that are about to be replaced
 * @rec: the record, which is locked
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
 * wdm_words_empty() - Take down that a table is empty
 * @rec: the record
 * @words: the table, which is locked and not taken down yet
 *
 * It stays on the list if it is used again: pages that are mapped and unmapped in
 * turn cost nothing here.
 */
void wdm_words_empty(struct wdm_record *rec, struct wdm_words *words)
{
	spin_lock(&rec->idle_lock);
	list_add_tail(&words->idle, &rec->idle);
	WRITE_ONCE(rec->nr_idle, rec->nr_idle + 1);
	spin_unlock(&rec->idle_lock);
}

static struct wdm_words *wdm_record_idle(struct wdm_record *rec)
{
	struct wdm_words *words;

	spin_lock(&rec->idle_lock);
	words = list_first_entry_or_null(&rec->idle, struct wdm_words, idle);
	spin_unlock(&rec->idle_lock);
	return words;
}

/* Free a table if it is still empty; it is no longer on the list then, or now. */
static bool wdm_words_sweep(struct wdm_record *rec, struct wdm_words *words,
			    gfp_t gfp)
{
	spin_lock(&words->lock);
	if (words->used)
		wdm_words_not_idle(rec, words);
	else
		wdm_words_kill(rec, words);
	spin_unlock(&words->lock);
	if (!words->dead)
		return true;
	if (!wdm_region_store(rec, words->first, wdm_region_last(words->first),
			      NULL, gfp)) {
		wdm_words_free(rec, words);
		return true;
	}

	/* Taking something out of the tree may need memory, too. */
	spin_lock(&words->lock);
	words->dead = false;
	wdm_words_empty(rec, words);
	spin_unlock(&words->lock);
	return false;
}

/**
 * wdm_record_sweep() - Free tables that are empty
 * @rec: the record, which is locked
 * @gfp: how to allocate memory, which may be needed even for this
 */
void wdm_record_sweep(struct wdm_record *rec, gfp_t gfp)
{
	u64 nr = READ_ONCE(rec->nr_idle);
	struct wdm_words *words;

	/* Not more than there are now: others may be emptying tables. */
	while (nr-- && (words = wdm_record_idle(rec)) &&
	       wdm_words_sweep(rec, words, gfp))
		cond_resched();
}
