/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_H
#define UNIT_H

void test_region(void);
void test_wdmctl(void);

#endif
