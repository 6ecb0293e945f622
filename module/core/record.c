// SPDX-License-Identifier: GPL-2.0
/*
 * Record: which pages of MDLs stand at which page numbers.
 *
 * What a page maps is a word: permissions, the number of the MDL, and the distance
 * between page number and page of the MDL. Because it is a distance, neighbours
 * that continue each other have the same word, and a word that stands for many
 * pages stays true for any part of them. A mapping has no object of its own.
 *
 * Pages are numbered in regions of 256. A tree leads from regions to what is in
 * them: nothing; one word, for as many whole regions as it is true of; or a table
 * with a word for each page. So the tree is changed for whole regions only, which
 * is what it is good at, and a page here and there costs a store into a table. A
 * table takes no more memory than the IOMMU's own page table for the same pages.
 */
#include <linux/bitfield.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "record.h"
#include "region.h"

#define WDM_WORD_PERMS	GENMASK_ULL(1, 0)
#define WDM_WORD_ID	GENMASK_ULL(2 + WDM_MDL_ID_BITS - 1, 2)
#define WDM_WORD_DELTA	\
	GENMASK_ULL(2 + WDM_MDL_ID_BITS + WDM_MDL_PAGE_BITS - 1, \
		    2 + WDM_MDL_ID_BITS)

/* The number of the MDL that a word names */
static u32 wdm_word_id(const void *word)
{
	return FIELD_GET(WDM_WORD_ID, xa_to_value(word));
}

/* The MDL itself, for who keeps it from going away: see wdm_mdl_by_id(). */
static struct wdm_mdl *wdm_word_mdl(const void *word)
{
	return wdm_mdl_by_id(wdm_word_id(word));
}

static void *wdm_word_pack(const struct wdm_extent *ext)
{
	u64 delta = (ext->mdl_page - ext->first) & WDM_MDL_MAX_PAGES;

	return xa_mk_value(FIELD_PREP(WDM_WORD_PERMS, ext->perms) |
			   FIELD_PREP(WDM_WORD_ID, ext->mdl->id) |
			   FIELD_PREP(WDM_WORD_DELTA, delta));
}

/* All of an extent but its MDL */
static void wdm_word_unpack(const struct wdm_piece *piece,
			    struct wdm_extent *ext)
{
	u64 word = xa_to_value(piece->word);

	ext->first = piece->first;
	ext->nr_pages = piece->last - piece->first + 1;
	ext->mdl_page = (piece->first + FIELD_GET(WDM_WORD_DELTA, word)) &
			WDM_MDL_MAX_PAGES;
	ext->perms = FIELD_GET(WDM_WORD_PERMS, word);
}

/*
 * What the kernel's own address spaces have. Under RCU, only trees that keep track
 * of gaps are safe: in others, up to 7.3, mt_free_walk() takes the metadata of a
 * node with one slot left for what is in that slot.
 */
#define WDM_RECORD_TREE_FLAGS \
	(MT_FLAGS_ALLOC_RANGE | MT_FLAGS_LOCK_EXTERN | MT_FLAGS_USE_RCU)

/**
 * wdm_record_init() - Make an empty record
 * @rec: the record
 */
void wdm_record_init(struct wdm_record *rec)
{
	mutex_init(&rec->lock);
	mt_init_flags(&rec->tree, WDM_RECORD_TREE_FLAGS);
	mt_set_external_lock(&rec->tree, &rec->lock);
	memset(rec->recent, 0, sizeof(rec->recent));
	rec->nr_words = 0;
	spin_lock_init(&rec->idle_lock);
	INIT_LIST_HEAD(&rec->idle);
	rec->nr_idle = 0;
}

/**
 * wdm_record_pages() - Count the pages that are mapped
 * @rec: the record, which is not locked
 *
 * Return: how many there are, of late.
 */
