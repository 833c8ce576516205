# One interface target that our own code links PRIVATE: users of a library never inherit its warnings.
add_library(framefleet_warnings INTERFACE)
# For what we ship, not for tests: at -O2 GCC 12 sees null pointers in the allocations of a test's vectors.
set(FRAMEFLEET_FLOW_WARNINGS -Wnull-dereference)
target_compile_options(
  framefleet_warnings
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
            -Woverloaded-virtual -Wold-style-cast -Wswitch-enum
            # Designated initialisers leave the other fields at their defaults on purpose.
            -Wno-missing-field-initializers
            $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond;-Wlogical-op>
            # GCC 12 sees overlaps in std::string's own code that are none (GCC bug 105651).
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
            # ... and uninitialised reads in every std::variant of structs (GCC bug 105562); the
            # sanitizers and clang-tidy look for real ones.
            $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
option(FRAMEFLEET_WERROR "Turn warnings into errors (on in CI, off for packagers)" OFF)
if(FRAMEFLEET_WERROR)
  target_compile_options(framefleet_warnings INTERFACE -Werror)
endif()
