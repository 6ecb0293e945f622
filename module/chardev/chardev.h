/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/wdm_iommu: the front end for programs.
 */
#ifndef WDM_CHARDEV_CHARDEV_H
#define WDM_CHARDEV_CHARDEV_H

#include <linux/types.h>

#include "../core/mdl.h"
#include "object.h"

/* Maximum number of addresses in a list */
#define WDM_MAX_VA_LIST		65536

/* Maximum number of operations in a batch */
#define WDM_BATCH_MAX		65536

/* Maximum number of objects that a call looks up */
#define WDM_COMMAND_OBJECTS	2

/**
 * struct wdm_command - an ioctl being handled
 * @ctx: the file
 * @arg: the kernel's copy of the argument, of the type in the table of ioctls, with zeros
 *	for the members that an older program does not pass
 * @created: the object that the call creates; published with the answer
 * @objects: objects that the call uses; the dispatcher puts them
 * @nr_objects: number of @objects
 */
struct wdm_command {
	struct wdm_context *ctx;
	void *arg;
	struct wdm_object *created;
	struct wdm_object *objects[WDM_COMMAND_OBJECTS];
	unsigned int nr_objects;
};

/* Look up objects by handle; they stay valid until the handler returns. */
ntstatus_t wdm_command_object(struct wdm_command *cmd, u32 handle,
			      enum wdm_object_type type,
			      struct wdm_object **out);
ntstatus_t wdm_command_domain(struct wdm_command *cmd, u32 handle,
			      struct wdm_domain **out);
ntstatus_t wdm_command_device(struct wdm_command *cmd, u32 handle,
			      struct wdm_device **out);

/* Lists that a call works on */
ntstatus_t wdm_command_alloc_list(struct wdm_command *cmd, size_t size, void **out);
ntstatus_t wdm_command_copy_list(struct wdm_command *cmd, u64 ulist, size_t size,
				 void **out);
void wdm_command_free_list(struct wdm_command *cmd, void *list, size_t size);

void wdm_mdl_range_init(struct wdm_mdl_range *range, struct wdm_mdl *mdl,
			u64 offset, u64 length);
ntstatus_t wdm_command_range(struct wdm_command *cmd, u32 handle, u64 offset, u64 length,
			     struct wdm_mdl_range *range);

/* Events of devices, in cmd_events.c */
void wdm_event_device_revoked(void *data, struct wdm_device *device);
bool wdm_events_readable(struct wdm_context *ctx);
ssize_t wdm_events_read(struct wdm_context *ctx, char __user *buffer,
			size_t size, bool nonblock);

int wdm_chardev_init(void);
void wdm_chardev_exit(void);

/* Handlers, in cmd_*.c */
ntstatus_t wdm_cmd_info(struct wdm_command *cmd);
ntstatus_t wdm_cmd_destroy(struct wdm_command *cmd);
ntstatus_t wdm_cmd_domain_create(struct wdm_command *cmd);
ntstatus_t wdm_cmd_query_domain(struct wdm_command *cmd);
ntstatus_t wdm_cmd_query_mappings(struct wdm_command *cmd);
ntstatus_t wdm_cmd_query_ranges(struct wdm_command *cmd);
ntstatus_t wdm_cmd_query_device(struct wdm_command *cmd);
ntstatus_t wdm_cmd_pasid_create(struct wdm_command *cmd);
ntstatus_t wdm_cmd_pasid_attach(struct wdm_command *cmd);
ntstatus_t wdm_cmd_pasid_detach(struct wdm_command *cmd);
ntstatus_t wdm_cmd_domain_create_ex(struct wdm_command *cmd);
ntstatus_t wdm_cmd_map_ex(struct wdm_command *cmd);
ntstatus_t wdm_cmd_reserve(struct wdm_command *cmd);
ntstatus_t wdm_cmd_map_reserved(struct wdm_command *cmd);
ntstatus_t wdm_cmd_unmap_reserved(struct wdm_command *cmd);
ntstatus_t wdm_cmd_query_input_mappings(struct wdm_command *cmd);
ntstatus_t wdm_cmd_set_fault_reporting(struct wdm_command *cmd);
ntstatus_t wdm_cmd_device_create(struct wdm_command *cmd);
ntstatus_t wdm_cmd_attach(struct wdm_command *cmd);
ntstatus_t wdm_cmd_detach(struct wdm_command *cmd);
ntstatus_t wdm_cmd_mdl_create(struct wdm_command *cmd);
ntstatus_t wdm_cmd_mdl_create_file(struct wdm_command *cmd);
ntstatus_t wdm_cmd_map(struct wdm_command *cmd);
ntstatus_t wdm_cmd_unmap(struct wdm_command *cmd);
ntstatus_t wdm_cmd_map_user(struct wdm_command *cmd);
ntstatus_t wdm_cmd_batch(struct wdm_command *cmd);
ntstatus_t wdm_cmd_map_identity(struct wdm_command *cmd);
ntstatus_t wdm_cmd_unmap_identity(struct wdm_command *cmd);
ntstatus_t wdm_cmd_memory_add(struct wdm_command *cmd);
ntstatus_t wdm_cmd_memory_remove(struct wdm_command *cmd);
ntstatus_t wdm_cmd_configure(struct wdm_command *cmd);
ntstatus_t wdm_cmd_flush(struct wdm_command *cmd);
ntstatus_t wdm_cmd_flush_va_list(struct wdm_command *cmd);

#endif /* WDM_CHARDEV_CHARDEV_H */
