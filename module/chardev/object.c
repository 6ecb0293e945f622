// SPDX-License-Identifier: GPL-2.0
/*
 * Objects and their handles.
 *
 * An object is created in three steps, so that no other call can use it before the program
 * knows the handle: reserve the handle, answer the program, publish.
 *
 * A delete takes the table's reference, if it is the only one, and asks the core. If the
 * core refuses, the delete restores the reference. Lookups run under RCU, and one that
 * meets an object without references waits for the outcome, so a refused delete goes
 * unnoticed.
 */
#include <linux/ktime.h>
#include <linux/slab.h>

#include "../core/device.h"
#include "../core/domain.h"
#include "../core/fault.h"
#include "../core/join.h"
#include "../core/os/token.h"
#include "../core/pasid.h"
#include "object.h"

/**
 * struct wdm_object_ops - properties of a type of objects
 * @size: kernel memory of an object in bytes, for the budget
 * @listed: /proc/PID/fdinfo lists it
 * @destroy: free the core's object, which no call uses; on failure it is unchanged. Does
 *	not fail while the file is being closed
 * @close: optional: called in place of @destroy when the file is closed
 * @release: optional: the part of freeing it that may take long. Lookups of the handle do
 *	not wait for it
 */
struct wdm_object_ops {
	size_t size;
	bool listed;
	ntstatus_t (*destroy)(struct wdm_object *object);
	void (*close)(struct wdm_object *object);
	void (*release)(struct wdm_object *object);
};

static ntstatus_t wdm_object_destroy_pasid(struct wdm_object *object)
{
	return wdm_pasid_delete(object->pasid);
}

static ntstatus_t wdm_object_destroy_token(struct wdm_object *object)
{
	return wdm_token_delete(object->token);
}

static void wdm_object_close_token(struct wdm_object *object)
{
	wdm_token_close(object->token);
}

static ntstatus_t wdm_object_destroy_device(struct wdm_object *object)
{
	return wdm_device_delete(object->device);
}

static ntstatus_t wdm_object_destroy_domain(struct wdm_object *object)
{
	return wdm_domain_delete(object->domain);
}

static ntstatus_t wdm_object_destroy_mdl(struct wdm_object *object)
{
	return wdm_mdl_uses(object->mdl) ? STATUS_RESOURCE_IN_USE :
					   STATUS_SUCCESS;
}

/*
 * Unpinning takes long, and a batch looks up MDLs with its range locked. It must not wait
 * for this, or it would delay revocations.
 */
static void wdm_object_release_mdl(struct wdm_object *object)
{
	wdm_mdl_put(object->mdl);
}

/* By type, in the order in which closing a file destroys objects */
static const struct wdm_object_ops wdm_object_ops[WDM_OBJECT_TYPES] = {
	[WDM_OBJECT_PASID] = {
		/* Includes what it needs when it is attached: possibly a hwpt of its own */
		.size = sizeof(struct wdm_pasid) + sizeof(struct wdm_attachment) +
			sizeof(struct wdm_hwpt) + WDM_BUDGET_IOMMU_TABLES,
		.listed = true,
		.destroy = wdm_object_destroy_pasid,
	},
	[WDM_OBJECT_DEVICE] = {
		/* Includes the handler of its faults, which it may get later */
		.size = sizeof(struct wdm_device) + WDM_FAULT_HANDLER_SIZE,
		.listed = true,
		.destroy = wdm_object_destroy_device,
	},
	[WDM_OBJECT_TOKEN] = {
		/* A token charges itself, by its length. */
		.size = 0,
		.destroy = wdm_object_destroy_token,
		.close = wdm_object_close_token,
	},
	[WDM_OBJECT_DOMAIN] = {
		/* The backend charges itself. */
		.size = sizeof(struct wdm_domain),
		.listed = true,
		.destroy = wdm_object_destroy_domain,
	},
	[WDM_OBJECT_MDL] = {
		/* An MDL charges itself, since not every MDL has a handle. */
		.size = 0,
		.destroy = wdm_object_destroy_mdl,
		.release = wdm_object_release_mdl,
	},
};

/* Memory of the xarray per object in bytes: a slot, and its share of the nodes above */
#define WDM_OBJECT_SLOT		16

static void wdm_object_release(struct wdm_object *object)
{
	const struct wdm_object_ops *ops = &wdm_object_ops[object->type];

	if (ops->release)
		ops->release(object);
}

static ntstatus_t wdm_object_close(struct wdm_object *object)
{
	const struct wdm_object_ops *ops = &wdm_object_ops[object->type];

	if (!ops->close)
		return ops->destroy(object);
	ops->close(object);
	return STATUS_SUCCESS;
}

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
 * wdm_context_init() - Initialize the handle table of a file
 * @ctx: the file, zeroed
 */
void wdm_context_init(struct wdm_context *ctx)
{
	xa_init_flags(&ctx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&ctx->deleted);
}

