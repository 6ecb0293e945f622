// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of ioctl handlers: look up the objects that a call names, and copy the lists
 * that it passes.
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../core/domain.h"
#include "../core/mdl.h"
#include "chardev.h"

static __always_inline ntstatus_t
__wdm_command_object(struct wdm_command *cmd, u32 handle, enum wdm_object_type type,
		     struct wdm_object **out)
{
	ntstatus_t status;

	if (WARN_ON(cmd->nr_objects == WDM_COMMAND_OBJECTS))
		return STATUS_UNSUCCESSFUL;
	status = wdm_object_get(cmd->ctx, handle, type, out);
	if (wdm_ok(status))
		cmd->objects[cmd->nr_objects++] = *out;
	return status;
}

/**
 * wdm_command_object() - Look up an object for the rest of a call
 * @cmd: the call
 * @handle: its handle
 * @type: the type that it must have, or %WDM_OBJECT_ANY
 * @out: out: the object
 *
 * Return: as wdm_object_get().
 */
ntstatus_t wdm_command_object(struct wdm_command *cmd, u32 handle,
			      enum wdm_object_type type,
			      struct wdm_object **out)
{
	return __wdm_command_object(cmd, handle, type, out);
}

/**
 * wdm_command_domain() - Look up a domain for the rest of a call
 * @cmd: the call
 * @handle: its handle
 * @out: out: the domain
 *
 * Return: as wdm_object_get().
 */
ntstatus_t wdm_command_domain(struct wdm_command *cmd, u32 handle,
			      struct wdm_domain **out)
{
	struct wdm_object *object;
	ntstatus_t status;

	status = __wdm_command_object(cmd, handle, WDM_OBJECT_DOMAIN, &object);
	if (wdm_ok(status))
		*out = object->domain;
	return status;
}

/**
 * wdm_command_device() - Look up a device for the rest of a call
 * @cmd: the call
 * @handle: its handle
 * @out: out: the device
 *
 * Return: as wdm_object_get().
 */
ntstatus_t wdm_command_device(struct wdm_command *cmd, u32 handle,
			      struct wdm_device **out)
{
	struct wdm_object *object;
	ntstatus_t status;

	status = __wdm_command_object(cmd, handle, WDM_OBJECT_DEVICE, &object);
	if (wdm_ok(status))
		*out = object->device;
	return status;
}

/**
 * wdm_mdl_range_init() - Convert part of an MDL from bytes to pages
 * @range: out: the pages, not checked against the MDL; none if @offset or @length are not
 *	whole pages, for which the core returns the status of the parameter
 * @mdl: the MDL
 * @offset: start of the part, in bytes
 * @length: number of bytes; 0: up to the end of the MDL
 */
void wdm_mdl_range_init(struct wdm_mdl_range *range, struct wdm_mdl *mdl,
			u64 offset, u64 length)
{
	u64 page = offset >> PAGE_SHIFT;

	*range = (struct wdm_mdl_range) { .mdl = mdl, .page = page };
	if (!PAGE_ALIGNED(offset) || !PAGE_ALIGNED(length))
		return;
	if (length)
		range->nr_pages = length >> PAGE_SHIFT;
	else if (page < mdl->pages.nr_pages)
		range->nr_pages = mdl->pages.nr_pages - page;
}

/**
 * wdm_command_range() - Look up an MDL and take a part of it, for the rest of a call
 * @cmd: the call
 * @handle: handle of the MDL
 * @offset: start of the part, in bytes
 * @length: number of bytes; 0: up to the end of the MDL
 * @range: out: the part; see wdm_mdl_range_init()
 *
 * Return: as wdm_object_get().
 */
ntstatus_t wdm_command_range(struct wdm_command *cmd, u32 handle, u64 offset, u64 length,
			     struct wdm_mdl_range *range)
{
	struct wdm_object *object;
	ntstatus_t status;

	status = __wdm_command_object(cmd, handle, WDM_OBJECT_MDL, &object);
	if (wdm_ok(status))
		wdm_mdl_range_init(range, object->mdl, offset, length);
	return status;
}

/* Shorter lists are not charged: the thread that makes the call takes as much. */
#define WDM_LIST_CHARGED	SZ_32K

/**
 * wdm_command_alloc_list() - Allocate room for a list of a call
 * @cmd: the call
 * @size: bytes
 * @out: out: the room, for wdm_command_free_list()
 *
 * A call may wait for long, for the program's memory or for other calls, and a program can
 * have thousands of threads. So long lists count for the file's budget.
 *
 * Return: STATUS_SUCCESS, STATUS_WORKING_SET_QUOTA, STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_command_alloc_list(struct wdm_command *cmd, size_t size, void **out)
{
	struct wdm_budget *budget = &cmd->ctx->budget;

	if (size > WDM_LIST_CHARGED && !wdm_budget_charge(budget, size))
		return STATUS_WORKING_SET_QUOTA;
	*out = kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (*out)
		return STATUS_SUCCESS;
	if (size > WDM_LIST_CHARGED)
		wdm_budget_uncharge(budget, size);
	return STATUS_INSUFFICIENT_RESOURCES;
}

/**
 * wdm_command_free_list() - Undo wdm_command_alloc_list()
 * @cmd: the call
 * @list: the list
 * @size: as it was told
 */
void wdm_command_free_list(struct wdm_command *cmd, void *list, size_t size)
{
	kvfree(list);
	if (size > WDM_LIST_CHARGED)
		wdm_budget_uncharge(&cmd->ctx->budget, size);
}

/**
 * wdm_command_copy_list() - Copy a list from the program
 * @cmd: the call
 * @ulist: where it is, in the program
 * @size: bytes
 * @out: out: the copy, for wdm_command_free_list()
 *
 * Context: no lock is held: the program's memory may stall.
 * Return: as wdm_command_alloc_list(); STATUS_ACCESS_VIOLATION if it cannot be read.
 */
ntstatus_t wdm_command_copy_list(struct wdm_command *cmd, u64 ulist, size_t size,
				 void **out)
{
	ntstatus_t status = wdm_command_alloc_list(cmd, size, out);

	if (!wdm_ok(status) || !copy_from_user(*out, u64_to_user_ptr(ulist), size))
		return status;
	wdm_command_free_list(cmd, *out, size);
	return STATUS_ACCESS_VIOLATION;
}
