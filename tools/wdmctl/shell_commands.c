// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl shell: the commands.
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "array_size.h"
#include "machine.h"
#include "shell.h"

/* Limit for all MDLs together: DMA is watched in a copy of them. */
#define MAX_MEMORY	(256ULL << 20)

#define TABLE_PAGES	16
#define LIST_MAX	4096

static bool is_name(const char *name)
{
	if (!isalpha((unsigned char)*name))
		return false;
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && *name != '_' && *name != '-')
			return false;
	}
	return true;
}

/* Create an object with the given name, or the next free one: "d0", "m3". */
static struct object *new_object(struct shell *shell, struct words *words, enum kind kind)
{
	static const char letters[] = {
		[KIND_DEVICE] = 'v', [KIND_DOMAIN] = 'd', [KIND_MDL] = 'm', [KIND_TOKEN] = 't',
	};
	struct object *object = NULL;
	char name[OBJECT_NAME];
	unsigned int number = 0;
	bool taken;

	if (words->as && (!is_name(words->as) || strlen(words->as) >= OBJECT_NAME))
		bad_words(words, "%s is not a name: letters, digits, - and _", words->as);
	do {
		if (words->as)
			snprintf(name, sizeof(name), "%.*s", OBJECT_NAME - 1, words->as);
		else
			snprintf(name, sizeof(name), "%c%u", letters[kind], number++);
		taken = false;
		for (size_t i = 0; i < MAX_OBJECTS; i++) {
			if (!shell->objects[i].kind)
				object = object ? object : &shell->objects[i];
			else
				taken = taken || !strcmp(shell->objects[i].name, name);
		}
	} while (taken && !words->as);
	if (taken)
		bad_words(words, "there is a %s already", name);
	if (!object)
		bad_words(words, "there are too many objects");
	if (*words->error)
		return NULL;
	*object = (struct object) { };
	strcpy(object->name, name);
	return object;
}

static void keep_object(struct shell *shell, struct object *object, enum kind kind,
			struct outcome *outcome)
{
	object->kind = kind;
	shell->current[kind] = object;
	snprintf(outcome->text, sizeof(outcome->text), "%s, handle %u", object->name,
		 object->handle);
}

static void drop_object(struct shell *shell, struct object *object)
{
	if (object->kind == KIND_MDL) {
		munmap(object->memory, object->size);
		shell->memory -= object->size;
	}
	object->kind = KIND_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(shell->current); i++) {
		if (shell->current[i] == object)
			shell->current[i] = NULL;
	}
	for (size_t i = 0; i < MAX_OBJECTS; i++) {
		if (shell->objects[i].table_memory == object)
			shell->objects[i].table_memory = NULL;
	}
}

/* Take "r", "w" or "rw"; by default both. */
static __u32 next_permissions(struct words *words)
{
	if (next_is(words, "r"))
		return WDM_IOMMU_READ;
	if (next_is(words, "w"))
		return WDM_IOMMU_WRITE;
	if (next_is(words, "none"))
		return 0;
	next_is(words, "rw");
	return WDM_RW;
}

static void do_open(struct shell *shell, struct words *words, struct outcome *outcome)
{
	const char *bdf = next_word(words);
	struct object *object = new_object(shell, words, KIND_DEVICE);
	struct wdm_error error;
	struct wdm_bdf found;

	if (!bdf && find_edu(&found, 1))
		bdf = found.text;
	if (!bdf)
		bad_words(words, "no edu device is bound to a VFIO driver; name a device");
	if (!no_more_words(words))
		return;
	object->vfio = wdm_vfio_open(shell->fd, bdf, &error);
	if (!object->vfio) {
		set_status(outcome, error.status);
		outcome->good = false;
		snprintf(outcome->text, sizeof(outcome->text), "%s", error.text);
		return;
	}
	object->handle = wdm_vfio_handle(object->vfio);
	object->bar = wdm_bar_map(object->vfio, 0, 0, 0, NULL);
	if (!wdm_edu_present(object->bar))
		object->bar = NULL;
	set_status(outcome, STATUS_SUCCESS);
	keep_object(shell, object, KIND_DEVICE, outcome);
}

