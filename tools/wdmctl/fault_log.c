// SPDX-License-Identifier: GPL-2.0
/*
 * Reports of blocked DMA in the kernel log, in the formats of the IOMMU drivers. Formats of
 * addresses differ between kernels, so they are parsed leniently.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "fault_log.h"
#include "wdmctl.h"

/* SMMUv3 events, starting with the number of the first */
#define SMMU_F_TRANSLATION	0x10
#define SMMU_RNW		0x800000000ULL
#define SMMU_SSV		0x800ULL

/* SMMUv2, FSYNR0 */
#define SMMU_WNR		0x10U

/* AMD's flags of a page fault */
#define AMD_INTERRUPT		0x08
#define AMD_PRESENT		0x10
#define AMD_WRITE		0x20

/* The format of report_iommu_fault() */
#define TRACE_WRITE		0x1

/* Parse "[00:03.0]" or "0000:00:03.0" into the name in sysfs; false if it is neither. */
static bool set_device(struct fault_report *report, const char *text)
{
	struct wdm_pci_address address;
	struct wdm_bdf bdf;
	char word[32];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " ],"), text);
	if (!wdm_pci_parse(word, &address))
		return false;
	wdm_pci_format(&address, &bdf);
	snprintf(report->device, sizeof(report->device), "%s", bdf.text);
	return true;
}

/* Most IOMMUs identify a PCI device by bus, device and function. */
static void set_requester(struct fault_report *report, __u32 id)
{
	struct wdm_pci_address address = { .bus = id >> 8, .devfn = id };
	struct wdm_bdf bdf;

	if (id > 0xffff) {
		snprintf(report->device, sizeof(report->device), "stream %#x", id);
		return;
	}
	wdm_pci_format(&address, &bdf);
	snprintf(report->device, sizeof(report->device), "%s", bdf.text);
}

static void set_address(struct fault_report *report, const char *text)
{
	report->has_address = true;
	report->address = strtoull(text, NULL, 16);
}

/* Find what follows @key; NULL if it is missing. */
static const char *behind(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? at + strlen(key) : NULL;
}

/* DMAR: [DMA Write NO_PASID] Request device [00:03.0] fault addr 0x5000 [fault reason 0x05] ... */
static bool parse_intel(const char *line, struct fault_report *report)
{
	const char *device = behind(line, "Request device ["), *at;

	if (!strstr(line, "DMAR:") || !device || !set_device(report, device))
		return false;
	report->source = "Intel";
	if (strstr(line, "[INTR-REMAP]"))
		report->access = ACCESS_INTERRUPT;
	else
		report->access = strstr(line, "[DMA Read") ? ACCESS_READ : ACCESS_WRITE;
	at = behind(line, "fault addr ");
	if (at)
		set_address(report, at);
	at = behind(line, " PASID 0x");
	if (at) {
		report->has_pasid = true;
		report->pasid = strtoul(at, NULL, 16);
	}
	at = behind(line, "[fault reason ");
	at = at ? behind(at, "] ") : NULL;
	snprintf(report->reason, sizeof(report->reason), "%s", at ? at : "");
	return true;
}

/*
 * vfio-pci 0000:00:03.0: AMD-Vi: Event logged
 * [IO_PAGE_FAULT domain=0x1 address=0x5000 flags=0x20]
 */
static bool parse_amd(const char *line, struct fault_report *report)
{
	const char *event = behind(line, "AMD-Vi: Event logged ["), *at;
	unsigned long flags;

	if (!event)
		return false;
	at = behind(event, "device=");
	if (!at) {
		/* The last word before " AMD-Vi" has a colon at its end. */
		at = strstr(line, ": AMD-Vi:");
		while (at && at > line && at[-1] != ' ')
			at--;
	}
	if (!at)
		return false;
	snprintf(report->device, sizeof(report->device), "%.*s", (int)strcspn(at, " ]"), at);
	report->device[strcspn(report->device, " ")] = '\0';
	if (*report->device && report->device[strlen(report->device) - 1] == ':')
		report->device[strlen(report->device) - 1] = '\0';
	if (!set_device(report, report->device))
		return false;
	report->source = "AMD";
	at = behind(event, "address=");
	if (at)
		set_address(report, at);
	at = behind(event, "flags=");
	flags = at ? strtoul(at, NULL, 16) : 0;
	if (flags & AMD_INTERRUPT)
		report->access = ACCESS_INTERRUPT;
	else
		report->access = flags & AMD_WRITE ? ACCESS_WRITE : ACCESS_READ;
	if (!strncmp(event, "IO_PAGE_FAULT", 13))
		snprintf(report->reason, sizeof(report->reason), "%s",
			 flags & AMD_PRESENT ? "no permission" : "not mapped");
	else
		snprintf(report->reason, sizeof(report->reason), "%.*s", (int)strcspn(event, " ]"),
			 event);
	return true;
}

