// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Callbacks: a thread of the library reads the events of /dev/wdm_iommu and calls fault
 * handlers and state change callbacks, one at a time. It is started when the first of them is
 * registered. A thread that registers a state change callback makes the first call itself.
 */
#include <errno.h>
#include <signal.h>

#include "private.h"

static pthread_once_t started = PTHREAD_ONCE_INIT;
static int start_error;

/**
 * struct turn - a call of a callback
 * @object: the PDO or device
 * @outer: the call of the callback that registers this one, or NULL
 */
struct turn {
	const void *object;
	struct turn *outer;
};

/* The call in progress, or NULL; guarded by wdk_lock */
static struct turn *running;
static pthread_t running_on;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;

/* Check whether a callback is running on this thread. */
static bool is_nested(void)
{
	return running && pthread_equal(running_on, pthread_self());
}

/* Wait until no callback is running on another thread; drops wdk_lock while it waits. */
static void wait_for_turn(void)
{
	while (running && !is_nested())
		pthread_cond_wait(&idle, &wdk_lock);
}

/* Call a callback, after wait_for_turn(); drops wdk_lock during the call. */
static void begin(struct turn *turn, const void *object)
{
	turn->object = object;
	turn->outer = running;
	running = turn;
	running_on = pthread_self();
	wdk_release();
}

static void end(const struct turn *turn)
{
	wdk_acquire();
	running = turn->outer;
	pthread_cond_broadcast(&idle);
}

static bool is_running(const void *object)
{
	const struct turn *turn;

	for (turn = running; turn; turn = turn->outer)
		if (turn->object == object)
			return true;
	return false;
}

/**
 * wdk_events_wait() - Wait until no callback of an object is running
 * @object: the PDO or device; wdk_lock is held, and dropped during the wait
 *
 * Returns at once on the thread that runs the callback.
 */
void wdk_events_wait(const void *object)
{
	while (is_running(object) && !is_nested())
		pthread_cond_wait(&idle, &wdk_lock);
}

static PDEVICE_OBJECT find_pdo(__u32 handle)
{
	PLIST_ENTRY entry;

	for (entry = wdk_pdos.Flink; entry != &wdk_pdos; entry = entry->Flink) {
		PDEVICE_OBJECT pdo = CONTAINING_RECORD(entry, DEVICE_OBJECT, link);

		if (pdo->handle == handle)
			return pdo;
	}
	return NULL;
}

/* Convert a fault to the contract's structure. */
static void report_fault(const struct wdm_iommu_event *event)
{
	FAULT_INFORMATION info = { .Type = FaultInformationX64 };
	DEVICE_FAULT_CONFIGURATION faults;
	PDEVICE_OBJECT pdo;
	struct turn turn;

	wait_for_turn();
	pdo = find_pdo(event->device);
	if (!pdo || !pdo->faults.FaultHandler)
		return;
	faults = pdo->faults;
	info.X64.DomainHandle = pdo->domain;
	info.X64.FaultAddress = (PVOID)(uintptr_t)event->fault.address;
	info.X64.Flags.FaultAddressValid = 1;
	info.X64.Type = event->fault.kind == WDM_IOMMU_FAULT_PERMISSION ?
		PermissionFault : TranslationFault;
	info.X64.PciSegment = pdo->address.segment;
	begin(&turn, pdo);
	faults.FaultHandler(faults.FaultContext, &info);
	end(&turn);
}

static void call(PIOMMU_DMA_DEVICE device, ULONG types)
{
	IOMMU_INTERFACE_STATE_CHANGE change = { .AvailableDomainTypes = types };
	PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK callback = device->callback;
	PVOID context = device->context;
	struct turn turn;

	change.PresentFields.AvailableDomainTypes = 1;
	device->types = types;
	begin(&turn, device);
	callback(&change, context);
	end(&turn);
}

