/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects and their handles: what an open file of /dev/wdm_iommu holds.
 */
#ifndef WDM_CHARDEV_OBJECT_H
#define WDM_CHARDEV_OBJECT_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "../status.h"

struct wdm_device;
struct wdm_domain;
struct wdm_mdl;
struct wdm_owner;

enum wdm_object_type {
	WDM_OBJECT_ANY,
	WDM_OBJECT_DOMAIN,
	WDM_OBJECT_DEVICE,
	WDM_OBJECT_MDL,
};

/* With what else there is of an object, its counts are four cache lines. */
#define WDM_OBJECT_COUNTS	3

/**
 * struct wdm_object_count - some of the calls that are using an object
 * @users: how many, or negative while nobody finds the object
 */
struct wdm_object_count {
	atomic_t users;
} ____cacheline_aligned_in_smp;

/**
 * struct wdm_object - what a handle names
 * @type: which of the union
 * @handle: the handle
 * @rcu: for freeing it
 * @core: what the core calls it, whatever its type
 * @domain: WDM_OBJECT_DOMAIN
 * @device: WDM_OBJECT_DEVICE
 * @mdl: WDM_OBJECT_MDL
 * @counts: calls that are using the object, by their threads: threads that use one
 *	object at a time are not to slow each other down
 */
struct wdm_object {
	enum wdm_object_type type;
	u32 handle;
	struct rcu_head rcu;
	union {
		void *core;
		struct wdm_domain *domain;
		struct wdm_device *device;
		struct wdm_mdl *mdl;
	};
	struct wdm_object_count counts[WDM_OBJECT_COUNTS];
};

/* Objects that are found without a search, by the last bits of their handles. */
#define WDM_CONTEXT_RECENT	8

/**
 * struct wdm_context - an open file of /dev/wdm_iommu
 * @owner: who owns its devices
 * @recent: objects that were used lately, by their handles, or NULL
 * @objects: its objects by handle; an entry that is reserved but not there yet
 *	belongs to a call that is making an object
 */
struct wdm_context {
	struct wdm_owner *owner;
	struct wdm_object *recent[WDM_CONTEXT_RECENT];
	struct xarray objects;
};

ntstatus_t wdm_object_reserve(struct wdm_context *ctx,
			      enum wdm_object_type type,
			      struct wdm_object **out);
void wdm_object_publish(struct wdm_context *ctx, struct wdm_object *object);
void wdm_object_abort(struct wdm_context *ctx, struct wdm_object *object);

ntstatus_t wdm_object_get(struct wdm_context *ctx, u32 handle,
			  enum wdm_object_type type, struct wdm_object **out);

/* Where the calling thread counts; threads of a pool have neighbouring numbers. */
static inline atomic_t *wdm_object_users(struct wdm_object *object)
{
	return &object->counts[(u32)current->pid % WDM_OBJECT_COUNTS].users;
}

/* Done with what wdm_object_get() gave the same thread, or with NULL */
static inline void wdm_object_put(struct wdm_object *object)
{
	if (!object)
		return;
	/* Who finds the count at 0 finds the use ended. */
	smp_mb__before_atomic();
	atomic_dec(wdm_object_users(object));
}

ntstatus_t wdm_object_delete(struct wdm_context *ctx, u32 handle,
			     enum wdm_object_type type);
void wdm_object_delete_all(struct wdm_context *ctx);

#endif /* WDM_CHARDEV_OBJECT_H */
