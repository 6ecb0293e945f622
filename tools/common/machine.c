// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"

#define PAGEMAP_PRESENT	0x8000000000000000ULL
#define PAGEMAP_PFN	0x007fffffffffffffULL

/* List the edu devices that are bound to VFIO, at most @most. */
size_t find_edu(struct wdm_bdf *found, size_t most)
{
	struct wdm_bdf *list;
	int number = wdm_pci_list(&list);
	size_t count = 0;

	if (number < 0)
		return 0;
	for (int i = 0; i < number && count < most; i++) {
		if (wdm_pci_is_edu(list[i].text) && wdm_pci_has_vfio_driver(list[i].text))
			found[count++] = list[i];
	}
	free(list);
	return count;
}

bool kernel_is_at_least(unsigned int version, unsigned int patchlevel)
{
	unsigned int ours, level;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &ours, &level) != 2)
		abort();
	return ours > version || (ours == version && level >= patchlevel);
}

/* Allocate and populate memory of small pages; never NULL. */
void *get_pages(size_t pages)
{
	void *memory = mmap(NULL, pages * WDM_PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	madvise(memory, pages * WDM_PAGE_SIZE, MADV_NOHUGEPAGE);
	memset(memory, 0, pages * WDM_PAGE_SIZE);
	return memory;
}

/* Check whether the kernel, or a module, has a function or variable of this name. */
bool kernel_has_symbol(const char *name)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	bool found = false;

	if (!symbols)
		return false;
	while (!found && fgets(line, sizeof(line), symbols))
		found = sscanf(line, "%*s %*s %255s", symbol) == 1 && !strcmp(symbol, name);
	fclose(symbols);
	return found;
}

/* Write to a file in sysfs or the like; false with errno. */
bool write_text(const char *path, const char *text)
{
	ssize_t length = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, length) == length;

	if (fd >= 0)
		close(fd);
	return written;
}

/* Get the physical address of memory of this process; 0 without permission. */
__u64 physical_address(const void *address)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)address / WDM_PAGE_SIZE * sizeof(entry)) !=
	    sizeof(entry))
		entry = 0;
	close(fd);
	if (!(entry & PAGEMAP_PRESENT) || !(entry & PAGEMAP_PFN))
		return 0;
	return (entry & PAGEMAP_PFN) * WDM_PAGE_SIZE + (uintptr_t)address % WDM_PAGE_SIZE;
}