static void do_domain(struct shell *shell, struct words *words, struct outcome *outcome)
{
	struct object *object = new_object(shell, words, KIND_DOMAIN);
	bool os = false, caller = false, ex = false;
	__u32 type = 0, flags = 0, width = 0, status;

	next_is(words, "create");
	os = next_is(words, "os");
	caller = !os && next_is(words, "caller");
	for (; !os && !caller && !ex && type_name(type); type++)
		ex = next_is(words, type_name(type));
	if (!os && !caller && !ex)
		bad_words(words, "the type is missing; see help domain");
	if (next_is(words, "granular"))
		flags |= WDM_IOMMU_DOMAIN_PAGE_GRANULAR;
	if (next_is(words, "width"))
		width = next_number(words, "the width");
	if (ex ? flags : width)
		bad_words(words, ex ? "granular needs os" : "width needs translate");
	if (!no_more_words(words))
		return;
	if (ex)
		status = wdm_domain_create_ex(shell->fd, type - 1, width, NULL, 0, &object->handle);
	else
		status = wdm_domain_create(shell->fd, os, flags, &object->handle);
	set_status(outcome, status);
	if (!status)
		keep_object(shell, object, KIND_DOMAIN, outcome);
}

static void do_use(struct shell *shell, struct words *words, struct outcome *outcome)
{
	struct object *object = next_object(shell, words, KIND_NONE);

	if (!no_more_words(words))
		return;
	shell->current[object->kind] = object;
	set_word(outcome, true, "ok", "%s", object->name);
}

static void do_destroy(struct shell *shell, struct words *words, struct outcome *outcome)
{
	struct object *object = next_object(shell, words, KIND_NONE);
	__u32 status;

	if (!no_more_words(words))
		return;
	status = wdm_destroy(shell->fd, object->handle);
	set_status(outcome, status);
	if (status)
		return;
	if (object->vfio)
		wdm_vfio_close(object->vfio);
	drop_object(shell, object);
}

static void do_attach(struct shell *shell, struct words *words, struct outcome *outcome)
{
	const struct object *device = next_object(shell, words, KIND_DEVICE);
	const struct object *domain = next_object(shell, words, KIND_DOMAIN);

	if (no_more_words(words))
		set_status(outcome, wdm_attach(shell->fd, domain->handle, device->handle));
}

static void do_detach(struct shell *shell, struct words *words, struct outcome *outcome)
{
	const struct object *device = next_object(shell, words, KIND_DEVICE);

	if (no_more_words(words))
		set_status(outcome, wdm_detach(shell->fd, device->handle));
}

/* Memory, and an MDL for it */
static __u32 make_mdl(struct shell *shell, struct object *object, __u64 size, __u32 access,
		      unsigned int pattern)
{
	__u32 status;

	object->size = size;
	object->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	if (object->memory == MAP_FAILED)
		return WDM_STATUS_NONE;
	memset(object->memory, pattern, size);
	status = wdm_mdl_create(shell->fd, object->memory, size, access, &object->handle);
	if (status)
		munmap(object->memory, size);
	else
		shell->memory += size;
	return status;
}

static void check_size(const struct shell *shell, struct words *words, __u64 size)
{
	if (size > MAX_MEMORY - shell->memory)
		bad_words(words, "all MDLs together can have %s", SIZE_TEXT(MAX_MEMORY));
}

