/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the ports run on: a QEMU edu device that does DMA, and KTAP in the kernel's log.
 */
#ifndef WDM_FOO_PORT_H
#define WDM_FOO_PORT_H

#include <linux/pci.h>
#include <linux/printk.h>
#include <linux/types.h>

/**
 * struct port - the device, and the test that runs on it
 * @pdev: the device
 * @bar: its registers
 * @home: a page of kernel memory that the device can read and write at @home_iova:
 *	the only way to the device's own buffer
 * @home_iova: where the device finds @home
 * @pattern: seed of the last pattern
 * @failed: the running test has failed
 * @skipped: why the running test was skipped, or NULL
 */
struct port {
	struct pci_dev *pdev;
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

/* Arrays that end with an empty element */
extern const struct port_case port_v1_cases[];
extern const struct port_case port_v2_cases[];

/* A line of the results: "wdm_foo: " marks them in the log. */
#define port_say(fmt, ...)	pr_info("wdm_foo: " fmt "\n", ##__VA_ARGS__)

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

/* What became of a transfer */
enum port_dma {
	PORT_ARRIVED,
	PORT_BLOCKED,
	PORT_GARBLED,
};

enum port_dma port_write(struct port *port, u64 iova, void *target);
enum port_dma port_read(struct port *port, u64 iova, void *source);

#endif /* WDM_FOO_PORT_H */