u64 wdm_record_pages(struct wdm_record *rec)
{
	MA_STATE(mas, &rec->tree, 0, 0);
	const struct wdm_words *words;
	u64 pages = 0;
	void *entry;

	wdm_record_lock(rec);
	mas_for_each(&mas, entry, ULONG_MAX) {
		words = entry;
		pages += xa_is_value(entry) ? mas.last - mas.index + 1 :
					      READ_ONCE(words->used);
		cond_resched();
	}
	wdm_record_unlock(rec);
	return pages;
}

/*
 * The table of the one region that a range is in, if it is in one region that has
 * a table; under RCU. Most maps are small, and then this is quick.
 */
static struct wdm_words *wdm_record_words(struct wdm_record *rec, u64 first,
					  u64 last)
{
	return wdm_region_first(first) == wdm_region_first(last) ?
	       wdm_region_words(rec, first) : NULL;
}

/**
 * struct wdm_parts - a range of pages, by regions
 * @edge: the parts of regions at its ends
 * @nr_edges: how many there are
 * @first: the first page of the whole regions
 * @last: the last one; below @first if there are none
 */
struct wdm_parts {
	struct {
		u64 first;
		u64 last;
		struct wdm_words *words;
	} edge[2];
	unsigned int nr_edges;
	u64 first;
	u64 last;
};

static void wdm_parts_edge(struct wdm_parts *parts, u64 first, u64 last)
{
	parts->edge[parts->nr_edges].first = first;
	parts->edge[parts->nr_edges].last = last;
	parts->edge[parts->nr_edges].words = NULL;
	parts->nr_edges++;
}

static bool wdm_parts_whole(const struct wdm_parts *parts)
{
	return parts->first <= parts->last;
}

static void wdm_parts_of(struct wdm_parts *parts, u64 first, u64 last)
{
	parts->nr_edges = 0;
	parts->first = first;
	parts->last = last;
	if (wdm_region_index(first) || last < wdm_region_last(first)) {
		parts->first = wdm_region_last(first) + 1;
		wdm_parts_edge(parts, first, min(last, parts->first - 1));
	}
	if (last >= parts->first && last < wdm_region_last(last)) {
		wdm_parts_edge(parts, wdm_region_first(last), last);
		parts->last = wdm_region_first(last) - 1;
	}
}

/* Have a table for each edge. */
static ntstatus_t wdm_parts_expand(struct wdm_record *rec,
				   struct wdm_parts *parts, gfp_t gfp)
{
	unsigned int i;

	for (i = 0; i < parts->nr_edges; i++) {
		parts->edge[i].words = wdm_region_expand(rec,
							 parts->edge[i].first,
							 gfp);
		if (!parts->edge[i].words)
			return STATUS_INSUFFICIENT_RESOURCES;
	}
	return STATUS_SUCCESS;
}

/*
 * Change all parts at once; their edges have tables. What had been in the whole
 * regions is gone then, tables among them if there are @tables.
 */
static ntstatus_t wdm_parts_store(struct wdm_record *rec,
				  struct wdm_parts *parts, bool tables,
				  void *word, gfp_t gfp)
{
	struct wdm_words *list = NULL;
	unsigned int i;

	if (wdm_parts_whole(parts)) {
		if (tables)
			list = wdm_words_list(rec, parts->first, parts->last);
		if (wdm_region_store(rec, parts->first, parts->last, word, gfp))
			return STATUS_INSUFFICIENT_RESOURCES;
		wdm_words_free_list(rec, list);
	}
	for (i = 0; i < parts->nr_edges; i++) {
		struct wdm_words *words = parts->edge[i].words;

		spin_lock(&words->lock);
		wdm_words_store(rec, words, parts->edge[i].first,
				parts->edge[i].last, word);
		spin_unlock(&words->lock);
	}
	return STATUS_SUCCESS;
}

