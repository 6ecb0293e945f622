// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/wdm_iommu: file operations, and the dispatch of ioctls.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/nospec.h>
#include <linux/notifier.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <uapi/linux/wdm_iommu.h>

#include "../core/owner.h"
#include "../core/policy.h"
#include "../core/revoke.h"
#include "account.h"
#include "chardev.h"
#include "fdinfo.h"
#include "owner_fd.h"

/* The start of all argument structures */
struct wdm_header {
	__u32 size;
	__u32 status;
};

union wdm_argument {
	struct wdm_header header;
	struct wdm_iommu_info info;
	struct wdm_iommu_destroy destroy;
	struct wdm_iommu_domain_create domain_create;
	struct wdm_iommu_device_create device_create;
	struct wdm_iommu_attach attach;
	struct wdm_iommu_detach detach;
	struct wdm_iommu_mdl_create mdl_create;
	struct wdm_iommu_map map;
	struct wdm_iommu_unmap unmap;
	struct wdm_iommu_unmap_identity unmap_identity;
	struct wdm_iommu_memory_add memory_add;
	struct wdm_iommu_memory_remove memory_remove;
	struct wdm_iommu_configure configure;
	struct wdm_iommu_flush flush;
	struct wdm_iommu_flush_va_list flush_va_list;
	struct wdm_iommu_query_domain query_domain;
	struct wdm_iommu_query_mappings query_mappings;
	struct wdm_iommu_map_user map_user;
	struct wdm_iommu_batch batch;
	struct wdm_iommu_query_ranges query_ranges;
	struct wdm_iommu_set_fault_reporting set_fault_reporting;
	struct wdm_iommu_query_device query_device;
	struct wdm_iommu_query_input_mappings query_input_mappings;
	struct wdm_iommu_domain_create_ex domain_create_ex;
	struct wdm_iommu_map_ex map_ex;
	struct wdm_iommu_reserve reserve;
	struct wdm_iommu_map_reserved map_reserved;
	struct wdm_iommu_unmap_reserved unmap_reserved;
	struct wdm_iommu_pasid_create pasid_create;
	struct wdm_iommu_pasid_attach pasid_attach;
	struct wdm_iommu_pasid_detach pasid_detach;
	struct wdm_iommu_mdl_create_file mdl_create_file;
};

/**
 * struct wdm_ioctl - a row of the table of ioctls
 * @size: size of the argument
 * @min_size: size of the argument in its first version
 * @answers: the argument has "out" members besides the status
 * @handler: the handler
 */
struct wdm_ioctl {
	unsigned int size;
	unsigned int min_size;
	bool answers;
	ntstatus_t (*handler)(struct wdm_command *cmd);
};

#define WDM_IOCTL(_cmd, _handler, _answers, _struct, _last)		\
	[_IOC_NR(_cmd) - WDM_IOMMU_CMD_BASE] = {			\
		.size = sizeof(_struct) +				\
			BUILD_BUG_ON_ZERO(sizeof(union wdm_argument) <	\
					  sizeof(_struct)),		\
		.min_size = offsetofend(_struct, _last),		\
		.answers = (_answers),					\
		.handler = (_handler),					\
	}

