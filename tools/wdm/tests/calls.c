// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tests of what libwdm.a asks of the kernel, and of how it handles failures. The test
 * itself is the kernel: it answers the ioctls.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "calls.h"
#include "program.h"
#include "tap.h"
#include "vfio_device.h"

#include "private.h"

#define MAX_VA_LIST	2
#define TAG		0x74736574

/* Return the NTSTATUS of a call, after writing its results. Called without a lock. */
typedef __u32 answer_fn(unsigned long request, void *argument);

static answer_fn *answer;
static int file = -1;

int __wrap_wdm_open(void)
{
	return file < 0 ? __real_wdm_open() : file;
}

/* The next result of posix_memalign(), if not NULL */
static void *next_memory;

int __wrap_posix_memalign(void **memory, size_t align, size_t bytes)
{
	if (!next_memory)
		return __real_posix_memalign(memory, align, bytes);
	*memory = next_memory;
	next_memory = NULL;
	return 0;
}

/* Used in place of libc's by all of the program */
int ioctl(int fd, unsigned long request, ...)
{
	/* The start of all structures */
	struct {
		__u32 size;
		__u32 status;
	} *argument;
	va_list arguments;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (fd != file) {
		errno = EBADF;
		return -1;
	}
	argument->status = STATUS_SUCCESS;
	if (request == WDM_IOMMU_INFO) {
		((struct wdm_iommu_info *)argument)->max_va_list = MAX_VA_LIST;
		((struct wdm_iommu_info *)argument)->event_size = sizeof(struct wdm_iommu_event);
	} else if (answer) {
		argument->status = answer(request, argument);
	}
	errno = EINVAL;
	return argument->status ? -1 : 0;
}

static PIOMMU_DMA_DOMAIN create_domain(BOOLEAN os_managed)
{
	PIOMMU_DMA_DOMAIN domain;

	answer = NULL;
	return NT_SUCCESS(wdk_create_domain(os_managed, &domain)) ? domain : NULL;
}

static PFN_NUMBER frame_of(const void *va)
{
	return PHYS_PFN(MmGetPhysicalAddress(va).QuadPart);
}

/* Of the parts of a list, the first ones fail, at 0x5000 and at 0x3000. */
static __u32 part_errors[] = { STATUS_ACCESS_VIOLATION, STATUS_INVALID_PARAMETER };
static unsigned int parts, flushed;

static __u32 answer_flush(unsigned long request, void *argument)
{
	struct wdm_iommu_flush_va_list *flush = argument;
	unsigned int part = parts;

	if (request != WDM_IOMMU_FLUSH_VA_LIST)
		return STATUS_SUCCESS;
	parts++;
	flushed += flush->number;
	if (part >= ARRAY_SIZE(part_errors))
		return STATUS_SUCCESS;
	flush->walk_error.count = 1;
	flush->walk_error.logical_address = part ? 0x3000 : 0x5000;
	return part_errors[part];
}

static __u32 answer_unconfigured(unsigned long request, void *argument)
{
	(void)argument;
	parts += request == WDM_IOMMU_FLUSH_VA_LIST;
	return request == WDM_IOMMU_FLUSH_VA_LIST ? STATUS_INVALID_DEVICE_STATE : STATUS_SUCCESS;
}

static void test_flush(void)
{
	__u64 list[2 * MAX_VA_LIST + 1] = { 0x5000, 0x6000, 0x3000, 0x4000, 0x7000 };
	PIOMMU_DMA_DOMAIN domain = create_domain(FALSE);
	NTSTATUS status;

	answer = answer_flush;
	status = wdk_flush_domain_va_list(domain, TRUE, ARRAY_SIZE(list), list);
	tap_ok(parts == 3 && flushed == ARRAY_SIZE(list),
	       "a list is flushed to its end, in spite of invalid entries");
	tap_ok(status == STATUS_INVALID_PARAMETER,
	       "the status is that of the entry with the lowest address");
	parts = 0;
	answer = answer_unconfigured;
	status = wdk_flush_domain_va_list(domain, TRUE, ARRAY_SIZE(list), list);
	tap_ok(parts == 1 && status == STATUS_INVALID_DEVICE_STATE, "any other failure ends it");
	answer = NULL;
	wdk_delete_domain(domain);
}

static __u32 configure_status;
static char *late;
static ULONGLONG late_address, last_added;

