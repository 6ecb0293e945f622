// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <time.h>

#include "machine.h"
#include "nvme.h"

/* Registers */
#define CC		0x14
#define CSTS		0x1c
#define AQA		0x24
#define ASQ		0x28
#define ACQ		0x30
#define ADMIN_TAIL	0x1000

#define CC_ENABLE	0x1U
#define CC_SIZES	0x00460000U	/* entries of 64 and of 16 bytes */
#define CSTS_READY	0x1U
#define CSTS_FATAL	0x2U

/* More than the commands of a case, so that no queue wraps, and phases and heads do not matter. */
#define ENTRIES		64U
#define SUBMISSION	64
#define COMPLETION	16
#define STATUS		14	/* in a completion; bit 0 is the phase */

#define IDENTIFY	0x06
#define CONTROLLER	1

#define TIMEOUT_SECONDS	20

static __u32 read_register(const struct nvme *nvme, size_t offset)
{
	return __atomic_load_n((__u32 *)(nvme->bar + offset), __ATOMIC_SEQ_CST);
}

static void write_register(struct nvme *nvme, size_t offset, __u32 value)
{
	__atomic_store_n((__u32 *)(nvme->bar + offset), value, __ATOMIC_SEQ_CST);
}

static void write_address(struct nvme *nvme, size_t offset, __u64 value)
{
	write_register(nvme, offset, value);
	write_register(nvme, offset + 4, value >> 32);
}

bool nvme_is_ready(const struct nvme *nvme)
{
	return read_register(nvme, CSTS) & CSTS_READY;
}

/* Wait until @done is true; false on a timeout. */
static bool wait_for(const struct nvme *nvme, bool (*done)(const struct nvme *nvme))
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	time_t end = time(NULL) + TIMEOUT_SECONDS;

	while (!done(nvme)) {
		if (time(NULL) > end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static bool is_idle(const struct nvme *nvme)
{
	return !nvme_is_ready(nvme);
}

/* Start with empty queues; false if the controller does not respond. */
bool nvme_start(struct nvme *nvme)
{
	write_register(nvme, CC, 0);
	if (!wait_for(nvme, is_idle))
		return false;
	memset(nvme->memory, 0, NVME_PAGES * WDM_PAGE_SIZE);
	nvme->tail = 0;
	write_register(nvme, AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	write_address(nvme, ASQ, nvme->address);
	write_address(nvme, ACQ, nvme->address + WDM_PAGE_SIZE);
	write_register(nvme, CC, CC_SIZES | CC_ENABLE);
	return wait_for(nvme, nvme_is_ready);
}

static __u16 status_of(const struct nvme *nvme)
{
	const unsigned char *completion = nvme->memory + WDM_PAGE_SIZE +
					  (nvme->tail - 1) * COMPLETION;

	return __atomic_load_n((const __u16 *)(completion + STATUS), __ATOMIC_ACQUIRE);
}

static bool is_complete(const struct nvme *nvme)
{
	return status_of(nvme) & 1;
}

/* The controller may be unable to read even the submission. */
static bool has_ended(const struct nvme *nvme)
{
	return is_complete(nvme) || read_register(nvme, CSTS) & CSTS_FATAL;
}

/*
 * Make the controller write 4 KiB to @target; false if it reports an error. QEMU's does not
 * always report that the data did not arrive.
 */
bool nvme_identify(struct nvme *nvme, __u64 target)
{
	__u32 *submission = (__u32 *)(nvme->memory + nvme->tail * SUBMISSION);

	memset(submission, 0, SUBMISSION);
	submission[0] = IDENTIFY | nvme->tail << 16;
	memcpy(&submission[6], &target, sizeof(target));
	submission[10] = CONTROLLER;
	write_register(nvme, ADMIN_TAIL, ++nvme->tail);
	return wait_for(nvme, has_ended) && is_complete(nvme) && !(status_of(nvme) >> 1);
}
