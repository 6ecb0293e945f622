/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Provider: VFIO's container.
 */
#ifndef WDM_VFIO_CONTAINER_H
#define WDM_VFIO_CONTAINER_H

#define WDM_HAS_VFIO_CONTAINER	IS_ENABLED(CONFIG_VFIO_CONTAINER)

#if WDM_HAS_VFIO_CONTAINER
int wdm_vfio_init(void);
void wdm_vfio_exit(void);
#else
static inline int wdm_vfio_init(void)
{
	return 0;
}

static inline void wdm_vfio_exit(void)
{
}
#endif

#endif /* WDM_VFIO_CONTAINER_H */
