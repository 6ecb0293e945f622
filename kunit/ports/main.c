// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI driver that owns its device's DMA, like a port of a Windows driver. It binds QEMU's
 * edu device, runs foo_v1.c and foo_v2.c on it and prints the results as KTAP to the kernel
 * log, each line after "wdm_foo: ".
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "port.h"

u64 port_get(struct port *port, unsigned int reg)
{
	return lo_hi_readq(port->bar + reg);
}

void port_set(struct port *port, unsigned int reg, u64 value)
{
	lo_hi_writeq(value, port->bar + reg);
}

void port_sleep(unsigned int ms)
{
	usleep_range(ms * 1000, ms * 2000);
}

/* QEMU's IOMMUs report no faults to the kernel, so report them in place of the driver. */
void port_fault(struct port *port, u64 iova)
{
	report_iommu_fault(iommu_get_domain_for_dev(port->pdo), port->pdo, iova,
			   IOMMU_FAULT_WRITE);
}

/* Set a parameter of wdm_iommu, as an administrator does. */
bool port_allow_pass_through(struct port *port, const char *value)
{
	struct file *file;
	loff_t position = 0;
	ssize_t written;

	file = filp_open("/sys/module/wdm_iommu/parameters/allow_pass_through", O_WRONLY, 0);
	if (!EXPECT(port, !IS_ERR(file)))
		return false;
	written = kernel_write(file, value, 1, &position);
	filp_close(file, NULL);
	return EXPECT(port, written == 1);
}

static int port_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct port port = { .pdo = &pdev->dev };
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	port.bar = pcim_iomap(pdev, 0, 0);
	if (!port.bar)
		return -ENOMEM;
	pci_set_master(pdev);
	port_run(&port);
	pci_clear_master(pdev);
	return 0;
}

static const struct pci_device_id port_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, port_ids);

static struct pci_driver port_driver = {
	.name = "wdm_foo",
	.id_table = port_ids,
	.probe = port_probe,
	/* Its DMA does not go through the kernel's DMA API. */
	.driver_managed_dma = true,
};
module_pci_driver(port_driver);

/* MODULE_IMPORT_NS() takes a string since Linux 6.13 only; this is its expansion. */
MODULE_INFO(import_ns, "WDM_IOMMU");
MODULE_DESCRIPTION("Ports of Windows drivers on wdm_iommu");
MODULE_LICENSE("GPL");
