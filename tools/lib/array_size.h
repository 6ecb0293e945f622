/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
#ifndef ARRAY_SIZE_H
#define ARRAY_SIZE_H

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#endif
