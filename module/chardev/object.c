// SPDX-License-Identifier: GPL-2.0
/*
 * Objects and their handles.
 *
 * An object is created in three steps, so that nobody can use it before its
 * creator knows the handle: reserve a handle, answer the program, publish.
 *
 * It is destroyed in one, under the table's lock: if the table holds the only
 * reference and the object is idle, its entry goes; otherwise nothing changes.
 * Lookups run under RCU; one that meets an object without references asks again
 * under the lock, so a delete that is refused is never seen by other calls.
 */
#include <linux/slab.h>

#include "../core/device.h"
#include "../core/domain.h"
#include "object.h"

/**
 * struct wdm_object_ops - what the table knows about a type of objects
 * @size: kernel memory that an object takes, for the budget
 * @in_use: whether another object uses it. Called without any user of the
 *	object, so that the answer cannot become true; must not sleep
 * @destroy: frees the core's object, which is not in use
 */
struct wdm_object_ops {
	size_t size;
	bool (*in_use)(const struct wdm_object *object);
	void (*destroy)(struct wdm_object *object);
};

static bool wdm_object_device_in_use(const struct wdm_object *object)
{
	return wdm_device_is_attached(object->device);
}

static void wdm_object_device_destroy(struct wdm_object *object)
{
	WARN_ON(!wdm_ok(wdm_device_delete(object->device)));
}

static bool wdm_object_domain_in_use(const struct wdm_object *object)
{
	return wdm_domain_is_attached(object->domain);
}

static void wdm_object_domain_destroy(struct wdm_object *object)
{
	WARN_ON(!wdm_ok(wdm_domain_delete(object->domain)));
}

static bool wdm_object_mdl_in_use(const struct wdm_object *object)
{
	return wdm_mdl_uses(object->mdl);
}

static void wdm_object_mdl_destroy(struct wdm_object *object)
{
	wdm_mdl_put(object->mdl);
}

/* By type, in the order in which closing a file destroys objects */
static const struct wdm_object_ops wdm_object_ops[WDM_OBJECT_TYPES] = {
	[WDM_OBJECT_DEVICE] = {
		.size = sizeof(struct wdm_device),
		.in_use = wdm_object_device_in_use,
		.destroy = wdm_object_device_destroy,
	},
	[WDM_OBJECT_DOMAIN] = {
		/* The domain, and as much again for what its backend keeps */
		.size = 2 * sizeof(struct wdm_domain),
		.in_use = wdm_object_domain_in_use,
		.destroy = wdm_object_domain_destroy,
	},
	[WDM_OBJECT_MDL] = {
		/* An MDL charges itself, since not every MDL has a handle. */
		.size = 0,
		.in_use = wdm_object_mdl_in_use,
		.destroy = wdm_object_mdl_destroy,
	},
};

/* A slot of the xarray's, and nodes above it */
#define WDM_OBJECT_SLOT		16

static u64 wdm_object_size(enum wdm_object_type type)
{
	return sizeof(struct wdm_object) + WDM_OBJECT_SLOT +
	       wdm_object_ops[type].size;
}

static void wdm_object_uncharge(struct wdm_context *ctx,
				const struct wdm_object *object)
{
	wdm_budget_uncharge(&ctx->budget, wdm_object_size(object->type));
}

/**
 * wdm_object_reserve() - Reserve a handle for an object that is being created
 * @ctx: the file
 * @type: its type
 * @out: out: the object, still empty; no lookup finds it
 *
 * Return:
 * * %STATUS_SUCCESS
 * * %STATUS_INSUFFICIENT_RESOURCES - out of memory
 * * %STATUS_WORKING_SET_QUOTA - the file's budget is used up
 */
ntstatus_t wdm_object_reserve(struct wdm_context *ctx,
			      enum wdm_object_type type,
			      struct wdm_object **out)
{
	struct wdm_object *object;

	if (!wdm_budget_charge(&ctx->budget, wdm_object_size(type)))
		return STATUS_WORKING_SET_QUOTA;
	object = kzalloc(sizeof(*object), GFP_KERNEL_ACCOUNT);
	if (!object)
		goto uncharge;
	object->type = type;
	refcount_set(&object->users, 1);
	if (xa_alloc(&ctx->objects, &object->handle, NULL, xa_limit_31b,
		     GFP_KERNEL_ACCOUNT))
		goto free;
	*out = object;
	return STATUS_SUCCESS;

free:
	kfree(object);
uncharge:
	wdm_budget_uncharge(&ctx->budget, wdm_object_size(type));
	return STATUS_INSUFFICIENT_RESOURCES;
}

/**
 * wdm_object_publish() - Make a handle valid
 * @ctx: the file
 * @object: the object, complete
 */