/* There are tables for the edges now, but nothing to store: they may be empty. */
static void wdm_parts_give_up(struct wdm_record *rec, struct wdm_parts *parts)
{
	unsigned int i;

	for (i = 0; i < parts->nr_edges; i++) {
		struct wdm_words *words = parts->edge[i].words;

		if (!words)
			continue;
		spin_lock(&words->lock);
		wdm_words_check(rec, words);
		spin_unlock(&words->lock);
	}
}

/* Map a word, or nothing, in a range. On failure nothing has changed. */
static ntstatus_t wdm_record_change(struct wdm_record *rec, u64 first, u64 last,
				    bool tables, void *word, gfp_t gfp)
{
	struct wdm_parts parts __uninitialized;
	ntstatus_t status;

	wdm_parts_of(&parts, first, last);
	status = wdm_parts_expand(rec, &parts, gfp);
	if (wdm_ok(status))
		status = wdm_parts_store(rec, &parts, tables, word, gfp);
	if (!wdm_ok(status))
		wdm_parts_give_up(rec, &parts);
	return status;
}

/**
 * wdm_record_iter_init() - Begin to look at extents
 * @iter: the iterator
 * @rec: the record, which is locked
 * @first: page number to start at
 * @last: last page number of interest
 */
void wdm_record_iter_init(struct wdm_record_iter *iter, struct wdm_record *rec,
			  u64 first, u64 last)
{
	MA_STATE(mas, &rec->tree, first, first);
	struct wdm_words *recent = READ_ONCE(*wdm_region_recent(rec, first));

	lockdep_assert_held(&rec->lock);

	iter->first = first;
	iter->last = last;
	iter->words = NULL;
	iter->tables = false;
	iter->done = first > last;
	iter->ahead.word = NULL;
	iter->id = 0;
	if (recent && recent->first == wdm_region_first(first)) {
		iter->tables = true;
		iter->words = recent;
		iter->base = recent->first;
		iter->next = wdm_region_index(first);
		mas_set(&mas, iter->base + WDM_REGION_PAGES);
	}
	iter->mas = mas;
}

/*
 * The next piece in the region that is being looked at; if @any_word, all that is
 * mapped there without a hole.
 */
static inline bool wdm_words_next(struct wdm_record_iter *iter, bool any_word,
				  struct wdm_piece *piece)
{
	void *const *words = iter->words->word;
	unsigned int i = iter->next, j;
	void *word = NULL, *next;

	for (; i < WDM_REGION_PAGES; i++) {
		word = READ_ONCE(words[i]);
		if (word)
			break;
	}
	if (!word)
		return false;
	for (j = i + 1; j < WDM_REGION_PAGES; j++) {
		next = READ_ONCE(words[j]);
		if (next != word && !(any_word && next))
			break;
	}
	piece->word = word;
	piece->first = iter->base + i;
	piece->last = iter->base + j - 1;
	iter->next = j;
	return true;
}

/* The next piece in regions behind the one that was being looked at */
static noinline bool wdm_piece_next_region(struct wdm_record_iter *iter,
					   bool any_word,
					   struct wdm_piece *piece)
{
	void *entry;

	for (;;) {
		iter->words = NULL;
		cond_resched();
		entry = iter->mas.index > iter->last ?
			NULL : mas_find(&iter->mas, iter->last);
		if (!entry)
			return false;
		if (xa_is_value(entry)) {
			piece->word = entry;
			piece->first = iter->mas.index;
			piece->last = iter->mas.last;
			return true;
		}
		iter->tables = true;
		iter->words = entry;
		iter->base = iter->mas.index;
		iter->next = max_t(u64, iter->first, iter->base) - iter->base;
		if (wdm_words_next(iter, any_word, piece))
			return piece->first <= iter->last;
	}
}

/* The next piece, which may begin before and end behind what is of interest */
static inline bool wdm_piece_next(struct wdm_record_iter *iter, bool any_word,
				  struct wdm_piece *piece)
{
	if (iter->done)
		return false;
	if (iter->words && wdm_words_next(iter, any_word, piece))
		iter->done = piece->first > iter->last;
	else
		iter->done = !wdm_piece_next_region(iter, any_word, piece);
	if (iter->done)
		piece->word = NULL;
	return !iter->done;
}