/**
 * wdm_object_reserve() - Reserve a handle for an object to be created
 * @ctx: the file
 * @type: its type
 * @out: out: the object, still empty; lookups do not find it
 *
 * Return:
 * * %STATUS_SUCCESS
 * * %STATUS_INSUFFICIENT_RESOURCES - out of memory
 * * %STATUS_WORKING_SET_QUOTA - the file's budget is exhausted
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
	xa_lock(&ctx->objects);
	/* Storing into a reserved slot allocates nothing. */
	WARN_ON(xa_err(__xa_store(&ctx->objects, object->handle, object,
				  GFP_NOWAIT)));
	if (wdm_object_ops[object->type].listed)
		__xa_set_mark(&ctx->objects, object->handle, WDM_OBJECT_LISTED);
	if (object->type == WDM_OBJECT_DEVICE)
		__xa_set_mark(&ctx->objects, object->handle, WDM_OBJECT_IS_DEVICE);
	ctx->nr_objects[object->type]++;
	xa_unlock(&ctx->objects);
}

/**
 * wdm_object_abort() - Undo wdm_object_reserve()
 * @ctx: the file
 * @object: the object, empty or complete
 */
void wdm_object_abort(struct wdm_context *ctx, struct wdm_object *object)
{
	if (object->core &&
	    !wdm_ok(wdm_object_ops[object->type].destroy(object))) {
		/* The process is being killed: leave the object to the file's close. */
		wdm_object_publish(ctx, object);
		return;
	}
	xa_erase(&ctx->objects, object->handle);
	if (object->core)
		wdm_object_release(object);
	wdm_object_uncharge(ctx, object);
	kfree(object);
}

static bool wdm_object_is(const struct wdm_object *object,
			  enum wdm_object_type type)
{
	return type == WDM_OBJECT_ANY || object->type == type;
}

/* xa_load() for callers that already are in an RCU read-side critical section */
static __always_inline struct wdm_object *
wdm_object_load(struct wdm_context *ctx, u32 handle)
{
	XA_STATE(xas, &ctx->objects, handle);
	void *object;

	do {
		object = xas_load(&xas);
		/* A reserved entry: the object is being created. */
		if (xa_is_zero(object))
			object = NULL;
	} while (xas_retry(&xas, object));
	return object;
}

/* Try to take a reference. Return false while a delete of the object is undecided. */
static __always_inline bool
wdm_object_try_get(struct wdm_context *ctx, u32 handle, enum wdm_object_type type,
		   struct wdm_object **out, ntstatus_t *status)
{
	struct wdm_object *object;
	bool decided = true;

	rcu_read_lock();
	object = wdm_object_load(ctx, handle);
	if (!object) {
		*status = STATUS_INVALID_HANDLE;
	} else if (!wdm_object_is(object, type)) {
		*status = STATUS_OBJECT_TYPE_MISMATCH;
	} else if (refcount_inc_not_zero(&object->users)) {
		*out = object;
		*status = STATUS_SUCCESS;
	} else {
		decided = false;
	}
	rcu_read_unlock();
	return decided;
}

/* Out of line, to keep the wait queue entry out of the stack frame of each lookup */
static noinline ntstatus_t
wdm_object_get_wait(struct wdm_context *ctx, u32 handle, enum wdm_object_type type,
		    struct wdm_object **out)
{
	ntstatus_t status = STATUS_CANCELLED;

	wait_event_killable(ctx->deleted,
			    wdm_object_try_get(ctx, handle, type, out, &status));
	return status;
}

/**
 * wdm_object_get() - Look up a handle and take a reference
 * @ctx: the file
 * @handle: the handle
 * @type: the required type, or %WDM_OBJECT_ANY
 * @out: out: the object, which cannot be deleted before wdm_object_put()
 *
 * Context: may wait for the delete of an object of this type, and of no other type.
 *
 * Return:
 * * %STATUS_SUCCESS
 * * %STATUS_INVALID_HANDLE - no object has this handle
 * * %STATUS_OBJECT_TYPE_MISMATCH - it names an object of another type
 * * %STATUS_CANCELLED - a fatal signal ended the wait
 */
ntstatus_t wdm_object_get(struct wdm_context *ctx, u32 handle,
			  enum wdm_object_type type, struct wdm_object **out)
{
	ntstatus_t status;

	if (likely(wdm_object_try_get(ctx, handle, type, out, &status)))
		return status;
	return wdm_object_get_wait(ctx, handle, type, out);
}

/**
 * wdm_object_get_nowait() - wdm_object_get() without waiting
 * @ctx: the file
 * @handle: the handle
 * @type: the required type, or %WDM_OBJECT_ANY
 * @out: out: as for wdm_object_get()
 *
 * Return: as wdm_object_get(); STATUS_RESOURCE_IN_USE while a delete is undecided.
 */
