// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Functions of wdm_port_user.h other than memory and MDLs: levels, locks, events, messages.
 */
#include <errno.h>
#include <stdarg.h>
#include <time.h>

#include "private.h"

#include "../../module/wdk/portable.h"

#define NS_PER_SECOND	1000000000LL

static __thread KIRQL level;
static unsigned int level_errors;

/**
 * wdm_port_assert() - Report a failed NT_ASSERT()
 * @condition: the condition
 * @file: source file
 * @line: line in @file
 */
_Noreturn void wdm_port_assert(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
	abort();
}

/**
 * wdm_port_passive() - Check the level at the start of a function that may sleep
 * @function: its name
 *
 * In the kernel, calling it with a spinlock held or at DISPATCH_LEVEL is an error. Here it
 * works, and is reported on stderr.
 */
void wdm_port_passive(const char *function)
{
	if (level < DISPATCH_LEVEL)
		return;
	__atomic_add_fetch(&level_errors, 1, __ATOMIC_RELAXED);
	fprintf(stderr, "libwdm: %s() at level %u: the contract allows it below DISPATCH_LEVEL\n",
		function, level);
}

/**
 * wdm_port_level_errors() - Get the number of reports of wdm_port_passive()
 *
 * Return: the number, for tests.
 */
unsigned int wdm_port_level_errors(void)
{
	return __atomic_load_n(&level_errors, __ATOMIC_RELAXED);
}

/**
 * KeGetCurrentIrql() - Get the level of this thread
 *
 * Return: the level, as set by KeRaiseIrql(), KeAcquireSpinLock() and their counterparts.
 */
KIRQL KeGetCurrentIrql(void)
{
	return level;
}

/**
 * KeRaiseIrql() - Raise the level of this thread
 * @NewIrql: the new level
 * @OldIrql: out: the previous level
 */
void KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
	NT_ASSERT(NewIrql >= level);
	*OldIrql = level;
	level = NewIrql;
}

/**
 * KeLowerIrql() - Undo KeRaiseIrql()
 * @NewIrql: the previous level
 */
void KeLowerIrql(KIRQL NewIrql)
{
	NT_ASSERT(NewIrql <= level);
	level = NewIrql;
}

/**
 * KeInitializeSpinLock() - Initialize a lock
 * @Lock: the lock
 */
VOID KeInitializeSpinLock(PKSPIN_LOCK Lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&Lock->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

/**
 * KeAcquireSpinLockAtDpcLevel() - Take a lock
 * @Lock: the lock. Taking it twice ends the program, if it was initialized
 */
VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK Lock)
{
	int error = pthread_mutex_lock(&Lock->mutex);

	NT_ASSERT(error != EDEADLK);
}

/**
 * KeReleaseSpinLockFromDpcLevel() - Release a lock
 * @Lock: the lock
 */
VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK Lock)
{
	int error = pthread_mutex_unlock(&Lock->mutex);

	NT_ASSERT(error != EPERM);
}

/**
 * KeAcquireSpinLock() - Raise the level to DISPATCH_LEVEL and take a lock
 * @Lock: the lock
 * @OldIrql: out: the previous level
 */
VOID KeAcquireSpinLock(PKSPIN_LOCK Lock, PKIRQL OldIrql)
{
	KeRaiseIrql(DISPATCH_LEVEL, OldIrql);
	KeAcquireSpinLockAtDpcLevel(Lock);
}

/**
 * KeReleaseSpinLock() - Undo KeAcquireSpinLock()
 * @Lock: the lock
 * @NewIrql: the previous level
 */
VOID KeReleaseSpinLock(PKSPIN_LOCK Lock, KIRQL NewIrql)
{
	KeReleaseSpinLockFromDpcLevel(Lock);
	KeLowerIrql(NewIrql);
}

/**
 * KeInitializeEvent() - Initialize an event
 * @Event: the event
 * @Type: NotificationEvent wakes all waiters, SynchronizationEvent wakes one
 * @State: it is set
 */
VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
	pthread_mutex_init(&Event->mutex, NULL);
	pthread_cond_init(&Event->set, NULL);
	Event->type = Type;
	Event->state = State;
}

