# The three helpers that every folder's CMakeLists.txt is written with.
#
#   framefleet_library(NAME [APART] SOURCES ... HEADERS ... [PUBLIC lib...] [PRIVATE lib...])
#   framefleet_program(NAME SOURCES ... LIBRARIES lib...)
#   framefleet_test(NAME [APART] LABEL label... SOURCES ... LIBRARIES lib... [TIMEOUT seconds])
#
# Includes are written from the root of the tree ("shared/base/time.hpp"), so a header's folder is its
# address; every public header is proven self-contained by the target all_verify_interface_header_sets.

option(FRAMEFLEET_FROM_SCRATCH
       "Compile quickly what is compiled once: common headers are read once, sources several at a time"
       OFF)

# What nearly every file includes. tests/tidy sees that each file still says what it needs of it.
set(FRAMEFLEET_COMMON_HEADERS
    <algorithm>
    <array>
    <chrono>
    <cstdint>
    <filesystem>
    <functional>
    <map>
    <memory>
    <optional>
    <span>
    <string>
    <string_view>
    <utility>
    <variant>
    <vector>
    <fmt/format.h>
    <tl/expected.hpp>)

# framefleet_quicken(TARGET OWNER APART) : for a build from scratch (docs/adr/0020), with the headers
# that OWNER reads for all, framefleet_base (whose readers are hardened as it is) or
# framefleet_test_support, and several sources at a time but where they are to be APART: each with
# names of its own that others have too. Not by default: ccache knows the former badly, and of the
# latter one changed source compiles its neighbours.
function(framefleet_quicken target owner apart)
  if(NOT FRAMEFLEET_FROM_SCRATCH)
    return()
  endif()
  if(target STREQUAL owner)
    target_precompile_headers(${target} PRIVATE ${FRAMEFLEET_COMMON_HEADERS})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
  if(NOT apart)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# What programs allocate with (docs/adr/0033). Sanitizers bring their own.
add_library(framefleet_allocator INTERFACE)
if(NOT FRAMEFLEET_SANITIZE)
  target_link_libraries(framefleet_allocator INTERFACE PkgConfig::tcmalloc)
endif()

# framefleet_harden(LIBRARY) : compiled as the programs are, into which alone it says how to link.
function(framefleet_harden library)
  target_compile_options(
    ${library} PRIVATE $<TARGET_PROPERTY:framefleet_hardening,INTERFACE_COMPILE_OPTIONS>)
endfunction()

function(framefleet_library name)
  cmake_parse_arguments(arg "APART" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(framefleet_${name} STATIC ${arg_SOURCES})
  add_library(framefleet::${name} ALIAS framefleet_${name})
  target_sources(framefleet_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                                           FILES ${arg_HEADERS})
  target_link_libraries(framefleet_${name} PUBLIC ${arg_PUBLIC}
                                           PRIVATE ${arg_PRIVATE} framefleet_warnings)
  framefleet_harden(framefleet_${name})
  target_compile_options(framefleet_${name} PRIVATE ${FRAMEFLEET_FLOW_WARNINGS})
  target_compile_features(framefleet_${name} PUBLIC cxx_std_20)
  set_target_properties(framefleet_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  framefleet_quicken(framefleet_${name} framefleet_base ${arg_APART})
endfunction()

# STARTS: programs that this one starts, so that it can be tried as soon as it is built.
function(framefleet_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;STARTS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  if(arg_STARTS)
    add_dependencies(${name} ${arg_STARTS})
  endif()
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} framefleet_warnings framefleet_hardening
                                        framefleet_allocator)
  target_compile_options(${name} PRIVATE ${FRAMEFLEET_FLOW_WARNINGS})
  set_property(GLOBAL APPEND PROPERTY FRAMEFLEET_PROGRAMS ${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  framefleet_quicken(${name} framefleet_base FALSE)
  install(TARGETS ${name} RUNTIME)
endfunction()

function(framefleet_test name)
  cmake_parse_arguments(arg "APART" "TIMEOUT" "LABEL;SOURCES;LIBRARIES" ${ARGN})
  if(NOT FRAMEFLEET_TESTS)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} framefleet_test_support framefleet_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  framefleet_quicken(${name} framefleet_test_support ${arg_APART})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT})
endfunction()
