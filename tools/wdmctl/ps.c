// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl ps: open files, with devices, domains and pages.
 */
#include <errno.h>

#include "fdinfo.h"
#include "json.h"
#include "wdmctl.h"

static void json_file(const struct open_file *file)
{
	json_object(NULL);
	json_number("pid", file->pid);
	json_number("fd", file->fd);
	json_text("command", file->command);
	json_number("file", file->number);
	json_number("pinned", file->pinned);
	json_number("charged", file->charged);
	json_number("faults", file->faults);
	json_number("mdls", file->mdls);
	json_number("tokens", file->tokens);
	json_number("pasids", file->pasids);
	json_number("not_listed", file->more);
	json_array("devices");
	for (size_t i = 0; i < file->nr_devices; i++) {
		const struct file_device *device = &file->devices[i];

		json_object(NULL);
		json_number("handle", device->handle);
		json_text("name", device->name);
		json_number("group", device->group);
		json_number("domain", device->domain);
		json_bool("revoked", device->revoked);
		json_end();
	}
	json_end();
	json_array("domains");
	for (size_t i = 0; i < file->nr_domains; i++) {
		const struct file_domain *domain = &file->domains[i];

		json_object(NULL);
		json_number("handle", domain->handle);
		json_text("type", domain->type);
		json_bool("page_granular", domain->granular);
		json_number("devices", domain->devices);
		json_number("pages", domain->pages);
		json_number("maps", domain->maps);
		json_number("unmaps", domain->unmaps);
		json_number("syncs", domain->syncs);
		json_number("walks", domain->walks);
		json_end();
	}
	json_end();
	json_end();
}

static void print_device(const struct file_device *device)
{
	printf("          device %-3u  %s  group %u  ", device->handle, device->name,
	       device->group);
	if (device->revoked)
		printf("revoked by VFIO\n");
	else if (device->domain)
		printf("in domain %u\n", device->domain);
	else
		printf("not attached: its DMA is blocked\n");
}

static void print_domain(const struct file_domain *domain)
{
	printf("          domain %-3u  %s%s  %u devices  %s", domain->handle, domain->type,
	       domain->granular ? ", 4 KiB pages only" : "", domain->devices,
	       SIZE_TEXT(domain->pages * WDM_PAGE_SIZE));
	printf("  %llu maps  %llu unmaps  %llu flushes\n", domain->maps, domain->unmaps,
	       domain->walks);
}

static void print_file(const struct open_file *file)
{
	printf("%7d %3d %-16s %5llu %10s %10s %6u %6llu\n", file->pid, file->fd, file->command,
	       file->number, SIZE_TEXT(file->pinned), SIZE_TEXT(file->charged), file->mdls,
	       file->faults);
	for (size_t i = 0; i < file->nr_devices; i++)
		print_device(&file->devices[i]);
	for (size_t i = 0; i < file->nr_domains; i++)
		print_domain(&file->domains[i]);
	if (file->more)
		printf("          and %u more\n", file->more);
}

static void print_files(const struct open_files *all)
{
	if (all->number)
		printf("%7s %3s %-16s %5s %10s %10s %6s %6s\n", "PID", "FD", "COMMAND", "FILE",
		       "PINNED", "CHARGED", "MDLS", "FAULTS");
	else
		printf("no process has " WDM_IOMMU_PATH " open\n");
	for (size_t i = 0; i < all->number; i++)
		print_file(&all->files[i]);
	if (all->hidden)
		printf("%zu processes of other users are not shown; root can see them\n",
		       all->hidden);
}

int cmd_ps(const struct options *options)
{
	struct open_files all;

	if (!open_files_read(&all, 0))
		return report_errno("/proc");
	if (options->json) {
		json_object(NULL);
		json_array("files");
		for (size_t i = 0; i < all.number; i++)
			json_file(&all.files[i]);
		json_end();
		json_number("hidden_processes", all.hidden);
		json_end();
	} else {
		print_files(&all);
	}
	open_files_free(&all);
	return 0;
}
