// SPDX-License-Identifier: GPL-2.0
/*
 * Objects and their handles.
 *
 * The xarray's lock guards the table; looking up takes no lock, and an object is
 * found as long as no count of its users is negative. An object is made in three steps,
 * so that nobody sees it before its maker knows its handle: reserve a handle,
 * answer the program, publish. It is deleted in one: nobody may be using it, and
 * nobody can begin to while the core is asked whether it may go.
 */
#include <linux/slab.h>

#include "../core/domain.h"
#include "../core/device.h"
#include "object.h"

/**
 * wdm_object_reserve() - Get a handle for an object that is about to be made
 * @ctx: the file
 * @type: its type
 * @out: out: the object, with nothing in it; nobody finds it yet
 *
 * Return: STATUS_SUCCESS or STATUS_INSUFFICIENT_RESOURCES.
 */
ntstatus_t wdm_object_reserve(struct wdm_context *ctx,
			      enum wdm_object_type type,
			      struct wdm_object **out)
{
	struct wdm_object *object = kzalloc(sizeof(*object),
					    GFP_KERNEL_ACCOUNT);

	if (!object)
		return STATUS_INSUFFICIENT_RESOURCES;
	object->type = type;
	if (xa_alloc(&ctx->objects, &object->handle, NULL, xa_limit_31b,
		     GFP_KERNEL_ACCOUNT)) {
		kfree(object);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*out = object;
	return STATUS_SUCCESS;
}

/**
 * wdm_object_publish() - Let a handle be used
 * @ctx: the file
 * @object: the object, complete
 */
void wdm_object_publish(struct wdm_context *ctx, struct wdm_object *object)
{
	/* The slot is there since it was reserved: this takes no memory. */
	WARN_ON(xa_err(xa_store(&ctx->objects, object->handle, object,
				GFP_KERNEL)));
}

static ntstatus_t wdm_object_delete_core(struct wdm_object *object)
{
	switch (object->type) {
	case WDM_OBJECT_DOMAIN:
		return wdm_domain_delete(object->domain);
	case WDM_OBJECT_DEVICE:
		return wdm_device_delete(object->device);
	case WDM_OBJECT_MDL:
		if (wdm_mdl_uses(object->mdl))
			return STATUS_RESOURCE_IN_USE;
		wdm_mdl_put(object->mdl);
		return STATUS_SUCCESS;
	default:
		return STATUS_OBJECT_TYPE_MISMATCH;
	}
}

/**
 * wdm_object_abort() - Give up making an object
 * @ctx: the file
 * @object: what wdm_object_reserve() gave, with or without something in it
 */
void wdm_object_abort(struct wdm_context *ctx, struct wdm_object *object)
{
	xa_erase(&ctx->objects, object->handle);
	if (object->core)
		WARN_ON(!wdm_ok(wdm_object_delete_core(object)));
	kfree(object);
}

static struct wdm_object **wdm_object_recent(struct wdm_context *ctx,
					     u32 handle)
{
	return &ctx->recent[handle % WDM_CONTEXT_RECENT];
}

static ntstatus_t wdm_object_find(struct wdm_context *ctx, u32 handle,
				  enum wdm_object_type type,
				  struct wdm_object **out)
{
	struct wdm_object *object = READ_ONCE(*wdm_object_recent(ctx, handle));

