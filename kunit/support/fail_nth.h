/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail.
 *
 * In the directory failslab of debugfs, ignore-gfp-wait must be N, and verbose
 * should be 0, before the suites are inserted.
 */
#ifndef WDM_KUNIT_FAIL_NTH_H
#define WDM_KUNIT_FAIL_NTH_H

#include <kunit/test.h>
#include <linux/sched.h>
#include <linux/slab.h>

#if IS_ENABLED(CONFIG_FAILSLAB)

/* Make the @nth next allocation of this thread fail. */
static inline void memory_fail_nth(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* Stop failing allocations; returns whether one has failed. */
static inline bool memory_failed(void)
{
	bool failed = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return failed;
}

#else

static inline void memory_fail_nth(unsigned int nth)
{
}

static inline bool memory_failed(void)
{
	return false;
}

#endif

/* Allocations that may sleep fail only if failslab is told not to spare them. */
static inline void memory_may_fail(struct kunit *test)
{
	void *memory;

	memory_fail_nth(1);
	memory = kmalloc(16, GFP_KERNEL);
	memory_failed();
	kfree(memory);
	if (memory)
		kunit_skip(test, "failslab spares allocations that may sleep");
}

#endif /* WDM_KUNIT_FAIL_NTH_H */
