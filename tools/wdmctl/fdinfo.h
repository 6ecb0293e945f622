/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Open files of /dev/wdm_iommu on this machine, from /proc/PID/fdinfo.
 */
#ifndef FDINFO_H
#define FDINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

#define NAME_SIZE	64

struct file_device {
	__u32 handle;
	__u32 group;
	__u32 domain;
	bool revoked;
	char name[NAME_SIZE];
};

struct file_domain {
	__u32 handle;
	char type[16];
	bool granular;
	__u32 devices;
	__u64 pages;
	__u64 maps;
	__u64 unmaps;
	__u64 syncs;
	__u64 walks;
};

/**
 * struct open_file - an open file, as one file descriptor shows it
 * @pid: the process
 * @fd: its file descriptor
 * @command: the name of the process
 * @number: number of the file; several descriptors may refer to one
 * @charged: kernel memory charged to it, in bytes
 * @pinned: pinned memory, in bytes
 * @faults: number of faults reported to it
 * @mdls: number of MDLs
 * @tokens: number of tokens
 * @pasids: number of PASIDs
 * @more: number of objects that are not listed
 * @devices: its devices
 * @nr_devices: number of @devices
 * @domains: its domains
 * @nr_domains: number of @domains
 */
struct open_file {
	pid_t pid;
	int fd;
	char command[NAME_SIZE];
	__u64 number;
	__u64 charged;
	__u64 pinned;
	__u64 faults;
	__u32 mdls;
	__u32 tokens;
	__u32 pasids;
	__u32 more;
	struct file_device *devices;
	size_t nr_devices;
	struct file_domain *domains;
	size_t nr_domains;
};

/**
 * struct open_files - open files of the accessible processes
 * @files: the files, by process and descriptor
 * @number: number of @files
 * @hidden: number of processes that are not accessible
 */
struct open_files {
	struct open_file *files;
	size_t number;
	size_t hidden;
};

bool fdinfo_parse(const char *text, struct open_file *file);
void fdinfo_free(struct open_file *file);
bool open_files_read(struct open_files *all, pid_t only);
void open_files_free(struct open_files *all);

#endif