/* The last column is the last member of the structure's first version. It never changes. */
static const struct wdm_ioctl wdm_ioctls[] = {
	WDM_IOCTL(WDM_IOMMU_INFO, wdm_cmd_info, true,
		  struct wdm_iommu_info, max_batch),
	WDM_IOCTL(WDM_IOMMU_DESTROY, wdm_cmd_destroy, false,
		  struct wdm_iommu_destroy, reserved),
	WDM_IOCTL(WDM_IOMMU_DOMAIN_CREATE, wdm_cmd_domain_create, true,
		  struct wdm_iommu_domain_create, reserved),
	WDM_IOCTL(WDM_IOMMU_DEVICE_CREATE, wdm_cmd_device_create, true,
		  struct wdm_iommu_device_create, group),
	WDM_IOCTL(WDM_IOMMU_ATTACH, wdm_cmd_attach, false,
		  struct wdm_iommu_attach, mapping_count),
	WDM_IOCTL(WDM_IOMMU_DETACH, wdm_cmd_detach, false,
		  struct wdm_iommu_detach, input_mapping_id),
	WDM_IOCTL(WDM_IOMMU_MDL_CREATE, wdm_cmd_mdl_create, true,
		  struct wdm_iommu_mdl_create, mdl),
	WDM_IOCTL(WDM_IOMMU_MAP, wdm_cmd_map, false,
		  struct wdm_iommu_map, logical_address),
	WDM_IOCTL(WDM_IOMMU_UNMAP, wdm_cmd_unmap, false,
		  struct wdm_iommu_unmap, length),
	WDM_IOCTL(WDM_IOMMU_MAP_IDENTITY, wdm_cmd_map_identity, false,
		  struct wdm_iommu_map, logical_address),
	WDM_IOCTL(WDM_IOMMU_UNMAP_IDENTITY, wdm_cmd_unmap_identity, false,
		  struct wdm_iommu_unmap_identity, length),
	WDM_IOCTL(WDM_IOMMU_MEMORY_ADD, wdm_cmd_memory_add, false,
		  struct wdm_iommu_memory_add, caller_address),
	WDM_IOCTL(WDM_IOMMU_MEMORY_REMOVE, wdm_cmd_memory_remove, false,
		  struct wdm_iommu_memory_remove, length),
	WDM_IOCTL(WDM_IOMMU_CONFIGURE, wdm_cmd_configure, true,
		  struct wdm_iommu_configure, walk_error),
	WDM_IOCTL(WDM_IOMMU_FLUSH, wdm_cmd_flush, true,
		  struct wdm_iommu_flush, walk_error),
	WDM_IOCTL(WDM_IOMMU_FLUSH_VA_LIST, wdm_cmd_flush_va_list, true,
		  struct wdm_iommu_flush_va_list, walk_error),
	WDM_IOCTL(WDM_IOMMU_QUERY_DOMAIN, wdm_cmd_query_domain, true,
		  struct wdm_iommu_query_domain, aperture_end),
	WDM_IOCTL(WDM_IOMMU_QUERY_MAPPINGS, wdm_cmd_query_mappings, true,
		  struct wdm_iommu_query_mappings, mappings),
	WDM_IOCTL(WDM_IOMMU_MAP_USER, wdm_cmd_map_user, false,
		  struct wdm_iommu_map_user, logical_address),
	WDM_IOCTL(WDM_IOMMU_BATCH, wdm_cmd_batch, true,
		  struct wdm_iommu_batch, reserved),
	WDM_IOCTL(WDM_IOMMU_QUERY_RANGES, wdm_cmd_query_ranges, true,
		  struct wdm_iommu_query_ranges, page_sizes),
	WDM_IOCTL(WDM_IOMMU_SET_FAULT_REPORTING, wdm_cmd_set_fault_reporting, false,
		  struct wdm_iommu_set_fault_reporting, reserved),
	WDM_IOCTL(WDM_IOMMU_QUERY_DEVICE, wdm_cmd_query_device, true,
		  struct wdm_iommu_query_device, reserved),
	WDM_IOCTL(WDM_IOMMU_QUERY_INPUT_MAPPINGS, wdm_cmd_query_input_mappings, true,
		  struct wdm_iommu_query_input_mappings, buffer),
	WDM_IOCTL(WDM_IOMMU_DOMAIN_CREATE_EX, wdm_cmd_domain_create_ex, true,
		  struct wdm_iommu_domain_create_ex, domain),
	WDM_IOCTL(WDM_IOMMU_MAP_EX, wdm_cmd_map_ex, true,
		  struct wdm_iommu_map_ex, max_address),
	WDM_IOCTL(WDM_IOMMU_RESERVE, wdm_cmd_reserve, true,
		  struct wdm_iommu_reserve, max_address),
	WDM_IOCTL(WDM_IOMMU_MAP_RESERVED, wdm_cmd_map_reserved, true,
		  struct wdm_iommu_map_reserved, length),
	WDM_IOCTL(WDM_IOMMU_UNMAP_RESERVED, wdm_cmd_unmap_reserved, false,
		  struct wdm_iommu_unmap_reserved, length),
	WDM_IOCTL(WDM_IOMMU_PASID_CREATE, wdm_cmd_pasid_create, true,
		  struct wdm_iommu_pasid_create, reserved),
	WDM_IOCTL(WDM_IOMMU_PASID_ATTACH, wdm_cmd_pasid_attach, false,
		  struct wdm_iommu_pasid_attach, pasid_device),
	WDM_IOCTL(WDM_IOMMU_PASID_DETACH, wdm_cmd_pasid_detach, false,
		  struct wdm_iommu_pasid_detach, reserved),
	WDM_IOCTL(WDM_IOMMU_MDL_CREATE_FILE, wdm_cmd_mdl_create_file, true,
		  struct wdm_iommu_mdl_create_file, reserved),
};