static void do_mdl(struct shell *shell, struct words *words, struct outcome *outcome)
{
	struct object *object = new_object(shell, words, KIND_MDL);
	__u64 size = next_number(words, "the size"), pattern = 0;
	__u32 access, status;

	if (next_is(words, "pattern"))
		pattern = next_number(words, "the pattern");
	access = next_is(words, "r") ? WDM_IOMMU_READ : WDM_RW;
	if (!size || size % WDM_PAGE_SIZE)
		bad_words(words, "the size must be whole pages");
	else if (pattern > 0xff)
		bad_words(words, "the pattern is a byte");
	check_size(shell, words, size);
	if (!no_more_words(words))
		return;
	status = make_mdl(shell, object, size, access, pattern);
	set_status(outcome, status);
	if (!status)
		keep_object(shell, object, KIND_MDL, outcome);
}

static void do_map(struct shell *shell, struct words *words, struct outcome *outcome)
{
	bool identity = next_is(words, "identity"), anywhere = next_is(words, "anywhere");
	__u64 address = identity || anywhere ? 0 : next_number(words, "the address"), offset;
	const struct object *mdl = next_memory(shell, words, &offset);
	__u64 length = next_number_or(words, 0);
	__u32 permissions = next_permissions(words), status;
	const struct object *domain = next_object(shell, words, KIND_DOMAIN);

	if (!no_more_words(words))
		return;
	if (identity)
		status = wdm_map_identity(shell->fd, domain->handle, permissions, mdl->handle,
					  offset, length);
	else if (anywhere)
		status = wdm_map_anywhere(shell->fd, domain->handle, permissions, mdl->handle,
					  offset, length, &address);
	else
		status = wdm_map(shell->fd, domain->handle, permissions, mdl->handle, offset,
				 length, address);
	set_status(outcome, status);
	if (!status && anywhere)
		snprintf(outcome->text, sizeof(outcome->text), "at %#llx", address);
}

static void do_unmap(struct shell *shell, struct words *words, struct outcome *outcome)
{
	bool identity = next_is(words, "identity");
	__u64 address = identity ? 0 : next_number(words, "the address"), offset = 0, length;
	const struct object *mdl = identity ? next_memory(shell, words, &offset) : NULL;
	const struct object *domain;

	length = identity ? next_number_or(words, 0) : next_number(words, "the length");
	domain = next_object(shell, words, KIND_DOMAIN);
	if (!no_more_words(words))
		return;
	if (identity)
		set_status(outcome, wdm_unmap_identity(shell->fd, domain->handle, mdl->handle,
						       offset, length));
	else
		set_status(outcome, wdm_unmap(shell->fd, domain->handle, address, length));
}

static void reserve_range(struct shell *shell, struct words *words, struct outcome *outcome)
{
	struct object *object = new_object(shell, words, KIND_TOKEN);
	__u64 address = next_number(words, "the address");
	__u64 length = next_number(words, "the length");
	const struct object *domain = next_object(shell, words, KIND_DOMAIN);
	__u32 status;

	if (!no_more_words(words))
		return;
	status = wdm_reserve(shell->fd, domain->handle, length, &address,
			     WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0, &object->handle);
	set_status(outcome, status);
	if (!status)
		keep_object(shell, object, KIND_TOKEN, outcome);
}

static void do_reserve(struct shell *shell, struct words *words, struct outcome *outcome)
{
	bool map = next_is(words, "map"), unmap = !map && next_is(words, "unmap");
	struct wdm_iommu_memory memory = { .type = WDM_IOMMU_MEMORY_MDL };
	const struct object *mdl, *token;
	__u64 offset, length;
	__u32 permissions;

	if (!map && !unmap) {
		reserve_range(shell, words, outcome);
		return;
	}
	offset = next_number(words, "the offset");
	if (unmap) {
		length = next_number(words, "the length");
		token = next_object(shell, words, KIND_TOKEN);
		if (no_more_words(words))
			set_status(outcome, wdm_unmap_reserved(shell->fd, token->handle, offset,
							       length));
		return;
	}
	mdl = next_memory(shell, words, (__u64 *)&memory.address);
	memory.length = next_number_or(words, 0);
	permissions = next_permissions(words);
	token = next_object(shell, words, KIND_TOKEN);
	if (!no_more_words(words))
		return;
	memory.mdl = mdl->handle;
	set_status(outcome, wdm_map_reserved(shell->fd, token->handle, offset, permissions,
					     &memory));
}

