# SPDX-License-Identifier: GPL-2.0
#
# libwdm.a, code from Windows in programs, and the programs that test it. ../Makefile
# includes this.

wdm_library := $(O)/libwdm.a
wdm_headers := ../include/wdm.h ../include/wdm_port.h wdm/wdm_user.h wdm/wdm_port_user.h
wdm_objects := $(call objects,wdm)
wdm_tests := $(O)/wdm-foo $(O)/wdm-ddi
port_objects := $(patsubst %,$(O)/obj/kunit/ports/%.o,probe run_v1 run_v2)
wdm_includes := -I../include -Iwdm -Iwdm/tests -I../kunit/ports -I../kunit

all: $(wdm_tests)
installed: $(wdm_library) $(O)/libwdm.pc

$(wdm_library): $(wdm_objects)
	$(RM) $@
	$(AR) rcs $@ $^

$(wdm_objects) $(call objects,wdm/tests): ALL_CFLAGS += $(wdm_includes)

# As any driver would be built, without what the project's own code is held to
$(O)/obj/kunit/%.o: ../kunit/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -pthread -Wall $(if $(WERROR),-Werror) $(CFLAGS) \
		-Wno-unused-parameter \
		-DFOO_INCLUDE='<wdm_port.h>' -I../include/uapi -Ilib -Icommon $(wdm_includes) \
		-MMD -MP -c -o $@ $<

$(O)/wdm-foo: $(O)/obj/wdm/tests/foo.o $(port_objects) $(wdm_library) $(library)
$(O)/wdm-ddi: $(O)/obj/wdm/tests/ddi.o $(O)/obj/kunit/ddi.o $(wdm_library) $(library)
$(O)/wdm-unit: $(patsubst %,$(O)/obj/wdm/tests/%.o,unit calls) $(common_objects) \
	$(wdm_library) $(library)
$(O)/wdm-unit: ALL_LDFLAGS += -Wl,--wrap=wdm_open,--wrap=posix_memalign
$(wdm_tests) $(O)/wdm-unit:
	$(CC) $(ALL_LDFLAGS) -o $@ $^

$(O)/libwdm.pc: wdm/libwdm.pc.in $(wildcard ../VERSION) FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' $< >$@

check-wdm: $(O)/wdm-unit
	$(O)/wdm-unit

install-wdm: installed
	install -D -m 644 -t $(DESTDIR)$(LIBDIR) $(wdm_library)
	install -D -m 644 -t $(DESTDIR)$(LIBDIR)/pkgconfig $(O)/libwdm.pc
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/wdm-iommu $(wdm_headers)

install: install-wdm

clean: clean-wdm
clean-wdm:
	$(RM) $(wdm_library) $(wdm_tests) $(O)/wdm-unit $(O)/libwdm.pc

.PHONY: check-wdm install-wdm clean-wdm