static __u32 answer_configure(unsigned long request, void *argument)
{
	if (request == WDM_IOMMU_MEMORY_ADD)
		last_added = ((struct wdm_iommu_memory_add *)argument)->caller_address;
	if (request != WDM_IOMMU_CONFIGURE)
		return STATUS_SUCCESS;
	/* Another thread asks for an address. */
	if (late)
		late_address = MmGetPhysicalAddress(late).QuadPart;
	return configure_status;
}

/* Check whether memory is added to a caller's address space when it gets an address. */
static bool is_added(const char *memory)
{
	return last_added == (ULONGLONG)MmGetPhysicalAddress(memory).QuadPart;
}

static void test_bypass(void)
{
	DOMAIN_CONFIGURATION bypass = { .Type = DomainConfigurationX64 };
	DOMAIN_CONFIGURATION tables = { .Type = DomainConfigurationX64 };
	PIOMMU_DMA_DOMAIN domain = create_domain(FALSE);
	char *memory[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(memory); i++)
		memory[i] = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, TAG);
	tables.X64.TranslationEnabled = TRUE;
	answer = answer_configure;
	late = memory[0];
	tap_ok(wdk_configure_domain(domain, &bypass) == STATUS_SUCCESS &&
	       last_added == late_address,
	       "without translation, devices reach memory that was new during Configure");
	late = NULL;
	tap_ok(is_added(memory[1]), "they reach new memory");
	configure_status = STATUS_INVALID_PARAMETER_2;
	tap_ok(wdk_configure_domain(domain, &tables) == STATUS_INVALID_PARAMETER_2 &&
	       is_added(memory[2]), "they still do after a Configure that failed");
	configure_status = STATUS_SUCCESS;
	tap_ok(wdk_configure_domain(domain, &tables) == STATUS_SUCCESS && !is_added(memory[3]),
	       "with translation, memory is added at the next flush");
	answer = NULL;
	wdk_delete_domain(domain);
	for (i = 0; i < ARRAY_SIZE(memory); i++)
		ExFreePool(memory[i]);
}

/* The last two pages of the address space are a token, and mapped. */
#define LAST_PAGES	(-2 * PAGE_SIZE)

static unsigned int unmapped;

static __u32 answer_last_pages(unsigned long request, void *argument)
{
	struct wdm_iommu_query_mappings *query = argument;

	switch (request) {
	case WDM_IOMMU_RESERVE:
		((struct wdm_iommu_reserve *)argument)->logical_address = LAST_PAGES;
		break;
	case WDM_IOMMU_QUERY_MAPPINGS:
		query->number = 1;
		query->start = UINT64_MAX;
		*(struct wdm_iommu_mapping *)(uintptr_t)query->mappings =
			(struct wdm_iommu_mapping) { LAST_PAGES, 2 * PAGE_SIZE, 0, 0, 0 };
		break;
	case WDM_IOMMU_UNMAP:
		return STATUS_RESOURCE_IN_USE;
	case WDM_IOMMU_UNMAP_RESERVED:
		unmapped += ((struct wdm_iommu_unmap_reserved *)argument)->length / PAGE_SIZE;
		break;
	}
	return STATUS_SUCCESS;
}

static void test_last_page(void)
{
	char *memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 2 * PAGE_SIZE, TAG);
	PFN_NUMBER frames[] = { frame_of(memory + PAGE_SIZE), frame_of(memory) };
	IOMMU_MAP_PHYSICAL_ADDRESS physical = { .MapType = MapPhysicalAddressTypePfn };
	PIOMMU_DMA_LOGICAL_ADDRESS_TOKEN token = NULL;
	PIOMMU_DMA_DOMAIN domain = create_domain(TRUE);
	IOMMU_DMA_LOGICAL_ADDRESS address = LAST_PAGES;

	physical.PfnArray.PageFrame = frames;
	physical.PfnArray.NumberOfPages = ARRAY_SIZE(frames);
	answer = answer_last_pages;
	wdk_reserve_logical_address_range(domain, 2 * PAGE_SIZE, &address, NULL, NULL, &token);
	tap_ok(token && wdk_unmap_logical_range(domain, LAST_PAGES + PAGE_SIZE, 1) ==
	       STATUS_RESOURCE_IN_USE, "the last page is part of a token");
	wdk_free_reserved_logical_address_range(token);
	tap_ok(NT_SUCCESS(wdk_map_logical_range_ex(domain, IOMMU_ACCESS_READ, &physical, NULL,
						   NULL, NULL, &address)) &&
	       wdk_unmap_logical_range(domain, address, 2) == STATUS_SUCCESS && unmapped == 2,
	       "scattered pages at the end of the address space are unmapped");
	answer = NULL;
	wdk_delete_domain(domain);
	ExFreePool(memory);
}

