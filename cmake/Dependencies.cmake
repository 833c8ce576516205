# Everything comes from Debian packages (scripts/dependencies.txt); nothing is fetched.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(tl-expected 1.0 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(prometheus-cpp REQUIRED)  # 1.0.1; its config file names no version
find_package(cppzmq 4.9 REQUIRED)
find_package(msgpackc-cxx 4.1 REQUIRED NAMES msgpackc-cxx msgpack-cxx msgpack
             PATH_SUFFIXES cmake/msgpackc-cxx CONFIGS msgpack-config.cmake msgpack-cxx-config.cmake)
find_package(SQLite3 3.40 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(ZLIB 1.2 REQUIRED)
find_package(PNG 1.6 REQUIRED)
find_package(OpenCV 4.6 REQUIRED COMPONENTS core imgproc imgcodecs objdetect features2d videoio aruco)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus>=3.3)
pkg_check_modules(lmdb REQUIRED IMPORTED_TARGET lmdb>=0.9.24)
pkg_check_modules(libsodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(libturbojpeg REQUIRED IMPORTED_TARGET libturbojpeg)
pkg_check_modules(libwebp REQUIRED IMPORTED_TARGET libwebp)
pkg_check_modules(libseccomp REQUIRED IMPORTED_TARGET libseccomp)
find_path(HTTPLIB_INCLUDE_DIR httplib.h REQUIRED)
if(FRAMEFLEET_TESTS)
  # Debian's own interpreter: the modules that tests need are its packages.
  set(Python3_EXECUTABLE /usr/bin/python3 CACHE FILEPATH "The python3 that tests run with")
  find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
  find_package(Catch2 2.13 REQUIRED)
  find_package(rapidcheck REQUIRED)  # its config file names no version
endif()
