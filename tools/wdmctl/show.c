// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl show: mappings of a process.
 *
 * pidfd_getfd() duplicates the file of the process, and the ioctls that report are called on
 * the duplicate. It keeps the file open: if the process ends, its devices stay attached until
 * this program ends, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "json.h"
#include "map.h"

/* Maximum number of runs of a domain that are read, and that are printed as text */
#define MAX_RUNS	4000000
#define MAX_LINES	1000

/* Number of runs read per call */
#define STEP		4096

__u64 map_bytes(const struct map *map)
{
	__u64 bytes = 0;

	for (size_t i = 0; i < map->number; i++)
		bytes += map->runs[i].length;
	return bytes;
}

/*
 * Get the largest page that the IOMMU can use in a run, by the alignment of the logical
 * addresses. Whether it does use it depends on the memory, too.
 */
__u64 map_largest_page(const struct map *map, const struct wdm_iommu_mapping *run)
{
	__u64 last = run->address + run->length - 1, size, first;

	if (map->query.flags & WDM_IOMMU_DOMAIN_IS_PAGE_GRANULAR)
		return WDM_PAGE_SIZE;
	for (unsigned int bit = 63; bit > WDM_PAGE_SHIFT; bit--) {
		size = 1ULL << bit;
		if (!(map->usable.page_sizes & size))
			continue;
		first = (run->address + size - 1) & ~(size - 1);
		if (first >= run->address && first <= last && last - first >= size - 1)
			return size;
	}
	return WDM_PAGE_SIZE;
}

static __u32 read_runs(int fd, __u32 domain, __u32 what, struct wdm_iommu_mapping **runs,
		       size_t *number, bool *complete)
{
	__u64 start = 0;
	__u32 status, got;
	void *more;

	*complete = false;
	do {
		more = realloc(*runs, (*number + STEP) * sizeof(**runs));
		if (!more)
			return STATUS_INSUFFICIENT_RESOURCES;
		*runs = more;
		got = STEP;
		status = wdm_query_mappings(fd, domain, what, &start, *runs + *number, &got);
		if (status)
			return status;
		*number += got;
	} while (got == STEP && *number < MAX_RUNS);
	*complete = got < STEP || start == ~0ULL;
	return STATUS_SUCCESS;
}

static __u32 read_map(int fd, struct map *map)
{
	__u32 handle = map->domain->handle, status;
	bool all;

	status = wdm_query_domain(fd, handle, &map->query);
	if (!status)
		status = wdm_get_ranges(fd, handle, &map->ranges, &map->usable);
	if (!status)
		status = read_runs(fd, handle, WDM_IOMMU_QUERY_LOGICAL, &map->runs, &map->number,
				   &map->complete);
	if (!status && !(map->query.flags & WDM_IOMMU_DOMAIN_IS_OS_MANAGED))
		status = read_runs(fd, handle, WDM_IOMMU_QUERY_CALLER, &map->caller,
				   &map->nr_caller, &all);
	return status;
}

static void free_map(struct map *map)
{
	free(map->runs);
	free(map->caller);
	free(map->ranges);
}

static void free_maps(struct map *maps, size_t number)
{
	for (size_t i = 0; i < number; i++)
		free_map(&maps[i]);
	free(maps);
}

static void print_run(const struct map *map, const struct wdm_iommu_mapping *run, bool logical)
{
	printf("  %#18llx  %#18llx  %10s  %s", run->address, run->address + run->length - 1,
	       SIZE_TEXT(run->length), permission_name(run->permissions));
	if (logical)
		printf("  %8s", SIZE_TEXT(map_largest_page(map, run)));
	if (run->mdl)
		printf("  MDL %u + %#llx\n", run->mdl, run->offset);
	else
		printf("  memory without a handle\n");
}

static void print_runs(const struct map *map, const struct wdm_iommu_mapping *runs,
		       size_t number, bool logical)
{
	printf("  %18s  %18s  %10s  %s%s  MEMORY\n", "FROM", "TO", "SIZE", "RW",
	       logical ? "  PAGES TO" : "");
	for (size_t i = 0; i < number && i < MAX_LINES; i++) {
		if (i && runs[i].address > runs[i - 1].address + runs[i - 1].length)
			printf("  %18s  hole of %s\n", "...",
			       SIZE_TEXT(runs[i].address - runs[i - 1].address -
					 runs[i - 1].length));
		print_run(map, &runs[i], logical);
	}
	if (number > MAX_LINES)
		printf("  and %zu more; --json prints all\n", number - MAX_LINES);
}

static void print_map(const struct map *map)
{
	printf("domain %u: %s%s, %u devices, %s in %zu ranges%s\n", map->domain->handle,
	       map->domain->type, map->domain->granular ? ", 4 KiB pages only" : "",
	       map->query.devices, SIZE_TEXT(map_bytes(map)), map->number,
	       map->complete ? "" : " and more");
	for (size_t i = 0; i < map->file->nr_devices; i++) {
		if (map->file->devices[i].domain == map->domain->handle)
			printf("  device %s, group %u\n", map->file->devices[i].name,
			       map->file->devices[i].group);
	}
	for (__u32 i = 0; i < map->usable.number; i++) {
		if (map->ranges[i].kind != WDM_IOMMU_RANGE_ALLOWED)
			printf("  %#18llx  %#18llx  %s\n", map->ranges[i].start,
			       map->ranges[i].last, range_kind(map->ranges[i].kind));
	}
	if (map->number)
		print_runs(map, map->runs, map->number, true);
	if (map->nr_caller) {
		printf("  the caller's address space:\n");
		print_runs(map, map->caller, map->nr_caller, false);
	}
}

