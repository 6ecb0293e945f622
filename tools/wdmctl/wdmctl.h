/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WDMCTL_H
#define WDMCTL_H

#include <stdio.h>

#include "tap.h"
#include "wdm_iommu_user.h"

#define MAX_WORDS	2

/**
 * struct options - the command line
 * @words: arguments of the command, terminated by NULL
 * @json: print JSON
 * @follow: wait for new ones
 * @file: commands of the shell; "-" is stdin
 * @command: a line of commands for the shell
 * @svg: file for a picture
 * @domain: handle of a domain; 0: all
 * @interval: seconds between two samples
 * @count: number of samples; 0: until it is interrupted
 */
struct options {
	const char *words[MAX_WORDS + 1];
	bool json;
	bool follow;
	const char *file;
	const char *command;
	const char *svg;
	__u32 domain;
	double interval;
	unsigned int count;
};

/* Each returns an exit status. */
int cmd_info(const struct options *options);
int cmd_doctor(const struct options *options);
int cmd_devices(const struct options *options);
int cmd_ranges(const struct options *options);
int cmd_events(const struct options *options);
int cmd_faults(const struct options *options);
int cmd_ps(const struct options *options);
int cmd_show(const struct options *options);
int cmd_top(const struct options *options);
int cmd_shell(const struct options *options);
int cmd_demo(const struct options *options);
int cmd_selftest(const struct options *options);

/* report.c */
int report_errno(const char *what);
int report_status(const char *what, __u32 status);
int report_error(const char *what, const struct wdm_error *error);
PRINTF_LIKE(1, 2) int report_text(const char *format, ...);

/* host.c */
int report_open(void);

/* text.c */
const char *yes_no(bool value);
const char *type_name(__u32 type);
const char *permission_name(__u32 permissions);
const char *range_kind(__u32 kind);
const char *size_text(__u64 bytes, char *text, size_t size);
size_t character_size(const unsigned char *at);
void replace_controls(char *text);
char *read_text(const char *path);

#define SIZE_TEXT(bytes)	size_text(bytes, (char [24]) { "" }, 24)

#endif
