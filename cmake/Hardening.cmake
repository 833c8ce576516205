# What the compiler and the linker do for whoever meets a bug of ours before we do. For what users run
# (framefleet_library, framefleet_program), optimised and without a sanitizer: the fortified functions
# need the optimiser, and hide from AddressSanitizer what it looks for. tests/hardening reads the
# programs and says which of these it does not find.
set(hardening_default OFF)
if(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$" AND NOT FRAMEFLEET_SANITIZE)
  set(hardening_default ON)
endif()
option(FRAMEFLEET_HARDENING "Build the programs with the compiler's and the linker's protections"
       ${hardening_default})

add_library(framefleet_hardening INTERFACE)
if(FRAMEFLEET_HARDENING)
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-fcf-protection=full FRAMEFLEET_HAS_CF_PROTECTION)  # x86 alone
  check_cxx_compiler_flag(-fstack-clash-protection FRAMEFLEET_HAS_STACK_CLASH_PROTECTION)
  target_compile_options(
    framefleet_hardening
    INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 # as 2 where compiler or libc know no 3
              -D_GLIBCXX_ASSERTIONS # an index beyond the end of a vector aborts
              -fstack-protector-strong -fPIE
              $<$<BOOL:${FRAMEFLEET_HAS_STACK_CLASH_PROTECTION}>:-fstack-clash-protection>
              $<$<BOOL:${FRAMEFLEET_HAS_CF_PROTECTION}>:-fcf-protection=full>)
  target_link_options(framefleet_hardening INTERFACE -pie LINKER:-z,relro LINKER:-z,now
                      LINKER:-z,noexecstack LINKER:-z,separate-code)
endif()
