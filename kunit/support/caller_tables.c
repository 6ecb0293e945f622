// SPDX-License-Identifier: GPL-2.0
/*
 * A caller of a caller-managed domain, and a slow walk of its tables, which shares nothing
 * with the module's walk.
 */
#include <linux/hash.h>
#include <linux/mm.h>

#include "slow_pt.h"
#include "caller_tables.h"

static u64 tables_hash(u64 hash, u64 value)
{
	return (hash ^ value) * GOLDEN_RATIO_64 + 1;
}

/* Get the page frames of the 2 MiB at @memory in random order. */
static struct test_mdl *tables_disorder(struct fixture *fx, void *memory)
{
	u64 first = page_to_pfn(virt_to_page(memory));
	u64 *pfns = kunit_kmalloc_array(fx->test, 512, sizeof(*pfns),
					GFP_KERNEL);
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(fx->test, pfns);
	for (i = 0; i < 512; i++) {
		j = fixture_below(&fx->rng, i + 1);
		pfns[i] = pfns[j];
		pfns[j] = first + i;
	}
	return fixture_mdl(fx, WDM_PERMS, pfns, 512);
}

/**
 * tables_start() - Create a caller with its memory, and an IOMMU
 * @test: the test
 * @kind: the shape of its tables
 *
 * The tables are empty.
 *
 * Return: the caller.
 */
struct tables *tables_start(struct kunit *test, const struct tables_kind *kind)
{
	struct fixture *fx = FIXTURE(test);
	struct tables *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	void *data;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->fx = fx;
	t->kind = kind;
	t->domain = fixture_domain(fx, false, kind->kernel ? WDM_DOMAIN_KERNEL : 0);
	t->mem = fixture_memory(fx, get_order(TABLES_NR * PAGE_SIZE));
	data = fixture_memory(fx, 9);
	t->data[0] = fixture_mdl_of(fx, WDM_READ, t->mem, TABLES_NR);
	t->data[1] = fixture_mdl_of(fx, WDM_PERMS, data, 512);
	t->data[2] = tables_disorder(fx, data);
	t->data[3] = fixture_mdl_of(fx, WDM_READ, data + SZ_1M, 64);
	page_model_init(fx, &t->space, TABLES_WINDOW >> PAGE_SHIFT,
			(TABLES_END - TABLES_WINDOW) >> PAGE_SHIFT);
	KUNIT_ASSERT_STATUS(test, tables_add(t, TABLES_AT, TABLES_NR),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, tables_add(t, TABLES_DATA_A, 512),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, tables_add(t, TABLES_DATA_B, 512),
			    STATUS_SUCCESS);
	KUNIT_ASSERT_STATUS(test, tables_add(t, TABLES_DATA_C, 64),
			    STATUS_SUCCESS);

	/* Put a small root into the middle of a page. */
	t->root = TABLES_AT;
	if (kind->root_entries < WDM_PT_ENTRIES)
		t->root += max(kind->root_entries * 8, 64U);

	t->fake = fixture_fake(fx, FAKE_PGSIZES_X86);
	/* debug_pagealloc does not support the last page of all. */
	if (kind->bits > 48)
		t->fake->domain.geometry.aperture_end = ~(u64)SZ_2M;
	KUNIT_ASSERT_STATUS(test, fixture_adopt(t->domain, t->fake),
			    STATUS_SUCCESS);
	return t;
}

void tables_adopt_narrow(struct tables *t)
{
	struct rnd_state *rng = &t->fx->rng;
	struct iommu_domain_geometry *geo;
	u64 limit = 1ULL << min(t->kind->bits, 48U);

	t->narrow = fixture_fake(t->fx, FAKE_PGSIZES_AMD);
	geo = &t->narrow->domain.geometry;
	/* Anywhere within a page of any size, so that leaves extend beyond it */
	if (fixture_once_in(rng, 2))
		geo->aperture_start = fixture_below(rng, SZ_4M) & PAGE_MASK;
	geo->aperture_end = limit / 2 + (fixture_below(rng, limit / 2) & PAGE_MASK) - 1;
	KUNIT_ASSERT_STATUS(t->fx->test, fixture_adopt(t->domain, t->narrow),
			    STATUS_SUCCESS);
}

