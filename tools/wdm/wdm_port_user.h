/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Copyright (C) 2026 the wdm-iommu developers
 *
 * The program's part of wdm_port.h, which includes this file.
 *
 * For Linux, a thread of a program is always at PASSIVE_LEVEL. The level here is a variable
 * of the thread, to make assertions useful: a lock raises it, and calls that the contract does
 * not allow at DISPATCH_LEVEL are reported on stderr.
 */
#ifndef WDM_PORT_USER_H
#define WDM_PORT_USER_H

#include <pthread.h>

#define RTL_NUMBER_OF(Array)	(sizeof(Array) / sizeof((Array)[0]))

/* Ends the program, where a debugger can examine it. */
_Noreturn void wdm_port_assert(const char *condition, const char *file, int line);

#define NT_ASSERT(Condition) \
	((Condition) ? (void)0 : wdm_port_assert(#Condition, __FILE__, __LINE__))
#define ASSERT(Condition)	NT_ASSERT(Condition)
#define PAGED_CODE()		wdm_port_passive(__func__)

/* Levels */

KIRQL KeGetCurrentIrql(void);
void KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql);
void KeLowerIrql(KIRQL NewIrql);
void wdm_port_passive(const char *function);
unsigned int wdm_port_level_errors(void);

/* Pool, and the physical addresses of the program's pages */

PVOID ExAllocatePool2(ULONG64 Flags, SIZE_T Size, ULONG Tag);
void ExFreePool(PVOID Pointer);
PHYSICAL_ADDRESS MmGetPhysicalAddress(const void *Va);
PVOID MmGetVirtualForPhysical(PHYSICAL_ADDRESS PhysicalAddress);

static inline PVOID ExAllocatePoolZero(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
	(void)Type;
	return ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, Tag);
}

/* Not zeroed, as in Windows: valgrind and MSAN find code that relies on it. */
static inline PVOID ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
	(void)Type;
	return ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, Size, Tag);
}

static inline void ExFreePoolWithTag(PVOID Pointer, ULONG Tag)
{
	(void)Tag;
	ExFreePool(Pointer);
}

/* Locks, counts and references */

/* Zeroed memory is an unlocked lock. */
typedef struct _KSPIN_LOCK {
	pthread_mutex_t mutex;
} KSPIN_LOCK, *PKSPIN_LOCK;

VOID KeInitializeSpinLock(PKSPIN_LOCK Lock);
VOID KeAcquireSpinLock(PKSPIN_LOCK Lock, PKIRQL OldIrql);
VOID KeReleaseSpinLock(PKSPIN_LOCK Lock, KIRQL NewIrql);
VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK Lock);
VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK Lock);

static inline LONG InterlockedIncrement(volatile LONG *Addend)
{
	return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedDecrement(volatile LONG *Addend)
{
	return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedExchange(volatile LONG *Target, LONG Value)
{
	return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

/* Return the value before the addition. */
static inline LONG InterlockedExchangeAdd(volatile LONG *Addend, LONG Value)
{
	return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedCompareExchange(volatile LONG *Destination, LONG Exchange,
					      LONG Comparand)
{
	__atomic_compare_exchange_n(Destination, &Comparand, Exchange, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return Comparand;
}

/* PDOs are the only objects with references. */
void ObReferenceObject(PDEVICE_OBJECT Object);
void ObDereferenceObject(PDEVICE_OBJECT Object);

/* Events */

typedef struct _KEVENT {
	pthread_mutex_t mutex;
	pthread_cond_t set;
	EVENT_TYPE type;
	bool state;
} KEVENT, *PKEVENT, *PRKEVENT;

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State);
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
VOID KeClearEvent(PRKEVENT Event);
LONG KeResetEvent(PRKEVENT Event);
LONG KeReadStateEvent(PRKEVENT Event);
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
			       KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
			       PLARGE_INTEGER Timeout);

#endif /* WDM_PORT_USER_H */