/*
 * The next pages, cut to where the iterator looks; pieces that follow each other
 * are one if they have the same word, or if that does not matter.
 */
static inline bool wdm_pieces_next(struct wdm_record_iter *iter, bool any_word,
				   struct wdm_piece *piece)
{
	if (unlikely(iter->ahead.word)) {
		*piece = iter->ahead;
		iter->ahead.word = NULL;
	} else if (!wdm_piece_next(iter, any_word, piece)) {
		return false;
	}

	/* Only at the end of a region may another one follow. */
	while (wdm_region_last(piece->last) == piece->last &&
	       piece->last < iter->last &&
	       wdm_piece_next(iter, any_word, &iter->ahead)) {
		if (iter->ahead.first != piece->last + 1 ||
		    (!any_word && iter->ahead.word != piece->word))
			break;
		piece->last = iter->ahead.last;
		iter->ahead.word = NULL;
	}
	piece->first = max(piece->first, iter->first);
	piece->last = min(piece->last, iter->last);
	return true;
}

/**
 * wdm_record_iter_next() - Look at the next extent
 * @iter: the iterator
 * @ext: out: the extent, cut to where the iterator looks; nobody else is changing
 *	its pages
 *
 * Return: whether there is one.
 */
bool wdm_record_iter_next(struct wdm_record_iter *iter, struct wdm_extent *ext)
{
	struct wdm_piece piece;

	if (!wdm_pieces_next(iter, false, &piece))
		return false;
	wdm_word_unpack(&piece, ext);
	if (wdm_word_id(piece.word) != iter->id) {
		iter->id = wdm_word_id(piece.word);
		iter->mdl = wdm_mdl_by_id(iter->id);
	}
	ext->mdl = iter->mdl;
	return true;
}

/**
 * wdm_record_iter_mapped() - Look at the next range of mapped pages
 * @iter: the iterator
 * @first: out: the first page number
 * @last: out: the last one; all in between is mapped, whatever to
 *
 * Return: whether there is one.
 */
bool wdm_record_iter_mapped(struct wdm_record_iter *iter, u64 *first, u64 *last)
{
	struct wdm_piece piece;

	if (!wdm_pieces_next(iter, true, &piece))
		return false;
	*first = piece.first;
	*last = piece.last;
	return true;
}

/**
 * wdm_record_next() - Find the next mapped pages
 * @rec: the record, which is locked
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
	struct wdm_record_iter iter __uninitialized;

	wdm_record_iter_init(&iter, rec, first, last);
	return wdm_record_iter_next(&iter, ext);
}

/**
 * wdm_record_extent() - Find the extent that a page is part of
 * @rec: the record, which is locked
 * @page: page number
 * @ext: out: the extent, or as much of it as can be told at a glance
 *
 * Return: whether @page is mapped.
 */
bool wdm_record_extent(struct wdm_record *rec, u64 page, struct wdm_extent *ext)
{
	MA_STATE(mas, &rec->tree, page, page);
	struct wdm_record_iter iter __uninitialized;
	struct wdm_piece piece;
	void *entry;

	lockdep_assert_held(&rec->lock);

	entry = mas_walk(&mas);
	if (!xa_is_value(entry)) {
		wdm_record_iter_init(&iter, rec, wdm_region_first(page),
				     wdm_region_last(page));
		while (wdm_record_iter_next(&iter, ext))
			if (page - ext->first < ext->nr_pages)
				return true;
		return false;
	}
	piece.word = entry;
	piece.first = mas.index;
	piece.last = mas.last;
	wdm_word_unpack(&piece, ext);
	ext->mdl = wdm_word_mdl(entry);
	return true;
}

