// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * One large buffer, pinned and mapped by several threads.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "wdm_iommu_user.h"

/* Parts begin at multiples of it, so that none splits what may be a large page. */
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

/* The part itself if no thread can be had */
static void start_part(struct part *part)
{
	part->started = !pthread_create(&part->thread, NULL, map_part, part);
	if (!part->started)
		map_part(part);
}

/* All or nothing: the first failure, with no part left. */
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
 * wdm_map_user_parallel() - pin memory of this process and map it, from several threads
 * @fd: /dev/wdm_iommu
 * @domain: an OS-managed domain
 * @permissions: what devices may do
 * @address: the memory, page aligned
 * @length: bytes
 * @logical_address: where
 * @threads: how many; 1 is wdm_map_user()
 *
 * As wdm_map_user(), in parts of whole 2 MiB, of which each is pinned and mapped by a thread of
 * its own. If a part fails, the others are unmapped; until then, devices can reach them.
 *
 * Measure before using it. In an emulated machine with two CPUs it gains nothing: fresh memory
 * of 64 MiB takes one thread and two the same 0.2 s, and 64 MiB of 4 KiB pages that are there
 * take one thread 3 ms, two 6 ms. What may gain is fresh memory on many CPUs.
 *
 * Return: NTSTATUS, of a part that failed if there is one.
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
	/* Also a range that wraps, for wdm_map_user() to refuse */
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
