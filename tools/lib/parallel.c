// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Pin and map a large buffer with several threads.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "wdm_iommu_user.h"

/* Parts start at multiples of this, so that no large page is split. */
#define PART_ALIGN	0x200000ULL

struct part {
	pthread_t thread;
	bool started;
	int fd;
	__u32 domain;
	__u32 permissions;
	uintptr_t address;
	__u64 length;
	__u64 logical_address;
	__u32 status;
	int error;
};

static void *map_part(void *argument)
{
	struct part *part = argument;

	part->status = wdm_map_user(part->fd, part->domain, part->permissions,
				    (const void *)part->address, part->length,
				    part->logical_address);
	part->error = errno;
	return NULL;
}

/* If no thread can be created, do the part here. */
static void start_part(struct part *part)
{
	part->started = !pthread_create(&part->thread, NULL, map_part, part);
	if (!part->started)
		map_part(part);
}

/* Undo all parts after a failure, and return the status of the first one. */
static __u32 finish_parts(struct part *parts, unsigned int number)
{
	const struct part *failed = NULL;

	for (unsigned int i = 0; i < number; i++) {
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
		if (parts[i].status && !failed)
			failed = &parts[i];
	}
	if (!failed)
		return STATUS_SUCCESS;
	for (unsigned int i = 0; i < number; i++) {
		if (!parts[i].status)
			wdm_unmap(parts[i].fd, parts[i].domain, parts[i].logical_address,
				  parts[i].length);
	}
	errno = failed->error;
	return failed->status;
}

/**
 * wdm_map_user_parallel() - Pin memory of this process and map it, with several threads
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @permissions: WDM_IOMMU_READ, WDM_IOMMU_WRITE
 * @address: start of the memory, page aligned
 * @length: number of bytes, whole pages
 * @logical_address: the address that devices will use
 * @threads: number of threads; 1 is wdm_map_user()
 *
 * Same as wdm_map_user(), in parts of whole 2 MiB, each of which is pinned and mapped by a
 * separate thread. If a part fails, the others are unmapped; until then, devices can reach
 * them.
 *
 * Measure before using it. In an emulated machine with two CPUs it gains nothing: for 64 MiB
 * of fresh memory, one thread and two both take 0.2 s; for 64 MiB of existing 4 KiB pages, one
 * thread takes 3 ms, and two take 6 ms. Fresh memory on many CPUs may gain.
 *
 * Return: NTSTATUS; on failure, that of a part.
 */
__u32 wdm_map_user_parallel(int fd, __u32 domain, __u32 permissions, const void *address,
			    __u64 length, __u64 logical_address, unsigned int threads)
{
	uintptr_t start = (uintptr_t)address;
	struct part *parts;
	unsigned int number;
	__u64 size = 0;
	__u32 status;

	if (threads > 1)
		size = length / threads + !!(length % threads);
	size = (size + PART_ALIGN - 1) & ~(PART_ALIGN - 1);
	/* Leave invalid parameters and ranges that wrap to wdm_map_user(). */
	if (!size || size >= length || logical_address + length < length ||
	    start + length < length)
		return wdm_map_user(fd, domain, permissions, address, length, logical_address);
	parts = calloc(length / size + 1, sizeof(*parts));
	if (!parts)
		return STATUS_INSUFFICIENT_RESOURCES;
	for (number = 0; length; number++) {
		struct part *part = &parts[number];

		part->fd = fd;
		part->domain = domain;
		part->permissions = permissions;
		part->address = start;
		part->length = length < size ? length : size;
		part->logical_address = logical_address;
		start += part->length;
		logical_address += part->length;
		length -= part->length;
		start_part(part);
	}
	status = finish_parts(parts, number);
	free(parts);
	return status;
}
