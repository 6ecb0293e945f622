/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdbool.h>

struct kernel_log;

struct kernel_log *kernel_log_open(void);
bool kernel_log_is_clean(struct kernel_log *log);

#endif