static int wdm_answer_status(struct wdm_header __user *uarg, ntstatus_t status)
{
	if (put_user((__force u32)status, &uarg->status))
		return -EFAULT;
	return !wdm_ok(status) ? wdm_status_to_errno(status) : 0;
}

/*
 * Write all answers once before the handler runs: a call whose answer cannot be written
 * must not have an effect.
 */
static int wdm_try_answer(struct wdm_header __user *uarg, union wdm_argument *arg,
			  const struct wdm_ioctl *ioctl, u32 usize)
{
	arg->header.size = usize;
	arg->header.status = (__force u32)STATUS_UNSUCCESSFUL;
	/* Frequent calls answer with a status only: do not copy more. */
	if (!ioctl->answers)
		return put_user(arg->header.status, &uarg->status);
	return copy_to_user(uarg, arg, min(usize, ioctl->size)) ? -EFAULT : 0;
}

/* Read the type first: once the object is published, another thread may delete it. */
static void wdm_chardev_publish(struct wdm_context *ctx, struct wdm_object *object)
{
	bool device = object->type == WDM_OBJECT_DEVICE;

	wdm_object_publish(ctx, object);
	if (device)
		wdm_events_add_device(&ctx->events);
}

static long wdm_chardev_ioctl(struct file *file, unsigned int nr,
			      unsigned long uaddr)
{
	struct wdm_header __user *uarg = (void __user *)uaddr;
	struct wdm_command cmd = { .ctx = file->private_data };
	unsigned int row = _IOC_NR(nr) - WDM_IOMMU_CMD_BASE;
	const struct wdm_ioctl *ioctl;
	/* copy_struct_from_user() fills in everything that is read. */
	union wdm_argument arg __uninitialized;
	ntstatus_t status;
	u32 usize;
	int ret;

	if (nr != _IO(WDM_IOMMU_TYPE, _IOC_NR(nr)) ||
	    row >= ARRAY_SIZE(wdm_ioctls))
		return -ENOTTY;
	ioctl = &wdm_ioctls[array_index_nospec(row, ARRAY_SIZE(wdm_ioctls))];

	if (get_user(usize, &uarg->size))
		return -EFAULT;
	if (usize < ioctl->min_size)
		return -EINVAL;
	/* No structure will be this long: do not scan gigabytes for zeros. */
	ret = usize > PAGE_SIZE ? -E2BIG :
	      copy_struct_from_user(&arg, ioctl->size, uarg, usize);
	if (ret == -E2BIG)
		return wdm_answer_status(uarg, STATUS_REVISION_MISMATCH);
	if (ret)
		return ret;
	ret = wdm_try_answer(uarg, &arg, ioctl, usize);
	if (ret)
		return ret;

	cmd.arg = &arg;
	status = ioctl->handler(&cmd);
	while (cmd.nr_objects)
		wdm_object_put(cmd.objects[--cmd.nr_objects]);
	if (!ioctl->answers)
		return wdm_answer_status(uarg, status);

	arg.header.size = usize;
	arg.header.status = (__force u32)status;
	ret = wdm_status_to_errno(status);
	if (copy_to_user(uarg, &arg, min(usize, ioctl->size)))
		ret = -EFAULT;
	/* Publish a handle only once the program has received it. */
	if (cmd.created) {
		if (ret)
			wdm_object_abort(cmd.ctx, cmd.created);
		else
			wdm_chardev_publish(cmd.ctx, cmd.created);
	}
	return ret;
}

static ssize_t wdm_chardev_read(struct file *file, char __user *buffer,
				size_t size, loff_t *pos)
{
	return wdm_events_read(file->private_data, buffer, size,
			       file->f_flags & O_NONBLOCK);
}