/* Make a PDO of a device that was opened through its cdev. */
static PDEVICE_OBJECT open_cdev(__u32 handle)
{
	PDEVICE_OBJECT pdo = calloc(1, sizeof(*pdo));

	pdo->refs = 1;
	pdo->handle = handle;
	pdo->vfio = wdm__vfio_new();
	pdo->vfio->is_cdev = true;
	pdo->vfio->fd = dup(file);
	wdk_acquire();
	InsertTailList(&wdk_pdos, &pdo->link);
	wdk_release();
	return pdo;
}

/* The handle of the device, which the kernel has; the creation of one fails so many times. */
static __u32 device_handle, failures, wrong;
static int cdev;

static __u32 answer_device(unsigned long request, void *argument)
{
	struct wdm_iommu_query_device *query = argument;
	struct wdm_iommu_device_create *create = argument;
	struct wdm_iommu_destroy *destroy = argument;

	switch (request) {
	case WDM_IOMMU_QUERY_DEVICE:
		if (!device_handle || query->device != device_handle)
			return STATUS_INVALID_HANDLE;
		query->max_pasids = 1;
		break;
	case WDM_IOMMU_DEVICE_CREATE:
		if (create->flags != WDM_IOMMU_DEVICE_CDEV || create->cdev != cdev ||
		    create->segment || create->bus || create->devfn)
			return STATUS_ACCESS_DENIED;
		if (failures && failures--)
			return STATUS_INSUFFICIENT_RESOURCES;
		device_handle = 8;
		create->device = device_handle;
		break;
	case WDM_IOMMU_DESTROY:
		/* It may be the number of another object by then. */
		wrong += destroy->handle && destroy->handle != device_handle;
		device_handle = 0;
		break;
	}
	return STATUS_SUCCESS;
}

static void test_pasid_config(void)
{
	IOMMU_DEVICE_CREATION_CONFIGURATION config = {
		.ConfigType = IommuDeviceCreationConfigTypePasid,
	};
	PIOMMU_DMA_DEVICE device = NULL;
	PDEVICE_OBJECT pdo = open_cdev(7);

	cdev = pdo->vfio->fd;
	pdo->address = (struct wdm_pci_address) { .bus = 3 };
	device_handle = 7;
	answer = answer_device;
	failures = 1;
	tap_ok(wdk_create_device(pdo, &config, &device) == STATUS_INSUFFICIENT_RESOURCES &&
	       device_handle && pdo->handle == device_handle && !pdo->pasid,
	       "the PDO of a cdev keeps its configuration if the kernel refuses another");
	tap_ok(wdk_create_device(pdo, &config, &device) == STATUS_SUCCESS &&
	       pdo->handle == device_handle && pdo->pasid == WDM_IOMMU_PASID_DEFAULT_ONLY,
	       "it is configured for PASIDs");
	wdk_delete_device(device);
	failures = 2;
	tap_ok(wdk_create_device(pdo, NULL, &device) == STATUS_INSUFFICIENT_RESOURCES &&
	       wdk_create_device(pdo, NULL, &device) == STATUS_NOT_FOUND,
	       "it is gone if the kernel refuses both");
	wdm_pdo_close(pdo);
	tap_ok(!wrong, "no other object is destroyed");
	answer = NULL;
}

static IOMMU_INTERFACE_STATE_CHANGE_FIELDS fields = { .AvailableDomainTypes = 1 };
static PIOMMU_DMA_DEVICE outer, inner;
static __u32 types = 1;
static NTSTATUS nested = STATUS_UNSUCCESSFUL;
static unsigned int outer_calls, inner_calls;
static bool in_outer, unregistered_early;
static pthread_t unregistering;

static __u32 answer_types(unsigned long request, void *argument)
{
	if (request == WDM_IOMMU_QUERY_DEVICE)
		((struct wdm_iommu_query_device *)argument)->domain_types = types;
	return STATUS_SUCCESS;
}

