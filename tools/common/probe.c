// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "probe.h"

const char *dma_name(enum dma result)
{
	static const char * const names[] = {
		[DMA_ARRIVED] = "arrived",
		[DMA_BLOCKED] = "blocked",
		[DMA_GARBLED] = "went somewhere else",
		[DMA_STUCK] = "did not end",
	};

	return names[result];
}

/* Generate bytes that no other test has used. */
void probe_fill(void *memory, size_t size)
{
	static __u64 state;
	unsigned char *bytes = memory;

	if (!state && getrandom(&state, sizeof(state), 0) != sizeof(state))
		abort();
	while (size--) {
		/* xorshift64 */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		*bytes++ = state >> 32;
	}
}

/* Watch @size bytes of @arena, which gets new contents. */
bool probe_init(struct probe *probe, void *bar0, void *arena, size_t size)
{
	*probe = (struct probe) { .bar0 = bar0, .arena = arena, .size = size };
	probe->shadow = malloc(size);
	if (!probe->shadow)
		return false;
	probe_fill(arena, size);
	memcpy(probe->shadow, arena, size);
	return true;
}

void probe_free(struct probe *probe)
{
	free(probe->shadow);
	probe->shadow = NULL;
}

/* Get the next position in the device's buffer. */
static size_t next_slot(struct probe *probe)
{
	size_t slot = probe->next;

	probe->next += PROBE_BYTES;
	if (probe->next + PROBE_BYTES > WDM_EDU_BUFFER)
		probe->next = 0;
	return slot;
}

static size_t place_of(const struct probe *probe, const void *target)
{
	return (const unsigned char *)target - probe->arena;
}

/*
 * Fill the device's buffer with new contents, through a page of the arena that the device can
 * read. The first probe_write() shows whether they arrived.
 */
bool probe_load(struct probe *probe, __u64 address, void *source)
{
	probe_fill(source, WDM_EDU_BUFFER);
	memcpy(probe->shadow + place_of(probe, source), source, WDM_EDU_BUFFER);
	memcpy(probe->device, source, WDM_EDU_BUFFER);
	probe->loaded = true;
	return wdm_edu_read(probe->bar0, address, 0, WDM_EDU_BUFFER);
}

static enum dma write_slot(struct probe *probe, size_t slot, __u64 address, void *target)
{
	size_t place = place_of(probe, target);

	/* The arena may have been written to, but not by the device. */
	memcpy(probe->shadow, probe->arena, probe->size);
	if (!wdm_edu_write(probe->bar0, address, slot, PROBE_BYTES))
		return DMA_STUCK;
	if (!memcmp(probe->arena, probe->shadow, probe->size))
		return DMA_BLOCKED;
	memcpy(probe->shadow + place, probe->device + slot, PROBE_BYTES);
	return memcmp(probe->arena, probe->shadow, probe->size) ? DMA_GARBLED : DMA_ARRIVED;
}

/* Make the device write to @address, and check whether @target changes. */
enum dma probe_write(struct probe *probe, __u64 address, void *target)
{
	/* Data of an earlier probe must not look like an arrival. */
	probe_fill(target, PROBE_BYTES);
	return write_slot(probe, next_slot(probe), address, target);
}

/* Make the device read @address, where @source is expected; check the result later. */
bool probe_read_into(struct probe *probe, __u64 address, void *source, size_t *slot)
{
	*slot = next_slot(probe);
	probe_fill(source, PROBE_BYTES);
	return wdm_edu_read(probe->bar0, address, *slot, PROBE_BYTES);
}

/*
 * Check whether @slot of the device's buffer got the bytes @expected: make the device write it
 * to @home_address, which is mapped to @home.
 */
enum dma probe_read_result(struct probe *probe, size_t slot, const void *expected,
			   __u64 home_address, void *home)
{
	unsigned char before[PROBE_BYTES];
	unsigned char secret[PROBE_BYTES];
	enum dma result;

	memcpy(secret, expected, sizeof(secret));
	memcpy(before, probe->device + slot, sizeof(before));
	memcpy(probe->device + slot, secret, sizeof(secret));
	probe_fill(home, PROBE_BYTES);
	result = write_slot(probe, slot, home_address, home);
	/* From here on the buffer's contents are known again. */
	memcpy(probe->device + slot, home, PROBE_BYTES);
	if (result != DMA_GARBLED)
		return result == DMA_BLOCKED ? DMA_GARBLED : result;
	/* A blocked read leaves the buffer unchanged, or zeroes it. */
	if (!probe->loaded || !memcmp(home, before, sizeof(before)))
		return DMA_BLOCKED;
	memset(before, 0, sizeof(before));
	return memcmp(home, before, sizeof(before)) ? DMA_GARBLED : DMA_BLOCKED;
}

/* Make the device read @address, and check through @home whether it got @source. */
enum dma probe_read(struct probe *probe, __u64 address, void *source, __u64 home_address,
		    void *home)
{
	size_t slot;

	if (!probe_read_into(probe, address, source, &slot))
		return DMA_STUCK;
	return probe_read_result(probe, slot, source, home_address, home);
}
