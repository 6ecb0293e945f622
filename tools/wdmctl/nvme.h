/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of an NVMe controller that make it read and write memory: the admin queue, and
 * Identify. The medium is not accessed.
 */
#ifndef NVME_H
#define NVME_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

/**
 * struct nvme - a controller
 * @registers: its registers
 * @submissions: memory of the admin submission queue, a page
 * @completions: memory of the admin completion queue, a page
 * @submissions_address: logical address of @submissions
 * @completions_address: logical address of @completions
 */
struct nvme {
	void *registers;
	void *submissions;
	void *completions;
	__u64 submissions_address;
	__u64 completions_address;
};

/* Size of the registers in use, in bytes */
#define NVME_REGISTERS	0x2000

/**
 * enum nvme_result - outcome of a command
 * @NVME_DONE: success
 * @NVME_ERROR: an error
 * @NVME_SILENT: no completion
 */
enum nvme_result {
	NVME_DONE,
	NVME_ERROR,
	NVME_SILENT,
};

bool nvme_start(const struct nvme *nvme);
void nvme_stop(const struct nvme *nvme);
enum nvme_result nvme_identify(const struct nvme *nvme, __u64 address);

#endif
