# SPDX-License-Identifier: GPL-2.0
# Kbuild reads this: the objects of wdm_iommu_kunit.ko.
wdm_iommu_kunit-y := kunit/main.o kunit/fixture.o kunit/fake_iommu.o
wdm_iommu_kunit-y += kunit/page_model.o kunit/slow_pt.o kunit/tables.o
wdm_iommu_kunit-y += kunit/status_test.o kunit/mdl_test.o kunit/object_test.o
wdm_iommu_kunit-y += kunit/record_test.o kunit/range_lock_test.o
wdm_iommu_kunit-y += kunit/formats_test.o kunit/translate_test.o
wdm_iommu_kunit-y += kunit/shadow_test.o kunit/wdk_test.o kunit/shadow_cases_test.o
wdm_iommu_kunit-y += kunit/concurrency_test.o kunit/memory_test.o
wdm_iommu_kunit-y += kunit/batch_test.o kunit/hw_test.o