static void wdm_extent_set_mdl(struct wdm_extent *ext, void *word)
{
	ext->mdl = wdm_word_mdl(word);
	ext->handle = ext->mdl->handle;
}

/* Is this still what a page of a table maps? Then its MDL is there, for now. */
static bool wdm_words_peek(struct wdm_words *words,
			   const struct wdm_piece *piece,
			   struct wdm_extent *ext)
{
	bool same;

	spin_lock(&words->lock);
	same = words->word[wdm_region_index(piece->first)] == piece->word;
	if (same)
		wdm_extent_set_mdl(ext, piece->word);
	spin_unlock(&words->lock);
	return same;
}

/**
 * wdm_record_peek() - Find the next mapped pages, which others may be changing
 * @rec: the record, which is locked
 * @first: page number to start at
 * @last: last page number of interest
 * @ext: out: as wdm_record_next(), or a part of that, with the handle of its MDL.
 *	The MDL itself may be gone: compare, do not use it
 *
 * Return: whether there is one.
 */
bool wdm_record_peek(struct wdm_record *rec, u64 first, u64 last,
		     struct wdm_extent *ext)
{
	struct wdm_record_iter iter __uninitialized;
	struct wdm_piece piece;

	wdm_record_iter_init(&iter, rec, first, last);
	do {
		if (!wdm_piece_next(&iter, false, &piece))
			return false;
		piece.first = max(piece.first, first);
		piece.last = min(piece.last, last);
	} while (iter.words && !wdm_words_peek(iter.words, &piece, ext));

	wdm_word_unpack(&piece, ext);
	/* Words that are not in a table only change with the record locked. */
	if (!iter.words)
		wdm_extent_set_mdl(ext, piece.word);
	return true;
}

/* Write down what a table maps, from page @i on. Where there was no more room? */
static unsigned int wdm_put_list_add_words(struct wdm_put_list *put_list,
					   const struct wdm_words *words,
					  unsigned int i)
{
	unsigned int start = i;
	u32 id = 0, next;
	u64 nr = 0;

	for (; i < WDM_REGION_PAGES; i++) {
		if (!words->word[i])
			continue;
		next = wdm_word_id(words->word[i]);
		if (next != id) {
			if (nr && !wdm_put_list_add(put_list, id, nr, GFP_KERNEL))
				return start;
			start = i;
			id = next;
			nr = 0;
		}
		nr++;
	}
	if (nr && !wdm_put_list_add(put_list, id, nr, GFP_KERNEL))
		return start;
	return WDM_REGION_PAGES;
}

/* Write down everything from a page on. Where there was no more room? */
static u64 wdm_put_list_add_all(struct wdm_put_list *put_list,
				struct wdm_record *rec, u64 page)
{
	MA_STATE(mas, &rec->tree, page, page);
	unsigned int i;
	void *entry;

	mas_for_each(&mas, entry, ULONG_MAX) {
		if (xa_is_value(entry)) {
			if (!wdm_put_list_add(put_list, wdm_word_id(entry),
					      mas.last - mas.index + 1,
					     GFP_KERNEL))
				return mas.index;
			continue;
		}
		i = mas.index < page ? wdm_region_index(page) : 0;
		i = wdm_put_list_add_words(put_list, entry, i);
		if (i < WDM_REGION_PAGES)
			return mas.index + i;
		cond_resched();
	}
	return U64_MAX;
}

/**
 * wdm_record_destroy() - Empty a record
 * @rec: the record; no translation leads to its pages any more
 */
void wdm_record_destroy(struct wdm_record *rec)
{
	struct wdm_put_list put_list;
	u64 next = 0;

	do {
		wdm_put_list_init(&put_list);
		wdm_record_lock(rec);
		next = wdm_put_list_add_all(&put_list, rec, next);
		wdm_record_unlock(rec);
		/* MDLs that go unpin their memory, and that without a lock. */
		wdm_put_list_release(&put_list);
	} while (next != U64_MAX);

	wdm_record_lock(rec);
	wdm_words_free_list(rec, wdm_words_list(rec, 0, ULONG_MAX));
	/* Nobody looks any more. */
	mt_clear_in_rcu(&rec->tree);
	__mt_destroy(&rec->tree);
	wdm_record_unlock(rec);
}

