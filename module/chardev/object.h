/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects and their handles: what an open file of /dev/wdm_iommu holds.
 */
#ifndef WDM_CHARDEV_OBJECT_H
#define WDM_CHARDEV_OBJECT_H

#include <linux/rcupdate.h>
#include <linux/refcount.h>
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

/**
 * struct wdm_object - what a handle names
 * @type: which of the union
 * @handle: the handle
 * @users: calls that are using the object, and 1 as long as it can be found
 * @rcu: for freeing it
 * @core: what the core calls it, whatever its type
 * @domain: WDM_OBJECT_DOMAIN
 * @device: WDM_OBJECT_DEVICE
 * @mdl: WDM_OBJECT_MDL
 */
struct wdm_object {
	enum wdm_object_type type;
	u32 handle;
	refcount_t users;
	struct rcu_head rcu;
	union {
		void *core;
		struct wdm_domain *domain;
		struct wdm_device *device;
		struct wdm_mdl *mdl;
	};
};

/**
 * struct wdm_context - an open file of /dev/wdm_iommu
 * @owner: who owns its devices
 * @objects: its objects by handle; an entry that is reserved but not there yet
 *	belongs to a call that is making an object
 */
struct wdm_context {
	struct wdm_owner *owner;
	struct xarray objects;
};

ntstatus_t wdm_object_reserve(struct wdm_context *ctx,
			      enum wdm_object_type type,
			      struct wdm_object **out);
void wdm_object_publish(struct wdm_context *ctx, struct wdm_object *object);
void wdm_object_abort(struct wdm_context *ctx, struct wdm_object *object);

ntstatus_t wdm_object_get(struct wdm_context *ctx, u32 handle,
			  enum wdm_object_type type, struct wdm_object **out);

/* Done with what wdm_object_get() gave, or with NULL */
static inline void wdm_object_put(struct wdm_object *object)
{
	if (object)
		refcount_dec(&object->users);
}

ntstatus_t wdm_object_delete(struct wdm_context *ctx, u32 handle,
			     enum wdm_object_type type);
void wdm_object_delete_all(struct wdm_context *ctx);

#endif /* WDM_CHARDEV_OBJECT_H */
