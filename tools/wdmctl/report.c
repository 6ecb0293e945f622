// SPDX-License-Identifier: GPL-2.0
/*
 * Error messages. Each function returns an exit status.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wdmctl.h"

int report_errno(const char *what)
{
	fprintf(stderr, "wdmctl: %s: %s\n", what, strerror(errno));
	return 1;
}

int report_status(const char *what, __u32 status)
{
	char text[256];

	fprintf(stderr, "wdmctl: %s: %s\n", what,
		wdm_status_describe(status, errno, text, sizeof(text)));
	return 1;
}

int report_error(const char *what, const struct wdm_error *error)
{
	fprintf(stderr, "wdmctl: %s: %s\n", what, error->text);
	return 1;
}

int report_text(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "wdmctl: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	return 1;
}
