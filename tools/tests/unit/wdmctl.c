// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of wdmctl: the kernel's reports of faults, fdinfo, sizes, pictures, and JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "array_size.h"
#include "fault_log.h"
#include "fdinfo.h"
#include "json.h"
#include "map.h"
#include "tap.h"
#include "unit.h"

/**
 * struct sample - lines of the kernel's log, and what the last one reports
 * @lines: the lines; the last one that is not NULL reports something, and no other does
 * @expected: what
 */
struct sample {
	const char *lines[6];
	struct fault_report expected;
};

static const struct sample samples[] = {
	{
		/* Linux 6.1 */
		{ "DMAR: DRHD: handling fault status reg 2",
		  "DMAR: [DMA Write NO_PASID] Request device [00:03.0] fault addr 0x5000000 [fault reason 0x05] PTE Write access is not set" },
		{ .device = "0000:00:03.0", .access = ACCESS_WRITE, .has_address = true,
		  .address = 0x5000000, .reason = "PTE Write access is not set", .source = "Intel" },
	}, {
		/* Linux 7.3 */
		{ "DMAR: [DMA Read PASID 0x12] Request device [0001:3a:1f.7] fault addr 0xfffffffff000 [fault reason 0x71] SM: Present bit in first-level paging entry is clear" },
		{ .device = "0001:3a:1f.7", .access = ACCESS_READ, .has_address = true,
		  .address = 0xfffffffff000, .has_pasid = true, .pasid = 0x12,
		  .reason = "SM: Present bit in first-level paging entry is clear",
		  .source = "Intel" },
	}, {
		{ "DMAR: [INTR-REMAP] Request device [f0:1f.0] fault index 0x20 [fault reason 0x25] Blocked a compatibility format interrupt request" },
		{ .device = "0000:f0:1f.0", .access = ACCESS_INTERRUPT,
		  .reason = "Blocked a compatibility format interrupt request",
		  .source = "Intel" },
	}, {
		{ "vfio-pci 0000:00:03.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0002 address=0x5000000 flags=0x0020]" },
		{ .device = "0000:00:03.0", .access = ACCESS_WRITE, .has_address = true,
		  .address = 0x5000000, .reason = "not mapped", .source = "AMD" },
	}, {
		{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:06:00.0 domain=0x000a address=0xfde01100 flags=0x0010]" },
		{ .device = "0000:06:00.0", .access = ACCESS_READ, .has_address = true,
		  .address = 0xfde01100, .reason = "no permission", .source = "AMD" },
	}, {
		{ "pci 0000:00:00.2: AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:00:14.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]" },
		{ .device = "0000:00:14.0", .access = ACCESS_READ, .has_address = true,
		  .address = 0xfffffffdf8000000, .reason = "INVALID_DEVICE_REQUEST",
		  .source = "AMD" },
	}, {
		{ "virtio_iommu virtio0: page fault from EP 24 at 0x5000000 [W]" },
		{ .device = "0000:00:03.0", .access = ACCESS_WRITE, .has_address = true,
		  .address = 0x5000000, .reason = "not mapped, or no permission",
		  .source = "virtio" },
	}, {
		{ "virtio_iommu virtio0: page fault from EP 25 at 0x1000 [R]" },
		{ .device = "0000:00:03.1", .access = ACCESS_READ, .has_address = true,
		  .address = 0x1000, .reason = "not mapped, or no permission",
		  .source = "virtio" },
	}, {
		{ "virtio_iommu virtio0: domain fault from EP 24" },
		{ .device = "0000:00:03.0", .reason = "attached to no domain",
		  .source = "virtio" },
	}, {
		/* As /dev/kmsg escapes tabs; Linux 7.3 adds two lines, which tell the same */
		{ "arm-smmu-v3 9050000.smmuv3: event 0x10 received:",
		  "arm-smmu-v3 9050000.smmuv3: \\x090x0000000800000010",
		  "arm-smmu-v3 9050000.smmuv3: \\x090x0000020000000000",
		  "arm-smmu-v3 9050000.smmuv3: \\x090x0000000005000000",
		  "arm-smmu-v3 9050000.smmuv3: \\x090x0000000000000000" },
		{ .device = "0000:00:01.0", .access = ACCESS_WRITE, .has_address = true,
		  .address = 0x5000000, .reason = "not mapped", .source = "SMMUv3" },
	}, {
		{ "arm-smmu-v3 arm-smmu-v3.0.auto: event 0x13 received:",
		  "arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000900005813",
		  "arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000020800000000",
		  "arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000ffff00001000",
		  "arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000000000000" },
		{ .device = "0000:00:01.1", .access = ACCESS_READ, .has_address = true,
		  .address = 0xffff00001000, .has_pasid = true, .pasid = 5,
		  .reason = "no permission", .source = "SMMUv3" },
	}, {
		{ "arm-smmu-v3 arm-smmu-v3.0.auto: event 0x02 received:",
		  "arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0012345600000002",
		  "arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000000000000",
		  "arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000000000000",
		  "arm-smmu-v3 arm-smmu-v3.0.auto: \t0x0000000000000000" },
		{ .device = "stream 0x123456", .reason = "event 0x2", .source = "SMMUv3" },
	}, {
		{ "arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0x05000000, fsynr=0x11, cbfrsynra=0x8, cb=0" },
		{ .device = "0000:00:01.0", .access = ACCESS_WRITE, .has_address = true,
		  .address = 0x5000000, .reason = "context fault", .source = "SMMUv2" },
	},
};