ntstatus_t tables_add(struct tables *t, u64 caller, u64 nr_pages)
{
	static const u64 starts[] = {
		TABLES_AT, TABLES_DATA_A, TABLES_DATA_B, TABLES_DATA_C,
	};
	struct wdm_extent ext = {
		.pgno = caller >> PAGE_SHIFT, .nr_pages = nr_pages,
	};
	unsigned int i = ARRAY_SIZE(starts) - 1;
	ntstatus_t status;

	while (caller < starts[i])
		i--;
	ext.mdl = t->data[i]->mdl;
	ext.perms = t->data[i]->mdl->access;
	ext.mdl_page = (caller - starts[i]) >> PAGE_SHIFT;
	status = wdm_domain_memory_add(t->domain, ext.perms,
				       RANGE(ext.mdl, ext.mdl_page, nr_pages), caller);
	if (wdm_ok(status))
		page_model_insert(&t->space, &ext);
	return status;
}

u64 tables_page(unsigned int nr)
{
	return TABLES_AT + nr * PAGE_SIZE;
}

u64 *tables_entry(const struct tables *t, unsigned int nr, unsigned int i)
{
	return &t->mem[nr * WDM_PT_ENTRIES + i];
}

u64 tables_pointer(const struct tables *t, u64 caller)
{
	return caller | (t->kind->arm64 ? 0x443 : 0x007);
}

u64 tables_large(const struct tables *t, u64 caller)
{
	return caller | (t->kind->arm64 ? 0x441 : 0x087);
}

u64 tables_random_entry(struct tables *t)
{
	struct rnd_state *rng = &t->fx->rng;
	u64 page = TABLES_WINDOW + PAGE_SIZE *
		   fixture_below(rng, (TABLES_END - TABLES_WINDOW) / PAGE_SIZE);
	u64 raw;

	switch (fixture_below(rng, 16)) {
	case 0 ... 2:
		return 0;
	case 3:
		return fixture_random(rng);
	case 4 ... 9:
		raw = tables_pointer(t, tables_page(fixture_below(rng,
								  TABLES_NR)));
		break;
	case 10:
		raw = tables_large(t, round_down(page, SZ_2M));
		break;
	default:
		raw = tables_pointer(t, page);
	}
	/* Restrict the permissions, or set an unusual bit. */
	if (fixture_once_in(rng, 8))
		raw ^= t->kind->arm64 ? BIT(7) : BIT(1);
	if (fixture_once_in(rng, 16) && t->kind->arm64)
		raw ^= BIT_ULL(52);
	if (fixture_once_in(rng, 12))
		raw ^= BIT_ULL(fixture_below(rng, 64));
	return raw;
}

/* Pick a random entry; prefer a few indices. */
static u64 *tables_place(struct tables *t)
{
	static const u16 often[] = { 0, 1, 2, 7, 8, 16, 17, 255, 256, 511 };
	struct rnd_state *rng = &t->fx->rng;
	unsigned int nr = fixture_below(rng, TABLES_NR);
	unsigned int i = fixture_once_in(rng, 3) ?
			 fixture_below(rng, WDM_PT_ENTRIES) :
			 often[fixture_below(rng, ARRAY_SIZE(often))];

	/* The root, often. */
	if (fixture_once_in(rng, 6)) {
		nr = 0;
		i = (t->root - TABLES_AT) / 8 +
		    fixture_below(rng, t->kind->root_entries);
	}
	return tables_entry(t, nr, i);
}

void tables_fill(struct tables *t)
{
	unsigned int i;

	memset(t->mem, 0, TABLES_NR * PAGE_SIZE);
	for (i = 0; i < TABLES_NR * 7; i++)
		WRITE_ONCE(*tables_place(t), tables_random_entry(t));
	/* Make sure that there is something below the root. */
	for (i = 0; i < t->kind->root_entries; i += 1 + i * 7)
		WRITE_ONCE(t->mem[(t->root - TABLES_AT) / 8 + i],
			   tables_pointer(t, tables_page(1 + i % 8)));
}