static __poll_t wdm_chardev_poll(struct file *file, poll_table *table)
{
	struct wdm_context *ctx = file->private_data;

	poll_wait(file, &ctx->events.wait, table);
	return wdm_events_readable(ctx) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void wdm_chardev_show_fdinfo(struct seq_file *m, struct file *file)
{
	wdm_fdinfo_show(m, file->private_data);
}

/* What an open file takes, without objects */
#define WDM_FILE_SIZE	(sizeof(struct wdm_context) + sizeof(struct wdm_owner) + \
			 WDM_EVENTS_MAX * sizeof(struct wdm_iommu_event))

static int wdm_chardev_open(struct inode *inode, struct file *file)
{
	static atomic64_t last_id = ATOMIC64_INIT(0);
	struct wdm_context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);

	if (!ctx)
		return -ENOMEM;
	ctx->id = atomic64_inc_return(&last_id);
	if (wdm_account_open(&ctx->budget, WDM_FILE_SIZE))
		goto free;
	if (wdm_events_init(&ctx->events))
		goto account;
	ctx->owner = wdm_owner_create(true);
	if (!ctx->owner)
		goto events;
	ctx->owner->device_revoked = wdm_event_device_revoked;
	ctx->owner->data = ctx;
	wdm_context_init(ctx);
	file->private_data = ctx;
	return 0;

events:
	wdm_events_destroy(&ctx->events);
account:
	wdm_account_close(&ctx->budget, WDM_FILE_SIZE);
free:
	kfree(ctx);
	return -ENOMEM;
}

static int wdm_chardev_release(struct inode *inode, struct file *file)
{
	struct wdm_context *ctx = file->private_data;

	wdm_owner_close(ctx->owner);
	wdm_object_delete_all(ctx);
	wdm_owner_put(ctx->owner);
	wdm_events_destroy(&ctx->events);
	wdm_account_close(&ctx->budget, WDM_FILE_SIZE);
	kfree(ctx);
	return 0;
}

static const struct file_operations wdm_chardev_fops = {
	.owner = THIS_MODULE,
	.open = wdm_chardev_open,
	.release = wdm_chardev_release,
	.read = wdm_chardev_read,
	.poll = wdm_chardev_poll,
	.unlocked_ioctl = wdm_chardev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = wdm_chardev_show_fdinfo,
	.llseek = noop_llseek,
};

static struct miscdevice wdm_chardev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "wdm_iommu",
	.fops = &wdm_chardev_fops,
	.mode = 0660,
};

/**
 * wdm_chardev_owner_get() - Get the owner of a file of /dev/wdm_iommu
 * @fd: a file descriptor of the calling process
 *
 * Return: the owner, with a reference that does not keep the file open; NULL if @fd is
 * not an open /dev/wdm_iommu.
 */
struct wdm_owner *wdm_chardev_owner_get(int fd)
{
	struct wdm_owner *owner = NULL;
	struct file *file = fget(fd);

	if (!file)
		return NULL;
	if (file->f_op == &wdm_chardev_fops) {
		struct wdm_context *ctx = file->private_data;

		owner = ctx->owner;
		refcount_inc(&owner->refs);
	}
	fput(file);
	return owner;
}

static int wdm_chardev_types_changed(struct notifier_block *nb,
				     unsigned long action, void *data)
{
	wdm_events_types_changed();
	return NOTIFY_OK;
}

static struct notifier_block wdm_chardev_types = {
	.notifier_call = wdm_chardev_types_changed,
};

/**
 * wdm_chardev_init() - Register /dev/wdm_iommu
 *
 * Return: 0 or a negative errno.
 */
int wdm_chardev_init(void)
{
	int ret = wdm_events_init_module();

	if (ret)
		return ret;
	wdm_types_register(&wdm_chardev_types);
	ret = misc_register(&wdm_chardev);
	if (ret) {
		wdm_types_unregister(&wdm_chardev_types);
		wdm_events_exit_module();
	}
	return ret;
}

/**
 * wdm_chardev_exit() - Unregister /dev/wdm_iommu; no file is open
 */
void wdm_chardev_exit(void)
{
	misc_deregister(&wdm_chardev);
	wdm_types_unregister(&wdm_chardev_types);
	wdm_events_exit_module();
}
