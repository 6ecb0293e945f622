// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * QEMU's edu device, which copies between memory and an internal buffer of 4 KiB. A transfer
 * takes about 100 ms. One that the IOMMU blocks ends like any other, without data.
 */
#include <errno.h>
#include <time.h>

#include "wdm_iommu_user.h"

#define EDU_ID			0x00
#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98

#define EDU_DMA_START		0x1ULL
#define EDU_DMA_TO_MEMORY	0x2ULL

#define EDU_BUFFER_ADDRESS	0x40000ULL

/* A busy emulator is slow; a transfer that takes longer than this will not end. */
#define EDU_TIMEOUT_SECONDS	20

static __u64 read_register(void *bar0, size_t offset)
{
	return __atomic_load_n((__u64 *)((char *)bar0 + offset), __ATOMIC_SEQ_CST);
}

static void write_register(void *bar0, size_t offset, __u64 value)
{
	__atomic_store_n((__u64 *)((char *)bar0 + offset), value, __ATOMIC_SEQ_CST);
}

/**
 * wdm_edu_present() - Check whether a BAR belongs to an edu device
 * @bar0: its BAR 0, or NULL
 *
 * Return: true if the identification register has the expected value.
 */
bool wdm_edu_present(void *bar0)
{
	__u32 *id = (__u32 *)((char *)bar0 + EDU_ID);

	return bar0 && (__atomic_load_n(id, __ATOMIC_SEQ_CST) & 0xffff) == 0x00ed;
}

/**
 * wdm_edu_start() - Start a transfer without waiting for its end
 * @bar0: the device's BAR 0
 * @address: the address that the device uses
 * @offset: offset in the device's buffer, in bytes
 * @length: number of bytes; @offset + @length is at most %WDM_EDU_BUFFER
 * @to_memory: the direction
 */
void wdm_edu_start(void *bar0, __u64 address, size_t offset, size_t length, bool to_memory)
{
	__u64 buffer = EDU_BUFFER_ADDRESS + offset;

	write_register(bar0, EDU_DMA_SOURCE, to_memory ? buffer : address);
	write_register(bar0, EDU_DMA_DESTINATION, to_memory ? address : buffer);
	write_register(bar0, EDU_DMA_COUNT, length);
	write_register(bar0, EDU_DMA_COMMAND,
		       EDU_DMA_START | (to_memory ? EDU_DMA_TO_MEMORY : 0));
}

/**
 * wdm_edu_wait() - Wait for the end of the transfer
 * @bar0: the device's BAR 0
 *
 * Return: true, or false with errno ETIMEDOUT.
 */
bool wdm_edu_wait(void *bar0)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (read_register(bar0, EDU_DMA_COMMAND) & EDU_DMA_START) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > EDU_TIMEOUT_SECONDS) {
			errno = ETIMEDOUT;
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

static bool transfer(void *bar0, __u64 address, size_t offset, size_t length, bool to_memory)
{
	if (!length || offset > WDM_EDU_BUFFER || length > WDM_EDU_BUFFER - offset) {
		errno = EINVAL;
		return false;
	}
	if (!wdm_edu_wait(bar0))
		return false;
	wdm_edu_start(bar0, address, offset, length, to_memory);
	return wdm_edu_wait(bar0);
}

/**
 * wdm_edu_read() - Make the device read memory into its buffer
 * @bar0: the device's BAR 0
 * @address: the address that the device uses
 * @offset: offset in the device's buffer, in bytes
 * @length: number of bytes; @offset + @length is at most %WDM_EDU_BUFFER
 *
 * Return: true if the transfer ended, even without data; otherwise errno is set.
 */
bool wdm_edu_read(void *bar0, __u64 address, size_t offset, size_t length)
{
	return transfer(bar0, address, offset, length, false);
}

/**
 * wdm_edu_write() - Make the device write part of its buffer to memory
 * @bar0: the device's BAR 0
 * @address: the address that the device uses
 * @offset: offset in the device's buffer, in bytes
 * @length: number of bytes; @offset + @length is at most %WDM_EDU_BUFFER
 *
 * Return: true if the transfer ended, even without data; otherwise errno is set.
 */
bool wdm_edu_write(void *bar0, __u64 address, size_t offset, size_t length)
{
	return transfer(bar0, address, offset, length, true);
}
