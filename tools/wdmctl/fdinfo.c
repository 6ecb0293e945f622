// SPDX-License-Identifier: GPL-2.0
/*
 * Open files of /dev/wdm_iommu on this machine, from /proc/PID/fdinfo.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fdinfo.h"
#include "wdmctl.h"

/* Find the value of " field=" in a line, up to a blank; false if it is missing. */
static bool field_text(const char *line, const char *field, char *value, size_t size)
{
	size_t length = strlen(field);
	const char *at = line;

	while ((at = strstr(at, field))) {
		if (at[length] == '=' && (at == line || at[-1] == ' ')) {
			at += length + 1;
			snprintf(value, size, "%.*s", (int)strcspn(at, "\n "), at);
			return true;
		}
		at += length;
	}
	return false;
}

static __u64 field(const char *line, const char *name)
{
	char value[32];

	return field_text(line, name, value, sizeof(value)) ? strtoull(value, NULL, 10) : 0;
}

/* Make space for one more element; false if out of memory. */
static bool grow(void **array, size_t number, size_t size)
{
	void *more = realloc(*array, (number + 1) * size);

	if (more)
		*array = more;
	return more;
}

static bool parse_device(const char *line, struct open_file *file)
{
	const char *name = strstr(line, " name=");
	struct file_device *device;

	if (!grow((void **)&file->devices, file->nr_devices, sizeof(*device)))
		return false;
	device = &file->devices[file->nr_devices++];
	*device = (struct file_device) {
		.handle = field(line, "handle"),
		.group = field(line, "group"),
		.domain = field(line, "domain"),
		.revoked = field(line, "revoked"),
	};
	/* A name may contain blanks. */
	if (name)
		snprintf(device->name, sizeof(device->name), "%.*s",
			 (int)strcspn(name + 6, "\n"), name + 6);
	return true;
}

static bool parse_domain(const char *line, struct open_file *file)
{
	struct file_domain *domain;

	if (!grow((void **)&file->domains, file->nr_domains, sizeof(*domain)))
		return false;
	domain = &file->domains[file->nr_domains++];
	*domain = (struct file_domain) {
		.handle = field(line, "handle"),
		.granular = field(line, "granular"),
		.devices = field(line, "devices"),
		.pages = field(line, "pages"),
		.maps = field(line, "maps"),
		.unmaps = field(line, "unmaps"),
		.syncs = field(line, "syncs"),
		.walks = field(line, "walks"),
	};
	field_text(line, "type", domain->type, sizeof(domain->type));
	return true;
}

static bool parse_objects(const char *line, struct open_file *file)
{
	file->mdls = field(line, "mdls");
	file->tokens = field(line, "tokens");
	file->pasids = field(line, "pasids");
	return true;
}

static bool parse_line(const char *line, struct open_file *file)
{
	const char *value = line + strcspn(line, "\t\n");

	value += *value == '\t';
	if (!strncmp(line, "wdm-device:", 11))
		return parse_device(value, file);
	if (!strncmp(line, "wdm-domain:", 11))
		return parse_domain(value, file);
	if (!strncmp(line, "wdm-objects:", 12))
		return parse_objects(value, file);
	if (!strncmp(line, "wdm-file:", 9))
		file->number = strtoull(value, NULL, 10);
	else if (!strncmp(line, "wdm-charged:", 12))
		file->charged = strtoull(value, NULL, 10);
	else if (!strncmp(line, "wdm-pinned:", 11))
		file->pinned = strtoull(value, NULL, 10);
	else if (!strncmp(line, "wdm-faults:", 11))
		file->faults = strtoull(value, NULL, 10);
	else if (!strncmp(line, "wdm-more:", 9))
		file->more = strtoull(value, NULL, 10);
	return true;
}

/**
 * fdinfo_parse() - Parse the fdinfo of one file
 * @text: all lines
 * @file: out: everything except @pid, @fd and @command; free it with fdinfo_free()
 *
 * Return: true if it is a file of /dev/wdm_iommu.
 */
bool fdinfo_parse(const char *text, struct open_file *file)
{
	bool good = true;

	for (const char *line = text; *line && good; line += *line == '\n') {
		good = parse_line(line, file);
		line += strcspn(line, "\n");
	}
	return good && file->number;
}

void fdinfo_free(struct open_file *file)
{
	free(file->devices);
	free(file->domains);
}

static void read_name(pid_t pid, char *name, size_t size)
{
	char path[64], *text;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	text = read_text(path);
	length = text ? strlen(text) : 0;
	/* A newline ends the file, but names may have some, too. */
	snprintf(name, size, "%.*s", length ? (int)length - 1 : 1, length ? text : "?");
	replace_controls(name);
	free(text);
}

/* Skip a file that was closed since. */
static bool add_file(struct open_files *all, pid_t pid, int fd)
{
	struct open_file file = { .pid = pid, .fd = fd };
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	text = read_text(path);
	if (!text)
		return errno != ENOMEM;
	if (fdinfo_parse(text, &file)) {
		read_name(pid, file.command, sizeof(file.command));
		if (grow((void **)&all->files, all->number, sizeof(file))) {
			all->files[all->number++] = file;
			free(text);
			return true;
		}
	}
	fdinfo_free(&file);
	free(text);
	return true;
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_number(const struct dirent *entry)
{
	return entry->d_name[strspn(entry->d_name, "0123456789")] == '\0';
}

static bool add_process(struct open_files *all, pid_t pid)
{
	struct dirent **entries;
	char path[64], target[64];
	bool good = true;
	ssize_t length;
	int number;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	number = scandir(path, &entries, is_number, by_number);
	if (number < 0) {
		all->hidden += errno == EACCES || errno == EPERM;
		return errno != ENOMEM;
	}
	for (int i = 0; i < number; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%.12s", pid, entries[i]->d_name);
		length = readlink(path, target, sizeof(target));
		if (good && length >= (ssize_t)strlen(WDM_IOMMU_PATH) &&
		    !strncmp(target, WDM_IOMMU_PATH, strlen(WDM_IOMMU_PATH)))
			good = add_file(all, pid, atoi(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return good;
}

/**
 * open_files_read() - Find the open files of /dev/wdm_iommu
 * @all: out: the files; free them with open_files_free()
 * @only: only of this process; 0: of all
 *
 * Return: true on success; otherwise errno is set.
 */
bool open_files_read(struct open_files *all, pid_t only)
{
	struct dirent **entries;
	char path[32];
	bool good = true;
	int number;

	*all = (struct open_files) { };
	if (only) {
		snprintf(path, sizeof(path), "/proc/%d", only);
		if (!access(path, F_OK))
			return add_process(all, only);
		errno = ESRCH;
		return false;
	}
	number = scandir("/proc", &entries, is_number, by_number);
	if (number < 0)
		return false;
	for (int i = 0; i < number; i++) {
		good = good && add_process(all, atoi(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return good;
}

void open_files_free(struct open_files *all)
{
	for (size_t i = 0; i < all->number; i++)
		fdinfo_free(&all->files[i]);
	free(all->files);
}