static void do_memory(struct shell *shell, struct words *words, struct outcome *outcome)
{
	bool add = next_is(words, "add"), remove = !add && next_is(words, "remove");
	const struct object *mdl = NULL, *domain;
	__u64 address = 0, offset = 0, length = 0;
	__u32 permissions = 0;

	if (remove) {
		address = next_number(words, "the address");
		length = next_number(words, "the length");
	} else if (add) {
		mdl = next_memory(shell, words, &offset);
		length = next_number_or(words, 0);
		permissions = next_permissions(words);
		address = mdl ? (uintptr_t)mdl->memory + offset : 0;
		if (next_is(words, "at"))
			address = next_number(words, "the address");
	} else {
		bad_words(words, "memory add or memory remove");
	}
	domain = next_object(shell, words, KIND_DOMAIN);
	if (!no_more_words(words))
		return;
	if (remove)
		set_status(outcome, wdm_memory_remove(shell->fd, domain->handle, address, length));
	else
		set_status(outcome, wdm_memory_add(shell->fd, domain->handle, permissions,
						   mdl->handle, offset, length, address));
}

static void table_create(struct shell *shell, struct words *words, struct outcome *outcome)
{
	struct object *memory = new_object(shell, words, KIND_MDL);
	bool arm = next_is(words, "arm64");
	__u64 bits, pages;
	struct object *domain;
	__u32 status;

	if (!arm && !next_is(words, "x64"))
		bad_words(words, "which format: x64 or arm64");
	bits = next_is(words, "bits") ? next_number(words, "the width") : 48;
	pages = next_is(words, "pages") ? next_number(words, "the number") : TABLE_PAGES;
	domain = next_object(shell, words, KIND_DOMAIN);
	if (bits < 25 || bits > (arm ? 48 : 57) || (!arm && bits != 48 && bits != 57))
		bad_words(words, arm ? "arm64 has 25 to 48 bits" : "x64 has 48 or 57 bits");
	if (!pages || pages > 4096)
		bad_words(words, "1 to 4096 pages");
	check_size(shell, words, pages * WDM_PAGE_SIZE);
	if (!no_more_words(words))
		return;
	status = make_mdl(shell, memory, pages * WDM_PAGE_SIZE, WDM_RW, 0);
	if (!status) {
		struct object *current = shell->current[KIND_MDL];

		keep_object(shell, memory, KIND_MDL, outcome);
		/* It must not become the default of map and fill. */
		shell->current[KIND_MDL] = current;
		status = wdm_memory_add(shell->fd, domain->handle, WDM_RW, memory->handle, 0, 0,
					(uintptr_t)memory->memory);
	}
	set_status(outcome, status);
	if (status)
		return;
	domain->table_memory = memory;
	wdm_tables_init(&domain->tables, arm ? &wdm_format_arm64 : &wdm_format_x64, bits,
			memory->memory, pages, (uintptr_t)memory->memory);
	snprintf(outcome->text, sizeof(outcome->text), "in %s", memory->name);
}

static unsigned int next_level(struct words *words)
{
	if (next_is(words, "2m"))
		return WDM_LEVEL_2M;
	if (next_is(words, "1g"))
		return WDM_LEVEL_1G;
	next_is(words, "4k");
	return WDM_LEVEL_4K;
}

