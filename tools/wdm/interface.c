// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * IoGetIommuInterface() for programs, and the open /dev/wdm_iommu that its functions use.
 */
#include <errno.h>

#include "private.h"
#include "../../module/wdk/tables.h"

pthread_mutex_t wdk_lock = PTHREAD_MUTEX_INITIALIZER;

static pthread_once_t opened = PTHREAD_ONCE_INIT;
static struct wdm_iommu_info info;
static int fd = -1, open_error;

static void open_once(void)
{
	fd = wdm_open();
	open_error = errno;
	if (fd >= 0)
		wdm_info(fd, &info);
}

/**
 * wdk_fd() - Get the program's /dev/wdm_iommu
 *
 * Return: a file descriptor; -1 with errno if it cannot be opened.
 */
int wdk_fd(void)
{
	pthread_once(&opened, open_once);
	if (fd < 0)
		errno = open_error;
	return fd;
}

/**
 * wdk_info() - Get the abilities of the kernel
 *
 * Return: the abilities; zeroed on failure.
 */
const struct wdm_iommu_info *wdk_info(void)
{
	wdk_fd();
	return &info;
}

/**
 * wdk_status() - Convert the result of an ioctl
 * @status: the status that the ioctl left
 *
 * Return: the same; STATUS_UNSUCCESSFUL if it left none.
 */
NTSTATUS wdk_status(__u32 status)
{
	return status == WDM_STATUS_NONE ? STATUS_UNSUCCESSFUL : (NTSTATUS)status;
}

/**
 * wdk_call() - Make an ioctl
 * @request: WDM_IOMMU_*
 * @argument: its structure
 *
 * Return: its status.
 */
NTSTATUS wdk_call(unsigned long request, void *argument)
{
	return wdk_status(wdm_call(wdk_fd(), request, argument));
}

/**
 * wdk_contains() - Check whether an object is in a list
 * @head: the list; wdk_lock is held
 * @entry: the object's link; need not be valid
 *
 * Return: true if it is.
 */
bool wdk_contains(const LIST_ENTRY *head, const LIST_ENTRY *entry)
{
	const LIST_ENTRY *e;

	for (e = head->Flink; e != head; e = e->Flink)
		if (e == entry)
			return true;
	return false;
}

/**
 * IoGetIommuInterface() - Get the table of functions of version 1
 * @Version: DMA_IOMMU_INTERFACE_VERSION_1
 * @InterfaceOut: out: the table
 *
 * Contract: IoGetIommuInterface.
 *
 * Return: STATUS_SUCCESS; STATUS_NOT_SUPPORTED for any other version, or if
 * /dev/wdm_iommu cannot be opened, with errno. Then nothing is written.
 */
NTSTATUS IoGetIommuInterface(ULONG Version, PDMA_IOMMU_INTERFACE InterfaceOut)
{
	wdm_port_passive(__func__);
	if (Version != DMA_IOMMU_INTERFACE_VERSION_1 || wdk_fd() < 0)
		return STATUS_NOT_SUPPORTED;
	*InterfaceOut = wdk_interface_v1;
	return STATUS_SUCCESS;
}

/**
 * IoGetIommuInterfaceEx() - Get the table of functions of version 1, 2 or 3
 * @Version: DMA_IOMMU_INTERFACE_EX_VERSION_1, _2 or _3; 3 only on kernels that can attach
 *	PASIDs
 * @Flags: must be 0
 * @InterfaceOut: out: the table, and how many bytes of the structure it fills
 *
 * Contract: IoGetIommuInterfaceEx.
 *
 * Return: STATUS_SUCCESS; otherwise nothing is written:
 *
 * * STATUS_INVALID_PARAMETER_1: there is no such version
 * * STATUS_INVALID_PARAMETER_2: @Flags
 * * STATUS_NOT_SUPPORTED: /dev/wdm_iommu cannot be opened; see errno
 */
NTSTATUS IoGetIommuInterfaceEx(ULONG Version, ULONGLONG Flags,
			       PDMA_IOMMU_INTERFACE_EX InterfaceOut)
{
	wdm_port_passive(__func__);
	if (wdk_fd() < 0)
		return STATUS_NOT_SUPPORTED;
	if (!Version || Version > wdk_info()->interface_version ||
	    Version > DMA_IOMMU_INTERFACE_EX_VERSION_MAX)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags)
		return STATUS_INVALID_PARAMETER_2;

	InterfaceOut->Version = Version;
	InterfaceOut->Size = offsetof(DMA_IOMMU_INTERFACE_EX, V1);
	if (Version == DMA_IOMMU_INTERFACE_EX_VERSION_1) {
		InterfaceOut->V1 = wdk_interface_v1.V1;
		InterfaceOut->Size += sizeof(InterfaceOut->V1);
	} else if (Version == DMA_IOMMU_INTERFACE_EX_VERSION_2) {
		/* Version 3 is version 2 followed by five functions. */
		memcpy(&InterfaceOut->V2, &wdk_interface_v3, sizeof(InterfaceOut->V2));
		InterfaceOut->Size += sizeof(InterfaceOut->V2);
	} else {
		InterfaceOut->V3 = wdk_interface_v3;
		InterfaceOut->Size += sizeof(InterfaceOut->V3);
	}
	return STATUS_SUCCESS;
}
