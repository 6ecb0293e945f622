// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kunit/ddi.c in a program: every function of libwdm.a returns what the kernel's does.
 *
 *     wdm-ddi 0000:00:03.0
 */
#include <err.h>
#include <stdarg.h>

#include "ddi.h"

#include "private.h"

#define ALLOW	"/sys/module/wdm_iommu/parameters/allow_pass_through"

/**
 * struct ddi_program - the program's part of the test
 * @d: the common part
 * @bdf: the device
 * @failures: number of failures
 */
struct ddi_program {
	struct ddi d;
	const char *bdf;
	unsigned int failures;
};

void ddi_fail(struct ddi *d, const char *format, ...)
{
	struct ddi_program *p = d->env;
	va_list arguments;

	p->failures++;
	va_start(arguments, format);
	fputs("# ", stdout);
	vprintf(format, arguments);
	putchar('\n');
	va_end(arguments);
}

const char *ddi_status_name(NTSTATUS status)
{
	return wdm_status_name(status);
}

static void query(struct ddi *d, struct wdm_iommu_query_device *answer)
{
	wdm_query_device(wdk_fd(), d->pdo->handle, answer);
}

bool ddi_has_pasids(struct ddi *d)
{
	struct wdm_iommu_query_device answer;

	query(d, &answer);
	return answer.max_pasids;
}

bool ddi_reports_faults(struct ddi *d)
{
	struct wdm_iommu_query_device answer;

	query(d, &answer);
	return answer.flags & WDM_IOMMU_DEVICE_CAN_REPORT_FAULTS;
}

static void open_device(struct ddi_program *p)
{
	struct wdm_error error;

	p->d.pdo = wdm_pdo_open(p->bdf, &error);
	if (!p->d.pdo)
		errx(1, "%s", error.text);
}

/* VFIO revokes the device, as when it is unplugged. */
void ddi_remove_device(struct ddi *d)
{
	wdm_vfio_close(d->pdo->vfio);
	d->pdo->vfio = NULL;
}

void ddi_restore_device(struct ddi *d)
{
	wdm_pdo_close(d->pdo);
	open_device(d->env);
}

void ddi_snapshot(struct ddi *d, struct ddi_snapshot *snapshot)
{
	struct wdm_iommu_query_device device;
	struct wdm_iommu_query_domain domain;
	u64 *word = snapshot->words;
	unsigned int i;

	memset(snapshot, 0, sizeof(*snapshot));
	for (i = 0; i < 2; i++) {
		wdm_query_domain(wdk_fd(), (i ? d->other : d->domain)->handle, &domain);
		*word++ = domain.flags;
		*word++ = domain.devices;
		*word++ = domain.hwpts;
		/* A caller-managed domain sees new memory at the next flush. */
		*word++ = i || wdk_maps(d->domain) ? domain.mapped_pages : 0;
		*word++ = domain.translated_bytes;
		*word++ = domain.shadow_tables;
		*word++ = domain.invalid_entries;
	}
	query(d, &device);
	*word++ = device.flags;
	*word = device.domain;
}

static void allow_pass_through(const char *value)
{
	FILE *file = fopen(ALLOW, "w");

	if (!file || fputs(value, file) < 0 || fclose(file))
		err(1, "cannot set the parameter of wdm_iommu");
}

static void result(struct ddi_program *p, unsigned int nr, const char *what, const char *skip)
{
	printf("%sok %u - %s%s%s\n", p->failures ? "not " : "", nr, what,
	       skip ? " # SKIP " : "", skip ? skip : "");
	p->failures = 0;
}

/* No member of the tables is missing. */
static void check_members(struct ddi *d)
{
	void *const *members = (void *const *)&d->io3;
	size_t nr = wdk_info()->interface_version == DMA_IOMMU_INTERFACE_EX_VERSION_3 ?
		sizeof(DMA_IOMMU_INTERFACE_V3) : sizeof(DMA_IOMMU_INTERFACE_V2);
	size_t i;

	for (i = 0; i < nr / sizeof(*members); i++)
		ddi_expect(d, members[i], "member %zu is missing", i);
}

/* Calls that may sleep are reported, but work, at DISPATCH_LEVEL. */
static void check_levels(struct ddi_program *p)
{
	unsigned int before = wdm_port_level_errors();
	PIOMMU_DMA_DOMAIN domain;
	KSPIN_LOCK lock;
	KIRQL irql;

	KeInitializeSpinLock(&lock);
	KeAcquireSpinLock(&lock, &irql);
	ddi_expect(&p->d, KeGetCurrentIrql() == DISPATCH_LEVEL, "a lock does not raise the level");
	ddi_expect(&p->d, NT_SUCCESS(p->d.io.CreateDomain(TRUE, &domain)), "CreateDomain");
	ddi_expect(&p->d, NT_SUCCESS(p->d.io.DeleteDomain(domain)), "DeleteDomain");
	KeReleaseSpinLock(&lock, irql);
	ddi_expect(&p->d, wdm_port_level_errors() == before + 2, "they are not reported");
	ddi_expect(&p->d, KeGetCurrentIrql() == PASSIVE_LEVEL, "the level stays raised");
}

int main(int argc, char **argv)
{
	struct ddi_program p = { .failures = 0 };
	unsigned int nr = 0, failed = 0;
	struct ddi *d = &p.d;
	const char *skip;

	if (argc != 2)
		errx(2, "usage: %s 0000:00:03.0", argv[0]);
	p.bdf = argv[1];
	d->env = &p;
	d->no_device = calloc(1, sizeof(*d->no_device));
	d->memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, DDI_BYTES, 'idd');
	d->physical = MmGetPhysicalAddress(d->memory).QuadPart;
	open_device(&p);
	allow_pass_through("Y");
	if (!ddi_start(d))
		errx(1, "cannot start");

	puts("TAP version 13");
	ddi_complete(d);
	ddi_order(d);
	check_members(d);
	failed += p.failures;
	result(&p, ++nr, "the table is complete", NULL);
	for (d->kind = 0; d->kind < DDI_KINDS; d->kind++) {
		skip = ddi_run_kind(d);
		failed += p.failures;
		result(&p, ++nr, ddi_kind_names[d->kind], skip);
	}
	check_levels(&p);
	failed += p.failures;
	result(&p, ++nr, "levels", NULL);
	printf("1..%u\n", nr);

	ddi_stop(d);
	allow_pass_through("N");
	wdm_pdo_close(d->pdo);
	ExFreePool(d->memory);
	free(d->no_device);
	return failed ? 1 : 0;
}
