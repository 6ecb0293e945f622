// SPDX-License-Identifier: GPL-2.0
/*
 * DMA of QEMU's edu device: it copies between memory and a buffer of its own. A
 * transfer that the IOMMU blocks ends like any other, but no data arrive.
 */
#include <linux/delay.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/jiffies.h>
#include <linux/string.h>

#include "port.h"

#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98

#define EDU_DMA_START		0x1
#define EDU_DMA_TO_MEMORY	0x2

#define EDU_BUFFER		0x40000

/* What a transfer moves */
#define PORT_BYTES		64

/* A busy emulator is slow. */
#define PORT_TIMEOUT		(20 * HZ)

static bool port_transfer(struct port *port, u64 iova, bool to_memory)
{
	unsigned long end = jiffies + PORT_TIMEOUT;

	lo_hi_writeq(to_memory ? EDU_BUFFER : iova, port->bar + EDU_DMA_SOURCE);
	lo_hi_writeq(to_memory ? iova : EDU_BUFFER, port->bar + EDU_DMA_DESTINATION);
	lo_hi_writeq(PORT_BYTES, port->bar + EDU_DMA_COUNT);
	lo_hi_writeq(EDU_DMA_START | (to_memory ? EDU_DMA_TO_MEMORY : 0),
		     port->bar + EDU_DMA_COMMAND);
	while (lo_hi_readq(port->bar + EDU_DMA_COMMAND) & EDU_DMA_START) {
		if (time_after(jiffies, end))
			return EXPECT(port, !"the transfer ends");
		usleep_range(1000, 2000);
	}
	return true;
}

/* Bytes that no earlier transfer has seen */
static void port_fill(struct port *port, u8 *memory)
{
	unsigned int i;

	for (i = 0; i < PORT_BYTES; i++) {
		port->pattern = port->pattern * 1664525 + 1013904223;
		memory[i] = port->pattern >> 24;
	}
}

/**
 * port_write() - Let the device write to an address
 * @port: the device
 * @iova: the address
 * @target: the memory that should be there; its first bytes get new contents
 *
 * Return: what became of it.
 */
enum port_dma port_write(struct port *port, u64 iova, void *target)
{
	u8 sent[PORT_BYTES], before[PORT_BYTES];

	port_fill(port, sent);
	memcpy(port->home, sent, PORT_BYTES);
	if (!port_transfer(port, port->home_iova, false))
		return PORT_GARBLED;
	port_fill(port, before);
	memcpy(target, before, PORT_BYTES);
	if (!port_transfer(port, iova, true))
		return PORT_GARBLED;
	if (!memcmp(target, sent, PORT_BYTES))
		return PORT_ARRIVED;
	return memcmp(target, before, PORT_BYTES) ? PORT_GARBLED : PORT_BLOCKED;
}

/**
 * port_read() - Let the device read from an address
 * @port: the device
 * @iova: the address
 * @source: the memory that should be there; its first bytes get new contents
 *
 * Return: what became of it; a blocked read gives the device anything else.
 */
enum port_dma port_read(struct port *port, u64 iova, void *source)
{
	u8 sent[PORT_BYTES];

	port_fill(port, sent);
	memcpy(source, sent, PORT_BYTES);
	if (!port_transfer(port, iova, false))
		return PORT_GARBLED;
	memset(port->home, 0, PORT_BYTES);
	if (!port_transfer(port, port->home_iova, true))
		return PORT_GARBLED;
	return memcmp(port->home, sent, PORT_BYTES) ? PORT_BLOCKED : PORT_ARRIVED;
}