static void outer_callback(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context);

static void *unregister_outer(void *unused)
{
	wdk_unregister_state_change(outer_callback, outer);
	unregistered_early = __atomic_load_n(&in_outer, __ATOMIC_SEQ_CST);
	return unused;
}

static void inner_callback(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
	(void)change;
	(void)context;
	if (!inner_calls++) {
		pthread_create(&unregistering, NULL, unregister_outer, NULL);
		usleep(50000);
	}
}

/* At the second call, register another callback. */
static void outer_callback(PIOMMU_INTERFACE_STATE_CHANGE change, PVOID context)
{
	(void)change;
	(void)context;
	if (!outer_calls++)
		return;
	__atomic_store_n(&in_outer, true, __ATOMIC_SEQ_CST);
	nested = wdk_register_state_change(inner_callback, NULL, inner, &fields);
	usleep(50000);
	__atomic_store_n(&in_outer, false, __ATOMIC_SEQ_CST);
}

static void test_nested_callback(void)
{
	const struct wdm_iommu_event event = { .type = WDM_IOMMU_EVENT_DOMAIN_TYPES };
	PDEVICE_OBJECT pdo = open_cdev(7), other = open_cdev(8);

	answer = answer_types;
	wdk_create_device(pdo, NULL, &outer);
	wdk_create_device(other, NULL, &inner);
	wdk_register_state_change(outer_callback, NULL, outer, &fields);
	types = 3;
	wdk_events_deliver(&event);
	tap_ok(outer_calls == 2 && inner_calls == 1 && nested == STATUS_SUCCESS,
	       "a callback registers another");
	pthread_join(unregistering, NULL);
	tap_ok(!unregistered_early, "it is not unregistered while it runs");
	types = 1;
	wdk_events_deliver(&event);
	tap_ok(outer_calls == 2 && inner_calls == 2, "the other one is called from then on");
	wdk_unregister_state_change(inner_callback, inner);
	wdk_delete_device(outer);
	wdk_delete_device(inner);
	wdm_pdo_close(pdo);
	wdm_pdo_close(other);
	answer = NULL;
}

/* Check that the page frames of an MDL are contiguous, and those of the memory. */
static bool is_contiguous(PMDL mdl, const char *va)
{
	ULONG i;

	for (i = 0; i < mdl->ByteCount / PAGE_SIZE; i++)
		if (MmGetMdlPfnArray(mdl)[i] != MmGetMdlPfnArray(mdl)[0] + i ||
		    MmGetMdlPfnArray(mdl)[i] != frame_of(va + i * PAGE_SIZE))
			return false;
	return true;
}

/* malloc() returns memory again that had page frames, and that an MDL has locked. */
static void test_reused_memory(void)
{
	static const PHYSICAL_ADDRESS zero, all = { .QuadPart = -1 };
	char *memory = aligned_alloc(PAGE_SIZE, 4 * PAGE_SIZE), *va;
	PMDL locked = IoAllocateMdl(memory + PAGE_SIZE, PAGE_SIZE, FALSE, FALSE, NULL), mdl;

	MmProbeAndLockPages(locked, UserMode, IoReadAccess);
	frame_of(memory + 2 * PAGE_SIZE);
	frame_of(memory);
	next_memory = memory;
	mdl = MmAllocatePagesForMdlEx(zero, all, zero, 4 * PAGE_SIZE, MmCached, 0);
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	tap_ok(va == memory && is_contiguous(mdl, va),
	       "a block of memory that was freed gets new frames");
	MmUnlockPages(locked);
	tap_ok(va && is_contiguous(mdl, va), "an MDL of the freed memory has no part in them");
	MmFreePagesFromMdl(mdl);
	IoFreeMdl(mdl);
	IoFreeMdl(locked);
}

/* Run all tests. From here on, /dev/wdm_iommu is a pipe, in which there are no events. */
void test_calls(void)
{
	int ends[2];

	if (!tap_ok(!pipe(ends), "a pipe"))
		return;
	file = ends[0];
	/* A call that never returns */
	alarm(60);
	test_flush();
	test_bypass();
	test_last_page();
	test_pasid_config();
	test_nested_callback();
	test_reused_memory();
	alarm(0);
}