/* table map ADDRESS MEMORY, table unmap ADDRESS, table set ADDRESS ENTRY */
static void table_change(struct shell *shell, struct words *words, struct outcome *outcome)
{
	bool map = next_is(words, "map"), unmap = !map && next_is(words, "unmap");
	__u64 address, target = 0, offset, *entry;
	const struct object *memory;
	unsigned int level;
	struct object *domain;
	__u32 permissions;

	if (!map && !unmap && !next_is(words, "set"))
		bad_words(words, "table create, map, unmap or set");
	address = next_number(words, "the address");
	if (map) {
		memory = next_memory(shell, words, &offset);
		target = memory ? (uintptr_t)memory->memory + offset : 0;
	} else if (!unmap) {
		target = next_number(words, "the entry");
	}
	level = next_level(words);
	permissions = next_permissions(words);
	domain = next_object(shell, words, KIND_DOMAIN);
	if (domain && !domain->table_memory)
		bad_words(words, "%s has no tables: table create", domain->name);
	if (!no_more_words(words))
		return;
	entry = wdm_tables_entry(&domain->tables, address, level, !unmap);
	if (entry) {
		*entry = map ? domain->tables.format->leaf(target, level, permissions) : target;
		set_word(outcome, true, "ok", "the entry is %#llx; flush to apply it", *entry);
	} else {
		set_word(outcome, false, "no-entry", "%s",
			 errno == EEXIST ? "a leaf is in the way" :
			 errno == ENOMEM ? "no page is left for a table" :
			 errno == ENOENT ? "there is no table on the path" :
					   "the tables do not translate this address");
	}
}

static void do_table(struct shell *shell, struct words *words, struct outcome *outcome)
{
	if (next_is(words, "create"))
		table_create(shell, words, outcome);
	else
		table_change(shell, words, outcome);
}

/* Report the invalid entries of a walk. */
static void set_walk(struct outcome *outcome, __u32 status,
		     const struct wdm_iommu_walk_error *error)
{
	set_status(outcome, status);
	if (status && error->count)
		snprintf(outcome->text, sizeof(outcome->text),
			 "%llu invalid entries; the first, %#llx of level %u, would translate %#llx",
			 (unsigned long long)error->count, error->entry, error->level,
			 error->logical_address);
}

static void do_configure(struct shell *shell, struct words *words, struct outcome *outcome)
{
	bool bypass = next_is(words, "bypass");
	struct wdm_iommu_walk_error error = { };
	const struct object *domain;
	__u32 status;

	next_is(words, "tables");
	domain = next_object(shell, words, KIND_DOMAIN);
	if (domain && !bypass && !domain->table_memory)
		bad_words(words, "%s has no tables: table create, or configure bypass",
			  domain->name);
	if (!no_more_words(words))
		return;
	if (bypass)
		status = wdm_configure_bypass(shell->fd, domain->handle, &error);
	else
		status = wdm_tables_configure(&domain->tables, shell->fd, domain->handle, &error);
	set_walk(outcome, status, &error);
}

static void do_flush(struct shell *shell, struct words *words, struct outcome *outcome)
{
	const struct object *domain = next_object(shell, words, KIND_DOMAIN);
	bool all = next_is(words, "all"), last = !all && next_is(words, "last");
	struct wdm_iommu_walk_error error = { };
	__u64 list[MAX_ARGUMENTS];
	__u32 number = 0, status;

	while (!all && words->words[words->at])
		list[number++] = next_number(words, "an address");
	if (!no_more_words(words))
		return;
	if (number)
		status = wdm_flush_va_list(shell->fd, domain->handle, last, list, number, &error);
	else
		status = wdm_flush(shell->fd, domain->handle, &error);
	set_walk(outcome, status, &error);
}

/* Parse part of an MDL, as MEMORY LENGTH. */
static unsigned char *next_part(struct shell *shell, struct words *words, __u64 *length)
{
	__u64 offset;
	const struct object *mdl = next_memory(shell, words, &offset);

	*length = next_number(words, "the length");
	if (mdl && (offset > mdl->size || *length > mdl->size - offset))
		bad_words(words, "%s has %s", mdl->name, SIZE_TEXT(mdl->size));
	return mdl ? mdl->memory + offset : NULL;
}

