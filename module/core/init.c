// SPDX-License-Identifier: GPL-2.0
/*
 * Initialization of the core, for the module and its KUnit suites.
 */
#include "fault.h"
#include "init.h"
#include "mappings.h"

/**
 * wdm_core_init() - Initialize the core
 *
 * Return: 0 or a negative errno.
 */
int wdm_core_init(void)
{
	int ret;

	ret = wdm_mappings_init_module();
	if (ret)
		return ret;
	ret = wdm_fault_init();
	if (ret)
		wdm_mappings_exit_module();
	return ret;
}

/**
 * wdm_core_exit() - Undo wdm_core_init()
 */
void wdm_core_exit(void)
{
	wdm_fault_exit();
	wdm_mappings_exit_module();
}
