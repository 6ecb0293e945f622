// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Errors as sentences. strerror() is thread-safe: in glibc since 2.32.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vfio_device.h"

/* Format "@what: @cause. @cure", truncated if it is too long. */
static void set_error(struct wdm_error *error, int number, __u32 status, const char *cause,
		      const char *cure, const char *what, va_list arguments)
{
	size_t used;

	if (error) {
		error->error = number;
		error->status = status;
		vsnprintf(error->text, sizeof(error->text), what, arguments);
		used = strlen(error->text);
		snprintf(error->text + used, sizeof(error->text) - used, "%s%s%s%s",
			 *cause ? ": " : "", cause, *cure ? ". " : "", cure);
	}
	errno = number;
}

bool wdm__fail(struct wdm_error *error, int number, const char *cure, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_error(error, number, WDM_STATUS_NONE, "", cure, format, arguments);
	va_end(arguments);
	return false;
}

bool wdm__fail_errno(struct wdm_error *error, const char *cure, const char *format, ...)
{
	int number = errno;
	va_list arguments;

	va_start(arguments, format);
	set_error(error, number, WDM_STATUS_NONE, strerror(number), cure, format, arguments);
	va_end(arguments);
	return false;
}

/**
 * wdm_error_set() - Describe a failed call
 * @error: out: the description; may be NULL
 * @status: the status that the call returned
 * @format: what failed, as for printf(): "cannot map the ring"
 *
 * For functions of this library that return an NTSTATUS. Call it right after the failure, as
 * it uses errno.
 *
 * Return: false; errno is unchanged.
 */
bool wdm_error_set(struct wdm_error *error, __u32 status, const char *format, ...)
{
	int number = errno;
	const char *cause = status == WDM_STATUS_NONE ? strerror(number) : wdm_status_text(status);
	va_list arguments;

	va_start(arguments, format);
	set_error(error, number, status, cause, wdm_status_cure(status), format, arguments);
	va_end(arguments);
	return false;
}