	if (!object || object->handle != handle)
		object = xa_load(&ctx->objects, handle);
	if (!object)
		return STATUS_INVALID_HANDLE;
	if (type != WDM_OBJECT_ANY && object->type != type)
		return STATUS_OBJECT_TYPE_MISMATCH;
	*out = object;
	return STATUS_SUCCESS;
}

/* From now on the object is found, up to those counts. */
static void wdm_object_revive(struct wdm_object *object, unsigned int nr)
{
	while (nr--)
		atomic_set_release(&object->counts[nr].users, 0);
}

/* If nobody uses the object, let nobody find it; the xarray is locked. */
static bool wdm_object_kill(struct wdm_context *ctx, struct wdm_object *object)
{
	struct wdm_object **recent = wdm_object_recent(ctx, object->handle);
	unsigned int i;

	/* An object that somebody uses is found all the time. */
	for (i = 0; i < WDM_OBJECT_COUNTS; i++)
		if (atomic_read(&object->counts[i].users))
			return false;

	for (i = 0; i < WDM_OBJECT_COUNTS; i++) {
		if (atomic_cmpxchg(&object->counts[i].users, 0, -1)) {
			wdm_object_revive(object, i);
			return false;
		}
	}
	/* It was put there by who used it, so it is not put there again. */
	if (READ_ONCE(*recent) == object)
		WRITE_ONCE(*recent, NULL);
	return true;
}

/**
 * wdm_object_get() - Look a handle up and keep its object from being deleted
 * @ctx: the file
 * @handle: the handle
 * @type: what it must name
 * @out: out: the object, after success
 *
 * While the object is being deleted there is no such handle, also if it turns out
 * that it cannot be deleted.
 *
 * Return: STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.
 */
ntstatus_t wdm_object_get(struct wdm_context *ctx, u32 handle,
			  enum wdm_object_type type, struct wdm_object **out)
{
	struct wdm_object **recent = wdm_object_recent(ctx, handle);
	struct wdm_object *object;
	ntstatus_t status;

	rcu_read_lock();
	status = wdm_object_find(ctx, handle, type, &object);
	/* Somebody is about to delete it. */
	if (wdm_ok(status) &&
	    !atomic_inc_unless_negative(wdm_object_users(object)))
		status = STATUS_INVALID_HANDLE;
	rcu_read_unlock();
	if (!wdm_ok(status))
		return status;
	if (READ_ONCE(*recent) != object)
		WRITE_ONCE(*recent, object);
	*out = object;
	return STATUS_SUCCESS;
}

/**
 * wdm_object_delete() - Delete an object
 * @ctx: the file
 * @handle: its handle
 * @type: what it must name
 *
 * Return: STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_RESOURCE_IN_USE.
 */
ntstatus_t wdm_object_delete(struct wdm_context *ctx, u32 handle,
			     enum wdm_object_type type)
{
	struct wdm_object *object;
	ntstatus_t status;

	/* Take the handle away from everybody, but keep the slot. */
	xa_lock(&ctx->objects);
	status = wdm_object_find(ctx, handle, type, &object);
	if (wdm_ok(status) && !wdm_object_kill(ctx, object))
		status = STATUS_RESOURCE_IN_USE;
	if (wdm_ok(status))
		__xa_store(&ctx->objects, handle, XA_ZERO_ENTRY, 0);
	xa_unlock(&ctx->objects);
	if (!wdm_ok(status))
		return status;

	status = wdm_object_delete_core(object);
	if (!wdm_ok(status)) {
		wdm_object_revive(object, WDM_OBJECT_COUNTS);
		wdm_object_publish(ctx, object);
		return status;
	}
	xa_erase(&ctx->objects, handle);
	kfree_rcu(object, rcu);
	return STATUS_SUCCESS;
}

static void wdm_object_delete_type(struct wdm_context *ctx,
				   enum wdm_object_type type)
{
	struct wdm_object *object;
	unsigned long handle;

	xa_for_each(&ctx->objects, handle, object) {
		if (object->type != type)
			continue;
		xa_erase(&ctx->objects, handle);
		WARN_ON(!wdm_ok(wdm_object_delete_core(object)));
		kfree(object);
		cond_resched();
	}
}

/**
 * wdm_object_delete_all() - The file is closed
 * @ctx: the file; nobody uses it any more, and its owner is closed
 */
void wdm_object_delete_all(struct wdm_context *ctx)
{
	wdm_object_delete_type(ctx, WDM_OBJECT_DEVICE);
	wdm_object_delete_type(ctx, WDM_OBJECT_DOMAIN);
	wdm_object_delete_type(ctx, WDM_OBJECT_MDL);
	xa_destroy(&ctx->objects);
}