void wdm_object_publish(struct wdm_context *ctx, struct wdm_object *object)
{
	/* Storing into a reserved slot allocates nothing. */
	WARN_ON(xa_err(xa_store(&ctx->objects, object->handle, object,
				GFP_KERNEL)));
}

/**
 * wdm_object_abort() - Give up creating an object
 * @ctx: the file
 * @object: what wdm_object_reserve() gave, empty or complete
 */
void wdm_object_abort(struct wdm_context *ctx, struct wdm_object *object)
{
	xa_erase(&ctx->objects, object->handle);
	if (object->core)
		wdm_object_ops[object->type].destroy(object);
	wdm_object_uncharge(ctx, object);
	kfree(object);
}

/**
 * wdm_object_get() - Look up a handle and take a reference
 * @ctx: the file
 * @handle: the handle
 * @type: the type that it must have, or %WDM_OBJECT_ANY
 * @out: out: the object; it cannot be deleted before wdm_object_put()
 *
 * Return:
 * * %STATUS_SUCCESS
 * * %STATUS_INVALID_HANDLE - no object has this handle
 * * %STATUS_OBJECT_TYPE_MISMATCH - it names an object of another type
 */
ntstatus_t wdm_object_get(struct wdm_context *ctx, u32 handle,
			  enum wdm_object_type type, struct wdm_object **out)
{
	struct wdm_object *object;
	bool found;

	rcu_read_lock();
	object = xa_load(&ctx->objects, handle);
	found = object && refcount_inc_not_zero(&object->users);
	rcu_read_unlock();
	if (object && !found) {
		/* A delete is about to remove it, or to be refused. */
		xa_lock(&ctx->objects);
		object = xa_load(&ctx->objects, handle);
		found = object && refcount_inc_not_zero(&object->users);
		xa_unlock(&ctx->objects);
	}
	if (!found)
		return STATUS_INVALID_HANDLE;
	if (type != WDM_OBJECT_ANY && object->type != type) {
		wdm_object_put(object);
		return STATUS_OBJECT_TYPE_MISMATCH;
	}
	*out = object;
	return STATUS_SUCCESS;
}

/* Take the table's reference, if it is the only one and the object is idle. */
static bool wdm_object_kill(struct wdm_object *object)
{
	if (!refcount_dec_if_one(&object->users))
		return false;
	/*
	 * Pairs with the release in wdm_object_put(): what earlier users did to
	 * the object is visible.
	 */
	smp_acquire__after_ctrl_dep();
	if (wdm_object_ops[object->type].in_use(object)) {
		refcount_set(&object->users, 1);
		return false;
	}
	return true;
}

/**
 * wdm_object_delete() - Delete an object
 * @ctx: the file
 * @handle: its handle
 * @type: the type that it must have, or %WDM_OBJECT_ANY
 *
 * An object that cannot be deleted stays usable throughout.
 *
 * Return:
 * * %STATUS_SUCCESS
 * * %STATUS_INVALID_HANDLE - no object has this handle
 * * %STATUS_OBJECT_TYPE_MISMATCH - it names an object of another type
 * * %STATUS_RESOURCE_IN_USE - another object or another call uses it
 */
ntstatus_t wdm_object_delete(struct wdm_context *ctx, u32 handle,
			     enum wdm_object_type type)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_object *object;

	xa_lock(&ctx->objects);
	object = xa_load(&ctx->objects, handle);
	if (!object)
		status = STATUS_INVALID_HANDLE;
	else if (type != WDM_OBJECT_ANY && object->type != type)
		status = STATUS_OBJECT_TYPE_MISMATCH;
	else if (!wdm_object_kill(object))
		status = STATUS_RESOURCE_IN_USE;
	else
		__xa_erase(&ctx->objects, handle);
	xa_unlock(&ctx->objects);
	if (!wdm_ok(status))
		return status;

	wdm_object_ops[object->type].destroy(object);
	wdm_object_uncharge(ctx, object);
	kfree_rcu(object, rcu);
	return STATUS_SUCCESS;
}

/**
 * wdm_object_delete_all() - Destroy all objects of a file that is closed
 * @ctx: the file; no call uses it any more, and its owner is closed
 */
void wdm_object_delete_all(struct wdm_context *ctx)
{
	enum wdm_object_type type;
	struct wdm_object *object;
	unsigned long handle;

	for (type = 0; type < WDM_OBJECT_TYPES; type++) {
		xa_for_each(&ctx->objects, handle, object) {
			if (object->type != type)
				continue;
			xa_erase(&ctx->objects, handle);
			wdm_object_ops[type].destroy(object);
			wdm_object_uncharge(ctx, object);
			kfree(object);
			cond_resched();
		}
	}
	xa_destroy(&ctx->objects);
}
