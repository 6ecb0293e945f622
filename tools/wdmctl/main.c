// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl: inspect and test /dev/wdm_iommu and its users.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "wdmctl.h"

const char *argp_program_version = "wdmctl " WDM_VERSION;

enum key {
	KEY_JSON = 'j',
	KEY_FOLLOW = 'w',
	KEY_FILE = 'f',
	KEY_COMMAND = 'c',
	KEY_DOMAIN = 'd',
	KEY_INTERVAL = 'i',
	KEY_COUNT = 'n',
	KEY_SVG = 's',
};

/**
 * struct command - a command
 * @name: its name
 * @arguments: its arguments, for the help
 * @help: description
 * @run: performs it
 * @least: minimum number of arguments
 * @most: maximum number of arguments
 * @keys: options that it accepts
 */
struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(const struct options *options);
	unsigned int least;
	unsigned int most;
	const char *keys;
};

static const struct command commands[] = {
	{ "doctor", "", "problems of this machine, and cures",
	  cmd_doctor, 0, 0, "j" },
	{ "devices", "", "PCI devices, whether they can be used, and cures", cmd_devices,
	  0, 0, "j" },
	{ "info", "", "abilities of the kernel and the module", cmd_info, 0, 0, "j" },
	{ "ranges", "BDF", "logical addresses that a device can use", cmd_ranges, 1, 1, "j" },
	{ "ps", "", "open files, with devices, domains and pages", cmd_ps, 0, 0, "j" },
	{ "show", "PID [FD]", "mappings of a process; --svg draws them", cmd_show, 1, 2, "jds" },
	{ "top", "", "maps, unmaps, syncs, flushes and faults per second", cmd_top, 0, 0, "jin" },
	{ "faults", "[BDF]", "DMA that the IOMMU blocked, from the kernel log", cmd_faults,
	  0, 1, "jw" },
	{ "events", "BDF", "events of a device in an empty domain",
	  cmd_events, 1, 1, "j" },
	{ "shell", "", "run commands, or a file of them as a test", cmd_shell, 0, 0, "fc" },
	{ "run-demo", "[BDF]", "show both kinds of domain with QEMU's edu device, in TAP",
	  cmd_demo, 0, 1, "" },
	{ "selftest", "[BDF]", "check the ioctls, and DMA of an edu or NVMe device",
	  cmd_selftest, 0, 1, "" },
};

static const struct argp_option argp_options[] = {
	{ "json", KEY_JSON, NULL, 0, "print JSON", 0 },
	{ "follow", KEY_FOLLOW, NULL, 0, "faults: wait for new ones", 0 },
	{ "file", KEY_FILE, "FILE", 0, "shell: run the commands in FILE", 0 },
	{ "command", KEY_COMMAND, "TEXT", 0, "shell: run commands, separated by ;", 0 },
	{ "domain", KEY_DOMAIN, "HANDLE", 0, "show: only this domain", 0 },
	{ "svg", KEY_SVG, "FILE", 0, "show: draw the domain into FILE", 0 },
	{ "interval", KEY_INTERVAL, "SECONDS", 0, "top: interval (default 1)", 0 },
	{ "count", KEY_COUNT, "N", 0, "top: end after N lists", 0 },
	{ 0 }
};

struct parsed {
	const struct command *command;
	struct options options;
	unsigned int words;
	char keys[ARRAY_SIZE(argp_options)];
	bool help;
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* Parse a whole word as a number of at least @least. */
static double parse_number(struct argp_state *state, const char *word, double least)
{
	char *end;
	double value = strtod(word, &end);

	if (end == word || *end || !(value >= least && value <= 1000000000))
		argp_error(state, "%s is not a number, or less than %g", word, least);
	return value;
}

static void parse_word(struct parsed *parsed, char *word, struct argp_state *state)
{
	if (parsed->command || parsed->help) {
		if (parsed->words == MAX_WORDS)
			argp_error(state, "too many arguments");
		else
			parsed->options.words[parsed->words++] = word;
		return;
	}
	parsed->help = !strcmp(word, "help");
	parsed->command = find_command(word);
	if (!parsed->command && !parsed->help)
		argp_error(state, "there is no command %s", word);
}

static void check_command(const struct parsed *parsed, struct argp_state *state)
{
	const struct command *command = parsed->command;

	if (parsed->help)
		return;
	if (!command)
		argp_usage(state);
	else if (parsed->words < command->least || parsed->words > command->most)
		argp_error(state, "usage: %s %s", command->name, command->arguments);
	else if (strspn(parsed->keys, command->keys) != strlen(parsed->keys))
		argp_error(state, "%s has no option -%c", command->name,
			   parsed->keys[strspn(parsed->keys, command->keys)]);
}

static void take_key(struct parsed *parsed, char key)
{
	if (!strchr(parsed->keys, key))
		parsed->keys[strlen(parsed->keys)] = key;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct parsed *parsed = state->input;
	struct options *options = &parsed->options;

	switch (key) {
	case KEY_JSON:
		options->json = true;
		break;
	case KEY_FOLLOW:
		options->follow = true;
		break;
	case KEY_FILE:
		options->file = word;
		break;
	case KEY_COMMAND:
		options->command = word;
		break;
	case KEY_DOMAIN:
		options->domain = parse_number(state, word, 1);
		break;
	case KEY_SVG:
		options->svg = word;
		break;
	case KEY_INTERVAL:
		options->interval = parse_number(state, word, 0.1);
		break;
	case KEY_COUNT:
		options->count = parse_number(state, word, 1);
		break;
	case ARGP_KEY_ARG:
		parse_word(parsed, word, state);
		return 0;
	case ARGP_KEY_END:
		check_command(parsed, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	take_key(parsed, key);
	return 0;
}

/* The commands, for the help */
static char *help_filter(int key, const char *text, void *input)
{
	size_t size;
	char *list;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return NULL;
	fprintf(out, "Commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s %-8s %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fprintf(out, "  %-8s %-8s %s\n", "help", "", "this list");
	return fclose(out) ? NULL : list;
}

/* Return the exit status, knowing whether all of the output was written. */
static int finish(int result)
{
	if (!ferror(stdout) && !fflush(stdout))
		return result;
	report_text("cannot write the output");
	return result ? result : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = parse,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = "Inspect and test /dev/wdm_iommu and its users.\v",
		.help_filter = help_filter,
	};
	struct parsed parsed = { .options.interval = 1 };

	argp_parse(&argp, argc, argv, 0, NULL, &parsed);
	if (parsed.help) {
		argp_help(&argp, stdout, ARGP_HELP_STD_HELP, program_invocation_short_name);
		return finish(EXIT_SUCCESS);
	}
	return finish(parsed.command->run(&parsed.options));
}
