// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl: look at /dev/wdm_iommu and try it out.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wdmctl.h"

const char *argp_program_version = "wdmctl " WDM_VERSION;

static const char doc[] =
	"Look at /dev/wdm_iommu and try it out.\n"
	"\vCommands:\n"
	"  help             this list\n"
	"  info             what the kernel and the module offer\n"
	"  devices          PCI devices bound to VFIO, and whether they can be used\n"
	"  ranges BDF       which logical addresses a device can use\n"
	"  events BDF       attach a device to an empty domain, and print what happens to it\n"
	"  run-demo [BDF]   show both kinds of domain with QEMU's edu device, in TAP\n"
	"  selftest         check the ioctls, and DMA where there is an edu device, in TAP\n";

static bool takes_bdf(const char *name)
{
	return !strcmp(name, "run-demo") || !strcmp(name, "ranges") ||
	       !strcmp(name, "events");
}

struct command {
	const char *name;
	const char *bdf;
};

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct command *command = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			command->name = word;
		else if (state->arg_num == 1 && takes_bdf(command->name))
			command->bdf = word;
		else
			argp_usage(state);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = { .parser = parse, .args_doc = "COMMAND", .doc = doc };
	struct command command = { NULL, NULL };

	argp_parse(&argp, argc, argv, 0, NULL, &command);
	if (!strcmp(command.name, "help")) {
		argp_help(&argp, stdout, ARGP_HELP_STD_HELP, program_invocation_short_name);
		return EXIT_SUCCESS;
	}
	if (!strcmp(command.name, "info"))
		return cmd_info();
	if (!strcmp(command.name, "devices"))
		return cmd_devices();
	if (!strcmp(command.name, "ranges") && command.bdf)
		return cmd_ranges(command.bdf);
	if (!strcmp(command.name, "events") && command.bdf)
		return cmd_events(command.bdf);
	if (!strcmp(command.name, "run-demo"))
		return cmd_demo(command.bdf);
	if (!strcmp(command.name, "selftest"))
		return cmd_selftest();
	fprintf(stderr, "wdmctl: there is no command %s; see wdmctl help\n", command.name);
	return argp_err_exit_status;
}
