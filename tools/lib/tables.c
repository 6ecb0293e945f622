// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Page tables in the program's memory: what the formats have in common. A table is a page of
 * 512 entries; only ARM64's root may be shorter.
 */
#include <errno.h>
#include <string.h>

#include "wdm_iommu_user.h"

#define INDEX_BITS	9

static unsigned int shift_of(unsigned int level)
{
	return WDM_PAGE_SHIFT + INDEX_BITS * level;
}

/**
 * wdm_tables_init() - Initialize page tables with an empty root
 * @tables: out: the tables
 * @format: their format
 * @input_bits: width of an input address in bits: 48 or 57 for x86-64, 25 to 48 for ARM64
 * @memory: page-aligned memory for the tables
 * @pages: size of @memory in pages, at least one
 * @caller_address: caller address of @memory
 */
void wdm_tables_init(struct wdm_tables *tables, const struct wdm_table_format *format,
		     unsigned int input_bits, void *memory, size_t pages, __u64 caller_address)
{
	*tables = (struct wdm_tables) {
		.format = format,
		.memory = memory,
		.pages = pages,
		.used = 1,
		.caller_address = caller_address,
		.levels = (input_bits - WDM_PAGE_SHIFT + INDEX_BITS - 1) / INDEX_BITS,
		.input_bits = input_bits,
	};
	memset(memory, 0, WDM_PAGE_SIZE);
}

static __u64 *new_table(struct wdm_tables *tables, __u64 *entry)
{
	size_t offset = tables->used * WDM_PAGE_SIZE;
	__u64 *table = tables->memory + offset / sizeof(*table);

	if (tables->used == tables->pages) {
		errno = ENOMEM;
		return NULL;
	}
	tables->used++;
	memset(table, 0, WDM_PAGE_SIZE);
	*entry = tables->format->table(tables->caller_address + offset);
	return table;
}

/* Get the table that an entry refers to. */
static __u64 *find_table(const struct wdm_tables *tables, __u64 entry)
{
	__u64 offset = (entry & tables->format->target) - tables->caller_address;

	/* A leaf, or an entry that the program has written, may refer to anything. */
	if (offset % WDM_PAGE_SIZE || offset / WDM_PAGE_SIZE >= tables->used) {
		errno = EEXIST;
		return NULL;
	}
	return tables->memory + offset / sizeof(*tables->memory);
}

/**
 * wdm_tables_entry() - Find the entry that translates an address
 * @tables: the tables
 * @address: the input address
 * @level: %WDM_LEVEL_4K and up
 * @create: create missing tables on the path
 *
 * Return: the entry, or NULL with errno: ENOENT if a table on the path is missing, ENOMEM if
 * there is no page left for a table, ERANGE if the format cannot translate @address, EEXIST
 * if an entry above @level is a leaf, or refers to memory that is no table of @tables.
 */
__u64 *wdm_tables_entry(struct wdm_tables *tables, __u64 address, unsigned int level,
			bool create)
{
	__u64 *table = tables->memory;

	if (address >> tables->input_bits || level >= tables->levels) {
		errno = ERANGE;
		return NULL;
	}
	for (unsigned int at = tables->levels - 1;; at--) {
		__u64 *entry = table + (address >> shift_of(at)) % (1 << INDEX_BITS);

		if (at == level)
			return entry;
		if (*entry) {
			table = find_table(tables, *entry);
		} else if (create) {
			table = new_table(tables, entry);
		} else {
			errno = ENOENT;
			return NULL;
		}
		if (!table)
			return NULL;
	}
}

/**
 * wdm_tables_map() - Write a leaf
 * @tables: the tables
 * @address: the input address
 * @target: the caller address that it translates to
 * @level: %WDM_LEVEL_4K, %WDM_LEVEL_2M or %WDM_LEVEL_1G
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 *
 * Return: true, or false with the errno of wdm_tables_entry().
 */
bool wdm_tables_map(struct wdm_tables *tables, __u64 address, __u64 target, unsigned int level,
		    __u32 permissions)
{
	__u64 *entry = wdm_tables_entry(tables, address, level, true);

	if (!entry)
		return false;
	*entry = tables->format->leaf(target, level, permissions);
	return true;
}

/**
 * wdm_tables_configure() - IommuDomainConfigure with these tables
 * @tables: the tables
 * @fd: /dev/wdm_iommu
 * @domain: a caller-managed domain
 * @walk_error: out: the invalid entries; may be NULL
 *
 * Return: NTSTATUS.
 */
__u32 wdm_tables_configure(const struct wdm_tables *tables, int fd, __u32 domain,
			   struct wdm_iommu_walk_error *walk_error)
{
	__u32 flags = tables->levels == 5 ? WDM_IOMMU_CONFIGURE_X64_LA57 : 0;

	if (tables->format->number == WDM_IOMMU_FORMAT_X64)
		return wdm_configure_x64(fd, domain, tables->caller_address, flags, walk_error);
	return wdm_configure_arm64(fd, domain, tables->caller_address, tables->input_bits,
				   walk_error);
}