/* Lines of other drivers, and lines that imitate a report */
static const char * const others[] = {
	"", "DMAR: Request device [", "DMAR: Request device [zz:03.0] fault addr 0x1",
	"DMAR: IOMMU enabled", "AMD-Vi: Event logged [", "AMD-Vi: Event logged [IO_PAGE_FAULT]",
	": AMD-Vi: Event logged [IO_PAGE_FAULT address=0x1]",
	"page fault from EP 24 at 0x5000000 [W]",
	"arm-smmu-v3 9050000.smmuv3: 0x0000000800000010",
	"arm-smmu-v3 9050000.smmuv3: x0000000800000010",
	"Request device [00:03.0] fault addr 0x5000000",
};

static bool same_report(const struct fault_report *a, const struct fault_report *b)
{
	return !strcmp(a->device, b->device) && a->access == b->access &&
	       a->has_address == b->has_address && a->address == b->address &&
	       a->has_pasid == b->has_pasid && (!a->has_pasid || a->pasid == b->pasid) &&
	       !strcmp(a->reason, b->reason) && !strcmp(a->source, b->source);
}

static void test_sample(const struct sample *sample)
{
	struct fault_parser parser = { };
	struct fault_report report;
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(sample->lines) && sample->lines[i]; i++) {
		bool last = !sample->lines[i + 1];

		good = good && fault_parse(&parser, sample->lines[i], &report) == last;
	}
	good = good && same_report(&report, &sample->expected);
	if (!good)
		tap_diag("%s: access %u of %#llx: %s", report.device, report.access,
			 report.address, report.reason);
	tap_ok(good, "a report of %s: %s", sample->expected.source, sample->expected.reason);
}

