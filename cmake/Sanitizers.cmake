# Sanitizers are global and chosen by preset only: a half-instrumented program reports nonsense.
set(FRAMEFLEET_SANITIZE "" CACHE STRING "Comma-separated -fsanitize= list, e.g. address,undefined")
if(FRAMEFLEET_SANITIZE)
  add_compile_options(-fsanitize=${FRAMEFLEET_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FRAMEFLEET_SANITIZE})
  if(FRAMEFLEET_SANITIZE MATCHES "address")
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
  endif()
endif()
