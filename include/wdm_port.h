/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The rest of the WDK that code around the DMA remapping interface usually needs, on top of
 * the equivalent Linux functions: annotations, memory, lists, locks, events and MDLs.
 * Include it in place of wdm.h, after all headers of Linux. For programs, wdm_port_user.h
 * implements what comes from the kernel here.
 *
 * DISPATCH_LEVEL means that softirqs are disabled: a KSPIN_LOCK is a spinlock that disables
 * them, and KeGetCurrentIrql() reads the preempt count, which works on every kernel.
 * Linux' own locks do not raise the level.
 */
#ifndef _WDM_PORT_H
#define _WDM_PORT_H

#ifdef __KERNEL__
#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#else
#include <string.h>
#endif

#include <wdm.h>

/* The WDK's pool tags have several characters, and its functions are often global. */
#pragma GCC diagnostic ignored "-Wmultichar"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wmissing-declarations"

/* Annotations, which have no effect here */

#define IN
#define OUT
#define OPTIONAL
#define _In_
#define _In_opt_
#define _In_reads_(Count)
#define _In_reads_bytes_(Size)
#define _In_reads_bytes_opt_(Size)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(Count)
#define _Inout_updates_bytes_(Size)
#define _Out_
#define _Out_opt_
#define _Out_writes_(Count)
#define _Out_writes_bytes_(Size)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Reserved_
#define _Must_inspect_result_
#define _Use_decl_annotations_
#define _Success_(Condition)
#define _When_(Condition, Annotation)
#define _At_(Target, Annotation)
#define _Function_class_(Name)
#define _IRQL_requires_(Level)
#define _IRQL_requires_max_(Level)
#define _IRQL_requires_min_(Level)
#define _IRQL_requires_same_
#define _IRQL_raises_(Level)
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_uses_cancel_
#define _Acquires_lock_(Lock)
#define _Releases_lock_(Lock)
#define _Requires_lock_held_(Lock)
#define _Analysis_assume_(Condition)
#define NTAPI
#define NTKERNELAPI
#define FORCEINLINE		static __always_inline

#define UNREFERENCED_PARAMETER(Parameter)	((void)(Parameter))
#define C_ASSERT(Condition)			static_assert(Condition)

/* Statuses that code around DMA uses, but the interface never returns */

#define STATUS_TIMEOUT			__WDM_NTSTATUS(0x00000102)
#define STATUS_PENDING			__WDM_NTSTATUS(0x00000103)
#define STATUS_BUFFER_OVERFLOW		__WDM_NTSTATUS(0x80000005U)
#define STATUS_INFO_LENGTH_MISMATCH	__WDM_NTSTATUS(0xC0000004U)
#define STATUS_MORE_PROCESSING_REQUIRED	__WDM_NTSTATUS(0xC0000016U)
#define STATUS_NO_MEMORY		__WDM_NTSTATUS(0xC0000017U)
#define STATUS_DEVICE_NOT_READY		__WDM_NTSTATUS(0xC00000A3U)
#define STATUS_INTERNAL_ERROR		__WDM_NTSTATUS(0xC00000E5U)
#define STATUS_IO_DEVICE_ERROR		__WDM_NTSTATUS(0xC0000185U)

/* Numbers and structures */

typedef void *HANDLE, **PHANDLE;

#define FIELD_OFFSET(Type, Field)	((LONG)offsetof(Type, Field))
#define CONTAINING_RECORD(Address, Type, Field) \
	((Type *)((PCHAR)(Address) - offsetof(Type, Field)))

#define ROUND_TO_PAGES(Size)	(((ULONG_PTR)(Size) + PAGE_SIZE - 1) & PAGE_MASK)
#define BYTES_TO_PAGES(Size)	(((SIZE_T)(Size) >> PAGE_SHIFT) + !!((Size) & (PAGE_SIZE - 1)))
#define BYTE_OFFSET(Va)		((ULONG)((ULONG_PTR)(Va) & (PAGE_SIZE - 1)))
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size) \
	((ULONG)((BYTE_OFFSET(Va) + (SIZE_T)(Size) + PAGE_SIZE - 1) >> PAGE_SHIFT))

/* Linux' PAGE_ALIGN() rounds up. Its headers have been compiled by now. */
#undef PAGE_ALIGN
#define PAGE_ALIGN(Va)		((PVOID)((ULONG_PTR)(Va) & PAGE_MASK))

