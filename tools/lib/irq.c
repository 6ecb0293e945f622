// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Interrupts that signal eventfds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vfio_device.h"

static const char *type_name(enum wdm_irq_type type)
{
	static const char * const names[] = { "INTx", "MSI", "MSI-X", "error", "request" };

	return type < sizeof(names) / sizeof(*names) ? names[type] : "unknown";
}

/* VFIO fails for an index that the device does not have; here that means no interrupts. */
static bool get_info(const struct wdm_vfio_device *device, enum wdm_irq_type type,
		     struct vfio_irq_info *info, struct wdm_error *error)
{
	*info = (struct vfio_irq_info) { .argsz = sizeof(*info), .index = type };
	if ((unsigned int)type > WDM_IRQ_REQUEST)
		return wdm__fail(error, EINVAL, "", "interrupt type %d does not exist", type);
	if (!ioctl(device->fd, VFIO_DEVICE_GET_IRQ_INFO, info))
		return true;
	info->count = 0;
	return errno == EINVAL ||
	       wdm__fail_errno(error, "", "cannot query %s interrupts", type_name(type));
}

/**
 * wdm_irq_count() - Get the number of interrupts of a type
 * @device: the device
 * @type: &enum wdm_irq_type
 * @error: out: description of a failure; may be NULL
 *
 * Context: any thread.
 *
 * Return: the number, 0 for none, or -1.
 */
int wdm_irq_count(struct wdm_vfio_device *device, enum wdm_irq_type type,
		  struct wdm_error *error)
{
	struct vfio_irq_info info;

	return get_info(device, type, &info, error) ? (int)info.count : -1;
}

