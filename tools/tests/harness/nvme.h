/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A minimal NVMe driver, which makes a controller read and write memory: Identify.
 */
#ifndef NVME_H
#define NVME_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/**
 * struct nvme - a controller with its admin queues
 * @bar: BAR 0
 * @memory: three pages that are mapped for the device: submissions, completions, data
 * @address: the device's address of @memory
 * @tail: index of the next submission
 */
struct nvme {
	unsigned char *bar;
	unsigned char *memory;
	__u64 address;
	unsigned int tail;
};

#define NVME_PAGES	3

bool nvme_is_ready(const struct nvme *nvme);
bool nvme_start(struct nvme *nvme);
bool nvme_identify(struct nvme *nvme, __u64 target);

#endif