void tables_edit(struct tables *t)
{
	unsigned int i = 1 + fixture_below(&t->fx->rng, 6);

	while (i--)
		WRITE_ONCE(*tables_place(t), tables_random_entry(t));
}

void tables_prune(struct tables *t, struct tables_walk *walk)
{
	struct rnd_state *rng = &t->fx->rng;
	u64 *entry;

	for (;;) {
		tables_walk(t, walk, 1, 0);
		if (!walk->too_many)
			return;
		entry = tables_entry(t, fixture_below(rng, TABLES_NR), 0);
		entry += 64 * fixture_below(rng, WDM_PT_ENTRIES / 64);
		memset(entry, 0, 64 * sizeof(*entry));
	}
}

struct tables_walk *tables_walk_alloc(struct tables *t)
{
	struct kunit *test = t->fx->test;
	struct tables_walk *walk = kunit_kzalloc(test, sizeof(*walk),
						 GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, walk);
	walk->leaf = kunit_kmalloc_array(test, TABLES_LEAVES,
					 sizeof(*walk->leaf), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, walk->leaf);
	return walk;
}

/**
 * struct tables_step - state of a walk
 * @t: the caller
 * @walk: the result
 * @first: see tables_walk()
 * @last: likewise
 */
struct tables_step {
	struct tables *t;
	struct tables_walk *walk;
	u64 first;
	u64 last;
};

/* The path to a table */
struct tables_path {
	u64 va;		/* without the sign */
	u32 perms;
	u64 hash;
	bool in_part;
};

static void tables_walk_table(const struct tables_step *step, u64 caller,
			      unsigned int level, struct tables_path path);

static bool tables_in_part(const struct tables_step *step, u64 caller, u64 size)
{
	return caller <= step->last && caller + size - 1 >= step->first;
}

/* Get the address as a device uses it: on x86, bit 47 or 56 is sign-extended. */
static u64 tables_device_address(const struct tables *t, u64 va)
{
	unsigned int unused = 64 - t->kind->bits;

	return t->kind->arm64 ? va : (u64)((s64)(va << unused) >> unused);
}

static void tables_refuse(const struct tables_step *step, ntstatus_t status,
			  unsigned int level, u64 va, u64 raw)
{
	struct wdm_walk_error *walk_error = &step->walk->walk_error;

	if (walk_error->count++)
		return;
	walk_error->status = status;
	walk_error->level = level;
	walk_error->va = tables_device_address(step->t, va);
	walk_error->raw = raw;
}

static bool tables_in_aperture(const struct fake_iommu *fake,
			       const struct tables_leaf *leaf)
{
	const struct iommu_domain_geometry *geo = &fake->domain.geometry;

	return leaf->va >= geo->aperture_start &&
	       leaf->va + leaf->span - 1 <= geo->aperture_end;
}

static ntstatus_t tables_leaf_valid(const struct tables_step *step,
				    const struct tables_leaf *leaf,
				    u64 *content)
{
	const struct model_page *mp;
	u64 i;

	if (!tables_in_aperture(step->t->fake, leaf) ||
	    (step->t->narrow && !tables_in_aperture(step->t->narrow, leaf)))
		return STATUS_CONFLICTING_ADDRESSES;
	*content = 0;
	for (i = 0; i < leaf->span; i += PAGE_SIZE) {
		mp = page_model_at(&step->t->space,
				   (leaf->caller + i) >> PAGE_SHIFT);
		if (!mp || !mp->mdl || leaf->perms & ~mp->perms)
			return STATUS_ACCESS_VIOLATION;
		*content = tables_hash(*content,
				       fixture_mdl_pfn(step->t->fx, mp->mdl,
						       mp->mdl_page));
	}
	return STATUS_SUCCESS;
}

