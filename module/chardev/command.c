// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of ioctl handlers: look up the objects that a call names.
 */
#include <linux/mm.h>

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
 * wdm_command_name_domain() - Set the file and the handle of a new domain
 * @cmd: the call that creates it
 *
 * Tracepoints, events and reports show them.
 *
 * Return: the handle.
 */
u32 wdm_command_name_domain(struct wdm_command *cmd)
{
	struct wdm_domain *domain = cmd->created->domain;

	domain->file = cmd->ctx->id;
	domain->handle = cmd->created->handle;
	return domain->handle;
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
 * wdm_command_mdl() - Look up an MDL for the rest of a call
 * @cmd: the call
 * @handle: its handle
 * @out: out: the MDL
 *
 * Return: as wdm_object_get().
 */
ntstatus_t wdm_command_mdl(struct wdm_command *cmd, u32 handle,
			   struct wdm_mdl **out)
{
	struct wdm_object *object;
	ntstatus_t status;

	status = __wdm_command_object(cmd, handle, WDM_OBJECT_MDL, &object);
	if (wdm_ok(status))
		*out = object->mdl;
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
 * wdm_command_map_args() - Look up a domain and part of an MDL
 * @cmd: the call
 * @domain_handle: handle of the domain
 * @mdl_handle: handle of the MDL
 * @offset: start of the part in the MDL, in bytes
 * @length: number of bytes; 0: up to the end of the MDL
 * @domain: out: the domain
 * @range: out: the part of the MDL
 *
 * Return: as wdm_object_get().
 */
ntstatus_t wdm_command_map_args(struct wdm_command *cmd, u32 domain_handle,
				u32 mdl_handle, u64 offset, u64 length,
				struct wdm_domain **domain,
				struct wdm_mdl_range *range)
{
	struct wdm_mdl *mdl;
	ntstatus_t status;

	status = wdm_command_domain(cmd, domain_handle, domain);
	if (!wdm_ok(status))
		return status;
	status = wdm_command_mdl(cmd, mdl_handle, &mdl);
	if (wdm_ok(status))
		wdm_mdl_range_init(range, mdl, offset, length);
	return status;
}
