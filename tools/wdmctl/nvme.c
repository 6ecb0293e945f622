// SPDX-License-Identifier: GPL-2.0
/*
 * An NVMe controller's admin queue, and Identify. Names of registers and commands are those
 * of the NVM Express base specification.
 */
#include <endian.h>
#include <string.h>
#include <time.h>

#include "nvme.h"

#define CAP		0x00
#define CC		0x14
#define CSTS		0x1c
#define AQA		0x24
#define ASQ		0x28
#define ACQ		0x30
#define SQ0TDBL		0x1000

#define CC_EN		1U
/* Entries of 64 and 16 bytes */
#define CC_SIZES	(6U << 16 | 4U << 20)
#define CSTS_RDY	1U

#define OPCODE_IDENTIFY	0x06
#define CNS_CONTROLLER	1
#define ENTRIES		32

/* Enough for any command that completes */
#define COMMAND_MS	2000

struct submission {
	__u32 command;
	__u32 namespace;
	__u64 reserved[2];
	__u64 prp[2];
	__u32 words[6];
};

struct completion {
	__u32 result;
	__u32 reserved;
	__u16 head;
	__u16 queue;
	__u16 identifier;
	__u16 status;
};

static __u32 read32(const struct nvme *nvme, unsigned int offset)
{
	return le32toh(__atomic_load_n((__u32 *)((char *)nvme->registers + offset),
				       __ATOMIC_SEQ_CST));
}

static void write32(const struct nvme *nvme, unsigned int offset, __u32 value)
{
	__atomic_store_n((__u32 *)((char *)nvme->registers + offset), htole32(value),
			 __ATOMIC_SEQ_CST);
}

/* Not all controllers support 64-bit accesses. */
static void write64(const struct nvme *nvme, unsigned int offset, __u64 value)
{
	write32(nvme, offset, value);
	write32(nvme, offset + 4, value >> 32);
}

static void sleep_ms(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static __u64 now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000ULL + time.tv_nsec / 1000000;
}

static bool wait_ready(const struct nvme *nvme, __u32 ready)
{
	/* CAP.TO, in units of 500 ms; emulated controllers may be slower */
	__u64 timeout = (read32(nvme, CAP) >> 24) * 500ULL + 5000;

	for (__u64 start = now_ms(); (read32(nvme, CSTS) & CSTS_RDY) != ready;) {
		if (now_ms() - start > timeout)
			return false;
		sleep_ms();
	}
	return true;
}

/* Reset the controller, which clears its queues and any error. */
void nvme_stop(const struct nvme *nvme)
{
	write32(nvme, CC, 0);
	wait_ready(nvme, 0);
}

/* Reset the controller, and give it empty queues. It does no DMA in this. */
bool nvme_start(const struct nvme *nvme)
{
	nvme_stop(nvme);
	memset(nvme->submissions, 0, ENTRIES * sizeof(struct submission));
	memset(nvme->completions, 0, ENTRIES * sizeof(struct completion));
	write32(nvme, AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	write64(nvme, ASQ, nvme->submissions_address);
	write64(nvme, ACQ, nvme->completions_address);
	write32(nvme, CC, CC_EN | CC_SIZES);
	return wait_ready(nvme, CSTS_RDY);
}

/* The first command after nvme_start(): write the controller's description to memory. */
enum nvme_result nvme_identify(const struct nvme *nvme, __u64 address)
{
	const struct completion *completion = nvme->completions;
	struct submission *submission = nvme->submissions;
	__u16 status;

	*submission = (struct submission) {
		.command = htole32(OPCODE_IDENTIFY | 1 << 16),
		.prp = { htole64(address) },
		.words = { htole32(CNS_CONTROLLER) },
	};
	write32(nvme, SQ0TDBL, 1);
	for (__u64 start = now_ms();;) {
		/* Bit 0 is the phase, which flips when the entry has been written. */
		status = le16toh(__atomic_load_n(&completion->status, __ATOMIC_ACQUIRE));
		if (status & 1)
			return status >> 1 ? NVME_ERROR : NVME_DONE;
		if (now_ms() - start > COMMAND_MS)
			return NVME_SILENT;
		sleep_ms();
	}
}