ntstatus_t wdm_object_get_nowait(struct wdm_context *ctx, u32 handle,
				 enum wdm_object_type type, struct wdm_object **out)
{
	ntstatus_t status;

	return wdm_object_try_get(ctx, handle, type, out, &status) ?
	       status : STATUS_RESOURCE_IN_USE;
}

/* Take the table's reference, if it is the only one. */
static bool wdm_object_kill(struct wdm_object *object)
{
	if (!refcount_dec_if_one(&object->users))
		return false;
	/*
	 * Pairs with the release of refcount_dec() in wdm_object_put(), so that the changes
	 * of earlier users of the object are visible.
	 */
	smp_acquire__after_ctrl_dep();
	return true;
}

/* Restore the reference after the core has refused a delete. */
static void wdm_object_revive(struct wdm_context *ctx, struct wdm_object *object)
{
	/* Read the type first: after this, another thread may delete the object. */
	bool device = object->type == WDM_OBJECT_DEVICE;

	refcount_set(&object->users, 1);
	wake_up_all(&ctx->deleted);
	/* Readers of events have skipped it meanwhile. */
	if (device)
		wdm_events_recheck_types(&ctx->events, ktime_get_ns());
}

static ntstatus_t wdm_object_kill_handle(struct wdm_context *ctx, u32 handle,
					 enum wdm_object_type type, struct wdm_object **out)
{
	ntstatus_t status = STATUS_SUCCESS;
	struct wdm_object *object;

	xa_lock(&ctx->objects);
	object = xa_load(&ctx->objects, handle);
	if (!object)
		status = STATUS_INVALID_HANDLE;
	else if (!wdm_object_is(object, type))
		status = STATUS_OBJECT_TYPE_MISMATCH;
	else if (!wdm_object_kill(object))
		status = STATUS_RESOURCE_IN_USE;
	xa_unlock(&ctx->objects);
	*out = object;
	return status;
}

/* Kill an object. No reader of events uses it then, of which the program would not know. */
static ntstatus_t wdm_object_begin_delete(struct wdm_context *ctx, u32 handle,
					  enum wdm_object_type type,
					  struct wdm_object **out)
{
	ntstatus_t status;

	if (!xa_get_mark(&ctx->objects, handle, WDM_OBJECT_IS_DEVICE))
		return wdm_object_kill_handle(ctx, handle, type, out);
	if (mutex_lock_killable(&ctx->events.types))
		return STATUS_CANCELLED;
	status = wdm_object_kill_handle(ctx, handle, type, out);
	mutex_unlock(&ctx->events.types);
	return status;
}

/**
 * wdm_object_delete() - Delete an object
 * @ctx: the file
 * @handle: its handle
 * @type: the required type, or %WDM_OBJECT_ANY
 *
 * An object that cannot be deleted stays usable throughout.
 *
 * Return:
 * * %STATUS_SUCCESS
 * * %STATUS_INVALID_HANDLE - no object has this handle
 * * %STATUS_OBJECT_TYPE_MISMATCH - it names an object of another type
 * * %STATUS_RESOURCE_IN_USE - another object or another call uses it
 * * %STATUS_CANCELLED - a fatal signal ended a wait
 */
ntstatus_t wdm_object_delete(struct wdm_context *ctx, u32 handle,
			     enum wdm_object_type type)
{
	struct wdm_object *object;
	ntstatus_t status;

	status = wdm_object_begin_delete(ctx, handle, type, &object);
	if (!wdm_ok(status))
		return status;

	status = wdm_object_ops[object->type].destroy(object);
	if (!wdm_ok(status)) {
		wdm_object_revive(ctx, object);
		return status;
	}
	xa_lock(&ctx->objects);
	__xa_erase(&ctx->objects, handle);
	ctx->nr_objects[object->type]--;
	xa_unlock(&ctx->objects);
	wake_up_all(&ctx->deleted);
	wdm_object_release(object);
	wdm_object_uncharge(ctx, object);
	kfree_rcu(object, rcu);
	return STATUS_SUCCESS;
}

/**
 * wdm_object_delete_all() - Destroy all objects of a file that is being closed
 * @ctx: the file, which no call uses any more and whose owner is closed
 */
void wdm_object_delete_all(struct wdm_context *ctx)
{
	enum wdm_object_type type;
	struct wdm_object *object;
	unsigned long handle;
	ntstatus_t status;

	for (type = 0; type < WDM_OBJECT_TYPES; type++) {
		xa_for_each(&ctx->objects, handle, object) {
			cond_resched();
			if (object->type != type)
				continue;
			xa_erase(&ctx->objects, handle);
			status = wdm_object_close(object);
			if (!WARN_ON(!wdm_ok(status)))
				wdm_object_release(object);
			wdm_object_uncharge(ctx, object);
			kfree(object);
		}
	}
	xa_destroy(&ctx->objects);
}
