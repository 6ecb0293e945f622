/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SUITES_H
#define SUITES_H

struct suite;

extern const struct suite smoke_suite;
extern const struct suite abi_suite;
extern const struct suite osmap_suite;
extern const struct suite batch_suite;
extern const struct suite mapuser_suite;
extern const struct suite encodings_suite;
extern const struct suite callermanaged_suite;
extern const struct suite callermemory_suite;
extern const struct suite hostile_suite;
extern const struct suite mdl_suite;
extern const struct suite memfd_suite;
extern const struct suite attach_suite;
extern const struct suite lifetime_suite;
extern const struct suite threads_suite;
extern const struct suite trace_suite;
extern const struct suite bounds_suite;
extern const struct suite fail_nth_suite;
extern const struct suite limits_suite;
extern const struct suite signals_suite;
extern const struct suite stalls_suite;
extern const struct suite ranges_suite;
extern const struct suite events_suite;
extern const struct suite device_suite;
extern const struct suite version2_suite;
extern const struct suite fdinfo_suite;
extern const struct suite interrupts_suite;
extern const struct suite cdev_suite;
extern const struct suite library_suite;
extern const struct suite unplug_suite;
extern const struct suite resets_suite;
extern const struct suite suspend_suite;
extern const struct suite groups_suite;
extern const struct suite processes_suite;
extern const struct suite sandbox_suite;

/* Name under which a case of limits executes this program, which then runs that part */
#define EXEC_NAME	"wdm-e2e-exec"
int exec_main(void);

#endif