static void tables_walk_leaf(const struct tables_step *step, u64 caller,
			     unsigned int level, u64 raw,
			     const struct tables_path *path)
{
	struct tables_walk *walk = step->walk;
	struct tables_leaf leaf = {
		.va = tables_device_address(step->t, path->va),
		.span = 1ULL << (12 + 9 * level),
		.caller = caller,
		.perms = path->perms,
		.path = path->hash,
	};
	ntstatus_t status = tables_leaf_valid(step, &leaf, &leaf.content);

	if (!wdm_ok(status)) {
		tables_refuse(step, status, level, path->va, raw);
		return;
	}
	leaf.in_part = path->in_part ||
		       tables_in_part(step, caller, leaf.span);
	walk->span += leaf.span;
	if (walk->nr == TABLES_LEAVES || walk->span > TABLES_SPAN)
		walk->too_many = true;
	else
		walk->leaf[walk->nr++] = leaf;
}

static bool tables_has_page(const struct tables_step *step, u64 caller)
{
	const struct model_page *mp = page_model_at(&step->t->space,
						    caller >> PAGE_SHIFT);

	return mp && mp->mdl;
}

static void tables_walk_entry(const struct tables_step *step,
			      unsigned int level, u64 raw,
			      struct tables_path path)
{
	struct slow_entry entry = slow_pt_decode(step->t->kind->arm64, level,
						 raw);

	if (!entry.write)
		path.perms &= ~WDM_WRITE;
	if (entry.reserved)
		tables_refuse(step, STATUS_INVALID_PARAMETER, level, path.va,
			      raw);
	else if (entry.leaf)
		tables_walk_leaf(step, entry.address, level, raw, &path);
	else if (entry.table && !tables_has_page(step, entry.address))
		tables_refuse(step, STATUS_ACCESS_VIOLATION, level, path.va,
			      raw);
	else if (entry.table)
		tables_walk_table(step, entry.address, level - 1, path);
}

static void tables_walk_table(const struct tables_step *step, u64 caller,
			      unsigned int level, struct tables_path path)
{
	const struct tables_kind *kind = step->t->kind;
	struct tables_walk *walk = step->walk;
	const struct model_page *mp = page_model_at(&step->t->space,
						    caller >> PAGE_SHIFT);
	bool root = level == kind->levels - 1;
	unsigned int i, nr = root ? kind->root_entries : 512;
	u64 pfn = fixture_mdl_pfn(step->t->fx, mp->mdl, mp->mdl_page);
	const u64 *entries = page_address(pfn_to_page(pfn)) +
			     (caller & ~PAGE_MASK);

	if (++walk->nr_tables > TABLES_MAX)
		walk->too_many = true;
	path.hash = tables_hash(tables_hash(path.hash, caller), path.perms);
	path.hash = tables_hash(path.hash, pfn);
	path.in_part |= tables_in_part(step, caller, 1);
	/* A table that moves to another entry of the same table counts as a change. */
	walk->tables = tables_hash(tables_hash(walk->tables, path.hash), path.va);
	for (i = 0; i < nr && !walk->too_many; i++) {
		struct tables_path below;
		u64 raw = READ_ONCE(entries[i]);

		if (!raw)
			continue;
		below = path;
		below.va += (u64)i << (12 + 9 * level);
		tables_walk_entry(step, level, raw, below);
	}
}

void tables_walk(struct tables *t, struct tables_walk *walk, u64 first,
		 u64 last)
{
	const struct tables_step step = { t, walk, first, last };
	const struct tables_path path = { .perms = WDM_PERMS };
	struct tables_leaf *leaf = walk->leaf;

	*walk = (struct tables_walk) { .leaf = leaf };
	walk->walk_error.status = STATUS_SUCCESS;
	if (tables_has_page(&step, t->root))
		tables_walk_table(&step, t->root, t->kind->levels - 1, path);
	else
		tables_refuse(&step, STATUS_ACCESS_VIOLATION, t->kind->levels,
			      0, t->root);
}

