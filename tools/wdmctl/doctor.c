// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl doctor: problems that prevent the use of the module on this machine, with cures.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "array_size.h"
#include "host.h"
#include "json.h"
#include "wdmctl.h"

static const char * const grades[] = {
	[GRADE_OK] = "ok",
	[GRADE_WARN] = "warn",
	[GRADE_FAIL] = "FAIL",
};

struct report {
	bool json;
	enum grade worst;
};

static void print(struct report *report, const char *about, const struct verdict *verdict)
{
	if (verdict->grade > report->worst)
		report->worst = verdict->grade;
	if (report->json) {
		json_object(NULL);
		json_text("about", about);
		json_text("grade", grades[verdict->grade]);
		json_text("what", verdict->what);
		json_text("cure", *verdict->cure ? verdict->cure : NULL);
		json_end();
		return;
	}
	printf("%-4s  %-12s  %s\n", grades[verdict->grade], about, verdict->what);
	if (*verdict->cure)
		printf("      %-12s  cure: %s\n", "", verdict->cure);
	fflush(stdout);
}

/* The devices that are bound to VFIO */
static void check_devices(struct report *report)
{
	struct verdict verdict;
	struct wdm_bdf *list;
	int number = wdm_pci_list(&list);
	bool any = false;

	for (int i = 0; i < number; i++) {
		if (!wdm_pci_has_vfio_driver(list[i].text))
			continue;
		any = true;
		if (host_ready(&verdict)) {
			device_verdict(&verdict, list[i].text);
			print(report, list[i].text, &verdict);
		}
	}
	if (number >= 0)
		free(list);
	if (any)
		return;
	verdict_set(&verdict, GRADE_WARN, "no PCI device is bound to a VFIO driver");
	verdict_cure(&verdict, "wdmctl devices lists what could be");
	print(report, "devices", &verdict);
}

int cmd_doctor(const struct options *options)
{
	static const struct {
		const char *about;
		void (*check)(struct verdict *verdict);
	} checks[] = {
		{ "IOMMU", host_iommu },
		{ "interrupts", host_interrupts },
		{ "kernel", host_config },
		{ "module", host_module },
		{ "file", host_file },
		{ "VFIO", host_vfio },
		{ "memory", host_memlock },
	};
	struct report report = { .json = options->json };
	struct verdict verdict;

	if (report.json)
		json_array(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		checks[i].check(&verdict);
		print(&report, checks[i].about, &verdict);
	}
	check_devices(&report);
	if (report.json)
		json_end();
	return report.worst == GRADE_FAIL;
}
