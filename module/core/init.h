/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Initialization of the core, for the module and its KUnit suites.
 */
#ifndef WDM_CORE_INIT_H
#define WDM_CORE_INIT_H

int wdm_core_init(void);
void wdm_core_exit(void);

#endif /* WDM_CORE_INIT_H */
