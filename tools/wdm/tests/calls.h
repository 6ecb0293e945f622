/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef CALLS_H
#define CALLS_H

#include <stddef.h>

void test_calls(void);

/* The linker's option --wrap replaces the functions named real by those named wrap. */
int __real_wdm_open(void);
int __wrap_wdm_open(void);
int __real_posix_memalign(void **memory, size_t align, size_t bytes);
int __wrap_posix_memalign(void **memory, size_t align, size_t bytes);

#endif /* CALLS_H */