/* Memory */

#define RtlZeroMemory(Destination, Length)		memset(Destination, 0, Length)
#define RtlFillMemory(Destination, Length, Fill)	memset(Destination, Fill, Length)
#define RtlCopyMemory(Destination, Source, Length)	memcpy(Destination, Source, Length)
#define RtlMoveMemory(Destination, Source, Length)	memmove(Destination, Source, Length)
#define RtlEqualMemory(Destination, Source, Length)	(!memcmp(Destination, Source, Length))

/* Count the leading bytes that are equal. */
static inline SIZE_T RtlCompareMemory(const void *Source1, const void *Source2,
				      SIZE_T Length)
{
	const UCHAR *a = Source1, *b = Source2;
	SIZE_T i;

	for (i = 0; i < Length && a[i] == b[i]; i++)
		;
	return i;
}

typedef UCHAR KIRQL, *PKIRQL;

#define PASSIVE_LEVEL	0
#define APC_LEVEL	1
#define DISPATCH_LEVEL	2
#define HIGH_LEVEL	15

#define POOL_FLAG_UNINITIALIZED	0x0000000000000002ULL
#define POOL_FLAG_NON_PAGED	0x0000000000000040ULL
#define POOL_FLAG_PAGED		0x0000000000000100ULL

typedef enum _POOL_TYPE {
	NonPagedPool,
	PagedPool,
	NonPagedPoolNx = 512,
} POOL_TYPE;

/* Lists */

static inline VOID InitializeListHead(PLIST_ENTRY Head)
{
	Head->Flink = Head;
	Head->Blink = Head;
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *Head)
{
	return Head->Flink == Head;
}

static inline VOID wdm_port_insert(PLIST_ENTRY Entry, PLIST_ENTRY Before,
				   PLIST_ENTRY Behind)
{
	Entry->Blink = Before;
	Entry->Flink = Behind;
	Before->Flink = Entry;
	Behind->Blink = Entry;
}

static inline VOID InsertHeadList(PLIST_ENTRY Head, PLIST_ENTRY Entry)
{
	wdm_port_insert(Entry, Head, Head->Flink);
}

static inline VOID InsertTailList(PLIST_ENTRY Head, PLIST_ENTRY Entry)
{
	wdm_port_insert(Entry, Head->Blink, Head);
}

/* Return TRUE if the list is empty after this. */
static inline BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
	Entry->Blink->Flink = Entry->Flink;
	Entry->Flink->Blink = Entry->Blink;
	return Entry->Flink == Entry->Blink;
}

static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY Head)
{
	PLIST_ENTRY entry = Head->Flink;

	RemoveEntryList(entry);
	return entry;
}

static inline PLIST_ENTRY RemoveTailList(PLIST_ENTRY Head)
{
	PLIST_ENTRY entry = Head->Blink;

	RemoveEntryList(entry);
	return entry;
}

/* Events */

typedef enum _EVENT_TYPE {
	NotificationEvent,
	SynchronizationEvent,
} EVENT_TYPE;

typedef enum _KWAIT_REASON {
	Executive,
	UserRequest = 6,
} KWAIT_REASON;

typedef enum _MODE {
	KernelMode,
	UserMode,
} KPROCESSOR_MODE;

typedef LONG KPRIORITY;

#define IO_NO_INCREMENT	0

/* Differences between the kernel and programs */

#ifdef __KERNEL__

#define RTL_NUMBER_OF(Array)			ARRAY_SIZE(Array)
#define NT_ASSERT(Condition)			WARN_ON_ONCE(!(Condition))
#define ASSERT(Condition)			NT_ASSERT(Condition)
#define PAGED_CODE()				might_sleep()

static inline KIRQL KeGetCurrentIrql(void)
{
	if (in_hardirq() || irqs_disabled())
		return HIGH_LEVEL;
	return softirq_count() ? DISPATCH_LEVEL : PASSIVE_LEVEL;
}

/* Raising to DISPATCH_LEVEL nests, as disabling softirqs does. */
static inline void KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
	*OldIrql = KeGetCurrentIrql();
	local_bh_disable();
}

static inline void KeLowerIrql(KIRQL NewIrql)
{
	local_bh_enable();
}

