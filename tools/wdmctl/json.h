/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON on stdout. A key is NULL in an array and at the top.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>

#include <linux/types.h>

#include "tap.h"

void json_object(const char *key);
void json_array(const char *key);
void json_end(void);
void json_text(const char *key, const char *text);
PRINTF_LIKE(2, 3) void json_format(const char *key, const char *format, ...);
void json_number(const char *key, __u64 number);
void json_real(const char *key, double number);
void json_bool(const char *key, bool value);

#endif
