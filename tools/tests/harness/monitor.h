/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The monitor of the QEMU that the tests run in (scripts/vm --monitor).
 */
#ifndef MONITOR_H
#define MONITOR_H

void monitor_open(void);
void monitor_command(const char *command);

#endif