static inline gfp_t wdm_port_gfp(void)
{
	return KeGetCurrentIrql() >= DISPATCH_LEVEL ? GFP_ATOMIC : GFP_KERNEL;
}

/* Blocks of a page or more are page aligned, as in the WDK. */
static inline PVOID ExAllocatePool2(ULONG64 Flags, SIZE_T Size, ULONG Tag)
{
	gfp_t gfp = wdm_port_gfp();

	return gfp == GFP_KERNEL ? kvzalloc(Size, gfp) : kzalloc(Size, gfp);
}

static inline PVOID ExAllocatePoolZero(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
	return ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, Tag);
}

#define ExAllocatePoolWithTag(Type, Size, Tag)	ExAllocatePoolZero(Type, Size, Tag)
#define ExFreePoolWithTag(Pointer, Tag)		kvfree(Pointer)
#define ExFreePool(Pointer)			kvfree(Pointer)

static inline PHYSICAL_ADDRESS MmGetPhysicalAddress(const void *Va)
{
	PHYSICAL_ADDRESS address;

	address.QuadPart = is_vmalloc_addr(Va) ?
		PFN_PHYS(vmalloc_to_pfn(Va)) + offset_in_page(Va) :
		virt_to_phys((void *)Va);
	return address;
}

/* Locks, counts and references */

typedef spinlock_t KSPIN_LOCK, *PKSPIN_LOCK;

#define KeInitializeSpinLock(Lock)	spin_lock_init(Lock)

static inline VOID KeAcquireSpinLock(PKSPIN_LOCK Lock, PKIRQL OldIrql)
	__acquires(Lock)
{
	*OldIrql = KeGetCurrentIrql();
	spin_lock_bh(Lock);
}

static inline VOID KeReleaseSpinLock(PKSPIN_LOCK Lock, KIRQL NewIrql)
	__releases(Lock)
{
	spin_unlock_bh(Lock);
}

static inline VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK Lock)
	__acquires(Lock)
{
	spin_lock(Lock);
}

static inline VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK Lock)
	__releases(Lock)
{
	spin_unlock(Lock);
}

static inline LONG InterlockedIncrement(volatile LONG *Addend)
{
	return atomic_inc_return((atomic_t *)Addend);
}

static inline LONG InterlockedDecrement(volatile LONG *Addend)
{
	return atomic_dec_return((atomic_t *)Addend);
}

static inline LONG InterlockedExchange(volatile LONG *Target, LONG Value)
{
	return atomic_xchg((atomic_t *)Target, Value);
}

/* Return the value before the addition. */
static inline LONG InterlockedExchangeAdd(volatile LONG *Addend, LONG Value)
{
	return atomic_fetch_add(Value, (atomic_t *)Addend);
}

static inline LONG InterlockedCompareExchange(volatile LONG *Destination,
					      LONG Exchange, LONG Comparand)
{
	return atomic_cmpxchg((atomic_t *)Destination, Comparand, Exchange);
}

#define ObReferenceObject(Object)	((void)get_device(Object))
#define ObDereferenceObject(Object)	put_device(Object)

/* @wait.lock guards @state. */
typedef struct _KEVENT {
	wait_queue_head_t wait;
	LONG state;
	EVENT_TYPE type;
} KEVENT, *PKEVENT, *PRKEVENT;

#define KeInitializeEvent(Event, Type, State) do {			\
	PKEVENT __event = (Event);					\
									\
	init_waitqueue_head(&__event->wait);				\
	__event->state = !!(State);					\
	__event->type = (Type);						\
} while (0)

/*
 * Wake up with the lock held: a waiter that finds the event set may free it, so nothing touches
 * it once the lock is released.
 */
static inline LONG wdm_port_set(PRKEVENT Event, LONG State)
{
	unsigned long flags;
	LONG was;

	spin_lock_irqsave(&Event->wait.lock, flags);
	was = Event->state;
	Event->state = State;
	if (State)
		wake_up_all_locked(&Event->wait);
	spin_unlock_irqrestore(&Event->wait.lock, flags);
	return was;
}

static inline LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
	return wdm_port_set(Event, 1);
}

static inline VOID KeClearEvent(PRKEVENT Event)
{
	wdm_port_set(Event, 0);
}

static inline LONG KeResetEvent(PRKEVENT Event)
{
	return wdm_port_set(Event, 0);
}

