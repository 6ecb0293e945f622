/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Check whether an edu device's DMA arrives, by comparing memory: a write has arrived if the
 * bytes at its target are those of the device's buffer, and was blocked if nothing in the
 * whole arena has changed.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "wdm_iommu_user.h"

enum dma {
	DMA_ARRIVED,
	DMA_BLOCKED,
	DMA_GARBLED,	/* neither: something else has changed */
	DMA_STUCK,	/* the device did not end its transfer */
};

/**
 * struct probe - a device, and the memory in which its DMA is watched
 * @bar0: BAR 0 of the edu device
 * @arena: the memory to watch, which contains all targets
 * @size: its size in bytes
 * @shadow: expected contents of the arena
 * @device: expected contents of the device's buffer
 * @loaded: probe_load() has been called
 * @next: position of the next transfer in the device's buffer
 */
struct probe {
	void *bar0;
	unsigned char *arena;
	size_t size;
	unsigned char *shadow;
	unsigned char device[WDM_EDU_BUFFER];
	bool loaded;
	size_t next;
};

/* Size of a transfer in bytes */
#define PROBE_BYTES	64

const char *dma_name(enum dma result);
bool probe_init(struct probe *probe, void *bar0, void *arena, size_t size);
void probe_free(struct probe *probe);
void probe_fill(void *memory, size_t size);
bool probe_load(struct probe *probe, __u64 address, void *source);
enum dma probe_write(struct probe *probe, __u64 address, void *target);
enum dma probe_read(struct probe *probe, __u64 address, void *source, __u64 home_address,
		    void *home);
bool probe_read_into(struct probe *probe, __u64 address, void *source, size_t *slot);
enum dma probe_read_result(struct probe *probe, size_t slot, const void *expected,
			   __u64 home_address, void *home);

#endif