static LONG set_event(PRKEVENT event, bool state)
{
	LONG was;

	pthread_mutex_lock(&event->mutex);
	was = event->state;
	event->state = state;
	if (state)
		pthread_cond_broadcast(&event->set);
	pthread_mutex_unlock(&event->mutex);
	return was;
}

/**
 * KeSetEvent() - Set an event
 * @Event: the event
 * @Increment: ignored
 * @Wait: ignored
 *
 * Return: nonzero if it was set before.
 */
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
	(void)Increment;
	(void)Wait;
	return set_event(Event, true);
}

/**
 * KeClearEvent() - Reset an event
 * @Event: the event
 */
VOID KeClearEvent(PRKEVENT Event)
{
	set_event(Event, false);
}

/**
 * KeResetEvent() - Reset an event
 * @Event: the event
 *
 * Return: nonzero if it was set before.
 */
LONG KeResetEvent(PRKEVENT Event)
{
	return set_event(Event, false);
}

/**
 * KeReadStateEvent() - Check whether an event is set
 * @Event: the event
 *
 * Return: nonzero if it is set.
 */
LONG KeReadStateEvent(PRKEVENT Event)
{
	LONG state;

	pthread_mutex_lock(&Event->mutex);
	state = Event->state;
	pthread_mutex_unlock(&Event->mutex);
	return state;
}

static struct timespec deadline(LONGLONG timeout)
{
	ULONGLONG left = -(ULONGLONG)timeout;
	struct timespec now;
	LONGLONG ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = now.tv_nsec + left % (NS_PER_SECOND / 100) * 100;
	return (struct timespec) {
		.tv_sec = now.tv_sec + left / (NS_PER_SECOND / 100) + ns / NS_PER_SECOND,
		.tv_nsec = ns % NS_PER_SECOND,
	};
}

/**
 * KeWaitForSingleObject() - Wait for an event
 * @Object: the event
 * @WaitReason: ignored
 * @WaitMode: ignored
 * @Alertable: ignored
 * @Timeout: in units of 100 ns, negative; 0: do not wait; NULL: no timeout
 *
 * Return: STATUS_SUCCESS, STATUS_TIMEOUT; STATUS_NOT_SUPPORTED for an absolute time.
 */
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
			       BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
	NTSTATUS status = STATUS_SUCCESS;
	PKEVENT event = Object;
	struct timespec until;

	(void)WaitReason;
	(void)WaitMode;
	(void)Alertable;
	if (Timeout && Timeout->QuadPart > 0)
		return STATUS_NOT_SUPPORTED;
	if (!Timeout || Timeout->QuadPart)
		wdm_port_passive(__func__);
	if (Timeout)
		until = deadline(Timeout->QuadPart);
	pthread_mutex_lock(&event->mutex);
	while (!event->state && NT_SUCCESS(status) && status != STATUS_TIMEOUT) {
		if (!Timeout)
			pthread_cond_wait(&event->set, &event->mutex);
		else if (pthread_cond_clockwait(&event->set, &event->mutex, CLOCK_MONOTONIC,
						&until) && !event->state)
			status = STATUS_TIMEOUT;
	}
	if (status == STATUS_SUCCESS && event->type == SynchronizationEvent)
		event->state = false;
	pthread_mutex_unlock(&event->mutex);
	return status;
}

static ULONG print(const char *from, va_list arguments)
{
	char format[WDK_FORMAT_MAX];

	wdk_format(format, sizeof(format), from);
	vfprintf(stderr, format, arguments);
	return 0;
}

/**
 * DbgPrint() - Print a message to stderr
 * @Format: as for printf(); %ld and %lu print a LONG and a ULONG
 *
 * Return: 0.
 */
ULONG DbgPrint(const char *Format, ...)
{
	va_list arguments;

	va_start(arguments, Format);
	print(Format, arguments);
	va_end(arguments);
	return 0;
}

/**
 * DbgPrintEx() - Print a message to stderr
 * @ComponentId: ignored
 * @Level: ignored
 * @Format: as for DbgPrint()
 *
 * Return: 0.
 */
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, const char *Format, ...)
{
	va_list arguments;

	(void)ComponentId;
	(void)Level;
	va_start(arguments, Format);
	print(Format, arguments);
	va_end(arguments);
	return 0;
}
