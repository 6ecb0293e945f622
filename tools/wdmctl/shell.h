/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wdmctl shell: the objects of commands, and outcomes.
 */
#ifndef SHELL_H
#define SHELL_H

#include "wdmctl.h"

#define MAX_OBJECTS	256
#define MAX_ARGUMENTS	64
#define OBJECT_NAME	32

enum kind {
	KIND_NONE,
	KIND_DEVICE,
	KIND_DOMAIN,
	KIND_MDL,
	KIND_TOKEN,
};

/**
 * struct object - an object with a name
 * @kind: what it is
 * @name: its name
 * @handle: its handle
 * @vfio: %KIND_DEVICE: the device
 * @bar: %KIND_DEVICE: its BAR 0, if it is an edu device
 * @memory: %KIND_MDL: the memory
 * @size: %KIND_MDL: size in bytes
 * @tables: %KIND_DOMAIN: page tables, if it has some
 * @table_memory: %KIND_DOMAIN: the MDL that contains them
 */
struct object {
	enum kind kind;
	char name[OBJECT_NAME];
	__u32 handle;
	struct wdm_vfio_device *vfio;
	void *bar;
	unsigned char *memory;
	__u64 size;
	struct wdm_tables tables;
	struct object *table_memory;
};

/**
 * struct outcome - outcome of a command
 * @usage: it was not run; @text says why
 * @good: it succeeded
 * @is_status: it is an NTSTATUS
 * @status: the NTSTATUS
 * @word: the outcome as "expect" names it
 * @text: details for people
 */
struct outcome {
	bool usage;
	bool good;
	bool is_status;
	__u32 status;
	char word[48];
	char text[256];
};

/**
 * struct shell - a session
 * @fd: /dev/wdm_iommu
 * @objects: the named objects
 * @current: the default object of each kind
 * @memory: size of all MDLs in bytes
 * @out: output of commands
 * @quit: the session ends
 */
struct shell {
	int fd;
	struct object objects[MAX_OBJECTS];
	struct object *current[KIND_TOKEN + 1];
	__u64 memory;
	FILE *out;
	bool quit;
};

/**
 * struct words - a command, word by word
 * @words: the words, terminated by NULL
 * @at: the next word
 * @error: syntax error; empty if there is none so far
 * @as: the name for a new object; NULL: choose one
 */
struct words {
	const char *words[MAX_ARGUMENTS + 1];
	unsigned int at;
	char error[128];
	const char *as;
};

void shell_run(struct shell *shell, struct words *words, struct outcome *outcome);
void shell_help(FILE *out, const char *name);
void shell_close(struct shell *shell);

/* shell_dma.c */
void shell_dma(struct shell *shell, struct words *words, struct outcome *outcome);

/* For the commands */
const char *next_word(struct words *words);
bool next_is(struct words *words, const char *word);
__u64 next_number(struct words *words, const char *what);
__u64 next_number_or(struct words *words, __u64 otherwise);
struct object *next_object(struct shell *shell, struct words *words, enum kind kind);
struct object *next_memory(struct shell *shell, struct words *words, __u64 *offset);
bool no_more_words(struct words *words);
PRINTF_LIKE(2, 3) void bad_words(struct words *words, const char *format, ...);
void set_status(struct outcome *outcome, __u32 status);
PRINTF_LIKE(4, 5) void set_word(struct outcome *outcome, bool good, const char *word,
				const char *format, ...);

#endif
