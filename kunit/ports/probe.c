// SPDX-License-Identifier: GPL-2.0
/*
 * DMA of QEMU's edu device, which copies between memory and an internal buffer. A transfer
 * that the IOMMU blocks ends like any other, without data.
 */
#include "port.h"

#define EDU_DMA_SOURCE		0x80
#define EDU_DMA_DESTINATION	0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_COMMAND		0x98

#define EDU_DMA_START		0x1
#define EDU_DMA_TO_MEMORY	0x2

#define EDU_BUFFER		0x40000

/* Size of a transfer */
#define PORT_BYTES		64

/* Minimum, in milliseconds: a busy emulator is slow. */
#define PORT_TIMEOUT		20000

static bool port_transfer(struct port *port, u64 iova, bool to_memory)
{
	unsigned int waited;

	port_set(port, EDU_DMA_SOURCE, to_memory ? EDU_BUFFER : iova);
	port_set(port, EDU_DMA_DESTINATION, to_memory ? iova : EDU_BUFFER);
	port_set(port, EDU_DMA_COUNT, PORT_BYTES);
	port_set(port, EDU_DMA_COMMAND,
		 EDU_DMA_START | (to_memory ? EDU_DMA_TO_MEMORY : 0));
	for (waited = 0; port_get(port, EDU_DMA_COMMAND) & EDU_DMA_START; waited++) {
		if (waited == PORT_TIMEOUT)
			return EXPECT(port, !"the transfer ends");
		port_sleep(1);
	}
	return true;
}

/* Bytes that no earlier transfer has used */
static void port_fill(struct port *port, u8 *memory)
{
	unsigned int i;

	for (i = 0; i < PORT_BYTES; i++) {
		port->pattern = port->pattern * 1664525 + 1013904223;
		memory[i] = port->pattern >> 24;
	}
}

/**
 * port_write() - Make the device write to an address
 * @port: the device
 * @iova: the address
 * @target: the memory expected there; its first bytes get new contents
 *
 * Return: the outcome.
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
 * port_read() - Make the device read from an address
 * @port: the device
 * @iova: the address
 * @source: the memory expected there; its first bytes get new contents
 *
 * Return: the outcome; a blocked read returns arbitrary data to the device.
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

/**
 * port_run() - Run all tests and print the results as KTAP
 * @port: the device
 *
 * Return: true if no test has failed.
 */
bool port_run(struct port *port)
{
	static const struct port_case *const suites[] = { port_v1_cases, port_v2_cases };
	const struct port_case *c;
	unsigned int i, nr = 0;
	bool good = true;

	port_say("KTAP version 1");
	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (c = suites[i]; c->name; c++) {
			port->failed = false;
			port->skipped = NULL;
			c->run(port);
			good = good && !port->failed;
			port_say("%sok %u - %s%s%s", port->failed ? "not " : "",
				 ++nr, c->name, port->skipped ? " # SKIP " : "",
				 port->skipped ? port->skipped : "");
		}
	}
	port_say("1..%u", nr);
	return good;
}
