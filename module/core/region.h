/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Region: 256 pages of a record, and what is in them: nothing; a word that they
 * share with others; or a table, with a word for each page. Private to record.c
 * and region.c; words are record.c's affair.
 */
#ifndef WDM_CORE_REGION_H
#define WDM_CORE_REGION_H

#include <linux/hash.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "record.h"

/**
 * struct wdm_words - a table: what the pages of one region map
 * @lock: guards what follows
 * @used: pages that map something
 * @dead: no region has the table any more
 * @idle: in wdm_record.idle, or empty; guarded by wdm_record.idle_lock, too
 * @first: the first page number of the region; does not change
 * @next: in a list of those that are about to be freed; wdm_record.lock is held
 * @rcu: for freeing it
 * @word: the words; NULL for a page that maps nothing
 */
struct wdm_words {
	spinlock_t lock;		/* see above */
	u16 used;
	bool dead;
	struct list_head idle;
	u64 first;
	union {
		struct wdm_words *next;
		struct rcu_head rcu;
	};
	void *word[WDM_REGION_PAGES];
};

/* Number of a page in its region */
static inline unsigned int wdm_region_index(u64 page)
{
	return page & (WDM_REGION_PAGES - 1);
}

static inline u64 wdm_region_first(u64 page)
{
	return page & ~(WDM_REGION_PAGES - 1);
}

static inline u64 wdm_region_last(u64 page)
{
	return page | (WDM_REGION_PAGES - 1);
}

void *wdm_region_find(struct wdm_record *rec, u64 page);
void *wdm_region_word(struct wdm_record *rec, u64 page);
int wdm_region_store(struct wdm_record *rec, u64 first, u64 last, void *entry,
		     gfp_t gfp);
struct wdm_words *wdm_region_expand(struct wdm_record *rec, u64 page,
				    gfp_t gfp);

struct wdm_words *wdm_words_list(struct wdm_record *rec, u64 first, u64 last);
void wdm_words_free_list(struct wdm_record *rec, struct wdm_words *list);
void wdm_words_empty(struct wdm_record *rec, struct wdm_words *words);
void wdm_record_sweep(struct wdm_record *rec, gfp_t gfp);

/* Empty tables that stay, beside as many as there are others. */
#define WDM_SPARE_WORDS		16

/*
 * Are there too many empty tables? One that is empty now will soon be needed
 * again, if pages are mapped and unmapped in turn; so some stay.
 */
static inline bool wdm_record_is_crowded(const struct wdm_record *rec)
{
	return READ_ONCE(rec->nr_idle) >
	       WDM_SPARE_WORDS + READ_ONCE(rec->nr_words) / 2;
}

static inline struct wdm_words **wdm_region_recent(struct wdm_record *rec, u64 page)
{
	return &rec->recent[hash_64(page >> WDM_REGION_BITS,
				    WDM_RECORD_RECENT_BITS)];
}

/* The table of a page's region, or NULL; under RCU, or with the record locked. */
static inline struct wdm_words *wdm_region_words(struct wdm_record *rec, u64 page)
{
	struct wdm_words *words = READ_ONCE(*wdm_region_recent(rec, page));
	void *entry;

	if (words && words->first == wdm_region_first(page))
		return words;
	entry = wdm_region_find(rec, page);
	return xa_is_value(entry) ? NULL : entry;
}

/*
 * Is the table, which is locked, still that of its region? Then it is found quickly
 * the next time; who lets it die has the lock, and ends that.
 */
static inline bool wdm_words_alive(struct wdm_record *rec,
				   struct wdm_words *words)
{
	struct wdm_words **recent = wdm_region_recent(rec, words->first);

	if (unlikely(words->dead))
		return false;
	if (READ_ONCE(*recent) != words)
		WRITE_ONCE(*recent, words);
	return true;
}

/* Is nothing mapped in these pages of a region? */
static inline bool wdm_words_free_at(const struct wdm_words *words,
				     u64 first, u64 last)
{
	unsigned int i;

	for (i = wdm_region_index(first); i <= wdm_region_index(last); i++)
		if (words->word[i])
			return false;
	return true;
}

/* If a table, which is locked, maps nothing, have it looked at again some time. */
static inline void wdm_words_check(struct wdm_record *rec,
				   struct wdm_words *words)
{
	if (!words->used && list_empty(&words->idle))
		wdm_words_empty(rec, words);
}

/*
 * Store a word, or NULL, for pages of a region; all of them had the opposite. The
 * table is locked; but others may look at it.
 */
static inline void wdm_words_store(struct wdm_record *rec,
				   struct wdm_words *words, u64 first,
				   u64 last, void *word)
{
	unsigned int i, nr = last - first + 1;

	for (i = wdm_region_index(first); i <= wdm_region_index(last); i++)
		WRITE_ONCE(words->word[i], word);
	words->used += word ? nr : -nr;
	wdm_words_check(rec, words);
}

#endif /* WDM_CORE_REGION_H */
