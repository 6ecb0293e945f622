/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of an NVMe controller as it takes to let it read and write memory: the admin
 * queue, and Identify. The medium is not touched.
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
 * @submissions_address: where the controller finds the former
 * @completions_address: where it finds the latter
 */
struct nvme {
	void *registers;
	void *submissions;
	void *completions;
	__u64 submissions_address;
	__u64 completions_address;
};

/* Bytes of registers that are used */
#define NVME_REGISTERS	0x2000

/**
 * enum nvme_result - how a command ended
 * @NVME_DONE: with success
 * @NVME_ERROR: with an error
 * @NVME_SILENT: not at all
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
