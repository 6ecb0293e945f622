// SPDX-License-Identifier: GPL-2.0
/*
 * Memory with a known physical layout, and helpers.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "machine.h"

#define HUGE_PAGE	(2UL << 20)
#define PAGEMAP_PFN	0x007fffffffffffffULL

__u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void *allocate(size_t number, size_t size)
{
	void *memory = calloc(number, size);

	if (!memory)
		err(1, "no memory");
	return memory;
}

/* Xorshift: the same numbers in every run. */
__u64 random_next(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Fill an array with a permutation of 0 .. @number - 1 that depends only on @seed. */
void shuffle(__u32 *numbers, size_t number, __u64 seed)
{
	for (size_t i = 0; i < number; i++) {
		size_t j = random_next(&seed) % (i + 1);

		numbers[i] = numbers[j];
		numbers[j] = i;
	}
}

static size_t count_runs(const struct memory *memory)
{
	__u64 *entries = allocate(memory->pages, sizeof(*entries));
	off_t where = (uintptr_t)memory->start / PAGE * sizeof(*entries);
	size_t size = memory->pages * sizeof(*entries), done = 0, runs = 1;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "/proc/self/pagemap");
	while (done < size) {
		ssize_t got = pread(fd, (char *)entries + done, size - done, where + done);

		if (got <= 0)
			err(1, "read /proc/self/pagemap");
		done += got;
	}
	close(fd);
	for (size_t i = 1; i < memory->pages; i++)
		runs += (entries[i] & PAGEMAP_PFN) != (entries[i - 1] & PAGEMAP_PFN) + 1;
	free(entries);
	return runs;
}

/* Read a value of a file such as /proc/meminfo, in bytes; 0 if there is none. */
static double kib_of(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[256];
	double kib = 0;

	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			kib = strtod(line + strlen(name) + 1, NULL);
	}
	fclose(file);
	return kib * 1024;
}

struct kernel_memory kernel_memory(void)
{
	/* Fold the per-CPU counters */
	write_text("/proc/sys/vm/stat_refresh", "1");
	return (struct kernel_memory) {
		.objects = kib_of("/proc/meminfo", "Slab") +
			   kib_of("/proc/meminfo", "VmallocUsed"),
		.tables = kib_of("/proc/meminfo", "SecPageTables"),
	};
}

static struct memory reserve(size_t pages, int advice)
{
	struct memory memory = { .pages = pages };
	size_t size = pages * PAGE;
	unsigned char *area;

	/* Leave room for the alignment; untouched pages cost nothing */
	area = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (area == MAP_FAILED)
		err(1, "mmap");
	memory.start = (void *)(((uintptr_t)area + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
	munmap(area, memory.start - area);
	munmap(memory.start + size, area + HUGE_PAGE - memory.start);
	if (madvise(memory.start, size, advice))
		err(1, "madvise");
	return memory;
}

/**
 * memory_small_pages() - Allocate 4 KiB pages that are rarely contiguous
 * @pages: number of pages
 *
 * Pages are touched in random order, as the kernel often allocates contiguous ones.
 */
struct memory memory_small_pages(size_t pages)
{
	struct memory memory = reserve(pages, MADV_NOHUGEPAGE);
	__u32 *order = allocate(pages, sizeof(*order));

	shuffle(order, pages, 0x243f6a8885a308d3);
	for (size_t i = 0; i < pages; i++)
		memset(memory.start + order[i] * PAGE, 0x5a, PAGE);
	free(order);
	memory.runs = count_runs(&memory);
	printf("# %zu pages of 4 KiB in %zu runs\n", pages, memory.runs);
	if (memory.runs < pages / 2)
		errx(1, "the 4 KiB pages are not scattered");
	return memory;
}

/**
 * memory_huge_pages() - Allocate 2 MiB pages
 * @pages: number of 4 KiB pages; a multiple of 512
 */
struct memory memory_huge_pages(size_t pages)
{
	double before = kib_of("/proc/self/smaps_rollup", "AnonHugePages");
	struct memory memory = reserve(pages, MADV_HUGEPAGE);
	double huge;

	memset(memory.start, 0x5a, pages * PAGE);
	huge = kib_of("/proc/self/smaps_rollup", "AnonHugePages") - before;
	memory.runs = count_runs(&memory);
	printf("# %zu pages of 4 KiB as huge pages, in %zu runs\n", pages, memory.runs);
	if (huge < pages * PAGE)
		errx(1, "only %.0f bytes of %zu are in huge pages", huge, pages * PAGE);
	return memory;
}

void memory_free(struct memory *memory)
{
	munmap(memory->start, memory->pages * PAGE);
	memory->start = NULL;
}