static void json_runs(const struct map *map, const char *key,
		      const struct wdm_iommu_mapping *runs, size_t number)
{
	json_array(key);
	for (size_t i = 0; i < number; i++) {
		json_object(NULL);
		json_format("address", "0x%llx", runs[i].address);
		json_number("length", runs[i].length);
		json_text("permissions", permission_name(runs[i].permissions));
		json_number("mdl", runs[i].mdl);
		json_number("offset", runs[i].offset);
		json_number("largest_page", map_largest_page(map, &runs[i]));
		json_end();
	}
	json_end();
}

static void json_map(const struct map *map)
{
	json_object(NULL);
	json_number("pid", map->file->pid);
	json_number("fd", map->file->fd);
	json_number("file", map->file->number);
	json_number("domain", map->domain->handle);
	json_text("type", map->domain->type);
	json_bool("page_granular", map->domain->granular);
	json_number("devices", map->query.devices);
	json_format("aperture_start", "0x%llx", map->query.aperture_start);
	json_format("aperture_end", "0x%llx", map->query.aperture_end);
	json_number("mapped_bytes", map_bytes(map));
	json_bool("complete", map->complete);
	json_array("reserved");
	for (__u32 i = 0; i < map->usable.number; i++) {
		if (map->ranges[i].kind == WDM_IOMMU_RANGE_ALLOWED)
			continue;
		json_object(NULL);
		json_format("start", "0x%llx", map->ranges[i].start);
		json_format("last", "0x%llx", map->ranges[i].last);
		json_text("kind", range_kind(map->ranges[i].kind));
		json_end();
	}
	json_end();
	json_runs(map, "mappings", map->runs, map->number);
	json_runs(map, "caller_space", map->caller, map->nr_caller);
	json_end();
}

/* Duplicate a file of another process; -1 with errno. */
static int borrow(const struct open_file *file)
{
	int process = syscall(SYS_pidfd_open, file->pid, 0), fd = -1, error;

	if (process >= 0) {
		fd = syscall(SYS_pidfd_getfd, process, file->fd, 0);
		error = errno;
		close(process);
		errno = error;
	}
	return fd;
}

/* Add the domains of a file to the maps. */
static int add_maps(const struct open_file *file, __u32 only, struct map **maps, size_t *number)
{
	int fd = borrow(file);
	struct map *more;
	__u32 status = 0;

	if (fd < 0)
		return report_text("process %d, descriptor %d: %s%s", file->pid, file->fd,
				   strerror(errno), errno != EPERM ? "" :
				   "; it must be yours, with /proc/sys/kernel/yama/ptrace_scope 0; or run as root");
	for (size_t i = 0; i < file->nr_domains && !status; i++) {
		if (only && file->domains[i].handle != only)
			continue;
		more = realloc(*maps, (*number + 1) * sizeof(*more));
		if (!more)
			break;
		*maps = more;
		more[*number] = (struct map) { .file = file, .domain = &file->domains[i] };
		status = read_map(fd, &more[(*number)++]);
		/* It may have been deleted at any time, and its handle used again. */
		if (status == STATUS_INVALID_HANDLE || status == STATUS_OBJECT_TYPE_MISMATCH) {
			free_map(&more[--(*number)]);
			status = 0;
		}
	}
	close(fd);
	return status ? report_status("show", status) : 0;
}

static void print_maps(const struct map *maps, size_t number, bool json)
{
	if (json)
		json_array(NULL);
	for (size_t i = 0; i < number; i++) {
		const struct open_file *file = maps[i].file;

		if (json) {
			json_map(&maps[i]);
			continue;
		}
		if (!i || maps[i - 1].file != file)
			printf("process %d (%s), descriptor %d, file %llu\n", file->pid,
			       file->command, file->fd, file->number);
		print_map(&maps[i]);
	}
	if (json)
		json_end();
}

/* Parse a whole word as a number; -1 if it is none, or less than @least. */
static int number_of(const char *word, long least)
{
	char *end;
	long value = strtol(word, &end, 10);

	return *word && !*end && value >= least && value <= 0x7fffffff ? value : -1;
}

int cmd_show(const struct options *options)
{
	pid_t pid = number_of(options->words[0], 1);
	int fd = -1, result = 0;
	struct map *maps = NULL;
	struct open_files all;
	size_t number = 0;

	if (pid < 0)
		return report_text("%s is not a process ID", options->words[0]);
	if (options->words[1]) {
		fd = number_of(options->words[1], 0);
		if (fd < 0)
			return report_text("%s is not a file descriptor", options->words[1]);
	}
	if (!open_files_read(&all, pid))
		return report_text("process %d: %s; wdmctl ps lists those that can be shown", pid,
				   strerror(errno));
	if (all.hidden)
		result = report_text("process %d belongs to another user: run as root", pid);
	else if (!all.number)
		result = report_text("process %d has no open " WDM_IOMMU_PATH, pid);
	for (size_t i = 0; i < all.number && !result; i++) {
		if (fd < 0 || all.files[i].fd == fd)
			result = add_maps(&all.files[i], options->domain, &maps, &number);
	}
	if (!result && !number)
		result = report_text("process %d has no %sdomain", pid,
				     options->domain || fd >= 0 ? "such " : "");
	if (!result && options->svg && !svg_write(options->svg, maps, number))
		result = report_errno(options->svg);
	if (!result && (!options->svg || options->json))
		print_maps(maps, number, options->json);
	free_maps(maps, number);
	open_files_free(&all);
	return result;
}
