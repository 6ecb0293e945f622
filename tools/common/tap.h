/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test results in TAP: one list of results per program; subtests are indented, as in KTAP.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>

/* The format string is argument @string, its arguments start at @first. */
#define FORMAT_CHECK			__format__
#define PRINTF_LIKE(string, first)	__attribute__((FORMAT_CHECK(__printf__, string, first)))

/* Outcomes of a test; also exit codes, including KSFT_SKIP's */
enum tap_result {
	TAP_PASS = 0,
	TAP_FAIL = 1,
	TAP_SKIP = 4,
};

void tap_header(const char *version);
void tap_plan(unsigned int number);
void tap_indent(unsigned int columns);
PRINTF_LIKE(1, 2) void tap_diag(const char *format, ...);
PRINTF_LIKE(2, 3) bool tap_ok(bool passed, const char *format, ...);
void tap_result(enum tap_result result, const char *name, const char *reason);
void tap_restart(unsigned int number);
unsigned int tap_failures(void);
int tap_finish(void);

#endif
