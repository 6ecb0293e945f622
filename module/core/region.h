/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Region: 256 pages of a record, and what is in them: nothing; a word that they
 * share with others; or a table, with a word for each page. Private to record.c
 * and region.c; words are record.c's affair.
 */
#ifndef WDM_CORE_REGION_H
#define WDM_CORE_REGION_H

#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "record.h"

/**
 * struct wdm_words - a table: what the pages of one region map
 * @lock: guards @used and @word, while wdm_record.lock is held for reading
 * @first: the first page number of the region
 * @next: in a list of those that are about to be freed
 * @used: pages that map something
 * @word: the words; NULL for a page that maps nothing
 */
struct wdm_words {
	spinlock_t lock;		/* see above */
	u64 first;
	struct wdm_words *next;
	unsigned int used;
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
int wdm_region_store(struct wdm_record *rec, u64 first, u64 last, void *entry,
		     gfp_t gfp);
struct wdm_words *wdm_region_expand(struct wdm_record *rec, u64 page,
				    gfp_t gfp);
void wdm_region_trim(struct wdm_record *rec, u64 page, gfp_t gfp);

struct wdm_words *wdm_words_list(struct wdm_record *rec, u64 first, u64 last);
void wdm_words_free_list(struct wdm_record *rec, struct wdm_words *list);
bool wdm_words_spare(const struct wdm_record *rec,
		     const struct wdm_words *words);

static inline struct wdm_words **wdm_region_recent(struct wdm_record *rec, u64 page)
{
	return &rec->recent[(page >> WDM_REGION_BITS) % WDM_RECORD_RECENT];
}

/*
 * What is in the region of a page: NULL, a word that it shares with others, or
 * its table, which is then in @words, too.
 */
static inline void *wdm_region_load(struct wdm_record *rec, u64 page,
				    struct wdm_words **words)
{
	struct wdm_words **recent = wdm_region_recent(rec, page);
	void *entry;

	/* Several may look at a time. */
	*words = READ_ONCE(*recent);
	if (*words && (*words)->first == wdm_region_first(page))
		return *words;
	*words = NULL;
	entry = wdm_region_find(rec, page);
	if (entry && !xa_is_value(entry)) {
		*words = entry;
		WRITE_ONCE(*recent, entry);
	}
	return entry;
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

/* Store a word, or NULL, for pages of a region; all of them had the opposite. */
static inline void wdm_words_store(struct wdm_record *rec,
				   struct wdm_words *words, u64 first,
				   u64 last, void *word)
{
	unsigned int i, nr = last - first + 1;

	for (i = wdm_region_index(first); i <= wdm_region_index(last); i++)
		words->word[i] = word;
	if (!words->used)
		atomic64_dec(&rec->nr_empty);
	words->used += word ? nr : -nr;
	if (!words->used)
		atomic64_inc(&rec->nr_empty);
}

#endif /* WDM_CORE_REGION_H */
