/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects of an open file of /dev/wdm_iommu, and the handles that name them.
 */
#ifndef WDM_CHARDEV_OBJECT_H
#define WDM_CHARDEV_OBJECT_H

#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "../core/budget.h"
#include "../status.h"
#include "events.h"

struct wdm_device;
struct wdm_domain;
struct wdm_mdl;
struct wdm_owner;
struct wdm_pasid;
struct wdm_token;

/*
 * Types of objects, in the order in which closing a file destroys them: devices and tokens
 * before domains, and domains before MDLs.
 */
enum wdm_object_type {
	WDM_OBJECT_PASID,
	WDM_OBJECT_DEVICE,
	WDM_OBJECT_TOKEN,
	WDM_OBJECT_DOMAIN,
	WDM_OBJECT_MDL,
	WDM_OBJECT_TYPES,
	WDM_OBJECT_ANY = WDM_OBJECT_TYPES,
};

/* XArray mark of objects that /proc/PID/fdinfo lists: not those that exist by the thousand */
#define WDM_OBJECT_LISTED	XA_MARK_1
/* XArray mark of devices, which are few among any number of other objects */
#define WDM_OBJECT_IS_DEVICE	XA_MARK_2

/**
 * struct wdm_object - an object with a handle
 * @users: the handle table's reference, and one per call that uses the object; 0
 *	while a delete is undecided
 * @type: selects the member of the union
 * @handle: the handle
 * @types: %WDM_OBJECT_DEVICE: the types of domains that the program knows to be available
 * @pasid_config: %WDM_OBJECT_DEVICE: &enum wdm_iommu_pasid_config that it was created with
 * @suppress_faults: %WDM_OBJECT_DEVICE: suppress_pasid_faults that it was created with
 * @rcu: defers freeing until lookups have finished
 * @core: the core's object, whatever its type
 * @device: %WDM_OBJECT_DEVICE
 * @domain: %WDM_OBJECT_DOMAIN
 * @mdl: %WDM_OBJECT_MDL
 * @token: %WDM_OBJECT_TOKEN
 * @pasid: %WDM_OBJECT_PASID
 */
struct wdm_object {
	refcount_t users;
	enum wdm_object_type type;
	u32 handle;
	u32 types;
	u32 pasid_config;
	bool suppress_faults;
	struct rcu_head rcu;
	union {
		void *core;
		struct wdm_device *device;
		struct wdm_domain *domain;
		struct wdm_mdl *mdl;
		struct wdm_token *token;
		struct wdm_pasid *pasid;
	};
};

/**
 * struct wdm_context - an open file of /dev/wdm_iommu
 * @id: its number, which is never reused
 * @owner: the owner of its devices
 * @budget: limit on the kernel memory of its objects
 * @objects: its objects by handle; an entry that is reserved but empty belongs to a call
 *	that is creating an object
 * @nr_objects: number of objects of each type; guarded by the lock of @objects
 * @nr_faults: number of faults of its devices, including those lost from @events
 * @deleted: lookups that wait for the outcome of a delete
 * @events: the queue that read() empties
 */
struct wdm_context {
	u64 id;
	struct wdm_owner *owner;
	struct wdm_budget budget;
	struct xarray objects;
	unsigned int nr_objects[WDM_OBJECT_TYPES];
	atomic64_t nr_faults;
	wait_queue_head_t deleted;
	struct wdm_events events;
};

void wdm_context_init(struct wdm_context *ctx);

ntstatus_t wdm_object_reserve(struct wdm_context *ctx,
			      enum wdm_object_type type,
			      struct wdm_object **out);
void wdm_object_publish(struct wdm_context *ctx, struct wdm_object *object);
void wdm_object_abort(struct wdm_context *ctx, struct wdm_object *object);

ntstatus_t wdm_object_get(struct wdm_context *ctx, u32 handle,
			  enum wdm_object_type type, struct wdm_object **out);
ntstatus_t wdm_object_get_nowait(struct wdm_context *ctx, u32 handle,
				 enum wdm_object_type type, struct wdm_object **out);

/**
 * wdm_object_put() - Drop a reference of wdm_object_get()
 * @object: the object, or NULL
 *
 * Any thread may drop it. It is never the last one, as the table has a reference of its
 * own. Releases; pairs with the acquire in wdm_object_kill().
 */
static inline void wdm_object_put(struct wdm_object *object)
{
	if (object)
		refcount_dec(&object->users);
}

ntstatus_t wdm_object_delete(struct wdm_context *ctx, u32 handle,
			     enum wdm_object_type type);
void wdm_object_delete_all(struct wdm_context *ctx);

#endif /* WDM_CHARDEV_OBJECT_H */
