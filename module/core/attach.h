/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WDM_CORE_ATTACH_H
#define WDM_CORE_ATTACH_H

#include <linux/types.h>

bool wdm_unsafe_interrupts_allowed(void);

#endif /* WDM_CORE_ATTACH_H */