static void test_faults(void)
{
	struct fault_parser parser = { };
	struct fault_report report;
	bool refused = true;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		test_sample(&samples[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		refused = !fault_parse(&parser, others[i], &report) && refused;
	tap_ok(refused, "other lines are no reports");
	tap_ok(fault_parse_trace("  <idle>-0  [000] d.h1.    12.340000: io_page_fault: IOMMU:vfio-pci 0000:00:03.0 iova=0x0000000005000000 flags=0x0001",
				 &report) &&
	       !strcmp(report.device, "0000:00:03.0") && report.access == ACCESS_WRITE &&
	       report.address == 0x5000000, "a tracepoint");
	tap_ok(!fault_parse_trace("12.3: io_page_fault: IOMMU:vfio-pci", &report),
	       "half a tracepoint");
}

static void test_fdinfo(void)
{
	struct open_file file = { };
	bool good;

	good = fdinfo_parse("pos:\t0\nflags:\t02\nwdm-file:\t7\nwdm-charged:\t4096\n"
			    "wdm-pinned:\t8192\nwdm-faults:\t3\n"
			    "wdm-objects:\tdevices=1 domains=2 mdls=5 tokens=1 pasids=0\n"
			    "wdm-device:\thandle=4 group=9 domain=2 revoked=0 name=a name\n"
			    "wdm-domain:\thandle=2 type=translate granular=1 devices=1 pages=6 maps=3 unmaps=1 syncs=1 walks=0\n"
			    "wdm-domain:\thandle=3 type=unmanaged granular=0 devices=0 pages=0 maps=0 unmaps=0 syncs=0 walks=8 later=1\n"
			    "wdm-later:\t1\nwdm-more:\t2\n", &file);
	tap_ok(good && file.number == 7 && file.charged == 4096 && file.pinned == 8192 &&
	       file.faults == 3 && file.mdls == 5 && file.tokens == 1 && file.more == 2,
	       "fdinfo: a file");
	tap_ok(file.nr_devices == 1 && file.devices[0].handle == 4 &&
	       file.devices[0].group == 9 && file.devices[0].domain == 2 &&
	       !strcmp(file.devices[0].name, "a name"), "fdinfo: a device");
	tap_ok(file.nr_domains == 2 && !strcmp(file.domains[0].type, "translate") &&
	       file.domains[0].granular && file.domains[0].pages == 6 &&
	       file.domains[0].maps == 3 && file.domains[0].unmaps == 1 &&
	       !strcmp(file.domains[1].type, "unmanaged") && file.domains[1].walks == 8,
	       "fdinfo: domains");
	fdinfo_free(&file);
	file = (struct open_file) { };
	tap_ok(!fdinfo_parse("pos:\t0\nflags:\t02\n", &file), "fdinfo: of another file");
	fdinfo_free(&file);
}

static void test_sizes(void)
{
	tap_ok(!strcmp(SIZE_TEXT(0), "0 B") && !strcmp(SIZE_TEXT(4096), "4 KiB") &&
	       !strcmp(SIZE_TEXT(1536), "1.5 KiB") && !strcmp(SIZE_TEXT(1ULL << 40), "1 TiB") &&
	       !strcmp(SIZE_TEXT(~0ULL), "16 EiB"), "sizes");
}

static void test_controls(void)
{
	char text[] = "a\033[2J\n\177 \303\244 \233 \302\233 \302\240 \303";

	replace_controls(text);
	tap_ok(!strcmp(text, "a?[2J?? \303\244 ? ?? \302\240 \303"), "control characters");
}

#define RUNS	2000

/* A domain with a few ranges, or with many */
static void fill_map(struct map *map, size_t number)
{
	__u64 address = 0x4000000;

	map->number = number;
	map->complete = true;
	for (size_t i = 0; i < number; i++) {
		map->runs[i] = (struct wdm_iommu_mapping) {
			.address = address,
			.length = WDM_PAGE_SIZE << (i * 7 % 13),
			.offset = i * WDM_PAGE_SIZE,
			.mdl = i % 5,
			.permissions = 1 + i % 3,
		};
		address += map->runs[i].length + (i % 3 ? WDM_PAGE_SIZE << (i * 5 % 17) : 0);
	}
}

static void test_picture(const char *name, struct map *map, size_t number)
{
	const char *folder = getenv("TMPDIR") ?: "/tmp";
	char path[256], *text;
	size_t boxes = 0;

	snprintf(path, sizeof(path), "%s/wdmctl-test-%d.svg", folder, getpid());
	fill_map(map, number);
	tap_ok(svg_write(path, map, 1), "a picture of %s", name);
	text = read_text(path);
	unlink(path);
	for (const char *at = text; at && (at = strstr(at, "rx=\"4\" fill=\"#")); at++)
		boxes++;
	/* The strip is one of them. */
	tap_ok(text && strstr(text, "a &lt;b&gt; &amp; c") && strstr(text, "</svg>") &&
	       boxes >= (number < 40 ? number : 20) && boxes <= 41,
	       "it has a box for each range, but not too many: %zu", boxes);
	free(text);
}

/* The first and the last page, and a name that is not UTF-8 */
static void test_extremes(struct map *map)
{
	char path[] = "/tmp/wdmctl-test-XXXXXX", *text;
	struct open_file file = *map->file;
	int fd = mkstemp(path);

	strcpy(file.command, "\303\244 \377 \355\240\200 \357\277\277");
	map->file = &file;
	map->number = 2;
	map->runs[0] = (struct wdm_iommu_mapping) { .length = WDM_PAGE_SIZE };
	map->runs[1] = (struct wdm_iommu_mapping) {
		.address = -(__u64)WDM_PAGE_SIZE, .length = WDM_PAGE_SIZE,
	};
	tap_ok(svg_write(path, map, 1), "a picture of 64 bits");
	text = read_text(path);
	unlink(path);
	close(fd);
	tap_ok(text && strstr(text, "to scale: 16 EiB") && strstr(text, "x=\"928.00\"") &&
	       !strstr(text, "inf") && !strstr(text, "nan"), "it is to scale");
	tap_ok(text && strstr(text, "of \303\244 &#255; &#237;&#160;&#128; ,"), "it is UTF-8");
	free(text);
}

static void test_pictures(void)
{
	struct wdm_iommu_range ranges[] = {
		{ .start = 0, .last = 0xfedfffff, .kind = WDM_IOMMU_RANGE_ALLOWED },
		{ .start = 0xfee00000, .last = 0xfeefffff, .kind = WDM_IOMMU_RANGE_MSI },
	};
	struct file_device device = { .handle = 2, .domain = 1, .group = 3, .name = "0000:00:03.0" };
	struct file_domain domain = { .handle = 1, .type = "translate" };
	struct open_file file = {
		.pid = 1234, .command = "a <b> & c", .devices = &device, .nr_devices = 1,
	};
	struct map map = {
		.file = &file,
		.domain = &domain,
		.runs = calloc(RUNS, sizeof(*map.runs)),
		.ranges = ranges,
		.usable = { .number = ARRAY_SIZE(ranges), .page_sizes = 0x40201000 },
	};
	struct wdm_iommu_mapping run = { .address = 0x3ff000, .length = 0x402000 };

	tap_ok(map_largest_page(&map, &run) == 0x200000, "the largest page");
	run.length = 0x200000;
	tap_ok(map_largest_page(&map, &run) == 0x1000, "no large page fits");
	map.query.flags = WDM_IOMMU_DOMAIN_IS_PAGE_GRANULAR;
	run = (struct wdm_iommu_mapping) { .address = 0, .length = 1ULL << 40 };
	tap_ok(map_largest_page(&map, &run) == 0x1000, "a page-granular domain");
	map.query.flags = 0;
	test_picture("nothing", &map, 0);
	test_picture("ten ranges", &map, 10);
	test_picture("2000 ranges", &map, RUNS);
	test_extremes(&map);
	free(map.runs);
}

/* Capture the output of a child. */
static void test_json(void)
{
	static const char expected[] =
		"{\n  \"text\": \"a \\\"b\\\" \\\\\\u000a\303\244 \\u00ff\",\n"
		"  \"none\": null,\n  \"list\": [\n    1,\n    true,\n    {}\n  ],\n"
		"  \"real\": 0.5\n}\n";
	char text[512] = "";
	ssize_t size;
	int ends[2];
	pid_t child;

	fflush(stdout);
	child = pipe(ends) ? -1 : fork();
	if (child < 0) {
		tap_ok(false, "JSON");
		return;
	}
	if (!child) {
		dup2(ends[1], STDOUT_FILENO);
		json_object(NULL);
		json_text("text", "a \"b\" \\\n\303\244 \377");
		json_text("none", NULL);
		json_array("list");
		json_number(NULL, 1);
		json_bool(NULL, true);
		json_object(NULL);
		json_end();
		json_end();
		json_real("real", 0.5);
		json_end();
		fflush(stdout);
		_exit(0);
	}
	close(ends[1]);
	size = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	waitpid(child, NULL, 0);
	tap_ok(size > 0 && !strcmp(text, expected), "JSON");
}

void test_wdmctl(void)
{
	test_faults();
	test_fdinfo();
	test_sizes();
	test_controls();
	test_pictures();
	test_json();
}