/* Map pages in several regions, or in one that has no table yet. */
static ntstatus_t wdm_record_insert_parts(struct wdm_record *rec, u64 first,
					  u64 last, void *word)
{
	struct wdm_record_iter iter __uninitialized;
	struct wdm_piece piece;

	wdm_record_iter_init(&iter, rec, first, last);
	if (wdm_piece_next(&iter, false, &piece))
		return STATUS_RESOURCE_IN_USE;
	return wdm_record_change(rec, first, last, iter.tables, word,
				 GFP_KERNEL_ACCOUNT);
}

/* Map pages of a region with a table, which is locked. */
static ntstatus_t wdm_words_insert(struct wdm_record *rec,
				   struct wdm_words *words, u64 first,
				   u64 last, void *word)
{
	if (!wdm_words_free_at(words, first, last))
		return STATUS_RESOURCE_IN_USE;
	wdm_words_store(rec, words, first, last, word);
	return STATUS_SUCCESS;
}

/* Is the range in one region with a table, and could it be done there? */
static bool wdm_record_insert_quick(struct wdm_record *rec, u64 first, u64 last,
				    void *word, ntstatus_t *status)
{
	struct wdm_words *words;
	bool done = false;

	rcu_read_lock();
	words = wdm_record_words(rec, first, last);
	if (words) {
		spin_lock(&words->lock);
		done = wdm_words_alive(rec, words);
		if (done)
			*status = wdm_words_insert(rec, words, first, last,
						   word);
		spin_unlock(&words->lock);
	}
	rcu_read_unlock();
	return done;
}

/**
 * wdm_record_insert() - Map pages
 * @rec: the record
 * @ext: the pages, which nobody else changes, all of them inside @ext->mdl, on
 *	which the caller holds a reference
 *
 * Return: STATUS_RESOURCE_IN_USE if any of the pages is mapped,
 * STATUS_INSUFFICIENT_RESOURCES; on failure nothing has changed.
 */
ntstatus_t wdm_record_insert(struct wdm_record *rec,
			     const struct wdm_extent *ext)
{
	u64 first = ext->first, last = first + ext->nr_pages - 1;
	void *word = wdm_word_pack(ext);
	ntstatus_t status;

	/* Whoever finds the word finds the MDL in use. */
	wdm_mdl_use(ext->mdl, ext->nr_pages);

	if (!wdm_record_insert_quick(rec, first, last, word, &status)) {
		wdm_record_lock(rec);
		status = wdm_record_insert_parts(rec, first, last, word);
		wdm_record_unlock(rec);
	}

	if (!wdm_ok(status))
		wdm_mdl_unuse(ext->mdl, ext->nr_pages);
	return status;
}

/*
 * The word of a page if the one before it has the same: then it is mapped to what
 * follows what that is mapped to.
 */
static void *wdm_record_joined(struct wdm_record *rec, u64 page)
{
	void *word = page ? wdm_region_word(rec, page - 1) : NULL;

	return word == wdm_region_word(rec, page) ? word : NULL;
}

/**
 * wdm_record_joint() - Look at two neighbouring pages that are of one extent
 * @rec: the record, which need not be locked
 * @page: number of the second one; nobody else changes one of the two
 * @ext: out: the extent, cut to @page
 *
 * Return: whether they are.
 */
bool wdm_record_joint(struct wdm_record *rec, u64 page, struct wdm_extent *ext)
{
	struct wdm_piece piece = { .first = page, .last = page };

	piece.word = wdm_record_joined(rec, page);
	if (!piece.word)
		return false;
	wdm_word_unpack(&piece, ext);
	/* Who holds one of the two holds the MDL of both. */
	ext->mdl = wdm_word_mdl(piece.word);
	return true;
}