static inline LONG KeReadStateEvent(PRKEVENT Event)
{
	return READ_ONCE(Event->state);
}

/* Check whether an event is set. A synchronization event is reset by the first caller. */
static inline bool wdm_port_take(PRKEVENT Event)
{
	unsigned long flags;
	bool set;

	spin_lock_irqsave(&Event->wait.lock, flags);
	set = Event->state;
	if (Event->type == SynchronizationEvent)
		Event->state = 0;
	spin_unlock_irqrestore(&Event->wait.lock, flags);
	return set;
}

/* @Object is a KEVENT; a negative @Timeout is relative, and others are not supported. */
static inline NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
					     KPROCESSOR_MODE WaitMode,
					     BOOLEAN Alertable,
					     PLARGE_INTEGER Timeout)
{
	PKEVENT event = Object;
	u64 ns;

	if (!Timeout) {
		wait_event(event->wait, wdm_port_take(event));
		return STATUS_SUCCESS;
	}
	if (Timeout->QuadPart > 0)
		return STATUS_NOT_SUPPORTED;
	/* Longer than 500 years is as good as forever, and must not wrap to less. */
	ns = min(-(u64)Timeout->QuadPart, U64_MAX / 100) * 100;
	if (!ns)
		return wdm_port_take(event) ? STATUS_SUCCESS : STATUS_TIMEOUT;
	if (wait_event_timeout(event->wait, wdm_port_take(event),
			       nsecs_to_jiffies(ns) + 1))
		return STATUS_SUCCESS;
	return STATUS_TIMEOUT;
}

#else
#include <wdm_port_user.h>
#endif /* __KERNEL__ */

/* Messages. %l is for LONG and ULONG, which have 32 bits. */

#define DPFLTR_IHVDRIVER_ID	77
#define DPFLTR_ERROR_LEVEL	0
#define DPFLTR_WARNING_LEVEL	1
#define DPFLTR_TRACE_LEVEL	2
#define DPFLTR_INFO_LEVEL	3

ULONG DbgPrint(const char *Format, ...);
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, const char *Format, ...);

#define KdPrint(Arguments)	((void)DbgPrint Arguments)
#define KdPrintEx(Arguments)	((void)DbgPrintEx Arguments)

/* MDL functions that wdm.h does not have */

typedef enum _LOCK_OPERATION {
	IoReadAccess,
	IoWriteAccess,
	IoModifyAccess,
} LOCK_OPERATION;

typedef enum _MM_PAGE_PRIORITY {
	LowPagePriority,
	NormalPagePriority = 16,
	HighPagePriority = 32,
} MM_PAGE_PRIORITY;

typedef enum _MEMORY_CACHING_TYPE {
	MmNonCached,
	MmCached,
	MmWriteCombined,
} MEMORY_CACHING_TYPE;

#define MdlMappingNoExecute		0x40000000
#define MM_ALLOCATE_FULLY_REQUIRED	0x00000004

#define MmSizeOfMdl(Base, Length) \
	(sizeof(MDL) + sizeof(PFN_NUMBER) * ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length))

static inline VOID MmInitializeMdl(PMDL Mdl, PVOID BaseVa, SIZE_T Length)
{
	memset(Mdl, 0, sizeof(*Mdl));
	Mdl->Size = MmSizeOfMdl(BaseVa, Length);
	Mdl->StartVa = PAGE_ALIGN(BaseVa);
	Mdl->ByteOffset = BYTE_OFFSET(BaseVa);
	Mdl->ByteCount = Length;
}

VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress,
		       ULONG Length);
PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority);
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL Mdl);

/* Unmap a partial MDL before IoBuildPartialMdl() fills it again, or IoFreeMdl(). */
static inline VOID MmPrepareMdlForReuse(PMDL Mdl)
{
	if (Mdl->MdlFlags & MDL_PARTIAL && Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
}

VOID MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE AccessMode,
			 LOCK_OPERATION Operation);
VOID MmUnlockPages(PMDL Mdl);
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress,
			     PHYSICAL_ADDRESS HighAddress,
			     PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
			     MEMORY_CACHING_TYPE CacheType, ULONG Flags);
VOID MmFreePagesFromMdl(PMDL Mdl);

#endif /* _WDM_PORT_H */
