/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failing allocations.
 *
 * In the directory failslab of debugfs, ignore-gfp-wait must be N, and verbose should be 0,
 * before the suites are loaded.
 */
#ifndef WDM_KUNIT_FAIL_NTH_H
#define WDM_KUNIT_FAIL_NTH_H

#include <kunit/test.h>
#include <linux/sched.h>
#include <linux/slab.h>

#if IS_ENABLED(CONFIG_FAILSLAB)

/* Make the @nth allocation of this thread from now fail. */
static inline void memory_fail_nth(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* Stop failing allocations; return whether one has failed. */
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

/* By default, failslab does not fail allocations that may sleep. */
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
