/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment of the ports: a QEMU edu device that does DMA, in the kernel or in a
 * program.
 */
#ifndef WDM_FOO_PORT_H
#define WDM_FOO_PORT_H

#ifdef __KERNEL__
#include "kernel.h"
#else
#include "program.h"
#endif

#include <wdm.h>

/**
 * struct port - the device, and the test that runs on it
 * @pdo: the device
 * @bar: its registers
 * @home: a page of memory that the device can read and write at @home_iova, to access its
 *	internal buffer
 * @home_iova: logical address of @home
 * @pattern: seed of the last pattern
 * @failed: the running test has failed
 * @skipped: why the running test was skipped, or NULL
 */
struct port {
	PDEVICE_OBJECT pdo;
	void __iomem *bar;
	void *home;
	u64 home_iova;
	u32 pattern;
	bool failed;
	const char *skipped;
};

/**
 * struct port_case - a test
 * @name: what it shows
 * @run: the test
 */
struct port_case {
	const char *name;
	void (*run)(struct port *port);
};

/* Arrays, terminated by an empty element */
extern const struct port_case port_v1_cases[];
extern const struct port_case port_v2_cases[];

#define EXPECT(port, condition) ({					\
	bool __ok = (condition);					\
									\
	if (!__ok) {							\
		port_say("# %s:%d: %s", __func__, __LINE__, #condition);	\
		(port)->failed = true;					\
	}								\
	__ok;								\
})

#define EXPECT_STATUS(port, got, want) ({				\
	u32 __got = (__force u32)(got), __want = (__force u32)(want);	\
									\
	if (__got != __want) {						\
		port_say("# %s:%d: %s: %#x, not %#x", __func__, __LINE__,	\
			 #got, __got, __want);				\
		(port)->failed = true;					\
	}								\
	__got == __want;						\
})

/* Outcome of a transfer */
enum port_dma {
	PORT_ARRIVED,
	PORT_BLOCKED,
	PORT_GARBLED,
};

/* probe.c */
enum port_dma port_write(struct port *port, u64 iova, void *target);
enum port_dma port_read(struct port *port, u64 iova, void *source);
bool port_run(struct port *port);

/* main.c, of the kernel module and of the program */
u64 port_get(struct port *port, unsigned int reg);
void port_set(struct port *port, unsigned int reg, u64 value);
void port_sleep(unsigned int ms);
void port_fault(struct port *port, u64 iova);
bool port_allow_pass_through(struct port *port, const char *value);

#endif /* WDM_FOO_PORT_H */
