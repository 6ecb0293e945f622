# SPDX-License-Identifier: GPL-2.0
# Kbuild reads this: the objects of wdm_iommu_kunit.ko.
wdm_iommu_kunit-y := kunit/main.o kunit/support/fixture.o kunit/support/fake_iommu.o
wdm_iommu_kunit-y += kunit/support/page_model.o kunit/support/slow_pt.o kunit/support/caller_tables.o
wdm_iommu_kunit-y += kunit/ddi.o kunit/ddi_test.o kunit/stress_test.o kunit/support/stress.o
wdm_iommu_kunit-y += kunit/status_test.o kunit/mdl_test.o kunit/object_test.o
wdm_iommu_kunit-y += kunit/mappings_test.o kunit/range_lock_test.o
wdm_iommu_kunit-y += kunit/formats_test.o kunit/os_managed_test.o
wdm_iommu_kunit-y += kunit/shadow_test.o kunit/wdk_test.o kunit/shadow_regress_test.o kunit/shadow_yield_test.o
wdm_iommu_kunit-y += kunit/shadow_atomic_test.o
wdm_iommu_kunit-y += kunit/concurrency_test.o kunit/fail_nth_test.o
wdm_iommu_kunit-y += kunit/wdk_atomic_test.o kunit/batch_test.o kunit/hwpt_test.o kunit/events_test.o
wdm_iommu_kunit-y += kunit/wdk_port_test.o kunit/attach_test.o kunit/iova_space_test.o kunit/logical_test.o
wdm_iommu_kunit-y += kunit/wdk_logical_test.o kunit/wdk_fail_nth_test.o
wdm_iommu_kunit-y += kunit/wdk_device_test.o kunit/wdk_pasid_test.o kunit/pasid_test.o kunit/support/fake_driver.o

# The suites reach into the module, which exports nothing for them: its sources
# are compiled a second time, into the suites' own module
kunit-module-objs := $(patsubst module/%,kunit/module/%, \
	$(filter-out module/main.o,$(wdm_iommu-y)))
wdm_iommu_kunit-y += $(kunit-module-objs)

# The fake IOMMU counts what is left mapped, as some kernels do
$(foreach o,$(kunit-module-objs),$(eval CFLAGS_$(o) += -D__DISABLE_EXPORTS -DWDM_KUNIT -DWDM_HWPT_FREE_EMPTY=1))
CFLAGS_kunit/module/core/trace.o += -I$(src)/module/core

$(obj)/kunit/module/%.o: $(src)/module/%.c FORCE
	$(call if_changed_rule,cc_o_c)