static void do_fill(struct shell *shell, struct words *words, struct outcome *outcome)
{
	__u64 length, pattern;
	unsigned char *part = next_part(shell, words, &length);

	pattern = next_number(words, "the pattern");
	if (pattern > 0xff)
		bad_words(words, "the pattern is a byte");
	if (!no_more_words(words))
		return;
	memset(part, pattern, length);
	set_word(outcome, true, "ok", "%llu bytes", length);
}

static void do_check(struct shell *shell, struct words *words, struct outcome *outcome)
{
	__u64 length, pattern, i = 0;
	const unsigned char *part = next_part(shell, words, &length);

	pattern = next_number(words, "the pattern");
	if (!no_more_words(words))
		return;
	while (i < length && part[i] == pattern)
		i++;
	if (i == length)
		set_word(outcome, true, "same", "%llu bytes of %#llx", length, pattern);
	else
		set_word(outcome, false, "differs", "byte %llu is %#x", i, part[i]);
}

static void do_dump(struct shell *shell, struct words *words, struct outcome *outcome)
{
	__u64 length;
	const unsigned char *part = next_part(shell, words, &length);

	if (!no_more_words(words))
		return;
	for (__u64 i = 0; i < length; i++) {
		if (i % 16 == 0)
			fprintf(shell->out, "%06llx ", i);
		fprintf(shell->out, " %02x", part[i]);
		if (i % 16 == 15 || i == length - 1)
			fprintf(shell->out, "\n");
	}
	set_word(outcome, true, "ok", "%s", "");
}

static void query_domain(struct shell *shell, const struct object *domain, struct outcome *outcome)
{
	struct wdm_iommu_query_domain query;
	__u32 status = wdm_query_domain(shell->fd, domain->handle, &query);

	set_status(outcome, status);
	if (!status)
		fprintf(shell->out,
			"devices %u, hwpts %u, pages %llu, translated %s, tables %llu, invalid entries %llu\n",
			query.devices, query.hwpts, query.mapped_pages,
			SIZE_TEXT(query.translated_bytes), query.shadow_tables,
			query.invalid_entries);
}

static void query_mappings(struct shell *shell, const struct object *domain, __u32 what,
			   struct outcome *outcome)
{
	struct wdm_iommu_mapping *list = calloc(LIST_MAX, sizeof(*list));
	__u32 number = LIST_MAX, status;
	__u64 start = 0;

	status = list ? wdm_query_mappings(shell->fd, domain->handle, what, &start, list,
					   &number) : STATUS_INSUFFICIENT_RESOURCES;
	set_status(outcome, status);
	for (__u32 i = 0; i < number && !status; i++)
		fprintf(shell->out, "%#18llx  %10s  %s  MDL %u + %#llx\n", list[i].address,
			SIZE_TEXT(list[i].length), permission_name(list[i].permissions),
			list[i].mdl, list[i].offset);
	free(list);
}

static void query_ranges(struct shell *shell, const struct object *object, struct outcome *outcome)
{
	struct wdm_iommu_query_ranges query;
	struct wdm_iommu_range *ranges;
	__u32 status = wdm_get_ranges(shell->fd, object->handle, &ranges, &query);

	set_status(outcome, status);
	for (__u32 i = 0; i < query.number && !status; i++)
		fprintf(shell->out, "%#18llx  %#18llx  %s\n", ranges[i].start, ranges[i].last,
			range_kind(ranges[i].kind));
	free(ranges);
}

static void query_device(struct shell *shell, const struct object *device, struct outcome *outcome)
{
	struct wdm_iommu_query_device query;
	__u32 status = wdm_query_device(shell->fd, device->handle, &query);

	set_status(outcome, status);
	if (status)
		return;
	fprintf(shell->out, "group %u, can be attached to:", query.group);
	for (__u32 i = 0; type_name(i); i++) {
		if (query.domain_types & 1U << i)
			fprintf(shell->out, " %s", type_name(i));
	}
	fprintf(shell->out, "\n");
}

