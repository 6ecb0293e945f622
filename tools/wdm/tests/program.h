/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The programs' part of the tests of Windows code. kunit/ports/kernel.h is the kernel's.
 */
#ifndef WDM_PROGRAM_H
#define WDM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "array_size.h"

typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;

#define __iomem
#define fallthrough	__attribute__((__fallthrough__))
#define BIT(nr)		(1U << (nr))
#define BIT_ULL(nr)	(1ULL << (nr))
#define GENMASK(h, l)	((~0U >> (31 - (h))) & (~0U << (l)))
#define U32_MAX		UINT32_MAX
#define U64_MAX		UINT64_MAX
#define SZ_1M		0x100000
#define SZ_4M		0x400000
#define SZ_1G		0x40000000
#define PHYS_PFN(x)	((x) >> PAGE_SHIFT)

#define port_say(fmt, ...)	printf(fmt "\n", ##__VA_ARGS__)

#endif /* WDM_PROGRAM_H */
