// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "tap.h"

static unsigned int planned, number, failures;
static unsigned int indent;

/* Print the first line of a list of results. */
void tap_header(const char *version)
{
	printf("%*s%s\n", indent, "", version);
	fflush(stdout);
}

/* Set the number of results to follow. */
void tap_plan(unsigned int count)
{
	planned = count;
	printf("%*s1..%u\n", indent, "", count);
	fflush(stdout);
}

void tap_indent(unsigned int columns)
{
	indent = columns;
}

void tap_diag(const char *format, ...)
{
	va_list arguments;

	printf("%*s# ", indent, "");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
}

/* Print a result; @reason is that of a skip, and may be NULL. */
void tap_result(enum tap_result result, const char *name, const char *reason)
{
	number++;
	if (result == TAP_FAIL)
		failures++;
	printf("%*s%s %u - %s", indent, "", result == TAP_FAIL ? "not ok" : "ok", number, name);
	if (result == TAP_SKIP)
		printf(" # SKIP %s", reason ? reason : "");
	printf("\n");
	fflush(stdout);
}

bool tap_ok(bool passed, const char *format, ...)
{
	char name[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	tap_result(passed ? TAP_PASS : TAP_FAIL, name, NULL);
	return passed;
}

/* Continue a list of which @count results have been printed. */
void tap_restart(unsigned int count)
{
	number = count;
	failures = 0;
}

unsigned int tap_failures(void)
{
	return failures;
}

/*
 * Print the plan, unless it was known before. Return the exit status: 0 only if there were
 * as many results as planned, all good.
 */
int tap_finish(void)
{
	if (!planned)
		tap_plan(number);
	if (number != planned) {
		tap_diag("planned %u results, gave %u", planned, number);
		return TAP_FAIL;
	}
	return failures ? TAP_FAIL : TAP_PASS;
}