static void do_query(struct shell *shell, struct words *words, struct outcome *outcome)
{
	bool mappings = next_is(words, "mappings"), caller = !mappings && next_is(words, "caller");
	bool ranges = next_is(words, "ranges"), device = next_is(words, "device");
	const struct object *object;

	object = next_object(shell, words, device ? KIND_DEVICE : KIND_DOMAIN);
	if (!no_more_words(words))
		return;
	if (mappings || caller)
		query_mappings(shell, object, caller ? WDM_IOMMU_QUERY_CALLER :
			       WDM_IOMMU_QUERY_LOGICAL, outcome);
	else if (ranges)
		query_ranges(shell, object, outcome);
	else if (device)
		query_device(shell, object, outcome);
	else
		query_domain(shell, object, outcome);
}

static void do_list(struct shell *shell, struct words *words, struct outcome *outcome)
{
	static const char * const kinds[] = {
		[KIND_DEVICE] = "device", [KIND_DOMAIN] = "domain", [KIND_MDL] = "MDL",
		[KIND_TOKEN] = "token",
	};

	if (!no_more_words(words))
		return;
	for (size_t i = 0; i < MAX_OBJECTS; i++) {
		const struct object *object = &shell->objects[i];

		if (!object->kind)
			continue;
		fprintf(shell->out, "%c %-8s %-6s handle %u",
			shell->current[object->kind] == object ? '*' : ' ', object->name,
			kinds[object->kind], object->handle);
		if (object->kind == KIND_MDL)
			fprintf(shell->out, ", %s at %p", SIZE_TEXT(object->size), object->memory);
		fprintf(shell->out, "\n");
	}
	set_word(outcome, true, "ok", "%s", "");
}

static void do_sleep(struct shell *shell, struct words *words, struct outcome *outcome)
{
	__u64 ms = next_number(words, "milliseconds");

	(void)shell;
	if (ms > 600000)
		bad_words(words, "ten minutes at most");
	if (!no_more_words(words))
		return;
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
	set_word(outcome, true, "ok", "%s", "");
}

static void do_help(struct shell *shell, struct words *words, struct outcome *outcome)
{
	const char *name = next_word(words);

	if (!no_more_words(words))
		return;
	shell_help(shell->out, name);
	set_word(outcome, true, "ok", "%s", "");
}

static void do_quit(struct shell *shell, struct words *words, struct outcome *outcome)
{
	if (!no_more_words(words))
		return;
	shell->quit = true;
	set_word(outcome, true, "ok", "%s", "");
}

/**
 * struct verb - a command
 * @name: its first word
 * @arguments: the others
 * @help: description
 * @run: performs it; does nothing after a syntax error
 */
struct verb {
	const char *name;
	const char *arguments;
	const char *help;
	void (*run)(struct shell *shell, struct words *words, struct outcome *outcome);
};