void tables_config(const struct tables *t, struct wdm_pt_config *config)
{
	*config = (struct wdm_pt_config) {
		.type = t->kind->arm64 ? WDM_PT_ARM64 : WDM_PT_X64,
		.translation_enabled = true,
	};
	if (t->kind->arm64) {
		config->arm64.ttbr0 = t->root;
		config->arm64.input_size0 = t->kind->bits;
	} else {
		config->x64.root = t->root;
		config->x64.levels = t->kind->levels;
	}
}

static bool tables_page_right(struct tables *t, const struct tables_leaf *leaf,
			      const struct fake_page *fp)
{
	const struct model_page *mp;
	u64 at, caller, pfn;
	int prot = IOMMU_CACHE | IOMMU_READ;

	if (leaf->perms & WDM_WRITE)
		prot |= IOMMU_WRITE;
	if (fp->prot != prot || fp->iova < leaf->va ||
	    fp->iova + fp->size - 1 > leaf->va + leaf->span - 1)
		return false;
	for (at = 0; at < fp->size; at += PAGE_SIZE) {
		caller = leaf->caller + (fp->iova + at - leaf->va);
		mp = page_model_at(&t->space, caller >> PAGE_SHIFT);
		if (!mp || !mp->mdl)
			return false;
		pfn = fixture_mdl_pfn(t->fx, mp->mdl, mp->mdl_page);
		if (fp->phys + at != PFN_PHYS(pfn))
			return false;
	}
	return true;
}

bool tables_leaf_mapped(struct tables *t, struct tables_leaf *leaf)
{
	struct fake_page fp;
	u64 at = 0;

	leaf->serials = 0;
	while (at < leaf->span) {
		if (!fake_iommu_at(t->fake, leaf->va + at, &fp) ||
		    fp.iova != leaf->va + at ||
		    !tables_page_right(t, leaf, &fp))
			return false;
		leaf->serials = tables_hash(leaf->serials, fp.serial);
		at += fp.size;
	}
	return true;
}

bool tables_leaf_blocked(struct tables *t, const struct tables_leaf *leaf)
{
	struct fake_page fp;

	return !fake_iommu_next(t->fake, leaf->va, &fp) ||
	       fp.iova > leaf->va + leaf->span - 1;
}

static void tables_check_fake(struct tables *t, struct tables_walk *walk)
{
	struct kunit *test = t->fx->test;
	struct tables_leaf *leaf;
	unsigned int i;

	for (i = 0; i < walk->nr; i++) {
		leaf = &walk->leaf[i];
		KUNIT_ASSERT_TRUE_MSG(test, tables_leaf_mapped(t, leaf),
				      "%016llx, %llu bytes, is not %#llx",
				      leaf->va, leaf->span, leaf->caller);
	}
	KUNIT_ASSERT_EQ(test, t->fake->mapped, walk->span >> PAGE_SHIFT);
	KUNIT_ASSERT_FALSE(test, fake_iommu_stale(t->fake));
	KUNIT_ASSERT_EQ(test, t->fake->torn, 0);
	KUNIT_ASSERT_EQ(test, t->fake->bad_calls, 0);
}

void tables_check(struct tables *t, struct tables_walk *walk)
{
	if (t->narrow) {
		swap(t->fake, t->narrow);
		tables_check_fake(t, walk);
		swap(t->fake, t->narrow);
	}
	/* The serial numbers are those of this walk. */
	tables_check_fake(t, walk);
}

bool tables_leaf_same(const struct tables_leaf *a, const struct tables_leaf *b)
{
	return a->va == b->va && a->span == b->span && a->caller == b->caller &&
	       a->perms == b->perms && a->content == b->content;
}

struct tables_leaf *tables_find(struct tables_walk *walk, u64 va)
{
	unsigned int low = 0, high = walk->nr;

	/* The last leaf that starts at or before @va */
	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (walk->leaf[mid].va <= va)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || va - walk->leaf[low - 1].va >= walk->leaf[low - 1].span)
		return NULL;
	return &walk->leaf[low - 1];
}