/* Call VFIO_DEVICE_SET_IRQS with flags, and with file descriptors if there are any. */
static bool set_irqs(struct wdm_vfio_device *device, enum wdm_irq_type type, __u32 flags,
		     unsigned int first, unsigned int number, const int *fds)
{
	size_t size = sizeof(struct vfio_irq_set) + (fds ? number * sizeof(*fds) : 0);
	struct vfio_irq_set *set = calloc(1, size);
	int error, result;

	if (!set)
		return false;
	set->argsz = size;
	set->flags = flags | (fds ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->index = type;
	set->start = first;
	set->count = number;
	if (fds)
		memcpy(set->data, fds, number * sizeof(*fds));
	result = ioctl(device->fd, VFIO_DEVICE_SET_IRQS, set);
	error = errno;
	free(set);
	errno = error;
	return !result;
}

/**
 * wdm_irq_enable() - Make interrupts signal eventfds
 * @device: the device
 * @type: &enum wdm_irq_type; INTx, MSI and MSI-X exclude each other
 * @first: the first interrupt; 0 for all types but MSI-X
 * @number: number of interrupts, at least 1
 * @eventfds: an eventfd for each; -1: none
 * @error: out: description of a failure; may be NULL
 *
 * The eventfds count interrupts until wdm_irq_disable(). VFIO masks INTx at each interrupt;
 * wdm_irq_unmask() enables the next one. The eventfds remain the program's, and may be closed.
 * Before Linux 6.5, and on devices without dynamic MSI-X, all interrupts have to be enabled
 * with one call. On ARM64, enable MSI and MSI-X again after each attach, as the IOMMU
 * translates them.
 *
 * Context: any thread; VFIO serializes.
 *
 * Return: true on success; on failure nothing has changed, except that MSI or MSI-X may be
 * off.
 */
bool wdm_irq_enable(struct wdm_vfio_device *device, enum wdm_irq_type type, unsigned int first,
		    unsigned int number, const int *eventfds, struct wdm_error *error)
{
	struct vfio_irq_info info;

	if (!get_info(device, type, &info, error))
		return false;
	if (!info.count)
		return wdm__fail(error, ENXIO, "", "the device has no %s interrupts",
				 type_name(type));
	if (!number || !eventfds || first >= info.count || number > info.count - first)
		return wdm__fail(error, EINVAL, "",
				 "cannot enable %u %s interrupts from number %u: the device has %u",
				 number, type_name(type), first, info.count);
	return set_irqs(device, type, VFIO_IRQ_SET_ACTION_TRIGGER, first, number, eventfds) ||
	       wdm__fail_errno(error, errno == EINVAL ? "Disable interrupts of other types" : "",
			       "cannot enable %s interrupts", type_name(type));
}

/**
 * wdm_irq_disable() - Disable all interrupts of a type
 * @device: the device
 * @type: &enum wdm_irq_type
 * @error: out: description of a failure; may be NULL
 *
 * When it returns, no eventfd is signalled any more.
 *
 * Context: any thread; VFIO serializes.
 *
 * Return: true on success, and if they were disabled before.
 */
bool wdm_irq_disable(struct wdm_vfio_device *device, enum wdm_irq_type type,
		     struct wdm_error *error)
{
	const int none = -1;
	struct vfio_irq_info info;
	bool done;

	if (!get_info(device, type, &info, error))
		return false;
	/* VFIO fails to disable a type that is not enabled. */
	if (type >= WDM_IRQ_ERROR)
		done = set_irqs(device, type, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1, &none);
	else
		done = set_irqs(device, type, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL);
	return done || errno == EINVAL ||
	       wdm__fail_errno(error, "", "cannot disable %s interrupts", type_name(type));
}

static bool set_mask(struct wdm_vfio_device *device, __u32 action, const char *what,
		     struct wdm_error *error)
{
	return set_irqs(device, WDM_IRQ_INTX, action, 0, 1, NULL) ||
	       wdm__fail_errno(error, errno == EINVAL ? "Enable INTx first" : "", "cannot %s INTx",
			       what);
}

/**
 * wdm_irq_mask() - Mask INTx
 * @device: the device, with INTx enabled
 * @error: out: description of a failure; may be NULL
 *
 * Context: any thread; VFIO serializes.
 *
 * Return: true on success.
 */
bool wdm_irq_mask(struct wdm_vfio_device *device, struct wdm_error *error)
{
	return set_mask(device, VFIO_IRQ_SET_ACTION_MASK, "mask", error);
}

/**
 * wdm_irq_unmask() - Unmask INTx
 * @device: the device, with INTx enabled
 * @error: out: description of a failure; may be NULL
 *
 * Call it after each interrupt, once the device has been made to deassert it. If the device
 * still asserts it, the interrupt occurs again at once.
 *
 * Context: any thread; VFIO serializes.
 *
 * Return: true on success.
 */
bool wdm_irq_unmask(struct wdm_vfio_device *device, struct wdm_error *error)
{
	return set_mask(device, VFIO_IRQ_SET_ACTION_UNMASK, "unmask", error);
}

/**
 * wdm_irq_unmask_eventfd() - Let an eventfd unmask INTx
 * @device: the device, with INTx enabled
 * @eventfd: a write to it has the effect of wdm_irq_unmask(); -1: remove the eventfd
 * @error: out: description of a failure; may be NULL
 *
 * For a thread or process that handles interrupts without access to the device, and for KVM,
 * as the resamplefd of KVM_IRQFD. It is in effect until wdm_irq_disable(), or until the last
 * file descriptor of the eventfd is closed.
 *
 * Context: any thread; VFIO serializes.
 *
 * Return: true on success; errno is EBUSY if there already is an eventfd.
 */
bool wdm_irq_unmask_eventfd(struct wdm_vfio_device *device, int eventfd,
			    struct wdm_error *error)
{
	return set_irqs(device, WDM_IRQ_INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1, &eventfd) ||
	       wdm__fail_errno(error, errno == EINVAL ? "Enable INTx first, and pass an eventfd" :
				      errno == EBUSY ? "Pass -1 first" : "",
			       "cannot let an eventfd unmask INTx");
}
