/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports of blocked DMA in the kernel log, in the formats of the IOMMU drivers.
 */
#ifndef FAULT_LOG_H
#define FAULT_LOG_H

#include <stdbool.h>

#include <linux/types.h>

/**
 * enum access - the blocked access
 * @ACCESS_UNKNOWN: not reported by the driver
 * @ACCESS_READ: a read
 * @ACCESS_WRITE: a write
 * @ACCESS_INTERRUPT: an interrupt
 */
enum access {
	ACCESS_UNKNOWN,
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_INTERRUPT,
};

/**
 * struct fault_report - DMA that an IOMMU blocked
 * @device: the requester, as sysfs names PCI devices
 * @access: the access
 * @has_address: the driver reports the address
 * @address: the logical address
 * @has_pasid: the request was tagged with a PASID
 * @pasid: the PASID
 * @reason: the reason, in the driver's words
 * @source: the driver
 */
struct fault_report {
	char device[32];
	enum access access;
	bool has_address;
	__u64 address;
	bool has_pasid;
	__u32 pasid;
	char reason[96];
	const char *source;
};

/**
 * struct fault_parser - state between two lines, initially zero
 * @words: of an SMMUv3 event, which takes several lines
 * @number: number of words so far
 * @wanted: more will follow
 */
struct fault_parser {
	__u64 words[4];
	unsigned int number;
	bool wanted;
};

bool fault_parse(struct fault_parser *parser, const char *line, struct fault_report *report);
bool fault_parse_trace(const char *line, struct fault_report *report);

#endif
