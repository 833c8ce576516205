#include "shared/base/link.hpp"
