// SPDX-License-Identifier: GPL-2.0
/*
 * Initialization of the core, for the module and its KUnit suites.
 */
#include "fault.h"
#include "init.h"
#include "mappings/mappings.h"
#include "ram.h"

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
		goto mappings;
	ret = wdm_ram_init();
	if (ret)
		goto fault;
	return 0;

fault:
	wdm_fault_exit();
mappings:
	wdm_mappings_exit_module();
	return ret;
}

/**
 * wdm_core_exit() - Undo wdm_core_init()
 */
void wdm_core_exit(void)
{
	wdm_ram_exit();
	wdm_fault_exit();
	wdm_mappings_exit_module();
}