/**
 * wdm_record_grow() - See how far an extent goes on
 * @rec: the record, which is locked
 * @first: first page of interest; others may be changing some, in which case the
 *	answer was true at some moment
 * @last: the last one
 * @ext: in: what a page of these was found to map; out: the whole extent, cut to
 *	@first and @last
 *
 * Return: false if that is not what the page maps any more.
 */
bool wdm_record_grow(struct wdm_record *rec, u64 first, u64 last,
		     struct wdm_extent *ext)
{
	struct wdm_record_iter iter __uninitialized;
	void *word = wdm_word_pack(ext);
	struct wdm_piece piece;

	wdm_record_iter_init(&iter, rec, first, last);
	do {
		if (!wdm_pieces_next(&iter, false, &piece))
			return false;
	} while (piece.last < ext->first);
	if (piece.first > ext->first || piece.word != word)
		return false;
	wdm_word_unpack(&piece, ext);
	return true;
}

/* Are pages with this word, this one and the one before it, physical neighbours? */
static bool wdm_word_goes_on(void *word, u64 page)
{
	struct wdm_piece piece = { .first = page, .last = page, .word = word };
	const struct wdm_mdl *mdl = wdm_word_mdl(word);
	struct wdm_extent ext;

	wdm_word_unpack(&piece, &ext);
	return wdm_pages_run_first(&mdl->pages, ext.mdl_page) < ext.mdl_page;
}

/* Does anything go on behind an end of a range, all of which is mapped? */
static bool wdm_record_sticks_out(struct wdm_record *rec, u64 first, u64 last)
{
	void *before = wdm_record_joined(rec, first);
	void *behind = wdm_record_joined(rec, last + 1);

	return (before && wdm_word_goes_on(before, first)) ||
	       (behind && wdm_word_goes_on(behind, last + 1));
}

/* Write down what is in a range; a hole in it is STATUS_NOT_FOUND. */
static ntstatus_t wdm_put_list_collect(struct wdm_put_list *put_list,
				       struct wdm_record *rec, u64 first,
				      u64 last, bool *tables, gfp_t gfp)
{
	struct wdm_record_iter iter __uninitialized;
	struct wdm_piece piece;
	u64 next = first;

	wdm_record_iter_init(&iter, rec, first, last);
	do {
		if (!wdm_piece_next(&iter, false, &piece) || piece.first > next)
			return STATUS_NOT_FOUND;
		piece.last = min(piece.last, last);
		if (!wdm_put_list_add(put_list, wdm_word_id(piece.word),
				      piece.last - next + 1, gfp))
			return STATUS_INSUFFICIENT_RESOURCES;
		next = piece.last + 1;
		cond_resched();
	} while (next <= last);
	*tables = iter.tables;
	return STATUS_SUCCESS;
}

/* The record is locked. */
static ntstatus_t wdm_record_remove_parts(struct wdm_record *rec, u64 first,
					  u64 last, bool whole,
					  struct wdm_put_list *put_list,
					  gfp_t gfp)
{
	bool tables;
	ntstatus_t status;

	status = wdm_put_list_collect(put_list, rec, first, last, &tables, gfp);
	if (wdm_ok(status) && whole &&
	    wdm_record_sticks_out(rec, first, last))
		status = STATUS_RESOURCE_IN_USE;
	if (wdm_ok(status))
		status = wdm_record_change(rec, first, last, tables, NULL, gfp);
	return status;
}

/*
 * wdm_record_sticks_out() for pages of a table, which is locked. A neighbour in
 * another table may just be changing; it is then no part of a large page here.
 */