static const struct verb verbs[] = {
	{ "open", "[BDF]", "open a device through VFIO; by default the first edu device", do_open },
	{ "domain", "create os|caller [granular]", "create a domain", do_domain },
	{ "", "create TYPE [width BITS]", "translate, pass-through, unmanaged, translate-s1",
	  NULL },
	{ "attach", "[DEVICE] [DOMAIN]", "", do_attach },
	{ "detach", "[DEVICE]", "", do_detach },
	{ "mdl", "SIZE [pattern BYTE] [r]", "pin memory; r: devices may only read", do_mdl },
	{ "map", "ADDRESS [MDL] [LENGTH] [r|w|rw]", "", do_map },
	{ "", "anywhere|identity [MDL] [LENGTH]", "where the allocator, or the memory, says",
	  NULL },
	{ "unmap", "ADDRESS LENGTH", "", do_unmap },
	{ "", "identity [MDL] [LENGTH]", "", NULL },
	{ "reserve", "ADDRESS LENGTH", "reserve logical addresses: a token", do_reserve },
	{ "", "map OFFSET [MDL] [LENGTH] [r|w|rw]", "map in the token", NULL },
	{ "", "unmap OFFSET LENGTH", "", NULL },
	{ "memory", "add [MDL] [LENGTH] [rw] [at ADDRESS]", "add to the caller's address space",
	  do_memory },
	{ "", "remove ADDRESS LENGTH", "", NULL },
	{ "table", "create x64|arm64 [bits N] [pages N]", "page tables in memory of their own",
	  do_table },
	{ "", "map ADDRESS [MDL] [4k|2m|1g] [rw]", "write a leaf", NULL },
	{ "", "unmap ADDRESS [4k|2m|1g]", "clear an entry", NULL },
	{ "", "set ADDRESS ENTRY [4k|2m|1g]", "write any entry", NULL },
	{ "configure", "[tables|bypass]", "", do_configure },
	{ "flush", "[all]", "everything that the tables translate", do_flush },
	{ "", "[last] ADDRESS...", "these addresses; last: only leaves changed", NULL },
	{ "dma", "write ADDRESS [LENGTH]", "the device writes its buffer: arrived or blocked",
	  shell_dma },
	{ "", "read ADDRESS [LENGTH]", "the device reads into its buffer", NULL },
	{ "fill", "MDL LENGTH BYTE", "write to memory", do_fill },
	{ "check", "MDL LENGTH BYTE", "compare memory: same or differs", do_check },
	{ "dump", "MDL LENGTH", "print memory", do_dump },
	{ "query", "[mappings|caller|ranges] [DOMAIN]", "", do_query },
	{ "", "device [DEVICE]", "", NULL },
	{ "list", "", "named objects; * marks the defaults of commands", do_list },
	{ "use", "NAME", "use it by default", do_use },
	{ "destroy", "NAME", "delete an object", do_destroy },
	{ "sleep", "MILLISECONDS", "", do_sleep },
	{ "help", "[COMMAND]", "", do_help },
	{ "quit", "", "", do_quit },
};

/* Print help for all commands, or for one. */
void shell_help(FILE *out, const char *name)
{
	bool shown = !name;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (name && *verbs[i].name)
			shown = !strcmp(verbs[i].name, name);
		if (shown)
			fprintf(out, "%-9s %-38s %s\n", verbs[i].name, verbs[i].arguments,
				verbs[i].help);
	}
	if (name)
		return;
	fprintf(out,
		"expect    OUTCOME [COMMAND]                      an NTSTATUS, or arrived, blocked, same, differs;\n"
		"                                                 without COMMAND: of the next one\n"
		"\n"
		"Numbers: 4096, 0x1000, 4k, 2m, 1g. An MDL may have an offset: m0+4k. Commands that create an\n"
		"object accept \"as NAME\" at the end. # starts a comment, ; separates commands.\n");
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (*verbs[i].name && !strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

/**
 * shell_run() - Run a command
 * @shell: the session
 * @words: the command
 * @outcome: out: its outcome
 */
void shell_run(struct shell *shell, struct words *words, struct outcome *outcome)
{
	const char *name = next_word(words);
	unsigned int number = words->at;
	const struct verb *verb;

	while (words->words[number])
		number++;
	/* At least one word precedes it. */
	if (number > 2 && !strcmp(words->words[number - 2], "as")) {
		words->as = words->words[number - 1];
		words->words[number - 2] = NULL;
	}
	*outcome = (struct outcome) { };
	errno = 0;
	verb = find_verb(name);
	if (verb)
		verb->run(shell, words, outcome);
	else
		bad_words(words, "there is no command %s; see help", name);
	if (!*words->error)
		return;
	*outcome = (struct outcome) { .usage = true, .word = "not understood" };
	snprintf(outcome->text, sizeof(outcome->text), "%s", words->error);
}

void shell_close(struct shell *shell)
{
	for (size_t i = 0; i < MAX_OBJECTS; i++) {
		if (shell->objects[i].kind == KIND_DEVICE)
			wdm_vfio_close(shell->objects[i].vfio);
	}
}