/* Find a device whose callback has not been called for its current types. */
static PIOMMU_DMA_DEVICE find_change(ULONG *types)
{
	PLIST_ENTRY entry;

	wait_for_turn();
	for (entry = wdk_devices.Flink; entry != &wdk_devices; entry = entry->Flink) {
		PIOMMU_DMA_DEVICE device = CONTAINING_RECORD(entry, IOMMU_DMA_DEVICE, link);

		*types = wdk_device_types(device->pdo);
		if (device->registered && device->types != *types)
			return device;
	}
	return NULL;
}

static void report_changes(void)
{
	PIOMMU_DMA_DEVICE device;
	ULONG types;

	while ((device = find_change(&types)))
		call(device, types);
}

/**
 * wdk_events_deliver() - Call the callbacks that an event concerns
 * @event: the event
 *
 * Queries the current types, so a lost event does no harm.
 */
void wdk_events_deliver(const struct wdm_iommu_event *event)
{
	wdk_acquire();
	if (event->type == WDM_IOMMU_EVENT_FAULT)
		report_fault(event);
	else
		report_changes();
	wdk_release();
}

static void *read_events(void *unused)
{
	struct wdm_iommu_event events[16];
	int number, i;

	do {
		number = wdm_read_events(wdk_fd(), events, RTL_NUMBER_OF(events));
		for (i = 0; i < number; i++)
			wdk_events_deliver(&events[i]);
	} while (number >= 0 || errno == EINTR);
	return unused;
}

/* Leave signals to the program's own threads. */
static void start_once(void)
{
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	start_error = pthread_create(&thread, NULL, read_events, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!start_error)
		pthread_detach(thread);
}

/**
 * wdk_events_start() - Start the thread that reads events
 *
 * Return: STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wdk_events_start(void)
{
	pthread_once(&started, start_once);
	return start_error ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

/* Contract: IommuRegisterInterfaceStateChangeCallback. */
NTSTATUS wdk_register_state_change(PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK StateChangeCallback,
				   PVOID Context, PIOMMU_DMA_DEVICE DmaDevice,
				   PIOMMU_INTERFACE_STATE_CHANGE_FIELDS StateFields)
{
	NTSTATUS status;

	wdm_port_passive("RegisterInterfaceStateChangeCallback");
	if (!StateChangeCallback)
		return STATUS_INVALID_PARAMETER_1;
	if (!StateFields || StateFields->AsULONG != 1)
		return STATUS_INVALID_PARAMETER_4;
	status = wdk_events_start();
	if (!NT_SUCCESS(status))
		return status;
	wdk_acquire();
	wait_for_turn();
	if (!wdk_device_exists(DmaDevice)) {
		status = STATUS_INVALID_HANDLE;
	} else if (DmaDevice->callback) {
		status = STATUS_UNSUCCESSFUL;
	} else {
		DmaDevice->callback = StateChangeCallback;
		DmaDevice->context = Context;
		call(DmaDevice, wdk_device_types(DmaDevice->pdo));
		DmaDevice->registered = true;
		/*
		 * Report changes since the types were queried. Inside a callback, wait for its
		 * end: what called it looks for changes, or reads the event.
		 */
		if (!is_nested())
			report_changes();
	}
	wdk_release();
	return status;
}

/* Contract: IommuUnregisterInterfaceStateChangeCallback. */
NTSTATUS wdk_unregister_state_change(PIOMMU_INTERFACE_STATE_CHANGE_CALLBACK StateChangeCallback,
				     PIOMMU_DMA_DEVICE DmaDevice)
{
	NTSTATUS status = STATUS_UNSUCCESSFUL;

	wdm_port_passive("UnregisterInterfaceStateChangeCallback");
	wdk_acquire();
	if (!wdk_device_exists(DmaDevice)) {
		status = STATUS_INVALID_HANDLE;
	} else if (DmaDevice->registered && DmaDevice->callback == StateChangeCallback) {
		DmaDevice->registered = false;
		wdk_events_wait(DmaDevice);
		DmaDevice->callback = NULL;
		status = STATUS_SUCCESS;
	}
	wdk_release();
	return status;
}