static bool wdm_words_stick_out(struct wdm_record *rec,
				const struct wdm_words *words, u64 first,
				u64 last)
{
	unsigned int i = wdm_region_index(first), j = wdm_region_index(last);

	if (!i || j == WDM_REGION_PAGES - 1)
		return wdm_record_sticks_out(rec, first, last);
	return (words->word[i - 1] == words->word[i] &&
		wdm_word_goes_on(words->word[i], first)) ||
	       (words->word[j + 1] == words->word[j] &&
		wdm_word_goes_on(words->word[j], last + 1));
}

/*
 * Take out pages of a region with a table, which is locked. Without room in the
 * removal this is STATUS_INSUFFICIENT_RESOURCES, and has to be done otherwise.
 */
static ntstatus_t wdm_words_remove(struct wdm_record *rec,
				   struct wdm_words *words, u64 first,
				   u64 last, bool whole,
				   struct wdm_put_list *put_list)
{
	unsigned int i = wdm_region_index(first);
	unsigned int end = wdm_region_index(last) + 1, j;

	for (; i < end; i = j) {
		if (!words->word[i])
			return STATUS_NOT_FOUND;
		for (j = i + 1; j < end && words->word[j] == words->word[i]; j++)
			;
		if (!wdm_put_list_add(put_list, wdm_word_id(words->word[i]), j - i,
				      0))
			return STATUS_INSUFFICIENT_RESOURCES;
	}
	if (whole && wdm_words_stick_out(rec, words, first, last))
		return STATUS_RESOURCE_IN_USE;
	wdm_words_store(rec, words, first, last, NULL);
	return STATUS_SUCCESS;
}

/* Is the range in one region with a table, and can it be done there? */
static bool wdm_record_remove_quick(struct wdm_record *rec, u64 first, u64 last,
				    bool whole, struct wdm_put_list *put_list,
				    ntstatus_t *status)
{
	struct wdm_put_list_checkpoint mark;
	struct wdm_words *words;
	bool done = false;

	wdm_put_list_checkpoint(put_list, &mark);
	rcu_read_lock();
	words = wdm_record_words(rec, first, last);
	if (words) {
		spin_lock(&words->lock);
		done = wdm_words_alive(rec, words);
		if (done)
			*status = wdm_words_remove(rec, words, first, last,
						   whole, put_list);
		spin_unlock(&words->lock);
	}
	rcu_read_unlock();
	if (done && !wdm_ok(*status))
		wdm_put_list_rollback(put_list, &mark);
	return done && *status != STATUS_INSUFFICIENT_RESOURCES;
}

/**
 * wdm_record_remove() - Take pages out
 * @rec: the record
 * @first: the first page number; nobody else changes these pages
 * @last: the last one
 * @whole: not if what is mapped at an end of the range goes on behind it, in the
 *	record and physically
 * @put_list: what was there is added to it. Its MDLs count as used until
 *	wdm_put_list_release(), which the caller owes once no translation leads to
 *	the pages any more
 * @gfp: how to allocate memory
 *
 * Return: STATUS_NOT_FOUND if not every page is mapped, STATUS_RESOURCE_IN_USE if
 * it is not @whole, STATUS_INSUFFICIENT_RESOURCES; on failure nothing has changed.
 */
ntstatus_t wdm_record_remove(struct wdm_record *rec, u64 first, u64 last,
			     bool whole, struct wdm_put_list *put_list, gfp_t gfp)
{
	struct wdm_put_list_checkpoint mark;
	ntstatus_t status;

	if (!wdm_record_remove_quick(rec, first, last, whole, put_list,
				     &status)) {
		wdm_put_list_checkpoint(put_list, &mark);
		wdm_record_lock(rec);
		status = wdm_record_remove_parts(rec, first, last, whole,
						 put_list, gfp);
		wdm_record_unlock(rec);
		if (!wdm_ok(status))
			wdm_put_list_rollback(put_list, &mark);
	}
	if (unlikely(wdm_record_is_crowded(rec))) {
		wdm_record_lock(rec);
		wdm_record_sweep(rec, gfp);
		wdm_record_unlock(rec);
	}
	return status;
}