/* virtio_iommu virtio0: page fault from EP 24 at 0x5000000 [W] */
static bool parse_virtio(const char *line, struct fault_report *report)
{
	const char *id = behind(line, " fault from EP "), *at;

	if (!id || !strstr(line, "virtio"))
		return false;
	report->source = "virtio";
	set_requester(report, strtoul(id, NULL, 10));
	at = behind(id, " at ");
	if (at)
		set_address(report, at);
	at = at ? behind(at, "[") : NULL;
	if (at && strspn(at, "RWX"))
		report->access = memchr(at, 'W', strspn(at, "RWX")) ? ACCESS_WRITE : ACCESS_READ;
	if (strstr(line, "page fault"))
		snprintf(report->reason, sizeof(report->reason), "not mapped, or no permission");
	else if (strstr(line, "domain fault"))
		snprintf(report->reason, sizeof(report->reason), "attached to no domain");
	else
		snprintf(report->reason, sizeof(report->reason), "unknown");
	return true;
}

/*
 * arm-smmu arm-smmu.0.auto: Unhandled context fault:
 * fsr=0x402, iova=0x5000, fsynr=0x11, cbfrsynra=0x8, cb=0
 */
static bool parse_smmu2(const char *line, struct fault_report *report)
{
	const char *address = behind(line, "context fault: fsr="), *id, *at;

	address = address ? behind(address, "iova=") : NULL;
	id = address ? behind(address, "cbfrsynra=") : NULL;
	if (!id)
		return false;
	report->source = "SMMUv2";
	set_address(report, address);
	set_requester(report, strtoul(id, NULL, 16) & 0xffff);
	at = behind(address, "fsynr=");
	report->access = at && strtoul(at, NULL, 16) & SMMU_WNR ? ACCESS_WRITE : ACCESS_READ;
	snprintf(report->reason, sizeof(report->reason), "context fault");
	return true;
}

/*
 * arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:
 * arm-smmu-v3 arm-smmu-v3.0.auto:	0x0000000800000010	(and three more)
 */
static bool parse_smmu3(struct fault_parser *parser, const char *line,
			struct fault_report *report)
{
	static const char * const reasons[] = {
		"not mapped", "address too wide", "access flag clear", "no permission",
	};
	unsigned int event;
	const char *at;

	if (!strstr(line, "arm-smmu-v3"))
		return false;
	if (behind(line, ": event 0x") && strstr(line, " received:")) {
		*parser = (struct fault_parser) { .wanted = true };
		return false;
	}
	/* The log has a tab there, which /dev/kmsg escapes. */
	at = strrchr(line, 'x');
	if (!parser->wanted || !at || at[-1] != '0' || strspn(at + 1, "0123456789abcdef") != 16)
		return false;
	parser->words[parser->number++] = strtoull(at + 1, NULL, 16);
	if (parser->number < ARRAY_SIZE(parser->words))
		return false;
	parser->wanted = false;
	event = (parser->words[0] & 0xff) - SMMU_F_TRANSLATION;
	report->source = "SMMUv3";
	set_requester(report, parser->words[0] >> 32);
	if (event >= ARRAY_SIZE(reasons)) {
		snprintf(report->reason, sizeof(report->reason), "event %#llx",
			 parser->words[0] & 0xff);
		return true;
	}
	report->has_pasid = parser->words[0] & SMMU_SSV;
	report->pasid = parser->words[0] >> 12 & 0xfffff;
	report->has_address = true;
	report->address = parser->words[2];
	report->access = parser->words[1] & SMMU_RNW ? ACCESS_READ : ACCESS_WRITE;
	snprintf(report->reason, sizeof(report->reason), "%s", reasons[event]);
	return true;
}

/**
 * fault_parse() - Parse a line of the kernel log
 * @parser: state from earlier lines
 * @line: the line, without its time
 * @report: out: the fault
 *
 * Return: true if the line is, or completes, the report of a fault.
 */
bool fault_parse(struct fault_parser *parser, const char *line, struct fault_report *report)
{
	*report = (struct fault_report) { };
	return parse_intel(line, report) || parse_amd(line, report) ||
	       parse_virtio(line, report) || parse_smmu2(line, report) ||
	       parse_smmu3(parser, line, report);
}

/**
 * fault_parse_trace() - Parse a line of a trace
 * @line: "... io_page_fault: IOMMU:vfio-pci 0000:00:03.0 iova=0x5000 flags=0x0001"
 * @report: out: the fault
 *
 * Return: true if the line reports a fault.
 */
bool fault_parse_trace(const char *line, struct fault_report *report)
{
	const char *device = behind(line, "io_page_fault: IOMMU:"), *address, *flags;

	device = device ? behind(device, " ") : NULL;
	address = device ? behind(device, " iova=") : NULL;
	flags = address ? behind(address, " flags=") : NULL;
	if (!flags)
		return false;
	*report = (struct fault_report) {
		.source = "event",
		.access = strtoul(flags, NULL, 16) & TRACE_WRITE ? ACCESS_WRITE : ACCESS_READ,
		.reason = "not mapped, or no permission",
	};
	snprintf(report->device, sizeof(report->device), "%.*s", (int)strcspn(device, " "), device);
	set_address(report, address);
	return true;
}
