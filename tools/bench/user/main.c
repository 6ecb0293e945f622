// SPDX-License-Identifier: GPL-2.0
/*
 * wdm-bench: the command line, and the list of workloads.
 */
#include <argp.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "bench.h"
#include "machine.h"

struct options options = { .env = "here", .rounds = 5 };

static const struct workload {
	const char *name;
	const char *what;
	void (*run)(void);
} workloads[] = {
	{ "W1", "cold pages, a call each", w1_cold_pages },
	{ "W2", "pinned pages, a call each", w2_pinned_pages },
	{ "W3", "pinned pages, in batches", w3_batches },
	{ "W4", "a cold buffer, one call", w4_cold_buffer },
	{ "W5", "a pinned buffer, one call", w5_pinned_buffer },
	{ "W6", "one thread and two", w6_threads },
	{ "W7", "many live mappings", w7_live_mappings },
	{ "W8", "a caller's page tables", w8_caller_managed },
	{ "W9", "attach and close with many live mappings", w9_attach_and_close },
};

static const char doc[] =
	"Measure what mapping memory for a device costs, by VFIO's type1, iommufd,\n"
	"this module, and the kernel's IOMMU API with nothing around it.\n"
	"\vCSV goes to standard output: env,workload,variant,contender,figure,unit,\n"
	"median,min,max,rounds. Lines that start with # are remarks.";

static const struct argp_option argp_options[] = {
	{ "env", 'e', "NAME", 0, "first column of the rows", 0 },
	{ "rounds", 'r', "N", 0, "how often each contender comes (5)", 0 },
	{ "quick", 'q', NULL, 0, "small counts: does it work?", 0 },
	{ "csv", 'o', "FILE", 0, "write there", 0 },
	{ "contender", 'c', "NAME,...", 0, "these only", 0 },
	{ "device", 'd', "BDF", 0, "the device, an edu bound to VFIO; default: the first", 0 },
	{ 0 },
};

static bool chosen[ARRAY_SIZE(workloads)];

static void choose(const char *name, struct argp_state *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		if (!strcmp(workloads[i].name, name)) {
			chosen[i] = true;
			return;
		}
	}
	argp_error(state, "there is no workload %s", name);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
	switch (key) {
	case 'e':
		options.env = word;
		return 0;
	case 'r':
		options.rounds = strtoul(word, NULL, 0);
		if (!options.rounds || options.rounds > 1000)
			argp_error(state, "a number of rounds is 1 to 1000");
		return 0;
	case 'q':
		options.quick = true;
		return 0;
	case 'o':
		if (!freopen(word, "w", stdout))
			argp_failure(state, 1, errno, "%s", word);
		return 0;
	case 'c':
		options.contenders = word;
		return 0;
	case 'd':
		options.bdf = word;
		return 0;
	case ARGP_KEY_ARG:
		choose(word, state);
		return 0;
	case ARGP_KEY_NO_ARGS:
		memset(chosen, true, sizeof(chosen));
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options, .parser = parse, .args_doc = "[WORKLOAD...]", .doc = doc,
	};
	static struct wdm_bdf edu;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (!options.bdf) {
		if (!find_edu(&edu, 1))
			errx(1, "there is no edu device bound to VFIO");
		options.bdf = edu.text;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		if (!chosen[i])
			continue;
		printf("# %s: %s\n", workloads[i].name, workloads[i].what);
		workloads[i].run();
		results_print(workloads[i].name);
	}
	return 0;
}
