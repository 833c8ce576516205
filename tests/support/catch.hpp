#pragma once
// The one place that names Catch2 (version 2 on Debian 12, 3 in the container image).
#include <catch2/catch.hpp>
