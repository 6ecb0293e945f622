// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/wdm_bench: the file, its device and its domain.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../../../module/compat/compat.h"
#include "floor.h"

static int attach(struct floor *floor, struct device *dev,
		  struct wdm_bench_device *arg)
{
	struct iommu_domain *domain;
	ktime_t start;
	int ret;

	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);

	start = ktime_get();
	ret = iommu_attach_group(domain, floor->group);
	arg->ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	if (ret) {
		iommu_domain_free(domain);
		return ret;
	}
	/* The Intel driver enforces coherency only between attach and the first map */
	if (domain->ops->enforce_cache_coherency)
		domain->ops->enforce_cache_coherency(domain);
	floor->domain = domain;
	return 0;
}

static int take_device(struct floor *floor, struct device *dev,
		       struct wdm_bench_device *arg)
{
	int ret;

	if (floor->group)
		return -EBUSY;
	floor->group = iommu_group_get(dev);
	if (!floor->group)
		return -ENODEV;
	ret = iommu_group_claim_dma_owner(floor->group, floor);
	if (ret)
		goto err_put;
	ret = attach(floor, dev, arg);
	if (!ret)
		return 0;

	iommu_group_release_dma_owner(floor->group);
err_put:
	iommu_group_put(floor->group);
	floor->group = NULL;
	return ret;
}

static int floor_device(struct floor *floor, struct wdm_bench_device *arg)
{
	struct pci_dev *pdev;
	int ret;

	if (arg->segment > INT_MAX || arg->bus > 255 || arg->devfn > 255)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(arg->segment, arg->bus, arg->devfn);
	if (!pdev)
		return -ENODEV;
	down_write(&floor->lock);
	ret = take_device(floor, &pdev->dev, arg);
	up_write(&floor->lock);
	pci_dev_put(pdev);
	return ret;
}

static void give_device_back(struct floor *floor)
{
	if (!floor->group)
		return;
	iommu_detach_group(floor->domain, floor->group);
	iommu_domain_free(floor->domain);
	iommu_group_release_dma_owner(floor->group);
	iommu_group_put(floor->group);
}

static int floor_open(struct inode *inode, struct file *file)
{
	struct floor *floor;

	/* Pinned memory is neither accounted nor limited */
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	floor = kzalloc(sizeof(*floor), GFP_KERNEL);
	if (!floor)
		return -ENOMEM;
	init_rwsem(&floor->lock);
	xa_init_flags(&floor->pins, XA_FLAGS_ALLOC);
	file->private_data = floor;
	return 0;
}

static int floor_release(struct inode *inode, struct file *file)
{
	struct floor *floor = file->private_data;
	struct floor_pin *pin;
	unsigned long i;

	give_device_back(floor);
	xa_for_each(&floor->pins, i, pin)
		floor_pin_destroy(pin);
	xa_destroy(&floor->pins);
	kfree(floor);
	return 0;
}

union argument {
	struct wdm_bench_device device;
	struct wdm_bench_pin pin;
	struct wdm_bench_unpin unpin;
	struct wdm_bench_each each;
	struct wdm_bench_whole whole;
	struct wdm_bench_compare compare;
};

static int dispatch(struct floor *floor, unsigned int cmd, union argument *arg)
{
	switch (cmd) {
	case WDM_BENCH_DEVICE:
		return floor_device(floor, &arg->device);
	case WDM_BENCH_PIN:
		return floor_pin(floor, &arg->pin);
	case WDM_BENCH_UNPIN:
		return floor_unpin(floor, &arg->unpin);
	case WDM_BENCH_EACH:
		return floor_each(floor, &arg->each);
	case WDM_BENCH_WHOLE:
		return floor_whole(floor, &arg->whole);
	case WDM_BENCH_COMPARE:
		return floor_compare(floor, &arg->compare);
	case WDM_BENCH_NOTHING:
		return 0;
	default:
		return -ENOTTY;
	}
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	void __user *where = (void __user *)user;
	size_t size = _IOC_SIZE(cmd);
	union argument arg;
	int ret;

	if (_IOC_TYPE(cmd) != WDM_BENCH_TYPE || size > sizeof(arg))
		return -ENOTTY;
	if (copy_from_user(&arg, where, size))
		return -EFAULT;
	ret = dispatch(file->private_data, cmd, &arg);
	if (!ret && copy_to_user(where, &arg, size))
		ret = -EFAULT;
	return ret;
}

static const struct file_operations floor_fops = {
	.owner = THIS_MODULE,
	.open = floor_open,
	.release = floor_release,
	.unlocked_ioctl = floor_ioctl,
};

static struct miscdevice floor_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "wdm_bench",
	.mode = 0600,
	.fops = &floor_fops,
};
module_misc_device(floor_misc);

MODULE_DESCRIPTION("The floor of wdm-iommu's benchmark: an IOMMU with nothing around it");
MODULE_LICENSE("GPL");
