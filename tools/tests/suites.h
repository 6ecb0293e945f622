/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SUITES_H
#define SUITES_H

struct suite;

extern const struct suite smoke_suite;
extern const struct suite abi_suite;

#endif
