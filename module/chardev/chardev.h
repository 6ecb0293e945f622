/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/wdm_iommu: the front end for programs.
 */
#ifndef WDM_CHARDEV_CHARDEV_H
#define WDM_CHARDEV_CHARDEV_H

#include <linux/types.h>

#include "object.h"

struct wdm_walk_error;

/* Operations in one batch. */
#define WDM_BATCH_MAX		65536

/**
 * struct wdm_command - one ioctl on its way
 * @ctx: the file
 * @arg: the argument, in the kernel's copy; of the type that the ioctl's row in
 *	the table names, filled up with zeros if the program knows an older one
 * @created: an object that the call has made, to be published with the answer
 */
struct wdm_command {
	struct wdm_context *ctx;
	void *arg;
	struct wdm_object *created;
};

int wdm_chardev_init(void);
void wdm_chardev_exit(void);

/* cmd_*.c */
ntstatus_t wdm_cmd_info(struct wdm_command *cmd);
ntstatus_t wdm_cmd_destroy(struct wdm_command *cmd);
ntstatus_t wdm_cmd_domain_create(struct wdm_command *cmd);
ntstatus_t wdm_cmd_query_domain(struct wdm_command *cmd);
ntstatus_t wdm_cmd_query_mappings(struct wdm_command *cmd);
ntstatus_t wdm_cmd_device_create(struct wdm_command *cmd);
ntstatus_t wdm_cmd_attach(struct wdm_command *cmd);
ntstatus_t wdm_cmd_detach(struct wdm_command *cmd);
ntstatus_t wdm_cmd_mdl_create(struct wdm_command *cmd);
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
