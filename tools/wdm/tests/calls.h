/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef CALLS_H
#define CALLS_H

void test_calls(void);

/* The linker's option --wrap replaces wdm_open() by the second one. */
int __real_wdm_open(void);
int __wrap_wdm_open(void);

#endif /* CALLS_H */
