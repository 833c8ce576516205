# Sanitizers are global and chosen by preset only: a half-instrumented program reports nonsense.
set(FRAMEFLEET_SANITIZE "" CACHE STRING "Comma-separated -fsanitize= list, e.g. address,undefined")
# Half of the instrumented code in preset asan would be these: of the first two AddressSanitizer sees
# more, and all four stand in preset fuzz, where bytes from outside are read.
set(FRAMEFLEET_SANITIZE_BUT "" CACHE STRING "Comma-separated checks of these that are left out")
if(FRAMEFLEET_SANITIZE)
  add_compile_options(-fsanitize=${FRAMEFLEET_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FRAMEFLEET_SANITIZE})
  if(FRAMEFLEET_SANITIZE_BUT)
    add_compile_options(-fno-sanitize=${FRAMEFLEET_SANITIZE_BUT})
  endif()
  if(FRAMEFLEET_SANITIZE MATCHES "address")
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
  endif()
endif()
