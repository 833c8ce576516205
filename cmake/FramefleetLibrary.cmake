# The three helpers that every folder's CMakeLists.txt is written with.
#
#   framefleet_library(NAME SOURCES ... HEADERS ... [PUBLIC lib...] [PRIVATE lib...])
#   framefleet_program(NAME SOURCES ... LIBRARIES lib...)
#   framefleet_test(NAME LABEL label... SOURCES ... LIBRARIES lib... [TIMEOUT seconds])
#
# Includes are written from the root of the tree ("shared/base/time.hpp"), so a header's folder is its
# address; every public header is proven self-contained by the target all_verify_interface_header_sets.

function(framefleet_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(framefleet_${name} STATIC ${arg_SOURCES})
  add_library(framefleet::${name} ALIAS framefleet_${name})
  target_sources(framefleet_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                                           FILES ${arg_HEADERS})
  target_link_libraries(framefleet_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE}
                                                                        framefleet_warnings)
  target_compile_options(framefleet_${name} PRIVATE ${FRAMEFLEET_FLOW_WARNINGS})
  target_compile_features(framefleet_${name} PUBLIC cxx_std_20)
  set_target_properties(framefleet_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

function(framefleet_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} framefleet_warnings)
  target_compile_options(${name} PRIVATE ${FRAMEFLEET_FLOW_WARNINGS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME)
endfunction()

function(framefleet_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABEL;SOURCES;LIBRARIES" ${ARGN})
  if(NOT FRAMEFLEET_TESTS)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} framefleet_test_support framefleet_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT})
endfunction()
